//! The outcome of a second copy, shared by the spool that has it, the thread that writes it, and callers that wait for
//! it.

use std::{
    fmt, io,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What happened to one of two copies.
#[derive(Debug, Clone, Copy)]
pub enum TwinFailure<'a> {
    /// The second is not whole, and the first continues.
    Second(&'a io::Error),
    /// The first is not whole, and the second continues in its place.
    First(&'a io::Error),
}

/// Called once, on any thread, when a copy has failed.
pub(crate) type OnTwinFailure = Box<dyn Fn(TwinFailure<'_>) + Send + Sync>;

/// The outcome of the second copy.
#[derive(Debug)]
pub(super) enum TwinOutcome {
    Growing,
    Saved(PathBuf),
    Failed(io::ErrorKind, String),
    Discarded,
    /// It is the only one now.
    TookOver,
}

/// The state shared by all users of the second copy.
pub(super) struct TwinState {
    outcome: Mutex<TwinOutcome>,
    ended: Condvar,
    pub(super) on_failure: OnTwinFailure,
}

impl TwinState {
    /// The state of a copy that grows.
    pub(super) fn new(on_failure: OnTwinFailure) -> Self {
        Self { outcome: Mutex::new(TwinOutcome::Growing), ended: Condvar::new(), on_failure }
    }

    fn lock(&self) -> MutexGuard<'_, TwinOutcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn end(&self, outcome: TwinOutcome) {
        *self.lock() = outcome;
        self.ended.notify_all();
    }

    pub(super) fn fail(&self, error: &io::Error) {
        let mut outcome = self.lock();
        if !matches!(*outcome, TwinOutcome::Growing) {
            return;
        }
        *outcome = TwinOutcome::Failed(error.kind(), error.to_string());
        // Called before any thread that waits for the outcome continues.
        (self.on_failure)(TwinFailure::Second(error));
        drop(outcome);
        self.ended.notify_all();
    }
}

/// A handle to the outcome of a second copy.
pub struct Twin(pub(super) Arc<TwinState>);

impl fmt::Debug for Twin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Twin").field(&*self.0.lock()).finish()
    }
}

impl Twin {
    /// Waits until the second copy is saved, `limit` at most, and returns where it is; `None` if it was deleted, or has
    /// replaced the first.
    ///
    /// # Errors
    /// The reason of its failure; [`io::ErrorKind::TimedOut`] if it is not saved by then, which it may still be later.
    pub fn wait(&self, limit: Duration) -> io::Result<Option<PathBuf>> {
        let outcome = self.0.lock();
        let waited = self.0.ended.wait_timeout_while(outcome, limit, |outcome| matches!(outcome, TwinOutcome::Growing));
        match &*waited.unwrap_or_else(PoisonError::into_inner).0 {
            TwinOutcome::Growing => Err(io::Error::new(io::ErrorKind::TimedOut, "its disk does not answer")),
            TwinOutcome::Saved(path) => Ok(Some(path.clone())),
            TwinOutcome::Discarded | TwinOutcome::TookOver => Ok(None),
            TwinOutcome::Failed(kind, text) => Err(io::Error::new(*kind, text.clone())),
        }
    }
}
