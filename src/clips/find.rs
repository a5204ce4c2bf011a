//! Which recordings were left unfinished: reads folders and files, and changes nothing.
//!
//! In a folder only the hidden files of this program count, because the user named no other file there. Their content
//! is checked in [`repair`]. Run by any thread but a realtime one.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::format::{self, START_BYTES};
use crate::{
    error::{Error, ErrorKind, Result},
    storage::{FileSpool, place, writers},
};

/// What kind of file an unfinished recording is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The hidden file `.NAME.EXT.part` of this program; finished, it has the name `target`.
    Part {
        /// Path of the finished recording, if that name is free.
        target: PathBuf,
    },
    /// A file that was named by the user; it keeps its name.
    Named,
}

named! { Kind: Part "part", Named "named" }

/// A recording whose writer is gone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unfinished {
    /// Where it is.
    pub path: PathBuf,
    /// What kind of file it is.
    pub kind: Kind,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Recordings whose writer is gone, by path.
    pub unfinished: Vec<Unfinished>,
    /// Recordings that are still being written; they are not touched.
    pub being_written: Vec<PathBuf>,
    /// Files and folders that could not be examined, and why.
    pub failed: Vec<(PathBuf, Error)>,
}

/// Looks for unfinished recordings in `paths`: in folders (not in those below them) for hidden files of this program;
/// files are accepted as they are, whichever program wrote them.
///
/// What cannot be read is noted, and the search goes on. A symbolic link that is not itself a folder in `paths` is not
/// followed.
#[must_use]
pub fn find(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    let mut seen = BTreeSet::new();
    for path in paths {
        // Only a folder may be reached by a link: its name was typed, not planted.
        match files_at(path) {
            Ok(files) => {
                for file in files.into_iter().filter(|file| seen.insert(file.path.clone())) {
                    found.look_at(file);
                }
            }
            Err(error) => found.fail(path, error),
        }
    }
    found.unfinished.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

impl Found {
    fn look_at(&mut self, file: Unfinished) {
        match claim(&file) {
            Ok(_) => self.unfinished.push(file),
            Err(error) if error.io_kind() == Some(io::ErrorKind::WouldBlock) => self.being_written.push(file.path),
            // Finished or removed since the folder was read.
            Err(error) if is_gone(&error, &file.kind) => {}
            Err(error) => self.failed.push((file.path, error)),
        }
    }

    fn fail(&mut self, path: &Path, error: io::Error) {
        let error = Error::from_io(error, format!("cannot look into {}", path.display()));
        self.failed.push((path.to_owned(), error));
    }
}

/// Whether a file that was found in a folder is not there any more. A file that the user named is reported as missing.
pub(super) fn is_gone(error: &Error, kind: &Kind) -> bool {
    error.io_kind() == Some(io::ErrorKind::NotFound) && *kind != Kind::Named
}

/// The file itself, or the hidden files of a folder.
fn files_at(path: &Path) -> io::Result<Vec<Unfinished>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![Unfinished { path: path.to_owned(), kind: kind_of(path) }]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        if let Some(target) = target_of_recording(&path) {
            files.push(Unfinished { path, kind: Kind::Part { target } });
        }
    }
    Ok(files)
}

/// What becomes of `path`, if that is an unfinished recording of this program: an ordinary file, not a link, a pipe or a
/// folder, and not a file that another program hides under a name like that.
pub(super) fn target_of_recording(path: &Path) -> Option<PathBuf> {
    let target = place::target_of_part(path)?;
    let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    (is_file && is_recording(path, &target)).then_some(target)
}

fn kind_of(path: &Path) -> Kind {
    place::target_of_part(path).map_or(Kind::Named, |target| Kind::Part { target })
}

/// Whether the hidden file for `target` is of a kind that is recorded here. Without permission to read it: by its name.
fn is_recording(path: &Path, target: &Path) -> bool {
    use io::Read;
    let mut start = Vec::new();
    if let Ok(file) = fs::File::open(path) {
        // What cannot be read is judged by its name.
        let _ = file.take(START_BYTES).read_to_end(&mut start);
    }
    format::is_known(&start, extension(target))
}

/// The extension of the finished file, if it is Unicode.
pub(super) fn extension(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

/// Takes the file over: no other process is writing it, and none recovers it until the spool is dropped.
///
/// # Errors
/// With [`io::ErrorKind::WouldBlock`] underneath while a process writes it; [`ErrorKind::NotAllowed`] if it belongs to
/// another user; else those of [`FileSpool::reopen`].
pub(super) fn claim(file: &Unfinished) -> Result<FileSpool> {
    let failed = |error| Error::from_io(error, format!("cannot recover {}", file.path.display()));
    let refuse = |kind, what: &str| Error::new(kind, format!("cannot recover {}: {what}", file.path.display()));
    let there = fs::symlink_metadata(&file.path).map_err(failed)?;
    if there.is_symlink() {
        return Err(refuse(ErrorKind::InvalidData, "it is a symbolic link, name the file itself"));
    }
    if !there.is_file() {
        return Err(refuse(ErrorKind::InvalidData, "it is not an ordinary file"));
    }
    // If it becomes something else only now, this fails.
    let spool = FileSpool::reopen(&file.path).map_err(failed)?;
    let metadata = spool.metadata().map_err(failed)?;
    if !is_ours(&metadata) {
        return Err(refuse(ErrorKind::NotAllowed, "it belongs to another user"));
    }
    // The lock of this program's own recordings is proof; other recorders do not lock their files.
    if file.kind == Kind::Named && writers::is_written_by_others(&metadata, SystemTime::now()).map_err(failed)? {
        return Err(failed(io::ErrorKind::WouldBlock.into()));
    }
    Ok(spool)
}

/// Whether the file belongs to this user. In a folder for everybody, such as `/tmp`, others could plant files.
#[cfg(unix)]
fn is_ours(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let user = rustix::process::geteuid();
    user.is_root() || metadata.uid() == user.as_raw()
}

#[cfg(not(unix))]
fn is_ours(_metadata: &fs::Metadata) -> bool {
    true
}
