//! The progress of a recording, for observers.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use crate::audio::Dbfs;

/// Frames that were lost in one place and are silence in the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// Frame of the recording at which the silence begins.
    pub at_frame: u64,
    /// Its length in frames of the recording.
    pub frames: u64,
}

/// The numbers of a recording so far. They stay readable after it ended, until the next start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Progress {
    /// Frames recorded, in the recording's sample rate; paused time does not count.
    pub frames: u64,
    /// Frames of the source that arrived since the start, recorded or not: above zero once the device delivers.
    pub arrived: u64,
    /// Frames recorded that were lost and are silence.
    pub lost_frames: u64,
    /// More sound was lost besides; how much is unknown.
    pub lost_unknown: bool,
    /// Where they were lost; the first thousand places.
    pub losses: Vec<Loss>,
    /// What was cut out because the [gate](crate::media::RecorderOptions::gate) was closed.
    pub cut: Duration,
    /// Frames that the device really delivered in a second of the system's clock; `None` while that is not well known.
    pub device_rate_hz: Option<f64>,
    /// Samples at full scale or beyond, where the format of the recording ends there: none for float.
    pub clipped: u64,
    /// Largest absolute sample recorded.
    pub peak: Dbfs,
    /// Bytes of encoded sound.
    pub bytes: u64,
    /// How long until the disk is full at the rate of this recording; unknown before the first second and without a
    /// file.
    pub disk_left: Option<Duration>,
    /// When the first frame was captured.
    pub recorded_at: Option<SystemTime>,
    /// How long before its start it begins, see [`begin_earlier`](crate::media::MediaRecorder::begin_earlier).
    pub begins_before: Duration,
    /// How long before its start it can be made to begin now; nothing once the start is fixed.
    pub reach: Duration,
    /// The unfinished file, if the recording goes into one.
    pub path: Option<PathBuf>,
}

/// Places of loss that are stored one by one.
const MAX_LOSSES: usize = 1_000;

impl Progress {
    /// Counts lost frames; adjacent ones count as one place.
    pub(crate) fn count_loss(&mut self, at_frame: u64, frames: u64) {
        self.lost_frames += frames;
        let known = self.losses.len();
        match self.losses.last_mut() {
            Some(last) if last.at_frame + last.frames == at_frame => last.frames += frames,
            _ if known < MAX_LOSSES => self.losses.push(Loss { at_frame, frames }),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_losses_are_one_place() {
        let mut progress = Progress::default();
        for (at, frames) in [(10, 5), (15, 5), (40, 1)] {
            progress.count_loss(at, frames);
        }
        assert_eq!(progress.lost_frames, 11);
        assert_eq!(progress.losses, [Loss { at_frame: 10, frames: 10 }, Loss { at_frame: 40, frames: 1 }]);
    }
}
