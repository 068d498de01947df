//! One mailbox: the row of the table, and what puts it before another.

use super::access::{AtMost, Reach};
use super::holdings::Holding;
use super::{Exposure, Logs, Notice, Opened, SHOWN, Within, World, what_if};
use crate::names::SubjectKind;
use crate::risk::Level;
use crate::risk::impact::day_before;
use crate::risk::known::KnownMailbox;
use crate::risk::model::Model;

/// Worst greatest: the level, then who could be touched, then the way in.
pub(super) type Order = (Level, Level, u64, u64, u8);

/// What is known of one mailbox; one that only a scan knows has nothing.
pub(super) fn row(world: &World<'_>, at: usize) -> (Order, Exposure) {
    let name = &world.names[at];
    let mailbox = world.mailboxes[at];
    let reach = world.access.reach(at);
    let holding = world.holdings.at(at);
    let within = world.holdings.within(at, &reach);
    let door = Door::of(mailbox);
    let sensitive = world.holdings.is_sensitive(&reach);
    let (risk, impact) = rated(world.model, door.success(world.model), within, sensitive);
    let alone = world.holdings.alone(holding);
    let logs = logs(world, mailbox);
    let exposure = Exposure {
        mailbox: mailbox.map_or_else(|| name.clone(), |mailbox| mailbox.name.clone()),
        rank: 0,
        risk,
        way_in: door.word.to_owned(),
        protocols: door.protocols.iter().map(|word| (*word).to_owned()).collect(),
        individuals_lower: holding.is_known().then_some(alone.lower),
        individuals_upper: if holding.upper().is_some() { alone.upper } else { None },
        oldest: holding.scanned.as_ref().and_then(|volume| day_before(world.today, volume.oldest_days?)),
        over_500: over(world.model, holding, alone),
        sensitive: holding
            .scanned
            .as_ref()
            .filter(|volume| volume.sensitive_told || !volume.sensitive.is_empty())
            .map(|volume| volume.sensitive.iter().cloned().collect()),
        opens: opened(world, &reach),
        opens_at_least: reach.at_once.len() + reach.in_part.len(),
        opens_at_most: match &reach.at_most {
            AtMost::Everything => world.names.len() - 1,
            AtMost::These(places) => world.anybodys + places.len() - 1,
        },
        sends_as: world.access.sends_as(at).iter().take(SHOWN).map(|&other| world.names[other].clone()).collect(),
        leaves_to: mailbox
            .filter(|mailbox| mailbox.leaves_known || !mailbox.leaves_to.is_empty())
            .map(|mailbox| mailbox.leaves_to.clone()),
        within,
        notice: notice(world.model, &logs, within),
        logs,
        changes: what_if::changes(world, at, &reach, within, &door, sensitive, risk),
        not_known: not_known(world, at, mailbox, holding),
    };
    let order = (risk, impact, within.upper.unwrap_or(u64::MAX), within.lower, door.rank());
    (order, exposure)
}

/// How somebody gets in.
pub(super) struct Door {
    word: &'static str,
    protocols: Vec<&'static str>,
    /// Whether IMAP and POP3 are known to be closed, so that nothing reads mail around the factor.
    reads_only_behind_the_factor: bool,
}

impl Door {
    fn of(mailbox: Option<&KnownMailbox>) -> Self {
        let Some(mailbox) = mailbox else {
            return Self { word: "not known", protocols: Vec::new(), reads_only_behind_the_factor: false };
        };
        // Whoever signs in first where none is registered may register his own.
        let word = match (mailbox.mfa_registered, mailbox.mfa_enforced) {
            (Some(false), _) => "no second factor",
            (_, Some(true)) => "second factor demanded",
            (Some(true), _) => "second factor registered",
            (None, Some(false) | None) => "not known",
        };
        let all = [("IMAP", mailbox.imap), ("POP3", mailbox.pop), ("SMTP AUTH", mailbox.smtp_auth)];
        Self {
            word,
            protocols: all.into_iter().filter(|(_, open)| *open == Some(true)).map(|(name, _)| name).collect(),
            reads_only_behind_the_factor: mailbox.imap == Some(false) && mailbox.pop == Some(false),
        }
    }

    /// The same door with a second factor demanded and the older protocols closed.
    pub(super) fn guarded() -> Self {
        Self { word: "second factor demanded", protocols: Vec::new(), reads_only_behind_the_factor: true }
    }

    pub(super) fn is_guarded(&self) -> bool {
        self.word == "second factor demanded" && self.reads_only_behind_the_factor
    }

    /// Not knowing earns nothing; a factor that can be walked around earns nothing either.
    pub(super) fn success(&self, model: &Model) -> Level {
        let steps = model.credits.primary.first().map_or(0, |row| row.steps);
        if self.is_guarded() { model.exposure.success.lowered(steps) } else { model.exposure.success }
    }

