//! Derives from the answers of a service what it does beside choosing versions and suites: compression,
//! renegotiation, tickets, signatures, and what showed inside the one whole handshake.
//!
//! Pure, and the one place where these answers become statements. What was not offered to a service was
//! not refused by it.

use std::collections::BTreeSet;

use super::cipher_suites::{self, KeyExchange, Suite};
use super::plain_offer::offers_starttls_again;
use super::server_hello::{ServerHello, extension, read_server_hello};
use super::signature_schemes;
use super::tls_picture::{ClassPicture, Support, TlsPicture, Version, style_of};
use crate::evidence::endpoint::{Beside, EndpointAnswer, Handshake, Hello, HelloReply};

/// A yes or no about a service, as far as its answers tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The question does not arise, since the versions it is about are refused.
    DoesNotArise,
    No,
    Unknown,
    Yes,
}

impl Told {
    /// The word in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DoesNotArise => "not-applicable",
            Self::No => "no",
            Self::Unknown => "unknown",
            Self::Yes => "yes",
        }
    }

    const fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// What is never tried, in words for whoever reads a result.
pub const NEVER_TRIED: &str = "Heartbleed (CVE-2014-0160), CCS injection (CVE-2014-0224) and ROBOT (CVE-2017-13099)";

/// What a service does beside versions and suites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsTraits {
    /// Compresses where it is offered (RFC 9325 §3.3: it should not).
    pub compression: Told,
    /// Shortens MACs where it is offered (RFC 9325 §4.6: it must not).
    pub truncated_hmac: Told,
    /// Binds keys to the handshake in TLS 1.2 and older (RFC 7627).
    pub extended_master_secret: Told,
    /// Ties renegotiations to the connection (RFC 5746); nothing is ever renegotiated to see it.
    pub secure_renegotiation: Told,
    /// Gives session tickets.
    pub session_tickets: Told,
    /// Refuses a second try with an older version (RFC 7507).
    pub fallback_refused: Told,
    /// Lets clients send data before the handshake is done (RFC 8446 §2.3).
    pub early_data: Told,
    /// Asks for a client certificate.
    pub asks_client_certificate: Told,
    /// Offers STARTTLS inside TLS, be it once more or where TLS began at once.
    pub starttls_inside: Told,
    /// Sends a stapled OCSP response.
    pub staple: Told,
    /// Agrees on keys over P-256 or X25519, which every client has (RFC 9325 §4.2.1).
    pub common_group: Told,
    /// CBC suites agreed on without encrypt-then-MAC (RFC 7366), although it was offered.
    pub cbc_without_encrypt_then_mac: ClassPicture,
    /// Signature schemes with MD5 or SHA-1 that TLS 1.2 key exchanges are signed with.
    pub weak_signatures: ClassPicture,
}

/// Derives the traits of one address; `picture` is what was derived from the same answer.
pub fn traits(answer: &EndpointAnswer, picture: &TlsPicture) -> TlsTraits {
    let chosen: Vec<(&Hello, ServerHello)> = answer.hellos.iter().filter_map(chosen).collect();
    let seen = Seen { answer, picture, chosen };
    TlsTraits {
        compression: seen.agreed(Beside::Compression, |hello| hello.compression != 0),
        truncated_hmac: seen
            .agreed(Beside::TruncatedHmac, |hello| hello.extensions.contains(&extension::TRUNCATED_HMAC)),
        extended_master_secret: seen.always(Version::Tls1_0, Beside::ExtendedMasterSecret, |hello| {
            hello.extensions.contains(&extension::EXTENDED_MASTER_SECRET)
        }),
        secure_renegotiation: seen.always(Version::Ssl3, Beside::RenegotiationInfo, |hello| {
            hello.extensions.contains(&extension::RENEGOTIATION_INFO)
        }),
        session_tickets: seen.session_tickets(),
        fallback_refused: seen.fallback_refused(),
        early_data: seen.early_data(),
        asks_client_certificate: seen.asks_client_certificate(),
        starttls_inside: seen.starttls_inside(),
        staple: answer.inside.as_ref().map_or(Told::Unknown, |inside| Told::from(inside.staple.is_some())),
        common_group: seen.common_group(),
        cbc_without_encrypt_then_mac: seen.cbc_without_encrypt_then_mac(),
        weak_signatures: seen.weak_signatures(),
    }
}

/// A hello that a ServerHello of SSL 3.0 or later came for, with a suite that it offered.
fn chosen(hello: &Hello) -> Option<(&Hello, ServerHello)> {
    match &hello.reply {
        HelloReply::ServerHello { bytes } if hello.version != Version::Ssl2.wire() => {
            let read = read_server_hello(&bytes.0)?;
            hello.suites.contains(&read.suite).then_some((hello, read))
        }
        HelloReply::ServerHello { .. }
        | HelloReply::Alert { .. }
        | HelloReply::Closed
        | HelloReply::Garbage { .. }
        | HelloReply::Reset
        | HelloReply::TimedOut => None,
    }
}

