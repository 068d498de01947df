//! The documents of Office and OpenDocument: what each file in one is, and the text of its XML.

/// The kinds of documents that are a container.
#[derive(Clone, Copy)]
pub(super) enum Document {
    Open,
    Slides,
    Word,
    Workbook,
}

/// What an entry of a document is.
pub(super) enum Part {
    Picture,
    /// Looks, settings, or what another entry says as well.
    Silent,
    Text(Markup),
    /// Copies of other tables, in formats that are not read.
    Unread,
}

/// A part's name as names are compared: without case (ECMA-376-2 §6.2.2).
pub(super) fn part_name(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// Whether the part of this name, as [`part_name`] gives it, holds cells.
pub(super) fn is_sheet(name: &str) -> bool {
    ["xl/worksheets/", "xl/macrosheets/", "xl/dialogsheets/"].iter().any(|folder| name.starts_with(folder))
        && name.ends_with(".xml")
}

/// Where the texts that cells share are.
pub(super) const SHARED: &str = "xl/sharedstrings.xml";

impl Document {
    /// `None` is a file of its own inside the document.
    pub(super) fn part(self, name: &str) -> Option<Part> {
        let name = part_name(name);
        let is_below = |folders: &[&str]| folders.iter().any(|folder| name.starts_with(folder));
        let is_a = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        let is_xml = is_a(&[".xml"]);
        if name.contains("/media/") || is_below(&["pictures/", "thumbnails/"]) {
            return Some(Part::Picture);
        }
        if is_a(&[".rels"]) {
            return Some(Part::Silent);
        }
        let (folder, words): (&str, &[&str]) = match self {
            Self::Open if is_a(&["content.xml", "styles.xml", "meta.xml"]) => {
                return Some(Part::Text(Markup::OpenDocument));
            }
            Self::Open => {
                // The pictures of objects show what the objects say, and a cache where words stand.
                let is_own = is_below(&["configurations2/", "objectreplacements/"])
                    || is_a(&["layout-cache", "settings.xml", "manifest.xml", ".rdf"])
                    || name == "mimetype";
                return is_own.then_some(Part::Silent).or(is_xml.then_some(Part::Text(Markup::Other)));
            }
            Self::Slides => ("ppt/", &["slides/slide", "notesslides/", "comments", "diagrams/data", "charts/chart"]),
            Self::Word => (
                "word/",
                &[
                    "document",
                    "glossary/document",
                    "header",
                    "footer",
                    "comments",
                    "footnotes",
                    "endnotes",
                    "diagrams/data",
                    "charts/chart",
                ],
            ),
            Self::Workbook if is_below(&["xl/pivotcache/", "xl/externallinks/", "xl/model/"]) => {
                return Some(Part::Unread);
            }
            // Cells are read as tables; the order of reckoning is long and has no words.
            Self::Workbook if is_sheet(&name) || [SHARED, "xl/calcchain.xml"].contains(&name.as_str()) => {
                return Some(Part::Silent);
            }
            Self::Workbook => ("xl/", &["comments", "threadedcomments/", "drawings/drawing", "charts/chart"]),
        };
        let Some(rest) = name.strip_prefix(folder) else {
            return match name.as_str() {
                "docprops/core.xml" => Some(Part::Text(Markup::Office)),
                "[content_types].xml" | "docprops/app.xml" => Some(Part::Silent),
                _ if is_xml && is_below(&["customxml/", "docprops/"]) => Some(Part::Text(Markup::Other)),
                _ => is_below(&["docprops/thumbnail."]).then_some(Part::Silent),
            };
        };
        if is_xml {
            let has_words = words.iter().any(|stem| rest.starts_with(stem));
            return Some(Part::Text(if has_words { Markup::Office } else { Markup::Other }));
        }
        if is_a(&[".emf", ".wmf"]) {
            return Some(Part::Picture);
        }
        let is_binary = is_a(&[".bin"]) && (rest.starts_with("vbaproject") || rest.contains("printersettings"));
        (is_binary || is_a(&[".vml", ".odttf", ".fntdata"])).then_some(Part::Silent)
    }
}

/// The texts that the cells of a workbook share.
pub(super) fn shared_strings(xml: &str) -> Vec<String> {
    elements(xml, "si")
        .map(|item| elements(item.inside, "t").map(|text| plain(text.inside)).collect::<String>())
        .collect()
}

/// The words of a sheet.
pub(super) struct Sheet {
    /// Rows as lines of tabs, and what is printed above and below.
    pub(super) text: String,
    /// Whether all of it could be read.
    pub(super) is_whole: bool,
}

/// Reads a sheet. It ends behind `room` bytes: one text of all cells can be written into each of a
/// million.
pub(super) fn sheet(xml: &str, shared: &[String], room: u64) -> Sheet {
    let (mut text, mut is_whole) = (String::new(), true);
    for row in elements(xml, "row") {
        is_whole &= row.ends;
        let mut column = 0;
        for cell in elements(row.inside, "c") {
            if text.len() as u64 > room {
                return Sheet { text, is_whole };
            }
            is_whole &= cell.ends;
            let at = attribute(cell.tag, "r").map_or(column, column_of).min(column + 256);
            (column..at).for_each(|_| text.push('\t'));
            column = at + 1;
            let value = elements(cell.inside, "v").next().map(|value| plain(value.inside));
            let before = text.len();
            match (attribute(cell.tag, "t"), value) {
                (Some("s"), Some(number)) => match number.trim().parse().ok().and_then(|n: usize| shared.get(n)) {
                    Some(found) => text.push_str(found),
                    None => is_whole = false,
                },
                (Some("inlineStr"), _) | (_, None) => {
                    for item in elements(cell.inside, "t") {
                        is_whole &= item.ends;
                        text.push_str(&plain(item.inside));
                    }
                }
                (_, Some(value)) => text.push_str(&number_or_date(&value)),
            }
            is_whole &= text.len() > before || elements(cell.inside, "t").all(|item| item.inside.is_empty());
            text.push('\t');
        }
        text.push('\n');
    }
    // Written in a way not known here.
    is_whole &= !text.is_empty() || !xml.contains("sheetData>");
    let printed = xml.find("headerFooter").map_or("", |at| &xml[at..]);
    for name in ["oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter"] {
        for words in elements(printed, name) {
            is_whole &= words.ends;
            text.push_str(&printed_text(&plain(words.inside)));
            text.push('\n');
        }
    }
    Sheet { text, is_whole }
}

/// The words of a header or footer, without its codes for fonts, fields and places (ECMA-376-1
/// §18.3.1.46).
fn printed_text(coded: &str) -> String {
    let mut out = String::new();
    let mut rest = coded;
    while let Some((words, code)) = rest.split_once('&') {
        out.push_str(words);
        let Some(letter) = code.chars().next() else { return out };
        let after = &code[letter.len_utf8()..];
        rest = match letter {
            '"' => after.split_once('"').map_or(after, |(_, after)| after),
            '0'..='9' => code.trim_start_matches(|letter: char| letter.is_ascii_digit()),
            'K' => after.get(6..).unwrap_or(after),
            _ => after,
        };
        match letter {
            '&' => out.push('&'),
            'L' | 'C' | 'R' => out.push('\n'),
            _ => {}
        }
    }
    out + rest
}

/// A whole number as it is, and behind it as a date where it can be a serial day of a workbook
/// (1 is 1900-01-01, with the leap day that never was).
fn number_or_date(value: &str) -> String {
    let serial = value.parse::<i64>().ok().filter(|serial| (3_000..60_000).contains(serial));
    let date =
        serial.and_then(|serial| jiff::civil::date(1899, 12, 30).checked_add(jiff::Span::new().days(serial)).ok());
    date.map_or_else(|| value.to_owned(), |date| format!("{value} {date}"))
}

/// `BC12` is column 54 (from 0).
fn column_of(reference: &str) -> usize {
    let letters = reference.bytes().take(3).take_while(u8::is_ascii_uppercase);
    letters.fold(0, |sum, letter| sum * 26 + usize::from(letter - b'A') + 1).saturating_sub(1)
}

/// An element of XML.
struct Element<'x> {
    /// Its start tag, without `<` and name.
    tag: &'x str,
    inside: &'x str,
    /// Whether its end is there.
    ends: bool,
}

