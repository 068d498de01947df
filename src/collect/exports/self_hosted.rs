//! Reads what an own mail server was told to do with mail: Sieve scripts, alias maps, `.forward`
//! files and Postfix's settings.
//!
//! Whose script it is stands in the file's path. A program that mail is piped into may send it
//! anywhere, so it counts as a recipient that nobody can name.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::bundle::Content;
use super::decode::{Decoded, Survey};
use super::recipient::{self, reference};
use super::row::address;
use super::words;
use crate::evidence::export::{ForwardingRule, Record, Target, TenantSetting};
use crate::keyed::KeyedReference;
use crate::records::dkim_tables;
use crate::records::sieve::{self, Action, Block};
use crate::seen::{NotObserved, Seen};

pub(super) const PROVIDER: &str = "self-hosted";
/// Longer texts are none of these.
const TEXT_BYTES: u64 = sieve::SCRIPT_BYTES as u64;

/// What was read of one file.
pub struct Found {
    pub format: &'static str,
    pub rows: u64,
    /// Why the file may mean something else than was read.
    pub faults: Vec<String>,
    pub records: Vec<Record>,
}

/// Reads the file if it is one of these.
pub fn read(content: &Content, label: &str, survey: &Survey, key: &KeyedReference) -> Option<Found> {
    if survey.bytes == 0 || survey.bytes > TEXT_BYTES || survey.binary.is_some() {
        return None;
    }
    let file = content.open().ok()?;
    let mut bytes = Vec::new();
    Decoded::new(file.take(survey.bytes), survey.encoding).take(TEXT_BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let name = label.rsplit('/').next().unwrap_or(label).to_ascii_lowercase();
    if name.ends_with(".sieve") || looks_like_sieve(&text) {
        Some(sieve_script(&text, label, key))
    } else if name == ".forward" || name.ends_with(".forward") {
        Some(forward_file(&text, label, key))
    } else if let Some(signing) = dkim_tables::read(&text) {
        // What it names was read before DNS was asked.
        let rows = signing.keys.len() as u64;
        Some(Found { format: signing.format, rows, faults: Vec::new(), records: Vec::new() })
    } else if looks_like_postconf(&text) {
        Some(postfix(&text, key))
    } else if looks_like_doveconf(&text) {
        Some(dovecot(&text))
    } else if name.starts_with("aliases") || looks_like_aliases(&text) {
        Some(aliases(&text, key))
    } else {
        None
    }
}

/// The first word that is no comment, and whether commands end as Sieve's do.
fn looks_like_sieve(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(['#', '/', '*']));
    let Some(first) = first else { return false };
    let word = first.split(|c: char| c.is_whitespace() || matches!(c, '[' | '"' | ';')).next().unwrap_or_default();
    ["require", "if", "redirect", "fileinto", "keep", "vacation"].contains(&word.to_ascii_lowercase().as_str())
        && text.contains(';')
        && first[word.len()..].contains(['[', '"', ' ', ';'])
}

fn looks_like_postconf(text: &str) -> bool {
    const NAMES: [&str; 6] =
        ["mydestination", "myhostname", "inet_interfaces", "smtpd_banner", "queue_directory", "mynetworks"];
    let names = text.lines().filter_map(|line| line.split_once(" =")).map(|(name, _)| name);
    names.filter(|name| NAMES.contains(name)).count() >= 2
}

/// `doveconf -n` begins with the version as a comment, and nests settings in blocks.
fn looks_like_doveconf(text: &str) -> bool {
    const NAMES: [&str; 7] =
        ["auth_mechanisms", "mail_location", "mail_path", "mail_plugins", "protocols", "ssl", "disable_plaintext_auth"];
    let names = text.lines().filter_map(|line| line.split_once(" =")).map(|(name, _)| name);
    names.filter(|name| NAMES.contains(name)).count() >= 2
        && text.lines().any(|line| line.ends_with('{') || line.starts_with("# 2."))
}

fn looks_like_aliases(text: &str) -> bool {
    const NAMES: [&str; 4] = ["postmaster", "mailer-daemon", "abuse", "root"];
    let lines = text.lines().filter(|line| !line.starts_with(['#', ' ', '\t']) && !line.trim().is_empty());
    let (mut known, mut others) = (0, 0);
    for line in lines {
        match line.split_once(':') {
            Some((name, _)) if NAMES.contains(&name.trim().to_ascii_lowercase().as_str()) => known += 1,
            Some(_) => {}
            None => others += 1,
        }
    }
    known > 0 && others == 0
}

