//! Samples of a WAV file to frames: integers of 8, 16, 24 and 32 bits, floats of 32 and 64 bits.
//!
//! Our own, because no library reads RF64 and BW64, files that are still being written, and wrong sizes; plain samples
//! need no decoding. Finding the chunks is in `chunks`. Run by any thread but a realtime one.

use std::{
    borrow::Cow,
    io::{Read, SeekFrom},
};

use super::{chunks, tags};
use crate::{
    audio::{AudioFormat, Metadata, SampleFormat, Speakers, convert},
    error::{Error, ErrorKind, Result},
    format::{
        Damage, Decoder, Input, foreign,
        row::{Bytes, START_BYTES},
    },
};

/// Bytes that are read at once; a frame can be larger.
const BLOCK: usize = 64 << 10;

/// How samples are stored, those included that are never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    U8,
    F64,
    Known(SampleFormat),
}

impl Coding {
    const fn bytes(self) -> u16 {
        match self {
            Self::U8 => 1,
            Self::F64 => 8,
            Self::Known(format) => format.bytes(),
        }
    }

    const fn nearest(self) -> SampleFormat {
        match self {
            Self::U8 => SampleFormat::S16,
            Self::F64 => SampleFormat::F32,
            Self::Known(format) => format,
        }
    }

    fn decode(self, bytes: &[u8], out: &mut Vec<f32>) {
        match self {
            Self::U8 => out.extend(bytes.iter().map(|&byte| (f32::from(byte) - 128.0) / 128.0)),
            Self::F64 => out.extend(bytes.as_chunks().0.iter().map(|&bytes| narrow(f64::from_le_bytes(bytes)))),
            Self::Known(format) => convert::decode_samples(bytes, format, out),
        }
    }
}

/// NaN becomes silence, as in every other format.
fn narrow(sample: f64) -> f32 {
    if sample.is_nan() { 0.0 } else { sample as f32 }
}

/// The content of `fmt `.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fmt {
    sample_rate: u32,
    channels: u16,
    coding: Coding,
    /// `dwChannelMask`, 0 if it is missing.
    pub(super) mask: u32,
}

impl Fmt {
    /// Reads WAVEFORMAT, WAVEFORMATEX or WAVEFORMATEXTENSIBLE.
    pub(super) fn parse(payload: &[u8], name: &str) -> Result<Self> {
        let damaged = |what: &str| Error::new(ErrorKind::InvalidData, format!("{name} is damaged: {what}"));
        let word = |at: usize| payload.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes);
        let long = |at: usize| payload.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        let (Some(tag), Some(channels), Some(sample_rate), Some(block_align), Some(bits)) =
            (word(0), word(2), long(4), word(12), word(14))
        else {
            return Err(damaged("its format is cut off"));
        };
        if channels == 0 || sample_rate == 0 {
            return Err(damaged("it has no channels or no sample rate"));
        }
        // The sub-format of an extensible format starts with the tag that it replaces.
        let codec = if tag == 0xfffe { word(24).ok_or_else(|| damaged("its format is cut off"))? } else { tag };
        let coding = coding(codec, container_bits(channels, block_align, bits)).ok_or_else(|| {
            let context = format!("{name} holds {} sound, which is not read", codec_name(codec));
            Error::undecodable(name, context)
        })?;
        let mask = if tag == 0xfffe { long(20).unwrap_or(0) } else { 0 };
        Ok(Self { sample_rate, channels, coding, mask })
    }

    /// The format that a decoder of this sound reports.
    pub(super) fn format(self) -> AudioFormat {
        AudioFormat::new(self.sample_rate, self.channels, self.coding.nearest())
    }

    /// The speakers that more than two channels are meant for, if that is stated.
    fn speakers(self) -> Option<Speakers> {
        Speakers::of_mask(self.mask, self.channels).filter(|speakers| speakers.count() > 2)
    }

    /// Never zero.
    pub(super) fn frame_bytes(self) -> u32 {
        u32::from(self.coding.bytes()) * u32::from(self.channels)
    }
}

