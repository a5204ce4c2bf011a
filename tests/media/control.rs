//! Construction, start, and the table of control methods, cell by cell.

use std::{
    sync::{Arc, Mutex, mpsc::channel},
    time::Duration,
};

use dictaphone::{
    ErrorKind,
    audio::SampleFormat,
    media::{MediaRecorder, MediaStream, RecorderEvent, RecorderOptions, RecordingState, Storage},
};

use crate::rig::{Fired, Rig, assert_positions, data, heard};

fn options(mime_type: &str) -> RecorderOptions {
    RecorderOptions::default().mime_type(mime_type.to_owned())
}

#[test]
fn an_unsupported_mime_type_is_not_supported() {
    let stream = MediaStream::new([]);
    for mime_type in ["video/webm", "audio/wav;codecs=opus", "audio", "audio/wav;codecs", "audio/wav;codecs=\"1,3\""] {
        let error = MediaRecorder::new(&stream, options(mime_type)).unwrap_err();
        assert_eq!(error.name(), "NotSupportedError", "{mime_type}");
        assert!(!MediaRecorder::is_type_supported(mime_type), "{mime_type}");
    }
}

#[test]
fn supported_types_are_parsed_not_compared() {
    for mime_type in ["", "audio/wav", "AUDIO/WAV", "audio/wav;codecs=1", "audio/wav ; codecs=\"1\"", "audio/x-wav"] {
        assert!(MediaRecorder::is_type_supported(mime_type), "{mime_type:?}");
    }
}

#[test]
fn a_recorder_may_be_made_for_an_empty_stream_but_not_started() {
    let recorder = MediaRecorder::new(&MediaStream::new([]), RecorderOptions::default()).unwrap();
    assert_eq!(recorder.state(), RecordingState::Inactive);
    assert_eq!(recorder.start(None).unwrap_err().name(), "NotSupportedError");
    assert_eq!(recorder.state(), RecordingState::Inactive);
}

#[test]
fn the_mime_type_reads_back_until_the_start_event_completes_it() {
    for (asked, full) in [("", "audio/wav;codecs=1"), ("audio/WAV", "audio/wav;codecs=1")] {
        let rig = Rig::with(options(asked));
        assert_eq!(rig.recorder.mime_type(), asked);
        rig.recorder.start(None).unwrap();
        rig.wait_for(|event| matches!(event, RecorderEvent::Start));
        assert_eq!(rig.recorder.mime_type(), full);
        let estimated = rig.recorder.audio_bits_per_second();
        assert!(estimated > 0);
        rig.recorder.stop().unwrap();
        assert_eq!((rig.recorder.mime_type().as_str(), rig.recorder.audio_bits_per_second()), (asked, estimated));
        let (_, blobs) = rig.finish();
        assert_eq!(blobs[0].mime_type(), full);
    }
}

#[test]
fn what_the_encoder_cannot_record_is_not_supported() {
    let rig = Rig::with(options("").channels(Some(60_000)));
    assert_eq!(rig.recorder.start(None).unwrap_err().kind(), ErrorKind::NotSupported);
    assert_eq!(rig.recorder.state(), RecordingState::Inactive);
}

#[test]
fn a_codec_that_contradicts_the_sample_format_is_not_supported() {
    use SampleFormat::{F32, S16, S24};
    for (mime_type, format, full) in [
        ("audio/wav;codecs=3", Some(S16), None),
        ("audio/wav;codecs=1", Some(F32), None),
        ("audio/wav;codecs=3", Some(F32), Some("audio/wav;codecs=3")),
        ("audio/wav;codecs=3", None, Some("audio/wav;codecs=3")),
        ("audio/wav;codecs=1", Some(S24), Some("audio/wav;codecs=1")),
        ("audio/wav", Some(F32), Some("audio/wav;codecs=3")),
    ] {
        let rig = Rig::with(options(mime_type).sample_format(format));
        let outcome = rig.recorder.start(None);
        let Some(full) = full else {
            assert_eq!(outcome.unwrap_err().name(), "NotSupportedError", "{mime_type} {format:?}");
            assert_eq!(rig.recorder.state(), RecordingState::Inactive);
            continue;
        };
        outcome.unwrap();
        rig.wait_for(|event| matches!(event, RecorderEvent::Start));
        assert_eq!(rig.recorder.mime_type(), full, "{format:?}");
    }
}

