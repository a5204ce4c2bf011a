//! A source that its sound server has suspended: when that is reported, and what is missing because of it. Pure; called
//! by the reading thread whenever it has read everything that came.
//!
//! As long as it lasts, missing frames are reported bit by bit, so that the recording goes on in step with the time and
//! may be stopped at any moment. What is missing up to the first frames afterwards is reported in front of them.

use std::time::Duration;

use crate::audio::time::{duration_of, frames_in};

/// How long a source may lag behind the state that its server reports: to deliver its first frames before it counts as
/// suspended, the last ones after it was suspended, and the next ones after that is over.
const WAKE_TIMEOUT: Duration = Duration::from_secs(2);
/// How much longer than a block a running source may be silent before the state from its server counts: the servers
/// report the state late, also that from before the first frames.
const STATE_DELAY: Duration = Duration::from_millis(250);
/// Missing frames are reported in pieces of at least this length, and the last piece is kept back until it is measured.
const PIECE_MIN: Duration = Duration::from_millis(250);

/// What is to be reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// It is suspended.
    Suspended,
    /// This many frames are missing.
    Missing(u64),
    /// It delivers again. `all` frames were missing, of which `rest` were not reported yet.
    Over { all: u64, rest: u64 },
}

/// The state of one source.
#[derive(Debug)]
pub(super) struct Suspension {
    rate: u32,
    /// How long the last frames must be in the past before a source that ran counts as suspended.
    silence: Duration,
    /// While it is suspended: when the last frames before that came, and how many had come by then.
    since: Option<(u64, u64)>,
    /// When the server reported that.
    claimed: u64,
    /// When the server reported that it is over.
    denied: Option<u64>,
    /// Whether the suspension was reported.
    said: bool,
    missing: u64,
}

impl Suspension {
    /// The state of a source of `rate` frames a second that delivers about every `latency`.
    pub(super) fn new(rate: u32, latency: Duration) -> Self {
        Self { rate, silence: latency + STATE_DELAY, since: None, claimed: 0, denied: None, said: false, missing: 0 }
    }

    /// Whether nothing is due from the source.
    pub(super) fn is_on(&self) -> bool {
        self.since.is_some()
    }

    /// The server has suspended the source at `now`, in nanoseconds; the last frames came at `last`, `frames` in all.
    pub(super) fn begin(&mut self, now: u64, last: Option<(u64, u64)>) {
        if self.since.is_none() {
            *self = Self { since: Some(last.unwrap_or((now, 0))), ..self.cleared() };
        }
        (self.claimed, self.denied) = (now, None);
    }

    /// The server reports at `now` that the source is not suspended. Before the first frames that is all there is to
    /// know; later the frames show it, if they come.
    pub(super) fn deny(&mut self, now: u64) {
        let Some((_, before)) = self.since else { return };
        if before == 0 && !self.said {
            *self = self.cleared();
        } else {
            self.denied.get_or_insert(now);
        }
    }

    /// Whether frames came after it began, `frames` in all.
    pub(super) fn has_ended(&self, frames: u64) -> bool {
        self.since.is_some_and(|(_, before)| frames > before)
    }

    /// What is to be reported at `now`, where `last` is when the last frames came, and how many have come. Once it
    /// returns nothing, it returns nothing until a later time.
    pub(super) fn look(&mut self, now: u64, last: Option<(u64, u64)>) -> Option<Gone> {
        let (since, before) = self.since?;
        if let Some((at, frames)) = last.filter(|(_, frames)| *frames > before) {
            return self.go_on((since, before), (at, frames));
        }
        if self.denied.is_some_and(|denied| now.saturating_sub(denied) >= nanos(WAKE_TIMEOUT)) {
            // The source runs, according to the server, and yet nothing comes: that is another fault.
            return self.end(if before == 0 { 0 } else { self.due(since, now) });
        }
        let waited = Duration::from_nanos(now.saturating_sub(since));
        if !self.said {
            self.said = waited >= if before > 0 { self.silence } else { WAKE_TIMEOUT };
            return self.said.then_some(Gone::Suspended);
        }
        let piece = frames_in(PIECE_MIN, self.rate);
        let due = self.due(since, now).saturating_sub(self.missing);
        if before == 0 || due < 2 * piece {
            return None;
        }
        self.missing += due - piece;
        Some(Gone::Missing(due - piece))
    }

    /// Frames came at `at`, `frames` in all.
    fn go_on(&mut self, (since, before): (u64, u64), (at, frames): (u64, u64)) -> Option<Gone> {
        let all = if before == 0 { 0 } else { self.due(since, at).saturating_sub(frames - before) };
        let late = self.denied.is_none() && at < self.claimed.saturating_add(nanos(WAKE_TIMEOUT));
        if late && !self.said && duration_of(all, self.rate) <= self.silence {
            // Recorded before the suspension, and delivered after the notice of it.
            self.since = Some((at, frames));
            return None;
        }
        self.end(all)
    }

    /// It is over, with `all` frames missing. A short gap may be lateness alone; comparing the frames with the clock is
    /// more exact there.
    fn end(&mut self, all: u64) -> Option<Gone> {
        let all = all.max(self.missing);
        let rest = all - self.missing;
        let worth_telling = self.said || duration_of(all, self.rate) > self.silence;
        *self = self.cleared();
        worth_telling.then_some(Gone::Over { all, rest })
    }

