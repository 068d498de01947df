//! Mailassay assesses an organization's e-mail against the HIPAA Security Rule.
//!
//! A [`scope`] says what may be examined. [`collect`] asks the world and writes [`evidence`],
//! reading what came back with [`records`]. From there on everything is pure: [`facts`] joins the
//! evidence into what is known of each subject, [`assess`] judges facts with [`checks`] and gives
//! [`finding`]s, [`risk`] turns those into scenarios with likelihood and impact, [`report`] shows
//! it all, and [`history`] compares two assessments. [`lab`] is a small world on loopback for the
//! demo and for tests.

pub mod names;
pub mod seen;

pub mod clock;
pub mod files;
pub mod keyed;
pub mod text;
pub mod yaml;

pub mod catalogues;

pub mod assess;
pub mod checks;
pub mod collect;
pub mod evidence;
pub mod facts;
pub mod finding;
pub mod risk;

pub mod report;
