//! A partner domain that mail is exchanged with: whether it can receive over enforced TLS.

use super::domain::Stored;
use super::exported;
use super::shape::{Fact, subject};
use super::{Built, Collection, Context};
use crate::evidence::content::IncomingMail;
use crate::evidence::endpoint::{NO_ROUTE, State};
use crate::evidence::export::Record;
use crate::evidence::{Answer, EvidenceId, Source};
use crate::names::{DomainName, SubjectId, SubjectKind};
use crate::records::dane::DaneVerdict;
use crate::records::domain::read_partner;
use crate::records::mta_sts::{Mode, StsVerdict};
use crate::records::mx::MxVerdict;
use crate::seen::{NotObserved, Seen};

subject! {
    /// A partner domain.
    pub struct Partner is Partner {
        /// Whether ePHI is exchanged with it.
        phi: bool,
        /// What can be relied on when mail is sent to it: `enforced`, `opportunistic`, `none`.
        tls_delivery: String,
        /// What the organization's own connector for it insists on: `verified`, `encrypted`, `gateway` (its mail goes over
        /// a smart host that is not the partner's), `rules` (rules choose a connector), `clear`, `none`.
        connector: String,
        /// Messages of the mail given that it provably handed over itself to a host of the scope, as that host recorded; 0 where no mail was given.
        incoming_messages: i64,
        /// How those arrived: `always-tls`, or `some-clear` where one came in clear.
        incoming_tls: String,
        /// Of those, how many came in clear.
        incoming_clear: i64,
        /// Of those, how many came over TLS 1.1 or older.
        incoming_old_tls: i64,
    }
}

/// Builds every partner the scope declares.
pub fn build(context: Context<'_>) -> Built<Partner> {
    let (declared_id, declared) = match context.evidence.declared() {
        Ok(found) => found,
        Err(reason) => return Built { subjects: Vec::new(), collection: Collection::Incomplete(reason) },
    };
    if declared.partners.is_empty() {
        return Built {
            subjects: Vec::new(),
            collection: Collection::NotDeclared("the scope names no partner domains".to_owned()),
        };
    }
    let stored = Stored::new(context);
    let subjects = declared
        .partners
        .iter()
        .map(|partner| {
            let incoming = incoming(context, &partner.domain, !declared.messages.is_empty());
            Partner {
                name: partner.domain.to_string(),
                phi: Fact::present(partner.phi, vec![declared_id.clone()]),
                tls_delivery: match context.evidence.taken_away(Source::Dns, SubjectKind::Partner) {
                    Some(reason) => Fact::unknown(reason),
                    None => tls_delivery(&stored, &partner.domain),
                },
                connector: connector(context, &partner.domain),
                incoming_messages: incoming.fact(incoming.messages()),
                incoming_tls: incoming.fact(incoming.tls()),
                incoming_clear: incoming.fact(incoming.at_least(|mail| mail.clear)),
                incoming_old_tls: incoming.fact(incoming.old_tls()),
            }
        })
        .collect();
    Built::complete(subjects)
}

/// The outbound connector of Microsoft 365 that takes mail to this partner: the one for its own name
/// before one for every domain. Of two for the same name the weaker counts.
fn connector(context: Context<'_>, partner: &DomainName) -> Fact<String> {
    if let Err(collection) = exported::given(context) {
        return Fact::unknown(match collection {
            Collection::NotDeclared(what) => NotObserved::NotProvided { what },
            Collection::Incomplete(reason) => reason,
            Collection::Complete => return Fact::unknown(no_connectors()),
        });
    }
    if let Some(reason) = context.evidence.taken_away(Source::Export, SubjectKind::Tenant) {
        return Fact::unknown(reason);
    }
    let said: Vec<_> = exported::records(context)
        .filter_map(|(id, record)| match record {
            Record::TenantSetting(setting) if setting.setting == "outbound-connector" => Some((id, setting)),
            _ => None,
        })
        .collect();
    let files = exported::Files::of(context);
    let mut ids: Vec<_> = said.iter().map(|(id, _)| (*id).clone()).collect();
    ids.extend(files.evidence_of(&CONNECTORS));
    // One that cannot be read may be the one for this partner.
    let unread = said.iter().find_map(|(_, setting)| match &setting.value {
        Seen::Present(_) => None,
        Seen::Unknown(reason) => Some(reason.clone()),
        Seen::Absent | Seen::Malformed(_) => Some(no_connectors()),
    });
    if let Some(reason) = files.whole(&CONNECTORS, CONNECTORS_EXPORT).err().or(unread) {
        return Fact::new(Seen::Unknown(reason), ids);
    }
    let below = |name: &str| name.strip_prefix("*.").and_then(|name| name.parse().ok());
    let weakest = |fits: &dyn Fn(&str) -> bool| {
        let words = said.iter().filter(|(_, setting)| setting.of.as_deref().is_some_and(fits));
        let words: Vec<&str> = words.filter_map(|(_, setting)| setting.value.present().map(String::as_str)).collect();
        let ranked =
            ["clear", "clear-by-gateway", "encrypted-by-gateway", "verified-by-gateway", "encrypted", "verified"];
        ranked.into_iter().find(|word| words.contains(word))
    };
    let own = weakest(&|name| name == partner.as_str())
        .or_else(|| {
            weakest(&|name| below(name).is_some_and(|of: DomainName| of != *partner && partner.is_at_or_below(&of)))
        })
        .or_else(|| weakest(&|name| name == "*"));
    let rules = said.iter().any(|(_, setting)| setting.of.as_deref() == Some("rules"));
    let word = match own {
        Some("encrypted") => "encrypted",
        Some("verified") => "verified",
        Some("clear") => "clear",
        Some(_) => "gateway",
        None if rules => "rules",
        None => "none",
    };
    Fact::present(word.to_owned(), ids)
}

