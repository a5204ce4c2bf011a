//! From a file to the code of its format: a decoder, or what the file should be. The first bytes decide.
//!
//! Reads, and writes nothing. Run by any thread but a realtime one.

use std::{
    fs::{self, File},
    io::{self, Read, SeekFrom},
    path::Path,
};

use super::{
    Decoder, Format, Input, foreign,
    repair::{Origin, Repair},
    row::START_BYTES,
    table::{by_extension, by_name, formats},
    window::Window,
};
use crate::{
    audio::AudioFormat,
    error::{Error, ErrorKind, Result},
};

/// A decoder of the file at `path`.
///
/// # Errors
/// [`ErrorKind::NotAllowed`] and [`ErrorKind::Unknown`] if the file cannot be read; [`ErrorKind::InvalidData`] if it
/// is no sound file or a damaged one; [`ErrorKind::Undecodable`] for sound of a kind that is not read here.
pub fn open(path: &Path) -> Result<Box<dyn Decoder>> {
    let failed = |error| Error::from_io(error, format!("cannot read {}", path.display()));
    // Opening a named pipe would wait for its writer, and a device may never end.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Error::new(ErrorKind::InvalidData, format!("{} is not a regular file", path.display())));
    }
    let file = File::open(path).map_err(failed)?;
    from_reader(file, &path.display().to_string())
}

/// A decoder of the bytes that `input` holds from its start on; `name` is its name in errors.
///
/// ```
/// use std::io::Cursor;
/// use dictaphone::{AudioFormat, SampleFormat, format::{WavHeader, from_reader}};
///
/// let header = WavHeader::new(AudioFormat::new(8_000, 1, SampleFormat::S16))?;
/// let bytes = [header.file(4, header.file_len() + 4), vec![0, 0, 0, 0x40]].concat();
/// let mut decoder = from_reader(Cursor::new(bytes), "two frames")?;
/// let mut samples = Vec::new();
/// decoder.read(&mut samples, usize::MAX)?;
/// assert_eq!(samples, [0.0, 0.5]);
/// # Ok::<(), dictaphone::Error>(())
/// ```
///
/// # Errors
/// Those of [`open`].
pub fn from_reader(mut input: impl Input + 'static, name: &str) -> Result<Box<dyn Decoder>> {
    let failed = |error| Error::from_io(error, format!("cannot read {name}"));
    let start = start_of(&mut input).map_err(failed)?;
    if start.is_empty() {
        return Err(Error::new(ErrorKind::InvalidData, format!("{name} is empty")));
    }
    let ours = formats().iter().filter(|format| (format.begins)(&start)).find_map(|format| format.decoder);
    if let Some(decoder) = ours {
        return decoder(Box::new(input), name);
    }
    match foreign::kind(&start) {
        Some(kind) => foreign::open(Box::new(input), kind, name),
        None => {
            let context = match foreign::silent_kind(&start) {
                Some(what) => format!("{name} is {what}, not a sound file"),
                None => format!("{name} is not a sound file that can be read"),
            };
            Err(Error::new(ErrorKind::InvalidData, context))
        }
    }
}

/// The name in listings of a file with that extension (without the dot, in any case), if such files usually hold sound.
#[must_use]
pub fn name_by_extension(extension: &str) -> Option<&'static str> {
    by_extension(extension).map(|format| format.name).or_else(|| foreign::by_extension(extension))
}

/// The MIME type of sound in the container with that name of a [`Decoder`].
#[must_use]
pub fn mime_type(container: &str, audio: AudioFormat) -> Option<String> {
    let ours = by_name(container).map(|format| format.full_mime_type(audio));
    ours.or_else(|| foreign::mime_type(container).map(str::to_owned))
}

/// The bytes with which the sound begins, after an ID3v2 tag if there is one.
fn start_of(input: &mut impl Input) -> io::Result<Vec<u8>> {
    let mut window = Window::new(input);
    let at = window.id3_bytes()?;
    Ok(window.at(at, START_BYTES as usize)?.to_vec())
}

/// Whether [`examine`] supports a file that begins with `start` and is to have that extension.
pub(crate) fn is_known(start: &[u8], extension: Option<&str>) -> bool {
    format_of(start, extension).is_some()
}

