//! Lengths of time as people write them: `90`, `1m30s`, `1:30.5`.
//!
//! Pure. Rounding to frames belongs to `dictaphone::audio::time`; here a length is exact to the nanosecond.

use std::time::Duration;

use crate::message::WrongValue;

/// What a message shows when a length could not be read.
const EXAMPLES: &str = "write it as `90`, `1m30s`, `1.5h` or `00:01:30`";

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// The longest length that is taken: 100 000 hours, more than eleven years.
const NANOS_MAX: u128 = 100_000 * 3600 * NANOS_PER_SECOND;

/// The units, longest first, with their length in nanoseconds.
const UNITS: [(&str, u128); 6] = [
    ("d", 24 * 3600 * NANOS_PER_SECOND),
    ("h", 3600 * NANOS_PER_SECOND),
    ("min", 60 * NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("s", NANOS_PER_SECOND),
    ("ms", NANOS_PER_SECOND / 1000),
];

/// Reads a length: plain seconds (`90`, `0.5`), units from the longest to the shortest (`1h30m`, `1.5h`, `250ms`), or
/// a clock (`m:s`, `h:m:s`, the seconds with a fraction).
///
/// # Errors
/// One line that says what is wrong and how it is written.
pub(crate) fn parse(text: &str) -> Result<Duration, WrongValue> {
    match nanos(text)? {
        0 => Err(WrongValue::new("a length of zero records nothing", EXAMPLES)),
        nanos @ 1..=NANOS_MAX => Ok(duration(nanos)),
        _ => Err(WrongValue::new("longer than 100000 hours", "leave the length out to record until stopped")),
    }
}

/// Reads a place in a recording: written as a length, and zero is the start.
///
/// # Errors
/// One line that says what is wrong and how it is written.
pub(crate) fn parse_position(text: &str) -> Result<Duration, WrongValue> {
    match nanos(text)? {
        nanos @ 0..=NANOS_MAX => Ok(duration(nanos)),
        _ => Err("no recording is longer than 100000 hours".into()),
    }
}

fn duration(nanos: u128) -> Duration {
    let seconds = u64::try_from(nanos / NANOS_PER_SECOND).unwrap_or(u64::MAX);
    Duration::new(seconds, u32::try_from(nanos % NANOS_PER_SECOND).unwrap_or(0))
}

fn nanos(text: &str) -> Result<u128, WrongValue> {
    let text = text.trim();
    if text.starts_with('-') {
        return Err(WrongValue::new("a length cannot be negative", EXAMPLES));
    }
    if text.contains(':') { clock(text) } else { plain(text).map_or_else(|| units(text), Ok) }
}

fn garbled() -> WrongValue {
    WrongValue::new("not a length of time", EXAMPLES)
}

fn plain(text: &str) -> Option<u128> {
    decimal(text, NANOS_PER_SECOND)
}

/// `[h:]m:s[.fraction]`. Only the first field may go past 59, as a clock never shows 75 seconds.
fn clock(text: &str) -> Result<u128, WrongValue> {
    let mut fields = text.rsplit(':');
    let seconds = fields.next().and_then(|field| decimal(field, NANOS_PER_SECOND)).ok_or_else(garbled)?;
    let mut total = seconds;
    let mut shorter = (seconds, "seconds");
    for (unit, name) in [(60 * NANOS_PER_SECOND, "minutes"), (3600 * NANOS_PER_SECOND, "hours")] {
        let Some(field) = fields.next() else { break };
        if shorter.0 >= unit {
            return Err(WrongValue::new(format!("{} go up to 59 in a clock time", shorter.1), EXAMPLES));
        }
        let count = whole(field).ok_or_else(garbled)?;
        let nanos = count.saturating_mul(unit);
        total = total.saturating_add(nanos);
        shorter = (nanos, name);
    }
    if fields.next().is_some() {
        return Err(WrongValue::new("a clock time has at most hours, minutes and seconds", EXAMPLES));
    }
    Ok(total)
}

/// `1h30m`, `1.5h`, `90 s`: every unit at most once, from long to short.
fn units(text: &str) -> Result<u128, WrongValue> {
    if text.is_empty() {
        return Err(garbled());
    }
    let mut rest = text;
    let mut total = 0_u128;
    let mut shortest = u128::MAX;
    while !rest.is_empty() {
        let (number, after) = split_at(rest, |c| !(c.is_ascii_digit() || c == '.'));
        let (unit, next) = split_at(after.trim_start(), |c| !c.is_ascii_alphabetic());
        let (_, length) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(garbled)?;
        if length >= shortest {
            return Err(WrongValue::new("units go from hours down to milliseconds, each once", EXAMPLES));
        }
        shortest = length;
        total = total.saturating_add(decimal(number, length).ok_or_else(garbled)?);
        rest = next.trim_start();
    }
    Ok(total)
}

fn split_at(text: &str, end: impl Fn(char) -> bool) -> (&str, &str) {
    text.find(end).and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""))
}

