//! Going on with a take that is there: what is recorded goes behind it, into it or over it. Pure.

use std::time::Duration;

use super::{Changed, Effect, cut, list, recording, say, stem};
use crate::tui::app::{Dictation, InputState, Model, Place, Weight};

/// Begins to record. `place` is called with where the chosen clip is being played, if it is.
pub(super) fn begin(model: &mut Model, place: impl FnOnce(Option<Duration>) -> Option<Place>) -> Vec<Effect> {
    // A take that cannot be read cannot be continued, and the user must know that before speaking.
    let Some(path) = list::readable(model) else { return Vec::new() };
    if model.shelf.job.is_some() {
        say(model, Weight::Note, "something is being made already, one after the other".to_owned());
        return Vec::new();
    }
    let at = model.player.playing.as_ref().filter(|playing| playing.path == path).map(|playing| playing.at);
    let Some(place) = place(at) else {
        say(model, Weight::Note, "play the clip to the place first, and pause there".to_owned());
        return Vec::new();
    };
    let mut effects = recording::record(model);
    // Otherwise the input is opened first.
    if matches!(model.recorder.device, InputState::Open { .. }) && effects.contains(&Effect::Start) {
        model.recorder.dictation = Some(Dictation { path, place });
        // On a hand-held machine it is the same tape.
        effects.splice(0..0, model.player.playing.is_some().then_some(Effect::StopPlaying));
    }
    effects
}

pub(super) fn spliced(model: &mut Model, outcome: Result<Changed, Option<String>>) -> Vec<Effect> {
    model.shelf.job = None;
    let own = "the new recording is a take of its own";
    match outcome {
        Ok(changed) => {
            model.shelf.undoable += 1;
            changed.say(model, &format!("the recording is in {}", stem(&changed.path)));
            model.shelf.takes.wanted = Some(changed.path.clone());
            // On a hand-held machine the head is behind what was said.
            return cut::hold(model, changed.path, changed.at);
        }
        Err(Some(why)) => say(model, Weight::Error, format!("{why}; {own}")),
        Err(None) => say(model, Weight::Note, format!("given up; {own}")),
    }
    Vec::new()
}
