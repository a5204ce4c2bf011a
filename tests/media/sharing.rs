//! Sources that are shared, and devices that are released.

use dictaphone::{
    ErrorKind,
    media::{Constraint, Constraints, MediaRecorder, MediaStreamTrack, ReadyState, RecorderOptions},
};

use crate::rig::{Fired, Rig, assert_positions, collect, data, devices, heard};

#[test]
fn two_recorders_on_one_microphone_record_what_each_was_told() {
    let rig = Rig::new();
    let second = MediaRecorder::new(&rig.stream, RecorderOptions::default()).unwrap();
    let second_events = second.events();
    rig.recorder.start(None).unwrap();
    rig.push(100);
    second.start(None).unwrap();
    rig.push(100);
    rig.recorder.stop().unwrap();
    rig.push(100);
    second.stop().unwrap();
    assert_positions(&rig.finish().1, heard(0..200));
    assert_positions(&collect(&second_events).1, heard(100..300));
}

#[test]
fn two_streams_of_one_microphone_share_its_source() {
    let rig = Rig::new();
    let second = rig.devices.get_user_media(&Constraints::default()).unwrap();
    assert_ne!(second.id(), rig.stream.id());
    rig.stream.tracks()[0].stop();
    assert!(rig.microphone.is_open(), "the other stream still uses it");
    second.tracks()[0].stop();
    assert!(!rig.microphone.is_open());
}

#[test]
fn stopping_a_track_leaves_its_clone_alive_and_recording() {
    let rig = Rig::new();
    let clone = rig.stream.duplicate();
    let recorder = MediaRecorder::new(&clone, RecorderOptions::default()).unwrap();
    let events = recorder.events();
    recorder.start(None).unwrap();
    rig.push(50);
    rig.stream.tracks()[0].stop();
    rig.push(50);
    recorder.stop().unwrap();
    assert_positions(&collect(&events).1, heard(0..100));
    assert_eq!(clone.tracks()[0].ready_state(), ReadyState::Live);
}

#[test]
fn the_device_is_released_exactly_when_the_last_track_has_ended() {
    let rig = Rig::new();
    let elsewhere = devices(&[&rig.microphone]);
    let exact = Constraints::default().device_id(Constraint::exact("push:microphone".to_owned()));
    let clone = rig.stream.duplicate();
    rig.stream.tracks().iter().for_each(MediaStreamTrack::stop);
    assert!(rig.microphone.is_open());
    assert_eq!(elsewhere.get_user_media(&exact).unwrap_err().kind(), ErrorKind::NotReadable, "it is in use");
    clone.tracks().iter().for_each(MediaStreamTrack::stop);
    assert!(!rig.microphone.is_open());
    assert!(elsewhere.get_user_media(&exact).is_ok(), "another program can open it");
}

#[test]
fn a_muted_clone_does_not_keep_or_end_the_others() {
    let rig = Rig::new();
    let clone = rig.stream.tracks()[0].duplicate();
    clone.set_enabled(false);
    clone.stop();
    rig.recorder.start(None).unwrap();
    rig.push(10);
    rig.recorder.stop().unwrap();
    assert_positions(&rig.finish().1, heard(0..10));
}

#[test]
fn a_released_device_opens_again_at_once() {
    let rig = Rig::new();
    for _ in 0..20 {
        rig.stream.tracks()[0].stop();
        let again = rig.devices.get_user_media(&Constraints::default()).unwrap();
        assert!(rig.microphone.is_open());
        drop(again);
        assert!(!rig.microphone.is_open(), "a dropped stream lets go");
    }
}

#[test]
fn a_recording_outlives_the_stream_variable() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.push(10);
    drop(rig.stream);
    rig.microphone.push(&[0.0; 10]).unwrap();
    rig.recorder.stop().unwrap();
    assert_eq!(collect(&rig.events).0, [Fired::Start, data(20), Fired::Stop]);
}
