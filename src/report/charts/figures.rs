//! Figures drawn from dates and counts: risks by level over time, the plan over time, the way of
//! a message. Text in them is ours and numbers only, so one drawing serves page and paper.

use std::fmt::Write;

use jiff::civil::Date;

use super::rank;
use crate::clock::days_between;
use crate::report::json::v1::{Assessment, Earlier, Grade, Level};

/// What the figures look like where no style sheet of a page is: on paper.
#[cfg(feature = "pdf")]
pub const PAPER_STYLE: &str = "<style>text{font-family:'Libertinus Serif';font-size:12px;fill:#000}\
.figure-soft{fill:#444}.middle{text-anchor:middle}.end{text-anchor:end}\
.figure-strong{font-weight:bold}.figure-on{fill:#fff;font-weight:bold}\
.figure-line,.figure-thin,.line-1,.line-2,.line-3,.line-4,.line-5{stroke:#000;fill:none}\
.figure-line{stroke-width:2}.figure-thin{stroke:#999;stroke-width:1}\
.line-5{stroke-width:3.5}.line-4{stroke-width:2}.line-3{stroke-width:2;stroke-dasharray:7 3}\
.line-2{stroke-width:1.5;stroke-dasharray:3 3}.line-1{stroke-width:1.5;stroke-dasharray:1 3}\
.figure-fill{fill:#000}.figure-open{fill:#fff;stroke:#000;stroke-width:1.5}\
.figure-half{fill:#999;stroke:#000;stroke-width:1.5}\
.figure-dash{stroke:#000;stroke-width:1.5;stroke-dasharray:4 3;fill:none}</style>";

/// Items drawn; the table holds all, and the figure's words say how many are left out.
const ITEMS: usize = 40;

/// Risks by level, at each assessment that is known, the newest last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trend {
    points: Vec<Point>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Point {
    day: Date,
    /// Very low first.
    risks: [usize; 5],
    /// Whether tool, catalogue, model or rule are others than at the point before.
    method_changed: bool,
}

impl Trend {
    /// From the assessments before this one; `None` where none is known.
    pub fn of(assessment: &Assessment) -> Option<Self> {
        let now = Earlier::of(assessment);
        let all = assessment.earlier.iter().chain([&now]);
        let before = [None].into_iter().chain(assessment.earlier.iter().map(Some));
        let points = all.zip(before).map(|(one, before)| Point {
            day: crate::clock::date_of(one.as_of),
            risks: Level::ALL.map(|level| one.risks.get(&level).copied().unwrap_or(0)),
            method_changed: before.is_some_and(|before| before.tool != one.tool),
        });
        (!assessment.earlier.is_empty()).then(|| Self { points: points.collect() })
    }

    /// The figure as a sentence.
    pub fn in_words(&self) -> String {
        let days: Vec<String> = self.points.iter().map(|point| point.day.to_string()).collect();
        let levels: Vec<String> = Level::ALL
            .into_iter()
            .rev()
            .map(|level| {
                let counts: Vec<String> =
                    self.points.iter().map(|point| point.risks[rank(level) - 1].to_string()).collect();
                format!("{} {}", level.in_words(), counts.join(", then "))
            })
            .collect();
        let changed: Vec<String> =
            self.points.iter().filter(|point| point.method_changed).map(|point| point.day.to_string()).collect();
        let method = if changed.is_empty() {
            String::new()
        } else {
            format!(" The method is another than before on {}: compare with care.", changed.join(" and "))
        };
        format!("Risks by level on {}: {}.{method}", days.join(", "), levels.join("; "))
    }
}

pub(super) fn open(svg: &mut String, id: &str, width: f64, height: f64, title: &str, words: &str) {
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"figure\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\
         <title id=\"{id}-title\">{title}</title><desc id=\"{id}-desc\">{words}</desc>"
    );
}

