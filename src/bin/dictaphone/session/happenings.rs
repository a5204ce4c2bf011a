//! Everything that a running recording hears of, from whichever thread, as one stream.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, Sender},
    },
    thread,
};

use dictaphone::media::{RecorderEvent, TrackEvent};

use super::{open::Opened, pipe::Piped};
use crate::{
    input::{Inputs, command::Command},
    message::{Failure, Message, exit::Exit},
    report::Report,
};

/// Everything that the loop hears of.
pub(crate) enum Happening {
    /// The device is open, or does not open. Comes once, before there is a session.
    Opened(Box<Result<Opened, Failure>>),
    Command(Command),
    Recorder(RecorderEvent),
    Track(TrackEvent),
    /// Standard output has everything, or its reader has gone.
    Piped(Piped),
}

/// Begins to listen to signals and keys.
///
/// # Errors
/// When the system refuses a handler or a thread.
pub(crate) fn listen(happenings: &Sender<Happening>, report: &Report) -> Result<Inputs, Failure> {
    let sender = happenings.clone();
    let deliver = Arc::new(move |intent| {
        // Nobody listens any more once the recording is saved.
        let _ = sender.send(Happening::Command(intent));
    });
    Inputs::start(deliver, report).map_err(|error| cannot("listen to signals", &error))
}

/// Brings what comes from one channel into another, on a thread of that name, until either end closes.
pub(super) fn forward<T: Send + 'static>(
    name: &str,
    from: Receiver<T>,
    to: Sender<Happening>,
    wrap: fn(T) -> Happening,
) -> Result<(), Failure> {
    let run = move || from.into_iter().try_for_each(|item| to.send(wrap(item)).map_err(drop));
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _ = run();
    });
    thread.map(drop).map_err(|error| cannot("start a thread", &error))
}

/// What the system refused.
pub(super) fn cannot(what: &str, error: &io::Error) -> Failure {
    Failure::new(Message::new(format!("cannot {what}: {error}")), Exit::Failed)
}
