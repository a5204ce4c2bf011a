//! A file of another program to frames: opens it with the library, counts its frames, reads and seeks. Run by any
//! thread but a realtime one.
//!
//! Integers stay integers, so that lossless sound passes bit for bit. What encoders of lossy sound put before the
//! recording is left out; what they put after it is left out where the file states that, as in ffmpeg.

mod measure;
mod reading;

use std::io::{Seek as _, SeekFrom};

use symphonia::core::{
    codecs::audio::{AudioDecoder, well_known as codecs},
    errors::Error as Failure,
    formats::{FormatReader, Track},
    packet::Packet,
};

use super::{
    Kind,
    holes::{self, Hole, OggStream},
    mp4,
    probe::{Block, aifc_coding, block_of, container, decoder, is_lossy, name_of, probe, sound_track},
    source, tags, undecodable,
};
use crate::{
    audio::{AudioFormat, Metadata, SampleFormat, time::seconds},
    error::{Error, ErrorKind, Result},
    format::{Damage, row::Bytes},
};

/// Frames before a position that a lossy codec has to read first, so that what follows is the same as without a seek.
const PRE_ROLL: u64 = 16_384;

/// Packets in a row that cannot be read, after which a file counts as ended.
const FAILURES_MAX: u32 = 4096;

/// Frames that a byte holds at most: MPEG at 8 kbit/s has 48, silence in ALAC some hundreds.
const FRAMES_PER_BYTE_MAX: u64 = 1024;

/// Frames of silence at once.
const SILENCE_FRAMES: u64 = 1 << 16;

/// Frames of a packet at most; a number in a file may be anything.
const PACKET_FRAMES_MAX: u64 = 1 << 20;

/// The decoder of files of other programs.
pub(super) struct ForeignDecoder {
    /// `None` only while the file is opened anew.
    reader: Option<Box<dyn FormatReader>>,
    codec: Box<dyn AudioDecoder>,
    track: Track,
    /// Of the file, in bytes.
    len: u64,
    name: String,
    container: &'static str,
    format: AudioFormat,
    /// How samples are handed on bit for bit, if they are integers.
    stored: Option<SampleFormat>,
    is_lossy: bool,
    /// It has several streams one after another, each of which counts from its own start.
    is_chained: bool,
    /// Frames before the sound that the library does not leave out.
    priming: u64,
    frames: u64,
    /// The next frame to be read.
    at: u64,
    /// The frame, priming included, at which the next packet begins, if its own time does not determine that.
    next: Option<u64>,
    block: Block,
    /// Samples of the block that were read or left out.
    taken: usize,
    ended: bool,
    /// For an Ogg file, what is missing in the stream that is read; measured, with the frames of each hole.
    pages: OggStream,
    holes: Vec<(Hole, u64)>,
    /// How many of those were passed.
    passed: usize,
    /// Frames of silence that are due before the packet that waits.
    silent: u64,
    waiting: Option<Packet>,
    /// Damage that no frame shows.
    remark: Option<&'static str>,
    metadata: Metadata,
    damage: Damage,
}

