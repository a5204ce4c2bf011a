//! Everything that the screen shows and remembers, as plain data. Nothing here acts.

use std::{collections::VecDeque, path::PathBuf, time::Duration};

use dictaphone::audio::AudioFormat;
use jiff::Zoned;
use tui_input::Input;

use super::{keymap::Keymap, layout::Size, meter::Meter, theme::Theme};

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

/// A clip of the list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Take {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// File name without extension.
    pub(crate) name: String,
    /// Container, or the extension if it cannot be read.
    pub(crate) format: String,
    /// Length, if known.
    pub(crate) length: Option<Duration>,
    /// When it was recorded, or else last changed.
    pub(crate) at: Option<Zoned>,
    /// Why it cannot be read.
    pub(crate) error: Option<String>,
}

/// The list of clips.
#[derive(Debug, Clone, Default)]
pub(crate) struct Takes {
    /// All of them, newest first.
    pub(crate) all: Vec<Take>,
    /// Recordings that were cut off and can be recovered.
    pub(crate) unfinished: usize,
    /// They were read at least once.
    pub(crate) known: bool,
    /// Only names with this in them are shown.
    pub(crate) filter: String,
    /// Place in `all` of those that are shown.
    pub(crate) shown: Vec<usize>,
    /// Place in `shown`.
    pub(crate) selected: usize,
    /// The clip that the cursor is to be on when the folder has been read.
    pub(crate) wanted: Option<PathBuf>,
    /// Place in `shown` of the first row.
    pub(crate) offset: usize,
}

impl Takes {
    /// The clip that keys are about.
    pub(crate) fn current(&self) -> Option<&Take> {
        self.shown.get(self.selected).and_then(|&index| self.all.get(index))
    }
}

/// An input that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InputRow {
    /// What the device is opened by.
    pub(crate) id: String,
    /// Its name.
    pub(crate) label: String,
    /// The sound system it belongs to.
    pub(crate) host: String,
    /// The system's default.
    pub(crate) is_default: bool,
}

/// What has the keys for itself at the moment.
#[derive(Debug, Clone)]
pub(crate) enum Dialog {
    /// The name of a clip is typed.
    Name {
        /// The clip.
        path: PathBuf,
        /// What was typed.
        input: Input,
        /// It was just recorded.
        fresh: bool,
    },
    /// The filter is typed.
    Filter(Input),
    /// Really throw the recording away?
    Discard,
    /// An input is chosen; `None` until they are listed.
    Inputs {
        /// What there is.
        rows: Option<Vec<InputRow>>,
        /// Place of the cursor.
        selected: usize,
    },
    /// All keys, from this line on.
    Help(u16),
}

/// A clip that is played.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Playing {
    /// The clip.
    pub(crate) path: PathBuf,
    /// Where it is, to the tenth of a second.
    pub(crate) at: Duration,
    /// How long it is, if known.
    pub(crate) length: Option<Duration>,
    /// 1 is as it was recorded.
    pub(crate) speed: f64,
    /// It waits.
    pub(crate) is_paused: bool,
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

    pub(crate) takes: Takes,
    /// The clip that is played.
    pub(crate) playing: Option<Playing>,
    /// Clips that were deleted and can be brought back, the latest last.
    pub(crate) deleted: usize,
    pub(crate) dialog: Option<Dialog>,
    pub(crate) notice: Option<Notice>,
    /// The user wants to go; what is recorded is saved first.
    pub(crate) leaving: bool,
    /// Something that is shown has changed.
    pub(crate) dirty: bool,
}

impl Model {
    /// A screen on which nothing has happened.
    pub(crate) fn new(theme: Theme, size: Size, folder: String, container: &'static str, keymap: Keymap) -> Self {
        Self {
            theme,
            keymap,
            size,
            folder,
            container,
            now: Duration::ZERO,
            deck: Deck::Idle,
            device: Device::Opening,
            recording: String::new(),
            time: Duration::ZERO,
            lost: 0,
            markers: 0,
            disk_left: None,
            meter: Meter::default(),
            picture: Picture::Waveform,
            columns: VecDeque::new(),
            column: (0, 0.0),
            sound: VecDeque::new(),
            takes: Takes::default(),
            playing: None,
            deleted: 0,
            dialog: None,
            notice: None,
            leaving: false,
            dirty: true,
        }
    }
}
