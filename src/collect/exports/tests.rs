//! The room as a whole: bytes in, observations out.

use super::*;
use crate::evidence::export::ConditionalAccess;

fn read_bytes(files: &[(&str, Vec<u8>)]) -> (Vec<Record>, Vec<ExportFile>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        crate::files::write_whole(&folder.path().join(name), bytes).unwrap();
    }
    let asked_at = "2026-10-01T12:00:00Z".parse().unwrap();
    let key = KeyedReference::new(b"test");
    let observations =
        read(&[folder.path().to_owned()], &["exports".to_owned()], &BTreeSet::new(), &key, asked_at, "here");
    let (mut records, mut read) = (Vec::new(), Vec::new());
    for observation in observations {
        match observation.answer {
            Ok(Answer::Record(record)) => records.push(record),
            Ok(Answer::ExportFile(file)) => read.push(*file),
            other => panic!("{other:?}"),
        }
    }
    (records, read)
}

fn one(name: &str, bytes: impl Into<Vec<u8>>) -> (Vec<Record>, ExportFile) {
    let (records, mut files) = read_bytes(&[(name, bytes.into())]);
    assert_eq!(files.len(), 1, "every file ends in exactly one state");
    (records, files.remove(0))
}

fn utf16(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

/// Columns and values of three rules, told the same way in every format below.
const RULES: [[(&str, &str); 9]; 3] = [
    [
        ("MailboxOwnerId", "ana@clinic.example"),
        ("RuleIdentity", "15394007230974001153"),
        ("Name", "Müller, home"),
        ("Enabled", "True"),
        ("ForwardTo", "\"Ana; M\" [SMTP:ana@webmail.example], \"B\" [SMTP:b@clinic.example]"),
        ("RedirectTo", ""),
        ("ForwardAsAttachmentTo", ""),
        ("DeleteMessage", "True"),
        ("SubjectContainsWords", "lab result"),
    ],
    [
        ("MailboxOwnerId", "ben"),
        ("RuleIdentity", "2"),
        ("Name", "."),
        ("Enabled", "False"),
        ("ForwardTo", ""),
        ("RedirectTo", "\"R\" [EX:/o=X/cn=r]"),
        ("ForwardAsAttachmentTo", ""),
        ("DeleteMessage", "False"),
        ("SubjectContainsWords", ""),
    ],
    [
        ("MailboxOwnerId", "cy@clinic.example"),
        ("RuleIdentity", "3"),
        ("Name", "x"),
        ("Enabled", "True"),
        ("ForwardTo", ""),
        ("RedirectTo", ""),
        ("ForwardAsAttachmentTo", ""),
        ("DeleteMessage", "False"),
        ("SubjectContainsWords", "a"),
    ],
];

fn as_csv(delimiter: &str, start: &str) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut out = start.to_owned();
    out.push_str(&RULES[0].map(|(column, _)| quoted(column)).join(delimiter));
    for rule in RULES {
        out.push_str("\r\n");
        out.push_str(&rule.map(|(_, value)| quoted(value)).join(delimiter));
    }
    out.push_str("\r\n");
    out
}

fn as_objects() -> Vec<String> {
    RULES
        .iter()
        .map(|rule| {
            let fields: serde_json::Map<String, serde_json::Value> = rule
                .iter()
                .map(|(column, value)| {
                    let value = match *value {
                        "True" => true.into(),
                        "False" => false.into(),
                        "" => serde_json::Value::Null,
                        number if *column == "RuleIdentity" => number.parse::<u64>().unwrap().into(),
                        text if column.ends_with("To") => text
                            .split("], ")
                            .map(|part| if part.ends_with(']') { part.to_owned() } else { format!("{part}]") })
                            .collect::<Vec<_>>()
                            .into(),
                        text => text.into(),
                    };
                    ((*column).to_owned(), value)
                })
                .collect();
            serde_json::to_string(&fields).unwrap()
        })
        .collect()
}

