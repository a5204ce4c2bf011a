//! The status of the recorder of this process, for the threads that answer clients. Written by the thread that runs the
//! session, which only takes a lock that is never held for long.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::protocol::{Saved, Status};

/// What is known.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) status: Status,
    /// Counts the changes that are sent to clients at once: another state, another file, a marker.
    pub(crate) changes: u64,
    /// Counts the times that level and duration were written.
    pub(crate) levels: u64,
    /// Counts files that are finished.
    pub(crate) saved: u64,
    /// The latest of them.
    pub(crate) latest: Option<Saved>,
    /// Counts recordings that are over and safe.
    pub(crate) finished: u64,
    /// Frames of the recording, and those of it in files that are finished.
    pub(crate) frames: u64,
    pub(crate) saved_frames: u64,
    /// Counts commands that were carried out without a change of state: markers.
    pub(crate) markers: u64,
    /// Counts what failed.
    pub(crate) failures: u64,
    /// Counts commands that were refused or could not be carried out; they have no other effect.
    pub(crate) refused: u64,
    /// The standard's name and the sentence of the latest failure or refusal.
    pub(crate) failure: Option<(String, String)>,
    /// The socket, as long as it can be found.
    pub(crate) socket: Option<PathBuf>,
    /// The only recording of this process is being made safe.
    pub(crate) is_ending: bool,
    /// Nothing changes any more.
    pub(crate) is_over: bool,
}

/// The shared status of a recorder.
#[derive(Debug, Default)]
pub(crate) struct Board {
    known: Mutex<Known>,
    changed: Condvar,
    /// How many clients need level and time.
    watchers: AtomicUsize,
}

/// Level and time are needed as long as it lives.
pub(super) struct Watcher<'a>(&'a Board);

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        self.0.watchers.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Board {
    /// Of a recorder of that id.
    pub(crate) fn new(id: &str) -> Self {
        let status = Status { id: id.to_owned(), pid: std::process::id(), ..Status::default() };
        Self { known: Mutex::new(Known { status, ..Known::default() }), ..Self::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a change and wakes the threads that wait for it.
    pub(crate) fn write(&self, what: impl FnOnce(&mut Known)) {
        what(&mut self.lock());
        self.changed.notify_all();
    }

    /// Makes this recorder impossible to find; clients that are connected already still get their answers.
    pub(crate) fn hide(&self) {
        let socket = self.lock().socket.take();
        socket.map(fs::remove_file).transpose().unwrap_or_default();
    }

    /// What `read` returns for what is known.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Known) -> T) -> T {
        read(&self.lock())
    }

    /// Whether any client needs level and time.
    pub(crate) fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::SeqCst) > 0
    }

    pub(super) fn watch(&self) -> Watcher<'_> {
        self.watchers.fetch_add(1, Ordering::SeqCst);
        Watcher(self)
    }

    /// Waits until `ready` returns something for what is known, at most for `limit`.
    pub(super) fn wait<T>(&self, limit: Duration, mut ready: impl FnMut(&Known) -> Option<T>) -> Option<T> {
        let until = Instant::now() + limit;
        let mut known = self.lock();
        loop {
            if let Some(found) = ready(&known) {
                return Some(found);
            }
            let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            known = self.changed.wait_timeout(known, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
