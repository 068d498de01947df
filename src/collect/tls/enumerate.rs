//! Finds out which versions, suites and groups a service accepts, with few connections.
//!
//! First a hello with a suite nobody has shows how the service refuses. Then suites are offered in
//! chunks, and the one chosen is struck off, until the rest is clearly refused. What is neither
//! accepted nor clearly refused stays unknown; the picture is derived from the hellos elsewhere.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;

use super::ask::{Asked, Asker};
use super::hello::{Offer, SIGNATURES};
use crate::evidence::endpoint::{EndpointAnswer, Hello, HelloReply};
use crate::records::certificate;
use crate::records::cipher_suites::{self, KeyExchange, NOBODY_HAS, Suite};
use crate::records::signature_schemes;
use crate::records::tls_groups;
use crate::records::tls_picture::{Order, Support, TlsPicture, Version, one_family, picture};

/// Some servers look at no more suites than this, and some refuse longer lists.
const CHUNK: usize = 64;
/// Suites that need keys agreed elsewhere are hardly ever there, and are asked in larger chunks.
const RARE_CHUNK: usize = 128;

/// A hello of this many suites is as small as one needs to be for servers that dislike large ones.
const FEW: usize = 8;

/// How much to find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Every version, suite and group, and whose order decides.
    Full,
    /// Versions, and of each class of suites whether any is accepted: few connections, for shy
    /// mail servers.
    Verdict,
}

impl Mode {
    /// The word in evidence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Verdict => "verdict",
        }
    }

    /// The mode that suits a port where nobody chose one.
    pub const fn for_port(port: u16) -> Self {
        if port == 25 { Self::Verdict } else { Self::Full }
    }
}

/// Asks everything of one address.
pub(crate) async fn enumerate(asker: &Asker<'_>, mode: Mode) {
    // Chains of questions are numbered, so that the evidence is in one order.
    let control = offer(Version::Tls1_2, vec![NOBODY_HAS]);
    let answered = asker.ask((0, 0), control).await;
    if matches!(answered, Asked::Stopped) {
        return;
    }
    let style = asker.learned().hellos.first().map(|(_, hello)| hello.reply.clone());
    asker.learned().style.clone_from(&style);
    match style {
        // A service that speaks something else needs no more questions.
        Some(HelloReply::Garbage { .. }) => return,
        Some(HelloReply::TimedOut) => {
            let likely = chunks(Version::Tls1_2, false).into_iter().next().unwrap_or_default();
            asker.ask((1, 0), offer(Version::Tls1_2, likely)).await;
            let spoke = asker
                .learned()
                .hellos
                .iter()
                .any(|(_, hello)| matches!(hello.reply, HelloReply::ServerHello { .. } | HelloReply::Alert { .. }));
            if !spoke {
                return;
            }
        }
        Some(HelloReply::Alert { .. } | HelloReply::Closed | HelloReply::Reset | HelloReply::ServerHello { .. })
        | None => {}
    }
    let by_family = !matches!(style, Some(HelloReply::Alert { description: 40 | 70 | 71, .. }));
    let search = Search { asker, mode, by_family };
    let questions = async {
        Box::pin(search.everything()).await;
        if matches!(style, Some(HelloReply::TimedOut)) && !search.picture().any_accepted() {
            return;
        }
        asker.enough().await;
        // Last and alone: a service that takes one connection at a time is held up by looking inside.
        Box::pin(asker.handshake()).await;
    };
    match mode {
        Mode::Full => Box::pin(asker.warmed(questions)).await,
        // Few questions, and none of them wasted on being early.
        Mode::Verdict => questions.await,
    }
}

fn groups_of(version: Version) -> Vec<u16> {
    match version {
        Version::Ssl2 | Version::Ssl3 => Vec::new(),
        Version::Tls1_0 | Version::Tls1_1 | Version::Tls1_2 => tls_groups::TLS12.to_vec(),
        Version::Tls1_3 => tls_groups::TLS13.to_vec(),
    }
}

fn offer(version: Version, suites: Vec<u16>) -> Offer {
    Offer::new(version, suites, groups_of(version))
}

/// The first hello of a chain also offers what nobody should agree to; where that were too much for a
/// service, the hellos after it do without.
fn offer_at(number: u32, version: Version, suites: Vec<u16>) -> Offer {
    let plain = offer(version, suites);
    if number == 0 { plain.tempting() } else { plain }
}

