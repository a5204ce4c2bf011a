//! The sound of a track as it passes, for observers: a meter, a waveform, a spectrum.
//!
//! A tap is no recorder: a reader that is too slow misses frames, and neither the recording nor the device is affected.
//! The pump thread offers blocks and never waits; any other thread takes them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
    mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};

use crate::audio::AudioFormat;

/// The sound of a track from the moment the tap was made.
#[derive(Debug)]
pub struct Tap {
    blocks: Receiver<Vec<f32>>,
    missed: Arc<AtomicU64>,
    format: AudioFormat,
}

/// The pump's end of a [`Tap`].
#[derive(Debug)]
pub(crate) struct TapInlet {
    blocks: SyncSender<Vec<f32>>,
    missed: Arc<AtomicU64>,
    channels: usize,
}

/// A tap for sound of that format, on which at most `capacity` blocks wait to be read.
pub(crate) fn tap(format: AudioFormat, capacity: usize) -> (TapInlet, Tap) {
    // A channel without capacity would make the sender wait for its receiver.
    let (sender, blocks) = sync_channel(capacity.max(1));
    let missed = Arc::<AtomicU64>::default();
    let inlet = TapInlet { blocks: sender, missed: Arc::clone(&missed), channels: usize::from(format.channels.max(1)) };
    (inlet, Tap { blocks, missed, format })
}

impl TapInlet {
    /// Offers interleaved samples. Returns false when the tap is gone.
    pub(crate) fn offer(&self, samples: &[f32]) -> bool {
        match self.blocks.try_send(samples.to_vec()) {
            Ok(()) => true,
            Err(TrySendError::Full(block)) => {
                self.missed.fetch_add((block.len() / self.channels) as u64, Ordering::Relaxed);
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

impl Tap {
    /// Rate and channels of the samples, which are those of the device.
    #[must_use]
    pub fn format(&self) -> AudioFormat {
        self.format
    }

    /// Appends everything that waits (interleaved, full scale ±1.0) to `out` and returns how many frames that were.
    /// Does not wait. A disabled or muted track passes silence.
    pub fn read(&self, out: &mut Vec<f32>) -> usize {
        let before = out.len();
        self.blocks.try_iter().for_each(|block| out.extend_from_slice(&block));
        (out.len() - before) / usize::from(self.format.channels.max(1))
    }

    /// Frames that passed while too much was waiting to be read.
    #[must_use]
    pub fn missed_frames(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::SampleFormat;

    fn stereo(capacity: usize) -> (TapInlet, Tap) {
        tap(AudioFormat::new(48_000, 2, SampleFormat::F32), capacity)
    }

    #[test]
    fn what_is_offered_is_read_in_order_and_once() {
        let (inlet, tap) = stereo(4);
        assert!(inlet.offer(&[0.1, 0.2]) && inlet.offer(&[0.3, 0.4, 0.5, 0.6]));
        let mut out = vec![9.0];
        assert_eq!(tap.read(&mut out), 3);
        assert_eq!(out, [9.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
        assert_eq!((tap.read(&mut out), tap.missed_frames()), (0, 0));
    }

    #[test]
    fn a_slow_reader_misses_frames_and_learns_how_many() {
        for capacity in [0, 1] {
            let (inlet, tap) = stereo(capacity);
            for _ in 0..3 {
                assert!(inlet.offer(&[0.5; 8]));
            }
            assert_eq!((tap.read(&mut Vec::new()), tap.missed_frames()), (4, 8), "capacity {capacity}");
            assert!(inlet.offer(&[0.5; 2]));
            assert_eq!(tap.read(&mut Vec::new()), 1);
        }
    }

    #[test]
    fn a_tap_that_was_dropped_takes_nothing_more() {
        let (inlet, tap) = stereo(4);
        drop(tap);
        assert!(!inlet.offer(&[0.0; 2]));
    }
}
