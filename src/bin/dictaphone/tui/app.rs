//! Everything that the screen shows and keeps, as plain data. Nothing here has side effects.

mod dialog;
mod dictation;
mod live;
mod notices;
mod player;
mod recorder;
mod shelf;

use std::time::Duration;

pub(crate) use self::{
    dialog::{Dialog, InputLevel, InputRow, Marked},
    dictation::{Dictation, Job, Place, Work},
    live::{Column, Growing, Live, Picture},
    notices::{Notice, Notices, Weight},
    player::{Detail, Mark, Outline, PlayerView, Playing, Repeat, Stretch},
    recorder::{Deck, InputState, RecorderView},
    shelf::{ClipRow, Kind, SKETCH_COLUMNS, ShelfView, Sketch, order_name},
};
use super::{
    keymap::{Keymap, Scene},
    meter::Meter,
    theme::Theme,
};

/// Columns and rows of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: u16,
    pub(crate) rows: u16,
}

/// What the keys of the recorder and those of the clips apply to while a recording runs.
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
    /// Time since the screen was opened, as of the last look at the outside.
    pub(crate) now: Duration,
    /// The current year, once that is known.
    pub(crate) year: Option<i16>,
    pub(crate) recorder: RecorderView,
    pub(crate) live: Live,
    pub(crate) shelf: ShelfView,
    pub(crate) player: PlayerView,
    /// The pane that receives the keys which both have.
    pub(crate) pane: Pane,
    pub(crate) dialog: Option<Dialog>,
    pub(crate) notices: Notices,
    /// The user wants to leave; what is recorded is saved first.
    pub(crate) leaving: bool,
    /// Something that is shown has changed.
    pub(crate) dirty: bool,
}

impl Model {
    /// What the keys apply to.
    pub(crate) const fn scene(&self) -> Scene {
        match (self.recorder.deck.is_busy(), self.pane) {
            (false, _) => Scene::Idle,
            (true, Pane::Recorder) => Scene::Recorder,
            (true, Pane::Clips) => Scene::Clips,
        }
    }

    /// The meter of what matters at the moment: the input, or what is played while nothing is recorded.
    pub(crate) fn meter(&self) -> &Meter {
        let is_heard = self.player.playing.as_ref().is_some_and(|playing| !playing.is_paused);
        match self.recorder.deck {
            Deck::Idle if is_heard => &self.player.meter,
            _ => &self.live.meter,
        }
    }

    /// A screen on which nothing has happened.
    pub(crate) fn new(theme: Theme, size: Size, folder: String, container: &'static str, keymap: Keymap) -> Self {
        Self {
            theme,
            keymap,
            size,
            now: Duration::ZERO,
            year: None,
            recorder: RecorderView::new(container),
            live: Live::default(),
            shelf: ShelfView { folder, ..ShelfView::default() },
            player: PlayerView::default(),
            pane: Pane::Clips,
            dialog: None,
            notices: Notices::default(),
            leaving: false,
            dirty: true,
        }
    }
}
