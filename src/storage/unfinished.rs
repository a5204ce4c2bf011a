//! Opening the file of an unfinished recording so that exactly one process owns it. Any thread.
//!
//! The process that holds the lock on the file *that its name leads to* owns it; a lock on a file whose name meanwhile
//! leads elsewhere is worth nothing, so every claim checks the name again after locking. The locks are those of
//! `flock`: advisory, of the open file, gone with its last handle even when the process is killed.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::place::{self, Hidden};

/// How many names are tried before a folder counts as full of them.
pub(super) const NAMES_MAX: u32 = 99_999;

/// Creates and claims the first free hidden file of that kind for `target`; its folder must exist.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if every name is taken; else those of the file system.
pub(super) fn create_beside(target: &Path, kind: Hidden) -> io::Result<(File, PathBuf)> {
    for n in 1..=NAMES_MAX {
        let path = place::hidden_path(&place::numbered(target, n), kind);
        match create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            outcome => return outcome.map(|file| (file, path)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Creates and claims the file `path`.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if anything has that name, a symbolic link to nowhere included, or if another
/// process claimed the new file first; else those of the file system.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let file = options().create_new(true).open(path)?;
    match lock(&file) {
        Ok(()) if is_at(&file, path) => Ok(file),
        // A process that searches for unfinished recordings was faster. The empty file belongs to it now.
        Ok(()) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::ErrorKind::AlreadyExists.into()),
        // Recording without a lock is better than not recording.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
        Err(error) => {
            remove_if_at(&file, path)?;
            Err(error)
        }
    }
}

/// Opens and claims the existing file `path`.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] while another process writes it; [`io::ErrorKind::NotFound`] if it is gone or was just
/// finished; [`io::ErrorKind::InvalidInput`] if it is not an ordinary file; [`io::ErrorKind::Unsupported`] where the
/// file system has no locks and so this cannot be determined; else those of the file system.
pub(super) fn reopen(path: &Path) -> io::Result<File> {
    let file = options().open(path).map_err(claimed)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not an ordinary file"));
    }
    lock(&file)?;
    if is_at(&file, path) { Ok(file) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// An empty file that is younger than this may be one that its recorder has yet to lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether a recorder is still writing the unfinished recording at `part`. Claims nothing.
///
/// Without locks on the file system this cannot be determined; then the result is true.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] if it is gone; [`io::ErrorKind::InvalidInput`] if it is not an ordinary file; else those
/// of the file system.
pub fn is_being_written(part: &Path) -> io::Result<bool> {
    let file = match read_options().open(part).map_err(claimed) {
        // Where a sharing mode is the lock, it may exclude readers of another version.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
        outcome => outcome?,
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not an ordinary file"));
    }
    // Testing the lock of a new file could prevent its recorder from locking it.
    let age = metadata.modified()?.elapsed().unwrap_or_default();
    if metadata.len() == 0 && age < LOCK_TIMEOUT {
        return Ok(true);
    }
    is_locked(&file, part)
}

#[cfg(unix)]
fn read_options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags.bits().cast_signed());
    options
}

#[cfg(not(unix))]
fn read_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    options
}

#[cfg(unix)]
fn is_locked(file: &File, _part: &Path) -> io::Result<bool> {
    use rustix::{
        fs::{FlockOperation, flock},
        io::Errno,
    };
    // Shared, so that processes which test it do not affect each other.
    match rustix::io::retry_on_intr(|| flock(file, FlockOperation::NonBlockingLockShared)) {
        Ok(()) => {
            unlock(file);
            Ok(false)
        }
        // Locked, or a file system without locks. Two of the names are one error on some systems.
        Err(errno)
            if [Errno::WOULDBLOCK, Errno::NOLCK, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP, Errno::INVAL]
                .contains(&errno) =>
        {
            Ok(true)
        }
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(not(unix))]
fn is_locked(_file: &File, part: &Path) -> io::Result<bool> {
    // The writer shares reading and renaming only.
    match OpenOptions::new().write(true).open(part) {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
        Err(_) => Ok(true),
    }
}

/// Whether `path` itself (not what a link there points to) is the open `file`.
#[cfg(unix)]
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

// The standard library has no file identity here; the sharing mode prevents others from writing a file of this name.
#[cfg(not(unix))]
pub(super) fn is_at(_file: &File, path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|named| named.is_file())
}

/// Removes `path` if it is the open `file`, and leaves alone anything else of that name.
///
/// # Errors
/// Those of the removal.
pub(super) fn remove_if_at(file: &File, path: &Path) -> io::Result<()> {
    if is_at(file, path) { fs::remove_file(path) } else { Ok(()) }
}

#[cfg(unix)]
fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    // Without NONBLOCK a pipe of that name would hang the program.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(flags.bits().cast_signed());
    options
}

