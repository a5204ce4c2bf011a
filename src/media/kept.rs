//! What is wrong with the sound that goes into a recording, next to the sound of its source: too quiet because silent
//! channels are mixed in, cancelled because channels are in opposite phase, nothing at all because another channel has
//! it, or speech that is too quiet to be understood. Each is reported once.
//!
//! Pure; the take calls it with what it gathers, before the gain, which it takes into account. What is wrong with the
//! source itself is found in [`input`](super::input).

use std::{collections::VecDeque, time::Duration};

use crate::{
    audio::{ChannelMixer, Dbfs, level::LANES, time::frames_in},
    capture::{Warning, WarningKind},
};

/// The length of the stretches whose level is measured: shorter than a syllable, longer than the deepest tone.
const STRETCH_LENGTH: Duration = Duration::from_millis(100);
/// This many stretches with sound are judged together, so that it is reported within 3 s.
const JUDGED_STRETCHES: u32 = 15;
/// The power above which there is sound: -60 dBFS, above the noise of every input that is open.
const SOUND_POWER_MIN: f64 = 1e-6;
/// How far the kept channels may be below the loudest channel, as a ratio of powers: 9 dB. The mean of two channels of
/// which one is silent is 6 dB below.
const WEAK_RATIO_MAX: f64 = 0.125_892_541;
/// Separate sounds add up by their powers; channels cancel one another where half of that or more is missing.
const CANCELLED_RATIO_MAX: f64 = 0.5;
/// The power below which a converter delivers nothing but its floor: -80 dBFS.
const FLOOR_POWER_MAX: f64 = 1e-8;
/// This many stretches without sound in the kept channels, while a source channel has some: reported within 3 s.
const DEAD_STRETCHES: u32 = 25;
/// This many stretches are examined for speech, so that it is reported within 30 s.
const SPEECH_STRETCHES: usize = 290;
/// Speech below this level, in power, cannot be understood without effort: -50 dBFS.
const SPEECH_POWER_MIN: f64 = 1e-5;
/// What belongs to speech is not further below its loudest stretches than this (ITU-T P.56: 15.9 dB).
const SPEECH_RANGE: f64 = 0.025_703_958;
/// Between syllables and pauses speech rises and falls by more than this; noise and hum do not: 8 dB.
const SPEECH_SWING: f64 = 0.158_489_319;
/// The minimum number of such rises, which is once in two seconds.
const SPEECH_RISES: usize = SPEECH_STRETCHES / 20;

/// The power of the alternating part of a signal; an offset does not count as sound.
#[derive(Debug, Clone, Copy, Default)]
struct Power {
    sum: f64,
    squares: f64,
}

impl Power {
    /// Adds one channel. Samples that are no numbers count as silence.
    fn add(&mut self, samples: impl Iterator<Item = f32>) {
        let mut power = Self::default();
        for sample in samples {
            power.add_one(sample);
        }
        self.sum += power.sum;
        self.squares += power.squares;
    }

    /// As [`add`](Self::add), of samples that lie side by side, some of them at once.
    fn add_slice(&mut self, samples: &[f32]) {
        let (chunks, rest) = samples.as_chunks::<LANES>();
        let mut lanes = [Self::default(); LANES];
        for chunk in chunks {
            lanes.iter_mut().zip(chunk).for_each(|(lane, &sample)| lane.add_one(sample));
        }
        self.sum += lanes.iter().map(|lane| lane.sum).sum::<f64>();
        self.squares += lanes.iter().map(|lane| lane.squares).sum::<f64>();
        self.add(rest.iter().copied());
    }

    fn add_one(&mut self, sample: f32) {
        let sample = if sample.is_finite() { f64::from(sample) } else { 0.0 };
        self.sum += sample;
        self.squares += sample * sample;
    }

    /// The mean over `count` samples, and a fresh start.
    fn take(&mut self, count: f64) -> f64 {
        let Self { sum, squares } = std::mem::take(self);
        (squares / count - (sum / count).powi(2)).max(0.0)
    }
}

