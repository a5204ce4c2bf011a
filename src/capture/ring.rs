//! The way of frames from the realtime callback to the thread that reads them: two rings of samples, one small ring of
//! gaps, one clock.
//!
//! The near ring is short and nearly always enough. The far one takes what a reader that is held up has not read, and
//! as long as none is, none of its memory is ever touched: it costs memory only where it is needed.
//!
//! [`CallbackSide`] belongs to the thread of the sound system: it takes no lock, allocates nothing and makes no system
//! call but reading the clock. [`ReaderSide`] belongs to the reading thread, [`RingClock`] to any thread. Opening the
//! device and its errors are not handled here.

mod clock;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rtrb::{Consumer, Producer, RingBuffer};

pub use self::clock::RingClock;
use super::Reading;
use crate::audio::{AudioFormat, time::frames_in};

/// Gaps that can wait in one ring. There is a gap only where the ring was full, so that this is far more than the
/// blocks which fit between two of them.
const GAPS: usize = 1024;

/// Sound in the near ring: twice as much as devices are requested to deliver at once.
const NEAR_LENGTH: Duration = Duration::from_millis(500);

/// More samples than this are never kept, whatever the rate and the channels require: 256 MiB.
const MAX_SAMPLES: usize = 1 << 26;

/// The largest of this many latest blocks bounds how far the clock runs ahead.
const RECENT_BLOCKS: usize = 8;

/// A ring that holds `seconds` of sound in `format`, whose sample format does not matter here.
#[must_use]
pub fn ring(format: AudioFormat, seconds: u32) -> (CallbackSide, ReaderSide, Arc<RingClock>) {
    let frames = |length| usize::try_from(frames_in(length, format.sample_rate)).unwrap_or(usize::MAX);
    let length = Duration::from_secs(seconds.into());
    ring_of(format, frames(NEAR_LENGTH.min(length)), frames(length), GAPS)
}

/// A ring for `near` frames, then `frames` more, and `gaps` gaps, the latter two at least 1.
fn ring_of(format: AudioFormat, near: usize, frames: usize, gaps: usize) -> (CallbackSide, ReaderSide, Arc<RingClock>) {
    let channels = usize::from(format.channels.max(1));
    let most = (MAX_SAMPLES / channels).max(1);
    let (near_in, near_out) = RingBuffer::new(near.min(most) * channels);
    let (far_in, far_out) = RingBuffer::new(frames.clamp(1, most) * channels);
    let (gaps_in, gaps_out) = RingBuffer::new(gaps.max(1));
    let lost = Arc::new(AtomicU64::new(0));
    let clock = Arc::new(RingClock::new(format.sample_rate));
    let callback = CallbackSide {
        channels,
        near: near_in,
        far: far_in,
        gaps: gaps_in,
        pushed: 0,
        lost: 0,
        told: 0,
        lost_shared: Arc::clone(&lost),
        clock: Arc::clone(&clock),
        recent: [0; RECENT_BLOCKS],
        next_recent: 0,
    };
    let (near, far) = (near_out, far_out);
    let reader = ReaderSide { channels, near, far, gaps: gaps_out, read: 0, reported: 0, lost_shared: lost };
    (callback, reader, clock)
}

/// Before the frame `at` (counted without losses), `lost` frames were lost in all since the start.
#[derive(Debug, Clone, Copy)]
struct Gap {
    at: u64,
    lost: u64,
}

/// The end that the callback of the sound system writes to.
#[derive(Debug)]
pub struct CallbackSide {
    channels: usize,
    near: Producer<f32>,
    far: Producer<f32>,
    gaps: Producer<Gap>,
    pushed: u64,
    lost: u64,
    told: u64,
    lost_shared: Arc<AtomicU64>,
    clock: Arc<RingClock>,
    recent: [u64; RECENT_BLOCKS],
    next_recent: usize,
}

impl CallbackSide {
    /// Takes one block of interleaved samples in the device's format; `convert` scales each to full scale ±1.0.
    ///
    /// The block goes in whole or, when there is no room, is counted as lost whole. Samples beyond the last whole frame
    /// are ignored. Safe to call from a realtime thread.
    pub fn push_block<T: Copy>(&mut self, samples: &[T], convert: impl Fn(T) -> f32) {
        let count = samples.len() / self.channels * self.channels;
        let frames = (count / self.channels) as u64;
        if frames == 0 {
            return;
        }
        // The clock first: no frame may be read before the clock has counted it.
        self.tick(frames);
        if self.try_push(samples.iter().take(count).map(|&sample| convert(sample)), count) {
            self.pushed += frames;
        } else {
            self.lost += frames;
            self.lost_shared.store(self.lost, Ordering::Release);
        }
    }

