//! Finding frames that were lost on their way to the callback: the frames that came are counted against a clock.
//!
//! Some sound systems drop sound without a word. What is missing shows as a deficit: by the clock more frames should
//! have come. Most deficits are no loss: a busy machine delivers late and then all at once, and the clock of a device
//! is up to some hundred millionths off. So only the *smallest* deficit of a whole window counts, which late delivery
//! does not raise; it may drift slowly; and a step of it that stays is a loss. After a break nothing is judged before a
//! window has passed without another one, which also keeps devices that deliver in long bursts from being judged at all.
//!
//! Losses shorter than the threshold are not found. The place of a loss is known to about the length of the window.
//! Pure; the reading thread feeds it.

use std::{collections::VecDeque, time::Duration};

/// A deficit that grows by less is taken for jitter.
const THRESHOLD: Duration = Duration::from_millis(150);
/// So long a step must stay.
const WINDOW: Duration = Duration::from_secs(1);
/// Callbacks further apart than this are a break.
const BREAK: Duration = Duration::from_millis(300);
/// How fast the deficit may grow by the inaccuracy of clocks; twice what bad crystals have.
const DRIFT: f64 = 500e-6;
/// How fast a deficit that has become smaller is believed to stay so, as a part of the time that passes: a device that
/// once delivers ahead of time will pause for as long.
const RELIEF: f64 = 0.05;

