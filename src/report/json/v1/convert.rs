//! From the engine's types to the document's, variant by variant, so that a new one stops the build.

use super::words::{CoverageState, Grade, Level, Outcome, Severity, Supports};
use super::{
    Agreement, Authorization, Cite, Declared, DeclaredDomain, DeclaredHost, DeclaredMessages, DeclaredPartner,
    DeclaredVendor, Disposition, Gap, Organization, Position, Remaining, Retention, Risk, RiskNotApplicable, Subject,
    Value,
};
use crate::evidence::declared;
use crate::names::{DomainName, SubjectId};
use crate::seen::NotObserved;
use crate::{assess, checks, facts::shape, finding, risk};

/// The grade of evidence in a segment. Answers with a file are better than this says.
pub(super) fn grade_of_segment(segment: &str) -> Grade {
    match segment.split('.').next().unwrap_or(segment) {
        "dns" | "https" | "service" => Grade::A,
        "authentication" | "export" => Grade::B,
        "content" => Grade::C,
        "register" => Grade::D,
        "answers" | "declared" => Grade::E,
        _ => Grade::U,
    }
}

pub(super) fn cites(card: &risk::Card) -> Vec<Cite> {
    card.cites.iter().map(|cite| Cite { spec: cite.spec.clone(), supports: cite.supports.into() }).collect()
}

pub(super) fn gap(gap: &finding::Gap) -> Gap {
    let reason = match &gap.because {
        NotObserved::AccessDenied { .. } => "access-denied",
        NotObserved::Interrupted => "interrupted",
        NotObserved::Limit { .. } => "limit",
        NotObserved::Lost { .. } => "lost",
        NotObserved::NotInScope { .. } => "not-in-scope",
        NotObserved::NotProvided { .. } => "not-provided",
        NotObserved::Refused { .. } => "refused",
        NotObserved::TimedOut { .. } => "timed-out",
        NotObserved::Unreadable { .. } => "unreadable",
    };
    Gap {
        missing: gap.missing.clone(),
        reason: reason.to_owned(),
        because: crate::text::visible(&gap.because.to_string()),
        to_close: gap.to_close.clone(),
    }
}

impl From<finding::Severity> for Severity {
    fn from(severity: finding::Severity) -> Self {
        match severity {
            finding::Severity::Info => Self::Info,
            finding::Severity::Low => Self::Low,
            finding::Severity::Medium => Self::Medium,
            finding::Severity::High => Self::High,
            finding::Severity::Critical => Self::Critical,
        }
    }
}

impl From<&finding::Outcome> for Outcome {
    fn from(outcome: &finding::Outcome) -> Self {
        match outcome {
            finding::Outcome::Fail => Self::Fail,
            finding::Outcome::NeedsReview { .. } => Self::NeedsReview,
            finding::Outcome::NotApplicable { .. } => Self::NotApplicable,
            finding::Outcome::NotAssessed(_) => Self::NotAssessed,
            finding::Outcome::Pass => Self::Pass,
        }
    }
}

impl From<&finding::Disposition> for Disposition {
    fn from(disposition: &finding::Disposition) -> Self {
        match disposition {
            finding::Disposition::Accepted { by, until } => Self::Accepted { by: by.clone(), until: *until },
            finding::Disposition::Lapsed => Self::Lapsed,
            finding::Disposition::Open => Self::Open,
        }
    }
}

impl From<assess::Grade> for Grade {
    fn from(grade: assess::Grade) -> Self {
        match grade {
            assess::Grade::A => Self::A,
            assess::Grade::B => Self::B,
            assess::Grade::C => Self::C,
            assess::Grade::D => Self::D,
            assess::Grade::E => Self::E,
            assess::Grade::U => Self::U,
        }
    }
}

impl From<assess::CoverageState> for CoverageState {
    fn from(state: assess::CoverageState) -> Self {
        match state {
            assess::CoverageState::Assessed => Self::Assessed,
            assess::CoverageState::NotApplicable => Self::NotApplicable,
            assess::CoverageState::NotAssessed => Self::NotAssessed,
            assess::CoverageState::NotProvided => Self::NotProvided,
            assess::CoverageState::PartlyAssessed => Self::PartlyAssessed,
        }
    }
}

impl From<checks::Supports> for Supports {
    fn from(supports: checks::Supports) -> Self {
        match supports {
            checks::Supports::Direct => Self::Direct,
            checks::Supports::Indirect => Self::Indirect,
        }
    }
}

impl From<risk::Level> for Level {
    fn from(level: risk::Level) -> Self {
        match level {
            risk::Level::VeryLow => Self::VeryLow,
            risk::Level::Low => Self::Low,
            risk::Level::Moderate => Self::Moderate,
            risk::Level::High => Self::High,
            risk::Level::VeryHigh => Self::VeryHigh,
        }
    }
}

impl From<risk::Position> for Position {
    fn from(position: risk::Position) -> Self {
        Self { likelihood: position.likelihood.into(), impact: position.impact.into(), risk: position.risk.into() }
    }
}

