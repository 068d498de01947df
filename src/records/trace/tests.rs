use proptest::prelude::*;

use super::*;

fn own(removes_foreign_results: bool) -> Vec<OwnHost> {
    ["mail.clinic.example", "store.clinic.example"]
        .map(|name| OwnHost { name: name.parse().unwrap(), removes_foreign_results })
        .to_vec()
}

fn read(header: &str) -> Option<Arrival> {
    read_with(header, &own(false))
}

fn read_with(header: &str, own: &[OwnHost]) -> Option<Arrival> {
    arrival(header.lines().map(|line| line.split_once(": ").unwrap()), own)
}

fn tls(version: &'static str, cipher: &str) -> Carried {
    Carried::Tls { version: Some(version), cipher: Some(cipher.to_owned()) }
}

const POSTFIX: &str = "Received: from mx.lab.example (mx.lab.example [192.0.2.7]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519) (No client certificate requested) by mail.clinic.example (Postfix) with ESMTPS id 4Z for <desk@clinic.example>; Thu, 1 Oct 2026 10:00:00 +0000";

#[test]
fn postfix_exim_sendmail_and_exchange_are_read() {
    let arrival = read(POSTFIX).unwrap();
    assert_eq!(arrival.carried, tls("TLS 1.3", "TLS_AES_256_GCM_SHA384"));
    assert_eq!(arrival.from_host.unwrap().as_str(), "mx.lab.example");
    let exim = "Received: from mx.lab.example ([192.0.2.7] helo=x) by mail.clinic.example with esmtps (TLS1.2) tls TLS_ECDHE (Exim 4.96) id 1; Thu";
    let arrival = read(exim).unwrap();
    assert_eq!(arrival.carried, Carried::Tls { version: Some("TLS 1.2"), cipher: None });
    assert_eq!(arrival.from_host.unwrap().as_str(), "mx.lab.example");
    let sendmail = "Received: from mx.lab.example (mx.lab.example [192.0.2.7]) by mail.clinic.example (8.17.1/8.17.1) with ESMTPS id 1 (version=TLSv1.2 cipher=ECDHE-RSA-AES256-GCM-SHA384 bits=256 verify=NO); Thu";
    assert_eq!(read(sendmail).unwrap().carried, tls("TLS 1.2", "ECDHE-RSA-AES256-GCM-SHA384"));
    let exchange = "Received: from mx.lab.example (192.0.2.7) by mail.clinic.example (10.0.0.5) with Microsoft SMTP Server (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.2; Thu";
    let arrival = read(exchange).unwrap();
    assert_eq!(arrival.carried, tls("TLS 1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"));
    assert_eq!(arrival.from_host, None);
    let silent =
        "Received: from mx.lab.example (192.0.2.7) by mail.clinic.example with Microsoft SMTP Server id 15.2; Thu";
    assert_eq!(read(silent).unwrap().carried, Carried::NotTold);
    let clear = "Received: from mx.lab.example (mx.lab.example [192.0.2.7]) by mail.clinic.example (Postfix) with ESMTP id 1; Thu";
    assert_eq!(read(clear).unwrap().carried, Carried::Clear);
}

