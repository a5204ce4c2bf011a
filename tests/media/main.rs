//! The rules of the web's recorder, one test each, on a microphone that the test itself plays. Nothing here sleeps or
//! measures time: frames are pushed, commands are given between them, and events are waited for.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod ahead;
mod blobs;
mod control;
mod devices;
mod endings;
mod faults;
mod files;
mod late_start;
mod panics;
mod rig;
mod sharing;
mod tracks;
mod voice;
mod warnings;

#[test]
fn every_rule_names_tests_that_exist() {
    let sources = [
        include_str!("ahead.rs"),
        include_str!("blobs.rs"),
        include_str!("control.rs"),
        include_str!("devices.rs"),
        include_str!("endings.rs"),
        include_str!("faults.rs"),
        include_str!("sharing.rs"),
        include_str!("tracks.rs"),
        include_str!("main.rs"),
        include_str!("../../src/media/state.rs"),
    ]
    .concat();
    let names = include_str!("RULES.md").split('`').skip(1).step_by(2);
    let tests: Vec<&str> = names.filter(|name| name.matches('_').count() > 2).collect();
    assert!(tests.len() > 50, "the table is read");
    for test in tests {
        assert!(sources.contains(&format!("fn {test}()")), "there is no test {test}");
    }
}
