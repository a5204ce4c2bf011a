//! The numbers that `record` accepts, and the messages for those that it refuses. Pure.

use std::time::Duration;

use dictaphone::audio::{ChannelMap, SampleFormat};

use crate::message::{Remedy, WrongValue};

/// Sample rates in hertz: from the lowest at which speech can be understood to the highest of the best converters.
pub(crate) const SAMPLE_RATES: std::ops::RangeInclusive<u32> = 1000..=384_000;

/// Channels in one recording.
pub(crate) const CHANNELS: std::ops::RangeInclusive<u16> = 1..=64;

/// Gain in decibels; beyond it there is only silence or only clipping.
const GAIN_DB: std::ops::RangeInclusive<f64> = -120.0..=120.0;

/// How fast a recording can be played.
pub(crate) const SPEEDS: std::ops::RangeInclusive<f64> = 0.5..=3.0;

/// What one press of a key changes the speed by.
const SPEED_STEP: f64 = 0.1;

/// The next whole step, so that 1.25 and 0.99 come back to even numbers.
pub(crate) fn stepped(speed: f64, direction: f64) -> f64 {
    let steps = speed / SPEED_STEP;
    // A remainder of rounding is not a step.
    let next = if direction > 0.0 { (steps + 1e-6).floor() + 1.0 } else { (steps - 1e-6).ceil() - 1.0 };
    (next / (1.0 / SPEED_STEP)).clamp(*SPEEDS.start(), *SPEEDS.end())
}

/// Reads a speed, with an optional `x` behind it.
///
/// # Errors
/// One line that names the limits.
pub(crate) fn speed(text: &str) -> Result<f64, WrongValue> {
    let number = text.strip_suffix(['x', 'X', '×']).unwrap_or(text).parse::<f64>();
    let speed = number
        .ok()
        .filter(|speed| speed.is_finite())
        .ok_or_else(|| WrongValue::new("not a speed", "write it as `1.5`"))?;
    if !SPEEDS.contains(&speed) {
        return Err(WrongValue::new(
            format!("speeds go from {} to {}", SPEEDS.start(), SPEEDS.end()),
            "1 is as it was recorded",
        ));
    }
    Ok(speed)
}

/// Reads a sample rate in hertz, with an optional `k`.
///
/// # Errors
/// One line that names the limits.
pub(crate) fn sample_rate(text: &str) -> Result<u32, WrongValue> {
    let hertz = match text.strip_suffix(['k', 'K']) {
        Some(kilohertz) => kilohertz.parse::<f64>().ok().map(|k| k * 1000.0),
        None => text.parse::<f64>().ok(),
    };
    let hertz = hertz
        .filter(|hz| hz.is_finite())
        .ok_or_else(|| WrongValue::new("not a sample rate", "write it as `48000` or `44.1k`"))?;
    let (low, high) = (*SAMPLE_RATES.start(), *SAMPLE_RATES.end());
    if !(f64::from(low)..=f64::from(high)).contains(&hertz) {
        return Err(WrongValue::new(
            format!("sample rates go from {low} to {high} Hz"),
            "speech needs 16000, music 48000",
        ));
    }
    if (hertz - hertz.round()).abs() > 1e-6 {
        return Err("a sample rate is a whole number of hertz".into());
    }
    // Within the limits above, so nothing is cut.
    Ok(hertz.round() as u32)
}

/// Reads a channel count.
///
/// # Errors
/// One line that names the limits.
pub(crate) fn channels(text: &str) -> Result<u16, WrongValue> {
    let (low, high) = (*CHANNELS.start(), *CHANNELS.end());
    match text.parse::<i128>() {
        Ok(count) => u16::try_from(count).ok().filter(|count| CHANNELS.contains(count)).ok_or_else(|| {
            WrongValue::new(format!("from {low} to {high} channels can be recorded"), "1 is mono, 2 is stereo")
        }),
        Err(_) => Err(WrongValue::new("not a channel count", "1 is mono, 2 is stereo")),
    }
}

/// Reads which channels are kept.
///
/// # Errors
/// One line that says how it is written.
pub(crate) fn channel_map(text: &str) -> Result<ChannelMap, WrongValue> {
    text.parse().map_err(|error: dictaphone::Error| {
        WrongValue::new(error.to_string(), "the first is `1`; write it as `3`, `1,4`, `left` or `1+2`")
    })
}

/// Reads a sample format.
///
/// # Errors
/// One line that names the formats.
pub(crate) fn sample_format(text: &str) -> Result<SampleFormat, WrongValue> {
    text.to_ascii_lowercase().parse().map_err(|_| {
        let names: Vec<&str> = SampleFormat::ALL.iter().map(|format| format.name()).collect();
        WrongValue::new("not a sample format", format!("there are {}", names.join(", ")))
    })
}

