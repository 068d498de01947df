//! The PDF report and its one-page summary, set by typst: PDF/A-2a and PDF/UA-1, the same bytes
//! for the same assessment.
//!
//! What is shown goes to the templates as a value (a JSON file of the compiler's own small world),
//! never as source text, so no name can become a command. Nothing is read from disk or network:
//! templates and fonts are part of the program.

mod glyphs;
mod world;

use serde::Serialize;
use serde_json::Value;
use typst::foundations::Smart;
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

use super::charts::{self, HeatMap};
use super::html;
use super::json::v1::Assessment;
use super::model::Page;
use super::theme::{Theme, ThemeView};
use super::write::{Look, Paper};
use glyphs::Alphabet;
use world::TemplateWorld;

/// How far the summary is shortened until it stands on one page: type size in points, and the most
/// characters of one sentence.
const SUMMARY_FITS: [(f64, usize); 6] = [(9.5, 260), (8.5, 260), (8.0, 260), (7.5, 240), (7.0, 160), (6.5, 66)];

/// Why a PDF could not be made. Every case is a fault of the program or its templates.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    #[error("template {name}: {why}")]
    Template { name: &'static str, why: String },
    #[error("the summary needs {pages} pages at its smallest; it has to stand on one")]
    SummaryTooLong { pages: usize },
}

/// What the templates are given.
#[derive(Serialize)]
struct Filled<'a> {
    page: &'a Page,
    heat: Heat,
    paper: &'static str,
    /// Type size of the summary in points, and the length its sentences are cut to.
    size: f64,
    longest: usize,
    date: [i16; 3],
    drawings: Drawings,
    theme: PaperTheme,
}

/// What paper shows of a theme.
#[derive(Serialize)]
struct PaperTheme {
    prepared_by: String,
    cover: String,
    alt: String,
    accent: String,
    has_logo: bool,
}

impl PaperTheme {
    fn of(theme: Option<&Theme>) -> Self {
        let ThemeView { prepared_by, cover, logo: _, alt, accent, replaced: _ } = Theme::view(theme);
        Self { prepared_by, cover, alt, accent, has_logo: theme.is_some_and(|theme| theme.logo.is_some()) }
    }
}

/// Figures as SVG, empty where there is nothing to draw. Their text is ours and numbers only.
#[derive(Serialize)]
struct Drawings {
    flow: String,
    timeline: String,
    trend: String,
    /// By domain: mail in its name, TLS with its mail hosts.
    reported: Vec<[String; 2]>,
}

impl Drawings {
    fn of(assessment: &Assessment, page: &Page) -> Self {
        // The look goes in as the first thing of the drawing.
        let styled = |svg: String| match svg.split_once('>') {
            Some((head, rest)) => format!("{head}>{}{rest}", charts::PAPER_STYLE),
            None => svg,
        };
        Self {
            flow: styled(charts::flow(crate::report::model::hop_grades(&page.hops))),
            timeline: charts::timeline(&charts::spans(assessment), page.about.day).map_or_else(String::new, styled),
            trend: charts::Trend::of(assessment).map_or_else(String::new, |trend| styled(charts::trend(&trend))),
            reported: page
                .reported
                .rows
                .iter()
                .map(|row| {
                    let mail = row.mail.as_ref().map(|mail| styled(mail.figure.clone()));
                    let tls = row.tls.as_ref().map(|tls| styled(tls.figure.clone()));
                    [mail, tls].map(Option::unwrap_or_default)
                })
                .collect(),
        }
    }
}

