//! A new clip from stretches of others: their sound is read, brought to one rate and number of channels, encoded and
//! handed on, a block at a time, so that the length does not matter for the memory.
//!
//! The choice of the stretches (`convert`, `splice`) and the name of the file are not handled here. Run by any thread
//! but a realtime one.

use std::{
    io::{self, Write},
    ops::{ControlFlow, Range},
    path::Path,
};

use super::{
    advance::{Advance, Watch},
    loudness::{self, Loudness, LoudnessChange, LoudnessMeter},
    waveform::BLOCK_FRAMES,
};
use crate::{
    audio::{AudioFormat, Chain, ChannelMap, ChannelMixer, Limiter, Metadata, SampleFormat, time::seconds},
    error::{Error, ErrorKind, Result},
    format::{Decoder, Delivery, Encoder, EncoderSettings, Format},
    storage::Spool,
};

/// Where the bytes of a new clip go.
pub(super) enum Destination<'a> {
    /// Into a file that grows, and is whole after [`Assembly::finish`].
    Spool(&'a mut dyn Spool),
    /// To a writer, as they are produced.
    Stream(&'a mut dyn Write),
}

impl Destination<'_> {
    pub(super) fn delivery(&self) -> Delivery {
        match self {
            Self::Spool(_) => Delivery::File,
            Self::Stream(_) => Delivery::Stream,
        }
    }
}

/// What a new clip is to be.
pub(super) struct NewClip {
    pub(super) format: &'static Format,
    pub(super) audio: AudioFormat,
    pub(super) bits_per_second: Option<u32>,
    /// Which channels are kept of each clip, or all.
    pub(super) map: Option<ChannelMap>,
    pub(super) metadata: Metadata,
    /// How much louder it is made, and under which ceiling.
    pub(super) level: Option<LoudnessChange>,
    /// The name of it in errors.
    pub(super) name: String,
}

/// A clip that is being assembled.
pub(super) struct Assembly<'a> {
    audio: AudioFormat,
    map: Option<ChannelMap>,
    name: String,
    encoder: Box<dyn Encoder>,
    destination: Destination<'a>,
    advance: Advance,
    level: Option<Leveling>,
    /// Of a block: as it is stored, as it was read, as it will be, and encoded.
    stored: Vec<u8>,
    read: Vec<f32>,
    samples: Vec<f32>,
    bytes: Vec<u8>,
    written: Written,
}

/// What changes the loudness, and what measures it.
struct Leveling {
    gain_db: f64,
    limiter: Option<Limiter>,
    meter: LoudnessMeter,
    /// The output of the chain.
    raw: Vec<f32>,
}

impl Leveling {
    fn new(level: LoudnessChange, audio: AudioFormat) -> Result<Self> {
        let limiter = level.ceiling.map(|ceiling| Limiter::new(audio.sample_rate, audio.channels, ceiling));
        Ok(Self { gain_db: level.gain_db, limiter, meter: LoudnessMeter::new(audio)?, raw: Vec::new() })
    }

    /// Takes `samples` and replaces them with those that are to be encoded.
    fn pass(&mut self, samples: &mut Vec<f32>) {
        self.raw.append(samples);
        loudness::pass(self.limiter.as_mut(), &mut self.raw, samples);
        self.meter.push(samples);
    }

