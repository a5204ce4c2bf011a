//! The built-in test signals: a tone, a melody, white noise, silence.
//!
//! Every sample is a function of its frame and channel alone, so that a signal is the same however it is cut into
//! blocks, ten hours stay in phase, and a test can predict what a file must contain. It keeps no time and runs no
//! thread: the capture backend requests frames at its own pace.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};

const AMPLITUDE_OF_TONE: f64 = 0.5;
const AMPLITUDE_OF_NOISE: f32 = 0.25;
const CONCERT_PITCH: f64 = 440.0;

/// The notes of the melody in hertz (A minor pentatonic, equal temperament) and how loud each is struck.
const NOTES: [(f64, f64); 8] = [
    (440.0, 0.5),
    (523.25, 0.2),
    (587.33, 0.35),
    (659.26, 0.6),
    (783.99, 0.3),
    (659.26, 0.15),
    (523.25, 0.45),
    (392.0, 0.25),
];
const NOTES_PER_SECOND: u32 = 3;
/// In seconds: how long a note of the melody swells, and in what time it falls to the 2.7th part.
const ATTACK: f64 = 0.01;
const DECAY: f64 = 0.12;

/// Frames between two evaluations of the sine, see [`Tone`].
const STRIDE: usize = 256;

/// A test signal at full scale ±1.0, the same in every channel but for noise.
#[derive(Debug, Clone)]
pub struct Generator(Signal);

#[derive(Debug, Clone)]
enum Signal {
    Tone(Tone),
    Melody,
    Noise,
    Silence,
}

impl Generator {
    /// The generator of that name: `tone` (440 Hz), `tone:HZ`, `melody`, `noise` or `silence`; `None` if `name` names
    /// something else.
    ///
    /// The melody is eight plucked notes, three a second, of different loudness: something to look at. A tone has the amplitude 0.5 (-6.02 dBFS), white noise is uniform within ±0.25 (-16.8 dBFS RMS).
    ///
    /// # Errors
    /// `InvalidData` if it is one of the names with a bad parameter.
    #[must_use]
    pub fn parse(name: &str) -> Option<Result<Self>> {
        let (kind, parameter) = name.split_once(':').map_or((name, None), |(kind, text)| (kind, Some(text)));
        let signal = match (kind, parameter) {
            ("tone", None) => Ok(Signal::Tone(Tone::new(CONCERT_PITCH))),
            ("tone", Some(text)) => parse_frequency(text).map(|frequency| Signal::Tone(Tone::new(frequency))),
            ("melody", None) => Ok(Signal::Melody),
            ("noise", None) => Ok(Signal::Noise),
            ("silence", None) => Ok(Signal::Silence),
            ("melody" | "noise" | "silence", Some(text)) => {
                Err(Error::new(ErrorKind::InvalidData, format!("'{kind}' takes no parameter, but got '{text}'")))
            }
            _ => return None,
        };
        Some(signal.map(Self))
    }

    /// Whether the signal exists at `sample_rate` Hz.
    ///
    /// # Errors
    /// `NotSupported` if the frequency of a tone is not below half the sample rate.
    pub fn check(&self, sample_rate: u32) -> Result<()> {
        match &self.0 {
            Signal::Tone(tone) if tone.frequency >= f64::from(sample_rate) / 2.0 => Err(Error::new(
                ErrorKind::NotSupported,
                format!("a tone of {} Hz needs a sample rate above {} Hz", tone.frequency, 2.0 * tone.frequency),
            )),
            _ => Ok(()),
        }
    }

    /// Appends `frames` interleaved frames of `channels` channels at `sample_rate` Hz, from `start_frame` on.
    ///
    /// # Errors
    /// Those of [`Generator::check`]; nothing is appended then.
    pub fn fill(
        &mut self,
        start_frame: u64,
        channels: u16,
        sample_rate: u32,
        frames: usize,
        out: &mut Vec<f32>,
    ) -> Result<()> {
        self.check(sample_rate)?;
        match &mut self.0 {
            Signal::Tone(tone) => tone.fill(start_frame, channels.into(), sample_rate, frames, out),
            Signal::Melody => fill_melody(start_frame, channels, sample_rate, frames, out),
            Signal::Noise => fill_noise(start_frame, channels, frames, out),
            Signal::Silence => out.resize(out.len() + frames * usize::from(channels), 0.0),
        }
        Ok(())
    }
}

impl fmt::Display for Generator {
    /// The name that [`Generator::parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Signal::Tone(tone) => write!(f, "tone:{}", tone.frequency),
            Signal::Melody => f.write_str("melody"),
            Signal::Noise => f.write_str("noise"),
            Signal::Silence => f.write_str("silence"),
        }
    }
}

