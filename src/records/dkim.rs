//! Reads DKIM key records (RFC 6376 §3.6.1, RFC 8301, RFC 8463) and joins those of one domain.
//!
//! Which selectors exist can be proven only in part: an absent `_domainkey` name proves absence
//! (RFC 8020), a record proves presence, and everything else stays undetermined.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::RSAPublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::dns_message::{Reader, RecordKind};
use super::note::Note;
use super::tags::{self, short};
use super::txt;
use crate::names::DomainName;
use crate::seen::NotObserved;

/// Smaller RSA keys must not verify (RFC 8301 §3.2).
pub const BROKEN_UNDER_BITS: u32 = 1024;
/// Smaller RSA keys are below what signers should use (RFC 8301 §3.2, NIST SP 800-177r1 §4.5).
pub const WEAK_UNDER_BITS: u32 = 2048;

/// The public key of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Ed25519,
    /// `p=` is empty.
    Revoked,
    Rsa {
        bits: u32,
    },
}

/// One key record that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DkimKey {
    pub key: Key,
    /// `t=y`: receivers treat the mail as unsigned.
    pub testing: bool,
    /// `h=` allows only SHA-1 (RFC 8301 §3.1).
    pub sha1_only: bool,
    /// `s=` names neither `*` nor `email`.
    pub other_service: bool,
}

/// True for text that is meant as a key record; a TXT wildcard brings others here.
fn is_key_record(text: &str) -> bool {
    let (tags, _) = tags::split_exactly(text);
    tags::value_exactly(&tags, "p").is_some() || txt::starts_with_ignoring_case(text.trim_start(), "v=dkim1")
}

/// Reads one key record; the error says what is wrong with it and which paragraph is broken.
pub fn parse(text: &str) -> Result<DkimKey, (String, &'static str)> {
    let (tags, faults) = tags::split_exactly(text);
    if let Some(fault) = faults.first() {
        return Err((format!("byte {}: {}", fault.at, fault.why), "RFC 6376 §3.2"));
    }
    if let Some(index) = tags.iter().position(|tag| tag.name == "v")
        && (index != 0 || tags[index].value != "DKIM1")
    {
        return Err(("`v` must come first and be DKIM1".to_owned(), "RFC 6376 §3.6.1"));
    }
    let list =
        |name: &str| tags::value_exactly(&tags, name).map(|value| value.split(':').map(str::trim).collect::<Vec<_>>());
    let Some(encoded) = tags::value_exactly(&tags, "p") else {
        return Err(("there is no `p` tag".to_owned(), "RFC 6376 §3.6.1"));
    };
    let key = read_key(tags::value_exactly(&tags, "k").unwrap_or("rsa"), encoded)?;
    Ok(DkimKey {
        key,
        testing: list("t").is_some_and(|flags| flags.contains(&"y")),
        sha1_only: list("h").is_some_and(|hashes| hashes.contains(&"sha1") && !hashes.contains(&"sha256")),
        other_service: list("s").is_some_and(|services| !services.contains(&"*") && !services.contains(&"email")),
    })
}

fn read_key(kind: &str, encoded: &str) -> Result<Key, (String, &'static str)> {
    // White space may stand anywhere in the Base64 (RFC 6376 §3.2).
    let encoded: String = encoded.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    if encoded.is_empty() {
        return Ok(Key::Revoked);
    }
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(&alphabet::STANDARD, config)
        .decode(encoded)
        .map_err(|error| (format!("the key is not Base64: {error}"), "RFC 6376 §3.6.1"))?;
    match kind {
        "rsa" => match rsa_bits(&bytes) {
            Some(bits) => Ok(Key::Rsa { bits }),
            None => Err(("the key is no RSA public key".to_owned(), "RFC 6376 §3.6.1")),
        },
        "ed25519" if bytes.len() == 32 => Ok(Key::Ed25519),
        "ed25519" => Err((format!("the Ed25519 key has {} bytes, not 32", bytes.len()), "RFC 8463 §4")),
        other => Err((format!("the key type `{}` is not known", short(other)), "RFC 6376 §3.6.1")),
    }
}

