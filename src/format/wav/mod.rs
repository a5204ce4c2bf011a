//! RIFF/WAVE, above 4 GiB RF64.

mod chunks;
pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod header;
mod id3;
mod info;
pub(crate) mod layout;
mod markers;
mod read_back;
pub(crate) mod repair;
mod tags;
pub(crate) mod trailer;

use super::{
    Codec, Format,
    row::{Keeps, PCM, pcm_bits_per_second},
};
use crate::audio::SampleFormat;

/// The row of this format.
pub(super) const FORMAT: Format = Format {
    name: "wav",
    extensions: &["wav", "wave"],
    mime_type: "audio/wav",
    mime_aliases: &["audio/wave", "audio/x-wav", "audio/vnd.wave"],
    // RFC 2361 names a codec by its format tag in hexadecimal digits.
    codecs: &[
        Codec { name: "1", aliases: &["pcm"], sample_formats: PCM },
        Codec { name: "3", aliases: &[], sample_formats: &[SampleFormat::F32] },
    ],
    keeps: Keeps::Everything,
    summary: "RIFF/WAVE, past 4 GiB RF64",
    remedy: "`--channels` and `--rate` set something else",
    streamable: true,
    size_limit: None,
    sample_rates: &[],
    bits_per_second: None,
    zeros_are_silence: true,
    estimate: |audio, _| pcm_bits_per_second(audio),
    check: |audio| header::Header::new(audio).map(drop),
    begins: chunks::is_wave,
    encoder: |settings| Ok(Box::new(encode::WavEncoder::new(settings)?)),
    decoder: Some(decode::open),
    markers: Some(markers::rewrite),
    examine: repair::examine,
    read_back: Some(read_back::read),
};
