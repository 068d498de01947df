//! The first screen and the document's own facts: who, when, by what, how bad, what to decide.

use jiff::civil::Date;
use serde::Serialize;

use super::findings::FindingGroup;
use super::risks::RiskView;
use super::words::{
    capitalized, counted, day_or, grade_words, heading, moment, more_lack_a_source, number, paragraph, plain_words,
    sentence,
};
use crate::report::json::v1::{Assessment, Level, Outcome};

/// Who and when, for every page.
#[derive(Clone, Debug, Serialize)]
pub struct About {
    pub organization: String,
    pub role: String,
    pub individuals: Option<String>,
    pub as_of: String,
    pub day: Date,
    pub state: String,
    pub classification: String,
    pub evidence_digest: String,
    pub model: String,
    pub test_network: Vec<String>,
}

/// One row of the control block.
#[derive(Clone, Debug, Serialize)]
pub struct Control {
    pub name: &'static str,
    pub value: String,
    /// Shown in the type of hashes.
    pub hash: bool,
}

/// One of the five figures.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    pub value: String,
    pub label: String,
    pub note: String,
}

/// Something only management can decide.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    pub title: String,
    pub why: String,
    /// The anchor of the section that tells more.
    pub target: String,
}

/// The day everything is judged against.
pub(super) fn today(assessment: &Assessment) -> Date {
    crate::clock::date_of(assessment.as_of)
}

pub(super) fn about(assessment: &Assessment) -> About {
    let organization = &assessment.organization;
    let mut test_network: Vec<String> = assessment
        .vantages
        .iter()
        .flat_map(|vantage| vantage.test_network.iter().map(|option| paragraph(option)))
        .collect();
    test_network.sort();
    test_network.dedup();
    About {
        organization: organization_name(assessment),
        role: organization.role.as_deref().map_or_else(|| "not declared".to_owned(), heading),
        individuals: organization.individuals.map(number),
        as_of: moment(assessment.as_of),
        day: today(assessment),
        state: state(assessment),
        classification: "Confidential: this report shows where the organization is weak.".to_owned(),
        evidence_digest: assessment.evidence_digest.clone(),
        model: paragraph(&assessment.tool.risk_model),
        test_network,
    }
}

/// Signed for management, or a draft.
pub(crate) fn state(assessment: &Assessment) -> String {
    use crate::evidence::decisions::Office;
    let signed = |row: &&crate::report::json::v1::decisions::Signature| row.counts && row.office == Office::Management;
    assessment.decisions.signatures.iter().filter(signed).max_by_key(|row| row.on).map_or_else(
        || "Draft, not signed".to_owned(),
        |row| format!("Signed for management by {} on {}", paragraph(&row.name), row.on),
    )
}

fn organization_name(assessment: &Assessment) -> String {
    let name = paragraph(&assessment.organization.name);
    if !name.is_empty() {
        return name;
    }
    match assessment.declared.domains.as_slice() {
        [] => "Organization not named".to_owned(),
        [only] => only.name.clone(),
        [first, rest @ ..] => format!("{} and {}", first.name, counted(rest.len(), "other domain", "other domains")),
    }
}

pub(super) fn control(assessment: &Assessment) -> Vec<Control> {
    let row = |name, value| Control { name, value, hash: false };
    let hash = |name, value| Control { name, value, hash: true };
    let tool = &assessment.tool;
    let organization = &assessment.organization;
    let states =
        if organization.states.is_empty() { "not declared".to_owned() } else { organization.states.join(", ") };
    let mut rows = vec![
        row("Organization", organization_name(assessment)),
        row("States", states),
        row("Judged as of", moment(assessment.as_of)),
        row("State", format!("{}. The lines to sign are in section 16.", state(assessment))),
        row("Compared with", compared_with(assessment)),
        row("Program", format!("{} {}", paragraph(&tool.name), paragraph(&tool.version))),
        row("Catalogue of checks", paragraph(&tool.catalogue)),
        row("Risk model", paragraph(&tool.risk_model)),
    ];
    for vantage in &assessment.vantages {
        let complete = if vantage.complete { "" } else { "; this collection did not come to its end" };
        let collected = format!("{}, collected until {}{complete}", paragraph(&vantage.label), moment(vantage.as_of));
        rows.push(row("Vantage point", collected));
    }
    rows.push(hash("Evidence (SHA-256)", assessment.evidence_digest.clone()));
    let scope = &assessment.declared.scope_sha256;
    let scope = if scope.is_empty() { "no scope file: bare domains were examined".to_owned() } else { scope.clone() };
    rows.push(hash("Scope (SHA-256)", scope));
    rows.push(row("Classification", "Confidential. Give it to those who act on it or audit it.".to_owned()));
    rows.push(row("Keep until", keep_until(assessment)));
    rows
}

