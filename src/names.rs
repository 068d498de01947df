//! Names that were validated once and are proof from then on: domain names and subjects.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A DNS name in lower-case A-labels without the final dot (RFC 1035 §2.3, RFC 5890).
///
/// Underscore labels are allowed, since `_dmarc.clinic.example` is a name like any other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainName(String);

/// Why a text is no domain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a domain name: {why}")]
pub struct NotADomainName {
    /// The text, shortened and with control characters escaped.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl DomainName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name with the final dot, so that no resolver's search list applies to it.
    pub fn fully_qualified(&self) -> String {
        format!("{}.", self.0)
    }

    /// The name one label up, or `None` at the top.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_once('.').map(|(_, rest)| Self(rest.to_owned()))
    }

    /// Puts `label` (which may hold dots) in front.
    pub fn child(&self, label: &str) -> Result<Self, NotADomainName> {
        format!("{label}.{}", self.0).parse()
    }

    /// True for `other` itself and every name below it; never for a mere text suffix.
    pub fn is_at_or_below(&self, other: &Self) -> bool {
        self.0 == other.0 || self.0.strip_suffix(&other.0).is_some_and(|rest| rest.ends_with('.'))
    }
}

impl FromStr for DomainName {
    type Err = NotADomainName;

    fn from_str(text: &str) -> Result<Self, NotADomainName> {
        let refuse = |why| NotADomainName { text: text.chars().take(80).flat_map(char::escape_debug).collect(), why };
        let trimmed = text.strip_suffix('.').unwrap_or(text);
        if trimmed.is_empty() {
            return Err(refuse("it is empty"));
        }
        let name = if trimmed.is_ascii() {
            trimmed.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(trimmed).map_err(|_| refuse("it cannot be written in A-labels (RFC 5890)"))?
        };
        if name.len() > 253 {
            return Err(refuse("it is longer than 253 bytes"));
        }
        for label in name.split('.') {
            if label.is_empty() {
                return Err(refuse("it has an empty label"));
            }
            if label.len() > 63 {
                return Err(refuse("a label is longer than 63 bytes"));
            }
            if !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
                return Err(refuse("only letters, digits, `-` and `_` may stand in a label"));
            }
        }
        Ok(Self(name))
    }
}

impl TryFrom<String> for DomainName {
    type Error = NotADomainName;

    fn try_from(text: String) -> Result<Self, NotADomainName> {
        text.parse()
    }
}

impl From<DomainName> for String {
    fn from(name: DomainName) -> Self {
        name.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of thing a check judges. The text form is the first word of every fact path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    Attestation,
    ContentFolder,
    Domain,
    Endpoint,
    ExportFile,
    ForwardingPath,
    ForwardingRule,
    Mailbox,
    Organization,
    Partner,
    Register,
    Tenant,
    Vendor,
}

impl SubjectKind {
    /// Whether people state what is known of such a subject: the questionnaire, registers, and what
    /// the scope says of the organization and its vendors. A measurement that also leans on the
    /// scope (who is a partner, what is ours, how long mail is kept) stays a measurement.
    pub const fn is_stated(self) -> bool {
        match self {
            Self::Attestation | Self::Organization | Self::Register | Self::Vendor => true,
            Self::ContentFolder
            | Self::Domain
            | Self::Endpoint
            | Self::ExportFile
            | Self::ForwardingPath
            | Self::ForwardingRule
            | Self::Mailbox
            | Self::Partner
            | Self::Tenant => false,
        }
    }

    /// Every kind, in the order of the enum.
    pub const ALL: [Self; 13] = [
        Self::Attestation,
        Self::ContentFolder,
        Self::Domain,
        Self::Endpoint,
        Self::ExportFile,
        Self::ForwardingPath,
        Self::ForwardingRule,
        Self::Mailbox,
        Self::Organization,
        Self::Partner,
        Self::Register,
        Self::Tenant,
        Self::Vendor,
    ];

    /// The word used in fact paths, evidence and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attestation => "attestation",
            Self::ContentFolder => "content_folder",
            Self::Domain => "domain",
            Self::Endpoint => "endpoint",
            Self::ExportFile => "export_file",
            Self::ForwardingPath => "forwarding_path",
            Self::ForwardingRule => "forwarding_rule",
            Self::Mailbox => "mailbox",
            Self::Organization => "organization",
            Self::Partner => "partner",
            Self::Register => "register",
            Self::Tenant => "tenant",
            Self::Vendor => "vendor",
        }
    }

    /// The word for people: "mail folder", "forwarding rule".
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Attestation => "attestation",
            Self::ContentFolder => "mail folder",
            Self::Domain => "domain",
            Self::Endpoint => "service",
            Self::ExportFile => "export file",
            Self::ForwardingPath => "forwarding path",
            Self::ForwardingRule => "forwarding rule",
            Self::Mailbox => "mailbox",
            Self::Organization => "organization",
            Self::Partner => "partner domain",
            Self::Register => "register",
            Self::Tenant => "tenant",
            Self::Vendor => "vendor",
        }
    }
}

impl fmt::Display for SubjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is judged. The name is canonical: lower case, no address where a name exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubjectId {
    pub kind: SubjectKind,
    pub name: String,
}

impl SubjectId {
    /// Names a subject.
    pub fn new(kind: SubjectKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.in_words(), self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_suffix_is_not_a_parent_domain() {
        let clinic: DomainName = "clinic.example".parse().unwrap();
        let forged: DomainName = "evilclinic.example".parse().unwrap();
        let below: DomainName = "Mail.Clinic.Example.".parse().unwrap();
        assert!(!forged.is_at_or_below(&clinic));
        assert!(below.is_at_or_below(&clinic));
        assert_eq!(below.as_str(), "mail.clinic.example");
    }

    #[test]
    fn names_that_dns_cannot_hold_are_refused() {
        for text in ["", ".", "a..b", "a b.example", "ex\u{7}.example", &"a".repeat(64), &"a.".repeat(200)] {
            assert!(text.parse::<DomainName>().is_err(), "{text:?}");
        }
        let long = "a.".repeat(123);
        assert!(
            format!("{long}example").parse::<DomainName>().is_ok()
                && format!("{long}an-example").parse::<DomainName>().is_err()
        );
        assert_eq!("bücher.example".parse::<DomainName>().unwrap().as_str(), "xn--bcher-kva.example");
    }
}
