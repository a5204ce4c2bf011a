//! What happens, and what follows from it: a state and a message become the next state and a list of effects. Pure.

mod changed;
mod cut;
mod dialogs;
mod dictation;
mod inputs;
mod jobs;
mod keys;
mod list;
mod listening;
mod markers;
mod mouse;
pub(crate) mod recording;
mod sound;
mod travel;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crossterm::event::{KeyEvent, KeyEventKind, MouseEvent};
use dictaphone::{
    audio::{AudioFormat, ChannelMap},
    clips::Bin,
    storage::place,
};

pub(crate) use self::changed::{Changed, Undone};
use super::{
    app::{
        ClipRow, Deck, Detail, Dialog, Dictation, InputRow, InputState, Mark, Model, Notice, Outline, Pane, Playing,
        Size, Stretch, Weight,
    },
    keymap::Action,
};
use crate::{input::command::Command, report::status};

/// The sound and the counts since the last time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Look {
    /// Time since the screen was opened.
    pub(crate) now: Duration,
    /// The current year, if it was looked up.
    pub(crate) year: Option<i16>,
    /// Sound after the gain, one sample a frame: that of the channel which is the loudest in it.
    pub(crate) sound: Vec<f32>,
    /// The numbers of the recording.
    pub(crate) progress: Option<Counted>,
    /// What is being played.
    pub(crate) playing: Option<Playing>,
    /// How long the disk lasts.
    pub(crate) disk_left: Option<Duration>,
    /// The peaks of each channel of the inputs that can be chosen, in dBFS, by their ids.
    pub(crate) inputs: Vec<(String, Vec<f64>)>,
}

