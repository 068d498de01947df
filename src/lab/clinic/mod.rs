//! The Maple Street Clinic: an invented organization with weaknesses and strengths planted in
//! its names, hosts, exports, mail and papers, in two quarters that differ.

#[cfg(test)]
mod examination;
mod letters;
mod names;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};

use super::authority::{Authority, KeyKind, Leaf};
use super::https::{Page, WebService};
use super::mail::{MailService, Protocol, Security};
use super::tls::Tls;
use super::{LabError, Service, ServiceAt, World};

pub use letters::{Letter, MailFolder, letters, mbox};

/// The two quarters of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quarter {
    Second,
    Third,
}

impl Quarter {
    /// Both, the earlier one first.
    pub const ALL: [Self; 2] = [Self::Second, Self::Third];

    /// `2026Q2`, `2026Q3`: the name of its folder.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Second => "2026Q2",
            Self::Third => "2026Q3",
        }
    }

    /// The last day of the quarter: the day the clinic is examined.
    pub const fn day(self) -> Date {
        match self {
            Self::Second => date(2026, 6, 30),
            Self::Third => date(2026, 9, 30),
        }
    }

    /// Noon (UTC) of that day: the end of collection, and what everything is judged against.
    pub fn as_of(self) -> Timestamp {
        let noon = self.day().at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
        noon.expect("noon of a day in 2026 is in range").timestamp()
    }
}

/// What can be asked of the clinic in a quarter. Certificates that are to hold, hold on the day
/// of the quarter and on `present`, since a client may look at either.
pub(super) fn world(quarter: Quarter, present: Date, authority: &Authority) -> Result<World, LabError> {
    let failing = match quarter {
        Quarter::Second => vec![],
        // The partner's name servers are down on the day: nothing can be said of it.
        Quarter::Third => vec!["hospital.example"],
    };
    let certificates = Certificates { authority, day: quarter.day(), present };
    Ok(World { zones: names::zones(quarter), failing, services: services(quarter, &certificates)? })
}

struct Certificates<'a> {
    authority: &'a Authority,
    day: Date,
    present: Date,
}

impl Certificates<'_> {
    fn valid(&self, host: &str, kind: KeyKind) -> Result<Leaf, LabError> {
        let from = self.day.min(self.present) - 15.days();
        let until = self.day.max(self.present) + 75.days();
        self.authority.leaf(&[host], kind, from, until)
    }

    /// Valid for a year, until twelve days before the day.
    fn expired(&self, host: &str) -> Result<Leaf, LabError> {
        self.authority.leaf(&[host], KeyKind::Ecdsa, self.day - 378.days(), self.day - 12.days())
    }

    fn tls(&self, host: &str) -> Result<Tls, LabError> {
        Ok(Tls { config: self.valid(host, KeyKind::Ecdsa)?.server()?, legacy: None })
    }
}

fn services(quarter: Quarter, certificates: &Certificates<'_>) -> Result<Vec<ServiceAt>, LabError> {
    let mail = |host: &str, port, protocol, security| ServiceAt {
        host: host.to_owned(),
        port,
        service: Service::Mail(MailService { protocol, name: host.to_owned(), security, passwords_in_clear: false }),
    };
    let second_exchanger = "mx2.clinic.example";
    let second = match quarter {
        Quarter::Second => Tls { config: certificates.expired(second_exchanger)?.server()?, legacy: None },
        Quarter::Third => certificates.tls(second_exchanger)?,
    };
    let old = certificates.valid("smtp.clinic.example", KeyKind::Rsa)?;
    let old = Tls { config: old.server()?, legacy: Some(old.certificate) };
    let tls = |host| certificates.tls(host);
    let mut services = vec![
        mail("mx1.clinic.example", 25, Protocol::Smtp, Security::StartTls(tls("mx1.clinic.example")?)),
        mail(second_exchanger, 25, Protocol::Smtp, Security::StartTls(second)),
        mail("fallback.clinic.example", 25, Protocol::Smtp, Security::Clear),
        mail("smtp.clinic.example", 587, Protocol::Submission, Security::StartTls(old)),
        mail("imap.clinic.example", 993, Protocol::Imap, Security::Implicit(tls("imap.clinic.example")?)),
        mail("imap.clinic.example", 143, Protocol::Imap, Security::StartTls(tls("imap.clinic.example")?)),
        mail("mx.lab.example", 25, Protocol::Smtp, Security::StartTls(tls("mx.lab.example")?)),
        mail("mx.hospital.example", 25, Protocol::Smtp, Security::StartTls(tls("mx.hospital.example")?)),
        web("mta-sts.clinic.example", tls("mta-sts.clinic.example")?, POLICY_PATH, policy("testing", &CLINIC_MX)),
        web(
            "mta-sts.hospital.example",
            tls("mta-sts.hospital.example")?,
            POLICY_PATH,
            policy("enforce", &["mx.hospital.example"]),
        ),
        web("portal.clinic.example", tls("portal.clinic.example")?, "/", portal()),
    ];
    match quarter {
        Quarter::Second => {}
        Quarter::Third => {
            let host = "oldmail.clinic.example";
            services.push(ServiceAt {
                host: host.to_owned(),
                port: 143,
                service: Service::Mail(MailService {
                    protocol: Protocol::Imap,
                    name: host.to_owned(),
                    security: Security::StartTls(tls(host)?),
                    passwords_in_clear: true,
                }),
            });
        }
    }
    Ok(services)
}

/// RFC 8461 §3.2.
const POLICY_PATH: &str = "/.well-known/mta-sts.txt";
const CLINIC_MX: [&str; 3] = ["mx1.clinic.example", "mx2.clinic.example", "fallback.clinic.example"];

fn web(host: &str, tls: Tls, path: &str, page: Page) -> ServiceAt {
    let pages = BTreeMap::from([(path.to_owned(), page)]);
    ServiceAt { host: host.to_owned(), port: 443, service: Service::Web(WebService { tls, pages }) }
}

fn policy(mode: &str, exchangers: &[&str]) -> Page {
    let exchangers: String = exchangers.iter().map(|host| format!("mx: {host}\r\n")).collect();
    let body = format!("version: STSv1\r\nmode: {mode}\r\n{exchangers}max_age: 604800\r\n");
    Page { content_type: "text/plain", body }
}

fn portal() -> Page {
    let body = "<!doctype html><title>Portal</title><p>An invented clinic's portal.</p>\n".to_owned();
    Page { content_type: "text/html; charset=utf-8", body }
}
