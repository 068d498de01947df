//! Writes the reference of checks, facts and thresholds: `docs/checks.md` is generated, never
//! retyped.

use std::fmt::Write;

use super::{AREAS, Catalog, Check, Supports};
use crate::facts;
use crate::facts::shape::{FactShape, Shape};

/// The whole reference as Markdown.
pub fn reference(catalog: &Catalog) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line("# Checks");
    line("");
    line(
        "Generated from the catalogue by `UPDATE=1 cargo test docs_are_current`; edit the files in `checks/` instead.",
    );
    line("");
    line(&format!("Catalogue {}: {} checks, {} examples.", catalog.version, catalog.checks.len(), catalog.examples()));
    line(
        "A check passes, fails, needs review, does not apply, or is not assessed because a fact it needs is not known.",
    );
    let own = catalog.checks.values().filter(|check| !AREAS.contains(&check.area.as_str()));
    let areas = AREAS.into_iter().chain(own.map(|check| check.area.as_str()));
    for area in areas {
        let checks: Vec<_> = catalog.checks.values().filter(|check| check.area == area).collect();
        if checks.is_empty() {
            continue;
        }
        line("");
        line(&format!("## {area}"));
        for check in checks {
            line("");
            line(&describe(check));
        }
    }
    line("");
    line("## Thresholds");
    line("");
    line("| name | value | unit | source | date |");
    line("|---|---|---|---|---|");
    for threshold in catalog.thresholds.values() {
        line(&format!(
            "| `limit.{}` | {} | {} | {} | {} |",
            threshold.name,
            threshold.value,
            cell(&threshold.unit),
            cell(&threshold.source),
            threshold.date
        ));
    }
    line("");
    line("## Facts");
    line("");
    line(
        "What an expression can read. Every group also has `state`: `present`, `absent` or `malformed`. Each subject has a `name`.",
    );
    for (kind, shapes) in facts::shapes() {
        line("");
        line(&format!("### {kind}"));
        line("");
        line("| fact | type | meaning |");
        line("|---|---|---|");
        for shape in shapes {
            for row in rows(kind.as_str(), shape) {
                line(&row);
            }
        }
    }
    out
}

fn describe(check: &Check) -> String {
    let mut out = String::new();
    let mut write = |text: std::fmt::Arguments<'_>| out.write_fmt(text).expect("writing to a string succeeds");
    write(format_args!("### {}\n\n{}.\n\n", check.id, check.title.trim_end_matches('.')));
    let catalogue = check.catalogue.as_ref().map_or_else(String::new, |id| format!(", catalogue {id}"));
    write(format_args!("- about each {}, severity {}{catalogue}\n", check.subject.in_words(), check.severity.as_str()));
    write(format_args!("- applies when `{}`\n", check.applies_when().text()));
    if let Some(review_when) = check.review_when() {
        let question = check.question.as_deref().unwrap_or_default();
        write(format_args!("- needs review when `{}`: {question}\n", review_when.text()));
    }
    write(format_args!("- passes when `{}`\n", check.pass_when().text()));
    let cites = check.cites.iter().map(|cite| match cite.supports {
        Supports::Direct => cite.spec.clone(),
        Supports::Indirect => format!("{} (indirect)", cite.spec),
    });
    write(format_args!("- speaks to {}\n", cites.collect::<Vec<_>>().join(", ")));
    write(format_args!("- why: {}\n- fix: {}", check.why.trim(), check.fix.trim()));
    for reference in &check.references {
        write(format_args!("\n- see {reference}"));
    }
    out
}

/// One row for a plain fact, one for each field of a group.
fn rows(kind: &str, fact: &FactShape) -> Vec<String> {
    let row = |path: String, shape: Shape, doc: &str| {
        let doc = doc.trim().replace("  ", " ");
        format!("| `{path}` | {} | {} |", in_words(shape, fact.can_be_absent), cell(&doc))
    };
    match fact.shape {
        Shape::Boolean | Shape::Integer | Shape::List | Shape::Text => {
            vec![row(format!("{kind}.{}", fact.name), fact.shape, fact.doc)]
        }
        Shape::Group(fields) => fields
            .iter()
            .map(|field| row(format!("{kind}.{}.{}", fact.name, field.name), field.shape, field.doc))
            .collect(),
    }
}

fn in_words(shape: Shape, can_be_absent: bool) -> String {
    let word = match shape {
        Shape::Boolean => "true or false",
        Shape::Group(_) => "group",
        Shape::Integer => "whole number",
        Shape::List => "list of texts",
        Shape::Text => "text",
    };
    if can_be_absent { format!("{word}, can be absent") } else { word.to_owned() }
}

/// Text that does not end a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
