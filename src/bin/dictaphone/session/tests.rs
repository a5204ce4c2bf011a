//! The session on a microphone that the test pushes, driven input by input.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex,
        mpsc::{Receiver, channel},
    },
};

use dictaphone::{
    audio::{AudioFormat, SampleFormat},
    capture::{PushSource, Warning, WarningKind},
};
use tempfile::TempDir;

use super::*;
use crate::{
    cli::{CaptureArgs, RecordArgs},
    plan::{self, Surroundings},
};

/// Long enough for any machine; nothing waits for it in vain.
const TIMEOUT: Duration = Duration::from_secs(30);

struct Bench {
    microphone: PushSource,
    session: Session,
    inputs: Receiver<SessionInput>,
    folder: TempDir,
}

fn bench() -> Bench {
    let microphone = PushSource::new("mic", AudioFormat::new(48_000, 1, SampleFormat::F32));
    let folder = tempfile::tempdir().unwrap();
    let device = Some(microphone.info().id.clone());
    let args = RecordArgs {
        file: Some(folder.path().join("a.wav")),
        capture: CaptureArgs { device, ..CaptureArgs::default() },
        ..RecordArgs::default()
    };
    let plan = plan::record(args, &Surroundings::look_around(RecordArgs::default())).unwrap();
    let devices = MediaDevices::with_backends(vec![Arc::new(microphone.clone())]);
    let (sender, inputs) = channel();
    let post = Arc::new(move |input| {
        let _ = sender.send(input);
    });
    let mut session = Session::with_devices(devices, plan, Duration::from_millis(50), post);
    session.open_and_record(Choice::Last);
    Bench { microphone, session, inputs, folder }
}

impl Bench {
    fn next(&self) -> SessionInput {
        self.inputs.recv_timeout(TIMEOUT).unwrap()
    }

    /// Handles every input until that one is next.
    fn until(&mut self, is_wanted: impl Fn(&SessionInput) -> bool) -> SessionInput {
        loop {
            let input = self.next();
            if is_wanted(&input) {
                return input;
            }
            self.session.on_input(input);
        }
    }

    /// A recording of so many frames runs.
    fn record(&mut self, frames: usize) {
        let opened = self.until(|input| matches!(input, SessionInput::Opened(..)));
        self.session.on_input(opened);
        self.microphone.push(&vec![0.25; frames]).unwrap();
        self.session.tick();
    }

    fn finish(mut self) -> (Outcome, PathBuf, TempDir) {
        while self.session.is_busy() {
            let input = self.next();
            self.session.on_input(input);
        }
        let outcome = self.session.take_result().unwrap().unwrap();
        (outcome, self.folder.path().join("a.wav"), self.folder)
    }
}

/// All events, a word each.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Listener for Notes {
    fn on_event(&mut self, event: &SessionEvent<'_>) {
        let word = match event.what {
            What::Opened { .. } => "opened",
            What::NotOpened(_) => "not opened",
            What::Closed(_) => "closed",
            What::Started { .. } => "started",
            What::Level { .. } => "level",
            What::Paused => "paused",
            What::Resumed => "resumed",
            What::Marked(_) => "marked",
            What::Warning(_) => "warning",
            What::Refused(_) => "refused",
            What::Failed { .. } => "failed",
            What::Ended => "ended",
            What::Waiting(_) => "waiting",
            What::Gate { .. } => "gate",
            What::Countdown(_) => "countdown",
            What::FileSaved(_) => "file saved",
            What::Deleted(_) => "deleted",
            What::Finished(_) => "finished",
        };
        self.0.lock().unwrap().push(format!("{word} {}", event.frame));
    }
}

struct Broken;

impl Listener for Broken {
    fn on_event(&mut self, event: &SessionEvent<'_>) {
        assert!(!matches!(event.what, What::Paused), "a bug on demand");
    }
}

fn is_end(input: &SessionInput) -> bool {
    matches!(input, SessionInput::Track(_, TrackEvent::Ended(_)))
}

fn frames(path: &Path) -> u32 {
    hound::WavReader::open(path).unwrap().duration()
}

#[test]
fn what_happens_is_reported_in_order_and_at_its_frame() {
    let mut bench = bench();
    let notes = Notes::default();
    bench.session.add_listener(Box::new(notes.clone()));
    bench.record(100);
    for command in [Command::Mark(String::new()), Command::TogglePause, Command::TogglePause, Command::Stop] {
        bench.session.apply(command);
    }
    let (outcome, path, _folder) = bench.finish();
    assert_eq!((outcome.frames, outcome.exit(), outcome.path()), (100, Exit::Done, Some(path.as_path())));
    assert_eq!(frames(&path), 100);
    let said = notes.0.lock().unwrap().join(", ");
    assert_eq!(said, "opened 0, started 0, marked 100, paused 100, resumed 100, ended 100, finished 100");
}

