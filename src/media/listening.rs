//! What the sound of a source means for its recording: whether it is worth recording now, and whether nobody speaks any
//! more.
//!
//! Pure but for its buffers; run by the pump thread on whatever arrives, before the chain.

use std::time::Duration;

use crate::{
    audio::{
        AudioFormat, db_to_factor,
        time::{duration_of, frames_in},
        voice::{Gate, Quiet, SilenceTimer, Trigger, VoiceWatch},
    },
    error::Result,
};

/// Records only sound that opens a gate.
///
/// ```
/// use std::time::Duration;
/// use dictaphone::{audio::voice::Trigger, media::GateOptions};
///
/// // Each utterance becomes a file of its own.
/// let gate = GateOptions::new(Trigger::Level { threshold_dbfs: -40.0 }, Duration::from_secs(2)).splits(true);
/// assert!(gate.splits);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct GateOptions {
    /// What opens the gate. Levels are those of the recording, after its gain.
    pub trigger: Trigger,
    /// How long it stays open after that.
    pub hang: Duration,
    /// Whether a new file begins each time that it opens.
    pub splits: bool,
    /// This much of the sound before it opens is recorded as well, so that the first syllable is whole. Where the
    /// recording has a [pre-roll](crate::media::RecorderOptions::pre_roll), that is used instead.
    pub lead: Duration,
}

impl GateOptions {
    /// A gate that `trigger` opens and that stays open for `hang` after it, in one file, without a lead.
    #[must_use]
    pub const fn new(trigger: Trigger, hang: Duration) -> Self {
        Self { trigger, hang, splits: false, lead: Duration::ZERO }
    }
}

setters! { GateOptions: trigger: Trigger, hang: Duration, splits: bool, lead: Duration }

/// How long before the end it is announced, or half of the time if that is shorter.
const COUNTDOWN: Duration = Duration::from_secs(30);

/// Speech that is shorter, or comes in such pieces with much longer pauses between, does not count as a reason to go
/// on.
const LEAST_SPEECH: Duration = Duration::from_millis(500);

/// Length of the blocks that are judged, in milliseconds.
const HOP_MS: u64 = 16;

/// Watches one source.
#[derive(Debug)]
pub(crate) struct Listening {
    watch: Option<VoiceWatch>,
    least_dbfs: f32,
    gate: Option<Gate>,
    silence: Option<SilenceTimer>,
    format: AudioFormat,
    hop: usize,
}

/// The result for some frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Finding {
    /// They are to be recorded.
    pub(crate) open: bool,
    pub(crate) quiet: Quiet,
}

impl Listening {
    /// `None` if there is nothing to watch for.
    ///
    /// # Errors
    /// `NotSupported` for a rate that cannot be resampled.
    pub(crate) fn new(
        gate: Option<GateOptions>,
        stop_on_silence: Option<Duration>,
        format: AudioFormat,
        gain_db: f64,
    ) -> Result<Option<Self>> {
        if gate.is_none() && stop_on_silence.is_none() {
            return Ok(None);
        }
        let frames = |length| frames_in(length, format.sample_rate);
        // Levels are those of the recording.
        let gain = 20.0 * db_to_factor(gain_db).log10();
        let of_source = |trigger| match trigger {
            Trigger::Speech { least_dbfs } => Trigger::Speech { least_dbfs: least_dbfs - gain },
            Trigger::Level { threshold_dbfs } => Trigger::Level { threshold_dbfs: threshold_dbfs - gain },
        };
        let gate = gate.map(|gate| Gate::new(of_source(gate.trigger), format.channels, frames(gate.hang)));
        let least_dbfs = match gate.as_ref().map(Gate::trigger) {
            Some(Trigger::Speech { least_dbfs }) => Some(least_dbfs),
            _ => None,
        };
        let needs_voice = least_dbfs.is_some() || stop_on_silence.is_some();
        let watch = needs_voice.then(|| VoiceWatch::new(format.sample_rate, format.channels)).transpose()?;
        let hop = u64::from(format.sample_rate) * HOP_MS / 1_000 * u64::from(format.channels);
        Ok(Some(Self {
            watch,
            least_dbfs: least_dbfs.unwrap_or(f32::NEG_INFINITY),
            gate,
            silence: stop_on_silence.map(|limit| {
                let warning = if limit > COUNTDOWN { COUNTDOWN } else { limit / 2 };
                SilenceTimer::new(frames(limit), frames(warning), frames(LEAST_SPEECH))
            }),
            format,
            hop: usize::try_from(hop).unwrap_or(1).max(usize::from(format.channels.max(1))),
        }))
    }

    /// Samples that are judged at once.
    pub(crate) fn hop(&self) -> usize {
        self.hop
    }

    /// Takes new samples, at most one [`hop`](Self::hop).
    pub(crate) fn push(&mut self, samples: &[f32]) -> Finding {
        let speaks = self.watch.as_mut().is_some_and(|watch| watch.push(samples, self.least_dbfs, |_| {}));
        let frames = (samples.len() / usize::from(self.format.channels.max(1))) as u64;
        Finding {
            open: self.gate.as_mut().is_none_or(|gate| gate.push(samples, speaks)),
            quiet: self.silence.as_mut().map_or(Quiet::Same, |silence| silence.push(frames, speaks)),
        }
    }

    /// Makes the recording go on although nobody speaks.
    pub(crate) fn keep(&mut self) -> Quiet {
        self.silence.as_mut().map_or(Quiet::Same, SilenceTimer::keep)
    }

    /// The length of `frames` frames of the source.
    pub(crate) fn length(&self, frames: u64) -> Duration {
        duration_of(frames, self.format.sample_rate)
    }

    /// Whether it can cut anything out.
    pub(crate) fn has_gate(&self) -> bool {
        self.gate.is_some()
    }
}