/// The common suites of a version, likely ones first and dealt over the chunks, so that the chains
/// of questions are of one length. By family where a server may close on a family.
fn chunks(version: Version, by_family: bool) -> Vec<Vec<u16>> {
    let mut suites: Vec<Suite> = version.candidates().filter(|suite| suite.is_common()).collect();
    suites.sort_by_key(|suite| (suite.rank(), suite.code));
    if by_family {
        return families(&suites.iter().map(|suite| suite.code).collect::<Vec<_>>());
    }
    let count = suites.len().div_ceil(CHUNK).max(1);
    let mut dealt = vec![Vec::new(); count];
    for (index, suite) in suites.iter().enumerate() {
        dealt[index % count].push(suite.code);
    }
    dealt
}

fn chunked(suites: &[u16]) -> Vec<Vec<u16>> {
    suites.chunks(CHUNK).map(<[u16]>::to_vec).collect()
}

/// Suites that need keys agreed elsewhere.
fn rare_chunks(version: Version) -> Vec<Vec<u16>> {
    let rare: Vec<u16> = version.candidates().filter(|suite| !suite.is_common()).map(|suite| suite.code).collect();
    rare.chunks(RARE_CHUNK).map(<[u16]>::to_vec).collect()
}

/// The same suites by family, in order. The families hardly any service has are kept in one list, as
/// long as that splits anything: mostly they are refused together.
fn families(suites: &[u16]) -> Vec<Vec<u16>> {
    let mut likely: BTreeMap<_, Vec<u16>> = BTreeMap::new();
    let mut unlikely: BTreeMap<_, Vec<u16>> = BTreeMap::new();
    for suite in suites.iter().filter_map(|&code| cipher_suites::by_code(code)) {
        let family = suite.family();
        let place = match family {
            (KeyExchange::Tls13, _) => 0,
            (KeyExchange::Ecdhe, "RSA") => 1,
            (KeyExchange::Ecdhe, _) => 2,
            (KeyExchange::Rsa, _) => 3,
            // Some services without parameters close on this one: late.
            (KeyExchange::Dhe, "RSA") => 4,
            (
                KeyExchange::AnonymousDh
                | KeyExchange::AnonymousEcdh
                | KeyExchange::Dhe
                | KeyExchange::Other
                | KeyExchange::StaticDh,
                _,
            ) => 5,
        };
        let lists = if place < 5 { &mut likely } else { &mut unlikely };
        lists.entry((place, family)).or_default().push(suite.code);
    }
    let mut lists: Vec<Vec<u16>> = likely.into_values().collect();
    if lists.is_empty() || unlikely.len() == 1 {
        lists.extend(unlikely.into_values());
    } else if !unlikely.is_empty() {
        lists.push(unlikely.into_values().flatten().collect());
    }
    lists.iter().flat_map(|list| list.chunks(CHUNK)).map(<[u16]>::to_vec).collect()
}

/// Says whether a suite is in a class.
type Class = fn(Suite) -> bool;

struct Search<'a, 'd> {
    asker: &'a Asker<'d>,
    mode: Mode,
    /// Whether refusals look like failures, so that families are asked apart from the start.
    by_family: bool,
}

impl Search<'_, '_> {
    /// Each version on its own, so that none waits for the longest list; what needs all of them comes last.
    async fn everything(&self) {
        if self.mode == Mode::Verdict {
            tokio::join!(
                self.tls13(),
                self.tls12(),
                self.old(Version::Tls1_1, 4),
                self.old(Version::Tls1_0, 5),
                self.old(Version::Ssl3, 6),
                self.ssl2(),
            );
            return;
        }
        tokio::join!(
            async {
                self.tls13().await;
                self.order(Version::Tls1_3, 8).await;
            },
            async {
                self.tls12().await;
                tokio::join!(self.order(Version::Tls1_2, 9), self.groups(10), self.signatures(14));
            },
            async {
                self.old(Version::Tls1_1, 4).await;
                self.order(Version::Tls1_1, 13).await;
            },
            async {
                self.old(Version::Tls1_0, 5).await;
                self.order(Version::Tls1_0, 12).await;
            },
            async {
                self.old(Version::Ssl3, 6).await;
                self.order(Version::Ssl3, 11).await;
            },
            self.ssl2(),
        );
        self.fallback(15).await;
    }