impl From<&risk::Risk> for Risk {
    fn from(risk: &risk::Risk) -> Self {
        Self {
            id: risk.id.clone(),
            scenario: risk.scenario.clone(),
            title: risk.title.clone(),
            statement: risk.statement.clone(),
            assets: risk.assets.clone(),
            threat: risk.threat.clone(),
            vulnerabilities: risk.vulnerabilities.iter().map(|found| found.as_str().to_owned()).collect(),
            controls: risk.controls.clone(),
            inherent: risk.inherent.into(),
            residual: risk.residual.into(),
            target: risk.target.into(),
            confidence: risk.confidence.into(),
            impact_grade: Some(risk.impact_grade.into()),
            explain: risk.explain.clone(),
            tips_on: risk.tips_on.clone(),
            treatment: risk.treatment.clone(),
            owner: risk.owner.clone(),
            due: risk.due,
        }
    }
}

impl From<&risk::RiskNotApplicable> for RiskNotApplicable {
    fn from(risk: &risk::RiskNotApplicable) -> Self {
        Self { scenario: risk.scenario.clone(), title: risk.title.clone(), because: risk.because.clone() }
    }
}

impl From<&risk::Remaining> for Remaining {
    fn from(remaining: &risk::Remaining) -> Self {
        let risk::Remaining { risk, title, target, why } = remaining.clone();
        Self { risk, title, target: target.into(), why }
    }
}

impl From<&SubjectId> for Subject {
    fn from(subject: &SubjectId) -> Self {
        Self { kind: subject.kind.as_str().to_owned(), name: subject.name.clone() }
    }
}

impl From<&shape::Value> for Value {
    fn from(value: &shape::Value) -> Self {
        match value {
            shape::Value::Boolean(value) => Self::Boolean(*value),
            shape::Value::Integer(value) => Self::Integer(*value),
            shape::Value::Text(value) => Self::Text(value.clone()),
            shape::Value::List(items) => Self::List(items.clone()),
            shape::Value::Group(fields) => {
                Self::Group(fields.iter().map(|(name, value)| (name.clone(), value.into())).collect())
            }
        }
    }
}

impl From<&declared::Organization> for Organization {
    fn from(organization: &declared::Organization) -> Self {
        let role = match organization.role {
            declared::Role::Both => "both",
            declared::Role::BusinessAssociate => "business-associate",
            declared::Role::CoveredEntity => "covered-entity",
        };
        Self {
            name: organization.name.clone(),
            role: Some(role.to_owned()),
            individuals: organization.individuals,
            states: organization.states.clone(),
        }
    }
}

impl From<&declared::Declared> for Declared {
    fn from(declared: &declared::Declared) -> Self {
        let text = |name: &DomainName| name.as_str().to_owned();
        Self {
            authorization: declared.authorization.as_ref().map(|granted| Authorization {
                granted_by: granted.granted_by.clone(),
                role: granted.role.clone(),
                on: granted.on,
                until: granted.until,
                covers: granted.covers.iter().map(text).collect(),
                active_probes: granted.active_probes,
            }),
            domains: declared
                .domains
                .iter()
                .map(|domain| DeclaredDomain {
                    name: text(&domain.name),
                    sends: domain.sends,
                    receives: domain.receives,
                    selectors: domain.selectors.clone(),
                })
                .collect(),
            hosts: declared
                .hosts
                .iter()
                .map(|host| DeclaredHost {
                    name: text(&host.name),
                    ports: host.ports.clone(),
                    operated_by: host.operated_by.clone(),
                })
                .collect(),
            portals: declared.portals.clone(),
            partners: declared
                .partners
                .iter()
                .map(|partner| DeclaredPartner {
                    domain: text(&partner.domain),
                    phi: partner.phi,
                    tls_delivery: None,
                    incoming: None,
                })
                .collect(),
            vendors: declared.vendors.iter().map(DeclaredVendor::from).collect(),
            exports: declared.exports.clone(),
            reports: declared.reports.clone(),
            messages: declared
                .messages
                .iter()
                .map(|messages| DeclaredMessages { path: messages.path.clone(), mailbox: messages.mailbox.clone() })
                .collect(),
            retention: declared.retention.as_ref().map(|retention| Retention {
                mail_max_days: retention.mail_max_days,
                mail_min_days: retention.mail_min_days,
                record_mailboxes: retention.record_mailboxes.clone(),
                phi_mailboxes: retention.phi_mailboxes.clone(),
                decided: retention.decided,
                file: retention.file.clone(),
                file_sha256: retention.file_sha256.clone(),
            }),
            answers: declared.answers.clone(),
            registers: declared.registers.clone(),
            scope_sha256: declared.scope_sha256.clone(),
        }
    }
}

impl From<&declared::DeclaredVendor> for DeclaredVendor {
    fn from(vendor: &declared::DeclaredVendor) -> Self {
        let handles = |handles: declared::Handles| match handles {
            declared::Handles::Content => "content",
            declared::Handles::Metadata => "metadata",
            declared::Handles::Nothing => "nothing",
        };
        Self {
            id: vendor.id.clone(),
            handles: vendor.handles.map(handles).map(str::to_owned),
            agreement: vendor.agreement.as_ref().map(|agreement| Agreement {
                signed: agreement.signed,
                expires: agreement.expires,
                file: agreement.file.clone(),
                file_sha256: agreement.file_sha256.clone(),
            }),
        }
    }
}
