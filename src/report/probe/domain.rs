//! `probe DOMAIN`: the verdict words, what was seen, and the records themselves.
//!
//! The JSON keys are contract; the Rust names behind them may change.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use serde::Serialize;

use crate::catalogues::vendors::VendorCatalogue;
use crate::evidence::declared::DeclaredDomain;
use crate::evidence::network::HttpsAnswer;
use crate::evidence::{Answer, Observation, Question};
use crate::records::dane::Chains;
use crate::records::dkim::{self, DkimVerdict};
use crate::records::dns_message::{Answers, Dnssec};
use crate::records::domain::{self, DomainRecords, Given, SeenSelectors};
use crate::records::note::Note;
use crate::report::json::v1::DkimKey;
use crate::seen::NotObserved;
use crate::text::visible;

mod explain;
mod reported;
use explain::{Asked, ClientService, Explained, Information, Publish, client_services, publish};
use reported::{Reported, ReportedTls};

/// One probed domain.
#[derive(Clone, Debug, Serialize)]
pub struct DomainProbe {
    pub schema: u32,
    pub kind: &'static str,
    pub domain: String,
    pub verdicts: Verdicts,
    pub notes: Vec<Note>,
    pub records: Records,
    pub vendors: Vec<SeenVendor>,
    /// DKIM selectors with a key, and those that were named or seen to sign and have none.
    pub selectors: Vec<Selector>,
    /// What DMARC aggregate reports say was sent in the domain's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_mail: Option<Reported>,
    /// What TLS reports say of sessions with its mail hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_tls: Option<ReportedTls>,
    /// How receivers come to their verdict.
    pub explained: Explained,
    /// Records to publish instead.
    pub publish: Vec<Publish>,
    /// Where mail programs are sent.
    pub client_services: Vec<ClientService>,
    /// Published beside mail, and never judged.
    pub information: Option<Information>,
    /// Each question with its answer's server, transport, flags and time to live, where wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Vec<Asked>>,
    /// Questions put to DNS and to the policy host.
    pub queries: usize,
    pub elapsed_ms: u64,
}

/// One word for each part; `dmarc_from` is a name.
#[derive(Clone, Debug, Serialize)]
pub struct Verdicts {
    pub resolve: &'static str,
    pub mx: &'static str,
    pub spf: &'static str,
    pub dkim: &'static str,
    pub dmarc: &'static str,
    pub dmarc_from: Option<String>,
    pub mta_sts: &'static str,
    pub tls_rpt: &'static str,
    pub dane: &'static str,
    pub dnssec: &'static str,
    pub sending: &'static str,
}

/// The records as published, with unsafe characters written out.
#[derive(Clone, Debug, Serialize)]
pub struct Records {
    pub mx: Vec<String>,
    pub spf: Option<String>,
    pub dkim: BTreeMap<String, String>,
    pub dmarc: Option<String>,
    pub mta_sts: Option<String>,
    pub mta_sts_policy: Option<String>,
    pub tls_rpt: Option<String>,
    pub tlsa: Vec<String>,
}

/// A DKIM selector.
#[derive(Clone, Debug, Serialize)]
pub struct Selector {
    pub selector: String,
    /// Of `common`, `declared`, `export`, `reports`, `signatures`, `vendor`.
    pub learned_from: Vec<&'static str>,
    /// Whether a record stands there.
    pub found: bool,
    /// No answer came: whether a record stands there is not known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unanswered: bool,
    /// SHA-256 of the key, whatever stands around it; `null` where there is none or it was revoked.
    pub key_sha256: Option<String>,
    /// The day an earlier assessment first saw this key here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<String>,
}

/// A vendor that DNS shows. It says nothing about agreements.
#[derive(Clone, Debug, Serialize)]
pub struct SeenVendor {
    pub id: String,
    pub name: String,
    pub seen_in: Vec<&'static str>,
    /// Whether where it was seen means that mail content passes it.
    pub carries_mail: bool,
}

