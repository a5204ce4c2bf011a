//! How far the work on a clip has come, for whoever waits for it.

use std::ops::ControlFlow;

/// How far the work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Advance {
    /// Frames of the clips that were read.
    pub frames: u64,
    /// Frames that there are to read, if known.
    pub total: Option<u64>,
}

/// Hears of every block that was read, and says whether to go on.
pub type Watch<'a> = &'a mut dyn FnMut(Advance) -> ControlFlow<()>;
