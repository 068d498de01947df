//! The text of a PDF file (ISO 32000-2) as a reader sees it: lines from top to bottom, words apart,
//! columns divided by tabs.
//!
//! A page is a list of drawn glyphs. Those that stand on one line are joined by where they stand, since
//! the order of drawing need not be the order of reading. Text is told from what a font says of its
//! glyphs; where it says nothing, and where a page is a picture, that is counted.

use std::collections::BTreeSet;

use hayro_interpret::font::Glyph;
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::hayro_syntax::content::ops::TypedInstruction;
use hayro_interpret::hayro_syntax::object::dict::keys::CONTENTS;
use hayro_interpret::hayro_syntax::object::{self, Array, Dict, MaybeRef, Name, Object, Stream};
use hayro_interpret::hayro_syntax::page::Page;
use hayro_interpret::hayro_syntax::{LoadPdfError, Pdf};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, GlyphDrawMode, Image, InterpreterCache, InterpreterSettings, Paint,
    PathDrawMode, SoftMask, interpret_page,
};
use kurbo::{Affine, BezPath, Point, Rect, Vec2};

use super::super::html;
use super::{PdfAnswer, TEXT_BYTES, Why};

/// Pages of one file that are read.
const PAGES: usize = 2_000;
/// Glyphs of one page that are read.
const GLYPHS: usize = 200_000;
/// A page with fewer letters and digits than this, and something drawn, is a picture.
const FEW: usize = 9;
/// A page that pictures cover to this part is one, with fewer letters and digits than [`LAYER`]: a
/// scanner's stamp is no text of the page, what it recognized is.
const COVERED: f64 = 0.5;
const LAYER: usize = 200;
/// So many glyphs in a row that no character is known for are words that are missing.
const MISSING: usize = 4;
/// Objects that are written within one another are read to this depth.
const WITHIN: usize = 8;

/// Reads a file.
pub(super) fn read(bytes: Vec<u8>) -> PdfAnswer {
    let mut answer = PdfAnswer::default();
    // A file that is cut off lacks its last line.
    let end = &bytes[bytes.len().saturating_sub(1024)..];
    if memchr::memmem::find(end, b"%%EOF").is_none() {
        answer.not_inspected.push(Why::UnreadablePart);
    }
    let pdf = match Pdf::new(bytes) {
        Ok(pdf) => pdf,
        Err(LoadPdfError::Decryption(_)) => {
            return PdfAnswer { texts: Vec::new(), not_inspected: vec![Why::Encrypted] };
        }
        Err(LoadPdfError::Invalid) => {
            return PdfAnswer { texts: Vec::new(), not_inspected: vec![Why::UnreadablePart] };
        }
    };
    let about = pdf.metadata();
    let about = [&about.title, &about.subject, &about.keywords].into_iter().flatten().map(|text| text_string(text));
    let mut beside = Beside { texts: about.collect(), ..Beside::default() };
    pdf.objects().into_iter().for_each(|object| beside.object(&object, 0));
    let pages = pdf.pages();
    if pages.len() > PAGES {
        answer.not_inspected.push(Why::ContainerLimit);
    }
    let tree = pdf.xref().get::<Dict<'_>>(pdf.xref().root_id()).and_then(|root| root.get::<Dict<'_>>("Pages"));
    let said = tree.and_then(|tree| tree.get::<i32>("Count"));
    // Pages that the file counts and nobody finds hold words too.
    if pages.is_empty() || said.is_some_and(|said| usize::try_from(said) != Ok(pages.len())) {
        answer.not_inspected.push(Why::UnreadablePart);
    }
    let (cache, settings) = (InterpreterCache::new(), InterpreterSettings::default());
    // One text for the whole file: what a page names may be treated on the next.
    let mut text = String::new();
    for page in pages.iter().take(PAGES) {
        let unit = Rect::new(0.0, 0.0, 1.0, 1.0);
        let mut context = Context::new(Affine::IDENTITY, unit, &cache, pdf.xref(), settings.clone());
        let mut drawn = Drawn::default();
        interpret_page(page, &mut context, &mut drawn);
        let (width, height) = page.base_dimensions();
        drawn.why(f64::from(width) * f64::from(height), &mut answer.not_inspected);
        if !is_whole(page) {
            answer.not_inspected.push(Why::UnreadablePart);
        }
        drawn.lines(&mut text);
        if text.len() > TEXT_BYTES {
            answer.not_inspected.push(Why::ContainerLimit);
            break;
        }
    }
    beside.texts.retain(|text| !text.trim().is_empty());
    if !beside.texts.is_empty() {
        answer.texts.push(beside.texts.into_iter().collect::<Vec<_>>().join("\n"));
    }
    answer.texts.push(text);
    if beside.cannot_be_read {
        answer.not_inspected.push(Why::UnreadablePart);
    }
    if beside.bytes > TEXT_BYTES {
        answer.not_inspected.push(Why::ContainerLimit);
    }
    answer.not_inspected.sort();
    answer.not_inspected.dedup();
    answer
}

