//! The recorder (W3C MediaStream Recording, § 2 "MediaRecorder"): state, control methods, events.
//!
//! Calls change the state at once and send a command with the frame position of the call; gathering and events follow
//! on the pump thread.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc::Receiver},
    time::Duration,
};

use crate::{
    audio::{AudioFormat, Chain, ChannelMap, ChannelMixer, Level, LevelMeter, Metadata, SampleFormat},
    error::{Error, ErrorKind, Result},
    format::{Codec, Delivery, EncoderSettings, Format, Keeps, mime},
    media::{
        GateOptions, MediaStream, MediaStreamTrack, Progress, ReadyState, RecorderEvent, RecordingState, Split,
        Storage,
        event::Listeners,
        identity,
        listening::Listening,
        piece::PiecePlan,
        queue::{Action, TakeCommand, TakeKey},
        source::Source,
        state::{Call, Transition, transition},
        stream::StreamObserver,
        take::{Take, TakePlan},
    },
};

/// How a recorder encodes and where it keeps what it gathers. The default records WAV, 16 bit, at the rate and with the
/// channels of the source, into a temporary file.
#[derive(Debug, Clone, Default)]
pub struct RecorderOptions {
    /// Container and codec, such as `audio/wav` or `audio/wav;codecs=1`; empty for WAV.
    pub mime_type: String,
    /// Bits a second, for codecs that can choose; beyond what they can do, the nearest that they can.
    pub audio_bits_per_second: Option<u32>,
    /// Frames a second of the recording in hertz; the source's if not given. Where the format does not take it, the next
    /// rate that it takes.
    pub sample_rate: Option<u32>,
    /// Which channels of the source are kept; all of them if not given.
    pub map: Option<ChannelMap>,
    /// Channels of the recording, see [`ChannelMixer::keep`]; those of the map, or of the source, if not given.
    pub channels: Option<u16>,
    /// How samples are stored; what the codec of the MIME type implies, or 16 bit, if not given.
    pub sample_format: Option<SampleFormat>,
    /// Amplification before encoding, in dB.
    pub gain_db: f64,
    /// The recording is paused from its first frame on: start and pause are fired, and nothing is gathered before
    /// [`resume`](MediaRecorder::resume).
    pub starts_paused: bool,
    /// The recording stops by itself after exactly this many frames of it.
    pub max_frames: Option<u64>,
    /// The recording stops by itself before its files together are larger than this, in bytes.
    pub max_bytes: Option<u64>,
    /// When it goes on in a new file by itself; for recordings without a timeslice. Each file is fired as a whole blob.
    pub split: Option<Split>,
    /// So much of what the source delivers is kept while nothing is recorded, before the start and while paused, and
    /// begins what is recorded then. Before the start only as far as a track was asked to
    /// [keep](MediaStreamTrack::keep) it.
    pub pre_roll: Duration,
    /// So much of what a track was asked to [keep](MediaStreamTrack::keep) stays in memory for some time after the start,
    /// so that the recording can be made to [begin earlier](MediaRecorder::begin_earlier).
    pub reach: Duration,
    /// Records only while there is something worth it; what lies between is cut out.
    pub gate: Option<GateOptions>,
    /// The recording stops by itself when nobody has spoken for so long, in any channel, once somebody has. Music is no
    /// speech.
    pub stop_on_silence: Option<Duration>,
    /// Where a recording without a timeslice is kept.
    pub storage: Storage,
    /// Tags to be written.
    pub metadata: Metadata,
    /// Whether a WAV file gets a broadcast extension (`bext`, EBU Tech 3285) with the program and the local time of the
    /// first frame, to the frame. Not where its bytes leave one by one, before that time is known.
    pub broadcast: bool,
}

#[derive(Default)]
struct Core {
    state: RecordingState,
    mime_type: String,
    /// What was asked for.
    asked_type: String,
    format: Option<AudioFormat>,
    /// What runs is a file that another can follow.
    goes_to_file: bool,
    running: Option<(TakeKey, Arc<Source>)>,
}

impl Core {
    /// The recording is over, or will be at once: the MIME type reads as it was asked for again.
    fn become_inactive(&mut self) {
        self.state = RecordingState::Inactive;
        self.running = None;
        self.mime_type.clone_from(&self.asked_type);
    }
}

