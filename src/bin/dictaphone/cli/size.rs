//! Sizes in bytes as people write them: `100MB`, `1.5GiB`; and what may be a length of time or a size. Pure.

use std::time::Duration;

use super::duration;
use crate::message::WrongValue;

/// What a message shows when a size could not be read.
const EXAMPLES: &str = "write it as `500kB`, `100MB` or `1.5GiB`";

/// The units and their bytes; the ones of one letter only in capitals, because `10m` are ten minutes.
const UNITS: [(&str, f64); 13] = [
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("K", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("B", 1.0),
];

/// The smallest file that makes sense; smaller ones hold less than a second.
pub(crate) const FILE_BYTES_MIN: u64 = 20_000;

/// What can be measured both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// Recorded time.
    Length(Duration),
    /// Bytes of files.
    Bytes(u64),
}

/// Reads a size, with its unit.
///
/// # Errors
/// One line that says how it is written.
pub(crate) fn parse(text: &str) -> Result<u64, WrongValue> {
    match bytes(text.trim()) {
        None => Err(WrongValue::new("not a size", EXAMPLES)),
        Some(bytes) if bytes < FILE_BYTES_MIN as f64 => Err(WrongValue::new(
            format!("{text} is too small for a recording"),
            format!("{FILE_BYTES_MIN} bytes are the least"),
        )),
        Some(bytes) if bytes >= 1e18 => Err(WrongValue::new(format!("no disk has {text}"), EXAMPLES)),
        // Within the limits above, so nothing is cut.
        Some(bytes) => Ok(bytes as u64),
    }
}

/// Reads a length of time or a size, which has a unit of bytes.
///
/// # Errors
/// One line that says what is wrong and how it is written.
pub(crate) fn parse_amount(text: &str) -> Result<Amount, WrongValue> {
    if bytes(text.trim()).is_some() {
        return parse(text).map(Amount::Bytes);
    }
    duration::parse(text)
        .map(Amount::Length)
        .map_err(|wrong| WrongValue { hint: wrong.hint.and("a size is `100MB`"), ..wrong })
}

fn bytes(text: &str) -> Option<f64> {
    let (number, factor) = UNITS.iter().find_map(|(unit, factor)| {
        let at = text.len().checked_sub(unit.len())?;
        let (number, end) = (text.get(..at)?, text.get(at..)?);
        let is_unit = if unit.len() == 1 { end == *unit } else { end.eq_ignore_ascii_case(unit) };
        is_unit.then_some((number.trim_end(), factor))
    })?;
    // Rust reads "inf" and "nan" as numbers, and a sign is not allowed here.
    let is_plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    number.parse::<f64>().ok().filter(|_| is_plain).map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, bytes) in [
            ("100MB", 100_000_000),
            ("1.5GiB", 1_610_612_736),
            ("500 kb", 500_000),
            ("25M", 25_000_000),
            ("20000B", 20_000),
            ("2TB", 2_000_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for (text, word) in [
            ("100", "not a size"),
            ("MB", "not a size"),
            ("-1MB", "not a size"),
            ("infMB", "not a size"),
            ("1e9B", "not a size"),
            ("1kB", "too small"),
            ("0GB", "too small"),
            ("99999999TB", "no disk"),
            ("", "not a size"),
            ("10m", "not a size"),
        ] {
            assert!(parse(text).unwrap_err().whole().contains(word), "{text}");
        }
    }

    #[test]
    fn an_amount_is_a_time_unless_it_has_a_unit_of_bytes() {
        for (text, amount) in [
            ("10m", Amount::Length(Duration::from_secs(600))),
            ("10M", Amount::Bytes(10_000_000)),
            ("7d", Amount::Length(Duration::from_secs(7 * 86_400))),
            ("90", Amount::Length(Duration::from_secs(90))),
            ("1GB", Amount::Bytes(1_000_000_000)),
        ] {
            assert_eq!(parse_amount(text), Ok(amount), "{text}");
        }
        assert!(parse_amount("0").unwrap_err().whole().contains("100MB"));
        assert!(parse_amount("1kB").unwrap_err().whole().contains("too small"));
    }
}
