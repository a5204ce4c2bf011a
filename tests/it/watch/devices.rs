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

/// The stream that is recorded, and its source, as the server numbers them.
fn stream(server: &impl Server) -> Option<(String, String)> {
    let streams = server.core().ask("pactl", &["list", "short", "source-outputs"])?;
    let mut fields = streams.split('\t').map(str::to_owned);
    Some((fields.next()?, fields.next()?))
}

/// Somebody wants to give the stream another microphone, as a mixer does.
fn ask_to_move(server: &impl Server) -> Option<String> {
    let (stream, _) = server.core().until("there is a stream", || stream(server));
    server.core().ask("pactl", &["move-source-output", &stream, &server.source("other")])
}

/// The stream gets another microphone. PipeWire's session manager passes over a request now and then.
fn move_to_another(server: &impl Server) {
    let before = server.core().until("there is a stream", || stream(server));
    server.core().until("the stream is moved", || {
        let is_there = stream(server).as_ref() == Some(&before);
        if is_there {
            ask_to_move(server);
        }
        (!is_there).then_some(())
    });
}

fn a_moved_stream_ends_the_recording_through_alsa(mut server: impl Server) {
    server.add_microphone(Microphone::named("other"));
    let _player = play(&server);
    let mut running = record(&server, ALSA);
    wait_for_seconds(&mut running, 1.0);
    move_to_another(&server);
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
    assert!(ask_to_move(&server).is_none());
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