fn as_clixml() -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let mut out = r#"<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">"#.to_owned();
    for rule in RULES {
        out.push_str(r#"<Obj RefId="0"><TN RefId="0"><T>Deserialized.Microsoft.Exchange.Management.Common.InboxRule</T></TN><Props>"#);
        for (column, value) in rule {
            out.push_str(&match value {
                "" => format!(r#"<Nil N="{column}" />"#),
                "True" | "False" => format!(r#"<B N="{column}">{}</B>"#, value.to_lowercase()),
                number if column == "RuleIdentity" => format!(r#"<U64 N="{column}">{number}</U64>"#),
                list if column.ends_with("To") => {
                    let items: Vec<_> = list
                        .split("], ")
                        .map(|part| format!("<S>{}]</S>", escaped(part.trim_end_matches(']'))))
                        .collect();
                    format!(r#"<Obj N="{column}" RefId="1"><LST>{}</LST></Obj>"#, items.concat())
                }
                text => format!(r#"<S N="{column}">{}</S>"#, escaped(text)),
            });
        }
        out.push_str("</Props></Obj>");
    }
    out + "</Objs>"
}

#[test]
fn the_same_facts_in_every_format_give_the_same_records() {
    let (expected, file) = one("rules.csv", as_csv(",", ""));
    assert_eq!((file.state, expected.len()), (ExportState::Read, 3));
    let objects = as_objects();
    let array = format!("[{}]", objects.join(","));
    let cp1252: Vec<u8> = as_csv(",", "").chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for (name, bytes) in [
        ("semicolon.csv", as_csv(";", "").into_bytes()),
        ("tab.txt", utf16(&as_csv("\t", ""))),
        (
            "typed.csv",
            as_csv(",", "#TYPE Deserialized.Microsoft.Exchange.Management.Common.InboxRule\r\n").into_bytes(),
        ),
        ("excel.csv", as_csv(";", "sep=;\r\n").into_bytes()),
        ("ansi.csv", cp1252),
        ("bom.csv", [b"\xef\xbb\xbf".to_vec(), as_csv(",", "").into_bytes()].concat()),
        ("array.json", array.clone().into_bytes()),
        ("utf16.json", utf16(&array)),
        ("lines.jsonl", objects.join("\n").into_bytes()),
        ("appended.json", objects.concat().into_bytes()),
        ("page.json", format!(r#"{{"value":{array},"Count":3}}"#).into_bytes()),
        ("objects.xml", utf16(&as_clixml())),
        ("objects-utf8.xml", as_clixml().into_bytes()),
        ("wrong-name.mbox", array.into_bytes()),
    ] {
        let (records, file) = one(name, bytes);
        assert_eq!(file.format.as_deref(), Some("microsoft365.inbox-rules"), "{name}");
        assert_eq!(file.state, ExportState::Read, "{name}: {file:?}");
        // Classes of conditions need the columns alone; the records must be equal to the last field.
        assert_eq!(records, expected, "{name}");
    }
}

#[test]
fn an_empty_file_proves_nothing() {
    for bytes in [b"".to_vec(), b"\r\n".to_vec(), b"\xef\xbb\xbf".to_vec(), vec![0xff, 0xfe]] {
        let (records, file) = one("InboxRules.csv", bytes);
        assert!(records.is_empty());
        assert_eq!(file.state, ExportState::Unreadable);
        assert!(!file.rejected.is_empty());
    }
    for text in ["[]", "null", "{}"] {
        assert_ne!(one("InboxRules.json", text).1.state, ExportState::Read, "{text}");
    }
}

#[test]
fn a_page_without_records_is_known_by_its_context() {
    let (records, file) = one(
        "x.json",
        r##"{"@odata.context":"https://graph.microsoft.example/v1.0/$metadata#users('a%40b.example')/mailFolders('inbox')/messageRules","value":[]}"##,
    );
    assert!(records.is_empty());
    assert_eq!((file.format.as_deref(), file.state), (Some("microsoft365.inbox-rules-graph"), ExportState::Read));
}

#[test]
fn a_leftover_next_page_is_a_cut_export() {
    let text = r#"{"value":[{"userPrincipalName":"a@b.example","isMfaCapable":true}],"@odata.nextLink":"https://graph.microsoft.example/next"}"#;
    let (records, file) = one("mfa.json", text);
    assert_eq!((records.len(), file.state), (1, ExportState::PartlyRead));
    assert!(file.notes.iter().any(|note| note.contains("next page")));
}

#[test]
fn rejected_rows_and_lost_fields_are_accounted_for() {
    let (records, file) = one(
        "mfa.csv",
        "userPrincipalName,isMfaCapable,methodsRegistered\na@b.example,True,System.String[]\nnot an address,True,\nc@b.example,maybe,\n",
    );
    assert_eq!(records.len(), 2);
    assert_eq!((file.rows, file.rejected_rows, file.state), (2, 1, ExportState::PartlyRead));
    assert_eq!(file.rejected[0].row, 2);
    assert_eq!(file.lost_fields, ["methodsregistered"]);
    let Record::MfaRegistration(unsure) = &records[1] else { panic!("a registration") };
    assert!(matches!(unsure.capable, Seen::Unknown(_)), "maybe is neither yes nor no");
    assert!(!format!("{file:?}").contains("not an address"), "the row's text stays in the file");
}

#[test]
fn containers_pictures_and_prose_are_no_exports() {
    for (name, bytes) in [
        ("a.xlsx", b"PK\x03\x04rest".to_vec()),
        ("a.png", b"\x89PNG\r\n".to_vec()),
        ("a.txt", b"Dear colleague, here are the exports; please read them.".to_vec()),
        ("a.bin", vec![0; 1000]),
        ("a.csv", b"Colour,Size\nred,4\n".to_vec()),
        ("a.json", br#"[{"colour":"red"}]"#.to_vec()),
    ] {
        let (records, file) = one(name, bytes);
        assert!(records.is_empty(), "{name}");
        assert_eq!(file.state, ExportState::NotAnExport, "{name}");
        assert!(!file.rejected.is_empty(), "{name} says why");
    }
}

#[test]
fn nothing_of_the_free_text_leaves() {
    let text = r#"[{"MailboxOwnerId":"Jane Patientname","RuleIdentity":1,"Name":"Diagnosis Smith","Enabled":true,"ForwardTo":["\"Doctor Who\" [SMTP:secret.local@outside.example]"],"RedirectTo":null,"ForwardAsAttachmentTo":null,"SubjectContainsWords":["MRN 4711"],"MoveToFolder":"Oncology","Description":"If the message mentions Smith"}]"#;
    let (records, file) = one("r.json", text);
    let stored = serde_json::to_string(&records).unwrap() + &serde_json::to_string(&file).unwrap();
    for word in ["Jane", "Smith", "Doctor", "secret.local", "4711", "Oncology"] {
        assert!(!stored.contains(word), "{word} in {stored}");
    }
    assert!(stored.contains("outside.example"));
}

#[test]
fn the_order_of_rows_and_the_name_of_the_file_change_no_record() {
    let mut objects = as_objects();
    let sorted = |text: String| {
        let (mut records, _) = one("x", text);
        records.sort_by_key(|record| serde_json::to_string(record).unwrap().len());
        records
    };
    let before = sorted(objects.join("\n"));
    objects.reverse();
    assert_eq!(sorted(objects.join("\n")), before);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        one("x", bytes);
    }

    #[test]
    fn no_damage_to_an_export_makes_it_panic(at in 0usize..2000, byte: u8, cut in 0usize..2000, json: bool) {
        let mut bytes = if json { format!("[{}]", as_objects().join(",")) } else { as_csv(",", "") }.into_bytes();
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(length - cut % length);
        one("x", bytes);
    }
}

/// A policy that demands a second factor of everybody, and one that blocks old clients, under the same
/// further conditions.
fn policies(conditions: &str, applications: &str) -> Vec<ConditionalAccess> {
    let policy = |clients: &str, control: &str| {
        format!(
            r#"{{"id":"{control}","state":"enabled","conditions":{{"clientAppTypes":{clients},"users":{{"includeUsers":["All"],"excludeGuestsOrExternalUsers":{{"externalTenants":{{"membershipKind":null}}}}}},"applications":{{"includeApplications":["All"]{applications}}}{conditions}}},"grantControls":{{"operator":"OR","builtInControls":["{control}"]}}}}"#
        )
    };
    let text = format!("[{},{}]", policy(r#"["all"]"#, "mfa"), policy(r#"["exchangeActiveSync","other"]"#, "block"));
    let (records, _) = one("policies.json", text);
    let policies = records.into_iter().map(|record| match record {
        Record::ConditionalAccess(policy) => *policy,
        other => panic!("{other:?}"),
    });
    policies.collect()
}

#[test]
fn any_condition_that_says_something_narrows_a_policy() {
    let of = |conditions: &str| {
        let [mfa, block] = policies(conditions, "").try_into().unwrap();
        assert_eq!(mfa.excludes_groups, Seen::Present(false), "nothing stands in the object");
        (mfa.narrowed.present().copied(), block.blocks_old_clients.present().copied())
    };
    let empty = r#","locations":{"includeLocations":null,"excludeLocations":[]},"devices":{"deviceFilter":{"mode":null,"rule":null}},"times":null,"insiderRiskLevels":"","users@odata.type":"x""#;
    for everywhere in ["", empty] {
        assert_eq!(of(everywhere), (Some(false), Some(true)), "{everywhere}");
    }
    for narrow in [
        r#","authenticationFlows":{"transferMethods":"deviceCodeFlow"}"#,
        r#","insiderRiskLevels":"elevated""#,
        r#","servicePrincipalRiskLevels":["high"]"#,
        r#","times":{"includedRanges":["09:00"]}"#,
        r#","clients":["x"]"#,
        r#","deviceStates":{"excludeStates":["Compliant"]}"#,
        r#","somethingNew":{"deep":[{"in":"it"}]}"#,
    ] {
        assert_eq!(of(narrow), (Some(true), Some(false)), "{narrow}");
    }
    assert_eq!(of(r#","platforms":"@{includePlatforms=System.Object[]}""#), (None, None), "it was cut off");
    let filtered = policies("", r#","applicationFilter":{"mode":"include","rule":"x"}"#);
    assert_eq!(filtered[0].all_applications, Seen::Present(false));
    let unfiltered = policies("", r#","applicationFilter":{"mode":null,"rule":null}"#);
    assert_eq!(unfiltered[0].all_applications, Seen::Present(true));
}

#[test]
fn a_second_factor_that_something_else_stands_in_for_is_not_demanded() {
    let of = |controls: &str| {
        let text = format!(
            r#"[{{"id":"p","state":"enabled","conditions":{{"users":{{"includeUsers":["All"]}},"applications":{{"includeApplications":["All"]}}}},"grantControls":{{{controls}}}}}]"#
        );
        match one("policies.json", text).0.remove(0) {
            Record::ConditionalAccess(policy) => policy.requires_mfa,
            other => panic!("{other:?}"),
        }
    };
    let strength = r#""authenticationStrength":{"id":"s"}"#;
    for demanded in [
        r#""operator":"OR","builtInControls":["mfa"],"termsOfUse":[],"authenticationStrength":{"id":null}"#.to_owned(),
        r#""operator":"AND","builtInControls":["mfa"],"termsOfUse":["t"]"#.to_owned(),
        format!(r#""operator":"OR","builtInControls":[],{strength}"#),
        format!(r#""operator":"AND","builtInControls":[],"termsOfUse":["t"],{strength}"#),
    ] {
        assert_eq!(of(&demanded), Seen::Present(true), "{demanded}");
    }
    for open in [
        r#""operator":"OR","builtInControls":["mfa"],"termsOfUse":["t"]"#.to_owned(),
        r#""operator":"OR","builtInControls":["mfa"],"customAuthenticationFactors":["f"]"#.to_owned(),
        r#""operator":"OR","builtInControls":["mfa","compliantDevice"]"#.to_owned(),
        format!(r#""operator":"OR","builtInControls":[],"termsOfUse":["t"],{strength}"#),
    ] {
        assert_eq!(of(&open), Seen::Present(false), "{open}");
    }
}

#[test]
fn accepted_domains_of_another_tenant_are_said_so_and_make_nobody_of_hers_an_inside_one() {
    let accepted = |domains: &[&str]| {
        let rows: String = domains.iter().map(|domain| format!("{domain},Authoritative,False,False\n")).collect();
        format!("DomainName,DomainType,Default,MatchSubDomains\n{rows}").into_bytes()
    };
    let read = |second: &[&str]| {
        let first = accepted(&["clinic.example", "clinic.onmicrosoft.example"]);
        let (records, files) = read_bytes(&[("a.csv", first), ("b.csv", accepted(second))]);
        let own: Vec<String> = records
            .into_iter()
            .filter_map(|record| match record {
                Record::AcceptedDomain { domain, .. } => Some(domain),
                _ => None,
            })
            .collect();
        (own, files)
    };
    let (own, files) = read(&["dentist.example"]);
    assert_eq!(own, ["clinic.example", "clinic.onmicrosoft.example"]);
    let another = files.iter().find(|file| file.format.as_deref() == Some(ANOTHER_TENANT)).unwrap();
    assert_eq!(another.label, "exports/b.csv#another-tenant");
    assert!(another.rejected[0].why.contains("exports/a.csv"), "{:?}", another.rejected);
    let (own, files) = read(&["clinic.example", "dentist.example"]);
    assert_eq!((own.len(), files.len()), (4, 2), "one tenant may have two lists");
}

#[test]
fn what_is_no_known_kind_of_hold_may_be_one_of_a_case() {
    let of = |holds: &str| {
        let row = format!(
            r#"[{{"PrimarySmtpAddress":"a@clinic.example","ForwardingSmtpAddress":null,"InPlaceHolds":{holds}}}]"#
        );
        match one("m.json", row).0.as_slice() {
            [Record::Mailbox(mailbox)] => mailbox.case_holds.present().copied(),
            other => panic!("{other:?}"),
        }
    };
    const POLICIES: &str =
        r#""mbx0b1c2d3e000040008000000000000001:2","-mbx0b1c2d3e000040008000000000000002:1","skp3","grp4""#;
    assert_eq!((of("[]"), of("null"), of(&format!("[{POLICIES}]"))), (Some(0), Some(0), Some(0)));
    assert_eq!(
        of(r#"["b1c2d3e0000040008000000000000001","b1c2d3e0-0000-4000-8000-000000000002","UniH1","cld2"]"#),
        Some(4)
    );
    assert_eq!(of(r#"{"Name":"UniH1"}"#), None);
    assert_eq!(of(r#"[{"Name":"UniH1"}]"#), Some(1));
    for unknown in [r#""UniX1""#, "2", r#"{"Guid":"UniH1"}"#, r#"["UniH1"]"#] {
        assert_eq!(of(&format!("[{POLICIES},{unknown}]")), None, "{unknown}");
    }
    assert_eq!(of("2"), None);
}
