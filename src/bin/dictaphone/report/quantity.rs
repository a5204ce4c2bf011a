//! Lengths and sizes as people read them in a list. Pure.

use std::time::Duration;

/// `00:42:10`, cut to the second.
pub(crate) fn length(seconds: f64) -> String {
    // The cast saturates.
    let seconds = seconds as u64;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// `5 s`, `0.4 s`, `1 min 30 s`: a length within a sentence, tenths only of a few seconds.
pub(crate) fn span(length: Duration) -> String {
    match (length.as_secs(), length.subsec_millis() / 100) {
        (seconds @ 0..10, tenths @ 1..) => format!("{seconds}.{tenths} s"),
        (seconds @ 0..60, _) => format!("{seconds} s"),
        (seconds, _) if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        (seconds, _) => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// `1.6×`, with a second digit only where it is not zero; `x` where the terminal has no such sign.
pub(crate) fn times(factor: f64, unicode: bool) -> String {
    let digits = format!("{factor:.2}");
    let digits = digits.strip_suffix('0').unwrap_or(&digits);
    format!("{digits}{}", if unicode { '×' } else { 'x' })
}

/// `999 B`, `1.5 kB`, `24 MB`: powers of a thousand, two digits at least.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    for unit in UNITS {
        if value < 9.95 {
            return format!("{value:.1} {unit}");
        }
        if value < 999.5 {
            return format!("{value:.0} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.0} ZB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_have_as_many_digits_as_say_something() {
        for (factor, text) in [(1.6, "1.6×"), (0.5, "0.5×"), (1.25, "1.25×"), (3.0, "3.0×")] {
            assert_eq!(times(factor, true), text);
        }
        assert_eq!(times(1.1, false), "1.1x");
    }

    #[test]
    fn spans_are_as_exact_as_one_would_say_them() {
        for (millis, text) in [
            (0, "0 s"),
            (40, "0 s"),
            (450, "0.4 s"),
            (5_000, "5 s"),
            (12_900, "12 s"),
            (60_000, "1 min"),
            (90_000, "1 min 30 s"),
        ] {
            assert_eq!(span(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn lengths_are_cut_and_never_wrap() {
        for (seconds, text) in
            [(0.0, "00:00:00"), (59.999, "00:00:59"), (3_661.0, "01:01:01"), (400_000.0, "111:06:40")]
        {
            assert_eq!(length(seconds), text);
        }
    }

    #[test]
    fn sizes_have_a_unit_and_at_least_two_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (9_950, "10 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (24_000_000, "24 MB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
