//! Starting, pausing and ending a recording, and what came of it. Pure.

use std::{path::PathBuf, time::Duration};

use tui_input::Input;

use super::{Effect, say, stem};
use crate::{
    intent::Intent,
    status,
    tui::app::{Deck, Device, Dialog, Model, Weight},
};

pub(super) fn wish(model: &mut Model, intent: Intent) -> Vec<Effect> {
    match intent {
        Intent::Stop => leave(model),
        Intent::TogglePause => toggle(model),
        Intent::Mark if model.deck.is_busy() => vec![Effect::Mark],
        _ => Vec::new(),
    }
}

pub(super) fn toggle(model: &Model) -> Vec<Effect> {
    match model.deck {
        Deck::Paused => vec![Effect::Resume],
        Deck::Recording | Deck::Waiting => vec![Effect::Pause],
        Deck::Idle | Deck::Saving => Vec::new(),
    }
}

pub(super) fn leave(model: &mut Model) -> Vec<Effect> {
    model.leaving = true;
    model.dialog = None;
    if model.deck.is_busy() { vec![Effect::Stop] } else { Vec::new() }
}

pub(super) fn saved(model: &mut Model, path: PathBuf, time: Duration, flaw: Option<String>) {
    (model.deck, model.time) = (Deck::Idle, Duration::ZERO);
    model.takes.wanted = Some(path.clone());
    let name = stem(&path);
    match flaw {
        Some(flaw) => say(model, Weight::Warning, format!("saved {name}, but {flaw}")),
        None => say(model, Weight::Note, format!("saved {name}, {}", status::clock(time))),
    }
    // Whoever is typing something else is not interrupted; the take is safe under the name it has.
    if model.dialog.is_none() && !model.leaving {
        model.dialog = Some(Dialog::Name { path, input: Input::new(name), fresh: true });
    }
}

pub(super) fn record(model: &mut Model) -> Vec<Effect> {
    match (model.deck, &model.device) {
        (Deck::Saving, _) => say(model, Weight::Note, "the last recording is still being saved".to_owned()),
        (_, Device::Opening) => say(model, Weight::Note, "the input is still being opened".to_owned()),
        // It may have been plugged in again; otherwise the error says so once more.
        (_, Device::Missing) => {
            model.device = Device::Opening;
            return vec![Effect::Open(None)];
        }
        // What the loudspeaker says would be in the recording.
        (_, Device::Open { .. }) if model.playing.is_some() => return vec![Effect::StopPlaying, Effect::Start],
        (_, Device::Open { .. }) => return vec![Effect::Start],
    }
    Vec::new()
}
