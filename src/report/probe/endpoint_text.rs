//! The output of `probe HOST:PORT` for people: what to change first, then what was seen, in 80 columns and
//! readable without colour.
//!
//! Shows what the JSON object holds; weighing it for an organization is the assessment's work.

use std::collections::{BTreeMap, BTreeSet};

use anstyle::{AnsiColor, Style};

use super::endpoint::{CertificateView, EndpointView, ProfileView};
use crate::catalogues::tls_profiles::Level;
use crate::evidence::endpoint::State;
use crate::records::cipher_suites::{self, KeyExchange};
use crate::records::tls_picture::Version;
use crate::records::tls_traits::NEVER_TRIED;

const WIDTH: usize = 80;

/// The view as text.
pub fn text(view: &EndpointView, color: bool) -> String {
    let mut page = Page { out: String::new(), color };
    let address = if view.address.is_empty() { "no address" } else { &view.address };
    page.line(&format!("{} ({address})", view.target));
    page.line(&format!("  {}", state_in_words(view)));
    if let Some(reason) = &view.not_observed {
        page.wrapped("  not everything could be asked: ", reason);
    }
    if view.state == State::Tls.as_str() {
        page.changes(view);
        page.versions(view);
        page.suites(view);
        page.beside(view);
        page.profiles(&view.profiles);
        view.certificates.iter().for_each(|certificate| page.certificate(certificate));
    }
    if view.injection != "not-tested" {
        page.line(&format!("\n  Commands injected before TLS: {}", view.injection));
    }
    page.line(&format!("\n  {} connections, {}", view.connections, duration_in_words(view.elapsed_ms)));
    page.out
}

/// How a kind of suite is shown, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Strong,
    Older,
    StaticKey,
    ShortBlock,
    Anonymous,
    Broken,
}

impl Class {
    fn of(name: &str) -> Self {
        // What is not registered is SSL 2.0's.
        let Some(suite) = cipher_suites::all().find(|suite| suite.name == name) else { return Self::Broken };
        if suite.is_broken() {
            Self::Broken
        } else if suite.is_anonymous() {
            Self::Anonymous
        } else if suite.is_short_block() {
            Self::ShortBlock
        } else if suite.is_static_key() {
            Self::StaticKey
        } else if suite.is_aead() && suite.key_exchange() != KeyExchange::Other {
            Self::Strong
        } else {
            Self::Older
        }
    }

    const fn heading(self) -> &'static str {
        match self {
            Self::Strong => "strong",
            Self::Older => "older: forward secrecy, but CBC mode or keys agreed elsewhere",
            Self::StaticKey => "no forward secrecy",
            Self::ShortBlock => "64-bit blocks",
            Self::Anonymous => "no authentication",
            Self::Broken => "broken",
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Strong => GOOD,
            Self::Older => Style::new(),
            Self::StaticKey => WARNING,
            Self::ShortBlock | Self::Anonymous | Self::Broken => BAD,
        }
    }
}

const GOOD: Style = AnsiColor::Green.on_default();
const WARNING: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const HEADING: Style = Style::new().bold();

struct Page {
    out: String,
    color: bool,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn painted(&self, style: Style, text: &str) -> String {
        if self.color { format!("{}{text}{}", style.render(), style.render_reset()) } else { text.to_owned() }
    }

    fn heading(&mut self, text: &str) {
        let heading = self.painted(HEADING, text);
        self.line(&format!("\n  {heading}"));
    }

    /// Writes `label` and `value`, broken at 80 columns under the label.
    fn wrapped(&mut self, label: &str, value: &str) {
        wrap(&mut self.out, label, value);
    }

    fn changes(&mut self, view: &EndpointView) {
        let changes = changes(view);
        if changes.is_empty() {
            let nothing = self.painted(GOOD, "Nothing to change was seen.");
            self.line(&format!("\n  {nothing}"));
            return;
        }
        self.heading("What to change");
        for (style, change) in changes {
            let mark = self.painted(style, "-");
            let mut block = String::new();
            wrap(&mut block, "    - ", &change);
            // Painted last, so that colour does not count as width.
            let block = block.replacen('-', &mark, 1);
            self.out.push_str(&block);
        }
    }

