//! Reads what Zimbra's `zmprov -l gaa -v` or `zmprov ga USER` writes: each account with its attributes.
//!
//! The names of the attributes are from general knowledge and were held against no server's file, so
//! only text that begins as such a list does is read, and the file says so. A value may go over several
//! lines, a filter script mostly does; a line ends it only where it looks like the next attribute or
//! account. Who else may open an account is mostly kept outside this list and is not read from it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Date;

use super::bundle::Content;
use super::decode::{Decoded, Survey};
use super::recipient::reference;
use super::row::address;
use super::self_hosted::{self, PROVIDER};
use crate::evidence::export::{Mailbox, NOT_IN_THIS_EXPORT, Record, Target, UNLIMITED_DAYS};
use crate::keyed::KeyedReference;
use crate::records::sieve;
use crate::seen::{NotObserved, Seen};

/// Text looked at to tell the list from others.
const HEAD: u64 = 64 * 1024;
const LINE_BYTES: u64 = 1024 * 1024;
/// Of the values of one account that are kept, with their names; a value that goes beyond is lost.
const ACCOUNT_BYTES: usize = sieve::SCRIPT_BYTES;
/// What a value costs beside its text: an account of empty ones ends too.
const VALUE_COSTS: usize = 256;
/// Faults that are told apart; the others are counted.
const FAULTS: usize = 50;

/// What was read of one file.
pub struct Found {
    /// Of all accounts, or of some.
    pub format: &'static str,
    /// Accounts.
    pub rows: u64,
    pub faults: Vec<String>,
}

/// Said of every such file.
pub const NOTE: &str =
    "the layout was held against no server's file: the names of Zimbra's attributes are from general knowledge";

/// Reads the file if it is such a list.
pub fn read(
    content: &Content,
    survey: &Survey,
    key: &KeyedReference,
    records: &mut dyn FnMut(Record),
) -> Option<Found> {
    if survey.bytes == 0 || survey.binary.is_some() {
        return None;
    }
    let open = || content.open().ok().map(|file| Decoded::new(file.take(survey.bytes), survey.encoding));
    let mut head = Vec::new();
    open()?.take(HEAD).read_to_end(&mut head).ok()?;
    if !looks_like_accounts(&String::from_utf8_lossy(&head)) {
        return None;
    }
    let mut reading = Reading { key, records, rows: 0, system: false, faults: Vec::new(), account: None, last: None };
    let mut text = BufReader::new(open()?);
    let mut line = Vec::new();
    let mut header: Option<String> = None;
    loop {
        line.clear();
        match (&mut text).take(LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                reading.fault(error.to_string());
                break;
            }
        }
        if line.len() as u64 == LINE_BYTES && line.last() != Some(&b'\n') {
            reading.fault(format!("a line is longer than {LINE_BYTES} bytes"));
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\n', '\r']);
        // A comment of a filter script may look like the line before an account: what follows it tells.
        if let Some(before) = header.take() {
            match (account_of(&before), attribute(line)) {
                (Some(address), Some(_)) => reading.begin(address),
                _ => reading.more(&before),
            }
        }
        if account_of(line).is_some() {
            header = Some(line.to_owned());
        } else if let Some((name, value, encoded)) = attribute(line) {
            reading.attribute(name, value, encoded);
        } else {
            reading.more(line);
        }
    }
    if header.is_some() {
        reading.fault("the list ends where an account begins".to_owned());
    }
    reading.end();
    let Reading { rows, system, mut faults, .. } = reading;
    faults.truncate(FAULTS);
    // A server's accounts of its own are in no list of some accounts; they are in that of their domain.
    let format = if system { "self-hosted.zimbra" } else { "self-hosted.zimbra-accounts" };
    (rows > 0).then_some(Found { format, rows, faults })
}

/// The first line names an account, and one of its attributes is one that every account has.
fn looks_like_accounts(text: &str) -> bool {
    let mut lines = text.lines().skip_while(|line| line.trim().is_empty());
    let named = lines.next().is_some_and(|line| account_of(line).is_some());
    named && lines.any(|line| line.starts_with("zimbraId: ") || line.starts_with("objectClass: zimbraAccount"))
}

