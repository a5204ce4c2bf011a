//! Bytes to durable storage: the unfinished file of a recording, and how it becomes a finished one.
//!
//! Nothing here depends on a sound format.

mod drafts;
pub(crate) mod memory;
mod owner;
pub mod place;
mod positioned;
mod power_cut;
pub mod presence;
mod publish;
pub(crate) mod space;
pub(crate) mod spool;
mod twin;
mod twin_spool;
pub(crate) mod undo;
mod unfinished;
pub(crate) mod writers;

use std::{
    io::{self, Read, Seek},
    path::{Path, PathBuf},
};

pub(crate) use drafts::remove_drafts;
pub use memory::{MemoryDisk, MemorySpool, Operation};
pub use power_cut::PowerCut;
pub use space::available_bytes;
pub use spool::FileSpool;
pub(crate) use twin::keep_twin;
pub use twin_spool::{Twin, TwinFailure, TwinSpool};
pub use unfinished::is_being_written;

/// A reader that can seek, as blobs hand it out.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// What to do when the target of a commit already exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Existing {
    /// Fail with [`io::ErrorKind::AlreadyExists`]; both files stay as they are.
    Keep,
    /// Leave it and take the first free name with `-2`, `-3` … before the extension.
    Number,
    /// Replace it, at once and only when the new file is safe.
    Replace,
}

named! { Existing: Keep "keep", Number "number", Replace "replace" }

/// Gives the file `from` the name `to`, or with [`Existing::Number`] the first free numbered one, and returns it.
///
/// A symbolic link itself is renamed. A file that is open stays open.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if no name is free; [`io::ErrorKind::IsADirectory`] when a folder would have to be
/// replaced; [`io::ErrorKind::CrossesDevices`] between file systems; else those of the file system. Then `from` has its
/// old name.
pub fn rename(from: &Path, to: &Path, existing: Existing) -> io::Result<PathBuf> {
    let name = publish::rename(from, to, existing)?;
    // The file has its name. That a power cut could still undo it is no reason to report a failure.
    let _ = publish::sync_folder(publish::folder_of(&name));
    Ok(name)
}

/// The bytes of one recording while it grows.
///
/// Appends and patches go where the implementation keeps them; `commit` turns the whole into a finished file. Run by
/// the pump thread, later by the finishing thread; one owner at a time.
pub trait Spool: Send {
    /// Bytes appended so far that are really there, also after a failed or short append.
    fn len(&self) -> u64;

    /// Whether nothing was appended yet.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends all of `bytes`. After an error [`len`](Self::len) shows how much of them arrived.
    ///
    /// # Errors
    /// Any input or output error of the storage underneath.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Replaces bytes that were appended before; never grows the file.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] beyond the end; else those of the storage underneath.
    fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the spool to `len` bytes if it is longer.
    ///
    /// # Errors
    /// Those of the storage underneath.
    fn truncate(&mut self, len: u64) -> io::Result<()>;

    /// Makes what was written survive a power cut.
    ///
    /// # Errors
    /// Those of the storage underneath.
    fn sync(&mut self) -> io::Result<()>;

    /// Reads what is there from the start, independently of further appends.
    ///
    /// # Errors
    /// Those of the storage underneath.
    fn reader(&self) -> io::Result<Box<dyn ReadSeek>>;

    /// Syncs, gives the file its final name (returned), and syncs the folder. After an error the bytes are still where
    /// they were, and another commit may be tried. Once committed, every further commit makes another whole file, a
    /// copy; where the bytes are, which [`path`](Self::path) returns, does not change any more.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] with [`Existing::Keep`]; else those of the storage underneath.
    fn commit(&mut self, target: &Path, existing: Existing) -> io::Result<PathBuf>;

    /// Deletes the bytes. A spool that is dropped without it keeps its file, except where its kind is documented to be
    /// temporary.
    ///
    /// # Errors
    /// Those of the storage underneath.
    fn discard(&mut self) -> io::Result<()>;

    /// Bytes that may still be appended, where the storage can report that.
    fn available_bytes(&self) -> Option<u64> {
        None
    }

    /// Where the bytes are now, if they are in a file.
    fn path(&self) -> Option<PathBuf>;

    /// Whether the disk of that file has gone away: what was written to it is available when it is back.
    fn is_away(&self) -> bool {
        false
    }

    /// Whether that file is one of the system's, which others can open.
    fn is_on_disk(&self) -> bool {
        true
    }
}
