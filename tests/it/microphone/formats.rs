//! The microphone in files other than WAV, read by other people's programs.

use super::{FRAMES, assert_all_code, pulse, record, samples, speak};
use crate::support::pipewire::PipeWireServer;
use crate::support::pulse::PulseServer;
use crate::support::server::Server;
use crate::takes::ask;

fn flac_holds_the_microphone_bit_for_bit(server: &impl Server) {
    let _player = speak(server);
    let call = ["-d", "4s", "-c", "1", "-r", "48000", "take.flac"];
    let output = record(server, Some(&pulse(server))).args(call).run();
    output.assert_success();
    ask(&output, "flac", &["--silent", "--test", "--warnings-as-errors", "take.flac"]);
    ask(&output, "flac", &["--silent", "--decode", "take.flac"]);
    assert_all_code(server, &samples(&output.path("take.wav")), FRAMES, &output);
}

#[test]
fn a_flac_file_of_pulseaudio_is_bit_for_bit() {
    flac_holds_the_microphone_bit_for_bit(&PulseServer::start());
}

#[test]
fn a_flac_file_of_pipewire_is_bit_for_bit() {
    flac_holds_the_microphone_bit_for_bit(&PipeWireServer::start());
}

/// Sound in Opus is not bit for bit, but there is exactly as much of it as was asked for.
#[test]
fn an_opus_file_is_as_long_as_was_asked_for() {
    let server = PulseServer::start();
    let _player = speak(&server);
    let output = record(&server, Some(&pulse(&server))).args(["-d", "2.5s", "-r", "16k", "take.opus"]).run();
    output.assert_success();
    ask(&output, "opusdec", &["--quiet", "--force-wav", "take.opus", "take.wav"]);
    let heard = samples(&output.path("take.wav"));
    assert_eq!(heard.len(), 120_000);
    assert!(heard.iter().any(|sample| sample.unsigned_abs() > 1_000), "nothing is heard");
}
