//! Templates of an organization's own: which they may replace, and what they may not do.
//!
//! They are filled with values only. What would load something, run something, include itself or
//! nest loops without end is refused before it is filled, with its line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::{EMBEDDED, TEMPLATE_BYTES, TemplateError};
use crate::files;

/// Loops inside loops inside loops: ours need two.
const NESTED: usize = 3;
/// Files looked at in a folder of templates.
const FILES: usize = 200;

/// What a template of one's own may not hold, and why.
static FORBIDDEN: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    const LOADS: &str = "it would load, run or send something";
    [
        (
            r"(?i)<\s*(?:script|link|iframe|frame|object|embed|base|form|input|button|img|audio|video|source|meta)\b",
            LOADS,
        ),
        (r"(?i)\b(?:src|srcset|action|formaction|background|poster)\s*=", LOADS),
        (r#"(?i)\bhref\s*=\s*["']?\s*[^"'#\s]"#, "a link leads only inside the report"),
        (r"(?i)\son[a-z]+\s*=", LOADS),
        (r"(?i)@import|url\s*\(|javascript:|expression\s*\(", LOADS),
        (r"\{\{~?#?>\s*\(", "a template names what it includes"),
        (r"\{\{~?#?\*|\{\{\{\{|\{\{~?#>", "inline templates and raw blocks are not taken"),
    ]
    .into_iter()
    .map(|(pattern, why)| (Regex::new(pattern).expect("the patterns are valid, tested below"), why))
    .collect()
});
static INCLUDE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{\{~?>\s*([A-Za-z0-9_-]+)").expect("valid"));
static LOOP: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{\{~?(#each|/each)\b").expect("valid"));

/// Every file of the folder by its name there, each replacing one of ours.
pub(in crate::report) fn own(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, TemplateError> {
    let mut found = BTreeMap::new();
    for place in ["", "partials"] {
        let Ok(entries) = std::fs::read_dir(folder.join(place)) else { continue };
        for entry in entries.flatten().take(FILES).filter(|entry| entry.path().is_file()) {
            let file = entry.file_name().to_string_lossy().into_owned();
            let name = if place.is_empty() { file } else { format!("{place}/{file}") };
            if !name.ends_with(".hbs") || EMBEDDED.get_file(&name).is_none() {
                return Err(TemplateError::Unknown { name, known: known() });
            }
            let bytes = files::read_bounded(&entry.path(), TEMPLATE_BYTES)?;
            found.insert(name, bytes);
        }
    }
    Ok(found)
}

fn known() -> String {
    let names = |folder: &include_dir::Dir<'static>| -> Vec<String> {
        folder.files().map(|file| file.path().display().to_string()).filter(|name| name.ends_with(".hbs")).collect()
    };
    let mut all = names(&EMBEDDED);
    all.extend(EMBEDDED.get_dir("partials").map(names).unwrap_or_default());
    all.sort();
    all.join(", ")
}

/// What one template of one's own must obey besides what all must.
pub(super) fn check(name: &str, text: &str) -> Result<(), TemplateError> {
    let refused = |at: usize, why: &str| TemplateError::Refused {
        name: name.to_owned(),
        line: line(text, at),
        why: why.to_owned(),
    };
    for (pattern, why) in FORBIDDEN.iter() {
        if let Some(hit) = pattern.find(text) {
            return Err(refused(hit.start(), &format!("`{}`: {why}", hit.as_str().trim())));
        }
    }
    let mut depth = 0_usize;
    for hit in LOOP.find_iter(text) {
        depth = if hit.as_str().ends_with("#each") { depth + 1 } else { depth.saturating_sub(1) };
        if depth > NESTED {
            return Err(refused(hit.start(), "it nests loops too deep"));
        }
    }
    Ok(())
}

/// No template may include itself, also by way of others.
pub(super) fn no_circles(texts: &BTreeMap<String, String>) -> Result<(), TemplateError> {
    let includes: BTreeMap<&str, Vec<(&str, usize)>> = texts
        .iter()
        .map(|(name, text)| {
            let found = INCLUDE.captures_iter(text).filter_map(|hit| {
                let included = hit.get(1)?;
                Some((included.as_str(), line(text, included.start())))
            });
            (name.as_str(), found.collect())
        })
        .collect();
    for (name, first) in &includes {
        let mut seen = BTreeSet::new();
        let mut open = first.clone();
        while let Some((included, at)) = open.pop() {
            if included == *name {
                let why = format!("`{{{{> {included}}}}}`: it includes itself");
                return Err(TemplateError::Refused { name: (*name).to_owned(), line: at, why });
            }
            if seen.insert(included) {
                // The line is that of the first step, in the template that is told.
                open.extend(includes.get(included).into_iter().flatten().map(|(next, _)| (*next, at)));
            }
        }
    }
    Ok(())
}

/// From 1.
pub(super) fn line(text: &str, at: usize) -> usize {
    1 + text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_partials_can_be_taken_as_a_start() {
        let partials = EMBEDDED.get_dir("partials").unwrap();
        for file in partials.files().filter(|file| file.path().to_string_lossy().ends_with(".html.hbs")) {
            let name = file.path().display().to_string();
            let text = file.contents_utf8().unwrap();
            // The cover shows the logo, which only the program's own template may.
            if !name.contains("first-screen") {
                check(&name, text).unwrap();
            }
        }
    }
}
