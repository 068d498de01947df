use super::super::exported::tests::{World, context, declared};
use super::*;

/// What a collector says where a tenant has neither transport rules nor journal rules.
const NO_OTHER_RULES: &[u8] = br#"{"what":"transport-rules","subject":"*","ok":true,"rows":0}
{"what":"journal-rules","subject":"*","ok":true,"rows":0}
"#;

fn leaky(without: &[&str]) -> World {
    World::new(Some(declared("clinic.example"))).fixture("leaky-clinic", without)
}

fn built(world: &World, taken: &[&str]) -> Built<ForwardingRule> {
    let evidence = world.evidence(taken);
    build(context(&evidence))
}

fn classes(built: &Built<ForwardingRule>) -> Vec<(String, Option<String>)> {
    let mut all: Vec<_> = built
        .subjects
        .iter()
        .map(|rule| {
            let mailbox = rule.mailbox.seen.present().cloned().unwrap_or_else(|| "?".to_owned());
            (mailbox, rule.target_class.seen.present().cloned())
        })
        .collect();
    all.sort();
    all
}

fn known(pairs: &[(&str, &str)]) -> Vec<(String, Option<String>)> {
    pairs.iter().map(|(mailbox, class)| ((*mailbox).to_owned(), Some((*class).to_owned()))).collect()
}

#[test]
fn a_rule_sends_over_a_connector_that_is_listed_switched_off_or_nowhere() {
    let routes = |without: &[&str]| -> Vec<Option<String>> {
        let world = World::new(Some(declared("clinic.example"))).fixture("set-up-clinic", without);
        let rules = world.file(
            "routes.csv",
            b"Name,State,Mode,Priority,RuleVersion,RouteMessageOutboundConnector\na,Enabled,Enforce,5,14,To the laboratory\nb,Enabled,Enforce,6,14,OLD ARCHIVE\nc,Enabled,Enforce,7,14,Nobody's\nd,Enabled,Enforce,8,14,\n",
        );
        let built = built(&rules, &[]);
        let mut of_file: Vec<_> = built
            .subjects
            .iter()
            .filter(|rule| rule.origin.seen.present().is_some_and(|origin| origin == "transport"))
            .map(|rule| rule.route.seen.present().cloned())
            .collect();
        of_file.sort();
        of_file
    };
    let some = |words: &[&str]| words.iter().map(|word| Some((*word).to_owned())).collect::<Vec<_>>();
    assert_eq!(routes(&["transport-rules.csv"]), some(&["listed", "none", "switched-off", "unlisted"]));
    let unknown = routes(&["transport-rules.csv", "outbound-connectors.json"]);
    assert_eq!(unknown.iter().filter(|route| route.is_none()).count(), 3);
}

