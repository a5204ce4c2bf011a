//! One file of a recording: its encoder, its bytes, and how many more frames fit into it.
//!
//! Run by the pump thread. The take decides what belongs into it; the caller decides what becomes of the finished
//! bytes, and saves the blob on a thread of its own.

use std::time::SystemTime;

use crate::{
    audio::{AudioFormat, Metadata},
    error::{Error, Result},
    format::{Delivery, Encoder, EncoderSettings, Format},
    media::{Blob, BlobFacts, NewFile, Storage, output::PieceBytes},
};

/// What the files of one recording have in common.
pub(crate) struct PiecePlan {
    pub(crate) container: &'static Format,
    pub(crate) settings: EncoderSettings,
    /// About how many bits a second of it takes.
    pub(crate) bits_per_second: u32,
    pub(crate) storage: Storage,
}

/// A file that grows.
pub(crate) struct Piece {
    encoder: Box<dyn Encoder>,
    output: PieceBytes,
    bytes: Vec<u8>,
    /// Bytes appended to it.
    written: u64,
    pub(crate) extent: Extent,
}

/// Which part of a recording a file holds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extent {
    /// Frames of the recording before it.
    pub(crate) first_frame: u64,
    /// Frames encoded into it.
    pub(crate) frames: u64,
    /// When its first frame was captured.
    pub(crate) begins_at: Option<SystemTime>,
    /// As `first_frame`, plus what was dropped while the recording was paused.
    pub(crate) elapsed: u64,
}

impl Extent {
    /// The first frame of the recording after it.
    pub(crate) fn end(&self) -> u64 {
        self.first_frame + self.frames
    }
}

/// Bytes for what follows the last frame: tags of the usual size.
const TAIL_BYTES: u64 = 4 * 1024;

/// Bytes of one marker after the last frame, besides its text.
const MARKER_BYTES: u64 = 96;

/// Frames that an encoder without a bit rate of its own may hold back: two blocks of the usual size.
const HELD_FRAMES: u64 = 8 * 1024;

/// Frames that are encoded at once where their size in bytes is not known in advance.
const STEP_FRAMES: u64 = 1024;

/// Bytes after the last frame for these markers, at most.
pub(crate) fn tail_bytes(markers: usize, text_bytes: u64) -> u64 {
    // A text may be written twice: as a note and as a label.
    TAIL_BYTES + markers as u64 * MARKER_BYTES + 2 * text_bytes
}

impl PiecePlan {
    /// # Errors
    /// Those of the encoder; an input or output error if the file cannot be made.
    pub(crate) fn begin(&self, file: NewFile, reserve: u64) -> Result<Piece> {
        let mut encoder = self.container.encoder(&self.settings)?;
        if matches!(self.storage, Storage::Temporary) {
            encoder.expect_flushes();
        }
        // The file comes last, so that nothing else can fail once it exists.
        let output = match self.settings.delivery {
            Delivery::Stream => PieceBytes::in_memory(),
            Delivery::File => PieceBytes::spooled(&self.storage, file, reserve)
                .map_err(|error| Error::from_io(error, "cannot create the file of the recording"))?,
        };
        let extent = Extent { begins_at: file.begins_at, ..Extent::default() };
        Ok(Piece { encoder, output, bytes: Vec::new(), written: 0, extent })
    }

    /// Bytes that may still come for what was encoded already, at most.
    fn held_bytes(&self) -> u64 {
        match &self.container.bits_per_second {
            // A page holds a second, and its rate varies.
            Some(_) => u64::from(self.bits_per_second) / 8 * 5 / 4,
            None => HELD_FRAMES * u64::from(self.settings.audio.frame_bytes()),
        }
    }

    /// The smallest file that a recording can be split into, in bytes.
    pub(crate) fn min_bytes(&self) -> u64 {
        let frame_bytes = u64::from(self.settings.audio.frame_bytes());
        2 * TAIL_BYTES + self.held_bytes() + 2 * STEP_FRAMES * frame_bytes
    }

