//! The description of a format for the rest of the program: its row in the table.
//!
//! A row is in the folder of its format. Constant data, for any thread.

use std::{fmt, ops::RangeInclusive};

use super::{
    Decoder, Delivery, Encoder, EncoderSettings, Input, Patch,
    repair::{Origin, Repair},
    rewrite::{Copy, Rewriting},
};
use crate::{
    audio::{AudioFormat, Marker, Metadata, SampleFormat, broadcast},
    error::{Error, ErrorKind, Result},
};

/// How the sound in a container is coded, as the `codecs` parameter of a MIME type names it.
#[derive(Debug, PartialEq, Eq)]
pub struct Codec {
    /// The name that is written.
    pub name: &'static str,
    /// Further names that are accepted.
    pub aliases: &'static [&'static str],
    /// The sample formats that it is encoded from; the first is the usual one.
    pub sample_formats: &'static [SampleFormat],
}

/// Which of the tags a file can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keeps {
    /// Every tag, pictures, markers, and the chunks that only WAV files have.
    Everything,
    /// Every tag, pictures and markers.
    Comments,
    /// None.
    Nothing,
}

named! { Keeps: Everything "everything", Comments "comments", Nothing "nothing" }

/// A format that can be recorded: a container and the codecs it holds.
///
/// ```
/// use dictaphone::format::{by_extension, formats};
///
/// let flac = by_extension("flac").unwrap();
/// assert_eq!((flac.name, flac.mime_type), ("flac", "audio/flac"));
/// assert!(formats().iter().all(|format| !format.codecs.is_empty()));
/// ```
pub struct Format {
    /// The name on the command line and in machine output.
    pub name: &'static str,
    /// Extensions of file names, lower case, without the dot; the first is the usual one.
    pub extensions: &'static [&'static str],
    /// The MIME type without parameters that is written.
    pub mime_type: &'static str,
    /// Further MIME types that mean the same.
    pub mime_aliases: &'static [&'static str],
    /// The codecs it holds; the first is the usual one.
    pub codecs: &'static [Codec],
    /// Whether it can be written where nothing can be patched, such as a pipe.
    pub streamable: bool,
    /// The longest file in bytes, if there is a limit that a recording could meet.
    pub size_limit: Option<u64>,
    /// The sample rates that it supports, ascending; empty if the channels and samples decide.
    pub sample_rates: &'static [u32],
    /// The bits a second that can be requested; `None` if the sound decides.
    pub bits_per_second: Option<RangeInclusive<u32>>,
    /// Whether zeros in place of lost bytes are silence. Otherwise lost parts are left out.
    pub zeros_are_silence: bool,
    /// What a file can store besides its sound.
    pub keeps: Keeps,
    /// What it is, in a line for users who choose.
    pub summary: &'static str,
    /// What to request where it cannot hold the sound, in words of the command line.
    pub remedy: &'static str,
    /// Bits a second of such sound, if that many were requested.
    pub(super) estimate: fn(AudioFormat, Option<u32>) -> u32,
    /// Whether it holds such channels and rates.
    pub(super) check: fn(AudioFormat) -> Result<()>,
    /// Whether a file that begins with these bytes is one: at least [`START_BYTES`](START_BYTES) of them,
    /// where it has as many.
    pub(super) begins: fn(&[u8]) -> bool,
    pub(super) encoder: fn(&EncoderSettings) -> Result<Box<dyn Encoder>>,
    /// Makes a decoder of what a file holds; `None` where the file does not show what it is.
    pub(super) decoder: Option<Opening>,
    /// Writes a file with other markers; `None` where there is no place for any.
    pub(super) markers: Option<Rewriting>,
    /// Determines what a file holds and what it should be.
    pub(super) examine: fn(&mut dyn Input, &str, Origin) -> Result<Repair>,
    /// A reader that is independent of the encoder; `None` where a file does not show what it is.
    pub(super) read_back: Option<Reading>,
}

/// What the name of this program in a file begins with.
const OURS: &str = env!("CARGO_PKG_NAME");

/// What a decoder that is made by a row reads from.
pub(super) type Bytes = Box<dyn Input>;

/// Makes a decoder of a file that has that name in errors.
pub(super) type Opening = fn(Bytes, &str) -> Result<Box<dyn Decoder>>;

/// How many bytes decide what a file is, if it has that many.
pub(crate) const START_BYTES: u64 = 12;

/// The depths of plain integers.
pub(super) const PCM: &[SampleFormat] = &[SampleFormat::S16, SampleFormat::S24, SampleFormat::S32];

/// What another reader finds in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReadBack {
    pub(super) sample_rate: u32,
    pub(super) channels: u16,
    /// `None` where the format has no depth.
    pub(super) sample_format: Option<SampleFormat>,
    pub(super) frames: u64,
}

/// Opens a file and reads its last frame; errors have the message of the reader.
pub(super) type Reading = fn(Bytes) -> std::result::Result<ReadBack, Box<dyn std::error::Error + Send + Sync>>;

/// The bit rate of plain samples.
pub(super) fn pcm_bits_per_second(audio: AudioFormat) -> u32 {
    audio.frame_bytes().saturating_mul(8).saturating_mul(audio.sample_rate)
}

