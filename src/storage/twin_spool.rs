//! A recording that grows in two places at once: a failure of the second never affects the first, and the second
//! replaces the first when its disk fails.
//!
//! The second copy follows on a thread of its own (`twin`), which reads the bytes of the first and not a buffer:
//! however long its disk stands still, it continues where it was. Once a second it catches up. Its outcome is reported
//! through its [`Twin`].
//!
//! What it does not have yet is kept in memory as well, up to a limit: when the first fails, that is written to the
//! second, and the recording continues there without a gap. Beyond the limit it ends with what the second has.

mod fate;
mod follow;

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

pub use self::fate::{Twin, TwinFailure};
use self::{
    fate::{OnTwinFailure, TwinState},
    follow::{Followed, Request, TwinMaker, follow},
};
use super::{Existing, FileSpool, ReadSeek, Spool};

/// A second of a recording is one or two requests. A disk that has left this many unanswered counts as failed.
const MAX_REQUESTS: usize = 4_096;

/// Bytes that are kept in memory for the case that the first fails: two seconds of the widest stream, a minute of an
/// ordinary one.
const RECENT_BYTES: usize = 1 << 24;

/// How long a failure of the first disk waits for the second to complete its requests.
const TAKE_OVER_TIMEOUT: Duration = Duration::from_secs(5);