/// Whether every part of a page's content can be unpacked, and what it draws is there.
fn is_whole(page: &Page<'_>) -> bool {
    let mut operations = page.typed_operations();
    while let Some(operation) = operations.next() {
        if let TypedInstruction::XObject(drawn) = operation
            && page.resources().get_x_object(drawn.0).is_none()
        {
            return false;
        }
    }
    match page.raw().get::<Array<'_>>(CONTENTS) {
        Some(parts) => {
            parts.raw_iter().count() == parts.iter::<Stream<'_>>().filter(|part| part.decoded().is_ok()).count()
        }
        None => page.page_stream().is_some() || !page.raw().contains_key(CONTENTS),
    }
}

/// What a file says beside its pages: filled fields, remarks, bookmarks, its title.
#[derive(Default)]
struct Beside {
    texts: BTreeSet<String>,
    bytes: usize,
    /// A file attached inside, a form of another format, a layer that is switched off, or letters that
    /// only a reader with more fonts knows.
    cannot_be_read: bool,
}

impl Beside {
    /// What other objects refer to is met as an object of the file; what is written within it, here.
    fn object(&mut self, object: &Object<'_>, depth: usize) {
        match object {
            Object::Dict(dict) => self.dict(dict, depth),
            Object::Stream(stream) => {
                let is_form = stream.dict().get::<Name<'_>>("Subtype").is_some_and(|kind| kind.as_ref() == b"Form");
                self.cannot_be_read |= is_form && stream.decoded().is_err();
                self.dict(stream.dict(), depth);
            }
            Object::Array(list) => list.raw_iter().for_each(|item| self.within(&item, depth)),
            Object::Boolean(_) | Object::Name(_) | Object::Null(_) | Object::Number(_) | Object::String(_) => {}
        }
    }

    fn within(&mut self, object: &MaybeRef<Object<'_>>, depth: usize) {
        match object {
            MaybeRef::NotRef(Object::Array(_) | Object::Dict(_)) if depth == WITHIN => self.cannot_be_read = true,
            MaybeRef::NotRef(object) => self.object(object, depth + 1),
            MaybeRef::Ref(_) => {}
        }
    }

