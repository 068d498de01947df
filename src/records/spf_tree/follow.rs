//! Follows the terms that ask DNS: what they cost, what they find, and the records they lead to.

use super::super::dmarc::organizational;
use super::super::dns_message::{RecordKind, Response};
use super::super::spf::{self, DomainSpec, SpfRecord};
use super::super::tags::short;
use super::super::txt;
use super::{ASKED_LOOKUPS, COUNTED_LOOKUPS, Permits, Ranges, Walk, in_path, not_asked};
use crate::names::DomainName;

impl<'a> Walk<'_, 'a> {
    /// Counts a lookup; false when counting on would only cost time.
    fn count(&mut self) -> bool {
        self.lookups += 1;
        let goes_on = self.lookups < COUNTED_LOOKUPS;
        self.gaps += usize::from(!goes_on);
        goes_on
    }

    fn void(&mut self, path: &[DomainName], what: &str) {
        self.void_lookups += 1;
        self.nothing_at = Some(path.len());
        self.note("spf.void_lookup", format!("{}: `{what}` finds nothing", in_path(path)), "RFC 7208 §4.6.4");
    }

    /// Fills the macros in. A name that depends on the message is noted and gives `None`; so does
    /// one that cannot be a name in DNS, which is `Some(None)`.
    fn expand(&mut self, spec: &DomainSpec, domain: &DomainName, path: &[DomainName]) -> Option<Option<DomainName>> {
        match spec.without_message(domain.as_str(), self.sender.as_str()) {
            Some(name) => Some(name.parse().ok()),
            None => {
                self.depends_on_message = true;
                let detail = format!("{}: `{}` depends on the message", in_path(path), short(&spec.text));
                self.note("spf.macro", detail, "RFC 7208 §7");
                self.void_gaps += 1;
                None
            }
        }
    }

    fn ask(&mut self, name: &DomainName, kind: RecordKind) -> Option<&'a Response> {
        if self.lookups > ASKED_LOOKUPS {
            self.void_gaps += 1;
            return None;
        }
        let reason = match self.reader.ask(name, kind) {
            Ok(Some(response)) => return Some(response),
            Ok(None) => not_asked(name, kind),
            Err(reason) => reason,
        };
        self.void_gaps += 1;
        self.blocked.get_or_insert(reason);
        None
    }

    /// `a` and `mx`; true if there is any address or mail exchanger.
    pub(super) fn addresses(
        &mut self,
        domain: &DomainName,
        spec: Option<&DomainSpec>,
        mx: bool,
        path: &[DomainName],
    ) -> bool {
        if !self.count() {
            return false;
        }
        let target = match spec {
            None => Some(domain.clone()),
            Some(spec) => match self.expand(spec, domain, path) {
                Some(target) => target,
                None => return false,
            },
        };
        let word = if mx { "mx" } else { "a" };
        let shown = spec.map_or_else(|| word.to_owned(), |spec| format!("{word}:{}", short(&spec.text)));
        let Some(target) = target else {
            self.void(path, &shown);
            return false;
        };
        let kinds: &[RecordKind] = if mx { &[RecordKind::Mx] } else { &[RecordKind::A, RecordKind::Aaaa] };
        for &kind in kinds {
            // A term counts as void once, not once for each address family.
            let Some(response) = self.ask(&target, kind) else { return false };
            if response.data.len() > 10 && mx {
                self.permanent_error = true;
                let detail = format!("{}: {target} has {} mail exchangers", in_path(path), response.data.len());
                self.note("spf.too_many_mx", detail, "RFC 7208 §4.6.4");
            }
            if !response.is_empty() {
                return true;
            }
        }
        self.void(path, &shown);
        false
    }

    pub(super) fn exists(&mut self, domain: &DomainName, spec: &DomainSpec, path: &[DomainName]) {
        if !self.count() {
            return;
        }
        let Some(target) = self.expand(spec, domain, path) else { return };
        let found = match target {
            None => false,
            Some(target) => match self.ask(&target, RecordKind::A) {
                Some(response) => !response.is_empty(),
                None => return,
            },
        };
        if !found {
            self.void(path, &format!("exists:{}", short(&spec.text)));
        }
    }

    pub(super) fn include(
        &mut self,
        domain: &DomainName,
        spec: &DomainSpec,
        path: &mut Vec<DomainName>,
        effective: bool,
    ) -> Ranges {
        self.remember(domain, spec);
        let Some((target, record)) = self.target(domain, spec, path, "include") else { return Ranges::default() };
        path.push(target.clone());
        let permits = self.record(&target, &record, path, effective);
        path.pop();
        permits.pass
    }

    pub(super) fn redirect(
        &mut self,
        domain: &DomainName,
        spec: &DomainSpec,
        path: &mut Vec<DomainName>,
        effective: bool,
    ) -> Permits {
        self.remember(domain, spec);
        let Some((target, record)) = self.target(domain, spec, path, "redirect") else {
            return Permits { pass: Ranges::default(), all: None };
        };
        path.push(target.clone());
        let permits = self.record(&target, &record, path, effective);
        path.pop();
        permits
    }

    /// Remembers whom the organization lets send: what stands in records of its own, not whom its
    /// vendors let send in turn.
    fn remember(&mut self, domain: &DomainName, spec: &DomainSpec) {
        if organizational(domain) == organizational(&self.sender) {
            self.targets.push(spec.text.to_ascii_lowercase());
        }
    }

    /// The record another name is included or redirected to. Having none is a permanent error
    /// (RFC 7208 §5.2, §6.1).
    fn target(
        &mut self,
        domain: &DomainName,
        spec: &DomainSpec,
        path: &[DomainName],
        word: &str,
    ) -> Option<(DomainName, SpfRecord)> {
        if !self.count() {
            return None;
        }
        let shown = format!("{word}:{}", short(&spec.text));
        let Some(target) = self.expand(spec, domain, path) else {
            self.gaps += 1;
            return None;
        };
        let rule = if word == "redirect" { "RFC 7208 §6.1" } else { "RFC 7208 §5.2" };
        let no_record = if word == "redirect" { "spf.redirect_no_record" } else { "spf.include_no_record" };
        let Some(target) = target else {
            self.permanent_error = true;
            self.note(no_record, format!("{}: `{shown}` is no name", in_path(path)), rule);
            return None;
        };
        if path.contains(&target) {
            // Receivers run into the lookup limit here.
            self.permanent_error = true;
            self.gaps += 1;
            self.note("spf.loop", format!("{}: `{shown}` leads back", in_path(path)), "RFC 7208 §4.6.4");
            return None;
        }
        let failed_before = self.blocked.is_some();
        let Some(response) = self.ask(&target, RecordKind::Txt) else {
            self.gaps += 1;
            if !failed_before && self.blocked.is_some() {
                self.note("spf.include_error", format!("{}: `{shown}` cannot be looked up", in_path(path)), rule);
            }
            return None;
        };
        let texts = txt::texts(&response.data);
        let records: Vec<&String> = texts.iter().filter(|text| spf::is_spf(text)).collect();
        match records.as_slice() {
            [] => {
                self.permanent_error = true;
                self.nothing_at = Some(path.len());
                if response.is_empty() {
                    self.void(path, &shown);
                }
                if response.exists || word == "redirect" {
                    self.note(no_record, format!("{}: `{shown}` has no SPF record", in_path(path)), rule);
                }
                if !response.exists {
                    let detail = format!("{}: `{shown}` does not exist; whoever registers it may send", in_path(path));
                    self.note("spf.include_nxdomain", detail, rule);
                }
                None
            }
            [text] => match spf::parse(text) {
                Ok(record) => Some((target, record)),
                Err(malformed) => {
                    self.permanent_error = true;
                    self.gaps += 1;
                    let detail = format!("{}: `{shown}`: {}", in_path(path), malformed.why);
                    self.note("spf.include_error", detail, &malformed.rule);
                    None
                }
            },
            several => {
                self.permanent_error = true;
                self.gaps += 1;
                let detail = format!("{}: `{shown}` has {} SPF records", in_path(path), several.len());
                self.note("spf.include_error", detail, "RFC 7208 §4.5");
                None
            }
        }
    }
}
