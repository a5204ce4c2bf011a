//! The microphone is removed, the stream is moved to another one, another one becomes the default.

use rustix::process::Signal;

use super::{ALSA, PULSE, assert_ended_early, kept, play, record, wait_for_seconds};
use crate::support::pipewire::PipeWireServer;
use crate::support::pulse::PulseServer;
use crate::support::server::{Microphone, Server};

pub(crate) fn a_removed_microphone_ends_the_recording_although_there_is_another(
    mut server: impl Server,
    device: &[&str],
) {
    server.add_microphone(Microphone::named("other"));
    let _player = play(&server);
    let mut running = record(&server, device);
    wait_for_seconds(&mut running, 1.0);
    server.remove_microphone("mic");
    assert_ended_early(running, &["is gone"]);
}

#[test]
fn a_microphone_removed_from_pulseaudio_ends_the_recording_although_there_is_another() {
    a_removed_microphone_ends_the_recording_although_there_is_another(PulseServer::start(), PULSE);
}

#[test]
fn a_microphone_removed_from_pipewire_ends_the_recording_although_there_is_another() {
    a_removed_microphone_ends_the_recording_although_there_is_another(PipeWireServer::start(), PULSE);
}

#[test]
fn a_microphone_removed_from_pulseaudio_behind_alsa_ends_the_recording_although_there_is_another() {
    a_removed_microphone_ends_the_recording_although_there_is_another(PulseServer::start(), ALSA);
}

#[test]
fn a_microphone_removed_from_pipewire_behind_alsa_ends_the_recording_although_there_is_another() {
    a_removed_microphone_ends_the_recording_although_there_is_another(PipeWireServer::start(), ALSA);
}

/// Somebody gives the stream another microphone, as a mixer does.
fn move_to_another(server: &impl Server) -> Option<String> {
    let core = server.core();
    let streams = core.ask("pactl", &["list", "short", "source-outputs"]).unwrap_or_default();
    let stream = streams.split('\t').next().expect("a stream").to_owned();
    core.ask("pactl", &["move-source-output", &stream, &server.source("other")])
}

fn a_moved_stream_ends_the_recording_through_alsa(mut server: impl Server) {
    server.add_microphone(Microphone::named("other"));
    let _player = play(&server);
    let mut running = record(&server, ALSA);
    wait_for_seconds(&mut running, 1.0);
    assert!(move_to_another(&server).is_some());
    assert_ended_early(running, &["is gone", "moved the recording to another device"]);
}

#[test]
fn a_stream_that_pulseaudio_moves_ends_the_recording_through_alsa() {
    a_moved_stream_ends_the_recording_through_alsa(PulseServer::start());
}

#[test]
fn a_stream_that_pipewire_moves_ends_the_recording_through_alsa() {
    a_moved_stream_ends_the_recording_through_alsa(PipeWireServer::start());
}

#[test]
fn a_stream_of_pulseaudio_refuses_to_be_moved() {
    let mut server = PulseServer::start();
    server.add_microphone(Microphone::named("other"));
    let _player = play(&server);
    let mut running = record(&server, PULSE);
    wait_for_seconds(&mut running, 1.0);
    assert!(move_to_another(&server).is_none());
    wait_for_seconds(&mut running, 2.0);
    running.signal(Signal::INT);
    let path = running.path("x.wav");
    let output = running.wait();
    output.assert_exit(0);
    kept(&output, &path).0.assert_contiguous();
}

fn another_default_is_told_and_the_recording_stays(mut server: impl Server) {
    server.add_microphone(Microphone::named("other"));
    let _player = play(&server);
    let mut running = record(&server, PULSE);
    wait_for_seconds(&mut running, 1.0);
    let other = server.source("other");
    server.set_default_source(&other);
    running.wait_for_stderr("the default input is now");
    wait_for_seconds(&mut running, 2.0);
    running.signal(Signal::INT);
    let path = running.path("x.wav");
    let output = running.wait();
    output.assert_exit(0);
    kept(&output, &path).0.assert_contiguous();
}

#[test]
fn another_default_in_pulseaudio_is_told_and_the_recording_stays() {
    another_default_is_told_and_the_recording_stays(PulseServer::start());
}

#[test]
fn another_default_in_pipewire_is_told_and_the_recording_stays() {
    another_default_is_told_and_the_recording_stays(PipeWireServer::start());
}
