//! The output of `probe HOST:PORT`: the contract's JSON object. Its text for terminals is
//! [`text`](super::endpoint_text)'s work.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::catalogues::tls_profiles::TlsProfiles;
use crate::evidence::endpoint::{EndpointAnswer, Handshake, State};
use crate::evidence::{Answer, Observation, Question};
use crate::records::certificate::{self, Certificate};
use crate::records::signature_schemes;
use crate::records::tls_groups;
use crate::records::tls_picture::{ClassPicture, Order, Support, TlsPicture, Version, picture};
use crate::records::tls_traits::{TlsTraits, Told, traits};
use crate::seen::NotObserved;
use crate::text::visible;

/// The JSON object of one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndpointView {
    pub schema: u32,
    pub kind: &'static str,
    /// `host:port`.
    pub target: String,
    /// The address asked; empty where the name gave none.
    pub address: String,
    pub server_name: String,
    pub starttls: String,
    pub state: String,
    pub injection: String,
    /// By version: `accepted`, `refused`, `unknown`.
    pub versions: BTreeMap<&'static str, &'static str>,
    /// By accepted version, registered names.
    pub suites: BTreeMap<&'static str, Vec<String>>,
    /// By version: whether every suite is accepted or clearly refused.
    pub exhaustive: BTreeMap<&'static str, bool>,
    /// By version, registered names.
    pub groups: BTreeMap<&'static str, Vec<String>>,
    /// By accepted version: `server`, `client`, `unknown`.
    pub order: BTreeMap<&'static str, &'static str>,
    pub dh: BTreeMap<&'static str, DhView>,
    /// By version, registered names: every one found of TLS 1.2, the one used of TLS 1.3.
    pub signatures: BTreeMap<&'static str, Vec<String>>,
    /// What it does beside: `yes`, `no`, `unknown`, `not-applicable`.
    pub features: BTreeMap<&'static str, &'static str>,
    pub certificates: Vec<CertificateView>,
    /// What published profiles say of what is accepted; empty where nothing is. The default one first.
    pub profiles: Vec<ProfileView>,
    pub connections: u32,
    pub elapsed_ms: u64,
    /// Why nothing, or not everything, could be asked; not there where everything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_observed: Option<String>,
}

/// What one published profile says of the accepted versions, suites and groups: `good`, `sufficient`,
/// `phase-out` or `outside`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProfileView {
    pub id: &'static str,
    pub name: &'static str,
    pub published: String,
    pub source: &'static str,
    /// Whether the document was `read`, is `recalled`, or known from elsewhere (`secondary`).
    pub basis: &'static str,
    pub versions: BTreeMap<&'static str, &'static str>,
    pub suites: BTreeMap<String, &'static str>,
    pub groups: BTreeMap<String, &'static str>,
}

/// Diffie-Hellman parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DhView {
    pub bits: u32,
    pub prime_sha256: String,
    pub known_as: Option<&'static str>,
}

/// One chain as served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateView {
    pub leaf: LeafView,
    /// The subjects of the certificates after the leaf, in the order served.
    pub chain: Vec<String>,
    pub trusted: bool,
    pub hostname_matches: bool,
    /// `expired`, `not-yet-valid`, `name-mismatch`, `self-signed`, `untrusted`, `issuer-not-served`,
    /// `chain-order`, `weak-key`, `weak-signature`, `key-not-proved`, `not-stapled`, `unreadable`.
    pub problems: Vec<&'static str>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LeafView {
    pub subject: String,
    pub issuer: String,
    pub san: Vec<String>,
    /// RFC 3339, UTC.
    pub not_before: String,
    pub not_after: String,
    pub key: KeyView,
    pub signature: String,
    /// Whether it demands a stapled OCSP response (RFC 7633).
    pub must_staple: bool,
    /// Timestamps of Certificate Transparency logs in it (RFC 6962).
    pub log_timestamps: u32,
    /// Of the public key: the same key has the same in every certificate.
    pub key_sha256: String,
    pub sha256: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KeyView {
    #[serde(rename = "type")]
    pub kind: String,
    pub bits: u32,
}

