//! A recording that grows in a file: beside its target under a hidden name, or in the temporary folder.
//!
//! How a name is taken (`publish`), how a file is claimed (`unfinished`), and what the bytes mean is not handled here.
//! Run by the pump thread while recording and by the finishing thread afterwards.

use std::{
    env,
    fs::{File, Metadata},
    hash::{BuildHasher, RandomState},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{
    Existing, ReadSeek, Spool,
    place::Hidden,
    positioned::{self, Reader, write_all_counted},
    presence::{self, Home},
    publish::{self, create_folder, folder_of, sync_folder},
    space,
    unfinished::{self, is_at, remove_if_at},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Growing,
    Finished,
    Discarded,
}

/// A [`Spool`] in a file of its own.
///
/// While it grows, the file is locked exclusively (`flock`; on Windows by its sharing mode) and
/// readable by any player. The lock ends with the commit, the spool, or the process. A spool that is dropped keeps its
/// file, so that nothing is lost when a program ends early; only a temporary one removes it.
///
/// ```no_run
/// use std::path::Path;
/// use dictaphone::storage::{Existing, FileSpool, Spool as _};
///
/// let mut spool = FileSpool::beside(Path::new("take.raw"))?;
/// spool.append(&[0; 960])?;
/// // Synced and complete, or not there at all; takes `take-2.raw` if the name is taken.
/// let path = spool.commit(Path::new("take.raw"), Existing::Number)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct FileSpool {
    file: File,
    path: PathBuf,
    kind: Hidden,
    home: Home,
    len: u64,
    stage: Stage,
    is_temporary: bool,
    // After a failed fsync the system no longer reports which bytes did not reach the disk, and the next fsync reports
    // success.
    has_failed_to_sync: bool,
    // The target for which the file already has its final name, when only the folder could not be synced.
    renamed_for: Option<PathBuf>,
}

impl FileSpool {
    /// An empty spool in the hidden file `.NAME.EXT.part` beside `target`, whose folder is created if missing.
    ///
    /// A file that already has this name belongs to another recorder or to a recording that was cut off; it is not
    /// touched, and `.NAME-2.EXT.part`, `.NAME-3.EXT.part` … are tried instead. On a file system without locks the file
    /// is not locked.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] if `target` ends in no name; [`io::ErrorKind::NotADirectory`] if a file is where
    /// its folder should be; else those of the file system.
    pub fn beside(target: &Path) -> io::Result<Self> {
        Self::hidden_beside(target, Hidden::Part)
    }

    /// As [`beside`](Self::beside), for results made from sound that stays where it is: if the process is killed, the
    /// file is not taken for a recording, and `recover` removes it.
    ///
    /// # Errors
    /// Those of [`beside`](Self::beside).
    pub fn draft_beside(target: &Path) -> io::Result<Self> {
        Self::hidden_beside(target, Hidden::Draft)
    }

    pub(super) fn hidden_beside(target: &Path, kind: Hidden) -> io::Result<Self> {
        check_has_name(target)?;
        // The file must be found again when the working directory has changed.
        let target = std::path::absolute(target)?;
        create_folder(folder_of(&target))?;
        let (file, path) = unfinished::create_beside(&target, kind)?;
        let mut spool = Self::new(file, path, 0);
        spool.kind = kind;
        Ok(spool)
    }

    /// An empty spool in a file in the system's temporary folder, which is removed when the spool is dropped without a
    /// commit. A commit to another file system copies it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn temporary() -> io::Result<Self> {
        // A name that other users cannot predict, so that they cannot take it first.
        let unforeseen = RandomState::new().hash_one(std::process::id());
        let mut spool = Self::beside(&env::temp_dir().join(format!("recording-{unforeseen:016x}")))?;
        spool.is_temporary = true;
        Ok(spool)
    }

    /// The spool of an unfinished recording that another process left at `part`, with all the bytes it has.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] while another process is recording into it; [`io::ErrorKind::NotFound`] if it is
    /// gone or was finished just now; [`io::ErrorKind::InvalidInput`] if it is not an ordinary file;
    /// [`io::ErrorKind::Unsupported`] if the file system has no locks, so that this cannot be determined; else those of
    /// the file system. A symbolic link is an error.
    pub fn reopen(part: &Path) -> io::Result<Self> {
        let path = std::path::absolute(part)?;
        let file = unfinished::reopen(&path)?;
        let len = file.metadata()?.len();
        Ok(Self::new(file, path, len))
    }

    /// The file system's metadata of the open file: owner, times, real length.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Sets the time of the last change, also of a file that is already finished.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        self.file.set_modified(time)
    }

    fn new(file: File, path: PathBuf, len: u64) -> Self {
        let stage = Stage::Growing;
        let (kind, home) = (Hidden::Part, Home::of(&path));
        Self { file, path, kind, home, len, stage, is_temporary: false, has_failed_to_sync: false, renamed_for: None }
    }

    fn check_growing(&self) -> io::Result<()> {
        match self.stage {
            Stage::Growing => Ok(()),
            Stage::Finished => Err(invalid("the recording is already saved")),
            Stage::Discarded => Err(thrown_away()),
        }
    }

    /// Gives the file its final name. After an error it has its old one, and the old bytes.
    fn publish(&mut self, target: &Path, existing: Existing) -> io::Result<PathBuf> {
        // A failed append may have left bytes that were never counted.
        if self.file.metadata()?.len() > self.len {
            self.file.set_len(self.len)?;
        }
        if self.has_failed_to_sync {
            return self.publish_copy(target, existing);
        }
        self.file.sync_all().inspect_err(|_| self.has_failed_to_sync = true)?;
        if !is_at(&self.file, &self.path) {
            // The hidden file was removed or moved; the bytes still exist in the open one.
            return self.publish_copy(target, existing);
        }
        match publish::rename(&self.path, target, existing) {
            Ok(name) => {
                self.is_temporary = false;
                Ok(name)
            }
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => self.publish_copy(target, existing),
            Err(error) => Err(error),
        }
    }

    /// Saves a copy and continues with it; the original is removed when the copy is safe.
    fn publish_copy(&mut self, target: &Path, existing: Existing) -> io::Result<PathBuf> {
        let (copy, saved) = self.copy_to(target, existing)?;
        // The original may be removed only when the copy has a safe name. If the folder fails, both stay.
        sync_folder(folder_of(target))?;
        let _ = remove_if_at(&self.file, &self.path);
        unfinished::unlock(&self.file);
        self.file = copy;
        self.has_failed_to_sync = false;
        self.is_temporary = false;
        Ok(saved)
    }

    /// Saves a copy; it is still locked.
    fn copy_to(&self, target: &Path, existing: Existing) -> io::Result<(File, PathBuf)> {
        let (copy, part) = unfinished::create_beside(target, self.kind)?;
        let saved = positioned::copy(&self.file, self.len, &copy)
            .and_then(|()| copy.sync_all())
            .and_then(|()| publish::rename(&part, target, existing))
            .inspect_err(|_| {
                // The first error is the one to report.
                let _ = remove_if_at(&copy, &part);
            })?;
        Ok((copy, saved))
    }

    /// Saves another file of what is saved already.
    fn commit_again(&self, target: &Path, existing: Existing) -> io::Result<PathBuf> {
        let (copy, saved) = self.copy_to(target, existing)?;
        unfinished::unlock(&copy);
        sync_folder(folder_of(target))?;
        Ok(saved)
    }

    fn finish(&mut self) {
        self.stage = Stage::Finished;
        unfinished::unlock(&self.file);
    }
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

