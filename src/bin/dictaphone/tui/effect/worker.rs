//! Threads for what may take long; each answers into the one channel that the main thread reads.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{Happening, World};
use crate::{
    tui::{app::Weight, update::Msg},
    work::{self, Post},
};

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
    /// Where answers go.
    fn post(&self) -> Post<Happening> {
        let happenings = self.happenings.clone();
        Arc::new(move |happening| {
            let _ = happenings.send(happening);
        })
    }

    /// A thread whose answer comes through the channel; if there can be none, the answer is an error.
    pub(super) fn spawn(&self, name: &str, work: impl FnOnce() -> Option<Happening> + Send + 'static) {
        if let Err(reason) = work::start(name, self.post(), work) {
            let text = format!("cannot start a thread: {reason}");
            let _ = self.happenings.send(Happening::Msg(Msg::Say(Weight::Error, text)));
        }
    }

    /// The same for what must be done and is waited for.
    pub(super) fn spawn_surely(
        &self,
        name: &str,
        work: impl FnOnce() -> Happening + Send + 'static,
        failed: impl FnOnce() -> Happening + Send + 'static,
    ) {
        work::start_surely(name, self.post(), work, failed);
    }
}
