//! A gate that lets through what is worth recording, and stays open a while after. Pure.

use super::level_dbfs;

/// What opens a gate.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Trigger {
    /// Somebody speaks, at this level in dBFS (RMS of 16 ms) or above.
    Speech {
        /// The lowest level.
        least_dbfs: f32,
    },
    /// The level of any channel is above this, in dBFS (RMS of 16 ms).
    Level {
        /// The level.
        threshold_dbfs: f32,
    },
}

named! { Trigger: Speech "speech", Level "level" }

/// A gate that was opened by the level stays open until it has fallen this far below, in decibels, so that it does not
/// flutter.
const HYSTERESIS_DB: f32 = 6.0;

/// The state of a gate.
#[derive(Debug)]
pub struct Gate {
    trigger: Trigger,
    channels: usize,
    /// Frames without a trigger after which it closes, and how many there were.
    hang: u64,
    quiet: u64,
    open: bool,
}

impl Gate {
    /// A closed gate for that many channels, which stays open for `hang` frames without a trigger.
    #[must_use]
    pub fn new(trigger: Trigger, channels: u16, hang: u64) -> Self {
        Self { trigger, channels: usize::from(channels.max(1)), hang, quiet: 0, open: false }
    }

    /// What opens it.
    #[must_use]
    pub fn trigger(&self) -> Trigger {
        self.trigger
    }

    /// Whether it is open after these interleaved frames, in which somebody `speaks` or not.
    pub fn push(&mut self, samples: &[f32], speaks: bool) -> bool {
        let triggered = match self.trigger {
            Trigger::Speech { .. } => speaks,
            Trigger::Level { threshold_dbfs } => {
                let least = if self.open { threshold_dbfs - HYSTERESIS_DB } else { threshold_dbfs };
                self.loudest(samples) >= least
            }
        };
        if triggered {
            (self.open, self.quiet) = (true, 0);
        } else {
            self.quiet = self.quiet.saturating_add((samples.len() / self.channels) as u64);
            self.open &= self.quiet < self.hang;
        }
        self.open
    }

    /// The level of the loudest channel.
    fn loudest(&self, samples: &[f32]) -> f32 {
        let level = |channel: usize| {
            let one: Vec<f32> = samples.iter().skip(channel).step_by(self.channels).copied().collect();
            level_dbfs(&one)
        };
        (0..self.channels).map(level).fold(f32::NEG_INFINITY, f32::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(gate: &mut Gate, levels: &[f32]) -> String {
        let open = |level: &f32| gate.push(&[*level, 0.0, -*level, 0.0], *level > 0.5);
        levels.iter().map(open).map(|open| if open { 'o' } else { '.' }).collect()
    }

    #[test]
    fn a_gate_stays_open_for_the_hang_after_the_last_trigger() {
        let mut gate = Gate::new(Trigger::Speech { least_dbfs: -60.0 }, 2, 6);
        assert_eq!(run(&mut gate, &[0.1, 0.6, 0.1, 0.1, 0.1, 0.6, 0.1, 0.6, 0.1, 0.1, 0.1]), ".ooo.ooooo.");
        let mut no_hang = Gate::new(Trigger::Speech { least_dbfs: -60.0 }, 2, 0);
        assert_eq!(run(&mut no_hang, &[0.6, 0.1, 0.6]), "o.o");
    }

    #[test]
    fn the_level_has_to_fall_well_below_the_threshold_before_it_counts_as_quiet() {
        // The second channel is silent; the first alone is above -20 dBFS.
        let mut gate = Gate::new(Trigger::Level { threshold_dbfs: -20.0 }, 2, 2);
        assert_eq!(run(&mut gate, &[0.09, 0.11, 0.06, 0.06, 0.04, 0.06, 0.11]), ".ooo..o");
    }
}
