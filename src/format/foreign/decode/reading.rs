//! The file of another program as every reader of sound files sees it: read, sought, asked for what is in it.

use symphonia::core::{
    formats::{SeekMode, SeekTo},
    units::Timestamp,
};

use super::{Block, ForeignDecoder, PRE_ROLL};
use crate::{
    audio::{AudioFormat, Metadata, SampleFormat},
    error::{Error, ErrorKind, Result},
    format::{Damage, Decoder},
};

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
        if let Some(remark) = self.remark {
            self.damage.note_remark(remark);
        }
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
            // Beyond the end of what is really there, or of the first part of a chained file: from the start on.
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