#[test]
fn the_reason_is_waited_for_although_it_comes_after_the_end() {
    let mut bench = bench();
    bench.record(100);
    bench.microphone.unplug();
    let mut reason = None;
    // The recorder sends its last event, and the reason is not known yet.
    loop {
        let input = bench.next();
        let is_last = matches!(input, SessionInput::Recorder(_, RecorderEvent::Stop));
        if is_end(&input) {
            reason = Some(input)
        } else {
            bench.session.on_input(input)
        }
        if is_last {
            break;
        }
    }
    bench.session.tick();
    assert!(matches!(bench.session.stage, Stage::Running(_)), "it is not saved before its reason is known");
    let reason = reason.unwrap_or_else(|| bench.until(is_end));
    bench.session.on_input(reason);
    assert!(matches!(bench.session.stage, Stage::Saving(_)));
    let (outcome, path, _folder) = bench.finish();
    assert_eq!((outcome.exit(), frames(&path)), (Exit::Incomplete, 100));
    let flaws = outcome.flaws().unwrap();
    assert!(flaws.contains("it ended early: 'mic' was unplugged"), "{flaws}");
    let kinds: Vec<&str> = outcome.warnings().iter().map(|(kind, _)| kind.name()).collect();
    assert_eq!(kinds, ["ended_early"]);
}

#[test]
fn a_device_that_goes_away_is_reported_as_a_failure_and_as_closed() {
    let mut bench = bench();
    let notes = Notes::default();
    bench.session.add_listener(Box::new(notes.clone()));
    bench.record(100);
    bench.microphone.unplug();
    let (outcome, ..) = bench.finish();
    assert_eq!(outcome.exit(), Exit::Incomplete);
    let said = notes.0.lock().unwrap().join(", ");
    assert!(said.contains("failed 100, closed 100"), "{said}");
}

#[test]
fn what_is_stopped_while_its_device_is_away_lacks_its_end() {
    let mut bench = bench();
    bench.record(100);
    bench.microphone.notice(Warning::new(WarningKind::Waiting, "mic is away"));
    let notice = bench.until(|input| matches!(input, SessionInput::Track(_, TrackEvent::Notice(_))));
    bench.session.on_input(notice);
    bench.session.apply(Command::Stop);
    let (outcome, ..) = bench.finish();
    assert_eq!((outcome.exit(), outcome.frames), (Exit::Incomplete, 100));
    let flaws = outcome.flaws().unwrap();
    assert!(flaws.contains("mic is away"), "{flaws}");
}

#[test]
fn what_another_recording_still_brings_does_not_end_this_one() {
    let mut bench = bench();
    bench.record(100);
    bench.session.on_input(SessionInput::Recorder(0, RecorderEvent::Stop));
    assert!(matches!(&bench.session.stage, Stage::Running(take) if !take.is_ending()));
    bench.session.apply(Command::Stop);
    let (outcome, ..) = bench.finish();
    assert_eq!((outcome.exit(), outcome.frames), (Exit::Done, 100));
}

#[test]
fn after_a_bug_in_the_loop_the_recording_is_stopped_and_whole() {
    let mut bench = bench();
    bench.record(100);
    bench.session.break_down();
    let (outcome, path, _folder) = bench.finish();
    assert_eq!((outcome.exit(), frames(&path)), (Exit::Failed, 100));
}

#[test]
fn a_listener_with_a_bug_is_left_out_and_the_recording_goes_on() {
    let mut bench = bench();
    let notes = Notes::default();
    bench.session.add_listener(Box::new(Broken));
    bench.session.add_listener(Box::new(notes.clone()));
    bench.record(100);
    bench.session.apply(Command::Pause);
    let paused = bench.until(|input| matches!(input, SessionInput::Recorder(_, RecorderEvent::Pause { .. })));
    bench.session.on_input(paused);
    bench.session.apply(Command::Resume);
    bench.microphone.push(&[0.25; 50]).unwrap();
    bench.session.apply(Command::Stop);
    let (outcome, path, _folder) = bench.finish();
    assert_eq!((outcome.exit(), frames(&path)), (Exit::Failed, 150), "whole, but not as it should be");
    assert!(notes.0.lock().unwrap().iter().any(|word| word == "resumed 100"));
}

