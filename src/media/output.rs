//! Where the bytes of a recording are kept until a blob takes them: a spool file for a whole recording, memory for
//! parts that are handed over one by one.

use std::{
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    format::{Encoder, Patch},
    media::{Blob, BlobFacts},
    storage::{FileSpool, Spool},
};

/// A file that is about to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewFile {
    /// Counted from 1 within the recording.
    pub number: u32,
    /// When its first frame was captured; unknown for a file that is made before there is one.
    pub begins_at: Option<SystemTime>,
}

/// Makes the spool of a recording, or of one of its files.
pub type SpoolMaker = Arc<dyn Fn(NewFile) -> io::Result<Box<dyn Spool>> + Send + Sync>;

/// Where a recording without a timeslice is kept while it grows.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Storage {
    /// A file in the folder for temporary files, removed with the last handle to its blob unless that was saved. Its
    /// blocks may be short where data was requested; those of other files are of one length, as suits players best.
    #[default]
    Temporary,
    /// `.NAME.EXT.part` beside this target, so that saving there is a rename. It stays if it is not saved. Each further
    /// file of a recording gets a numbered name.
    Beside(PathBuf),
    /// A spool of the caller's own.
    Custom(SpoolMaker),
}

named! { Storage: Temporary "temporary", Beside "beside", Custom "custom" }

impl Storage {
    pub(crate) fn create(&self, file: NewFile) -> io::Result<Box<dyn Spool>> {
        match self {
            Self::Temporary => Ok(Box::new(FileSpool::temporary()?)),
            Self::Beside(target) => Ok(Box::new(FileSpool::beside(target)?)),
            Self::Custom(maker) => maker(file),
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

enum KeptIn {
    Memory(Vec<u8>),
    Spool { spool: Box<dyn Spool>, storage: Storage, file: NewFile },
}

/// The bytes since the last blob.
pub(crate) struct PieceBytes {
    place: KeptIn,
    /// The header is in here and may be patched.
    sealable: bool,
    checkpoint_due: Instant,
}

impl PieceBytes {
    pub(crate) fn in_memory() -> Self {
        Self { place: KeptIn::Memory(Vec::new()), sealable: false, checkpoint_due: Instant::now() }
    }

    /// # Errors
    /// Those of making the spool; [`io::ErrorKind::StorageFull`] if fewer than `reserve` bytes are left.
    pub(crate) fn spooled(storage: &Storage, file: NewFile, reserve: u64) -> io::Result<Self> {
        let mut spool = storage.create(file)?;
        if spool.available_bytes().is_some_and(|available| available < reserve) {
            let _ = spool.discard();
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the disk is full"));
        }
        let place = KeptIn::Spool { spool, storage: storage.clone(), file };
        Ok(Self { place, sealable: true, checkpoint_due: Instant::now() + CHECKPOINT })
    }

    /// The unfinished file.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        match &self.place {
            KeptIn::Memory(_) => None,
            KeptIn::Spool { spool, .. } => spool.path(),
        }
    }

    /// Appends `bytes`, which is left empty.
    pub(crate) fn append(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let outcome = match &mut self.place {
            KeptIn::Memory(part) => {
                part.append(bytes);
                Ok(())
            }
            KeptIn::Spool { spool, .. } => spool.append(bytes),
        };
        bytes.clear();
        outcome
    }

    /// About once a second: what was written survives a power cut, and the file is valid as it stands. Returns how many
    /// bytes are left, where that is known and due for a check.
    pub(crate) fn checkpoint(&mut self, encoder: &dyn Encoder) -> io::Result<Option<u64>> {
        let KeptIn::Spool { spool, .. } = &mut self.place else { return Ok(None) };
        let now = Instant::now();
        if now < self.checkpoint_due {
            return Ok(None);
        }
        self.checkpoint_due = now + CHECKPOINT;
        // The sound first: a header must never count bytes that are not there.
        spool.sync()?;
        if self.sealable {
            let patches = encoder.checkpoint(spool.len());
            patch(spool.as_mut(), &patches)?;
        }
        Ok(spool.available_bytes())
    }

    /// The bytes of which [`seal`](Self::seal) makes a whole file; `None` for a part.
    pub(crate) fn sealable_bytes(&self) -> Option<u64> {
        match &self.place {
            KeptIn::Spool { spool, .. } if self.sealable => Some(spool.len()),
            _ => None,
        }
    }

    /// Makes what is there a whole file, also after a failed append.
    pub(crate) fn seal(&mut self, encoder: &dyn Encoder) -> io::Result<()> {
        match &mut self.place {
            KeptIn::Spool { spool, .. } if self.sealable => {
                let seal = encoder.seal(spool.len());
                let cut = spool.truncate(seal.length);
                patch(spool.as_mut(), &seal.patches).and(cut)
            }
            _ => Ok(()),
        }
    }

    /// Hands over everything so far while the recording goes on into a new place.
    pub(crate) fn split(&mut self, encoder: &mut dyn Encoder, facts: BlobFacts) -> io::Result<Blob> {
        if let KeptIn::Spool { spool, storage, file } = &mut self.place {
            let next = storage.create(*file)?;
            if self.sealable {
                patch(spool.as_mut(), &encoder.unseal())?;
                self.sealable = false;
            }
            return Ok(Blob::spooled(std::mem::replace(spool, next), facts, false));
        }
        Ok(self.take(facts))
    }

    /// Hands over everything there is; what follows is empty.
    pub(crate) fn take(&mut self, facts: BlobFacts) -> Blob {
        match std::mem::replace(&mut self.place, KeptIn::Memory(Vec::new())) {
            KeptIn::Memory(part) => Blob::in_memory(part, facts),
            KeptIn::Spool { spool, .. } => Blob::spooled(spool, facts, self.sealable),
        }
    }

    /// Deletes everything.
    pub(crate) fn discard(self) {
        if let KeptIn::Spool { mut spool, .. } = self.place
            && let Err(error) = spool.discard()
        {
            log::warn!("the file of a recording that never began stays: {error}");
        }
    }
}

fn patch(spool: &mut dyn Spool, patches: &[Patch]) -> io::Result<()> {
    patches.iter().try_for_each(|patch| spool.patch(patch.at, &patch.bytes))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        audio::{AudioFormat, Metadata, SampleFormat},
        format::{Delivery, EncoderSettings, by_name, wav::header::Header},
        storage::MemoryDisk,
    };

