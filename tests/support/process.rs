//! Child processes that never outlive the test: each leads a process group of its own, which is killed when the value
//! is dropped, and the kernel kills it when the test program itself is killed.
//!
//! Also lists the Debian packages that the bed needs. Has no code about sound.

use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex};

#[cfg(unix)]
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use super::wait;

/// What the bed's programs come from on Debian and Ubuntu, one package a line; `#` begins a remark.
const PACKAGES: &str = include_str!("packages.txt");

/// Fails with the line that installs it if one of `programs` is missing.
#[track_caller]
pub(crate) fn require(programs: &[&str]) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let missing: Vec<&str> = programs.iter().copied().filter(|program| !found(program)).collect();
    let packages: Vec<&str> =
        PACKAGES.lines().filter_map(|line| line.split('#').next()?.split_whitespace().next()).collect();
    let packages = packages.join(" ");
    assert!(
        missing.is_empty(),
        "this test needs {}, which is not installed; on Debian and Ubuntu run:\n\n    \
         apt-get install --no-install-recommends {packages}\n",
        missing.join(", ")
    );
}

/// A command that receives nothing of the user's environment but the search path.
///
/// On Linux it goes through `setpriv`, which becomes the program itself (same process id) after asking the kernel to
/// kill it as soon as its parent is gone.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command;
    if cfg!(target_os = "linux") {
        require(&["setpriv"]);
        command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    } else {
        command = Command::new(program);
    }
    command.env_clear();
    // Coverage is collected from the children too; Windows programs do not start without the second group.
    for name in ["PATH", "LLVM_PROFILE_FILE", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("LANG", "C.UTF-8").env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    command
}

type Job = Box<dyn FnOnce() + Send>;

/// The thread that starts every child. To the kernel the parent of a process is the *thread* that started it, and a
/// test's thread may end before a server it shares with others; this one ends with the test program.
static SPAWNER: LazyLock<Mutex<Sender<Job>>> = LazyLock::new(|| {
    let (sender, jobs) = channel::<Job>();
    std::thread::spawn(move || jobs.into_iter().for_each(|job| job()));
    Mutex::new(sender)
});

/// A program that `nohup` started ignores SIGHUP, and so would every child of it; a handler is not inherited.
#[cfg(target_os = "linux")]
static HANG_UP: LazyLock<()> = LazyLock::new(|| {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    if ignored & 1 == 1 {
        signal_hook::flag::register(signal_hook::consts::SIGHUP, std::sync::Arc::default()).expect("a handler");
    }
});

/// Runs `start`, which starts a child, on the thread that lives as long as the test program.
pub(crate) fn on_spawner<T: Send + 'static>(start: impl FnOnce() -> T + Send + 'static) -> T {
    #[cfg(target_os = "linux")]
    LazyLock::force(&HANG_UP);
    let (reply, answer) = channel();
    // The calling thread waits for the reply, so it cannot have ended.
    let job: Job = Box::new(move || drop(reply.send(start())));
    SPAWNER.lock().expect("the spawner is sound").send(job).expect("the spawner runs");
    answer.recv().expect("the spawner answers")
}

/// A child process and the group it leads.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    pub(crate) child: Child,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts `command` in a process group of its own. `name` is for messages.
    #[track_caller]
    pub(crate) fn spawn(name: &str, mut command: Command) -> Self {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = on_spawner(move || command.spawn()).unwrap_or_else(|e| panic!("cannot start {name}: {e}"));
        Self { name: name.into(), child, status: None }
    }

    /// The name given at the start.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended; `None` while it runs. What it left running in its group is killed then.
    pub(crate) fn try_wait(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() && self.has_ended() {
            self.kill();
        }
        self.status
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let name = self.name.clone();
        wait::until(&format!("{name} ends"), String::new, || self.try_wait())
    }

    /// Kills the group with SIGKILL, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        if self.status.is_some() {
            return;
        }
        // The group goes first: once the leader is waited for, the kernel may give its number to another process.
        #[cfg(unix)]
        if let Some(group) = self.pid() {
            rustix::process::kill_process_group(group, Signal::KILL).ok();
        }
        #[cfg(not(unix))]
        self.child.kill().ok();
        self.status = self.child.wait().ok();
    }

    #[cfg(not(unix))]
    fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)) | Err(_))
    }

    /// Whether the leader has ended, without taking its status: that would free its number.
    #[cfg(unix)]
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let Some(pid) = self.pid() else { return true };
        !matches!(rustix::process::waitid(WaitId::Pid(pid), options), Ok(None))
    }

    #[cfg(unix)]
    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.id()).ok().and_then(Pid::from_raw)
    }

    /// Sends a signal to the process, not to its group.
    #[cfg(unix)]
    #[track_caller]
    pub(crate) fn signal(&mut self, signal: Signal) {
        assert!(self.try_wait().is_none(), "{} has already ended: {:?}", self.name, self.status);
        let pid = self.pid().expect("a process id");
        rustix::process::kill_process(pid, signal).unwrap_or_else(|e| panic!("cannot signal {}: {e}", self.name));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
