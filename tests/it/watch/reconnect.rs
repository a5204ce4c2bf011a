//! The microphone or its server comes back, and the recording goes on, with silence in place of the time between.

use std::time::Instant;

use rustix::process::Signal;

use super::{ALSA, PULSE, assert_ended_early, play, record, samples, wait_for_seconds};
use crate::support::analysis::{Report, analyse};
use crate::support::harness::Running;
use crate::support::pipewire::PipeWireServer;
use crate::support::pulse::PulseServer;
use crate::support::server::{Microphone, Player, Server};

/// The length of the unfinished file.
fn length(running: &Running) -> usize {
    std::fs::read(running.path(".x.wav.part")).unwrap().len()
}

/// Waits until the last second of the unfinished file is code that came after it was `before` bytes long.
fn wait_for_code(running: &mut Running, before: usize) {
    running.wait_for("code at the end of the file", |running| {
        let bytes = std::fs::read(running.path(".x.wav.part")).ok()?;
        if bytes.len() < before + 2 * 96_000 {
            return None;
        }
        let tail = &bytes[bytes.len().saturating_sub(96_000) & !1..];
        tail.chunks_exact(2).all(|sample| sample != [0, 0]).then_some(())
    });
}

/// After a gap: exit 3, both sides of it recorded, and as much silence between as was reported.
fn assert_gap(running: Running, since: Instant) {
    let path = running.path("x.wav");
    let output = running.wait();
    let elapsed = since.elapsed();
    output.assert_exit(3);
    let text = output.stderr();
    let lost: u64 = text.split("warning: ").find_map(|line| line.split_once(" frames (")?.0.parse().ok()).unwrap();
    assert!(text.contains("were lost and are silence in") && text.contains(" s at 00:00:0"), "{}", output.context());
    let samples = samples(&path);
    let frames = samples.len();
    // The player begins anew behind the gap, so that each side is looked at by itself.
    let before = samples.windows(4_800).position(|run| run[0] != 0 && run[1..].iter().all(|&s| s == 0)).unwrap() + 1;
    let silence = samples[before..].iter().take_while(|&&sample| sample == 0).count();
    let sides = [analyse(&samples[..before]), analyse(&samples[before..])];
    sides.iter().for_each(Report::assert_contiguous);
    println!("gap of {lost} frames reported, {silence} of silence, {frames} in all, {elapsed:?}");
    assert!(lost > 0 && silence as u64 >= lost, "{lost} {silence}\n{}", output.context());
    // The timeline is that of the clock: no longer than the program ran, and not much shorter.
    let seconds = frames as f64 / 48_000.0;
    assert!(seconds <= elapsed.as_secs_f64() + 1.0, "{seconds} {elapsed:?}");
}

fn patiently(server: &impl Server, device: &[&str], limit: &str) -> Running {
    record(server, &[device, &["--reconnect", limit]].concat())
}

/// The microphone that was away is there again, and the default, and speaks; then the recording is stopped.
fn come_back_and_stop(server: &mut impl Server, mut running: Running, player: Player, since: Instant) {
    let before = length(&running);
    drop(player);
    server.restore_microphone("mic");
    let source = server.source("mic");
    server.set_default_source(&source);
    let _player = play(server);
    wait_for_code(&mut running, before);
    running.signal(Signal::INT);
    assert_gap(running, since);
}

fn a_microphone_that_comes_back_is_recorded_on(mut server: impl Server, device: &[&str]) {
    let since = Instant::now();
    let player = play(&server);
    let mut running = patiently(&server, device, "1m");
    wait_for_seconds(&mut running, 1.0);
    server.add_microphone(Microphone::named("other"));
    server.remove_microphone("mic");
    running.wait_for_stderr("waiting up to 60 s for it");
    come_back_and_stop(&mut server, running, player, since);
}

#[test]
fn a_microphone_that_comes_back_to_pulseaudio_is_recorded_on() {
    a_microphone_that_comes_back_is_recorded_on(PulseServer::start(), PULSE);
}

