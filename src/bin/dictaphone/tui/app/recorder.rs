//! The input and the recording, as far as they are shown. Plain data.

use std::time::Duration;

use dictaphone::audio::AudioFormat;

use super::Dictation;

/// What the recorder is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deck {
    /// Nothing is recorded.
    Idle,
    /// A recording was requested and its first frame has not arrived.
    Waiting,
    /// Frames are kept.
    Recording,
    /// Frames are dropped.
    Paused,
    /// The recording ended and is being saved as a file.
    Saving,
}

impl Deck {
    /// Whether the keys of a recording have a meaning.
    pub(crate) const fn is_busy(self) -> bool {
        matches!(self, Self::Waiting | Self::Recording | Self::Paused)
    }
}

/// The input.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum InputState {
    /// It is being opened.
    Opening,
    /// It delivers.
    Open {
        /// Its name, as it is.
        name: String,
        /// What a recording of it will be like.
        format: AudioFormat,
    },
    /// There is none, or it could not be opened, or it went away.
    Missing,
}

/// The input and the recording.
#[derive(Debug, Clone)]
pub(crate) struct RecorderView {
    pub(crate) deck: Deck,
    pub(crate) device: InputState,
    /// Name of the file format.
    pub(crate) container: &'static str,
    /// Name of the file that is recorded.
    pub(crate) name: String,
    /// Recorded time.
    pub(crate) time: Duration,
    /// Lost frames of the recording.
    pub(crate) lost: u64,
    /// Markers of the recording.
    pub(crate) markers: u32,
    /// Amplification before encoding.
    pub(crate) gain_db: f64,
    /// What is kept in memory of the input, for a user who starts too late.
    pub(crate) keeps: Duration,
    /// How long before it was started the recording can begin, and is to begin.
    pub(crate) reach: Duration,
    pub(crate) begins_before: Duration,
    /// The take into which the recording goes.
    pub(crate) dictation: Option<Dictation>,
    /// How long the disk lasts.
    pub(crate) disk_left: Option<Duration>,
    /// What is recorded goes to the trash when it is saved.
    pub(crate) is_unwanted: bool,
}

impl RecorderView {
    /// Nothing is recorded yet, and the input is being opened.
    pub(crate) fn new(container: &'static str) -> Self {
        Self {
            deck: Deck::Idle,
            device: InputState::Opening,
            container,
            name: String::new(),
            time: Duration::ZERO,
            lost: 0,
            markers: 0,
            gain_db: 0.0,
            keeps: Duration::ZERO,
            reach: Duration::ZERO,
            begins_before: Duration::ZERO,
            dictation: None,
            disk_left: None,
            is_unwanted: false,
        }
    }
}
