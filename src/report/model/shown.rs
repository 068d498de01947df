//! Answers, ages of mail and services as rows, the series the figures are drawn from, and what
//! the signature page prints ready to be signed.

use serde::Serialize;

use super::front::today;
use super::words::{Tag, capitalized, counted, day_or, number, paragraph, sentence, short_hash};
use crate::decisions::Standing;
use crate::evidence::declared::AnswerWord;
use crate::report::charts::{self, AGES, Mark, Trend};
use crate::report::json::v1::{Assessment, Attested, Level, MailEstimate, PatientsFound};

/// One question and how it was answered.
#[derive(Clone, Debug, Serialize)]
pub struct AttestedRow {
    pub asks: String,
    pub id: String,
    pub answer: Tag,
    pub statement: Option<String>,
    pub by: String,
    pub on: String,
    pub file: String,
    pub until: String,
    pub grade: &'static str,
}

/// What people said, and what they were not asked or did not say.
#[derive(Clone, Debug, Serialize)]
pub struct AttestedView {
    pub said: Option<String>,
    pub rows: Vec<AttestedRow>,
    pub unanswered: Vec<String>,
}

/// PHI in mail by age, a mailbox each.
#[derive(Clone, Debug, Serialize)]
pub struct AgesView {
    pub bands: Vec<&'static str>,
    pub rows: Vec<AgesRow>,
    pub rest: Option<String>,
}

/// One mailbox.
#[derive(Clone, Debug, Serialize)]
pub struct AgesRow {
    pub mailbox: String,
    /// SVG of our own making.
    pub bar: String,
    pub counts: Vec<String>,
    /// For paper, where the bar is drawn again.
    pub shares: Vec<u64>,
    pub oldest: String,
}

/// One service and what it accepts.
#[derive(Clone, Debug, Serialize)]
pub struct ServiceRow {
    pub name: String,
    /// SVG of our own making.
    pub bar: String,
    pub tls: &'static str,
    pub versions: Vec<&'static str>,
    /// 1 yes, 0 no, 2 not known: for paper.
    pub marks: Vec<u8>,
    pub certificate: String,
    /// Whether something of it is past its time.
    pub alarm: bool,
}

/// A risk that waits for a signature.
#[derive(Clone, Debug, Serialize)]
pub struct ToSign {
    pub number: usize,
    pub title: String,
    pub anchor: String,
    pub level: Tag,
    /// What is on record: an acceptance, a treatment, or nothing.
    pub state: String,
}

pub(super) fn attested(assessment: &Assessment) -> AttestedView {
    let all = &assessment.attested;
    let (answered, open): (Vec<&Attested>, Vec<&Attested>) = all.iter().partition(|one| one.answer.is_some());
    let expired = answered.iter().filter(|one| one.expired).count();
    let with_file = answered.iter().filter(|one| one.file_sha256.is_some()).count();
    AttestedView {
        said: (!all.is_empty()).then(|| {
            format!(
                "{} asked, {} answered: {} with a document that was there to be read; {} ran out.",
                counted(all.len(), "question was", "questions were"),
                number(answered.len() as u64),
                number(with_file as u64),
                number(expired as u64)
            )
        }),
        rows: answered.into_iter().map(attested_row).collect(),
        unanswered: open.into_iter().map(|one| paragraph(&one.asks)).collect(),
    }
}

fn attested_row(one: &Attested) -> AttestedRow {
    let word = one.answer.map_or("not answered", answer_words);
    AttestedRow {
        asks: paragraph(&one.asks),
        id: paragraph(&one.id),
        answer: match (one.answer, one.expired) {
            (_, true) => Tag::unknown(&format!("{word}, ran out")),
            (Some(AnswerWord::DontKnow) | None, false) => Tag::unknown(word),
            (Some(AnswerWord::No), false) => Tag { word: word.to_owned(), rank: None, class: "level-4" },
            (Some(AnswerWord::Partly), false) => Tag { word: word.to_owned(), rank: None, class: "level-3" },
            (Some(AnswerWord::NotApplicable | AnswerWord::Yes), false) => Tag::plain(word),
        },
        statement: one.statement.as_deref().map(sentence),
        by: [one.by.as_deref(), one.role.as_deref()]
            .into_iter()
            .flatten()
            .map(paragraph)
            .collect::<Vec<_>>()
            .join(", "),
        on: day_or(one.on, "no date"),
        file: match (&one.file, &one.file_sha256) {
            (Some(file), Some(sha256)) => format!("{} (SHA-256 {}…)", paragraph(file), short_hash(sha256)),
            (Some(file), None) => format!("{}: not there to be read", paragraph(file)),
            (None, _) => "none".to_owned(),
        },
        until: day_or(one.valid_until, "not said"),
        grade: if one.file_sha256.is_some() { "D" } else { "E" },
    }
}