#[test]
fn a_field_that_a_stranger_could_have_written_proves_nothing() {
    // The top field is not ours: what lies below may be anybody's.
    let relay = "Received: from a (a [192.0.2.1]) by elsewhere.example (Postfix) with ESMTPS id 1; Thu";
    assert_eq!(read(&format!("{relay}\n{POSTFIX}")), None);
    assert_eq!(read("Subject: x"), None);
    // He writes a field in our name below the one of our host.
    let clear =
        "Received: from relay.example (unknown [203.0.113.9]) by mail.clinic.example (Postfix) with ESMTP id 1; Thu";
    assert_eq!(read(&format!("{clear}\n{POSTFIX}")).unwrap().carried, Carried::Clear);
    // He says in EHLO what a clause would say.
    let clauses = "Received: from x by mail.clinic.example with ESMTPS (x [203.0.113.9]) by mail.clinic.example (Postfix) with ESMTP id 1; Thu";
    assert_eq!(read(clauses), None);
    // Nor in the address he gives as the sender's, whose quoted part may hold whole clauses.
    for sender in ["version=TLSv1.3 ", ") (TLS1.3) (", "a by mail.clinic.example with ESMTPS"] {
        let sender = format!(
            "Received: from x (unknown [203.0.113.9]) by mail.clinic.example with esmtp (Exim 4.96) (envelope-from <\"{sender}\"@x.example>) id 1; Thu"
        );
        assert_eq!(read(&sender), None, "{sender}");
    }
    // A version beside a protocol in clear is a contradiction.
    let both =
        "Received: from x (unknown [203.0.113.9]) by mail.clinic.example (Postfix) with ESMTP (TLS1.3) id 1; Thu";
    assert_eq!(read(both).unwrap().carried, Carried::NotTold);
    let comment =
        "Received: from x (using TLSv1.3 with cipher X [203.0.113.9]) by mail.clinic.example with HTTP id 1; Thu";
    // Nor is a protocol without S believed to be TLS for a word of the other side's.
    assert_ne!(read(&comment.replace("using", "version=TLSv1.3")).unwrap().carried, tls("TLS 1.3", "X"));
}

#[test]
fn hand_over_among_own_hosts_leads_on_to_the_hop_from_outside() {
    let inside = "Received: from mail.clinic.example (mail.clinic.example [10.0.0.5]) by store.clinic.example (Postfix) with ESMTP id 1; Thu\nReceived: from localhost (localhost [127.0.0.1]) by mail.clinic.example (Postfix) with ESMTP id 2; Thu";
    assert_eq!(read(&format!("{inside}\n{POSTFIX}")).unwrap().carried, tls("TLS 1.3", "TLS_AES_256_GCM_SHA384"));
    // Inside only: it never came from outside. Nor did what was written on the machine itself.
    assert_eq!(read(inside), None);
    let local = "Received: by mail.clinic.example (Postfix, from userid 99) id 3; Thu";
    assert_eq!(read(&format!("{local}\n{POSTFIX}")), None);
}

#[test]
fn an_address_counts_only_where_the_software_puts_it() {
    // Words of EHLO and of IDENT, beside the address that the software saw.
    for (from, by) in [
        ("[203.0.113.9] (helo=[127.0.0.1])", "mail.clinic.example with esmtp (Exim 4.96)"),
        ("[127.0.0.1] ([203.0.113.9] helo=[127.0.0.1])", "mail.clinic.example with esmtp (Exim 4.96)"),
        ("x (x [127.0.0.1] y@home.example [203.0.113.9])", "mail.clinic.example (8.17.1/8.17.1) with ESMTP"),
        ("x (mail.clinic.example [1]@home.example [203.0.113.9])", "mail.clinic.example (8.17.1/8.17.1) with ESMTP"),
        ("localhost ([127.0.0.1])", "mail.clinic.example with ESMTP"),
    ] {
        assert_eq!(read(&format!("Received: from {from} by {by} id 1; Thu\n{POSTFIX}")), None, "{from}");
    }
    for (from, by) in [
        ("x ([127.0.0.1])", "mail.clinic.example (Postfix) with ESMTP"),
        ("x (localhost [IPv6:::1])", "mail.clinic.example (8.17.1/8.17.1) with ESMTP"),
        ("localhost ([127.0.0.1] helo=x)", "mail.clinic.example with esmtp (Exim 4.96)"),
    ] {
        let read = read(&format!("Received: from {from} by {by} id 1; Thu\n{POSTFIX}"));
        assert_eq!(read.unwrap().from_host.unwrap().as_str(), "mx.lab.example", "{from}");
    }
}