impl DomainProbe {
    /// Reads what was asked about one domain; `answers` are the observations, read. `permitted` says which private addresses the run
    /// took as public; `chains` holds certificates seen on port 25, where there are any.
    pub fn new(
        declared: &DeclaredDomain,
        seen: &SeenSelectors,
        observations: &[Observation],
        answers: &Answers,
        catalogue: &VendorCatalogue,
        permitted: &dyn Fn(IpAddr) -> bool,
        chains: &Chains,
    ) -> Self {
        let mut policy: Option<Result<HttpsAnswer, NotObserved>> = None;
        for observation in observations {
            if let Question::Https { .. } = &observation.question {
                policy = match &observation.answer {
                    Ok(Answer::Https(answer)) => Some(Ok(answer.clone())),
                    Ok(_) => None,
                    Err(reason) => Some(Err(reason.clone())),
                };
            }
        }
        let given = Given {
            selectors: &declared.selectors,
            seen,
            sends: declared.sends,
            catalogue,
            policy: policy.as_ref(),
            chains,
            permitted,
        };
        let records = domain::read(&declared.name, &given, answers);
        Self {
            schema: 1,
            kind: "domain",
            domain: declared.name.to_string(),
            verdicts: Verdicts::of(&records),
            notes: records.notes(),
            vendors: vendors(&records, catalogue),
            selectors: selectors(&records),
            reported_mail: None,
            reported_tls: None,
            explained: Explained::of(&records),
            publish: publish(&declared.name, &records, declared.sends),
            client_services: client_services(&records),
            information: records.discovery.as_ref().map(Information::of),
            evidence: None,
            records: Records::of(&records),
            queries: observations.len(),
            elapsed_ms: 0,
        }
    }

    /// The same with what DMARC aggregate reports and TLS reports say, where there are any.
    pub fn with_mail(mut self, observations: &[Observation], catalogue: &VendorCatalogue) -> Self {
        self.reported_mail = reported::of(observations, catalogue);
        self.reported_tls = reported::tls_of(observations);
        self
    }

    /// The same with the days on which an earlier assessment first saw the keys that are published now.
    pub fn with_known_keys(mut self, keys: &[DkimKey]) -> Self {
        for selector in &mut self.selectors {
            let same = |key: &&DkimKey| {
                key.domain == self.domain
                    && key.selector == selector.selector
                    && Some(&key.sha256) == selector.key_sha256.as_ref()
            };
            selector.first_seen = keys.iter().find(same).map(|key| crate::clock::date_of(key.first_seen).to_string());
        }
        self
    }

    /// The same with each question and what came back.
    pub fn with_evidence(mut self, observations: &[Observation]) -> Self {
        self.evidence = Some(explain::asked(observations));
        self
    }

    /// Plain text for a terminal of 80 columns, without colour. Only what is to be pasted may be wider.
    pub fn render(&self) -> String {
        let verdicts = &self.verdicts;
        let from = verdicts.dmarc_from.as_deref().filter(|from| *from != self.domain);
        let rows = [
            ("resolves", verdicts.resolve.to_owned()),
            ("mail hosts (MX)", join_words(verdicts.mx, &self.records.mx.join(", "))),
            ("SPF", verdicts.spf.to_owned()),
            ("DKIM", join_words(verdicts.dkim, &self.records.dkim.keys().cloned().collect::<Vec<_>>().join(", "))),
            ("DMARC", join_words(verdicts.dmarc, &from.map(|from| format!("from {from}")).unwrap_or_default())),
            ("MTA-STS", verdicts.mta_sts.to_owned()),
            ("TLS reports", verdicts.tls_rpt.to_owned()),
            ("DANE", verdicts.dane.to_owned()),
            ("DNSSEC", verdicts.dnssec.to_owned()),
            ("sends mail", verdicts.sending.to_owned()),
        ];
        let mut out = format!("{}\n\n", self.domain);
        for (name, value) in rows {
            wrap(&mut out, &format!("  {name:<16}  "), &value, 20);
        }
        if !self.notes.is_empty() {
            out.push_str("\nSeen\n");
            for note in &self.notes {
                wrap(&mut out, &format!("  {:<24}  ", note.code), &format!("{} ({})", note.detail, note.rule), 28);
            }
        }
        if !self.vendors.is_empty() {
            out.push_str("\nVendors (confirm a signed agreement with each that handles mail)\n");
            for vendor in &self.vendors {
                let passes = if vendor.carries_mail { "mail passes it" } else { "mail not seen to pass it" };
                let text = format!("{}: {}; {passes}", vendor.name, vendor.seen_in.join(", "));
                wrap(&mut out, "  ", &text, 4);
            }
        }
        let tells_more = |selector: &Selector| {
            selector.learned_from != ["declared"] || !selector.found || selector.first_seen.is_some()
        };
        if self.selectors.iter().any(tells_more) {
            out.push_str("\nDKIM selectors\n");
            for selector in &self.selectors {
                let found = match (selector.found, selector.unanswered) {
                    (true, _) => "",
                    (false, true) => "; whether a key is there is not known",
                    (false, false) => "; no key there",
                };
                let since = selector.first_seen.as_ref().map(|day| format!("; this key seen since {day}"));
                let since = since.unwrap_or_default();
                let text = format!("{}: {}{found}{since}", selector.selector, selector.learned_from.join(", "));
                wrap(&mut out, "  ", &text, 4);
            }
        }
        if let Some(reported) = &self.reported_mail {
            reported.render(&mut out);
        }
        if let Some(reported) = &self.reported_tls {
            reported.render(&mut out);
        }
        explain::render(self, &mut out);
        let _ = write!(out, "\n{} questions, {:.1} s\n", self.queries, self.elapsed_ms as f64 / 1000.0);
        out
    }
}

