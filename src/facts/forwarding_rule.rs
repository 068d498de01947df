//! A rule that moves mail by itself: inbox rule, filter, transport rule.
//!
//! The same rule in two exports is one rule. A rule whose mailbox nobody names is kept and says
//! so: an unattributed rule must not disappear.

use std::collections::{BTreeMap, BTreeSet};

mod score;

use self::score::{Score, Traits};
use super::exported::{self, Class, Directory, Files, joined};
use super::shape::{Fact, subject};
use super::{Built, Collection, Context};
use crate::catalogues::rule_scoring::RuleScoring;
use crate::evidence::export::{ForwardingRule as Exported, Record};
use crate::evidence::{EvidenceId, Source};
use crate::names::SubjectKind;
use crate::seen::{NotObserved, Seen};

subject! {
    /// A rule, named `mailbox/reference`.
    pub struct ForwardingRule is ForwardingRule {
        /// The mailbox it belongs to; `every mailbox` for a rule of the mail system, `no mailbox` for an alias.
        mailbox: String,
        /// `inbox`, `filter`, `sweep`, `transport`, `journal`, `sieve`, `forward-file`, `alias`, `postfix`.
        origin: String,
        /// Whether the mailbox is one that the exports list.
        mailbox_listed: bool,
        /// Whether it is switched on.
        enabled: bool,
        /// What it does: `forward`, `redirect`, `delete`, `hide`, `move`, `mark-read`, …
        actions: Vec<String>,
        /// The worst recipient class: `none`, `internal`, `business-associate`, `unresolved`, `unparseable`, `external`, `consumer-webmail`.
        target_class: String,
        /// The recipients' domains, for the message.
        target_domains: Vec<String>,
        /// Whether it deletes what it sends on or finds.
        deletes: bool,
        /// Whether it moves mail to where nobody looks.
        hides: bool,
        /// Whether it keeps mail from its owner's eyes and shows a sign that this is its purpose.
        conceals: bool,
        /// Points for everything about it that intruders' rules have; a lower bound where `score_parts` says so.
        score: i64,
        /// The level of the score: `none`, `low`, `medium`, `high`, `critical`.
        score_level: String,
        /// What the score is made of, the heaviest first.
        score_parts: Vec<String>,
        /// What is said where it stands for several rules of its mailbox that are alike; empty for one.
        alike: String,
        /// Whether it applies to some mail only.
        has_conditions: bool,
        /// Classes of words it looks for: `bounce`, `health`, `junk`, `oversight`, `payment`, `security`, `warning`.
        keywords: Vec<String>,
        /// What its name looks like: `plain`, `short`, `punctuation`, `repeated`, `invisible`, `lookalike`, `empty`; `none` where it has no name.
        name_class: String = "none".to_owned(),
        /// Whether the source could show what the rule does.
        readable: bool,
        /// Of a rule of the mail system: whether it takes mail past the filter for spam and phishing.
        skips_filter: bool,
        /// Of a rule of the mail system, the connector it sends mail over: `none`, `listed`, `switched-off`, `unlisted` where no list of connectors names it.
        route: String,
    }
}

/// An inventory at least this large without a single rule was read with too few rights: people
/// make rules. Reading inbox rules needs a role that the usual read-only roles do not hold.
const MAILBOXES_WITHOUT_RULES: usize = 50;

/// Builds every ForwardingRule that the evidence speaks of.
pub fn build(context: Context<'_>) -> Built<ForwardingRule> {
    if let Err(collection) = exported::given(context) {
        return Built { subjects: Vec::new(), collection };
    }
    let directory = Directory::of(context);
    let mailboxes: Vec<_> = exported::records(context)
        .filter_map(|(_, record)| match record {
            Record::Mailbox(mailbox) => Some(mailbox.as_ref()),
            _ => None,
        })
        .collect();
    let by_reference = exported::mailboxes_by_reference(mailboxes.iter().copied());
    let listed: BTreeSet<&str> =
        mailboxes.iter().filter(|mailbox| mailbox.listed).map(|mailbox| mailbox.address.as_str()).collect();
    let mailboxes_gone = context.evidence.taken_away(Source::Export, SubjectKind::Mailbox);
    let phi = context.evidence.declared().ok().and_then(|(_, declared)| declared.retention.as_ref());
    let sensitive: BTreeSet<String> = phi
        .into_iter()
        .flat_map(|retention| retention.phi_mailboxes.iter().map(|address| address.to_lowercase()))
        .chain(administrators(context))
        .collect();

    let mut rules: BTreeMap<String, Vec<(&EvidenceId, &Exported)>> = BTreeMap::new();
    for (id, record) in exported::records(context) {
        if let Record::ForwardingRule(rule) = record {
            rules.entry(name(rule, &by_reference)).or_default().push((id, rule));
        }
    }
    let connectors = Connectors::of(context);
    let subjects: Vec<_> = rules
        .into_iter()
        .map(|(name, said)| {
            let known = Known {
                directory: &directory,
                by_reference: &by_reference,
                listed: &listed,
                sensitive: &sensitive,
                connectors: &connectors,
            };
            one(name, &said, &known, mailboxes_gone.as_ref())
        })
        .collect();
    let collection = collection(context, &subjects, listed.len());
    Built { subjects, collection }
}

