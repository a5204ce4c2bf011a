//! Frames to an Ogg Opus file (RFC 7845): mono or stereo, 48 kHz, tuned for voice.
//!
//! The codec is the crate's, pages are in [`ogg`](crate::format::ogg), the two headers in `head`. Holds back what does not fill
//! a packet of 20 ms, and in a file what does not fill a page of a second. Run by the pump thread.

mod head;

use std::{
    collections::VecDeque,
    hash::{BuildHasher, RandomState},
    ops::RangeInclusive,
};

use ropus::{Application, Bitrate, Channels, Encoder as Codec};

use crate::{
    audio::AudioFormat,
    error::{Error, ErrorKind, Result},
    format::{
        Delivery, Encoder, EncoderSettings, Metadata, Patch, Seal,
        ogg::write::{FIRST, LAST, Packets, PageHead, Written, pages_of},
    },
};

/// The rate that Opus counts in, and the only one that is recorded, in hertz.
pub(crate) const SAMPLE_RATE: u32 = 48_000;

/// The bit rates that can be requested, in bits a second (RFC 6716, section 2.1.1).
pub(crate) const BITS_PER_SECOND: RangeInclusive<u32> = 6_000..=510_000;

/// Frames of one packet: 20 ms.
const PACKET_FRAMES: u16 = 960;

/// The longest packet of one frame of sound, in bytes (RFC 6716, section 3.2.1).
const PACKET_BYTES: usize = 1275;

/// Packets of a page in a file: a second.
const FILE_PACKETS: usize = 50;

/// Packets of a page in a stream: 40 ms, so that they are written soon.
const STREAM_PACKETS: usize = 2;

/// How many of the latest pages are stored; a failure is in the last one.
const PAGES_MAX: usize = 1024;

/// The encoder of Ogg Opus files.
pub(crate) struct OpusEncoder {
    audio: AudioFormat,
    delivery: Delivery,
    metadata: Metadata,
    codec: Codec,
    /// Frames that the codec puts before the sound.
    pre_skip: u16,
    serial: u32,
    /// Interleaved samples of the packet that is not full yet.
    pending: Vec<f32>,
    /// Frames of sound so far.
    frames: u64,
    /// Packets of sound so far, those of the current page included.
    packets: u64,
    page: Packets,
    pages: u32,
    /// Bytes of the comment packet.
    reserve: usize,
    /// Bytes of the pages before the sound, and how many pages they are.
    header_bytes: u64,
    header_pages: u32,
    /// Bytes that were appended.
    bytes: u64,
    /// The latest pages, without that of the identification.
    written: VecDeque<Written>,
    finished: bool,
}

impl OpusEncoder {
    /// An encoder for `settings`; a bit rate outside [`BITS_PER_SECOND`] becomes the nearest one inside.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] for what `check` refuses.
    pub(crate) fn new(settings: &EncoderSettings) -> Result<Self> {
        check(settings.audio)?;
        let channels = if settings.audio.channels == 1 { Channels::Mono } else { Channels::Stereo };
        let codec = Codec::builder(SAMPLE_RATE, channels, Application::Voip)
            .bitrate(Bitrate::Bits(bits_per_second(settings.audio, settings.bits_per_second)))
            .build()
            .map_err(|error| Error::new(ErrorKind::NotSupported, "cannot encode Opus").with_source(error))?;
        Ok(Self {
            audio: settings.audio,
            delivery: settings.delivery,
            metadata: settings.metadata.clone(),
            pre_skip: u16::try_from(codec.lookahead()).unwrap_or(u16::MAX),
            codec,
            // Streams that are put into one file must have different numbers.
            serial: RandomState::new().hash_one(std::process::id()) as u32,
            pending: Vec::new(),
            frames: 0,
            packets: 0,
            page: Packets::default(),
            pages: 0,
            reserve: head::reserve(&settings.metadata, settings.delivery),
            header_bytes: u64::MAX,
            header_pages: 2,
            bytes: 0,
            written: VecDeque::new(),
            finished: false,
        })
    }

    fn check_running(&self) -> Result<()> {
        match self.finished {
            true => Err(Error::new(ErrorKind::InvalidState, "the Opus file is already finished")),
            false => Ok(()),
        }
    }

    fn packet_samples(&self) -> usize {
        usize::from(PACKET_FRAMES) * usize::from(self.audio.channels)
    }

    /// Frames that all packets so far decode to.
    fn granule(&self) -> u64 {
        self.packets * u64::from(PACKET_FRAMES)
    }

    /// Encodes the first packet of what is held back, and ends the page before it or after it where that is due.
    fn write_packet(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let mut packet = [0; PACKET_BYTES];
        let samples = self.packet_samples();
        let length = self
            .codec
            .encode_float(self.pending.get(..samples).unwrap_or_default(), &mut packet)
            .map_err(|error| Error::new(ErrorKind::Unknown, "cannot encode Opus").with_source(error))?;
        self.pending.drain(..samples.min(self.pending.len()));
        if !self.page.has_room(length) {
            self.write_page(0, self.granule(), out);
        }
        self.page.push(packet.get(..length).unwrap_or_default());
        self.packets += 1;
        Ok(())
    }

    fn write_page(&mut self, flags: u8, granule: u64, out: &mut Vec<u8>) {
        let head = PageHead { flags, granule, serial: self.serial, sequence: self.pages };
        let page = self.page.take_page(head);
        if flags != FIRST {
            self.written.push_back(Written::new(self.bytes, head, &page));
        }
        if self.written.len() > PAGES_MAX {
            self.written.pop_front();
        }
        self.pages = self.pages.wrapping_add(1);
        self.bytes += page.len() as u64;
        out.extend(page);
    }