    fn dict(&mut self, dict: &Dict<'_>, depth: usize) {
        let is = |key: &[u8], name: &[u8]| dict.get::<Name<'_>>(key).is_some_and(|found| found.as_ref() == name);
        let is_off = dict.get::<Array<'_>>("OFF").is_some_and(|off| off.flex_iter().next::<Object<'_>>().is_some());
        let encoding = dict.get::<Name<'_>>("Encoding").filter(|_| is(b"Subtype", b"Type0"));
        let unknown_letters = !dict.contains_key("ToUnicode")
            && encoding.is_some_and(|encoding| !encoding.as_ref().starts_with(b"Identity"));
        self.cannot_be_read |= dict.contains_key("EF")
            || dict.contains_key("XFA")
            || is_off
            || is(b"BaseState", b"OFF")
            || unknown_letters;
        // A signature's contents are no words.
        if dict.contains_key("ByteRange") {
            return;
        }
        dict.entries().for_each(|(_, value)| self.within(&value, depth));
        let mut is_lost = false;
        // A long text may be a stream (ISO 32000-2, 7.9.3), several chosen ones a list.
        let mut text = |key: &str| match dict.get::<Object<'_>>(key)? {
            Object::String(text) => Some(text_string(text.as_bytes())),
            Object::Stream(stream) if key != "Contents" => {
                let text = stream.decoded().ok().map(|text| text_string(&text));
                is_lost |= text.is_none();
                text
            }
            Object::Array(list) if key == "V" => {
                let chosen: Vec<String> =
                    list.iter::<object::String<'_>>().map(|text| text_string(text.as_bytes())).collect();
                Some(chosen.join("\n"))
            }
            Object::Array(_)
            | Object::Boolean(_)
            | Object::Dict(_)
            | Object::Name(_)
            | Object::Null(_)
            | Object::Number(_)
            | Object::Stream(_) => None,
        };
        let label = text("TU").or_else(|| text("T"));
        let filled = text("V").map(|value| label.map_or(value.clone(), |label| format!("{label}: {value}")));
        let rich = ["RC", "RV"].into_iter().filter_map(&mut text).map(|text| html::text_of(&text)).collect::<Vec<_>>();
        let plain = ["Contents", "Title", "Subject", "Keywords"].into_iter().filter_map(&mut text);
        for text in plain.chain(filled).chain(rich) {
            if self.bytes <= TEXT_BYTES && !self.texts.contains(&text) {
                self.bytes += text.len();
                self.texts.insert(text);
            }
        }
        self.cannot_be_read |= is_lost;
    }
}

/// A text string of the document's description: UTF-16 or UTF-8 behind its mark, else nearly Latin-1
/// (ISO 32000-2, 7.9.2.2).
fn text_string(bytes: &[u8]) -> String {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, mark)) => encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned(),
        None => encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned(),
    }
}

/// Glyphs that follow one another on one line.
struct Run {
    text: String,
    /// Along the line and across it, upwards; in units of the page.
    along: f64,
    across: f64,
    end: f64,
    /// Height of the type.
    em: f64,
    /// Quarter turns of the line, counterclockwise.
    turns: u8,
    /// Where its last glyph begins.
    last: f64,
    /// The font does not say how wide its letters are.
    is_of_unknown_width: bool,
}

impl Run {
    fn is_on_line_of(&self, other: &Self) -> bool {
        self.turns == other.turns && (self.across - other.across).abs() < 0.5 * self.em.min(other.em)
    }
}

/// What one page draws.
#[derive(Default)]
struct Drawn {
    runs: Vec<Run>,
    glyphs: usize,
    letters: usize,
    /// Glyphs that no character is known for.
    unknown: usize,
    /// Of those, the most in a row, and those of the row at hand.
    most_unknown: usize,
    row_unknown: usize,
    /// The page that pictures cover, in its units.
    covered: f64,
    /// Pictures and lines.
    drawings: usize,
}

