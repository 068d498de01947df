//! Reads everything DNS and the policy host say of one domain, together.
//!
//! Pure: given answers it says what they mean and which questions are still open. The same reading
//! drives collection (what to ask next) and judgement (what is known).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::dane::{self, Chains, DaneAudit, DaneVerdict};
use super::discovery::{self, Discovery};
use super::dkim::{self, DkimAudit, DkimVerdict, Learned, Selectors};
use super::dmarc::{self, DmarcAudit};
use super::dns_message::{Answers, DnsQuestion, Dnssec, Reader, RecordKind};
use super::mta_sts::{self, Fetched, StsAudit};
use super::mx::{self, MxAudit, MxVerdict};
use super::note::Note;
use super::spf_tree::{self, SpfAudit};
use super::tls_rpt::{self, TlsRptAudit};
use super::txt;
use crate::catalogues::vendors::{Place, VendorCatalogue};
use crate::evidence::{Answer, Observation};
use crate::names::DomainName;
use crate::seen::NotObserved;

/// Stands in the reason where a server answered and refused (`collect::dns` writes it).
pub const ANSWERED: &str = " answered ";
/// Failed questions that get a note of their own.
const MAX_FAILURE_NOTES: usize = 8;

/// What a reading is given beside the answers.
pub struct Given<'g> {
    /// Selectors the organization names.
    pub selectors: &'g [String],
    /// Selectors that were seen to sign for the domain, and where.
    pub seen: &'g SeenSelectors,
    /// Whether the organization says that the domain sends; guessing selectors is spared otherwise.
    pub sends: bool,
    pub catalogue: &'g VendorCatalogue,
    /// The fetched MTA-STS policy.
    pub policy: Fetched<'g>,
    /// Certificates seen on port 25, by host.
    pub chains: &'g Chains,
    /// Private addresses that the run takes as public.
    pub permitted: &'g dyn Fn(IpAddr) -> bool,
}

/// Selectors that signed mail, by where that was seen.
pub type SeenSelectors = BTreeMap<String, BTreeSet<Learned>>;

/// Selectors seen of one domain that are asked for.
const MAX_SEEN_SELECTORS: usize = 50;

/// The selectors that signed for a domain, from what was observed of it. Those that exports name come
/// first, then those whose signatures passed, then those of most messages; a forger may name any selector.
pub fn seen_selectors<'o>(observations: impl IntoIterator<Item = &'o Observation>) -> SeenSelectors {
    let mut seen: BTreeMap<&str, (u64, u64, BTreeSet<Learned>)> = BTreeMap::new();
    for observation in observations {
        match &observation.answer {
            Ok(Answer::AggregateReport(report)) => {
                for key in &report.selectors {
                    let (passed, all, from) = seen.entry(&key.selector).or_default();
                    *passed = passed.saturating_add(key.passed);
                    *all = all.saturating_add(key.passed).saturating_add(key.failed);
                    from.insert(Learned::Reports);
                }
            }
            Ok(Answer::ExportedSelectors(selectors)) => {
                for selector in selectors {
                    // What its own systems say comes before what anybody may write into mail.
                    let (passed, _, from) = seen.entry(selector).or_default();
                    *passed = u64::MAX;
                    from.insert(Learned::Export);
                }
            }
            Ok(Answer::Signatures(signatures)) => {
                for (selector, messages) in &signatures.selectors {
                    let (_, all, from) = seen.entry(selector).or_default();
                    *all = all.saturating_add(*messages);
                    from.insert(Learned::Signatures);
                }
            }
            Ok(_) | Err(_) => {}
        }
    }
    let mut ranked: Vec<_> = seen.into_iter().collect();
    ranked.sort_by(|one, other| (other.1.0, other.1.1, one.0).cmp(&(one.1.0, one.1.1, other.0)));
    ranked.truncate(MAX_SEEN_SELECTORS);
    ranked.into_iter().map(|(selector, (_, _, from))| (selector.to_owned(), from)).collect()
}

/// Whether the name can be resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolve {
    Error,
    NxDomain,
    Ok,
    ServFail,
    Timeout,
}

impl Resolve {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::NxDomain => "nxdomain",
            Self::Ok => "ok",
            Self::ServFail => "servfail",
            Self::Timeout => "timeout",
        }
    }
}

/// Whether DNS speaks of the domain as sending mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    No,
    Unknown,
    Yes,
}

