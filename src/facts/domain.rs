//! A mail domain of the organization: what DNS and the MTA-STS policy host say of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::shape::{Fact, fact_group, subject};
use super::{Built, Collection, Context};
use crate::catalogues::vendors::VendorCatalogue;
use crate::collect::network::Network;
use crate::evidence::declared::DeclaredDomain;
use crate::evidence::network::HttpsAnswer;
use crate::evidence::{Answer, EvidenceId, Observation, Question, Source};
use crate::names::{SubjectId, SubjectKind};
use crate::records;
use crate::records::dane::{self, Chains, DaneVerdict};
use crate::records::dkim::{DkimAudit, DkimVerdict, Key};
use crate::records::dmarc::{DmarcVerdict, Policy};
use crate::records::dns_message::{Answers, Dnssec};
use crate::records::domain::{DomainRecords, Given, Part, seen_selectors};
use crate::records::mta_sts::StsVerdict;
use crate::records::mx::MxVerdict;
use crate::records::note::codes;
use crate::records::spf_tree::SpfVerdict;
use crate::records::tls_rpt::TlsRptVerdict;
use crate::seen::{Malformed, NotObserved, Seen};

fact_group! {
    /// SPF (RFC 7208).
    pub struct Spf {
        /// The contract's word: `missing`, `permerror`, `pass-open`, `weak`, `unknown`, `softfail`, `pass`.
        verdict: String = "missing".to_owned(),
        /// Terms that make DNS queries, over the whole tree (RFC 7208 §4.6.4; at most 10).
        lookups: i64 = 0,
        /// Whether every include and redirect was followed. Where a query failed, a name depends on the
        /// message or an error ends the walk, the true count may be higher.
        lookups_whole: bool = true,
        /// Queries that found nothing (RFC 7208 §4.6.4; at most 2).
        void_lookups: i64 = 0,
        /// Note codes seen, such as `spf.plus_all`.
        notes: Vec<String> = Vec::new(),
    }
}

fact_group! {
    /// DMARC as it applies to the domain (RFC 9989).
    pub struct Dmarc {
        /// The policy that applies: `none`, `quarantine`, `reject`.
        policy: String = "none".to_owned(),
        /// Whether `t=y` asks receivers to act one step milder.
        testing: bool = false,
        /// The policy for subdomains that exist: `none`, `quarantine`, `reject`.
        subdomain_policy: String = "none".to_owned(),
        /// The `pct` of RFC 7489 receivers, percent.
        percent: i64 = 100,
        /// What receivers that still follow RFC 7489 do: `none`, `quarantine`, `reject`.
        older_policy: String = "none".to_owned(),
        /// Whether those do less than receivers that follow RFC 9989.
        weaker_for_older_receivers: bool = false,
        /// Whether aggregate reports are asked for.
        reports: bool = false,
        /// The name the record was found at.
        found_at: String = "none".to_owned(),
        /// Note codes seen, such as `dmarc.p_none`.
        notes: Vec<String> = Vec::new(),
    }
}

fact_group! {
    /// DKIM keys over the selectors found (RFC 6376, RFC 8301).
    pub struct Dkim {
        /// The contract's word: `broken`, `weak`, `testing`, `ok`, `revoked`, `absent`.
        verdict: String = "absent".to_owned(),
        /// Selectors with a record.
        selectors: Vec<String> = Vec::new(),
        /// The smallest RSA key, in bits; 0 where there is none.
        smallest_rsa_bits: i64 = 0,
        /// Where each selector was learned: `s1: reports, signatures`. Of `common`, `declared`, `export`
        /// (the organization's systems), `reports` (DMARC aggregate reports), `signatures` (given mail), `vendor`.
        learned: Vec<String> = Vec::new(),
        /// The key of each selector: `s1` and the SHA-256 of the key, with a space between. Revoked ones have none.
        keys: Vec<String> = Vec::new(),
        /// What each of them is: `s1 rsa 2048`, `s2 ed25519`, with spaces between.
        key_kinds: Vec<String> = Vec::new(),
        /// Selectors that were asked for and have no key. One that is neither here nor in `selectors` was not asked
        /// for, or not answered.
        without_key: Vec<String> = Vec::new(),
        /// Other domains of the scope that publish one of its keys.
        shared_with: Vec<String> = Vec::new(),
        /// Note codes seen, such as `dkim.key_1024`.
        notes: Vec<String> = Vec::new(),
    }
}