fn parse_frequency(text: &str) -> Result<f64> {
    text.parse().ok().filter(|hertz: &f64| hertz.is_finite() && *hertz > 0.0).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidData,
            format!("'{text}' is not a frequency: a tone is 'tone:HZ', such as tone:440"),
        )
    })
}

/// A sine, evaluated once per stride: within it, sin(a + b) = sin a cos b + cos a sin b with the angles b from a table.
///
/// Strides begin at multiples of [`STRIDE`], not where a block begins, so that blocks do not change any bit.
#[derive(Debug, Clone)]
struct Tone {
    frequency: f64,
    /// The rate that `turns` was made for; 0 before the first block.
    sample_rate: u32,
    /// Sine and cosine of the phase that the tone advances by in 0, 1, 2… frames.
    turns: Vec<(f64, f64)>,
}

impl Tone {
    fn new(frequency: f64) -> Self {
        Self { frequency, sample_rate: 0, turns: Vec::new() }
    }

    /// Sine and cosine of the phase at `frame`.
    fn turn(&self, frame: u64) -> (f64, f64) {
        let rate = f64::from(self.sample_rate);
        // Whole periods are taken away before the division: the remainder is exact, so that only the product rounds,
        // and for whole frequencies not even that until 2^53 / frequency frames.
        let phase = (frame as f64 * self.frequency) % rate / rate;
        (phase * std::f64::consts::TAU).sin_cos()
    }

    fn fill(&mut self, start_frame: u64, channels: usize, sample_rate: u32, frames: usize, out: &mut Vec<f32>) {
        if self.sample_rate != sample_rate {
            self.sample_rate = sample_rate;
            self.turns = (0..STRIDE as u64).map(|frame| self.turn(frame)).collect();
        }
        out.reserve(frames * channels);
        let (mut frame, mut left) = (start_frame, frames);
        while left > 0 {
            let offset = (frame % STRIDE as u64) as usize;
            let count = left.min(STRIDE - offset);
            let (sine, cosine) = self.turn(frame - offset as u64);
            let samples =
                self.turns.iter().skip(offset).take(count).map(|(turn_sine, turn_cosine)| {
                    (AMPLITUDE_OF_TONE * (sine * turn_cosine + cosine * turn_sine)) as f32
                });
            match channels {
                1 => out.extend(samples),
                2 => out.extend(samples.flat_map(|sample| [sample; 2])),
                _ => samples.for_each(|sample| out.resize(out.len() + channels, sample)),
            }
            frame = frame.wrapping_add(count as u64);
            left -= count;
        }
    }
}

fn fill_melody(start_frame: u64, channels: u16, sample_rate: u32, frames: usize, out: &mut Vec<f32>) {
    let length = u64::from(sample_rate / NOTES_PER_SECOND).max(1);
    for frame in (0..frames as u64).map(|frame| start_frame.wrapping_add(frame)) {
        let (note, within) = ((frame / length) as usize, (frame % length) as f64 / f64::from(sample_rate));
        let (frequency, loudness) = NOTES[note % NOTES.len()];
        let envelope = (within / ATTACK).min(1.0) * (-within / DECAY).exp();
        let sample = loudness * envelope * (std::f64::consts::TAU * frequency * within).sin();
        out.extend((0..channels).map(|_| sample as f32));
    }
}

fn fill_noise(start_frame: u64, channels: u16, frames: usize, out: &mut Vec<f32>) {
    out.reserve(frames * usize::from(channels));
    for frame in 0..frames as u64 {
        let first = start_frame.wrapping_add(frame) << 16;
        out.extend((0..channels).map(|channel| noise(first | u64::from(channel))));
    }
}