/// The heat map in numbers, 1 to 5 on both sides.
#[derive(Serialize)]
struct Heat {
    words: String,
    levels: Vec<(usize, usize, &'static str)>,
    spots: Vec<(usize, usize, usize, usize)>,
    /// From likelihood and impact, to likelihood and impact.
    moves: Vec<(usize, usize, usize, usize)>,
}

impl Heat {
    fn of(map: &HeatMap) -> Self {
        let rank = charts::rank;
        Self {
            words: charts::in_words(map),
            levels: map.levels.iter().map(|((l, i), level)| (rank(*l), rank(*i), charts::class_of(*level))).collect(),
            spots: map
                .spots
                .iter()
                .map(|((l, i), spot)| (rank(*l), rank(*i), spot.count, spot.low_confidence))
                .collect(),
            moves: map
                .moves
                .keys()
                .filter(|(from, to)| from != to)
                .map(|(from, to)| (rank(from.0), rank(from.1), rank(to.0), rank(to.1)))
                .collect(),
        }
    }
}

/// The whole report.
pub fn report(assessment: &Assessment, page: &Page, paper: Paper) -> Result<Vec<u8>, PdfError> {
    report_with(assessment, page, Look { paper, ..Look::default() })
}

/// As [`report`], in a look.
pub fn report_with(assessment: &Assessment, page: &Page, look: Look<'_>) -> Result<Vec<u8>, PdfError> {
    let filled = filled(assessment, page, look, 10.0, super::model::TEXT_SHOWN);
    made("report.typ", assessment, &filled, None, look)
}

/// The summary on exactly one page.
pub fn executive_summary(assessment: &Assessment, page: &Page, paper: Paper) -> Result<Vec<u8>, PdfError> {
    summary_with(assessment, page, Look { paper, ..Look::default() })
}

/// As [`executive_summary`], in a look.
pub fn summary_with(assessment: &Assessment, page: &Page, look: Look<'_>) -> Result<Vec<u8>, PdfError> {
    let mut pages = 0;
    for (size, longest) in SUMMARY_FITS {
        let filled = filled(assessment, page, look, size, longest);
        match made("executive-summary.typ", assessment, &filled, Some(1), look) {
            Err(PdfError::SummaryTooLong { pages: needed }) => pages = needed,
            done => return done,
        }
    }
    Err(PdfError::SummaryTooLong { pages })
}

fn filled<'a>(assessment: &Assessment, page: &'a Page, look: Look<'_>, size: f64, longest: usize) -> Filled<'a> {
    let day = page.about.day;
    Filled {
        page,
        heat: Heat::of(&html::heat_map(assessment)),
        paper: look.paper.typst_name(),
        theme: PaperTheme::of(look.theme),
        size,
        longest,
        date: [day.year(), i16::from(day.month()), i16::from(day.day())],
        drawings: Drawings::of(assessment, page),
    }
}

/// Sets the page, first with every character some font has, then, should their mixture not be
/// set, with what the text font alone has: no name may cost the document.
fn made(
    name: &'static str,
    assessment: &Assessment,
    filled: &Filled<'_>,
    pages: Option<usize>,
    look: Look<'_>,
) -> Result<Vec<u8>, PdfError> {
    let logo = look.theme.and_then(|theme| theme.logo.as_ref()).map(|logo| logo.bytes.as_slice());
    let value = serde_json::to_value(filled).expect("a page holds only text and numbers");
    let mut failed = None;
    for alphabet in [Alphabet::every_font(), Alphabet::text_font()] {
        let mut value = value.clone();
        // Drawings hold no foreign text and must not be cut.
        let drawings = value["drawings"].take();
        alphabet.keep(&mut value, filled.longest);
        value["drawings"] = drawings;
        match set(name, assessment, &value, pages, logo) {
            Err(PdfError::Template { why, .. }) => failed = failed.or(Some(why)),
            done => return done,
        }
    }
    Err(PdfError::Template { name, why: failed.unwrap_or_default() })
}

fn set(
    name: &'static str,
    assessment: &Assessment,
    value: &Value,
    pages: Option<usize>,
    logo: Option<&[u8]>,
) -> Result<Vec<u8>, PdfError> {
    let world = TemplateWorld::new(name, serde_json::to_vec(value).expect("a value is JSON"), logo);
    let faults = |errors: &[typst::diag::SourceDiagnostic]| PdfError::Template {
        name,
        why: errors.iter().map(|error| error.message.to_string()).collect::<Vec<_>>().join("; "),
    };
    let document: PagedDocument = typst::compile(&world).output.map_err(|errors| faults(&errors))?;
    if let Some(most) = pages
        && document.pages().len() > most
    {
        return Err(PdfError::SummaryTooLong { pages: document.pages().len() });
    }
    let standards =
        PdfStandards::new(&[PdfStandard::A_2a, PdfStandard::Ua_1]).expect("PDF/A-2a and PDF/UA-1 go together");
    let options = PdfOptions {
        ident: Smart::Custom(format!("{name} {} {}", assessment.evidence_digest, assessment.as_of)),
        creator: Smart::Custom(Some(format!("{} {}", assessment.tool.name, assessment.tool.version))),
        standards,
        ..PdfOptions::default()
    };
    let bytes = typst_pdf::pdf(&document, &options).map_err(|errors| faults(&errors));
    // The compiler remembers what it laid out, for editors; a report is set once.
    typst::comemo::evict(0);
    bytes
}

/// The words that stand on paper for values in place of a model's, for tests.
#[cfg(test)]
pub(super) fn words_of_values(assessment: &Assessment, values: &Value) -> String {
    use typst::layout::{Frame, FrameItem};
    fn read(frame: &Frame, words: &mut String) {
        for (_, item) in frame.items() {
            match item {
                FrameItem::Text(text) => words.push_str(&text.text),
                FrameItem::Group(group) => read(&group.frame, words),
                FrameItem::Shape(..) | FrameItem::Image(..) | FrameItem::Link(..) | FrameItem::Tag(..) => {}
            }
        }
        words.push('\n');
    }
    let page = Page::of(assessment);
    let mut value = serde_json::to_value(filled(assessment, &page, Look::default(), 10.0, 2_000)).expect("text");
    value["page"] = values.clone();
    let world = TemplateWorld::new("report.typ", serde_json::to_vec(&value).expect("a value is JSON"), None);
    let document: PagedDocument = typst::compile(&world).output.expect("our template is set");
    let mut words = String::new();
    document.pages().iter().for_each(|page| read(&page.frame, &mut words));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPLE_STREET: &str = include_str!("../../../fixtures/maple-street-assessment/assessment.json");

    fn maple_street() -> Assessment {
        serde_json::from_str(MAPLE_STREET).unwrap()
    }

    fn both(assessment: &Assessment, paper: Paper) -> [Vec<u8>; 2] {
        let page = Page::of(assessment);
        [report(assessment, &page, paper).unwrap(), executive_summary(assessment, &page, paper).unwrap()]
    }

    fn holds(bytes: &[u8], words: &str) -> bool {
        bytes.windows(words.len()).any(|window| window == words.as_bytes())
    }

    #[test]
    fn the_pdf_says_which_standards_it_follows_and_is_the_same_twice() {
        // UPDATE_PAGES=FOLDER also writes the files and the values they are set from.
        let assessment = maple_street();
        if let Ok(folder) = std::env::var("UPDATE_PAGES") {
            let page = Page::of(&assessment);
            let mut value = serde_json::to_value(filled(&assessment, &page, Look::default(), 10.0, 2_000)).unwrap();
            Alphabet::every_font().keep(&mut value, 2_000);
            let path = std::path::Path::new(&folder).join("page.json");
            crate::files::write_whole(&path, &serde_json::to_vec_pretty(&value).unwrap()).unwrap();
        }
        let first = both(&assessment, Paper::Letter);
        for bytes in &first {
            assert!(bytes.starts_with(b"%PDF-1.7"));
            for claim in [
                "<pdfaid:part>2</pdfaid:part>",
                "<pdfaid:conformance>A</pdfaid:conformance>",
                "<pdfuaid:part>1</pdfuaid:part>",
            ] {
                assert!(holds(bytes, claim), "{claim}");
            }
        }
        assert_eq!(first, both(&assessment, Paper::Letter), "two runs, the same bytes");
    }

    #[test]
    fn the_summary_stands_on_one_page_of_either_paper_however_long_the_names() {
        let mut assessment = maple_street();
        for paper in [Paper::Letter, Paper::A4] {
            executive_summary(&assessment, &Page::of(&assessment), paper).unwrap();
        }
        let long = "Very long words of an organization that likes them ".repeat(60);
        assessment.organization.name = long.clone();
        for risk in &mut assessment.risks {
            risk.statement = long.clone();
            risk.owner = Some(long.clone());
        }
        assessment.vantages[0].test_network = vec![long.clone(); 100];
        assessment.vantages[0].test_network.push("x".repeat(5_000));
        executive_summary(&assessment, &Page::of(&assessment), Paper::A4).unwrap();
    }

    #[test]
    fn no_name_costs_the_document() {
        let names = [
            "王小明 診所",
            "👩‍⚕️ clinic",
            "عيادة",
            "a\u{301}\u{489}",
            "#panic() $x$ @label <b> \\ [x](y) `code",
            "\u{1b}[2J\u{202e}",
            "हिन्दी",
            "\u{1F468}\u{200D}",
        ];
        let mut assessment = maple_street();
        for (number, name) in names.into_iter().enumerate() {
            assessment.organization.name = name.to_owned();
            executive_summary(&assessment, &Page::of(&assessment), Paper::Letter).unwrap();
            assessment.findings[number].message = format!("{name} `{name}` forwards");
            assessment.risks[number].owner = Some(name.to_owned());
        }
        report(&assessment, &Page::of(&assessment), Paper::Letter).unwrap();
    }
}