/// Whose file it is: an address in its path, or the name of the folder or file it lies in.
fn owner(label: &str, key: &KeyedReference) -> (Seen<String>, Option<String>) {
    const NOBODY: [&str; 9] = ["", "active", "default", "dovecot", "forward", "home", "mail", "scripts", "sieve"];
    let parts = || label.rsplit('/').map(|part| part.trim_start_matches('.'));
    let stem = |part: &str| -> String {
        let part = part.strip_suffix(".sieve").or_else(|| part.strip_suffix(".forward")).unwrap_or(part);
        part.to_owned()
    };
    if let Some(found) = parts().find_map(|part| address(&stem(part))) {
        return (Seen::Present(found), None);
    }
    let reason = NotObserved::Unreadable { why: "the file's path names no address".to_owned(), line: None };
    let named = parts().map(stem).find(|part| !NOBODY.contains(&part.to_ascii_lowercase().as_str()));
    (Seen::Unknown(reason), named.map(|part| reference(&part, key)))
}

pub(super) fn rule(origin: &str, mailbox: (Seen<String>, Option<String>), reference: String) -> ForwardingRule {
    ForwardingRule {
        mailbox: mailbox.0,
        owner: mailbox.1,
        enabled: Seen::Present(true),
        has_conditions: Seen::Present(false),
        name_class: Seen::Absent,
        hidden: Seen::Present(false),
        ..ForwardingRule::unstated(PROVIDER, origin, reference)
    }
}

pub(super) fn one(text: &str, key: &KeyedReference) -> Target {
    let mut targets = recipient::of_text(text, key);
    if targets.len() == 1 { targets.remove(0) } else { Target::Unparseable }
}

fn sieve_script(text: &str, label: &str, key: &KeyedReference) -> Found {
    let script = sieve::read(text);
    let mailbox = owner(label, key);
    let mut faults: Vec<String> = script.faults.iter().map(|fault| format!("as a Sieve script, {fault}")).collect();
    if script.includes {
        faults.push("it includes another script, whose actions are not here".to_owned());
    }
    let file = label.rsplit('/').next().unwrap_or(label);
    let records = script.blocks.iter().enumerate().map(|(number, block)| {
        let own = rule("sieve", mailbox.clone(), key.of(&format!("{file}/{number}")));
        Record::ForwardingRule(Box::new(of_block(block, own, key)))
    });
    Found { format: "self-hosted.sieve", rows: script.blocks.len() as u64, faults, records: records.collect() }
}

pub(super) fn of_block(block: &Block, mut rule: ForwardingRule, key: &KeyedReference) -> ForwardingRule {
    let keeps = block.actions.iter().any(|action| match action {
        Action::Keep => true,
        Action::FileInto { folder, .. } => !words::hiding_folder(folder),
        Action::AddFlag { .. }
        | Action::Discard
        | Action::NotifyMailto(_)
        | Action::Program { .. }
        | Action::Redirect { .. }
        | Action::Stop => false,
    });
    let (mut targets, mut actions) = (Vec::new(), Vec::new());
    let (mut deletes, mut hides, mut marks_read) = (false, false, false);
    for action in &block.actions {
        actions.push(match action {
            Action::AddFlag { seen } => {
                marks_read |= seen;
                "mark-read"
            }
            Action::Discard => {
                deletes = true;
                "delete"
            }
            Action::FileInto { folder, .. } => {
                let class = words::folder_class(folder);
                let hidden = class != "other";
                hides |= hidden;
                if hidden || rule.folder == Seen::Absent {
                    rule.folder = Seen::Present(class.to_owned());
                }
                if hidden { "hide" } else { "move" }
            }
            Action::Keep => continue,
            Action::Program { copy } => {
                targets.push(Target::Unparseable);
                deletes |= !copy && !keeps;
                "pipe"
            }
            Action::NotifyMailto(to) => {
                targets.push(one(to, key));
                "forward"
            }
            Action::Redirect { to, copy } => {
                targets.push(to.as_deref().map_or(Target::Unparseable, |to| one(to, key)));
                // A redirect cancels the copy that stays (RFC 5228 section 4.2), unless told to copy (RFC 3894).
                deletes |= !copy && !keeps;
                "redirect"
            }
            Action::Stop => "stop",
        });
    }
    targets.sort();
    targets.dedup();
    actions.sort_unstable();
    actions.dedup();
    rule.actions = actions.into_iter().map(str::to_owned).collect();
    rule.targets = if targets.is_empty() { Seen::Absent } else { Seen::Present(targets) };
    rule.deletes = Seen::Present(deletes);
    rule.hides = Seen::Present(hides);
    rule.marks_read = Seen::Present(marks_read);
    rule.has_conditions = Seen::Present(block.conditional);
    rule.keywords = words::keyword_classes(block.looks_for.iter().map(String::as_str));
    rule
}

/// What an alias or a `.forward` file names (aliases(5)).
#[derive(Default)]
struct Destinations {
    targets: Vec<Target>,
    /// Whether a local copy stays.
    keeps: bool,
    /// Whether a program is among them.
    pipes: bool,
    /// Why another file lists more.
    more: Option<NotObserved>,
}

