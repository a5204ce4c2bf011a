//! Players on outputs that the test pulls, with recordings whose samples encode their frame numbers.

use std::{
    thread,
    time::{Duration, Instant},
};

use proptest::prelude::*;

use super::*;
use crate::{
    audio::{AudioFormat, Metadata, SampleFormat},
    error::{Error, ErrorKind, Result},
    format::Decoder,
};

const TIMEOUT: Duration = Duration::from_secs(20);
/// One of these is the step from frame to frame; up to 2²⁴ of them are exact.
const STEP: f32 = 1.0 / 16_777_216.0;

struct Recording {
    format: AudioFormat,
    frames: u64,
    claimed: Option<u64>,
    fails_at: Option<u64>,
    next: u64,
    tags: Metadata,
}

fn recording(rate: u32, channels: u16, frames: u64) -> Recording {
    let format = AudioFormat::new(rate, channels, SampleFormat::F32);
    Recording { format, frames, claimed: Some(frames), fails_at: None, next: 0, tags: Metadata::default() }
}

impl Decoder for Recording {
    fn container(&self) -> &'static str {
        "test"
    }

    fn format(&self) -> AudioFormat {
        self.format
    }

    fn frames(&self) -> Option<u64> {
        self.claimed
    }

    fn read(&mut self, out: &mut Vec<f32>, max_frames: usize) -> Result<usize> {
        for read in 0..max_frames {
            if self.fails_at == Some(self.next) {
                self.fails_at = None;
                return Err(Error::new(ErrorKind::Unknown, "the disk is broken"));
            }
            if self.next >= self.frames {
                return Ok(read);
            }
            out.extend(std::iter::repeat_n(self.next as f32 * STEP, self.format.channels.into()));
            self.next += 1;
        }
        Ok(max_frames)
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        self.next = frame;
        Ok(())
    }

    fn metadata(&self) -> &Metadata {
        &self.tags
    }
}

fn player(recording: Recording) -> (Player, Puller) {
    let (output, puller) = PulledOutput::new(None);
    (Player::open(Box::new(recording), Box::new(output)).unwrap(), puller)
}

