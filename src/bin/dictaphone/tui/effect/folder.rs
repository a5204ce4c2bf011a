//! The folder: what is in it, and what is done to its files.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use dictaphone::{
    clips::{self, Clip, Listing, Trashed},
    storage::space,
};

use super::{Happening, LOOK, World};
use crate::{
    commands::record::open,
    tui::{
        app::{Take, Weight},
        update::Msg,
    },
};

impl World {
    pub(super) fn rename(&mut self, path: &Path, name: &str) -> Msg {
        self.looked = None;
        match clips::rename(path, name) {
            Ok(to) => {
                if let Some((played, _)) = self.player.as_mut().filter(|(played, _)| played == path) {
                    played.clone_from(&to);
                }
                Msg::Renamed { from: path.to_owned(), to }
            }
            Err(error) => Msg::Say(Weight::Error, error.to_string()),
        }
    }

    pub(super) fn trashed(&mut self, outcome: dictaphone::Result<Trashed>) -> Msg {
        self.looked = None;
        match outcome {
            Ok(trashed) => {
                let (path, restorable) = (self.listed(&trashed.path), trashed.is_restorable());
                if restorable {
                    self.trashed.push(trashed);
                }
                Msg::Deleted { path, restorable }
            }
            Err(error) => Msg::Say(Weight::Error, error.to_string()),
        }
    }

    pub(super) fn restore(&mut self) {
        let Some(trashed) = self.trashed.pop() else { return };
        let path = self.listed(&trashed.path);
        self.looked = None;
        self.spawn("trash", move || {
            let outcome = clips::restore(&trashed).map(|()| path).map_err(|error| error.to_string());
            Some(Happening::Msg(Msg::Restored(outcome)))
        });
    }

    /// A path as the list of the folder has it.
    pub(super) fn listed(&self, path: &Path) -> PathBuf {
        path.file_name().map_or_else(|| path.to_owned(), |name| self.folder.join(name))
    }

    /// Looks whether something has come, gone or changed, not more often than once a second.
    pub(super) fn watch(&mut self) {
        let now = Instant::now();
        if self.looked.is_some_and(|at| now.duration_since(at) < LOOK) || self.reading.load(Ordering::SeqCst) {
            return;
        }
        // Asked for by a change of our own, or the folder says that one was made.
        let forced = self.looked.is_none();
        self.looked = Some(now);
        let changed = std::fs::metadata(&self.folder).and_then(|metadata| metadata.modified()).ok();
        if !forced && self.folder_seen == Some(changed) {
            return;
        }
        self.folder_seen = Some(changed);
        let (folder, listing, reading) = (self.folder.clone(), Arc::clone(&self.listing), Arc::clone(&self.reading));
        reading.store(true, Ordering::SeqCst);
        self.spawn("clips", move || {
            let msg = read(&folder, &mut listing.lock().unwrap_or_else(PoisonError::into_inner));
            reading.store(false, Ordering::SeqCst);
            Some(Happening::Msg(msg))
        });
    }

    pub(super) fn disk_left(&mut self) -> Option<Duration> {
        let now = Instant::now();
        if self.disk.0.is_none_or(|at| now.duration_since(at) >= LOOK) {
            self.disk = (Some(now), space::available_bytes(&self.folder));
        }
        let format = match (&self.running, &self.input) {
            (Some(running), _) => running.format,
            (None, Some(input)) => open::format(&self.plan, &input.stream),
            (None, None) => return None,
        };
        let a_second = u64::from(format.frame_bytes()).saturating_mul(u64::from(format.sample_rate)).max(1);
        self.disk.1.map(|bytes| Duration::from_secs(bytes / a_second))
    }
}

/// The clips of the folder. One that is not there yet has none.
fn read(folder: &Path, listing: &mut Listing) -> Msg {
    match listing.read_again(folder) {
        Ok(now) => *listing = now,
        Err(error) if error.io_kind() == Some(io::ErrorKind::NotFound) => *listing = Listing::default(),
        Err(error) => return Msg::Say(Weight::Error, error.to_string()),
    }
    let unfinished = listing.unfinished.iter().filter(|part| !part.is_being_written).count();
    Msg::Takes { takes: listing.clips.iter().map(take).collect(), unfinished }
}

fn take(clip: &Clip) -> Take {
    let extension = || clip.path.extension().unwrap_or_default().to_string_lossy().into_owned();
    Take {
        path: clip.path.clone(),
        name: clip.name.clone(),
        format: clip.format.clone().unwrap_or_else(extension),
        length: clip.duration_s.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        at: clip.recorded_at.clone(),
        error: clip.error.clone(),
    }
}
