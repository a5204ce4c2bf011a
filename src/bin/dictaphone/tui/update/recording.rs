//! Starting, pausing and ending a recording, and its outcome. Pure.

use std::{path::PathBuf, time::Duration};

use tui_input::Input;

use super::{Effect, jobs, say, stem};
use crate::{
    input::command::Command,
    report::{quantity, status},
    tui::{
        app::{Deck, Dialog, InputState, Model, Weight, Work},
        keymap::Scene,
    },
};

pub(super) fn on_command(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Stop => leave(model),
        Command::Start if !model.recorder.deck.is_busy() => record(model),
        Command::TogglePause => toggle(model),
        Command::Mark(_) if model.recorder.deck.is_busy() => vec![Effect::Mark],
        _ => Vec::new(),
    }
}

pub(super) fn toggle(model: &Model) -> Vec<Effect> {
    match model.recorder.deck {
        Deck::Paused => vec![Effect::Resume],
        Deck::Recording | Deck::Waiting => vec![Effect::Pause],
        Deck::Idle | Deck::Saving => Vec::new(),
    }
}

pub(super) fn leave(model: &mut Model) -> Vec<Effect> {
    model.leaving = true;
    model.dialog = None;
    let stop = model.recorder.deck.is_busy().then_some(Effect::Stop);
    // An export can be made again; what was dictated goes to its place before the end.
    let cancel = model.shelf.job.as_ref().is_some_and(|job| job.work == Work::Export).then_some(Effect::Cancel);
    stop.into_iter().chain(cancel).collect()
}

pub(super) fn saved(
    model: &mut Model,
    path: PathBuf,
    time: Duration,
    (flaw, ended): (Option<String>, Option<String>),
) -> Vec<Effect> {
    (model.recorder.deck, model.recorder.time) = (Deck::Idle, Duration::ZERO);
    if std::mem::take(&mut model.recorder.is_unwanted) {
        model.recorder.dictation = None;
        return vec![Effect::Delete(path)];
    }
    model.shelf.takes.wanted = Some(path.clone());
    let name = stem(&path);
    let is_whole = flaw.is_none() && ended.is_none();
    let trouble = match (ended, flaw) {
        (Some(ended), _) => Some(format!("{ended}; it is saved as {name} in {}", model.shelf.folder)),
        (None, Some(flaw)) => Some(format!("saved {name}, but {flaw}")),
        (None, None) => None,
    };
    match trouble {
        Some(trouble) => {
            say(model, Weight::Error, trouble);
            model.notices.rings = true;
        }
        None => say(model, Weight::Note, format!("saved {name}, {}", status::clock(time))),
    }
    if let Some(dictation) = model.recorder.dictation.take() {
        return jobs::splice(model, dictation, path);
    }
    // A user who is typing something else is not interrupted; the take is safe under the name it has. And no name is
    // asked for before the user has seen what went wrong.
    if is_whole && model.dialog.is_none() && !model.leaving {
        model.dialog = Some(Dialog::Name { path, input: Input::new(name), fresh: true, untouched: true, wrong: None });
    }
    Vec::new()
}

pub(super) fn record(model: &mut Model) -> Vec<Effect> {
    match (model.recorder.deck, &model.recorder.device) {
        (Deck::Saving, _) => say(model, Weight::Note, "the last recording is still being saved".to_owned()),
        (_, InputState::Opening) => say(model, Weight::Note, "the input is still being opened".to_owned()),
        // It may have been plugged in again; otherwise the error is reported once more.
        (_, InputState::Missing) => {
            model.recorder.device = InputState::Opening;
            return vec![Effect::Open];
        }
        (_, InputState::Open { .. }) => return vec![Effect::Start],
    }
    Vec::new()
}

/// Whether the keys that seek move the start of the recording.
pub(crate) fn can_begin_earlier(model: &Model) -> bool {
    model.scene() == Scene::Recorder && !model.recorder.reach.is_zero()
}

/// Makes the recording begin so many seconds earlier, or later again, as far as what was before it is kept.
pub(super) fn move_start(model: &mut Model, seconds: i32) -> Vec<Effect> {
    let recorder = &mut model.recorder;
    let by = Duration::from_secs(seconds.unsigned_abs().into());
    let before = match seconds {
        0.. => (recorder.begins_before + by).min(recorder.reach),
        _ => recorder.begins_before.saturating_sub(by),
    };
    recorder.begins_before = before;
    let text = match (before.is_zero(), before == model.recorder.reach) {
        (true, _) => "the recording begins where it was started".to_owned(),
        (_, false) => format!("the recording begins {} before it was started", quantity::span(before)),
        (_, true) => format!("the recording begins {} before it was started, more is not kept", quantity::span(before)),
    };
    say(model, Weight::Note, text);
    vec![Effect::BeginEarlier(before)]
}
