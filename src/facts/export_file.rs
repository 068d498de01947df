//! A file of an export: whether it was read whole.

use jiff::civil::Date;

use super::exported::{self, Files};
use super::shape::{Fact, subject};
use super::{Built, Collection, Context};
use crate::clock::days_between;
use crate::evidence::EvidenceId;
use crate::evidence::export::ExportFile as Exported;
use crate::seen::NotObserved;

subject! {
    /// A file of an export, named by its label.
    pub struct ExportFile is ExportFile {
        /// What it was recognised as: `microsoft365.mailboxes`, …, `coverage` for a collector's record, `manifest`; or `none`.
        format: String,
        /// `read`, `partly-read`, `not-an-export`, `unreadable`.
        state: String,
        /// Rows read.
        rows: i64,
        /// Rows that could not be read.
        rejected: i64,
        /// Columns whose values the exporter destroyed.
        lost_fields: Vec<String>,
        /// Of a collector's record or a manifest: whole days since the first day it was collected on; below 0 where that day is to come.
        collected_days_ago: i64,
        /// Of a collector's record: days from the first to the last day of collection, both counted.
        collected_over_days: i64,
        /// Whole days since the last day it was collected on; below 0 where that day is to come.
        collected_last_days_ago: i64,
        /// The same days, for the message: `on 2026-09-01`, `from 2026-09-01 to 2026-09-20`.
        collected: String,
        /// Why it could not be read, or `none`.
        reason: String,
    }
}

/// Builds every ExportFile that the evidence speaks of.
pub fn build(context: Context<'_>) -> Built<ExportFile> {
    if let Err(collection) = exported::given(context) {
        return Built { subjects: Vec::new(), collection };
    }
    let files = Files::of(context);
    let subjects: Vec<_> = files
        .files
        .iter()
        .map(|(id, file)| {
            let evidence = || vec![(*id).clone()];
            ExportFile {
                name: file.label.clone(),
                format: Fact::present(file.format.clone().unwrap_or_else(|| "none".to_owned()), evidence()),
                state: Fact::present(file.state.as_str().to_owned(), evidence()),
                rows: Fact::present(count(file.rows), evidence()),
                rejected: Fact::present(count(file.rejected_rows), evidence()),
                lost_fields: Fact::present(file.lost_fields.clone(), evidence()),
                collected_days_ago: day(file, id, |(first, _)| days_between(first, context.today())),
                collected_over_days: match file.format.as_deref() {
                    // It names one moment, whatever the exports took.
                    Some("manifest") => Fact::unknown(NotObserved::NotProvided {
                        what: "the days of collection (a collector's record)".to_owned(),
                    }),
                    Some(_) | None => day(file, id, |(first, last)| days_between(first, last) + 1),
                },
                collected_last_days_ago: day(file, id, |(_, last)| days_between(last, context.today())),
                collected: day(file, id, |(first, last)| match file.format.as_deref() {
                    Some("manifest") => format!("on {first}"),
                    _ if first == last => format!("on {first}"),
                    _ => format!("from {first} to {last}"),
                }),
                reason: Fact::present(
                    file.rejected.first().map_or_else(|| "none".to_owned(), |first| first.why.clone()),
                    evidence(),
                ),
            }
        })
        .collect();
    let collection = match files.unknown {
        Some(reason) => Collection::Incomplete(reason),
        None => Collection::Complete,
    };
    Built { subjects, collection }
}

fn day<T>(file: &Exported, id: &EvidenceId, read: impl Fn((Date, Date)) -> T) -> Fact<T> {
    match file.collected_on {
        Some(days) => Fact::present(read(days), vec![id.clone()]),
        None => Fact::unknown(NotObserved::NotProvided {
            what: "the day of collection (a collector's record, or collected_at in manifest.yaml)".to_owned(),
        }),
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::exported::tests::{World, context, declared};
    use super::*;
    use crate::seen::Seen;

    #[test]
    fn a_record_that_names_days_tells_how_old_the_export_is_and_another_does_not() {
        let days = |text: &str| {
            let world = World::new(Some(declared("clinic.example"))).file("coverage.jsonl", text.as_bytes());
            let evidence = world.evidence(&[]);
            let built = build(context(&evidence));
            let file = &built.subjects[0];
            (file.collected_days_ago.seen.present().copied(), file.collected_over_days.seen.present().copied())
        };
        let today = {
            let world = World::new(Some(declared("clinic.example"))).file("coverage.jsonl", b"x");
            let evidence = world.evidence(&[]);
            context(&evidence).today()
        };
        let line = |ago: i64| {
            let day = today.checked_sub(jiff::Span::new().days(ago)).unwrap();
            format!(r#"{{"what":"collected","subject":"*","ok":true,"rows":0,"at":"{day}"}}"#)
        };
        assert_eq!(days(&format!("{}\n{}\n", line(12), line(9))), (Some(12), Some(4)));
        assert_eq!(days(&line(-2)), (Some(-2), Some(1)), "a day that is to come");
        let world = World::new(Some(declared("clinic.example")));
        let world = world.file("coverage.jsonl", format!("{}\n{}\n", line(1), line(-3)).as_bytes());
        let evidence = world.evidence(&[]);
        let file = &build(context(&evidence)).subjects[0];
        assert_eq!(file.collected_last_days_ago.seen, Seen::Present(-3));
        assert!(
            file.collected.seen.present().is_some_and(|days| days.starts_with("from 2026-") && days.contains(" to "))
        );
        assert_eq!(days(r#"{"what":"users","ok":true,"rows":3,"why":""}"#), (None, None));
        assert_eq!(days(&line(3).replace("-", "/").replace("20", "x")), (None, None), "a day that cannot be read");
    }
}
