//! Bars that stand in the rows of a table. They stretch with the page, carry no text, and the
//! table around them is their text alternative.

use std::fmt::Write;

/// Bands of age, oldest first: the key in the evidence, the words, the fill.
pub const AGES: [(&str, &str, &str); 5] = [
    ("over-6-years", "over 6 years", "grade-A"),
    ("3-6-years", "3 to 6 years", "grade-B"),
    ("1-3-years", "1 to 3 years", "grade-C"),
    ("under-1-year", "under 1 year", "grade-D"),
    ("undated", "undated", "grade-U"),
];

const OPEN: &str = "<svg class=\"evidence-bar\" aria-hidden=\"true\" focusable=\"false\">";

/// One stacked bar, each part as wide as its share. Nothing at all gives an empty bar.
pub fn stacked_bar(parts: &[(&str, u64)]) -> String {
    let total: u64 = parts.iter().map(|(_, count)| count).sum();
    let mut svg = String::from(OPEN);
    let mut from = 0.0;
    for (class, count) in parts.iter().filter(|(_, count)| *count > 0) {
        let share = 100.0 * *count as f64 / total as f64;
        let _ = write!(
            svg,
            "<rect class=\"grade {class}\" x=\"{from:.2}%\" y=\"0\" width=\"{share:.2}%\" height=\"100%\"/>"
        );
        from += share;
    }
    svg.push_str("</svg>");
    svg
}

/// A bar from nothing to at least (filled), and on to at most (dotted), of the longest in the
/// table. What is not known is hatched over its whole length.
pub fn between_bar(at_least: Option<u64>, at_most: Option<u64>, longest: u64) -> String {
    let share = |count: u64| 100.0 * count.min(longest) as f64 / longest.max(1) as f64;
    let mut svg = String::from(OPEN);
    let mut part = |class: &str, from: f64, to: f64| {
        if to > from {
            let _ = write!(
                svg,
                "<rect class=\"grade {class}\" x=\"{from:.2}%\" y=\"0\" width=\"{:.2}%\" height=\"100%\"/>",
                to - from
            );
        }
    };
    match (at_least, at_most) {
        (None, None) => part("grade-U", 0.0, 100.0),
        (low, high) => {
            let low = share(low.unwrap_or(0));
            part("grade-A", 0.0, low);
            // Without an upper bound the rest of the line stays open.
            part(if high.is_some() { "grade-C" } else { "grade-U" }, low, high.map_or(100.0, share));
        }
    }
    svg.push_str("</svg>");
    svg
}

/// One cell of a row of marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    No,
    NotKnown,
    Yes,
}

impl From<Option<bool>> for Mark {
    fn from(known: Option<bool>) -> Self {
        match known {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::NotKnown,
        }
    }
}

/// Cells side by side: filled is yes, empty is no, hatched is not known.
pub fn marks_bar(marks: &[Mark]) -> String {
    let mut svg = String::from(OPEN);
    let share = 100.0 / marks.len().max(1) as f64;
    for (mark, at) in marks.iter().zip(0_u16..) {
        let class = match mark {
            Mark::No => "grade-none",
            Mark::NotKnown => "grade-U",
            Mark::Yes => "grade-A",
        };
        let _ = write!(
            svg,
            "<rect class=\"grade {class}\" x=\"{:.2}%\" y=\"0\" width=\"{share:.2}%\" height=\"100%\"/>",
            share * f64::from(at)
        );
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_hatched_and_never_short() {
        assert!(between_bar(None, None, 100).contains("grade-U\" x=\"0.00%\" y=\"0\" width=\"100.00%\""));
        let bar = between_bar(Some(50), None, 100);
        assert!(bar.contains("grade-A") && bar.contains("grade-U\" x=\"50.00%\" y=\"0\" width=\"50.00%\""));
        assert!(!between_bar(Some(0), Some(0), 0).contains("NaN"));
        assert!(marks_bar(&[Mark::from(None), Mark::from(Some(false))]).contains("grade-none"));
    }
}