#[test]
fn a_connector_that_one_collection_finds_off_is_off_and_two_routes_of_one_rule_are_not_told() {
    const HEAD: &str = "Name,Guid,State,Mode,Priority,RuleVersion,RouteMessageOutboundConnector\n";
    let route = |connectors: [&str; 2], routes: [&str; 2]| {
        let mut world = World::new(Some(declared("clinic.example")));
        for (number, (connector, route)) in connectors.iter().zip(routes).enumerate() {
            let list = format!(
                r#"[{{"Name":"Lab","Enabled":{connector},"ConnectorType":"Partner","RecipientDomains":["lab.example"],"TlsSettings":null,"SmartHosts":[],"UseMXRecord":true}}]"#
            );
            let rule = format!("{HEAD}To the laboratory,5,Enabled,Enforce,5,14,{route}\n");
            world = world.file(&format!("connectors-{number}.json"), list.as_bytes());
            world = world.file(&format!("rules-{number}.csv"), rule.as_bytes());
        }
        let built = built(&world, &[]);
        assert_eq!(built.subjects.len(), 1, "one rule in two collections");
        built.subjects[0].route.seen.clone()
    };
    assert_eq!(route(["true", "true"], ["Lab", "Lab"]), Seen::Present("listed".to_owned()));
    assert_eq!(route(["true", "false"], ["Lab", "Lab"]), Seen::Present("switched-off".to_owned()));
    assert_eq!(route(["false", "true"], ["Lab", "Lab"]), Seen::Present("switched-off".to_owned()));
    assert!(matches!(route(["true", "true"], ["Lab", "Archive"]), Seen::Unknown(NotObserved::Lost { .. })));
    assert!(matches!(route(["true", "null"], ["Lab", "Lab"]), Seen::Unknown(_)), "one list does not say");
    let one_list_without = {
        let list = |name: &str| {
            format!(
                r#"[{{"Name":"{name}","Enabled":true,"ConnectorType":"Partner","RecipientDomains":["lab.example"],"TlsSettings":null,"SmartHosts":[],"UseMXRecord":true}}]"#
            )
        };
        let world = World::new(Some(declared("clinic.example")))
            .file("old.json", list("Lab").as_bytes())
            .file("new.json", list("Other").as_bytes())
            .file("rules.csv", format!("{HEAD}To the laboratory,5,Enabled,Enforce,5,14,Lab\n").as_bytes());
        built(&world, &[]).subjects[0].route.seen.clone()
    };
    assert!(matches!(one_list_without, Seen::Unknown(NotObserved::Lost { .. })), "it may be gone");
}

#[test]
fn rules_are_attributed_and_classed() {
    let built = built(&leaky(&[]), &[]);
    assert_eq!(
        classes(&built),
        known(&[
            ("?", "external"),
            ("ana@clinic.example", "consumer-webmail"),
            ("ben@clinic.example", "none"),
            ("ben@clinic.example", "unresolved"),
        ])
    );
    assert!(matches!(built.collection, Collection::Incomplete(_)), "an empty file proves nothing");
    let asked = leaky(&[]).file("coverage.jsonl", NO_OTHER_RULES);
    assert_eq!(build(context(&asked.evidence(&[]))).collection, Collection::Complete);
    let orphan = built.subjects.iter().find(|rule| rule.mailbox.seen.present().is_none()).unwrap();
    assert_eq!(orphan.mailbox_listed.seen, Seen::Present(false));
    assert!(orphan.name.starts_with("owner-"));
}

