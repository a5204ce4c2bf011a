//! A recording that grows in memory, and a whole disk in memory that fails on demand.
//!
//! [`MemorySpool::new`] is for what is too short for a file, such as one slice of a recording; [`MemoryDisk`] is for
//! tests of everything that writes. Any thread; every call locks for as long as it copies bytes.

use std::{
    collections::BTreeMap,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    Existing, FileSpool, ReadSeek, Spool, place,
    power_cut::{DiskChange, PowerCut, Step, power_cuts},
};

type Content = Arc<Mutex<Vec<u8>>>;

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every critical section leaves whole values behind, whatever panicked in another thread.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a spool can be asked to do to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// [`Spool::append`].
    Append,
    /// [`Spool::patch`].
    Patch,
    /// [`Spool::truncate`].
    Truncate,
    /// [`Spool::sync`].
    Sync,
    /// [`Spool::commit`].
    Commit,
    /// [`Spool::discard`].
    Discard,
}

named! { Operation: Append "append", Patch "patch", Truncate "truncate", Sync "sync", Commit "commit", Discard "discard" }

/// One thing that was asked of a [`MemoryDisk`], whether it succeeded or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// What was asked.
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
    // Counts down; the fault strikes at 1 and is gone.
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
    /// Counts `operation` and tells whether a fault strikes it.
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

    /// As another program would, and safe.
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

/// A disk in memory: holds the files of its spools, writes down what they ask, and fails when told to.
///
/// A handle; clones are the same disk.
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

    /// An empty spool in the first free part file beside `target`, named as [`FileSpool::beside`] would.
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

    /// A spool of the file at `path`, with all the bytes it has, as [`FileSpool::reopen`] would.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none.
    pub fn reopen(&self, path: &Path) -> io::Result<MemorySpool> {
        let mut disk = locked(&self.disk);
        let content = disk.files.get(path).map(Arc::clone).ok_or(io::ErrorKind::NotFound)?;
        // For the order of the writes it is a file of its own, which takes the place of the old one.
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

    /// Lets every file end at `byte`: an append across it writes the bytes below and then fails with `kind` (such as
    /// [`io::ErrorKind::StorageFull`]), and so do all later ones until [`heal`](Self::heal).
    pub fn fill_at(&self, byte: u64, kind: io::ErrorKind) {
        locked(&self.disk).full_at = Some((byte, kind));
    }

    /// Lets the `nth` (from 1) next `operation` fail with `kind` and without any effect; the ones after it succeed.
    pub fn fail(&self, operation: Operation, nth: u64, kind: io::ErrorKind) {
        locked(&self.disk).faults.push(Fault { operation, nth, kind });
    }

    /// Says that so many bytes are left, which changes nothing else.
    pub fn claim_available(&self, bytes: u64) {
        locked(&self.disk).available = Some(bytes);
    }

    /// Takes all faults back.
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

    /// Everything that was asked so far, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Request> {
        locked(&self.disk).log.clone()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Growing,
    Finished,
    Discarded,
}

/// A [`Spool`] in memory.
///
/// One from [`new`](Self::new) commits into a real file and is gone when dropped; one from [`MemoryDisk::spool`]
/// commits on that disk and keeps its part file there when dropped.
#[derive(Debug)]
pub struct MemorySpool {
    content: Content,
    stage: Stage,
    home: Option<Home>,
}

/// Where a spool's file is.
#[derive(Debug)]
struct Home {
    disk: MemoryDisk,
    path: PathBuf,
    /// Its number among the steps.
    file: usize,
}

impl Home {
    fn note(&self, change: DiskChange) {
        locked(&self.disk.disk).steps.push(Step { file: self.file, change });
    }
}

impl Default for MemorySpool {
    fn default() -> Self {
        Self::new()
    }
}

impl MemorySpool {
    /// An empty spool of its own.
    #[must_use]
    pub fn new() -> Self {
        Self { content: Content::default(), stage: Stage::Growing, home: None }
    }

    /// Runs `change` unless a fault strikes, and writes down how it went. `at` may look at the length.
    fn request<T>(
        &mut self,
        operation: Operation,
        at: u64,
        bytes: usize,
        change: impl FnOnce(&mut Self, Option<(u64, io::ErrorKind)>) -> io::Result<T>,
    ) -> io::Result<T> {
        match self.stage {
            Stage::Growing => {}
            Stage::Finished if operation == Operation::Commit => {}
            Stage::Finished => return Err(invalid("the recording is already saved")),
            Stage::Discarded => return Err(invalid("the recording was thrown away")),
        }
        let Some(disk) = self.home.as_ref().map(|home| Arc::clone(&home.disk.disk)) else {
            return change(self, None);
        };
        let (struck, full_at) = {
            let mut disk = locked(&disk);
            (disk.strike(operation), disk.full_at)
        };
        let outcome = match struck {
            Some(kind) => Err(kind.into()),
            None => change(self, full_at),
        };
        let failed = outcome.as_ref().err().map(io::Error::kind);
        locked(&disk).log.push(Request { operation, at, bytes: bytes as u64, failed });
        outcome
    }