/// What a recorder shares with its recording on the pump thread.
#[derive(Default)]
pub(crate) struct RecorderShared {
    core: Mutex<Core>,
    listeners: Listeners<RecorderEvent>,
    progress: Mutex<Progress>,
    level: Mutex<LevelMeter>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded is changed by single assignments and is whole even after a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RecorderShared {
    /// The recording begins; called right before its start event.
    pub(crate) fn begin(&self, key: TakeKey, mime_type: &str, path: Option<PathBuf>) {
        let mut core = lock(&self.core);
        // One that was stopped before it began leaves the type as it was asked for.
        if core.running.as_ref().is_some_and(|(running, _)| *running == key) {
            core.mime_type = mime_type.to_owned();
        }
        drop(core);
        *lock(&self.progress) = Progress { path, ..Progress::default() };
    }

    /// That recording is over; called right before its last events. A recording that was stopped, and perhaps followed
    /// by another one, changes nothing. Tells whether it had not been stopped before.
    pub(crate) fn end(&self, key: TakeKey) -> bool {
        let mut core = lock(&self.core);
        let was_running = core.running.as_ref().is_some_and(|(running, _)| *running == key);
        if was_running {
            core.become_inactive();
        }
        was_running
    }

    pub(crate) fn fire(&self, event: &RecorderEvent) {
        self.listeners.fire(event);
    }

    /// Changes the numbers, and returns them as they were.
    pub(crate) fn change_progress(&self, change: impl FnOnce(&mut Progress)) -> Progress {
        let mut progress = lock(&self.progress);
        let before = progress.clone();
        change(&mut progress);
        before
    }

    /// The level so far, to be [put back](Self::set_level).
    pub(crate) fn level(&self) -> LevelMeter {
        lock(&self.level).clone()
    }

    pub(crate) fn set_level(&self, level: LevelMeter) {
        *lock(&self.level) = level;
    }

    pub(crate) fn with_progress(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut lock(&self.progress));
    }

    pub(crate) fn add_level(&self, samples: &[f32]) {
        lock(&self.level).push(samples);
    }

    /// Changes the state by the control table and, if something changed, sends the command.
    fn call(&self, call: Call, command: TakeCommand) -> Result<()> {
        let mut core = lock(&self.core);
        let Transition::To(state) = transition(core.state, call)? else { return Ok(()) };
        core.state = state;
        let Some((key, source)) = core.running.clone() else { return Ok(()) };
        if state == RecordingState::Inactive {
            core.become_inactive();
        }
        // Posted under the lock, so that commands reach the pump in the order of the state changes. A source that has
        // just closed refuses; its pump is ending the recording already.
        source.post(Action::Take(key, command));
        Ok(())
    }
}

impl StreamObserver for RecorderShared {
    fn tracks_changed(&self) {
        let core = lock(&self.core);
        if let Some((key, source)) = &core.running {
            let context = "a track was added to or removed from the stream while it was recorded";
            let error = Error::new(ErrorKind::InvalidModification, context);
            source.post(Action::Take(*key, TakeCommand::Fail(error)));
        }
    }
}

/// Records the sound of a stream.
///
/// A recorder can be started again after it became inactive; every run is a recording of its own. Dropping it stops and
/// completes a recording that is still running.
pub struct MediaRecorder {
    stream: MediaStream,
    options: RecorderOptions,
    container: &'static Format,
    /// What the MIME type lists; any of the container's if empty.
    codecs: Vec<&'static Codec>,
    bits_per_second: u32,
    /// Held while a recording is prepared, which may wait for a disk; the state can be read meanwhile.
    starting: Mutex<()>,
    shared: Arc<RecorderShared>,
}

impl MediaRecorder {
    /// A recorder for `stream`, which may be empty or inactive: that matters only at [`start`](Self::start).
    ///
    /// # Errors
    /// [`NotSupported`](ErrorKind::NotSupported) if the MIME type is malformed, unknown, or names a codec that its
    /// container cannot hold, or if the gain is not a number.
    pub fn new(stream: &MediaStream, options: RecorderOptions) -> Result<Self> {
        if !options.gain_db.is_finite() {
            return Err(Error::new(ErrorKind::NotSupported, "the gain is not a number of decibels"));
        }
        let (container, codecs) = mime::resolve(&options.mime_type)?;
        let shared = Arc::new(RecorderShared::default());
        {
            let mut core = lock(&shared.core);
            core.mime_type.clone_from(&options.mime_type);
            core.asked_type.clone_from(&options.mime_type);
        }
        let bits_per_second = estimate(stream, &options, container, &codecs);
        let observer: Arc<dyn StreamObserver> = Arc::clone(&shared) as Arc<dyn StreamObserver>;
        stream.observe(Arc::downgrade(&observer));
        let starting = Mutex::default();
        Ok(Self { stream: stream.clone(), options, container, codecs, bits_per_second, starting, shared })
    }

