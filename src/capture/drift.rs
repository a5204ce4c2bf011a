//! Finding frames that were lost on their way to the callback: the frames that came are counted against a clock.
//!
//! Some sound systems drop sound without a word. What is missing shows as a deficit: by the clock more frames should
//! have come. Most deficits are no loss: a busy machine delivers late and then all at once, and the clock of a device
//! is up to some hundred millionths off. So only the *smallest* deficit of a whole window counts, which late delivery
//! does not raise; it may drift slowly; and a step of it that stays is a loss. After a break nothing is judged before a
//! window has passed without another one, which also keeps devices that deliver in long bursts from being judged at all.
//!
//! As long as it still becomes smaller, as when what was held up arrives bit by bit, nothing is judged either.
//!
//! Two windows look at the same deficits: a short one finds large losses soon, a long one finds smaller ones, because
//! what stays for so long is no jitter, however busy the machine is. How small, depends on the grain of the delivery:
//! frames that come in blocks may be a block late at every look, so that nothing below a block can be told from that.
//!
//! Losses shorter than the threshold are not found. The place of a loss is known to about the length of the window.
//! Pure; the reading thread feeds it.

use std::{collections::VecDeque, time::Duration};

/// A deficit that grows by less is taken for jitter, and so long a step must stay.
const COARSE: Duration = Duration::from_millis(150);
const SHORT: Duration = Duration::from_secs(1);
/// The same for smaller ones.
const FINE: Duration = Duration::from_millis(40);
const LONG: Duration = Duration::from_secs(6);
/// Nothing shorter than so many blocks is found.
const GRAINS: f64 = 1.25;
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
    /// In frames: for the short and for the long window.
    thresholds: [f64; 2],
    longest_pause: u64,
    last: Option<u64>,
    short: Window,
    long: Window,
    found: u64,
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl LossWatch {
    /// A watch over a stream of `rate` frames a second with buffers of that length.
    pub(super) fn new(rate: u32, latency: Duration) -> Self {
        let window = |length: Duration| Window {
            rate: f64::from(rate),
            length: nanos(length.max(latency * 4)),
            seen: VecDeque::new(),
            usual: None,
        };
        let rate = f64::from(rate);
        Self {
            rate,
            thresholds: [COARSE.max(latency / 2), FINE].map(|threshold| threshold.as_secs_f64() * rate),
            longest_pause: nanos(BREAK.max(latency * 3)),
            last: None,
            short: window(SHORT),
            long: window(LONG),
            found: 0,
        }
    }

    /// Takes in that a callback came at `now`, after which `frames` frames had come in all, and that they come in blocks
    /// of up to `grain` frames, or whenever they are there if that is zero. Returns how many were lost before it, as soon
    /// as that is certain.
    pub(super) fn look(&mut self, now: u64, frames: u64, grain: u64) -> Option<u64> {
        let last = self.last.filter(|last| now > *last);
        if self.last.is_some() && last.is_none() {
            return None;
        }
        self.last = Some(now);
        if last.is_some_and(|last| now - last > self.longest_pause) {
            self.short.seen.clear();
            self.long.seen.clear();
        }
        let deficit = now as f64 / 1e9 * self.rate - frames as f64 - self.found as f64;
        let [coarse, fine] = self.thresholds.map(|threshold| threshold.max(grain as f64 * GRAINS));
        // Both take in what they see.
        let (large, small) = (self.short.look(now, deficit, coarse), self.long.look(now, deficit, fine));
        let lost = large.or(small)?;
        self.short.forgive(lost);
        match small {
            Some(_) => self.long.forgive(lost),
            // It also holds what came before the loss.
            None => self.long.seen.clear(),
        }
        self.found += lost;
        Some(lost)
    }
}

/// The deficits of one stretch of time, in frames.
#[derive(Debug)]
struct Window {
    rate: f64,
    length: u64,
    /// Time and deficit of the callbacks within the window and of the last one before it.
    seen: VecDeque<(u64, f64)>,
    /// The deficit that counts as none, and when it was last adjusted.
    usual: Option<(u64, f64)>,
}

impl Window {
    /// Takes in the deficit at `now`; how much of it is a loss, if that is more than `threshold` frames.
    fn look(&mut self, now: u64, deficit: f64, threshold: f64) -> Option<u64> {
        self.seen.push_back((now, deficit));
        let begin = now.checked_sub(self.length)?;
        while self.seen.get(1).is_some_and(|(at, _)| *at <= begin) {
            self.seen.pop_front();
        }
        if self.seen.front().is_none_or(|(at, _)| *at > begin) {
            return None;
        }
        let smallest = self.seen.iter().map(|(_, deficit)| *deficit).fold(f64::INFINITY, f64::min);
        let Some((since, usual)) = self.usual else {
            self.usual = Some((now, smallest));
            return None;
        };
        let step = smallest - usual;
        if step > threshold {
            return (!self.catches_up(threshold)).then_some(step.round() as u64);
        }
        let passed = now.saturating_sub(since) as f64 / 1e9 * self.rate;
        self.usual = Some((now, usual + step.clamp(-RELIEF * passed, DRIFT * passed)));
        None
    }

    /// Whether the deficit still becomes smaller: what was held up is arriving, and nobody knows yet how much of it.
    fn catches_up(&self, threshold: f64) -> bool {
        let smallest = |deficits: &mut dyn Iterator<Item = &(u64, f64)>| {
            deficits.map(|(_, deficit)| *deficit).fold(f64::INFINITY, f64::min)
        };
        let (earlier, later) = (self.seen.len() / 2, self.seen.len() - self.seen.len() / 2);
        let (before, now) =
            (smallest(&mut self.seen.iter().take(earlier)), smallest(&mut self.seen.iter().rev().take(later)));
        before.is_finite() && before - now > threshold / 2.0
    }

