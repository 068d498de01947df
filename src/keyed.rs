//! Keyed references: names for things whose own name must not leave the organization.
//!
//! Whoever holds the key can find the thing again; nobody else can test a guess.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Makes keyed references. The key itself is never shown, stored or compared.
#[derive(Clone)]
pub struct KeyedReference {
    keyed: Hmac<Sha256>,
}

impl KeyedReference {
    /// Takes the key's bytes as they are; any length is allowed (RFC 2104 §2).
    pub fn new(key: &[u8]) -> Self {
        let keyed = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
        Self { keyed }
    }

    /// Takes the bytes of a key file: one line end at the end is not part of the key.
    pub fn from_key_file(bytes: &[u8]) -> Self {
        let key = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        Self::new(key.strip_suffix(b"\r").unwrap_or(key))
    }

    /// The first 12 hex digits of HMAC-SHA256 over the value's bytes.
    pub fn of(&self, value: &str) -> String {
        let mut keyed = self.keyed.clone();
        keyed.update(value.as_bytes());
        crate::evidence::hex(&keyed.finalize().into_bytes()[..6])
    }
}

impl std::fmt::Debug for KeyedReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyedReference(‹redacted›)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_the_start_of_the_published_test_vector() {
        // RFC 4231 test case 2.
        assert_eq!(KeyedReference::new(b"Jefe").of("what do ya want for nothing?"), "5bdcc146bf60");
        assert_eq!(KeyedReference::from_key_file(b"Jefe\r\n").of("what do ya want for nothing?"), "5bdcc146bf60");
    }

    #[test]
    fn the_key_is_not_shown() {
        assert!(!format!("{:?}", KeyedReference::new(b"Jefe")).contains("Jefe"));
    }
}
