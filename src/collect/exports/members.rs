//! Reads who is in a group or list that mail is sent to.
//!
//! Of a member only the domain and a keyed reference are kept, as of every recipient; of the group its own
//! address, which is the organization's. That a member belongs to the organization is not decided here.

use super::recipient;
use super::row::Row;
use crate::evidence::export::{Group, Record, Target};
use crate::keyed::KeyedReference;
use crate::seen::Seen;

/// Recipients whose mail stays where it is, or goes to members of a list of their own. A mail user, contact
/// or guest is none: its mail goes to an address outside, never to the one that it has here.
const STAY_HERE: [&str; 21] = [
    "discoverymailbox",
    "dynamicdistributiongroup",
    "equipmentmailbox",
    "groupmailbox",
    "legacymailbox",
    "linkedmailbox",
    "linkedroommailbox",
    "mailnonuniversalgroup",
    "mailuniversaldistributiongroup",
    "mailuniversalsecuritygroup",
    "publicfolder",
    "remoteequipmentmailbox",
    "remoteroommailbox",
    "remotesharedmailbox",
    "remoteusermailbox",
    "roomlist",
    "roommailbox",
    "schedulingmailbox",
    "sharedmailbox",
    "teammailbox",
    "usermailbox",
];

/// A member of a distribution list or Microsoft 365 group, with the group's address beside it.
pub fn of_microsoft(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let address = row.address("groupaddress").ok_or_else(|| "groupaddress holds no address".to_owned())?;
    let one = |column: &str| row.text(column).map(|text| only(text, key));
    let kind = row.word("recipienttypedetails");
    let stays_here = kind.present().is_some_and(|kind| STAY_HERE.contains(&kind.as_str()));
    let (outside, own) = (one("externalemailaddress"), one("primarysmtpaddress"));
    let mut found = group("microsoft365", address, outside.or_else(|| own.filter(|_| stays_here)));
    // A user without a mailbox gets no mail.
    let without = kind.present().is_some_and(|kind| ["disableduser", "user"].contains(&kind.as_str()));
    if without && row.seen("primarysmtpaddress") == Seen::Absent && row.seen("externalemailaddress") == Seen::Absent {
        found.members.clear();
    }
    Ok(vec![Record::Group(Box::new(found))])
}

/// A member of a Google group (`gam print group-members`). A member that is the whole organization
/// (`CUSTOMER`) has no address.
pub fn of_google(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let address = row.address("group").ok_or_else(|| "group holds no address".to_owned())?;
    let everybody = row.word("type").present().is_some_and(|kind| kind == "customer");
    let member = row.text("email").map(|text| only(text, key));
    let mut found = group("google-workspace", address, member);
    if everybody {
        found.members.retain(|member| *member != Target::Unparseable);
    }
    Ok(vec![Record::Group(Box::new(found))])
}

fn group(provider: &str, address: String, member: Option<Target>) -> Group {
    let members = vec![member.unwrap_or(Target::Unparseable)];
    Group { provider: provider.to_owned(), address, members, rows: 1 }
}

fn only(text: &str, key: &KeyedReference) -> Target {
    let mut found = recipient::of_text(text, key);
    if found.len() == 1 { found.remove(0) } else { Target::Unparseable }
}

#[cfg(test)]
mod tests {
    use super::super::row::Cell;
    use super::*;

    fn row(cells: &[(&'static str, &str)]) -> Row {
        let cells = cells.iter().map(|(column, text)| (*column, Cell::Text((*text).to_owned()))).collect();
        Row { number: 1, cells, context: None }
    }

    fn domains(records: &[Record]) -> Vec<String> {
        let Record::Group(group) = &records[0] else { panic!("{records:?}") };
        let shown = group.members.iter().map(|member| match member {
            Target::Address { domain, .. } => domain.clone(),
            Target::Unparseable => "?".to_owned(),
            Target::Unresolved { .. } => "name".to_owned(),
        });
        shown.collect()
    }

    #[test]
    fn mail_to_a_member_goes_to_its_outside_address_where_it_has_one() {
        let key = KeyedReference::new(b"test");
        let of = |cells: &[(&'static str, &str)]| {
            let mut all = vec![("groupaddress", "Staff@Clinic.Example")];
            all.extend(cells);
            domains(&of_microsoft(&row(&all), &key).unwrap())
        };
        let own = ("primarysmtpaddress", "lab@clinic.example");
        for kind in ["MailContact", "MailUser", "GuestMailUser", "MailForestContact", "SomethingNew", "2"] {
            let kind = ("recipienttypedetails", kind);
            assert_eq!(of(&[kind, own, ("externalemailaddress", "SMTP:x@lab.example")]), ["lab.example"]);
            assert_eq!(of(&[kind, own, ("externalemailaddress", "")]), ["?"], "it leads somewhere else");
        }
        let mailbox = ("recipienttypedetails", "UserMailbox");
        assert_eq!(of(&[mailbox, own, ("externalemailaddress", "")]), ["clinic.example"]);
        assert_eq!(of(&[("recipienttypedetails", "MailUniversalDistributionGroup"), own]), ["clinic.example"]);
        assert_eq!(of(&[own]), ["?"], "it may be a contact");
        assert_eq!(of(&[mailbox]), ["?"], "a member that nobody can name");
        let user = ("recipienttypedetails", "User");
        assert!(
            of(&[user, ("primarysmtpaddress", ""), ("externalemailaddress", "")]).is_empty(),
            "no mailbox, no mail"
        );
        assert_eq!(of(&[user]), ["?"], "a list without the columns");
        assert!(of_microsoft(&row(&[("groupaddress", "Staff")]), &key).is_err());
    }

    #[test]
    fn a_google_group_with_everybody_in_it_has_no_member_outside() {
        let key = KeyedReference::new(b"test");
        let of = |kind: &str, email: &str| {
            let cells = [("group", "staff@practice.example"), ("type", kind), ("email", email)];
            domains(&of_google(&row(&cells), &key).unwrap())
        };
        assert_eq!(of("USER", "x@gmail.com"), ["gmail.com"]);
        assert!(of("CUSTOMER", "").is_empty());
        assert_eq!(of("USER", ""), ["?"]);
    }
}
