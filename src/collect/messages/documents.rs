//! Reads the text of single documents: plain text, calendar entries, rich text.

use super::attachments::DECORATION_BYTES;

/// Bytes as text, if they are text: by byte order mark, as UTF-8, or as Windows-1252 without control
/// bytes.
pub(super) fn as_text(bytes: &[u8]) -> Option<String> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        return Some(encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned());
    }
    let sample = &bytes[..bytes.len().min(4096)];
    let zeros = sample.iter().filter(|byte| **byte == 0).count();
    if zeros * 3 > sample.len() && zeros * 5 < sample.len() * 3 {
        // Every other byte is zero: UTF-16 without its mark.
        let little = sample.iter().skip(1).step_by(2).filter(|byte| **byte == 0).count();
        let encoding = if little * 3 > sample.len() { encoding_rs::UTF_16LE } else { encoding_rs::UTF_16BE };
        return Some(encoding.decode_without_bom_handling(bytes).0.into_owned());
    }
    if has_controls(sample) {
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text.to_owned()),
        Err(_) => {
            let high = sample.iter().filter(|byte| **byte >= 0x80).count();
            (high * 4 <= sample.len()).then(|| encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned())
        }
    }
}

/// Whether it begins with more control bytes than text has.
pub(super) fn has_controls(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(4096)];
    let control = sample
        .iter()
        .filter(|byte| **byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1c..=0x1f))
        .count();
    control > sample.len() / 100
}

/// Whether what was given as text are the bytes of a file, or of text in another encoding.
pub(super) fn is_bytes(text: &str) -> bool {
    let bytes = text.as_bytes();
    if begins_a_file(bytes) {
        return true;
    }
    // Most text has neither, and is not looked at by characters. Looking at every byte is the quicker way.
    let plain = |byte: &u8| !(*byte < 0x20 && !matches!(byte, b'\t'..=b'\r' | 0x1c..=0x1f) || *byte == 0xef);
    if bytes.iter().take(4 * 4096).fold(true, |all, byte| all & plain(byte)) {
        return false;
    }
    let (mut all, mut controls, mut lost, mut told) = (0, 0, 0, 0);
    for c in text.chars().take(4096) {
        all += 1;
        match c {
            '\t'..='\r' | '\x1c'..='\x7f' => {}
            '\0'..='\x08' | '\x0e'..='\x1b' => controls += 1,
            char::REPLACEMENT_CHARACTER => lost += 1,
            _ => told += 1,
        }
    }
    let odd = controls + lost;
    // One that strayed into a short note makes no file of it; one alone stands for a text nobody decodes.
    // Bytes that are no text among more letters that only this encoding gives are damage.
    text == "\u{fffd}" || (odd > 1 && odd > all / 100 && (controls > 0 || lost >= told))
}

/// Whether decoding gave letters that are not the same in most encodings.
pub(super) fn has_told_letters(text: &str) -> bool {
    text.chars().any(|c| !c.is_ascii() && c != char::REPLACEMENT_CHARACTER)
}

/// Whether it begins as a file that may yet be all letters.
pub(super) fn begins_a_file(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.trim_ascii_start().starts_with(b"%PDF-")
}

/// A calendar entry (RFC 5545) with its lines unfolded and its escapes undone.
pub(super) fn calendar_text(text: &str) -> String {
    let unfolded = text.replace("\r\n ", "").replace("\r\n\t", "").replace("\n ", "").replace("\n\t", "");
    let mut out = String::with_capacity(unfolded.len());
    for line in unfolded.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let property = name.split(';').next().unwrap_or_default();
        // Times, ids and addresses of meetings are no text of anybody's.
        if !["SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "ATTENDEE", "CATEGORIES", "X-ALT-DESC"]
            .iter()
            .any(|known| property.eq_ignore_ascii_case(known))
        {
            continue;
        }
        if property.eq_ignore_ascii_case("ATTENDEE") {
            let attendee = name.split(';').find_map(|parameter| parameter.strip_prefix("CN="));
            out.push_str(attendee.unwrap_or_default().trim_matches('"'));
        } else {
            out.push_str(&value.replace("\\n", "\n").replace("\\N", "\n").replace("\\,", ",").replace("\\;", ";"));
        }
        out.push('\n');
    }
    out
}

/// The words of a rich text document, and why some of it was not looked into.
pub(super) struct RichText {
    pub(super) text: String,
    pub(super) not_inspected: Vec<&'static str>,
}

/// What the words of a group are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    /// Shown beside the text around it: a remark, a box.
    Apart,
    Shown,
    Silent,
}