    /// The picture so far.
    fn picture(&self) -> TlsPicture {
        let learned = self.asker.learned();
        let mut hellos: Vec<_> = learned.hellos.clone();
        hellos.sort_by_key(|(place, _)| *place);
        picture(&only_hellos(hellos.into_iter().map(|(_, hello)| hello).collect()))
    }

    /// Suites and groups of TLS 1.3 are independent of each other, and each retry request names one of
    /// both: both are struck off at once.
    async fn tls13(&self) {
        let version = Version::Tls1_3;
        let all_suites: Vec<u16> = {
            let mut suites: Vec<Suite> = version.candidates().collect();
            suites.sort_by_key(|suite| suite.code);
            suites.iter().map(|suite| suite.code).collect()
        };
        let all_groups = groups_of(version);
        let (mut suites, mut groups) = (all_suites.clone(), all_groups.clone());
        let (mut suites_done, mut groups_done) = (false, false);
        let mut number = 0;
        while !(suites_done && groups_done) {
            let offer = Offer::new(
                version,
                if suites_done { all_suites.clone() } else { suites.clone() },
                if groups_done { all_groups.clone() } else { groups.clone() },
            );
            let asked = self.asker.ask((2, number), offer).await;
            number += 1;
            match asked {
                Asked::Chosen(chosen) => {
                    let before = (suites.len(), groups.len());
                    suites.retain(|&code| code != chosen.suite);
                    groups.retain(|&code| Some(code) != chosen.group);
                    if before == (suites.len(), groups.len()) {
                        // It chose what was not asked for: there is no end to that.
                        return;
                    }
                    suites_done |= suites.is_empty();
                    groups_done |= groups.is_empty();
                    if self.mode == Mode::Verdict {
                        // Integrity without encryption (RFC 9150) is the one class to be ruled out here.
                        let rejected = AtomicBool::new(false);
                        self.first_of(version, (3, 0), &|suite| suite.is_broken(), &rejected).await;
                        return;
                    }
                }
                Asked::Refused { version: true } | Asked::Stopped => return,
                Asked::Refused { version: false } if suites_done || groups_done => return,
                Asked::Refused { version: false } if suites.len() == all_suites.len() => return,
                Asked::Refused { version: false } => {
                    // Suites or groups ran out: the rest of the suites with every group tells which.
                    let rest = Offer::new(version, suites.clone(), all_groups.clone());
                    let asked = self.asker.ask((2, number), rest).await;
                    number += 1;
                    match asked {
                        Asked::Chosen(chosen) => {
                            groups_done = true;
                            let before = suites.len();
                            suites.retain(|&code| code != chosen.suite);
                            if before == suites.len() {
                                return;
                            }
                            suites_done |= suites.is_empty();
                        }
                        Asked::Refused { .. } => suites_done = true,
                        Asked::Stopped | Asked::Unclear => return,
                    }
                }
                Asked::Unclear => return,
            }
        }
    }

    async fn tls12(&self) {
        let version = Version::Tls1_2;
        let rejected = AtomicBool::new(false);
        match self.mode {
            Mode::Full => {
                let all = chunks(version, self.by_family).into_iter().chain(rare_chunks(version));
                self.all_of(version, 100, all, &rejected).await;
            }
            Mode::Verdict => {
                self.first_of(version, (100, 0), &|suite| suite.is_strong(), &rejected).await;
                let finite_field = |suite: Suite| suite.is_finite_field() && !is_forbidden(suite);
                tokio::join!(
                    self.classes(version, 101, &rejected),
                    self.first_of(version, (104, 0), &finite_field, &rejected),
                );
                if !rejected.load(Ordering::Relaxed) && self.picture().version(version).support == Support::Unknown {
                    let rest = |suite: Suite| suite.is_common() && !suite.is_strong() && !is_forbidden(suite);
                    self.first_of(version, (105, 0), &rest, &rejected).await;
                }
            }
        }
    }

