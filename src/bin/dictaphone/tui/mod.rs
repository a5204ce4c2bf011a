//! `dictaphone` alone: the screen to record, listen and keep order in.
//!
//! `update` and `view` are pure functions over the plain data in `app`; `effect` alone touches the world. Here is the
//! loop that joins them, on the main thread. A panic in it does not end the recording: it is saved, then told.

mod app;
mod effect;
pub(crate) mod keymap;
mod layout;
mod meter;
mod theme;
mod update;
mod view;
mod widgets;

use std::{
    env,
    io::{self, IsTerminal as _},
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::{Duration, Instant},
};

use crossterm::event::Event;
use ratatui::{Terminal, backend::CrosstermBackend, layout::Rect};

use self::{
    app::Model,
    effect::{Happening, World},
    layout::Size,
    theme::Theme,
    update::{Effect, Msg, update},
};
use crate::{
    cli::{CaptureArgs, RecordArgs},
    config::Config,
    exit::Exit,
    inputs::Inputs,
    message::{Failure, Message},
    plan::{self, Surroundings, Target},
    report::Report,
    terminal::{self, Output},
};

/// The shortest time between two pictures: 30 a second at most.
const FRAME: Duration = Duration::from_millis(34);
/// How often is looked around when nothing is heard.
const IDLE: Duration = Duration::from_millis(250);
/// When the size of the terminal cannot be found out.
const USUAL: (u16, u16) = (80, 24);

type Canvas = Terminal<CrosstermBackend<Output>>;

/// Whether there is a terminal to draw on and to take keys from.
pub(crate) fn has_terminal() -> bool {
    let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb
}

/// Opens the screen and stays until the user leaves.
///
/// # Errors
/// A usage failure before anything is opened; later whatever kept the terminal from being used.
pub(crate) fn run(args: CaptureArgs, config: Config, report: &Report) -> Result<Exit, Failure> {
    let style = report.style_of_screen();
    let only = |capture| RecordArgs { capture, ..RecordArgs::default() };
    let plan = plan::record(only(args), &Surroundings::look_around(only(config.record.capture)))?;
    let Target::NewIn(folder, _) = &plan.target else {
        return Err(Failure::usage("the screen needs a folder", "`--dir` says which"));
    };
    let folder = folder.clone();
    let (columns, rows) = crossterm::terminal::size().unwrap_or(USUAL);
    let model = Model::new(
        Theme { unicode: style.unicode, colour: style.colour },
        Size { columns, rows },
        tilde(&folder, dirs::home_dir().as_deref()),
        plan.container.extension(),
        config.keymap,
    );
    report.silence_libraries();
    let (sender, happenings) = channel();
    // Before the device is opened, so that a signal which comes meanwhile is not lost.
    terminal::want_screen().map_err(|error| cannot("take the screen", &error))?;
    let inputs = listen(&sender, report);
    let inputs = inputs.inspect_err(|_| terminal::give_screen_back())?;
    let world = World::new(plan, folder, sender);
    stay(model, world, &happenings, &inputs, report)
}

/// The loop, and what must be done whatever becomes of it.
fn stay(
    mut model: Model,
    mut world: World,
    happenings: &Receiver<Happening>,
    inputs: &Inputs,
    report: &Report,
) -> Result<Exit, Failure> {
    let looped = panic::catch_unwind(AssertUnwindSafe(|| run_loop(&mut model, &mut world, happenings, inputs)));
    if !matches!(looped, Ok(Ok(()))) {
        // Nobody is left to stop it.
        world.finish(happenings);
    }
    terminal::give_screen_back();
    let mut exit = Exit::Done;
    for kept in &world.kept {
        let (words, code) = kept.last_words();
        match words {
            Ok(words) => report.note(&words),
            Err(message) => report.warning(&message),
        }
        exit = if exit.code() < code.code() { code } else { exit };
    }
    world.close();
    match looped {
        Ok(Ok(())) => Ok(exit),
        Ok(Err(error)) => Err(cannot("draw on the terminal", &error)),
        // The panic hook has told about it.
        Err(_) => Ok(Exit::Failed),
    }
}

