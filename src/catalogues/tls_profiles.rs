//! Published TLS profiles, read once from `checks/tls-profiles.yaml`: which versions, suites and
//! groups each of them calls good, sufficient or to be ended.
//!
//! States what a document says; whether that matters to an organization is for checks.

use std::path::Path;
use std::sync::LazyLock;

use jiff::civil::Date;
use serde::Deserialize;

use crate::yaml::{self, Located};

const FILE: &str = "checks/tls-profiles.yaml";
const TEXT: &str = include_str!("../../checks/tls-profiles.yaml");

/// What a profile says of a version, suite or group, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Good,
    Sufficient,
    PhaseOut,
    /// Forbidden, or nowhere named.
    Outside,
}

impl Level {
    /// The word in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Sufficient => "sufficient",
            Self::PhaseOut => "phase-out",
            Self::Outside => "outside",
        }
    }
}

/// How sure we are of what the document says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    Read,
    /// Not read again; shown with that word, and no reason for a finding.
    Recalled,
    /// Read as somebody else states it.
    Secondary,
}

impl Basis {
    /// The word in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Recalled => "recalled",
            Self::Secondary => "secondary",
        }
    }
}

/// Patterns by level. `*` stands for any letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Patterns {
    #[serde(default)]
    outside: Vec<String>,
    #[serde(default)]
    good: Vec<String>,
    #[serde(default)]
    sufficient: Vec<String>,
    #[serde(default)]
    phase_out: Vec<String>,
}

impl Patterns {
    fn level(&self, name: &str) -> Level {
        let fits = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, name));
        if fits(&self.outside) {
            Level::Outside
        } else if fits(&self.good) {
            Level::Good
        } else if fits(&self.sufficient) {
            Level::Sufficient
        } else if fits(&self.phase_out) {
            Level::PhaseOut
        } else {
            Level::Outside
        }
    }

    #[cfg(test)]
    fn all(&self) -> impl Iterator<Item = &String> {
        [&self.outside, &self.good, &self.sufficient, &self.phase_out].into_iter().flatten()
    }
}

/// One published profile.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub id: String,
    pub name: String,
    /// `2019-08-29`, or as much of a date as the document itself carries: `2025-05`.
    pub published: String,
    /// When we looked at the source.
    pub read_on: Date,
    /// Where it is said.
    pub source: String,
    pub basis: Basis,
    versions: Patterns,
    suites: Patterns,
    groups: Patterns,
}

impl Profile {
    /// What it says of a version (`TLSv1.2`).
    pub fn version(&self, name: &str) -> Level {
        self.versions.level(name)
    }

    /// What it says of a suite, by its registered name.
    pub fn suite(&self, name: &str) -> Level {
        self.suites.level(name)
    }

    /// What it says of a key exchange group, by its registered name.
    pub fn group(&self, name: &str) -> Level {
        self.groups.level(name)
    }
}

/// All profiles.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsProfiles {
    /// When they were collected.
    pub date: Date,
    /// The id of the one that stands first in output.
    pub default: String,
    pub profiles: Vec<Profile>,
}

impl TlsProfiles {
    /// The profiles that are part of the program.
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<TlsProfiles> = LazyLock::new(|| {
            TlsProfiles::read(Path::new(FILE), TEXT).expect("the profiles are read by a test before they are shipped")
        });
        &SHIPPED
    }

    /// Reads profiles; `file` is only for the error message.
    pub fn read(file: &Path, text: &str) -> Result<Self, Located> {
        let stored: Self = yaml::read(file, text)?;
        if !stored.profiles.iter().any(|profile| profile.id == stored.default) {
            let why = format!("the default {} is no profile", stored.default);
            return Err(Located::at(file, text, 0, 0, why, "name one of the ids"));
        }
        if let Some(profile) = stored.profiles.iter().find(|profile| !is_date(&profile.published)) {
            let why = format!("{} was published on no date", profile.id);
            return Err(Located::at(file, text, 0, 0, why, "write 2019-08-29, 2025-05 or 2025"));
        }
        Ok(stored)
    }

    /// The profile with an id.
    pub fn by_id(&self, id: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.id == id)
    }

    /// The one that stands first in output.
    pub fn first(&self) -> &Profile {
        self.profiles.iter().find(|profile| profile.id == self.default).expect("checked when it was read")
    }
}