    /// The frames that a block may have to fit in now.
    #[must_use]
    pub fn room(&self) -> usize {
        self.far.slots() / self.channels
    }

    /// Counts frames that the device has lost before whatever comes next.
    pub fn lose(&mut self, frames: u64) {
        self.lost += frames;
        self.clock.publish(self.pushed + self.lost, self.clock.nanos_now(), self.largest_block());
        self.lost_shared.store(self.lost, Ordering::Release);
    }

    fn largest_block(&self) -> u64 {
        self.recent.iter().copied().max().unwrap_or_default()
    }

    fn try_push(&mut self, samples: impl Iterator<Item = f32>, count: usize) -> bool {
        // What waits in the far ring is newer than all of the near one, and comes before what is pushed now.
        let overtakes = self.far.slots() < self.far.buffer().capacity();
        let fits = |ring: &Producer<f32>| ring.slots() >= count;
        let ring = if fits(&self.near) && !overtakes { &mut self.near } else { &mut self.far };
        let Ok(chunk) = ring.write_chunk_uninit(count) else { return false };
        if self.lost > self.told {
            // Before the frames, so that a reader that gets them gets the gap before them as well.
            if self.gaps.push(Gap { at: self.pushed, lost: self.lost }).is_err() {
                return false;
            }
            self.told = self.lost;
        }
        chunk.fill_from_iter(samples) == count
    }

    fn tick(&mut self, frames: u64) {
        if let Some(slot) = self.recent.get_mut(self.next_recent) {
            *slot = frames;
        }
        self.next_recent = (self.next_recent + 1) % RECENT_BLOCKS;
        self.clock.publish(self.pushed + self.lost + frames, self.clock.nanos_now(), self.largest_block());
    }
}

/// The end that the pump reads from.
#[derive(Debug)]
pub struct ReaderSide {
    channels: usize,
    near: Consumer<f32>,
    far: Consumer<f32>,
    gaps: Consumer<Gap>,
    read: u64,
    reported: u64,
    lost_shared: Arc<AtomicU64>,
}

impl ReaderSide {
    /// Appends at most `max_frames` frames to `block`, or reports frames lost right before whatever comes next.
    /// [`Reading::Idle`] when nothing waits.
    pub fn read(&mut self, block: &mut Vec<f32>, max_frames: usize) -> Reading {
        // In this order: what was lost up to now, then what waits, then where the gaps are. Losses counted before the
        // ring was found empty lie exactly here; gaps before frames that are found are found, too.
        let lost = self.lost_shared.load(Ordering::Acquire);
        // The far ring is checked first: what was in it then is newer than everything that the near one held.
        let far = self.far.slots() / self.channels;
        let near = self.near.slots() / self.channels;
        let (ring, ready) = if near > 0 { (&mut self.near, near) } else { (&mut self.far, far) };
        let mut room = max_frames.min(ready);
        while let Ok(&gap) = self.gaps.peek() {
            let ahead = gap.at.saturating_sub(self.read);
            if ahead > 0 {
                room = room.min(usize::try_from(ahead).unwrap_or(usize::MAX));
                break;
            }
            // It was just peeked, and no other thread removes it.
            let _ = self.gaps.pop();
            if let Some(reading) = report(&mut self.reported, gap.lost) {
                return reading;
            }
        }
        if ready == 0 {
            return report(&mut self.reported, lost).unwrap_or(Reading::Idle);
        }
        if room == 0 {
            return Reading::Idle;
        }
        let Ok(chunk) = ring.read_chunk(room * self.channels) else { return Reading::Idle };
        let (first, second) = chunk.as_slices();
        block.extend_from_slice(first);
        block.extend_from_slice(second);
        chunk.commit_all();
        self.read += room as u64;
        Reading::Frames
    }

    /// Whether the other end is gone, so that this end alone frees the ring.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.far.is_abandoned()
    }
}

