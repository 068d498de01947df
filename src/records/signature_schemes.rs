//! Signature schemes by code point (IANA "TLS SignatureScheme"; hash and signature pairs of RFC 5246).

/// RSA with MD5 in TLS 1.2: forbidden (RFC 9155 §2), and offered only to see whether it is used.
pub const RSA_MD5: u16 = 0x0101;

/// The registered name, or the code point in hex.
pub fn name_of(code: u16) -> String {
    NAMES
        .iter()
        .find(|(known, _)| *known == code)
        .map_or_else(|| format!("0x{code:04X}"), |(_, name)| (*name).to_owned())
}

/// Whether its hash is MD5 or SHA-1, which must not sign in TLS 1.2 (RFC 9155 §2 and §3).
pub const fn is_weak(code: u16) -> bool {
    // The high byte of the pairs of RFC 5246 is the hash: 1 is MD5, 2 is SHA-1.
    matches!(code >> 8, 1 | 2)
}

/// Whether a key of a kind (`RSA`, `ECDSA`, `DSS`, as in the names of suites) can sign with it.
pub fn is_for(code: u16, kind: &str) -> bool {
    let name = name_of(code);
    match kind {
        "RSA" => name.starts_with("rsa_"),
        // RFC 8422 §5.10: EdDSA keys sign where ECDSA keys do.
        "ECDSA" => name.starts_with("ecdsa_") || name.starts_with("ed"),
        "DSS" => name.starts_with("dsa_"),
        _ => false,
    }
}

/// Those of [`is_weak`] that services of today could still have.
pub const WEAK: [u16; 4] = [RSA_MD5, 0x0201, 0x0202, 0x0203];

const NAMES: [(u16, &str); 25] = [
    (0x0101, "rsa_pkcs1_md5"),
    (0x0201, "rsa_pkcs1_sha1"),
    (0x0202, "dsa_sha1"),
    (0x0203, "ecdsa_sha1"),
    (0x0301, "rsa_pkcs1_sha224"),
    (0x0302, "dsa_sha224"),
    (0x0303, "ecdsa_sha224"),
    (0x0401, "rsa_pkcs1_sha256"),
    (0x0402, "dsa_sha256"),
    (0x0403, "ecdsa_secp256r1_sha256"),
    (0x0501, "rsa_pkcs1_sha384"),
    (0x0503, "ecdsa_secp384r1_sha384"),
    (0x0601, "rsa_pkcs1_sha512"),
    (0x0603, "ecdsa_secp521r1_sha512"),
    (0x0804, "rsa_pss_rsae_sha256"),
    (0x0805, "rsa_pss_rsae_sha384"),
    (0x0806, "rsa_pss_rsae_sha512"),
    (0x0807, "ed25519"),
    (0x0808, "ed448"),
    (0x0809, "rsa_pss_pss_sha256"),
    (0x080a, "rsa_pss_pss_sha384"),
    (0x080b, "rsa_pss_pss_sha512"),
    (0x081a, "ecdsa_brainpoolP256r1tls13_sha256"),
    (0x081b, "ecdsa_brainpoolP384r1tls13_sha384"),
    (0x081c, "ecdsa_brainpoolP512r1tls13_sha512"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_md5_and_sha1_are_weak_and_each_has_a_name() {
        assert!(WEAK.iter().all(|&code| is_weak(code) && !name_of(code).starts_with("0x")));
        assert!(![0x0301, 0x0401, 0x0804, 0x0807].into_iter().any(is_weak));
        assert_eq!(name_of(0x0a0a), "0x0A0A");
        for (code, _) in NAMES {
            assert!(["RSA", "ECDSA", "DSS"].iter().any(|kind| is_for(code, kind)), "{}", name_of(code));
        }
    }
}