    fn cleared(&self) -> Self {
        Self { since: None, denied: None, said: false, missing: 0, ..*self }
    }

    fn due(&self, since: u64, now: u64) -> u64 {
        frames_in(Duration::from_nanos(now.saturating_sub(since)), self.rate)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn what_is_missing_is_told_in_step_with_the_time_and_to_the_frame_at_the_end() {
        let mut source = Suspension::new(1_000, Duration::ZERO);
        assert_eq!(source.look(SECOND, Some((SECOND, 1_000))), None, "it runs");
        source.begin(SECOND + 5, Some((SECOND, 1_000)));
        source.begin(2 * SECOND, Some((SECOND, 1_000)));
        assert!(source.is_on());
        let mut look = |now, last| source.look(now, Some(last));
        assert_eq!(look(SECOND + 5, (SECOND, 1_000)), None, "its server may be late");
        assert_eq!(look(SECOND + SECOND / 4, (SECOND, 1_000)), Some(Gone::Suspended));
        assert_eq!(look(SECOND + SECOND / 4, (SECOND, 1_000)), None);
        assert_eq!(look(2 * SECOND, (SECOND, 1_000)), Some(Gone::Missing(750)));
        assert_eq!(look(2 * SECOND, (SECOND, 1_000)), None);
        assert_eq!(look(4 * SECOND, (SECOND, 1_000)), Some(Gone::Missing(2_000)));
        // Five seconds later 100 frames come: 4900 are missing, of which 2750 were reported.
        assert_eq!(look(6 * SECOND, (6 * SECOND, 1_100)), Some(Gone::Over { all: 4_900, rest: 2_150 }));
        assert_eq!(look(7 * SECOND, (6 * SECOND, 1_100)), None);
        assert!(!source.is_on());
    }

    #[test]
    fn a_source_that_never_ran_misses_nothing_and_is_given_a_moment_to_wake_up() {
        let mut source = Suspension::new(1_000, Duration::ZERO);
        source.begin(SECOND, None);
        assert_eq!(source.look(2 * SECOND, None), None);
        assert_eq!(source.look(3 * SECOND, None), Some(Gone::Suspended));
        source.deny(3 * SECOND);
        assert_eq!(source.look(4 * SECOND, None), None);
        assert_eq!(source.look(4 * SECOND, Some((4 * SECOND, 10))), Some(Gone::Over { all: 0, rest: 0 }));
        source.begin(SECOND, None);
        assert_eq!(source.look(SECOND, Some((SECOND, 10))), None, "it woke up at once");
        source.deny(SECOND);
        assert_eq!(source.look(SECOND, Some((SECOND, 20))), None);
        assert!(!source.is_on());
        source.begin(SECOND, None);
        source.deny(SECOND);
        assert!(!source.is_on(), "it is about to deliver");
        source.begin(SECOND, Some((SECOND, 10)));
        source.deny(SECOND);
        assert!(source.is_on(), "frames will tell");
    }

    #[test]
    fn a_source_that_goes_on_at_once_is_not_worth_a_word() {
        let mut source = Suspension::new(1_000, Duration::ZERO);
        source.begin(SECOND, Some((SECOND, 1_000)));
        source.deny(SECOND + 5);
        assert_eq!(source.look(SECOND, Some((SECOND + SECOND / 50, 1_020))), None);
        assert!(!source.is_on());
    }

    #[test]
    fn a_state_that_comes_later_than_the_frames_is_not_believed_for_long() {
        let mut source = Suspension::new(1_000, Duration::from_millis(100));
        source.begin(SECOND, Some((SECOND, 100)));
        assert_eq!(source.look(SECOND + SECOND / 3, Some((SECOND, 100))), None);
        assert_eq!(source.look(SECOND + SECOND / 3, Some((SECOND + SECOND / 3, 433))), None, "it ran all the time");
        assert_eq!(source.look(3 * SECOND, Some((3 * SECOND, 3_100))), None);
        assert!(!source.is_on());
    }

    #[test]
    fn the_last_frames_may_be_delivered_after_the_notice_of_the_suspension() {
        let mut source = Suspension::new(1_000, Duration::ZERO);
        source.begin(SECOND, Some((SECOND, 1_000)));
        let last = (SECOND + SECOND / 10, 1_100);
        assert_eq!(source.look(last.0, Some(last)), None);
        assert!(source.is_on());
        assert_eq!(source.look(last.0 + SECOND / 4, Some(last)), Some(Gone::Suspended));
        let back = (3 * SECOND + SECOND / 10, 1_200);
        assert_eq!(source.look(back.0, Some(back)), Some(Gone::Over { all: 1_900, rest: 1_900 }));
    }

    #[test]
    fn a_source_that_runs_again_and_yet_delivers_nothing_is_not_suspended() {
        let mut source = Suspension::new(1_000, Duration::ZERO);
        let last = Some((SECOND, 1_000));
        source.begin(SECOND, last);
        assert_eq!(source.look(2 * SECOND, last), Some(Gone::Suspended));
        source.deny(2 * SECOND);
        assert_eq!(source.look(3 * SECOND, last), Some(Gone::Missing(1_750)));
        assert_eq!(source.look(4 * SECOND, last), Some(Gone::Over { all: 3_000, rest: 1_250 }));
        assert!(!source.is_on());
    }
}
