//! A test signal of which every fragment identifies its position: position-coded noise.
//!
//! Generates the signal as a WAV file and locates a fragment of it. What a recording of it shows about the recorder is
//! determined in [`super::analysis`]. Pure arithmetic; it neither plays nor records.
//!
//! # The code
//!
//! Frames 2k and 2k+1 of a channel form pair k. The number `channel × PAIRS + k` is put through a bijection of
//! `0..BASE²` (three Feistel rounds, which make it sound like noise) and its two base-[`BASE`] digits become the two samples.
//! The lowest bit of a sample says whether it is the first or the second of its pair. So any three consecutive samples
//! contain one whole pair and show where it begins, which gives position and channel back without a table: they occur
//! only once in `2 × PAIRS` frames (52 minutes at 48 kHz) of eight channels. A window of [`WINDOW`] = 4 is used because
//! the fourth sample is then redundant: a fragment that merely looks like code is caught by it.
//!
//! No coded sample is 0, so silence is never code, and the peak is −2.5 dBFS, so that a clip counter stays at zero.

use std::path::Path;
use std::sync::LazyLock;

/// Payload values of one sample; with the pair bit and without the value 0 they span ±24 576.
const BASE: u32 = 24_576;

/// Channels that can be distinguished.
pub(crate) const MAX_CHANNELS: u16 = 8;

/// Pairs per channel.
const PAIRS: u32 = BASE * BASE / MAX_CHANNELS as u32;

/// Consecutive samples that make a position certain.
pub(crate) const WINDOW: usize = 4;

/// Highest number of coded frames: 52 minutes at 48 kHz.
pub(crate) const MAX_FRAMES: u64 = 2 * PAIRS as u64;

/// Three tables of [`BASE`] digits.
pub(crate) type Rounds = [Vec<u32>; 3];

/// The round functions of the bijection: three tables of noise. A table is one load in an unoptimised build.
pub(crate) static ROUNDS: LazyLock<Rounds> = LazyLock::new(|| {
    let mut state = 0x0123_4567_89ab_cdef_u64;
    [(); 3].map(|()| (0..BASE).map(|_| (splitmix(&mut state) % u64::from(BASE)) as u32).collect())
});

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn add(a: u32, b: u32) -> u32 {
    if a + b >= BASE { a + b - BASE } else { a + b }
}

fn subtract(a: u32, b: u32) -> u32 {
    if a >= b { a - b } else { a + BASE - b }
}

/// The two samples of a pair.
pub(crate) fn encode_pair(rounds: &Rounds, channel: u16, pair: u32) -> (i16, i16) {
    let payload = u32::from(channel) * PAIRS + pair;
    let (mut left, mut right) = (payload / BASE, payload % BASE);
    left = add(left, rounds[0][right as usize]);
    right = add(right, rounds[1][left as usize]);
    left = add(left, rounds[2][right as usize]);
    (sample_of(left, 0), sample_of(right, 1))
}

fn sample_of(digit: u32, second: u32) -> i16 {
    let value = (2 * digit + second) as i32 - BASE as i32;
    (if value >= 0 { value + 1 } else { value }) as i16
}

/// The payload digit of a sample and whether it is the second of its pair; `None` if it is not a coded sample.
fn digit_of(sample: i16) -> Option<(u32, bool)> {
    let value = i32::from(sample);
    if value == 0 {
        return None;
    }
    let code = (if value > 0 { value - 1 } else { value }) + BASE as i32;
    if !(0..2 * BASE as i32).contains(&code) {
        return None;
    }
    Some((code as u32 / 2, code % 2 == 1))
}

/// Channel and pair number of two samples that form a pair.
fn decode_pair(rounds: &Rounds, left: u32, right: u32) -> (u16, u32) {
    let mut left = subtract(left, rounds[2][right as usize]);
    let right = subtract(right, rounds[1][left as usize]);
    left = subtract(left, rounds[0][right as usize]);
    let payload = left * BASE + right;
    ((payload / PAIRS) as u16, payload % PAIRS)
}

/// The coded sample of a channel at a position.
pub(crate) fn coded_sample(channel: u16, position: u64) -> i16 {
    assert!(
        channel < MAX_CHANNELS && position < MAX_FRAMES,
        "the code ends at {MAX_CHANNELS} channels, {MAX_FRAMES} frames"
    );
    let pair = encode_pair(&ROUNDS, channel, (position / 2) as u32);
    if position.is_multiple_of(2) { pair.0 } else { pair.1 }
}

/// Channel and position of the first sample of `window`, if the first [`WINDOW`] samples are unharmed code.
pub(crate) fn locate(window: &[i16]) -> Option<(u16, u64)> {
    let window = window.get(..WINDOW)?;
    let (_, odd) = digit_of(window[0])?;
    let skip = usize::from(odd);
    let ((left, l), (right, r)) = (digit_of(window[skip])?, digit_of(window[skip + 1])?);
    if l || !r {
        return None;
    }
    let (channel, pair) = decode_pair(&ROUNDS, left, right);
    let position = (2 * u64::from(pair)).checked_sub(skip as u64)?;
    let unharmed = (0..WINDOW).all(|i| {
        let at = position + i as u64;
        at < MAX_FRAMES && coded_sample(channel, at) == window[i]
    });
    unharmed.then_some((channel, position))
}

