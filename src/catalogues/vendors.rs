//! The catalogue of mail vendors (`checks/vendors.yaml`) and of common DKIM selectors, and how a
//! name in DNS is recognised.
//!
//! It says who a vendor is, never whether an agreement with it is in place.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::yaml::{self, Located};

const VENDORS: &str = include_str!("../../checks/vendors.yaml");
const SELECTORS: &str = include_str!("../../checks/dkim-selectors.yaml");

/// How well a row is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowEvidence {
    /// Its source was read on its date.
    Read,
    /// Commonly documented, not read again; never shown as fact.
    Recalled,
}

/// What was publicly stated about business associate agreements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgreementStatement {
    Conditional,
    Disputed,
    No,
    Unknown,
    Yes,
}

/// What a vendor is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VendorKind {
    Archive,
    /// Manages SPF, DKIM or DMARC records, or reads reports; mail does not pass it.
    AuthService,
    BusinessApp,
    Crm,
    Encryption,
    Gateway,
    Healthcare,
    Helpdesk,
    HostingMail,
    Mailbox,
    Marketing,
    PhishingTraining,
    Transactional,
}

/// One row of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueVendor {
    pub id: String,
    pub name: String,
    pub kind: VendorKind,
    #[serde(default)]
    pub mx_suffix: Vec<String>,
    #[serde(default)]
    pub spf_include: Vec<String>,
    #[serde(default)]
    pub dkim_cname_suffix: Vec<String>,
    #[serde(default)]
    pub selectors: Vec<String>,
    #[serde(default)]
    pub autodiscover_cname: Vec<String>,
    #[serde(default)]
    pub txt_verification: Vec<String>,
    #[serde(default)]
    pub report_domain: Vec<String>,
    pub baa: AgreementStatement,
    pub baa_note: Option<String>,
    pub baa_source: Option<String>,
    pub source: String,
    pub date: Date,
    pub evidence: RowEvidence,
}

impl CatalogueVendor {
    /// What may be said about agreements with this vendor: never that one is in place, and only
    /// what the vendor itself stated where that was read.
    pub fn agreement_words(&self) -> String {
        const CONFIRM: &str = "confirm a signed agreement with the vendor";
        let offers = match self.baa {
            AgreementStatement::Yes => "one is offered",
            AgreementStatement::Conditional => "one is offered under conditions",
            AgreementStatement::Disputed | AgreementStatement::No | AgreementStatement::Unknown => {
                return CONFIRM.to_owned();
            }
        };
        match (&self.baa_source, self.evidence) {
            (Some(source), RowEvidence::Read) if source.ends_with("(read)") && !source.contains("third party") => {
                format!("{CONFIRM}; as of {} {offers}, says {source}", self.date).replace(" (read)", "")
            }
            (Some(_) | None, RowEvidence::Read | RowEvidence::Recalled) => CONFIRM.to_owned(),
        }
    }
}

/// Where a vendor was seen. The words are those of the fact `vendor.seen_in`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    Autodiscover,
    Dkim,
    Mx,
    Reports,
    Spf,
    Verification,
}

impl Place {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Autodiscover => "autodiscover",
            Self::Dkim => "dkim",
            Self::Mx => "mx",
            Self::Reports => "reports",
            Self::Spf => "spf",
            Self::Verification => "verification",
        }
    }

    /// Whether being seen there means that mail content passes the vendor. Report addresses and
    /// ownership tokens never do.
    pub const fn carries_mail(self, kind: VendorKind) -> bool {
        match self {
            Self::Mx | Self::Autodiscover => true,
            Self::Spf | Self::Dkim => !matches!(kind, VendorKind::AuthService),
            Self::Reports | Self::Verification => false,
        }
    }
}

