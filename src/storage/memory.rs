//! A recording that grows in memory, and a whole disk in memory that fails on demand.
//!
//! [`MemorySpool::new`] is for data too short for a file, such as one slice of a recording; [`MemoryDisk`] is for tests
//! of everything that writes. Any thread; every call locks for as long as it copies bytes.

mod spool;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use self::spool::MemorySpool;
use self::spool::{Home, Stage};
use super::{
    Existing, place,
    power_cut::{DiskChange, PowerCut, Step, power_cuts},
};

type Content = Arc<Mutex<Vec<u8>>>;

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every critical section leaves consistent values behind, whatever panicked in another thread.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a spool can request of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// [`Spool::append`](crate::storage::Spool::append).
    Append,
    /// [`Spool::patch`](crate::storage::Spool::patch).
    Patch,
    /// [`Spool::truncate`](crate::storage::Spool::truncate).
    Truncate,
    /// [`Spool::sync`](crate::storage::Spool::sync).
    Sync,
    /// [`Spool::commit`](crate::storage::Spool::commit).
    Commit,
    /// [`Spool::discard`](crate::storage::Spool::discard).
    Discard,
}

named! { Operation: Append "append", Patch "patch", Truncate "truncate", Sync "sync", Commit "commit", Discard "discard" }

/// One request to a [`MemoryDisk`], whether it succeeded or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// What was requested.
    pub operation: Operation,
    /// Where in the file, in bytes: the end for an append, the new end for a truncation, else 0.
    pub at: u64,
    /// How many bytes were to be written.
    pub bytes: u64,
    /// The kind of the error, if it failed.
    pub failed: Option<io::ErrorKind>,
}

#[derive(Debug, Clone, Copy)]
struct Fault {
    operation: Operation,
    // Counts down; the fault occurs at 1 and is removed.
    nth: u64,
    kind: io::ErrorKind,
}

#[derive(Debug, Default)]
struct Disk {
    files: BTreeMap<PathBuf, Content>,
    full_at: Option<(u64, io::ErrorKind)>,
    faults: Vec<Fault>,
    available: Option<u64>,
    log: Vec<Request>,
    steps: Vec<Step>,
    /// How many files there have been; the next one has this number.
    numbers: usize,
}

impl Disk {
    /// Counts `operation` and returns the fault that applies to it, if any.
    fn strike(&mut self, operation: Operation) -> Option<io::ErrorKind> {
        let mut struck = None;
        self.faults.retain_mut(|fault| {
            if fault.operation != operation {
                return true;
            }
            fault.nth = fault.nth.saturating_sub(1);
            if fault.nth == 0 {
                struck = Some(fault.kind);
            }
            fault.nth > 0
        });
        struck
    }

    /// Makes a file of that name, which no other has any more, and returns its number.
    fn create(&mut self, name: &Path, content: Content) -> usize {
        let file = self.numbers;
        self.numbers += 1;
        self.steps.push(Step { file, change: DiskChange::Create(name.to_owned()) });
        self.files.insert(name.to_owned(), content);
        file
    }

    /// As if by another program, and safe.
    fn create_whole(&mut self, name: &Path, bytes: &[u8]) {
        let file = self.create(name, Arc::new(Mutex::new(bytes.to_owned())));
        let changes = [DiskChange::Write { at: 0, bytes: bytes.to_owned() }, DiskChange::Sync];
        self.steps.extend(changes.map(|change| Step { file, change }));
    }

    /// The first of `names` that no file has.
    fn first_free(&self, name: impl Fn(u32) -> PathBuf) -> io::Result<PathBuf> {
        (1..=u32::MAX)
            .map(name)
            .find(|path| !self.files.contains_key(path))
            .ok_or_else(|| io::ErrorKind::AlreadyExists.into())
    }

    fn name_for(&self, target: &Path, existing: Existing) -> io::Result<PathBuf> {
        match existing {
            Existing::Keep if self.files.contains_key(target) => Err(io::ErrorKind::AlreadyExists.into()),
            Existing::Keep | Existing::Replace => Ok(target.to_owned()),
            Existing::Number => self.first_free(|n| place::numbered(target, n)),
        }
    }
}

