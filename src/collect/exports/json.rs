//! Reads JSON exports record by record: one object, an array, a page of Graph, several documents
//! one after the other, JSON Lines.
//!
//! The bounds of each record are found here and only that record is parsed, with the columns
//! that nobody reads passed over; a file is never held whole. A bad record spoils itself alone.

use std::collections::BTreeMap;
use std::io::Read;
use std::rc::Rc;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::recognise::known_column;
use super::row::{CELL_BYTES, CELL_ENTRIES, Cell, Row};
use super::table::Next;

/// A record longer than this is rejected.
const RECORD_BYTES: usize = 16 * 1024 * 1024;
/// A key or value of a page that is kept.
const PAGE_VALUE_BYTES: usize = 64 * 1024;
/// Arrays in arrays around the records.
const NESTING: usize = 32;
/// Levels kept inside one cell.
const CELL_DEPTH: usize = 10;
const CHUNK: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    Array,
    /// An object that holds the records under one key.
    Page,
}

/// Reads records from a stream of JSON documents.
#[derive(Debug)]
pub struct Documents<R> {
    inner: R,
    buffer: Vec<u8>,
    at: usize,
    ended: bool,
    around: Vec<Around>,
    number: u64,
    done: bool,
    context: Option<Rc<str>>,
    more: bool,
}

