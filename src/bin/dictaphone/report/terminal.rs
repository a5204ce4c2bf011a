//! The mode of the terminal while single keys are read or the screen is shown, and whether this process is in the
//! foreground of the terminal at the moment.
//!
//! The mode is a property of the terminal, not of this process, so it is switched through free functions that any
//! thread may call: the keys thread enters, the thread that ends or suspends the program leaves. Output keeps its usual
//! processing: a line feed still returns the cursor.
//!
//! A program that uses the whole screen requests it once; entering then shows it and leaving removes it, so that a
//! panic, a signal and a suspend restore the terminal without information about what was on it.

use std::{
    io::{self, Write},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crossterm::{
    cursor, event, execute,
    style::Print,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen},
};

use crate::report::printer::{Printer, Worth};

/// Between a suspend and the signal that continues the process the mode must not be entered again.
static SUSPENDED: AtomicBool = AtomicBool::new(false);

/// The screen, and the lock that every thread holds while it writes to the screen.
static SCREEN: Mutex<ScreenState> = Mutex::new(ScreenState { wanted: false, shown: false, generation: 0 });

/// Lines are written instead of a screen that is drawn.
static PLAIN: AtomicBool = AtomicBool::new(false);

/// From so many bytes on a picture is marked as one, so that a terminal which supports that shows it in one piece (DEC
/// mode 2026).
const SYNCHRONISED_BYTES: usize = 64;
const BEGIN_PICTURE: &[u8] = b"\x1b[?2026h";
const END_PICTURE: &[u8] = b"\x1b[?2026l";

/// The title of the terminal is saved and restored (XTWINOPS 22 and 23).
const KEEP_TITLE: Print<&str> = Print("\x1b[22;0t");
const RESTORE_TITLE: Print<&str> = Print("\x1b[23;0t");

/// What writes to the screen, once there is one.
static PRINTER: OnceLock<Printer> = OnceLock::new();

/// How long to wait for a terminal that accepts no more output.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(500);

struct ScreenState {
    wanted: bool,
    shown: bool,
    /// Counts how often it was shown; each time it is empty.
    generation: u64,
}

impl ScreenState {
    fn show(&mut self) {
        if self.wanted && !self.shown {
            // A variable, since the macro uses it twice.
            let mut out = Screenful::default();
            let is_plain = PLAIN.load(Ordering::SeqCst);
            self.shown = is_plain
                || execute!(
                    out,
                    KEEP_TITLE,
                    EnterAlternateScreen,
                    cursor::Hide,
                    event::EnableMouseCapture,
                    event::EnableBracketedPaste
                )
                .is_ok();
            self.generation += 1;
        }
    }

    fn take_away(&mut self) {
        if std::mem::take(&mut self.shown) {
            let mut out = Screenful::default();
            if !PLAIN.load(Ordering::SeqCst) {
                let _ = execute!(
                    out,
                    event::DisableBracketedPaste,
                    event::DisableMouseCapture,
                    cursor::Show,
                    LeaveAlternateScreen,
                    RESTORE_TITLE
                );
            }
            if let Some(printer) = PRINTER.get() {
                printer.settle(DRAIN_TIMEOUT);
            }
        }
    }
}

fn screen() -> MutexGuard<'static, ScreenState> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Switches to single keys, without echo; Ctrl-C and Ctrl-Z arrive as keys. Does nothing in the background, where
/// touching the terminal would stop the process (SIGTTOU). Entering again takes over what the shell may have changed
/// meanwhile.
pub(crate) fn enter() -> bool {
    let mut screen = screen();
    if SUSPENDED.load(Ordering::SeqCst) || !in_foreground() {
        return false;
    }
    if crossterm::terminal::is_raw_mode_enabled().unwrap_or(false) {
        let _ = crossterm::terminal::disable_raw_mode();
    }
    let entered = crossterm::terminal::enable_raw_mode().is_ok();
    if entered {
        refine_mode();
        screen.show();
    }
    entered
}

