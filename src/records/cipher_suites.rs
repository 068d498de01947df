//! Cipher suites by code point: their registered names and what each is made of.
//!
//! Everything is read off the registered name, so that the table stays one of code points and
//! names. It states what a suite is; whether that is good enough is for checks to say.

use super::cipher_suite_names::NAMES;

/// A suite that no server has: a GREASE value (RFC 8701 §2), never to be assigned. Offered alone it
/// shows how a server refuses.
pub const NOBODY_HAS: u16 = 0x7a7a;

/// TLS_FALLBACK_SCSV (RFC 7507): no suite, but a word that says "an older version is tried again".
pub const FALLBACK_SCSV: u16 = 0x5600;

/// One cipher suite of the IANA registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Suite {
    /// The code point.
    pub code: u16,
    /// The registered name.
    pub name: &'static str,
}

/// How a suite agrees on keys and who it authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyExchange {
    /// Ephemeral Diffie-Hellman without authentication.
    AnonymousDh,
    /// Ephemeral elliptic-curve Diffie-Hellman without authentication.
    AnonymousEcdh,
    Dhe,
    Ecdhe,
    /// Keys agreed outside the certificate system: PSK, SRP, Kerberos, passwords, GOST.
    Other,
    /// RSA key transport, with the certificate's key or an export-strength one.
    Rsa,
    /// Static Diffie-Hellman keys in the certificate.
    StaticDh,
    /// TLS 1.3: the key exchange is agreed apart from the suite, and always ephemeral.
    Tls13,
}

/// Every registered suite, by code point.
pub fn all() -> impl Iterator<Item = Suite> {
    NAMES.iter().map(|&(code, name)| Suite { code, name })
}

/// The suite with a code point, if it is registered.
pub fn by_code(code: u16) -> Option<Suite> {
    let index = NAMES.binary_search_by_key(&code, |&(code, _)| code).ok()?;
    let (code, name) = NAMES[index];
    Some(Suite { code, name })
}

/// The registered name, or the code point in hex.
pub fn name_of(code: u16) -> String {
    by_code(code).map_or_else(|| format!("0x{code:04X}"), |suite| suite.name.to_owned())
}

