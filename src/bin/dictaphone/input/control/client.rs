//! The client's end of the control socket: sends requests to a running recorder.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    thread,
    time::Duration,
};

use super::{
    folder,
    protocol::{Activity, Answer, Request},
};

/// How long a recorder may take to report its status.
const STATUS_TIMEOUT: Duration = Duration::from_secs(3);
/// How often and how soon to try again at a recorder that had no place for a client.
const ATTEMPTS_MAX: usize = 10;
const RETRY_INTERVAL: Duration = Duration::from_millis(20);
/// Longer than any answer of a recorder: whatever sends more is not one.
const MAX_ANSWER: u64 = 1 << 20;

/// A running recorder.
pub(crate) struct RunningRecorder {
    /// What it is found by.
    pub(crate) id: String,
    /// What it did when it was found.
    pub(crate) state: Activity,
    stream: BufReader<UnixStream>,
}

impl RunningRecorder {
    /// Sends a request and waits for the answer, which can take as long as it takes to make a file safe.
    ///
    /// # Errors
    /// When the recorder has gone.
    pub(crate) fn request(&mut self, request: &Request) -> io::Result<Answer> {
        self.send(request)?;
        self.next()
    }

    /// Sends a request without waiting for the answer.
    ///
    /// # Errors
    /// When the recorder has gone.
    pub(crate) fn send(&mut self, request: &Request) -> io::Result<()> {
        let line = serde_json::to_string(request)? + "\n";
        self.stream.get_mut().write_all(line.as_bytes())
    }

    /// The next answer.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] when the recorder has gone; another error when what it sends is not an answer.
    pub(crate) fn next(&mut self) -> io::Result<Answer> {
        let mut line = String::new();
        match self.stream.by_ref().take(MAX_ANSWER).read_line(&mut line)? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the recorder has gone")),
            _ => serde_json::from_str(&line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
        }
    }
}

/// The result of the first request to a recorder.
pub(crate) enum Greeting {
    /// It has answered.
    Answered(RunningRecorder),
    /// The socket accepts connections, but no answer comes.
    Silent,
    /// There is none.
    Nobody,
}

/// All recorders of this user.
#[derive(Default)]
pub(crate) struct RunningRecorders {
    /// Those that answer, the latest started first.
    pub(crate) recorders: Vec<RunningRecorder>,
    /// The ids of those that do not.
    pub(crate) silent: Vec<String>,
}

/// Looks for all recorders of this user.
///
/// # Errors
/// When the folder of the sockets cannot be used.
pub(crate) fn recorders() -> io::Result<RunningRecorders> {
    let folder = folder::folder()?;
    let mut found = RunningRecorders::default();
    for id in folder::recorders(&folder)? {
        match connect(&id, &folder::socket(&folder, &id)) {
            Greeting::Answered(recorder) => found.recorders.push(recorder),
            Greeting::Silent => found.silent.push(id),
            Greeting::Nobody => {}
        }
    }
    Ok(found)
}

/// Looks for the recorder of that id.
///
/// # Errors
/// When the folder of the sockets cannot be used.
pub(crate) fn recorder(id: &str) -> io::Result<Greeting> {
    Ok(connect(id, &folder::socket(&folder::folder()?, id)))
}

/// Asks for its status, again if it has no free place for a client.
fn connect(id: &str, socket: &Path) -> Greeting {
    for _ in 0..ATTEMPTS_MAX {
        let Ok(stream) = UnixStream::connect(socket) else { return Greeting::Nobody };
        match ask_state(id, stream) {
            Ok(recorder) => return recorder.map_or(Greeting::Nobody, Greeting::Answered),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => break,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Greeting::Nobody,
            // Turned away, or it has just ended.
            Err(_) => thread::sleep(RETRY_INTERVAL),
        }
    }
    Greeting::Silent
}

/// `None` if what answers is not a recorder.
fn ask_state(id: &str, stream: UnixStream) -> io::Result<Option<RunningRecorder>> {
    stream.set_read_timeout(Some(STATUS_TIMEOUT))?;
    stream.set_write_timeout(Some(STATUS_TIMEOUT))?;
    let mut recorder = RunningRecorder { id: id.to_owned(), state: Activity::Inactive, stream: BufReader::new(stream) };
    let Some(status) = recorder.request(&Request::Status {})?.status else { return Ok(None) };
    recorder.state = status.state;
    // From here on an answer can take as long as it takes to make a file safe.
    recorder.stream.get_mut().set_read_timeout(None)?;
    Ok(Some(recorder))
}
