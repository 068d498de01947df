//! Loads the templates: from the program, or piece by piece from a folder that replaces some.
//!
//! A template may say nothing our claims linter refuses, and may print raw text only where our
//! own code made it (charts and styles). Both are checked on loading, so that a template of an
//! organization's own cannot open a hole.

mod own;

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc;
use std::time::Duration;

use handlebars::{Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderErrorReason};
use include_dir::{Dir, include_dir};
use serde::Serialize;

use super::claims::{self, ForbiddenClaim};
use super::model::{TEXT_SHOWN, words::CUT};
use crate::files::FileError;

pub(super) use own::{nothing_added, own};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/report-templates");

/// A template of an organization's own is at most this large.
const TEMPLATE_BYTES: u64 = 1024 * 1024;
/// What a template may print raw: our own SVG and style sheets.
const RAW_ALLOWED: [&str; 11] = [
    "{{{theme.logo}}}",
    "{{{charts.heat_map}}}",
    "{{{charts.trend}}}",
    "{{{charts.timeline}}}",
    "{{{charts.flow}}}",
    "{{{bar}}}",
    "{{{mail.figure}}}",
    "{{{tls.figure}}}",
    "{{{policy.script}}}",
    "{{{policy.style}}}",
    "{{{policy.footer_style}}}",
];

/// The one script of the report, the same for everybody, let in by its hash.
const SCRIPT: &str = "<script>{{{policy.script}}}</script>";

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("template {name}, {claim}")]
    Claim { name: String, claim: ForbiddenClaim },
    #[error(
        "template {name}, line {line}: it prints text raw at `{found}`; only charts and styles of the program may be raw"
    )]
    Raw { name: String, line: usize, found: String },
    #[error("template {name}, line {line}: {why}")]
    Refused { name: String, line: usize, why: String },
    #[error("template {name} was not filled within {seconds} seconds")]
    Endless { name: String, seconds: u64 },
    #[error("template {name} stays the program's own, since people sign by it; these can be replaced: {known}")]
    Kept { name: String, known: String },
    #[error("template {name} replaces nothing; these can be replaced: {known}")]
    Unknown { name: String, known: String },
    #[error("template {name} cannot be read: {why}")]
    Syntax { name: String, why: String },
    #[error("template {name} cannot be filled: {why}")]
    Fill { name: String, why: String },
}

/// Which page is made, and so how foreign text is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Html,
    Markdown,
    /// HTML that has to fit on one page: texts are cut sooner.
    Summary,
}

/// The most characters of one text in a summary.
const SUMMARY_SHOWN: usize = 240;

impl Format {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Html | Self::Summary => ".html.hbs",
            Self::Markdown => ".md.hbs",
        }
    }

    fn escape(self, text: &str) -> String {
        let text = shortened(self, text);
        match self {
            Self::Html | Self::Summary => super::html::escape(&text),
            Self::Markdown => super::markdown::escape(&text),
        }
    }
}

/// The text up to the length that is shown; a cut says so.
fn shortened(format: Format, text: &str) -> std::borrow::Cow<'_, str> {
    let (longest, cut) = match format {
        Format::Html | Format::Markdown => (TEXT_SHOWN, CUT),
        Format::Summary => (SUMMARY_SHOWN, " …"),
    };
    match text.char_indices().nth(longest) {
        None => text.into(),
        Some((end, _)) => format!("{}{cut}", &text[..end]).into(),
    }
}

/// Templates in place of ours, by their path.
pub(super) type Own = BTreeMap<String, String>;

/// What a page made with templates of one's own is given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) time: Duration,
    pub(super) bytes: usize,
}

pub(super) const LIMITS: Limits = Limits { time: Duration::from_secs(30), bytes: 256 * 1024 * 1024 };

/// Fills one template. Those of an organization's own are given a limit of time and of size.
pub(super) fn fill(
    format: Format,
    own: &Own,
    name: &'static str,
    shown: &str,
    values: &impl Serialize,
    limits: Limits,
) -> Result<String, TemplateError> {
    let registry = load(format, own)?;
    let failed = |why: String| TemplateError::Fill { name: shown.to_owned(), why };
    if own.is_empty() {
        return registry.render(name, values).map_err(|error| failed(error.to_string()));
    }
    let values = serde_json::to_value(values).map_err(|error| failed(error.to_string()))?;
    let (send, receive) = mpsc::channel();
    // A template that does not end keeps its thread until the program ends, which is soon.
    std::thread::spawn(move || {
        let mut page = Bounded { bytes: Vec::new(), most: limits.bytes };
        let filled = registry.render_to_write(name, &values, &mut page).map_err(|error| error.to_string());
        let _ = send.send(filled.map(|()| page.bytes));
    });
    match receive.recv_timeout(limits.time) {
        Ok(Ok(page)) => String::from_utf8(page).map_err(|error| failed(error.to_string())),
        Ok(Err(why)) => Err(failed(why)),
        Err(_) => Err(TemplateError::Endless { name: shown.to_owned(), seconds: limits.time.as_secs() }),
    }
}

