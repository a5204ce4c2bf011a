//! The program records a real sound server's microphone while position-coded audio is played into it: nothing may be
//! lost, doubled or changed, whichever way the sound takes and whatever the machine does meanwhile.
//!
//! This module has what all these tests share; the submodules say what is recorded: `paths` every way to a microphone,
//! `depths` more than 16 bits, `wide` many channels and high rates, `formats` files other than WAV, `pipes` standard
//! output, `disturbed` pauses, neighbours and a busy machine.

mod depths;
mod disturbed;
mod formats;
mod paths;
mod pipes;
mod wide;

use std::path::Path;

use crate::support::analysis::{Report, analyse};
use crate::support::harness::Test;
use crate::support::output::Output;
use crate::support::process::require;
use crate::support::server::{Player, Server};
use crate::support::signal::PositionCode;

/// What the recordings here hold: four seconds of 48 kHz.
const FRAMES: u64 = 192_000;

/// Longer than any test may wait for the end of a recording.
const CODE: u64 = 48_000 * 75;

/// The ids of the microphone behind each host. On PipeWire the server answers to the first two as well.
const PULSE: &str = "pulseaudio:";
const ALSA: &str = "alsa:default";
/// The session's default source. By its own name cpal does not know a virtual one, as the test bed's is.
#[cfg(feature = "pipewire")]
const NATIVE: &str = "pipewire:input_default";

/// Lets code sound in the microphone `mic` until the player is dropped; returns when a recorder would hear it.
#[track_caller]
fn speak(server: &impl Server) -> Player {
    let file = server.runtime().join("code.wav");
    PositionCode::mono().write_wav(&file, CODE);
    play(server, &file)
}

/// Plays `file`; returns when a recorder would hear it. A player that is said to play may still be silent.
#[track_caller]
fn play(server: &impl Server, file: &Path) -> Player {
    require(&["parecord"]);
    let player = server.play(file);
    let heard = server.runtime().join("heard.raw");
    let mut command = server.command("parecord");
    command.args(["--raw", "--format=s16le", "--rate=48000", "--channels=1", "--latency-msec=50"]).arg(&heard);
    let listener = server.core().spawn_logged("listener", command);
    server.core().until("the microphone hears the player", || {
        std::fs::read(&heard).is_ok_and(|bytes| bytes.iter().any(|&byte| byte != 0)).then_some(())
    });
    drop(listener);
    player
}

/// The id of the microphone `mic` on the PulseAudio host.
fn pulse(server: &impl Server) -> String {
    format!("{PULSE}{}", server.source("mic"))
}

/// `record` from the device of that id, or from the default one.
fn record(server: &impl Server, device: Option<&str>) -> Test {
    let test = Test::new().server(server).arg("record");
    match device {
        Some(id) => test.args(["-i", id]),
        None => test,
    }
}

/// The call that is the measure of all: four seconds, mono, 48 kHz.
fn record_take(server: &impl Server, device: Option<&str>) -> Test {
    record(server, device).args(["-d", "4s", "-c", "1", "-r", "48000", "take.wav"])
}

/// The samples of a 16-bit WAV file.
#[track_caller]
fn samples(path: &Path) -> Vec<i16> {
    let mut wav = hound::WavReader::open(path).expect("a WAV file");
    let spec = wav.spec();
    assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (1, 48_000, 16));
    wav.samples::<i16>().map(|sample| sample.expect("a sample")).collect()
}

/// Fails unless every sample of the recording is code, in its order, and there are as many as expected.
#[track_caller]
fn assert_all_code(server: &impl Server, samples: &[i16], frames: u64, output: &Output) {
    let report = hear(server, samples);
    let whole = samples.len() as u64 == frames && report.is_perfect();
    assert!(whole && fills(server, &report), "{} samples: {report:?}\n{}", samples.len(), output.context());
}

/// What became of the code that sounded in the microphone.
///
/// In PipeWire's graph the player itself may miss cycles when the machine is busy: then so much silence sounds, and the
/// player goes on where it was. That is no fault of the recorder, who would lose code by missing a cycle.
fn hear(server: &impl Server, samples: &[i16]) -> Report {
    let mut report = analyse(samples);
    let cycle = server.lead_in() as u64;
    report.silence.retain(|span| cycle == 0 || span.count % cycle != 0);
    report
}

/// Whether the code fills the recording, but for what the server begins every recording with.
fn fills(server: &impl Server, report: &Report) -> bool {
    report.lead_in <= server.lead_in() && report.lead_out == 0
}

/// Fails unless the program ended well and `take.wav` holds four seconds of code.
#[track_caller]
fn assert_take(server: &impl Server, output: &Output) {
    output.assert_success();
    assert_all_code(server, &samples(&output.path("take.wav")), FRAMES, output);
    assert!(!output.stderr().contains("warning"), "{}", output.context());
}
