//! Where a rule of the mail system sends its mail through: a connector that is listed, switched off, or not there.

use std::collections::{BTreeMap, BTreeSet};

use super::Exported;
use crate::evidence::export::Record;
use crate::evidence::{EvidenceId, Source};
use crate::facts::Context;
use crate::facts::exported::{self, Files, joined};
use crate::facts::partner::{CONNECTORS, CONNECTORS_EXPORT};
use crate::facts::shape::Fact;
use crate::names::SubjectKind;
use crate::seen::{NotObserved, Seen};

/// The connectors for outgoing mail, by keyed reference of their name.
pub(super) struct Connectors<'e> {
    /// Whether it is switched on, as each collection states it.
    known: BTreeMap<&'e str, Vec<(&'e EvidenceId, &'e Seen<String>)>>,
    /// Why there may be further ones.
    more: Option<NotObserved>,
    evidence: Vec<EvidenceId>,
}

impl<'e> Connectors<'e> {
    pub(super) fn of(context: Context<'e>) -> Self {
        let mut known: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (id, record) in exported::records(context) {
            if let Record::TenantSetting(setting) = record
                && setting.setting == "connector-name"
                && let Some(of) = &setting.of
            {
                known.entry(of.as_str()).or_default().push((id, &setting.value));
            }
        }
        let files = Files::of(context);
        let gone = context.evidence.taken_away(Source::Export, SubjectKind::Tenant);
        let whole = files.whole(&CONNECTORS, CONNECTORS_EXPORT).err();
        // A reader that kept no names says nothing of which there are.
        let rows = files.of_format(CONNECTORS[0]).any(|(_, file)| file.rows > 0);
        let nameless = (rows && known.is_empty())
            .then(|| NotObserved::NotProvided { what: "the names of the connectors for outgoing mail".to_owned() });
        Self { known, more: gone.or(whole).or(nameless), evidence: files.evidence_of(&CONNECTORS).collect() }
    }

    pub(super) fn route(&self, said: &[(&EvidenceId, &Exported)]) -> Fact<String> {
        let (id, rule) = said[0];
        let mut evidence = vec![id.clone()];
        if rule.origin != "transport" {
            return Fact::present("none".to_owned(), evidence);
        }
        let values: Vec<_> = said.iter().map(|(id, rule)| (*id, &rule.routes_to)).collect();
        let named: BTreeSet<&str> =
            said.iter().filter_map(|(_, rule)| rule.routes_to.present()).map(String::as_str).collect();
        if named.len() > 1 {
            let why = "two collections name different connectors".to_owned();
            return Fact::new(Seen::Unknown(NotObserved::Lost { why }), evidence);
        }
        let connector = match joined(&values, |_, _| false).0 {
            Seen::Absent => return Fact::present("none".to_owned(), evidence),
            Seen::Present(connector) => connector,
            Seen::Malformed(malformed) => return Fact::new(Seen::Malformed(malformed), evidence),
            Seen::Unknown(reason) => return Fact::new(Seen::Unknown(reason), evidence),
        };
        evidence.extend(self.evidence.iter().cloned());
        // Where one collection says on and another off, the latter counts.
        let state = self.known.get(connector.as_str()).map(|said| joined(said, |new, _| new != "on").0);
        let word = match (state, &self.more) {
            (Some(Seen::Present(word)), _) if word == "on" => "listed",
            (Some(Seen::Present(_)), _) => "switched-off",
            (Some(Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_)), _) => {
                let what = "whether every connector is switched on".to_owned();
                return Fact::new(Seen::Unknown(NotObserved::NotProvided { what }), evidence);
            }
            (None, Some(reason)) => return Fact::new(Seen::Unknown(reason.clone()), evidence),
            (None, None) => "unlisted",
        };
        Fact::present(word.to_owned(), evidence)
    }
}
