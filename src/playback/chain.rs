//! From frames of the recording to frames of an open line: channels, rate, speed.
//!
//! Pure but for its buffers; run by the thread `player`.

use super::stretch::Stretcher;
use crate::{
    audio::{AudioFormat, ChannelMixer, Resampler},
    error::Result,
};

/// From frames of the recording to frames of an open line.
pub(super) struct Chain {
    mixer: ChannelMixer,
    resampler: Resampler,
    pub(super) stretcher: Stretcher,
    pub(super) format: AudioFormat,
    mixed: Vec<f32>,
    resampled: Vec<f32>,
}

impl Chain {
    /// From frames in `from` to frames in `to`.
    pub(super) fn new(from: AudioFormat, to: AudioFormat, speed: f64) -> Result<Self> {
        let mut stretcher = Stretcher::new(to.sample_rate, to.channels);
        stretcher.set_speed(speed);
        Ok(Self {
            mixer: ChannelMixer::audible(from.channels, to.channels),
            resampler: Resampler::new(from.sample_rate, to.sample_rate, to.channels)?,
            stretcher,
            format: to,
            mixed: Vec::new(),
            resampled: Vec::new(),
        })
    }

    pub(super) fn reset(&mut self) {
        self.resampler.reset();
        self.stretcher.reset();
    }

    pub(super) fn push(&mut self, block: &[f32], out: &mut Vec<f32>) -> Result<()> {
        self.mixed.clear();
        self.resampled.clear();
        self.mixer.mix(block, &mut self.mixed);
        self.resampler.push(&self.mixed, &mut self.resampled)?;
        self.stretcher.push(&self.resampled, out);
        Ok(())
    }

    /// Flushes what the resampler holds back, at a jump; the stretcher blends over it.
    pub(super) fn end_segment(&mut self, out: &mut Vec<f32>) -> Result<()> {
        self.resampled.clear();
        self.resampler.finish(&mut self.resampled)?;
        self.stretcher.push(&self.resampled, out);
        Ok(())
    }
}
