//! Where a rule of the mail system sends its mail through: a connector that is listed, switched off, or not there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Exported;
use crate::evidence::export::Record;
use crate::evidence::{Answer, EvidenceId, Question, Source};
use crate::facts::Context;
use crate::facts::exported::{Files, joined};
use crate::facts::partner::{CONNECTORS, CONNECTORS_EXPORT};
use crate::facts::shape::Fact;
use crate::names::SubjectKind;
use crate::seen::{NotObserved, Seen};

/// Where a list was read: its label and vantage, and when.
type Place<'e> = (&'e str, &'e str, Timestamp);

/// The connectors for outgoing mail, by keyed reference of their name.
pub(super) struct Connectors<'e> {
    /// Whether it is switched on, as each collection states it.
    known: BTreeMap<&'e str, Vec<(&'e EvidenceId, &'e Seen<String>)>>,
    /// The lists that name each connector.
    named_by: BTreeMap<&'e str, BTreeSet<Place<'e>>>,
    /// The lists, by their bytes: the same list may lie in several places.
    lists: BTreeMap<&'e str, BTreeSet<Place<'e>>>,
    /// Why there may be further ones.
    more: Option<NotObserved>,
    evidence: Vec<EvidenceId>,
}

impl<'e> Connectors<'e> {
    pub(super) fn of(context: Context<'e>) -> Self {
        let mut known: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        let mut named_by: BTreeMap<&str, BTreeSet<Place<'_>>> = BTreeMap::new();
        let mut lists: BTreeMap<&str, BTreeSet<Place<'_>>> = BTreeMap::new();
        for (id, observation) in context.evidence.from(Source::Export) {
            let place = |label: &'e str| (label, observation.vantage.as_str(), observation.asked_at);
            match (&observation.answer, &observation.question) {
                (Ok(Answer::Record(Record::TenantSetting(setting))), Question::ExportRecord { label, .. })
                    if setting.setting == "connector-name" =>
                {
                    let Some(of) = &setting.of else { continue };
                    known.entry(of.as_str()).or_default().push((id, &setting.value));
                    named_by.entry(of.as_str()).or_default().insert(place(label));
                }
                (Ok(Answer::ExportFile(file)), _) if file.format.as_deref() == Some(CONNECTORS[0]) => {
                    lists.entry(file.sha256.as_str()).or_default().insert(place(&file.label));
                }
                _ => {}
            }
        }
        let files = Files::of(context);
        let gone = context.evidence.taken_away(Source::Export, SubjectKind::Tenant);
        let whole = files.whole(&CONNECTORS, CONNECTORS_EXPORT).err();
        // A reader that kept no names says nothing of which there are.
        let rows = files.of_format(CONNECTORS[0]).any(|(_, file)| file.rows > 0);
        let nameless = (rows && known.is_empty())
            .then(|| NotObserved::NotProvided { what: "the names of the connectors for outgoing mail".to_owned() });
        Self {
            known,
            named_by,
            lists,
            more: gone.or(whole).or(nameless),
            evidence: files.evidence_of(&CONNECTORS).collect(),
        }
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
        // One that not every list names may be gone, or may not have been there yet.
        let named = self.named_by.get(connector.as_str());
        let left_out = |named: &BTreeSet<Place<'_>>| self.lists.values().any(|list| list.is_disjoint(named));
        if named.is_some_and(left_out) {
            let why = "one list of connectors names it and another does not".to_owned();
            return Fact::new(Seen::Unknown(NotObserved::Lost { why }), evidence);
        }
        let word = match (self.known.get(connector.as_str()), &self.more) {
            (Some(said), _) if said.iter().any(|(_, state)| state.present().is_none()) => {
                let what = "whether every connector is switched on".to_owned();
                return Fact::new(Seen::Unknown(NotObserved::NotProvided { what }), evidence);
            }
            // Where one collection says on and another off, the latter counts.
            (Some(said), _) => {
                let on = said.iter().all(|(_, state)| state.present().is_some_and(|word| word == "on"));
                if on { "listed" } else { "switched-off" }
            }
            (None, Some(reason)) => return Fact::new(Seen::Unknown(reason.clone()), evidence),
            (None, None) => "unlisted",
        };
        Fact::present(word.to_owned(), evidence)
    }
}
