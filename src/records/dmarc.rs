//! Reads DMARC records and finds the one that applies to a domain, as RFC 9989 defines it, and
//! notes where receivers that still follow RFC 7489 see something else.

use super::dns_message::{Rdata, Reader, RecordKind};
use super::note::Note;
use super::tags::{self, Tag, TagFault, short};
use super::txt;
use crate::names::DomainName;
use crate::seen::NotObserved;

/// Queries of one tree walk (RFC 9989 §4.10).
const MAX_WALK: usize = 8;
/// Report addresses of other organizations that are looked into.
const MAX_EXTERNAL: usize = 4;

/// What receivers are asked to do with mail that fails, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    None,
    Quarantine,
    Reject,
}

impl Policy {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// One step milder, as `t=y` and `pct` ask.
    const fn milder(self) -> Self {
        match self {
            Self::None | Self::Quarantine => Self::None,
            Self::Reject => Self::Quarantine,
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject]
            .into_iter()
            .find(|policy| policy.as_str().eq_ignore_ascii_case(word))
    }
}

/// A policy tag: left out, readable, or not readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyTag {
    Bad,
    Given(Policy),
    LeftOut,
}

impl PolicyTag {
    fn read(tags: &[Tag<'_>], name: &str) -> Self {
        match tags::value(tags, name) {
            None => Self::LeftOut,
            Some(value) => Policy::from_word(value).map_or(Self::Bad, Self::Given),
        }
    }

    fn given(self) -> Option<Policy> {
        match self {
            Self::Given(policy) => Some(policy),
            Self::Bad | Self::LeftOut => None,
        }
    }
}

/// One record, read leniently as RFC 9989 §4.7 asks: what cannot be read is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DmarcRecord {
    pub p: PolicyTag,
    pub sp: PolicyTag,
    pub np: PolicyTag,
    /// `t=y`.
    pub testing: bool,
    /// `psd=y` or `psd=n`; `None` for `u` and left out.
    pub psd: Option<bool>,
    /// `pct` of RFC 7489, which RFC 9989 removed.
    pub percent: i64,
    /// Domains of the `mailto:` addresses in `rua`.
    pub report_domains: Vec<DomainName>,
    /// `rua` addresses that cannot be read.
    pub bad_uris: Vec<String>,
    /// Tags no standard knows.
    pub unknown_tags: Vec<String>,
    /// Pieces that are no tags, and values that receivers cannot read.
    pub faults: Vec<TagFault>,
}

/// True for text whose first tag is `v=DMARC1`, in exactly that case (RFC 9989 §4.8).
pub fn is_dmarc(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('v').or_else(|| text.strip_prefix('V')) else { return false };
    let Some(rest) = rest.trim_start_matches([' ', '\t']).strip_prefix('=') else { return false };
    let Some(rest) = rest.trim_start_matches([' ', '\t']).strip_prefix("DMARC1") else { return false };
    let rest = rest.trim_start_matches([' ', '\t']);
    rest.is_empty() || rest.starts_with(';')
}

/// Reads a record for which [`is_dmarc`] holds.
pub fn parse(text: &str) -> DmarcRecord {
    const KNOWN: [&str; 14] =
        ["v", "p", "sp", "np", "t", "psd", "pct", "rf", "ri", "rua", "ruf", "adkim", "aspf", "fo"];
    let (tags, mut faults) = tags::split(text);
    faults.extend(tags.iter().filter_map(|tag| {
        let words = words_of(tag.name).filter(|_| !has_a_word(tag))?;
        Some(TagFault { at: tag.at, why: format!("`{}={}` is not read; {words}", tag.name, short(tag.value)) })
    }));
    let mut report_domains = Vec::new();
    let mut bad_uris = Vec::new();
    for uri in tags::value(&tags, "rua").unwrap_or_default().split(',').map(str::trim).filter(|uri| !uri.is_empty()) {
        let address = txt::starts_with_ignoring_case(uri, "mailto:").then(|| &uri[7..]);
        match address.and_then(mail_address_domain) {
            Some(domain) => report_domains.push(domain),
            None => bad_uris.push(short(uri)),
        }
    }
    report_domains.sort();
    report_domains.dedup();
    let says = |name: &str, word: &str| tags::value(&tags, name).is_some_and(|value| value.eq_ignore_ascii_case(word));
    DmarcRecord {
        p: PolicyTag::read(&tags, "p"),
        sp: PolicyTag::read(&tags, "sp"),
        np: PolicyTag::read(&tags, "np"),
        testing: says("t", "y"),
        psd: match (says("psd", "y"), says("psd", "n")) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            (false, false) => None,
        },
        percent: tags::value(&tags, "pct").and_then(percent).unwrap_or(100),
        report_domains,
        bad_uris,
        unknown_tags: tags
            .iter()
            .filter(|tag| !KNOWN.iter().any(|known| tag.name.eq_ignore_ascii_case(known)))
            .map(|tag| short(tag.name))
            .collect(),
        faults,
    }
}