fact_group! {
    /// How long DKIM keys that are published now have been seen, over earlier assessments.
    pub struct DkimKeyAge {
        /// Whole days since the key that was seen first; it may be older than that.
        seen_days: i64 = 0,
        /// Its selector.
        selector: String = "none".to_owned(),
    }
}

fact_group! {
    /// Mail in the domain's name, as DMARC aggregate reports tell it (RFC 7489 §7.2, RFC 9990).
    pub struct MailReports {
        /// Reports read, each counted once.
        reports: i64 = 0,
        /// Files that should hold reports and could not be read, over all domains.
        files_not_read: i64 = 0,
        /// Whole days from the end of the newest report to the assessment; where all of them end ahead of
        /// it, the largest number there is.
        days_since_last: i64 = 0,
        /// Rows of the reports that could not be read, or that do not say whether DMARC passed.
        rows_not_read: i64 = 0,
        /// The first day reported, `2026-10-01`.
        first_day: String = "none".to_owned(),
        /// The last day reported.
        last_day: String = "none".to_owned(),
        /// Messages reported.
        messages: i64 = 0,
        /// Messages that passed DMARC.
        aligned: i64 = 0,
        /// Messages that passed SPF or DKIM for another domain only: forwarded, or sent by a service
        /// that is not set up for this domain.
        unaligned: i64 = 0,
        /// Messages that passed nothing: forged, broken on the way, or sent by a server of the domain's own
        /// that is not set up.
        unauthenticated: i64 = 0,
        /// Servers that sent them, at least: of one report those of most messages are kept.
        sources: i64 = 0,
        /// Domains for which the unaligned ones passed, those of most messages first; at most 10.
        passed_for: Vec<String> = Vec::new(),
    }
}

fact_group! {
    /// TLS sessions with its mail hosts, as TLS reports of senders tell them (RFC 8460).
    pub struct TlsReports {
        /// Reports read, each counted once.
        reports: i64 = 0,
        /// Files that should hold reports and could not be read, over all domains.
        files_not_read: i64 = 0,
        /// Whole days from the end of the newest report to the assessment; where all of them end ahead of
        /// it, the largest number there is.
        days_since_last: i64 = 0,
        /// Whether everything in the reports was kept.
        whole: bool = true,
        /// The first day reported, `2026-10-01`.
        first_day: String = "none".to_owned(),
        /// The last day reported.
        last_day: String = "none".to_owned(),
        /// Who reported, at least.
        reporters: i64 = 0,
        /// Sessions reported.
        sessions: i64 = 0,
        /// Sessions in which TLS was agreed on as the policy asks.
        succeeded: i64 = 0,
        /// Sessions that failed.
        failed: i64 = 0,
        /// Of all sessions those that failed, in percent, rounded up: 0 only where none did.
        failed_percent: i64 = 0,
        /// Sessions that failed under DANE, or under an MTA-STS policy told to be in mode enforce, by which
        /// senders should not deliver over such a session (RFC 8461 §5, RFC 7672 §2.2). Without those for which
        /// the policy, or its TLSA records, could not be used (RFC 8460 §4.3.2).
        failed_enforced: i64 = 0,
        /// Failed sessions of which no report says why.
        unexplained: i64 = 0,
        /// Failed sessions of a kind that somebody on the way could have brought about (RFC 8461 §10); a fault
        /// of one's own gives the same.
        maybe_downgraded: i64 = 0,
        /// Kinds of failure (RFC 8460 §4.3) with the sessions of each, `starttls-not-supported: 12`, the most
        /// frequent first.
        failures: Vec<String> = Vec::new(),
        /// Mail hosts with the sessions that failed there, the worst first; at most 10.
        hosts: Vec<String> = Vec::new(),
    }
}

fact_group! {
    /// MTA-STS (RFC 8461).
    pub struct MtaSts {
        /// The contract's word: `missing`, `invalid`, `error`, `mismatch`, `enforce`, `testing`, `none`.
        verdict: String = "missing".to_owned(),
        /// The policy's mode: `enforce`, `testing`, `none`.
        mode: String = "none".to_owned(),
        /// `max_age` in whole days.
        max_age_days: i64 = 0,
        /// Note codes seen, such as `sts.mx_mismatch`.
        notes: Vec<String> = Vec::new(),
    }
}

