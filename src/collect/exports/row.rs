//! One row of an export, whatever it was written in: known columns and their cells.
//!
//! A cell is told apart into empty (absent), destroyed by the exporter (lost), and not there at
//! all (not provided). Text of a cell never gets into a reason: it may be a person's.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::seen::{NotObserved, Seen};

/// A cell longer than this is not looked into.
pub const CELL_BYTES: usize = 256 * 1024;
/// Lists and objects in a cell hold at most this many entries.
pub const CELL_ENTRIES: usize = 20_000;

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Boolean(bool),
    List(Vec<Cell>),
    Null,
    /// As written; identities of rules do not fit into a signed or floating number.
    Number(String),
    /// By lower-case key.
    Object(BTreeMap<String, Cell>),
    Text(String),
    /// Longer or deeper than the limits allow.
    TooLarge,
}

impl Cell {
    /// Text without surrounding white space; numbers and booleans as text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Boolean(true) => Some("true"),
            Self::Boolean(false) => Some("false"),
            Self::Number(text) => Some(text),
            Self::Text(text) => Some(text.trim()),
            Self::List(_) | Self::Null | Self::Object(_) | Self::TooLarge => None,
        }
    }

    /// A field of an object.
    pub fn field(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.get(key),
            Self::Boolean(_) | Self::List(_) | Self::Null | Self::Number(_) | Self::Text(_) | Self::TooLarge => None,
        }
    }

    /// Its text, or the `name` of an object.
    fn name(&self) -> Option<&str> {
        self.text().or_else(|| self.field("name").and_then(Self::text)).filter(|name| !name.is_empty())
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.trim().is_empty(),
            Self::List(items) => items.iter().all(Self::is_empty),
            Self::Boolean(_) | Self::Number(_) | Self::Object(_) | Self::TooLarge => false,
        }
    }

    /// Whether the exporter wrote the name of a type instead of the value.
    pub fn is_destroyed(&self) -> bool {
        match self {
            Self::Text(text) => is_type_name(text.trim()),
            Self::List(items) => items.iter().any(Self::is_destroyed),
            Self::Boolean(_) | Self::Null | Self::Number(_) | Self::Object(_) | Self::TooLarge => false,
        }
    }
}

/// `System.String[]`, `System.Collections.ArrayList`, `@{Name=x}`: what `Export-Csv` and
/// `ConvertTo-Json` put in the place of a value that they do not write out.
fn is_type_name(text: &str) -> bool {
    const TYPES: [&str; 4] = ["System.", "Microsoft.", "Deserialized.", "Selected."];
    if text.starts_with("@{") && text.ends_with('}') {
        return true;
    }
    let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    // A type's name has no space and no @; a recipient or a folder that begins so has one.
    TYPES.iter().any(|prefix| bare.starts_with(prefix)) && !bare.contains('@') && !bare.contains(": ")
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// From 1, counting records.
    pub number: u64,
    /// By known column.
    pub cells: Vec<(&'static str, Cell)>,
    /// What the page around the record says of all its records, such as the OData context.
    pub context: Option<Rc<str>>,
}

impl Row {
    /// The cell of a column, if the row has it.
    pub fn cell(&self, column: &str) -> Option<&Cell> {
        self.cells.iter().find(|(name, _)| *name == column).map(|(_, cell)| cell)
    }

    /// Whether the row has the column, filled or empty.
    pub fn has(&self, column: &str) -> bool {
        self.cell(column).is_some()
    }

    /// The cell, if it can be read at all.
    pub fn seen(&self, column: &'static str) -> Seen<&Cell> {
        match self.cell(column) {
            None => Seen::Unknown(NotObserved::NotProvided { what: format!("the column {column}") }),
            Some(Cell::TooLarge) => {
                Seen::Unknown(NotObserved::Limit { what: format!("{CELL_BYTES} bytes in a cell of {column}") })
            }
            Some(cell) if cell.is_destroyed() => Seen::Unknown(lost(column)),
            Some(cell) if cell.is_empty() => Seen::Absent,
            Some(cell) => Seen::Present(cell),
        }
    }

    /// A yes or no.
    pub fn flag(&self, column: &'static str) -> Seen<bool> {
        let cell = match self.seen(column) {
            Seen::Present(cell) => cell,
            Seen::Absent => return Seen::Absent,
            Seen::Malformed(malformed) => return Seen::Malformed(malformed),
            Seen::Unknown(reason) => return Seen::Unknown(reason),
        };
        match cell.text().map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "yes" | "1" | "$true") => Seen::Present(true),
            Some("false" | "no" | "0" | "$false") => Seen::Present(false),
            _ => Seen::Unknown(self.unreadable(column, "no yes or no")),
        }
    }

    /// A word of a closed set: lower case, letters, digits, `-` and `_` only.
    pub fn word(&self, column: &'static str) -> Seen<String> {
        let cell = match self.seen(column) {
            Seen::Present(cell) => cell,
            Seen::Absent => return Seen::Absent,
            Seen::Malformed(malformed) => return Seen::Malformed(malformed),
            Seen::Unknown(reason) => return Seen::Unknown(reason),
        };
        match cell.text() {
            Some(text)
                if text.len() <= 64
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) =>
            {
                Seen::Present(text.to_ascii_lowercase())
            }
            _ => Seen::Unknown(self.unreadable(column, "no single word")),
        }
    }

    /// Whether anything is in the cell.
    pub fn filled(&self, column: &'static str) -> Seen<bool> {
        match self.seen(column) {
            Seen::Absent => Seen::Present(false),
            seen => seen.map(|_| true),
        }
    }

    /// The text of a cell, for parsers in this room only.
    pub fn text(&self, column: &str) -> Option<&str> {
        self.cell(column).and_then(Cell::text).filter(|text| !text.is_empty())
    }

    /// The texts of a multi-valued cell: a list, or one text that the caller has to take apart.
    pub fn texts(&self, column: &str) -> Vec<&str> {
        match self.cell(column) {
            Some(Cell::List(items)) => items.iter().filter_map(Cell::text).filter(|text| !text.is_empty()).collect(),
            Some(cell) => cell.text().filter(|text| !text.is_empty()).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// The names in a list: an item's text, or the `name` of an object. Of a list with anything else in it no
    /// name is known: what it holds may be another one.
    pub fn names(&self, column: &'static str) -> Seen<Vec<&str>> {
        match self.seen(column) {
            Seen::Present(Cell::List(items)) => {
                let names = items.iter().filter(|item| !item.is_empty()).map(Cell::name).collect::<Option<Vec<_>>>();
                names
                    .map_or_else(|| Seen::Unknown(self.unreadable(column, "something that has no name")), Seen::Present)
            }
            Seen::Present(_) => Seen::Unknown(self.unreadable(column, "no list; hand it over as JSON")),
            Seen::Absent => Seen::Absent,
            Seen::Malformed(malformed) => Seen::Malformed(malformed),
            Seen::Unknown(reason) => Seen::Unknown(reason),
        }
    }

    /// A mail address, lower case.
    pub fn address(&self, column: &'static str) -> Option<String> {
        self.text(column).and_then(address)
    }

    /// Why a cell of this row cannot be read.
    pub fn unreadable(&self, column: &str, why: &str) -> NotObserved {
        NotObserved::Unreadable { why: format!("{column} holds {why}"), line: Some(self.number) }
    }
}

/// The reason for a column whose value the exporter destroyed.
pub fn lost(column: &str) -> NotObserved {
    NotObserved::Lost { why: format!("{column} holds the name of a type instead of its value") }
}

/// An own address, lower case: one `@`, a domain that DNS can hold, no white space.
pub fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let text = match text.get(..5) {
        Some(prefix) if prefix.eq_ignore_ascii_case("smtp:") => &text[5..],
        _ => text,
    };
    let (local, domain) = text.rsplit_once('@')?;
    let domain: crate::names::DomainName = domain.parse().ok()?;
    let fits = !local.is_empty()
        && local.len() <= 64
        && !local
            .chars()
            .any(|c| c.is_whitespace() || crate::text::is_unsafe(c) || matches!(c, '"' | '[' | ']' | '<' | '>' | '@'));
    fits.then(|| format!("{}@{domain}", local.to_lowercase()))
}

