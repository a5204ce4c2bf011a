//! One recording, from its start until the recorder has delivered everything: commands of the user, events of the
//! recorder and its tracks, and whether it is over. The pump records whatever happens here.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use dictaphone::{
    Error, ErrorKind,
    audio::{AudioFormat, Level, local_time, time::duration_of},
    capture::{EndReason, Warning, WarningKind},
    media::{Blob, MediaRecorder, MediaStreamTrack, Progress, ReadyState, RecorderEvent, TrackEvent},
};

use super::{
    event::{Listeners, What},
    heard::Heard,
    pipe::{Pipe, Piped},
    save::Saving,
    target,
};
use crate::{
    input::command::Command,
    plan::{Record, Target},
    report::{
        outcome::{CopyFailure, Kept, Outcome},
        status::{self, ShownState},
    },
};

/// How long to wait for the reason after a recording ended because its track did.
const REASON_TIMEOUT: Duration = Duration::from_secs(10);

/// A generator does not change: if so much of it has not opened the gate, nothing will.
const CLOSED_GATE_MAX: Duration = Duration::from_secs(5 * 60);

/// A running recording.
pub(super) struct Recording {
    pub(super) recorder: MediaRecorder,
    pub(super) format: AudioFormat,
    /// Where the file was to go when recording began.
    pub(super) target: Option<PathBuf>,
    /// The number of the opening that its device came from.
    pub(super) opening: u64,
    /// The device's name, as it is.
    pub(super) device: String,
    /// As long as the wait for its reader has no limit.
    pub(super) pipe: Option<Pipe>,
    pub(super) state: ShownState,
    announced: bool,
    /// Events from before the announcement.
    early: Vec<RecorderEvent>,
    /// Muted, as last reported.
    muted: bool,
    /// The device delivers nothing, as reported when so many frames had arrived.
    interrupted: Option<(Error, u64)>,
    /// Frames recorded, and how many had arrived when their number last grew.
    grown: (u64, u64),
    /// A track has reported why it ended.
    reason_known: bool,
    /// The recorder, or standard output, has sent its last event.
    over_since: Option<Instant>,
    failure: Option<Error>,
    blob: Option<Blob>,
    /// Files that are complete, while others follow.
    complete: Vec<Blob>,
    /// How many files there were before the one that is recorded.
    pub(super) files: u32,
    copy_failure: Option<CopyFailure>,
    piped: Option<Piped>,
    stopped: bool,
    heard: Heard,
    started_in: PathBuf,
}

impl Recording {
    pub(super) fn new(
        recorder: MediaRecorder,
        format: AudioFormat,
        target: Option<PathBuf>,
        device: String,
        opening: u64,
        pipe: Option<Pipe>,
    ) -> Self {
        Self {
            recorder,
            format,
            target,
            opening,
            device,
            pipe,
            state: ShownState::Waiting,
            announced: false,
            early: Vec::new(),
            muted: false,
            interrupted: None,
            grown: (0, 0),
            reason_known: false,
            over_since: None,
            failure: None,
            blob: None,
            complete: Vec::new(),
            files: 0,
            copy_failure: None,
            piped: None,
            stopped: false,
            heard: Heard::default(),
            started_in: std::env::current_dir().unwrap_or_default(),
        }
    }

    /// Whether its first frames have been reported.
    pub(super) fn is_announced(&self) -> bool {
        self.announced
    }

    pub(super) fn emit(&self, listeners: &mut Listeners, what: What<'_>) {
        listeners.emit(self.recorder.progress().frames, self.format.sample_rate, what);
    }

    /// Carries out a command, if it is about a recording. A recorder that has just ended by itself refuses, and its
    /// last events are on their way.
    pub(super) fn apply(&mut self, command: Command, listeners: &mut Listeners) {
        use dictaphone::media::RecordingState::Paused;
        let outcome = match command {
            Command::TogglePause if self.recorder.state() == Paused => self.recorder.resume(),
            Command::TogglePause => self.recorder.pause(),
            Command::Pause => self.recorder.pause(),
            Command::Resume => self.recorder.resume(),
            Command::Mark(text) => self.recorder.mark(&text),
            Command::Next => self.recorder.next_file(),
            Command::KeepGoing => self.recorder.keep_going(),
            Command::Stop => {
                self.stopped = true;
                self.state = ShownState::Saving;
                self.pipe.take().into_iter().for_each(Pipe::hurry);
                // Its end will be reported, whatever caused it.
                let _ = self.recorder.stop();
                return;
            }
            _ => Ok(()),
        };
        if let Err(error) = outcome {
            self.emit(listeners, What::Refused(&error));
        }
    }

    pub(super) fn name_marker(&self, number: usize, text: &str) {
        // Refused by a recorder that has ended meanwhile; then the marker has no name.
        let _ = self.recorder.name_marker(number, text);
    }