    /// Frames that certainly fit into `piece` when it may have `limit` bytes, `tail` of them after the last frame.
    pub(crate) fn room(&self, piece: &Piece, limit: u64, tail: u64) -> u64 {
        let left = limit.saturating_sub(piece.written + tail);
        let frame_bytes = u64::from(self.settings.audio.frame_bytes()).max(1);
        // Plain samples.
        if self.container.zeros_are_silence {
            return left / frame_bytes;
        }
        let fits = left >= self.held_bytes() + STEP_FRAMES * frame_bytes;
        if fits { STEP_FRAMES } else { 0 }
    }
}

impl Piece {
    /// Writes the header.
    ///
    /// # Errors
    /// Those of the encoder and of writing.
    pub(crate) fn open(&mut self) -> Result<Written> {
        self.encoder.begin(&mut self.bytes)?;
        self.write()
    }

    /// # Errors
    /// Those of the encoder and of writing.
    pub(crate) fn encode(&mut self, samples: &[f32], frames: u64) -> Result<Written> {
        self.encoder.encode(samples, &mut self.bytes)?;
        self.extent.frames += frames;
        self.write()
    }

    /// Writes what the encoder holds back.
    ///
    /// # Errors
    /// Those of the encoder and of writing.
    pub(crate) fn flush(&mut self) -> Result<Written> {
        self.encoder.flush(&mut self.bytes)?;
        self.write()
    }

    /// The tags as far as they are known, for those that stand before the sound.
    pub(crate) fn set_metadata(&mut self, metadata: Metadata) {
        self.encoder.set_metadata(metadata);
    }

    /// Writes what the encoder holds back, and these tags.
    ///
    /// # Errors
    /// Those of the encoder and of writing.
    pub(crate) fn finish(&mut self, metadata: Metadata) -> Result<Written> {
        self.encoder.set_metadata(metadata);
        self.encoder.finish(&mut self.bytes)?;
        self.write()
    }

    fn write(&mut self) -> Result<Written> {
        let bytes = self.bytes.len() as u64;
        let written = self.output.append(&mut self.bytes).and_then(|()| self.output.checkpoint(self.encoder.as_ref()));
        let available = written.map_err(|error| self.write_error(error))?;
        self.written += bytes;
        Ok(Written { bytes, available })
    }

    pub(crate) fn write_error(&self, error: std::io::Error) -> Error {
        let place = self.output.path().map_or_else(String::new, |path| format!(" to {}", path.display()));
        Error::new(crate::ErrorKind::Unknown, format!("cannot write{place}")).with_source(error)
    }

    /// The frames in the bytes of it that were kept or handed over, which are those that are left if it is sealed now;
    /// `None` if that is unknown.
    pub(crate) fn kept_frames(&self) -> Option<u64> {
        self.encoder.frames_in(self.output.sealable_bytes().unwrap_or(self.written))
    }

    /// Makes what is there a whole file, also after a failed write.
    ///
    /// # Errors
    /// Those of writing.
    pub(crate) fn seal(&mut self) -> std::io::Result<()> {
        self.output.seal(self.encoder.as_ref())
    }

    /// Hands over everything so far while it goes on in another place.
    ///
    /// # Errors
    /// Those of making that place.
    pub(crate) fn split(&mut self, facts: BlobFacts) -> Result<Blob> {
        let split = self.output.split(self.encoder.as_mut(), facts);
        split.map_err(|error| self.write_error(error))
    }

    /// Everything that is in it; what follows is empty.
    pub(crate) fn take_blob(&mut self, facts: BlobFacts) -> Blob {
        self.output.take(facts)
    }

    /// Deletes it.
    pub(crate) fn discard(self) {
        self.output.discard();
    }

    /// The unfinished file.
    pub(crate) fn path(&self) -> Option<std::path::PathBuf> {
        self.output.path()
    }
}

/// The result of a write.
pub(crate) struct Written {
    /// Bytes that were written.
    pub(crate) bytes: u64,
    /// How many bytes are left, where that is known and was checked.
    pub(crate) available: Option<u64>,
}

/// The unit in which the sound of a piece is measured.
pub(crate) fn channels_of(format: AudioFormat) -> usize {
    usize::from(format.channels.max(1))
}
