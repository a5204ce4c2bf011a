//! Everything that the screen shows and remembers, as plain data. Nothing here acts.

mod dialog;
mod dictation;
mod listening;
mod takes;

use std::{collections::VecDeque, time::Duration};

use dictaphone::audio::AudioFormat;

pub(crate) use self::{
    dialog::{Dialog, Hears, InputRow},
    dictation::{Dictation, Job, Place, Work},
    listening::{Outline, Playing, Repeat},
    takes::{Kind, SKETCH_COLUMNS, Sketch, Take, Takes, order_name},
};
use super::{
    keymap::{Keymap, Scene},
    layout::Size,
    meter::Meter,
    theme::Theme,
};

/// What the recorder is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deck {
    /// Nothing is recorded.
    Idle,
    /// A recording was asked for and its first frame has not come.
    Waiting,
    /// Frames are kept.
    Recording,
    /// Frames are dropped.
    Paused,
    /// The recording ended and is made a file.
    Saving,
}

impl Deck {
    /// Whether the keys of a recording mean something.
    pub(crate) const fn is_busy(self) -> bool {
        matches!(self, Self::Waiting | Self::Recording | Self::Paused)
    }
}

/// The input.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Device {
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

/// What the live picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Picture {
    /// Level over the last seconds.
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

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Said for a moment.
    Note,
    /// Stays until a key is pressed.
    Warning,
    /// Stays until a key is pressed.
    Error,
}

/// A line for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// How much it matters.
    pub(crate) weight: Weight,
    /// The line.
    pub(crate) text: String,
    /// When it was said, since the screen was opened.
    pub(crate) at: Duration,
}

/// What the keys of the recorder and those of the clips are about while a recording runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pane {
    /// The recording.
    Recorder,
    /// The list of clips.
    Clips,
}

impl Pane {
    /// The other one.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Recorder => Self::Clips,
            Self::Clips => Self::Recorder,
        }
    }
}

/// The whole state of the screen.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) theme: Theme,
    pub(crate) keymap: Keymap,
    pub(crate) size: Size,
    /// The clips folder, as it is shown.
    pub(crate) folder: String,
    /// Name of the file format.
    pub(crate) container: &'static str,
    /// Time since the screen was opened, as of the last look at the world.
    pub(crate) now: Duration,
    /// The year that it is, once that is known.
    pub(crate) year: Option<i16>,

    pub(crate) deck: Deck,
    pub(crate) device: Device,
    /// Name of the file that is recorded.
    pub(crate) recording: String,
    /// Recorded time.
    pub(crate) time: Duration,
    /// Lost frames of the recording.
    pub(crate) lost: u64,
    /// Markers of the recording.
    pub(crate) markers: u32,
    /// Amplification before encoding.
    pub(crate) gain_db: f64,
    /// The take into which the recording goes.
    pub(crate) dictation: Option<Dictation>,
    /// How long the disk lasts.
    pub(crate) disk_left: Option<Duration>,

    pub(crate) meter: Meter,
    pub(crate) picture: Picture,
    /// The newest last.
    pub(crate) columns: VecDeque<Column>,
    /// Frames and peak of the column that is not full yet.
    pub(crate) column: (u32, f32),
    /// The latest samples, the newest last.
    pub(crate) sound: VecDeque<f32>,

    /// Where the keys go that both panes have.
    pub(crate) pane: Pane,
    pub(crate) takes: Takes,
    /// The clip that is played.
    pub(crate) playing: Option<Playing>,
    /// How fast it is played; 1 is as it was recorded.
    pub(crate) speed: f64,
    /// How loud this one and the following ones are played; 1 is as it was recorded.
    pub(crate) volume: f32,
    /// The part of it that is repeated.
    pub(crate) repeat: Repeat,
    /// What it looks like.
    pub(crate) outline: Option<Outline>,
    /// Where in it the mouse button went down.
    pub(crate) dragged_from: Option<Duration>,
    /// A file is being made of others.
    pub(crate) job: Option<Job>,
    /// Changes that can be undone.
    pub(crate) undoable: usize,
    pub(crate) dialog: Option<Dialog>,
    pub(crate) notice: Option<Notice>,
    /// A warning that an error hides.
    pub(crate) hidden: Option<Notice>,
    /// The user wants to go; what is recorded is saved first.
    pub(crate) leaving: bool,
    /// Something that is shown has changed.
    pub(crate) dirty: bool,
}

impl Model {
    /// What the keys are about.
    pub(crate) const fn scene(&self) -> Scene {
        match (self.deck.is_busy(), self.pane) {
            (false, _) => Scene::Idle,
            (true, Pane::Recorder) => Scene::Recorder,
            (true, Pane::Clips) => Scene::Clips,
        }
    }

    /// A screen on which nothing has happened.
    pub(crate) fn new(theme: Theme, size: Size, folder: String, container: &'static str, keymap: Keymap) -> Self {
        Self {
            theme,
            keymap,
            size,
            folder,
            container,
            now: Duration::ZERO,
            year: None,
            deck: Deck::Idle,
            device: Device::Opening,
            recording: String::new(),
            time: Duration::ZERO,
            lost: 0,
            markers: 0,
            gain_db: 0.0,
            dictation: None,
            disk_left: None,
            meter: Meter::default(),
            picture: Picture::Waveform,
            columns: VecDeque::new(),
            column: (0, 0.0),
            sound: VecDeque::new(),
            pane: Pane::Clips,
            takes: Takes::default(),
            playing: None,
            speed: 1.0,
            volume: 1.0,
            repeat: Repeat::Off,
            outline: None,
            dragged_from: None,
            job: None,
            undoable: 0,
            dialog: None,
            notice: None,
            hidden: None,
            leaving: false,
            dirty: true,
        }
    }
}
