//! Tracks and streams by themselves.

use std::{
    sync::mpsc::RecvTimeoutError,
    time::{Duration, Instant},
};

use dictaphone::{
    capture::{self, EndReason, Pace},
    media::{
        Constraint, Constraints, MediaDevices, MediaStream, MediaStreamTrack, ReadyState, Tap, TrackEvent, TrackKind,
    },
};

use crate::rig::{DEADLINE, RATE, Rig, assert_positions, devices, heard, microphone, step, track_event};

fn track(rig: &Rig) -> MediaStreamTrack {
    rig.stream.tracks().remove(0)
}

#[test]
fn a_fresh_track_is_live_enabled_and_named_after_its_device() {
    let rig = Rig::new();
    let track = track(&rig);
    assert_eq!((track.kind(), track.ready_state()), (TrackKind::Audio, ReadyState::Live));
    assert_eq!((track.enabled(), track.muted(), track.label()), (true, false, "microphone"));
    assert_eq!(rig.stream.track_by_id(track.id()).as_ref(), Some(&track));
}

#[test]
fn a_stopped_track_is_ended_when_stop_returns_and_fires_nothing() {
    let rig = Rig::new();
    let (track, clone) = (track(&rig), rig.stream.tracks()[0].duplicate());
    let (events, clone_events) = (track.events(), clone.events());
    track.stop();
    assert_eq!(track.ready_state(), ReadyState::Ended);
    track.stop();
    rig.microphone.unplug();
    assert!(matches!(track_event(&clone_events), TrackEvent::Ended(_)), "the clone hears of the end");
    assert!(events.try_recv().is_err(), "the stopped track does not");
}

#[test]
fn an_end_is_told_once_and_for_ever() {
    let rig = Rig::new();
    let track = track(&rig);
    let events = track.events();
    rig.microphone.unplug();
    assert!(matches!(track_event(&events), TrackEvent::Ended(EndReason::DeviceLost(_))));
    rig.microphone.plug_in();
    rig.microphone.unplug();
    track.stop();
    assert_eq!(track.ready_state(), ReadyState::Ended);
    assert!(events.recv_timeout(Duration::from_millis(50)).is_err());
    assert!(!rig.stream.active());
}

#[test]
fn a_clone_has_a_new_id_and_the_same_state_and_lives_on_its_own() {
    let rig = Rig::new();
    let track = track(&rig);
    track.set_enabled(false);
    let clone = track.duplicate();
    assert_ne!(clone.id(), track.id());
    assert_eq!((clone.enabled(), clone.ready_state()), (false, ReadyState::Live));
    clone.set_enabled(true);
    assert!(!track.enabled());
    track.stop();
    assert_eq!(clone.ready_state(), ReadyState::Live);
    assert_eq!(track.duplicate().ready_state(), ReadyState::Ended, "a clone of an ended track is ended");
}

#[test]
fn mute_and_unmute_are_told_and_copied_by_clones() {
    let rig = Rig::new();
    let track = track(&rig);
    let events = track.events();
    rig.microphone.set_muted(true);
    assert!(matches!(track_event(&events), TrackEvent::Mute));
    assert!(track.muted() && track.duplicate().muted());
    rig.microphone.set_muted(false);
    assert!(matches!(track_event(&events), TrackEvent::Unmute));
    assert!(!track.muted());
}

/// Waits until the track is as muted as it should be.
fn wait_until_muted(track: &MediaStreamTrack, muted: bool, context: &str) {
    let deadline = Instant::now() + DEADLINE;
    while track.muted() != muted {
        assert!(Instant::now() < deadline, "{context}: muted is {} for good", track.muted());
        std::thread::yield_now();
    }
}

#[test]
fn a_source_that_is_muted_before_it_is_opened_gives_a_muted_track() {
    let microphone = microphone(1);
    let devices = devices(&[&microphone]);
    for round in 0..300 {
        microphone.set_muted(round % 2 == 0);
        let stream = devices.get_user_media(&Constraints::default()).unwrap();
        assert_eq!(stream.tracks()[0].muted(), round % 2 == 0, "round {round}");
        let second = devices.get_user_media(&Constraints::default()).unwrap();
        assert_eq!(second.tracks()[0].muted(), round % 2 == 0, "round {round}, a second track of the same source");
    }
}

#[test]
fn a_track_that_is_made_while_the_source_mutes_itself_comes_to_the_same_state() {
    let rig = Rig::new();
    let track = track(&rig);
    for round in 0..300 {
        let (first, last) = (round % 2 == 0, round % 4 < 2);
        rig.microphone.set_muted(first);
        rig.microphone.set_muted(last);
        let clone = track.duplicate();
        let shared = rig.devices.get_user_media(&Constraints::default()).unwrap().tracks().remove(0);
        for (track, which) in [(&track, "track"), (&clone, "clone"), (&shared, "track of another stream")] {
            wait_until_muted(track, last, &format!("round {round}, {which}"));
        }
    }
}

#[test]
fn settings_tell_the_values_in_use_and_only_the_device_after_the_end() {
    let rig = Rig::new();
    let track = track(&rig);
    let settings = track.settings();
    assert_eq!((settings.sample_rate, settings.channel_count, settings.sample_size), (Some(RATE), Some(1), Some(32)));
    track.stop();
    let settings = track.settings();
    assert_eq!(settings.device_id, "push:microphone");
    assert_eq!((settings.sample_rate, settings.channel_count, settings.sample_size), (None, None, None));
    assert_eq!(settings.latency, None);
}

#[test]
fn a_track_that_is_dropped_ends_and_releases_the_device() {
    let rig = Rig::new();
    let clone = track(&rig).duplicate();
    rig.stream.tracks()[0].stop();
    assert!(rig.microphone.is_open());
    drop(clone);
    assert!(!rig.microphone.is_open());
}

