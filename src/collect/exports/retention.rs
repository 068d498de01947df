//! Reads after how many days tags, policies and rules delete mail or keep it.
//!
//! Names leave as keyed references; of a rule its action and days are kept. Which of them hold for a mailbox,
//! and what that means, is not decided here.

use super::recipient::reference;
use super::row::{Cell, Row};
use crate::evidence::export::{Record, TenantSetting};
use crate::keyed::KeyedReference;
use crate::seen::Seen;

const PROVIDER: &str = "microsoft365";

fn setting(name: &str, of: String, value: Seen<String>) -> Record {
    Record::TenantSetting(Box::new(TenantSetting {
        provider: PROVIDER.to_owned(),
        setting: name.to_owned(),
        of: Some(of),
        value,
    }))
}

fn named(text: &str, key: &KeyedReference) -> String {
    key.of(&text.trim().to_lowercase())
}

/// A name: of the retention policy (of tags) that is assigned to a mailbox, or of the mailbox itself.
pub fn name_of(row: &Row, column: &'static str, key: &KeyedReference) -> Seen<String> {
    match row.seen(column) {
        Seen::Present(cell) => match cell.text() {
            Some(text) => Seen::Present(named(text, key)),
            None => Seen::Unknown(row.unreadable(column, "no name")),
        },
        Seen::Absent => Seen::Absent,
        Seen::Malformed(malformed) => Seen::Malformed(malformed),
        Seen::Unknown(reason) => Seen::Unknown(reason),
    }
}

/// `Get-RetentionPolicy`: one record for each tag that it links, and one where it links none.
pub fn assignment(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let name = row.text("name").ok_or_else(|| "name is empty".to_owned())?;
    let of = named(name, key);
    // Names of tags hold spaces and commas: joined to one text they cannot be told apart.
    let links = match row.names("retentionpolicytaglinks") {
        Seen::Present(tags) => tags.into_iter().map(|tag| Seen::Present(named(tag, key))).collect(),
        seen => vec![seen.map(|_| String::new())],
    };
    Ok(links.into_iter().map(|tag| setting("retention-tag-link", of.clone(), tag)).collect())
}

/// `Get-RetentionPolicyTag`: days after which it deletes mail of folders where people keep it, 0 where it deletes
/// none there by itself. One for some messages only has the word `partly` at its end.
pub fn tag(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    const WHERE_MAIL_IS_KEPT: [&str; 6] = ["all", "archive", "clutter", "inbox", "outbox", "sentitems"];
    // Thrown away, taken for junk or not sent yet; left to each user's choice; or no mail at all.
    const OTHERS: [&str; 13] = [
        "calendar",
        "contacts",
        "conversationhistory",
        "deleteditems",
        "drafts",
        "journal",
        "junkemail",
        "notes",
        "personal",
        "recoverableitems",
        "rsssubscriptions",
        "syncissues",
        "tasks",
    ];
    let name = row.text("name").ok_or_else(|| "name is empty".to_owned())?;
    let none = || Seen::Present("0".to_owned());
    let deletes = match row.word("retentionaction") {
        Seen::Present(action) => match action.as_str() {
            "deleteandallowrecovery" | "movetodeleteditems" | "permanentlydelete" => Seen::Present(true),
            "markaspastretentionlimit" | "movetoarchive" | "movetofolder" => Seen::Present(false),
            _ => Seen::Unknown(row.unreadable("retentionaction", "a number or an unknown word")),
        },
        seen => seen.map(|_| true),
    };
    let days = || match (row.days("agelimitforretention"), row.seen("messageclass")) {
        // A tag without an age never deletes; one of hours does, and 0 is the word for none.
        (Seen::Absent, _) => none(),
        (Seen::Present(days), Seen::Present(class)) if class.text() == Some("*") => {
            Seen::Present(days.max(1).to_string())
        }
        // A tag of its own is for voice messages.
        (Seen::Present(days), Seen::Present(_)) => Seen::Present(format!("{} partly", days.max(1))),
        (Seen::Present(_), Seen::Unknown(reason)) | (Seen::Unknown(reason), _) => Seen::Unknown(reason),
        _ => Seen::not_provided("MessageClass and AgeLimitForRetention of every retention tag"),
    };
    let value = match (row.word("type"), row.flag("retentionenabled"), deletes) {
        (Seen::Present(kind), _, _) if OTHERS.contains(&kind.as_str()) => none(),
        (_, Seen::Present(false), _) | (_, _, Seen::Present(false)) => none(),
        (Seen::Present(kind), Seen::Present(true), Seen::Present(true))
            if WHERE_MAIL_IS_KEPT.contains(&kind.as_str()) =>
        {
            days()
        }
        (Seen::Present(_), Seen::Present(true), Seen::Present(true)) => {
            Seen::Unknown(row.unreadable("type", "a number or an unknown word"))
        }
        (Seen::Unknown(reason), ..) | (_, Seen::Unknown(reason), _) | (_, _, Seen::Unknown(reason)) => {
            Seen::Unknown(reason)
        }
        _ => Seen::not_provided("Type, RetentionEnabled and RetentionAction of every retention tag"),
    };
    Ok(vec![setting("retention-tag", named(name, key), value)])
}

