//! A session that drives itself: one recording of the plan, on the calling thread, from opening the device to the safe
//! file.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
};

use super::{Choice, Listener, Session, SessionInput, device};
use crate::{
    input::{Inputs, command::Deliver},
    message::{Failure, Message, exit::Exit},
    plan::Record,
    report::outcome::{Kept, Outcome},
};

/// Records what was planned. `listen` starts the sources of commands; they are dropped when the file is safe and before
/// anything is reported about it, so that keys which are typed then go to the shell again.
///
/// # Errors
/// When there are no inputs, the device cannot be opened, or the recording cannot begin.
pub(crate) fn record(
    plan: Record,
    listeners: Vec<Box<dyn Listener>>,
    listen: impl FnOnce(Deliver) -> Result<Inputs, Failure>,
) -> Result<Outcome, Failure> {
    let (sender, arrivals) = channel();
    let commands = sender.clone();
    // Before the device is opened, so that a signal which comes meanwhile is not lost. Once the recording is saved,
    // commands have no receiver any more.
    let deliver = Arc::new(move |command| {
        let _ = commands.send(SessionInput::Command(command));
    });
    let inputs = listen(deliver)?;
    let is_watched = listeners.iter().any(|listener| listener.wants_levels());
    let latency = device::latency(&plan, is_watched);
    let post = Arc::new(move |input| {
        let _ = sender.send(input);
    });
    let mut session = Session::new(plan, latency, post);
    listeners.into_iter().for_each(|listener| session.add_listener(listener));
    session.open_and_record(Choice::Last);
    let mut inputs = Some(inputs);
    // The panic hook has reported the bug, which must not affect what was recorded.
    while panic::catch_unwind(AssertUnwindSafe(|| drive(&mut session, &arrivals, &mut inputs))).is_err() {
        if session.has_broken_down() {
            break;
        }
        session.break_down();
    }
    let outcome = session.take_result();
    // The device is closed last: the file is safe, whatever closing does.
    session.close();
    outcome.unwrap_or_else(|| Err(Failure::new(Message::new("the recording failed by a bug"), Exit::Failed)))
}

fn drive(session: &mut Session, arrivals: &Receiver<SessionInput>, inputs: &mut Option<Inputs>) {
    let mut is_part_known = false;
    while session.is_busy() {
        let arrived = match session.wait() {
            Some(wait) => arrivals.recv_timeout(wait),
            None => arrivals.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match arrived {
            Ok(input) => {
                if let SessionInput::Saved(kept, ..) = &input
                    && let Some(inputs) = inputs.take()
                    && let Kept::File { path, .. } = kept
                {
                    // Whatever may still delay the program cannot harm the recording.
                    let path = path.display();
                    inputs.set_last_words(Message::new(format!("interrupted; the recording is saved in {path}")));
                }
                session.on_input(input);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        session.tick();
        if !is_part_known && let (Some(part), Some(inputs)) = (session.part(), inputs.as_ref()) {
            // The user finds the recording in what a second Ctrl-C leaves behind.
            inputs.set_last_words_on(part);
            is_part_known = true;
        }
    }
}
