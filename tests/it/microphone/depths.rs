//! Sources of more than 16 bits reach a file of the same depth bit for bit.
//!
//! A sample is position code in its upper 16 bits and, below them, eight bits that follow from the position.

use std::path::Path;

#[cfg(feature = "pipewire")]
use super::NATIVE;
use super::{ALSA, CODE, FRAMES, fills, hear, play, pulse, record};
use crate::support::pipewire::PipeWireServer;
use crate::support::pulse::PulseServer;
use crate::support::server::{Microphone, Server};
use crate::support::signal::PositionCode;

/// The 24-bit sample at a position whose code is `code`.
fn deep(code: i16, position: u64) -> i32 {
    i32::from(code) * 256 + (position.wrapping_mul(0x9e37_79b1) >> 16 & 0xFF) as i32
}

/// One and a half times full scale at the peak, which only a float survives.
fn float(deep: i32) -> f32 {
    deep as f32 / 4_194_304.0
}

fn spec(bits_per_sample: u16, sample_format: hound::SampleFormat) -> hound::WavSpec {
    hound::WavSpec { channels: 1, sample_rate: 48_000, bits_per_sample, sample_format }
}

fn write_deep(path: &Path) {
    let mut wav = hound::WavWriter::create(path, spec(24, hound::SampleFormat::Int)).unwrap();
    for (position, code) in PositionCode::mono().samples(0, CODE).into_iter().enumerate() {
        wav.write_sample(deep(code, position as u64)).unwrap();
    }
    wav.finalize().unwrap();
}

fn write_float(path: &Path) {
    let mut wav = hound::WavWriter::create(path, spec(32, hound::SampleFormat::Float)).unwrap();
    for (position, code) in PositionCode::mono().samples(0, CODE).into_iter().enumerate() {
        wav.write_sample(float(deep(code, position as u64))).unwrap();
    }
    wav.finalize().unwrap();
}

/// Fails unless the 24-bit samples are those of some position and its followers.
#[track_caller]
fn assert_deep(server: &impl Server, recorded: &[i32], context: &str) {
    assert_eq!(recorded.len() as u64, FRAMES, "{context}");
    let codes: Vec<i16> = recorded.iter().map(|sample| (sample >> 8) as i16).collect();
    let report = hear(server, &codes);
    assert!(report.is_perfect() && fills(server, &report), "{report:?}\n{context}");
    let first = report.first.unwrap();
    let coded = recorded.iter().zip(&codes).filter(|(_, code)| **code != 0);
    let wrong = coded.zip(first..).filter(|((sample, code), at)| **sample != deep(**code, *at));
    assert_eq!(wrong.count(), 0, "samples differ in their lowest bits\n{context}");
}

fn deep_source_arrives_in_s24(server: &impl Server, device: &str) {
    let file = server.runtime().join("deep.wav");
    write_deep(&file);
    let _player = play(server, &file);
    let output = record(server, Some(device)).args(["-d", "4s", "-c", "1", "-b", "s24", "take.wav"]).run();
    output.assert_success();
    let mut wav = hound::WavReader::open(output.path("take.wav")).unwrap();
    assert_eq!(wav.spec().bits_per_sample, 24);
    let recorded: Vec<i32> = wav.samples().map(Result::unwrap).collect();
    assert_deep(server, &recorded, &output.context());
}

fn float_source_arrives_in_f32(server: &impl Server, device: &str) {
    let file = server.runtime().join("float.wav");
    write_float(&file);
    let _player = play(server, &file);
    let output = record(server, Some(device)).args(["-d", "4s", "-c", "1", "-b", "f32", "take.wav"]).run();
    output.assert_success();
    let mut wav = hound::WavReader::open(output.path("take.wav")).unwrap();
    assert_eq!((wav.spec().bits_per_sample, wav.spec().sample_format), (32, hound::SampleFormat::Float));
    let recorded: Vec<f32> = wav.samples().map(Result::unwrap).collect();
    assert!(recorded.iter().any(|sample| sample.abs() > 1.0), "nothing is above full scale\n{}", output.context());
    let whole: Vec<i32> = recorded.iter().map(|sample| (sample * 4_194_304.0) as i32).collect();
    assert!(recorded.iter().zip(&whole).all(|(sample, deep)| *sample == float(*deep)), "{}", output.context());
    assert_deep(server, &whole, &output.context());
}

fn pulseaudio(format: &'static str) -> PulseServer {
    PulseServer::start_with(Microphone { format, ..Microphone::default() })
}

#[test]
fn a_24_bit_source_of_pulseaudio() {
    let server = pulseaudio("s24le");
    deep_source_arrives_in_s24(&server, &pulse(&server));
}

#[test]
fn a_24_bit_source_of_pulseaudio_through_alsa() {
    deep_source_arrives_in_s24(&pulseaudio("s24le"), ALSA);
}

#[test]
fn a_float_source_of_pulseaudio() {
    let server = pulseaudio("float32le");
    float_source_arrives_in_f32(&server, &pulse(&server));
}

#[test]
fn a_24_bit_source_of_pipewire() {
    let server = PipeWireServer::start();
    deep_source_arrives_in_s24(&server, &pulse(&server));
}

#[test]
fn a_float_source_of_pipewire() {
    let server = PipeWireServer::start();
    float_source_arrives_in_f32(&server, &pulse(&server));
}

#[cfg(feature = "pipewire")]
#[test]
fn pipewire_native_host_carries_float() {
    float_source_arrives_in_f32(&PipeWireServer::start(), NATIVE);
}
