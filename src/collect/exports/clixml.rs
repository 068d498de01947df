//! Reads what `Export-Clixml` writes: PowerShell objects as XML, the one format of PowerShell that
//! keeps lists whole.
//!
//! An object is built on a stack with a bound on its depth and on what it holds. Objects that are
//! referred to later are kept up to a bound; a reference beyond it reads as too large. Entities
//! other than the five of XML are not resolved.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::recognise::known_column;
use super::row::{CELL_BYTES, CELL_ENTRIES, Cell, Row};
use super::table::Next;
use super::watched::{RecordEnd, Watched};

/// One record, with all its markup.
const RECORD_BYTES: u64 = 16 * 1024 * 1024;
/// Elements in elements.
const DEPTH: usize = 64;
/// Objects kept because a later reference may name them.
const KEPT: usize = 100_000;

/// Reads records from one document.
pub struct Objects<R: Read> {
    reader: Reader<BufReader<Watched<R>>>,
    record_end: RecordEnd,
    buffer: Vec<u8>,
    stack: Vec<Frame>,
    kept: HashMap<u64, Cell>,
    number: u64,
    begun: bool,
    done: bool,
}

impl<R: Read> std::fmt::Debug for Objects<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Objects").field("number", &self.number).finish_non_exhaustive()
    }
}

/// An element that is open.
#[derive(Debug)]
struct Frame {
    element: Element,
    /// The property it is the value of.
    name: Option<String>,
    text: String,
    object: Object,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Boolean,
    /// A dictionary, or anything else that no column of ours holds.
    Ignored,
    List,
    Nil,
    Number,
    Object,
    /// `Props` and `MS`: the properties of the object around them.
    Properties,
    Text,
    ToString,
}

/// What an object has shown of itself so far.
#[derive(Debug, Default)]
struct Object {
    reference: Option<u64>,
    list: Option<Vec<Cell>>,
    fields: BTreeMap<String, Cell>,
    to_string: Option<String>,
    scalar: Option<Cell>,
    too_large: bool,
}

