//! Days and lengths of time as exporters write them.
//!
//! A day that is written in the order of one country (`5/4/2026`) is not guessed: which of the two
//! is the month, the export does not say.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::row::{Cell, Row};
use crate::clock::date_of;
use crate::evidence::export::UNLIMITED_DAYS;
use crate::seen::Seen;

const DAY_MILLISECONDS: i64 = 86_400_000;

impl Row {
    /// The day of a point in time, in UTC where an offset is given: `2026-09-01`. One that is not set
    /// is absent.
    pub fn day(&self, column: &'static str) -> Seen<Date> {
        let cell = match self.seen(column) {
            Seen::Present(cell) => cell,
            Seen::Absent => return Seen::Absent,
            Seen::Malformed(malformed) => return Seen::Malformed(malformed),
            Seen::Unknown(reason) => return Seen::Unknown(reason),
        };
        match cell.text().map(day_of) {
            Some(Ok(day)) => Seen::Present(day),
            Some(Err(NotADay::Unset)) => Seen::Absent,
            Some(Err(NotADay::Unreadable)) | None => Seen::Unknown(self.unreadable(column, "no day in a known form")),
        }
    }

    /// A length of time in whole days, rounded down; `Unlimited` is a hundred years.
    pub fn days(&self, column: &'static str) -> Seen<u64> {
        self.length(column).map(|milliseconds| milliseconds / DAY_MILLISECONDS.unsigned_abs())
    }

    /// A length of time in whole hours, rounded up.
    pub fn hours(&self, column: &'static str) -> Seen<u64> {
        self.length(column).map(|milliseconds| milliseconds.div_ceil(3_600_000))
    }

    fn length(&self, column: &'static str) -> Seen<u64> {
        let cell = match self.seen(column) {
            Seen::Present(cell) => cell,
            Seen::Absent => return Seen::Absent,
            Seen::Malformed(malformed) => return Seen::Malformed(malformed),
            Seen::Unknown(reason) => return Seen::Unknown(reason),
        };
        // ConvertTo-Json writes a TimeSpan as an object with its parts.
        let ticks = cell.field("ticks").and_then(Cell::text).and_then(|text| text.parse::<u64>().ok());
        match ticks.map(|ticks| ticks / 10_000).or_else(|| cell.text().and_then(milliseconds)) {
            Some(length) => Seen::Present(length),
            None => Seen::Unknown(self.unreadable(column, "no length of time")),
        }
    }

    /// A whole number.
    pub fn count(&self, column: &'static str) -> Seen<u64> {
        let cell = match self.seen(column) {
            Seen::Present(cell) => cell,
            Seen::Absent => return Seen::Absent,
            Seen::Malformed(malformed) => return Seen::Malformed(malformed),
            Seen::Unknown(reason) => return Seen::Unknown(reason),
        };
        match cell.text().and_then(|text| text.parse().ok()) {
            Some(count) => Seen::Present(count),
            None => Seen::Unknown(self.unreadable(column, "no whole number")),
        }
    }
}

/// Why a text is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotADay {
    Unreadable,
    /// The exporter's word for "never".
    Unset,
}

/// The day that a text names.
pub fn day_of(text: &str) -> Result<Date, NotADay> {
    let text = text.trim();
    if text.len() > 64 || !text.is_ascii() {
        return Err(NotADay::Unreadable);
    }
    if ["never", "never logged in"].contains(&text.to_ascii_lowercase().as_str()) || text.starts_with("0001-01-01") {
        return Err(NotADay::Unset);
    }
    if let Some(inside) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) {
        // An offset behind the number only says where it was shown; the instant is the number.
        let end =
            inside.char_indices().skip(1).find(|(_, c)| ['+', '-'].contains(c)).map_or(inside.len(), |(at, _)| at);
        let instant = inside[..end].parse().ok().and_then(|at| Timestamp::from_millisecond(at).ok());
        return instant.map(date_of).ok_or(NotADay::Unreadable);
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(date_of(instant));
    }
    // The year first leaves no doubt, whatever stands between.
    let dashed = text.replace('/', "-");
    let time = dashed.parse::<DateTime>().map(DateTime::date).or_else(|_| dashed.parse::<Date>());
    time.map_err(|_| NotADay::Unreadable).and_then(|day| if day.year() <= 1 { Err(NotADay::Unset) } else { Ok(day) })
}

