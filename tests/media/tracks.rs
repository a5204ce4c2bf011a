//! Tracks and streams by themselves.

use std::time::Duration;

use dictaphone::{
    capture::EndReason,
    media::{MediaStream, MediaStreamTrack, ReadyState, TrackEvent, TrackKind},
};

use crate::rig::{RATE, Rig, track_event};

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
    let (track, clone) = (track(&rig), rig.stream.tracks()[0].clone());
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
    let clone = track.clone();
    assert_ne!(clone.id(), track.id());
    assert_eq!((clone.enabled(), clone.ready_state()), (false, ReadyState::Live));
    clone.set_enabled(true);
    assert!(!track.enabled());
    track.stop();
    assert_eq!(clone.ready_state(), ReadyState::Live);
    assert_eq!(track.clone().ready_state(), ReadyState::Ended, "a clone of an ended track is ended");
}

#[test]
fn mute_and_unmute_are_told_and_copied_by_clones() {
    let rig = Rig::new();
    let track = track(&rig);
    let events = track.events();
    rig.microphone.set_muted(true);
    assert!(matches!(track_event(&events), TrackEvent::Mute));
    assert!(track.muted() && track.clone().muted());
    rig.microphone.set_muted(false);
    assert!(matches!(track_event(&events), TrackEvent::Unmute));
    assert!(!track.muted());
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
    let clone = track(&rig).clone();
    rig.stream.tracks()[0].stop();
    assert!(rig.microphone.is_open());
    drop(clone);
    assert!(!rig.microphone.is_open());
}

#[test]
fn a_stream_is_a_set_and_its_lists_are_snapshots() {
    let rig = Rig::new();
    let track = track(&rig);
    let stream = MediaStream::new([track.clone(), track.clone()]);
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
    let clone = rig.stream.clone();
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
