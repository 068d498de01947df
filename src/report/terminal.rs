//! The summary for a terminal: 80 columns, words with symbols, colour only on top of them.

use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use tabled::builder::Builder;
use tabled::settings::{Padding, Style as Lines};

use super::json::v1::{Assessment, Level, Outcome, Severity};
use super::model::words::{and_lack_a_source, counted, number, paragraph, plain_words};
use super::model::{FindingGroup, Page, masked};
use crate::text::visible;

/// Columns of a line.
const WIDTH: usize = 80;
/// Findings listed.
const WORST: usize = 10;
/// Reasons listed for what was not assessed; with the line above them these are at most five.
const GAPS: usize = 4;

/// What a summary shows besides the assessment.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether words may be coloured. Nothing is said by colour alone.
    pub color: bool,
    /// The files that were written.
    pub files: Vec<PathBuf>,
    /// The one command to run next; the worst finding's explanation where it is `None`.
    pub next: Option<String>,
}

/// How bad it is, the worst ten, what is not known, and where to go on.
pub fn summary(assessment: &Assessment, options: &Options) -> String {
    let page = Page::of(assessment);
    let mut out: Vec<String> = Vec::new();
    headline(assessment, &page, &mut out);
    worst(&page, &mut out);
    not_assessed(assessment, &page, &mut out);
    changes(assessment, &mut out);
    ending(assessment, &page, options, &mut out);
    let mut text = String::new();
    for line in out {
        // Everything shown passes here, so nothing invisible and no wide line gets by.
        let line = cut(&visible(line.trim_end()), WIDTH);
        text.push_str(&if options.color { coloured(&line) } else { line });
        text.push('\n');
    }
    text
}

fn headline(assessment: &Assessment, page: &Page, out: &mut Vec<String>) {
    out.push(format!("{}: e-mail risk analysis", page.about.organization));
    out.push(format!("as of {}. {}", page.about.as_of, page.about.state));
    if let Some(masked) = masked(assessment) {
        out.push(format!("! {masked}"));
    }
    if !page.about.test_network.is_empty() {
        out.push(format!("! made with test-network options: {}", page.about.test_network.join(" ")));
    }
    out.push(String::new());
    let mut table = Builder::new();
    let failed = |severity| {
        assessment
            .findings
            .iter()
            .filter(|finding| finding.outcome == Outcome::Fail && finding.severity == severity)
            .count()
    };
    let findings = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info]
        .map(|severity| format!("{} {}", number(failed(severity) as u64), severity.as_str()));
    table.push_record(["Findings".to_owned(), findings.join(", ")]);
    let at = |level| assessment.risks.iter().filter(|risk| risk.residual.risk == level).count();
    let risks = [Level::VeryHigh, Level::High, Level::Moderate, Level::Low, Level::VeryLow]
        .map(|level| format!("{} {}", number(at(level) as u64), level.in_words()));
    let risks = if assessment.risks.is_empty() { "? no scenario was analysed".to_owned() } else { risks.join(", ") };
    table.push_record(["Risks now".to_owned(), risks]);
    if let Some(figure) = page.figures.get(2) {
        table.push_record(["Coverage".to_owned(), format!("{} {}; {}", figure.value, figure.label, figure.note)]);
    }
    out.extend(tabled(table));
    if !page.missing.is_empty() {
        let elements: Vec<String> = page.missing.iter().map(|element| element.number.to_string()).collect();
        let noun = if elements.len() == 1 { "element" } else { "elements" };
        out.push(format!("! incomplete: {noun} {} (of the nine of HHS's guidance)", elements.join(", ")));
    }
}

fn worst(page: &Page, out: &mut Vec<String>) {
    out.push(String::new());
    if page.findings.is_empty() {
        out.push("Nothing failed. That says nothing about what was not assessed.".to_owned());
        return;
    }
    let mut groups: Vec<&FindingGroup> = page.findings.iter().collect();
    groups.sort_by_key(|group| (group.outcome != Outcome::Fail, std::cmp::Reverse(group.severity_is)));
    out.push(format!("Worst of {}", counted(groups.len(), "finding", "findings by check")));
    let mut table = Builder::new();
    for group in groups.iter().take(WORST) {
        let more = if group.count > 1 { format!("(+{}) ", number(group.count as u64 - 1)) } else { String::new() };
        table.push_record([
            group.outcome_word.to_owned(),
            group.severity.word.clone(),
            cut(&visible(&format!("{more}{}", group.said)), WIDTH),
        ]);
    }
    out.extend(tabled(table));
}

