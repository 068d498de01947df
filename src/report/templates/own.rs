//! Templates of an organization's own: which they may replace, and what they may not do.
//!
//! They are filled with values only. What would load something, run something, print text raw,
//! include itself or nest loops without end is refused before it is filled, with its line: by the
//! parsed template, never by how it is written. The pages around them, and what somebody signs, stay
//! the program's own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

use handlebars::Template;
use handlebars::template::{DecoratorTemplate, HelperTemplate, Parameter, TemplateElement};
use regex::Regex;

use super::{EMBEDDED, RAW_ALLOWED, TEMPLATE_BYTES, TemplateError};
use crate::files;
use crate::report::claims;

/// Loops inside loops inside loops: ours need two.
const NESTED: usize = 3;
/// Files looked at in a folder of templates.
const FILES: usize = 200;

/// What stays the program's own: the pages with their security policy, the first screen, the heads
/// that say what is missing, the review, what is signed, what all of these are made of, and Markdown,
/// which is one template.
const KEPT: [&str; 11] = [
    "executive-summary.html.hbs",
    "partials/evidence-bars.html.hbs",
    "partials/first-screen.html.hbs",
    "partials/head.html.hbs",
    "partials/head.md.hbs",
    "partials/level.html.hbs",
    "partials/review.html.hbs",
    "partials/shapes.html.hbs",
    "partials/sign-off.html.hbs",
    "risk-analysis.html.hbs",
    "risk-analysis.md.hbs",
];

const LOADS: &str = "it would load, run or send something";

/// What the text of a template of one's own may not hold, and why.
static FORBIDDEN: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (TAGS, LOADS),
        (FRAME, "what stands around the sections is the program's own"),
        (r"(?i)\b(?:src|srcset|action|formaction|background|poster|http-equiv)\s*=", LOADS),
        (r"(?i)\son[a-z]+\s*=", LOADS),
        (r"(?i)@import|url\s*\(|javascript:|expression\s*\(", LOADS),
    ]
    .into_iter()
    .map(|(pattern, why)| (Regex::new(pattern).expect("the patterns are valid, tested below"), why))
    .collect()
});
const TAGS: &str = r"(?i)<\s*/?\s*(?:script|link|iframe|frame|object|embed|base|form|input|button|img|image|audio|video|source|meta|foreignobject|plaintext)\b";
/// Elements of which a page has one: what is written on a second one, a browser puts on the first.
const FRAME: &str = r"(?i)<\s*/?\s*(?:html|body|head|frameset)\b";
static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)\bhref\b").expect("valid"));
static ENTITY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"&(?:#|[A-Za-z]+)").expect("valid"));
static MARKUP: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<[^<>]*>").expect("valid"));
/// A tag of a filled page that could load, run or send something, or speak for the page, whatever made it.
static GUARDED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r#"{TAGS}[^<>]*>|{FRAME}[^<>]*>|(?i)<[^<>]*\s(?:[a-z]+:)?(?:on[a-z]+|style|src|href)\s*=\s*(?:"[^#][^<>]*|'[^<>]*|[^"'\s][^<>]*)>"#
    ))
    .expect("valid")
});

/// A tag as all of ours are written: its name in small letters, no bracket in a value, and space before each
/// attribute.
static PLAIN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^<(/?)([a-z][a-z0-9-]*)((?:\s+[A-Za-z_:][A-Za-z0-9_:.-]*(?:="[^"<>]*")?)*)\s*(/?)>"#).expect("valid")
});
/// What somebody reads before signing.
const STAND: [&str; 2] = ["<section id=\"review\"", "<section id=\"sign-off\""];
/// Elements that never hold anything.
const EMPTY: [&str; 6] = ["br", "col", "hr", "img", "input", "wbr"];
/// Elements of drawings that end in themselves; outside a drawing a slash ends nothing.
const DRAWN: [&str; 7] = ["circle", "line", "path", "polygon", "polyline", "rect", "use"];
/// What holds them; an element of HTML ends the drawing around it, and what follows is HTML again.
const DRAWN_IN: [&str; 6] = ["a", "defs", "g", "pattern", "svg", "symbol"];
/// Elements of drawings that hold words; within `title` and `desc` a tag is HTML again.
const DRAWN_TEXT: [&str; 4] = ["desc", "text", "title", "tspan"];

