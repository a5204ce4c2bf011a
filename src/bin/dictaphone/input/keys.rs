//! Single keys from the terminal while a recording runs or is played, or the screen is open. Owns the thread `keys`.
//!
//! A process in the background that reads its terminal is stopped by the system (SIGTTIN), so keys are read only while
//! this process is in the foreground: between `bg` and `fg` the thread checks twice a second whether it is there again.

#[cfg(unix)]
mod sequences;

use std::{sync::Arc, time::Duration};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{
    command::{Command, Deliver},
    interrupts::Interrupts,
};

#[cfg(not(unix))]
pub(crate) use polled::Keys;
#[cfg(unix)]
pub(crate) use woken::{Keys, Waker};

/// What a key means.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Meaning {
    Command(Command),
    Interrupt,
    Suspend,
}

/// What an arrow seeks by, and what it does together with shift.
const STEP: Duration = Duration::from_secs(5);
const STRIDE: Duration = Duration::from_secs(30);

fn meaning(key: KeyEvent) -> Option<Meaning> {
    let step = if key.modifiers.contains(KeyModifiers::SHIFT) { STRIDE } else { STEP };
    // A key that is held down must not pause and resume in turn, but it may seek on.
    if key.kind == KeyEventKind::Release || (key.kind == KeyEventKind::Repeat && !repeats(key.code)) {
        return None;
    }
    match (key.code, key.modifiers.contains(KeyModifiers::CONTROL)) {
        (KeyCode::Char('c' | 'C'), true) => Some(Meaning::Interrupt),
        (KeyCode::Char('z' | 'Z'), true) => Some(Meaning::Suspend),
        (KeyCode::Char(' '), false) => Some(Meaning::Command(Command::TogglePause)),
        (KeyCode::Left, false) => Some(Meaning::Command(Command::SeekBack(step))),
        (KeyCode::Right, false) => Some(Meaning::Command(Command::SeekForward(step))),
        (KeyCode::Char('['), false) => Some(Meaning::Command(Command::Slower)),
        (KeyCode::Char(']'), false) => Some(Meaning::Command(Command::Faster)),
        (KeyCode::Char(','), false) => Some(Meaning::Command(Command::PreviousMarker)),
        (KeyCode::Char('.'), false) => Some(Meaning::Command(Command::NextMarker)),
        (KeyCode::Char(digit @ '0'..='9'), false) => Some(Meaning::Command(Command::Tenth(digit as u8 - b'0'))),
        (KeyCode::Char('m' | 'M'), false) => Some(Meaning::Command(Command::Mark(String::new()))),
        (KeyCode::Char('n' | 'N'), false) => Some(Meaning::Command(Command::Next)),
        (KeyCode::Char('k' | 'K'), false) => Some(Meaning::Command(Command::KeepGoing)),
        (KeyCode::Char('q' | 'Q') | KeyCode::Enter, false) => Some(Meaning::Command(Command::Stop)),
        _ => None,
    }
}

fn repeats(code: KeyCode) -> bool {
    matches!(code, KeyCode::Left | KeyCode::Right | KeyCode::Char('[' | ']'))
}

/// Receives what comes from the terminal, on the thread `keys`; must not block.
pub(crate) type OnEvent = Box<dyn Fn(Event) + Send>;

/// The keys of `record`, as commands.
pub(crate) fn commands(deliver: Deliver, interrupts: Arc<Interrupts>) -> OnEvent {
    Box::new(move |event| {
        let Event::Key(key) = event else { return };
        match meaning(key) {
            Some(Meaning::Command(command)) => deliver(command),
            Some(Meaning::Interrupt) => interrupts.interrupt(),
            Some(Meaning::Suspend) => suspend_job(),
            None => {}
        }
    })
}