    fn versions(&mut self, view: &EndpointView) {
        self.heading("Versions");
        for version in Version::ALL.into_iter().rev() {
            let name = version.as_str();
            let word = view.versions.get(name).copied().unwrap_or("unknown");
            let style = match (word, version) {
                ("accepted", Version::Tls1_2 | Version::Tls1_3) => GOOD,
                ("accepted", Version::Ssl2 | Version::Ssl3 | Version::Tls1_0 | Version::Tls1_1) => BAD,
                _ => Style::new(),
            };
            let word = self.painted(style, &format!("{word:<9}"));
            self.line(&format!("    {name:<8} {word} {}", version_in_words(view, name)));
        }
    }

    /// Each suite once, with the versions that have it.
    fn suites(&mut self, view: &EndpointView) {
        let mut by_class: BTreeMap<Class, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
        for (version, suites) in view.suites.iter().rev() {
            for suite in suites {
                let versions = by_class.entry(Class::of(suite)).or_default().entry(suite).or_default();
                versions.push(version.trim_start_matches("TLSv"));
            }
        }
        self.heading("Suites");
        for (class, suites) in by_class {
            let heading = self.painted(class.style(), &format!("{} ({})", class.heading(), suites.len()));
            self.line(&format!("    {heading}"));
            for (suite, versions) in suites {
                self.line(&format!("      {suite:<48} {}", versions.join(" ")));
            }
        }
        let open: Vec<&str> = view.suites.keys().filter(|name| !view.exhaustive[*name]).copied().collect();
        if !open.is_empty() {
            let why = "other suites were not asked for; --mode full lists them all";
            self.wrapped(&format!("    {}: ", open.join(", ")), why);
        }
    }

    fn beside(&mut self, view: &EndpointView) {
        self.heading("Key exchange and the rest");
        for (version, groups) in view.groups.iter().rev() {
            self.wrapped(&format!("    {version} groups  "), &groups.join(" "));
        }
        let hybrid = view.groups.values().flatten().any(|group| group.contains("MLKEM"));
        if view.groups.contains_key(Version::Tls1_3.as_str()) {
            let words = if hybrid { "a hybrid group is accepted" } else { "no hybrid group was seen" };
            self.line(&format!("    against quantum computers: {words}"));
        }
        for (version, dh) in view.dh.iter().rev() {
            let known = dh.known_as.map(|name| format!(", {name}")).unwrap_or_default();
            self.line(&format!("    {version} Diffie-Hellman of {} bits{known}", dh.bits));
        }
        for (version, schemes) in view.signatures.iter().rev() {
            self.wrapped(&format!("    {version} signed with  "), &schemes.join(" "));
        }
        let with = |wanted: &str| {
            let names =
                view.features.iter().filter(|(_, word)| **word == wanted).map(|(name, _)| feature_in_words(name));
            names.collect::<Vec<_>>().join(", ")
        };
        for (label, word) in [("    yes: ", "yes"), ("    no: ", "no"), ("    not found out: ", "unknown")] {
            let names = with(word);
            if !names.is_empty() {
                self.wrapped(label, &names);
            }
        }
        self.wrapped("    never tried: ", NEVER_TRIED);
    }

    fn profiles(&mut self, profiles: &[ProfileView]) {
        if !profiles.is_empty() {
            self.heading("Outside published profiles");
        }
        for profile in profiles {
            let year = profile.published.get(..4).unwrap_or_default();
            let doubt = match profile.basis {
                "read" => String::new(),
                "secondary" => ", as others state it".to_owned(),
                other => format!(", {other}"),
            };
            let label = format!("    {} ({year}{doubt}): ", profile.name);
            wrap_to(&mut self.out, &label, &outside_in_words(profile), 6);
        }
    }

