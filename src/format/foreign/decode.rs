//! A file of others to frames: opens it with the library, counts its frames, reads and seeks. Run by any thread but a
//! realtime one.
//!
//! Integers stay integers, so that lossless sound passes bit for bit. What encoders of lossy sound put in front is left
//! out; what they put behind is left out where the file says so, as ffmpeg does.

use std::io::{Read as _, Seek as _, SeekFrom};

use symphonia::core::{
    audio::GenericAudioBufferRef,
    codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known as codecs},
    errors::Error as Failure,
    formats::{FormatOptions, FormatReader, SeekMode, SeekTo, Track, TrackType, probe::Hint},
    io::MediaSourceStream,
    meta::MetadataOptions,
    packet::Packet,
    units::Timestamp,
};

use super::{Kind, mp4, source, tags, undecodable};
use crate::{
    audio::{AudioFormat, Metadata, SampleFormat, time::seconds},
    error::{Error, ErrorKind, Result},
    format::{Damage, Decoder, row::Bytes},
};

/// Frames in front of a place that a lossy codec has to read first, so that what follows is what it is without a seek.
const PRE_ROLL: u64 = 16_384;

/// Packets in a row that cannot be read, after which a file counts as ended.
const FAILURES_MAX: u32 = 4096;

/// Frames that a byte holds at most: MPEG at 8 kbit/s has 48, silence in ALAC some hundreds.
const FRAMES_PER_BYTE_MAX: u64 = 1024;

/// Bytes in which the head of an AIFF-C file is.
const AIFC_START_BYTES: u64 = 4096;

/// Frames of a packet at most; a number in a file may be anything.
const PACKET_FRAMES_MAX: u64 = 1 << 20;

/// What was decoded last, interleaved: integers in the upper bits, floats at full scale ±1.0.
enum Block {
    Whole(Vec<i32>),
    Float(Vec<f32>),
}

impl Block {
    fn len(&self) -> usize {
        match self {
            Self::Whole(samples) => samples.len(),
            Self::Float(samples) => samples.len(),
        }
    }
}

