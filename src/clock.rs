//! The only place that knows what time it is. Everything past `collect` is given `as_of`.

use jiff::Timestamp;
use jiff::civil::Date;

/// Tells the time of the run.
pub trait Clock: Send + Sync {
    /// Now, cut to whole milliseconds so that it survives a round trip through JSON.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one room that may ask the machine")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).expect("a timestamp cut to milliseconds stays in range")
    }
}

/// A clock that stands still: tests, and the demo's two quarters.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// The calendar date of an instant, in UTC.
pub fn date_of(instant: Timestamp) -> Date {
    instant.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Whole days from `earlier` to `later`; negative when `earlier` is the later one.
pub fn days_between(earlier: Date, later: Date) -> i64 {
    i64::from((later - earlier).get_days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_are_counted_over_years_and_backwards() {
        assert_eq!(days_between(date(2026, 1, 1), date(2027, 1, 1)), 365);
        assert_eq!(days_between(date(2026, 3, 1), date(2026, 2, 28)), -1);
    }
}
