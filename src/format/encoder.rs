//! Frames to bytes. An encoder never owns a file: it appends bytes to a buffer and returns which bytes of the header
//! are to be patched so that what has been written so far is a valid file.

use crate::{
    audio::{AudioFormat, Metadata, SampleFormat},
    error::{Error, ErrorKind, Result},
};

/// Bytes that replace what stands at an absolute position of the encoded output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// Byte offset from the start of the file.
    pub at: u64,
    /// The new bytes there.
    pub bytes: Vec<u8>,
}

/// How to make a file that ends after a given number of bytes valid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seal {
    /// Where the last whole frame (or the trailer after it) ends: the file is to be cut to this length, in bytes.
    pub length: u64,
    /// Patches of bytes below `length`, in the order in which they are to be written.
    pub patches: Vec<Patch>,
}

/// Where the bytes go, which decides what a header can contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Into a file whose header can be patched later.
    File,
    /// Into a pipe or into blobs that are handed over one by one: nothing can be patched, sizes are unknown.
    Stream,
}

named! { Delivery: File "file", Stream "stream" }

/// What an encoder is made from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EncoderSettings {
    /// Rate, channels and sample format of the output.
    pub audio: AudioFormat,
    /// Where the bytes go.
    pub delivery: Delivery,
    /// Bits a second, for formats that can vary it.
    pub bits_per_second: Option<u32>,
    /// Tags that are known at the start.
    pub metadata: Metadata,
}

impl EncoderSettings {
    /// Sound of that kind, without tags, at the usual bits a second.
    #[must_use]
    pub fn new(audio: AudioFormat, delivery: Delivery) -> Self {
        Self { audio, delivery, bits_per_second: None, metadata: Metadata::default() }
    }
}

setters! { EncoderSettings: bits_per_second: Option<u32>, metadata: Metadata }

/// Turns frames into the bytes of one recording.
///
/// The calls come in the order `begin`, any number of `encode` and `flush`, `finish`. After an error only `seal` may
/// be called. Run by the pump thread; need not be realtime-safe.
///
/// ```
/// use dictaphone::{
///     AudioFormat, SampleFormat,
///     format::{Delivery, EncoderSettings, by_name},
/// };
///
/// let sound = AudioFormat::new(48_000, 1, SampleFormat::S16);
/// let mut encoder = by_name("wav").unwrap().encoder(&EncoderSettings::new(sound, Delivery::File))?;
/// let mut bytes = Vec::new();
/// encoder.begin(&mut bytes)?;
/// encoder.encode(&[0.0; 480], &mut bytes)?;
/// encoder.finish(&mut bytes)?;
/// for patch in encoder.seal(bytes.len() as u64).patches {
///     let at = patch.at as usize;
///     bytes[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
/// }
/// assert!(bytes.starts_with(b"RIFF"));
/// # Ok::<(), dictaphone::Error>(())
/// ```
pub trait Encoder: Send {
    /// Appends the header to `out`.
    ///
    /// # Errors
    /// Of any kind that the format's library reports.
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()>;

    /// Appends interleaved `samples` (frames × channels, full scale ±1.0). The encoder may hold some of them back.
    ///
    /// # Errors
    /// Of any kind that the format's library reports.
    fn encode(&mut self, samples: &[f32], out: &mut Vec<u8>) -> Result<()>;

    /// Called before `begin` where the bytes so far may be requested before the end: a [`flush`](Self::flush) then
    /// holds back as little as the format allows, also in a file.
    fn expect_flushes(&mut self) {}

    /// How the samples of the output are stored, if they are plain ones that [`encode_stored`](Self::encode_stored) can
    /// take as they are.
    fn stored(&self) -> Option<SampleFormat> {
        None
    }

    /// As [`encode`](Self::encode), for whole frames of samples that are stored as those of the output, little-endian and
    /// interleaved.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] if the samples of the output are not [`stored`](Self::stored) plainly; else those of
    /// `encode`.
    fn encode_stored(&mut self, _frames: &[u8], _out: &mut Vec<u8>) -> Result<()> {
        Err(Error::new(ErrorKind::NotSupported, "the output has no plain samples"))
    }

    /// Appends everything that is held back and can be written without ending the recording.
    ///
    /// # Errors
    /// Of any kind that the format's library reports.
    fn flush(&mut self, out: &mut Vec<u8>) -> Result<()>;

    /// Appends everything that is held back and what belongs after the last frame.
    ///
    /// # Errors
    /// Of any kind that the format's library reports.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()>;

    /// The length and the patches that make a file with the first `written_bytes` bytes of this encoder's output a
    /// valid file.
    ///
    /// Pure; may be called at any time and for any prefix of what was appended. With [`Delivery::Stream`] there is
    /// nothing to patch.
    fn seal(&self, written_bytes: u64) -> Seal;

    /// The frames that a file [sealed](Self::seal) after `written_bytes` bytes holds; `None` where that is not stored.
    /// Pure.
    fn frames_in(&self, written_bytes: u64) -> Option<u64>;

    /// The patches that make a file with the first `written_bytes` bytes valid while more bytes follow, so that it can
    /// be read if nothing follows after all. Pure, as [`seal`](Self::seal).
    fn checkpoint(&self, written_bytes: u64) -> Vec<Patch> {
        self.seal(written_bytes).patches
    }

    /// Patches the header so that it states no length, because the bytes so far are handed over while the recording
    /// goes on. From now on the output is a [`Delivery::Stream`].
    fn unseal(&mut self) -> Vec<Patch>;

    /// Changes the tags that are written by `finish`.
    fn set_metadata(&mut self, metadata: Metadata);
}