/// The decoder of files of others.
pub(super) struct ForeignDecoder {
    /// Nothing only while the file is opened anew.
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
    /// It has several streams behind each other, each of which counts from its own start.
    is_chained: bool,
    /// Frames in front of the sound that the library does not leave out.
    priming: u64,
    frames: u64,
    /// The next frame that is read.
    at: u64,
    /// The frame, priming included, at which the next packet begins, if it is not its own time that tells.
    next: Option<u64>,
    block: Block,
    /// Samples of the block that were read or left out.
    taken: usize,
    ended: bool,
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
            // The library passes over sound that it does not know, or does not say what it is.
            Some(coding) if matches!(error.kind(), ErrorKind::Undecodable | ErrorKind::InvalidData) => {
                undecodable(name, name_of(coding))
            }
            _ => error,
        };
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

    /// Finds out what the first packet decodes to, and how long it all is.
    fn measure(&mut self, kind: &Kind, params: &AudioCodecParameters) -> Result<()> {
        let damaged = |name: &str| Error::new(ErrorKind::InvalidData, format!("{name} is damaged: it has no sound"));
        let claimed = self.track.num_frames;
        // A file without an index says only at its end how long it is; a chained one says it of its first part.
        let must_count = match (kind.name, params.codec) {
            ("ogg" | "aac", _) => true,
            ("mp3", _) => self.track.delay.is_none(),
            (_, codecs::CODEC_ID_ALAC) => kind.name == "caf",
            _ => claimed.is_none(),
        };
        let first = self.first_block()?.ok_or_else(|| damaged(&self.name))?;
        self.format = first;
        self.stored = match (&self.block, self.is_lossy) {
            (Block::Whole(_), _) => Some(first.sample_format),
            (Block::Float(_), true) => None,
            (Block::Float(_), false) => Some(SampleFormat::F32),
        };
        self.frames = if must_count {
            self.count()?
        } else {
            // No codec has more in a byte, and a number in a file may be anything.
            let claimed = claimed.unwrap_or_default().min(self.len.saturating_mul(FRAMES_PER_BYTE_MAX));
            // Whole packets, as ffmpeg reads them: what fills the last one cannot be told from sound.
            let whole = if params.codec == codecs::CODEC_ID_AAC { claimed.next_multiple_of(1024) } else { claimed };
            whole.saturating_sub(self.priming)
        };
        self.seek(0)
    }

    /// Decodes up to the first packet that holds anything.
    fn first_block(&mut self) -> Result<Option<AudioFormat>> {
        while let Some(packet) = self.packet()? {
            let bits = self.track_bits();
            let Ok(decoded) = self.codec.decode(&packet) else { continue };
            let spec = decoded.spec();
            let Ok(channels) = u16::try_from(spec.channels().count()) else { break };
            if channels == 0 || spec.rate() == 0 || decoded.frames() == 0 {
                continue;
            }
            let rate = spec.rate();
            let (block, depth) = block_of(&decoded, bits);
            let depth = if self.is_lossy { SampleFormat::S16 } else { depth };
            self.block = block;
            return Ok(Some(AudioFormat::new(rate, channels, depth)));
        }
        Ok(None)
    }

    fn track_bits(&self) -> Option<u32> {
        let params = self.track.codec_params.as_ref()?.audio()?;
        params.bits_per_sample.filter(|&bits| bits > 0)
    }

    /// Frames of all packets, of which only the last is decoded, because it may hold fewer than it claims.
    fn count(&mut self) -> Result<u64> {
        self.rewind()?;
        let (mut total, mut last) = (0_u64, None::<Packet>);
        while let Some(packet) = self.packet()? {
            if let Some(packet) = last.replace(packet) {
                total = total.saturating_add(packet.dur.get().min(PACKET_FRAMES_MAX));
            }
        }
        let Some(packet) = last else { return Ok(total) };
        let whole = packet.dur.get().min(PACKET_FRAMES_MAX);
        if self.is_lossy {
            return Ok(total.saturating_add(whole));
        }
        Ok(total.saturating_add(self.codec.decode(&packet).map_or(whole, |decoded| decoded.frames() as u64)))
    }

    /// Makes the first packet the next one.
    fn rewind(&mut self) -> Result<()> {
        // Opened anew rather than sought in: not every container can go back to its very start.
        let Some(reader) = self.reader.take() else { return Err(self.gone()) };
        let mut stream = reader.into_inner();
        let failed = |error| Error::from_io(error, format!("cannot read {}", self.name));
        stream.seek(SeekFrom::Start(0)).map_err(failed)?;
        self.reader = Some(probe(stream, &self.name)?);
        self.take_track()?;
        self.codec.reset();
        self.next = Some(0);
        self.ended = false;
        Ok(())
    }

    /// Goes on with what the file holds now: a chained one begins anew with every part.
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
            let Some(packet) = self.packet()? else {
                self.ended = true;
                break;
            };
            let begins = self.next.unwrap_or_else(|| u64::try_from(packet.pts.get()).unwrap_or(0));
            let channels = usize::from(self.format.channels);
            let bits = self.track_bits();
            let frames = match self.codec.decode(&packet) {
                Ok(decoded) => {
                    let spec = decoded.spec();
                    let (rate, count) = (spec.rate(), spec.channels().count());
                    if decoded.frames() > 0 && (rate != self.format.sample_rate || count != channels) {
                        return Err(self.changes(rate, count));
                    }
                    self.block = block_of(&decoded, bits).0;
                    self.block.len() / channels.max(1)
                }
                // What cannot be decoded is silence of its length.
                Err(_) => {
                    let frames = usize::try_from(packet.dur.get().min(PACKET_FRAMES_MAX)).unwrap_or(0);
                    self.damage.note_gap(begins.saturating_sub(self.priming), frames as u64);
                    self.silence(frames * channels);
                    frames
                }
            };
            let end = begins.saturating_add(frames as u64);
            // Behind a seek a first packet of nothing does not tell where the next one begins.
            self.next = (frames > 0 || self.next.is_some()).then_some(end);
            let wanted = self.at.saturating_add(self.priming);
            let before = usize::try_from(wanted.saturating_sub(begins)).unwrap_or(usize::MAX).min(frames);
            self.taken = before * channels;
        }
        Ok(!self.ended)
    }

    /// Whether the library finds a place without reading what is in front; of blocks of ADPCM it takes the wrong one.
    fn seeks(&self) -> bool {
        use codecs::{CODEC_ID_ADPCM_IMA_QT, CODEC_ID_ADPCM_IMA_WAV, CODEC_ID_ADPCM_MS};
        let codec = self.codec.codec_params().codec;
        !self.is_chained && ![CODEC_ID_ADPCM_IMA_QT, CODEC_ID_ADPCM_IMA_WAV, CODEC_ID_ADPCM_MS].contains(&codec)
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

    /// Hands up to `max_frames` frames on as the samples of blocks.
    fn deliver(&mut self, max_frames: usize, mut take: impl FnMut(&Block, usize, usize)) -> Result<usize> {
        let channels = usize::from(self.format.channels.max(1));
        let mut total = 0;
        while total < max_frames && self.at < self.frames {
            if !self.advance()? {
                // It is shorter than it said.
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

impl Decoder for ForeignDecoder {
    fn container(&self) -> &'static str {
        self.container
    }

    fn format(&self) -> AudioFormat {
        self.format
    }

    fn frames(&self) -> Option<u64> {
        Some(self.frames)
    }

    fn read(&mut self, out: &mut Vec<f32>, max_frames: usize) -> Result<usize> {
        self.deliver(max_frames, |block, from, to| match block {
            Block::Whole(samples) => {
                let samples = samples.get(from..to).unwrap_or_default();
                out.extend(samples.iter().map(|&sample| sample as f32 / 2_147_483_648.0));
            }
            Block::Float(samples) => {
                let samples = samples.get(from..to).unwrap_or_default();
                out.extend(samples.iter().map(|&sample| if sample.is_finite() { sample } else { 0.0 }));
            }
        })
    }

    fn stored(&self) -> Option<SampleFormat> {
        self.stored
    }

    fn read_stored(&mut self, out: &mut Vec<u8>, max_frames: usize) -> Result<usize> {
        let Some(stored) = self.stored else {
            return Err(Error::new(ErrorKind::NotSupported, format!("{} has no plain samples", self.container)));
        };
        let bytes = usize::from(stored.bytes());
        self.deliver(max_frames, |block, from, to| match block {
            Block::Whole(samples) => {
                for sample in samples.get(from..to).unwrap_or_default() {
                    // The upper bytes of the sample.
                    out.extend_from_slice(sample.to_le_bytes().get(4 - bytes..).unwrap_or_default());
                }
            }
            Block::Float(samples) => {
                for sample in samples.get(from..to).unwrap_or_default() {
                    out.extend_from_slice(&sample.to_le_bytes());
                }
            }
        })
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        let frame = frame.min(self.frames);
        let pre_roll = if self.is_lossy { PRE_ROLL } else { 0 };
        let wanted = frame.saturating_add(self.priming).saturating_sub(pre_roll);
        self.damage = Damage::default();
        (self.at, self.taken, self.ended) = (frame, 0, false);
        self.silence(0);
        if wanted == 0 || !self.seeks() {
            return self.rewind();
        }
        let to = SeekTo::Timestamp {
            ts: Timestamp::from(i64::try_from(wanted).unwrap_or(i64::MAX)),
            track_id: self.track.id,
        };
        let Some(reader) = self.reader.as_deref_mut() else { return Err(self.gone()) };
        let sought = reader.seek(SeekMode::Accurate, to);
        self.codec.reset();
        self.next = None;
        match sought {
            Ok(_) => self.take_track(),
            // Behind the end of what is really there, or of the first part of a chained file: from the start on.
            Err(_) => self.rewind(),
        }
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn damage(&self) -> Damage {
        self.damage.clone()
    }
}

fn probe(stream: MediaSourceStream<'static>, name: &str) -> Result<Box<dyn FormatReader>> {
    let probe = symphonia::default::get_probe();
    probe.probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default()).map_err(|error| match error
    {
        // Nothing in it is what its start looked like.
        Failure::Unsupported(what) if what.contains("no suitable format") => {
            Error::new(ErrorKind::InvalidData, format!("{name} is not a sound file that can be read"))
        }
        error => failure(error, name),
    })
}

fn failure(error: Failure, name: &str) -> Error {
    match error {
        Failure::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::new(ErrorKind::InvalidData, format!("{name} is damaged: it ends within its header"))
        }
        Failure::IoError(error) => Error::from_io(error, format!("cannot read {name}")),
        Failure::Unsupported(what) => {
            Error::undecodable(name, format!("{name} is of a kind that is not read ({what})"))
        }
        error => Error::new(ErrorKind::InvalidData, format!("{name} is damaged")).with_source(error),
    }
}

/// The first track of sound, and what it says of itself.
fn sound_track(reader: &dyn FormatReader, name: &str) -> Result<(Track, AudioCodecParameters)> {
    let track = reader.default_track(TrackType::Audio).or_else(|| reader.first_track(TrackType::Audio));
    let params = track.and_then(|track| Some((track.clone(), track.codec_params.as_ref()?.audio()?.clone())));
    params.ok_or_else(|| Error::new(ErrorKind::InvalidData, format!("{name} has no sound")))
}

fn decoder(params: &AudioCodecParameters, name: &str) -> Result<Box<dyn AudioDecoder>> {
    let made = symphonia::default::get_codecs().make_audio_decoder(params, &AudioDecoderOptions::default());
    made.map_err(|_| undecodable(name, codec_name(params)))
}

/// What AIFF-C says its samples are coded as; `None` for plain AIFF and what is read here anyway.
fn aifc_coding(input: &mut Bytes) -> std::io::Result<Option<String>> {
    let mut start = Vec::new();
    input.seek(SeekFrom::Start(0))?;
    input.by_ref().take(AIFC_START_BYTES).read_to_end(&mut start)?;
    let common = start.windows(4).position(|id| id == b"COMM");
    let coding = common.and_then(|at| start.get(at + 26..at + 30)).filter(|_| start.get(8..12) == Some(b"AIFC"));
    Ok(coding.map(|coding| String::from_utf8_lossy(coding).trim().to_owned()))
}

/// What people call that coding of MP4 and AIFF-C files.
fn name_of(coding: &str) -> &str {
    match coding {
        "samr" => "AMR",
        "sawb" => "AMR-WB",
        "ac-3" => "AC-3",
        "ec-3" => "E-AC-3",
        "mp4a" => "HE-AAC or damaged AAC",
        "ima4" => "IMA ADPCM",
        "QDM2" | "QDMC" => "QDesign",
        "Qclp" => "QCELP",
        other => other,
    }
}

fn is_lossy(params: &AudioCodecParameters) -> bool {
    use codecs::{CODEC_ID_AAC, CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3, CODEC_ID_VORBIS};
    [CODEC_ID_AAC, CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3, CODEC_ID_VORBIS].contains(&params.codec)
}

/// What listings call the file: the codec where that is what people call it.
fn container(kind: &Kind, params: &AudioCodecParameters) -> &'static str {
    match (kind.name, params.codec) {
        ("ogg", codecs::CODEC_ID_VORBIS) => "vorbis",
        ("ogg", codecs::CODEC_ID_FLAC) => "ogg-flac",
        ("m4a", codecs::CODEC_ID_ALAC) => "alac",
        ("mp3", codecs::CODEC_ID_MP2) => "mp2",
        ("mp3", codecs::CODEC_ID_MP1) => "mp1",
        (name, _) => name,
    }
}

fn codec_name(params: &AudioCodecParameters) -> &'static str {
    match params.codec {
        codecs::CODEC_ID_OPUS => "Opus",
        codecs::CODEC_ID_SPEEX => "Speex",
        codecs::CODEC_ID_AC3 => "AC-3",
        codecs::CODEC_ID_EAC3 => "E-AC-3",
        codecs::CODEC_ID_WMA => "WMA",
        codecs::CODEC_ID_AAC => "HE-AAC",
        codecs::CODEC_ID_DCA => "DTS",
        codecs::CODEC_ID_ADPCM_G722 => "G.722",
        codecs::CODEC_ID_ADPCM_G726 | codecs::CODEC_ID_ADPCM_G726LE => "G.726",
        codecs::CODEC_ID_ADPCM_IMA_QT => "IMA ADPCM of QuickTime",
        _ => "unknown",
    }
}

