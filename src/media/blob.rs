//! A finished part of a recording: bytes with a MIME type (W3C File API, § 3 "The Blob Interface").

use std::{
    fmt,
    io::{Cursor, Read as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use crate::{
    audio::{AudioFormat, time::duration_of},
    error::{Error, Result},
    format,
    storage::{Existing, FileSpool, ReadSeek, Spool},
};

/// What is known about the sound in a blob.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BlobFacts {
    /// Full MIME type, such as `audio/wav;codecs=1`.
    pub mime_type: String,
    /// Format of the encoded sound.
    pub format: AudioFormat,
    /// Frames in it, silence for lost ones included.
    pub frames: u64,
    /// Frames of it that were lost and are silence now.
    pub lost_frames: u64,
    /// The header matches the bytes. False only after a disk refused even the header: then the sound is there, and its
    /// header has to be repaired.
    pub whole: bool,
    /// When the first frame of the recording was captured; `None` if there was none.
    pub recorded_at: Option<SystemTime>,
}

impl BlobFacts {
    /// The facts of a whole recording of that type and that many frames, of which none was lost.
    #[must_use]
    pub fn new(mime_type: impl Into<String>, format: AudioFormat, frames: u64) -> Self {
        Self { mime_type: mime_type.into(), format, frames, lost_frames: 0, whole: true, recorded_at: None }
    }
}

enum Data {
    Memory(Arc<[u8]>),
    /// The spool file of a whole recording.
    Spool(Mutex<Box<dyn Spool>>),
}

struct Contents {
    facts: BlobFacts,
    size: u64,
    data: Data,
    /// It is a file of its own, not a part of one.
    is_file: bool,
}

/// Bytes of a recording. Clones share them.
///
/// The blob of a whole recording is its spool file: saving it costs a sync and a rename, whatever its length, and saving
/// it once more a copy. Blobs of
/// a recording that was cut into parts need not be playable one by one; all of them together, in order, are.
#[derive(Clone)]
pub struct Blob {
    shared: Arc<Contents>,
}

impl Blob {
    /// A blob of these bytes, as a recorder makes it of parts that are handed over one by one.
    ///
    /// ```
    /// use dictaphone::{AudioFormat, SampleFormat, media::{Blob, BlobFacts}};
    ///
    /// let facts = BlobFacts::new("audio/pcm;codecs=pcm", AudioFormat::new(8_000, 1, SampleFormat::S16), 2);
    /// let blob = Blob::in_memory([1, 0, 2, 0], facts);
    /// assert_eq!((blob.size(), blob.bytes()?), (4, vec![1, 0, 2, 0]));
    /// # Ok::<(), dictaphone::Error>(())
    /// ```
    #[must_use]
    pub fn in_memory(bytes: impl Into<Arc<[u8]>>, facts: BlobFacts) -> Self {
        let bytes = bytes.into();
        let size = bytes.len() as u64;
        Self { shared: Arc::new(Contents { facts, size, data: Data::Memory(bytes), is_file: false }) }
    }

    /// `is_file` states that the bytes are a file of their own, not a part of one.
    pub(crate) fn spooled(spool: Box<dyn Spool>, facts: BlobFacts, is_file: bool) -> Self {
        let size = spool.len();
        Self { shared: Arc::new(Contents { facts, size, data: Data::Spool(Mutex::new(spool)), is_file }) }
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

    /// All of the bytes. For a long recording a [`reader`](Self::reader) takes less memory.
    ///
    /// # Errors
    /// Those of [`reader`](Self::reader).
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.reader()?.read_to_end(&mut bytes);
        read.map_err(|error| Error::from_io(error, "cannot read the recording"))?;
        Ok(bytes)
    }

    /// Whether the disk of that file has gone away: the bytes are available again when it is back.
    #[must_use]
    pub fn is_away(&self) -> bool {
        match &self.shared.data {
            Data::Memory(_) => false,
            Data::Spool(spool) => lock(spool).is_away(),
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

    /// Saves the bytes as a file at `path`, synced to the disk and complete, or not there at all. Never replaces a
    /// file.
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if there is a file of that name;
    /// [`NotAllowed`](crate::ErrorKind::NotAllowed), [`Unknown`](crate::ErrorKind::Unknown) if it cannot be written.
    /// The blob keeps its bytes: another `save` may be tried then, and after a success makes another file.
    /// [`Encoding`](crate::ErrorKind::Encoding) if the file has its name, but another program's reader does not find in
    /// it what was recorded; [`path`](Self::path) is where it is.
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
        let saved = saved.map_err(|error| Error::from_io(error, format!("cannot save {}", path.display())))?;
        let BlobFacts { ref mime_type, format, frames, whole, .. } = self.shared.facts;
        let is_on_disk = matches!(&self.shared.data, Data::Spool(spool) if lock(spool).is_on_disk());
        if self.shared.is_file && whole && is_on_disk {
            format::read_back(&saved, mime_type, format, frames)?;
        }
        Ok(saved)
    }

    /// Deletes the bytes, for a recording that is not wanted.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{audio::SampleFormat, error::ErrorKind};

    #[test]
    fn a_file_that_is_not_what_was_recorded_is_saved_and_told() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.wav");
        let facts = BlobFacts {
            mime_type: "audio/wav;codecs=1".to_owned(),
            format: AudioFormat::new(8_000, 1, SampleFormat::S16),
            frames: 4,
            lost_frames: 0,
            whole: true,
            recorded_at: None,
        };
        // As if a patch of the header had never been written.
        let header = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x02\0\0\0";
        let blob = |is_file| {
            let mut spool = FileSpool::beside(&target).unwrap();
            spool.append(&[&header[..], &[1; 8]].concat()).unwrap();
            Blob::spooled(Box::new(spool), facts.clone(), is_file)
        };
        let flawed = blob(true);
        let error = flawed.save(&target).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Encoding);
        let text = format!("{} is not what was recorded: another reader finds 1 instead of 4 frames", target.display());
        assert_eq!(error.to_string(), text);
        assert_eq!(flawed.path().as_deref(), Some(target.as_path()));
        assert_eq!(std::fs::metadata(&target).unwrap().len(), 52);
        // A part is not checked as a whole file.
        blob(false).save_as(&target, Existing::Number).unwrap();
    }
}