/// What a tag may hold (RFC 9989 §4.7 and §4.8, RFC 7489 §6.3 for `pct`), where a receiver that cannot
/// read it takes the default instead. Policies are not among them: without one a record may be none.
fn words_of(name: &str) -> Option<&'static str> {
    const WORDS: [(&str, &str); 6] = [
        ("adkim", "it holds r or s"),
        ("aspf", "it holds r or s"),
        ("fo", "it holds 0, 1, d or s, with colons between"),
        ("pct", "it holds a number from 0 to 100"),
        ("psd", "it holds y, n or u"),
        ("t", "it holds y or n"),
    ];
    WORDS.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, words)| words)
}

/// Whether a receiver can read the value of a tag of [`words_of`].
pub fn has_a_word(tag: &Tag<'_>) -> bool {
    let value = tag.value.to_ascii_lowercase();
    match tag.name.to_ascii_lowercase().as_str() {
        "adkim" | "aspf" => ["r", "s"].contains(&value.as_str()),
        "fo" => value.split(':').all(|word| ["0", "1", "d", "s"].contains(&word.trim())),
        "pct" => percent(&value).is_some(),
        "psd" => ["y", "n", "u"].contains(&value.as_str()),
        "t" => ["y", "n"].contains(&value.as_str()),
        _ => true,
    }
}

fn percent(value: &str) -> Option<i64> {
    value.parse().ok().filter(|percent| (0..=100).contains(percent))
}

/// The domain of a `mailto:` address, without a size limit (`!10m`) or header fields.
pub fn mail_address_domain(address: &str) -> Option<DomainName> {
    let address = address.split(['!', '?']).next()?;
    let (local, domain) = address.rsplit_once('@')?;
    let plain = !local.is_empty() && local.chars().all(|c| c.is_ascii_graphic());
    domain.parse().ok().filter(|domain: &DomainName| plain && domain.as_str().contains('.'))
}

impl DmarcRecord {
    /// RFC 9989 §4.10.1: a record with an unreadable policy and no address to report to is none.
    fn usable(&self) -> bool {
        let bad = [self.p, self.sp, self.np].contains(&PolicyTag::Bad);
        !bad || !self.report_domains.is_empty()
    }

    /// The policy for the domain the record is published for.
    fn own_policy(&self) -> Policy {
        if [self.p, self.sp, self.np].contains(&PolicyTag::Bad) {
            return Policy::None;
        }
        self.p.given().unwrap_or(Policy::None)
    }

    /// The policy for subdomains that exist.
    fn subdomain_policy(&self) -> Policy {
        self.sp.given().unwrap_or_else(|| self.own_policy())
    }

    /// The policy for subdomains that do not exist.
    fn missing_subdomain_policy(&self) -> Policy {
        self.np.given().unwrap_or_else(|| self.subdomain_policy())
    }
}

/// The contract's words, without the policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DmarcVerdict {
    Applies(Policy),
    Error,
    Invalid,
    Missing,
    /// `p=reject` with `t=y`.
    RejectTesting,
}

impl DmarcVerdict {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applies(policy) => policy.as_str(),
            Self::Error => "error",
            Self::Invalid => "invalid",
            Self::Missing => "missing",
            Self::RejectTesting => "reject-testing",
        }
    }
}

