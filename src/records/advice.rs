//! What a domain could publish instead: records to paste, made from what is published and what was
//! found wrong with it. It never invents a sender and forbids none: where a term that may have meant
//! a sender cannot be kept, the record ends mildly and says what it still needs, and where nothing
//! would be left the record is left alone.

use sha2::{Digest, Sha256};

use super::dmarc::{self, DmarcVerdict, Policy, PolicyTag};
use super::domain::{DomainRecords, Sending};
use super::mta_sts::{Mode, StsAudit, StsVerdict};
use super::mx::MxVerdict;
use super::spf::{self, Mechanism, Qualifier};
use super::spf_tree::SpfVerdict;
use super::tags;
use super::tls_rpt::TlsRptVerdict;
use super::txt;
use crate::names::DomainName;

/// Longest character-string of a TXT record (RFC 1035 §3.3).
const STRING_BYTES: usize = 255;
/// `max_age` of a policy to paste, where none or a shorter one is published.
const TWO_WEEKS_SECONDS: u64 = 1_209_600;

/// One record, or the file of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Where it belongs: a DNS name, or the policy's URL.
    pub name: String,
    /// `TXT`, or `file`.
    pub kind: &'static str,
    pub value: String,
    /// What differs from what is published, as a clause.
    pub why: String,
}

impl Advice {
    /// A line for a zone file; a file as it is.
    pub fn to_paste(&self) -> String {
        if self.kind != "TXT" {
            return self.value.clone();
        }
        let characters: Vec<char> = self.value.chars().collect();
        let strings: Vec<String> = characters
            .chunks(STRING_BYTES)
            .map(|chunk| chunk.iter().collect::<String>().replace('\\', "\\\\").replace('"', "\\\""))
            .collect();
        format!("{}. IN TXT \"{}\"", self.name, strings.join("\" \""))
    }
}

/// Everything that could be published instead. `sends`: whether the organization says that it sends
/// from the domain, or has not said.
pub fn advise(domain: &DomainName, records: &DomainRecords, sends: bool) -> Vec<Advice> {
    if records.exists != Ok(true) {
        return Vec::new();
    }
    let receives = matches!(records.mx.verdict, MxVerdict::Ok | MxVerdict::Implicit);
    let parked = takes_no_mail(records) && nobody_sends(records, sends);
    let mut all: Vec<Advice> =
        [spf_advice(domain, records, parked), dmarc_advice(domain, records, parked)].into_iter().flatten().collect();
    if receives {
        all.extend(sts_advice(domain, records));
        all.extend(tls_rpt_advice(domain, records));
    }
    all
}

fn takes_no_mail(records: &DomainRecords) -> bool {
    matches!(records.mx.verdict, MxVerdict::Null | MxVerdict::Missing)
}

/// Whether nobody sends from the domain: its SPF record says so, or the organization does and DNS does
/// not speak against it. What could not be found out is no reason to refuse mail.
fn nobody_sends(records: &DomainRecords, sends: bool) -> bool {
    match records.sending {
        Sending::No => true,
        Sending::Unknown => !sends && records.spf.verdict == SpfVerdict::Missing,
        Sending::Yes => false,
    }
}

fn text(name: Option<DomainName>, value: String, why: String) -> Option<Advice> {
    Some(Advice { name: name?.to_string(), kind: "TXT", value, why })
}

fn spf_advice(domain: &DomainName, records: &DomainRecords, parked: bool) -> Option<Advice> {
    let audit = &records.spf;
    match audit.verdict {
        SpfVerdict::Error | SpfVerdict::Pass | SpfVerdict::SoftFail if !audit.notes.iter().any(mends) => None,
        SpfVerdict::Missing if parked => {
            text(Some(domain.clone()), "v=spf1 -all".to_owned(), "nobody sends for this domain".to_owned())
        }
        SpfVerdict::Missing if records.mx.verdict == MxVerdict::Ok => {
            let why = "its mail hosts may send; add the include of every service that sends for it".to_owned();
            text(Some(domain.clone()), "v=spf1 mx ~all".to_owned(), why)
        }
        SpfVerdict::Missing => None,
        SpfVerdict::Error
        | SpfVerdict::Pass
        | SpfVerdict::PassOpen
        | SpfVerdict::PermError
        | SpfVerdict::SoftFail
        | SpfVerdict::Unknown
        | SpfVerdict::Weak => {
            let (value, why) = mended_spf(audit.record.as_deref()?, &audit.leading_nowhere)?;
            text(Some(domain.clone()), value, why)
        }
    }
}

