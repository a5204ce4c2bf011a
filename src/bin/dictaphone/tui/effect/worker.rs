//! Threads for what may take long; each answers into the one channel that the main thread reads.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::Receiver,
    },
    thread,
};

use super::{Happening, World};
use crate::tui::{app::Weight, update::Msg};

/// Numbers attempts of which only the latest counts; what earlier ones bring is not wanted any more.
#[derive(Debug, Clone, Default)]
pub(super) struct Turn(Arc<AtomicU64>);

impl Turn {
    /// Another attempt, and its number.
    pub(super) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Whether the attempt of that number is the latest.
    pub(super) fn is(&self, number: u64) -> bool {
        self.0.load(Ordering::SeqCst) == number
    }
}

impl World {
    /// A thread whose answer comes through the channel; if there can be none, the answer is an error.
    pub(super) fn spawn(&self, name: &str, work: impl FnOnce() -> Option<Happening> + Send + 'static) {
        let answers = self.happenings.clone();
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
            if let Some(happening) = work() {
                let _ = answers.send(happening);
            }
        });
        if let Err(reason) = spawned {
            let text = format!("cannot start a thread: {reason}");
            let _ = self.happenings.send(Happening::Msg(Msg::Say(Weight::Error, text)));
        }
    }

    /// The same for what must be done and is waited for: without a thread it is done on this one, and the answer comes
    /// also after a panic.
    pub(super) fn spawn_surely(
        &self,
        name: &str,
        work: impl FnOnce() -> Happening + Send + 'static,
        failed: impl FnOnce() -> Happening + Send + 'static,
    ) {
        let answers = self.happenings.clone();
        let work = move || {
            // The hook has told about the panic.
            let answer = panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| failed());
            let _ = answers.send(answer);
        };
        if let Err(work) = spawn_or_return(name, work) {
            work();
        }
    }

    /// Brings what comes from one channel into the other until either closes.
    pub(super) fn forward<T: Send + 'static>(&self, from: Receiver<T>, wrap: impl Fn(T) -> Happening + Send + 'static) {
        let to = self.happenings.clone();
        self.spawn("events", move || {
            let _ = from.into_iter().try_for_each(|item| to.send(wrap(item)).map_err(drop));
            None
        });
    }
}

/// Runs it on a thread, or gives it back if there is none to be had.
fn spawn_or_return<F: FnOnce() + Send + 'static>(name: &str, work: F) -> Result<(), F> {
    let shared = Arc::new(Mutex::new(Some(work)));
    let taken = Arc::clone(&shared);
    let take = |slot: &Mutex<Option<F>>| slot.lock().ok().and_then(|mut slot| slot.take());
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
        if let Some(work) = take(&taken) {
            work();
        }
    });
    match spawned {
        Ok(_) => Ok(()),
        Err(_) => take(&shared).map_or(Ok(()), Err),
    }
}
