use std::time::Duration;

use proptest::prelude::*;

use super::{Finding, LossWatch};

const RATE: u32 = 48_000;
const LATENCY: Duration = Duration::from_millis(50);
const BLOCK: u64 = 2_400;

/// A device that is watched: blocks of its own length by a clock of its own.
struct Device {
    watch: LossWatch,
    time: f64,
    /// Seconds that a block takes.
    period: f64,
    block: u64,
    frames: u64,
    last: u64,
    found: Vec<u64>,
    /// When each of them was found, in seconds.
    when: Vec<f64>,
}

impl Device {
    /// Blocks of 50 ms by a clock that is off by `ppm`: negative runs fast.
    fn new(ppm: f64) -> Self {
        Self::of(1.0 / (1.0 + ppm / 1e6), BLOCK)
    }

    /// Blocks of `block` frames, `factor` times as many a second as it reports.
    fn of(factor: f64, block: u64) -> Self {
        Self {
            watch: LossWatch::new(RATE, LATENCY),
            time: 0.0,
            period: block as f64 / f64::from(RATE) / factor,
            block,
            frames: 0,
            last: 0,
            found: Vec::new(),
            when: Vec::new(),
        }
    }

    fn look(&mut self, seconds: f64) {
        // In their order: a block behind a late one is late as well.
        self.last = ((seconds * 1e9) as u64).max(self.last + 1_000);
        match self.watch.look(self.last, self.frames) {
            Some(Finding::Lost(frames)) => {
                self.found.push(frames);
                self.when.push(seconds);
            }
            Some(Finding::OtherRate(rate)) => panic!("{rate} Hz"),
            None => {}
        }
    }

    /// One block, captured on time, whose callback comes `late` seconds later.
    fn deliver(&mut self, late: f64) {
        self.time += self.period;
        self.frames += self.block;
        self.look(self.time + late);
    }

    fn run(&mut self, blocks: usize) {
        (0..blocks).for_each(|_| self.deliver(0.0));
    }

