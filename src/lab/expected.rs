//! What an examination of the clinic must find, by quarter: weak points, strong points, and what
//! cannot be told. The checks are named by id, the subjects by name.

use super::clinic::Quarter;

/// What a check must conclude of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conclusion {
    Fail,
    NeedsReview,
    NotAssessed,
    Pass,
}

/// One thing that was planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Planted {
    /// The check's id.
    pub check: &'static str,
    /// The subject's name; one that ends in `/` stands for a name that goes on with a keyed
    /// reference.
    pub subject: &'static str,
    pub conclusion: Conclusion,
}

/// Everything planted in a quarter.
pub fn planted(quarter: Quarter) -> Vec<Planted> {
    let own = match quarter {
        Quarter::Second => SECOND,
        Quarter::Third => THIRD,
    };
    let rows = |conclusion, rows: &'static [(&'static str, &'static [&'static str])]| {
        rows.iter().flat_map(move |&(check, subjects)| {
            subjects.iter().map(move |&subject| Planted { check, subject, conclusion })
        })
    };
    let mut planted: Vec<Planted> = [BOTH, own]
        .into_iter()
        .flat_map(|table| {
            rows(Conclusion::Fail, table.fail)
                .chain(rows(Conclusion::NeedsReview, table.needs_review))
                .chain(rows(Conclusion::NotAssessed, table.not_assessed))
                .chain(rows(Conclusion::Pass, table.pass))
        })
        .collect();
    planted.sort();
    planted
}

/// Checks, each with its subjects.
type Rows = &'static [(&'static str, &'static [&'static str])];

#[derive(Clone, Copy)]
struct Table {
    fail: Rows,
    needs_review: Rows,
    not_assessed: Rows,
    pass: Rows,
}

const CLINIC: &str = "clinic.example";
const PARKED: &str = "maplestreet.example";
const IMAP_STARTTLS: &str = "imap.clinic.example:143";
const IMAP_TLS: &str = "imap.clinic.example:993";
const OLD_SUBMISSION: &str = "smtp.clinic.example:587";
const FRONT_DESK_INBOX: &str = "front-desk@clinic.example/Inbox";
const SCHEDULING_INBOX: &str = "scheduling@clinic.example/Inbox";

const BOTH: Table = Table {
    fail: &[
        ("spf-within-lookup-limit", &[CLINIC]),
        ("spf-readable", &[CLINIC]),
        ("dkim-keys-strong", &[CLINIC]),
        ("mta-sts-enforced", &[CLINIC]),
        ("vendor-with-content-has-agreement", &["zendesk"]),
        ("agreement-not-expired", &["weave"]),
        ("partner-with-phi-takes-enforced-tls", &["lab.example"]),
        ("mfa-on-every-mailbox", &["ben.cho@clinic.example", "front-desk@clinic.example"]),
        ("mfa-on-every-administrator", &["ben.cho@clinic.example"]),
        ("imap-and-pop-closed", &["billing@clinic.example", "front-desk@clinic.example"]),
        ("no-forwarding-outside", &["billing@clinic.example/"]),
        ("phi-mail-within-stated-limit", &[FRONT_DESK_INBOX, SCHEDULING_INBOX]),
        ("phi-only-in-declared-mailboxes", &[SCHEDULING_INBOX]),
        ("answers-current", &["incident-exercise"]),
        ("agreements-complete", &["agreements-complete"]),
        ("tls-on-every-mail-exchange", &["fallback.clinic.example:25"]),
        ("old-tls-refused", &[OLD_SUBMISSION]),
        ("forward-secrecy-always", &[OLD_SUBMISSION]),
        ("no-64-bit-block-suites", &[OLD_SUBMISSION]),
    ],
    needs_review: &[("seen-vendor-registered", &["mailchimp"])],
    not_assessed: &[
        ("stored-mail-encrypted", &["stored-mail-encryption"]),
        // The scope allows no active probes.
        ("no-injection-before-tls", &["mx1.clinic.example:25"]),
    ],
    pass: &[
        ("dnssec-signed", &[CLINIC, PARKED]),
        ("tls-rpt-requested", &[CLINIC]),
        ("mx-usable", &[CLINIC]),
        ("mta-sts-matches-mx", &[CLINIC]),
        ("dmarc-reports-requested", &[CLINIC]),
        ("dmarc-enforced", &[PARKED]),
        ("unused-domain-locked", &[PARKED]),
        ("unused-mail-intake-closed", &[PARKED]),
        ("vendor-with-content-has-agreement", &["microsoft365"]),
        ("agreement-not-expired", &["microsoft365"]),
        ("agreement-file-kept", &["microsoft365"]),
        ("partner-with-phi-offers-tls", &["lab.example"]),
        (
            "mfa-on-every-mailbox",
            &[
                "ana.ruiz@clinic.example",
                "billing@clinic.example",
                "c.okafor@clinic.example",
                "d.patel@clinic.example",
                "n.lind@clinic.example",
                "scheduling@clinic.example",
            ],
        ),
        ("mfa-on-every-administrator", &["ana.ruiz@clinic.example"]),
        ("mailbox-auditing-on", &["microsoft365"]),
        ("unified-audit-log-on", &["microsoft365"]),
        ("no-forwarding-outside", &["n.lind@clinic.example/"]),
        ("retention-limit-decided", &["Maple Street Clinic"]),
        ("retention-decision-on-file", &["Maple Street Clinic"]),
        ("phi-only-in-declared-mailboxes", &[FRONT_DESK_INBOX]),
        ("training-on-record", &["training"]),
        ("security-official-named", &["security-official"]),
        ("authorization-covers-scope", &["Maple Street Clinic"]),
        ("tls-on-every-mail-exchange", &["mx1.clinic.example:25", "mx2.clinic.example:25"]),
        ("tls-on-every-client-service", &[IMAP_STARTTLS, IMAP_TLS, OLD_SUBMISSION, "portal.clinic.example:443"]),
        ("old-tls-refused", &["mx1.clinic.example:25", IMAP_STARTTLS, IMAP_TLS]),
        ("modern-tls-accepted", &["mx1.clinic.example:25", IMAP_TLS, OLD_SUBMISSION]),
        ("certificate-unexpired", &["mx1.clinic.example:25", IMAP_TLS, OLD_SUBMISSION]),
        ("certificate-trusted-on-mail-exchanges", &["mx1.clinic.example:25"]),
        ("certificate-name-matches-on-mail-exchanges", &["mx1.clinic.example:25"]),
        ("no-passwords-in-clear", &["mx1.clinic.example:25", IMAP_STARTTLS, OLD_SUBMISSION]),
    ],
};