impl Suite {
    /// The part of the name before `_WITH_`, without `TLS_`; empty for suites of TLS 1.3.
    fn exchange_text(self) -> &'static str {
        self.name.strip_prefix("TLS_").unwrap_or(self.name).split_once("_WITH_").map_or("", |(before, _)| before)
    }

    /// The part of the name after `_WITH_`.
    fn cipher_text(self) -> &'static str {
        self.name.split_once("_WITH_").map_or_else(|| self.name.trim_start_matches("TLS_"), |(_, after)| after)
    }

    /// How keys are agreed on.
    pub fn key_exchange(self) -> KeyExchange {
        let text = self.exchange_text();
        if text.is_empty() || self.name.ends_with("MGM_L") || self.name.ends_with("MGM_S") {
            KeyExchange::Tls13
        } else if text.contains("PSK") || ["SRP", "KRB5", "GOST", "ECCPWD"].iter().any(|word| text.starts_with(word)) {
            KeyExchange::Other
        } else if text.starts_with("DH_anon") {
            KeyExchange::AnonymousDh
        } else if text.starts_with("ECDH_anon") {
            KeyExchange::AnonymousEcdh
        } else if text.starts_with("DHE_") {
            KeyExchange::Dhe
        } else if text.starts_with("ECDHE_") {
            KeyExchange::Ecdhe
        } else if text.starts_with("RSA") {
            KeyExchange::Rsa
        } else {
            KeyExchange::StaticDh
        }
    }

    /// Suites that stand or fall together: those that agree on keys and sign in the same way need the
    /// same certificate and the same parameters.
    pub fn family(self) -> (KeyExchange, &'static str) {
        let exchange = self.key_exchange();
        let signature = match exchange {
            KeyExchange::Dhe | KeyExchange::Ecdhe => self.exchange_text().split('_').nth(1).unwrap_or(""),
            KeyExchange::AnonymousDh
            | KeyExchange::AnonymousEcdh
            | KeyExchange::Other
            | KeyExchange::Rsa
            | KeyExchange::StaticDh
            | KeyExchange::Tls13 => "",
        };
        (exchange, signature)
    }

    /// Whether a service that authenticates with a certificate, or not at all, could have it. Suites
    /// that need keys agreed elsewhere are asked for only when everything is enumerated.
    pub fn is_common(self) -> bool {
        self.key_exchange() != KeyExchange::Other
    }

    /// No authentication (aNULL).
    pub fn is_anonymous(self) -> bool {
        matches!(self.key_exchange(), KeyExchange::AnonymousDh | KeyExchange::AnonymousEcdh)
    }

    /// No encryption, export strength, RC4, RC2 or single DES (RFC 9325 §4.1, RFC 7465).
    pub fn is_broken(self) -> bool {
        let cipher = self.cipher_text();
        self.exchange_text().contains("EXPORT")
            || ["NULL", "RC4", "RC2", "DES_CBC", "DES40"].iter().any(|word| cipher.starts_with(word))
            // Integrity only, RFC 9150.
            || matches!(self.name, "TLS_SHA256_SHA256" | "TLS_SHA384_SHA384")
    }

    /// A 64-bit block cipher that is not already [broken](Self::is_broken): 3DES, IDEA and the GOST
    /// ciphers of that size (SWEET32; RFC 9325 §4.1 by effective strength).
    pub fn is_short_block(self) -> bool {
        !self.is_broken() && ["3DES", "IDEA", "28147", "MAGMA"].iter().any(|word| self.cipher_text().starts_with(word))
    }

    /// Key exchange with the certificate's own key: no forward secrecy (RFC 9325 §4.1).
    pub fn is_static_key(self) -> bool {
        matches!(self.key_exchange(), KeyExchange::Rsa | KeyExchange::StaticDh)
    }

    /// Ephemeral finite-field Diffie-Hellman, authenticated or not.
    pub fn is_finite_field(self) -> bool {
        matches!(self.key_exchange(), KeyExchange::Dhe | KeyExchange::AnonymousDh)
    }

    /// Authenticated encryption: GCM, CCM, ChaCha20-Poly1305 and the like. TLS 1.2 and later only.
    pub fn is_aead(self) -> bool {
        let cipher = self.cipher_text();
        ["_GCM", "_CCM", "POLY1305", "AEGIS", "_MGM"].iter().any(|word| cipher.contains(word))
    }

    /// AES-GCM with ephemeral, authenticated keys in TLS 1.2 (RFC 9325 §4.2), or AES-GCM,
    /// AES-CCM or ChaCha20 in TLS 1.3.
    pub fn is_strong(self) -> bool {
        match self.key_exchange() {
            KeyExchange::Ecdhe | KeyExchange::Dhe => {
                self.cipher_text().starts_with("AES_") && self.name.contains("_GCM_")
            }
            KeyExchange::Tls13 => (0x1301..=0x1304).contains(&self.code),
            KeyExchange::AnonymousDh
            | KeyExchange::AnonymousEcdh
            | KeyExchange::Other
            | KeyExchange::Rsa
            | KeyExchange::StaticDh => false,
        }
    }

    /// Whether the suite can be agreed on in a version (wire form, 0x0303 is TLS 1.2).
    pub fn fits(self, version: u16) -> bool {
        let of_tls13 = self.key_exchange() == KeyExchange::Tls13;
        match version {
            0x0304 => of_tls13,
            0x0303 => !of_tls13,
            // Suites with their own PRF hash are for TLS 1.2 (RFC 5246 §1.2, RFC 5289 §5).
            0x0300..=0x0302 => {
                !of_tls13 && !self.is_aead() && !self.name.ends_with("_SHA256") && !self.name.ends_with("_SHA384")
            }
            _ => false,
        }
    }

    /// How likely a deployed mail server is to have it: a rough order, most likely first.
    pub fn rank(self) -> u32 {
        let cipher = self.cipher_text();
        let by_exchange = match self.key_exchange() {
            KeyExchange::Tls13 => 0,
            KeyExchange::Ecdhe => 1,
            KeyExchange::Dhe => 2,
            KeyExchange::Rsa => 3,
            KeyExchange::AnonymousEcdh => 4,
            KeyExchange::AnonymousDh => 5,
            KeyExchange::StaticDh => 6,
            KeyExchange::Other => 7,
        };
        let by_cipher = if cipher.starts_with("AES_256_GCM") || cipher.starts_with("AES_128_GCM") {
            0
        } else if cipher.starts_with("CHACHA20") {
            1
        } else if cipher.starts_with("AES_") && cipher.contains("_CBC_") {
            2
        } else if cipher.contains("_CCM") || cipher.starts_with("CAMELLIA") {
            3
        } else if cipher.starts_with("3DES") || cipher.starts_with("ARIA") {
            4
        } else {
            5
        };
        by_cipher * 10 + by_exchange
    }
}

