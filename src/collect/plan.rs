//! Which services are asked, and how: from the scope, the MX records and the vendor catalogue.

use std::collections::{BTreeMap, BTreeSet};

use super::messages::{MailFrom, MailSource, Traced};
use super::network::NetworkOptions;
use super::service::{Role, ServiceTarget, StartTls};
use super::tls::enumerate::Mode;
use crate::catalogues::vendors::{Place, VendorCatalogue};
use crate::evidence::declared::{Declared, DeclaredHost, DeclaredMessages, DeclaredMode};
use crate::evidence::{Answer, Observation, Question};
use crate::names::DomainName;
use crate::records::discovery::{ClientService, Service};
use crate::records::trace::OwnHost;
use crate::scope::Scope;

/// The services of one run, each asked once however many domains share it.
pub(super) struct Services<'d> {
    declared: &'d Declared,
    vendors: &'d VendorCatalogue,
    targets: BTreeMap<(String, u16), ServiceTarget>,
    partner_hosts: BTreeSet<DomainName>,
}

impl<'d> Services<'d> {
    /// Begins with the hosts and portals of the scope.
    pub(super) fn new(declared: &'d Declared, vendors: &'d VendorCatalogue) -> Self {
        let mut services = Self { declared, vendors, targets: BTreeMap::new(), partner_hosts: BTreeSet::new() };
        for host in &declared.hosts {
            for port in &host.ports {
                services.add(&host.name, *port, Role::for_port(*port), StartTls::for_port(*port));
            }
        }
        for portal in &declared.portals {
            // The scope made sure of the form: https://host[:port][/…].
            let authority = portal.trim_start_matches("https://").split(['/', '?', '#']).next().unwrap_or_default();
            let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
            if let (Ok(host), Ok(port)) = (host.parse(), port.parse()) {
                services.add(&host, port, Role::Web, StartTls::None);
            }
        }
        services
    }

    /// Adds the hosts that take a domain's mail.
    pub(super) fn add_mail_hosts(&mut self, hosts: Vec<DomainName>) {
        for host in hosts {
            self.add(&host, 25, Role::MailExchange, StartTls::Smtp);
        }
    }

    /// Adds the hosts that take a partner's mail. They are asked as any sender would ask them, and
    /// never judged as the organization's own.
    pub(super) fn add_partner_hosts(&mut self, hosts: Vec<DomainName>) {
        self.partner_hosts.extend(hosts);
    }

    /// Adds the host of an MTA-STS policy.
    pub(super) fn add_policy_host(&mut self, host: Option<DomainName>) {
        if let Some(host) = host {
            self.add(&host, 443, Role::PolicyHost, StartTls::None);
        }
    }

    /// Adds the services that mail programs are sent to. DNS may name any host and port; only the ports
    /// registered for a service are asked, and what the scope names is asked anyway.
    pub(super) fn add_client_services(&mut self, services: Vec<ClientService>) {
        for service in services.iter().filter(|service| service.port == service.named_by.port()) {
            let (role, starttls) = match service.named_by {
                Service::Autoconfig | Service::Autodiscover | Service::AutodiscoverSrv => (Role::Web, StartTls::None),
                Service::Imap => (Role::MailboxAccess, StartTls::Imap),
                Service::Pop3 => (Role::MailboxAccess, StartTls::Pop3),
                Service::Imaps | Service::Pop3s => (Role::MailboxAccess, StartTls::None),
                Service::Submission => (Role::Submission, StartTls::Smtp),
                Service::Submissions => (Role::Submission, StartTls::None),
            };
            self.add(&service.host, service.port, role, starttls);
        }
    }

    fn add(&mut self, host: &DomainName, port: u16, role: Role, starttls: StartTls) {
        let vendor = self.vendors.recognise(Place::Mx, host.as_str()).first().map(|id| (*id).to_owned());
        let declared = self.declared.hosts.iter().find(|declared| declared.name == *host);
        let operated_by = declared.and_then(|declared| declared.operated_by.clone()).or_else(|| vendor.clone());
        let ours = operated_by.as_deref() == Some("us") && vendor.is_none();
        let permitted = self.declared.authorization.as_ref().is_some_and(|authorization| authorization.active_probes);
        let target = ServiceTarget {
            role,
            starttls,
            operated_by: operated_by.unwrap_or_else(|| "unknown".to_owned()),
            active_probes: permitted && ours,
            mode: declared.and_then(|declared| declared.mode).map(|mode| match mode {
                DeclaredMode::Full if ours => Mode::Full,
                DeclaredMode::Full | DeclaredMode::Verdict => Mode::Verdict,
            }),
            ..ServiceTarget::new(host.as_str(), Vec::new(), port)
        };
        self.targets.entry((host.to_string(), port)).or_insert(target);
    }

