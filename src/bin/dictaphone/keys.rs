//! Single keys from the terminal while a recording runs. Owns the thread `keys`.
//!
//! A process in the background that reads its terminal is stopped by the system (SIGTTIN), so keys are taken only while
//! this process is in the foreground: between `bg` and `fg` the thread looks twice a second whether it is again.

#[cfg(unix)]
mod bytes;

use std::sync::Arc;

#[cfg(not(unix))]
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::intent::{Deliver, Intent, Interrupts};

#[cfg(not(unix))]
pub(crate) use polled::Keys;
#[cfg(unix)]
pub(crate) use woken::Keys;

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Wish(Intent),
    Interrupt,
    Suspend,
}

/// What a key means, as the byte that a terminal sends for it.
fn meaning(key: u8) -> Option<Meaning> {
    match key {
        // Ctrl-C and Ctrl-Z.
        0x03 => Some(Meaning::Interrupt),
        0x1a => Some(Meaning::Suspend),
        b' ' => Some(Meaning::Wish(Intent::TogglePause)),
        b'm' | b'M' => Some(Meaning::Wish(Intent::Mark)),
        b'q' | b'Q' | b'\r' | b'\n' => Some(Meaning::Wish(Intent::Stop)),
        _ => None,
    }
}

/// The byte that a terminal would send for what a console reports.
#[cfg(not(unix))]
fn byte_of(event: &Event) -> Option<u8> {
    // A key that is held down must not pause and resume in turn.
    let Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }) = event else { return None };
    match (code, modifiers.contains(KeyModifiers::CONTROL)) {
        (KeyCode::Char('c' | 'C'), true) => Some(0x03),
        (KeyCode::Enter, false) => Some(b'\r'),
        (KeyCode::Char(key), false) => u8::try_from(*key).ok().filter(u8::is_ascii),
        _ => None,
    }
}

/// Where keys go.
struct Destination {
    deliver: Deliver,
    interrupts: Arc<Interrupts>,
}

impl Destination {
    fn take(&self, key: u8) {
        match meaning(key) {
            Some(Meaning::Wish(intent)) => (self.deliver)(intent),
            Some(Meaning::Interrupt) => self.interrupts.interrupt(),
            Some(Meaning::Suspend) => suspend_job(),
            None => {}
        }
    }
}

/// Stops the whole job, as the terminal itself would: a pipeline of which one process goes on does not give the shell
/// its prompt back. The signals thread does what is needed for this process.
#[cfg(unix)]
fn suspend_job() {
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
}

#[cfg(not(unix))]
fn suspend_job() {}

