//! What a recorder asks of its recording, and the names of both.

use std::time::Duration;

use crate::error::Error;

/// Names a track within the process.
pub(crate) type TrackKey = u64;
/// Names a recording within the process; no two ever share one.
pub(crate) type TakeKey = u64;

/// What a recorder asks of its recording.
#[derive(Debug)]
pub(crate) enum TakeCommand {
    Pause,
    Resume,
    RequestData,
    Mark(String),
    Next,
    KeepGoing,
    /// Begin so long before the start.
    BeginEarlier(Duration),
    /// Gives the marker of that number, from 0 on, a text.
    NameMarker(usize, String),
    Stop,
    Fail(Error),
}