#[test]
fn what_a_rule_does_is_told_without_its_text() {
    let built = built(&leaky(&[]), &[]);
    let hiding = built.subjects.iter().find(|rule| rule.hides.seen == Seen::Present(true)).unwrap();
    assert_eq!(hiding.keywords.seen, Seen::Present(vec!["payment".to_owned()]));
    assert_eq!(hiding.name_class.seen, Seen::Present("punctuation".to_owned()));
    assert_eq!(hiding.has_conditions.seen, Seen::Present(true));
    let redirect = built.subjects.iter().find(|rule| rule.deletes.seen == Seen::Present(true)).unwrap();
    assert_eq!(redirect.has_conditions.seen, Seen::Present(false));
    let text = format!("{built:?}");
    for word in ["Lab results", "invoice", "wire", "home@", "Rob"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn no_rules_export_is_not_no_rules() {
    let built = built(&leaky(&["inbox-rules.json"]), &[]);
    assert!(built.subjects.is_empty());
    assert!(matches!(built.collection, Collection::Incomplete(NotObserved::NotProvided { .. })));
}

#[test]
fn no_rule_over_many_mailboxes_means_too_few_rights() {
    let mut mailboxes = "PrimarySmtpAddress,ForwardingSmtpAddress\n".to_owned();
    for number in 0..60 {
        mailboxes.push_str(&format!("u{number}@clinic.example,\n"));
    }
    let rules = b"MailboxOwnerId,RuleIdentity,Name,Enabled,ForwardTo,RedirectTo,ForwardAsAttachmentTo\n";
    let world = |mailboxes: &str| {
        let world = World::new(Some(declared("clinic.example")));
        world.file("m.csv", mailboxes.as_bytes()).file("r.csv", rules).file("coverage.jsonl", NO_OTHER_RULES)
    };
    assert!(matches!(
        built(&world(&mailboxes), &[]).collection,
        Collection::Incomplete(NotObserved::AccessDenied { .. })
    ));
    let few = "PrimarySmtpAddress,ForwardingSmtpAddress\na@clinic.example,\n";
    assert_eq!(built(&world(few), &[]).collection, Collection::Complete);
    // Rules of one mailbox may be those of the account that read them.
    let some = |rules: &str, also: &str| {
        let text = format!("MailboxOwnerId,RuleIdentity,Enabled,ForwardTo,RedirectTo,ForwardAsAttachmentTo\n{rules}");
        let record = format!("{}{also}", std::str::from_utf8(NO_OTHER_RULES).unwrap());
        let world = World::new(Some(declared("clinic.example"))).file("m.csv", mailboxes.as_bytes());
        built(&world.file("r.csv", text.as_bytes()).file("coverage.jsonl", record.as_bytes()), &[]).collection
    };
    let one = "u7@clinic.example,1,True,,,\n";
    assert!(matches!(some(one, ""), Collection::Incomplete(NotObserved::AccessDenied { .. })));
    assert!(matches!(some(&format!("{one}nobody,2,True,,,\n"), ""), Collection::Incomplete(_)), "nobody's rule");
    assert_eq!(some(&format!("{one}u8@clinic.example,2,True,,,\n"), ""), Collection::Complete);
    let told = r#"{"what":"inbox-rules","subject":"*","ok":true,"rows":1,"why":""}"#;
    assert_eq!(some(one, &format!("\n{told}\n")), Collection::Complete, "a collector asked");
}

#[test]
fn the_same_rule_twice_is_one_rule() {
    let world = leaky(&[]);
    let text =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/exports/leaky-clinic/inbox-rules.json")).unwrap();
    let twice = leaky(&[]).file("again.json", &text);
    assert_eq!(classes(&built(&twice, &[])), classes(&built(&world, &[])));
}

#[test]
fn a_lost_column_is_not_an_empty_one() {
    let rules = b"MailboxOwnerId,RuleIdentity,Enabled,ForwardTo,RedirectTo,ForwardAsAttachmentTo\n\
        a@clinic.example,1,True,System.String[],,\n\
        a@clinic.example,2,True,System.String[],\"\"\"B\"\" [SMTP:b@clinic.example]\",\n\
        a@clinic.example,3,True,System.String[],\"\"\"B\"\" [SMTP:b@gmail.com]\",\n";
    let built = built(&World::new(Some(declared("clinic.example"))).file("r.csv", rules), &[]);
    let known: Vec<_> = classes(&built).into_iter().filter_map(|(_, class)| class).collect();
    assert_eq!(known, ["consumer-webmail"], "a class that can still get worse is not known");
}

#[test]
fn an_own_address_of_an_outside_contact_leads_outside() {
    let rules = b"MailboxOwnerId,RuleIdentity,Enabled,ForwardTo,RedirectTo,ForwardAsAttachmentTo\na@clinic.example,1,True,billing@clinic.example,,\n";
    let world = leaky(&["inbox-rules.json"]).file("r.csv", rules);
    assert_eq!(classes(&built(&world, &[])), known(&[("a@clinic.example", "external")]));
}

#[test]
fn a_segment_taken_away_makes_facts_unknown() {
    let world = leaky(&[]);
    for segment in ["export.tenant", "declared.organization"] {
        let built = built(&world, &[segment]);
        assert!(
            built
                .subjects
                .iter()
                .filter(|rule| !rule.actions.seen.present().unwrap().contains(&"hide".to_owned()))
                .all(|rule| matches!(rule.target_class.seen, Seen::Unknown(_))),
            "{segment}"
        );
    }
    for segment in ["export.forwarding_rule", "export.export_file"] {
        assert!(matches!(built(&world, &[segment]).collection, Collection::Incomplete(_)), "{segment}");
    }
    let without_mailboxes = built(&world, &["export.mailbox"]);
    assert!(without_mailboxes.subjects.iter().all(|rule| matches!(rule.mailbox_listed.seen, Seen::Unknown(_))));
}

#[test]
fn both_forms_of_gmail_filters_say_the_same() {
    let with = |without: &str| World::new(Some(declared("practice.example"))).fixture("google-clinic", &[without]);
    let (json, plain) = (built(&with("filters-plain.csv"), &[]), built(&with("filters.csv"), &[]));
    assert_eq!(classes(&json), known(&[("cleo@practice.example", "none"), ("dan@practice.example", "external")]));
    assert_eq!(classes(&json), classes(&plain));
    assert_eq!(json.collection, Collection::Complete);
}

#[test]
fn graph_rules_name_their_mailbox_in_the_page_and_hide_what_they_cannot_show() {
    let page = br##"{"@odata.context":"https://graph.microsoft.example/v1.0/$metadata#users('ana%40clinic.example')/mailFolders('inbox')/messageRules","value":[
        {"id":"AQ1","displayName":"x","sequence":1,"isEnabled":true,"hasError":false,"isReadOnly":false,"conditions":{"subjectContains":["invoice"]},"actions":{"forwardTo":[{"emailAddress":{"name":"a@clinic.example","address":"a@elsewhere.example"}}],"delete":true}},
        {"id":"AQ2","displayName":"y","sequence":2,"isEnabled":true,"hasError":false,"isReadOnly":true}]}"##;
    let built = built(&World::new(Some(declared("clinic.example"))).file("g.json", page), &[]);
    assert_eq!(
        classes(&built),
        [("ana@clinic.example".to_owned(), None), ("ana@clinic.example".to_owned(), Some("external".to_owned()))]
    );
    let hidden = built.subjects.iter().find(|rule| rule.target_class.seen.present().is_none()).unwrap();
    assert_eq!(hidden.readable.seen, Seen::Present(false));
    assert!(matches!(hidden.deletes.seen, Seen::Unknown(NotObserved::Lost { .. })));
}

