//! The controls of published guidance that nothing here speaks to, and those out of scope.

use serde::Serialize;

use super::words::{number, paragraph};
use crate::report::json::v1::Assessment;
use crate::report::json::v1::controls::ControlNote;

/// What is said of the controls.
#[derive(Clone, Debug, Serialize)]
pub struct ControlsView {
    /// One sentence with the figures; `None` where the assessment carries no list.
    pub said: Option<String>,
    pub gaps: Vec<ControlRow>,
    pub out_of_scope: Vec<ControlRow>,
}

/// One way in which one control could be shown.
#[derive(Clone, Debug, Serialize)]
pub struct ControlRow {
    pub control: String,
    pub title: String,
    pub mode: &'static str,
    pub note: String,
}

pub(super) fn controls(assessment: &Assessment) -> ControlsView {
    let controls = &assessment.controls;
    let rows = |notes: &[ControlNote]| notes.iter().map(row).collect();
    ControlsView {
        said: (controls.letters > 0).then(|| {
            format!(
                "Published guidance on health information in mail names {} controls; each can be shown in one or more of four ways, {} in all. {} of these have no reader, probe or detector yet.",
                number(controls.controls as u64),
                number(controls.letters as u64),
                number(controls.gaps.len() as u64)
            )
        }),
        gaps: rows(&controls.gaps),
        out_of_scope: rows(&controls.out_of_scope),
    }
}

fn row(note: &ControlNote) -> ControlRow {
    ControlRow {
        control: paragraph(&note.control),
        title: paragraph(&note.title),
        mode: note.mode.in_words(),
        note: paragraph(&note.note),
    }
}
