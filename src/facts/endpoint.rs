//! A mail or web service at one host and port: whether TLS is offered, and how good it is.

use std::collections::{BTreeMap, BTreeSet};

use hickory_proto::op::Message;
use hickory_proto::rr::RData;

use super::shape::{Fact, fact_group, subject};
use super::{Built, Collection, Context};
use crate::catalogues::tls_profiles::{Level, TlsProfiles};
use crate::evidence::endpoint::{EndpointAnswer, Handshake, NO_ROUTE, State};
use crate::evidence::{Answer, EvidenceId, Observation, Question, Source};
use crate::names::{DomainName, SubjectKind};
use crate::records::certificate;
use crate::records::cipher_suites::Suite;
use crate::records::plain_offer::sends_passwords_in_clear;
use crate::records::tls_picture::{ClassPicture, Support, TlsPicture, Version, picture};
use crate::records::tls_traits::{TlsTraits, Told, traits};
use crate::seen::{NotObserved, Seen};

fact_group! {
    /// The leaf certificate and its chain, the worst of those served.
    pub struct Certificate {
        /// Whole days until it expires at `as_of`; negative when it has.
        days_left: i64 = 0,
        /// `rsa`, `ec`, `ed25519`, `ed448`, `other`.
        key_type: String = "none".to_owned(),
        /// Key size in bits.
        key_bits: i64 = 0,
        /// The signature's hash: `sha512`, `sha384`, `sha256`, `sha224`, `sha1`, `md5`, `md2`, `unknown`.
        signature_hash: String = "none".to_owned(),
        /// Whether a chain to a trusted root was served, dates aside.
        trusted: bool = false,
        /// Whether a name in it matches the name the service is known by (RFC 9525).
        name_matches: bool = false,
        /// Whether it is signed by its own key.
        self_signed: bool = false,
        /// Whether its time has not begun at `as_of`.
        not_yet_valid: bool = false,
        /// Whether each certificate served is followed by one of its issuer's name.
        chain_in_order: bool = false,
        /// Whether it is self-signed or a certificate of its issuer's name is served with it.
        issuer_served: bool = false,
        /// Whether it demands a stapled OCSP response (RFC 7633).
        must_staple: bool = false,
        /// Whether it carries timestamps of Certificate Transparency logs (RFC 6962).
        logged: bool = false,
    }
}