/// The elements of one name, whatever its prefix. Elements of that name do not nest in the documents we
/// read.
fn elements<'x>(xml: &'x str, name: &'x str) -> impl Iterator<Item = Element<'x>> {
    let mut rest = xml;
    std::iter::from_fn(move || {
        loop {
            let open = rest.find('<')?;
            let tag = &rest[open + 1..];
            // What stands there is no element (XML 1.0 §2.5, §2.7).
            let mut passed = [("!--", "-->"), ("![CDATA[", "]]>")].into_iter();
            if let Some((inside, end)) = passed.find_map(|(start, end)| Some((tag.strip_prefix(start)?, end))) {
                let Some((_, after)) = inside.split_once(end) else {
                    rest = "";
                    return Some(Element { tag: "", inside, ends: false });
                };
                rest = after;
                continue;
            }
            // A namespace prefix, as some writers put one before every name.
            let prefix =
                tag.find(|letter: char| !letter.is_ascii_alphanumeric()).filter(|at| tag[*at..].starts_with(':'));
            let prefix = &tag[..prefix.map_or(0, |at| at + 1)];
            let tag = &tag[prefix.len()..];
            let is_named = |after: &&str| after.starts_with(['>', '/']) || after.starts_with(char::is_whitespace);
            let Some(after) = tag.strip_prefix(name).filter(is_named) else {
                rest = tag;
                continue;
            };
            let Some(end) = tag_end(after) else {
                rest = "";
                return Some(Element { tag: after, inside: "", ends: false });
            };
            let (tag, inside) = (&after[..end], &after[end + 1..]);
            if let Some(tag) = tag.strip_suffix('/') {
                rest = inside;
                return Some(Element { tag, inside: "", ends: true });
            }
            let Some((inside, after)) = split_at_end_tag(inside, &format!("</{prefix}{name}")) else {
                rest = "";
                return Some(Element { tag, inside, ends: false });
            };
            rest = after;
            // An end in characters or a remark is none.
            let is_open = |start, end| inside.rfind(start).is_some_and(|at| !inside[at..].contains(end));
            return Some(Element { tag, inside, ends: !is_open(CHARACTERS, "]]>") && !is_open("<!--", "-->") });
        }
    })
}