/// Every file of the folder by its name there, each replacing one of ours, checked.
pub(in crate::report) fn own(folder: &Path) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut found = BTreeMap::new();
    for place in ["", "partials"] {
        let Ok(entries) = std::fs::read_dir(folder.join(place)) else { continue };
        for entry in entries.flatten().take(FILES).filter(|entry| entry.path().is_file()) {
            let file = entry.file_name().to_string_lossy().into_owned();
            let name = if place.is_empty() { file } else { format!("{place}/{file}") };
            if KEPT.contains(&name.as_str()) {
                return Err(TemplateError::Kept { name, known: replaceable() });
            }
            if !name.ends_with(".hbs") || EMBEDDED.get_file(&name).is_none() {
                return Err(TemplateError::Unknown { name, known: replaceable() });
            }
            let text = files::read_text(&entry.path(), TEMPLATE_BYTES)?;
            check(&name, &text)?;
            found.insert(name, text);
        }
    }
    Ok(found)
}

fn replaceable() -> String {
    let names = |folder: &include_dir::Dir<'static>| -> Vec<String> {
        folder.files().map(|file| file.path().display().to_string()).collect()
    };
    let mut all = names(&EMBEDDED);
    all.extend(EMBEDDED.get_dir("partials").map(names).unwrap_or_default());
    all.retain(|name| name.ends_with(".hbs") && !KEPT.contains(&name.as_str()));
    all.sort();
    all.join(", ")
}

/// What one template of one's own must obey besides what all must.
fn check(name: &str, text: &str) -> Result<(), TemplateError> {
    let syntax =
        |error: handlebars::TemplateError| TemplateError::Syntax { name: name.to_owned(), why: error.to_string() };
    let parsed = Template::compile(text).map_err(syntax)?;
    let mut seen = Seen::default();
    let refused = |(line, why): (usize, String)| TemplateError::Refused { name: name.to_owned(), line, why };
    seen.walk(&parsed, 0).map_err(refused)?;
    // As it is written, for the line; then as it is printed, without comments and values between.
    for (pattern, why) in FORBIDDEN.iter() {
        if let Some((line, found)) = seen.first(text, |words| pattern.find(words).map(|hit| hit.range())) {
            return Err(refused((line, format!("`{}`: {why}", found.trim()))));
        }
    }
    let leads_out = |words: &str| {
        LINK.find_iter(words).find(|link| !words[link.end()..].starts_with("=\"#")).map(|link| link.range())
    };
    if let Some((line, _)) = seen.first(text, leads_out) {
        return Err(refused((line, "`href`: a link leads only inside the report: href=\"#…\"".to_owned())));
    }
    let plain = ["&amp", "&lt", "&gt", "&quot", "&nbsp", "&middot"];
    let written_out =
        |words: &str| ENTITY.find_iter(words).find(|hit| !plain.contains(&hit.as_str())).map(|hit| hit.range());
    if let Some((line, entity)) = seen.first(text, written_out) {
        return Err(refused((line, format!("`{entity}`: write the character itself"))));
    }
    let invisible = |words: &str| {
        let bad = |&(_, character): &(usize, char)| !character.is_whitespace() && crate::text::is_unsafe(character);
        words.char_indices().find(bad).map(|(at, character)| at..at + character.len_utf8())
    };
    if let Some((line, _)) = seen.first(text, invisible) {
        return Err(refused((line, "it holds a character that nobody sees".to_owned())));
    }
    // A tag inside a word hides nothing from a reader.
    let readings = [claims::lint(text), claims::lint(&seen.words), claims::lint(&MARKUP.replace_all(&seen.words, ""))];
    match readings.into_iter().flatten().next() {
        Some(claim) => Err(TemplateError::Claim { name: name.to_owned(), claim }),
        None => Ok(()),
    }
}

/// What one parsed template holds.
#[derive(Default)]
struct Seen {
    /// What it prints of its own, without comments and values between.
    words: String,
    /// Where in the words which line begins to speak.
    marks: Vec<(usize, usize)>,
    /// What it includes, and on which line.
    includes: Vec<(String, usize)>,
}

