//! What opens from a phished mailbox, worked out by hand, and what holds for any organization.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::Exposure;
use crate::names::SubjectKind;
use crate::risk::Level;
use crate::risk::impact::Scanned;
use crate::risk::known::{Known, KnownFolder, KnownMailbox};
use crate::risk::tests::clinic::{TODAY, clinic, model};

/// Of whom everything is known: guarded, nobody else may open it, nothing leaves.
fn quiet(name: &str) -> KnownMailbox {
    KnownMailbox {
        name: format!("{name}@clinic.example"),
        administrator: Some(false),
        holds_phi: Some(false),
        mfa_registered: Some(true),
        mfa_enforced: Some(true),
        imap: Some(false),
        pop: Some(false),
        smtp_auth: Some(false),
        audited: Some(true),
        audit_bypassed: Some(false),
        opened_by: Some(Vec::new()),
        opened_by_others: Some(0),
        folders_opened_by: Some(Vec::new()),
        folders_opened_by_others: Some(0),
        sent_as_by: Some(Vec::new()),
        leaves_to: Vec::new(),
        leaves_known: true,
        declared: None,
    }
}

fn folder(mailbox: &str, lower: u64, upper: u64, within_a_year: (u64, u64)) -> KnownFolder {
    KnownFolder {
        mailbox: Some(format!("{mailbox}@clinic.example")),
        individuals_lower: Some(lower),
        individuals_upper: Some(upper),
        not_inspected: Some(0),
        oldest_days: Some(2_000),
        within_a_year: Some(within_a_year),
        sensitive: Some(Vec::new()),
    }
}

fn organization(mailboxes: Vec<KnownMailbox>, folders: Vec<KnownFolder>) -> Known {
    let complete = SubjectKind::ALL.into_iter().map(|kind| (kind, true)).collect::<BTreeMap<_, _>>();
    Known { mailboxes, folders, individuals: Some(12_000), unified_log: Some(true), complete, ..clinic() }
}

fn exposed(known: &Known) -> BTreeMap<String, Exposure> {
    let rows = super::exposure(&model(), known, &Scanned::read(known), TODAY);
    rows.into_iter().map(|row| (row.mailbox.split('@').next().unwrap().to_owned(), row)).collect()
}

/// The front desk has 3,900 people in seven years of mail and 410 in the last one; billing may open
/// it. Billing's own 80 and the desk's make at least 3,800 (the fuller one) and at most 3,980.
fn front_desk_and_billing() -> Known {
    let desk = KnownMailbox { opened_by: Some(vec!["billing@clinic.example".to_owned()]), ..quiet("desk") };
    let billing = KnownMailbox { mfa_registered: Some(false), mfa_enforced: Some(false), ..quiet("billing") };
    let folders = vec![
        folder("desk", 3_800, 3_900, (390, 410)),
        folder("billing", 60, 80, (60, 80)),
        folder("ana", 0, 0, (0, 0)),
    ];
    organization(vec![desk, billing, quiet("ana")], folders)
}

#[test]
fn one_year_of_mail_leaves_a_tenth_of_the_people() {
    let rows = exposed(&front_desk_and_billing());
    let desk = &rows["desk"];
    assert_eq!((desk.within.lower, desk.within.upper), (3_800, Some(3_900)));
    assert_eq!(desk.notice.band, "500 cannot be ruled out", "logs are kept, so they may show fewer");
    let year = desk.changes.iter().find(|change| change.change == "one-year-retention").unwrap();
    assert_eq!((year.within.lower, year.within.upper), (390, Some(410)));
    assert_eq!(year.band, "fewer than 500");
    assert_eq!((desk.opens_at_least, desk.opens_at_most), (0, 0));
}

/// billing: no second factor, so success very high; 3,980 individuals is impact high.
///   L = min(very high, very high); I-2[very high][high] = high.
///   Guarded: very high - 2 = moderate, L = moderate, I-2[moderate][high] = moderate.
///   Without its right over the desk: 80 individuals is low; I-2[very high][low] = low.
#[test]
fn what_a_mailbox_may_open_counts_with_it() {
    let rows = exposed(&front_desk_and_billing());
    let billing = &rows["billing"];
    assert_eq!((billing.rank, billing.risk), (1, Level::High));
    assert_eq!(billing.way_in, "no second factor");
    assert_eq!((billing.within.lower, billing.within.upper), (3_800, Some(3_980)));
    assert_eq!(billing.opens[0].mailbox, "desk@clinic.example");
    let change = |name: &str| billing.changes.iter().find(|change| change.change == name).unwrap();
    assert_eq!((change("only-its-user").within.upper, change("only-its-user").risk), (Some(80), Level::Low));
    assert_eq!((change("second-factor").within.upper, change("second-factor").risk), (Some(3_980), Level::Moderate));
    assert_eq!(rows["ana"].notice.band, "nobody known");
}