    /// What the limiter still holds.
    fn finish(&mut self, samples: &mut Vec<f32>) {
        if let Some(limiter) = &mut self.limiter {
            limiter.finish(samples);
        }
        self.meter.push(samples);
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Written {
    pub(super) frames: u64,
    pub(super) bytes: u64,
    /// Samples beyond full scale, which the sample format cannot hold.
    pub(super) clipped: u64,
    /// How loud it is, where that was to be changed.
    pub(super) loudness: Option<Loudness>,
}

impl<'a> Assembly<'a> {
    /// Writes the header. `total` is how many frames of other clips will be appended, if known.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] if the format cannot hold the sound; else those of the destination.
    pub(super) fn begin(output: NewClip, destination: Destination<'a>, total: Option<u64>) -> Result<Self> {
        let encoder = output.format.encoder(&EncoderSettings {
            audio: output.audio,
            delivery: destination.delivery(),
            bits_per_second: output.bits_per_second,
            metadata: output.metadata,
        })?;
        let mut assembly = Self {
            audio: output.audio,
            map: output.map,
            name: output.name,
            encoder,
            destination,
            advance: Advance { frames: 0, total },
            level: output.level.map(|level| Leveling::new(level, output.audio)).transpose()?,
            stored: Vec::new(),
            read: Vec::new(),
            samples: Vec::new(),
            bytes: Vec::new(),
            written: Written::default(),
        };
        assembly.encoder.begin(&mut assembly.bytes)?;
        assembly.write()?;
        Ok(assembly)
    }

    /// Appends the frames `stretch` of a clip that is called `name` in errors; an end of `u64::MAX` is the end of the
    /// clip.
    ///
    /// They become exactly [`output_frames`](crate::audio::output_frames) of their number.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] for channels that cannot be kept; [`ErrorKind::InvalidData`] with the place if the
    /// clip ends before the stretch does; those of the decoder, with the place as well; those of the destination;
    /// [`ErrorKind::Abort`] if `watch` ends it.
    pub(super) fn append(
        &mut self,
        decoder: &mut dyn Decoder,
        name: &str,
        stretch: Range<u64>,
        watch: Watch<'_>,
    ) -> Result<()> {
        let from = decoder.format();
        let speakers = decoder.metadata().speakers.as_ref();
        let mixer = ChannelMixer::keep(from.channels, speakers, self.map.as_ref(), Some(self.audio.channels))?;
        let gain_db = self.level.as_ref().map_or(0.0, |level| level.gain_db);
        let mut chain = match mixer.is_identity() && self.takes_as_stored(decoder) {
            true => None,
            false => Some(Chain::new(mixer, from.sample_rate, self.audio.sample_rate, gain_db)?),
        };
        let mut at = stretch.start;
        decoder.seek(at)?;
        while at < stretch.end {
            let wanted = usize::try_from(stretch.end - at).unwrap_or(usize::MAX).min(BLOCK_FRAMES);
            let frames = self.read(decoder, chain.is_none(), wanted);
            let frames =
                frames.map_err(|error| breaks_off(error.kind(), name, at, from.sample_rate).with_source(error))?;
            self.pass(chain.as_mut(), frames)?;
            at += frames as u64;
            self.report(frames as u64, watch)?;
            if frames < wanted {
                break;
            }
        }
        // A file that ends before its stated length records that.
        if at < stretch.end && stretch.end != u64::MAX && decoder.damage().cut_off() == 0 {
            return Err(breaks_off(ErrorKind::InvalidData, name, at, from.sample_rate));
        }
        if let Some(mut chain) = chain {
            chain.finish(&mut self.samples)?;
            self.encode()?;
        }
        Ok(())
    }

    /// Changes the tags of the new clip, as far as its format writes them at the end.
    fn set_metadata(&mut self, metadata: Metadata) {
        self.encoder.set_metadata(metadata);
    }

    /// Adds `frames` to the lost ones that are in `tags`, which are those of the new clip.
    pub(super) fn note_lost(&mut self, mut tags: Metadata, frames: u64) {
        if frames > 0 {
            let noted = tags.take_lost_frames();
            tags.note_lost_frames(noted.saturating_add(frames));
            self.set_metadata(tags);
        }
    }

    /// Appends `samples` (interleaved, full scale ±1.0) that have the rate and the channels of the new clip.
    ///
    /// # Errors
    /// Those of the encoder and the destination.
    pub(super) fn append_samples(&mut self, samples: &[f32]) -> Result<()> {
        self.samples.extend_from_slice(samples);
        self.encode()
    }

    /// Whether nothing has to change, not even the bytes: a float holds less than a 32-bit integer does.
    fn takes_as_stored(&self, decoder: &dyn Decoder) -> bool {
        let stored = self.encoder.stored();
        let from = AudioFormat { sample_format: self.audio.sample_format, ..decoder.format() };
        stored.is_some() && decoder.stored() == stored && from == self.audio && self.level.is_none()
    }

    /// Reads a block, as it is stored or as samples.
    fn read(&mut self, decoder: &mut dyn Decoder, as_stored: bool, max_frames: usize) -> Result<usize> {
        self.stored.clear();
        self.read.clear();
        if as_stored {
            decoder.read_stored(&mut self.stored, max_frames)
        } else {
            decoder.read(&mut self.read, max_frames)
        }
    }

    /// Writes the block that was read: through the chain or, without one, as it is stored.
    fn pass(&mut self, chain: Option<&mut Chain>, frames: usize) -> Result<()> {
        if let Some(chain) = chain {
            chain.push(&self.read, &mut self.samples)?;
            return self.encode();
        }
        self.written.frames += frames as u64;
        self.encoder.encode_stored(&self.stored, &mut self.bytes)?;
        self.write()
    }

    /// Writes what belongs after the last frame and makes the file whole; it is still to be committed.
    ///
    /// # Errors
    /// Those of the encoder and the destination.
    pub(super) fn finish(mut self) -> Result<Written> {
        if let Some(mut level) = self.level.take() {
            level.finish(&mut self.samples);
            self.written.loudness = Some(level.meter.loudness());
            self.encode()?;
        }
        self.encoder.finish(&mut self.bytes)?;
        self.write()?;
        let completed = match &mut self.destination {
            Destination::Spool(spool) => seal(self.encoder.as_ref(), *spool),
            Destination::Stream(stream) => stream.flush().map(|()| self.written.bytes),
        };
        self.written.bytes = completed.map_err(|error| cannot_write(error, &self.name))?;
        Ok(self.written)
    }

    /// Encodes and writes `self.samples`, and empties them.
    fn encode(&mut self) -> Result<()> {
        if let Some(level) = &mut self.level {
            level.pass(&mut self.samples);
        }
        if self.audio.sample_format != SampleFormat::F32 {
            self.written.clipped += self.samples.iter().filter(|sample| sample.abs() > 1.0).count() as u64;
        }
        self.written.frames += (self.samples.len() / usize::from(self.audio.channels.max(1))) as u64;
        self.encoder.encode(&self.samples, &mut self.bytes)?;
        self.samples.clear();
        self.write()
    }

    fn write(&mut self) -> Result<()> {
        let outcome = match &mut self.destination {
            Destination::Spool(spool) => spool.append(&self.bytes),
            Destination::Stream(stream) => stream.write_all(&self.bytes),
        };
        self.written.bytes += self.bytes.len() as u64;
        self.bytes.clear();
        outcome.map_err(|error| cannot_write(error, &self.name))
    }

    fn report(&mut self, frames: u64, watch: Watch<'_>) -> Result<()> {
        self.advance.frames += frames;
        match watch(self.advance) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::new(ErrorKind::Abort, format!("{} was cancelled", self.name))),
        }
    }
}

/// Makes what was written a whole file, and returns its length.
fn seal(encoder: &dyn Encoder, spool: &mut dyn Spool) -> io::Result<u64> {
    let seal = encoder.seal(spool.len());
    spool.truncate(seal.length)?;
    seal.patches.iter().try_for_each(|patch| spool.patch(patch.at, &patch.bytes))?;
    Ok(spool.len())
}

fn breaks_off(kind: ErrorKind, name: &str, at: u64, rate: u32) -> Error {
    Error::new(kind, format!("{name} breaks off at {:.3} s (frame {at})", seconds(at, rate)))
}

pub(super) fn cannot_write(error: io::Error, name: &str) -> Error {
    Error::from_io(error, format!("cannot write {name}"))
}

/// Deletes an unfinished file, but not one that already has the name `target`: then only its folder could not be
/// synced, and it may have replaced an older file.
pub(super) fn discard_unnamed(spool: &mut dyn Spool, target: &Path) {
    if spool.path().as_deref() != Some(target) {
        // The error that led here is the one to report.
        let _ = spool.discard();
    }
}
