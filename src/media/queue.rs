//! The way of control: commands that carry the frame position at which they were given, from any thread to the pump.
//!
//! The pump executes them exactly there, however late it runs. Positions in a queue never decrease, and commands of
//! one position keep their order.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::{Duration, Instant},
};

use crate::{
    capture::{CaptureClock, Waker},
    media::{
        command::{TakeCommand, TakeKey, TrackKey},
        take::Take,
        tap::TapInlet,
        track_state::TrackState,
    },
};

/// How long closing the device may take before callers that wait for it go on. A dead sound server may block it for
/// ever.
pub(super) const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

/// What the pump is to do.
pub(crate) enum Action {
    AddTrack {
        key: TrackKey,
        enabled: bool,
        track: Weak<TrackState>,
    },
    EnableTrack(TrackKey, bool),
    EndTrack(TrackKey),
    AddTap(TrackKey, TapInlet),
    /// Keep this many latest frames, for recordings that begin later.
    Keep(u64),
    Begin(Box<Take>),
    Take(TakeKey, TakeCommand),
}

/// An action and where it takes effect.
pub(crate) struct RecorderCommand {
    /// Frames of the source that come before it.
    pub(crate) at: u64,
    /// When it was given, for the limit of waiting for frames that do not come.
    pub(crate) posted: Instant,
    pub(crate) action: Action,
}

#[derive(Default)]
struct QueueState {
    commands: VecDeque<RecorderCommand>,
    live_tracks: usize,
    /// The source is muted, as far as the pump has read.
    muted: bool,
    /// No track can be added any more: the last one ended, or the stream did.
    closed: bool,
    /// The device is closed.
    released: bool,
}

/// The queue of one source.
pub(crate) struct CommandQueue {
    clock: Arc<dyn CaptureClock>,
    waker: OnceLock<Waker>,
    state: Mutex<QueueState>,
    release: Condvar,
}

impl CommandQueue {
    pub(crate) fn new(clock: Arc<dyn CaptureClock>, muted: bool) -> Self {
        let state = Mutex::new(QueueState { muted, ..QueueState::default() });
        Self { clock, waker: OnceLock::new(), state, release: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how the pump thread is woken.
    pub(crate) fn set_waker(&self, waker: Waker) {
        let _ = self.waker.set(waker);
    }

    /// Wakes the pump to check the queue now.
    pub(crate) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake();
        }
    }

    fn push(&self, state: &mut QueueState, action: Action) {
        // The clock is read under the lock, so that positions never decrease along the queue.
        state.commands.push_back(RecorderCommand { at: self.clock.position(), posted: Instant::now(), action });
    }

    /// Posts a command; it is returned if the source is closed.
    fn offer(&self, action: Action) -> Result<(), Action> {
        let mut state = self.lock();
        if state.closed {
            return Err(action);
        }
        self.push(&mut state, action);
        drop(state);
        self.wake();
        Ok(())
    }

    /// Posts a command. Returns false, and drops it, if the source is closed.
    pub(crate) fn post(&self, action: Action) -> bool {
        self.offer(action).is_ok()
    }

    /// Begins a recording. Returns false if the source is closed; then the recording leaves nothing behind.
    pub(crate) fn begin(&self, take: Take) -> bool {
        match self.offer(Action::Begin(Box::new(take))) {
            Err(Action::Begin(take)) => take.discard(),
            Err(_) => {}
            Ok(()) => return true,
        }
        false
    }

    /// Adds a live track, unless the source is closed.
    pub(crate) fn add_track(&self, key: TrackKey, enabled: bool, track: Weak<TrackState>) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.live_tracks += 1;
        self.push(&mut state, Action::AddTrack { key, enabled, track });
        drop(state);
        // What the source has done since the track was made is reported to the track only from then on.
        self.wake();
        true
    }

    /// Ends a live track. Returns true if it was the last one: the source closes.
    pub(crate) fn end_track(&self, key: TrackKey) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        self.push(&mut state, Action::EndTrack(key));
        state.live_tracks = state.live_tracks.saturating_sub(1);
        state.closed = state.live_tracks == 0;
        let last = state.closed;
        drop(state);
        self.wake();
        last
    }

    /// The position of the next command and when it was given.
    pub(crate) fn next_cut(&self) -> Option<(u64, Instant)> {
        self.lock().commands.front().map(|command| (command.at, command.posted))
    }

    /// Whether the next command ends a track.
    pub(crate) fn next_is_end(&self) -> bool {
        self.lock().commands.front().is_some_and(|command| matches!(command.action, Action::EndTrack(_)))
    }

    pub(crate) fn pop(&self) -> Option<RecorderCommand> {
        self.lock().commands.pop_front()
    }

    /// Records that the source muted or unmuted itself.
    pub(crate) fn set_muted(&self, muted: bool) {
        self.lock().muted = muted;
    }

    pub(crate) fn is_muted(&self) -> bool {
        self.lock().muted
    }

    /// Records that the stream ended: from now on nothing is accepted.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Records that the device is closed.
    pub(crate) fn set_released(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.released = true;
        drop(state);
        self.release.notify_all();
    }

    /// Waits until the device is closed, `limit` at most. The pump itself, which may hold the last handle of a track
    /// for a moment, does not wait.
    pub(crate) fn wait_released(&self, limit: Duration) -> bool {
        if self.waker.get().is_some_and(Waker::is_current) {
            return false;
        }
        let state = self.lock();
        let waited = self.release.wait_timeout_while(state, limit, |state| !state.released);
        waited.unwrap_or_else(PoisonError::into_inner).0.released
    }
}
