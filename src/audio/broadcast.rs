//! The broadcast audio extension (`bext`) of WAV files: who recorded it, and when to the frame (EBU Tech 3285).
//!
//! Covers only the payload of the chunk; the format decides where it stands in a file. Plain bytes, for any thread.
//!
//! | field | place | |
//! |---|---|---|
//! | Description | 0, 256 bytes | the title |
//! | Originator | 256, 32 bytes | the program |
//! | OriginatorReference | 288, 32 bytes | not used |
//! | OriginationDate, OriginationTime | 320 and 330, 10 and 8 bytes | local time of the first frame |
//! | TimeReference | 338, 64 bits | frames from midnight to the first frame |
//! | Version | 346, 16 bits | 1 |

use jiff::{SignedDuration, civil::DateTime};

use super::output_frames;

/// Bytes of a payload without the coding history that follows it.
pub(crate) const PAYLOAD_BYTES: usize = 602;

const DESCRIPTION_BYTES: usize = 256;
const ORIGINATOR_AT: usize = 256;
const ORIGINATOR_BYTES: usize = 32;
const DATE_AT: usize = 320;
const DATE_TIME_BYTES: usize = 18;
const REFERENCE_AT: usize = 338;
const VERSION_AT: usize = 346;

/// The payload for a recording whose first frame is of `date` (RFC 3339, local) and lies `reference` frames after
/// midnight; unknown fields are blank.
#[must_use]
pub(crate) fn payload(title: &str, originator: &str, date: Option<&str>, reference: Option<u64>) -> Vec<u8> {
    let mut out = vec![0; PAYLOAD_BYTES];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = out.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    put(0, ascii(title, DESCRIPTION_BYTES).as_bytes());
    put(ORIGINATOR_AT, ascii(originator, ORIGINATOR_BYTES).as_bytes());
    put(VERSION_AT, &1_u16.to_le_bytes());
    if let Some((day, time)) = date.and_then(day_and_time) {
        put(DATE_AT, day.as_bytes());
        put(DATE_AT + day.len(), time.as_bytes());
    }
    put(REFERENCE_AT, &reference.unwrap_or(0).to_le_bytes());
    out
}

/// The date and the local time of the first frame; `None` if the payload does not contain them.
#[must_use]
pub(crate) fn origination(payload: &[u8]) -> Option<DateTime> {
    let text = std::str::from_utf8(payload.get(DATE_AT..DATE_AT + DATE_TIME_BYTES)?).ok()?;
    let (date, time) = text.split_at_checked(10)?;
    // Any separator is allowed.
    let mut numbers = date.split(|c: char| !c.is_ascii_digit()).map(str::parse::<i16>);
    let mut number = || numbers.next()?.ok();
    let (year, month, day) = (number()?, number()?, number()?);
    let mut numbers = time.split(|c: char| !c.is_ascii_digit()).map(str::parse::<i8>);
    let mut number = || numbers.next()?.ok();
    let (hour, minute, second) = (number()?, number()?, number()?);
    DateTime::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?, hour, minute, second, 0).ok()
}

/// Who recorded it; empty if the payload does not contain it.
#[must_use]
pub(crate) fn originator(payload: &[u8]) -> String {
    let field = payload.get(ORIGINATOR_AT..ORIGINATOR_AT + ORIGINATOR_BYTES).unwrap_or_default();
    let text = field.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).trim().to_owned()
}

/// Changes the payload to that of sound which begins `frames` frames later.
pub(crate) fn delay(payload: &mut [u8], frames: u64, sample_rate: u32) {
    let rate = u64::from(sample_rate.max(1));
    if let Some(place) = payload.get_mut(REFERENCE_AT..VERSION_AT).and_then(|place| place.first_chunk_mut::<8>()) {
        *place = (u64::from_le_bytes(*place).saturating_add(frames) % (rate * 86_400)).to_le_bytes();
    }
    let seconds = i64::try_from(frames / rate).unwrap_or(i64::MAX);
    let later = origination(payload).and_then(|at| at.checked_add(SignedDuration::from_secs(seconds)).ok());
    if let (Some(later), Some(place)) = (later, payload.get_mut(DATE_AT..DATE_AT + DATE_TIME_BYTES)) {
        let text = later.strftime("%Y-%m-%d%H:%M:%S").to_string();
        if text.len() == place.len() {
            place.copy_from_slice(text.as_bytes());
        }
    }
}