/// `# name ana@clinic.example`
fn account_of(line: &str) -> Option<String> {
    line.strip_prefix("# name ").and_then(|name| address(name.trim()))
}

/// `name: value`, or `name:: ` before base64.
fn attribute(line: &str) -> Option<(&str, &str, bool)> {
    let (name, value) = line.split_once(':')?;
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b';'));
    let (value, encoded) = match value.strip_prefix(':') {
        Some(value) => (value, true),
        None => (value, false),
    };
    let value = if value.is_empty() { Some("") } else { value.strip_prefix(' ') };
    value.filter(|_| named).map(|value| (name, value, encoded))
}

/// The attributes that are read; the others are dropped as they come.
fn is_read(name: &str) -> bool {
    const READ: [&str; 24] = [
        "objectClass",
        "zimbraAccountStatus",
        "zimbraCalResType",
        "zimbraCreateTimestamp",
        "zimbraDumpsterEnabled",
        "zimbraFeatureTwoFactorAuthRequired",
        "zimbraId",
        "zimbraImapEnabled",
        "zimbraInterceptAddress",
        "zimbraIsAdminAccount",
        "zimbraIsDelegatedAdminAccount",
        "zimbraIsSystemAccount",
        "zimbraIsSystemResource",
        "zimbraLastLogonTimestamp",
        "zimbraMailAlias",
        "zimbraMailCatchAllForwardingAddress",
        "zimbraMailDumpsterLifetime",
        "zimbraMailForwardingAddress",
        "zimbraMailMessageLifetime",
        "zimbraPop3Enabled",
        "zimbraPrefMailForwardingAddress",
        "zimbraPrefMailLocalDeliveryDisabled",
        "zimbraTwoFactorAuthEnabled",
        "zimbraMailDeliveryAddress",
    ];
    READ.contains(&name) || is_script(name)
}

/// A user's script, or one that runs before or after it; others with `Sieve` in their names are settings.
fn is_script(name: &str) -> bool {
    const ENDS: [&str; 3] = ["SieveScript", "SieveScriptAfter", "SieveScriptBefore"];
    name.starts_with("zimbra") && ENDS.iter().any(|end| name.ends_with(end))
}

/// One value, as far as it was read.
#[derive(Debug, Default)]
struct Value {
    text: String,
    encoded: bool,
    cut: bool,
}

#[derive(Debug, Default)]
struct Account {
    address: String,
    values: BTreeMap<String, Vec<Value>>,
    /// Of the values so far.
    bytes: usize,
    /// Whether values are missing of which not even the name was kept.
    cut: bool,
}

struct Reading<'r> {
    key: &'r KeyedReference,
    records: &'r mut dyn FnMut(Record),
    rows: u64,
    /// Whether an account of the server itself was among them.
    system: bool,
    faults: Vec<String>,
    account: Option<Account>,
    /// The attribute whose value may go on; `None` where it is one that is not read.
    last: Option<String>,
}

impl Reading<'_> {
    fn fault(&mut self, why: String) {
        if self.faults.len() < FAULTS && !self.faults.contains(&why) {
            self.faults.push(why);
        }
    }

    fn begin(&mut self, address: String) {
        self.end();
        self.account = Some(Account { address, ..Account::default() });
    }

    fn attribute(&mut self, name: &str, value: &str, encoded: bool) {
        self.last = None;
        let Some(account) = self.account.as_mut().filter(|_| is_read(name)) else { return };
        let costs = VALUE_COSTS + name.len();
        if account.bytes + costs > ACCOUNT_BYTES {
            account.cut = true;
            return;
        }
        account.bytes += costs;
        let mut found = Value { encoded, ..Value::default() };
        found.add(value, &mut account.bytes);
        account.values.entry(name.to_owned()).or_default().push(found);
        self.last = Some(name.to_owned());
    }

    /// A line that goes on with the value before it.
    fn more(&mut self, line: &str) {
        let Some(name) = &self.last else { return };
        let Some(account) = self.account.as_mut() else { return };
        let Some(value) = account.values.get_mut(name).and_then(|values| values.last_mut()) else { return };
        if value.encoded {
            value.add(line.trim(), &mut account.bytes);
        } else {
            value.add("\n", &mut account.bytes);
            value.add(line, &mut account.bytes);
        }
    }

    fn end(&mut self) {
        self.last = None;
        let Some(account) = self.account.take() else { return };
        self.rows += 1;
        let (account, faults) = account.decoded();
        // Each domain may have an account for the global address list, which a list of that domain holds.
        self.system |= account.is_system() && !account.address.starts_with("galsync");
        for record in account.records(self.key, &mut |why| self.faults.push(why)) {
            (self.records)(record);
        }
        faults.into_iter().for_each(|why| self.fault(why));
        self.faults.sort_unstable();
        self.faults.dedup();
    }
}