impl Sending {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Unknown => "unknown",
            Self::Yes => "yes",
        }
    }
}

/// One part of the reading, for its evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Dane,
    Discovery,
    Dkim,
    Dmarc,
    Dnssec,
    MtaSts,
    Mx,
    Spf,
    TlsRpt,
    Vendors,
}

/// Everything read of one domain.
#[derive(Clone, Debug)]
pub struct DomainRecords {
    pub resolve: Resolve,
    /// Whether the name exists (RFC 8020).
    pub exists: Result<bool, NotObserved>,
    pub mx: MxAudit,
    pub spf: SpfAudit,
    pub dmarc: DmarcAudit,
    pub dkim: DkimAudit,
    pub mta_sts: StsAudit,
    pub tls_rpt: TlsRptAudit,
    pub dane: DaneAudit,
    /// What mail programs are told, and what is published beside; empty for a name that does not exist.
    pub discovery: Option<Discovery>,
    pub dnssec: Result<Dnssec, NotObserved>,
    pub sending: Sending,
    /// Vendors by id, and where each was seen.
    pub vendors: BTreeMap<String, BTreeSet<Place>>,
    /// Notes that belong to no part: dns, dnssec, txt.
    pub other_notes: Vec<Note>,
    /// The questions each part rests on.
    pub used: BTreeMap<Part, BTreeSet<DnsQuestion>>,
    /// Questions that are still open.
    pub wanted: BTreeSet<DnsQuestion>,
}

impl DomainRecords {
    /// Every note, sorted, each once.
    pub fn notes(&self) -> Vec<Note> {
        let mut notes: Vec<Note> = [
            &self.mx.notes,
            &self.spf.notes,
            &self.dmarc.notes,
            &self.dkim.notes,
            &self.mta_sts.notes,
            &self.tls_rpt.notes,
            &self.dane.notes,
            &self.other_notes,
        ]
        .into_iter()
        .chain(self.discovery.iter().map(|discovery| &discovery.notes))
        .flatten()
        .cloned()
        .collect();
        notes.sort();
        notes.dedup();
        notes
    }
}

/// Reads a domain.
pub fn read(domain: &DomainName, given: &Given<'_>, answers: &Answers) -> DomainRecords {
    let mut reader = Reader::new(answers);
    let mut used = BTreeMap::new();
    let mut other_notes = Vec::new();

    let dnssec = read_dnssec(domain, &mut reader, &mut other_notes);
    let (exists, resolve) = read_existence(domain, &mut reader);
    used.insert(Part::Dnssec, reader.take_used());

    let mx = mx::audit(domain, given.permitted, &mut reader);
    used.insert(Part::Mx, reader.take_used());
    let spf = spf_tree::audit(domain, &mut reader);
    used.insert(Part::Spf, reader.take_used());
    // Only NXDOMAIN makes `np` apply; an unknown state is taken as existing.
    let dmarc = dmarc::audit(domain, exists.clone().unwrap_or(true), &mut reader);
    used.insert(Part::Dmarc, reader.take_used());

    let mut vendors = Vendors { catalogue: given.catalogue, seen: BTreeMap::new() };
    mx.hosts.iter().for_each(|host| vendors.add(Place::Mx, host));
    spf.targets.iter().for_each(|target| vendors.add(Place::Spf, target));
    let selectors = Selectors {
        declared: given.selectors.to_vec(),
        seen: given.seen.clone(),
        implied: vendors.selectors(),
        ranked: if given.sends { given.catalogue.common_selectors.clone() } else { Vec::new() },
    };
    let dkim = dkim::audit(domain, &selectors, &mut reader);
    used.insert(Part::Dkim, reader.take_used());
    dkim.aliases.iter().for_each(|target| vendors.add(Place::Dkim, target));

    let mta_sts = mta_sts::audit(domain, &mx.hosts, given.policy, &mut reader);
    used.insert(Part::MtaSts, reader.take_used());
    let tls_rpt = tls_rpt::audit(domain, &mut reader);
    used.insert(Part::TlsRpt, reader.take_used());
    let hosts: Vec<DomainName> = mx.addresses.iter().map(|(host, _)| host.clone()).collect();
    let dane = match mx.verdict {
        MxVerdict::Error if hosts.is_empty() => {
            DaneAudit { verdict: DaneVerdict::Error, because: mx.because.clone(), ..DaneAudit::nothing() }
        }
        MxVerdict::Null | MxVerdict::Missing => dane::audit(&[], given.chains, &mut reader),
        MxVerdict::Error | MxVerdict::Implicit | MxVerdict::Invalid | MxVerdict::Ok => {
            dane::audit(&hosts, given.chains, &mut reader)
        }
    };
    used.insert(Part::Dane, reader.take_used());

    let discovery = (exists == Ok(true)).then(|| discovery::audit(domain, &mut reader));
    used.insert(Part::Discovery, reader.take_used());
    vendors.add_discovery(domain, &mut reader);
    vendors.add_reports(&dmarc, &tls_rpt);
    vendors.add_tokens(domain, &mut reader);
    used.insert(Part::Vendors, reader.take_used());

    note_control_characters(domain, &mut reader, &mut other_notes);
    if exists == Ok(false) {
        other_notes.push(Note::new("dns.nxdomain", format!("{domain} does not exist"), "RFC 8020 §2"));
    }
    for (question, reason) in answers.failures().take(MAX_FAILURE_NOTES) {
        let detail = format!("{} {}: {reason}", question.name, question.kind.as_str());
        other_notes.push(Note::new("dns.lookup_failed", detail, "RFC 2308 §7"));
    }
    let more = answers.failures().count().saturating_sub(MAX_FAILURE_NOTES);
    if more > 0 {
        other_notes.push(Note::new("dns.lookup_failed", format!("and {more} questions more"), "RFC 2308 §7"));
    }
    let sending = sending(&spf, &dkim);
    DomainRecords {
        resolve,
        exists,
        mx,
        spf,
        dmarc,
        dkim,
        mta_sts,
        tls_rpt,
        dane,
        discovery,
        dnssec,
        sending,
        vendors: vendors.seen,
        other_notes,
        used,
        wanted: reader.wanted,
    }
}

