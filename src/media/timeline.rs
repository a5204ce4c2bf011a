//! The time of the wall clock at which a frame of a recording was captured. Pure: clocks are read by the caller, the
//! take, on the pump thread.
//!
//! Frames count time far more evenly than they are delivered. So a frame's time is that of an earlier one plus the time
//! between them; the wall clock only moves that slowly, by the smallest lateness with which frames were delivered. A
//! clock that is set moves it at once.

use std::time::{Duration, Instant, SystemTime};

use crate::audio::time::duration_of;

/// How long frames are observed before the estimate moves.
const ESTIMATE_WINDOW: Duration = Duration::from_secs(10);

/// A difference of this size is no drift: a clock was set, or the machine slept.
const STEP_SECONDS: f64 = 1.0;

/// The result of one comparison of the clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing new.
    Steady,
    /// The estimate moved a little.
    Moved,
    /// The wall clock was set.
    Set,
}

/// The times of the frames of one recording.
#[derive(Debug)]
pub(crate) struct Timeline {
    rate: u32,
    /// A frame and when it was captured.
    known: (u64, SystemTime),
    /// Both clocks at the last comparison.
    clocks: (SystemTime, Instant),
    /// The frame from which on the lateness of frames is observed, and the least so far in seconds.
    watched: (u64, f64),
}

impl Timeline {
    /// Frame `frame` was captured at `at`; `clocks` are the clocks now.
    pub(crate) fn new(rate: u32, frame: u64, at: SystemTime, clocks: (SystemTime, Instant)) -> Self {
        Self { rate, known: (frame, at), clocks, watched: (frame, f64::INFINITY) }
    }

    /// When that frame was captured or will be.
    pub(crate) fn time_of(&self, frame: u64) -> SystemTime {
        let (known, at) = self.known;
        match frame.checked_sub(known) {
            Some(later) => at + duration_of(later, self.rate),
            None => at - duration_of(known - frame, self.rate),
        }
    }

    /// Skips time from which nothing was recorded.
    pub(crate) fn skip(&mut self, length: Duration) {
        self.known.1 += length;
    }

    /// Compares the clocks when `frame` is the next one to come.
    pub(crate) fn look(&mut self, frame: u64, clocks: (SystemTime, Instant)) -> Seen {
        let passed = clocks.1.saturating_duration_since(self.clocks.1);
        let step = seconds_between(self.clocks.0, clocks.0) - passed.as_secs_f64();
        self.clocks = clocks;
        if step.abs() > STEP_SECONDS {
            self.shift(frame, step);
            return Seen::Set;
        }
        let late = seconds_between(self.time_of(frame), clocks.0);
        self.watched.1 = self.watched.1.min(late);
        if duration_of(frame.saturating_sub(self.watched.0), self.rate) < ESTIMATE_WINDOW {
            return Seen::Steady;
        }
        let late = self.watched.1;
        self.shift(frame, late);
        if late.abs() > STEP_SECONDS { Seen::Set } else { Seen::Moved }
    }

    fn shift(&mut self, frame: u64, seconds: f64) {
        let by = Duration::try_from_secs_f64(seconds.abs()).unwrap_or_default();
        let at = self.time_of(frame);
        let moved = if seconds < 0.0 { at.checked_sub(by) } else { at.checked_add(by) };
        self.known = (frame, moved.unwrap_or(at));
        self.watched = (frame, f64::INFINITY);
    }
}

fn seconds_between(from: SystemTime, to: SystemTime) -> f64 {
    to.duration_since(from).map_or_else(|error| -error.duration().as_secs_f64(), |later| later.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 1_000;

    /// Simulates a recording of which a second comes `late` seconds late; the wall clock differs by `wall` from the
    /// other.
    fn run(timeline: &mut Timeline, from: (SystemTime, Instant), second: u64, wall: f64, late: f64) -> Seen {
        let elapsed = Duration::from_secs_f64(second as f64 + late);
        let shifted = from.0 + Duration::from_secs_f64(10_000.0 + wall) - Duration::from_secs(10_000);
        timeline.look(second * u64::from(RATE), (shifted + elapsed, from.1 + elapsed))
    }

    fn start() -> (Timeline, (SystemTime, Instant)) {
        let clocks = (SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000), Instant::now());
        (Timeline::new(RATE, 0, clocks.0, clocks), clocks)
    }

    fn off(timeline: &Timeline, from: (SystemTime, Instant), second: u64) -> f64 {
        seconds_between(from.0 + Duration::from_secs(second), timeline.time_of(second * u64::from(RATE)))
    }

    #[test]
    fn frames_that_come_late_are_not_captured_late() {
        let (mut timeline, clocks) = start();
        for second in 1..100 {
            // A disk stood still for eight seconds.
            let late = if (50..58).contains(&second) { 58.0 - second as f64 } else { (second % 3) as f64 / 10.0 };
            assert_ne!(run(&mut timeline, clocks, second, 0.0, late), Seen::Set, "{second}");
            assert!(off(&timeline, clocks, second).abs() < 0.11, "{second}");
        }
    }

    #[test]
    fn a_device_that_is_too_fast_does_not_leave_the_wall_clock() {
        let (mut timeline, clocks) = start();
        for second in 1..10_000 {
            // Half a percent.
            run(&mut timeline, clocks, second, 0.0, -0.005 * second as f64);
            assert!(off(&timeline, clocks, second) + 0.005 * (second as f64) < 0.06, "{second}");
        }
    }

    #[test]
    fn a_clock_that_is_set_counts_at_once_and_exactly() {
        for step in [3_600.0, -3_600.0] {
            let (mut timeline, clocks) = start();
            assert_eq!(run(&mut timeline, clocks, 5, 0.0, 0.1), Seen::Steady);
            assert_eq!(run(&mut timeline, clocks, 6, step, 0.1), Seen::Set);
            assert!((off(&timeline, clocks, 6) - step).abs() < 1e-6);
            assert_eq!(run(&mut timeline, clocks, 7, step, 0.1), Seen::Steady);
        }
    }

    #[test]
    fn a_pause_is_time_that_passed() {
        let (mut timeline, clocks) = start();
        timeline.skip(Duration::from_secs(60));
        assert!((off(&timeline, clocks, 5) - 60.0).abs() < 1e-9);
        assert_eq!(timeline.time_of(0), clocks.0 + Duration::from_secs(60));
    }
}
