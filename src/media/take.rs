//! One recording while it is gathered: the pump passes sound to it, the recorder sends commands, and its subscribers
//! receive events.
//!
//! Everything here runs on the pump thread, in the order of frames and commands. The chain and the encoder process the
//! sound; the piece keeps its bytes, and a recording has one piece or, where it is split, one after the other.

mod end;
mod files;
mod gather;
mod late_start;
mod place;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use self::late_start::LateStart;
use crate::{
    audio::{
        AudioFormat, Chain, ChannelMixer, LevelMeter, Marker, SampleFormat, db_to_factor, local_time,
        time::{duration_of, frames_in},
        voice::Quiet,
    },
    capture::{Pace, Warning, WarningKind},
    error::{Error, Result},
    format::Metadata,
    media::{
        NewFile, RecorderEvent, Split,
        command::{TakeCommand, TakeKey, TrackKey},
        history::History,
        kept::KeptWatch,
        listening::Listening,
        losses::Losses,
        piece::{self, Piece, PiecePlan},
        shared::RecorderShared,
        split::Splitter,
        timeline::Timeline,
    },
};

/// What arrives at a take.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sound<'a> {
    /// Interleaved samples of the source.
    Samples(&'a [f32]),
    /// Frames that are muted or disabled.
    Silence(usize),
    /// Frames that were lost on their way.
    Lost(usize),
}

/// What a recording is made from.
pub(crate) struct TakePlan {
    pub(crate) key: TakeKey,
    pub(crate) tracks: Vec<TrackKey>,
    pub(crate) source_format: AudioFormat,
    pub(crate) format: AudioFormat,
    /// The mixer of the channels that are kept.
    pub(crate) mixer: ChannelMixer,
    pub(crate) gain_db: f64,
    pub(crate) mime_type: String,
    pub(crate) metadata: Metadata,
    /// The broadcast extension is to be filled in by the recorder.
    pub(crate) dates_broadcast: bool,
    pub(crate) timeslice: Option<Duration>,
    pub(crate) max_frames: Option<u64>,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) split: Option<Split>,
    pub(crate) pre_roll: Duration,
    pub(crate) gate_lead: Duration,
    pub(crate) reach: Duration,
    pub(crate) splits_at_gate: bool,
    pub(crate) starts_paused: bool,
    pub(crate) files: PiecePlan,
}

/// Why a take ends.
enum Ending {
    /// The caller stopped it, its tracks ended, or its length is reached.
    Complete,
    /// It cannot go on, but encoder and disk work. What was gathered is kept, and properly finished.
    Ended(Error),
    /// The encoder or the disk failed. What was gathered is kept as it is.
    Failed(Error),
}

/// A recording in progress.
pub(crate) struct Take {
    plan: TakePlan,
    shared: Arc<RecorderShared>,
    chain: Chain,
    /// The file that grows.
    piece: Piece,
    /// How many files there were, this one included.
    number: u32,
    splitter: Splitter,
    pace: Pace,
    listening: Option<Listening>,
    /// The gate passes sound.
    open: bool,
    /// Frames of the source that the closed gate has held back.
    cut: u64,
    paused: bool,
    over: bool,
    /// Frames encoded.
    frames: u64,
    /// Frames of the source that were gathered while not paused.
    gathered: u64,
    /// Where the resampler began afresh: frames of the source, and of the recording.
    flushed: (u64, u64),
    /// Frames of the source that were dropped since the first one was gathered.
    skipped: u64,
    /// What was dropped last.
    history: History,
    /// Present as long as the start can be moved.
    late_start: Option<LateStart>,
    /// Lost frames that are not yet in a finished file.
    losses: Losses,
    /// Markers that are not yet in a finished file, at frames of the recording.
    markers: Vec<Marker>,
    /// Those that went into files which are complete.
    markers_written: usize,
    /// The first frame of the current part.
    part: u64,
    /// Present since there is a first frame.
    timeline: Option<Timeline>,
    /// The measured clock of the device, in hertz.
    device_rate: Option<f64>,
    recorded_at: Option<SystemTime>,
    /// Bytes in the files before this one.
    finished_bytes: u64,
    /// The limit in bytes is reached.
    full: bool,
    /// After a new file could not be made, it is tried again from this frame on.
    retry_at: u64,
    /// The warning that the disk is nearly full was given.
    low_space: bool,
    /// The error of a disk that is full.
    shortage: Option<Error>,
    meter: LevelMeter,
    kept: KeptWatch,
    /// The warning about clipping by the gain was given.
    told_clipping: bool,
    samples: Vec<f32>,
    silence: Vec<f32>,
}