/// The cipher kinds of SSL 2.0, as its specification names them.
pub const SSL2_KINDS: [(u32, &str); 7] = [
    (0x01_0080, "SSL_CK_RC4_128_WITH_MD5"),
    (0x02_0080, "SSL_CK_RC4_128_EXPORT40_WITH_MD5"),
    (0x03_0080, "SSL_CK_RC2_128_CBC_WITH_MD5"),
    (0x04_0080, "SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5"),
    (0x05_0080, "SSL_CK_IDEA_128_CBC_WITH_MD5"),
    (0x06_0040, "SSL_CK_DES_64_CBC_WITH_MD5"),
    (0x07_00c0, "SSL_CK_DES_192_EDE3_CBC_WITH_MD5"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Suite {
        all().find(|suite| suite.name == name).unwrap()
    }

    #[test]
    fn the_table_is_sorted_and_has_no_name_twice() {
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let mut names: Vec<_> = NAMES.iter().map(|(_, name)| name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), NAMES.len());
        assert!(by_code(NOBODY_HAS).is_none());
    }

    #[test]
    fn classes_are_read_off_the_name() {
        assert!(named("TLS_DH_anon_WITH_AES_256_GCM_SHA384").is_anonymous());
        assert!(named("TLS_ECDH_anon_WITH_NULL_SHA").is_broken());
        assert!(named("TLS_RSA_EXPORT_WITH_RC4_40_MD5").is_broken());
        assert!(named("TLS_RSA_WITH_DES_CBC_SHA").is_broken());
        assert!(!named("TLS_RSA_WITH_3DES_EDE_CBC_SHA").is_broken());
        assert!(named("TLS_RSA_WITH_3DES_EDE_CBC_SHA").is_short_block());
        assert!(named("TLS_RSA_WITH_IDEA_CBC_SHA").is_short_block());
        assert!(named("TLS_RSA_WITH_AES_128_GCM_SHA256").is_static_key());
        assert!(named("TLS_ECDH_RSA_WITH_AES_128_CBC_SHA").is_static_key());
        assert!(!named("TLS_DHE_RSA_WITH_AES_128_CBC_SHA").is_static_key());
        assert!(!named("TLS_RSA_PSK_WITH_AES_128_CBC_SHA").is_static_key());
        assert!(named("TLS_SHA256_SHA256").is_broken());
    }

    #[test]
    fn families_share_key_exchange_and_signature() {
        let family = |name| named(name).family();
        assert_eq!(family("TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA"), family("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"));
        assert_ne!(family("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"), family("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
    }

    #[test]
    fn only_ephemeral_aes_gcm_and_tls_1_3_are_strong() {
        assert!(named("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256").is_strong());
        assert!(named("TLS_AES_128_GCM_SHA256").is_strong());
        assert!(!named("TLS_RSA_WITH_AES_128_GCM_SHA256").is_strong());
        assert!(!named("TLS_DH_anon_WITH_AES_128_GCM_SHA256").is_strong());
        assert!(!named("TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256").is_strong());
        assert!(!named("TLS_SHA384_SHA384").is_strong());
    }

    #[test]
    fn suites_are_offered_only_in_versions_that_have_them() {
        assert!(named("TLS_AES_128_GCM_SHA256").fits(0x0304) && !named("TLS_AES_128_GCM_SHA256").fits(0x0303));
        assert!(!named("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256").fits(0x0302));
        assert!(!named("TLS_RSA_WITH_AES_128_CBC_SHA256").fits(0x0301));
        assert!(named("TLS_RSA_WITH_AES_128_CBC_SHA").fits(0x0300));
    }
}
