//! Finds the mail under a path: mbox files, Maildirs (also Maildir++), trees of single messages (also
//! Outlook's), Outlook's mailbox files.
//!
//! Looks at names and first bytes only. Symbolic links below the path are not followed, so that a
//! scan stays in the folder it was given. What is no mail, or mail we cannot read, is named.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Folders inside folders are followed to this depth.
const DEPTH: usize = 32;
/// At most this many files and folders of one source are looked at.
const ENTRIES: usize = 5_000_000;

/// A compound file that is no message, or does not say so.
const OUTLOOK: &str = "outlook-msg";

/// Mail that is read together and counted as one file.
pub(super) struct Unit {
    /// The path as the scope names it; numbers and names of people are replaced.
    pub(super) label: String,
    pub(super) folder: String,
    pub(super) format: Format,
    pub(super) contents: Contents,
}

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::collect) enum Format {
    Maildir,
    Mbox,
    Messages,
    NotMail,
    /// Outlook's mailbox files, PST and OST.
    Pst,
    Unreadable(&'static str),
}

impl Format {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Maildir => "maildir",
            Self::Mbox => "mbox",
            Self::Messages => "messages",
            Self::NotMail => "not-mail",
            Self::Pst => "pst",
            Self::Unreadable(kind) => kind,
        }
    }
}

/// Where the messages are.
pub(super) enum Contents {
    /// One file each, sorted by name.
    Files(Vec<PathBuf>),
    /// All in one file.
    One(PathBuf),
}

/// Everything under `path`, in an order that depends on names only.
pub(super) fn discover(path: &Path, label: &str, key: &[u8; 32]) -> std::io::Result<Vec<Unit>> {
    let metadata = fs::metadata(path)?;
    let mut found = Vec::new();
    if metadata.is_dir() {
        let mut entries = 0;
        walk(path, label, "", 0, key, &mut entries, &mut found)?;
    } else {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        found.push(file_unit(path, label.to_owned(), shown(&name, key))?);
    }
    Ok(found)
}

fn walk(
    path: &Path,
    label: &str,
    folder: &str,
    depth: usize,
    key: &[u8; 32],
    entries: &mut usize,
    found: &mut Vec<Unit>,
) -> std::io::Result<()> {
    if is_maildir(path) {
        let mut files = Vec::new();
        for sub in ["cur", "new"] {
            files.extend(list(&path.join(sub))?.into_iter().filter(|(_, kind)| kind.is_file()).map(|(path, _)| path));
        }
        *entries += files.len();
        let name = if folder.is_empty() { "INBOX" } else { folder };
        found.push(Unit {
            label: label.to_owned(),
            folder: name.to_owned(),
            format: Format::Maildir,
            contents: Contents::Files(files),
        });
    }
    let mut messages = Vec::new();
    for (entry, kind) in list(path)? {
        *entries += 1;
        if *entries > ENTRIES {
            break;
        }
        let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if kind.is_dir() {
            if matches!(name.as_str(), "cur" | "new" | "tmp") && is_maildir(path) {
                continue;
            }
            if depth >= DEPTH {
                continue;
            }
            let inner = inner_folder(folder, &name, is_maildir(&entry), key);
            walk(&entry, &format!("{label}/{}", shown(&name, key)), &inner, depth + 1, key, entries, found)?;
        } else if kind.is_file() && !is_bookkeeping(&name) {
            match format_of(&entry)? {
                Format::Messages => messages.push(entry),
                Format::Maildir | Format::Mbox | Format::NotMail | Format::Pst | Format::Unreadable(_) => {
                    // Apple Mail keeps a file `mbox` inside a folder `Name.mbox`.
                    let stem = if name == "mbox" { String::new() } else { without_extension(&name) };
                    let unit_folder = inner_folder(folder, &stem, false, key);
                    found.push(file_unit(&entry, format!("{label}/{}", shown(&name, key)), unit_folder)?);
                }
            }
        }
    }
    if !messages.is_empty() {
        let name = if folder.is_empty() { "messages" } else { folder };
        found.push(Unit {
            label: label.to_owned(),
            folder: name.to_owned(),
            format: Format::Messages,
            contents: Contents::Files(messages),
        });
    }
    Ok(())
}

