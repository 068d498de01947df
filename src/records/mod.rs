//! Turns received bytes and text into types, one module a standard. Pure: no network, no clock,
//! no logging. Nothing here panics, whatever it is given.

pub mod advice;
pub mod dane;
pub mod discovery;
pub mod dkim;
pub mod dkim_signature;
pub mod dkim_tables;
pub mod dmarc;
pub mod dmarc_report;
pub mod dns_message;
pub mod domain;
pub mod mta_sts;
pub mod mx;
pub mod note;
pub mod sieve;
pub mod spf;
pub mod spf_check;
pub mod spf_tree;
pub mod tags;
pub mod tls_report;
pub mod tls_rpt;
pub mod trace;
pub mod txt;

pub mod certificate;
pub mod certificate_trust;
mod cipher_suite_names;
pub mod cipher_suites;
pub mod plain_offer;
pub mod server_hello;
pub mod signature_schemes;
pub mod smtp_reply;
pub mod tls_groups;
pub mod tls_picture;
pub mod tls_traits;
