//! One live track of sound (Media Capture and Streams, § 4.3 "MediaStreamTrack").

use std::{
    fmt,
    sync::{Arc, mpsc::Receiver},
    time::Duration,
};

use crate::{
    audio::{Speakers, time::frames_in},
    media::{
        Constraints, ReadyState, TrackEvent,
        command::TrackKey,
        constraints::{LATENCIES, sample_sizes},
        identity,
        queue::Action,
        source::Source,
        tap::{self, Tap},
        track_state::{Flags, TrackState},
    },
};

/// What a track carries. This program carries sound only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TrackKind {
    /// Sound.
    Audio,
}

named! { TrackKind: Audio "audio" }

/// The values in use; on an ended track only the device's id is known.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TrackSettings {
    /// Id of the device.
    pub device_id: String,
    /// Frames a second, in hertz.
    pub sample_rate: Option<u32>,
    /// Channels.
    pub channel_count: Option<u16>,
    /// Bits of one sample as the device delivers it.
    pub sample_size: Option<u16>,
    /// Seconds from capture to delivery.
    pub latency: Option<f64>,
}

/// What can be requested of the device, as ranges with both ends included (Media Capture and Streams, § 4.3
/// "MediaTrackCapabilities").
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TrackCapabilities {
    /// Id of the device.
    pub device_id: String,
    /// Frames a second, in hertz.
    pub sample_rate: (u32, u32),
    /// Channels.
    pub channel_count: (u16, u16),
    /// Bits of one sample.
    pub sample_size: (u16, u16),
    /// Seconds from capture to delivery.
    pub latency: (f64, f64),
}

/// What all handles of one track share.
struct TrackShared {
    id: String,
    key: TrackKey,
    source: Arc<Source>,
    constraints: Constraints,
    state: Arc<TrackState>,
}

impl TrackShared {
    fn stop(&self) {
        if self.state.stop() {
            self.source.end_track(self.key);
            self.state.close();
        }
    }
}

impl Drop for TrackShared {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A handle to a track of sound.
///
/// A [`Clone`] is another handle to the same track; [`duplicate`](Self::duplicate) is the standard's `clone()`. A track
/// ends when it is stopped, when its source ends, or when the last handle to it (in a variable or in a stream) is dropped.
///
/// ```
/// # use std::sync::Arc;
/// # use dictaphone::{AudioFormat, SampleFormat, capture::PushSource, media::{Constraints, MediaDevices}};
/// # let microphone = PushSource::new("test", AudioFormat::new(48_000, 1, SampleFormat::F32));
/// # let devices = MediaDevices::with_backends(vec![Arc::new(microphone.clone())]);
/// # let stream = devices.get_user_media(&Constraints::default())?;
/// let track = &stream.tracks()[0];
/// track.set_enabled(false); // is recorded as silence from this frame on
/// assert_eq!((track.label(), track.settings().sample_rate), ("test", Some(48_000)));
/// track.stop();
/// # Ok::<(), dictaphone::Error>(())
/// ```
#[derive(Clone)]
pub struct MediaStreamTrack {
    shared: Arc<TrackShared>,
}

impl MediaStreamTrack {
    /// A new live track on `source`, muted if that is; `None` if the source has closed.
    pub(crate) fn attach(source: &Arc<Source>, enabled: bool, constraints: Constraints) -> Option<Self> {
        Self::attach_as(source, enabled, source.is_muted(), constraints)
    }

    fn attach_as(source: &Arc<Source>, enabled: bool, muted: bool, constraints: Constraints) -> Option<Self> {
        let track = Self::create(source, Flags { ready: ReadyState::Live, enabled, muted }, constraints);
        if source.add_track(track.key(), enabled, Arc::downgrade(&track.shared.state)) {
            return Some(track);
        }
        // It was never live, so its drop must not detach it.
        track.shared.state.stop();
        None
    }

    fn create(source: &Arc<Source>, flags: Flags, constraints: Constraints) -> Self {
        let shared = TrackShared {
            id: identity::new_id(),
            key: identity::new_key(),
            source: Arc::clone(source),
            constraints,
            state: Arc::new(TrackState::new(source.device().label.clone(), flags)),
        };
        Self { shared: Arc::new(shared) }
    }

    /// A new track on the same source, independent of this one, with a new id and the same ready state, `enabled` and
    /// `muted`: the standard's `clone()`.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let flags = *self.shared.state.lock();
        let live = (flags.ready == ReadyState::Live)
            .then(|| Self::attach_as(&self.shared.source, flags.enabled, flags.muted, self.constraints()))
            .flatten();
        live.unwrap_or_else(|| {
            Self::create(&self.shared.source, Flags { ready: ReadyState::Ended, ..flags }, self.constraints())
        })
    }

