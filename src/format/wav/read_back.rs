//! A WAV file as hound reads it, which is independent of our writer. It supports neither RF64 nor the pad byte after a
//! chunk of odd length before the samples (hound 3.5): such files are read by our own reader.

use std::io::{BufReader, Read as _, Seek as _, SeekFrom};

use hound::{SampleFormat as Kind, WavReader};

use super::decode::WavDecoder;
use crate::{
    audio::SampleFormat,
    format::{
        Decoder as _,
        row::{Bytes, ReadBack},
    },
};

/// Head and last frame of the file.
pub(super) fn read(mut input: Bytes) -> Result<ReadBack, Box<dyn std::error::Error + Send + Sync>> {
    let mut id = [0; 4];
    input.read_exact(&mut id)?;
    let own = &id == b"RF64" || has_odd_chunk_in_front(&mut input)?;
    input.seek(SeekFrom::Start(0))?;
    if own { long(input) } else { plain(input) }
}

/// Whether a chunk before the samples is followed by a pad byte.
fn has_odd_chunk_in_front(input: &mut Bytes) -> std::io::Result<bool> {
    let (mut at, mut head) = (12, [0; 8]);
    loop {
        input.seek(SeekFrom::Start(at))?;
        input.read_exact(&mut head)?;
        let [a, b, c, d, sizes @ ..] = head;
        let size = u64::from(u32::from_le_bytes(sizes));
        if [a, b, c, d] == *b"data" || size % 2 == 1 {
            return Ok([a, b, c, d] != *b"data");
        }
        at += 8 + size;
    }
}

fn plain(input: Bytes) -> Result<ReadBack, Box<dyn std::error::Error + Send + Sync>> {
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

fn long(input: Bytes) -> Result<ReadBack, Box<dyn std::error::Error + Send + Sync>> {
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
) -> Result<ReadBack, Box<dyn std::error::Error + Send + Sync>> {
    match last {
        1 => Ok(ReadBack { sample_rate, channels, sample_format: Some(sample_format), frames }),
        _ => Err("it breaks off".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn an_odd_chunk_in_front_of_the_samples_is_no_fault() {
        let spec = hound::WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample: 16, sample_format: Kind::Int };
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        (0..100).for_each(|sample: i16| writer.write_sample(sample).unwrap());
        writer.finalize().unwrap();
        for chunk in [&b""[..], b"iXML\x05\0\0\0<x/>\n\0", b"bext\x02\0\0\0ab"] {
            let mut bytes = bytes.get_ref().clone();
            bytes.splice(12..12, chunk.iter().copied());
            let size = u32::try_from(bytes.len() - 8).unwrap();
            bytes[4..8].copy_from_slice(&size.to_le_bytes());
            assert_eq!(read(Box::new(Cursor::new(bytes))).unwrap().frames, 100, "{chunk:?}");
        }
    }
}
