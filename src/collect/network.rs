//! How the network may be used: where names are resolved, what is trusted, which limits hold.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// The network options of every verb that touches it.
#[derive(Clone, Debug)]
pub struct NetworkOptions {
    /// Recursive resolvers; empty means the system's.
    pub resolvers: Vec<SocketAddr>,
    /// DNSKEY lines of a private root; `None` means the public root.
    pub trust_anchor: Option<PathBuf>,
    /// PEM certificates trusted instead of Mozilla's roots.
    pub ca_file: Option<PathBuf>,
    /// Where to connect instead, as curl's option of the same name.
    pub connect_to: Vec<ConnectTo>,
    /// Loopback and private networks that may be contacted all the same.
    pub allow_net: Vec<Network>,
    /// For the whole run.
    pub deadline: Duration,
    /// For one connection, from dial to close.
    pub connection_deadline: Duration,
    /// For one endpoint, over all its connections.
    pub endpoint_deadline: Duration,
    /// For one DNS query, all attempts together.
    pub dns_deadline: Duration,
    /// Connections open at once to one host on one port; `None` means by port.
    pub max_connections: Option<usize>,
    /// New connections a second to one host on one port; `None` means by port.
    pub rate: Option<f64>,
    /// The name said in EHLO.
    pub ehlo: String,
    /// Ask nothing at all.
    pub offline: bool,
    /// The vantage label written into each observation.
    pub vantage: String,
}

impl Default for NetworkOptions {
    fn default() -> Self {
        Self {
            resolvers: Vec::new(),
            trust_anchor: None,
            ca_file: None,
            connect_to: Vec::new(),
            allow_net: Vec::new(),
            deadline: Duration::from_secs(20 * 60),
            connection_deadline: Duration::from_secs(10),
            endpoint_deadline: Duration::from_secs(60),
            dns_deadline: Duration::from_secs(6),
            max_connections: None,
            rate: None,
            ehlo: "mailassay.invalid".to_owned(),
            offline: false,
            vantage: "here".to_owned(),
        }
    }
}

/// `HOST:PORT:ADDR:PORT`: connections meant for the first pair go to the second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    pub host: String,
    pub port: u16,
    pub to: SocketAddr,
}

/// A network in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    pub address: IpAddr,
    pub prefix: u8,
}

impl Network {
    /// True if the address lies in the network. A v4-mapped address lies in v4 networks; other
    /// addresses of the other family never do.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) if self.prefix <= 32 => {
                let differ = u32::from(network) ^ u32::from(address);
                differ.checked_shr(32 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) if self.prefix <= 128 => {
                let differ = u128::from(network) ^ u128::from(address);
                differ.checked_shr(128 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V4(_) | IpAddr::V6(_), IpAddr::V4(_) | IpAddr::V6(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_own_addresses_only() {
        let network = |text: &str, prefix| Network { address: text.parse().unwrap(), prefix };
        assert!(network("127.0.0.0", 8).contains("127.1.2.3".parse().unwrap()));
        assert!(!network("127.0.0.0", 8).contains("128.0.0.1".parse().unwrap()));
        assert!(network("0.0.0.0", 0).contains("203.0.113.9".parse().unwrap()));
        assert!(network("::1", 128).contains("::1".parse().unwrap()));
        assert!(!network("::", 0).contains("127.0.0.1".parse().unwrap()));
    }
}
