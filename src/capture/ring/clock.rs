//! The clock of a ring: written by the callback, read by any thread, without a lock.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering, fence},
    time::Instant,
};

use crate::capture::CaptureClock;

/// How often a torn snapshot is tried again before the last position is good enough. The writer may have been
/// interrupted in the middle, and waiting for it would be a lock.
const SNAPSHOT_TRIES: usize = 64;

/// What the last callback left: read whole or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tick {
    pub(super) frames: u64,
    nanos: u64,
    pub(super) block: u64,
}

/// The clock of a ring: frames captured, lost ones included, and when the last of them came.
///
/// Between two callbacks it runs on by the time that passes, at most by one block, so that it stands still when the
/// device does.
#[derive(Debug)]
pub struct RingClock {
    rate: u32,
    origin: Instant,
    // Odd while the callback writes.
    sequence: AtomicU32,
    frames: AtomicU64,
    nanos: AtomicU64,
    block: AtomicU64,
    highest: AtomicU64,
    // Frames that the device captured and no callback delivered; only the reader adds to it.
    missing: AtomicU64,
}

impl RingClock {
    pub(super) fn new(rate: u32) -> Self {
        Self {
            rate,
            origin: Instant::now(),
            sequence: AtomicU32::new(0),
            frames: AtomicU64::new(0),
            nanos: AtomicU64::new(0),
            block: AtomicU64::new(0),
            highest: AtomicU64::new(0),
            missing: AtomicU64::new(0),
        }
    }

    /// When the last callback came, in nanoseconds since the ring was made, and the frames that callbacks had delivered
    /// by then; `None` before the first one.
    pub(in crate::capture) fn last_callback(&self) -> Option<(u64, u64)> {
        self.snapshot().filter(|tick| tick.frames > 0).map(|tick| (tick.nanos, tick.frames))
    }

    /// Counts frames that the device captured although no callback delivered them.
    pub(in crate::capture) fn add_missing(&self, frames: u64) {
        self.missing.fetch_add(frames, Ordering::AcqRel);
    }

    /// Frames that callbacks have delivered up to now, lost ones included.
    #[must_use]
    pub fn captured(&self) -> u64 {
        self.frames.load(Ordering::Acquire)
    }

    /// Nanoseconds since the ring was made.
    pub(in crate::capture) fn nanos_now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(super) fn publish(&self, frames: u64, nanos: u64, block: u64) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        self.frames.store(frames, Ordering::Release);
        self.nanos.store(nanos, Ordering::Relaxed);
        self.block.store(block, Ordering::Relaxed);
        self.sequence.store(sequence.wrapping_add(2), Ordering::Release);
    }

    pub(super) fn snapshot(&self) -> Option<Tick> {
        for _ in 0..SNAPSHOT_TRIES {
            let before = self.sequence.load(Ordering::Acquire);
            let tick = Tick {
                frames: self.frames.load(Ordering::Relaxed),
                nanos: self.nanos.load(Ordering::Relaxed),
                block: self.block.load(Ordering::Relaxed),
            };
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && self.sequence.load(Ordering::Relaxed) == before {
                return Some(tick);
            }
            std::hint::spin_loop();
        }
        None
    }

    fn position_at(&self, nanos: u64) -> u64 {
        let Some(tick) = self.snapshot() else { return self.highest.load(Ordering::Acquire) };
        let elapsed = u128::from(nanos.saturating_sub(tick.nanos));
        let ahead = elapsed * u128::from(self.rate) / 1_000_000_000;
        let ahead = u64::try_from(ahead).unwrap_or(u64::MAX).min(tick.block);
        let missing = self.missing.load(Ordering::Acquire);
        let position = tick.frames.saturating_add(ahead).saturating_add(missing);
        self.highest.fetch_max(position, Ordering::AcqRel).max(position)
    }
}

impl CaptureClock for RingClock {
    fn position(&self) -> u64 {
        self.position_at(self.nanos_now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_runs_on_between_callbacks_by_one_block_at_most_and_never_back() {
        let clock = RingClock::new(48_000);
        assert_eq!(clock.position_at(5_000_000_000), 0, "no callback yet");
        clock.publish(480, 1_000_000_000, 480);
        for (nanos, position) in [
            (1_000_000_000, 480),
            (1_005_000_000, 720),
            (1_010_000_000, 960),
            (9_000_000_000, 960),
            (1_000_000_000, 960),
        ] {
            assert_eq!(clock.position_at(nanos), position, "at {nanos} ns");
        }
        clock.publish(960, 1_010_000_000, 480);
        assert_eq!(clock.position_at(1_015_000_000), 1200);
    }

    #[test]
    fn a_clock_caught_in_the_middle_of_a_write_says_the_last_position() {
        let clock = RingClock::new(1000);
        clock.publish(10, 0, 10);
        assert_eq!(clock.position_at(0), 10);
        clock.sequence.fetch_add(1, Ordering::Relaxed);
        assert_eq!(clock.position_at(1_000_000_000), 10);
    }
}
