//! Derives the TLS picture of a service from the hellos sent to it and their replies: which
//! versions, suites and groups it accepts, which it refuses, and which stay unknown.
//!
//! Pure, and the one place where replies become statements, so that facts and the probe's output
//! cannot differ. Only a clear refusal refuses: silence, resets and strange alerts leave the
//! question open.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::cipher_suites::{self, KeyExchange, NOBODY_HAS, SSL2_KINDS, Suite};
use super::server_hello::{
    KeyExchangeParameters, ServerHello, Ssl2Progress, read_key_exchange, read_server_hello, read_signature_scheme,
    read_ssl2_hello,
};
use super::tls_groups;
use crate::evidence::endpoint::{Beside, EndpointAnswer, Handshake, Hello, HelloReply};
use crate::evidence::hex;

/// A protocol version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    Ssl2,
    Ssl3,
    Tls1_0,
    Tls1_1,
    Tls1_2,
    Tls1_3,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 6] = [Self::Ssl2, Self::Ssl3, Self::Tls1_0, Self::Tls1_1, Self::Tls1_2, Self::Tls1_3];

    /// As on the wire.
    pub const fn wire(self) -> u16 {
        match self {
            Self::Ssl2 => 0x0002,
            Self::Ssl3 => 0x0300,
            Self::Tls1_0 => 0x0301,
            Self::Tls1_1 => 0x0302,
            Self::Tls1_2 => 0x0303,
            Self::Tls1_3 => 0x0304,
        }
    }

    /// The version with a number on the wire.
    pub fn from_wire(wire: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.wire() == wire)
    }

    /// The name in output: `TLSv1.2`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ssl2 => "SSLv2",
            Self::Ssl3 => "SSLv3",
            Self::Tls1_0 => "TLSv1.0",
            Self::Tls1_1 => "TLSv1.1",
            Self::Tls1_2 => "TLSv1.2",
            Self::Tls1_3 => "TLSv1.3",
        }
    }

    /// The suites that could be agreed on in this version, by code point.
    pub fn candidates(self) -> impl Iterator<Item = Suite> {
        cipher_suites::all().filter(move |suite| suite.fits(self.wire()))
    }
}

/// What a service does with a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    Accepted,
    Refused,
    Unknown,
}

/// Whose order of suites decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Client,
    Server,
    Unknown,
}

/// Diffie-Hellman parameters a service uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhParameters {
    pub bits: u32,
    /// Of the prime's bytes without leading zeros, in hex.
    pub prime_sha256: String,
    /// The name of a published group with this prime.
    pub known_as: Option<&'static str>,
}

/// What is known of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionPicture {
    pub support: Support,
    /// Suites agreed on, by code point.
    pub accepted: BTreeSet<u16>,
    /// Suites clearly refused.
    pub refused: BTreeSet<u16>,
    /// Cipher kinds of SSL 2.0 that both sides have.
    pub ssl2_kinds: Vec<u32>,
    /// Whether every registered suite of this version is accepted or clearly refused.
    pub exhaustive: bool,
    /// Groups that key exchange was made in.
    pub groups: BTreeSet<u16>,
    pub order: Order,
    /// The smallest parameters seen.
    pub dh: Option<DhParameters>,
    /// Signature schemes with which the service signed its key exchange.
    pub signatures: BTreeSet<u16>,
    /// Signature schemes clearly refused.
    pub refused_signatures: BTreeSet<u16>,
}

/// What is known of a service's TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsPicture {
    /// Every version is here.
    pub versions: BTreeMap<Version, VersionPicture>,
}

/// The accepted suites of a class, and whether the rest of the class is clearly refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassPicture {
    /// Registered names, sorted, each once.
    pub accepted: Vec<String>,
    /// True when no other suite of the class can be accepted in any version.
    pub settled: bool,
}