#[test]
fn lost_and_clipped_sound_is_part_of_what_came_of_it() {
    let mut bench = bench();
    bench.record(100);
    bench.microphone.lose(480);
    bench.microphone.push(&[1.5; 10]).unwrap();
    bench.session.apply(Command::Stop);
    let (outcome, path, _folder) = bench.finish();
    assert_eq!((outcome.exit(), frames(&path), outcome.lost_frames()), (Exit::Incomplete, 590, 480));
    let kinds: Vec<&str> = outcome.warnings().iter().map(|(kind, _)| kind.name()).collect();
    assert_eq!(kinds, ["lost", "clipping"]);
    assert_eq!(outcome.flaws().unwrap(), "00:00:00.0 of it were lost and are silence, 10 samples clipped");
}

#[test]
fn whoever_stops_before_the_device_is_open_records_nothing() {
    let mut bench = bench();
    bench.session.on_input(SessionInput::Command(Command::Stop));
    assert!(!bench.session.is_busy());
    let failure = bench.session.take_result().unwrap().unwrap_err();
    assert_eq!(failure.exit, Exit::Failed);
    // The result of the opening is no longer needed.
    let opened = bench.until(|input| matches!(input, SessionInput::Opened(..)));
    bench.session.on_input(opened);
    assert!(bench.session.device.is_none());
}

#[test]
fn the_device_that_went_away_is_opened_again_and_no_other() {
    let format = AudioFormat::new(48_000, 1, SampleFormat::F32);
    let (first, other) = (PushSource::new("first", format), PushSource::new("other", format));
    let devices = MediaDevices::with_backends(vec![Arc::new(first.clone()), Arc::new(other.clone())]);
    let folder = tempfile::tempdir().unwrap();
    let args = RecordArgs { file: Some(folder.path().join("a.wav")), ..RecordArgs::default() };
    let plan = plan::record(args, &Surroundings::look_around(RecordArgs::default())).unwrap();
    let (sender, inputs) = channel();
    let post = Arc::new(move |input| {
        let _ = sender.send(input);
    });
    let mut session = Session::with_devices(devices, plan, Duration::from_millis(50), post);
    let wait_for_opening = |session: &mut Session| {
        loop {
            session.look_for_device();
            let Ok(input) = inputs.recv_timeout(Duration::from_millis(10)) else { continue };
            let is_opening = matches!(input, SessionInput::Opened(..));
            session.on_input(input);
            if is_opening {
                return session.device.as_ref().map(|device| device.name.clone());
            }
        }
    };
    session.open(Choice::Last);
    assert_eq!(wait_for_opening(&mut session).as_deref(), Some("first"));
    first.unplug();
    while session.device.is_some() {
        session.on_input(inputs.recv_timeout(TIMEOUT).unwrap());
    }
    assert_eq!(wait_for_opening(&mut session), None, "nobody asked for the other one");
    first.plug_in();
    let found = std::iter::from_fn(|| Some(wait_for_opening(&mut session))).flatten().next();
    assert_eq!(found.as_deref(), Some("first"));
    // A request gets the device that there is, with the note that it is another one.
    first.unplug();
    while session.device.is_some() {
        session.on_input(inputs.recv_timeout(TIMEOUT).unwrap());
    }
    session.open(Choice::Last);
    assert_eq!(wait_for_opening(&mut session).as_deref(), Some("other"));
    let note = session.device.as_ref().and_then(|device| device.note.clone());
    assert_eq!(note.as_ref().map(Warning::message), Some("first is not there, this is other"));
}

#[test]
fn a_loss_of_unknown_size_is_said_and_ends_as_a_loss() {
    let mut bench = bench();
    bench.record(480);
    bench.microphone.notice(Warning::new(WarningKind::LostUnknown, "the buffer of the device overran"));
    bench.microphone.push(&[0.25; 480]).unwrap();
    let heard = bench.until(|input| matches!(input, SessionInput::Track(_, TrackEvent::Notice(_))));
    bench.session.on_input(heard);
    bench.session.apply(Command::Stop);
    let (outcome, path, _folder) = bench.finish();
    assert_eq!((outcome.exit(), outcome.frames, outcome.lost_frames()), (Exit::Incomplete, 960, 0));
    let warnings: Vec<String> = outcome.warnings().into_iter().map(|(_, message)| message.text).collect();
    assert_eq!(warnings, [format!("sound was lost and is missing in {}, amount unknown", path.display())]);
}
