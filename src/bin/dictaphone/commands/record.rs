//! `dictaphone record`: records until it is stopped.

#[cfg(unix)]
use std::sync::Arc;

use dictaphone::clips::{
    self,
    retention::{self, Keep},
};

use crate::{
    cli::{RecordArgs, config::Config},
    input::{Inputs, command::Deliver},
    message::{Failure, Message, exit::Exit},
    plan::{self, Record, Surroundings, Target},
    report::{Report, outcome::Outcome},
    session::{
        self, Listener, SessionEvent, What,
        listener::{Hooks, JsonLines, LiveLine},
    },
};
#[cfg(unix)]
use crate::{
    commands::ctl,
    input::control::{self, Board, Control},
    session::listener::{BoardKeeper, Systemd},
};

/// Records.
///
/// # Errors
/// A usage failure before anything is opened; later whatever kept the recording from being saved.
pub(crate) fn run(args: RecordArgs, config: Config, report: &Report) -> anyhow::Result<Exit> {
    let dry_run = args.steps.dry_run;
    let mut plan = plan::record(args, &Surroundings::look_around(config.record))?;
    plan.is_awaited = is_awaited();
    if let Some(keep) = plan.steps.keep.filter(|_| dry_run) {
        return would_delete(&plan, keep, report);
    }
    mention_unfinished(&plan, report);
    report.silence_libraries();
    let mut listeners: Vec<Box<dyn Listener>> = Vec::new();
    listeners.extend(plan.json.map(|to| Box::new(JsonLines::new(report.clone(), to)) as Box<dyn Listener>));
    listeners.push(Box::new(LiveLine::new(report.clone(), &plan)));
    #[cfg(unix)]
    listeners.extend(Systemd::from_environment().map(|systemd| Box::new(systemd) as Box<dyn Listener>));
    listeners.extend(plan.prints_path.then(|| Box::new(Paths(report.clone())) as Box<dyn Listener>));
    if !plan.hooks.is_empty() {
        listeners.push(Box::new(Hooks::start(plan.hooks.clone(), report.clone())?));
    }
    #[cfg(unix)]
    let (board, mut control) = (control::board(), None);
    #[cfg(unix)]
    listeners.push(Box::new(BoardKeeper::new(Arc::clone(&board), true)));
    let listen = |deliver: Deliver| {
        #[cfg(unix)]
        {
            control = start_control(board, Arc::clone(&deliver), report)?;
        }
        let inputs = Inputs::start(deliver, report);
        inputs.map_err(|error| failed_to(&format!("listen to signals: {error}")))
    };
    let outcome = session::record(plan.clone(), listeners, listen);
    // A client that has asked for the end gets its answer before the socket is removed.
    #[cfg(unix)]
    drop(control);
    finish(&plan, &outcome?, report)
}

fn failed_to(what: &str) -> Failure {
    Failure::new(Message::new(format!("cannot {what}")), Exit::Failed)
}

/// Without a socket only control from outside is lost; but in the background the recorder could not be stopped.
#[cfg(unix)]
fn start_control(board: Arc<Board>, deliver: Deliver, report: &Report) -> Result<Option<Control>, Failure> {
    match Control::start(board, deliver) {
        Ok(control) => Ok(Some(control)),
        Err(error) if ctl::is_detached() => Err(failed_to(&format!("listen for `dictaphone ctl`: {error}"))),
        Err(error) => {
            report.warning(&Message::new(format!("`dictaphone ctl` does not find this recorder: {error}")));
            Ok(None)
        }
    }
}

/// Whether `ctl` waits for its first frame.
fn is_awaited() -> bool {
    #[cfg(unix)]
    return ctl::is_detached();
    #[cfg(not(unix))]
    false
}

/// Prints the path of each file that is followed by another, as soon as it is safe.
struct Paths(Report);

impl Listener for Paths {
    fn on_event(&mut self, event: &SessionEvent<'_>) {
        if let What::FileSaved(outcome) = event.what
            && let Some(path) = outcome.path()
            && let Err(error) = self.0.path(path)
        {
            log::warn!("cannot print the path {}: {error}", path.display());
        }
    }
}

/// What `--keep` would delete now, one path a line.
fn would_delete(plan: &Record, keep: Keep, report: &Report) -> anyhow::Result<Exit> {
    let Some(folder) = plan.folder() else { return Ok(Exit::Done) };
    let clips = if folder.is_dir() { retention::own_clips(&folder)? } else { Vec::new() };
    let surplus = retention::surplus(&clips, keep);
    for clip in &surplus {
        report
            .path(&clip.path)
            .map_err(|error| Failure::new(Message::new(format!("cannot print the paths: {error}")), Exit::Failed))?;
    }
    report.note(&format!("{} of {} own files in {} would be deleted", surplus.len(), clips.len(), folder.display()));
    Ok(Exit::Done)
}

/// Prints the path if it is to be printed, and returns how the program ends.
fn finish(plan: &Record, outcome: &Outcome, report: &Report) -> anyhow::Result<Exit> {
    if let Some(failure) = outcome.failure() {
        return if outcome.is_known { Ok(failure.exit) } else { Err(failure.into()) };
    }
    if let Some(path) = outcome.path().filter(|_| plan.prints_path && !outcome.is_known) {
        report.path(path).map_err(|error| {
            let message = Message::new(format!("cannot print the path: {error}"));
            Failure::new(message.hint(format!("the recording is saved in {}", path.display())), Exit::Failed)
        })?;
    }
    let lost = report.take_lost_events();
    if let Some(error) = &lost {
        report.error(&Message::new(format!("cannot write the events: {error}")).hint("the recording itself is saved"));
    }
    // Where events were to be written, a recording without all of them is not done.
    Ok(if lost.is_some() && outcome.exit() == Exit::Done { Exit::Failed } else { outcome.exit() })
}

/// Reports that the folder holds what a crash left behind. Nothing is repaired without being asked for.
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