/// Reads a bit rate in kilobits a second, with an optional `k`; what a format can do is decided with the format.
///
/// # Errors
/// One line that says how it is written.
pub(crate) fn kilobits(text: &str) -> Result<u32, WrongValue> {
    let number = text.strip_suffix(['k', 'K']).unwrap_or(text).parse::<u32>();
    number.map_err(|_| WrongValue::new("not a bit rate", "write kilobits a second as `24` or `64`"))
}

/// Reads a gain in decibels.
///
/// # Errors
/// One line that names the limits.
pub(crate) fn gain_db(text: &str) -> Result<f64, WrongValue> {
    let number = text.strip_suffix("dB").or_else(|| text.strip_suffix("db")).unwrap_or(text).trim_end();
    let gain: f64 =
        number.parse().map_err(|_| WrongValue::new("not a number of decibels", "write it as `6` or `-3.5`"))?;
    if GAIN_DB.contains(&gain) {
        Ok(gain)
    } else {
        Err(WrongValue::new(
            format!("gain goes from {} to {} dB", GAIN_DB.start(), GAIN_DB.end()),
            "6 dB is twice as loud a signal",
        ))
    }
}

/// The loudness that a clip can be given, in LUFS: above the gate of the measurement, and below the point at which all
/// is distortion.
const LOUDNESS_LUFS: std::ops::RangeInclusive<f64> = -60.0..=-5.0;

/// Reads a loudness.
///
/// # Errors
/// One line that names the limits.
pub(crate) fn loudness_lufs(text: &str) -> Result<f64, WrongValue> {
    let number = text.to_ascii_uppercase();
    let number = number.strip_suffix("LUFS").unwrap_or(&number).trim_end();
    let wrong = || WrongValue::new("not a loudness in LUFS", "write it as `-16` or `-23`");
    let loudness: f64 = number.parse().map_err(|_| wrong())?;
    if LOUDNESS_LUFS.contains(&loudness) {
        Ok(loudness)
    } else {
        let (least, most) = (LOUDNESS_LUFS.start(), LOUDNESS_LUFS.end());
        Err(WrongValue::new(
            format!("loudness goes from {least} to {most} LUFS"),
            "speech is at -16, broadcasts are at -23",
        ))
    }
}

/// Thresholds in dBFS; below there is only the floor of a converter, and nothing is above full scale.
const THRESHOLDS_DBFS: std::ops::RangeInclusive<f64> = -100.0..=0.0;

/// Reads a level that opens a gate, in dBFS.
///
/// # Errors
/// One line that names the limits.
pub(crate) fn threshold_dbfs(text: &str) -> Result<f32, WrongValue> {
    let number = ["dBFS", "dbfs", "dB", "db"].iter().find_map(|unit| text.strip_suffix(unit)).unwrap_or(text);
    let level: f64 = number.trim_end().parse().map_err(|_| WrongValue::new("not a level", "write dBFS as `-40`"))?;
    if THRESHOLDS_DBFS.contains(&level) {
        Ok(level as f32)
    } else {
        let (low, high) = (THRESHOLDS_DBFS.start(), THRESHOLDS_DBFS.end());
        Err(WrongValue::new(
            format!("thresholds go from {low} to {high} dBFS"),
            Remedy::Command("`dictaphone levels` finds one".to_owned()),
        ))
    }
}

/// The longest pre-roll: it is kept in memory, which ten minutes of 48 kHz stereo take 230 MB of.
const LONGEST_PRE_ROLL: Duration = Duration::from_secs(600);

/// Reads how much is kept in memory; zero is nothing.
///
/// # Errors
/// One line that names the limit.
pub(crate) fn pre_roll(text: &str) -> Result<Duration, WrongValue> {
    match super::duration::parse_position(text)? {
        length if length <= LONGEST_PRE_ROLL => Ok(length),
        _ => Err("at most ten minutes can be kept in memory".into()),
    }
}

/// How long a recording can go on after the command to stop.
const LONGEST_TAIL: Duration = Duration::from_secs(3_600);