/// Views an observation of an endpoint; `None` for any other.
pub fn view(observation: &Observation) -> Option<EndpointView> {
    let Question::Endpoint { starttls, address, .. } = &observation.question else { return None };
    let empty = EndpointView {
        schema: 1,
        kind: "endpoint",
        target: visible(&observation.subject.name),
        address: address.clone(),
        server_name: visible(host_of(&observation.subject.name)),
        starttls: starttls.clone(),
        state: String::new(),
        injection: "not-tested".to_owned(),
        versions: Version::ALL.map(|version| (version.as_str(), support_word(Support::Unknown))).into(),
        suites: BTreeMap::new(),
        exhaustive: Version::ALL.map(|version| (version.as_str(), false)).into(),
        groups: BTreeMap::new(),
        order: BTreeMap::new(),
        dh: BTreeMap::new(),
        signatures: BTreeMap::new(),
        features: BTreeMap::new(),
        certificates: Vec::new(),
        profiles: Vec::new(),
        connections: 0,
        elapsed_ms: observation.took_ms,
        not_observed: None,
    };
    match &observation.answer {
        Ok(Answer::Endpoint(answer)) => Some(of_answer(empty, answer, observation)),
        Ok(_) => None,
        Err(reason) => Some(EndpointView {
            state: State::of_reason(reason).as_str().to_owned(),
            connections: u32::from(!matches!(reason, NotObserved::NotInScope { .. } | NotObserved::NotProvided { .. })),
            not_observed: Some(visible(&reason.to_string())),
            ..empty
        }),
    }
}

fn host_of(subject: &str) -> &str {
    subject.rsplit_once(':').map_or(subject, |(host, _)| host.trim_matches(['[', ']']))
}

fn of_answer(empty: EndpointView, answer: &EndpointAnswer, observation: &Observation) -> EndpointView {
    let picture = picture(answer);
    let by_version = || picture.versions.iter().map(|(version, known)| (version.as_str(), known));
    let accepted = || by_version().filter(|(_, known)| known.support == Support::Accepted);
    let view = EndpointView {
        address: answer.address.clone(),
        server_name: visible(&answer.server_name),
        state: visible(&answer.state),
        injection: visible(&answer.injection),
        versions: by_version().map(|(name, known)| (name, support_word(known.support))).collect(),
        suites: accepted().map(|(name, known)| (name, known.suite_names())).collect(),
        exhaustive: by_version().map(|(name, known)| (name, known.exhaustive)).collect(),
        groups: accepted()
            .filter(|(_, known)| !known.groups.is_empty())
            .map(|(name, known)| (name, known.groups.iter().map(|&group| tls_groups::name_of(group)).collect()))
            .collect(),
        order: accepted().map(|(name, known)| (name, order_word(known.order))).collect(),
        dh: by_version()
            .filter_map(|(name, known)| {
                let dh = known.dh.as_ref()?;
                let view = DhView { bits: dh.bits, prime_sha256: dh.prime_sha256.clone(), known_as: dh.known_as };
                Some((name, view))
            })
            .collect(),
        signatures: signatures(answer, &picture),
        features: features(&traits(answer, &picture)),
        certificates: certificates(answer, observation.asked_at),
        connections: answer.connections,
        not_observed: answer.cut_short.as_ref().map(|reason| visible(&reason.to_string())),
        ..empty
    };
    EndpointView { profiles: profiles(&view), ..view }
}

fn signatures(answer: &EndpointAnswer, picture: &TlsPicture) -> BTreeMap<&'static str, Vec<String>> {
    let of_tls12 = &picture.version(Version::Tls1_2).signatures;
    let mut all = BTreeMap::new();
    if !of_tls12.is_empty() {
        let names = of_tls12.iter().map(|&scheme| signature_schemes::name_of(scheme)).collect();
        all.insert(Version::Tls1_2.as_str(), names);
    }
    let used = answer.inside.as_ref().and_then(|inside| inside.signature);
    if let (Some(Handshake::Completed { version, .. }), Some(used)) = (&answer.handshake, used)
        && *version == Version::Tls1_3.wire()
    {
        all.insert(Version::Tls1_3.as_str(), vec![signature_schemes::name_of(used)]);
    }
    all
}

