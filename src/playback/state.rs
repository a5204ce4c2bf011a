//! The state of a player at one moment.

use std::{ops::Range, time::Duration};

use crate::{audio::time::duration_of, error::Error};

/// What a player is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Frames flow to the output, or will as soon as it is open.
    Playing,
    /// It waits where it is. This is how it begins.
    Paused,
    /// The last frame has been heard. Playing begins at the start again.
    Ended,
    /// The output or the recording failed, see [`PlayerState::error`]. Playing tries once more from there.
    Failed,
}

named! { Status: Playing "playing", Paused "paused", Ended "ended", Failed "failed" }

/// The state of a player at one moment.
#[derive(Debug, Clone)]
pub struct PlayerState {
    /// What it is doing.
    pub status: Status,
    /// The frame that is being heard, counted from 0 in the rate of the recording, as far as the latency of the output
    /// is known.
    pub position: u64,
    /// Frames of the recording, if known.
    pub length: Option<u64>,
    /// Frames a second of the recording, in hertz.
    pub sample_rate: u32,
    /// Speed, 0.5 to 3.
    pub speed: f64,
    /// Factor for every sample, 0 to 4.
    pub volume: f32,
    /// The frames that are repeated.
    pub repeat: Option<Range<u64>>,
    /// The largest absolute sample of the last 50 ms that were heard, as loud as it is played; 0 while nothing is.
    pub peak: f32,
    /// Why it failed, while it is in [`Status::Failed`].
    pub error: Option<Error>,
    /// What is missing in what was read so far, as the end of a sentence about the recording.
    pub damage: Option<String>,
}

impl PlayerState {
    /// The position as time.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        duration_of(self.position, self.sample_rate)
    }

    /// The length as time, if known.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        self.length.map(|frames| duration_of(frames, self.sample_rate))
    }
}
