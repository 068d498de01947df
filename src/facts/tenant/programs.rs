//! Programs that hold a permission for mail without a user, and whether anything limits them to some mailboxes.
//!
//! An application access policy limits the programs that it names and no others, and one that denies leaves
//! everybody outside its group open. A role for applications that is limited limits nothing that Entra grants
//! beside it. That nothing is unlimited is said only where everything that grants and limits was read.

use std::collections::{BTreeMap, BTreeSet};

use super::Settings;
use super::set_up::{Export, ROLES};
use crate::evidence::EvidenceId;
use crate::facts::exported;
use crate::facts::shape::Fact;
use crate::seen::{NotObserved, Seen};

const POLICIES: Export = Export {
    formats: &["microsoft365.access-policies"],
    what: "which programs are limited to which mailboxes (Get-ApplicationAccessPolicy)",
};
const ASSIGNMENTS: Export = Export {
    formats: &["microsoft365.role-assignments"],
    what: "the roles of programs in Exchange Online (Get-ManagementRoleAssignment, all of them, with CustomResourceScope and RecipientWriteScope), with the collector's record",
};
const APPLICATIONS: &str = "which application each program is (Get-MgServicePrincipal -All, Id, AppId)";

/// Programs, by id, that reach the mail of everybody without a user and that nothing limits.
pub(super) fn unlimited(settings: &Settings<'_>) -> Fact<Vec<String>> {
    if let Some(reason) = &settings.unknown {
        return Fact::unknown(reason.clone());
    }
    let Sorted { unlimited, ids, in_doubt, .. } = Sorted::of(settings);
    exported::named_unless(unlimited, ids, missing(settings).or(in_doubt))
}

/// Programs, by id, that reach the mail of everybody without a user but for a policy or the scope of a role:
/// it limits them to some mailboxes, and to which no export that is read here tells.
pub(super) fn limited(settings: &Settings<'_>) -> Fact<Vec<String>> {
    if let Some(reason) = &settings.unknown {
        return Fact::unknown(reason.clone());
    }
    let Sorted { limited, ids, in_doubt, .. } = Sorted::of(settings);
    exported::named_unless(limited, ids, missing(settings).or(in_doubt))
}

/// Why there may be further permissions or roles. A list of those of one program looks like that of all, so
/// only a collector's record says that there are no others.
fn missing(settings: &Settings<'_>) -> Option<NotObserved> {
    [&ROLES, &ASSIGNMENTS].into_iter().find_map(|export| {
        let asked = export.formats.iter().any(|format| settings.files.collected(format).is_some());
        let whole = settings.files.whole(export.formats, export.what).err();
        whole.or_else(|| (!asked).then(|| NotObserved::not_provided(export.what)))
    })
}

/// The programs that reach the mail of everybody without a user, by id.
struct Sorted {
    unlimited: BTreeSet<String>,
    limited: BTreeSet<String>,
    /// Why a program may belong to either.
    in_doubt: Option<NotObserved>,
    ids: Vec<EvidenceId>,
}

impl Sorted {
    fn of(settings: &Settings<'_>) -> Self {
        let (mut unlimited, mut limited, mut in_doubt, mut ids) = (BTreeSet::new(), BTreeSet::new(), None, Vec::new());
        let limits = Limits::of(settings, &mut ids);
        let beyond: BTreeSet<&str> =
            settings.named("app-role-beyond-policies").filter_map(|(_, role)| role.of.as_deref()).collect();
        for (id, role) in settings.named("app-role") {
            let Some(program) = role.of.as_deref() else { continue };
            match &role.value {
                Seen::Present(word) if word == "mail-of-everybody" => {
                    ids.push(id.clone());
                    match limits.hold_for(program) {
                        _ if beyond.contains(program) => _ = unlimited.insert(program.to_owned()),
                        Ok(true) => _ = limited.insert(program.to_owned()),
                        Ok(false) => _ = unlimited.insert(program.to_owned()),
                        Err(reason) => in_doubt = Some(reason),
                    }
                }
                Seen::Present(_) | Seen::Absent => {}
                Seen::Malformed(_) => in_doubt = Some(NotObserved::not_provided(ROLES.what)),
                Seen::Unknown(reason) => in_doubt = Some(reason.clone()),
            }
        }
        for (id, assignment) in settings.named("role-assignment") {
            let program = || assignment.of.clone().unwrap_or_else(|| "a program without a name".to_owned());
            match &assignment.value {
                Seen::Present(word) if word == "mail-of-everybody" || word == "mail-of-some" => {
                    ids.push(id.clone());
                    let side = if word == "mail-of-some" { &mut limited } else { &mut unlimited };
                    side.insert(program());
                }
                Seen::Present(_) | Seen::Absent => {}
                Seen::Malformed(_) => in_doubt = Some(NotObserved::not_provided(ASSIGNMENTS.what)),
                Seen::Unknown(reason) => in_doubt = Some(reason.clone()),
            }
        }
        ids.extend([&ROLES, &ASSIGNMENTS].into_iter().flat_map(|export| settings.files.evidence_of(export.formats)));
        Self { unlimited, limited, in_doubt, ids }
    }
}

/// What application access policies say.
struct Limits<'e> {
    /// By the application's id.
    restricted: BTreeSet<&'e str>,
    /// The application of each program.
    applications: BTreeMap<&'e str, &'e str>,
    /// Why there may be further policies.
    more: Option<NotObserved>,
}

impl<'e> Limits<'e> {
    fn of(settings: &Settings<'e>, ids: &mut Vec<EvidenceId>) -> Self {
        let mut restricted = BTreeSet::new();
        let mut more = settings.files.whole(POLICIES.formats, POLICIES.what).err();
        for (id, policy) in settings.named("access-policy") {
            match (&policy.value, policy.of.as_deref()) {
                (Seen::Present(right), Some(application)) if right == "restrictaccess" => {
                    restricted.insert(application);
                    ids.push(id.clone());
                }
                // What is denied for some stays open for everybody else.
                (Seen::Present(_), _) => {}
                (Seen::Unknown(reason), _) => more = Some(reason.clone()),
                (Seen::Absent | Seen::Malformed(_), _) => more = Some(NotObserved::not_provided(POLICIES.what)),
            }
        }
        let applications = settings
            .named("program-application")
            .filter_map(|(_, program)| Some((program.of.as_deref()?, program.value.present()?.as_str())))
            .collect();
        Self { restricted, applications, more }
    }

    fn hold_for(&self, program: &str) -> Result<bool, NotObserved> {
        match (self.applications.get(program), &self.more) {
            (Some(application), _) if self.restricted.contains(application) => Ok(true),
            (_, Some(reason)) => Err(reason.clone()),
            (Some(_), None) => Ok(false),
            (None, None) if self.restricted.is_empty() => Ok(false),
            (None, None) => Err(NotObserved::not_provided(APPLICATIONS)),
        }
    }
}
