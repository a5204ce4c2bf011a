//! `dictaphone` alone: the screen for recording, listening and managing clips.
//!
//! `update` and `view` are pure functions over the plain data in `app`; only `effect` has side effects. This module
//! starts it all; `session` is the loop that joins them, on the main thread.

mod app;
mod effect;
pub(crate) mod keymap;
mod layout;
mod meter;
mod plain;
mod session;
mod theme;
mod update;
mod view;
mod widgets;

use std::{
    env,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Sender, channel},
    },
};

use crossterm::event::Event;

use self::{
    app::{Model, Size},
    effect::{HooksOnScreen, World, WorldEvent},
    session::Screen,
    theme::Theme,
    update::Msg,
};
use crate::{
    cli::{CaptureArgs, RecordArgs, config::Config, steps::StepArgs},
    input::Inputs,
    message::{Failure, Message, exit::Exit},
    plan::{self, Surroundings, Target},
    report::{Report, terminal},
    session::listener::Hooks,
};
#[cfg(unix)]
use crate::{
    input::{
        command::{Command, Deliver},
        control::{self, Control},
    },
    session::{SessionInput, listener::BoardKeeper},
};

/// Where the size of the terminal is unknown.
const USUAL: (u16, u16) = (80, 24);

/// Why there can be no screen, if so: it needs a terminal to draw on and to take keys from.
pub(crate) fn obstacle(plain: bool) -> Option<Message> {
    let is_dumb = !plain && env::var_os("TERM").is_some_and(|term| term == "dumb");
    let text = match io::stdin().is_terminal() && io::stdout().is_terminal() {
        false => "the screen needs a terminal",
        true if is_dumb => "this terminal cannot show a screen, its TERM is dumb",
        true => return None,
    };
    Some(Message::new(text).hint("`dictaphone record` records without one"))
}

/// Whether lines are requested instead of a screen that is drawn: by the flag, or by the environment.
pub(crate) fn is_plain(flag: bool) -> bool {
    flag || env::var_os("DICTAPHONE_PLAIN").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Opens the screen and stays until the user leaves; a `plain` one reports every change in a line.
///
/// # Errors
/// A usage failure before anything is opened; later whatever kept the terminal from being used.
pub(crate) fn run(args: CaptureArgs, plain: bool, config: Config, report: &Report) -> anyhow::Result<Exit> {
    let style = report.style_of_screen();
    let only = |capture| RecordArgs { capture, ..RecordArgs::default() };
    // The config applies to the screen as well, where it and `record` have the same function.
    let defaults = RecordArgs {
        reconnect: config.record.reconnect,
        on_saved: config.record.on_saved,
        steps: StepArgs { pre_roll: config.record.steps.pre_roll, ..StepArgs::default() },
        ..only(config.record.capture)
    };
    let plan = plan::record(only(args), &Surroundings::look_around(defaults))?;
    let Target::NewIn(folder, _) = &plan.target else {
        return Err(Failure::usage("the screen needs a folder", "`--dir` says which").into());
    };
    let folder = folder.clone();
    let (columns, rows) = crossterm::terminal::size().unwrap_or(USUAL);
    let mut model = Model::new(
        Theme {
            unicode: style.unicode,
            colour: style.colour,
            light: env::var("COLORFGBG").is_ok_and(|colours| theme::is_light(&colours)),
        },
        Size { columns, rows },
        tilde(&folder, dirs::home_dir().as_deref()),
        plan.container.extension(),
        config.keymap,
    );
    (model.recorder.gain_db, model.recorder.keeps) = (plan.gain_db, plan.steps.pre_roll);
    report.silence_libraries();
    let (sender, events) = channel();
    // Before the device is opened, so that a signal which comes meanwhile is not lost.
    terminal::want_screen(plain).map_err(|error| cannot("take the screen", &error))?;
    let inputs = listen(&sender, report);
    let inputs = inputs.inspect_err(|_| terminal::give_screen_back())?;
    #[cfg(unix)]
    let board = control::board();
    // Closed after everything else: a client that has asked for the end gets its answer.
    #[cfg(unix)]
    let _control = Control::start(Arc::clone(&board), asked_from_outside(sender.clone()))
        .inspect_err(|error| log::warn!("no control from outside: {error}"))
        .ok();
    let (hooks, on_screen) = (plan.hooks.clone(), HooksOnScreen::new(sender.clone(), report.clone()));
    let mut world = World::new(plan, folder, &config.habits, sender);
    #[cfg(unix)]
    world.add_listener(Box::new(BoardKeeper::new(board, false)));
    if !hooks.is_empty() {
        world.add_listener(Box::new(Hooks::start(hooks, on_screen)?));
    }
    Screen::new(model, world, events, inputs, plain).stay(report)
}

fn cannot(what: &str, error: &io::Error) -> Failure {
    Failure::new(Message::new(format!("cannot {what}: {error}")), Exit::Failed)
}

fn listen(events: &Sender<WorldEvent>, report: &Report) -> Result<Inputs, Failure> {
    let commands = events.clone();
    let deliver = Arc::new(move |intent| {
        let _ = commands.send(WorldEvent::Msg(Msg::Command(intent)));
    });
    let events = events.clone();
    let take = Box::new(move |event| {
        let msg = match event {
            Event::Key(key) => Msg::Key(key),
            Event::Mouse(mouse) => Msg::Mouse(mouse),
            Event::Paste(text) => Msg::Paste(text),
            Event::Resize(columns, rows) => Msg::Resize(Size { columns, rows }),
            _ => return,
        };
        let _ = events.send(WorldEvent::Msg(msg));
    });
    Inputs::of_screen(deliver, report, take).map_err(|error| cannot("listen to signals", &error))
}

/// Requests on the control socket go to the session, unless they concern the screen.
#[cfg(unix)]
fn asked_from_outside(events: Sender<WorldEvent>) -> Deliver {
    Arc::new(move |command| {
        let event = match command {
            Command::Start => WorldEvent::Msg(Msg::Command(Command::Start)),
            // As for a signal.
            Command::Quit => WorldEvent::Msg(Msg::Command(Command::Stop)),
            command => WorldEvent::Session(SessionInput::Command(command)),
        };
        let _ = events.send(event);
    })
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
