//! Sleeps between two polls of what has come. On average they are as long as they are meant to be, and never the same
//! twice in a row: what comes in blocks would otherwise be found at the same age for minutes, and then suddenly at
//! another one, which looks like a loss. Where nothing tells that a block has come, and blocks may be as long as the sleeps,
//! the sleeps follow the blocks instead. Pure; each capture thread has its own.

use std::time::{Duration, Instant};

/// How far from the requested length, as a part of it.
const LENGTH_ERROR_MAX: f64 = 0.2;
/// The golden section spreads a sequence most evenly.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// A sequence of lengths.
#[derive(Debug, Default)]
pub(super) struct Naps {
    phase: f64,
}

impl Naps {
    /// The next length, about `wanted`.
    pub(super) fn next(&mut self, wanted: Duration) -> Duration {
        self.phase = (self.phase + GOLDEN).fract();
        wanted.mul_f64(1.0 + LENGTH_ERROR_MAX * (2.0 * self.phase - 1.0))
    }
}

/// How often the arrival of a block is timed.
const TIMING_INTERVAL: Duration = Duration::from_secs(1);
/// How long a step is. A block whose arrival is timed is no older.
const STEP: Duration = Duration::from_millis(4);
/// A step that took longer than this was held up.
const STEP_LENGTH_MAX: Duration = Duration::from_millis(20);
/// How long after it is due any other block is read: clocks differ, and servers are not exact.
const MARGIN: Duration = Duration::from_millis(8);
/// How long before a block is due the steps begin, at least.
const LEAD_MIN: Duration = Duration::from_millis(12);
/// How long the steps go on although nothing comes, and for how long nothing is expected after that.
const STEPS_LENGTH_MAX: Duration = Duration::from_millis(500);
const REST_LENGTH: Duration = Duration::from_secs(4);

/// Blocks that are expected.
#[derive(Debug, Clone, Copy)]
struct Blocks {
    /// When one of them came, and how long each is.
    arrived: Instant,
    length: Duration,
    /// When the steps to the next arrival begin.
    steps_from: Instant,
}

impl Blocks {
    /// How many are to be read until then, from the one on whose arrival was timed.
    fn due_until(&self, at: Instant) -> u128 {
        (at - self.arrived).saturating_sub(MARGIN).as_nanos() / self.length.as_nanos().max(1)
    }

    /// How long it takes until the last one is due that comes within `most`, or until the steps begin.
    fn nap(&self, now: Instant, most: Duration) -> Duration {
        let count = (now - self.arrived + most).as_nanos() / self.length.as_nanos().max(1);
        let due = self.arrived + self.length.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX)) + MARGIN;
        let left = due.saturating_duration_since(now);
        let nap = if count > 0 && left > STEP { left } else { most };
        nap.min(self.steps_from.saturating_duration_since(now))
    }
}

/// How the thread sleeps at the moment.
#[derive(Debug, Clone, Copy)]
enum Polling {
    /// In short steps, until a block comes, or until then; the last one began at `begun`.
    Steps { until: Instant, begun: Instant },
    /// Until the next block is due.
    InPhase(Blocks),
    /// Nothing is expected before then.
    Rest { until: Instant },
}

/// Sleeps in phase with the blocks that come: about once a second the arrival of one is timed in short steps, and the
/// others are expected from there. After a thread was held up, it finds the next one at the same age as ever.
#[derive(Debug)]
pub(super) struct PhasedNaps {
    naps: Naps,
    polling: Polling,
    looked: Instant,
    /// How long before a block is due the steps begin.
    lead: Duration,
}

impl PhasedNaps {
    pub(super) fn new(now: Instant) -> Self {
        Self { naps: Naps::default(), polling: Polling::Rest { until: now }, looked: now, lead: LEAD_MIN }
    }

