//! A recording that grows in two places at once, of which the second can never harm the first.
//!
//! The second copy follows on a thread of its own (`twin`), which reads what the first has and not what somebody keeps
//! for it: however long its disk stands still, no memory grows for it, and it goes on where it was. Once a second it
//! catches up. What happens to it is told to whoever holds its [`Twin`].

use std::{
    fmt,
    io::{self, SeekFrom},
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use super::{Existing, FileSpool, ReadSeek, Spool};

/// A second of a recording is one or two requests. One that has left so many unanswered stands still for good.
const MAX_REQUESTS: usize = 4_096;

/// Bytes that are copied at once.
const CHUNK_BYTES: usize = 1 << 16;

/// Makes the second spool; called on its own thread, because even that may take long.
pub(crate) type TwinMaker = Box<dyn FnOnce() -> io::Result<Box<dyn Spool>> + Send>;

/// Called once, on any thread, when the second copy has failed.
pub(crate) type OnTwinFailure = Box<dyn Fn(&io::Error) + Send + Sync>;

#[derive(Debug)]
enum Request {
    /// Bytes up to this length are there.
    CatchUp(u64),
    Patch {
        at: u64,
        bytes: Vec<u8>,
        length: u64,
    },
    Truncate(u64),
    Commit {
        target: PathBuf,
        existing: Existing,
        length: u64,
    },
    Discard,
}

#[derive(Debug)]
enum Outcome {
    Growing,
    Saved(PathBuf),
    Failed(io::ErrorKind, String),
    Discarded,
}

struct Shared {
    outcome: Mutex<Outcome>,
    ended: Condvar,
    on_failure: OnTwinFailure,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, outcome: Outcome) {
        *self.lock() = outcome;
        self.ended.notify_all();
    }

    fn fail(&self, error: &io::Error) {
        let mut outcome = self.lock();
        if !matches!(*outcome, Outcome::Growing) {
            return;
        }
        *outcome = Outcome::Failed(error.kind(), error.to_string());
        // Before anybody who waits for the outcome goes on.
        (self.on_failure)(error);
        drop(outcome);
        self.ended.notify_all();
    }
}

/// What becomes of a second copy.
pub struct Twin(Arc<Shared>);

impl fmt::Debug for Twin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Twin").field(&*self.0.lock()).finish()
    }
}

impl Twin {
    /// Waits until the second copy is saved, `limit` at most, and returns where it is; `None` if it was thrown away.
    ///
    /// # Errors
    /// What it failed of; [`io::ErrorKind::TimedOut`] if it is not saved by then, which it may still be later.
    pub fn wait(&self, limit: Duration) -> io::Result<Option<PathBuf>> {
        let outcome = self.0.lock();
        let waited = self.0.ended.wait_timeout_while(outcome, limit, |outcome| matches!(outcome, Outcome::Growing));
        match &*waited.unwrap_or_else(PoisonError::into_inner).0 {
            Outcome::Growing => Err(io::Error::new(io::ErrorKind::TimedOut, "its disk does not answer")),
            Outcome::Saved(path) => Ok(Some(path.clone())),
            Outcome::Discarded => Ok(None),
            Outcome::Failed(kind, text) => Err(io::Error::new(*kind, text.clone())),
        }
    }
}

/// A [`Spool`] with a second copy.
pub struct TwinSpool {
    first: Box<dyn Spool>,
    /// `None` once it has failed.
    requests: Option<SyncSender<Request>>,
    folder: PathBuf,
    shared: Arc<Shared>,
}

