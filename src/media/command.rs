//! The commands of a recorder to its recording, and the names of both.

use std::time::Duration;

use crate::error::Error;

/// Names a track within the process.
pub(crate) type TrackKey = u64;
/// Names a recording within the process; no two have the same.
pub(crate) type TakeKey = u64;

/// A command of a recorder to its recording.
#[derive(Debug)]
pub(crate) enum TakeCommand {
    Pause,
    Resume,
    RequestData,
    Mark(String),
    Next,
    KeepGoing,
    /// Begin this long before the start.
    BeginEarlier(Duration),
    /// Gives the marker of that number, from 0 on, a text.
    NameMarker(usize, String),
    Stop,
    Fail(Error),
}
