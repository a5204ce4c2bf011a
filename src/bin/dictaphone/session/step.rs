//! What the threads of a session report while it goes on.

use std::path::PathBuf;

use dictaphone::capture::Warning;

use crate::report::outcome::{CopyFailure, Kept};

/// What the threads of the steps report.
pub(crate) enum Step {
    /// A file of the recording is saved, or cannot be, while others follow.
    FileSaved {
        /// What is left of it.
        kept: Kept,
        /// Its length.
        frames: u64,
        /// Frames of it that were lost and are silence.
        lost_frames: u64,
    },
    /// One of two copies has failed.
    CopyFailed(CopyFailure),
    /// Files that were deleted to make room, or why that failed.
    Deleted(dictaphone::Result<Vec<PathBuf>>),
    /// The device of that opening is not there yet, and why; it is waited for.
    Waiting(u64, String),
    /// Something that a person should know.
    Noted(Warning),
}
