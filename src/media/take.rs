//! One recording while it is gathered: the pump feeds it, the recorder commands it, its listeners hear of it.
//!
//! Everything here runs on the pump thread, in the order of frames and commands. What the sound becomes is the chain's
//! and the encoder's business; where its bytes are kept is the piece's, of which a recording has one or, where it is
//! split, one after the other.

mod late_start;

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use jiff::{Zoned, civil, tz::TimeZone};

use self::late_start::LateStart;
use crate::{
    audio::{
        AudioFormat, Chain, ChannelMixer, LevelMeter, Marker, SampleFormat, db_to_factor, output_frames,
        time::{duration_of, frames_in, seconds},
        voice::Quiet,
    },
    capture::{Pace, Warning, WarningKind},
    error::{Error, ErrorKind, Result},
    format::Metadata,
    media::{
        Blob, BlobFacts, NewFile, RecorderEvent, Split,
        history::History,
        kept::KeptWatch,
        listening::Listening,
        losses::Losses,
        piece::{self, Extent, Piece, PiecePlan, Written},
        queue::{TakeCommand, TakeKey, TrackKey},
        recorder::RecorderShared,
        split::Splitter,
        timeline::{Seen, Timeline},
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
    /// What is kept of the source's channels.
    pub(crate) mixer: ChannelMixer,
    pub(crate) gain_db: f64,
    pub(crate) mime_type: String,
    pub(crate) metadata: Metadata,
    /// The broadcast extension is ours to fill in.
    pub(crate) dates_broadcast: bool,
    pub(crate) timeslice: Option<Duration>,
    pub(crate) max_frames: Option<u64>,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) split: Option<Split>,
    pub(crate) pre_roll: Duration,
    pub(crate) reach: Duration,
    pub(crate) splits_at_gate: bool,
    pub(crate) starts_paused: bool,
    pub(crate) files: PiecePlan,
}

/// Why a take ends.
enum Ending {
    /// The caller stopped it, its tracks ended, or its length is reached.
    Complete,
    /// It cannot go on, but encoder and disk are well. What was gathered is kept, and properly finished.
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
    /// The gate lets sound through.
    open: bool,
    /// Frames of the source that the closed gate has held back.
    cut: u64,
    paused: bool,
    over: bool,
    /// Frames encoded.
    frames: u64,
    /// Frames of the source that were gathered while not paused.
    gathered: u64,
    /// Frames of the source that were dropped since the first one was gathered.
    skipped: u64,
    /// What was dropped last.
    history: History,
    /// As long as the start can be moved.
    late_start: Option<LateStart>,
    /// Lost frames that are not yet in a finished file.
    losses: Losses,
    /// Markers that are not yet in a finished file, at frames of the recording.
    markers: Vec<Marker>,
    /// Those that went into files which are complete.
    markers_written: usize,
    /// The first frame of the current part.
    part: u64,
    /// Since there is a first frame.
    timeline: Option<Timeline>,
    /// What the clock of the device was measured to be, in hertz.
    device_rate: Option<f64>,
    recorded_at: Option<SystemTime>,
    /// Bytes in the files before this one.
    finished_bytes: u64,
    /// The limit in bytes is reached.
    full: bool,
    /// Where the next file could not be made, it is tried again from this frame on.
    retry_at: u64,
    /// The disk's end was announced.
    low_space: bool,
    /// The disk's end is reached.
    shortage: Option<Error>,
    meter: LevelMeter,
    kept: KeptWatch,
    /// That the gain makes it clip was told.
    told_clipping: bool,
    samples: Vec<f32>,
    silence: Vec<f32>,
}

/// When the end of the disk is announced.
const LOW_SPACE: Duration = Duration::from_secs(5 * 60);

/// After a new file could not be made, this much is recorded before it is tried again.
const RETRY: Duration = Duration::from_secs(10);

fn bytes_per_second(bits_per_second: u32) -> u64 {
    u64::from(bits_per_second.div_ceil(8))
}

