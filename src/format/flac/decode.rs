//! FLAC files of any program to frames (RFC 9639): whole, cut off, still growing, damaged, with or without a length.
//!
//! Our own, because the library (symphonia) has neither the side channel of 32-bit stereo (33 bits) nor files whose
//! header is wrong or whose blocks vary without being declared so, and skips damage without reporting it. What a file
//! holds is determined from its frames rather than from what its header claims; a damaged frame is silence of its
//! length and recorded as damage, and what was read from start to end is compared with the MD5 of the header. The
//! parts: `info` reads the header, `scan` finds frames, `frame` decodes one of them, `head` its first bytes, `index`
//! the places of frames where the length of blocks varies without being declared. Run by any thread but a realtime one.

mod bits;
mod frame;
mod head;
mod index;
mod info;
mod layout;
mod scan;

use std::io;

use self::frame::Frame;
pub(super) use self::{
    head::{HEAD_BYTES_MAX, Head},
    info::Info,
    layout::FlacLayout,
};
use crate::{
    audio::{AudioFormat, Metadata, SampleFormat},
    error::{Error, Result},
    format::{Damage, Decoder, Input, window::Window},
};

/// A file is searched for a frame by halving what is left down to this many bytes.
const HALVING_BYTES_MIN: u64 = 64 << 10;

/// Frames of sound that `bytes` bytes can hold at most: blocks of 65,536 in 10 bytes. A number in a file may be
/// anything.
fn frames_in(bytes: u64) -> u64 {
    (bytes / 10).saturating_mul(1 << 16)
}

/// The decoder of FLAC files.
pub(super) struct FlacDecoder<I> {
    window: Window<I>,
    name: String,
    layout: FlacLayout,
    /// Frames of sound in the file, those included that are missing at the end within a block.
    frames: u64,
    /// The next frame of sound to be read.
    at: u64,
    /// Where the next frame should be, in bytes.
    offset: u64,
    /// Frames of silence that are read before anything else, in place of frames that are damaged or missing.
    silence: u64,
    /// How many more of them there may be.
    silence_left: u64,
    /// What was decoded, and how many samples of it were read or left out.
    block: Vec<i32>,
    taken: usize,
    damage: Damage,
    /// The sum of all samples so far, while they are read from the start on.
    sum: Option<md5::Context>,
}

impl<I: Input> FlacDecoder<I> {
    /// A decoder of `input`, which begins with `fLaC` or has that after an ID3v2 tag.
    pub(super) fn new(input: I, name: &str) -> Result<Self> {
        let mut window = Window::new(input);
        let mut layout = FlacLayout::of(&mut window, name)?;
        if let Some(change) = layout.change.take() {
            return Err(change);
        }
        let mut decoder = Self {
            window,
            name: name.to_owned(),
            offset: layout.start.first,
            frames: layout.frames,
            at: 0,
            silence: 0,
            silence_left: frames_in(layout.len),
            block: Vec::new(),
            taken: 0,
            damage: Damage::default(),
            sum: None,
            layout,
        };
        let missing = decoder.layout.missing();
        if missing <= decoder.layout.start.info.block_frames.into() {
            // The last block is there and damaged, or cut off.
            decoder.frames += missing;
        }
        decoder.begin();
        Ok(decoder)
    }

    /// The state before anything is read.
    fn begin(&mut self) {
        self.damage = Damage::default();
        self.damage.note_end((self.layout.frames + self.layout.missing()).saturating_sub(self.frames));
        self.sum = (self.at == 0 && self.layout.md5().is_some()).then(md5::Context::new);
    }

    fn info(&self) -> &Info {
        &self.layout.start.info
    }

    fn channels(&self) -> usize {
        usize::from(self.info().channels.max(1))
    }

    fn failed(&self) -> impl Fn(io::Error) -> Error + use<I> {
        let context = format!("cannot read {}", self.name);
        move |error| Error::from_io(error, context.clone())
    }

    /// Decodes on until there is something to read; false at the end.
    fn advance(&mut self) -> Result<bool> {
        while self.silence == 0 && self.taken >= self.block.len() {
            let failed = self.failed();
            let len = self.window.len().map_err(&failed)?;
            let info = self.layout.start.info;
            let here = scan::frame_at(&mut self.window, &info, self.offset).map_err(&failed)?;
            let found = match here.map(|frame| (self.offset, frame)) {
                Some(found) => Some(found),
                None => {
                    scan::first_frame(&mut self.window, &info, self.offset.saturating_add(1), len).map_err(&failed)?
                }
            };
            let Some((place, frame)) = found else {
                // The rest of the last block is missing.
                self.silence = self.frames.saturating_sub(self.at).min(self.silence_left);
                self.silence_left -= self.silence;
                self.damage.note_gap(self.at, self.silence);
                return Ok(self.silence > 0);
            };
            if !frame.head.fits(&info) {
                return Err(changes(&self.name, &info, &frame));
            }
            self.take(place, frame);
        }
        Ok(true)
    }

    /// Places the frame where its own number states.
    fn take(&mut self, place: u64, frame: Frame) {
        let begins = self.layout.position(place, &frame);
        self.offset = place.saturating_add(frame.len as u64);
        self.silence = begins.min(self.frames).saturating_sub(self.at).min(self.silence_left);
        self.silence_left -= self.silence;
        self.damage.note_gap(self.at, self.silence);
        let before = usize::try_from(self.at.saturating_sub(begins)).unwrap_or(usize::MAX);
        self.taken = before.saturating_mul(self.channels());
        self.block = frame.samples;
    }