    /// A sample at every place that no other place has.
    fn sound(frames: std::ops::Range<u16>) -> Vec<f32> {
        frames.map(|n| f32::from(n + 1) / 32_768.0).collect()
    }

    #[test]
    fn after_a_power_cut_anywhere_the_header_claims_only_what_is_there() {
        let disk = MemoryDisk::new();
        let on_disk = disk.clone();
        let maker = move |_: NewFile| on_disk.spool(Path::new("a.wav")).map(|spool| Box::new(spool) as Box<dyn Spool>);
        let mut output =
            PieceBytes::spooled(&Storage::Custom(Arc::new(maker)), NewFile { number: 1, begins_at: None }, 0).unwrap();
        let audio = AudioFormat::new(8_000, 1, SampleFormat::S16);
        let settings =
            EncoderSettings { audio, delivery: Delivery::File, bits_per_second: None, metadata: Metadata::default() };
        let mut encoder = by_name("wav").unwrap().encoder(&settings).unwrap();
        let mut bytes = Vec::new();
        encoder.begin(&mut bytes).unwrap();
        for second in 0..3 {
            for part in 0..2 {
                let first = second * 20 + part * 10;
                encoder.encode(&sound(first..first + 10), &mut bytes).unwrap();
                output.append(&mut bytes).unwrap();
            }
            output.checkpoint_due = Instant::now();
            output.checkpoint(encoder.as_ref()).unwrap();
        }
        let header = usize::try_from(Header::new(audio).unwrap().file_len()).unwrap();
        let stored: Vec<u8> = (1..=60_u16).flat_map(u16::to_le_bytes).collect();
        let mut claims = std::collections::BTreeSet::new();
        for cut in disk.power_cuts() {
            let file = cut.file(Path::new(".a.wav.part")).unwrap_or_default();
            let Some(claim) = file.get(header - 4..header).and_then(|size| size.first_chunk()) else { continue };
            let claim = u32::from_le_bytes(*claim) as usize;
            assert_eq!(file.get(header..header + claim), stored.get(..claim), "after step {}", cut.steps);
            claims.insert(claim);
        }
        assert_eq!(claims.into_iter().collect::<Vec<_>>(), [0, 40, 80, 120]);
    }
}
