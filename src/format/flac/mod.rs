//! FLAC (RFC 9639): half the size of PCM, every bit kept.

pub(crate) mod decode;
pub(crate) mod encode;
mod leftover;
mod markers;
pub(crate) mod repair;
mod speakers;

use super::{
    Codec, Format, foreign,
    row::{Bytes, Keeps, PCM, pcm_bits_per_second},
};

/// The row of this format.
pub(super) const FORMAT: Format = Format {
    name: "flac",
    extensions: &["flac"],
    mime_type: "audio/flac",
    mime_aliases: &["audio/x-flac"],
    codecs: &[Codec { name: "flac", aliases: &[], sample_formats: PCM }],
    keeps: Keeps::Comments,
    summary: "Half the size, every bit kept (16, 24 and 32 bit)",
    remedy: "`--sample-format` takes s16, s24 and s32 here, `--channels` up to 8; `--format wav` holds the rest",
    streamable: true,
    size_limit: None,
    sample_rates: &[],
    bits_per_second: None,
    zeros_are_silence: false,
    // At most: how the sound will compress is not known.
    estimate: |audio, _| pcm_bits_per_second(audio),
    check: encode::check,
    begins: |start| start.starts_with(b"fLaC"),
    encoder: |settings| Ok(Box::new(encode::FlacEncoder::new(settings)?)),
    decoder: Some(|input: Bytes, name| Ok(Box::new(decode::FlacDecoder::new(input, name)?))),
    markers: Some(markers::rewrite),
    examine: repair::examine,
    read_back: foreign::READ_BACK,
};