/// What stands before and behind an end tag, which may have space before its `>`.
fn split_at_end_tag<'x>(xml: &'x str, start: &str) -> Option<(&'x str, &'x str)> {
    xml.match_indices(start)
        .find_map(|(at, _)| Some((&xml[..at], xml[at + start.len()..].trim_start().strip_prefix('>')?)))
}

/// Where the start tag ends that this is the rest of: at the `>` that no quotes are around. `<` cannot
/// stand in it, not even in quotes (XML 1.0 §3.1), so that one never closed takes little with it.
fn tag_end(tag: &str) -> Option<usize> {
    let (mut quote, mut quoted) = (None, None);
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (_, b'<') => break,
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(_), b'>') if quoted.is_none() => quoted = Some(at),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    quoted
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    attributes(tag).find_map(|(key, value)| (key == name).then_some(value))
}

/// Names and values.
fn attributes(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = tag;
    std::iter::from_fn(move || {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, after) = after[1..].split_once(quote)?;
        rest = after;
        Some((key.trim(), value))
    })
}

/// Text of XML without its entities; what is marked as characters (`<![CDATA[`) has none.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (words, after) = rest.split_once(CHARACTERS).unwrap_or((rest, ""));
        if words.contains('&') {
            out.push_str(&super::html::text_of(words));
        } else {
            out.push_str(words);
        }
        let (marked, after) = after.split_once("]]>").unwrap_or((after, ""));
        out.push_str(marked);
        rest = after;
    }
    out
}

const CHARACTERS: &str = "<![CDATA[";

#[derive(Clone, Copy)]
pub(super) enum Markup {
    Office,
    OpenDocument,
    /// Of a part whose elements are not known here: each ends a line, and its values may be words.
    Other,
}