fn file_unit(path: &Path, label: String, folder: String) -> std::io::Result<Unit> {
    let format = format_of(path)?;
    let contents = match format {
        Format::Messages => Contents::Files(vec![path.to_owned()]),
        Format::Maildir | Format::Mbox | Format::NotMail | Format::Pst | Format::Unreadable(_) => {
            Contents::One(path.to_owned())
        }
    };
    let folder = if folder.is_empty() { "INBOX".to_owned() } else { folder };
    Ok(Unit { label, folder, format, contents })
}

/// The entries of a folder by name, without symbolic links.
fn list(path: &Path) -> std::io::Result<Vec<(PathBuf, fs::FileType)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if !kind.is_symlink() {
            entries.push((entry.path(), kind));
        }
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(entries)
}

fn is_maildir(path: &Path) -> bool {
    path.join("cur").is_dir() && path.join("new").is_dir()
}

/// Indices and settings that mail programs keep beside mail.
fn is_bookkeeping(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let endings = [".msf", ".dat", ".lock", ".plist", ".db", ".sqlite", ".index", ".cache", ".log", ".md5"];
    lower.starts_with("dovecot")
        || lower.starts_with('.')
        || lower == "subscriptions"
        || lower == "maildirfolder"
        || lower == "maildirsize"
        || endings.iter().any(|ending| lower.ends_with(ending) && lower != "winmail.dat")
}

/// What a file is, by its first bytes.
fn format_of(path: &Path) -> std::io::Result<Format> {
    let mut head = vec![0; 4096];
    let mut file = fs::File::open(path)?;
    let mut filled = 0;
    while filled < head.len() {
        match file.read(&mut head[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    head.truncate(filled);
    Ok(match sniff(&head) {
        // Other compound files are documents; the name tells before the whole is read.
        Format::Unreadable(OUTLOOK) if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("msg")) => {
            Format::Messages
        }
        format => format,
    })
}

/// What these first bytes begin.
pub(in crate::collect) fn sniff(head: &[u8]) -> Format {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = &text[text.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()..];
    if text.starts_with(b"From ") {
        return Format::Mbox;
    }
    if head.starts_with(b"!BDN") {
        return Format::Pst;
    }
    if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Format::Unreadable(OUTLOOK);
    }
    if head.starts_with(&[0x1f, 0x8b]) || head.starts_with(b"PK\x03\x04") || head.starts_with(b"7z\xbc\xaf") {
        return Format::Unreadable("archive");
    }
    let text = without_count(text);
    if is_message(text) { Format::Messages } else { Format::NotMail }
}

/// Apple's `.emlx` files begin with a line that holds the message's length.
pub(in crate::collect) fn without_count(text: &[u8]) -> &[u8] {
    let digits = text.iter().take(12).take_while(|byte| byte.is_ascii_digit()).count();
    let blank = text[digits..].iter().take(8).take_while(|byte| matches!(byte, b' ' | b'\r')).count();
    match text.get(digits + blank) {
        Some(b'\n') if digits > 0 => &text[digits + blank + 1..],
        _ => text,
    }
}

/// Whether two of the first lines are fields that mail has.
fn is_message(text: &[u8]) -> bool {
    const FIELDS: [&str; 19] = [
        "received",
        "return-path",
        "delivered-to",
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "content-type",
        "x-gmail-labels",
        "dkim-signature",
        "reply-to",
        "cc",
        "sender",
        "x-mozilla-status",
        "status",
        "list-id",
        "in-reply-to",
    ];
    let mut known = 0;
    for line in text.split(|byte| *byte == b'\n').take(60) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            continue;
        }
        let name = line.iter().take(78).take_while(|byte| byte.is_ascii_graphic() && **byte != b':').count();
        if line.get(name) != Some(&b':') {
            return false;
        }
        known += usize::from(FIELDS.iter().any(|field| line[..name].eq_ignore_ascii_case(field.as_bytes())));
    }
    known >= 2
}

