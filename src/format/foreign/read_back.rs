//! A file of ours as the library reads it: the content of its head, and its end. For Opus that is the last page, since
//! the library only parses how its packets lie; for FLAC in 32 bits and stereo it is not decoded, because the library
//! does not support differences of 33 bits.
//!
//! The end of a FLAC file is not reached by seeking: the library halves what is left, and where it lands within the
//! last frame it finds no other one after it, and treats the file as cut off. It reads the end as a file of its own.

use std::io::{Cursor, Read, Seek, SeekFrom};

use symphonia::core::{
    codecs::audio::{AudioDecoderOptions, well_known::CODEC_ID_OPUS},
    errors::Error as Failure,
    formats::{FormatOptions, FormatReader, TrackType, probe::Hint},
    io::{MediaSourceStream, ReadBytes},
    meta::MetadataOptions,
    packet::Packet,
};

use super::{guard::guarded, source};
use crate::{
    audio::SampleFormat,
    format::row::{Bytes, ReadBack},
};

/// Longer than two frames of FLAC as we write them, in bytes: 4,096 samples of eight channels in 33 bits are 135 kB.
const END_BYTES: u64 = 300 << 10;
/// What every FLAC file begins with, the block with its format included.
const FLAC_HEAD_BYTES: usize = 42;

/// What is wrong with the file, with the library's message.
type Flaw = Box<dyn std::error::Error + Send + Sync>;

/// Head and last packet of the file.
pub(super) fn read(input: Bytes) -> Result<ReadBack, Flaw> {
    guarded("it", || Ok(found(input)))?
}

fn found(input: Bytes) -> Result<ReadBack, Flaw> {
    let reader = opened(source::stream(input)?)?;
    let track = reader.default_track(TrackType::Audio).ok_or("it has no sound")?.clone();
    let params = track.codec_params.as_ref().and_then(|params| params.audio()).ok_or("it has no sound")?;
    let channels = params.channels.as_ref().map_or(0, |channels| channels.count());
    let mut found = ReadBack {
        sample_rate: params.sample_rate.ok_or("it has no sample rate")?,
        channels: u16::try_from(channels)?,
        sample_format: params.bits_per_sample.and_then(depth),
        frames: track.num_frames.ok_or("it has no length")?,
    };
    if params.codec == CODEC_ID_OPUS {
        // It read the last page to determine the length, which includes what is left out at the start.
        found.sample_format = None;
        found.frames = found.frames.saturating_sub(track.delay.unwrap_or(0).into());
        return Ok(found);
    }
    let mut codec = match found.sample_format {
        Some(SampleFormat::S32) if channels == 2 => None,
        _ => Some(symphonia::default::get_codecs().make_audio_decoder(params, &AudioDecoderOptions::default())?),
    };
    let mut reader = opened(end_of(reader.into_inner())?)?;
    let mut last = None;
    while let Some(packet) = next_packet(reader.as_mut())? {
        last = Some(packet);
    }
    let last = last.ok_or("it has no sound at its end")?;
    if let Some(codec) = &mut codec {
        codec.decode(&last)?;
    }
    let end = u64::try_from(last.pts.get())?.saturating_add(last.dur.get());
    if end < found.frames {
        return Err(format!("it breaks off after {end} frames").into());
    }
    Ok(found)
}

fn opened(stream: MediaSourceStream<'static>) -> Result<Box<dyn FormatReader>, Flaw> {
    let probe = symphonia::default::get_probe();
    Ok(probe.probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())?)
}

/// The end of a FLAC file that was read as far as its first frame, as a file of its own.
fn end_of(mut stream: MediaSourceStream<'static>) -> Result<MediaSourceStream<'static>, Flaw> {
    let first = stream.pos();
    stream.seek(SeekFrom::Start(0))?;
    let mut head = [0; FLAC_HEAD_BYTES];
    stream.read_exact(&mut head)?;
    // No other block follows.
    head[4] |= 0x80;
    let len = stream.seek(SeekFrom::End(0))?;
    stream.seek(SeekFrom::Start(len.saturating_sub(END_BYTES).max(first)))?;
    let mut bytes = head.to_vec();
    stream.read_to_end(&mut bytes)?;
    Ok(source::stream(Box::new(Cursor::new(bytes)))?)
}

/// The next packet, if there is one before the end.
fn next_packet(reader: &mut dyn FormatReader) -> Result<Option<Packet>, Failure> {
    match reader.next_packet() {
        Err(Failure::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        read => read,
    }
}

fn depth(bits: u32) -> Option<SampleFormat> {
    SampleFormat::ALL.into_iter().find(|depth| u32::from(depth.bits()) == bits)
}