impl<R: Read> Documents<R> {
    /// Reads from the beginning of the text.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: Vec::new(),
            at: 0,
            ended: false,
            around: Vec::new(),
            number: 0,
            done: false,
            context: None,
            more: false,
        }
    }

    /// The text that is read from.
    pub fn text(&self) -> &R {
        &self.inner
    }

    /// What the last page says of its records, such as the OData context.
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// Whether the last page names a next page, which is not here.
    pub fn more_pages(&self) -> bool {
        self.more
    }

    /// The next record.
    pub fn next_row(&mut self) -> Next {
        if self.done {
            return Next::End;
        }
        match self.advance() {
            Ok(Some(next)) => next,
            Ok(None) => {
                self.done = true;
                Next::End
            }
            Err(why) => {
                self.done = true;
                Next::Failed(why)
            }
        }
    }

    fn advance(&mut self) -> Result<Option<Next>, String> {
        loop {
            let Some(byte) = self.peek_word()? else {
                return if self.around.is_empty() { Ok(None) } else { Err("the text ends inside a list".to_owned()) };
            };
            match byte {
                b'[' if self.around.last() != Some(&Around::Page) => {
                    self.push(Around::Array)?;
                    self.at += 1;
                }
                b']' if self.around.last() == Some(&Around::Array) => {
                    self.around.pop();
                    self.at += 1;
                }
                b'}' if self.around.last() == Some(&Around::Page) => {
                    self.around.pop();
                    self.at += 1;
                }
                b'"' if self.around.last() == Some(&Around::Page) => self.page_value()?,
                b'{' if self.around.last() != Some(&Around::Page) => {
                    if let Some(next) = self.object()? {
                        return Ok(Some(next));
                    }
                }
                b'n' if self.around.last() != Some(&Around::Page) && self.starts_with(b"null")? => self.at += 4,
                _ if self.around.last() == Some(&Around::Page) => {
                    return Err("a page is not readable as JSON".to_owned());
                }
                _ => {
                    self.number += 1;
                    let row = self.number;
                    let (_, whole) = self.value(0)?;
                    if !whole {
                        return Err("not readable as JSON".to_owned());
                    }
                    return Ok(Some(Next::Rejected { row, why: "not an object".to_owned() }));
                }
            }
        }
    }

    fn push(&mut self, around: Around) -> Result<(), String> {
        if self.around.len() >= NESTING {
            return Err(format!("lists are nested deeper than {NESTING}"));
        }
        self.around.push(around);
        Ok(())
    }

    /// One object: a record, or the head of a page, which gives no record by itself.
    fn object(&mut self) -> Result<Option<Next>, String> {
        let mut scan = ObjectScan::new();
        let mut length = 0usize;
        let mut too_long = false;
        let outcome = loop {
            if self.at + length >= self.buffer.len() && !self.fill()? {
                return Err("the text ends inside a record".to_owned());
            }
            let byte = self.buffer[self.at + length];
            match scan.take(byte, &self.buffer[self.at..self.at + length]) {
                Scanned::End => break Scanned::End,
                Scanned::Page => break Scanned::Page,
                Scanned::More => {}
            }
            length += 1;
            if length > RECORD_BYTES {
                too_long = true;
                // Only the bracket count goes on; what was read so far is let go.
                self.at += length;
                length = 0;
            }
        };
        if outcome == Scanned::Page {
            let head = [&self.buffer[self.at..self.at + length], b"null}"].concat();
            self.at += length;
            self.open_page(&head)?;
            return Ok(None);
        }
        self.number += 1;
        let row = self.number;
        let slice_end = self.at + length + 1;
        let parsed = if too_long { None } else { Some(record(&self.buffer[self.at..slice_end])) };
        self.at = slice_end;
        Ok(Some(match parsed {
            None => Next::Rejected { row, why: format!("longer than {RECORD_BYTES} bytes") },
            Some(Err(why)) => Next::Rejected { row, why },
            Some(Ok(cells)) => Next::Row(Row { number: row, cells, context: self.context.clone() }),
        }))
    }

    fn open_page(&mut self, head: &[u8]) -> Result<(), String> {
        self.push(Around::Page)?;
        self.more = false;
        self.context = None;
        let fields: BTreeMap<String, serde_json::Value> = serde_json::from_slice(head).unwrap_or_default();
        for (key, value) in &fields {
            self.page_field(key, value.as_str().unwrap_or_default());
        }
        // The list of records follows; the page's other keys come after it.
        match self.peek_word()? {
            Some(b'[') => {
                self.push(Around::Array)?;
                self.at += 1;
                Ok(())
            }
            _ => Err("a page is not readable as JSON".to_owned()),
        }
    }

    fn page_field(&mut self, key: &str, value: &str) {
        let key = key.to_ascii_lowercase();
        if key.ends_with("odata.context") {
            self.context = Some(value.into());
        }
        if (key.ends_with("nextlink") || key == "nextpagetoken") && !value.is_empty() {
            self.more = true;
        }
    }

    /// A key and its value inside a page, before or after its list.
    fn page_value(&mut self) -> Result<(), String> {
        let (key, key_whole) = self.value(256)?;
        let Some(b':') = self.peek_word()? else { return Err("a page is not readable as JSON".to_owned()) };
        self.at += 1;
        self.peek_word()?;
        let (value, value_whole) = self.value(PAGE_VALUE_BYTES)?;
        if !(key_whole && value_whole) {
            return Err("a page is not readable as JSON".to_owned());
        }
        let key: String = serde_json::from_slice(&key).unwrap_or_default();
        let value: String = serde_json::from_slice(&value).unwrap_or_default();
        self.page_field(&key, &value);
        Ok(())
    }

    /// Passes over one value and gives its first `keep` bytes, and whether it had an end.
    fn value(&mut self, keep: usize) -> Result<(Vec<u8>, bool), String> {
        let mut kept = Vec::new();
        let (mut depth, mut quoted, mut escaped, mut begun) = (0usize, false, false, false);
        loop {
            if self.at >= self.buffer.len() && !self.fill()? {
                return Ok((kept, begun && depth == 0 && !quoted));
            }
            let byte = self.buffer[self.at];
            if !quoted
                && depth == 0
                && begun
                && matches!(byte, b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\r' | b'\n')
            {
                return Ok((kept, true));
            }
            begun = true;
            self.at += 1;
            if kept.len() < keep {
                kept.push(byte);
            }
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => {
                    quoted = !quoted;
                    if !quoted && depth == 0 {
                        return Ok((kept, true));
                    }
                }
                b'{' | b'[' if !quoted => depth += 1,
                b'}' | b']' if !quoted => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Ok((kept, true));
                    }
                }
                _ => {}
            }
        }
    }

    /// The next byte that is neither white space nor a comma; `None` at the end.
    fn peek_word(&mut self) -> Result<Option<u8>, String> {
        loop {
            match self.buffer.get(self.at) {
                Some(b' ' | b'\t' | b'\r' | b'\n' | b',' | 0x1e) => self.at += 1,
                Some(byte) => return Ok(Some(*byte)),
                None => {
                    if !self.fill()? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn starts_with(&mut self, word: &[u8]) -> Result<bool, String> {
        while self.buffer.len() - self.at < word.len() && self.fill()? {}
        Ok(self.buffer[self.at..].starts_with(word))
    }

    /// Reads on; false at the end. What was passed over is let go.
    fn fill(&mut self) -> Result<bool, String> {
        if self.ended {
            return Ok(false);
        }
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        let from = self.buffer.len();
        self.buffer.resize(from + CHUNK, 0);
        let read = self.inner.read(&mut self.buffer[from..]).map_err(|error| error.to_string())?;
        self.buffer.truncate(from + read);
        self.ended = read == 0;
        Ok(read > 0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scanned {
    End,
    More,
    /// The bytes so far are the head of a page, up to its list.
    Page,
}

/// Follows one object to its end, and notices a page's list on the way.
#[derive(Debug)]
struct ObjectScan {
    at: usize,
    depth: usize,
    quoted: bool,
    escaped: bool,
    /// Where the last string at depth 1 began and ended, and the last key.
    string: (usize, usize),
    key: (usize, usize),
    /// Between a key's colon and its value, at depth 1.
    after_colon: bool,
    /// Whether every key so far is one that pages have.
    may_be_page: bool,
}

impl ObjectScan {
    fn new() -> Self {
        Self {
            at: 0,
            depth: 0,
            quoted: false,
            escaped: false,
            string: (0, 0),
            key: (0, 0),
            after_colon: false,
            may_be_page: true,
        }
    }

    fn take(&mut self, byte: u8, before: &[u8]) -> Scanned {
        let at = self.at;
        self.at += 1;
        if self.quoted {
            if self.escaped {
                self.escaped = false;
            } else if byte == b'\\' {
                self.escaped = true;
            } else if byte == b'"' {
                self.quoted = false;
                self.string.1 = at;
            }
            return Scanned::More;
        }
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => return Scanned::More,
            b'"' => {
                self.quoted = true;
                if self.depth == 1 {
                    self.string = (at + 1, at + 1);
                }
            }
            b':' if self.depth == 1 => {
                self.key = self.string;
                let key = self.key(before);
                self.may_be_page &= is_page_key(key) || is_list_key(key);
                self.after_colon = true;
                return Scanned::More;
            }
            b'[' if self.depth == 1 && self.after_colon && self.may_be_page && is_list_key(self.key(before)) => {
                return Scanned::Page;
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    return Scanned::End;
                }
            }
            _ => {}
        }
        self.after_colon = false;
        Scanned::More
    }

    fn key<'b>(&self, before: &'b [u8]) -> &'b [u8] {
        before.get(self.key.0..self.key.1).unwrap_or_default()
    }
}

/// The keys that hold the records of a page.
fn is_list_key(key: &[u8]) -> bool {
    key.eq_ignore_ascii_case(b"value") || key.eq_ignore_ascii_case(b"policies")
}

fn is_page_key(key: &[u8]) -> bool {
    key.starts_with(b"@")
        || [b"count".as_slice(), b"kind", b"etag", b"nextpagetoken"].iter().any(|known| key.eq_ignore_ascii_case(known))
}

/// Parses one record.
pub(super) fn record(slice: &[u8]) -> Result<Vec<(&'static str, Cell)>, String> {
    let mut from = serde_json::Deserializer::from_slice(slice);
    let cells = Record.deserialize(&mut from).map_err(|_| "not readable as JSON".to_owned())?;
    from.end().map_err(|_| "not readable as JSON".to_owned())?;
    Ok(cells)
}

/// One JSON text as a cell: what GAM puts into its JSON column.
pub fn cell(text: &str) -> Option<Cell> {
    let mut from = serde_json::Deserializer::from_str(text);
    let cell = Value { depth: 0 }.deserialize(&mut from).ok()?;
    from.end().ok()?;
    Some(cell)
}

struct Record;

impl<'de> DeserializeSeed<'de> for Record {
    type Value = Vec<(&'static str, Cell)>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Record {
    type Value = Vec<(&'static str, Cell)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut cells: Self::Value = Vec::new();
        while let Some(key) = map.next_key_seed(Key)? {
            match key {
                Some(column) if !cells.iter().any(|(known, _)| *known == column) => {
                    cells.push((column, map.next_value_seed(Value { depth: 0 })?));
                }
                Some(_) | None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(cells)
    }
}

/// A key, as the known column it names.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(known_column(key))
    }
}

#[derive(Clone, Copy)]
struct Value {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Cell;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Cell, D::Error> {
        if self.depth > CELL_DEPTH {
            serde::Deserialize::deserialize(from).map(|_: IgnoredAny| Cell::TooLarge)
        } else {
            from.deserialize_any(self)
        }
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = Cell;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Cell, E> {
        Ok(Cell::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Cell, E> {
        Ok(Cell::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Cell, E> {
        Ok(Cell::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Cell, E> {
        Ok(Cell::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cell, E> {
        Ok(if value.len() > CELL_BYTES { Cell::TooLarge } else { Cell::Text(value.to_owned()) })
    }

    fn visit_unit<E>(self) -> Result<Cell, E> {
        Ok(Cell::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Cell, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Self { depth: self.depth + 1 })? {
            if items.len() == CELL_ENTRIES {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(Cell::TooLarge);
            }
            items.push(item);
        }
        Ok(Cell::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if fields.len() == CELL_ENTRIES {
                map.next_value::<IgnoredAny>()?;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(Cell::TooLarge);
            }
            fields.insert(key.to_lowercase(), map.next_value_seed(Self { depth: self.depth + 1 })?);
        }
        // Windows PowerShell wraps a list that a property holds: {"value": […], "Count": n}.
        if fields.len() == 2
            && fields.contains_key("count")
            && let Some(Cell::List(_)) = fields.get("value")
            && let Some(list) = fields.remove("value")
        {
            return Ok(list);
        }
        Ok(Cell::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes a few at a time, so that every bound is met somewhere.
    struct Slowly<'a>(&'a [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn read(text: &str) -> (Vec<Row>, Vec<u64>, Option<String>, bool) {
        let mut documents = Documents::new(Slowly(text.as_bytes(), 3));
        let (mut rows, mut rejected, mut failed) = (Vec::new(), Vec::new(), None);
        loop {
            match documents.next_row() {
                Next::End => return (rows, rejected, failed, documents.more_pages()),
                Next::Failed(why) => failed = Some(why),
                Next::Rejected { row, .. } => rejected.push(row),
                Next::Row(row) => rows.push(row),
            }
        }
    }

    fn names(text: &str) -> Vec<String> {
        let (rows, rejected, failed, _) = read(text);
        assert_eq!((rejected, failed), (Vec::new(), None), "{text}");
        rows.iter().map(|row| row.text("name").unwrap_or("-").to_owned()).collect()
    }

    #[test]
    fn every_way_to_write_several_records_gives_the_same_records() {
        for text in [
            r#"[{"Name":"a","x":[{"y":"}"}]},{"Name":"b"}]"#,
            r#"{"Name":"a"}{"Name":"b"}"#,
            "{\"Name\":\"a\"}\n\n{\"Name\":\"b\"}\n",
            r#"[{"Name":"a"}][{"Name":"b"}]"#,
            r#"{"value":[{"Name":"a"},{"Name":"b"}],"Count":2}"#,
            r#"{"@odata.context":"https://graph.example/$metadata#x","value":[{"Name":"a"},{"Name":"b"}]}"#,
            r#"{"@odata.context":"c","@odata.count":2,"value":[{"Name":"a"}]} {"value":[{"Name":"b"}]}"#,
            r#"[{"value":[{"Name":"a"}]},{"value":[{"Name":"b"}]}]"#,
            "null\n{\"Name\":\"a\"}\nnull\n{\"Name\":\"b\"}",
        ] {
            assert_eq!(names(text), ["a", "b"], "{text}");
        }
    }

    #[test]
    fn one_object_is_one_record_and_a_value_that_is_no_list_is_a_field() {
        assert_eq!(names(r#"{"Name":"a"}"#), ["a"]);
        let (rows, ..) = read(r#"{"setting":"s","value":["x"],"Name":"a"}"#);
        assert_eq!(rows[0].text("name"), Some("a"));
        assert_eq!(rows[0].text("setting"), Some("s"));
        let (rows, ..) = read(r#"{"Name":"a","ForwardTo":{"value":["x","y"],"Count":2}}"#);
        assert_eq!(rows[0].texts("forwardto"), ["x", "y"]);
    }

    #[test]
    fn a_page_that_names_a_next_page_is_cut() {
        let first = r#"{"value":[{"Name":"a"}],"@odata.nextLink":"https://graph.example/x"}"#;
        assert!(read(first).3);
        assert!(read(r#"{"@odata.nextLink":"https://graph.example/x","value":[{"Name":"a"}]}"#).3);
        assert!(!read(&format!(r#"{first}{{"value":[{{"Name":"b"}}]}}"#)).3, "the next page is here");
        assert!(!read(r#"{"policies":[{"Name":"a"}],"nextPageToken":""}"#).3);
    }

    #[test]
    fn a_bad_record_spoils_itself_alone_and_a_cut_file_says_so() {
        let (rows, rejected, failed, _) = read(r#"[{"Name":"a"},{"Name":nope},{"Name":"c"}]"#);
        assert_eq!((rows.len(), rejected, failed), (2, vec![2], None));
        let (rows, _, failed, _) = read(r#"[{"Name":"a"},{"Name":"#);
        assert_eq!(rows.len(), 1);
        assert!(failed.is_some());
        assert!(read(r#"[{"Name":"a"}"#).2.is_some());
        assert_eq!(read(r#"["x", 3, {"Name":"a"}]"#).1, [1, 2]);
    }

    #[test]
    fn identities_of_rules_keep_every_digit() {
        let (rows, ..) = read(r#"{"RuleIdentity":15394007230974001153}"#);
        assert_eq!(rows[0].text("ruleidentity"), Some("15394007230974001153"));
    }

    #[test]
    fn strings_with_brackets_and_escapes_do_not_move_the_bounds() {
        assert_eq!(names(r#"[{"Name":"a]}\"{["},{"Name":"b\\"}]"#), [r#"a]}"{["#, r"b\"]);
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let deep = format!("{{\"Name\":{}1{}}}", "[".repeat(60), "]".repeat(60));
        assert_eq!(read(&deep).0.len(), 1);
        let deeper = format!("{{\"Name\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(read(&deeper).0[0].cell("name"), read(&deep).0[0].cell("name"), "what lies deeper is not kept");
        assert!(read(&"[".repeat(5000)).2.is_some());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic_or_hang(text in "[\\[\\]{}\",:\\\\a-c0-9 ]{0,60}") {
            let _ = read(&text);
        }
    }
}