#[test]
fn where_no_log_is_kept_everybody_has_to_be_told() {
    let mut known = front_desk_and_billing();
    known.mailboxes[0].audited = Some(false);
    let desk = &exposed(&known)["desk"];
    assert_eq!((desk.logs.state.as_str(), desk.notice.band.as_str()), ("not kept", "500 or more"));
    assert_eq!(desk.notice.individuals.lower, 3_800);
    known.mailboxes[0].audited = None;
    assert_eq!(exposed(&known)["desk"].logs.state, "not known");
}

#[test]
fn a_cycle_of_delegations_ends() {
    let opened_by = |name: &str, by: &[&str]| KnownMailbox {
        opened_by: Some(by.iter().map(|by| format!("{by}@clinic.example")).collect()),
        ..quiet(name)
    };
    let mailboxes = vec![opened_by("a", &["b", "a"]), opened_by("b", &["c"]), opened_by("c", &["a"])];
    let folders = vec![folder("a", 1, 1, (1, 1)), folder("b", 2, 2, (2, 2)), folder("c", 4, 4, (4, 4))];
    let rows = exposed(&organization(mailboxes, folders));
    // b opens a at once (2 people at least), and c in a further step.
    assert_eq!((rows["b"].opens_at_least, rows["b"].opens_at_most), (1, 2));
    assert_eq!((rows["b"].within.lower, rows["b"].within.upper), (2, Some(7)));
}

#[test]
fn what_nobody_knows_widens_the_bounds() {
    let known = front_desk_and_billing();
    let before = exposed(&known);
    // Nobody says who may open the desk: anybody may.
    let mut less = known.clone();
    less.mailboxes[0].opened_by = None;
    let after = exposed(&less);
    assert_eq!((after["ana"].within.lower, after["ana"].within.upper), (0, Some(3_900)));
    assert!(after["ana"].not_known.iter().any(|text| text.contains("who may open some mailboxes")));
    assert_eq!(before["ana"].within.upper, Some(0));
    // Whether ana administers is not known: then everything may be hers.
    let mut less = known.clone();
    less.mailboxes[2].administrator = None;
    assert_eq!(exposed(&less)["ana"].within.upper, Some(3_980));
    // A mailbox that was not scanned is bounded by what the organization declares, or by nothing.
    let mut less = known.clone();
    less.folders.remove(0);
    assert_eq!(exposed(&less)["desk"].within.upper, Some(12_000));
    less.individuals = None;
    assert_eq!(exposed(&less)["desk"].within.upper, None);
    // The scope may state a band for it.
    less.mailboxes[0].declared = Some((100, 499));
    let desk = &exposed(&less)["desk"];
    assert_eq!((desk.individuals_lower, desk.individuals_upper, desk.over_500), (Some(0), Some(499), Some(false)));
}

#[test]
fn a_list_that_is_not_whole_bounds_nothing() {
    let whole = front_desk_and_billing();
    let mut part = whole.clone();
    part.complete.insert(SubjectKind::Mailbox, false);
    let (before, after) = (exposed(&whole), exposed(&part));
    assert_eq!(before["ana"].within.upper, Some(0));
    // One that is not listed may open any of them, and hold anybody's information.
    assert_eq!((after["ana"].within.upper, after["ana"].opens_at_most), (Some(12_000), 2));
    assert!(after["ana"].not_known.iter().any(|text| text.contains("the list of them is not whole")));
    never_smaller(&whole, &part).unwrap();
}

#[test]
fn what_is_known_to_leave_is_told_though_there_may_be_more() {
    let mut known = front_desk_and_billing();
    known.mailboxes[0].leaves_known = false;
    known.mailboxes[1].leaves_to = vec!["bookkeeper.example".to_owned()];
    known.mailboxes[1].leaves_known = false;
    let rows = exposed(&known);
    assert_eq!((&rows["desk"].leaves_to, &rows["ana"].leaves_to), (&None, &Some(Vec::new())));
    assert_eq!(rows["billing"].leaves_to.as_deref(), Some(&["bookkeeper.example".to_owned()][..]));
    assert!(rows["billing"].not_known.iter().any(|text| text.contains("or where else")));
}

#[test]
fn a_second_factor_that_older_protocols_go_around_earns_nothing() {
    let known = organization(
        vec![quiet("a"), KnownMailbox { imap: Some(true), ..quiet("b") }, KnownMailbox { pop: None, ..quiet("c") }],
        Vec::new(),
    );
    let rows = exposed(&known);
    assert!(rows["a"].risk < rows["b"].risk && rows["b"].risk == rows["c"].risk);
    assert_eq!(rows["b"].protocols, ["IMAP"]);
}

/// 42 CFR part 2 and its like: one step more, here from high to very high at 3,900 people.
#[test]
fn categories_that_other_law_protects_more_weigh_more() {
    let mut known = front_desk_and_billing();
    known.folders[0].sensitive = Some(vec!["substance-use".to_owned()]);
    let rows = exposed(&known);
    assert_eq!(rows["billing"].risk, Level::VeryHigh);
    assert_eq!(rows["desk"].sensitive.as_deref(), Some(&["substance-use".to_owned()][..]));
    assert_eq!(rows["ana"].risk, exposed(&front_desk_and_billing())["ana"].risk, "not within its reach");
}