fn compared_with(assessment: &Assessment) -> String {
    assessment.drift.as_ref().map_or_else(
        || "nothing: no earlier assessment was given".to_owned(),
        |drift| format!("the assessment as of {}", moment(drift.from.as_of)),
    )
}

/// 45 CFR 164.316(b)(2)(i): six years from creation, or from when it was last in effect.
fn keep_until(assessment: &Assessment) -> String {
    use jiff::ToSpan;
    let day = today(assessment);
    day.checked_add(6.years()).map_or_else(
        |_| "six years after it was last in effect (45 CFR 164.316(b)(2)(i))".to_owned(),
        |until| {
            format!(
                "{until}, or six years after this analysis was last in effect, whichever is later (45 CFR 164.316(b)(2)(i))"
            )
        },
    )
}

/// The five figures: how bad, how much at once, how well known, how late, what next.
pub(super) fn figures(assessment: &Assessment) -> Vec<Figure> {
    vec![
        risks_above(assessment),
        worst_mailbox(assessment),
        assessed(assessment),
        overdue(assessment),
        next_due(assessment),
    ]
}

fn is_above(level: Level) -> bool {
    match level {
        Level::VeryLow | Level::Low | Level::Moderate => false,
        Level::High | Level::VeryHigh => true,
    }
}

fn risks_above(assessment: &Assessment) -> Figure {
    if assessment.risks.is_empty() {
        // An empty register is ignorance, not safety.
        let note = "not known: no scenario was analysed".to_owned();
        return Figure { value: "?".to_owned(), label: "risks high or very high".to_owned(), note };
    }
    let now = assessment.risks.iter().filter(|risk| is_above(risk.residual.risk)).count();
    let note = assessment.drift.as_ref().map_or_else(
        || "no earlier assessment to compare with".to_owned(),
        |drift| {
            let entered = drift
                .risks
                .iter()
                .filter(|change| change.after.is_some_and(is_above) && !change.before.is_some_and(is_above));
            let left = drift
                .risks
                .iter()
                .filter(|change| change.before.is_some_and(is_above) && !change.after.is_some_and(is_above));
            let before = (now + left.count()).saturating_sub(entered.count());
            let day = crate::clock::date_of(drift.from.as_of);
            match now.cmp(&before) {
                std::cmp::Ordering::Equal => format!("as many as on {day}"),
                std::cmp::Ordering::Greater => format!("{} more than on {day}", number((now - before) as u64)),
                std::cmp::Ordering::Less => format!("{} fewer than on {day}", number((before - now) as u64)),
            }
        },
    );
    Figure {
        value: number(now as u64),
        label: "risks high or very high".to_owned(),
        note: format!("of {}; {note}", number(assessment.risks.len() as u64)),
    }
}

fn worst_mailbox(assessment: &Assessment) -> Figure {
    let label = "individuals in the fullest mailbox that was counted".to_owned();
    let worst = assessment
        .exposure
        .iter()
        .filter(|exposure| exposure.individuals_upper.or(exposure.individuals_lower).is_some())
        .max_by_key(|exposure| (exposure.individuals_upper.or(exposure.individuals_lower), exposure.individuals_lower));
    let all = assessment.exposure.len();
    let unread = assessment.exposure.iter().filter(|exposure| exposure.individuals_upper.is_none()).count();
    match worst {
        Some(worst) => {
            let rest = if unread == 0 {
                String::new()
            } else {
                // What was not counted may hold more than all that was.
                let most = assessment.organization.individuals;
                let bound =
                    most.map_or_else(String::new, |most| format!("; at most {}, everybody on record", number(most)));
                format!(
                    "; {} of {} counted{bound}",
                    number((all - unread) as u64),
                    counted(all, "mailbox", "mailboxes")
                )
            };
            Figure {
                value: {
                    let value = super::risks::individuals(worst.individuals_lower, worst.individuals_upper);
                    if unread == 0 {
                        value
                    } else {
                        format!("at least {}", number(worst.individuals_lower.unwrap_or(0)))
                    }
                },
                label,
                note: format!("{}{rest}", paragraph(&worst.mailbox)),
            }
        }
        None => Figure { value: "?".to_owned(), label, note: "not known: no mail was read".to_owned() },
    }
}

