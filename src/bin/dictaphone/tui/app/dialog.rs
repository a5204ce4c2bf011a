//! The dialog that receives all keys at the moment, as plain data.

use std::{path::PathBuf, time::Duration};

use dictaphone::audio::ChannelMap;
use tui_input::Input;

/// An input that can be chosen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InputRow {
    /// The id by which the device is opened.
    pub(crate) id: String,
    /// Its name.
    pub(crate) label: String,
    /// The sound system it belongs to.
    pub(crate) host: String,
    /// The system's default.
    pub(crate) is_default: bool,
    /// Its level.
    pub(crate) level: InputLevel,
    /// The channels of it that are to be kept, counted from 1, in that order; all of them if none is chosen.
    pub(crate) chosen: Vec<u16>,
    /// The first of two digits that name a channel.
    pub(crate) digit: Option<u16>,
}

/// Channels that one digit can name.
const DIGIT_CHANNELS: usize = 9;

impl InputRow {
    /// The peaks of its channels in the last moment, in dBFS; none before any sound arrived.
    pub(crate) fn peaks(&self) -> &[f64] {
        if let InputLevel::Peaks(peaks) = &self.level { peaks } else { &[] }
    }

    /// What is to be kept of it, if that is not everything.
    pub(crate) fn map(&self) -> Option<ChannelMap> {
        let names: Vec<String> = self.chosen.iter().map(u16::to_string).collect();
        names.join(",").parse().ok()
    }

    /// The name of a channel, with all the digits that it has.
    pub(crate) fn name_of(&self, channel: u16) -> String {
        if self.peaks().len() > DIGIT_CHANNELS { format!("{channel:02}") } else { channel.to_string() }
    }

    /// A digit names a channel, or the first of two where there are many; the channel is chosen, or not any more. Zero
    /// chooses all of them again.
    pub(crate) fn type_digit(&mut self, digit: u16) {
        let count = self.peaks().len();
        let channel = match (count > DIGIT_CHANNELS, self.digit.take()) {
            (false, _) => digit,
            (true, Some(first)) => first * 10 + digit,
            (true, None) => return self.digit = Some(digit),
        };
        match channel {
            0 => self.chosen.clear(),
            _ if usize::from(channel) > count || count == 1 => {}
            _ if self.chosen.contains(&channel) => self.chosen.retain(|&chosen| chosen != channel),
            _ => self.chosen.push(channel),
        }
    }
}

/// The level of an input that can be chosen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum InputLevel {
    /// There are too many of them to measure all.
    Unheard,
    /// It is being opened.
    Opening,
    /// The peak of each channel in the last moment, in dBFS.
    Peaks(Vec<f64>),
    /// It cannot be opened.
    Nothing,
}

/// Which marker is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Marked {
    /// That of the recording with this number, from 0 on, which is set already.
    Recording(usize),
    /// A new one of a clip.
    New(PathBuf, Duration),
    /// One that a clip has, by its place among them.
    Known(PathBuf, usize),
}

/// The dialog that receives all keys at the moment.
#[derive(Debug, Clone)]
pub(crate) enum Dialog {
    /// The name of a clip is typed.
    Name {
        /// The clip.
        path: PathBuf,
        /// What was typed.
        input: Input,
        /// It was just recorded, and the name is a suggestion.
        fresh: bool,
        /// Nothing was typed yet: the first letter takes the place of the suggestion.
        untouched: bool,
        /// Why the clip cannot be called what was typed.
        wrong: Option<String>,
    },
    /// The filter is typed.
    Filter(Input),
    /// A place in the clip that is played is typed.
    GoTo {
        /// What was typed.
        input: Input,
        /// Why there is no such place.
        wrong: Option<String>,
    },
    /// The name of a marker is typed.
    Marker {
        of: Marked,
        /// What was typed.
        input: Input,
    },
    /// A marker of the clip that is played is chosen.
    Markers {
        /// Place of the cursor.
        selected: usize,
    },
    /// Really throw the recording away?
    Discard,
    /// An input is chosen; `None` until they are listed.
    Inputs {
        /// What there is.
        rows: Option<Vec<InputRow>>,
        /// Place of the cursor.
        selected: usize,
    },
    /// A format is chosen into which a clip is exported.
    Export {
        /// The clip.
        path: PathBuf,
        /// Names of the formats.
        formats: Vec<&'static str>,
        /// Place of the cursor.
        selected: usize,
    },
    /// All keys, from this line on.
    Help(u16),
}
