//! The text of a PDF file (ISO 32000-2) as a reader sees it: lines from top to bottom, words apart,
//! columns divided by tabs.
//!
//! A page is a list of drawn glyphs. Those that stand on one line are joined by where they stand, since
//! the order of drawing need not be the order of reading. Text is told from what a font says of its
//! glyphs; where it says nothing, and where a page is a picture, that is counted.

use hayro_interpret::font::Glyph;
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::hayro_syntax::object::dict::keys::CONTENTS;
use hayro_interpret::hayro_syntax::{LoadPdfError, Pdf};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, GlyphDrawMode, Image, InterpreterCache, InterpreterSettings, Paint,
    PathDrawMode, SoftMask, interpret_page,
};
use kurbo::{Affine, BezPath, Point, Rect, Vec2};

use super::{PdfAnswer, TEXT_BYTES, Why};

/// Pages of one file that are read.
const PAGES: usize = 2_000;
/// Glyphs of one page that are read.
const GLYPHS: usize = 200_000;
/// A page with fewer letters and digits than this, and a picture, is a picture.
const FEW: usize = 9;

/// Reads a file.
pub(super) fn read(bytes: Vec<u8>) -> PdfAnswer {
    let mut answer = PdfAnswer::default();
    // A file attached inside is none of a page's glyphs, and one that is cut off lacks its last line.
    let end = &bytes[bytes.len().saturating_sub(1024)..];
    if memchr::memmem::find(&bytes, b"/EmbeddedFile").is_some() || memchr::memmem::find(end, b"%%EOF").is_none() {
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
    let about: Vec<String> = about.filter(|text| !text.trim().is_empty()).collect();
    if !about.is_empty() {
        answer.texts.push(about.join("\n"));
    }
    let pages = pdf.pages();
    if pages.len() > PAGES {
        answer.not_inspected.push(Why::ContainerLimit);
    }
    if pages.is_empty() {
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
        drawn.why(&mut answer.not_inspected);
        if page.page_stream().is_none() && page.raw().contains_key(CONTENTS) {
            answer.not_inspected.push(Why::UnreadablePart);
        }
        drawn.lines(&mut text);
        if text.len() > TEXT_BYTES {
            answer.not_inspected.push(Why::ContainerLimit);
            break;
        }
    }
    answer.texts.push(text);
    answer.not_inspected.sort();
    answer.not_inspected.dedup();
    answer
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
    pictures: usize,
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
                return;
            }
        };
        let advance = match glyph {
            Glyph::Outline(outline) => outline.advance_width().filter(|width| *width > 0.0),
            Glyph::Type3(_) => None,
        };
        let advance = f64::from(advance.unwrap_or(500.0));
        let (start, end) = (place * Point::ORIGIN, place * Point::new(advance, 0.0));
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
        let this = Run { text: character, along, across, end, em, turns, last: along };
        match self.runs.last_mut() {
            Some(run) if this.is_on_line_of(run) => {
                // Bold by being drawn twice.
                if (this.along - run.last).abs() < 0.1 * em && run.text.ends_with(&this.text) {
                    return;
                }
                let gap = this.along - run.end;
                if (-0.3 * em..0.2 * em).contains(&gap) {
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
    fn why(&self, not_inspected: &mut Vec<Why>) {
        if self.glyphs > GLYPHS {
            not_inspected.push(Why::ContainerLimit);
        }
        // A bullet here and there is no text that is missing.
        if self.unknown * 10 > self.glyphs {
            not_inspected.push(Why::UnreadablePart);
        }
        if self.letters < FEW && self.pictures > 0 {
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
            let mut end = None;
            for run in line {
                let gap = end.map_or(0.0, |end| (run.along - end) / run.em);
                if gap > 1.0 {
                    text.push('\t');
                } else if gap > 0.2 && !text.ends_with(' ') {
                    text.push(' ');
                }
                text.push_str(&run.text);
                end = Some(run.end);
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

    fn draw_image(&mut self, _: Image<'_, '_>, _: Affine) {
        self.pictures += 1;
    }

    fn draw_path(&mut self, _: &BezPath, _: Affine, _: &Paint<'_>, _: &PathDrawMode) {}
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
        let made = |words: &str| {
            let content = format!("q 612 0 0 792 0 0 cm /I Do Q BT /F 12 Tf 72 700 Td ({words}) Tj ET");
            shown(read(file(&content, "/XObject<</I 6 0 R>>", std::slice::from_ref(&picture)))).1
        };
        assert_eq!(made("1"), ["image"]);
        assert!(made("A letter with a letterhead").is_empty());
    }

    #[test]
    fn a_font_that_does_not_say_its_letters_is_counted() {
        let glyph = stream("", "600 0 d0 0 0 100 100 re f");
        let font = "<</Type/Font/Subtype/Type3/FontBBox[0 0 600 600]/FontMatrix[.001 0 0 .001 0 0]/CharProcs<</g7 6 0 R>>/Encoding<</Differences[65/g7]>>/FirstChar 65/LastChar 65/Widths[600]/Resources<<>>>>";
        let bytes = file("BT /F 12 Tf 72 700 Td (ordinary) Tj ET", "", &[glyph, font.to_owned()]);
        let plain = String::from_utf8(bytes).unwrap();
        let mixed = plain.replace("/F 5 0 R", "/F 7 0 R").replace("(ordinary)", "(AAAAAAAA)");
        assert_eq!(shown(read(mixed.into_bytes())).1, ["unreadable-part"]);
        assert!(shown(read(plain.into_bytes())).1.is_empty());
    }

    #[test]
    fn the_title_is_text_too_and_a_file_inside_is_counted() {
        let with_title = |bytes: Vec<u8>, more: &str| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace("trailer<<", &format!("trailer<</Info<</Title(Quillon MRN 445566)>>{more}")).into_bytes()
        };
        let answer = read(with_title(file("BT /F 12 Tf 72 700 Td (page) Tj ET", "", &[]), ""));
        assert_eq!(shown(answer), ("Quillon MRN 445566\n--\npage\n".to_owned(), vec![]));
        let attached = stream("/Type/EmbeddedFile", "MRN,Name");
        assert_eq!(shown(read(file("", "", &[attached]))).1, ["unreadable-part"]);
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
