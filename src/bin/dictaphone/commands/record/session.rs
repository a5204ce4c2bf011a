//! The time between start and stop: recorder, device, user and screen, joined in one loop on the main thread.
//!
//! The pump records whatever this loop does; here is only what a person sees and wants.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use dictaphone::{
    Error,
    audio::{Level, time::duration_of},
    capture::{EndReason, Pace},
    media::{Blob, Progress, RecorderEvent, TrackEvent},
};

use super::{
    open::{self, Opened},
    pipe::{Pipe, Piped},
};
use crate::{
    inputs::Inputs,
    intent::Intent,
    json::{Event, What},
    message::{Failure, Message},
    plan::{JsonTo, Record, Target},
    report::Report,
    status::{self, Levels, State, StatusFacts},
};

/// How often the screen and the level events follow.
const TICK: Duration = Duration::from_millis(100);

/// How often is looked for the first frame, so that it is told soon.
const FIRST_TICK: Duration = Duration::from_millis(20);

/// How long the highest peak stays marked.
const HOLD: Duration = Duration::from_millis(1_500);

/// Events that may wait unread where the source waits for its reader.
const FAST_EVENTS: usize = 16;

/// Everything that the loop hears of.
pub(crate) enum Happening {
    Intent(Intent),
    Recorder(RecorderEvent),
    Track(TrackEvent),
    /// Standard output has everything, or its reader has gone.
    Piped(Piped),
}

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
}

/// Begins to listen to signals and keys.
///
/// # Errors
/// When the system refuses a handler or a thread.
pub(crate) fn listen(happenings: &Sender<Happening>, report: &Report) -> Result<Inputs, Failure> {
    let sender = happenings.clone();
    let deliver = Arc::new(move |intent| {
        // Nobody listens any more once the recording is saved.
        let _ = sender.send(Happening::Intent(intent));
    });
    Inputs::start(deliver, report).map_err(|error| cannot("listen to signals", &error))
}

fn cannot(what: &str, error: &io::Error) -> Failure {
    Failure { message: Message::new(format!("cannot {what}: {error}")), exit: crate::exit::Exit::Failed }
}

/// A running recording.
pub(crate) struct Session<'a> {
    plan: &'a Record,
    report: &'a Report,
    opened: &'a Opened,
    state: State,
    announced: bool,
    path: Option<PathBuf>,
    hold: (f32, Instant),
    ticked: Instant,
    /// The frame at which it was last paused.
    paused_at: u64,
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
        inputs: &Inputs,
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
        if plan.target == Target::Stdout {
            Pipe::start(opened.format, fast, events, happenings).map_err(|error| cannot("feed the pipe", &error))?;
        } else {
            forward("events", events, happenings, Happening::Recorder)?;
        }
        opened.start(plan)?;
        if let Some(part) = opened.recorder.progress().path {
            let text = format!("interrupted; the unfinished recording is {}", part.display());
            inputs.set_last_words(Message::new(text));
        }
        let now = Instant::now();
        Ok(Self {
            plan,
            report,
            opened,
            state: State::Waiting,
            announced: false,
            path: opened.target.clone(),
            hold: (f32::NEG_INFINITY, now),
            ticked: now,
            paused_at: 0,
            outcome: Outcome::default(),
        })
    }

    /// Runs until the recording is over.
    pub(crate) fn run(mut self, happenings: &Receiver<Happening>) -> Outcome {
        loop {
            let over = match self.next(happenings) {
                Some(Happening::Intent(intent)) => self.obey(intent),
                Some(Happening::Recorder(event)) => self.hear(event),
                Some(Happening::Track(event)) => self.hear_track(event),
                Some(Happening::Piped(piped)) => self.end_of_pipe(piped),
                None => false,
            };
            self.tick();
            if over {
                break;
            }
        }
        self.outcome.progress = self.opened.recorder.progress();
        self.report.clear();
        self.outcome
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

    fn obey(&mut self, intent: Intent) -> bool {
        let recorder = &self.opened.recorder;
        // A recorder that has just ended by itself refuses, and its last events are on their way.
        match intent {
            Intent::TogglePause if recorder.state() == dictaphone::media::RecordingState::Paused => {
                let _ = recorder.resume();
            }
            Intent::TogglePause => {
                let _ = recorder.pause();
            }
            Intent::Mark => {
                let _ = recorder.mark("");
            }
            Intent::Stop => {
                let _ = recorder.stop();
                self.state = State::Saving;
            }
            Intent::Redraw => self.ticked = self.ticked.checked_sub(TICK).unwrap_or(self.ticked),
        }
        false
    }

    /// Whether the recording is over.
    fn hear(&mut self, event: RecorderEvent) -> bool {
        match event {
            RecorderEvent::Pause => {
                self.paused_at = self.opened.recorder.progress().frames;
                self.change(State::Paused, self.paused_at, What::Pause {});
            }
            // What was recorded until it is told comes after it.
            RecorderEvent::Resume => self.change(State::Recording, self.paused_at, What::Resume {}),
            RecorderEvent::Mark(marker) => {
                self.tell_at(marker.frame, What::Mark { text: Some(&*marker.text).filter(|text| !text.is_empty()) })
            }
            RecorderEvent::DataAvailable { data, .. } => self.outcome.blob = Some(data),
            RecorderEvent::LowSpace { left } => {
                let text = format!("the disk is full in {}", status::clock(left));
                self.report.warning(&Message::new(text).hint("the recording is saved when that happens"));
            }
            RecorderEvent::Error(error) => self.fail(error),
            RecorderEvent::Stop => {
                self.state = State::Saving;
                return self.plan.target != Target::Stdout;
            }
            _ => {}
        }
        false
    }

    fn change(&mut self, state: State, frame: u64, what: What<'_>) {
        self.state = state;
        self.tell_at(frame, what);
    }

    fn hear_track(&mut self, event: TrackEvent) -> bool {
        match event {
            TrackEvent::Ended(EndReason::DeviceLost(error)) => self.fail(error),
            TrackEvent::Notice(notice) => self.report.warning(&Message::new(notice.to_string())),
            _ => {}
        }
        false
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
                path: path.as_deref(),
                sample_rate: format.sample_rate,
                channels: format.channels,
            },
        );
        if !self.report.has_live_line() && self.plan.json != Some(JsonTo::Stderr) {
            let to = path.unwrap_or_else(|| "standard output".to_owned());
            self.report.note(&format!("recording {} · {format} to {to}", self.opened.device));
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
        let at = duration_of(frame, self.opened.format.sample_rate).as_secs_f64();
        // Whoever reads the events may leave; the recording does not depend on it.
        let _ = self.report.json(to, &Event::new(frame, at, what));
    }

    fn draw(&mut self, level: &Level) {
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

/// Brings what comes from one channel into another, on a thread of that name, until either end closes.
fn forward<T: Send + 'static>(
    name: &str,
    from: Receiver<T>,
    to: Sender<Happening>,
    wrap: fn(T) -> Happening,
) -> Result<(), Failure> {
    let run = move || from.into_iter().try_for_each(|item| to.send(wrap(item)).map_err(drop));
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _ = run();
    });
    thread.map(drop).map_err(|error| cannot("start a thread", &error))
}