/// The modulus length. The standard's letter is a bare RSAPublicKey, practice wraps it (RFC 6376
/// §3.6.1 and its errata), so both are read.
fn rsa_bits(der: &[u8]) -> Option<u32> {
    let read = |key: &RSAPublicKey<'_>| {
        let modulus = key.modulus;
        let leading = modulus.iter().take_while(|byte| **byte == 0).count();
        let significant = &modulus[leading..];
        let first = significant.first()?;
        u32::try_from(significant.len()).ok()?.checked_mul(8)?.checked_sub(first.leading_zeros())
    };
    if let Ok((rest, info)) = SubjectPublicKeyInfo::from_der(der)
        && rest.is_empty()
    {
        return match info.parsed() {
            Ok(x509_parser::public_key::PublicKey::RSA(key)) => read(&key),
            _ => None,
        };
    }
    match RSAPublicKey::from_der(der) {
        Ok(([], key)) => read(&key),
        Ok(_) | Err(_) => None,
    }
}

/// SHA-256 of the key in a record, whatever the spaces and tags around it; `None` where there is no
/// key or it was revoked.
pub fn fingerprint(text: &str) -> Option<String> {
    let (tags, _) = tags::split_exactly(text);
    let key: String = tags::value_exactly(&tags, "p")?.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    (!key.is_empty()).then(|| crate::evidence::hex(&Sha256::digest(key.trim_end_matches('='))))
}

/// The contract's words; `Unknown` is no proof of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DkimVerdict {
    Absent,
    Broken,
    Error,
    Ok,
    Revoked,
    Testing,
    Unknown,
    Weak,
}

impl DkimVerdict {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Broken => "broken",
            Self::Error => "error",
            Self::Ok => "ok",
            Self::Revoked => "revoked",
            Self::Testing => "testing",
            Self::Unknown => "unknown",
            Self::Weak => "weak",
        }
    }
}

/// What was found out about a domain's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DkimAudit {
    pub verdict: DkimVerdict,
    /// Selectors with a record of their own, sorted.
    pub selectors: Vec<String>,
    /// Where each of them, and each that was named and has no record, was learned.
    pub learned: BTreeMap<String, BTreeSet<Learned>>,
    /// Selectors for which no answer came: whether they have a record is not known.
    pub unanswered: BTreeSet<String>,
    /// Selectors that were asked for and have no key of their own.
    pub without_key: BTreeSet<String>,
    /// `selector: record text`, for the probe's output.
    pub records: Vec<(String, String)>,
    /// Alias targets of selectors, for the vendor catalogue.
    pub aliases: Vec<String>,
    pub smallest_rsa_bits: Option<u32>,
    pub notes: Vec<Note>,
    /// Why nothing is known, with [`DkimVerdict::Error`].
    pub because: Option<NotObserved>,
}

/// Where a selector was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Learned {
    /// One that many domains use.
    Common,
    /// The organization named it.
    Declared,
    /// An export of the organization's systems names it.
    Export,
    /// A DMARC aggregate report speaks of mail it signed.
    Reports,
    /// It signed given mail.
    Signatures,
    /// A vendor that DNS shows uses it.
    Vendor,
}

impl Learned {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Common => "common",
            Self::Declared => "declared",
            Self::Export => "export",
            Self::Reports => "reports",
            Self::Signatures => "signatures",
            Self::Vendor => "vendor",
        }
    }
}

/// The selectors to try.
#[derive(Clone, Debug, Default)]
pub struct Selectors {
    /// Named by the organization.
    pub declared: Vec<String>,
    /// Seen to have signed mail, then if not now.
    pub seen: BTreeMap<String, BTreeSet<Learned>>,
    /// Used by vendors that MX or SPF speak of.
    pub implied: Vec<String>,
    /// Common ones, tried when the organization names none.
    pub ranked: Vec<String>,
}

/// A selector nobody uses, the same each time for one domain, to find wildcards by.
pub fn improbable_label(domain: &DomainName) -> String {
    let hash = crate::evidence::hex(&Sha256::digest(format!("no such selector: {domain}")));
    format!("mailassay-{}", &hash[..16])
}