/// Converts the time reference to frames of another rate.
pub(super) fn resample(payload: &mut [u8], from_hz: u32, to_hz: u32) {
    if let Some(place) = payload.get_mut(REFERENCE_AT..VERSION_AT).and_then(|place| place.first_chunk_mut::<8>()) {
        *place = output_frames(u64::from_le_bytes(*place), from_hz, to_hz).to_le_bytes();
    }
}

/// `2026-11-20` and `14:05:09` of a date that begins with both.
fn day_and_time(date: &str) -> Option<(&str, &str)> {
    let (day, time) = (date.get(..10)?, date.get(11..19)?);
    let is_digits = |text: &str| text.split(['-', ':']).all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    (is_digits(day) && is_digits(time)).then_some((day, time))
}

/// The start of `text` that fits; the standard allows only ASCII.
fn ascii(text: &str, bytes: usize) -> String {
    text.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' }).take(bytes).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_field_has_its_place() {
        let frames = (14 * 3_600 + 5 * 60 + 9) * 48_000 + 12_000_u64;
        let bytes = payload("Übung 1", "dictaphone 1", Some("2026-11-20T14:05:09+01:00"), Some(frames));
        assert_eq!(bytes.len(), PAYLOAD_BYTES);
        assert!(bytes.starts_with(b"?bung 1\0") && bytes[256..].starts_with(b"dictaphone 1\0"));
        assert_eq!(&bytes[320..338], b"2026-11-2014:05:09");
        assert_eq!((&bytes[338..346], &bytes[346..348]), (&frames.to_le_bytes()[..], &[1, 0][..]));
        assert_eq!(payload("", "", Some("2026"), None)[320..346], [0; 26]);
        assert_eq!(origination(&bytes).unwrap().to_string(), "2026-11-20T14:05:09");
        assert_eq!(originator(&bytes), "dictaphone 1");
        let mut slower = bytes.clone();
        resample(&mut slower, 48_000, 16_000);
        assert_eq!(slower[338..346], ((14 * 3_600 + 5 * 60 + 9) * 16_000 + 4_000_u64).to_le_bytes());
        assert_eq!((&slower[..338], &slower[346..]), (&bytes[..338], &bytes[346..]));
        let mut later = bytes.clone();
        delay(&mut later, 48_000 * 3_600 * 11 + 1, 48_000);
        assert_eq!(&later[320..338], b"2026-11-2101:05:09");
        assert_eq!(later[338..346], (frames + 11 * 3_600 * 48_000 + 1 - 86_400 * 48_000).to_le_bytes());
    }

    #[test]
    fn dates_of_every_separator_are_read_and_nothing_else() {
        for (text, expected) in [
            ("2024-05-0607:08:09", Some("2024-05-06T07:08:09")),
            ("2024:05:0607-08-09", Some("2024-05-06T07:08:09")),
            ("2024_05_0607.08.09", Some("2024-05-06T07:08:09")),
            ("2024-13-0607:08:09", None),
            ("2024-05-0625:08:09", None),
            ("0000-00-0000:00:00", None),
            ("          \0\0\0\0\0\0\0\0", None),
        ] {
            let mut bytes = payload("", "", None, None);
            assert_eq!(origination(&bytes), None);
            bytes[320..338].copy_from_slice(text.as_bytes());
            assert_eq!(origination(&bytes).map(|at| at.to_string()).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
            let _ = origination(&bytes);
            let _ = originator(&bytes);
            let mut bytes = bytes;
            resample(&mut bytes, 8_000, 48_000);
        }
    }
}