impl Destinations {
    fn actions(&self) -> Vec<String> {
        let words = [(!self.targets.is_empty() || self.more.is_some(), "redirect"), (self.pipes, "pipe")];
        words.into_iter().filter(|(does, _)| *does).map(|(_, word)| word.to_owned()).collect()
    }
}

fn destinations(text: &str, key: &KeyedReference) -> Destinations {
    let mut found = Destinations::default();
    let (mut quoted, mut from) = (false, 0);
    let mut parts = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' | b'\n' if !quoted => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    for part in parts {
        let part = part.trim().trim_matches('"').trim();
        if part.is_empty() || part.starts_with('#') {
            continue;
        }
        if part.starts_with('|') {
            found.pipes = true;
            found.targets.push(Target::Unparseable);
        } else if part.starts_with(":include:") {
            found.more = Some(NotObserved::NotProvided { what: "the list that an alias includes".to_owned() });
        } else if part.contains('@') {
            found.targets.push(one(part, key));
        } else {
            // A local name, `\user`, or a file: it stays on the server.
            found.keeps = true;
        }
    }
    found.targets.sort();
    found.targets.dedup();
    found
}

fn forward_file(text: &str, label: &str, key: &KeyedReference) -> Found {
    let named = destinations(text, key);
    let mut own = rule("forward-file", owner(label, key), key.of("forward-file"));
    own.actions = named.actions();
    own.deletes = Seen::Present(!named.targets.is_empty() && !named.keeps);
    (own.targets, own.targets_incomplete) = seen(named.targets, named.more);
    Found {
        format: "self-hosted.forward-file",
        rows: 1,
        faults: Vec::new(),
        records: vec![Record::ForwardingRule(Box::new(own))],
    }
}

fn seen(targets: Vec<Target>, more: Option<NotObserved>) -> (Seen<Vec<Target>>, Option<NotObserved>) {
    match (targets.is_empty(), more) {
        (true, Some(reason)) => (Seen::Unknown(reason), None),
        (true, None) => (Seen::Absent, None),
        (false, more) => (Seen::Present(targets), more),
    }
}

/// Lines that begin with white space belong to the line before them.
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match lines.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ if line.trim().is_empty() => {}
            Some(_) | None => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Name and recipients of one entry: `name: to, to` (aliases(5)), or `name to, to` as in other maps
/// that postmap reads (virtual(5)).
fn entry(line: &str) -> Option<(&str, &str)> {
    let name_ends = match line.strip_prefix('"') {
        Some(quoted) => quoted.find('"')? + 2,
        None => line.find(|c: char| c.is_whitespace() || c == ':')?,
    };
    let (name, rest) = line.split_at(name_ends);
    let rest = rest.trim_start();
    let value = rest.strip_prefix(':').unwrap_or(rest).trim();
    (!name.is_empty() && !value.is_empty()).then_some((name, value))
}

fn aliases(text: &str, key: &KeyedReference) -> Found {
    let (mut rows, mut faults, mut records) = (0, Vec::new(), Vec::new());
    for line in unfolded(text) {
        let Some((name, value)) = entry(&line) else {
            faults.push("a line of the alias map names no alias, or nobody it stands for".to_owned());
            continue;
        };
        rows += 1;
        let named = destinations(value, key);
        if named.targets.is_empty() && named.more.is_none() {
            continue;
        }
        let mut own = rule("alias", (Seen::Absent, None), key.of(&name.trim().to_lowercase()));
        own.actions = named.actions();
        (own.targets, own.targets_incomplete) = seen(named.targets, named.more);
        records.push(Record::ForwardingRule(Box::new(own)));
    }
    faults.dedup();
    Found { format: "self-hosted.aliases", rows, faults, records }
}

/// Kinds of maps that are files; the collector brings those.
const FILES: [&str; 6] = ["btree", "cdb", "dbm", "hash", "lmdb", "texthash"];

/// The maps that a setting names.
fn maps_of(value: &str) -> impl Iterator<Item = &str> {
    let maps = value.split(|c: char| c.is_whitespace() || matches!(c, ',' | '{' | '}')).filter(|map| !map.is_empty());
    maps.map(|map| map.strip_prefix("proxy:").unwrap_or(map))
}

/// Whether a setting names a map that is no file: a directory, a database, patterns.
fn asks_elsewhere(value: &str) -> bool {
    maps_of(value)
        .any(|map| !map.starts_with('$') && map.split_once(':').is_none_or(|(kind, _)| !FILES.contains(&kind)))
}

/// The line that stands before what `postconf -P` told of the services of master.cf, be it nothing.
const SERVICES: &str = "# postconf -P";

