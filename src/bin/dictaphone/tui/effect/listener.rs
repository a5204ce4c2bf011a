//! The screen as a listener of the session: events become messages.

use std::sync::{Arc, Mutex, PoisonError};

use dictaphone::{
    audio::{local_time, time::duration_of},
    capture::{Warning, WarningKind},
};

use crate::{
    message::{self, Hint, Message},
    report::{
        outcome::{Kept, Outcome},
        status,
    },
    session::{Listener, SessionEvent, What},
    tui::{app::Weight, update::Msg},
};

/// Messages that the screen has not taken yet, in their order.
#[derive(Clone, Default)]
pub(super) struct Inbox(Arc<Mutex<Vec<Msg>>>);

impl Inbox {
    /// All of them.
    pub(super) fn take(&self) -> Vec<Msg> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Listener for Inbox {
    fn on_event(&mut self, event: &SessionEvent<'_>) {
        let msg = match event.what {
            What::Opened { device, format, note } => {
                Msg::Opened { name: device.to_owned(), format, note: note.map(str::to_owned) }
            }
            What::NotOpened(failure) => Msg::Missing(on_screen(&failure.message)),
            What::Closed(why) | What::Waiting(why) => Msg::Missing(why.to_owned()),
            What::Paused => Msg::Paused,
            What::Resumed => Msg::Resumed,
            What::Marked(marker) => Msg::Marked(duration_of(marker.frame, event.sample_rate)),
            What::Warning(warning) => warned(warning),
            What::Ended => Msg::Ended,
            What::Finished(outcome) => finished(outcome),
            What::Countdown(Some(left)) => {
                let text = format!("nobody has spoken for long: the recording ends in {} s", left.as_secs());
                Msg::Say(Weight::Warning, text)
            }
            What::FileSaved(outcome) => match (outcome.failure_of_file(), outcome.note()) {
                (Some(failure), _) => Msg::Say(Weight::Error, on_screen(&failure.message)),
                (None, Some(note)) => Msg::Say(Weight::Note, note),
                (None, None) => return,
            },
            What::Deleted(paths) => Msg::Say(Weight::Note, format!("{} deleted to make room", paths.len())),
            What::Started { .. } | What::Level { .. } | What::Failed { .. } | What::Refused(_) => return,
            What::Gate { .. } | What::Countdown(None) => return,
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(msg);
    }
}

fn warned(warning: &Warning) -> Msg {
    let weight = if warning.kind() == WarningKind::Unmuted { Weight::Note } else { Weight::Warning };
    let message = Message { text: warning.to_string(), hint: message::remedy_of(warning) };
    Msg::Say(weight, on_screen(&message))
}

fn finished(outcome: &Outcome) -> Msg {
    match (&outcome.kept, outcome.failure()) {
        (Kept::File { path, .. }, _) => {
            let time = duration_of(outcome.frames, outcome.sample_rate);
            let ended = outcome.early_end().map(|error| {
                let (at, after) = (local_time::now().strftime("%H:%M:%S"), status::clock(time));
                format!("the recording ended by itself at {at}, after {after}: {error}")
            });
            Msg::Saved { path: path.clone(), time, flaw: outcome.flaws(), ended }
        }
        (_, failure) => Msg::NotSaved(failure.map(|failure| on_screen(&failure.message))),
    }
}

/// A message with what helps at a screen.
pub(super) fn on_screen(message: &Message) -> String {
    let hints = message.hint.iter().flat_map(Hint::on_screen);
    std::iter::once(message.text.as_str()).chain(hints).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use dictaphone::{Error, ErrorKind};

    use super::*;
    use crate::message::Failure;

    #[test]
    fn the_screen_does_not_send_to_the_command_line() {
        for (kind, said) in [
            (ErrorKind::NotFound, "no input"),
            (ErrorKind::NotReadable, "no input; another program may be using it"),
            (
                ErrorKind::NotAllowed,
                "no input; allow this terminal the microphone in the system's privacy settings, or be the user of the \
                 sound server",
            ),
            (ErrorKind::Abort, "no input; look whether the sound server runs and the device is connected"),
        ] {
            assert_eq!(on_screen(&Failure::from(Error::new(kind, "no input")).message), said);
        }
    }
}
