//! How the level moves on the screen: up at once, down slowly, the highest peak held for a while. Pure.

use std::time::Duration;

use dictaphone::audio::Level;

/// How fast the bar falls, in dB a second: that of a peak programme meter (IEC 60268-10, type I: 20 dB in 1.7 s).
const FALL_DB_PER_SECOND: f64 = 20.0 / 1.7;
/// How long the highest peak stays marked.
const PEAK_SHOWN: Duration = Duration::from_millis(1_500);
/// How long clipping stays marked.
const CLIP_SHOWN: Duration = Duration::from_secs(3);
/// Below this the bar is empty, in dBFS.
pub(crate) const FLOOR_DBFS: f64 = -60.0;

/// What the meter shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Meter {
    /// The bar, in dBFS.
    pub(crate) bar_dbfs: f64,
    /// The highest peak of the last moments, in dBFS.
    pub(crate) hold_dbfs: f64,
    held_at: Duration,
    clipped_at: Option<Duration>,
    /// Samples that clipped since the last [`reset`](Self::reset).
    pub(crate) clipped: u64,
    moved_at: Duration,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            bar_dbfs: f64::NEG_INFINITY,
            hold_dbfs: f64::NEG_INFINITY,
            held_at: Duration::ZERO,
            clipped_at: None,
            clipped: 0,
            moved_at: Duration::ZERO,
        }
    }
}

impl Meter {
    /// Shows a level that was measured until `now`.
    pub(crate) fn show(&mut self, level: &Level, now: Duration) {
        let peak = level.peak.value();
        let fallen = self.bar_dbfs - FALL_DB_PER_SECOND * now.saturating_sub(self.moved_at).as_secs_f64();
        let fallen = if fallen < FLOOR_DBFS { f64::NEG_INFINITY } else { fallen };
        self.bar_dbfs = peak.max(fallen);
        self.moved_at = now;
        if peak >= self.hold_dbfs || now.saturating_sub(self.held_at) > PEAK_SHOWN {
            (self.hold_dbfs, self.held_at) = (peak, now);
        }
        if level.clipped > 0 {
            self.clipped = self.clipped.saturating_add(level.clipped);
            self.clipped_at = Some(now);
        }
    }

    /// Whether something clipped a moment ago.
    pub(crate) fn is_clipping(&self, now: Duration) -> bool {
        self.clipped_at.is_some_and(|at| now.saturating_sub(at) < CLIP_SHOWN)
    }

    /// Clears the level at once: there is no input any more. What clipped belongs to the recording.
    pub(crate) fn fall_silent(&mut self) {
        (self.bar_dbfs, self.hold_dbfs) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    }

    /// Resets the count of clipped samples: a recording begins.
    pub(crate) fn reset(&mut self) {
        (self.clipped, self.clipped_at) = (0, None);
    }
}

#[cfg(test)]
mod tests {
    use dictaphone::audio::LevelMeter;

    use super::*;

    fn level(sample: f32) -> Level {
        let mut meter = LevelMeter::new();
        meter.push(&[sample]);
        meter.take()
    }

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_bar_rises_at_once_and_falls_20_db_in_1_7_s() {
        let mut meter = Meter::default();
        meter.show(&level(0.5), millis(100));
        assert!((meter.bar_dbfs + 6.02).abs() < 0.01);
        meter.show(&level(0.0), millis(1_800));
        assert!((meter.bar_dbfs + 26.02).abs() < 0.01, "{}", meter.bar_dbfs);
        meter.show(&level(0.0), millis(9_000));
        assert_eq!(meter.bar_dbfs, f64::NEG_INFINITY);
    }

    #[test]
    fn a_peak_is_held_and_then_gives_way() {
        let mut meter = Meter::default();
        meter.show(&level(0.5), millis(0));
        meter.show(&level(0.1), millis(1_500));
        assert!((meter.hold_dbfs + 6.02).abs() < 0.01);
        meter.show(&level(0.1), millis(1_501));
        assert!((meter.hold_dbfs + 20.0).abs() < 0.01);
    }

    #[test]
    fn clipping_is_counted_and_marked_for_three_seconds() {
        let mut meter = Meter::default();
        meter.show(&level(1.0), millis(10));
        meter.show(&level(-1.0), millis(20));
        assert_eq!(
            (meter.clipped, meter.is_clipping(millis(3_019)), meter.is_clipping(millis(3_020))),
            (2, true, false)
        );
        meter.reset();
        assert_eq!((meter.clipped, meter.is_clipping(millis(21))), (0, false));
    }
}
