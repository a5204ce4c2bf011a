//! Playing a clip: pause, seek, speed, volume, the part that is repeated, waveform and markers. Pure.

use std::time::Duration;

use dictaphone::audio::LevelMeter;

use super::{Effect, list, markers, needed, say, travel};
use crate::{
    cli::limits::stepped,
    tui::{
        app::{ClipRow, Mark, Model, Outline, Playing, Repeat, Weight},
        meter::Meter,
    },
};

/// What one press changes the volume by, and how loud it gets at most.
const VOLUME_STEP: f32 = 0.1;
const VOLUME_MAX: f32 = 2.0;
/// Going back a marker this soon after one goes to the one before.
const PASSED_MAX: Duration = Duration::from_millis(1_000);
/// A player within this of the place that was requested has reached it.
const SEEK_TOLERANCE: Duration = Duration::from_millis(100);
/// Where the player is counts after this much time, wherever it was sent.
const SEEK_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) fn play(model: &mut Model) -> Vec<Effect> {
    let here = model.shelf.takes.current().map(|take| &take.clip.path);
    match &model.player.playing {
        Some(playing) if here.is_none_or(|path| *path == playing.path) => vec![Effect::TogglePlay],
        // Others that could not be read may be whole by now, and opening them reports what is wrong.
        _ if model.shelf.takes.current().is_some_and(ClipRow::is_raw) => {
            list::readable(model).map(Effect::Play).into_iter().collect()
        }
        _ => list::whole(model).map(Effect::Play).into_iter().collect(),
    }
}

pub(super) fn seek(model: &mut Model, seconds: i32) -> Vec<Effect> {
    if needed(model).is_some() { vec![Effect::Seek(seconds)] } else { Vec::new() }
}

pub(super) fn speed(model: &mut Model, direction: f64) -> Vec<Effect> {
    if needed(model).is_none() {
        return Vec::new();
    }
    model.player.speed = stepped(model.player.speed, direction);
    vec![Effect::Speed(model.player.speed)]
}

pub(super) fn volume(model: &mut Model, direction: f32) -> Vec<Effect> {
    let steps = (model.player.volume / VOLUME_STEP).round() + direction;
    model.player.volume = (steps * VOLUME_STEP).clamp(0.0, VOLUME_MAX);
    say(model, Weight::Note, format!("volume {:.0} %", model.player.volume * 100.0));
    vec![Effect::Volume(model.player.volume)]
}

/// A, then B, then neither.
pub(super) fn repeat(model: &mut Model) -> Vec<Effect> {
    let Some(Playing { at, .. }) = needed(model) else { return Vec::new() };
    let (repeat, effect) = match model.player.repeat {
        Repeat::Off => (Repeat::From(at), None),
        Repeat::From(a) if a == at => (Repeat::Off, None),
        Repeat::From(a) => (Repeat::Between(a.min(at), a.max(at)), Some(Effect::Repeat(Some((a.min(at), a.max(at)))))),
        Repeat::Between(..) => (Repeat::Off, Some(Effect::Repeat(None))),
    };
    model.player.repeat = repeat;
    effect.into_iter().collect()
}

pub(super) fn next_marker(model: &mut Model) -> Vec<Effect> {
    let Some(Playing { at, .. }) = needed(model) else { return Vec::new() };
    let next = marks(model).iter().find(|mark| mark.at > at).cloned();
    jump(model, next, "there is no marker behind this place")
}

pub(super) fn previous_marker(model: &mut Model) -> Vec<Effect> {
    let Some(Playing { at, is_paused, .. }) = needed(model) else { return Vec::new() };
    let limit = if is_paused { at } else { at.saturating_sub(PASSED_MAX) };
    let previous = marks(model).iter().rfind(|mark| mark.at < limit).cloned();
    jump(model, previous, "there is no marker before this place")
}

fn jump(model: &mut Model, to: Option<Mark>, otherwise: &str) -> Vec<Effect> {
    match to {
        Some(mark) => {
            say(model, Weight::Note, markers::told(&mark));
            vec![Effect::SeekTo(mark.at)]
        }
        None => {
            say(model, Weight::Note, otherwise.to_owned());
            Vec::new()
        }
    }
}

fn marks(model: &Model) -> &[Mark] {
    model.player.outline_of_playing().map_or(&[], |outline| &outline.markers)
}

/// The place of a seek stands for that of the player until the player has reached it: a report can be older than the
/// request, and the keys that follow apply to what was requested.
fn until_reached(model: &mut Model, playing: &mut Playing) {
    let Some((place, since)) = model.player.sought else { return };
    let waited = model.now.saturating_sub(since);
    let ahead = SEEK_TOLERANCE + waited.mul_f64(model.player.speed.max(1.0));
    // Skipped silence takes it further ahead.
    let is_there =
        playing.at >= place.saturating_sub(SEEK_TOLERANCE) && (playing.at <= place + ahead || model.player.skips);
    if is_there || waited > SEEK_TIMEOUT {
        model.player.sought = None;
    } else {
        playing.at = place;
    }
}

/// What is played now.
pub(super) fn heard(model: &mut Model, mut playing: Option<Playing>) {
    let is_other = |one: &Option<Playing>, other: &Option<Playing>| {
        one.as_ref().map(|playing| &playing.path) != other.as_ref().map(|playing| &playing.path)
    };
    if is_other(&model.player.playing, &playing) {
        (model.player.speed, model.player.repeat, model.player.dragged_from) = (1.0, Repeat::Off, None);
        model.player.meter = Meter::default();
        model.player.sought = None;
        travel::forget(model);
    }
    if let Some(playing) = &mut playing {
        until_reached(model, playing);
        let mut level = LevelMeter::new();
        level.push(&[playing.peak]);
        model.player.meter.show(&level.take(), model.now);
    }
    let rounded = |playing: &Option<Playing>| playing.as_ref().map(Playing::rounded);
    model.dirty |= rounded(&model.player.playing) != rounded(&playing);
    model.player.playing = playing;
    travel::follow(model);
}

pub(super) fn outlined(model: &mut Model, outline: Outline) {
    model.player.outline = Some(outline);
}

// ---- with the mouse --------------------------------------------------------------------------------------------------

/// The place in the clip that a part of its picture stands for.
fn place(model: &Model, part: f64) -> Option<Duration> {
    let shown = model.player.shown()?;
    Some(shown.from + shown.length().mul_f64(part.clamp(0.0, 1.0)))
}

/// A click goes there.
pub(super) fn touch(model: &mut Model, part: f64) -> Vec<Effect> {
    let Some(place) = place(model, part) else { return Vec::new() };
    model.player.dragged_from = Some(place);
    vec![Effect::SeekTo(place)]
}

/// Repeats the part from where the button went down to here.
pub(super) fn drag(model: &mut Model, part: f64) -> Vec<Effect> {
    let (Some(from), Some(place)) = (model.player.dragged_from, place(model, part)) else { return Vec::new() };
    if from == place {
        return Vec::new();
    }
    let (a, b) = (from.min(place), from.max(place));
    model.player.repeat = Repeat::Between(a, b);
    vec![Effect::Repeat(Some((a, b)))]
}