    fn certificate(&mut self, certificate: &CertificateView) {
        self.heading("Certificate");
        let leaf = &certificate.leaf;
        let timestamps = match leaf.log_timestamps {
            0 => String::new(),
            count => format!("{count} timestamps of transparency logs"),
        };
        for (label, value) in [
            ("subject", leaf.subject.clone()),
            ("names", leaf.san.join(" ")),
            ("issuer", leaf.issuer.clone()),
            ("valid", format!("{} to {}", day(&leaf.not_before), day(&leaf.not_after))),
            ("key", format!("{} {} bits", leaf.key.kind, leaf.key.bits)),
            ("signature", leaf.signature.clone()),
            ("logged", timestamps),
            ("trusted", if certificate.trusted { "yes" } else { "no" }.to_owned()),
            ("name", if certificate.hostname_matches { "matches" } else { "does not match" }.to_owned()),
            ("problems", certificate.problems.join(", ")),
        ] {
            if !value.is_empty() {
                self.wrapped(&format!("    {label:<10} "), &value);
            }
        }
    }
}

/// The day of an instant: people do not ask for the second.
fn day(instant: &str) -> &str {
    instant.split('T').next().unwrap_or(instant)
}

/// What should be otherwise, worst first, in a sentence each.
fn changes(view: &EndpointView) -> Vec<(Style, String)> {
    let mut changes = Vec::new();
    let accepted = |names: &[&'static str]| -> Vec<&'static str> {
        let is_accepted = |name: &&str| view.versions.get(*name) == Some(&"accepted");
        names.iter().copied().filter(is_accepted).collect()
    };
    let feature = |name: &str, word: &str| view.features.get(name) == Some(&word);
    let in_class = |class: Class| -> usize {
        let names: BTreeSet<&String> = view.suites.values().flatten().collect();
        names.into_iter().filter(|name| Class::of(name) == class).count()
    };
    let whole = view.suites.keys().all(|name| view.exhaustive.get(name) == Some(&true));
    let at_least = if whole { "" } else { "at least " };
    let mut say = |style: Style, holds: bool, sentence: &str| {
        if holds {
            changes.push((style, sentence.to_owned()));
        }
    };
    say(
        BAD,
        view.injection == "vulnerable",
        "Commands sent before TLS are acted on inside it: update the mail server.",
    );
    let ssl = accepted(&["SSLv3", "SSLv2"]);
    say(BAD, !ssl.is_empty(), &format!("{} is accepted, and broken (POODLE, DROWN): turn it off.", ssl.join(" and ")));
    let old = accepted(&["TLSv1.1", "TLSv1.0"]);
    say(
        BAD,
        !old.is_empty(),
        &format!("{} must no longer be used (RFC 8996): allow TLS 1.2 and 1.3 alone.", old.join(" and ")),
    );
    for (class, words) in [
        (Class::Broken, "no encryption worth the name: leave them out."),
        (Class::Anonymous, "no authentication, so that anybody on the way can answer: leave them out."),
        (Class::ShortBlock, "64-bit blocks (SWEET32): leave them out."),
        (Class::StaticKey, "no forward secrecy: leave them out."),
    ] {
        let count = in_class(class);
        let have = if count == 1 { "suite has" } else { "suites have" };
        say(class.style(), count > 0, &format!("{at_least}{count} {have} {words}"));
    }
    let bits = view.dh.values().map(|dh| dh.bits).min();
    let small = bits.filter(|&bits| bits < 2048);
    say(
        BAD,
        small.is_some(),
        &format!("Diffie-Hellman of {} bits is too small (Logjam): use 2048.", small.unwrap_or_default()),
    );
    say(BAD, feature("compression", "yes"), "TLS compresses (CRIME): turn compression off.");
    say(
        BAD,
        feature("secure_renegotiation", "no"),
        "Renegotiation is not tied to the connection (RFC 5746): update the TLS library.",
    );
    say(
        WARNING,
        feature("weak_signatures", "yes"),
        "Key exchanges may be signed with SHA-1 or MD5: leave those signatures out.",
    );
    say(
        WARNING,
        feature("extended_master_secret", "no"),
        "Keys are not bound to the handshake (RFC 7627): update the TLS library.",
    );
    say(WARNING, feature("truncated_hmac", "yes"), "Message checks are shortened: turn truncated_hmac off.");
    say(WARNING, feature("early_data", "yes"), "Early data can be replayed: turn it off.");
    say(WARNING, feature("starttls_inside", "yes"), "STARTTLS is offered again inside TLS: update the mail server.");
    let no_modern = accepted(&["TLSv1.3", "TLSv1.2"]).is_empty();
    say(BAD, no_modern, "Neither TLS 1.3 nor TLS 1.2 was found: update the TLS library.");
    let no_tls13 = view.versions.get("TLSv1.3") == Some(&"refused") && !no_modern;
    say(WARNING, no_tls13, "TLS 1.3 is refused: allow it.");
    for certificate in &view.certificates {
        let self_signed = certificate.problems.contains(&"self-signed");
        // What signs itself leads nowhere else: said once.
        let said = |problem: &&&str| !(self_signed && **problem == "untrusted");
        for problem in certificate.problems.iter().filter(said) {
            say(BAD, true, problem_in_words(problem));
        }
    }
    changes.dedup();
    changes
}

fn problem_in_words(problem: &str) -> &'static str {
    match problem {
        "expired" => "The certificate has expired: renew it.",
        "not-yet-valid" => "The certificate is not valid yet: check the clock, or serve the old one until then.",
        "name-mismatch" => "The certificate is for another name: get one for the name clients use.",
        "self-signed" => "The certificate is signed by itself: get one of a public authority.",
        "untrusted" => "The certificate leads to no trusted root.",
        "issuer-not-served" => "The certificate is served without its issuer's: serve the full chain.",
        "chain-order" => "The certificates are out of order: each belongs before the one that issued it.",
        "weak-key" => "The certificate's key is too small: make a new one of RSA 2048 bits, or P-256.",
        "weak-signature" => "The certificate is signed with a broken hash: renew it.",
        "key-not-proved" => "The service could not prove that it holds the certificate's key.",
        "not-stapled" => "The certificate demands a stapled response, and none is sent: turn stapling on.",
        _ => "The certificate cannot be read.",
    }
}

