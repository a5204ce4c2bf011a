//! A format for the tests alone, which shows what a new one needs: this folder and one row of the table. A head of
//! sixteen bytes (`PLAIN`, three spaces, rate and channels), then 16-bit samples.

use std::io::{Read as _, SeekFrom};

use super::{
    Codec, Decoder, Encoder, EncoderSettings, Format, Input, Metadata, Patch, Seal,
    raw::encode::RawEncoder,
    repair::{Origin, Repair},
    row::{Bytes, Keeps, pcm_bits_per_second},
};
use crate::{
    audio::{AudioFormat, SampleFormat, convert},
    error::{Error, ErrorKind, Result},
};

const MAGIC: &[u8] = b"PLAIN   ";
const HEAD_BYTES: u64 = 16;

/// The row of this format.
pub(super) const FORMAT: Format = Format {
    name: "plain",
    extensions: &["plain"],
    mime_type: "audio/x-plain",
    mime_aliases: &[],
    codecs: &[Codec { name: "plain", aliases: &[], sample_formats: &[SampleFormat::S16] }],
    keeps: Keeps::Nothing,
    summary: "for the tests",
    remedy: "",
    streamable: true,
    size_limit: None,
    sample_rates: &[],
    bits_per_second: None,
    zeros_are_silence: true,
    estimate: |audio, _| pcm_bits_per_second(audio),
    check: |audio| RawEncoder::new(&settings(audio)).map(drop),
    begins: |start| start.starts_with(MAGIC),
    encoder: |settings| Ok(Box::new(PlainEncoder { audio: settings.audio, samples: RawEncoder::new(settings)? })),
    decoder: Some(|input, name| Ok(Box::new(PlainDecoder::new(input, name)?))),
    markers: None,
    examine,
    read_back: None,
};

fn settings(audio: AudioFormat) -> EncoderSettings {
    let metadata = Metadata::default();
    EncoderSettings { audio, delivery: super::Delivery::File, bits_per_second: None, metadata }
}

struct PlainEncoder {
    audio: AudioFormat,
    samples: RawEncoder,
}

impl Encoder for PlainEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        out.extend(
            [MAGIC, &self.audio.sample_rate.to_le_bytes(), &u32::from(self.audio.channels).to_le_bytes()].concat(),
        );
        Ok(())
    }

    fn encode(&mut self, samples: &[f32], out: &mut Vec<u8>) -> Result<()> {
        self.samples.encode(samples, out)
    }

    fn flush(&mut self, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn seal(&self, written_bytes: u64) -> Seal {
        let length = HEAD_BYTES + self.samples.seal(written_bytes.saturating_sub(HEAD_BYTES)).length;
        Seal { length: length.min(written_bytes), patches: Vec::new() }
    }

    fn frames_in(&self, written_bytes: u64) -> Option<u64> {
        self.samples.frames_in(written_bytes.saturating_sub(HEAD_BYTES))
    }

    fn unseal(&mut self) -> Vec<Patch> {
        Vec::new()
    }

    fn set_metadata(&mut self, _metadata: Metadata) {}
}

/// The content of the head, and the bytes of the file.
fn head(input: &mut dyn Input, name: &str) -> Result<(AudioFormat, u64)> {
    let failed = |error| Error::from_io(error, format!("cannot read {name}"));
    let damaged = || Error::new(ErrorKind::InvalidData, format!("{name} is damaged: it does not say its format"));
    let len = input.seek(SeekFrom::End(0)).map_err(failed)?;
    let mut start = Vec::new();
    input.seek(SeekFrom::Start(0)).map_err(failed)?;
    input.take(HEAD_BYTES).read_to_end(&mut start).map_err(failed)?;
    let number = |at: usize| Some(u32::from_le_bytes(*start.get(at..)?.first_chunk()?));
    let (rate, channels) = number(8).zip(number(12)).ok_or_else(damaged)?;
    let channels = u16::try_from(channels).ok().filter(|&channels| channels > 0 && rate > 0).ok_or_else(damaged)?;
    Ok((AudioFormat::new(rate, channels, SampleFormat::S16), len))
}

fn examine(input: &mut dyn Input, name: &str, _origin: Origin) -> Result<Repair> {
    let (format, len) = head(input, name)?;
    let frame_bytes = u64::from(format.frame_bytes());
    let frames = (len - HEAD_BYTES) / frame_bytes;
    let seal = Seal { length: HEAD_BYTES + frames * frame_bytes, patches: Vec::new() };
    Ok(Repair { container: "plain", format: Some(format), frames: Some(frames), seal, len, obstacle: None })
}

struct PlainDecoder {
    input: Bytes,
    format: AudioFormat,
    frames: u64,
    metadata: Metadata,
}

impl PlainDecoder {
    fn new(mut input: Bytes, name: &str) -> Result<Self> {
        let (format, len) = head(&mut input, name)?;
        let frames = (len - HEAD_BYTES) / u64::from(format.frame_bytes());
        Ok(Self { input, format, frames, metadata: Metadata::default() })
    }
}

impl Decoder for PlainDecoder {
    fn container(&self) -> &'static str {
        "plain"
    }

    fn format(&self) -> AudioFormat {
        self.format
    }

    fn frames(&self) -> Option<u64> {
        Some(self.frames)
    }

    fn read(&mut self, out: &mut Vec<f32>, max_frames: usize) -> Result<usize> {
        let frame_bytes = self.format.frame_bytes() as usize;
        let mut bytes = Vec::new();
        let wanted = max_frames.saturating_mul(frame_bytes) as u64;
        let read = self.input.by_ref().take(wanted).read_to_end(&mut bytes);
        read.map_err(|error| Error::from_io(error, "cannot read it"))?;
        let frames = bytes.len() / frame_bytes;
        convert::decode_samples(bytes.get(..frames * frame_bytes).unwrap_or_default(), SampleFormat::S16, out);
        Ok(frames)
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        let at = HEAD_BYTES + frame.min(self.frames) * u64::from(self.format.frame_bytes());
        self.input.seek(SeekFrom::Start(at)).map(drop).map_err(|error| Error::from_io(error, "cannot read it"))
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}