/// A header or key made comparable: lower case, no spaces, no byte order mark, no ` [Required]`.
pub fn comparable(header: &str) -> String {
    let header = header.trim_start_matches('\u{feff}').trim().trim_matches('"');
    let header = header.split_once('[').map_or(header, |(before, _)| before);
    header.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cell: Cell) -> Row {
        Row { number: 3, cells: vec![("forwardto", cell)], context: None }
    }

    #[test]
    fn empty_destroyed_and_missing_are_three_things() {
        assert_eq!(row(Cell::Text("  ".into())).flag("forwardto"), Seen::Absent);
        for text in [
            "System.String[]",
            "System.Object[]",
            "System.Collections.ArrayList",
            "Microsoft.Exchange.Data.MultiValuedProperty`1[System.String]",
            "Microsoft.Exchange.Data.ProxyAddressCollection",
            "@{Name=BITS}",
        ] {
            let seen = row(Cell::Text(text.into())).flag("forwardto");
            assert!(matches!(seen, Seen::Unknown(NotObserved::Lost { .. })), "{text}");
        }
        assert!(matches!(row(Cell::Null).flag("enabled"), Seen::Unknown(NotObserved::NotProvided { .. })));
    }

    #[test]
    fn names_in_a_list_are_texts_or_names_of_objects_and_nothing_else() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let object = |key: &str| Cell::Object([(key.to_owned(), text("Ana"))].into());
        let names = |cell: Cell| row(cell).names("forwardto").present().map(|names| names.join("|"));
        assert_eq!(names(Cell::List(vec![text("All"), object("name"), Cell::Null])).as_deref(), Some("All|Ana"));
        for other in [object("guid"), Cell::List(vec![text("Ana")])] {
            assert_eq!(names(Cell::List(vec![text("All"), other])), None);
        }
        assert_eq!(names(text("Ana Ben")), None, "joined");
        assert_eq!(row(Cell::List(Vec::new())).names("forwardto"), Seen::Absent);
    }

    #[test]
    fn a_reason_never_repeats_the_cell() {
        let seen = row(Cell::Text("Jane Doe, MRN 12345".into())).flag("forwardto");
        assert!(!format!("{seen:?}").contains("Jane"));
    }

    #[test]
    fn addresses_are_canonical_or_none() {
        assert_eq!(address(" SMTP:Jane.Doe@Clinic.Example "), Some("jane.doe@clinic.example".to_owned()));
        for text in ["jane", "jane doe@clinic.example", "@clinic.example", "a@b@clinic.example", "a@clinic..example"] {
            assert_eq!(address(text), None, "{text}");
        }
    }

    #[test]
    fn headers_compare_without_case_space_mark_or_bracket() {
        assert_eq!(comparable("\u{feff}2sv Enrolled [READ ONLY]"), "2svenrolled");
        assert_eq!(comparable("Email Address [Required]"), "emailaddress");
    }
}
