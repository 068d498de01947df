//! A rule that moves mail by itself: inbox rule, filter, transport rule.
//!
//! The same rule in two exports is one rule. A rule whose mailbox nobody names is kept and says
//! so: an unattributed rule must not disappear.

use std::collections::{BTreeMap, BTreeSet};

mod connectors;
mod score;

use self::connectors::Connectors;
use self::score::{Score, Traits};
use super::exported::{self, Class, Directory, Files, joined, mailbox_of};
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
        /// What it does: `forward`, `redirect`, `pipe` (into a program), `delete`, `hide`, `move`, `mark-read`, …
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
/// Fewer mailboxes with rules may be the reader's own alone, unless a collector says that it asked.
const MAILBOXES_WITH_RULES: usize = 2;

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
    let collection = collection(context);
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

fn collection(context: Context<'_>) -> Collection {
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
        // The first of what is needed are the rules that people make.
        let told = needed[0].0.iter().any(|format| files.collected(format).is_some());
        let (listed, with_rules) = exported::mailboxes_and_those_with_rules(context, provider);
        let (mailboxes, with_rules) = (listed.len(), with_rules.len());
        let few = with_rules == 0 || (with_rules < MAILBOXES_WITH_RULES && !told);
        if few && mailboxes >= MAILBOXES_WITHOUT_RULES {
            return Collection::Incomplete(NotObserved::AccessDenied {
                needs: format!(
                    "a role that may read inbox rules: rules came back for {with_rules} of {mailboxes} mailboxes"
                ),
            });
        }
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
mod tests;
