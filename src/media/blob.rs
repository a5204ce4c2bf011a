//! A finished part of a recording: bytes with a MIME type (W3C File API, § 3 "The Blob Interface").

use std::{
    fmt,
    io::Cursor,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use crate::{
    audio::{AudioFormat, time::duration_of},
    error::{Error, Result},
    storage::{Existing, FileSpool, ReadSeek, Spool},
};

/// What a blob knows about the sound in it.
#[derive(Debug, Clone, PartialEq)]
pub struct BlobFacts {
    /// Full MIME type, such as `audio/wav;codecs=1`.
    pub mime_type: String,
    /// Format of the encoded sound.
    pub format: AudioFormat,
    /// Frames in it, silence for lost ones included.
    pub frames: u64,
    /// Frames of it that were lost and are silence now.
    pub lost_frames: u64,
    /// The bytes tell the truth about themselves. False only after a disk refused even the header: then the sound is
    /// there, and its header has to be repaired.
    pub whole: bool,
    /// When the first frame of the recording was captured; `None` if there was none.
    pub recorded_at: Option<SystemTime>,
}

enum Data {
    Memory(Arc<[u8]>),
    /// The spool file of a whole recording.
    Spool(Mutex<Box<dyn Spool>>),
}

struct Shared {
    facts: BlobFacts,
    size: u64,
    data: Data,
}

/// Bytes of a recording. Clones share them.
///
/// The blob of a whole recording is its spool file: saving it costs a sync and a rename, whatever its length, and saving
/// it once more a copy. Blobs of
/// a recording that was cut into parts need not be playable one by one; all of them together, in order, are.
#[derive(Clone)]
pub struct Blob {
    shared: Arc<Shared>,
}

impl Blob {
    pub(crate) fn in_memory(bytes: Vec<u8>, facts: BlobFacts) -> Self {
        let size = bytes.len() as u64;
        Self { shared: Arc::new(Shared { facts, size, data: Data::Memory(bytes.into()) }) }
    }

    pub(crate) fn spooled(spool: Box<dyn Spool>, facts: BlobFacts) -> Self {
        let size = spool.len();
        Self { shared: Arc::new(Shared { facts, size, data: Data::Spool(Mutex::new(spool)) }) }
    }

    /// Bytes in it.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.shared.size
    }

    /// Full MIME type, container and codec.
    #[must_use]
    pub fn mime_type(&self) -> &str {
        &self.shared.facts.mime_type
    }

    /// What is known about the sound in it.
    #[must_use]
    pub fn facts(&self) -> &BlobFacts {
        &self.shared.facts
    }

    /// Length of the sound in it.
    #[must_use]
    pub fn duration(&self) -> Duration {
        duration_of(self.shared.facts.frames, self.shared.facts.format.sample_rate)
    }

    /// Where the bytes are, if they are in a file.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        match &self.shared.data {
            Data::Memory(_) => None,
            Data::Spool(spool) => lock(spool).path(),
        }
    }

    /// Reads the bytes from the start, independently of other readers.
    ///
    /// # Errors
    /// [`Unknown`](crate::ErrorKind::Unknown) with the input or output error underneath.
    pub fn reader(&self) -> Result<Box<dyn ReadSeek>> {
        match &self.shared.data {
            Data::Memory(bytes) => Ok(Box::new(Cursor::new(Arc::clone(bytes)))),
            Data::Spool(spool) => {
                lock(spool).reader().map_err(|error| Error::from_io(error, "cannot read the recording"))
            }
        }
    }

    /// Makes the bytes a file at `path`, synced to the disk and complete, or not there at all. Never replaces a file.
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if there is a file of that name;
    /// [`NotAllowed`](crate::ErrorKind::NotAllowed), [`Unknown`](crate::ErrorKind::Unknown) if it cannot be written.
    /// The blob keeps its bytes: another `save` may be tried then, and after a success makes another file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.save_as(path, Existing::Keep).map(drop)
    }

    /// Like [`save`](Self::save), with a choice of what happens if the name is taken. Returns the file's final path.
    ///
    /// # Errors
    /// Those of [`save`](Self::save).
    pub fn save_as(&self, path: impl AsRef<Path>, existing: Existing) -> Result<PathBuf> {
        let path = path.as_ref();
        let saved = match &self.shared.data {
            Data::Memory(bytes) => save_bytes(bytes, path, existing),
            Data::Spool(spool) => lock(spool).commit(path, existing),
        };
        saved.map_err(|error| Error::from_io(error, format!("cannot save {}", path.display())))
    }

    /// Throws the bytes away, for a recording that nobody wants.
    ///
    /// # Errors
    /// [`Unknown`](crate::ErrorKind::Unknown) if the file cannot be removed.
    pub fn discard(&self) -> Result<()> {
        match &self.shared.data {
            Data::Memory(_) => Ok(()),
            Data::Spool(spool) => {
                lock(spool).discard().map_err(|error| Error::from_io(error, "cannot discard the recording"))
            }
        }
    }
}

fn lock(spool: &Mutex<Box<dyn Spool>>) -> MutexGuard<'_, Box<dyn Spool>> {
    spool.lock().unwrap_or_else(PoisonError::into_inner)
}

fn save_bytes(bytes: &[u8], path: &Path, existing: Existing) -> std::io::Result<PathBuf> {
    let mut spool = FileSpool::beside(path)?;
    let saved = spool.append(bytes).and_then(|()| spool.commit(path, existing));
    if saved.is_err() {
        // The bytes are still in memory; a torn copy beside the target would only confuse.
        let _ = spool.discard();
    }
    saved
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob").field("size", &self.size()).field("facts", &self.shared.facts).finish()
    }
}
