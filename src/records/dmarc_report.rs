//! Reads DMARC aggregate reports (RFC 7489 Appendix C, RFC 9990): who sent mail in a domain's name,
//! how much, and what authenticated it.
//!
//! Pure: it is given the XML. Recipients, senders' addresses and remarks in free text are left where
//! they stand; nothing of them comes out.

use std::collections::BTreeSet;
use std::net::IpAddr;

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::names::DomainName;

/// Rows of one report; the rest is counted.
const ROWS: usize = 100_000;
/// Elements in elements; the schema has six.
const DEPTH: usize = 32;
/// One value; what is longer is cut.
const VALUE_BYTES: usize = 512;
/// Signatures, and SPF results, of one row.
const RESULTS: usize = 32;

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AggregateReport {
    /// The receiver that wrote it, as it names itself, cut.
    pub organization: String,
    pub id: String,
    /// The days it speaks of, in seconds since 1970 (UTC).
    pub begin: i64,
    pub end: i64,
    /// The domain whose policy was applied.
    pub domain: DomainName,
    pub rows: Vec<ReportRow>,
    /// Rows without a source, a count or a result, and rows beyond the bound.
    pub rows_not_read: usize,
}

/// Messages from one address that were treated alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    pub source: IpAddr,
    pub messages: u64,
    /// What was done with them.
    pub disposition: Disposition,
    /// DKIM passed for the domain of the From field (RFC 9989 §4.4.1).
    pub dkim_aligned: bool,
    /// SPF passed for it.
    pub spf_aligned: bool,
    pub header_from: Option<DomainName>,
    pub dkim: Vec<Signed>,
    pub spf: Vec<Permitted>,
}

impl ReportRow {
    /// Whether DMARC passed.
    pub fn aligned(&self) -> bool {
        self.dkim_aligned || self.spf_aligned
    }

    /// Whether anything passed, if only for another domain.
    pub fn authenticated(&self) -> bool {
        self.aligned() || self.dkim.iter().any(|signed| signed.passed) || self.spf.iter().any(|spf| spf.passed)
    }
}

/// What a receiver did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disposition {
    Delivered,
    Quarantined,
    Rejected,
    /// Left out, or a word no standard knows.
    Unknown,
}

/// One signature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signed {
    pub domain: DomainName,
    /// Left out by some receivers.
    pub selector: Option<DomainName>,
    pub passed: bool,
}

/// One SPF result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permitted {
    pub domain: DomainName,
    pub passed: bool,
}

/// Why a report cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    #[error("it is not readable as XML")]
    Broken,
    #[error("it declares a document type, which no report does")]
    DocumentType,
    #[error("elements are nested deeper than {DEPTH}")]
    Nested,
    #[error("it is no DMARC aggregate report")]
    OtherDocument,
    #[error("it ends before its last element")]
    Cut,
    #[error("it has no {0}")]
    Without(&'static str),
}

/// Reads one report.
pub fn read(text: &str) -> Result<AggregateReport, ReportError> {
    let mut xml = Reader::from_str(text);
    xml.config_mut().expand_empty_elements = true;
    let mut open: Vec<String> = Vec::new();
    let mut value = String::new();
    let mut draft = Draft::default();
    let mut ended = false;
    loop {
        match xml.read_event().map_err(|_| ReportError::Broken)? {
            Event::Start(start) => {
                let name = local(start.name().as_ref());
                match open.len() {
                    0 if name != "feedback" || ended => return Err(ReportError::OtherDocument),
                    DEPTH.. => return Err(ReportError::Nested),
                    _ => {}
                }
                open.push(name);
                value.clear();
            }
            Event::End(_) => {
                let path: Vec<&str> = open.iter().map(String::as_str).collect();
                draft.take(&path, value.trim());
                open.pop();
                ended = open.is_empty();
                value.clear();
            }
            Event::Text(text) => add(&mut value, &text),
            Event::CData(text) => add(&mut value, &text),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => add(&mut value, character.encode_utf8(&mut [0; 4])),
                Ok(None) | Err(_) => {
                    add(&mut value, quick_xml::escape::resolve_xml_entity(&reference).unwrap_or("\u{fffd}"));
                }
            },
            Event::Eof => break,
            Event::DocType(_) => return Err(ReportError::DocumentType),
            Event::Comment(_) | Event::Decl(_) | Event::Empty(_) | Event::PI(_) => {}
        }
    }
    if !ended {
        return Err(if open.is_empty() { ReportError::OtherDocument } else { ReportError::Cut });
    }
    draft.finish()
}

/// An element's name without its prefix, in lower case.
fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or_default().chars().take(64).collect::<String>().to_ascii_lowercase()
}

