//! The folder of clips, and the jobs on it: what is in it, what is made of its files, and what can be taken back.

mod change;
mod folder;
mod jobs;
mod markers;
mod sketches;
mod watch;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::{Instant, SystemTime},
};

use dictaphone::clips::{self, Listing, WaveformCache};

pub(super) use self::{change::Change, markers::Before};
use self::{jobs::RunningJob, markers::Marking, sketches::Wanted};
use super::{WorldEvent, bug, worker::Answers};
use crate::message::Message;

/// The folder of clips, and what is done to its files.
pub(super) struct Shelf {
    answers: Answers,
    folder: PathBuf,
    cache: Option<WaveformCache>,
    marking: Marking,
    sketches: Arc<Mutex<Wanted>>,
    disk: (Option<Instant>, Option<u64>),
    folder_seen: Option<Option<SystemTime>>,
    looked: Option<Instant>,
    reading: Arc<AtomicBool>,
    /// What was in the folder the last time, so that only what has changed is read again.
    listing: Arc<Mutex<Listing>>,
    /// What can be brought back, the latest last.
    changes: Vec<Change>,
    job: Option<RunningJob>,
    /// How many clips are on their way to the trash.
    deleting: usize,
}

impl Shelf {
    pub(super) fn new(folder: PathBuf, cache: Option<WaveformCache>, answers: Answers) -> Self {
        let news = answers.clone();
        watch::watch(folder.clone(), move || news.send(WorldEvent::Folder));
        Self {
            answers,
            folder,
            cache,
            marking: Marking::default(),
            sketches: Arc::default(),
            disk: (None, None),
            folder_seen: None,
            looked: None,
            reading: Arc::default(),
            listing: Arc::default(),
            changes: Vec::new(),
            job: None,
            deleting: 0,
        }
    }

    /// Whether something is in progress that must not be abandoned.
    pub(super) fn is_busy(&self) -> bool {
        self.job.is_some() || self.marking.is_running() || self.deleting > 0
    }

    /// The message if the program is left while a job runs.
    pub(super) fn last_words(&self) -> Option<&Message> {
        self.job.as_ref().map(|job| &job.last_words)
    }

    pub(super) fn delete(&mut self, path: PathBuf) {
        self.deleting += 1;
        let (this, that) = (path.clone(), path.clone());
        let work = move || WorldEvent::Trashed(this, clips::delete(&path, false));
        self.answers.spawn_surely("trash", work, || WorldEvent::Trashed(that, Err(bug())));
    }

    /// A path as the list of the folder has it.
    fn listed_path(&self, path: &Path) -> PathBuf {
        path.file_name().map_or_else(|| path.to_owned(), |name| self.folder.join(name))
    }
}
