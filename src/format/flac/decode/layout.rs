//! What is really in a FLAC file: where its sound begins and ends, according to its frames.

use std::io;

use super::{
    changes,
    frame::Frame,
    frames_in,
    index::Index,
    info::{INFO_BYTES, Info, Start},
    scan,
};
use crate::{
    audio::AudioFormat,
    error::{Error, Result},
    format::{Input, window::Window},
};

/// What is really in a FLAC file, for repairing its header. Offsets are in bytes from the start of the file.
#[derive(Debug, Clone)]
pub(crate) struct FlacLayout {
    pub(super) start: Start,
    /// Frames before the first frame according to its number, which are not in this file.
    pub(super) base: u64,
    /// Where the frames are, if that does not follow from their numbers.
    pub(super) index: Option<Index>,
    /// The error of a file whose format changes between its beginning and its end.
    pub(super) change: Option<Error>,
    /// Frames of sound up to the end of the last whole frame.
    pub frames: u64,
    /// Where the last whole frame ends, or where the first one should begin.
    pub end: u64,
    /// Bytes that the file has.
    pub len: u64,
}

impl FlacLayout {
    /// The layout of the FLAC file that `input` holds; `name` is its name in errors.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`](crate::ErrorKind::InvalidData) if it is none, or does not state its format;
    /// [`ErrorKind::Unknown`](crate::ErrorKind::Unknown) if reading fails.
    pub(crate) fn read(input: &mut dyn Input, name: &str) -> Result<Self> {
        Self::of(&mut Window::new(input), name)
    }

    pub(super) fn of<I: Input>(window: &mut Window<I>, name: &str) -> Result<Self> {
        let failed = |error| Error::from_io(error, format!("cannot read {name}"));
        let mut start = Start::read(window, name)?;
        let len = window.len().map_err(failed)?;
        let first = first_frame(window, &mut start, len).map_err(failed)?;
        let base = first.as_ref().map_or(0, |frame| frame.head.position(&start.info));
        let mut last = scan::last_frame(window, &start.info, start.first, len, |_| true).map_err(failed)?;
        let other = last.as_ref().filter(|(_, frame)| !frame.head.fits(&start.info));
        let change = other.map(|(_, frame)| changes(name, &start.info, frame));
        if change.is_some() {
            let info = start.info;
            let fits = |frame: &Frame| frame.head.fits(&info);
            last = scan::last_frame(window, &info, start.first, len, fits).map_err(failed)?;
        }
        let Some((place, frame)) = last else {
            return Ok(Self { base, index: None, change, frames: 0, end: start.first.min(len), len, start });
        };
        let end = (place + frame.len as u64).min(len);
        let by_number = frame.head.position(&start.info).saturating_add(frame.frames.into()).saturating_sub(base);
        // Old encoders let blocks vary and still counted blocks: then only a walk over all of them gives the places.
        let is_untold = start.info.blocks_vary && !frame.head.counts_samples && by_number != start.info.frames;
        if is_untold {
            let index = Index::read(window, &start.info, start.first, len).map_err(failed)?;
            return Ok(Self { base: 0, frames: index.frames(), index: Some(index), change, end, len, start });
        }
        Ok(Self { base, index: None, change, frames: by_number.min(frames_in(len)), end, len, start })
    }

    /// Frames of sound before a frame.
    pub(super) fn position(&self, place: u64, frame: &Frame) -> u64 {
        match &self.index {
            Some(index) => index.position(place),
            None => frame.head.position(&self.start.info).saturating_sub(self.base),
        }
    }

    /// The bytes between which a frame of sound is, as far as that is known.
    pub(super) fn bounds(&self, frame: u64, len: u64) -> (u64, u64) {
        match &self.index {
            Some(index) => index.bounds(frame),
            None => (self.start.first, len),
        }
    }

    /// Frames that the header claims and that are not in the file.
    pub(super) fn missing(&self) -> u64 {
        self.claimed_frames().saturating_sub(self.frames)
    }

    /// The sum of all samples, if the header contains it.
    pub(super) fn md5(&self) -> Option<[u8; 16]> {
        let sum = *self.start.info_bytes.last_chunk()?;
        (sum != [0; 16]).then_some(sum)
    }

    /// Rate, channels and depth.
    #[must_use]
    pub(crate) fn format(&self) -> AudioFormat {
        self.start.info.format()
    }

    /// The frames that the header claims; 0 is unknown.
    #[must_use]
    pub(crate) fn claimed_frames(&self) -> u64 {
        self.start.info.frames
    }

    /// What STREAMINFO states for every frame.
    pub(in crate::format::flac) fn info(&self) -> &Info {
        &self.start.info
    }

    /// Where the first frame should begin, in bytes.
    pub(in crate::format::flac) fn first(&self) -> u64 {
        self.start.first
    }

    /// Where STREAMINFO is, and its content.
    #[must_use]
    pub(crate) fn streaminfo(&self) -> (u64, [u8; INFO_BYTES]) {
        (self.start.info_at, self.start.info_bytes)
    }
}

/// The frame with which the sound begins, if that is whole. The header is corrected by it, because its own data have a
/// checksum.
fn first_frame<I: Input>(window: &mut Window<I>, start: &mut Start, len: u64) -> io::Result<Option<Frame>> {
    let mut first = scan::frame_at(window, &start.info, start.first)?;
    if first.is_none() && !scan::has_head(window, start.first)? {
        // The lengths of the blocks before it are wrong, or the first frames are damaged.
        let behind = start.info_at.saturating_add(INFO_BYTES as u64);
        if let Some((place, frame)) = scan::first_frame(window, &start.info, behind, len)?
            && frame.head.number == 0
        {
            start.first = place;
            first = Some(frame);
        }
    }
    if let Some(frame) = &first {
        let info = &mut start.info;
        info.channels = frame.head.channels.count();
        info.bits = frame.head.bits.unwrap_or(info.bits);
        info.sample_rate = frame.head.sample_rate.filter(|&rate| rate > 0).unwrap_or(info.sample_rate);
        if !frame.head.counts_samples && !info.blocks_vary && frame.head.number == 0 {
            let behind = start.first.saturating_add(frame.len as u64);
            if scan::has_head(window, behind)? {
                info.block_frames = frame.frames;
            }
        }
    }
    Ok(first)
}
