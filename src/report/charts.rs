//! Draws charts as SVG, from plain numbers.
//!
//! Every chart is readable in greyscale: levels carry their word, kinds of evidence their pattern
//! and letter. Colours come from the style sheet by class, so dark mode and print need no second
//! drawing. Nothing foreign is drawn: the only text in a chart is ours and numbers.

mod bars;
mod figures;
mod series;

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::report::json::v1::{Grade, Level};

pub use bars::{AGES, Mark, between_bar, marks_bar, stacked_bar};
#[cfg(feature = "pdf")]
pub use figures::PAPER_STYLE;
pub use figures::{Span, Trend, flow, spans, timeline, timeline_in_words, trend};
pub use series::{Period, Series, series};

/// What lies on a 5 x 5 map of likelihood and impact.
#[derive(Clone, Debug, Default)]
pub struct HeatMap {
    /// Where risks are now: count of risks, and how many of them rest on weak evidence.
    pub spots: BTreeMap<Cell, Spot>,
    /// Where the worst risks would be without the measures in place, and where they are now.
    pub moves: BTreeMap<(Cell, Cell), usize>,
    /// The level each cell means, from the risk model; empty where it is not known.
    pub levels: BTreeMap<Cell, Level>,
}

/// Likelihood, then impact.
pub type Cell = (Level, Level);

/// The risks of one cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    pub count: usize,
    /// Of those, how many rest on attestation alone or on nothing.
    pub low_confidence: usize,
}

const LEFT: f64 = 92.0;
const TOP: f64 = 8.0;
const SIDE: f64 = 66.0;

/// The map, likelihood up and impact right. A spot links to the anchor `cell-L-I` of its list.
pub fn heat_map(map: &HeatMap) -> String {
    let width = LEFT + 5.0 * SIDE + 2.0;
    let height = TOP + 5.0 * SIDE + 52.0;
    let mut svg = String::with_capacity(12_000);
    let _ = write!(
        svg,
        "<svg class=\"heat-map\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"group\" aria-labelledby=\"heat-title heat-desc\">\
         <title id=\"heat-title\">Risks by likelihood and impact</title><desc id=\"heat-desc\">{}</desc>",
        in_words(map)
    );
    for likelihood in Level::ALL {
        for impact in Level::ALL {
            draw_cell(&mut svg, (likelihood, impact), map.levels.get(&(likelihood, impact)).copied());
        }
    }
    draw_axes(&mut svg);
    for ((from, to), count) in &map.moves {
        if from != to {
            draw_move(&mut svg, *from, *to, *count, map);
        }
    }
    draw_words(&mut svg, &map.levels);
    for (cell, spot) in &map.spots {
        draw_spot(&mut svg, *cell, *spot);
    }
    svg.push_str("</svg>");
    svg
}

/// The map as a sentence, for those who do not see it.
pub(super) fn in_words(map: &HeatMap) -> String {
    if map.spots.is_empty() {
        return "No scenario was analysed, so nothing is on the map.".to_owned();
    }
    let mut parts = Vec::new();
    for ((likelihood, impact), spot) in map.spots.iter().rev() {
        let noun = if spot.count == 1 { "risk" } else { "risks" };
        let mut part =
            format!("{} {noun} at likelihood {}, impact {}", spot.count, likelihood.in_words(), impact.in_words());
        if spot.low_confidence > 0 {
            let _ = write!(part, " ({} with low confidence)", spot.low_confidence);
        }
        parts.push(part);
    }
    let moved: usize = map.moves.iter().filter(|((from, to), _)| from != to).map(|(_, count)| count).sum();
    format!("{}. Measures in place moved {moved} of the worst risks.", parts.join("; "))
}

