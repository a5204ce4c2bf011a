//! Every way from a microphone to the program: bit for bit, to the frame, and the device is free afterwards.

use super::{ALSA, CODE, FRAMES, assert_take, play, pulse, record, record_take, samples, speak};
#[cfg(feature = "pipewire")]
use super::{NATIVE, fills};
use crate::support::analysis::{analyse_channels, assert_channels_contiguous};
use crate::support::pipewire::PipeWireServer;
use crate::support::pulse::PulseServer;
use crate::support::server::{Microphone, Server};
use crate::support::signal::PositionCode;

#[track_caller]
fn arrives_whole(server: &impl Server, device: Option<&str>) {
    let _player = speak(server);
    let output = record_take(server, device).run();
    assert_take(server, &output);
    // Without a device it is the sound server's, and by its own protocol.
    let label = match device {
        Some(ALSA) => "Default Audio Device",
        Some("pipewire:input_default") => "Default input",
        _ => &label(server),
    };
    output.assert_stderr_contains(&format!("recording {label} "));
    await_released(server);
}

/// What the server calls its microphone when it speaks to people.
fn label(server: &impl Server) -> String {
    let sources = server.core().ask_json("pactl", &["-f", "json", "list", "sources"]).unwrap_or_default();
    let source = sources.iter().find(|source| source["name"] == server.source("mic"));
    source.and_then(|source| source["description"].as_str()).expect("a description").to_owned()
}

/// Waits until no program has the microphone open, and lets another one record from it.
#[track_caller]
fn await_released(server: &impl Server) {
    server.core().until("the microphone is released", || {
        let clients = server.core().ask("pactl", &["list", "short", "source-outputs"])?;
        clients.trim().is_empty().then_some(())
    });
    let file = server.runtime().join("next.raw");
    let mut command = server.command("parecord");
    command.arg("--raw").arg(&file);
    let _next = server.core().spawn_logged("next", command);
    server
        .core()
        .until("another program records", || std::fs::metadata(&file).is_ok_and(|data| data.len() > 0).then_some(()));
}

#[test]
fn pulseaudio_host_on_pulseaudio() {
    let server = PulseServer::start();
    arrives_whole(&server, Some(&pulse(&server)));
}

#[test]
fn pulseaudio_host_on_pipewire() {
    let server = PipeWireServer::start();
    arrives_whole(&server, Some(&pulse(&server)));
}

#[test]
fn alsa_plugin_on_pulseaudio() {
    arrives_whole(&PulseServer::start(), Some(ALSA));
}

#[test]
fn alsa_plugin_on_pipewire() {
    arrives_whole(&PipeWireServer::start(), Some(ALSA));
}

#[test]
fn default_device_on_pulseaudio() {
    arrives_whole(&PulseServer::start(), None);
}

#[test]
fn default_device_on_pipewire() {
    arrives_whole(&PipeWireServer::start(), None);
}

#[cfg(feature = "pipewire")]
#[test]
fn pipewire_native_host() {
    arrives_whole(&PipeWireServer::start(), Some(NATIVE));
}

#[cfg(feature = "pipewire")]
#[test]
fn pipewire_native_host_in_stereo() {
    let server = PipeWireServer::start_with(Microphone { channels: 2, ..Microphone::default() });
    let file = server.runtime().join("code.wav");
    PositionCode::new(2, 48_000).write_wav(&file, CODE);
    let _player = play(&server, &file);
    let output = record(&server, Some(NATIVE)).args(["-d", "4s", "take.wav"]).run();
    output.assert_success();
    let mut wav = hound::WavReader::open(output.path("take.wav")).unwrap();
    let samples: Vec<i16> = wav.samples().map(Result::unwrap).collect();
    assert_eq!(samples.len() as u64, 2 * FRAMES);
    let reports = analyse_channels(&samples, 2);
    assert_channels_contiguous(&reports);
    assert!(fills(&server, &reports[0]), "{reports:?}");
}

/// Without being asked for anything, the program records what the microphone is.
#[test]
fn the_microphones_own_layout_is_kept() {
    for (channels, rate) in [(2, 44_100), (1, 16_000)] {
        let server = PulseServer::start_with(Microphone { channels, rate, ..Microphone::default() });
        let file = server.runtime().join("code.wav");
        PositionCode::new(channels, rate).write_wav(&file, CODE);
        let _player = play(&server, &file);
        let output = record(&server, None).args(["-d", "2s", "take.wav"]).run();
        output.assert_success();
        let mut wav = hound::WavReader::open(output.path("take.wav")).unwrap();
        let spec = wav.spec();
        assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (channels, rate, 16));
        let samples: Vec<i16> = wav.samples().map(Result::unwrap).collect();
        assert_eq!(samples.len(), usize::from(channels) * rate as usize * 2);
        let reports = analyse_channels(&samples, channels);
        assert_channels_contiguous(&reports);
        assert_eq!((reports[0].lead_in, reports[0].lead_out), (0, 0), "{reports:?}");
    }
}

/// What is lost there is told, and no business of this program.
#[test]
fn the_ways_of_cpal_are_there_for_comparison() {
    let server = PulseServer::start();
    let _player = speak(&server);
    // Without a cookie cpal breaks the protocol.
    let cookie = server.runtime().join("cookie");
    std::fs::write(&cookie, [0; 256]).unwrap();
    for id in [format!("cpal:{}", pulse(&server)), format!("cpal:{ALSA}")] {
        let test = record(&server, Some(&id)).env("PULSE_COOKIE", &cookie);
        let output = test.args(["-d", "1s", "-c", "1", "-r", "48000", "take.wav"]).run();
        assert!(matches!(output.status.code(), Some(0 | 3)), "{}", output.context());
        assert_eq!(samples(&output.path("take.wav")).len(), 48_000, "{}", output.context());
        std::fs::remove_file(output.path("take.wav")).unwrap();
    }
}

/// A source with two seconds of latency gives nothing for two seconds and then everything at once.
#[test]
fn the_duration_is_exact_however_long_the_first_frames_take() {
    let server = PulseServer::start_with(Microphone { lazy: true, ..Microphone::default() });
    for device in [None, Some(ALSA)] {
        let output = record_take(&server, device).run();
        output.assert_success();
        assert_eq!(samples(&output.path("take.wav")).len() as u64, FRAMES, "{device:?}\n{}", output.context());
    }
}