/// What was decoded, and the shallowest depth of ours that holds samples of so many bits.
fn block_of(decoded: &GenericAudioBufferRef<'_>, bits: Option<u32>) -> (Block, SampleFormat) {
    let deep = |bits| match bits {
        ..=16 => SampleFormat::S16,
        17..=24 => SampleFormat::S24,
        _ => SampleFormat::S32,
    };
    let depth = match decoded {
        GenericAudioBufferRef::F32(_) | GenericAudioBufferRef::F64(_) => {
            let mut samples = Vec::new();
            decoded.copy_to_vec_interleaved(&mut samples);
            return (Block::Float(samples), SampleFormat::F32);
        }
        GenericAudioBufferRef::U8(_) | GenericAudioBufferRef::S8(_) => SampleFormat::S16,
        GenericAudioBufferRef::U16(_) | GenericAudioBufferRef::S16(_) => SampleFormat::S16,
        GenericAudioBufferRef::U24(_) | GenericAudioBufferRef::S24(_) => SampleFormat::S24,
        GenericAudioBufferRef::U32(_) | GenericAudioBufferRef::S32(_) => deep(bits.unwrap_or(32)),
    };
    let mut samples = Vec::new();
    decoded.copy_to_vec_interleaved::<i32>(&mut samples);
    (Block::Whole(samples), depth)
}
