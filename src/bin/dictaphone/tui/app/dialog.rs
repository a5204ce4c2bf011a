//! What has the keys for itself at the moment, as plain data.

use std::{path::PathBuf, time::Duration};

use tui_input::Input;

/// An input that can be chosen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InputRow {
    /// What the device is opened by.
    pub(crate) id: String,
    /// Its name.
    pub(crate) label: String,
    /// The sound system it belongs to.
    pub(crate) host: String,
    /// The system's default.
    pub(crate) is_default: bool,
    /// What is heard from it.
    pub(crate) hears: Hears,
}

/// What is heard from an input that can be chosen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Hears {
    /// There are too many of them to listen to all.
    Unheard,
    /// It is being opened.
    Opening,
    /// The peak of the last moment, in dBFS.
    Peak(f64),
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

/// What has the keys for itself at the moment.
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