/// Reads the keys of a domain.
pub fn audit(domain: &DomainName, selectors: &Selectors, reader: &mut Reader<'_>) -> DkimAudit {
    let mut audit = DkimAudit {
        verdict: DkimVerdict::Unknown,
        selectors: Vec::new(),
        unanswered: BTreeSet::new(),
        without_key: BTreeSet::new(),
        learned: BTreeMap::new(),
        records: Vec::new(),
        aliases: Vec::new(),
        smallest_rsa_bits: None,
        notes: Vec::new(),
        because: None,
    };
    let Ok(keys) = domain.child("_domainkey") else { return audit };
    let base = reader.ask(&keys, RecordKind::Txt);
    let proven_absent = matches!(base, Ok(Some(response)) if !response.exists && response.aliases.is_empty());
    if base == Ok(None) {
        return audit;
    }
    let wildcard = match keys.child(&improbable_label(domain)) {
        Ok(name) if !proven_absent && base.is_ok() => match reader.ask(&name, RecordKind::Txt) {
            Ok(Some(response)) => txt::texts(&response.data),
            Ok(None) | Err(_) => Vec::new(),
        },
        Ok(_) | Err(_) => Vec::new(),
    };
    // Below a proven gap only what is known to have been used is asked for: some servers answer
    // NXDOMAIN for names that merely have no records of their own.
    let mut tried: Vec<(String, Learned)> = Vec::new();
    let mut add = |names: &[String], from| tried.extend(names.iter().map(|name| (name.to_ascii_lowercase(), from)));
    add(&selectors.declared, Learned::Declared);
    for (name, from) in &selectors.seen {
        from.iter().for_each(|from| add(std::slice::from_ref(name), *from));
    }
    // Where the base cannot be asked, guessing selectors would only repeat the failure.
    if !proven_absent && base.is_ok() {
        add(&selectors.implied, Learned::Vendor);
        if selectors.declared.is_empty() {
            add(&selectors.ranked, Learned::Common);
        }
    }
    for (name, from) in &tried {
        audit.learned.entry(name.clone()).or_default().insert(*from);
    }
    let mut worst: Option<DkimVerdict> = None;
    let mut failed = None;
    let mut seen = BTreeSet::new();
    for (selector, _) in tried {
        if !seen.insert(selector.clone()) {
            continue;
        }
        let from = &audit.learned[&selector];
        let declared = from.contains(&Learned::Declared);
        let guessed = from.iter().all(|from| matches!(from, Learned::Common | Learned::Vendor));
        let Ok(name) = keys.child(&selector) else { continue };
        match reader.ask(&name, RecordKind::Txt) {
            Ok(None) => {
                audit.unanswered.insert(selector);
            }
            Err(reason) => {
                audit.unanswered.insert(selector.clone());
                if !guessed {
                    failed.get_or_insert(reason);
                }
            }
            Ok(Some(response)) => {
                let texts: Vec<String> =
                    txt::texts(&response.data).into_iter().filter(|text| is_key_record(text)).collect();
                let from_wildcard = !wildcard.is_empty() && texts == wildcard && response.aliases.is_empty();
                if from_wildcard {
                    audit.without_key.insert(selector);
                    continue;
                }
                audit.aliases.extend(response.aliases.iter().cloned());
                if texts.is_empty() {
                    if let Some(target) = response.aliases.last() {
                        let detail = format!("{name} points to {target}, where there is no key");
                        audit.notes.push(Note::new("dkim.dangling_cname", detail, "RFC 6376 §3.6.2.1"));
                    }
                    audit.without_key.insert(selector);
                    continue;
                }
                let verdict = audit.selector(&selector, declared, &texts);
                worst = Some(worst.map_or(verdict, |worst| worse(worst, verdict)));
            }
        }
    }
    audit.selectors.sort();
    // Of guesses only those that were right are worth telling.
    let found = &audit.selectors;
    audit.learned.retain(|name, from| {
        found.contains(name) || !from.iter().all(|from| matches!(from, Learned::Common | Learned::Vendor))
    });
    audit.records.sort();
    audit.aliases.sort();
    audit.aliases.dedup();
    audit.verdict = match (worst, base, failed) {
        (Some(worst), _, _) => worst,
        (None, Err(reason), _) | (None, _, Some(reason)) => {
            audit.because = Some(reason);
            DkimVerdict::Error
        }
        (None, Ok(_), None) if proven_absent => {
            audit.notes.push(Note::new("dkim.absent", format!("{keys} does not exist"), "RFC 8020 §2"));
            DkimVerdict::Absent
        }
        (None, Ok(_), None) => {
            let detail = format!("{domain}: none of the selectors tried has a key");
            audit.notes.push(Note::new("dkim.no_selector_found", detail, "RFC 6376 §3.1"));
            DkimVerdict::Unknown
        }
    };
    audit
}

