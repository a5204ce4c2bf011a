//! One recording while it is gathered: the pump feeds it, the recorder commands it, its listeners hear of it.
//!
//! Everything here runs on the pump thread, in the order of frames and commands. What the sound becomes is the chain's
//! and the encoder's business; where its bytes are kept is the output's.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    audio::{
        AudioFormat, Chain, ChannelMixer, LevelMeter, Marker, SampleFormat, db_to_factor, output_frames,
        time::{duration_of, frames_in, seconds},
    },
    capture::{Warning, WarningKind},
    error::{Error, ErrorKind, Result},
    format::{Encoder, Metadata},
    media::{
        BlobFacts, RecorderEvent,
        kept::KeptWatch,
        output::Output,
        queue::{TakeCommand, TakeKey, TrackKey},
        recorder::RecorderShared,
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
    /// About how many bits a second of it takes.
    pub(crate) bits_per_second: u32,
    pub(crate) metadata: Metadata,
    pub(crate) timeslice: Option<Duration>,
    pub(crate) max_frames: Option<u64>,
    pub(crate) starts_paused: bool,
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
    encoder: Box<dyn Encoder>,
    output: Output,
    paused: bool,
    over: bool,
    /// Frames encoded.
    frames: u64,
    /// Frames of the source that were gathered while not paused.
    gathered: u64,
    lost_frames: u64,
    /// What the clock of the device was measured to be, in hertz.
    device_rate: Option<f64>,
    /// `frames` and `lost_frames` at the beginning of the current part.
    part: (u64, u64),
    recorded_at: Option<SystemTime>,
    /// The disk's end was announced.
    low_space: bool,
    /// The disk's end is reached.
    shortage: Option<Error>,
    meter: LevelMeter,
    kept: KeptWatch,
    /// That the gain makes it clip was told.
    told_clipping: bool,
    samples: Vec<f32>,
    bytes: Vec<u8>,
    silence: Vec<f32>,
}

