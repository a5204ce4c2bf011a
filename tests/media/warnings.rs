//! What a track says about a microphone that records nothing, or too much.

use dictaphone::media::TrackEvent;

use crate::rig::{RATE, Rig, track_event};

fn first_notice(samples: &[f32]) -> String {
    let rig = Rig::new();
    let events = rig.stream.tracks()[0].events();
    for block in samples.chunks(4_800) {
        rig.microphone.push(block).unwrap();
    }
    rig.microphone.unplug();
    match track_event(&events) {
        TrackEvent::Notice(notice) => notice.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_muted_a_dead_and_an_overdriven_microphone_are_told_within_three_seconds_of_sound() {
    let seconds =
        |level: f32| -> Vec<f32> { (0..3 * RATE).map(|at| if at % 2 == 0 { level } else { -level }).collect() };
    for (level, part) in [(0.0, "exact zeros"), (1.0 / 32_768.0, "-90.3 dBFS"), (1.0, "clip"), (0.01, "unplugged")] {
        let notice = first_notice(&seconds(level));
        assert!(notice.contains(part) && notice.contains("microphone"), "{level}: {notice}");
    }
}
