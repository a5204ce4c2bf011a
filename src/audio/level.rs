//! How loud samples are: decibels, a meter of peak and mean level, and gain.
//!
//! It draws nothing and holds no peak for a screen; loudness as people hear it (LUFS) is measured elsewhere. Pure
//! arithmetic without allocation, for any thread.

use std::fmt;

/// A level in decibels relative to full scale (1.0); silence is minus infinity.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Dbfs(f64);

impl Dbfs {
    /// The level of digital silence.
    pub const SILENCE: Self = Self(f64::NEG_INFINITY);

    /// The level of a linear `amplitude`, whose sign does not matter; zero and NaN are silence.
    #[must_use]
    pub fn from_amplitude(amplitude: f64) -> Self {
        if amplitude.is_nan() { Self::SILENCE } else { Self(20.0 * amplitude.abs().log10()) }
    }

    /// The decibels, minus infinity for silence; never NaN.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }

    /// The decibels for machine output, which has no infinity: `None` (null in JSON) for silence.
    #[must_use]
    pub fn finite(self) -> Option<f64> {
        Some(self.0).filter(|value| value.is_finite())
    }
}

impl Default for Dbfs {
    fn default() -> Self {
        Self::SILENCE
    }
}

impl fmt::Display for Dbfs {
    /// With one decimal unless a precision is given, right-aligned in a given width: `-12.3`, `0.0`, `-inf`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.*}", f.precision().unwrap_or(1), self.0);
        // A level just below full scale would otherwise read "-0.0".
        let is_zero = text.starts_with('-') && text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
        let text = if is_zero { text.trim_start_matches('-') } else { &text };
        write!(f, "{text:>width$}", width = f.width().unwrap_or(0))
    }
}

/// What a [`LevelMeter`] measured since it was last read.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Level {
    /// The largest absolute sample.
    pub peak: Dbfs,
    /// The root of the mean square: 0 for a full-scale square wave, -3.01 for a full-scale sine.
    pub rms: Dbfs,
    /// Samples at or beyond full scale, see [`LevelMeter::CLIPPED`].
    pub clipped: u64,
    /// Samples measured, all channels together.
    pub samples: u64,
}

/// How many sums or comparisons are made side by side: additions of floats may not be reordered, and each would wait for
/// the one before it.
pub(crate) const LANES: usize = 8;

/// Accumulates the [`Level`] of any number of blocks, all channels together.
///
/// ```
/// use dictaphone::audio::LevelMeter;
///
/// let mut meter = LevelMeter::new();
/// meter.push(&[0.5, -0.5, 1.0]);
/// assert_eq!(meter.take().clipped, 1);
/// ```
#[derive(Debug, Clone, Default)]
pub struct LevelMeter {
    peaks: [f32; LANES],
    squares: [f64; LANES],
    clipped: u64,
    samples: u64,
}

impl LevelMeter {
    /// The absolute value from which on a sample counts as clipped: 1 - 2^-15.
    ///
    /// It is the largest sample that a 16-bit device can deliver, 32767 of 32768. Such a device never reaches +1.0,
    /// however hard it is overdriven, so that a limit of 1.0 would detect only the negative half of its clipping.
    pub const CLIPPED: f32 = 1.0 - 1.0 / 32_768.0;

    /// A meter that has measured nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `samples`, interleaved or not. NaN counts as silence.
    pub fn push(&mut self, samples: &[f32]) {
        // Fewer than 2^32 a chunk, so that the count within it needs no wide integers.
        for chunk in samples.chunks(1 << 16) {
            let (lanes, rest) = chunk.as_chunks::<LANES>();
            let mut clipped = [0_u32; LANES];
            for samples in lanes {
                self.push_lanes(samples, &mut clipped);
            }
            let mut last = [0.0; LANES];
            for (slot, &sample) in last.iter_mut().zip(rest) {
                *slot = sample;
            }
            self.push_lanes(&last, &mut clipped);
            self.clipped += clipped.into_iter().map(u64::from).sum::<u64>();
        }
        self.samples += samples.len() as u64;
    }

    #[inline]
    fn push_lanes(&mut self, samples: &[f32; LANES], clipped: &mut [u32; LANES]) {
        for (((&sample, peak), square), clipped) in
            samples.iter().zip(&mut self.peaks).zip(&mut self.squares).zip(clipped)
        {
            let amplitude = if sample.is_nan() { 0.0 } else { sample.abs() };
            *peak = if amplitude > *peak { amplitude } else { *peak };
            *square += f64::from(amplitude) * f64::from(amplitude);
            *clipped = clipped.wrapping_add(u32::from(amplitude >= Self::CLIPPED));
        }
    }

    /// The level of everything since the last call, and a fresh start. Without samples: silence.
    pub fn take(&mut self) -> Level {
        let meter = std::mem::take(self);
        let mean = meter.squares.iter().sum::<f64>() / meter.samples.max(1) as f64;
        Level {
            peak: Dbfs::from_amplitude(meter.peaks.into_iter().fold(0.0, f32::max).into()),
            rms: Dbfs::from_amplitude(mean.sqrt()),
            clipped: meter.clipped,
            samples: meter.samples,
        }
    }
}

