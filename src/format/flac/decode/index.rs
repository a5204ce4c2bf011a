//! The places of the frames in files whose blocks differ in length while their numbers count blocks (as encoders before
//! FLAC 1.2 wrote them): the place of a frame follows only from the frames before it. Run by the thread that opens the
//! file.

use std::io;

use super::{info::Info, scan};
use crate::format::{Input, window::Window};

/// The places of all frames.
#[derive(Debug, Clone)]
pub(super) struct Index {
    /// Where each begins in bytes, and frames of sound before it.
    places: Vec<(u64, u64)>,
    frames: u64,
}

impl Index {
    /// Walks over all frames from `first` on.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) fn read<I: Input>(window: &mut Window<I>, info: &Info, first: u64, len: u64) -> io::Result<Self> {
        let mut index = Self { places: Vec::new(), frames: 0 };
        let mut at = first;
        loop {
            let here = scan::frame_at(window, info, at)?.map(|frame| (at, frame));
            let found = match here {
                Some(found) => Some(found),
                None => scan::first_frame(window, info, at.saturating_add(1), len)?,
            };
            let Some((place, frame)) = found else { return Ok(index) };
            index.places.push((place, index.frames));
            index.frames = index.frames.saturating_add(frame.frames.into());
            at = place.saturating_add(frame.len as u64);
        }
    }

    /// Frames of sound in all of them.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Frames of sound before the frame that begins at `place`.
    pub(super) fn position(&self, place: u64) -> u64 {
        let behind = self.places.partition_point(|&(known, _)| known < place);
        self.places.get(behind).map_or(self.frames, |&(_, frames)| frames)
    }

    /// Where the frame begins that contains that frame of sound.
    pub(super) fn bounds(&self, frame: u64) -> (u64, u64) {
        let behind = self.places.partition_point(|&(_, before)| before <= frame);
        let place = self.places.get(behind.saturating_sub(1)).map_or(0, |&(place, _)| place);
        (place, place)
    }
}