/// One line a level over all assessments, each with its own stroke.
pub fn trend(trend: &Trend) -> String {
    const WIDTH: f64 = 560.0;
    const LEFT: f64 = 60.0;
    const RIGHT: f64 = 440.0;
    const TOP: f64 = 26.0;
    const BOTTOM: f64 = 200.0;
    /// A day's label is this wide.
    const LABEL: f64 = 72.0;
    let (Some(first), Some(last)) = (trend.points.first(), trend.points.last()) else { return String::new() };
    let most = trend.points.iter().flat_map(|point| point.risks).max().unwrap_or(0).max(1) as f64;
    let height = |count: usize| BOTTOM - (BOTTOM - TOP) * count as f64 / most;
    let whole = days_between(first.day, last.day).max(1) as f64;
    // The newest stands at the right, also where it is of the day of another.
    let newest = trend.points.len() - 1;
    let across: Vec<f64> = trend
        .points
        .iter()
        .enumerate()
        .map(|(at, point)| {
            if at == newest { RIGHT } else { LEFT + (RIGHT - LEFT) * days_between(first.day, point.day) as f64 / whole }
        })
        .collect();
    let mut svg = String::with_capacity(4_000);
    open(&mut svg, "trend", WIDTH, 232.0, "Risks by level over time", &trend.in_words());
    let (mut day_at, mut change_at) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    for (at, (point, &x)) in trend.points.iter().zip(&across).enumerate() {
        let _ = write!(svg, "<line class=\"figure-thin\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{BOTTOM}\"/>");
        // The first and the last day are written always, those between where there is room.
        if at == newest || (x - day_at >= LABEL && RIGHT - x >= LABEL) || at == 0 {
            let _ = write!(svg, "<text class=\"figure-soft middle\" x=\"{x:.1}\" y=\"224\">{}</text>", point.day);
            day_at = x;
        }
        if point.method_changed {
            let middle = f64::midpoint(across[at - 1], x);
            let _ = write!(
                svg,
                "<line class=\"figure-dash\" x1=\"{middle:.1}\" y1=\"{TOP}\" x2=\"{middle:.1}\" y2=\"{BOTTOM}\"/>"
            );
            if middle - change_at >= 1.5 * LABEL {
                let _ =
                    write!(svg, "<text class=\"figure-soft middle\" x=\"{middle:.1}\" y=\"16\">method changed</text>");
                change_at = middle;
            }
        }
    }
    let lefts = apart(first.risks.map(height));
    let rights = apart(last.risks.map(height));
    for level in Level::ALL {
        let at = rank(level) - 1;
        let line: Vec<String> = trend
            .points
            .iter()
            .zip(&across)
            .map(|(point, x)| format!("{x:.1},{:.1}", height(point.risks[at])))
            .collect();
        let _ = write!(
            svg,
            "<polyline fill=\"none\" class=\"line-{}\" points=\"{}\"/>\
             <text class=\"end\" x=\"{}\" y=\"{:.1}\">{}</text>\
             <text x=\"{}\" y=\"{:.1}\"><tspan class=\"figure-strong\">{}</tspan> {}</text>",
            at + 1,
            line.join(" "),
            LEFT - 10.0,
            lefts[at] + 4.0,
            first.risks[at],
            RIGHT + 10.0,
            rights[at] + 4.0,
            last.risks[at],
            level.in_words(),
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Places for labels near the wanted ones, at least a line apart.
fn apart(wanted: [f64; 5]) -> [f64; 5] {
    const LINE: f64 = 14.0;
    let mut order = [0, 1, 2, 3, 4];
    // Equal counts: the higher level stands above.
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]).then(b.cmp(&a)));
    let mut places = wanted;
    for pair in 1..order.len() {
        let above = places[order[pair - 1]];
        places[order[pair]] = places[order[pair]].max(above + LINE);
    }
    // What ran out below moves up again.
    let over = places[order[4]] - 206.0;
    if over > 0.0 {
        places[order[4]] -= over;
        for pair in (0..4).rev() {
            places[order[pair]] = places[order[pair]].min(places[order[pair + 1]] - LINE);
        }
    }
    places
}

/// One item of the plan on the line of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The item's number in the plan.
    pub number: usize,
    pub opened: Date,
    pub due: Option<Date>,
    pub done: bool,
}

/// The plan as spans.
pub fn spans(assessment: &Assessment) -> Vec<Span> {
    assessment
        .plan
        .iter()
        .zip(1..)
        .map(|(item, number)| Span {
            number,
            opened: item.opened,
            due: item.due,
            done: matches!(item.status.as_str(), "done" | "closed"),
        })
        .collect()
}

/// The plan as a sentence.
pub fn timeline_in_words(spans: &[Span], today: Date) -> String {
    let dated = spans.iter().filter(|span| span.due.is_some()).count();
    let late = spans.iter().filter(|span| !span.done && span.due.is_some_and(|due| due < today)).count();
    let left = spans.len().saturating_sub(ITEMS);
    let drawn = if left > 0 {
        format!(" The figure shows the first {ITEMS}; {left} more are in the table.")
    } else {
        String::new()
    };
    format!(
        "{} items; {dated} with a date, {} without; {late} overdue on {today}.{drawn}",
        spans.len(),
        spans.len() - dated
    )
}