/// The words of a document's XML: paragraphs are lines, cells are columns.
pub(super) fn markup_text(xml: &str, markup: Markup) -> String {
    let mut out = String::with_capacity(xml.len() / 4);
    let mut rest = xml;
    // Inside a table cell a paragraph's end is no line end.
    let mut cells = 0_usize;
    // They wait for the end of a line, since a drawing may stand within a word.
    let mut alternatives: Vec<String> = Vec::new();
    while let Some(open) = rest.find('<') {
        out.push_str(&plain(&rest[..open]));
        if let Some(marked) = rest[open..].strip_prefix(CHARACTERS) {
            let (marked, after) = marked.split_once("]]>").unwrap_or((marked, ""));
            out.push_str(marked);
            rest = after;
            continue;
        }
        let name = tag_name(&rest[open + 1..]);
        // Only of a part that is not known are the values of every tag read.
        let quoted = match markup {
            Markup::Office => DRAWN.contains(&name),
            Markup::OpenDocument => false,
            Markup::Other => true,
        };
        let quoted = quoted && !rest[open + 1..].starts_with(['/', '!', '?']);
        let end = if quoted { tag_end(&rest[open + 1..]).map(|end| end + 1) } else { None };
        let Some(close) = end.or_else(|| rest[open..].find('>')) else { break };
        let tag = &rest[open + 1..open + close];
        if quoted && matches!(markup, Markup::Office) {
            alternatives.extend(alternative_texts(tag));
        }
        let closing = tag.starts_with('/');
        let (paragraph, cell, row, tab, line) = match markup {
            // Runs of letters stay joined; what else holds words, and the places of a drawing, ends a line.
            Markup::Office => {
                let ends = [
                    "p",
                    "author",
                    "cm",
                    "col",
                    "colOff",
                    "comment",
                    "f",
                    "row",
                    "rowOff",
                    "text",
                    "threadedComment",
                    "v",
                ];
                let about = ["title", "subject", "keywords", "description", "creator", "lastModifiedBy", "category"];
                let paragraph = ends.contains(&name) || about.contains(&name);
                (paragraph, name == "tc", name == "tr", name == "tab", name == "br")
            }
            Markup::OpenDocument => (
                matches!(name, "p" | "h" | "title" | "desc" | "subject" | "keyword" | "description" | "creator"),
                name == "table-cell",
                name == "table-row",
                name == "tab",
                name == "line-break",
            ),
            Markup::Other => {
                let is_start = !tag.starts_with(['/', '!', '?']);
                if let Some((_, within)) = tag.split_once(char::is_whitespace).filter(|_| is_start) {
                    for (key, value) in attributes(within) {
                        if !value.trim().is_empty() && key != "xmlns" && !key.starts_with("xmlns:") {
                            add_line(&mut out, &plain(value));
                        }
                    }
                }
                (!out.ends_with('\n'), false, false, false, false)
            }
        };
        if cell && !tag.ends_with('/') {
            cells = if closing { cells.saturating_sub(1) } else { cells + 1 };
        }
        if (cell && closing) || (tab && !closing) {
            out.push('\t');
        } else if (row && closing) || (paragraph && closing && cells == 0) || line {
            out.push('\n');
            alternatives.drain(..).for_each(|text| add_line(&mut out, &text));
        } else if paragraph && closing {
            out.push(' ');
        }
        rest = &rest[open + close + 1..];
    }
    alternatives.iter().for_each(|text| add_line(&mut out, text));
    out
}

fn add_line(out: &mut String, text: &str) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out.push_str(text);
    out.push('\n');
}

/// The name of an element, without its prefix, which writers choose: what follows the `<`.
fn tag_name(tag: &str) -> &str {
    let tag = tag.strip_prefix('/').unwrap_or(tag);
    let end = tag.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).unwrap_or(tag.len());
    let name = &tag[..end];
    name.rsplit_once(':').map_or(name, |(_, name)| name)
}

/// Elements of Office documents that may carry a text in place of what they draw: drawings and tables
/// (ECMA-376-1 §20.1.2.2.8, §17.4.41), and shapes in the older form (ECMA-376-4 §19.1.2).
const DRAWN: [&str; 12] = [
    "arc",
    "cNvPr",
    "docPr",
    "group",
    "image",
    "imagedata",
    "oval",
    "rect",
    "roundrect",
    "shape",
    "tblCaption",
    "tblDescription",
];