fact_group! {
    /// What senders who enforce the MTA-STS policy would do, by what its mail hosts serve (RFC 8461 §4.2).
    pub struct StsDelivery {
        /// The policy's mode: `enforce`, `testing`.
        mode: String = "none".to_owned(),
        /// Hosts that they would not deliver to, each with the reason.
        refused: Vec<String> = Vec::new(),
    }
}

fact_group! {
    /// Mail exchangers (RFC 5321 §5.1).
    pub struct Mx {
        /// The contract's word: `null`, `missing`, `invalid`, `implicit`, `ok`.
        verdict: String = "missing".to_owned(),
        /// The hosts, by preference.
        hosts: Vec<String> = Vec::new(),
        /// Note codes seen, such as `mx.cname`.
        notes: Vec<String> = Vec::new(),
    }
}

fact_group! {
    /// DANE for SMTP at its mail hosts (RFC 7672), held against the certificates they serve.
    pub struct Dane {
        /// The contract's word: `absent`, `unusable`, `mismatch`, `match`.
        verdict: String = "absent".to_owned(),
        /// TLSA records found, over all hosts.
        records: i64 = 0,
        /// Hosts whose certificates no record matches.
        mismatched: Vec<String> = Vec::new(),
        /// Note codes seen, such as `dane.no_dnssec`.
        notes: Vec<String> = Vec::new(),
    }
}

subject! {
    /// A mail domain in scope.
    pub struct Domain is Domain {
        /// Whether the name exists in DNS (RFC 8020).
        exists: bool,
        /// Whether the scope says it sends mail.
        sends: bool,
        /// Whether the scope says it receives mail.
        receives: bool,
        /// Its mail exchangers.
        mx: Mx = Mx::absent(),
        /// Its SPF record.
        spf: Spf = Spf::absent(),
        /// The DMARC policy that applies to it.
        dmarc: Dmarc = Dmarc::absent(),
        /// Its DKIM keys.
        dkim: Dkim = Dkim::absent(),
        /// The age of its DKIM keys; absent where no key of now was seen by the assessment compared with.
        dkim_key_age: DkimKeyAge = DkimKeyAge::absent(),
        /// What DMARC aggregate reports say of mail in its name; absent where none was given.
        mail_reports: MailReports = MailReports::absent(),
        /// What TLS reports say of sessions with its mail hosts; absent where none was given.
        tls_reports: TlsReports = TlsReports::absent(),
        /// Its MTA-STS policy.
        mta_sts: MtaSts = MtaSts::absent(),
        /// Whether its mail hosts live up to that policy; absent where no policy asks for it.
        mta_sts_delivery: StsDelivery = StsDelivery::absent(),
        /// TLS-RPT (RFC 8460): `missing`, `invalid`, `ok`.
        tls_rpt: String = "missing".to_owned(),
        /// DANE at its mail hosts.
        dane: Dane = Dane::absent(),
        /// DNSSEC of its zone: `secure`, `insecure`, `bogus`.
        dnssec: String,
    }
}

/// Builds every declared domain from the stored answers.
pub fn build(context: Context<'_>) -> Built<Domain> {
    let (declared_id, declared) = match context.evidence.declared() {
        Ok(found) => found,
        Err(reason) => return Built { subjects: Vec::new(), collection: Collection::Incomplete(reason) },
    };
    let catalogue = VendorCatalogue::shipped();
    let stored = Stored::new(context);
    if let Some(reason) = context.evidence.taken_away(Source::Dns, SubjectKind::Domain) {
        return Built::complete(
            declared
                .domains
                .iter()
                .map(|domain| not_known(domain, declared_id, &reason, Reports::read(context, declared, domain)))
                .collect(),
        );
    }
    let mut owners: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut keys = Vec::with_capacity(declared.domains.len());
    let mut subjects = Vec::with_capacity(declared.domains.len());
    for domain in &declared.domains {
        let read = stored.read(domain, &catalogue);
        let own = fingerprints(&read.records.dkim);
        for key in &own {
            owners.entry(key.clone()).or_default().insert(domain.name.to_string());
        }
        keys.push(own);
        subjects.push(known(domain, declared_id, &read, Reports::read(context, declared, domain)));
    }
    for (subject, own) in subjects.iter_mut().zip(keys) {
        let others: BTreeSet<String> = own.iter().filter_map(|key| owners.get(key)).flatten().cloned().collect();
        if let Seen::Present(dkim) = &mut subject.dkim.seen {
            dkim.shared_with = others.into_iter().filter(|name| *name != subject.name).collect();
        }
    }
    Built::complete(subjects)
}