/// The numbers of a running recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counted {
    /// Recorded time.
    pub(crate) time: Duration,
    /// Lost frames.
    pub(crate) lost: u64,
    /// The first frame has arrived.
    pub(crate) arrived: bool,
    /// How long before its start it can be made to begin; zero once that is fixed.
    pub(crate) reach: Duration,
    /// How long before its start it begins.
    pub(crate) begins_before: Duration,
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Msg {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(String),
    Resize(Size),
    /// From a signal.
    Command(Command),
    Looked(Look),
    /// A device delivers from now on, and what a recording of it will be like.
    Opened {
        name: String,
        format: AudioFormat,
        /// What is unexpected about it.
        note: Option<String>,
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
        /// That it ended by itself: when and why.
        ended: Option<String>,
    },
    /// There is no file of it, and why; `None` if that was intended.
    NotSaved(Option<String>),
    /// What is in the folder.
    Takes(Vec<ClipRow>),
    /// The folder cannot be read, and why.
    NoFolder(String),
    /// A small waveform that was requested; `None` if there is none.
    Sketched(PathBuf, Option<Vec<Bin>>),
    /// Waveform and markers of the clip that is played, as far as it was read.
    Outlined(Outline),
    /// The enlarged waveform of a part of it.
    Detailed(Detail),
    /// The place of a pause in that direction, if there is one.
    Hopped {
        forward: bool,
        to: Option<Duration>,
    },
    /// A clip has the markers that it was given, or has not, and why; and those that it has, if they are known.
    MarkersSet {
        path: PathBuf,
        marks: Option<Vec<Mark>>,
        why: Option<String>,
    },
    /// A clip has these markers again, as far as they are known.
    MarkersBack(PathBuf, Option<Vec<Mark>>),
    /// How much of the job is done.
    Progress(f64),
    /// The job is over: the clip was exported, or was not, and why. `None` if that was intended.
    Exported(Result<PathBuf, Option<String>>),
    /// What was recorded is in that take, and what remained of the old version in the folder; or it is not, and why.
    Spliced(Result<Changed, Option<String>>),
    /// A part of that clip is gone, or is not, and why.
    Cut(Result<Changed, Option<String>>),
    /// An unfinished recording is whole, or cannot be, and why.
    Recovered(Result<PathBuf, String>),
    Renamed {
        from: PathBuf,
        to: PathBuf,
    },
    /// A clip cannot be called that, and why.
    NotRenamed {
        path: PathBuf,
        name: String,
        why: String,
    },
    /// A clip is in the trash; whether it can be brought back.
    Deleted {
        path: PathBuf,
        restorable: bool,
    },
    /// The latest change is undone, or it cannot be, and why.
    Undone(Result<Undone, String>),
    Inputs(Vec<InputRow>),
    /// That input cannot be opened.
    InputFailed(String),
    Say(Weight, String),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Opens the input that was asked for at first, or chosen last.
    Open,
    /// Opens the input of that id, to keep these channels of it, and remembers both.
    Choose(String, Option<ChannelMap>),
    Start,
    Pause,
    Resume,
    Mark,
    /// Makes the recording begin this long before its start.
    BeginEarlier(Duration),
    /// Names the marker of the recording with that number, from 0 on.
    NameMarker(usize, String),
    /// Gives a clip these markers and no others.
    SetMarkers(PathBuf, Vec<Mark>),
    Stop,
    /// Lists the inputs and measures the level of each.
    ListInputs,
    /// Stops measuring them.
    CloseInputs,
    /// Gives a clip another name, without extension.
    Rename(PathBuf, String),
    /// Plays a clip from its start.
    Play(PathBuf),
    /// Opens a clip paused at that place.
    Hold(PathBuf, Duration),
    /// Pauses what is played, or goes on.
    TogglePlay,
    /// Goes back or on by so many seconds.
    Seek(i32),
    /// Goes to that place.
    SeekTo(Duration),
    /// Looks for the next pause in that direction.
    Hop {
        forward: bool,
    },
    /// Leaves out silence from now on, or does so no longer.
    SkipSilence(bool),
    /// Requests the enlarged waveform of that part of a clip.
    Detail(PathBuf, Stretch),
    /// Plays at another speed.
    Speed(f64),
    /// Plays louder or softer; 1 is as it was recorded.
    Volume(f32),
    /// Repeats the part between, or nothing.
    Repeat(Option<(Duration, Duration)>),
    StopPlaying,
    /// Moves a clip to the trash.
    Delete(PathBuf),
    /// Takes the latest change back.
    Undo,
    /// Requests small waveforms of these and of no others.
    Sketch(Vec<PathBuf>),
    /// Makes an unfinished recording whole.
    Recover(PathBuf),
    /// Makes a file of that format of a clip.
    Export(PathBuf, &'static str),
    /// Puts the second, which was just recorded, into the first.
    Splice(Dictation, PathBuf),
    /// Cuts out the part of a clip between two places, or keeps only that.
    Cut {
        path: PathBuf,
        from: Duration,
        to: Duration,
        keep: bool,
    },
    /// Cancels the job.
    Cancel,
}

/// The next state, and what is to be done.
pub(crate) fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let heard = matches!(msg, Msg::Looked(_));
    let mut effects = apply(model, msg);
    // Keys that follow apply to the place that was requested, although the player has not reached it yet.
    match (effects.last(), &mut model.player.playing) {
        (Some(Effect::SeekTo(place)), Some(playing)) => {
            playing.at = *place;
            model.player.sought = Some((*place, model.now));
        }
        // These move the player on from where it is.
        (Some(Effect::Seek(_) | Effect::Repeat(_)), _) => model.player.sought = None,
        _ => {}
    }
    // `Msg::Looked` itself sets whether something has changed.
    model.dirty |= !heard;
    list::scroll_into_view(model);
    effects.extend(list::ask_for_sketches(model));
    effects.extend(travel::ask_for_detail(model));
    effects
}

