//! For how long nobody has spoken. Pure.

/// What these frames changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quiet {
    /// Nothing.
    Same,
    /// The time is over in this many frames unless somebody speaks.
    Closing(u64),
    /// Somebody spoke after all.
    Cancelled,
    /// Nobody has spoken for the whole limit.
    Over,
}

/// Counts frames in which nobody speaks, once somebody has spoken.
///
/// Speech that is detected for a moment only does not count: plucked strings are detected as speech, for a third of a
/// second.
#[derive(Debug)]
pub struct SilenceTimer {
    limit: u64,
    warning: u64,
    /// Frames of speech after which somebody counts as speaking, and how many there were; silence subtracts half its
    /// length.
    least: u64,
    speech: u64,
    /// Since somebody spoke; `None` before anybody has.
    quiet: Option<u64>,
    closing: bool,
}

impl SilenceTimer {
    /// A timer that is over after `limit` frames of silence, and reports it `warning` frames before. Somebody counts as
    /// speaking after `least` frames of speech.
    #[must_use]
    pub fn new(limit: u64, warning: u64, least: u64) -> Self {
        Self { limit, warning: warning.min(limit), least, speech: 0, quiet: None, closing: false }
    }

    /// Counts `frames` frames, in which somebody `speaks` or nobody does.
    pub fn push(&mut self, frames: u64, speaks: bool) -> Quiet {
        self.speech = match speaks {
            true => self.speech.saturating_add(frames).min(self.least),
            false => self.speech.saturating_sub(frames / 2),
        };
        if speaks && self.speech >= self.least {
            return self.restart(true);
        }
        let Some(quiet) = &mut self.quiet else { return Quiet::Same };
        *quiet = quiet.saturating_add(frames);
        let left = self.limit.saturating_sub(*quiet);
        match (left, self.closing) {
            (0, _) => Quiet::Over,
            (left, false) if left <= self.warning => {
                self.closing = true;
                Quiet::Closing(left)
            }
            _ => Quiet::Same,
        }
    }

    /// Keeps it going: the silence is counted from now on, if it was counted at all.
    pub fn keep(&mut self) -> Quiet {
        self.restart(self.quiet.is_some())
    }

    fn restart(&mut self, counts: bool) -> Quiet {
        self.quiet = counts.then_some(0);
        if std::mem::take(&mut self.closing) { Quiet::Cancelled } else { Quiet::Same }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_counts_once_somebody_has_spoken() {
        let mut timer = SilenceTimer::new(100, 30, 0);
        assert_eq!(timer.push(1_000, false), Quiet::Same);
        assert_eq!(timer.keep(), Quiet::Same);
        assert_eq!(timer.push(1_000, false), Quiet::Same);
        assert_eq!(timer.push(10, true), Quiet::Same);
        for (frames, speaks, quiet) in [
            (69, false, Quiet::Same),
            (6, false, Quiet::Closing(25)),
            (5, false, Quiet::Same),
            (1, true, Quiet::Cancelled),
            (80, false, Quiet::Closing(20)),
            (19, false, Quiet::Same),
            (1, false, Quiet::Over),
        ] {
            assert_eq!(timer.push(frames, speaks), quiet, "{frames} {speaks}");
        }
    }

    #[test]
    fn a_moment_of_speech_is_none() {
        let mut timer = SilenceTimer::new(100, 30, 20);
        assert_eq!(timer.push(19, true), Quiet::Same);
        assert_eq!(timer.push(1_000, false), Quiet::Same, "nobody has spoken yet");
        timer.push(10, true);
        timer.push(4, false);
        timer.push(14, true);
        // Strings that are plucked now and then.
        for _ in 0..2 {
            assert_eq!(timer.push(25, false), Quiet::Same);
            assert_eq!(timer.push(5, true), Quiet::Same);
        }
        assert_eq!(timer.push(25, false), Quiet::Closing(15));
        assert_eq!(timer.push(19, true), Quiet::Over);
    }

    #[test]
    fn whoever_wants_it_to_go_on_has_the_whole_time_again() {
        let mut timer = SilenceTimer::new(100, 30, 0);
        timer.push(1, true);
        assert_eq!(timer.push(80, false), Quiet::Closing(20));
        assert_eq!(timer.keep(), Quiet::Cancelled);
        assert_eq!(timer.push(69, false), Quiet::Same);
        assert_eq!(timer.push(1, false), Quiet::Closing(30));
    }

    #[test]
    fn a_time_shorter_than_the_warning_is_warned_of_at_once() {
        let mut timer = SilenceTimer::new(10, 30, 0);
        timer.push(1, true);
        assert_eq!(timer.push(1, false), Quiet::Closing(9));
        assert_eq!(timer.push(9, false), Quiet::Over);
    }
}
