//! Makes foreign text safe to show: what no reader can see is written out.

use std::borrow::Cow;

/// True for characters that must never reach a terminal, a page or a cell as they are: control
/// characters, bidirectional controls, zero-width and other invisible format characters.
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every unsafe character written as `U+XXXX`; unchanged text is not copied.
pub fn visible_cow(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_unsafe(character) {
            shown.push_str(&format!("⟨U+{:04X}⟩", u32::from(character)));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// As [`visible_cow`], owned.
pub fn visible(text: &str) -> String {
    visible_cow(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_bidi_and_control_but_leaves_words() {
        assert_eq!(visible("Müller\u{1b}[31m\u{202e}x"), "Müller⟨U+001B⟩[31m⟨U+202E⟩x");
        assert_eq!(visible("plain"), "plain");
    }
}
