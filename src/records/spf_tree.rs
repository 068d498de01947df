//! What an SPF record permits together with all it includes, without a message at hand.
//!
//! Pure: it walks the answers there are and says which questions it still has. It takes every
//! term as reached, which is the worst case a receiver can meet, and works out exactly which IPv4
//! addresses pass, so that `+all` behind an include or four /2 ranges are seen for what they are.

use super::dns_message::{Reader, RecordKind};
use super::note::Note;
use super::spf::{self, Mechanism, Qualifier, SpfRecord};
use super::tags::short;
use super::txt;
use crate::names::DomainName;
use crate::seen::NotObserved;

mod follow;
mod ranges;
use ranges::{Permitted, Ranges};

/// Terms that make queries; more is an error (RFC 7208 §4.6.4).
pub const MAX_LOOKUPS: u32 = 10;
/// Queries without an answer; more is an error in strict receivers (RFC 7208 §4.6.4).
pub const MAX_VOID_LOOKUPS: u32 = 2;
/// Where asking on ends: the record is an error by then, and a hostile tree must cost little.
const ASKED_LOOKUPS: u32 = 15;
/// Where counting on ends.
const COUNTED_LOOKUPS: u32 = 25;
/// All records of one tree together; more is never read.
const TREE_BYTES: usize = 128 * 1024;
/// Lines of the tree that are kept for showing.
const TREE_LINES: usize = 200;
/// A record longer than this risks answers that do not fit 512 bytes (RFC 7208 §3.4).
const LARGE_RECORD_BYTES: usize = 450;
/// A range this wide or wider cannot be one organization's mail servers.
const WIDE_PREFIX: u8 = 8;

/// The contract's words, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpfVerdict {
    Error,
    Missing,
    PassOpen,
    PermError,
    Pass,
    SoftFail,
    Unknown,
    Weak,
}

impl SpfVerdict {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Missing => "missing",
            Self::PassOpen => "pass-open",
            Self::PermError => "permerror",
            Self::Pass => "pass",
            Self::SoftFail => "softfail",
            Self::Unknown => "unknown",
            Self::Weak => "weak",
        }
    }
}

/// What was found out about a domain's SPF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpfAudit {
    pub verdict: SpfVerdict,
    /// The domain's own record, if there is exactly one.
    pub record: Option<String>,
    pub lookups: u32,
    pub void_lookups: u32,
    /// False where a part of the tree was not walked: a failed query, a name that depends on the
    /// message, an error that ends the walk. The true count of lookups may be higher then.
    pub lookups_whole: bool,
    /// The same of the lookups that find nothing.
    pub void_lookups_whole: bool,
    /// Names and patterns that the organization's own records include or redirect to, as written.
    pub targets: Vec<String>,
    /// True for a record that lets nobody send: `-all` and nothing that passes.
    pub nobody_sends: bool,
    /// Byte offsets of the terms of the domain's own record that ask DNS and find nothing.
    pub leading_nowhere: Vec<usize>,
    /// The tree as a receiver walks it, cut after some lines.
    pub tree: Vec<TreeLine>,
    /// Lines that were cut.
    pub terms_not_shown: usize,
    pub notes: Vec<Note>,
    /// With [`SpfVerdict::Error`]: the query that failed.
    pub because: Option<NotObserved>,
}

/// One line of the tree: a term that asks DNS, `all`, or a number of address ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeLine {
    /// 0 for terms of the domain's own record.
    pub depth: usize,
    /// As written, made visible and cut.
    pub term: String,
    /// Lookups that it and everything below it cost.
    pub lookups: u32,
    /// False where a part below it was not walked.
    pub whole: bool,
    pub finds_nothing: bool,
}

