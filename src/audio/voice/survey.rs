//! What a room and a voice in it are like, and which threshold separates them. Pure.

use super::Heard;

/// Collects what was detected over a while.
#[derive(Debug, Default)]
pub struct Survey {
    room: Vec<f32>,
    voice: Vec<f32>,
}

/// What a survey found. Levels are in dBFS (RMS of 16 ms).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurveyReport {
    /// The level that the room has most of the time when nobody speaks; `None` if somebody spoke all the time.
    pub floor_dbfs: Option<f32>,
    /// The level that a voice has most of the time; `None` if nobody spoke.
    pub speech_dbfs: Option<f32>,
    /// What lies between them, for a gate by level.
    pub threshold_dbfs: Option<f32>,
    /// The part of the time in which somebody spoke, from 0 to 1.
    pub speech_share: f32,
}

/// How far above the floor a threshold is if there is no voice to compare with.
const ABOVE_ROOM_DB: f32 = 12.0;

/// The lowest and the highest threshold.
const THRESHOLDS_DBFS: (f32, f32) = (-90.0, -6.0);

impl Survey {
    /// Counts a frame.
    pub fn push(&mut self, heard: Heard) {
        if heard.speech { self.voice.push(heard.level_dbfs) } else { self.room.push(heard.level_dbfs) }
    }

    /// What was found so far; `None` if there was nothing.
    #[must_use]
    pub fn report(&self) -> Option<SurveyReport> {
        let frames = self.room.len() + self.voice.len();
        if frames == 0 {
            return None;
        }
        // A click in a quiet room is not the room.
        let floor = median(&self.room);
        let speech = median(&self.voice);
        let threshold = match (floor, speech) {
            // Nearer to the room: beginnings of words are quiet.
            (Some(floor), Some(speech)) if speech > floor => Some(floor + (speech - floor) / 3.0),
            (Some(floor), _) => Some(floor + ABOVE_ROOM_DB),
            (None, Some(speech)) => Some(speech - ABOVE_ROOM_DB),
            (None, None) => None,
        };
        let (low, high) = THRESHOLDS_DBFS;
        Some(SurveyReport {
            floor_dbfs: floor,
            speech_dbfs: speech,
            threshold_dbfs: threshold.map(|level| level.round().clamp(low, high)),
            speech_share: self.voice.len() as f32 / frames as f32,
        })
    }
}

fn median(levels: &[f32]) -> Option<f32> {
    let mut sorted = levels.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(frames: &[(bool, f32)]) -> Option<SurveyReport> {
        let mut survey = Survey::default();
        for &(speech, level_dbfs) in frames {
            survey.push(Heard { speech, level_dbfs, floor_dbfs: -90.0 });
        }
        survey.report()
    }

    #[test]
    fn a_threshold_lies_between_room_and_voice() {
        assert_eq!(report(&[]), None);
        let both = report(&[(false, -60.0), (false, -60.0), (false, -20.0), (true, -30.0)]).unwrap();
        assert_eq!((both.floor_dbfs, both.speech_dbfs, both.threshold_dbfs), (Some(-60.0), Some(-30.0), Some(-50.0)));
        assert_eq!(both.speech_share, 0.25);
        assert_eq!(report(&[(false, -60.0)]).unwrap().threshold_dbfs, Some(-48.0));
        assert_eq!(report(&[(true, -30.0)]).unwrap().threshold_dbfs, Some(-42.0));
        assert_eq!(report(&[(false, -120.0)]).unwrap().threshold_dbfs, Some(-90.0));
    }
}