#[test]
fn somebody_who_may_be_an_own_host_and_is_not_confirmed_ends_the_trace() {
    for (from, by) in [
        ("mail.clinic.example (unknown [203.0.113.9])", "mail.clinic.example (Postfix) with ESMTP"),
        (
            "mail.clinic.example (mail.clinic.example [203.0.113.9] (may be forged))",
            "mail.clinic.example (8.17.1/8.17.1) with ESMTP",
        ),
        ("x (store.clinic.example [203.0.113.9] (may be forged))", "mail.clinic.example (8.17.1/8.17.1) with ESMTP"),
        ("relay (unknown [10.0.0.7])", "mail.clinic.example (Postfix) with ESMTPS"),
        ("relay (unknown [IPv6:fd00::7])", "mail.clinic.example (Postfix) with ESMTPS"),
        ("[192.168.1.7] (helo=relay)", "mail.clinic.example with esmtps (TLS1.3) (Exim 4.96)"),
        ("relay (10.0.0.7)", "mail.clinic.example with Microsoft SMTP Server (version=TLS1_2)"),
    ] {
        assert_eq!(read(&format!("Received: from {from} by {by} id 1; Thu\n{POSTFIX}")), None, "{from}");
    }
}

#[test]
fn a_quoted_value_is_one_value() {
    let results = |said: &str| {
        let field = format!("Authentication-Results: mail.clinic.example; {said}");
        let results = read(&format!("{field}\n{POSTFIX}")).unwrap().results;
        results.into_iter().map(|one| (one.method, one.result)).collect::<Vec<_>>()
    };
    let forged = "; spf=pass smtp.mailfrom=x@lab.example; ";
    assert_eq!(
        results(&format!("dkim=fail reason=\"{forged}\" header.b=\"a\\\"b\" header.d=lab.example")),
        [(Method::Dkim, "fail")]
    );
    assert_eq!(results(&format!("spf=fail smtp.mailfrom=\"{forged}\"@x.example")), [(Method::Spf, "fail")]);
    // What was put between quotation marks, or into a comment, as it came.
    for said in [
        format!("spf=fail smtp.mailfrom=\"\"{forged}\"@x.example\""),
        format!("spf=fail smtp.mailfrom=\"\"{forged}a=\"\"@x.example\""),
        format!("spf=fail (domain of \"){forged}(\"@x.example) smtp.mailfrom=x.example"),
        format!("spf=fail smtp.mailfrom=\"{forged}"),
    ] {
        assert_eq!(results(&said), [], "{said}");
    }
}

#[test]
fn results_are_believed_above_the_field_of_the_host_and_below_only_where_foreign_ones_are_removed() {
    let result = "Authentication-Results: mail.clinic.example; dmarc=pass (p=reject) header.from=lab.example; dkim=pass header.d=lab.example header.s=s1; spf=softfail smtp.mailfrom=bounce@lab.example";
    let named = |arrival: Arrival| arrival.results.into_iter().map(|one| (one.method, one.result)).collect::<Vec<_>>();
    let all = [(Method::Dkim, "pass"), (Method::Dmarc, "pass"), (Method::Spf, "softfail")];
    assert_eq!(named(read(&format!("{result}\n{POSTFIX}")).unwrap()), all);
    let below = format!("{POSTFIX}\n{result}");
    assert_eq!(named(read(&below).unwrap()), []);
    assert_eq!(named(read_with(&below, &own(true)).unwrap()), all);
    let further = format!("{POSTFIX}\nReceived: from a by b with SMTP id 1; Thu\n{result}");
    assert_eq!(named(read_with(&further, &own(true)).unwrap()), []);
    let foreign = result.replace("mail.clinic.example", "lab.example");
    assert_eq!(named(read(&format!("{foreign}\n{POSTFIX}")).unwrap()), []);
}

proptest! {
    #[test]
    fn any_text_ends(value in "\\PC{0,300}", other in "[a-z()\\[\\]; .=]{0,200}") {
        let fields = [("Received", value.as_str()), ("Authentication-Results", &other), ("Received", &other)];
        let _ = arrival(fields.into_iter(), &own(true));
    }
}