/// What one of those says in place of a drawing.
fn alternative_texts(tag: &str) -> impl Iterator<Item = String> {
    let within = tag.split_once(char::is_whitespace).map_or("", |(_, within)| within);
    let is_text = |key: &str| ["alt", "descr", "title", "val"].contains(&tag_name(key));
    let values = attributes(within).filter(move |(key, value)| is_text(key) && !value.trim().is_empty());
    values.map(|(_, value)| plain(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sheet_xml: &str) -> (String, bool) {
        let Sheet { text, is_whole } = sheet(sheet_xml, &["MRN 445566".to_owned()], 1 << 20);
        (text, is_whole)
    }

    #[test]
    fn cells_whose_text_is_not_there_and_rows_that_do_not_end_are_counted() {
        let of = |cells: &str| read(&format!("<worksheet><sheetData><row r='1'>{cells}</row></sheetData></worksheet>"));
        assert_eq!(of("<c\nr='B1' t='s'><v> 0 </v></c>"), ("\tMRN 445566\t\n".to_owned(), true));
        assert_eq!(of("<c t=\"s\"/><c t=\"inlineStr\"><is><t><![CDATA[a & b]]></t></is></c>").0, "\ta & b\t\n");
        assert_eq!(of("<c t=\"s\"><v>1</v></c>"), ("\t\n".to_owned(), false));
        assert_eq!(of("<c><v>445566</v>"), ("445566\t\n".to_owned(), false));
        assert_eq!(read("<sheetData><row><c><v>445566</v></c>"), ("445566\t\n".to_owned(), false));
        assert!(!read("<sheetData><row><c><v>7</v></c></row><row r=\"2").1);
    }

    #[test]
    fn no_cell_is_lost_to_what_stands_in_quotes_remarks_or_characters() {
        let of = |cells: &str| read(&format!("<sheetData><row>{cells}</row></sheetData>"));
        let inline = "<is><t>445566</t></is>";
        for cells in [
            format!("<c foo=\"a>b\" t=\"inlineStr\">{inline}</c>"),
            format!("<c foo='\">' t='inlineStr'>{inline}</c>"),
            format!("<!-- <c> --><c t='inlineStr'>{inline}</c>"),
            format!("<![CDATA[<c>]]><c t='inlineStr'><!-- </v> <t> -->{inline}</c\n>"),
            format!("<c>{inline}</c>"),
        ] {
            assert_eq!(of(&cells), ("445566\t\n".to_owned(), true), "{cells}");
        }
        assert_eq!(of("<c><v>1</v></c ><c><v>445566</v></c>").0, "1\t445566\t\n");
        for cells in [
            format!("<!-- <c t='inlineStr'>{inline}</c>"),
            format!("<c t='n'><v></v>{inline}</c>"),
            format!("<c a=\"<\" t='inlineStr'>{inline}</c>"),
            "<c t='inlineStr'><is><t><![CDATA[</t> 445566]]></t></is></c>".to_owned(),
            "<c t='inlineStr'><is><t><![CDATA[</c> 445566]]></t></is></c>".to_owned(),
            "<c><!-- </c> --><v>445566</v></c>".to_owned(),
        ] {
            assert!(!of(&cells).1, "{cells}");
        }
        // Quotes and remarks that nothing closes cost little each.
        assert!(!read(&"<c a='><!--<![CDATA[<row \">\"".repeat(100_000)).1);
    }

    #[test]
    fn a_cell_of_very_many_sections_of_characters_is_read() {
        let sections = "<![CDATA[a]]>&amp;".repeat(200_000);
        let (text, is_whole) = read(&format!("<row><c t='inlineStr'><is><t>{sections}</t></is></c></row>"));
        assert_eq!((text.len(), is_whole), (2 * 200_000 + 2, true));
    }

    #[test]
    fn what_is_printed_above_and_below_a_sheet_is_read() {
        let of = |words: &str| {
            read(&format!("<sheetData/><headerFooter><oddHeader>{words}</oddHeader><firstFooter/></headerFooter>")).0
        };
        assert_eq!(
            of("&amp;L&amp;\"Arial,Bold\"&amp;12Zorba &amp;K01+000Quillon&amp;CMRN 445566&amp;RPage &amp;P"),
            "\nZorba Quillon\nMRN 445566\nPage \n\n"
        );
        assert_eq!(of("Smith &amp;&amp; Sons &amp;"), "Smith & Sons \n\n");
    }

    #[test]
    fn parts_of_a_document_that_are_not_known_are_read() {
        use Document::{Open, Slides, Word, Workbook};
        let words = "Ana Ruiz MRN 4455661 asma";
        let text_of = |document: Document, name: &str, xml: &str| match document.part(name) {
            Some(Part::Text(markup)) => markup_text(xml, markup),
            Some(Part::Picture | Part::Silent | Part::Unread) | None => String::new(),
        };
        for (document, name) in [
            (Open, "patients.xml"),
            (Slides, "ppt/charts/chart1.xml"),
            (Slides, "ppt/slideMasters/slideMaster1.xml"),
            (Word, "Word/Document.xml"),
            (Word, "customXml/item1.xml"),
            (Word, "docProps/custom.xml"),
            (Word, "word/glossary/document.xml"),
            (Workbook, "xl/chartsheets/sheet1.xml"),
            (Workbook, "xl/workbook.xml"),
        ] {
            assert_eq!(text_of(document, name, &format!("<p>{words}</p>")).trim(), words, "{name}");
        }
        let item = format!("<p xmlns='urn:a' xmlns:b=\"urn:b\" name=\"{words}\"/>");
        assert_eq!(text_of(Word, "customXml/item1.xml", &item), format!("{words}\n"));
        for name in ["word/activeX/activeX1.bin", "word/afchunk1.mht", "word/patients.csv", "word/embeddings/a.xml.zip"]
        {
            assert!(Word.part(name).is_none(), "{name}");
        }
        for name in
            ["word/vbaProject.bin", "word/_rels/document.xml.rels", "word/fonts/font1.odttf", "docProps/app.xml"]
        {
            assert!(matches!(Word.part(name), Some(Part::Silent)), "{name}");
        }
        for name in ["layout-cache", "ObjectReplacements/Object 1", "META-INF/manifest.xml", "mimetype"] {
            assert!(matches!(Open.part(name), Some(Part::Silent)), "{name}");
        }
        assert!(matches!(Workbook.part("xl/Worksheets/Sheet1.xml"), Some(Part::Silent)), "a table");
    }

    #[test]
    fn what_stands_for_a_drawing_is_read() {
        let office = |xml: &str| markup_text(xml, Markup::Office);
        let drawing = "<w:p><w:t>MRN 44</w:t><w:drawing><wp:docPr id='1' name='Picture 1' descr=\"Zorba > Quillon\" title='asthma &amp; c'/></w:drawing><w:t>5566</w:t></w:p><w:p><w:t>next</w:t></w:p>";
        assert_eq!(office(drawing), "MRN 445566\nZorba > Quillon\nasthma & c\nnext\n");
        for drawn in [
            "<p:cNvPr id=\"4\" name=\"Picture 4\" descr=\"MRN 445566\"/>",
            "<xdr:cNvPr descr='MRN 445566' id='2'><a:hlinkClick/></xdr:cNvPr>",
            "<v:shape style=\"width:9\" alt=\"MRN 445566\"><v:imagedata r:id='a' o:title=''/></v:shape>",
            "<w:tblPr><w:tblCaption w:val=\"MRN 445566\"/></w:tblPr>",
            "<cNvPr\ndescr = \"MRN 445566\"",
        ] {
            assert_eq!(office(&format!("{drawn}>")), "MRN 445566\n", "{drawn}");
        }
        assert_eq!(office("<w:docPr id='1' name='Picture 1' descr=''/><w:p><w:t>a</w:t></w:p>"), "a\n");
        let open =
            "<draw:frame><svg:title>Zorba</svg:title><svg:desc>MRN 445566</svg:desc></draw:frame><text:p>a</text:p>";
        assert_eq!(markup_text(open, Markup::OpenDocument), "Zorba\nMRN 445566\na\n");
    }

    #[test]
    fn elements_that_are_not_known_end_a_line() {
        let text = markup_text("<a><b>445</b><c>566</c><d x='1'/><![CDATA[<MRN>]]></a>", Markup::Other);
        assert_eq!(text, "445\n566\n1\n<MRN>\n");
        let values = "<?xml version='1.0'?><a>x<b c='' d='445 > 566' e=\"&lt;MRN&gt;\">y</b><b f=\"z>w</b></a>";
        assert_eq!(markup_text(values, Markup::Other), "x\n445 > 566\n<MRN>\ny\nw\n");
        let sheets = "<sheets><sheet sheetId='1' name='MRN 445566 &amp;c'/><x:sheet name=\"b\"></x:sheet></sheets>";
        assert_eq!(markup_text(sheets, Markup::Other), "1\nMRN 445566 &c\nb\n");
        let chart = "<c:pt><c:v>445</c:v></c:pt><c:pt><c:v>566</c:v></c:pt>";
        assert_eq!(markup_text(chart, Markup::Office), "445\n566\n");
        assert_eq!(markup_text("<w:t><![CDATA[MRN 445566]]></w:t>", Markup::Office), "MRN 445566");
    }
}