/// What tells the keys of a domain apart from others.
fn fingerprints(audit: &DkimAudit) -> BTreeSet<String> {
    audit.records.iter().filter_map(|(_, text)| records::dkim::fingerprint(text)).collect()
}

/// One domain read from the evidence, with the answers it was read from.
pub(super) struct ReadDomain {
    pub records: DomainRecords,
    pub answers: Answers,
    /// The observation of the MTA-STS policy.
    pub policy_evidence: Vec<EvidenceId>,
    /// The observations of its mail hosts on port 25.
    pub host_evidence: Vec<EvidenceId>,
}

impl ReadDomain {
    /// The observations one part rests on.
    pub fn evidence(&self, part: Part) -> Vec<EvidenceId> {
        self.records.used.get(&part).map(|questions| self.answers.evidence(questions)).unwrap_or_default()
    }

    /// The TLSA records, and the certificates they were held against.
    fn dane_evidence(&self) -> Vec<EvidenceId> {
        let mut evidence = self.evidence(Part::Dane);
        evidence.extend(self.host_evidence.iter().cloned());
        evidence
    }
}

/// The fetch of an MTA-STS policy and its observation.
pub(super) type FetchedPolicy = (EvidenceId, Result<HttpsAnswer, NotObserved>);

/// What is the same for every domain of one evidence folder.
pub(super) struct Stored<'e> {
    context: Context<'e>,
    chains: Chains,
    test_networks: Vec<Network>,
}

impl<'e> Stored<'e> {
    pub fn new(context: Context<'e>) -> Self {
        let chains = dane::chains(context.evidence.from(Source::Service).map(|(_, observation)| observation));
        let options = context.evidence.manifests.iter().flat_map(|manifest| &manifest.vantage.test_network);
        let test_networks = options.flat_map(|option| option.split([' ', '='])).filter_map(network).collect();
        Self { context, chains, test_networks }
    }

    /// True for a private address that the run was told to take as public.
    pub fn permits(&self, address: IpAddr) -> bool {
        self.test_networks.iter().any(|network| network.contains(address))
    }

    /// What was asked about a subject: DNS answers, and the policy fetch.
    pub fn answers(&self, subject: &SubjectId) -> (Answers, Option<FetchedPolicy>) {
        let mut answers = Answers::default();
        let mut policy = None;
        for (id, observation) in self.context.evidence.about(subject) {
            answers.add(observation, Some(id.clone()));
            if let Question::Https { .. } = &observation.question {
                let fetched = match &observation.answer {
                    Ok(Answer::Https(answer)) => Ok(answer.clone()),
                    Ok(_) => continue,
                    Err(reason) => Err(reason.clone()),
                };
                // Of two vantage points an answer beats a failure.
                if !matches!((&policy, &fetched), (Some(_), Err(_))) {
                    policy = Some((id.clone(), fetched));
                }
            }
        }
        if policy.is_none()
            && let Some(reason) = self.context.evidence.taken_away(Source::Https, subject.kind)
        {
            policy = Some((EvidenceId::new("https", 0), Err(reason)));
        }
        (answers, policy)
    }

    /// What was seen on port 25 of these hosts.
    pub fn port_25(&self, hosts: &[String]) -> Vec<(&'e EvidenceId, &'e Observation)> {
        let evidence = self.context.evidence;
        let mut found = Vec::new();
        for host in hosts {
            // A host that takes mail for a partner alone is no endpoint of ours.
            for kind in [SubjectKind::Endpoint, SubjectKind::Partner] {
                found.extend(evidence.about(&SubjectId::new(kind, format!("{host}:25"))));
            }
        }
        found
    }

    /// Certificates seen on port 25, by host.
    pub fn chains(&self) -> &Chains {
        &self.chains
    }