/// Reads a rich text document: control words and groups that show nothing are dropped.
pub(super) fn rich_text(bytes: &[u8]) -> RichText {
    const SILENT: [&[u8]; 9] = [
        b"fonttbl",
        b"colortbl",
        b"stylesheet",
        b"info",
        b"objdata",
        b"object",
        b"themedata",
        b"datastore",
        b"generator",
    ];
    /// What is shown of groups that are not.
    const APART: [&[u8]; 5] = [b"annotation", b"atnauthor", b"dptxbxtext", b"result", b"shptxt"];
    let mut out = String::with_capacity(bytes.len() / 2);
    let mut not_inspected = Vec::new();
    let mut groups = vec![Group::Shown];
    let (mut at, mut raw) = (0, 0);
    // The outermost picture: the groups around it, and where it begins.
    let mut picture: Option<(usize, usize)> = None;
    let mut has_large_picture = false;
    // Two digits a byte.
    let is_large = |from: usize, to: usize| to - from > 2 * DECORATION_BYTES;
    while at < bytes.len() {
        let byte = bytes[at];
        at += 1;
        let depth = groups.len();
        let group = groups.last_mut().expect("the outermost stays");
        let is_shown = matches!(group, Group::Apart | Group::Shown);
        match byte {
            b'{' => {
                let within = if is_shown { Group::Shown } else { Group::Silent };
                groups.push(within);
            }
            b'}' => {
                if *group == Group::Apart {
                    out.push('\n');
                }
                if let Some((_, from)) = picture.take_if(|(of, _)| *of == depth) {
                    has_large_picture |= is_large(from, at + raw);
                }
                if groups.len() > 1 {
                    groups.pop();
                }
            }
            b'\\' => {
                let length = bytes[at..].iter().take(32).take_while(|byte| byte.is_ascii_alphabetic()).count();
                if length == 0 {
                    let Some(symbol) = bytes.get(at) else { break };
                    at += 1;
                    match symbol {
                        b'\'' => {
                            let hex = bytes.get(at..at + 2).and_then(|two| std::str::from_utf8(two).ok());
                            let code = hex.and_then(|two| u8::from_str_radix(two, 16).ok());
                            if is_shown && let Some(code) = code {
                                out.push_str(&encoding_rs::WINDOWS_1252.decode(&[code]).0);
                            }
                            at = (at + 2).min(bytes.len());
                        }
                        b'*' => *group = Group::Silent,
                        b'~' if is_shown => out.push(' '),
                        b'_' if is_shown => out.push('-'),
                        b'\\' | b'{' | b'}' if is_shown => out.push(char::from(*symbol)),
                        _ => {}
                    }
                    continue;
                }
                let word = &bytes[at..at + length];
                at += length;
                let number =
                    bytes[at..].iter().take(10).take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
                let value = std::str::from_utf8(&bytes[at..at + number]).ok().and_then(|text| text.parse::<i32>().ok());
                at += number;
                if bytes.get(at) == Some(&b' ') {
                    at += 1;
                }
                match word {
                    b"pict" => {
                        *group = Group::Silent;
                        picture.get_or_insert((depth, at + raw));
                    }
                    b"bin" => {
                        // Bytes as they are, each as much as two digits.
                        let length = value.and_then(|value| usize::try_from(value).ok()).unwrap_or(0);
                        let length = length.min(bytes.len() - at);
                        (at, raw) = (at + length, raw + length);
                    }
                    _ if APART.contains(&word) => {
                        *group = Group::Apart;
                        out.push('\n');
                    }
                    _ if SILENT.contains(&word) => {
                        *group = Group::Silent;
                        // A file within.
                        not_inspected.extend((word == b"objdata").then_some("unreadable-part"));
                    }
                    _ if !is_shown => {}
                    b"par" | b"line" | b"row" | b"sect" | b"page" => out.push('\n'),
                    b"tab" | b"cell" => out.push('\t'),
                    b"u" => {
                        // A negative number is the code point less 65,536; one fallback byte follows.
                        let code = value.map(|value| if value < 0 { value + 65_536 } else { value });
                        out.extend(code.and_then(|code| u32::try_from(code).ok()).and_then(char::from_u32));
                        if bytes.get(at).is_some_and(|byte| !matches!(byte, b'\\' | b'{' | b'}')) {
                            at += 1;
                        }
                    }
                    _ => {}
                }
            }
            b'\r' | b'\n' => {}
            _ if is_shown => out.push_str(&encoding_rs::WINDOWS_1252.decode(&[byte]).0),
            _ => {}
        }
    }
    // Cut off within it.
    has_large_picture |= picture.is_some_and(|(_, from)| is_large(from, at + raw));
    not_inspected.extend(has_large_picture.then_some("image"));
    // A group without its end: the file is cut off, and more may have stood there.
    not_inspected.extend((groups.len() > 1).then_some("unreadable-part"));
    not_inspected.sort_unstable();
    not_inspected.dedup();
    RichText { text: out, not_inspected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rich_text_loses_its_controls() {
        let rtf =
            b"{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}{\\*\\generator x;}Pt \\b MRN\\b0  4455\\'e9 \\u241?\\par next}";
        assert_eq!(shown(rtf), ("Pt MRN 4455é ñ\nnext".to_owned(), vec![]));
    }

    #[test]
    fn boxes_and_remarks_in_rich_text_are_read_and_files_counted() {
        let boxed = b"{\\rtf1 See{\\shp{\\*\\shpinst\\shpleft0{\\sp{\\sn a}{\\sv b}}{\\shptxt MRN {\\b 445566}\\par}}{\\shprslt{\\*\\do x}}} below}";
        assert_eq!(shown(boxed), ("See\nMRN 445566\n\n below".to_owned(), vec![]));
        let remark = b"{\\rtf1 See{\\*\\atnid Z}\\chatn{\\*\\annotation {\\*\\atnref 1}MRN 445566} below}";
        assert_eq!(shown(remark), ("See\nMRN 445566\n below".to_owned(), vec![]));
        let file =
            b"{\\rtf1 See{\\object\\objemb{\\*\\objclass Package}{\\*\\objdata 0105}{\\result {\\b table}}} below}";
        assert_eq!(shown(file), ("See\ntable\n below".to_owned(), vec!["unreadable-part"]));
        let picture = |bytes: usize| [b"{\\rtf1 a{\\pict\\pngblip ", &b"8b".repeat(bytes)[..], b"}b}"].concat();
        assert_eq!(shown(&picture(100)), ("ab".to_owned(), vec![]));
        assert_eq!(shown(&picture(DECORATION_BYTES)), ("ab".to_owned(), vec!["image"]));
        assert_eq!(shown(b"{\\rtf1 a{\\pict\\bin4 }}{x}b}}c").0, "abc");
    }

    #[test]
    fn rich_text_that_is_cut_off_is_read_as_far_as_it_goes_and_counted() {
        let whole = b"{\\rtf1 See {\\b MRN 445566}\\par}";
        assert_eq!(shown(whole), ("See MRN 445566\n".to_owned(), vec![]));
        for cut in 6..whole.len() {
            let (text, why) = shown(&whole[..cut]);
            assert!("See MRN 445566\n".starts_with(&text) && why == ["unreadable-part"], "{cut}: {text}");
        }
        // What stands behind the end, as the zero that Outlook writes, takes nothing away.
        assert!(shown(&[&whole[..], b"\r\n\0"].concat()).1.is_empty());
        // Bytes that are fewer than they say.
        assert_eq!(shown(b"{\\rtf1 a{\\pict\\bin9 }}").1, ["unreadable-part"]);
    }

    #[test]
    fn pictures_in_rich_text_are_counted_however_they_are_written() {
        let hex = "8b".repeat(DECORATION_BYTES);
        let raw = format!("\\bin{} {}", DECORATION_BYTES, "{".repeat(DECORATION_BYTES));
        for (picture, is_counted) in [
            (format!("{{\\pict\\pngblip{raw}}}"), true),
            (format!("{{\\pict\\bin9 xxxxxxxxx{raw}}}"), true),
            (format!("{{\\pict {hex}{{\\pict }}}}"), true),
            (format!("{{\\pict {hex}\\pict }}"), true),
            (format!("{{\\pict{{\\*\\picprop {{\\pict}}}}{hex}\\*}}"), true),
            (format!("{{\\*\\shppict{{\\pict{raw}}}}}{{\\pict 8b}}"), true),
            (format!("{{\\pict {}}}{{\\pict {}}}", &hex[..hex.len() - 90], &hex[..hex.len() - 90]), false),
            (format!("{{\\pict 8b}}{raw}"), false),
        ] {
            let (text, why) = shown(format!("{{\\rtf1 a{picture}b}}").as_bytes());
            assert_eq!((text.as_str(), !why.is_empty()), ("ab", is_counted), "{}", &picture[..20]);
        }
        // One that does not end.
        assert_eq!(shown(format!("{{\\rtf1 a{{\\pict {hex}ff").as_bytes()).1, ["image", "unreadable-part"]);
    }

    fn shown(bytes: &[u8]) -> (String, Vec<&'static str>) {
        let RichText { text, not_inspected } = rich_text(bytes);
        (text, not_inspected)
    }

    #[test]
    fn text_of_another_encoding_and_files_are_bytes() {
        assert!(is_bytes("PK\x03\x04") && is_bytes("%PDF-1.7") && is_bytes("a\0b\0c\0d\0"));
        assert!(is_bytes("se\u{fffd}or, ma\u{fffd}ana, ni\u{fffd}o, a\u{fffd}o"));
        assert!(!is_bytes("Hi\0, ask for the PK form\x0c\r\n") && !is_bytes(""));
    }

    #[test]
    fn a_calendar_entry_is_unfolded() {
        let text = "BEGIN:VEVENT\r\nSUMMARY:Biopsy\\, Mrs.\r\n  Quillon\r\nUID:219-09-1234\r\nATTENDEE;CN=\"Ana Ruiz\":mailto:a@b.example\r\n";
        assert_eq!(calendar_text(text), "Biopsy, Mrs. Quillon\nAna Ruiz\n");
    }

    #[test]
    fn utf16_without_a_mark_and_latin_text_are_text() {
        let utf16: Vec<u8> = "MRN;Name\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(as_text(&utf16).as_deref(), Some("MRN;Name\r\n"));
        assert_eq!(as_text(b"se\xf1or").as_deref(), Some("señor"));
        assert_eq!(as_text(&[0, 1, 2, 3, 255, 254, 0, 9]), None);
    }
}