/// Items from the day they were first seen to the day they are due; a dashed line has no date.
/// `None` where no item has a date: there is nothing to draw then, and the table says so.
pub fn timeline(spans: &[Span], today: Date) -> Option<String> {
    const WIDTH: f64 = 640.0;
    const LEFT: f64 = 34.0;
    const RIGHT: f64 = 540.0;
    const ROW: f64 = 16.0;
    spans.iter().find(|span| span.due.is_some())?;
    let shown = &spans[..spans.len().min(ITEMS)];
    let first = shown.iter().map(|span| span.opened).min().unwrap_or(today).min(today);
    let last = shown.iter().filter_map(|span| span.due).max().unwrap_or(today).max(today);
    let days = days_between(first, last).max(1) as f64;
    let place = |day: Date| LEFT + (RIGHT - LEFT) * days_between(first, day).max(0) as f64 / days;
    let height = 34.0 + ROW * shown.len() as f64;
    let mut svg = String::with_capacity(8_000);
    let words = timeline_in_words(spans, today);
    open(&mut svg, "timeline", WIDTH, height, "The plan over time, by number of the item", &words);
    let now = place(today);
    let _ = write!(
        svg,
        "<line class=\"figure-thin\" x1=\"{now:.1}\" y1=\"18\" x2=\"{now:.1}\" y2=\"{:.0}\"/>\
         <text class=\"figure-soft {}\" x=\"{now:.1}\" y=\"12\">as of {today}</text>",
        height - 6.0,
        if now > 480.0 { "end" } else { "middle" },
    );
    for (span, row) in shown.iter().zip(0_u16..) {
        let y = 30.0 + ROW * f64::from(row);
        let (from, to) = (place(span.opened), span.due.map_or(RIGHT, place));
        let class = match (span.due, span.done) {
            (None, _) => "figure-dash",
            (Some(_), _) => "figure-line",
        };
        let end = match span.due {
            None => "no date".to_owned(),
            Some(due) if span.done => format!("{due} done"),
            Some(due) if due < today => format!("{due} overdue"),
            Some(due) => due.to_string(),
        };
        let _ = write!(
            svg,
            "<text class=\"end\" x=\"{}\" y=\"{:.0}\">{}</text>\
             <line class=\"{class}\" x1=\"{from:.1}\" y1=\"{y:.0}\" x2=\"{:.1}\" y2=\"{y:.0}\"/>",
            LEFT - 8.0,
            y + 4.0,
            span.number,
            to.max(from + 2.0),
        );
        if span.due.is_some() {
            let shape = if span.done { "figure-open" } else { "figure-fill" };
            let _ = write!(svg, "<circle class=\"{shape}\" cx=\"{to:.1}\" cy=\"{y:.0}\" r=\"4\"/>");
        }
        let _ = write!(svg, "<text class=\"figure-soft\" x=\"{:.1}\" y=\"{:.0}\">{end}</text>", to + 9.0, y + 4.0);
    }
    svg.push_str("</svg>");
    Some(svg)
}

/// The stations of a message, short enough to stand side by side.
const STATIONS: [[&str; 2]; 5] = [
    ["Our", "mailboxes"],
    ["Our", "mail hosts"],
    ["The wire and", "our name"],
    ["Their", "mail hosts"],
    ["Their", "mailboxes"],
];