/// Notes of an SPF record that passes and could still be mended.
fn mends(note: &super::note::Note) -> bool {
    matches!(note.code.as_str(), "spf.after_all" | "spf.ptr" | "spf.redirect_ignored")
}

/// The record without what is wrong in it for certain. `None` where nothing of that kind is, and where
/// what is left would refuse the domain's own mail. `leading_nowhere` holds the offsets of terms.
fn mended_spf(record: &str, leading_nowhere: &[usize]) -> Option<(String, String)> {
    let readable = spf::parse(record).is_ok();
    let mut kept: Vec<String> = Vec::new();
    let mut changed: Vec<String> = Vec::new();
    // Terms that may have meant a sender and are not in the new record.
    let mut lost: Vec<String> = Vec::new();
    let mut redirect = None;
    let mut all = None;
    for (at, written) in spf::terms(record) {
        let (term, mended) = respelled(written);
        let shown = format!("`{}`", tags::short(&term));
        let Ok(parsed) = spf::parse(&format!("v=spf1 {term}")) else {
            changed.push(format!("`{}` cannot be read and is left out", tags::short(written)));
            lost.push(format!("`{}`", tags::short(written)));
            continue;
        };
        if mended {
            changed.push(format!("`{}` is written {shown}", tags::short(written)));
        }
        if parsed.redirect.is_some() {
            if let Some(before) = redirect.replace(term) {
                changed.push(format!("`{}` stands before another redirect", tags::short(&before)));
                lost.push(format!("`{}`", tags::short(&before)));
            }
            continue;
        }
        let Some(directive) = parsed.directives.first() else {
            kept.push(term);
            continue;
        };
        if all.is_some() {
            changed.push(format!("{shown} stands behind `all` and is never reached"));
            // Of a record that nobody could read nobody knows what it would have let send.
            if !readable {
                lost.push(shown);
            }
            continue;
        }
        match directive.mechanism {
            Mechanism::All => all = Some(directive.qualifier),
            Mechanism::Ptr(_) => {
                changed.push(format!("{shown} is discouraged"));
                lost.push(shown);
            }
            _ if leading_nowhere.contains(&at) => {
                changed.push(format!("{shown} leads nowhere"));
                lost.push(shown);
            }
            _ if kept.contains(&term) => changed.push(format!("{shown} stands twice")),
            Mechanism::A { .. }
            | Mechanism::Exists(_)
            | Mechanism::Include(_)
            | Mechanism::Ip4 { .. }
            | Mechanism::Ip6 { .. }
            | Mechanism::Mx { .. } => kept.push(term),
        }
    }
    let names_a_sender =
        kept.iter().any(|term| spf::parse(&format!("v=spf1 {term}")).is_ok_and(|r| !r.directives.is_empty()));
    let end = match (all, redirect) {
        (Some(Qualifier::Fail | Qualifier::SoftFail), redirect) => {
            if let Some(redirect) = redirect {
                changed.push(format!("`{}` is never used beside `all`", tags::short(&redirect)));
                if !readable {
                    lost.push(format!("`{}`", tags::short(&redirect)));
                }
            }
            if all == Some(Qualifier::Fail) && lost.is_empty() { "-all".to_owned() } else { "~all".to_owned() }
        }
        // Where it leads may refuse what was left out here.
        (None, Some(_)) if !lost.is_empty() => return None,
        (None, Some(redirect)) => redirect,
        // Nobody would be left who may send.
        (Some(Qualifier::Neutral | Qualifier::Pass), _) | (None, None) if !names_a_sender => return None,
        (Some(Qualifier::Neutral | Qualifier::Pass), _) | (None, None) => {
            changed.push("it ends in `~all`, later in `-all`, so that other hosts do not pass".to_owned());
            "~all".to_owned()
        }
    };
    if changed.is_empty() || (!names_a_sender && !lost.is_empty()) {
        return None;
    }
    if !lost.is_empty() {
        changed.push(format!("before it ends in `-all` it still needs what {} stood for", lost.join(", ")));
    }
    kept.push(end);
    let value = format!("v=spf1 {}", kept.join(" "));
    spf::parse(&value).ok()?;
    Some((value, changed.join("; ")))
}

