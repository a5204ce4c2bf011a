//! Where one file of a recording ends and the next begins. Pure: frames, bytes and times go in, a frame comes out.
//!
//! A file is never cut at a time of the wall clock but at a frame that was computed from it, so that no step of that
//! clock can lose or double a frame.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, ToSpan as _, Zoned, civil, tz::TimeZone};

use crate::audio::time::frames_in;

/// When a recording goes on in a new file by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Split {
    /// After this much recorded time: the k-th file ends at frame round(k × T × rate).
    Every(Duration),
    /// At the full multiples of this length of the local wall clock, counted from midnight; the first file is shorter.
    Aligned(Duration),
    /// Before a file grows beyond this many bytes.
    Bytes(u64),
}

named! { Split: Every "every", Aligned "aligned", Bytes "bytes" }

/// A day of the wall clock in nanoseconds.
const DAY: i128 = 86_400 * 1_000_000_000;

/// A file that begins this close before a multiple of its length, or a tenth of the length if that is shorter,
/// continues to the next one: the estimate of the time may have moved meanwhile.
const MULTIPLE_TOLERANCE: Duration = Duration::from_secs(1);

/// Where the current file is to end by time.
#[derive(Debug, Clone)]
pub(crate) struct Splitter {
    split: Option<Split>,
    rate: u32,
    zone: TimeZone,
    /// Where counting began, and the number of the file counted from there.
    counted: (u64, u32),
    deadline: Option<SystemTime>,
    /// The frame before which the file ends, and whether that was requested.
    cut: Option<u64>,
    by_hand: bool,
    /// The next file begins this much before the time that determines its end.
    lead: Duration,
}

impl Splitter {
    pub(crate) fn new(split: Option<Split>, rate: u32, zone: TimeZone) -> Self {
        Self { split, rate, zone, counted: (0, 0), deadline: None, cut: None, by_hand: false, lead: Duration::ZERO }
    }

    /// A file begins with this frame, which was captured at `at`.
    pub(crate) fn begin(&mut self, frame: u64, at: Option<SystemTime>) {
        let expected = self.cut.take().filter(|_| !self.by_hand);
        self.by_hand = false;
        match self.split {
            Some(Split::Every(length)) => {
                let (from, number) = if expected == Some(frame) { self.counted } else { (frame, 0) };
                self.counted = (from, number.saturating_add(1));
                self.cut = length.checked_mul(self.counted.1).map(|length| from + frames_in(length, self.rate));
                // A length below a frame still moves on.
                self.cut = self.cut.map(|cut| cut.max(frame + 1));
            }
            Some(Split::Aligned(length)) => {
                let near = MULTIPLE_TOLERANCE.min(length / 10) + std::mem::take(&mut self.lead);
                self.deadline = at.and_then(|at| next_multiple(at + near, length, &self.zone));
                self.aim(frame, at);
            }
            Some(Split::Bytes(_)) | None => {}
        }
    }

    /// The file begins anew, `by` earlier than it did: it still ends at the same full multiple of the wall clock, also
    /// where it begins before another one now.
    pub(crate) fn begin_earlier(&mut self, by: Duration) {
        (self.cut, self.lead) = (None, by);
    }

    /// Makes the file end before this frame, or earlier if it would anyway.
    pub(crate) fn cut_at(&mut self, frame: u64) {
        if self.cut.is_none_or(|cut| frame < cut) {
            (self.cut, self.by_hand) = (Some(frame), true);
        }
    }

    /// Updates the next frame, with a better estimate of when it is captured.
    pub(crate) fn aim(&mut self, frame: u64, at: Option<SystemTime>) {
        let (Some(deadline), Some(at), false) = (self.deadline, at, self.by_hand) else { return };
        let left = deadline.duration_since(at).unwrap_or_default();
        // Rounded up, so that the new file never begins a moment before the full hour.
        self.cut = Some(frame + frames_from(left, self.rate));
    }

    /// Called when the wall clock was set; the frame after that is captured at `at`.
    pub(crate) fn clock_was_set(&mut self, at: SystemTime) {
        if let (Some(Split::Aligned(length)), Some(deadline)) = (self.split, self.deadline) {
            self.deadline = next_multiple(at, length, &self.zone).map(|next| next.min(deadline)).or(self.deadline);
        }
    }

