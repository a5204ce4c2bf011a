//! The level between two blocks: a device delivers in blocks, and a tenth of a second in which none arrived is not
//! silence. Pure.

use std::time::{Duration, Instant};

use dictaphone::audio::Level;

/// A longer gap is not a pause between two blocks: nothing arrives.
const BLOCK_MAX: Duration = Duration::from_millis(300);

/// The last level that was measured.
#[derive(Debug, Default)]
pub(super) struct Heard(Option<(Level, Instant)>);

impl Heard {
    /// The current level, from what was measured since the last call.
    pub(super) fn level(&mut self, measured: Level, now: Instant) -> Level {
        match self.0 {
            Some((level, at)) if measured.samples == 0 && now.duration_since(at) < BLOCK_MAX => level,
            _ if measured.samples == 0 => measured,
            _ => self.0.insert((measured, now)).0,
        }
    }
}

#[cfg(test)]
mod tests {
    use dictaphone::audio::LevelMeter;

    use super::*;

    #[test]
    fn between_two_blocks_it_is_as_loud_as_before_and_silent_when_none_follows() {
        let (mut heard, start, mut meter) = (Heard::default(), Instant::now(), LevelMeter::new());
        let nothing = Level::default();
        let mut at = |measured, milliseconds| heard.level(measured, start + Duration::from_millis(milliseconds));
        assert_eq!(at(nothing, 0), nothing, "nothing has come yet");
        meter.push(&[0.5; 480]);
        let loud = meter.take();
        meter.push(&[0.0; 480]);
        let silent = meter.take();
        assert_eq!(at(loud, 100), loud);
        assert_eq!(at(nothing, 200), loud);
        assert_eq!(at(nothing, 399), loud);
        assert_eq!(at(nothing, 400), nothing, "nothing comes any more");
        assert_eq!(at(loud, 500), loud);
        assert_eq!(at(silent, 600), silent, "silence that was measured");
        assert_eq!(at(nothing, 700), silent);
    }
}