fn assessed(assessment: &Assessment) -> Figure {
    let coverage = &assessment.coverage;
    let declared = coverage.assessed + coverage.partly_assessed + coverage.not_assessed;
    let mut aside =
        format!("{} in part, {} not", number(coverage.partly_assessed as u64), number(coverage.not_assessed as u64));
    if let Some(more) = more_lack_a_source(coverage.not_provided) {
        aside.push_str(&format!("; {more}"));
    }
    Figure {
        value: format!("{} of {}", number(coverage.assessed as u64), number(declared as u64)),
        label: "checks assessed in full".to_owned(),
        note: aside,
    }
}

fn is_open(status: &str) -> bool {
    !matches!(status, "done" | "closed")
}

fn overdue(assessment: &Assessment) -> Figure {
    let today = today(assessment);
    if assessment.plan.is_empty() {
        let note = "the plan has no item".to_owned();
        return Figure { value: "none".to_owned(), label: "plan items overdue".to_owned(), note };
    }
    let open: Vec<_> = assessment.plan.iter().filter(|item| is_open(&item.status)).collect();
    let late = open.iter().filter(|item| item.due.is_some_and(|due| due < today)).count();
    let undated = open.iter().filter(|item| item.due.is_none()).count();
    let note = match undated {
        0 => format!("of {} open", number(open.len() as u64)),
        _ => format!("of {} open; {} without a date", number(open.len() as u64), number(undated as u64)),
    };
    Figure { value: number(late as u64), label: "plan items overdue".to_owned(), note }
}

fn next_due(assessment: &Assessment) -> Figure {
    let today = today(assessment);
    let next = assessment
        .plan
        .iter()
        .filter(|item| is_open(&item.status))
        .filter_map(|item| item.due.filter(|due| *due >= today).map(|due| (due, paragraph(&item.title))))
        .min();
    let label = "nearest due date".to_owned();
    match next {
        Some((due, title)) => Figure { value: due.to_string(), label, note: title },
        None => Figure { value: "none".to_owned(), label, note: "no open item has a date ahead".to_owned() },
    }
}

/// At most three decisions, from what the register and the plan leave undecided.
pub(super) fn decisions(assessment: &Assessment, risks: &[RiskView], groups: &[FindingGroup]) -> Vec<Decision> {
    let mut asked = Vec::new();
    let undecided: Vec<&RiskView> = risks.iter().filter(|risk| risk.above && risk.treatment == "undecided").collect();
    if let Some(worst) = undecided.first() {
        asked.push(Decision {
            title: format!(
                "Decide how to treat {}: lower, accept, transfer or avoid.",
                counted(undecided.len(), "risk at high or very high", "risks at high or very high")
            ),
            why: format!("Worst: {}", sentence(&worst.title)),
            target: worst.anchor.clone(),
        });
    }
    if let Some(item) =
        assessment.plan.iter().find(|item| is_open(&item.status) && (item.owner.is_none() || item.due.is_none()))
    {
        asked.push(Decision {
            title: "Name an owner and a date for the first item of the plan.".to_owned(),
            why: sentence(&item.action),
            target: "plan".to_owned(),
        });
    }
    if let Some(missing) = assessment.elements.iter().find(|element| {
        matches!(element.state, crate::report::json::v1::ElementState::Incomplete)
            && matches!(element.number, 1 | 2 | 8 | 9)
    }) {
        asked.push(Decision {
            title: format!("Complete element {} ({}).", missing.number, paragraph(&missing.title)),
            why: capitalized(&missing.why),
            target: super::sections::section_of(missing.number).to_owned(),
        });
    }
    let questions = groups.iter().filter(|group| group.outcome == Outcome::NeedsReview).count();
    if asked.len() < 3 && questions > 0 {
        asked.push(Decision {
            title: format!(
                "Answer {}.",
                counted(questions, "question that needs a person", "questions that need a person")
            ),
            why: "The facts are known; what they mean here is not.".to_owned(),
            target: "findings".to_owned(),
        });
    }
    asked.truncate(3);
    asked
}

