//! From one sample rate to another, for streams of any length.
//!
//! The filter is a linear-phase low-pass applied by FFT. Its delay is taken away again, so that frame n of the output
//! is at the time n / rate of the input, and the output is exactly as long as the input. It does not follow the drift
//! between two clocks. Run by the pump thread or a converter: it allocates when made and when `out` must grow.

use std::fmt;

use rubato::{Fft, FixedSync, Resampler as _, WindowFunction, audioadapter_buffers::direct::InterleavedSlice};

use crate::error::{Error, ErrorKind, Result};

/// The shorter side of a block, in frames, and its time in milliseconds: whichever is less. The longer a block, the
/// closer to half the lower rate the filter cuts off (1024 frames pass what is below 97 % of it, 640 below 95 %), but
/// the later the first frame comes out of it, and a reader of a pipe is promised it within 100 ms.
const SHORTEST_BLOCK: u64 = 1024;
const SHORTEST_BLOCK_MILLIS: u64 = 40;
/// The longer side of a block, in frames; beyond it, the rates have too little in common.
const LONGEST_BLOCK: u64 = 1 << 19;
/// Samples of one block of input and output, which bound the memory: about 16 bytes for each.
const MOST_SAMPLES: u64 = 1 << 23;

/// How many frames at `to_hz` are as long as `frames` at `from_hz`: rounded to the nearest, halves up, saturating. A
/// `from_hz` of zero gives zero.
#[must_use]
pub(crate) fn output_frames(frames: u64, from_hz: u32, to_hz: u32) -> u64 {
    let (from, to) = (u128::from(from_hz), u128::from(to_hz));
    (u128::from(frames) * to + from / 2).checked_div(from).map_or(0, |frames| frames.try_into().unwrap_or(u64::MAX))
}

/// Converts a stream of interleaved frames to another sample rate.
///
/// The output does not depend on how the input is cut into pushes. NaN and infinities become silence, because one of
/// them would spoil a whole block; only between equal rates everything is passed on as it is.
pub struct Resampler {
    from_hz: u32,
    to_hz: u32,
    channels: usize,
    samples_in: u64,
    frames_out: u64,
    /// None between equal rates.
    filter: Option<Filter>,
}

impl Resampler {
    /// A resampler from `from_hz` to `to_hz` for frames of `channels` samples.
    ///
    /// It holds back up to one and a half blocks: 30 to 80 ms where the rates have a large common divisor, as all usual
    /// ones have, but up to 3 × rate / divisor frames otherwise.
    ///
    /// # Errors
    /// `NotSupported` if a rate or the channels are zero, or if the rates have so little in common, or the channels are
    /// so many, that a block would not fit in a sensible amount of memory.
    pub fn new(from_hz: u32, to_hz: u32, channels: u16) -> Result<Self> {
        if from_hz == 0 || to_hz == 0 || channels == 0 {
            let context = format!("cannot resample {channels} channels from {from_hz} Hz to {to_hz} Hz");
            return Err(Error::new(ErrorKind::NotSupported, context));
        }
        let filter = if from_hz == to_hz { None } else { Some(Filter::new(from_hz, to_hz, channels)?) };
        Ok(Self { from_hz, to_hz, channels: channels.into(), samples_in: 0, frames_out: 0, filter })
    }

    /// Whether the rates are equal, so that resampling can be left out.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.filter.is_none()
    }

    /// Takes `interleaved` frames and appends those that are ready to `out`. A frame may be cut between two pushes.
    ///
    /// # Errors
    /// `Unknown` if the filter fails, which leaves the stream incomplete.
    pub fn push(&mut self, interleaved: &[f32], out: &mut Vec<f32>) -> Result<()> {
        let Some(filter) = &mut self.filter else {
            out.extend_from_slice(interleaved);
            return Ok(());
        };
        self.samples_in += interleaved.len() as u64;
        let mut left = interleaved;
        while !left.is_empty() {
            left = filter.fill(left);
            if filter.is_full() {
                self.frames_out += filter.process(out)?;
            }
        }
        Ok(())
    }

    /// Appends what is held back, so that all pushes together gave exactly `output_frames` of the frames that they
    /// took, and starts afresh. An incomplete frame at the end is dropped.
    ///
    /// # Errors
    /// `Unknown` if the filter fails, which leaves the stream incomplete.
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<()> {
        if let Some(filter) = &mut self.filter {
            let frames = self.samples_in / self.channels as u64;
            let total = output_frames(frames, self.from_hz, self.to_hz);
            filter.drop_partial_frame();
            while self.frames_out < total {
                filter.pad();
                self.frames_out += filter.process(out)?;
            }
            // The last block ends in the silence after the stream.
            let surplus = usize::try_from(self.frames_out - total).unwrap_or(usize::MAX).saturating_mul(self.channels);
            out.truncate(out.len().saturating_sub(surplus));
        }
        self.reset();
        Ok(())
    }

    /// Discards everything that was pushed: the next push begins a new stream.
    pub fn reset(&mut self) {
        (self.samples_in, self.frames_out) = (0, 0);
        if let Some(filter) = &mut self.filter {
            filter.reset();
        }
    }
}

