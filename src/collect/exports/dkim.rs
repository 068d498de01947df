//! Which DKIM selectors exports name: Exchange Online's signing configuration, OpenDKIM, Rspamd.
//!
//! They are read before anything is asked, since they say what to ask DNS for. Only files that speak of
//! selectors in their beginning are read here.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use jiff::Timestamp;

use super::bundle::{self, Archives, Entry};
use super::decode::{self, Decoded};
use super::recognise::{self, Format};
use super::row::Row;
use super::table::Next;
use crate::evidence::{Answer, Observation, Question, Source};
use crate::names::{DomainName, SubjectId, SubjectKind};
use crate::records::dkim_tables;

/// Such a file has a row for each domain.
const FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Where a file says what it is.
const HEAD: u64 = 64 * 1024;
const ROWS: usize = 100_000;
/// Selectors kept of one domain and file.
const SELECTORS: usize = 100;

/// What the exports at and below `path` say of some domains.
pub fn selectors(
    path: &Path,
    label: &str,
    domains: &BTreeSet<DomainName>,
    now: Timestamp,
    vantage: &str,
) -> Vec<Observation> {
    let mut archives = Archives::default();
    let mut observations = Vec::new();
    for entry in bundle::list(path, label) {
        let mut by_domain: BTreeMap<&DomainName, BTreeSet<String>> = BTreeMap::new();
        for (domain, selector) in keys(&entry, &mut archives) {
            // A selector of no one domain signs for whatever the server sends.
            for of in domains.iter().filter(|of| domain.as_ref().is_none_or(|domain| domain == *of)) {
                let known = by_domain.entry(of).or_default();
                if known.len() < SELECTORS {
                    known.insert(selector.to_string());
                }
            }
        }
        observations.extend(by_domain.into_iter().map(|(domain, selectors)| Observation {
            subject: SubjectId::new(SubjectKind::Domain, domain.as_str()),
            source: Source::Authentication,
            question: Question::ExportedSelectors { label: entry.label.clone() },
            asked_at: now,
            took_ms: 0,
            vantage: vantage.to_owned(),
            answer: Ok(Answer::ExportedSelectors(selectors.into_iter().collect())),
        }));
    }
    observations
}

type Keys = Vec<(Option<DomainName>, DomainName)>;

/// Nothing for what is no such file, or cannot be read: the reading of the exports names it.
fn keys(entry: &Entry, archives: &mut Archives) -> Keys {
    if entry.refused.is_some() || entry.stated.is_manifest {
        return Vec::new();
    }
    let named = entry.label.to_ascii_lowercase();
    let named = ["dkim", "key.table", "key_table", "keytable"].iter().any(|name| named.contains(name));
    if !named && !speaks_of_selectors(entry.head(archives, HEAD)) {
        return Vec::new();
    }
    let Ok(content) = entry.content(archives) else { return Vec::new() };
    let Ok(survey) = decode::survey(&content, FILE_BYTES) else { return Vec::new() };
    let text = || {
        let mut bytes = Vec::new();
        let file = content.open().ok()?.take(survey.bytes);
        Decoded::new(file, survey.encoding).take(FILE_BYTES).read_to_end(&mut bytes).ok()?;
        String::from_utf8(bytes).ok()
    };
    if survey.binary.is_none()
        && let Some(signing) = text().as_deref().and_then(dkim_tables::read)
    {
        return signing.keys;
    }
    let Ok(mut rows) = super::reading::rows(&content, &survey) else { return Vec::new() };
    let mut keys = Vec::new();
    for _ in 0..ROWS {
        match rows.next_row() {
            Next::End | Next::Failed(_) => break,
            Next::Rejected { .. } => {}
            Next::Row(row) => {
                let columns = row.cells.iter().map(|(column, _)| *column).collect();
                if recognise::recognise(&columns, std::slice::from_ref(&row), None) == Ok(Format::DkimSigning) {
                    let Ok((domain, selectors)) = of_row(&row) else { continue };
                    keys.extend(selectors.into_iter().map(|selector| (Some(domain.clone()), selector)));
                }
            }
        }
    }
    keys
}

/// Whether the beginning has a word that such files have, in whatever encoding. A KeyTable without comments
/// says `selector` nowhere: its lines begin with the name that DNS has, or lead to a folder of keys.
fn speaks_of_selectors(mut head: Vec<u8>) -> bool {
    head.retain(|byte| *byte != 0);
    head.make_ascii_lowercase();
    ["dkim", "domainkey", "selector"].iter().any(|word| memchr::memmem::find(&head, word.as_bytes()).is_some())
}

