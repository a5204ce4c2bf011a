//! Keeps peaks below a ceiling without cutting them: the sound gets quieter shortly before a peak and recovers after it.
//!
//! Peaks are true peaks, those between the samples, estimated at four times the rate (ITU-R BS.1770-4, annex 2). All
//! channels get one gain, so that the stereo image does not move. The output is as long as the input and in time with
//! it; sound that stays below the ceiling for longer than the release passes unchanged. Pure but for its buffers.

use std::collections::VecDeque;

/// How long the gain falls before a peak, in seconds.
const ATTACK_S: f64 = 0.005;

/// The time constant with which the gain recovers after a peak, in seconds.
const RELEASE_S: f64 = 0.1;

/// Frames that the interpolation spans.
const TAPS: usize = 12;

/// The interpolation filter of BS.1770-4, two of its four phases; the others are these reversed.
const PHASES: [[f32; TAPS]; 2] = [
    [
        0.001_708_984_4,
        0.010_986_328,
        -0.019_653_32,
        0.033_203_125,
        -0.059_448_242,
        0.137_329_1,
        0.972_167_97,
        -0.102_294_92,
        0.047_607_422,
        -0.026_611_328,
        0.014_892_578,
        -0.008_300_781,
    ],
    [
        -0.029_174_805,
        0.029_296_875,
        -0.051_757_813,
        0.089_111_33,
        -0.166_503_9,
        0.465_087_9,
        0.779_785_16,
        -0.200_317_38,
        0.101_562_5,
        -0.058_227_54,
        0.033_081_055,
        -0.018_920_898,
    ],
];

/// A limiter for sound of one rate and number of channels.
pub(crate) struct Limiter {
    channels: usize,
    ceiling: f32,
    /// Frames of the attack.
    attack: usize,
    release: f32,
    /// Interleaved frames that were pushed and not yet output, after the frames before the start that the filter uses.
    held: VecDeque<f32>,
    /// Frames that were pushed, and that were output.
    came: u64,
    gone: u64,
    /// For frames that were pushed and not yet output: the gain that their own peak allows, as a falling queue over the
    /// window of the attack.
    lowest: VecDeque<(u64, f32)>,
    /// The gain with its release, over one attack, and their sum.
    envelope: f32,
    smoothed: VecDeque<f32>,
    sum: f64,
    /// The latest frames of every channel, for the interpolation.
    history: Vec<[f32; TAPS]>,
}

impl Limiter {
    /// A limiter that lets no true peak above `ceiling` (1.0 is full scale).
    #[must_use]
    pub(crate) fn new(sample_rate: u32, channels: u16, ceiling: f32) -> Self {
        let rate = f64::from(sample_rate.max(1));
        let attack = ((rate * ATTACK_S).ceil() as usize).max(TAPS);
        Self {
            channels: usize::from(channels.max(1)),
            ceiling,
            attack,
            release: (-1.0 / (rate * RELEASE_S)).exp() as f32,
            held: VecDeque::new(),
            came: 0,
            gone: 0,
            lowest: VecDeque::new(),
            envelope: 1.0,
            smoothed: VecDeque::new(),
            sum: 0.0,
            history: vec![[0.0; TAPS]; usize::from(channels.max(1))],
        }
    }

    /// Takes interleaved whole frames and appends to `out` those that are done: those pushed longer ago than twice the
    /// attack.
    pub(crate) fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        for frame in samples.chunks_exact(self.channels) {
            self.take(frame);
            self.held.extend(frame);
            if self.came - self.gone > self.delay() {
                self.give(out);
            }
        }
    }

    /// Appends all that is left, and starts afresh.
    pub(crate) fn finish(&mut self, out: &mut Vec<f32>) {
        let silence = vec![0.0; self.channels];
        while self.gone < self.came {
            let left = self.came;
            // The peaks of the last frames are known only when the filter has processed what follows.
            self.take(&silence);
            self.came = left;
            self.give(out);
        }
        let Self { channels, ceiling, attack, release, .. } = *self;
        let history = vec![[0.0; TAPS]; channels];
        let (held, lowest, smoothed) = Default::default();
        let (came, gone, envelope, sum) = (0, 0, 1.0, 0.0);
        *self = Self { channels, ceiling, attack, release, held, came, gone, lowest, envelope, smoothed, sum, history };
    }

    /// Frames between the latest one pushed and the next one output.
    fn delay(&self) -> u64 {
        (2 * self.attack) as u64
    }

    /// Records the gain that the peak around this frame allows.
    fn take(&mut self, frame: &[f32]) {
        let mut peak = 0.0_f32;
        for (history, &sample) in self.history.iter_mut().zip(frame) {
            history.rotate_left(1);
            if let Some(last) = history.last_mut() {
                *last = sample;
            }
            peak = peak.max(sample.abs()).max(between(history));
        }
        let allowed = if peak > self.ceiling { self.ceiling / peak } else { 1.0 };
        while self.lowest.back().is_some_and(|&(_, gain)| gain >= allowed) {
            self.lowest.pop_back();
        }
        self.lowest.push_back((self.came, allowed));
        self.came += 1;
    }

    /// Outputs the oldest frame, with the gain that is due.
    fn give(&mut self, out: &mut Vec<f32>) {
        // The lowest gain of all frames around the one that is an attack ahead: of those that came after it, and of those
        // before it as far as the filter smears a peak.
        let oldest = (self.gone + self.attack as u64).saturating_sub((self.attack + TAPS) as u64);
        while self.lowest.front().is_some_and(|&(at, _)| at < oldest) {
            self.lowest.pop_front();
        }
        let due = self.lowest.front().map_or(1.0, |&(_, gain)| gain);
        self.envelope = if due < self.envelope { due } else { due + (self.envelope - due) * self.release };
        self.smoothed.push_back(self.envelope);
        self.sum += f64::from(self.envelope);
        if self.smoothed.len() > self.attack {
            self.sum -= f64::from(self.smoothed.pop_front().unwrap_or(0.0));
        }
        // Enough bits that hours of rounding errors do not show in the gain.
        let gain = (self.sum / self.smoothed.len().max(1) as f64) as f32;
        out.extend(self.held.drain(..self.channels.min(self.held.len())).map(|sample| sample * gain));
        self.gone += 1;
    }
}

