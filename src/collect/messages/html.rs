//! Takes the text out of HTML mail: what a reader would see, in lines and columns.
//!
//! Not a browser: it never fails, keeps no tree, and runs in one pass. Inline tags vanish (so a
//! number split by `<b>` is one number again), block tags end a line, table cells end a column,
//! quotations are marked with `> `. Styles, scripts and comments are dropped.

use memchr::memchr2;

/// Text deeper in quotations than this is marked as if it were this deep.
const QUOTE_DEPTH: usize = 4;

/// A tag is at most this long, so that unclosed quotes cost little each.
const TAG_BYTES: usize = 4 * 1024;

/// The text of a page.
pub(super) fn text_of(html: &str) -> String {
    let bytes = html.as_bytes();
    let mut page = Page { out: String::with_capacity(html.len() / 2), quoted: 0, preformatted: false };
    let mut at = 0;
    while at < bytes.len() {
        let Some(found) = memchr2(b'<', b'&', &bytes[at..]) else {
            page.words(&html[at..]);
            break;
        };
        page.words(&html[at..at + found]);
        at += found;
        if bytes[at] == b'&' {
            at += page.entity(&html[at..]);
        } else {
            at = page.tag(html, at);
        }
    }
    page.out
}

struct Page {
    out: String,
    quoted: usize,
    preformatted: bool,
}

impl Page {
    /// Words between tags; a line end in the source is a space on the page.
    fn words(&mut self, text: &str) {
        if self.preformatted {
            for (number, line) in text.split('\n').enumerate() {
                if number > 0 {
                    self.line_end();
                }
                self.out.push_str(line);
            }
            return;
        }
        for (number, piece) in text.split(['\n', '\r', '\t']).enumerate() {
            if number > 0 && !self.out.ends_with([' ', '\n', '\t']) {
                self.out.push(' ');
            }
            // Indentation of the source is no column.
            let piece = if number > 0 { piece.trim_start_matches(' ') } else { piece };
            self.out.push_str(piece);
        }
    }

    fn line_end(&mut self) {
        self.out.push('\n');
        for _ in 0..self.quoted.min(QUOTE_DEPTH) {
            self.out.push_str("> ");
        }
    }

    fn block_end(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with('\n') && !self.out.ends_with("\n> ") {
            self.line_end();
        }
    }

    /// Reads the tag at `at` (a `<`) and gives the place after it.
    fn tag(&mut self, html: &str, at: usize) -> usize {
        let bytes = html.as_bytes();
        let rest = &bytes[at + 1..];
        if rest.starts_with(b"!--") {
            let end = memchr::memmem::find(&bytes[at + 4..], b"-->").map_or(bytes.len(), |found| at + 4 + found + 3);
            return end;
        }
        let closing = rest.first() == Some(&b'/');
        let name_at = at + 1 + usize::from(closing);
        let name_length = bytes[name_at..].iter().take(16).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let is_name = bytes.get(name_at).is_some_and(u8::is_ascii_alphabetic);
        if !is_name && !matches!(rest.first(), Some(b'!' | b'?' | b'/')) {
            // A bare less-than sign: `age <65`.
            self.out.push('<');
            return at + 1;
        }
        let name = html[name_at..name_at + name_length].to_ascii_lowercase();
        let end = tag_end(bytes, name_at + name_length);
        match name.as_str() {
            "script" | "style" | "head" if !closing => return after_closing(bytes, end, &name),
            "br" | "hr" => self.line_end(),
            "td" | "th" if !closing && !self.out.is_empty() && !self.out.ends_with('\n') => self.out.push('\t'),
            "blockquote" => {
                self.quoted = if closing { self.quoted.saturating_sub(1) } else { self.quoted.saturating_add(1) };
                self.line_end();
            }
            "pre" => {
                self.preformatted = !closing;
                self.block_end();
            }
            "p" | "div" | "tr" | "table" | "li" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "section"
            | "article" | "header" | "footer" | "dl" | "dt" | "dd" | "tbody" | "thead" | "body" | "html" | "form"
            | "center" | "fieldset" | "option" | "title" | "caption" => {
                self.block_end();
                if name == "p" && closing {
                    self.line_end();
                }
            }
            _ => {}
        }
        end
    }

