//! The only place that prints.
//!
//! Standard output carries data, standard error carries messages to people. Neither can make a recording fail: a reader
//! that has gone is not an error, and a message that cannot be written is dropped.
//!
//! Sound libraries written in C print to file descriptor 2 at any time. So the report keeps a private copy of standard
//! error and, before a sound device is touched, redirects descriptor 2 itself to nowhere.
//!
//! May be called from any thread; a short lock keeps lines whole. Only `printer` waits for a stream that accepts no
//! data.

mod explain;
pub(crate) mod json;
pub(crate) mod logfile;
pub(crate) mod markers;
pub(crate) mod outcome;
pub(crate) mod printer;
pub(crate) mod quantity;
pub(crate) mod status;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod terminal;

use std::{
    env,
    io::{self, IsTerminal, Write},
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

pub(crate) use self::explain::explain;
use self::{
    printer::{Printer, Worth},
    status::StatusFacts,
    style::Style,
};
use crate::{
    cli::{Color, Common},
    message::{Message, visible},
    plan::JsonTo,
};

/// The live line is not redrawn more often than this.
const REDRAW: Duration = Duration::from_millis(100);

/// How long the end of the program, and how long a suspend, waits for a screen that accepts no output.
const SCREEN_TIMEOUT: Duration = Duration::from_secs(1);
const SUSPEND_TIMEOUT: Duration = Duration::from_millis(200);

/// How long the end of the program waits for a reader of JSON that reads nothing.
const JSON_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the width of the terminal is unknown.
const USUAL_WIDTH: u16 = 80;

/// A handle on what the user reads; its clones write to the same place.
#[derive(Clone)]
pub(crate) struct Report {
    screen: Arc<Mutex<LiveScreen>>,
    /// The printer of JSON to standard output, once there is any.
    events: Arc<OnceLock<Option<Printer>>>,
    style: Style,
    quiet: bool,
    is_terminal: bool,
    color: Color,
    /// Events go to standard error, and lines of text must not come between them.
    is_taken: Arc<AtomicBool>,
}

struct LiveScreen {
    /// `None` once it is closed.
    out: Option<Printer>,
    /// A live line stands there and the cursor is in it.
    line_shown: bool,
    drawn_at: Option<Instant>,
}

impl Report {
    /// A report for the terminal, the environment and the flags of this run.
    pub(crate) fn new(common: &Common) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let color = common.color.unwrap_or_default();
        let style = Style::of_environment(color, is_terminal && !is_dumb);
        Self { color, ..Self::to(private_stderr(), style, common.quiet, is_terminal && !is_dumb) }
    }

    fn to(out: Option<Box<dyn Write + Send>>, style: Style, quiet: bool, is_terminal: bool) -> Self {
        let out = out.and_then(|out| Printer::start(out).ok());
        let screen = LiveScreen { out, line_shown: false, drawn_at: None };
        Self {
            screen: Arc::new(Mutex::new(screen)),
            events: Arc::default(),
            style,
            quiet,
            is_terminal,
            color: Color::Auto,
            is_taken: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, LiveScreen> {
        // A thread that panicked while it printed leaves a broken line behind, nothing worse.
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether more than ASCII can be shown.
    pub(crate) fn speaks_utf8(&self) -> bool {
        self.style.unicode
    }

    /// What the terminal can show when all of it is drawn on, whether standard error is that terminal or not.
    pub(crate) fn style_of_screen(&self) -> Style {
        Style::of_environment(self.color, true)
    }

    /// Whether there is a live line; without one, a line at the start and one at the end say the same.
    pub(crate) fn has_live_line(&self) -> bool {
        self.is_terminal && !self.quiet
    }

    /// Reports what went wrong, and the remedy. Not printed where events go to standard error: there it is one of the
    /// events.
    pub(crate) fn error(&self, message: &Message) {
        log::error!("{}", message.text);
        if self.is_taken.load(Ordering::Relaxed) {
            return;
        }
        self.lock().say(&self.worded("error", "1;31", message));
    }

    /// The same, unless another thread holds the screen: for the last message before leaving at once.
    pub(crate) fn try_error(&self, message: &Message) {
        log::error!("{}", message.text);
        let text = self.worded("error", "1;31", message);
        match self.screen.try_lock() {
            Ok(mut screen) => screen.say_now(&text),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().say_now(&text),
            Err(TryLockError::WouldBlock) => {}
        }
    }

    /// What a person should know although everything goes on; also with `--quiet`.
    pub(crate) fn warning(&self, message: &Message) {
        log::warn!("{}", message.text);
        self.lock().say(&self.worded("warning", "1;33", message));
    }

    /// A line about the normal course of things; not with `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        log::info!("{text}");
        if !self.quiet {
            self.lock().say(&format!("{}\n", visible(text)));
        }
    }

    /// A dim line above the live line: as many of these, the first ones, as there is room for.
    pub(crate) fn aside(&self, parts: &[String]) {
        let (width, Style { unicode, colour, .. }) = (usize::from(columns()), self.style);
        let separator = if unicode { " · " } else { ", " };
        let mut line = String::new();
        for part in parts {
            let more = if line.is_empty() { visible(part) } else { format!("{separator}{}", visible(part)) };
            if line.width() + more.width() > width {
                break;
            }
            line.push_str(&more);
        }
        if !line.is_empty() {
            let (on, off) = if colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
            self.lock().say(&format!("{on}{line}{off}\n"));
        }
    }

    /// A text of many lines of our own, such as help, as it is.
    pub(crate) fn text(&self, text: &str) {
        self.lock().say(text);
    }

    /// Draws the live line if there is one, it is due, and this process is in the foreground of the terminal.
    pub(crate) fn draw(&self, facts: &StatusFacts<'_>, now: Instant) {
        self.draw_line(now, |width, style| status::render(facts, width, style));
    }

    /// The same for a line of another kind: `render` makes it, at most so many columns wide.
    pub(crate) fn draw_line(&self, now: Instant, render: impl FnOnce(usize, Style) -> String) {
        if !self.has_live_line() {
            return;
        }
        let mut screen = self.lock();
        let is_due = screen.drawn_at.is_none_or(|at| now.saturating_duration_since(at) >= REDRAW);
        // In the background the line belongs to the shell, which is waiting for a command there.
        if !is_due || !terminal::in_foreground() {
            return;
        }
        screen.drawn_at = Some(now);
        // Never into the last column, where some terminals wrap and others erase what was just written.
        let line = render(usize::from(columns() - 1), self.style);
        screen.write(&format!("\r{line}\x1b[K"), Worth::Fleeting);
        screen.line_shown = true;
    }

    /// Takes the live line away.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Waits until everything that was printed is written, for a limited time: the program ends. Events may take longer
    /// than text, since a program that reads them may be busy.
    pub(crate) fn finish(&self) {
        if let Some(Some(events)) = self.events.get() {
            events.settle(JSON_TIMEOUT);
        }
        self.lock().settle(SCREEN_TIMEOUT);
    }

    /// Why events on standard output were lost, if any were, once all of them are written. Returned once.
    pub(crate) fn take_lost_events(&self) -> Option<io::Error> {
        let events = self.events.get()?.as_ref()?;
        events.settle(JSON_TIMEOUT);
        events.take_loss()
    }

    /// Leaves the live line where it is and begins a new one below, for the shell; the next draw is due at once.
    #[cfg(unix)]
    pub(crate) fn break_line(&self) {
        let mut screen = self.lock();
        if std::mem::take(&mut screen.line_shown) {
            screen.write("\n", Worth::Kept);
        }
        screen.drawn_at = None;
        screen.settle(SUSPEND_TIMEOUT);
    }

    /// Data to standard output.
    ///
    /// # Errors
    /// Those of standard output; a reader that has gone is none.
    pub(crate) fn data(&self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        quiet_if_closed(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// The path of a finished file as a line on standard output: byte for byte for a program, harmless on a terminal.
    ///
    /// # Errors
    /// Those of [`data`](Self::data).
    pub(crate) fn path(&self, path: &Path) -> io::Result<()> {
        self.clear();
        let mut line = match io::stdout().is_terminal() {
            true => visible(&path.to_string_lossy()).into_bytes(),
            false => path.as_os_str().as_encoded_bytes().to_vec(),
        };
        line.push(b'\n');
        self.data(&line)
    }

    /// Facts that were asked for, as one line of JSON; waits for the reader.
    ///
    /// # Errors
    /// Those of JSON and of standard output; a reader that has gone is none.
    pub(crate) fn facts(&self, value: &impl Serialize) -> io::Result<()> {
        self.data(&json::line(value)?)
    }

    /// An event as one line of JSON. It is dropped if earlier ones have not been read for a while.
    ///
    /// # Errors
    /// Those of JSON; a reader that has gone is none.
    pub(crate) fn event(&self, to: JsonTo, value: &impl Serialize, worth: Worth) -> io::Result<()> {
        let line = json::line(value)?;
        quiet_if_closed(match to {
            JsonTo::Stdout => {
                // It may be the same terminal.
                self.clear();
                let events = self.events.get_or_init(|| Printer::start(Box::new(io::stdout())).ok());
                events.as_ref().map_or(Ok(()), |events| events.print(line, worth))
            }
            JsonTo::Stderr => {
                self.is_taken.store(true, Ordering::Relaxed);
                let mut screen = self.lock();
                screen.clear();
                screen.out.as_ref().map_or(Ok(()), |out| out.print(line, worth))
            }
        })
    }

    /// Redirects descriptor 2 to nowhere, so that nothing a C library prints reaches the user. From now on only this
    /// report reaches standard error.
    pub(crate) fn silence_libraries(&self) {
        #[cfg(unix)]
        if let Ok(nowhere) = std::fs::File::options().write(true).open("/dev/null") {
            // If it fails, the user sees a line too many.
            let _ = rustix::stdio::dup2_stderr(&nowhere);
        }
    }

    /// Reports panics through a private copy of standard error, after the terminal is back in its usual mode.
    pub(crate) fn tell_panics(&self) {
        // Not through the lock: the thread that panics may hold it.
        let out = Mutex::new(private_stderr());
        std::panic::set_hook(Box::new(move |info| {
            // Such a panic becomes an error about a file.
            if dictaphone::format::is_guarded() {
                return;
            }
            terminal::leave();
            let what = info.payload();
            let what = what.downcast_ref::<&str>().copied().or(what.downcast_ref::<String>().map(String::as_str));
            let place = info.location().map(|at| format!(" at {at}")).unwrap_or_default();
            let thread = std::thread::current();
            let text = format!(
                "\r\x1b[Kerror: a bug in thread `{}`{place}: {}\nhint: please report it; what was recorded is kept\n",
                visible(thread.name().unwrap_or("unnamed")),
                visible(what.unwrap_or("no reason given")),
            );
            if let Some(out) = out.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
                let _ = out.write_all(text.as_bytes());
            }
            log::error!("a bug{place}: {}", what.unwrap_or("no reason given"));
        }));
    }

    fn worded(&self, word: &str, sgr: &str, message: &Message) -> String {
        let head = |word: &str, sgr: &str| match self.style.colour {
            true => format!("\x1b[{sgr}m{word}:\x1b[0m"),
            false => format!("{word}:"),
        };
        let mut text = format!("{} {}\n", head(word, sgr), visible(&message.text));
        if let Some(hint) = &message.hint {
            text.push_str(&format!("{} {}\n", head("hint", "1;36"), visible(hint)));
        }
        text
    }
}

/// Of the terminal, at least one.
fn columns() -> u16 {
    // A terminal whose size was never set has zero columns.
    let known = crossterm::terminal::size().ok().map(|(columns, _)| columns).filter(|&columns| columns > 0);
    known.unwrap_or(USUAL_WIDTH)
}

impl LiveScreen {
    fn say(&mut self, text: &str) {
        self.clear();
        self.write(text, Worth::Kept);
    }

    /// For when the program is left at once.
    fn say_now(&mut self, text: &str) {
        self.say(text);
        self.settle(SUSPEND_TIMEOUT);
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.line_shown) {
            self.write("\r\x1b[K", Worth::Kept);
            self.drawn_at = None;
        }
    }

    fn write(&mut self, text: &str, worth: Worth) {
        // In one piece, so that lines of other programs do not come between.
        if self.out.as_ref().is_some_and(|out| out.print(text.as_bytes().to_vec(), worth).is_err()) {
            self.out = None;
        }
    }

    fn settle(&self, limit: Duration) {
        if let Some(out) = &self.out {
            out.settle(limit);
        }
    }
}

fn quiet_if_closed(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

/// A copy of standard error that stays valid when descriptor 2 is redirected; child processes do not inherit it.
#[cfg(unix)]
fn private_stderr() -> Option<Box<dyn Write + Send>> {
    let copy = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3).ok()?;
    Some(Box::new(std::fs::File::from(copy)))
}

#[cfg(not(unix))]
fn private_stderr() -> Option<Box<dyn Write + Send>> {
    Some(Box::new(io::stderr()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Paper {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn report(colour: bool, quiet: bool) -> (Report, Paper) {
        let paper = Paper::default();
        let style = Style { unicode: true, colour };
        (Report::to(Some(Box::new(paper.clone())), style, quiet, false), paper)
    }

    #[test]
    fn a_message_has_its_hint_on_a_line_of_its_own() {
        let (report, paper) = report(false, true);
        report.error(&Message::new("no input device").hint("plug one in"));
        report.warning(&Message::new("it is hot"));
        report.finish();
        assert_eq!(paper.text(), "error: no input device\nhint: plug one in\nwarning: it is hot\n");
    }

    #[test]
    fn no_message_can_steer_the_terminal() {
        let (report, paper) = report(true, false);
        report.error(&Message::new("no device `\u{1b}]0;x\u{7}`").hint("\u{202e}"));
        report.note("a\nb");
        report.finish();
        assert_eq!(
            paper.text(),
            "\u{1b}[1;31merror:\u{1b}[0m no device `\\u{1b}]0;x\\u{7}`\n\u{1b}[1;36mhint:\u{1b}[0m \\u{202e}\na\\u{a}b\n"
        );
    }

    #[test]
    fn quiet_leaves_out_notes_only() {
        let (report, paper) = report(false, true);
        report.note("recording");
        report.warning(&Message::new("lost 5 frames"));
        report.finish();
        assert_eq!(paper.text(), "warning: lost 5 frames\n");
    }

    #[test]
    fn a_closed_standard_error_is_given_up_quietly() {
        struct Closed(Arc<Mutex<u32>>);
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                *self.0.lock().unwrap() += 1;
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let tries = Arc::new(Mutex::new(0));
        let style = Style { unicode: true, colour: false };
        let report = Report::to(Some(Box::new(Closed(tries.clone()))), style, false, false);
        report.note("a");
        report.finish();
        report.note("b");
        report.finish();
        assert_eq!(*tries.lock().unwrap(), 1);
        assert!(report.event(JsonTo::Stderr, &1, Worth::Kept).is_ok());
    }

    #[test]
    fn json_on_standard_error_is_whole_lines() {
        let (report, paper) = report(false, false);
        report.event(JsonTo::Stderr, &[1, 2], Worth::Kept).unwrap();
        report.finish();
        assert_eq!(paper.text(), "[1,2]\n");
    }
}