/// What is read of a partner's domain.
#[derive(Clone, Debug)]
pub struct PartnerRecords {
    pub mx: MxAudit,
    pub mta_sts: StsAudit,
    pub dane: DaneAudit,
    pub used: BTreeSet<DnsQuestion>,
    pub wanted: BTreeSet<DnsQuestion>,
}

/// Reads where a partner's mail goes and what it promises about TLS.
pub fn read_partner(
    domain: &DomainName,
    policy: Fetched<'_>,
    chains: &Chains,
    permitted: &dyn Fn(IpAddr) -> bool,
    answers: &Answers,
) -> PartnerRecords {
    let mut reader = Reader::new(answers);
    let mx = mx::audit(domain, permitted, &mut reader);
    let mta_sts = mta_sts::audit(domain, &mx.hosts, policy, &mut reader);
    let hosts: Vec<DomainName> = mx.addresses.iter().map(|(host, _)| host.clone()).collect();
    let dane = dane::audit(&hosts, chains, &mut reader);
    PartnerRecords { mx, mta_sts, dane, used: reader.used, wanted: reader.wanted }
}

fn read_dnssec(domain: &DomainName, reader: &mut Reader<'_>, notes: &mut Vec<Note>) -> Result<Dnssec, NotObserved> {
    let Some(response) = reader.ask(domain, RecordKind::Soa)? else {
        return Err(NotObserved::NotProvided { what: format!("the DNS answer for {domain} SOA") });
    };
    let state = response.dnssec;
    match state {
        Dnssec::Bogus => {
            notes.push(Note::new("dnssec.bogus", format!("{domain}: signatures do not verify"), "RFC 4035 §5"));
        }
        Dnssec::Insecure => {
            if let Ok(Some(keys)) = reader.ask(domain, RecordKind::Dnskey)
                && !keys.is_empty()
            {
                let detail = format!("{domain} has keys, and its parent zone does not vouch for them");
                notes.push(Note::new("dnssec.island", detail, "RFC 4033 §2"));
            }
        }
        Dnssec::Indeterminate | Dnssec::Secure => {}
    }
    Ok(state)
}