impl ForeignDecoder {
    pub(super) fn new(mut input: Bytes, kind: &Kind, name: &str) -> Result<Self> {
        let failed = |error| Error::from_io(error, format!("cannot read {name}"));
        let sound = match kind.name {
            "m4a" => mp4::sound(&mut input).map_err(failed)?.ok_or_else(|| {
                let context = format!("{name} is damaged: its index, which is written last, is missing");
                Error::new(ErrorKind::InvalidData, context)
            })?,
            _ => mp4::Sound::default(),
        };
        if sound.is_protected() {
            let context = format!("{name} is protected against copying (DRM): only what it was sold for plays it");
            return Err(Error::new(ErrorKind::Undecodable, context));
        }
        let coding = match kind.name {
            "aiff" => aifc_coding(&mut input).map_err(failed)?,
            _ => sound.coding.map(|coding| String::from_utf8_lossy(&coding).trim().to_owned()),
        };
        let named = |error: Error| match &coding {
            // The library skips sound that it does not support, or does not report what it is.
            Some(coding) if matches!(error.kind(), ErrorKind::Undecodable | ErrorKind::InvalidData) => {
                undecodable(name, name_of(coding))
            }
            _ => error,
        };
        let mut streams = std::collections::HashMap::new();
        if kind.name == "ogg" {
            let (found, pages) = holes::find(input).map_err(failed)?;
            (streams, input) = (found, Box::new(pages));
        }
        let len = input.seek(SeekFrom::End(0)).map_err(failed)?;
        let mut reader = probe(source::stream(input).map_err(failed)?, name).map_err(named)?;
        let metadata = tags::read(reader.as_mut());
        let (track, params) = sound_track(reader.as_ref(), name).map_err(named)?;
        let codec = decoder(&params, name).map_err(named)?;
        let is_lossy = is_lossy(&params);
        let mut decoder = Self {
            container: container(kind, &params),
            format: AudioFormat::new(0, 0, SampleFormat::S16),
            stored: None,
            is_lossy,
            is_chained: false,
            priming: if params.codec == codecs::CODEC_ID_AAC { sound.priming } else { 0 },
            frames: 0,
            at: 0,
            next: Some(0),
            block: Block::Float(Vec::new()),
            taken: 0,
            ended: false,
            pages: streams.remove(&track.id).unwrap_or_default(),
            holes: Vec::new(),
            passed: 0,
            silent: 0,
            waiting: None,
            remark: None,
            damage: Damage::default(),
            reader: Some(reader),
            codec,
            track,
            len,
            name: name.to_owned(),
            metadata,
        };
        decoder.measure(kind, &params)?;
        Ok(decoder)
    }

    /// Makes the first packet the next one.
    fn rewind(&mut self) -> Result<()> {
        // Opened anew rather than by seeking: not every container can seek to its very start.
        let Some(reader) = self.reader.take() else { return Err(self.gone()) };
        let mut stream = reader.into_inner();
        let failed = |error| Error::from_io(error, format!("cannot read {}", self.name));
        stream.seek(SeekFrom::Start(0)).map_err(failed)?;
        self.reader = Some(probe(stream, &self.name)?);
        self.take_track()?;
        self.codec.reset();
        self.next = Some(0);
        self.ended = false;
        (self.passed, self.silent, self.waiting) = (0, 0, None);
        Ok(())
    }

    /// Continues with the current content of the file: a chained one begins anew with every part.
    fn take_track(&mut self) -> Result<()> {
        let Some(reader) = self.reader.as_deref() else { return Err(self.gone()) };
        let (track, params) = sound_track(reader, &self.name)?;
        if track.id != self.track.id {
            self.codec = decoder(&params, &self.name)?;
        }
        self.track = track;
        Ok(())
    }

    fn gone(&self) -> Error {
        Error::new(ErrorKind::Unknown, format!("cannot read {}", self.name))
    }

    /// The next packet of the sound; `None` at the end.
    fn packet(&mut self) -> Result<Option<Packet>> {
        for _ in 0..FAILURES_MAX {
            let Some(reader) = self.reader.as_deref_mut() else { return Err(self.gone()) };
            match reader.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track.id => return Ok(Some(packet)),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                Err(Failure::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(Failure::IoError(error)) => {
                    return Err(Error::from_io(error, format!("cannot read {}", self.name)));
                }
                Err(Failure::ResetRequired) => {
                    let (track, params) = sound_track(reader, &self.name)?;
                    self.codec = decoder(&params, &self.name)?;
                    self.track = track;
                    self.is_chained = true;
                }
                Err(_) => {}
            }
        }
        Ok(None)
    }

    /// Decodes on until there is something to read; false at the end.
    fn advance(&mut self) -> Result<bool> {
        while self.taken >= self.block.len() && !self.ended {
            if self.silent > 0 {
                let frames = self.silent.min(SILENCE_FRAMES);
                self.silent -= frames;
                let begins = self.next.unwrap_or_default();
                self.fill(begins, frames);
                self.pass(begins, frames);
                continue;
            }
            let packet = match self.waiting.take() {
                Some(packet) => Some(packet),
                None => self.packet()?,
            };
            let Some(packet) = packet else {
                self.ended = true;
                break;
            };
            if let Some((hole, frames)) = self.holes.get(self.passed)
                && begins_of(&packet) >= hole.before
            {
                self.silent = *frames;
                self.waiting = Some(packet);
                self.passed += 1;
                continue;
            }
            let begins = self.next.unwrap_or_else(|| begins_of(&packet));
            let frames = self.decode(&packet, begins)?;
            self.pass(begins, frames);
        }
        Ok(!self.ended)
    }

