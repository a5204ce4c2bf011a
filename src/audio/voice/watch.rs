//! Detects speech in each channel of a source of any rate. Pure.

use super::{Heard, VOICE_RATE, VoiceDetector};
use crate::{audio::Resampler, error::Result};

/// Detects speech in every channel of a source. Results come up to 80 ms after the sound.
pub struct VoiceWatch {
    channels: Vec<(Resampler, VoiceDetector)>,
    one: Vec<f32>,
    resampled: Vec<f32>,
    /// Somebody spoke in the latest frame of any channel.
    speaks: bool,
    latest: Vec<Option<Heard>>,
}

impl std::fmt::Debug for VoiceWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VoiceWatch").field("latest", &self.latest).finish_non_exhaustive()
    }
}

impl VoiceWatch {
    /// A watch over a source of `rate` hertz and `channels` channels.
    ///
    /// # Errors
    /// `NotSupported` for a rate that cannot be resampled.
    pub fn new(rate: u32, channels: u16) -> Result<Self> {
        let one = || Ok((Resampler::new(rate, VOICE_RATE, 1)?, VoiceDetector::default()));
        let channels: Vec<_> = (0..channels.max(1)).map(|_| one()).collect::<Result<_>>()?;
        Ok(Self { latest: vec![None; channels.len()], channels, one: Vec::new(), resampled: Vec::new(), speaks: false })
    }

    /// Takes interleaved frames, and calls `heard` with every frame that was analysed. Returns whether somebody speaks
    /// now, in any channel, at `least_dbfs` or above.
    pub fn push(&mut self, samples: &[f32], least_dbfs: f32, mut heard: impl FnMut(Heard)) -> bool {
        let count = self.channels.len();
        for (channel, (resampler, detector)) in self.channels.iter_mut().enumerate() {
            self.one.clear();
            self.one.extend(samples.iter().skip(channel).step_by(count));
            self.resampled.clear();
            // It was made for these rates; should it fail, that does not count as silence.
            if resampler.push(&self.one, &mut self.resampled).is_err() {
                self.speaks = true;
                return true;
            }
            let latest = self.latest.get_mut(channel);
            let mut last = None;
            detector.push(&self.resampled, |frame| {
                heard(frame);
                last = Some(frame);
            });
            if let (Some(latest), Some(last)) = (latest, last) {
                *latest = Some(last);
            }
        }
        let speaks = |heard: &Heard| heard.speech && heard.level_dbfs >= least_dbfs;
        self.speaks = self.latest.iter().flatten().any(speaks);
        self.speaks
    }
}