    /// Whether recordings of that MIME type can be made. The empty type stands for the default and is supported; a
    /// malformed one, an unknown container, or a codec that the container cannot hold is not.
    #[must_use]
    pub fn is_type_supported(mime_type: &str) -> bool {
        mime::is_type_supported(mime_type)
    }

    /// The stream that is recorded.
    #[must_use]
    pub fn stream(&self) -> &MediaStream {
        &self.stream
    }

    /// Exactly the MIME type that was asked for; from the start event until the recorder is inactive again with container
    /// and codec filled in.
    #[must_use]
    pub fn mime_type(&self) -> String {
        lock(&self.shared.core).mime_type.clone()
    }

    /// Inactive, recording or paused.
    #[must_use]
    pub fn state(&self) -> RecordingState {
        lock(&self.shared.core).state
    }

    /// How many bits a second were asked for, or else about how many a recording of the stream takes, as it was when the
    /// recorder was made. Never 0, and never changed by a recording.
    #[must_use]
    pub fn audio_bits_per_second(&self) -> u32 {
        self.bits_per_second
    }

    /// What the latest recording is encoded as; `None` before the first start.
    #[must_use]
    pub fn format(&self) -> Option<AudioFormat> {
        lock(&self.shared.core).format
    }

    /// The events from now on. Each call makes a listener of its own.
    #[must_use]
    pub fn events(&self) -> Receiver<RecorderEvent> {
        self.shared.listeners.subscribe()
    }

    /// Like [`events`](Self::events), but the recording waits while `bound` events are unread. For sources that run as
    /// fast as they are read; a microphone does not wait.
    #[must_use]
    pub fn events_bounded(&self, bound: usize) -> Receiver<RecorderEvent> {
        self.shared.listeners.subscribe_bounded(bound)
    }

    /// How the recording is getting on.
    #[must_use]
    pub fn progress(&self) -> Progress {
        lock(&self.shared.progress).clone()
    }

    /// The level of the sound since the last call, after the gain, also while paused.
    #[must_use]
    pub fn take_level(&self) -> Level {
        lock(&self.shared.level).take()
    }

    /// Starts a recording with the live tracks of the stream.
    ///
    /// With a timeslice, parts of at least that much *recorded* time are fired as they are complete; without one, there
    /// is a single blob at the end.
    ///
    /// # Errors
    /// In this order, changing nothing: [`InvalidState`](ErrorKind::InvalidState) unless inactive;
    /// [`NotSupported`](ErrorKind::NotSupported) without a live track, for tracks of more than one source, for channels
    /// that the source does not have or that cannot be mixed to so few, for a rate or a channel count that the format cannot hold, and for a sample format that the codec of the MIME type does
    /// not have; an input or output error if the file cannot be made.
    pub fn start(&self, timeslice: Option<Duration>) -> Result<()> {
        // Nobody else can start it meanwhile, so that what is true now stays true; and a disk may take its time.
        let _starting = lock(&self.starting);
        let Transition::To(state) = transition(self.state(), Call::Start)? else { return Ok(()) };
        let (take, source) = self.prepare(timeslice)?;
        let (key, format) = (take.key(), take.format());
        let mut core = lock(&self.shared.core);
        if !source.begin(take) {
            return Err(no_live_track());
        }
        core.state = if self.options.starts_paused { RecordingState::Paused } else { state };
        core.format = Some(format);
        core.goes_to_file = timeslice.is_none();
        core.running = Some((key, source));
        Ok(())
    }

