//! Which characters the fonts of the program can show, and what stands in place of the others.
//!
//! PDF/A refuses a character without a glyph, and a name in an unknown script must not cost the
//! document: such a character is written `U+XXXX`, as an invisible one is everywhere else.

use std::sync::LazyLock;

use serde_json::Value;

use super::world::FONTS;
use crate::report::model::words::CUT;
use crate::text::is_unsafe;

/// The family prose is set in.
const TEXT_FAMILY: &str = "Libertinus Serif";

/// A set of characters that can be shown.
pub(super) struct Alphabet {
    holds: fn(char) -> bool,
}

impl Alphabet {
    /// What at least one of our fonts has.
    pub(super) fn every_font() -> Self {
        Self { holds: in_some_font }
    }

    /// What the text font has in every style, without marks that combine.
    pub(super) fn text_font() -> Self {
        Self { holds: in_text_font }
    }

    /// Leaves in every text of the value only what can be shown, at most `longest` characters.
    pub(super) fn keep(&self, value: &mut Value, longest: usize) {
        match value {
            Value::String(text) => {
                if text.len() > longest || !text.chars().all(|character| self.shows(character)) {
                    *text = self.kept(text, longest);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.keep(item, longest)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.keep(field, longest)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn kept(&self, text: &str, longest: usize) -> String {
        let (text, cut) = match text.char_indices().nth(longest) {
            None => (text, ""),
            // Where much is shown, the cut says where the whole is; a summary has no room for it.
            Some((end, _)) if longest >= crate::report::model::TEXT_SHOWN => (&text[..end], CUT),
            Some((end, _)) => (at_a_word(&text[..end]), " …"),
        };
        let mut shown = String::with_capacity(text.len() + cut.len());
        for character in text.chars() {
            if self.shows(character) {
                shown.push(character);
            } else {
                shown.push_str(&format!("[U+{:04X}]", u32::from(character)));
            }
        }
        shown.push_str(cut);
        shown
    }

    fn shows(&self, character: char) -> bool {
        character.is_ascii_graphic() || character == ' ' || (!is_unsafe(character) && (self.holds)(character))
    }
}

fn at_a_word(text: &str) -> &str {
    match text.rfind(' ') {
        Some(end) if end * 2 > text.len() => &text[..end],
        _ => text,
    }
}

/// Code points of the basic planes are asked often: one bit each.
static SOME: LazyLock<Vec<bool>> = LazyLock::new(|| {
    (0..0x2_0000).map(|point| FONTS.iter().any(|font| font.info().coverage.contains(point))).collect()
});
static TEXT: LazyLock<Vec<bool>> = LazyLock::new(|| {
    let family: Vec<_> = FONTS.iter().filter(|font| font.info().family.as_str() == TEXT_FAMILY).collect();
    (0..0x2_0000)
        .map(|point| !family.is_empty() && family.iter().all(|font| font.info().coverage.contains(point)))
        .collect()
});

fn in_some_font(character: char) -> bool {
    SOME.get(u32::from(character) as usize).copied().unwrap_or(false)
}

fn in_text_font(character: char) -> bool {
    !matches!(u32::from(character), 0x300..=0x36f | 0x590..=0x8ff | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff)
        && TEXT.get(u32::from(character) as usize).copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_character_without_a_glyph_is_written_out_and_the_rest_stays() {
        let mut value = json!({ "name": ["Łukasz Müller", "王 clinic", "a\u{202e}b", "Ωmega"] });
        Alphabet::every_font().keep(&mut value, 2_000);
        assert_eq!(value, json!({ "name": ["Łukasz Müller", "[U+738B] clinic", "a[U+202E]b", "Ωmega"] }));
    }

    #[test]
    fn a_long_sentence_is_cut_at_a_word() {
        let mut value = json!("one two three four");
        Alphabet::text_font().keep(&mut value, 10);
        assert_eq!(value, json!("one two …"));
    }
}