pub(super) const CONNECTORS: [&str; 1] = ["microsoft365.outbound-connectors"];
pub(super) const CONNECTORS_EXPORT: &str = "the outbound connectors (Get-OutboundConnector)";

fn no_connectors() -> NotObserved {
    NotObserved::NotProvided { what: CONNECTORS_EXPORT.to_owned() }
}

/// What the mail given tells of how a partner's mail arrived.
struct Incoming {
    mail: Result<IncomingMail, NotObserved>,
    partner: String,
    evidence: Vec<EvidenceId>,
}

/// What several vantages counted, joined ([`IncomingMail::join`]).
fn incoming(context: Context<'_>, partner: &DomainName, named: bool) -> Incoming {
    let subject = partner.to_string();
    let mut evidence = Vec::new();
    let mut joined: Option<IncomingMail> = None;
    for (id, observation) in context.evidence.from(Source::Content) {
        let Ok(Answer::IncomingMail(mail)) = &observation.answer else { continue };
        if observation.subject.name != subject {
            continue;
        }
        evidence.push(id.clone());
        let mail = IncomingMail::clone(mail);
        joined = Some(match joined {
            None => mail,
            Some(known) => known.join(mail),
        });
    }
    let mail = match (joined, context.evidence.taken_away(Source::Content, SubjectKind::Partner)) {
        (_, Some(reason)) => Err(reason),
        (Some(mail), None) => Ok(mail),
        // Nothing was given, so nothing came.
        (None, None) if !named => Ok(IncomingMail { complete: true, ..IncomingMail::default() }),
        (None, None) => Err(NotObserved::NotProvided { what: format!("how mail of {partner} arrived") }),
    };
    Incoming { mail, partner: subject, evidence }
}

/// Sent with a version that RFC 8996 ends.
fn old_tls(mail: &IncomingMail) -> u64 {
    ["SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1"].iter().filter_map(|version| mail.versions.get(*version)).sum()
}

impl Incoming {
    fn fact<T>(&self, seen: Seen<T>) -> Fact<T> {
        Fact::new(seen, self.evidence.clone())
    }

    fn messages(&self) -> Seen<i64> {
        match &self.mail {
            Err(reason) => Seen::Unknown(reason.clone()),
            Ok(mail) if mail.proven() == 0 && mail.messages > 0 => Seen::not_provided(format!(
                "mail of {} with trace fields of a host of the scope that show who handed it over",
                self.partner
            )),
            Ok(mail) if mail.proven() == 0 && !mail.complete => Seen::Unknown(not_whole()),
            Ok(mail) => Seen::Present(whole(mail.proven())),
        }
    }

    fn tls(&self) -> Seen<String> {
        match &self.mail {
            Err(reason) => Seen::Unknown(reason.clone()),
            Ok(mail) if mail.clear > 0 => Seen::Present("some-clear".to_owned()),
            Ok(mail) if mail.proven() == 0 => {
                Seen::not_provided(format!("mail that {} provably handed over", self.partner))
            }
            Ok(mail) if mail.not_told > 0 => Seen::Unknown(NotObserved::Lost {
                why: format!("{} of the trace fields do not tell whether TLS was used", mail.not_told),
            }),
            Ok(mail) if !mail.complete => Seen::Unknown(not_whole()),
            Ok(_) => Seen::Present("always-tls".to_owned()),
        }
    }