fn features(traits: &TlsTraits) -> BTreeMap<&'static str, &'static str> {
    let class = |class: &ClassPicture| match (class.accepted.is_empty(), class.settled) {
        (false, _) => Told::Yes,
        (true, true) => Told::No,
        (true, false) => Told::Unknown,
    };
    [
        ("cbc_without_encrypt_then_mac", class(&traits.cbc_without_encrypt_then_mac)),
        ("client_certificate_asked", traits.asks_client_certificate),
        ("compression", traits.compression),
        ("early_data", traits.early_data),
        ("extended_master_secret", traits.extended_master_secret),
        ("fallback_refused", traits.fallback_refused),
        ("ocsp_staple", traits.staple),
        ("secure_renegotiation", traits.secure_renegotiation),
        ("session_tickets", traits.session_tickets),
        ("starttls_inside", traits.starttls_inside),
        ("truncated_hmac", traits.truncated_hmac),
        ("weak_signatures", class(&traits.weak_signatures)),
    ]
    .map(|(name, told)| (name, told.as_str()))
    .into()
}

fn profiles(view: &EndpointView) -> Vec<ProfileView> {
    if view.suites.is_empty() {
        return Vec::new();
    }
    let known = TlsProfiles::shipped();
    let others = known.profiles.iter().filter(|profile| profile.id != known.default);
    std::iter::once(known.first())
        .chain(others)
        .map(|profile| ProfileView {
            id: &profile.id,
            name: &profile.name,
            published: profile.published.clone(),
            source: &profile.source,
            basis: profile.basis.as_str(),
            versions: view.suites.keys().map(|&version| (version, profile.version(version).as_str())).collect(),
            suites: view.suites.values().flatten().map(|name| (name.clone(), profile.suite(name).as_str())).collect(),
            groups: view.groups.values().flatten().map(|name| (name.clone(), profile.group(name).as_str())).collect(),
        })
        .collect()
}

const fn support_word(support: Support) -> &'static str {
    match support {
        Support::Accepted => "accepted",
        Support::Refused => "refused",
        Support::Unknown => "unknown",
    }
}

const fn order_word(order: Order) -> &'static str {
    match order {
        Order::Client => "client",
        Order::Server => "server",
        Order::Unknown => "unknown",
    }
}

fn certificates(answer: &EndpointAnswer, asked_at: jiff::Timestamp) -> Vec<CertificateView> {
    let proved = !matches!(answer.handshake, Some(Handshake::Completed { key_proved: false, .. }));
    answer
        .chains
        .iter()
        .enumerate()
        .map(|(index, chain)| {
            let trusted = answer.trust.get(index).is_some_and(|trust| trust.trusted);
            let leaf = chain.first().and_then(|der| certificate::read(&der.0).ok());
            let subjects = chain
                .iter()
                .skip(1)
                .map(|der| certificate::read(&der.0).map_or_else(|_| "unreadable".to_owned(), |read| read.subject));
            let matches = leaf.as_ref().is_some_and(|leaf| leaf.is_for(&answer.server_name));
            let in_order = certificate::in_order(chain.iter().map(|der| der.0.as_slice()));
            let served = Served {
                trusted,
                matches,
                proved: proved || answer.chains.len() > 1,
                in_order: in_order != Some(false),
                alone: chain.len() == 1,
                staple: answer.inside.as_ref().map(|inside| inside.staple.is_some()),
            };
            CertificateView {
                problems: problems(leaf.as_ref(), &served, asked_at),
                leaf: leaf.map(leaf_view).unwrap_or_default(),
                chain: subjects.collect(),
                trusted,
                hostname_matches: matches,
            }
        })
        .collect()
}

fn leaf_view(leaf: Certificate) -> LeafView {
    LeafView {
        san: leaf.names.iter().map(ToString::to_string).collect(),
        not_before: leaf.not_before.to_string(),
        not_after: leaf.not_after.to_string(),
        key: KeyView { kind: leaf.key_type, bits: leaf.key_bits },
        subject: leaf.subject,
        issuer: leaf.issuer,
        signature: leaf.signature,
        must_staple: leaf.must_staple,
        log_timestamps: leaf.log_timestamps,
        key_sha256: leaf.key_sha256,
        sha256: leaf.sha256,
    }
}

/// How a certificate was served.
struct Served {
    trusted: bool,
    matches: bool,
    proved: bool,
    in_order: bool,
    /// Without any other certificate.
    alone: bool,
    /// Whether a stapled response came; `None` where that was not seen.
    staple: Option<bool>,
}

