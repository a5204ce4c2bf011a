//! How recordings end, and in which order that is reported.

use dictaphone::{
    ErrorKind,
    audio::{AudioFormat, SampleFormat},
    capture::{EndReason, PushSource},
    media::{Constraints, MediaRecorder, MediaStreamTrack, RecorderOptions, RecordingState, TrackEvent},
};

use crate::rig::{Fired, Rig, assert_positions, collect, data, devices, heard, track_event};

#[test]
fn start_and_stop_in_one_turn_still_give_start_data_stop() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.recorder.stop().unwrap();
    assert_eq!(rig.finish().0, [Fired::Start, data(0), Fired::Stop]);
}

#[test]
fn when_every_track_is_stopped_the_recording_ends_without_an_error() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.push(500);
    rig.stream.tracks().iter().for_each(MediaStreamTrack::stop);
    let (fired, blobs) = rig.finish();
    assert_eq!(fired, [Fired::Start, data(500), Fired::Stop]);
    assert_eq!(rig.recorder.state(), RecordingState::Inactive);
    assert_positions(&blobs, heard(0..500));
}

#[test]
fn an_unplugged_device_ends_the_recording_and_what_was_gathered_is_kept() {
    let rig = Rig::new();
    let track_events = rig.stream.tracks()[0].events();
    rig.recorder.start(None).unwrap();
    rig.push(500);
    rig.microphone.unplug();
    let (fired, blobs) = rig.finish();
    assert_eq!(fired, [Fired::Start, data(500), Fired::Stop]);
    assert_positions(&blobs, heard(0..500));
    assert!(matches!(track_event(&track_events), TrackEvent::Ended(EndReason::DeviceLost(_))));
    assert!(!rig.stream.active());
}

#[test]
fn a_track_added_while_recording_is_an_invalid_modification() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.push(20);
    rig.stream.add_track(&rig.stream.tracks()[0].duplicate());
    let (fired, blobs) = rig.finish();
    assert_eq!(fired, [Fired::Start, Fired::Error(ErrorKind::InvalidModification), data(20), Fired::Stop]);
    assert_positions(&blobs, heard(0..20));
}

#[test]
fn a_track_removed_while_recording_is_an_invalid_modification() {
    let rig = Rig::new();
    let track = rig.stream.tracks().remove(0);
    rig.recorder.start(None).unwrap();
    rig.push(20);
    rig.stream.remove_track(&track);
    let (fired, _) = rig.finish();
    assert_eq!(fired, [Fired::Start, Fired::Error(ErrorKind::InvalidModification), data(20), Fired::Stop]);
}

#[test]
fn adding_a_present_track_or_removing_an_absent_one_does_nothing() {
    let rig = Rig::new();
    let track = rig.stream.tracks().remove(0);
    let absent = track.duplicate();
    rig.recorder.start(None).unwrap();
    rig.stream.add_track(&track);
    rig.stream.remove_track(&absent);
    rig.push(20);
    rig.recorder.stop().unwrap();
    assert_eq!(rig.finish().0, [Fired::Start, data(20), Fired::Stop]);
}

#[test]
fn a_modified_stream_that_is_not_recorded_is_no_error() {
    let rig = Rig::new();
    rig.stream.add_track(&rig.stream.tracks()[0].duplicate());
    rig.recorder.start(None).unwrap();
    rig.recorder.stop().unwrap();
    assert_eq!(rig.finish().0, [Fired::Start, data(0), Fired::Stop]);
}

#[test]
fn a_stop_that_comes_before_the_end_is_delivered_wins() {
    // Many times, because the pump may or may not have delivered the end when stop is called: then stop says so.
    for _ in 0..50 {
        let rig = Rig::new();
        rig.recorder.start(None).unwrap();
        rig.push(20);
        rig.stream.add_track(&rig.stream.tracks()[0].duplicate());
        let expected = match rig.recorder.stop() {
            Ok(()) => vec![Fired::Start, data(20), Fired::Stop],
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidState);
                vec![Fired::Start, Fired::Error(ErrorKind::InvalidModification), data(20), Fired::Stop]
            }
        };
        assert_eq!(rig.finish().0, expected);
        assert!(rig.events.try_recv().is_err(), "each event is fired once");
    }
}

#[test]
fn an_ending_of_one_recording_does_not_touch_the_next() {
    let rig = Rig::new();
    for _ in 0..50 {
        rig.recorder.start(None).unwrap();
        let extra = rig.stream.tracks()[0].duplicate();
        rig.stream.add_track(&extra);
        let stopped = rig.recorder.stop().is_ok();
        rig.stream.remove_track(&extra);
        if !stopped {
            rig.finish();
            continue;
        }
        rig.recorder.start(None).unwrap();
        rig.push(7);
        rig.recorder.stop().unwrap();
        assert_eq!(rig.finish().0, [Fired::Start, data(0), Fired::Stop]);
        assert_eq!(rig.finish().0, [Fired::Start, data(7), Fired::Stop]);
    }
}

#[test]
fn ended_tracks_are_never_recorded() {
    let rig = Rig::new();
    let clone = rig.stream.duplicate();
    rig.stream.tracks().iter().for_each(MediaStreamTrack::stop);
    assert_eq!(rig.recorder.start(None).unwrap_err().name(), "NotSupportedError");
    let recorder = MediaRecorder::new(&clone, RecorderOptions::default()).unwrap();
    let events = recorder.events();
    recorder.start(None).unwrap();
    rig.push(5);
    recorder.stop().unwrap();
    assert_eq!(collect(&events).0, [Fired::Start, data(5), Fired::Stop]);
}

#[test]
fn a_recording_goes_on_until_the_last_of_its_tracks_has_ended() {
    let rig = Rig::new();
    let second = rig.stream.tracks()[0].duplicate();
    rig.stream.add_track(&second);
    rig.recorder.start(None).unwrap();
    rig.push(100);
    rig.stream.tracks()[0].stop();
    rig.push(100);
    assert_eq!(rig.recorder.state(), RecordingState::Recording);
    second.stop();
    let (fired, blobs) = rig.finish();
    assert_eq!(fired, [Fired::Start, data(200), Fired::Stop]);
    assert_positions(&blobs, heard(0..200));
}

#[test]
fn tracks_of_two_devices_are_not_supported_together() {
    let format = AudioFormat::new(48_000, 1, SampleFormat::F32);
    let (first, second) = (PushSource::new("first", format), PushSource::new("second", format));
    let devices = devices(&[&first, &second]);
    let open = |id: &str| {
        let constraints = Constraints::default().device_id(dictaphone::media::Constraint::exact(id.to_owned()));
        devices.get_user_media(&constraints).unwrap()
    };
    let stream = open("push:first");
    stream.add_track(&open("push:second").tracks()[0]);
    let recorder = MediaRecorder::new(&stream, RecorderOptions::default()).unwrap();
    assert_eq!(recorder.start(None).unwrap_err().kind(), ErrorKind::NotSupported);
}

#[test]
fn a_source_that_runs_dry_ends_the_recording() {
    let rig = Rig::new();
    let track_events = rig.stream.tracks()[0].events();
    rig.recorder.start(None).unwrap();
    rig.push(33);
    rig.microphone.finish();
    assert_eq!(rig.finish().0, [Fired::Start, data(33), Fired::Stop]);
    assert!(matches!(track_event(&track_events), TrackEvent::Ended(EndReason::Exhausted)));
}
