//! What the handles of one track share with the pump: whether it is live, and the subscribers to its events.

use std::sync::{Mutex, MutexGuard, PoisonError, mpsc::Receiver};

use crate::{
    capture::{EndReason, Warning},
    media::event::{Receivers, TrackEvent},
};

/// Live, then ended, never back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReadyState {
    /// The source delivers, or could.
    Live,
    /// Over.
    Ended,
}

named! { ReadyState: Live "live", Ended "ended" }

#[derive(Debug, Clone, Copy)]
pub(super) struct Flags {
    pub(super) ready: ReadyState,
    pub(super) enabled: bool,
    pub(super) muted: bool,
}

/// The state of a track.
pub(crate) struct TrackState {
    /// The name of the device.
    label: String,
    flags: Mutex<Flags>,
    listeners: Receivers<TrackEvent>,
}

impl TrackState {
    pub(super) fn new(label: String, flags: Flags) -> Self {
        Self { label, flags: Mutex::new(flags), listeners: Receivers::default() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Flags> {
        self.flags.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn events(&self) -> Receiver<TrackEvent> {
        self.listeners.subscribe()
    }

    /// Called when the source muted or unmuted itself.
    pub(crate) fn mute(&self, muted: bool) {
        let mut flags = self.lock();
        if flags.ready == ReadyState::Ended || flags.muted == muted {
            return;
        }
        flags.muted = muted;
        drop(flags);
        self.listeners.fire(&if muted { TrackEvent::Mute } else { TrackEvent::Unmute });
    }

    pub(crate) fn notice(&self, notice: &Warning) {
        self.listeners.fire(&TrackEvent::Notice(notice.clone()));
    }

    /// Called when the source ended by itself. A stop that came first suppresses the event.
    pub(crate) fn end(&self, reason: &EndReason) {
        if self.stop() {
            self.listeners.fire(&TrackEvent::Ended(reason.clone()));
            self.close();
        }
    }

    /// Ends it. Returns false if it was ended before.
    pub(super) fn stop(&self) -> bool {
        let mut flags = self.lock();
        std::mem::replace(&mut flags.ready, ReadyState::Ended) == ReadyState::Live
    }

    /// No more events are sent.
    pub(super) fn close(&self) {
        self.listeners.close();
    }
}
