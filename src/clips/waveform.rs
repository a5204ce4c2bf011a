//! The outline of a clip: the lowest and the highest sample of each of its parts and how loud the part is (RMS),
//! gathered while the sound is read.
//!
//! No sample is left out, so that a single click shows. How it is drawn is in [`draw`](super::draw), how it is kept in
//! [`cache`](super::cache). Memory is constant, whatever the length. Of a long clip that takes long to decode there is a
//! rough picture first.

use std::ops::{ControlFlow, Range};

use crate::{error::Result, format::Decoder};

/// The most parts a waveform has; a wide terminal shows a fifth as many, so that it can be enlarged a few times.
pub const BINS_MAX: usize = 2048;

/// Frames that are read at once.
pub(super) const BLOCK_FRAMES: usize = 16 << 10;

/// Pieces of a clip that a [glance](Waveform::glance) decodes, and frames of each. For a piece of Opus a second is
/// decoded.
const GLANCE_PIECES: u64 = 128;
const GLANCE_FRAMES: usize = 4096;
/// A clip whose sound is less than this many times as long as the pieces is measured equally soon.
const GLANCE_RATIO_MIN: u64 = 32;

/// The sound of one part of a clip, full scale ±32768. For a part without samples all is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bin {
    /// The lowest sample.
    pub low: i16,
    /// The highest sample.
    pub high: i16,
    /// The root of the mean square of its samples, of all channels together; 32768 is full scale.
    pub rms: u16,
}

impl Bin {
    /// The larger of both amplitudes, 0 to 1.
    #[must_use]
    pub fn peak(self) -> f32 {
        f32::from(self.low.unsigned_abs().max(self.high.unsigned_abs())) / 32_768.0
    }

    /// How loud it is (RMS), 0 to 1.
    #[must_use]
    pub fn loudness(self) -> f32 {
        f32::from(self.rms) / 32_768.0
    }

    /// `bins` of equal length combined.
    #[must_use]
    pub fn of(bins: &[Self]) -> Self {
        let extremes = bins.iter().copied().reduce(|one, other| Self {
            low: one.low.min(other.low),
            high: one.high.max(other.high),
            rms: 0,
        });
        let power: u64 = bins.iter().map(|bin| u64::from(bin.rms).pow(2)).sum();
        let mean = power as f64 / bins.len().max(1) as f64;
        extremes.map_or_else(Self::default, |bin| Self { rms: step(mean.sqrt() / 32_768.0), ..bin })
    }
}

/// A loudness of 0 to 1 as a bin has it; rounded up, so that the faintest sound differs from silence.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range")]
fn step(loudness: f64) -> u16 {
    (loudness * 32_768.0 - 1e-6).ceil().clamp(0.0, 32_768.0) as u16
}

/// The outline of a clip.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waveform {
    pub(super) frames: u64,
    pub(super) frames_per_bin: u64,
    pub(super) bins: Vec<Bin>,
}

impl Waveform {
    /// Reads the sound from where `decoder` is to the end. `watch` is called after each block with the waveform so far,
    /// so that a screen can show it while it grows, and can end it.
    ///
    /// # Errors
    /// Those of the decoder.
    pub fn measure(decoder: &mut dyn Decoder, mut watch: impl FnMut(&Outline) -> ControlFlow<()>) -> Result<Self> {
        let channels = usize::from(decoder.format().channels.max(1));
        let mut outline = Outline::new(decoder.frames());
        let mut samples = Vec::new();
        loop {
            samples.clear();
            if decoder.read(&mut samples, BLOCK_FRAMES)? == 0 {
                break;
            }
            outline.push(&samples, channels);
            if watch(&outline).is_break() {
                break;
            }
        }
        Ok(outline.finish())
    }

    /// A rough picture of a long clip, soon: a short piece stands for all that follows up to the next, and what lies
    /// between is not in it. `None` for a clip that is measured as soon, or of unknown length.
    ///
    /// # Errors
    /// Those of the decoder, whose position differs afterwards.
    pub fn glance(decoder: &mut dyn Decoder) -> Result<Option<Self>> {
        match decoder.frames().filter(|&frames| Self::takes_long(Some(frames))) {
            Some(frames) => Self::of_pieces(decoder, frames, GLANCE_PIECES, GLANCE_FRAMES).map(Some),
            None => Ok(None),
        }
    }