/// Bytes that must be left for a recording to begin or to go on: what may come until they are counted again, and room
/// for what belongs behind the last frame.
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
        let piece = plan.files.begin(NewFile { number: 1, begins_at: None }, reserve(plan.files.bits_per_second))?;
        Ok(Self {
            splitter: Splitter::new(plan.split, rate, TimeZone::system()),
            history: History::new(frames_in(plan.pre_roll, plan.source_format.sample_rate), usize::from(channels)),
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

    /// What it is encoded as.
    pub(crate) fn format(&self) -> AudioFormat {
        self.plan.format
    }

    pub(crate) fn tracks(&self) -> &[TrackKey] {
        &self.plan.tracks
    }

    /// Its last event was fired.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Frames are wanted now.
    pub(crate) fn is_gathering(&self) -> bool {
        !self.paused && !self.over
    }

    /// How much sound is missing to its end, if it ends by itself.
    pub(crate) fn left(&self) -> Option<Duration> {
        let limit = self.plan.max_frames.filter(|_| self.is_gathering())?;
        Some(duration_of(limit.saturating_sub(self.frames), self.plan.format.sample_rate))
    }

    /// Throws away what was made for it before it began.
    pub(crate) fn discard(self) {
        self.piece.discard();
    }

    /// The source delivers to it from now on, at that pace; `before` is what it delivered last.
    pub(crate) fn begin(&mut self, pace: Pace, before: Option<&History>) {
        self.pace = pace;
        self.shared.begin(self.plan.key, &self.plan.mime_type, self.piece.path());
        self.fire(&RecorderEvent::Start);
        let header = self.piece.open().map(|written| self.count(&written));
        self.survive(header);
        if self.plan.starts_paused {
            self.obey(&TakeCommand::Pause);
        }
        before.into_iter().for_each(|before| self.history.adopt(before));
        // What is cut out, or has left already, cannot begin anew.
        if !self.paused && self.open && self.plan.timeslice.is_none() {
            let reach = frames_in(self.plan.reach, self.plan.source_format.sample_rate);
            self.late_start = LateStart::new(reach, piece::channels_of(self.plan.source_format), before);
            self.publish_start();
        }
        if !self.paused {
            let outcome = self.record_history();
            self.survive(outcome);
        }
        if self.limit_reached() {
            self.end(Ending::Complete);
        }
    }

    pub(crate) fn obey(&mut self, command: &TakeCommand) {
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
                self.fire(&RecorderEvent::Pause { frame: self.place() });
            }
            TakeCommand::Resume => {
                self.paused = false;
                self.fire(&RecorderEvent::Resume { frame: self.place() });
                let outcome = self.record_history();
                self.survive(outcome);
                self.publish();
            }
            TakeCommand::RequestData => {
                let flushed = self.piece.flush().map(|written| self.count(&written));
                let split = flushed.and_then(|()| self.hand_over());
                self.survive(split);
            }
            TakeCommand::Mark(text) => self.mark(text),
            TakeCommand::Next => self.splitter.cut_at(self.place()),
            TakeCommand::KeepGoing => {
                let quiet = self.listening.as_mut().map_or(Quiet::Same, Listening::keep);
                self.heed(quiet);
            }
            TakeCommand::NameMarker(number, text) => {
                let here = number.checked_sub(self.markers_written);
                if let Some(marker) = here.and_then(|number| self.markers.get_mut(number)) {
                    marker.text.clone_from(text);
                }
            }
            TakeCommand::Stop => self.end(Ending::Complete),
            // Delivered by this very step; a stop that was called before it wins, one that is called after is refused.
            TakeCommand::Fail(error) if self.shared.end(self.plan.key) => self.end(Ending::Ended(error.clone())),
            TakeCommand::Fail(_) => self.end(Ending::Complete),
        }
    }

    /// The current place in the recording's rate, what the resampler still holds back included.
    fn place(&self) -> u64 {
        self.recorded_rate(self.gathered)
    }

    /// Frames of the source as frames of the recording.
    fn recorded_rate(&self, frames: u64) -> u64 {
        output_frames(frames, self.plan.source_format.sample_rate, self.plan.format.sample_rate)
    }

    fn mark(&mut self, text: &str) {
        let marker = Marker { frame: self.place(), text: text.to_owned() };
        self.markers.push(marker.clone());
        self.fire(&RecorderEvent::Mark(marker));
    }

    /// The clock of the device was measured to make so many frames a second.
    pub(crate) fn note_device_rate(&mut self, hertz: f64) {
        self.device_rate = Some(hertz);
        self.shared.with_progress(|progress| progress.device_rate_hz = Some(hertz));
    }

    /// Some of what should have come was lost, nobody knows how much.
    pub(crate) fn note_unknown_loss(&self) {
        if self.is_gathering() {
            self.shared.with_progress(|progress| progress.lost_unknown = true);
        }
    }

    /// Every track has ended.
    pub(crate) fn end_of_tracks(&mut self) {
        self.end(Ending::Complete);
    }

    /// After a panic: says that it is over, and leaves what was written as it is. Encoder and output are not asked for
    /// anything any more.
    pub(crate) fn break_off(self, error: &Error) {
        if self.over {
            return;
        }
        self.shared.end(self.plan.key);
        self.fire(&RecorderEvent::Error(error.clone()));
        self.fire(&RecorderEvent::Stop);
    }

    /// Takes in what the source delivered.
    pub(crate) fn gather(&mut self, sound: Sound<'_>) {
        if self.over {
            return;
        }
        let outcome = match sound {
            Sound::Samples(samples) => {
                self.watch(samples);
                self.record(samples)
            }
            Sound::Silence(frames) => self.record_silence(frames),
            Sound::Lost(frames) => {
                if self.paused {
                    self.history.count_loss(frames as u64);
                } else {
                    self.note_loss_for_start(frames as u64);
                    self.count_loss(frames as u64);
                }
                self.record_silence(frames)
            }
        };
        self.survive(outcome);
        if let Some(error) = self.shortage.take() {
            self.end(Ending::Ended(error));
        }
        self.publish();
    }

    /// Tells what is wrong with what goes into the recording.
    fn watch(&mut self, samples: &[f32]) {
        if !self.paused {
            let gathered = self.gathered + self.frames_of(samples);
            let frame = output_frames(gathered, self.plan.source_format.sample_rate, self.plan.format.sample_rate);
            let warnings = self.kept.look(samples).into_iter();
            warnings.for_each(|warning| self.fire(&RecorderEvent::Warning { warning, frame }));
        }
    }

    fn record_silence(&mut self, frames: usize) -> Result<()> {
        let channels = usize::from(self.plan.source_format.channels);
        let silence = std::mem::take(&mut self.silence);
        let mut left = frames;
        let mut outcome = Ok(());
        while left > 0 && outcome.is_ok() && !self.over {
            let frames = left.min(SILENCE_FRAMES);
            left -= frames;
            outcome = self.record(silence.get(..frames * channels).unwrap_or_default());
        }
        self.silence = silence;
        outcome
    }

    fn record(&mut self, samples: &[f32]) -> Result<()> {
        self.shared.with_progress(|progress| progress.arrived += self.frames_of(samples));
        if self.paused {
            self.shared.add_level(self.chain.amplified(samples));
            let dropped = self.history.push(samples);
            self.skip(dropped);
            return Ok(());
        }
        match self.listening.as_ref().map(Listening::hop) {
            None => self.take_in(samples)?,
            Some(hop) => samples.chunks(hop).try_for_each(|samples| self.listen(samples))?,
        }
        self.look_at_the_clock();
        Ok(())
    }

    /// Records these samples if they are worth it.
    fn listen(&mut self, samples: &[f32]) -> Result<()> {
        let Some(listening) = self.listening.as_mut().filter(|_| !self.over) else { return Ok(()) };
        let finding = listening.push(samples);
        let was_open = std::mem::replace(&mut self.open, finding.open);
        match (was_open, finding.open) {
            (true, open) => {
                self.take_in(samples)?;
                if !open {
                    self.close_gate();
                }
            }
            (false, open) => {
                self.shared.add_level(self.chain.amplified(samples));
                let dropped = self.history.push(samples);
                self.cut += dropped;
                self.skip(dropped);
                if open {
                    self.open_gate()?;
                }
            }
        }
        self.heed(finding.quiet);
        Ok(())
    }

    /// Goes on with what was kept, so that the first syllable is whole.
    fn open_gate(&mut self) -> Result<()> {
        let cut = duration_of(std::mem::take(&mut self.cut), self.plan.source_format.sample_rate);
        self.shared.with_progress(|progress| progress.cut += cut);
        let frame = self.place();
        self.fire(&RecorderEvent::Gate { open: true, frame, cut });
        if frame > 0 && !cut.is_zero() && !self.plan.splits_at_gate {
            self.mark(&Marker::cut_text(cut));
        }
        self.record_history()
    }

    fn close_gate(&mut self) {
        self.fire(&RecorderEvent::Gate { open: false, frame: self.place(), cut: Duration::ZERO });
        if self.plan.splits_at_gate && self.piece.extent.frames > 0 && !self.over {
            self.roll_over();
        }
    }

    /// Nobody has spoken for some time.
    fn heed(&mut self, quiet: Quiet) {
        match quiet {
            Quiet::Same => {}
            Quiet::Closing(frames) => {
                let left = self.listening.as_ref().map(|listening| listening.length(frames));
                self.fire(&RecorderEvent::Countdown { left });
            }
            Quiet::Cancelled => self.fire(&RecorderEvent::Countdown { left: None }),
            Quiet::Over => self.end(Ending::Complete),
        }
    }

    /// Records what was kept while nothing was recorded.
    fn record_history(&mut self) -> Result<()> {
        if self.history.len() == 0 {
            return Ok(());
        }
        let mut kept = Vec::new();
        let lost = self.history.drain_into(&mut kept);
        self.count_loss(lost);
        self.take_in(&kept)
    }

    /// Frames of the source are not recorded, while time goes on.
    fn skip(&mut self, frames: u64) {
        if let Some(timeline) = &mut self.timeline {
            self.skipped += frames;
            timeline.skip(duration_of(frames, self.plan.source_format.sample_rate));
            let (frame, at) = (self.frames, timeline.time_of(self.frames));
            self.splitter.aim(frame, Some(at));
        }
    }

    fn take_in(&mut self, samples: &[f32]) -> Result<()> {
        let frames = self.frames_of(samples);
        if self.timeline.is_none() {
            self.note_begin(duration_of(frames, self.plan.source_format.sample_rate));
        }
        self.gathered += frames;
        self.samples.clear();
        self.chain.push(samples, &mut self.samples)?;
        self.encode()?;
        self.note_for_start(samples);
        if self.limit_reached() {
            self.end(Ending::Complete);
        }
        Ok(())
    }

    /// The first frame was captured so long ago.
    fn note_begin(&mut self, ago: Duration) {
        let now = SystemTime::now();
        let at = now.checked_sub(ago).unwrap_or(now);
        self.recorded_at = Some(at);
        self.timeline = Some(Timeline::new(self.plan.format.sample_rate, 0, at, (now, Instant::now())));
    }

    /// Where a file is to end with the hour, the hour is looked for.
    fn look_at_the_clock(&mut self) {
        let place = self.place();
        let Some(timeline) = self.timeline.as_mut().filter(|_| self.pace != Pace::Fast && !self.over) else { return };
        let seen = timeline.look(place, (SystemTime::now(), Instant::now()));
        if seen == Seen::Steady || !self.splitter.follows_the_clock() {
            return;
        }
        let at = timeline.time_of(self.frames);
        if seen == Seen::Set {
            self.splitter.clock_was_set(at);
        }
        self.splitter.aim(self.frames, Some(at));
    }

    fn frames_of(&self, samples: &[f32]) -> u64 {
        (samples.len() / piece::channels_of(self.plan.source_format)) as u64
    }

    /// Encodes and writes `self.samples`, up to the length that was asked for, into one file after the other.
    fn encode(&mut self) -> Result<()> {
        let channels = piece::channels_of(self.plan.format);
        if let Some(limit) = self.plan.max_frames {
            let left = usize::try_from(limit.saturating_sub(self.frames)).unwrap_or(usize::MAX);
            self.samples.truncate(left.saturating_mul(channels));
        }
        let samples = std::mem::take(&mut self.samples);
        let mut rest = samples.as_slice();
        let mut outcome = Ok(());
        while !rest.is_empty() && outcome.is_ok() && !self.full {
            let room = usize::try_from(self.make_room()).unwrap_or(usize::MAX).saturating_mul(channels);
            let (now, later) = rest.split_at(room.min(rest.len()));
            rest = later;
            outcome = self.encode_into_piece(now);
        }
        self.samples = samples;
        outcome?;
        let slice = self.plan.timeslice.map(|slice| frames_in(slice, self.plan.format.sample_rate));
        if slice.is_some_and(|slice| self.frames - self.part >= slice.max(1)) && !self.limit_reached() {
            self.hand_over()?;
        }
        Ok(())
    }

    /// The next frame is the first one of its file.
    fn note_begin_of_piece(&mut self) {
        let begins_at = self.timeline.as_ref().map(|timeline| timeline.time_of(self.frames));
        let elapsed = self.frames + self.recorded_rate(self.skipped);
        self.piece.extent = Extent { first_frame: self.frames, frames: 0, begins_at, elapsed };
        self.splitter.begin(self.frames, begins_at);
        if self.plan.dates_broadcast {
            // What stands in front of the sound tells the date even if the recording is cut off.
            let mut tags = self.plan.metadata.clone();
            tags.date = tags.date.or_else(|| begins_at.and_then(local_time));
            tags.time_reference = tags.time_reference.or_else(|| self.time_reference(self.piece.extent));
            tags.broadcast = Some(tags.broadcast_payload());
            self.piece.set_metadata(tags);
        }
    }

    fn encode_into_piece(&mut self, samples: &[f32]) -> Result<()> {
        self.meter.push(samples);
        self.shared.add_level(samples);
        let frames = (samples.len() / piece::channels_of(self.plan.format)) as u64;
        let written = self.piece.encode(samples, frames);
        self.frames += frames;
        let written = written?;
        self.count(&written);
        Ok(())
    }

    /// Frames that may be encoded now, into a new file if it is time for one; 0 if the limit in bytes is reached.
    fn make_room(&mut self) -> u64 {
        if self.room_in_piece() == 0 && self.piece.extent.frames > 0 && self.frames >= self.retry_at {
            self.roll_over();
        }
        if self.piece.extent.frames == 0 {
            self.note_begin_of_piece();
        }
        let until_limit = self.room_below_limit();
        self.full = until_limit == 0;
        // Where no new file can be made, the old one goes on.
        let in_piece = match self.room_in_piece() {
            0 => self.retry_at.saturating_sub(self.frames).max(1),
            room => room,
        };
        in_piece.min(until_limit)
    }

    fn room_in_piece(&self) -> u64 {
        let by_time = self.splitter.room(self.frames).unwrap_or(u64::MAX);
        let by_size = self.splitter.max_bytes().map_or(u64::MAX, |limit| self.room_of(limit));
        by_time.min(by_size)
    }

    fn room_below_limit(&self) -> u64 {
        let limit = self.plan.max_bytes.map(|limit| limit.saturating_sub(self.finished_bytes));
        limit.map_or(u64::MAX, |limit| self.room_of(limit))
    }

    fn room_of(&self, bytes: u64) -> u64 {
        let texts = self.markers.iter().map(|marker| marker.text.len() as u64).sum();
        self.plan.files.room(&self.piece, bytes, piece::tail_bytes(self.markers.len(), texts))
    }

    /// The end fires the last part itself.
    fn limit_reached(&self) -> bool {
        self.full || self.plan.max_frames.is_some_and(|limit| self.frames >= limit)
    }

    /// Goes on in a new file, and hands over the old one, whole. If there can be no new one, the old one goes on.
    fn roll_over(&mut self) {
        self.late_start = None;
        self.publish_start();
        let begins_at = self.timeline.as_ref().map(|timeline| timeline.time_of(self.frames));
        let file = NewFile { number: self.number + 1, begins_at };
        let begun = self.plan.files.begin(file, reserve(self.plan.files.bits_per_second)).and_then(|mut next| {
            let written = next.open()?;
            Ok((next, written))
        });
        let (mut next, written) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                self.retry_at = self.frames + frames_in(RETRY, self.plan.format.sample_rate);
                let warning = Warning::new(WarningKind::Split, format!("the old file goes on: {error}"));
                return self.fire(&RecorderEvent::Warning { warning, frame: self.frames });
            }
        };
        next.extent.first_frame = self.frames;
        let path = next.path();
        let old = std::mem::replace(&mut self.piece, next);
        self.number += 1;
        self.finished_bytes += self.complete(old);
        self.part = self.frames;
        self.losses.forget_before(self.frames);
        self.shared.with_progress(|progress| progress.path = path);
        self.count(&written);
    }

    /// Finishes a file that another one follows, and hands it over. Returns its size in bytes.
    fn complete(&mut self, mut old: Piece) -> u64 {
        let tags = self.tags(old.extent);
        let finished = old.finish(tags).map(|written| self.count(&written));
        let sealed = old.seal().map_err(|error| old.write_error(error));
        let whole = sealed.is_ok();
        if let Err(error) = finished.and(sealed) {
            self.fire(&RecorderEvent::Error(error));
        }
        let Extent { first_frame, frames, .. } = old.extent;
        let kept = old.sealed_frames().map_or(frames, |kept| kept.min(frames));
        let (timecode, facts) = self.describe(old.extent, first_frame + kept);
        let data = old.take_blob(BlobFacts { whole, ..facts });
        let bytes = data.size();
        self.fire(&RecorderEvent::DataAvailable { data, timecode });
        bytes
    }

    fn count(&mut self, written: &Written) {
        self.shared.with_progress(|progress| progress.bytes += written.bytes);
        if let Some(available) = written.available {
            self.watch_space(available);
        }
    }

    /// Warns in time, and ends in good order before a write fails.
    fn watch_space(&mut self, available: u64) {
        let bits_per_second = self.plan.files.bits_per_second;
        let left = Duration::from_secs(available / bytes_per_second(bits_per_second).max(1));
        self.shared.with_progress(|progress| progress.disk_left = Some(left));
        if left < LOW_SPACE && !self.low_space {
            self.low_space = true;
            self.fire(&RecorderEvent::LowSpace { left });
        }
        // Somebody may have made room.
        self.low_space &= left < 2 * LOW_SPACE;
        if available < reserve(bits_per_second) {
            let full = std::io::Error::new(std::io::ErrorKind::StorageFull, "the disk is full");
            self.shortage = Some(self.piece.write_error(full));
        }
    }

    fn count_loss(&mut self, frames: u64) {
        let at = self.recorded_rate(self.gathered);
        let lost = self.recorded_rate(self.gathered + frames) - at;
        self.losses.count(at, lost);
        self.shared.with_progress(|progress| progress.count_loss(at, lost));
    }

    /// Hands over what was gathered since the last part.
    fn hand_over(&mut self) -> Result<()> {
        let (timecode, facts) = self.describe(self.piece.extent, self.frames);
        let data = self.piece.split(facts)?;
        self.part = self.frames;
        self.fire(&RecorderEvent::DataAvailable { data, timecode });
        Ok(())
    }

    /// The timecode and the facts of the part of `piece` that ends before the frame `end`.
    fn describe(&self, piece: Extent, end: u64) -> (f64, BlobFacts) {
        let from = self.part.max(piece.first_frame);
        let facts = BlobFacts {
            mime_type: self.plan.mime_type.clone(),
            format: self.plan.format,
            frames: end.saturating_sub(from),
            lost_frames: self.losses.within(from, end.max(from)),
            whole: true,
            recorded_at: piece.begins_at,
        };
        (seconds(from, self.plan.format.sample_rate) * 1_000.0, facts)
    }

    /// Ends the take if something went wrong.
    fn survive(&mut self, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.end(Ending::Failed(error));
        }
    }

    fn end(&mut self, ending: Ending) {
        if self.over {
            return;
        }
        self.fix_start();
        if self.over {
            return;
        }
        self.over = true;
        let finished = match &ending {
            Ending::Complete | Ending::Ended(_) => self.finish(),
            Ending::Failed(_) => Ok(()),
        };
        if matches!(ending, Ending::Failed(_)) || finished.is_err() {
            // What was encoded and not written is not in the file.
            let kept = self.piece.sealed_frames().map(|kept| self.piece.extent.first_frame + kept);
            self.frames = kept.map_or(self.frames, |kept| kept.min(self.frames));
        }
        let sealed = self
            .piece
            .seal()
            .map_err(|error| Error::new(ErrorKind::Unknown, "cannot complete the recording").with_source(error));
        let whole = sealed.is_ok();
        let failure = match ending {
            Ending::Ended(error) | Ending::Failed(error) => Some(error),
            Ending::Complete => finished.and(sealed).err(),
        };
        if !self.open {
            // What was held back when it ended.
            let cut = duration_of(self.cut + self.history.len(), self.plan.source_format.sample_rate);
            self.shared.with_progress(|progress| progress.cut += cut);
        }
        self.publish();
        let (timecode, facts) = self.describe(self.piece.extent, self.frames);
        let data: Blob = self.piece.take_blob(BlobFacts { whole, ..facts });
        self.shared.end(self.plan.key);
        if let Some(error) = failure {
            self.fire(&RecorderEvent::Error(error));
        }
        if self.number > 1 && self.piece.extent.frames == 0 {
            // It was made for an utterance that never came.
            if let Err(error) = data.discard() {
                log::warn!("an empty file stays: {error}");
            }
        } else {
            self.fire(&RecorderEvent::DataAvailable { data, timecode });
        }
        self.fire(&RecorderEvent::Stop);
    }

    /// Flushes what the chain and the encoder hold back.
    fn finish(&mut self) -> Result<()> {
        self.samples.clear();
        self.chain.finish(&mut self.samples)?;
        // The last blob is the end's: what is flushed here belongs into it.
        self.plan.timeslice = None;
        self.encode()?;
        let tags = self.tags(self.piece.extent);
        let written = self.piece.finish(tags)?;
        self.count(&written);
        Ok(())
    }

    /// The tags of a file as they are known at its end.
    fn tags(&mut self, piece: Extent) -> Metadata {
        let (first, end) = (piece.first_frame, piece.end());
        let mut tags = self.plan.metadata.clone();
        tags.date = tags.date.or_else(|| piece.begins_at.and_then(local_time));
        tags.time_reference = tags.time_reference.or_else(|| self.time_reference(piece));
        tags.note_lost_frames(self.losses.within(first, if self.over { u64::MAX } else { end }));
        let is_here = |marker: &Marker| marker.frame < end || self.over;
        let (here, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.markers).into_iter().partition(is_here);
        (self.markers, self.markers_written) = (later, self.markers_written + here.len());
        tags.markers = here;
        tags.markers.iter_mut().for_each(|marker| marker.frame = marker.frame.saturating_sub(first));
        if let Some(hertz) = self.device_rate {
            tags.note_device_rate(hertz);
        }
        if self.plan.dates_broadcast {
            tags.broadcast = Some(tags.broadcast_payload());
        }
        tags
    }

    /// Frames between midnight and the first one of `piece`, counted on from the beginning of the recording.
    fn time_reference(&self, piece: Extent) -> Option<u64> {
        let rate = self.plan.format.sample_rate;
        let began = Zoned::try_from(self.recorded_at?).ok()?;
        let since = began.datetime().duration_since(began.date().to_datetime(civil::Time::midnight()));
        let first = frames_in(since.unsigned_abs(), rate) + piece.elapsed;
        Some(first % (u64::from(rate) * 86_400).max(1))
    }

    /// Tells the numbers to whoever watches.
    fn publish(&mut self) {
        let (frames, recorded_at) = (self.frames, self.recorded_at);
        let level = self.meter.take();
        // A float keeps what is beyond full scale.
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
    let zoned = jiff::Zoned::try_from(time).ok()?;
    Some(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}
