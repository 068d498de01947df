use super::super::exported::tests::{World, context, declared};
use super::*;

fn leaky(without: &[&str]) -> World {
    World::new(Some(declared("clinic.example"))).fixture("leaky-clinic", without)
}

fn built(world: &World, taken: &[&str]) -> Built<Mailbox> {
    let evidence = world.evidence(taken);
    build(context(&evidence))
}

fn find<'b>(built: &'b Built<Mailbox>, name: &str) -> &'b Mailbox {
    built.subjects.iter().find(|mailbox| mailbox.name == name).expect("the mailbox is listed")
}

fn is<T: Clone + PartialEq + std::fmt::Debug>(fact: &Fact<T>) -> Option<T> {
    fact.seen.present().cloned()
}

#[test]
fn exports_are_joined_by_address_and_reference() {
    let built = built(&leaky(&[]), &[]);
    let names: Vec<_> = built.subjects.iter().map(|mailbox| mailbox.name.as_str()).collect();
    assert_eq!(names, ["ana@clinic.example", "ben@clinic.example", "front-desk@clinic.example"]);
    assert_eq!(built.collection, Collection::Complete);
    let ben = find(&built, "ben@clinic.example");
    // The registration names him by a second address; the method he registered is not allowed.
    assert_eq!(is(&ben.mfa_registered), Some(false));
    assert_eq!(is(&ben.imap), Some(true));
    assert_eq!(is(&ben.smtp_auth), Some(true));
    let ana = find(&built, "ana@clinic.example");
    assert_eq!(is(&ana.mfa_registered), Some(true));
    assert!(matches!(ana.smtp_auth.seen, Seen::Unknown(_)), "it inherits a setting nobody handed over");
    let desk = find(&built, "front-desk@clinic.example");
    assert_eq!((is(&desk.sign_in), is(&desk.holds_phi)), (Some("blocked".to_owned()), Some(true)));
    assert_eq!(is(&desk.retention_suspended), Some(true));
    assert_eq!(is(&ana.retention_suspended), None, "ElcProcessingDisabled was not exported");
}

#[test]
fn forwarding_of_the_mailbox_is_classed() {
    let built = built(&leaky(&[]), &[]);
    let class = |name: &str| find(&built, name).forwarding.seen.clone().map(|forwarding| forwarding.target_class);
    assert_eq!(class("ana@clinic.example"), Seen::Absent);
    assert_eq!(class("ben@clinic.example"), Seen::Present("consumer-webmail".to_owned()));
    // The directory entry is a contact whose mail goes outside.
    assert_eq!(class("front-desk@clinic.example"), Seen::Present("external".to_owned()));
    assert_eq!(is(&find(&built, "ben@clinic.example").forwarding_keeps_copy), Some(false));
}

#[test]
fn without_the_directory_an_entry_stays_unresolved() {
    let built = built(&leaky(&["recipients.csv"]), &[]);
    let forwarding = is(&find(&built, "front-desk@clinic.example").forwarding).unwrap();
    assert_eq!(forwarding.target_class, "unresolved");
}

#[test]
fn what_a_mailbox_forwards_by_address_and_by_an_entry_of_the_directory_are_two_things() {
    let header = "PrimarySmtpAddress,ForwardingSmtpAddress,ForwardingAddress,DeliverToMailboxAndForward\n";
    let recipients = b"RecipientTypeDetails,PrimarySmtpAddress,Name,ExternalEmailAddress\nMailContact,lab@clinic.example,Lab,SMTP:lab@lab.example\nMailContact,home@clinic.example,Home,SMTP:home@gmail.com\n";
    let of = |address: &str, entry: &str| {
        let rows = format!("{header}a@clinic.example,{address},{entry},True\n");
        let world = World::new(Some(declared("clinic.example")));
        let built = built(&world.file("m.csv", rows.as_bytes()).file("r.csv", recipients), &[]);
        let mailbox = find(&built, "a@clinic.example");
        let class = |fact: &Fact<Forwarding>| match &fact.seen {
            Seen::Present(forwarding) => forwarding.target_class.clone(),
            Seen::Absent => "absent".to_owned(),
            Seen::Malformed(_) | Seen::Unknown(_) => "?".to_owned(),
        };
        [&mailbox.forwarding_by_address, &mailbox.forwarding_by_entry, &mailbox.forwarding].map(class)
    };
    assert_eq!(of("", ""), ["absent", "absent", "absent"]);
    assert_eq!(of("smtp:x@elsewhere.example", ""), ["external", "absent", "external"]);
    assert_eq!(of("", "Lab"), ["absent", "external", "external"]);
    assert_eq!(of("smtp:lab@clinic.example", ""), ["absent", "external", "external"], "it is a contact's address");
    assert_eq!(of("smtp:b@clinic.example", "Home"), ["internal", "consumer-webmail", "consumer-webmail"]);
    assert_eq!(of("", "Somebody"), ["absent", "unresolved", "unresolved"]);
    assert_eq!(of("smtp:x@elsewhere.example", "System.Object[]"), ["external", "?", "external"]);
    assert_eq!(of("smtp:b@clinic.example", "System.Object[]"), ["?", "?", "?"]);
}

