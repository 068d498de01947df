//! Mailassay assesses an organization's e-mail against the HIPAA Security Rule.
//!
//! A [`scope`] says what may be examined. [`collect`] asks the world and writes [`evidence`],
//! reading what came back with [`records`]. From there on everything is pure: [`facts`] joins the
//! evidence into what is known of each subject, [`assess`] judges facts with [`checks`] and gives
//! [`finding`]s, [`risk`] turns those into scenarios with likelihood and impact, [`report`] shows
//! it all, [`history`] compares two assessments, and [`verdict`] says how the run ends. [`lab`] is a small world on loopback for the
//! demo and for tests, and [`receive`] a receiving lab for an organization's test messages.

pub mod names;
pub mod seen;
pub mod clock;
pub mod files;
pub mod phi;
pub mod keyed;
pub mod text;
pub mod units;
pub mod yaml;
pub mod catalogues;
pub mod scope;
pub mod questionnaire;
pub mod collect;
pub mod records;
pub mod evidence;
pub mod facts;
pub mod checks;
pub mod finding;
pub mod assess;
pub mod decisions;
pub mod risk;
pub mod verdict;
pub mod report;
pub mod sheet;
pub mod plan_sheet;
pub mod history;
pub mod method;
pub mod lab;
pub mod receive;
pub mod cli;