fn read_existence(domain: &DomainName, reader: &mut Reader<'_>) -> (Result<bool, NotObserved>, Resolve) {
    let soa = reader.ask(domain, RecordKind::Soa);
    if let Ok(Some(response)) = &soa
        && response.dnssec == Dnssec::Bogus
    {
        let reason = NotObserved::Refused { what: format!("{domain}: DNSSEC bogus") };
        return (Err(reason), Resolve::ServFail);
    }
    let mut first_failure = None;
    for told in [soa, reader.ask(domain, RecordKind::Mx), reader.ask(domain, RecordKind::Txt)] {
        match told {
            Ok(Some(response)) => {
                // An alias to nowhere still exists itself.
                let exists = response.exists || !response.aliases.is_empty();
                return (Ok(exists), if exists { Resolve::Ok } else { Resolve::NxDomain });
            }
            Ok(None) => {}
            Err(reason) => drop(first_failure.get_or_insert(reason)),
        }
    }
    let reason =
        first_failure.unwrap_or_else(|| NotObserved::NotProvided { what: format!("the DNS answers for {domain}") });
    let resolve = match &reason {
        // "192.0.2.53:53 answered SERVFAIL", against "192.0.2.53:53: connection refused".
        NotObserved::Refused { what } if what.contains(ANSWERED) => Resolve::ServFail,
        NotObserved::TimedOut { .. } => Resolve::Timeout,
        NotObserved::AccessDenied { .. }
        | NotObserved::Interrupted
        | NotObserved::Limit { .. }
        | NotObserved::Lost { .. }
        | NotObserved::NotInScope { .. }
        | NotObserved::NotProvided { .. }
        | NotObserved::Refused { .. }
        | NotObserved::Unreadable { .. } => Resolve::Error,
    };
    (Err(reason), resolve)
}

fn note_control_characters(domain: &DomainName, reader: &mut Reader<'_>, notes: &mut Vec<Note>) {
    let names = [Ok(domain.clone()), domain.child("_dmarc"), domain.child("_mta-sts"), domain.child("_smtp._tls")];
    for name in names.into_iter().flatten() {
        if let Ok(Some(response)) = reader.ask(&name, RecordKind::Txt)
            && txt::texts(&response.data).iter().any(|text| txt::has_control_characters(text))
        {
            let detail = format!("{name}: a TXT record holds control or invisible characters");
            notes.push(Note::new("txt.control_chars", detail, "RFC 7208 §4.5"));
        }
    }
}

/// What DNS says of sending; the scope may say otherwise.
fn sending(spf: &SpfAudit, dkim: &DkimAudit) -> Sending {
    if spf.nobody_sends {
        return Sending::No;
    }
    let signs =
        matches!(dkim.verdict, DkimVerdict::Ok | DkimVerdict::Weak | DkimVerdict::Testing | DkimVerdict::Broken);
    if spf.record.is_some() || signs { Sending::Yes } else { Sending::Unknown }
}

struct Vendors<'c> {
    catalogue: &'c VendorCatalogue,
    seen: BTreeMap<String, BTreeSet<Place>>,
}

