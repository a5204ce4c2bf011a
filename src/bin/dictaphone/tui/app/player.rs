//! The clip that is played, as plain data.

use std::{path::PathBuf, time::Duration};

use dictaphone::clips::{Waveform, draw::Scale};

use crate::tui::meter::Meter;

/// A clip that is played.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Playing {
    /// The clip.
    pub(crate) path: PathBuf,
    /// Where it is.
    pub(crate) at: Duration,
    /// How long it is, if known.
    pub(crate) length: Option<Duration>,
    /// It is paused.
    pub(crate) is_paused: bool,
    /// The highest sample that was played a moment ago.
    pub(crate) peak: f32,
}

impl Playing {
    /// What can be seen of it, which changes ten times a second.
    pub(crate) fn rounded(&self) -> Self {
        let tenths = self.at.as_millis() / 100;
        let at = Duration::from_millis(u64::try_from(tenths * 100).unwrap_or(u64::MAX));
        Self { at, peak: 0.0, ..self.clone() }
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

/// A marker of a clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) at: Duration,
    /// Its text; may be empty.
    pub(crate) text: String,
}

/// A part of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

impl Stretch {
    pub(crate) fn length(self) -> Duration {
        self.to.saturating_sub(self.from)
    }

    pub(crate) fn contains(self, place: Duration) -> bool {
        (self.from..=self.to).contains(&place)
    }

    pub(crate) fn covers(self, other: Self) -> bool {
        self.from <= other.from && other.to <= self.to
    }

    /// A stretch of that length in a clip of `whole`, with so much of it before `place`.
    pub(crate) fn around(place: Duration, before: Duration, length: Duration, whole: Duration) -> Self {
        let from = place.saturating_sub(before).min(whole.saturating_sub(length));
        Self { from, to: (from + length).min(whole) }
    }
}

/// The enlarged waveform of a part of the clip that is played.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Detail {
    /// The clip.
    pub(crate) path: PathBuf,
    pub(crate) stretch: Stretch,
    pub(crate) waveform: Waveform,
}

/// The waveform and the markers of the clip that is played.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outline {
    /// The clip.
    pub(crate) path: PathBuf,
    /// As much of it as was read.
    pub(crate) waveform: Waveform,
    /// What is low and high in it.
    pub(crate) scale: Scale,
    /// Its length in frames, if known.
    pub(crate) frames: Option<u64>,
    /// Frames a second.
    pub(crate) rate: u32,
    /// Its markers by time.
    pub(crate) markers: Vec<Mark>,
}

/// Listening to a clip.
#[derive(Debug, Clone)]
pub(crate) struct PlayerView {
    /// The clip that is played.
    pub(crate) playing: Option<Playing>,
    /// The place that was requested, and when, until the player reports that it is there.
    pub(crate) sought: Option<(Duration, Duration)>,
    /// How fast it is played; 1 is as it was recorded.
    pub(crate) speed: f64,
    /// How loud this one and the following ones are played; 1 is as it was recorded.
    pub(crate) volume: f32,
    /// The part of it that is repeated.
    pub(crate) repeat: Repeat,
    /// The level of what is played of it.
    pub(crate) meter: Meter,
    /// Its waveform and its markers.
    pub(crate) outline: Option<Outline>,
    /// The part of it that fills the screen; all of it without one.
    pub(crate) zoom: Option<Stretch>,
    pub(crate) detail: Option<Detail>,
    /// The part of which a detail was asked for last.
    pub(crate) asked: Option<Stretch>,
    /// Silence is left out.
    pub(crate) skips: bool,
    /// Where in it the mouse button went down.
    pub(crate) dragged_from: Option<Duration>,
}

impl PlayerView {
    /// Waveform and markers of the clip that is played, if they are known.
    pub(crate) fn outline_of_playing(&self) -> Option<&Outline> {
        let playing = self.playing.as_ref()?;
        self.outline.as_ref().filter(|outline| outline.path == playing.path)
    }

    /// The part of the clip that is shown, if its length is known.
    pub(crate) fn shown(&self) -> Option<Stretch> {
        let whole = self.playing.as_ref()?.length?;
        let all = Stretch { from: Duration::ZERO, to: whole };
        Some(self.zoom.map_or(all, |zoom| Stretch { from: zoom.from.min(whole), to: zoom.to.min(whole) }))
    }
}

impl Default for PlayerView {
    fn default() -> Self {
        Self {
            playing: None,
            sought: None,
            speed: 1.0,
            volume: 1.0,
            repeat: Repeat::Off,
            meter: Meter::default(),
            outline: None,
            zoom: None,
            detail: None,
            asked: None,
            skips: false,
            dragged_from: None,
        }
    }
}