/// A term as it was meant, where the slip is a common one.
fn respelled(term: &str) -> (String, bool) {
    const SLIPS: [(&str, &str); 6] = [
        ("ipv4:", "ip4:"),
        ("ipv6:", "ip6:"),
        ("ip4=", "ip4:"),
        ("ip6=", "ip6:"),
        ("include=", "include:"),
        ("redirect:", "redirect="),
    ];
    for (slip, meant) in SLIPS {
        if txt::starts_with_ignoring_case(term, slip) {
            return (format!("{meant}{}", &term[slip.len()..]), true);
        }
    }
    (term.to_owned(), false)
}

fn dmarc_advice(domain: &DomainName, records: &DomainRecords, parked: bool) -> Option<Advice> {
    let audit = &records.dmarc;
    let at = domain.child("_dmarc").ok();
    let own = audit.found_at.as_ref() == Some(domain);
    match audit.verdict {
        DmarcVerdict::Error => None,
        DmarcVerdict::Missing if parked => {
            let why = "nothing sends from this domain, so all mail that claims to is refused".to_owned();
            text(at, "v=DMARC1; p=reject".to_owned(), why)
        }
        DmarcVerdict::Missing if takes_no_mail(records) => {
            let why = "begin by reading reports: add `rua=mailto:` with an address at a domain that takes mail; \
                       then `p=quarantine`, then `p=reject`";
            text(at, "v=DMARC1; p=none".to_owned(), why.to_owned())
        }
        DmarcVerdict::Missing => {
            let value = format!("v=DMARC1; p=none; rua=mailto:dmarc-reports@{domain}");
            let why = "begin by reading reports; then `p=quarantine`, then `p=reject`".to_owned();
            text(at, value, why)
        }
        // A record further up is mended where it stands.
        DmarcVerdict::Applies(_) | DmarcVerdict::Invalid | DmarcVerdict::RejectTesting if !own => None,
        DmarcVerdict::Applies(_) | DmarcVerdict::Invalid | DmarcVerdict::RejectTesting => {
            let (value, why) = mended_dmarc(domain, audit.record.as_deref()?, !takes_no_mail(records))?;
            text(at, value, why)
        }
    }
}

fn mended_dmarc(domain: &DomainName, record: &str, takes_mail: bool) -> Option<(String, String)> {
    let read = dmarc::parse(record);
    let (written, _) = tags::split(record);
    let mut changed = Vec::new();
    let policy = match read.p {
        PolicyTag::Given(Policy::None) => {
            changed.push("once the reports show no sender of yours failing, the policy is `quarantine`, then `reject`");
            Policy::Quarantine
        }
        PolicyTag::Given(policy) => policy,
        PolicyTag::Bad | PolicyTag::LeftOut => {
            changed.push("`p` is one of none, quarantine, reject");
            Policy::None
        }
    };
    let mut tags = vec!["v=DMARC1".to_owned(), format!("p={}", policy.as_str())];
    for (name, tag) in [("sp", read.sp), ("np", read.np)] {
        match tag {
            PolicyTag::Given(given) if given >= policy => tags.push(format!("{name}={}", given.as_str())),
            PolicyTag::Given(_) => changed.push("names below the domain are treated no milder than the domain"),
            PolicyTag::Bad => changed.push("a policy for names below that cannot be read is left out"),
            PolicyTag::LeftOut => {}
        }
    }
    if read.testing {
        changed.push("`t=y` is left out: it asks for a milder treatment");
    }
    if read.percent < 100 {
        changed.push("`pct` is left out: RFC 9989 removed it");
    }
    if read.psd == Some(true) {
        changed.push("`psd=y` is left out: it is for operators of public suffixes");
    }
    if !read.faults.is_empty() || !read.unknown_tags.is_empty() {
        changed.push("what receivers cannot read is left out");
    }
    let uris = tags::value(&written, "rua").unwrap_or_default().split(',').map(str::trim);
    let good: Vec<&str> = uris
        .filter(|uri| txt::starts_with_ignoring_case(uri, "mailto:") && dmarc::mail_address_domain(&uri[7..]).is_some())
        .collect();
    if !read.bad_uris.is_empty() {
        changed.push("report addresses begin with `mailto:`");
    }
    if !good.is_empty() {
        tags.push(format!("rua={}", good.join(",")));
    } else if takes_mail {
        if policy == Policy::Reject && read.bad_uris.is_empty() {
            changed.push("reports show who sends in the domain's name");
        }
        tags.push(format!("rua=mailto:dmarc-reports@{domain}"));
    }
    for name in ["ruf", "adkim", "aspf", "fo"] {
        let tag = written.iter().find(|tag| tag.name.eq_ignore_ascii_case(name));
        if let Some(tag) = tag.filter(|tag| !tag.value.is_empty() && dmarc::has_a_word(tag)) {
            tags.push(format!("{name}={}", crate::text::visible(tag.value)));
        }
    }
    changed.dedup();
    (!changed.is_empty()).then(|| (tags.join("; "), changed.join("; ")))
}

