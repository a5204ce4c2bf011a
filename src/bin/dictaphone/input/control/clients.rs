//! The connected clients. There are at most [`MAX_CLIENTS`]: a further one takes the place of the one that has asked
//! for the least, so that unused connections prevent no client from stopping a recording.

use std::{
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Threads and descriptors are limited.
const MAX_CLIENTS: usize = 32;
/// How long to wait for the place of a dismissed client.
const LEAVE_TIMEOUT: Duration = Duration::from_millis(100);

/// What a client is doing, the first to be dismissed in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// It has asked for nothing yet.
    Silent,
    /// It was answered.
    Idle,
    /// It is sent every change.
    Follower,
    /// It waits for its answer.
    Waiting,
    /// It was dismissed and has to disconnect.
    Dismissed,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Client {
    stream: UnixStream,
    standing: Mutex<(Standing, Instant)>,
}

impl Client {
    pub(super) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Sets what it is doing from now on.
    pub(super) fn stands(&self, standing: Standing) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = (standing, Instant::now());
    }

    pub(super) fn is_dismissed(&self) -> bool {
        self.standing().0 == Standing::Dismissed
    }

    fn standing(&self) -> (Standing, Instant) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All connected clients.
#[derive(Debug, Default)]
pub(super) struct Clients {
    all: Mutex<Vec<Arc<Client>>>,
    left: Condvar,
}

impl Clients {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Client>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits a client; `None` when there is no place and no other client can be dismissed. `wake` wakes the threads
    /// that wait for changes.
    pub(super) fn admit(&self, stream: UnixStream, wake: impl FnOnce()) -> Option<Arc<Client>> {
        let mut all = self.lock();
        if all.len() >= MAX_CLIENTS {
            let first = all.iter().min_by_key(|client| client.standing())?;
            if first.standing().0 >= Standing::Waiting {
                return None;
            }
            // This ends its thread, and then its place is free.
            first.stands(Standing::Dismissed);
            let _ = first.stream.shutdown(Shutdown::Both);
            wake();
            let is_full = |all: &mut Vec<_>| all.len() >= MAX_CLIENTS;
            all = self.left.wait_timeout_while(all, LEAVE_TIMEOUT, is_full).unwrap_or_else(PoisonError::into_inner).0;
            if all.len() >= MAX_CLIENTS {
                return None;
            }
        }
        let client = Arc::new(Client { stream, standing: Mutex::new((Standing::Silent, Instant::now())) });
        all.push(Arc::clone(&client));
        Some(client)
    }

    /// Removes a client that has disconnected.
    pub(super) fn remove(&self, client: &Arc<Client>) {
        self.lock().retain(|other| !Arc::ptr_eq(other, client));
        self.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (UnixStream, UnixStream) {
        UnixStream::pair().unwrap()
    }

    #[test]
    fn whoever_asks_for_the_least_makes_room_and_nobody_who_waits() {
        let clients = Arc::new(Clients::default());
        let mut others = Vec::new();
        let mut admit = || {
            let (ours, theirs) = pair();
            others.push(theirs);
            clients.admit(ours, || {})
        };
        let all: Vec<Arc<Client>> = (0..MAX_CLIENTS).map(|_| admit().unwrap()).collect();
        all.iter().for_each(|client| client.stands(Standing::Waiting));
        assert!(admit().is_none());
        all[3].stands(Standing::Follower);
        all[7].stands(Standing::Idle);
        // Its thread reads the end of the stream and ends.
        let (leaving, left) = (Arc::clone(&clients), Arc::clone(&all[7]));
        let leave = std::thread::spawn(move || {
            let mut byte = [0];
            assert_eq!(std::io::Read::read(&mut left.stream(), &mut byte).unwrap(), 0);
            leaving.remove(&left);
        });
        assert!(admit().is_some());
        leave.join().unwrap();
        // The new one has asked for nothing yet and is dismissed first; it does not disconnect in time.
        assert!(admit().is_none());
    }
}
