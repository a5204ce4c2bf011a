//! A WAV file as hound reads it, which knows nothing of our writer. It does not know RF64: that is read by our own reader.

use std::io::{BufReader, Read as _, Seek as _, SeekFrom};

use hound::{SampleFormat as Kind, WavReader};

use super::decode::WavDecoder;
use crate::{
    audio::SampleFormat,
    format::{Decoder as _, read_back::Found, table::Bytes},
};

/// Head and last frame of the file.
pub(super) fn read(mut input: Bytes) -> Result<Found, Box<dyn std::error::Error + Send + Sync>> {
    let mut id = [0; 4];
    input.read_exact(&mut id)?;
    input.seek(SeekFrom::Start(0))?;
    if &id == b"RF64" { long(input) } else { plain(input) }
}

fn plain(input: Bytes) -> Result<Found, Box<dyn std::error::Error + Send + Sync>> {
    let mut reader = WavReader::new(BufReader::new(input))?;
    let spec = reader.spec();
    let frames = reader.duration();
    reader.seek(frames.saturating_sub(1))?;
    let (sample_format, samples) = match (spec.sample_format, spec.bits_per_sample) {
        (Kind::Float, _) => (SampleFormat::F32, reader.samples::<f32>().filter(Result::is_ok).count()),
        (Kind::Int, bits) => {
            let depth = SampleFormat::ALL.into_iter().find(|depth| depth.bits() == bits);
            let depth = depth.ok_or_else(|| format!("it has {bits} bits"))?;
            (depth, reader.samples::<i32>().filter(Result::is_ok).count())
        }
    };
    found(spec.sample_rate, spec.channels, sample_format, frames.into(), samples / usize::from(spec.channels.max(1)))
}

fn long(input: Bytes) -> Result<Found, Box<dyn std::error::Error + Send + Sync>> {
    let mut decoder = WavDecoder::new(input, "it")?;
    let audio = decoder.format();
    let frames = decoder.frames().unwrap_or(0);
    decoder.seek(frames.saturating_sub(1))?;
    let last = decoder.read(&mut Vec::new(), 2)?;
    found(audio.sample_rate, audio.channels, audio.sample_format, frames, last)
}

fn found(
    sample_rate: u32,
    channels: u16,
    sample_format: SampleFormat,
    frames: u64,
    last: usize,
) -> Result<Found, Box<dyn std::error::Error + Send + Sync>> {
    match last {
        1 => Ok(Found { sample_rate, channels, sample_format: Some(sample_format), frames }),
        _ => Err("it breaks off".into()),
    }
}