/// A row of `Get-DkimSigningConfig`: the domain, and the selectors before and after the next rotation.
pub(super) fn of_row(row: &Row) -> Result<(DomainName, Vec<DomainName>), String> {
    let domain = ["domain", "name", "identity"].into_iter().find_map(|column| row.text(column)?.parse().ok());
    let domain: DomainName = domain.ok_or_else(|| "domain holds no domain name".to_owned())?;
    let mut selectors = BTreeSet::new();
    for column in ["selectorafterrotateondate", "selectorbeforerotateondate"] {
        selectors.extend(row.text(column).and_then(|text| text.parse::<DomainName>().ok()));
    }
    // `selector1-clinic-example._domainkey.clinic.onmicrosoft.com` is where selector1 of the domain leads.
    for (column, selector) in [("selector1cname", "selector1"), ("selector2cname", "selector2")] {
        if row.text(column).is_some_and(|target| target.starts_with(&format!("{selector}-"))) {
            selectors.insert(selector.parse().expect("a name"));
        }
    }
    Ok((domain, selectors.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::write_whole;

    #[test]
    fn exports_say_which_selectors_to_ask_for_in_every_encoding() {
        let folder = tempfile::tempdir().unwrap();
        let csv = "Domain,Enabled,Selector1CNAME,Selector2CNAME,SelectorBeforeRotateOnDate,SelectorAfterRotateOnDate\r\n\
                   c.example,True,selector1-c-example._domainkey.c.onmicrosoft.com,selector2-c-example._domainkey.c.onmicrosoft.com,\
                   selector2,selector1\r\nother.example,True,x,y,selector1,selector2\r\nno body,True,,,,\r\n";
        let utf16: Vec<u8> = "\u{feff}".chars().chain(csv.chars()).flat_map(|c| (c as u16).to_le_bytes()).collect();
        let json = r#"[{"Name":"c.example","Identity":"c.example","Selector1CNAME":null,"SelectorBeforeRotateOnDate":"rotated1"}]"#;
        let table = "k c.example:mail:/etc/dkim/mail.private\nany %:all:/etc/dkim/all.private\n";
        for (name, bytes) in [
            ("a.csv", csv.as_bytes()),
            ("b.csv", &utf16),
            ("c.json", json.as_bytes()),
            ("d.KeyTable", table.as_bytes()),
            ("e.txt", b"a selector of nothing"),
            ("g.conf", b"k2._domainkey.c.example c.example:k2:/etc/keys/c.private\n"),
            ("h_key_table", b"c c.example:k3:/etc/keys/c.private\n"),
            ("f.csv", b"DomainName,DomainType\nc.example,Authoritative\n"),
        ] {
            write_whole(&folder.path().join(name), bytes).unwrap();
        }
        let domains = BTreeSet::from(["c.example".parse().unwrap(), "d.example".parse().unwrap()]);
        let found = selectors(folder.path(), "exports", &domains, Timestamp::UNIX_EPOCH, "here");
        let shown: Vec<String> = found
            .iter()
            .map(|observation| {
                let Ok(Answer::ExportedSelectors(selectors)) = &observation.answer else { panic!() };
                let Question::ExportedSelectors { label } = &observation.question else { panic!() };
                format!("{label} {}: {}", observation.subject.name, selectors.join(" "))
            })
            .collect();
        assert_eq!(
            shown,
            [
                "exports/a.csv c.example: selector1 selector2",
                "exports/b.csv c.example: selector1 selector2",
                "exports/c.json c.example: rotated1",
                "exports/d.KeyTable c.example: all mail",
                "exports/d.KeyTable d.example: all",
                "exports/g.conf c.example: k2",
                "exports/h_key_table c.example: k3",
            ]
        );
        let (path, label) = ([folder.path().to_owned()], ["exports".to_owned()]);
        let key = crate::keyed::KeyedReference::new(b"test");
        let mut states = Vec::new();
        for observation in super::super::read(&path, &label, &BTreeSet::new(), &key, Timestamp::UNIX_EPOCH, "here") {
            if let Ok(Answer::ExportFile(file)) = &observation.answer {
                states.push((
                    file.label.clone(),
                    file.format.clone().unwrap_or_default(),
                    file.rows,
                    file.rejected_rows,
                ));
            }
        }
        let state = |label: &str, format: &str, rows, rejected| (label.to_owned(), format.to_owned(), rows, rejected);
        assert_eq!(states[0], state("exports/a.csv", "microsoft365.dkim-signing", 2, 1));
        assert_eq!(states[2], state("exports/c.json", "microsoft365.dkim-signing", 1, 0));
        assert_eq!(states[3], state("exports/d.KeyTable", "self-hosted.opendkim", 2, 0));
    }
}
