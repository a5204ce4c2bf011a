//! `dictaphone ctl`: sends requests to a running recorder, and starts one in the background where none runs.
//!
//! Everything that a recorder can do is requested on its control socket (`input::control`). This module decides which
//! recorder is meant, prints the result, and makes concurrent calls that start and stop (`toggle`) take turns.
//! `background` starts a recorder that outlives this call, `bar` words the status for a status bar.

mod background;
mod bar;

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    thread,
    time::Duration,
};

use crate::{
    cli::{CtlAction, CtlArgs, StatusFormat},
    input::control::{
        client::{self, Greeting, RunningRecorder, RunningRecorders},
        folder,
        protocol::{Activity, Answer, Request, Saved, Status},
    },
    message::{Failure, Message, exit::Exit},
    report::Report,
};

pub(crate) use self::background::{detach, is_detached};

/// How often a status bar looks for a recorder while there is none.
const SEARCH_INTERVAL: Duration = Duration::from_millis(100);

/// Sends the request of the arguments.
///
/// # Errors
/// When no recorder runs (exit code 6), the recorder refuses (1), or the arguments do not say which one.
pub(crate) fn run(args: CtlArgs, report: &Report) -> Result<Exit, Failure> {
    if let Some(id) = args.id.as_deref().filter(|id| !folder::is_id(id)) {
        return Err(Failure::usage(format!("'{id}' is no id of a recorder"), "`dictaphone ctl status` tells the id"));
    }
    let ctl = Ctl { id: args.id, json: args.json, report };
    match args.action {
        CtlAction::Start { record } => ctl.start(&record),
        CtlAction::Toggle { record } => ctl.toggle(&record),
        CtlAction::Pause => ctl.request(&Request::Pause {}),
        CtlAction::Resume => ctl.request(&Request::Resume {}),
        CtlAction::Stop { tail } => ctl.request(&Request::Stop { tail_s: tail.unwrap_or_default().as_secs_f64() }),
        CtlAction::Keep => ctl.request(&Request::Keep {}),
        CtlAction::Mark { text } => ctl.request(&Request::Mark { text: text.join(" ") }),
        CtlAction::Next => ctl.request(&Request::Next {}),
        CtlAction::Quit => ctl.request(&Request::Quit {}),
        CtlAction::Status { format } => ctl.status(format),
        CtlAction::Follow { format } => ctl.follow(format),
    }
}

struct Ctl<'a> {
    id: Option<String>,
    json: bool,
    report: &'a Report,
}

fn no_folder(error: &io::Error) -> Failure {
    Failure::new(Message::new(format!("cannot look for recorders: {error}")), Exit::Failed)
}

fn none_running() -> Failure {
    let message = Message::new("no recorder is running").hint("`dictaphone ctl start` starts one in the background");
    Failure::new(message, Exit::NotRunning)
}

/// It may still record, so "no recorder" would be wrong.
fn silent(id: &str) -> Failure {
    let message =
        Message::new(format!("the recorder {id} gives no answer")).hint("is its process stopped, or its disk?");
    Failure::new(message, Exit::Failed)
}

fn gone(error: &io::Error) -> Failure {
    Failure::new(Message::new(format!("the recorder gave no answer: {error}")), Exit::Failed)
}

