//! The files of a recording that is split: each is saved on one thread, in order, while the next is recorded, together
//! with its second copy and the deletion of the oldest clips that makes room for it.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, OnceLock, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use dictaphone::{
    audio::local_time,
    capture::Pace,
    clips::retention::{self, OwnClip},
    media::{NewFile, SpoolMaker, Storage},
    storage::{FileSpool, Spool, Twin, TwinFailure, TwinSpool, presence::Home},
};

use super::{SessionInput, save::Saving, step::Step, target};
use crate::{
    plan::Record,
    report::outcome::{CopyFailure, Kept},
    work::Post,
};

/// How long the end waits for a second copy whose disk does not respond.
const TWIN_TIMEOUT: Duration = Duration::from_secs(20);

/// When a disk gets full, room is made for so much more of the recording.
const ROOM_LENGTH: Duration = Duration::from_secs(30 * 60);

/// Files that may be open at once, where a source waits for its reader.
const OPEN_FILES: usize = 64;

/// What the recorder, which makes the files, and the thread that saves them share.
#[derive(Default)]
pub(super) struct Shelved {
    /// The second copies that are not known to be saved.
    twins: Mutex<VecDeque<Twin>>,
    /// Files that were begun and are not saved.
    open: Mutex<usize>,
    saved: Condvar,
}

pub(super) type Twins = Arc<Shelved>;

impl Shelved {
    /// A file begins; with `waits`, only after others are saved if too many are open.
    fn begin(&self, waits: bool) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |open: &mut usize| waits && *open >= OPEN_FILES;
        let waited = self.saved.wait_timeout_while(open, TWIN_TIMEOUT, is_full);
        *waited.unwrap_or_else(PoisonError::into_inner).0 += 1;
    }

    fn end(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        *open = open.saturating_sub(1);
        drop(open);
        self.saved.notify_all();
    }
}

/// Where the recorder writes: beside the file that it will become, and in a second place if the plan says so.
pub(super) fn storage(plan: &Record, target: PathBuf, twins: &Twins, post: &Post<SessionInput>) -> Storage {
    let (plan, twins, post) = (plan.clone(), Arc::clone(twins), Arc::clone(post));
    let home = OnceLock::new();
    let maker: SpoolMaker = Arc::new(move |file: NewFile| {
        twins.begin(plan.pace == Pace::Fast);
        let is_first = file.number == 1 && file.begins_at.is_none();
        let target = if is_first { target.clone() } else { target_of(&plan, &target, file) };
        // What follows on a disk that is not there any more must not land on another one.
        home.get_or_init(|| Home::of(&target)).check(&target)?;
        let first = Box::new(FileSpool::beside(&target)?);
        let Some(folder) = &plan.steps.also else { return Ok(first as Box<dyn Spool>) };
        let post = Arc::clone(&post);
        let on_failure = Box::new(move |failure: TwinFailure<'_>| {
            post(SessionInput::Step(Step::CopyFailed(match failure {
                TwinFailure::First(error) => CopyFailure::First(error.to_string()),
                TwinFailure::Second(error) => CopyFailure::Second(error.to_string()),
            })));
        });
        let (spool, twin) = TwinSpool::new(first, folder, &target, on_failure);
        twins.twins.lock().unwrap_or_else(PoisonError::into_inner).push_back(twin);
        Ok(Box::new(spool) as Box<dyn Spool>)
    });
    Storage::Custom(maker)
}

fn target_of(plan: &Record, first: &Path, file: NewFile) -> PathBuf {
    let at = file.begins_at.and_then(local_time::at).unwrap_or_else(local_time::now);
    target::of(plan, file.number, &at).ok().flatten().unwrap_or_else(|| first.to_owned())
}

/// What the thread is to do.
enum Job {
    Save(Box<Saving>),
    MakeRoom(u64),
}

/// The thread that saves.
pub(super) struct Files {
    jobs: Sender<Job>,
    thread: JoinHandle<Option<(Kept, u64)>>,
}

impl Files {
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn start(plan: &Record, twins: Twins, post: Post<SessionInput>) -> std::io::Result<Self> {
        let (jobs, asked) = channel();
        let plan = plan.clone();
        let run = move || run(&plan, &asked, &twins, &post);
        let thread = thread::Builder::new().name("files".to_owned()).spawn(run)?;
        Ok(Self { jobs, thread })
    }

    /// A file is complete, and another one follows.
    pub(super) fn save(&self, saving: Saving) {
        // Should the thread be gone by a bug, the unfinished file stays and can be recovered.
        let _ = self.jobs.send(Job::Save(Box::new(saving)));
    }

    /// The disk gets full at so many bytes a second.
    pub(super) fn make_room(&self, bytes_per_second: u64) {
        let _ = self.jobs.send(Job::MakeRoom(bytes_per_second.saturating_mul(ROOM_LENGTH.as_secs())));
    }

    /// Returns when everything is saved, with the result of the last file.
    pub(super) fn finish(self) -> Option<(Kept, u64)> {
        drop(self.jobs);
        self.thread.join().ok().flatten()
    }
}

fn run(plan: &Record, asked: &Receiver<Job>, twins: &Twins, post: &Post<SessionInput>) -> Option<(Kept, u64)> {
    let mut last = None;
    for job in asked {
        match job {
            Job::Save(saving) => {
                let lost_frames = saving.blob.as_ref().map_or(0, |blob| blob.facts().lost_frames);
                let (kept, frames) = saving.save();
                twins.end();
                last = Some((kept.clone(), frames));
                settle(twins, Duration::ZERO);
                let folder = folder_of(&kept);
                post(SessionInput::Step(Step::FileSaved { kept, frames, lost_frames }));
                if let (Some(folder), Some(keep)) = (folder, plan.steps.keep) {
                    post(SessionInput::Step(deleted(retention::retain(&folder, keep))));
                }
            }
            Job::MakeRoom(bytes) => {
                if let Some(folder) = plan.folder() {
                    post(SessionInput::Step(deleted(retention::make_room(&folder, bytes))));
                }
            }
        }
    }
    last
}

fn folder_of(kept: &Kept) -> Option<PathBuf> {
    let Kept::File { path, .. } = kept else { return None };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Some(folder.map_or_else(|| ".".into(), Path::to_owned))
}

fn deleted(outcome: dictaphone::Result<Vec<OwnClip>>) -> Step {
    Step::Deleted(outcome.map(|clips| clips.into_iter().map(|clip| clip.path).collect()))
}

/// After the last file: makes room for it in its folder, and waits for every second copy. What failed among these was
/// reported, except for one that is late.
pub(super) fn settle_all(plan: &Record, kept: &Kept, twins: &Twins) -> (Option<Step>, Option<String>) {
    let late = settle(twins, TWIN_TIMEOUT);
    let removed = plan.steps.keep.zip(folder_of(kept)).map(|(keep, folder)| deleted(retention::retain(&folder, keep)));
    (removed, late)
}

/// Removes the second copies that are saved, or will not be; returns why one is not saved by then.
fn settle(twins: &Twins, limit: Duration) -> Option<String> {
    let mut twins = twins.twins.lock().unwrap_or_else(PoisonError::into_inner);
    let mut late = None;
    twins.retain(|twin| match twin.wait(limit) {
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            late.get_or_insert_with(|| error.to_string());
            true
        }
        Err(_) | Ok(_) => false,
    });
    late
}