impl Vendors<'_> {
    fn add(&mut self, place: Place, name: &str) {
        for id in self.catalogue.recognise(place, name) {
            self.seen.entry(id.to_owned()).or_default().insert(place);
        }
    }

    /// Selectors that the vendors seen so far are known to use.
    fn selectors(&self) -> Vec<String> {
        let mut selectors: Vec<String> = self
            .seen
            .keys()
            .filter_map(|id| self.catalogue.vendor(id))
            .flat_map(|vendor| vendor.selectors.iter().filter(|selector| !selector.contains('*')).cloned())
            .collect();
        selectors.sort();
        selectors.dedup();
        selectors
    }

    fn add_discovery(&mut self, domain: &DomainName, reader: &mut Reader<'_>) {
        for label in ["autodiscover", "autoconfig"] {
            let Ok(name) = domain.child(label) else { continue };
            if let Ok(Some(response)) = reader.ask(&name, RecordKind::Cname) {
                response.aliases.iter().for_each(|target| self.add(Place::Autodiscover, target));
            }
        }
    }

    fn add_reports(&mut self, dmarc: &DmarcAudit, tls_rpt: &TlsRptAudit) {
        for domain in dmarc.parsed.iter().flat_map(|record| &record.report_domains) {
            self.add(Place::Reports, domain.as_str());
        }
        for uri in &tls_rpt.report_uris {
            let host = match uri.split_once("://") {
                Some((_, rest)) => rest.split(['/', ':']).next().unwrap_or_default(),
                None => uri.rsplit('@').next().unwrap_or_default(),
            };
            self.add(Place::Reports, host);
        }
    }

    fn add_tokens(&mut self, domain: &DomainName, reader: &mut Reader<'_>) {
        if let Ok(Some(response)) = reader.ask(domain, RecordKind::Txt) {
            txt::texts(&response.data).iter().for_each(|text| self.add(Place::Verification, text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dns_message::tests::{answers, name};
    use super::super::dns_message::{Rdata, Reply, Response};
    use super::*;

    fn judge(lines: &[&str]) -> DomainRecords {
        let answers = answers(lines);
        let given = Given {
            selectors: &["s1".to_owned()],
            seen: &BTreeMap::new(),
            sends: true,
            catalogue: &VendorCatalogue::shipped(),
            policy: None,
            chains: &Chains::new(),
            permitted: &|_| false,
        };
        read(&name("c.example"), &given, &answers)
    }

    #[test]
    fn nothing_is_known_of_a_domain_nobody_asked_about() {
        let records = judge(&[]);
        assert!(records.exists.is_err() && records.dnssec.is_err());
        assert_eq!((records.mx.verdict, records.sending), (MxVerdict::Error, Sending::Unknown));
        assert!(records.wanted.len() >= 6, "{:?}", records.wanted);
    }

    #[test]
    fn a_resolver_that_answers_for_every_name_finds_nothing() {
        let mut answers = Answers::default();
        let given = Given {
            selectors: &["s1".to_owned()],
            seen: &BTreeMap::new(),
            sends: true,
            catalogue: &VendorCatalogue::shipped(),
            policy: None,
            chains: &Chains::new(),
            permitted: &|_| false,
        };
        let domain = name("c.example");
        // NXDOMAIN rewritten into the address of a search page, and a text for good measure.
        let advertisement = |kind| match kind {
            RecordKind::A => vec![Rdata::A([203, 0, 113, 9].into())],
            RecordKind::Txt => vec![Rdata::Txt(vec![b"v=DKIM1; p=; see our offers".to_vec()])],
            _ => Vec::new(),
        };
        let records = loop {
            let records = read(&domain, &given, &answers);
            if records.wanted.is_empty() {
                break records;
            }
            for question in records.wanted {
                let data = advertisement(question.kind);
                let response = Response { exists: true, aliases: Vec::new(), data, dnssec: Dnssec::Insecure };
                answers.insert(question, Reply::Answered(response), None);
            }
        };
        assert_eq!(records.dkim.verdict, DkimVerdict::Unknown, "{:?}", records.dkim);
        assert_eq!(records.spf.verdict.as_str(), "missing");
        assert_eq!(records.dmarc.verdict.as_str(), "missing");
        assert_eq!(records.mta_sts.verdict.as_str(), "missing");
        let discovery = records.discovery.unwrap();
        assert!(discovery.services.is_empty());
        assert_eq!(
            [discovery.smimea, discovery.openpgpkey, discovery.key_directory],
            [discovery::Published::Unknown; 3]
        );
        // Mail to each of its mail hosts would be lost, and nothing is claimed to be signed.
        assert_eq!(records.sending, Sending::Unknown);
    }

    #[test]
    fn vendors_are_seen_where_they_are() {
        let records = judge(&[
            "c.example MX 10 c-example.mail.protection.outlook.com",
            "c.example TXT v=spf1 include:spf.protection.outlook.com include:sendgrid.net -all",
            "c.example TXT google-site-verification=abc",
            "_dmarc.c.example TXT v=DMARC1; p=none; rua=mailto:x@rua.easydmarc.com",
        ]);
        assert_eq!(records.vendors["microsoft365"], BTreeSet::from([Place::Mx, Place::Spf]));
        assert_eq!(records.vendors["google-workspace"], BTreeSet::from([Place::Verification]));
        assert_eq!(records.vendors["easydmarc"], BTreeSet::from([Place::Reports]));
        assert!(records.vendors.contains_key("sendgrid"));
    }

    #[test]
    fn a_domain_that_does_not_exist_is_told_from_one_that_cannot_be_asked() {
        assert_eq!(judge(&["c.example SOA !nx"]).resolve, Resolve::NxDomain);
        assert_eq!(
            judge(&["c.example SOA !fail", "c.example MX !fail", "c.example TXT !fail"]).resolve,
            Resolve::ServFail
        );
        assert_eq!(judge(&["c.example SOA x"]).exists, Ok(true));
    }
}