/// Derives the picture from everything asked of one address.
pub fn picture(answer: &EndpointAnswer) -> TlsPicture {
    let style = style_of(&answer.hellos);
    let replies: Vec<Read<'_>> = answer.hellos.iter().map(|hello| Read::new(hello, style)).collect();
    let versions = Version::ALL
        .into_iter()
        .map(|version| {
            let of_version = match version {
                Version::Ssl2 => ssl2(&answer.hellos),
                Version::Ssl3 | Version::Tls1_0 | Version::Tls1_1 | Version::Tls1_2 | Version::Tls1_3 => {
                    one_version(version, &replies, answer.handshake.as_ref())
                }
            };
            (version, of_version)
        })
        .collect();
    TlsPicture { versions }
}

/// How a service refuses, learned from the hello that offers a suite nobody has.
pub fn style_of(hellos: &[Hello]) -> Option<&HelloReply> {
    hellos.iter().find(|hello| hello.suites == [NOBODY_HAS]).map(|hello| &hello.reply)
}

/// Whether a reply clearly refuses everything its hello offered. Alerts that say so do. Where one family
/// of suites was offered, so does a fatal internal_error (what a service says that chose a suite its own
/// policy forbids), and whatever the service always refuses with, a close or a reset included. Over
/// several families these settle nothing: some services choose a suite they have no parameters for.
pub fn is_refusal(hello: &Hello, style: Option<&HelloReply>) -> bool {
    // handshake_failure, protocol_version, insufficient_security (RFC 8446 §6.2).
    if matches!(hello.reply, HelloReply::Alert { description: 40 | 70 | 71, .. }) {
        return true;
    }
    if !one_family(&hello.suites) {
        return false;
    }
    // internal_error, and no_certificate of SSL 3.0.
    if matches!(hello.reply, HelloReply::Alert { level: 2, description: 80 | 41 }) {
        return true;
    }
    match (&hello.reply, style) {
        (HelloReply::Closed, Some(HelloReply::Closed)) | (HelloReply::Reset, Some(HelloReply::Reset)) => true,
        (HelloReply::Alert { description, .. }, Some(HelloReply::Alert { description: usual, .. })) => {
            description == usual
        }
        _ => false,
    }
}

/// Whether all suites stand or fall together.
pub fn one_family(suites: &[u16]) -> bool {
    let mut families = suites.iter().filter_map(|&code| cipher_suites::by_code(code)).map(Suite::family);
    families.next().is_none_or(|first| families.all(|family| family == first))
}

/// A hello with its reply read.
struct Read<'a> {
    hello: &'a Hello,
    chosen: Option<ServerHello>,
    refused: bool,
}

impl<'a> Read<'a> {
    fn new(hello: &'a Hello, style: Option<&HelloReply>) -> Self {
        let chosen = match &hello.reply {
            HelloReply::ServerHello { bytes } if hello.version != Version::Ssl2.wire() => read_server_hello(&bytes.0),
            HelloReply::ServerHello { .. }
            | HelloReply::Alert { .. }
            | HelloReply::Closed
            | HelloReply::Garbage { .. }
            | HelloReply::Reset
            | HelloReply::TimedOut => None,
        };
        Self { hello, chosen, refused: is_refusal(hello, style) }
    }

    /// The suite agreed on in `version`, if it was offered at all.
    fn chosen_in(&self, version: Version) -> Option<&ServerHello> {
        self.chosen
            .as_ref()
            .filter(|chosen| chosen.version == version.wire() && self.hello.suites.contains(&chosen.suite))
    }
}