/// Watches one stream. Positions are in frames, times in nanoseconds of a monotonic clock.
#[derive(Debug)]
pub(super) struct LossWatch {
    rate: f64,
    threshold: f64,
    longest_pause: u64,
    window: u64,
    /// Time and deficit of the callbacks within the window and of the last one before it.
    seen: VecDeque<(u64, f64)>,
    /// The deficit that counts as none, and when it was last adjusted.
    usual: Option<(u64, f64)>,
    found: u64,
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl LossWatch {
    /// A watch over a stream of `rate` frames a second with buffers of that length.
    pub(super) fn new(rate: u32, latency: Duration) -> Self {
        Self {
            rate: f64::from(rate),
            threshold: THRESHOLD.max(latency / 2).as_secs_f64() * f64::from(rate),
            longest_pause: nanos(BREAK.max(latency * 3)),
            window: nanos(WINDOW.max(latency * 4)),
            seen: VecDeque::new(),
            usual: None,
            found: 0,
        }
    }

    /// Takes in that a callback came at `now`, after which `frames` frames had come in all. Returns how many were lost
    /// before it, as soon as that is certain.
    pub(super) fn look(&mut self, now: u64, frames: u64) -> Option<u64> {
        let last = self.seen.back().map(|(at, _)| *at);
        match last {
            Some(last) if now <= last => return None,
            Some(last) if now - last > self.longest_pause => self.seen.clear(),
            _ => {}
        }
        let due = now as f64 / 1e9 * self.rate;
        self.seen.push_back((now, due - frames as f64 - self.found as f64));
        let begin = now.checked_sub(self.window)?;
        while self.seen.get(1).is_some_and(|(at, _)| *at <= begin) {
            self.seen.pop_front();
        }
        if self.seen.front().is_none_or(|(at, _)| *at > begin) {
            return None;
        }
        let smallest = self.seen.iter().map(|(_, deficit)| *deficit).fold(f64::INFINITY, f64::min);
        self.judge(now, smallest)
    }

    fn judge(&mut self, now: u64, deficit: f64) -> Option<u64> {
        let Some((since, usual)) = self.usual else {
            self.usual = Some((now, deficit));
            return None;
        };
        let step = deficit - usual;
        if step > self.threshold {
            let lost = step.round();
            self.seen.iter_mut().for_each(|(_, deficit)| *deficit -= lost);
            let lost = lost as u64;
            self.found += lost;
            self.usual = Some((now, usual));
            return Some(lost);
        }
        let passed = now.saturating_sub(since) as f64 / 1e9 * self.rate;
        self.usual = Some((now, usual + step.clamp(-RELIEF * passed, DRIFT * passed)));
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: u32 = 48_000;
    const LATENCY: Duration = Duration::from_millis(50);
    const BLOCK: u64 = 2_400;

    /// A device that is watched: blocks of 50 ms by a clock that is off by `ppm`.
    struct Device {
        watch: LossWatch,
        time: f64,
        period: f64,
        frames: u64,
        found: Vec<u64>,
    }

    impl Device {
        fn new(ppm: f64) -> Self {
            let period = 0.05 * (1.0 + ppm / 1e6);
            Self { watch: LossWatch::new(RATE, LATENCY), time: 0.0, period, frames: 0, found: Vec::new() }
        }

        /// One block, captured on time, whose callback comes `late` seconds later.
        fn deliver(&mut self, late: f64) {
            self.time += self.period;
            self.frames += BLOCK;
            self.found.extend(self.watch.look(((self.time + late) * 1e9) as u64, self.frames));
        }

        fn run(&mut self, blocks: usize) {
            (0..blocks).for_each(|_| self.deliver(0.0));
        }

        /// Blocks are captured and never arrive.
        fn lose(&mut self, blocks: u32) {
            self.time += self.period * f64::from(blocks);
        }

        /// Blocks that are held up and then come all at once.
        fn hold_up(&mut self, blocks: u32) {
            let burst = self.time + self.period * f64::from(blocks);
            for _ in 0..blocks {
                self.time += self.period;
                self.frames += BLOCK;
                self.found.extend(self.watch.look((burst * 1e9) as u64, self.frames));
            }
        }
    }

    #[test]
    fn a_loss_is_found_once_within_two_seconds_and_measured() {
        for blocks in [4, 14, 100, 10_000] {
            let mut device = Device::new(0.0);
            device.run(100);
            device.lose(blocks);
            device.run(40);
            assert_eq!(device.found, [u64::from(blocks) * BLOCK]);
            device.run(1_000);
            assert_eq!(device.found.len(), 1);
        }
    }

    #[test]
    fn two_losses_are_two() {
        let mut device = Device::new(100.0);
        device.run(100);
        for _ in 0..2 {
            device.lose(10);
            device.run(100);
        }
        assert_eq!(device.found.len(), 2);
        assert!(device.found.iter().all(|lost| lost.abs_diff(24_000) < 100), "{:?}", device.found);
    }

    #[test]
    fn sound_that_is_only_late_is_no_loss() {
        let mut device = Device::new(0.0);
        device.run(100);
        for blocks in [4, 19, 60, 400] {
            device.hold_up(blocks);
            device.run(60);
        }
        assert!(device.found.is_empty(), "{:?}", device.found);
    }

    #[test]
    fn a_device_that_delivers_in_bursts_of_two_seconds_loses_nothing() {
        let mut device = Device::new(0.0);
        (0..100).for_each(|_| device.hold_up(40));
        assert!(device.found.is_empty(), "{:?}", device.found);
    }

    #[test]
    fn a_device_that_once_delivers_ahead_and_then_waits_loses_nothing() {
        let mut device = Device::new(0.0);
        device.run(100);
        device.frames += 40 * BLOCK;
        device.found.extend(device.watch.look((device.time * 1e9) as u64 + 1_000, device.frames));
        device.time += 40.0 * device.period;
        device.run(1_000);
        assert!(device.found.is_empty(), "{:?}", device.found);
    }

    proptest! {
        #[test]
        fn clocks_that_drift_and_jitter_lose_nothing(
            ppm in -300.0..300.0_f64,
            late in prop::collection::vec(0.0..0.14_f64, 2_000),
        ) {
            let mut device = Device::new(ppm);
            late.into_iter().for_each(|late| device.deliver(late));
            prop_assert!(device.found.is_empty(), "{:?}", device.found);
        }

        #[test]
        fn any_loss_above_the_threshold_is_measured_to_the_jitter(
            ppm in -300.0..300.0_f64,
            blocks in 7_u32..200,
            late in prop::collection::vec(0.0..0.04_f64, 400),
        ) {
            let mut device = Device::new(ppm);
            late.iter().for_each(|late| device.deliver(*late));
            device.lose(blocks);
            late.iter().for_each(|late| device.deliver(*late));
            prop_assert_eq!(device.found.len(), 1);
            prop_assert!(device.found[0].abs_diff(u64::from(blocks) * BLOCK) < 2_400, "{:?}", device.found);
        }
    }
}
