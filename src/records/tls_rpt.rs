//! Reads the TLS reporting record (RFC 8460 §3).

use super::dns_message::{Reader, RecordKind};
use super::note::Note;
use super::tags::{self, short};
use super::txt;
use crate::names::DomainName;
use crate::seen::NotObserved;

/// The contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsRptVerdict {
    Error,
    Invalid,
    Missing,
    Ok,
}

impl TlsRptVerdict {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Invalid => "invalid",
            Self::Missing => "missing",
            Self::Ok => "ok",
        }
    }
}

/// What was found out about a domain's TLS reporting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsRptAudit {
    pub verdict: TlsRptVerdict,
    pub record: Option<String>,
    /// Where reports go, as written.
    pub report_uris: Vec<String>,
    pub notes: Vec<Note>,
    pub because: Option<NotObserved>,
}

/// Reads a domain's TLS reporting record.
pub fn audit(domain: &DomainName, reader: &mut Reader<'_>) -> TlsRptAudit {
    let mut audit = TlsRptAudit {
        verdict: TlsRptVerdict::Error,
        record: None,
        report_uris: Vec::new(),
        notes: Vec::new(),
        because: None,
    };
    let Ok(name) = domain.child("_smtp._tls") else {
        audit.verdict = TlsRptVerdict::Missing;
        return audit;
    };
    let texts = match reader.ask(&name, RecordKind::Txt) {
        Ok(Some(response)) => txt::texts(&response.data),
        Ok(None) => return audit,
        Err(reason) => {
            audit.because = Some(reason);
            return audit;
        }
    };
    // Records that do not begin with the version are discarded, and then exactly one must be left.
    let records: Vec<String> = texts.into_iter().filter(|text| is_tls_rpt(text)).collect();
    match records.as_slice() {
        [] => {
            audit.notes.push(Note::new("tlsrpt.missing", format!("{name} has no record"), "RFC 8460 §3"));
            audit.verdict = TlsRptVerdict::Missing;
        }
        [text] => {
            audit.verdict = audit.read(&name, text);
            audit.record = Some(text.clone());
        }
        several => {
            let detail = format!("{name} has {} records; senders use none", several.len());
            audit.notes.push(Note::new("tlsrpt.multiple", detail, "RFC 8460 §3"));
            audit.verdict = TlsRptVerdict::Invalid;
        }
    }
    audit
}

fn is_tls_rpt(text: &str) -> bool {
    text.strip_prefix("v=TLSRPTv1").is_some_and(|rest| rest.is_empty() || rest.trim_start().starts_with(';'))
}

impl TlsRptAudit {
    fn read(&mut self, name: &DomainName, text: &str) -> TlsRptVerdict {
        let (tags, faults) = tags::split(text);
        let uris: Vec<&str> = tags
            .iter()
            .find(|tag| tag.name == "rua")
            .map(|tag| tag.value.split(',').map(str::trim).filter(|uri| !uri.is_empty()).collect())
            .unwrap_or_default();
        if uris.is_empty() {
            self.notes.push(Note::new("tlsrpt.no_rua", format!("{name}: nowhere to report to"), "RFC 8460 §3"));
            return TlsRptVerdict::Invalid;
        }
        for uri in &uris {
            if is_report_uri(uri) {
                self.report_uris.push((*uri).to_owned());
            } else {
                let detail = format!("{name}: `{}` is neither mailto: nor https:", short(uri));
                self.notes.push(Note::new("tlsrpt.bad_uri", detail, "RFC 8460 §3"));
            }
        }
        if self.report_uris.is_empty() || !faults.is_empty() { TlsRptVerdict::Invalid } else { TlsRptVerdict::Ok }
    }
}

fn is_report_uri(uri: &str) -> bool {
    if txt::starts_with_ignoring_case(uri, "mailto:") {
        return super::dmarc::mail_address_domain(&uri[7..]).is_some();
    }
    txt::starts_with_ignoring_case(uri, "https://")
        && uri[8..].split(['/', '?', '#', ':']).next().is_some_and(|host| host.parse::<DomainName>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::super::dns_message::tests::{answers, name};
    use super::*;

    fn judge(lines: &[&str]) -> &'static str {
        let answers = answers(lines);
        audit(&name("c.example"), &mut Reader::new(&answers)).verdict.as_str()
    }

    #[test]
    fn one_record_with_an_address_is_needed() {
        for (text, verdict) in [
            ("v=TLSRPTv1; rua=mailto:tls@c.example", "ok"),
            ("v=TLSRPTv1;rua=https://r.example/v1,mailto:tls@c.example;", "ok"),
            ("v=TLSRPTv1; rua=", "invalid"),
            ("v=TLSRPTv1", "invalid"),
            ("v=TLSRPTv1; rua=ftp://c.example", "invalid"),
            ("v=TLSRPTv10; rua=mailto:tls@c.example", "missing"),
            ("hello", "missing"),
            ("!nx", "missing"),
            ("!fail", "error"),
        ] {
            assert_eq!(judge(&[&format!("_smtp._tls.c.example TXT {text}")]), verdict, "{text}");
        }
        let line = "_smtp._tls.c.example TXT v=TLSRPTv1; rua=mailto:tls@c.example";
        assert_eq!(judge(&[line, "_smtp._tls.c.example TXT v=TLSRPTv1; rua=mailto:b@c.example"]), "invalid");
    }
}