fn bytes_per_second(bits_per_second: u32) -> u64 {
    u64::from(bits_per_second.div_ceil(8))
}

/// Bytes that must be left for a recording to begin or to go on: what may come until they are counted again, and room
/// for what follows the last frame.
pub(crate) fn reserve(bits_per_second: u32) -> u64 {
    2 * bytes_per_second(bits_per_second) + 64 * 1024
}

/// Frames of silence that are handled in one go.
const SILENCE_FRAMES: usize = 1024;

impl Take {
    /// # Errors
    /// Those of making its first file.
    pub(crate) fn new(
        mut plan: TakePlan,
        shared: Arc<RecorderShared>,
        chain: Chain,
        listening: Option<Listening>,
    ) -> Result<Self> {
        let factor = db_to_factor(plan.gain_db);
        let kept = KeptWatch::new(&plan.mixer, plan.source_format.sample_rate, factor);
        let channels = plan.source_format.channels;
        let silence = vec![0.0; SILENCE_FRAMES * usize::from(channels)];
        let rate = plan.format.sample_rate;
        let before = if plan.pre_roll.is_zero() { plan.gate_lead } else { plan.pre_roll };
        let piece = plan.files.begin(NewFile { number: 1, begins_at: None }, reserve(plan.files.bits_per_second))?;
        Ok(Self {
            splitter: Splitter::new(plan.split, rate, local_time::zone()),
            history: History::new(frames_in(before, plan.source_format.sample_rate), usize::from(channels)),
            late_start: None,
            markers: std::mem::take(&mut plan.metadata.markers),
            markers_written: 0,
            plan,
            shared,
            chain,
            piece,
            number: 1,
            pace: Pace::Live,
            open: !listening.as_ref().is_some_and(Listening::has_gate),
            listening,
            cut: 0,
            paused: false,
            over: false,
            frames: 0,
            gathered: 0,
            flushed: (0, 0),
            skipped: 0,
            losses: Losses::default(),
            part: 0,
            timeline: None,
            device_rate: None,
            recorded_at: None,
            finished_bytes: 0,
            full: false,
            retry_at: 0,
            low_space: false,
            shortage: None,
            meter: LevelMeter::default(),
            kept,
            told_clipping: false,
            samples: Vec::new(),
            silence,
        })
    }

    pub(crate) fn key(&self) -> TakeKey {
        self.plan.key
    }

    /// The format in which it is encoded.
    pub(crate) fn format(&self) -> AudioFormat {
        self.plan.format
    }

    pub(crate) fn tracks(&self) -> &[TrackKey] {
        &self.plan.tracks
    }

    /// Whether its last event was fired.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Whether frames are needed now.
    pub(crate) fn is_gathering(&self) -> bool {
        !self.paused && !self.over
    }

    /// How much sound is missing to its end, if it ends by itself.
    pub(crate) fn left(&self) -> Option<Duration> {
        let limit = self.plan.max_frames.filter(|_| self.is_gathering())?;
        Some(duration_of(limit.saturating_sub(self.frames), self.plan.format.sample_rate))
    }

    /// Deletes what was made for it before it began.
    pub(crate) fn discard(self) {
        self.piece.discard();
    }

    /// Called when the source delivers to it from now on, at that pace; `before` is the latest sound before that.
    pub(crate) fn begin(&mut self, pace: Pace, before: Option<&History>) {
        self.pace = pace;
        self.shared.begin(self.plan.key, &self.plan.mime_type, self.piece.path());
        self.fire(&RecorderEvent::Start);
        let header = self.piece.open().map(|written| self.count(&written));
        self.end_on_error(header);
        if self.plan.starts_paused {
            self.apply(&TakeCommand::Pause);
        }
        before.into_iter().for_each(|before| self.history.adopt(before));
        // The start of a recording that is gated, or was handed over in part, cannot be moved.
        if !self.paused && self.open && self.plan.timeslice.is_none() {
            let reach = frames_in(self.plan.reach, self.plan.source_format.sample_rate);
            self.late_start = LateStart::new(reach, piece::channels_of(self.plan.source_format), before);
            self.publish_start();
        }
        if !self.paused && self.open {
            let outcome = self.record_history();
            self.end_on_error(outcome);
        }
        if self.limit_reached() {
            self.end(Ending::Complete);
        }
    }

