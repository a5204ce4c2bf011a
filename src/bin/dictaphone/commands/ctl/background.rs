//! A recorder in the background: started here, it keeps running when this call, its terminal and its shell have ended.

use std::{
    env,
    fs::{self, File},
    io::{self, Read as _, Seek as _},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use super::no_folder;
use crate::{
    input::control::{
        client::{self, Greeting, RunningRecorder},
        folder,
        protocol::{Activity, Request},
    },
    message::{Failure, Message, exit::Exit},
};

/// This variable makes the recorder leave the terminal of the process that started it.
const DETACHED: &str = "DICTAPHONE_DETACHED";

/// How often to check whether it records yet.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// Leaves terminal and session of the process that started this one, if it was started in the background. Called before
/// any thread is started.
pub(crate) fn detach() {
    if is_detached() {
        // Refused if it leads a process group already, and then there is nothing to leave.
        let _ = rustix::process::setsid();
    }
}

/// Whether this process was started in the background: without control from outside it could never be stopped.
pub(crate) fn is_detached() -> bool {
    env::var_os(DETACHED).is_some()
}

/// Starts `dictaphone record` with those arguments, and returns when its first frame is captured; `None` if it is done
/// by then.
///
/// # Errors
/// The messages of the recorder, with its exit code, if it ends before in another way.
pub(super) fn start(record: &[String]) -> Result<Option<RunningRecorder>, Failure> {
    let said = log().map_err(|error| no_folder(&error))?;
    let mut child = spawn(record, &said).map_err(|error| cannot_start(&error))?;
    let id = child.id().to_string();
    loop {
        if let Some(status) = child.try_wait().map_err(|error| cannot_start(&error))? {
            return if status.success() { Ok(None) } else { Err(refused(said, status.code())) };
        }
        let found = client::recorder(&id).map_err(|error| no_folder(&error))?;
        if let Greeting::Answered(mut recorder) = found
            && let Some(recorder) = wait_for_frames(&mut child, recorder.send(&Request::Follow {}), recorder)
        {
            return Ok(Some(recorder));
        }
        thread::sleep(LOOK_INTERVAL);
    }
}

/// Follows it until it records. `None` if it ends first.
fn wait_for_frames(child: &mut Child, sent: io::Result<()>, mut recorder: RunningRecorder) -> Option<RunningRecorder> {
    sent.ok()?;
    loop {
        let status = recorder.next().ok()?.status?;
        if status.state != Activity::Inactive {
            // This connection only follows; further requests are sent on another.
            let Greeting::Answered(recorder) = client::recorder(&recorder.id).ok()? else { return None };
            return Some(recorder);
        }
        if child.try_wait().ok()?.is_some() {
            return None;
        }
    }
}

/// A file without a name for the output of the recorder: it is not read once the recorder records.
fn log() -> io::Result<File> {
    let path = folder::folder()?.join(format!("start-{}.log", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

fn spawn(record: &[String], said: &File) -> io::Result<Child> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("record").args(record).env(DETACHED, "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said.try_clone()?);
    command.spawn()
}

fn cannot_start(error: &io::Error) -> Failure {
    Failure::new(Message::new(format!("cannot start a recorder: {error}")), Exit::Failed)
}

/// Its own message, unchanged.
fn refused(mut said: File, code: Option<i32>) -> Failure {
    let mut text = String::new();
    let _ = said.rewind().and_then(|()| said.read_to_string(&mut text));
    let line = |prefix: &str| text.lines().find_map(|line| line.strip_prefix(prefix)).map(str::to_owned);
    let message = Message {
        text: line("error: ").unwrap_or_else(|| "the recorder ended at once".to_owned()),
        hint: line("hint: ").map(Into::into),
    };
    let exit = Exit::ALL.into_iter().find(|exit| code == Some(exit.code().into())).filter(|exit| *exit != Exit::Done);
    Failure::new(message, exit.unwrap_or(Exit::Failed))
}
