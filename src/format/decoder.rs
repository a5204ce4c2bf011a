//! Bytes to frames: what reads the sound of a file, its tags and its markers.
//!
//! Files come from anywhere: cut off, still growing, written by other programs, or made maliciously. A decoder reads
//! what can be read, and never panics, never loops for ever, and never takes memory for sizes that are only claimed.
//! Writing is not handled here. Run by any thread but a realtime one.

use std::io::{Read, Seek};

use super::Damage;
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

    /// Rate and channels, and the sample format that corresponds to the file's: 8-bit samples count as
    /// [`S16`](crate::audio::SampleFormat::S16), 64-bit floats as [`F32`](crate::audio::SampleFormat::F32). Rate and
    /// channels are never zero.
    fn format(&self) -> AudioFormat;

    /// Frames in the file, if known; what was there when it was opened, even if it grows.
    fn frames(&self) -> Option<u64>;

    /// Appends up to `max_frames` frames (interleaved, full scale ±1.0) to `out` and returns how many. Fewer than
    /// requested mean that the end was reached.
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

    /// Makes `frame`, counted from 0, the next one that is read; beyond the end there is nothing to read.
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
