//! A way that mail takes out of a mailbox: from one mailbox to one outside domain.
//!
//! Several things open such a way (a rule, the mailbox's own forwarding, a rule of the mail
//! system), and several independent controls of the tenant may stop it. Each of those alone is
//! enough, so they are looked at together, for this mailbox and this domain.

use std::collections::{BTreeMap, BTreeSet};

use super::exported::{self, Class, Directory};
use super::forwarding_rule::ForwardingRule;
use super::mailbox::Mailbox;
use super::shape::{Fact, subject};
use super::tenant::Settings;
use super::{Built, Collection, Context};
use crate::evidence::EvidenceId;
use crate::seen::{NotObserved, Seen};

subject! {
    /// A way out, named `mailbox -> domain`.
    pub struct ForwardingPath is ForwardingPath {
        /// The mailbox whose mail goes out; `every mailbox` or `no mailbox` for rules of the mail system.
        mailbox: String,
        /// The domain it goes to.
        target_domain: String,
        /// `external`, `consumer-webmail`.
        target_class: String,
        /// What opens it: `inbox rule`, `filter`, `mailbox forwarding`, `transport rule`, …
        ways: Vec<String>,
        /// The controls of the tenant that stop it.
        stopped_by: Vec<String>,
        /// `open`; `stopped` where a control stops it; `in-doubt` where a control may or may not.
        outcome: String,
    }
}

/// Joins rules and the forwarding of mailboxes into ways out.
pub fn build(context: Context<'_>, rules: &Built<ForwardingRule>, mailboxes: &Built<Mailbox>) -> Built<ForwardingPath> {
    if let Err(collection) = exported::given(context) {
        return Built { subjects: Vec::new(), collection };
    }
    let directory = Directory::of(context);
    let mut ways: BTreeMap<(String, String), Ways> = BTreeMap::new();
    let mut in_doubt = None;
    for rule in &rules.subjects {
        in_doubt = in_doubt.or_else(|| of_rule(rule, &directory, &mut ways));
    }
    for mailbox in &mailboxes.subjects {
        in_doubt = in_doubt.or_else(|| of_mailbox(mailbox, &directory, &mut ways));
    }
    let controls: BTreeMap<&str, Controls> =
        [GOOGLE, MICROSOFT].into_iter().map(|provider| (provider, Controls::of(context, provider))).collect();
    let subjects = ways.into_iter().map(|((mailbox, domain), ways)| one(mailbox, domain, ways, &controls)).collect();
    let collection = match (&rules.collection, &mailboxes.collection, in_doubt) {
        (Collection::Complete, Collection::Complete, None) => Collection::Complete,
        (Collection::Complete, Collection::Complete, Some(reason)) => Collection::Incomplete(reason),
        (Collection::Complete, other, _) | (other, _, _) => other.clone(),
    };
    Built { subjects, collection }
}

const GOOGLE: &str = "google-workspace";
const MICROSOFT: &str = "microsoft365";

/// What opens one way.
#[derive(Debug, Default)]
struct Ways {
    class: Option<Class>,
    ways: BTreeSet<&'static str>,
    /// Whether one of them is no automatic forwarding of a mailbox: no control of that stops it.
    past_controls: bool,
    provider: &'static str,
    /// Why it is not known whether one of them is switched on.
    in_doubt: Option<NotObserved>,
    evidence: Vec<EvidenceId>,
}

fn outside(class: &str) -> bool {
    class == Class::External.as_str() || class == Class::ConsumerWebmail.as_str()
}

