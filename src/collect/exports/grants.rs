//! Reads who may open mailboxes and folders or send in their name.
//!
//! The mailbox's own rights (`NT AUTHORITY\\SELF`, told by its security identifier since the text
//! is localized) and those of the mail system are not grants, but they show that the mailbox was
//! asked about. A right that was taken away (`Deny`) is none.

use super::recipient::{self, reference};
use super::row::{Cell, Row, address};
use crate::evidence::export::{Grant, MailboxGrants, Record, Target, Trustee};
use crate::keyed::KeyedReference;
use crate::seen::{NotObserved, Seen};

/// The security identifiers of the mailbox itself and of what runs on the server.
const SELF: &str = "S-1-5-10";
/// Groups that Exchange itself gives rights to.
const SYSTEM_GROUPS: [&str; 8] = [
    "delegated setup",
    "discovery management",
    "exchange domain servers",
    "exchange servers",
    "exchange trusted subsystem",
    "exchange windows permissions",
    "managed availability servers",
    "public folder management",
];

/// `Get-EXOMailboxPermission`.
pub fn mailbox(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let wanted = [
        ("fullaccess", "full-access"),
        ("changepermission", "change-permission"),
        ("changeowner", "change-permission"),
    ];
    rights(row, key, "mailbox", "user", "usersid", &wanted)
}

/// `Get-EXORecipientPermission`.
pub fn send_as(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    rights(row, key, "send-as", "trustee", "trusteesidstring", &[("sendas", "send-as")])
}

fn rights(
    row: &Row,
    key: &KeyedReference,
    of: &str,
    holder: &'static str,
    sid: &'static str,
    wanted: &[(&str, &str)],
) -> Result<Vec<Record>, String> {
    let mut record = of_mailbox(row, key, of)?;
    let text = row.text(holder).ok_or_else(|| format!("{holder} is empty"))?;
    let denied = row.flag("deny").present() == Some(&true)
        || row.word("accesscontroltype").present().is_some_and(|word| word == "deny");
    let words = match row.seen("accessrights") {
        Seen::Present(cell) => {
            let words = words(cell);
            record.incomplete = rights_lost(row, cell, &words);
            words
        }
        Seen::Absent => Vec::new(),
        Seen::Malformed(malformed) => return Err(malformed.why),
        Seen::Unknown(reason) => {
            record.incomplete = Some(reason);
            Vec::new()
        }
    };
    if let Some(to) = trustee(text, row.text(sid), key).filter(|_| !denied) {
        let inherited = row.flag("isinherited").present() == Some(&true);
        for (word, right) in wanted {
            if words.iter().any(|known| known == word) {
                let right = (*right).to_owned();
                record.grants.push(Grant { right, folder: None, to: to.clone(), inherited });
            }
        }
    } else {
        // Rights of the mailbox itself may be lost without anything being missing.
        record.incomplete = None;
    }
    Ok(vec![Record::MailboxGrants(Box::new(record))])
}

/// `Get-MailboxFolderPermission`. Folder names are localized; the identity may tell the folder.
pub fn folder(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let mut record = of_mailbox(row, key, "folder")?;
    let named = row.text("foldername").or_else(|| row.text("identity")).unwrap_or_default();
    let last = named.rsplit(['\\', '/', ':']).next().unwrap_or_default().trim().to_lowercase();
    let folder = match last.as_str() {
        "calendar" | "kalender" | "calendrier" | "calendario" | "agenda" => "calendar",
        "inbox" | "posteingang" | "boîte de réception" | "bandeja de entrada" | "posta in arrivo" => "inbox",
        _ => "other",
    };
    // Whether the holder is known to be everybody or to be somebody.
    let mut everybody: Option<Option<Trustee>> = None;
    let holder = match row.seen("user") {
        Seen::Present(Cell::Object(fields)) => {
            let own =
                |name: &str| fields.get(name).and_then(|cell| cell.text().or_else(|| cell.field("value")?.text()));
            // A person may be called as everybody is; the type tells them apart.
            let type_ = own("usertype").map(str::to_lowercase);
            everybody = match type_.as_deref() {
                Some("default") => Some(Some(Trustee::Everyone)),
                Some("anonymous") => Some(Some(Trustee::Anonymous)),
                Some("internal" | "external" | "unknown") => Some(None),
                Some(_) | None => None,
            };
            own("displayname").or_else(|| own("usertype"))
        }
        Seen::Present(cell) => cell.text(),
        Seen::Unknown(reason) => {
            record.incomplete = Some(reason);
            None
        }
        Seen::Absent | Seen::Malformed(_) => return Err("user is empty".to_owned()),
    };
    if holder.is_none() {
        record.incomplete.get_or_insert_with(|| row.unreadable("user", "a holder that is not written as text"));
    }
    let words = match row.seen("accessrights") {
        Seen::Present(cell) => {
            let words = words(cell);
            record.incomplete = record.incomplete.or_else(|| rights_lost(row, cell, &words));
            words
        }
        Seen::Absent | Seen::Malformed(_) => Vec::new(),
        Seen::Unknown(reason) => {
            record.incomplete = Some(reason);
            Vec::new()
        }
    };
    let to = holder.and_then(|holder| match (everybody, holder.to_lowercase().as_str()) {
        (Some(Some(everybody)), _) => Some(everybody),
        (None, "default" | "standard" | "par défaut" | "predeterminado" | "predefinito") => Some(Trustee::Everyone),
        (None, "anonymous" | "anonym" | "anonyme" | "anónimo" | "anonimo") => Some(Trustee::Anonymous),
        (Some(None) | None, _) => trustee(holder.strip_prefix("ExchangePublishedUser.").unwrap_or(holder), None, key),
    });
    if let Some(to) = to {
        for word in words.into_iter().filter(|word| !["none", "availabilityonly"].contains(&word.as_str())) {
            let folder = Some(folder.to_owned());
            record.grants.push(Grant { right: word, folder, to: to.clone(), inherited: false });
        }
    }
    Ok(vec![Record::MailboxGrants(Box::new(record))])
}