impl Format {
    /// The extension that its files get, without the dot.
    #[must_use]
    pub fn extension(&self) -> &'static str {
        self.extensions.first().copied().unwrap_or(self.name)
    }

    /// Writes a file of this format, which is called `name` in errors, with other markers, counted in frames of `rate`
    /// a second. Everything else is copied as it is. Returns what of it is to be patched at the end.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] if the format has no markers; [`ErrorKind::InvalidData`] if the file is damaged; those of
    /// reading and of `output`.
    pub(crate) fn rewrite_markers(
        &self,
        input: &mut dyn Input,
        output: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
        (markers, rate): (&[Marker], u32),
        name: &str,
    ) -> Result<Vec<Patch>> {
        let rewriting = self.markers.ok_or_else(|| {
            Error::new(ErrorKind::NotSupported, format!("{name} has no place for markers, {} has none", self.name))
        })?;
        rewriting(&mut Copy::new(input, output, name), markers, rate)
    }

    /// The codec of that name, in any case, if the container holds it.
    #[must_use]
    pub fn codec(&self, name: &str) -> Option<&'static Codec> {
        let codecs: &'static [Codec] = self.codecs;
        codecs.iter().find(|codec| {
            std::iter::once(&codec.name).chain(codec.aliases).any(|known| known.eq_ignore_ascii_case(name))
        })
    }

    /// The rate at which sound of `wanted` Hz is recorded: itself if the format supports it, else the next higher one,
    /// else the highest.
    #[must_use]
    pub fn sample_rate(&self, wanted: u32) -> u32 {
        let rates: &'static [u32] = self.sample_rates;
        rates.iter().find(|&&rate| rate >= wanted).or(rates.last()).copied().unwrap_or(wanted)
    }

    /// About how many bits a second of `audio` takes when `asked` bits are requested, and never much less: for a
    /// compression whose result cannot be foreseen, the size without compression.
    #[must_use]
    pub fn estimated_bits_per_second(&self, audio: AudioFormat, asked: Option<u32>) -> u32 {
        (self.estimate)(audio, asked)
    }

    /// Whether `audio` can be recorded in this format.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] with what is not supported: the sample format, the channels or the rate.
    pub fn supported(&self, audio: AudioFormat) -> Result<()> {
        if self.codec_of(audio.sample_format).is_none() {
            let context = format!("{} files have no {} samples", self.name, audio.sample_format);
            return Err(Error::new(ErrorKind::NotSupported, context));
        }
        (self.check)(audio)
    }

    /// An encoder of this format.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] if the format cannot hold the sound or cannot be delivered as requested.
    pub fn encoder(&self, settings: &EncoderSettings) -> Result<Box<dyn Encoder>> {
        self.supported(settings.audio)?;
        if settings.delivery == Delivery::Stream && !self.streamable {
            return Err(Error::new(ErrorKind::NotSupported, format!("{} cannot be written to a pipe", self.name)));
        }
        (self.encoder)(settings)
    }

    /// What of `metadata` a file of this format, or a stream, cannot store, in words. What a recorder writes by itself
    /// (program, device, date) is not listed.
    #[must_use]
    pub fn left_out(&self, metadata: &Metadata, delivery: Delivery) -> Vec<String> {
        let holds_chunks = self.keeps == Keeps::Everything;
        // A stream has only the chunks before the sound.
        let holds_tags = self.keeps == Keeps::Comments || (holds_chunks && delivery == Delivery::File);
        let mut missed = Vec::new();
        if !holds_tags {
            missed.extend(metadata.title.as_ref().map(|_| "TITLE".to_owned()));
            missed.extend(metadata.tags.iter().map(|tag| tag.name.clone()));
            missed.dedup();
            let several = |count: usize, one: &str, more: &str| match count {
                0 => None,
                1 => Some(one.to_owned()),
                count => Some(format!("{count} {more}")),
            };
            missed.extend(several(metadata.pictures.len(), "the picture", "pictures"));
            missed.extend(several(metadata.markers.len(), "the marker", "markers"));
        }
        if !holds_chunks {
            // The extension of this program has the same content as its tags.
            let theirs =
                metadata.broadcast.as_ref().filter(|payload| !broadcast::originator(payload).starts_with(OURS));
            missed.extend(theirs.map(|_| "bext".to_owned()));
            missed.extend(metadata.ixml.as_ref().map(|_| "iXML".to_owned()));
        }
        missed
    }

    /// Container and codec of a recording of `audio`, such as `audio/wav;codecs=1`.
    #[must_use]
    pub fn full_mime_type(&self, audio: AudioFormat) -> String {
        match self.codec_of(audio.sample_format) {
            Some(codec) => format!("{};codecs={}", self.mime_type, codec.name),
            None => self.mime_type.to_owned(),
        }
    }

    fn codec_of(&self, sample_format: SampleFormat) -> Option<&'static Codec> {
        let codecs: &'static [Codec] = self.codecs;
        codecs.iter().find(|codec| codec.sample_formats.contains(&sample_format))
    }
}

impl PartialEq for Format {
    /// Names are unique in the table.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Format").field(&self.name).finish()
    }
}