/// Watches one recording.
#[derive(Debug)]
pub(crate) struct KeptWatch {
    /// For each kept channel, those of the source, and their factors.
    weights: Vec<Vec<(usize, f32)>>,
    /// Everything is kept as it is, so that nothing can be missing.
    is_whole: bool,
    channels: usize,
    /// What the gain adds to the power; a reduction is intended by the user.
    gain: f64,
    stretch: u64,
    gathered: u64,
    source: Vec<Power>,
    kept: Vec<Power>,
    /// Powers of the source's channels and of the kept ones, over the stretches that are judged together.
    judged: (u32, Vec<f64>, f64),
    silent: u32,
    /// Powers of successive stretches, for speech.
    levels: VecDeque<f64>,
    told: Vec<WarningKind>,
}

impl KeptWatch {
    /// A watch over the channels that `mixer` keeps of a source at that rate, made louder by `factor`.
    pub(crate) fn new(mixer: &ChannelMixer, rate: u32, factor: f32) -> Self {
        let weights: Vec<_> = mixer.weights().collect();
        let channels = mixer.channels_in().max(1);
        Self {
            is_whole: mixer.is_identity(),
            gain: f64::from(factor).powi(2).max(1.0),
            stretch: frames_in(STRETCH_LENGTH, rate).max(1),
            gathered: 0,
            source: vec![Power::default(); channels],
            kept: vec![Power::default(); weights.len()],
            judged: (0, vec![0.0; channels], 0.0),
            silent: 0,
            levels: VecDeque::new(),
            told: Vec::new(),
            channels,
            weights,
        }
    }

    /// Takes interleaved samples of the source; returns what is certain after them.
    pub(crate) fn look(&mut self, samples: &[f32]) -> Vec<Warning> {
        let mut found = Vec::new();
        let mut left = samples;
        while left.len() >= self.channels {
            let wanted = usize::try_from(self.stretch - self.gathered).unwrap_or(usize::MAX);
            let frames = wanted.min(left.len() / self.channels);
            let (now, later) = left.split_at(frames * self.channels);
            left = later;
            self.add(now);
            self.gathered += frames as u64;
            if self.gathered == self.stretch {
                self.gathered = 0;
                self.judge(&mut found);
            }
        }
        found
    }

    fn add(&mut self, samples: &[f32]) {
        match &mut self.source[..] {
            [power] => power.add_slice(samples),
            powers => powers.iter_mut().enumerate().for_each(|(channel, power)| {
                power.add(samples.iter().skip(channel).step_by(self.channels).copied());
            }),
        }
        if self.is_whole {
            return;
        }
        for (power, weights) in self.kept.iter_mut().zip(&self.weights) {
            let mixed = |frame: &[f32]| {
                weights.iter().map(|&(channel, weight)| frame.get(channel).map_or(0.0, |s| s * weight)).sum()
            };
            power.add(samples.chunks_exact(self.channels).map(mixed));
        }
    }

    /// At the end of each stretch.
    fn judge(&mut self, found: &mut Vec<Warning>) {
        let count = self.stretch as f64;
        let source: Vec<f64> = self.source.iter_mut().map(|power| power.take(count)).collect();
        let loudest = loudest(&source);
        let kept = match self.is_whole {
            true => source.iter().sum(),
            false => self.kept.iter_mut().map(|power| power.take(count)).sum::<f64>(),
        };
        if !self.is_whole {
            self.judge_silence(loudest, kept, found);
            self.judge_balance(&source, loudest.1, kept, found);
        }
        self.judge_speech(kept * self.gain, loudest.0, found);
    }

    fn warn(&mut self, kind: WarningKind, channel: usize, message: String, found: &mut Vec<Warning>) {
        if !self.told.contains(&kind) {
            self.told.push(kind);
            found.push(Warning::new(kind, message).of_channel(number(channel)));
        }
    }