/// Microsoft-Extractor-Suite's MailboxPermissions.csv: one row a mailbox, holders in lists.
pub fn extractor(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    for (column, of, right) in [
        ("fullaccessusers", "mailbox", "full-access"),
        ("sendasusers", "send-as", "send-as"),
        ("sendonbehalfusers", "send-as", "send-on-behalf"),
    ] {
        let mut record = of_mailbox(row, key, of)?;
        match row.seen(column) {
            Seen::Present(cell) => {
                let texts: Vec<&str> = match cell {
                    Cell::List(items) => items.iter().filter_map(Cell::text).collect(),
                    cell => cell.text().into_iter().collect(),
                };
                let holders = texts.into_iter().flat_map(|text| text.split([',', ';', '\n'])).map(str::trim);
                for holder in holders.filter(|holder| !holder.is_empty()) {
                    if let Some(to) = trustee(holder, None, key) {
                        record.grants.push(Grant { right: right.to_owned(), folder: None, to, inherited: false });
                    }
                }
                if holds_no_text(cell) {
                    record.incomplete = Some(row.unreadable(column, "a holder that is not written as text"));
                }
            }
            Seen::Absent | Seen::Malformed(_) => {}
            Seen::Unknown(reason) => record.incomplete = Some(reason),
        }
        records.push(Record::MailboxGrants(Box::new(record)));
    }
    Ok(records)
}

/// `gam print delegates`: a delegation that was not accepted gives no access yet.
pub fn google_delegate(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let mailbox = row.address("user").ok_or_else(|| "user holds no address".to_owned())?;
    let mut record = MailboxGrants {
        provider: "google-workspace".to_owned(),
        of: "delegate".to_owned(),
        mailbox: Seen::Present(mailbox),
        owner: None,
        grants: Vec::new(),
        incomplete: None,
        rows: 1,
    };
    let holder = row.text("delegateaddress").or_else(|| row.text("delegateemail"));
    let waits = row.word("delegationstatus").present().is_some_and(|word| word == "pending" || word == "expired");
    // A user without delegates has a row of its own where GAM was told to write one.
    if let Some(to) = holder.filter(|_| !waits).and_then(|holder| trustee(holder, None, key)) {
        record.grants.push(Grant { right: "delegate".to_owned(), folder: None, to, inherited: false });
    }
    Ok(vec![Record::MailboxGrants(Box::new(record))])
}

/// The mailbox a row of rights is about.
fn of_mailbox(row: &Row, key: &KeyedReference, of: &str) -> Result<MailboxGrants, String> {
    const NAMED: [&str; 6] =
        ["mailboxaddress", "mailbox", "primarysmtpaddress", "userprincipalname", "username", "identity"];
    // The identity of a folder is `alias:\Calendar`.
    let texts: Vec<&str> = NAMED
        .iter()
        .filter_map(|column| row.text(column))
        .map(|text| text.split_once(":\\").map_or(text, |(mailbox, _)| mailbox))
        .collect();
    let (mailbox, owner) = match texts.iter().find_map(|text| address(text)) {
        Some(address) => (Seen::Present(address), None),
        None => {
            let first = texts.first().ok_or_else(|| "no column names the mailbox".to_owned())?;
            let why = "the row does not name its mailbox by address".to_owned();
            (Seen::Unknown(NotObserved::Unreadable { why, line: Some(row.number) }), Some(reference(first, key)))
        }
    };
    Ok(MailboxGrants {
        provider: "microsoft365".to_owned(),
        of: of.to_owned(),
        mailbox,
        owner,
        grants: Vec::new(),
        incomplete: None,
        rows: 1,
    })
}