/// Adds what a rule opens; gives back why a way may be missing.
fn of_rule(
    rule: &ForwardingRule,
    directory: &Directory<'_>,
    into: &mut BTreeMap<(String, String), Ways>,
) -> Option<NotObserved> {
    let class = match &rule.target_class.seen {
        Seen::Present(class) => class,
        Seen::Unknown(reason) => return Some(reason.clone()),
        Seen::Absent | Seen::Malformed(_) => return None,
    };
    if !outside(class) {
        let unresolved = [Class::Unparseable, Class::Unresolved].iter().any(|known| known.as_str() == class);
        return unresolved.then(|| NotObserved::NotProvided { what: "where some rules send mail".to_owned() });
    }
    let enabled = match &rule.enabled.seen {
        Seen::Present(false) => return None,
        Seen::Present(true) => None,
        Seen::Unknown(reason) => Some(reason.clone()),
        Seen::Absent | Seen::Malformed(_) => {
            Some(NotObserved::NotProvided { what: "whether the rule is switched on".to_owned() })
        }
    };
    let origin = rule.origin.seen.present().map_or("", String::as_str);
    let (way, provider, past_controls) = match origin {
        "inbox" => ("inbox rule", MICROSOFT, false),
        "filter" => ("filter", GOOGLE, false),
        "journal" => ("journal rule", MICROSOFT, true),
        "transport" => ("transport rule", MICROSOFT, true),
        "sieve" => ("Sieve script", "self-hosted", true),
        _ => ("setting of the mail server", "self-hosted", true),
    };
    let mailbox = match &rule.mailbox.seen {
        Seen::Present(mailbox) => mailbox.clone(),
        // Its name says as much as is known of whose it is.
        Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_) => {
            rule.name.split('/').next().unwrap_or_default().to_owned()
        }
    };
    for domain in rule.target_domains.seen.present().into_iter().flatten() {
        let class = directory.class_of_domain(domain);
        if !outside(class.as_str()) {
            continue;
        }
        let entry = into.entry((mailbox.clone(), domain.clone())).or_default();
        entry.class = entry.class.max(Some(class));
        entry.ways.insert(way);
        entry.past_controls |= past_controls;
        entry.provider = provider;
        entry.in_doubt = entry.in_doubt.take().or_else(|| enabled.clone());
        entry.evidence.extend(rule.target_class.evidence.iter().cloned());
    }
    None
}

/// Adds what a mailbox forwards by itself.
fn of_mailbox(
    mailbox: &Mailbox,
    directory: &Directory<'_>,
    into: &mut BTreeMap<(String, String), Ways>,
) -> Option<NotObserved> {
    let forwarding = match &mailbox.forwarding.seen {
        Seen::Present(forwarding) => forwarding,
        Seen::Unknown(reason) => return Some(reason.clone()),
        Seen::Absent | Seen::Malformed(_) => return None,
    };
    let provider = mailbox.provider.seen.present().map_or("", String::as_str);
    let provider = if provider == GOOGLE { GOOGLE } else { MICROSOFT };
    for domain in forwarding.target_domain.split(", ").filter(|domain| *domain != "none") {
        let class = directory.class_of_domain(domain);
        if !outside(class.as_str()) {
            continue;
        }
        let entry = into.entry((mailbox.name.clone(), domain.to_owned())).or_default();
        entry.class = entry.class.max(Some(class));
        entry.ways.insert("mailbox forwarding");
        entry.provider = provider;
        entry.evidence.extend(mailbox.forwarding.evidence.iter().cloned());
    }
    None
}

/// The controls of one tenant over automatic forwarding.
struct Controls {
    /// `off`, `on`, `automatic`.
    mode: Fact<String>,
    /// Whether each remote domain lets mail be forwarded, by name.
    remote: BTreeMap<String, Seen<bool>>,
    evidence: Vec<EvidenceId>,
}

/// What a control says of one way.
enum Says {
    Lets,
    MayStop,
    NotKnown(NotObserved),
    Stops,
}

impl Controls {
    fn of(context: Context<'_>, provider: &str) -> Self {
        let settings = Settings::of(context, provider);
        let (mut remote, mut evidence) = (BTreeMap::new(), Vec::new());
        for (id, setting) in settings.named("remote-domain-auto-forwarding") {
            let lets = setting.value.clone().map(|value| value == "true");
            remote.insert(setting.of.clone().unwrap_or_default(), lets);
            evidence.push(id.clone());
        }
        Self { mode: settings.external_auto_forwarding(provider), remote, evidence }
    }

