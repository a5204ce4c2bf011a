//! The control socket: requests on it become the same commands as keys and signals.
//!
//! Owns the thread `control`, which waits for clients and costs nothing while there are none, and one thread for each
//! client (`client`); `clients` limits their number. A client can be slow, send garbage or vanish: it has limits of its
//! own, and the recording never waits for it. Only processes of the same user are answered. The messages are defined in
//! `protocol`.

mod board;
pub(crate) mod client;
mod clients;
pub(crate) mod folder;
pub(crate) mod protocol;

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, poll};

pub(crate) use self::board::Board;
use self::{
    board::Known,
    clients::{Client, Clients, Standing},
    protocol::{Activity, Answer, MAX_LINE, Refusal, Request, Status},
};
use super::command::{Command, Deliver};

/// How long a client may take to read an answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a command may take to show in the state.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a file may take to be safe.
pub(crate) const SAVE_TIMEOUT: Duration = Duration::from_secs(120);
/// How long an answer about the level waits for a fresh one.
const LEVEL_TIMEOUT: Duration = Duration::from_millis(400);
/// How often the time is sent to followers.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(1);
/// How long the end of the program waits for the last answers.
const LAST_ANSWERS_TIMEOUT: Duration = Duration::from_secs(2);
/// How many lines that are not requests a client may send before it is disconnected.
const MAX_GARBAGE: u32 = 20_000;

/// A board for the recorder of this process, whose id is the number of the process.
pub(crate) fn board() -> Arc<Board> {
    Arc::new(Board::new(&std::process::id().to_string()))
}

/// The open socket. Dropping it waits for the last answers and removes the socket.
pub(crate) struct Control {
    server: Arc<Server>,
    /// Its other end wakes the thread that waits for clients.
    quit: UnixStream,
    thread: Option<JoinHandle<()>>,
}

struct Server {
    board: Arc<Board>,
    deliver: Deliver,
    clients: Clients,
    /// Requests that are being answered.
    busy: AtomicUsize,
}

