//! What the deliveries to the lab show about the sender's TLS.
//!
//! Pure. A server that nobody came to shows nothing, and a visitor who is not known to carry the
//! test messages counts for nothing: a port that faces the internet has strangers at it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Serialize;

use super::{Attempt, Behaviour, Seen, TlsState};

/// How the sender uses TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sender {
    /// No mail without TLS; who holds the other end is not checked.
    Enforced,
    /// No mail without TLS and a certificate that verifies.
    EnforcedAndVerified,
    /// In clear even where good TLS is offered.
    Never,
    /// TLS where it works, clear where it does not: an attacker on the way decides.
    Opportunistic,
    /// The test does not show it.
    Undetermined,
}

impl Sender {
    /// What it means, for people.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Enforced => "enforced, but certificates are not verified",
            Self::EnforcedAndVerified => "enforced, and certificates are verified",
            Self::Never => "not used",
            Self::Opportunistic => "only hoped for: mail goes in clear where TLS does not work",
            Self::Undetermined => "not determined",
        }
    }
}

/// Whether a published policy kept the sender from delivering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regard {
    Honoured,
    Ignored,
    /// Nothing was delivered, which other reasons explain as well; or nobody came.
    NotShown,
}

impl Regard {
    /// What it means, for people.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Honoured => "honoured",
            Self::Ignored => "ignored",
            Self::NotShown => "not shown by this test",
        }
    }
}

/// The sum of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conclusion {
    pub outgoing_tls: Sender,
    pub dane: Regard,
    pub mta_sts: Regard,
    /// A TLS 1.0 server was taken up on its offer, or refused because of the version; `None` where
    /// neither was seen.
    pub takes_tls_1_0: Option<bool>,
    /// One sentence for each server.
    pub because: Vec<String>,
}

/// What became of the message for one server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    InClear,
    NobodyCame,
    OverTls,
    /// The sender came and left without delivering.
    Withheld,
}

/// Draws the conclusion.
pub fn conclude(servers: &[Seen]) -> Conclusion {
    let known = Known::of(servers);
    let outcomes: Vec<(&Seen, Outcome)> = servers.iter().map(|server| (server, known.outcome(server))).collect();
    let at =
        |behaves: Behaviour| outcomes.iter().filter(move |(server, _)| server.behaves == behaves).map(|(_, is)| *is);
    let any = |behaves, outcome| at(behaves).any(|is| is == outcome);
    let plain = || at(Behaviour::Stripped).chain(at(Behaviour::WithoutStarttls));
    let outgoing_tls = if any(Behaviour::Trusted, Outcome::InClear) {
        Sender::Never
    } else if outcomes.iter().any(|(_, is)| *is == Outcome::InClear) {
        Sender::Opportunistic
    } else if plain().any(|is| is == Outcome::Withheld) && any(Behaviour::Expired, Outcome::OverTls) {
        Sender::Enforced
    } else if plain().any(|is| is == Outcome::Withheld)
        && any(Behaviour::Expired, Outcome::Withheld)
        && any(Behaviour::Trusted, Outcome::OverTls)
    {
        Sender::EnforcedAndVerified
    } else {
        Sender::Undetermined
    };
    let lax = |outcome: &Outcome| any(Behaviour::Expired, *outcome);
    let regard = |behaves| {
        if any(behaves, Outcome::InClear) || any(behaves, Outcome::OverTls) {
            Regard::Ignored
        } else if any(behaves, Outcome::Withheld) && [Outcome::InClear, Outcome::OverTls].iter().any(lax) {
            // Without the policy this sender would have delivered to a certificate like this one.
            Regard::Honoured
        } else {
            Regard::NotShown
        }
    };
    let old = || {
        servers.iter().filter(|server| server.behaves == Behaviour::Tls10Only).flat_map(|server| known.attempts(server))
    };
    let takes_tls_1_0 = if old().any(|attempt| attempt.tls == TlsState::Tls10Taken) {
        Some(true)
    } else if old().any(|attempt| attempt.tls == TlsState::Tls10Refused) {
        Some(false)
    } else {
        None
    };
    Conclusion {
        outgoing_tls,
        dane: regard(Behaviour::DaneMismatch),
        mta_sts: regard(Behaviour::MtaStsMismatch),
        takes_tls_1_0,
        because: outcomes.iter().map(|(server, is)| sentence(server, *is)).collect(),
    }
}

fn sentence(server: &Seen, outcome: Outcome) -> String {
    let (name, what) = (&server.name, server.behaves.in_words());
    match outcome {
        Outcome::InClear => format!("{name} ({what}): the message came in clear"),
        Outcome::NobodyCame if server.attempts_left_out > 0 => format!(
            "{name} ({what}): no known sender is among the first {} visits; {} more were not kept",
            server.attempts.len(),
            server.attempts_left_out
        ),
        Outcome::NobodyCame => format!("{name} ({what}): no known sender came; was the message sent?"),
        Outcome::OverTls => format!("{name} ({what}): the message came over TLS"),
        Outcome::Withheld => format!("{name} ({what}): the sender came and did not deliver"),
    }
}

/// Those who delivered a message somewhere.
struct Known<'s> {
    addresses: BTreeSet<IpAddr>,
    greetings: BTreeSet<&'s str>,
}

impl<'s> Known<'s> {
    fn of(servers: &'s [Seen]) -> Self {
        let delivered =
            || servers.iter().flat_map(|server| &server.attempts).filter(|attempt| attempt.delivered.is_some());
        Self {
            addresses: delivered().map(|attempt| attempt.from).collect(),
            greetings: delivered().filter_map(|attempt| attempt.greeting.as_deref()).collect(),
        }
    }

    fn attempts(&self, server: &'s Seen) -> impl Iterator<Item = &'s Attempt> {
        server.attempts.iter().filter(|attempt| {
            self.addresses.contains(&attempt.from)
                || attempt.greeting.as_deref().is_some_and(|greeting| self.greetings.contains(greeting))
        })
    }

    fn outcome(&self, server: &'s Seen) -> Outcome {
        let mut deliveries = server.attempts.iter().filter_map(|attempt| attempt.delivered.as_ref()).peekable();
        if deliveries.peek().is_none() {
            return if self.attempts(server).next().is_some() { Outcome::Withheld } else { Outcome::NobodyCame };
        }
        if deliveries.all(|delivery| delivery.over_tls) { Outcome::OverTls } else { Outcome::InClear }
    }
}