/// What to write: the layout of a position-coded file.
#[derive(Debug, Clone)]
pub(crate) struct PositionCode {
    /// Frames per second.
    pub(crate) rate: u32,
    /// Channels, 1 to 8, each with a code of its own.
    pub(crate) channels: u16,
    /// Frames of silence before the code.
    pub(crate) lead_in: u64,
    /// Frames of silence after the code.
    pub(crate) lead_out: u64,
}

impl PositionCode {
    /// 48 kHz mono.
    pub(crate) fn mono() -> Self {
        Self::new(1, 48_000)
    }

    /// A tenth of a second of silence before the code. After it half a second, because PipeWire's player drops up to two
    /// cycles of the graph at the end of its file.
    pub(crate) fn new(channels: u16, rate: u32) -> Self {
        Self { rate, channels, lead_in: u64::from(rate / 10), lead_out: u64::from(rate / 2) }
    }

    /// Writes `frames` coded frames as a 16-bit WAV file.
    pub(crate) fn write_wav(&self, path: &Path, frames: u64) {
        assert!((1..=MAX_CHANNELS).contains(&self.channels) && frames <= MAX_FRAMES);
        let format = hound::SampleFormat::Int;
        let spec = hound::WavSpec {
            channels: self.channels,
            sample_rate: self.rate,
            bits_per_sample: 16,
            sample_format: format,
        };
        let mut wav = hound::WavWriter::create(path, spec).expect("create the position-coded file");
        // In slices of one second: half an hour of audio need not be in memory at once.
        let second = u64::from(self.rate).next_multiple_of(2);
        self.write(&mut wav, &vec![0; (self.lead_in * u64::from(self.channels)) as usize]);
        for start in (0..frames).step_by(second as usize) {
            self.write(&mut wav, &self.samples(start, second.min(frames - start)));
        }
        self.write(&mut wav, &vec![0; (self.lead_out * u64::from(self.channels)) as usize]);
        wav.finalize().expect("finish the position-coded file");
    }

    fn write(&self, wav: &mut hound::WavWriter<std::io::BufWriter<std::fs::File>>, samples: &[i16]) {
        let mut writer = wav.get_i16_writer(samples.len() as u32);
        for &sample in samples {
            writer.write_sample(sample);
        }
        writer.flush().expect("write position-coded audio");
    }

    /// Coded frames `start .. start + frames`, interleaved.
    pub(crate) fn samples(&self, start: u64, frames: u64) -> Vec<i16> {
        let mut samples = Vec::with_capacity((frames * u64::from(self.channels)) as usize);
        let end = start + frames;
        assert!(self.channels <= MAX_CHANNELS && end <= MAX_FRAMES, "the code has an end");
        let rounds: &Rounds = &ROUNDS;
        let mut seconds = Vec::new();
        let mut position = start - start % 2;
        while position < end {
            seconds.clear();
            let mut channel = 0;
            while channel < self.channels {
                let (first, second) = encode_pair(rounds, channel, (position / 2) as u32);
                if position >= start {
                    samples.push(first);
                }
                seconds.push(second);
                channel += 1;
            }
            if position + 1 < end {
                samples.extend_from_slice(&seconds);
            }
            position += 2;
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::analysis::{analyse_channels, assert_channels_contiguous};
    use proptest::prelude::*;

    #[test]
    fn the_file_is_lead_in_code_and_lead_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.wav");
        let code = PositionCode::new(2, 44_100);
        code.write_wav(&path, 100_000);
        let mut wav = hound::WavReader::open(&path).unwrap();
        assert_eq!((wav.spec().channels, wav.spec().sample_rate, wav.spec().bits_per_sample), (2, 44_100, 16));
        let samples: Vec<i16> = wav.samples::<i16>().map(Result::unwrap).collect();
        let reports = analyse_channels(&samples, 2);
        assert_channels_contiguous(&reports);
        reports[0].assert_whole(100_000);
        assert_eq!((reports[0].lead_in, reports[0].lead_out), (4_410, 22_050));
    }

    proptest! {
        #[test]
        fn every_window_is_located(channel in 0..MAX_CHANNELS, position in 0..MAX_FRAMES - WINDOW as u64) {
            let window: Vec<i16> = (position..).take(WINDOW).map(|p| coded_sample(channel, p)).collect();
            prop_assert_eq!(locate(&window), Some((channel, position)));
            prop_assert!(window.iter().all(|s| *s != 0 && s.unsigned_abs() <= BASE as u16));
        }
    }
}
