//! Threads for what may take long; each sends its answer into the one channel that the main thread reads.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
    mpsc::Sender,
};

use super::WorldEvent;
use crate::{
    tui::{app::Weight, update::Msg},
    work::{self, Post},
};

/// Numbers attempts of which only the latest counts; the results of earlier ones are no longer needed.
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

/// Where answers go.
#[derive(Clone)]
pub(super) struct Answers(Sender<WorldEvent>);

impl Answers {
    pub(super) const fn new(events: Sender<WorldEvent>) -> Self {
        Self(events)
    }

    /// Sends it, and returns whether there is still a receiver.
    pub(super) fn send(&self, event: WorldEvent) -> bool {
        self.0.send(event).is_ok()
    }

    /// The same for a message that goes to the screen as it is.
    pub(super) fn say(&self, msg: Msg) -> bool {
        self.send(WorldEvent::Msg(msg))
    }

    fn post(&self) -> Post<WorldEvent> {
        let answers = self.clone();
        Arc::new(move |event| {
            answers.send(event);
        })
    }

    /// Starts a thread whose answer comes through the channel; if no thread can be started, the answer is an error.
    pub(super) fn spawn(&self, name: &str, work: impl FnOnce() -> Option<WorldEvent> + Send + 'static) {
        if let Err(reason) = work::start(name, self.post(), work) {
            self.say(Msg::Say(Weight::Error, format!("cannot start a thread: {reason}")));
        }
    }

    /// The same for what must be done and is waited for.
    pub(super) fn spawn_surely(
        &self,
        name: &str,
        work: impl FnOnce() -> WorldEvent + Send + 'static,
        failed: impl FnOnce() -> WorldEvent + Send + 'static,
    ) {
        work::start_surely(name, self.post(), work, failed);
    }
}
