//! Reads Microsoft 365's conditional access policies: of whom each demands a second factor, and whom it leaves
//! out. What a condition says is not told further, only that there is one.

use super::microsoft365::{PROVIDER, rule_reference};
use super::recipient::reference;
use super::row::{Cell, Row};
use crate::evidence::export::{ConditionalAccess, Record};
use crate::keyed::KeyedReference;
use crate::seen::{NotObserved, Seen};

/// Graph's word for all guests among users (`GuestsOrExternalUsers`).
const GUESTS: &str = "guestsorexternalusers";

/// One policy.
pub fn conditional_access(row: &Row, key: &KeyedReference) -> Record {
    let conditions = row.seen("conditions");
    let lost = |seen: &Seen<&Cell>, what: &str| match seen {
        Seen::Unknown(reason) => reason.clone(),
        Seen::Absent | Seen::Malformed(_) | Seen::Present(_) => {
            NotObserved::Lost { why: format!("{what} is cut off; export with -Depth 12") }
        }
    };
    let objects = |cell: Option<&Cell>| cell.filter(|cell| matches!(cell, Cell::Object(_))).cloned();
    let inside = conditions.present().and_then(|cell| objects(Some(cell)));
    let users = inside.as_ref().and_then(|cell| objects(cell.field("users")));
    let applications = inside.as_ref().and_then(|cell| objects(cell.field("applications")));
    let texts = |cell: Option<&Cell>| -> Vec<String> {
        match cell {
            Some(Cell::List(items)) => items.iter().filter_map(Cell::text).map(str::to_lowercase).collect(),
            Some(cell) => cell.text().filter(|text| !text.is_empty()).map(str::to_lowercase).into_iter().collect(),
            None => Vec::new(),
        }
    };
    let from =
        |cell: &Option<Cell>, what: &str, read: &dyn Fn(&Cell) -> Option<bool>| match cell.as_ref().and_then(read) {
            Some(said) => Seen::Present(said),
            None => Seen::Unknown(lost(&conditions, what)),
        };
    let grant = row.seen("grantcontrols");
    let requires_mfa = match &grant {
        Seen::Absent => Seen::Present(false),
        Seen::Present(cell @ Cell::Object(_)) => {
            let controls = texts(cell.field("builtincontrols"));
            // What the exporter cut off is there all the same.
            let says = |name: &str| cell.field(name).is_some_and(|cell| says_anything(cell) != Some(false));
            let strength = says("authenticationstrength");
            let others = ["customauthenticationfactors", "termsofuse"].into_iter().filter(|name| says(name)).count();
            // Under OR any one of them lets the user in.
            let alone = controls.len() + usize::from(strength) + others == 1
                || cell.field("operator").and_then(Cell::text).is_none_or(|word| !word.eq_ignore_ascii_case("or"));
            let mfa = controls.iter().any(|control| control == "mfa");
            Seen::Present((mfa || (strength && controls.is_empty())) && alone)
        }
        other => Seen::Unknown(lost(other, "grantControls")),
    };
    let excluded_users = match &users {
        Some(users) => {
            let mut excluded: Vec<String> = texts(users.field("excludeusers"))
                .iter()
                .filter(|user| *user != GUESTS)
                .map(|user| reference(user, key))
                .collect();
            excluded.sort();
            Seen::Present(excluded)
        }
        None => Seen::Unknown(lost(&conditions, "conditions.users")),
    };
    Record::ConditionalAccess(Box::new(ConditionalAccess {
        provider: PROVIDER.to_owned(),
        reference: rule_reference(row, key),
        policy_state: row.word("state"),
        requires_mfa,
        all_users: from(&users, "conditions.users", &|cell| {
            Some(texts(cell.field("includeusers")).iter().any(|user| user == "all"))
        }),
        all_applications: from(&applications, "conditions.applications", &|cell| {
            let all = texts(cell.field("includeapplications")).iter().any(|application| application == "all")
                && texts(cell.field("excludeapplications")).is_empty();
            let filtered = if all { any_says(cell.field("applicationfilter")) } else { Some(true) };
            filtered.map(|filtered| !filtered)
        }),
        excluded_users,
        excludes_groups: from(&users, "conditions.users", &|cell| {
            if texts(cell.field("excludeusers")).iter().any(|user| user == GUESTS) {
                return Some(true);
            }
            any_says(
                ["excludegroups", "excluderoles", "excludeguestsorexternalusers"]
                    .iter()
                    .filter_map(|name| cell.field(name)),
            )
        }),
        narrowed: from(&inside, "conditions", &|cell| {
            let clients = texts(cell.field("clientapptypes"));
            let some_clients = !(clients.is_empty() || clients.iter().any(|client| client == "all"));
            if some_clients { Some(true) } else { narrows(cell) }
        }),
        blocks_old_clients: match (&grant, &inside) {
            (Seen::Absent, _) => Seen::Present(false),
            (Seen::Present(controls @ Cell::Object(_)), Some(cell)) => {
                let refuses = texts(controls.field("builtincontrols")).iter().any(|control| control == "block");
                let clients = texts(cell.field("clientapptypes"));
                let old = |client: &str| clients.iter().any(|named| named == client || named == "all");
                if refuses && old("exchangeactivesync") && old("other") {
                    from(&inside, "conditions", &|cell| narrows(cell).map(|narrows| !narrows))
                } else {
                    Seen::Present(false)
                }
            }
            (Seen::Present(_), _) => Seen::Unknown(lost(&conditions, "conditions")),
            (other, _) => Seen::Unknown(lost(other, "grantControls")),
        },
    }))
}

/// Whether a policy's conditions hold it to some sign-ins, whatever the condition is called: Graph adds
/// new ones. Users, applications and clients are read by themselves.
fn narrows(conditions: &Cell) -> Option<bool> {
    const READ_BY_THEMSELVES: [&str; 3] = ["applications", "clientapptypes", "users"];
    let Cell::Object(fields) = conditions else { return None };
    any_says(
        fields
            .iter()
            .filter(|(name, _)| !READ_BY_THEMSELVES.contains(&name.as_str()) && !is_note(name))
            .map(|(_, cell)| cell),
    )
}

/// Whether any of these says anything; `None` where only what was cut off could.
fn any_says<'c>(cells: impl IntoIterator<Item = &'c Cell>) -> Option<bool> {
    let mut whole = true;
    for cell in cells {
        match says_anything(cell) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => whole = false,
        }
    }
    whole.then_some(false)
}

/// Whether anything is in a cell, however deep: an object of nothing but empty fields says nothing.
/// `None` where the exporter cut it off.
fn says_anything(cell: &Cell) -> Option<bool> {
    match cell {
        Cell::List(items) => any_says(items),
        Cell::Object(fields) => any_says(fields.iter().filter(|(name, _)| !is_note(name)).map(|(_, cell)| cell)),
        Cell::TooLarge => None,
        cell if cell.is_destroyed() => None,
        Cell::Boolean(_) | Cell::Null | Cell::Number(_) | Cell::Text(_) => Some(!cell.is_empty()),
    }
}

/// What OData says of a field beside it.
fn is_note(name: &str) -> bool {
    name.contains("@odata")
}