    fn rank(&self) -> u8 {
        match self.word {
            "no second factor" => 3,
            "not known" => 2,
            "second factor registered" => 1,
            _ => u8::from(!self.reads_only_behind_the_factor),
        }
    }
}

/// The level and the impact of one mailbox.
pub(super) fn rated(model: &Model, success: Level, within: Within, sensitive: bool) -> (Level, Level) {
    let at_least = model.impact.band(within.lower);
    let impact = within.upper.map_or(model.impact.unknown_volume.max(at_least), |upper| model.impact.band(upper));
    let impact = if sensitive { impact.raised(model.impact.sensitive_steps) } else { impact };
    let likelihood = model.likelihood(model.exposure.attempt, success);
    (model.risk_table.at(likelihood, impact), impact)
}

/// Certain only where the bounds agree.
fn over(model: &Model, holding: &Holding, alone: Within) -> Option<bool> {
    let threshold = model.impact.notice_individuals;
    if holding.lower() >= threshold {
        return Some(true);
    }
    holding.upper().and(alone.upper).filter(|upper| *upper < threshold).map(|_| false)
}

fn opened(world: &World<'_>, reach: &Reach) -> Vec<Opened> {
    let whole = reach.at_once.iter().map(|&at| (at, "may open it"));
    let part = reach.in_part.iter().map(|&at| (at, "may look into folders of it"));
    let all = whole.chain(part).take(SHOWN);
    all.map(|(at, how)| Opened { mailbox: world.names[at].clone(), how: how.to_owned() }).collect()
}

/// What was done in it is written down where its own auditing is on, nothing takes its account out,
/// and the log of the whole organization takes entries.
fn logs(world: &World<'_>, mailbox: Option<&KnownMailbox>) -> Logs {
    let said = |state: &str, why: &str| Logs { state: state.to_owned(), why: why.to_owned() };
    let Some(mailbox) = mailbox else { return said("not known", "no export lists this mailbox") };
    match (mailbox.audited, mailbox.audit_bypassed, world.known.unified_log) {
        (Some(false), _, _) => said("not kept", "actions in this mailbox are not audited"),
        (_, Some(true), _) => said("not kept", "its account is taken out of auditing"),
        (_, _, Some(false)) => said("not kept", "the audit log of the organization takes no entries"),
        (Some(true), Some(false), Some(true)) => said(
            "kept",
            "auditing is on and the log takes entries; which single messages were opened is told only where that is licensed and recorded",
        ),
        (None, _, _) => said("not known", "no export says whether actions in it are audited"),
        (_, None, _) => said("not known", "no export says whether its account is taken out of auditing"),
        (_, _, None) => said("not known", "no export says whether the audit log takes entries"),
    }
}

/// Where nothing was kept, everybody whose information was within reach has to be told, since
/// nobody can show otherwise (45 CFR 164.402(2)); where logs were kept they may show fewer.
fn notice(model: &Model, logs: &Logs, within: Within) -> Notice {
    let lower = if logs.state == "not kept" { within.lower } else { within.lower.min(1) };
    let individuals = Within { lower, upper: within.upper };
    Notice { individuals, band: band(model, individuals).to_owned() }
}

pub(super) fn band(model: &Model, individuals: Within) -> &'static str {
    let threshold = model.impact.notice_individuals;
    match individuals.upper {
        _ if individuals.lower >= threshold => "500 or more",
        Some(0) => "nobody known",
        Some(upper) if upper < threshold => "fewer than 500",
        Some(_) | None => "500 cannot be ruled out",
    }
}

fn not_known(world: &World<'_>, at: usize, mailbox: Option<&KnownMailbox>, holding: &Holding) -> Vec<String> {
    let Some(mailbox) = mailbox else {
        return vec!["no export lists this mailbox: how it is guarded and who may open it".to_owned()];
    };
    let factor = mailbox.mfa_enforced.is_none() && mailbox.mfa_registered != Some(false);
    let protocols = mailbox.imap.is_none() || mailbox.pop.is_none() || mailbox.smtp_auth.is_none();
    let texts = [
        (factor, "whether a second factor is demanded"),
        (protocols, "whether IMAP, POP3 and SMTP AUTH are open"),
        (true, "whether app passwords exist: no export read here lists them"),
        (world.access.administers(at).is_none(), "whether its user administers the mail system"),
        (!world.known.is_complete(SubjectKind::Mailbox), "which mailboxes there are: the list of them is not whole"),
        (!world.access.known_of_all(), "who may open some mailboxes: groups, or rights that no export shows"),
        (holding.upper().is_none(), "how many individuals' information lies in it"),
        (!mailbox.leaves_known, "whether its mail is forwarded outside, or where else"),
    ];
    texts.into_iter().filter(|(is, _)| *is).map(|(_, text)| text.to_owned()).collect()
}
