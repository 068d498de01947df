use super::super::exported::tests::{World, context, declared};
use super::*;

fn leaky(without: &[&str]) -> World {
    World::new(Some(declared("clinic.example"))).fixture("leaky-clinic", without)
}

fn tenant(world: &World, taken: &[&str]) -> Tenant {
    let evidence = world.evidence(taken);
    build(context(&evidence)).subjects.into_iter().find(|tenant| tenant.name == "microsoft365").unwrap()
}

#[test]
fn settings_are_read_from_their_exports() {
    let tenant = tenant(&leaky(&[]), &[]);
    assert_eq!(tenant.external_auto_forwarding.seen, Seen::Present("automatic".to_owned()));
    assert_eq!(tenant.mailbox_auditing.seen, Seen::Present(true));
    assert_eq!(tenant.unified_audit_log.seen, Seen::Present(true));
    assert_eq!(tenant.security_defaults.seen, Seen::Present(false));
    assert_eq!(tenant.default_remote_domain_forwards.seen, Seen::Present(true));
    assert_eq!(tenant.forwarding_remote_domains.seen, Seen::Present(vec!["billing.example".to_owned()]));
    assert!(matches!(tenant.mfa_policy.seen, Seen::Unknown(NotObserved::NotProvided { .. })));
}

#[test]
fn the_worst_of_several_policies_counts_and_a_number_is_no_word() {
    let modes = |text: &str| {
        tenant(&leaky(&["outbound-spam.csv"]).file("o.csv", text.as_bytes()), &[]).external_auto_forwarding.seen
    };
    assert_eq!(modes("Name,AutoForwardingMode\na,Off\nb,On\n"), Seen::Present("on".to_owned()));
    assert_eq!(modes("Name,AutoForwardingMode\na,Off\nb,Off\n"), Seen::Present("off".to_owned()));
    assert!(matches!(modes("Name,AutoForwardingMode\na,Off\nb,1\n"), Seen::Unknown(_)));
    // A policy that is not here may be milder.
    let of_two = |mode: &str| {
        let policies = format!("Name,AutoForwardingMode\na,{mode}\n");
        let world = leaky(&["outbound-spam.csv"]).file("o.csv", policies.as_bytes());
        let listed = br#"{"what":"outbound-spam","subject":"*","ok":true,"rows":2}"#;
        tenant(&world.file("coverage.jsonl", listed), &[]).external_auto_forwarding.seen
    };
    assert!(matches!(of_two("Off"), Seen::Unknown(_)));
    assert_eq!(of_two("On"), Seen::Present("on".to_owned()));
}

