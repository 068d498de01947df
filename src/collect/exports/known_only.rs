//! Exports whose layout is known and that no check reads yet: they are called by their name, their
//! rows are counted, and nothing is kept of them.
//!
//! Saying "recognized, not used" is the difference between a file that was handed over in vain and
//! one that was overlooked.

use std::collections::BTreeSet;

/// Name and the columns that are all there.
type Known = (&'static str, &'static [&'static str]);

const KNOWN: [Known; 9] = [
    ("microsoft365.authentication-policies", &["allowbasicauthimap"]),
    ("microsoft365.audit-retention", &["recordtypes", "retentionduration"]),
    ("microsoft365.auto-replies", &["autoreplystate"]),
    ("microsoft365.inbound-connectors", &["connectortype", "senderdomains"]),
    ("microsoft365.dlp-rules", &["contentcontainssensitiveinformation"]),
    ("microsoft365.mailbox-statistics", &["totalitemsize", "itemcount"]),
    ("microsoft365.mailbox-usage", &["reportrefreshdate", "storageused(byte)"]),
    ("microsoft365.outlook-web-policies", &["additionalstorageprovidersavailable"]),
    ("microsoft365.domain-sharing", &["domains", "sharingpolicy"]),
];

/// The columns that identify one of these.
pub fn columns() -> impl Iterator<Item = &'static str> {
    KNOWN.into_iter().flat_map(|(_, columns)| columns.iter().copied())
}

/// What a file with these columns is.
pub fn name(columns: &BTreeSet<&'static str>) -> Option<&'static str> {
    let fits = |known: &&Known| known.1.iter().all(|column| columns.contains(column));
    KNOWN.iter().filter(fits).max_by_key(|known| known.1.len()).map(|(name, _)| *name)
}

/// What is said of such a file.
pub const NOTE: &str = "recognized; no check reads it yet, and nothing of it is kept";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_all_of_its_columns_and_not_by_some() {
        let columns = |names: &[&'static str]| names.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(name(&columns(&["totalitemsize", "itemcount", "id"])), Some("microsoft365.mailbox-statistics"));
        assert_eq!(name(&columns(&["totalitemsize", "id"])), None);
    }
}
