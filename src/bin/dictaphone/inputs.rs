//! Everything through which a user controls a running recording, as one stream of intents.

use std::{
    io::{self, IsTerminal},
    sync::Arc,
};

use crate::{
    intent::{Deliver, Interrupts},
    keys::Keys,
    message::Message,
    report::Report,
    signals,
};

/// The threads that listen. Dropping it ends them, and the terminal is as it was before.
pub(crate) struct Inputs {
    interrupts: Arc<Interrupts>,
    // Fields are dropped in this order: no signal may wake keys that are gone.
    #[cfg(unix)]
    _signals: signals::Signals,
    _keys: Option<Keys>,
}

impl Inputs {
    /// Listens to signals and, if a person sits at a terminal, to keys. At most once in a process.
    ///
    /// # Errors
    /// When the system refuses a handler, a descriptor or a thread.
    pub(crate) fn start(deliver: Deliver, report: &Report) -> io::Result<Self> {
        let interrupts = Arc::new(Interrupts::new(Arc::clone(&deliver), report.clone()));
        signals::take_ctrl_c(Arc::clone(&interrupts))?;
        let keys = match sits_at_terminal(report) {
            true => Some(Keys::start(Arc::clone(&deliver), Arc::clone(&interrupts))?),
            false => None,
        };
        #[cfg(unix)]
        let recheck = keys.as_ref().map(Keys::recheck).transpose()?;
        Ok(Self {
            interrupts,
            #[cfg(unix)]
            _signals: signals::Signals::start(
                deliver,
                report.clone(),
                recheck.map(|recheck| Box::new(recheck) as Box<dyn Fn() + Send>),
            )?,
            _keys: keys,
        })
    }

    /// What is said when a second Ctrl-C leaves the program at once, such as where the unfinished file is.
    pub(crate) fn set_last_words(&self, message: Message) {
        self.interrupts.set_last_words(message);
    }
}

/// Keys are taken only from someone who can also read what they do.
fn sits_at_terminal(report: &Report) -> bool {
    io::stdin().is_terminal() && report.is_terminal()
}