/// Passes on every event unchanged, except for the two keys that mean the same everywhere.
pub(crate) fn events(take: OnEvent, interrupts: Arc<Interrupts>) -> OnEvent {
    Box::new(move |event| match event {
        Event::Key(key) if meaning(key) == Some(Meaning::Interrupt) => interrupts.interrupt(),
        Event::Key(key) if meaning(key) == Some(Meaning::Suspend) => suspend_job(),
        event => take(event),
    })
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
        io::{self, Read as _, Write as _},
        os::unix::net::UnixStream,
        thread::{self, JoinHandle},
    };

    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        stdio,
    };

    use super::{Event, OnEvent, sequences::Sequences};
    use crate::report::terminal::{self, RawMode};

    const LOOK_AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };

    /// A sequence comes in one piece, or in two over a slow line; what is pasted may be long.
    const SEQUENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };
    const PASTE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

    /// Why the thread is woken.
    const RECHECK: u8 = 0;
    const RESIZED: u8 = 1;

    /// The running thread; dropping it ends the thread and leaves the mode of single keys.
    pub(crate) struct Keys {
        waker: UnixStream,
        thread: Option<JoinHandle<()>>,
    }

    impl Keys {
        /// Reads keys from standard input, which is a terminal.
        ///
        /// # Errors
        /// When the system has no descriptor or no thread left.
        pub(crate) fn start(take: OnEvent) -> io::Result<Self> {
            let (waker, wake) = UnixStream::pair()?;
            waker.set_nonblocking(true)?;
            wake.set_nonblocking(true)?;
            let thread = thread::Builder::new().name("keys".into()).spawn(move || read(&wake, &take))?;
            Ok(Self { waker, thread: Some(thread) })
        }

        /// What wakes the thread.
        ///
        /// # Errors
        /// When the system has no descriptor left.
        pub(crate) fn waker(&self) -> io::Result<Waker> {
            self.waker.try_clone().map(Waker)
        }
    }

    /// Wakes the thread from another one.
    pub(crate) struct Waker(UnixStream);

    impl Waker {
        /// Makes the thread check again whether this process is in the foreground, and set the mode of the terminal
        /// anew.
        pub(crate) fn recheck(&self) {
            let _ = (&self.0).write(&[RECHECK]);
        }

        /// Makes the thread report the size of the terminal.
        pub(crate) fn resized(&self) {
            let _ = (&self.0).write(&[RESIZED]);
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

    fn read(wake: &UnixStream, take: &OnEvent) {
        let _guard = RawMode;
        let mut sequences = Sequences::default();
        let mut ours = terminal::enter();
        loop {
            let tty = stdio::stdin();
            let mut fds = [PollFd::new(wake, PollFlags::IN), PollFd::new(&tty, PollFlags::IN)];
            let [first, ..] = &mut fds;
            let polled = match ours {
                true => poll(&mut fds, sequence_timeout(&sequences)),
                false => poll(std::slice::from_mut(first), Some(&LOOK_AGAIN)),
            };
            let is_quiet = match polled {
                Ok(count) => count == 0,
                Err(rustix::io::Errno::INTR) => false,
                Err(_) => return,
            };
            let [woken, pressed] = fds.map(|fd| fd.revents());
            if woken.contains(PollFlags::IN) {
                match wakes(wake) {
                    Some(wakes) => {
                        ours &= !wakes.contains(&RECHECK);
                        if wakes.contains(&RESIZED) {
                            deliver_size(take);
                        }
                    }
                    None => return,
                }
            } else if !woken.is_empty() {
                return;
            }
            if ours && pressed.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                // The terminal is gone. What comes from it now would be an endless end of file.
                return;
            }
            if !ours {
                sequences = Sequences::default();
                ours = terminal::enter();
            } else if !terminal::in_foreground() {
                ours = false;
            } else if pressed.contains(PollFlags::IN) && take_all(&mut sequences, take).is_err() {
                return;
            } else if is_quiet {
                sequences.settle().into_iter().for_each(take);
            }
        }
    }

    /// How long to wait for the rest of what was begun.
    fn sequence_timeout(sequences: &Sequences) -> Option<&'static Timespec> {
        match (sequences.is_open(), sequences.is_pasting()) {
            (false, _) => None,
            (true, false) => Some(&SEQUENCE),
            (true, true) => Some(&PASTE),
        }
    }

    /// Why the thread was woken; `None` if it is to end.
    fn wakes(mut wake: &UnixStream) -> Option<Vec<u8>> {
        let mut buffer = [0; 16];
        match wake.read(&mut buffer) {
            Ok(0) => None,
            Ok(count) => Some(buffer.iter().copied().take(count).collect()),
            Err(_) => Some(Vec::new()),
        }
    }

    fn deliver_size(take: &OnEvent) {
        if let Ok((columns, rows)) = crossterm::terminal::size() {
            take(Event::Resize(columns, rows));
        }
    }

    /// Reads what there is, in one call that does not block.
    fn take_all(sequences: &mut Sequences, take: &OnEvent) -> io::Result<()> {
        let mut buffer = [0; 1024];
        let count = match rustix::io::read(stdio::stdin(), &mut buffer) {
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => 0,
            read => read?,
        };
        buffer.iter().take(count).filter_map(|&byte| sequences.take(byte)).for_each(take);
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

    use super::OnEvent;
    use crate::report::terminal::{self, RawMode};

    const LOOK_AGAIN: Duration = Duration::from_millis(50);

    /// The running thread; dropping it ends the thread and leaves the mode of single keys.
    pub(crate) struct Keys {
        ends: Arc<AtomicBool>,
        thread: Option<JoinHandle<()>>,
    }

    impl Keys {
        /// Reads keys from the console.
        ///
        /// # Errors
        /// When the system has no thread left.
        pub(crate) fn start(take: OnEvent) -> io::Result<Self> {
            let ends = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&ends);
            let thread = thread::Builder::new().name("keys".into()).spawn(move || {
                let _guard = RawMode;
                terminal::enter();
                while !seen.load(Ordering::Relaxed) {
                    match crossterm::event::poll(LOOK_AGAIN)
                        .and_then(|ready| ready.then(crossterm::event::read).transpose())
                    {
                        Ok(Some(event)) => take(event),
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
        let plain = |code| meaning(KeyEvent::new(code, KeyModifiers::NONE));
        let control = |code| meaning(KeyEvent::new(code, KeyModifiers::CONTROL));
        assert_eq!(plain(KeyCode::Char(' ')), Some(Meaning::Command(Command::TogglePause)));
        assert_eq!(plain(KeyCode::Char('q')), Some(Meaning::Command(Command::Stop)));
        assert_eq!(plain(KeyCode::Enter), Some(Meaning::Command(Command::Stop)));
        assert_eq!(plain(KeyCode::Left), Some(Meaning::Command(Command::SeekBack(STEP))));
        let far = meaning(KeyEvent::new(KeyCode::Right, KeyModifiers::SHIFT));
        assert_eq!(far, Some(Meaning::Command(Command::SeekForward(STRIDE))));
        assert_eq!(plain(KeyCode::Char(',')), Some(Meaning::Command(Command::PreviousMarker)));
        assert_eq!(plain(KeyCode::Char('.')), Some(Meaning::Command(Command::NextMarker)));
        assert_eq!(plain(KeyCode::Char('7')), Some(Meaning::Command(Command::Tenth(7))));
        assert_eq!(plain(KeyCode::Char('[')), Some(Meaning::Command(Command::Slower)));
        assert_eq!(plain(KeyCode::Char(']')), Some(Meaning::Command(Command::Faster)));
        assert_eq!(control(KeyCode::Char('c')), Some(Meaning::Interrupt));
        assert_eq!(control(KeyCode::Char('z')), Some(Meaning::Suspend));
        for nothing in [plain(KeyCode::Char('c')), plain(KeyCode::Char('x')), control(KeyCode::Char('q'))] {
            assert_eq!(nothing, None);
        }
    }

    #[test]
    fn a_key_that_is_held_down_counts_once() {
        let mut key = KeyEvent::new(KeyCode::Char(' '), KeyModifiers::NONE);
        key.kind = KeyEventKind::Repeat;
        assert_eq!(meaning(key), None);
        let mut arrow = KeyEvent::new(KeyCode::Left, KeyModifiers::NONE);
        arrow.kind = KeyEventKind::Repeat;
        assert_eq!(meaning(arrow), Some(Meaning::Command(Command::SeekBack(STEP))));
        key.kind = KeyEventKind::Release;
        assert_eq!(meaning(key), None);
    }
}