    /// The policy for outgoing mail. `Automatic` means off or on, by when the tenant was made:
    /// Microsoft's own pages contradict each other.
    fn policy(&self, provider: &str) -> Says {
        match (&self.mode.seen, provider) {
            (Seen::Present(mode), GOOGLE) if mode == "off" => Says::MayStop,
            (Seen::Present(mode), _) if mode == "off" => Says::Stops,
            (Seen::Present(mode), _) if mode == "on" => Says::Lets,
            (Seen::Present(_), _) => Says::MayStop,
            (Seen::Unknown(reason), _) => Says::NotKnown(reason.clone()),
            (Seen::Absent | Seen::Malformed(_), _) => {
                Says::NotKnown(NotObserved::NotProvided { what: "the policy for automatic forwarding".to_owned() })
            }
        }
    }

    /// The remote domain with the longest name that fits decides: `lab.example`, `*.example`, `*`.
    fn remote_domain(&self, domain: &str) -> Says {
        let fits = |name: &str| {
            name == "*"
                || name == domain
                || name.strip_prefix("*.").is_some_and(|below| {
                    domain == below || domain.strip_suffix(below).is_some_and(|rest| rest.ends_with('.'))
                })
        };
        let decides = self.remote.iter().filter(|(name, _)| fits(name)).max_by_key(|(name, _)| name.len());
        match decides {
            Some((_, Seen::Present(true))) => Says::Lets,
            Some((_, Seen::Present(false))) => Says::Stops,
            Some((_, Seen::Unknown(reason))) => Says::NotKnown(reason.clone()),
            Some((_, Seen::Absent | Seen::Malformed(_))) | None => {
                Says::NotKnown(NotObserved::NotProvided { what: "the remote domains (Get-RemoteDomain)".to_owned() })
            }
        }
    }
}

fn one(mailbox: String, domain: String, ways: Ways, controls: &BTreeMap<&str, Controls>) -> ForwardingPath {
    let mut evidence = ways.evidence;
    let mut stopped_by: Vec<String> = Vec::new();
    let (mut may_stop, mut not_known) = (false, ways.in_doubt);
    if let Some(controls) = controls.get(ways.provider).filter(|_| !ways.past_controls) {
        let policy = (controls.policy(ways.provider), "the policy for outgoing mail");
        let remote = (controls.remote_domain(&domain), "the remote domain");
        let asked = if ways.provider == GOOGLE { vec![policy] } else { vec![policy, remote] };
        for (says, by) in asked {
            match says {
                Says::Lets => {}
                Says::MayStop => may_stop = true,
                Says::NotKnown(reason) => not_known = not_known.or(Some(reason)),
                Says::Stops => stopped_by.push(by.to_owned()),
            }
        }
        evidence.extend(controls.evidence.iter().cloned());
        evidence.extend(controls.mode.evidence.iter().cloned());
    }
    evidence.sort();
    evidence.dedup();
    let outcome = match (stopped_by.is_empty(), not_known, may_stop) {
        // Any one control that stops it is enough.
        (false, _, _) => Seen::Present("stopped".to_owned()),
        (true, Some(reason), _) => Seen::Unknown(reason),
        (true, None, true) => Seen::Present("in-doubt".to_owned()),
        (true, None, false) => Seen::Present("open".to_owned()),
    };
    let class = ways.class.unwrap_or(Class::External);
    ForwardingPath {
        name: format!("{mailbox} -> {domain}"),
        mailbox: Fact::present(mailbox, evidence.clone()),
        target_domain: Fact::present(domain, evidence.clone()),
        target_class: Fact::present(class.as_str().to_owned(), evidence.clone()),
        ways: Fact::present(ways.ways.into_iter().map(str::to_owned).collect(), evidence.clone()),
        stopped_by: Fact::present(stopped_by, evidence.clone()),
        outcome: Fact::new(outcome, evidence),
    }
}