/// The record and its policy; the id is made from the policy, so that it changes with it. A policy that
/// is enforced stays so.
fn sts_advice(domain: &DomainName, records: &DomainRecords) -> Vec<Advice> {
    let audit = &records.mta_sts;
    let enforced = written_mode(audit) == Some("enforce");
    let (mode, why) = match audit.verdict {
        StsVerdict::Missing | StsVerdict::Mode(Mode::None) => {
            ("testing", "after a week of reports without failures the mode is `enforce`")
        }
        StsVerdict::Invalid | StsVerdict::Mismatch if enforced => ("enforce", "it names the hosts that take the mail"),
        StsVerdict::Invalid | StsVerdict::Mismatch => ("testing", "it names the hosts that take the mail"),
        StsVerdict::Mode(Mode::Testing) => ("enforce", "only this mode makes senders insist on TLS"),
        // A policy that could not be fetched may be a good one.
        StsVerdict::Error | StsVerdict::Mode(Mode::Enforce) => return Vec::new(),
    };
    // A policy without one of the hosts would keep mail from it.
    let whole = records.mx.because.is_none() && !records.mx.notes.iter().any(|note| note.code == "mx.many");
    if records.mx.hosts.is_empty() || !whole {
        return Vec::new();
    }
    let hosts: String = records.mx.hosts.iter().map(|host| format!("mx: {host}\n")).collect();
    let max_age = audit.policy.as_ref().map_or(0, |policy| policy.max_age_seconds).max(TWO_WEEKS_SECONDS);
    let policy = format!("version: STSv1\nmode: {mode}\n{hosts}max_age: {max_age}\n");
    let id = crate::evidence::hex(&Sha256::digest(&policy));
    let record = Advice {
        name: format!("_mta-sts.{domain}"),
        kind: "TXT",
        value: format!("v=STSv1; id={}", &id[..16]),
        why: "the id changes whenever the policy does".to_owned(),
    };
    let url = format!("https://mta-sts.{domain}/.well-known/mta-sts.txt");
    vec![record, Advice { name: url, kind: "file", value: policy, why: why.to_owned() }]
}

/// The mode of the policy as written, also of one that breaks the rules elsewhere.
fn written_mode(audit: &StsAudit) -> Option<&str> {
    let lines = audit.policy_text.as_deref()?.lines();
    lines.filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == "mode").map(|(_, mode)| mode.trim())
}

