//! What happens in a session, as one type of event for all listeners: the live line, the JSON lines, the screen. A
//! listener is called on the thread that drives the session and must not block.

use std::{
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    time::Duration,
};

use dictaphone::{
    Error,
    audio::{AudioFormat, Level, Marker, time::seconds},
    capture::Warning,
    media::Progress,
};

use crate::{
    message::Failure,
    report::{outcome::Outcome, status::ShownState},
};

/// Something that happened, and where in the recording; at frame 0 while nothing is recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionEvent<'a> {
    /// Frames recorded before it, in the recording's sample rate.
    pub(crate) frame: u64,
    /// Hertz, of the recording.
    pub(crate) sample_rate: u32,
    /// What it is.
    pub(crate) what: What<'a>,
}

impl SessionEvent<'_> {
    /// The place in seconds of recorded time.
    pub(crate) fn at_s(&self) -> f64 {
        // Before anything is open there is no rate.
        seconds(self.frame, self.sample_rate.max(1))
    }
}

/// What happened.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What<'a> {
    /// A device delivers from now on.
    Opened {
        /// Its name, as it is.
        device: &'a str,
        /// What a recording of it will be like.
        format: AudioFormat,
        /// What is unexpected about it.
        note: Option<&'a str>,
    },
    /// There is no device yet, and why; it is waited for.
    Waiting(&'a str),
    /// There is no device, or it cannot be opened.
    NotOpened(&'a Failure),
    /// The device went away, or a file that is played in came to its end, and why.
    Closed(&'a str),
    /// The first frames have arrived: now something is recorded.
    Started {
        /// The device's name, as it is.
        device: &'a str,
        /// The file it will become; `None` for standard output.
        path: Option<&'a Path>,
        /// Format of the recording.
        format: AudioFormat,
    },
    /// Ten times a second, for listeners that request it.
    Level {
        /// The sound since the last one, after the gain.
        level: &'a Level,
        /// The numbers of the recording.
        progress: &'a Progress,
        /// What the recorder is doing.
        state: ShownState,
        /// The device's name, as it is.
        device: &'a str,
    },
    /// Nothing is kept from here on.
    Paused,
    /// Frames are kept again.
    Resumed,
    /// A marker was set.
    Marked(&'a Marker),
    /// The voice gate lets sound through from here on, or does so no longer.
    Gate {
        /// It lets sound through.
        open: bool,
        /// What was cut out here; nothing when it closes.
        cut: Duration,
    },
    /// Nobody has spoken for long: it ends after this time, or not after all.
    Countdown(Option<Duration>),
    /// A file of the recording is safe while it goes on in the next one.
    FileSaved(&'a Outcome),
    /// Files that were deleted to make room.
    Deleted(&'a [PathBuf]),
    /// Something that a person should know; everything goes on.
    Warning(&'a Warning),
    /// A command cannot be carried out; everything goes on as it was.
    Refused(&'a Error),
    /// Something failed.
    Failed {
        /// The standard's name for it.
        name: &'static str,
        /// The sentence for people.
        message: &'a str,
    },
    /// The recording is over and is being saved as a file.
    Ended,
    /// It is safe, as far as the outcome says; no more events about this recording follow.
    Finished(&'a Outcome),
}

/// Receives the events of a session.
pub(crate) trait Listener {
    /// Called for every event. Must not block.
    fn on_event(&mut self, event: &SessionEvent<'_>);

    /// Whether it needs [`What::Level`], for which the session wakes up ten times a second.
    fn wants_levels(&self) -> bool {
        false
    }
}

/// All listeners of a session.
#[derive(Default)]
pub(super) struct Listeners {
    all: Vec<Box<dyn Listener>>,
    has_lost: bool,
}

impl Listeners {
    pub(super) fn add(&mut self, listener: Box<dyn Listener>) {
        self.all.push(listener);
    }

    pub(super) fn want_levels(&self) -> bool {
        self.all.iter().any(|listener| listener.wants_levels())
    }

    /// Whether one was removed because of a bug.
    pub(super) fn has_lost(&self) -> bool {
        self.has_lost
    }

    /// Reports it to all. A listener that panics, which the panic hook has reported, is removed from then on, without
    /// any effect on the recording.
    pub(super) fn emit(&mut self, frame: u64, sample_rate: u32, what: What<'_>) {
        let event = SessionEvent { frame, sample_rate, what };
        let before = self.all.len();
        self.all.retain_mut(|listener| panic::catch_unwind(AssertUnwindSafe(|| listener.on_event(&event))).is_ok());
        self.has_lost |= self.all.len() < before;
    }
}
