//! The sound that was dropped last: a recording with a pre-roll begins with it. Pure but for its buffer; run by the
//! pump thread.

use std::collections::VecDeque;

use crate::media::losses::Losses;

/// The last frames of a source, and which of them were lost.
#[derive(Debug, Default)]
pub(crate) struct History {
    samples: VecDeque<f32>,
    channels: usize,
    /// How many frames are kept; more than that have never been kept.
    frames: usize,
    /// Frames that were dropped at its old end.
    dropped: u64,
    losses: Losses,
}

impl History {
    /// An empty history of at most `frames` frames; with 0 it keeps nothing.
    pub(crate) fn new(frames: u64, channels: usize) -> Self {
        let channels = channels.max(1);
        let frames = usize::try_from(frames).unwrap_or(usize::MAX).min(usize::MAX / channels);
        Self { channels, frames, ..Self::default() }
    }

    /// Frames in it.
    pub(crate) fn len(&self) -> u64 {
        (self.samples.len() / self.channels.max(1)) as u64
    }

    /// From now on nothing is dropped.
    pub(crate) fn keep_all(&mut self) {
        self.frames = usize::MAX / self.channels.max(1);
    }

    /// A copy of its samples after the first `frames`, and which of these were lost, as `(frame, frames)` in it.
    pub(crate) fn after(&self, frames: u64) -> (Vec<f32>, Vec<(u64, u64)>) {
        let frames = frames.min(self.len());
        let first = usize::try_from(frames).unwrap_or(usize::MAX).saturating_mul(self.channels);
        let samples = self.samples.range(first.min(self.samples.len())..).copied().collect();
        (samples, self.losses.after(self.dropped + frames))
    }

    /// Appends whole frames; returns how many were dropped for that.
    pub(crate) fn push(&mut self, samples: &[f32]) -> u64 {
        let arrived = samples.len() / self.channels.max(1);
        let kept = arrived.min(self.frames);
        let leaving = (self.samples.len() / self.channels.max(1) + kept).saturating_sub(self.frames);
        self.samples.drain(..leaving * self.channels);
        self.samples.extend(samples.get((arrived - kept) * self.channels..).unwrap_or_default());
        let dropped = (leaving + arrived - kept) as u64;
        self.dropped += dropped;
        self.losses.forget_before(self.dropped);
        dropped
    }

    /// Marks the next frames that are pushed as lost.
    pub(crate) fn count_loss(&mut self, frames: u64) {
        self.losses.count(self.dropped + self.len(), frames);
    }

    /// Empties it into `out`; returns how many of these frames were lost.
    pub(crate) fn drain_into(&mut self, out: &mut Vec<f32>) -> u64 {
        let (from, to) = (self.dropped, self.dropped + self.len());
        let lost = self.losses.within(from, to);
        out.extend(self.samples.drain(..));
        self.dropped = to;
        self.losses.forget_before(to);
        lost
    }

    /// Empties it; returns how many frames that were.
    pub(crate) fn clear(&mut self) -> u64 {
        let frames = self.len();
        self.samples.clear();
        self.dropped += frames;
        self.losses.forget_before(self.dropped);
        frames
    }

    /// Takes over a copy of the end of another history with the same channels, as much as fits.
    pub(crate) fn adopt(&mut self, other: &Self) {
        let end = other.dropped + other.len();
        let fits = (self.frames as u64).min(other.len());
        let kept = usize::try_from(fits).unwrap_or(0) * other.channels;
        self.samples.clear();
        self.samples.extend(other.samples.range(other.samples.len() - kept..));
        (self.dropped, self.losses) = (end - fits, other.losses.clone());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_history_of_no_length_keeps_nothing() {
        let mut history = History::new(0, 2);
        assert_eq!(history.push(&[1.0; 6]), 3);
        let mut out = Vec::new();
        assert_eq!((history.drain_into(&mut out), out.len(), history.len()), (0, 0, 0));
    }

    #[test]
    fn what_was_lost_within_it_is_known() {
        let mut history = History::new(10, 1);
        history.push(&[0.5; 6]);
        history.count_loss(4);
        history.push(&[0.0; 4]);
        // Two of the lost ones are pushed out at the old end.
        history.push(&[0.5; 8]);
        let (mut copy, mut copied) = (History::new(9, 1), Vec::new());
        copy.adopt(&history);
        assert_eq!((copy.drain_into(&mut copied), copied.len()), (1, 9));
        let mut out = Vec::new();
        assert_eq!(history.drain_into(&mut out), 2);
        assert_eq!(out, [vec![0.0; 2], vec![0.5; 8]].concat());
        history.push(&[0.5; 3]);
        assert_eq!(history.drain_into(&mut out), 0);
    }

    proptest! {
        #[test]
        fn it_holds_exactly_the_last_frames(capacity in 0_u64..40, blocks in prop::collection::vec(0_usize..30, 0..20)) {
            let mut history = History::new(capacity, 2);
            let mut all: Vec<f32> = Vec::new();
            let mut dropped = 0;
            for frames in blocks {
                let block: Vec<f32> = (0..frames * 2).map(|at| (all.len() + at) as f32).collect();
                all.extend(&block);
                dropped += history.push(&block);
                let kept = (all.len() / 2).min(capacity as usize);
                prop_assert_eq!(history.len() as usize, kept);
                prop_assert_eq!(dropped as usize, all.len() / 2 - kept);
                let (mut short, mut last) = (History::new(7, 2), Vec::new());
                short.adopt(&history);
                short.drain_into(&mut last);
                prop_assert_eq!(&last[..], &all[all.len() - 2 * kept.min(7)..]);
            }
            for after in 0..=capacity {
                let kept = history.len();
                let (rest, _) = history.after(after);
                prop_assert_eq!(rest.len() as u64, 2 * kept.saturating_sub(after));
                prop_assert_eq!(&rest[..], &all[all.len() - rest.len()..]);
            }
            let mut out = Vec::new();
            history.drain_into(&mut out);
            prop_assert_eq!(&out[..], &all[all.len() - out.len()..]);
            prop_assert_eq!(out.len() / 2, (all.len() / 2).min(capacity as usize));
        }
    }
}