    pub(super) fn begin_earlier(&self, before: Duration) {
        // Refused by a recorder that has ended meanwhile.
        let _ = self.recorder.begin_earlier(before);
    }

    pub(super) fn on_recorder(&mut self, event: RecorderEvent, plan: &Record, listeners: &mut Listeners) {
        use RecorderEvent::{Countdown, Gate, Mark, Pause, Resume};
        if !self.announced && matches!(event, Pause { .. } | Resume { .. } | Mark(_) | Gate { .. } | Countdown { .. }) {
            self.early.push(event);
            return;
        }
        let rate = self.format.sample_rate;
        match event {
            Pause { frame } => {
                self.state = ShownState::Paused;
                listeners.emit(frame, rate, What::Paused);
            }
            Resume { frame } => {
                self.state = ShownState::Recording;
                listeners.emit(frame, rate, What::Resumed);
            }
            Mark(marker) => {
                listeners.emit(marker.frame, rate, What::Marked(&marker));
            }
            Gate { open, frame, cut } => {
                listeners.emit(frame, rate, What::Gate { open, cut });
            }
            Countdown { left } => self.emit(listeners, What::Countdown(left)),
            RecorderEvent::DataAvailable { data, .. } => {
                self.complete.extend(self.blob.replace(data));
            }

            RecorderEvent::LowSpace { left } => {
                let text = format!("the disk is full in {}", status::clock(left));
                self.warn(&Warning::new(WarningKind::LowSpace, text), listeners);
            }
            RecorderEvent::Warning { warning, frame } => listeners.emit(frame, rate, What::Warning(&warning)),
            RecorderEvent::Error(error) => self.fail(error, listeners),
            RecorderEvent::Stop => {
                self.state = ShownState::Saving;
                if plan.target != Target::Stdout {
                    self.over_since = Some(Instant::now());
                }
            }
            _ => {}
        }
    }

    pub(super) fn on_track(&mut self, event: &TrackEvent, listeners: &mut Listeners) {
        match event {
            TrackEvent::Ended(reason) => {
                self.reason_known = true;
                if let EndReason::DeviceLost(error) = reason {
                    self.fail(error.clone(), listeners);
                }
            }
            TrackEvent::Notice(notice) => {
                self.warn(notice, listeners);
                if notice.kind().interrupts() {
                    let error = Error::new(ErrorKind::NotReadable, notice.message());
                    self.interrupted = Some((error, self.recorder.progress().arrived));
                }
            }
            TrackEvent::Mute => self.report_mute(true, listeners),
            TrackEvent::Unmute => self.report_mute(false, listeners),
            _ => {}
        }
    }

    fn report_mute(&mut self, muted: bool, listeners: &mut Listeners) {
        if std::mem::replace(&mut self.muted, muted) != muted {
            self.warn(&mute_warning(&self.device, muted, true), listeners);
        }
    }

    fn warn(&self, warning: &Warning, listeners: &mut Listeners) {
        self.emit(listeners, What::Warning(warning));
    }

    /// The first failure is the cause; what follows from it is not kept.
    pub(super) fn fail(&mut self, error: Error, listeners: &mut Listeners) {
        self.emit(listeners, What::Failed { name: error.name(), message: &error.to_string() });
        self.failure.get_or_insert(error);
    }

    pub(super) fn on_pipe(&mut self, piped: Piped) {
        if piped.reader_gone {
            // A reader that has closed its end is not a failure.
            let _ = self.recorder.stop();
        }
        self.piped = Some(piped);
        self.over_since.get_or_insert_with(Instant::now);
    }

    /// The first frames have arrived: now it can be reported that something is recorded.
    pub(super) fn announce_if_arrived(&mut self, plan: &Record, listeners: &mut Listeners) {
        let progress = self.recorder.progress();
        if self.announced || progress.arrived == 0 {
            return;
        }
        self.announced = true;
        if self.state == ShownState::Waiting {
            self.state = ShownState::Recording;
        }
        if let Some(at) = progress.recorded_at.and_then(local_time::at) {
            self.target = target::of(plan, 1, &at).ok().flatten().or_else(|| self.target.take());
        }
        // What was recorded until this report does not move the start.
        let started = What::Started { device: &self.device, path: self.target.as_deref(), format: self.format };
        listeners.emit(0, self.format.sample_rate, started);
        if let Some(asked) = plan.overruled_rate {
            let name = plan.container.format().name;
            let rate = self.format.sample_rate;
            let text = format!("{name} is always {rate} Hz, not the {asked} Hz that were asked for");
            self.warn(&Warning::new(WarningKind::Rate, text), listeners);
        }
        // It may have been muted before there was a listener.
        if self.recorder.stream().tracks().iter().any(MediaStreamTrack::muted) {
            self.report_mute(true, listeners);
        }
        for event in std::mem::take(&mut self.early) {
            self.on_recorder(event, plan, listeners);
        }
    }