    pub(crate) fn apply(&mut self, command: &TakeCommand) {
        if self.over {
            return;
        }
        match command {
            TakeCommand::BeginEarlier(_) => {}
            TakeCommand::Mark(_) | TakeCommand::NameMarker(..) | TakeCommand::KeepGoing => self.settle_start(),
            _ => self.fix_start(),
        }
        match command {
            TakeCommand::BeginEarlier(before) => {
                self.want_start(frames_in(*before, self.plan.source_format.sample_rate));
            }
            TakeCommand::Pause => {
                self.paused = true;
                if !self.keeps_paused() {
                    // What the closed gate holds would be followed by what comes after the pause.
                    let held = self.history.clear();
                    self.cut += held;
                    self.skip(held);
                }
                self.fire(&RecorderEvent::Pause { frame: self.place() });
            }
            TakeCommand::Resume => {
                self.paused = false;
                self.fire(&RecorderEvent::Resume { frame: self.place() });
                // While the gate is closed that is kept for when it opens.
                let outcome = if self.open { self.record_history() } else { Ok(()) };
                self.end_on_error(outcome);
                self.publish();
            }
            TakeCommand::RequestData => {
                let flushed = self.piece.flush().map(|written| self.count(&written));
                let split = flushed.and_then(|()| self.hand_over());
                self.end_on_error(split);
            }
            TakeCommand::Mark(text) => self.mark(text),
            // No frame will come at which it could be cut: the file so far is complete as it is.
            TakeCommand::Next if (self.paused || !self.open) && self.place() > self.piece.extent.first_frame => {
                let outcome = self.end_piece();
                self.end_on_error(outcome);
                self.publish();
            }
            TakeCommand::Next => self.splitter.cut_at(self.place()),
            TakeCommand::KeepGoing => {
                let quiet = self.listening.as_mut().map_or(Quiet::Same, Listening::keep);
                self.on_quiet(quiet);
            }
            TakeCommand::NameMarker(number, text) => {
                let here = number.checked_sub(self.markers_written);
                if let Some(marker) = here.and_then(|number| self.markers.get_mut(number)) {
                    marker.text.clone_from(text);
                }
            }
            TakeCommand::Stop => self.end(Ending::Complete),
            // This step decides: a stop that was called before it takes precedence, one that is called after it is
            // refused.
            TakeCommand::Fail(error) if self.shared.end(self.plan.key) => self.end(Ending::Ended(error.clone())),
            TakeCommand::Fail(_) => self.end(Ending::Complete),
        }
    }

    /// Records the measured rate of the device, in frames per second of the system's clock.
    pub(crate) fn note_device_rate(&mut self, hertz: f64) {
        self.device_rate = Some(hertz);
        self.shared.with_progress(|progress| progress.device_rate_hz = Some(hertz));
    }

    /// Records that some sound was lost, and that how much is unknown.
    pub(crate) fn note_unknown_loss(&self) {
        if self.is_gathering() {
            self.shared.with_progress(|progress| progress.lost_unknown = true);
        }
    }

    /// Called when every track has ended.
    pub(crate) fn end_of_tracks(&mut self) {
        self.end(Ending::Complete);
    }

    /// After a panic: reports that it is over, and leaves what was written as it is. Encoder and output are not used
    /// any more.
    pub(crate) fn break_off(self, error: &Error) {
        if self.over {
            return;
        }
        self.shared.end(self.plan.key);
        self.fire(&RecorderEvent::Error(error.clone()));
        self.fire(&RecorderEvent::Stop);
    }

    /// Publishes the numbers to observers.
    fn publish(&mut self) {
        let (frames, recorded_at) = (self.frames, self.recorded_at);
        let level = self.meter.take();
        // A float holds what is beyond full scale.
        let clipped = if self.plan.format.sample_format == SampleFormat::F32 { 0 } else { level.clipped };
        if clipped > 0 && self.plan.gain_db > 0.0 && !self.told_clipping {
            self.told_clipping = true;
            let message = format!("samples clip at full scale after a gain of {} dB", self.plan.gain_db);
            let warning = Warning::new(WarningKind::Clipping, message);
            self.fire(&RecorderEvent::Warning { warning, frame: self.frames });
        }
        self.shared.with_progress(|progress| {
            progress.frames = frames;
            progress.recorded_at = recorded_at;
            progress.clipped += clipped;
            progress.peak = if level.peak > progress.peak { level.peak } else { progress.peak };
        });
    }

    fn fire(&self, event: &RecorderEvent) {
        self.shared.fire(event);
    }
}

/// RFC 3339 with the local offset.
fn local_time(time: SystemTime) -> Option<String> {
    let zoned = local_time::at(time)?;
    Some(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}
