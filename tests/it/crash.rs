//! The program is killed at any moment: what was captured until about a second before is still there, or two seconds in
//! the compressed formats.

use rustix::process::Signal;

use crate::support::analysis::analyse;
use crate::support::harness::Test;
use crate::support::output::Output;
use crate::support::pulse::PulseServer;
use crate::support::server::Server;
use crate::support::signal::PositionCode;
use crate::takes::{ask, samples, wait_for_event};

const RATE: u64 = 48_000;
/// Kills in all, and how many recordings run at a time.
const KILLS: u64 = 50;
const TOGETHER: u64 = 10;

/// Numbers that look random and are the same in every run.
fn scattered(index: u64) -> u64 {
    let mixed = (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40
}

/// Records position-coded audio and kills the program once its file has grown to `bytes`, then recovers it. Returns the
/// positions that were kept and how many frames had been written when it was killed.
fn kill_and_recover(server: &PulseServer, bytes: u64) -> (u64, u64) {
    let test = Test::new().args(["record", "-q", "-i", "pulseaudio:mic.monitor", "take.wav"]).server(server);
    let mut running = test.spawn();
    running.wait_for_file(".take.wav.part", bytes);
    running.signal(Signal::KILL);
    let killed = running.wait();
    killed.assert_killed_by(Signal::KILL);
    let part = killed.path(".take.wav.part");
    let written = std::fs::metadata(&part).unwrap().len();

    let recovering = test.again().args(["recover", "."]).run();
    recovering.assert_success();
    recovering.assert_stdout_contains("take.wav");
    assert!(!part.exists());
    let mut wav = hound::WavReader::open(recovering.path("take.wav")).unwrap();
    let samples: Vec<i16> = wav.samples().map(|sample| sample.unwrap()).collect();
    let report = analyse(&samples);
    report.assert_contiguous();
    (samples.len() as u64, written / 2)
}

#[test]
fn killed_at_fifty_moments_a_true_prefix_is_recovered() {
    let server = PulseServer::start();
    let folder = tempfile::tempdir().unwrap();
    let code = folder.path().join("code.wav");
    PositionCode::mono().write_wav(&code, 60 * RATE);
    let _player = server.play(&code);
    for round in 0..KILLS / TOGETHER {
        std::thread::scope(|scope| {
            for kill in 0..TOGETHER {
                let server = &server;
                // From the very first bytes to three seconds.
                let bytes = 200 + scattered(round * TOGETHER + kill) % (3 * RATE * 2);
                scope.spawn(move || {
                    let (kept, written) = kill_and_recover(server, bytes);
                    // The header takes less than 400 frames' worth of bytes; everything behind it is kept.
                    assert!(kept <= written && kept + 400 >= written, "{kept} frames of {written} were kept");
                });
            }
        });
    }
}

/// Kills of each compressed format.
const COMPRESSED_KILLS: u64 = 12;

/// Records position-coded audio as `name`, kills the program once it has told of `captured` seconds, and recovers it.
fn kill_late_and_recover(server: &PulseServer, name: &str, captured: f64) -> Output {
    let words = ["record", "--json", "-i", "pulseaudio:mic.monitor", "-c", "1", "-r", "48000", name];
    let test = Test::new().args(words).server(server);
    let mut running = test.spawn();
    let enough = |event: &serde_json::Value| event["event"] == "level" && event["at_s"].as_f64() >= Some(captured);
    wait_for_event(&mut running, "a level late enough", enough);
    running.signal(Signal::KILL);
    let killed = running.wait();
    killed.assert_killed_by(Signal::KILL);
    let part = killed.path(format!(".{name}.part"));
    assert!(part.exists());
    let recovering = test.again().args(["recover", "."]).run();
    recovering.assert_success();
    assert!(!part.exists());
    recovering
}

/// Moments from the first block to four seconds.
fn moments() -> impl Iterator<Item = f64> {
    (0..COMPRESSED_KILLS).map(|kill| 0.1 + (scattered(kill) % 3_900) as f64 / 1_000.0)
}

#[test]
fn of_a_killed_flac_recording_a_true_prefix_is_recovered() {
    let server = PulseServer::start();
    let folder = tempfile::tempdir().unwrap();
    let code = folder.path().join("code.wav");
    PositionCode::mono().write_wav(&code, 60 * RATE);
    let _player = server.play(&code);
    for captured in moments() {
        let output = kill_late_and_recover(&server, "take.flac", captured);
        ask(&output, "flac", &["--silent", "--test", "take.flac"]);
        ask(&output, "flac", &["--silent", "--decode", "take.flac"]);
        let samples = samples(output.path("take.wav"));
        analyse(&samples).assert_contiguous();
        let least = ((captured - 2.0) * RATE as f64).max(0.0);
        assert!(samples.len() as f64 >= least, "{} frames after {captured} s", samples.len());
        assert_eq!(ask(&output, "soxi", &["-s", "take.flac"]).trim(), samples.len().to_string());
    }
}

#[test]
fn of_a_killed_opus_recording_all_but_two_seconds_are_recovered() {
    let server = PulseServer::start();
    let folder = tempfile::tempdir().unwrap();
    let code = folder.path().join("code.wav");
    PositionCode::mono().write_wav(&code, 60 * RATE);
    let _player = server.play(&code);
    // Below a second there may be no page yet, and nothing to recover.
    for captured in moments().map(|moment| moment + 2.0) {
        let output = kill_late_and_recover(&server, "take.opus", captured);
        ask(&output, "opusdec", &["--quiet", "--force-wav", "take.opus", "take.wav"]);
        let frames = samples(output.path("take.wav")).len();
        assert!(frames as f64 >= (captured - 2.0) * RATE as f64, "{frames} frames after {captured} s");
    }
}