    /// `seconds` seconds of blocks, each as late as the next value of `late`.
    fn run_late(&mut self, seconds: f64, late: &mut impl Iterator<Item = f64>) {
        let end = self.time + seconds;
        while self.time < end {
            self.deliver(late.next().unwrap_or_default());
        }
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
            self.frames += self.block;
            self.look(burst);
        }
    }

    #[track_caller]
    fn assert_found(&self, losses: &[f64], tolerance: f64) {
        assert_eq!(self.found.len(), losses.len(), "{:?} at {:?}", self.found, self.when);
        for (found, lost) in self.found.iter().zip(losses) {
            let found = *found as f64 / f64::from(RATE);
            assert!((found - lost).abs() < tolerance, "{found} instead of {lost}: {:?}", self.found);
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
        device.assert_found(&[f64::from(blocks) * 0.05], 0.001);
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
    device.assert_found(&[0.5, 0.5], 0.002);
}

#[test]
fn sound_that_trickles_in_after_a_standstill_is_no_loss() {
    for (seconds, blocks_at_once) in [(4, 2), (10, 3), (20, 2), (20, 8), (60, 5)] {
        let mut device = Device::new(0.0);
        device.run(200);
        let mut waiting = seconds * 20;
        device.time += device.period * f64::from(waiting);
        while waiting > 0 {
            // One more is captured while that many arrive.
            device.time += device.period;
            waiting += 1;
            for _ in 0..blocks_at_once.min(waiting) {
                device.frames += BLOCK;
                waiting -= 1;
            }
            device.look(device.time);
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
    device.assert_found(&[], 0.0);
}

#[test]
fn a_device_that_delivers_in_bursts_of_two_seconds_loses_nothing() {
    let mut device = Device::new(0.0);
    (0..100).for_each(|_| device.hold_up(40));
    device.assert_found(&[], 0.0);
}

#[test]
fn a_device_that_once_delivers_ahead_and_then_waits_loses_nothing() {
    let mut device = Device::new(0.0);
    device.run(100);
    device.frames += 40 * BLOCK;
    device.look(device.time + 0.000_001);
    device.time += 40.0 * device.period;
    device.run(1_000);
    device.assert_found(&[], 0.0);
}

#[test]
fn a_small_loss_is_found_by_the_long_look() {
    for millis in [50.0, 100.0, 149.0] {
        let mut device = Device::new(0.0);
        device.run(200);
        device.time += millis / 1e3;
        device.run(100);
        assert!(device.found.is_empty(), "not yet certain");
        device.run(60);
        device.assert_found(&[millis / 1e3], 0.002);
        device.run(1_000);
        assert_eq!(device.found.len(), 1);
    }
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
        device.assert_found(&losses, 0.005);
    }
}

/// What a device loses in an hour at each of the factors, when only the clock makes it late.
#[test]
fn clocks_up_to_half_a_percent_off_lose_nothing_in_an_hour() {
    for factor in [0.995, 0.997, 0.998, 0.999, 0.9995, 1.0, 1.0005, 1.001, 1.002, 1.003, 1.005] {
        let mut device = Device::of(factor, BLOCK);
        // The same lateness again and again, of up to 35 ms.
        let mut late = (0_u32..).map(|block| f64::from(block * 7 % 36) / 1e3);
        device.run_late(3_600.0, &mut late);
        device.assert_found(&[], 0.0);
        let rate = device.watch.device_rate().unwrap();
        assert!((rate - factor * f64::from(RATE)).abs() < 0.5, "{factor}: {rate}");
    }
}

#[test]
fn a_clock_that_changes_by_100_millionths_a_minute_loses_nothing() {
    for direction in [-1.0, 1.0] {
        let mut device = Device::of(1.0 - direction * 0.004, 480);
        let mut jitter = (0_u32..).map(|block| f64::from(block * 7 % 12) / 1e3);
        for second in 0..3_600 {
            let factor = 1.0 + direction * (-0.004 + f64::from(second) / 60.0 * 100e-6);
            device.period = 0.01 / factor;
            device.run_late(1.0, &mut jitter);
        }
        device.assert_found(&[], 0.0);
        device.time += 0.1;
        device.run_late(12.0, &mut jitter);
        device.assert_found(&[0.1], 0.005);
    }
}

#[test]
fn the_rate_is_told_as_soon_as_it_is_known_and_a_loss_does_not_change_it() {
    for factor in [0.995, 1.0, 1.0031] {
        let mut device = Device::of(factor, 480);
        let mut jitter = (0_u32..).map(|block| f64::from(block * 7 % 12) / 1e3);
        device.run_late(5.0, &mut jitter);
        assert_eq!(device.watch.device_rate(), None);
        device.run_late(55.0, &mut jitter);
        let near = |rate: Option<f64>| (rate.unwrap() / f64::from(RATE) / factor - 1.0).abs() < 30e-6;
        assert!(near(device.watch.device_rate()), "{factor}: {:?}", device.watch.device_rate());
        device.time += 2.5;
        device.run_late(30.0, &mut jitter);
        // In the device's own time.
        device.assert_found(&[2.5 * factor], 0.005);
        assert!(near(device.watch.device_rate()), "{factor}: {:?}", device.watch.device_rate());
    }
}

/// The rate that is found for a device that reports 48 kHz and really runs at `rate`, and the losses that are reported
/// for it.
fn runs_at(rate: f64) -> (Option<u32>, Vec<u64>) {
    let (mut watch, mut lost) = (LossWatch::new(RATE, LATENCY), Vec::new());
    for millis in (20..30_000_u64).step_by(20) {
        match watch.look(millis * 1_000_000, (millis as f64 / 1e3 * rate) as u64) {
            Some(Finding::OtherRate(rate)) => return (Some(rate), lost),
            Some(Finding::Lost(frames)) => lost.push(frames),
            None => {}
        }
    }
    (None, lost)
}

#[test]
fn a_device_that_runs_at_another_rate_than_it_says_is_found_out_before_anything_is_called_lost() {
    for (rate, found) in [(24_000.0, 24_000), (44_100.0, 44_100), (96_000.0, 96_000), (16_010.0, 16_000)] {
        assert_eq!(runs_at(rate), (Some(found), vec![]), "{rate}");
    }
    for rate in [47_760.0, 48_000.0, 48_240.0] {
        assert_eq!(runs_at(rate), (None, vec![]), "{rate}");
    }
    // No rate that anything runs at: this is loss without end.
    let (rate, lost) = runs_at(37_000.0);
    assert!(rate.is_none() && !lost.is_empty());
}

#[test]
fn a_gap_that_was_told_is_not_found_again() {
    let mut device = Device::of(0.998, 480);
    device.run_late(20.0, &mut std::iter::repeat(0.0));
    device.time += 5.0;
    device.watch.note_missing((device.time * 1e9) as u64, 5 * u64::from(RATE));
    device.run_late(60.0, &mut std::iter::repeat(0.0));
    device.assert_found(&[], 0.0);
}

/// Factors, the outermost among them.
fn factor() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.995), Just(1.005), Just(1.0), 0.995..1.005]
}

