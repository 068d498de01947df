//! Whose information it is, as far as counting goes: keyed hashes of identifiers, grouped by person.
//!
//! The key lives in memory for one run (or is the caller's); a social security number is never
//! hashed without one, since a billion guesses would undo it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::identifiers::{Identifier, Kind, Strength};
use super::names::Name;

/// One identifier of somebody, as 64 keyed bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PersonKey {
    pub(crate) kind: Kind,
    pub(crate) hash: u64,
}

/// Identifiers that stand together and so belong to one person.
pub(crate) type Person = Vec<PersonKey>;

/// A key, ready for the many identifiers that are hashed with it.
struct Hasher(Hmac<Sha256>);

impl Hasher {
    fn with(key: &[u8; 32]) -> Self {
        Self(<Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    /// Hashes an identifier's letters and digits, whatever its punctuation and case.
    fn hash(&self, kind: Kind, value: &[u8]) -> PersonKey {
        let mut mac = self.0.clone();
        mac.update(kind.as_str().as_bytes());
        mac.update(&[0]);
        let plain: Vec<u8> =
            value.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase).collect();
        mac.update(&plain);
        let bytes = mac.finalize().into_bytes();
        let first = bytes.first_chunk::<8>().expect("a SHA-256 has 32 bytes");
        PersonKey { kind, hash: u64::from_be_bytes(*first) }
    }

    /// `Quillon, Zorba` and `Zorba T. Quillon` are one name: its words of two letters or more, sorted.
    fn name(&self, text: &[u8], name: Name) -> PersonKey {
        fn upper(word: &[u8]) -> impl Iterator<Item = u8> {
            word.iter().map(u8::to_ascii_uppercase)
        }
        let words = text[name.start..name.end].split(|byte| !byte.is_ascii_alphabetic());
        let mut words: Vec<&[u8]> = words.filter(|word| word.len() > 1).collect();
        words.sort_unstable_by(|one, other| upper(one).cmp(upper(other)));
        self.hash(Kind::Name, &words.concat())
    }
}

/// Stands for the writer of a message about herself.
pub(crate) fn sender_key(key: &[u8; 32], address: &str) -> PersonKey {
    Hasher::with(key).hash(Kind::Name, address.as_bytes())
}

/// Groups identifiers by person: going down the text, somebody new begins where a kind comes again
/// with another value, or after a wide gap.
pub(crate) fn group(text: &[u8], identifiers: &[Identifier], names: &[Name], key: &[u8; 32]) -> Vec<Person> {
    const GAP: usize = 600;
    let hasher = Hasher::with(key);
    let mut places: Vec<(usize, PersonKey)> = identifiers
        .iter()
        .filter(|identifier| identifier.strength == Strength::Labelled || identifier.kind == Kind::SocialSecurity)
        .filter(|identifier| !matches!(identifier.kind, Kind::Account | Kind::Card))
        .map(|identifier| (identifier.start, hasher.hash(identifier.kind, &text[identifier.start..identifier.end])))
        .collect();
    places.extend(names.iter().map(|name| (name.start, hasher.name(text, *name))));
    places.sort_unstable();
    let mut people: Vec<Person> = Vec::new();
    let mut last = 0;
    for (place, person_key) in places {
        let joins = people.last().is_some_and(|person| {
            place - last <= GAP
                && person.iter().all(|known| known.kind != person_key.kind || known.hash == person_key.hash)
        });
        last = place;
        match people.last_mut().filter(|_| joins) {
            Some(person) if person.contains(&person_key) => {}
            Some(person) => person.push(person_key),
            None => people.push(vec![person_key]),
        }
    }
    people
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_and_order_do_not_make_another_person() {
        let hasher = Hasher::with(&[7; 32]);
        let number = |number: &[u8]| hasher.hash(Kind::SocialSecurity, number);
        assert_eq!(number(b"219-09-1234"), number(b"219091234"));
        let text = b"Quillon, Zorba met Zorba T. Quillon";
        let one = hasher.name(text, Name { start: 0, end: 14, labelled: false });
        assert_eq!(one, hasher.name(text, Name { start: 19, end: 35, labelled: false }));
        assert_ne!(Hasher::with(&[8; 32]).hash(Kind::Name, b"x"), hasher.hash(Kind::Name, b"x"));
    }
}