    /// Versions that should be gone: one hello first, and the rest only if that does not settle it.
    async fn old(&self, version: Version, chain: u32) {
        let rejected = AtomicBool::new(false);
        let base = chain * 100;
        let mut all = chunks(version, self.by_family).into_iter();
        match self.mode {
            Mode::Full => {
                let Some(first) = all.next() else { return };
                let rest: Vec<u16> = all.flatten().collect();
                let asked = self.asker.ask((base, 0), offer(version, first.clone()).tempting()).await;
                let lists: Vec<Vec<u16>> = match asked {
                    Asked::Refused { version: true } | Asked::Stopped => return,
                    Asked::Refused { version: false } => chunked(&rest),
                    Asked::Chosen(chosen) => {
                        let left: Vec<u16> = first.into_iter().filter(|&code| code != chosen.suite).collect();
                        std::iter::once(left).chain(chunked(&rest)).collect()
                    }
                    Asked::Unclear => families(&first.into_iter().chain(rest).collect::<Vec<_>>()),
                };
                self.all_of(version, base + 1, lists.into_iter().chain(rare_chunks(version)), &rejected).await;
            }
            Mode::Verdict => {
                let mut accepted = false;
                let mut unclear = Vec::new();
                let mut number = 0;
                while let Some(suites) = all.next() {
                    let first = offer_at(number, version, suites.clone());
                    match self.asker.ask((base, number), first).await {
                        Asked::Chosen(chosen) => accepted |= suites.contains(&chosen.suite),
                        Asked::Refused { version: true } | Asked::Stopped => return,
                        Asked::Refused { version: false } => {}
                        // The rest is asked by family.
                        Asked::Unclear => unclear = suites.into_iter().chain(all.by_ref().flatten()).collect(),
                    }
                    number += 1;
                    if accepted {
                        break;
                    }
                }
                if !accepted && !unclear.is_empty() {
                    accepted = self.one(version, (base + 1, 0), unclear, &rejected, true).await;
                }
                if accepted {
                    self.classes(version, base + 20, &rejected).await;
                }
            }
        }
    }

    async fn ssl2(&self) {
        self.asker.ask((700, 0), offer(Version::Ssl2, Vec::new())).await;
    }

    async fn all_of(&self, version: Version, base: u32, all: impl Iterator<Item = Vec<u16>>, rejected: &AtomicBool) {
        join_all((base..).zip(all).map(|(chain, suites)| self.eliminate(version, chain, suites, rejected))).await;
    }

    /// Offers suites and strikes off the one chosen, until the rest is refused.
    async fn eliminate(&self, version: Version, chain: u32, suites: Vec<u16>, rejected: &AtomicBool) {
        // Lists still to ask, each with whether it is the half of one that failed.
        let mut lists = vec![(suites, false)];
        let mut number = 0;
        while let Some((mut suites, is_half)) = lists.pop() {
            while !suites.is_empty() {
                if rejected.load(Ordering::Relaxed) {
                    return;
                }
                let asked = self.asker.ask((chain, number), offer_at(number, version, suites.clone())).await;
                number += 1;
                match asked {
                    Asked::Chosen(chosen) if suites.contains(&chosen.suite) => {
                        suites.retain(|&code| code != chosen.suite);
                    }
                    // It chose what was not offered: nothing more is to be learned with this list.
                    Asked::Chosen(_) => break,
                    Asked::Refused { version: rejects } => {
                        rejected.fetch_or(rejects, Ordering::Relaxed);
                        break;
                    }
                    Asked::Unclear => {
                        // A family that fails makes a server close; so does a list that is too long.
                        if !one_family(&suites) {
                            lists.extend(families(&suites).into_iter().rev().map(|family| (family, false)));
                        } else if suites.len() > 1 && (!is_half || (!self.by_family && suites.len() > FEW)) {
                            // Where refusals are said aloud, a close is for the hello's size.
                            let rest = suites.split_off(suites.len() / 2);
                            lists.push((rest, true));
                            lists.push((suites, true));
                        }
                        break;
                    }
                    Asked::Stopped => return,
                }
            }
        }
    }

    /// Whether any of the suites is accepted, asked once (and by family where that fails, or at once).
    async fn one(
        &self,
        version: Version,
        place: (u32, u32),
        suites: Vec<u16>,
        rejected: &AtomicBool,
        by_family: bool,
    ) -> bool {
        let (chain, mut number) = place;
        let lists = if by_family { families(&suites) } else { vec![suites] };
        let mut lists: Vec<_> = lists.into_iter().rev().collect();
        while let Some(suites) = lists.pop() {
            if suites.is_empty() {
                continue;
            }
            let asked = self.asker.ask((chain, number), offer_at(number, version, suites.clone())).await;
            number += 1;
            match asked {
                Asked::Chosen(chosen) => return suites.contains(&chosen.suite),
                Asked::Refused { version: rejects } => {
                    rejected.fetch_or(rejects, Ordering::Relaxed);
                    if rejects {
                        return false;
                    }
                }
                Asked::Unclear if !one_family(&suites) => lists.extend(families(&suites).into_iter().rev()),
                Asked::Unclear => {}
                Asked::Stopped => return false,
            }
        }
        false
    }

