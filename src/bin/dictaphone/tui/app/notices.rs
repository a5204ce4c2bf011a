//! Messages to the user. Plain data.

use std::time::Duration;

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Shown for a moment.
    Note,
    /// Stays until a key is pressed.
    Warning,
    /// Stays until a key is pressed.
    Error,
}

/// A line for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// How much it matters.
    pub(crate) weight: Weight,
    /// The line.
    pub(crate) text: String,
    /// When it was first shown, since the screen was opened.
    pub(crate) at: Duration,
}

/// The messages of the moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notices {
    pub(crate) shown: Option<Notice>,
    /// A warning that an error hides.
    pub(crate) hidden: Option<Notice>,
    /// The bell of the terminal is to ring.
    pub(crate) rings: bool,
}
