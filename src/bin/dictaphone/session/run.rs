//! The time between start and stop: recorder, device, user and screen, joined in one loop on the main thread.
//!
//! The pump records whatever this loop does; here is only what a person sees and wants.

use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
    sync::mpsc::{Receiver, Sender},
    time::{Duration, Instant},
};

use dictaphone::{
    Error, ErrorKind,
    audio::{
        Level,
        time::{duration_of, seconds},
    },
    capture::{EndReason, Pace, Warning, WarningKind},
    media::{Blob, MediaRecorder, MediaStreamTrack, Progress, ReadyState, RecorderEvent, TrackEvent},
};

use super::{
    happenings::{Happening, cannot, forward},
    open::{self, Opened},
    pipe::{Pipe, Piped},
};
use crate::{
    input::{Inputs, command::Command},
    message::{self, Failure, Message},
    plan::{JsonTo, Record, Target},
    report::{
        Report,
        json::{Event, FilePath, What},
        printer::Worth,
        status::{self, Levels, State, StatusFacts},
    },
};

/// How often the screen and the level events follow.
const TICK: Duration = Duration::from_millis(100);

/// How often is looked for the first frame, so that it is told soon.
const FIRST_TICK: Duration = Duration::from_millis(20);

/// How long the highest peak stays marked.
const HOLD: Duration = Duration::from_millis(1_500);

/// How long the end of a recording may take after a bug.
const RESCUE: Duration = Duration::from_secs(10);

/// Events that may wait unread where the source waits for its reader.
const FAST_EVENTS: usize = 16;

/// What came of the recording.
#[derive(Default)]
pub(crate) struct Outcome {
    /// The whole recording, unless it went to standard output.
    pub(crate) blob: Option<Blob>,
    /// What went to standard output.
    pub(crate) piped: Option<Piped>,
    /// What ended it, if that was not wanted.
    pub(crate) failure: Option<Error>,
    pub(crate) progress: Progress,
    /// The user stopped it.
    pub(crate) stopped: bool,
    /// A bug ended the watching over it; the recording itself may be whole.
    pub(crate) broke_down: bool,
}

/// A running recording.
pub(crate) struct Session<'a> {
    plan: &'a Record,
    report: &'a Report,
    opened: &'a Opened,
    inputs: &'a Inputs,
    /// As long as its reader may take its time.
    pipe: Option<Pipe>,
    state: State,
    announced: bool,
    /// What happened before that.
    early: Vec<RecorderEvent>,
    /// The last thing that was said about it.
    muted: bool,
    path: Option<PathBuf>,
    hold: (f32, Instant),
    ticked: Instant,
    /// The device delivers nothing, as it said itself when so many frames had arrived.
    interrupted: Option<(Error, u64)>,
    /// A track has told why it ended.
    end_heard: bool,
    outcome: Outcome,
}

impl<'a> Session<'a> {
    /// Starts the recorder, and the threads that bring its events here.
    ///
    /// # Errors
    /// When the file cannot be made or a thread cannot be started.
    pub(crate) fn start(
        plan: &'a Record,
        report: &'a Report,
        opened: &'a Opened,
        inputs: &'a Inputs,
        happenings: Sender<Happening>,
    ) -> Result<Self, Failure> {
        let fast = plan.pace == Pace::Fast;
        let events = match fast {
            true => opened.recorder.events_bounded(FAST_EVENTS),
            false => opened.recorder.events(),
        };
        let ends: Vec<Receiver<TrackEvent>> = opened.stream.tracks().iter().map(|track| track.events()).collect();
        for end in ends {
            forward("track", end, happenings.clone(), Happening::Track)?;
        }
        let pipe = if plan.target == Target::Stdout {
            let pipe = Pipe::start(plan.container.format(), opened.format, fast, events, happenings);
            Some(pipe.map_err(|error| cannot("feed the pipe", &error))?)
        } else {
            forward("events", events, happenings, Happening::Recorder)?;
            None
        };
        opened.start(plan)?;
        let now = Instant::now();
        Ok(Self {
            plan,
            report,
            opened,
            inputs,
            pipe,
            state: State::Waiting,
            announced: false,
            early: Vec::new(),
            muted: false,
            path: opened.target.clone(),
            hold: (f32::NEG_INFINITY, now),
            ticked: now,
            interrupted: None,
            end_heard: false,
            outcome: Outcome::default(),
        })
    }