#[cfg(windows)]
fn options() -> OpenOptions {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_SHARE_READ: u32 = 1;
    const FILE_SHARE_DELETE: u32 = 4;
    let mut options = OpenOptions::new();
    // Other processes may read and rename but not write: that is the lock.
    options.read(true).write(true).share_mode(FILE_SHARE_READ | FILE_SHARE_DELETE);
    options
}

/// A sharing mode that acts as a lock fails with an error of its own.
#[cfg(windows)]
fn claimed(error: io::Error) -> io::Error {
    const ERROR_SHARING_VIOLATION: i32 = 32;
    if error.raw_os_error() == Some(ERROR_SHARING_VIOLATION) { io::ErrorKind::WouldBlock.into() } else { error }
}

#[cfg(not(windows))]
fn claimed(error: io::Error) -> io::Error {
    error
}

// Not `File::try_lock`, which is younger than the oldest compiler this builds with; it takes the same lock.
#[cfg(unix)]
fn lock(file: &File) -> io::Result<()> {
    use rustix::{
        fs::{FlockOperation, flock},
        io::Errno,
    };
    rustix::io::retry_on_intr(|| flock(file, FlockOperation::NonBlockingLockExclusive)).map_err(|errno| {
        let lacking = [Errno::NOLCK, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP, Errno::INVAL];
        if lacking.contains(&errno) { io::ErrorKind::Unsupported.into() } else { errno.into() }
    })
}

#[cfg(not(unix))]
fn lock(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Releases the lock, also when readers still have duplicates of the handle.
#[cfg(unix)]
pub(super) fn unlock(file: &File) {
    // If there is no lock to release there was none.
    let _ = rustix::io::retry_on_intr(|| rustix::fs::flock(file, rustix::fs::FlockOperation::Unlock));
}

#[cfg(not(unix))]
pub(super) fn unlock(_file: &File) {}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn a_new_file_has_the_permissions_that_the_user_gives_new_files_and_is_locked() {
        let folder = tempfile::tempdir().unwrap();
        let (file, path) = create_beside(&folder.path().join("take.wav"), Hidden::Part).unwrap();
        assert_eq!(path, folder.path().join(".take.wav.part"));
        let usual = File::create(folder.path().join("usual")).unwrap().metadata().unwrap().mode();
        assert_eq!(file.metadata().unwrap().mode(), usual);
        assert_eq!(lock(&File::open(&path).unwrap()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(reopen(&path).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(file);
        reopen(&path).unwrap();
    }

    #[test]
    fn unlocking_reaches_duplicates() {
        let folder = tempfile::tempdir().unwrap();
        let (file, path) = create_beside(&folder.path().join("take.wav"), Hidden::Part).unwrap();
        let duplicate = file.try_clone().unwrap();
        unlock(&file);
        reopen(&path).unwrap();
        drop(duplicate);
    }

    #[test]
    fn a_symbolic_link_is_neither_followed_nor_touched() {
        let folder = tempfile::tempdir().unwrap();
        let (planted, outside) = (folder.path().join(".take.wav.part"), folder.path().join("outside"));
        symlink(&outside, &planted).unwrap();
        let (_file, path) = create_beside(&folder.path().join("take.wav"), Hidden::Part).unwrap();
        assert_eq!(path, folder.path().join(".take-2.wav.part"));
        assert!(!outside.exists());
        fs::write(&outside, "precious").unwrap();
        // Refused when opening: its target was not even locked for a moment.
        assert_eq!(reopen(&planted).unwrap_err().raw_os_error(), Some(rustix::io::Errno::LOOP.raw_os_error()));
        assert_eq!(fs::read(&outside).unwrap(), b"precious");
        assert_eq!(fs::read_link(&planted).unwrap(), outside);
    }

    #[test]
    fn only_ordinary_files_are_reopened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join(".pipe.part");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert_eq!(reopen(&pipe).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(reopen(folder.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(reopen(&folder.path().join("no")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_file_is_only_at_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let (file, path) = create_beside(&folder.path().join("take.wav"), Hidden::Part).unwrap();
        assert!(is_at(&file, &path));
        let moved = folder.path().join("moved");
        fs::rename(&path, &moved).unwrap();
        symlink(&moved, &path).unwrap();
        assert!(!is_at(&file, &path));
        remove_if_at(&file, &path).unwrap();
        assert!(path.is_symlink());
        remove_if_at(&file, &moved).unwrap();
        assert!(!moved.exists());
    }

    #[test]
    fn whoever_wins_the_race_for_a_new_file_owns_it_alone() {
        // Recovering threads that reopen, lock and delete whatever they find, against recorders that create.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".take.wav.part");
        std::thread::scope(|scope| {
            let creator = scope.spawn(|| {
                for _ in 0..2_000 {
                    if let Ok(file) = create(&path) {
                        assert!(is_at(&file, &path));
                        fs::remove_file(&path).unwrap();
                    }
                }
            });
            while !creator.is_finished() {
                if let Ok(file) = reopen(&path) {
                    assert!(is_at(&file, &path));
                    fs::remove_file(&path).unwrap();
                }
            }
        });
    }
}