/// The way of a message: a station each with the grade of its evidence; a dashed ring where no
/// evidence speaks to it.
pub fn flow(grades: [Option<Grade>; 5]) -> String {
    const WIDTH: f64 = 640.0;
    const STEP: f64 = 132.0;
    let words: Vec<String> = STATIONS
        .iter()
        .zip(grades)
        .map(|(name, grade)| {
            let grade = grade.map_or("not assessed".to_owned(), |grade| format!("grade {}", grade.as_str()));
            format!("{}: {grade}", name.join(" "))
        })
        .collect();
    let mut svg = String::with_capacity(2_000);
    open(&mut svg, "flow", WIDTH, 92.0, "The way of a message", &format!("{}.", words.join("; ")));
    for at in 0..4_u8 {
        let x = 56.0 + STEP * f64::from(at);
        let known = grades[usize::from(at)].is_some() && grades[usize::from(at) + 1].is_some();
        let class = if known { "figure-line" } else { "figure-dash" };
        let _ = write!(
            svg,
            "<line class=\"{class}\" x1=\"{:.0}\" y1=\"26\" x2=\"{:.0}\" y2=\"26\"/>",
            x + 20.0,
            x + STEP - 22.0
        );
        let tip = x + STEP - 18.0;
        let _ = write!(svg, "<polygon class=\"figure-fill\" points=\"{tip:.0},26 {0:.0},22 {0:.0},30\"/>", tip - 8.0);
    }
    for ((name, grade), at) in STATIONS.iter().zip(grades).zip(0_u8..) {
        let x = 56.0 + STEP * f64::from(at);
        let (ring, word, letter) = match grade {
            Some(grade) => ("figure-fill", "figure-on", grade.as_str()),
            None => ("figure-dash", "figure-strong", "?"),
        };
        let _ = write!(
            svg,
            "<circle class=\"{ring}\" cx=\"{x:.0}\" cy=\"26\" r=\"16\"/>\
             <text class=\"{word} middle\" x=\"{x:.0}\" y=\"31\">{letter}</text>\
             <text class=\"middle\" x=\"{x:.0}\" y=\"64\">{}</text><text class=\"middle\" x=\"{x:.0}\" y=\"80\">{}</text>",
            name[0], name[1],
        );
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_trend_has_every_assessment_in_its_words_and_lines_and_says_where_the_method_changed() {
        let point = |day, high, method_changed| Point { day, risks: [1, 0, 2, high, 0], method_changed };
        let shown = Trend {
            points: vec![
                point(date(2026, 1, 5), 7, false),
                point(date(2026, 4, 5), 5, false),
                point(date(2026, 4, 6), 5, true),
                point(date(2026, 7, 5), 3, false),
            ],
        };
        assert_eq!(
            shown.in_words(),
            "Risks by level on 2026-01-05, 2026-04-05, 2026-04-06, 2026-07-05: very high 0, then 0, then 0, then 0; \
             high 7, then 5, then 5, then 3; moderate 2, then 2, then 2, then 2; low 0, then 0, then 0, then 0; \
             very low 1, then 1, then 1, then 1. The method is another than before on 2026-04-06: compare with care."
        );
        let svg = trend(&shown);
        let labels = |day: &str| svg.matches(&format!(">{day}</text>")).count();
        assert_eq!(["2026-01-05", "2026-04-05", "2026-04-06", "2026-07-05"].map(labels), [1, 1, 0, 1]);
        assert!(svg.contains("points=\"60.0,26.0 249.0,75.7 251.0,75.7 440.0,125.4\""), "{svg}");
        assert_eq!(svg.matches("method changed").count(), 1);
    }

    #[test]
    fn equal_counts_have_labels_apart_and_within_the_figure() {
        for wanted in [[200.0; 5], [26.0; 5], [200.0, 199.0, 26.0, 27.0, 120.0]] {
            let mut places = apart(wanted).to_vec();
            places.sort_by(f64::total_cmp);
            assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 13.9), "{places:?}");
            assert!(places.iter().all(|place| (20.0..=206.1).contains(place)), "{places:?}");
        }
    }

    #[test]
    fn a_plan_without_a_date_draws_nothing_and_an_overdue_item_says_so() {
        let today = date(2026, 9, 30);
        let mut span = Span { number: 1, opened: date(2026, 6, 30), due: None, done: false };
        assert_eq!(timeline(&[span], today), None);
        span.due = Some(date(2026, 9, 1));
        let svg = timeline(&[span], today).unwrap();
        assert!(svg.contains("2026-09-01 overdue") && !svg.contains("NaN"));
        let words = timeline_in_words(&[span], today);
        assert!(words.ends_with("1 overdue on 2026-09-30."), "{words}");
        let many = vec![span; ITEMS + 3];
        assert!(timeline_in_words(&many, today).ends_with("The figure shows the first 40; 3 more are in the table."));
        assert_eq!(timeline(&many, today).unwrap().matches("<circle").count(), ITEMS);
    }

    #[test]
    fn a_station_without_evidence_is_a_question_and_no_grade() {
        let svg = flow([Some(Grade::B), Some(Grade::A), Some(Grade::A), None, None]);
        assert!(svg.contains("Their mail hosts: not assessed"));
        assert_eq!(svg.matches(">?</text>").count(), 2);
    }
}
