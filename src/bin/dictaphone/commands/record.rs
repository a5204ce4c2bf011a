//! `dictaphone record`: records until it is stopped.

use dictaphone::clips;

use crate::{
    cli::{RecordArgs, config::Config},
    input::Inputs,
    message::{Failure, Message, exit::Exit},
    plan::{self, Record, Surroundings, Target},
    report::{Report, outcome::Outcome},
    session::{
        self, Listener,
        listener::{JsonLines, LiveLine},
    },
};

/// Records.
///
/// # Errors
/// A usage failure before anything is opened; later whatever kept the recording from being saved.
pub(crate) fn run(args: RecordArgs, config: Config, report: &Report) -> Result<Exit, Failure> {
    let plan = plan::record(args, &Surroundings::look_around(config.record))?;
    mention_unfinished(&plan, report);
    report.silence_libraries();
    let mut listeners: Vec<Box<dyn Listener>> = Vec::new();
    listeners.extend(plan.json.map(|to| Box::new(JsonLines::new(report.clone(), to)) as Box<dyn Listener>));
    listeners.push(Box::new(LiveLine::new(report.clone(), &plan)));
    let outcome = session::record(plan.clone(), listeners, |deliver| Inputs::start(deliver, report))?;
    finish(&plan, &outcome, report)
}

/// The path for whoever wants it, and how the program ends.
fn finish(plan: &Record, outcome: &Outcome, report: &Report) -> Result<Exit, Failure> {
    if let Some(failure) = outcome.failure() {
        return Err(failure);
    }
    if let Some(path) = outcome.path().filter(|_| plan.prints_path) {
        report.path(path).map_err(|error| {
            let message = Message::new(format!("cannot print the path: {error}"));
            Failure::new(message.hint(format!("the recording is saved in {}", path.display())), Exit::Failed)
        })?;
    }
    let lost = report.take_lost_events();
    if let Some(error) = &lost {
        report.error(&Message::new(format!("cannot write the events: {error}")).hint("the recording itself is saved"));
    }
    // Whoever waits for events is not done with a lack of them.
    Ok(if lost.is_some() && outcome.exit() == Exit::Done { Exit::Failed } else { outcome.exit() })
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