/// What a reader must not forget.
pub(super) fn limits(assessment: &Assessment) -> Vec<String> {
    let mut limits = vec![
        format!(
            "Point in time: everything is judged as of {}. What changed later is not in it.",
            moment(assessment.as_of)
        ),
        "E-mail only: mail domains, mail services, mailboxes, the vendors that see mail, and the rules around them."
            .to_owned(),
        "Not legal advice. It says what evidence supports, lacks or contradicts, and draws no conclusion of law."
            .to_owned(),
    ];
    for vantage in &assessment.vantages {
        limits.push(format!("Vantage point {}: {}", paragraph(&vantage.label), seen_from(vantage.port_25_reachable)));
    }
    let attested =
        assessment.coverage.checks.iter().filter(|check| {
            matches!(check.grade, crate::report::json::v1::Grade::D | crate::report::json::v1::Grade::E)
        });
    limits.push(format!(
        "Self-attested: {} on what people say (grades D and E). Nobody measured those.",
        match attested.count() {
            1 => "1 check rests".to_owned(),
            count => format!("{} checks rest", number(count as u64)),
        }
    ));
    if assessment.subjects.get("content_folder").is_some_and(|folders| folders.count > 0) {
        limits
            .push("Mail content was searched by patterns. What the search did not find may still be there.".to_owned());
    }
    if !assessment.mail_samples.is_empty() {
        let sampled = "Of some mail only a sample was examined. What it says of all is an estimate, and checks of that mail are not assessed.";
        limits.push(sampled.to_owned());
    }
    if assessment.declared.authorization.as_ref().is_none_or(|authorization| !authorization.active_probes) {
        limits.push("Only ordinary handshakes were made; no test that could disturb a service was run.".to_owned());
    }
    if let Some(first) = assessment.declared.authorization.as_ref().filter(|granted| granted.until < today(assessment))
    {
        limits.push(format!("The authorization to examine ended on {}, before this assessment.", first.until));
    }
    limits.extend(masked(assessment));
    limits.push(format!(
        "Rule text and figures are those of the catalogue {}. Verify the status of the rule before relying on it.",
        paragraph(&assessment.tool.catalogue)
    ));
    limits
}

/// How many values were masked, and of which kinds; `None` where none was.
pub(crate) fn masked(assessment: &Assessment) -> Option<String> {
    let count: usize = assessment.masked.values().sum();
    let kinds: Vec<String> = assessment
        .masked
        .iter()
        .map(|(kind, count)| format!("{} {}", number(*count as u64), plain_words(&paragraph(kind))))
        .collect();
    (count > 0).then(|| {
        let values = if count == 1 {
            "1 value looks like an identifier of a person and is masked".to_owned()
        } else {
            format!("{} values look like identifiers of people and are masked", number(count as u64))
        };
        format!("Masked: {values} ({}). Find out how they came into names, answers or reasons.", kinds.join(", "))
    })
}

fn seen_from(port_25_reachable: Option<bool>) -> &'static str {
    match port_25_reachable {
        Some(true) => "mail hosts answered on port 25.",
        Some(false) => "no host answered on port 25 from there, so nothing is said about mail between servers.",
        None => "no host was asked on port 25, so nothing is said about mail between servers.",
    }
}

pub(super) fn limits_line(assessment: &Assessment) -> String {
    let blind = assessment.vantages.iter().all(|vantage| vantage.port_25_reachable != Some(true));
    format!(
        "Limits: one moment ({}), e-mail only, {}partly attested, no advice on law. Section 2 says more.",
        today(assessment),
        if blind { "port 25 not seen, " } else { "" }
    )
}

/// The grade with its words, and the owner and date in words where there are none.
pub(super) fn graded(grade: crate::report::json::v1::Grade) -> String {
    grade_words(grade)
}

/// An owner, or the words for none.
pub(super) fn owner_or(owner: Option<&str>) -> String {
    owner.map_or_else(|| "nobody named".to_owned(), paragraph)
}

/// A due date, or the words for none.
pub(super) fn due_or(due: Option<Date>) -> String {
    day_or(due, "no date")
}