impl Ctl<'_> {
    /// The recorder that is meant: of that id, the only one, or the only one that records.
    fn find(&self) -> Result<Option<RunningRecorder>, Failure> {
        if let Some(id) = &self.id {
            return match client::recorder(id).map_err(|error| no_folder(&error))? {
                Greeting::Answered(recorder) => Ok(Some(recorder)),
                Greeting::Silent => Err(silent(id)),
                Greeting::Nobody => Ok(None),
            };
        }
        let RunningRecorders { recorders: mut found, silent: others } =
            client::recorders().map_err(|error| no_folder(&error))?;
        if let (true, Some(id)) = (found.is_empty(), others.first()) {
            return Err(silent(id));
        }
        if found.len() > 1 && found.iter().any(|recorder| recorder.state != Activity::Inactive) {
            found.retain(|recorder| recorder.state != Activity::Inactive);
        }
        if found.len() > 1 {
            let ids = found.iter().map(|recorder| recorder.id.as_str()).collect::<Vec<_>>().join(", ");
            let text = format!("{} recorders are running: {ids}", found.len());
            return Err(Failure::usage(text, "`--id ID` says which one is meant"));
        }
        Ok(found.pop())
    }

    fn request(&self, request: &Request) -> Result<Exit, Failure> {
        let mut recorder = self.find()?.ok_or_else(none_running)?;
        let answer = recorder.request(request).map_err(|error| gone(&error))?;
        self.report(&answer)
    }

    /// Reports the outcome: the path of a file that was finished is the only thing on standard output.
    fn report(&self, answer: &Answer) -> Result<Exit, Failure> {
        if self.json {
            self.report.facts(answer).map_err(cannot_write)?;
        }
        if let Some(refusal) = &answer.error {
            let message = Message::new(refusal.message.clone()).hint(format!("this is an {}", refusal.name));
            return Err(Failure::new(message, Exit::Failed));
        }
        match &answer.saved {
            Some(saved) => self.report_saved(saved),
            None => Ok(Exit::Done),
        }
    }

    fn report_saved(&self, saved: &Saved) -> Result<Exit, Failure> {
        if let (Some(path), false) = (&saved.path, self.json) {
            self.report.path(Path::new(path)).map_err(cannot_write)?;
        }
        if let Some(message) = &saved.message {
            self.report.warning(&Message::new(message.clone()));
        }
        Ok(Exit::ALL.into_iter().find(|exit| exit.code() == saved.exit).unwrap_or(Exit::Failed))
    }

    fn start(&self, record: &[String]) -> Result<Exit, Failure> {
        let _turn = take_turn()?;
        match self.find()? {
            Some(recorder) => self.start_with(recorder, record),
            None => self.begin(record),
        }
    }

    /// Sends it the request to record; if it is about to end, a new one is started instead.
    fn start_with(&self, mut recorder: RunningRecorder, record: &[String]) -> Result<Exit, Failure> {
        let answer = recorder.request(&Request::Start {});
        let is_refused = answer.as_ref().map_or(true, |answer| !answer.ok);
        if recorder.state == Activity::Inactive && is_refused && self.find()?.is_none() {
            return self.begin(record);
        }
        self.report(&answer.map_err(|error| gone(&error))?)
    }

    /// Starts if nothing is recorded, and stops if something is. A concurrent call waits until this one is done, so
    /// that the calls alternate.
    fn toggle(&self, record: &[String]) -> Result<Exit, Failure> {
        let _turn = take_turn()?;
        match self.find()? {
            Some(recorder) if recorder.state == Activity::Inactive => self.start_with(recorder, record),
            Some(mut recorder) => {
                let answer = recorder.request(&Request::Stop { tail_s: 0.0 });
                self.report(&answer.map_err(|error| gone(&error))?)
            }
            None => self.begin(record),
        }
    }

    fn begin(&self, record: &[String]) -> Result<Exit, Failure> {
        let started = background::start(record)?;
        if !self.json {
            return Ok(Exit::Done);
        }
        self.report(&match started {
            Some(mut recorder) => recorder.request(&Request::Status {}).map_err(|error| gone(&error))?,
            // It is done already.
            None => Answer::done(Status::default()),
        })
    }

    fn status(&self, format: StatusFormat) -> Result<Exit, Failure> {
        let found = self.find()?;
        let Some(mut recorder) = found else {
            if format == StatusFormat::Waybar {
                self.report.facts(&bar::line(None)).map_err(cannot_write)?;
                return Ok(Exit::NotRunning);
            }
            return Err(none_running());
        };
        let answer = recorder.request(&Request::Status {}).map_err(|error| gone(&error))?;
        let status = answer.status.unwrap_or_default();
        self.print(&status, format).map(|()| Exit::Done)
    }

    fn print(&self, status: &Status, format: StatusFormat) -> Result<(), Failure> {
        let printed = match format {
            StatusFormat::Waybar => self.report.facts(&bar::line(Some(status))),
            StatusFormat::Text if self.json => self.report.facts(status),
            StatusFormat::Text => self.report.data(bar::sentence(status).as_bytes()),
        };
        printed.map_err(cannot_write)
    }

    /// A line at every change. For a status bar it goes on from one recorder to the next.
    fn follow(&self, format: StatusFormat) -> Result<Exit, Failure> {
        let endless = format == StatusFormat::Waybar;
        let mut said_none = false;
        loop {
            match self.find() {
                Ok(Some(mut recorder)) => {
                    said_none = false;
                    recorder.send(&Request::Follow {}).map_err(|error| gone(&error))?;
                    while let Ok(answer) = recorder.next() {
                        self.print(&answer.status.unwrap_or_default(), format)?;
                    }
                    if !endless {
                        return Ok(Exit::Done);
                    }
                }
                Ok(None) if !endless => return Err(none_running()),
                Ok(None) if !said_none => {
                    self.report.facts(&bar::line(None)).map_err(cannot_write)?;
                    said_none = true;
                }
                Ok(None) => {}
                Err(failure) if !endless => return Err(failure),
                // Two at once: the bar shows one of them again when the other has ended.
                Err(_) => {}
            }
            thread::sleep(SEARCH_INTERVAL);
        }
    }
}

/// Takes the lock for a start or a stop; other calls wait until it is dropped.
fn take_turn() -> Result<File, Failure> {
    let path = folder::folder().map_err(|error| no_folder(&error))?.join("turn.lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = file.map_err(|error| no_folder(&error))?;
    let lock = || rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive);
    rustix::io::retry_on_intr(lock).map_err(|error| no_folder(&error.into()))?;
    Ok(file)
}

fn cannot_write(error: io::Error) -> Failure {
    Failure::new(Message::new(format!("cannot write the answer: {error}")), Exit::Failed)
}