/// Bits that a sample takes in the file. The block size allows for containers larger than the sample, which lies in
/// their upper bits; but some writers leave it wrong.
fn container_bits(channels: u16, block_align: u16, bits: u16) -> u16 {
    let by_block = (block_align / channels).saturating_mul(8);
    let whole = block_align.is_multiple_of(channels) && (8..=64).contains(&by_block);
    if whole && by_block >= bits { by_block } else { bits.checked_next_multiple_of(8).unwrap_or(bits) }
}

/// The common name of the sound of that format tag (RFC 2361).
fn codec_name(tag: u16) -> Cow<'static, str> {
    Cow::Borrowed(match tag {
        0x0002 | 0x0011 => "ADPCM",
        0x0006 => "A-law",
        0x0007 => "mu-law",
        0x0022 => "TrueSpeech",
        0x0031 => "GSM 6.10",
        0x0040 | 0x0064 => "G.726 ADPCM",
        0x0042 => "G.723",
        0x0050 => "MPEG",
        0x0055 => "MP3",
        0x00ff => "AAC",
        0x0160..=0x0163 => "WMA",
        0x2000 => "AC-3",
        _ => return Cow::Owned(format!("(tag {tag:#06x})")),
    })
}

fn coding(codec: u16, bits: u16) -> Option<Coding> {
    match (codec, bits) {
        (1, 8) => Some(Coding::U8),
        (1, 16) => Some(Coding::Known(SampleFormat::S16)),
        (1, 24) => Some(Coding::Known(SampleFormat::S24)),
        (1, 32) => Some(Coding::Known(SampleFormat::S32)),
        (3, 32) => Some(Coding::Known(SampleFormat::F32)),
        (3, 64) => Some(Coding::F64),
        _ => None,
    }
}

/// A decoder of a file that begins as [`chunks::is_wave`] requires: this one for plain samples, the library's for other
/// codings.
///
/// # Errors
/// Those of [`format::open`](crate::format::open).
pub(super) fn open(mut input: Bytes, name: &str) -> Result<Box<dyn Decoder>> {
    let failed = |error| Error::from_io(error, format!("cannot read {name}"));
    let start = chunks::payload(&mut input, 0, START_BYTES).map_err(failed)?;
    let len = input.seek(SeekFrom::End(0)).map_err(failed)?;
    let fmt = chunks::scan(&mut input, len).map_err(failed)?.fmt;
    let fmt = fmt.and_then(|fmt| Fmt::parse(&fmt, name).err()).filter(|error| error.kind() == ErrorKind::Undecodable);
    match (fmt, foreign::kind(&start)) {
        (Some(error), Some(kind)) => {
            // The library reports "unsupported"; the tag has the reason.
            foreign::open(input, kind, name)
                .map_err(|other| if other.kind() == ErrorKind::Undecodable { error } else { other })
        }
        _ => Ok(Box::new(WavDecoder::new(input, name)?)),
    }
}

/// The decoder of WAV files.
pub(super) struct WavDecoder<I> {
    input: I,
    name: String,
    fmt: Fmt,
    /// Where the first frame is, in bytes.
    start: u64,
    frames: u64,
    /// The next frame to be read.
    at: u64,
    metadata: Metadata,
    damage: Damage,
    block: Vec<u8>,
}