/// Takes bytes up to a limit.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            return Err(io::Error::other(format!("the page became larger than {} bytes", self.most)));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Every template of one format, ready to be filled; some replaced.
pub(super) fn load(format: Format, own: &Own) -> Result<Handlebars<'static>, TemplateError> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.set_prevent_indent(true);
    registry.register_escape_fn(move |text| format.escape(text));
    for (name, show) in [("prose", prose as fn(Format, &str) -> String), ("code", code)] {
        registry.register_helper(
            name,
            Box::new(
                move |helper: &Helper<'_>,
                      _: &Handlebars<'_>,
                      _: &Context,
                      _: &mut RenderContext<'_, '_>,
                      out: &mut dyn Output|
                      -> HelperResult {
                    let text = helper.param(0).ok_or(RenderErrorReason::ParamNotFoundForIndex(name, 0))?;
                    out.write(&show(format, text.value().as_str().unwrap_or_default()))?;
                    Ok(())
                },
            ),
        );
    }
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for place in ["", "partials"] {
        let entries = if place.is_empty() { Some(&EMBEDDED) } else { EMBEDDED.get_dir(place) };
        for file in entries.into_iter().flat_map(|dir| dir.files()) {
            let path = file.path();
            let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(name) = file_name.strip_suffix(format.suffix()) else { continue };
            let mine = own.get(&path.display().to_string()).map(String::as_str);
            let text = mine.or(file.contents_utf8()).unwrap_or_default().to_owned();
            check(name, &text)?;
            texts.insert(name.to_owned(), text);
        }
    }
    if !own.is_empty() {
        own::no_circles(&texts)?;
    }
    for (name, text) in texts {
        registry
            .register_template_string(&name, text)
            .map_err(|error| TemplateError::Syntax { name: name.clone(), why: error.to_string() })?;
    }
    Ok(registry)
}

/// The style sheet of the program.
pub(super) fn style() -> &'static str {
    EMBEDDED.get_file("report.css").and_then(include_dir::File::contents_utf8).unwrap_or_default()
}

/// The script of the program: filter, sort and jump.
pub(super) fn script() -> &'static str {
    EMBEDDED.get_file("report.js").and_then(include_dir::File::contents_utf8).unwrap_or_default()
}

/// The typst templates by file name; the PDF is set from them.
#[cfg(feature = "pdf")]
pub(super) fn typst() -> impl Iterator<Item = (&'static str, &'static str)> {
    EMBEDDED.files().filter_map(|file| {
        let name = file.path().file_name()?.to_str()?;
        name.ends_with(".typ").then_some((name, file.contents_utf8()?))
    })
}

/// What every template must obey.
fn check(name: &str, text: &str) -> Result<(), TemplateError> {
    if let Some(claim) = claims::lint(text).into_iter().next() {
        return Err(TemplateError::Claim { name: name.to_owned(), claim });
    }
    let mut rest = text.replace(SCRIPT, "");
    for allowed in RAW_ALLOWED {
        rest = rest.replace(allowed, "");
    }
    for raw in ["{{{", "{{&", "{{~{", "{{~&", "<script"] {
        if let Some(at) = rest.find(raw) {
            let found: String = rest[at..].chars().take(40).collect();
            let line = text.find(raw).map_or(0, |at| own::line(text, at));
            return Err(TemplateError::Raw { name: name.to_owned(), line, found });
        }
    }
    Ok(())
}

/// Text in which words between backticks are shown as code; everything is escaped.
fn prose(format: Format, text: &str) -> String {
    let text = shortened(format, text);
    let pieces: Vec<&str> = text.split('`').collect();
    // An odd number of backticks is no pair: nothing is code then.
    if pieces.len().is_multiple_of(2) {
        return format.escape(&text);
    }
    let mut out = String::with_capacity(text.len() + 32);
    for (at, piece) in pieces.iter().enumerate() {
        match (at % 2 == 1, format) {
            (false, _) => out.push_str(&format.escape(piece)),
            (true, Format::Html | Format::Summary) => {
                out.push_str("<code>");
                out.push_str(&super::html::escape(piece));
                out.push_str("</code>");
            }
            (true, Format::Markdown) => out.push_str(&super::markdown::code(piece)),
        }
    }
    out
}

/// Text as code; everything is escaped.
fn code(format: Format, text: &str) -> String {
    let text = shortened(format, text);
    match format {
        Format::Html | Format::Summary => format!("<code>{}</code>", super::html::escape(&text)),
        Format::Markdown => super::markdown::code(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_prints_raw_or_promises_is_refused() {
        assert!(matches!(check("x", "{{{about.organization}}}"), Err(TemplateError::Raw { .. })));
        assert!(matches!(check("x", "{{& about.organization}}"), Err(TemplateError::Raw { .. })));
        assert!(matches!(check("x", "<script>1</script>"), Err(TemplateError::Raw { .. })));
        assert!(matches!(check("x", "You are HIPAA compliant."), Err(TemplateError::Claim { .. })));
        assert!(check("x", "{{{charts.heat_map}}} {{about.organization}}").is_ok());
    }

    #[test]
    fn every_template_of_the_program_loads() {
        for format in [Format::Html, Format::Markdown, Format::Summary] {
            load(format, &Own::new()).unwrap();
        }
        assert!(style().contains("--level-5"));
    }

    #[test]
    fn code_is_escaped_and_an_odd_backtick_is_no_code() {
        assert_eq!(prose(Format::Html, "use `<b>` now"), "use <code>&lt;b&gt;</code> now");
        assert!(!prose(Format::Html, "a ` b <i>").contains("<code>"));
    }
}