/// Restores the terminal. In the background it belongs to the shell, which has done so already.
pub(crate) fn leave() {
    // A thread that panics while it draws holds the lock itself and must not wait for it.
    match SCREEN.try_lock() {
        Ok(mut screen) => leave_locked(&mut screen),
        Err(TryLockError::Poisoned(poisoned)) => leave_locked(&mut poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => {
            leave_locked(&mut ScreenState { wanted: true, shown: true, generation: 0 });
        }
    }
}

fn leave_locked(screen: &mut ScreenState) {
    if crossterm::terminal::is_raw_mode_enabled().unwrap_or(false) && in_foreground() {
        screen.take_away();
        let _ = crossterm::terminal::disable_raw_mode();
    }
    screen.shown = false;
}

/// From the next [`enter`] to the next [`leave`] the program uses the whole screen or, if it is `plain`, the lines
/// below. At most once in a process; from now on nothing but the screen reaches standard output.
///
/// # Errors
/// When the system has no descriptor or no thread left.
pub(crate) fn want_screen(plain: bool) -> io::Result<()> {
    PLAIN.store(plain, Ordering::SeqCst);
    let printer = Printer::start(private_stdout()?)?;
    let _ = PRINTER.set(printer);
    screen().wanted = true;
    Ok(())
}

/// [`leave`], and no screen any more.
pub(crate) fn give_screen_back() {
    let mut screen = screen();
    leave_locked(&mut screen);
    screen.wanted = false;
}

/// Whether this program uses the whole screen, though it may be suspended.
pub(crate) fn has_screen() -> bool {
    screen().wanted
}

/// How often the screen was shown so far, if it is shown now. Each time it has to be drawn from nothing.
pub(crate) fn shown() -> Option<u64> {
    let screen = screen();
    screen.shown.then_some(screen.generation)
}

/// Draws if the screen is shown, this process is in the foreground, and the terminal has accepted what was drawn
/// before; otherwise does nothing. Meanwhile the screen cannot be removed.
pub(crate) fn draw<T>(draw: impl FnOnce() -> T) -> Option<T> {
    let screen = screen();
    let is_idle = PRINTER.get().is_some_and(Printer::is_idle);
    (screen.shown && is_idle && in_foreground()).then(draw)
}

/// [`leave`], and no [`enter`] before [`continued`].
#[cfg(unix)]
pub(crate) fn suspend() {
    SUSPENDED.store(true, Ordering::SeqCst);
    // A thread that draws finishes first, so that nothing is drawn over the output of the shell afterwards.
    leave_locked(&mut screen());
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

/// Reserves standard output for the screen: whatever a library prints there is dropped.
#[cfg(unix)]
fn private_stdout() -> io::Result<Box<dyn Write + Send>> {
    let copy = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    let nowhere = std::fs::File::options().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    Ok(Box::new(std::fs::File::from(copy)))
}

/// Libraries do not print to the console there.
#[cfg(not(unix))]
fn private_stdout() -> io::Result<Box<dyn Write + Send>> {
    Ok(Box::new(io::stdout()))
}

/// What is written here reaches the screen in one piece when it is flushed. It never waits for a terminal that was
/// stopped.
#[derive(Debug, Default)]
pub(crate) struct Screenful {
    bytes: Vec<u8>,
    /// What is written between two flushes is one picture.
    is_picture: bool,
}

impl Screenful {
    /// For a screen that is drawn.
    pub(crate) fn of_pictures() -> Self {
        Self { is_picture: true, ..Self::default() }
    }
}

impl Write for Screenful {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut piece = std::mem::take(&mut self.bytes);
        if self.is_picture && piece.len() >= SYNCHRONISED_BYTES {
            piece = [BEGIN_PICTURE, &piece, END_PICTURE].concat();
        }
        match PRINTER.get() {
            Some(printer) if !piece.is_empty() => printer.print(piece, Worth::Kept),
            _ => Ok(()),
        }
    }
}

/// Whether this process is in the foreground of the terminal; also true without job control.
#[cfg(unix)]
pub(crate) fn in_foreground() -> bool {
    use rustix::{process, stdio, termios};
    // Standard error may have been redirected to nowhere; any of the three that is a terminal is the same one.
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

/// Makes the terminal process output, and makes a read of keys return at once: another reader may have taken what there
/// was.
#[cfg(unix)]
fn refine_mode() {
    use rustix::{
        stdio,
        termios::{self, OptionalActions, OutputModes, SpecialCodeIndex},
    };
    if let Ok(mut mode) = termios::tcgetattr(stdio::stdin()) {
        mode.output_modes.insert(OutputModes::OPOST);
        mode.special_codes[SpecialCodeIndex::VMIN] = 0;
        mode.special_codes[SpecialCodeIndex::VTIME] = 0;
        let _ = termios::tcsetattr(stdio::stdin(), OptionalActions::Now, &mode);
    }
}

#[cfg(not(unix))]
fn refine_mode() {}