fn tls_rpt_advice(domain: &DomainName, records: &DomainRecords) -> Option<Advice> {
    let why = match records.tls_rpt.verdict {
        TlsRptVerdict::Error | TlsRptVerdict::Ok => return None,
        TlsRptVerdict::Missing => "senders report where TLS to your hosts failed",
        TlsRptVerdict::Invalid => "senders use no record but one that can be read",
    };
    let kept: Vec<&str> = records.tls_rpt.report_uris.iter().map(String::as_str).collect();
    let rua = if kept.is_empty() { format!("mailto:tls-reports@{domain}") } else { kept.join(",") };
    text(domain.child("_smtp._tls").ok(), format!("v=TLSRPTv1; rua={rua}"), why.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::dane::Chains;
    use super::super::dns_message::tests::{answers, name};
    use super::super::domain::{self, Given};
    use super::super::mta_sts::Fetched;
    use super::*;
    use crate::catalogues::vendors::VendorCatalogue;
    use crate::evidence::network::HttpsAnswer;

    fn advice(lines: &[&str]) -> Vec<Advice> {
        advice_with(lines, true, None)
    }

    fn advice_with(lines: &[&str], sends: bool, policy: Fetched<'_>) -> Vec<Advice> {
        let answers = answers(lines);
        let given = Given {
            selectors: &[],
            seen: &domain::SeenSelectors::new(),
            sends,
            catalogue: &VendorCatalogue::shipped(),
            policy,
            chains: &Chains::new(),
            permitted: &|_| false,
        };
        let domain = name("c.example");
        advise(&domain, &domain::read(&domain, &given, &answers), sends)
    }

    fn instead_of(record: &str) -> String {
        let line = format!("c.example TXT {record}");
        let all = advice(&["c.example SOA x", "c.example MX !none", &line, "gone.example TXT !nx"]);
        all.iter().find(|advice| advice.name == "c.example").map_or_else(String::new, |advice| advice.value.clone())
    }

    #[test]
    fn an_spf_record_is_mended_and_no_sender_invented() {
        for (written, mended) in [
            ("v=spf1 ip4:192.0.2.1 -all", ""),
            ("v=spf1 +all", ""),
            ("v=spf1 ?all", ""),
            ("v=spf1 ip4:192.0.2.1 ~all", ""),
            ("v=spf1 ip4:192.0.2.1 +all", "v=spf1 ip4:192.0.2.1 ~all"),
            ("v=spf1 ip4:192.0.2.1", "v=spf1 ip4:192.0.2.1 ~all"),
            ("v=spf1 ipv4:192.0.2.1 -all", "v=spf1 ip4:192.0.2.1 -all"),
            ("v=spf1 ip4:192.0.2.1 -all ip4:192.0.2.2", "v=spf1 ip4:192.0.2.1 -all"),
            ("v=spf1 ip4:192.0.2.1 redirect=gone.example -all", "v=spf1 ip4:192.0.2.1 -all"),
        ] {
            assert_eq!(instead_of(written), mended, "{written}");
        }
    }

    #[test]
    fn what_may_have_meant_a_sender_is_never_forbidden() {
        let long = format!("include:{}.gone.example", "x".repeat(60));
        for (written, mended) in [
            ("v=spf1 ptr -all".to_owned(), ""),
            ("v=spf1 ip4:192.0.2.999 -all".to_owned(), ""),
            ("v=spf1 include:gone.example -all".to_owned(), ""),
            ("v=spf1 -all ipv4:192.0.2.999".to_owned(), ""),
            ("v=spf1 nonsense redirect=gone.example".to_owned(), ""),
            ("v=spf1 ip4:192.0.2.1 ptr -all".to_owned(), "v=spf1 ip4:192.0.2.1 ~all"),
            ("v=spf1 ip4:192.0.2.1 nonsense -all".to_owned(), "v=spf1 ip4:192.0.2.1 ~all"),
            (format!("v=spf1 {long} ip4:192.0.2.1 -all"), "v=spf1 ip4:192.0.2.1 ~all"),
            ("v=spf1 include:gone.example ip4:192.0.2.1 -all".to_owned(), "v=spf1 ip4:192.0.2.1 ~all"),
        ] {
            let line = format!("c.example TXT {written}");
            let nowhere = format!("{} TXT !nx", long.strip_prefix("include:").unwrap());
            let lines = ["c.example SOA x", "c.example MX !none", &line, "gone.example TXT !nx", &nowhere];
            let all = advice(&lines);
            let instead = all.iter().find(|advice| advice.name == "c.example");
            assert_eq!(instead.map_or("", |advice| advice.value.as_str()), mended, "{written}");
            assert!(instead.is_none_or(|advice| advice.why.contains("it still needs what `")), "{instead:?}");
        }
    }

    #[test]
    fn a_dmarc_record_keeps_what_is_right_in_it() {
        let mended = |record: &str| mended_dmarc(&name("c.example"), record, true).map(|(value, _)| value);
        assert_eq!(mended("v=DMARC1; p=reject; rua=mailto:d@c.example"), None);
        assert_eq!(
            mended("v=DMARC1; p=none; pct=10; x=1; rua=mailto:d@c.example,d@e.example; fo=1").unwrap(),
            "v=DMARC1; p=quarantine; rua=mailto:d@c.example; fo=1"
        );
        assert_eq!(
            mended("v=DMARC1; p=reject; sp=none").unwrap(),
            "v=DMARC1; p=reject; rua=mailto:dmarc-reports@c.example"
        );
        assert_eq!(
            mended("v=DMARC1; p=reject; rua=mailto:d@c.example; adkim=strict; aspf=s").unwrap(),
            "v=DMARC1; p=reject; rua=mailto:d@c.example; aspf=s"
        );
    }

    #[test]
    fn only_a_domain_from_which_nobody_sends_refuses_everything() {
        let nothing = ["c.example SOA x", "c.example MX 0 .", "_dmarc.c.example TXT !nx", "_dmarc.example TXT !nx"];
        let pasted = |text: &str, sends| -> Vec<String> {
            let line = format!("c.example TXT {text}");
            let all = advice_with(&[&nothing[..], &[line.as_str()]].concat(), sends, None);
            all.iter().map(Advice::to_paste).collect()
        };
        let refuse = "_dmarc.c.example. IN TXT \"v=DMARC1; p=reject\"";
        assert_eq!(pasted("!none", false), ["c.example. IN TXT \"v=spf1 -all\"", refuse]);
        assert_eq!(pasted("v=spf1 -all", true), [refuse]);
        // That nobody said who sends is no reason to refuse mail.
        for (text, sends) in [("!none", true), ("!fail", true), ("!fail", false), ("v=spf1 mx -all", false)] {
            assert!(pasted(text, sends).iter().all(|record| !record.contains("reject") && !record.contains("-all")));
        }
    }

    #[test]
    fn an_enforced_policy_is_never_made_milder() {
        let lines = [
            "c.example SOA x",
            "c.example MX 10 m.c.example",
            "m.c.example A 192.0.2.1",
            "m.c.example AAAA !none",
            "_mta-sts.c.example TXT v=STSv1; id=1",
            "mta-sts.c.example A 192.0.2.9",
            "mta-sts.c.example AAAA !none",
        ];
        let instead = |policy: &str| {
            let fetched = Ok(HttpsAnswer {
                status: Some(200),
                content_type: Some(b"text/plain"[..].into()),
                location: None,
                body: policy.as_bytes().into(),
                failure: None,
            });
            let all = advice_with(&lines, true, Some(&fetched));
            let policy = all.into_iter().find(|advice| advice.kind == "file")?;
            Some(super::super::mta_sts::parse_policy(policy.value.as_bytes()).unwrap())
        };
        let enforced = instead("version: STSv1\nmode: enforce\nmx: other.example\nmax_age: 2592000\n").unwrap();
        assert_eq!((enforced.mode, enforced.max_age_seconds), (Mode::Enforce, 2_592_000));
        assert_eq!(instead("version: STSv1\nmode: enforce\nmax_age: 60\n").unwrap().mode, Mode::Enforce);
        assert_eq!(instead("version: STSv1\nmode: none\nmax_age: 60\n").unwrap().mode, Mode::Testing);
        assert_eq!(instead("version: STSv1\nmode: enforce\nmx: m.c.example\nmax_age: 2592000\n"), None);
    }

    #[test]
    fn nothing_is_advised_where_nothing_is_known() {
        assert!(advice(&["c.example SOA !fail", "c.example MX !fail", "c.example TXT !fail"]).is_empty());
        assert!(advice(&[]).is_empty());
    }

    #[test]
    fn what_is_missing_for_mail_that_comes_in_is_written_whole() {
        let all = advice(&[
            "c.example SOA x",
            "c.example MX 10 m.c.example",
            "m.c.example A 192.0.2.1",
            "m.c.example AAAA !none",
            "_mta-sts.c.example TXT !nx",
            "_smtp._tls.c.example TXT !nx",
        ]);
        let policy = all.iter().find(|advice| advice.kind == "file").unwrap();
        let read = super::super::mta_sts::parse_policy(policy.value.as_bytes()).unwrap();
        assert_eq!((read.mode, read.mx), (Mode::Testing, vec!["m.c.example".to_owned()]));
        assert!(all.iter().any(|advice| advice.value == "v=TLSRPTv1; rua=mailto:tls-reports@c.example"));
    }

    #[test]
    fn a_long_record_is_pasted_in_strings_of_255_bytes() {
        let advice = Advice { name: "c.example".to_owned(), kind: "TXT", value: "x".repeat(300), why: String::new() };
        assert_eq!(advice.to_paste().len(), "c.example. IN TXT ".len() + 300 + 5);
    }

    proptest! {
        #[test]
        fn a_mended_record_can_be_read_and_needs_no_mending(terms in "[ a-z0-9:/%{}=.+~?-]{0,80}") {
            if let Some((value, _)) = mended_spf(&format!("v=spf1 {terms}"), &[]) {
                prop_assert!(spf::parse(&value).is_ok());
                prop_assert_eq!(mended_spf(&value, &[]), None);
            }
        }

        #[test]
        fn a_mended_dmarc_record_can_be_read(text in "[ a-zA-Z0-9:;=,@.!-]{0,80}") {
            if let Some((value, _)) = mended_dmarc(&name("c.example"), &format!("v=DMARC1; {text}"), true) {
                prop_assert!(dmarc::is_dmarc(&value));
                prop_assert_eq!(dmarc::parse(&value).faults, vec![]);
            }
        }
    }
}
