//! What the private sound servers have in common: a sandbox, processes with logs, an environment for clients, virtual
//! microphones, and a player that plays into one.
//!
//! How a particular server is started and queried is in [`super::pulse`] and [`super::pipewire`].

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::Signal;

use super::process::{Process, command};
use super::sandbox::Sandbox;
use super::{alsa, wait};

/// A virtual microphone.
#[derive(Debug, Clone)]
pub(crate) struct Microphone {
    /// The name that [`Server::play`] uses; clients see [`Server::source`].
    pub(crate) name: String,
    /// 1 to 8; on PulseAudio up to 32.
    pub(crate) channels: u16,
    /// Frames per second. A PipeWire graph has one rate for all: that of its first microphone.
    pub(crate) rate: u32,
    /// PulseAudio only: up to 2 s of latency, as a null sink has by itself. A client that asks for no latency then gets
    /// its audio in bursts, and misses the beginning of what is played within its first 2 s.
    pub(crate) lazy: bool,
    /// PulseAudio's name of the sample format; PipeWire computes in f32 whatever is asked.
    pub(crate) format: &'static str,
}

impl Default for Microphone {
    /// `mic`: 48 kHz, mono, 16 bit.
    fn default() -> Self {
        Self::named("mic")
    }
}

impl Microphone {
    /// Like the default one, under another name.
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.into(), channels: 1, rate: 48_000, lazy: false, format: "s16le" }
    }
}

/// A sound server of the test's own. It is stopped when the value is dropped.
pub(crate) trait Server {
    /// The shared parts.
    fn core(&self) -> &Core;
    /// The shared parts.
    fn core_mut(&mut self) -> &mut Core;
    /// Starts the server's processes, without microphones; returns when clients can connect.
    fn launch(&mut self);
    /// Creates a source; returns when it is there.
    fn create_source(&mut self, microphone: &Microphone);
    /// Destroys a source; returns when it is gone.
    fn destroy_source(&mut self, name: &str);
    /// The name of the microphone `name` for recording clients.
    fn source(&self, name: &str) -> String;
    /// Plays a file once into the microphone `name`; returns when audio flows. The file should end with half a second
    /// of silence: PipeWire's player does not play the very end.
    fn play_into(&self, name: &str, file: &Path) -> Player;

    /// The largest number of frames of silence with which the recording of a sounding microphone begins.
    fn lead_in(&self) -> usize {
        0
    }

    /// The variables that lead a client to this server, and to no other: PulseAudio, PipeWire and ALSA clients alike.
    /// Leaves `HOME` and `XDG_RUNTIME_DIR` to the test.
    fn env(&self) -> Vec<(String, String)> {
        self.core().env.clone()
    }

    /// The folder with the server's sockets, for a test in which they are found without any variable but
    /// `XDG_RUNTIME_DIR`.
    fn runtime(&self) -> PathBuf {
        self.core().sandbox.runtime()
    }

    /// A client program in the server's sandbox.
    fn command(&self, program: &str) -> Command {
        self.core().command(program)
    }

    /// Plays a file into the microphone `mic`.
    fn play(&self, file: &Path) -> Player {
        self.play_into("mic", file)
    }

    /// Adds a microphone. The default source is not changed.
    fn add_microphone(&mut self, microphone: Microphone) {
        let default = self.default_source();
        self.create_source(&microphone);
        self.core_mut().microphones.insert(microphone.name.clone(), microphone);
        self.set_default_source(&default);
    }

    /// Unplugs a microphone.
    fn remove_microphone(&mut self, name: &str) {
        self.destroy_source(name);
    }

    /// Plugs a removed microphone in again.
    fn restore_microphone(&mut self, name: &str) {
        let microphone = self.core().microphones.get(name).cloned();
        self.create_source(&microphone.unwrap_or_else(|| panic!("there was no microphone {name}")));
    }

    /// The name of the default source for clients.
    fn default_source(&self) -> String {
        self.core().ask("pactl", &["get-default-source"]).unwrap_or_default().trim().into()
    }

    /// Makes a source (by its client's name) the default; returns when it is.
    fn set_default_source(&mut self, source: &str);

    /// Returns when `source` is the default one.
    fn await_default_source(&self, source: &str) {
        let core = self.core();
        core.until(&format!("{source} is the default source"), || (self.default_source() == source).then_some(()));
    }

    /// Kills the server with SIGKILL, as if it had crashed.
    fn kill(&mut self) {
        self.core_mut().processes.iter_mut().rev().for_each(Process::kill);
        self.core_mut().processes.clear();
    }

    /// Starts a killed server again, with all its microphones.
    fn restart(&mut self) {
        self.launch();
        let microphones: Vec<Microphone> = self.core().microphones.values().cloned().collect();
        microphones.iter().for_each(|microphone| self.create_source(microphone));
        let source = self.source("mic");
        self.set_default_source(&source);
    }

    /// Freezes the server's processes with SIGSTOP.
    fn freeze(&mut self) {
        self.core_mut().processes.iter_mut().for_each(|process| process.signal(Signal::STOP));
    }

    /// Continues a frozen server.
    fn thaw(&mut self) {
        self.core_mut().processes.iter_mut().for_each(|process| process.signal(Signal::CONT));
    }