struct Seen<'a> {
    answer: &'a EndpointAnswer,
    picture: &'a TlsPicture,
    chosen: Vec<(&'a Hello, ServerHello)>,
}

impl Seen<'_> {
    fn support(&self, version: Version) -> Support {
        self.picture.version(version).support
    }

    /// Answers of versions from `oldest` up to TLS 1.2 to hellos that offered something.
    fn offered(&self, oldest: Version, what: Beside) -> impl Iterator<Item = &ServerHello> {
        let until = Version::Tls1_2.wire();
        let fits = move |hello: &ServerHello| (oldest.wire()..=until).contains(&hello.version);
        self.chosen.iter().filter(move |(hello, read)| hello.beside.contains(&what) && fits(read)).map(|(_, read)| read)
    }

    /// What stands where no answer tells: the question does not arise where the versions are refused.
    fn nothing(&self, oldest: Version) -> Told {
        let mut versions = Version::ALL.into_iter().filter(|&version| version >= oldest && version < Version::Tls1_3);
        if versions.all(|version| self.support(version) == Support::Refused) {
            Told::DoesNotArise
        } else {
            Told::Unknown
        }
    }

    /// Yes where it was agreed to once.
    fn agreed(&self, what: Beside, is_there: impl Fn(&ServerHello) -> bool) -> Told {
        let mut answers = self.offered(Version::Ssl3, what).peekable();
        if answers.peek().is_none() {
            return self.nothing(Version::Ssl3);
        }
        Told::from(answers.any(is_there))
    }

    /// Yes where it was agreed to each time.
    fn always(&self, oldest: Version, what: Beside, is_there: impl Fn(&ServerHello) -> bool) -> Told {
        let mut answers = self.offered(oldest, what).peekable();
        if answers.peek().is_none() {
            return self.nothing(oldest);
        }
        Told::from(answers.all(is_there))
    }

    fn session_tickets(&self) -> Told {
        let in_clear =
            self.agreed(Beside::SessionTicket, |hello| hello.extensions.contains(&extension::SESSION_TICKET));
        let inside = self.answer.inside.as_ref().and_then(|inside| match inside.tickets {
            true => Some(true),
            // One that was on its way when the connection was left is not seen.
            false => inside.had_its_turn.then_some(false),
        });
        match (in_clear, inside) {
            (Told::Yes, _) | (_, Some(true)) => Told::Yes,
            (Told::No | Told::DoesNotArise, Some(false)) => Told::No,
            (Told::No, None) if self.support(Version::Tls1_3) == Support::Refused => Told::No,
            (Told::No | Told::DoesNotArise, None) | (Told::Unknown, _) => Told::Unknown,
        }
    }

    fn fallback_refused(&self) -> Told {
        let tries = self.answer.hellos.iter().filter(|hello| hello.beside.contains(&Beside::FallbackScsv));
        let style = style_of(&self.answer.hellos);
        let answers: BTreeSet<Option<bool>> = tries
            .map(|hello| match &hello.reply {
                // inappropriate_fallback
                HelloReply::Alert { description: 86, .. } => Some(true),
                HelloReply::ServerHello { .. } => Some(false),
                // Who always refuses so, and accepts the same suites without that word.
                HelloReply::Closed | HelloReply::Reset if style == Some(&hello.reply) => Some(true),
                HelloReply::Alert { .. }
                | HelloReply::Closed
                | HelloReply::Garbage { .. }
                | HelloReply::Reset
                | HelloReply::TimedOut => None,
            })
            .collect();
        if let Some(refused) = answers.iter().flatten().next() {
            return Told::from(*refused);
        }
        let spoken = Version::ALL.into_iter().filter(|&version| version >= Version::Tls1_0);
        let supports: Vec<Support> = spoken.map(|version| self.support(version)).collect();
        let accepted = supports.iter().filter(|&&support| support == Support::Accepted).count();
        if accepted < 2 && !supports.contains(&Support::Unknown) { Told::DoesNotArise } else { Told::Unknown }
    }

    fn early_data(&self) -> Told {
        let tls13 = Version::Tls1_3.wire();
        match (&self.answer.handshake, &self.answer.inside) {
            (Some(Handshake::Completed { version, .. }), Some(inside))
                if *version == tls13 && (inside.had_its_turn || inside.early_data > 0) =>
            {
                Told::from(inside.early_data > 0)
            }
            _ if self.support(Version::Tls1_3) == Support::Refused => Told::DoesNotArise,
            _ => Told::Unknown,
        }
    }

    fn asks_client_certificate(&self) -> Told {
        let inside = self.answer.inside.as_ref().map(|inside| inside.asks_certificate);
        let asked = self.answer.hellos.iter().any(|hello| hello.asks_certificate);
        match inside {
            Some(true) => Told::Yes,
            Some(false) | None if asked => Told::Yes,
            Some(false) => Told::No,
            // Flights of TLS 1.2 and older are read to their end.
            None if self.offered(Version::Tls1_0, Beside::RenegotiationInfo).next().is_some()
                && self.support(Version::Tls1_3) == Support::Refused =>
            {
                Told::No
            }
            None => Told::Unknown,
        }
    }

    fn starttls_inside(&self) -> Told {
        let Some(inside) = &self.answer.inside else { return Told::Unknown };
        match &inside.capabilities {
            Some(said) => offers_starttls_again(&self.answer.starttls, &said.0).map_or(Told::Unknown, Told::from),
            // A service that had its turn without being asked for capabilities has none.
            None if inside.had_its_turn => Told::DoesNotArise,
            None => Told::Unknown,
        }
    }

    fn common_group(&self) -> Told {
        let has_curves = |version: Version| {
            let known = self.picture.version(version);
            let on_curve = |&code: &u16| {
                cipher_suites::by_code(code).is_some_and(|suite| {
                    matches!(suite.key_exchange(), KeyExchange::Ecdhe | KeyExchange::AnonymousEcdh | KeyExchange::Tls13)
                })
            };
            known.accepted.iter().any(on_curve)
        };
        let versions = [Version::Tls1_0, Version::Tls1_1, Version::Tls1_2, Version::Tls1_3];
        if versions
            .iter()
            .any(|&version| COMMON.iter().any(|group| self.picture.version(version).groups.contains(group)))
        {
            return Told::Yes;
        }
        // A hello with accepted suites that is refused is refused for its groups.
        let refused = |version: Version| {
            let accepted = &self.picture.version(version).accepted;
            self.answer.hellos.iter().any(|hello| {
                hello.version == version.wire()
                    && hello.signatures.is_empty()
                    && !hello.beside.contains(&Beside::FallbackScsv)
                    && matches!(hello.reply, HelloReply::Alert { description: 40 | 71, .. })
                    && hello.suites.iter().any(|code| accepted.contains(code))
                    && COMMON.iter().all(|group| hello.groups.contains(group))
            })
        };
        let mut curved = versions.into_iter().filter(|&version| has_curves(version)).peekable();
        if curved.peek().is_none() {
            let settled = versions.iter().all(|&version| {
                let known = self.picture.version(version);
                known.support == Support::Refused || known.exhaustive
            });
            return if settled { Told::DoesNotArise } else { Told::Unknown };
        }
        if curved.all(refused) { Told::No } else { Told::Unknown }
    }

    fn cbc_without_encrypt_then_mac(&self) -> ClassPicture {
        let is_cbc = |suite: Suite| suite.name.contains("_CBC_");
        let without = self
            .offered(Version::Tls1_0, Beside::EncryptThenMac)
            .filter(|hello| !hello.extensions.contains(&extension::ENCRYPT_THEN_MAC))
            .filter_map(|hello| cipher_suites::by_code(hello.suite))
            .filter(|&suite| is_cbc(suite))
            .map(|suite| suite.name.to_owned());
        let accepted: BTreeSet<String> = without.collect();
        let offered: BTreeSet<u16> =
            self.offered(Version::Tls1_0, Beside::EncryptThenMac).map(|hello| hello.suite).collect();
        let class = self.picture.class(is_cbc);
        // Suites of SSL 3.0 alone cannot have it, and count with SSL 3.0.
        let all_offered = class.accepted.iter().all(|name| {
            let code = cipher_suites::all().find(|suite| suite.name == name).map(|suite| suite.code);
            code.is_some_and(|code| offered.contains(&code) || self.only_in_ssl3(code))
        });
        ClassPicture { accepted: accepted.into_iter().collect(), settled: class.settled && all_offered }
    }

    fn only_in_ssl3(&self, code: u16) -> bool {
        let newer = [Version::Tls1_0, Version::Tls1_1, Version::Tls1_2];
        !newer.iter().any(|&version| self.picture.version(version).accepted.contains(&code))
    }

    fn weak_signatures(&self) -> ClassPicture {
        let known = self.picture.version(Version::Tls1_2);
        let weak = known.signatures.iter().filter(|&&scheme| signature_schemes::is_weak(scheme));
        let signs = self.picture.class(|suite| matches!(suite.key_exchange(), KeyExchange::Dhe | KeyExchange::Ecdhe));
        // Only schemes that fit a key that the service has are worth a question.
        let kinds: BTreeSet<&str> = known
            .accepted
            .iter()
            .filter_map(|&code| cipher_suites::by_code(code))
            .map(|suite| suite.family().1)
            .filter(|kind| !kind.is_empty())
            .collect();
        let told = |scheme: &u16| known.signatures.contains(scheme) || known.refused_signatures.contains(scheme);
        let fits = |scheme: &&u16| kinds.iter().any(|kind| signature_schemes::is_for(**scheme, kind));
        let all_asked = signs.settled && signature_schemes::WEAK.iter().filter(fits).all(told);
        ClassPicture {
            accepted: weak.map(|&scheme| signature_schemes::name_of(scheme)).collect(),
            settled: all_asked || known.support == Support::Refused,
        }
    }
}

/// x25519 and secp256r1.
const COMMON: [u16; 2] = [0x001d, 0x0017];

#[cfg(test)]
#[path = "tls_traits_tests.rs"]
mod tests;