/// The SplitMix64 generator (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014) as a function of
/// its counter.
fn noise(counter: u64) -> f32 {
    let mut bits = counter.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    // As signed integers 24 bits are uniform in ±2^23, and exact as f32.
    ((bits as i64) >> 40) as f32 * (AMPLITUDE_OF_NOISE / 8_388_608.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn generator(name: &str) -> Generator {
        Generator::parse(name).unwrap().unwrap()
    }

    fn filled(name: &str, start: u64, channels: u16, rate: u32, frames: usize) -> Vec<f32> {
        let mut out = Vec::new();
        generator(name).fill(start, channels, rate, frames, &mut out).unwrap();
        out
    }

    #[test]
    fn names_read_back() {
        for (name, printed) in [
            ("tone", "tone:440"),
            ("tone:0.5", "tone:0.5"),
            ("tone:1e3", "tone:1000"),
            ("melody", "melody"),
            ("noise", "noise"),
            ("silence", "silence"),
        ] {
            assert_eq!(generator(name).to_string(), printed);
        }
        for name in ["", "ton", "Tone", "tones:440", "file:tone", ":"] {
            assert!(Generator::parse(name).is_none(), "{name}");
        }
    }

    #[test]
    fn bad_parameters_are_named() {
        for name in [
            "tone:",
            "tone:0",
            "tone:-1",
            "tone:x",
            "tone:NaN",
            "tone:inf",
            "tone:4 40",
            "noise:1",
            "silence:",
            "melody:1",
        ] {
            assert_eq!(Generator::parse(name).unwrap().unwrap_err().kind(), ErrorKind::InvalidData, "{name}");
        }
        let mut out = vec![1.0];
        for rate in [0, 8_000, 48_000] {
            let error = generator("tone:24000").fill(0, 1, rate, 1, &mut out).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotSupported);
            assert!(error.to_string().contains("24000 Hz needs a sample rate above 48000 Hz"), "{error}");
        }
        assert_eq!(out, [1.0]);
        generator("tone:24000").check(48_001).unwrap();
    }

    #[test]
    fn a_tone_is_the_sine_of_its_frame_even_after_ten_hours() {
        for start in [0_u64, 200, 36_000 * 96_000] {
            for (i, sample) in filled("tone:441", start, 1, 96_000, 3_000).into_iter().enumerate() {
                // The phase in whole numbers: 441 × frame modulo the rate.
                let phase = (start + i as u64) * 441 % 96_000;
                let exact = 0.5 * (phase as f64 / 96_000.0 * std::f64::consts::TAU).sin();
                assert!(
                    (f64::from(sample) - exact).abs() < 5e-8,
                    "frame {} is {sample}, not {exact}",
                    start + i as u64
                );
            }
        }
    }

    #[test]
    fn a_melody_swells_and_falls_and_is_the_same_however_it_is_cut() {
        let whole = filled("melody", 0, 1, 48_000, 48_000);
        let loudest = |from: usize| whole[from..from + 800].iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
        assert!(loudest(400) > 0.4 && loudest(15_000) < 0.2 && loudest(16_400) > 0.15, "notes are struck and fade");
        assert!(whole.iter().all(|sample| sample.abs() < 0.7));
        assert_eq!(filled("melody", 12_345, 2, 48_000, 100)[1], whole[12_345]);
    }

    #[test]
    fn a_generator_serves_another_rate_after_the_first() {
        let mut tone = generator("tone");
        let mut out = Vec::new();
        tone.fill(0, 1, 48_000, 10, &mut out).unwrap();
        out.clear();
        tone.fill(0, 1, 8_000, 500, &mut out).unwrap();
        assert_eq!(out, filled("tone", 0, 1, 8_000, 500));
    }

    #[test]
    fn noise_is_white_uniform_and_differs_between_channels() {
        let stereo = filled("noise", 0, 2, 48_000, 100_000);
        assert!(stereo.iter().all(|sample| (-0.25..0.25).contains(sample)));
        let (left, right): (Vec<f64>, Vec<f64>) =
            stereo.as_chunks().0.iter().map(|&[l, r]| (f64::from(l), f64::from(r))).unzip();
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / a.len() as f64;
        let variance = 0.25 * 0.25 / 3.0;
        assert!((product(&left, &left) / variance - 1.0).abs() < 0.02);
        for lag in [1, 2, 3, 17, 48, 256] {
            assert!((product(&left, &left[lag..]) / variance).abs() < 0.02, "samples {lag} apart are correlated");
        }
        assert!((product(&left, &right) / variance).abs() < 0.02, "the channels are correlated");
        assert!((left.iter().sum::<f64>() / 1e5).abs() < 0.002);
    }

    #[test]
    fn silence_is_zeros_and_no_channels_are_no_samples() {
        assert_eq!(filled("silence", 5, 3, 48_000, 4), [0.0; 12]);
        for name in ["tone", "noise", "silence"] {
            assert!(filled(name, 0, 0, 48_000, 100).is_empty());
        }
    }

    proptest! {
        #[test]
        fn the_signal_does_not_depend_on_the_blocks(
            name in prop::sample::select(vec!["tone", "tone:997.3", "noise"]),
            start in prop_oneof![0_u64..10_000, Just(u64::MAX - 300), 3_400_000_000_u64..3_500_000_000],
            blocks in prop::collection::vec(0_usize..700, 1..6),
            channels in 1_u16..4,
        ) {
            let mut generator = generator(name);
            let (mut out, mut frames) = (Vec::new(), 0);
            for block in blocks {
                generator.fill(start.wrapping_add(frames as u64), channels, 44_100, block, &mut out).unwrap();
                frames += block;
            }
            prop_assert_eq!(out.len(), frames * usize::from(channels));
            prop_assert_eq!(out, filled(name, start, channels, 44_100, frames));
        }
    }
}