subject! {
    /// A service at one host and port, named `host:port`.
    pub struct Endpoint is Endpoint {
        /// The host.
        host: String,
        /// The port.
        port: i64,
        /// What it is for: `mail-exchange`, `submission`, `mailbox-access`, `policy-host`, `web`.
        role: String,
        /// Who runs it: `us`, a vendor id, or `unknown`.
        operated_by: String,
        /// The contract's state word: `tls`, `no-tls`, `starttls-not-offered`, `starttls-stripped`, …
        state: String,
        /// Whether mail can come in or go out there over TLS at all.
        tls: bool,
        /// Whether SSL 2 or SSL 3 is accepted.
        ssl: bool,
        /// Whether TLS 1.0 is accepted.
        tls1_0: bool,
        /// Whether TLS 1.1 is accepted.
        tls1_1: bool,
        /// Whether TLS 1.2 is accepted.
        tls1_2: bool,
        /// Whether TLS 1.3 is accepted.
        tls1_3: bool,
        /// Whether TLS 1.2 or TLS 1.3 is accepted.
        modern: bool,
        /// Accepted suites without authentication (aNULL).
        anonymous_suites: Vec<String>,
        /// Accepted suites without encryption, of export strength, or with RC4 or single DES.
        broken_suites: Vec<String>,
        /// Accepted suites with 3DES or other 64-bit block ciphers.
        short_block_suites: Vec<String>,
        /// Accepted suites with static RSA or static DH key exchange: no forward secrecy.
        static_key_suites: Vec<String>,
        /// Whether AES-GCM with ephemeral keys (or TLS 1.3) is accepted.
        strong_suite: bool,
        /// Whether passwords may be sent before TLS (AUTH, LOGIN or USER offered in clear).
        password_in_clear: bool,
        /// The certificate served.
        certificate: Certificate = Certificate::absent(),
        /// The smallest finite-field Diffie-Hellman group it uses, in bits.
        dh_bits: i64 = 0,
        /// Whether commands sent in clear behind STARTTLS are acted on inside TLS (RFC 3207 section 4.2).
        injection: bool,
        /// Whether TLS compression is agreed to (RFC 9325 section 3.3).
        compression: bool,
        /// Whether shortened MACs are agreed to (RFC 9325 section 4.6).
        truncated_hmac: bool,
        /// Whether keys are always bound to the handshake: extended master secret (RFC 7627), or TLS 1.3 alone.
        extended_master_secret: bool,
        /// Whether renegotiation is tied to the connection (RFC 5746), or there is none as in TLS 1.3.
        secure_renegotiation: bool,
        /// Whether a second try with an older version is refused (RFC 7507), or there is no older version.
        fallback_refused: bool,
        /// Whether clients may send data before the handshake is done (0-RTT).
        early_data: bool,
        /// Whether a client certificate is asked for.
        asks_client_certificate: bool,
        /// Whether STARTTLS is offered inside TLS (RFC 3207 section 4.2).
        starttls_inside: bool,
        /// Whether a stapled OCSP response is sent.
        stapled: bool,
        /// Whether keys are agreed on over P-256 or X25519 (RFC 9325 section 4.2.1).
        common_group: bool,
        /// Accepted CBC suites that are agreed on without encrypt-then-MAC (RFC 7366).
        cbc_without_encrypt_then_mac: Vec<String>,
        /// Signature schemes with MD5 or SHA-1 that key exchanges of TLS 1.2 are signed with (RFC 9155).
        weak_signatures: Vec<String>,
        /// Accepted versions and suites outside NIST SP 800-52 r2.
        outside_sp_800_52: Vec<String>,
        /// Accepted versions and suites outside RFC 9325 (BCP 195).
        outside_rfc9325: Vec<String>,
        /// Whether the addresses of the host differ in the versions and suites they accept.
        addresses_differ: bool,
        /// Other hosts that were looked at and use the same key.
        key_shared_with: Vec<String>,
        /// Addresses of the host that refuse connections, while others answer.
        addresses_refusing: Vec<String>,
        /// Addresses to which there was no route from where the questions were asked, while others answered.
        addresses_out_of_reach: Vec<String>,
    }
}

/// The profiles that facts are about.
const SP_800_52: &str = "nist-800-52r2";
const RFC_9325: &str = "rfc9325";

/// Builds every Endpoint that the evidence speaks of: one for each host and port, the worst of its
/// addresses.
pub fn build(context: Context<'_>) -> Built<Endpoint> {
    let mut by_name: BTreeMap<&str, Vec<(&EvidenceId, &Observation)>> = BTreeMap::new();
    for (id, observation) in context.evidence.from(Source::Service) {
        if observation.kind() == SubjectKind::Endpoint && matches!(observation.question, Question::Endpoint { .. }) {
            by_name.entry(&observation.subject.name).or_default().push((id, observation));
        }
    }
    let names: BTreeSet<String> = by_name.keys().map(|&name| name.to_owned()).collect();
    let keys = keys(&by_name);
    let subjects = by_name.into_iter().map(|(name, seen)| endpoint(context, name, &seen, &keys)).collect();
    Built { subjects, collection: collection(context, &names) }
}

/// What one address showed.
struct Address<'e> {
    answer: &'e EndpointAnswer,
    picture: TlsPicture,
    traits: TlsTraits,
    /// Whether TLS is offered.
    tls: Seen<bool>,
    /// Why something is not known of it.
    because: NotObserved,
}