/// What was found out about a domain's DMARC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DmarcAudit {
    pub verdict: DmarcVerdict,
    /// The record that applies.
    pub record: Option<String>,
    pub parsed: Option<DmarcRecord>,
    /// The domain whose record applies.
    pub found_at: Option<DomainName>,
    pub policy: Policy,
    pub subdomain_policy: Policy,
    /// What receivers that follow RFC 7489 do with all mail that fails; `Ok(None)` where no record
    /// applies for them.
    pub older: Result<Option<Policy>, NotObserved>,
    /// The names asked in order (RFC 9989 §4.10), each with what lies there.
    pub walked: Vec<(DomainName, &'static str)>,
    pub notes: Vec<Note>,
    pub because: Option<NotObserved>,
}

/// What lies at one name.
enum At {
    Failed(NotObserved),
    None,
    One(String),
    Several(usize),
}

/// Finds and reads the record that applies. `exists`: whether the domain exists in DNS.
pub fn audit(domain: &DomainName, exists: bool, reader: &mut Reader<'_>) -> DmarcAudit {
    let mut audit = DmarcAudit {
        verdict: DmarcVerdict::Error,
        record: None,
        parsed: None,
        found_at: None,
        policy: Policy::None,
        subdomain_policy: Policy::None,
        older: Ok(None),
        walked: Vec::new(),
        notes: Vec::new(),
        because: None,
    };
    match audit.look_at(domain, reader) {
        At::Failed(reason) => audit.because = Some(reason),
        At::One(text) => audit.apply(domain, domain, exists, text, reader),
        At::None => audit.walk(domain, exists, reader),
        At::Several(count) => {
            let detail = format!("_dmarc.{domain} has {count} records; all are discarded");
            audit.note("dmarc.multiple", detail, "RFC 9989 §4.10");
            audit.walk(domain, exists, reader);
        }
    }
    audit.older = older_view(domain, reader);
    if audit.verdict == DmarcVerdict::Missing {
        if !audit.notes.iter().any(|note| note.code == "dmarc.multiple") {
            audit.note("dmarc.missing", format!("no DMARC record applies to {domain}"), "RFC 9989 §4.10.1");
        }
        if let Ok(Some(response)) = reader.ask(domain, RecordKind::Txt)
            && txt::texts(&response.data).iter().any(|text| is_dmarc(text))
        {
            let detail = format!("the record stands at {domain} and belongs to _dmarc.{domain}");
            audit.note("dmarc.wrong_place", detail, "RFC 9989 §4.7");
        }
    }
    audit
}

/// The policy by RFC 7489 §6.6.3: the domain's own record, else that of the registered domain by the
/// public suffix list. Several records at one name end the search, `np` and `t` mean nothing, and
/// `pct` leaves the rest of the mail to a milder treatment (§6.6.4).
fn older_view(domain: &DomainName, reader: &mut Reader<'_>) -> Result<Option<Policy>, NotObserved> {
    let records_at = |at: &DomainName, reader: &mut Reader<'_>| -> Result<Vec<String>, NotObserved> {
        let Ok(name) = at.child("_dmarc") else { return Ok(Vec::new()) };
        match reader.ask(&name, RecordKind::Txt)? {
            Some(response) => Ok(txt::texts(&response.data).into_iter().filter(|text| is_dmarc(text)).collect()),
            None => Err(not_asked(&name)),
        }
    };
    let mut own = true;
    let mut records = records_at(domain, reader)?;
    if records.is_empty()
        && organizational(domain) != domain.as_str()
        && let Ok(home) = organizational(domain).parse()
    {
        own = false;
        records = records_at(&home, reader)?;
    }
    let [text] = records.as_slice() else { return Ok(None) };
    let record = parse(text);
    let readable = record.p.given().is_some() && record.sp != PolicyTag::Bad;
    let policy = match record.p.given() {
        Some(p) if readable => {
            if own {
                p
            } else {
                record.sp.given().unwrap_or(p)
            }
        }
        // Without a readable policy the record counts only for its reports.
        Some(_) | None if !record.report_domains.is_empty() => Policy::None,
        Some(_) | None => return Ok(None),
    };
    Ok(Some(if record.percent < 100 { policy.milder() } else { policy }))
}