impl fmt::Debug for TwinSpool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwinSpool")
            .field("path", &self.first.path())
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl TwinSpool {
    /// `first`, and a copy that grows and is saved in `folder` under the same name as `target`. A folder that cannot be
    /// written is a failure of the copy alone.
    pub fn new(first: Box<dyn Spool>, folder: &Path, target: &Path, on_failure: OnTwinFailure) -> (Self, Twin) {
        let beside = target.file_name().map(|name| folder.join(name));
        let maker: TwinMaker = Box::new(move || {
            let beside = beside.ok_or(io::ErrorKind::InvalidInput)?;
            // What was meant for a disk that is not there must not land on another one.
            if !super::publish::folder_of(&beside).is_dir() {
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok(Box::new(FileSpool::beside(&beside)?))
        });
        Self::with_maker(first, folder, maker, on_failure)
    }

    /// As [`new`](Self::new), with a second spool of the caller's own.
    pub fn with_maker(
        first: Box<dyn Spool>,
        folder: &Path,
        maker: TwinMaker,
        on_failure: OnTwinFailure,
    ) -> (Self, Twin) {
        let shared = Arc::new(Shared { outcome: Mutex::new(Outcome::Growing), ended: Condvar::new(), on_failure });
        let (requests, received) = sync_channel(MAX_REQUESTS);
        let ends = Arc::clone(&shared);
        let spawned = first.reader().and_then(|reader| {
            let run = move || match follow(reader, maker, &received) {
                Ok(outcome) => ends.end(outcome),
                Err(error) => ends.fail(&error),
            };
            thread::Builder::new().name("twin".to_owned()).spawn(run)
        });
        if let Err(error) = &spawned {
            shared.fail(error);
        }
        let requests = spawned.is_ok().then_some(requests);
        (Self { first, requests, folder: folder.to_owned(), shared: Arc::clone(&shared) }, Twin(shared))
    }

    fn request(&mut self, request: Request) {
        match self.requests.as_ref().map(|requests| requests.try_send(request)) {
            Some(Err(TrySendError::Full(_))) => {
                self.shared.fail(&io::Error::new(io::ErrorKind::TimedOut, "its disk does not answer"));
                self.requests = None;
            }
            // It has told why.
            Some(Err(TrySendError::Disconnected(_))) => self.requests = None,
            Some(Ok(())) | None => {}
        }
    }
}

impl Spool for TwinSpool {
    fn len(&self) -> u64 {
        self.first.len()
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.first.append(bytes)
    }

    fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let patched = self.first.patch(at, bytes);
        if patched.is_ok() {
            self.request(Request::Patch { at, bytes: bytes.to_vec(), length: self.first.len() });
        }
        patched
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let truncated = self.first.truncate(len);
        self.request(Request::Truncate(len));
        truncated
    }

    fn sync(&mut self) -> io::Result<()> {
        let synced = self.first.sync();
        self.request(Request::CatchUp(self.first.len()));
        synced
    }

    fn reader(&self) -> io::Result<Box<dyn ReadSeek>> {
        self.first.reader()
    }

    /// Commits the first, and has the second follow under the name that the first got.
    fn commit(&mut self, target: &Path, existing: Existing) -> io::Result<PathBuf> {
        let saved = self.first.commit(target, existing)?;
        if let Some(name) = saved.file_name() {
            let target = self.folder.join(name);
            let existing = if existing == Existing::Replace { existing } else { Existing::Number };
            self.request(Request::Commit { target, existing, length: self.first.len() });
            self.requests = None;
        }
        Ok(saved)
    }

    fn discard(&mut self) -> io::Result<()> {
        self.request(Request::Discard);
        self.first.discard()
    }

    fn available_bytes(&self) -> Option<u64> {
        self.first.available_bytes()
    }

    fn path(&self) -> Option<PathBuf> {
        self.first.path()
    }
}

/// Follows the first spool until it is saved or thrown away, or nobody asks any more.
fn follow(mut first: Box<dyn ReadSeek>, maker: TwinMaker, requests: &Receiver<Request>) -> io::Result<Outcome> {
    let mut second = maker()?;
    let mut chunk = vec![0; CHUNK_BYTES];
    for request in requests {
        match request {
            Request::CatchUp(length) => {
                copy_up_to(first.as_mut(), second.as_mut(), length, &mut chunk)?;
                second.sync()?;
            }
            // The sound first: a header must never claim what is not there.
            Request::Patch { at, bytes, length } => {
                copy_up_to(first.as_mut(), second.as_mut(), length, &mut chunk)?;
                second.patch(at, &bytes)?;
            }
            Request::Truncate(length) => second.truncate(length)?,
            Request::Commit { target, existing, length } => {
                copy_up_to(first.as_mut(), second.as_mut(), length, &mut chunk)?;
                return second.commit(&target, existing).map(Outcome::Saved);
            }
            Request::Discard => {
                second.discard()?;
                return Ok(Outcome::Discarded);
            }
        }
    }
    // The first was dropped unsaved, which keeps its file: so does the second.
    Ok(Outcome::Discarded)
}

