//! Runs the program in a pseudo-terminal and checks what a person would see.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use vt100::{Parser, Screen};

use super::harness::Test;
use super::process::on_spawner;
use super::sandbox::Sandbox;
use super::wait;

/// What keys send.
pub(crate) mod keys {
    pub(crate) const ENTER: &str = "\r";
    pub(crate) const ESCAPE: &str = "\x1b";
    pub(crate) const TAB: &str = "\t";
    pub(crate) const BACKSPACE: &str = "\x7f";
    pub(crate) const DELETE: &str = "\x1b[3~";
    pub(crate) const UP: &str = "\x1b[A";
    pub(crate) const DOWN: &str = "\x1b[B";
    pub(crate) const RIGHT: &str = "\x1b[C";
    pub(crate) const LEFT: &str = "\x1b[D";
    pub(crate) const F2: &str = "\x1bOQ";
    pub(crate) const CTRL_C: &str = "\x03";
    pub(crate) const CTRL_Z: &str = "\x1a";
}

type Writer = Arc<Mutex<Box<dyn Write + Send>>>;

/// The answers of a real terminal to a program that asks for the cursor's place or the terminal's kind; without them
/// the program would wait.
struct Answers {
    writer: Writer,
}

impl vt100::Callbacks for Answers {
    fn unhandled_csi(&mut self, screen: &mut Screen, i1: Option<u8>, _: Option<u8>, params: &[&[u16]], c: char) {
        let first = params.first().and_then(|p| p.first()).copied().unwrap_or(0);
        let answer = match (i1, c, first) {
            (None, 'n', 5) => "\x1b[0n".to_owned(),
            (None, 'n', 6) => {
                let (row, column) = screen.cursor_position();
                format!("\x1b[{};{}R", row + 1, column + 1)
            }
            (None, 'c', 0) => "\x1b[?62;22c".to_owned(),
            _ => return,
        };
        // A program that has just ended does not read the answer.
        self.writer.lock().expect("a sound writer").write_all(answer.as_bytes()).ok();
    }
}

/// The program in a terminal. It is killed when this is dropped.
pub(crate) struct Terminal {
    line: String,
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Writer,
    parser: Arc<Mutex<Parser<Answers>>>,
    raw: Arc<Mutex<Vec<u8>>>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    reader: Option<JoinHandle<()>>,
    status: Option<ExitStatus>,
    _sandbox: Arc<Sandbox>,
}

impl Terminal {
    /// Runs a call in a terminal of 80 columns and 24 rows.
    #[track_caller]
    pub(crate) fn run(test: &Test) -> Self {
        Self::run_sized(test, 80, 24)
    }