/// The addresses whose users administer the tenant.
fn administrators(context: Context<'_>) -> impl Iterator<Item = String> {
    exported::records(context).filter_map(|(_, record)| match record {
        Record::Mailbox(mailbox) if mailbox.administrator.present() == Some(&true) => Some(mailbox.address.clone()),
        Record::MfaRegistration(registration) if registration.administrator.present() == Some(&true) => {
            Some(registration.address.clone())
        }
        _ => None,
    })
}

/// What all rules are looked at with.
struct Known<'k, 'e> {
    directory: &'k Directory<'e>,
    by_reference: &'k BTreeMap<&'e str, Option<&'e str>>,
    listed: &'k BTreeSet<&'e str>,
    /// Mailboxes of administrators, and those that hold PHI.
    sensitive: &'k BTreeSet<String>,
    connectors: &'k Connectors<'e>,
}

/// The mailbox a rule belongs to, as far as the exports tell.
fn mailbox_of<'e>(rule: &'e Exported, by_reference: &BTreeMap<&'e str, Option<&'e str>>) -> Option<&'e str> {
    match (&rule.mailbox, &rule.owner) {
        // A rule may name its mailbox by another of its addresses.
        (Seen::Present(mailbox), _) => Some(mailbox),
        (_, Some(owner)) => by_reference.get(owner.as_str()).copied().flatten(),
        (_, None) => None,
    }
}

fn name(rule: &Exported, by_reference: &BTreeMap<&str, Option<&str>>) -> String {
    let owner = match (mailbox_of(rule, by_reference), &rule.owner) {
        (Some(mailbox), _) => mailbox.to_owned(),
        (None, Some(owner)) => format!("owner-{owner}"),
        (None, None) => rule.origin.clone(),
    };
    format!("{owner}/{}", rule.reference)
}

