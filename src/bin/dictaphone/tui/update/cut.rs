//! Cutting out the part between A and B, or keeping only that. Pure.

use std::time::Duration;

use super::{Changed, Effect, Undone, jobs, needed, say, stem};
use crate::{
    report::status,
    tui::{
        app::{Model, Repeat, Weight, Work},
        keymap::Action,
    },
};

pub(super) fn begin(model: &mut Model, keep: bool) -> Vec<Effect> {
    let Some(playing) = needed(model) else { return Vec::new() };
    let (from, to) = match model.player.repeat {
        Repeat::Between(a, b) => (a, b),
        Repeat::From(a) if a != playing.at => (a.min(playing.at), a.max(playing.at)),
        Repeat::Off | Repeat::From(_) => {
            let key = model.keymap.key_of(Action::Repeat, model.theme.unicode);
            let remedy = key.map_or_else(String::new, |key| format!("; {key} sets A here, and again B"));
            say(model, Weight::Note, format!("nothing is between A and B{remedy}"));
            return Vec::new();
        }
    };
    if model.shelf.job.is_some() || model.recorder.dictation.is_some() {
        say(model, Weight::Note, "something is being made already, one after the other".to_owned());
        return Vec::new();
    }
    let is_all = from.is_zero() && playing.length.is_some_and(|length| to >= length);
    if is_all {
        let key = model.keymap.key_of(Action::Delete, model.theme.unicode);
        let remedy = key.filter(|_| !keep).map_or_else(String::new, |key| format!("; {key} deletes the clip"));
        say(model, Weight::Note, format!("that is the whole clip{remedy}"));
        return Vec::new();
    }
    let part = format!("{} to {}", status::clock(from), status::clock(to));
    let name = stem(&playing.path);
    let what = if keep { format!("keeping {part} of {name}") } else { format!("cutting {part} out of {name}") };
    jobs::begin(model, Work::Cut, what);
    vec![Effect::StopPlaying, Effect::Cut { path: playing.path, from, to, keep }]
}

pub(super) fn done(model: &mut Model, outcome: Result<Changed, Option<String>>) -> Vec<Effect> {
    model.shelf.job = None;
    match outcome {
        Ok(changed) => {
            model.shelf.undoable += 1;
            changed.say(model, &format!("{} is cut", stem(&changed.path)));
            model.shelf.takes.wanted = Some(changed.path.clone());
            return hold(model, changed.path, changed.at);
        }
        Err(Some(why)) => say(model, Weight::Error, why),
        Err(None) => say(model, Weight::Note, "given up, nothing was cut".to_owned()),
    }
    Vec::new()
}

/// Puts the head where something was done, unless another clip is played by now, or the user is leaving.
pub(super) fn hold(model: &Model, path: std::path::PathBuf, at: Duration) -> Vec<Effect> {
    let is_free = model.player.playing.as_ref().is_none_or(|playing| playing.path == path);
    if is_free && !model.leaving { vec![Effect::Hold(path, at)] } else { Vec::new() }
}

/// The latest change is taken back, or cannot be.
pub(super) fn undone(model: &mut Model, outcome: Result<Undone, String>) -> Vec<Effect> {
    model.shelf.undoable = model.shelf.undoable.saturating_sub(1);
    match outcome {
        Ok(Undone { path, said, at }) => {
            say(model, Weight::Note, said);
            model.shelf.takes.wanted = Some(path.clone());
            return at.map_or_else(Vec::new, |at| hold(model, path, at));
        }
        Err(why) => say(model, Weight::Error, why),
    }
    Vec::new()
}
