//! Pauses, a second recorder on the same microphone, and a machine that is overloaded.

use rustix::process::Signal;

use super::{ALSA, FRAMES, assert_take, fills, hear, pulse, record, record_take, samples, speak};
use crate::support::pipewire::PipeWireServer;
use crate::support::process::Process;
use crate::support::pulse::PulseServer;
use crate::support::server::Server;

/// The frame of the first event of that name.
#[track_caller]
fn frame_of(events: &str, name: &str) -> u64 {
    let events = events.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let event = events.into_iter().find(|event| event["event"] == name);
    event.unwrap_or_else(|| panic!("no event {name}"))["frame"].as_u64().expect("a frame")
}

fn a_pause_is_one_gap(server: &impl Server, device: &str) {
    let _player = speak(server);
    let call = ["--json", "-d", "4s", "-c", "1", "-r", "48000", "take.wav"];
    let mut running = record(server, Some(device)).args(call).spawn();
    running.wait_for_stdout("\"event\":\"level\"");
    running.signal(Signal::USR2);
    running.wait_for_stdout("\"event\":\"pause\"");
    // The pause lasts until another recorder has heard a second of sound.
    let meanwhile = server.runtime().join("meanwhile.raw");
    let mut command = server.command("parecord");
    command.args(["--raw", "--format=s16le", "--rate=48000", "--channels=1", "--latency-msec=50"]).arg(&meanwhile);
    let other = server.core().spawn_logged("meanwhile", command);
    server.core().until("a second passes", || {
        std::fs::metadata(&meanwhile).is_ok_and(|data| data.len() >= 2 * 48_000).then_some(())
    });
    drop(other);
    running.signal(Signal::USR2);
    running.wait_for_stdout("\"event\":\"resume\"");
    let output = running.wait();
    output.assert_success();

    let recorded = samples(&output.path("take.wav"));
    let report = hear(server, &recorded);
    let paused_at = frame_of(&output.stdout(), "pause");
    assert_eq!(frame_of(&output.stdout(), "resume"), paused_at, "{}", output.context());
    assert_eq!(recorded.len() as u64, FRAMES, "{}", output.context());
    assert!(
        report.lost.len() == 1 && report.lost[0].at as u64 == paused_at,
        "not one gap at frame {paused_at}: {report:?}\n{}",
        output.context()
    );
    let gap = report.lost_samples();
    let mut rest = report;
    rest.lost.clear();
    rest.assert_contiguous();
    assert!(fills(server, &rest), "{rest:?}");
    println!("paused at frame {paused_at} for {gap} frames");
}

#[test]
fn a_pause_is_one_gap_on_pulseaudio() {
    let server = PulseServer::start();
    a_pause_is_one_gap(&server, &pulse(&server));
}

#[test]
fn a_pause_is_one_gap_on_pipewire() {
    let server = PipeWireServer::start();
    a_pause_is_one_gap(&server, &pulse(&server));
}

#[test]
fn a_pause_is_one_gap_through_alsa() {
    a_pause_is_one_gap(&PulseServer::start(), ALSA);
}

fn two_programs_record_one_microphone(server: &impl Server) {
    let _player = speak(server);
    let device = pulse(server);
    let running = [record_take(server, Some(&device)).spawn(), record_take(server, Some(&device)).spawn()];
    running.into_iter().for_each(|running| assert_take(server, &running.wait()));
}

#[test]
fn two_programs_record_one_microphone_on_pulseaudio() {
    two_programs_record_one_microphone(&PulseServer::start());
}

#[test]
fn two_programs_record_one_microphone_on_pipewire() {
    two_programs_record_one_microphone(&PipeWireServer::start());
}

/// Work for every core and for the disk; it ends with the value.
fn keep_busy(server: &impl Server) -> Vec<Process> {
    let shell = |script: &str| {
        let mut command = server.command("sh");
        command.args(["-c", script]);
        server.core().spawn_logged("busy", command)
    };
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let mut work: Vec<Process> = (0..cores).map(|_| shell("while :; do :; done")).collect();
    // The same 64 MiB again and again, each time all the way to the disk.
    work.push(shell("while dd if=/dev/zero of=ballast bs=1M count=64 conv=fsync status=none; do :; done"));
    work
}

fn nothing_is_lost_on_a_busy_machine(server: &impl Server, device: &str) {
    let _player = speak(server);
    let _work = keep_busy(server);
    assert_take(server, &record_take(server, Some(device)).run());
}

#[test]
fn nothing_is_lost_on_a_busy_machine_on_pulseaudio() {
    let server = PulseServer::start();
    nothing_is_lost_on_a_busy_machine(&server, &pulse(&server));
}

#[test]
fn nothing_is_lost_on_a_busy_machine_on_pipewire() {
    let server = PipeWireServer::start();
    nothing_is_lost_on_a_busy_machine(&server, &pulse(&server));
}

#[test]
fn nothing_is_lost_on_a_busy_machine_through_alsa() {
    nothing_is_lost_on_a_busy_machine(&PulseServer::start(), ALSA);
}