/// The highest value between the two samples in the middle.
fn between(history: &[f32; TAPS]) -> f32 {
    let filtered =
        |taps: &mut dyn Iterator<Item = &f32>| taps.zip(history).map(|(tap, sample)| tap * sample).sum::<f32>();
    let peaks = PHASES.iter().flat_map(|phase| [filtered(&mut phase.iter()), filtered(&mut phase.iter().rev())]);
    peaks.fold(0.0, |peak, value| peak.max(value.abs()))
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use ebur128::{EbuR128, Mode};

    use super::*;

    const RATE: u32 = 48_000;

    fn limited(samples: &[f32], channels: u16, ceiling: f32, block: usize) -> Vec<f32> {
        let mut limiter = Limiter::new(RATE, channels, ceiling);
        let mut out = Vec::new();
        samples.chunks(block * usize::from(channels)).for_each(|block| limiter.push(block, &mut out));
        limiter.finish(&mut out);
        out
    }

    fn true_peak(samples: &[f32], channels: u16) -> f64 {
        let mut meter = EbuR128::new(channels.into(), RATE, Mode::TRUE_PEAK).unwrap();
        meter.add_frames_f32(samples).unwrap();
        (0..channels.into()).map(|channel| meter.true_peak(channel).unwrap()).fold(0.0, f64::max)
    }

    /// Bursts at a quarter of the rate, whose peaks lie between the samples, in quiet sound.
    fn bursts() -> Vec<f32> {
        let burst = |n: usize| if n % 9_000 < 700 { 1.6 } else { 0.2 };
        (0..48_000).map(|n| burst(n) * (n as f32 / 4.0 * TAU + 0.8).sin()).collect()
    }

    #[test]
    fn no_true_peak_is_above_the_ceiling_and_no_frame_is_lost() {
        let loud = bursts();
        for ceiling in [0.89, 0.5, 0.1] {
            let out = limited(&loud, 1, ceiling, 1_000);
            assert_eq!(out.len(), loud.len());
            let peak = true_peak(&out, 1);
            assert!(peak <= f64::from(ceiling) * 1.05, "{peak} above {ceiling}");
            assert!(peak > f64::from(ceiling) * 0.9, "{peak} far below {ceiling}");
            assert_eq!(out, limited(&loud, 1, ceiling, 7));
        }
    }

    #[test]
    fn what_is_quiet_passes_bit_for_bit_and_at_its_place() {
        let quiet: Vec<f32> = (0..20_000).map(|n| (n as f32 / 50.0).sin() * 0.5).collect();
        assert_eq!(limited(&quiet, 1, 0.89, 333), quiet);
        assert_eq!(limited(&quiet, 2, 0.89, 333), quiet);
        for frames in [0, 1, 5, 300] {
            assert_eq!(limited(&quiet[..frames], 1, 0.89, 1), &quiet[..frames]);
        }
    }

    #[test]
    fn channels_get_the_same_gain() {
        let both: Vec<f32> = bursts().iter().flat_map(|&sample| [sample, sample / 4.0]).collect();
        let out = limited(&both, 2, 0.5, 100);
        assert!(out.as_chunks::<2>().0.iter().all(|[left, right]| (left / 4.0 - right).abs() < 1e-6));
        assert!(true_peak(&out, 2) < 0.53);
    }
}
