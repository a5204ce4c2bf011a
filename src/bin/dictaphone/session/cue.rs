//! The tones at the start and at the stop. They are played before the first frame is taken and after the last one, so
//! that they are in no recording, not even in one of the loudspeaker itself.

use std::{
    f64::consts::TAU,
    thread,
    time::{Duration, Instant},
};

use dictaphone::{
    capture::{Warning, WarningKind},
    media::Tap,
    playback::{Cue, Speaker, play_cue},
};

use super::{SessionInput, device::OpenDevice, step::Step};
use crate::{plan::Record, work::Post};

/// How much sound must still arrive: the tone may be on its way into a recording of the loudspeaker.
const ARRIVAL_MIN: Duration = Duration::from_millis(400);
/// How long the tone must be absent, if it was recorded at all.
const SILENCE_MIN: Duration = Duration::from_millis(150);
const SILENCE_TIMEOUT: Duration = Duration::from_secs(4);
/// Below this amplitude a tone counts as absent.
const AMPLITUDE_MAX: f64 = 0.000_3;
const TAP_BLOCKS: usize = 256;
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Plays the first tone, and waits until nothing of it can arrive any more.
pub(super) fn start(plan: &Record, device: &OpenDevice, post: &Post<SessionInput>) {
    if !plan.steps.cue {
        return;
    }
    let tap = device.stream.tracks().first().map(|track| track.tap(TAP_BLOCKS));
    play(Cue::Start, post);
    if let Some(tap) = tap {
        wait_until_gone(&tap);
    }
}

/// Plays the last tone.
pub(super) fn stop(plan: &Record, post: &Post<SessionInput>) {
    if plan.steps.cue {
        play(Cue::Stop, post);
    }
}

fn play(cue: Cue, post: &Post<SessionInput>) {
    if let Err(error) = play_cue(&mut Speaker::default(), cue) {
        let text = format!("the cue cannot be played: {error}");
        post(SessionInput::Step(Step::Noted(Warning::new(WarningKind::Device, text))));
    }
}

/// Reads what arrives until enough of it came without the tone.
fn wait_until_gone(tap: &Tap) {
    let (rate, channels) = (tap.format().sample_rate, usize::from(tap.format().channels.max(1)));
    let frames = |length: Duration| (length.as_secs_f64() * f64::from(rate)) as usize;
    let began = Instant::now();
    let mut block = Vec::new();
    // What is queued was captured before the end of the tone.
    tap.read(&mut block);
    let (mut arrived, mut quiet) = (0, 0);
    while (arrived < frames(ARRIVAL_MIN) || quiet < frames(SILENCE_MIN)) && began.elapsed() < SILENCE_TIMEOUT {
        thread::sleep(LOOK_INTERVAL);
        block.clear();
        if tap.read(&mut block) == 0 {
            continue;
        }
        let mono: Vec<f32> = block.chunks(channels).map(|frame| frame.iter().sum()).collect();
        arrived += mono.len();
        quiet = if amplitude(&mono, Cue::Start.hertz(), rate) < AMPLITUDE_MAX { quiet + mono.len() } else { 0 };
    }
}

/// The amplitude of a tone in some samples.
fn amplitude(samples: &[f32], hertz: f64, rate: u32) -> f64 {
    let turn = TAU * hertz / f64::from(rate);
    let sum = |of: fn(f64) -> f64| -> f64 {
        samples.iter().enumerate().map(|(at, sample)| f64::from(*sample) * of(turn * at as f64)).sum()
    };
    let (sin, cos) = (sum(f64::sin), sum(f64::cos));
    2.0 * sin.hypot(cos) / samples.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_and_nothing_else() {
        let tone = |hertz: f64| -> Vec<f32> {
            (0..4_800).map(|at| (0.25 * (TAU * hertz * f64::from(at) / 48_000.0).sin()) as f32).collect()
        };
        assert!((amplitude(&tone(880.0), 880.0, 48_000) - 0.25).abs() < 0.001);
        assert!(amplitude(&tone(200.0), 880.0, 48_000) < AMPLITUDE_MAX);
        assert_eq!(amplitude(&[], 880.0, 48_000), 0.0);
    }
}