impl<I: Input> WavDecoder<I> {
    /// A decoder of `input`, which begins as [`chunks::is_wave`] requires.
    pub(super) fn new(mut input: I, name: &str) -> Result<Self> {
        let failed = |error| Error::from_io(error, format!("cannot read {name}"));
        let damaged = |what: &str| Error::new(ErrorKind::InvalidData, format!("{name} is damaged: {what}"));
        let len = input.seek(SeekFrom::End(0)).map_err(failed)?;
        let chunks = chunks::scan(&mut input, len).map_err(failed)?;
        let fmt = Fmt::parse(&chunks.fmt.ok_or_else(|| damaged("it does not say its format"))?, name)?;
        let (start, bytes) = chunks.data.ok_or_else(|| damaged("it has no samples"))?;
        let mut damage = Damage::default();
        damage.note_end(chunks.cut_off / u64::from(fmt.frame_bytes()));
        let mut decoder = Self {
            input,
            damage,
            name: name.to_owned(),
            fmt,
            start,
            frames: bytes / u64::from(fmt.frame_bytes()),
            at: 0,
            metadata: Metadata { speakers: fmt.speakers(), ..tags::metadata(&chunks.tags) },
            block: Vec::new(),
        };
        decoder.seek(0)?;
        Ok(decoder)
    }

    /// Passes up to `max_frames` frames to `take` as they are stored, block by block, and returns how many.
    fn read_blocks(&mut self, max_frames: usize, mut take: impl FnMut(&[u8])) -> Result<usize> {
        let mut total = 0;
        while total < max_frames {
            match self.fill_block(max_frames - total)? {
                0 => break,
                frames => total += frames,
            }
            take(&self.block);
        }
        Ok(total)
    }

    /// Reads up to `max_frames` frames of the next block, and nothing else; 0 at the end.
    fn fill_block(&mut self, max_frames: usize) -> Result<usize> {
        let frame_bytes = usize::try_from(self.fmt.frame_bytes()).unwrap_or(usize::MAX);
        let left = usize::try_from(self.frames - self.at).unwrap_or(usize::MAX);
        let wanted = max_frames.min(left).min((BLOCK / frame_bytes).max(1));
        self.block.clear();
        let bytes = wanted.saturating_mul(frame_bytes) as u64;
        let read = self.input.by_ref().take(bytes).read_to_end(&mut self.block);
        let frames = self.block.len() / frame_bytes;
        if let Err(error) = read {
            // What was read of this block is dropped, and the next read begins with it again.
            let _ = self.input.seek(SeekFrom::Start(self.offset(self.at)));
            return Err(Error::from_io(error, format!("cannot read {}", self.name)));
        }
        self.block.truncate(frames * frame_bytes);
        self.at += frames as u64;
        if frames < wanted {
            // The file is shorter than it was when it was opened.
            self.frames = self.at;
        }
        Ok(frames)
    }

    fn offset(&self, frame: u64) -> u64 {
        self.start.saturating_add(frame.saturating_mul(u64::from(self.fmt.frame_bytes())))
    }
}