#[cfg(test)]
mod tests {
    use super::super::exported::tests::{World, context, declared};
    use super::*;

    const MAILBOXES: &[u8] = b"PrimarySmtpAddress,ForwardingSmtpAddress,ForwardingAddress,DeliverToMailboxAndForward\na@clinic.example,smtp:a@gmail.com,,True\nb@clinic.example,,,False\n";
    const RULES: &[u8] = b"MailboxOwnerId,RuleIdentity,Enabled,ForwardTo,RedirectTo,ForwardAsAttachmentTo\na@clinic.example,1,True,x@gmail.com,,\nb@clinic.example,2,True,,x@lab.example,\nb@clinic.example,3,False,x@other.example,,\n";

    fn outcomes(files: &[(&str, &[u8])]) -> Vec<(String, Vec<String>, Option<String>)> {
        let mut world =
            World::new(Some(declared("clinic.example"))).file("mailboxes.csv", MAILBOXES).file("rules.csv", RULES);
        for (name, bytes) in files {
            world = world.file(name, bytes);
        }
        let evidence = world.evidence(&[]);
        let context = context(&evidence);
        let (rules, mailboxes) = (super::super::forwarding_rule::build(context), super::super::mailbox::build(context));
        let built = build(context, &rules, &mailboxes);
        let of = |path: ForwardingPath| {
            (path.name, path.ways.seen.present().cloned().unwrap_or_default(), path.outcome.seen.present().cloned())
        };
        built.subjects.into_iter().map(of).collect()
    }

    fn spam(mode: &str) -> Vec<u8> {
        format!("Name,AutoForwardingMode\nDefault,{mode}\n").into_bytes()
    }

    #[test]
    fn one_way_may_be_opened_by_several_things() {
        let found = outcomes(&[]);
        let names: Vec<_> = found.iter().map(|(name, ways, _)| (name.as_str(), ways.join(", "))).collect();
        assert_eq!(
            names,
            [
                ("a@clinic.example -> gmail.com", "inbox rule, mailbox forwarding".to_owned()),
                ("b@clinic.example -> lab.example", "inbox rule".to_owned())
            ]
        );
        assert!(found.iter().all(|(.., outcome)| outcome.is_none()), "nobody handed over the controls");
    }

    #[test]
    fn any_one_control_stops_it_and_no_other_has_to_be_known() {
        let outcome = |files: &[(&str, &[u8])]| -> Vec<Option<String>> {
            outcomes(files).into_iter().map(|(.., outcome)| outcome).collect()
        };
        let word = |text: &str| Some(text.to_owned());
        let off = spam("Off");
        assert_eq!(outcome(&[("s.csv", &off)]), [word("stopped"), word("stopped")]);
        let remote = b"DomainName,AutoForwardEnabled,AllowedOOFType\n*,False,None\nlab.example,True,External\n";
        let on = spam("On");
        assert_eq!(outcome(&[("s.csv", &on), ("r.csv", remote)]), [word("stopped"), word("open")]);
        let automatic = spam("Automatic");
        assert_eq!(outcome(&[("s.csv", &automatic), ("r.csv", remote)]), [word("stopped"), word("in-doubt")]);
        assert_eq!(outcome(&[("s.csv", &on)]), [None, None], "a remote domain may stop it");
    }

    #[test]
    fn a_rule_of_the_mail_system_passes_the_controls_by() {
        let rules = br#"[{"Name":"x","State":"Enabled","Mode":"Enforce","Priority":0,"RuleVersion":"1","BlindCopyTo":["x@lab.example"],"CopyTo":null,"AddToRecipients":null,"RedirectMessageTo":null}]"#;
        let off = spam("Off");
        let found = outcomes(&[("t.json", rules), ("s.csv", &off)]);
        let transport = found.iter().find(|(name, ..)| name == "every mailbox -> lab.example").unwrap();
        assert_eq!(transport.2.as_deref(), Some("open"));
    }
}
