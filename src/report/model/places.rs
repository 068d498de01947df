//! Scope, vendors, drift and the evidence index as rows.

use serde::Serialize;

use super::findings::FindingGroup;
use super::risks::Link;
use super::words::{
    Tag, counted, day_or, heading, kind_words, moment, number, outcome_word, paragraph, plain_words, sentence,
    source_words, yes_no,
};
use crate::report::json::v1::{Assessment, ChangeClass, DeclaredVendor, PartnerMail, Retention};

/// What the scope names, and what was found of it.
#[derive(Clone, Debug, Serialize)]
pub struct Places {
    pub authorization: Option<String>,
    pub authorized: Option<String>,
    pub domains: Vec<DomainRow>,
    pub hosts: Vec<HostRow>,
    pub partners: Vec<PartnerRow>,
    pub others: Vec<OtherRow>,
    pub known: Vec<KnownRow>,
    pub undeclared: Vec<KnownRow>,
    pub retention: Option<String>,
    pub vendors: Vec<Vendor>,
    pub vendor_findings: Vec<Link>,
}

#[derive(Clone, Debug, Serialize)]
pub struct DomainRow {
    pub name: String,
    pub sends: &'static str,
    pub receives: &'static str,
    pub selectors: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct HostRow {
    pub name: String,
    pub ports: String,
    pub operated_by: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct PartnerRow {
    pub domain: String,
    pub phi: &'static str,
    /// What can be relied on when mail is sent there.
    pub to: String,
    /// How its mail came.
    pub from: String,
}

/// Portals, exports, mail, answers, registers.
#[derive(Clone, Debug, Serialize)]
pub struct OtherRow {
    pub what: &'static str,
    pub names: String,
}

/// Subjects of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct KnownRow {
    pub kind: String,
    pub count: String,
    pub complete: String,
    pub names: String,
}

/// A vendor that sees mail, or may.
#[derive(Clone, Debug, Serialize)]
pub struct Vendor {
    pub id: String,
    pub handles: String,
    pub agreement: String,
    pub file: String,
    pub hash: String,
    /// Whether something about it asks for attention.
    pub gap: bool,
}

/// Changes since the assessment compared with.
#[derive(Clone, Debug, Serialize)]
pub struct Drift {
    pub from: String,
    pub to: String,
    pub coverage: String,
    pub counts: Vec<DriftCount>,
    pub changes: Vec<ChangeRow>,
    pub changes_rest: Option<String>,
    pub risks: Vec<RiskMove>,
    pub method: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct DriftCount {
    pub class: String,
    pub meaning: &'static str,
    pub count: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct ChangeRow {
    pub class: String,
    pub severity: Tag,
    pub title: String,
    pub subject: String,
    pub before: &'static str,
    pub after: &'static str,
    pub why: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct RiskMove {
    pub title: String,
    pub class: String,
    pub before: Option<Tag>,
    pub after: Option<Tag>,
    pub why: String,
}

/// One segment of the evidence.
#[derive(Clone, Debug, Serialize)]
pub struct EvidenceRow {
    pub name: String,
    pub source: String,
    pub kind: String,
    pub observations: String,
    pub vantage: String,
    pub grade: &'static str,
    pub sha256: String,
}

/// Changes shown before the rest is only counted.
const CHANGES_SHOWN: usize = 200;

pub(super) fn places(assessment: &Assessment, groups: &[FindingGroup]) -> Places {
    let declared = &assessment.declared;
    Places {
        authorization: declared.authorization.as_ref().map(|granted| {
            format!(
                "Granted by {}, {}, on {}, until {}.",
                paragraph(&granted.granted_by),
                paragraph(&granted.role),
                granted.on,
                granted.until
            )
        }),
        authorized: declared.authorization.as_ref().map(|granted| listed(&granted.covers)),
        domains: declared
            .domains
            .iter()
            .map(|domain| DomainRow {
                name: domain.name.clone(),
                sends: yes_no(domain.sends),
                receives: yes_no(domain.receives),
                selectors: listed(&domain.selectors),
            })
            .collect(),
        hosts: declared
            .hosts
            .iter()
            .map(|host| HostRow {
                name: host.name.clone(),
                ports: listed(&host.ports.iter().map(u16::to_string).collect::<Vec<_>>()),
                operated_by: host.operated_by.as_deref().map_or_else(|| "not declared".to_owned(), paragraph),
            })
            .collect(),
        partners: declared
            .partners
            .iter()
            .map(|partner| PartnerRow {
                domain: partner.domain.clone(),
                phi: yes_no(partner.phi),
                to: match partner.tls_delivery.as_deref() {
                    Some("enforced") => "TLS can be required".to_owned(),
                    Some("opportunistic") => "TLS is offered, and may be stripped".to_owned(),
                    Some("none") => "no TLS".to_owned(),
                    Some(other) => paragraph(other),
                    None => "not known".to_owned(),
                },
                from: match &partner.incoming {
                    Some(mail) => arrived(mail),
                    None if declared.messages.is_empty() => "no mail was given".to_owned(),
                    None => "not known".to_owned(),
                },
            })
            .collect(),
        others: others(assessment),
        known: assessment
            .subjects
            .iter()
            .map(|(kind, subjects)| KnownRow {
                kind: capital(&kind_words(kind)),
                count: number(subjects.count as u64),
                complete: if subjects.complete {
                    "all of them".to_owned()
                } else {
                    let why =
                        subjects.because.as_deref().map_or_else(|| "no reason was recorded".to_owned(), paragraph);
                    format!("perhaps not all: {why}")
                },
                names: listed(&subjects.names),
            })
            .collect(),
        undeclared: undeclared(assessment),
        retention: declared.retention.as_ref().map(retention),
        vendors: vendors(assessment),
        vendor_findings: groups
            .iter()
            .filter(|group| group.subject_kind == "vendor")
            .map(|group| Link { words: group.said.clone(), target: group.anchor.clone() })
            .collect(),
    }
}

/// How a partner's mail came, in words.
fn arrived(mail: &PartnerMail) -> String {
    let proven = mail.tls + mail.clear + mail.not_told;
    if mail.messages == 0 {
        let none =
            if mail.complete { "none in the mail given" } else { "not known: the mail given was not read whole" };
        return none.to_owned();
    }
    if proven == 0 {
        return format!(
            "not known: {} messages, of none is it shown that it handed them over itself, and how",
            number(mail.messages)
        );
    }
    let mut words = format!(
        "{} messages that it provably handed over: {} over TLS, {} in clear",
        number(proven),
        number(mail.tls),
        number(mail.clear)
    );
    if mail.not_told > 0 {
        words.push_str(&format!(", of {} it is not told", number(mail.not_told)));
    }
    let versions: Vec<String> =
        mail.versions.iter().map(|(version, count)| format!("{} {}", paragraph(version), number(*count))).collect();
    if !versions.is_empty() {
        words.push_str(&format!(" ({})", versions.join(", ")));
    }
    if mail.unproven + mail.untraced > 0 {
        words.push_str(&format!("; {} more may be anybody's", number(mail.unproven + mail.untraced)));
    }
    if !mail.complete {
        words.push_str("; not all mail given was read");
    }
    words
}

fn capital(words: &str) -> String {
    heading(words)
}

/// At most eight names, then a count.
fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { super::risks::some_of(names) }
}

fn others(assessment: &Assessment) -> Vec<OtherRow> {
    let declared = &assessment.declared;
    let messages: Vec<String> =
        declared.messages.iter().map(|messages| format!("{} ({})", messages.mailbox, messages.path)).collect();
    let one = |name: &Option<String>| name.iter().cloned().collect::<Vec<_>>();
    [
        ("Portals and webmail", declared.portals.clone()),
        ("Export folders", declared.exports.clone()),
        ("Mail read for content", messages),
        ("DMARC and TLS reports", declared.reports.clone()),
        ("Answers", one(&declared.answers)),
        ("Registers", one(&declared.registers)),
    ]
    .into_iter()
    .map(|(what, names)| OtherRow { what, names: listed(&names) })
    .collect()
}

/// Domains and vendors that turned up although the scope does not name them.
fn undeclared(assessment: &Assessment) -> Vec<KnownRow> {
    let declared = &assessment.declared;
    let named = |kind: &str, name: &str| match kind {
        "domain" => declared.domains.iter().any(|domain| domain.name == name),
        _ => declared.vendors.iter().any(|vendor| vendor.id == name),
    };
    let found = [
        ("accepted-domain", "Domains the mail system accepts mail for"),
        ("forwarding-domain", "Outside domains that mail is forwarded to"),
    ];
    let found = found.into_iter().filter_map(|(kind, words)| {
        let names: Vec<String> =
            assessment.discovered.iter().filter(|found| found.kind == kind).map(|found| found.name.clone()).collect();
        (!names.is_empty()).then(|| KnownRow {
            kind: words.to_owned(),
            count: number(names.len() as u64),
            complete: String::new(),
            names: listed(&names),
        })
    });
    ["domain", "vendor"]
        .into_iter()
        .filter_map(|kind| {
            let names: Vec<String> =
                assessment.subjects.get(kind)?.names.iter().filter(|name| !named(kind, name)).cloned().collect();
            (!names.is_empty()).then(|| KnownRow {
                kind: capital(&kind_words(kind)),
                count: number(names.len() as u64),
                complete: String::new(),
                names: listed(&names),
            })
        })
        .chain(found)
        .collect()
}

fn retention(retention: &Retention) -> String {
    let days = retention.mail_max_days.map_or_else(
        || "The organization set no longest time for mail.".to_owned(),
        |days| format!("The organization keeps mail at most {} days.", number(days)),
    );
    let decided = retention.decided.map_or_else(
        || " No date of the decision is recorded.".to_owned(),
        |decided| format!(" Decided on {decided}."),
    );
    let file = retention.file.as_deref().map_or_else(
        || " No document is named.".to_owned(),
        |file| {
            let held = if retention.file_sha256.is_some() { "hashed" } else { "not there to be read" };
            format!(" Document: {} ({held}).", paragraph(file))
        },
    );
    format!("{days}{decided}{file} HIPAA itself sets no retention period for mail.")
}

fn vendors(assessment: &Assessment) -> Vec<Vendor> {
    let today = super::front::today(assessment);
    let mut rows: Vec<Vendor> =
        assessment.declared.vendors.iter().map(|vendor| declared_vendor(vendor, today)).collect();
    let discovered = assessment.subjects.get("vendor").map(|subjects| subjects.names.as_slice()).unwrap_or_default();
    for name in discovered.iter().filter(|name| !assessment.declared.vendors.iter().any(|vendor| vendor.id == **name)) {
        rows.push(Vendor {
            id: paragraph(name),
            handles: "not declared".to_owned(),
            agreement: "discovered; the scope does not name it".to_owned(),
            file: "none".to_owned(),
            hash: String::new(),
            gap: true,
        });
    }
    rows
}

fn declared_vendor(vendor: &DeclaredVendor, today: jiff::civil::Date) -> Vendor {
    let agreement = vendor.agreement.as_ref();
    let expired = agreement.and_then(|agreement| agreement.expires).filter(|expires| *expires < today);
    let words = match (agreement, expired) {
        (None, _) => "none declared".to_owned(),
        (Some(agreement), Some(expires)) => format!("signed {}, ran out on {expires}", agreement.signed),
        (Some(agreement), None) => {
            format!("signed {}, expires: {}", agreement.signed, day_or(agreement.expires, "not said"))
        }
    };
    let file = agreement.and_then(|agreement| agreement.file.as_deref());
    let hash = agreement.and_then(|agreement| agreement.file_sha256.as_deref());
    let needs_one = vendor.handles.as_deref() != Some("nothing");
    Vendor {
        id: paragraph(&vendor.id),
        handles: vendor.handles.as_deref().map_or_else(|| "not declared".to_owned(), plain_words),
        agreement: words,
        file: match (file, hash) {
            (Some(file), Some(_)) => paragraph(file),
            (Some(file), None) => format!("{} (not there to be read)", paragraph(file)),
            (None, _) => "none".to_owned(),
        },
        hash: hash.unwrap_or_default().to_owned(),
        gap: needs_one && (hash.is_none() || expired.is_some()),
    }
}

/// What a class of change means.
fn meaning(class: ChangeClass) -> &'static str {
    match class {
        ChangeClass::AcceptanceLapsed => "an acceptance ran out, or no longer covers the finding",
        ChangeClass::Added => "fails now; the subject was not there before",
        ChangeClass::Gone => "the subject is no longer there",
        ChangeClass::Improved => "milder than before",
        ChangeClass::MethodChanged => "another catalogue, model or rule; neither better nor worse",
        ChangeClass::NewlyBlind => "was assessed before and is not now",
        ChangeClass::NewlySeen => "was not assessed before and is now",
        ChangeClass::Reopened => "fails again after it had been resolved",
        ChangeClass::Resolved => "failed before; the check ran again and it no longer fails",
        ChangeClass::Worsened => "passed before, or failed with a lower severity",
    }
}

pub(super) fn drift(assessment: &Assessment) -> Option<Drift> {
    let drift = assessment.drift.as_ref()?;
    let left = drift.changes.len().saturating_sub(CHANGES_SHOWN);
    Some(Drift {
        from: moment(drift.from.as_of),
        to: moment(drift.to.as_of),
        coverage: format!("{} % of declared checks before, {} % now", drift.from.coverage, drift.to.coverage),
        counts: ChangeClass::ALL
            .into_iter()
            .map(|class| DriftCount {
                class: plain_words(class.as_str()),
                meaning: meaning(class),
                count: number(drift.counts.get(class.as_str()).copied().unwrap_or(0) as u64),
            })
            .collect(),
        changes: drift
            .changes
            .iter()
            .take(CHANGES_SHOWN)
            .map(|change| ChangeRow {
                class: plain_words(change.class.as_str()),
                severity: Tag::from(change.severity),
                title: paragraph(&change.title),
                subject: change
                    .subject
                    .as_ref()
                    .map_or_else(|| "the whole check".to_owned(), |subject| paragraph(&subject.name)),
                before: change.before.map_or("nothing to judge", outcome_word),
                after: change.after.map_or("nothing to judge", outcome_word),
                why: sentence(&change.why),
            })
            .collect(),
        changes_rest: (left > 0)
            .then(|| format!("{} in assessment.json.", counted(left, "more change is", "more changes are"))),
        risks: drift
            .risks
            .iter()
            .map(|change| RiskMove {
                title: paragraph(&change.title),
                class: plain_words(change.class.as_str()),
                before: change.before.map(Tag::from),
                after: change.after.map(Tag::from),
                why: sentence(&change.why),
            })
            .collect(),
        method: drift
            .method
            .iter()
            .map(|change| {
                format!(
                    "{}: {} before, {} now",
                    heading(&change.what),
                    paragraph(&change.before),
                    paragraph(&change.after)
                )
            })
            .collect(),
    })
}

pub(super) fn evidence(assessment: &Assessment) -> Vec<EvidenceRow> {
    assessment
        .evidence
        .iter()
        .map(|segment| EvidenceRow {
            name: paragraph(&segment.name),
            source: source_words(&segment.source),
            kind: kind_words(&segment.kind),
            observations: number(segment.observations as u64),
            vantage: paragraph(&segment.vantage),
            grade: segment.grade.as_str(),
            sha256: segment.sha256.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::maple_street;

    #[test]
    fn mail_that_was_not_read_is_not_called_none() {
        let mail = |messages, tls, complete| PartnerMail {
            messages,
            untraced: messages - tls,
            unproven: 0,
            tls,
            clear: 0,
            not_told: 0,
            versions: Default::default(),
            ciphers: Default::default(),
            results: Default::default(),
            oldest: None,
            newest: None,
            complete,
        };
        assert_eq!(arrived(&mail(0, 0, true)), "none in the mail given");
        assert!(arrived(&mail(0, 0, false)).starts_with("not known: "));
        assert!(!arrived(&mail(3, 3, true)).contains("not all"));
        assert!(arrived(&mail(3, 3, false)).ends_with("; not all mail given was read"));
        let mut assessment = maple_street();
        assert!(!assessment.declared.messages.is_empty());
        assert_eq!(places(&assessment, &[]).partners[0].from, "not known");
        assessment.declared.messages.clear();
        assert_eq!(places(&assessment, &[]).partners[0].from, "no mail was given");
    }
}