/// The folder inside `outer` that a name on disk means.
fn inner_folder(outer: &str, name: &str, maildir: bool, key: &[u8; 32]) -> String {
    // Maildir++ writes the whole path into one name: `.Archive.2019`.
    let parts: Vec<String> = match name.strip_prefix('.') {
        Some(dotted) if maildir => dotted.split('.').map(|part| shown(&from_modified_utf7(part), key)).collect(),
        _ => vec![shown(&from_modified_utf7(&folder_name(name)), key)],
    };
    let inner = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    match (outer.is_empty(), inner.is_empty()) {
        (true, _) => inner,
        (false, true) => outer.to_owned(),
        (false, false) => format!("{outer}/{inner}"),
    }
}

/// Thunderbird's `Inbox.sbd` and Apple's `Inbox.mbox` are the folder `Inbox`.
fn folder_name(name: &str) -> String {
    [".sbd", ".mbox"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name).to_owned()
}

fn without_extension(name: &str) -> String {
    let known = [".mbox", ".mbx", ".eml", ".emlx", ".txt", ".pst", ".ost", ".msg", ".zip", ".gz"];
    let lower = name.to_ascii_lowercase();
    let ending = known.iter().find(|ending| lower.ends_with(**ending)).map_or(0, |ending| ending.len());
    name.get(..name.len() - ending).unwrap_or(name).to_owned()
}