impl<'e> Address<'e> {
    fn new(answer: &'e EndpointAnswer) -> Self {
        let picture = picture(answer);
        let traits = traits(answer, &picture);
        let because = answer.cut_short.clone().unwrap_or_else(|| match answer.mode.as_str() {
            "verdict" => NotObserved::NotInScope {
                what: "the short look asks only for what should be refused; `mode: full` at a host of your own in \
                       the scope asks for everything"
                    .to_owned(),
            },
            _ => NotObserved::Refused { what: format!("the service gave no clear answer (state {})", answer.state) },
        });
        let all_refused = || picture.versions.values().all(|version| version.support == Support::Refused);
        let tls = match State::from_word(&answer.state) {
            Some(State::NoTls) if !all_refused() => Seen::Unknown(because.clone()),
            Some(state) => state.has_tls().map_or_else(|| Seen::Unknown(because.clone()), Seen::Present),
            None => Seen::Unknown(NotObserved::Unreadable {
                why: format!("the state `{}` is of a later version", answer.state),
                line: None,
            }),
        };
        Self { answer, picture, traits, tls, because }
    }

    /// Whether one of the versions is accepted.
    fn accepts(&self, versions: &[Version]) -> Seen<bool> {
        if self.tls == Seen::Present(false) {
            return Seen::Present(false);
        }
        let supports: Vec<Support> = versions.iter().map(|&version| self.picture.version(version).support).collect();
        if supports.contains(&Support::Accepted) {
            Seen::Present(true)
        } else if supports.iter().all(|&support| support == Support::Refused) {
            Seen::Present(false)
        } else {
            Seen::Unknown(self.because.clone())
        }
    }

    fn class(&self, is_member: fn(Suite) -> bool) -> Seen<Vec<String>> {
        if self.tls == Seen::Present(false) {
            return Seen::Present(Vec::new());
        }
        let ClassPicture { accepted, settled } = self.picture.class(is_member);
        // A suite that is there is there, whatever else may be.
        if settled || !accepted.is_empty() { Seen::Present(accepted) } else { self.not_asked() }
    }

    fn strong_suite(&self) -> Seen<bool> {
        match self.class(Suite::is_strong) {
            Seen::Present(suites) => Seen::Present(!suites.is_empty()),
            Seen::Absent => Seen::Absent,
            Seen::Malformed(malformed) => Seen::Malformed(malformed),
            Seen::Unknown(reason) => Seen::Unknown(reason),
        }
    }

    fn not_asked<T>(&self) -> Seen<T> {
        Seen::Unknown(self.because.clone())
    }

    fn password_in_clear(&self) -> Seen<bool> {
        match sends_passwords_in_clear(&self.answer.starttls, &self.answer.dialogue) {
            Some(sends) => Seen::Present(sends),
            None if self.answer.starttls == "none" && self.tls == Seen::Present(true) => Seen::Present(false),
            None => self.not_asked(),
        }
    }

    /// A trait as a fact; `without` is what holds where the question does not arise.
    fn told(&self, told: Told, without: bool) -> Seen<bool> {
        match told {
            Told::DoesNotArise => Seen::Present(without),
            Told::No => Seen::Present(false),
            Told::Unknown => self.not_asked(),
            Told::Yes => Seen::Present(true),
        }
    }

    /// Whether a stapled response came with the certificate. Of several certificates, the handshake showed
    /// the response of one.
    fn stapled(&self) -> Seen<bool> {
        let leaves: BTreeSet<_> = self.answer.chains.iter().filter_map(|chain| chain.first()).collect();
        if leaves.len() > 1 {
            return Seen::not_provided("the stapled response of each of its certificates");
        }
        self.told(self.traits.staple, false)
    }

    fn listed(&self, class: &ClassPicture) -> Seen<Vec<String>> {
        // What is there is there, whatever else may be.
        let known = class.settled || !class.accepted.is_empty();
        if known { Seen::Present(class.accepted.clone()) } else { self.not_asked() }
    }

    /// What is accepted outside a published profile.
    fn outside(&self, profile: &str) -> Seen<Vec<String>> {
        let profile = TlsProfiles::shipped().by_id(profile).expect("a test names every profile that facts use");
        let mut outside = BTreeSet::new();
        let mut settled = true;
        for (version, known) in &self.picture.versions {
            settled &= known.exhaustive;
            if known.support != Support::Accepted {
                continue;
            }
            let suites = known.suite_names().into_iter().filter(|name| profile.suite(name) == Level::Outside);
            outside.extend(suites);
            if profile.version(version.as_str()) == Level::Outside {
                outside.insert(version.as_str().to_owned());
            }
        }
        if settled || !outside.is_empty() { Seen::Present(outside.into_iter().collect()) } else { self.not_asked() }
    }