    async fn first_of(
        &self,
        version: Version,
        place: (u32, u32),
        is_member: &(dyn Fn(Suite) -> bool + Sync),
        rejected: &AtomicBool,
    ) -> bool {
        let mut members: Vec<Suite> =
            version.candidates().filter(|&suite| suite.is_common() && is_member(suite)).collect();
        members.sort_by_key(|suite| (suite.rank(), suite.code));
        let members: Vec<u16> = members.into_iter().map(|suite| suite.code).collect();
        for (number, chunk) in (0..).zip(members.chunks(CHUNK)) {
            if rejected.load(Ordering::Relaxed) {
                return false;
            }
            if self.one(version, (place.0, place.1 + number * 10), chunk.to_vec(), rejected, self.by_family).await {
                return true;
            }
        }
        false
    }

    /// Asks for the forbidden classes of suites: all that should be nowhere in one hello, and each on its
    /// own only where that is answered. Long-lived keys are common, and are asked for apart.
    async fn classes(&self, version: Version, chain: u32, rejected: &AtomicBool) {
        let bad: [(u32, Class); 3] = [(1, Suite::is_anonymous), (2, Suite::is_broken), (3, Suite::is_short_block)];
        let together = async {
            let any = |suite: Suite| bad.iter().any(|(_, is_member)| is_member(suite));
            if self.first_of(version, (chain, 0), &any, rejected).await {
                join_all(
                    bad.iter()
                        .map(|(number, is_member)| self.first_of(version, (chain, 100 * number), is_member, rejected)),
                )
                .await;
            }
        };
        let kept_keys = |suite: Suite| suite.is_static_key() && !bad.iter().any(|(_, is_member)| is_member(suite));
        tokio::join!(together, self.first_of(version, (chain + 1, 0), &kept_keys, rejected));
        // The rest of the class shares members with the others, which were refused or named above.
    }

    /// Whose order decides: the suite chosen first is offered last, and then, where that settles nothing,
    /// first.
    async fn order(&self, version: Version, chain: u32) {
        let mut suites = self.by_choice(version);
        suites.truncate(CHUNK);
        suites.reverse();
        for number in 0..2 {
            let picture = self.picture();
            let known = picture.version(version);
            if known.order != Order::Unknown || known.accepted.len() < 2 {
                return;
            }
            if matches!(self.asker.ask((chain, number), offer(version, suites.clone())).await, Asked::Stopped) {
                return;
            }
            suites.reverse();
        }
    }

    /// The accepted suites, in the order in which they were chosen.
    fn by_choice(&self, version: Version) -> Vec<u16> {
        let mut hellos = self.asker.learned().hellos.clone();
        hellos.sort_by_key(|(place, _)| *place);
        let mut suites = Vec::new();
        for (_, hello) in hellos {
            let HelloReply::ServerHello { bytes } = &hello.reply else { continue };
            let Some(chosen) = crate::records::server_hello::read_server_hello(&bytes.0) else { continue };
            if chosen.version == version.wire()
                && hello.suites.contains(&chosen.suite)
                && !suites.contains(&chosen.suite)
            {
                suites.push(chosen.suite);
            }
        }
        suites
    }

    /// The groups of TLS 1.2. A certificate with an elliptic-curve key can be used only while its own
    /// curve is offered too (RFC 8422 §5.1.1), so that one stays in.
    async fn groups(&self, chain: u32) {
        let version = Version::Tls1_2;
        let picture = self.picture();
        let known = picture.version(version);
        let named = |wanted: &str| -> Vec<u16> {
            let is_wanted = |code: &u16| cipher_suites::name_of(*code).starts_with(wanted);
            known.accepted.iter().copied().filter(is_wanted).collect()
        };
        // Without a certificate's key in play there is no curve to keep.
        let free = ["TLS_ECDHE_RSA_", "TLS_ECDH_anon_"].map(named).into_iter().find(|suites| !suites.is_empty());
        let (suites, own_curve) =
            free.map_or_else(|| (named("TLS_ECDHE_ECDSA_"), self.certificate_curve()), |suites| (suites, None));
        let mut groups: Vec<u16> =
            groups_of(version).into_iter().filter(|group| !known.groups.contains(group)).collect();
        for number in 0.. {
            if suites.is_empty() || groups.is_empty() {
                return;
            }
            let extra = own_curve.filter(|curve| !groups.contains(curve));
            let offer = Offer::new(version, suites.clone(), groups.iter().copied().chain(extra).collect());
            if !matches!(self.asker.ask((chain, number), offer).await, Asked::Chosen(_)) {
                return;
            }
            let seen = self.picture().version(version).groups.clone();
            let before = groups.len();
            groups.retain(|group| !seen.contains(group));
            if groups.len() == before {
                return;
            }
        }
    }