    /// Runs until the recording is over.
    pub(crate) fn run(mut self, happenings: &Receiver<Happening>) -> Outcome {
        loop {
            let over = match self.next(happenings) {
                Some(Happening::Command(intent)) => self.obey(intent),
                Some(Happening::Recorder(event)) => self.hear(event),
                Some(Happening::Track(event)) => self.hear_track(event),
                Some(Happening::Piped(piped)) => self.end_of_pipe(piped),
                Some(Happening::Opened(_)) | None => false,
            };
            self.tick();
            if over {
                break;
            }
        }
        self.hear_the_end(happenings);
        self.outcome.progress = self.opened.recorder.progress();
        // Stopped while its device was away: the end is missing, and nobody else will say so.
        if let Some((error, arrived)) = self.interrupted
            && arrived == self.outcome.progress.arrived
        {
            self.outcome.failure.get_or_insert(error);
        }
        self.report.clear();
        self.outcome
    }

    /// Why a track has ended comes by another way than the end of the recording, and perhaps later.
    fn hear_the_end(&mut self, happenings: &Receiver<Happening>) {
        let has_ended = |track: &MediaStreamTrack| track.ready_state() == ReadyState::Ended;
        while !self.end_heard && self.opened.stream.tracks().iter().any(has_ended) {
            match happenings.recv_timeout(RESCUE) {
                Ok(Happening::Track(event)) => {
                    self.hear_track(event);
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    /// What happens next, or nothing until the screen is due.
    fn next(&self, happenings: &Receiver<Happening>) -> Option<Happening> {
        let wait = match () {
            () if !self.announced => FIRST_TICK,
            () if self.is_watched() => TICK.saturating_sub(self.ticked.elapsed()),
            () => return happenings.recv().ok(),
        };
        happenings.recv_timeout(wait).ok()
    }

    fn is_watched(&self) -> bool {
        self.report.has_live_line() || self.plan.json.is_some()
    }

    fn obey(&mut self, intent: Command) -> bool {
        let recorder = &self.opened.recorder;
        // A recorder that has just ended by itself refuses, and its last events are on their way.
        match intent {
            Command::TogglePause if recorder.state() == dictaphone::media::RecordingState::Paused => {
                let _ = recorder.resume();
            }
            Command::TogglePause => {
                let _ = recorder.pause();
            }
            Command::Mark => {
                let _ = recorder.mark("");
            }
            Command::Stop => {
                let _ = recorder.stop();
                self.pipe.take().into_iter().for_each(Pipe::hurry);
                self.state = State::Saving;
                self.outcome.stopped = true;
            }
            Command::SeekBack(_) | Command::SeekForward(_) | Command::Slower | Command::Faster => {}
            Command::Redraw => self.ticked = self.ticked.checked_sub(TICK).unwrap_or(self.ticked),
        }
        false
    }

    /// Whether the recording is over.
    fn hear(&mut self, event: RecorderEvent) -> bool {
        use RecorderEvent::{Mark, Pause, Resume};
        if !self.announced && matches!(event, Pause { .. } | Resume { .. } | Mark(_)) {
            self.early.push(event);
            return false;
        }
        match event {
            RecorderEvent::Start => self.prepare_last_words(),
            RecorderEvent::Pause { frame } => self.change(State::Paused, frame, What::Pause {}),
            RecorderEvent::Resume { frame } => self.change(State::Recording, frame, What::Resume {}),
            RecorderEvent::Mark(marker) => self.tell_at(marker.frame, What::Mark { text: &marker.text }),
            RecorderEvent::DataAvailable { data, .. } => self.outcome.blob = Some(data),
            RecorderEvent::LowSpace { left } => {
                let text = format!("the disk is full in {}", status::clock(left));
                self.warn(&Warning::new(WarningKind::LowSpace, text));
            }
            RecorderEvent::Warning { warning, frame } => self.warn_at(frame, &warning),
            RecorderEvent::Error(error) => self.fail(error),
            RecorderEvent::Stop => {
                self.state = State::Saving;
                return self.plan.target != Target::Stdout;
            }
            _ => {}
        }
        false
    }

    /// What a second Ctrl-C leaves behind is where the user finds the recording.
    fn prepare_last_words(&self) {
        if let Some(part) = self.opened.recorder.progress().path {
            self.inputs.set_last_words_on(part);
        }
    }

    fn change(&mut self, state: State, frame: u64, what: What<'_>) {
        self.state = state;
        self.tell_at(frame, what);
    }

    fn hear_track(&mut self, event: TrackEvent) -> bool {
        self.end_heard |= matches!(event, TrackEvent::Ended(_));
        match event {
            TrackEvent::Ended(EndReason::DeviceLost(error)) => self.fail(error),
            TrackEvent::Notice(notice) => {
                self.warn(&notice);
                if notice.kind().interrupts() {
                    let error = Error::new(ErrorKind::NotReadable, notice.message());
                    self.interrupted = Some((error, self.opened.recorder.progress().arrived));
                }
            }
            TrackEvent::Mute => self.tell_mute(true),
            TrackEvent::Unmute => self.tell_mute(false),
            _ => {}
        }
        false
    }

    fn tell_mute(&mut self, muted: bool) {
        if std::mem::replace(&mut self.muted, muted) != muted {
            let (kind, what) = match muted {
                true => (WarningKind::Muted, "is muted; silence is recorded"),
                false => (WarningKind::Unmuted, "is not muted any more"),
            };
            self.warn(&Warning::new(kind, format!("{} {what}", self.opened.device)));
        }
    }

    /// Says something that a person should know, with the recorded time.
    fn warn(&self, warning: &Warning) {
        self.warn_at(self.opened.recorder.progress().frames, warning);
    }

    fn warn_at(&self, frame: u64, warning: &Warning) {
        let time = duration_of(frame, self.opened.format.sample_rate);
        let hint = message::remedy_of(warning);
        if self.plan.json != Some(JsonTo::Stderr) {
            let message = Message::new(format!("at {}: {warning}", status::clock(time)));
            self.report.warning(&Message { hint: hint.clone(), ..message });
        }
        self.tell_at(frame, What::warning(warning, hint.as_deref()));
    }

    /// The first failure is the cause; what follows from it is not told.
    fn fail(&mut self, error: Error) {
        self.tell(What::error(&error));
        self.outcome.failure.get_or_insert(error);
    }

    fn end_of_pipe(&mut self, piped: Piped) -> bool {
        if piped.reader_gone {
            // A reader that has had enough is no failure.
            let _ = self.opened.recorder.stop();
        }
        self.outcome.piped = Some(piped);
        true
    }

    fn tick(&mut self) {
        if !self.announced && self.opened.recorder.progress().arrived > 0 {
            self.announce();
        }
        if !self.is_watched() || self.ticked.elapsed() < TICK {
            return;
        }
        self.ticked = Instant::now();
        let level = self.opened.recorder.take_level();
        if self.announced && self.state != State::Saving {
            self.tell_level(&level);
        }
        self.draw(&level);
    }

    /// The first frames have arrived: now it may be said that something is recorded.
    fn announce(&mut self) {
        self.announced = true;
        if self.state == State::Waiting {
            self.state = State::Recording;
        }
        let progress = self.opened.recorder.progress();
        if let Some(at) = progress.recorded_at.and_then(|at| jiff::Zoned::try_from(at).ok()) {
            self.path = open::target(self.plan, &at).ok().flatten().or_else(|| self.path.take());
        }
        let path = self.path.as_ref().map(|path| path.display().to_string());
        let format = self.opened.format;
        // What was recorded until it was told does not move the start.
        self.tell_at(
            0,
            What::Start {
                device: &self.opened.device,
                path: FilePath(self.path.as_deref()),
                sample_rate: format.sample_rate,
                channels: format.channels,
            },
        );
        if !self.report.has_live_line() && self.plan.json != Some(JsonTo::Stderr) {
            let to = path.unwrap_or_else(|| "standard output".to_owned());
            let (does, how) =
                if self.plan.starts_paused { ("ready to record", "; USR2 begins") } else { ("recording", "") };
            self.report.note(&format!("{does} {} · {format} to {to}{how}", self.opened.device));
        }
        if let Some(asked) = self.plan.overruled_rate {
            let name = self.plan.container.format().name;
            let text = format!("{name} is always {} Hz, not the {asked} Hz that were asked for", format.sample_rate);
            self.warn(&Warning::new(WarningKind::Rate, text));
        }
        // It may have been muted before anybody listened.
        if self.opened.stream.tracks().iter().any(MediaStreamTrack::muted) {
            self.tell_mute(true);
        }
        for event in std::mem::take(&mut self.early) {
            self.hear(event);
        }
    }

    fn tell_level(&self, level: &Level) {
        self.tell(What::Level {
            peak_dbfs: level.peak.value(),
            rms_dbfs: level.rms.value(),
            clipped: self.opened.recorder.progress().clipped,
        });
    }

    fn tell(&self, what: What<'_>) {
        self.tell_at(self.opened.recorder.progress().frames, what);
    }

    fn tell_at(&self, frame: u64, what: What<'_>) {
        let Some(to) = self.plan.json else { return };
        let at = seconds(frame, self.opened.format.sample_rate);
        // Whoever reads the events may leave; the recording does not depend on it.
        let worth = if matches!(what, What::Level { .. }) { Worth::Fleeting } else { Worth::Kept };
        let _ = self.report.event(to, &Event::new(frame, at, what), worth);
    }

    fn draw(&mut self, level: &Level) {
        if self.plan.json == Some(JsonTo::Stdout) && io::stdout().is_terminal() {
            // Events and the live line would end up in one another.
            return;
        }
        let progress = self.opened.recorder.progress();
        let now = Instant::now();
        #[allow(clippy::cast_possible_truncation, reason = "decibels for a screen")]
        let peak = level.peak.value() as f32;
        if peak >= self.hold.0 || now.duration_since(self.hold.1) > HOLD {
            self.hold = (peak, now);
        }
        let levels = (progress.arrived > 0).then_some(Levels { peak_dbfs: peak, hold_dbfs: self.hold.0 });
        let facts = StatusFacts {
            state: self.state,
            time: duration_of(progress.frames, self.opened.format.sample_rate),
            levels,
            clipped: progress.clipped,
            lost: progress.lost_frames,
            device: &self.opened.device,
            disk_left: progress.disk_left,
        };
        self.report.draw(&facts, now);
    }
}

/// After a bug in the loop: stops the recorder, and waits for what it recorded. What can be saved is saved.
pub(crate) fn rescue(recorder: &MediaRecorder, to_pipe: bool, happenings: &Receiver<Happening>) -> Outcome {
    // Refused if it has ended by itself, which is as good.
    let _ = recorder.stop();
    let mut outcome = Outcome { broke_down: true, ..Outcome::default() };
    let until = Instant::now() + RESCUE;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        match happenings.recv_timeout(left) {
            Ok(Happening::Recorder(RecorderEvent::DataAvailable { data, .. })) => outcome.blob = Some(data),
            Ok(Happening::Recorder(RecorderEvent::Stop)) if !to_pipe => break,
            Ok(Happening::Piped(piped)) => {
                outcome.piped = Some(piped);
                break;
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    outcome.progress = recorder.progress();
    outcome
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc::channel};

    use dictaphone::{
        audio::{AudioFormat, SampleFormat},
        capture::PushSource,
        media::{Constraints, MediaDevices, RecorderOptions},
    };

    use super::*;

    #[test]
    fn after_a_bug_in_the_loop_the_recording_is_stopped_and_whole() {
        let microphone = PushSource::new("mic", AudioFormat::new(48_000, 1, SampleFormat::F32));
        let devices = MediaDevices::with_backends(vec![Arc::new(microphone.clone())]);
        let stream = devices.get_user_media(&Constraints::default()).unwrap();
        let recorder = MediaRecorder::new(&stream, RecorderOptions::default()).unwrap();
        let (sender, happenings) = channel();
        forward("events", recorder.events(), sender, Happening::Recorder).unwrap();
        recorder.start(None).unwrap();
        microphone.push(&[0.5; 100]).unwrap();
        let outcome = rescue(&recorder, false, &happenings);
        assert!(outcome.broke_down);
        assert_eq!(outcome.blob.unwrap().facts().frames, 100);
    }
}
