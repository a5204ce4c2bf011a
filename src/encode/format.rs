//! The table of formats: one row says all that the rest of the program knows about a format.
//!
//! A new format is a new row. Reading files is not here but in `decode`; MIME types as text are in
//! [`mime`](super::mime). Constant data, for any thread.

use std::fmt;

use super::{Delivery, Encoder, EncoderSettings, raw, raw::RawEncoder, riff::Header, wav::WavEncoder};
use crate::{
    audio::{AudioFormat, SampleFormat},
    error::{Error, ErrorKind, Result},
};

/// How the sound in a container is coded, as the `codecs` parameter of a MIME type names it.
#[derive(Debug, PartialEq, Eq)]
pub struct Codec {
    /// The name that is written.
    pub name: &'static str,
    /// Further names that are understood.
    pub aliases: &'static [&'static str],
    /// What it is made from; the first is the usual one.
    pub sample_formats: &'static [SampleFormat],
}

/// A format that can be recorded: a container and the codecs it holds.
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
    check: fn(AudioFormat) -> Result<()>,
    construct: fn(&EncoderSettings) -> Result<Box<dyn Encoder>>,
}

const PCM: &[SampleFormat] = &[SampleFormat::S16, SampleFormat::S24, SampleFormat::S32];

/// The first one is what is recorded when nothing is asked for.
static FORMATS: [Format; 2] = [
    Format {
        name: "wav",
        extensions: &["wav", "wave"],
        mime_type: "audio/wav",
        mime_aliases: &["audio/wave", "audio/x-wav", "audio/vnd.wave"],
        // RFC 2361 names a codec by its format tag in hexadecimal digits.
        codecs: &[
            Codec { name: "1", aliases: &["pcm"], sample_formats: PCM },
            Codec { name: "3", aliases: &[], sample_formats: &[SampleFormat::F32] },
        ],
        streamable: true,
        size_limit: None,
        check: |audio| Header::new(audio).map(drop),
        construct: |settings| Ok(Box::new(WavEncoder::new(settings)?)),
    },
    Format {
        name: "raw",
        extensions: &["raw", "pcm"],
        mime_type: "audio/pcm",
        mime_aliases: &[],
        codecs: &[Codec { name: "pcm", aliases: &[], sample_formats: &SampleFormat::ALL }],
        streamable: true,
        size_limit: None,
        check: raw::check,
        construct: |settings| Ok(Box::new(RawEncoder::new(settings)?)),
    },
];

/// Every format that can be recorded; the first is the default.
#[must_use]
pub fn formats() -> &'static [Format] {
    &FORMATS
}

/// The format that is recorded when nothing is asked for.
#[must_use]
pub fn default_format() -> &'static Format {
    let [first, ..] = &FORMATS;
    first
}

/// The format of that name, such as `wav`.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// The format of files with that extension, given without the dot and in any case.
#[must_use]
pub fn by_extension(extension: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.extensions.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

/// The format with that MIME type, given without parameters and in any case.
#[must_use]
pub fn by_mime_type(essence: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| {
        let known = std::iter::once(&format.mime_type).chain(format.mime_aliases);
        known.into_iter().any(|known| known.eq_ignore_ascii_case(essence))
    })
}

impl Format {
    /// The extension that its files get, without the dot.
    #[must_use]
    pub fn extension(&self) -> &'static str {
        self.extensions.first().copied().unwrap_or(self.name)
    }

    /// The codec of that name, in any case, if the container holds it.
    #[must_use]
    pub fn codec(&self, name: &str) -> Option<&'static Codec> {
        let codecs: &'static [Codec] = self.codecs;
        codecs.iter().find(|codec| {
            std::iter::once(&codec.name).chain(codec.aliases).any(|known| known.eq_ignore_ascii_case(name))
        })
    }

    /// Whether `audio` can be recorded in this format.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] with what cannot: the sample format, the channels or the rate.
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
    /// [`ErrorKind::NotSupported`] if the format cannot hold the sound or cannot be delivered as asked.
    pub fn encoder(&self, settings: &EncoderSettings) -> Result<Box<dyn Encoder>> {
        self.supported(settings.audio)?;
        if settings.delivery == Delivery::Stream && !self.streamable {
            return Err(Error::new(ErrorKind::NotSupported, format!("{} cannot be written to a pipe", self.name)));
        }
        (self.construct)(settings)
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::encode::Metadata;

    fn settings(channels: u16, sample_format: SampleFormat, delivery: Delivery) -> EncoderSettings {
        let audio = AudioFormat::new(48_000, channels, sample_format);
        EncoderSettings { audio, delivery, bits_per_second: None, metadata: Metadata::default() }
    }

    #[test]
    fn every_row_is_found_by_each_of_its_names() {
        let mut seen = HashSet::new();
        for format in formats() {
            assert_eq!(by_name(format.name), Some(format));
            for extension in format.extensions {
                assert_eq!(by_extension(&extension.to_uppercase()), Some(format));
                assert!(seen.insert(*extension), "{extension} twice");
            }
            for mime in std::iter::once(&format.mime_type).chain(format.mime_aliases) {
                assert_eq!(by_mime_type(&mime.to_uppercase()), Some(format));
                assert!(seen.insert(*mime), "{mime} twice");
            }
        }
        assert_eq!((by_name("mp3"), by_extension(""), by_mime_type("audio/mpeg")), (None, None, None));
        assert_eq!(default_format().name, "wav");
    }

    #[test]
    fn every_row_makes_an_encoder_of_every_sample_format_of_its_codecs() {
        for format in formats() {
            for codec in format.codecs {
                for &sample_format in codec.sample_formats {
                    assert!(format.encoder(&settings(1, sample_format, Delivery::File)).is_ok());
                    let streamed = format.encoder(&settings(1, sample_format, Delivery::Stream));
                    assert_eq!(streamed.is_ok(), format.streamable);
                }
            }
        }
    }

    #[test]
    fn the_full_type_names_the_codec() {
        for (name, sample_format, full) in [
            ("wav", SampleFormat::S24, "audio/wav;codecs=1"),
            ("wav", SampleFormat::F32, "audio/wav;codecs=3"),
            ("raw", SampleFormat::F32, "audio/pcm;codecs=pcm"),
        ] {
            assert_eq!(by_name(name).unwrap().full_mime_type(AudioFormat::new(1, 1, sample_format)), full);
        }
    }

    #[test]
    fn more_channels_than_a_container_holds_are_not_supported() {
        let wav = by_name("wav").unwrap();
        for (channels, holds) in [(0, false), (1, true), (16_383, true), (16_384, false)] {
            let settings = settings(channels, SampleFormat::F32, Delivery::File);
            assert_eq!(wav.supported(settings.audio).is_ok(), holds, "{channels} channels");
            let kind = wav.encoder(&settings).err().map(|error| error.kind());
            assert_eq!(kind, (!holds).then_some(ErrorKind::NotSupported));
        }
        assert!(by_name("raw").unwrap().supported(AudioFormat::new(1, u16::MAX, SampleFormat::S32)).is_ok());
    }
}
