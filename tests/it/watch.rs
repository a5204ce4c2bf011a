//! Devices and servers that go away, stop without notice, or come back; sound that is lost on the way; a program that
//! is stopped, and one whose messages are not read; clocks that are set, or that run at another rate than stated. Every
//! fault is caused for real, and the contents of the file are counted.
//!
//! This module has how a test records and what it asserts; the submodules say what goes wrong.

#![allow(clippy::print_stdout, reason = "what was measured, for those who ask with --nocapture")]

pub(crate) mod clocks;
pub(crate) mod devices;
mod messages;
mod rates;
mod reconnect;
pub(crate) mod servers;
mod sound;
mod stopped;
mod suspended;

use std::path::Path;

use crate::support::analysis::{Report, analyse};
use crate::support::harness::{Running, Test};
use crate::support::output::Output;
use crate::support::server::{Player, Server};
use crate::support::signal::PositionCode;

/// The arguments that lead to the microphone by each way; on PipeWire the server answers to both.
pub(crate) const PULSE: &[&str] = &[];
pub(crate) const ALSA: &[&str] = &["-i", "alsa:default", "-c", "1", "-r", "48000"];

/// Two minutes of code: longer than any test.
const LONG: u64 = 120 * 48_000;

pub(crate) fn play(server: &impl Server) -> Player {
    let file = server.runtime().join("code.wav");
    if !file.exists() {
        PositionCode::mono().write_wav(&file, LONG);
    }
    server.play(&file)
}

pub(crate) fn record(server: &impl Server, args: &[&str]) -> Running {
    Test::new().server(server).args(["record", "x.wav"]).args(args.iter().copied()).spawn()
}

/// Waits until the unfinished file holds so many seconds of 48 kHz, 16 bit, mono.
pub(crate) fn wait_for_seconds(running: &mut Running, seconds: f64) {
    running.wait_for_file(".x.wav.part", (seconds * 96_000.0) as u64);
}

pub(crate) fn samples(path: &Path) -> Vec<i16> {
    hound::WavReader::open(path).unwrap().samples::<i16>().map(Result::unwrap).collect()
}

/// What the finished file holds, and its samples.
pub(crate) fn kept(output: &Output, path: &Path) -> (Report, usize) {
    assert!(path.is_file(), "{}", output.context());
    let samples = samples(path);
    (analyse(&samples), samples.len())
}

/// Asserts that the recording ended early and in good order: exit 3, no sample of it lost, doubled or changed.
#[track_caller]
pub(crate) fn assert_ended_early(running: Running, words: &[&str]) {
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
