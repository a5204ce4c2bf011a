//! Frames to a FLAC file (RFC 9639): 16, 24 and 32 bits, bit for bit, within the streamable subset.
//!
//! What stands before the frames is in `blocks`. A block of sound becomes a `frame` of one `subframe` a channel:
//! `predict` predicts every sample, `rice` codes the residual, `bits` packs it into bytes. Holds back what does not
//! fill a block. Run by the pump thread.
//!
//! Our own, because no library was as good when they were measured, in November 2026 on half an hour of speech at 48
//! kHz in 16 bits, beside `flac -5` with 1.3 s of processor time and 51.6 MB: flac-codec 1.3.3 took 4.8 s and wrote
//! frames that no decoder could read (docs/upstream/flac-codec.md), flacenc 0.5.1 took 4.3 s and refuses 32 bits, this
//! encoder takes 1.3 s and 49.1 MB. The bindings of libFLAC need CMake for every user, also where Windows is built for,
//! and cannot end a block early.
//!
//! A file has blocks of one size, as RFC 9639, section C.2, advises for compatibility with other players; a
//! [`flush`](Encoder::flush) therefore holds back a block that is not full. A stream, and a file that is to be flushed,
//! has blocks of any size, so that everything can be written at once. Only what is too short for a block is held back,
//! and enough for one block is kept while more comes, so that this is no more than what came since the last flush.

mod bits;
mod blocks;
mod frame;
mod predict;
mod rice;
mod subframe;

use std::collections::VecDeque;

use self::{
    blocks::{BLOCK_MIN, Header},
    frame::{FrameEncoder, Numbering},
};
use crate::{
    audio::{AudioFormat, SampleFormat, convert},
    error::{Error, ErrorKind, Result},
    format::{Delivery, Encoder, EncoderSettings, Metadata, Patch, Seal},
};

/// The largest block in frames.
const BLOCK_MAX: u32 = 4096;

/// How many of the latest blocks are stored, about five minutes; a failure is in the last one.
const ENDS_MAX: usize = 4096;

/// Where a block ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    bytes: u64,
    frames: u64,
}

/// The encoder of FLAC files.
pub(crate) struct FlacEncoder {
    audio: AudioFormat,
    delivery: Delivery,
    metadata: Metadata,
    header: Header,
    /// The length of the header.
    header_bytes: u64,
    block_frames: usize,
    numbering: Numbering,
    frames: FrameEncoder,
    /// Interleaved samples of the block that is not full yet.
    pending: Vec<i32>,
    blocks: u64,
    /// Where all that was appended ends.
    end: End,
    /// Where the latest blocks end, the header included; never empty after [`Encoder::begin`].
    ends: VecDeque<End>,
    /// The shortest and the longest block, in bytes.
    block_bytes: Option<(u32, u32)>,
    digest: md5::Context,
    /// The header of a file was changed so that it states no length.
    unsealed: bool,
    finished: bool,
}

impl FlacEncoder {
    /// An encoder for `settings`; the bit rate follows from the sound.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] for what `check` refuses.
    pub(crate) fn new(settings: &EncoderSettings) -> Result<Self> {
        check(settings.audio)?;
        let (share, numbering) = match settings.delivery {
            Delivery::File => (4, Numbering::Blocks),
            Delivery::Stream => (20, Numbering::Frames),
        };
        let block_frames = block_frames(settings.audio.sample_rate, share);
        Ok(Self {
            audio: settings.audio,
            delivery: settings.delivery,
            metadata: settings.metadata.clone(),
            header: Header::new(settings.audio, settings.delivery, block_frames).with_room_for(&settings.metadata),
            header_bytes: u64::MAX,
            block_frames: usize::from(block_frames),
            numbering,
            frames: FrameEncoder::new(settings.audio, numbering),
            pending: Vec::new(),
            blocks: 0,
            end: End { bytes: 0, frames: 0 },
            ends: VecDeque::new(),
            block_bytes: None,
            digest: md5::Context::new(),
            unsealed: false,
            finished: false,
        })
    }