fn whole(text: &str) -> Option<u128> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // More digits than any accepted length has; the caller then finds the sum too long.
    Some(text.parse().unwrap_or(u128::MAX))
}

/// `digits[.digits]` times `unit` nanoseconds, cut to whole nanoseconds; `None` if it is not a number, saturating if it
/// is too large.
fn decimal(text: &str, unit: u128) -> Option<u128> {
    if text.is_empty() {
        return None;
    }
    let (integer, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let integer = if integer.is_empty() { 0 } else { whole(integer)? };
    whole(fraction)?;
    let mut nanos = integer.saturating_mul(unit);
    let mut place = unit;
    for digit in fraction.bytes().map(|b| u128::from(b.saturating_sub(b'0'))) {
        // Each unit is a multiple of 10^6 ns, so nothing is cut before the sixth decimal.
        nanos = nanos.saturating_add(place * digit / 10);
        place /= 10;
    }
    Some(nanos)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_are_read_in_every_form() {
        for (text, nanos) in [
            ("90", 90_000_000_000),
            ("90s", 90_000_000_000),
            ("0.5", 500_000_000),
            (".5", 500_000_000),
            ("1m30s", 90_000_000_000),
            ("1m 30s", 90_000_000_000),
            ("1 min", 60_000_000_000),
            ("2min5s", 125_000_000_000),
            ("00:01:30", 90_000_000_000),
            ("1:30.5", 90_500_000_000),
            ("90:00", 5_400_000_000_000),
            ("100:00:00.001", 360_000_001_000_000),
            ("250ms", 250_000_000),
            ("1s500ms", 1_500_000_000),
            ("1.5h", 5_400_000_000_000),
            ("1h0.5m", 3_630_000_000_000),
            ("0.000000001", 1),
            (" 3 ", 3_000_000_000),
            ("100000h", 360_000_000_000_000_000),
        ] {
            assert_eq!(parse(text).map(|d| d.as_nanos()), Ok(nanos), "{text}");
        }
    }

    #[test]
    fn a_bad_length_gets_one_line_that_says_what_is_wrong() {
        for (text, word) in [
            ("", "not a length"),
            (".", "not a length"),
            ("1.", "not a length"),
            ("abc", "not a length"),
            ("1,5", "not a length"),
            ("1e3", "not a length"),
            ("+5", "not a length"),
            ("5x", "not a length"),
            ("s", "not a length"),
            ("1h30", "not a length"),
            (":30", "not a length"),
            ("1:", "not a length"),
            ("1.5:00", "not a length"),
            ("1:2m", "not a length"),
            ("٣", "not a length"),
            ("-5", "negative"),
            ("-1:00", "negative"),
            ("0", "zero"),
            ("0:00", "zero"),
            ("0ms", "zero"),
            ("0.0000000001", "zero"),
            ("30s1m", "from hours down"),
            ("1m1min", "from hours down"),
            ("0:75", "seconds go up to 59"),
            ("1:75:00", "minutes go up to 59"),
            ("1:00:00:00", "at most hours"),
            ("100001h", "longer than"),
            ("99999999999999999999999999999999999999999999", "longer than"),
            ("99999999999999999999999999999999999999999999:00", "longer than"),
            ("99999999999999999999999999999999999999999999h1m", "longer than"),
        ] {
            let message = parse(text).unwrap_err().whole();
            assert!(message.contains(word), "{text:?} gave {message:?}");
            assert!(!message.contains('\n'), "{text:?}");
        }
    }

    #[test]
    fn a_position_may_be_the_start() {
        assert_eq!(parse_position("0"), Ok(Duration::ZERO));
        assert_eq!(parse_position("1:30"), Ok(Duration::from_secs(90)));
        assert!(parse_position("-1").unwrap_err().whole().contains("negative"));
        assert!(parse_position("100001h").unwrap_err().whole().contains("longer"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,24}") {
            let _ = parse(&text);
        }

        #[test]
        fn garbled_numbers_are_read_or_refused(text in "[0-9.:hms -]{0,40}") {
            if let Ok(length) = parse(&text) {
                prop_assert!(length > Duration::ZERO && length.as_nanos() <= NANOS_MAX);
            }
        }

        #[test]
        fn all_forms_of_one_length_agree(millis in 1_u64..100_000 * 3_600_000) {
            let expected = Ok(Duration::from_millis(millis));
            let (s, ms) = (millis / 1000, millis % 1000);
            prop_assert_eq!(parse(&format!("{s}.{ms:03}")), expected.clone());
            prop_assert_eq!(parse(&format!("{millis}ms")), expected.clone());
            prop_assert_eq!(parse(&format!("{}:{:02}:{:02}.{ms:03}", s / 3600, s / 60 % 60, s % 60)), expected.clone());
            prop_assert_eq!(parse(&format!("{}m{}s{ms}ms", s / 60, s % 60)), expected);
        }
    }
}
