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

use dictaphone::{
    Error, ErrorKind,
    audio::time::frames_in,
    format,
    playback::{Player, PlayerState, Speaker, Status},
};

use self::line::LineFacts;
use crate::{
    cli::PlayArgs,
    commands::clips::{self, file_failure},
    config::Config,
    exit::Exit,
    inputs::Inputs,
    intent::Intent,
    limits::SPEEDS,
    message::{Failure, Message},
    report::Report,
    status::clock,
};

/// How often the state is looked at.
const TICK: Duration = Duration::from_millis(50);
/// What one press of a key changes the speed by.
const SPEED_STEP: f64 = 0.1;

/// Plays until the end or until it is stopped.
///
/// # Errors
/// When the recording cannot be read or nothing can be heard.
pub(crate) fn run(args: &PlayArgs, config: Config, report: &Report) -> Result<Exit, Failure> {
    let clip = clips::find(&clips::folder(&args.folder, config)?, &args.clip)?;
    let decoder = format::open(&clip).map_err(|error| file_failure(&error))?;
    let start = args.start.map_or(0, |start| frames_in(start, decoder.format().sample_rate));
    let outside = decoder.frames().filter(|&frames| start > 0 && start >= frames);
    if let (Some(frames), Some(asked)) = (outside, args.start) {
        let length = dictaphone::audio::time::duration_of(frames, decoder.format().sample_rate);
        let text =
            format!("{} is no more than {} long, it cannot start at {}", name(&clip), clock(length), clock(asked));
        return Err(Failure::usage(text, "give a start before the end"));
    }
    report.silence_libraries();
    let speaker = args.device.as_deref().map_or_else(Speaker::default, Speaker::with_id);
    let player = Player::open(decoder, Box::new(speaker)).map_err(failure)?;
    let (sender, intents) = channel();
    let deliver = move |intent| {
        // After the end nobody is interested.
        let _ = sender.send(intent);
    };
    let inputs = Inputs::start(Arc::new(deliver), report).map_err(|error| {
        Failure::new(Message::new(format!("cannot listen to keys and signals: {error}")), Exit::Failed)
    })?;
    inputs.set_last_words(Message::new("interrupted"));
    player.set_speed(args.speed);
    player.seek(start);
    player.play();
    let played = listen(&player, &intents, start, &clip, report);
    report.clear();
    drop(inputs);
    played.map(|()| Exit::Done).map_err(failure)
}

/// Obeys until the end or until it is stopped.
fn listen(player: &Player, intents: &Receiver<Intent>, start: u64, clip: &Path, report: &Report) -> Result<(), Error> {
    let name = name(clip);
    let mut is_told = report.has_live_line();
    loop {
        let state = player.state();
        // Not before something is heard: there may be no loudspeaker.
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
            Ok(Intent::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Ok(intent) => obey(player, &state, intent),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn obey(player: &Player, state: &PlayerState, intent: Intent) {
    match intent {
        Intent::TogglePause => player.toggle(),
        Intent::SeekBack(by) => player.seek_back(by),
        Intent::SeekForward(by) => player.seek_forward(by),
        Intent::Slower => player.set_speed(stepped(state.speed, -1.0)),
        Intent::Faster => player.set_speed(stepped(state.speed, 1.0)),
        Intent::Mark | Intent::Redraw | Intent::Stop => {}
    }
}

/// The next whole step, so that 1.25 and 0.99 come back to even numbers.
pub(crate) fn stepped(speed: f64, direction: f64) -> f64 {
    let steps = speed / SPEED_STEP;
    // What rounding leaves is no step.
    let next = if direction > 0.0 { (steps + 1e-6).floor() + 1.0 } else { (steps - 1e-6).ceil() - 1.0 };
    (next / (1.0 / SPEED_STEP)).clamp(*SPEEDS.start(), *SPEEDS.end())
}

fn name(clip: &Path) -> String {
    clip.file_name().unwrap_or(clip.as_os_str()).to_string_lossy().into_owned()
}

/// The remedies of recording would lead astray here.
fn failure(error: Error) -> Failure {
    let hint = match error.kind() {
        ErrorKind::NotFound => Some("`dictaphone devices --all` lists the outputs too"),
        ErrorKind::NotReadable | ErrorKind::Abort => {
            Some("look whether the sound server runs and the device is connected")
        }
        _ => None,
    };
    Failure::of(&error, hint.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_go_in_even_steps_and_stay_within_their_limits() {
        for (speed, slower, faster) in
            [(1.0, 0.9, 1.1), (1.25, 1.2, 1.3), (0.5, 0.5, 0.6), (3.0, 2.9, 3.0), (0.99, 0.9, 1.0), (0.7, 0.6, 0.8)]
        {
            assert!((stepped(speed, -1.0) - slower).abs() < 1e-9, "{speed}: {}", stepped(speed, -1.0));
            assert!((stepped(speed, 1.0) - faster).abs() < 1e-9, "{speed}: {}", stepped(speed, 1.0));
        }
        let back = (0..5).fold(1.0, |speed, _| stepped(speed, 1.0));
        // Exactly, because only then frames pass bit for bit again.
        assert_eq!((0..5).fold(back, |speed, _| stepped(speed, -1.0)), 1.0);
    }

    #[test]
    fn without_a_loudspeaker_nobody_is_told_to_record() {
        let failure = failure(Error::new(ErrorKind::NotFound, "there is no loudspeaker"));
        assert_eq!(failure.exit, Exit::NoDevice);
        assert!(failure.message.hint.is_some_and(|hint| hint.contains("outputs")));
        let gone = super::failure(Error::new(ErrorKind::NotReadable, "the loudspeaker is gone"));
        assert_eq!(gone.exit, Exit::Failed);
    }
}