impl Verdicts {
    fn of(records: &DomainRecords) -> Self {
        Self {
            resolve: records.resolve.as_str(),
            mx: records.mx.verdict.as_str(),
            spf: records.spf.verdict.as_str(),
            // A failed query is one of the ways in which selectors stay undetermined.
            dkim: match records.dkim.verdict {
                DkimVerdict::Error => DkimVerdict::Unknown.as_str(),
                verdict @ (DkimVerdict::Absent
                | DkimVerdict::Broken
                | DkimVerdict::Ok
                | DkimVerdict::Revoked
                | DkimVerdict::Testing
                | DkimVerdict::Unknown
                | DkimVerdict::Weak) => verdict.as_str(),
            },
            dmarc: records.dmarc.verdict.as_str(),
            dmarc_from: records.dmarc.found_at.as_ref().map(ToString::to_string),
            mta_sts: records.mta_sts.verdict.as_str(),
            tls_rpt: records.tls_rpt.verdict.as_str(),
            dane: records.dane.verdict.as_str(),
            dnssec: records.dnssec.as_ref().map_or(Dnssec::Indeterminate, |state| *state).as_str(),
            sending: records.sending.as_str(),
        }
    }
}

impl Records {
    fn of(records: &DomainRecords) -> Self {
        let shown = |text: &Option<String>| text.as_deref().map(visible);
        let mut dkim: BTreeMap<String, String> = BTreeMap::new();
        for (selector, text) in &records.dkim.records {
            let entry = dkim.entry(selector.clone()).or_default();
            if !entry.is_empty() {
                entry.push_str(" | ");
            }
            entry.push_str(&visible(text));
        }
        Self {
            mx: records.mx.records.iter().map(|record| visible(record)).collect(),
            spf: shown(&records.spf.record),
            dkim,
            dmarc: shown(&records.dmarc.record),
            mta_sts: shown(&records.mta_sts.record),
            // Line ends are part of a policy and harmless in JSON.
            mta_sts_policy: records
                .mta_sts
                .policy_text
                .as_deref()
                .map(|text| text.lines().map(visible).collect::<Vec<_>>().join("\n")),
            tls_rpt: shown(&records.tls_rpt.record),
            tlsa: records.dane.records.clone(),
        }
    }
}

fn vendors(records: &DomainRecords, catalogue: &VendorCatalogue) -> Vec<SeenVendor> {
    records
        .vendors
        .iter()
        .filter_map(|(id, places)| {
            let row = catalogue.vendor(id)?;
            Some(SeenVendor {
                id: id.clone(),
                name: row.name.clone(),
                seen_in: places.iter().map(|place| place.as_str()).collect(),
                carries_mail: places.iter().any(|place| place.carries_mail(row.kind)),
            })
        })
        .collect()
}

