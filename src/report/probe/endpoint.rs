//! The output of `probe HOST:PORT`: the contract's JSON object, and a text for terminals.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::catalogues::tls_profiles::{Level, TlsProfiles};
use crate::evidence::endpoint::{EndpointAnswer, Handshake, State};
use crate::evidence::{Answer, Observation, Question};
use crate::records::certificate::{self, Certificate};
use crate::records::cipher_suites;
use crate::records::tls_groups;
use crate::records::tls_picture::{Order, Support, TlsPicture, Version, picture};
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
    /// `expired`, `not-yet-valid`, `name-mismatch`, `self-signed`, `untrusted`, `weak-key`,
    /// `weak-signature`, `key-not-proved`, `unreadable`.
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
        certificates: certificates(answer, observation.asked_at),
        connections: answer.connections,
        not_observed: answer.cut_short.as_ref().map(|reason| visible(&reason.to_string())),
        ..empty
    };
    EndpointView { profiles: profiles(&view), ..view }
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
            published: profile.published.to_string(),
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
            CertificateView {
                problems: problems(leaf.as_ref(), trusted, matches, proved || answer.chains.len() > 1, asked_at),
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
        sha256: leaf.sha256,
    }
}

fn problems(
    leaf: Option<&Certificate>,
    trusted: bool,
    matches: bool,
    proved: bool,
    asked_at: jiff::Timestamp,
) -> Vec<&'static str> {
    let Some(leaf) = leaf else { return vec!["unreadable"] };
    let weak_hash = ["md2", "md5", "sha1"].contains(&leaf.signature_hash.as_str());
    [
        (leaf.days_left(asked_at) < 0, "expired"),
        (leaf.is_not_yet_valid(asked_at), "not-yet-valid"),
        (!matches, "name-mismatch"),
        (leaf.self_signed, "self-signed"),
        (!trusted, "untrusted"),
        (leaf.strength() < 112, "weak-key"),
        // A root's own signature protects nothing, but a self-signed leaf's is all there is.
        (weak_hash, "weak-signature"),
        (!proved, "key-not-proved"),
    ]
    .into_iter()
    .filter_map(|(is_there, word)| is_there.then_some(word))
    .collect()
}

/// The view as text for a terminal of 80 columns.
pub fn text(view: &EndpointView) -> String {
    let mut out = String::new();
    let address = if view.address.is_empty() { "no address" } else { &view.address };
    let _ = writeln!(out, "{} ({address})", view.target);
    let _ = writeln!(out, "  {}", state_in_words(&view.state));
    if let Some(reason) = &view.not_observed {
        wrap(&mut out, "  not everything could be asked: ", reason);
    }
    if view.state == State::Tls.as_str() {
        let _ = writeln!(out, "\n  Versions");
        for version in Version::ALL.iter().rev() {
            let name = version.as_str();
            let word = view.versions.get(name).copied().unwrap_or("unknown");
            let _ = writeln!(out, "    {name:<8} {word}{}", suites_in_words(view, name));
        }
        for (name, suites) in view.suites.iter().rev() {
            let complete = view.exhaustive.get(name).copied().unwrap_or(false);
            let heading = if complete { "" } else { " (some of them; others were not asked for)" };
            let _ = writeln!(out, "\n  {name} suites{heading}");
            for suite in suites {
                let class = class_in_words(suite).map(|class| format!("  ({class})")).unwrap_or_default();
                let _ = writeln!(out, "    {suite}{class}");
            }
            if let Some(groups) = view.groups.get(name) {
                wrap(&mut out, "    groups: ", &groups.join(" "));
            }
            if let Some(dh) = view.dh.get(name) {
                let known = dh.known_as.map(|name| format!(", {name}")).unwrap_or_default();
                let _ = writeln!(out, "    Diffie-Hellman: {} bits{known}", dh.bits);
            }
            match view.order.get(name).copied() {
                Some("server") => out.push_str("    the server's order decides\n"),
                Some("client") => out.push_str("    the client's order decides\n"),
                _ => {}
            }
        }
    }
    if !view.profiles.is_empty() {
        out.push_str("\n  Outside published profiles\n");
    }
    for profile in &view.profiles {
        let year = profile.published.get(..4).unwrap_or_default();
        let doubt = if profile.basis == "read" { String::new() } else { format!(", {}", profile.basis) };
        wrap(&mut out, &format!("    {} ({year}{doubt}): ", profile.name), &outside_in_words(profile));
    }
    for certificate in &view.certificates {
        out.push_str("\n  Certificate\n");
        for (label, value) in [
            ("subject", certificate.leaf.subject.clone()),
            ("names", certificate.leaf.san.join(" ")),
            ("issuer", certificate.leaf.issuer.clone()),
            ("valid", format!("{} to {}", certificate.leaf.not_before, certificate.leaf.not_after)),
            ("key", format!("{} {} bits", certificate.leaf.key.kind, certificate.leaf.key.bits)),
            ("signature", certificate.leaf.signature.clone()),
            ("trusted", if certificate.trusted { "yes" } else { "no" }.to_owned()),
            ("name", if certificate.hostname_matches { "matches" } else { "does not match" }.to_owned()),
            ("problems", certificate.problems.join(", ")),
        ] {
            if !value.is_empty() {
                wrap(&mut out, &format!("    {label:<10} "), &value);
            }
        }
    }
    if view.injection != "not-tested" {
        let _ = writeln!(out, "\n  Commands injected before TLS: {}", view.injection);
    }
    let _ = writeln!(out, "\n  {} connections, {} ms", view.connections, view.elapsed_ms);
    out
}