/// Mailboxes `0` to `7` with any rights over each other, known or not.
fn any_organization() -> impl Strategy<Value = Known> {
    let list = || proptest::option::weighted(0.9, proptest::collection::vec(0..8_usize, 0..3));
    let one = (list(), list(), list(), 0..3_u64, proptest::option::weighted(0.9, Just(false)), 0..800_u64, 0..10_u8);
    proptest::collection::vec(one, 8).prop_map(|all| {
        let mut folders = Vec::new();
        let names =
            |list: Option<Vec<usize>>| list.map(|list| list.iter().map(|at| format!("{at}@clinic.example")).collect());
        let mailboxes =
            all.into_iter().enumerate().map(|(at, (opened, looked, sent, others, administrator, people, scanned))| {
                if scanned > 0 {
                    folders.push(folder(&at.to_string(), people / 2, people, (people / 8, people / 4)));
                }
                KnownMailbox {
                    opened_by: names(opened),
                    folders_opened_by: names(looked),
                    sent_as_by: names(sent),
                    opened_by_others: Some(others / 2),
                    administrator,
                    mfa_enforced: (people % 3 == 0).then_some(true),
                    ..quiet(&at.to_string())
                }
            });
        let mailboxes = mailboxes.collect();
        organization(mailboxes, folders)
    })
}

/// Nothing about a mailbox gets smaller: bounds, what opens, the level.
fn never_smaller(before: &Known, after: &Known) -> Result<(), TestCaseError> {
    let (before, after) = (exposed(before), exposed(after));
    for (name, was) in &before {
        let is = &after[name];
        let most = |exposure: &Exposure| exposure.within.upper.unwrap_or(u64::MAX);
        prop_assert!(most(is) >= most(was), "{name}: at most {:?} then {:?}", was.within, is.within);
        prop_assert!(is.opens_at_most >= was.opens_at_most, "{name}: {} then {}", was.opens_at_most, is.opens_at_most);
        prop_assert!(is.risk >= was.risk, "{name}: {:?} then {:?}", was.risk, is.risk);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn exposure_never_shrinks_when_a_grant_is_added(known in any_organization(), of in 0..8_usize, to in 0..8_usize, right in 0..4_u8) {
        let mut more = known.clone();
        let holder = format!("{to}@clinic.example");
        let mailbox = &mut more.mailboxes[of];
        match right {
            0 => mailbox.opened_by.get_or_insert_default().push(holder),
            1 => mailbox.folders_opened_by.get_or_insert_default().push(holder),
            2 => mailbox.sent_as_by.get_or_insert_default().push(holder),
            _ => mailbox.opened_by_others = mailbox.opened_by_others.map(|others| others + 1),
        }
        // A list that was not known before and now is would be evidence more, not a grant more.
        let known_before = match right {
            0 => known.mailboxes[of].opened_by.is_some(),
            1 => known.mailboxes[of].folders_opened_by.is_some(),
            _ => true,
        };
        prop_assume!(known_before);
        never_smaller(&known, &more)?;
        let (before, after) = (exposed(&known), exposed(&more));
        for (name, was) in &before {
            prop_assert!(after[name].within.lower >= was.within.lower, "{name}");
            prop_assert!(after[name].opens_at_least >= was.opens_at_least, "{name}");
        }
    }

    #[test]
    fn knowing_less_never_makes_exposure_smaller(known in any_organization(), at in 0..8_usize, what in 0..6_u8) {
        let mut less = known.clone();
        let mailbox = &mut less.mailboxes[at];
        match what {
            0 => mailbox.opened_by = None,
            1 => mailbox.folders_opened_by_others = None,
            2 => mailbox.administrator = None,
            3 => mailbox.mfa_enforced = None,
            4 => mailbox.imap = None,
            _ => {
                // What the organization declares stays above what any one of them holds.
                let name = format!("{at}@clinic.example");
                less.folders.retain(|folder| folder.mailbox.as_deref() != Some(name.as_str()));
            }
        }
        never_smaller(&known, &less)?;
    }

    #[test]
    fn order_never_matters_to_exposure(known in any_organization()) {
        let mut turned = known.clone();
        turned.mailboxes.reverse();
        turned.folders.reverse();
        let of = |known: &Known| super::exposure(&model(), known, &Scanned::read(known), TODAY);
        prop_assert_eq!(of(&known), of(&turned));
    }

    #[test]
    fn a_change_for_the_better_never_widens(known in any_organization()) {
        for (name, row) in exposed(&known) {
            for change in &row.changes {
                let most = |upper: Option<u64>| upper.unwrap_or(u64::MAX);
                prop_assert!(most(change.within.upper) <= most(row.within.upper), "{name}: {change:?}");
                prop_assert!(change.risk <= row.risk, "{name}: {change:?}");
            }
        }
    }
}
