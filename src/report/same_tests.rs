//! Page, paper and Markdown say the same: every text of the page's model, marked, is looked for in
//! all three.
//!
//! A field that one of them leaves out has to be named below with the reason.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::hostile_tests::full;
use super::json::v1::Assessment;
use super::model::Page;

/// Names that lead somewhere or say how something looks: no statement.
const LOOKS: [&str; 9] = ["anchor", "bar", "class", "elements", "key", "rank", "section", "target", "trace"];

/// Parts that show again what stands in the register or in the heads of sections.
const AGAIN: [&str; 4] = [".cells", ".contents", ".first_risks", ".top_risks"];

/// What one form says in other words.
const OTHERWISE: [(&str, &str); 3] = [
    ("markdown .risks[].grade", "the confidence begins with its letter"),
    ("pdf .risks[].grade", "the confidence begins with its letter"),
    ("pdf .services[].versions[]", "yes, no and a question mark"),
];

/// Every text of the value replaced by a mark of its own; the field each mark stands for.
fn marked(value: &mut Value, path: &str, marks: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            let name = path.rsplit('.').next().unwrap_or_default().trim_end_matches("[]");
            // What is empty is not shown, and a drawing is no statement.
            if text.is_empty() || LOOKS.contains(&name) || text.starts_with("<svg") {
                return;
            }
            // Numbers stay numbers: some are drawn.
            let number = 7_000_001 + marks.len();
            *text = if text.bytes().all(|byte| byte.is_ascii_digit()) {
                number.to_string()
            } else {
                format!("zq{number}q")
            };
            marks.insert(text.clone(), path.to_owned());
        }
        Value::Array(items) => items.iter_mut().for_each(|item| marked(item, &format!("{path}[]"), marks)),
        Value::Object(fields) => {
            fields.iter_mut().for_each(|(name, value)| marked(value, &format!("{path}.{name}"), marks));
        }
        Value::Bool(_) | Value::Null | Value::Number(_) => {}
    }
}

/// The fields of which no mark stands in the text.
fn left_out(shown: &str, marks: &BTreeMap<String, String>) -> BTreeSet<String> {
    let (mut there, mut all) = (BTreeSet::new(), BTreeSet::new());
    for (mark, field) in marks {
        all.insert(field);
        if shown.contains(mark.as_str()) {
            there.insert(field);
        }
    }
    all.difference(&there).map(|field| (*field).clone()).collect()
}

#[test]
fn page_paper_and_markdown_make_the_same_statements() {
    let assessment: Assessment = serde_json::from_value(full()).unwrap();
    let mut page = serde_json::to_value(Page::of(&assessment).with_cases()).unwrap();
    let mut marks = BTreeMap::new();
    marked(&mut page, "", &mut marks);
    assert!(marks.len() > 500);
    let mut forms =
        vec![("html", super::html::of_values(&assessment, &page)), ("markdown", super::markdown::of_values(&page))];
    #[cfg(feature = "pdf")]
    forms.push(("pdf", super::pdf::words_of_values(&assessment, &page)));
    let missing: Vec<(&str, BTreeSet<String>)> =
        forms.iter().map(|(form, shown)| (*form, left_out(shown, &marks))).collect();
    let mut wrong = Vec::new();
    for (form, fields) in &missing {
        for field in fields {
            // What no form says is for other readers of the model.
            let said = missing.iter().any(|(_, others)| !others.contains(field));
            let again = AGAIN.iter().any(|part| field.starts_with(part));
            let name = format!("{form} {field}");
            if said && !again && !OTHERWISE.iter().any(|(known, _)| *known == name) {
                wrong.push(name);
            }
        }
    }
    assert!(wrong.is_empty(), "said elsewhere, and not here:\n{}", wrong.join("\n"));
}