/// Settings of Postfix that hand mail to a program, to another server or to whom a map or a list of patterns
/// names (postconf(5), transport(5), header_checks(5): BCC, FILTER, REDIRECT). Access maps and milters can do
/// the same and are not looked at.
const HANDS_OVER: [&str; 12] = [
    "body_checks",
    "content_filter",
    "fallback_transport_maps",
    "header_checks",
    "mailbox_command",
    "mailbox_command_maps",
    "mailbox_transport_maps",
    "milter_header_checks",
    "mime_header_checks",
    "nested_header_checks",
    "smtpd_proxy_filter",
    "transport_maps",
];

/// Settings that name the delivery agent of the organization's own mail.
const DELIVERS: [&str; 5] =
    ["fallback_transport", "local_transport", "mailbox_transport", "relay_transport", "virtual_transport"];

/// Whether a delivery agent named so leaves mail on this server: Postfix's own, those that deliver nothing, and
/// LMTP over a socket or the loopback address, which mailbox servers such as Dovecot listen on.
fn stays(transport: &str) -> bool {
    let (agent, next_hop) = transport.split_once(':').unwrap_or((transport, ""));
    match agent {
        "discard" | "error" | "local" | "retry" | "virtual" => true,
        // Several next hops are tried one after another.
        "lmtp" if !next_hop.contains([',', ' ', '\t']) => {
            let host = next_hop.strip_prefix("inet:").unwrap_or(next_hop);
            let port = ["127.0.0.1", "[127.0.0.1]", "[::1]", "localhost", "[localhost]"]
                .into_iter()
                .find_map(|name| host.strip_prefix(name));
            let is_port = |text: &str| {
                text.is_empty()
                    || text.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
            };
            next_hop.starts_with("unix:") || port.is_some_and(is_port)
        }
        _ => false,
    }
}

/// The recipient that a setting names; a local name stays on the server.
fn to_one(value: &str, key: &KeyedReference) -> Seen<Vec<Target>> {
    match one(value, key) {
        Target::Unresolved { .. } => Seen::Absent,
        target => Seen::Present(vec![target]),
    }
}

/// `postconf -n`, and `postconf -P` below it: settings that copy all mail to somebody or hand it to a program,
/// maps that only the server can ask, and when passwords are taken.
fn postfix(text: &str, key: &KeyedReference) -> Found {
    let lines = unfolded(text);
    let mut records = Vec::new();
    let settings =
        || lines.iter().filter_map(|line| line.split_once('=')).map(|(name, value)| (name.trim(), value.trim()));
    let redirects =
        |name: &str| ["alias_maps", "canonical_maps", "recipient_canonical_maps", "virtual_alias_maps"].contains(&name);
    let of_main: BTreeSet<&str> =
        settings().filter(|(whole_name, _)| redirects(whole_name)).flat_map(|(_, value)| maps_of(value)).collect();
    for (whole_name, value) in settings() {
        // What one service is told alone: `cleanup/unix/always_bcc = ...`.
        let (service, name) = whole_name.rsplit_once('/').unwrap_or(("", whole_name));
        // Names of settings are Postfix's own, those of services are not.
        let called = if service.is_empty() { name.to_owned() } else { format!("{name}-{}", key.of(service)) };
        let mut add = |action: &str, targets, has_conditions| {
            let mut own = rule("postfix", (Seen::Absent, None), called.clone());
            (own.actions, own.targets) = (vec![action.to_owned()], targets);
            own.has_conditions = Seen::Present(has_conditions);
            records.push(Record::ForwardingRule(Box::new(own)));
        };
        // The collector brings the maps that are files of main.cf, and no others.
        let of_one = || maps_of(value).any(|map| !map.starts_with('$') && !of_main.contains(map));
        if redirects(name) && (asks_elsewhere(value) || (!service.is_empty() && of_one())) {
            add("redirect", Seen::not_provided(format!("a map of {name} that is no file of main.cf")), true);
        }
        if value.is_empty() {
            continue;
        }
        if HANDS_OVER.contains(&name) || (DELIVERS.contains(&name) && !stays(value)) {
            // A map or a list of patterns is about some mail.
            let of_some = name.ends_with("_maps") || name.ends_with("_checks");
            add("pipe", Seen::Present(vec![Target::Unparseable]), of_some);
        }
        match name {
            "always_bcc" => add("blind-copy", to_one(value, key), false),
            // Mail for nobody on this server goes to somebody.
            "luser_relay" => add("redirect", to_one(value, key), true),
            "recipient_bcc_maps" | "sender_bcc_maps" => {
                add("blind-copy", Seen::not_provided(format!("the map that {name} names")), true);
            }
            _ => {}
        }
    }
    let services_told = text.lines().any(|line| line.trim_end() == SERVICES);
    records.push(setting("passwords-in-clear", "postfix", passwords_in_clear(&lines, services_told)));
    Found { format: "self-hosted.postfix", rows: lines.len() as u64, faults: Vec::new(), records }
}