    fn dh_bits(&self) -> Seen<i64> {
        let smallest = self.picture.versions.values().filter_map(|version| version.dh.as_ref()).map(|dh| dh.bits).min();
        match (smallest, self.class(Suite::is_finite_field)) {
            (Some(bits), _) => Seen::Present(i64::from(bits)),
            (None, Seen::Present(suites)) if suites.is_empty() => Seen::Absent,
            (None, Seen::Present(_) | Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_)) => self.not_asked(),
        }
    }

    /// Whether another address of the same host accepts other versions or suites, as far as both are known.
    fn differs_from(&self, other: &Self) -> Seen<bool> {
        let mut settled = true;
        for (version, here) in &self.picture.versions {
            let there = other.picture.version(*version);
            if here.support == Support::Unknown || there.support == Support::Unknown {
                settled = false;
            } else if here.support != there.support {
                return Seen::Present(true);
            } else if here.support == Support::Accepted && !(here.exhaustive && there.exhaustive) {
                settled = false;
            } else if here.accepted != there.accepted {
                return Seen::Present(true);
            }
        }
        if settled { Seen::Present(false) } else { self.not_asked() }
    }

    fn injection(&self) -> Seen<bool> {
        match self.answer.injection.as_str() {
            "vulnerable" => Seen::Present(true),
            "not-vulnerable" => Seen::Present(false),
            "not-tested" => Seen::Unknown(NotObserved::NotInScope {
                what: "active probes; allow them with authorization.active_probes".to_owned(),
            }),
            _ => self.not_asked(),
        }
    }

    fn certificates(&self, context: Context<'_>) -> Seen<Vec<Certificate>> {
        if self.tls == Seen::Present(false) {
            return Seen::Absent;
        }
        if self.answer.chains.is_empty() {
            return self.not_asked();
        }
        let proved = !matches!(self.answer.handshake, Some(Handshake::Completed { key_proved: false, .. }));
        let mut found = Vec::new();
        for (index, chain) in self.answer.chains.iter().enumerate() {
            let der = chain.first().map(|der| der.0.as_slice()).unwrap_or_default();
            let leaf = match certificate::read(der) {
                Ok(leaf) => leaf,
                Err(error) => return Seen::Unknown(NotObserved::Unreadable { why: error.why, line: None }),
            };
            let Some(trust) = self.answer.trust.get(index) else {
                return Seen::Unknown(NotObserved::NotProvided { what: "the verdict on the chain's trust".to_owned() });
            };
            found.push(Certificate {
                days_left: leaf.days_left(context.as_of),
                key_bits: i64::from(leaf.key_bits),
                // One chain is the one whose key was to be proved; of several it cannot be told.
                trusted: trust.trusted && (proved || self.answer.chains.len() > 1),
                name_matches: leaf.is_for(&self.answer.server_name),
                self_signed: leaf.self_signed,
                not_yet_valid: leaf.is_not_yet_valid(context.as_of),
                chain_in_order: certificate::in_order(chain.iter().map(|der| der.0.as_slice())) == Some(true),
                issuer_served: leaf.self_signed
                    || certificate::issuer_is_among(der, chain.iter().skip(1).map(|der| der.0.as_slice())),
                must_staple: leaf.must_staple,
                logged: leaf.log_timestamps > 0,
                key_type: leaf.key_type,
                signature_hash: leaf.signature_hash,
            });
        }
        Seen::Present(found)
    }
}

/// The hosts that each key was seen at.
type Keys = BTreeMap<String, BTreeSet<String>>;

fn keys(by_name: &BTreeMap<&str, Vec<(&EvidenceId, &Observation)>>) -> Keys {
    let mut keys = Keys::new();
    for (name, seen) in by_name {
        for (_, observation) in seen {
            let Ok(Answer::Endpoint(answer)) = &observation.answer else { continue };
            for key in keys_of(answer) {
                keys.entry(key).or_default().insert(host_of(name).to_owned());
            }
        }
    }
    keys
}

