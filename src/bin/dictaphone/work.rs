//! Threads for what may take long, each with one answer. Nothing is kept here; the caller says where answers go.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex, PoisonError, mpsc::Receiver},
    thread,
};

/// Where answers go. Called from several threads; must not block.
pub(crate) type Post<T> = Arc<dyn Fn(T) + Send + Sync>;

/// Does it on a thread of that name and posts the answer, if there is one.
///
/// # Errors
/// When the system refuses a thread.
pub(crate) fn start<T: 'static>(
    name: &str,
    post: Post<T>,
    work: impl FnOnce() -> Option<T> + Send + 'static,
) -> io::Result<()> {
    let run = move || {
        if let Some(answer) = work() {
            post(answer);
        }
    };
    thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
}

/// The same for work that must be done and is waited for: without a thread it is done on this one, and after a panic,
/// which the hook has reported, `failed` is the answer.
pub(crate) fn start_surely<T: 'static>(
    name: &str,
    post: Post<T>,
    work: impl FnOnce() -> T + Send + 'static,
    failed: impl FnOnce() -> T + Send + 'static,
) {
    let work = move || post(panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| failed()));
    let shared = Arc::new(Mutex::new(Some(work)));
    let taken = Arc::clone(&shared);
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || run(&taken));
    if spawned.is_err() {
        run(&shared);
    }
}

fn run<F: FnOnce()>(slot: &Mutex<Option<F>>) {
    let work = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(work) = work {
        work();
    }
}

/// Posts everything that comes from a channel, on a thread of that name, until it closes.
///
/// # Errors
/// When the system refuses a thread.
pub(crate) fn forward<E: Send + 'static, T: 'static>(
    name: &str,
    from: Receiver<E>,
    post: Post<T>,
    wrap: impl Fn(E) -> T + Send + 'static,
) -> io::Result<()> {
    start(name, Arc::clone(&post), move || {
        from.into_iter().for_each(|item| post(wrap(item)));
        None
    })
}
