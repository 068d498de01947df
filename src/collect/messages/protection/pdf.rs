//! PDF files by their encryption dictionary (ISO 32000-2 §7.6.2), which always stands in clear and outside of
//! compressed objects (§7.5.7).

use std::collections::BTreeSet;

use super::{Cipher, Protection};

/// Places that name a dictionary; a file that was saved often has several, most of them naming the same.
const NAMED: usize = 16;
/// Bytes and values of a dictionary that are looked at.
const BYTES: usize = 16 * 1024;
const VALUES: usize = 400;
const DEPTH: usize = 6;

/// How a file is protected that names an encryption dictionary, of several by the weakest: any text may look like the
/// one in force. `None` where it names none.
pub fn dictionary(bytes: &[u8]) -> Option<Protection> {
    let places = memchr::memmem::rfind_iter(bytes, b"/Encrypt").map(|at| Tokens::at(bytes, at));
    // `/EncryptMetadata` is another name.
    let is_named = |tokens: &mut Tokens<'_>| matches!(tokens.value(0), Some(Value::Name(b"Encrypt")));
    let mut places = places.filter_map(|mut tokens| is_named(&mut tokens).then_some(tokens)).take(NAMED).peekable();
    places.peek()?;
    let mut objects = BTreeSet::new();
    let told = places.filter_map(|mut tokens| match (tokens.value(0)?, tokens.value(0), tokens.value(0)) {
        (Value::Dictionary(entries), _, _) => of(&entries),
        (Value::Number(object), Some(Value::Number(generation)), Some(Value::Word(b"R"))) => {
            // The whole file is searched for it.
            objects.insert((object, generation)).then(|| of(&object_of(bytes, object, generation)?))?
        }
        _ => None,
    });
    Some(told.max_by_key(|told| told.parts().1.strength()).unwrap_or(Protection::Pdf(Cipher::Unknown)))
}

type Entries<'b> = Vec<(&'b [u8], Value<'b>)>;

/// The dictionary that is this object, where it was written last.
fn object_of(bytes: &[u8], object: u32, generation: u32) -> Option<Entries<'_>> {
    let named = format!("{object} {generation} obj");
    // `12 0 obj` ends in `2 0 obj`.
    let is_longer = |at: usize| at > 0 && bytes[at - 1].is_ascii_digit();
    let places = memchr::memmem::rfind_iter(bytes, named.as_bytes()).filter(|at| !is_longer(*at));
    places.take(NAMED).find_map(|at| match Tokens::at(bytes, at + named.len()).value(0) {
        Some(Value::Dictionary(entries)) => Some(entries),
        _ => None,
    })
}

fn of(entries: &Entries<'_>) -> Option<Protection> {
    let number = |name: &[u8]| match find(entries, name) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    };
    let Some(Value::Name(handler)) = find(entries, b"Filter") else { return None };
    let cipher = match number(b"V") {
        // An algorithm that the standard never gave away is 0 or 3.
        Some(1) => Cipher::rc4(40),
        Some(2) => Cipher::rc4(number(b"Length").unwrap_or(40)),
        Some(4 | 5) => filters(entries, number(b"Length")),
        Some(_) | None => Cipher::Unknown,
    };
    Some(match (*handler, number(b"R")) {
        (b"Standard", Some(5)) => Protection::PdfRevision5(cipher),
        (b"Standard", _) => Protection::Pdf(cipher),
        (_, _) => Protection::PdfPublicKey(cipher),
    })
}