/// A folder's name in modified UTF-7 (RFC 3501 §5.1.3) as text; what is no such code stays as it is.
pub(super) fn from_modified_utf7(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, coded)) = rest.split_once('&') {
        out.push_str(before);
        let Some((code, after)) = coded.split_once('-') else {
            out.push('&');
            rest = coded;
            continue;
        };
        if code.is_empty() {
            out.push('&');
        } else {
            match decode_utf7(code) {
                Some(text) => out.push_str(&text),
                None => {
                    out.push('&');
                    rest = coded;
                    continue;
                }
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn decode_utf7(code: &str) -> Option<String> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    let bytes = STANDARD_NO_PAD.decode(code.replace(',', "/")).ok()?;
    let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).collect::<Result<String, _>>().ok()
}

/// A name from disk or from a label as it may be shown: names of people and numbers in it could be a
/// patient's, so such a name becomes a keyed reference.
pub(super) fn shown(name: &str, key: &[u8; 32]) -> String {
    let name = name.trim();
    if name.is_empty() || !may_name_somebody(name) {
        let short: String = name.chars().take(100).collect();
        return crate::text::visible(&short.replace('/', "-"));
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(b"folder\0");
    mac.update(name.as_bytes());
    format!("folder-{}", &crate::evidence::hex(&mac.finalize().into_bytes())[..8])
}

/// Five digits in a row or in groups, an address, or the full name of somebody.
pub(in crate::collect) fn may_name_somebody(name: &str) -> bool {
    use super::detect::words::{Class, WORDS, is_given_name, is_no_name, is_surname};
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let dates = name.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
    // `2024-11`, `2024Q3` and `Archive 2019` are times, not numbers of somebody.
    let only_times =
        dates.clone().all(|run| run.len() <= 2 || (run.len() == 4 && (run.starts_with("19") || run.starts_with("20"))))
            && dates.count() <= 2;
    if name.contains('@') || (digits >= 5 && !only_times) {
        return true;
    }
    let spaced: String = name.chars().map(|c| if matches!(c, '_' | '.' | '-') { ' ' } else { c }).collect();
    let (folded, _) = super::fold::Folded::of(&[&spaced]);
    let hits = WORDS.find(&folded).hits;
    let words = || folded.scan().split(|byte| *byte == b' ').filter(|word| word.len() > 1);
    // `Virginia` alone is a place; beside a word that no list knows it may be somebody.
    words().count() >= 2
        && (hits.iter().any(|hit| hit.classes.has(Class::Title))
            || (words().any(|word| is_given_name(word) || is_surname(word)) && !words().all(is_no_name))
            || (is_family_first(&spaced) && !words().all(is_no_name)))
}

/// `Quillonberg, Zorbalina`, as lists of people are sorted: one comma, and before it one word.
fn is_family_first(name: &str) -> bool {
    let is_word = |word: &str| word.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\''));
    let is_name = |word: &str| word.chars().next().is_some_and(char::is_uppercase) && is_word(word);
    match name.split_once(',') {
        Some((family, given)) => {
            let mut given = given.split_whitespace();
            is_name(family.trim()) && given.next().is_some_and(is_name) && given.count() <= 2
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{make_folder, write_whole};

    const MESSAGE: &[u8] = b"From: a@b.example\r\nSubject: x\r\n\r\nbody\r\n";
    const KEY: [u8; 32] = [1; 32];

    fn found(path: &Path) -> Vec<(String, &'static str, usize)> {
        discover(path, "mail", &KEY)
            .unwrap()
            .into_iter()
            .map(|unit| {
                let count = match &unit.contents {
                    Contents::Files(files) => files.len(),
                    Contents::One(_) => 1,
                };
                (unit.folder, unit.format.as_str(), count)
            })
            .collect()
    }

    #[test]
    fn maildirs_and_their_dotted_folders_are_found() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["", ".Archive.2019", ".&AMk-tude"] {
            for sub in ["cur", "new", "tmp"] {
                make_folder(&root.path().join(folder).join(sub)).unwrap();
            }
            write_whole(&root.path().join(folder).join("cur/1700000000.x:2,S"), MESSAGE).unwrap();
        }
        write_whole(&root.path().join("dovecot-uidlist"), b"3 V1").unwrap();
        let mut folders = found(root.path());
        folders.sort();
        let expected = ["Archive/2019", "INBOX", "Étude"].map(|name| (name.to_owned(), "maildir", 1));
        assert_eq!(folders, expected);
    }

    #[test]
    fn trees_of_messages_mboxes_and_strangers_are_told_apart() {
        let root = tempfile::tempdir().unwrap();
        make_folder(&root.path().join("Inbox.sbd")).unwrap();
        write_whole(&root.path().join("Inbox"), b"From a@b Thu Jan  1 00:00:00 2026\nSubject: x\n\n").unwrap();
        write_whole(&root.path().join("Inbox.sbd/Patients.mbox"), b"From a@b Thu Jan  1 00:00:00 2026\n").unwrap();
        write_whole(&root.path().join("one.eml"), MESSAGE).unwrap();
        write_whole(&root.path().join("two.emlx"), &[b"40\n".as_slice(), MESSAGE].concat()).unwrap();
        write_whole(&root.path().join("old.pst"), b"!BDN....").unwrap();
        write_whole(&root.path().join("notes.txt"), b"shopping list").unwrap();
        let expected = [
            ("Inbox", "mbox", 1),
            ("Inbox/Patients", "mbox", 1),
            ("notes", "not-mail", 1),
            ("old", "pst", 1),
            ("messages", "messages", 2),
        ];
        assert_eq!(found(root.path()), expected.map(|(folder, format, count)| (folder.to_owned(), format, count)));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/", root.path().join("link")).unwrap();
        assert!(found(root.path()).is_empty());
    }

    #[test]
    fn names_that_could_be_a_patients_are_replaced() {
        for name in [
            "Maria Quillon",
            "MRN 4455661",
            "quillon@mail.example",
            "quillon_maria",
            "DOB 03-04-1962",
            "Virginia Quillon",
        ] {
            assert!(shown(name, &KEY).starts_with("folder-"), "{name}");
        }
        // Names that no list of given names has.
        for name in ["Zorba Vandermeer", "Quillonberg, Zorbalina", "Quillonberg, Zorbalina M.mbox", "Garcia_Zorba.eml"]
        {
            assert!(shown(name, &KEY).starts_with("folder-"), "{name}");
        }
        for name in [
            "Inbox",
            "Archive 2019",
            "2024-11",
            "Lab results",
            "Sent Items",
            "INBOX.Patients",
            "front-desk",
            "Virginia Village",
            "Deleted Items",
            "All Mail",
            "Top of Outlook data file",
            "Elementos enviados",
            "Drafts, old",
        ] {
            assert_eq!(shown(name, &KEY), name);
        }
    }
}
