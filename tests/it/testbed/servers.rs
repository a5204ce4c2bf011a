//! The private servers, tested with the common recorders: what is played arrives bit for bit, through every way a
//! client can take, and every disturbance a test can ask for really happens.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::analysis::{Report, analyse_channels, assert_channels_contiguous};
use crate::support::pipewire::PipeWireServer;
use crate::support::process::{Process, require};
use crate::support::pulse::PulseServer;
use crate::support::server::{Microphone, Server};
use crate::support::signal::PositionCode;
use crate::support::wait;

/// A client that records, given the layout and the file.
type Recorder = fn(&dyn Server, &Microphone, &Path) -> Command;

fn parecord(server: &dyn Server, microphone: &Microphone, file: &Path) -> Command {
    require(&["parecord"]);
    let mut command = server.command("parecord");
    command.args(["--raw", "--format=s16le", "--no-remix", "--no-remap"]);
    command.args([format!("--rate={}", microphone.rate), format!("--channels={}", microphone.channels)]).arg(file);
    command
}

fn arecord(server: &dyn Server, microphone: &Microphone, file: &Path) -> Command {
    require(&["arecord"]);
    let mut command = server.command("arecord");
    command.args(["-q", "-t", "raw", "-f", "S16_LE", "-D", "default"]);
    command.args([format!("-r{}", microphone.rate), format!("-c{}", microphone.channels)]).arg(file);
    command
}

fn pw_record(server: &dyn Server, microphone: &Microphone, file: &Path) -> Command {
    require(&["pw-record"]);
    let mut command = server.command("pw-record");
    command.args(["--format", "s16", "--rate", &microphone.rate.to_string()]);
    command.args(["--channels", &microphone.channels.to_string()]).arg(file);
    command
}

/// A recorder at work.
struct Recording {
    process: Process,
    file: PathBuf,
    channels: u16,
}

impl Recording {
    /// Starts `recorder`; returns when it has recorded something.
    #[track_caller]
    fn start(server: &dyn Server, recorder: Recorder, microphone: &Microphone) -> Self {
        // The ending tells pw-record to write a WAV file.
        let file = server.runtime().join("recording.wav");
        let process = server.core().spawn_logged("recorder", recorder(server, microphone, &file));
        let recording = Self { process, file, channels: microphone.channels };
        server.core().until("the recorder records", || (!recording.samples().is_empty()).then_some(()));
        recording
    }

    /// What is in the file so far, in whole frames.
    fn samples(&self) -> Vec<i16> {
        let bytes = std::fs::read(&self.file).unwrap_or_default();
        let audio = match bytes.starts_with(b"RIFF") {
            true => bytes.windows(4).position(|id| id == b"data").map_or(bytes.len(), |at| at + 8),
            false => 0,
        };
        let audio = bytes.get(audio..).unwrap_or_default();
        let frames = audio.chunks_exact(2 * usize::from(self.channels));
        frames.flat_map(|frame| frame.chunks_exact(2).map(|s| i16::from_le_bytes([s[0], s[1]]))).collect()
    }

    fn reports(&self) -> Vec<Report> {
        analyse_channels(&self.samples(), self.channels)
    }

    /// Waits until position `end` is recorded, and ends the recorder.
    #[track_caller]
    fn finish_at(mut self, end: u64) -> Vec<Report> {
        let reached = wait::poll(wait::DEADLINE, || self.reports().iter().all(|r| r.end >= end).then_some(()));
        assert!(reached.is_some(), "frame {end} is never recorded: {:?}", self.reports());
        let reports = self.reports();
        self.process.kill();
        reports
    }
}

#[track_caller]
fn assert_arrives(server: &dyn Server, recorder: Recorder, microphone: &Microphone) {
    let code = PositionCode::new(microphone.channels, microphone.rate);
    let file = server.runtime().join("code.wav");
    let frames = u64::from(microphone.rate) * 2 + 123;
    code.write_wav(&file, frames);
    let attempt = || {
        let recording = Recording::start(server, recorder, microphone);
        let player = server.play(&file);
        let reports = recording.finish_at(frames);
        player.wait();
        reports
    };
    // Server, player and recorder are other people's, and on a busy machine they lose a block now and then.
    let is_whole = |reports: &Vec<Report>| reports.iter().all(Report::is_perfect);
    let reports = (0..2).map(|_| attempt()).find(is_whole).unwrap_or_else(attempt);
    assert_channels_contiguous(&reports);
    reports[0].assert_whole(frames);
}

#[test]
fn pulseaudio_delivers_bit_for_bit_to_parecord() {
    assert_arrives(&PulseServer::start(), parecord, &Microphone::default());
}

#[test]
fn pulseaudio_delivers_bit_for_bit_to_arecord() {
    assert_arrives(&PulseServer::start(), arecord, &Microphone::default());
}

#[test]
fn pipewire_delivers_bit_for_bit_to_pw_record() {
    assert_arrives(&PipeWireServer::start(), pw_record, &Microphone::default());
}

#[test]
fn pipewire_delivers_bit_for_bit_to_parecord() {
    assert_arrives(&PipeWireServer::start(), parecord, &Microphone::default());
}

#[test]
fn pipewire_delivers_bit_for_bit_to_arecord() {
    assert_arrives(&PipeWireServer::start(), arecord, &Microphone::default());
}

