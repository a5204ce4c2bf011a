//! Signals, as commands. Owns the thread `signals`; Ctrl-C has a thread of its own (of the crate ctrlc).
//!
//! INT, TERM, HUP and QUIT stop and save; USR1 goes on in a new file, USR2 pauses and resumes; TSTP and CONT leave a
//! sane terminal. HUP (`nohup`) and TSTP that were ignored when the program started stay ignored. INT does not: a
//! script that starts a program with `&` makes it ignore INT, and may still end it with `kill -INT`.

use std::{io, sync::Arc};

#[cfg(unix)]
use super::command::Deliver;
use super::interrupts::Interrupts;
#[cfg(unix)]
use crate::report::Report;

/// Ctrl-C, wherever the system has it.
///
/// # Errors
/// When the system refuses the handler.
pub(crate) fn take_ctrl_c(interrupts: Arc<Interrupts>) -> io::Result<()> {
    ctrlc::set_handler(move || interrupts.interrupt()).map_err(io::Error::other)
}

#[cfg(unix)]
pub(crate) use unix::Signals;

#[cfg(unix)]
mod unix {
    use std::thread::{self, JoinHandle};

    use rustix::process;
    use signal_hook::{
        consts::{
            SIGALRM, SIGCONT, SIGHUP, SIGIO, SIGPROF, SIGQUIT, SIGSTOP, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2, SIGVTALRM,
            SIGWINCH, SIGXFSZ,
        },
        iterator,
    };

    use super::{Arc, Deliver, Report, io, is_ignored};
    use crate::{
        input::{command::Command, keys::Waker},
        report::terminal,
    };

    /// The running thread; dropping it ends the thread. Signals that come later do nothing.
    pub(crate) struct Signals {
        handle: iterator::Handle,
        thread: Option<JoinHandle<()>>,
    }

    impl Signals {
        /// Handles the signals. `keys` are woken when the process runs again and when the window has another size.
        ///
        /// # Errors
        /// When the system refuses a handler or a thread.
        pub(crate) fn start(deliver: Deliver, report: Report, keys: Option<Waker>) -> io::Result<Self> {
            ignore_file_size_limit()?;
            let mut taken = vec![SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH];
            // These have no meaning here, and must not end a recording as they would by default.
            taken.extend([SIGALRM, SIGVTALRM, SIGPROF, SIGIO]);
            taken.extend([SIGHUP, SIGTSTP].into_iter().filter(|&signal| !is_ignored(signal)));
            let mut signals = iterator::Signals::new(taken)?;
            let handle = signals.handle();
            let act = move || {
                for signal in signals.forever() {
                    match signal {
                        SIGTERM | SIGHUP | SIGQUIT => deliver(Command::Stop),
                        SIGUSR1 => deliver(Command::Next),
                        SIGUSR2 => deliver(Command::TogglePause),
                        SIGTSTP => suspend(&report),
                        SIGCONT => {
                            terminal::continued();
                            keys.iter().for_each(Waker::recheck);
                            deliver(Command::Redraw);
                        }
                        SIGWINCH => keys.iter().for_each(Waker::resized),
                        _ => {}
                    }
                }
            };
            let thread = thread::Builder::new().name("signals".into()).spawn(act)?;
            Ok(Self { handle, thread: Some(thread) })
        }
    }

    impl Drop for Signals {
        fn drop(&mut self) {
            self.handle.close();
            if let Some(thread) = self.thread.take() {
                let _ = thread.join();
            }
        }
    }

    /// A file that reaches the limit of the process (`ulimit -f`) is to fail like a full disk, not to kill the process.
    fn ignore_file_size_limit() -> io::Result<()> {
        signal_hook::flag::register(SIGXFSZ, Arc::default()).map(drop)
    }

    /// Really stops, in a terminal that the shell can use.
    fn suspend(report: &Report) {
        if is_orphan() {
            return;
        }
        report.break_line();
        terminal::suspend();
        if signal_hook::low_level::raise(SIGSTOP).is_err() {
            terminal::continued();
        }
    }

    /// No process could continue this one: its parent is in another session, as when it is the only program of a
    /// terminal window. The system does not suspend such processes either (POSIX, orphaned process groups).
    fn is_orphan() -> bool {
        let own = process::getsid(None).ok();
        let parents = process::getppid().and_then(|parent| process::getsid(Some(parent)).ok());
        own.is_none() || own != parents
    }
}

/// Whether a signal was ignored when the program started and still is.
#[cfg(target_os = "linux")]
fn is_ignored(signal: i32) -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignored_in(&status, signal))
}

/// Where the system has no safe way to find out, the signal is handled.
#[cfg(all(unix, not(target_os = "linux")))]
fn is_ignored(_: i32) -> bool {
    false
}

/// Reads the mask `SigIgn` of `/proc/self/status`, see proc_pid_status(5).
#[cfg(any(test, target_os = "linux"))]
fn ignored_in(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    u32::try_from(signal - 1).ok().and_then(|bit| mask.checked_shr(bit)).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        let status = "Name:\tx\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001003\nSigCgt:\tffffffffffffffff\n";
        for (signal, ignored) in [
            (1, true),
            (2, true),
            (3, false),
            (13, true),
            (15, false),
            (0, false),
            (64, false),
            (65, false),
            (i32::MAX, false),
        ] {
            assert_eq!(ignored_in(status, signal), ignored, "{signal}");
        }
        assert!(!ignored_in("", 1) && !ignored_in("SigIgn:\tnonsense", 1));
    }
}
