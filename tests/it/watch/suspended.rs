//! A source that its server suspends, as a desktop's switch or another program does: in the middle of a recording,
//! before it, and together with the loudspeaker whose monitor it is.

use rustix::process::Signal;

use super::{ALSA, kept, play, record, wait_for_seconds};
use crate::support::harness::Running;
use crate::support::output::Output;
use crate::support::pulse::PulseServer;
use crate::support::server::Server;

/// A server with a source of its own, which has the sound of the microphone. A monitor alone cannot be suspended.
fn with_virtual_source() -> PulseServer {
    let mut server = PulseServer::start();
    let arguments = ["load-module", "module-remap-source", "source_name=virtual", "master=mic.monitor", "remix=no"];
    assert!(server.core().ask("pactl", &arguments).is_some(), "no virtual source");
    server.set_default_source("virtual");
    server
}

fn suspend(server: &PulseServer, what: &str, name: &str, on: bool) {
    let on = if on { "1" } else { "0" };
    assert!(server.core().ask("pactl", &[what, name, on]).is_some(), "{what} {name} {on}");
}

/// Records for a second, for two seconds while it is suspended, and for a second afterwards.
fn record_suspended(server: &PulseServer, what: &str, name: &str, device: &[&str]) -> (Output, std::path::PathBuf) {
    let mut running = record(server, device);
    wait_for_seconds(&mut running, 1.0);
    suspend(server, what, name, true);
    running.wait_for_stderr("was suspended by the sound server");
    // It goes on in step with the time.
    grow(&mut running, 2.0);
    suspend(server, what, name, false);
    running.wait_for_stderr("was suspended for ");
    grow(&mut running, 1.0);
    running.signal(Signal::INT);
    let path = running.path("x.wav");
    (running.wait(), path)
}

/// Waits until the unfinished file is so many seconds longer than now.
fn grow(running: &mut Running, seconds: f64) {
    let length = std::fs::metadata(running.path(".x.wav.part")).unwrap().len();
    running.wait_for_file(".x.wav.part", length + (seconds * 96_000.0) as u64);
}

#[test]
fn what_is_missing_of_a_suspended_source_is_silence_of_its_length_and_counts_as_lost() {
    let server = with_virtual_source();
    let _player = play(&server);
    for device in [&["--json"][..], ALSA] {
        let (output, path) = record_suspended(&server, "suspend-source", "virtual", device);
        output.assert_exit(3).assert_stderr_contains(" were lost and are silence in");
        let (report, _) = kept(&output, &path);
        let lost: u64 = report.lost.iter().map(|span| span.count).sum();
        let silence: u64 = report.silence.iter().map(|span| span.count).sum();
        assert!(lost > 96_000 && silence.abs_diff(lost) < 9_600, "{report:?}\n{}", output.context());
        assert!(report.changed.is_empty() && report.doubled.is_empty(), "{report:?}");
    }
}

#[test]
fn a_recording_that_is_stopped_while_its_source_is_suspended_is_as_long_as_it_lasted() {
    let server = with_virtual_source();
    let _player = play(&server);
    let mut running = record(&server, &[]);
    wait_for_seconds(&mut running, 1.0);
    suspend(&server, "suspend-source", "virtual", true);
    grow(&mut running, 2.0);
    running.signal(Signal::INT);
    let path = running.path("x.wav");
    let output = running.wait();
    output.assert_exit(3).assert_stderr_contains(" were lost and are silence in");
    let (report, frames) = kept(&output, &path);
    assert!(frames > 3 * 48_000 && report.lead_out > 48_000, "{report:?}\n{}", output.context());
}

#[test]
fn a_monitor_whose_loudspeaker_is_suspended_is_silent_and_loses_nothing() {
    let server = PulseServer::start();
    let _player = play(&server);
    let (output, path) = record_suspended(&server, "suspend-sink", "mic", &[]);
    output.assert_exit(0);
    assert!(!output.stderr().contains("lost"), "{}", output.context());
    let (report, _) = kept(&output, &path);
    let silence: u64 = report.silence.iter().map(|span| span.count).sum();
    assert!(silence > 96_000 && report.changed.is_empty(), "{report:?}\n{}", output.context());
}

#[test]
fn a_source_that_is_suspended_before_the_start_is_said_to_be_and_recorded_when_it_is_not_any_more() {
    let server = with_virtual_source();
    let _player = play(&server);
    suspend(&server, "suspend-source", "virtual", true);
    let mut running = record(&server, &["-d", "1s"]);
    running.wait_for_stderr("was suspended by the sound server");
    suspend(&server, "suspend-source", "virtual", false);
    let path = running.path("x.wav");
    let output = running.wait();
    output.assert_exit(0);
    let (report, frames) = kept(&output, &path);
    report.assert_contiguous();
    assert_eq!(frames, 48_000, "{}", output.context());
}
