//! Faults of the native PipeWire host. That it delivers bit for bit is tested with the other paths, in `microphone`.

use crate::support::harness::Test;
use crate::support::pipewire::PipeWireServer;
use crate::support::server::Microphone;
use crate::watch::{devices, play, servers};

/// The session's default source: cpal lists no virtual one by its own name.
const NATIVE: &[&str] = &["-i", "pipewire:input_default", "-c", "1"];

#[test]
fn a_killed_pipewire_ends_a_native_recording() {
    servers::a_killed_server_ends_the_recording(PipeWireServer::start(), NATIVE);
}

#[test]
fn a_frozen_pipewire_is_noticed_by_a_native_recording() {
    servers::a_frozen_server_is_noticed_and_the_file_is_whole(PipeWireServer::start(), NATIVE);
}

#[test]
fn a_removed_microphone_ends_a_native_recording_although_there_is_another() {
    devices::a_removed_microphone_ends_the_recording_although_there_is_another(PipeWireServer::start(), NATIVE);
}

#[test]
fn the_default_source_is_recorded_with_as_many_channels_as_it_has() {
    for channels in [1, 2] {
        let server = PipeWireServer::start_with(Microphone { channels, ..Microphone::default() });
        let _player = (channels == 1).then(|| play(&server));
        let call = ["record", "-i", "pipewire:input_default", "-d", "1", "x.wav"];
        let output = Test::new().server(&server).args(call).run();
        let spec = hound::WavReader::open(output.path("x.wav")).unwrap().spec();
        assert_eq!(spec.channels, channels, "{}", output.context());
    }
}