fn one(
    name: String,
    said: &[(&EvidenceId, &Exported)],
    known: &Known<'_, '_>,
    mailboxes_gone: Option<&NotObserved>,
) -> ForwardingRule {
    let Known { directory, by_reference, listed, sensitive, connectors } = *known;
    let ids: Vec<EvidenceId> = said.iter().map(|(id, _)| (*id).clone()).collect();
    let flag = |read: &dyn Fn(&Exported) -> &Seen<bool>| {
        let values: Vec<_> = said.iter().map(|(id, rule)| (*id, read(rule))).collect();
        // On both sides of a contradiction the rule that does something counts.
        let (seen, evidence) = joined(&values, |new, _| *new);
        Fact::new(seen, evidence)
    };
    let list = |read: &dyn Fn(&Exported) -> &Vec<String>| {
        let mut all: Vec<String> = said.iter().flat_map(|(_, rule)| read(rule).iter().cloned()).collect();
        all.sort();
        all.dedup();
        Fact::present(all, ids.clone())
    };
    let classes: Vec<_> =
        said.iter().map(|(id, rule)| (*id, directory.worst(&rule.targets, rule.targets_incomplete.as_ref()))).collect();
    let borrowed: Vec<_> = classes.iter().map(|(id, class)| (*id, class)).collect();
    let (class, mut rests_on) = joined(&borrowed, |(new, _), (known, _)| new > known);
    rests_on.extend(directory.evidence.iter().cloned());
    // No recipient at all is a class of its own here: the rule is there, it sends nothing on.
    let class = match class {
        Seen::Absent => Seen::Present((Class::None, Vec::new())),
        class => class,
    };
    let first = said[0].1;
    let mailbox = said.iter().find_map(|(_, rule)| mailbox_of(rule, by_reference));
    let (mailbox, mailbox_listed) = match mailbox {
        Some(address) => {
            let listing = match mailboxes_gone {
                Some(reason) => Fact::unknown(reason.clone()),
                None if first.provider == SELF_HOSTED && !listed.contains(address) => {
                    Fact::unknown(no_list_of_mailboxes())
                }
                None => Fact::present(listed.contains(address), ids.clone()),
            };
            (Fact::present(address.to_owned(), ids.clone()), listing)
        }
        // Rules of the mail system say that they belong to nobody.
        None if first.mailbox == Seen::Absent => {
            let whose = if first.origin == "alias" { "no mailbox" } else { "every mailbox" };
            (Fact::present(whose.to_owned(), ids.clone()), Fact::present(true, ids.clone()))
        }
        None => {
            let reason = mailboxes_gone.cloned().unwrap_or_else(|| NotObserved::NotProvided {
                what: "the mailbox that the rule belongs to".to_owned(),
            });
            let listing = match mailboxes_gone {
                Some(reason) => Fact::unknown(reason.clone()),
                None if first.provider == SELF_HOSTED => Fact::unknown(no_list_of_mailboxes()),
                None => Fact::present(false, ids.clone()),
            };
            (Fact::new(Seen::Unknown(reason), ids.clone()), listing)
        }
    };
    let opaque = flag(&|rule| &rule.opaque);
    let names: Vec<_> = said.iter().map(|(id, rule)| (*id, &rule.name_class)).collect();
    let (name_class, name_evidence) = joined(&names, |_, _| false);
    let is_sensitive = mailbox.seen.present().is_some_and(|address| sensitive.contains(address));
    // A rule of the mail system is nobody's own, and what it does is judged by what it sends where.
    let scores = OF_PEOPLE.contains(&first.origin.as_str());
    let score = if scores { worst_score(said, &class, is_sensitive) } else { Ok(NOT_SCORED) };
    let (score, score_seen) = match score {
        Ok(score) => (score, None),
        Err(reason) => (NOT_SCORED, Some(reason)),
    };
    let scored = |evidence: Vec<EvidenceId>| Scored { score: &score, unknown: score_seen.as_ref(), evidence };
    ForwardingRule {
        name,
        mailbox,
        conceals: scored(ids.clone()).fact(|score| score.conceals),
        score: scored(rests_on.clone()).fact(|score| score.points),
        score_level: scored(rests_on.clone()).fact(|score| score.level.to_owned()),
        score_parts: scored(rests_on.clone()).fact(|score| score.parts.clone()),
        alike: Fact::present(alike(said), ids.clone()),
        origin: Fact::present(first.origin.clone(), ids.clone()),
        mailbox_listed,
        enabled: flag(&|rule| &rule.enabled),
        actions: list(&|rule| &rule.actions),
        target_class: Fact::new(class.clone().map(|(class, _)| class.as_str().to_owned()), rests_on.clone()),
        target_domains: Fact::new(class.map(|(_, domains)| domains), rests_on),
        deletes: flag(&|rule| &rule.deletes),
        hides: flag(&|rule| &rule.hides),
        has_conditions: flag(&|rule| &rule.has_conditions),
        keywords: list(&|rule| &rule.keywords),
        name_class: Fact::new(name_class, name_evidence),
        readable: Fact::new(opaque.seen.map(|opaque| !opaque), opaque.evidence),
        skips_filter: flag(&|rule| &rule.skips_filter),
        route: connectors.route(said),
    }
}

/// The connectors for outgoing mail, by keyed reference of their name.
struct Connectors<'e> {
    /// Whether it is switched on, as far as that is stated.
    known: BTreeMap<&'e str, Option<bool>>,
    /// Why there may be further ones.
    more: Option<NotObserved>,
    evidence: Vec<EvidenceId>,
}