#[test]
fn start_while_recording_or_paused_is_an_invalid_state_and_changes_nothing() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    assert_eq!(rig.recorder.start(None).unwrap_err().name(), "InvalidStateError");
    assert_eq!(rig.recorder.state(), RecordingState::Recording);
    rig.recorder.pause().unwrap();
    assert_eq!(rig.recorder.start(None).unwrap_err().name(), "InvalidStateError");
    assert_eq!(rig.recorder.state(), RecordingState::Paused);
    rig.recorder.stop().unwrap();
    assert_eq!(rig.finish().0, [Fired::Start, Fired::Pause, data(0), Fired::Stop]);
}

#[test]
fn every_method_but_start_is_an_invalid_state_while_inactive() {
    let rig = Rig::new();
    for call in [MediaRecorder::stop, MediaRecorder::pause, MediaRecorder::resume, MediaRecorder::request_data] {
        assert_eq!(call(&rig.recorder).unwrap_err().name(), "InvalidStateError");
        assert_eq!(rig.recorder.state(), RecordingState::Inactive);
    }
    assert!(rig.events.try_recv().is_err(), "no event is fired");
}

#[test]
fn stop_while_recording_gives_data_and_stop() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.push(1_000);
    rig.recorder.stop().unwrap();
    assert_eq!(rig.recorder.state(), RecordingState::Inactive, "the state changes with the call");
    let (fired, blobs) = rig.finish();
    assert_eq!(fired, [Fired::Start, data(1_000), Fired::Stop]);
    assert_positions(&blobs, heard(0..1_000));
}

#[test]
fn stop_while_paused_gives_no_resume() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.push(100);
    rig.recorder.pause().unwrap();
    rig.push(100);
    rig.recorder.stop().unwrap();
    let (fired, blobs) = rig.finish();
    assert_eq!(fired, [Fired::Start, Fired::Pause, data(100), Fired::Stop]);
    assert_positions(&blobs, heard(0..100));
}

#[test]
fn stop_leaves_the_tracks_live() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.recorder.stop().unwrap();
    rig.finish();
    assert!(rig.stream.active());
    assert!(rig.microphone.is_open());
}

#[test]
fn a_second_stop_is_an_invalid_state() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.recorder.stop().unwrap();
    assert_eq!(rig.recorder.stop().unwrap_err().kind(), ErrorKind::InvalidState);
    assert_eq!(rig.finish().0, [Fired::Start, data(0), Fired::Stop]);
}

#[test]
fn pause_and_resume_cut_exactly_where_they_were_called() {
    let rig = Rig::new();
    rig.push(77);
    rig.recorder.start(None).unwrap();
    rig.push(1_001);
    rig.recorder.pause().unwrap();
    assert_eq!(rig.recorder.state(), RecordingState::Paused);
    rig.push(5_003);
    rig.recorder.resume().unwrap();
    assert_eq!(rig.recorder.state(), RecordingState::Recording);
    rig.push(13);
    rig.recorder.stop().unwrap();
    let (fired, blobs) = rig.finish();
    assert_eq!(fired, [Fired::Start, Fired::Pause, Fired::Resume, data(1_014), Fired::Stop]);
    assert_positions(&blobs, heard(77..1_078).chain(heard(6_081..6_094)));
}