    /// Checks for nothing in the kept channels while a source channel has something, even if that is too quiet for the
    /// other checks.
    fn judge_silence(&mut self, loudest: (usize, f64), kept: f64, found: &mut Vec<Warning>) {
        // Twice the floor is certainly above it.
        self.silent = if kept < FLOOR_POWER_MAX && loudest.1 > 4.0 * FLOOR_POWER_MAX { self.silent + 1 } else { 0 };
        // Not again as another warning.
        let said = [WarningKind::Weak, WarningKind::Phase].iter().any(|kind| self.told.contains(kind));
        if self.silent == DEAD_STRETCHES && !said {
            let channel = number(loudest.0);
            let message = format!("the recording is silent, though there is sound on channel {channel} of the source");
            self.warn(WarningKind::Dead, loudest.0, message, found);
        }
    }

    /// Checks whether the kept channels are as loud as they could be.
    fn judge_balance(&mut self, source: &[f64], loudest: f64, kept: f64, found: &mut Vec<Warning>) {
        if loudest < SOUND_POWER_MIN {
            return;
        }
        let (stretches, powers, sum) = &mut self.judged;
        *stretches += 1;
        *sum += kept;
        powers.iter_mut().zip(source).for_each(|(sum, power)| *sum += power);
        if *stretches < JUDGED_STRETCHES {
            return;
        }
        let (powers, kept) = (std::mem::take(powers), *sum);
        self.judged = (0, vec![0.0; self.channels], 0.0);
        let (channel, loudest) = self::loudest(&powers);
        if kept * self.gain >= loudest * WEAK_RATIO_MAX {
            return;
        }
        let separate: f64 = self.weights.iter().flatten().map(|&(of, by)| power_of(&powers, of, by)).sum();
        let below = -(Dbfs::from_amplitude((kept * self.gain / loudest).sqrt()).value());
        let what = match below.is_finite() {
            true => format!("the recording is {below:.0} dB quieter than channel {} of the source", number(channel)),
            false => format!("the recording is silent, though there is sound on channel {}", number(channel)),
        };
        if kept < separate * CANCELLED_RATIO_MAX {
            let message = format!("channels in opposite phase cancel one another: {what}");
            self.warn(WarningKind::Phase, channel, message, found);
        } else {
            self.warn(WarningKind::Weak, channel, what, found);
        }
    }

    /// Checks whether there is speech that is too quiet to be understood.
    fn judge_speech(&mut self, kept: f64, channel: usize, found: &mut Vec<Warning>) {
        self.levels.push_back(kept);
        if self.levels.len() < SPEECH_STRETCHES {
            return;
        }
        if let Some(level) = speech_level(&self.levels)
            && level < SPEECH_POWER_MIN
        {
            let level = Dbfs::from_amplitude(level.sqrt());
            let seconds = STRETCH_LENGTH.as_secs_f64() * SPEECH_STRETCHES as f64;
            let message = format!("speech is too quiet: {level:.0} dBFS for {seconds:.0} s");
            self.warn(WarningKind::Quiet, channel, message, found);
        }
        // Judged again every second.
        self.levels.drain(..10);
    }
}

/// The number of the channel for people.
fn number(channel: usize) -> u16 {
    u16::try_from(channel + 1).unwrap_or(u16::MAX)
}

/// The loudest channel and its power.
fn loudest(powers: &[f64]) -> (usize, f64) {
    let louder = |one: (usize, f64), other: (usize, f64)| if other.1 > one.1 { other } else { one };
    powers.iter().copied().enumerate().fold((0, 0.0), louder)
}

fn power_of(powers: &[f64], channel: usize, weight: f32) -> f64 {
    powers.get(channel).copied().unwrap_or(0.0) * f64::from(weight).powi(2)
}

