//! The sound of the moment, as far as it is shown. Plain data.

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

/// The sound of a short time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Column {
    /// The largest absolute sample.
    pub(crate) peak: f32,
    /// The root of the mean square.
    pub(crate) loudness: f32,
    /// It went into a recording.
    pub(crate) kept: bool,
    /// A marker was set in it.
    pub(crate) is_marked: bool,
}

/// A column that is not full yet.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Growing {
    pub(crate) frames: u32,
    pub(crate) peak: f32,
    /// The sum of the squares.
    pub(crate) power: f32,
}

/// The level and the sound of the last seconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Live {
    pub(crate) meter: Meter,
    pub(crate) picture: Picture,
    /// The newest last.
    pub(crate) columns: VecDeque<Column>,
    /// How many columns there were when the recording was started, and how many of these went into it.
    pub(crate) started: Option<(u64, u64)>,
    /// Columns before those that are remembered.
    pub(crate) passed: u64,
    pub(crate) growing: Growing,
    /// The latest samples, the newest last.
    pub(crate) sound: VecDeque<f32>,
}

impl Live {
    /// Nothing arrives any more: earlier sound must not look as if it still arrived.
    pub(crate) fn fall_silent(&mut self) {
        self.sound.clear();
        self.meter.fall_silent();
    }
}
