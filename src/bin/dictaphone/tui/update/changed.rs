//! What came of a change of a clip, and how it is told.

use std::{path::PathBuf, time::Duration};

use super::{list, say};
use crate::tui::app::{Model, Weight};

/// A clip that was written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) path: PathBuf,
    /// Where the user goes on: behind what was dictated, or where something was removed.
    pub(crate) at: Duration,
    /// What remained of the old version in the folder.
    pub(crate) left_over: Vec<PathBuf>,
    /// How much of the sound could not be read and is silence.
    pub(crate) lost: Duration,
}

impl Changed {
    /// Reports what was done, and what a person should know about it.
    pub(super) fn say(&self, model: &mut Model, done: &str) {
        let lost = match self.lost.is_zero() {
            true => String::new(),
            false => format!("; {:.3} s of it could not be read and are silence", self.lost.as_secs_f64()),
        };
        match self.left_over.first() {
            Some(left) => {
                let text = format!("{done}{lost}; without a trash {} stays", left.display());
                say(model, Weight::Warning, text);
            }
            None if lost.is_empty() => say(model, Weight::Note, format!("{done}{}", list::undo_hint(model))),
            None => say(model, Weight::Warning, format!("{done}{lost}{}", list::undo_hint(model))),
        }
    }
}

/// A change that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undone {
    pub(crate) path: PathBuf,
    /// What is again as it was before.
    pub(crate) said: String,
    /// Where in the clip that was.
    pub(crate) at: Option<Duration>,
}
