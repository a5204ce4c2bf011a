//! What happens to samples between a source and an encoder: gain, then mixing and resampling, each only if needed.
//! With nothing to do, samples pass untouched, bit for bit.
//!
//! Frames go in whole. Pure but for its buffers; run by the pump thread and by callers that rewrite a clip.

use super::{ChannelMixer, Resampler, apply_gain, db_to_factor};
use crate::error::Result;

/// From the sound of a source to that of a recording. Handles rates and channels; the encoder handles the depth.
pub struct Chain {
    factor: f32,
    mixer: ChannelMixer,
    resampler: Resampler,
    mixes_first: bool,
    gained: Vec<f32>,
    between: Vec<f32>,
}

impl Chain {
    /// A chain from sound at `from_hz` to the result of `mixer` at `to_hz`, which also makes it `gain_db` louder.
    ///
    /// # Errors
    /// `NotSupported` for a pair of rates that cannot be resampled, or no channels.
    pub fn new(mixer: ChannelMixer, from_hz: u32, to_hz: u32, gain_db: f64) -> Result<Self> {
        // Whichever order has fewer channels to resample.
        let mixes_first = mixer.channels_out() < mixer.channels_in();
        let narrow = u16::try_from(mixer.channels_in().min(mixer.channels_out())).unwrap_or(u16::MAX);
        Ok(Self {
            factor: if gain_db == 0.0 { 1.0 } else { db_to_factor(gain_db) },
            resampler: Resampler::new(from_hz, to_hz, narrow)?,
            mixer,
            mixes_first,
            gained: Vec::new(),
            between: Vec::new(),
        })
    }

    /// The samples after the gain, as the meter shows them.
    fn amplify<'a>(gained: &'a mut Vec<f32>, factor: f32, samples: &'a [f32]) -> &'a [f32] {
        if factor == 1.0 {
            return samples;
        }
        gained.clear();
        gained.extend_from_slice(samples);
        apply_gain(gained, factor);
        gained
    }

    /// Applies the gain alone.
    pub fn amplified<'a>(&'a mut self, samples: &'a [f32]) -> &'a [f32] {
        Self::amplify(&mut self.gained, self.factor, samples)
    }

    /// Appends to `out` what becomes of interleaved `samples`.
    ///
    /// # Errors
    /// Those of the resampler.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<()> {
        let samples = Self::amplify(&mut self.gained, self.factor, samples);
        if self.resampler.is_identity() {
            self.mixer.mix(samples, out);
            return Ok(());
        }
        self.between.clear();
        if self.mixes_first {
            self.mixer.mix(samples, &mut self.between);
            return self.resampler.push(&self.between, out);
        }
        self.resampler.push(samples, &mut self.between)?;
        self.mixer.mix(&self.between, out);
        Ok(())
    }

    /// Appends what is still on its way through the chain, so that all pushes together gave exactly
    /// [`output_frames`](super::output_frames) of the frames that went in, and starts afresh.
    ///
    /// # Errors
    /// Those of the resampler.
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<()> {
        self.between.clear();
        if self.mixes_first || self.resampler.is_identity() {
            return self.resampler.finish(out);
        }
        self.resampler.finish(&mut self.between)?;
        self.mixer.mix(&self.between, out);
        Ok(())
    }
}
