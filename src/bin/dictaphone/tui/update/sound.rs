//! The sound and the counts since the last look, as they move the meter, the picture and the clock. Pure.

use std::time::Duration;

use dictaphone::audio::LevelMeter;

use super::{Counted, Look, inputs, listening};
use crate::tui::{
    app::{Column, Deck, Growing, InputState, Live, Model, Notice, Weight},
    meter::Meter,
};

/// Columns of the waveform a second, and how many are remembered.
const COLUMNS_PER_SECOND: u32 = 20;
const COLUMNS_KEPT: usize = 1_024;

/// Samples that are remembered for the oscilloscope and the spectrum.
pub(crate) const SOUND_KEPT: usize = 4_096;
/// How long a note stays.
const NOTE_SHOWN: Duration = Duration::from_secs(4);

pub(super) fn on_look(model: &mut Model, look: Look) {
    model.now = look.now;
    let before = numbers(model);
    if let Some(counted) = look.progress {
        (model.recorder.time, model.recorder.lost) = (counted.time, counted.lost);
        moved_start(model, &counted);
        if model.recorder.deck == Deck::Waiting && counted.arrived {
            model.recorder.deck = Deck::Recording;
        }
    }
    model.year = look.year.or(model.year);
    listening::heard(model, look.playing);
    inputs::heard(model, look.inputs);
    model.recorder.disk_left = look.disk_left;
    // Sound that still arrives from an input that is gone is ignored.
    if !look.sound.is_empty() && matches!(model.recorder.device, InputState::Open { .. }) {
        listen(model, &look.sound);
    }
    let expired = |notice: &Notice| notice.weight == Weight::Note && model.now.saturating_sub(notice.at) > NOTE_SHOWN;
    if model.notices.shown.as_ref().is_some_and(expired) {
        model.notices.shown = None;
        model.dirty = true;
    }
    model.dirty |= (!look.sound.is_empty() && !is_still(model)) || before != numbers(model);
}

/// How far the start of the recording was moved. While it can be, the value that the keys have set counts.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "columns that are remembered")]
fn moved_start(model: &mut Model, counted: &Counted) {
    model.recorder.reach = counted.reach;
    if counted.reach.is_zero() {
        model.recorder.begins_before = counted.begins_before;
    }
    if counted.arrived {
        let here = model.live.passed + model.live.columns.len() as u64;
        let columns = counted.begins_before.as_secs_f64() * f64::from(COLUMNS_PER_SECOND);
        let started = model.live.started.map_or(here, |(started, _)| started);
        model.live.started = Some((started, columns.round() as u64));
    }
}

/// What can be seen of the numbers.
fn numbers(model: &Model) -> impl PartialEq + use<> {
    let Meter { bar_dbfs, hold_dbfs, clipped, .. } = *model.meter();
    let levels = (bar_dbfs, hold_dbfs, clipped, model.meter().is_clipping(model.now));
    (
        levels,
        model.recorder.deck,
        model.recorder.time.as_millis() / 100,
        model.recorder.lost,
        model.recorder.disk_left,
        model.year,
    )
}

/// Whether the picture stays as it is however time goes on: there has been silence for as long as it shows.
fn is_still(model: &Model) -> bool {
    let shown = 2 * usize::from(model.size.columns);
    let silence = Column { kept: model.recorder.deck == Deck::Recording, ..Column::default() };
    model.live.columns.len() >= shown
        && model.live.columns.iter().rev().take(shown).all(|column| *column == silence)
        && model.live.sound.iter().all(|&sample| sample == 0.0)
}

fn listen(model: &mut Model, sound: &[f32]) {
    let mut meter = LevelMeter::new();
    meter.push(sound);
    model.live.meter.show(&meter.take(), model.now);

    let rate = match &model.recorder.device {
        InputState::Open { format, .. } => format.sample_rate,
        _ => 48_000,
    };
    let full = (rate / COLUMNS_PER_SECOND).max(1);
    // Sound that is not kept would only push earlier sound out of the picture.
    if model.recorder.deck != Deck::Paused {
        gather(&mut model.live, sound, full, model.recorder.deck == Deck::Recording);
    }
    model.live.sound.extend(sound);
    let excess = model.live.sound.len().saturating_sub(SOUND_KEPT);
    model.live.sound.drain(..excess);
}

/// Makes columns of `full` frames each.
fn gather(live: &mut Live, sound: &[f32], full: u32, kept: bool) {
    for sample in sound {
        let growing = &mut live.growing;
        growing.frames += 1;
        growing.peak = growing.peak.max(sample.abs());
        growing.power += sample * sample;
        if growing.frames >= full {
            let loudness = (growing.power / growing.frames as f32).sqrt();
            live.columns.push_back(Column { peak: growing.peak, loudness, kept, is_marked: false });
            live.growing = Growing::default();
        }
    }
    let excess = live.columns.len().saturating_sub(COLUMNS_KEPT);
    live.columns.drain(..excess);
    live.passed += excess as u64;
}

/// Shows a marker in the picture, in the column of that recorded time.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "columns that are remembered")]
pub(super) fn mark(model: &mut Model, at: Duration) {
    let ago = model.recorder.time.saturating_sub(at).as_secs_f64() * f64::from(COLUMNS_PER_SECOND);
    let newest = model.live.columns.len().saturating_sub(1);
    if let Some(column) = model.live.columns.get_mut(newest.saturating_sub(ago as usize)) {
        column.is_marked = true;
    }
}
