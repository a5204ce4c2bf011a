//! The program itself is stopped for a while, as by Ctrl-Z or a debugger.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{ALSA, PULSE, kept, play, record, wait_for_seconds};
use crate::support::pipewire::PipeWireServer;
use crate::support::pulse::PulseServer;
use crate::support::server::Server;
use crate::support::wait;

/// The program is stopped for four seconds, longer than a device may be silent.
fn a_stopped_program_goes_on(server: &impl Server, device: &[&str]) {
    let _player = play(server);
    let mut running = record(server, device);
    wait_for_seconds(&mut running, 1.0);
    running.signal(Signal::STOP);
    let stopped = Instant::now();
    assert!(wait::poll(Duration::from_secs(4), || None::<()>).is_none());
    running.signal(Signal::CONT);
    let length = std::fs::metadata(running.path(".x.wav.part")).unwrap().len();
    running.wait_for_file(".x.wav.part", length + 6 * 96_000);
    running.signal(Signal::INT);
    let path = running.path("x.wav");
    let output = running.wait();
    let (report, frames) = kept(&output, &path);
    let lost: u64 = report.lost.iter().map(|span| span.count).sum();
    println!("stopped for 4 s: {lost} frames lost, {frames} in all, {:?}", stopped.elapsed());
    // Either the server kept it all, or what it dropped is silence of the same length and was reported.
    if lost == 0 {
        output.assert_exit(0);
        // On a busy machine a player may be late, and the graph goes on with silence in its place.
        assert!(report.changed.is_empty() && report.doubled.is_empty() && report.foreign.is_empty(), "{report:?}");
    } else {
        output.assert_exit(3);
        let silence: u64 = report.silence.iter().map(|span| span.count).sum();
        assert!(silence.abs_diff(lost) < 9_600, "{report:?}\n{}", output.context());
    }
}

#[test]
fn a_program_stopped_for_four_seconds_goes_on_from_pulseaudio() {
    a_stopped_program_goes_on(&PulseServer::start(), PULSE);
}

#[test]
fn a_program_stopped_for_four_seconds_goes_on_from_pipewire() {
    a_stopped_program_goes_on(&PipeWireServer::start(), PULSE);
}

#[test]
fn a_program_stopped_for_four_seconds_goes_on_from_pulseaudio_through_alsa() {
    a_stopped_program_goes_on(&PulseServer::start(), ALSA);
}

#[test]
fn a_program_stopped_for_four_seconds_goes_on_from_pipewire_through_alsa() {
    a_stopped_program_goes_on(&PipeWireServer::start(), ALSA);
}