/// When the end of the disk is announced.
const LOW_SPACE: Duration = Duration::from_secs(5 * 60);

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
    pub(crate) fn new(
        plan: TakePlan,
        shared: Arc<RecorderShared>,
        chain: Chain,
        encoder: Box<dyn Encoder>,
        output: Output,
    ) -> Self {
        let factor = db_to_factor(plan.gain_db);
        let kept = KeptWatch::new(&plan.mixer, plan.source_format.sample_rate, factor);
        let silence = vec![0.0; SILENCE_FRAMES * usize::from(plan.source_format.channels)];
        Self {
            plan,
            shared,
            chain,
            encoder,
            output,
            paused: false,
            over: false,
            frames: 0,
            gathered: 0,
            lost_frames: 0,
            device_rate: None,
            part: (0, 0),
            recorded_at: None,
            low_space: false,
            shortage: None,
            meter: LevelMeter::default(),
            kept,
            told_clipping: false,
            samples: Vec::new(),
            bytes: Vec::new(),
            silence,
        }
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
        self.output.discard();
    }

    /// The source delivers to it from now on.
    pub(crate) fn begin(&mut self) {
        self.shared.begin(&self.plan.mime_type, self.output.path());
        self.fire(&RecorderEvent::Start);
        let header = self.encoder.begin(&mut self.bytes).and_then(|()| self.write());
        self.survive(header);
        if self.plan.starts_paused {
            self.obey(&TakeCommand::Pause);
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
            TakeCommand::Pause => {
                self.paused = true;
                self.fire(&RecorderEvent::Pause { frame: self.place() });
            }
            TakeCommand::Resume => {
                self.paused = false;
                self.fire(&RecorderEvent::Resume { frame: self.place() });
            }
            TakeCommand::RequestData => {
                let flushed = self.encoder.flush(&mut self.bytes).and_then(|()| self.write());
                let split = flushed.and_then(|()| self.split());
                self.survive(split);
            }
            TakeCommand::Mark(text) => self.mark(text),
            TakeCommand::Stop => self.end(Ending::Complete),
            // Delivered by this very step; a stop that was called before it wins, one that is called after is refused.
            TakeCommand::Fail(error) if self.shared.end(self.plan.key) => self.end(Ending::Ended(error.clone())),
            TakeCommand::Fail(_) => self.end(Ending::Complete),
        }
    }

    /// The current place in the recording's rate, what the resampler still holds back included.
    fn place(&self) -> u64 {
        output_frames(self.gathered, self.plan.source_format.sample_rate, self.plan.format.sample_rate)
    }

    fn mark(&mut self, text: &str) {
        let marker = Marker { frame: self.place(), text: text.to_owned() };
        self.plan.metadata.markers.push(marker.clone());
        self.fire(&RecorderEvent::Mark(marker));
    }

    /// The clock of the device was measured to make so many frames a second.
    pub(crate) fn note_device_rate(&mut self, hertz: f64) {
        self.device_rate = Some(hertz);
        self.shared.with_progress(|progress| progress.device_rate_hz = Some(hertz));
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
                if !self.paused {
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
            return Ok(());
        }
        let frames = self.frames_of(samples);
        if self.recorded_at.is_none() {
            let length = duration_of(frames, self.plan.source_format.sample_rate);
            self.recorded_at = SystemTime::now().checked_sub(length);
        }
        self.gathered += frames;
        self.samples.clear();
        self.chain.push(samples, &mut self.samples)?;
        self.encode()?;
        if self.plan.max_frames.is_some_and(|limit| self.frames >= limit) {
            self.end(Ending::Complete);
        }
        Ok(())
    }

    fn frames_of(&self, samples: &[f32]) -> u64 {
        (samples.len() / usize::from(self.plan.source_format.channels.max(1))) as u64
    }

    /// Encodes and writes `self.samples`, up to the length that was asked for.
    fn encode(&mut self) -> Result<()> {
        let channels = usize::from(self.plan.format.channels.max(1));
        if let Some(limit) = self.plan.max_frames {
            let left = usize::try_from(limit.saturating_sub(self.frames)).unwrap_or(usize::MAX);
            self.samples.truncate(left.saturating_mul(channels));
        }
        self.meter.push(&self.samples);
        self.shared.add_level(&self.samples);
        self.encoder.encode(&self.samples, &mut self.bytes)?;
        self.frames += (self.samples.len() / channels) as u64;
        self.write()?;
        let slice = self.plan.timeslice.map(|slice| frames_in(slice, self.plan.format.sample_rate));
        if slice.is_some_and(|slice| self.frames - self.part.0 >= slice.max(1)) && !self.limit_reached() {
            self.split()?;
        }
        Ok(())
    }

    /// The end fires the last part itself.
    fn limit_reached(&self) -> bool {
        self.plan.max_frames.is_some_and(|limit| self.frames >= limit)
    }

    fn write(&mut self) -> Result<()> {
        let length = self.bytes.len() as u64;
        let written = self.output.append(&mut self.bytes).and_then(|()| self.output.checkpoint(self.encoder.as_ref()));
        let available = written.map_err(|error| self.write_error(error))?;
        self.shared.with_progress(|progress| progress.bytes += length);
        if let Some(available) = available {
            self.watch_space(available);
        }
        Ok(())
    }

    fn write_error(&self, error: std::io::Error) -> Error {
        let place = self.output.path().map_or_else(String::new, |path| format!(" to {}", path.display()));
        Error::new(ErrorKind::Unknown, format!("cannot write{place}")).with_source(error)
    }

    /// Warns in time, and ends in good order before a write fails.
    fn watch_space(&mut self, available: u64) {
        let left = Duration::from_secs(available / bytes_per_second(self.plan.bits_per_second).max(1));
        self.shared.with_progress(|progress| progress.disk_left = Some(left));
        if left < LOW_SPACE && !self.low_space {
            self.low_space = true;
            self.fire(&RecorderEvent::LowSpace { left });
        }
        if available < reserve(self.plan.bits_per_second) {
            let full = std::io::Error::new(std::io::ErrorKind::StorageFull, "the disk is full");
            self.shortage = Some(self.write_error(full));
        }
    }

    fn count_loss(&mut self, frames: u64) {
        let (from, to) = (self.plan.source_format.sample_rate, self.plan.format.sample_rate);
        let at = output_frames(self.gathered, from, to);
        let lost = output_frames(self.gathered + frames, from, to) - at;
        self.lost_frames += lost;
        self.shared.with_progress(|progress| progress.count_loss(at, lost));
    }

    /// Hands over what was gathered since the last part.
    fn split(&mut self) -> Result<()> {
        let (timecode, facts) = self.describe_part();
        let split = self.output.split(self.encoder.as_mut(), facts);
        let data = split.map_err(|error| self.write_error(error))?;
        self.part = (self.frames, self.lost_frames);
        self.fire(&RecorderEvent::DataAvailable { data, timecode });
        Ok(())
    }

    /// The timecode and the facts of the current part.
    fn describe_part(&self) -> (f64, BlobFacts) {
        let facts = BlobFacts {
            mime_type: self.plan.mime_type.clone(),
            format: self.plan.format,
            frames: self.frames - self.part.0,
            lost_frames: self.lost_frames - self.part.1,
            whole: true,
            recorded_at: self.recorded_at,
        };
        (seconds(self.part.0, self.plan.format.sample_rate) * 1_000.0, facts)
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
        self.over = true;
        let finished = match &ending {
            Ending::Complete | Ending::Ended(_) => self.finish(),
            Ending::Failed(_) => Ok(()),
        };
        if matches!(ending, Ending::Failed(_)) || finished.is_err() {
            // What was encoded and not written is not in the file.
            let kept = self.output.sealed_frames(self.encoder.as_ref());
            self.frames = kept.map_or(self.frames, |kept| kept.min(self.frames));
        }
        let sealed = self
            .output
            .seal(self.encoder.as_ref())
            .map_err(|error| Error::new(ErrorKind::Unknown, "cannot complete the recording").with_source(error));
        let whole = sealed.is_ok();
        let failure = match ending {
            Ending::Ended(error) | Ending::Failed(error) => Some(error),
            Ending::Complete => finished.and(sealed).err(),
        };
        self.publish();
        let (timecode, facts) = self.describe_part();
        let data = self.output.take(BlobFacts { whole, ..facts });
        self.shared.end(self.plan.key);
        if let Some(error) = failure {
            self.fire(&RecorderEvent::Error(error));
        }
        self.fire(&RecorderEvent::DataAvailable { data, timecode });
        self.fire(&RecorderEvent::Stop);
    }

    /// Flushes what the chain and the encoder hold back.
    fn finish(&mut self) -> Result<()> {
        self.samples.clear();
        self.chain.finish(&mut self.samples)?;
        // The last blob is the end's: what is flushed here belongs into it.
        self.plan.timeslice = None;
        self.encode()?;
        self.encoder.set_metadata(self.tags());
        self.encoder.finish(&mut self.bytes)?;
        self.write()
    }

    /// The tags as they are known at the end.
    fn tags(&self) -> Metadata {
        let mut tags = self.plan.metadata.clone();
        tags.date = tags.date.or_else(|| self.recorded_at.and_then(local_time));
        tags.note_lost_frames(self.lost_frames);
        if let Some(hertz) = self.device_rate {
            tags.note_device_rate(hertz);
        }
        tags
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