    /// Reads a domain.
    pub fn read(&self, domain: &DeclaredDomain, catalogue: &VendorCatalogue) -> ReadDomain {
        let subject = SubjectId::new(SubjectKind::Domain, domain.name.as_str());
        let (answers, policy) = self.answers(&subject);
        let permitted = |address: IpAddr| self.permits(address);
        let mail = self.context.evidence.about(&subject).map(|(_, observation)| observation);
        let given = Given {
            selectors: &domain.selectors,
            seen: &seen_selectors(mail),
            sends: domain.sends,
            catalogue,
            policy: policy.as_ref().map(|(_, fetched)| fetched),
            chains: &self.chains,
            permitted: &permitted,
        };
        let records = records::domain::read(&domain.name, &given, &answers);
        let policy_evidence = policy.into_iter().map(|(id, _)| id).filter(|id| id.segment() != "https").collect();
        let host_evidence = self.port_25(&records.mx.hosts).into_iter().map(|(id, _)| id.clone()).collect();
        ReadDomain { records, answers, policy_evidence, host_evidence }
    }
}

/// A network in CIDR notation, as it stands in the manifest's list of test options.
fn network(text: &str) -> Option<Network> {
    let (address, prefix) = text.split_once('/')?;
    Some(Network { address: address.parse().ok()?, prefix: prefix.parse().ok()? })
}

fn not_known(domain: &DeclaredDomain, declared: &EvidenceId, reason: &NotObserved, reports: Reports) -> Domain {
    Domain {
        name: domain.name.to_string(),
        exists: Fact::unknown(reason.clone()),
        sends: Fact::present(domain.sends, vec![declared.clone()]),
        receives: Fact::present(domain.receives, vec![declared.clone()]),
        mx: Fact::unknown(reason.clone()),
        spf: Fact::unknown(reason.clone()),
        dmarc: Fact::unknown(reason.clone()),
        dkim: Fact::unknown(reason.clone()),
        dkim_key_age: Fact::unknown(reason.clone()),
        mail_reports: reports.mail,
        tls_reports: reports.tls,
        mta_sts: Fact::unknown(reason.clone()),
        mta_sts_delivery: Fact::unknown(reason.clone()),
        tls_rpt: Fact::unknown(reason.clone()),
        dane: Fact::unknown(reason.clone()),
        dnssec: Fact::unknown(reason.clone()),
    }
}

fn known(domain: &DeclaredDomain, declared: &EvidenceId, read: &ReadDomain, reports: Reports) -> Domain {
    let records = &read.records;
    let mut sts_evidence = read.evidence(Part::MtaSts);
    sts_evidence.extend(read.policy_evidence.iter().cloned());
    Domain {
        name: domain.name.to_string(),
        exists: Fact::new(seen(records.exists.clone()), read.evidence(Part::Dnssec)),
        sends: Fact::present(domain.sends, vec![declared.clone()]),
        receives: Fact::present(domain.receives, vec![declared.clone()]),
        mx: Fact::new(mx(records, domain), read.evidence(Part::Mx)),
        spf: Fact::new(spf(records, domain), read.evidence(Part::Spf)),
        dmarc: Fact::new(dmarc(records, domain), read.evidence(Part::Dmarc)),
        dkim: Fact::new(dkim(records, domain), read.evidence(Part::Dkim)),
        // Earlier assessments are no evidence; `history` joins them.
        dkim_key_age: Fact::new(Seen::Absent, read.evidence(Part::Dkim)),
        mail_reports: reports.mail,
        tls_reports: reports.tls,
        mta_sts: Fact::new(mta_sts(records), sts_evidence),
        // Joined with what the services serve, once those are known.
        mta_sts_delivery: Fact::new(Seen::not_provided("what its mail hosts serve"), Vec::new()),
        tls_rpt: Fact::new(tls_rpt(records, domain), read.evidence(Part::TlsRpt)),
        dane: Fact::new(dane(records, domain), read.dane_evidence()),
        dnssec: Fact::new(dnssec(records), read.evidence(Part::Dnssec)),
    }
}

fn seen<T>(result: Result<T, NotObserved>) -> Seen<T> {
    match result {
        Ok(value) => Seen::Present(value),
        Err(reason) => Seen::Unknown(reason),
    }
}

