//! A way that mail takes out of a mailbox: from one mailbox to one outside domain.
//!
//! Several things open such a way (a rule, the mailbox's own forwarding, a rule of the mail
//! system), and several independent controls of the tenant may stop it. Each of those alone is
//! enough, so they are looked at together, for this mailbox and this domain.

use std::collections::{BTreeMap, BTreeSet};

use super::exported::{self, Class, Directory, Files};
use super::forwarding_rule::ForwardingRule;
use super::mailbox::Mailbox;
use super::shape::{Fact, subject};
use super::tenant::{REMOTE_DOMAINS, Settings};
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
        let missing = of_rule(rule, &directory, &mut ways);
        in_doubt = in_doubt.or(missing);
    }
    for mailbox in &mailboxes.subjects {
        let missing = of_mailbox(mailbox, &directory, &mut ways);
        in_doubt = in_doubt.or(missing);
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
const SELF_HOSTED: &str = "self-hosted";

/// What opens the way from one mailbox to one domain.
#[derive(Debug, Default)]
struct Ways {
    class: Option<Class>,
    /// Each with the reason why it is not known whether it is switched on; none where it is.
    ways: BTreeMap<Way, Option<NotObserved>>,
    evidence: Vec<EvidenceId>,
}

impl Ways {
    /// What is certainly open in one place does not get less certain by another.
    fn add(&mut self, way: Way, class: Class, in_doubt: Option<&NotObserved>, evidence: &[EvidenceId]) {
        self.class = self.class.max(Some(class));
        self.ways
            .entry(way)
            .and_modify(|known| {
                if in_doubt.is_none() {
                    *known = None;
                }
            })
            .or_insert_with(|| in_doubt.cloned());
        self.evidence.extend(evidence.iter().cloned());
    }
}

/// One thing that opens a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    what: &'static str,
    provider: &'static str,
    /// Whether it is no automatic forwarding of a mailbox: no control of that stops it.
    past_controls: bool,
}

fn outside(class: &str) -> bool {
    class == Class::External.as_str() || class == Class::ConsumerWebmail.as_str()
}

/// Whether nobody knows where it leads.
fn unplaced(class: &str) -> bool {
    class == Class::Unparseable.as_str() || class == Class::Unresolved.as_str()
}

/// Adds what a rule opens; gives back why a way may be missing.
fn of_rule(
    rule: &ForwardingRule,
    directory: &Directory<'_>,
    into: &mut BTreeMap<(String, String), Ways>,
) -> Option<NotObserved> {
    // What is switched off opens nothing, whatever it would do.
    let enabled = match &rule.enabled.seen {
        Seen::Present(false) => return None,
        Seen::Present(true) => None,
        Seen::Unknown(reason) => Some(reason.clone()),
        Seen::Absent | Seen::Malformed(_) => {
            Some(NotObserved::NotProvided { what: "whether the rule is switched on".to_owned() })
        }
    };
    let class = match &rule.target_class.seen {
        Seen::Present(class) => class,
        Seen::Unknown(reason) => return Some(reason.clone()),
        Seen::Absent | Seen::Malformed(_) => return None,
    };
    if !outside(class) {
        return unplaced(class).then(|| NotObserved::NotProvided { what: "where some rules send mail".to_owned() });
    }
    let origin = rule.origin.seen.present().map_or("", String::as_str);
    let (what, provider, past_controls) = match origin {
        "inbox" => ("inbox rule", MICROSOFT, false),
        "filter" => ("filter", GOOGLE, false),
        "journal" => ("journal rule", MICROSOFT, true),
        "transport" => ("transport rule", MICROSOFT, true),
        "sieve" => ("Sieve script", SELF_HOSTED, true),
        _ => ("setting of the mail server", SELF_HOSTED, true),
    };
    let way = Way { what, provider, past_controls };
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
        entry.add(way, class, enabled.as_ref(), &rule.target_class.evidence);
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
    if unplaced(&forwarding.target_class) {
        return Some(NotObserved::NotProvided { what: "where some mailboxes forward mail".to_owned() });
    }
    let provider = match mailbox.provider.seen.present().map_or("", String::as_str) {
        GOOGLE => GOOGLE,
        SELF_HOSTED => SELF_HOSTED,
        _ => MICROSOFT,
    };
    for domain in forwarding.target_domain.split(", ").filter(|domain| *domain != "none") {
        let class = directory.class_of_domain(domain);
        if !outside(class.as_str()) {
            continue;
        }
        // No tenant stands around a server of one's own.
        let way = Way { what: "mailbox forwarding", provider, past_controls: provider == SELF_HOSTED };
        let entry = into.entry((mailbox.name.clone(), domain.to_owned())).or_default();
        entry.add(way, class, None, &mailbox.forwarding.evidence);
    }
    None
}

