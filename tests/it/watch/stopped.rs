//! The program itself is stopped for a while, as by Ctrl-Z or a debugger, or the sound server hangs for a moment.

use std::time::Duration;

use rustix::process::Signal;

use super::{ALSA, PULSE, kept, play, record, wait_for_seconds};
use crate::support::harness::Running;
use crate::support::pipewire::PipeWireServer;
use crate::support::pulse::PulseServer;
use crate::support::server::Server;
use crate::support::wait;

/// Longer than a device may be silent.
const LONG: Duration = Duration::from_secs(4);
/// Longer than two of the server's blocks, and nothing that a server or a device cannot keep.
const SHORT: Duration = Duration::from_millis(300);

/// Lets so much time pass, which is what the fault consists of.
fn let_pass(time: Duration) {
    assert!(wait::poll(time, || None::<()>).is_none());
}

fn a_stopped_program_goes_on(server: &impl Server, device: &[&str], time: Duration) -> bool {
    let _player = play(server);
    let mut running = record(server, device);
    wait_for_seconds(&mut running, 1.0);
    running.signal(Signal::STOP);
    let_pass(time);
    running.signal(Signal::CONT);
    assert_goes_on(running, Duration::ZERO)
}

fn a_server_that_stands_still_for_a_moment_is_recorded_on(mut server: impl Server, device: &[&str]) {
    let _player = play(&server);
    let mut running = record(&server, device);
    wait_for_seconds(&mut running, 1.0);
    server.freeze();
    let_pass(SHORT);
    server.thaw();
    assert_goes_on(running, SHORT);
}

/// Asserts that seconds of code follow, and that what is missing is silence of the same length and was reported.
/// Whether anything was reported. While the microphone itself `stood_still`, silence is in place where no code is missing.
fn assert_goes_on(mut running: Running, stood_still: Duration) -> bool {
    let length = std::fs::metadata(running.path(".x.wav.part")).unwrap().len();
    // Long enough for small losses to be found.
    running.wait_for_file(".x.wav.part", length + 9 * 96_000);
    running.signal(Signal::INT);
    let path = running.path("x.wav");
    let output = running.wait();
    let (report, frames) = kept(&output, &path);
    let lost: u64 = report.lost.iter().map(|span| span.count).sum();
    println!("{lost} frames lost, {frames} in all");
    // Either everything was kept, or what was dropped is silence of the same length and was reported.
    let reported = output.stderr().contains(" were lost and are silence in");
    output.assert_exit(if reported { 3 } else { 0 });
    assert!(report.changed.is_empty() && report.doubled.is_empty() && report.foreign.is_empty(), "{report:?}");
    if lost > 0 {
        let silence: u64 = report.silence.iter().map(|span| span.count).sum();
        let tolerance = 9_600 + 48 * stood_still.as_millis() as u64;
        assert!(silence.abs_diff(lost) < tolerance, "{report:?}\n{}", output.context());
        // A server that misses a cycle of its own says nothing and puts silence in its place.
        assert!(reported || !stood_still.is_zero(), "{report:?}\n{}", output.context());
    }
    reported
}

#[test]
fn a_program_stopped_for_four_seconds_goes_on_from_pulseaudio() {
    a_stopped_program_goes_on(&PulseServer::start(), PULSE, LONG);
}

#[test]
fn a_program_stopped_for_four_seconds_goes_on_from_pipewire() {
    a_stopped_program_goes_on(&PipeWireServer::start(), PULSE, LONG);
}

#[test]
fn a_program_stopped_for_four_seconds_goes_on_from_pulseaudio_through_alsa() {
    a_stopped_program_goes_on(&PulseServer::start(), ALSA, LONG);
}

#[test]
fn a_program_stopped_for_four_seconds_goes_on_from_pipewire_through_alsa() {
    a_stopped_program_goes_on(&PipeWireServer::start(), ALSA, LONG);
}

#[test]
fn a_program_stopped_for_a_moment_loses_nothing() {
    for device in [PULSE, ALSA] {
        assert!(!a_stopped_program_goes_on(&PulseServer::start(), device, SHORT), "{device:?}");
    }
}

#[test]
fn a_pulseaudio_that_stands_still_for_a_moment_is_recorded_on() {
    for device in [PULSE, ALSA] {
        a_server_that_stands_still_for_a_moment_is_recorded_on(PulseServer::start(), device);
    }
}

#[test]
fn a_pipewire_that_stands_still_for_a_moment_is_recorded_on() {
    for device in [PULSE, ALSA] {
        a_server_that_stands_still_for_a_moment_is_recorded_on(PipeWireServer::start(), device);
    }
}