/// Reads the tree that starts at `domain`.
pub fn audit(domain: &DomainName, reader: &mut Reader<'_>) -> SpfAudit {
    let mut walk = Walk {
        reader,
        sender: domain.clone(),
        lookups: 0,
        void_lookups: 0,
        bytes: 0,
        permanent_error: false,
        depends_on_message: false,
        wide: false,
        everything: false,
        gaps: 0,
        void_gaps: 0,
        blocked: None,
        targets: Vec::new(),
        notes: Vec::new(),
        heaviest: None,
        nothing_at: None,
        leading_nowhere: Vec::new(),
        tree: Vec::new(),
        terms_not_shown: 0,
    };
    let mut audit = SpfAudit {
        verdict: SpfVerdict::Error,
        record: None,
        lookups: 0,
        void_lookups: 0,
        lookups_whole: false,
        void_lookups_whole: false,
        targets: Vec::new(),
        nobody_sends: false,
        leading_nowhere: Vec::new(),
        tree: Vec::new(),
        terms_not_shown: 0,
        notes: Vec::new(),
        because: None,
    };
    let texts = match walk.reader.ask(domain, RecordKind::Txt) {
        Ok(Some(response)) => txt::texts(&response.data),
        Ok(None) => {
            audit.because = Some(not_asked(domain, RecordKind::Txt));
            return audit;
        }
        Err(reason) => {
            audit.because = Some(reason);
            return audit;
        }
    };
    walk.note_strays(domain, &texts);
    let records: Vec<&String> = texts.iter().filter(|text| spf::is_spf(text)).collect();
    match records.as_slice() {
        [] => {
            walk.note("spf.missing", format!("{domain} has no SPF record"), "RFC 7208 §4.5");
            audit.verdict = SpfVerdict::Missing;
        }
        [text] => {
            audit.record = Some((*text).clone());
            walk.own_record(domain, text, &mut audit);
        }
        several => {
            walk.gaps += 1;
            walk.note("spf.multiple", format!("{domain} has {} SPF records", several.len()), "RFC 7208 §4.5");
            audit.verdict = SpfVerdict::PermError;
        }
    }
    audit.lookups = walk.lookups;
    audit.void_lookups = walk.void_lookups;
    audit.lookups_whole = walk.gaps == 0;
    audit.void_lookups_whole = walk.gaps == 0 && walk.void_gaps == 0;
    audit.terms_not_shown = walk.terms_not_shown;
    audit.targets = walk.targets;
    audit.targets.sort();
    audit.targets.dedup();
    audit.leading_nowhere = walk.leading_nowhere;
    audit.tree = walk.tree;
    audit.notes = walk.notes;
    if audit.verdict == SpfVerdict::Error {
        audit.because = walk.blocked;
    }
    audit
}

fn not_asked(name: &DomainName, kind: RecordKind) -> NotObserved {
    NotObserved::NotProvided { what: format!("the DNS answer for {name} {}", kind.as_str()) }
}

struct Walk<'r, 'a> {
    reader: &'r mut Reader<'a>,
    sender: DomainName,
    lookups: u32,
    void_lookups: u32,
    bytes: usize,
    permanent_error: bool,
    depends_on_message: bool,
    wide: bool,
    /// `+all` or a range of everything is in force.
    everything: bool,
    /// Places of the tree that were not walked on from.
    gaps: usize,
    /// Terms that may or may not find something.
    void_gaps: usize,
    blocked: Option<NotObserved>,
    targets: Vec<String>,
    notes: Vec<Note>,
    /// The term of the domain's own record that costs most lookups.
    heaviest: Option<(u32, String)>,
    /// How deep the term stood that last found nothing.
    nothing_at: Option<usize>,
    leading_nowhere: Vec<usize>,
    tree: Vec<TreeLine>,
    terms_not_shown: usize,
}

/// What one record permits.
struct Permits {
    /// IPv4 addresses that pass.
    pass: Ranges,
    /// The qualifier of `all`, or of the record redirected to.
    all: Option<Qualifier>,
}