    /// Whether a clip of `frames` frames is worth a [glance](Self::glance) before it is measured.
    #[must_use]
    pub fn takes_long(frames: Option<u64>) -> bool {
        frames.is_some_and(|frames| frames >= GLANCE_PIECES * GLANCE_FRAMES as u64 * GLANCE_RATIO_MIN)
    }

    fn of_pieces(decoder: &mut dyn Decoder, frames: u64, pieces: u64, length: usize) -> Result<Self> {
        let mut samples = Vec::new();
        let mut heard = Vec::new();
        for piece in 0..pieces {
            decoder.seek(frames / pieces * piece)?;
            samples.clear();
            decoder.read(&mut samples, length)?;
            heard.push(Gathered { frames: 1, ..Gathered::of(&samples) }.bin());
        }
        // The parts are those of a waveform that is measured.
        let frames_per_bin = Outline::new(Some(frames)).waveform.frames_per_bin;
        let count = frames.div_ceil(frames_per_bin);
        let piece_at = |part: u64| usize::try_from(part * pieces / count.max(1)).unwrap_or(usize::MAX);
        let bins = (0..count).map(|part| heard.get(piece_at(part)).copied().unwrap_or_default()).collect();
        Ok(Self { frames, frames_per_bin, bins })
    }

    /// This rough picture with as much of it as was `measured`, from the beginning.
    #[must_use]
    pub fn refined(&self, measured: Self) -> Self {
        if measured.frames_per_bin != self.frames_per_bin {
            return measured;
        }
        let mut bins = measured.bins;
        bins.extend(self.bins.iter().skip(bins.len()).copied().collect::<Vec<_>>());
        Self { frames: self.frames.max(measured.frames), bins, ..*self }
    }

    /// Frames that it stands for.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Its parts, of equal length except the last one.
    #[must_use]
    pub fn bins(&self) -> &[Bin] {
        &self.bins
    }

    /// The same in `columns` parts of equal length. A part of the clip that lies in two columns counts for both, so that
    /// no peak is lost. Without frames there are no columns.
    #[must_use]
    pub fn columns(&self, columns: usize) -> Vec<Bin> {
        self.columns_of(0..self.frames, columns)
    }

    /// The [`columns`](Self::columns) of these frames of it; beyond its end is silence.
    #[must_use]
    pub fn columns_of(&self, frames: Range<u64>, columns: usize) -> Vec<Bin> {
        if self.frames == 0 || self.frames_per_bin == 0 || frames.is_empty() {
            return Vec::new();
        }
        let (from, total, width) = (u128::from(frames.start), u128::from(frames.end - frames.start), columns as u128);
        let bin_at = |frame: u128| usize::try_from(frame / u128::from(self.frames_per_bin)).unwrap_or(usize::MAX);
        (0..width)
            .map(|column| {
                let first = bin_at(from + column * total / width);
                let end = (from * width + (column + 1) * total).div_ceil(width).max(1);
                let last = bin_at(end - 1).max(first);
                Bin::of(self.bins.get(first..=last.min(self.bins.len().saturating_sub(1))).unwrap_or_default())
            })
            .collect()
    }

    /// Frames of one of its parts: the finest detail that it resolves.
    #[must_use]
    pub fn frames_per_bin(&self) -> u64 {
        self.frames_per_bin
    }

    /// Reads only these frames of the clip; see [`measure`](Self::measure). It has as many parts as a whole clip.
    ///
    /// # Errors
    /// Those of the decoder, whose position differs afterwards.
    pub fn measure_part(
        decoder: &mut dyn Decoder,
        frames: Range<u64>,
        mut watch: impl FnMut(&Outline) -> ControlFlow<()>,
    ) -> Result<Self> {
        let channels = usize::from(decoder.format().channels.max(1));
        let mut outline = Outline::new(Some(frames.end.saturating_sub(frames.start)));
        let mut samples = Vec::new();
        let mut left = frames.end.saturating_sub(frames.start);
        decoder.seek(frames.start)?;
        while left > 0 {
            samples.clear();
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(BLOCK_FRAMES);
            let read = decoder.read(&mut samples, wanted)?;
            outline.push(&samples, channels);
            left -= (read as u64).min(left);
            if read == 0 || watch(&outline).is_break() {
                break;
            }
        }
        Ok(outline.finish())
    }
}