type Fault = (usize, String);

impl Seen {
    /// The first place of something, and the line it stands on.
    fn first(&self, text: &str, find: impl Fn(&str) -> Option<Range<usize>>) -> Option<(usize, String)> {
        if let Some(at) = find(text) {
            return Some((line(text, at.start), text[at].to_owned()));
        }
        let at = find(&self.words)?;
        let (from, first) = self.marks.iter().rev().find(|(from, _)| *from <= at.start).copied().unwrap_or((0, 1));
        Some((first + line(&self.words[from..], at.start - from) - 1, self.words[at].to_owned()))
    }

    fn walk(&mut self, template: &Template, depth: usize) -> Result<(), Fault> {
        for (element, mapping) in template.elements.iter().zip(&template.mapping) {
            let line = mapping.0;
            let fault = |why: &str| Err((line, why.to_owned()));
            match element {
                TemplateElement::RawString(words) => {
                    self.marks.push((self.words.len(), line));
                    self.words.push_str(words);
                }
                TemplateElement::Comment(_) => {}
                TemplateElement::Expression(helper) => plain_parameters(helper, line)?,
                TemplateElement::HtmlExpression(helper) => {
                    let name = helper.name.as_name().unwrap_or_default();
                    let known = RAW_ALLOWED.iter().any(|allowed| allowed.trim_matches(['{', '}']) == name);
                    if !known || !helper.params.is_empty() || !helper.hash.is_empty() {
                        return fault("it prints text raw; only charts of the program may be raw");
                    }
                }
                TemplateElement::HelperBlock(helper) => {
                    if helper.block_param.is_some() {
                        return fault("`as |…|`: values keep the names they have");
                    }
                    plain_parameters(helper, line)?;
                    let depth = depth + usize::from(helper.name.as_name() == Some("each"));
                    if depth > NESTED {
                        return Err((line, format!("`{{{{#each}}}}`: it nests more than {NESTED} loops")));
                    }
                    for inner in [&helper.template, &helper.inverse].into_iter().flatten() {
                        self.walk(inner, depth)?;
                    }
                }
                TemplateElement::PartialExpression(include) => self.includes.push((included(include, line)?, line)),
                // Inline templates, blocks of templates, and whatever the engine may learn.
                _ => return fault("inline templates and blocks of templates are not taken"),
            }
        }
        Ok(())
    }
}

/// The name of what is included, a value of the page at most beside it.
fn included(include: &DecoratorTemplate, line: usize) -> Result<String, Fault> {
    let named =
        |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let Some(name) = include.name.as_name().filter(named) else {
        return Err((line, "a template names what it includes".to_owned()));
    };
    let paths = include.params.iter().all(|parameter| matches!(parameter, Parameter::Path(_)));
    if !paths || !include.hash.is_empty() {
        return Err((line, format!("`{{{{> {name}}}}}`: it is given a value of the page, and nothing made up")));
    }
    Ok(name.to_owned())
}

/// No value is made up in a template: a name in one could be one of ours that is printed raw.
fn plain_parameters(helper: &HelperTemplate, line: usize) -> Result<(), Fault> {
    let made_up = helper.params.iter().chain(helper.hash.values()).any(|parameter| match parameter {
        Parameter::Literal(value) => value.is_object() || value.is_array(),
        Parameter::Name(_) | Parameter::Path(_) => false,
        _ => true,
    });
    if made_up || !helper.hash.is_empty() {
        return Err((line, "values come from the page; a template makes none up".to_owned()));
    }
    Ok(())
}