#[test]
fn pause_and_resume_tell_the_frame_of_their_cut() {
    for (sample_rate, expected) in [(None, [1_001, 1_001, 1_014]), (Some(16_000), [334, 334, 338])] {
        let rig = Rig::with(options("").sample_rate(sample_rate));
        rig.recorder.start(None).unwrap();
        rig.push(1_001);
        rig.recorder.pause().unwrap();
        rig.push(5_003);
        rig.recorder.resume().unwrap();
        rig.push(13);
        rig.recorder.pause().unwrap();
        rig.recorder.stop().unwrap();
        let told: Vec<u64> = rig
            .events
            .iter()
            .take_while(|event| !matches!(event, RecorderEvent::Stop))
            .filter_map(|event| match event {
                RecorderEvent::Pause { frame } | RecorderEvent::Resume { frame } => Some(frame),
                _ => None,
            })
            .collect();
        assert_eq!(told, expected, "{sample_rate:?}");
    }
}

#[test]
fn pause_while_paused_and_resume_while_recording_do_nothing() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.recorder.resume().unwrap();
    rig.recorder.pause().unwrap();
    rig.recorder.pause().unwrap();
    rig.recorder.resume().unwrap();
    rig.recorder.resume().unwrap();
    rig.recorder.stop().unwrap();
    assert_eq!(rig.finish().0, [Fired::Start, Fired::Pause, Fired::Resume, data(0), Fired::Stop]);
}

#[test]
fn many_pauses_add_up_to_nothing() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    let mut expected = Vec::new();
    for take in 0..51 {
        rig.push(101);
        expected.extend(heard(take * 204..take * 204 + 101));
        rig.recorder.pause().unwrap();
        rig.push(103);
        rig.recorder.resume().unwrap();
    }
    rig.recorder.stop().unwrap();
    assert_positions(&rig.finish().1, expected);
}

#[test]
fn request_data_hands_over_everything_so_far_and_begins_a_new_blob() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.push(480);
    rig.recorder.request_data().unwrap();
    rig.recorder.request_data().unwrap();
    rig.push(480);
    rig.recorder.pause().unwrap();
    rig.recorder.request_data().unwrap();
    assert_eq!(rig.recorder.state(), RecordingState::Paused, "request_data keeps the state");
    rig.recorder.stop().unwrap();
    let (fired, blobs) = rig.finish();
    let part = |frames, timecode| Fired::Data { frames, timecode };
    assert_eq!(
        fired,
        [Fired::Start, part(480, 0.0), part(0, 10.0), Fired::Pause, part(480, 10.0), part(0, 20.0), Fired::Stop]
    );
    assert_positions(&blobs, heard(0..960));
}

#[test]
fn a_stopped_recorder_records_again_and_the_takes_are_apart() {
    let rig = Rig::new();
    for first in [0, 300] {
        rig.recorder.start(None).unwrap();
        rig.push(200);
        rig.recorder.stop().unwrap();
        rig.push(100);
        let (fired, blobs) = rig.finish();
        assert_eq!(fired, [Fired::Start, data(200), Fired::Stop]);
        assert_positions(&blobs, heard(first..first + 200));
    }
}

#[test]
fn takes_that_follow_at_once_do_not_touch_each_other() {
    let rig = Rig::new();
    for _ in 0..3 {
        rig.recorder.start(None).unwrap();
        rig.push(10);
        rig.recorder.stop().unwrap();
    }
    for take in 0..3 {
        let (fired, blobs) = rig.finish();
        assert_eq!(fired, [Fired::Start, data(10), Fired::Stop]);
        assert_positions(&blobs, heard(take * 10..take * 10 + 10));
    }
}

#[test]
fn in_the_last_events_the_state_is_already_inactive() {
    let rig = Rig::with(options("").max_frames(Some(10)));
    rig.recorder.start(None).unwrap();
    rig.push(50);
    rig.wait_for(|event| matches!(event, RecorderEvent::DataAvailable { .. }));
    assert_eq!(rig.recorder.state(), RecordingState::Inactive);
}

