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

impl Document {
    /// `None` is a file of its own inside the document.
    pub(super) fn part(self, name: &str) -> Option<Part> {
        let is_below = |folders: &[&str]| folders.iter().any(|folder| name.starts_with(folder));
        let is_a = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if name.contains("/media/") || is_below(&["Pictures/", "Thumbnails/"]) {
            return Some(Part::Picture);
        }
        if name.contains("/embeddings/") || is_a(&[".htm", ".html", ".mht", ".docx", ".rtf", ".txt"]) {
            return None;
        }
        let (folder, words): (&str, &[&str]) = match self {
            Self::Open if is_a(&["content.xml", "styles.xml", "meta.xml"]) => {
                return Some(Part::Text(Markup::OpenDocument));
            }
            Self::Open => {
                let is_own = is_below(&["META-INF/", "Configurations2/", "mimetype"]) || is_a(&[".xml", ".rdf"]);
                return is_own.then_some(Part::Silent);
            }
            Self::Slides => ("ppt/", &["slides/slide", "notesSlides/", "comments", "diagrams/data"]),
            Self::Word => {
                ("word/", &["document", "header", "footer", "comments", "footnotes", "endnotes", "diagrams/data"])
            }
            Self::Workbook if is_below(&["xl/pivotCache/", "xl/externalLinks/", "xl/model/"]) => {
                return (!name.contains("/_rels/")).then_some(Part::Unread).or(Some(Part::Silent));
            }
            Self::Workbook => ("xl/", &["comments", "threadedComments/", "drawings/drawing"]),
        };
        match name.strip_prefix(folder) {
            Some(rest) if words.iter().any(|stem| rest.starts_with(stem)) && is_a(&[".xml"]) => {
                Some(Part::Text(Markup::Office))
            }
            Some(_) => Some(Part::Silent),
            None if name == "docProps/core.xml" => Some(Part::Text(Markup::Office)),
            None => is_below(&["_rels/", "docProps/", "customXml/", "[Content_Types].xml"]).then_some(Part::Silent),
        }
    }
}

/// The texts that the cells of a workbook share.
pub(super) fn shared_strings(xml: &[u8]) -> Vec<String> {
    let xml = String::from_utf8_lossy(xml);
    elements(&xml, "si").map(|item| elements(item, "t").map(plain).collect::<String>()).collect()
}

/// The rows of a sheet as lines of tabs; `None` where they are written in a way not known here. It ends
/// behind `room` bytes: one text of all cells can be written into each of a million.
pub(super) fn sheet_text(xml: &[u8], shared: &[String], room: u64) -> Option<String> {
    let xml = String::from_utf8_lossy(xml);
    let mut sheet = String::new();
    for row in elements(&xml, "row") {
        let mut column = 0;
        for (tag, cell) in tagged_elements(row, "c") {
            if sheet.len() as u64 > room {
                return Some(sheet);
            }
            let at = attribute(tag, "r").map_or(column, column_of).min(column + 256);
            (column..at).for_each(|_| sheet.push('\t'));
            column = at + 1;
            let value = elements(cell, "v").next().map(plain).unwrap_or_default();
            match attribute(tag, "t") {
                Some("s") => {
                    sheet.push_str(value.parse().ok().and_then(|n: usize| shared.get(n)).map_or("", String::as_str))
                }
                Some("inlineStr") => elements(cell, "t").for_each(|text| sheet.push_str(&plain(text))),
                _ => sheet.push_str(&number_or_date(&value)),
            }
            sheet.push('\t');
        }
        sheet.push('\n');
    }
    (!sheet.is_empty() || !xml.contains("sheetData>")).then_some(sheet)
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

/// The insides of the elements of one name, whatever its prefix.
fn elements<'x>(xml: &'x str, name: &'x str) -> impl Iterator<Item = &'x str> {
    tagged_elements(xml, name).map(|(_, inside)| inside)
}

/// The start tags (without `<` and name) and insides of the elements of one name. Elements of that
/// name do not nest in the documents we read.
fn tagged_elements<'x>(xml: &'x str, name: &'x str) -> impl Iterator<Item = (&'x str, &'x str)> {
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
            let Some(after) = tag.strip_prefix(name).filter(|after| after.starts_with(['>', ' ', '/'])) else {
                rest = tag;
                continue;
            };
            let close = after.find('>')?;
            let attributes = &after[..close];
            let inside = &after[close + 1..];
            if attributes.ends_with('/') {
                rest = inside;
                return Some((attributes, ""));
            }
            let ending = format!("</{prefix}{name}>");
            let end = inside.find(&ending)?;
            rest = &inside[end + ending.len()..];
            return Some((attributes, &inside[..end]));
        }
    })
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let (_, after) = tag.split_once(&format!(" {name}=\""))?;
    after.split('"').next()
}

/// Text of XML without its entities.
fn plain(text: &str) -> String {
    if text.contains('&') { super::html::text_of(text) } else { text.to_owned() }
}

#[derive(Clone, Copy)]
pub(super) enum Markup {
    Office,
    OpenDocument,
}

/// The words of a document's XML: paragraphs are lines, cells are columns.
pub(super) fn markup_text(xml: &[u8], markup: Markup) -> String {
    let xml = String::from_utf8_lossy(xml);
    let mut out = String::with_capacity(xml.len() / 4);
    let mut rest = xml.as_ref();
    // Inside a table cell a paragraph's end is no line end.
    let mut cells = 0_usize;
    while let Some(open) = rest.find('<') {
        out.push_str(&plain(&rest[..open]));
        let Some(close) = rest[open..].find('>') else { break };
        let tag = &rest[open + 1..open + close];
        let name = tag.split([' ', '/', '>', '\t', '\r', '\n']).find(|word| !word.is_empty()).unwrap_or_default();
        // Writers choose their own prefixes.
        let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
        let closing = tag.starts_with('/');
        let (paragraph, cell, row, tab, line) = match markup {
            // Runs of letters stay joined; what else holds words, and the places of a drawing, ends a line.
            Markup::Office => {
                let ends =
                    ["p", "author", "cm", "col", "colOff", "comment", "row", "rowOff", "text", "threadedComment"];
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