impl Value {
    /// Adds to the value, and to the bytes of its account. What was cut is given up, so that the account's
    /// other values still have room.
    fn add(&mut self, text: &str, bytes: &mut usize) {
        if self.cut {
            return;
        }
        if *bytes + text.len() > ACCOUNT_BYTES {
            self.cut = true;
            *bytes -= self.text.len();
            self.text = String::new();
        } else {
            self.text.push_str(text);
            *bytes += text.len();
        }
    }
}

/// An account whose values are text; `None` for one that could not be read.
struct Decided {
    address: String,
    values: BTreeMap<String, Vec<Option<String>>>,
    /// Whether values are missing of which not even the name was kept.
    cut: bool,
}

impl Account {
    fn decoded(self) -> (Decided, Vec<String>) {
        let mut faults = Vec::new();
        let too_long = || format!("an account holds more than {ACCOUNT_BYTES} bytes of what is read");
        if self.cut {
            faults.push(too_long());
        }
        let mut of = |value: Value| {
            if value.cut {
                faults.push(too_long());
                return None;
            }
            if !value.encoded {
                return Some(value.text.trim_end().to_owned());
            }
            let bytes = STANDARD.decode(value.text.as_bytes()).ok();
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            if text.is_none() {
                faults.push("a value is said to be base64 and is not".to_owned());
            }
            text
        };
        let decode = |(name, values): (String, Vec<Value>)| (name, values.into_iter().map(&mut of).collect());
        let values = self.values.into_iter().map(decode).collect();
        (Decided { address: self.address, values, cut: self.cut }, faults)
    }
}

fn unreadable(why: &str) -> NotObserved {
    NotObserved::Unreadable { why: why.to_owned(), line: None }
}

impl Decided {
    fn all(&self, name: &str) -> &[Option<String>] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether all attributes were asked for and kept: only then an attribute that is not there is not set.
    fn is_whole(&self) -> bool {
        let of_account = |value: &Option<String>| value.as_deref() == Some("zimbraAccount");
        !self.cut && self.all("objectClass").iter().any(of_account) && !self.all("zimbraId").is_empty()
    }

    fn is_system(&self) -> bool {
        let set = |name| self.flag(name).present() == Some(&true);
        set("zimbraIsSystemAccount") || set("zimbraIsSystemResource")
    }

    /// The one value of an attribute. That a class of service may set one where the account does not
    /// keeps its lack from meaning anything.
    fn text(&self, name: &str) -> Seen<&str> {
        match self.all(name) {
            [] => Seen::not_provided(NOT_IN_THIS_EXPORT),
            [Some(text)] => Seen::Present(text),
            [None] => Seen::Unknown(unreadable("a value is not readable")),
            [_, _, ..] => Seen::Unknown(unreadable("an attribute that has one value has several")),
        }
    }

    fn flag(&self, name: &str) -> Seen<bool> {
        match self.text(name) {
            Seen::Present("TRUE") => Seen::Present(true),
            Seen::Present("FALSE") => Seen::Present(false),
            Seen::Present(_) => Seen::Unknown(unreadable("an attribute holds neither TRUE nor FALSE")),
            seen => seen.map(|_| false),
        }
    }

    /// An attribute that no class of service sets: where the whole account does not have it, it is off.
    fn own_flag(&self, name: &str) -> Seen<bool> {
        if self.is_whole() && self.all(name).is_empty() { Seen::Present(false) } else { self.flag(name) }
    }