fn cannot(what: &str, error: &io::Error) -> Failure {
    Failure { message: Message::new(format!("cannot {what}: {error}")), exit: Exit::Failed }
}

fn listen(happenings: &Sender<Happening>, report: &Report) -> Result<Inputs, Failure> {
    let wishes = happenings.clone();
    let deliver = Arc::new(move |intent| {
        let _ = wishes.send(Happening::Msg(Msg::Wish(intent)));
    });
    let events = happenings.clone();
    let take = Box::new(move |event| {
        let msg = match event {
            Event::Key(key) => Msg::Key(key),
            Event::Mouse(mouse) => Msg::Mouse(mouse),
            Event::Paste(text) => Msg::Paste(text),
            Event::Resize(columns, rows) => Msg::Resize(Size { columns, rows }),
            _ => return,
        };
        let _ = events.send(Happening::Msg(msg));
    });
    Inputs::of_screen(deliver, report, take).map_err(|error| cannot("listen to signals", &error))
}

fn run_loop(model: &mut Model, world: &mut World, happenings: &Receiver<Happening>, inputs: &Inputs) -> io::Result<()> {
    let mut canvas = Terminal::new(CrosstermBackend::new(Output::default()))?;
    let mut shown = None;
    let mut drawn = Instant::now();
    world.perform(Effect::Open(None));
    loop {
        let wait = if world.is_live() { FRAME.saturating_sub(drawn.elapsed()) } else { IDLE };
        match happenings.recv_timeout(wait) {
            Ok(first) => {
                happen(model, world, first);
                // What waits behind it belongs to the same picture.
                happenings.try_iter().take(256).for_each(|next| happen(model, world, next));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        let heard = world.look();
        follow(model, world, Msg::Heard(heard));
        last_words(world, inputs);
        if model.leaving && !world.is_busy() {
            return Ok(());
        }
        if !model.leaving {
            // The screen has told about those.
            world.kept.clear();
        }
        if drawn.elapsed() >= FRAME || !world.is_live() {
            draw(model, &mut canvas, &mut shown)?;
            drawn = Instant::now();
        }
    }
}

fn happen(model: &mut Model, world: &mut World, happening: Happening) {
    if let Some(msg) = world.hear(happening) {
        follow(model, world, msg);
    }
}

/// A message, and everything that follows from it.
fn follow(model: &mut Model, world: &mut World, msg: Msg) {
    let mut waiting = vec![msg];
    while let Some(msg) = waiting.pop() {
        for effect in update(model, msg) {
            waiting.extend(world.perform(effect));
        }
    }
}

fn last_words(world: &World, inputs: &Inputs) {
    if let Some(part) = world.part() {
        inputs.set_last_words(Message::new(format!("interrupted; the unfinished recording is {}", part.display())));
    }
}

/// Draws if something has changed and the terminal is ours.
fn draw(model: &mut Model, canvas: &mut Canvas, shown: &mut Option<u64>) -> io::Result<()> {
    let now_shown = match terminal::shown() {
        // Another thread may have panicked, whose message took the screen away.
        None if terminal::enter() => terminal::shown(),
        now_shown => now_shown,
    };
    if now_shown.is_none() {
        return Ok(());
    }
    let is_new = *shown != now_shown;
    if !model.dirty && !is_new {
        return Ok(());
    }
    let drawn = terminal::draw(|| {
        if is_new {
            // Not `clear`, which asks the terminal for the cursor, and the keys thread would read the answer.
            let size = canvas.size()?;
            canvas.resize(Rect { x: 0, y: 0, width: size.width, height: size.height })?;
        }
        canvas.draw(|frame| view::view(model, frame)).map(drop)
    });
    if let Some(drawn) = drawn {
        drawn?;
        model.dirty = false;
        *shown = now_shown;
    }
    Ok(())
}

/// A path as people write it, with `~` for their home.
fn tilde(path: &Path, home: Option<&Path>) -> String {
    let home = home.filter(|home| home.parent().is_some());
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
        Some(rest) => PathBuf::from("~").join(rest).display().to_string(),
        None => path.display().to_string(),
    }
}
