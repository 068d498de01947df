//! What falls due: everything with a day on which it runs out or has to be done, as a list and as
//! an iCalendar file (RFC 5545).

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Standing, Weights};
use crate::catalogues::registers::Registers;
use crate::evidence::{Answer, Evidence, Source};
use crate::facts::Facts;
use crate::questionnaire::Questionnaire;
use crate::risk::RiskAnalysis;
use crate::text::visible;

/// What kind of thing falls due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DueKind {
    Acceptance,
    AddressableRecord,
    Agreement,
    Answer,
    Authorization,
    Certificate,
    Exception,
    Milestone,
    PlanItem,
    RegisterRow,
    Review,
    Treatment,
}

impl DueKind {
    /// The words in documents.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Acceptance => "acceptance of a risk ends",
            Self::AddressableRecord => "record on an addressable specification ends",
            Self::Agreement => "business associate agreement ends",
            Self::Answer => "answer runs out",
            Self::Authorization => "authorization of the examination ends",
            Self::Certificate => "certificate expires",
            Self::Exception => "exception ends",
            Self::Milestone => "milestone is due",
            Self::PlanItem => "item of the plan is due",
            Self::RegisterRow => "entry of a register is due",
            Self::Review => "risk analysis is to be reviewed",
            Self::Treatment => "treatment of a risk is due",
        }
    }
}

/// One thing and its day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Due {
    pub on: Date,
    pub kind: DueKind,
    /// The risk, paragraph, vendor, question, host, check or register row it is about.
    pub what: String,
}

/// Everything that has a day, the nearest first.
pub fn list(evidence: &Evidence, facts: &Facts, weights: &Weights, analysis: &RiskAnalysis, today: Date) -> Vec<Due> {
    let mut due: BTreeSet<Due> = BTreeSet::new();
    let mut add = |kind, on: Option<Date>, what: String| {
        if let Some(on) = on {
            due.insert(Due { on, kind, what: visible(&what) });
        }
    };
    for weighed in weights.acceptances.iter().filter(|weighed| still_matters(weighed.standing)) {
        add(DueKind::Acceptance, Some(weighed.decision.expires), weighed.decision.risk.clone());
    }
    for weighed in weights.addressable.iter().filter(|weighed| still_matters(weighed.standing)) {
        add(DueKind::AddressableRecord, Some(weighed.decision.expires), weighed.decision.spec.clone());
    }
    for weighed in weights.exceptions.iter().filter(|weighed| still_matters(weighed.standing)) {
        add(DueKind::Exception, Some(weighed.decision.expires), weighed.decision.check.clone());
    }
    for risk in analysis.risks.iter().filter(|risk| risk.treatment != "accept") {
        add(DueKind::Treatment, risk.due, risk.scenario.clone());
    }
    for item in &analysis.plan {
        add(DueKind::PlanItem, item.due, item.check.clone());
        for step in item.milestones.iter().filter(|step| step.done.is_none()) {
            add(DueKind::Milestone, Some(step.due), format!("{}: {}", item.check, step.what));
        }
    }
    add(
        DueKind::Review,
        evidence.decisions().and_then(|(_, decisions)| decisions.next_review),
        "risk analysis".to_owned(),
    );
    if let Ok((_, declared)) = evidence.declared() {
        add(
            DueKind::Authorization,
            declared.authorization.as_ref().map(|authorization| authorization.until),
            "authorization".to_owned(),
        );
        for vendor in &declared.vendors {
            add(
                DueKind::Agreement,
                vendor.agreement.as_ref().and_then(|agreement| agreement.expires),
                vendor.id.clone(),
            );
        }
    }
    answers(evidence, today, &mut add);
    registers(evidence, today, &mut add);
    for endpoint in &facts.endpoints.subjects {
        if let Some(days) = endpoint.certificate.seen.present().map(|certificate| certificate.days_left) {
            add(DueKind::Certificate, day_after(today, days), endpoint.name.clone());
        }
    }
    due.into_iter().collect()
}