    fn prepare(&self, timeslice: Option<Duration>) -> Result<(Take, Arc<Source>)> {
        let tracks: Vec<MediaStreamTrack> =
            self.stream.tracks().into_iter().filter(|track| track.ready_state() == ReadyState::Live).collect();
        let source = tracks.first().ok_or_else(no_live_track)?.source();
        if tracks.iter().any(|track| !Arc::ptr_eq(track.source(), source)) {
            return Err(Error::new(
                ErrorKind::NotSupported,
                "tracks of more than one device cannot be recorded together",
            ));
        }
        let channels = source.format().channels;
        let mixer = ChannelMixer::keep(channels, source.speakers(), self.options.map.as_ref(), self.options.channels)?;
        let wanted = self.options.sample_rate.unwrap_or(source.format().sample_rate);
        let format = AudioFormat {
            sample_rate: self.container.sample_rate(wanted),
            channels: u16::try_from(mixer.channels_out()).unwrap_or(u16::MAX),
            sample_format: self.sample_format()?,
        };
        self.container.supported(format)?;
        let dates_broadcast =
            self.options.broadcast && self.container.keeps == Keeps::Everything && timeslice.is_none();
        let mut metadata = self.metadata(source, &mixer);
        if dates_broadcast {
            metadata.broadcast = Some(metadata.broadcast_payload());
        }
        let files = PiecePlan {
            container: self.container,
            settings: EncoderSettings {
                audio: format,
                delivery: if timeslice.is_some() { Delivery::Stream } else { Delivery::File },
                bits_per_second: self.options.audio_bits_per_second,
                metadata: metadata.clone(),
            },
            bits_per_second: self.container.estimated_bits_per_second(format, self.options.audio_bits_per_second),
            storage: self.options.storage.clone(),
        };
        self.refuse_too_small(&files)?;
        let plan = TakePlan {
            key: identity::new_key(),
            tracks: tracks.iter().map(MediaStreamTrack::key).collect(),
            source_format: source.format(),
            format,
            mime_type: self.container.full_mime_type(format),
            metadata,
            dates_broadcast,
            mixer,
            gain_db: self.options.gain_db,
            timeslice,
            max_frames: self.options.max_frames,
            max_bytes: self.options.max_bytes,
            split: self.options.split.filter(|_| timeslice.is_none()),
            pre_roll: self.options.pre_roll,
            reach: self.options.reach,
            splits_at_gate: timeslice.is_none() && self.options.gate.is_some_and(|gate| gate.splits),
            starts_paused: self.options.starts_paused,
            files,
        };
        let chain =
            Chain::new(plan.mixer.clone(), plan.source_format.sample_rate, plan.format.sample_rate, plan.gain_db)?;
        let (gate, silence) = (self.options.gate, self.options.stop_on_silence);
        let listening = Listening::new(gate, silence, plan.source_format, self.options.gain_db)?;
        Ok((Take::new(plan, Arc::clone(&self.shared), chain, listening)?, Arc::clone(source)))
    }

    fn refuse_too_small(&self, files: &PiecePlan) -> Result<()> {
        let of_split = match self.options.split {
            Some(Split::Bytes(bytes)) => Some(bytes),
            Some(Split::Every(length) | Split::Aligned(length)) if length.is_zero() => Some(0),
            _ => None,
        };
        let smallest = [of_split, self.options.max_bytes].into_iter().flatten().min();
        match smallest {
            Some(bytes) if bytes < files.min_bytes() => {
                let context =
                    format!("{bytes} bytes are too few for a file; at least {} are needed", files.min_bytes());
                Err(Error::new(ErrorKind::NotSupported, context))
            }
            _ => Ok(()),
        }
    }

    /// What was asked for, or what the codec implies.
    fn sample_format(&self) -> Result<SampleFormat> {
        let mut implied = self.codecs.iter().flat_map(|codec| codec.sample_formats).copied();
        match self.options.sample_format {
            None => Ok(implied.next().unwrap_or(SampleFormat::S16)),
            Some(wanted) if self.codecs.is_empty() || implied.any(|format| format == wanted) => Ok(wanted),
            Some(wanted) => {
                let context = format!("'{}' names no codec for {wanted} samples", self.options.mime_type);
                Err(Error::new(ErrorKind::NotSupported, context))
            }
        }
    }

    fn metadata(&self, source: &Source, mixer: &ChannelMixer) -> Metadata {
        let mut metadata = self.options.metadata.clone();
        metadata.speakers = mixer.speakers().filter(|speakers| speakers.count() > 2).cloned();
        metadata.device.get_or_insert_with(|| source.device().label.clone());
        metadata.software.get_or_insert_with(|| concat!("dictaphone ", env!("CARGO_PKG_VERSION")).to_owned());
        metadata
    }

    /// Stops recording: inactive at once; the rest and a stop event follow. The tracks stay as they are.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; nothing changes.
    pub fn stop(&self) -> Result<()> {
        self.shared.call(Call::Stop, TakeCommand::Stop)
    }

