//! Runs the program as a user does, in a folder of its own: [`Test`] says how, [`Running`] is the running program,
//! [`Output`] what it left. Every failure shows the command line, the exit status and all output.
//!
//! Without [`Test::server`] the program finds no sound device at all: a test never records the machine's microphone.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::output::{Output, context};
use super::process::{Process, command};
use super::sandbox::Sandbox;
use super::wait;

/// A program call that is being prepared.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    sandbox: Arc<Sandbox>,
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(String, OsString)>,
    stdin: Option<Vec<u8>>,
    hold_stdin: bool,
    hold_stdout: bool,
}

impl Test {
    /// The program without arguments, with an empty standard input, on a machine without sound.
    #[track_caller]
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::new();
        let mut env = Vec::new();
        #[cfg(target_os = "linux")]
        env.extend(super::alsa::no_sound(&sandbox).into_iter().map(|(name, value)| (name, value.into())));
        env.push(("RUST_BACKTRACE".into(), "1".into()));
        Self {
            sandbox: Arc::new(sandbox),
            program: env!("CARGO_BIN_EXE_dictaphone").into(),
            args: Vec::new(),
            env,
            stdin: None,
            hold_stdin: false,
            hold_stdout: false,
        }
    }

    /// Another program in the place of dictaphone, to compare or to test the bed.
    pub(crate) fn program(mut self, program: &str) -> Self {
        self.program = program.into();
        self
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub(crate) fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// The same call as the last arguments of another program, which calls it.
    pub(crate) fn behind<A: Into<OsString>>(mut self, program: &str, args: impl IntoIterator<Item = A>) -> Self {
        let call = std::iter::once(self.program).chain(self.args);
        self.args = args.into_iter().map(Into::into).chain(call).collect();
        self.program = program.into();
        self
    }

    /// Clears arguments and input, so that another call can follow in the same folder.
    pub(crate) fn again(mut self) -> Self {
        self.args.clear();
        self.stdin = None;
        (self.hold_stdin, self.hold_stdout) = (false, false);
        self
    }

    /// Sets an environment variable. The program receives nothing of the user's environment.
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Makes a sound server available to the program.
    #[cfg(target_os = "linux")]
    pub(crate) fn server(mut self, server: &impl super::server::Server) -> Self {
        self.env.extend(server.env().into_iter().map(|(name, value)| (name, value.into())));
        self
    }

    /// Writes a file, path relative to the working folder.
    #[track_caller]
    pub(crate) fn file(self, path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> Self {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("create a folder");
        std::fs::write(path, contents).expect("write a file");
        self
    }

    /// What the program reads from standard input.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Leaves standard input open; the test writes to [`Running::stdin`].
    pub(crate) fn hold_stdin(mut self) -> Self {
        self.hold_stdin = true;
        self
    }

    /// Standard output is read only by the test, through [`Running::stdout`]: for slow readers and closed pipes.
    pub(crate) fn hold_stdout(mut self) -> Self {
        self.hold_stdout = true;
        self
    }

    /// A path in the working folder.
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.sandbox.cwd().join(path)
    }

    /// The private home folder.
    pub(crate) fn home(&self) -> PathBuf {
        self.sandbox.home()
    }

    /// The folder that holds it all.
    pub(crate) fn sandbox(&self) -> Arc<Sandbox> {
        Arc::clone(&self.sandbox)
    }

    /// The call as a command, for a terminal or another way to start it.
    pub(crate) fn command(&self) -> Command {
        let mut command = command(&self.program);
        self.sandbox.enclose(&mut command);
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The command line, for messages.
    pub(crate) fn line(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.args);
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    /// Runs the program to its end.
    #[track_caller]
    pub(crate) fn run(&self) -> Output {
        self.spawn().wait()
    }

    /// Starts the program.
    #[track_caller]
    pub(crate) fn spawn(&self) -> Running {
        let mut command = self.command();
        let piped = self.stdin.is_some() || self.hold_stdin;
        command.stdin(if piped { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Process::spawn(&self.line(), command);
        let mut stdin = process.child.stdin.take();
        if let Some(bytes) = self.stdin.clone() {
            let mut pipe = stdin.take().expect("a pipe to standard input");
            // A program that does not read all its input does not fail the test.
            std::thread::spawn(move || pipe.write_all(&bytes).ok());
        }
        let mut stdout = process.child.stdout.take();
        let out = if self.hold_stdout { Capture::default() } else { Capture::of(stdout.take()) };
        let err = Capture::of(process.child.stderr.take());
        Running { process, stdin, stdout, out, err, sandbox: self.sandbox() }
    }
}

/// Collects what comes out of a pipe.
#[derive(Debug, Default)]
struct Capture {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Capture {
    fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let sink = Arc::clone(&bytes);
        let thread = pipe.map(|mut pipe| {
            std::thread::spawn(move || {
                let mut buffer = [0; 65_536];
                while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                    sink.lock().expect("a sound buffer").extend_from_slice(&buffer[..count]);
                }
            })
        });
        Self { bytes, thread }
    }

    fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().expect("a sound buffer").clone()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// Everything, to the end of the pipe. It is a failure if the program left the pipe to a process that still runs.
    #[track_caller]
    fn finish(&mut self) -> Vec<u8> {
        if let Some(thread) = self.thread.take() {
            let ended = wait::poll(wait::DEADLINE, || thread.is_finished().then_some(()));
            assert!(ended.is_some(), "the program has ended, but something holds its output open:\n{}", self.text());
            thread.join().expect("the reader ends well");
        }
        self.bytes()
    }
}

/// The running program. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    process: Process,
    /// Its standard input, after [`Test::hold_stdin`]; dropping it ends the input.
    pub(crate) stdin: Option<ChildStdin>,
    /// Its standard output, after [`Test::hold_stdout`].
    pub(crate) stdout: Option<ChildStdout>,
    out: Capture,
    err: Capture,
    sandbox: Arc<Sandbox>,
}

impl Running {
    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// A path in the working folder.
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.sandbox.cwd().join(path)
    }

    /// What it has written to standard output so far.
    pub(crate) fn stdout_so_far(&self) -> Vec<u8> {
        self.out.bytes()
    }

    /// What it has written to standard error so far.
    pub(crate) fn stderr_so_far(&self) -> String {
        self.err.text()
    }

    /// Sends a signal to the program alone.
    #[cfg(unix)]
    #[track_caller]
    pub(crate) fn signal(&mut self, signal: rustix::process::Signal) {
        self.process.signal(signal);
    }

    /// Kills it with SIGKILL and returns what it had written.
    #[track_caller]
    pub(crate) fn kill(mut self) -> Output {
        self.process.kill();
        self.wait()
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.try_wait().is_none()
    }

    /// Waits until standard error contains `text`.
    #[track_caller]
    pub(crate) fn wait_for_stderr(&mut self, text: &str) {
        self.wait_for(&format!("{text:?} on standard error"), |running| {
            running.err.text().contains(text).then_some(())
        });
    }

    /// Waits until standard output contains `text`.
    #[track_caller]
    pub(crate) fn wait_for_stdout(&mut self, text: &str) {
        self.wait_for(&format!("{text:?} on standard output"), |running| {
            running.out.text().contains(text).then_some(())
        });
    }

    /// Waits for a complete line of standard output that fits and returns it.
    #[track_caller]
    pub(crate) fn wait_for_line(&mut self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        self.wait_for(what, |running| {
            let text = running.out.text();
            text.split_inclusive('\n').filter(|line| line.ends_with('\n')).find(|line| fits(line)).map(String::from)
        })
    }

    /// Waits until the file (in the working folder) has at least `length` bytes.
    #[track_caller]
    pub(crate) fn wait_for_file(&mut self, path: impl AsRef<Path>, length: u64) {
        let path = self.path(path);
        self.wait_for(&format!("{length} bytes in {}", path.display()), |_| {
            std::fs::metadata(&path).is_ok_and(|data| data.len() >= length).then_some(())
        });
    }

    /// Waits for a condition. Fails if the program ends without it.
    #[track_caller]
    pub(crate) fn wait_for<T>(&mut self, what: &str, condition: impl Fn(&Self) -> Option<T>) -> T {
        let mut ended = false;
        let met = wait::poll(wait::DEADLINE, || {
            if let Some(value) = condition(self) {
                return Some(Some(value));
            }
            // Checked once more after the end: what it wrote last may still have been under way.
            if ended {
                return Some(None);
            }
            if !self.is_running() {
                ended = true;
                self.out.finish();
                self.err.finish();
            }
            None
        });
        match met.flatten() {
            Some(value) => value,
            None => {
                let state = if ended { "it has ended" } else { "it still runs" };
                panic!("waited in vain for {what}: {state}\n{}", self.context())
            }
        }
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Output {
        let Some(status) = wait::poll(wait::DEADLINE, || self.process.try_wait()) else {
            panic!("it does not end\n{}", self.context());
        };
        let (stdout, stderr) = (self.out.finish(), self.err.finish());
        let sandbox = Arc::clone(&self.sandbox);
        Output { line: self.process.name().into(), status, stdout, stderr, sandbox }
    }

    fn context(&self) -> String {
        context(self.process.name(), "none yet", &self.out.bytes(), &self.err.bytes())
    }
}
