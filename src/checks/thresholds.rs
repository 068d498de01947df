//! Numbers that checks compare with, each named once, with its unit and the source that sets it.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use serde::Deserialize;

use crate::yaml::{self, Located, Spanned};

/// A number that checks read as `limit.<name>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threshold {
    pub name: String,
    pub value: i64,
    /// `bits`, `days`, `queries`, …
    pub unit: String,
    /// The standard, or the decision, that sets it.
    pub source: String,
    /// The day of that source.
    pub date: Date,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    value: i64,
    unit: String,
    source: Spanned<String>,
    date: Date,
}

/// Reads one file of thresholds into those already known.
pub(super) fn read(file: &Path, text: &str, into: &mut BTreeMap<String, Threshold>) -> Result<(), Vec<Located>> {
    let written: BTreeMap<String, Spanned<Written>> = yaml::read(file, text).map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    for (name, threshold) in written {
        let mut refuse = |what: String, help: &str| {
            faults.push(Located::at_value(file, text, &threshold, what, help));
        };
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.bytes().all(allowed) {
            refuse(format!("`{}` cannot be a threshold's name", crate::text::visible(&name)), "use a-z, 0-9 and `_`");
            continue;
        }
        if threshold.value.source.value.trim().is_empty() || threshold.value.unit.trim().is_empty() {
            refuse(format!("threshold `{name}` states no source or no unit"), "name the standard that sets it");
        }
        if into.contains_key(&name) {
            refuse(format!("threshold `{name}` is already defined in another file"), "choose another name");
            continue;
        }
        let Written { value, unit, source, date } = threshold.value;
        into.insert(name.clone(), Threshold { name, value, unit, source: source.value, date });
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}