fn draw_cell(svg: &mut String, cell: Cell, level: Option<Level>) {
    let (x, y) = corner(cell);
    let class = level.map_or("level-none", class_of);
    let _ = write!(
        svg,
        "<rect class=\"cell {class}\" x=\"{x:.0}\" y=\"{y:.0}\" width=\"{SIDE:.0}\" height=\"{SIDE:.0}\"/>"
    );
}

/// The level's word at the top of each cell, over the arrows and clear of the circles.
fn draw_words(svg: &mut String, levels: &BTreeMap<Cell, Level>) {
    for (cell, level) in levels {
        let (x, y) = corner(*cell);
        let _ = write!(
            svg,
            "<text class=\"cell-word\" x=\"{:.0}\" y=\"{:.0}\">{}</text>",
            x + 5.0,
            y + 12.0,
            level.in_words()
        );
    }
}

fn draw_axes(svg: &mut String) {
    for level in Level::ALL {
        let (x, y) = centre((level, level));
        let words: Vec<&str> = level.in_words().split(' ').collect();
        let bottom = TOP + 5.0 * SIDE;
        for (line, word) in words.iter().enumerate() {
            let down = 13.0 * line as f64;
            let up = y + 4.0 - 6.5 * (words.len() - 1) as f64;
            let _ = write!(
                svg,
                "<text class=\"tick end\" x=\"{:.0}\" y=\"{:.1}\">{word}</text>\
                 <text class=\"tick middle\" x=\"{x:.0}\" y=\"{:.0}\">{word}</text>",
                LEFT - 8.0,
                up + down,
                bottom + 15.0 + down,
            );
        }
    }
    let middle = TOP + 2.5 * SIDE;
    let _ = write!(
        svg,
        "<text class=\"axis middle\" transform=\"translate(14 {middle:.0}) rotate(-90)\">Likelihood</text>\
         <text class=\"axis middle\" x=\"{:.0}\" y=\"{:.0}\">Impact</text>",
        LEFT + 2.5 * SIDE,
        TOP + 5.0 * SIDE + 46.0,
    );
}

fn draw_spot(svg: &mut String, cell: Cell, spot: Spot) {
    let (x, y) = centre(cell);
    let radius = radius(spot.count);
    let (likelihood, impact) = (cell.0.in_words(), cell.1.in_words());
    let noun = if spot.count == 1 { "risk" } else { "risks" };
    let _ = write!(
        svg,
        "<a href=\"#{}\"><title>{} {noun}: likelihood {likelihood}, impact {impact}, {} with low confidence</title>",
        anchor(cell),
        spot.count,
        spot.low_confidence
    );
    if spot.low_confidence > 0 {
        let _ = write!(svg, "<circle class=\"spot-ring\" cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"{:.1}\"/>", radius + 4.0);
    }
    let _ = write!(
        svg,
        "<circle class=\"spot\" cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"{radius:.1}\"/>\
         <text class=\"spot-count\" x=\"{x:.0}\" y=\"{:.0}\">{}</text></a>",
        y + 5.0,
        spot.count
    );
}

fn draw_move(svg: &mut String, from: Cell, to: Cell, count: usize, map: &HeatMap) {
    let ((x1, y1), (x2, y2)) = (centre(from), centre(to));
    let length = (x2 - x1).hypot(y2 - y1);
    let (ux, uy) = ((x2 - x1) / length, (y2 - y1) / length);
    let clear = |cell: &Cell| {
        map.spots.get(cell).map_or(4.0, |spot| radius(spot.count) + if spot.low_confidence > 0 { 8.0 } else { 3.0 })
    };
    let (sx, sy) = (x1 + ux * clear(&from), y1 + uy * clear(&from));
    let (ex, ey) = (x2 - ux * (clear(&to) + 2.0), y2 - uy * (clear(&to) + 2.0));
    let (bx, by) = (ex - ux * 8.0, ey - uy * 8.0);
    let noun = if count == 1 { "risk" } else { "risks" };
    let _ = write!(
        svg,
        "<g class=\"move\"><title>{count} {noun} moved by measures in place</title>\
         <circle cx=\"{sx:.1}\" cy=\"{sy:.1}\" r=\"3\"/>\
         <line x1=\"{sx:.1}\" y1=\"{sy:.1}\" x2=\"{bx:.1}\" y2=\"{by:.1}\"/>\
         <polygon points=\"{ex:.1},{ey:.1} {:.1},{:.1} {:.1},{:.1}\"/></g>",
        bx - uy * 4.0,
        by + ux * 4.0,
        bx + uy * 4.0,
        by - ux * 4.0,
    );
}

