//! How much sound there is in a file of another program, and of which kind: what is claimed, compared with what is
//! read.

use symphonia::core::{
    audio::Channels,
    codecs::audio::{AudioCodecParameters, well_known as codecs},
    packet::Packet,
};

use super::{
    super::{
        Kind,
        probe::{Block, block_of},
    },
    FRAMES_PER_BYTE_MAX, ForeignDecoder, Hole, OggStream, PACKET_FRAMES_MAX, begins_of,
};
use crate::{
    audio::{AudioFormat, SampleFormat, Speakers},
    error::{Error, ErrorKind, Result},
    format::Decoder as _,
};

/// The remarks about a file whose last page is missing, and about one that is shorter by an unknown length.
const ENDLESS: &str = "its end is missing";
const HOLED: &str = "parts of it are missing";

impl ForeignDecoder {
    /// Finds out what the first packet decodes to, and how long all of it is.
    pub(super) fn measure(&mut self, kind: &Kind, params: &AudioCodecParameters) -> Result<()> {
        let damaged = |name: &str| Error::new(ErrorKind::InvalidData, format!("{name} is damaged: it has no sound"));
        let claimed = self.track.num_frames;
        // A file without an index contains its length only at its end; a chained one contains that of its first part.
        let must_count = match (kind.name, params.codec) {
            ("ogg" | "aac", _) => true,
            ("mp3", _) => self.track.delay.is_none(),
            (_, codecs::CODEC_ID_ALAC) => kind.name == "caf",
            _ => claimed.is_none(),
        };
        let first = self.first_block()?.ok_or_else(|| damaged(&self.name))?;
        self.format = first;
        self.metadata.speakers = self.speakers(kind);
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
            // Whole packets, as ffmpeg reads them: what fills the last one cannot be distinguished from sound.
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

    /// The speakers of more than two channels, for codecs that define them; the channels come in the order of the mask then.
    fn speakers(&self, kind: &Kind) -> Option<Speakers> {
        let decoded = self.codec.last_decoded();
        let Channels::Positioned(positions) = decoded.spec().channels() else { return None };
        let mask = u32::try_from(positions.bits()).ok().filter(|_| matches!(kind.name, "ogg" | "m4a"))?;
        Speakers::of_mask(mask, self.format.channels).filter(|speakers| speakers.count() > 2)
    }

    pub(super) fn track_bits(&self) -> Option<u32> {
        let params = self.track.codec_params.as_ref()?.audio()?;
        params.bits_per_sample.filter(|&bits| bits > 0)
    }

    /// The frames of all packets, of which only the last is decoded, because it may hold fewer than it claims, and the
    /// frames that are missing.
    fn count(&mut self) -> Result<u64> {
        self.rewind()?;
        let mut holes = std::mem::take(&mut self.pages.holes);
        let there = self.count_packets(&mut holes)?;
        self.remark = None;
        if self.pages != OggStream::default() && !self.pages.has_end {
            self.remark = Some(ENDLESS);
        }
        if self.is_chained {
            // Every part counts from its own start.
            self.remark = if holes.is_empty() { self.remark } else { Some(HOLED) };
            return Ok(there);
        }
        let rate = self.format.sample_rate;
        for hole in holes {
            match hole.frames(rate) {
                Some(frames) => self.holes.push((hole, frames)),
                None => self.remark = Some(HOLED),
            }
        }
        let missing: u64 = self.holes.iter().map(|(_, frames)| frames).sum();
        Ok(there.saturating_add(missing).saturating_add(self.pages.missing_at_end(rate)))
    }

    /// Frames of all packets; those after a hole are counted for it.
    fn count_packets(&mut self, holes: &mut [Hole]) -> Result<u64> {
        let (mut total, mut last) = (0_u64, None::<Packet>);
        let mut count = |packet: &Packet| {
            let begins = begins_of(packet);
            let ahead = holes.partition_point(|hole| hole.after <= begins);
            if let Some(hole) = holes.get_mut(ahead) {
                hole.count(begins, packet.dur.get().min(PACKET_FRAMES_MAX));
            }
        };
        while let Some(packet) = self.packet()? {
            count(&packet);
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
}
