//! Calls into sound systems that may never return, because a dead server can block its callers for ever.

use std::{sync::mpsc::sync_channel, thread, time::Duration};

/// Runs `work` on a thread of its own and waits for its result at most `limit`. Work that takes longer goes on, and its
/// result is dropped on that thread. `None` as well if the work panicked or no thread could be started.
pub(super) fn bounded<T: Send + 'static>(
    name: &str,
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    // Without capacity: a result that is no longer waited for is dropped on that thread, never inside the channel.
    let (done, wait) = sync_channel(0);
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _ = done.send(work());
    });
    spawned.ok()?;
    wait.recv_timeout(limit).ok()
}