fn report(reported: &mut u64, lost: u64) -> Option<Reading> {
    let news = lost.saturating_sub(*reported);
    *reported = lost.max(*reported);
    (news > 0).then_some(Reading::Lost(news))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{audio::SampleFormat, capture::CaptureClock as _};

    fn format(channels: u16) -> AudioFormat {
        AudioFormat::new(1000, channels, SampleFormat::S16)
    }

    /// What a reader got: the number of a frame, or nothing where one was lost.
    fn drain(reader: &mut ReaderSide, channels: usize, max_frames: usize, heard: &mut Vec<Option<u32>>) {
        let mut block = Vec::new();
        loop {
            block.clear();
            match reader.read(&mut block, max_frames) {
                Reading::Frames => {
                    assert!(!block.is_empty() && block.len() <= max_frames * channels);
                    for frame in block.chunks(channels) {
                        assert!(frame.iter().all(|sample| *sample == frame[0]), "the channels slipped");
                        heard.push(Some(frame[0] as u32));
                    }
                }
                Reading::Lost(frames) => heard.extend((0..frames).map(|_| None)),
                Reading::Idle => return,
                other => panic!("a ring never says {other:?}"),
            }
        }
    }

    fn numbered(first: u32, frames: u32, channels: usize) -> Vec<u32> {
        (first..first + frames).flat_map(|number| std::iter::repeat_n(number, channels)).collect()
    }

    #[test]
    fn a_block_that_does_not_fit_is_lost_whole_and_told_where_it_was() {
        let (mut callback, mut reader, clock) = ring_of(format(2), 0, 4, 8);
        for first in [0, 3, 6] {
            callback.push_block(&numbered(first, 3, 2), |n| n as f32);
        }
        assert_eq!(clock.captured(), 9);
        let mut block = Vec::new();
        assert!(matches!(reader.read(&mut block, 100), Reading::Frames));
        assert_eq!(block, [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]);
        // Nothing was pushed after the loss, and yet it is reported.
        assert!(matches!(reader.read(&mut block, 100), Reading::Lost(6)));
        assert!(matches!(reader.read(&mut block, 100), Reading::Idle));
        callback.push_block(&numbered(9, 2, 2), |n| n as f32);
        block.clear();
        assert!(matches!(reader.read(&mut block, 1), Reading::Frames));
        assert_eq!(block, [9.0, 9.0]);
    }

    #[test]
    fn what_the_device_lost_is_told_before_what_came_after_it() {
        let (mut callback, mut reader, clock) = ring_of(format(1), 0, 9, 8);
        callback.push_block(&[0_u32, 1], |n| n as f32);
        callback.lose(3);
        assert_eq!(clock.captured(), 5);
        callback.push_block(&[5_u32, 6], |n| n as f32);
        let mut heard = Vec::new();
        drain(&mut reader, 1, 9, &mut heard);
        assert_eq!(heard, [Some(0), Some(1), None, None, None, Some(5), Some(6)]);
    }

    #[test]
    fn a_block_larger_than_the_ring_is_lost_and_half_a_frame_is_ignored() {
        let (mut callback, mut reader, clock) = ring_of(format(2), 0, 4, 8);
        callback.push_block(&[1_i16; 10], f32::from);
        callback.push_block(&[1_i16; 1], f32::from);
        callback.push_block(&[2_i16; 3], f32::from);
        assert_eq!(clock.captured(), 6);
        let mut block = Vec::new();
        assert!(matches!(reader.read(&mut block, 9), Reading::Lost(5)));
        assert!(matches!(reader.read(&mut block, 9), Reading::Frames));
        assert_eq!(block, [2.0, 2.0]);
    }

    #[test]
    fn a_loss_takes_one_place_among_the_gaps_however_much_follows_it() {
        let (mut callback, mut reader, _) = ring_of(format(1), 0, 4, 1);
        callback.push_block(&[0_u32; 5], |n| n as f32);
        let mut heard = Vec::new();
        drain(&mut reader, 1, 9, &mut heard);
        for number in 5..8 {
            callback.push_block(&[number], |n: u32| n as f32);
        }
        drain(&mut reader, 1, 9, &mut heard);
        assert_eq!(heard, [None, None, None, None, None, Some(5), Some(6), Some(7)]);
    }

    #[test]
    fn the_reader_knows_when_the_callback_is_gone() {
        let (callback, reader, _) = ring(format(1), 1);
        assert!(!reader.is_abandoned());
        drop(callback);
        assert!(reader.is_abandoned());
    }

    #[test]
    fn frames_stay_in_order_through_both_rings() {
        let (mut callback, mut reader, _) = ring_of(format(1), 5, 40, 8);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut next = 0;
                while next < 100_000 {
                    let block = numbered(next, 1 + next % 7, 1);
                    if callback.room() >= block.len() {
                        callback.push_block(&block, |n| n as f32);
                        next += block.len() as u32;
                    }
                }
            });
            let (mut read, mut block) = (0_u32, Vec::new());
            while read < 100_000 {
                block.clear();
                match reader.read(&mut block, 1 + read as usize % 11) {
                    Reading::Frames => block.iter().for_each(|&frame| {
                        assert_eq!(frame, read as f32);
                        read += 1;
                    }),
                    Reading::Lost(frames) => panic!("{frames} frames were lost at {read}"),
                    _ => std::thread::yield_now(),
                }
            }
        });
    }

    #[test]
    fn the_far_ring_is_not_touched_unless_the_near_one_is_full() {
        let (mut callback, mut reader, _) = ring_of(format(1), 4, 8, 8);
        let mut heard = Vec::new();
        for first in (0..30).step_by(3) {
            callback.push_block(&numbered(first, 3, 1), |n| n as f32);
            assert_eq!(callback.far.slots(), 8);
            drain(&mut reader, 1, 9, &mut heard);
        }
        callback.push_block(&numbered(30, 3, 1), |n| n as f32);
        callback.push_block(&numbered(33, 3, 1), |n| n as f32);
        assert_eq!(callback.far.slots(), 5);
        drain(&mut reader, 1, 9, &mut heard);
        assert_eq!(heard, (0..36).map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn the_clock_is_never_torn_nor_behind_what_was_read() {
        let (mut callback, mut reader, clock) = ring(format(1), 1);
        let reads = std::thread::scope(|scope| {
            scope.spawn(move || {
                for n in 1..=20_000_u32 {
                    callback.push_block(&[n; 7], |n| n as f32);
                }
            });
            let (mut read, mut block, mut last) = (0, Vec::new(), 0);
            while read < 140_000 {
                block.clear();
                match reader.read(&mut block, 64) {
                    Reading::Frames => read += block.len() as u64,
                    Reading::Lost(frames) => read += frames,
                    _ => std::thread::yield_now(),
                }
                assert!(clock.captured() >= read);
                let position = clock.position();
                assert!(position >= last);
                if let Some(tick) = clock.snapshot() {
                    assert_eq!((tick.frames % 7, tick.block), (0, if tick.frames == 0 { 0 } else { 7 }));
                }
                last = position;
            }
            read
        });
        assert_eq!(reads, 140_000);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_uncounted_and_every_gap_is_where_it_was(
            channels in 1_usize..4,
            near in 0_usize..20,
            capacity in 1_usize..40,
            gaps in 1_usize..4,
            steps in prop::collection::vec((0_u32..12, 0_usize..20, prop::bool::ANY), 0..120),
        ) {
            let (mut callback, mut reader, clock) = ring_of(format(channels as u16), near, capacity, gaps);
            let (mut pushed, mut heard, mut starts) = (0_u32, Vec::new(), Vec::new());
            for (frames, max_frames, read) in steps {
                starts.push(pushed);
                callback.push_block(&numbered(pushed, frames, channels), |n| n as f32);
                pushed += frames;
                if read && max_frames > 0 {
                    drain(&mut reader, channels, max_frames, &mut heard);
                    prop_assert_eq!(heard.len(), pushed as usize, "drained, and still frames are missing");
                }
            }
            drain(&mut reader, channels, 7, &mut heard);
            prop_assert_eq!(clock.captured(), u64::from(pushed));
            prop_assert_eq!(heard.len(), pushed as usize);
            for (at, frame) in heard.iter().enumerate() {
                prop_assert!(frame.is_none_or(|number| number as usize == at), "frame {:?} at {}", frame, at);
            }
            // Blocks are atomic: whole or lost.
            starts.push(pushed);
            for block in starts.windows(2) {
                let part = &heard[block[0] as usize..block[1] as usize];
                prop_assert!(part.iter().all(Option::is_some) || part.iter().all(Option::is_none));
            }
        }
    }
}