#[test]
fn a_stream_is_a_set_and_its_lists_are_snapshots() {
    let rig = Rig::new();
    let track = track(&rig);
    let stream = MediaStream::new([track.duplicate(), track.duplicate()]);
    assert_eq!(stream.tracks().len(), 2, "clones are tracks of their own");
    let snapshot = stream.tracks();
    stream.add_track(&snapshot[0]);
    assert_eq!(stream.tracks().len(), 2, "a present track is not added again");
    stream.remove_track(&snapshot[1]);
    assert_eq!((stream.tracks().len(), snapshot.len()), (1, 2));
    stream.remove_track(&snapshot[1]);
    assert_eq!(stream.tracks().len(), 1, "an absent track is not removed");
}

#[test]
fn a_cloned_stream_has_new_ids_throughout() {
    let rig = Rig::new();
    let clone = rig.stream.duplicate();
    assert_ne!(clone.id(), rig.stream.id());
    assert_ne!(clone.tracks()[0].id(), rig.stream.tracks()[0].id());
    assert!(clone.active());
}

#[test]
fn a_stream_is_active_while_a_track_is_live() {
    let rig = Rig::new();
    assert!(rig.stream.active());
    track(&rig).stop();
    assert!(!rig.stream.active());
    assert!(!MediaStream::new([]).active());
}

/// Everything a tap passes until `frames` frames are there.
fn tapped(tap: &Tap, frames: usize) -> Vec<f32> {
    let mut samples = Vec::new();
    let deadline = std::time::Instant::now() + DEADLINE;
    while samples.len() < frames {
        assert!(std::time::Instant::now() < deadline, "{} of {frames} frames passed", samples.len());
        if tap.read(&mut samples) == 0 {
            std::thread::yield_now();
        }
    }
    samples
}

#[test]
fn a_tap_passes_what_comes_after_it_without_a_recorder() {
    let rig = Rig::new();
    rig.push(100);
    let tap = track(&rig).tap(64);
    rig.push(50);
    assert_eq!(tapped(&tap, 50), (100..150).map(step).collect::<Vec<_>>());
    assert_eq!((tap.format().sample_rate, tap.missed_frames()), (RATE, 0));
}

#[test]
fn a_tap_of_a_disabled_track_passes_silence_of_full_length() {
    let rig = Rig::new();
    let track = track(&rig);
    let tap = track.tap(64);
    rig.push(10);
    track.set_enabled(false);
    rig.push(10);
    let expected: Vec<f32> = (0..10).map(step).chain([0.0; 10]).collect();
    assert_eq!(tapped(&tap, 20), expected);
}

#[test]
fn a_tap_that_nobody_reads_takes_nothing_from_a_recording() {
    let rig = Rig::new();
    let tap = track(&rig).tap(1);
    rig.recorder.start(None).unwrap();
    for _ in 0..50 {
        rig.push(100);
    }
    rig.recorder.stop().unwrap();
    let (_, blobs) = rig.finish();
    assert_positions(&blobs, heard(0..5_000));
    let mut samples = Vec::new();
    let read = tap.read(&mut samples) as u64;
    assert_eq!(read + tap.missed_frames(), 5_000);
}

#[test]
fn a_tap_does_not_keep_the_device_open() {
    let rig = Rig::new();
    let track = track(&rig);
    let tap = track.tap(64);
    track.stop();
    assert!(!rig.microphone.is_open());
    let ended = track.tap(64);
    assert_eq!((tap.read(&mut Vec::new()), ended.read(&mut Vec::new())), (0, 0));
}

#[test]
fn a_generator_begins_to_run_with_its_first_tap() {
    let devices = MediaDevices::with_backends(capture::backends(Pace::RealTime));
    let constraints = Constraints::default().device_id(Constraint::exact("tone".to_owned()));
    let stream = devices.get_user_media(&constraints).unwrap();
    let tap = stream.tracks()[0].tap(64);
    assert!(tapped(&tap, 4_800).iter().any(|sample| *sample != 0.0));
}

#[test]
fn a_track_tells_what_its_device_can_and_what_it_was_made_with() {
    let microphone = microphone(2);
    let wanted = Constraints::default().channel_count(Constraint::ideal(2));
    let stream = devices(&[&microphone]).get_user_media(&wanted).unwrap();
    let track = stream.tracks().remove(0);
    let capabilities = track.capabilities();
    assert_eq!((capabilities.sample_rate, capabilities.channel_count), ((RATE, RATE), (2, 2)));
    assert_eq!(capabilities.sample_size, (32, 32));
    assert!(capabilities.latency.0 > 0.0 && capabilities.latency.1 >= capabilities.latency.0);
    assert_eq!((track.constraints(), track.duplicate().constraints()), (wanted.clone(), wanted));
    track.stop();
    assert_eq!(track.capabilities(), capabilities);
}

#[test]
fn the_events_of_a_track_end_when_nothing_can_come_any_more() {
    let rig = Rig::new();
    let (track, clone) = (track(&rig), rig.stream.tracks()[0].duplicate());
    let (events, clone_events) = (track.events(), clone.events());
    track.stop();
    assert_eq!(events.recv_timeout(DEADLINE).unwrap_err(), RecvTimeoutError::Disconnected);
    rig.microphone.unplug();
    assert!(matches!(track_event(&clone_events), TrackEvent::Ended(_)));
    assert_eq!(clone_events.recv_timeout(DEADLINE).unwrap_err(), RecvTimeoutError::Disconnected);
    assert_eq!(clone.events().recv_timeout(DEADLINE).unwrap_err(), RecvTimeoutError::Disconnected);
}
