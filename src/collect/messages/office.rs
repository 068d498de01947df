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
            match (attribute(cell.tag, "t"), value) {
                (Some("s"), Some(number)) => match number.trim().parse().ok().and_then(|n: usize| shared.get(n)) {
                    Some(found) => text.push_str(found),
                    None => is_whole = false,
                },
                (Some("inlineStr"), _) => {
                    elements(cell.inside, "t").for_each(|item| text.push_str(&plain(item.inside)));
                }
                (_, value) => text.push_str(&number_or_date(&value.unwrap_or_default())),
            }
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
            let Some((tag, inside)) = after.split_once('>') else {
                rest = "";
                return Some(Element { tag: after, inside: "", ends: false });
            };
            if let Some(tag) = tag.strip_suffix('/') {
                rest = inside;
                return Some(Element { tag, inside: "", ends: true });
            }
            let Some((inside, after)) = inside.split_once(&format!("</{prefix}{name}>")) else {
                rest = "";
                return Some(Element { tag, inside, ends: false });
            };
            rest = after;
            return Some(Element { tag, inside, ends: true });
        }
    })
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = tag;
    loop {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, after) = after[1..].split_once(quote)?;
        if key.trim() == name {
            return Some(value);
        }
        rest = after;
    }
}

/// Text of XML without its entities; what is marked as characters (`<![CDATA[`) has none.
fn plain(text: &str) -> String {
    match text.split_once(CHARACTERS) {
        Some((before, marked)) => {
            let (marked, after) = marked.split_once("]]>").unwrap_or((marked, ""));
            plain(before) + marked + &plain(after)
        }
        None if text.contains('&') => super::html::text_of(text),
        None => text.to_owned(),
    }
}

const CHARACTERS: &str = "<![CDATA[";

#[derive(Clone, Copy)]
pub(super) enum Markup {
    Office,
    OpenDocument,
    /// Of a part whose elements are not known here: each ends a line.
    Other,
}

/// The words of a document's XML: paragraphs are lines, cells are columns.
pub(super) fn markup_text(xml: &str, markup: Markup) -> String {
    let mut out = String::with_capacity(xml.len() / 4);
    let mut rest = xml;
    // Inside a table cell a paragraph's end is no line end.
    let mut cells = 0_usize;
    while let Some(open) = rest.find('<') {
        out.push_str(&plain(&rest[..open]));
        if let Some(marked) = rest[open..].strip_prefix(CHARACTERS) {
            let (marked, after) = marked.split_once("]]>").unwrap_or((marked, ""));
            out.push_str(marked);
            rest = after;
            continue;
        }
        let Some(close) = rest[open..].find('>') else { break };
        let tag = &rest[open + 1..open + close];
        let name = tag.split([' ', '/', '>', '\t', '\r', '\n']).find(|word| !word.is_empty()).unwrap_or_default();
        // Writers choose their own prefixes.
        let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
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
                matches!(name, "p" | "h" | "title" | "subject" | "keyword" | "description" | "creator"),
                name == "table-cell",
                name == "table-row",
                name == "tab",
                name == "line-break",
            ),
            Markup::Other => {
                // A workbook's list of sheets.
                if name == "sheet" && !closing {
                    let called = tag.split_once(char::is_whitespace).and_then(|(_, tag)| attribute(tag, "name"));
                    out.push_str(&plain(called.unwrap_or_default()));
                }
                (!out.ends_with('\n'), false, false, false, name == "sheet" && !closing)
            }
        };
        if cell && !tag.ends_with('/') {
            cells = if closing { cells.saturating_sub(1) } else { cells + 1 };
        }
        if (cell && closing) || (tab && !closing) {
            out.push('\t');
        } else if (row && closing) || (paragraph && closing && cells == 0) || line {
            out.push('\n');
        } else if paragraph && closing {
            out.push(' ');
        }
        rest = &rest[open + close + 1..];
    }
    out
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
        let is_text = |document: Document, name: &str| matches!(document.part(name), Some(Part::Text(_)));
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
            assert!(is_text(document, name), "{name}");
        }
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
    fn elements_that_are_not_known_end_a_line() {
        let text = markup_text("<a><b>445</b><c>566</c><d x='1'/><![CDATA[<MRN>]]></a>", Markup::Other);
        assert_eq!(text, "445\n566\n<MRN>\n");
        let sheets = "<sheets><sheet sheetId='1' name='MRN 445566 &amp;c'/><x:sheet name=\"b\"></x:sheet></sheets>";
        assert_eq!(markup_text(sheets, Markup::Other), "MRN 445566 &c\nb\n");
        let chart = "<c:pt><c:v>445</c:v></c:pt><c:pt><c:v>566</c:v></c:pt>";
        assert_eq!(markup_text(chart, Markup::Office), "445\n566\n");
        assert_eq!(markup_text("<w:t><![CDATA[MRN 445566]]></w:t>", Markup::Office), "MRN 445566");
    }
}