    /// So much was found to be lost and does not count any more.
    fn forgive(&mut self, lost: u64) {
        self.seen.iter_mut().for_each(|(_, deficit)| *deficit -= lost as f64);
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
        last: u64,
        found: Vec<u64>,
    }

    impl Device {
        fn new(ppm: f64) -> Self {
            let period = 0.05 * (1.0 + ppm / 1e6);
            Self { watch: LossWatch::new(RATE, LATENCY), time: 0.0, period, frames: 0, last: 0, found: Vec::new() }
        }

        /// One block, captured on time, whose callback comes `late` seconds later.
        fn deliver(&mut self, late: f64) {
            self.time += self.period;
            self.frames += BLOCK;
            // In their order: a block behind a late one is late as well.
            self.last = (((self.time + late) * 1e9) as u64).max(self.last + 1_000);
            self.found.extend(self.watch.look(self.last, self.frames, 0));
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
                self.found.extend(self.watch.look((burst * 1e9) as u64, self.frames, 0));
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
    fn sound_that_trickles_in_after_a_standstill_is_no_loss() {
        for (seconds, blocks_at_once) in [(4, 2), (10, 3), (20, 2), (20, 8), (60, 5)] {
            let mut device = Device::new(0.0);
            device.run(200);
            let mut waiting = seconds * 20;
            device.time += device.period * f64::from(waiting);
            while waiting > 0 {
                // One more is captured while so many arrive.
                device.time += device.period;
                waiting += 1;
                for _ in 0..blocks_at_once.min(waiting) {
                    device.frames += BLOCK;
                    waiting -= 1;
                }
                device.found.extend(device.watch.look((device.time * 1e9) as u64, device.frames, 0));
            }
            device.run(400);
            assert!(device.found.is_empty(), "{seconds} s, {blocks_at_once} at once: {:?}", device.found);
            device.lose(10);
            device.run(400);
            assert_eq!(device.found.len(), 1);
        }
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
        device.found.extend(device.watch.look((device.time * 1e9) as u64 + 1_000, device.frames, 0));
        device.time += 40.0 * device.period;
        device.run(1_000);
        assert!(device.found.is_empty(), "{:?}", device.found);
    }

    #[test]
    fn a_small_loss_is_found_by_the_long_window() {
        for millis in [50, 100, 149] {
            let mut device = Device::new(0.0);
            device.run(200);
            device.time += f64::from(millis) / 1e3;
            device.run(100);
            assert!(device.found.is_empty(), "not yet certain");
            device.run(60);
            assert_eq!(device.found.len(), 1, "{millis} ms");
            assert!(device.found[0].abs_diff(u64::from(millis as u32) * 48) < 200, "{:?}", device.found);
            device.run(1_000);
            assert_eq!(device.found.len(), 1);
        }
    }

    #[test]
    fn what_may_be_the_grain_of_the_delivery_is_no_loss() {
        // Looks every 240 ms at what comes in blocks of 100 ms, the blocks now early and now late in the looks.
        let (mut watch, mut found) = (LossWatch::new(RATE, Duration::from_millis(300)), Vec::new());
        for look in 1..4_000_u64 {
            let millis = look * 240 + if (look / 500).is_multiple_of(2) { 0 } else { 99 };
            found.extend(watch.look(millis * 1_000_000, millis / 100 * 4_800, 4_800));
        }
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_large_loss_after_a_small_one_and_the_other_way_round_are_measured_apart() {
        for losses in [[0.06, 0.5], [0.5, 0.06]] {
            let mut device = Device::new(0.0);
            device.run(300);
            for lost in losses {
                device.time += lost;
                device.run(300);
            }
            assert_eq!(device.found.len(), 2, "{losses:?}: {:?}", device.found);
            for (found, lost) in device.found.iter().zip(losses) {
                assert!(found.abs_diff((lost * 48_000.0) as u64) < 400, "{losses:?}: {:?}", device.found);
            }
        }
    }

    #[test]
    fn clocks_that_differ_by_200_millionths_lose_nothing_in_ten_hours() {
        for ppm in [-200.0, 200.0] {
            let mut device = Device::new(ppm);
            // The same lateness again and again, of up to 35 ms.
            for block in 0..720_000_u32 {
                device.deliver(f64::from(block * 7 % 36) / 1e3);
            }
            assert!(device.found.is_empty(), "{ppm}: {:?}", device.found);
        }
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
        fn a_machine_that_is_busy_for_seconds_loses_nothing(
            ppm in -200.0..200.0_f64,
            phases in prop::collection::vec((0.0..0.2_f64, 1_usize..60), 1..40),
            jitter in prop::collection::vec(0.0..0.03_f64, 1_000),
        ) {
            // Whole stretches in which every block is late, and quiet ones between.
            let (mut device, mut jitter) = (Device::new(ppm), jitter.into_iter().cycle());
            for (late, blocks) in phases {
                for block in 0..blocks {
                    // Now and then it catches up: nothing is held up for ever.
                    let late = if block % 16 >= 9 { 0.0 } else { late };
                    device.deliver(late + jitter.next().unwrap_or_default());
                }
                (0..30).for_each(|_| device.deliver(jitter.next().unwrap_or_default()));
            }
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
