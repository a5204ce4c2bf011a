//! Where the bytes of a recording are kept until a blob takes them: a spool file for a whole recording, memory for
//! parts that leave one by one.

use std::{
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    format::{Encoder, Patch},
    media::{Blob, BlobFacts},
    storage::{FileSpool, Spool},
};

/// Makes the spool of a recording.
pub type SpoolMaker = Arc<dyn Fn() -> io::Result<Box<dyn Spool>> + Send + Sync>;

/// Where a recording without a timeslice is kept while it grows.
#[derive(Clone, Default)]
pub enum Storage {
    /// A file in the folder for temporary files, removed with the last handle to its blob unless that was saved.
    #[default]
    Temporary,
    /// `.NAME.EXT.part` beside this target, so that saving there is a rename. It stays if it is not saved.
    Beside(PathBuf),
    /// A spool of the caller's own.
    Custom(SpoolMaker),
}

impl Storage {
    pub(crate) fn create(&self) -> io::Result<Box<dyn Spool>> {
        match self {
            Self::Temporary => Ok(Box::new(FileSpool::temporary()?)),
            Self::Beside(target) => Ok(Box::new(FileSpool::beside(target)?)),
            Self::Custom(maker) => maker(),
        }
    }
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Temporary => f.write_str("Temporary"),
            Self::Beside(target) => f.debug_tuple("Beside").field(target).finish(),
            Self::Custom(_) => f.write_str("Custom"),
        }
    }
}

/// How often a growing file is made valid as it stands.
const CHECKPOINT: Duration = Duration::from_secs(1);

enum Place {
    Memory(Vec<u8>),
    Spool { spool: Box<dyn Spool>, storage: Storage },
}

/// The bytes since the last blob.
pub(crate) struct Output {
    place: Place,
    /// The header is in here and may be patched.
    sealable: bool,
    checkpoint_due: Instant,
}

impl Output {
    pub(crate) fn in_memory() -> Self {
        Self { place: Place::Memory(Vec::new()), sealable: false, checkpoint_due: Instant::now() }
    }

    /// # Errors
    /// Those of making the spool; [`io::ErrorKind::StorageFull`] if fewer than `reserve` bytes are left.
    pub(crate) fn spooled(storage: &Storage, reserve: u64) -> io::Result<Self> {
        let mut spool = storage.create()?;
        if spool.available_bytes().is_some_and(|available| available < reserve) {
            let _ = spool.discard();
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the disk is full"));
        }
        let place = Place::Spool { spool, storage: storage.clone() };
        Ok(Self { place, sealable: true, checkpoint_due: Instant::now() + CHECKPOINT })
    }

    /// The unfinished file.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Memory(_) => None,
            Place::Spool { spool, .. } => spool.path(),
        }
    }

    /// Appends `bytes`, which is left empty.
    pub(crate) fn append(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let outcome = match &mut self.place {
            Place::Memory(part) => {
                part.append(bytes);
                Ok(())
            }
            Place::Spool { spool, .. } => spool.append(bytes),
        };
        bytes.clear();
        outcome
    }

    /// About once a second: what was written survives a power cut, and the file is valid as it stands. Tells how many
    /// bytes are left, where that is known and it is time again.
    pub(crate) fn checkpoint(&mut self, encoder: &dyn Encoder) -> io::Result<Option<u64>> {
        let Place::Spool { spool, .. } = &mut self.place else { return Ok(None) };
        let now = Instant::now();
        if now < self.checkpoint_due {
            return Ok(None);
        }
        self.checkpoint_due = now + CHECKPOINT;
        // The sound first: a header must never claim what is not there.
        spool.sync()?;
        if self.sealable {
            let patches = encoder.checkpoint(spool.len());
            patch(spool.as_mut(), &patches)?;
        }
        Ok(spool.available_bytes())
    }

    /// The frames that are left after [`seal`](Self::seal), of everything that was encoded; `None` for a part, or if
    /// nobody knows.
    pub(crate) fn sealed_frames(&self, encoder: &dyn Encoder) -> Option<u64> {
        match &self.place {
            Place::Spool { spool, .. } if self.sealable => encoder.frames_in(spool.len()),
            _ => None,
        }
    }

    /// Makes what is there a whole file, also after a failed append.
    pub(crate) fn seal(&mut self, encoder: &dyn Encoder) -> io::Result<()> {
        match &mut self.place {
            Place::Spool { spool, .. } if self.sealable => {
                let seal = encoder.seal(spool.len());
                let cut = spool.truncate(seal.length);
                patch(spool.as_mut(), &seal.patches).and(cut)
            }
            _ => Ok(()),
        }
    }

    /// Hands over everything so far while the recording goes on into a new place.
    pub(crate) fn split(&mut self, encoder: &mut dyn Encoder, facts: BlobFacts) -> io::Result<Blob> {
        if let Place::Spool { spool, storage } = &mut self.place {
            let next = storage.create()?;
            if self.sealable {
                patch(spool.as_mut(), &encoder.unseal())?;
                self.sealable = false;
            }
            return Ok(Blob::spooled(std::mem::replace(spool, next), facts));
        }
        Ok(self.take(facts))
    }

    /// Hands over everything there is; what follows is empty.
    pub(crate) fn take(&mut self, facts: BlobFacts) -> Blob {
        match std::mem::replace(&mut self.place, Place::Memory(Vec::new())) {
            Place::Memory(part) => Blob::in_memory(part, facts),
            Place::Spool { spool, .. } => Blob::spooled(spool, facts),
        }
    }

    /// Throws everything away.
    pub(crate) fn discard(self) {
        if let Place::Spool { mut spool, .. } = self.place
            && let Err(error) = spool.discard()
        {
            log::warn!("the file of a recording that never began stays: {error}");
        }
    }
}

fn patch(spool: &mut dyn Spool, patches: &[Patch]) -> io::Result<()> {
    patches.iter().try_for_each(|patch| spool.patch(patch.at, &patch.bytes))
}