#[test]
fn a_length_that_was_asked_for_is_exact() {
    let rig = Rig::with(options("").max_frames(Some(777)));
    rig.recorder.start(Some(Duration::from_millis(5))).unwrap();
    rig.push(1_000);
    let (fired, blobs) = rig.finish();
    assert_eq!(fired.last(), Some(&Fired::Stop));
    assert_positions(&blobs, heard(0..777));
    rig.recorder.start(None).unwrap();
}

#[test]
fn the_recording_is_as_deep_and_as_wide_as_asked() {
    let rig = Rig::with(options("").sample_rate(Some(16_000)).channels(Some(2)).sample_format(Some(SampleFormat::S24)));
    rig.recorder.start(None).unwrap();
    rig.push(48_000);
    rig.recorder.stop().unwrap();
    let (fired, blobs) = rig.finish();
    assert_eq!(fired, [Fired::Start, data(16_000), Fired::Stop]);
    let mut wav = hound::WavReader::new(blobs[0].reader().unwrap()).unwrap();
    let spec = wav.spec();
    assert_eq!((spec.sample_rate, spec.channels, spec.bits_per_sample), (16_000, 2, 24));
    assert_eq!(wav.samples::<i32>().count(), 32_000);
}

#[test]
fn gain_is_applied_before_encoding_and_clipping_is_counted() {
    let rig = Rig::with(options("").gain_db(20.0));
    rig.recorder.start(None).unwrap();
    rig.microphone.push(&[0.01, -0.05, 0.5, -0.5]).unwrap();
    rig.recorder.stop().unwrap();
    let (_, blobs) = rig.finish();
    let recorded = crate::rig::samples(&blobs);
    for (got, expected) in recorded.iter().zip([0.1, -0.5, 1.0, -1.0]) {
        assert!((got - expected).abs() < 1e-4, "{recorded:?}");
    }
    assert_eq!(rig.recorder.progress().clipped, 2);
}

#[test]
fn a_float_recording_keeps_what_is_beyond_full_scale_and_none_of_it_is_clipped() {
    let sample_format = Some(SampleFormat::F32);
    let rig = Rig::with(options("").gain_db(20.0).sample_format(sample_format));
    rig.recorder.start(None).unwrap();
    rig.microphone.push(&[0.5, -0.5]).unwrap();
    rig.recorder.stop().unwrap();
    let (_, blobs) = rig.finish();
    assert_eq!(crate::rig::samples(&blobs), [5.0, -5.0]);
    assert_eq!(rig.recorder.progress().clipped, 0);
}

#[test]
fn a_dropped_recorder_completes_its_recording() {
    let rig = Rig::new();
    rig.recorder.start(None).unwrap();
    rig.push(10);
    drop(rig.recorder);
    assert_eq!(crate::rig::collect(&rig.events).0, [Fired::Start, data(10), Fired::Stop]);
}

#[test]
fn the_state_can_be_read_while_a_file_is_being_made() {
    let (asked, is_asked) = channel();
    let (go_on, may_go_on) = channel::<()>();
    let may_go_on = Mutex::new(may_go_on);
    let slow_disk = Storage::Custom(Arc::new(move |_| {
        asked.send(()).unwrap();
        let _ = may_go_on.lock().unwrap().recv();
        Err(std::io::ErrorKind::StorageFull.into())
    }));
    let rig = Rig::with(options("").storage(slow_disk));
    let recorder = &rig.recorder;
    std::thread::scope(|scope| {
        let starting = scope.spawn(|| recorder.start(None));
        is_asked.recv().unwrap();
        assert_eq!((rig.recorder.state(), rig.recorder.mime_type()), (RecordingState::Inactive, String::new()));
        assert!(rig.recorder.stop().is_err() && rig.recorder.audio_bits_per_second() > 0);
        drop(go_on);
        assert!(starting.join().unwrap().is_err());
    });
    assert_eq!(rig.recorder.state(), RecordingState::Inactive);
}