#[test]
fn a_staged_transport_rule_sends_nothing_yet() {
    let rules = b"Name,State,Mode,Priority,RuleVersion,BlindCopyTo,CopyTo,AddToRecipients,RedirectMessageTo\n\
        a,Enabled,Enforce,0,14.0.0.0,x@elsewhere.example,,,\nb,Enabled,Audit,1,14.0.0.0,x@elsewhere.example,,,\nc,Disabled,Enforce,2,14.0.0.0,x@elsewhere.example,,,\n";
    let built = built(&World::new(Some(declared("clinic.example"))).file("t.csv", rules), &[]);
    let mut enabled: Vec<_> = built.subjects.iter().filter_map(|rule| rule.enabled.seen.present().copied()).collect();
    enabled.sort_unstable();
    assert_eq!(enabled, [false, false, true]);
}

#[test]
fn scripts_aliases_and_settings_of_an_own_server_are_rules() {
    let world = World::new(Some(declared("surgery.example")))
        .fixture("own-server", &["sieve"])
        .fixture("own-server/sieve", &[]);
    let built = built(&world, &[]);
    assert_eq!(
        classes(&built),
        known(&[
            ("eve@surgery.example", "consumer-webmail"),
            ("eve@surgery.example", "none"),
            ("every mailbox", "external"),
            ("fay@surgery.example", "none"),
            ("no mailbox", "external"),
        ])
    );
    let hiding = built.subjects.iter().find(|rule| rule.hides.seen == Seen::Present(true)).unwrap();
    assert_eq!(hiding.keywords.seen, Seen::Present(vec!["security".to_owned()]));
    assert!(matches!(built.collection, Collection::Incomplete(_)), "nobody looked for .forward files");
    let looked = world.file("coverage.jsonl", br#"{"what":"forward-eve","ok":true,"rows":0}"#);
    assert_eq!(build(context(&looked.evidence(&[]))).collection, Collection::Complete);
}

#[test]
fn what_a_collector_wrote_and_nobody_handed_over_is_missing() {
    let rules = |rows: usize| {
        let mut text = "MailboxOwnerId,RuleIdentity,Enabled,ForwardTo,RedirectTo,ForwardAsAttachmentTo\n".to_owned();
        for row in 0..rows {
            text.push_str(&format!("a@clinic.example,{row},True,,,\n"));
        }
        text
    };
    let coverage = r#"{"what":"inbox-rules","subject":"1","ok":true,"rows":2}
{"what":"inbox-rules","subject":"2","ok":false,"rows":0,"why":"Throttled"}
{"what":"inbox-rules","subject":"2","ok":true,"rows":1}
{"what":"transport-rules","subject":"*","ok":true,"rows":0}
{"what":"journal-rules","subject":"*","ok":true,"rows":0}
"#;
    let of = |rows: usize, coverage: &str| {
        let world = World::new(Some(declared("clinic.example"))).file("r.csv", rules(rows).as_bytes());
        built(&world.file("coverage-0.jsonl", coverage.as_bytes()), &[]).collection
    };
    assert_eq!(of(3, coverage), Collection::Complete);
    assert!(matches!(of(2, coverage), Collection::Incomplete(NotObserved::NotProvided { .. })));
    let failed = coverage.replace("true,\"rows\":1", "false,\"rows\":0");
    assert!(matches!(of(3, &failed), Collection::Incomplete(NotObserved::Unreadable { .. })));
    let cut = format!("{coverage}{}", r#"{"what":"inbox-ru"#);
    assert!(matches!(of(3, &cut), Collection::Incomplete(NotObserved::Unreadable { .. })), "of what, nobody knows");
}

#[test]
fn mailboxes_that_no_collector_asked_have_rules_that_nobody_knows() {
    let rules =
        b"MailboxOwnerId,RuleIdentity,Enabled,ForwardTo,RedirectTo,ForwardAsAttachmentTo\na@clinic.example,1,True,,,\n";
    let listed = br#"{"what":"mailboxes","subject":"*","ok":true,"rows":3}"#;
    let mailboxes = b"PrimarySmtpAddress,ForwardingSmtpAddress,ForwardingAddress,DeliverToMailboxAndForward\na@clinic.example,,,False\nb@clinic.example,,,False\nc@clinic.example,,,False\n";
    let of = |parts: &[&str], list: (&str, &[u8])| {
        let mut world = World::new(Some(declared("clinic.example")))
            .file("r.csv", rules)
            .file("coverage.jsonl", NO_OTHER_RULES)
            .file(list.0, list.1);
        for (number, subjects) in parts.iter().enumerate() {
            let lines: Vec<_> = subjects
                .split(' ')
                .map(|subject| format!(r#"{{"what":"inbox-rules","subject":"{subject}","ok":true,"rows":0}}"#))
                .collect();
            world = world.file(&format!("coverage-{number}.jsonl"), lines.join("\n").as_bytes());
        }
        built(&world, &[]).collection
    };
    for list in [("coverage-list.jsonl", &listed[..]), ("m.csv", &mailboxes[..])] {
        assert_eq!(of(&["1 2", "3"], list), Collection::Complete, "{}", list.0);
        let Collection::Incomplete(NotObserved::NotProvided { what }) = of(&["1 2"], list) else {
            panic!("{}: one part of the mailboxes is not here", list.0)
        };
        assert!(what.ends_with("the collectors asked 2 of 3 mailboxes"), "{what}");
    }
}

#[test]
fn what_a_collector_did_not_finish_is_not_the_whole() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/exports/google-clinic");
    let filters = std::fs::read(folder.join("filters.csv")).unwrap();
    let of = |name: &str| {
        let world = World::new(Some(declared("practice.example")));
        let world = world.fixture("google-clinic", &["filters.csv", "filters-plain.csv"]);
        built(&world.file(name, &filters), &[])
    };
    assert_eq!(of("filters.csv").collection, Collection::Complete);
    for name in ["filters.csv.part", "filters.incomplete"] {
        let built = of(name);
        assert!(matches!(built.collection, Collection::Incomplete(NotObserved::NotProvided { .. })), "{name}");
        assert_eq!(built.subjects.len(), 0, "{name}");
    }
}

#[test]
fn journal_and_sweep_rules_are_rules() {
    let world = World::new(Some(declared("clinic.example"))).fixture("rights-clinic", &[]);
    let built = built(&world, &[]);
    assert_eq!(classes(&built), known(&[("ben@clinic.example", "none"), ("every mailbox", "external")]));
    let sweep = built.subjects.iter().find(|rule| rule.origin.seen == Seen::Present("sweep".to_owned())).unwrap();
    assert_eq!((&sweep.deletes.seen, &sweep.hides.seen), (&Seen::Present(true), &Seen::Present(true)));
    assert!(matches!(built.collection, Collection::Incomplete(_)), "nobody handed over inbox rules");
}

#[test]
fn rules_that_do_nothing_of_note_are_kept_once_a_mailbox_in_any_order() {
    let head = "MailboxOwnerId,RuleIdentity,Name,Enabled,ForwardTo,RedirectTo,ForwardAsAttachmentTo,DeleteMessage,MoveToFolder,InError,SupportedByTask,From,SubjectContainsWords,SentTo\n";
    let mut lines: Vec<String> = Vec::new();
    for mailbox in 0..7 {
        for number in 0..20 {
            let forward = if number == 3 { "x@elsewhere.example" } else { "" };
            lines.push(format!(
                "u{mailbox}@clinic.example,{mailbox}{number},News {number},True,{forward},,,False,Inbox/News,False,True,n@letters.example,,\n"
            ));
        }
    }
    let of = |lines: &[String]| {
        let text = head.to_owned() + &lines.concat();
        built(&World::new(Some(declared("clinic.example"))).file("r.csv", text.as_bytes()), &[])
    };
    let forward = of(&lines);
    assert_eq!(forward.subjects.len(), 14, "one that forwards and one for the other nineteen");
    lines.reverse();
    let names =
        |built: &Built<ForwardingRule>| built.subjects.iter().map(|rule| rule.name.clone()).collect::<BTreeSet<_>>();
    assert_eq!(names(&forward), names(&of(&lines)));
}

#[test]
fn where_files_of_two_tenants_are_mixed_no_list_is_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/exports/leaky-clinic");
    for entry in std::fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let collection = || {
        let world = World::new(Some(declared("clinic.example"))).folder(folder.path());
        built(&world.file("coverage.jsonl", NO_OTHER_RULES), &[]).collection
    };
    assert_eq!(collection(), Collection::Complete);
    crate::files::write_whole(&folder.path().join("z.csv"), b"DomainName,DomainType\ndentist.example,Authoritative\n")
        .unwrap();
    let Collection::Incomplete(NotObserved::Unreadable { why, .. }) = collection() else {
        panic!("which tenant the rules are of, nobody knows")
    };
    assert!(why.contains("two tenants"), "{why}");
}

#[test]
fn few_rules_are_as_few_as_the_check_of_rights_says() {
    let thresholds = crate::checks::Catalog::built_in().unwrap().thresholds;
    let limit = |name: &str| usize::try_from(thresholds[name].value).unwrap();
    assert_eq!(MAILBOXES_WITH_RULES, limit("mailboxes_with_rules"));
    assert_eq!(MAILBOXES_WITHOUT_RULES, limit("mailboxes_without_rules"));
}