/// `14.00:00:00`, `06:00:00`, `P90D`, `PT6H`, `43200s`, `Unlimited`.
fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    if text.len() > 40 {
        return None;
    }
    if text.eq_ignore_ascii_case("unlimited") {
        return Some(UNLIMITED_DAYS * DAY_MILLISECONDS.unsigned_abs());
    }
    if let Some(seconds) = text.strip_suffix('s').filter(|seconds| seconds.bytes().all(|byte| byte.is_ascii_digit())) {
        return seconds.parse::<u64>().ok()?.checked_mul(1000);
    }
    if text.starts_with('P') {
        return iso(text);
    }
    let (days, time) = text.split_once('.').filter(|(_, time)| time.contains(':')).unwrap_or(("0", text));
    let mut parts = time.split(':').map(|part| part.split('.').next().unwrap_or_default().parse::<u64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let total = days.parse::<u64>().ok()?.checked_mul(86_400)?.checked_add(hours.checked_mul(3600)?)?;
    total.checked_add(minutes.checked_mul(60)?)?.checked_add(seconds)?.checked_mul(1000)
}

/// The parts of an ISO 8601 duration that .NET writes: days, hours, minutes, seconds.
fn iso(text: &str) -> Option<u64> {
    let (mut total, mut number, mut in_time) = (0u64, String::new(), false);
    for c in text.strip_prefix('P')?.chars() {
        let seconds = match c {
            'T' => {
                in_time = true;
                continue;
            }
            '0'..='9' | '.' => {
                number.push(c);
                continue;
            }
            'D' if !in_time => 86_400,
            'H' if in_time => 3600,
            'M' if in_time => 60,
            'S' if in_time => 1,
            _ => return None,
        };
        let whole: u64 = number.split('.').next()?.parse().ok()?;
        total = total.checked_add(whole.checked_mul(seconds)?)?;
        number.clear();
    }
    number.is_empty().then_some(total)?.checked_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_day_is_known_in_each_form_that_leaves_no_doubt() {
        let day: Date = "2026-05-04".parse().unwrap();
        for text in [
            "/Date(1777879881000)/",
            "/Date(1777879881000+0200)/",
            "2026-05-04T07:31:21Z",
            "2026-05-04T07:31:21.0000000+00:00",
            "2026-05-04T07:31:21",
            "2026/05/04 07:31:21",
            "2026-05-04",
        ] {
            assert_eq!(day_of(text), Ok(day), "{text}");
        }
        for text in ["5/4/2026 5:15:48 PM", "04.05.2026 17:15:48", "soon", "/Date(x)/", ""] {
            assert_eq!(day_of(text), Err(NotADay::Unreadable), "{text}");
        }
        for text in ["Never", "Never logged in", "0001-01-01T00:00:00"] {
            assert_eq!(day_of(text), Err(NotADay::Unset), "{text}");
        }
    }

    #[test]
    fn lengths_of_time_are_read_in_each_form() {
        let days = |text: &str| milliseconds(text).map(|length| length / 86_400_000);
        for (text, expected) in [
            ("14.00:00:00", Some(14)),
            ("00:00:00", Some(0)),
            ("P90D", Some(90)),
            ("PT36H", Some(1)),
            ("1209600s", Some(14)),
            ("Unlimited", Some(UNLIMITED_DAYS)),
            ("a while", None),
            ("99999999999999999999.00:00:00", None),
            ("P9", None),
        ] {
            assert_eq!(days(text), expected, "{text}");
        }
        assert_eq!(milliseconds("06:00:00"), Some(21_600_000));
    }
}