    /// Whether the header states no length.
    fn open_ended(&self) -> bool {
        self.unsealed || self.delivery == Delivery::Stream
    }

    fn check_running(&self) -> Result<()> {
        match self.finished {
            true => Err(Error::new(ErrorKind::InvalidState, "the FLAC file is already finished")),
            false => Ok(()),
        }
    }

    fn remember(&mut self, bytes: usize, frames: usize) {
        self.end = End { bytes: self.end.bytes + bytes as u64, frames: self.end.frames + frames as u64 };
        self.ends.push_back(self.end);
        if self.ends.len() > ENDS_MAX {
            self.ends.pop_front();
        }
    }

    /// Appends the first `frames` frames of those held back as one block.
    fn write_block(&mut self, frames: usize, out: &mut Vec<u8>) {
        let samples = frames * usize::from(self.audio.channels);
        let number = match self.numbering {
            Numbering::Blocks => self.blocks,
            Numbering::Frames => self.end.frames,
        };
        let block = self.frames.encoded(self.pending.get(..samples).unwrap_or_default(), number);
        self.pending.drain(..samples.min(self.pending.len()));
        self.blocks += 1;
        let bytes = u32::try_from(block.len()).unwrap_or(u32::MAX);
        let (shortest, longest) = self.block_bytes.unwrap_or((bytes, bytes));
        self.block_bytes = Some((shortest.min(bytes), longest.max(bytes)));
        self.remember(block.len(), frames);
        out.extend_from_slice(&block);
    }

    /// Appends everything that is held back, in blocks of at least `shortest` frames.
    fn write_all(&mut self, shortest: usize, out: &mut Vec<u8>) {
        while self.pending_frames() >= shortest {
            let frames = match self.pending_frames() {
                all if all <= self.block_frames => all,
                more => self.block_frames.min(more - shortest),
            };
            self.write_block(frames, out);
        }
    }

    /// Takes whole frames as they are stored in a WAV file.
    fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.delivery == Delivery::File {
            self.digest.consume(bytes);
        }
        self.pending.extend(integers(bytes, self.audio.sample_format));
        let kept_back = if self.numbering == Numbering::Frames { usize::from(BLOCK_MIN) } else { 0 };
        while self.pending_frames() >= self.block_frames + kept_back {
            self.write_block(self.block_frames, out);
        }
    }

    /// Frames that are held back.
    fn pending_frames(&self) -> usize {
        self.pending.len() / usize::from(self.audio.channels.max(1))
    }

    /// For a file cut after `written` bytes: where it has to end, and the frames in it if they are known.
    fn whole(&self, written: u64) -> Option<(u64, Option<u64>)> {
        if written < self.header_bytes {
            return None;
        }
        match self.ends.iter().rev().find(|end| end.bytes <= written) {
            Some(end) => Some((end.bytes, Some(end.frames))),
            // The cut is before the stored blocks. Readers skip what is torn.
            None => Some((written, None)),
        }
    }
}

/// Blocks of `1 / share` s at most, a power of two.
fn block_frames(sample_rate: u32, share: u32) -> u16 {
    let longest = (sample_rate / share).clamp(64, BLOCK_MAX);
    u16::try_from(1 << longest.ilog2()).unwrap_or(64)
}

/// Checks that FLAC can hold it, in files that can be streamed (RFC 9639, section 7).
///
/// # Errors
/// [`ErrorKind::NotSupported`] for more than eight channels or none, for samples that are no integers, and for a rate
/// that the head of a frame cannot state: one of 65,535 Hz or more that is no multiple of 10 Hz.
pub(super) fn check(audio: AudioFormat) -> Result<()> {
    let refuse = |context: String| Err(Error::new(ErrorKind::NotSupported, context));
    let AudioFormat { sample_rate, channels, sample_format } = audio;
    if sample_format == SampleFormat::F32 {
        return refuse(format!("flac files have no {sample_format} samples"));
    }
    if !(1..=8).contains(&channels) {
        return refuse(format!("flac files have 1 to 8 channels, not {channels}"));
    }
    let can_be_told = sample_rate < 65_535 || (sample_rate < 655_350 && sample_rate % 10 == 0);
    if sample_rate == 0 || !can_be_told {
        return refuse(format!("flac files cannot be streamed at {sample_rate} Hz"));
    }
    Ok(())
}

