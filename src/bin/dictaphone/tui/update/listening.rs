//! Playing a clip: pause, seek, speed. Pure.

use super::Effect;
use crate::{commands::play::stepped, tui::app::Model};

pub(super) fn play(model: &Model) -> Vec<Effect> {
    match (model.takes.current(), &model.playing) {
        (Some(take), Some(playing)) if take.path == playing.path => vec![Effect::TogglePlay],
        (Some(take), _) => vec![Effect::Play(take.path.clone())],
        (None, Some(_)) => vec![Effect::TogglePlay],
        (None, None) => Vec::new(),
    }
}

pub(super) fn speed(model: &Model, direction: f64) -> Vec<Effect> {
    let speed = model.playing.as_ref().map(|playing| stepped(playing.speed, direction));
    speed.map(Effect::Speed).into_iter().collect()
}