    /// `20260901083000.123Z`
    fn day(&self, name: &str) -> Seen<Date> {
        match self.text(name) {
            Seen::Present(text) => match day_of(text) {
                Some(day) => Seen::Present(day),
                None => Seen::Unknown(unreadable("an attribute holds no day in Zimbra's form")),
            },
            Seen::Absent => Seen::Absent,
            Seen::Malformed(malformed) => Seen::Malformed(malformed),
            Seen::Unknown(reason) => Seen::Unknown(reason),
        }
    }

    /// Where mail is sent on to: what the user set, what an administrator set, who gets a copy of every
    /// message (legal intercept), and what an account that takes all mail of a domain passes on. The server
    /// does all of them, whatever the user may set.
    fn forwards_to(&self, key: &KeyedReference) -> (Seen<Vec<Target>>, Option<NotObserved>) {
        const ONE: [&str; 3] =
            ["zimbraInterceptAddress", "zimbraMailForwardingAddress", "zimbraPrefMailForwardingAddress"];
        const ALL: &str = "zimbraMailCatchAllForwardingAddress";
        let mut targets = Vec::new();
        let mut lost = self.cut.then(|| unreadable("an account holds more than is read"));
        for value in ONE.into_iter().flat_map(|name| self.all(name)) {
            match value {
                Some(text) => {
                    let parts = text.split([',', ';', '\n']).map(str::trim).filter(|part| !part.is_empty());
                    targets.extend(parts.map(|part| self_hosted::one(part, key)));
                }
                None => lost = Some(unreadable("a forwarding address is not readable")),
            }
        }
        for value in self.all(ALL) {
            match value {
                // `@elsewhere.example`: every address keeps its name there.
                Some(text) => targets.push(self_hosted::one(&format!("everybody{text}"), key)),
                None => lost = Some(unreadable("a forwarding address is not readable")),
            }
        }
        targets.sort();
        targets.dedup();
        match (targets.is_empty(), lost) {
            (false, lost) => (Seen::Present(targets), lost),
            (true, Some(reason)) => (Seen::Unknown(reason), None),
            (true, None) if self.is_whole() => (Seen::Absent, None),
            (true, None) => (Seen::not_provided(NOT_IN_THIS_EXPORT), None),
        }
    }

    fn kind(&self) -> Seen<String> {
        let resource = |value: &Option<String>| value.as_deref() == Some("zimbraCalendarResource");
        let word = match (self.all("objectClass").iter().any(resource), self.text("zimbraCalResType").present()) {
            (true, Some(&"Location")) => "room",
            (true, Some(&"Equipment")) => "equipment",
            (true, _) => "other",
            (false, _) if self.is_system() => "other",
            (false, _) if self.is_whole() => "user",
            (false, _) => return Seen::not_provided(NOT_IN_THIS_EXPORT),
        };
        Seen::Present(word.to_owned())
    }

    /// A lockout after wrong passwords ends by itself, so the account is open.
    fn enabled(&self) -> Seen<bool> {
        match self.text("zimbraAccountStatus") {
            Seen::Present("active" | "lockout") => Seen::Present(true),
            Seen::Present("closed" | "locked" | "maintenance" | "pending") => Seen::Present(false),
            Seen::Present(_) => Seen::Unknown(unreadable("zimbraAccountStatus holds an unknown word")),
            seen => seen.map(|_| false),
        }
    }

    fn administrator(&self) -> Seen<bool> {
        let (one, other) = (self.own_flag("zimbraIsAdminAccount"), self.own_flag("zimbraIsDelegatedAdminAccount"));
        match (&one, &other) {
            (Seen::Present(true), _) | (_, Seen::Present(true)) => Seen::Present(true),
            (Seen::Present(false), _) => other,
            (_, _) => one,
        }
    }

