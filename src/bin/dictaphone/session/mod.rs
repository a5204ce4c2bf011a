//! One recording from open to outcome, for any caller: the only place that runs a recorder.
//!
//! A [`Session`] has a device and at most one running recording. Requests to it are [`Command`]s, results of its
//! threads are [`SessionInput`]s, and what happens is reported to every [`Listener`] as a [`SessionEvent`]. It never
//! blocks: opening and saving have threads. `run` drives one on the calling thread, as `record` does; the screen drives
//! its own from its loop. This module is the whole; `device` opens, `take` records, `save` makes the file, `pipe` feeds
//! standard output.

mod cue;
mod device;
mod ending;
mod event;
mod facts;
mod files;
mod heard;
pub(crate) mod listener;
mod opening;
mod pipe;
mod recorder;
pub(crate) mod remembered;
mod run;
mod save;
mod source;
mod step;
mod steps;
mod take;
mod target;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use dictaphone::{
    audio::ChannelMap,
    capture::{EndReason, Pace},
    media::{MediaDevices, RecorderEvent, TrackEvent},
};

use self::{
    device::OpenDevice,
    event::Listeners,
    files::{Files, Twins},
    pipe::{Pipe, Piped},
    remembered::Remembered,
    step::Step,
    take::Recording,
};
use crate::{
    input::command::Command,
    message::{Failure, Message, exit::Exit},
    plan::{Record, Target},
    report::outcome::{Kept, Outcome},
    work::{self, Post},
};

pub(crate) use self::{
    device::{Choice, PICTURE_LATENCY},
    event::{Listener, SessionEvent, What},
    run::record,
};

/// How often the level is reported to listeners.
const LEVEL_INTERVAL: Duration = Duration::from_millis(100);
/// How often to check for the first frame, so that it is reported soon.
const FIRST_FRAME_INTERVAL: Duration = Duration::from_millis(20);
/// How often to check for the reason of an end while it has not arrived.
const REASON_INTERVAL: Duration = Duration::from_millis(50);
/// Events that may wait unread where the source waits for its reader.
const FAST_EVENTS: usize = 16;

/// An input of a session, from the user or from its own threads.
pub(crate) enum SessionInput {
    /// A command.
    Command(Command),
    /// The opening with that number has ended.
    Opened(u64, Box<Result<OpenDevice, Failure>>),
    /// An event of a track of the device that was opened with that number.
    Track(u64, TrackEvent),
    /// An event of the recorder with that number.
    Recorder(u64, RecorderEvent),
    /// Standard output has received everything, or its reader has gone.
    Piped(Piped),
    /// The recording is saved, or cannot be; frames of it, and why its second copy is late.
    Saved(Kept, u64, Option<String>),
    /// Something happened during the recording.
    Step(Step),
}

/// The stages of a recording.
enum Stage {
    Idle,
    /// The device is being opened, and then it is recorded from. Commands that arrive meanwhile wait.
    Opening(Vec<Command>),
    Running(Box<Recording>),
    Saving(Box<Outcome>),
}

/// A device and what is recorded from it.
pub(crate) struct Session {
    plan: Record,
    /// The channels that the plan keeps of a device for which none were chosen.
    asked_map: Option<ChannelMap>,
    latency: Duration,
    /// What is kept of the open device, so that a recording can be made to begin before it was started.
    reach: Duration,
    devices: Arc<MediaDevices>,
    post: Post<SessionInput>,
    listeners: Listeners,
    device: Option<OpenDevice>,
    /// Number of the latest opening; the results of earlier ones are no longer needed.
    opening: u64,
    /// The same, for the thread that waits for a device.
    wanted_opening: Arc<AtomicU64>,
    /// An opening is in progress, and whether its failure is not reported.
    opens_quietly: Option<bool>,
    /// The device that went, until another one is open.
    lost: Option<Remembered>,
    /// When the device went, if it is to be opened again.
    closed_at: Option<Instant>,
    stage: Stage,
    /// Number of the latest recording.
    number: u64,
    /// Saves the files that are followed by others.
    files: Option<Files>,
    twins: Twins,
    /// How the program ends because of such a file.
    file_exit: Option<Exit>,
    level_at: Instant,
    result: Option<Result<Outcome, Failure>>,
    /// The worst outcome of any recording.
    worst: Option<Exit>,
    broke_down: bool,
}

impl Session {
    /// A session without a device.
    pub(crate) fn new(plan: Record, latency: Duration, post: Post<SessionInput>) -> Self {
        Self::with_devices(device::devices(&plan), plan, latency, post)
    }