/// The reason a part is not known; a part that failed without one was never asked about.
fn because(reason: Option<&NotObserved>, what: &str, domain: &DeclaredDomain) -> NotObserved {
    let never = || NotObserved::NotProvided { what: format!("the DNS answers about {what} of {}", domain.name) };
    reason.cloned().unwrap_or_else(never)
}

fn count(number: u32) -> i64 {
    i64::from(number)
}

fn mx(records: &DomainRecords, domain: &DeclaredDomain) -> Seen<Mx> {
    let audit = &records.mx;
    match audit.verdict {
        MxVerdict::Error => Seen::Unknown(because(audit.because.as_ref(), "the mail exchangers", domain)),
        MxVerdict::Missing => Seen::Absent,
        MxVerdict::Implicit | MxVerdict::Invalid | MxVerdict::Null | MxVerdict::Ok => Seen::Present(Mx {
            verdict: audit.verdict.as_str().to_owned(),
            hosts: audit.hosts.clone(),
            notes: codes(&audit.notes),
        }),
    }
}

fn spf(records: &DomainRecords, domain: &DeclaredDomain) -> Seen<Spf> {
    let audit = &records.spf;
    match audit.verdict {
        SpfVerdict::Error => Seen::Unknown(because(audit.because.as_ref(), "SPF", domain)),
        SpfVerdict::Missing => Seen::Absent,
        SpfVerdict::PassOpen
        | SpfVerdict::PermError
        | SpfVerdict::Pass
        | SpfVerdict::SoftFail
        | SpfVerdict::Unknown
        | SpfVerdict::Weak => Seen::Present(Spf {
            verdict: audit.verdict.as_str().to_owned(),
            lookups: count(audit.lookups),
            lookups_whole: audit.lookups_whole,
            void_lookups: count(audit.void_lookups),
            notes: codes(&audit.notes),
        }),
    }
}

fn dmarc(records: &DomainRecords, domain: &DeclaredDomain) -> Seen<Dmarc> {
    let audit = &records.dmarc;
    match audit.verdict {
        DmarcVerdict::Error => Seen::Unknown(because(audit.because.as_ref(), "DMARC", domain)),
        DmarcVerdict::Missing => Seen::Absent,
        DmarcVerdict::Invalid => Seen::Malformed(Box::new(Malformed {
            text: audit.record.as_deref().unwrap_or_default().chars().take(512).collect(),
            at: 0,
            rule: "RFC 9989 §4.10.1".to_owned(),
            why: "a policy cannot be read and nobody is named for reports".to_owned(),
        })),
        DmarcVerdict::Applies(_) | DmarcVerdict::RejectTesting => {
            let parsed = audit.parsed.as_ref();
            // A view that is half known would have to guess the other half.
            let older = match &audit.older {
                Ok(older) => *older,
                Err(reason) => return Seen::Unknown(reason.clone()),
            };
            Seen::Present(Dmarc {
                policy: audit.policy.as_str().to_owned(),
                testing: parsed.is_some_and(|record| record.testing),
                subdomain_policy: audit.subdomain_policy.as_str().to_owned(),
                older_policy: older.map_or("none", Policy::as_str).to_owned(),
                weaker_for_older_receivers: older < Some(audit.effective()),
                percent: parsed.map_or(100, |record| record.percent),
                reports: parsed.is_some_and(|record| !record.report_domains.is_empty()),
                found_at: audit.found_at.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string),
                notes: codes(&audit.notes),
            })
        }
    }
}

fn dkim(records: &DomainRecords, domain: &DeclaredDomain) -> Seen<Dkim> {
    let audit = &records.dkim;
    match audit.verdict {
        DkimVerdict::Error => Seen::Unknown(because(audit.because.as_ref(), "DKIM", domain)),
        DkimVerdict::Absent => Seen::Absent,
        DkimVerdict::Unknown => Seen::not_provided(format!("the DKIM selectors of {}", domain.name)),
        DkimVerdict::Broken | DkimVerdict::Ok | DkimVerdict::Revoked | DkimVerdict::Testing | DkimVerdict::Weak => {
            Seen::Present(Dkim {
                verdict: audit.verdict.as_str().to_owned(),
                selectors: audit.selectors.clone(),
                smallest_rsa_bits: audit.smallest_rsa_bits.map_or(0, count),
                learned: audit
                    .learned
                    .iter()
                    .filter(|(selector, _)| audit.selectors.contains(selector))
                    .map(|(selector, from)| {
                        let from: Vec<&str> = from.iter().map(|from| from.as_str()).collect();
                        format!("{selector}: {}", from.join(", "))
                    })
                    .collect(),
                keys: audit
                    .records
                    .iter()
                    .filter_map(|(selector, text)| Some(format!("{selector} {}", records::dkim::fingerprint(text)?)))
                    .collect(),
                key_kinds: audit.records.iter().filter_map(|(selector, text)| key_kind(selector, text)).collect(),
                without_key: audit.without_key.iter().cloned().collect(),
                shared_with: Vec::new(),
                notes: codes(&audit.notes),
            })
        }
    }
}

