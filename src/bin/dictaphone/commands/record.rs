//! `dictaphone record`: records until it is stopped.
//!
//! Here the parts are joined: `open` gets the device and starts the recorder, `session` runs it and watches over it,
//! `pipe` feeds standard output, `save` gives the file its name and says what came of it all.

mod open;
mod pipe;
mod save;
mod session;

use std::{
    env,
    io::{self, IsTerminal},
    sync::mpsc::channel,
};

use dictaphone::media::MediaStreamTrack;

use self::{open::Opened, session::Session};
use crate::{
    cli::RecordArgs,
    exit::Exit,
    message::Failure,
    plan::{self, Found, Record, Surroundings},
    report::Report,
};

/// Records.
///
/// # Errors
/// A usage failure before anything is opened; later whatever kept the recording from being saved.
pub(crate) fn run(args: RecordArgs, report: &Report) -> Result<Exit, Failure> {
    let plan = plan::record(args, &surroundings())?;
    report.silence_libraries();
    capture(&plan, report)
}

/// What the plan needs to know about the world.
pub(crate) fn surroundings() -> Surroundings<'static> {
    Surroundings {
        stdout_is_terminal: io::stdout().is_terminal(),
        dictaphone_dir: env::var_os("DICTAPHONE_DIR"),
        music_folder: dirs::audio_dir(),
        home: dirs::home_dir(),
        look: &Found::at,
    }
}

/// Does what was planned.
fn capture(plan: &Record, report: &Report) -> Result<Exit, Failure> {
    let (sender, happenings) = channel();
    // Before the device is opened, so that a signal which comes meanwhile is not lost.
    let inputs = session::listen(&sender, report)?;
    let opened = Opened::open(plan, report)?;
    let session = Session::start(plan, report, &opened, &inputs, sender)?;
    let outcome = session.run(&happenings);
    let exit = save::save(plan, report, &opened, outcome);
    // The device comes last: the file is safe, whatever closing it does.
    opened.stream.tracks().iter().for_each(MediaStreamTrack::stop);
    exit
}