    /// Runs a call in a terminal of the given size.
    #[track_caller]
    pub(crate) fn run_sized(test: &Test, columns: u16, rows: u16) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).expect("open a pseudo-terminal");
        let (slave, builder) = (pair.slave, builder(test));
        let child = on_spawner(move || slave.spawn_command(builder));
        let child = child.unwrap_or_else(|e| panic!("cannot start {}: {e:#}", test.line()));
        let writer: Writer = Arc::new(Mutex::new(pair.master.take_writer().expect("write to the terminal")));
        let answers = Answers { writer: Arc::clone(&writer) };
        let parser = Parser::new_with_callbacks(non_zero(rows), non_zero(columns), 1_000, answers);
        let (parser, raw) = (Arc::new(Mutex::new(parser)), Arc::<Mutex<Vec<u8>>>::default());
        let source = pair.master.try_clone_reader().expect("read from the terminal");
        let reader = Some(show(source, Arc::clone(&parser), Arc::clone(&raw)));
        let (line, master, _sandbox) = (test.line(), Some(pair.master), test.sandbox());
        Self { line, master, writer, parser, raw, child, reader, status: None, _sandbox }
    }

    /// Types `text`; see [`keys`].
    #[track_caller]
    pub(crate) fn send(&mut self, text: &str) {
        self.send_bytes(text.as_bytes());
    }

    /// Sends bytes that no keyboard would send.
    #[track_caller]
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        let sent = self.writer.lock().expect("a sound writer").write_all(bytes);
        sent.unwrap_or_else(|e| panic!("cannot type: {e}\n{}", self.context()));
    }

    /// Changes the size of the window.
    #[track_caller]
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        // The emulator first, so that nothing drawn for the new size lands on the old one.
        self.parser.lock().expect("a sound screen").set_size(non_zero(rows), non_zero(columns));
        let master = self.master.as_ref().expect("an open terminal");
        master.resize(size(columns, rows)).expect("resize the terminal");
    }

    /// Sends a signal to the program.
    #[track_caller]
    pub(crate) fn signal(&mut self, signal: Signal) {
        rustix::process::kill_process(self.pid(), signal).expect("signal the program");
    }

    /// The visible text, line by line.
    pub(crate) fn text(&self) -> String {
        self.look(|screen| screen.contents())
    }

    /// Reads the screen: cells, colours, cursor, alternate screen.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Screen) -> T) -> T {
        look(self.parser.lock().expect("a sound screen").screen())
    }

    /// Every byte the program has written.
    pub(crate) fn raw(&self) -> Vec<u8> {
        self.raw.lock().expect("a sound buffer").clone()
    }

    /// Waits until the screen shows `text`.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        self.wait_until(&format!("{text:?} on the screen"), |screen| screen.contents().contains(text));
    }

    /// Waits until the screen does not show `text` any more.
    #[track_caller]
    pub(crate) fn wait_for_no(&mut self, text: &str) {
        self.wait_until(&format!("no {text:?} on the screen"), |screen| !screen.contents().contains(text));
    }

    /// Waits for a condition of the screen. Fails if the program ends without it.
    #[track_caller]
    pub(crate) fn wait_until(&mut self, what: &str, condition: impl Fn(&Screen) -> bool) {
        let mut ended = false;
        let met = wait::poll(wait::DEADLINE, || {
            if self.look(&condition) {
                return Some(true);
            }
            if ended {
                return Some(false);
            }
            ended = self.try_wait().is_some();
            None
        });
        let state = if ended { "it has ended" } else { "it still runs" };
        assert!(met == Some(true), "waited in vain for {what}: {state}\n{}", self.context());
    }

    /// Waits for the end and returns the exit code. The screen can still be looked at.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> u32 {
        let status = wait::poll(wait::DEADLINE, || self.try_wait());
        let Some(status) = status else { panic!("it does not end\n{}", self.context()) };
        assert!(status.signal().is_none(), "ended by {:?}\n{}", status.signal(), self.context());
        status.exit_code()
    }

    fn try_wait(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            if !matches!(rustix::process::waitid(WaitId::Pid(self.pid()), options), Ok(None)) {
                self.end();
            }
        }
        self.status.clone()
    }

    /// Kills what is left of the program's group and reads the terminal to its end.
    fn end(&mut self) {
        if self.status.is_some() {
            return;
        }
        // The program is the leader of its session, and the group is killed before the leader's number is free again.
        rustix::process::kill_process_group(self.pid(), Signal::KILL).ok();
        self.status = self.child.wait().ok();
        if let Some(reader) = self.reader.take() {
            // A process that still holds the terminal open has left the program's session; the test need not wait for
            // it.
            wait::poll(wait::DEADLINE, || reader.is_finished().then_some(()));
        }
    }

    fn pid(&self) -> Pid {
        let id = self.child.process_id().and_then(|id| i32::try_from(id).ok());
        id.and_then(Pid::from_raw).expect("a process id")
    }

    fn context(&self) -> String {
        let status = self.status.as_ref().map_or("none yet".to_owned(), ToString::to_string);
        format!("$ {}\nexit: {status}\n--- screen\n{}\n---", self.line, self.text())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.end();
    }
}

/// Feeds the emulator until the program's side of the terminal is closed.
fn show(
    mut source: Box<dyn Read + Send>,
    parser: Arc<Mutex<Parser<Answers>>>,
    raw: Arc<Mutex<Vec<u8>>>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = [0; 4_096];
        while let Ok(count @ 1..) = source.read(&mut buffer) {
            raw.lock().expect("a sound buffer").extend_from_slice(&buffer[..count]);
            parser.lock().expect("a sound screen").process(&buffer[..count]);
        }
    })
}

fn builder(test: &Test) -> CommandBuilder {
    let command = test.command();
    let mut builder = CommandBuilder::new(command.get_program());
    builder.args(command.get_args());
    builder.env_clear();
    builder.env("TERM", "xterm-256color");
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            builder.env(name, value);
        }
    }
    if let Some(folder) = command.get_current_dir() {
        builder.cwd(folder);
    }
    builder
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn non_zero(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("a terminal has rows and columns")
}