impl<'e> Connectors<'e> {
    fn of(context: Context<'e>) -> Self {
        const FORMATS: [&str; 1] = ["microsoft365.outbound-connectors"];
        let mut known = BTreeMap::new();
        for (_, record) in exported::records(context) {
            if let Record::TenantSetting(setting) = record
                && setting.setting == "connector-name"
                && let Some(of) = &setting.of
            {
                known.insert(of.as_str(), setting.value.present().map(|word| word == "on"));
            }
        }
        let files = Files::of(context);
        let gone = context.evidence.taken_away(Source::Export, SubjectKind::Tenant);
        let whole = files.whole(&FORMATS, "the connectors for outgoing mail (Get-OutboundConnector)").err();
        // A reader that kept no names says nothing of which there are.
        let rows = files.of_format(FORMATS[0]).any(|(_, file)| file.rows > 0);
        let nameless = (rows && known.is_empty())
            .then(|| NotObserved::NotProvided { what: "the names of the connectors for outgoing mail".to_owned() });
        Self { known, more: gone.or(whole).or(nameless), evidence: files.evidence_of(&FORMATS).collect() }
    }

    fn route(&self, said: &[(&EvidenceId, &Exported)]) -> Fact<String> {
        let (id, rule) = said[0];
        let mut evidence = vec![id.clone()];
        if rule.origin != "transport" {
            return Fact::present("none".to_owned(), evidence);
        }
        let values: Vec<_> = said.iter().map(|(id, rule)| (*id, &rule.routes_to)).collect();
        let connector = match joined(&values, |_, _| false).0 {
            Seen::Absent => return Fact::present("none".to_owned(), evidence),
            Seen::Present(connector) => connector,
            Seen::Malformed(malformed) => return Fact::new(Seen::Malformed(malformed), evidence),
            Seen::Unknown(reason) => return Fact::new(Seen::Unknown(reason), evidence),
        };
        evidence.extend(self.evidence.iter().cloned());
        let word = match (self.known.get(connector.as_str()), &self.more) {
            (Some(Some(true)), _) => "listed",
            (Some(Some(false)), _) => "switched-off",
            (Some(None), _) => {
                let what = "whether every connector is switched on".to_owned();
                return Fact::new(Seen::Unknown(NotObserved::NotProvided { what }), evidence);
            }
            (None, Some(reason)) => return Fact::new(Seen::Unknown(reason.clone()), evidence),
            (None, None) => "unlisted",
        };
        Fact::present(word.to_owned(), evidence)
    }
}

fn alike(said: &[(&EvidenceId, &Exported)]) -> String {
    match said.iter().map(|(_, rule)| rule.rules).max() {
        Some(rules @ 2..) => format!("; {rules} rules of this mailbox are alike"),
        Some(0 | 1) | None => String::new(),
    }
}

/// Rules that people make for themselves.
const OF_PEOPLE: [&str; 4] = ["filter", "inbox", "sieve", "sweep"];

const NOT_SCORED: Score = Score { points: 0, level: "none", parts: Vec::new(), conceals: false };

/// A score, or why there is none.
struct Scored<'s> {
    score: &'s Score,
    unknown: Option<&'s NotObserved>,
    evidence: Vec<EvidenceId>,
}

impl Scored<'_> {
    fn fact<T>(self, read: impl Fn(&Score) -> T) -> Fact<T> {
        match self.unknown {
            Some(reason) => Fact::new(Seen::Unknown(reason.clone()), self.evidence),
            None => Fact::present(read(self.score), self.evidence),
        }
    }
}

/// The highest score of what several exports say of one rule.
fn worst_score(
    said: &[(&EvidenceId, &Exported)],
    class: &Seen<(Class, Vec<String>)>,
    sensitive: bool,
) -> Result<Score, NotObserved> {
    let mut worst: Option<Score> = None;
    let mut unknown = None;
    for (_, rule) in said {
        let traits = Traits {
            class: class.clone().map(|(class, _)| class),
            deletes: &rule.deletes,
            hides: &rule.hides,
            folder: &rule.folder,
            marks_read: &rule.marks_read,
            stops: rule.actions.iter().any(|action| action == "stop"),
            moves: rule.actions.iter().any(|action| action == "move"),
            has_conditions: &rule.has_conditions,
            matches_all: &rule.matches_all,
            hidden: &rule.hidden,
            opaque: &rule.opaque,
            name_class: &rule.name_class,
            keywords: &rule.keywords,
            sensitive,
        };
        match traits.score(RuleScoring::shipped()) {
            Ok(score) if worst.as_ref().is_none_or(|known| known.points < score.points) => worst = Some(score),
            Ok(_) => {}
            Err(reason) => unknown = Some(reason),
        }
    }
    worst.ok_or_else(|| unknown.unwrap_or_else(|| NotObserved::NotProvided { what: exported::NOT_LISTED.to_owned() }))
}

