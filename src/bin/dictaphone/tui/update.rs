//! What happens, and what follows from it: a state and a message become the next state and a list of effects. Pure.

mod dialogs;
mod keys;
mod list;
mod listening;
mod mouse;
mod recording;
mod sound;

use std::{path::PathBuf, time::Duration};

use crossterm::event::{KeyEvent, MouseEvent};
use dictaphone::audio::AudioFormat;

use super::{
    app::{Deck, Device, Dialog, InputRow, Model, Notice, Playing, Take, Weight},
    layout::Size,
};
use crate::{intent::Intent, status};

/// What was heard and counted since the last time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Heard {
    /// Time since the screen was opened.
    pub(crate) now: Duration,
    /// Sound after the gain, one sample a frame: that of the channel which is the loudest in it.
    pub(crate) sound: Vec<f32>,
    /// How the recording is getting on.
    pub(crate) progress: Option<Counted>,
    /// What is being played.
    pub(crate) playing: Option<Playing>,
    /// How long the disk lasts.
    pub(crate) disk_left: Option<Duration>,
}

/// The numbers of a running recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Recorded time.
    pub(crate) time: Duration,
    /// Lost frames.
    pub(crate) lost: u64,
    /// The first frame has come.
    pub(crate) arrived: bool,
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Msg {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(String),
    Resize(Size),
    /// From a signal.
    Wish(Intent),
    Heard(Heard),
    /// A device delivers from now on; what a recording of it will be like.
    Opened {
        name: String,
        format: AudioFormat,
    },
    /// There is no device, or it went away, and why.
    Missing(String),
    /// A recording was asked for and goes into a file of that name.
    Started(String),
    Paused,
    Resumed,
    Marked(Duration),
    /// The recording is over and is being saved.
    Ended,
    /// It is a file; what is missing from it, if something is.
    Saved {
        path: PathBuf,
        time: Duration,
        flaw: Option<String>,
    },
    /// There is no file of it, and why; nothing if that was wanted.
    NotSaved(Option<String>),
    /// What is in the folder, newest first.
    Takes {
        takes: Vec<Take>,
        unfinished: usize,
    },
    Renamed {
        from: PathBuf,
        to: PathBuf,
    },
    /// A clip is in the trash; whether it can be brought back.
    Deleted {
        path: PathBuf,
        restorable: bool,
    },
    /// The latest deleted clip is back, or cannot come back, and why.
    Restored(Result<PathBuf, String>),
    Inputs(Vec<InputRow>),
    Say(Weight, String),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Opens the input of that id, or the one that was asked for at first.
    Open(Option<String>),
    Start,
    Pause,
    Resume,
    Mark,
    Stop,
    /// Stops and throws away.
    Discard,
    ListInputs,
    /// Gives a clip another name, without extension.
    Rename(PathBuf, String),
    /// Plays a clip from its start.
    Play(PathBuf),
    /// Pauses what is played, or goes on.
    TogglePlay,
    /// Goes back or on by so many seconds.
    Seek(i32),
    /// Plays at another speed.
    Speed(f64),
    StopPlaying,
    /// Moves a clip to the trash.
    Delete(PathBuf),
    /// Brings the clip back that was deleted last.
    Restore,
}

/// The next state, and what is to be done.
pub(crate) fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let heard = matches!(msg, Msg::Heard(_));
    let effects = apply(model, msg);
    // What is heard tells by itself whether something has changed.
    model.dirty |= !heard;
    list::scroll_into_view(model);
    effects
}

fn apply(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(key) => return keys::press(model, key),
        Msg::Mouse(mouse) => return mouse::point(model, mouse),
        Msg::Paste(text) => dialogs::paste(model, &text),
        Msg::Resize(size) => model.size = size,
        Msg::Wish(intent) => return recording::wish(model, intent),
        Msg::Heard(heard) => sound::hear(model, heard),
        Msg::Opened { name, format } => model.device = Device::Open { name, format },
        Msg::Missing(why) => {
            model.device = Device::Missing;
            model.sound.clear();
            say(model, Weight::Error, why);
        }
        Msg::Started(name) => {
            model.deck = Deck::Waiting;
            (model.recording, model.time, model.lost, model.markers) = (name, Duration::ZERO, 0, 0);
            model.meter.reset();
        }
        Msg::Paused => model.deck = Deck::Paused,
        Msg::Resumed => model.deck = Deck::Recording,
        Msg::Marked(at) => {
            model.markers += 1;
            say(model, Weight::Note, format!("marker {} at {}", model.markers, status::clock(at)));
        }
        Msg::Ended => {
            model.deck = Deck::Saving;
            if matches!(model.dialog, Some(Dialog::Discard)) {
                model.dialog = None;
            }
        }
        Msg::Saved { path, time, flaw } => recording::saved(model, path, time, flaw),
        Msg::NotSaved(why) => {
            (model.deck, model.time) = (Deck::Idle, Duration::ZERO);
            match why {
                Some(why) => say(model, Weight::Error, why),
                None => say(model, Weight::Note, "discarded".to_owned()),
            }
        }
        Msg::Takes { takes, unfinished } => {
            model.takes.unfinished = unfinished;
            list::take_list(model, takes);
        }
        Msg::Renamed { from, to } => list::renamed(model, &from, to),
        Msg::Deleted { path, restorable } => list::deleted(model, &path, restorable),
        Msg::Restored(outcome) => list::restored(model, outcome),
        Msg::Inputs(rows) => {
            if let Some(Dialog::Inputs { rows: listed, .. }) = &mut model.dialog {
                *listed = Some(rows);
            }
        }
        Msg::Say(weight, text) => say(model, weight, text),
    }
    Vec::new()
}

fn say(model: &mut Model, weight: Weight, text: String) {
    // A note must not hide what went wrong.
    let hides = model.notice.as_ref().is_some_and(|notice| notice.weight == Weight::Error);
    if weight == Weight::Note && hides {
        return;
    }
    model.notice = Some(Notice { weight, text, at: model.now });
}

fn stem(path: &std::path::Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
