//! A set of tracks (Media Capture and Streams, § 4.2 "MediaStream").

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use crate::media::{MediaStreamTrack, ReadyState, identity};

/// Notified when a stream's set of tracks changes.
pub(crate) trait StreamObserver: Send + Sync {
    fn tracks_changed(&self);
}

struct StreamState {
    id: String,
    tracks: Mutex<Vec<MediaStreamTrack>>,
    observers: Mutex<Vec<Weak<dyn StreamObserver>>>,
}

/// A handle to a set of tracks without duplicates.
///
/// A [`Clone`] is another handle to the same stream; [`duplicate`](Self::duplicate) is the standard's `clone()`.
///
/// ```
/// # use std::sync::Arc;
/// # use dictaphone::{AudioFormat, SampleFormat, capture::PushSource, media::{Constraints, MediaDevices}};
/// # let microphone = PushSource::new("test", AudioFormat::new(48_000, 1, SampleFormat::F32));
/// # let devices = MediaDevices::with_backends(vec![Arc::new(microphone.clone())]);
/// # let stream = devices.get_user_media(&Constraints::default())?;
/// let handle = stream.clone();
/// assert_eq!(handle.id(), stream.id());
/// let other = stream.duplicate();
/// assert_ne!(other.id(), stream.id());
/// stream.tracks()[0].stop();
/// assert!(!handle.active() && other.active());
/// # Ok::<(), dictaphone::Error>(())
/// ```
#[derive(Clone)]
pub struct MediaStream {
    shared: Arc<StreamState>,
}

impl MediaStream {
    /// A stream of these tracks; a track that is there twice counts once.
    #[must_use]
    pub fn new(tracks: impl IntoIterator<Item = MediaStreamTrack>) -> Self {
        let mut list: Vec<MediaStreamTrack> = Vec::new();
        for track in tracks {
            if !list.contains(&track) {
                list.push(track);
            }
        }
        let shared = StreamState { id: identity::new_id(), tracks: Mutex::new(list), observers: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// A new stream with a new id and duplicates of all tracks: the standard's `clone()`.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::new(self.tracks().iter().map(MediaStreamTrack::duplicate))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<MediaStreamTrack>> {
        self.shared.tracks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unique among all streams.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// Whether at least one track is live.
    #[must_use]
    pub fn active(&self) -> bool {
        self.lock().iter().any(|track| track.ready_state() == ReadyState::Live)
    }

    /// The tracks as they are now. The handles keep their tracks alive.
    #[must_use]
    pub fn tracks(&self) -> Vec<MediaStreamTrack> {
        self.lock().clone()
    }

    /// The tracks of sound: all of them.
    #[must_use]
    pub fn audio_tracks(&self) -> Vec<MediaStreamTrack> {
        self.tracks()
    }

    /// The track of that id.
    #[must_use]
    pub fn track_by_id(&self, id: &str) -> Option<MediaStreamTrack> {
        self.lock().iter().find(|track| track.id() == id).cloned()
    }

    /// Adds a track; one that is already there changes nothing. A recorder that is recording the stream ends with
    /// `InvalidModificationError`.
    pub fn add_track(&self, track: &MediaStreamTrack) {
        let mut tracks = self.lock();
        if tracks.contains(track) {
            return;
        }
        tracks.push(track.clone());
        drop(tracks);
        self.notify_observers();
    }

    /// Removes a track; one that is not there changes nothing. A recorder that is recording the stream ends with
    /// `InvalidModificationError`.
    pub fn remove_track(&self, track: &MediaStreamTrack) {
        let mut tracks = self.lock();
        let Some(index) = tracks.iter().position(|present| present == track) else { return };
        // Dropped after the lock is released: it may be the last handle, and ending a track takes time.
        let _removed = tracks.remove(index);
        drop(tracks);
        self.notify_observers();
    }

    pub(crate) fn observe(&self, observer: Weak<dyn StreamObserver>) {
        let mut observers = self.shared.observers.lock().unwrap_or_else(PoisonError::into_inner);
        observers.retain(|known| known.strong_count() > 0);
        observers.push(observer);
    }

    fn notify_observers(&self) {
        let observers = self.shared.observers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        observers.iter().filter_map(Weak::upgrade).for_each(|observer| observer.tracks_changed());
    }
}

impl fmt::Debug for MediaStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaStream").field("id", &self.id()).field("tracks", &*self.lock()).finish()
    }
}