/// A date, or the beginning of one.
fn is_date(text: &str) -> bool {
    let whole = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    whole.parse::<Date>().is_ok()
}

/// Whether a name fits a pattern in which `*` stands for any letters, none included.
fn matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{cipher_suites, tls_groups};

    fn profile(id: &str) -> &'static Profile {
        TlsProfiles::shipped().profiles.iter().find(|profile| profile.id == id).unwrap()
    }

    #[test]
    fn every_pattern_names_something_of_the_registries() {
        let suites: Vec<&str> = cipher_suites::all().map(|suite| suite.name).collect();
        let groups: Vec<String> =
            tls_groups::TLS13.iter().chain(&tls_groups::TLS12).map(|&code| tls_groups::name_of(code)).collect();
        for profile in &TlsProfiles::shipped().profiles {
            for pattern in profile.suites.all() {
                assert!(suites.iter().any(|name| matches(pattern, name)), "{}: {pattern}", profile.id);
            }
            for pattern in profile.groups.all() {
                assert!(groups.iter().any(|name| matches(pattern, name)), "{}: {pattern}", profile.id);
            }
        }
    }

    #[test]
    fn no_profile_has_room_for_suites_without_encryption_or_authentication() {
        for profile in &TlsProfiles::shipped().profiles {
            for suite in cipher_suites::all().filter(|suite| suite.is_anonymous() || suite.is_broken()) {
                assert_eq!(profile.suite(suite.name), Level::Outside, "{}: {}", profile.id, suite.name);
            }
            assert_eq!(profile.version("TLSv1.1"), Level::Outside);
            assert_eq!(profile.version("TLSv1.3"), Level::Good);
        }
    }

    #[test]
    fn profiles_differ_where_their_documents_do() {
        let chacha = "TLS_CHACHA20_POLY1305_SHA256";
        assert_eq!(profile("nist-800-52r2").suite(chacha), Level::Outside);
        assert_eq!(profile("ncsc-nl-2025").suite(chacha), Level::Good);
        let dhe = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256";
        assert_eq!(profile("rfc9325").suite(dhe), Level::PhaseOut);
        assert_eq!(profile("mozilla-6.0").suite(dhe), Level::Outside);
        assert_eq!(profile("rfc9325").suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"), Level::Good);
        assert_eq!(profile("ncsc-nl-2025").suite("TLS_AES_128_GCM_SHA256"), Level::Sufficient);
        assert_eq!(profile("mozilla-5.8").group("X25519MLKEM768"), Level::Good);
        assert_eq!(TlsProfiles::shipped().first().id, "nist-800-52r2");
        let cbc = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA";
        assert_eq!(profile("nist-800-52r2").suite(cbc), Level::Sufficient);
        assert_eq!(profile("ncsc-nl-2025").suite(cbc), Level::Outside);
        assert_eq!(profile("ncsc-nl-2025").suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"), Level::PhaseOut);
        assert_eq!(profile("ncsc-nl-2025").group("brainpoolP256r1"), Level::Good);
        assert!(is_date("2025-05") && is_date("2025") && !is_date("2025-13") && !is_date("soon"));
    }

    #[test]
    fn stars_stand_for_any_letters() {
        assert!(matches("TLS_*_GCM_*", "TLS_RSA_WITH_AES_128_GCM_SHA256"));
        assert!(matches("TLS_*CCM", "TLS_RSA_WITH_AES_128_CCM") && !matches("TLS_*CCM", "TLS_RSA_WITH_AES_128_CCM_8"));
        assert!(matches("x25519", "x25519") && !matches("x25519", "x25519x"));
    }
}
