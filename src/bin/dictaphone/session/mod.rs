//! One recording from open to outcome: `open` gets the device and starts the recorder, `run` watches over it, `pipe` feeds
//! standard output, `save` gives the file its name and says what came of it all.

mod happenings;
pub(crate) mod open;
mod pipe;
mod run;
mod save;
mod source;

use std::{
    panic::{self, AssertUnwindSafe},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use dictaphone::media::MediaStreamTrack;

use self::{happenings::Happening, open::Opened, run::Session};
use crate::{
    input::command::Command,
    message::{Failure, Message, exit::Exit},
    plan::{Record, Target},
    report::{
        Report,
        json::{Event, What},
        printer::Worth,
    },
};

/// Whoever reads events hears of a recording that did not even begin as well.
fn tell_refusal(plan: &Record, report: &Report, failure: &Failure) {
    let Some(to) = plan.json else { return };
    let what = What::Error { name: failure.name, message: failure.message.text.clone() };
    // The failure itself is told by the program, whatever becomes of the event.
    let _ = report.event(to, &Event::new(0, 0.0, what), Worth::Kept);
}

/// Opens the device on a thread of its own, because a sound server may keep it waiting while the user wants to leave.
///
/// # Errors
/// Those of [`Opened::open`]; a failure if the user stops it first.
fn open(
    plan: &Record,
    report: &Report,
    sender: &Sender<Happening>,
    happenings: &Receiver<Happening>,
) -> Result<Opened, Failure> {
    let failed = |text: &str| Failure::new(Message::new(text), Exit::Failed);
    let (plan, report, answer) = (plan.clone(), report.clone(), sender.clone());
    let opening = move || {
        let opened = panic::catch_unwind(AssertUnwindSafe(|| Opened::open(&plan, &report)))
            .unwrap_or_else(|_| Err(failed("the device was not opened because of a bug")));
        // Nobody waits any more: what was opened is closed right here.
        let _ = answer.send(Happening::Opened(Box::new(opened)));
    };
    let spawned = thread::Builder::new().name("open".to_owned()).spawn(opening);
    spawned.map_err(|error| failed(&format!("cannot open the device: {error}")))?;
    let mut meanwhile = Vec::new();
    for happening in happenings {
        match happening {
            Happening::Opened(opened) => {
                meanwhile.into_iter().try_for_each(|happening| sender.send(happening)).unwrap_or_default();
                return *opened;
            }
            Happening::Command(Command::Stop) => break,
            other => meanwhile.push(other),
        }
    }
    Err(Failure::stopped(Message::new("nothing was recorded").hint("it was stopped before the device was open")))
}

/// Does what was planned.
///
/// # Errors
/// Whatever kept the recording from being saved.
pub(crate) fn capture(plan: &Record, report: &Report) -> Result<Exit, Failure> {
    let (sender, happenings) = channel();
    // Before the device is opened, so that a signal which comes meanwhile is not lost.
    let inputs = happenings::listen(&sender, report)?;
    let refused = |failure: &Failure| tell_refusal(plan, report, failure);
    let opened = open(plan, report, &sender, &happenings).inspect_err(refused)?;
    let session = Session::start(plan, report, &opened, &inputs, sender).inspect_err(refused)?;
    // The hook has told about the bug; what was recorded is not its fault.
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| session.run(&happenings)))
        .unwrap_or_else(|_| run::rescue(&opened.recorder, plan.target == Target::Stdout, &happenings));
    let exit = save::save(plan, report, &opened, inputs, outcome);
    // The device comes last: the file is safe, whatever closing it does.
    opened.stream.tracks().iter().for_each(MediaStreamTrack::stop);
    exit
}