/// Whether any service takes passwords before TLS (postconf(5): smtpd_tls_auth_only). A service has the
/// settings of main.cf but for those that master.cf gives it: `submission/inet/smtpd_tls_auth_only = no`.
/// That none does is known only where those were told.
fn passwords_in_clear(lines: &[String], services_told: bool) -> Seen<bool> {
    let mut settings: BTreeMap<&str, &str> = BTreeMap::new();
    let mut services: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::from([("", BTreeMap::new())]);
    for (name, value) in lines.iter().filter_map(|line| line.split_once('=')) {
        match name.trim().rsplit_once('/') {
            Some((service, name)) if name.starts_with("smtpd_") => {
                services.entry(service).or_default().insert(name, value.trim());
            }
            // A service that is told nothing about its clients' sessions takes none, or is as main.cf says.
            Some(_) => {}
            None => _ = settings.insert(name.trim(), value.trim()),
        }
    }
    // Where services that take passwords by main.cf take none by master.cf, none may be left that does.
    let takes_none = |own: &BTreeMap<&str, &str>| {
        own.get("smtpd_sasl_auth_enable").is_some_and(|value| value.eq_ignore_ascii_case("no"))
    };
    let excepted = services.iter().any(|(service, own)| is_for_clients(service) && takes_none(own));
    let mut in_doubt = false;
    for own in services.values() {
        let of = |name: &str| own.get(name).or_else(|| settings.get(name)).copied().unwrap_or_default();
        let is = |name: &str, value: &str| of(name).eq_ignore_ascii_case(value);
        if !is("smtpd_sasl_auth_enable", "yes") {
            // A name of another setting stands for its value.
            in_doubt |= of("smtpd_sasl_auth_enable").contains('$');
        } else if !is("smtpd_tls_auth_only", "yes") && !is("smtpd_tls_wrappermode", "yes") && !demands_tls(&of) {
            // Ways of signing in that send no password may be taken before TLS.
            let hidden = of("smtpd_sasl_security_options").contains("noplaintext");
            const SAYS: [&str; 5] = [
                "smtpd_enforce_tls",
                "smtpd_sasl_security_options",
                "smtpd_tls_auth_only",
                "smtpd_tls_security_level",
                "smtpd_tls_wrappermode",
            ];
            let left = !own.is_empty() || !excepted;
            if left && !hidden && !SAYS.iter().any(|name| of(name).contains('$')) {
                return Seen::Present(true);
            }
            in_doubt = true;
        }
    }
    match (services_told, in_doubt) {
        (true, false) => Seen::Present(false),
        (true, true) => {
            let why = "the settings of Postfix do not show whether a service takes passwords before TLS".to_owned();
            Seen::Unknown(NotObserved::Unreadable { why, line: None })
        }
        (false, _) => Seen::not_provided("the settings of Postfix's services (postconf -P, below `# postconf -P`)"),
    }
}

/// Whether a service of master.cf is one that mail programs and servers connect to, and not one between
/// filters: `smtp`, what postscreen hands over to (`smtpd`), `submission` and `smtps`, by name or number.
fn is_for_clients(service: &str) -> bool {
    let name = service.split('/').next().unwrap_or_default();
    let port = name.rsplit(':').next().unwrap_or_default();
    ["25", "465", "587", "smtp", "smtpd", "smtps"].contains(&port) || port.starts_with("submission")
}

/// Whether a session is refused without TLS. The older setting is read only where the newer is empty, and
/// levels for the client's side count as `encrypt` (postconf(5): smtpd_tls_security_level, smtpd_enforce_tls).
fn demands_tls<'a>(of: &impl Fn(&str) -> &'a str) -> bool {
    const LEVELS: [&str; 4] = ["encrypt", "fingerprint", "secure", "verify"];
    match of("smtpd_tls_security_level") {
        "" => of("smtpd_enforce_tls").eq_ignore_ascii_case("yes"),
        level => LEVELS.iter().any(|known| level.eq_ignore_ascii_case(known)),
    }
}

