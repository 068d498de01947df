//! The words a reader may not know, in one sentence each.

use serde::Serialize;

/// A word and what it means here.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Term {
    pub term: &'static str,
    pub meaning: &'static str,
}

/// In alphabetical order.
pub const GLOSSARY: &[Term] = &[
    Term {
        term: "Addressable",
        meaning: "A specification to implement, or to replace by something as good with a written reason (45 CFR 164.306(d)(3)).",
    },
    Term {
        term: "Business associate agreement",
        meaning: "The contract with a vendor that handles health information for the organization.",
    },
    Term { term: "DANE, TLSA", meaning: "A way to publish in signed DNS which certificate a mail host has." },
    Term { term: "DKIM", meaning: "A signature on each message that shows which domain sent it." },
    Term {
        term: "DMARC",
        meaning: "What receivers are told to do with mail that forges a domain: nothing, quarantine, reject.",
    },
    Term { term: "DNSSEC", meaning: "Signatures on DNS answers." },
    Term { term: "ePHI", meaning: "Protected health information in electronic form (45 CFR 160.103)." },
    Term {
        term: "Fingerprint",
        meaning: "A short code for one check and one subject; the same finding has the same code next time.",
    },
    Term { term: "MFA", meaning: "Signing in with something besides a password." },
    Term {
        term: "MTA-STS",
        meaning: "A policy that tells senders to deliver only over an encrypted and verified connection.",
    },
    Term { term: "Residual risk", meaning: "The risk that is left with the measures in place." },
    Term { term: "SHA-256", meaning: "A checksum: if one byte of a file changes, it changes." },
    Term { term: "SPF", meaning: "The list of hosts that may send mail for a domain." },
    Term { term: "STARTTLS", meaning: "The command by which two mail servers turn to an encrypted connection." },
    Term { term: "TLS", meaning: "The encryption used between mail servers, and between browser and web site." },
    Term { term: "Vantage point", meaning: "The place in the network from which questions were asked." },
];