    /// Writes down what was done to the file, if it is on a disk.
    fn note(&self, change: impl FnOnce() -> DiskChange) {
        if let Some(home) = &self.home {
            home.note(change());
        }
    }

    fn commit_into_file(&self, target: &Path, existing: Existing) -> io::Result<PathBuf> {
        let mut file = FileSpool::beside(target)?;
        let outcome = file.append(&locked(&self.content)).and_then(|()| file.commit(target, existing));
        if outcome.is_err() {
            // The bytes are still in memory; the first error is the one to tell.
            let _ = file.discard();
        }
        outcome
    }
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

impl Spool for MemorySpool {
    fn len(&self) -> u64 {
        locked(&self.content).len() as u64
    }

    /// # Errors
    /// [`io::ErrorKind::OutOfMemory`], and the faults of the disk.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.request(Operation::Append, self.len(), bytes.len(), |spool, full_at| {
            let mut content = locked(&spool.content);
            let full = full_at.map(|(end, kind)| (usize::try_from(end).unwrap_or(usize::MAX), kind));
            let room = full.map_or(usize::MAX, |(end, _)| end.saturating_sub(content.len()));
            let fitting = bytes.get(..room).unwrap_or(bytes);
            content.try_reserve(fitting.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
            let at = content.len() as u64;
            content.extend_from_slice(fitting);
            drop(content);
            spool.note(|| DiskChange::Write { at, bytes: fitting.to_owned() });
            match full {
                Some((_, kind)) if fitting.len() < bytes.len() => Err(kind.into()),
                _ => Ok(()),
            }
        })
    }

    fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.request(Operation::Patch, at, bytes.len(), |spool, _| {
            let start = usize::try_from(at).ok();
            let end = start.and_then(|start| start.checked_add(bytes.len()));
            let mut content = locked(&spool.content);
            let place = start.zip(end).and_then(|(start, end)| content.get_mut(start..end));
            let place = place.ok_or_else(|| invalid("patch beyond the end of the recording"))?;
            place.copy_from_slice(bytes);
            drop(content);
            spool.note(|| DiskChange::Write { at, bytes: bytes.to_owned() });
            Ok(())
        })
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.request(Operation::Truncate, len, 0, |spool, _| {
            locked(&spool.content).truncate(usize::try_from(len).unwrap_or(usize::MAX));
            spool.note(|| DiskChange::Truncate(len));
            Ok(())
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.request(Operation::Sync, 0, 0, |spool, _| {
            spool.note(|| DiskChange::Sync);
            Ok(())
        })
    }

    fn reader(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(Reader { content: Arc::clone(&self.content), position: 0 }))
    }

    /// As the trait says; a spool without a disk writes a real file then, as [`FileSpool`] does.
    fn commit(&mut self, target: &Path, existing: Existing) -> io::Result<PathBuf> {
        if target.file_name().is_none() {
            return Err(invalid("the path ends in no file name"));
        }
        self.request(Operation::Commit, 0, 0, |spool, _| {
            let path = match &mut spool.home {
                None => spool.commit_into_file(target, existing)?,
                Some(Home { disk, path, file }) => {
                    let mut disk = locked(&disk.disk);
                    let name = disk.name_for(target, existing)?;
                    if spool.stage == Stage::Finished {
                        let copy = locked(&spool.content).clone();
                        disk.create_whole(&name, &copy);
                        return Ok(name);
                    }
                    disk.files.remove(path);
                    disk.files.insert(name.clone(), Arc::clone(&spool.content));
                    let changes = [DiskChange::Sync, DiskChange::Rename(name.clone())];
                    disk.steps.extend(changes.map(|change| Step { file: *file, change }));
                    path.clone_from(&name);
                    name
                }
            };
            spool.stage = Stage::Finished;
            Ok(path)
        })
    }

    fn discard(&mut self) -> io::Result<()> {
        if self.stage == Stage::Discarded {
            return Ok(());
        }
        self.request(Operation::Discard, 0, 0, |spool, _| {
            if let Some(Home { disk, path, .. }) = &spool.home {
                locked(&disk.disk).files.remove(path);
            }
            spool.note(|| DiskChange::Remove);
            spool.content = Content::default();
            spool.stage = Stage::Discarded;
            Ok(())
        })
    }

    fn available_bytes(&self) -> Option<u64> {
        locked(&self.home.as_ref()?.disk.disk).available
    }

    /// The file on the disk in memory; `None` without one.
    fn path(&self) -> Option<PathBuf> {
        if self.stage == Stage::Discarded { None } else { self.home.as_ref().map(|home| home.path.clone()) }
    }

    fn is_on_disk(&self) -> bool {
        false
    }
}

/// Reads shared content from the start; sees what is appended meanwhile.
#[derive(Debug)]
struct Reader {
    content: Content,
    position: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let content = locked(&self.content);
        let start = usize::try_from(self.position).unwrap_or(usize::MAX);
        let count = content.get(start..).unwrap_or_default().read(buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => (locked(&self.content).len() as u64).checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| invalid("seek to a position before the start"))?;
        Ok(self.position)
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