/// `doveconf -n`: whether a password may be sent in the clear, and whether TLS is demanded. What
/// stands in a block holds for a part only and is not taken for the whole.
fn dovecot(text: &str) -> Found {
    let (mut depth, mut rows, mut faults) = (0_usize, 0, Vec::new());
    let mut settings: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        rows += 1;
        if line.ends_with('{') {
            depth += 1;
        } else if line == "}" {
            depth = depth.saturating_sub(1);
        } else if depth == 0 {
            match line.split_once('=') {
                Some((name, value)) => {
                    settings.insert(name.trim().to_owned(), value.trim().to_ascii_lowercase());
                }
                None => faults.push("a line sets nothing".to_owned()),
            }
        }
    }
    if depth > 0 {
        faults.push("a block does not end".to_owned());
    }
    faults.dedup();
    let is = |name: &str| settings.get(name).map(String::as_str);
    // 2.4 turned the setting round; both are off by default, and `-n` leaves defaults out.
    let clear = is("auth_allow_cleartext") == Some("yes") || is("disable_plaintext_auth") == Some("no");
    let demanded = is("ssl") == Some("required");
    let stated = |name: &str, value| setting(name, "dovecot", Seen::Present(value));
    let records = vec![stated("passwords-in-clear", clear), stated("tls-demanded", demanded)];
    Found { format: "self-hosted.dovecot", rows, faults, records }
}

