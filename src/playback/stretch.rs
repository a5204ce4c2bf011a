//! Faster and slower with the pitch kept.
//!
//! Waveform-similarity overlap-add (Verhelst and Roelands 1993): windows of the input are overlapped at another
//! distance than they had, each moved by up to [`SHIFT_MAX`] to where its wave continues the one before best. All
//! channels move together. Pure arithmetic; allocates when its buffers must grow.

use std::time::Duration;

use crate::audio::time::frames_in;

/// Half a window: this much is blended, and this much is added at a time.
const HOP_LENGTH: Duration = Duration::from_millis(12);
/// How far a window may be moved to each side: together more than one period of a deep voice.
const SHIFT_MAX: Duration = Duration::from_millis(8);
/// Frames a second that the first, rough search uses; the second one uses all.
const ROUGH_RATE: u32 = 12_000;
/// Slowest and fastest.
const SPEEDS: (f64, f64) = (0.25, 4.0);

/// Changes the speed of a stream of interleaved frames.
///
/// At a speed of exactly 1.0 frames pass at once and bit for bit. The output does not depend on how the input is cut
/// into pushes, except through the moments at which the speed is changed.
#[derive(Debug)]
pub(crate) struct Stretcher {
    channels: usize,
    hop: usize,
    search: usize,
    rough: usize,
    speed: f64,
    /// Input frames from number `first` on.
    input: Vec<f32>,
    first: u64,
    /// Input frame at which the output would continue without a jump.
    natural: u64,
    /// Input frame at which the output should continue.
    nominal: f64,
}

impl Stretcher {
    /// A stretcher for frames of `channels` samples at `sample_rate` Hz, at speed 1.0. Zero counts as one.
    #[must_use]
    pub(crate) fn new(sample_rate: u32, channels: u16) -> Self {
        let frames = |duration| usize::try_from(frames_in(duration, sample_rate)).unwrap_or(1);
        Self {
            channels: usize::from(channels.max(1)),
            hop: frames(HOP_LENGTH).max(1),
            search: frames(SHIFT_MAX),
            rough: usize::try_from(sample_rate / ROUGH_RATE).unwrap_or(1).max(1),
            speed: 1.0,
            input: Vec::new(),
            first: 0,
            natural: 0,
            nominal: 0.0,
        }
    }

    /// Input frames for one output frame from now on, limited to 0.25 … 4; NaN changes nothing.
    pub(crate) fn set_speed(&mut self, speed: f64) {
        if speed.is_nan() {
            return;
        }
        self.speed = speed.clamp(SPEEDS.0, SPEEDS.1);
        if self.passes() {
            self.nominal = self.natural as f64;
        }
    }

    /// The input frame, counted from the last reset, that corresponds to the next output frame.
    #[must_use]
    pub(crate) fn position(&self) -> f64 {
        self.nominal.min(self.pushed() as f64)
    }

    /// Frames that were pushed since the last reset.
    #[must_use]
    pub(crate) fn pushed(&self) -> u64 {
        self.first + (self.input.len() / self.channels) as u64
    }

    /// Takes `interleaved` whole frames and appends what is ready to `out`. Up to 50 ms are held back unless the speed
    /// is 1.0.
    pub(crate) fn push(&mut self, interleaved: &[f32], out: &mut Vec<f32>) {
        self.input.extend_from_slice(interleaved);
        if self.passes() {
            self.pass(out);
        } else {
            while self.is_ready() {
                self.add_hop(out);
            }
        }
        self.forget();
    }

    /// Appends what is held back, so that the output has the length of the input divided by the speed, and starts
    /// afresh.
    pub(crate) fn finish(&mut self, out: &mut Vec<f32>) {
        if self.passes() {
            self.pass(out);
        } else {
            let left = ((self.pushed() as f64 - self.nominal) / self.speed).round().max(0.0) as usize;
            let length = out.len() + left * self.channels;
            // Silence to blend into.
            let silence = 2 * (self.hop + self.search) + self.hop * (self.speed.ceil() as usize + 1);
            self.input.resize(self.input.len() + silence * self.channels, 0.0);
            while out.len() < length && self.is_ready() {
                self.add_hop(out);
            }
            out.resize(length, 0.0);
        }
        self.reset();
    }

    /// Discards everything that was pushed, but not the speed.
    pub(crate) fn reset(&mut self) {
        self.input.clear();
        (self.first, self.natural, self.nominal) = (0, 0, 0.0);
    }

    fn passes(&self) -> bool {
        self.speed == 1.0
    }

    fn pass(&mut self, out: &mut Vec<f32>) {
        out.extend_from_slice(self.frames(self.natural, usize::MAX));
        self.natural = self.natural.max(self.pushed());
        self.nominal = self.natural as f64;
    }

    /// Up to `count` frames of the input from frame number `from` on.
    fn frames(&self, from: u64, count: usize) -> &[f32] {
        let begin =
            usize::try_from(from.saturating_sub(self.first)).unwrap_or(usize::MAX).saturating_mul(self.channels);
        let rest = self.input.get(begin..).unwrap_or_default();
        rest.get(..count.saturating_mul(self.channels)).unwrap_or(rest)
    }