/// The controls of one tenant over automatic forwarding.
struct Controls {
    /// `off`, `on`, `automatic`.
    mode: Fact<String>,
    /// Whether each remote domain lets mail be forwarded, by name.
    remote: BTreeMap<String, Seen<bool>>,
    /// Why there may be remote domains that nobody read.
    more_remote: Option<NotObserved>,
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
        let more_remote = Files::of(context).whole(REMOTE_DOMAINS.formats, REMOTE_DOMAINS.what).err();
        Self { mode: settings.external_auto_forwarding(provider), remote, more_remote, evidence }
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
            // One with a longer name may let it go.
            Some((_, Seen::Present(false))) => self.more_remote.clone().map_or(Says::Stops, Says::NotKnown),
            Some((_, Seen::Unknown(reason))) => Says::NotKnown(reason.clone()),
            Some((_, Seen::Absent | Seen::Malformed(_))) | None => {
                Says::NotKnown(NotObserved::NotProvided { what: "the remote domains (Get-RemoteDomain)".to_owned() })
            }
        }
    }
}

/// Whether one way is open behind the controls; milder first, and of several ways the worst counts.
#[derive(Debug)]
enum Open {
    Stopped(Vec<&'static str>),
    InDoubt,
    NotKnown(NotObserved),
    Certainly,
}

impl Open {
    const fn weight(&self) -> u8 {
        match self {
            Self::Stopped(_) => 0,
            Self::InDoubt => 1,
            Self::NotKnown(_) => 2,
            Self::Certainly => 3,
        }
    }
}

fn open(way: Way, in_doubt: Option<NotObserved>, domain: &str, controls: Option<&Controls>) -> Open {
    let (mut stopped_by, mut may_stop, mut not_known) = (Vec::new(), false, in_doubt);
    if let Some(controls) = controls {
        let policy = (controls.policy(way.provider), "the policy for outgoing mail");
        let remote = (controls.remote_domain(domain), "the remote domain");
        let asked = if way.provider == GOOGLE { vec![policy] } else { vec![policy, remote] };
        for (says, by) in asked {
            match says {
                Says::Lets => {}
                Says::MayStop => may_stop = true,
                Says::NotKnown(reason) => not_known = not_known.or(Some(reason)),
                Says::Stops => stopped_by.push(by),
            }
        }
    }
    match (stopped_by.is_empty(), not_known, may_stop) {
        // Any one control that stops it is enough.
        (false, _, _) => Open::Stopped(stopped_by),
        (true, Some(reason), _) => Open::NotKnown(reason),
        (true, None, true) => Open::InDoubt,
        (true, None, false) => Open::Certainly,
    }
}

fn one(mailbox: String, domain: String, ways: Ways, controls: &BTreeMap<&str, Controls>) -> ForwardingPath {
    let mut evidence = ways.evidence;
    let what: BTreeSet<&str> = ways.ways.keys().map(|way| way.what).collect();
    let mut worst = Open::Stopped(Vec::new());
    for (way, in_doubt) in ways.ways {
        let controls = controls.get(way.provider).filter(|_| !way.past_controls);
        if let Some(controls) = controls {
            evidence.extend(controls.evidence.iter().cloned());
            evidence.extend(controls.mode.evidence.iter().cloned());
        }
        worst = match (worst, open(way, in_doubt, &domain, controls)) {
            (Open::Stopped(mut known), Open::Stopped(more)) => {
                known.extend(more);
                Open::Stopped(known)
            }
            (known, found) if found.weight() > known.weight() => found,
            (known, _) => known,
        };
    }
    evidence.sort();
    evidence.dedup();
    let (outcome, stopped_by) = match worst {
        Open::Certainly => (Seen::Present("open".to_owned()), Vec::new()),
        Open::InDoubt => (Seen::Present("in-doubt".to_owned()), Vec::new()),
        Open::NotKnown(reason) => (Seen::Unknown(reason), Vec::new()),
        Open::Stopped(by) => (Seen::Present("stopped".to_owned()), by),
    };
    let stopped_by: BTreeSet<&str> = stopped_by.into_iter().collect();
    let class = ways.class.unwrap_or(Class::External);
    ForwardingPath {
        name: format!("{mailbox} -> {domain}"),
        mailbox: Fact::present(mailbox, evidence.clone()),
        target_domain: Fact::present(domain, evidence.clone()),
        target_class: Fact::present(class.as_str().to_owned(), evidence.clone()),
        ways: Fact::present(what.into_iter().map(str::to_owned).collect(), evidence.clone()),
        stopped_by: Fact::present(stopped_by.into_iter().map(str::to_owned).collect(), evidence.clone()),
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

    #[test]
    fn a_rule_that_cannot_be_placed_hides_no_other_way() {
        let mailboxes = b"PrimarySmtpAddress,ForwardingSmtpAddress,ForwardingAddress,DeliverToMailboxAndForward\nb@clinic.example,smtp:b@gmail.com,,True\n";
        // Nobody knows where the first leads.
        let rules = b"MailboxOwnerId,RuleIdentity,Enabled,ForwardTo,RedirectTo,ForwardAsAttachmentTo\na@clinic.example,1,True,Somebody,,\na@clinic.example,2,True,x@lab.example,,\n";
        let world = World::new(Some(declared("clinic.example"))).file("m.csv", mailboxes).file("r.csv", rules);
        let evidence = world.evidence(&[]);
        let context = context(&evidence);
        let (rules, mailboxes) = (super::super::forwarding_rule::build(context), super::super::mailbox::build(context));
        let built = build(context, &rules, &mailboxes);
        let names: Vec<_> = built.subjects.iter().map(|path| path.name.as_str()).collect();
        assert_eq!(names, ["a@clinic.example -> lab.example", "b@clinic.example -> gmail.com"]);
        assert!(matches!(built.collection, Collection::Incomplete(_)));
    }

    #[test]
    fn a_mailbox_that_forwards_nobody_knows_where_leaves_the_ways_out_open() {
        let rules = b"MailboxOwnerId,RuleIdentity,Enabled,ForwardTo,RedirectTo,ForwardAsAttachmentTo\na@clinic.example,1,True,,,\n";
        let others = br#"{"what":"transport-rules","subject":"*","ok":true,"rows":0}
{"what":"journal-rules","subject":"*","ok":true,"rows":0}
"#;
        let of = |entry: &str| {
            let mailboxes = format!(
                "PrimarySmtpAddress,ForwardingSmtpAddress,ForwardingAddress,DeliverToMailboxAndForward\na@clinic.example,,{entry},True\n"
            );
            let world = World::new(Some(declared("clinic.example")))
                .file("r.csv", rules)
                .file("m.csv", mailboxes.as_bytes())
                .file("coverage.jsonl", others);
            let evidence = world.evidence(&[]);
            let context = context(&evidence);
            let (rules, mailboxes) =
                (super::super::forwarding_rule::build(context), super::super::mailbox::build(context));
            build(context, &rules, &mailboxes).collection
        };
        assert_eq!(of(""), Collection::Complete);
        assert!(matches!(of("Somebody"), Collection::Incomplete(NotObserved::NotProvided { .. })));
    }

    #[test]
    fn a_certain_way_stays_certain_beside_a_doubtful_one() {
        let rules = b"MailboxOwnerId,RuleIdentity,Enabled,ForwardTo,RedirectTo,ForwardAsAttachmentTo\na@clinic.example,1,perhaps,x@lab.example,,\na@clinic.example,2,True,y@lab.example,,\nb@clinic.example,3,perhaps,x@lab.example,,\n";
        let remote = b"DomainName,AutoForwardEnabled,AllowedOOFType\n*,True,None\n";
        let on = spam("On");
        let world =
            World::new(Some(declared("clinic.example"))).file("r.csv", rules).file("d.csv", remote).file("s.csv", &on);
        let evidence = world.evidence(&[]);
        let context = context(&evidence);
        let (rules, mailboxes) = (super::super::forwarding_rule::build(context), super::super::mailbox::build(context));
        let built = build(context, &rules, &mailboxes);
        let outcomes: Vec<_> =
            built.subjects.iter().map(|path| path.outcome.seen.present().map(String::as_str)).collect();
        assert_eq!(outcomes, [Some("open"), None]);
    }
}