#[test]
fn the_mailboxes_own_audit_switch_decides_nothing() {
    let built = built(&leaky(&[]), &[]);
    assert_eq!(is(&find(&built, "ben@clinic.example").audited), Some(true));
    assert!(matches!(find(&built, "ben@clinic.example").audit_bypassed.seen, Seen::Unknown(_)));
}

#[test]
fn an_empty_forwarding_column_beside_a_missing_one_is_not_absence() {
    let world = World::new(Some(declared("clinic.example"))).file(
        "m.csv",
        b"PrimarySmtpAddress,ForwardingSmtpAddress\na@clinic.example,\nb@clinic.example,System.String[]\n",
    );
    let built = built(&world, &[]);
    for name in ["a@clinic.example", "b@clinic.example"] {
        assert!(matches!(find(&built, name).forwarding.seen, Seen::Unknown(_)), "{name}");
    }
}

#[test]
fn accounts_stand_for_mailboxes_only_where_nobody_listed_those() {
    let built = built(&leaky(&["mailboxes.csv", "cas-mailboxes.csv"]), &[]);
    let names: Vec<_> = built.subjects.iter().map(|mailbox| mailbox.name.as_str()).collect();
    assert_eq!(names, ["admin@clinic.example", "ana@clinic.example", "benjamin@clinic.example"], "guests have none");
    assert!(matches!(built.collection, Collection::Incomplete(NotObserved::NotProvided { .. })));
}