fn not_assessed(assessment: &Assessment, page: &Page, out: &mut Vec<String>) {
    let coverage = &assessment.coverage;
    out.push(String::new());
    out.push(format!(
        "Not assessed: {}, {} in part{}",
        counted(coverage.not_assessed, "check", "checks"),
        number(coverage.partly_assessed as u64),
        and_lack_a_source(coverage.not_provided)
    ));
    // One line is kept for what does not fit.
    let shown = if page.gaps.len() > GAPS { GAPS - 1 } else { GAPS };
    for gap in page.gaps.iter().take(shown) {
        out.push(format!("? {}: {}", counted(gap.check_count, "check", "checks"), gap.because));
    }
    if page.gaps.len() > shown {
        out.push(format!("? and {}", counted(page.gaps.len() - shown, "more reason", "more reasons")));
    }
}

fn changes(assessment: &Assessment, out: &mut Vec<String>) {
    let Some(drift) = &assessment.drift else { return };
    let parts: Vec<String> = super::json::v1::ChangeClass::ALL
        .into_iter()
        .filter_map(|class| {
            let count = drift.counts.get(class.as_str()).copied().filter(|count| *count > 0)?;
            Some(format!("{} {}", number(count as u64), plain_words(class.as_str())))
        })
        .collect();
    out.push(String::new());
    let since = crate::clock::date_of(drift.from.as_of);
    let what = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
    out.push(format!("Changed since {since}: {what}"));
}

fn ending(assessment: &Assessment, page: &Page, options: &Options, out: &mut Vec<String>) {
    out.push(String::new());
    for gate in &assessment.gates {
        out.push(format!(
            "! gate {} (exit code {}): {}",
            plain_words(&gate.gate),
            gate.exit_code,
            paragraph(&gate.why)
        ));
    }
    wrote(&options.files, out);
    let next = options.next.clone().or_else(|| page.findings.first().map(|group| group.command.clone()));
    if let Some(next) = next {
        out.push(format!("next: {next}"));
    }
}

/// The files that were written; many in one folder are named together.
fn wrote(files: &[PathBuf], out: &mut Vec<String>) {
    let folder = files.first().and_then(|file| file.parent());
    if files.len() <= 3 || files.iter().any(|file| file.parent() != folder) {
        out.extend(files.iter().map(|file| format!("wrote {}", file.display())));
        return;
    }
    out.push(format!("wrote {}", folder.unwrap_or(Path::new(".")).display()));
    let mut line = String::new();
    for name in files.iter().filter_map(|file| file.file_name()).map(|name| name.to_string_lossy()) {
        if !line.is_empty() && line.chars().count() + name.chars().count() + 4 > WIDTH {
            out.push(format!("  {line},"));
            line.clear();
        }
        if !line.is_empty() {
            line.push_str(", ");
        }
        line.push_str(&name);
    }
    out.push(format!("  {line}"));
}

/// A table without lines, columns two blanks apart.
fn tabled(builder: Builder) -> Vec<String> {
    let mut table = builder.build();
    table.with(Lines::empty()).with(Padding::new(0, 2, 0, 0));
    table.to_string().lines().map(str::to_owned).collect()
}

/// The text cut to so many columns, with an ellipsis where something is left out.
fn cut(text: &str, columns: usize) -> String {
    let mut used = 0;
    let mut end = 0;
    for (at, character) in text.char_indices() {
        let wide = columns_of(character);
        if used + wide > columns {
            let kept: String = text[..end].trim_end().to_owned();
            return format!("{kept}…");
        }
        used += wide;
        // One column is kept free for the ellipsis.
        if used < columns {
            end = at + character.len_utf8();
        }
    }
    text.to_owned()
}

/// Columns a terminal gives a character: two for East Asian wide forms and pictographs.
fn columns_of(character: char) -> usize {
    match u32::from(character) {
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// The line with the words at its start coloured; the text itself stays as it is.
fn coloured(line: &str) -> String {
    let paint = |style: Style, words: &str, rest: &str| format!("{style}{words}{style:#}{rest}");
    for (words, color) in [
        ("x fail", AnsiColor::Red),
        ("! review", AnsiColor::Yellow),
        ("! incomplete", AnsiColor::Red),
        ("! gate", AnsiColor::Red),
        ("! made with", AnsiColor::Yellow),
        ("? ", AnsiColor::Cyan),
    ] {
        if let Some(rest) = line.strip_prefix(words) {
            return paint(Style::new().fg_color(Some(color.into())).bold(), words, rest);
        }
    }
    line.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_with_an_ellipsis_and_wide_characters_count_twice() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("漢字漢字", 6), "漢字…");
        assert_eq!(cut("", 6), "");
    }
}