fn setting(name: &str, of: &str, value: Seen<bool>) -> Record {
    Record::TenantSetting(Box::new(TenantSetting {
        provider: PROVIDER.to_owned(),
        setting: name.to_owned(),
        of: Some(of.to_owned()),
        value: value.map(|value| value.to_string()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> KeyedReference {
        KeyedReference::new(b"test")
    }

    fn rules(found: Found) -> Vec<ForwardingRule> {
        found
            .records
            .into_iter()
            .filter_map(|record| match record {
                Record::ForwardingRule(rule) => Some(*rule),
                Record::TenantSetting(_) => None,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    fn domains(rule: &ForwardingRule) -> Vec<String> {
        let targets = rule.targets.present().cloned().unwrap_or_default();
        let shown = targets.into_iter().map(|target| match target {
            Target::Address { domain, .. } => domain,
            Target::Unparseable => "?".to_owned(),
            Target::Unresolved { .. } => "name".to_owned(),
        });
        shown.collect()
    }

    #[test]
    fn dovecots_settings_of_the_whole_are_told_from_those_of_a_part() {
        let values = |text: &str| -> Vec<(String, String)> {
            let of = |record| match record {
                Record::TenantSetting(setting) => (setting.setting, setting.value.present().cloned().unwrap()),
                other => panic!("{other:?}"),
            };
            dovecot(text).records.into_iter().map(of).collect()
        };
        let text = "# 2.3.21: /etc/dovecot/dovecot.conf\ndisable_plaintext_auth = no\nprotocol imap {\n  ssl = required\n}\nssl = yes\n";
        assert!(looks_like_doveconf(text));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(values(text), [pair("passwords-in-clear", "true"), pair("tls-demanded", "false")]);
        assert_eq!(values("ssl = required\n"), [pair("passwords-in-clear", "false"), pair("tls-demanded", "true")]);
        assert!(!dovecot("ssl = yes\npassdb {\n").faults.is_empty());
    }

    #[test]
    fn a_script_belongs_to_whom_its_path_names() {
        for label in [
            "s/ana@clinic.example.sieve",
            "s/ana@clinic.example/dovecot.sieve",
            "x/Ana@Clinic.example/sieve/.dovecot.sieve",
        ] {
            let (mailbox, _) = owner(label, &key());
            assert_eq!(mailbox, Seen::Present("ana@clinic.example".to_owned()), "{label}");
        }
        let (mailbox, named) = owner("home/ana/.forward", &key());
        assert!(mailbox.present().is_none());
        assert_eq!(named, Some(reference("ana", &key())));
    }

    #[test]
    fn a_redirect_without_a_copy_deletes_and_one_with_a_copy_does_not() {
        let of = |text: &str| rules(sieve_script(text, "a@clinic.example.sieve", &key())).remove(0);
        let bare = of("redirect \"x@elsewhere.example\";");
        assert_eq!((bare.deletes.clone(), bare.has_conditions.clone()), (Seen::Present(true), Seen::Present(false)));
        assert_eq!(domains(&bare), ["elsewhere.example"]);
        assert_eq!(of("redirect :copy \"x@elsewhere.example\";").deletes, Seen::Present(false));
        assert_eq!(of("redirect \"x@elsewhere.example\"; keep;").deletes, Seen::Present(false));
        let piped = of("require \"vnd.dovecot.pipe\"; pipe :copy \"archive\" [\"a\"];");
        assert_eq!((domains(&piped), piped.deletes), (vec!["?".to_owned()], Seen::Present(false)));
        let tested = sieve_script("if execute \"spamcheck\" { keep; }", "a@clinic.example.sieve", &key());
        assert!(rules(tested).iter().any(|rule| domains(rule) == ["?"]), "a program in a test reads the message too");
        let hiding = of("if header :contains \"subject\" \"invoice\" { fileinto \"Trash\"; }");
        assert_eq!((hiding.hides.clone(), hiding.keywords.clone()), (Seen::Present(true), vec!["payment".to_owned()]));
    }

    #[test]
    fn aliases_and_forward_files_are_read_with_their_pipes_and_lists() {
        let text = "# c\npostmaster: root\nroot: admin,\n\tops@elsewhere.example\nlist: \"|/usr/bin/x, y\"\nall: :include:/etc/mail/all\n";
        assert!(looks_like_aliases(text));
        let found = rules(aliases(text, &key()));
        assert_eq!(found.iter().map(domains).collect::<Vec<_>>(), [vec!["elsewhere.example"], vec!["?"], vec![]]);
        assert!(matches!(found[2].targets, Seen::Unknown(_)));
        assert_eq!(found[1].actions, ["redirect", "pipe"], "a program may send it anywhere");
        let kept = rules(forward_file("\\ana, home@gmail.com\n", "home/ana/.forward", &key())).remove(0);
        assert_eq!((domains(&kept), kept.deletes), (vec!["gmail.com".to_owned()], Seen::Present(false)));
        let gone = rules(forward_file("home@gmail.com\n", "home/ana/.forward", &key())).remove(0);
        assert_eq!(gone.deletes, Seen::Present(true));
    }

    #[test]
    fn a_map_for_postmap_names_its_recipients_after_white_space() {
        let text = "@old.example\tfront@elsewhere.example\nlab@clinic.example  lab@gmail.com,\n  lab\nnobody\n\"a: b\": c@gmail.com\nx : y@elsewhere.example\n";
        let found = aliases(text, &key());
        assert_eq!(found.faults.len(), 1);
        let domains: Vec<_> = rules(found).iter().flat_map(domains).collect();
        assert_eq!(domains, ["elsewhere.example", "gmail.com", "gmail.com", "elsewhere.example"]);
    }

    #[test]
    fn a_map_that_only_the_server_can_ask_is_a_rule_nobody_can_read() {
        let of = |value: &str| rules(postfix(&format!("virtual_alias_maps = {value}\n"), &key())).len();
        for value in ["ldap:/etc/postfix/ldap.cf", "hash:/etc/aliases, proxy:mysql:/etc/m.cf", "regexp:/etc/p"] {
            assert_eq!(of(value), 1, "{value}");
        }
        for value in ["", "hash:/etc/aliases", "$alias_maps proxy:lmdb:/etc/virtual"] {
            assert_eq!(of(value), 0, "{value}");
        }
    }

    #[test]
    fn what_one_service_of_postfix_is_told_is_a_rule_of_its_own() {
        let of = |lines: &str| rules(postfix(&format!("always_bcc = all@elsewhere.example\n{lines}\n"), &key()));
        let copied = of("cleanup/unix/always_bcc = all@gmail.com");
        assert_eq!(copied.iter().map(domains).collect::<Vec<_>>(), [vec!["elsewhere.example"], vec!["gmail.com"]]);
        assert_ne!(copied[0].reference, copied[1].reference);
        assert_eq!(of("cleanup/unix/recipient_bcc_maps = hash:/etc/b").len(), 2);
        assert_eq!(of("cleanup/unix/virtual_alias_maps = ldap:/etc/postfix/l.cf").len(), 2);
        assert_eq!(of("cleanup/unix/virtual_alias_maps =").len(), 1);
        let own_file = "\ncleanup/unix/virtual_alias_maps = hash:/etc/v";
        assert!(matches!(of(own_file)[1].targets, Seen::Unknown(_)), "nobody copies that file");
        assert_eq!(of(&format!("virtual_alias_maps = hash:/etc/v{own_file}")).len(), 1);
    }

    #[test]
    fn mail_for_nobody_and_mail_for_a_program_are_rules() {
        let of = |line: &str| rules(postfix(&format!("myhostname = mx.clinic.example\n{line}\n"), &key()));
        let relay = of("luser_relay = X@gmail.com");
        assert_eq!(
            (domains(&relay[0]), relay[0].actions.as_slice()),
            (vec!["gmail.com".to_owned()], &["redirect".to_owned()][..])
        );
        assert_eq!(
            of("luser_relay = $user@elsewhere.example").iter().map(domains).collect::<Vec<_>>(),
            [["elsewhere.example"]]
        );
        assert_eq!(of("luser_relay = postmaster")[0].targets, Seen::Absent, "it stays on the server");
        for line in [
            "mailbox_command = /usr/local/bin/copy",
            "content_filter = smtp-amavis:[127.0.0.1]:10024",
            "content_filter = lmtp:unix:/run/filter",
            "smtp/inet/content_filter = scan:mx.elsewhere.example",
            "smtp/inet/smtpd_proxy_filter = 127.0.0.1:10024",
            "mailbox_transport = smtp:[mx.elsewhere.example]",
            "mailbox_transport = lmtp:inet:mx.elsewhere.example:24",
            "mailbox_transport_maps = hash:/etc/postfix/to",
            "fallback_transport = smtp:mx.elsewhere.example",
            "mailbox_transport = lmtp:inet:127.0.0.1:24, mx.elsewhere.example:24",
            "virtual_transport = lmtp:unix:private/lmtp, inet:mx.elsewhere.example",
            "relay_transport = smtp:[mx.elsewhere.example]",
            "fallback_transport_maps = hash:/etc/postfix/to",
            "mailbox_command_maps = hash:/etc/postfix/to",
            "local_transport = lmtp:localhost.elsewhere.example",
            "virtual_transport = dovecot",
            "transport_maps = hash:/etc/postfix/transport",
            "header_checks = regexp:/etc/postfix/header_checks",
            "body_checks = pcre:/etc/postfix/body_checks",
            "milter_header_checks = pcre:/etc/postfix/milter_checks",
        ] {
            let found = of(line);
            assert_eq!(found.len(), 1, "{line}");
            assert_eq!(found[0].targets, Seen::Present(vec![Target::Unparseable]), "{line}");
        }
        for line in [
            "mailbox_command =",
            "luser_relay =",
            "smtp/inet/content_filter =",
            "mailbox_transport = lmtp:unix:private/dovecot-lmtp",
            "virtual_transport = lmtp:inet:127.0.0.1:24",
            "virtual_transport = virtual",
            "local_transport = error:no local mail",
            "fallback_transport =",
        ] {
            assert!(of(line).is_empty(), "{line}");
        }
    }

    #[test]
    fn a_service_of_postfix_takes_passwords_as_master_cf_says() {
        let clear = |text: &str| {
            let lines = unfolded(text);
            passwords_in_clear(&lines, text.contains(SERVICES)).present().copied()
        };
        const AUTH: &str = "smtpd_sasl_auth_enable = yes\n";
        assert_eq!(clear(AUTH), Some(true));
        assert_eq!(clear(&format!("{AUTH}smtpd_tls_auth_only = yes\n")), None, "a service may say otherwise");
        let behind = format!("{AUTH}smtpd_tls_auth_only = yes\n{SERVICES}\n");
        assert_eq!(clear(&behind), Some(false));
        assert_eq!(clear(&format!("{behind}smtp/inet/smtpd_tls_auth_only = no\n")), Some(true));
        assert_eq!(clear(&format!("{behind}smtps/inet/smtpd_tls_auth_only = $only\n")), None);
        let none = format!("{SERVICES}\nsubmission/inet/smtpd_sasl_auth_enable = yes\n");
        assert_eq!(clear(&none), Some(true));
        assert_eq!(clear(&format!("{none}submission/inet/smtpd_tls_security_level = encrypt\n")), Some(false));
        let excepted = format!("{AUTH}{SERVICES}\nsmtp/inet/smtpd_sasl_auth_enable = no\nrelay/unix/syslog_name = x\n");
        assert_eq!(clear(&excepted), None);
        // A service between filters is none that takes passwords by main.cf.
        let between = format!("{AUTH}{SERVICES}\n127.0.0.1:10025/inet/smtpd_sasl_auth_enable = no\n");
        assert_eq!(clear(&between), Some(true));
        for excepted in ["192.0.2.1:smtp/inet", "smtpd/pass", "submissions/inet", "465/inet"] {
            let text = format!("{AUTH}{SERVICES}\n{excepted}/smtpd_sasl_auth_enable = No\n");
            assert_eq!(clear(&text), None, "{excepted}");
        }
        let at = |level: &str| clear(&format!("{AUTH}{level}\n{SERVICES}\n"));
        for level in ["encrypt", "verify", "secure", "Fingerprint"] {
            assert_eq!(at(&format!("smtpd_tls_security_level = {level}")), Some(false), "{level}");
        }
        assert_eq!(at("smtpd_enforce_tls = yes"), Some(false));
        let level = "smtpd_enforce_tls = yes\nsmtpd_tls_security_level = may";
        assert_eq!(at(level), Some(true), "the older setting is not read then");
        assert_eq!(at("smtpd_tls_security_level = $level"), None);
        // Without passwords nothing is sent in the clear; whether all are told is another question.
        assert_eq!(clear(&format!("{AUTH}smtpd_sasl_security_options = noanonymous, noplaintext\n")), None);
    }

    #[test]
    fn always_bcc_copies_everything() {
        let text = "mydestination = localhost\nmyhostname = mx.clinic.example\nalways_bcc = all@elsewhere.example\nrecipient_bcc_maps = hash:/etc/postfix/bcc\n";
        assert!(looks_like_postconf(text));
        let found = rules(postfix(text, &key()));
        assert_eq!(domains(&found[0]), ["elsewhere.example"]);
        assert!(matches!(found[1].targets, Seen::Unknown(NotObserved::NotProvided { .. })));
    }
}
