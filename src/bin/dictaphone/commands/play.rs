//! `dictaphone play`: plays a recording, with keys on a terminal, else to its end.

mod line;

use std::{
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use dictaphone::{
    Error, ErrorKind,
    audio::time::frames_in,
    format,
    playback::{Player, PlayerState, Speaker, Status},
};

use self::line::LineFacts;
use crate::{
    cli::{PlayArgs, config::Config, limits::stepped},
    input::{Inputs, command::Command},
    message::{Failure, Hint, Message, exit::Exit, visible},
    report::{Report, status::clock},
    shelf,
};

/// How often the state is checked.
const TICK: Duration = Duration::from_millis(50);
/// Plays until the end or until it is stopped.
///
/// # Errors
/// When the recording cannot be read or cannot be played.
pub(crate) fn run(args: &PlayArgs, config: Config, report: &Report) -> anyhow::Result<Exit> {
    let clip = shelf::find_or_newest(&shelf::folder(&args.folder, config)?, args.clip.as_deref())?;
    let decoder = format::open(&clip).map_err(|error| shelf::unreadable(&clip, &error))?;
    let start = args.start.map_or(0, |start| frames_in(start, decoder.format().sample_rate));
    let outside = decoder.frames().filter(|&frames| start > 0 && start >= frames);
    if let (Some(frames), Some(asked)) = (outside, args.start) {
        let length = dictaphone::audio::time::duration_of(frames, decoder.format().sample_rate);
        let text =
            format!("{} is no more than {} long, it cannot start at {}", name(&clip), clock(length), clock(asked));
        return Err(Failure::usage(text, "give a start before the end").into());
    }
    let markers: Vec<u64> = decoder.metadata().markers.iter().map(|marker| marker.frame).collect();
    report.silence_libraries();
    let speaker = args.device.as_deref().map_or_else(Speaker::default, Speaker::with_id);
    let player = Player::open(decoder, Box::new(speaker)).map_err(failure)?;
    let (sender, intents) = channel();
    let deliver = move |intent| {
        // After the end there is no receiver any more.
        let _ = sender.send(intent);
    };
    let inputs = Inputs::start(Arc::new(deliver), report).context("cannot listen to keys and signals")?;
    inputs.set_last_words(Message::new("interrupted"));
    player.set_speed(args.speed);
    player.seek(start);
    player.play();
    let damage = |player: &Player| player.state().damage;
    let played = listen((&player, &markers), &intents, start, &clip, report);
    report.clear();
    drop(inputs);
    if let Some(damage) = damage(&player) {
        report.warning(&Message::new(format!("{} is damaged: {damage}", visible(&name(&clip)))));
    }
    played.map(|()| Exit::Done).map_err(|error| failure(error).into())
}

/// Applies commands until the end or until it is stopped.
fn listen(
    (player, markers): (&Player, &[u64]),
    intents: &Receiver<Command>,
    start: u64,
    clip: &Path,
    report: &Report,
) -> Result<(), Error> {
    let name = name(clip);
    let mut is_told = report.has_live_line();
    loop {
        let state = player.state();
        // Not before playback advances: there may be no loudspeaker.
        if !is_told && state.position > start {
            is_told = true;
            let length = state.duration().map(|length| format!(" ({})", clock(length))).unwrap_or_default();
            report.note(&format!("playing {name}{length}"));
        }
        match state.status {
            Status::Ended => return Ok(()),
            Status::Failed => return state.error.map_or(Ok(()), Err),
            Status::Playing | Status::Paused => {}
        }
        let facts = LineFacts::new(&state, &name);
        report.draw_line(Instant::now(), |width, style| line::render(&facts, width, style));
        match intents.recv_timeout(TICK) {
            Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Ok(intent) => apply(player, &state, markers, intent),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// A marker that was passed less than this ago still counts as the current one: `,` goes to the one before it.
const PASSED_MAX: Duration = Duration::from_secs(1);

/// Where a command leads, if it is one that goes to another place; there may be no such place.
fn place(state: &PlayerState, markers: &[u64], intent: Command) -> Option<u64> {
    let at = state.position;
    match intent {
        Command::PreviousMarker => {
            let passed = if state.status == Status::Paused { 0 } else { frames_in(PASSED_MAX, state.sample_rate) };
            markers.iter().rfind(|&&marker| marker < at.saturating_sub(passed)).copied()
        }
        Command::NextMarker => markers.iter().find(|&&marker| marker > at).copied(),
        Command::Tenth(tenth) => state.length.map(|length| length / 10 * u64::from(tenth)),
        _ => None,
    }
}

fn apply(player: &Player, state: &PlayerState, markers: &[u64], intent: Command) {
    match intent {
        Command::TogglePause => player.toggle(),
        Command::Pause => player.pause(),
        Command::Resume => player.play(),
        Command::SeekBack(by) => player.seek_back(by),
        Command::SeekForward(by) => player.seek_forward(by),
        Command::Slower => player.set_speed(stepped(state.speed, -1.0)),
        Command::Faster => player.set_speed(stepped(state.speed, 1.0)),
        Command::PreviousMarker | Command::NextMarker | Command::Tenth(_) => {
            place(state, markers, intent).into_iter().for_each(|frame| player.seek(frame));
        }
        Command::Mark(_)
        | Command::Next
        | Command::KeepGoing
        | Command::Redraw
        | Command::Start
        | Command::Stop
        | Command::Quit => {}
    }
}

fn name(clip: &Path) -> String {
    clip.file_name().unwrap_or(clip.as_os_str()).to_string_lossy().into_owned()
}

/// The remedies of recording would be misleading here.
fn failure(error: Error) -> Failure {
    let hint = match error.kind() {
        ErrorKind::NotFound => Some("`dictaphone devices --all` lists the outputs too"),
        ErrorKind::NotReadable | ErrorKind::Abort => {
            Some("look whether the sound server runs and the device is connected")
        }
        _ => None,
    };
    Failure::of(&error, hint.map(Hint::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_loudspeaker_nobody_is_told_to_record() {
        let failure = failure(Error::new(ErrorKind::NotFound, "there is no loudspeaker"));
        assert_eq!(failure.exit, Exit::NoDevice);
        assert!(failure.message.hint.is_some_and(|hint| hint.contains("outputs")));
        let gone = super::failure(Error::new(ErrorKind::NotReadable, "the loudspeaker is gone"));
        assert_eq!(gone.exit, Exit::Failed);
    }

    #[test]
    fn markers_and_tenths_lead_to_their_places() {
        let state = |position, status| PlayerState {
            status,
            position,
            length: Some(80_000),
            sample_rate: 8_000,
            speed: 1.0,
            volume: 1.0,
            repeat: None,
            peak: 0.0,
            error: None,
            damage: None,
        };
        let markers = [8_000, 40_000];
        for (position, status, command, expected) in [
            (0, Status::Playing, Command::PreviousMarker, None),
            (44_000, Status::Playing, Command::PreviousMarker, Some(8_000)),
            (44_000, Status::Paused, Command::PreviousMarker, Some(40_000)),
            (60_000, Status::Playing, Command::PreviousMarker, Some(40_000)),
            (8_000, Status::Playing, Command::NextMarker, Some(40_000)),
            (40_000, Status::Playing, Command::NextMarker, None),
            (5, Status::Playing, Command::Tenth(0), Some(0)),
            (5, Status::Playing, Command::Tenth(9), Some(72_000)),
            (5, Status::Playing, Command::Stop, None),
        ] {
            assert_eq!(place(&state(position, status), &markers, command.clone()), expected, "{position} {command:?}");
        }
    }
}
