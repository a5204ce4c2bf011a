//! The microphone on standard output.

use std::io::Read;
use std::time::Instant;

use super::{FRAMES, assert_all_code, pulse, record, speak};
use crate::support::pipewire::PipeWireServer;
use crate::support::pulse::PulseServer;
use crate::support::server::Server;

fn raw(bytes: &[u8]) -> Vec<i16> {
    bytes.chunks_exact(2).map(|s| i16::from_le_bytes([s[0], s[1]])).collect()
}

fn raw_audio_leaves_bit_for_bit(server: &impl Server) {
    let _player = speak(server);
    let call = ["-f", "raw", "-d", "4s", "-c", "1", "-r", "48000", "-"];
    let output = record(server, Some(&pulse(server))).args(call).run();
    output.assert_success();
    assert_eq!(output.stdout.len() as u64, FRAMES * 2, "{}", output.context());
    assert_all_code(server, &raw(&output.stdout), FRAMES, &output);
}

#[test]
fn raw_audio_of_pulseaudio_leaves_bit_for_bit() {
    raw_audio_leaves_bit_for_bit(&PulseServer::start());
}

#[test]
fn raw_audio_of_pipewire_leaves_bit_for_bit() {
    raw_audio_leaves_bit_for_bit(&PipeWireServer::start());
}

/// That the first bytes are the first frames and need no more than themselves: they come before any others. How long
/// they take is printed, not judged: a loaded machine would judge itself.
#[test]
fn the_first_bytes_come_while_the_recording_goes_on() {
    let server = PulseServer::start();
    let _player = speak(&server);
    let begun = Instant::now();
    let call = ["-f", "raw", "-c", "1", "-r", "48000", "-"];
    let mut running = record(&server, Some(&pulse(&server))).args(call).hold_stdout().spawn();
    let mut stdout = running.stdout.take().unwrap();
    let mut bytes = vec![0; 64];
    stdout.read_exact(&mut bytes).unwrap();
    println!("first bytes {} ms after the start of the program", begun.elapsed().as_millis());
    assert!(running.is_running());
    // Two seconds later it is still the same signal, from the first byte on.
    bytes.resize(2 * 96_000, 0);
    stdout.read_exact(&mut bytes[64..]).unwrap();
    println!("two seconds of audio after {} ms", begun.elapsed().as_millis());
    drop(stdout);
    let output = running.wait();
    output.assert_success();
    assert_all_code(&server, &raw(&bytes), 96_000, &output);
}