/// Words of a list whose elements may themselves be joined by commas.
fn words(cell: &Cell) -> Vec<String> {
    let texts: Vec<&str> = match cell {
        Cell::List(items) => items.iter().filter_map(Cell::text).collect(),
        cell => cell.text().into_iter().collect(),
    };
    let mut words: Vec<String> = texts
        .into_iter()
        .flat_map(|text| text.split([',', ';', ' ', '{', '}']))
        .map(|word| word.trim().to_ascii_lowercase())
        .filter(|word| !word.is_empty() && word.len() <= 40 && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .collect();
    words.sort();
    words.dedup();
    words
}

/// Rights written as numbers say nothing that can be told for certain, nor do those in objects.
fn rights_lost(row: &Row, cell: &Cell, words: &[String]) -> Option<NotObserved> {
    let number = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
    let why = if words.iter().any(number) {
        "a number; export with -EnumsAsStrings"
    } else if holds_no_text(cell) {
        "a right that is not written as text"
    } else {
        return None;
    };
    Some(row.unreadable("accessrights", why))
}

/// Whether a cell, or an element of its list, is filled with something that is no text.
fn holds_no_text(cell: &Cell) -> bool {
    let no_text = |cell: &Cell| cell.text().is_none() && !cell.is_empty();
    match cell {
        Cell::List(items) => items.iter().any(no_text),
        cell => no_text(cell),
    }
}

/// Who holds a right; `None` for the mailbox itself and for the mail system.
fn trustee(text: &str, sid: Option<&str>, key: &KeyedReference) -> Option<Trustee> {
    let text = text.trim();
    let lower = text.to_lowercase();
    if sid == Some(SELF) || text.eq_ignore_ascii_case(SELF) || lower == "nt authority\\self" {
        return None;
    }
    // Well-known identifiers of the server: LOCAL SYSTEM, NETWORK SERVICE, the built-in groups.
    let is_sid = |text: &str| text.len() > 4 && text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("S-1-"));
    let of_an_account = |text: &str| text.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("S-1-5-21"));
    if is_sid(text) {
        return of_an_account(text).then_some(Trustee::NoAccount);
    }
    if sid.is_some_and(|sid| is_sid(sid) && !of_an_account(sid)) || lower.starts_with("nt authority\\") {
        return None;
    }
    let bare = lower.rsplit_once('\\').map_or(lower.as_str(), |(_, name)| name);
    if SYSTEM_GROUPS.contains(&bare) {
        return None;
    }
    let mut targets = recipient::of_text(text, key);
    let target = if targets.len() == 1 { targets.remove(0) } else { Target::Unparseable };
    Some(Trustee::Account { target, reference: reference(text, key) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> KeyedReference {
        KeyedReference::new(b"test")
    }

    fn row(cells: &[(&'static str, &str)]) -> Row {
        let cells = cells.iter().map(|(column, text)| (*column, Cell::Text((*text).to_owned()))).collect();
        Row { number: 1, cells, context: None }
    }

    fn grants(records: Vec<Record>) -> MailboxGrants {
        let Record::MailboxGrants(grants) = records.into_iter().next().unwrap() else { panic!("grants") };
        *grants
    }

    #[test]
    fn the_mailbox_itself_is_no_grant_whatever_the_language() {
        for (user, sid) in [
            (r"NT AUTHORITY\SELF", ""),
            (r"NT-AUTORITÄT\SELBST", "S-1-5-10"),
            ("S-1-5-10", ""),
            (r"NT AUTHORITY\SYSTEM", ""),
            (r"NAMPR\Exchange Servers", ""),
        ] {
            let found = grants(
                mailbox(
                    &row(&[
                        ("identity", "ana@clinic.example"),
                        ("user", user),
                        ("usersid", sid),
                        ("accessrights", "FullAccess, ReadPermission"),
                    ]),
                    &key(),
                )
                .unwrap(),
            );
            assert_eq!(found.grants, [], "{user}");
            assert_eq!(found.mailbox, Seen::Present("ana@clinic.example".to_owned()), "it was asked about");
        }
    }

    #[test]
    fn a_right_taken_away_is_none_and_a_lost_one_is_not_known() {
        let with = |deny: &str, rights: &str| {
            let cells = [
                ("identity", "ana@clinic.example"),
                ("user", "ben@clinic.example"),
                ("accessrights", rights),
                ("deny", deny),
            ];
            grants(mailbox(&row(&cells), &key()).unwrap())
        };
        assert_eq!(with("True", "FullAccess").grants, []);
        assert_eq!(with("False", "ReadPermission").grants, []);
        assert_eq!(with("False", "{FullAccess, DeleteItem}").grants.len(), 1);
        assert!(matches!(with("False", "System.String[]").incomplete, Some(NotObserved::Lost { .. })));
        assert!(matches!(with("False", "1").incomplete, Some(NotObserved::Unreadable { .. })));
        assert_eq!(with("True", "1").incomplete, None, "nobody holds it");
    }

    #[test]
    fn lists_of_holders_are_read_as_lists() {
        let list = |names: &[&str]| Cell::List(names.iter().map(|name| Cell::Text((*name).to_owned())).collect());
        let row = Row {
            number: 1,
            cells: vec![
                ("identity", Cell::Text("ana@clinic.example".to_owned())),
                ("fullaccessusers", list(&["ben@clinic.example", "eve@clinic.example"])),
                ("sendasusers", Cell::Text(String::new())),
                ("sendonbehalfusers", list(&["ben@clinic.example"])),
            ],
            context: None,
        };
        let found: Vec<_> = extractor(&row, &key())
            .unwrap()
            .into_iter()
            .map(|record| {
                let grants = grants(vec![record]);
                (grants.of, grants.grants.iter().map(|grant| grant.right.clone()).collect::<Vec<_>>().join(", "))
            })
            .collect();
        let said = |of: &str, rights: &str| (of.to_owned(), rights.to_owned());
        assert_eq!(
            found,
            [said("mailbox", "full-access, full-access"), said("send-as", ""), said("send-as", "send-on-behalf")]
        );
    }

    #[test]
    fn what_is_no_text_among_holders_and_rights_is_not_passed_over() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let object = || Cell::Object([("name".to_owned(), text("Eve"))].into_iter().collect());
        let with = |other: Cell| {
            let row = Row {
                number: 1,
                cells: vec![
                    ("identity", text("ana@clinic.example")),
                    ("fullaccessusers", Cell::List(vec![text("ben@clinic.example"), other.clone()])),
                    ("user", text("ben@clinic.example")),
                    ("accessrights", Cell::List(vec![text("FullAccess"), other])),
                ],
                context: None,
            };
            [extractor(&row, &key()), mailbox(&row, &key()), folder(&row, &key())].map(|records| {
                let grants = grants(records.unwrap());
                (grants.grants.len(), grants.incomplete.is_some())
            })
        };
        for other in [object(), Cell::List(vec![text("Eve")])] {
            assert_eq!(with(other.clone()), [(1, true); 3], "{other:?}");
        }
        for other in [Cell::Null, text("")] {
            assert_eq!(with(other.clone()), [(1, false); 3], "{other:?}");
        }
        let cells = vec![
            ("identity", text(r"ana@clinic.example:\Calendar")),
            ("user", Cell::List(vec![text("Eve")])),
            ("accessrights", text("Editor")),
        ];
        let found = grants(folder(&Row { number: 1, cells, context: None }, &key()).unwrap());
        assert!(found.grants.is_empty() && found.incomplete.is_some());
    }

    #[test]
    fn a_person_called_default_is_a_person() {
        let with = |kind: &str| {
            let user = [("displayname", "Default"), ("usertype", kind)];
            let user = user.into_iter().map(|(name, text)| (name.to_owned(), Cell::Text(text.to_owned()))).collect();
            let row = Row {
                number: 1,
                cells: vec![
                    ("identity", Cell::Text(r"ana@clinic.example:\Calendar".to_owned())),
                    ("foldername", Cell::Text("Calendar".to_owned())),
                    ("user", Cell::Object(user)),
                    ("accessrights", Cell::Text("Reviewer".to_owned())),
                ],
                context: None,
            };
            grants(folder(&row, &key()).unwrap()).grants.remove(0).to
        };
        assert_eq!(with("Default"), Trustee::Everyone);
        assert!(matches!(with("Internal"), Trustee::Account { .. }));
    }

    #[test]
    fn an_identifier_without_an_account_is_somebody_who_is_gone() {
        let cells = [("identity", "Ana"), ("user", "S-1-5-21-1-2-3-1104"), ("accessrights", "FullAccess")];
        let found = grants(mailbox(&row(&cells), &key()).unwrap());
        assert_eq!(found.grants[0].to, Trustee::NoAccount);
        assert!(found.owner.is_some() && found.mailbox.present().is_none());
    }

    #[test]
    fn default_and_anonymous_are_known_in_several_languages() {
        let with = |user: &str, rights: &str| {
            let cells = [
                ("identity", r"ana@clinic.example:\Kalender"),
                ("foldername", "Kalender"),
                ("user", user),
                ("accessrights", rights),
            ];
            grants(folder(&row(&cells), &key()).unwrap()).grants
        };
        assert_eq!(with("Standard", "AvailabilityOnly"), []);
        assert_eq!(with("Anonym", "Reviewer")[0].to, Trustee::Anonymous);
        assert_eq!(with("Default", "LimitedDetails")[0].folder.as_deref(), Some("calendar"));
    }
}