fn add(value: &mut String, text: &str) {
    let room = VALUE_BYTES.saturating_sub(value.len());
    let mut end = room.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    value.push_str(&text[..end]);
}

/// What has been read so far.
#[derive(Default)]
struct Draft {
    organization: String,
    id: String,
    begin: Option<i64>,
    end: Option<i64>,
    domain: Option<DomainName>,
    rows: Vec<ReportRow>,
    rows_not_read: usize,
    row: RowDraft,
    result: ResultDraft,
}

#[derive(Default)]
struct RowDraft {
    source: Option<IpAddr>,
    messages: Option<u64>,
    disposition: Option<Disposition>,
    dkim_aligned: Option<bool>,
    spf_aligned: Option<bool>,
    header_from: Option<DomainName>,
    dkim: BTreeSet<Signed>,
    spf: BTreeSet<Permitted>,
}

#[derive(Default)]
struct ResultDraft {
    domain: Option<DomainName>,
    selector: Option<DomainName>,
    passed: bool,
}

impl Draft {
    /// An element has ended, and `value` is its text.
    fn take(&mut self, path: &[&str], value: &str) {
        let seconds = || value.parse::<i64>().ok().filter(|seconds| *seconds >= 0);
        let passed = value.eq_ignore_ascii_case("pass");
        let row = &mut self.row;
        match path {
            ["feedback", "report_metadata", "org_name"] => self.organization = shown(value),
            ["feedback", "report_metadata", "report_id"] => self.id = shown(value),
            ["feedback", "report_metadata", "date_range", "begin"] => self.begin = seconds(),
            ["feedback", "report_metadata", "date_range", "end"] => self.end = seconds(),
            ["feedback", "policy_published", "domain"] => self.domain = value.parse().ok(),
            ["feedback", "record", "row", "source_ip"] => row.source = value.parse().ok(),
            ["feedback", "record", "row", "count"] => row.messages = value.parse().ok(),
            ["feedback", "record", "row", "policy_evaluated", "disposition"] => {
                row.disposition = Some(Disposition::from_word(value));
            }
            ["feedback", "record", "row", "policy_evaluated", "dkim"] => row.dkim_aligned = Some(passed),
            ["feedback", "record", "row", "policy_evaluated", "spf"] => row.spf_aligned = Some(passed),
            ["feedback", "record", "identifiers", "header_from"] => row.header_from = value.parse().ok(),
            ["feedback", "record", "auth_results", "dkim" | "spf", "domain"] => {
                self.result.domain = value.parse().ok();
            }
            ["feedback", "record", "auth_results", "dkim", "selector"] => self.result.selector = value.parse().ok(),
            ["feedback", "record", "auth_results", "dkim" | "spf", "result"] => self.result.passed = passed,
            ["feedback", "record", "auth_results", "dkim"] => {
                let ResultDraft { domain, selector, passed } = std::mem::take(&mut self.result);
                if let Some(domain) = domain.filter(|_| row.dkim.len() < RESULTS) {
                    row.dkim.insert(Signed { domain, selector, passed });
                }
            }
            ["feedback", "record", "auth_results", "spf"] => {
                let ResultDraft { domain, passed, .. } = std::mem::take(&mut self.result);
                if let Some(domain) = domain.filter(|_| row.spf.len() < RESULTS) {
                    row.spf.insert(Permitted { domain, passed });
                }
            }
            ["feedback", "record"] => {
                let row = std::mem::take(row);
                match row.finish() {
                    Some(row) if self.rows.len() < ROWS => self.rows.push(row),
                    Some(_) | None => self.rows_not_read += 1,
                }
            }
            _ => {}
        }
    }

    fn finish(self) -> Result<AggregateReport, ReportError> {
        let (begin, end) = match (self.begin, self.end) {
            (Some(begin), Some(end)) if begin <= end => (begin, end),
            _ => return Err(ReportError::Without("range of dates")),
        };
        Ok(AggregateReport {
            organization: self.organization,
            id: self.id,
            begin,
            end,
            domain: self.domain.ok_or(ReportError::Without("domain"))?,
            rows: self.rows,
            rows_not_read: self.rows_not_read,
        })
    }
}

impl RowDraft {
    fn finish(self) -> Option<ReportRow> {
        // A receiver that does not say whether DMARC passed leaves it open.
        self.dkim_aligned.or(self.spf_aligned)?;
        Some(ReportRow {
            source: self.source?,
            messages: self.messages?,
            disposition: self.disposition.unwrap_or(Disposition::Unknown),
            dkim_aligned: self.dkim_aligned.unwrap_or(false),
            spf_aligned: self.spf_aligned.unwrap_or(false),
            header_from: self.header_from,
            dkim: self.dkim.into_iter().collect(),
            spf: self.spf.into_iter().collect(),
        })
    }
}

