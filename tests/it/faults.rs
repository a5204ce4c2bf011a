//! Makes the system calls of a program fail, or be its last ones, each in its turn.

use std::fs;

use crate::support::{harness::Test, output::Output, process::require};

/// System calls that read or change files.
const CALLS: [&str; 16] = [
    "openat",
    "read",
    "pread64",
    "pwrite64",
    "ftruncate",
    "fsync",
    "fdatasync",
    "chmod",
    "fchmodat",
    "link",
    "linkat",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
];

/// What happens at which call.
pub(crate) struct Fault<'a> {
    fault: &'a str,
    call: &'a str,
    nth: u32,
}

/// Lets `attempt` be struck by `fault`, in the words of strace, at the first, second … of each kind of call, until it
/// says by `None` that there was none to strike.
#[track_caller]
pub(crate) fn at_every_call(fault: &str, attempt: impl Fn(&Fault<'_>) -> Option<()>) {
    require(&["strace"]);
    let mut kinds = 0;
    for call in CALLS {
        let struck = (1..).take_while(|&nth| attempt(&Fault { fault, call, nth }).is_some()).count();
        kinds += usize::from(struck > 0);
    }
    // Open, read, write, sync, rename.
    assert!(kinds >= 5, "only {kinds} of the calls were ever seen");
}

impl Fault<'_> {
    /// Makes the call with the fault on one of `files`, in the working folder, or on that folder. What was struck and
    /// what came of it, if anything was.
    pub(crate) fn strike(&self, call: Test, files: &[&str]) -> Option<(String, Output)> {
        let folder = call.path("").canonicalize().unwrap();
        let log = call.home().join("strace.log");
        let inject = format!("inject={}:{}:when={}", self.call, self.fault, self.nth);
        let mut words = ["-f", "-qq", "-e", &inject, "-o"].map(str::to_owned).to_vec();
        words.push(log.display().to_string());
        let absolute = files.iter().chain(&[""]).map(|file| folder.join(file).display().to_string());
        let relative = files.iter().chain(&["."]).map(|&file| file.to_owned());
        words.extend(absolute.chain(relative).flat_map(|file| ["-P".to_owned(), file]));
        let output = call.behind("strace", words).run();
        let log = fs::read_to_string(&log).unwrap();
        let struck = log.lines().find(|line| line.contains("(INJECTED") || line.contains("+++ killed"))?;
        Some((format!("{} {}: {struck}", self.call, self.nth), output))
    }
}
