//! Threads for what may take long; each answers into the one channel that the main thread reads.

use std::{
    sync::{Arc, Mutex, mpsc::Receiver},
    thread,
};

use super::{Happening, World};
use crate::tui::{app::Weight, update::Msg};

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
pub(super) fn spawn_or_return<F: FnOnce() + Send + 'static>(name: &str, work: F) -> Result<(), F> {
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