    fn with_devices(devices: MediaDevices, plan: Record, latency: Duration, post: Post<SessionInput>) -> Self {
        Self {
            devices: Arc::new(devices),
            asked_map: plan.map.clone(),
            plan,
            latency,
            reach: Duration::ZERO,
            post,
            listeners: Listeners::default(),
            device: None,
            opening: 0,
            wanted_opening: Arc::default(),
            opens_quietly: None,
            lost: None,
            closed_at: None,
            stage: Stage::Idle,
            number: 0,
            files: None,
            twins: Twins::default(),
            file_exit: None,
            level_at: Instant::now(),
            result: None,
            worst: None,
            broke_down: false,
        }
    }

    /// The same for a picture that moves. What the plan keeps while nothing is recorded is for a user who starts too
    /// late.
    pub(crate) fn with_picture(mut plan: Record, post: Post<SessionInput>) -> Self {
        let reach = std::mem::take(&mut plan.steps.pre_roll);
        Self { reach, ..Self::new(plan, PICTURE_LATENCY, post) }
    }

    /// From now on the listener receives what happens.
    pub(crate) fn add_listener(&mut self, listener: Box<dyn Listener>) {
        self.listeners.add(listener);
    }

    /// Starts to record from the open device.
    ///
    /// # Errors
    /// When there is none, something is recorded already, or the file cannot be made.
    pub(crate) fn start(&mut self) -> Result<(), Failure> {
        let Some(device) = &self.device else { return Err(failed("there is no input to record from")) };
        if self.is_busy() {
            return Err(failed("a recording is running"));
        }
        let (recorder, target) = recorder::prepare(&self.plan, (device, self.reach), &self.twins, &self.post)?;
        let format = device.format;
        self.number += 1;
        let number = self.number;
        let fast = self.plan.pace == Pace::Fast;
        let events = if fast { recorder.events_bounded(FAST_EVENTS) } else { recorder.events() };
        let no_thread = |error| failed(&format!("cannot start a thread: {error}"));
        let wrap = move |event| SessionInput::Recorder(number, event);
        let pipe = if self.plan.target == Target::Stdout {
            let container = self.plan.container.format();
            let pipe = Pipe::start(container, format, fast, events, Arc::clone(&self.post), wrap);
            Some(pipe.map_err(no_thread)?)
        } else {
            work::forward("events", events, Arc::clone(&self.post), wrap).map_err(no_thread)?;
            None
        };
        recorder::start(&recorder, &self.plan, target.as_ref())?;
        let take = Recording::new(recorder, format, target, device.name.clone(), self.opening, pipe);
        (self.result, self.level_at) = (None, Instant::now());
        self.stage = Stage::Running(Box::new(take));
        Ok(())
    }

    /// Carries out a command, if there is something that it applies to.
    pub(crate) fn apply(&mut self, command: Command) {
        // Quitting begins with a stop.
        let command = if command == Command::Quit { Command::Stop } else { command };
        match (&mut self.stage, command) {
            (Stage::Opening(_), Command::Stop) => {
                // The result of the opening is no longer needed.
                self.opening += 1;
                self.wanted_opening.store(self.opening, Ordering::Relaxed);
                let message = Message::new("nothing was recorded").hint("it was stopped before the device was open");
                self.refuse(Failure::stopped(message));
            }
            (Stage::Opening(asked), command) => asked.push(command),
            (_, Command::Redraw) => self.level_at = self.level_at.checked_sub(LEVEL_INTERVAL).unwrap_or(self.level_at),
            (Stage::Running(take), command) => take.apply(command, &mut self.listeners),
            (Stage::Idle | Stage::Saving(_), _) => {}
        }
    }

    /// Gives the marker of the recording with that number, from 0 on, a text.
    pub(crate) fn name_marker(&self, number: usize, text: &str) {
        if let Stage::Running(take) = &self.stage {
            take.name_marker(number, text);
        }
    }

    /// Makes the running recording begin this long before its start, as far as that is kept.
    pub(crate) fn begin_earlier(&self, before: Duration) {
        if let Stage::Running(take) = &self.stage {
            take.begin_earlier(before);
        }
    }