fn not_asked(name: &DomainName) -> NotObserved {
    NotObserved::NotProvided { what: format!("the DNS answer for {name} TXT") }
}

impl DmarcAudit {
    /// What receivers that follow RFC 9989 do with mail that fails.
    pub fn effective(&self) -> Policy {
        let testing = self.parsed.as_ref().is_some_and(|record| record.testing);
        if testing { self.policy.milder() } else { self.policy }
    }

    fn note(&mut self, code: &str, detail: String, rule: &str) {
        self.notes.push(Note::new(code, detail, rule));
    }

    fn look_at(&mut self, domain: &DomainName, reader: &mut Reader<'_>) -> At {
        let Ok(name) = domain.child("_dmarc") else { return At::None };
        let texts = match reader.ask(&name, RecordKind::Txt) {
            Ok(Some(response)) => txt::texts(&response.data),
            Ok(None) => return At::Failed(not_asked(&name)),
            Err(reason) => {
                self.walked.push((name, "no answer"));
                return At::Failed(reason);
            }
        };
        for text in &texts {
            if !is_dmarc(text) && txt::starts_with_ignoring_case(text.trim_start(), "v=dmarc") {
                let detail = format!("{name}: `{}` is no DMARC record", short(text));
                self.note("dmarc.syntax", detail, "RFC 9989 §4.8");
            }
        }
        let mut records = texts.into_iter().filter(|text| is_dmarc(text));
        let (found, at) = match (records.next(), records.count()) {
            (None, _) => ("no record", At::None),
            (Some(text), 0) => ("a record", At::One(text)),
            (Some(_), more) => ("several records, all discarded", At::Several(more + 1)),
        };
        self.walked.push((name, found));
        at
    }

    /// Looks further up (RFC 9989 §4.10): the record of the organizational domain applies, else
    /// that of a public suffix with `psd=y`.
    fn walk(&mut self, domain: &DomainName, exists: bool, reader: &mut Reader<'_>) {
        let mut found: Option<(DomainName, String)> = None;
        let mut name = domain.clone();
        for _ in 1..MAX_WALK {
            let Some(next) = next_up(&name) else { break };
            name = next;
            match self.look_at(&name, reader) {
                At::Failed(reason) => {
                    self.because = Some(reason);
                    return;
                }
                At::None | At::Several(_) => {}
                At::One(text) => match parse(&text).psd {
                    // The organizational domain is the one below; it has no record of its own,
                    // unless a record was found on the way.
                    Some(true) => {
                        found = found.or(Some((name, text)));
                        break;
                    }
                    Some(false) => {
                        found = Some((name, text));
                        break;
                    }
                    None => found = Some((name.clone(), text)),
                },
            }
        }
        match found {
            Some((at, text)) => self.apply(domain, &at, exists, text, reader),
            None => self.verdict = DmarcVerdict::Missing,
        }
    }

    fn apply(&mut self, domain: &DomainName, at: &DomainName, exists: bool, text: String, reader: &mut Reader<'_>) {
        let record = parse(&text);
        self.found_at = Some(at.clone());
        let own = at == domain;
        self.policy = if own {
            record.own_policy()
        } else if exists {
            record.subdomain_policy()
        } else {
            record.missing_subdomain_policy()
        };
        self.subdomain_policy = record.subdomain_policy();
        self.note_record(at, &record);
        self.note_report_addresses(at, &record, reader);
        self.verdict = if !record.usable() {
            DmarcVerdict::Invalid
        } else if record.testing && self.policy == Policy::Reject {
            DmarcVerdict::RejectTesting
        } else {
            DmarcVerdict::Applies(self.policy)
        };
        self.record = Some(text);
        self.parsed = Some(record);
    }