#[test]
fn a_microphone_that_comes_back_to_pipewire_is_recorded_on() {
    a_microphone_that_comes_back_is_recorded_on(PipeWireServer::start(), PULSE);
}

#[test]
fn a_microphone_that_comes_back_to_pulseaudio_behind_alsa_is_recorded_on() {
    a_microphone_that_comes_back_is_recorded_on(PulseServer::start(), ALSA);
}

/// The default device of ALSA leads to another microphone while the one that was recorded is away.
fn another_microphone_is_not_recorded_in_its_place(mut server: impl Server) {
    let since = Instant::now();
    let player = play(&server);
    let mut running = patiently(&server, &[ALSA, &["--log", "log"]].concat(), "1m");
    wait_for_seconds(&mut running, 1.0);
    server.add_microphone(Microphone::named("other"));
    let source = server.source("mic");
    server.set_default_source(&server.source("other"));
    server.remove_microphone("mic");
    running.wait_for_stderr("waiting up to 60 s for it");
    running.wait_for("a look at the other microphone", |running| {
        let log = std::fs::read_to_string(running.path("log")).unwrap_or_default();
        log.contains(&format!("now instead of {source}")).then_some(())
    });
    come_back_and_stop(&mut server, running, player, since);
}

#[test]
fn another_microphone_of_pulseaudio_is_not_recorded_behind_alsa_while_its_own_is_away() {
    another_microphone_is_not_recorded_in_its_place(PulseServer::start());
}

#[test]
fn another_microphone_of_pipewire_is_not_recorded_behind_alsa_while_its_own_is_away() {
    another_microphone_is_not_recorded_in_its_place(PipeWireServer::start());
}

fn a_server_that_is_restarted_is_recorded_on(mut server: impl Server, device: &[&str]) {
    let since = Instant::now();
    let player = play(&server);
    let mut running = patiently(&server, device, "1m");
    wait_for_seconds(&mut running, 1.0);
    server.kill();
    running.wait_for_stderr("waiting up to 60 s for it");
    let before = length(&running);
    drop(player);
    server.restart();
    let _player = play(&server);
    wait_for_code(&mut running, before);
    running.signal(Signal::INT);
    assert_gap(running, since);
}

#[test]
fn a_pulseaudio_that_is_restarted_is_recorded_on() {
    a_server_that_is_restarted_is_recorded_on(PulseServer::start(), PULSE);
}

#[test]
fn a_pipewire_that_is_restarted_is_recorded_on() {
    a_server_that_is_restarted_is_recorded_on(PipeWireServer::start(), PULSE);
}

#[test]
fn a_pulseaudio_that_is_restarted_behind_alsa_is_recorded_on() {
    a_server_that_is_restarted_is_recorded_on(PulseServer::start(), ALSA);
}

#[test]
fn a_microphone_that_stays_away_ends_the_recording_after_the_wait() {
    let mut server = PulseServer::start();
    let _player = play(&server);
    let mut running = patiently(&server, PULSE, "1s");
    wait_for_seconds(&mut running, 1.0);
    server.remove_microphone("mic");
    assert_ended_early(running, &["did not come back within 1 s"]);
}

#[test]
fn a_microphone_that_comes_back_with_other_channels_is_another_one() {
    let mut server = PulseServer::start();
    let _player = play(&server);
    let mut running = patiently(&server, &["-i", "pulseaudio:mic.monitor"], "2s");
    wait_for_seconds(&mut running, 1.0);
    server.remove_microphone("mic");
    running.wait_for_stderr("waiting up to 2 s");
    server.create_source(&Microphone { channels: 2, ..Microphone::default() });
    assert_ended_early(running, &["came back with 2 channels instead of 1"]);
}

#[test]
fn a_recording_that_is_stopped_while_its_microphone_is_away_says_that_its_end_is_missing() {
    let mut server = PulseServer::start();
    let _player = play(&server);
    let mut running = patiently(&server, PULSE, "1m");
    wait_for_seconds(&mut running, 1.0);
    server.remove_microphone("mic");
    running.wait_for_stderr("waiting up to 60 s");
    running.signal(Signal::INT);
    assert_ended_early(running, &["is gone"]);
}