impl Control {
    /// Listens for clients, under the number of this process.
    ///
    /// # Errors
    /// When there is no private folder for the socket, or the system refuses socket or thread.
    pub(crate) fn start(board: Arc<Board>, deliver: Deliver) -> io::Result<Self> {
        let folder = folder::folder()?;
        let id = board.read(|known| known.status.id.clone());
        let path = folder::socket(&folder, &id);
        let unnamed = folder.join(format!("{id}.new"));
        let _ = fs::remove_file(&unnamed);
        let listener = UnixListener::bind(&unnamed)?;
        // It gets its name when there is a listener, so that a socket that refuses connections is always a dead one.
        fs::rename(&unnamed, &path)?;
        board.write(|known| known.socket = Some(path));
        let (quit, woken) = UnixStream::pair()?;
        let server = Arc::new(Server { board, deliver, clients: Clients::default(), busy: AtomicUsize::new(0) });
        let serving = Arc::clone(&server);
        let accept = move || serving.accept(&listener, &woken);
        let thread = thread::Builder::new().name("control".to_owned()).spawn(accept)?;
        Ok(Self { server, quit, thread: Some(thread) })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.server.board.write(|known| known.is_over = true);
        self.server.board.hide();
        let _ = (&self.quit).write_all(b"q");
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let until = Instant::now() + LAST_ANSWERS_TIMEOUT;
        while self.server.busy.load(Ordering::SeqCst) > 0 && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Server {
    fn accept(self: Arc<Self>, listener: &UnixListener, quit: &UnixStream) {
        loop {
            let mut ready = [PollFd::new(listener, PollFlags::IN), PollFd::new(quit, PollFlags::IN)];
            match poll(&mut ready, None) {
                Ok(_) if ready[1].revents().is_empty() => {}
                Err(rustix::io::Errno::INTR) => continue,
                _ => return,
            }
            // A client that has already disconnected is no reason to stop; without free descriptors there is a short
            // wait.
            let Ok((stream, _)) = listener.accept() else {
                thread::sleep(Duration::from_millis(50));
                continue;
            };
            let wake = || self.board.write(|_| {});
            let admitted = is_same_user(&stream).then(|| self.clients.admit(stream, wake)).flatten();
            let Some(client) = admitted else { continue };
            let (server, served) = (Arc::clone(&self), Arc::clone(&client));
            let serve = move || {
                let _ = server.serve(&served);
                server.clients.remove(&served);
            };
            if thread::Builder::new().name("client".to_owned()).spawn(serve).is_err() {
                self.clients.remove(&client);
            }
        }
    }

    /// Answers one client until it goes.
    fn serve(&self, client: &Client) -> io::Result<()> {
        let stream = client.stream();
        stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
        let mut lines = BufReader::new(stream);
        let mut garbage = 0;
        while garbage < MAX_GARBAGE {
            let Some(line) = next_line(&mut lines)? else { return Ok(()) };
            let request = match line {
                Ok(line) => protocol::parse(&line),
                Err(refusal) => Err(refusal),
            };
            self.busy.fetch_add(1, Ordering::SeqCst);
            let answered = match request {
                Ok(Request::Follow {}) => {
                    client.stands(Standing::Follower);
                    // Followers are not waited for at the end.
                    self.busy.fetch_sub(1, Ordering::SeqCst);
                    return self.follow(client);
                }
                Ok(request) => {
                    client.stands(Standing::Waiting);
                    let answered = send(stream, &self.answer(request));
                    client.stands(Standing::Idle);
                    answered
                }
                Err(refusal) => {
                    garbage += 1;
                    send(stream, &Answer::refused(refusal))
                }
            };
            self.busy.fetch_sub(1, Ordering::SeqCst);
            answered?;
        }
        Ok(())
    }

    /// Carries a request out, and waits until that is done.
    fn answer(&self, request: Request) -> Answer {
        let state = self.board.read(|known| known.status.state);
        if !matches!(request, Request::Status {} | Request::Follow {}) {
            log::info!("requested on the control socket: {request:?}");
        }
        let done = match (request, state) {
            (Request::Status {} | Request::Follow {}, _) => return Answer::done(self.fresh()),
            (Request::Quit {}, _) => return self.quit(state),
            (Request::Start {}, Activity::Inactive) if self.board.read(|known| known.is_ending) => {
                self.board.wait(SAVE_TIMEOUT, |known| known.is_over.then_some(()));
                Err(Refusal::of_state(Activity::Inactive, "start"))
            }
            (Request::Start {}, Activity::Inactive) => {
                self.until(Command::Start, |known| known.status.state != Activity::Inactive)
            }
            (Request::Start {}, state) => Err(Refusal::of_state(state, "start")),
            (Request::Pause {}, Activity::Recording) => {
                self.until(Command::Pause, |known| known.status.state != Activity::Recording)
            }
            (Request::Resume {}, Activity::Paused) => {
                self.until(Command::Resume, |known| known.status.state != Activity::Paused)
            }
            // As in the standard: it is in that state already.
            (Request::Pause {}, Activity::Paused) | (Request::Resume {}, Activity::Recording) => Ok(()),
            (Request::Mark { text }, Activity::Recording | Activity::Paused) => {
                let before = self.board.read(|known| known.markers);
                self.until(Command::Mark(text), move |known| known.markers > before)
            }
            (Request::Stop { tail_s }, Activity::Recording | Activity::Paused) => {
                // It may end by itself meanwhile.
                let before = self.board.read(|known| known.finished);
                let is_over = |known: &Known| (known.finished > before || known.is_over).then_some(());
                let _ = self.board.wait(Duration::from_secs_f64(tail_s), is_over);
                return self.saved(Command::Stop, before, |known| known.finished);
            }
            (Request::Next {}, Activity::Recording | Activity::Paused) => {
                self.fresh();
                let (before, is_new) = self.board.read(|known| (known.saved, known.frames > known.saved_frames));
                if is_new {
                    return self.saved(Command::Next, before, |known| known.saved);
                }
                let message = "cannot begin a new file: nothing is in this one".to_owned();
                Err(Refusal { message, ..Refusal::of_state(state, "") })
            }
            (Request::Keep {}, Activity::Recording | Activity::Paused) => {
                (self.deliver)(Command::KeepGoing);
                Ok(())
            }
            (Request::Pause {}, state) => Err(Refusal::of_state(state, "pause")),
            (Request::Resume {}, state) => Err(Refusal::of_state(state, "resume")),
            (Request::Mark { .. }, state) => Err(Refusal::of_state(state, "set a marker")),
            (Request::Stop { .. }, state) => Err(Refusal::of_state(state, "stop")),
            (Request::Next {}, state) => Err(Refusal::of_state(state, "begin a new file")),
            (Request::Keep {}, state) => Err(Refusal::of_state(state, "keep it running")),
        };
        match done {
            Ok(()) => Answer::done(self.status()),
            Err(refusal) => Answer::refused(refusal),
        }
    }

    fn status(&self) -> Status {
        self.board.read(|known| known.status.clone())
    }

    /// The status with the current level and time.
    fn fresh(&self) -> Status {
        let _watcher = self.board.watch();
        let before = self.board.read(|known| known.levels);
        if self.board.read(|known| known.status.state) != Activity::Inactive {
            // The session sleeps while no client needs level and time.
            (self.deliver)(Command::Redraw);
            self.board.wait(LEVEL_TIMEOUT, |known| (known.levels > before || known.is_over).then_some(()));
        }
        self.status()
    }

    fn until(&self, command: Command, done: impl Fn(&Known) -> bool) -> Result<(), Refusal> {
        let before = self.board.read(|known| known.failures);
        (self.deliver)(command);
        let outcome = self.board.wait(COMMAND_TIMEOUT, |known| match &known.failure {
            _ if done(known) => Some(Ok(())),
            _ if known.is_over => Some(Err(Refusal::of_state(Activity::Inactive, "do it"))),
            Some((name, message)) if known.failures > before => {
                Some(Err(Refusal { name: name.clone(), message: message.clone() }))
            }
            _ => None,
        });
        outcome.unwrap_or_else(|| {
            let name = dictaphone::ErrorKind::Abort.name().to_owned();
            Err(Refusal { name, message: "the recorder has not done it in time".to_owned() })
        })
    }

    /// Sends a command and waits for the file that it ends: until `counted` is greater than `before`.
    fn saved(&self, command: Command, before: u64, counted: fn(&Known) -> u64) -> Answer {
        let refused = self.board.read(|known| known.refused);
        (self.deliver)(command);
        let outcome = self.board.wait(SAVE_TIMEOUT, |known| match (&known.latest, &known.failure) {
            (Some(saved), _) if counted(known) > before => Some(Ok(saved.clone())),
            (_, Some((name, message))) if known.refused > refused => {
                Some(Err(Refusal { name: name.clone(), message: message.clone() }))
            }
            // A file that is not known to be saved is not reported as saved.
            _ => known.is_over.then(|| Err(Refusal::unsaved("the recorder has ended"))),
        });
        match outcome.unwrap_or_else(|| Err(Refusal::unsaved("the disk takes too long"))) {
            // The file that goes on has another name.
            Ok(saved) => Answer { saved: Some(saved), ..Answer::done(self.fresh()) },
            Err(refusal) => Answer::refused(refusal),
        }
    }

    fn quit(&self, state: Activity) -> Answer {
        let answer = match state {
            Activity::Inactive => Answer::done(self.status()),
            _ => self.saved(Command::Stop, self.board.read(|known| known.finished), |known| known.finished),
        };
        (self.deliver)(Command::Quit);
        answer
    }

    /// Sends the status to a client, at every change and from time to time.
    fn follow(&self, client: &Client) -> io::Result<()> {
        let mut stream = client.stream();
        let _watcher = self.board.watch();
        (self.deliver)(Command::Redraw);
        stream.set_nonblocking(false)?;
        let mut seen = None;
        loop {
            let (changes, status, is_over) =
                self.board.read(|known| (known.changes, known.status.clone(), known.is_over));
            stream.write_all(Answer::done(status).line().as_bytes())?;
            if is_over {
                return Ok(());
            }
            seen.replace(changes);
            let changed =
                |known: &Known| (Some(known.changes) != seen || known.is_over || client.is_dismissed()).then_some(());
            self.board.wait(FOLLOW_INTERVAL, changed);
            if is_closed(stream) {
                return Ok(());
            }
        }
    }
}

/// The next line of a client, `None` at the end; a line that is too long is read and dropped.
fn next_line(lines: &mut BufReader<&UnixStream>) -> io::Result<Option<Result<Vec<u8>, Refusal>>> {
    let mut line = Vec::new();
    lines.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Some(Ok(line)));
    }
    // Half a line, and then the end; or a line without end.
    loop {
        let ahead = lines.fill_buf()?;
        if ahead.is_empty() {
            return Ok(None);
        }
        let end = ahead.iter().position(|&byte| byte == b'\n');
        let used = end.map_or(ahead.len(), |at| at + 1);
        lines.consume(used);
        if end.is_some() {
            return Ok(Some(Err(Refusal::of_line("the line is too long"))));
        }
    }
}

fn send(mut stream: &UnixStream, answer: &Answer) -> io::Result<()> {
    stream.write_all(answer.line().as_bytes())
}

/// Whether the client has gone.
fn is_closed(stream: &UnixStream) -> bool {
    let mut ready = [PollFd::new(stream, PollFlags::HUP)];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut ready, Some(&now)).is_ok() && ready[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

/// Whether the process at the other end belongs to the user of this one. Where the system does not report that, the
/// folder, which no other user may enter, keeps others out.
#[cfg(target_os = "linux")]
fn is_same_user(stream: &UnixStream) -> bool {
    rustix::net::sockopt::socket_peercred(stream).is_ok_and(|peer| peer.uid == rustix::process::geteuid())
}

#[cfg(not(target_os = "linux"))]
fn is_same_user(_: &UnixStream) -> bool {
    true
}