    /// The pages with the tags, from the second one on, always of the same length.
    fn comment_pages(&self, flags: u8) -> Vec<(PageHead, Vec<u8>)> {
        let head = PageHead { flags, granule: 0, serial: self.serial, sequence: 1 };
        pages_of(&head::comments_packet(&self.metadata, self.delivery, self.reserve), head)
    }

    fn page_packets(&self) -> usize {
        match self.delivery {
            Delivery::File => FILE_PACKETS,
            Delivery::Stream => STREAM_PACKETS,
        }
    }
}

/// Checks that Opus is recorded in that format.
///
/// # Errors
/// [`ErrorKind::NotSupported`] for more than two channels or none, and for another rate than [`SAMPLE_RATE`].
pub(super) fn check(audio: AudioFormat) -> Result<()> {
    let refuse = |context: String| Err(Error::new(ErrorKind::NotSupported, context));
    if !(1..=2).contains(&audio.channels) {
        return refuse(format!("opus files are mono or stereo, not of {} channels", audio.channels));
    }
    if audio.sample_rate != SAMPLE_RATE {
        return refuse(format!("opus files have {SAMPLE_RATE} Hz, not {} Hz", audio.sample_rate));
    }
    Ok(())
}

/// The bit rate: the requested one, or one that keeps a voice clear (40 kbit/s mono, 64 stereo; RFC 6716, section
/// 2.1.1, calls 28 to 40 the best range for mono speech).
pub(super) fn bits_per_second(audio: AudioFormat, asked: Option<u32>) -> u32 {
    let usual = if audio.channels == 1 { 40_000 } else { 64_000 };
    asked.unwrap_or(usual).clamp(*BITS_PER_SECOND.start(), *BITS_PER_SECOND.end())
}

impl Encoder for OpusEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.page.push(&head::identification(self.audio, self.pre_skip));
        self.write_page(FIRST, 0, out);
        let pages = self.comment_pages(0);
        let last = pages.len();
        for (number, (head, page)) in (1..).zip(pages) {
            // With only a part of the tags a file is invalid.
            if number == last {
                self.written.push_back(Written::new(self.bytes, head, &page));
            }
            self.pages = self.pages.wrapping_add(1);
            self.bytes += page.len() as u64;
            out.extend(page);
        }
        self.header_bytes = self.bytes;
        self.header_pages = self.pages;
        Ok(())
    }

    fn encode(&mut self, samples: &[f32], out: &mut Vec<u8>) -> Result<()> {
        self.check_running()?;
        let channels = usize::from(self.audio.channels);
        if !samples.len().is_multiple_of(channels) {
            let context = format!("{} samples are not whole frames of {channels} channels", samples.len());
            return Err(Error::new(ErrorKind::InvalidData, context));
        }
        // The codec does not support infinity or NaN.
        let sane = |sample: &f32| if sample.is_nan() { 0.0 } else { sample.clamp(-1.0, 1.0) };
        self.pending.extend(samples.iter().map(sane));
        self.frames += (samples.len() / channels) as u64;
        while self.pending.len() >= self.packet_samples() {
            self.write_packet(out)?;
            if self.page.count() >= self.page_packets() {
                self.write_page(0, self.granule(), out);
            }
        }
        Ok(())
    }

    /// Less than a packet is held back: it could only be filled with samples that were never recorded.
    fn flush(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.page.count() > 0 {
            self.write_page(0, self.granule(), out);
        }
        Ok(())
    }

    /// The last granule counts the samples to be played, so that the filling of the last packet is left out (RFC 7845,
    /// 4.4).
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.check_running()?;
        self.finished = true;
        let end = self.frames.saturating_add(self.pre_skip.into());
        // At least one packet, because the codec delays the sound by the pre-skip.
        while self.granule() < end {
            self.pending.resize(self.packet_samples(), 0.0);
            self.write_packet(out)?;
        }
        self.write_page(LAST, end, out);
        Ok(())
    }

    fn seal(&self, written_bytes: u64) -> Seal {
        let Some(last) = self.written.iter().rev().find(|page| page.end() <= written_bytes) else {
            // Without both headers there is nothing; if the cut is before the stored pages, at most one page is torn.
            let length = if written_bytes < self.header_bytes { 0 } else { written_bytes };
            return Seal { length, patches: Vec::new() };
        };
        let mut seal = Seal { length: last.end(), patches: Vec::new() };
        if self.delivery == Delivery::Stream {
            return seal;
        }
        let holds_sound = last.head.sequence >= self.header_pages;
        let comments = self.comment_pages(if holds_sound { 0 } else { LAST });
        let at = head::identification_page_bytes();
        seal.patches.push(Patch { at, bytes: comments.into_iter().flat_map(|(_, page)| page).collect() });
        if holds_sound && last.head.flags & LAST == 0 {
            let (at, bytes) = last.as_last();
            seal.patches.push(Patch { at, bytes });
        }
        seal
    }

    fn frames_in(&self, written_bytes: u64) -> Option<u64> {
        let last = self.written.iter().rev().find(|page| page.end() <= written_bytes)?;
        Some(last.head.granule.saturating_sub(self.pre_skip.into()))
    }

    /// Every page is valid by itself, and the mark of the last page may only be on the last one.
    fn checkpoint(&self, _written_bytes: u64) -> Vec<Patch> {
        Vec::new()
    }

    fn unseal(&mut self) -> Vec<Patch> {
        Vec::new()
    }

    fn set_metadata(&mut self, metadata: Metadata) {
        self.metadata = metadata;
    }
}

impl std::fmt::Debug for OpusEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpusEncoder").field("audio", &self.audio).field("frames", &self.frames).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "encode/tests.rs"]
mod tests;
