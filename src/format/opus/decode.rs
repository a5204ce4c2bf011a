//! Ogg Opus files to frames (RFC 7845), mono and stereo, of any program: whole, cut off, still growing, damaged, one
//! stream or several one after another.
//!
//! The pages are read by our own code, because no library that we use reports which of them are damaged. Opus always
//! decodes to 48 kHz. Pages that are missing or damaged are silence of their length and recorded as damage, so that the
//! rest does not shift. A seek is exact to the frame; the samples right after it are those of a decoder that has
//! decoded the 80 ms before (RFC 7845, section 4.6), not bit for bit those of one that began at the start. `link` finds
//! the streams, `head` reads headers; the codec is the crate's. Run by any thread but a realtime one.

mod head;
mod link;

use std::{collections::VecDeque, io};

use ropus::{Channels, DecodeMode, Decoder as Codec};

use self::{
    head::{PACKET_FRAMES_MAX, packet_frames},
    link::Link,
};
use crate::{
    audio::{AudioFormat, Metadata, SampleFormat},
    error::{Error, ErrorKind, Result},
    format::{
        Damage, Decoder, Input, foreign,
        ogg::read::{self as ogg, Page},
        row::Bytes,
        window::Window,
    },
};

/// What Opus decodes to, in hertz.
const SAMPLE_RATE: u32 = 48_000;

/// Frames before a position that the codec has to decode first: 80 ms.
const PRE_ROLL: u64 = 3_840;

/// How far before a position decoding begins at most: four times what the codec has to decode first.
const SETTLED: u64 = 4 * PRE_ROLL;

/// A page is searched for by halving what is left down to this many bytes.
const HALVING_BYTES_MIN: u64 = 16 << 10;

/// A decoder of a file that begins with a page of Ogg: this one for Opus, the library's for other codecs that it
/// supports.
///
/// # Errors
/// Those of [`format::open`](crate::format::open).
pub(super) fn open(mut input: Bytes, name: &str) -> Result<Box<dyn Decoder>> {
    let failed = |error| Error::from_io(error, format!("cannot read {name}"));
    let codec = link::first_codec(&mut Window::new(&mut input)).map_err(failed)?;
    match (codec, foreign::kind(b"OggS")) {
        (Some("Vorbis" | "FLAC"), Some(kind)) => foreign::open(input, kind, name),
        _ => Ok(Box::new(OpusDecoder::new(input, name)?)),
    }
}

/// The decoder of Ogg Opus files.
pub(super) struct OpusDecoder<I> {
    window: Window<I>,
    name: String,
    format: AudioFormat,
    metadata: Metadata,
    links: Vec<Link>,
    /// The stream that is read, and frames in the ones before it.
    current: usize,
    before: u64,
    codec: Codec,
    /// Where the next page should be, in bytes.
    offset: u64,
    /// The start of a packet that continues on the next page.
    partial: Option<Vec<u8>>,
    packets: VecDeque<Vec<u8>>,
    /// Frames of the stream, pre-skip included, before the next packet; unknown before the first page.
    position: Option<u64>,
    /// The next frame of the stream to be read, pre-skip included.
    at: u64,
    /// What was decoded, and how many samples of it were read or left out.
    block: Vec<f32>,
    taken: usize,
    /// Frames of silence that are read before anything else.
    silence: u64,
    /// The number that the next page should have.
    sequence: Option<u32>,
    damage: Damage,
}

impl<I: Input> OpusDecoder<I> {
    /// A decoder of `input`, which begins with a page.
    pub(super) fn new(input: I, name: &str) -> Result<Self> {
        let mut window = Window::new(input);
        let links = link::links(&mut window, name)?;
        let none = || Error::new(ErrorKind::InvalidData, format!("{name} is damaged: it has no sound"));
        let first = links.first().ok_or_else(none)?.clone();
        let format = AudioFormat::new(SAMPLE_RATE, first.head.channels, SampleFormat::S16);
        let mut decoder = Self {
            window,
            name: name.to_owned(),
            format,
            codec: codec(format, &first)?,
            metadata: first.metadata,
            links,
            current: 0,
            before: 0,
            offset: 0,
            partial: None,
            packets: VecDeque::new(),
            position: None,
            at: 0,
            block: Vec::new(),
            taken: 0,
            silence: 0,
            sequence: None,
            damage: Damage::default(),
        };
        decoder.seek(0)?;
        Ok(decoder)
    }

    fn channels(&self) -> usize {
        usize::from(self.format.channels.max(1))
    }

    fn link(&self) -> Option<&Link> {
        self.links.get(self.current)
    }

    /// The end of the current stream, pre-skip included.
    fn end(&self) -> u64 {
        self.link().map_or(0, |link| link.length().saturating_add(link.head.pre_skip.into()))
    }