impl<I: Input> Decoder for WavDecoder<I> {
    fn container(&self) -> &'static str {
        "wav"
    }

    fn format(&self) -> AudioFormat {
        self.fmt.format()
    }

    fn frames(&self) -> Option<u64> {
        Some(self.frames)
    }

    fn read(&mut self, out: &mut Vec<f32>, max_frames: usize) -> Result<usize> {
        let coding = self.fmt.coding;
        self.read_blocks(max_frames, |block| coding.decode(block, out))
    }

    fn stored(&self) -> Option<SampleFormat> {
        match self.fmt.coding {
            Coding::Known(format) => Some(format),
            Coding::U8 | Coding::F64 => None,
        }
    }

    fn read_stored(&mut self, out: &mut Vec<u8>, max_frames: usize) -> Result<usize> {
        if self.stored().is_none() {
            let context = format!("{} has samples of a kind that is not written", self.name);
            return Err(Error::new(ErrorKind::NotSupported, context));
        }
        self.read_blocks(max_frames, |block| out.extend_from_slice(block))
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        let frame = frame.min(self.frames);
        let failed = |error| Error::from_io(error, format!("cannot read {}", self.name));
        self.input.seek(SeekFrom::Start(self.offset(frame))).map_err(failed)?;
        self.at = frame;
        Ok(())
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn damage(&self) -> Damage {
        self.damage.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn fmt(tag: u16, channels: u16, block_align: u16, bits: u16) -> Vec<u8> {
        let mut out = [tag.to_le_bytes(), channels.to_le_bytes()].concat();
        out.extend([8_000_u32.to_le_bytes(), 0_u32.to_le_bytes()].concat());
        out.extend([block_align.to_le_bytes(), bits.to_le_bytes()].concat());
        out
    }

    fn file(fmt: &[u8], data: &[u8]) -> Cursor<Vec<u8>> {
        let size = |part: &[u8]| u32::try_from(part.len()).unwrap().to_le_bytes();
        let start = [b"RIFF\0\0\0\0WAVEfmt ", &size(fmt)[..], fmt].concat();
        Cursor::new([&start, &b"data"[..], &size(data), data].concat())
    }

    fn samples(fmt: &[u8], data: &[u8]) -> Vec<f32> {
        let mut out = Vec::new();
        WavDecoder::new(file(fmt, data), "x").unwrap().read(&mut out, usize::MAX).unwrap();
        out
    }

    #[test]
    fn every_kind_of_sample_is_read_at_its_scale() {
        let extensible = |codec: u16, bits: u16, valid: u16| {
            let head = fmt(0xfffe, 1, bits / 8, bits);
            [&head[..], &[22, 0], &valid.to_le_bytes(), &[4, 0, 0, 0], &codec.to_le_bytes(), &[0; 14]].concat()
        };
        for (fmt, data, expected) in [
            (fmt(1, 1, 1, 8), &[0, 128, 192][..], &[-1.0, 0.0, 0.5][..]),
            (fmt(1, 1, 2, 16), &[0, 0x40, 0, 0x80], &[0.5, -1.0]),
            (fmt(1, 1, 2, 12), &[0, 0x40], &[0.5]),
            (fmt(1, 1, 3, 24), &[0, 0, 0xc0], &[-0.5]),
            (fmt(1, 1, 4, 24), &[0, 0, 0, 0x40], &[0.5]),
            (fmt(1, 1, 4, 32), &[0, 0, 0, 0x40], &[0.5]),
            (fmt(1, 2, 0, 16), &[0, 0x40, 0, 0x80], &[0.5, -1.0]),
            (fmt(3, 1, 4, 32), &0.25_f32.to_le_bytes(), &[0.25]),
            (fmt(3, 1, 8, 64), &0.25_f64.to_le_bytes(), &[0.25]),
            (fmt(3, 1, 8, 64), &f64::NAN.to_le_bytes(), &[0.0]),
            (extensible(1, 32, 24), &[0, 0, 0, 0x40], &[0.5]),
            (extensible(1, 24, 20), &[0, 0, 0x40], &[0.5]),
            (extensible(3, 32, 32), &0.25_f32.to_le_bytes(), &[0.25]),
        ] {
            assert_eq!(samples(&fmt, data), expected, "{fmt:?}");
        }
    }

    #[test]
    fn other_codecs_are_not_supported_and_nonsense_is_damage() {
        let rateless = [&fmt(1, 1, 2, 16)[..4], &[0; 8], &[2, 0, 16, 0]].concat();
        for (fmt, kind) in [
            (fmt(0x55, 2, 1, 0), ErrorKind::Undecodable),
            (fmt(1, 1, 2, 0xffff), ErrorKind::Undecodable),
            (fmt(3, 1, 2, 16), ErrorKind::Undecodable),
            (fmt(1, 0, 2, 16), ErrorKind::InvalidData),
            (fmt(0xfffe, 1, 2, 16), ErrorKind::InvalidData),
            (rateless, ErrorKind::InvalidData),
            (vec![1, 0], ErrorKind::InvalidData),
        ] {
            assert_eq!(WavDecoder::new(file(&fmt, &[0; 8]), "x").err().map(|e| e.kind()), Some(kind), "{fmt:?}");
        }
    }

    #[test]
    fn plain_samples_are_handed_on_as_they_are_and_others_are_not() {
        let data: Vec<u8> = (0..200_003_u32).map(|n| (n % 251) as u8).collect();
        let mut decoder = WavDecoder::new(file(&fmt(1, 2, 8, 32), &data), "x").unwrap();
        assert_eq!(decoder.stored(), Some(SampleFormat::S32));
        let mut out = Vec::new();
        decoder.seek(3).unwrap();
        assert_eq!(decoder.read_stored(&mut out, 20_000).unwrap(), 20_000);
        assert_eq!(decoder.read_stored(&mut out, 20_000).unwrap(), 4_997);
        assert!(out == data[24..200_000]);
        for (fmt, data) in [(fmt(1, 1, 1, 8), &[0; 8]), (fmt(3, 1, 8, 64), &[0; 8])] {
            let mut decoder = WavDecoder::new(file(&fmt, data), "x").unwrap();
            assert_eq!(decoder.stored(), None);
            assert_eq!(decoder.read_stored(&mut out, 1).unwrap_err().kind(), ErrorKind::NotSupported);
        }
    }

    #[test]
    fn a_seek_makes_its_frame_the_next_one() {
        let data: Vec<u8> = (0..100_000_u32).flat_map(|n| u16::try_from(n % 32_768).unwrap().to_le_bytes()).collect();
        let mut decoder = WavDecoder::new(file(&fmt(1, 1, 2, 16), &data), "x").unwrap();
        for (frame, expected) in
            [(99_999, Some(1_695.0)), (0, Some(0.0)), (40_000, Some(7_232.0)), (100_000, None), (u64::MAX, None)]
        {
            let mut out = Vec::new();
            decoder.seek(frame).unwrap();
            decoder.read(&mut out, 1).unwrap();
            assert_eq!(out.first().map(|sample| sample * 32_768.0), expected, "frame {frame}");
        }
    }

    #[test]
    fn reads_are_whole_up_to_the_end() {
        let mut decoder = WavDecoder::new(file(&fmt(1, 2, 4, 16), &vec![0; 400_003]), "x").unwrap();
        assert_eq!(decoder.frames(), Some(100_000));
        let mut out = Vec::new();
        assert_eq!(decoder.read(&mut out, 0).unwrap(), 0);
        assert_eq!(decoder.read(&mut out, 99_999).unwrap(), 99_999);
        assert_eq!(decoder.read(&mut out, 99_999).unwrap(), 1);
        assert_eq!(decoder.read(&mut out, 99_999).unwrap(), 0);
        assert_eq!(out.len(), 200_000);
    }

    /// Fails once when a byte from `broken` on is requested.
    struct Flaky {
        bytes: Cursor<Vec<u8>>,
        broken: Option<u64>,
    }

    impl Read for Flaky {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.broken.is_some_and(|at| self.bytes.position() >= at) {
                self.broken = None;
                return Err(std::io::Error::other("bad sector"));
            }
            let count = buffer.len().min(1000);
            self.bytes.read(&mut buffer[..count])
        }
    }

    impl std::io::Seek for Flaky {
        fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
            self.bytes.seek(to)
        }
    }

    #[test]
    fn after_an_error_reading_goes_on_where_it_stopped() {
        let data: Vec<u8> = (0..100_000_u32).flat_map(|n| u16::try_from(n % 32_768).unwrap().to_le_bytes()).collect();
        let bytes = file(&fmt(1, 1, 2, 16), &data);
        let whole = samples(&fmt(1, 1, 2, 16), &data);
        for broken in [44, 45, 65_579, 150_001] {
            let input = Flaky { bytes: bytes.clone(), broken: None };
            let mut decoder = WavDecoder::new(input, "x").unwrap();
            decoder.input.broken = Some(broken);
            let mut out = Vec::new();
            assert!(decoder.read(&mut out, usize::MAX).is_err());
            decoder.read(&mut out, usize::MAX).unwrap();
            assert_eq!(out, whole, "broken at {broken}");
        }
    }
}