fn answer_words(word: AnswerWord) -> &'static str {
    match word {
        AnswerWord::DontKnow => "don't know",
        AnswerWord::No => "no",
        AnswerWord::NotApplicable => "does not apply",
        AnswerWord::Partly => "partly",
        AnswerWord::Yes => "yes",
    }
}

pub(super) fn ages(assessment: &Assessment) -> AgesView {
    AgesView {
        bands: AGES.iter().map(|(_, words, _)| *words).collect(),
        rest: left_out(assessment.mail_ages.len()),
        rows: assessment
            .mail_ages
            .iter()
            .take(super::RAW_SHOWN)
            .map(|mailbox| {
                let counts = AGES.map(|(key, _, class)| (class, mailbox.messages.get(key).copied().unwrap_or(0)));
                AgesRow {
                    mailbox: paragraph(&mailbox.mailbox),
                    bar: charts::stacked_bar(&counts),
                    counts: counts.iter().map(|(_, count)| number(*count)).collect(),
                    shares: counts.iter().map(|(_, count)| *count).collect(),
                    oldest: day_or(mailbox.oldest, "not known"),
                }
            })
            .collect(),
    }
}

/// What a sample says of all mail, and how many patients of the list are in it: whole sentences.
pub(super) fn estimates(assessment: &Assessment) -> Vec<String> {
    let mut lines = Vec::new();
    for sample in &assessment.mail_samples {
        let of = |whose: &str, of: &MailEstimate| {
            let oldest = of.oldest_phi.map_or_else(String::new, |day| format!(", the oldest is of {day}"));
            format!(
                "{whose}: estimated, {} to {} of {} messages likely hold health information ({} % interval). A sample of {} was examined; {} of these do{oldest}",
                number(of.phi_lower),
                number(of.phi_upper),
                number(of.messages),
                sample.confidence,
                number(of.examined),
                number(of.phi_examined)
            )
        };
        lines.push(of("All mail that was given", &sample.all));
        lines.extend(sample.mailboxes.iter().map(|(mailbox, estimate)| of(mailbox, estimate)));
        if sample.mailboxes.values().eq([&sample.all]) {
            // It would be said twice.
            lines.remove(lines.len() - 2);
        }
    }
    for roster in &assessment.roster {
        let of = |found: &PatientsFound| {
            format!(
                "at least {}, and {} more perhaps, by a name or a number alone",
                number(found.found),
                number(found.possible)
            )
        };
        let of_a_sample = assessment.mail_samples.iter().any(|sample| sample.vantage == roster.vantage);
        let examined = if of_a_sample { " in the messages examined" } else { "" };
        let patients = number(roster.patients);
        lines.push(format!("Of {patients} patients on the practice's own list{examined}: {}", of(&roster.all)));
        if roster.mailboxes.len() > 1 {
            lines.extend(roster.mailboxes.iter().map(|(mailbox, found)| format!("{mailbox}: {}", of(found))));
        }
        if roster.rows_not_used > 0 {
            lines.push(format!("{} rows of the list name nobody who could be found", number(roster.rows_not_used)));
        }
    }
    // Mailboxes may be many.
    let left = lines.len().saturating_sub(super::RAW_SHOWN);
    lines.truncate(super::RAW_SHOWN);
    let mut lines: Vec<String> = lines.iter().map(|line| sentence(line)).collect();
    lines.extend((left > 0).then(|| format!("{} more are in assessment.json.", number(left as u64))));
    lines
}

