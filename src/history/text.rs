//! A diff for a terminal: 80 columns, no colour, the worst first.

use crate::clock::date_of;
use crate::report::json::v1::diff::{Change, Diff};
use crate::report::json::v1::{ChangeClass, Level};

const WIDTH: usize = 80;
/// Of one class, this many are shown; the document has them all.
const SHOWN: usize = 50;

/// The diff as text. Every line fits the width.
pub fn render(diff: &Diff) -> String {
    let mut page = Page::default();
    page.line(0, &format!("From {} to {}", date_of(diff.from.as_of), date_of(diff.to.as_of)));
    let said: Vec<String> = ChangeClass::ALL
        .into_iter()
        .filter_map(|class| {
            let count = diff.counts.get(class.as_str()).copied().unwrap_or(0);
            (count > 0).then(|| format!("{count} {}", heading(class)))
        })
        .collect();
    page.line(
        0,
        &if said.is_empty() { "No finding changed.".to_owned() } else { format!("Findings: {}.", said.join(", ")) },
    );
    if diff.from.coverage != diff.to.coverage {
        page.line(0, &format!("Coverage: {} % before, {} % now.", diff.from.coverage, diff.to.coverage));
    }
    if !diff.method.is_empty() {
        page.blank();
        page.line(0, "The method changed, so what looks better is not counted as better:");
        for method in &diff.method {
            page.line(2, &format!("{}: {} before, {} now", method.what, method.before, method.after));
        }
    }
    if !diff.risks.is_empty() {
        page.blank();
        page.line(0, "Risks");
        for risk in &diff.risks {
            let level = |level: Option<Level>| level.map_or("none", Level::in_words);
            page.line(
                2,
                &format!(
                    "{}: {} before, {} now ({})",
                    risk.title,
                    level(risk.before),
                    level(risk.after),
                    heading(risk.class)
                ),
            );
        }
    }
    for class in ChangeClass::ALL {
        let changes: Vec<&Change> = diff.changes.iter().filter(|change| change.class == class).collect();
        if changes.is_empty() {
            continue;
        }
        page.blank();
        let mut title = heading(class).to_owned();
        title[..1].make_ascii_uppercase();
        page.line(0, &format!("{title} ({})", changes.len()));
        for change in changes.iter().take(SHOWN) {
            let subject = change.subject.as_ref().map_or_else(String::new, |subject| format!("  {}", subject.name));
            page.line(2, &format!("{:<8}  {}{subject}", change.severity.as_str(), change.check));
            page.line(12, &change.why);
        }
        if changes.len() > SHOWN {
            page.line(2, &format!("and {} more", changes.len() - SHOWN));
        }
    }
    page.text
}

const fn heading(class: ChangeClass) -> &'static str {
    match class {
        ChangeClass::AcceptanceLapsed => "acceptance lapsed",
        ChangeClass::Added => "new",
        ChangeClass::Gone => "gone",
        ChangeClass::Improved => "improved",
        ChangeClass::MethodChanged => "judged otherwise",
        ChangeClass::NewlyBlind => "no longer assessed",
        ChangeClass::NewlySeen => "assessed for the first time",
        ChangeClass::Reopened => "reopened",
        ChangeClass::Resolved => "resolved",
        ChangeClass::Worsened => "worse",
    }
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn blank(&mut self) {
        self.text.push('\n');
    }

    /// One line or, where it is longer than the page, several, the further ones set in.
    fn line(&mut self, indent: usize, text: &str) {
        let text = crate::text::visible(text);
        let mut left = indent;
        let mut line = String::new();
        for word in text.split(' ') {
            let mut word: Vec<char> = word.chars().collect();
            let used = line.chars().count();
            if used > 0 && left + used + 1 + word.len() > WIDTH {
                self.put(left, &line);
                line.clear();
                left = indent + 2;
            }
            if !line.is_empty() {
                line.push(' ');
            }
            // A name longer than a line is cut where the line ends.
            while left + line.chars().count() + word.len() > WIDTH {
                let rest = word.split_off(WIDTH - left - line.chars().count());
                line.extend(word);
                self.put(left, &line);
                line.clear();
                left = indent + 2;
                word = rest;
            }
            line.extend(word);
        }
        self.put(left, &line);
    }

    fn put(&mut self, indent: usize, line: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}
