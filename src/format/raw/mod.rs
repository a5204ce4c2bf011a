//! Samples without a header. What a file of them holds cannot be determined, so that they are written and not read.

pub(crate) mod encode;
pub(crate) mod repair;

use super::{
    Codec, Format,
    row::{Keeps, pcm_bits_per_second},
};
use crate::audio::SampleFormat;

/// The row of this format.
pub(super) const FORMAT: Format = Format {
    name: "raw",
    extensions: &["raw", "pcm"],
    mime_type: "audio/pcm",
    mime_aliases: &[],
    codecs: &[Codec { name: "pcm", aliases: &[], sample_formats: &SampleFormat::ALL }],
    keeps: Keeps::Nothing,
    summary: "PCM with nothing else",
    remedy: "`--channels` and `--rate` set something else",
    streamable: true,
    size_limit: None,
    sample_rates: &[],
    bits_per_second: None,
    zeros_are_silence: true,
    estimate: |audio, _| pcm_bits_per_second(audio),
    check: encode::check,
    begins: |_| false,
    encoder: |settings| Ok(Box::new(encode::RawEncoder::new(settings)?)),
    decoder: None,
    markers: None,
    examine: repair::examine,
    read_back: None,
};