    /// Handles an input from a thread or from the user.
    pub(crate) fn on_input(&mut self, input: SessionInput) {
        match (input, &mut self.stage) {
            (SessionInput::Command(command), _) => self.apply(command),
            (SessionInput::Opened(number, outcome), _) => self.opened(number, *outcome),
            (SessionInput::Track(number, event), _) => self.on_track(number, &event),
            (SessionInput::Recorder(number, event), Stage::Running(take)) if number == self.number => {
                let is_full_soon = matches!(event, RecorderEvent::LowSpace { .. });
                take.on_recorder(event, &self.plan, &mut self.listeners);
                self.save_complete_files();
                if is_full_soon {
                    self.make_room();
                }
            }
            (SessionInput::Piped(piped), Stage::Running(take)) => take.on_pipe(piped),
            (SessionInput::Saved(kept, frames, late), _) => self.saved(kept, frames, late),
            (SessionInput::Step(step), _) => self.on_step(step),
            (SessionInput::Recorder(..) | SessionInput::Piped(_), _) => {}
        }
        self.end_if_over();
    }

    fn on_track(&mut self, number: u64, event: &TrackEvent) {
        let take = match &mut self.stage {
            Stage::Running(take) if take.opening == number => Some(take),
            _ => None,
        };
        let is_recorded = take.is_some();
        if let Some(take) = take {
            take.on_track(event, &mut self.listeners);
        }
        if number != self.opening {
            return;
        }
        match event {
            TrackEvent::Ended(reason) => {
                let why = match reason {
                    EndReason::DeviceLost(error) => format!("the input is gone: {error}"),
                    EndReason::Exhausted => "the input has come to its end".to_owned(),
                };
                let remembered = |device: OpenDevice| Remembered { id: device.id, label: device.name, map: device.map };
                self.lost = self.device.take().map(remembered);
                self.closed_at = Some(Instant::now());
                self.emit(What::Closed(&why));
            }
            _ if is_recorded => {}
            TrackEvent::Notice(notice) => self.emit(What::Warning(notice)),
            TrackEvent::Mute | TrackEvent::Unmute => {
                let muted = matches!(event, TrackEvent::Mute);
                let name = self.device.as_ref().map_or("", |device| device.name.as_str());
                let warning = take::mute_warning(name, muted, false);
                self.emit(What::Warning(&warning));
            }
            _ => {}
        }
    }

    /// Does what is due by the clock. To be called at least as often as [`wait`](Self::wait) says.
    pub(crate) fn tick(&mut self) {
        if let Stage::Running(take) = &mut self.stage {
            take.announce_if_arrived(&self.plan, &mut self.listeners);
            if self.listeners.want_levels() && self.level_at.elapsed() >= LEVEL_INTERVAL {
                self.level_at = Instant::now();
                take.report_level(&mut self.listeners);
            }
            if self.plan.may_never_end() {
                take.end_if_gate_stays_closed(&mut self.listeners);
            }
        }
        self.end_if_over();
    }

    /// For how long nothing is due; without a time, until the next input.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match &self.stage {
            Stage::Running(take) if take.is_ending() => Some(REASON_INTERVAL),
            Stage::Running(take) if !take.is_announced() => Some(FIRST_FRAME_INTERVAL),
            Stage::Running(_) if self.listeners.want_levels() => {
                Some(LEVEL_INTERVAL.saturating_sub(self.level_at.elapsed()))
            }
            Stage::Running(_) if self.plan.may_never_end() => Some(LEVEL_INTERVAL),
            _ => None,
        }
    }

    /// Reports what happens at this moment of the recording, or after its last frame; without one, at frame 0.
    fn emit(&mut self, what: What<'_>) {
        let (frame, sample_rate) = match &self.stage {
            Stage::Running(take) => (take.recorder.progress().frames, take.format.sample_rate),
            Stage::Saving(outcome) => (outcome.progress.frames, outcome.sample_rate),
            Stage::Idle | Stage::Opening(_) => (0, self.format().map_or(0, |format| format.sample_rate)),
        };
        self.listeners.emit(frame, sample_rate, what);
    }

    /// The code that drives it has a bug: the recording is stopped, and what can be saved is saved.
    pub(crate) fn break_down(&mut self) {
        self.broke_down = true;
        self.apply(Command::Stop);
    }

    /// Whether that happened.
    pub(crate) fn has_broken_down(&self) -> bool {
        self.broke_down
    }

    /// Closes the device. The last thing that is done, as it may take long.
    pub(crate) fn close(self) {
        if let Some(device) = self.device {
            device.close();
        }
    }
}

fn failed(text: &str) -> Failure {
    Failure::new(Message::new(text), Exit::Failed)
}

#[cfg(test)]
mod tests;
