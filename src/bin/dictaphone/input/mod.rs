//! Everything through which a user controls a running recording, as one stream of commands.

pub(crate) mod command;
#[cfg(unix)]
pub(crate) mod control;
mod interrupts;
pub(crate) mod keys;
mod signals;

use std::{
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::Arc,
};

use self::{
    command::Deliver,
    interrupts::Interrupts,
    keys::{Keys, OnEvent},
};
use crate::{message::Message, report::Report};

/// The threads that read inputs. Dropping it ends them, and the terminal is as it was before.
pub(crate) struct Inputs {
    interrupts: Arc<Interrupts>,
    // Fields are dropped in this order: no signal may wake a key thread that has ended.
    #[cfg(unix)]
    _signals: signals::Signals,
    _keys: Option<Keys>,
}

impl Inputs {
    /// Receives signals and, if standard input is a terminal, keys. At most once in a process.
    ///
    /// # Errors
    /// When the system refuses a handler, a descriptor or a thread.
    pub(crate) fn start(deliver: Deliver, report: &Report) -> io::Result<Self> {
        let wishes = Arc::clone(&deliver);
        let take = |interrupts| io::stdin().is_terminal().then(|| keys::commands(wishes, interrupts));
        Self::listen(deliver, report, take)
    }

    /// Receives signals, and passes on everything that comes from the terminal, which must exist.
    ///
    /// # Errors
    /// Those of [`start`](Self::start).
    pub(crate) fn of_screen(deliver: Deliver, report: &Report, take: OnEvent) -> io::Result<Self> {
        Self::listen(deliver, report, |interrupts| Some(keys::events(take, interrupts)))
    }

    /// Receives signals only; the terminal stays as it is.
    ///
    /// # Errors
    /// Those of [`start`](Self::start).
    pub(crate) fn of_signals(deliver: Deliver, report: &Report) -> io::Result<Self> {
        Self::listen(deliver, report, |_| None)
    }

    fn listen(
        deliver: Deliver,
        report: &Report,
        take: impl FnOnce(Arc<Interrupts>) -> Option<OnEvent>,
    ) -> io::Result<Self> {
        let interrupts = Arc::new(Interrupts::new(Arc::clone(&deliver), report.clone()));
        signals::take_ctrl_c(Arc::clone(&interrupts))?;
        let keys = take(Arc::clone(&interrupts)).map(Keys::start).transpose()?;
        #[cfg(unix)]
        let waker = keys.as_ref().map(Keys::waker).transpose()?;
        Ok(Self {
            interrupts,
            #[cfg(unix)]
            _signals: signals::Signals::start(deliver, report.clone(), waker)?,
            _keys: keys,
        })
    }

    /// The message for when a second Ctrl-C leaves the program at once, such as where the unfinished file is.
    pub(crate) fn set_last_words(&self, message: Message) {
        self.interrupts.set_last_words(move || message.clone());
    }

    /// The same for a recording with that unfinished file: whether it is still unfinished is checked when the message
    /// is made.
    pub(crate) fn set_last_words_on(&self, part: PathBuf) {
        self.interrupts.set_last_words(move || match part.exists() {
            true => unfinished(&part),
            false => Message::new("interrupted when the recording had its name already")
                .hint("it is whole; whether it outlasts a power cut at this moment is not certain"),
        });
    }
}

/// The message about a recording that is left in the middle.
pub(crate) fn unfinished(part: &Path) -> Message {
    Message::new(format!("interrupted; the unfinished recording is {}", part.display()))
        .hint("`dictaphone recover` makes it whole")
}
