//! What a track reports about a microphone that records nothing, or too much.

use dictaphone::{
    capture::{Warning, WarningKind},
    media::TrackEvent,
};

use crate::rig::{RATE, Rig, track_event};

/// The first warning, `None` if there is none before the end.
fn first_warning(samples: &[f32]) -> Option<Warning> {
    let rig = Rig::new();
    let events = rig.stream.tracks()[0].events();
    for block in samples.chunks(4_800) {
        rig.microphone.push(block).unwrap();
    }
    rig.microphone.unplug();
    match track_event(&events) {
        TrackEvent::Notice(warning) => Some(warning),
        _ => None,
    }
}

#[test]
fn a_muted_a_dead_and_an_overdriven_microphone_are_told_within_three_seconds_of_sound() {
    let seconds =
        |level: f32| -> Vec<f32> { (0..3 * RATE).map(|at| if at % 2 == 0 { level } else { -level }).collect() };
    for (level, kind, part) in [
        (0.0, WarningKind::Dead, "exact zeros"),
        (1.0 / 32_768.0, WarningKind::Dead, "-90.3 dBFS"),
        (1.0, WarningKind::Clipping, "clip"),
    ] {
        let warning = first_warning(&seconds(level)).unwrap();
        assert_eq!(warning.kind(), kind, "{level}");
        assert!(warning.message().contains(part) && warning.message().contains("microphone"), "{level}: {warning}");
    }
    assert_eq!(first_warning(&seconds(0.01)), None);
}

#[test]
fn a_microphone_is_judged_anew_by_every_recording() {
    let rig = Rig::new();
    let events = rig.stream.tracks()[0].events();
    // A tone that announces the recording, say.
    rig.microphone.push(&[0.5, -0.5].repeat(4_800)).unwrap();
    rig.recorder.start(None).unwrap();
    for _ in 0..30 {
        rig.microphone.push(&[0.0; 4_800]).unwrap();
    }
    let TrackEvent::Notice(warning) = track_event(&events) else { panic!("no warning") };
    assert_eq!(warning.kind(), WarningKind::Dead, "and not one that fell silent: {warning}");
}

#[test]
fn a_loss_of_unknown_size_is_noted_with_the_recording_that_it_concerns() {
    for lost in [true, false] {
        let rig = Rig::new();
        rig.recorder.start(None).unwrap();
        rig.push(10);
        let kind = if lost { WarningKind::LostUnknown } else { WarningKind::Device };
        rig.microphone.notice(Warning::new(kind, "something happened"));
        rig.push(10);
        rig.recorder.stop().unwrap();
        rig.finish();
        let progress = rig.recorder.progress();
        assert_eq!((progress.lost_unknown, progress.lost_frames), (lost, 0));
    }
}