/// The catalogue, ready to be asked.
#[derive(Clone, Debug)]
pub struct VendorCatalogue {
    vendors: BTreeMap<String, CatalogueVendor>,
    /// Patterns by place and their last two labels.
    names: NamePatterns,
    /// Beginnings of verification tokens.
    tokens: Vec<Row>,
    /// DKIM selectors tried where the organization names none, most used first.
    pub common_selectors: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VendorFile {
    vendors: Vec<CatalogueVendor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SelectorFile {
    common: Vec<String>,
    #[expect(dead_code, reason = "kept in the file for people who look further")]
    rare: Vec<String>,
}

impl VendorCatalogue {
    /// The catalogue that ships with the program.
    pub fn shipped() -> Self {
        Self::read(VENDORS, SELECTORS).expect("the shipped catalogue is read by a test")
    }

    fn read(vendors: &str, selectors: &str) -> Result<Self, Located> {
        let file: VendorFile = yaml::read(Path::new("checks/vendors.yaml"), vendors)?;
        let selectors: SelectorFile = yaml::read(Path::new("checks/dkim-selectors.yaml"), selectors)?;
        let vendors = file.vendors.into_iter().map(|vendor| (vendor.id.clone(), vendor)).collect();
        let (names, tokens) = index(&vendors);
        Ok(Self { vendors, names, tokens, common_selectors: selectors.common })
    }

    /// The vendor with this id.
    pub fn vendor(&self, id: &str) -> Option<&CatalogueVendor> {
        self.vendors.get(id)
    }

    /// Every vendor, by id.
    pub fn vendors(&self) -> impl Iterator<Item = &CatalogueVendor> {
        self.vendors.values()
    }

    /// Ids of the vendors that a name seen in some place belongs to.
    pub fn recognise(&self, place: Place, seen: &str) -> BTreeSet<&str> {
        let seen = seen.to_ascii_lowercase();
        let rows: &mut dyn Iterator<Item = &Row> = match place {
            Place::Verification => &mut self.tokens.iter().filter(|row| seen.starts_with(&row.pattern)),
            Place::Autodiscover | Place::Dkim | Place::Mx | Place::Reports | Place::Spf => {
                let exact = self.names.get(&(place, end_of(&seen).to_owned()));
                let any = self.names.get(&(place, String::new()));
                &mut exact.into_iter().chain(any).flatten().filter(|row| matches(&row.pattern, &seen))
            }
        };
        rows.map(|row| row.vendor.as_str()).collect()
    }
}

impl VendorCatalogue {
    /// The vendor whose own name is among those that mail passed for, signed or sent; `None` where no or
    /// several vendors are.
    pub fn sends_as<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Option<&CatalogueVendor> {
        let found: BTreeSet<&str> = names
            .into_iter()
            .flat_map(|name| [Place::Dkim, Place::Mx, Place::Spf].map(|place| self.recognise(place, name)))
            .flatten()
            .collect();
        let mut found = found.into_iter();
        let first = found.next()?;
        if found.next().is_some() { None } else { self.vendor(first) }
    }
}

/// One pattern of one vendor, in lower case.
#[derive(Clone, Debug)]
struct Row {
    pattern: String,
    vendor: String,
}

/// The last two labels of a name: patterns are looked up by them. Empty where a pattern leaves
/// them open.
fn end_of(name: &str) -> &str {
    let name = after_macros(name).trim_end_matches('.');
    let mut dots = name.rmatch_indices('.');
    let end = match (dots.next(), dots.next()) {
        (Some(_), Some((second, _))) => &name[second + 1..],
        (Some(_), None) => name,
        (None, _) => "",
    };
    if end.contains('*') { "" } else { end }
}

/// Patterns by place and their last two labels.
type NamePatterns = HashMap<(Place, String), Vec<Row>>;

fn index(vendors: &BTreeMap<String, CatalogueVendor>) -> (NamePatterns, Vec<Row>) {
    let mut names = NamePatterns::new();
    let mut tokens = Vec::new();
    for vendor in vendors.values() {
        let row = |pattern: &String| Row { pattern: pattern.to_ascii_lowercase(), vendor: vendor.id.clone() };
        for (place, patterns) in [
            (Place::Autodiscover, &vendor.autodiscover_cname),
            (Place::Dkim, &vendor.dkim_cname_suffix),
            (Place::Mx, &vendor.mx_suffix),
            (Place::Reports, &vendor.report_domain),
            (Place::Spf, &vendor.spf_include),
        ] {
            for pattern in patterns {
                let row = row(pattern);
                names.entry((place, end_of(&row.pattern).to_owned())).or_default().push(row);
            }
        }
        tokens.extend(vendor.txt_verification.iter().map(row));
    }
    (names, tokens)
}

/// True if `name` is the pattern or lies below it, label by label from the right.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (after_macros(pattern), after_macros(name));
    let mut wanted = pattern.rsplit('.').peekable();
    let mut labels = name.trim_end_matches('.').rsplit('.');
    if wanted.peek().is_none_or(|label| label.is_empty()) {
        return false;
    }
    wanted.all(|want| labels.next().is_some_and(|label| label_matches(want, label)))
}

/// What stands behind the last SPF macro: only that part of the name is fixed.
fn after_macros(text: &str) -> &str {
    text.rsplit_once('}').map_or(text, |(_, rest)| rest.trim_start_matches('.'))
}

/// `*` stands for any characters of the label.
fn label_matches(pattern: &str, label: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == label,
        Some((start, rest)) => label.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len()).filter(|at| tail.is_char_boundary(*at)).any(|at| label_matches(rest, &tail[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_catalogue_is_readable_and_every_row_is_sourced() {
        let catalogue = VendorCatalogue::read(VENDORS, SELECTORS).unwrap();
        assert!(catalogue.vendors().count() >= 100);
        for vendor in catalogue.vendors() {
            assert!(!vendor.source.is_empty(), "{}", vendor.id);
        }
        assert_eq!(catalogue.vendors().count(), VENDORS.matches("\n- id: ").count(), "ids are unique");
    }

    #[test]
    fn the_index_finds_what_comparing_every_pattern_finds() {
        let catalogue = VendorCatalogue::shipped();
        for vendor in catalogue.vendors() {
            for (place, patterns) in [
                (Place::Autodiscover, &vendor.autodiscover_cname),
                (Place::Dkim, &vendor.dkim_cname_suffix),
                (Place::Mx, &vendor.mx_suffix),
                (Place::Reports, &vendor.report_domain),
                (Place::Spf, &vendor.spf_include),
            ] {
                for pattern in patterns {
                    let name = format!("X.{}", after_macros(pattern).replace('*', "7"));
                    assert!(catalogue.recognise(place, &name).contains(vendor.id.as_str()), "{place:?} {name}");
                }
            }
        }
    }

    #[test]
    fn a_name_is_recognised_by_labels_and_not_by_letters() {
        let catalogue = VendorCatalogue::shipped();
        let mx = |name: &str| catalogue.recognise(Place::Mx, name).into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(mx("clinic-example.mail.protection.outlook.com"), ["microsoft365"]);
        assert!(mx("evilmail.protection.outlook.com").is_empty());
        assert!(mx("mail.protection.outlook.com.evil.example").is_empty());
        assert!(mx("").is_empty());
        assert!(catalogue.recognise(Place::Spf, "%{ir}.%{v}.%{d}.spf.has.pphosted.com").contains("proofpoint"));
        assert!(catalogue.recognise(Place::Spf, "spf-00148503.pphosted.com").contains("proofpoint"));
        assert!(catalogue.recognise(Place::Spf, "%{d}").is_empty());
        assert!(catalogue.recognise(Place::Verification, "MS=ms12345678").contains("microsoft365"));
    }

    #[test]
    fn a_sender_is_named_by_the_one_vendor_its_mail_passed_for() {
        let catalogue = VendorCatalogue::shipped();
        let name = |names: &[&str]| catalogue.sends_as(names.iter().copied()).map(|vendor| vendor.id.as_str());
        assert_eq!(name(&["clinic.example", "clinic.onmicrosoft.com"]), Some("microsoft365"));
        assert_eq!(name(&["clinic.example"]), None);
        assert_eq!(name(&["clinic.onmicrosoft.com", "u7.mailgun.org"]), None, "two are none");
        assert_eq!(name(&[]), None);
    }

    #[test]
    fn only_what_a_vendor_said_and_was_read_is_said_of_agreements() {
        let catalogue = VendorCatalogue::shipped();
        let words = |id: &str| catalogue.vendor(id).unwrap().agreement_words();
        assert_eq!(words("fastmail"), "confirm a signed agreement with the vendor");
        assert_eq!(words("microsoft365"), "confirm a signed agreement with the vendor");
        assert!(words("zoho-mail").contains("2026-11-21"));
        for vendor in catalogue.vendors() {
            assert!(vendor.agreement_words().starts_with("confirm a signed agreement"), "{}", vendor.id);
        }
    }

    #[test]
    fn reports_and_tokens_never_mean_that_mail_passes() {
        for place in [Place::Reports, Place::Verification] {
            assert!(!place.carries_mail(VendorKind::Mailbox));
        }
        assert!(Place::Mx.carries_mail(VendorKind::Gateway));
        assert!(!Place::Spf.carries_mail(VendorKind::AuthService));
    }
}