fn keys_of(answer: &EndpointAnswer) -> impl Iterator<Item = String> + '_ {
    let leaves = answer.chains.iter().filter_map(|chain| certificate::read(&chain.first()?.0).ok());
    leaves.map(|leaf| leaf.key_sha256)
}

fn host_of(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(host, _)| host)
}

fn endpoint(context: Context<'_>, name: &str, seen: &[(&EvidenceId, &Observation)], keys: &Keys) -> Endpoint {
    let evidence: Vec<EvidenceId> = seen.iter().map(|(id, _)| (*id).clone()).collect();
    let mut by_address: BTreeMap<&str, Vec<&Observation>> = BTreeMap::new();
    let (mut port, mut role, mut operated_by) = (0, "", "unknown");
    for (_, observation) in seen {
        let Question::Endpoint { port: asked, address, role: for_what, operated_by: whose, .. } = &observation.question
        else {
            continue;
        };
        (port, role) = (*asked, for_what);
        if whose != "unknown" && !whose.is_empty() {
            operated_by = whose;
        }
        by_address.entry(address).or_default().push(observation);
    }
    let mut answered = Vec::new();
    let mut not_observed: Vec<(&str, &NotObserved)> = Vec::new();
    for (address, observations) in by_address {
        let answers = observations.iter().filter_map(|observation| match &observation.answer {
            Ok(Answer::Endpoint(answer)) => Some(answer.as_ref()),
            _ => None,
        });
        let before = answered.len();
        // From wherever it was asked: an answer beats none, and of two answers the worse counts.
        answered.extend(answers.map(Address::new));
        if answered.len() == before {
            let reason = observations.iter().find_map(|observation| observation.answer.as_ref().err());
            not_observed.extend(reason.map(|reason| (address, reason)));
        }
    }
    // An address that refuses everybody takes no mail; one that timed out may.
    let refuses = |reason: &NotObserved| matches!(reason, NotObserved::Refused { .. });
    let blocking: Option<NotObserved> = not_observed
        .iter()
        .find(|(_, reason)| answered.is_empty() || !refuses(reason))
        .map(|(_, reason)| (*reason).clone())
        .or_else(|| answered.is_empty().then_some(NotObserved::Interrupted));
    let all = All { answered: &answered, blocking: blocking.as_ref(), evidence: &evidence };
    let host = host_of(name);
    let known = |text: &str| Fact::present(text.to_owned(), evidence.clone());
    let known_addresses = |is_one: &dyn Fn(&NotObserved) -> bool| {
        let others = not_observed.iter().filter(|(_, reason)| !answered.is_empty() && is_one(reason));
        let others: Vec<String> = others.map(|(address, _)| (*address).to_owned()).collect();
        match all.left_out() {
            Some(reason) if others.is_empty() => all.fact(Seen::Unknown(reason)),
            Some(_) | None => Fact::present(others, evidence.clone()),
        }
    };
    Endpoint {
        name: name.to_owned(),
        host: known(host),
        port: Fact::present(i64::from(port), evidence.clone()),
        role: if role.is_empty() { all.not_said("the role of the service") } else { known(role) },
        operated_by: known(operated_by),
        state: known(&worst_state(&answered, blocking.as_ref())),
        tls: all.every(|address| address.tls.clone()),
        ssl: all.any(|address| address.accepts(&[Version::Ssl2, Version::Ssl3])),
        tls1_0: all.any(|address| address.accepts(&[Version::Tls1_0])),
        tls1_1: all.any(|address| address.accepts(&[Version::Tls1_1])),
        tls1_2: all.every(|address| address.accepts(&[Version::Tls1_2])),
        tls1_3: all.every(|address| address.accepts(&[Version::Tls1_3])),
        modern: all.every(|address| address.accepts(&[Version::Tls1_2, Version::Tls1_3])),
        anonymous_suites: all.union(|address| address.class(Suite::is_anonymous)),
        broken_suites: all.union(|address| address.class(Suite::is_broken)),
        short_block_suites: all.union(|address| address.class(Suite::is_short_block)),
        static_key_suites: all.union(|address| address.class(Suite::is_static_key)),
        strong_suite: all.every(|address| address.strong_suite()),
        password_in_clear: all.any(|address| address.password_in_clear()),
        certificate: all.certificate(context),
        dh_bits: all.smallest(|address| address.dh_bits()),
        injection: all.any(|address| address.injection()),
        compression: all.any(|address| address.told(address.traits.compression, false)),
        truncated_hmac: all.any(|address| address.told(address.traits.truncated_hmac, false)),
        extended_master_secret: all.every(|address| address.told(address.traits.extended_master_secret, true)),
        secure_renegotiation: all.every(|address| address.told(address.traits.secure_renegotiation, true)),
        fallback_refused: all.every(|address| address.told(address.traits.fallback_refused, true)),
        early_data: all.any(|address| address.told(address.traits.early_data, false)),
        asks_client_certificate: all.any(|address| address.told(address.traits.asks_client_certificate, false)),
        starttls_inside: all.any(|address| address.told(address.traits.starttls_inside, false)),
        stapled: all.every(|address| address.stapled()),
        common_group: all.every(|address| address.told(address.traits.common_group, false)),
        cbc_without_encrypt_then_mac: all.union(|address| address.listed(&address.traits.cbc_without_encrypt_then_mac)),
        weak_signatures: all.union(|address| address.listed(&address.traits.weak_signatures)),
        outside_sp_800_52: all.union(|address| address.outside(SP_800_52)),
        outside_rfc9325: all.union(|address| address.outside(RFC_9325)),
        addresses_differ: all.differ(),
        key_shared_with: all.key_shared_with(host, keys),
        addresses_refusing: known_addresses(&|reason| refuses(reason) && !reason_is_no_route(reason)),
        addresses_out_of_reach: known_addresses(&reason_is_no_route),
    }
}

