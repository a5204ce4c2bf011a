//! Whether a file that was just written is what it should be, by a reader that is independent of its writer.
//!
//! It reads the head of a file and its end, not what is between them, so it takes milliseconds for any length. The row
//! of the format has the reader. Run by the thread that saves.

use std::{fs::File, path::Path};

use super::{row::ReadBack, table};
use crate::{
    audio::AudioFormat,
    error::{Error, ErrorKind, Result},
};

/// Opens the file at `path`, which was written with that MIME type and holds `frames` frames of `audio`. Formats that
/// do not describe themselves pass, and so does a file without a frame.
///
/// # Errors
/// [`ErrorKind::Encoding`] with the difference; the file stays as it is.
pub fn read_back(path: &Path, mime_type: &str, audio: AudioFormat, frames: u64) -> Result<()> {
    let essence = mime_type.split(';').next().unwrap_or_default();
    let Some(read) = table::by_mime_type(essence).and_then(|format| format.read_back) else { return Ok(()) };
    if frames == 0 {
        return Ok(());
    }
    let flawed =
        |flaw: &str| Error::new(ErrorKind::Encoding, format!("{} is not what was recorded: {flaw}", path.display()));
    let file = File::open(path).map_err(|error| flawed("it cannot be opened").with_source(error))?;
    let found = read(Box::new(file)).map_err(|error| flawed(&format!("another reader refuses it: {error}")))?;
    match difference(found, audio, frames) {
        Some(difference) => Err(flawed(&format!("another reader finds {difference}"))),
        None => Ok(()),
    }
}

/// The first thing that is not as it was written.
fn difference(found: ReadBack, audio: AudioFormat, frames: u64) -> Option<String> {
    let depth = found.sample_format.filter(|&depth| depth != audio.sample_format);
    match found {
        ReadBack { sample_rate, .. } if sample_rate != audio.sample_rate => {
            Some(format!("{sample_rate} instead of {} Hz", audio.sample_rate))
        }
        ReadBack { channels, .. } if channels != audio.channels => {
            Some(format!("{channels} instead of {} channels", audio.channels))
        }
        ReadBack { frames: there, .. } if there != frames => Some(format!("{there} instead of {frames} frames")),
        _ => depth.map(|depth| format!("{depth} instead of {} samples", audio.sample_format)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        audio::SampleFormat,
        format::{Delivery, EncoderSettings, Metadata, formats},
    };

    /// A finished file of `frames` frames of a tone.
    fn written(name: &str, audio: AudioFormat, frames: usize) -> Vec<u8> {
        write(name, audio, (0..frames * usize::from(audio.channels)).map(|n| (n as f32 * 0.1).sin() / 2.0).collect())
    }

    /// A finished file of these samples.
    fn write(name: &str, audio: AudioFormat, samples: Vec<f32>) -> Vec<u8> {
        let settings =
            EncoderSettings { audio, delivery: Delivery::File, bits_per_second: None, metadata: Metadata::default() };
        let mut encoder = table::by_name(name).unwrap().encoder(&settings).unwrap();
        let mut out = Vec::new();
        encoder.begin(&mut out).unwrap();
        encoder.encode(&samples, &mut out).unwrap();
        encoder.finish(&mut out).unwrap();
        let seal = encoder.seal(out.len() as u64);
        for patch in seal.patches {
            let at = usize::try_from(patch.at).unwrap();
            out[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
        }
        out
    }

    #[test]
    fn what_every_format_writes_is_found_by_another_reader() {
        let folder = tempfile::tempdir().unwrap();
        for format in formats().iter().filter(|format| format.read_back.is_some()) {
            for depth in format.codecs.iter().flat_map(|codec| codec.sample_formats) {
                for channels in [1, 2] {
                    let audio = AudioFormat::new(format.sample_rate(44_100), channels, *depth);
                    let mime_type = format.full_mime_type(audio);
                    let path = folder.path().join(format!("x.{}", format.extension()));
                    for frames in [1_usize, 300, 5_000, 100_000] {
                        let bytes = written(format.name, audio, frames);
                        fs::write(&path, &bytes).unwrap();
                        read_back(&path, &mime_type, audio, frames as u64).unwrap();
                        let error = read_back(&path, &mime_type, audio, frames as u64 + 1).unwrap_err();
                        assert_eq!(error.kind(), ErrorKind::Encoding);
                        let wrong = AudioFormat { channels: channels + 1, ..audio };
                        assert!(read_back(&path, &mime_type, wrong, frames as u64).is_err());
                        let wrong = AudioFormat { sample_rate: 8_000, ..audio };
                        assert!(read_back(&path, &mime_type, wrong, frames as u64).is_err());
                        // The end is missing, or something else.
                        fs::write(&path, &bytes[..bytes.len() - bytes.len() / 4 - 1]).unwrap();
                        assert!(read_back(&path, &mime_type, audio, frames as u64).is_err(), "{mime_type} {frames}");
                    }
                    fs::write(&path, [0; 4_000]).unwrap();
                    assert!(read_back(&path, &mime_type, audio, 9).is_err());
                }
            }
        }
    }

    /// Its frames are as long as frames can be, and the last one is most of a short file.
    #[test]
    fn noise_of_any_length_is_found_by_another_reader() {
        let folder = tempfile::tempdir().unwrap();
        for format in formats().iter().filter(|format| format.read_back.is_some()) {
            for depth in format.codecs.iter().flat_map(|codec| codec.sample_formats) {
                for (channels, frames) in [(1, 4_096), (2, 3_000), (2, 4_096), (2, 12_000), (6, 8_192), (8, 20_000)] {
                    let audio = AudioFormat::new(format.sample_rate(44_100), channels, *depth);
                    if format.supported(audio).is_err() {
                        continue;
                    }
                    let path = folder.path().join(format!("x.{}", format.extension()));
                    let mut state = 1_u32;
                    let noise = (0..frames * usize::from(channels)).map(|_| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        state as f32 / 2_147_483_648.0 - 1.0
                    });
                    fs::write(&path, write(format.name, audio, noise.collect())).unwrap();
                    read_back(&path, &format.full_mime_type(audio), audio, frames as u64).unwrap();
                }
            }
        }
    }

    #[test]
    fn what_says_nothing_of_itself_passes() {
        let nowhere = Path::new("/nowhere/x.raw");
        let audio = AudioFormat::new(1, 1, SampleFormat::S16);
        read_back(nowhere, "audio/pcm;codecs=pcm", audio, 7).unwrap();
        read_back(nowhere, "audio/wav;codecs=1", audio, 0).unwrap();
        assert_eq!(read_back(nowhere, "audio/wav;codecs=1", audio, 1).unwrap_err().kind(), ErrorKind::Encoding);
    }
}