/// A waveform that grows. When it has too many parts, pairs are merged, so that the length need not be known.
#[derive(Debug, Clone)]
pub struct Outline {
    waveform: Waveform,
    /// The unfinished last part.
    open: Gathered,
}

/// Statistics of samples that were pushed.
#[derive(Debug, Clone, Copy)]
struct Gathered {
    frames: u64,
    samples: u64,
    low: f32,
    high: f32,
    /// The sum of their squares.
    power: f64,
}

impl Gathered {
    /// Before the first sample.
    const NOTHING: Self = Self { frames: 0, samples: 0, low: f32::INFINITY, high: f32::NEG_INFINITY, power: 0.0 };

    /// Samples, without a count of frames.
    fn of(samples: &[f32]) -> Self {
        let (low, high, power) = summary(samples);
        Self { frames: 0, samples: samples.len() as u64, low, high, power }
    }

    fn and(self, other: Self) -> Self {
        Self {
            frames: self.frames + other.frames,
            samples: self.samples + other.samples,
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            power: self.power + other.power,
        }
    }

    fn bin(self) -> Bin {
        // The cast saturates; outwards, so that the faintest sound differs from silence.
        let step_out = |sample: f32| sample * 32_768.0;
        if self.low > self.high {
            return Bin::default();
        }
        let rms = step((self.power / self.samples.max(1) as f64).sqrt());
        Bin { low: step_out(self.low).floor() as i16, high: step_out(self.high).ceil() as i16, rms }
    }
}

impl Outline {
    /// An empty one; `frames` is how many will come, if known.
    #[must_use]
    pub fn new(frames: Option<u64>) -> Self {
        let frames_per_bin = frames.unwrap_or(0).div_ceil(BINS_MAX as u64).max(1);
        Self { waveform: Waveform { frames: 0, frames_per_bin, bins: Vec::new() }, open: Gathered::NOTHING }
    }

    /// Adds interleaved `samples` (full scale ±1.0) of whole frames; the outline is that of all channels together. NaN
    /// is ignored.
    pub fn push(&mut self, samples: &[f32], channels: usize) {
        let channels = channels.max(1);
        let mut rest = samples;
        while rest.len() >= channels {
            if self.waveform.bins.len() >= BINS_MAX {
                self.halve();
            }
            let room = usize::try_from(self.waveform.frames_per_bin - self.open.frames).unwrap_or(usize::MAX);
            let frames = room.min(rest.len() / channels);
            let (now, later) = rest.split_at_checked(frames * channels).unwrap_or((rest, &[]));
            rest = later;
            self.open = self.open.and(Gathered { frames: frames as u64, ..Gathered::of(now) });
            self.waveform.frames += frames as u64;
            if self.open.frames == self.waveform.frames_per_bin {
                self.close();
            }
        }
    }

    /// What there is so far.
    #[must_use]
    pub fn so_far(&self) -> Waveform {
        self.clone().finish()
    }

    /// Frames that were added.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.waveform.frames
    }

    /// The waveform.
    #[must_use]
    pub fn finish(mut self) -> Waveform {
        if self.open.frames > 0 {
            self.waveform.bins.push(self.open.bin());
        }
        self.waveform
    }

    fn close(&mut self) {
        self.waveform.bins.push(std::mem::replace(&mut self.open, Gathered::NOTHING).bin());
    }

    /// Makes room for another part.
    fn halve(&mut self) {
        let pairs = self.waveform.bins.chunks(2);
        self.waveform.bins = pairs.map(Bin::of).collect();
        self.waveform.frames_per_bin *= 2;
    }
}