#[test]
fn pulseaudio_delivers_other_layouts_bit_for_bit() {
    for (channels, rate) in [(2, 44_100), (4, 16_000)] {
        let microphone = Microphone { channels, rate, ..Microphone::default() };
        assert_arrives(&PulseServer::start_with(microphone.clone()), parecord, &microphone);
    }
}

#[test]
fn pipewire_delivers_other_layouts_bit_for_bit() {
    for (channels, rate) in [(2, 44_100), (2, 48_000)] {
        let microphone = Microphone { channels, rate, ..Microphone::default() };
        assert_arrives(&PipeWireServer::start_with(microphone.clone()), pw_record, &microphone);
    }
}

/// Whether clients reach the server.
fn answers(server: &dyn Server) -> bool {
    server.core().ask("pactl", &["info"]).is_some()
}

fn sources(server: &dyn Server) -> Vec<String> {
    let list = server.core().ask("pactl", &["list", "short", "sources"]).unwrap_or_default();
    list.lines().filter_map(|line| line.split('\t').nth(1)).map(String::from).collect()
}

fn microphones_come_and_go(mut server: impl Server) {
    let (mic, other) = (server.source("mic"), server.source("other"));
    assert_eq!(server.default_source(), mic);
    server.add_microphone(Microphone::named("other"));
    assert_eq!(server.default_source(), mic);
    server.remove_microphone("mic");
    server.await_default_source(&other);
    assert!(!sources(&server).contains(&mic));
    server.restore_microphone("mic");
    server.set_default_source(&mic);
    assert!(sources(&server).contains(&mic) && sources(&server).contains(&other));
}

#[test]
fn pulseaudio_microphones_come_and_go() {
    microphones_come_and_go(PulseServer::start());
}

#[test]
fn pipewire_microphones_come_and_go() {
    microphones_come_and_go(PipeWireServer::start());
}

/// `clients` are recorders that end by themselves when their server does.
fn a_killed_server_is_dead_and_can_be_restarted(mut server: impl Server, recorder: Recorder) {
    let mut recording = Recording::start(&server, recorder, &Microphone::default());
    server.kill();
    recording.process.wait();
    assert!(!answers(&server));
    server.restart();
    assert_arrives(&server, recorder, &Microphone::default());
}

#[test]
fn a_killed_pulseaudio_is_dead_and_can_be_restarted() {
    a_killed_server_is_dead_and_can_be_restarted(PulseServer::start(), parecord);
}

#[test]
fn a_killed_pipewire_is_dead_and_can_be_restarted() {
    a_killed_server_is_dead_and_can_be_restarted(PipeWireServer::start(), parecord);
}

fn a_frozen_server_delivers_nothing_until_thawed(mut server: impl Server) {
    let recording = Recording::start(&server, parecord, &Microphone::default());
    server.freeze();
    // What was under way still arrives; then the file must not grow through many looks.
    let (mut length, mut same) = (0, 0);
    wait::until(
        "the recording stands still",
        || server.log(),
        || {
            let now = recording.samples().len();
            same = if now == length { same + 1 } else { 0 };
            length = now;
            (same == 50).then_some(())
        },
    );
    server.thaw();
    wait::until("the recording goes on", || server.log(), || (recording.samples().len() > length).then_some(()));
}

#[test]
fn a_frozen_pulseaudio_delivers_nothing_until_thawed() {
    a_frozen_server_delivers_nothing_until_thawed(PulseServer::start());
}

#[test]
fn a_frozen_pipewire_delivers_nothing_until_thawed() {
    a_frozen_server_delivers_nothing_until_thawed(PipeWireServer::start());
}

#[test]
fn a_dropped_player_is_silent() {
    let server = PulseServer::start();
    let file = server.runtime().join("code.wav");
    PositionCode::mono().write_wav(&file, 48_000 * 60);
    let recording = Recording::start(&server, parecord, &Microphone::default());
    let player = server.play(&file);
    wait::until("code is recorded", || server.log(), || recording.reports()[0].first);
    drop(player);
    // Silence at the end, not the code's own end.
    wait::until(
        "silence follows",
        || format!("{:?}\n{}", recording.reports(), server.log()),
        || {
            let report = &recording.reports()[0];
            (report.lead_out > 4_800 && report.end < 48_000 * 60).then_some(())
        },
    );
}

#[test]
fn nothing_is_left_of_a_server_whose_test_panics() {
    let shared = std::sync::Arc::new(std::sync::Mutex::new((Vec::new(), PathBuf::new())));
    let seen = std::sync::Arc::clone(&shared);
    let panicking = std::thread::Builder::new().name("panics on purpose".into()).spawn(move || {
        let server = PipeWireServer::start();
        let ids: Vec<u32> = server.core().processes.iter().map(Process::id).collect();
        *seen.lock().unwrap() = (ids, server.runtime());
        panic!("on purpose");
    });
    assert!(panicking.unwrap().join().is_err());
    let (ids, folder) = shared.lock().unwrap().clone();
    assert_eq!(ids.len(), 4);
    for id in ids {
        assert!(!Path::new(&format!("/proc/{id}")).exists(), "process {id} is left");
    }
    assert!(!folder.exists());
}

#[test]
fn on_a_machine_without_sound_no_recorder_finds_a_device() {
    use crate::support::harness::Test;
    for call in [&["arecord", "-d1", "x.wav"][..], &["parecord", "x.wav"], &["pw-record", "x.wav"]] {
        let output = Test::new().program(call[0]).args(&call[1..]).run();
        assert!(!output.status.success(), "{}", output.context());
    }
}
