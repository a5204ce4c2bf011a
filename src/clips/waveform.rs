//! The outline of a clip: the lowest and the highest sample of each of its parts, gathered while the sound goes by.
//!
//! No sample is left out, so that a single click shows. How it is drawn is in [`draw`](super::draw), how it is kept in
//! [`cache`](super::cache). Memory is constant, whatever the length. Of a long clip that takes long to decode there is a
//! rough picture first.

use std::ops::ControlFlow;

use crate::{error::Result, format::Decoder};

/// The most parts a waveform has; a wide terminal shows half as many.
pub const BINS_MAX: usize = 1024;

/// Frames that are read at once.
pub(super) const BLOCK_FRAMES: usize = 16 << 10;

/// Pieces of a clip that a [glance](Waveform::glance) hears, and frames of each. To hear one of Opus a second is decoded.
const GLANCES: u64 = 128;
const GLANCE_FRAMES: usize = 4096;
/// A clip whose sound is less than so many times as long is measured as soon.
const WORTH_A_GLANCE: u64 = 32;

/// The lowest and the highest sample of one part of a clip, full scale ±32768. For a part without samples both are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bin {
    /// The lowest.
    pub low: i16,
    /// The highest.
    pub high: i16,
}

impl Bin {
    /// The larger of both amplitudes, 0 to 1.
    #[must_use]
    pub fn peak(self) -> f32 {
        f32::from(self.low.unsigned_abs().max(self.high.unsigned_abs())) / 32_768.0
    }

    fn merged(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }
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
    /// Those of the decoder, whose place is another afterwards.
    pub fn glance(decoder: &mut dyn Decoder) -> Result<Option<Self>> {
        let worth = GLANCES * GLANCE_FRAMES as u64 * WORTH_A_GLANCE;
        match decoder.frames().filter(|&frames| frames >= worth) {
            Some(frames) => Self::of_pieces(decoder, frames, GLANCES, GLANCE_FRAMES).map(Some),
            None => Ok(None),
        }
    }

    fn of_pieces(decoder: &mut dyn Decoder, frames: u64, pieces: u64, length: usize) -> Result<Self> {
        let mut samples = Vec::new();
        let mut heard = Vec::new();
        for piece in 0..pieces {
            decoder.seek(frames / pieces * piece)?;
            samples.clear();
            decoder.read(&mut samples, length)?;
            let (low, high) = extremes(&samples);
            heard.push(bin((1, low, high)));
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
        if self.frames == 0 || self.frames_per_bin == 0 {
            return Vec::new();
        }
        let (total, width) = (u128::from(self.frames), columns as u128);
        let bin_at = |frame: u128| usize::try_from(frame / u128::from(self.frames_per_bin)).unwrap_or(usize::MAX);
        (0..width)
            .map(|column| {
                let first = bin_at(column * total / width);
                let end = ((column + 1) * total).div_ceil(width).max(1);
                let last = bin_at(end - 1).max(first);
                let bins = self.bins.get(first..=last.min(self.bins.len().saturating_sub(1))).unwrap_or_default();
                bins.iter().copied().reduce(Bin::merged).unwrap_or_default()
            })
            .collect()
    }
}

/// A waveform that grows. When it has too many parts, each two become one, so that the length need not be known.
#[derive(Debug, Clone)]
pub struct Outline {
    waveform: Waveform,
    /// Of the unfinished last part: its frames, its lowest and its highest sample.
    open: (u64, f32, f32),
}

/// Before the first sample.
const NOTHING: (u64, f32, f32) = (0, f32::INFINITY, f32::NEG_INFINITY);

impl Outline {
    /// An empty one; `frames` is how many will come, if known.
    #[must_use]
    pub fn new(frames: Option<u64>) -> Self {
        let frames_per_bin = frames.unwrap_or(0).div_ceil(BINS_MAX as u64).max(1);
        Self { waveform: Waveform { frames: 0, frames_per_bin, bins: Vec::new() }, open: NOTHING }
    }