/// `Get-RetentionComplianceRule`: what it does and after how many days, under the policy it belongs to:
/// `delete 365`, `keep 2190`, `keepanddelete 2190`, `keep unlimited`, `none`. One for some mail only, by a
/// query or but for some kinds of items, has the word `partly` at its end. `label` is one that puts a label on
/// some mail, which may delete or keep it.
pub fn rule(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let policy = row.text("policy").ok_or_else(|| "policy is empty".to_owned())?;
    let duration = match row.word("retentionduration") {
        Seen::Present(days) if days == "unlimited" => Seen::Present(days),
        Seen::Present(days) if days.parse::<u32>().is_ok() => Seen::Present(days),
        Seen::Present(_) => Seen::Unknown(row.unreadable("retentionduration", "no days")),
        Seen::Absent => Seen::not_provided("RetentionDuration of every retention rule"),
        seen => seen,
    };
    let partly = match (row.filled("contentmatchquery"), row.filled("excludeditemclasses")) {
        (Seen::Present(true), _) | (_, Seen::Present(true)) => Seen::Present(" partly"),
        (Seen::Present(false), Seen::Present(false)) => Seen::Present(""),
        (Seen::Present(false), other) => other.map(|_| ""),
        (one, _) => one.map(|_| ""),
    };
    let applies = row.filled("applycompliancetag");
    let publishes = row.filled("publishcompliancetag").present() == Some(&true);
    let value = match (row.word("retentioncomplianceaction"), row.flag("disabled")) {
        (_, Seen::Present(true)) => Seen::Present("none".to_owned()),
        _ if applies == Seen::Present(true) => Seen::Present("label".to_owned()),
        // A rule that publishes labels has no action of its own: what they do is left to each user's choice.
        (Seen::Absent, _) if publishes => Seen::Present("none".to_owned()),
        (Seen::Absent, _) => applies.map(|_| "none".to_owned()),
        (Seen::Present(_), Seen::Unknown(reason)) => Seen::Unknown(reason),
        (Seen::Present(_), Seen::Absent | Seen::Malformed(_)) => Seen::not_provided("Disabled of every retention rule"),
        (Seen::Present(action), Seen::Present(false))
            if ["delete", "keep", "keepanddelete"].contains(&action.as_str()) =>
        {
            match (duration, partly) {
                (Seen::Present(days), Seen::Present(partly)) => {
                    // 0 days stand for no deletion.
                    let days = if days == "0" { "1" } else { &days };
                    Seen::Present(format!("{action} {days}{partly}"))
                }
                (Seen::Present(_), other) => other.map(str::to_owned),
                (other, _) => other,
            }
        }
        (Seen::Present(_), Seen::Present(false)) => {
            Seen::Unknown(row.unreadable("retentioncomplianceaction", "a number or an unknown word"))
        }
        (seen, _) => seen,
    };
    Ok(vec![setting("retention-rule", named(policy, key), value)])
}