fn collection(context: Context<'_>, subjects: &[ForwardingRule], mailboxes: usize) -> Collection {
    let evidence = context.evidence;
    let gone = [SubjectKind::ForwardingRule, SubjectKind::ExportFile];
    if let Some(reason) = gone.into_iter().find_map(|kind| evidence.taken_away(Source::Export, kind)) {
        return Collection::Incomplete(reason);
    }
    let files = Files::of(context);
    let providers = files.providers();
    if providers.is_empty() {
        return Collection::Incomplete(NotObserved::NotProvided { what: RULES_MICROSOFT.to_owned() });
    }
    for provider in providers {
        let needed: &[Needed] = match provider {
            SELF_HOSTED => &NEEDED_SELF_HOSTED,
            "google-workspace" => &NEEDED_GOOGLE,
            _ => &NEEDED_MICROSOFT,
        };
        if let Some(reason) = needed.iter().find_map(|(formats, what)| files.whole(formats, what).err()) {
            return Collection::Incomplete(reason);
        }
    }
    let of_people = |origin: &String| ["filter", "inbox", "sieve"].contains(&origin.as_str());
    let inbox = subjects.iter().any(|rule| rule.origin.seen.present().is_none_or(of_people));
    if !inbox && mailboxes >= MAILBOXES_WITHOUT_RULES {
        return Collection::Incomplete(NotObserved::AccessDenied {
            needs: format!("a role that may read inbox rules: not one rule came back for {mailboxes} mailboxes"),
        });
    }
    Collection::Complete
}

/// Formats of which one is enough, and what to hand over.
type Needed = (&'static [&'static str], &'static str);

const RULES_MICROSOFT: &str = "the inbox rules of all mailboxes (Get-InboxRule)";
const NEEDED_MICROSOFT: [Needed; 3] = [
    (&["microsoft365.inbox-rules", "microsoft365.inbox-rules-graph"], RULES_MICROSOFT),
    (&["microsoft365.transport-rules"], "the transport rules (Get-TransportRule)"),
    (&["microsoft365.journal-rules"], "the journal rules (Get-JournalRule)"),
];
const NEEDED_GOOGLE: [Needed; 1] =
    [(&["google-workspace.filters"], "the filters of all users (gam all users print filters)")];
const SELF_HOSTED: &str = "self-hosted";
/// Which scripts and files a server has is known to nobody but the server.
const NEEDED_SELF_HOSTED: [Needed; 4] = [
    (
        &["self-hosted.sieve", "self-hosted.zimbra"],
        "the Sieve scripts of all mailboxes (doveadm sieve list, doveadm sieve get; Zimbra: collect-self-hosted.sh)",
    ),
    (&["self-hosted.postfix"], "the settings of Postfix (postconf -n)"),
    (&["self-hosted.aliases"], "the alias maps of Postfix (postconf alias_maps virtual_alias_maps)"),
    (&["self-hosted.forward-file"], "the .forward files of all users"),
];

fn no_list_of_mailboxes() -> NotObserved {
    NotObserved::NotProvided { what: "a list of all mailboxes of the mail server".to_owned() }
}

#[cfg(test)]
mod tests {
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
    }

    #[test]
    fn the_same_rule_twice_is_one_rule() {
        let world = leaky(&[]);
        let text =
            std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/exports/leaky-clinic/inbox-rules.json"))
                .unwrap();
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
        let mut enabled: Vec<_> =
            built.subjects.iter().filter_map(|rule| rule.enabled.seen.present().copied()).collect();
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
            let mut text =
                "MailboxOwnerId,RuleIdentity,Enabled,ForwardTo,RedirectTo,ForwardAsAttachmentTo\n".to_owned();
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
        let rules = b"MailboxOwnerId,RuleIdentity,Enabled,ForwardTo,RedirectTo,ForwardAsAttachmentTo\na@clinic.example,1,True,,,\n";
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
        let names = |built: &Built<ForwardingRule>| {
            built.subjects.iter().map(|rule| rule.name.clone()).collect::<BTreeSet<_>>()
        };
        assert_eq!(names(&forward), names(&of(&lines)));
    }
}