/// No template may include itself, also by way of others.
pub(super) fn no_circles(texts: &BTreeMap<String, String>) -> Result<(), TemplateError> {
    let mut includes: BTreeMap<&str, Vec<(String, usize)>> = BTreeMap::new();
    for (name, text) in texts {
        let mut seen = Seen::default();
        if let Ok(parsed) = Template::compile(text) {
            // Ours hold what others may not; what they include is found all the same.
            let _ = seen.walk(&parsed, 0);
        }
        includes.insert(name, seen.includes);
    }
    for (name, first) in &includes {
        let mut seen = BTreeSet::new();
        let mut open: Vec<(&str, usize)> = first.iter().map(|(next, at)| (next.as_str(), *at)).collect();
        while let Some((included, at)) = open.pop() {
            if included == *name {
                let why = format!("`{{{{> {included}}}}}`: it includes itself");
                return Err(TemplateError::Refused { name: (*name).to_owned(), line: at, why });
            }
            if seen.insert(included) {
                // The line is that of the first step, in the template that is told.
                open.extend(includes.get(included).into_iter().flatten().map(|(next, _)| (next.as_str(), at)));
            }
        }
    }
    Ok(())
}

/// The elements that stand open where what somebody signs begins, and at the end of a page; the place of
/// a tag that is not plainly written, or not closed in its order.
fn standing(page: &str) -> Result<Vec<Vec<&str>>, usize> {
    let from = page.find("<body").unwrap_or(0);
    let to = page.rfind("<script>").or(page.rfind("</body>")).unwrap_or(page.len()).max(from);
    let (mut open, mut all) = (Vec::new(), Vec::new());
    for (at, _) in page[from..to].match_indices('<') {
        let rest = &page[from + at..to];
        let tag = PLAIN.captures(rest).ok_or(from + at)?;
        let name = tag.get(2).map_or("", |name| name.as_str());
        if STAND.iter().any(|kept| rest.starts_with(kept)) {
            all.push(open.clone());
        }
        let (opens, ends_itself) = (tag[1].is_empty(), !tag[4].is_empty());
        if opens && open.contains(&"svg") {
            match open.last() {
                Some(&within) if DRAWN_IN.contains(&within) && name != "svg" => {}
                Some(&"text") if name == "tspan" => {}
                Some(_) | None => return Err(from + at),
            }
            match (DRAWN.contains(&name), DRAWN_IN.contains(&name) || DRAWN_TEXT.contains(&name)) {
                (true, _) if ends_itself => continue,
                (_, true) if !ends_itself => {}
                _ => return Err(from + at),
            }
        } else if opens && EMPTY.contains(&name) {
            continue;
        }
        if opens {
            open.push(name);
        } else if open.pop() != Some(name) {
            return Err(from + at);
        }
    }
    all.push(open);
    Ok(all)
}

