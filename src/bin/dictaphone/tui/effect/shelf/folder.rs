//! The folder: what is in it, and what is done to its files.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Instant,
};

use dictaphone::{
    ErrorKind, Result,
    audio::local_time,
    clips::{self, Clip, Listing, PartFile, Trashed, Unfinished},
    storage,
};

use super::{Shelf, change::Change, markers};
use crate::tui::{
    app::{ClipRow, Kind, Sketch, Weight},
    effect::{LOOK_INTERVAL, WorldEvent},
    update::Msg,
};

impl Shelf {
    pub(in crate::tui::effect) fn rename(&mut self, path: &Path, name: &str) -> Msg {
        self.looked = None;
        match clips::rename(path, name) {
            Ok(to) => Msg::Renamed { from: path.to_owned(), to },
            Err(error) => Msg::NotRenamed { path: path.to_owned(), name: name.to_owned(), why: error.to_string() },
        }
    }

    pub(in crate::tui::effect) fn trashed(&mut self, outcome: Result<Trashed>) -> Msg {
        self.looked = None;
        self.deleting = self.deleting.saturating_sub(1);
        match outcome {
            Ok(trashed) => {
                let (path, restorable) = (self.listed_path(&trashed.path), trashed.is_restorable());
                if restorable {
                    self.changes.push(Change::Deleted(trashed));
                }
                Msg::Deleted { path, restorable }
            }
            Err(error) => Msg::Say(Weight::Error, error.to_string()),
        }
    }

    /// Takes the latest change back.
    pub(in crate::tui::effect) fn undo(&mut self) {
        let Some(change) = self.changes.pop() else { return };
        let cache = self.cache.clone();
        self.answers.spawn("trash", move || {
            let outcome = match &change {
                Change::Deleted(trashed) => clips::restore(trashed),
                Change::Spliced(spliced) => clips::undo_splice(spliced).map(|()| {
                    // It was a part of the clip and no clip of its own. Without a trash it stays.
                    let _ = clips::delete(spliced.new_take(), false);
                }),
                Change::Cut(trimmed) => clips::undo_cut(trimmed),
                Change::Marked { path, before } => markers::rewrite(path, before, cache.as_ref()),
            };
            Some(WorldEvent::Undone(change, outcome))
        });
    }

    pub(in crate::tui::effect) fn undone(&mut self, change: Change, outcome: Result<()>) -> Msg {
        let path = self.listed_path(change.path());
        match outcome {
            // Once the other file is out of the way, it can be taken back after all.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.changes.push(change);
                Msg::Say(Weight::Error, error.to_string())
            }
            Ok(()) if matches!(change, Change::Marked { .. }) => {
                // What is played shows those that the clip has now.
                let (path, marks) = (path.clone(), markers::marks(&path).ok());
                self.answers.say(Msg::MarkersBack(path.clone(), marks));
                Msg::Undone(Ok(change.taken_back(path)))
            }
            outcome => Msg::Undone(outcome.map(|()| change.taken_back(path)).map_err(|error| error.to_string())),
        }
    }

    /// Makes an unfinished recording whole.
    pub(in crate::tui::effect) fn recover(&self, path: PathBuf) {
        let Some(target) = dictaphone::storage::place::target_of_part(&path) else { return };
        self.answers.spawn("recover", move || {
            let file = Unfinished { path, kind: clips::Kind::Part { target } };
            Some(WorldEvent::Msg(Msg::Recovered(match clips::recover(&file, false) {
                Ok(recovered) if recovered.change == clips::Change::Empty => Err("there is no sound in it".to_owned()),
                Ok(recovered) => Ok(recovered.to),
                Err(error) => Err(error.to_string()),
            })))
        });
    }

    /// The folder has changed, or something in it.
    pub(in crate::tui::effect) fn folder_changed(&mut self) {
        self.looked = None;
    }

    /// Reads the folder again if a change of it was reported or is found by a check, which is made once a second; `own`
    /// is the file that is being recorded here.
    pub(in crate::tui::effect) fn watch(&mut self, own: Option<&Path>) {
        let now = Instant::now();
        if self.looked.is_some_and(|at| now.duration_since(at) < LOOK_INTERVAL) || self.reading.load(Ordering::SeqCst) {
            return;
        }
        let forced = self.looked.is_none();
        self.looked = Some(now);
        let changed = std::fs::metadata(&self.folder).and_then(|metadata| metadata.modified()).ok();
        if !forced && self.folder_seen == Some(changed) && !self.is_a_recorder_gone(own) {
            return;
        }
        self.folder_seen = Some(changed);
        let (folder, listing, reading) = (self.folder.clone(), Arc::clone(&self.listing), Arc::clone(&self.reading));
        reading.store(true, Ordering::SeqCst);
        self.answers.spawn("clips", move || {
            let msg = read(&folder, &mut listing.lock().unwrap_or_else(PoisonError::into_inner));
            reading.store(false, Ordering::SeqCst);
            Some(WorldEvent::Msg(msg))
        });
    }

    /// Whether another recorder has released its unfinished recording: when it dies, the folder does not change.
    fn is_a_recorder_gone(&self, own: Option<&Path>) -> bool {
        let listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        let growing = listing.unfinished.iter().filter(|part| part.is_being_written);
        let mut others = growing.filter(|part| own.is_none_or(|own| own.file_name() != part.path.file_name()));
        others.any(|part| matches!(storage::is_being_written(&part.path), Ok(false)))
    }

    /// Bytes that are left on the disk of the folder, as of the last second.
    pub(in crate::tui::effect) fn available_bytes(&mut self) -> Option<u64> {
        let now = Instant::now();
        if self.disk.0.is_none_or(|at| now.duration_since(at) >= LOOK_INTERVAL) {
            self.disk = (Some(now), storage::available_bytes(&self.folder));
        }
        self.disk.1
    }
}

/// The clips of the folder. One that is not there yet has none.
fn read(folder: &Path, listing: &mut Listing) -> Msg {
    match listing.read_again(folder) {
        Ok(now) => *listing = now,
        Err(error) if error.io_kind() == Some(io::ErrorKind::NotFound) => *listing = Listing::default(),
        Err(error) => {
            *listing = Listing::default();
            return Msg::NoFolder(error.to_string());
        }
    }
    let unfinished = listing.unfinished.iter().filter(|part| !part.is_being_written).map(unfinished);
    let whole =
        listing.clips.iter().map(|clip| ClipRow { clip: clip.clone(), kind: Kind::Whole, sketch: Sketch::Unknown });
    Msg::Takes(unfinished.chain(whole).collect())
}

/// An unfinished recording, as far as it is known without looking into it.
fn unfinished(part: &PartFile) -> ClipRow {
    let lossy = |text: Option<&std::ffi::OsStr>| text.unwrap_or_default().to_string_lossy().into_owned();
    let clip = Clip {
        name: lossy(part.target.file_stem()),
        path: part.path.clone(),
        format: Some(lossy(part.target.extension())),
        mime_type: None,
        duration_s: None,
        frames: None,
        sample_rate: None,
        channels: None,
        sample_format: None,
        size_bytes: Some(part.size_bytes),
        recorded_at: part.modified.and_then(local_time::at),
        error: None,
        modified: part.modified,
    };
    ClipRow { clip, kind: Kind::Unfinished, sketch: Sketch::Nothing }
}