/// Broken, weak, testing, ok; revoked keys count only where there is nothing else.
fn worse(one: DkimVerdict, other: DkimVerdict) -> DkimVerdict {
    let rank = |verdict| match verdict {
        DkimVerdict::Broken => 0,
        DkimVerdict::Weak => 1,
        DkimVerdict::Testing => 2,
        DkimVerdict::Ok => 3,
        DkimVerdict::Revoked => 4,
        DkimVerdict::Absent | DkimVerdict::Error | DkimVerdict::Unknown => 5,
    };
    if rank(one) <= rank(other) { one } else { other }
}

impl DkimAudit {
    fn note(&mut self, code: &str, detail: String, rule: &str) {
        self.notes.push(Note::new(code, detail, rule));
    }

    fn selector(&mut self, selector: &str, declared: bool, texts: &[String]) -> DkimVerdict {
        self.selectors.push(selector.to_owned());
        self.records.extend(texts.iter().map(|text| (selector.to_owned(), text.clone())));
        let [text] = texts else {
            let detail = format!("{selector}: {} records; which one counts is undefined", texts.len());
            self.note("dkim.multiple", detail, "RFC 6376 §3.6.2.2");
            return DkimVerdict::Broken;
        };
        let record = match parse(text) {
            Ok(record) => record,
            Err((why, rule)) => {
                self.note("dkim.bad_key", format!("{selector}: {why}"), rule);
                return DkimVerdict::Broken;
            }
        };
        let mut verdict = DkimVerdict::Ok;
        match record.key {
            Key::Revoked => {
                self.note("dkim.revoked", format!("{selector}: the key is revoked"), "RFC 6376 §3.6.1");
                if declared {
                    let detail = format!("{selector}: named as in use, and revoked");
                    self.note("dkim.revoked_active", detail, "RFC 6376 §3.6.1");
                }
                return DkimVerdict::Revoked;
            }
            Key::Ed25519 => {}
            Key::Rsa { bits } => {
                self.smallest_rsa_bits = Some(self.smallest_rsa_bits.map_or(bits, |smallest| smallest.min(bits)));
                if bits < BROKEN_UNDER_BITS {
                    self.note("dkim.key_too_short", format!("{selector}: RSA with {bits} bits"), "RFC 8301 §3.2");
                    verdict = DkimVerdict::Broken;
                } else if bits < WEAK_UNDER_BITS {
                    self.note("dkim.key_1024", format!("{selector}: RSA with {bits} bits"), "RFC 8301 §3.2");
                    verdict = DkimVerdict::Weak;
                }
            }
        }
        if record.sha1_only {
            self.note("dkim.sha1_only", format!("{selector}: only SHA-1 is allowed"), "RFC 8301 §3.1");
            verdict = worse(verdict, DkimVerdict::Broken);
        }
        if record.other_service {
            self.note("dkim.service_type", format!("{selector}: the key is not for e-mail"), "RFC 6376 §3.6.1");
            verdict = worse(verdict, DkimVerdict::Broken);
        }
        if record.testing {
            self.note("dkim.testing", format!("{selector}: marked as a test"), "RFC 6376 §3.6.1");
            verdict = worse(verdict, DkimVerdict::Testing);
        }
        verdict
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::dns_message::tests::{answers, name};
    use super::super::note::codes;
    use super::*;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    /// An RSA key record of `bits` bits: only its length is real.
    pub(crate) fn rsa_record(bits: usize) -> String {
        let tlv = |tag: u8, body: &[u8]| {
            let mut out = vec![tag];
            match body.len() {
                length @ 0..=127 => out.push(u8::try_from(length).unwrap()),
                length => out.extend([0x82, u8::try_from(length >> 8).unwrap(), (length & 0xff) as u8]),
            }
            out.extend(body);
            out
        };
        let mut modulus = vec![0u8];
        modulus.extend(std::iter::repeat_n(0xc3, bits / 8));
        let key = tlv(0x30, &[tlv(0x02, &modulus), tlv(0x02, &[1, 0, 1])].concat());
        let algorithm =
            tlv(0x30, &[tlv(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]), tlv(0x05, &[])].concat());
        let spki = tlv(0x30, &[algorithm, tlv(0x03, &[vec![0], key].concat())].concat());
        format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(spki))
    }

    fn judge(lines: &[&str], declared: &[&str], ranked: &[&str]) -> (&'static str, Vec<String>) {
        let answers = answers(lines);
        let selectors = Selectors {
            declared: declared.iter().map(|s| (*s).to_owned()).collect(),
            seen: BTreeMap::new(),
            implied: Vec::new(),
            ranked: ranked.iter().map(|s| (*s).to_owned()).collect(),
        };
        let audit = audit(&name("c.example"), &selectors, &mut Reader::new(&answers));
        (audit.verdict.as_str(), codes(&audit.notes))
    }

    #[test]
    fn a_selector_without_an_answer_is_not_one_without_a_key() {
        let answers = answers(&[
            "_domainkey.c.example TXT !none",
            "s1._domainkey.c.example TXT !fail",
            "s2._domainkey.c.example TXT !nx",
        ]);
        let declared = ["s1", "s2"].map(str::to_owned).to_vec();
        let selectors = Selectors { declared, seen: BTreeMap::new(), implied: Vec::new(), ranked: Vec::new() };
        let audit = audit(&name("c.example"), &selectors, &mut Reader::new(&answers));
        assert_eq!(audit.unanswered, BTreeSet::from(["s1".to_owned()]));
        assert!(audit.selectors.is_empty());
    }

    #[test]
    fn a_selector_that_signed_is_asked_for_and_an_old_one_is_no_fault() {
        let lines = [
            "_domainkey.c.example TXT !none",
            "s1._domainkey.c.example TXT v=DKIM1; p=",
            &format!("s2._domainkey.c.example TXT {}", rsa_record(2048)),
            "old._domainkey.c.example TXT !nx",
            "guess._domainkey.c.example TXT !nx",
        ];
        let answers = answers(&lines);
        let by = |from: &[Learned]| from.iter().copied().collect::<BTreeSet<_>>();
        let selectors = Selectors {
            declared: Vec::new(),
            seen: BTreeMap::from([
                ("S1".to_owned(), by(&[Learned::Reports])),
                ("s2".to_owned(), by(&[Learned::Reports, Learned::Signatures])),
                ("old".to_owned(), by(&[Learned::Signatures])),
            ]),
            implied: vec!["s2".to_owned(), "guess".to_owned()],
            ranked: Vec::new(),
        };
        let found = audit(&name("c.example"), &selectors, &mut Reader::new(&answers));
        assert_eq!((found.verdict, found.selectors), (DkimVerdict::Ok, vec!["s1".to_owned(), "s2".to_owned()]));
        assert_eq!(codes(&found.notes), ["dkim.revoked"], "nobody said that it is in use now");
        assert_eq!(found.learned["s2"], by(&[Learned::Reports, Learned::Signatures, Learned::Vendor]));
        assert_eq!(found.learned.keys().collect::<Vec<_>>(), ["old", "s1", "s2"], "a wrong guess is not told");
    }

    fn one(text: &str) -> (&'static str, Vec<String>) {
        judge(&["_domainkey.c.example TXT !none", &format!("s1._domainkey.c.example TXT {text}")], &[], &["s1"])
    }

    #[test]
    fn the_size_of_a_key_is_read_from_the_key() {
        assert_eq!(parse(&rsa_record(2048)).unwrap().key, Key::Rsa { bits: 2048 });
        assert_eq!(one(&rsa_record(2048)).0, "ok");
        assert_eq!(one(&rsa_record(1024)), ("weak", vec!["dkim.key_1024".to_owned()]));
        assert_eq!(one(&rsa_record(512)), ("broken", vec!["dkim.key_too_short".to_owned()]));
        assert_eq!(one(&rsa_record(1024).replace("k=rsa; ", "")).0, "weak", "rsa is the default");
    }

    #[test]
    fn a_key_split_over_strings_and_spaces_is_one_key() {
        let text = rsa_record(2048);
        let (left, right) = text.split_at(250);
        assert_eq!(one(&format!("{left} | {right}")).0, "ok");
    }

    #[test]
    fn what_receivers_cannot_use_is_broken() {
        for (text, code) in [
            ("v=DKIM1; k=rsa; p=!!!", "dkim.bad_key"),
            ("v=DKIM1; k=rsa; p=AAAA", "dkim.bad_key"),
            ("v=DKIM1; k=ed25519; p=AAAA", "dkim.bad_key"),
            ("v=DKIM1; k=dsa; p=AAAA", "dkim.bad_key"),
            ("v=DKIM1; k=rsa", "dkim.bad_key"),
            ("k=rsa; v=DKIM1; p=AAAA", "dkim.bad_key"),
            ("v=DKIM1; p=AAAA; p=AAAA", "dkim.bad_key"),
            ("v=DKIM1; P=AAAA", "dkim.bad_key"),
        ] {
            let (verdict, codes) = one(text);
            assert_eq!((verdict, codes.as_slice()), ("broken", [code.to_owned()].as_slice()), "{text}");
        }
        assert_eq!(one(&format!("{}; h=sha1", rsa_record(2048))).1, ["dkim.sha1_only"]);
        assert_eq!(one(&format!("{}; s=tlsrpt", rsa_record(2048))).1, ["dkim.service_type"]);
        assert_eq!(one(&format!("{}; t=y", rsa_record(2048))).0, "testing");
        assert_eq!(one(&format!("{}; h=sha1:sha256; s=email; t=s", rsa_record(2048))).0, "ok");
    }

    #[test]
    fn an_ed25519_key_of_32_bytes_is_fine() {
        assert_eq!(one(&format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode([7; 32]))).0, "ok");
    }

    #[test]
    fn a_wildcard_finds_nothing() {
        let wild = format!("{}._domainkey.c.example TXT v=DKIM1; p=", improbable_label(&name("c.example")));
        let lines = ["_domainkey.c.example TXT !none", "s1._domainkey.c.example TXT v=DKIM1; p=", &wild];
        assert_eq!(judge(&lines, &[], &["s1"]), ("unknown", vec!["dkim.no_selector_found".to_owned()]));
    }

    #[test]
    fn absence_is_claimed_only_where_it_is_proven() {
        let wild = format!("{}._domainkey.c.example TXT !nx", improbable_label(&name("c.example")));
        assert_eq!(judge(&["_domainkey.c.example TXT !nx"], &[], &["s1"]).0, "absent");
        let lines = ["_domainkey.c.example TXT !none", "s1._domainkey.c.example TXT !nx", &wild];
        assert_eq!(judge(&lines, &[], &["s1"]).0, "unknown");
        assert_eq!(judge(&["_domainkey.c.example TXT !fail"], &[], &["s1"]).0, "error");
    }

    #[test]
    fn revoked_counts_only_where_there_is_nothing_else() {
        assert_eq!(one("v=DKIM1; p=").0, "revoked");
        let strong = format!("s2._domainkey.c.example TXT {}", rsa_record(2048));
        let lines = ["_domainkey.c.example TXT !none", "s1._domainkey.c.example TXT v=DKIM1; p=", &strong];
        assert_eq!(judge(&lines, &[], &["s1", "s2"]).0, "ok");
        assert!(judge(&lines, &["s1"], &[]).1.contains(&"dkim.revoked_active".to_owned()));
    }

    #[test]
    fn an_alias_to_nowhere_is_told() {
        let lines = [
            "_domainkey.c.example TXT !none",
            "s1._domainkey.c.example TXT !none",
            "s1._domainkey.c.example TXT -> s1.vendor.example",
        ];
        assert!(judge(&lines, &[], &["s1"]).1.contains(&"dkim.dangling_cname".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text: String, bytes: Vec<u8>) {
            let _ = parse(&text);
            let _ = parse(&format!("v=DKIM1; p={}", STANDARD.encode(bytes)));
        }
    }
}