impl Drawn {
    fn glyph(&mut self, glyph: &Glyph<'_>, place: Affine) {
        self.glyphs += 1;
        if self.glyphs > GLYPHS {
            return;
        }
        let character = match glyph.as_unicode() {
            Some(BfString::Char(character)) if !character.is_control() => character.to_string(),
            Some(BfString::String(several)) => several,
            Some(BfString::Char(_)) | None => {
                self.unknown += 1;
                self.row_unknown += 1;
                self.most_unknown = self.most_unknown.max(self.row_unknown);
                return;
            }
        };
        self.row_unknown = 0;
        let advance = match glyph {
            Glyph::Outline(outline) => outline.advance_width().filter(|width| *width > 0.0),
            Glyph::Type3(_) => None,
        };
        let is_of_unknown_width = advance.is_none();
        let (start, end) = (place * Point::ORIGIN, place * Point::new(f64::from(advance.unwrap_or(500.0)), 0.0));
        let em = (place * Point::new(0.0, 1000.0) - start).hypot();
        let direction = end - start;
        if !(start.is_finite() && em.is_finite() && em > 0.0 && direction.hypot() > 0.0) {
            self.unknown += 1;
            return;
        }
        // Slanted text goes with the quarter it is nearest to.
        let (turns, direction) = match direction {
            Vec2 { x, y } if x >= y.abs() => (0, Vec2::new(1.0, 0.0)),
            Vec2 { x, y } if -x >= y.abs() => (2, Vec2::new(-1.0, 0.0)),
            Vec2 { y, .. } if y > 0.0 => (1, Vec2::new(0.0, 1.0)),
            Vec2 { .. } => (3, Vec2::new(0.0, -1.0)),
        };
        let along = start.to_vec2().dot(direction);
        let across = start.to_vec2().dot(Vec2::new(-direction.y, direction.x));
        let end = end.to_vec2().dot(direction);
        self.letters += character.chars().filter(|letter| letter.is_alphanumeric()).count();
        let this = Run { text: character, along, across, end, em, turns, last: along, is_of_unknown_width };
        match self.runs.last_mut() {
            Some(run) if this.is_on_line_of(run) => {
                // Bold by being drawn twice.
                if (this.along - run.last).abs() < 0.1 * em && run.text.ends_with(&this.text) {
                    return;
                }
                let gap = this.along - run.end;
                // The widest letter takes a whole em, half of which is counted already.
                let widest = if run.is_of_unknown_width { 0.6 } else { 0.2 };
                if (-0.3 * em..widest * em).contains(&gap) {
                    run.text.push_str(&this.text);
                    (run.end, run.last) = (this.end, this.along);
                } else {
                    self.runs.push(this);
                }
            }
            _ => self.runs.push(this),
        }
    }

    /// Why some of the page was not looked into.
    fn why(&self, page: f64, not_inspected: &mut Vec<Why>) {
        if self.glyphs > GLYPHS {
            not_inspected.push(Why::ContainerLimit);
        }
        // A bullet here and there is no text that is missing.
        if self.most_unknown >= MISSING || self.unknown * 10 > self.glyphs {
            not_inspected.push(Why::UnreadablePart);
        }
        let is_covered = self.covered > COVERED * page && self.letters < LAYER;
        if is_covered || (self.letters < FEW && self.drawings > 0) {
            not_inspected.push(Why::Image);
        }
    }

    /// Adds the page's lines to `text`.
    fn lines(mut self, text: &mut String) {
        let from_top = |a: &Run, b: &Run| (a.turns.cmp(&b.turns)).then(b.across.total_cmp(&a.across));
        self.runs.sort_by(from_top);
        let mut rest = self.runs.as_mut_slice();
        while let Some(first) = rest.first() {
            let length = rest.iter().take_while(|run| run.is_on_line_of(first)).count().max(1);
            let (line, after) = rest.split_at_mut(length);
            line.sort_by(|a, b| a.along.total_cmp(&b.along));
            let mut before: Option<&Run> = None;
            for run in &*line {
                if let Some(before) = before {
                    // Bold, or with a shadow, by being drawn twice.
                    if run.text == before.text && (run.along - before.along).abs() < 0.2 * run.em {
                        continue;
                    }
                    let gap = (run.along - before.end) / run.em;
                    if gap > 1.0 {
                        text.push('\t');
                    } else if !(-0.3..=0.2).contains(&gap) && !text.ends_with(' ') {
                        text.push(' ');
                    }
                }
                text.push_str(&run.text);
                before = Some(run);
            }
            text.push('\n');
            rest = after;
        }
    }
}