    /// Frames from `frame` on that belong into the current file; `None` if nothing ends it by time.
    pub(crate) fn room(&self, frame: u64) -> Option<u64> {
        self.cut.map(|cut| cut.saturating_sub(frame))
    }

    /// The largest file, in bytes.
    pub(crate) fn max_bytes(&self) -> Option<u64> {
        match self.split {
            Some(Split::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Whether the end of that file depends on the wall clock.
    pub(crate) fn follows_the_clock(&self) -> bool {
        matches!(self.split, Some(Split::Aligned(_)))
    }
}

/// Frames that begin within `duration`, the one at its very end not included.
fn frames_from(duration: Duration, rate: u32) -> u64 {
    const NANOS: u128 = 1_000_000_000;
    u64::try_from((duration.as_nanos() * u128::from(rate)).div_ceil(NANOS)).unwrap_or(u64::MAX)
}

/// The first moment after `at` at which the wall clock of `zone` shows a full multiple of `length`. Lengths of up to a
/// day count from each midnight, longer ones from 1970-01-01.
fn next_multiple(at: SystemTime, length: Duration, zone: &TimeZone) -> Option<SystemTime> {
    let length = i128::try_from(length.as_nanos()).ok().filter(|length| *length > 0)?;
    let now = Timestamp::try_from(at).ok()?;
    let next = next_shown(&now.to_zoned(zone.clone()), length, false)?.timestamp();
    // Where the clock changes meanwhile, an hour is shown twice, or one is skipped.
    let change = zone.following(now).next().map(|transition| transition.timestamp()).filter(|change| *change < next);
    let next = match change {
        Some(change) => next_shown(&change.to_zoned(zone.clone()), length, true)?.timestamp(),
        None => next,
    };
    Some(SystemTime::from(next)).filter(|next| *next > at)
}

/// The next moment, `from` itself included if `inclusive`, at which a clock without changes shows a multiple of
/// `length`.
fn next_shown(from: &Zoned, length: i128, inclusive: bool) -> Option<Zoned> {
    let shown = from.datetime();
    let midnight = if length > DAY { civil::date(1970, 1, 1) } else { shown.date() };
    let since = shown.duration_since(midnight.to_datetime(civil::Time::midnight())).as_nanos();
    let multiple = if inclusive && since % length == 0 { since } else { (since / length + 1) * length };
    let multiple = if length > DAY { multiple } else { multiple.min(DAY) };
    let nanos = i64::try_from(multiple - since).ok()?;
    from.checked_add(nanos.nanoseconds()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    fn time(text: &str) -> SystemTime {
        text.parse::<Timestamp>().unwrap().into()
    }

    #[test]
    fn files_of_one_length_end_at_the_rounded_multiples_however_many_there_are() {
        let mut splitter = Splitter::new(Some(Split::Every(Duration::from_millis(7))), 44_100, TimeZone::UTC);
        let mut frame = 0;
        for number in 1..=10_000_u64 {
            splitter.begin(frame, None);
            frame += splitter.room(frame).unwrap();
            assert_eq!(frame, (number * 7 * 44_100 + 500) / 1_000, "{number}");
        }
    }

    #[test]
    fn a_cut_by_hand_begins_the_count_anew() {
        let mut splitter = Splitter::new(Some(Split::Every(Duration::from_secs(1))), 1_000, TimeZone::UTC);
        splitter.begin(0, None);
        splitter.cut_at(1_500);
        assert_eq!(splitter.room(0), Some(1_000), "the earlier end holds");
        splitter.begin(1_000, None);
        splitter.cut_at(1_300);
        assert_eq!(splitter.room(1_000), Some(300));
        splitter.begin(1_300, None);
        assert_eq!(splitter.room(1_300), Some(1_000));
        let mut by_hand = Splitter::new(None, 1_000, TimeZone::UTC);
        by_hand.begin(0, None);
        assert_eq!(by_hand.room(0), None);
        by_hand.cut_at(10);
        assert_eq!(by_hand.room(4), Some(6));
    }

    #[test]
    fn a_file_that_is_made_to_begin_earlier_ends_at_the_same_multiple() {
        let mut splitter = Splitter::new(Some(Split::Aligned(HOUR)), 10, TimeZone::UTC);
        let start = time("2026-11-20T10:00:03Z");
        splitter.begin(0, Some(start));
        assert_eq!(splitter.room(0), Some(3_597 * 10));
        let lead = Duration::from_secs(10);
        splitter.begin_earlier(lead);
        splitter.begin(0, Some(start - lead));
        assert_eq!(splitter.room(0), Some(3_607 * 10));
        splitter.begin(3_607 * 10, Some(time("2026-11-20T11:00:00Z")));
        assert_eq!(splitter.room(3_607 * 10), Some(3_600 * 10));
    }

    #[test]
    fn the_wall_clock_shows_full_multiples() {
        for (at, length, next) in [
            ("2026-11-20T09:31:07.25Z", HOUR, "2026-11-20T10:00:00Z"),
            ("2026-11-20T09:00:00Z", HOUR, "2026-11-20T10:00:00Z"),
            ("2026-11-20T09:31:07Z", MINUTE * 10, "2026-11-20T09:40:00Z"),
            // Seven minutes do not divide a day, and each day starts anew: local midnight is 23:00 in UTC.
            ("2026-11-20T22:55:00Z", MINUTE * 7, "2026-11-20T23:00:00Z"),
            ("2026-11-20T09:31:07Z", HOUR * 24, "2026-11-20T23:00:00Z"),
            ("2026-11-20T09:31:07Z", HOUR * 48, "2026-11-20T23:00:00Z"),
            ("2026-11-21T09:31:07Z", HOUR * 48, "2026-11-22T23:00:00Z"),
            // Clocks go forward from 2 to 3 at 01:00Z, and back from 3 to 2.
            ("2026-03-29T00:30:00Z", HOUR, "2026-03-29T01:00:00Z"),
            ("2026-03-29T01:00:00Z", HOUR, "2026-03-29T02:00:00Z"),
            ("2026-03-29T00:30:00Z", HOUR * 4, "2026-03-29T02:00:00Z"),
            ("2026-10-25T00:30:00Z", HOUR, "2026-10-25T01:00:00Z"),
            ("2026-10-25T01:00:00Z", HOUR, "2026-10-25T02:00:00Z"),
            ("2026-10-24T23:00:00Z", HOUR * 24, "2026-10-25T23:00:00Z"),
        ] {
            assert_eq!(next_multiple(time(at), length, &berlin()), Some(time(next)), "{at} {length:?}");
        }
        assert_eq!(next_multiple(time("2026-11-20T09:31:07Z"), Duration::ZERO, &berlin()), None);
    }

    #[test]
    fn an_aligned_file_ends_at_the_first_frame_of_the_full_hour() {
        let mut splitter = Splitter::new(Some(Split::Aligned(HOUR)), 48_000, TimeZone::UTC);
        splitter.begin(7, Some(time("2026-11-20T09:59:59.99999Z")));
        // A file this close before the hour continues to the next.
        assert_eq!(splitter.room(7), Some(3_600 * 48_000 + 1));
        splitter.aim(100, Some(time("2026-11-20T10:59:00Z")));
        assert_eq!(splitter.room(100), Some(60 * 48_000));
        // The hour passed while it was paused.
        splitter.aim(100, Some(time("2026-11-20T11:20:00Z")));
        assert_eq!(splitter.room(100), Some(0));
    }

    #[test]
    fn a_clock_that_is_set_back_an_hour_makes_no_file_longer_than_its_length() {
        let mut splitter = Splitter::new(Some(Split::Aligned(HOUR)), 1_000, TimeZone::UTC);
        splitter.begin(0, Some(time("2026-11-20T10:15:00Z")));
        assert_eq!(splitter.room(0), Some(45 * 60 * 1_000));
        let at = time("2026-11-20T09:30:00Z");
        splitter.clock_was_set(at);
        splitter.aim(900_000, Some(at));
        assert_eq!(splitter.room(900_000), Some(30 * 60 * 1_000));
    }
}