    /// Whether every window that the next hop may choose is there.
    fn is_ready(&self) -> bool {
        let last = (self.nominal.round() as u64 + self.search as u64).max(self.natural);
        // The second condition keeps the output from growing longer than the input is, should it end here.
        last + self.hop as u64 <= self.pushed() && self.nominal + self.hop as f64 * self.speed <= self.pushed() as f64
    }

    fn add_hop(&mut self, out: &mut Vec<f32>) {
        let chosen = self.best_window();
        let (old, new) = (self.frames(self.natural, self.hop), self.frames(chosen, self.hop));
        let pairs = old.chunks_exact(self.channels).zip(new.chunks_exact(self.channels));
        for (i, (old, new)) in pairs.enumerate() {
            let phase = (i as f32 + 0.5) / self.hop as f32;
            // The rising half of a Hann window; with the falling half the sum is one.
            let rising = 0.5 - 0.5 * (phase * std::f32::consts::PI).cos();
            out.extend(old.iter().zip(new).map(|(old, new)| old + (new - old) * rising));
        }
        self.natural = chosen + self.hop as u64;
        self.nominal += self.hop as f64 * self.speed;
    }

    /// The window near the nominal place that is most like what would come without a jump.
    fn best_window(&self) -> u64 {
        let template = self.frames(self.natural, self.hop);
        let middle = (self.nominal.round() as u64).max(self.first);
        let low = middle.saturating_sub(self.search as u64).max(self.first);
        let high = middle + self.search as u64;
        let best = self.search_among(template, middle, (low..=high).step_by(self.rough), self.rough);
        if self.rough == 1 {
            return best;
        }
        let near = self.rough as u64 - 1;
        self.search_among(template, best, best.saturating_sub(near).max(low)..=(best + near).min(high), 1)
    }

    /// `fallback`, or the better one of `starts`; compares every `step`th frame.
    fn search_among(&self, template: &[f32], fallback: u64, starts: impl Iterator<Item = u64>, step: usize) -> u64 {
        let likeness = |start: u64| self.likeness(template, self.frames(start, self.hop), step);
        let mut best = (likeness(fallback), fallback);
        for start in starts {
            let score = likeness(start);
            if score > best.0 {
                best = (score, start);
            }
        }
        best.1
    }

    /// Normalised cross-correlation, without the template's energy, which is the same for all; all channels together.
    fn likeness(&self, template: &[f32], window: &[f32], step: usize) -> f32 {
        let (mut product, mut energy) = (0.0_f32, f32::MIN_POSITIVE);
        let frames = template.chunks_exact(self.channels).zip(window.chunks_exact(self.channels));
        for (template, window) in frames.step_by(step) {
            for (&a, &b) in template.iter().zip(window) {
                product += a * b;
                energy += b * b;
            }
        }
        product / energy.sqrt()
    }

