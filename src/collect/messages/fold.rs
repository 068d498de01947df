//! Brings text into one plain form for detection: ASCII, one kind of dash, space and quote,
//! without accents and without the invisible characters that hide a number from a reader of bytes.
//!
//! It judges nothing. The two forms it keeps are equally long, so that a place in one is the same
//! place in the other.

use crate::phi::Phi;

/// Text ready for detection.
pub(super) struct Folded {
    /// As written, in ASCII; begins and ends with a line end.
    text: Phi<Vec<u8>>,
    /// Lower case, with a space for everything but letters, digits and apostrophes.
    scan: Phi<Vec<u8>>,
}

/// Letters and digits in lower case, apostrophes as they are, everything else a space.
const fn scanned(byte: u8) -> u8 {
    let lower = byte | 0x20;
    if lower.is_ascii_lowercase() {
        lower
    } else if byte.is_ascii_digit() || byte == b'\'' {
        byte
    } else {
        b' '
    }
}

impl Folded {
    /// Folds several texts, each on lines of its own. The second value gives, for each of them,
    /// where it ends.
    pub(super) fn of(texts: &[&str]) -> (Self, Vec<usize>) {
        let capacity: usize = texts.iter().map(|text| text.len() + 2).sum();
        let mut text = Vec::with_capacity(capacity + 1);
        text.push(b'\n');
        let mut ends = Vec::with_capacity(texts.len());
        for piece in texts {
            push_folded(&mut text, piece);
            if text.last() != Some(&b'\n') {
                text.push(b'\n');
            }
            ends.push(text.len());
        }
        let scan = text.iter().map(|&byte| scanned(byte)).collect();
        (Self { text: Phi::new(text), scan: Phi::new(scan) }, ends)
    }

    /// The text as written, in ASCII.
    pub(super) fn text(&self) -> &[u8] {
        self.text.expose()
    }

    /// The same in lower case and without punctuation.
    pub(super) fn scan(&self) -> &[u8] {
        self.scan.expose()
    }
}

fn push_folded(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut at = 0;
    // Spaces in a row: one stays one, three and more are a column.
    let mut spaces = 0_usize;
    while at < bytes.len() {
        // Most text is plain words with single spaces, and is copied as it is.
        let run = plain_run(&bytes[at..], spaces > 0);
        if run > 0 {
            out.extend_from_slice(&bytes[at..at + run]);
            at += run;
            spaces = usize::from(out.last() == Some(&b' '));
            continue;
        }
        let byte = bytes[at];
        let plain = if byte < 0x80 {
            at += 1;
            match byte {
                b'\n' | b'\t' => byte,
                // NUL is what remains of UTF-16 read as bytes; CR comes with LF.
                0 | b'\r' => continue,
                0x01..=0x1f | 0x7f => b' ',
                _ => byte,
            }
        } else {
            let character = text[at..].chars().next().expect("a text is cut at a character");
            at += character.len_utf8();
            match fold_character(character) {
                Some(folded) => folded,
                None => continue,
            }
        };
        if plain == b' ' {
            spaces += 1;
            match spaces {
                1 => out.push(b' '),
                3 => {
                    if let Some(last) = out.last_mut() {
                        *last = b'\t';
                    }
                }
                _ => {}
            }
            continue;
        }
        spaces = 0;
        out.push(plain);
    }
}

/// How many bytes from here on stay as they are: visible ASCII, line ends, tabs, single spaces.
fn plain_run(bytes: &[u8], after_space: bool) -> usize {
    const CHUNK: usize = 32;
    let plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    let mut spaced = after_space;
    let mut run = 0;
    // Whole chunks first, without a branch for each byte.
    for chunk in bytes.as_chunks::<CHUNK>().0 {
        let (before, after) = (&chunk[..CHUNK - 1], &chunk[1..]);
        let all = chunk.iter().fold(true, |all, byte| all & plain(*byte));
        let wide = before.iter().zip(after).fold(false, |any, (a, b)| any | ((*a == b' ') & (*b == b' ')));
        if !all || wide || (spaced && chunk[0] == b' ') {
            break;
        }
        run += CHUNK;
        spaced = chunk[CHUNK - 1] == b' ';
    }
    let rest = bytes[run..].iter().take_while(|byte| {
        let doubled = spaced && **byte == b' ';
        spaced = **byte == b' ';
        plain(**byte) && !doubled
    });
    run + rest.count()
}

/// One character as ASCII, or nothing for what no reader sees.
fn fold_character(character: char) -> Option<u8> {
    if crate::text::is_unsafe(character) && !character.is_control() {
        return match character {
            '\u{2028}' | '\u{2029}' => Some(b'\n'),
            _ => None,
        };
    }
    Some(match character {
        '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' => return None,
        '\u{80}'..='\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => b' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => b'-',
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' => b'\'',
        '\u{201c}' | '\u{201d}' | '\u{ab}' | '\u{bb}' => b'"',
        '\u{2022}' | '\u{b7}' | '\u{25cf}' | '\u{25aa}' => b'*',
        '\u{2024}' | '\u{2e31}' => b'.',
        '\u{2044}' | '\u{2215}' => b'/',
        '\u{ba}' => b'o',
        '\u{aa}' => b'a',
        // The full-width forms of ASCII (U+FF01 to U+FF5E) lie in ASCII's own order.
        '\u{ff01}'..='\u{ff5e}' => u8::try_from(u32::from(character) - 0xff01 + 0x21).unwrap_or(b'?'),
        // Digits of bold, sans-serif and monospace faces, ten each.
        '\u{1d7ce}'..='\u{1d7ff}' => b'0' + u8::try_from((u32::from(character) - 0x1d7ce) % 10).unwrap_or(0),
        'À'..='Å' => b'A',
        'à'..='å' => b'a',
        'Ç' => b'C',
        'ç' => b'c',
        'È'..='Ë' => b'E',
        'è'..='ë' => b'e',
        'Ì'..='Ï' => b'I',
        'ì'..='ï' => b'i',
        'Ñ' => b'N',
        'ñ' => b'n',
        'Ò'..='Ö' | 'Ø' => b'O',
        'ò'..='ö' | 'ø' => b'o',
        'Ù'..='Ü' => b'U',
        'ù'..='ü' => b'u',
        'Ý' => b'Y',
        'ý' | 'ÿ' => b'y',
        'Š' | 'Ś' => b'S',
        'š' | 'ś' | 'ß' => b's',
        'Ž' | 'Ź' | 'Ż' => b'Z',
        'ž' | 'ź' | 'ż' => b'z',
        'Ł' => b'L',
        'ł' => b'l',
        _ => b'?',
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        String::from_utf8(Folded::of(&[text]).0.text().to_vec()).unwrap()
    }

    #[test]
    fn hidden_characters_vanish_and_dashes_become_one() {
        assert_eq!(folded("219\u{200b}-\u{ad}09\u{2013}0001"), "\n219-09-0001\n");
        assert_eq!(folded("２１９–09‑0001"), "\n219-09-0001\n");
    }

    #[test]
    fn accents_fall_and_wide_gaps_are_columns() {
        assert_eq!(folded("Muñoz  José    x"), "\nMunoz Jose\tx\n");
    }

    #[test]
    fn utf16_read_as_bytes_is_still_text() {
        assert_eq!(folded("M\0R\0N\0"), "\nMRN\n");
    }

    #[test]
    fn both_forms_are_equally_long() {
        let (folded, ends) = Folded::of(&["Ünïcode, D.O.B.", "漢字 x"]);
        assert_eq!(folded.text().len(), folded.scan().len());
        assert_eq!(ends.last(), Some(&folded.text().len()));
    }
}