/// Where a retention policy holds, under each name that a rule may call it by: its state, `retention-place`
/// with `all` or a mailbox, and `retention-exception` with a mailbox.
pub fn places(row: &Row, state: &Seen<String>, key: &KeyedReference) -> Vec<Record> {
    let names: Vec<String> =
        ["guid", "name"].into_iter().filter_map(|column| row.text(column)).map(|text| named(text, key)).collect();
    let column = |column: &'static str| -> Vec<Seen<String>> {
        let one = |text: &str| match text.trim() {
            all if all.eq_ignore_ascii_case("all") => "all".to_owned(),
            mailbox => reference(mailbox, key),
        };
        let names = match row.seen(column) {
            Seen::Present(Cell::Text(text)) if !text.contains([',', ';']) => Seen::Present(vec![text.as_str()]),
            _ => row.names(column),
        };
        match names {
            Seen::Present(names) => names.into_iter().map(|name| Seen::Present(one(name))).collect(),
            // That a list names nowhere is kept: another list may name a place.
            seen => vec![seen.map(|_| String::new())],
        }
    };
    let mut records = Vec::new();
    // A rule names its policy in one of these ways.
    if let [id, name] = names.as_slice() {
        records.push(setting("retention-policy-name", id.clone(), Seen::Present(name.clone())));
    }
    for of in names {
        records.push(setting("retention-policy-state", of.clone(), state.clone()));
        // An adaptive scope is one of people that no export lists.
        if row.filled("adaptivescopelocation").present() == Some(&true) {
            let why = Seen::not_provided("the mailboxes in the adaptive scope of a retention policy");
            records.push(setting("retention-place", of.clone(), why));
        }
        records
            .extend(column("exchangelocation").into_iter().map(|place| setting("retention-place", of.clone(), place)));
        let except = column("exchangelocationexception").into_iter();
        records.extend(except.map(|place| setting("retention-exception", of.clone(), place)));
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[(&'static str, &str)]) -> Row {
        let cells = cells.iter().map(|(column, text)| (*column, Cell::Text((*text).to_owned()))).collect();
        Row { number: 1, cells, context: None }
    }

    fn said(records: &[Record]) -> Vec<String> {
        let shown = records.iter().map(|record| match record {
            Record::TenantSetting(setting) => match &setting.value {
                Seen::Present(word) => word.clone(),
                Seen::Absent => "none".to_owned(),
                Seen::Malformed(_) | Seen::Unknown(_) => "?".to_owned(),
            },
            other => panic!("{other:?}"),
        });
        shown.collect()
    }

    #[test]
    fn a_tag_deletes_only_mail_that_nobody_threw_away_and_no_user_chose() {
        let key = KeyedReference::new(b"test");
        let of = |kind: &str, enabled: &str, action: &str, age: &str| {
            let cells = [
                ("name", "T"),
                ("messageclass", "*"),
                ("type", kind),
                ("retentionenabled", enabled),
                ("retentionaction", action),
                ("agelimitforretention", age),
            ];
            said(&tag(&row(&cells), &key).unwrap()).remove(0)
        };
        assert_eq!(of("All", "True", "PermanentlyDelete", "730.00:00:00"), "730");
        assert_eq!(of("SentItems", "True", "DeleteAndAllowRecovery", "90.00:00:00"), "90");
        assert_eq!(of("All", "True", "PermanentlyDelete", "0.12:00:00"), "1", "the same day is not never");
        for (kind, enabled, action) in [
            ("All", "False", "PermanentlyDelete"),
            ("All", "True", "MoveToArchive"),
            ("DeletedItems", "True", "PermanentlyDelete"),
            ("Personal", "True", "PermanentlyDelete"),
            ("Contacts", "True", "PermanentlyDelete"),
            ("JunkEmail", "True", "PermanentlyDelete"),
        ] {
            assert_eq!(of(kind, enabled, action, "30.00:00:00"), "0", "{kind} {action}");
        }
        assert_eq!(of("All", "True", "PermanentlyDelete", ""), "0", "a tag without an age never deletes");
        for kind in ["1", "ManagedCustomFolder"] {
            assert_eq!(of(kind, "True", "PermanentlyDelete", "30.00:00:00"), "?", "{kind}");
        }
        assert_eq!(of("All", "True", "3", "30.00:00:00"), "?");
        assert_eq!(of("All", "", "PermanentlyDelete", "30.00:00:00"), "?");
    }

    #[test]
    fn a_rule_is_its_action_and_its_days() {
        let key = KeyedReference::new(b"test");
        let with = |action: &str, days: &str, further: &[(&'static str, &str)]| {
            let mut cells = vec![("policy", "P"), ("retentioncomplianceaction", action), ("retentionduration", days)];
            cells.extend(further);
            said(&rule(&row(&cells), &key).unwrap()).remove(0)
        };
        let whole = [("contentmatchquery", ""), ("excludeditemclasses", "")];
        let labels = |of: &str, applied: &str, published: &str| {
            let labels = [("applycompliancetag", applied), ("publishcompliancetag", published), ("disabled", "False")];
            with(of, "", &labels)
        };
        assert_eq!((labels("", "", "Staff"), labels("", "", "")), ("none".into(), "none".into()));
        assert_eq!((labels("", "Old", ""), labels("Delete", "Old", "")), ("label".into(), "label".into()));
        let of = |action: &str, days: &str, disabled: &str| {
            with(action, days, &[whole[0], whole[1], ("disabled", disabled)])
        };
        assert_eq!(of("KeepAndDelete", "2190", "False"), "keepanddelete 2190");
        assert_eq!(of("Keep", "Unlimited", "False"), "keep unlimited");
        assert_eq!(of("Delete", "0", "False"), "delete 1");
        assert_eq!(of("Delete", "365", "True"), "none");
        assert_eq!(
            (of("", "", "False"), of("Delete", "", "False"), of("2", "9", "False")),
            ("?".into(), "?".into(), "?".into()),
            "without an action it may put a label on mail"
        );
        assert_eq!(of("Keep", "Unlimited", ""), "?", "whether it is switched off is not said");
        assert_eq!(with("Keep", "9", &whole), "?", "a list without the column");
        let on = ("disabled", "False");
        let board = ("contentmatchquery", "subject:\"board minutes\"");
        assert_eq!(with("Keep", "9", &[on, board, whole[1]]), "keep 9 partly");
        assert_eq!(with("Keep", "9", &[on, whole[0], ("excludeditemclasses", "IPM.Note")]), "keep 9 partly");
        assert_eq!(with("Keep", "9", &[on, whole[1]]), "?", "it may be for some mail only");
    }

    #[test]
    fn names_of_tags_that_were_joined_are_not_taken_apart() {
        let key = KeyedReference::new(b"test");
        let of = |cell: Cell| {
            let name = ("name", Cell::Text("Clinic".to_owned()));
            let row = Row { number: 1, cells: vec![name, ("retentionpolicytaglinks", cell)], context: None };
            said(&assignment(&row, &key).unwrap()).len()
        };
        let list = |tags: &[&str]| Cell::List(tags.iter().map(|tag| Cell::Text((*tag).to_owned())).collect());
        assert_eq!((of(list(&["One year", "Bin"])), of(list(&[])), of(list(&[""]))), (2, 1, 1));
        let joined = Cell::Text("One year Bin".to_owned());
        let row = Row {
            number: 1,
            cells: vec![("name", Cell::Text("Clinic".to_owned())), ("retentionpolicytaglinks", joined)],
            context: None,
        };
        assert_eq!(said(&assignment(&row, &key).unwrap()), ["?"]);
    }
}
