//! Frames to a loudspeaker: play, pause, seek, speed, repeat.
//!
//! ```text
//! decoder ▶ mixer ▶ resampler ▶ stretcher ──▶ queue ──callback──▶ loudspeaker
//! └──────────── thread `player` ───────────┘ (ring)  (realtime)
//! ```
//!
//! A [`Player`] is the handle that any thread may hold; its thread reads ahead by a fraction of a second and tracks
//! which frame is being heard. An [`Output`] is what it plays to: a loudspeaker, a clock that plays into nothing, or a
//! test that pulls the frames itself. Recordings, folders and keys are not handled here.

mod chain;
mod clock;
mod cue;
mod engine;
mod output;
mod player;
#[cfg(test)]
mod player_tests;
mod pulled;
mod queue;
mod sample;
mod speaker;
mod state;
mod stretch;
mod timeline;

pub use clock::ClockOutput;
pub use cue::{Cue, play_cue};
pub use output::{Device, Line, Output};
pub use player::Player;
pub use pulled::{PulledOutput, Puller};
pub use queue::{Feeder, LineDrain, queue};
pub use speaker::Speaker;
pub use state::{PlayerState, Status};
