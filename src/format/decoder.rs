//! Bytes to frames: finds out what a file is and reads its sound, its tags and its markers.
//!
//! Files come from anywhere: cut off, still growing, written by other programs, or made to do harm. A decoder reads
//! what can be read, and never panics, never loops for ever, and never takes memory for sizes that are only claimed.
//! Writing is not here. Run by any thread but a realtime one.

use std::{
    fs::{self, File},
    io::{self, Read, Seek},
    path::Path,
};

use super::{
    Damage, foreign,
    repair::START_BYTES,
    table::{by_extension, by_name, formats},
    window::Window,
};
use crate::{
    audio::{AudioFormat, Metadata, SampleFormat},
    error::{Error, ErrorKind, Result},
};

/// What a decoder reads from: a file or bytes in memory.
pub trait Input: Read + Seek + Send {}

impl<T: Read + Seek + Send> Input for T {}

/// Reads the sound of one file from its start to its end, or from any frame on.
pub trait Decoder: Send {
    /// Name of the container, as in the table of formats, such as `wav`.
    fn container(&self) -> &'static str;

    /// Rate and channels, and the sample format of which the file's is a kind: 8-bit samples count as
    /// [`S16`](crate::audio::SampleFormat::S16), 64-bit floats as [`F32`](crate::audio::SampleFormat::F32).
    /// Rate and channels are never zero.
    fn format(&self) -> AudioFormat;

    /// Frames in the file, if known; what was there when it was opened, even if it grows.
    fn frames(&self) -> Option<u64>;

    /// Appends up to `max_frames` frames (interleaved, full scale ±1.0) to `out` and returns how many. Fewer than
    /// asked for mean that the end was reached.
    ///
    /// # Errors
    /// Those of reading the file. Frames that came before the error are in `out`, and the next read goes on there.
    fn read(&mut self, out: &mut Vec<f32>, max_frames: usize) -> Result<usize>;

    /// How the samples are stored, if they are plain ones that [`read_stored`](Self::read_stored) can hand on as they are.
    fn stored(&self) -> Option<SampleFormat> {
        None
    }

    /// As [`read`](Self::read), but appends the samples as they are stored, little-endian and interleaved. A sample that
    /// has more bits than a float keeps them.
    ///
    /// # Errors
    /// Those of `read`; [`ErrorKind::NotSupported`] if the samples are not [`stored`](Self::stored) plainly.
    fn read_stored(&mut self, _out: &mut Vec<u8>, _max_frames: usize) -> Result<usize> {
        let context = format!("{} has no plain samples", self.container());
        Err(Error::new(ErrorKind::NotSupported, context))
    }

    /// Makes `frame`, counted from 0, the next one that is read; behind the end there is nothing to read.
    ///
    /// # Errors
    /// Those of reading the file.
    fn seek(&mut self, frame: u64) -> Result<()>;

    /// Tags and markers, markers by ascending frame.
    fn metadata(&self) -> &Metadata;

    /// What was found to be missing: at opening, and in what was read since the last seek.
    fn damage(&self) -> Damage {
        Damage::default()
    }
}

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

/// A decoder of the bytes that `input` holds from its start on; `name` is what errors call it.
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
        None => Err(Error::new(ErrorKind::InvalidData, format!("{name} is not a sound file that can be read"))),
    }
}

/// What listings call a file with that extension (without the dot, in any case), if sound is what people have in it.
#[must_use]
pub fn name_by_extension(extension: &str) -> Option<&'static str> {
    by_extension(extension).map(|format| format.name).or_else(|| foreign::by_extension(extension))
}

/// The MIME type of sound in a container that a [`Decoder`] calls so.
#[must_use]
pub fn mime_type(container: &str, audio: AudioFormat) -> Option<String> {
    let ours = by_name(container).map(|format| format.full_mime_type(audio));
    ours.or_else(|| foreign::mime_type(container).map(str::to_owned))
}

/// The bytes with which the sound begins, behind an ID3v2 tag if there is one.
fn start_of(input: &mut impl Input) -> io::Result<Vec<u8>> {
    let mut window = Window::new(input);
    let at = window.id3_bytes()?;
    Ok(window.at(at, START_BYTES as usize)?.to_vec())
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
            b"RIFF\0\0\0\0AVI ",
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
}
