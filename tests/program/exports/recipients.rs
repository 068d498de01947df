//! A table of recipients, written from what exporters are known to write: every one gets its
//! class, and none that leads outside is taken for inside.

use super::world::{data, declared, facts, put};

/// Class and text of every line.
fn table() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(data("recipients.tsv")).unwrap();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once('\t').expect("class, tab, text"))
        .map(|(class, text)| (class.to_owned(), text.to_owned()))
        .collect()
}

const DIRECTORY_NAME: &str = "/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=";

fn recipients() -> String {
    let entry = |kind: &str, own: &str, outside: &str, name: &str, identity: &str, guid: &str, dn: &str, old: &str| {
        let addresses: Vec<String> = [format!("SMTP:{own}")]
            .into_iter()
            .chain((!old.is_empty()).then(|| format!("X500:{DIRECTORY_NAME}{old}")))
            .collect();
        serde_json::json!({
            "RecipientTypeDetails": kind, "PrimarySmtpAddress": own, "ExternalEmailAddress": outside, "Name": name,
            "Alias": dn, "Identity": identity, "Guid": guid, "LegacyExchangeDN": format!("{DIRECTORY_NAME}{dn}"),
            "EmailAddresses": addresses,
        })
    };
    serde_json::json!([
        entry(
            "UserMailbox",
            "ana@clinic.example",
            "",
            "Ana Ruiz",
            "clinic.example/Users/Ana",
            "0b3c3f2e-5a44-4a6c-9a3a-000000000001",
            "ana",
            "",
        ),
        entry(
            "MailContact",
            "outside.desk@clinic.example",
            "SMTP:desk@partner.example",
            "Outside Desk",
            "clinic.example/Contacts/Outside",
            "0b3c3f2e-5a44-4a6c-9a3a-000000000002",
            "contact",
            "oldcontact",
        ),
        entry(
            "GuestMailUser",
            "guest_gmail.com#EXT#@clinic.example",
            "SMTP:guest@gmail.com",
            "Guest Person",
            "guest-person",
            "0b3c3f2e-5a44-4a6c-9a3a-000000000003",
            "guest",
            "",
        ),
    ])
    .to_string()
}

#[test]
fn no_recipient_outside_is_taken_for_inside() {
    let table = table();
    assert!(table.len() >= 200, "{} recipients", table.len());
    let folder = tempfile::tempdir().unwrap();
    let rules: Vec<serde_json::Value> = table
        .iter()
        .enumerate()
        .map(|(number, (_, text))| {
            serde_json::json!({
                "MailboxOwnerId": format!("row{number}@clinic.example"), "RuleIdentity": number, "SupportedByTask": true,
                "Enabled": true, "ForwardTo": text, "RedirectTo": null, "ForwardAsAttachmentTo": null,
            })
        })
        .collect();
    put(folder.path(), "rules.json", serde_json::to_string(&rules).unwrap().as_bytes());
    put(folder.path(), "recipients.json", recipients().as_bytes());
    put(
        folder.path(),
        "domains.csv",
        b"DomainName,DomainType,MatchSubDomains\nclinic.example,Authoritative,False\nxn--rzte-koa.example,Authoritative,False\nhealth.example,Authoritative,True\n",
    );
    let facts = facts(folder.path(), declared(&["clinic.example"]));
    let mut wrong = Vec::new();
    for (number, (class, text)) in table.iter().enumerate() {
        let mailbox = format!("row{number}@clinic.example");
        let found: Vec<_> = facts
            .forwarding_rules
            .subjects
            .iter()
            .filter(|rule| rule.mailbox.seen.present() == Some(&mailbox))
            .map(|rule| rule.target_class.seen.present().cloned().unwrap_or_else(|| format!("{:?}", rule.target_class)))
            .collect();
        if found != [class.clone()] {
            wrong.push(format!("{text:?}: {found:?}, expected {class}"));
        }
    }
    let outside = |class: &str| ["external", "consumer-webmail", "business-associate"].contains(&class);
    eprintln!(
        "{} recipients, {} of them outside; {} classed otherwise than labelled",
        table.len(),
        table.iter().filter(|(class, _)| outside(class)).count(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
