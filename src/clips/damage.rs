//! What is missing in a clip, found by reading all of it. Run by any thread that may take seconds.

use std::path::Path;

use super::advance::Advance;
use crate::{
    audio::Metadata,
    error::Result,
    format::{self, Damage},
};

/// Frames that are read at once.
const BLOCK_FRAMES: usize = 1 << 15;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDamage {
    /// What is missing in the file.
    pub damage: Damage,
    /// Frames that were lost while it was recorded, as far as that was noted.
    pub noted_frames: Option<u64>,
    /// Frames that are read of it, silence included, if that is known.
    pub length: Option<u64>,
    /// Frames a second, in hertz.
    pub sample_rate: u32,
}

impl FileDamage {
    /// Reads the clip at `path` to its end, if `all`; otherwise only what gives its length.
    ///
    /// # Errors
    /// Those of [`format::open`] and of reading.
    pub fn read(path: &Path, all: bool) -> Result<Self> {
        Self::watched(path, all, |_| {})
    }

    /// As [`read`](Self::read); `watch` is called after every block.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) fn watched(path: &Path, all: bool, mut watch: impl FnMut(Advance)) -> Result<Self> {
        let mut decoder = format::open(path)?;
        let mut samples = Vec::new();
        let mut advance = Advance { frames: 0, total: decoder.frames() };
        let mut read = || decoder.read(&mut samples, BLOCK_FRAMES).inspect(|_| samples.clear());
        while all && let frames @ 1.. = read()? {
            advance.frames += frames as u64;
            watch(advance);
        }
        let noted_frames = noted(decoder.metadata());
        let sample_rate = decoder.format().sample_rate;
        Ok(Self { damage: decoder.damage(), noted_frames, length: decoder.frames(), sample_rate })
    }

    /// Whether nothing but silence is left.
    #[must_use]
    pub fn is_total(&self) -> bool {
        let silent = self.damage.lost_frames().saturating_sub(self.damage.cut_off());
        self.damage.lost_frames() > 0 && self.length.is_some_and(|length| silent >= length)
    }

    /// All frames that are lost, if that is known.
    #[must_use]
    pub fn frames(&self) -> Option<u64> {
        let missing = self.damage.lost_frames();
        match self.noted_frames {
            Some(noted) => Some(noted.saturating_add(missing)),
            None => Some(missing).filter(|&missing| missing > 0),
        }
    }
}

/// Frames that were lost while it was recorded. This program notes losses only, so that no note of its own means none.
pub(super) fn noted(tags: &Metadata) -> Option<u64> {
    let is_ours = tags.software.as_deref().is_some_and(|software| software.starts_with(env!("CARGO_PKG_NAME")));
    tags.lost_frames().or(is_ours.then_some(0))
}
