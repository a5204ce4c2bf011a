//! The recorder (W3C MediaStream Recording, § 2 "MediaRecorder"): state, control methods, events.
//!
//! Calls change the state at once and send a command with the frame position of the call; gathering and events follow
//! on the pump thread.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc::Receiver},
    time::Duration,
};

use crate::{
    audio::{AudioFormat, Chain, ChannelMap, ChannelMixer, Level, Metadata, SampleFormat},
    error::{Error, ErrorKind, Result},
    format::{Codec, Delivery, EncoderSettings, Format, Keeps, mime},
    media::{
        MediaStream, MediaStreamTrack, Progress, ReadyState, RecorderEvent, RecorderOptions, RecordingState, Split,
        command::TakeCommand,
        identity,
        listening::Listening,
        piece::PiecePlan,
        queue::Action,
        shared::RecorderShared,
        source::Source,
        state::{Call, Transition, transition},
        stream::StreamObserver,
        take::{Take, TakePlan},
    },
};

impl StreamObserver for RecorderShared {
    fn tracks_changed(&self) {
        let core = self.core();
        if let Some((_, post)) = &core.running {
            let context = "a track was added to or removed from the stream while it was recorded";
            post(TakeCommand::Fail(Error::new(ErrorKind::InvalidModification, context)));
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
            let mut core = shared.core();
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
        self.shared.core().mime_type.clone()
    }

    /// Inactive, recording or paused.
    #[must_use]
    pub fn state(&self) -> RecordingState {
        self.shared.core().state
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
        self.shared.core().format
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
        self.shared.progress()
    }

    /// The level of the sound since the last call, after the gain, also while paused.
    #[must_use]
    pub fn take_level(&self) -> Level {
        self.shared.take_level()
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
        let _starting = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        let Transition::To(state) = transition(self.state(), Call::Start)? else { return Ok(()) };
        let (take, source) = self.prepare(timeslice)?;
        let (key, format) = (take.key(), take.format());
        let mut core = self.shared.core();
        if !source.begin(take) {
            return Err(no_live_track());
        }
        let post = Box::new(move |command| {
            source.post(Action::Take(key, command));
        });
        core.state = if self.options.starts_paused { RecordingState::Paused } else { state };
        core.format = Some(format);
        core.goes_to_file = timeslice.is_none();
        core.running = Some((key, post));
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
        let core = self.shared.core();
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
