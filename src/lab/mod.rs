//! A small world on loopback: names, certificates, mail servers and a web server, in the process.
//!
//! The demo and the tests look at it as the product looks at any organization. It needs no root,
//! no packages and no fixed port, takes no mail, checks no password, and ends when it is dropped.
//! Everything in it is invented.

pub mod authority;
pub mod clinic;
pub mod demo;
mod dns;
pub mod expected;
pub mod https;
pub mod mail;
mod serve;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod zones;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::collect::network::{ConnectTo, Network, NetworkOptions};
use crate::files::{FileError, make_folder, write_whole};
use authority::Authority;
use dns::Knowledge;
use https::WebService;
use mail::MailService;
use zones::Zone;

/// Why the lab could not start.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    #[error("the lab cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("the lab cannot prepare its zones: {0}")]
    Dns(String),
    #[error("the lab cannot listen on loopback: {0}")]
    Listen(std::io::Error),
    #[error("the lab cannot prepare TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl LabError {
    fn dns(error: impl std::fmt::Display) -> Self {
        Self::Dns(error.to_string())
    }
}

/// What a lab plays.
#[derive(Clone, Debug)]
pub struct World {
    /// One of them is the root.
    pub zones: Vec<Zone>,
    /// Questions at or below these names end in SERVFAIL, as if their servers were down.
    pub failing: Vec<&'static str>,
    pub services: Vec<ServiceAt>,
}

/// A service, and where the world thinks that it is.
#[derive(Clone, Debug)]
pub struct ServiceAt {
    pub host: String,
    pub port: u16,
    pub service: Service,
}

/// What answers at a port.
#[derive(Clone, Debug)]
pub enum Service {
    Mail(MailService),
    Web(WebService),
}

/// A running world. It lives on the runtime that started it and ends when it is dropped.
#[derive(Debug)]
pub struct Lab {
    /// Answers DNS as a validating recursive resolver would, over UDP and TCP.
    pub resolver: SocketAddr,
    /// The private root's key as a DNSKEY line: the content of a trust anchor file.
    pub trust_anchor: String,
    /// The private certificate authority.
    pub ca_pem: String,
    /// Where each service really is.
    pub connect_to: Vec<ConnectTo>,
    /// The network that must be allowed: 127.0.0.0/8.
    pub allow_net: Network,
    /// Ends everything on drop.
    _tasks: JoinSet<()>,
}

impl Lab {
    /// Starts a world. `build` is given the authority that signs its certificates.
    pub async fn start(build: impl FnOnce(&Authority) -> Result<World, LabError>) -> Result<Self, LabError> {
        let authority = Authority::new()?;
        let world = build(&authority)?;
        let mut tasks = JoinSet::new();
        let knowledge = Arc::new(Knowledge::new(world.zones, &world.failing)?);
        let trust_anchor = knowledge.trust_anchor().to_owned();
        let resolver = knowledge.serve(&mut tasks).await?;
        let mut connect_to = Vec::new();
        for ServiceAt { host, port, service } in world.services {
            let to = match service {
                Service::Mail(mail) => {
                    let mail = Arc::new(mail);
                    let talk = move |stream| {
                        let mail = Arc::clone(&mail);
                        async move { mail.talk(stream).await }
                    };
                    serve::listen(&mut tasks, talk).await?
                }
                Service::Web(web) => {
                    let web = Arc::new(web);
                    let talk = move |stream| {
                        let web = Arc::clone(&web);
                        async move { web.talk(stream).await }
                    };
                    serve::listen(&mut tasks, talk).await?
                }
            };
            connect_to.push(ConnectTo { host, port, to });
        }
        let allow_net = Network { address: IpAddr::from([127, 0, 0, 0]), prefix: 8 };
        Ok(Self { resolver, trust_anchor, ca_pem: authority.pem(), connect_to, allow_net, _tasks: tasks })
    }

    /// The network options with which the product sees this world and nothing else. The trust
    /// anchor and the authority are written into `folder`, since the options name files.
    pub fn network(&self, folder: &Path) -> Result<NetworkOptions, FileError> {
        make_folder(folder)?;
        let (anchor, authority) = (folder.join("trust-anchor.key"), folder.join("authority.pem"));
        write_whole(&anchor, self.trust_anchor.as_bytes())?;
        write_whole(&authority, self.ca_pem.as_bytes())?;
        Ok(NetworkOptions {
            resolvers: vec![self.resolver],
            trust_anchor: Some(anchor),
            ca_file: Some(authority),
            connect_to: self.connect_to.clone(),
            allow_net: vec![self.allow_net],
            // The hosts are ours and on this machine: there is nobody to be polite to.
            max_connections: Some(8),
            rate: Some(500.0),
            vantage: "lab".to_owned(),
            ..NetworkOptions::default()
        })
    }
}