fn problems(leaf: Option<&Certificate>, served: &Served, asked_at: jiff::Timestamp) -> Vec<&'static str> {
    let Some(leaf) = leaf else { return vec!["unreadable"] };
    let weak_hash = ["md2", "md5", "sha1"].contains(&leaf.signature_hash.as_str());
    [
        (leaf.days_left(asked_at) < 0, "expired"),
        (leaf.is_not_yet_valid(asked_at), "not-yet-valid"),
        (!served.matches, "name-mismatch"),
        (leaf.self_signed, "self-signed"),
        (!served.trusted, "untrusted"),
        (!served.trusted && !leaf.self_signed && served.alone, "issuer-not-served"),
        (!served.in_order, "chain-order"),
        (leaf.strength() < 112, "weak-key"),
        // A root's own signature protects nothing, but a self-signed leaf's is all there is.
        (weak_hash, "weak-signature"),
        (!served.proved, "key-not-proved"),
        (leaf.must_staple && served.staple == Some(false), "not-stapled"),
    ]
    .into_iter()
    .filter_map(|(is_there, word)| is_there.then_some(word))
    .collect()
}

/// What the picture says of one version, for callers that need a word.
pub fn version_word(picture: &TlsPicture, version: Version) -> &'static str {
    support_word(picture.version(version).support)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::evidence::Source;
    use crate::names::{SubjectId, SubjectKind};

    pub(crate) fn not_observed(reason: NotObserved) -> Observation {
        Observation {
            subject: SubjectId::new(SubjectKind::Endpoint, "mx.clinic.example:25"),
            source: Source::Service,
            question: Question::Endpoint {
                port: 25,
                starttls: "smtp".to_owned(),
                address: String::new(),
                role: "mail-exchange".to_owned(),
                operated_by: "us".to_owned(),
            },
            asked_at: "2026-10-01T12:00:00Z".parse().unwrap(),
            took_ms: 5,
            vantage: "test".to_owned(),
            answer: Err(reason),
        }
    }

    #[test]
    fn nothing_observed_still_gives_every_key_and_claims_nothing() {
        let view = view(&not_observed(NotObserved::TimedOut { after_ms: 5 })).unwrap();
        let json = serde_json::to_value(&view).unwrap();
        for key in [
            "schema",
            "kind",
            "target",
            "address",
            "server_name",
            "starttls",
            "state",
            "injection",
            "versions",
            "suites",
            "exhaustive",
            "groups",
            "order",
            "dh",
            "signatures",
            "features",
            "certificates",
            "profiles",
            "connections",
            "elapsed_ms",
        ] {
            assert!(json.get(key).is_some(), "{key}");
        }
        assert_eq!(json["state"], "timeout");
        assert!(view.versions.values().all(|&word| word == "unknown"));
        assert!(view.exhaustive.values().all(|exhaustive| !exhaustive));
    }

    #[test]
    fn reasons_have_their_state_words() {
        for (reason, state) in [
            (NotObserved::NotInScope { what: "x".to_owned() }, "not-in-scope"),
            (NotObserved::Refused { what: "x".to_owned() }, "unreachable"),
            (NotObserved::NotProvided { what: "an address".to_owned() }, "unresolved"),
            (NotObserved::Limit { what: "x".to_owned() }, "limit"),
        ] {
            assert_eq!(view(&not_observed(reason)).unwrap().state, state);
        }
    }

    #[test]
    fn profiles_are_told_for_what_is_accepted_and_for_nothing_else() {
        let empty = view(&not_observed(NotObserved::TimedOut { after_ms: 5 })).unwrap();
        assert_eq!(profiles(&empty), []);
        let suites = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_DH_anon_WITH_AES_128_CBC_SHA"].map(str::to_owned);
        let mut seen = EndpointView { state: "tls".to_owned(), ..empty };
        seen.suites = BTreeMap::from([("TLSv1.0", suites[1..].to_vec()), ("TLSv1.2", suites.to_vec())]);
        seen.groups = BTreeMap::from([("TLSv1.2", vec!["x25519".to_owned()])]);
        seen.profiles = profiles(&seen);
        let rfc9325 = seen.profiles.iter().find(|profile| profile.id == "rfc9325").unwrap();
        assert_eq!((rfc9325.versions["TLSv1.0"], rfc9325.versions["TLSv1.2"]), ("outside", "sufficient"));
        assert_eq!((rfc9325.suites[&suites[0]], rfc9325.suites[&suites[1]]), ("good", "outside"));
    }
}
