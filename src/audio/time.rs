//! Time counted in frames. A frame count is exact; seconds are derived from it for people, never the other way round
//! except once, when a person asks for a length.

use std::time::Duration;

/// Frames in `duration` at `sample_rate` Hz: round(T × rate), halves away from zero, saturating at `u64::MAX`.
///
/// ```
/// use std::time::Duration;
/// use dictaphone::audio::time::frames_in;
///
/// assert_eq!(frames_in(Duration::from_millis(10), 44_100), 441);
/// ```
#[must_use]
pub fn frames_in(duration: Duration, sample_rate: u32) -> u64 {
    const NANOS: u128 = 1_000_000_000;
    let frames = (duration.as_nanos() * u128::from(sample_rate) + NANOS / 2) / NANOS;
    u64::try_from(frames).unwrap_or(u64::MAX)
}

/// The length of `frames` at `sample_rate` Hz, rounded down to the nanosecond. A rate of zero gives zero.
#[must_use]
pub fn duration_of(frames: u64, sample_rate: u32) -> Duration {
    if sample_rate == 0 {
        return Duration::ZERO;
    }
    let rate = u64::from(sample_rate);
    // The remainder is below the rate, so the product stays below 2^32 × 10^9 and the quotient below 10^9.
    let nanos = (frames % rate) * 1_000_000_000 / rate;
    Duration::new(frames / rate, u32::try_from(nanos).unwrap_or(999_999_999))
}

/// The length of `frames` at `sample_rate` Hz in seconds. A rate of zero gives zero.
#[must_use]
pub fn seconds(frames: u64, sample_rate: u32) -> f64 {
    // In one division, so that what is short as a decimal number stays short.
    if sample_rate == 0 { 0.0 } else { frames as f64 / f64::from(sample_rate) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_round_to_the_nearest_frame() {
        for (seconds, rate, frames) in [
            (2.0, 48_000, 96_000),
            (0.5, 1, 1),
            (1.000_01, 48_000, 48_000),
            (1.000_011, 48_000, 48_001),
            (0.1, 44_100, 4_410),
        ] {
            assert_eq!(frames_in(Duration::from_secs_f64(seconds), rate), frames, "{seconds} s at {rate} Hz");
        }
        assert_eq!(frames_in(Duration::MAX, u32::MAX), u64::MAX);
        assert_eq!(duration_of(5, 0), Duration::ZERO);
        assert_eq!((seconds(5, 0), seconds(65_604, 48_000).to_string()), (0.0, "1.36675".to_owned()));
    }

    proptest! {
        #[test]
        fn a_length_in_frames_reads_back(frames in 0..=u64::from(u32::MAX) * 400_000, rate in 1_u32..=768_000) {
            prop_assert_eq!(frames_in(duration_of(frames, rate), rate), frames);
        }
    }
}