fn feature_in_words(name: &str) -> &str {
    match name {
        "cbc_without_encrypt_then_mac" => "CBC suites without encrypt-then-MAC",
        "client_certificate_asked" => "client certificate asked for",
        "compression" => "compression",
        "early_data" => "early data",
        "extended_master_secret" => "extended master secret",
        "fallback_refused" => "second try with an older version refused",
        "ocsp_staple" => "OCSP staple",
        "secure_renegotiation" => "renegotiation tied to the connection",
        "session_tickets" => "session tickets",
        "starttls_inside" => "STARTTLS inside TLS",
        "truncated_hmac" => "shortened MACs",
        "weak_signatures" => "signatures with SHA-1 or MD5",
        other => other,
    }
}

fn version_in_words(view: &EndpointView, version: &str) -> String {
    let order = match view.order.get(version).copied() {
        Some("server") => ", the server's order decides",
        Some("client") => ", the client's order decides",
        _ => "",
    };
    match view.suites.get(version).map(Vec::len) {
        None | Some(0) => String::new(),
        Some(1) => format!("1 suite{order}"),
        Some(count) => format!("{count} suites{order}"),
    }
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

fn duration_in_words(milliseconds: u64) -> String {
    if milliseconds < 1000 {
        format!("{milliseconds} ms")
    } else {
        format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
    }
}

fn wrap(out: &mut String, label: &str, value: &str) {
    // Under a long label there would be no room left.
    wrap_to(out, label, value, label.chars().count().min(WIDTH / 2));
}

fn wrap_to(out: &mut String, label: &str, value: &str, indent: usize) {
    let mut line = label.to_owned();
    let mut used = label.chars().count();
    let mut begun = false;
    for word in value.split(' ') {
        let length = word.chars().count();
        if begun && used + length + 1 > WIDTH {
            out.push_str(line.trim_end());
            out.push('\n');
            line = " ".repeat(indent);
            used = indent;
            begun = false;
        }
        if begun {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
        begun = true;
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

fn state_in_words(view: &EndpointView) -> String {
    let Some(state) = State::from_word(&view.state) else { return format!("state: {}", view.state) };
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
        State::Tls if view.starttls == "none" => "TLS is offered",
        State::Tls => "TLS is offered, after STARTTLS",
        State::Unreachable => "the service cannot be reached",
        State::Unresolved => "the name has no address",
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::probe::endpoint::tests::not_observed;
    use crate::report::probe::endpoint::{LeafView, view};
    use crate::seen::NotObserved;

    fn empty() -> EndpointView {
        view(&not_observed(NotObserved::TimedOut { after_ms: 5 })).unwrap()
    }

    fn old_server() -> EndpointView {
        let suites = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_DH_anon_WITH_AES_128_CBC_SHA"].map(str::to_owned);
        let mut seen = EndpointView { state: "tls".to_owned(), ..empty() };
        seen.not_observed = None;
        seen.versions.insert("TLSv1.0", "accepted");
        seen.versions.insert("TLSv1.2", "accepted");
        seen.versions.insert("TLSv1.3", "refused");
        seen.exhaustive.insert("TLSv1.2", true);
        seen.suites = BTreeMap::from([("TLSv1.0", suites[1..].to_vec()), ("TLSv1.2", suites.to_vec())]);
        seen.groups = BTreeMap::from([("TLSv1.2", vec!["x25519".to_owned()])]);
        seen.features = BTreeMap::from([("compression", "yes"), ("session_tickets", "unknown")]);
        seen
    }

    #[test]
    fn what_to_change_comes_first_and_each_suite_once() {
        let text = text(&old_server(), false);
        let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
        assert!(at("What to change") < at("Versions"));
        assert!(at("TLSv1.0 must no longer be used") < at("at least 1 suite has no authentication"));
        assert!(text.contains("TLS compresses (CRIME)") && text.contains("TLS 1.3 is refused"));
        assert_eq!(text.matches("TLS_DH_anon_WITH_AES_128_CBC_SHA").count(), 1);
        let line = text.lines().find(|line| line.contains("TLS_DH_anon")).unwrap();
        assert!(line.ends_with(" 1.2 1.0"), "{line}");
        assert!(text.contains("not found out: session tickets"));
        assert!(text.contains("TLSv1.0: other suites were not asked for"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let plain = text(&old_server(), false);
        let colored = text(&old_server(), true);
        assert!(!plain.contains('\u{1b}') && colored.contains('\u{1b}'));
        let mut stripped = String::new();
        let mut rest = colored.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            stripped.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        stripped.push_str(rest);
        assert_eq!(stripped, plain);
    }

    #[test]
    fn a_service_with_nothing_wrong_is_told_so() {
        let mut good = old_server();
        good.versions.remove("TLSv1.0");
        good.versions.insert("TLSv1.3", "accepted");
        good.suites = BTreeMap::from([("TLSv1.3", vec!["TLS_AES_128_GCM_SHA256".to_owned()])]);
        good.features.clear();
        assert!(text(&good, false).contains("Nothing to change was seen."));
    }

    #[test]
    fn the_text_fits_80_columns_and_shows_no_control_byte() {
        let mut shown = view(&not_observed(NotObserved::Refused { what: "x\u{1b}[2J ".repeat(30) })).unwrap();
        shown.state = "tls".to_owned();
        shown.certificates.push(CertificateView {
            leaf: LeafView { san: (0..30).map(|n| format!("mx{n}.clinic.example")).collect(), ..LeafView::default() },
            chain: Vec::new(),
            trusted: false,
            hostname_matches: false,
            problems: vec!["untrusted", "name-mismatch"],
        });
        let text = text(&shown, false);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
    }
}
