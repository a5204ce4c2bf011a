//! The clip that is played, as plain data.

use std::{path::PathBuf, time::Duration};

use dictaphone::clips::Waveform;

/// A clip that is played.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Playing {
    /// The clip.
    pub(crate) path: PathBuf,
    /// Where it is.
    pub(crate) at: Duration,
    /// How long it is, if known.
    pub(crate) length: Option<Duration>,
    /// It waits.
    pub(crate) is_paused: bool,
}

impl Playing {
    /// What can be seen of it, which changes ten times a second.
    pub(crate) fn rounded(&self) -> Self {
        let tenths = self.at.as_millis() / 100;
        let at = Duration::from_millis(u64::try_from(tenths * 100).unwrap_or(u64::MAX));
        Self { at, ..self.clone() }
    }
}

/// A part that is played again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Repeat {
    #[default]
    Off,
    /// Its start is set (A).
    From(Duration),
    /// It is repeated from A to B.
    Between(Duration, Duration),
}

/// What the clip that is played looks like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outline {
    /// The clip.
    pub(crate) path: PathBuf,
    /// As much of it as was read.
    pub(crate) waveform: Waveform,
    /// Its length in frames, if known.
    pub(crate) frames: Option<u64>,
    /// Its markers by time.
    pub(crate) markers: Vec<Duration>,
}