/// The lowest and the highest of `samples`, and the sum of their squares. NaN is ignored.
fn summary(samples: &[f32]) -> (f32, f32, f64) {
    // Many independent steps at once, which the compiler turns into vector instructions.
    const LANES: usize = 16;
    let (lanes, rest) = samples.as_chunks::<LANES>();
    let Gathered { low, high, .. } = Gathered::NOTHING;
    let (mut lows, mut highs, mut powers) = ([low; LANES], [high; LANES], [0.0_f32; LANES]);
    for samples in lanes {
        for (((&sample, low), high), power) in samples.iter().zip(&mut lows).zip(&mut highs).zip(&mut powers) {
            *low = if sample < *low { sample } else { *low };
            *high = if sample > *high { sample } else { *high };
            *power += if sample.is_nan() { 0.0 } else { sample * sample };
        }
    }
    let low = lows.iter().chain(rest).copied().fold(low, f32::min);
    let high = highs.iter().chain(rest).copied().fold(high, f32::max);
    let rest = rest.iter().filter(|sample| !sample.is_nan()).map(|sample| sample * sample);
    (low, high, powers.into_iter().chain(rest).map(f64::from).sum())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::{audio::Metadata, clips::clip::tests::wav, format};

    fn outline(samples: &[f32], channels: usize, known: bool) -> Waveform {
        let frames = known.then_some((samples.len() / channels) as u64);
        let mut outline = Outline::new(frames);
        for block in samples.chunks(7 * channels) {
            outline.push(block, channels);
        }
        outline.finish()
    }

    #[test]
    fn one_click_in_a_long_clip_is_seen_at_its_place() {
        for frames in [10_usize, 2_047, 2_048, 2_049, 100_000] {
            for known in [true, false] {
                let mut samples = vec![0.0; frames * 2];
                samples[frames / 2 * 2 + 1] = -1.0;
                let found = outline(&samples, 2, known);
                assert_eq!(found.frames(), frames as u64);
                assert!(found.bins().len() <= BINS_MAX, "{frames} {known}");
                let columns = found.columns(10);
                let at: Vec<usize> = (0..10).filter(|&column| columns[column].peak() > 0.0).collect();
                assert!(at.contains(&5) && at.len() <= 2, "{frames} {known} {at:?}");
                assert_eq!((columns[5].low, columns[5].high), (-32_768, 0));
            }
        }
    }

    #[test]
    fn nothing_has_no_columns_and_silence_is_flat() {
        assert_eq!(outline(&[], 1, true).columns(5), []);
        assert_eq!(outline(&[f32::NAN; 3], 1, false).columns(2), [Bin::default(); 2]);
        assert_eq!(outline(&[0.0; 3], 1, true).columns(6), [Bin::default(); 6]);
        assert_eq!(outline(&[0.5; 3], 1, true).columns(0), []);
    }

    #[test]
    fn the_faintest_sample_is_told_from_silence_and_the_loudest_saturates() {
        assert_eq!(
            outline(&[1e-9, -1e-9, 9.0, f32::NEG_INFINITY], 1, true).bins()[..2],
            [Bin { low: 0, high: 1, rms: 1 }, Bin { low: -1, high: 0, rms: 1 }]
        );
        let loudest = [Bin { low: -32_768, high: 32_767, rms: 32_768 }];
        assert_eq!(outline(&[9.0, f32::NEG_INFINITY], 1, true).columns(1), loudest);
    }

    #[test]
    fn a_watcher_sees_it_grow_and_can_end_it() {
        let samples = vec![0.25; BLOCK_FRAMES * 3];
        let mut decoder = format::from_reader(Cursor::new(wav(&samples, 1, Metadata::default())), "x").unwrap();
        let mut seen = Vec::new();
        let found = Waveform::measure(decoder.as_mut(), |outline| {
            seen.push(outline.so_far().frames());
            if seen.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(seen, [BLOCK_FRAMES as u64, 2 * BLOCK_FRAMES as u64]);
        assert_eq!(found.unwrap().columns(3), [Bin { low: 8_192, high: 8_192, rms: 8_192 }; 3]);
    }

    #[test]
    fn a_glance_shows_where_the_sound_is_and_becomes_what_is_measured() {
        let mut samples = vec![0.5; 40_000];
        samples[20_000..].fill(0.0);
        // A click that lies in none of the pieces.
        samples[30_050] = -1.0;
        let mut decoder = format::from_reader(Cursor::new(wav(&samples, 1, Metadata::default())), "x").unwrap();
        let rough = Waveform::of_pieces(decoder.as_mut(), 40_000, 400, 10).unwrap();
        let measured = outline(&samples, 1, true);
        assert_eq!((rough.frames(), rough.bins().len()), (40_000, measured.bins().len()));
        let peaks = |waveform: &Waveform| waveform.columns(4).into_iter().map(Bin::peak).collect::<Vec<_>>();
        assert_eq!(peaks(&rough), [0.5, 0.5, 0.0, 0.0]);
        let part = outline(&samples[..35_000], 1, true);
        assert_eq!(rough.refined(part.clone()), part, "the parts are others");
        let so_far = Waveform { frames: 36_000, bins: measured.bins[..1_800].to_vec(), ..measured.clone() };
        let refined = rough.refined(so_far);
        assert_eq!((refined.frames(), refined.bins().len()), (40_000, measured.bins().len()));
        assert_eq!(peaks(&refined)[3], 1.0);
        assert_eq!(rough.refined(measured.clone()), measured);
    }

    #[test]
    fn a_part_is_measured_alone() {
        let samples: Vec<f32> = (0..9_000).map(|frame| frame as f32 / 10_000.0).collect();
        let mut decoder = format::from_reader(Cursor::new(wav(&samples, 1, Metadata::default())), "x").unwrap();
        let go_on = |_: &Outline| ControlFlow::Continue(());
        let part = Waveform::measure_part(decoder.as_mut(), 4_000..4_100, go_on).unwrap();
        assert_eq!((part.frames(), part.bins().len(), part.frames_per_bin()), (100, 100, 1));
        assert!((part.bins()[0].peak() - 0.4).abs() < 1e-3 && (part.bins()[99].peak() - 0.4099).abs() < 1e-3);
        let behind = Waveform::measure_part(decoder.as_mut(), 8_990..9_500, go_on).unwrap();
        assert_eq!(behind.frames(), 10);
    }

    #[test]
    fn a_short_clip_is_measured_at_once() {
        let mut decoder = format::from_reader(Cursor::new(wav(&[0.5; 999], 1, Metadata::default())), "x").unwrap();
        assert_eq!(Waveform::glance(decoder.as_mut()).unwrap(), None);
    }

    proptest! {
        #[test]
        fn no_extreme_is_ever_lost(
            samples in prop::collection::vec(-1.0_f32..1.0, 2..5_000), columns in 1_usize..300, known: bool,
        ) {
            let found = outline(&samples, 1, known);
            prop_assert_eq!(found.frames(), samples.len() as u64);
            prop_assert!(found.bins().len() <= BINS_MAX);
            let all = Gathered::of(&samples).bin();
            for bins in [found.columns(columns), found.bins().to_vec()] {
                let whole = Bin::of(&bins);
                prop_assert_eq!((whole.low, whole.high), (all.low, all.high));
            }
        }

        #[test]
        fn parts_are_as_loud_as_what_is_in_them(
            samples in prop::collection::vec(-1.0_f32..1.0, 4_096..20_000), known: bool,
        ) {
            // With so many parts that the last one, which may be shorter, does not matter.
            let (whole, parts) = (Gathered::of(&samples).bin(), Bin::of(outline(&samples, 1, known).bins()));
            prop_assert!(whole.rms.abs_diff(parts.rms) < 60, "{} {}", whole.rms, parts.rms);
        }

        #[test]
        fn columns_of_a_part_are_those_of_the_part(
            samples in prop::collection::vec(-1.0_f32..1.0, 10..2_000), a in 0_usize..2_000, b in 0_usize..2_000,
        ) {
            let (from, to) = (a.min(b) % samples.len(), a.max(b) % samples.len());
            let (from, to) = (from.min(to), from.max(to) + 1);
            // One frame per part, so that nothing is shared between columns.
            let columns = outline(&samples, 1, true).columns_of(from as u64..to as u64, to - from);
            let expected: Vec<Bin> = samples[from..to].iter().map(|&sample| Gathered::of(&[sample]).bin()).collect();
            prop_assert_eq!(columns, expected);
        }
    }
}