impl Device<'_> for Drawn {
    fn draw_glyph(
        &mut self,
        glyph: &Glyph<'_>,
        transform: Affine,
        glyph_transform: Affine,
        _: &Paint<'_>,
        _: &GlyphDrawMode,
    ) {
        self.glyph(glyph, transform * glyph_transform);
    }

    fn draw_image(&mut self, image: Image<'_, '_>, transform: Affine) {
        self.drawings += 1;
        self.covered += transform.determinant().abs() * f64::from(image.width()) * f64::from(image.height());
    }

    fn draw_path(&mut self, _: &BezPath, _: Affine, _: &Paint<'_>, _: &PathDrawMode) {
        self.drawings += 1;
    }

    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn pop_clip_path(&mut self) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}
    fn pop_transparency_group(&mut self) {}
    fn set_soft_mask(&mut self, _: Option<SoftMask<'_>>) {}
    fn set_blend_mode(&mut self, _: BlendMode) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of one page with this content, text in Helvetica, and these further objects from number 6 on.
    fn file(content: &str, resources: &str, more: &[String]) -> Vec<u8> {
        let mut objects = vec![
            "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
            "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
            format!(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>{resources}>>>>"
            ),
            stream("", content),
            "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
        ];
        objects.extend_from_slice(more);
        let mut bytes = b"%PDF-1.7\n".to_vec();
        let mut starts = Vec::new();
        for (number, object) in (1..).zip(&objects) {
            starts.push(bytes.len());
            bytes.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
        }
        let table = bytes.len();
        bytes.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
        for start in starts {
            bytes.extend(format!("{start:010} 00000 n \n").bytes());
        }
        bytes.extend(format!("trailer<</Root 1 0 R/Size {}>>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1).bytes());
        bytes
    }

    fn stream(dictionary: &str, content: &str) -> String {
        format!("<<{dictionary}/Length {}>>stream\n{content}\nendstream", content.len())
    }

    fn text_and_why(content: &str) -> (String, Vec<&'static str>) {
        shown(read(file(content, "", &[])))
    }

    fn shown(answer: PdfAnswer) -> (String, Vec<&'static str>) {
        (answer.texts.join("\n--\n"), answer.not_inspected.into_iter().map(Why::as_str).collect())
    }

    #[test]
    fn what_stands_on_one_line_is_one_line_in_whatever_order_it_is_drawn() {
        let drawn =
            "BT /F 12 Tf 1 0 0 1 200 700 Tm (445566) Tj 1 0 0 1 72 680 Tm (Biopsy) Tj 1 0 0 1 72 700 Tm (MRN) Tj ET";
        assert_eq!(text_and_why(drawn), ("MRN\t445566\nBiopsy\n".to_owned(), vec![]));
    }

    #[test]
    fn words_are_apart_where_the_gap_says_so() {
        let drawn = "BT /F 12 Tf 72 700 Td [(M) 20 (RN) -300 (44) 15 (5566)] TJ 0 -14 Td (Ana ) Tj (Ruiz) Tj ET";
        assert_eq!(text_and_why(drawn).0, "MRN 445566\nAna Ruiz\n");
    }

    #[test]
    fn what_is_drawn_twice_to_be_bold_is_read_once() {
        let letters = (0..3).zip(["M", "R", "N"]).map(|(number, letter)| {
            let at = 72.0 + f64::from(number) * 10.0;
            format!("1 0 0 1 {at} 700 Tm ({letter}) Tj 1 0 0 1 {} 700 Tm ({letter}) Tj ", at + 0.3)
        });
        let drawn = format!("BT /F 12 Tf {}ET", letters.collect::<String>());
        assert_eq!(text_and_why(&drawn).0, "MRN\n");
    }

    #[test]
    fn a_page_on_its_side_and_text_nobody_sees_are_read() {
        let drawn = "BT /F 12 Tf 0 1 -1 0 300 100 Tm (DOB) Tj 0 1 -1 0 300 130 Tm (03/04/1962) Tj ET BT 3 Tr /F 12 Tf 72 700 Td (hidden) Tj ET";
        assert_eq!(text_and_why(drawn).0, "hidden\nDOB 03/04/1962\n");
    }

    #[test]
    fn a_page_that_is_a_picture_is_counted() {
        let picture =
            stream("/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8", "x");
        let made = |size: &str, words: &str| {
            let content = format!("q {size} 0 0 cm /I Do Q BT /F 12 Tf 72 700 Td ({words}) Tj ET");
            shown(read(file(&content, "/XObject<</I 6 0 R>>", std::slice::from_ref(&picture)))).1
        };
        assert_eq!(made("90 0 0 40", "1"), ["image"]);
        assert!(made("90 0 0 40", "A letter with a letterhead").is_empty());
        // A stamp of the scanner's, and the text it recognized.
        assert_eq!(made("612 0 0 792", "DocuSign Envelope ID: 8F3C2A11-77"), ["image"]);
        assert!(made("612 0 0 792", &"recognized words ".repeat(20)).is_empty());
        // Letters that were made drawings.
        assert_eq!(text_and_why("72 700 m 90 700 l 81 720 l f").1, ["image"]);
    }

    #[test]
    fn what_was_filled_in_or_remarked_is_read() {
        let page = |more: &[&str]| {
            let more: Vec<String> = more.iter().map(|object| (*object).to_owned()).collect();
            shown(read(file("BT /F 12 Tf 72 700 Td (Intake form) Tj ET", "", &more)))
        };
        let (text, why) = page(&[
            "<</Type/Annot/Subtype/Widget/FT/Tx/T(mrn)/TU(MRN)/V(445566)/Rect[0 0 9 9]>>",
            "<</Type/Annot/Subtype/FreeText/Contents(seen for melanoma)/Rect[0 0 9 9]>>",
            "<</Title(Quillon, Zorba)/Parent 1 0 R>>",
            "<</Type/Sig/ByteRange[0 1 2 3]/Contents(219-09-4471)>>",
        ]);
        assert_eq!(text, "MRN: 445566\nQuillon, Zorba\nseen for melanoma\n--\nIntake form\n");
        assert!(why.is_empty());
        for hidden in [
            "<</Type/Filespec/F(patients.csv)/EF<</F 4 0 R>>>>",
            "<</Fields[]/XFA 4 0 R>>",
            "<</OCGs[1 0 R]/D<</OFF[1 0 R]>>/OFF[1 0 R]>>",
            "<</Type/Font/Subtype/Type0/BaseFont/F/Encoding/GBK-EUC-H>>",
        ] {
            assert_eq!(page(&[hidden]).1, ["unreadable-part"], "{hidden}");
        }
    }

    #[test]
    fn what_is_written_within_other_objects_is_read_or_counted() {
        let words = "BT /F 12 Tf 72 700 Td (Intake form) Tj ET ";
        let of = |content: &str, resources: &str, page: &str, root: &str, more: &[&str]| {
            let more: Vec<String> = more.iter().map(|object| (*object).to_owned()).collect();
            let plain = String::from_utf8(file(&format!("{words}{content}"), resources, &more)).unwrap();
            let plain = plain.replace("/Contents 4", &format!("{page}/Contents 4"));
            shown(read(plain.replace("/Pages 2 0 R", &format!("/Pages 2 0 R{root}")).into_bytes()))
        };
        let form = |field: &str, more: &[&str]| of("", "", "", &format!("/AcroForm<</Fields[{field}]>>"), more);
        assert_eq!(form("<</T(mrn)/V(445566)>>", &[]).0, "mrn: 445566\n--\nIntake form\n");
        assert_eq!(form("<</T(seen)/V[(Ana)(Ruiz)]>>", &[]).0, "seen: Ana\nRuiz\n--\nIntake form\n");
        let long = stream("", "MRN 445566");
        assert_eq!(form("<</T(note)/V 6 0 R>>", &[&long]).0, "note: MRN 445566\n--\nIntake form\n");
        let packed = stream("/Filter/JBIG2Decode", "MRN 445566");
        assert_eq!(form("<</T(note)/V 6 0 R>>", &[&packed]).1, ["unreadable-part"]);
        let remark = "/Annots[<</Type/Annot/Subtype/FreeText/RC(<body><p>MRN 44<b>5566</b></p></body>)>>]";
        assert!(of("", "", remark, "", &[]).0.starts_with("MRN 445566\n"));
        let nested = format!("{}(MRN){}", "<</K[".repeat(9), "]>>".repeat(9));
        assert_eq!(form(&nested, &[]).1, ["unreadable-part"]);
        // What is drawn from elsewhere.
        let drawn = |form: &str| of("/X Do", "/XObject<</X 6 0 R>>", "", "", &[form]);
        let kind = "/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</Font<</F 5 0 R>>>>";
        let text = "BT /F 12 Tf 72 600 Td (MRN 445566) Tj ET";
        assert_eq!(drawn(&stream(kind, text)), ("Intake form\nMRN 445566\n".to_owned(), vec![]));
        assert_eq!(drawn(&stream(&format!("{kind}/Filter/JBIG2Decode"), text)).1, ["unreadable-part"]);
        assert_eq!(of("/X Do", "/XObject<</X 9 0 R>>", "", "", &[]).1, ["unreadable-part"]);
        assert_eq!(of("/X Do", "", "", "", &[]).1, ["unreadable-part"]);
        let fewer = String::from_utf8(file(words, "", &[]))
            .unwrap()
            .replace("/Kids[3 0 R]/Count 1", "/Kids[3 0 R 9 0 R]/Count 2");
        assert_eq!(shown(read(fewer.into_bytes())).1, ["unreadable-part"]);
    }

    #[test]
    fn what_is_drawn_over_something_else_is_a_word_of_its_own() {
        let twice = "BT /F 12 Tf 72 700 Td (MRN 445566) Tj 0.4 0.2 Td (MRN 445566) Tj ET";
        assert_eq!(text_and_why(twice).0, "MRN 445566\n");
        let over = "BT /F 12 Tf 72 700 Td (DOB 03/14/1951) Tj 60 0 Td (MRN 445566) Tj ET";
        assert_eq!(text_and_why(over).0, "DOB 03/14/1951 MRN 445566\n");
    }

    #[test]
    fn a_font_that_does_not_say_its_letters_is_counted() {
        let glyph = stream("", "600 0 d0 0 0 100 100 re f");
        let font = "<</Type/Font/Subtype/Type3/FontBBox[0 0 600 600]/FontMatrix[.001 0 0 .001 0 0]/CharProcs<</g7 6 0 R>>/Encoding<</Differences[65/g7]>>/FirstChar 65/LastChar 65/Widths[600]/Resources<<>>>>";
        let bytes = file("BT /F 12 Tf 72 700 Td (ordinary) Tj ET", "", &[glyph, font.to_owned()]);
        let plain = String::from_utf8(bytes).unwrap();
        let mixed = plain.replace("/F 5 0 R", "/F 7 0 R").replace("(ordinary)", "(AAAAAAAA)");
        assert_eq!(shown(read(mixed.into_bytes())).1, ["unreadable-part"]);
        // One word among many is missing too; a bullet is not.
        let among = |marks: &str| {
            let both = plain
                .replace("/F 5 0 R", "/F 5 0 R/G 7 0 R")
                .replace("(ordinary) Tj", &format!("({}) Tj /G 12 Tf ({marks}) Tj", "ordinary words ".repeat(20)));
            shown(read(both.into_bytes())).1
        };
        assert_eq!(among("AAAA"), ["unreadable-part"]);
        assert!(among("A").is_empty());
        assert!(shown(read(plain.into_bytes())).1.is_empty());
    }

    #[test]
    fn the_title_is_text_too() {
        let with_title = |bytes: Vec<u8>, more: &str| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace("trailer<<", &format!("trailer<</Info<</Title(Quillon MRN 445566)>>{more}")).into_bytes()
        };
        let answer = read(with_title(file("BT /F 12 Tf 72 700 Td (page) Tj ET", "", &[]), ""));
        assert_eq!(shown(answer), ("Quillon MRN 445566\n--\npage\n".to_owned(), vec![]));
    }

    #[test]
    fn what_is_no_pdf_or_not_whole_is_counted_and_never_a_panic() {
        let whole = file("BT /F 12 Tf 72 700 Td (MRN 445566) Tj ET", "", &[]);
        assert_eq!(shown(read(b"%PDF-1.7 nothing".to_vec())).1, ["unreadable-part"]);
        assert_eq!(shown(read(Vec::new())).1, ["unreadable-part"]);
        for end in 0..whole.len() {
            let (text, why) = shown(read(whole[..end].to_vec()));
            assert!(text.contains("MRN 445566") || !why.is_empty(), "cut at {end}: neither text nor a reason");
        }
        let cycle = String::from_utf8(whole).unwrap().replace("/Kids[3 0 R]", "/Kids[2 0 R]");
        assert_eq!(shown(read(cycle.into_bytes())).1, ["unreadable-part"]);
    }
}