    /// Drops the input that no window can reach any more.
    fn forget(&mut self) {
        let needed = (self.nominal as u64).min(self.natural).saturating_sub(self.search as u64);
        let frames = usize::try_from(needed.saturating_sub(self.first)).unwrap_or(0);
        // Not for every few frames, because the others have to be moved.
        if frames > self.hop {
            let samples = (frames * self.channels).min(self.input.len());
            self.input.drain(..samples);
            self.first += (samples / self.channels) as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    const RATE: u32 = 48_000;

    fn stretched(channels: u16, speed: f64, samples: &[f32], block: usize) -> Vec<f32> {
        let mut stretcher = Stretcher::new(RATE, channels);
        stretcher.set_speed(speed);
        let mut out = Vec::new();
        for block in samples.chunks(block * usize::from(channels)) {
            stretcher.push(block, &mut out);
        }
        stretcher.finish(&mut out);
        out
    }

    fn sine(frequency: f64, rate: u32, frames: usize) -> Vec<f32> {
        (0..frames).map(|i| (0.5 * (i as f64 * frequency / f64::from(rate) * TAU).sin()) as f32).collect()
    }

    /// From the first to the last upward crossing of zero.
    fn frequency(samples: &[f32], rate: u32) -> f64 {
        let crossings: Vec<f64> = samples
            .windows(2)
            .enumerate()
            .filter(|(_, pair)| pair[0] < 0.0 && pair[1] >= 0.0)
            .map(|(i, pair)| i as f64 + f64::from(pair[0] / (pair[0] - pair[1])))
            .collect();
        let span = crossings.last().unwrap() - crossings.first().unwrap();
        (crossings.len() - 1) as f64 / span * f64::from(rate)
    }

    #[test]
    fn a_tone_keeps_its_pitch_and_its_level_at_any_speed() {
        for rate in [8_000, 44_100] {
            for speed in [0.5, 0.9, 1.1, 1.5, 2.0, 3.0] {
                for tone in [110.0, 440.0] {
                    let mut stretcher = Stretcher::new(rate, 1);
                    stretcher.set_speed(speed);
                    let mut out = Vec::new();
                    stretcher.push(&sine(tone, rate, rate as usize), &mut out);
                    stretcher.finish(&mut out);
                    let window = f64::from(rate) * 0.024;
                    let expected = f64::from(rate) / speed;
                    assert!((out.len() as f64 - expected).abs() <= window, "{rate} Hz, {speed}: {} frames", out.len());
                    let middle = &out[rate as usize / 20..out.len() - rate as usize / 20];
                    let heard = frequency(middle, rate);
                    assert!((heard / tone - 1.0).abs() < 0.01, "{tone} Hz at {speed} and {rate} Hz became {heard}");
                    let power = middle.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / middle.len() as f64;
                    assert!((power.sqrt() / 0.353_55 - 1.0).abs() < 0.03, "{tone} Hz at {speed}: {}", power.sqrt());
                }
            }
        }
    }

    #[test]
    fn channels_move_together() {
        let left = sine(300.0, RATE, 48_000);
        let stereo: Vec<f32> = left.iter().flat_map(|&sample| [sample, -0.5 * sample]).collect();
        let out = stretched(2, 1.7, &stereo, 480);
        assert!(out.as_chunks().0.iter().all(|&[l, r]| (r + 0.5 * l).abs() < 1e-6));
        let same: Vec<f32> = left.iter().flat_map(|&sample| [sample, sample]).collect();
        let first: Vec<f32> = stretched(2, 1.7, &same, 480).as_chunks().0.iter().map(|&[l, _]| l).collect();
        assert_eq!(first, stretched(1, 1.7, &left, 480));
    }

    #[test]
    fn speed_one_passes_at_once_bit_for_bit() {
        let samples = [f32::NAN, -0.0, f32::MIN_POSITIVE / 2.0, f32::INFINITY, 0.5];
        let mut stretcher = Stretcher::new(RATE, 1);
        let mut out = Vec::new();
        stretcher.push(&samples, &mut out);
        assert_eq!(out.iter().map(|s| s.to_bits()).collect::<Vec<_>>(), samples.map(f32::to_bits));
        assert_eq!(stretcher.position(), 5.0);
    }

    #[test]
    fn going_back_to_speed_one_goes_on_without_a_jump() {
        let tone = sine(440.0, RATE, 96_000);
        let mut stretcher = Stretcher::new(RATE, 1);
        let mut out = Vec::new();
        for (i, block) in tone.chunks(480).enumerate() {
            stretcher.set_speed([1.0, 2.0, 1.0, 0.5][i / 10 % 4]);
            stretcher.push(block, &mut out);
        }
        stretcher.finish(&mut out);
        let steepest = 0.5 * TAU * 440.0 / f64::from(RATE);
        let jump = out.windows(2).map(|pair| f64::from(pair[1] - pair[0]).abs()).fold(0.0, f64::max);
        assert!(jump < steepest * 1.2, "a jump of {jump}, where the tone has {steepest}");
    }

    #[test]
    fn silence_and_nonsense_have_the_right_length() {
        for sample in [0.0, f32::NAN, f32::MAX] {
            assert_eq!(stretched(1, 2.0, &[sample; 48_000], 999).len(), 24_000);
        }
        assert!(stretched(1, 2.0, &[], 1).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn any_length_at_any_speed_in_any_blocks(
            frames in 0_usize..8_000, speed in 0.5..3.0_f64, block in 1_usize..3_000, channels in 1_u16..4,
        ) {
            let samples: Vec<f32> =
                (0..frames * usize::from(channels)).map(|i| ((i * 7919) % 1000) as f32 / 1000.0 - 0.5).collect();
            let out = stretched(channels, speed, &samples, block);
            prop_assert_eq!(out.len() % usize::from(channels), 0);
            let (got, expected) = (out.len() / usize::from(channels), frames as f64 / speed);
            prop_assert!((got as f64 - expected).abs() <= 1.0, "{} frames instead of {}", got, expected);
            prop_assert!(out.iter().all(|sample| sample.abs() <= 0.501));
            prop_assert_eq!(out, stretched(channels, speed, &samples, frames.max(1)));
        }

        #[test]
        fn the_position_never_passes_what_was_pushed(
            steps in prop::collection::vec((0.5..3.0_f64, any::<bool>(), 0_usize..2_000), 1..30),
        ) {
            let mut stretcher = Stretcher::new(RATE, 1);
            let (mut out, mut last) = (Vec::new(), 0.0);
            for (speed, one, frames) in steps {
                stretcher.set_speed(if one { 1.0 } else { speed });
                stretcher.push(&vec![0.25; frames], &mut out);
                let position = stretcher.position();
                // One jump back at most: what the search moved the last window.
                prop_assert!(position >= last - 385.0 && position <= stretcher.pushed() as f64);
                last = position;
            }
        }
    }
}