/// A [`Spool`] with a second copy.
pub struct TwinSpool {
    first: Box<dyn Spool>,
    /// `None` once it has failed.
    requests: Option<SyncSender<Request>>,
    folder: PathBuf,
    shared: Arc<TwinState>,
    /// The latest bytes that were appended, as far as the second may lack them.
    recent: Vec<u8>,
    /// Their position in the recording.
    recent_at: u64,
    /// What was patched last at each place.
    patches: BTreeMap<u64, Vec<u8>>,
    /// Bytes that the second has.
    followed: Arc<Followed>,
    /// Truncations that were requested of the second.
    truncations: u64,
    /// The second has replaced the first.
    has_changed: bool,
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
            // Data for a disk that is not there must not be written to another one.
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
        let shared = Arc::new(TwinState::new(on_failure));
        let (requests, received) = sync_channel(MAX_REQUESTS);
        let (ends, followed) = (Arc::clone(&shared), Arc::<Followed>::default());
        let progress = Arc::clone(&followed);
        let spawned = first.reader().and_then(|reader| {
            let run = move || match follow(reader, maker, &received, &progress) {
                Ok(outcome) => ends.end(outcome),
                Err(error) => ends.fail(&error),
            };
            thread::Builder::new().name("twin".to_owned()).spawn(run)
        });
        if let Err(error) = &spawned {
            shared.fail(error);
        }
        let requests = spawned.is_ok().then_some(requests);
        let spool = Self {
            first,
            requests,
            folder: folder.to_owned(),
            shared: Arc::clone(&shared),
            recent: Vec::new(),
            recent_at: 0,
            patches: BTreeMap::new(),
            followed,
            truncations: 0,
            has_changed: false,
        };
        (spool, Twin(shared))
    }

    /// Keeps what was appended until the second has it.
    fn remember(&mut self, bytes: &[u8]) {
        if self.requests.is_none() {
            return self.recent = Vec::new();
        }
        self.recent.extend_from_slice(bytes);
        let known = self.followed.bytes(self.truncations).saturating_sub(self.recent_at);
        let (known, half) = (usize::try_from(known).unwrap_or(usize::MAX), self.recent.len() / 2);
        // Not after every few bytes.
        if known > half || self.recent.len() > RECENT_BYTES {
            let old = known.clamp(half, self.recent.len());
            self.recent.drain(..old);
            self.recent_at += old as u64;
        }
    }

    /// The first has failed: the second replaces it, with everything that was appended so far. Returns whether it has
    /// all of that.
    fn take_over(&mut self, error: &io::Error) -> bool {
        let (sender, receiver) = sync_channel(1);
        self.request(Request::HandOver(sender));
        self.requests = None;
        let Ok(mut second) = receiver.recv_timeout(TAKE_OVER_TIMEOUT) else { return false };
        let missing = second.len().checked_sub(self.recent_at).and_then(|known| usize::try_from(known).ok());
        let rest = missing.and_then(|known| self.recent.get(known..));
        let is_whole = rest.is_some_and(|rest| second.append(rest).is_ok());
        let patched = self.patches.iter().try_for_each(|(at, bytes)| match at + bytes.len() as u64 <= second.len() {
            true => second.patch(*at, bytes),
            false => Ok(()),
        });
        (self.recent, self.first, self.has_changed) = (Vec::new(), second, true);
        (self.shared.on_failure)(TwinFailure::First(error));
        is_whole && patched.is_ok()
    }

    /// Runs `call` on the first, and if that fails on the second in its place.
    fn with_first<T>(&mut self, call: impl Fn(&mut dyn Spool) -> io::Result<T>) -> io::Result<T> {
        match call(self.first.as_mut()) {
            Err(error) if self.take_over(&error) => call(self.first.as_mut()),
            outcome => outcome,
        }
    }

    fn request(&mut self, request: Request) {
        match self.requests.as_ref().map(|requests| requests.try_send(request)) {
            Some(Err(TrySendError::Full(_))) => {
                self.shared.fail(&io::Error::new(io::ErrorKind::TimedOut, "its disk does not answer"));
                self.requests = None;
            }
            // It has reported the reason.
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
        self.with_first(|spool| spool.append(bytes))?;
        self.remember(bytes);
        Ok(())
    }

    fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.with_first(|spool| spool.patch(at, bytes))?;
        self.patches.insert(at, bytes.to_vec());
        self.request(Request::Patch { at, bytes: bytes.to_vec(), length: self.first.len() });
        Ok(())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.with_first(|spool| spool.truncate(len))?;
        self.recent.truncate(usize::try_from(len.saturating_sub(self.recent_at)).unwrap_or(usize::MAX));
        self.recent_at = self.recent_at.min(len);
        self.request(Request::Truncate(len));
        self.truncations += 1;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.with_first(|spool| spool.sync())?;
        self.request(Request::CatchUp(self.first.len()));
        Ok(())
    }

    fn reader(&self) -> io::Result<Box<dyn ReadSeek>> {
        self.first.reader()
    }

    /// Commits the first, and requests the same of the second under the name that the first got. Once the second has
    /// replaced the first, it is saved in its own folder.
    fn commit(&mut self, target: &Path, existing: Existing) -> io::Result<PathBuf> {
        use io::ErrorKind::{AlreadyExists, InvalidInput, IsADirectory};
        if !self.has_changed {
            match self.first.commit(target, existing) {
                Err(error) if !matches!(error.kind(), AlreadyExists | InvalidInput | IsADirectory) => {
                    if !self.take_over(&error) {
                        return Err(error);
                    }
                }
                saved => return self.follow_up(saved?, existing),
            }
        }
        let name = target.file_name().ok_or(InvalidInput)?;
        let existing = if existing == Existing::Replace { existing } else { Existing::Number };
        self.first.commit(&self.folder.join(name), existing)
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

    fn is_away(&self) -> bool {
        self.first.is_away()
    }
}

