//! The sound server is killed, or freezes.

use std::time::Instant;

use super::{ALSA, PULSE, assert_ended_early, play, record, wait_for_seconds};
use crate::signals::wait_for_handlers;
use crate::support::pipewire::PipeWireServer;
use crate::support::pulse::PulseServer;
use crate::support::server::Server;

pub(crate) fn a_killed_server_ends_the_recording(mut server: impl Server, device: &[&str]) {
    let _player = play(&server);
    let mut running = record(&server, device);
    wait_for_seconds(&mut running, 1.0);
    let killed = Instant::now();
    server.kill();
    assert_ended_early(running, PULSE);
    println!("killed {device:?}: saved after {:?}", killed.elapsed());
}

#[test]
fn a_killed_pulseaudio_ends_the_recording() {
    a_killed_server_ends_the_recording(PulseServer::start(), PULSE);
}

#[test]
fn a_killed_pipewire_ends_the_recording() {
    a_killed_server_ends_the_recording(PipeWireServer::start(), PULSE);
}

#[test]
fn a_killed_pulseaudio_ends_a_recording_through_alsa_whose_stream_never_closes() {
    a_killed_server_ends_the_recording(PulseServer::start(), ALSA);
}

#[test]
fn a_killed_pipewire_ends_a_recording_through_alsa() {
    a_killed_server_ends_the_recording(PipeWireServer::start(), ALSA);
}

#[test]
fn a_frozen_pulseaudio_is_named_at_the_start_and_holds_up_nobody_who_wants_to_leave() {
    let mut server = PulseServer::start();
    server.freeze();
    let output = record(&server, PULSE).wait();
    output.assert_exit(1).assert_stderr_contains("the PulseAudio server does not answer");
    let mut running = record(&server, PULSE);
    wait_for_handlers(&mut running);
    running.signal(rustix::process::Signal::TERM);
    let output = running.wait();
    output
        .assert_exit(1)
        .assert_stderr_contains("error: nothing was recorded\nhint: it was stopped before the device was open\n");
    server.thaw();
}

pub(crate) fn a_frozen_server_is_noticed_and_the_file_is_whole(mut server: impl Server, device: &[&str]) {
    let _player = play(&server);
    let mut running = record(&server, device);
    wait_for_seconds(&mut running, 1.0);
    let frozen = Instant::now();
    server.freeze();
    assert_ended_early(running, &["delivered nothing for 3 s"]);
    println!("frozen {device:?}: saved after {:?}", frozen.elapsed());
    server.thaw();
}

#[test]
fn a_frozen_pulseaudio_is_noticed_and_the_file_is_whole() {
    a_frozen_server_is_noticed_and_the_file_is_whole(PulseServer::start(), PULSE);
}

#[test]
fn a_frozen_pipewire_is_noticed_and_the_file_is_whole() {
    a_frozen_server_is_noticed_and_the_file_is_whole(PipeWireServer::start(), PULSE);
}

#[test]
fn a_frozen_pulseaudio_behind_alsa_is_noticed_and_the_file_is_whole() {
    a_frozen_server_is_noticed_and_the_file_is_whole(PulseServer::start(), ALSA);
}
