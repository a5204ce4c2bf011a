//! What is wrong with the sound of a microphone itself: it is dead, it falls silent, it is overdriven. Each is reported
//! once.
//!
//! Pure; the pump calls it with the sound of live sources, before any gain. Generators and files are left as they are.

use std::time::Duration;

use crate::{
    audio::{Dbfs, LevelMeter, level::LANES, time::frames_in},
    capture::{Warning, WarningKind},
};

/// How much sound is examined before a microphone counts as dead, so that this is reported within 3 s.
const DEAD_MIN: Duration = Duration::from_millis(2_500);
/// Half the distance between the highest and the lowest sample below which there is no speech: -80 dBFS, three steps of
/// a 16-bit converter. The noise of the quietest real microphone is above.
const SPREAD_MIN: f32 = 1e-4;
/// This much of exact zeros, after there was sound: no converter delivers them.
const SILENT_MIN: Duration = DEAD_MIN;
/// This many samples in a row at full scale are no accident.
const CLIP_RUN: u32 = 3;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Finding {
    /// From the beginning there was nothing but the floor of a converter.
    Dead { peak: Dbfs },
    /// There was sound, and then only exact zeros.
    FellSilent,
    /// Full scale, several samples in a row.
    Clipping,
}

impl Finding {
    /// The warning about the source called `label`.
    pub(crate) fn warning(self, label: &str) -> Warning {
        let kind = match self {
            Self::Dead { .. } => WarningKind::Dead,
            Self::FellSilent => WarningKind::Silent,
            Self::Clipping => WarningKind::Clipping,
        };
        Warning::new(kind, self.describe(label))
    }

    fn describe(self, label: &str) -> String {
        let listened = DEAD_MIN.as_secs_f64();
        match self {
            Self::Dead { peak } if peak.finite().is_none() => {
                format!(
                    "{label} delivers no sound: exact zeros for {listened} s; is it muted, or not allowed to be heard?"
                )
            }
            Self::Dead { peak } => {
                format!("{label} delivers no sound: not above {peak} dBFS for {listened} s; is it muted or dead?")
            }
            Self::FellSilent => {
                format!("{label} has fallen silent: exact zeros for {} s; was it muted?", SILENT_MIN.as_secs_f64())
            }
            Self::Clipping => format!("{label} is too loud: samples clip at full scale; turn its level down"),
        }
    }
}

/// Watches one source.
#[derive(Debug)]
pub(crate) struct InputWatch {
    channels: usize,
    listen: u64,
    mute: u64,
    heard: u64,
    lowest: f32,
    highest: f32,
    is_judged: bool,
    zeros: u64,
    has_told_zeros: bool,
    has_told_clipping: bool,
    runs: Vec<u32>,
}

impl InputWatch {
    /// A watch over a source of `rate` hertz and `channels` channels.
    pub(crate) fn new(rate: u32, channels: usize) -> Self {
        Self {
            channels: channels.max(1),
            listen: frames_in(DEAD_MIN, rate),
            mute: frames_in(SILENT_MIN, rate),
            heard: 0,
            lowest: f32::INFINITY,
            highest: f32::NEG_INFINITY,
            is_judged: false,
            zeros: 0,
            has_told_zeros: false,
            has_told_clipping: false,
            runs: vec![0; channels.max(1)],
        }
    }

    /// A recording begins: earlier sound, such as the tone that announces it, is not compared.
    pub(crate) fn begin(&mut self) {
        if !self.has_told_zeros {
            (self.heard, self.zeros, self.is_judged) = (0, 0, false);
            (self.lowest, self.highest) = (f32::INFINITY, f32::NEG_INFINITY);
        }
    }

    /// Takes interleaved `samples`; returns what is certain after them.
    pub(crate) fn on_samples(&mut self, samples: &[f32]) -> Option<Finding> {
        let frames = (samples.len() / self.channels) as u64;
        let (low, high) = extremes(samples);
        if high.max(-low) >= LevelMeter::CLIPPED && self.clips(samples) {
            return Some(Finding::Clipping);
        }
        let is_zero = low == 0.0 && high == 0.0;
        self.zeros = if is_zero { self.zeros + frames } else { 0 };
        if !self.is_judged {
            self.heard += frames;
            self.lowest = self.lowest.min(low);
            self.highest = self.highest.max(high);
            return self.judge();
        }
        let fell_silent = self.zeros >= self.mute && !self.has_told_zeros;
        self.has_told_zeros |= fell_silent;
        fell_silent.then_some(Finding::FellSilent)
    }

    fn judge(&mut self) -> Option<Finding> {
        // A constant offset does not count as sound either.
        let swing = (self.highest - self.lowest) / 2.0;
        if swing > SPREAD_MIN {
            self.is_judged = true;
            return None;
        }
        if self.heard < self.listen {
            return None;
        }
        self.is_judged = true;
        // Already reported as another finding.
        self.has_told_zeros = true;
        let peak = if swing >= 0.0 { f64::from(self.highest.max(-self.lowest)) } else { 0.0 };
        Some(Finding::Dead { peak: Dbfs::from_amplitude(peak) })
    }