    /// Every service, sorted by host and port.
    pub(super) fn into_targets(mut self) -> Vec<ServiceTarget> {
        for host in &self.partner_hosts {
            let target =
                ServiceTarget { role: Role::PartnerExchange, ..ServiceTarget::new(host.as_str(), Vec::new(), 25) };
            // A host that takes mail for both is asked once, and answers for both.
            self.targets.entry((host.to_string(), 25)).or_insert(target);
        }
        self.targets.into_values().collect()
    }
}

/// Full lists only where the organization runs the host itself and the port is not the one that
/// mail hosts guard most, unless the scope says otherwise; everywhere else few connections.
pub(super) fn mode(target: &ServiceTarget) -> Mode {
    let usual = if target.port != 25 && target.operated_by == "us" { Mode::Full } else { Mode::Verdict };
    target.mode.unwrap_or(usual)
}

/// The mail of the scope, each with its mailbox.
pub(super) fn mail_sources(scope: &Scope) -> Vec<MailSource> {
    let source = |declared: &DeclaredMessages| MailSource {
        label: declared.path.clone(),
        mailbox: declared.mailbox.clone(),
        from: MailFrom::Path(scope.folder.join(&declared.path)),
    };
    scope.declared.messages.iter().map(source).collect()
}

/// Whose trace fields are believed, and whose mail is looked for: of the scope.
pub(super) fn traced(declared: &Declared) -> Traced {
    let own = |host: &DeclaredHost| OwnHost {
        name: host.name.clone(),
        removes_foreign_results: host.removes_foreign_results,
    };
    let mut partners: Vec<DomainName> = declared.partners.iter().map(|partner| partner.domain.clone()).collect();
    partners.sort();
    partners.dedup();
    Traced { own_hosts: declared.hosts.iter().map(own).collect(), partners }
}

/// Whether any host answered on port 25: a vantage with that port blocked is said once.
pub(super) fn port_25_reachable(observations: &[Observation]) -> Option<bool> {
    let mut asked = observations
        .iter()
        .filter(|observation| matches!(observation.question, Question::Endpoint { port: 25, .. }))
        .peekable();
    asked.peek()?;
    // An answer means that something was learned, so the port was reached.
    Some(asked.any(|observation| matches!(&observation.answer, Ok(Answer::Endpoint(_)))))
}

/// Options that make this a test network, for the report's cover.
pub(super) fn test_network(options: &NetworkOptions) -> Vec<String> {
    let mut told = Vec::new();
    if options.trust_anchor.is_some() {
        told.push("--trust-anchor".to_owned());
    }
    if options.ca_file.is_some() {
        told.push("--ca-file".to_owned());
    }
    if !options.connect_to.is_empty() {
        told.push(format!("--connect-to ({} services)", options.connect_to.len()));
    }
    told.extend(options.allow_net.iter().map(|net| format!("--allow-net {}/{}", net.address, net.prefix)));
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_25_is_looked_at_briefly_unless_the_scope_says_otherwise() {
        let ours = |port| ServiceTarget {
            operated_by: "us".to_owned(),
            ..ServiceTarget::new("mail.clinic.example", Vec::new(), port)
        };
        assert_eq!((mode(&ours(25)), mode(&ours(993))), (Mode::Verdict, Mode::Full));
        assert_eq!(mode(&ServiceTarget { mode: Some(Mode::Full), ..ours(25) }), Mode::Full);
        assert_eq!(mode(&ServiceTarget { mode: Some(Mode::Verdict), ..ours(993) }), Mode::Verdict);
    }

    #[test]
    fn dns_chooses_no_port_of_its_own() {
        let mut declared = crate::facts::domain::tests::scope();
        declared.hosts = vec![DeclaredHost {
            name: "m.c.example".parse().unwrap(),
            ports: vec![1993],
            operated_by: None,
            mode: None,
            removes_foreign_results: false,
        }];
        let vendors = VendorCatalogue::shipped();
        let mut services = Services::new(&declared, &vendors);
        let named = |host: &str, port, named_by| ClientService { host: host.parse().unwrap(), port, named_by };
        services.add_client_services(vec![
            named("m.c.example", 993, Service::Imaps),
            named("m.c.example", 1993, Service::Imaps),
            named("elsewhere.example", 22, Service::Imaps),
            named("elsewhere.example", 993, Service::Submissions),
        ]);
        let asked: Vec<String> = services.into_targets().iter().map(|target| target.subject().name).collect();
        assert_eq!(asked, ["m.c.example:993", "m.c.example:1993"]);
    }
}
