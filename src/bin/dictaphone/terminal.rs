//! The mode of the terminal while single keys are read, and whether the terminal is ours at the moment.
//!
//! The mode is a property of the terminal, not of this process, so it is switched through free functions that any
//! thread may call: the keys thread enters, whoever ends or suspends the program leaves. Output keeps its usual
//! processing: a line feed still returns the cursor.

use std::sync::atomic::{AtomicBool, Ordering};

/// Between a suspend and the signal that continues nobody may enter the mode again.
static SUSPENDED: AtomicBool = AtomicBool::new(false);

/// Takes single keys, without echo; Ctrl-C and Ctrl-Z arrive as keys. Does nothing in the background, where touching
/// the terminal would stop the process (SIGTTOU). Entering again takes over what the shell may have changed meanwhile.
pub(crate) fn enter() -> bool {
    if SUSPENDED.load(Ordering::SeqCst) || !in_foreground() {
        return false;
    }
    if crossterm::terminal::is_raw_mode_enabled().unwrap_or(false) {
        let _ = crossterm::terminal::disable_raw_mode();
    }
    let entered = crossterm::terminal::enable_raw_mode().is_ok();
    if entered {
        keep_output_processing();
    }
    entered
}

/// Puts the terminal back as it was. In the background it is not ours any more, and the shell has done so already.
pub(crate) fn leave() {
    if crossterm::terminal::is_raw_mode_enabled().unwrap_or(false) && in_foreground() {
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

/// [`leave`], and no [`enter`] before [`continued`].
#[cfg(unix)]
pub(crate) fn suspend() {
    SUSPENDED.store(true, Ordering::SeqCst);
    leave();
}

/// The process runs again.
#[cfg(unix)]
pub(crate) fn continued() {
    SUSPENDED.store(false, Ordering::SeqCst);
}

/// Leaves the mode when it is dropped, also while a panic unwinds.
pub(crate) struct RawMode;

impl Drop for RawMode {
    fn drop(&mut self) {
        leave();
    }
}

/// Whether this process is in the foreground of the terminal, or there is no job control that would say otherwise.
#[cfg(unix)]
pub(crate) fn in_foreground() -> bool {
    use rustix::{process, stdio, termios};
    // Standard error may have been pointed to nowhere; any of the three that is a terminal is the same one.
    let foreground = termios::tcgetpgrp(stdio::stdin()).or_else(|_| termios::tcgetpgrp(stdio::stdout()));
    let foreground = foreground.or_else(|_| {
        // O_NOCTTY is not needed: /dev/tty is the controlling terminal already or cannot be opened.
        std::fs::File::open("/dev/tty").map_err(|_| rustix::io::Errno::NOTTY).and_then(termios::tcgetpgrp)
    });
    foreground.map_or(true, |group| group == process::getpgrp())
}

#[cfg(not(unix))]
pub(crate) fn in_foreground() -> bool {
    true
}

/// Whether standard output was closed when the program started. Rust's runtime opens `/dev/null` in its place, for
/// reading too, which no shell does for `> /dev/null`.
#[cfg(unix)]
pub(crate) fn stdout_is_closed() -> bool {
    use rustix::{fs, stdio};
    let null = fs::stat("/dev/null").map(|null| null.st_rdev);
    let is_null = fs::fstat(stdio::stdout()).is_ok_and(|out| {
        fs::FileType::from_raw_mode(out.st_mode) == fs::FileType::CharacterDevice && Ok(out.st_rdev) == null
    });
    is_null && fs::fcntl_getfl(stdio::stdout()).is_ok_and(|flags| flags & fs::OFlags::RWMODE == fs::OFlags::RDWR)
}

#[cfg(not(unix))]
pub(crate) fn stdout_is_closed() -> bool {
    false
}

#[cfg(unix)]
fn keep_output_processing() {
    use rustix::{
        stdio,
        termios::{self, OptionalActions, OutputModes},
    };
    if let Ok(mut mode) = termios::tcgetattr(stdio::stdin()) {
        mode.output_modes.insert(OutputModes::OPOST);
        let _ = termios::tcsetattr(stdio::stdin(), OptionalActions::Now, &mode);
    }
}

#[cfg(not(unix))]
fn keep_output_processing() {}