    /// Makes the packet, which begins there, the block; returns its frames.
    fn decode(&mut self, packet: &Packet, begins: u64) -> Result<u64> {
        let channels = usize::from(self.format.channels);
        let bits = self.track_bits();
        let Ok(decoded) = self.codec.decode(packet) else {
            // What cannot be decoded is silence of its length.
            let frames = packet.dur.get().min(PACKET_FRAMES_MAX);
            self.fill(begins, frames);
            return Ok(frames);
        };
        let spec = decoded.spec();
        let (rate, count) = (spec.rate(), spec.channels().count());
        if decoded.frames() > 0 && (rate != self.format.sample_rate || count != channels) {
            return Err(self.changes(rate, count));
        }
        self.block = block_of(&decoded, bits).0;
        Ok((self.block.len() / channels.max(1)) as u64)
    }

    /// Makes silence the block, in place of what cannot be read.
    fn fill(&mut self, begins: u64, frames: u64) {
        self.damage.note_gap(begins.saturating_sub(self.priming), frames);
        self.silence(usize::try_from(frames).unwrap_or(0) * usize::from(self.format.channels));
    }

    /// The block begins there and is that long: leaves out what is before the next frame to be read.
    fn pass(&mut self, begins: u64, frames: u64) {
        let end = begins.saturating_add(frames);
        // After a seek a first packet without frames does not determine where the next one begins.
        self.next = (frames > 0 || self.next.is_some()).then_some(end);
        let wanted = self.at.saturating_add(self.priming);
        let before = wanted.saturating_sub(begins).min(frames);
        self.taken = usize::try_from(before).unwrap_or(usize::MAX).saturating_mul(usize::from(self.format.channels));
    }

    /// Whether the library finds a position without reading what is before it; for blocks of ADPCM it finds the wrong
    /// one.
    fn seeks(&self) -> bool {
        use codecs::{CODEC_ID_ADPCM_IMA_QT, CODEC_ID_ADPCM_IMA_WAV, CODEC_ID_ADPCM_MS};
        let codec = self.codec.codec_params().codec;
        !self.is_chained
            && self.holes.is_empty()
            && ![CODEC_ID_ADPCM_IMA_QT, CODEC_ID_ADPCM_IMA_WAV, CODEC_ID_ADPCM_MS].contains(&codec)
    }

    fn silence(&mut self, samples: usize) {
        match &mut self.block {
            Block::Whole(block) => {
                block.clear();
                block.resize(samples, 0);
            }
            Block::Float(block) => {
                block.clear();
                block.resize(samples, 0.0);
            }
        }
    }

    fn changes(&self, rate: u32, channels: usize) -> Error {
        let at = seconds(self.at, self.format.sample_rate);
        let context = format!(
            "{} changes at {at:.3} s from {} Hz and {} channels to {rate} Hz and {channels} channels, which is not read",
            self.name, self.format.sample_rate, self.format.channels
        );
        Error::undecodable(&self.name, context)
    }

    /// Passes up to `max_frames` frames on as the samples of blocks.
    fn deliver(&mut self, max_frames: usize, mut take: impl FnMut(&Block, usize, usize)) -> Result<usize> {
        let channels = usize::from(self.format.channels.max(1));
        let mut total = 0;
        while total < max_frames && self.at < self.frames {
            if !self.advance()? {
                // It is shorter than it stated.
                self.damage.note_end(self.frames - self.at);
                break;
            }
            let left = usize::try_from(self.frames - self.at).unwrap_or(usize::MAX);
            let frames = (max_frames - total).min(left).min((self.block.len() - self.taken) / channels);
            if frames == 0 {
                self.taken = self.block.len();
                continue;
            }
            take(&self.block, self.taken, self.taken + frames * channels);
            self.taken += frames * channels;
            self.at += frames as u64;
            total += frames;
        }
        Ok(total)
    }
}

/// The time that the library gives for a packet.
fn begins_of(packet: &Packet) -> u64 {
    u64::try_from(packet.pts.get()).unwrap_or(0)
}
