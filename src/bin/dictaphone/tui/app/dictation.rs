//! Going on with a take that is there, and files that are made of others, as plain data.

use std::{path::PathBuf, time::Duration};

/// Where what is recorded goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Behind the end.
    End,
    /// Before what is there.
    Insert(Duration),
    /// In the place of what is there.
    Overwrite(Duration),
}

/// A take into which the running recording goes when it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dictation {
    /// The take.
    pub(crate) path: PathBuf,
    pub(crate) place: Place,
}

/// What kind of file is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// A clip in another format.
    Export,
    /// A take with what was recorded in it.
    Splice,
    /// A clip without a part of it.
    Cut,
}

/// A file that is being made of others in the background.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Job {
    pub(crate) work: Work,
    /// What is done, such as "exporting anna as raw".
    pub(crate) what: String,
    /// How much of it is done, 0 to 1, if that is known.
    pub(crate) done: Option<f64>,
}
