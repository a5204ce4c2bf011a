//! Detects that the machine slept while a microphone was open. Pure but for reading the clocks; the pump calls it
//! whenever frames have come.
//!
//! The monotonic clock, by which everything else here is measured, stands still meanwhile, so that nothing counts as
//! lost: a night's sleep is not a night of silence in the file. The user is warned where it is missing.

use std::time::Duration;

/// The clocks are read one after the other, and a thread may be held up between them. No machine sleeps for less than
/// this.
const SLEEP_MIN: Duration = Duration::from_secs(1);

/// Compares the clock that goes on through the sleep of the machine with the one that does not.
#[derive(Debug, Default)]
pub(crate) struct SleepWatch {
    /// By how much the first is ahead.
    ahead: Option<Duration>,
}

impl SleepWatch {
    /// How long the machine has slept since the last call, if it has.
    pub(crate) fn look(&mut self) -> Option<Duration> {
        let (awake, since_boot) = clocks()?;
        self.compare(awake, since_boot)
    }

    fn compare(&mut self, awake: Duration, since_boot: Duration) -> Option<Duration> {
        let ahead = since_boot.saturating_sub(awake);
        let before = *self.ahead.get_or_insert(ahead);
        let slept = ahead.checked_sub(before).filter(|slept| *slept >= SLEEP_MIN)?;
        self.ahead = Some(ahead);
        Some(slept)
    }
}

/// The time that the machine was awake since it was started, and the time since then.
#[cfg(target_os = "linux")]
fn clocks() -> Option<(Duration, Duration)> {
    use rustix::time::{ClockId, clock_gettime};
    // In this order a delay between the two makes the machine seem to have slept, never the other way round.
    let awake = Duration::try_from(clock_gettime(ClockId::Monotonic)).ok()?;
    let since_boot = Duration::try_from(clock_gettime(ClockId::Boottime)).ok()?;
    Some((awake, since_boot))
}

#[cfg(not(target_os = "linux"))]
fn clocks() -> Option<(Duration, Duration)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sleep_is_told_once_and_by_its_length() {
        let mut watch = SleepWatch::default();
        let seconds = Duration::from_secs_f64;
        // This machine slept for 100 s before the first call.
        for (awake, since_boot, told) in [
            (5.0, 105.0, None),
            (6.0, 106.0, None),
            (7.0, 107.9, None),
            (8.0, 108.0, None),
            (9.0, 3_709.0, Some(3_600.0)),
            (10.0, 3_710.0, None),
            (11.0, 3_712.5, Some(1.5)),
            (12.0, 3_713.5, None),
        ] {
            assert_eq!(watch.compare(seconds(awake), seconds(since_boot)), told.map(seconds), "{awake} {since_boot}");
        }
    }

    #[test]
    fn a_clock_that_goes_back_is_no_sleep() {
        let mut watch = SleepWatch::default();
        for (awake, since_boot) in [(50, 60), (51, 40), (52, 62)] {
            assert_eq!(watch.compare(Duration::from_secs(awake), Duration::from_secs(since_boot)), None);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_clocks_of_this_machine_are_read() {
        let (awake, since_boot) = clocks().unwrap();
        assert!(awake <= since_boot);
        assert_eq!(SleepWatch::default().look(), None);
    }
}
