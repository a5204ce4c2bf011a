//! Devices and servers that go away, stop without a word, or come back; a program that is stopped, and one whose
//! messages nobody reads. Every fault is caused for real, and what the file holds is counted.

#![allow(clippy::print_stdout, reason = "what was measured, for those who ask with --nocapture")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::analysis::{Report, analyse};
use crate::support::harness::{Running, Test};
use crate::support::output::Output;
use crate::support::pipewire::PipeWireServer;
use crate::support::process::Process;
use crate::support::pulse::PulseServer;
use crate::support::server::{Microphone, Player, Server};
use crate::support::signal::PositionCode;
use crate::support::wait;

/// Two minutes of code: longer than any test.
const LONG: u64 = 120 * 48_000;

fn play(server: &impl Server) -> Player {
    let file = server.runtime().join("code.wav");
    if !file.exists() {
        PositionCode::mono().write_wav(&file, LONG);
    }
    server.play(&file)
}

fn record(server: &impl Server, args: &[&str]) -> Running {
    Test::new().server(server).args(["record", "x.wav"]).args(args.iter().copied()).spawn()
}

/// Waits until the unfinished file holds so many seconds of 48 kHz, 16 bit, mono.
fn wait_for_seconds(running: &mut Running, seconds: f64) {
    running.wait_for_file(".x.wav.part", (seconds * 96_000.0) as u64);
}

fn samples(path: &Path) -> Vec<i16> {
    hound::WavReader::open(path).unwrap().samples::<i16>().map(Result::unwrap).collect()
}

/// What the finished file holds, and its samples.
fn kept(output: &Output, path: &Path) -> (Report, usize) {
    assert!(path.is_file(), "{}", output.context());
    let samples = samples(path);
    (analyse(&samples), samples.len())
}

/// Asserts that the recording ended early and in good order: exit 3, no sample of it lost, doubled or changed.
#[track_caller]
fn assert_ended_early(running: Running, words: &[&str]) {
    let path = running.path("x.wav");
    let output = running.wait();
    output.assert_exit(3);
    for word in words.iter().chain(&["ended early, at 00:00:0", "x.wav"]) {
        assert!(output.stderr().contains(word), "{word:?}\n{}", output.context());
    }
    let (report, frames) = kept(&output, &path);
    report.assert_contiguous();
    // A second of file was waited for, its header included.
    assert!(frames >= 47_000, "{}", output.context());
}

fn a_removed_microphone_ends_the_recording_although_there_is_another(mut server: impl Server) {
    server.add_microphone(Microphone::named("other"));
    let _player = play(&server);
    let mut running = record(&server, &[]);
    wait_for_seconds(&mut running, 1.0);
    server.remove_microphone("mic");
    assert_ended_early(running, &["is gone"]);
}

#[test]
fn a_microphone_removed_from_pulseaudio_ends_the_recording_although_there_is_another() {
    a_removed_microphone_ends_the_recording_although_there_is_another(PulseServer::start());
}

#[test]
fn a_microphone_removed_from_pipewire_ends_the_recording_although_there_is_another() {
    a_removed_microphone_ends_the_recording_although_there_is_another(PipeWireServer::start());
}

fn a_killed_server_ends_the_recording(mut server: impl Server, device: &[&str]) {
    let _player = play(&server);
    let mut running = record(&server, device);
    wait_for_seconds(&mut running, 1.0);
    let killed = Instant::now();
    server.kill();
    assert_ended_early(running, &[]);
    println!("killed {device:?}: saved after {:?}", killed.elapsed());
}

#[test]
fn a_killed_pulseaudio_ends_the_recording() {
    a_killed_server_ends_the_recording(PulseServer::start(), &[]);
}

#[test]
fn a_killed_pipewire_ends_the_recording() {
    a_killed_server_ends_the_recording(PipeWireServer::start(), &[]);
}

#[test]
fn a_killed_pulseaudio_ends_a_recording_through_alsa_whose_stream_never_closes() {
    a_killed_server_ends_the_recording(PulseServer::start(), &["-i", "alsa:default", "-c", "1", "-r", "48000"]);
}

fn a_frozen_server_is_noticed_and_the_file_is_whole(mut server: impl Server, device: &[&str]) {
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
    a_frozen_server_is_noticed_and_the_file_is_whole(PulseServer::start(), &[]);
}

#[test]
fn a_frozen_pipewire_is_noticed_and_the_file_is_whole() {
    a_frozen_server_is_noticed_and_the_file_is_whole(PipeWireServer::start(), &[]);
}

#[test]
fn a_frozen_pulseaudio_behind_alsa_is_noticed_and_the_file_is_whole() {
    let device = ["-i", "alsa:default", "-c", "1", "-r", "48000"];
    a_frozen_server_is_noticed_and_the_file_is_whole(PulseServer::start(), &device);
}