proptest! {
    #[test]
    fn clocks_that_drift_and_jitter_lose_nothing(
        factor in factor(),
        late in prop::collection::vec(0.0..0.14_f64, 2_000),
    ) {
        let mut device = Device::of(factor, BLOCK);
        late.into_iter().for_each(|late| device.deliver(late));
        prop_assert!(device.found.is_empty(), "{:?} at {:?}", device.found, device.when);
    }

    #[test]
    fn a_machine_that_is_busy_for_seconds_loses_nothing(
        factor in factor(),
        phases in prop::collection::vec((0.0..0.2_f64, 1_usize..60), 1..40),
        jitter in prop::collection::vec(0.0..0.03_f64, 1_000),
    ) {
        // Whole stretches in which every block is late, and quiet ones between.
        let (mut device, mut jitter) = (Device::of(factor, BLOCK), jitter.into_iter().cycle());
        for (late, blocks) in phases {
            for block in 0..blocks {
                // Now and then it catches up: nothing is held up for ever.
                let late = if block % 16 >= 9 { 0.0 } else { late };
                device.deliver(late + jitter.next().unwrap_or_default());
            }
            (0..30).for_each(|_| device.deliver(jitter.next().unwrap_or_default()));
        }
        prop_assert!(device.found.is_empty(), "{:?} at {:?}", device.found, device.when);
    }

    #[test]
    fn any_loss_above_the_threshold_is_measured_to_the_jitter(
        factor in factor(),
        blocks in 7_u32..200,
        late in prop::collection::vec(0.0..0.04_f64, 400),
    ) {
        let mut device = Device::of(factor, BLOCK);
        late.iter().for_each(|late| device.deliver(*late));
        device.lose(blocks);
        late.iter().for_each(|late| device.deliver(*late));
        prop_assert_eq!(device.found.len(), 1);
        prop_assert!(device.found[0].abs_diff(u64::from(blocks) * BLOCK) < 1_920, "{:?}", device.found);
    }

    /// A tenth of a second is missing: at every clock, with blocks of every length, with late ones, and with stretches in
    /// which nothing comes and then everything at once.
    #[test]
    fn a_hole_of_100_ms_is_found_to_5_ms_within_12_s_at_every_clock(
        factor in factor(),
        block in 120_u64..2_400,
        jitter in 0.0..0.02_f64,
        late in prop::collection::vec(0.0..1.0_f64, 997),
        burst in 1_u32..12,
        before in 8.0..60.0_f64,
    ) {
        let mut device = Device::of(factor, block);
        let mut late = late.into_iter().cycle().map(|part| part * jitter);
        let burst = burst.min((0.25 / device.period) as u32).max(1);
        for stretch in [before, 12.0] {
            let end = device.time + stretch;
            while device.time < end {
                device.run_late(1.0, &mut late);
                device.hold_up(burst);
            }
            if stretch == before {
                prop_assert!(device.found.is_empty(), "{:?} at {:?}", device.found, device.when);
                device.time += 0.1;
            }
        }
        prop_assert_eq!(device.found.len(), 1, "{:?}", device.found);
        prop_assert!(device.found[0].abs_diff(4_800) <= 240, "{:?}", device.found);
        device.run_late(30.0, &mut late);
        prop_assert_eq!(device.found.len(), 1, "{:?}", device.found);
    }

    /// The same where a thread polls at intervals what has come in blocks: each may have come right after a look,
    /// except those that are waited for.
    #[test]
    fn a_hole_is_found_by_who_looks_now_and_then(
        factor in factor(),
        block in 240_u64..2_050,
        nap in 0.1..0.25_f64,
        varied in prop::collection::vec(0.8..1.2_f64, 997),
        before in 20.0..60.0_f64,
        waits in any::<bool>(),
    ) {
        let block = if waits { block } else { block.min(1_200) };
        let (mut watch, mut found, mut time) = (LossWatch::new(RATE, Duration::from_secs_f64(nap)), Vec::new(), 0.0);
        let made = |time: f64| {
            let missing = if time > before { 0.1_f64.min(time - before) } else { 0.0 };
            ((time - missing) * factor * f64::from(RATE)) as u64 / block * block
        };
        for (look, part) in varied.iter().cycle().enumerate() {
            time += nap * part;
            if waits && look % 5 == 4 {
                let lost = if time > before { 0.1 } else { 0.0 };
                // When the next block is whole.
                time = (made(time) + block) as f64 / factor / f64::from(RATE) + lost + 1e-6;
            }
            if time > before + 40.0 {
                break;
            }
            if let Some(finding) = watch.look((time * 1e9) as u64, made(time)) {
                found.push((time, finding));
            }
        }
        prop_assert_eq!(found.len(), 1, "{:?}", &found);
        let (at, Finding::Lost(lost)) = found[0] else { panic!("{found:?}") };
        prop_assert!(at > before && at < before + 12.0, "{:?}", found);
        prop_assert!(lost.abs_diff(4_800) <= if waits { 240 } else { 432 }, "{:?}", found);
    }
}