#[cfg(unix)]
mod woken {
    use std::{
        io::{self, Write as _},
        os::unix::net::UnixStream,
        sync::Arc,
        thread::{self, JoinHandle},
    };

    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        stdio,
    };

    use super::{Destination, bytes::Bytes};
    use crate::{
        intent::{Deliver, Interrupts},
        terminal::{self, RawMode},
    };

    const LOOK_AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };

    /// The running thread; dropping it ends the thread and leaves the mode of single keys.
    pub(crate) struct Keys {
        waker: UnixStream,
        thread: Option<JoinHandle<()>>,
    }

    impl Keys {
        /// Takes keys from standard input, which is a terminal.
        ///
        /// # Errors
        /// When the system has no descriptor or no thread left.
        pub(crate) fn start(deliver: Deliver, interrupts: Arc<Interrupts>) -> io::Result<Self> {
            let (waker, wake) = UnixStream::pair()?;
            waker.set_nonblocking(true)?;
            wake.set_nonblocking(true)?;
            let to = Destination { deliver, interrupts };
            let thread = thread::Builder::new().name("keys".into()).spawn(move || read(&wake, &to))?;
            Ok(Self { waker, thread: Some(thread) })
        }

        /// A function that makes the thread look again whether the terminal is ours, and take its mode over anew.
        ///
        /// # Errors
        /// When the system has no descriptor left.
        pub(crate) fn recheck(&self) -> io::Result<impl Fn() + Send + 'static> {
            let waker = self.waker.try_clone()?;
            Ok(move || {
                let mut waker = &waker;
                let _ = waker.write(&[0]);
            })
        }
    }

    impl Drop for Keys {
        fn drop(&mut self) {
            let _ = self.waker.shutdown(std::net::Shutdown::Both);
            if let Some(thread) = self.thread.take() {
                let _ = thread.join();
            }
        }
    }

    fn read(mut wake: &UnixStream, to: &Destination) {
        let _guard = RawMode;
        let mut ours = terminal::enter();
        let mut bytes = Bytes::default();
        loop {
            let tty = stdio::stdin();
            let mut fds = [PollFd::new(wake, PollFlags::IN), PollFd::new(&tty, PollFlags::IN)];
            let [first, ..] = &mut fds;
            let polled = if ours { poll(&mut fds, None) } else { poll(std::slice::from_mut(first), Some(&LOOK_AGAIN)) };
            match polled {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
            let [woken, pressed] = fds.map(|fd| fd.revents());
            if woken.contains(PollFlags::IN) {
                use io::Read as _;
                match wake.read(&mut [0; 16]) {
                    Ok(0) => return,
                    Ok(_) => ours = false,
                    Err(_) => {}
                }
            } else if !woken.is_empty() {
                return;
            }
            if ours && pressed.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                // The terminal is gone. What comes from it now would be an endless end of file.
                return;
            }
            if !ours {
                ours = terminal::enter();
            } else if !terminal::in_foreground() {
                ours = false;
            } else if pressed.contains(PollFlags::IN) && take_all(&mut bytes, to).is_err() {
                return;
            }
        }
    }

    /// Takes what is there. The terminal has said that there is something, so this does not wait.
    fn take_all(bytes: &mut Bytes, to: &Destination) -> io::Result<()> {
        let mut buffer = [0; 256];
        let count = match rustix::io::read(stdio::stdin(), &mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => 0,
            outcome => outcome?,
        };
        bytes.keys(buffer.get(..count).unwrap_or_default()).into_iter().for_each(|key| to.take(key));
        Ok(())
    }
}

#[cfg(not(unix))]
mod polled {
    use std::{
        io,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        thread::{self, JoinHandle},
        time::Duration,
    };

    use super::{Destination, byte_of};
    use crate::{
        intent::{Deliver, Interrupts},
        terminal::{self, RawMode},
    };

    const LOOK_AGAIN: Duration = Duration::from_millis(50);

    /// The running thread; dropping it ends the thread and leaves the mode of single keys.
    pub(crate) struct Keys {
        ends: Arc<AtomicBool>,
        thread: Option<JoinHandle<()>>,
    }

    impl Keys {
        /// Takes keys from the console.
        ///
        /// # Errors
        /// When the system has no thread left.
        pub(crate) fn start(deliver: Deliver, interrupts: Arc<Interrupts>) -> io::Result<Self> {
            let ends = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&ends);
            let to = Destination { deliver, interrupts };
            let thread = thread::Builder::new().name("keys".into()).spawn(move || {
                let _guard = RawMode;
                terminal::enter();
                while !seen.load(Ordering::Relaxed) {
                    match crossterm::event::poll(LOOK_AGAIN)
                        .and_then(|ready| ready.then(crossterm::event::read).transpose())
                    {
                        Ok(Some(event)) => byte_of(&event).into_iter().for_each(|key| to.take(key)),
                        Ok(None) => {}
                        Err(_) => return,
                    }
                }
            })?;
            Ok(Self { ends, thread: Some(thread) })
        }
    }

    impl Drop for Keys {
        fn drop(&mut self) {
            self.ends.store(true, Ordering::Relaxed);
            if let Some(thread) = self.thread.take() {
                let _ = thread.join();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_help_says() {
        for (keys, expected) in [
            (&b" "[..], Some(Meaning::Wish(Intent::TogglePause))),
            (b"mM", Some(Meaning::Wish(Intent::Mark))),
            (b"qQ\r\n", Some(Meaning::Wish(Intent::Stop))),
            (b"\x03", Some(Meaning::Interrupt)),
            (b"\x1a", Some(Meaning::Suspend)),
            (b"cxz\x11\t\x7f", None),
        ] {
            keys.iter().for_each(|&key| assert_eq!(meaning(key), expected, "{key}"));
        }
    }
}