/// What stands below a table that shows no more than [`super::RAW_SHOWN`] rows.
pub(super) fn left_out(all: usize) -> Option<String> {
    let left = all.saturating_sub(super::RAW_SHOWN);
    (left > 0).then(|| format!("{} more are in assessment.json.", number(left as u64)))
}

pub(super) fn services_rest(assessment: &Assessment) -> Option<String> {
    left_out(assessment.services.len())
}

pub(super) fn services(assessment: &Assessment) -> Vec<ServiceRow> {
    let known = |fact: Option<bool>| match fact {
        Some(true) => "accepted",
        Some(false) => "refused",
        None => "? not known",
    };
    assessment
        .services
        .iter()
        .take(super::RAW_SHOWN)
        .map(|service| {
            let versions = [service.ssl, service.tls1_0, service.tls1_1, service.tls1_2, service.tls1_3];
            let marks = versions.map(Mark::from);
            ServiceRow {
                name: paragraph(&service.name),
                bar: charts::marks_bar(&marks),
                tls: match service.tls {
                    Some(true) => "offered",
                    Some(false) => "not offered",
                    None => "? not known",
                },
                versions: versions.map(known).to_vec(),
                marks: marks
                    .iter()
                    .map(|mark| match mark {
                        Mark::No => 0,
                        Mark::NotKnown => 2,
                        Mark::Yes => 1,
                    })
                    .collect(),
                certificate: match service.certificate_days {
                    None => "? not known".to_owned(),
                    Some(days) if days < 0 => format!("ran out {} ago", day_count(days.unsigned_abs())),
                    Some(days) => format!("{} left", day_count(days.unsigned_abs())),
                },
                alarm: service.certificate_days.is_some_and(|days| days < 0) || service.tls == Some(false),
            }
        })
        .collect()
}

fn day_count(days: u64) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{} days", number(days)) }
}

/// The figure of the risks over time, in words; `None` where nothing was compared.
pub(super) fn trend_words(assessment: &Assessment) -> Option<String> {
    Trend::of(assessment).map(|trend| trend.in_words())
}

/// The plan over time in words; `None` where the plan is empty.
pub(super) fn timeline_words(assessment: &Assessment) -> Option<String> {
    (!assessment.plan.is_empty()).then(|| charts::timeline_in_words(&charts::spans(assessment), today(assessment)))
}

/// Risks that are high or very high, with what is on record of each, for the lines to sign.
pub(super) fn to_sign(assessment: &Assessment) -> Vec<ToSign> {
    let high = |level| matches!(level, Level::High | Level::VeryHigh);
    assessment
        .risks
        .iter()
        .zip(1..)
        .filter(|(risk, _)| high(risk.residual.risk))
        .map(|(risk, number)| {
            let accepted = assessment
                .decisions
                .acceptances
                .iter()
                .find(|row| row.risk == risk.scenario && row.standing == Standing::InForce);
            let state = match accepted {
                Some(row) => format!(
                    "accepted by {}, {}, on {}, until {}",
                    paragraph(&row.decided.by),
                    paragraph(&row.decided.role),
                    row.decided.on,
                    row.expires
                ),
                None if risk.treatment == "undecided" => "nothing is decided".to_owned(),
                None => {
                    let owner = super::front::owner_or(risk.owner.as_deref());
                    format!("{}; owner: {owner}; due: {}", paragraph(&risk.treatment), day_or(risk.due, "no date"))
                }
            };
            ToSign {
                number,
                title: paragraph(&risk.title),
                anchor: format!("risk-{number}"),
                level: Tag::from(risk.residual.risk),
                state,
            }
        })
        .collect()
}

/// Which level management accepts, or that nobody said so.
pub(super) fn appetite(assessment: &Assessment) -> Option<String> {
    assessment.decisions.appetite.is_none().then(|| {
        let decided = "no acceptable level of risk is recorded (`appetite` in decisions.yaml). Until management \
                       decides one, every risk of moderate or more waits for a decision of its own";
        capitalized(decided)
    })
}