impl Encoder for FlacEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let header = self.header.bytes(&self.metadata, None, None, None);
        self.header_bytes = header.len() as u64;
        self.remember(header.len(), 0);
        out.extend(header);
        Ok(())
    }

    fn encode(&mut self, samples: &[f32], out: &mut Vec<u8>) -> Result<()> {
        self.check_running()?;
        if !samples.len().is_multiple_of(usize::from(self.audio.channels)) {
            let (samples, channels) = (samples.len(), self.audio.channels);
            let context = format!("{samples} samples are not whole frames of {channels} channels");
            return Err(Error::new(ErrorKind::InvalidData, context));
        }
        let mut bytes = Vec::new();
        convert::encode_samples(samples, self.audio.sample_format, &mut bytes);
        self.take(&bytes, out);
        Ok(())
    }

    fn expect_flushes(&mut self) {
        self.numbering = Numbering::Frames;
        self.frames = FrameEncoder::new(self.audio, self.numbering);
        self.header.allow_short_blocks();
    }

    fn stored(&self) -> Option<SampleFormat> {
        Some(self.audio.sample_format)
    }

    fn encode_stored(&mut self, frames: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.check_running()?;
        self.take(frames, out);
        Ok(())
    }

    fn flush(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.numbering == Numbering::Frames {
            self.write_all(BLOCK_MIN.into(), out);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.check_running()?;
        self.finished = true;
        self.write_all(1, out);
        Ok(())
    }

    /// One patch with everything before the frames, so that no cut between two patches can tear it. The sum of all
    /// samples is known for the whole recording only.
    fn seal(&self, written_bytes: u64) -> Seal {
        let Some((length, frames)) = self.whole(written_bytes) else { return Seal::default() };
        if self.open_ended() {
            return Seal { length, patches: Vec::new() };
        }
        let is_all = self.finished && length == self.end.bytes;
        let digest = is_all.then(|| self.digest.clone().finalize().0);
        let sizes = self.block_bytes.filter(|_| is_all);
        let bytes = self.header.bytes(&self.metadata, frames, sizes, digest);
        Seal { length, patches: vec![Patch { at: 0, bytes }] }
    }

    fn frames_in(&self, written_bytes: u64) -> Option<u64> {
        self.whole(written_bytes).map_or(Some(0), |(_, frames)| frames)
    }

    /// The header of a growing file states an unknown length until the end: then players read on as far as there are
    /// frames.
    fn checkpoint(&self, _written_bytes: u64) -> Vec<Patch> {
        Vec::new()
    }

    fn unseal(&mut self) -> Vec<Patch> {
        // The header states no length before the end.
        self.unsealed = true;
        Vec::new()
    }

    fn set_metadata(&mut self, metadata: Metadata) {
        self.metadata = metadata;
    }
}

/// Little-endian samples as numbers.
fn integers(bytes: &[u8], format: SampleFormat) -> impl Iterator<Item = i32> {
    bytes.chunks_exact(usize::from(format.bytes())).map(move |sample| match *sample {
        [low, high] => i16::from_le_bytes([low, high]).into(),
        [low, middle, high] => i32::from_le_bytes([0, low, middle, high]) >> 8,
        [a, b, c, d] => i32::from_le_bytes([a, b, c, d]),
        _ => 0,
    })
}

impl std::fmt::Debug for FlacEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlacEncoder").field("audio", &self.audio).field("end", &self.end).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "encode/tests.rs"]
mod tests;
