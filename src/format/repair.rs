//! What the bytes of an unfinished recording should be. Pure: reads, and writes nothing. How a format does it is in its
//! folder. Run by any thread but a realtime one.

use std::io::{Read, SeekFrom};

use super::{
    Format, Input, Seal,
    table::{by_extension, formats},
};
use crate::{
    audio::AudioFormat,
    error::{Error, ErrorKind, Result},
};

/// Where a file comes from, which decides how far its bytes are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The hidden file of a recording that this program was writing: all that is behind the header is sound.
    Part,
    /// A file that a user named, written by whatever program: changed only where its sizes cannot be true.
    Named,
}

/// What was found in a file, and what has to change for it to be whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// Name of the container, as in the table of formats, such as `wav`.
    pub container: &'static str,
    /// What the sound is like, where the file tells.
    pub format: Option<AudioFormat>,
    /// Whole frames that are really there, where the format is known.
    pub frames: Option<u64>,
    /// The length of the repaired file and what to write, in this order. A patch may begin at the end of the file and
    /// make it longer; a crash between two patches leaves a file that is repaired to the same end.
    pub seal: Seal,
    /// Bytes that the file has now.
    pub len: u64,
    /// Why a file that a user named is better left as it is, if it is: what would be lost.
    pub obstacle: Option<String>,
}

impl Repair {
    /// Whether the file is right as it is.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.seal.patches.is_empty() && self.seal.length == self.len
    }

    /// Whether there is no sound in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0 || self.frames == Some(0)
    }

    /// Nothing to change in a file of `len` bytes.
    pub(super) fn none(container: &'static str, len: u64) -> Self {
        let seal = Seal { length: len, patches: Vec::new() };
        Self { container, format: None, frames: None, seal, len, obstacle: None }
    }
}

/// How many bytes decide what a file is, if there are as many.
pub(crate) const START_BYTES: u64 = 12;

/// Whether a file that begins with `start` and is to have that extension is one that [`examine`] knows.
pub(crate) fn is_known(start: &[u8], extension: Option<&str>) -> bool {
    format_of(start, extension).is_some()
}

/// By what the file is rather than by what it is called, where its bytes tell.
fn format_of(start: &[u8], extension: Option<&str>) -> Option<&'static Format> {
    let by_name = || by_extension(extension?);
    formats().iter().find(|format| (format.begins)(start)).or_else(by_name)
}

/// Finds out what `input` holds and what it should be. `name` is what errors call it; `extension` (without the dot)
/// decides where the bytes do not tell.
///
/// Never panics, and takes memory for what is there only.
///
/// # Errors
/// [`ErrorKind::InvalidData`] for a file without a readable header; [`ErrorKind::NotSupported`] for a container or a
/// kind of sound that cannot be repaired; [`ErrorKind::Unknown`] if reading fails.
pub fn examine(input: &mut dyn Input, name: &str, extension: Option<&str>, origin: Origin) -> Result<Repair> {
    let start = start_of(input, name)?;
    let format = format_of(&start, extension).ok_or_else(|| {
        Error::new(ErrorKind::NotSupported, format!("{name} is not a recording of a kind that can be repaired"))
    })?;
    if start.is_empty() {
        return Ok(Repair::none(format.name, 0));
    }
    (format.examine)(input, name, origin)
}

fn start_of(input: &mut dyn Input, name: &str) -> Result<Vec<u8>> {
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