fn until(player: &Player, condition: impl Fn(&PlayerState) -> bool) -> PlayerState {
    let limit = Instant::now() + TIMEOUT;
    loop {
        let state = player.state();
        if condition(&state) {
            return state;
        }
        assert!(Instant::now() < limit, "still {state:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The same, with a short message when they differ.
#[track_caller]
fn assert_same(heard: &[u64], expected: impl IntoIterator<Item = u64>) {
    let expected: Vec<u64> = expected.into_iter().collect();
    let differs = heard.iter().zip(&expected).position(|(a, b)| a != b);
    assert!(differs.is_none(), "frame {differs:?} is {:?}", differs.and_then(|i| heard.get(i)));
    assert_eq!(heard.len(), expected.len());
}

fn frames(puller: &Puller, count: usize) -> Vec<u64> {
    let samples = puller.pull(count, 1, TIMEOUT);
    samples.iter().map(|sample| (sample / STEP) as u64).collect()
}

/// Pulls until nothing has come for a while and the player is at its end.
fn rest(player: &Player, puller: &Puller) -> Vec<u64> {
    let mut all = Vec::new();
    let limit = Instant::now() + TIMEOUT;
    while player.state().status == Status::Playing {
        assert!(Instant::now() < limit, "still {:?} after {} frames", player.state(), all.len());
        let samples = puller.pull(1 << 20, 1, Duration::from_millis(5));
        all.extend(samples.iter().map(|sample| (sample / STEP) as u64));
    }
    all
}

#[test]
fn a_recording_is_heard_whole_and_in_order() {
    let (player, puller) = player(recording(8_000, 1, 10_000));
    assert_eq!((player.state().status, puller.is_open()), (Status::Paused, false));
    player.play();
    until(&player, |state| state.status == Status::Playing);
    assert_same(&rest(&player, &puller), 0..10_000);
    let state = player.state();
    assert_eq!((state.status, state.position, state.length), (Status::Ended, 10_000, Some(10_000)));
    assert_eq!((state.elapsed(), state.duration()), (Duration::from_millis(1250), Some(Duration::from_millis(1250))));
}

#[test]
fn the_position_is_the_frame_that_is_heard() {
    let (player, puller) = player(recording(8_000, 1, 100_000));
    player.play();
    let mut heard = 0;
    for count in [1, 100, 1599, 3000] {
        heard += frames(&puller, count).len() as u64;
        until(&player, |state| state.position == heard);
    }
}

#[test]
fn a_seek_is_exact_and_stays_within_the_recording() {
    for (target, first) in [(0, 0), (1, 1), (4_321, 4_321), (9_999, 9_999)] {
        let (player, puller) = player(recording(8_000, 1, 10_000));
        player.play();
        assert_same(&frames(&puller, 100), 0..100);
        until(&player, |state| state.position == 100);
        player.seek(target);
        until(&player, |state| state.position == target);
        assert_same(&rest(&player, &puller), first..10_000);
    }
    let (player, puller) = player(recording(8_000, 1, 10_000));
    player.seek(10_001);
    until(&player, |state| state.position == 10_000 && state.status == Status::Paused);
    player.seek_back(Duration::from_millis(1));
    until(&player, |state| state.position == 9_992);
    player.seek_forward(Duration::MAX);
    player.seek_back(Duration::MAX);
    player.seek_forward(Duration::from_secs(1));
    player.play();
    assert_same(&frames(&puller, 10), 8_000..8_010);
    player.seek(u64::MAX);
    until(&player, |state| state.status == Status::Ended && state.position == 10_000);
}

#[test]
fn a_pause_holds_the_place_and_gives_the_device_back() {
    let (player, puller) = player(recording(8_000, 1, 100_000));
    player.play();
    assert_eq!(frames(&puller, 1000).len(), 1000);
    player.pause();
    until(&player, |state| state.status == Status::Paused);
    // The fade of 5 ms.
    assert_eq!(puller.pull(1000, 1, Duration::from_millis(50)).len(), 40);
    let limit = Instant::now() + TIMEOUT;
    while puller.is_open() {
        assert!(Instant::now() < limit);
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(player.state().position, 1040);
    player.toggle();
    assert_same(&frames(&puller, 10), 1040..1050);
    assert_eq!(puller.opened(), 2);
}

#[test]
fn playing_after_the_end_begins_at_the_start() {
    let (player, puller) = player(recording(8_000, 1, 500));
    for _ in 0..2 {
        player.play();
        until(&player, |state| state.status == Status::Playing);
        assert_same(&rest(&player, &puller), 0..500);
    }
    player.seek(100);
    until(&player, |state| state.status == Status::Paused && state.position == 100);
}

#[test]
fn an_empty_recording_is_at_its_end_at_once() {
    for claimed in [Some(0), None, Some(1_000)] {
        let (player, _puller) = player(Recording { claimed, ..recording(8_000, 2, 0) });
        player.play();
        let state = until(&player, |state| state.status == Status::Ended);
        assert_eq!((state.position, state.length), (0, Some(0)));
    }
}

#[test]
fn a_repeat_goes_back_at_its_end_without_a_seam() {
    let (player, puller) = player(recording(8_000, 1, 10_000));
    player.set_loop(Some(1_000..1_500));
    player.seek(900);
    player.play();
    let expected: Vec<u64> = (900..1_500).chain(1_000..1_500).chain(1_000..1_200).collect();
    assert_same(&frames(&puller, expected.len()), expected);
    until(&player, |state| state.position == 1_200);
    player.set_loop(None);
    until(&player, |state| state.repeat.is_none());
    assert_eq!(rest(&player, &puller).last(), Some(&9_999));
}

#[test]
fn a_repeat_that_is_set_at_its_end_goes_to_its_start() {
    let (player, puller) = player(recording(8_000, 1, 10_000));
    player.play();
    assert_eq!(frames(&puller, 3_000).len(), 3_000);
    until(&player, |state| state.position == 3_000);
    player.set_loop(Some(2_000..3_000));
    until(&player, |state| state.repeat == Some(2_000..3_000) && state.position == 2_000);
    assert_same(&frames(&puller, 1_500), (2_000..3_000).chain(2_000..2_500));
}

#[test]
fn strange_repeats_are_widened_shortened_or_left_out() {
    let (player, puller) = player(recording(8_000, 1, 10_000));
    for (asked, got) in [
        (Some(5..6), Some(5..165)),
        (Some(9_990..u64::MAX), Some(9_990..10_000)),
        (Some(7..7), None),
        (Some(0..20_000), Some(0..10_000)),
        (Some(10_000..10_001), None),
        (None, None),
    ] {
        player.set_loop(asked.clone());
        player.set_volume(1.0);
        until(&player, |state| state.repeat == got);
    }
    player.set_loop(Some(9_990..20_000));
    player.seek(9_980);
    player.play();
    assert_same(&frames(&puller, 30), (9_980..10_000).chain(9_990..10_000));
}

#[test]
fn a_speed_changes_the_length_and_the_position_follows() {
    for speed in [0.5, 2.0, 3.0] {
        let (player, puller) = player(recording(8_000, 1, 80_000));
        player.set_speed(speed);
        player.play();
        let expected = 80_000.0 / speed;
        assert_eq!(puller.pull(expected as usize / 2, 1, TIMEOUT).len(), expected as usize / 2);
        until(&player, |state| state.position.abs_diff(40_000) <= 100);
        let left = rest(&player, &puller).len() as f64;
        assert!((left - expected / 2.0).abs() <= 2.0, "{speed}: {left} frames");
        assert_eq!(until(&player, |state| state.status == Status::Ended).position, 80_000);
    }
    let (player, _puller) = player(recording(8_000, 1, 80_000));
    for (asked, got) in [(0.1, 0.5), (f64::INFINITY, 3.0), (f64::NAN, 3.0), (1.25, 1.25)] {
        player.set_speed(asked);
        player.set_volume(f32::NAN);
        until(&player, |state| state.speed == got && state.volume == 1.0);
    }
}

#[test]
fn what_the_device_runs_at_does_not_matter() {
    let device = AudioFormat::new(48_000, 2, SampleFormat::F32);
    let (output, puller) = PulledOutput::new(Some(device));
    let player = Player::open(Box::new(recording(16_000, 1, 16_000)), Box::new(output)).unwrap();
    player.seek(4_000);
    player.play();
    let samples = puller.pull(48_000, 2, TIMEOUT);
    assert_eq!(samples.len(), 48_000);
    until(&player, |state| state.position == 12_000);
    assert!(samples.as_chunks().0.iter().all(|[left, right]| left == right));
    // Away from the start of the filter: frame n of the line is at n / 3 of the recording.
    for (i, [left, _]) in samples.as_chunks().0.iter().enumerate().skip(12_000) {
        let expected = (4_000.0 + i as f32 / 3.0) * STEP;
        assert!((left - expected).abs() < 2.0 * STEP, "frame {i}: {left} instead of {expected}");
    }
    let mut left = 0;
    while player.state().status == Status::Playing {
        left += puller.pull(48_000, 2, Duration::from_millis(5)).len();
    }
    assert_eq!((left, player.state().position), (24_000, 16_000));
}

#[test]
fn what_came_before_a_broken_place_is_heard_and_playing_tries_again_behind_it() {
    let (player, puller) = player(Recording { fails_at: Some(777), ..recording(8_000, 1, 2_000) });
    player.play();
    until(&player, |state| state.status == Status::Playing);
    assert_same(&rest(&player, &puller), 0..777);
    let state = player.state();
    assert_eq!((state.status, state.position), (Status::Failed, 777));
    assert_eq!(state.error.unwrap().to_string(), "the disk is broken");
    assert!(!puller.is_open());
    player.play();
    until(&player, |state| state.status == Status::Playing && state.error.is_none());
    assert_same(&rest(&player, &puller), 777..2_000);
}

#[test]
fn without_a_loudspeaker_the_player_fails_and_can_be_asked_again() {
    let (player, puller) = player(recording(8_000, 1, 1_000));
    puller.refuse(Error::new(ErrorKind::NotFound, "there is no loudspeaker"));
    player.play();
    let state = until(&player, |state| state.status == Status::Failed);
    assert_eq!(state.error.unwrap().kind(), ErrorKind::NotFound);
    player.play();
    assert_eq!(frames(&puller, 1_000).len(), 1_000);
}

#[test]
fn a_lost_device_keeps_the_place() {
    let (player, puller) = player(recording(8_000, 1, 10_000));
    player.play();
    assert_eq!(frames(&puller, 1_234).len(), 1_234);
    until(&player, |state| state.position == 1_234);
    puller.lose(Error::new(ErrorKind::NotReadable, "the loudspeaker is gone"));
    let state = until(&player, |state| state.status == Status::Failed);
    assert_eq!((state.position, state.error.unwrap().kind()), (1_234, ErrorKind::NotReadable));
    player.play();
    assert_same(&frames(&puller, 10), 1_234..1_244);
}

#[test]
fn the_clock_takes_frames_as_time_passes() {
    let player = Player::open(Box::new(recording(8_000, 2, 1_600)), Box::new(ClockOutput)).unwrap();
    let begin = Instant::now();
    player.play();
    until(&player, |state| state.status == Status::Ended);
    assert!(begin.elapsed() >= Duration::from_millis(200));
}

#[derive(Debug, Clone)]
enum Step {
    Play,
    Pause,
    Toggle,
    Seek(u64),
    Back(u64),
    Speed(f64),
    Repeat(Option<(u64, u64)>),
    Pull(usize),
    Lose,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Play),
        Just(Step::Pause),
        Just(Step::Toggle),
        (0_u64..6_000).prop_map(Step::Seek),
        (0_u64..2_000).prop_map(Step::Back),
        (0.3..3.5_f64).prop_map(Step::Speed),
        proptest::option::of((0_u64..6_000, 0_u64..6_000)).prop_map(Step::Repeat),
        (0_usize..2_000).prop_map(Step::Pull),
        Just(Step::Lose),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_asked_for_the_position_stays_within_and_the_player_goes_on(
        steps in prop::collection::vec(step(), 0..20), broken in proptest::option::of(0_u64..5_000),
    ) {
        let (player, puller) = player(Recording { fails_at: broken, ..recording(8_000, 1, 5_000) });
        for step in steps {
            match step {
                Step::Play => player.play(),
                Step::Pause => player.pause(),
                Step::Toggle => player.toggle(),
                Step::Seek(frame) => player.seek(frame),
                Step::Back(millis) => player.seek_back(Duration::from_millis(millis)),
                Step::Speed(speed) => player.set_speed(speed),
                Step::Repeat(range) => player.set_loop(range.map(|(from, to)| from..to)),
                Step::Pull(count) => drop(puller.pull(count, 1, Duration::from_millis(2))),
                Step::Lose => puller.lose(Error::new(ErrorKind::NotReadable, "gone")),
            }
            prop_assert!(player.state().position <= 5_000);
        }
        player.set_loop(None);
        player.set_speed(1.0);
        player.seek(4_000);
        let state = until(&player, |state| state.repeat.is_none() && state.speed == 1.0);
        prop_assert!(state.position <= 5_000);
        let limit = Instant::now() + TIMEOUT;
        while player.state().status != Status::Ended {
            prop_assert!(Instant::now() < limit, "still {:?}", player.state());
            // A lost device that has not been noticed yet, and the broken place, take one attempt each.
            if player.state().status != Status::Playing {
                player.play();
            }
            drop(puller.pull(1 << 20, 1, Duration::from_millis(5)));
        }
        let state = player.state();
        prop_assert_eq!((state.status, state.position), (Status::Ended, 5_000));
    }
}