impl TwinSpool {
    /// The first is saved: requests that the second be saved under the same name.
    fn follow_up(&mut self, saved: PathBuf, existing: Existing) -> io::Result<PathBuf> {
        if let Some(name) = saved.file_name() {
            let target = self.folder.join(name);
            let existing = if existing == Existing::Replace { existing } else { Existing::Number };
            self.request(Request::Commit { target, existing, length: self.first.len() });
            self.requests = None;
        }
        Ok(saved)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::{Read as _, SeekFrom},
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

    /// Writes like a recording.
    fn record_blindly(spool: &mut dyn Spool) {
        spool.append(b"HEAD").unwrap();
        for second in 0..5_u8 {
            spool.append(&vec![second; 70_000]).unwrap();
            spool.sync().unwrap();
            spool.patch(0, &[b'h', second]).unwrap();
        }
        spool.truncate(300_000).unwrap();
        spool.append(b"end").unwrap();
    }

    /// The same; returns what is in it then.
    fn record(spool: &mut dyn Spool) -> Vec<u8> {
        record_blindly(spool);
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

    /// The bytes that a recording writes.
    fn everything() -> Vec<u8> {
        record(&mut MemoryDisk::new().spool(Path::new("/c/x.wav")).unwrap())
    }

    #[test]
    fn whatever_fails_in_the_first_the_second_takes_its_place_and_lacks_nothing() {
        let all = everything();
        for operation in [Operation::Append, Operation::Patch, Operation::Sync, Operation::Truncate, Operation::Commit]
        {
            for nth in 1..7 {
                let mut rig = rig_with(MemoryDisk::new(), || {});
                rig.first.fail(operation, nth, io::ErrorKind::Other);
                assert!(record(&mut rig.spool) == all, "{operation:?} {nth}");
                let saved = rig.spool.commit(Path::new("/a/x.wav"), Existing::Keep).unwrap();
                let has_failed = rig.failures.load(Ordering::SeqCst);
                let (disk, folder) = if has_failed == 1 { (&rig.second, "/b/x.wav") } else { (&rig.first, "/a/x.wav") };
                assert_eq!(saved, Path::new(folder), "{operation:?} {nth}");
                assert!(disk.read(&saved).unwrap() == all, "{operation:?} {nth}");
                assert!(nth > 1 || has_failed == 1, "{operation:?}");
                let second = rig.twin.wait(LIMIT).unwrap();
                assert_eq!(second.is_some(), has_failed == 0, "{operation:?} {nth}");
            }
        }
    }

    /// A first copy that can be neither read nor written from the nth append on.
    struct Dying(Box<dyn Spool>, u32);

    impl Spool for Dying {
        fn len(&self) -> u64 {
            self.0.len()
        }

        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.1 = self.1.checked_sub(1).ok_or(io::ErrorKind::Other)?;
            self.0.append(bytes)
        }

        fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
            self.0.patch(at, bytes)
        }

        fn truncate(&mut self, len: u64) -> io::Result<()> {
            self.0.truncate(len)
        }

        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn reader(&self) -> io::Result<Box<dyn ReadSeek>> {
            // Like a disk that is gone.
            struct Unreadable;
            impl io::Read for Unreadable {
                fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                    Err(io::ErrorKind::Other.into())
                }
            }
            impl io::Seek for Unreadable {
                fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
                    Ok(0)
                }
            }
            Ok(Box::new(Unreadable))
        }

        fn commit(&mut self, _: &Path, _: Existing) -> io::Result<PathBuf> {
            Err(io::ErrorKind::Other.into())
        }

        fn discard(&mut self) -> io::Result<()> {
            self.0.discard()
        }

        fn path(&self) -> Option<PathBuf> {
            self.0.path()
        }
    }

    #[test]
    fn a_first_copy_that_cannot_even_be_read_costs_nothing_of_what_is_still_in_memory() {
        let all = everything();
        for appends in 0..9 {
            let (first, second) = (MemoryDisk::new(), MemoryDisk::new());
            let disk = second.clone();
            let maker: TwinMaker = Box::new(move || Ok(Box::new(disk.spool(Path::new("/b/x.wav"))?)));
            let dying = Dying(Box::new(first.spool(Path::new("/a/x.wav")).unwrap()), appends);
            let (mut spool, _twin) = TwinSpool::with_maker(Box::new(dying), Path::new("/b"), maker, Box::new(|_| {}));
            record_blindly(&mut spool);
            assert_eq!(spool.commit(Path::new("/a/x.wav"), Existing::Keep).unwrap(), Path::new("/b/x.wav"));
            assert!(second.read(Path::new("/b/x.wav")).unwrap() == all, "after {appends}");
        }
    }

    #[test]
    fn a_second_copy_that_has_failed_takes_no_place() {
        let second = MemoryDisk::new();
        second.fail(Operation::Sync, 1, io::ErrorKind::StorageFull);
        let mut rig = rig_with(second, || {});
        rig.spool.append(b"HEAD").unwrap();
        rig.spool.sync().unwrap();
        assert_eq!(rig.twin.wait(LIMIT).unwrap_err().kind(), io::ErrorKind::StorageFull);
        rig.first.fail(Operation::Append, 1, io::ErrorKind::Other);
        assert_eq!(rig.spool.append(b"sound").unwrap_err().kind(), io::ErrorKind::Other);
        assert_eq!(rig.spool.path().unwrap(), Path::new("/a/.x.wav.part"));
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
