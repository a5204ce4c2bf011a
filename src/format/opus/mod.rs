//! Opus in Ogg (RFC 7845): small, made for voice.

pub(crate) mod decode;
pub(crate) mod encode;
mod markers;
pub(crate) mod repair;

use super::{Codec, Format, foreign, row::Keeps};
use crate::audio::SampleFormat;

/// The row of this format.
pub(super) const FORMAT: Format = Format {
    name: "opus",
    extensions: &["opus", "ogg", "oga"],
    mime_type: "audio/ogg",
    mime_aliases: &[],
    // The codec has no depth of its own and accepts any.
    codecs: &[Codec { name: "opus", aliases: &[], sample_formats: &SampleFormat::ALL }],
    keeps: Keeps::Comments,
    summary: "Small, made for voice: Ogg Opus, 48 kHz, mono or stereo",
    remedy: "`--map 1,2` keeps two of them, `--channels 1` mixes all to one; `--format wav` holds more",
    streamable: true,
    size_limit: None,
    sample_rates: &[encode::SAMPLE_RATE],
    bits_per_second: Some(encode::BITS_PER_SECOND),
    zeros_are_silence: false,
    estimate: encode::bits_per_second,
    check: encode::check,
    begins: |start| start.starts_with(b"OggS"),
    encoder: |settings| Ok(Box::new(encode::OpusEncoder::new(settings)?)),
    decoder: Some(decode::open),
    markers: Some(markers::rewrite),
    examine: repair::examine,
    read_back: foreign::READ_BACK,
};