/// The power of the speech in stretches of sound; `None` if it does not rise and fall as speech does, or is lost in the
/// floor of a converter.
fn speech_level(levels: &VecDeque<f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = levels.iter().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let at = |part: usize| sorted.get(sorted.len() * part / 100).copied().unwrap_or(0.0);
    let (low, high) = (at(10), at(95));
    if high < 4.0 * FLOOR_POWER_MAX || low > high * SPEECH_SWING {
        return None;
    }
    // On the way from one to the other, in decibels.
    let middle = (low.max(high * SPEECH_RANGE) * high).sqrt();
    let rises = levels.iter().zip(levels.iter().skip(1)).filter(|(before, now)| **before < middle && **now >= middle);
    if rises.count() < SPEECH_RISES {
        return None;
    }
    let spoken: Vec<f64> = sorted.into_iter().filter(|level| *level > high * SPEECH_RANGE).collect();
    Some(spoken.iter().sum::<f64>() / spoken.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::audio::{ChannelMap, Speakers};

    const RATE: u32 = 1_000;

    fn mixer(from: u16, map: Option<&str>, to: Option<u16>) -> ChannelMixer {
        let map: Option<ChannelMap> = map.map(|map| map.parse().unwrap());
        ChannelMixer::keep(from, Speakers::usual(from).as_ref(), map.as_ref(), to).unwrap()
    }

    /// Noise of that amplitude, different for each channel, the same for the same arguments.
    fn noise(channel: u32, at: u32) -> f32 {
        let mut x = (channel + 1).wrapping_mul(0x9E37_79B9) ^ at.wrapping_mul(0x85EB_CA6B);
        x = (x ^ (x >> 15)).wrapping_mul(0x2C1B_3C6D);
        x = (x ^ (x >> 12)).wrapping_mul(0x297A_2D39);
        ((x ^ (x >> 15)) as f32 / u32::MAX as f32 - 0.5) * 3.46
    }

    /// Feeds `seconds` seconds; returns the kinds, channels and seconds of what was found.
    fn listen(
        watch: &mut KeptWatch,
        seconds: u32,
        frame: impl Fn(u32) -> Vec<f32>,
    ) -> Vec<(WarningKind, Option<u16>, u32)> {
        let mut found = Vec::new();
        for second in 0..seconds {
            let samples: Vec<f32> = (second * RATE..(second + 1) * RATE).flat_map(&frame).collect();
            found.extend(
                watch.look(&samples).into_iter().map(|warning| (warning.kind(), warning.channel(), second + 1)),
            );
        }
        found
    }

    fn watch(mixer: &ChannelMixer) -> KeptWatch {
        KeptWatch::new(mixer, RATE, 1.0)
    }

    proptest! {
        #[test]
        fn the_power_is_the_same_however_the_sound_is_cut(
            samples in vec(prop_oneof![9 => -1.0_f32..1.0, 1 => Just(f32::NAN)], 0..400),
            cuts in vec(0_usize..50, 0..20),
        ) {
            let plain = samples.iter().filter(|sample| !sample.is_nan()).map(|&sample| f64::from(sample));
            let wanted: (f64, f64) = plain.fold((0.0, 0.0), |(sum, squares), s| (sum + s, squares + s * s));
            let (mut power, mut rest) = (Power::default(), &samples[..]);
            for cut in cuts {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                power.add_slice(now);
                rest = later;
            }
            power.add(rest.iter().copied());
            prop_assert!((power.sum - wanted.0).abs() < 1e-9 && (power.squares - wanted.1).abs() < 1e-9);
        }
    }

    #[test]
    fn a_voice_on_one_of_several_channels_is_too_weak_in_their_mean_and_the_channel_is_named() {
        for (from, map, to, channel, weak) in [
            (4_u16, None, Some(1), 2_usize, true),
            (8, None, Some(1), 7, true),
            (2, None, Some(1), 0, false),
            (4, Some("3"), None, 2, false),
            (4, Some("1"), None, 2, true),
            (4, Some("1,2"), None, 2, true),
            (4, Some("3+4"), None, 2, false),
            (4, None, None, 2, false),
        ] {
            let mixer = mixer(from, map, to);
            let frame =
                |at| (0..usize::from(from)).map(|of| if of == channel { noise(0, at) * 0.1 } else { 0.0 }).collect();
            let found = listen(&mut watch(&mixer), 60, frame);
            let expected = Some((WarningKind::Weak, Some(channel as u16 + 1), 2)).filter(|_| weak);
            assert_eq!(found.iter().find(|(kind, ..)| *kind == WarningKind::Weak).copied(), expected, "{from} {map:?}");
            assert!(found.iter().all(|(.., second)| *second <= 3), "{found:?}");
        }
    }

    #[test]
    fn channels_in_opposite_phase_are_told_from_channels_that_are_only_silent() {
        for (right, expected) in [
            (-1.0, Some(WarningKind::Phase)),
            (-0.7, Some(WarningKind::Phase)),
            (-0.9, Some(WarningKind::Phase)),
            (-0.2, None),
            (0.0, None),
            (1.0, None),
        ] {
            let frame = |at| vec![noise(0, at) * 0.1, noise(0, at) * 0.1 * right];
            let found = listen(&mut watch(&mixer(2, None, Some(1))), 10, frame);
            assert_eq!(found.first().map(|found| found.0), expected, "{right}");
        }
        let separate = |at| vec![noise(0, at) * 0.1, noise(1, at) * 0.1];
        assert_eq!(listen(&mut watch(&mixer(2, None, Some(1))), 60, separate), []);
    }

    #[test]
    fn nothing_is_judged_before_there_is_sound_and_an_offset_is_none() {
        let frame = |at| if at < 5_000 { vec![0.5, 0.0, 0.0, 0.0] } else { vec![0.5, 0.0, noise(0, at) * 0.1, 0.0] };
        let found = listen(&mut watch(&mixer(4, None, Some(1))), 20, frame);
        assert_eq!(found, [(WarningKind::Weak, Some(3), 7)]);
    }

    #[test]
    fn a_gain_makes_up_for_it_and_an_attenuation_is_a_wish() {
        let frame = |at| vec![0.0, 0.0, noise(0, at) * 0.1, 0.0];
        for (factor, told) in [(4.0, false), (1.0, true)] {
            let mut watch = KeptWatch::new(&mixer(4, None, Some(1)), RATE, factor);
            assert_eq!(!listen(&mut watch, 10, frame).is_empty(), told, "{factor}");
        }
        let both = |at| vec![noise(0, at) * 0.1, noise(0, at) * 0.1];
        assert_eq!(listen(&mut KeptWatch::new(&mixer(2, None, Some(1)), RATE, 0.1), 10, both), []);
    }

    #[test]
    fn a_channel_without_sound_is_told_though_the_others_are_quiet() {
        let frame = |at| vec![noise(0, at) * 5e-4, 0.0];
        let found = listen(&mut watch(&mixer(2, Some("right"), None)), 10, frame);
        assert_eq!(found, [(WarningKind::Dead, Some(1), 3)]);
    }

    /// Syllables of 200 ms four times a second, with a pause every third second, over a quiet room.
    fn speech(at: u32, level: f32, room: f32) -> f32 {
        let speaks = at % 250 < 150 && at % 3_000 < 2_000;
        noise(0, at) * if speaks { level } else { room }
    }

    #[test]
    fn quiet_speech_is_told_within_half_a_minute_and_a_quiet_room_is_not() {
        for (level, room, told) in [
            (1e-3, 1e-4, true),
            (5e-4, 1e-4, true),
            (2.5e-3, 1e-4, true),
            (0.1, 1e-4, false),
            (0.01, 1e-3, false),
            // A room, a hum, the floor of a converter.
            (1e-3, 1e-3, false),
            (1e-4, 1e-4, false),
            (5e-5, 1e-6, false),
        ] {
            let found = listen(&mut watch(&mixer(1, None, None)), 120, |at| vec![speech(at, level, room)]);
            let expected: &[_] = if told { &[(WarningKind::Quiet, Some(1), 29)] } else { &[] };
            assert_eq!(found, expected, "{level} {room}");
        }
        let mut louder = KeptWatch::new(&mixer(1, None, None), RATE, 100.0);
        assert_eq!(listen(&mut louder, 60, |at| vec![speech(at, 1e-3, 1e-4)]), []);
    }

    #[test]
    fn nothing_and_nonsense_are_survived() {
        let mut watch = watch(&mixer(2, None, Some(1)));
        assert!(watch.look(&[]).is_empty());
        assert_eq!(listen(&mut watch, 40, |_| vec![f32::NAN, f32::INFINITY]), []);
    }
}