    /// Ends what would never end: a generator, which runs faster than any person can act, behind a gate that it does
    /// not open.
    pub(super) fn end_if_gate_stays_closed(&mut self, listeners: &mut Listeners) {
        let Progress { frames, arrived, .. } = self.recorder.progress();
        if frames > self.grown.0 || self.over_since.is_some() {
            self.grown = (frames, arrived);
        }
        if duration_of(arrived.saturating_sub(self.grown.1), self.format.sample_rate) < CLOSED_GATE_MAX {
            return;
        }
        self.grown.1 = arrived;
        if frames > 0 {
            let text = format!("`{}` does not open the gate any more", self.device);
            self.fail(Error::new(ErrorKind::Unknown, text), listeners);
        }
        // A recorder that has ended meanwhile reports its end.
        let _ = self.recorder.stop();
    }

    pub(super) fn report_level(&mut self, listeners: &mut Listeners) {
        let (measured, progress): (Level, Progress) = (self.recorder.take_level(), self.recorder.progress());
        let level = self.heard.level(measured, Instant::now());
        let (state, device) = (self.state, self.device.as_str());
        let what = What::Level { level: &level, progress: &progress, state, device };
        listeners.emit(progress.frames, self.format.sample_rate, what);
    }

    /// One of two copies is not whole.
    pub(super) fn on_copy_failure(&mut self, failure: CopyFailure, listeners: &mut Listeners) {
        let text = match &failure {
            CopyFailure::First(why) => format!("the first copy has failed, the recording goes on in the second: {why}"),
            CopyFailure::Second(why) => format!("the second copy has failed, the recording goes on: {why}"),
        };
        self.warn(&Warning::new(WarningKind::Copy, text), listeners);
        self.copy_failure.get_or_insert(failure);
    }

    /// The next file that is complete while others follow, as it is to be saved.
    pub(super) fn next_complete(&mut self, plan: &Record) -> Option<Saving> {
        // The last one arrives when the recorder has stopped, and is saved at the end.
        if self.recorder.state() != dictaphone::media::RecordingState::Inactive {
            self.complete.extend(self.blob.take());
        }
        if self.complete.is_empty() {
            return None;
        }
        let blob = self.complete.remove(0);
        self.files += 1;
        Some(self.saving(plan, Some(blob), self.files))
    }

    fn saving(&self, plan: &Record, blob: Option<Blob>, number: u32) -> Saving {
        Saving {
            plan: plan.clone(),
            blob,
            piped: None,
            progress: self.recorder.progress(),
            target: self.target.clone(),
            started_in: self.started_in.clone(),
            number,
            before: None,
        }
    }

    /// Whether the recorder has sent its last event.
    pub(super) fn is_ending(&self) -> bool {
        self.over_since.is_some()
    }

    /// Whether everything is known about it. The reason why a track has ended arrives separately from the end of the
    /// recording, and perhaps later.
    pub(super) fn is_over(&self) -> bool {
        let has_ended = |track: &MediaStreamTrack| track.ready_state() == ReadyState::Ended;
        self.over_since.is_some_and(|since| {
            self.reason_known
                || !self.recorder.stream().tracks().iter().any(has_ended)
                || since.elapsed() >= REASON_TIMEOUT
        })
    }

    /// What is left to be done, and the outcome, except for what is kept.
    pub(super) fn finish(mut self, plan: &Record, broke_down: bool) -> (Saving, Outcome) {
        let progress = self.recorder.progress();
        // Stopped while its device was away: the end is missing, and nothing else will report that.
        if let Some((error, arrived)) = self.interrupted.take()
            && arrived == progress.arrived
        {
            self.failure.get_or_insert(error);
        }
        let outcome = Outcome {
            kept: Kept::Nothing,
            frames: 0,
            progress,
            sample_rate: self.format.sample_rate,
            failure: self.failure.take(),
            stopped: self.stopped,
            broke_down,
            is_from_file: plan.device.as_deref().is_some_and(|id| id.starts_with("file:")),
            device: self.device.clone(),
            copy_failure: self.copy_failure.take(),
            file_exit: None,
            lost_in_file: (self.files > 0).then(|| self.blob.as_ref().map_or(0, |blob| blob.facts().lost_frames)),
            is_known: self.files > 0 && self.blob.is_none(),
        };
        let (blob, piped) = (self.blob.take(), self.piped.take());
        let saving = Saving { piped, ..self.saving(plan, blob, self.files + 1) };
        (saving, outcome)
    }
}

/// The warning that a device was muted, or is not muted any more.
pub(super) fn mute_warning(device: &str, muted: bool, is_recorded: bool) -> Warning {
    let (kind, what) = match (muted, is_recorded) {
        (true, true) => (WarningKind::Muted, "is muted; silence is recorded"),
        (true, false) => (WarningKind::Muted, "is muted"),
        (false, _) => (WarningKind::Unmuted, "is not muted any more"),
    };
    Warning::new(kind, format!("{device} {what}"))
}