fn copy_up_to(first: &mut dyn ReadSeek, second: &mut dyn Spool, length: u64, chunk: &mut [u8]) -> io::Result<()> {
    first.seek(SeekFrom::Start(second.len()))?;
    while second.len() < length {
        let wanted = usize::try_from(length - second.len()).unwrap_or(chunk.len()).min(chunk.len());
        let Some(room) = chunk.get_mut(..wanted) else { break };
        match first.read(room) {
            // Cut off meanwhile; the request that says so follows.
            Ok(0) => break,
            Ok(count) => second.append(room.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::Read as _,
        sync::{
            atomic::{AtomicU32, Ordering},
            mpsc,
        },
    };

    use super::*;
    use crate::storage::{MemoryDisk, memory::Operation};

    const LIMIT: Duration = Duration::from_secs(30);

    struct Rig {
        first: MemoryDisk,
        second: MemoryDisk,
        spool: TwinSpool,
        twin: Twin,
        failures: Arc<AtomicU32>,
    }

    fn rig_with(second: MemoryDisk, before: impl FnOnce() + Send + 'static) -> Rig {
        let first = MemoryDisk::new();
        let failures = Arc::<AtomicU32>::default();
        let (counted, disk) = (Arc::clone(&failures), second.clone());
        let maker: TwinMaker = Box::new(move || {
            before();
            Ok(Box::new(disk.spool(Path::new("/b/x.wav"))?))
        });
        let on_failure: OnTwinFailure = Box::new(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let spool = Box::new(first.spool(Path::new("/a/x.wav")).unwrap());
        let (spool, twin) = TwinSpool::with_maker(spool, Path::new("/b"), maker, on_failure);
        Rig { first, second, spool, twin, failures }
    }

    /// Writes as a recording does; what is in it then.
    fn record(spool: &mut TwinSpool) -> Vec<u8> {
        spool.append(b"HEAD").unwrap();
        for second in 0..5_u8 {
            spool.append(&vec![second; 70_000]).unwrap();
            spool.sync().unwrap();
            spool.patch(0, &[b'h', second]).unwrap();
        }
        spool.truncate(300_000).unwrap();
        spool.append(b"end").unwrap();
        let mut all = Vec::new();
        spool.reader().unwrap().read_to_end(&mut all).unwrap();
        all
    }

    #[test]
    fn both_copies_have_the_same_bytes_and_name() {
        let mut rig = rig_with(MemoryDisk::new(), || {});
        let all = record(&mut rig.spool);
        assert_eq!(rig.spool.commit(Path::new("/a/x.wav"), Existing::Number).unwrap(), Path::new("/a/x.wav"));
        assert_eq!(rig.twin.wait(LIMIT).unwrap().as_deref(), Some(Path::new("/b/x.wav")));
        assert!(rig.first.read(Path::new("/a/x.wav")).unwrap() == all);
        assert!(rig.second.read(Path::new("/b/x.wav")).unwrap() == all);
        assert_eq!(rig.failures.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn whatever_fails_in_the_second_the_first_is_whole_and_it_is_told_once() {
        for operation in [Operation::Append, Operation::Patch, Operation::Sync, Operation::Truncate, Operation::Commit]
        {
            for nth in 1..4 {
                let second = MemoryDisk::new();
                second.fail(operation, nth, io::ErrorKind::StorageFull);
                let mut rig = rig_with(second, || {});
                let all = record(&mut rig.spool);
                let saved = rig.spool.commit(Path::new("/a/x.wav"), Existing::Number).unwrap();
                assert!(rig.first.read(&saved).unwrap() == all);
                match rig.twin.wait(LIMIT) {
                    Err(error) => {
                        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{operation:?} {nth}");
                        assert_eq!(rig.failures.load(Ordering::SeqCst), 1);
                    }
                    // There were fewer of these.
                    Ok(saved) => assert!(rig.second.read(&saved.unwrap()).unwrap() == all, "{operation:?} {nth}"),
                }
            }
        }
    }

    #[test]
    fn a_second_copy_that_stands_still_catches_up() {
        let (go_on, stands_still) = mpsc::channel::<()>();
        let mut rig = rig_with(MemoryDisk::new(), move || {
            let _ = stands_still.recv();
        });
        let all = record(&mut rig.spool);
        rig.spool.commit(Path::new("/a/x.wav"), Existing::Number).unwrap();
        assert_eq!(rig.twin.wait(Duration::from_millis(20)).unwrap_err().kind(), io::ErrorKind::TimedOut);
        go_on.send(()).unwrap();
        let saved = rig.twin.wait(LIMIT).unwrap().unwrap();
        assert!(rig.second.read(&saved).unwrap() == all);
    }

    #[test]
    fn one_that_stands_still_for_good_costs_no_memory() {
        let (_go_on, stands_still) = mpsc::channel::<()>();
        let mut rig = rig_with(MemoryDisk::new(), move || {
            let _ = stands_still.recv();
        });
        for _ in 0..=MAX_REQUESTS + 1 {
            rig.spool.sync().unwrap();
        }
        assert_eq!(rig.failures.load(Ordering::SeqCst), 1);
        assert!(rig.spool.requests.is_none());
    }

    #[test]
    fn a_folder_that_is_not_there_is_a_failure_of_the_copy_alone() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.wav");
        let first = Box::new(FileSpool::beside(&target).unwrap());
        let missing = folder.path().join("missing");
        let (mut spool, twin) = TwinSpool::new(first, &missing, &target, Box::new(|_| {}));
        spool.append(b"sound").unwrap();
        let saved = spool.commit(&target, Existing::Keep).unwrap();
        assert_eq!(fs::read(saved).unwrap(), b"sound");
        assert_eq!(twin.wait(LIMIT).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(!missing.exists());
    }

    #[test]
    fn what_is_thrown_away_is_gone_twice() {
        let mut rig = rig_with(MemoryDisk::new(), || {});
        record(&mut rig.spool);
        rig.spool.discard().unwrap();
        assert_eq!(rig.twin.wait(LIMIT).unwrap(), None);
        assert!(rig.first.paths().is_empty() && rig.second.paths().is_empty());
    }
}
