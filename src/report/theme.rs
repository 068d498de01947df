//! How a report looks for somebody's clients: a logo, a colour, a name, a text on the cover, and
//! templates that stand in place of ours.
//!
//! A theme changes the look, never what is said of the evidence: its texts and templates go through
//! the claims linter, its colour must be readable, and a template sees values only, no file and no
//! network. Every fault is told with its place.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::claims;
use super::templates::{self, Format, Own, TemplateError};
use crate::evidence::hex;
use crate::files::{self, FileError};
use crate::yaml::{self, Located, Spanned};

/// The file of a theme's folder.
pub const FILE: &str = "theme.yaml";
/// Templates in place of ours, by the names ours have.
pub const TEMPLATES: &str = "templates";

const FILE_BYTES: u64 = 64 * 1024;
const LOGO_BYTES: u64 = 512 * 1024;
const COVER_CHARACTERS: usize = 600;
const NAME_CHARACTERS: usize = 120;
/// WCAG 2.1, 1.4.3: text against its ground.
const CONTRAST: f64 = 4.5;
/// The grounds of the style sheet, light and dark.
const GROUNDS: [(&str, [u8; 3]); 2] = [("light", [0xff, 0xff, 0xff]), ("dark", [0x15, 0x18, 0x1b])];

/// Why a theme cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Located(#[from] Located),
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// A theme, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    pub prepared_by: Option<String>,
    pub cover: Option<String>,
    pub logo: Option<Logo>,
    /// `#rrggbb` on the light ground and on the dark one.
    pub accent: Option<[String; 2]>,
    /// Templates in place of ours, by their path.
    pub(super) templates: Own,
    /// Every file of the theme as it was read, by its path in the folder.
    pub files: Vec<(String, Vec<u8>)>,
    /// Over every file of the theme; the report's manifest names it.
    pub sha256: String,
}

/// A picture for the cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    pub bytes: Vec<u8>,
    pub kind: LogoKind,
    pub alt: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoKind {
    Jpeg,
    Png,
}