/// Decided by the content of the file rather than by its name, where its bytes are conclusive.
fn format_of(start: &[u8], extension: Option<&str>) -> Option<&'static Format> {
    let by_name = || by_extension(extension?);
    formats().iter().find(|format| (format.begins)(start)).or_else(by_name)
}

/// Finds out what `input` holds and what it should be. `name` is its name in errors; `extension` (without the dot)
/// decides where the bytes are not conclusive.
///
/// Never panics, and takes memory only for what is there.
///
/// # Errors
/// [`ErrorKind::InvalidData`] for a file without a readable header; [`ErrorKind::NotSupported`] for a container or a
/// kind of sound that cannot be repaired; [`ErrorKind::Unknown`] if reading fails.
pub fn examine(input: &mut dyn Input, name: &str, extension: Option<&str>, origin: Origin) -> Result<Repair> {
    let start = first_bytes(input, name)?;
    let format = format_of(&start, extension).ok_or_else(|| unknown(name))?;
    if start.is_empty() {
        return Ok(Repair::none(format.name, 0));
    }
    (format.examine)(input, name, origin)
}

/// The error for a file that is none of the recordings supported here.
pub(crate) fn unknown(name: &str) -> Error {
    Error::new(ErrorKind::NotSupported, format!("{name} is not a recording of a kind that can be repaired"))
}

fn first_bytes(input: &mut dyn Input, name: &str) -> Result<Vec<u8>> {
    let failed = |error| Error::from_io(error, format!("cannot read {name}"));
    let mut start = Vec::new();
    input.seek(SeekFrom::Start(0)).map_err(failed)?;
    input.take(START_BYTES).read_to_end(&mut start).map_err(failed)?;
    Ok(start)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn what_is_no_sound_file_is_said_to_be_none() {
        for bytes in [
            &b""[..],
            b"R",
            b"\x89PNG\r\n\x1a\n\0\0\0\r",
            b"hello, wor\xc3",
            b"fLaC",
            b"OggS",
            b"ID3\x04\0\0\0\0\0\0\xff\xfb\x90\0",
            b"RIFX\0\0\0\0WAVE",
        ] {
            let error = from_reader(Cursor::new(bytes), "x.wav").err().unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{bytes:?}");
            assert!(error.to_string().starts_with("x.wav is "), "{error}");
        }
    }

    #[test]
    fn folders_and_missing_files_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(open(folder.path()).err().unwrap().kind(), ErrorKind::InvalidData);
        let missing = open(&folder.path().join("x.wav")).err().unwrap();
        assert_eq!(missing.io_kind(), Some(std::io::ErrorKind::NotFound));
    }

    fn examined(bytes: &[u8], extension: Option<&str>) -> Result<Repair> {
        examine(&mut Cursor::new(bytes), "x", extension, Origin::Part)
    }

    #[test]
    fn the_bytes_decide_before_the_name() {
        let wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0ab";
        for (bytes, extension, container) in [
            (&wav[..], Some("wav"), "wav"),
            (wav, Some("raw"), "wav"),
            (wav, None, "wav"),
            (b"RIFF?", Some("pcm"), "raw"),
            (b"", Some("WAV"), "wav"),
        ] {
            assert_eq!(examined(bytes, extension).unwrap().container, container, "{extension:?}");
        }
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for (bytes, extension, kind) in [
            (&b"abc"[..], None, ErrorKind::NotSupported),
            (b"OggS", Some("odt"), ErrorKind::InvalidData),
            (b"fLaC", Some("flac"), ErrorKind::InvalidData),
            (b"\xff\xfb\x90\0", Some("mp3"), ErrorKind::NotSupported),
            (b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0", Some("wav"), ErrorKind::InvalidData),
            (b"RIFF\0\0\0\0WAVE", Some("wav"), ErrorKind::InvalidData),
        ] {
            assert_eq!(examined(bytes, extension).unwrap_err().kind(), kind, "{bytes:?}");
        }
    }

    #[test]
    fn raw_sound_is_whole_and_its_frames_are_unknown() {
        let repair = examined(b"abc", Some("raw")).unwrap();
        assert!(repair.is_whole() && !repair.is_empty());
        assert_eq!((repair.frames, repair.len), (None, 3));
        assert!(examined(b"", Some("raw")).unwrap().is_empty());
    }
}
