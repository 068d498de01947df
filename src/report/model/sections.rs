//! The sections of the report, in the order HHS's guidance and an auditor's list ask for, and what
//! each one's first line has to admit.

use serde::Serialize;

use super::words::{and_lack_a_source, capitalized, counted, number, paragraph, sentence};
use crate::report::json::v1::{Assessment, ElementState};

/// One section's head.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// The anchor.
    pub key: &'static str,
    pub number: &'static str,
    pub title: &'static str,
    /// The elements of HHS's guidance that it fills: `[1]`.
    pub elements: &'static str,
    /// What is missing of an element, said in red.
    pub incomplete: Vec<String>,
    /// What partial evidence it rests on.
    pub partly: Vec<String>,
}

/// Every section, by name, for the templates.
#[derive(Clone, Debug, Serialize)]
pub struct Sections {
    pub control: Section,
    pub summary: Section,
    pub claims: Section,
    pub scope: Section,
    pub inventory: Section,
    pub method: Section,
    pub threats: Section,
    pub measures: Section,
    pub findings: Section,
    pub coverage: Section,
    pub register: Section,
    pub matrix: Section,
    pub plan: Section,
    pub vendors: Section,
    pub attestations: Section,
    pub drift: Section,
    pub review: Section,
    pub sign_off: Section,
    pub evidence: Section,
    pub assumptions: Section,
    pub raw: Section,
    pub enforcement: Section,
    pub proposed: Section,
    pub glossary: Section,
    pub traces: Section,
}

impl Sections {
    /// As the reader meets them.
    pub fn in_order(&self) -> Vec<Section> {
        [
            &self.control,
            &self.summary,
            &self.claims,
            &self.scope,
            &self.inventory,
            &self.method,
            &self.threats,
            &self.measures,
            &self.findings,
            &self.coverage,
            &self.register,
            &self.matrix,
            &self.plan,
            &self.vendors,
            &self.attestations,
            &self.drift,
            &self.review,
            &self.sign_off,
            &self.evidence,
            &self.assumptions,
            &self.raw,
            &self.enforcement,
            &self.proposed,
            &self.glossary,
            &self.traces,
        ]
        .into_iter()
        .cloned()
        .collect()
    }
}

/// An element of HHS's guidance that is not filled.
#[derive(Clone, Debug, Serialize)]
pub struct MissingElement {
    pub number: u8,
    pub name: String,
    /// The section that says why.
    pub section: &'static str,
}

/// Where each of the nine elements is reported first.
pub(super) fn section_of(element: u8) -> &'static str {
    match element {
        1 => "scope",
        2 => "inventory",
        3 => "threats",
        4 => "measures",
        5 | 6 => "register",
        7 => "plan",
        9 => "review",
        _ => "control",
    }
}

/// The elements that are not filled, in order.
pub(super) fn missing(assessment: &Assessment) -> Vec<MissingElement> {
    assessment
        .elements
        .iter()
        .filter(|element| element.state == ElementState::Incomplete)
        .map(|element| MissingElement {
            number: element.number,
            name: paragraph(&element.title),
            section: section_of(element.number),
        })
        .collect()
}

/// `3 of the 9 elements …`.
pub(super) fn missing_headline(missing: usize) -> String {
    let verb = if missing == 1 { "is" } else { "are" };
    format!(
        "This risk analysis is not complete: {missing} of the 9 elements that HHS's guidance of 14 July 2010 names {verb} not filled."
    )
}

/// Every section's head.
pub(super) fn sections(assessment: &Assessment) -> Sections {
    let head = |key, number, title, elements| {
        let incomplete = assessment
            .elements
            .iter()
            .filter(|element| element.state == ElementState::Incomplete && section_of(element.number) == key)
            .map(|element| {
                format!(
                    "incomplete: element {}, {}. {}",
                    element.number,
                    paragraph(&element.title),
                    capitalized(&element.why)
                )
            })
            .collect();
        Section { key, number, title, elements, incomplete, partly: partly(assessment, key) }
    };
    Sections {
        control: head("control", "0", "This document", "[8]"),
        summary: head("summary", "1", "Summary", "[7] [8]"),
        claims: head("claims", "2", "What this is, and what it is not", "[1]"),
        scope: head("scope", "3", "Scope", "[1]"),
        inventory: head("inventory", "4", "Where ePHI lies and how mail flows", "[2]"),
        method: head("method", "5", "Method", "[5] [6] [7] [8]"),
        threats: head("threats", "6", "Threats", "[3]"),
        measures: head("measures", "7", "Security measures in place", "[4]"),
        findings: head("findings", "8", "Weaknesses found", "[3]"),
        coverage: head("coverage", "8.1", "What could not be assessed", "[3] [4]"),
        register: head("register", "9", "Risk register", "[5] [6] [7]"),
        matrix: head("matrix", "10", "The Security Rule, paragraph by paragraph", "[4] [7]"),
        plan: head("plan", "11", "Risk management plan", "[7]"),
        vendors: head("vendors", "12", "Vendors and agreements", "[2] [4]"),
        attestations: head("attestations", "13", "Attestations", "[4]"),
        drift: head("drift", "14", "Changes since last time", "[9]"),
        review: head("review", "15", "Review", "[9]"),
        sign_off: head("sign-off", "16", "Sign-off", "[8]"),
        evidence: head("evidence", "A", "Evidence index", "[8]"),
        assumptions: head("assumptions", "B", "Assumptions and unknowns", "[8]"),
        raw: head("raw", "C", "Findings, one by one", "[8]"),
        enforcement: head("enforcement", "D", "Enforcement context", ""),
        proposed: head("proposed", "E", "Proposed rule", ""),
        glossary: head("glossary", "F", "Glossary", ""),
        traces: head("traces", "G", "How each level came about", "[5] [6] [7]"),
    }
}

/// What a section's first line says of the partial evidence it rests on.
fn partly(assessment: &Assessment, key: &str) -> Vec<String> {
    let coverage = &assessment.coverage;
    let open = coverage.not_assessed + coverage.partly_assessed;
    let not_all = |kinds: &[&str]| -> Vec<String> {
        kinds
            .iter()
            .filter_map(|kind| assessment.subjects.get(*kind).map(|subjects| (kind, subjects)))
            .filter(|(_, subjects)| !subjects.complete)
            .map(|(kind, subjects)| {
                let why = subjects.because.as_deref().unwrap_or("no reason was recorded");
                format!(
                    "Partial evidence: {} {} are known, and these may not be all: {}",
                    number(subjects.count as u64),
                    super::words::kind_words(kind),
                    sentence(why)
                )
            })
            .collect()
    };
    match key {
        "summary" | "measures" | "findings" | "register" if open + coverage.not_provided > 0 => {
            vec![format!(
                "Rests on partial evidence: {} not assessed or only in part{} (section 8.1).",
                counted(open, "check was", "checks were"),
                and_lack_a_source(coverage.not_provided)
            )]
        }
        "inventory" => not_all(&["mailbox", "content_folder", "forwarding_rule"]),
        "vendors" => not_all(&["vendor"]),
        "attestations" => not_all(&["attestation"]),
        _ => Vec::new(),
    }
}
