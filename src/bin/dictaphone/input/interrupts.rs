//! Ctrl-C, pressed once and pressed again.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::command::{Command, Deliver};
use crate::{
    message::{Message, exit::Exit},
    report::{Report, terminal},
};

/// Presses of Ctrl-C that follow the first this soon are the same press: `timeout`, for one, signals both the process
/// and its group.
const SAME_INTERRUPT_MAX: Duration = Duration::from_millis(150);

/// Counts the presses of Ctrl-C, whether they come as keys or as signals. The first stops and saves; a later one ends
/// the program at once, on the thread that received it, so that it works whatever the other threads are blocked by.
pub(crate) struct Interrupts {
    deliver: Deliver,
    report: Report,
    first: Mutex<Option<Instant>>,
    last_words: Mutex<LastWords>,
}

/// Makes the message for when the program is left at once; called at that moment, on the thread that ends it.
type LastWords = Box<dyn Fn() -> Message + Send>;

/// What a press of Ctrl-C means.
#[derive(Debug, PartialEq, Eq)]
enum Press {
    First,
    Bounce,
    Again,
}

impl Interrupts {
    pub(crate) fn new(deliver: Deliver, report: Report) -> Self {
        let last_words = Message::new("interrupted before the recording was saved")
            .hint("one Ctrl-C stops and saves, a second one leaves at once");
        let last_words = Mutex::new(Box::new(move || last_words.clone()) as LastWords);
        Self { deliver, report, first: Mutex::new(None), last_words }
    }

    /// The message for when the program is left at once, such as where the unfinished file is.
    pub(crate) fn set_last_words(&self, words: impl Fn() -> Message + Send + 'static) {
        *self.last_words.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(words);
    }

    /// Ctrl-C was pressed.
    pub(crate) fn interrupt(&self) {
        let press = press(&mut self.first.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        match press {
            Press::First => (self.deliver)(Command::Stop),
            Press::Bounce => {}
            Press::Again => self.leave_now(),
        }
    }

    fn leave_now(&self) {
        self.report.try_error(&(self.last_words.lock().unwrap_or_else(PoisonError::into_inner))());
        terminal::leave();
        exit_now(Exit::Interrupted);
    }
}

fn press(first: &mut Option<Instant>, now: Instant) -> Press {
    match *first {
        None => {
            *first = Some(now);
            Press::First
        }
        Some(at) if now.saturating_duration_since(at) < SAME_INTERRUPT_MAX => Press::Bounce,
        Some(_) => Press::Again,
    }
}

/// Ends the process without running anything that other threads or libraries registered, as that may hang.
#[cfg(unix)]
fn exit_now(exit: Exit) {
    signal_hook::low_level::exit(i32::from(exit.code()));
}

#[cfg(not(unix))]
#[allow(clippy::exit, reason = "the user asked to leave at once, and other threads may be stuck")]
fn exit_now(exit: Exit) {
    std::process::exit(i32::from(exit.code()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_later_second_press_leaves_at_once() {
        let start = Instant::now();
        let mut first = None;
        for (millis, expected) in
            [(0, Press::First), (0, Press::Bounce), (149, Press::Bounce), (150, Press::Again), (5000, Press::Again)]
        {
            assert_eq!(press(&mut first, start + Duration::from_millis(millis)), expected, "{millis}");
        }
    }
}
