//! The list of clips, as plain data.

use std::path::PathBuf;

use dictaphone::clips::{Bin, Clip, SortKey};

use super::Job;

/// Columns of the small waveform that is kept for a clip of the list.
pub(crate) const SKETCH_COLUMNS: usize = 96;

/// Whether a clip is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It has its name.
    Whole,
    /// Its recorder was cut off; it can be recovered.
    Unfinished,
}

/// The small waveform of a clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sketch {
    /// Not looked for yet.
    Unknown,
    /// There is none.
    Nothing,
    /// Its columns.
    Known(Vec<Bin>),
}

/// A clip of the list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClipRow {
    /// The facts in its header.
    pub(crate) clip: Clip,
    pub(crate) kind: Kind,
    pub(crate) sketch: Sketch,
}

impl ClipRow {
    /// Whether it is samples alone: nothing is wrong with it, but it is unknown what they mean.
    pub(crate) fn is_raw(&self) -> bool {
        self.kind == Kind::Whole && self.clip.error.is_some() && self.clip.format.as_deref() == Some("raw")
    }
}

/// The list of clips.
#[derive(Debug, Clone, Default)]
pub(crate) struct Takes {
    /// All of them: unfinished ones first, then in the order that was chosen.
    pub(crate) all: Vec<ClipRow>,
    /// They were looked for at least once.
    pub(crate) known: bool,
    /// Why the folder cannot be read.
    pub(crate) trouble: Option<String>,
    /// By what they are sorted.
    pub(crate) order: SortKey,
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
    /// The clips whose small waveforms were asked for last.
    pub(crate) asked: Vec<PathBuf>,
}

impl Takes {
    /// The clip that keys apply to.
    pub(crate) fn current(&self) -> Option<&ClipRow> {
        self.shown.get(self.selected).and_then(|&index| self.all.get(index))
    }

    /// Recordings that were cut off and can be recovered.
    pub(crate) fn unfinished(&self) -> usize {
        self.all.iter().filter(|take| take.kind == Kind::Unfinished).count()
    }
}

/// The name of an order in the title of the list.
pub(crate) const fn order_name(order: SortKey) -> &'static str {
    match order {
        SortKey::Date => "by date",
        SortKey::Name => "by name",
        SortKey::Length => "by length",
        SortKey::Size => "by size",
        SortKey::Format => "by format",
    }
}

/// The folder, and what is done with its clips.
#[derive(Debug, Clone, Default)]
pub(crate) struct ShelfView {
    /// The clips folder, as it is shown.
    pub(crate) folder: String,
    pub(crate) takes: Takes,
    /// A file is being made of others.
    pub(crate) job: Option<Job>,
    /// Changes that can be undone.
    pub(crate) undoable: usize,
}