const SECOND: Table = Table {
    fail: &[
        ("dmarc-enforced", &[CLINIC]),
        ("no-forwarding-to-consumer-webmail", &["c.okafor@clinic.example/"]),
        ("external-auto-forwarding-off", &["microsoft365"]),
        ("answers-current", &["access-review"]),
        ("restore-tests-on-record", &["restore-tests"]),
        ("restore-tried", &["restore-test"]),
        ("certificate-unexpired", &["mx2.clinic.example:25"]),
    ],
    needs_review: &[],
    not_assessed: &[],
    pass: &[
        ("partner-with-phi-takes-enforced-tls", &["hospital.example"]),
        ("answers-current", &["activity-review"]),
        ("activity-reviewed", &["activity-review"]),
    ],
};

const THIRD: Table = Table {
    fail: &[
        // Somebody new, and an answer that ran out in between.
        ("mfa-on-every-mailbox", &["t.nguyen@clinic.example"]),
        ("answers-current", &["activity-review"]),
        ("no-passwords-in-clear", &["oldmail.clinic.example:143"]),
        // Made up for, nearly four months after it was due.
        ("restore-tests-on-record", &["restore-tests"]),
        // Somebody of billing left in August, and the account can still be signed in to.
        ("leavers-cleared", &["leavers"]),
        ("accounts-of-leavers-closed", &["microsoft365"]),
        ("vendor-reviews-on-record", &["vendor-reviews"]),
        // Senders told of the mail host without TLS.
        ("reported-sessions-use-tls", &[CLINIC]),
    ],
    // Forged mail, and a service that passed for its own domain only.
    needs_review: &[("reported-mail-passes-dmarc", &[CLINIC])],
    // The partner's name servers were down, and an export was left out.
    not_assessed: &[
        ("partner-with-phi-takes-enforced-tls", &["hospital.example"]),
        ("external-auto-forwarding-off", &["microsoft365"]),
        ("activity-reviewed", &["activity-review"]),
    ],
    pass: &[
        // One misdirected message assessed, one break-in within its sixty days.
        ("incidents-assessed-and-notified-in-time", &["incidents"]),
        ("policies-on-record", &["policies"]),
        ("dmarc-enforced", &[CLINIC]),
        ("answers-current", &["access-review"]),
        ("restore-tried", &["restore-test"]),
        ("certificate-unexpired", &["mx2.clinic.example:25"]),
    ],
};