/// The linear factor of a gain of `db` decibels, at most `f32::MAX`; 1 for NaN, 0 for minus infinity.
#[must_use]
pub fn db_to_factor(db: f64) -> f32 {
    // An infinite factor would turn silence into NaN.
    if db.is_nan() { 1.0 } else { 10_f64.powf(db / 20.0).min(f32::MAX.into()) as f32 }
}

/// Multiplies every sample by `factor`. Nothing is limited: what exceeds full scale saturates when it is encoded. A
/// factor of 1 leaves every bit as it is.
pub fn apply_gain(samples: &mut [f32], factor: f32) {
    if factor != 1.0 {
        for sample in samples {
            *sample *= factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn level_of(samples: &[f32]) -> Level {
        let mut meter = LevelMeter::new();
        meter.push(samples);
        meter.take()
    }

    #[test]
    fn levels_print_with_one_decimal_and_no_negative_zero() {
        for (db, text) in
            [(-12.34, "-12.3"), (-0.04, "0.0"), (-0.05001, "-0.1"), (3.0, "3.0"), (f64::NEG_INFINITY, "-inf")]
        {
            assert_eq!(Dbfs(db).to_string(), text);
        }
        assert_eq!(format!("{:7}|{:.2}", Dbfs(-6.0206), Dbfs(-6.0206)), "   -6.0|-6.02");
    }

    #[test]
    fn silence_is_minus_infinity_and_null_for_machines() {
        for amplitude in [0.0, -0.0, f64::NAN] {
            let level = Dbfs::from_amplitude(amplitude);
            assert_eq!((level, level.finite(), level.value()), (Dbfs::SILENCE, None, f64::NEG_INFINITY));
        }
        assert_eq!(Dbfs::from_amplitude(-1.0).finite(), Some(0.0));
        assert_eq!(LevelMeter::new().take(), Level::default());
        assert_eq!(level_of(&[0.0; 5]), Level { samples: 5, ..Level::default() });
    }

    #[test]
    fn a_sine_peaks_three_decibels_above_its_mean() {
        let sine: Vec<f32> =
            (0..48_000).map(|i| (f64::from(i) * std::f64::consts::TAU / 48.0).sin() as f32 / 2.0).collect();
        let level = level_of(&sine);
        assert!((level.peak.value() + 6.0206).abs() < 1e-3, "{level:?}");
        assert!((level.rms.value() + 9.0309).abs() < 1e-3, "{level:?}");
        assert_eq!((level.clipped, level.samples), (0, 48_000));
    }

    #[test]
    fn full_scale_of_16_bits_is_clipped_on_both_sides_and_one_step_below_is_not() {
        let clipped = [32_767.0, -32_767.0, -32_768.0, 40_000.0].map(|step: f32| step / 32_768.0);
        assert_eq!(level_of(&clipped).clipped, 4);
        assert_eq!(level_of(&[32_766.0, -32_766.0].map(|step: f32| step / 32_768.0)).clipped, 0);
        assert_eq!(level_of(&vec![f32::INFINITY; 200_003]).clipped, 200_003);
    }

    #[test]
    fn nan_counts_as_silence() {
        assert_eq!(level_of(&[f32::NAN, 0.5, f32::NAN, 0.5]).peak, Dbfs::from_amplitude(0.5));
        assert_eq!(level_of(&[f32::NAN, 0.5]).rms, level_of(&[0.0, 0.5]).rms);
    }

    #[test]
    fn gain_in_decibels_is_a_factor() {
        for (db, factor) in
            [(0.0, 1.0), (20.0, 10.0), (-40.0, 0.01), (f64::NEG_INFINITY, 0.0), (1e9, f32::MAX), (f64::NAN, 1.0)]
        {
            assert_eq!(db_to_factor(db), factor, "{db} dB");
        }
        let mut samples = [0.5, -0.25, 0.0];
        apply_gain(&mut samples, db_to_factor(20.0));
        assert_eq!(samples, [5.0, -2.5, 0.0]);
    }

    proptest! {
        #[test]
        fn the_level_does_not_depend_on_the_blocks(samples in prop::collection::vec(-1.2_f32..1.2, 0..300), cut in 0_usize..300) {
            let (head, tail) = samples.split_at(cut.min(samples.len()));
            let mut meter = LevelMeter::new();
            meter.push(head);
            meter.push(tail);
            let (parts, whole) = (meter.take(), level_of(&samples));
            prop_assert_eq!((parts.peak, parts.clipped, parts.samples), (whole.peak, whole.clipped, whole.samples));
            prop_assert!(samples.is_empty() || (parts.rms.value() - whole.rms.value()).abs() < 1e-9);
            let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
            prop_assert_eq!(whole.peak, Dbfs::from_amplitude(peak.into()));
            prop_assert_eq!(whole.clipped, samples.iter().filter(|sample| sample.abs() >= LevelMeter::CLIPPED).count() as u64);
            prop_assert_eq!(meter.take(), Level::default());
        }

        #[test]
        fn a_factor_reads_back_as_decibels(db in -90.0..90.0) {
            prop_assert!((Dbfs::from_amplitude(db_to_factor(db).into()).value() - db).abs() < 1e-5);
        }
    }
}
