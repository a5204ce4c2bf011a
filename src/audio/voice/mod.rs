//! Whether somebody speaks: a frame of 16 ms at a time, of one channel at 16 kHz.
//!
//! Three conditions, because no one of them is enough. A small neural network (earshot) recognises voices but mistakes
//! quiet rooms and held chords for one; what is not clearly above the floor of the room is no voice; and a voice does
//! not stay the same for half a second, which a chord does. `watch` converts each channel of a source of any rate for
//! this, `gate` and `silence` decide what follows. Pure; run by the pump thread.

mod gate;
mod likeness;
mod silence;
mod survey;
mod watch;

use std::collections::VecDeque;

use earshot::Detector;

use self::likeness::Likeness;
pub use self::{
    gate::{Gate, Trigger},
    silence::{Quiet, SilenceTimer},
    survey::{Survey, SurveyReport},
    watch::VoiceWatch,
};

/// Samples a second that a [`VoiceDetector`] takes.
pub const VOICE_RATE: u32 = 16_000;

/// Samples in a frame.
pub const FRAME: usize = 256;

/// Above this score of the network a frame counts as a voice.
const VOICE_SCORE_MIN: f32 = 0.4;

/// A voice is at least this many decibels above the floor of the room.
const ABOVE_FLOOR_DB: f32 = 4.0;

/// Below this level no speech is intelligible.
const LOWEST_DBFS: f32 = -65.0;

/// Spectra that stay more alike than this are no voice.
const LIKENESS_MAX: f32 = 0.85;

/// Somebody counts as speaking when this many of the last [`VOICE_FRAMES`] frames are a voice.
const VOICE_FRAMES_MIN: usize = 3;
const VOICE_FRAMES: usize = 5;

/// How far back the floor of a room is searched for: frames in a part, and parts.
const FLOOR_PART: usize = 32;
const FLOOR_PARTS: usize = 12;

/// Detects speech in one channel.
pub struct VoiceDetector {
    network: Box<Detector>,
    frame: Vec<f32>,
    floor: Floor,
    likeness: Likeness,
    votes: VecDeque<bool>,
}

/// What was detected in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heard {
    /// Somebody speaks.
    pub speech: bool,
    /// Level of the frame in dBFS (RMS).
    pub level_dbfs: f32,
    /// Level of the room while nobody speaks, in dBFS.
    pub floor_dbfs: f32,
}

impl std::fmt::Debug for VoiceDetector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VoiceDetector").field("floor", &self.floor).finish_non_exhaustive()
    }
}

impl Default for VoiceDetector {
    fn default() -> Self {
        Self {
            network: Detector::default_boxed(),
            frame: Vec::with_capacity(FRAME),
            floor: Floor::default(),
            likeness: Likeness::new(),
            votes: VecDeque::with_capacity(VOICE_FRAMES),
        }
    }
}

impl VoiceDetector {
    /// Takes samples, and calls `heard` with each frame that they complete.
    pub fn push(&mut self, samples: &[f32], mut heard: impl FnMut(Heard)) {
        for &sample in samples {
            self.frame.push(if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 });
            if self.frame.len() == FRAME {
                let frame = std::mem::take(&mut self.frame);
                heard(self.judge(&frame));
                self.frame = frame;
                self.frame.clear();
            }
        }
    }

    fn judge(&mut self, frame: &[f32]) -> Heard {
        let level_dbfs = level_dbfs(frame);
        let floor_dbfs = self.floor.push(level_dbfs);
        let score = self.network.predict_f32(frame);
        let is_loud = level_dbfs >= LOWEST_DBFS && level_dbfs >= floor_dbfs + ABOVE_FLOOR_DB;
        let alike = self.likeness.push(frame, is_loud);
        let is_voice = score >= VOICE_SCORE_MIN && is_loud && alike <= LIKENESS_MAX;
        if self.votes.len() == VOICE_FRAMES {
            self.votes.pop_front();
        }
        self.votes.push_back(is_voice);
        let speech = self.votes.iter().filter(|vote| **vote).count() >= VOICE_FRAMES_MIN;
        Heard { speech, level_dbfs, floor_dbfs }
    }
}

/// The level of some samples in dBFS (RMS), -120 at least.
pub fn level_dbfs(samples: &[f32]) -> f32 {
    let sum: f32 = samples.iter().map(|sample| sample * sample).sum();
    (10.0 * (sum / samples.len().max(1) as f32).log10()).max(-120.0)
}

/// The floor of a room: the lowest level, smoothed, of the last few seconds (R. Martin, "Noise power spectral density
/// estimation based on optimal smoothing and minimum statistics", 2001, for the whole band).
#[derive(Debug)]
struct Floor {
    smoothed: Option<f32>,
    part: (usize, f32),
    parts: VecDeque<f32>,
}

impl Default for Floor {
    fn default() -> Self {
        Self { smoothed: None, part: (0, f32::INFINITY), parts: VecDeque::with_capacity(FLOOR_PARTS) }
    }
}

impl Floor {
    fn push(&mut self, level: f32) -> f32 {
        let smoothed = self.smoothed.map_or(level, |before| before + 0.2 * (level - before));
        self.smoothed = Some(smoothed);
        self.part = (self.part.0 + 1, self.part.1.min(smoothed));
        let floor = self.parts.iter().copied().fold(self.part.1, f32::min);
        if self.part.0 == FLOOR_PART {
            if self.parts.len() == FLOOR_PARTS {
                self.parts.pop_front();
            }
            self.parts.push_back(self.part.1);
            self.part = (0, f32::INFINITY);
        }
        floor
    }
}

#[cfg(test)]
mod tests;
