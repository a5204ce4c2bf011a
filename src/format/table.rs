//! The table of formats, and finding one in it: by a name, or by the first bytes of a file.
//!
//! A new format is a folder and its place here. MIME types as text are in [`mime`](super::mime). Constant data, for any
//! thread.

use super::{Format, flac, opus, raw, wav};

/// The first one is what is recorded when nothing is requested.
static FORMATS: &[Format] = &[
    wav::FORMAT,
    flac::FORMAT,
    opus::FORMAT,
    raw::FORMAT,
    #[cfg(test)]
    super::plain::FORMAT,
];

/// Every format that can be recorded; the first is the default.
#[must_use]
pub fn formats() -> &'static [Format] {
    FORMATS
}

/// The format that is recorded when nothing is requested.
#[must_use]
pub fn default_format() -> &'static Format {
    FORMATS.first().unwrap_or(&wav::FORMAT)
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{
        audio::{AudioFormat, Metadata, SampleFormat},
        error::ErrorKind,
        format::{Delivery, EncoderSettings},
    };

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
            ("flac", SampleFormat::S24, "audio/flac;codecs=flac"),
            ("opus", SampleFormat::S16, "audio/ogg;codecs=opus"),
            ("raw", SampleFormat::F32, "audio/pcm;codecs=pcm"),
        ] {
            assert_eq!(by_name(name).unwrap().full_mime_type(AudioFormat::new(1, 1, sample_format)), full);
        }
    }

    #[test]
    fn a_rate_that_a_format_does_not_take_becomes_one_that_it_takes() {
        for (name, wanted, taken) in [
            ("wav", 11_025, 11_025),
            ("flac", 16_000, 16_000),
            ("opus", 16_000, 48_000),
            ("opus", 48_000, 48_000),
            ("opus", 96_000, 48_000),
        ] {
            assert_eq!(by_name(name).unwrap().sample_rate(wanted), taken, "{name} {wanted}");
        }
    }

    #[test]
    fn what_a_compressed_format_cannot_hold_is_not_supported() {
        for (name, audio, why) in [
            ("flac", AudioFormat::new(48_000, 9, SampleFormat::S16), "1 to 8 channels"),
            ("flac", AudioFormat::new(48_000, 0, SampleFormat::S16), "1 to 8 channels"),
            ("flac", AudioFormat::new(48_000, 1, SampleFormat::F32), "no f32 samples"),
            ("flac", AudioFormat::new(96_001, 1, SampleFormat::S16), "96001 Hz"),
            ("flac", AudioFormat::new(0, 1, SampleFormat::S16), "0 Hz"),
            ("opus", AudioFormat::new(48_000, 3, SampleFormat::S16), "mono or stereo"),
            ("opus", AudioFormat::new(48_000, 0, SampleFormat::S16), "mono or stereo"),
            ("opus", AudioFormat::new(44_100, 1, SampleFormat::S16), "44100 Hz"),
        ] {
            let error = by_name(name).unwrap().supported(audio).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotSupported);
            assert!(error.to_string().contains(why), "{error}");
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
