//! DMARC: what a receiver that follows RFC 9989 makes of one record.

use mail_auth::common::parse::TxtRecordParser;
use mail_auth::dmarc::{Dmarc, Policy, Psd};
use mailassay::records::dmarc::{DmarcRecord, PolicyTag, is_dmarc, parse};

use super::Differences;
use super::generator::{self, Chance};

/// What both sides make of a record, in the same words.
#[derive(Debug, PartialEq)]
enum Reading {
    /// It is no DMARC record.
    NoRecord,
    /// It is one, and it is discarded.
    Unusable,
    Record {
        policies: [&'static str; 3],
        testing: bool,
        psd: Option<bool>,
        reports: Vec<String>,
    },
}

pub(crate) fn compare(count: usize, differences: &mut Differences) -> usize {
    let mut chance = Chance::new(9989);
    for _ in 0..count {
        let text = generator::dmarc(&mut chance);
        let (ours, theirs) = (ours(&text), theirs(&text));
        if ours != theirs {
            let class = class(&text, &ours, &theirs);
            differences.add("dmarc mail-auth", class, format!("{text:?}: {ours:?}, they {theirs:?}"));
        }
    }
    count
}

fn ours(text: &str) -> Reading {
    if !is_dmarc(text) {
        return Reading::NoRecord;
    }
    let record = parse(text);
    let bad = is_bad(&record);
    if bad && record.report_domains.is_empty() {
        return Reading::Unusable;
    }
    let p = if bad { "none" } else { word(record.p, "-") };
    let sp = word(record.sp, p);
    let np = word(record.np, sp);
    let reports = record.report_domains.iter().map(ToString::to_string).collect();
    Reading::Record { policies: [p, sp, np], testing: record.testing, psd: record.psd, reports }
}

fn is_bad(record: &DmarcRecord) -> bool {
    [record.p, record.sp, record.np].contains(&PolicyTag::Bad)
}

fn word(tag: PolicyTag, otherwise: &'static str) -> &'static str {
    match tag {
        PolicyTag::Given(policy) => policy.as_str(),
        PolicyTag::Bad | PolicyTag::LeftOut => otherwise,
    }
}

fn theirs(text: &str) -> Reading {
    let record = match Dmarc::parse(text.as_bytes()) {
        Ok(record) => record,
        Err(mail_auth::Error::Dns(_)) => return Reading::NoRecord,
        Err(_) => return Reading::Unusable,
    };
    let word = |policy| match policy {
        Policy::None => "none",
        Policy::Quarantine => "quarantine",
        Policy::Reject => "reject",
        Policy::Unspecified => "-",
    };
    let psd = match record.psd {
        Psd::Yes => Some(true),
        Psd::No => Some(false),
        Psd::Default => None,
    };
    let domain = |uri: &str| Some(uri.rsplit_once('@')?.1.split('?').next()?.to_owned());
    let mut reports: Vec<String> = record.rua.iter().filter_map(|uri| domain(uri.uri())).collect();
    reports.sort();
    reports.dedup();
    Reading::Record { policies: [record.p, record.sp, record.np].map(word), testing: record.t, psd, reports }
}

/// Which paragraph decides. The order is that of a reader: first what kind of record it is.
fn class(text: &str, ours: &Reading, theirs: &Reading) -> &'static str {
    if *ours == Reading::NoRecord {
        return "RFC 9989 §4.8: `DMARC1` is case-sensitive and stands first; they read the record all the same";
    }
    if *theirs == Reading::NoRecord {
        return "RFC 9989 §4.8: white space may stand around the `=` of the version; they see no record";
    }
    let record = parse(text);
    if record.faults.iter().any(|fault| fault.why.contains("stands twice")) {
        return "RFC 9989 §4.7, RFC 6376 §3.2: a tag must not stand twice; we take the first and say so, they take the last";
    }
    if is_bad(&record) {
        return "RFC 9989 §4.10.1: a policy that cannot be read leaves `none` where a report address can be; they discard the record";
    }
    if *theirs == Reading::Unusable {
        return "RFC 9989 §4.7: what cannot be read in other tags is left out; they discard the record";
    }
    if record.faults.iter().any(|fault| fault.why.contains("has no `=`") || fault.why.contains("no tag name")) {
        return "RFC 9989 §4.7: a piece that is no tag is left out; they lose the tag behind it or take it for one";
    }
    let (Reading::Record { reports: one, .. }, Reading::Record { reports: other, .. }) = (ours, theirs) else {
        return "unexplained";
    };
    if one != other {
        return "RFC 9989 §4.7, RFC 3986 §2, RFC 6068 §2: what is no `mailto:` address of a full domain name is left out; they are more lenient or stricter";
    }
    "unexplained"
}
