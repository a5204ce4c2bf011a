//! `dictaphone record`: records until it is stopped.

use std::{
    env,
    io::{self, IsTerminal},
};

use dictaphone::{Error, ErrorKind};

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

fn surroundings() -> Surroundings<'static> {
    Surroundings {
        stdout_is_terminal: io::stdout().is_terminal(),
        dictaphone_dir: env::var_os("DICTAPHONE_DIR"),
        music_folder: dirs::audio_dir(),
        home: dirs::home_dir(),
        look: &Found::at,
    }
}

/// Does what was planned.
fn capture(_plan: &Record, _report: &Report) -> Result<Exit, Failure> {
    Err(Error::new(ErrorKind::NotSupported, "this build has no recorder").into())
}
