//! Detects that a device has stopped delivering without an error, as some do when they vanish. Pure; called by the
//! reading thread whenever there is nothing to read.
//!
//! Only time during which the thread polled counts: for a process that was stopped, or a machine that slept, the state
//! of the device is unchanged.

use std::time::{Duration, Instant};

/// No silence shorter than this is a stall.
const STALL_MIN: Duration = Duration::from_secs(3);
/// A stall is at least this many buffers long.
const STALL_BUFFERS_MIN: u32 = 10;
/// The first frames may take longer: the first reader of a sleeping PulseAudio source waits 2 s.
const FIRST_FRAME_TIMEOUT: Duration = Duration::from_secs(8);
/// No more time than this counts between two polls. Longer than any nap of the reading thread.
const LONGEST_STEP: Duration = Duration::from_millis(500);

/// Watches one stream.
#[derive(Debug)]
pub(super) struct StallWatch {
    limit: Duration,
    looked: Option<(Instant, u64)>,
    silent: Duration,
}

impl StallWatch {
    /// A watch over a stream with buffers of that length.
    pub(super) fn new(latency: Duration) -> Self {
        Self { limit: STALL_MIN.max(latency.saturating_mul(STALL_BUFFERS_MIN)), looked: None, silent: Duration::ZERO }
    }

    /// How long `captured` has stood still, once each time that the limit is reached.
    pub(super) fn look(&mut self, captured: u64, now: Instant) -> Option<Duration> {
        let (before, known) = self.looked.replace((now, captured)).unwrap_or((now, captured));
        if known != captured {
            self.silent = Duration::ZERO;
            return None;
        }
        self.silent += now.saturating_duration_since(before).min(LONGEST_STEP);
        let limit = if captured == 0 { self.limit.max(FIRST_FRAME_TIMEOUT) } else { self.limit };
        if self.silent < limit {
            return None;
        }
        self.silent = Duration::ZERO;
        Some(limit)
    }

    /// Discards what was observed, as when nothing was due.
    #[cfg(any(test, target_os = "linux", target_os = "dragonfly", target_os = "freebsd", target_os = "netbsd"))]
    pub(super) fn reset(&mut self) {
        self.looked = None;
        self.silent = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds from `from` until the watch, polled every 100 ms with `captured`, reports something.
    fn told_after(watch: &mut StallWatch, start: Instant, from: u64, captured: u64) -> Option<u64> {
        (0..300)
            .map(|step| from + step * 100)
            .find(|&at| watch.look(captured, start + Duration::from_millis(at)).is_some())
    }

    #[test]
    fn a_stall_is_told_each_time_the_limit_passes_and_forgotten_when_frames_come() {
        let (start, mut watch) = (Instant::now(), StallWatch::new(Duration::from_millis(100)));
        assert_eq!(told_after(&mut watch, start, 0, 7), Some(3_000));
        assert_eq!(told_after(&mut watch, start, 3_100, 7), Some(6_000));
        assert_eq!(watch.look(7, start + Duration::from_millis(8_900)), None);
        assert_eq!(told_after(&mut watch, start, 9_000, 8), Some(12_000));
    }

    #[test]
    fn long_buffers_and_the_first_frames_are_given_more_time() {
        let start = Instant::now();
        assert_eq!(told_after(&mut StallWatch::new(Duration::from_secs(1)), start, 0, 1), Some(10_000));
        assert_eq!(told_after(&mut StallWatch::new(Duration::from_millis(100)), start, 0, 0), Some(8_000));
    }

    #[test]
    fn time_during_which_the_process_was_stopped_does_not_count() {
        let (start, mut watch) = (Instant::now(), StallWatch::new(Duration::from_millis(100)));
        assert_eq!(watch.look(7, start), None);
        let later = 3_600_000;
        assert_eq!(watch.look(7, start + Duration::from_millis(later)), None);
        assert_eq!(told_after(&mut watch, start, later + 100, 7), Some(later + 2_500));
    }

    #[test]
    fn nothing_that_was_seen_before_a_reset_counts() {
        let (start, mut watch) = (Instant::now(), StallWatch::new(Duration::from_millis(100)));
        for tenth in 0..29 {
            assert_eq!(watch.look(7, start + Duration::from_millis(tenth * 100)), None);
        }
        watch.reset();
        assert_eq!(told_after(&mut watch, start, 2_900, 7), Some(5_900));
    }
}