impl<R: Read> Objects<R> {
    /// Reads from the beginning of the text.
    pub fn new(text: R) -> Self {
        let (watched, record_end) = Watched::new(text, RECORD_BYTES);
        let mut reader = Reader::from_reader(BufReader::new(watched));
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            record_end,
            buffer: Vec::new(),
            stack: Vec::new(),
            kept: HashMap::new(),
            number: 0,
            begun: false,
            done: false,
        }
    }

    /// The text that is read from.
    pub fn text(&self) -> &R {
        &self.reader.get_ref().get_ref().inner
    }

    /// The next record.
    pub fn next_row(&mut self) -> Next {
        if self.done {
            return Next::End;
        }
        self.record_end.mark();
        loop {
            self.buffer.clear();
            let step = match self.reader.read_event_into(&mut self.buffer) {
                Ok(Event::Start(start)) => Frame::open(&start).map(Step::Open),
                Ok(Event::End(_)) => Ok(Step::Close),
                Ok(Event::Text(text)) => Ok(Step::Text(text.to_string())),
                Ok(Event::CData(text)) => Ok(Step::Text(text.to_string())),
                Ok(Event::GeneralRef(reference)) => match reference.resolve_char_ref() {
                    Ok(Some(character)) => Ok(Step::Text(character.to_string())),
                    _ => Ok(Step::Text(
                        quick_xml::escape::resolve_xml_entity(&reference).unwrap_or("\u{fffd}").to_owned(),
                    )),
                },
                Ok(Event::Eof) => Ok(Step::End),
                Ok(Event::Comment(_) | Event::Decl(_) | Event::DocType(_) | Event::PI(_)) => Ok(Step::Nothing),
                Ok(Event::Empty(_)) => Ok(Step::Nothing),
                Err(error) => Err(match error {
                    quick_xml::Error::Io(error) => error.to_string(),
                    _ => "not readable as XML".to_owned(),
                }),
            };
            match step.and_then(|step| self.apply(step)) {
                Ok(Some(next)) => return next,
                Ok(None) => {}
                Err(why) => {
                    self.done = true;
                    return Next::Failed(why);
                }
            }
        }
    }

    fn apply(&mut self, step: Step) -> Result<Option<Next>, String> {
        match step {
            Step::Nothing => Ok(None),
            Step::Text(text) => {
                if let Some(frame) = self.stack.last_mut() {
                    frame.add_text(&text);
                }
                Ok(None)
            }
            Step::Open(opened) => {
                if !self.begun {
                    self.begun = true;
                    return match opened {
                        Opened::Root => Ok(None),
                        Opened::Frame(_) | Opened::Reference(..) => Err("not the XML of PowerShell objects".to_owned()),
                    };
                }
                let frame = match opened {
                    Opened::Frame(frame) => frame,
                    // The end of the reference closes a frame as any other end does.
                    Opened::Reference(name, reference) => Frame {
                        element: Element::Ignored,
                        name,
                        text: String::new(),
                        object: Object {
                            scalar: Some(self.kept.get(&reference).cloned().unwrap_or(Cell::TooLarge)),
                            ..Object::default()
                        },
                    },
                    Opened::Root => return Err("documents inside documents".to_owned()),
                };
                if self.stack.len() >= DEPTH {
                    return Err(format!("elements are nested deeper than {DEPTH}"));
                }
                self.stack.push(frame);
                Ok(None)
            }
            Step::Close => Ok(self.close()),
            Step::End => {
                self.done = true;
                if self.stack.is_empty() && self.begun {
                    Ok(Some(Next::End))
                } else {
                    Err("the text ends inside a record".to_owned())
                }
            }
        }
    }

    fn close(&mut self) -> Option<Next> {
        let frame = self.stack.pop()?;
        if self.stack.is_empty() {
            self.number += 1;
            self.record_end.mark();
            let row = self.number;
            return Some(match (frame.element, frame.object.too_large) {
                (Element::Object, false) => {
                    Next::Row(Row { number: row, cells: columns(frame.object.fields), context: None })
                }
                (Element::Object, true) => Next::Rejected { row, why: "too many properties".to_owned() },
                _ => Next::Rejected { row, why: "not an object".to_owned() },
            });
        }
        // What stands directly in a record is kept only if some reader reads it.
        let in_record = self.stack.len() == 2;
        let Frame { element, name, text, object } = frame;
        match element {
            Element::Properties => {
                let around = &mut self.stack.last_mut()?.object;
                around.too_large |= object.too_large;
                around.fields.extend(object.fields);
            }
            Element::List => {
                let around = &mut self.stack.last_mut()?.object;
                around.too_large |= object.too_large;
                around.list = Some(object.list.unwrap_or_default());
            }
            Element::ToString => self.stack.last_mut()?.object.to_string = Some(unescaped(&text)),
            Element::Boolean | Element::Ignored | Element::Nil | Element::Number | Element::Object | Element::Text => {
                // Type names are numbered as well, in numbers of their own.
                let reference = object.reference.filter(|_| element == Element::Object);
                let cell = cell(element, &text, object);
                if let Some(reference) = reference
                    && self.kept.len() < KEPT
                {
                    self.kept.insert(reference, cell.clone());
                }
                let around = self.stack.last_mut()?;
                around.take(name, cell, in_record);
            }
        }
        None
    }
}

enum Step {
    Close,
    End,
    Nothing,
    Open(Opened),
    Text(String),
}

enum Opened {
    Frame(Frame),
    Reference(Option<String>, u64),
    Root,
}

