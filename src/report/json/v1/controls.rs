//! Which controls of published guidance anything here speaks to, and which nothing does yet.

use serde::{Deserialize, Serialize};

use crate::checks::controls::{Carrier, Controls, Letter, Mode};

/// The controls of `controls.csv`, letter by letter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlsCovered {
    /// Rows.
    pub controls: usize,
    /// Ways in which a row can be shown, over all rows.
    pub letters: usize,
    /// Ways that nothing carries yet.
    pub gaps: Vec<ControlNote>,
    /// Ways that are out of scope, with the reason.
    pub out_of_scope: Vec<ControlNote>,
}

/// One letter of one row, and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlNote {
    pub control: String,
    pub title: String,
    pub mode: Mode,
    pub note: String,
}

impl From<&Controls> for ControlsCovered {
    fn from(controls: &Controls) -> Self {
        let note = |letter: &Letter, note: &str| ControlNote {
            control: letter.control.clone(),
            title: letter.title.clone(),
            mode: letter.mode,
            note: note.to_owned(),
        };
        let printed = |letter: &Letter| match &letter.carrier {
            Carrier::Printed(reason) => Some(note(letter, reason)),
            Carrier::Checks(_) | Carrier::Gap(_) | Carrier::Questions(_) => None,
        };
        Self {
            controls: controls.rows,
            letters: controls.letters.len(),
            gaps: controls.gaps().map(|(letter, missing)| note(letter, missing)).collect(),
            out_of_scope: controls.letters.iter().filter_map(printed).collect(),
        }
    }
}