fn apply(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(key) => return press(model, key),
        Msg::Mouse(mouse) => return mouse::point(model, mouse),
        Msg::Paste(text) => dialogs::paste(model, &text),
        Msg::Resize(size) => model.size = size,
        Msg::Command(command) => return recording::on_command(model, command),
        Msg::Looked(heard) => sound::on_look(model, heard),
        Msg::Opened { name, format, note } => {
            model.recorder.device = InputState::Open { name, format };
            if let Some(note) = note {
                say(model, Weight::Warning, note);
            }
        }
        Msg::Missing(why) => inputs::missing(model, &why),
        Msg::Started(name) => {
            (model.recorder.deck, model.pane) = (Deck::Waiting, Pane::Recorder);
            (model.recorder.name, model.recorder.time, model.recorder.lost, model.recorder.markers) =
                (name, Duration::ZERO, 0, 0);
            (model.recorder.reach, model.recorder.begins_before) = Default::default();
            model.live.started = None;
            model.live.meter.reset();
        }
        Msg::Paused => model.recorder.deck = Deck::Paused,
        Msg::Resumed => model.recorder.deck = Deck::Recording,
        Msg::Marked(at) => {
            model.recorder.markers += 1;
            sound::mark(model, at);
            say(model, Weight::Note, format!("marker {} at {}", model.recorder.markers, status::clock(at)));
        }
        Msg::Ended => {
            (model.recorder.deck, model.pane) = (Deck::Saving, Pane::Clips);
            if matches!(model.dialog, Some(Dialog::Discard)) {
                model.dialog = None;
            }
        }
        Msg::Saved { path, time, flaw, ended } => return recording::saved(model, path, time, (flaw, ended)),
        Msg::NotSaved(why) => {
            (model.recorder.deck, model.recorder.time, model.recorder.dictation) = (Deck::Idle, Duration::ZERO, None);
            model.recorder.is_unwanted = false;
            match why {
                Some(why) => say(model, Weight::Error, why),
                None => say(model, Weight::Note, "nothing was recorded".to_owned()),
            }
        }
        Msg::Takes(takes) => list::take_list(model, takes),
        Msg::NoFolder(why) => list::no_folder(model, why),
        Msg::Sketched(path, bins) => list::sketched(model, &path, bins),
        Msg::Outlined(outline) => listening::outlined(model, outline),
        Msg::Detailed(detail) => travel::detailed(model, detail),
        Msg::Hopped { forward, to } => return travel::hopped(model, forward, to),
        Msg::MarkersSet { path, marks, why } => markers::were_set(model, &path, marks, why),
        Msg::MarkersBack(path, marks) => markers::are_back(model, &path, marks),
        Msg::Progress(done) => jobs::progress(model, done),
        Msg::Exported(outcome) => jobs::exported(model, outcome),
        Msg::Spliced(outcome) => return dictation::spliced(model, outcome),
        Msg::Cut(outcome) => return cut::done(model, outcome),
        Msg::Recovered(outcome) => list::recovered(model, outcome),
        Msg::Renamed { from, to } => list::renamed(model, &from, to),
        Msg::NotRenamed { path, name, why } => list::not_renamed(model, path, name, why),
        Msg::Deleted { path, restorable } => list::deleted(model, &path, restorable),
        Msg::Undone(outcome) => return cut::undone(model, outcome),
        Msg::Inputs(rows) => inputs::listed(model, rows),
        Msg::InputFailed(id) => inputs::deaf(model, &id),
        Msg::Say(weight, text) => say(model, weight, text),
    }
    Vec::new()
}

/// Shows it, unless something that matters more is shown: an error stays until a key is pressed or a newer one comes, a
/// warning gives way to an error only and comes back behind it. A note that would hide either is dropped.
fn say(model: &mut Model, weight: Weight, text: String) {
    let said = Notice { weight, text, at: model.now };
    match (weight, model.notices.shown.as_ref().map(|shown| shown.weight)) {
        (Weight::Note, Some(Weight::Warning | Weight::Error)) => {}
        (Weight::Warning, Some(Weight::Error)) => model.notices.hidden = Some(said),
        (Weight::Error, Some(Weight::Warning)) => model.notices.hidden = model.notices.shown.replace(said),
        _ => model.notices.shown = Some(said),
    }
}

/// The clip that is played; if there is none, that is reported.
fn needed(model: &mut Model) -> Option<Playing> {
    if model.player.playing.is_none() {
        let key = model.keymap.key_of(Action::Play, model.theme.unicode);
        let remedy = match (model.shelf.takes.current(), key) {
            (Some(_), Some(key)) => format!("; {key} plays the one under the cursor"),
            _ => String::new(),
        };
        say(model, Weight::Note, format!("no clip is being played{remedy}"));
    }
    model.player.playing.clone()
}

/// A key goes to the dialog, if there is one.
fn press(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release || model.leaving {
        return Vec::new();
    }
    match model.dialog {
        Some(_) => dialogs::press(model, key),
        None => keys::press(model, key),
    }
}

/// The name of a clip, also of one that is unfinished.
fn stem(path: &Path) -> String {
    let target = place::target_of_part(path);
    target.as_deref().unwrap_or(path).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