    fn clips(&mut self, samples: &[f32]) -> bool {
        if self.has_told_clipping {
            return false;
        }
        for frame in samples.chunks_exact(self.channels) {
            for (run, sample) in self.runs.iter_mut().zip(frame) {
                *run = if sample.abs() >= LevelMeter::CLIPPED { *run + 1 } else { 0 };
                self.has_told_clipping |= *run >= CLIP_RUN;
            }
        }
        self.has_told_clipping
    }
}

/// The lowest and the highest of `samples`, infinite if there are none; NaN is neither.
fn extremes(samples: &[f32]) -> (f32, f32) {
    let (mut lows, mut highs) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
    let (chunks, rest) = samples.as_chunks::<LANES>();
    for chunk in chunks {
        for ((&sample, low), high) in chunk.iter().zip(&mut lows).zip(&mut highs) {
            *low = if sample < *low { sample } else { *low };
            *high = if sample > *high { sample } else { *high };
        }
    }
    // The minimum of a number and NaN is the number.
    let low = lows.iter().chain(rest).copied().fold(f32::INFINITY, f32::min);
    let high = highs.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 1_000;
    const STEP: f32 = 1.0 / 32_768.0;

    /// Feeds a second at a time; returns what was found, and in which second.
    fn listen(watch: &mut InputWatch, seconds: u32, sample: impl Fn(u32) -> f32) -> Vec<(u32, Finding)> {
        let second = |at: u32| (at * RATE..(at + 1) * RATE).map(&sample).collect::<Vec<f32>>();
        (0..seconds).filter_map(|at| watch.on_samples(&second(at)).map(|finding| (at + 1, finding))).collect()
    }

    fn mono() -> InputWatch {
        InputWatch::new(RATE, 1)
    }

    #[test]
    fn exact_zeros_are_told_once_within_three_seconds() {
        assert_eq!(listen(&mut mono(), 60, |_| 0.0), [(3, Finding::Dead { peak: Dbfs::SILENCE })]);
    }

    #[test]
    fn the_floor_of_a_converter_is_told_with_its_level_and_an_offset_does_not_hide_it() {
        for offset in [0.0, -0.25] {
            let found = listen(&mut mono(), 60, |at| offset + if at % 2 == 0 { STEP } else { -STEP });
            let [(3, Finding::Dead { peak })] = found[..] else { panic!("{found:?}") };
            assert_eq!(peak, Dbfs::from_amplitude(f64::from(offset.abs() + STEP)));
        }
    }

    #[test]
    fn a_quiet_room_is_no_fault() {
        assert_eq!(listen(&mut mono(), 60, |at| if at % 2 == 0 { 5.0 * STEP } else { -5.0 * STEP }), []);
        // It may begin with silence.
        assert_eq!(listen(&mut mono(), 60, |at| if at == 2_400 { 0.01 } else { at as f32 % 2.0 * STEP }), []);
    }

    #[test]
    fn a_microphone_that_falls_silent_is_told_within_three_seconds() {
        assert_eq!(
            listen(&mut mono(), 60, |at| if at < 5_000 { (at % 2) as f32 } else { 0.0 }).last(),
            Some(&(8, Finding::FellSilent))
        );
    }

    #[test]
    fn what_sounds_before_a_recording_is_not_what_falls_silent_in_it() {
        let tone = |at: u32| (at % 2) as f32 / 2.0;
        let mut watch = mono();
        assert_eq!(listen(&mut watch, 5, tone), []);
        watch.begin();
        assert_eq!(listen(&mut watch, 60, |_| 0.0), [(3, Finding::Dead { peak: Dbfs::SILENCE })]);
        // That was reported.
        watch.begin();
        assert_eq!(listen(&mut watch, 60, |_| 0.0), []);
    }

    #[test]
    fn three_samples_at_full_scale_in_one_channel_are_clipping_and_two_are_not() {
        let mut watch = InputWatch::new(RATE, 2);
        let clipped = LevelMeter::CLIPPED;
        assert_eq!(watch.on_samples(&[1.0, -1.0, 1.0, 1.0, 0.0, 0.5, 1.0, 0.0]), None);
        assert_eq!(watch.on_samples(&[clipped, 0.0]), None);
        assert_eq!(watch.on_samples(&[-1.0, 0.0]), Some(Finding::Clipping));
        assert_eq!(watch.on_samples(&[1.0; 20]), None);
    }

    #[test]
    fn the_extremes_are_found_wherever_they_are() {
        for length in 1..40 {
            for at in 0..length {
                let mut samples = vec![f32::NAN; length];
                samples[(at + 1) % length] = -0.5;
                samples[at] = 0.25;
                assert_eq!(extremes(&samples), if length == 1 { (0.25, 0.25) } else { (-0.5, 0.25) });
            }
        }
    }

    #[test]
    fn nothing_and_nonsense_are_survived() {
        assert_eq!(mono().on_samples(&[]), None);
        // NaN does not count as sound.
        assert_eq!(listen(&mut mono(), 60, |_| f32::NAN), [(3, Finding::Dead { peak: Dbfs::SILENCE })]);
    }
}