impl Frame {
    fn open(start: &BytesStart<'_>) -> Result<Opened, String> {
        let attribute = |wanted: &str| -> Result<Option<String>, String> {
            let found = start.try_get_attribute(wanted).map_err(|_| "not readable as XML".to_owned())?;
            Ok(found.map(|attribute| unescaped(&attribute.value)).filter(|value| value.len() <= 512))
        };
        let name = attribute("N")?;
        let reference = attribute("RefId")?.and_then(|text| text.parse().ok());
        let element = match start.local_name().into_inner() {
            "Objs" => return Ok(Opened::Root),
            "Ref" => return Ok(Opened::Reference(name, reference.unwrap_or(u64::MAX))),
            "Obj" => Element::Object,
            "Props" | "MS" => Element::Properties,
            "LST" | "IE" | "QUE" | "STK" => Element::List,
            "ToString" => Element::ToString,
            "Nil" => Element::Nil,
            "B" => Element::Boolean,
            "By" | "D" | "Db" | "I16" | "I32" | "I64" | "SB" | "Sg" | "U16" | "U32" | "U64" => Element::Number,
            "C" | "DT" | "G" | "S" | "SBK" | "TS" | "URI" | "Version" | "XD" => Element::Text,
            _ => Element::Ignored,
        };
        let object = Object { reference, ..Object::default() };
        Ok(Opened::Frame(Self { element, name, text: String::new(), object }))
    }

    fn add_text(&mut self, text: &str) {
        match self.element {
            Element::Boolean | Element::Number | Element::Text | Element::ToString => {
                if self.text.len() <= CELL_BYTES {
                    self.text.push_str(text);
                }
            }
            Element::Ignored | Element::List | Element::Nil | Element::Object | Element::Properties => {}
        }
    }

    /// Takes the value of a property, an entry of a list, or the number under an enumeration.
    fn take(&mut self, name: Option<String>, cell: Cell, in_record: bool) {
        let object = &mut self.object;
        match self.element {
            Element::Properties => {
                let Some(name) = name else { return };
                let key = match (in_record, known_column(&name)) {
                    (true, Some(column)) => column.to_owned(),
                    (true, None) => return,
                    (false, _) => name.to_lowercase(),
                };
                if object.fields.len() >= CELL_ENTRIES {
                    object.too_large = true;
                } else {
                    object.fields.entry(key).or_insert(cell);
                }
            }
            Element::List => {
                let list = object.list.get_or_insert_default();
                if list.len() >= CELL_ENTRIES {
                    object.too_large = true;
                } else {
                    list.push(cell);
                }
            }
            Element::Object => object.scalar = object.scalar.take().or(Some(cell)),
            Element::Boolean
            | Element::Ignored
            | Element::Nil
            | Element::Number
            | Element::Text
            | Element::ToString => {}
        }
    }
}

fn columns(fields: BTreeMap<String, Cell>) -> Vec<(&'static str, Cell)> {
    fields.into_iter().filter_map(|(name, cell)| known_column(&name).map(|column| (column, cell))).collect()
}

fn cell(element: Element, text: &str, object: Object) -> Cell {
    match element {
        Element::Boolean => Cell::Boolean(text.trim().eq_ignore_ascii_case("true")),
        Element::Nil => Cell::Null,
        Element::Number => Cell::Number(text.trim().to_owned()),
        Element::Text | Element::ToString if text.len() > CELL_BYTES => Cell::TooLarge,
        Element::Text | Element::ToString => Cell::Text(unescaped(text)),
        // A reference brings the object it names; a dictionary is not read.
        Element::Ignored => object.scalar.unwrap_or(Cell::TooLarge),
        Element::List | Element::Object | Element::Properties => of_object(object),
    }
}

/// A list keeps its entries; an enumeration or directory object is what it prints; another object
/// is its properties.
fn of_object(object: Object) -> Cell {
    if object.too_large {
        return Cell::TooLarge;
    }
    if let Some(list) = object.list {
        return Cell::List(list);
    }
    let printed = object.to_string.map(Cell::Text);
    match printed {
        Some(printed) if !printed.is_destroyed() => printed,
        printed => {
            if object.fields.is_empty() {
                object.scalar.or(printed).unwrap_or(Cell::Null)
            } else {
                Cell::Object(object.fields)
            }
        }
    }
}

