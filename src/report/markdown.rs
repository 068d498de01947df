//! The Markdown report: the same content as the page, for repositories, tickets and diff.
//!
//! Foreign text stays text: nothing in it can become a heading, a link, a table cell or markup.

use super::json::v1::Assessment;
use super::model::Page;
use super::templates::{self, Format, LIMITS, Own, TemplateError};
use super::theme::{Theme, ThemeView};

/// The whole report as Markdown (CommonMark with tables).
pub fn render(assessment: &Assessment) -> Result<String, TemplateError> {
    render_page(&Page::of(assessment), None)
}

/// As [`render`], in the look of a theme.
pub fn render_page(page: &Page, theme: Option<&Theme>) -> Result<String, TemplateError> {
    #[derive(serde::Serialize)]
    struct Filled<'a> {
        #[serde(flatten)]
        page: &'a Page,
        theme: ThemeView,
    }
    let filled = Filled { page, theme: Theme::view(theme) };
    // One template holds all of it, so none of it can be replaced.
    templates::fill(Format::Markdown, &Own::new(), "risk-analysis", "risk-analysis.md", &filled, LIMITS)
}

/// The report of values in place of a model's, for tests.
#[cfg(test)]
pub(super) fn of_values(values: &serde_json::Value) -> String {
    let mut values = values.clone();
    values["theme"] = serde_json::to_value(Theme::view(None)).expect("a theme is text");
    templates::fill(Format::Markdown, &Own::new(), "risk-analysis", "risk-analysis.md", &values, LIMITS)
        .expect("our template is filled")
}

/// Text that Markdown shows as it is, wherever it stands: in a line, at its start, in a cell.
pub fn escape(text: &str) -> String {
    let text = crate::text::visible_cow(text);
    let mut out = String::with_capacity(text.len() + 8);
    let mut at_start = true;
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        let needs_escape = match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => true,
            // What would begin a heading, a list, a rule or a quotation.
            '#' | '+' | '-' | '=' => at_start,
            // `1.` and `1)` at the start of a line make a list.
            '.' | ')' if before.is_ascii_digit() => {
                let ends = text[at + 1..].chars().next().is_none_or(char::is_whitespace);
                ends && text[..at].bytes().all(|byte| byte.is_ascii_digit())
            }
            // Links that some readers make of bare addresses.
            ':' => text[at..].starts_with("://"),
            '.' => text[..at].to_ascii_lowercase().ends_with("www"),
            _ => false,
        };
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            other => {
                if needs_escape {
                    out.push('\\');
                }
                out.push(other);
            }
        }
        at_start = at_start && character == ' ';
        before = character;
    }
    out
}

/// Text as a code span; what cannot stand in one is shown as plain text.
pub fn code(text: &str) -> String {
    let shown = crate::text::visible_cow(text);
    if shown.is_empty() || shown.contains(['`', '|', '<', '&']) || shown.trim() != shown {
        return escape(text);
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_foreign_becomes_markup() {
        assert_eq!(escape("# a"), "\\# a");
        assert_eq!(escape("1. a 2. b"), "1\\. a 2. b");
        assert_eq!(escape("164.312(b)"), "164.312(b)");
        assert_eq!(escape("7)"), "7\\)");
        assert_eq!(escape("a|b"), "a\\|b");
        assert_eq!(escape("[x](http://e.example)"), "\\[x\\](http\\://e.example)");
        assert_eq!(escape("<b>&amp;"), "&lt;b&gt;&amp;amp;");
        assert_eq!(escape("a\nb"), "a⟨U+000A⟩b");
        assert_eq!(escape("WWW.x"), "WWW\\.x");
    }

    #[test]
    fn a_code_span_cannot_be_left() {
        assert_eq!(code("dns.domain#12"), "`dns.domain#12`");
        assert_eq!(code("a`b"), "a\\`b");
        assert_eq!(code("a|b"), "a\\|b");
        assert_eq!(code("<b>"), "&lt;b&gt;");
    }
}