    /// Adds interleaved `samples` (full scale ±1.0) of whole frames; the outline is that of all channels together. NaN
    /// counts as nothing.
    pub fn push(&mut self, samples: &[f32], channels: usize) {
        let channels = channels.max(1);
        let mut rest = samples;
        while rest.len() >= channels {
            if self.waveform.bins.len() >= BINS_MAX {
                self.halve();
            }
            let room = usize::try_from(self.waveform.frames_per_bin - self.open.0).unwrap_or(usize::MAX);
            let frames = room.min(rest.len() / channels);
            let (now, later) = rest.split_at_checked(frames * channels).unwrap_or((rest, &[]));
            rest = later;
            let (low, high) = extremes(now);
            self.open = (self.open.0 + frames as u64, self.open.1.min(low), self.open.2.max(high));
            self.waveform.frames += frames as u64;
            if self.open.0 == self.waveform.frames_per_bin {
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
        if self.open.0 > 0 {
            self.waveform.bins.push(bin(self.open));
        }
        self.waveform
    }

    fn close(&mut self) {
        self.waveform.bins.push(bin(std::mem::replace(&mut self.open, NOTHING)));
    }

    /// Makes room for another part.
    fn halve(&mut self) {
        let pairs = self.waveform.bins.chunks(2);
        self.waveform.bins = pairs.map(|pair| pair.iter().copied().reduce(Bin::merged).unwrap_or_default()).collect();
        self.waveform.frames_per_bin *= 2;
    }
}

fn bin((_, low, high): (u64, f32, f32)) -> Bin {
    // The cast saturates; outwards, so that the faintest sound is told from silence.
    let step = |sample: f32| sample * 32_768.0;
    if low > high { Bin::default() } else { Bin { low: step(low).floor() as i16, high: step(high).ceil() as i16 } }
}

/// The lowest and the highest of `samples`.
fn extremes(samples: &[f32]) -> (f32, f32) {
    // Many independent comparisons at once, which the compiler turns into vector instructions.
    const LANES: usize = 16;
    let (lanes, rest) = samples.as_chunks::<LANES>();
    let (mut lows, mut highs) = ([NOTHING.1; LANES], [NOTHING.2; LANES]);
    for samples in lanes {
        for ((&sample, low), high) in samples.iter().zip(&mut lows).zip(&mut highs) {
            *low = if sample < *low { sample } else { *low };
            *high = if sample > *high { sample } else { *high };
        }
    }
    let low = lows.iter().chain(rest).copied().fold(NOTHING.1, f32::min);
    let high = highs.iter().chain(rest).copied().fold(NOTHING.2, f32::max);
    (low, high)
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
        for frames in [10_usize, 1_023, 1_024, 1_025, 100_000] {
            for known in [true, false] {
                let mut samples = vec![0.0; frames * 2];
                samples[frames / 2 * 2 + 1] = -1.0;
                let found = outline(&samples, 2, known);
                assert_eq!(found.frames(), frames as u64);
                assert!(found.bins().len() <= BINS_MAX, "{frames} {known}");
                let columns = found.columns(10);
                let at: Vec<usize> = (0..10).filter(|&column| columns[column].peak() > 0.0).collect();
                assert!(at.contains(&5) && at.len() <= 2, "{frames} {known} {at:?}");
                assert_eq!(columns[5], Bin { low: -32_768, high: 0 });
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
            [Bin { low: 0, high: 1 }, Bin { low: -1, high: 0 },]
        );
        assert_eq!(outline(&[9.0, f32::NEG_INFINITY], 1, true).columns(1), [Bin { low: -32_768, high: 32_767 }]);
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
        assert_eq!(found.unwrap().columns(3), [Bin { low: 8_192, high: 8_192 }; 3]);
    }

    #[test]
    fn a_glance_shows_where_the_sound_is_and_becomes_what_is_measured() {
        let mut samples = vec![0.5; 40_000];
        samples[20_000..].fill(0.0);
        // A click that no piece hears.
        samples[30_050] = -1.0;
        let mut decoder = format::from_reader(Cursor::new(wav(&samples, 1, Metadata::default())), "x").unwrap();
        let rough = Waveform::of_pieces(decoder.as_mut(), 40_000, 400, 10).unwrap();
        let measured = outline(&samples, 1, true);
        assert_eq!((rough.frames(), rough.bins().len()), (40_000, measured.bins().len()));
        let peaks = |waveform: &Waveform| waveform.columns(4).into_iter().map(Bin::peak).collect::<Vec<_>>();
        assert_eq!(peaks(&rough), [0.5, 0.5, 0.0, 0.0]);
        let part = outline(&samples[..35_000], 1, true);
        assert_eq!(rough.refined(part.clone()), part, "the parts are others");
        let so_far = Waveform { frames: 36_000, bins: measured.bins[..900].to_vec(), ..measured.clone() };
        let refined = rough.refined(so_far);
        assert_eq!((refined.frames(), refined.bins().len()), (40_000, measured.bins().len()));
        assert_eq!(peaks(&refined)[3], 1.0);
        assert_eq!(rough.refined(measured.clone()), measured);
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
            let (low, high) = extremes(&samples);
            let all = bin((1, low, high));
            let columns = found.columns(columns);
            prop_assert_eq!(columns.into_iter().reduce(Bin::merged), Some(all));
            prop_assert_eq!(found.bins().iter().copied().reduce(Bin::merged), Some(all));
        }
    }
}