    /// Makes `frame` of the stream `index` the next one to be read.
    fn enter(&mut self, index: usize, frame: u64) -> Result<()> {
        let Some(link) = self.links.get(index).cloned() else { return Ok(()) };
        self.current = index;
        self.before = self.links.iter().take(index).map(Link::length).sum();
        self.codec = codec(self.format, &link)?;
        self.at = frame.saturating_add(link.head.pre_skip.into());
        self.offset = self.page_before(&link, self.at.saturating_sub(PRE_ROLL)).map_err(self.failed())?;
        self.partial = None;
        self.packets.clear();
        // The first page gives the position, except in a stream of one page, which may end before its packets do.
        self.position = (self.offset == link.audio).then_some(0);
        self.sequence = (self.offset == link.audio).then_some(link.sequence);
        self.block.clear();
        self.taken = 0;
        self.silence = 0;
        Ok(())
    }

    /// Where the last page is that ends at or before `position`, or the first one.
    fn page_before(&mut self, link: &Link, position: u64) -> io::Result<u64> {
        let (mut low, mut high) = (link.audio, link.end);
        while position > 0 && high.saturating_sub(low) > HALVING_BYTES_MIN {
            let middle = low + (high - low) / 2;
            let counts = |page: &Page| page.serial == link.serial && page.granule.is_some();
            match ogg::first_page(&mut self.window, middle, high, counts)? {
                Some(page) if page.granule.unwrap_or_default().saturating_sub(link.base) <= position => low = page.at,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    fn failed(&self) -> impl Fn(io::Error) -> Error + use<I> {
        let context = format!("cannot read {}", self.name);
        move |error| Error::from_io(error, context.clone())
    }

    /// Decodes on until there is something to read of the current stream; false at its end.
    fn advance(&mut self) -> io::Result<bool> {
        while self.silence == 0 && self.taken >= self.block.len() {
            if let Some(packet) = self.packets.pop_front() {
                if !self.passes_over(&packet) {
                    self.decode(&packet);
                }
                continue;
            }
            let Some(link) = self.link() else { return Ok(false) };
            let (serial, end) = (link.serial, link.end);
            let found = ogg::first_page(&mut self.window, self.offset, end, |page| page.serial == serial)?;
            let Some(page) = found else {
                self.silence = self.end().saturating_sub(self.at);
                self.note_gap(self.at, self.silence);
                return Ok(self.silence > 0);
            };
            self.offset = page.end();
            self.unpack(&page);
        }
        Ok(true)
    }

    /// Takes the packets out of a page, and detects what is missing before it.
    fn unpack(&mut self, page: &Page) {
        let mut partial = self.partial.take().filter(|_| page.is_continued());
        for (n, (piece, ends)) in page.pieces().into_iter().enumerate() {
            let is_rest = n == 0 && page.is_continued();
            let packet = match (is_rest, partial.take()) {
                (false, _) => Some(piece.to_vec()),
                (true, Some(start)) => Some([&start, piece].concat()),
                // Its start is missing.
                (true, None) => None,
            };
            match ends {
                true => self.packets.extend(packet),
                // No packet is longer: 48 frames of 1275 bytes (RFC 6716, section 3.2.5).
                false => self.partial = packet.filter(|packet| packet.len() < 1 << 16),
            }
        }
        let Some((link, granule)) = self.link().zip(page.granule) else { return };
        let frames: u64 = self.packets.iter().filter_map(|packet| packet_frames(packet)).sum();
        let begins = granule.saturating_sub(link.base).saturating_sub(frames);
        let follows = self.sequence.is_none_or(|expected| expected == page.sequence);
        self.sequence = Some(page.sequence.wrapping_add(1));
        let begins = match self.position {
            // The last page may end before its packets do.
            Some(position) if page.is_last() && follows || begins <= position && !page.is_last() => return,
            Some(position) if page.is_last() => {
                // It begins a whole number of packets after what was read last.
                let step = self.packets.front().and_then(|packet| packet_frames(packet)).unwrap_or(1).max(1);
                position.saturating_add(begins.saturating_sub(position).next_multiple_of(step))
            }
            Some(_) | None => begins,
        };
        let from = self.position.unwrap_or(0).max(self.at);
        self.silence = self.silence_between(from, begins);
        self.note_gap(from, self.silence);
        self.position = Some(begins);
    }

    /// Records silence in place of `frames` frames from `at` on, pre-skip included.
    fn note_gap(&mut self, at: u64, frames: u64) {
        let skipped = self.link().map_or(0, |link| link.head.pre_skip.into());
        self.damage.note_gap(self.before.saturating_add(at.saturating_sub(skipped)), frames);
    }

    /// Silence in place of missing pages, but not more than the length of the stream.
    fn silence_between(&self, position: u64, begins: u64) -> u64 {
        begins.min(self.end()).saturating_sub(position)
    }

    /// Whether a packet ends so early before the next frame that the decoder can do without it; then it is skipped. The
    /// page that a seek finds can be many seconds early.
    fn passes_over(&mut self, packet: &[u8]) -> bool {
        let Some((position, frames)) = self.position.zip(packet_frames(packet)) else { return false };
        let ends = position.saturating_add(frames);
        let is_early = ends.saturating_add(SETTLED) <= self.at;
        if is_early {
            self.position = Some(ends);
        }
        is_early
    }

    fn decode(&mut self, packet: &[u8]) {
        let Some(frames) = packet_frames(packet) else { return };
        let channels = self.channels();
        let begins = self.position.unwrap_or_default();
        self.position = Some(begins.saturating_add(frames));
        self.block.resize(PACKET_FRAMES_MAX * channels, 0.0);
        let decoded = self.codec.decode_float(packet, &mut self.block, DecodeMode::Normal);
        let samples = usize::try_from(frames).unwrap_or(0) * channels;
        if decoded.ok() != usize::try_from(frames).ok() {
            self.block.fill(0.0);
            let from = begins.max(self.at);
            self.note_gap(from, begins.saturating_add(frames).saturating_sub(from));
        }
        self.block.truncate(samples);
        let before = usize::try_from(self.at.saturating_sub(begins)).unwrap_or(usize::MAX);
        self.taken = before.saturating_mul(channels);
    }

    /// Appends up to `max_frames` of the decoded frames.
    fn deliver(&mut self, out: &mut Vec<f32>, max_frames: usize) -> usize {
        let left = usize::try_from(self.end().saturating_sub(self.at)).unwrap_or(usize::MAX);
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

/// A decoder for that stream. Mono is decoded into stereo where the first stream of the file is stereo, and the other
/// way round.
fn codec(format: AudioFormat, link: &Link) -> Result<Codec> {
    let failed = |error| Error::new(ErrorKind::Unknown, format!("cannot decode Opus: {error}"));
    let channels = if format.channels == 1 { Channels::Mono } else { Channels::Stereo };
    let mut codec = Codec::new(SAMPLE_RATE, channels).map_err(|error| failed(error.to_string()))?;
    codec.set_gain(link.head.gain.into()).map_err(|error| failed(error.to_string()))?;
    Ok(codec)
}

impl<I: Input> Decoder for OpusDecoder<I> {
    fn container(&self) -> &'static str {
        "opus"
    }

    fn format(&self) -> AudioFormat {
        self.format
    }

    fn frames(&self) -> Option<u64> {
        Some(self.links.iter().map(Link::length).fold(0, u64::saturating_add))
    }

    fn read(&mut self, out: &mut Vec<f32>, max_frames: usize) -> Result<usize> {
        let mut total = 0;
        while total < max_frames {
            if self.at < self.end() && self.advance().map_err(self.failed())? {
                total += self.deliver(out, max_frames - total);
            } else if self.current + 1 < self.links.len() {
                self.enter(self.current + 1, 0)?;
            } else {
                break;
            }
        }
        Ok(total)
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        let (mut index, mut left) = (0, frame);
        for link in self.links.iter().take(self.links.len().saturating_sub(1)) {
            if left < link.length() {
                break;
            }
            left -= link.length();
            index += 1;
        }
        let longest = self.links.get(index).map_or(0, Link::length);
        self.damage = Damage::default();
        if let Some(remark) = self.links.iter().find_map(|link| link.remark) {
            self.damage.note_remark(remark);
        }
        self.enter(index, left.min(longest))
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn damage(&self) -> Damage {
        self.damage.clone()
    }
}

/// What is really in an Ogg Opus file, for repairing its end.
#[derive(Debug, Clone)]
pub(crate) struct OpusLayout {
    /// Rate and channels.
    pub format: AudioFormat,
    /// Frames of sound in all streams of the file.
    pub frames: u64,
    /// The last whole page of the last stream on which a packet ends; `None` if there is no sound.
    pub last: Option<Page>,
    /// Whether the last whole page of the file belongs to another stream, of any kind.
    pub ends_with_another: bool,
    /// Where the sound of the last stream begins, in bytes.
    pub audio: u64,
    /// Bytes that the file has.
    pub len: u64,
}

impl OpusLayout {
    /// The layout of the Ogg Opus file that `input` holds; `name` is its name in errors.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] if it is damaged before the sound; [`ErrorKind::NotSupported`] if it holds something
    /// else; [`ErrorKind::Unknown`] if reading fails.
    pub(crate) fn read(input: &mut dyn Input, name: &str) -> Result<Self> {
        let mut window = Window::new(input);
        let mut links = link::links(&mut window, name)?;
        let failed = |error| Error::from_io(error, format!("cannot read {name}"));
        let len = window.len().map_err(failed)?;
        let end = ogg::last_page(&mut window, 0, len, |_| true).map_err(failed)?;
        let frames = links.iter().map(|link| link.frames).fold(0, u64::saturating_add);
        let none = || Error::new(ErrorKind::InvalidData, format!("{name} is damaged: it has no sound"));
        let channels = links.first().map_or(1, |link| link.head.channels);
        let last = links.pop().ok_or_else(none)?;
        let format = AudioFormat::new(SAMPLE_RATE, channels, SampleFormat::S16);
        let ends_with_another = end.is_some_and(|page| page.serial != last.serial);
        Ok(Self { format, frames, last: last.last, ends_with_another, audio: last.audio, len })
    }
}