    /// Stops gathering: what the source delivers from now on is dropped, and time does not advance. Nothing while
    /// paused.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; nothing changes.
    pub fn pause(&self) -> Result<()> {
        self.shared.call(Call::Pause, TakeCommand::Pause)
    }

    /// Goes on gathering into the same blob. Nothing while recording.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; nothing changes.
    pub fn resume(&self) -> Result<()> {
        self.shared.call(Call::Resume, TakeCommand::Resume)
    }

    /// Sets a marker at the frame that is current now; it is written at the end of a file whose format can hold it. Not
    /// part of the standard.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; nothing changes.
    pub fn mark(&self, text: &str) -> Result<()> {
        self.shared.call(Call::Mark, TakeCommand::Mark(text.to_owned()))
    }

    /// Goes on in a new file at the frame that is current now; the file so far is fired as a whole blob. Nothing if there
    /// is no frame in it. Not part of the standard.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; [`NotSupported`](ErrorKind::NotSupported) if the recording
    /// leaves in timeslices. Nothing changes then.
    pub fn next_file(&self) -> Result<()> {
        let core = lock(&self.shared.core);
        if core.state != RecordingState::Inactive && !core.goes_to_file {
            return Err(Error::new(ErrorKind::NotSupported, "a stream cannot go on in a new file"));
        }
        drop(core);
        self.shared.call(Call::Next, TakeCommand::Next)
    }

    /// Goes on although nobody speaks: the time of [`RecorderOptions::stop_on_silence`] begins anew. Not part of the
    /// standard.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; nothing changes.
    pub fn keep_going(&self) -> Result<()> {
        self.shared.call(Call::KeepGoing, TakeCommand::KeepGoing)
    }

    /// Lets the recording begin `before` the frame at which it was started, or as long before as was kept of that time;
    /// zero takes it back. Possible within the [reach](RecorderOptions::reach) for half a minute after the start, until
    /// the first pause, the next file or a request for data, and not for what leaves in timeslices or through a gate;
    /// else nothing happens. What is recorded is written anew from there, exact to the frame: dates and markers move
    /// along, and [`Progress::begins_before`] tells when it is done. There is no event about it. Not part of the
    /// standard.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; nothing changes.
    pub fn begin_earlier(&self, before: Duration) -> Result<()> {
        self.shared.call(Call::Mark, TakeCommand::BeginEarlier(before))
    }

    /// Gives the marker of that number, the first is 0, another text; there is no event about it. A number that no marker
    /// has does nothing. So a place can be marked at once and be named when somebody has typed the name.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; nothing changes.
    pub fn name_marker(&self, number: usize, text: &str) -> Result<()> {
        self.shared.call(Call::Mark, TakeCommand::NameMarker(number, text.to_owned()))
    }

    /// Asks for everything so far, which may be empty; a new blob begins.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; nothing changes.
    pub fn request_data(&self) -> Result<()> {
        self.shared.call(Call::RequestData, TakeCommand::RequestData)
    }
}

impl Drop for MediaRecorder {
    fn drop(&mut self) {
        // Refused while inactive, which is as good.
        let _ = self.stop();
    }
}

impl std::fmt::Debug for MediaRecorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaRecorder")
            .field("state", &self.state())
            .field("mime_type", &self.mime_type())
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

/// About how many bits a second a recording of that stream takes, or those that were asked for.
fn estimate(
    stream: &MediaStream,
    options: &RecorderOptions,
    container: &'static Format,
    codecs: &[&'static Codec],
) -> u32 {
    if let Some(asked) = options.audio_bits_per_second.filter(|asked| *asked > 0) {
        return asked;
    }
    let source = stream.tracks().first().map(|track| track.source().format());
    let (rate, channels) = source.map_or((48_000, 1), |source| (source.sample_rate, source.channels));
    let kept = options.channels.or(options.map.as_ref().map(ChannelMap::count)).unwrap_or(channels);
    let implied = codecs.iter().flat_map(|codec| codec.sample_formats).copied().next();
    let audio = AudioFormat {
        sample_rate: container.sample_rate(options.sample_rate.unwrap_or(rate)),
        channels: kept.max(1),
        sample_format: options.sample_format.or(implied).unwrap_or(SampleFormat::S16),
    };
    container.estimated_bits_per_second(audio, None).max(1)
}

fn no_live_track() -> Error {
    Error::new(ErrorKind::NotSupported, "the stream has no live track")
}
