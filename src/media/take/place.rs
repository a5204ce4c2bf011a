//! Where in the recording something happens, counted in its frames.

use super::Take;
use crate::{
    audio::{Marker, output_frames},
    media::RecorderEvent,
};

impl Take {
    /// The current place in the recording's rate, including what the resampler still holds back.
    pub(super) fn place(&self) -> u64 {
        self.place_of(self.gathered)
    }

    /// The place of the frame of the source before which `gathered` were gathered.
    pub(super) fn place_of(&self, gathered: u64) -> u64 {
        let (from, at) = self.flushed;
        at + self.recorded_rate(gathered.saturating_sub(from))
    }

    /// Frames of the source as frames of the recording.
    pub(super) fn recorded_rate(&self, frames: u64) -> u64 {
        output_frames(frames, self.plan.source_format.sample_rate, self.plan.format.sample_rate)
    }

    pub(super) fn mark(&mut self, text: &str) {
        let marker = Marker { frame: self.place(), text: text.to_owned() };
        self.markers.push(marker.clone());
        self.fire(&RecorderEvent::Mark(marker));
    }
}