#[test]
fn a_remote_domain_that_is_not_here_may_let_mail_go() {
    let said = |text: &str, rows: u32| {
        let listed = format!(r#"{{"what":"remote-domains","subject":"*","ok":true,"rows":{rows}}}"#);
        let world = leaky(&["remote-domains.csv"]).file("r.csv", text.as_bytes());
        let tenant = tenant(&world.file("coverage.jsonl", listed.as_bytes()), &[]);
        (tenant.default_remote_domain_forwards.seen, tenant.forwarding_remote_domains.seen)
    };
    let closed = "Name,DomainName,AutoForwardEnabled\nDefault,*,False\nlab,lab.example,False\n";
    assert_eq!(said(closed, 2), (Seen::Present(false), Seen::Present(Vec::new())));
    assert!(matches!(said(closed, 3), (Seen::Unknown(_), Seen::Unknown(_))));
    let open = closed.replace("False", "True");
    assert_eq!(said(&open, 3), (Seen::Present(true), Seen::Present(vec!["lab.example".to_owned()])));
}

#[test]
fn administrators_without_a_mailbox_count() {
    let tenant = tenant(&leaky(&[]), &[]);
    assert_eq!(tenant.other_administrators_without_mfa.seen, Seen::Present(vec!["admin@clinic.example".to_owned()]));
}

#[test]
fn a_segment_taken_away_leaves_nothing_known_of_it() {
    let tenant = tenant(&leaky(&[]), &["export.tenant"]);
    for seen in [&tenant.mailbox_auditing, &tenant.unified_audit_log, &tenant.security_defaults] {
        assert!(matches!(seen.seen, Seen::Unknown(_)));
    }
    assert!(matches!(tenant.mfa_policy.seen, Seen::Unknown(_)));
}

#[test]
fn programs_leak_policies_and_the_widest_access_are_told() {
    let with =
        |without: &[&str]| tenant(&World::new(Some(declared("clinic.example"))).fixture("rights-clinic", without), &[]);
    let all = with(&[]);
    assert_eq!(all.programs_with_all_mail.seen, Seen::Present(vec!["0a1b2c3d-0000-4000-8000-000000000001".to_owned()]));
    assert_eq!(all.leak_policy.seen, Seen::Present("testing".to_owned()));
    assert_eq!(all.widest_full_access.seen, Seen::Present(1));
    let less = with(&["app-grants.json", "dlp-policies.csv", "mailbox-permissions.csv"]);
    assert!(matches!(less.programs_with_all_mail.seen, Seen::Unknown(_)));
    assert!(matches!(less.leak_policy.seen, Seen::Unknown(_)));
    assert!(matches!(less.widest_full_access.seen, Seen::Unknown(_)));
}

fn clinic(without: &[&str]) -> Tenant {
    tenant(&World::new(Some(declared("clinic.example"))).fixture("set-up-clinic", without), &[])
}

#[test]
fn how_a_tenant_is_set_up_is_told_by_its_settings() {
    let all = clinic(&[]);
    for (fact, expected) in [
        (&all.modern_authentication, true),
        (&all.direct_send_refused, false),
        (&all.retention_suspended, false),
        (&all.external_recipient_tip, false),
        (&all.first_contact_tip, false),
        (&all.spoof_protection, true),
        (&all.dmarc_honored, true),
        (&all.old_tls_clients, false),
        (&all.mail_encryption, true),
        (&all.smtp_auth, true),
    ] {
        assert_eq!(fact.seen, Seen::Present(expected));
    }
    for (fact, expected) in [
        (&all.user_consent, "any"),
        (&all.forwarding_alert, "off"),
        (&all.encrypting_rules, "off"),
        (&all.legacy_authentication, "with-exceptions"),
        (&all.mfa_policy, "none"),
    ] {
        assert_eq!(fact.seen, Seen::Present(expected.to_owned()));
    }
    for (fact, expected) in [
        (&all.session_hours, 6),
        (&all.mfa_policies_on_trial, 1),
        (&all.hidden_rules, 1),
        (&all.registration_age_days, 92),
    ] {
        assert_eq!(fact.seen, Seen::Present(expected));
    }
    assert_eq!(all.mobile_policy_gaps.seen.present().map(Vec::len), Some(3));
    assert_eq!(
        all.calendar_details_open_to.seen,
        Seen::Present(vec!["anybody without signing in".to_owned(), "every domain".to_owned()])
    );
}

#[test]
fn a_report_of_registrations_is_as_old_as_its_newest_row_and_the_oldest_report_counts() {
    let row = |id: &str, day: &str| {
        format!(
            r#"{{"id":"{id}","userPrincipalName":"{id}@clinic.example","isMfaCapable":true,"isMfaRegistered":true,"lastUpdatedDateTime":"{day}T00:00:00Z"}}"#
        )
    };
    let of = |files: &[&[(&str, &str)]]| {
        let mut world =
            World::new(Some(declared("clinic.example"))).fixture("set-up-clinic", &["mfa-registration.json"]);
        for (number, rows) in files.iter().enumerate() {
            let rows: Vec<String> = rows.iter().map(|(id, day)| row(id, day)).collect();
            world = world.file(&format!("r{number}.json"), format!("[{}]", rows.join(",")).as_bytes());
        }
        tenant(&world, &[]).registration_age_days.seen
    };
    let new: &[_] = &[("ana", "2025-01-01"), ("ben", "2026-09-30")];
    assert_eq!(of(&[new]), Seen::Present(1), "ana changed nothing since");
    assert_eq!(of(&[new, &[("cleo", "2026-09-01")]]), Seen::Present(30));
}

#[test]
fn what_a_list_does_not_say_is_known_from_the_whole_list_alone() {
    let less = clinic(&[
        "alert-policies.json",
        "anti-phishing.csv",
        "conditional-access.json",
        "inbox-rules.json",
        "mobile-policies.csv",
        "organization.csv",
        "security-defaults.json",
        "sharing-policies.csv",
        "transport-rules.csv",
    ]);
    for unknown in [
        less.forwarding_alert.seen.present().is_none(),
        less.spoof_protection.seen.present().is_none(),
        less.legacy_authentication.seen.present().is_none(),
        less.mfa_policies_on_trial.seen.present().is_none(),
        less.hidden_rules.seen.present().is_none(),
        less.mobile_policy_gaps.seen.present().is_none(),
        less.modern_authentication.seen.present().is_none(),
        less.session_hours.seen.present().is_none(),
        less.calendar_details_open_to.seen.present().is_none(),
        less.encrypting_rules.seen.present().is_none(),
    ] {
        assert!(unknown);
    }
    // A list of which a part could not be read says nothing good.
    let cut = World::new(Some(declared("clinic.example"))).fixture("set-up-clinic", &["anti-phishing.csv"]).file(
        "a.json",
        br#"[{"Name":"a","PhishThresholdLevel":1,"EnableSpoofIntelligence":true,"EnableFirstContactSafetyTips":false},{"Name":"#,
    );
    let cut = tenant(&cut, &[]);
    assert!(cut.spoof_protection.seen.present().is_none());
    assert_eq!(cut.first_contact_tip.seen, Seen::Present(false), "one policy without is enough");
}

#[test]
fn the_policies_of_google_say_what_they_state() {
    let world = World::new(Some(declared("practice.example"))).fixture("policy-api", &[]);
    let evidence = world.evidence(&[]);
    let built = build(context(&evidence));
    let tenant = built.subjects.iter().find(|tenant| tenant.name == "google-workspace").unwrap();
    assert_eq!(tenant.less_secure_apps.seen, Seen::Present(true));
    assert_eq!(tenant.units_with_auto_forwarding.seen, Seen::Present(1));
    assert_eq!(tenant.outside_sending_servers.seen, Seen::Present(false));
    assert_eq!(tenant.mail_delegation.seen, Seen::Present(true));
    assert_eq!(tenant.imap_pop_by_policy.seen, Seen::Present(vec!["imap".to_owned()]));
    assert_eq!(tenant.second_factor_policy.seen, Seen::Present("later".to_owned()));
    assert_eq!(tenant.second_factor_grace_days.seen, Seen::Present(7));
    assert_eq!(tenant.session_hours.seen, Seen::Present(336));
    assert_eq!((&tenant.password_length.seen, &tenant.password_reuse.seen), (&Seen::Present(12), &Seen::Present(true)));
    assert_eq!(tenant.password_expires_days.seen, Seen::Present(90));
    assert_eq!(tenant.services_outside_agreement.seen, Seen::Present(vec!["youtube".to_owned()]));
}

/// What a collector says of the permissions that programs hold without a user.
const ROLES_ASKED: &[u8] = br#"{"what":"app-roles","subject":"*","ok":true,"rows":1,"why":""}"#;

#[test]
fn a_program_that_needs_no_user_reaches_the_mail_of_everybody() {
    let with = |role: &str, resource: &str, record: &[u8]| {
        let roles = format!(
            r#"[{{"principalId":"0a1b2c3d-0000-4000-8000-000000000009","appRoleId":"{role}","resourceId":"r","resourceDisplayName":"{resource}"}}]"#
        );
        let grants = br#"[{"clientId":"0a1b2c3d-0000-4000-8000-000000000002","consentType":"AllPrincipals","scope":"User.Read"}]"#;
        let world = World::new(Some(declared("clinic.example"))).file("g.json", grants);
        let world = world.file("r.json", roles.as_bytes()).file("coverage.jsonl", record);
        tenant(&world, &[]).programs_with_all_mail.seen
    };
    let of = |role: &str, resource: &str| with(role, resource, ROLES_ASKED);
    let found = Seen::Present(vec!["0a1b2c3d-0000-4000-8000-000000000009".to_owned()]);
    assert_eq!(of("E2A3A72E-5f79-4c64-b1b1-878b674786c9", "Microsoft Graph"), found);
    assert_eq!(of("dc890d15-9560-4a4c-9b7f-a736ec74ec40", "Office 365 Exchange Online"), found);
    for mailbox_item in ["76577085-e73d-4f1d-b26a-85fb33892327", "937550e9-33a3-494b-88ae-d9cd394b1fbb"] {
        assert_eq!(of(mailbox_item, "Microsoft Graph"), found, "{mailbox_item}");
    }
    assert_eq!(of("df021288-bdef-4463-88db-98f22de89214", "Microsoft Graph"), Seen::Present(Vec::new()));
    assert_eq!(of("00000000-0000-0000-0000-000000000000", "Office 365 Management APIs"), Seen::Present(Vec::new()));
    for service in ["Office 365 Exchange Online", "Microsoft Graph"] {
        assert!(of("00000000-0000-0000-0000-000000000000", service).present().is_none(), "{service}");
    }
    let over_both = World::new(Some(declared("clinic.example")))
        .file("g.json", br#"[{"clientId":"0a1b2c3d-0000-4000-8000-000000000002","consentType":"AllPrincipals","scope":"User.Read"}]"#)
        .file("r.json", br#"[{"principalId":"p","appRoleId":"df021288-bdef-4463-88db-98f22de89214","resourceId":"r","resourceDisplayName":"Microsoft Graph"},{"principalId":"p","appRoleId":"40f97065-369a-49f4-947c-6a255697ae91","resourceId":"s","resourceDisplayName":"Office 365 Exchange Online"}]"#);
    assert!(tenant(&over_both, &[]).programs_with_all_mail.seen.present().is_none(), "of one program, perhaps");
    // Microsoft Graph's half alone does not show what programs hold over Exchange Online.
    let half = with("df021288-bdef-4463-88db-98f22de89214", "Microsoft Graph", b"");
    assert!(matches!(half, Seen::Unknown(NotObserved::NotProvided { .. })), "{half:?}");
    assert!(rights(&["app-roles.json"]).programs_unverified.seen.present().is_some(), "one is enough");
}

fn rights(without: &[&str]) -> Tenant {
    tenant(&World::new(Some(declared("clinic.example"))).fixture("rights-clinic", without), &[])
}

#[test]
fn policies_that_do_nothing_are_counted_and_their_list_has_to_be_whole() {
    let whole = rights(&[]);
    assert_eq!(
        (&whole.leak_policies_on_trial.seen, &whole.retention_policies_idle.seen),
        (&Seen::Present(1), &Seen::Present(1))
    );
    let less = rights(&["dlp-policies.csv", "retention-compliance.csv"]);
    assert!(
        less.leak_policies_on_trial.seen.present().is_none() && less.retention_policies_idle.seen.present().is_none()
    );
    let retention = |rows: &str| {
        let world = World::new(Some(declared("clinic.example")));
        let header = "Name,Mode,Workload,ExchangeLocation,AdaptiveScopeLocation,Enabled,DistributionStatus,RetentionRuleTypes,Applications\n";
        let tenant = tenant(&world.file("r.csv", format!("{header}{rows}").as_bytes()), &[]);
        let of = |fact: Fact<i64>| fact.seen.present().copied();
        (of(tenant.retention_policies_in_force), of(tenant.retention_policies_idle))
    };
    const ALL: &str = "\"Exchange, SharePoint, OneDriveForBusiness, Skype, ModernGroup\"";
    for (row, found) in [
        (format!("a,Enforce,{ALL},All,,True,Success,Keep,\n"), (Some(1), Some(0))),
        (
            format!("a,Enforce,{ALL},,Staff,True,Success,Keep,\"User:Exchange,User:OneDriveForBusiness\"\n"),
            (Some(1), Some(0)),
        ),
        // An adaptive scope may be one of sites.
        (format!("a,Enforce,{ALL},,All project sites,True,Success,Keep,\n"), (None, None)),
        (format!("a,Enforce,{ALL},,Staff,True,Success,Keep,User:OneDriveForBusiness\n"), (None, None)),
        (format!("a,Enforce,{ALL},All,Staff,True,Success,Keep,\n"), (Some(1), Some(0))),
        // `Workload` names every service, whatever the policy is for.
        (format!("a,Enforce,{ALL},,,True,Success,Keep,\n"), (Some(0), Some(0))),
        (format!("a,Test,{ALL},All,,True,Success,Keep,\n"), (Some(0), Some(1))),
        (format!("a,Enforce,{ALL},All,,True,Pending,Keep,\n"), (Some(0), Some(1))),
        (format!("a,Enforce,{ALL},All,,True,,Keep,\n"), (None, None)),
        (format!("a,Enforce,{ALL},All,,,Success,Keep,\n"), (None, None)),
    ] {
        assert_eq!(retention(&row), found, "{row}");
    }
    let listed = br#"[{"Name":"a","Mode":"Enforce","Workload":"Exchange","ExchangeLocation":[],"AdaptiveScopeLocation":[{"Name":"Staff"}],"Enabled":true,"DistributionStatus":"Success","RetentionRuleTypes":[],"Applications":["User:Exchange","User:OneDriveForBusiness"]}]"#;
    let listed = tenant(&World::new(Some(declared("clinic.example"))).file("r.json", listed), &[]);
    assert_eq!(listed.retention_policies_in_force.seen, Seen::Present(1), "services in a list");
    // A policy that keeps mail looks for no leak.
    assert!(rights(&["dlp-policies.csv"]).leak_policy.seen.present().is_none());
}

#[test]
fn a_program_that_reaches_mail_is_verified_only_where_the_list_of_programs_says_so() {
    let unverified = |tenant: Tenant| tenant.programs_unverified.seen;
    assert_eq!(unverified(rights(&[])), Seen::Present(vec!["0a1b2c3d-0000-4000-8000-000000000001".to_owned()]));
    assert!(unverified(rights(&["service-principals.json"])).present().is_none());
    let of = |publisher: &str| {
        let text = format!(
            r#"[{{"id":"0a1b2c3d-0000-4000-8000-000000000001","appId":"b1","verifiedPublisher":{publisher}}}]"#
        );
        let world = World::new(Some(declared("clinic.example"))).fixture("rights-clinic", &["service-principals.json"]);
        let world = world.file("s.json", text.as_bytes());
        (unverified(tenant(&world, &[])), unverified(tenant(&world.file("coverage.jsonl", ROLES_ASKED), &[])))
    };
    let (half, whole) = of(r#"{"verifiedPublisherId":"7"}"#);
    assert_eq!(whole, Seen::Present(Vec::new()));
    assert!(half.present().is_none(), "the list of what programs hold over Exchange Online is not here");
    assert!(of(r#""@{verifiedPublisherId=7}""#).1.present().is_none(), "cut by the exporter");
}

#[test]
fn an_own_server_takes_no_passwords_in_clear_only_where_both_programs_say_so() {
    const DOVECOT: &str = "# 2.3.21: x\nauth_mechanisms = plain\nprotocols = imap\n";
    const POSTFIX: &str = "myhostname = mx.surgery.example\nmydestination = localhost\n";
    let clear = |dovecot: &str, postfix: Option<&str>| {
        let mut world = World::new(Some(declared("surgery.example")));
        world = world.file("doveconf-n.txt", format!("{DOVECOT}{dovecot}").as_bytes());
        if let Some(postfix) = postfix {
            world = world.file("postconf-n.txt", format!("{POSTFIX}{postfix}").as_bytes());
        }
        let evidence = world.evidence(&[]);
        let built = build(context(&evidence));
        built.subjects.iter().find(|tenant| tenant.name == "self-hosted").unwrap().clear_passwords.seen.clone()
    };
    assert_eq!(clear("disable_plaintext_auth = no\n", None), Seen::Present(true));
    assert_eq!(clear("", Some("smtpd_sasl_auth_enable = yes\n")), Seen::Present(true));
    assert_eq!(clear("", Some("smtpd_tls_auth_only = yes\n# postconf -P\n")), Seen::Present(false));
    for without_services in ["", "smtpd_tls_auth_only = yes\n"] {
        assert!(clear("", Some(without_services)).present().is_none(), "a service of Postfix may take them");
    }
    assert!(clear("", None).present().is_none());
}

#[test]
fn a_server_in_doubt_beside_one_that_takes_no_passwords_in_clear_is_not_passed_over() {
    const OF_BOTH: &str = "myhostname = mx.surgery.example\nmydestination = localhost\nsmtpd_sasl_auth_enable = yes\n";
    let clear = |other: &str, reader: u32| {
        let world = World::new(Some(declared("surgery.example")))
            .file("doveconf-n.txt", b"# 2.3.21: x\nauth_mechanisms = plain\nprotocols = imap\n")
            .file("postconf-n.txt", format!("{OF_BOTH}smtpd_tls_auth_only = yes\n# postconf -P\n").as_bytes())
            .file("postconf-n-2.txt", format!("{OF_BOTH}{other}").as_bytes());
        let evidence = world.read_by(reader).evidence(&[]);
        let built = build(context(&evidence));
        built.subjects.iter().find(|tenant| tenant.name == "self-hosted").unwrap().clear_passwords.seen.clone()
    };
    const EXCEPTED: &str = "# postconf -P\nsmtp/inet/smtpd_sasl_auth_enable = no\n";
    assert!(matches!(clear(EXCEPTED, 10), Seen::Unknown(NotObserved::Unreadable { .. })));
    assert!(clear("smtpd_tls_auth_only = yes\n", 10).present().is_none(), "its services are not told");
    assert_eq!(clear("smtpd_tls_auth_only = yes\n# postconf -P\n", 10), Seen::Present(false));
    assert_eq!(clear("# postconf -P\n", 10), Seen::Present(true));
    assert!(clear("# postconf -P\n", 9).present().is_none(), "an older version read it in another way");
}

#[test]
fn imap_and_pop_are_closed_where_an_export_says_so_of_every_mailbox() {
    let open = |rows: &str| {
        let world = World::new(Some(declared("clinic.example")))
            .file("m.csv", b"PrimarySmtpAddress,ForwardingSmtpAddress\na@clinic.example,\nb@clinic.example,\n");
        let cas = format!("PrimarySmtpAddress,PopEnabled,ImapEnabled\n{rows}");
        tenant(&world.file("c.csv", cas.as_bytes()), &[]).imap_pop_perhaps_open.seen
    };
    assert_eq!(open("a@clinic.example,False,False\nb@clinic.example,False,False\n"), Seen::Present(0));
    assert_eq!(open("a@clinic.example,False,False\nb@clinic.example,False,True\n"), Seen::Present(1));
    assert_eq!(open("a@clinic.example,False,False\n"), Seen::Present(1));
}

#[test]
fn an_empty_list_of_rules_is_told_from_one_that_nobody_gave() {
    let said = |rules: Option<&str>| {
        let mut world = World::new(Some(declared("clinic.example"))).file(
            "m.csv",
            b"PrimarySmtpAddress,Alias,ForwardingSmtpAddress\na@clinic.example,ana,\nb@clinic.example,ben,\n",
        );
        if let Some(rules) = rules {
            world = world.file("r.csv", rules.as_bytes());
        }
        let of = |world: &World| {
            let tenant = tenant(world, &[]);
            (tenant.mailboxes_listed.seen, tenant.mailboxes_with_rules.seen)
        };
        let found = of(&world);
        const LONGER: &[u8] = br#"{"what":"inbox-rules","subject":"*","ok":true,"rows":9,"why":""}"#;
        let cut = of(&world.file("coverage.jsonl", LONGER)).1;
        assert!(cut.present().is_none(), "the collector wrote more than is here");
        found
    };
    const HEADER: &str = "MailboxOwnerId,RuleIdentity,Name,Enabled,ForwardTo,RedirectTo,SupportedByTask\n";
    assert_eq!(said(Some(HEADER)), (Seen::Present(2), Seen::Present(0)));
    let one = "a@clinic.example,1,x,True,,,True\na@clinic.example,2,y,True,b@clinic.example,,True\n";
    assert_eq!(said(Some(&format!("{HEADER}{one}"))).1, Seen::Present(1), "of one mailbox");
    let two = format!("{HEADER}{one}b@clinic.example,3,z,True,,,True\n");
    assert_eq!(said(Some(&two)).1, Seen::Present(2));
    let nobody = format!("{HEADER}{one}stranger,3,z,True,,,True\n");
    assert_eq!(said(Some(&nobody)).1, Seen::Present(1), "a rule of which nobody tells whose it is");
    let alias = format!("{HEADER}{one}ana,3,z,True,,,True\n");
    assert_eq!(said(Some(&alias)).1, Seen::Present(1), "the same mailbox under another name");
    assert!(said(None).1.present().is_none());
}