fn selectors(records: &DomainRecords) -> Vec<Selector> {
    let all = records.dkim.learned.iter();
    all.map(|(selector, from)| Selector {
        selector: visible(selector),
        learned_from: from.iter().map(|from| from.as_str()).collect(),
        found: records.dkim.selectors.contains(selector),
        unanswered: records.dkim.unanswered.contains(selector),
        key_sha256: {
            let mut texts = records.dkim.records.iter().filter(|(name, _)| name == selector);
            texts.find_map(|(_, text)| dkim::fingerprint(text))
        },
        first_seen: None,
    })
    .collect()
}

fn join_words(word: &str, more: &str) -> String {
    if more.is_empty() { word.to_owned() } else { format!("{word}: {more}") }
}

/// Columns of a terminal that everybody has.
const COLUMNS: usize = 80;

/// Writes `text` behind `head`, broken at spaces; further lines are indented. A word longer than
/// a line is cut over several.
fn wrap(out: &mut String, head: &str, text: &str, indent: usize) {
    let mut column = head.chars().count();
    out.push_str(head);
    let text = visible(text);
    for (index, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if index > 0 && column + 1 + length > COLUMNS {
            let _ = write!(out, "\n{:indent$}", "");
            column = indent;
        } else if index > 0 {
            out.push(' ');
            column += 1;
        }
        for character in word.chars() {
            if column == COLUMNS {
                let _ = write!(out, "\n{:indent$}", "");
                column = indent;
            }
            out.push(character);
            column += 1;
        }
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe() -> DomainProbe {
        let declared =
            DeclaredDomain { name: "c.example".parse().unwrap(), sends: true, receives: true, selectors: Vec::new() };
        DomainProbe::new(
            &declared,
            &SeenSelectors::new(),
            &[],
            &Answers::default(),
            &VendorCatalogue::shipped(),
            &|_| false,
            &Chains::new(),
        )
    }

    #[test]
    fn a_domain_nobody_answered_about_is_an_error_and_never_missing() {
        let json = serde_json::to_value(probe()).unwrap();
        for key in ["mx", "spf", "dmarc", "mta_sts", "tls_rpt"] {
            assert_eq!(json["verdicts"][key], "error", "{key}");
        }
        assert_eq!(json["verdicts"]["dkim"], "unknown");
        assert_eq!(json["verdicts"]["dnssec"], "indeterminate");
        for key in ["schema", "kind", "domain", "verdicts", "notes", "records", "vendors", "queries", "elapsed_ms"] {
            assert!(json.get(key).is_some(), "{key}");
        }
    }

    #[test]
    fn markup_and_control_characters_in_records_reach_no_terminal() {
        let declared =
            DeclaredDomain { name: "c.example".parse().unwrap(), sends: true, receives: true, selectors: Vec::new() };
        let hostile = "\u{1b}]0;x\u{7}<script>alert(1)</script>\u{202e}\u{0}";
        let texts = [
            ("c.example TXT", format!("v=spf1 include:{hostile}.example a:{hostile} -all")),
            ("_dmarc.c.example TXT", format!("v=DMARC1; p={hostile}; rua=mailto:{hostile}@c.example; ruf={hostile}")),
            ("_smtp._tls.c.example TXT", format!("v=TLSRPTv1; rua={hostile}")),
            ("_mta-sts.c.example TXT", format!("v=STSv1; id={hostile}")),
            ("default._bimi.c.example TXT", format!("v=BIMI1; l={hostile}")),
        ];
        let mut lines: Vec<String> = texts.iter().map(|(name, text)| format!("{name} {text}")).collect();
        lines.extend(["c.example SOA x".to_owned(), format!("c.example MX 10 {hostile}")]);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let answers = crate::records::dns_message::tests::answers(&lines);
        let catalogue = VendorCatalogue::shipped();
        let probe =
            DomainProbe::new(&declared, &SeenSelectors::new(), &[], &answers, &catalogue, &|_| false, &Chains::new());
        let (text, json) = (probe.render(), serde_json::to_string(&probe).unwrap());
        assert!(text.contains("script"), "it is shown, and harmless: {text}");
        for shown in [&text, &json] {
            let unsafe_one = shown.chars().find(|c| crate::text::is_unsafe(*c) && *c != '\n');
            assert_eq!(unsafe_one, None, "{shown}");
        }
    }

    #[test]
    fn a_key_that_an_earlier_assessment_saw_is_told_with_its_day() {
        let declared =
            DeclaredDomain { name: "c.example".parse().unwrap(), sends: true, receives: true, selectors: Vec::new() };
        let key = format!("s1._domainkey.c.example TXT {}", dkim::tests::rsa_record(2048));
        let lines = ["c.example SOA x", "_domainkey.c.example TXT !none", &key];
        let answers = crate::records::dns_message::tests::answers(&lines);
        let catalogue = VendorCatalogue::shipped();
        let seen = SeenSelectors::from([("s1".to_owned(), [dkim::Learned::Signatures].into())]);
        let probe = DomainProbe::new(&declared, &seen, &[], &answers, &catalogue, &|_| false, &Chains::new());
        let known = |sha256: &str| DkimKey {
            domain: "c.example".to_owned(),
            selector: "s1".to_owned(),
            sha256: sha256.to_owned(),
            first_seen: "2026-01-05T12:00:00Z".parse().unwrap(),
            published: Default::default(),
            algorithm: None,
            bits: None,
            learned: Vec::new(),
        };
        let now = probe.selectors[0].key_sha256.clone().unwrap();
        let same = probe.clone().with_known_keys(&[known(&now)]).render();
        assert!(same.contains("s1: common, signatures; this key seen since 2026-01-05"), "{same}");
        let other = probe.with_known_keys(&[known("another")]).render();
        assert!(other.contains("s1: common, signatures\n"), "{other}");
    }

    #[test]
    fn a_failed_query_is_not_told_as_a_missing_policy() {
        let declared =
            DeclaredDomain { name: "c.example".parse().unwrap(), sends: true, receives: true, selectors: Vec::new() };
        let catalogue = VendorCatalogue::shipped();
        let shown = |lines: &[&str]| {
            let answers = crate::records::dns_message::tests::answers(lines);
            DomainProbe::new(&declared, &SeenSelectors::new(), &[], &answers, &catalogue, &|_| false, &Chains::new())
                .render()
        };
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let failed = words(&shown(&["c.example SOA x", "_dmarc.c.example TXT !fail"]));
        assert!(failed.contains("by RFC 9989 does what its own query tells it"), "{failed}");
        assert!(failed.contains("by RFC 7489 does what its own query tells it"), "{failed}");
        let missing = words(&shown(&["c.example SOA x", "_dmarc.c.example TXT !nx", "_dmarc.example TXT !nx"]));
        assert!(missing.contains("by RFC 9989 knows no policy and takes it"), "{missing}");
    }

    #[test]
    fn counts_of_a_tree_that_was_cut_are_told_as_the_least() {
        let declared =
            DeclaredDomain { name: "c.example".parse().unwrap(), sends: true, receives: true, selectors: Vec::new() };
        let lines = ["c.example TXT v=spf1 include:v.example mx -all", "v.example TXT !fail"];
        let answers = crate::records::dns_message::tests::answers(&lines);
        let catalogue = VendorCatalogue::shipped();
        let probe =
            DomainProbe::new(&declared, &SeenSelectors::new(), &[], &answers, &catalogue, &|_| false, &Chains::new());
        assert!(probe.render().contains("at least 2 of 10 lookups"), "{}", probe.render());
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut probe = probe();
        probe.notes =
            vec![Note::new("spf.too_many_lookups", format!("{} and more", "x".repeat(200)), "RFC 7208 §4.6.4")];
        probe.records.mx = vec!["10 a-rather-long-mail-host-name.clinic.example".to_owned(); 4];
        for line in probe.render().lines() {
            assert!(line.chars().count() <= COLUMNS, "{line}");
        }
    }
}