fn one_version(version: Version, replies: &[Read<'_>], handshake: Option<&Handshake>) -> VersionPicture {
    let wire = version.wire();
    let mut accepted = BTreeSet::new();
    let mut refused = BTreeSet::new();
    let mut groups = BTreeSet::new();
    let mut dh: Option<DhParameters> = None;
    let (mut signatures, mut refused_signatures) = (BTreeSet::new(), BTreeSet::new());
    let mut rejected = false;
    for reply in replies {
        if let Some(chosen) = reply.chosen_in(version) {
            accepted.insert(chosen.suite);
            groups.extend(chosen.group);
            signatures.extend(signature_of(version, chosen.suite, reply.hello));
            match key_exchange_of(chosen.suite, reply.hello) {
                Some(KeyExchangeParameters::Ecdh { group }) => {
                    groups.insert(group);
                }
                Some(KeyExchangeParameters::Dh { prime }) => {
                    let found = dh_parameters(&prime);
                    if dh.as_ref().is_none_or(|smallest| found.bits < smallest.bits) {
                        dh = Some(found);
                    }
                }
                None => {}
            }
        } else if reply.hello.version == wire && reply.hello.suites != [NOBODY_HAS] {
            // Everything else in such a hello was accepted before: whatever fatal alert comes is for these.
            let fatal = matches!(reply.hello.reply, HelloReply::Alert { level: 2, .. });
            if reply.refused || fatal {
                refused_signatures.extend(reply.hello.signatures.iter().copied());
            }
            if reply.refused {
                // A hello cut to some groups or signatures refuses suites only together with those, and
                // a second try with an older version may be refused for being one.
                let whole = reply.hello.groups.len() >= few_groups(version) && reply.hello.signatures.is_empty();
                if whole && !reply.hello.beside.contains(&Beside::FallbackScsv) {
                    refused.extend(reply.hello.suites.iter().copied());
                }
            }
            let older = reply.chosen.as_ref().is_some_and(|chosen| chosen.version < wire);
            let protocol_version = matches!(reply.hello.reply, HelloReply::Alert { description: 70, .. });
            rejected |= older || protocol_version;
        }
    }
    if let Some(Handshake::Completed { version: agreed, suite, group, .. }) = handshake
        && *agreed == wire
    {
        accepted.insert(*suite);
        groups.extend(*group);
    }
    refused.retain(|code| !accepted.contains(code));
    refused_signatures.retain(|scheme| !signatures.contains(scheme));
    let settled = |suite: Suite| accepted.contains(&suite.code) || refused.contains(&suite.code);
    let support = if !accepted.is_empty() {
        Support::Accepted
    } else if rejected || version.candidates().filter(|suite| suite.is_common()).all(settled) {
        Support::Refused
    } else {
        Support::Unknown
    };
    let exhaustive = support == Support::Refused || version.candidates().all(settled);
    let order = order_of(version, replies, &accepted);
    VersionPicture {
        support,
        accepted,
        refused,
        ssl2_kinds: Vec::new(),
        exhaustive,
        groups,
        order,
        dh,
        signatures,
        refused_signatures,
    }
}

/// A hello with fewer groups than this was sent to learn about groups. SSL has no way to offer any.
const fn few_groups(version: Version) -> usize {
    match version {
        Version::Ssl2 | Version::Ssl3 => 0,
        Version::Tls1_0 | Version::Tls1_1 | Version::Tls1_2 => tls_groups::TLS12.len(),
        Version::Tls1_3 => tls_groups::TLS13.len(),
    }
}

fn key_exchange_of(suite: u16, hello: &Hello) -> Option<KeyExchangeParameters> {
    read_key_exchange(&hello.key_exchange.as_ref()?.0, is_finite_field(suite)?)
}

fn signature_of(version: Version, suite: u16, hello: &Hello) -> Option<u16> {
    // Older versions do not name it, and TLS 1.3 hides it.
    (version == Version::Tls1_2).then_some(())?;
    read_signature_scheme(&hello.key_exchange.as_ref()?.0, is_finite_field(suite)?)
}

/// Whether the key exchange is of a finite field, or of a curve; `None` where it is neither.
fn is_finite_field(suite: u16) -> Option<bool> {
    match cipher_suites::by_code(suite)?.key_exchange() {
        KeyExchange::Dhe | KeyExchange::AnonymousDh => Some(true),
        KeyExchange::Ecdhe | KeyExchange::AnonymousEcdh => Some(false),
        // An export RSA key is no group, and the others carry hints or passwords.
        KeyExchange::Other | KeyExchange::Rsa | KeyExchange::StaticDh | KeyExchange::Tls13 => None,
    }
}

/// The server decides where it once passed over an accepted suite that stood earlier. The client
/// decides where two suites were each chosen over the other, by the order they stood in.
fn order_of(version: Version, replies: &[Read<'_>], accepted: &BTreeSet<u16>) -> Order {
    let mut preferred: BTreeSet<(u16, u16)> = BTreeSet::new();
    for reply in replies {
        let Some(chosen) = reply.chosen_in(version) else { continue };
        let offered: Vec<u16> = reply.hello.suites.iter().copied().filter(|code| accepted.contains(code)).collect();
        if reply.hello.groups.len() < few_groups(version) || !reply.hello.signatures.is_empty() {
            continue;
        }
        if offered.first() != Some(&chosen.suite) {
            return Order::Server;
        }
        preferred.extend(offered.iter().filter(|&&other| other != chosen.suite).map(|&other| (chosen.suite, other)));
    }
    if preferred.iter().any(|&(one, other)| preferred.contains(&(other, one))) { Order::Client } else { Order::Unknown }
}

fn ssl2(hellos: &[Hello]) -> VersionPicture {
    let mut kinds = Vec::new();
    let mut support = Support::Unknown;
    // There is no alert for this version: closing is how it is refused, by anybody who answers
    // hellos of other versions.
    let speaks =
        hellos.iter().any(|hello| matches!(hello.reply, HelloReply::Alert { .. } | HelloReply::ServerHello { .. }));
    for hello in hellos.iter().filter(|hello| hello.version == Version::Ssl2.wire()) {
        match &hello.reply {
            HelloReply::ServerHello { bytes } => {
                if let Ssl2Progress::Read(read) = read_ssl2_hello(&bytes.0) {
                    support = Support::Accepted;
                    kinds = read.kinds;
                }
            }
            HelloReply::Alert { .. } => support = Support::Refused,
            HelloReply::Closed | HelloReply::Reset if speaks => support = Support::Refused,
            HelloReply::Closed | HelloReply::Reset | HelloReply::Garbage { .. } | HelloReply::TimedOut => {}
        }
    }
    kinds.sort_unstable();
    kinds.dedup();
    VersionPicture {
        support,
        accepted: BTreeSet::new(),
        refused: BTreeSet::new(),
        ssl2_kinds: kinds,
        exhaustive: support != Support::Unknown,
        groups: BTreeSet::new(),
        order: Order::Unknown,
        dh: None,
        signatures: BTreeSet::new(),
        refused_signatures: BTreeSet::new(),
    }
}

impl VersionPicture {
    /// The registered names of the accepted suites, by code point.
    pub fn suite_names(&self) -> Vec<String> {
        let ssl2 = self.ssl2_kinds.iter().map(|&kind| {
            let known = SSL2_KINDS.iter().find(|(code, _)| *code == kind);
            known.map_or_else(|| format!("0x{kind:06X}"), |(_, name)| (*name).to_owned())
        });
        ssl2.chain(self.accepted.iter().map(|&code| cipher_suites::name_of(code))).collect()
    }
}

impl TlsPicture {
    /// What is known of one version.
    pub fn version(&self, version: Version) -> &VersionPicture {
        self.versions.get(&version).expect("the picture holds every version")
    }

    /// Whether anything was agreed on.
    pub fn any_accepted(&self) -> bool {
        self.versions.values().any(|version| version.support == Support::Accepted)
    }

    /// The accepted suites of a class over all versions from SSL 3.0 on. Suites that need keys
    /// agreed elsewhere count where they were accepted, and are not waited for.
    pub fn class(&self, is_member: impl Fn(Suite) -> bool) -> ClassPicture {
        let mut accepted = BTreeSet::new();
        let mut settled = true;
        for (&version, known) in &self.versions {
            if version == Version::Ssl2 {
                continue;
            }
            let members = || version.candidates().filter(|&suite| is_member(suite));
            accepted.extend(
                members().filter(|suite| known.accepted.contains(&suite.code)).map(|suite| suite.name.to_owned()),
            );
            settled &= match known.support {
                Support::Refused => true,
                Support::Unknown => members().next().is_none(),
                Support::Accepted => members()
                    .filter(|suite| suite.is_common())
                    .all(|suite| known.accepted.contains(&suite.code) || known.refused.contains(&suite.code)),
            };
        }
        ClassPicture { accepted: accepted.into_iter().collect(), settled }
    }
}

fn dh_parameters(prime: &[u8]) -> DhParameters {
    let leading = prime.first().map_or(0, |byte| byte.leading_zeros());
    let bits = u32::try_from(prime.len() * 8).unwrap_or(u32::MAX).saturating_sub(leading);
    let prime_sha256 = hex(&Sha256::digest(prime));
    let known_as = KNOWN_PRIMES.iter().find(|(hash, _)| *hash == prime_sha256).map(|&(_, name)| name);
    DhParameters { bits, prime_sha256, known_as }
}

/// SHA-256 of published primes, computed from their definitions: RFC 2409 §6 and RFC 3526 (MODP), RFC 5114
/// §2, RFC 7919 appendix A.
const KNOWN_PRIMES: [(&str, &str); 16] = [
    ("b52ba6a3026520a6c49d37e4587601801bee500123b3259b6bf03e7cecc3e63d", "modp768 (RFC 2409)"),
    ("3f35a3f5f6c4376a744acad409bb22f8d897f949d2311d885adaa890981b67a0", "modp1024 (RFC 2409)"),
    ("64fcc83ec403930bf18393dbc883ccaa1fbb08ac876f77f7aa99748ca945019b", "modp1536 (RFC 3526)"),
    ("d66436f79bbd6b2e38c0ffbd079be904d2641415e2e67140e09448be9a60890e", "modp2048 (RFC 3526)"),
    ("48cf8b092fbce4359d9871abf74f98e25b6163379eaa15cd9087e800c6d1c55c", "modp3072 (RFC 3526)"),
    ("4ee95187682bcb230ad26a95205f6920e84708f6251b3894329b09ec23919e33", "modp4096 (RFC 3526)"),
    ("d1bfe6d0925ce7e4da262b62861514a7755e35831e429f343e7b864848657efd", "modp6144 (RFC 3526)"),
    ("39ab4feab950a3128fb71accb9fc3965d857012e081998a85996e3ea8b3c3bcf", "modp8192 (RFC 3526)"),
    ("44c55cfee5c075927cf682da5b681bdecbd5c3eb0784c14f5dce7610f0ef133d", "dh_1024_160 (RFC 5114)"),
    ("bfe545862ca102ad1eeddb5fbfa5bf855ac4995c56a8b408ce3fe099dce93a9d", "dh_2048_224 (RFC 5114)"),
    ("0b7835722cb619827610c2549fdda5587421686c4409a13865e76225522ddcc9", "dh_2048_256 (RFC 5114)"),
    ("9cd3b7f336872f46c09428d1bbc19877a4d440512cda8d1c1cf0cd6e33698966", "ffdhe2048 (RFC 7919)"),
    ("0eaf67db3a839156d5013494a5318a772b5697d270d721f37f092efc69ea5a17", "ffdhe3072 (RFC 7919)"),
    ("4648414224ac881b3d0dc59b466f96d06a558278776807797ecf1f66ff397b3e", "ffdhe4096 (RFC 7919)"),
    ("227ac9066b3ddd9e193670cda2388fa884f65ba0cf98b742d1fe77a6687c79c7", "ffdhe6144 (RFC 7919)"),
    ("770b14efaf6f049929c523113b3fa99a8d11dab1b18af3609590122075d19833", "ffdhe8192 (RFC 7919)"),
];

#[cfg(test)]
#[path = "tls_picture_tests.rs"]
mod tests;
