//! Groups and lists of the organization whose mail goes outside, too, because somebody outside is in them.

use std::collections::BTreeSet;

use super::Settings;
use super::set_up::Export;
use crate::evidence::export::Record;
use crate::facts::Context;
use crate::facts::exported::{self, Class, Directory};
use crate::facts::shape::Fact;
use crate::seen::NotObserved;

const MICROSOFT: Export = Export {
    formats: &["microsoft365.group-members"],
    what: "the members of all groups and lists (Get-DistributionGroupMember, Get-UnifiedGroupLinks), with the collector's record",
};
const GOOGLE: Export = Export {
    formats: &["google-workspace.group-memberships"],
    what: "the members of all groups (gam print group-members), with the collector's record",
};

/// The addresses of groups with a member outside. The list of one group's members looks like that of all, so
/// only a collector's record says that no other group has one.
pub(super) fn with_outsiders(context: Context<'_>, provider: &str, settings: &Settings<'_>) -> Fact<Vec<String>> {
    if let Some(reason) = &settings.unknown {
        return Fact::unknown(reason.clone());
    }
    let export = if provider == "google-workspace" { &GOOGLE } else { &MICROSOFT };
    let directory = Directory::of(context);
    let (mut found, mut ids, mut in_doubt) = (BTreeSet::new(), Vec::new(), None);
    for (id, record) in exported::records(context) {
        let Record::Group(group) = record else { continue };
        if group.provider != provider {
            continue;
        }
        for member in &group.members {
            match directory.class(member) {
                Ok((Class::ConsumerWebmail | Class::External, _)) => {
                    if found.insert(group.address.clone()) {
                        ids.push(id.clone());
                    }
                }
                Ok((Class::BusinessAssociate | Class::Internal | Class::None, _)) => {}
                Ok((Class::Unparseable | Class::Unresolved, _)) => {
                    in_doubt = Some(NotObserved::not_provided("where mail to some members of groups goes"));
                }
                Err(reason) => in_doubt = Some(reason),
            }
        }
    }
    ids.extend(settings.files.evidence_of(export.formats));
    ids.extend(directory.evidence.iter().cloned());
    let missing = settings.files.whole(export.formats, export.what).err();
    let not_asked = export.formats.iter().all(|format| settings.files.collected(format).is_none());
    exported::named_unless(
        found,
        ids,
        missing.or_else(|| not_asked.then(|| NotObserved::not_provided(export.what))).or(in_doubt),
    )
}
