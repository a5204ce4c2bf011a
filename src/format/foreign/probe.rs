//! What the library finds in a file, converted to our types: its track, its codec, its blocks.

use std::io::{Read as _, Seek as _, SeekFrom};

use symphonia::core::{
    audio::GenericAudioBufferRef,
    codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known as codecs},
    errors::Error as Failure,
    formats::{FormatOptions, FormatReader, Track, TrackType, probe::Hint},
    io::MediaSourceStream,
    meta::MetadataOptions,
};

use super::{Kind, undecodable};
use crate::{
    audio::SampleFormat,
    error::{Error, ErrorKind, Result},
    format::row::Bytes,
};

/// Bytes in which the head of an AIFF-C file is.
const AIFC_START_BYTES: u64 = 4096;

/// What was decoded last, interleaved: integers in the upper bits, floats at full scale ±1.0.
pub(super) enum Block {
    Whole(Vec<i32>),
    Float(Vec<f32>),
}

impl Block {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Whole(samples) => samples.len(),
            Self::Float(samples) => samples.len(),
        }
    }
}

pub(super) fn probe(stream: MediaSourceStream<'static>, name: &str) -> Result<Box<dyn FormatReader>> {
    let probe = symphonia::default::get_probe();
    probe.probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default()).map_err(|error| match error
    {
        // It contains nothing of what its start looked like.
        Failure::Unsupported(what) if what.contains("no suitable format") => {
            Error::new(ErrorKind::InvalidData, format!("{name} is not a sound file that can be read"))
        }
        error => failure(error, name),
    })
}

pub(super) fn failure(error: Failure, name: &str) -> Error {
    match error {
        Failure::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::new(ErrorKind::InvalidData, format!("{name} is damaged: it ends within its header"))
        }
        Failure::IoError(error) => Error::from_io(error, format!("cannot read {name}")),
        Failure::Unsupported(what) => {
            Error::undecodable(name, format!("{name} is of a kind that is not read ({what})"))
        }
        error => Error::new(ErrorKind::InvalidData, format!("{name} is damaged")).with_source(error),
    }
}

/// The first track of sound, and its parameters.
pub(super) fn sound_track(reader: &dyn FormatReader, name: &str) -> Result<(Track, AudioCodecParameters)> {
    let track = reader.default_track(TrackType::Audio).or_else(|| reader.first_track(TrackType::Audio));
    let params = track.and_then(|track| Some((track.clone(), track.codec_params.as_ref()?.audio()?.clone())));
    params.ok_or_else(|| Error::new(ErrorKind::InvalidData, format!("{name} has no sound")))
}

pub(super) fn decoder(params: &AudioCodecParameters, name: &str) -> Result<Box<dyn AudioDecoder>> {
    let made = symphonia::default::get_codecs().make_audio_decoder(params, &AudioDecoderOptions::default());
    made.map_err(|_| undecodable(name, codec_name(params)))
}

/// What AIFF-C states as the coding of its samples; `None` for plain AIFF and what is read here anyway.
pub(super) fn aifc_coding(input: &mut Bytes) -> std::io::Result<Option<String>> {
    let mut start = Vec::new();
    input.seek(SeekFrom::Start(0))?;
    input.by_ref().take(AIFC_START_BYTES).read_to_end(&mut start)?;
    let common = start.windows(4).position(|id| id == b"COMM");
    let coding = common.and_then(|at| start.get(at + 26..at + 30)).filter(|_| start.get(8..12) == Some(b"AIFC"));
    Ok(coding.map(|coding| String::from_utf8_lossy(coding).trim().to_owned()))
}

/// The common name of that coding of MP4 and AIFF-C files.
pub(super) fn name_of(coding: &str) -> &str {
    match coding {
        "samr" => "AMR",
        "sawb" => "AMR-WB",
        "ac-3" => "AC-3",
        "ec-3" => "E-AC-3",
        "mp4a" => "HE-AAC or damaged AAC",
        "ima4" => "IMA ADPCM",
        "QDM2" | "QDMC" => "QDesign",
        "Qclp" => "QCELP",
        other => other,
    }
}

pub(super) fn is_lossy(params: &AudioCodecParameters) -> bool {
    use codecs::{CODEC_ID_AAC, CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3, CODEC_ID_VORBIS};
    [CODEC_ID_AAC, CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3, CODEC_ID_VORBIS].contains(&params.codec)
}

/// The name of the file in listings: the codec where that is the common name.
pub(super) fn container(kind: &Kind, params: &AudioCodecParameters) -> &'static str {
    match (kind.name, params.codec) {
        ("ogg", codecs::CODEC_ID_VORBIS) => "vorbis",
        ("ogg", codecs::CODEC_ID_FLAC) => "ogg-flac",
        ("m4a", codecs::CODEC_ID_ALAC) => "alac",
        ("mp3", codecs::CODEC_ID_MP2) => "mp2",
        ("mp3", codecs::CODEC_ID_MP1) => "mp1",
        (name, _) => name,
    }
}

fn codec_name(params: &AudioCodecParameters) -> &'static str {
    match params.codec {
        codecs::CODEC_ID_OPUS => "Opus",
        codecs::CODEC_ID_SPEEX => "Speex",
        codecs::CODEC_ID_AC3 => "AC-3",
        codecs::CODEC_ID_EAC3 => "E-AC-3",
        codecs::CODEC_ID_WMA => "WMA",
        codecs::CODEC_ID_AAC => "HE-AAC",
        codecs::CODEC_ID_DCA => "DTS",
        codecs::CODEC_ID_ADPCM_G722 => "G.722",
        codecs::CODEC_ID_ADPCM_G726 | codecs::CODEC_ID_ADPCM_G726LE => "G.726",
        codecs::CODEC_ID_ADPCM_IMA_QT => "IMA ADPCM of QuickTime",
        _ => "unknown",
    }
}

/// What was decoded, and the shallowest depth of ours that holds samples of `bits` bits.
pub(super) fn block_of(decoded: &GenericAudioBufferRef<'_>, bits: Option<u32>) -> (Block, SampleFormat) {
    let deep = |bits| match bits {
        ..=16 => SampleFormat::S16,
        17..=24 => SampleFormat::S24,
        _ => SampleFormat::S32,
    };
    let depth = match decoded {
        GenericAudioBufferRef::F32(_) | GenericAudioBufferRef::F64(_) => {
            let mut samples = Vec::new();
            decoded.copy_to_vec_interleaved(&mut samples);
            return (Block::Float(samples), SampleFormat::F32);
        }
        GenericAudioBufferRef::U8(_) | GenericAudioBufferRef::S8(_) => SampleFormat::S16,
        GenericAudioBufferRef::U16(_) | GenericAudioBufferRef::S16(_) => SampleFormat::S16,
        GenericAudioBufferRef::U24(_) | GenericAudioBufferRef::S24(_) => SampleFormat::S24,
        GenericAudioBufferRef::U32(_) | GenericAudioBufferRef::S32(_) => deep(bits.unwrap_or(32)),
    };
    let mut samples = Vec::new();
    decoded.copy_to_vec_interleaved::<i32>(&mut samples);
    (Block::Whole(samples), depth)
}
