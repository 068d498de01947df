//! Counts over days or weeks as stacked bars. A day or week that nothing speaks of is dashed: it is not
//! zero. Text in them is ours and numbers only, so one drawing serves page and paper.

use std::fmt::Write;

use jiff::civil::Date;

/// One day or week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its first day.
    pub from: Date,
    /// What was counted, the good part first; `None` where nothing speaks of it.
    pub counts: Option<[u64; 3]>,
}

/// What is drawn.
#[derive(Clone, Debug)]
pub struct Series<'s> {
    /// Of the drawing, its own on the page.
    pub id: &'s str,
    pub title: &'static str,
    /// The figure as a sentence.
    pub words: &'s str,
    /// In order, without holes.
    pub periods: &'s [Period],
    /// What the three parts are; empty for a part that is not used.
    pub parts: [&'static str; 3],
}

/// What the parts look like: open, half and full, told apart in grey.
const LOOKS: [&str; 3] = ["figure-open", "figure-half", "figure-fill"];

/// The series as bars; empty where there is no period.
pub fn series(series: &Series<'_>) -> String {
    const WIDTH: f64 = 640.0;
    const LEFT: f64 = 66.0;
    const RIGHT: f64 = 632.0;
    const TOP: f64 = 34.0;
    const BOTTOM: f64 = 168.0;
    let (Some(first), Some(last)) = (series.periods.first(), series.periods.last()) else { return String::new() };
    let total = |counts: &[u64; 3]| counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
    let most = series.periods.iter().filter_map(|period| period.counts.as_ref().map(total)).max().unwrap_or(0);
    let step = (RIGHT - LEFT) / series.periods.len() as f64;
    let wide = (step * 0.8).min(28.0);
    let mut svg = String::with_capacity(8_000);
    super::figures::open(&mut svg, series.id, WIDTH, 200.0, series.title, series.words);
    let mut x = LEFT;
    let named = series.parts.iter().zip(LOOKS).filter(|(part, _)| !part.is_empty());
    for (part, look) in named.map(|(part, look)| (*part, look)).chain([("no report", "")]) {
        let key = match look {
            "" => format!("<line class=\"figure-dash\" x1=\"{x:.1}\" y1=\"11\" x2=\"{:.1}\" y2=\"11\"/>", x + 14.0),
            look => format!("<rect class=\"{look}\" x=\"{x:.1}\" y=\"5\" width=\"12\" height=\"12\"/>"),
        };
        let _ = write!(svg, "{key}<text x=\"{:.1}\" y=\"15\">{part}</text>", x + 19.0);
        x += 36.0 + 6.6 * part.len() as f64;
    }
    let _ = write!(
        svg,
        "<line class=\"figure-thin\" x1=\"{LEFT}\" y1=\"{TOP}\" x2=\"{RIGHT}\" y2=\"{TOP}\"/>\
         <text class=\"figure-soft end\" x=\"{0}\" y=\"{1}\">{2}</text>\
         <text class=\"figure-soft end\" x=\"{0}\" y=\"{3}\">0</text>",
        LEFT - 6.0,
        TOP + 4.0,
        short(most),
        BOTTOM + 4.0,
    );
    for (period, at) in series.periods.iter().zip(0_u16..) {
        let from = LEFT + step * f64::from(at) + (step - wide) / 2.0;
        let Some(counts) = &period.counts else {
            let _ = write!(
                svg,
                "<line class=\"figure-dash\" x1=\"{from:.1}\" y1=\"{0}\" x2=\"{1:.1}\" y2=\"{0}\"/>",
                BOTTOM - 6.0,
                from + wide
            );
            continue;
        };
        let mut bottom = BOTTOM;
        for (count, look) in counts.iter().zip(LOOKS).filter(|(count, _)| **count > 0) {
            // One failure among a million sessions is to be seen.
            let high = ((BOTTOM - TOP) * (*count as f64 / most.max(1) as f64)).max(1.5);
            bottom -= high;
            let _ = write!(
                svg,
                "<rect class=\"{look}\" x=\"{from:.1}\" y=\"{bottom:.1}\" width=\"{wide:.1}\" height=\"{high:.1}\"/>"
            );
        }
    }
    let _ = write!(
        svg,
        "<line class=\"figure-line\" x1=\"{LEFT}\" y1=\"{BOTTOM}\" x2=\"{RIGHT}\" y2=\"{BOTTOM}\"/>\
         <text class=\"figure-soft\" x=\"{LEFT}\" y=\"188\">{}</text>",
        first.from
    );
    if last.from != first.from {
        let _ = write!(svg, "<text class=\"figure-soft end\" x=\"{RIGHT}\" y=\"188\">{}</text>", last.from);
    }
    svg.push_str("</svg>");
    svg
}

/// A count short enough for the axis.
fn short(count: u64) -> String {
    match count {
        0..=99_999 => count.to_string(),
        100_000..=9_999_999 => format!("{} k", count / 1_000),
        _ => format!("{} M", count / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_gap_is_dashed_and_no_bar_and_one_failure_is_seen() {
        let periods = [
            Period { from: date(2026, 9, 7), counts: Some([1_000_000, 0, 1]) },
            Period { from: date(2026, 9, 14), counts: None },
            Period { from: date(2026, 9, 21), counts: Some([0, 0, 0]) },
        ];
        let parts = ["passed", "", "failed"];
        let svg = series(&Series { id: "s", title: "Sessions", words: "words", periods: &periods, parts });
        // One in the key, one for the week without a report.
        assert_eq!(svg.matches("figure-dash").count(), 2);
        assert!(svg.contains("height=\"1.5\"") && svg.contains("1000 k") && !svg.contains("NaN"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 2 + 2, "a week of nothing has no bar: {svg}");
        assert_eq!(series(&Series { id: "s", title: "", words: "", periods: &[], parts }), "");
        let much = [Period { from: date(2026, 9, 7), counts: Some([u64::MAX, u64::MAX, 1]) }];
        assert!(!series(&Series { id: "s", title: "", words: "", periods: &much, parts }).contains("inf"));
    }
}
