//! `dictaphone levels`: how loud a room and a voice in it are, and which threshold separates them.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    time::{Duration, Instant},
};

use dictaphone::{
    audio::{
        time::frames_in,
        voice::{Survey, SurveyReport, VoiceWatch},
    },
    media::Tap,
};
use serde::Serialize;

use crate::{
    cli::{LevelsArgs, RecordArgs, config::Config},
    input::{Inputs, command::Command},
    message::{Failure, Message, exit::Exit},
    plan::{self, Surroundings},
    report::Report,
    session::{Choice, Session, SessionInput},
};

/// Blocks that may wait to be measured.
const TAP_BLOCKS: usize = 256;
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// How long a device may take until it delivers.
const DEVICE_TIMEOUT: Duration = Duration::from_secs(20);

/// Measures, and reports the result.
///
/// # Errors
/// When there is no such device, it delivers nothing, or the measurement is stopped before any sound arrived.
pub(crate) fn run(args: &LevelsArgs, config: Config, report: &Report) -> Result<Exit, Failure> {
    let mut words = RecordArgs::default();
    words.capture.device.clone_from(&args.device);
    words.file = Some("levels.wav".into());
    words.force = true;
    // What a recording does with its sound, and where to, is not looked at: nothing is recorded.
    let defaults = RecordArgs { capture: config.record.capture, ..RecordArgs::default() };
    let plan = plan::record(words, &Surroundings::look_around(defaults))?;
    report.silence_libraries();
    let (sender, arrivals) = channel();
    let commands = sender.clone();
    let deliver = Arc::new(move |command| {
        // At the end there is no receiver any more.
        let _ = commands.send(SessionInput::Command(command));
    });
    let inputs =
        Inputs::start(deliver, report).map_err(|error| failed(format!("cannot listen to signals: {error}")))?;
    inputs.set_last_words(Message::new("interrupted"));
    let post = Arc::new(move |input| {
        let _ = sender.send(input);
    });
    let mut session = Session::with_picture(plan, post);
    session.open(Choice::Last);
    let survey = survey(&mut session, &arrivals, args.duration);
    session.close();
    let found = survey?.report().ok_or_else(|| failed("the device delivered no sound"))?;
    let written = if args.json { report.facts(&Facts::from(found)) } else { report.data(sentence(found).as_bytes()) };
    written.map_err(|error| failed(format!("cannot write what was found: {error}")))?;
    Ok(Exit::Done)
}

fn failed(text: impl Into<String>) -> Failure {
    Failure::new(Message::new(text.into()), Exit::Failed)
}

/// Measures for that long, or until it is stopped.
fn survey(session: &mut Session, arrivals: &Receiver<SessionInput>, length: Duration) -> Result<Survey, Failure> {
    let begun = Instant::now();
    let (mut survey, mut listening): (Survey, Option<(Tap, VoiceWatch)>) = (Survey::default(), None);
    let (mut samples, mut frames) = (Vec::new(), 0);
    loop {
        match arrivals.recv_timeout(LOOK_INTERVAL) {
            Ok(SessionInput::Command(Command::Stop)) => return Ok(survey),
            Ok(SessionInput::Opened(_, outcome)) if outcome.is_err() => return outcome.map(|_| survey),
            Ok(input) => session.on_input(input),
            Err(_) => {}
        }
        let Some((tap, watch)) = &mut listening else {
            if let Some(tap) = session.tap(TAP_BLOCKS) {
                let watch = VoiceWatch::new(tap.format().sample_rate, tap.format().channels)?;
                listening = Some((tap, watch));
            }
            if begun.elapsed() > DEVICE_TIMEOUT {
                return Err(failed("the device does not open"));
            }
            continue;
        };
        samples.clear();
        frames += tap.read(&mut samples) as u64;
        watch.push(&samples, f32::NEG_INFINITY, |heard| survey.push(heard));
        let is_late = begun.elapsed() > length + DEVICE_TIMEOUT;
        if frames >= frames_in(length, tap.format().sample_rate) || is_late || !session.is_live() {
            return Ok(survey);
        }
    }
}

/// The result, as JSON.
#[derive(Serialize)]
struct Facts {
    floor_dbfs: Option<f32>,
    speech_dbfs: Option<f32>,
    threshold_dbfs: Option<f32>,
    speech_share: f32,
}

impl From<SurveyReport> for Facts {
    fn from(report: SurveyReport) -> Self {
        let rounded = |level: Option<f32>| level.map(|level| (level * 10.0).round() / 10.0);
        Self {
            floor_dbfs: rounded(report.floor_dbfs),
            speech_dbfs: rounded(report.speech_dbfs),
            threshold_dbfs: report.threshold_dbfs,
            speech_share: (report.speech_share * 1_000.0).round() / 1_000.0,
        }
    }
}

fn sentence(report: SurveyReport) -> String {
    let line = |name: &str, level: Option<f32>, nothing: &str| {
        let level = level.map_or_else(|| nothing.to_owned(), |level| format!("{level:.0} dBFS"));
        format!("{name:<10} {level}\n")
    };
    let mut text = line("floor", report.floor_dbfs, "somebody spoke all the time");
    text += &line("speech", report.speech_dbfs, "nobody spoke");
    text += &line("threshold", report.threshold_dbfs, "unknown");
    if let Some(level) = report.threshold_dbfs {
        text += &format!("           record --vox=level --threshold {level:.0}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_said_in_a_few_lines() {
        let found =
            SurveyReport { floor_dbfs: Some(-61.4), speech_dbfs: None, threshold_dbfs: Some(-49.0), speech_share: 0.0 };
        assert_eq!(
            sentence(found),
            "floor      -61 dBFS\nspeech     nobody spoke\nthreshold  -49 dBFS\n           record --vox=level \
             --threshold -49\n"
        );
    }
}