    /// How long to sleep from `now` on, about `most` at the longest; `came` is the length of what had come after the last
    /// sleep.
    pub(super) fn next(&mut self, now: Instant, most: Duration, came: Duration) -> Duration {
        let looked = std::mem::replace(&mut self.looked, now);
        let (nothing, give_up) = (came.is_zero(), now + STEPS_LENGTH_MAX);
        match self.polling {
            Polling::Steps { begun, .. } if !nothing && now - begun <= STEP_LENGTH_MAX => {
                self.follow(begun + STEP, came).nap(now, most)
            }
            // A thread that was held up does not know how long it had been there.
            Polling::Steps { .. } if !nothing => self.step(now, give_up),
            Polling::Steps { until, .. } if now < until => self.step(now, until),
            Polling::Steps { .. } => {
                self.polling = Polling::Rest { until: now + REST_LENGTH };
                self.naps.next(most)
            }
            Polling::InPhase(blocks) if now >= blocks.steps_from => {
                // More than was due: the block was there already, and the next one may be early as well.
                if came > now - looked {
                    self.lead = (2 * self.lead).min(most / 2);
                }
                self.step(now, give_up)
            }
            // It is late.
            Polling::InPhase(blocks) if nothing && blocks.due_until(now) > blocks.due_until(looked) => {
                self.step(now, give_up)
            }
            Polling::InPhase(blocks) => blocks.nap(now, most),
            Polling::Rest { until } if now < until => self.naps.next(most),
            Polling::Rest { .. } => self.step(now, give_up),
        }
    }

    fn step(&mut self, now: Instant, until: Instant) -> Duration {
        self.polling = Polling::Steps { until, begun: now };
        STEP
    }