    /// Reads the entity that `rest` begins with and gives its length; a bare `&` is itself.
    fn entity(&mut self, rest: &str) -> usize {
        let limit = rest.len().min(12);
        let Some(length) =
            rest.as_bytes()[1..limit].iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'#')
        else {
            self.out.push('&');
            return 1;
        };
        let name = &rest[1..=length];
        let terminated = rest.as_bytes()[1 + length] == b';';
        let after = 1 + length + usize::from(terminated);
        let character = if let Some(number) = name.strip_prefix('#') {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok(),
                None => number.parse().ok(),
            };
            code.and_then(char::from_u32)
        } else {
            named(name).filter(|_| terminated || matches!(name, "nbsp" | "amp" | "lt" | "gt" | "quot"))
        };
        match character {
            Some(character) => {
                self.out.push(character);
                after
            }
            None => {
                self.out.push('&');
                1
            }
        }
    }
}

/// The place after the `>` that ends a tag, heeding quoted attribute values. A tag that never ends,
/// or whose quote is never closed, ends where the next one begins, so that it swallows no page.
fn tag_end(bytes: &[u8], from: usize) -> usize {
    let limit = bytes.len().min(from + TAG_BYTES);
    let mut quote = None;
    let mut first_close = None;
    for (at, &byte) in bytes.iter().enumerate().take(limit).skip(from) {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'<') => return at,
            (None, mark @ (b'"' | b'\'')) => quote = Some(mark),
            (Some(open), mark) if open == mark => quote = None,
            (Some(_), b'>') if first_close.is_none() => first_close = Some(at + 1),
            _ => {}
        }
    }
    first_close.unwrap_or(from)
}

/// The place after `</name…>`, or the end.
fn after_closing(bytes: &[u8], from: usize, name: &str) -> usize {
    let mut at = from;
    while let Some(found) = memchr::memmem::find(&bytes[at..], b"</") {
        let name_at = at + found + 2;
        if bytes[name_at..].get(..name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes())) {
            return tag_end(bytes, name_at + name.len());
        }
        at = name_at;
    }
    bytes.len()
}

/// The named entities of mail in English and Spanish.
fn named(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" | "ensp" | "emsp" | "thinsp" => ' ',
        "shy" => '\u{ad}',
        "zwnj" | "zwj" => '\u{200b}',
        "ndash" => '–',
        "mdash" => '—',
        "hyphen" | "dash" => '-',
        "num" => '#',
        "colon" => ':',
        "sol" => '/',
        "period" => '.',
        "comma" => ',',
        "lsquo" | "rsquo" => '\'',
        "ldquo" | "rdquo" => '"',
        "bull" | "middot" => '·',
        "hellip" => '…',
        "aacute" => 'á',
        "eacute" => 'é',
        "iacute" => 'í',
        "oacute" => 'ó',
        "uacute" => 'ú',
        "ntilde" => 'ñ',
        "uuml" => 'ü',
        "ouml" => 'ö',
        "auml" => 'ä',
        "Aacute" => 'Á',
        "Eacute" => 'É',
        "Iacute" => 'Í',
        "Oacute" => 'Ó',
        "Uacute" => 'Ú',
        "Ntilde" => 'Ñ',
        "copy" => '©',
        "reg" => '®',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn inline_tags_vanish_and_blocks_end_lines() {
        assert_eq!(text_of("<p>SSN 2<b>19</b>&#45;09<wbr>-0001</p><div>next</div>"), "SSN 219-09-0001\n\nnext\n");
    }

    #[test]
    fn cells_are_columns_and_scripts_are_gone() {
        let html = "<style>p{}</style><table><tr><td>MRN</td><td>DOB</td></tr></table><script>var x='</p>'</script>z";
        assert_eq!(text_of(html), "MRN\tDOB\nz");
    }

    #[test]
    fn quotations_are_marked() {
        assert_eq!(text_of("a<blockquote>b<br>c</blockquote>d"), "a\n> b\n> c\nd");
    }

    #[test]
    fn a_quote_never_closed_does_not_swallow_the_page() {
        assert!(text_of("<a href=\"x>seen</a> and <65").contains("seen"));
        assert!(text_of("age <65 and &unknown; & more").contains("<65 and &unknown; & more"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_fault(html in "[<>&;/!a-z\"'#= \\-\n]{0,400}|\\PC{0,80}") {
            let _ = text_of(&html);
        }
    }
}