impl fmt::Debug for Resampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resampler({} Hz to {} Hz, {} channels)", self.from_hz, self.to_hz, self.channels)
    }
}

/// The filter with the block that is filled next.
struct Filter {
    fft: Fft<f32>,
    channels: usize,
    frames_in: usize,
    frames_out: usize,
    /// Frames of the filter's delay that are still to be dropped.
    delay: usize,
    input: Vec<f32>,
    output: Vec<f32>,
}

impl Filter {
    fn new(from_hz: u32, to_hz: u32, channels: u16) -> Result<Self> {
        let failed = || format!("cannot resample {channels} channels from {from_hz} Hz to {to_hz} Hz");
        let (frames_in, frames_out) = block_frames(from_hz, to_hz, channels)
            .ok_or_else(|| Error::new(ErrorKind::NotSupported, failed() + ": the rates have too little in common"))?;
        let channels = usize::from(channels);
        let fft = Fft::new_custom(
            from_hz as usize,
            to_hz as usize,
            frames_in,
            1,
            channels,
            WindowFunction::BlackmanHarris2,
            FixedSync::Both,
        )
        .map_err(|error| Error::new(ErrorKind::NotSupported, failed()).with_source(error))?;
        let (input, output) = (Vec::with_capacity(frames_in * channels), vec![0.0; frames_out * channels]);
        let delay = fft.output_delay();
        Ok(Self { fft, channels, frames_in, frames_out, delay, input, output })
    }

    fn is_full(&self) -> bool {
        self.input.len() == self.frames_in * self.channels
    }

    /// Takes as many samples as fit and returns the others.
    fn fill<'a>(&mut self, samples: &'a [f32]) -> &'a [f32] {
        let room = self.frames_in * self.channels - self.input.len();
        let (now, later) = samples.split_at(room.min(samples.len()));
        self.input.extend(now.iter().map(|&sample| if sample.is_finite() { sample } else { 0.0 }));
        later
    }

    fn drop_partial_frame(&mut self) {
        self.input.truncate(self.input.len() / self.channels * self.channels);
    }

    fn pad(&mut self) {
        self.input.resize(self.frames_in * self.channels, 0.0);
    }

    /// Filters the full block and appends what is not delay to `out`; returns its frames.
    fn process(&mut self, out: &mut Vec<f32>) -> Result<u64> {
        let failed = "the resampler failed";
        let input = InterleavedSlice::new(self.input.as_slice(), self.channels, self.frames_in)
            .map_err(|error| Error::new(ErrorKind::Unknown, failed).with_source(error))?;
        let mut output = InterleavedSlice::new_mut(self.output.as_mut_slice(), self.channels, self.frames_out)
            .map_err(|error| Error::new(ErrorKind::Unknown, failed).with_source(error))?;
        self.fft
            .process_into_buffer(&input, &mut output, None)
            .map_err(|error| Error::new(ErrorKind::Unknown, failed).with_source(error))?;
        self.input.clear();
        let dropped = self.delay.min(self.frames_out);
        self.delay -= dropped;
        out.extend(self.output.iter().skip(dropped * self.channels));
        Ok((self.frames_out - dropped) as u64)
    }

    fn reset(&mut self) {
        self.fft.reset();
        self.input.clear();
        self.delay = self.fft.output_delay();
    }
}