    fn note_record(&mut self, at: &DomainName, record: &DmarcRecord) {
        for fault in record.faults.clone() {
            self.note("dmarc.syntax", format!("_dmarc.{at}: byte {}: {}", fault.at, fault.why), "RFC 9989 §4.8");
        }
        for tag in &record.unknown_tags {
            self.note("dmarc.unknown_tag", format!("_dmarc.{at}: `{tag}` is ignored"), "RFC 9989 §4.7");
        }
        for (name, tag) in [("p", record.p), ("sp", record.sp), ("np", record.np)] {
            if tag == PolicyTag::Bad {
                let detail = format!("_dmarc.{at}: `{name}` is none of none, quarantine, reject");
                self.note("dmarc.bad_p", detail, "RFC 9989 §4.10.1");
            }
        }
        if record.p == PolicyTag::LeftOut {
            let detail = format!("_dmarc.{at}: without `p` the policy is none; RFC 7489 receivers discard the record");
            self.note("dmarc.no_p", detail, "RFC 9989 §4.7");
        }
        if self.policy == Policy::None {
            self.note("dmarc.p_none", format!("_dmarc.{at}: the policy that applies is none"), "RFC 9989 §4.7");
        }
        let own = record.own_policy();
        if record.sp.given().is_some_and(|sp| sp < own) {
            self.note("dmarc.sp_weaker", format!("_dmarc.{at}: `sp` is milder than `p`"), "RFC 9989 §4.7");
        }
        if record.np.given().is_some_and(|np| np < record.subdomain_policy()) {
            let detail = format!("_dmarc.{at}: `np` is milder than the policy of names that exist");
            self.note("dmarc.np_weaker", detail, "RFC 9989 §4.7");
        }
        if record.percent < 100 {
            let detail = format!("_dmarc.{at}: pct={}; RFC 9989 receivers ignore it", record.percent);
            self.note("dmarc.pct", detail, "RFC 7489 §6.3");
        }
        if record.testing {
            self.note("dmarc.testing", format!("_dmarc.{at}: t=y asks for a milder treatment"), "RFC 9989 §4.7");
        }
        // Only operators of public suffixes may use it.
        if record.psd == Some(true) && psl::suffix_str(at.as_str()) != Some(at.as_str()) {
            self.note("dmarc.psd_misuse", format!("_dmarc.{at}: psd=y on a name that is no suffix"), "RFC 9989 §4.7");
        }
        for uri in &record.bad_uris {
            self.note("dmarc.bad_uri", format!("_dmarc.{at}: `{uri}` is no mailto: address"), "RFC 9989 §4.7");
        }
        if record.report_domains.is_empty() {
            self.note("dmarc.no_rua", format!("_dmarc.{at}: nobody receives reports"), "RFC 9989 §4.7");
        }
    }

    /// Reports to another organization need its consent in DNS (RFC 9990 §4).
    fn note_report_addresses(&mut self, at: &DomainName, record: &DmarcRecord, reader: &mut Reader<'_>) {
        let home = organizational(at);
        for target in record.report_domains.iter().take(MAX_EXTERNAL) {
            if organizational(target) == home {
                continue;
            }
            if let Ok(name) = target.child(&format!("{at}._report._dmarc"))
                && let Ok(Some(response)) = reader.ask(&name, RecordKind::Txt)
                && !txt::texts(&response.data).iter().any(|text| is_dmarc(text))
            {
                let detail = format!("{target} does not say that it takes reports about {at}");
                self.note("dmarc.ext_unauthorised", detail, "RFC 9990 §4");
            }
            if let Ok(Some(response)) = reader.ask(target, RecordKind::Mx) {
                let null = response
                    .data
                    .iter()
                    .all(|record| matches!(record, Rdata::Mx { exchange, .. } if exchange.is_empty()));
                if !response.exists || (null && !response.is_empty()) {
                    let detail = format!("{target} receives no mail, so no reports");
                    self.note("dmarc.rua_undeliverable", detail, "RFC 9990 §4");
                }
            }
        }
    }
}

/// The next name of the walk: one label off, or down to seven labels (RFC 9989 §4.10).
fn next_up(name: &DomainName) -> Option<DomainName> {
    let labels = name.as_str().split('.').count();
    if labels < 9 {
        return name.parent();
    }
    let text: Vec<&str> = name.as_str().rsplitn(8, '.').take(7).collect();
    text.into_iter().rev().collect::<Vec<_>>().join(".").parse().ok()
}

/// The registered domain by the public suffix list, the older way to tell organizations apart.
pub fn organizational(domain: &DomainName) -> &str {
    psl::domain_str(domain.as_str()).unwrap_or(domain.as_str())
}

#[cfg(test)]
mod tests;
