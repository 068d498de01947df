//! The rule as data: paragraphs of the Security Rule, and the Privacy and Breach Notification
//! paragraphs that e-mail touches.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::paths::distance;
use crate::yaml::{self, Located};

/// Every paragraph, by id: `164.312(e)(2)(ii)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framework {
    /// Where the texts were taken from, and when.
    pub meta: Meta,
    paragraphs: BTreeMap<String, Paragraph>,
}

/// How the data was made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    pub title: String,
    /// The day the data was compiled.
    pub compiled: jiff::civil::Date,
    /// Which text of the rule this is.
    pub status: String,
    pub paraphrase_note: String,
    pub sources: Vec<String>,
    pub counts: Counts,
}

/// How many there are, so that a lost row is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    pub standards: usize,
    pub required_specs: usize,
    pub addressable_specs: usize,
}

/// One paragraph.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paragraph {
    pub id: String,
    pub title: String,
    pub category: Category,
    pub kind: ParagraphKind,
    /// How well the text is known. What is known from memory is never printed as fact.
    pub verified: Verified,
    /// Whether it binds, for standards and specifications of the Security Rule.
    #[serde(default)]
    pub obligation: Option<Obligation>,
    /// Our own words, not the regulation's.
    pub paraphrase: String,
    /// The standard a specification belongs to.
    #[serde(default)]
    pub parent: Option<String>,
    #[serde(default)]
    pub sp800_66r2_standard: Option<String>,
    #[serde(default)]
    pub sp800_66r2_key_activities: Vec<String>,
    /// Outcomes of the NIST Cybersecurity Framework 2.0.
    #[serde(default)]
    pub csf2: Vec<String>,
    /// Essential Goals of the healthcare cybersecurity performance goals.
    #[serde(default)]
    pub hph_cpg_essential: Vec<String>,
    /// `direct`, `indirect`, `scope` or `none`.
    #[serde(default)]
    pub email_relevance: Option<String>,
    /// What the paragraph means for mail, for the paragraphs outside the Security Rule.
    #[serde(default)]
    pub email_use: Option<String>,
    /// `probe`, `ingest`, `content`, `attest`.
    pub evidence_modes: Vec<String>,
    #[serde(default)]
    pub note: Option<String>,
}

/// The part of the rules a paragraph belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    Administrative,
    Breach,
    /// Policies, procedures and documentation (45 CFR 164.316).
    Documentation,
    General,
    Organizational,
    Other,
    Physical,
    Privacy,
    Technical,
}

impl Category {
    /// True for paragraphs about what people decide and write down (45 CFR 164.308, 164.310,
    /// 164.314, 164.316): no measurement of a system can directly support them.
    pub const fn needs_documents(self) -> bool {
        match self {
            Self::Administrative | Self::Documentation | Self::Organizational | Self::Physical => true,
            Self::Breach | Self::General | Self::Other | Self::Privacy | Self::Technical => false,
        }
    }

    /// The word for people.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Administrative => "administrative",
            Self::Breach => "breach notification",
            Self::Documentation => "documentation",
            Self::General => "general",
            Self::Organizational => "organizational",
            Self::Other => "other",
            Self::Physical => "physical",
            Self::Privacy => "privacy",
            Self::Technical => "technical",
        }
    }
}

/// What kind of paragraph it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParagraphKind {
    /// Cited from outside the Security Rule.
    Cite,
    /// A general provision.
    Rule,
    /// An implementation specification.
    Spec,
    Standard,
}

/// Whether a paragraph must be implemented as it stands (45 CFR 164.306(d)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obligation {
    /// Assessed, and implemented or documented why not (45 CFR 164.306(d)(3)).
    Addressable,
    Required,
    Rule,
    Standard,
}

/// How well a row is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verified {
    /// General knowledge: never printed as fact.
    Memory,
    /// The regulation's text was read.
    Read,
    /// Somebody else's account of it was read.
    Secondary,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    meta: Meta,
    security_rule: Vec<Paragraph>,
    privacy_and_breach: Vec<Paragraph>,
}

impl Framework {
    /// Reads the data.
    pub(super) fn read(file: &Path, text: &str) -> Result<Self, Located> {
        let written: Written = yaml::read(file, text)?;
        let refuse = |what: String| Located::at(file, text, 0, 0, what, "");
        let mut paragraphs = BTreeMap::new();
        for paragraph in written.security_rule.into_iter().chain(written.privacy_and_breach) {
            let id = paragraph.id.clone();
            if paragraphs.insert(id.clone(), paragraph).is_some() {
                return Err(refuse(format!("paragraph {id} is there twice")));
            }
        }
        let framework = Self { meta: written.meta, paragraphs };
        let count = |kind: ParagraphKind, obligation: Option<Obligation>| {
            let fits = |p: &&Paragraph| p.kind == kind && (obligation.is_none() || p.obligation == obligation);
            framework.all().filter(fits).count()
        };
        let found = Counts {
            standards: count(ParagraphKind::Standard, None),
            required_specs: count(ParagraphKind::Spec, Some(Obligation::Required)),
            addressable_specs: count(ParagraphKind::Spec, Some(Obligation::Addressable)),
        };
        if found != framework.meta.counts {
            return Err(refuse(format!("{found:?} were found, {:?} are stated", framework.meta.counts)));
        }
        Ok(framework)
    }

    /// The paragraph with this id.
    pub fn get(&self, id: &str) -> Option<&Paragraph> {
        self.paragraphs.get(id)
    }

    /// Every paragraph, by id.
    pub fn all(&self) -> impl Iterator<Item = &Paragraph> {
        self.paragraphs.values()
    }

    /// The id most like `wanted`, for error messages.
    pub fn nearest(&self, wanted: &str) -> &str {
        self.paragraphs.keys().min_by_key(|id| distance(id, wanted)).map_or("", String::as_str)
    }
}