/// The cipher of the crypt filters (§7.6.6) that streams, strings and attached files name: of several the weakest,
/// and unknown where streams or strings lie open.
fn filters(entries: &Entries<'_>, length: Option<u32>) -> Cipher {
    let Some(Value::Dictionary(filters)) = find(entries, b"CF") else { return Cipher::Unknown };
    // What is not named lies open.
    let named = |name: &[u8]| match find(entries, name) {
        Some(Value::Name(filter)) if *filter != b"Identity" => Some(*filter),
        _ => None,
    };
    let texts = [named(b"StmF"), named(b"StrF")];
    let files = find(entries, b"EFF").map(|_| named(b"EFF"));
    // Only the attached files may be protected.
    let texts = texts.into_iter().filter(|_| files.is_none() || texts != [None, None]);
    let ciphers = texts.chain(files).map(|filter| {
        let Some(Value::Dictionary(filter)) = filter.and_then(|name| find(filters, name)) else {
            return Cipher::Unknown;
        };
        match find(filter, b"CFM") {
            Some(Value::Name(b"V2")) => {
                let bits = match find(filter, b"Length") {
                    // In bytes by the standard, in bits by some writers.
                    Some(Value::Number(bytes @ 5..=32)) => Some(bytes * 8),
                    Some(Value::Number(bits)) => Some(*bits),
                    _ => None,
                };
                Cipher::rc4(bits.or(length).unwrap_or(128))
            }
            Some(Value::Name(b"AESV2")) => Cipher::Aes128,
            Some(Value::Name(b"AESV3" | b"AESV4")) => Cipher::Aes256,
            _ => Cipher::Unknown,
        }
    });
    ciphers.max_by_key(|cipher| cipher.strength()).unwrap_or(Cipher::Unknown)
}

fn find<'e, 'b>(entries: &'e Entries<'b>, name: &[u8]) -> Option<&'e Value<'b>> {
    entries.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

enum Value<'b> {
    Dictionary(Entries<'b>),
    Name(&'b [u8]),
    Number(u32),
    /// An array, a string, or a word in its place.
    Other,
    Word(&'b [u8]),
}

/// Reads the values of PDF's syntax (§7.3) one by one.
struct Tokens<'b> {
    bytes: &'b [u8],
    at: usize,
    left: usize,
}

impl<'b> Tokens<'b> {
    fn at(bytes: &'b [u8], at: usize) -> Self {
        let end = bytes.len().min(at.saturating_add(BYTES));
        Self { bytes: &bytes[..end], at, left: VALUES }
    }

    /// The next value; `None` at the end of a dictionary or array, of the bytes, or past a limit.
    fn value(&mut self, depth: usize) -> Option<Value<'b>> {
        self.left = self.left.checked_sub(1)?;
        self.space();
        let rest = self.bytes.get(self.at..)?;
        match *rest.first()? {
            b'<' if rest.get(1) == Some(&b'<') => {
                self.at += 2;
                self.entries(depth).map(Value::Dictionary)
            }
            b'<' => {
                self.at += memchr::memchr(b'>', rest)? + 1;
                Some(Value::Other)
            }
            b'(' => self.string(),
            b'/' => {
                self.at += 1;
                Some(Value::Name(self.regular()))
            }
            b'[' if depth < DEPTH => {
                self.at += 1;
                while self.value(depth + 1).is_some() {}
                self.at += usize::from(self.bytes.get(self.at) == Some(&b']'));
                Some(Value::Other)
            }
            b'>' | b']' | b'[' | b')' | b'{' | b'}' => None,
            _ => {
                let word = self.regular();
                let number = std::str::from_utf8(word).ok().and_then(|word| word.parse().ok());
                Some(number.map_or(Value::Word(word), Value::Number))
            }
        }
    }

    fn entries(&mut self, depth: usize) -> Option<Entries<'b>> {
        if depth == DEPTH {
            return None;
        }
        let mut entries: Entries<'b> = Vec::new();
        loop {
            self.space();
            if self.bytes.get(self.at..).is_none_or(|rest| rest.is_empty() || rest.starts_with(b">>")) {
                self.at += 2;
                return Some(entries);
            }
            match self.value(depth + 1)? {
                Value::Name(name) => entries.push((name, self.value(depth + 1)?)),
                // The rest of a reference, `0 R`, which stands where a name is awaited.
                Value::Number(_) | Value::Word(_) | Value::Other | Value::Dictionary(_) => {}
            }
        }
    }

    /// Parentheses in a string are paired or escaped (§7.3.4.2).
    fn string(&mut self) -> Option<Value<'b>> {
        let mut open = 0_usize;
        while let Some(byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'(' => open += 1,
                b')' if open == 1 => return Some(Value::Other),
                b')' => open -= 1,
                _ => {}
            }
        }
        None
    }

    fn space(&mut self) {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ' => self.at += 1,
                b'%' => self.at += memchr::memchr2(b'\r', b'\n', &self.bytes[self.at..]).unwrap_or(self.bytes.len()),
                _ => break,
            }
        }
    }

    fn regular(&mut self) -> &'b [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0 || b"()<>[]{}/%".contains(byte);
        let word = &rest[..rest.iter().position(is_end).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }
}
