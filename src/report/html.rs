//! The HTML report: one file without network, for screen and paper. It says everything without its
//! one script, which is the same in every report and let in by its hash.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::charts::{self, HeatMap, Spot};
use super::json::v1::{Assessment, Level};
use super::model::{Page, published_level, words::is_low_confidence};
use super::templates::{self, Format, LIMITS, Own, TemplateError};
use super::theme::{Theme, ThemeView};
use super::write::Paper;

/// Risks whose way from inherent to residual is drawn.
const ARROWS: usize = 10;

#[derive(Serialize)]
struct Filled<'a> {
    #[serde(flatten)]
    page: &'a Page,
    charts: Charts,
    policy: Policy,
    theme: ThemeView,
}

#[derive(Serialize)]
struct Charts {
    heat_map: String,
    /// Empty where nothing was compared.
    trend: String,
    /// Empty where no item has a date.
    timeline: String,
    flow: String,
}

impl Charts {
    fn of(assessment: &Assessment, page: &Page) -> Self {
        Self {
            heat_map: charts::heat_map(&heat_map(assessment)),
            trend: charts::Trend::of(assessment).map_or_else(String::new, |trend| charts::trend(&trend)),
            timeline: charts::timeline(&charts::spans(assessment), page.about.day).unwrap_or_default(),
            flow: charts::flow(super::model::hop_grades(&page.hops)),
        }
    }
}

/// What the content security policy lets in: our two style sheets and our script, by hash, and nothing
/// else.
#[derive(Serialize)]
struct Policy {
    style: &'static str,
    footer_style: String,
    style_sources: String,
    script: &'static str,
    script_source: String,
    /// ` img-src data:;` where a theme has a logo.
    images: &'static str,
}

/// The whole report as one HTML file.
pub fn render(assessment: &Assessment) -> Result<String, TemplateError> {
    let page = Page::of(assessment);
    render_page(assessment, &page, None)
}

/// As [`render`], in the look of a theme.
pub fn render_page(assessment: &Assessment, page: &Page, theme: Option<&Theme>) -> Result<String, TemplateError> {
    let filled = Filled {
        page,
        charts: Charts::of(assessment, page),
        policy: policy(&assessment.evidence_digest, theme),
        theme: Theme::view(theme),
    };
    filled.fill(Format::Html, theme, "risk-analysis", "risk-analysis.html")
}

/// The summary as one HTML file that prints on one page of the given paper.
pub fn render_summary(
    assessment: &Assessment,
    page: &Page,
    paper: Paper,
    theme: Option<&Theme>,
) -> Result<String, TemplateError> {
    let filled = Filled {
        page,
        charts: Charts::of(assessment, page),
        policy: policy_of(summary_style(paper), theme),
        theme: Theme::view(theme),
    };
    filled.fill(Format::Summary, theme, "executive-summary", "executive-summary.html")
}

impl Filled<'_> {
    /// The page; with templates of a theme, held against the same page of the program's own.
    fn fill(
        &self,
        format: Format,
        theme: Option<&Theme>,
        name: &'static str,
        shown: &str,
    ) -> Result<String, TemplateError> {
        let ours = templates::fill(format, &Own::new(), name, shown, self, LIMITS)?;
        let Some(own) = theme.map(|theme| &theme.templates).filter(|own| !own.is_empty()) else { return Ok(ours) };
        let theirs = templates::fill(format, own, name, shown, self, LIMITS)?;
        templates::nothing_added(&ours, &theirs)?;
        Ok(theirs)
    }
}

/// The paper; the style sheet makes the type small enough for one page of it.
fn summary_style(paper: Paper) -> String {
    let size = match paper {
        Paper::A4 => "A4",
        Paper::Letter => "letter",
    };
    format!("@page{{size:{size};margin:12mm}}")
}

/// Text for an element or a quoted attribute: invisible characters written out, markup escaped.
pub fn escape(text: &str) -> String {
    let text = crate::text::visible_cow(text);
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

fn policy(evidence_digest: &str, theme: Option<&Theme>) -> Policy {
    // The digest is hexadecimal by its type's promise; a file may break promises, a style may not.
    let digest: String = evidence_digest.chars().filter(char::is_ascii_hexdigit).take(64).collect();
    let footer_style = format!(
        "@page{{@bottom-left{{content:\"Evidence {digest}\";font:7pt monospace}}\
         @bottom-right{{content:\"Page \" counter(page) \" of \" counter(pages);font:8pt sans-serif}}}}"
    );
    policy_of(footer_style, theme)
}

fn policy_of(mut footer_style: String, theme: Option<&Theme>) -> Policy {
    footer_style.push_str(&Theme::style(theme));
    let style = templates::style();
    let source = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())));
    let style_sources = format!("{} {}", source(style), source(&footer_style));
    let images = if theme.is_some_and(|theme| theme.logo.is_some()) { " img-src data:;" } else { "" };
    let script = templates::script();
    Policy { style, footer_style, style_sources, script, script_source: source(script), images }
}

pub(super) fn heat_map(assessment: &Assessment) -> HeatMap {
    let mut map = HeatMap::default();
    for risk in &assessment.risks {
        let spot = map.spots.entry((risk.residual.likelihood, risk.residual.impact)).or_insert(Spot::default());
        spot.count += 1;
        spot.low_confidence += usize::from(is_low_confidence(risk.confidence));
    }
    for risk in assessment.risks.iter().take(ARROWS) {
        let from = (risk.inherent.likelihood, risk.inherent.impact);
        let to = (risk.residual.likelihood, risk.residual.impact);
        *map.moves.entry((from, to)).or_default() += 1;
    }
    map.levels = levels(assessment);
    map
}

/// The level each cell makes, where the register agrees with the published table.
fn levels(assessment: &Assessment) -> BTreeMap<charts::Cell, Level> {
    if !super::model::follows_published_table(assessment) {
        return BTreeMap::new();
    }
    Level::ALL
        .into_iter()
        .flat_map(|likelihood| {
            Level::ALL.into_iter().map(move |impact| ((likelihood, impact), published_level(likelihood, impact)))
        })
        .collect()
}

/// The page of values in place of a model's, for tests.
#[cfg(test)]
pub(super) fn of_values(assessment: &Assessment, values: &serde_json::Value) -> String {
    let page = Page::of(assessment);
    let filled = Filled {
        page: &page,
        charts: Charts::of(assessment, &page),
        policy: policy(&assessment.evidence_digest, None),
        theme: Theme::view(None),
    };
    let mut filled = serde_json::to_value(&filled).expect("a page holds only text and numbers");
    let fields = values.as_object().expect("a page is an object").clone();
    filled.as_object_mut().expect("a page is an object").extend(fields);
    templates::fill(Format::Html, &Own::new(), "risk-analysis", "risk-analysis.html", &filled, LIMITS)
        .expect("our template is filled")
}
