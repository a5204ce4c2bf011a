//! A file of ours as the library reads it: what its head says, and its end. Of Opus that is the last page, since the
//! library only knows how its packets lie; of FLAC in 32 bits and stereo it is not decoded, because the library does not
//! know differences of 33 bits.

use symphonia::core::{
    codecs::audio::{AudioDecoderOptions, well_known::CODEC_ID_OPUS},
    errors::Error as Failure,
    formats::{FormatOptions, FormatReader, SeekMode, SeekTo, TrackType, probe::Hint},
    meta::MetadataOptions,
    packet::Packet,
    units::Timestamp,
};

use super::{guard::guarded, source};
use crate::{
    audio::SampleFormat,
    format::row::{Bytes, Found},
};

/// What is wrong with the file, in the words of the library.
type Flaw = Box<dyn std::error::Error + Send + Sync>;

/// Head and last packet of the file.
pub(super) fn read(input: Bytes) -> Result<Found, Flaw> {
    guarded("it", || Ok(found(input)))?
}

fn found(input: Bytes) -> Result<Found, Flaw> {
    let stream = source::stream(input)?;
    let probe = symphonia::default::get_probe();
    let mut reader = probe.probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())?;
    let track = reader.default_track(TrackType::Audio).ok_or("it has no sound")?.clone();
    let params = track.codec_params.as_ref().and_then(|params| params.audio()).ok_or("it has no sound")?;
    let channels = params.channels.as_ref().map_or(0, |channels| channels.count());
    let mut found = Found {
        sample_rate: params.sample_rate.ok_or("it has no sample rate")?,
        channels: u16::try_from(channels)?,
        sample_format: params.bits_per_sample.and_then(depth),
        frames: track.num_frames.ok_or("it has no length")?,
    };
    if params.codec == CODEC_ID_OPUS {
        // It read the last page to know the length, which counts what is left out at the start.
        found.sample_format = None;
        found.frames = found.frames.saturating_sub(track.delay.unwrap_or(0).into());
        return Ok(found);
    }
    let mut codec = match found.sample_format {
        Some(SampleFormat::S32) if channels == 2 => None,
        _ => Some(symphonia::default::get_codecs().make_audio_decoder(params, &AudioDecoderOptions::default())?),
    };
    let last = Timestamp::from(i64::try_from(found.frames.saturating_sub(1))?);
    reader.seek(SeekMode::Accurate, SeekTo::Timestamp { ts: last, track_id: track.id })?;
    let mut end = 0;
    while let Some(packet) = next_packet(reader.as_mut())? {
        if let Some(codec) = &mut codec {
            codec.decode(&packet)?;
        }
        end = u64::try_from(packet.pts.get())?.saturating_add(packet.dur.get());
    }
    if end < found.frames {
        return Err(format!("it breaks off after {end} frames").into());
    }
    Ok(found)
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
