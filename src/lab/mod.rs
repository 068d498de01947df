//! A small world on loopback: names, certificates, mail servers and a web server, in the process.
//!
//! The demo and the tests look at it as the product looks at any organization. It needs no root,
//! no packages and no fixed port, takes no mail, checks no password, and ends when it is dropped.
//! Everything in it is invented.

mod dns;
mod serve;
mod zones;

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