fn reason_is_no_route(reason: &NotObserved) -> bool {
    matches!(reason, NotObserved::Refused { what } if what == NO_ROUTE)
}

/// All addresses of a service, and what stands in the way of knowing.
struct All<'a, 'e> {
    answered: &'a [Address<'e>],
    blocking: Option<&'a NotObserved>,
    evidence: &'a [EvidenceId],
}

impl All<'_, '_> {
    fn fact<T>(&self, seen: Seen<T>) -> Fact<T> {
        Fact::new(seen, self.evidence.to_vec())
    }

    fn not_said<T>(&self, what: &str) -> Fact<T> {
        self.fact(Seen::not_provided(what))
    }

    /// True where it is true of every address; the good news needs all of them.
    fn every(&self, ask: impl Fn(&Address<'_>) -> Seen<bool>) -> Fact<bool> {
        self.worse(ask, false)
    }

    /// True where it is true of any address; the good news needs none of them.
    fn any(&self, ask: impl Fn(&Address<'_>) -> Seen<bool>) -> Fact<bool> {
        self.worse(ask, true)
    }

    fn worse(&self, ask: impl Fn(&Address<'_>) -> Seen<bool>, worse: bool) -> Fact<bool> {
        let all: Vec<Seen<bool>> = self.answered.iter().map(ask).collect();
        if all.contains(&Seen::Present(worse)) {
            return self.fact(Seen::Present(worse));
        }
        match self.first_unknown(&all) {
            Some(reason) => self.fact(Seen::Unknown(reason)),
            None => self.fact(Seen::Present(!worse)),
        }
    }

    /// Whether two addresses differ; not known where none do and something could not be compared.
    fn differ(&self) -> Fact<bool> {
        let pairs = self.answered.iter().enumerate().flat_map(|(at, one)| {
            let others = self.answered.iter().skip(at + 1);
            others.map(move |other| (one, other))
        });
        let compared: Vec<Seen<bool>> = pairs.map(|(one, other)| one.differs_from(other)).collect();
        if compared.contains(&Seen::Present(true)) {
            return self.fact(Seen::Present(true));
        }
        let unknown = self.first_unknown(&compared).or_else(|| self.left_out());
        self.fact(unknown.map_or(Seen::Present(false), Seen::Unknown))
    }

    /// That some addresses of the host were left out, where that is so.
    fn left_out(&self) -> Option<NotObserved> {
        let addresses: BTreeSet<&str> =
            self.answered.iter().flat_map(|address| &address.answer.addresses_not_asked).map(String::as_str).collect();
        let names = || addresses.iter().copied().collect::<Vec<_>>().join(", ");
        (!addresses.is_empty()).then(|| NotObserved::NotInScope {
            what: format!("further addresses of the host: {}", crate::text::visible(&names())),
        })
    }

    fn key_shared_with(&self, host: &str, keys: &Keys) -> Fact<Vec<String>> {
        self.union(|address| {
            let own: Vec<String> = keys_of(address.answer).collect();
            let others = own.iter().filter_map(|key| keys.get(key)).flatten().filter(|&other| other != host);
            let others: Vec<String> = others.cloned().collect();
            let all_read = !own.is_empty() && own.len() == address.answer.chains.len();
            let without_tls = address.tls == Seen::Present(false);
            if all_read || without_tls || !others.is_empty() { Seen::Present(others) } else { address.not_asked() }
        })
    }

    fn union(&self, ask: impl Fn(&Address<'_>) -> Seen<Vec<String>>) -> Fact<Vec<String>> {
        let all: Vec<Seen<Vec<String>>> = self.answered.iter().map(ask).collect();
        let union: BTreeSet<String> = all.iter().filter_map(Seen::present).flatten().cloned().collect();
        match self.first_unknown(&all) {
            Some(reason) if union.is_empty() => self.fact(Seen::Unknown(reason)),
            Some(_) | None => self.fact(Seen::Present(union.into_iter().collect())),
        }
    }

    fn smallest(&self, ask: impl Fn(&Address<'_>) -> Seen<i64>) -> Fact<i64> {
        let all: Vec<Seen<i64>> = self.answered.iter().map(ask).collect();
        match (self.first_unknown(&all), all.iter().filter_map(Seen::present).min()) {
            (Some(reason), _) => self.fact(Seen::Unknown(reason)),
            (None, Some(&smallest)) => self.fact(Seen::Present(smallest)),
            (None, None) => self.fact(Seen::Absent),
        }
    }

    fn certificate(&self, context: Context<'_>) -> Fact<Certificate> {
        let all: Vec<Seen<Vec<Certificate>>> =
            self.answered.iter().map(|address| address.certificates(context)).collect();
        if let Some(reason) = self.first_unknown(&all) {
            return self.fact(Seen::Unknown(reason));
        }
        let served = all.into_iter().filter_map(|seen| seen.present().cloned()).flatten();
        self.fact(served.reduce(worse_certificate).map_or(Seen::Absent, Seen::Present))
    }

    fn first_unknown<T>(&self, all: &[Seen<T>]) -> Option<NotObserved> {
        let unknown = all.iter().find_map(|seen| match seen {
            Seen::Unknown(reason) => Some(reason.clone()),
            Seen::Malformed(malformed) => Some(NotObserved::Unreadable { why: malformed.why.clone(), line: None }),
            Seen::Absent | Seen::Present(_) => None,
        });
        unknown.or_else(|| self.blocking.cloned())
    }
}

/// The worse of two in each respect.
fn worse_certificate(one: Certificate, other: Certificate) -> Certificate {
    let weaker = |a: &Certificate, b: &Certificate| {
        certificate::strength(&a.key_type, u32::try_from(a.key_bits).unwrap_or(0))
            <= certificate::strength(&b.key_type, u32::try_from(b.key_bits).unwrap_or(0))
    };
    let (key_type, key_bits) = if weaker(&one, &other) {
        (one.key_type.clone(), one.key_bits)
    } else {
        (other.key_type.clone(), other.key_bits)
    };
    let hash = |certificate: &Certificate| certificate::hash_rank(&certificate.signature_hash);
    let signature_hash =
        if hash(&one) <= hash(&other) { one.signature_hash.clone() } else { other.signature_hash.clone() };
    Certificate {
        days_left: one.days_left.min(other.days_left),
        key_type,
        key_bits,
        signature_hash,
        trusted: one.trusted && other.trusted,
        name_matches: one.name_matches && other.name_matches,
        self_signed: one.self_signed || other.self_signed,
        not_yet_valid: one.not_yet_valid || other.not_yet_valid,
        chain_in_order: one.chain_in_order && other.chain_in_order,
        issuer_served: one.issuer_served && other.issuer_served,
        must_staple: one.must_staple || other.must_staple,
        logged: one.logged && other.logged,
    }
}

/// The state of the address that stands worst: without TLS, then not known, then with TLS.
fn worst_state(answered: &[Address<'_>], blocking: Option<&NotObserved>) -> String {
    let rank = |word: &str| match State::from_word(word).and_then(State::has_tls) {
        Some(false) => 0,
        None => 1,
        Some(true) => 2,
    };
    let states = answered.iter().map(|address| address.answer.state.clone());
    let states = states.chain(blocking.map(|reason| State::of_reason(reason).as_str().to_owned()));
    states.min_by_key(|word| rank(word)).unwrap_or_else(|| State::Unreachable.as_str().to_owned())
}

/// Whether every service that should have been asked was.
fn collection(context: Context<'_>, observed: &BTreeSet<String>) -> Collection {
    if let Some(reason) = context.evidence.taken_away(Source::Service, SubjectKind::Endpoint) {
        return Collection::Incomplete(reason);
    }
    let (_, declared) = match context.evidence.declared() {
        Ok(declared) => declared,
        Err(reason) => return Collection::Incomplete(reason),
    };
    if declared.domains.is_empty() && declared.hosts.is_empty() && observed.is_empty() {
        return Collection::NotDeclared("the scope names no domain and no host".to_owned());
    }
    let not_asked = |name: String| NotObserved::NotProvided { what: format!("an answer of {name}") };
    for host in &declared.hosts {
        let missing =
            host.ports.iter().map(|port| format!("{}:{port}", host.name)).find(|name| !observed.contains(name));
        if let Some(name) = missing {
            return Collection::Incomplete(not_asked(name));
        }
    }
    for domain in declared.domains.iter().filter(|domain| domain.receives) {
        match mail_hosts(context, &domain.name) {
            Ok(hosts) => {
                let missing = hosts.iter().map(|host| format!("{host}:25")).find(|name| !observed.contains(name));
                if let Some(name) = missing {
                    return Collection::Incomplete(not_asked(name));
                }
            }
            Err(reason) => {
                let what = format!("the mail hosts of {}, as its MX lookup gave nothing ({reason})", domain.name);
                return Collection::Incomplete(NotObserved::NotProvided { what });
            }
        }
    }
    Collection::Complete
}

/// The hosts in the MX records of a domain. Where there are none (RFC 5321 §5.1, RFC 7505) none is
/// expected.
fn mail_hosts(context: Context<'_>, domain: &DomainName) -> Result<BTreeSet<DomainName>, NotObserved> {
    let mut why = context
        .evidence
        .taken_away(Source::Dns, SubjectKind::Domain)
        .unwrap_or_else(|| NotObserved::NotProvided { what: "an MX lookup".to_owned() });
    for (_, observation) in context.evidence.from(Source::Dns) {
        let Question::Dns { name, record_type } = &observation.question else { continue };
        if !name.trim_end_matches('.').eq_ignore_ascii_case(domain.as_str()) || record_type != "MX" {
            continue;
        }
        match &observation.answer {
            Ok(Answer::Dns(answer)) => match Message::from_vec(&answer.message.0) {
                Ok(message) => return Ok(exchanges(&message)),
                Err(error) => {
                    why = NotObserved::Unreadable { why: crate::text::visible(&error.to_string()), line: None };
                }
            },
            Ok(_) => {}
            Err(reason) => why = reason.clone(),
        }
    }
    Err(why)
}

fn exchanges(message: &Message) -> BTreeSet<DomainName> {
    let hosts = message.answers.iter().filter_map(|record| match &record.data {
        RData::MX(mx) => mx.exchange.to_ascii().parse().ok(),
        _ => None,
    });
    // An address where a name belongs cannot be asked by name.
    hosts.filter(|host: &DomainName| host.as_str().parse::<std::net::IpAddr>().is_err()).collect()
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
pub(crate) mod tests;