/// `_x000D_` is a character that XML cannot hold; `_x005F_` an underscore that begins no such.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 2..at + 6).filter(|_| rest.as_bytes().get(at + 6) == Some(&b'_'));
        match code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
            Some(character) => {
                out.push(character);
                rest = &rest[at + 7..];
            }
            None => {
                out.push_str("_x");
                rest = &rest[at + 2..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Row>, Option<String>) {
        let mut objects = Objects::new(text.as_bytes());
        let (mut rows, mut failed) = (Vec::new(), None);
        loop {
            match objects.next_row() {
                Next::End => return (rows, failed),
                Next::Failed(why) => failed = Some(why),
                Next::Rejected { .. } => {}
                Next::Row(row) => rows.push(row),
            }
        }
    }

    const START: &str = r#"<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">"#;

    #[test]
    fn lists_enumerations_and_references_are_read() {
        let text = format!(
            r#"{START}<Obj RefId="0"><TN RefId="0"><T>Deserialized.Microsoft.Exchange.Management.Common.InboxRule</T></TN><ToString>x</ToString>
            <Props>
              <S N="Name">Lab_x000D__x000A_ _x005F_x0041_ &amp; &#65;</S><U64 N="RuleIdentity">15394007230974001153</U64><B N="Enabled">true</B><Nil N="RedirectTo" />
              <Obj N="ForwardTo" RefId="1"><TN RefId="1"><T>System.Collections.ArrayList</T></TN><LST><S>"A" [SMTP:a@b.example]</S><S>"C" [SMTP:c@d.example]</S></LST></Obj>
              <Obj N="ForwardAsAttachmentTo" RefId="2"><TNRef RefId="1" /><LST /></Obj>
              <Obj N="State" RefId="3"><TN RefId="2"><T>X</T><T>System.Enum</T></TN><ToString>Enabled</ToString><I32>1</I32></Obj>
            </Props><MS><S N="MailboxOwnerId">ana</S></MS></Obj>
            <Obj RefId="4"><MS><Ref N="ForwardTo" RefId="1" /><Ref N="RedirectTo" RefId="99" /></MS></Obj></Objs>"#
        );
        let (rows, failed) = read(&text);
        assert_eq!(failed, None);
        assert_eq!(rows[0].text("name"), Some("Lab\r\n _x0041_ & A"));
        assert_eq!(rows[0].text("ruleidentity"), Some("15394007230974001153"));
        assert_eq!(rows[0].texts("forwardto").len(), 2);
        assert_eq!(rows[0].cell("forwardasattachmentto"), Some(&Cell::List(Vec::new())), "an empty list is empty");
        assert_eq!(rows[0].text("state"), Some("Enabled"));
        assert_eq!(rows[0].text("mailboxownerid"), Some("ana"));
        assert_eq!(rows[0].cell("redirectto"), Some(&Cell::Null));
        assert_eq!(rows[1].texts("forwardto").len(), 2);
        assert_eq!(rows[1].cell("redirectto"), Some(&Cell::TooLarge), "what nobody defined is not empty");
    }

    #[test]
    fn cut_deep_and_foreign_documents_say_so() {
        assert!(read(&format!(r#"{START}<Obj RefId="0"><Props><S N="Name">a"#)).1.is_some());
        assert!(read(&format!("{START}{}", "<Obj>".repeat(100))).1.is_some());
        assert!(read("<html><body>x</body></html>").1.is_some());
        assert!(
            read(r#"<!DOCTYPE x [<!ENTITY a "b">]><Objs><Obj><MS><S N="Name">&a;</S></MS></Obj></Objs>"#).0[0]
                .text("name")
                .is_some_and(|text| text == "\u{fffd}")
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic_or_hang(text in "(<Objs>)?(<(/)?(Obj|Props|MS|S|LST|Ref|ToString|B)( N=\"[a-c]\")?( RefId=\"[0-3]\")?(/)?>|[a-z&;_x0]{0,4}){0,20}") {
            let _ = read(&text);
        }
    }
}
