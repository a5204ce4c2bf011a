//! The parts that a recording is made of, timed one by one on a second of 48 kHz sound: `make bench-micro`.
//!
//! It only reports times, without any limit. How whole programs compare is measured by `benches/compare`.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be made ends with the reason")]

use std::{hint::black_box, io::Cursor, time::Duration};

use dictaphone::{
    AudioFormat, SampleFormat,
    format::{Delivery, EncoderSettings, by_name, from_reader},
    internals::{ChannelMixer, LevelMeter, Outline, Resampler, decode_samples, encode_samples, measured_rate, ring},
};
use divan::{Bencher, counter::ItemsCount};

const RATE: u32 = 48_000;

fn main() {
    divan::main();
}

/// A second of a voice-like sum of tones, interleaved.
fn second(channels: u16) -> Vec<f32> {
    let tone = |frame: u32, hertz: f64| (f64::from(frame) / f64::from(RATE) * hertz * std::f64::consts::TAU).sin();
    let voice = |frame| (0.4 * tone(frame, 140.0) + 0.2 * tone(frame, 910.0) + 0.05 * tone(frame, 4_300.0)) as f32;
    (0..RATE).flat_map(|frame| std::iter::repeat_n(voice(frame), channels.into())).collect()
}

fn settings(sample_format: SampleFormat) -> EncoderSettings {
    EncoderSettings::new(AudioFormat::new(RATE, 1, sample_format), Delivery::File)
}

/// The bytes of a file of `seconds` seconds.
fn file(format: &str, seconds: usize) -> Vec<u8> {
    let (mut bytes, samples) = (Vec::new(), second(1));
    let mut encoder = by_name(format).unwrap().encoder(&settings(SampleFormat::S16)).unwrap();
    encoder.begin(&mut bytes).unwrap();
    (0..seconds).for_each(|_| encoder.encode(&samples, &mut bytes).unwrap());
    encoder.finish(&mut bytes).unwrap();
    let seal = encoder.seal(bytes.len() as u64);
    bytes.truncate(usize::try_from(seal.length).unwrap());
    for patch in seal.patches {
        let at = usize::try_from(patch.at).unwrap();
        bytes[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    bytes
}

#[divan::bench(args = [SampleFormat::S16, SampleFormat::S24, SampleFormat::S32, SampleFormat::F32])]
fn samples_to_bytes(bencher: Bencher, format: SampleFormat) {
    let (samples, mut out) = (second(1), Vec::new());
    bencher.counter(ItemsCount::new(samples.len())).bench_local(|| {
        out.clear();
        encode_samples(black_box(&samples), format, &mut out);
    });
}

#[divan::bench(args = [SampleFormat::S16, SampleFormat::S24, SampleFormat::S32, SampleFormat::F32])]
fn bytes_to_samples(bencher: Bencher, format: SampleFormat) {
    let (mut bytes, mut out) = (Vec::new(), Vec::new());
    encode_samples(&second(1), format, &mut bytes);
    bencher.counter(ItemsCount::new(RATE)).bench_local(|| {
        out.clear();
        decode_samples(black_box(&bytes), format, &mut out);
    });
}

/// In blocks of 100 ms, as a sound system delivers them.
#[divan::bench(args = [1, 2, 32])]
fn through_the_ring(bencher: Bencher, channels: u16) {
    let samples = second(channels);
    let (mut callback, mut reader, _) = ring(AudioFormat::new(RATE, channels, SampleFormat::F32), 10);
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(RATE)).bench_local(|| {
        for block in samples.chunks(samples.len() / 10) {
            callback.push_block(block, |sample| sample);
            out.clear();
            black_box(reader.read(&mut out, 16_384));
        }
    });
}

/// To how many channels, from how many.
#[divan::bench(args = [(2, 1), (8, 1), (6, 6)])]
fn mix(bencher: Bencher, (from, to): (u16, u16)) {
    let mixer = ChannelMixer::keep(from, None, None, Some(to)).unwrap();
    let (samples, mut out) = (second(from), Vec::new());
    bencher.counter(ItemsCount::new(RATE)).bench_local(|| {
        out.clear();
        mixer.mix(black_box(&samples), &mut out);
    });
}

#[divan::bench]
fn map_two_of_eight(bencher: Bencher) {
    let map = "3,5+6".parse().unwrap();
    let mixer = ChannelMixer::keep(8, None, Some(&map), None).unwrap();
    let (samples, mut out) = (second(8), Vec::new());
    bencher.counter(ItemsCount::new(RATE)).bench_local(|| {
        out.clear();
        mixer.mix(black_box(&samples), &mut out);
    });
}

#[divan::bench(args = [16_000, 44_100, 96_000])]
fn resample(bencher: Bencher, to_hz: u32) {
    let mut resampler = Resampler::new(RATE, to_hz, 1).unwrap();
    let (samples, mut out) = (second(1), Vec::new());
    bencher.counter(ItemsCount::new(RATE)).bench_local(|| {
        out.clear();
        resampler.push(black_box(&samples), &mut out).unwrap();
    });
}

#[divan::bench]
fn level(bencher: Bencher) {
    let samples = second(1);
    bencher.counter(ItemsCount::new(RATE)).bench_local(|| {
        let mut meter = LevelMeter::new();
        meter.push(black_box(&samples));
        meter.take()
    });
}

#[divan::bench]
fn waveform(bencher: Bencher) {
    let samples = second(1);
    bencher.counter(ItemsCount::new(RATE)).bench_local(|| {
        let mut outline = Outline::new(Some(u64::from(RATE)));
        outline.push(black_box(&samples), 1);
        outline.finish()
    });
}

#[divan::bench(args = ["wav", "flac", "opus"])]
fn encode(bencher: Bencher, format: &str) {
    let (samples, mut out) = (second(1), Vec::new());
    let mut encoder = by_name(format).unwrap().encoder(&settings(SampleFormat::S16)).unwrap();
    encoder.begin(&mut out).unwrap();
    bencher.counter(ItemsCount::new(RATE)).bench_local(|| {
        out.clear();
        encoder.encode(black_box(&samples), &mut out).unwrap();
    });
}

#[divan::bench(args = ["wav", "flac", "opus"])]
fn decode(bencher: Bencher, format: &str) {
    let bytes = file(format, 1);
    bencher.counter(ItemsCount::new(RATE)).with_inputs(|| Cursor::new(bytes.clone())).bench_local_values(|input| {
        let (mut decoder, mut out) = (from_reader(input, "bench").unwrap(), Vec::new());
        while decoder.read(&mut out, 16_384).unwrap() == 16_384 {}
        out
    });
}

/// What listing recordings does with each file: it is opened, and nothing is read.
#[divan::bench(args = ["wav", "flac", "opus"])]
fn header(bencher: Bencher, format: &str) {
    let bytes = file(format, 60);
    bencher
        .with_inputs(|| Cursor::new(bytes.clone()))
        .bench_local_values(|input| from_reader(input, "bench").unwrap().frames());
}

/// Ten minutes of blocks of 100 ms.
#[divan::bench]
fn clock_estimate(bencher: Bencher) {
    let block = Duration::from_millis(100).as_nanos() as u64;
    bencher.counter(ItemsCount::new(6_000_usize)).bench_local(|| {
        let jitter = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44;
        measured_rate(RATE, 4_800, (1..=6_000).map(|number| number * block + jitter(number)))
    });
}