fn thrown_away() -> io::Error {
    invalid("the recording was thrown away")
}

fn check_has_name(target: &Path) -> io::Result<()> {
    target.file_name().map(|_| ()).ok_or_else(|| invalid("the path ends in no file name"))
}

impl Spool for FileSpool {
    fn len(&self) -> u64 {
        self.len
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.check_growing()?;
        write_all_counted(bytes, &mut self.len, |bytes, at| positioned::write_at(&self.file, bytes, at))
    }

    fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.check_growing()?;
        let end = at.checked_add(bytes.len() as u64);
        if end.is_none_or(|end| end > self.len) {
            return Err(invalid("patch beyond the end of the recording"));
        }
        let mut position = at;
        write_all_counted(bytes, &mut position, |bytes, at| positioned::write_at(&self.file, bytes, at))
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.check_growing()?;
        if len < self.len {
            self.file.set_len(len)?;
            self.len = len;
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.check_growing()?;
        self.file.sync_data().inspect_err(|_| self.has_failed_to_sync = true)
    }

    fn reader(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(Reader::new(self.file.try_clone()?)))
    }

    /// As documented at the trait, and: where the disk has gone away, nothing is saved under its name on another one;
    /// else missing folders are created; a target on another file system gets a copy; a hidden file that was removed
    /// meanwhile is written anew; after an fsync that failed the bytes are copied, because a second fsync would report
    /// success without having written them.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] with [`Existing::Keep`]; [`io::ErrorKind::IsADirectory`] when
    /// [`Existing::Replace`] would replace a folder; [`io::ErrorKind::InvalidInput`] if `target` ends in no name; else
    /// those of the file system. If only the folder could not be synced, the file may already have its final name,
    /// which [`path`](Spool::path) then returns; another commit to the same target completes it.
    fn commit(&mut self, target: &Path, existing: Existing) -> io::Result<PathBuf> {
        if self.stage == Stage::Discarded {
            return Err(thrown_away());
        }
        check_has_name(target)?;
        if self.is_away() && std::path::absolute(target)?.parent() == self.path.parent() {
            return Err(presence::is_gone());
        }
        create_folder(folder_of(target))?;
        if self.stage == Stage::Finished {
            return self.commit_again(target, existing);
        }
        if self.renamed_for.as_deref() != Some(target) {
            self.path = self.publish(target, existing)?;
            self.renamed_for = Some(target.to_owned());
        }
        sync_folder(folder_of(target))?;
        self.finish();
        Ok(self.path.clone())
    }

    fn discard(&mut self) -> io::Result<()> {
        if self.stage == Stage::Discarded {
            return Ok(());
        }
        self.check_growing()?;
        remove_if_at(&self.file, &self.path)?;
        self.len = 0;
        self.stage = Stage::Discarded;
        unfinished::unlock(&self.file);
        Ok(())
    }

    fn available_bytes(&self) -> Option<u64> {
        space::available_bytes(&self.path)
    }

    fn path(&self) -> Option<PathBuf> {
        (self.stage != Stage::Discarded).then(|| self.path.clone())
    }

    fn is_away(&self) -> bool {
        self.stage != Stage::Discarded && !is_at(&self.file, &self.path) && self.home.check(&self.path).is_err()
    }
}

impl Drop for FileSpool {
    fn drop(&mut self) {
        if self.is_temporary && self.stage == Stage::Growing {
            let _ = remove_if_at(&self.file, &self.path);
        }
        // Readers may outlive the spool, and their handles would keep the lock.
        unfinished::unlock(&self.file);
    }
}

#[cfg(test)]
#[path = "spool_tests.rs"]
mod tests;
