//! What recorders and tracks report to their owners, and the lists of subscribers.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    time::Duration,
};

use crate::{
    audio::Marker,
    capture::{EndReason, Warning},
    error::Error,
    media::Blob,
};

/// What a recorder fires (W3C MediaStream Recording, § 2.7 "Event summary").
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RecorderEvent {
    /// The recording began; `mime_type` is filled in.
    Start,
    /// Sound from the source is dropped from here on.
    Pause {
        /// The place of the cut: frames recorded before it, in the recording's sample rate.
        frame: u64,
    },
    /// Gathering goes on.
    Resume {
        /// The same place: no frame is recorded while paused.
        frame: u64,
    },
    /// A part of the recording, or one of its files if it is [split](crate::media::RecorderOptions::split).
    DataAvailable {
        /// The bytes gathered since the last one; may be empty. A file is whole by itself.
        data: Blob,
        /// Recorded time from the start of the recording to the start of `data`.
        timecode: Duration,
    },
    /// A marker was set; not part of the standard.
    Mark(Marker),
    /// The [gate](crate::media::RecorderOptions::gate) opened or closed; not part of the standard.
    Gate {
        /// Sound from the source is recorded from here on.
        open: bool,
        /// Frames recorded before this point.
        frame: u64,
        /// What was cut out here; nothing when it closes.
        cut: Duration,
    },
    /// Nobody has spoken for so long that the recording will stop soon; not part of the standard.
    Countdown {
        /// It ends after this time unless somebody speaks; `None` when somebody spoke, or the recording was kept going.
        left: Option<Duration>,
    },
    /// The disk will be full before long; not part of the standard. Fired once, below five minutes.
    LowSpace {
        /// How long it will take at the rate of this recording.
        left: Duration,
    },
    /// Something about the sound or the device that a person should know; not part of the standard. The recording goes
    /// on.
    Warning {
        /// What it is about.
        warning: Warning,
        /// The point at which it was certain, in frames of the recording.
        frame: u64,
    },
    /// Something ended the recording. What was gathered follows.
    Error(Error),
    /// The recording is over; the state is inactive.
    Stop,
}

named! { RecorderEvent: Start "start", Pause "pause", Resume "resume", DataAvailable "dataavailable", Mark "mark", Gate "gate", Countdown "countdown", LowSpace "lowspace", Warning "warning", Error "error", Stop "stop" }

/// What a track fires (Media Capture and Streams, § 4.3).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TrackEvent {
    /// The source muted itself.
    Mute,
    /// The source delivers sound again.
    Unmute,
    /// The track ended by itself; not fired for a track that was stopped.
    Ended(EndReason),
    /// Something about the device that a person should know; the track goes on.
    Notice(Warning),
}

named! { TrackEvent: Mute "mute", Unmute "unmute", Ended "ended", Notice "notice" }

#[derive(Debug)]
enum Outlet<E> {
    Free(Sender<E>),
    Bounded(SyncSender<E>),
}

/// The subscribers of one object.
#[derive(Debug)]
pub(crate) struct Receivers<E> {
    outlets: Mutex<Vec<Outlet<E>>>,
    /// Held while an event is sent, so that two events cannot overtake each other.
    firing: Mutex<()>,
    closed: AtomicBool,
}

impl<E> Default for Receivers<E> {
    fn default() -> Self {
        Self { outlets: Mutex::default(), firing: Mutex::default(), closed: AtomicBool::new(false) }
    }
}

impl<E: Clone> Receivers<E> {
    /// A new subscriber, who receives what is fired from now on.
    pub(crate) fn subscribe(&self) -> Receiver<E> {
        let (sender, receiver) = channel();
        self.add(Outlet::Free(sender));
        receiver
    }

    /// A new subscriber, for which the firing thread waits when `bound` events are unread.
    pub(crate) fn subscribe_bounded(&self, bound: usize) -> Receiver<E> {
        let (sender, receiver) = sync_channel(bound);
        self.add(Outlet::Bounded(sender));
        receiver
    }

    fn add(&self, outlet: Outlet<E>) {
        let mut outlets = self.outlets.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.closed.load(Ordering::Acquire) {
            outlets.push(outlet);
        }
    }

    /// Nothing can come any more: every receiver ends after the events that it has, and new ones at once.
    pub(crate) fn close(&self) {
        // After an event that is being sent.
        let _firing = self.firing.lock().unwrap_or_else(PoisonError::into_inner);
        self.closed.store(true, Ordering::Release);
        self.outlets.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Sends an event to all remaining subscribers.
    pub(crate) fn fire(&self, event: &E) {
        let _firing = self.firing.lock().unwrap_or_else(PoisonError::into_inner);
        // The list is taken out while sending, so that a bounded subscriber for which this waits cannot block a new
        // one.
        let mut outlets = std::mem::take(&mut *self.outlets.lock().unwrap_or_else(PoisonError::into_inner));
        outlets.retain(|outlet| match outlet {
            Outlet::Free(sender) => sender.send(event.clone()).is_ok(),
            Outlet::Bounded(sender) => sender.send(event.clone()).is_ok(),
        });
        self.outlets.lock().unwrap_or_else(PoisonError::into_inner).append(&mut outlets);
    }
}
