//! What is heard at the moment, as far as it is shown. Plain data.

use std::collections::VecDeque;

use crate::tui::meter::Meter;

/// What the live picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Picture {
    /// Level over the last seconds.
    #[default]
    Waveform,
    /// The wave itself.
    Oscilloscope,
    /// Level by pitch.
    Spectrum,
}

impl Picture {
    /// The one that follows.
    pub(crate) const fn next(self) -> Self {
        match self {
            Self::Waveform => Self::Oscilloscope,
            Self::Oscilloscope => Self::Spectrum,
            Self::Spectrum => Self::Waveform,
        }
    }
}

/// The peak of a short time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Column {
    /// The largest absolute sample.
    pub(crate) peak: f32,
    /// It went into a recording.
    pub(crate) kept: bool,
}

/// The level and the sound of the last seconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Live {
    pub(crate) meter: Meter,
    pub(crate) picture: Picture,
    /// The newest last.
    pub(crate) columns: VecDeque<Column>,
    /// Frames and peak of the column that is not full yet.
    pub(crate) column: (u32, f32),
    /// The latest samples, the newest last.
    pub(crate) sound: VecDeque<f32>,
}