fn another_default_is_told_and_the_recording_stays(mut server: impl Server) {
    server.add_microphone(Microphone::named("other"));
    let _player = play(&server);
    let mut running = record(&server, &[]);
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

fn a_microphone_that_comes_back_is_recorded_on(mut server: impl Server) {
    let since = Instant::now();
    let player = play(&server);
    let mut running = record(&server, &["--reconnect", "1m"]);
    wait_for_seconds(&mut running, 1.0);
    let source = server.source("mic");
    server.add_microphone(Microphone::named("other"));
    server.remove_microphone("mic");
    running.wait_for_stderr("waiting up to 60 s for it");
    let before = length(&running);
    drop(player);
    server.restore_microphone("mic");
    server.set_default_source(&source);
    let _player = play(&server);
    wait_for_code(&mut running, before);
    running.signal(Signal::INT);
    assert_gap(running, since);
}

#[test]
fn a_microphone_that_comes_back_to_pulseaudio_is_recorded_on() {
    a_microphone_that_comes_back_is_recorded_on(PulseServer::start());
}

#[test]
fn a_microphone_that_comes_back_to_pipewire_is_recorded_on() {
    a_microphone_that_comes_back_is_recorded_on(PipeWireServer::start());
}

#[test]
fn a_server_that_is_restarted_is_recorded_on() {
    let since = Instant::now();
    let mut server = PulseServer::start();
    let player = play(&server);
    let mut running = record(&server, &["--reconnect", "1m"]);
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
fn a_microphone_that_stays_away_ends_the_recording_after_the_wait() {
    let mut server = PulseServer::start();
    let _player = play(&server);
    let mut running = record(&server, &["--reconnect", "1s"]);
    wait_for_seconds(&mut running, 1.0);
    server.remove_microphone("mic");
    assert_ended_early(running, &["did not come back within 1 s"]);
}

#[test]
fn a_recording_that_is_stopped_while_its_microphone_is_away_says_that_its_end_is_missing() {
    let mut server = PulseServer::start();
    let _player = play(&server);
    let mut running = record(&server, &["--reconnect", "1m"]);
    wait_for_seconds(&mut running, 1.0);
    server.remove_microphone("mic");
    running.wait_for_stderr("waiting up to 60 s");
    running.signal(Signal::INT);
    assert_ended_early(running, &["is gone"]);
}

/// The program is stopped for four seconds, longer than a device may be silent.
fn a_stopped_program_goes_on(server: &impl Server) {
    let _player = play(server);
    let mut running = record(server, &[]);
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
    a_stopped_program_goes_on(&PulseServer::start());
}

#[test]
fn a_program_stopped_for_four_seconds_goes_on_from_pipewire() {
    a_stopped_program_goes_on(&PipeWireServer::start());
}

#[test]
fn a_muted_microphone_is_told_and_the_recording_is_whole() {
    let server = PulseServer::start();
    assert!(server.core().ask("pactl", &["set-source-mute", "mic.monitor", "1"]).is_some());
    let output = Test::new().server(&server).args(["record", "-d", "1", "x.wav"]).run();
    output.assert_exit(0);
    assert!(output.stderr().contains("is muted; silence is recorded"), "{}", output.context());
}

#[test]
fn a_microphone_into_which_nobody_speaks_is_told_within_three_seconds() {
    for server in [&PulseServer::start() as &dyn Server, &PipeWireServer::start()] {
        let mut test = Test::new().args(["record", "--json", "-d", "3.5", "x.wav"]);
        for (name, value) in server.env() {
            test = test.env(&name, value);
        }
        let output = test.run();
        output.assert_exit(0);
        let out = output.stdout();
        let warning: serde_json::Value =
            out.lines().find(|line| line.contains("warning")).map(|line| serde_json::from_str(line).unwrap()).unwrap();
        assert!(warning["at_s"].as_f64().unwrap() <= 3.0, "{warning}");
        assert!(warning["message"].as_str().unwrap().contains("exact zeros for 2.5 s"), "{warning}");
        assert!(output.stderr().contains("exact zeros"), "{}", output.context());
    }
}

#[test]
fn a_generator_is_as_it_is_meant() {
    let output = Test::new().args(["record", "-i", "silence", "-d", "3.2", "x.wav"]).run();
    output.assert_exit(0);
    assert!(!output.stderr().contains("warning"), "{}", output.context());
}

/// A recording whose standard error is a pipe that is full, and which nobody reads.
fn with_stuck_stderr(args: &[&str], stop: bool) -> (Process, PathBuf, Test) {
    let test = Test::new().args(args.iter().copied());
    let (reader, writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while rustix::io::write(&writer, &[b'x'; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    let mut command = test.command();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer);
    let mut process = Process::spawn("dictaphone", command);
    let part = test.path(".x.wav.part");
    wait::until("sound is recorded", String::new, || {
        std::fs::metadata(&part).is_ok_and(|data| data.len() > 96_000).then_some(())
    });
    if stop {
        process.signal(Signal::INT);
    }
    process.wait();
    drop(reader);
    let path = test.path("x.wav");
    (process, path, test)
}

#[test]
fn a_recording_ends_and_is_saved_although_nobody_reads_its_messages() {
    for args in [&["record", "-i", "tone", "x.wav"][..], &["record", "-i", "tone", "--json", "-d", "2", "x.wav"]] {
        let (_, path, _test) = with_stuck_stderr(args, !args.contains(&"-d"));
        let frames = samples(&path).len();
        assert!(frames >= 48_000, "{frames}");
    }
}

#[test]
fn a_recording_with_closed_standard_streams_is_saved() {
    let test = Test::new().program("sh").args(["-c", "exec \"$0\" record -i tone -d 1 x.wav >&- 2>&- <&-"]);
    let test = test.arg(env!("CARGO_BIN_EXE_dictaphone"));
    let output = test.run();
    output.assert_exit(0);
    assert_eq!(samples(&test.path("x.wav")).len(), 48_000);
}

#[test]
fn events_that_nobody_reads_hold_nothing_up() {
    let mut running = Test::new().args(["record", "-i", "tone", "--json", "-d", "3", "x.wav"]).hold_stdout().spawn();
    let path = running.path("x.wav");
    running.wait_for("the file is saved although the events wait", |_| path.is_file().then_some(()));
    drop(running.stdout.take());
    running.wait().assert_exit(0);
}