impl Disposition {
    fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            // RFC 9990 adds `pass`: the policy was not applied because DMARC passed.
            "none" | "pass" => Self::Delivered,
            "quarantine" => Self::Quarantined,
            "reject" => Self::Rejected,
            _ => Self::Unknown,
        }
    }
}

/// Foreign text, short and visible.
fn shown(value: &str) -> String {
    crate::text::visible_cow(value).chars().take(80).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An invented report of one row for each `source count dkim spf selector`.
    pub(crate) fn report(domain: &str, rows: &[&str]) -> String {
        let rows: String = rows
            .iter()
            .map(|row| {
                let words: Vec<&str> = row.split(' ').collect();
                let [source, count, dkim, spf, selector] = words[..] else { panic!("{row}") };
                format!(
                    "<record><row><source_ip>{source}</source_ip><count>{count}</count><policy_evaluated>\
                     <disposition>none</disposition><dkim>{dkim}</dkim><spf>{spf}</spf></policy_evaluated></row>\
                     <identifiers><envelope_to>r.example</envelope_to><header_from>{domain}</header_from></identifiers>\
                     <auth_results><dkim><domain>{domain}</domain><selector>{selector}</selector><result>{dkim}</result>\
                     </dkim><spf><domain>bounces.v.example</domain><result>pass</result></spf></auth_results></record>"
                )
            })
            .collect();
        format!(
            "<?xml version=\"1.0\"?>\n<feedback><version>1.0</version><report_metadata><org_name>Receiver &amp; Sons\
             </org_name><email>x@r.example</email><report_id>1</report_id><date_range><begin>1790812800</begin>\
             <end>1790899199</end></date_range></report_metadata><policy_published><domain>{domain}</domain>\
             <p>none</p></policy_published>{rows}</feedback>"
        )
    }

    #[test]
    fn rows_say_who_sent_how_much_and_what_vouched_for_it() {
        let report = read(&report("c.example", &["192.0.2.1 3 pass fail s1", "2001:db8::1 7 fail fail s2"])).unwrap();
        assert_eq!((report.organization.as_str(), report.domain.as_str()), ("Receiver & Sons", "c.example"));
        assert_eq!(report.rows.iter().map(|row| row.messages).collect::<Vec<_>>(), [3, 7]);
        let [signed, other] = &report.rows[..] else { panic!() };
        assert!(signed.aligned() && !other.aligned() && other.authenticated(), "SPF passed for the bounce domain");
        assert_eq!(signed.dkim[0].selector.as_ref().unwrap().as_str(), "s1");
    }

    #[test]
    fn a_namespace_changes_nothing() {
        let text = report("c.example", &["192.0.2.1 3 pass fail s1"])
            .replace("<feedback>", "<d:feedback xmlns:d=\"urn:ietf:params:xml:ns:dmarc-2.0\">")
            .replace("</feedback>", "</d:feedback>");
        assert_eq!(read(&text).unwrap().rows.len(), 1);
    }

    #[test]
    fn a_row_that_cannot_be_read_is_counted_and_spoils_no_other() {
        let rows = ["192.0.2.999 3 pass fail s1", "192.0.2.1 many pass fail s1", "192.0.2.1 2 pass fail s1"];
        let report = read(&report("c.example", &rows)).unwrap();
        assert_eq!((report.rows.len(), report.rows_not_read), (1, 2));
        let verdict = "<dkim>pass</dkim><spf>fail</spf></policy_evaluated>";
        let silent = self::report("c.example", &["192.0.2.1 3 pass fail s1"]).replace(verdict, "</policy_evaluated>");
        let silent = read(&silent).unwrap();
        assert_eq!((silent.rows.len(), silent.rows_not_read), (0, 1), "it does not say whether DMARC passed");
    }

    #[test]
    fn what_is_no_whole_report_is_refused() {
        let good = report("c.example", &["192.0.2.1 3 pass fail s1"]);
        let entity = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]>";
        for (text, why) in [
            (format!("{entity}{good}"), ReportError::DocumentType),
            (good[..good.len() - 20].to_owned(), ReportError::Cut),
            (String::new(), ReportError::OtherDocument),
            ("<html></html>".to_owned(), ReportError::OtherDocument),
            ("<feedback/>".to_owned(), ReportError::Without("range of dates")),
            (good.replace("c.example", "not a name"), ReportError::Without("domain")),
            (format!("<feedback>{}", "<a>".repeat(100)), ReportError::Nested),
        ] {
            assert_eq!(read(&text), Err(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text: String, cut in 0..2_000_usize) {
            let _ = read(&text);
            let good = report("c.example", &["192.0.2.1 3 pass fail s1"]);
            let mut broken: String = good.chars().take(cut).collect();
            broken.push_str(&text);
            let _ = read(&broken);
        }
    }
}