const fn still_matters(standing: Standing) -> bool {
    match standing {
        Standing::Expired | Standing::InForce | Standing::NotYet | Standing::Reopened => true,
        Standing::Unused => false,
    }
}

fn day_after(day: Date, days: i64) -> Option<Date> {
    day.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// The newest answer to each question, and the day after which it is no answer any more.
fn answers(evidence: &Evidence, today: Date, add: &mut impl FnMut(DueKind, Option<Date>, String)) {
    let questionnaire = Questionnaire::built_in().expect("the questionnaire is read by a test");
    let rows = || {
        evidence.from(Source::Answers).filter_map(|(_, observation)| match &observation.answer {
            Ok(Answer::Answer(row)) if row.answered_at <= today => Some(row),
            Ok(_) | Err(_) => None,
        })
    };
    for question in &questionnaire.questions {
        let newest = rows().filter(|row| row.id == question.id).max_by_key(|row| row.answered_at);
        let Some(row) = newest else { continue };
        let by_age = day_after(row.answered_at, question.valid_days);
        let on = row.valid_until.map_or(by_age, |until| Some(by_age.map_or(until, |age| age.min(until))));
        add(DueKind::Answer, on, question.id.clone());
    }
}

/// What rows of registers call for and is not done.
fn registers(evidence: &Evidence, today: Date, add: &mut impl FnMut(DueKind, Option<Date>, String)) {
    for (_, observation) in evidence.from(Source::Register) {
        let Ok(Answer::Register(read)) = &observation.answer else { continue };
        let Some(register) = Registers::shipped().get(&read.name) else { continue };
        for row in &read.rows {
            for clock in register.clocks.iter().filter(|clock| clock.done(row, today).is_none()) {
                add(
                    DueKind::RegisterRow,
                    clock.due(row),
                    format!("{} {}: {}", register.id, register.name_of(row), clock.what),
                );
            }
        }
    }
}

/// An iCalendar file of all-day events. `stamp` is the moment of the assessment, so that the same
/// list gives the same bytes.
pub fn calendar(due: &[Due], organization: &str, stamp: Timestamp) -> String {
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        format!("PRODID:-//mailassay//{}//EN", env!("CARGO_PKG_VERSION")),
        "CALSCALE:GREGORIAN".to_owned(),
        format!("X-WR-CALNAME:{}", escaped(&format!("Mail risk analysis: {organization}"))),
    ];
    let stamp = stamp.strftime("%Y%m%dT%H%M%SZ").to_string();
    for due in due {
        let name = format!("mailassay:due:{}:{}:{}", due.kind.in_words(), due.what, due.on);
        let next = due.on.tomorrow().unwrap_or(due.on);
        lines.extend([
            "BEGIN:VEVENT".to_owned(),
            format!("UID:{}", Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())),
            format!("DTSTAMP:{stamp}"),
            format!("DTSTART;VALUE=DATE:{}", due.on.strftime("%Y%m%d")),
            format!("DTEND;VALUE=DATE:{}", next.strftime("%Y%m%d")),
            format!("SUMMARY:{}", escaped(&format!("{}: {}", due.what, due.kind.in_words()))),
            "TRANSP:TRANSPARENT".to_owned(),
            "BEGIN:VALARM".to_owned(),
            "ACTION:DISPLAY".to_owned(),
            format!("DESCRIPTION:{}", escaped(&due.what)),
            "TRIGGER:-P14D".to_owned(),
            "END:VALARM".to_owned(),
            "END:VEVENT".to_owned(),
        ]);
    }
    lines.push("END:VCALENDAR".to_owned());
    lines.iter().map(|line| folded(line)).collect()
}

/// RFC 5545 §3.3.11.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Lines of at most 75 octets, never cut within a character (RFC 5545 §3.1).
fn folded(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let mut length = 0;
    for c in line.chars() {
        if length + c.len_utf8() > 75 {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(c);
        length += c.len_utf8();
    }
    out.push_str("\r\n");
    out
}
