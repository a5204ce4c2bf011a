//! The progress of the work on a clip, for callers that wait for it.

use std::ops::ControlFlow;

/// The progress of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Advance {
    /// Frames of the clips that were read.
    pub frames: u64,
    /// Frames that there are to read, if known.
    pub total: Option<u64>,
}

/// Called with the progress after every block that was read; returns whether to go on.
pub type Watch<'a> = &'a mut dyn FnMut(Advance) -> ControlFlow<()>;
