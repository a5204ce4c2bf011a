//! Notifications from the system about changes in the folder, where it sends them. Owns the thread `folder`.
//!
//! Elsewhere, on file systems without notifications, and while the folder does not exist, callers of
//! [`Shelf::watch`](super::Shelf::watch) check it once a second.

use std::path::PathBuf;

/// Calls `changed` after each burst of changes until it returns false.
#[cfg(target_os = "linux")]
pub(super) fn watch(folder: PathBuf, changed: impl Fn() -> bool + Send + 'static) {
    // Without it the folder is checked once a second, which is how it works elsewhere.
    let _ = std::thread::Builder::new().name("folder".to_owned()).spawn(move || linux::watch(&folder, changed));
}

#[cfg(not(target_os = "linux"))]
pub(super) fn watch(_: PathBuf, _: impl Fn() -> bool + Send + 'static) {}

#[cfg(target_os = "linux")]
mod linux {
    use std::{mem::MaybeUninit, path::Path};

    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        fs::inotify::{self, CreateFlags, Event, ReadFlags, Reader, WatchFlags},
        io::{Errno, Result},
    };

    /// Changes that follow each other this closely are one.
    const BURST_GAP_MAX: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    /// After so many of them, they are reported although more may follow.
    const BURST_LENGTH: u32 = 10;
    /// How often to check whether the folder exists by now, and whether there is still a receiver.
    const RECHECK_INTERVAL: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

    pub(super) fn watch(folder: &Path, changed: impl Fn() -> bool) {
        let Ok(queue) = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK) else { return };
        // Not MODIFY: a file that is being recorded changes all the time, and is read when it is closed.
        let flags = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVE
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let mut buffer = [MaybeUninit::uninit(); 8 << 10];
        loop {
            // Adding again does nothing, unless another folder has taken the name.
            let _ = inotify::add_watch(&queue, folder, flags);
            match wait(&queue, &RECHECK_INTERVAL) {
                Ok(false) => continue,
                Ok(true) => {}
                Err(_) => return,
            }
            let mut news = false;
            for _ in 0..BURST_LENGTH {
                match drain(Reader::new(&queue, &mut buffer)) {
                    Ok(found) => news |= found,
                    Err(_) => return,
                }
                if !wait(&queue, &BURST_GAP_MAX).unwrap_or(false) {
                    break;
                }
            }
            if news && !changed() {
                return;
            }
        }
    }

    fn wait(queue: &impl std::os::fd::AsFd, limit: &Timespec) -> Result<bool> {
        let mut fds = [PollFd::new(queue, PollFlags::IN)];
        match poll(&mut fds, Some(limit)) {
            Ok(count) => Ok(count > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn matters(event: &Event<'_>) -> bool {
        let is_hidden = event.file_name().is_some_and(|name| name.to_bytes().starts_with(b"."));
        // For an unfinished recording it only matters whether it exists. A check whether it is being written opens it.
        let of_names = ReadFlags::CREATE | ReadFlags::DELETE | ReadFlags::MOVED_FROM | ReadFlags::MOVED_TO;
        let gone = event.events() == ReadFlags::IGNORED;
        !gone && (!is_hidden || event.events().intersects(of_names))
    }

    /// Reads all waiting events, and returns whether one matters to a reader of names, sizes and headers.
    fn drain(mut events: Reader<'_, impl std::os::fd::AsFd>) -> Result<bool> {
        let mut news = false;
        loop {
            match events.next() {
                Ok(event) => news |= matters(&event),
                Err(Errno::AGAIN) => return Ok(news),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
