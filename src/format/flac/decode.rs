//! FLAC files to frames (RFC 9639), whoever wrote them: whole, cut off, still growing, damaged, with or without a length.
//!
//! What a file holds is found in its frames rather than in what its header claims. A damaged frame is silence of its
//! length, so that the rest does not shift. The parts: `info` reads the header, `scan` finds frames, `frame`
//! decodes one of them, `head` its first bytes. FLAC inside of Ogg is not read. Run by any thread but a realtime one.

mod bits;
mod frame;
mod head;
mod info;
mod scan;

use std::io;

use self::{
    frame::Frame,
    info::{INFO_BYTES, Start},
};
pub(super) use self::{
    head::{HEAD_BYTES_MAX, Head},
    info::Info,
};
use crate::{
    audio::{AudioFormat, Metadata},
    error::{Error, Result},
    format::{Decoder, Input, window::Window},
};

/// A file is searched for a frame by halving what is left down to this many bytes.
const NEAR: u64 = 64 << 10;

/// Frames of sound that so many bytes can hold at most: blocks of 65,536 in 10 bytes. A number in a file may be anything.
fn frames_in(bytes: u64) -> u64 {
    (bytes / 10).saturating_mul(1 << 16)
}

/// The decoder of FLAC files.
pub(super) struct FlacDecoder<I> {
    window: Window<I>,
    name: String,
    start: Start,
    /// What the first frame says is in front of it, which is not in this file.
    base: u64,
    /// Frames of sound in the file.
    frames: u64,
    /// The next frame of sound that is read.
    at: u64,
    /// Where the next frame should be, in bytes.
    offset: u64,
    /// Frames of silence that are read before anything else, in the place of frames that are damaged or missing.
    silence: u64,
    /// How many more of them there may be.
    silence_left: u64,
    /// What was decoded, and how many samples of it were read or left out.
    block: Vec<f32>,
    taken: usize,
}

impl<I: Input> FlacDecoder<I> {
    /// A decoder of `input`, which begins with `fLaC` or has that behind an ID3v2 tag.
    pub(super) fn new(input: I, name: &str) -> Result<Self> {
        let mut window = Window::new(input);
        let layout = FlacLayout::of(&mut window, name)?;
        Ok(Self {
            window,
            name: name.to_owned(),
            offset: layout.start.first,
            base: layout.base,
            frames: layout.frames,
            start: layout.start,
            at: 0,
            silence: 0,
            silence_left: frames_in(layout.len),
            block: Vec::new(),
            taken: 0,
        })
    }

    fn channels(&self) -> usize {
        usize::from(self.start.info.channels.max(1))
    }

    fn failed(&self) -> impl Fn(io::Error) -> Error + use<I> {
        let context = format!("cannot read {}", self.name);
        move |error| Error::from_io(error, context.clone())
    }

    /// Decodes on until there is something to read; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        while self.silence == 0 && self.taken >= self.block.len() {
            let len = self.window.len()?;
            let here =
                scan::frame_at(&mut self.window, &self.start.info, self.offset)?.map(|frame| (self.offset, frame));
            let found = match here {
                Some(found) => Some(found),
                None => scan::first_frame(&mut self.window, &self.start.info, self.offset.saturating_add(1), len)?,
            };
            let Some((place, frame)) = found else { return Ok(false) };
            self.take(place, frame);
        }
        Ok(true)
    }

    /// Puts the frame where its own number says.
    fn take(&mut self, place: u64, frame: Frame) {
        let begins = frame.position.saturating_sub(self.base);
        self.offset = place.saturating_add(frame.len as u64);
        self.silence = begins.saturating_sub(self.at).min(self.silence_left);
        self.silence_left -= self.silence;
        let before = usize::try_from(self.at.saturating_sub(begins)).unwrap_or(usize::MAX);
        self.taken = before.saturating_mul(self.channels());
        self.block = frame.samples;
    }

    /// Appends up to `max_frames` frames of what is at hand.
    fn deliver(&mut self, out: &mut Vec<f32>, max_frames: usize) -> usize {
        let left = usize::try_from(self.frames.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = max_frames.min(left);
        let channels = self.channels();
        let frames = if self.silence > 0 {
            let frames = wanted.min(usize::try_from(self.silence).unwrap_or(usize::MAX));
            out.resize(out.len() + frames * channels, 0.0);
            self.silence -= frames as u64;
            frames
        } else {
            let rest = self.block.get(self.taken..).unwrap_or_default();
            let frames = wanted.min(rest.len() / channels);
            out.extend_from_slice(rest.get(..frames * channels).unwrap_or_default());
            self.taken += frames * channels;
            frames
        };
        self.at += frames as u64;
        frames
    }
}