#[test]
fn a_second_factor_is_enforced_only_where_something_demands_it() {
    let enforced = |world: &World| {
        let built = built(world, &[]);
        find(&built, "ana@clinic.example").mfa_enforced.seen.clone()
    };
    assert!(matches!(enforced(&leaky(&[])), Seen::Unknown(NotObserved::NotProvided { .. })), "policies were not given");
    let defaults =
        br#"{"id":"00000000-0000-0000-0000-000000000005","displayName":"Security Defaults","isEnabled":true}"#;
    assert_eq!(enforced(&leaky(&["security-defaults.json"]).file("s.json", defaults)), Seen::Present(true));
    let policy = |excluded: &str, state: &str| {
        format!(
            r#"[{{"id":"1","displayName":"MFA","state":"{state}","conditions":{{"clientAppTypes":["all"],"users":{{"includeUsers":["All"],"excludeUsers":[{excluded}],"excludeGroups":[],"excludeRoles":[]}},"applications":{{"includeApplications":["All"],"excludeApplications":[]}}}},"grantControls":{{"operator":"OR","builtInControls":["mfa"]}}}}]"#
        )
    };
    let with = |text: &str| leaky(&[]).file("ca.json", text.as_bytes());
    assert_eq!(enforced(&with(&policy("", "enabled"))), Seen::Present(true));
    let excluded = policy(r#""00000000-0000-0000-0000-00000000000A""#, "enabled");
    assert!(matches!(enforced(&with(&excluded)), Seen::Unknown(_)), "left out, and per-user states were not given");
    let states = b"userPrincipalName,perUserMfaState\nana@clinic.example,disabled\n";
    assert_eq!(enforced(&with(&excluded).file("p.csv", states)), Seen::Present(false));
    let report_only = policy("", "enabledForReportingButNotEnforced");
    assert_eq!(enforced(&with(&report_only).file("p.csv", states)), Seen::Present(false));
    let cut = br#"[{"id":"1","displayName":"MFA","state":"enabled","conditions":"@{users=; applications=}","grantControls":{"operator":"OR","builtInControls":["mfa"]}}]"#;
    assert!(matches!(
        enforced(&leaky(&[]).file("ca.json", cut).file("p.csv", states)),
        Seen::Unknown(NotObserved::Lost { .. })
    ));
}

#[test]
fn a_segment_taken_away_makes_facts_unknown_and_never_better() {
    let world = leaky(&[]);
    let whole = built(&world, &[]);
    for segment in
        ["export.mailbox", "export.tenant", "export.export_file", "export.forwarding_rule", "declared.organization"]
    {
        let less = built(&world, &[segment]);
        for mailbox in &less.subjects {
            let before = find(&whole, &mailbox.name);
            for (now, then) in super::super::shape::Subject::encode_subject(mailbox)
                .facts
                .values()
                .zip(super::super::shape::Subject::encode_subject(before).facts.values())
            {
                assert!(now.value.is_err() || now.value == then.value, "{segment}: {now:?}, before {then:?}");
            }
        }
    }
    assert!(matches!(built(&world, &["export.mailbox"]).collection, Collection::Incomplete(_)));
    assert!(matches!(built(&world, &["export.export_file"]).collection, Collection::Incomplete(_)));
    for segment in ["export.tenant", "declared.organization"] {
        let less = built(&world, &[segment]);
        assert!(matches!(find(&less, "ben@clinic.example").forwarding.seen, Seen::Unknown(_)), "{segment}");
    }
    let less = built(&world, &["declared.organization"]);
    assert!(matches!(find(&less, "ben@clinic.example").holds_phi.seen, Seen::Unknown(_)));
}

#[test]
fn no_exports_declared_is_not_a_clean_tenant() {
    let scope = crate::evidence::declared::Declared { exports: Vec::new(), ..declared("clinic.example") };
    let none = built(&World::new(Some(scope)), &[]);
    assert!(matches!(none.collection, Collection::NotDeclared(_)));
    let missing = built(&World::new(Some(declared("clinic.example"))), &[]);
    assert!(matches!(missing.collection, Collection::Incomplete(_)));
    let empty = built(&World::new(Some(declared("clinic.example"))).file("mailboxes.csv", b""), &[]);
    assert!(empty.subjects.is_empty() && matches!(empty.collection, Collection::Incomplete(_)));
}

#[test]
fn zimbras_accounts_are_mailboxes_and_their_list_is_one_of_all() {
    let of = |without: &[&str]| {
        let file = std::fs::read("fixtures/exports/zimbra/selfhosted/zimbra-accounts.txt").unwrap();
        let text = String::from_utf8(file).unwrap();
        let kept: Vec<&str> =
            text.split("\n\n# name ").filter(|part| !without.iter().any(|word| part.contains(word))).collect();
        World::new(Some(declared("surgery.example"))).file("z.txt", kept.join("\n\n# name ").as_bytes())
    };
    const RECORD: &[u8] = br#"{"what":"zimbra","ok":true,"rows":4,"why":""}"#;
    let by_hand = built(&of(&[]), &[]);
    assert!(matches!(by_hand.collection, Collection::Incomplete(_)), "it may be a list of one domain");
    let all = built(&of(&[]).file("coverage.jsonl", RECORD), &[]);
    assert_eq!((all.subjects.len(), &all.collection), (4, &Collection::Complete));
    let eve = find(&all, "eve@surgery.example");
    assert_eq!(is(&eve.forwarding).map(|forwarding| forwarding.target_class), Some("consumer-webmail".to_owned()));
    assert_eq!((is(&eve.forwarding_keeps_copy), is(&eve.administrator)), (Some(false), Some(true)));
    assert_eq!((is(&eve.mfa_registered), is(&eve.mfa_enforced)), (Some(false), Some(false)));
    assert_eq!((is(&eve.retention_policy), is(&eve.deleted_items_days)), (Some(false), Some(30)));
    assert_eq!(is(&find(&all, "gil@surgery.example").sign_in), Some("blocked".to_owned()));
    assert_eq!(find(&all, "ana@surgery.example").forwarding.seen, Seen::Absent);
    assert!(is(&eve.full_access_holders).is_none() && is(&eve.audited).is_none());
    let some = built(&of(&["zimbraIsSystemResource"]).file("coverage.jsonl", RECORD), &[]);
    assert!(some.subjects.len() == 3 && matches!(some.collection, Collection::Incomplete(_)));
    let more = br#"{"what":"zimbra","ok":true,"rows":400,"why":""}"#;
    let cut = built(&of(&[]).file("coverage.jsonl", more), &[]).collection;
    let said = "the collector wrote 400 rows, 4 are here, 396 are missing";
    assert!(matches!(&cut, Collection::Incomplete(NotObserved::NotProvided { what }) if what.ends_with(said)));
    for (without, reader) in [(&[] as &[_], 8), (&["zimbraIsSystemResource"], 7)] {
        let old = built_of(&of(without).read_by(reader));
        assert!(matches!(find(&old, "eve@surgery.example").forwarding.seen, Seen::Unknown(_)), "{reader}");
    }
}

#[test]
fn google_accounts_carry_enrolment_enforcement_and_forwarding() {
    let world = World::new(Some(declared("practice.example"))).fixture("google-clinic", &[]);
    let built = built(&world, &[]);
    assert_eq!(built.collection, Collection::Complete);
    let dan = find(&built, "dan@practice.example");
    assert_eq!((is(&dan.mfa_registered), is(&dan.mfa_enforced), is(&dan.imap)), (Some(false), Some(false), Some(true)));
    assert_eq!(is(&dan.forwarding).unwrap().target_class, "consumer-webmail");
    assert_eq!(is(&dan.forwarding_keeps_copy), Some(false));
    assert_eq!(find(&built, "cleo@practice.example").forwarding.seen, Seen::Absent);
    let old = find(&built, "old@practice.example");
    assert_eq!(is(&old.sign_in), Some("blocked".to_owned()));
    assert!(matches!(old.forwarding.seen, Seen::Unknown(_)), "GAM gave no row for it");
}

#[test]
fn audit_recovery_factors_and_the_last_sign_in_are_told() {
    let world = World::new(Some(declared("clinic.example"))).fixture("set-up-clinic", &[]);
    let built = built(&world, &[]);
    let ana = find(&built, "ana@clinic.example");
    assert_eq!(is(&ana.audit_lacks), Some(Vec::new()), "the set is Microsoft's");
    assert_eq!((is(&ana.audit_days), is(&ana.deleted_items_days)), (Some(90), Some(14)));
    assert_eq!(is(&ana.mfa_strength).as_deref(), Some("phone"));
    assert_eq!(is(&ana.days_without_sign_in), Some(213), "nobody got in after the last attempt");
    assert!(ana.sign_in_told.seen.present().is_none(), "whether anybody got in then is not told");
    let users = |activity: &str| {
        let users = format!(
            r#"{{"@odata.context":"https://graph.microsoft.example/v1.0/$metadata#users","value":[{{"id":"u1","userPrincipalName":"ana@clinic.example","accountEnabled":true,"createdDateTime":"2024-01-01T00:00:00Z","signInActivity":{activity}}}]}}"#
        );
        let world = World::new(Some(declared("clinic.example"))).fixture("set-up-clinic", &["users.json"]);
        let built = built_of(&world.file("users.json", users.as_bytes()));
        let ana = find(&built, "ana@clinic.example");
        (is(&ana.days_without_sign_in), is(&ana.sign_in_told))
    };
    let guessed =
        r#"{"lastSignInDateTime":"2026-09-30T08:00:00Z","lastSuccessfulSignInDateTime":"2026-01-01T08:00:00Z"}"#;
    assert_eq!(users(guessed), (Some(273), Some(true)), "a stranger's attempt is no sign-in");
    assert_eq!(users(r#"{"lastSignInDateTime":"2026-09-30T08:00:00Z"}"#), (Some(1), None));
    assert_eq!(users("{}"), (Some(1004), Some(true)), "nobody ever did");
    let desk = find(&built, "front-desk@clinic.example");
    assert_eq!(is(&desk.audit_lacks).map(|lacks| lacks.len()), Some(3));
    assert_eq!((is(&desk.single_item_recovery), is(&desk.sent_as_copied)), (Some(false), Some(false)));
    assert!(desk.days_without_sign_in.seen.present().is_none(), "no export lists its account");
    // A mailbox without these columns is one of which they are not known.
    let older = built_of(&leaky(&[]));
    let ben = find(&older, "ben@clinic.example");
    assert!(ben.audit_lacks.seen.present().is_none() && ben.single_item_recovery.seen.present().is_none());
}

fn built_of(world: &World) -> Built<Mailbox> {
    built(world, &[])
}

#[test]
fn the_oldest_item_of_any_folder_counts() {
    let world = |without: &[&str]| World::new(Some(declared("clinic.example"))).fixture("log-clinic", without);
    let told = built_of(&world(&[]));
    let desk = find(&told, "front-desk@clinic.example");
    assert_eq!((is(&desk.oldest_item_days), is(&desk.retention_limit_days)), (Some(2771), Some(1095)));
    assert!(find(&told, "ana@clinic.example").oldest_item_days.seen.present().is_none(), "nobody listed its folders");
    let undated =
        b"Mailbox,FolderType,ItemsInFolder,OldestItemReceivedDate\nfront-desk@clinic.example,Inbox,3,3/1/2019\n";
    let told = built_of(&world(&["folder-statistics.csv"]).file("f.csv", undated));
    assert!(find(&told, "front-desk@clinic.example").oldest_item_days.seen.present().is_none());
}

#[test]
fn mail_is_gone_when_a_tag_or_a_rule_deletes_it_and_nothing_keeps_it() {
    const TAGS: &str = "Name,Type,MessageClass,RetentionEnabled,RetentionAction,AgeLimitForRetention\nOne year,All,*,True,DeleteAndAllowRecovery,365.00:00:00\nBin,DeletedItems,*,True,PermanentlyDelete,30.00:00:00\nMove,All,*,True,MoveToArchive,100.00:00:00\n";
    const INACTIVE: &[u8] = b"PrimarySmtpAddress,Name,IsInactiveMailbox,WhenSoftDeleted,LitigationHoldEnabled,InPlaceHolds\ndee@clinic.example,Dee,True,2026-02-01,True,\n";
    let of = |assigned: &str, links: &[&str], policies: &str, rules: &str| {
        let mut scope = declared("clinic.example");
        let retention = scope.retention.as_mut().unwrap();
        (retention.mail_min_days, retention.record_mailboxes) = (Some(2190), vec!["a@clinic.example".to_owned()]);
        let mailboxes = format!(
            "PrimarySmtpAddress,ForwardingSmtpAddress,Name,DisplayName,RetentionPolicy,InPlaceHolds,RetentionHoldEnabled,ElcProcessingDisabled\na@clinic.example,,Ana,Records Mailbox,{assigned},,False,False\nb@clinic.example,,Ben,Front Desk,,,,\nc@clinic.example,,Cy,Front Desk,,,,\n"
        );
        let links = links.iter().map(|link| format!("\"{link}\"")).collect::<Vec<_>>().join(",");
        let assignments = format!(r#"[{{"Name":"Clinic","RetentionPolicyTagLinks":[{links}]}}]"#);
        let mut world = World::new(Some(scope))
            .file("m.csv", mailboxes.as_bytes())
            .file("tags.csv", TAGS.as_bytes())
            .file("inactive.csv", INACTIVE)
            .file("assignments.json", assignments.as_bytes());
        for (name, header, rows) in [
            (
                "policies.csv",
                "Name,Guid,Enabled,Mode,Workload,ExchangeLocation,ExchangeLocationException,AdaptiveScopeLocation,DistributionStatus,RetentionRuleTypes,RestrictiveRetention",
                policies,
            ),
            (
                "rules.csv",
                "Name,Policy,RetentionComplianceAction,RetentionDuration,Disabled,ContentMatchQuery,ExcludedItemClasses",
                rules,
            ),
        ] {
            if !rows.is_empty() {
                world = world.file(name, format!("{header}\n{rows}").as_bytes());
            }
        }
        let built = built(&world, &[]);
        let mailbox = find(&built, "a@clinic.example");
        assert_eq!((is(&mailbox.holds_records), is(&mailbox.record_minimum_days)), (Some(true), Some(2190)));
        is(&mailbox.deleted_after_days)
    };
    let policy =
        |places: &str, except: &str| format!("P,g-1,True,Enforce,Exchange,{places},{except},,Success,Hold,False\n");
    let all = policy("All", "");
    let rule = |action: &str, days: &str| format!("r,g-1,{action},{days},False,,\n");
    let keep = rule("Keep", "90");
    assert_eq!(of("Clinic", &["One year", "Bin", "Move"], &all, &keep), Some(365));
    assert_eq!(of("Clinic", &["Bin", "Move"], &all, &keep), Some(0), "nothing deletes what nobody threw away");
    assert_eq!(of("", &["One year"], &all, &keep), Some(0), "no policy of tags is assigned");
    assert_eq!(of("", &[], &all, &rule("Delete", "700")), Some(700));
    assert_eq!(of("Clinic", &["One year"], &all, &rule("KeepAndDelete", "2555")), Some(2555), "what is kept stays");
    assert_eq!(of("Clinic", &["One year"], &all, &rule("Keep", "Unlimited")), Some(0));
    assert_eq!(of("", &[], &policy("All", "Ana"), &rule("Delete", "700")), Some(0), "left out");
    assert_eq!(of("", &[], &policy("b@clinic.example", ""), &rule("Delete", "700")), Some(0), "another mailbox");
    assert_eq!(of("", &[], &policy("a@clinic.example", ""), &rule("Delete", "700")), Some(700));
    assert_eq!(of("", &[], &policy("Records Mailbox", ""), &rule("Delete", "30")), Some(30), "by the name people see");
    assert_eq!(of("Clinic", &["One year"], &policy("All", "Records Mailbox"), &rule("Keep", "2555")), Some(365));
    assert_eq!(of("", &[], &policy("Front Desk", ""), &rule("Delete", "30")), Some(0), "one of two others");
    for nobody in ["Board", "board@clinic.example"] {
        assert_eq!(of("", &[], &policy(nobody, ""), &rule("Delete", "30")), None, "nobody lists {nobody}");
        assert_eq!(of("Clinic", &["One year"], &policy("All", nobody), &rule("Keep", "2555")), None, "{nobody}");
    }
    assert_eq!(of("", &[], &policy("Board", ""), &rule("Delete", "2555")), Some(2555), "not too soon, whoever it is");
    assert_eq!(of("", &[], &policy("Board", ""), &rule("KeepAndDelete", "2555")), Some(2555));
    assert_eq!(of("Clinic", &["Bin"], &policy("Board", ""), &rule("Keep", "2555")), Some(0), "nothing is deleted");
    assert_eq!(of("", &[], &policy("Dee", ""), &rule("Delete", "30")), Some(0), "the mailbox of somebody who left");
    assert_eq!(of("", &[], &policy("All", "Dee"), &rule("Delete", "700")), Some(700));
    assert_eq!(of("", &[], &policy("Ana", ""), &rule("Delete", "30")), Some(30));
    let some_mail =
        |action: &str, days: &str| format!("r,g-1,{action},{days},False,\"subject:\"\"board minutes\"\"\",\n");
    assert_eq!(of("Clinic", &["One year"], &all, &some_mail("Keep", "2555")), Some(365), "only some mail is kept");
    assert_eq!(of("", &[], &all, &some_mail("Delete", "30")), None, "some mail is deleted");
    assert_eq!(of("", &[], &all, &some_mail("Delete", "2555")), Some(2555), "and no mail too soon");
    assert_eq!(of("Clinic", &["One year"], &all, "r,g-1,Keep,2555,,,\n"), None, "it may be switched off");
    let spreading = |status: &str| format!("P,g-1,True,Enforce,Exchange,All,,,{status},Hold,False\n");
    for status in ["Pending", "Error"] {
        assert_eq!(of("", &[], &spreading(status), &rule("Delete", "30")), None, "{status}");
        assert_eq!(of("Clinic", &["One year"], &spreading(status), &rule("Keep", "2555")), None, "{status}");
    }
    let off = |status: &str| format!("P,g-1,False,Enforce,Exchange,All,,,{status},Hold,False\n");
    assert_eq!(of("", &[], &off("Success"), &rule("Delete", "30")), Some(0), "switched off");
    assert_eq!(of("", &[], &off("Pending"), &rule("Delete", "30")), None, "switched off, and not everywhere yet");
    let leaving = "P,g-1,True,PendingDeletion,Exchange,All,,,Success,Hold,False\n";
    assert_eq!(of("", &[], leaving, &rule("Delete", "30")), None, "being deleted");
    let second = format!("{all}Q,g-2,True,Enforce,Exchange,All,,,Success,Hold,False\n");
    assert_eq!(of("", &[], &second, &keep), None, "a policy whose rule nobody lists");
    assert_eq!(of("", &[], &second, &format!("{keep}s,Q,Delete,700,False,,\n")), Some(700), "by its name");
    assert_eq!(of("Clinic", &["Gone"], &all, &keep), None, "a tag that nobody lists");
    assert_eq!(of("Another", &["Bin"], &all, &keep), None, "a policy that nobody lists");
    assert_eq!(of("Clinic", &["One year"], "", ""), None, "a rule may keep it");
    assert_eq!(of("Clinic", &["One year", "Gone"], &all, &keep), Some(365), "too soon, whatever else deletes");
}

const RECORDS: &str = "PrimarySmtpAddress,ForwardingSmtpAddress,Name,RetentionPolicy,InPlaceHolds,RetentionHoldEnabled,ElcProcessingDisabled\na@clinic.example,,Ana,Clinic,,False,False\n";
const YEAR: &str = "Name,Type,MessageClass,RetentionEnabled,RetentionAction,AgeLimitForRetention\nOne year,All,*,True,DeleteAndAllowRecovery,365.00:00:00\nBin,DeletedItems,*,True,PermanentlyDelete,30.00:00:00\n";
const NEVER: &str = "Name,Type,MessageClass,RetentionEnabled,RetentionAction,AgeLimitForRetention\nOne year,All,*,True,MoveToArchive,365.00:00:00\nBin,DeletedItems,*,True,PermanentlyDelete,30.00:00:00\n";
const LINKS: &str = r#"[{"Name":"Clinic","RetentionPolicyTagLinks":["One year","Bin"]}]"#;
const POLICY: &str = "Name,Guid,Enabled,Mode,Workload,ExchangeLocation,ExchangeLocationException,AdaptiveScopeLocation,DistributionStatus,RetentionRuleTypes\nMail,g-1,True,Enforce,Exchange,All,,,Success,Hold\n";
const RULE: &str = "Name,Policy,RetentionComplianceAction,RetentionDuration,Disabled,ContentMatchQuery,ExcludedItemClasses,ApplyComplianceTag,PublishComplianceTag\nmonths,Mail,Keep,90,False,,,,\n";

/// After how many days mail of a mailbox with records is deleted, where these files stand beside, or by their
/// names in place of, those of a clinic that deletes after a year and keeps for three months.
fn deleted_after(files: &[(&str, &str)]) -> Option<i64> {
    let clinic = [("m.csv", RECORDS), ("t.csv", YEAR), ("l.json", LINKS), ("p.csv", POLICY), ("r.csv", RULE)];
    let mut scope = declared("clinic.example");
    let retention = scope.retention.as_mut().unwrap();
    (retention.mail_min_days, retention.record_mailboxes) = (Some(2190), vec!["a@clinic.example".to_owned()]);
    let others = clinic.into_iter().filter(|(name, _)| files.iter().all(|(other, _)| other != name));
    let world = others.chain(files.iter().copied());
    let world = world.fold(World::new(Some(scope)), |world, (name, text)| world.file(name, text.as_bytes()));
    is(&find(&built(&world, &[]), "a@clinic.example").deleted_after_days)
}

#[test]
fn a_list_of_objects_is_not_an_empty_list() {
    let of = |places: &str| {
        let policy = format!(
            r#"[{{"Name":"Mail","Guid":"g-1","Enabled":true,"Mode":"Enforce","Workload":"Exchange","ExchangeLocation":[{places}],"ExchangeLocationException":[],"AdaptiveScopeLocation":[],"DistributionStatus":"Success","RetentionRuleTypes":[]}}]"#
        );
        deleted_after(&[("t.csv", NEVER), ("p.csv", &policy), ("r.csv", &RULE.replace("Keep", "Delete"))])
    };
    assert_eq!(of(r#"{"DisplayName":"All","Name":"All"}"#), Some(90));
    assert_eq!(of(r#"{"DisplayName":"Ana","Name":"a@clinic.example"}"#), Some(90));
    for place in [r#"{"Guid":"7"}"#, r#"["All"]"#] {
        assert_eq!(of(place), None, "{place}");
    }
    assert_eq!(of(""), Some(0));
    let linked = |tags: &str| deleted_after(&[("l.json", &LINKS.replace(r#""One year","Bin""#, tags))]);
    assert_eq!(linked(r#"{"Name":"One year","ObjectGuid":"1"},{"Name":"Bin"}"#), Some(365));
    assert_eq!(linked(r#"{"Name":"Bin"},{"ObjectGuid":"1"}"#), None);
    assert_eq!(linked(r#""Bin",["One year"]"#), None);
}

#[test]
fn where_two_lists_disagree_neither_is_believed() {
    assert_eq!(deleted_after(&[("m2.csv", RECORDS), ("t2.csv", YEAR), ("l2.json", LINKS)]), Some(365), "a copy");
    let other = LINKS.replace("Clinic", "Keep all").replace(r#""One year","#, "");
    let assigned = RECORDS.replace("Clinic", "Keep all");
    assert_eq!(deleted_after(&[("m.csv", &assigned), ("l2.json", &other)]), Some(0));
    assert_eq!(deleted_after(&[("m2.csv", &assigned), ("l2.json", &other)]), None, "of a mailbox");
    assert_eq!(deleted_after(&[("l2.json", &LINKS.replace(r#""One year","#, ""))]), None, "of a policy's tags");
    assert_eq!(deleted_after(&[("t2.csv", &YEAR.replace("365", "3650"))]), None, "of a tag");
    let delete = RULE.replace("Keep", "Delete");
    let of = |further: &[(&str, &str)]| deleted_after(&[&[("t.csv", NEVER), ("r.csv", &delete)], further].concat());
    assert_eq!(of(&[("p2.csv", POLICY), ("r2.csv", &delete)]), Some(90), "a copy");
    for changed in [
        POLICY.replace(",True,", ",False,"),
        POLICY.replace("All,,", "All,Ana,"),
        POLICY.replace("All,,", "Ben,,"),
        POLICY.replace(",Guid", ",Id").replace(",True,", ",False,"),
    ] {
        assert_eq!(of(&[("p2.csv", &changed)]), None, "{changed}");
    }
    // What one list says and another does not tell is no answer, whichever is read first.
    let (off, pending) = (POLICY.replace(",True,", ",False,"), POLICY.replace("Success", "Pending"));
    assert_eq!(of(&[("p.csv", &off), ("p2.csv", &pending)]), None);
    assert_eq!(of(&[("p.csv", &pending), ("p2.csv", &off)]), None);
    let (of_ana, joined) = (POLICY.replace("All,,", "All,Ana,"), POLICY.replace("All,,", "All,\"Ben,Cy\","));
    assert_eq!(of(&[("p.csv", &of_ana), ("p2.csv", &joined)]), None);
    let years = "Keep,3650,";
    for changed in [
        delete.replace("Delete,90,", years),
        delete.replace("months,Mail,Delete,90,", &format!("years,g-1,{years}")),
        delete.replace(",False,", ",True,"),
    ] {
        assert_eq!(of(&[("r2.csv", &changed)]), None, "{changed}");
    }
    assert_eq!(of(&[("r2.csv", &delete.replace("Mail", "g-1"))]), Some(90), "the same policy by its identifier");
}

#[test]
fn a_label_that_a_rule_puts_on_mail_may_delete_it() {
    let of = |labels: &str, place: &str| {
        let rule = RULE.replace("Keep,90,False,,,,", &format!(",,False,,,{labels}"));
        let policy = POLICY.replace("All,,", place);
        deleted_after(&[("m.csv", &RECORDS.replace("Clinic", "")), ("p.csv", &policy), ("r.csv", &rule)])
    };
    assert_eq!(of("Delete after 30 days,", "All,,"), None);
    assert_eq!(of(",For staff", "All,,"), Some(0), "users choose it");
    assert_eq!(of("Delete after 30 days,", "All,Ana,"), Some(0), "not for her");
    let without =
        RULE.replace(",ApplyComplianceTag,PublishComplianceTag", "").replace("Keep,90,False,,,,", ",,False,,");
    assert_eq!(deleted_after(&[("m.csv", &RECORDS.replace("Clinic", "")), ("r.csv", &without)]), None);
    let applied = RULE.replace("Keep,90,False,,,,", ",,False,,,Keep for ever,");
    assert_eq!(deleted_after(&[("r.csv", &applied)]), Some(365), "it keeps some mail, not all");
}

#[test]
fn what_does_not_delete_mail_for_certain_is_not_said_to() {
    assert_eq!(deleted_after(&[]), Some(365));
    let mailbox = |from: &str, to: &str| deleted_after(&[("m.csv", &RECORDS.replace(from, to))]);
    assert_eq!(mailbox("False,False", "True,False"), None, "until the suspension ends");
    assert_eq!(mailbox("False,False", "False,True"), None);
    assert_eq!(mailbox("RetentionHoldEnabled", "Other"), None);
    assert_eq!(mailbox("InPlaceHolds", "Other"), None);
    assert_eq!(mailbox("Clinic,,", "Clinic,UniH0b1c2d3e-0000-4000-8000-000000000001,"), None, "it may keep all");
    assert_eq!(mailbox("Clinic,,", "Clinic,mbx0b1c2d3e000040008000000000000001:1,"), Some(365));
    let tag = |from: &str, to: &str| deleted_after(&[("t.csv", &YEAR.replace(from, to))]);
    for kind in ["Calendar", "Contacts", "Journal", "Notes", "Tasks"] {
        assert_eq!(tag(",All,", &format!(",{kind},")), Some(0), "{kind}");
    }
    assert_eq!(tag("All,*,", "All,IPM.Note.Microsoft.Voicemail*,"), None, "voice messages");
    assert_eq!(tag("MessageClass", "Other"), None);
}

#[test]
fn a_mailbox_of_records_is_known_by_each_of_its_addresses_and_one_nobody_lists_is_not_passed_over() {
    const MAILBOXES: &[u8] = br#"[{"PrimarySmtpAddress":"records@clinic.example","ForwardingSmtpAddress":null,"EmailAddresses":["SMTP:records@clinic.example","smtp:medical-records@clinic.example"]},{"PrimarySmtpAddress":"ana@clinic.example","ForwardingSmtpAddress":null,"EmailAddresses":["SMTP:ana@clinic.example"]}]"#;
    let of = |record: &str| {
        let mut scope = declared("clinic.example");
        let retention = scope.retention.as_mut().unwrap();
        (retention.mail_min_days, retention.record_mailboxes) = (Some(2190), vec![record.to_owned()]);
        let reference = crate::collect::exports::reference(record, &crate::keyed::KeyedReference::new(b"test"));
        retention.record_references = [(record.to_owned(), reference)].into();
        let built = built(&World::new(Some(scope)).file("m.json", MAILBOXES), &[]);
        ["records", "ana"].map(|name| is(&find(&built, &format!("{name}@clinic.example")).holds_records))
    };
    assert_eq!(of("records@clinic.example"), [Some(true), Some(false)]);
    assert_eq!(of("medical-records@clinic.example"), [Some(true), Some(false)]);
    assert_eq!(of("recrods@clinic.example"), [None, None], "nobody lists it");
}