    pub(crate) fn key(&self) -> TrackKey {
        self.shared.key
    }

    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.shared.source
    }

    /// Always [`TrackKind::Audio`].
    #[must_use]
    pub fn kind(&self) -> TrackKind {
        TrackKind::Audio
    }

    /// Unique among all tracks.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// The name of the device.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.shared.source.device().label
    }

    /// The caller's switch.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.shared.state.lock().enabled
    }

    /// Passes sound or not: a disabled track is recorded as silence of full length, from this very frame on.
    pub fn set_enabled(&self, enabled: bool) {
        let mut flags = self.shared.state.lock();
        if flags.enabled == enabled {
            return;
        }
        flags.enabled = enabled;
        // Posted under the lock, so that two callers cannot leave the pump with the older value.
        if flags.ready == ReadyState::Live {
            self.shared.source.post(Action::EnableTrack(self.key(), enabled));
        }
    }

    /// Whether the source delivers silence for a reason of its own.
    #[must_use]
    pub fn muted(&self) -> bool {
        self.shared.state.lock().muted
    }

    /// Live or ended.
    #[must_use]
    pub fn ready_state(&self) -> ReadyState {
        self.shared.state.lock().ready
    }

    /// Ends the track: no `Ended` event, since the caller ended it. A second call does nothing. With the last live
    /// track of its source the device is closed, and another program can open it when this returns (or two seconds
    /// later, if the sound system does not release it).
    pub fn stop(&self) {
        self.shared.stop();
    }

    /// The values in use.
    #[must_use]
    pub fn settings(&self) -> TrackSettings {
        let source = &self.shared.source;
        let live = self.ready_state() == ReadyState::Live;
        let format = live.then(|| source.format());
        TrackSettings {
            device_id: source.device().id.clone(),
            sample_rate: format.map(|format| format.sample_rate),
            channel_count: format.map(|format| format.channels),
            sample_size: format.map(|format| format.sample_format.bits()),
            latency: source.latency().filter(|_| live).map(|latency| latency.as_secs_f64()),
        }
    }

    /// What can be requested of the device.
    #[must_use]
    pub fn capabilities(&self) -> TrackCapabilities {
        let device = self.shared.source.device();
        let rates = device.sample_rates.iter().copied().chain([device.format.sample_rate]);
        let sizes = sample_sizes(device);
        TrackCapabilities {
            device_id: device.id.clone(),
            sample_rate: (rates.clone().min().unwrap_or(0), rates.max().unwrap_or(0)),
            channel_count: device.channels,
            sample_size: (sizes.iter().copied().min().unwrap_or(0), sizes.iter().copied().max().unwrap_or(0)),
            latency: LATENCIES,
        }
    }

    /// What the track was made with.
    #[must_use]
    pub fn constraints(&self) -> Constraints {
        self.shared.constraints.clone()
    }

    /// The speakers that the channels of the source are meant for; `None` for separate inputs. Not part of the standard.
    #[must_use]
    pub fn speakers(&self) -> Option<Speakers> {
        self.shared.source.speakers().cloned()
    }

    /// The sound that passes from now on, for a meter or a picture; at most `capacity` blocks wait to be read. Each
    /// call makes a tap of its own. It keeps neither the track nor the device alive. A generator or a file begins to
    /// run with its first tap; one that runs as fast as it is read passes nothing while nothing is recorded. Not part
    /// of the standard.
    #[must_use]
    pub fn tap(&self, capacity: usize) -> Tap {
        let (inlet, tap) = tap::tap(self.shared.source.format(), capacity);
        // An ended track passes nothing, and a source that has just closed refuses it.
        if self.ready_state() == ReadyState::Live {
            self.shared.source.post(Action::AddTap(self.key(), inlet));
        }
        tap
    }

    /// Keeps the last `length` of what the source delivers in memory from now on, for recordings that begin with it
    /// ([`RecorderOptions::pre_roll`](crate::media::RecorderOptions::pre_roll)); for all tracks of the source, until it
    /// is closed or another length is set, zero for none. Muted sound is kept as silence. A generator or a file begins
    /// to run. Not part of the standard.
    pub fn keep(&self, length: Duration) {
        let source = &self.shared.source;
        if self.ready_state() == ReadyState::Live {
            source.post(Action::Keep(frames_in(length, source.format().sample_rate)));
        }
    }

    /// The events of the track from now on. Each call makes a subscriber of its own.
    #[must_use]
    pub fn events(&self) -> Receiver<TrackEvent> {
        self.shared.state.events()
    }
}

impl PartialEq for MediaStreamTrack {
    /// Handles are equal if they refer to the same track.
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for MediaStreamTrack {}

impl fmt::Debug for MediaStreamTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = *self.shared.state.lock();
        f.debug_struct("MediaStreamTrack")
            .field("id", &self.id())
            .field("label", &self.label())
            .field("flags", &flags)
            .finish()
    }
}
