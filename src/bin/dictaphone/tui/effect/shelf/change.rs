//! What can be taken back of what was done to the clips.

use std::path::{Path, PathBuf};

use dictaphone::{
    audio::{Marker, time::duration_of},
    clips::{Spliced, Trashed, Trimmed},
};

use crate::tui::update::Undone;

/// What can be taken back.
#[derive(Debug)]
pub(in crate::tui) enum Change {
    Deleted(Trashed),
    Spliced(Spliced),
    Cut(Trimmed),
    /// A clip had these markers.
    Marked {
        path: PathBuf,
        before: Vec<Marker>,
    },
}

impl Change {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Deleted(trashed) => &trashed.path,
            Self::Spliced(spliced) => &spliced.path,
            Self::Cut(trimmed) => &trimmed.path,
            Self::Marked { path, .. } => path,
        }
    }

    /// What is reported when it was taken back, about the clip at `path`.
    pub(super) fn taken_back(&self, path: PathBuf) -> Undone {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match self {
            Self::Deleted(_) => Undone { path, said: format!("{name} is back"), at: None },
            Self::Spliced(spliced) => Undone {
                path,
                said: format!("{name} is as it was; the recording is in the trash"),
                at: Some(duration_of(spliced.new_frames.start, spliced.sample_rate)),
            },
            Self::Marked { .. } => Undone { path, said: format!("the markers of {name} are as they were"), at: None },
            Self::Cut(trimmed) => Undone {
                path,
                said: format!("what was cut out of {name} is back"),
                at: Some(duration_of(trimmed.seam, trimmed.sample_rate)),
            },
        }
    }
}