/// Deliveries as they really came, for 24 s each: of a null sink of PulseAudio and of a null source of PipeWire, on two
/// busy cores, by each way to them; `-json` and cpal with buffers of 100 ms, the others with 250 ms. A line is the time since
/// the one before, in microseconds, and the frames that came with it. The number is how exactly a loss can be measured
/// there, in frames: where each look finds blocks of another age, and there are few looks, the worst of many is worse.
const TRACES: [(&str, u64, &str); 8] = [
    ("pulse", 360, include_str!("traces/pulse.txt")),
    ("pulse-json", 240, include_str!("traces/pulse-json.txt")),
    ("pipewire-pulse", 240, include_str!("traces/pipewire-pulse.txt")),
    ("pipewire-pulse-json", 240, include_str!("traces/pipewire-pulse-json.txt")),
    ("alsa", 530, include_str!("traces/alsa.txt")),
    ("alsa-json", 240, include_str!("traces/alsa-json.txt")),
    ("cpal-pulse", 240, include_str!("traces/cpal-pulse.txt")),
    ("cpal-alsa", 240, include_str!("traces/cpal-alsa.txt")),
];

/// The looks of a trace, `seconds` long: its end is followed by its middle.
fn looks(trace: &str, seconds: f64) -> Vec<(f64, f64)> {
    let mut lines = Vec::new();
    let (mut time, mut frames) = (0.0, 0.0);
    for line in trace.lines() {
        let (micros, came) = line.split_once(' ').unwrap();
        time += micros.parse::<f64>().unwrap() / 1e6;
        frames += came.parse::<f64>().unwrap();
        lines.push((time, frames));
    }
    let steady = lines.iter().position(|(time, _)| *time > 2.0).unwrap();
    let turn = lines[lines.len() - 1].0 - lines[steady].0;
    let mut all = lines.clone();
    for n in 1.. {
        if all[all.len() - 1].0 > seconds {
            return all;
        }
        let shift = f64::from(n) * turn;
        let again = lines.iter().skip(steady + 1);
        all.extend(again.map(|(time, frames)| (time + shift, frames + (shift * f64::from(RATE)).round())));
    }
    unreachable!()
}

/// What is found in a trace of a device that runs at `factor` and loses 100 ms after `hole` seconds, and when.
fn find(trace: &str, latency: Duration, factor: f64, hole: f64) -> Vec<(f64, Finding)> {
    let mut watch = LossWatch::new(RATE, latency);
    let mut found = Vec::new();
    for (time, frames) in looks(trace, 75.0) {
        let (time, missing) = (time / factor, (time - hole).clamp(0.0, 0.1) * f64::from(RATE));
        let finding = watch.look((time * 1e9) as u64 + 1, (frames - missing).round() as u64);
        found.extend(finding.map(|finding| (time, finding)));
    }
    found
}

#[test]
fn in_deliveries_as_they_really_come_a_hole_is_found_at_every_clock_and_nothing_else() {
    for (name, tolerance, trace) in TRACES {
        let is_watched = name.ends_with("-json") || name.starts_with("cpal");
        let latency = Duration::from_millis(if is_watched { 100 } else { 250 });
        for factor in [0.995, 0.997, 0.999, 1.0, 1.001, 1.003, 1.005] {
            for hole in [15.0, 31.0, 47.3, 52.8] {
                let found = find(trace, latency, factor, hole);
                let [(at, Finding::Lost(lost))] = found[..] else { panic!("{name} {factor} {hole}: {found:?}") };
                let after = at - hole / factor;
                assert!((0.0..12.0).contains(&after), "{name} {factor} {hole}: {after} s later");
                assert!(lost.abs_diff(4_800) <= tolerance, "{name} {factor} {hole}: {lost}");
            }
        }
    }
}
