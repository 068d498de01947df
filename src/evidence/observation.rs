//! One question to the world, and what came back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::authentication::{AggregateReport, ReportMail, SigningSelectors};
use super::content::{ContentFile, ContentFolder, ContentSample, IncomingMail, RosterCounts};
use super::decisions::Decisions;
use super::declared::{AnswerRow, Declared, RegisterRows};
use super::endpoint::EndpointAnswer;
use super::export::{ExportFile, Record};
use super::network::{DnsAnswer, HttpsAnswer};
use super::tls_reports::TlsReport;
use crate::names::{SubjectId, SubjectKind};
use crate::seen::NotObserved;

/// Where an observation came from; with the subject kind it names the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The questionnaire's answers.
    Answers,
    /// What others report of mail, and what authenticated it: DMARC aggregate reports, TLS reports, the
    /// signatures of given mail.
    Authentication,
    /// Mail content, as counts.
    Content,
    /// The scope file.
    Declared,
    Dns,
    /// Tenant and mailbox exports, normalized.
    Export,
    Https,
    Register,
    /// Mail and web services: dialogue, TLS, certificates.
    Service,
}

impl Source {
    /// The word in segment names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Authentication => "authentication",
            Self::Content => "content",
            Self::Declared => "declared",
            Self::Dns => "dns",
            Self::Export => "export",
            Self::Https => "https",
            Self::Register => "register",
            Self::Service => "service",
        }
    }
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Question {
    /// A DMARC aggregate report, or text that should be one.
    AggregateReport {
        label: String,
    },
    Answer {
        id: String,
    },
    ContentFile {
        label: String,
    },
    ContentFolder {
        label: String,
    },
    /// How many patients of the practice's own list mail speaks of.
    ContentRoster,
    /// What was examined where a sample stands for all mail.
    ContentSample,
    /// `decisions.yaml`, `exceptions.yaml` and `plan.yaml` of the client's folder.
    Decisions,
    Declared,
    /// A DNS query; `record_type` is the mnemonic, `TXT`.
    Dns {
        name: String,
        record_type: String,
    },
    /// A service at one address of a host.
    Endpoint {
        port: u16,
        starttls: String,
        /// The address asked; empty where the name gave none.
        #[serde(default)]
        address: String,
        /// What the service is for: `mail-exchange`, `submission`, …
        #[serde(default)]
        role: String,
        /// `us`, a vendor id, or `unknown`.
        #[serde(default)]
        operated_by: String,
    },
    ExportFile {
        label: String,
    },
    /// The DKIM selectors that an export names.
    ExportedSelectors {
        label: String,
    },
    /// One normalized record of an export.
    ExportRecord {
        label: String,
        row: u64,
    },
    Https {
        url: String,
    },
    /// How mail of a partner arrived.
    IncomingMail,
    Register {
        name: String,
    },
    /// A file or a mail that should hold reports, of whichever kind.
    ReportFile {
        label: String,
    },
    /// The DKIM signatures of given mail.
    Signatures {
        label: String,
    },
    /// A TLS report (RFC 8460), or text that should be one.
    TlsReport {
        label: String,
    },
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", content = "of", rename_all = "kebab-case")]
pub enum Answer {
    AggregateReport(Box<AggregateReport>),
    Answer(AnswerRow),
    ContentFile(Box<ContentFile>),
    ContentFolder(Box<ContentFolder>),
    ContentRoster(Box<RosterCounts>),
    ContentSample(Box<ContentSample>),
    Decisions(Box<Decisions>),
    Declared(Box<Declared>),
    Dns(DnsAnswer),
    Endpoint(Box<EndpointAnswer>),
    ExportFile(Box<ExportFile>),
    /// Sorted.
    ExportedSelectors(Vec<String>),
    Https(HttpsAnswer),
    IncomingMail(Box<IncomingMail>),
    Record(Record),
    Register(RegisterRows),
    ReportMail(ReportMail),
    Signatures(SigningSelectors),
    TlsReport(Box<TlsReport>),
}

/// One question to the world, and what came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    pub subject: SubjectId,
    pub source: Source,
    pub question: Question,
    pub asked_at: Timestamp,
    pub took_ms: u64,
    /// The label of the vantage point in the manifest.
    pub vantage: String,
    #[serde(with = "answer")]
    pub answer: Result<Answer, NotObserved>,
}

impl Observation {
    /// The segment it belongs to, without a running number.
    pub fn segment(&self) -> String {
        format!("{}.{}", self.source.as_str(), self.subject.kind)
    }

    /// The kind of thing observed.
    pub fn kind(&self) -> SubjectKind {
        self.subject.kind
    }
}

mod answer {
    use super::{Answer, Deserialize, Deserializer, NotObserved, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Stored<A, N> {
        Answer(A),
        NotObserved(N),
    }

    pub(super) fn serialize<S: Serializer>(value: &Result<Answer, NotObserved>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Ok(answer) => Stored::<&Answer, &NotObserved>::Answer(answer).serialize(to),
            Err(reason) => Stored::<&Answer, &NotObserved>::NotObserved(reason).serialize(to),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Result<Answer, NotObserved>, D::Error> {
        Ok(match Stored::<Answer, NotObserved>::deserialize(from)? {
            Stored::Answer(answer) => Ok(answer),
            Stored::NotObserved(reason) => Err(reason),
        })
    }
}

/// Bytes as they came over the wire. Stored as text where that loses nothing and shows nothing
/// hidden (`text:`), else as base64 (`base64:`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ReceivedBytes(pub Vec<u8>);

impl std::fmt::Debug for ReceivedBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.stored())
    }
}

impl ReceivedBytes {
    fn stored(&self) -> String {
        match std::str::from_utf8(&self.0) {
            Ok(text) if text.chars().all(|c| matches!(c, '\r' | '\n' | '\t') || !crate::text::is_unsafe(c)) => {
                format!("text:{text}")
            }
            _ => format!("base64:{}", STANDARD.encode(&self.0)),
        }
    }
}

impl From<&[u8]> for ReceivedBytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl Serialize for ReceivedBytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.stored())
    }
}

impl<'de> Deserialize<'de> for ReceivedBytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let stored = String::deserialize(from)?;
        if let Some(text) = stored.strip_prefix("text:") {
            return Ok(Self(text.as_bytes().to_vec()));
        }
        let coded =
            stored.strip_prefix("base64:").ok_or_else(|| serde::de::Error::custom("neither text: nor base64:"))?;
        STANDARD.decode(coded).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A large tenant has hundreds of thousands of them in memory.
    #[test]
    fn an_observation_is_small() {
        assert!(size_of::<Observation>() <= 360, "{} bytes", size_of::<Observation>());
        assert!(size_of::<Answer>() <= 160, "{} bytes", size_of::<Answer>());
    }

    use proptest::prelude::*;

    proptest! {
        #[test]
        fn received_bytes_survive_storage(bytes: Vec<u8>) {
            let stored = serde_json::to_string(&ReceivedBytes(bytes.clone())).unwrap();
            prop_assert_eq!(serde_json::from_str::<ReceivedBytes>(&stored).unwrap().0, bytes);
        }
    }

    #[test]
    fn hidden_characters_are_not_stored_as_text() {
        assert!(serde_json::to_string(&ReceivedBytes(b"\x1b[2J".to_vec())).unwrap().starts_with("\"base64:"));
        assert_eq!(serde_json::to_string(&ReceivedBytes(b"220 mx\r\n".to_vec())).unwrap(), r#""text:220 mx\r\n""#);
    }
}
