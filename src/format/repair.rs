//! What the bytes of an unfinished recording should be. Pure. How that is determined for a format is in its folder.

use super::Seal;
use crate::audio::AudioFormat;

/// Where a file comes from, which decides how far its bytes are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The hidden file of a recording that this program was writing: everything after the header is sound.
    Part,
    /// A file that a user named, written by any program: changed only where its sizes cannot be true.
    Named,
}

named! { Origin: Part "part", Named "named" }

/// What was found in a file, and what has to change for it to be whole.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repair {
    /// Name of the container, as in the table of formats, such as `wav`.
    pub container: &'static str,
    /// The format of the sound, where the file states it.
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
