//! Microphones that are muted or dead.

use crate::support::harness::Test;
use crate::support::pipewire::PipeWireServer;
use crate::support::pulse::PulseServer;
use crate::support::server::Server;
use rustix::process::Signal;

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
        assert_eq!(warning["kind"], "dead", "{warning}");
        assert!(warning["message"].as_str().unwrap().contains("exact zeros for 2.5 s"), "{warning}");
        assert!(output.stderr().contains("exact zeros"), "{}", output.context());
    }
}

#[test]
fn a_recording_stopped_before_its_microphone_gave_a_sound_says_that_nothing_is_kept() {
    let server = PulseServer::start();
    let fifo = server.runtime().join("fifo");
    let source = [&format!("file={}", fifo.display()), "source_name=dead", "format=s16le", "channels=1"];
    assert!(server.core().ask("pactl", &[&["load-module", "module-pipe-source"], &source[..]].concat()).is_some());
    let mut running = Test::new().server(&server).args(["record", "-i", "pulseaudio:dead", "x.wav"]).spawn();
    server.core().until("a stream of the dead source", || {
        server.core().ask("pactl", &["list", "short", "source-outputs"]).filter(|streams| !streams.trim().is_empty())
    });
    running.signal(Signal::INT);
    let output = running.wait();
    output.assert_exit(1).assert_stdout("").assert_stderr(&format!(
        "error: nothing was recorded\nhint: it was stopped before the first sound came from `Unix FIFO source {}`\n",
        fifo.display()
    ));
    assert_eq!(crate::takes::names(output.path("")), Vec::<String>::new());
}

#[test]
fn a_generator_is_as_it_is_meant() {
    let output = Test::new().args(["record", "-i", "silence", "-d", "3.2", "x.wav"]).run();
    output.assert_exit(0);
    assert!(!output.stderr().contains("warning"), "{}", output.context());
}
