//! An open device that any number of tracks share. It is closed exactly when its last live track has ended.

use std::{
    sync::{Arc, Weak, mpsc::sync_channel},
    thread,
    time::Duration,
};

use crate::{
    audio::{AudioFormat, Speakers},
    capture::{Backend, DeviceInfo, OpenRequest},
    error::{Error, ErrorKind, Result},
    media::{
        command::TrackKey,
        pump::Pump,
        queue::{Action, CommandQueue, RELEASE_TIMEOUT},
        take::Take,
        track_state::TrackState,
    },
};

/// How long the pump may take to answer before `open` fails for a device that does not start.
const START_LIMIT: Duration = Duration::from_secs(15);

/// An open device and the queue of its pump.
pub(crate) struct Source {
    device: DeviceInfo,
    format: AudioFormat,
    speakers: Option<Speakers>,
    latency: Option<Duration>,
    queue: Arc<CommandQueue>,
}

impl Source {
    /// Opens a device and starts its pump.
    ///
    /// # Errors
    /// Those of [`Backend::open`] and of starting the stream.
    pub(crate) fn open(backend: &dyn Backend, device: DeviceInfo, request: OpenRequest) -> Result<Arc<Self>> {
        let stream = backend.open(&device.id, &request)?;
        let queue = Arc::new(CommandQueue::new(stream.clock(), stream.muted()));
        let source =
            Self { format: stream.format(), speakers: stream.speakers(), latency: stream.latency(), queue, device };
        let pump = Pump::new(stream, Arc::clone(&source.queue));
        let (started, answer) = sync_channel(1);
        thread::Builder::new()
            .name("pump".to_owned())
            .spawn(move || pump.run(&started))
            .map_err(|error| Error::new(ErrorKind::Abort, "cannot start the pump thread").with_source(error))?;
        answer.recv_timeout(START_LIMIT).map_err(|_| {
            source.queue.close();
            Error::new(ErrorKind::NotReadable, format!("'{}' does not start", source.device.label))
        })??;
        Ok(Arc::new(source))
    }

    pub(crate) fn device(&self) -> &DeviceInfo {
        &self.device
    }

    pub(crate) fn format(&self) -> AudioFormat {
        self.format
    }

    /// The speakers that its channels are meant for, where that is known.
    pub(crate) fn speakers(&self) -> Option<&Speakers> {
        self.speakers.as_ref()
    }

    pub(crate) fn latency(&self) -> Option<Duration> {
        self.latency
    }

    /// Closes a device that never got a track, and waits for that for a limited time.
    pub(crate) fn close(&self) {
        self.queue.close();
        self.queue.wake();
        self.queue.wait_released(RELEASE_TIMEOUT);
    }

    /// Whether the source itself is muted.
    pub(crate) fn is_muted(&self) -> bool {
        self.queue.is_muted()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// Posts a command to the pump; false if the source is closed.
    pub(crate) fn post(&self, action: Action) -> bool {
        self.queue.post(action)
    }

    /// Begins a recording. Returns false if the source is closed; then the recording leaves nothing behind.
    pub(crate) fn begin(&self, take: Take) -> bool {
        self.queue.begin(take)
    }

    pub(crate) fn add_track(&self, key: TrackKey, enabled: bool, track: Weak<TrackState>) -> bool {
        self.queue.add_track(key, enabled, track)
    }

    /// Ends a track; with the last one, waits until the device is closed, for a limited time.
    pub(crate) fn end_track(&self, key: TrackKey) {
        if self.queue.end_track(key) {
            self.queue.wait_released(RELEASE_TIMEOUT);
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // Reached only when no track holds the source. A pump that never got a track ends here.
        self.queue.close();
        self.queue.wake();
    }
}