    /// Expects blocks of that length after one that has arrived.
    fn follow(&mut self, arrived: Instant, length: Duration) -> Blocks {
        self.lead = (self.lead - self.lead / 32).max(LEAD_MIN);
        let count = TIMING_INTERVAL.as_nanos().div_ceil(length.as_nanos().max(1));
        let until = length.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        let blocks = Blocks { arrived, length, steps_from: arrived + until.saturating_sub(self.lead) };
        self.polling = Polling::InPhase(blocks);
        blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::drift::{Finding, LossWatch};

    const RATE: u32 = 48_000;

    /// What a thread finds that sleeps like that for half a minute, of blocks that come every `period` beginning at
    /// `phase`, by as much too early or too late as `off` says in turns: the number of its looks, and how old each block
    /// was when it was found.
    fn ages(period: Duration, most: Duration, phase: Duration, off: &[i32]) -> (usize, Vec<Duration>) {
        let begin = Instant::now();
        let due = |number: usize| {
            let early = 50 - off[number % off.len()];
            begin + phase + period * number as u32 + Duration::from_millis(50)
                - Duration::from_millis(early.unsigned_abs().into())
        };
        let (mut naps, mut now, mut number) = (PhasedNaps::new(begin), begin, 0);
        let (mut looks, mut found) = (0, Vec::new());
        while now < begin + Duration::from_secs(30) {
            looks += 1;
            let before = number;
            while due(number) <= now {
                found.push(now - due(number));
                number += 1;
            }
            // A sleep is a little too long.
            let came = period * (number - before) as u32;
            now += naps.next(now, most, came) + Duration::from_micros(300);
        }
        (looks, found)
    }

    #[test]
    fn each_block_is_found_soon_after_it_comes_whenever_that_is() {
        for (period, most) in [(250, 250), (100, 100), (300, 200), (250, 60), (20, 20)] {
            for phase in (0..period).step_by(7) {
                let [period, most, phase] = [period, most, phase].map(Duration::from_millis);
                let (looks, found) = ages(period, most, phase, &[0, 1, -1, 0, 2]);
                let late = found.iter().filter(|age| **age > 2 * MARGIN).count();
                assert!(late <= 6, "{period:?} {most:?} {phase:?}: {late} of {found:?}");
                let naps = 30_000 / most.as_millis().min(period.as_millis()) as usize;
                assert!(looks < 2 * naps + 12 * found.len() + 80, "{period:?} {phase:?}: {looks} looks");
            }
        }
    }

    #[test]
    fn blocks_that_come_irregularly_are_found_soon_as_well() {
        let period = Duration::from_millis(250);
        let (looks, found) = ages(period, period, Duration::ZERO, &[0, 15, -15, 3, -9, 12, -15, 14]);
        let late = found.iter().filter(|age| **age > Duration::from_millis(50)).count();
        assert!(late <= 6, "{late} of {found:?}");
        assert!(looks < 8 * found.len(), "{looks}");
    }

    #[test]
    fn naps_differ_and_are_as_long_as_wanted_on_average() {
        let (mut naps, wanted) = (Naps::default(), Duration::from_millis(250));
        let lengths: Vec<Duration> = (0..100).map(|_| naps.next(wanted)).collect();
        assert!(lengths.windows(2).all(|pair| pair[0].abs_diff(pair[1]) > wanted / 20), "{lengths:?}");
        let mean = lengths.iter().sum::<Duration>() / 100;
        assert!(mean.abs_diff(wanted) < wanted / 50, "{mean:?}");
        assert_eq!(naps.next(Duration::ZERO), Duration::ZERO);
    }

    /// What is found where a thread sleeps in phase with blocks of `block` frames, the first of which is due after `phase` of its length,
    /// and is held up about every ten seconds for up to 0.3 s; after `hole` seconds 100 ms are missing.
    fn find_in_phase(factor: f64, block: u64, phase: f64, hole: f64) -> Vec<(f64, Finding)> {
        let most = Duration::from_millis(250);
        let made = |time: f64| {
            let missing = (time - hole).clamp(0.0, 0.1);
            ((time - missing) * factor * f64::from(RATE) + phase * block as f64) as u64 / block * block
        };
        let begin = Instant::now();
        let (mut naps, mut watch) = (PhasedNaps::new(begin), LossWatch::new(RATE, most));
        let (mut now, mut seen, mut found) = (begin, 0, Vec::new());
        let (mut held_up, mut next) = (0_u32, 5.0);
        loop {
            let time = (now - begin).as_secs_f64();
            if time > hole + 30.0 {
                return found;
            }
            let frames = made(time);
            if frames > seen {
                let finding = watch.look((now - begin).as_nanos() as u64 + 1, frames);
                found.extend(finding.map(|finding| (time, finding)));
            }
            let came = Duration::from_secs_f64((frames - seen) as f64 / f64::from(RATE));
            now += naps.next(now, most, came) + Duration::from_micros(200);
            seen = frames;
            if time > next {
                held_up += 1;
                now += Duration::from_millis(u64::from(held_up * 97 % 300));
                next = time + f64::from(held_up * 37 % 160 + 20) / 10.0;
            }
        }
    }

    /// Whoever polls blocks that are as long as the sleeps finds them later and later, then earlier again, and after every
    /// delay at another age: that looked like losses of up to a quarter of a second.
    #[test]
    fn naps_in_phase_lose_nothing_however_often_the_thread_is_held_up() {
        for factor in [0.995, 0.9995, 1.0, 1.0011, 1.005] {
            for block in [480, 3_200, 4_800, 9_000, 12_000, 14_400] {
                for (phase, hole) in [(0.0, 31.0), (0.3, 22.5), (0.77, 47.3)] {
                    let found = find_in_phase(factor, block, phase, hole);
                    let [(at, Finding::Lost(lost))] = found[..] else { panic!("{factor} {block} {phase}: {found:?}") };
                    assert!((0.0..12.0).contains(&(at - hole)), "{factor} {block} {phase}: {at}");
                    assert!(lost.abs_diff(4_800) <= 336, "{factor} {block} {phase}: {lost}");
                }
            }
        }
    }
}