    /// The signature schemes of TLS 1.2: those not yet seen are offered alone, and the one used is struck
    /// off, until the rest is refused.
    async fn signatures(&self, chain: u32) {
        let signed: Vec<u16> = self.by_choice(Version::Tls1_2).into_iter().filter(|&code| is_signed(code)).collect();
        let all: Vec<u16> = SIGNATURES.into_iter().chain([signature_schemes::RSA_MD5]).collect();
        if !self.by_family {
            return self.signed_by((chain, 0), signed, all).await;
        }
        // A close over several families settles nothing: each kind of key is asked about with one of them.
        for (number, kind) in (0..).zip(["RSA", "ECDSA", "DSS"]) {
            let family = |code: &u16| cipher_suites::by_code(*code).map(Suite::family);
            let of_kind = |code: &&u16| family(code).is_some_and(|(_, signature)| signature == kind);
            let chosen = signed.iter().filter(of_kind).filter_map(family).max();
            let suites = signed.iter().copied().filter(|code| chosen.is_some() && family(code) == chosen).collect();
            let schemes = all.iter().copied().filter(|&scheme| signature_schemes::is_for(scheme, kind)).collect();
            self.signed_by((chain, number * 100), suites, schemes).await;
        }
    }

    async fn signed_by(&self, place: (u32, u32), mut suites: Vec<u16>, mut left: Vec<u16>) {
        let version = Version::Tls1_2;
        suites.truncate(CHUNK);
        for number in 0.. {
            let seen = self.picture().version(version).signatures.clone();
            let before = left.len();
            left.retain(|scheme| !seen.contains(scheme));
            // One that was not offered was used: there is no end to that.
            if suites.is_empty() || left.is_empty() || (number > 0 && before == left.len()) {
                return;
            }
            let offer = offer(version, suites.clone()).signed_by(left.clone());
            if !matches!(self.asker.ask((place.0, place.1 + number), offer).await, Asked::Chosen(_)) {
                return;
            }
        }
    }

    /// Whether a second try with an older version is refused for being one (RFC 7507).
    async fn fallback(&self, chain: u32) {
        let picture = self.picture();
        let spoken = Version::ALL.into_iter().rev().filter(|&version| version >= Version::Tls1_0);
        let mut spoken = spoken.filter(|&version| picture.version(version).support == Support::Accepted);
        let (Some(_), Some(older)) = (spoken.next(), spoken.next()) else { return };
        let mut suites = self.by_choice(older);
        suites.truncate(CHUNK);
        self.asker.ask((chain, 0), offer(older, suites).as_fallback()).await;
    }

    fn certificate_curve(&self) -> Option<u16> {
        let learned = self.asker.learned();
        let leaves = learned.chains.iter().filter_map(|chain| certificate::read(&chain.first()?.0).ok());
        leaves.filter(|leaf| leaf.key_type == "ec").find_map(|leaf| match leaf.key_bits {
            256 => Some(0x0017),
            384 => Some(0x0018),
            521 => Some(0x0019),
            _ => None,
        })
    }
}

/// Whether a suite is in a class that should be nowhere, or has no forward secrecy.
fn is_forbidden(suite: Suite) -> bool {
    suite.is_anonymous() || suite.is_broken() || suite.is_short_block() || suite.is_static_key()
}

/// Whether the key exchange of a suite is signed by the service.
fn is_signed(code: u16) -> bool {
    cipher_suites::by_code(code)
        .is_some_and(|suite| matches!(suite.key_exchange(), KeyExchange::Dhe | KeyExchange::Ecdhe))
}

/// An answer that holds nothing but hellos, for deriving the picture on the way.
fn only_hellos(hellos: Vec<Hello>) -> EndpointAnswer {
    EndpointAnswer { hellos, ..EndpointAnswer::default() }
}