    /// A count that the rest of the mail could only raise: none is not known before all was read.
    fn at_least(&self, count: impl Fn(&IncomingMail) -> u64) -> Seen<i64> {
        match &self.mail {
            Err(reason) => Seen::Unknown(reason.clone()),
            Ok(mail) if count(mail) == 0 && mail.messages > 0 && mail.proven() == 0 => {
                Seen::not_provided(format!("mail that {} provably handed over", self.partner))
            }
            Ok(mail) if count(mail) == 0 && !mail.complete => Seen::Unknown(not_whole()),
            Ok(mail) => Seen::Present(whole(count(mail))),
        }
    }

    /// A version that the field does not tell may be an old one.
    fn old_tls(&self) -> Seen<i64> {
        match &self.mail {
            Ok(mail) if old_tls(mail) == 0 && (mail.not_told > 0 || mail.versions.contains_key("not told")) => {
                Seen::Unknown(NotObserved::Lost { why: "some trace fields do not tell the version of TLS".to_owned() })
            }
            Ok(_) | Err(_) => self.at_least(old_tls),
        }
    }
}

fn not_whole() -> NotObserved {
    NotObserved::Unreadable { why: "the mail given was not read whole".to_owned(), line: None }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn tls_delivery(stored: &Stored<'_>, partner: &DomainName) -> Fact<String> {
    let subject = SubjectId::new(SubjectKind::Partner, partner.as_str());
    let (answers, policy) = stored.answers(&subject);
    let permitted = |address| stored.permits(address);
    let fetched = policy.as_ref().map(|(_, fetched)| fetched);
    let records = read_partner(partner, fetched, stored.chains(), &permitted, &answers);
    let mut evidence = answers.evidence(&records.used);
    if let Some((id, Ok(_))) = &policy {
        evidence.push(id.clone());
    }
    let promised = records.mta_sts.verdict == StsVerdict::Mode(Mode::Enforce)
        || (records.dane.verdict == DaneVerdict::Match && records.mx.verdict == MxVerdict::Ok);
    let word = match (records.mta_sts.verdict, records.mx.verdict) {
        _ if promised => Seen::Present("enforced".to_owned()),
        // A policy that may be there and was not obtained leaves it open.
        (StsVerdict::Error, _) if records.mta_sts.because.is_some() => {
            Seen::Unknown(records.mta_sts.because.clone().unwrap_or(NotObserved::Interrupted))
        }
        (_, MxVerdict::Error) => Seen::Unknown(
            records
                .mx
                .because
                .clone()
                .unwrap_or_else(|| NotObserved::NotProvided { what: format!("the DNS answers about {partner}") }),
        ),
        (_, MxVerdict::Null | MxVerdict::Missing | MxVerdict::Invalid) => {
            Seen::not_provided(format!("a mail host of {partner} that receives"))
        }
        (_, MxVerdict::Ok | MxVerdict::Implicit) => {
            let hosts: Vec<String> = records.mx.addresses.iter().map(|(host, _)| host.to_string()).collect();
            evidence.extend(stored.port_25(&hosts).into_iter().map(|(id, _)| id.clone()));
            offered(stored, &hosts)
        }
    };
    Fact::new(word, evidence)
}

/// What the hosts themselves offer. One host that takes mail in clear is enough for a message to
/// travel so; that all of them offer TLS is known only when all were seen. A host that refuses
/// every connection takes no mail at all.
fn offered(stored: &Stored<'_>, hosts: &[String]) -> Seen<String> {
    let mut with_tls = false;
    let mut open = None;
    for host in hosts {
        let mut settled = None;
        for (_, observation) in stored.port_25(std::slice::from_ref(host)) {
            match &observation.answer {
                Ok(Answer::Endpoint(endpoint)) => match State::from_word(&endpoint.state).and_then(State::has_tls) {
                    Some(false) => return Seen::Present("none".to_owned()),
                    Some(true) => settled = Some(Ok(true)),
                    None => {
                        let what = format!("{host}:25 answered {}", endpoint.state);
                        settled = settled.or(Some(Err(NotObserved::Refused { what })));
                    }
                },
                Ok(_) => {}
                Err(NotObserved::Refused { what }) if what != NO_ROUTE => settled = settled.or(Some(Ok(false))),
                Err(reason) => settled = settled.or(Some(Err(reason.clone()))),
            }
        }
        match settled {
            Some(Ok(tls)) => with_tls |= tls,
            Some(Err(reason)) => open = open.or(Some(reason)),
            None => open = open.or_else(|| Some(NotObserved::NotProvided { what: format!("an answer of {host}:25") })),
        }
    }
    match open {
        None if with_tls => Seen::Present("opportunistic".to_owned()),
        None => Seen::not_provided("a mail host that accepts connections"),
        Some(reason) => Seen::Unknown(reason),
    }
}

#[cfg(test)]
mod tests;