fn key_kind(selector: &str, text: &str) -> Option<String> {
    match records::dkim::parse(text).ok()?.key {
        Key::Ed25519 => Some(format!("{selector} ed25519")),
        Key::Revoked => None,
        Key::Rsa { bits } => Some(format!("{selector} rsa {bits}")),
    }
}

/// A policy that cannot be had although its record is there is a finding, unless the failure may
/// lie on our side.
fn mta_sts(records: &DomainRecords) -> Seen<MtaSts> {
    let audit = &records.mta_sts;
    match (audit.verdict, &audit.because) {
        (StsVerdict::Missing, _) => Seen::Absent,
        (StsVerdict::Error, Some(reason)) => Seen::Unknown(reason.clone()),
        (StsVerdict::Error, None) if audit.record.is_none() && audit.notes.is_empty() => {
            Seen::not_provided("the DNS answer about MTA-STS")
        }
        (StsVerdict::Error | StsVerdict::Invalid | StsVerdict::Mismatch | StsVerdict::Mode(_), _) => {
            Seen::Present(MtaSts {
                verdict: audit.verdict.as_str().to_owned(),
                mode: audit.policy.as_ref().map_or("none", |policy| policy.mode.as_str()).to_owned(),
                max_age_days: audit
                    .policy
                    .as_ref()
                    .map_or(0, |policy| i64::try_from(policy.max_age_seconds / 86_400).unwrap_or(i64::MAX)),
                notes: codes(&audit.notes),
            })
        }
    }
}

fn tls_rpt(records: &DomainRecords, domain: &DeclaredDomain) -> Seen<String> {
    let audit = &records.tls_rpt;
    match audit.verdict {
        TlsRptVerdict::Error => Seen::Unknown(because(audit.because.as_ref(), "TLS reporting", domain)),
        TlsRptVerdict::Missing => Seen::Absent,
        TlsRptVerdict::Invalid | TlsRptVerdict::Ok => Seen::Present(audit.verdict.as_str().to_owned()),
    }
}

/// Records that do not match are known to be so even where another host could not be asked.
fn dane(records: &DomainRecords, domain: &DeclaredDomain) -> Seen<Dane> {
    let audit = &records.dane;
    let verdict = match audit.verdict {
        DaneVerdict::Absent => return Seen::Absent,
        DaneVerdict::Error if audit.mismatched.is_empty() => {
            return Seen::Unknown(because(audit.because.as_ref(), "DANE", domain));
        }
        DaneVerdict::Error => DaneVerdict::Mismatch,
        verdict @ (DaneVerdict::Match | DaneVerdict::Mismatch | DaneVerdict::Unusable) => verdict,
    };
    Seen::Present(Dane {
        verdict: verdict.as_str().to_owned(),
        records: i64::try_from(audit.records.len()).unwrap_or(i64::MAX),
        mismatched: audit.mismatched.clone(),
        notes: codes(&audit.notes),
    })
}

fn dnssec(records: &DomainRecords) -> Seen<String> {
    match &records.dnssec {
        Err(reason) => Seen::Unknown(reason.clone()),
        Ok(Dnssec::Indeterminate) => Seen::not_provided("a resolver that validates DNSSEC"),
        Ok(state @ (Dnssec::Bogus | Dnssec::Insecure | Dnssec::Secure)) => Seen::Present(state.as_str().to_owned()),
    }
}

mod reported;
use reported::Reports;
pub(super) mod sts_delivery;
#[cfg(test)]
pub(crate) mod tests;