    fn records(&self, key: &KeyedReference, fault: &mut dyn FnMut(String)) -> Vec<Record> {
        let names = ["zimbraId", "zimbraMailAlias", "zimbraMailDeliveryAddress"];
        let mut references: Vec<String> =
            names.into_iter().flat_map(|name| self.all(name)).flatten().cloned().collect();
        references.push(self.address.clone());
        let mut references: Vec<String> = references.iter().map(|name| reference(name, key)).collect();
        references.sort();
        references.dedup();
        let (forwards_to, forwards_incomplete) = self.forwards_to(key);
        let kept = self.flag("zimbraDumpsterEnabled");
        let mut records = vec![Record::Mailbox(Box::new(Mailbox {
            references,
            mailbox_kind: self.kind(),
            enabled: self.enabled(),
            administrator: self.administrator(),
            forwards_to,
            forwards_incomplete,
            keeps_copy: self.flag("zimbraPrefMailLocalDeliveryDisabled").map(|off| !off),
            // 0 keeps messages for ever.
            retention_policy: match self.text("zimbraMailMessageLifetime").map(lifetime) {
                Seen::Present(Some(days)) => Seen::Present(days != 0),
                Seen::Present(None) => Seen::Unknown(unreadable("zimbraMailMessageLifetime holds no length of time")),
                seen => seen.map(|_| false),
            },
            deleted_items_days: match (&kept, self.text("zimbraMailDumpsterLifetime").map(lifetime)) {
                (Seen::Present(true), Seen::Present(Some(0))) => Seen::Present(UNLIMITED_DAYS),
                (Seen::Present(true), Seen::Present(Some(days))) => Seen::Present(days),
                _ => Seen::not_provided(NOT_IN_THIS_EXPORT),
            },
            single_item_recovery: kept,
            imap_enabled: self.flag("zimbraImapEnabled"),
            pop_enabled: self.flag("zimbraPop3Enabled"),
            mfa_enrolled: self.flag("zimbraTwoFactorAuthEnabled"),
            mfa_enforced: self.flag("zimbraFeatureTwoFactorAuthRequired"),
            last_sign_in: self.day("zimbraLastLogonTimestamp"),
            created: self.day("zimbraCreateTimestamp"),
            ..Mailbox::unstated(PROVIDER, self.address.clone(), true)
        }))];
        for (name, values) in self.values.iter().filter(|(name, _)| is_script(name)) {
            for text in values.iter().flatten() {
                let script = sieve::read(text);
                script.faults.iter().for_each(|why| fault(format!("as a Sieve script, {why}")));
                if script.includes {
                    fault("a filter script includes another script, whose actions are not here".to_owned());
                }
                for (number, block) in script.blocks.iter().enumerate() {
                    let whose = (Seen::Present(self.address.clone()), None);
                    let mut own = self_hosted::rule("sieve", whose, key.of(&format!("{name}/{number}")));
                    own.enabled = Seen::Present(!block.switched_off);
                    records.push(Record::ForwardingRule(Box::new(self_hosted::of_block(block, own, key))));
                }
            }
        }
        records
    }
}

/// `20260901083000Z`, with or without parts of a second (RFC 4517 section 3.3.13).
fn day_of(text: &str) -> Option<Date> {
    let digits = text.strip_suffix('Z')?.split('.').next()?;
    if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..8]).parse().ok()
}

