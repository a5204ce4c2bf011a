//! The recorder (W3C MediaStream Recording, § 2 "MediaRecorder"): state, control methods, events.
//!
//! Calls change the state at once and send a command with the frame position of the call; gathering and events follow
//! on the pump thread.

mod prepare;

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc::Receiver},
    time::Duration,
};

use self::prepare::estimate;
use crate::{
    audio::{AudioFormat, Level},
    error::{Error, ErrorKind, Result},
    format::{Codec, Format, mime},
    media::{
        MediaStream, Progress, RecorderEvent, RecorderOptions, RecordingState,
        command::TakeCommand,
        queue::Action,
        shared::RecorderShared,
        state::{Call, Transition, transition},
        stream::StreamObserver,
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
///
/// ```
/// # use std::sync::Arc;
/// # use dictaphone::{AudioFormat, SampleFormat, capture::PushSource, media::{Constraints, MediaDevices}};
/// # let microphone = PushSource::new("test", AudioFormat::new(48_000, 1, SampleFormat::F32));
/// # let devices = MediaDevices::with_backends(vec![Arc::new(microphone.clone())]);
/// # let stream = devices.get_user_media(&Constraints::default())?;
/// # use dictaphone::media::{MediaRecorder, RecorderEvent, RecorderOptions, RecordingState};
/// let recorder = MediaRecorder::new(&stream, RecorderOptions::default().mime_type("audio/flac"))?;
/// let events = recorder.events();
/// recorder.start(None)?;
/// microphone.push(&[0.5; 480])?;
/// recorder.stop()?;
/// assert_eq!(recorder.state(), RecordingState::Inactive);
/// let parts = events.iter().take_while(|event| !matches!(event, RecorderEvent::Stop));
/// let frames = parts.filter_map(|event| match event {
///     RecorderEvent::DataAvailable { data, .. } => Some(data.facts().frames),
///     _ => None,
/// });
/// assert_eq!(frames.sum::<u64>(), 480);
/// # Ok::<(), dictaphone::Error>(())
/// ```
pub struct MediaRecorder {
    stream: MediaStream,
    options: RecorderOptions,
    container: &'static Format,
    /// The codecs of the MIME type; any of the container's if empty.
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

    /// Exactly the MIME type that was requested; from the start event until the recorder is inactive again with
    /// container and codec filled in.
    #[must_use]
    pub fn mime_type(&self) -> String {
        self.shared.core().mime_type.clone()
    }

    /// Inactive, recording or paused.
    #[must_use]
    pub fn state(&self) -> RecordingState {
        self.shared.core().state
    }

    /// The requested bits a second, or else about how many a recording of the stream takes, as it was when the recorder
    /// was made. Never 0, and never changed by a recording.
    #[must_use]
    pub fn audio_bits_per_second(&self) -> u32 {
        self.bits_per_second
    }

    /// The format of the latest recording; `None` before the first start.
    #[must_use]
    pub fn format(&self) -> Option<AudioFormat> {
        self.shared.core().format
    }

    /// The events from now on. Each call makes a subscriber of its own.
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

    /// The progress of the recording.
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
    /// that the source does not have or that cannot be mixed to that few, for a rate or a channel count that the format
    /// cannot hold, and for a sample format that the codec of the MIME type does not have; an input or output error if
    /// the file cannot be made.
    pub fn start(&self, timeslice: Option<Duration>) -> Result<()> {
        // No other call can start it meanwhile, so that the checks stay valid; and a disk may take its time.
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

    /// Stops recording: inactive at once; the rest and a stop event follow. The tracks stay as they are.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; nothing changes.
    pub fn stop(&self) -> Result<()> {
        self.shared.call(Call::Stop, TakeCommand::Stop)
    }

    /// Stops gathering: sound from the source is dropped from now on, and time does not advance. Nothing while paused.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; nothing changes.
    pub fn pause(&self) -> Result<()> {
        self.shared.call(Call::Pause, TakeCommand::Pause)
    }

    /// Continues gathering into the same blob. Does nothing while recording.
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

    /// Continues in a new file at the frame that is current now; the file so far is fired as a whole blob. Does nothing
    /// if there is no frame in it. Not part of the standard.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; [`NotSupported`](ErrorKind::NotSupported) if the
    /// recording is handed over in timeslices. Nothing changes then.
    pub fn next_file(&self) -> Result<()> {
        let core = self.shared.core();
        if core.state != RecordingState::Inactive && !core.goes_to_file {
            return Err(Error::new(ErrorKind::NotSupported, "a stream cannot go on in a new file"));
        }
        drop(core);
        self.shared.call(Call::Next, TakeCommand::Next)
    }

    /// Continues although nobody speaks: the time of [`RecorderOptions::stop_on_silence`] begins anew. Not part of the
    /// standard.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; nothing changes.
    pub fn keep_going(&self) -> Result<()> {
        self.shared.call(Call::KeepGoing, TakeCommand::KeepGoing)
    }

    /// Makes the recording begin `before` the frame at which it was started, or as long before as sound was kept; zero
    /// undoes that. Possible within the [reach](RecorderOptions::reach) for half a minute after the start, until the
    /// first pause, the next file or a request for data, and not for recordings in timeslices or with a gate; otherwise
    /// nothing happens. The recording is rewritten from there, exact to the frame: dates and markers are adjusted, and
    /// [`Progress::begins_before`] shows when it is done. There is no event for it. Not part of the standard.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; nothing changes.
    pub fn begin_earlier(&self, before: Duration) -> Result<()> {
        self.shared.call(Call::Mark, TakeCommand::BeginEarlier(before))
    }

    /// Sets another text for the marker of that number, counted from 0; there is no event for it. A number without a
    /// marker does nothing. So a place can be marked at once and be named when the user has typed the name.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; nothing changes.
    pub fn name_marker(&self, number: usize, text: &str) -> Result<()> {
        self.shared.call(Call::Mark, TakeCommand::NameMarker(number, text.to_owned()))
    }

    /// Requests everything so far, which may be empty; a new blob begins.
    ///
    /// # Errors
    /// [`InvalidState`](ErrorKind::InvalidState) while inactive; nothing changes.
    pub fn request_data(&self) -> Result<()> {
        self.shared.call(Call::RequestData, TakeCommand::RequestData)
    }
}

impl Drop for MediaRecorder {
    fn drop(&mut self) {
        // An error while inactive does not matter.
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

fn no_live_track() -> Error {
    Error::new(ErrorKind::NotSupported, "the stream has no live track")
}