/// What is wrong with a suite whatever the profile, in a word or two.
fn class_in_words(name: &str) -> Option<&'static str> {
    let suite = cipher_suites::all().find(|suite| suite.name == name);
    let Some(suite) = suite else { return name.starts_with("SSL_CK_").then_some("broken") };
    [
        (suite.is_anonymous(), "no authentication"),
        (suite.is_broken(), "broken"),
        (suite.is_short_block(), "64-bit blocks"),
        (suite.is_static_key(), "no forward secrecy"),
    ]
    .into_iter()
    .find_map(|(is_so, word)| is_so.then_some(word))
}

fn outside_in_words(profile: &ProfileView) -> String {
    let outside = |level: &&'static str| *level == Level::Outside.as_str();
    let count = |levels: &BTreeMap<String, &'static str>, what: &str| {
        let found = levels.values().filter(|level| outside(level)).count();
        (found > 0).then(|| format!("{found} of {} {what}", levels.len()))
    };
    let versions = profile.versions.iter().filter(|(_, level)| outside(level)).map(|(version, _)| *version);
    let versions = versions.collect::<Vec<_>>().join(", ");
    let parts = [
        (!versions.is_empty()).then_some(versions),
        count(&profile.suites, "suites"),
        count(&profile.groups, "groups"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "nothing that was seen".to_owned() } else { parts.join("; ") }
}

fn suites_in_words(view: &EndpointView, version: &str) -> String {
    match view.suites.get(version).map(Vec::len) {
        None | Some(0) => String::new(),
        Some(1) => ", 1 suite".to_owned(),
        Some(count) => format!(", {count} suites"),
    }
}

/// Writes `label` and `value`, broken at 80 columns under the label.
fn wrap(out: &mut String, label: &str, value: &str) {
    const WIDTH: usize = 80;
    let indent = label.chars().count();
    let mut line = label.to_owned();
    let mut used = indent;
    for word in value.split(' ') {
        let length = word.chars().count();
        if used > indent && used + length + 1 > WIDTH {
            out.push_str(line.trim_end());
            out.push('\n');
            line = " ".repeat(indent);
            used = indent;
        }
        if used > indent {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

fn state_in_words(word: &str) -> String {
    let Some(state) = State::from_word(word) else { return format!("state: {word}") };
    let words = match state {
        State::Limit => "a limit of ours ended the look before an answer",
        State::NoTls => "TLS is spoken, but nothing could be agreed on",
        State::NotInScope => "not asked: not in scope",
        State::NotTls => "what answers there speaks neither TLS nor the protocol of the port",
        State::Refused421 => "the service turned us away for now (421)",
        State::Refused4xx => "the service turned us away for now",
        State::Refused554 => "the service refuses to talk to us (554)",
        State::Refused5xx => "the service refuses to talk to us",
        State::StarttlsBroken => "STARTTLS is accepted, but no TLS follows",
        State::StarttlsNotOffered => "no TLS: STARTTLS is not offered",
        State::StarttlsRefused => "no TLS: STARTTLS is offered and then refused",
        State::StarttlsRefusedTemporary => "STARTTLS is refused for now",
        State::StarttlsStripped => "no TLS: something on the way wrote over STARTTLS",
        State::Timeout => "no answer in time",
        State::Tls => "TLS is offered",
        State::Unreachable => "the service cannot be reached",
        State::Unresolved => "the name has no address",
    };
    words.to_owned()
}

/// What the picture says of one version, for callers that need a word.
pub fn version_word(picture: &TlsPicture, version: Version) -> &'static str {
    support_word(picture.version(version).support)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Source;
    use crate::names::{SubjectId, SubjectKind};

    fn not_observed(reason: NotObserved) -> Observation {
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
        let text = text(&seen);
        assert!(text.contains("RFC 9325 (BCP 195) (2022): TLSv1.0; 1 of 2 suites\n"), "{text}");
        assert!(text.contains("TLS_DH_anon_WITH_AES_128_CBC_SHA  (no authentication)"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn the_text_fits_80_columns_and_shows_no_control_byte() {
        let mut shown = view(&not_observed(NotObserved::Refused { what: "x\u{1b}[2J ".repeat(30) })).unwrap();
        shown.certificates.push(CertificateView {
            leaf: LeafView { san: (0..30).map(|n| format!("mx{n}.clinic.example")).collect(), ..LeafView::default() },
            chain: Vec::new(),
            trusted: false,
            hostname_matches: false,
            problems: vec!["untrusted", "name-mismatch"],
        });
        let text = text(&shown);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
    }
}