/// The anchor of a cell's list of risks: `cell-4-5` is likelihood high, impact very high.
pub fn anchor((likelihood, impact): Cell) -> String {
    format!("cell-{}-{}", rank(likelihood), rank(impact))
}

/// 1 for very low to 5 for very high.
pub fn rank(level: Level) -> usize {
    match level {
        Level::VeryLow => 1,
        Level::Low => 2,
        Level::Moderate => 3,
        Level::High => 4,
        Level::VeryHigh => 5,
    }
}

/// The style sheet's class of a level.
pub fn class_of(level: Level) -> &'static str {
    match level {
        Level::VeryLow => "level-1",
        Level::Low => "level-2",
        Level::Moderate => "level-3",
        Level::High => "level-4",
        Level::VeryHigh => "level-5",
    }
}

fn corner((likelihood, impact): Cell) -> (f64, f64) {
    (LEFT + (rank(impact) - 1) as f64 * SIDE, TOP + (5 - rank(likelihood)) as f64 * SIDE)
}

fn centre(cell: Cell) -> (f64, f64) {
    let (x, y) = corner(cell);
    (x + SIDE / 2.0, y + SIDE / 2.0 + 7.0)
}

/// Grows with the count's root, so that the area says the number, within the cell.
fn radius(count: usize) -> f64 {
    (9.0 + 2.4 * (count as f64).sqrt()).min(18.0)
}

/// Every grade of evidence, best first, as the bars show them.
pub const GRADES: [Grade; 6] = [Grade::A, Grade::B, Grade::C, Grade::D, Grade::E, Grade::U];

/// One stacked bar of evidence by grade, A to U.
pub fn evidence_bar(counts: [usize; 6]) -> String {
    let classes = ["grade-A", "grade-B", "grade-C", "grade-D", "grade-E", "grade-U"];
    stacked_bar(&classes.into_iter().zip(counts.map(|count| count as u64)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_map_says_so_in_words() {
        let svg = heat_map(&HeatMap::default());
        assert!(svg.contains("No scenario was analysed, so nothing is on the map."));
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn every_spot_has_a_link_a_count_and_words() {
        let cell = (Level::High, Level::VeryHigh);
        let map = HeatMap {
            spots: BTreeMap::from([(cell, Spot { count: 3, low_confidence: 1 })]),
            moves: BTreeMap::from([(((Level::VeryHigh, Level::VeryHigh), cell), 2), ((cell, cell), 1)]),
            levels: BTreeMap::from([(cell, Level::VeryHigh)]),
        };
        let svg = heat_map(&map);
        assert!(svg.contains("href=\"#cell-4-5\""));
        assert!(svg.contains("3 risks at likelihood high, impact very high (1 with low confidence)"));
        assert!(svg.contains("Measures in place moved 2 of the worst risks."));
        assert!(svg.contains("spot-ring"));
        assert_eq!(svg.matches("class=\"move\"").count(), 1, "a risk that stayed has no arrow");
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn a_bar_of_nothing_is_empty_and_shares_add_up() {
        assert!(!evidence_bar([0; 6]).contains("rect"));
        let bar = evidence_bar([1, 1, 0, 0, 0, 2]);
        assert!(bar.contains("grade-U\" x=\"50.00%\" y=\"0\" width=\"50.00%\""));
    }
}
