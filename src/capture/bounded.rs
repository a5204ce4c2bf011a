//! Calls into sound systems that may never return, because a dead server can hold its callers for ever.

use std::{sync::mpsc::sync_channel, thread, time::Duration};

/// Does `work` on a thread of its own and waits for its result at most so long. Work that takes longer goes on, and its
/// result is dropped over there. `None` as well if the work panicked or no thread could be had.
pub(super) fn bounded<T: Send + 'static>(
    name: &str,
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    // Without room: what nobody waits for any more is dropped over there, never on the way.
    let (done, wait) = sync_channel(0);
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _ = done.send(work());
    });
    spawned.ok()?;
    wait.recv_timeout(limit).ok()
}