/// The frames of input and output that the filter transforms at a time, or `None` if they would be too many.
fn block_frames(from_hz: u32, to_hz: u32, channels: u16) -> Option<(usize, usize)> {
    let divisor = greatest_common_divisor(from_hz, to_hz);
    let (step_in, step_out) = (u64::from(from_hz / divisor), u64::from(to_hz / divisor));
    // Even, because the delay is half a block: a whole number of frames on both sides, or the output would be half a
    // frame off.
    let shortest = SHORTEST_BLOCK.min(u64::from(from_hz.min(to_hz)) * SHORTEST_BLOCK_MILLIS / 1_000);
    let steps = shortest.div_ceil(step_in.min(step_out)).max(1).next_multiple_of(2);
    let (frames_in, frames_out) = (step_in * steps, step_out * steps);
    let fits =
        frames_in.max(frames_out) <= LONGEST_BLOCK && (frames_in + frames_out) * u64::from(channels) <= MOST_SAMPLES;
    if fits { Some((frames_in.try_into().ok()?, frames_out.try_into().ok()?)) } else { None }
}

fn greatest_common_divisor(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    fn resampled(from: u32, to: u32, channels: u16, samples: &[f32]) -> Vec<f32> {
        let mut resampler = Resampler::new(from, to, channels).unwrap();
        let mut out = Vec::new();
        resampler.push(samples, &mut out).unwrap();
        resampler.finish(&mut out).unwrap();
        out
    }

    fn sine(frequency: f64, rate: u32, frames: usize) -> Vec<f32> {
        (0..frames).map(|i| (0.5 * (i as f64 * frequency / f64::from(rate) * TAU).sin()) as f32).collect()
    }

    fn db(factor: f64) -> f64 {
        20.0 * factor.log10()
    }

    /// The largest sample away from both ends, where the tone is not switched on or off.
    fn peak(samples: impl Iterator<Item = f64>, count: usize) -> f64 {
        samples.skip(count / 4).take(count / 2).fold(0.0, |peak, sample| peak.max(sample.abs()))
    }

    #[test]
    fn lengths_are_rounded_exactly() {
        for (frames, from, to, expected) in [
            (0, 48_000, 16_000, 0),
            (1, 48_000, 16_000, 0),
            (2, 48_000, 16_000, 1),
            (1, 2, 1, 1),
            (441, 44_100, 48_000, 480),
            (u64::MAX, 1, u32::MAX, u64::MAX),
            (u64::MAX, 48_000, 48_000, u64::MAX),
            (5, 0, 48_000, 0),
        ] {
            assert_eq!(output_frames(frames, from, to), expected, "{frames} frames from {from} to {to}");
        }
    }

    /// Sample by sample, so that a wrong delay shows as well as a wrong level or an alias does.
    #[test]
    fn tones_keep_their_level_and_their_time() {
        for (from, to, frequency, worst) in [
            (48_000, 16_000, 1_000.0, -100.0),
            (48_000, 16_000, 7_000.0, -100.0),
            (48_000, 44_100, 1_000.0, -100.0),
            (48_000, 44_100, 20_000.0, -100.0),
            (44_100, 48_000, 20_000.0, -100.0),
            (96_000, 16_000, 7_000.0, -100.0),
            (192_000, 8_000, 3_000.0, -100.0),
            (8_000, 192_000, 3_000.0, -100.0),
            (11_025, 48_000, 5_000.0, -100.0),
            (48_000, 47_999, 7_000.0, -100.0),
        ] {
            let out = resampled(from, to, 1, &sine(frequency, from, from as usize * 2));
            let exact = sine(frequency, to, out.len());
            let error = peak(out.iter().zip(&exact).map(|(a, b)| f64::from(a - b)), out.len());
            assert!(
                db(error / 0.5) < worst,
                "{from} to {to} Hz: a tone of {frequency} Hz is off by {:.1} dB",
                db(error / 0.5)
            );
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_gone() {
        for (from, to, frequency) in [
            (48_000, 16_000, 15_000.0),
            (48_000, 16_000, 8_300.0),
            (96_000, 16_000, 9_000.0),
            (48_000, 44_100, 23_000.0),
        ] {
            let out = resampled(from, to, 1, &sine(frequency, from, from as usize));
            let alias = peak(out.iter().map(|&sample| f64::from(sample)), out.len());
            assert!(db(alias / 0.5) < -110.0, "{from} to {to} Hz: {frequency} Hz leaves {:.1} dB", db(alias / 0.5));
        }
    }

    #[test]
    fn the_first_frame_is_not_held_back_for_long() {
        let rates = [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000];
        for (from, to) in rates.iter().flat_map(|&from| rates.map(|to| (from, to))) {
            let mut resampler = Resampler::new(from, to, 1).unwrap();
            let mut out = Vec::new();
            let in_80_ms = u64::from(from) * 80 / 1_000;
            resampler.push(&vec![0.0; usize::try_from(in_80_ms).unwrap()], &mut out).unwrap();
            assert!(!out.is_empty(), "{from} to {to} Hz: nothing after 80 ms");
        }
    }

    #[test]
    fn channels_stay_apart() {
        let left = sine(440.0, 48_000, 48_000);
        let stereo: Vec<f32> = left.iter().flat_map(|&sample| [sample, 0.0]).collect();
        let out = resampled(48_000, 44_100, 2, &stereo);
        let (out_left, out_right): (Vec<f32>, Vec<f32>) = out.as_chunks().0.iter().map(|&[l, r]| (l, r)).unzip();
        assert_eq!(out_left, resampled(48_000, 44_100, 1, &left));
        assert!(out_right.iter().all(|&sample| sample == 0.0));
    }

    #[test]
    fn equal_rates_pass_everything_on_untouched() {
        let mut resampler = Resampler::new(48_000, 48_000, 2).unwrap();
        let mut out = Vec::new();
        resampler.push(&[f32::INFINITY, -0.0], &mut out).unwrap();
        resampler.finish(&mut out).unwrap();
        assert!(resampler.is_identity());
        assert_eq!(
            out.iter().map(|s| s.to_bits()).collect::<Vec<_>>(),
            [f32::INFINITY.to_bits(), (-0.0_f32).to_bits()]
        );
    }

    #[test]
    fn a_sample_that_is_no_number_is_silence() {
        let mut samples = sine(440.0, 48_000, 5_000);
        samples[2_000] = 0.0;
        let expected = resampled(48_000, 16_000, 1, &samples);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            samples[2_000] = bad;
            assert_eq!(resampled(48_000, 16_000, 1, &samples), expected);
        }
    }

    #[test]
    fn impossible_conversions_are_refused() {
        for (from, to, channels) in [
            (0, 48_000, 1),
            (48_000, 0, 1),
            (48_000, 44_100, 0),
            (48_000, u32::MAX, 1),
            (1, 4_000_000_000, 1),
            (767_999, 768_000, 1),
            (48_000, 44_100, u16::MAX),
        ] {
            let error = Resampler::new(from, to, channels).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotSupported, "{from} to {to}");
            assert!(error.to_string().starts_with("cannot resample"), "{error}");
        }
        assert!(Resampler::new(u32::MAX, u32::MAX, u16::MAX).unwrap().is_identity());
    }

    #[test]
    fn a_reset_forgets_what_was_pushed() {
        let tone = sine(440.0, 48_000, 3_000);
        let mut resampler = Resampler::new(48_000, 16_000, 1).unwrap();
        let mut out = Vec::new();
        resampler.push(&[0.9; 5_000], &mut out).unwrap();
        resampler.reset();
        out.clear();
        for _ in 0..2 {
            // The second round begins where `finish` left off.
            resampler.push(&tone, &mut out).unwrap();
            resampler.finish(&mut out).unwrap();
            assert_eq!(std::mem::take(&mut out), resampled(48_000, 16_000, 1, &tone));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_output_depends_on_the_input_alone(
            (from, to) in prop::sample::select(vec![
                (44_100, 48_000), (48_000, 44_100), (96_000, 16_000), (8_000, 192_000), (11_025, 48_000), (7, 5), (5, 7),
            ]),
            channels in 1_u16..4,
            pushes in prop::collection::vec(prop_oneof![0_usize..8, 0_usize..3_000], 0..12),
        ) {
            let samples: Vec<f32> =
                (0..pushes.iter().sum::<usize>()).map(|i| ((i * 7_919) % 1_999) as f32 / 1_999.0 - 0.5).collect();
            let mut resampler = Resampler::new(from, to, channels).unwrap();
            let (mut out, mut left) = (Vec::new(), samples.as_slice());
            for push in pushes {
                let (now, later) = left.split_at(push);
                resampler.push(now, &mut out).unwrap();
                left = later;
            }
            resampler.finish(&mut out).unwrap();
            let frames = (samples.len() / usize::from(channels)) as u64;
            prop_assert_eq!(out.len() as u64, output_frames(frames, from, to) * u64::from(channels));
            prop_assert_eq!(out, resampled(from, to, channels, &samples));
        }
    }
}
