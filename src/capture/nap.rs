//! Sleeps between two polls of what has come. On average they are as long as they are meant to be, and never the same
//! twice in a row: what comes in blocks would otherwise be found at the same age for minutes, and then suddenly at
//! another one, which looks like a loss. Pure; each capture thread has its own.

use std::time::Duration;

/// How far from the requested length, as a part of it.
const LENGTH_ERROR_MAX: f64 = 0.2;
/// The golden section spreads a sequence most evenly.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// A sequence of lengths.
#[derive(Debug, Default)]
pub(super) struct Naps {
    phase: f64,
}

impl Naps {
    /// The next length, about `wanted`.
    pub(super) fn next(&mut self, wanted: Duration) -> Duration {
        self.phase = (self.phase + GOLDEN).fract();
        wanted.mul_f64(1.0 + LENGTH_ERROR_MAX * (2.0 * self.phase - 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn naps_differ_and_are_as_long_as_wanted_on_average() {
        let (mut naps, wanted) = (Naps::default(), Duration::from_millis(250));
        let lengths: Vec<Duration> = (0..100).map(|_| naps.next(wanted)).collect();
        assert!(lengths.windows(2).all(|pair| pair[0].abs_diff(pair[1]) > wanted / 20), "{lengths:?}");
        let mean = lengths.iter().sum::<Duration>() / 100;
        assert!(mean.abs_diff(wanted) < wanted / 50, "{mean:?}");
        assert_eq!(naps.next(Duration::ZERO), Duration::ZERO);
    }
}