impl Walk<'_, '_> {
    fn note(&mut self, code: &str, detail: impl AsRef<str>, rule: &str) {
        let note = Note::new(code, detail, rule);
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// TXT records beside SPF that deserve a note.
    fn note_strays(&mut self, domain: &DomainName, texts: &[String]) {
        for text in texts {
            if spf::is_lookalike(text) {
                self.note("spf.lookalike", format!("{domain}: `{}` is no SPF record", short(text)), "RFC 7208 §4.5");
            }
            if txt::starts_with_ignoring_case(text, "spf2.0/") {
                self.note("spf.senderid", format!("{domain} has a Sender ID record"), "RFC 6654");
            }
        }
    }

    fn own_record(&mut self, domain: &DomainName, text: &str, audit: &mut SpfAudit) {
        if text.len() > LARGE_RECORD_BYTES {
            self.note("spf.large", format!("{domain}: the record is {} bytes long", text.len()), "RFC 7208 §3.4");
        }
        let record = match spf::parse(text) {
            Ok(record) => record,
            Err(malformed) => {
                self.gaps += 1;
                let detail = format!("{domain}: byte {}: {}", malformed.at, malformed.why);
                self.note("spf.syntax", detail, &malformed.rule);
                audit.verdict = SpfVerdict::PermError;
                return;
            }
        };
        let permits = self.record(domain, &record, &mut vec![domain.clone()], true);
        if self.lookups > MAX_LOOKUPS {
            let heaviest = self.heaviest.take().map(|(count, term)| format!("; `{term}` alone costs {count}"));
            let more = if self.gaps > 0 { "at least " } else { "" };
            let detail =
                format!("{domain}: {more}{} lookups, 10 are allowed{}", self.lookups, heaviest.unwrap_or_default());
            self.note("spf.too_many_lookups", detail, "RFC 7208 §4.6.4");
            self.permanent_error = true;
        }
        if self.void_lookups > MAX_VOID_LOOKUPS {
            let more = if self.gaps + self.void_gaps > 0 { "at least " } else { "" };
            let detail = format!("{domain}: {more}{} lookups find nothing, 2 are allowed", self.void_lookups);
            self.note("spf.too_many_void", detail, "RFC 7208 §4.6.4");
            self.permanent_error = true;
        }
        let open = self.everything || permits.pass.size() >= 1 << 31;
        if open && !self.notes.iter().any(|note| note.code == "spf.plus_all") {
            let detail = format!("{domain}: the ranges together cover {} IPv4 addresses", permits.pass.size());
            self.note("spf.too_wide", detail, "RFC 7208 §5.6");
        }
        match permits.all {
            Some(Qualifier::Neutral) => self.note("spf.neutral_all", format!("{domain} ends in ?all"), "RFC 7208 §8.2"),
            Some(Qualifier::SoftFail) => self.note("spf.soft_all", format!("{domain} ends in ~all"), "RFC 7208 §8.5"),
            Some(Qualifier::Fail | Qualifier::Pass) => {}
            None if self.blocked.is_none() && !self.permanent_error => {
                self.note("spf.no_all", format!("{domain} ends without `all`"), "RFC 7208 §4.7");
            }
            None => {}
        }
        audit.nobody_sends = permits.all == Some(Qualifier::Fail)
            && record.directives.iter().all(|directive| directive.qualifier == Qualifier::Fail);
        // "First that holds", except that a failed query cannot undo what is decided without it.
        audit.verdict = if self.permanent_error {
            SpfVerdict::PermError
        } else if open {
            SpfVerdict::PassOpen
        } else if self.blocked.is_some() {
            SpfVerdict::Error
        } else if self.wide || matches!(permits.all, None | Some(Qualifier::Neutral)) {
            SpfVerdict::Weak
        } else if self.depends_on_message {
            SpfVerdict::Unknown
        } else if permits.all == Some(Qualifier::SoftFail) {
            SpfVerdict::SoftFail
        } else {
            SpfVerdict::Pass
        };
    }

    /// Walks one record. `effective`: a pass here is a pass for the domain.
    fn record(
        &mut self,
        domain: &DomainName,
        record: &SpfRecord,
        path: &mut Vec<DomainName>,
        effective: bool,
    ) -> Permits {
        let mut permitted = Permitted::new();
        let mut all = None;
        self.bytes += record.directives.iter().map(|directive| directive.text.len()).sum::<usize>();
        if self.bytes > TREE_BYTES {
            let what = format!("{TREE_BYTES} bytes of SPF records");
            self.blocked.get_or_insert(NotObserved::Limit { what });
            self.gaps += 1;
            return Permits { pass: Ranges::default(), all: None };
        }
        for (index, directive) in record.directives.iter().enumerate() {
            let (before, gaps_before) = (self.lookups, self.gaps);
            self.nothing_at = None;
            let line = self.draw(path.len() - 1, directive);
            let passes = effective && directive.qualifier == Qualifier::Pass;
            let matched = match &directive.mechanism {
                Mechanism::All => {
                    all = Some(directive.qualifier);
                    if index + 1 < record.directives.len() {
                        let detail = format!("{domain}: terms after `{}` are never reached", directive.text);
                        self.note("spf.after_all", detail, "RFC 7208 §5.1");
                    }
                    if passes {
                        self.everything = true;
                        let detail = format!("{}: `{}` lets every host send", in_path(path), directive.text);
                        self.note("spf.plus_all", detail, "RFC 7208 §5.1");
                    }
                    Ranges::all()
                }
                Mechanism::Ip4 { network, prefix } => {
                    if passes && *prefix <= WIDE_PREFIX {
                        self.too_wide(path, &directive.text);
                    }
                    Ranges::network(u32::from(*network), *prefix)
                }
                Mechanism::Ip6 { prefix, .. } => {
                    if passes && *prefix <= WIDE_PREFIX {
                        self.too_wide(path, &directive.text);
                        self.everything |= *prefix <= 1;
                    }
                    Ranges::default()
                }
                Mechanism::A { domain: spec, prefix4, .. } | Mechanism::Mx { domain: spec, prefix4, .. } => {
                    let is_mx = matches!(directive.mechanism, Mechanism::Mx { .. });
                    let found = self.addresses(domain, spec.as_ref(), is_mx, path);
                    if passes && found && *prefix4 <= WIDE_PREFIX {
                        self.too_wide(path, &directive.text);
                        self.everything |= *prefix4 <= 1;
                    }
                    Ranges::default()
                }
                Mechanism::Exists(spec) => {
                    self.exists(domain, spec, path);
                    Ranges::default()
                }
                Mechanism::Include(spec) => self.include(domain, spec, path, passes),
                Mechanism::Ptr(_) => {
                    self.lookups += 1;
                    self.note("spf.ptr", format!("{}: `ptr` is used", in_path(path)), "RFC 7208 §5.5");
                    Ranges::default()
                }
            };
            let finds_nothing = self.nothing_at == Some(path.len());
            if let Some(line) = line.and_then(|line| self.tree.get_mut(line)) {
                line.lookups = self.lookups - before;
                line.whole = self.gaps == gaps_before;
                line.finds_nothing = finds_nothing;
            }
            if path.len() == 1 {
                self.weigh(self.lookups - before, &directive.text);
                if finds_nothing {
                    self.leading_nowhere.push(directive.at);
                }
            }
            permitted.take(directive.qualifier, matched);
            if all.is_some() {
                break;
            }
        }
        match (&record.redirect, all) {
            (Some(spec), Some(_)) => {
                let detail = format!("{domain}: redirect={} is never used beside `all`", short(&spec.text));
                self.note("spf.redirect_ignored", detail, "RFC 7208 §6.1");
            }
            (Some(spec), None) => {
                let (before, gaps_before) = (self.lookups, self.gaps);
                let line = self.line(path.len() - 1, format!("redirect={}", short(&spec.text)));
                let target = self.redirect(domain, spec, path, effective);
                if let Some(line) = line.and_then(|line| self.tree.get_mut(line)) {
                    line.lookups = self.lookups - before;
                    line.whole = self.gaps == gaps_before;
                }
                if path.len() == 1 {
                    self.weigh(self.lookups - before, &format!("redirect={}", spec.text));
                }
                permitted.take(Qualifier::Pass, target.pass);
                all = target.all;
            }
            (None, _) => {}
        }
        Permits { pass: permitted.finish(), all }
    }

    /// A line for a term; address ranges side by side share one. Gives its place.
    fn draw(&mut self, depth: usize, directive: &spf::Directive) -> Option<usize> {
        match &directive.mechanism {
            Mechanism::Ip4 { .. } | Mechanism::Ip6 { .. } => {
                const RANGES: &str = " address ranges";
                let passes = directive.qualifier == Qualifier::Pass;
                match self.tree.last_mut().filter(|line| passes && line.depth == depth && line.term.ends_with(RANGES)) {
                    Some(line) => {
                        let count = line.term.split(' ').next().and_then(|count| count.parse::<usize>().ok());
                        line.term = format!("{}{RANGES}", count.unwrap_or(1) + 1);
                        None
                    }
                    None if passes => self.line(depth, format!("1{RANGES}")),
                    None => self.line(depth, directive.text.clone()),
                }
            }
            Mechanism::A { .. }
            | Mechanism::All
            | Mechanism::Exists(_)
            | Mechanism::Include(_)
            | Mechanism::Mx { .. }
            | Mechanism::Ptr(_) => self.line(depth, directive.text.clone()),
        }
    }

    fn line(&mut self, depth: usize, term: String) -> Option<usize> {
        if self.tree.len() == TREE_LINES {
            self.terms_not_shown += 1;
            return None;
        }
        self.tree.push(TreeLine { depth, term, lookups: 0, whole: true, finds_nothing: false });
        Some(self.tree.len() - 1)
    }

    fn weigh(&mut self, cost: u32, term: &str) {
        if cost > self.heaviest.as_ref().map_or(0, |(most, _)| *most) {
            self.heaviest = Some((cost, short(term)));
        }
    }

    fn too_wide(&mut self, path: &[DomainName], term: &str) {
        self.wide = true;
        self.note("spf.too_wide", format!("{}: `{term}` is wider than any one sender", in_path(path)), "RFC 7208 §5.6");
    }
}

/// The way from the domain to the record in hand.
fn in_path(path: &[DomainName]) -> String {
    path.iter().map(DomainName::as_str).collect::<Vec<_>>().join(" > ")
}

#[cfg(test)]
mod tests;
