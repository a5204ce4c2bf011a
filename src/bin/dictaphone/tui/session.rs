//! The loop between the outside and the picture of it, and what becomes of a recording when this program has a bug.
//!
//! Runs on the main thread. A panic in it does not end the recording: the screen is opened anew, and if that does not
//! help, the recording goes on without one until it is stopped.

use std::{
    io::{self, Write as _},
    panic::{self, AssertUnwindSafe},
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use crossterm::{execute, style::Print, terminal::SetTitle};
use ratatui::{Terminal, backend::CrosstermBackend, layout::Rect};

use super::{
    app::{Model, Weight},
    cannot,
    effect::{World, WorldEvent},
    plain::Announced,
    update::{Effect, Msg, update},
    view,
};
use crate::{
    input::{Inputs, command::Command},
    message::{Message, exit::Exit},
    report::{
        Report,
        terminal::{self, Screenful},
    },
};

/// The shortest time between two pictures: 30 a second at most.
const PICTURE_INTERVAL: Duration = Duration::from_millis(34);
/// The same after a key, which is not to wait for the next picture.
const KEY_INTERVAL: Duration = Duration::from_millis(4);
/// How often the outside is checked when no sound arrives.
const IDLE_INTERVAL: Duration = Duration::from_millis(250);
/// Messages that may belong to one picture.
const AT_ONCE: usize = 256;
/// How often the screen is opened anew after a panic.
const RESTARTS_MAX: u32 = 3;

type Canvas = Terminal<CrosstermBackend<Screenful>>;

/// An open screen.
pub(super) struct Screen {
    model: Model,
    world: World,
    events: Receiver<WorldEvent>,
    inputs: Inputs,
    /// Lines are written instead of pictures, and what was reported so far.
    told: Option<Announced>,
    /// The title of the terminal.
    title: String,
    /// Which showing of the screen was drawn last.
    shown: Option<u64>,
    drawn: Instant,
    /// A key came since.
    is_awaited: bool,
}

/// Why the loop ended.
enum End {
    /// The user has left.
    Left,
    /// The terminal cannot be drawn on.
    Blind(io::Error),
    /// A bug came up again and again.
    Broken,
}

impl Screen {
    pub(super) fn new(model: Model, world: World, events: Receiver<WorldEvent>, inputs: Inputs, plain: bool) -> Self {
        let told = plain.then(Announced::default);
        Self {
            model,
            world,
            events,
            inputs,
            told,
            title: String::new(),
            shown: None,
            drawn: Instant::now(),
            is_awaited: false,
        }
    }

    /// Stays until the user leaves, and does what must be done whatever happens.
    ///
    /// # Errors
    /// Whatever kept the terminal from being used; the recording is saved.
    pub(super) fn stay(mut self, report: &Report) -> anyhow::Result<Exit> {
        self.follow_all(vec![], Some(Effect::Open));
        let end = self.survive();
        if matches!(end, End::Broken) && self.world.is_busy() {
            terminal::give_screen_back();
            report.warning(
                &Message::new("the screen has failed, the recording goes on").hint("Ctrl-C stops and saves it"),
            );
            self.wait_for_stop();
        }
        if !matches!(end, End::Left) {
            // There is no way left to stop it.
            self.world.finish(&self.events);
            if let Some(dictation) = self.model.recorder.dictation.take() {
                self.world.strand(&dictation);
            }
        }
        terminal::give_screen_back();
        let kept = self.report_kept(report);
        self.world.close();
        match end {
            End::Left => Ok(kept.unwrap_or(Exit::Done)),
            End::Blind(error) => Err(cannot("draw on the terminal", &error).into()),
            // The panic hook has reported it.
            End::Broken => Ok(kept.unwrap_or(Exit::Failed)),
        }
    }

    /// Runs the loop, and again after a panic.
    fn survive(&mut self) -> End {
        for _ in 0..RESTARTS_MAX {
            match panic::catch_unwind(AssertUnwindSafe(|| self.run())) {
                Ok(Ok(())) => return End::Left,
                Ok(Err(error)) => return End::Blind(error),
                // The hook could not take the screen away if the panic came while it was drawn.
                Err(_) => terminal::leave(),
            }
            // What was open may be what the bug is about.
            self.model.dialog = None;
            self.model.shelf.takes.filter.clear();
            self.model.dirty = true;
            let text = "the screen had a bug and was opened anew, nothing is lost".to_owned();
            self.follow(Msg::Say(Weight::Error, text));
        }
        End::Broken
    }

    /// Reports the outcomes of the recordings that were not reported on the screen.
    fn report_kept(&self, report: &Report) -> Option<Exit> {
        let mut worst = self.world.worst();
        for kept in &self.world.kept {
            let (words, code) = kept.last_words();
            match words {
                Ok(words) => report.note(&words),
                Err(message) => report.warning(&message),
            }
            worst = Some(worst.filter(|worst: &Exit| worst.code() > code.code()).unwrap_or(code));
        }
        worst
    }

    /// Without a screen.
    fn wait_for_stop(&mut self) {
        while self.world.is_busy() {
            match self.world.wait(&self.events) {
                Some(WorldEvent::Msg(Msg::Command(Command::Stop))) => return,
                Some(event) => {
                    self.world.on_event(event);
                }
                None => {}
            }
        }
    }

    fn run(&mut self) -> io::Result<()> {
        let mut canvas = Terminal::new(CrosstermBackend::new(Screenful::of_pictures()))?;
        self.shown = None;
        loop {
            let wait =
                if self.world.is_live() { self.interval().saturating_sub(self.drawn.elapsed()) } else { IDLE_INTERVAL };
            match self.events.recv_timeout(wait) {
                Ok(first) => {
                    self.on_event(first);
                    // Events that wait behind it belong to the same picture.
                    for _ in 0..AT_ONCE {
                        let Ok(next) = self.events.try_recv() else { break };
                        self.on_event(next);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            let heard = self.world.look();
            self.follow(Msg::Looked(heard));
            self.follow_session();
            self.set_last_words();
            if self.model.leaving && !self.world.is_busy() {
                return Ok(());
            }
            if !self.model.leaving {
                // The screen has reported those.
                self.world.kept.clear();
            }
            if self.drawn.elapsed() >= self.interval() || !self.world.is_live() {
                self.draw(&mut canvas)?;
                (self.drawn, self.is_awaited) = (Instant::now(), false);
            }
        }
    }

    /// The shortest time from the last picture to the next one.
    fn interval(&self) -> Duration {
        if self.is_awaited { KEY_INTERVAL } else { PICTURE_INTERVAL }
    }

    fn on_event(&mut self, event: WorldEvent) {
        if let Some(msg) = self.world.on_event(event) {
            self.is_awaited |= matches!(msg, Msg::Key(_) | Msg::Paste(_));
            self.follow(msg);
        }
        self.follow_session();
    }

    /// Handles what the session has reported, in its order.
    fn follow_session(&mut self) {
        for msg in self.world.take_messages() {
            self.follow(msg);
        }
    }

    fn follow(&mut self, msg: Msg) {
        self.follow_all(vec![msg], None);
    }

    /// Handles messages and an effect, and everything that follows from them.
    fn follow_all(&mut self, mut waiting: Vec<Msg>, first: Option<Effect>) {
        waiting.extend(first.into_iter().flat_map(|effect| self.world.perform(effect)));
        while let Some(msg) = waiting.pop() {
            for effect in update(&mut self.model, msg) {
                waiting.extend(self.world.perform(effect));
            }
        }
    }

    fn set_last_words(&self) {
        if let Some(message) = self.world.last_words() {
            self.inputs.set_last_words(message);
        }
    }

    /// Draws if something has changed and the screen can be drawn on.
    fn draw(&mut self, canvas: &mut Canvas) -> io::Result<()> {
        let now_shown = match terminal::shown() {
            // Another thread may have panicked, whose message took the screen away.
            None if terminal::enter() => terminal::shown(),
            now_shown => now_shown,
        };
        if now_shown.is_none() {
            return Ok(());
        }
        let is_new = self.shown != now_shown;
        if !self.model.dirty && !is_new {
            return Ok(());
        }
        let (model, told, title) = (&self.model, &mut self.told, &mut self.title);
        let drawn = terminal::draw(|| {
            fail_on_demand(model);
            if let Some(told) = told {
                return write_lines(&told.changes(model));
            }
            if is_new {
                // Not `clear`, which asks the terminal for the cursor, and the keys thread would read the answer.
                let size = canvas.size()?;
                canvas.resize(Rect { x: 0, y: 0, width: size.width, height: size.height })?;
            }
            canvas.draw(|frame| view::view(model, frame)).map(drop)?;
            let now_called = view::title(model);
            if is_new || *title != now_called {
                ask_terminal(SetTitle(&now_called))?;
                *title = now_called;
            }
            Ok(())
        });
        if let Some(drawn) = drawn {
            drawn?;
            self.model.dirty = false;
            self.shown = now_shown;
            if std::mem::take(&mut self.model.notices.rings) {
                ask_terminal(Print("\x07"))?;
            }
        }
        Ok(())
    }
}

fn ask_terminal(command: impl crossterm::Command) -> io::Result<()> {
    // The macro uses its writer twice, so it must be a variable.
    let mut out = Screenful::default();
    execute!(out, command)
}

fn write_lines(lines: &[String]) -> io::Result<()> {
    let mut out = Screenful::default();
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    out.flush()
}

/// A bug, for the test that a recording survives it: while the filter is the value of `DICTAPHONE_TEST_BUG`, or while
/// something is recorded if that is `recording`. Not in a release.
#[cfg(debug_assertions)]
#[allow(clippy::panic, reason = "that is what it is for")]
fn fail_on_demand(model: &Model) {
    use super::app::Deck;
    let Ok(bug) = std::env::var("DICTAPHONE_TEST_BUG") else { return };
    let is_recorded = bug == "recording" && model.recorder.deck == Deck::Recording;
    if is_recorded || (!bug.is_empty() && bug == model.shelf.takes.filter) {
        panic!("a bug on demand");
    }
}

#[cfg(not(debug_assertions))]
const fn fail_on_demand(_: &Model) {}
