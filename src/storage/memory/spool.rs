//! A spool in memory: alone, or a file of a [`MemoryDisk`](super::MemoryDisk).

use std::{
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Content, MemoryDisk, Operation, Request, locked};
use crate::storage::{
    Existing, FileSpool, ReadSeek, Spool,
    power_cut::{DiskChange, Step},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
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
    pub(super) content: Content,
    pub(super) stage: Stage,
    pub(super) home: Option<Home>,
}

/// Where a spool's file is.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) disk: MemoryDisk,
    pub(super) path: PathBuf,
    /// Its number among the steps.
    pub(super) file: usize,
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

    /// Runs `change` unless a fault applies, and logs the outcome. `at` may use the length.
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

    /// Logs a change of the file, if it is on a disk.
    fn note(&self, change: impl FnOnce() -> DiskChange) {
        if let Some(home) = &self.home {
            home.note(change());
        }
    }

    fn commit_into_file(&self, target: &Path, existing: Existing) -> io::Result<PathBuf> {
        let mut file = FileSpool::beside(target)?;
        let outcome = file.append(&locked(&self.content)).and_then(|()| file.commit(target, existing));
        if outcome.is_err() {
            // The bytes are still in memory; the first error is the one to report.
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

    /// As documented at the trait; a spool without a disk writes a real file then, as [`FileSpool`] does.
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

/// Reads shared content from the start; includes what is appended meanwhile.
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