/// What templates are given of a theme. Every key is there, empty where the theme says nothing.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ThemeView {
    pub prepared_by: String,
    pub cover: String,
    /// A data URI of our own making.
    pub logo: String,
    pub alt: String,
    pub accent: String,
    /// Which templates stand in place of ours; the report says so.
    pub replaced: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    schema: Spanned<u32>,
    prepared_by: Option<Spanned<String>>,
    cover: Option<Spanned<String>>,
    logo: Option<WrittenLogo>,
    accent: Option<WrittenAccent>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLogo {
    file: Spanned<String>,
    alt: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAccent {
    light: Spanned<String>,
    dark: Spanned<String>,
}

impl Theme {
    /// Reads and checks a theme's folder.
    pub fn read(folder: &Path) -> Result<Self, ThemeError> {
        let path = folder.join(FILE);
        let text = files::read_text(&path, FILE_BYTES)?;
        let written: Written = yaml::read(&path, &text)?;
        let at = Place { path: &path, text: &text };
        if written.schema.value != 1 {
            return Err(at.fault(&written.schema, "unknown schema of a theme", "write `schema: 1`").into());
        }
        let mut files = vec![(FILE.to_owned(), text.as_bytes().to_vec())];
        let logo = written.logo.as_ref().map(|logo| at.logo(folder, logo)).transpose()?;
        if let (Some(logo), Some(written)) = (&logo, &written.logo) {
            files.push((written.file.value.clone(), logo.bytes.clone()));
        }
        let templates = templates::own(&folder.join(TEMPLATES))?;
        files.extend(templates.iter().map(|(name, text)| (format!("{TEMPLATES}/{name}"), text.as_bytes().to_vec())));
        let mut digest = Sha256::new();
        files.iter().for_each(|(name, bytes)| hash(&mut digest, name, bytes));
        // A fault is told now, not after the evidence was collected.
        for format in [Format::Html, Format::Summary] {
            templates::load(format, &templates)?;
        }
        Ok(Self {
            prepared_by: at.words(written.prepared_by.as_ref(), NAME_CHARACTERS)?,
            cover: at.words(written.cover.as_ref(), COVER_CHARACTERS)?,
            logo,
            accent: written
                .accent
                .as_ref()
                .map(|accent| Ok::<_, Located>([at.colour(&accent.light, 0)?, at.colour(&accent.dark, 1)?]))
                .transpose()?,
            templates,
            files,
            sha256: hex(&digest.finalize()),
        })
    }

    /// For the templates.
    pub fn view(theme: Option<&Self>) -> ThemeView {
        let Some(theme) = theme else { return ThemeView::default() };
        ThemeView {
            prepared_by: theme.prepared_by.clone().unwrap_or_default(),
            cover: theme.cover.clone().unwrap_or_default(),
            logo: theme.logo.as_ref().map(Logo::data_uri).unwrap_or_default(),
            alt: theme.logo.as_ref().map(|logo| logo.alt.clone()).unwrap_or_default(),
            accent: theme.accent.as_ref().map(|[light, _]| light.clone()).unwrap_or_default(),
            replaced: theme.templates.keys().map(|path| part_of(path)).collect::<Vec<_>>().join(", "),
        }
    }

    /// The colour as a style; empty where the theme names none.
    pub fn style(theme: Option<&Self>) -> String {
        match theme.and_then(|theme| theme.accent.as_ref()) {
            None => String::new(),
            Some([light, dark]) => format!(
                ":root{{--accent:{light}}}@media screen and (prefers-color-scheme:dark){{:root{{--accent:{dark}}}}}\
                 @media screen{{:root:has(#look-dark:checked){{--accent:{dark}}}\
                 :root:has(#look-light:checked){{--accent:{light}}}}}"
            ),
        }
    }
}

impl Logo {
    fn data_uri(&self) -> String {
        let kind = match self.kind {
            LogoKind::Jpeg => "jpeg",
            LogoKind::Png => "png",
        };
        format!("data:image/{kind};base64,{}", STANDARD.encode(&self.bytes))
    }
}

/// `claims` of `partials/claims.html.hbs`.
fn part_of(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}

fn hash(digest: &mut Sha256, name: &str, bytes: &[u8]) {
    digest.update((name.len() as u64).to_be_bytes());
    digest.update(name);
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

/// The file a fault is in.
struct Place<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Place<'_> {
    fn fault<T>(&self, value: &Spanned<T>, what: impl Into<String>, help: &str) -> Located {
        Located::at_value(self.path, self.text, value, what, help)
    }

    fn words(&self, value: Option<&Spanned<String>>, most: usize) -> Result<Option<String>, Located> {
        let Some(value) = value else { return Ok(None) };
        if value.value.chars().count() > most {
            return Err(self.fault(value, format!("the text is longer than {most} characters"), "shorten it"));
        }
        if let Some(claim) = claims::lint(&value.value).into_iter().next() {
            let what = format!("`{}` may not be said: {}", claim.phrase, claim.why);
            return Err(self.fault(value, what, "say what evidence supports, lacks or contradicts"));
        }
        Ok(Some(value.value.clone()))
    }

    fn logo(&self, folder: &Path, logo: &WrittenLogo) -> Result<Logo, ThemeError> {
        let name = &logo.file.value;
        if Path::new(name).components().count() != 1 || name.contains(['/', '\\']) || name.starts_with('.') {
            let what = format!("`{name}` is no plain file name");
            return Err(self.fault(&logo.file, what, "put the picture beside theme.yaml").into());
        }
        let bytes = files::read_bounded(&folder.join(name), LOGO_BYTES)
            .map_err(|error| self.fault(&logo.file, error.to_string(), "a logo is a PNG or JPEG of at most 512 KiB"))?;
        let kind = match bytes.as_slice() {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => LogoKind::Png,
            [0xff, 0xd8, 0xff, ..] => LogoKind::Jpeg,
            _ => {
                return Err(self.fault(&logo.file, "the picture is neither PNG nor JPEG", "convert it to PNG").into());
            }
        };
        let alt = self.words(Some(&logo.alt), NAME_CHARACTERS)?.unwrap_or_default();
        if alt.trim().is_empty() {
            return Err(self
                .fault(&logo.alt, "the picture has no words for those who do not see it", "name it")
                .into());
        }
        Ok(Logo { bytes, kind, alt })
    }

    fn colour(&self, value: &Spanned<String>, ground: usize) -> Result<String, Located> {
        let (name, ground) = GROUNDS[ground];
        let Some(colour) = parse(&value.value) else {
            return Err(self.fault(value, format!("`{}` is no colour", value.value), "write it as \"#1a2b3c\""));
        };
        let contrast = contrast(colour, ground);
        if contrast < CONTRAST {
            let what =
                format!("the colour has a contrast of {contrast:.1} to 1 on the {name} ground; {CONTRAST} is needed");
            return Err(self.fault(value, what, "take a darker colour for light, a lighter one for dark"));
        }
        Ok(value.value.to_ascii_lowercase())
    }
}

fn parse(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    Some([pair(0)?, pair(2)?, pair(4)?])
}

/// WCAG 2.1: the lighter luminance over the darker one, both raised by 0.05.
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let luminance = |colour: [u8; 3]| {
        let [red, green, blue] = colour.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (a, b) = (luminance(one) + 0.05, luminance(other) + 0.05);
    a.max(b) / a.min(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::json::v1::Assessment;
    use crate::report::model::Page;
    use crate::report::{Look, Paper, html, markdown};

    /// One pixel.
    const PNG: &str =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    fn theme(yaml: &str, templates: &[(&str, &str)]) -> (tempfile::TempDir, Result<Theme, ThemeError>) {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            files::make_folder(path.parent().unwrap()).unwrap();
            files::write_whole(&path, bytes).unwrap();
        };
        write(FILE, yaml.as_bytes());
        write("logo.png", &STANDARD.decode(PNG).unwrap());
        write("text.png", b"<svg onload=x>");
        for (name, text) in templates {
            write(&format!("{TEMPLATES}/{name}"), text.as_bytes());
        }
        let read = Theme::read(folder.path());
        (folder, read)
    }

    fn page() -> (Assessment, Page) {
        let text = include_str!("../../fixtures/maple-street-assessment/assessment.json");
        let assessment: Assessment = serde_json::from_str(text).unwrap();
        let page = Page::of(&assessment);
        (assessment, page)
    }

    const GOOD: &str = "schema: 1\nprepared_by: Hartley & Sons\ncover: Prepared for the board.\n\
        logo: { file: logo.png, alt: Hartley }\naccent: { light: \"#1f4e79\", dark: \"#9ab9d4\" }\n";

    #[test]
    fn a_theme_stands_on_the_cover_and_its_words_are_escaped() {
        let (_folder, read) = theme(
            GOOD,
            &[(
                "partials/claims.html.hbs",
                "<section id=\"claims\"><h2>Our own words about {{about.organization}}</h2></section>",
            )],
        );
        let theme = read.unwrap();
        let (assessment, page) = page();
        let shown = html::render_page(&assessment, &page, Some(&theme)).unwrap();
        assert!(shown.contains("Hartley &amp; Sons") && shown.contains("data:image/png;base64,"));
        assert!(shown.contains("Our own words about Maple Street Clinic") && shown.contains("--accent:#1f4e79"));
        assert!(shown.contains("img-src data:"));
        assert!(markdown::render_page(&page, Some(&theme)).unwrap().contains("Hartley"));
        let plain = html::render_page(&assessment, &page, None).unwrap();
        assert!(!plain.contains("img-src") && !plain.contains("<img") && !plain.contains("--accent:"));
    }

    #[cfg(feature = "pdf")]
    #[test]
    fn a_theme_stands_on_the_first_page_of_the_pdf() {
        let (_folder, read) = theme(GOOD, &[]);
        let theme = read.unwrap();
        let (assessment, page) = page();
        let look = Look { theme: Some(&theme), ..Look::default() };
        let with = crate::report::pdf::summary_with(&assessment, &page, look).unwrap();
        assert!(with.windows(15).any(|window| window == b"/Subtype /Image" || window.starts_with(b"/Subtype/Image")));
    }

    #[test]
    fn a_fault_of_a_theme_is_told_with_its_place() {
        for (yaml, line, what) in [
            ("schema: 1\ncover: We are HIPAA compliant.\n", 2, "may not be said"),
            ("schema: 1\nprepared_by: A\naccent: { light: \"#ffee00\", dark: \"#ffffff\" }\n", 3, "contrast"),
            ("schema: 1\naccent: { light: red, dark: \"#ffffff\" }\n", 2, "is no colour"),
            ("schema: 1\nlogo: { file: ../logo.png, alt: x }\n", 2, "no plain file name"),
            ("schema: 1\nlogo: { file: text.png, alt: x }\n", 2, "neither PNG nor JPEG"),
            ("schema: 1\nlogo: { file: logo.png, alt: \"\" }\n", 2, "no words"),
            ("schema: 1\nfont: Comic\n", 2, "font"),
            ("schema: 2\n", 1, "schema"),
        ] {
            let (_folder, read) = theme(yaml, &[]);
            let Err(ThemeError::Located(fault)) = read else { panic!("{yaml} was taken") };
            assert_eq!(fault.line, line, "{fault}");
            assert!(fault.to_string().contains(what), "{fault}");
        }
    }

    #[test]
    fn a_template_that_loops_reaches_out_or_promises_is_refused_with_its_line() {
        const CLAIMS: &str = "partials/claims.html.hbs";
        for (name, text, says) in [
            (CLAIMS, "\n\n<p>You are compliant.</p>", "line 3"),
            (CLAIMS, "\n{{> claims}}", "line 2"),
            (CLAIMS, "\n{{> vendors}}", "line 2"),
            (CLAIMS, "\n{{ > claims}}", "line 2"),
            (CLAIMS, "\n{{> (lookup this \"x\")}}", "line 2"),
            (CLAIMS, "<p>\n{{{about.organization}}}</p>", "line 2"),
            (CLAIMS, "<p>\n{{ &about.organization}}</p>", "line 2"),
            (CLAIMS, "<p>\n{{ {about.organization} }}</p>", "line 2"),
            (CLAIMS, "<p>\n{{#with about.organization as |bar|}}{{{bar}}}{{/with}}</p>", "line 2"),
            (CLAIMS, "\n<img src=\"https://e.example/x.png\">", "line 2"),
            (CLAIMS, "{{#if limits}}\n<p>a</p>\n{{/if}}\n<im{{!}}g sr{{!}}c=x>", "line 4"),
            (CLAIMS, "<link rel=stylesheet href=x>", "line 1"),
            (CLAIMS, "<p onclick=\"x()\">", "line 1"),
            (CLAIMS, "<style>p{background:url(x)}</style>", "line 1"),
            (CLAIMS, "{{#if limits}}", "claims"),
            ("partials/nothing.html.hbs", "x", "replaces nothing"),
            ("report.typ", "x", "replaces nothing"),
            ("risk-analysis.html.hbs", "{{about.organization}}", "stays the program's own"),
            ("executive-summary.html.hbs", "{{about.organization}}", "stays the program's own"),
            ("risk-analysis.md.hbs", "{{about.organization}}", "stays the program's own"),
            ("partials/evidence-bars.html.hbs", "x", "stays the program's own"),
            ("partials/first-screen.html.hbs", "x", "stays the program's own"),
            ("partials/level.html.hbs", "x", "stays the program's own"),
            ("partials/shapes.html.hbs", "x", "stays the program's own"),
            ("partials/head.html.hbs", "x", "stays the program's own"),
            ("partials/review.html.hbs", "x", "stays the program's own"),
            ("partials/sign-off.html.hbs", "x", "stays the program's own"),
        ] {
            let templates = [(name, text), ("partials/vendors.html.hbs", "{{ > claims }}")];
            let templates = if text.contains("vendors") { &templates[..] } else { &templates[..1] };
            let (_folder, read) = theme("schema: 1\n", templates);
            let fault = read.err().unwrap_or_else(|| panic!("{text} was taken")).to_string();
            assert!(fault.contains(says), "{text}: {fault}");
        }
    }

    #[test]
    fn a_section_that_hides_what_follows_or_leads_away_is_refused_when_filled() {
        let (assessment, page) = page();
        for text in [
            "<section id=\"control\"></section><div hidden>",
            "<section id=\"control\"></section><details>",
            "<section id=\"control\"></section></main>",
            "<!-- <section id=\"control\"></section>",
            "<me{{#if about}}ta{{else}}q{{/if}} http-equ{{#if about}}iv{{else}}q{{/if}}=\"refresh\" content=\"0\" title=\"<\">",
            "<p title=\">\">x</p>",
            "<SVG><a href=\"#x\"><set attributeName=\"hr{{#if about}}ef{{else}}q{{/if}}\" to=\"https://elsewhere.example/\"></set></a></SVG>",
            "<svg><a xlink:hr{{#if about}}ef{{else}}q{{/if}}=\"https://elsewhere.example/\"><text>x</text></a></svg>",
            // A slash ends an element in a drawing only, and these stand in none, or in none any more.
            "<rect hidden/>",
            "<section id=\"control\"><rect hidden/></section>",
            "<svg><title><rect hidden/></title></svg>",
            "<svg><text><rect hidden/></text></svg>",
            "<svg><p></p><rect hidden/></svg>",
            "<svg><br><rect hidden/></svg>",
            "<svg></br><rect hidden/></svg>",
            "<svg><g><div></div><circle hidden/></g></svg>",
            "<svg><title><svg><rect hidden/></svg></title></svg>",
            "<SVG><P></P><rect hidden/></SVG>",
            // What is written on a second one is put on the first, around everything.
            "<body hidden></body>",
            "<html hidden></html>",
            "<bo{{#if about}}dy hidden{{else}}q{{/if}}></bo{{#if about}}dy{{else}}q{{/if}}>",
        ] {
            let (_folder, read) = theme("schema: 1\n", &[("partials/control.html.hbs", text)]);
            // Refused as it is read, or as it is filled.
            let Ok(theme) = read else { continue };
            let fault = html::render_page(&assessment, &page, Some(&theme)).err();
            assert!(fault.is_some_and(|fault| fault.to_string().contains("the filled page")), "{text}");
        }
        let drawn =
            "<svg class=\"x\"><title>Ours</title><g><rect width=\"4\"/><text>a <tspan>b</tspan></text></g></svg>";
        let text = format!("<section id=\"control\"><p>Ours.</p>{drawn}</section>");
        let plain = [("partials/control.html.hbs", text.as_str())];
        let (_folder, read) = theme("schema: 1\n", &plain);
        html::render_page(&assessment, &page, Some(&read.unwrap())).unwrap();
    }

    #[test]
    fn what_a_theme_replaces_is_said_on_the_first_screen_and_where_one_signs() {
        let (_folder, read) =
            theme("schema: 1\n", &[("partials/findings.html.hbs", "<section id=\"findings\"></section>")]);
        let theme = read.unwrap();
        let (assessment, page) = page();
        let shown = html::render_page(&assessment, &page, Some(&theme)).unwrap();
        let said = "templates of the theme in place of the program's: findings";
        assert_eq!(shown.matches(said).count(), 2, "on the first screen and at the signatures");
        assert!(shown[..shown.find("</header>").unwrap()].contains(said));
        let summary = html::render_summary(&assessment, &page, Paper::Letter, Some(&theme)).unwrap();
        assert!(summary.contains(said));
        for ours in [html::render_page(&assessment, &page, None), markdown::render_page(&page, Some(&theme))] {
            assert!(!ours.unwrap().contains("in place of the program's"));
        }
    }

    #[test]
    fn a_template_that_names_a_value_that_is_not_there_says_where() {
        let (_folder, read) = theme("schema: 1\n", &[("partials/claims.html.hbs", "<p>\n{{about.salary}}</p>")]);
        let (assessment, page) = page();
        let fault = html::render_page(&assessment, &page, Some(&read.unwrap())).unwrap_err().to_string();
        assert!(fault.contains("claims") && fault.contains("line 2"), "{fault}");
    }

    #[test]
    fn a_page_too_large_or_too_slow_is_stopped() {
        let (_folder, read) = theme(
            "schema: 1\n",
            &[(
                "partials/claims.html.hbs",
                "{{#each findings}}{{#each ../findings}}{{#each ../../findings}}xxxxxxxxxxxxxxxxxxxx{{/each}}{{/each}}{{/each}}",
            )],
        );
        let theme = read.unwrap();
        let values = std::collections::BTreeMap::from([("findings", vec![0; 40])]);
        let fill = |limits| templates::fill(Format::Html, &theme.templates, "claims", "claims", &values, limits);
        let enough = templates::Limits { time: std::time::Duration::from_secs(600), bytes: 4 << 20 };
        assert!(fill(enough).unwrap().len() > 1 << 20);
        let small = templates::Limits { bytes: 1 << 20, ..enough };
        let fault = fill(small).unwrap_err().to_string();
        assert!(fault.contains("larger than 1048576 bytes"), "{fault}");
        let no_time = templates::Limits { time: std::time::Duration::ZERO, ..enough };
        assert!(matches!(fill(no_time), Err(TemplateError::Endless { seconds: 0, .. })));
    }
}