/// Reads how long a recording goes on before it stops.
///
/// # Errors
/// One line that names the limit.
pub(crate) fn tail(text: &str) -> Result<Duration, WrongValue> {
    match super::duration::parse_position(text)? {
        length if length <= LONGEST_TAIL => Ok(length),
        _ => Err("at most an hour is waited for the stop".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_read_within_their_limits() {
        for (text, expected) in [("1", 1.0), ("0.5", 0.5), ("3x", 3.0), ("1.25×", 1.25)] {
            assert_eq!(speed(text), Ok(expected), "{text}");
        }
        for (text, word) in [
            ("", "not a speed"),
            ("fast", "not a speed"),
            ("NaN", "not a speed"),
            ("-1", "go from"),
            ("3.01", "go from"),
            ("inf", "not a speed"),
        ] {
            assert!(speed(text).unwrap_err().whole().contains(word), "{text}");
        }
    }

    #[test]
    fn speeds_go_in_even_steps_and_stay_within_their_limits() {
        for (speed, slower, faster) in
            [(1.0, 0.9, 1.1), (1.25, 1.2, 1.3), (0.5, 0.5, 0.6), (3.0, 2.9, 3.0), (0.99, 0.9, 1.0), (0.7, 0.6, 0.8)]
        {
            assert!((stepped(speed, -1.0) - slower).abs() < 1e-9, "{speed}: {}", stepped(speed, -1.0));
            assert!((stepped(speed, 1.0) - faster).abs() < 1e-9, "{speed}: {}", stepped(speed, 1.0));
        }
        let back = (0..5).fold(1.0, |speed, _| stepped(speed, 1.0));
        // Exactly, because only then frames pass bit for bit again.
        assert_eq!((0..5).fold(back, |speed, _| stepped(speed, -1.0)), 1.0);
    }

    #[test]
    fn sample_rates_are_read_within_their_limits() {
        for (text, rate) in [("48000", 48_000), ("44.1k", 44_100), ("16K", 16_000), ("1000", 1000), ("384000", 384_000)]
        {
            assert_eq!(sample_rate(text), Ok(rate), "{text}");
        }
        for text in ["0", "-48000", "999", "384001", "48000.5", "44.10001k", "nan", "inf", "1e99", "k", "", "48 000"] {
            assert!(sample_rate(text).is_err(), "{text}");
        }
        assert!(sample_rate("0").unwrap_err().whole().contains("16000"));
    }

    #[test]
    fn channels_are_read_within_their_limits() {
        assert_eq!((channels("1"), channels("64")), (Ok(1), Ok(64)));
        for text in ["0", "-1", "65", "65537", "99999999999999999999", "1.5", "two", ""] {
            assert!(channels(text).unwrap_err().whole().contains("mono"), "{text}");
        }
    }

    #[test]
    fn bit_rates_are_whole_kilobits() {
        for (text, expected) in
            [("24", Some(24)), ("64k", Some(64)), ("0", Some(0)), ("-1", None), ("24.5", None), ("", None)]
        {
            assert_eq!(kilobits(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn gain_is_read_within_its_limits() {
        for (text, gain) in [("6", 6.0), ("-3.5", -3.5), ("+3", 3.0), ("0", 0.0), ("6dB", 6.0), ("6 dB", 6.0)] {
            assert_eq!(gain_db(text), Ok(gain), "{text}");
        }
        for text in ["nan", "inf", "-inf", "1000", "loud", ""] {
            assert!(gain_db(text).is_err(), "{text}");
        }
    }

    #[test]
    fn loudness_is_read_within_its_limits() {
        for (text, loudness) in [("-16", -16.0), ("-23.5", -23.5), ("-16LUFS", -16.0), ("-16 lufs", -16.0)] {
            assert_eq!(loudness_lufs(text), Ok(loudness), "{text}");
        }
        for text in ["16", "0", "-90", "nan", "loud", "", "-16dB"] {
            assert!(loudness_lufs(text).is_err(), "{text}");
        }
    }

    #[test]
    fn thresholds_and_pre_rolls_are_read_within_their_limits() {
        for (text, level) in [("-40", -40.0), ("-12.5dB", -12.5), ("-60 dBFS", -60.0), ("0", 0.0)] {
            assert_eq!(threshold_dbfs(text), Ok(level), "{text}");
        }
        for text in ["1", "-101", "nan", "inf", "loud", ""] {
            assert!(threshold_dbfs(text).is_err(), "{text}");
        }
        assert_eq!(pre_roll("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(pre_roll("0"), Ok(Duration::ZERO));
        assert!(pre_roll("11m").unwrap_err().whole().contains("ten minutes"));
        assert_eq!(tail("300ms"), Ok(Duration::from_millis(300)));
        assert!(tail("2h").unwrap_err().whole().contains("an hour"));
    }

    #[test]
    fn an_unknown_sample_format_is_answered_with_the_known_ones() {
        assert_eq!(sample_format("S24"), Ok(SampleFormat::S24));
        assert!(sample_format("s8").unwrap_err().whole().contains("s16, s24, s32, f32"));
    }
}
