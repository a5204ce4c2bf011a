//! `dictaphone record`: records until it is stopped.

use dictaphone::clips;

use crate::{
    cli::{RecordArgs, config::Config},
    message::{Failure, Message, exit::Exit},
    plan::{self, Record, Surroundings, Target},
    report::Report,
    session,
};

/// Records.
///
/// # Errors
/// A usage failure before anything is opened; later whatever kept the recording from being saved.
pub(crate) fn run(args: RecordArgs, config: Config, report: &Report) -> Result<Exit, Failure> {
    let plan = plan::record(args, &Surroundings::look_around(config.record))?;
    mention_unfinished(&plan, report);
    report.silence_libraries();
    session::capture(&plan, report)
}

/// Says that the folder holds what a crash left behind. Nothing is repaired without being asked.
fn mention_unfinished(plan: &Record, report: &Report) {
    let folder = match &plan.target {
        Target::Stdout => return,
        Target::NewIn(folder, _) => folder.clone(),
        Target::File(path, _) => match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => parent.to_owned(),
            None => ".".into(),
        },
    };
    let count = clips::find(std::slice::from_ref(&folder)).unfinished.len();
    if count > 0 {
        let recordings = if count == 1 { "recording" } else { "recordings" };
        let text = format!("{count} unfinished {recordings} in {}", folder.display());
        report.warning(&Message::new(text).hint(format!("`dictaphone recover {}` makes them whole", folder.display())));
    }
}