    /// Everything the server's processes and clients have printed.
    fn log(&self) -> String {
        self.core().log()
    }
}

/// The parts that every server has. The processes come first, because their folder must be dropped last.
#[derive(Debug)]
pub(crate) struct Core {
    /// In the order of their start.
    pub(crate) processes: Vec<Process>,
    /// By name, also the removed ones.
    pub(crate) microphones: BTreeMap<String, Microphone>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) sandbox: Sandbox,
}

impl Core {
    /// A sandbox and the environment that leads to a server in it. Nothing runs yet.
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::new();
        let (folder, run) = (sandbox.path(), sandbox.runtime());
        let client = folder.join("pulse-client.conf");
        std::fs::write(&client, "autospawn = no\n").expect("write the PulseAudio client configuration");
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let env = vec![
            ("PULSE_SERVER".into(), format!("unix:{}", text(run.join("pulse/native")))),
            ("PULSE_CLIENTCONFIG".into(), text(client)),
            ("PIPEWIRE_RUNTIME_DIR".into(), text(run.clone())),
            ("DBUS_SESSION_BUS_ADDRESS".into(), format!("unix:path={}", text(run.join("bus")))),
            alsa::through_pulse(folder),
        ];
        Self { processes: Vec::new(), microphones: BTreeMap::new(), env, sandbox }
    }

    /// A command in the sandbox that is led to the server.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = command(program);
        self.sandbox.enclose(&mut command);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    }

    /// Starts one of the server's processes; its output goes to a log.
    #[track_caller]
    pub(crate) fn start(&mut self, name: &str, command: Command) {
        let process = self.spawn_logged(name, command);
        self.processes.push(process);
    }

    /// Starts `command`; its output goes to a log.
    #[track_caller]
    pub(crate) fn spawn_logged(&self, name: &str, mut command: Command) -> Process {
        let path = self.sandbox.path().join(format!("{name}.log"));
        let log = File::options().create(true).append(true).open(path).expect("create a log file");
        command.stdout(log.try_clone().expect("share the log file")).stderr(log);
        Process::spawn(name, command)
    }

    /// Runs a control program to its end and returns its standard output; `None` if it failed.
    #[track_caller]
    pub(crate) fn ask(&self, program: &str, arguments: &[&str]) -> Option<String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // A file, not a pipe: a pipe that is only read at the end would block a long answer.
        let path = self.sandbox.path().join(format!("answer-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let mut command = self.command(program);
        command.args(arguments).stdout(File::create(&path).expect("create a file")).stderr(Stdio::null());
        let status = Process::spawn(program, command).wait();
        let answer = std::fs::read(&path).expect("read the answer");
        std::fs::remove_file(&path).ok();
        status.success().then(|| String::from_utf8_lossy(&answer).into_owned())
    }

    /// Like [`Core::ask`], but the answer is JSON; anything else counts as no answer yet.
    #[track_caller]
    pub(crate) fn ask_json(&self, program: &str, arguments: &[&str]) -> Option<Vec<serde_json::Value>> {
        serde_json::from_str(&self.ask(program, arguments)?).ok()
    }

    /// Waits for `condition`; fails with the logs after the deadline.
    #[track_caller]
    pub(crate) fn until<T>(&self, what: &str, condition: impl FnMut() -> Option<T>) -> T {
        wait::until(what, || self.log(), condition)
    }

    /// The logs, and which of the server's processes live, sleep, or have ended (`Z`).
    pub(crate) fn log(&self) -> String {
        let files = std::fs::read_dir(self.sandbox.path()).into_iter().flatten().flatten();
        let mut logs: Vec<PathBuf> =
            files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "log")).collect();
        logs.sort();
        let text = |path: &PathBuf| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
        let states = self.processes.iter().map(|process| format!("{}: {}\n", process.name(), state(process)));
        states.chain(logs.iter().map(|path| format!("--- {}\n{}", path.display(), text(path)))).collect()
    }
}

/// The kernel's line about the state of a process.
fn state(process: &Process) -> String {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    status.lines().find(|line| line.starts_with("State:")).unwrap_or("gone").to_owned()
}

/// A program that plays a file into a microphone. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Player {
    process: Process,
}

impl Player {
    /// Waits until `flows` finds that audio of `process` flows. A short file may be over before that is found.
    #[track_caller]
    pub(crate) fn once_flowing(core: &Core, mut process: Process, flows: impl Fn(&Process) -> bool) -> Self {
        core.until("audio flows into the microphone", || {
            if let Some(status) = process.try_wait() {
                assert!(status.success(), "{} failed: {status}\n{}", process.name(), core.log());
                return Some(());
            }
            flows(&process).then_some(())
        });
        Self { process }
    }

    /// Waits until the file is played to its end.
    #[track_caller]
    pub(crate) fn wait(mut self) {
        let status: ExitStatus = self.process.wait();
        assert!(status.success(), "{} failed: {status}", self.process.name());
    }

    /// Sends a signal to the player; while it is stopped, the microphone is silent.
    pub(crate) fn signal(&mut self, signal: Signal) {
        self.process.signal(signal);
    }
}