/// `90d`, `48h`, `0`, in whole days rounded up; a number alone is seconds.
fn lifetime(text: &str) -> Option<u64> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let seconds = number.parse::<u64>().ok()?.checked_mul(match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "" | "s" => 1,
        _ => return None,
    })?;
    Some(seconds.div_ceil(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Option<Found>, Vec<Record>) {
        let key = KeyedReference::new(b"test");
        let content = Content::Memory(text.as_bytes().into());
        let survey = crate::collect::exports::decode::survey(&content, 1 << 24).unwrap();
        let mut records = Vec::new();
        let found = read(&content, &survey, &key, &mut |record| records.push(record));
        (found, records)
    }

    fn mailboxes(records: &[Record]) -> Vec<&Mailbox> {
        let mut found = Vec::new();
        for record in records {
            if let Record::Mailbox(mailbox) = record {
                found.push(mailbox.as_ref());
            }
        }
        found
    }

    fn rules(records: &[Record]) -> Vec<&crate::evidence::export::ForwardingRule> {
        let mut found = Vec::new();
        for record in records {
            if let Record::ForwardingRule(rule) = record {
                found.push(rule.as_ref());
            }
        }
        found
    }

    const WHOLE: &str = "objectClass: zimbraAccount\nzimbraId: 1\n";

    #[test]
    fn accounts_are_read_with_their_forwarding_state_and_factors() {
        let text = "# name eve@surgery.example\nobjectClass: inetOrgPerson\nobjectClass: zimbraAccount\nzimbraAccountStatus: active\nzimbraId: 1\nzimbraImapEnabled: TRUE\nzimbraIsAdminAccount: TRUE\nzimbraLastLogonTimestamp: 20260901083000.123Z\nzimbraPrefMailForwardingAddress: eve@gmail.com, x@elsewhere.example\nzimbraPrefMailLocalDeliveryDisabled: TRUE\nzimbraTwoFactorAuthEnabled: FALSE\n\n# name ham.1@surgery.example\nobjectClass: zimbraAccount\nzimbraId: 2\nzimbraIsSystemResource: TRUE\nzimbraMailMessageLifetime: 0\n";
        let (found, records) = read_text(text);
        let found = found.unwrap();
        assert_eq!((found.format, found.rows, found.faults.len()), ("self-hosted.zimbra", 2, 0));
        let [eve, ham] = mailboxes(&records)[..] else { panic!("{records:?}") };
        assert_eq!(eve.forwards_to.present().map(Vec::len), Some(2));
        assert_eq!((&eve.keeps_copy, &eve.administrator), (&Seen::Present(false), &Seen::Present(true)));
        assert_eq!((&eve.imap_enabled, &eve.mfa_enrolled), (&Seen::Present(true), &Seen::Present(false)));
        assert_eq!(eve.last_sign_in, Seen::Present("2026-09-01".parse().unwrap()));
        assert!(matches!(eve.pop_enabled, Seen::Unknown(_)), "a class of service may set it");
        assert_eq!((&ham.forwards_to, &ham.administrator), (&Seen::Absent, &Seen::Present(false)));
        assert_eq!(
            (ham.mailbox_kind.clone(), &ham.retention_policy),
            (Seen::Present("other".to_owned()), &Seen::Present(false))
        );
    }

    #[test]
    fn a_list_of_one_domain_is_not_taken_for_one_of_all_by_its_account_for_the_address_list() {
        let (found, _) = read_text(&format!(
            "# name galsync.a1@one.example\n{WHOLE}zimbraIsSystemAccount: TRUE\nzimbraIsSystemResource: TRUE\n"
        ));
        assert_eq!(found.unwrap().format, "self-hosted.zimbra-accounts");
    }

    #[test]
    fn an_account_whose_mail_is_intercepted_sends_it_on() {
        let (_, records) =
            read_text(&format!("# name eve@surgery.example\n{WHOLE}zimbraInterceptAddress: all@elsewhere.example\n"));
        assert_eq!(mailboxes(&records)[0].forwards_to.present().map(Vec::len), Some(1));
    }

    #[test]
    fn settings_of_the_filters_are_no_scripts() {
        let (found, records) = read_text(&format!(
            "# name eve@surgery.example\n{WHOLE}zimbraAdminSieveScriptBefore: redirect \"eve@gmail.com\";\nzimbraSieveImmutableHeaders: List-Id,DKIM-Signature\nzimbraSieveNotifyActionRFCCompliant: FALSE\n"
        ));
        assert_eq!((found.unwrap().faults.len(), rules(&records).len()), (0, 1));
    }

    #[test]
    fn an_account_of_many_values_is_read_so_far_and_what_is_missing_is_said() {
        let many = "zimbraMailAlias: a@surgery.example\n".repeat(ACCOUNT_BYTES / VALUE_COSTS);
        let text =
            format!("# name eve@surgery.example\n{WHOLE}{many}zimbraMailForwardingAddress: eve@gmail.com\nmore\n");
        let (found, records) = read_text(&format!("{text}# name ana@surgery.example\n{WHOLE}"));
        assert_eq!(found.unwrap().faults.len(), 1);
        let [eve, ana] = mailboxes(&records)[..] else { panic!("{}", records.len()) };
        assert!(matches!(eve.forwards_to, Seen::Unknown(NotObserved::Unreadable { .. })));
        assert!(eve.administrator.present().is_none());
        assert_eq!(ana.forwards_to, Seen::Absent);
        // One value that is too long leaves the others.
        let long = format!("{}\n", "x".repeat(ACCOUNT_BYTES / 8)).repeat(8);
        let script = format!("zimbraMailSieveScript: keep;\n{long}");
        let (found, records) =
            read_text(&format!("# name eve@surgery.example\n{WHOLE}{script}zimbraPop3Enabled: FALSE\n"));
        assert_eq!(found.unwrap().faults.len(), 1);
        assert_eq!(mailboxes(&records)[0].pop_enabled, Seen::Present(false));
    }

    #[test]
    fn some_accounts_are_not_all_and_some_attributes_do_not_show_what_is_not_set() {
        let (found, records) = read_text("# name eve@surgery.example\nzimbraAccountStatus: closed\nzimbraId: 1\n");
        assert_eq!(found.unwrap().format, "self-hosted.zimbra-accounts");
        let eve = mailboxes(&records)[0];
        assert_eq!(eve.enabled, Seen::Present(false));
        assert!(matches!((&eve.forwards_to, &eve.administrator), (Seen::Unknown(_), Seen::Unknown(_))));
    }

    #[test]
    fn a_script_over_several_lines_or_in_base64_is_read_as_one() {
        let script = "require [\"fileinto\"];\n# Bills\nif header :contains [\"subject\"] [\"invoice\"] {\n    redirect \"eve@gmail.com\";\n    stop;\n}\ndisabled_if true {\n    redirect \"old@elsewhere.example\";\n}";
        let encoded = STANDARD.encode(script);
        let (first, rest) = encoded.split_at(60);
        for written in [format!("zimbraMailSieveScript: {script}"), format!("zimbraMailSieveScript:: {first}\n {rest}")]
        {
            let (found, records) =
                read_text(&format!("# name eve@surgery.example\n{WHOLE}{written}\nzimbraPop3Enabled: FALSE\n"));
            assert!(found.unwrap().faults.is_empty());
            let rules = rules(&records);
            let seen: Vec<_> =
                rules.iter().map(|rule| (rule.enabled.present(), rule.targets.present().map(Vec::len))).collect();
            assert_eq!(seen, [(Some(&true), Some(1)), (Some(&false), Some(1))], "{written}");
            assert_eq!(mailboxes(&records)[0].pop_enabled, Seen::Present(false));
        }
    }

    #[test]
    fn a_comment_in_a_script_that_looks_like_an_account_hides_nothing() {
        let script = "# name ana@surgery.example\nif true {\nredirect \"eve@gmail.com\";\n}";
        let (_, records) =
            read_text(&format!("# name eve@surgery.example\n{WHOLE}zimbraMailSieveScript: keep;\n{script}\n"));
        assert_eq!(mailboxes(&records).len(), 1);
        assert!(rules(&records).iter().any(|rule| rule.targets.present().is_some()));
        // In a text of the script nobody can tell; then the script has no end, and that is said.
        let text = "vacation text:\n\n# name ana@surgery.example\nzimbraId: 9\n.\n;redirect \"eve@gmail.com\";";
        let (found, _) = read_text(&format!("# name eve@surgery.example\n{WHOLE}zimbraMailSieveScript: {text}\n"));
        assert!(!found.unwrap().faults.is_empty());
    }

    #[test]
    fn a_value_that_is_not_what_it_says_is_not_the_lack_of_one() {
        let (found, records) =
            read_text(&format!("# name eve@surgery.example\n{WHOLE}zimbraMailForwardingAddress:: %%%\n"));
        assert!(!found.unwrap().faults.is_empty());
        assert!(matches!(mailboxes(&records)[0].forwards_to, Seen::Unknown(NotObserved::Unreadable { .. })));
    }

    #[test]
    fn other_text_is_none_of_these() {
        for text in [
            "# name default\nzimbraId: 1\n",
            "# a comment\nname: value\n",
            "root: admin\n",
            "# name a@b.example\nfoo: bar\n",
        ] {
            assert!(read_text(text).0.is_none(), "{text}");
        }
        assert_eq!(
            [lifetime("90d"), lifetime("0"), lifetime("48h"), lifetime("x")],
            [Some(90), Some(0), Some(2), None]
        );
    }
}