/// A disk in memory: holds the files of its spools, logs their requests, and fails on demand.
///
/// A handle; clones are the same disk.
///
/// ```
/// use std::{io::ErrorKind, path::Path};
/// use dictaphone::storage::{MemoryDisk, Operation, Spool as _};
///
/// let disk = MemoryDisk::new();
/// disk.fail(Operation::Append, 2, ErrorKind::StorageFull);
/// let mut spool = disk.spool(Path::new("take.wav"))?;
/// spool.append(b"RIFF")?;
/// assert!(spool.append(b"data").is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk {
    disk: Arc<Mutex<Disk>>,
}

impl MemoryDisk {
    /// An empty disk without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty spool in the first free part file beside `target`, named as [`FileSpool::beside`](crate::storage::FileSpool::beside) would.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if every name is taken.
    pub fn spool(&self, target: &Path) -> io::Result<MemorySpool> {
        let mut disk = locked(&self.disk);
        let path = disk.first_free(|n| place::part_path(&place::numbered(target, n)))?;
        let content = Content::default();
        let file = disk.create(&path, Arc::clone(&content));
        Ok(MemorySpool { content, stage: Stage::Growing, home: Some(Home { disk: self.clone(), path, file }) })
    }

    /// A spool of the file at `path`, with all the bytes it has, as [`FileSpool::reopen`](crate::storage::FileSpool::reopen) would.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none.
    pub fn reopen(&self, path: &Path) -> io::Result<MemorySpool> {
        let mut disk = locked(&self.disk);
        let content = disk.files.get(path).map(Arc::clone).ok_or(io::ErrorKind::NotFound)?;
        // For the order of the writes it is a file of its own, which replaces the old one.
        let bytes = locked(&content).clone();
        disk.create_whole(path, &bytes);
        let file = disk.numbers - 1;
        disk.files.insert(path.to_owned(), Arc::clone(&content));
        Ok(MemorySpool {
            content,
            stage: Stage::Growing,
            home: Some(Home { disk: self.clone(), path: path.to_owned(), file }),
        })
    }

    /// An empty spool in a file of that very name.
    ///
    /// # Errors
    /// None; as every way to make a spool.
    pub fn put_empty(&self, path: &Path) -> io::Result<MemorySpool> {
        self.put(path, b"");
        self.reopen(path)
    }

    /// Makes every file end at `byte`: an append across it writes the bytes below and then fails with `kind` (such as
    /// [`io::ErrorKind::StorageFull`]), and so do all later ones until [`heal`](Self::heal).
    pub fn fill_at(&self, byte: u64, kind: io::ErrorKind) {
        locked(&self.disk).full_at = Some((byte, kind));
    }

    /// Makes the `nth` (from 1) next `operation` fail with `kind` and without any effect; the ones after it succeed.
    pub fn fail(&self, operation: Operation, nth: u64, kind: io::ErrorKind) {
        locked(&self.disk).faults.push(Fault { operation, nth, kind });
    }

    /// Reports that this many bytes are left, which changes nothing else.
    pub fn claim_available(&self, bytes: u64) {
        locked(&self.disk).available = Some(bytes);
    }

    /// Removes all faults.
    pub fn heal(&self) {
        let mut disk = locked(&self.disk);
        disk.full_at = None;
        disk.available = None;
        disk.faults.clear();
    }

    /// Puts a file there, as another program would; replaces what had the name.
    pub fn put(&self, path: &Path, bytes: &[u8]) {
        locked(&self.disk).create_whole(path, bytes);
    }

    /// What the file `path` holds now.
    #[must_use]
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let content = locked(&self.disk).files.get(path).map(Arc::clone)?;
        let bytes = locked(&content).clone();
        Some(bytes)
    }

    /// The names of all files, finished or not, in order.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        locked(&self.disk).files.keys().cloned().collect()
    }

    /// Everything that could be left if the power failed now or after any earlier step, with what was not synced by then
    /// lost, kept or torn in any combination.
    #[must_use]
    pub fn power_cuts(&self) -> Vec<PowerCut> {
        let steps = locked(&self.disk).steps.clone();
        power_cuts(&steps).collect()
    }

    /// Every request so far, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Request> {
        locked(&self.disk).log.clone()
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