/// Refuses a page filled with templates of one's own that leaves an element open around what follows, or
/// that has a tag which could load, run or send something, or speak for the page, and which the same page
/// of the program does not have as often.
pub(in crate::report) fn nothing_added(ours: &str, theirs: &str) -> Result<(), TemplateError> {
    let refused =
        |line, why: &str| TemplateError::Refused { name: "the filled page".to_owned(), line, why: why.to_owned() };
    let stands = standing(theirs)
        .map_err(|at| refused(line(theirs, at), "a tag that is not plainly written, or not closed in its order"))?;
    if standing(ours).is_ok_and(|ours| ours != stands) {
        return Err(refused(1, "an element left open would swallow what follows"));
    }
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for tag in GUARDED.find_iter(ours) {
        *known.entry(tag.as_str()).or_default() += 1;
    }
    for tag in GUARDED.find_iter(theirs) {
        match known.get_mut(tag.as_str()) {
            Some(left) if *left > 0 => *left -= 1,
            Some(_) | None => {
                let shown: String = tag.as_str().chars().take(60).collect();
                let why = FORBIDDEN.iter().find(|(pattern, _)| pattern.is_match(tag.as_str()));
                let why = why.map_or(LOADS, |(_, why)| why);
                return Err(refused(line(theirs, tag.start()), &format!("`{}`: {why}", crate::text::visible(&shown))));
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
        let mut taken = 0;
        for file in partials.files().filter(|file| file.path().to_string_lossy().ends_with(".html.hbs")) {
            let name = file.path().display().to_string();
            if !KEPT.contains(&name.as_str()) {
                check(&name, file.contents_utf8().unwrap()).unwrap();
                taken += 1;
            }
        }
        assert!(taken > 15, "{taken}");
        assert!(KEPT.iter().all(|name| EMBEDDED.get_file(name).is_some()), "what is kept exists");
    }

    #[test]
    fn three_loops_in_each_other_are_enough_and_four_are_refused() {
        let nested = |count: usize| format!("{}x{}", "{{#each a}}".repeat(count), "{{/each}}".repeat(count));
        check("x", &nested(NESTED)).unwrap();
        let Err(TemplateError::Refused { why, .. }) = check("x", &nested(NESTED + 1)) else { panic!("taken") };
        assert!(why.contains("nests more than 3 loops"), "{why}");
        // A loop that is closed does not count.
        check("x", &nested(2).repeat(5)).unwrap();
    }

    #[test]
    fn no_way_of_writing_prints_text_raw_or_makes_a_value_up() {
        for text in [
            "{{{about.organization}}}",
            "{{&about.organization}}",
            "{{ &about.organization}}",
            "{{~ & about.organization ~}}",
            "{{ {about.organization} }}",
            "{{~{about.organization}~}}",
            "{{#if x}}{{else}}{{{x}}}{{/if}}",
            "{{#each raw as |bar|}}{{{bar}}}{{/each}}",
            "{{#with about.organization as | bar |}}{{{bar}}}{{/with}}",
            "{{> evidence-bars areas=findings}}",
            "{{> plan {\"charts\":{\"timeline\":\"<b>\"}}}}",
            "{{#with {\"bar\":\"<b>\"}}}{{{bar}}}{{/with}}",
            "{{#each [\"x\"]}}{{{bar}}}{{/each}}",
            "{{#*inline \"bar\"}}x{{/inline}}",
            "{{#> claims}}x{{/claims}}",
        ] {
            assert!(matches!(check("x", text), Err(TemplateError::Refused { .. })), "{text}");
        }
    }

    #[test]
    fn a_circle_is_found_however_the_include_is_written() {
        for include in ["{{> b}}", "{{ > b}}", "{{~ > b ~}}", "{{>b}}", "{{#if x}}{{ > b }}{{/if}}"] {
            let texts = [("a", include), ("b", "{{ >  a }}")].map(|(name, text)| (name.to_owned(), text.to_owned()));
            let found = no_circles(&texts.into_iter().collect());
            assert!(matches!(found, Err(TemplateError::Refused { .. })), "{include}");
        }
        for include in ["{{> (lookup this \"b\")}}", "{{> \"b\"}}", "{{> [b]}}", "{{> 'b'}}"] {
            assert!(check("x", include).is_err(), "{include}");
        }
    }

    #[test]
    fn words_broken_by_comments_values_and_tags_are_read_as_they_are_printed() {
        for text in [
            "You are com{{!}}pliant.",
            "You are com{{!-- {{x}} --}}pliant.",
            "You are com{{#if x}}pliant{{/if}}.",
            "You are com<b>pliant</b>.",
        ] {
            assert!(matches!(check("x", text), Err(TemplateError::Claim { .. })), "{text}");
        }
        for text in [
            "<im{{!}}g sr{{!}}c=https://e.example/x>",
            "<sc{{x}}ript>",
            "<a href={{x}}>",
            "<a href=\"{{x}}\">",
            "<a href='#x'>",
            "You are compl&#105;ant.",
            "com&shy;pliant",
            "com\u{200b}pliant",
        ] {
            assert!(matches!(check("x", text), Err(TemplateError::Refused { .. })), "{text}");
        }
        check("x", "<a href=\"#{{target}}\">{{words}}</a> &middot; &amp;").unwrap();
    }

    #[test]
    fn a_tag_put_together_from_two_branches_is_seen_in_the_filled_page() {
        let ours = "<p>a</p><meta charset=\"utf-8\"><a href=\"#x\">b</a>";
        nothing_added(ours, &ours.replace("<p>a</p>", "<p>other words &lt;img src=x&gt;</p>")).unwrap();
        for more in [
            "<script>",
            "<meta charset=\"utf-8\">",
            "<img src=\"x\">",
            "<p onclick=\"x\">",
            "<a href=\"https://e.example\">",
        ] {
            assert!(nothing_added(ours, &format!("{ours}{more}")).is_err(), "{more}");
        }
    }
}
