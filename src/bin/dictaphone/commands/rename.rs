//! `dictaphone rename`: another name for a clip.

use std::io::{self, IsTerminal};

use anyhow::Context as _;
use dictaphone::{
    ErrorKind,
    clips::{self as library, Clip},
};

use crate::{
    cli::{RenameArgs, config::Config},
    message::{Failure, exit::Exit, file_failure},
    report::Report,
    shelf,
};

/// Renames the clip; its new path goes to standard output unless that is a terminal.
///
/// # Errors
/// If there is no such clip, the name is taken or impossible, or the file system refuses.
pub(crate) fn run(args: &RenameArgs, config: Config, report: &Report) -> anyhow::Result<Exit> {
    let folder = shelf::folder(&args.folder, config)?;
    let path = shelf::find_to_change(&folder, &args.clip)?;
    let target = library::rename(&path, &args.name).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => Failure::usage(error.to_string(), "the folder and the extension stay as they are"),
        ErrorKind::AlreadyExists => Failure::usage(error.to_string(), "choose another name; nothing is ever replaced"),
        _ => file_failure(&error),
    })?;
    report.note(&format!("renamed {} to {}", path.display(), target.display()));
    if args.json {
        let clip = Clip::read(&target).map_err(|error| file_failure(&error))?;
        report.facts(&clip)
    } else if io::stdout().is_terminal() {
        Ok(())
    } else {
        report.path(&target)
    }
    .context("cannot write the answer")?;
    Ok(Exit::Done)
}