    /// Passes up to `max_frames` frames on as stretches of samples; `None` for that many samples of silence.
    fn deliver(&mut self, max_frames: usize, mut take: impl FnMut(Option<&[i32]>, usize)) -> Result<usize> {
        let channels = self.channels();
        let mut total = 0;
        while total < max_frames && self.at < self.frames && self.advance()? {
            let left = usize::try_from(self.frames.saturating_sub(self.at)).unwrap_or(usize::MAX);
            let wanted = (max_frames - total).min(left);
            let frames = if self.silence > 0 {
                let frames = wanted.min(usize::try_from(self.silence).unwrap_or(usize::MAX));
                take(None, frames * channels);
                self.silence -= frames as u64;
                frames
            } else {
                let rest = self.block.get(self.taken..).unwrap_or_default();
                let frames = wanted.min(rest.len() / channels);
                let samples = rest.get(..frames * channels).unwrap_or_default();
                add_to_sum(self.sum.as_mut(), samples, self.layout.start.info.bits);
                take(Some(samples), samples.len());
                self.taken += frames * channels;
                frames
            };
            self.at += frames as u64;
            total += frames;
        }
        if self.at >= self.frames {
            self.compare();
        }
        Ok(total)
    }

    /// Compares what was read with the sum of the header.
    fn compare(&mut self) {
        let Some(sum) = self.sum.take().filter(|_| self.damage.is_none()) else { return };
        if self.layout.md5().is_some_and(|md5| md5 != sum.finalize().0) {
            self.damage.note_difference();
        }
    }
}

/// Adds samples to the sum in the form that the header counts: in whole bytes, the lowest first.
fn add_to_sum(sum: Option<&mut md5::Context>, samples: &[i32], bits: u32) {
    let Some(sum) = sum else { return };
    let mut bytes = Vec::new();
    pack(samples, bits.div_ceil(8), 0, &mut bytes);
    sum.consume(&bytes);
}

/// Appends the lowest `width` bytes of each sample, little-endian, after shifting it up by `shift` bits.
fn pack(samples: &[i32], width: u32, shift: u32, out: &mut Vec<u8>) {
    match width {
        1 => pack_as::<1>(samples, shift, out),
        2 => pack_as::<2>(samples, shift, out),
        3 => pack_as::<3>(samples, shift, out),
        _ => pack_as::<4>(samples, shift, out),
    }
}

fn pack_as<const WIDTH: usize>(samples: &[i32], shift: u32, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + samples.len() * WIDTH, 0);
    let (places, _) = out.get_mut(start..).unwrap_or_default().as_chunks_mut::<WIDTH>();
    for (place, sample) in places.iter_mut().zip(samples) {
        if let Some(bytes) = (sample << shift).to_le_bytes().first_chunk() {
            *place = *bytes;
        }
    }
}

fn changes(name: &str, info: &Info, frame: &Frame) -> Error {
    let rate = frame.head.sample_rate.unwrap_or(info.sample_rate);
    let bits = frame.head.bits.unwrap_or(info.bits);
    let context = format!(
        "{name} changes in the middle from {} Hz, {} channels and {} bits to {rate} Hz, {} channels and {bits} bits, which \
         is not read",
        info.sample_rate,
        info.channels,
        info.bits,
        frame.head.channels.count()
    );
    Error::undecodable(name, context)
}

impl<I: Input> Decoder for FlacDecoder<I> {
    fn container(&self) -> &'static str {
        "flac"
    }

    fn format(&self) -> AudioFormat {
        self.info().format()
    }

    fn frames(&self) -> Option<u64> {
        Some(self.frames)
    }

    fn read(&mut self, out: &mut Vec<f32>, max_frames: usize) -> Result<usize> {
        let scale = 1.0 / (1_u64 << (self.info().bits.clamp(1, 32) - 1)) as f32;
        self.deliver(max_frames, |samples, count| match samples {
            Some(samples) => out.extend(samples.iter().map(|&sample| sample as f32 * scale)),
            None => out.resize(out.len() + count, 0.0),
        })
    }

    fn stored(&self) -> Option<SampleFormat> {
        Some(self.format().sample_format)
    }

    fn read_stored(&mut self, out: &mut Vec<u8>, max_frames: usize) -> Result<usize> {
        let width = u32::from(self.format().sample_format.bytes());
        // Samples of 12 or 20 bits are in the upper bits.
        let shift = (8 * width).saturating_sub(self.info().bits);
        self.deliver(max_frames, |samples, count| match samples {
            Some(samples) => pack(samples, width, shift, out),
            None => out.resize(out.len() + count * width as usize, 0),
        })
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        let frame = frame.min(self.frames);
        let failed = self.failed();
        let len = self.window.len().map_err(&failed)?;
        let info = self.layout.start.info;
        let (mut low, mut high) = self.layout.bounds(frame, len);
        while high.saturating_sub(low) > HALVING_BYTES_MIN {
            let middle = low + (high - low) / 2;
            let found = scan::first_frame(&mut self.window, &info, middle, high).map_err(&failed)?;
            match found {
                Some((place, found)) if self.layout.position(place, &found) <= frame => low = place,
                _ => high = middle,
            }
        }
        self.at = frame;
        self.offset = low;
        self.silence = 0;
        self.silence_left = frames_in(len);
        self.block.clear();
        self.taken = 0;
        self.begin();
        Ok(())
    }

    fn metadata(&self) -> &Metadata {
        &self.layout.start.metadata
    }

    fn damage(&self) -> Damage {
        self.damage.clone()
    }
}