impl<I: Input> Decoder for FlacDecoder<I> {
    fn container(&self) -> &'static str {
        "flac"
    }

    fn format(&self) -> AudioFormat {
        self.start.info.format()
    }

    fn frames(&self) -> Option<u64> {
        Some(self.frames)
    }

    fn read(&mut self, out: &mut Vec<f32>, max_frames: usize) -> Result<usize> {
        let mut total = 0;
        while total < max_frames && self.at < self.frames && self.advance().map_err(self.failed())? {
            total += self.deliver(out, max_frames - total);
        }
        Ok(total)
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        let frame = frame.min(self.frames);
        let failed = self.failed();
        let (mut low, mut high) = (self.start.first, self.window.len().map_err(&failed)?);
        while high.saturating_sub(low) > NEAR {
            let middle = low + (high - low) / 2;
            let found = scan::first_frame(&mut self.window, &self.start.info, middle, high).map_err(&failed)?;
            match found {
                Some((place, found)) if found.position.saturating_sub(self.base) <= frame => low = place,
                _ => high = middle,
            }
        }
        self.at = frame;
        self.offset = low;
        self.silence = 0;
        self.silence_left = frames_in(self.window.len().map_err(&failed)?);
        self.block.clear();
        self.taken = 0;
        Ok(())
    }

    fn metadata(&self) -> &Metadata {
        &self.start.metadata
    }
}

/// What is really in a FLAC file, for those who repair its header. Offsets are in bytes from the start of the file.
#[derive(Debug, Clone)]
pub struct FlacLayout {
    start: Start,
    base: u64,
    /// Frames of sound up to the end of the last whole frame.
    pub frames: u64,
    /// Where the last whole frame ends, or where the first one should begin.
    pub end: u64,
    /// Bytes that the file has.
    pub len: u64,
}

impl FlacLayout {
    /// The layout of the FLAC file that `input` holds; `name` is what errors call it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`](crate::ErrorKind::InvalidData) if it is none, or says nothing of its format;
    /// [`ErrorKind::Unknown`](crate::ErrorKind::Unknown) if reading fails.
    pub fn read(input: &mut dyn Input, name: &str) -> Result<Self> {
        Self::of(&mut Window::new(input), name)
    }

    fn of<I: Input>(window: &mut Window<I>, name: &str) -> Result<Self> {
        let failed = |error| Error::from_io(error, format!("cannot read {name}"));
        let start = Start::read(window, name)?;
        let len = window.len().map_err(failed)?;
        let last = scan::last_frame(window, &start.info, start.first, len).map_err(failed)?;
        let first = Head::parse(window.at(start.first, HEAD_BYTES_MAX).map_err(failed)?).ok();
        let base = first.filter(|head| head.fits(&start.info)).map_or(0, |head| head.position(&start.info));
        let (frames, end) = match last {
            Some((place, frame)) => (frame.position.saturating_add(frame.frames.into()), place + frame.len as u64),
            None => (base, start.first),
        };
        let frames = frames.saturating_sub(base).min(frames_in(len));
        Ok(Self { base, frames, end: end.min(len), len, start })
    }

    /// Rate, channels and depth.
    #[must_use]
    pub fn format(&self) -> AudioFormat {
        self.start.info.format()
    }

    /// The frames that the header claims; 0 is unknown.
    #[must_use]
    pub fn claimed_frames(&self) -> u64 {
        self.start.info.frames
    }

    /// What STREAMINFO says about every frame.
    pub(super) fn info(&self) -> &Info {
        &self.start.info
    }

    /// Where the first frame should begin, in bytes.
    pub(super) fn first(&self) -> u64 {
        self.start.first
    }

    /// Where STREAMINFO is, and what it says.
    #[must_use]
    pub fn streaminfo(&self) -> (u64, [u8; INFO_BYTES]) {
        (self.start.info_at, self.start.info_bytes)
    }
}
