//! The other end of the control socket: asks a running recorder.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    time::Duration,
};

use super::{
    folder,
    protocol::{Activity, Answer, Request},
};

/// How long a recorder may take to say how it stands.
const STATUS_TIMEOUT: Duration = Duration::from_secs(3);

/// A running recorder.
pub(crate) struct Recorder {
    /// What it is found by.
    pub(crate) id: String,
    /// What it did when it was found.
    pub(crate) state: Activity,
    stream: BufReader<UnixStream>,
}

impl Recorder {
    /// Asks for something and waits for the answer, which takes as long as a file takes to be safe.
    ///
    /// # Errors
    /// When the recorder has gone.
    pub(crate) fn request(&mut self, request: &Request) -> io::Result<Answer> {
        self.send(request)?;
        self.next()
    }

    /// Asks without waiting.
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
    /// [`io::ErrorKind::UnexpectedEof`] when the recorder has gone; when what it says is no answer.
    pub(crate) fn next(&mut self) -> io::Result<Answer> {
        let mut line = String::new();
        match self.stream.read_line(&mut line)? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the recorder has gone")),
            _ => serde_json::from_str(&line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
        }
    }
}

/// All recorders of this user that answer, the one that started last in front.
///
/// # Errors
/// When the folder of the sockets cannot be used.
pub(crate) fn recorders() -> io::Result<Vec<Recorder>> {
    let found = folder::recorders(&folder::folder()?)?;
    Ok(found.into_iter().filter_map(|(id, stream)| connect(id, stream)).collect())
}

/// The recorder of that id, if it answers.
///
/// # Errors
/// When the folder of the sockets cannot be used.
pub(crate) fn recorder(id: &str) -> io::Result<Option<Recorder>> {
    let socket = folder::socket(&folder::folder()?, id);
    Ok(UnixStream::connect(socket).ok().and_then(|stream| connect(id.to_owned(), stream)))
}

/// Asks how it stands; a socket behind which there is no recorder, or one that stands still, is none.
fn connect(id: String, stream: UnixStream) -> Option<Recorder> {
    stream.set_read_timeout(Some(STATUS_TIMEOUT)).ok()?;
    stream.set_write_timeout(Some(STATUS_TIMEOUT)).ok()?;
    let mut recorder = Recorder { id, state: Activity::Inactive, stream: BufReader::new(stream) };
    let answer = recorder.request(&Request::Status {}).ok()?;
    recorder.state = answer.status?.state;
    // From here on an answer takes as long as a file takes to be safe.
    recorder.stream.get_mut().set_read_timeout(None).ok()?;
    Some(recorder)
}
