use flac_codec::decode::FlacSampleReader;
use proptest::prelude::*;

use super::*;
use crate::{audio::Marker, format::row::PCM};

fn settings(channels: u16, sample_format: SampleFormat, delivery: Delivery) -> EncoderSettings {
    let audio = AudioFormat::new(8_000, channels, sample_format);
    EncoderSettings { audio, delivery, bits_per_second: None, metadata: Metadata::default() }
}

/// Interleaved numbers within 16 bits that do not compress to nothing.
fn numbers(frames: usize, channels: u16) -> Vec<i32> {
    (0..frames * usize::from(channels)).map(|n| (n as i32).wrapping_mul(7_919) % 30_000).collect()
}

fn samples(numbers: &[i32], format: SampleFormat) -> Vec<f32> {
    let scale = if format == SampleFormat::S16 { 32_768.0 } else { 8_388_608.0 };
    numbers.iter().map(|&number| number as f32 / scale).collect()
}

/// The bytes as in a WAV file.
fn stored(numbers: &[i32], format: SampleFormat) -> Vec<u8> {
    let bytes = usize::from(format.bytes());
    numbers.iter().flat_map(|number| number.to_le_bytes().into_iter().take(bytes)).collect()
}

/// `bytes` after `seal` was carried out.
fn sealed(mut bytes: Vec<u8>, seal: Seal) -> Vec<u8> {
    bytes.truncate(usize::try_from(seal.length).unwrap());
    for patch in seal.patches {
        let at = usize::try_from(patch.at).unwrap();
        bytes[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    bytes
}

/// What the crate's own reader, which checks every checksum, reads.
fn decoded(bytes: &[u8]) -> (Option<u64>, Vec<i32>) {
    let mut reader = FlacSampleReader::new(bytes).unwrap();
    let total = flac_codec::metadata::Metadata::total_samples(&reader);
    let mut out = Vec::new();
    reader.read_to_end(&mut out).unwrap();
    (total, out)
}

/// A finished file that was encoded in pieces of `piece` frames.
fn file(numbers: &[i32], settings: &EncoderSettings, piece: usize) -> Vec<u8> {
    let (mut encoder, mut out) = (FlacEncoder::new(settings).unwrap(), Vec::new());
    encoder.begin(&mut out).unwrap();
    for piece in numbers.chunks(piece * usize::from(settings.audio.channels)) {
        encoder.encode_stored(&stored(piece, settings.audio.sample_format), &mut out).unwrap();
    }
    encoder.finish(&mut out).unwrap();
    let seal = encoder.seal(out.len() as u64);
    sealed(out, seal)
}

/// Sounds that cover all ways of coding, within `bits` bits.
#[derive(Debug, Clone, Copy)]
enum Sound {
    Silence,
    Constant,
    Tone,
    Noise,
    /// Low bits that are zero, as of fewer bits in a deeper file.
    Shallow,
    /// One loud sample in silence.
    Click,
    /// From one end of the range to the other.
    Extremes,
}

const SOUNDS: [Sound; 7] =
    [Sound::Silence, Sound::Constant, Sound::Tone, Sound::Noise, Sound::Shallow, Sound::Click, Sound::Extremes];

fn sound(kind: Sound, bits: u32, samples: usize) -> Vec<i32> {
    let top = i32::MAX >> (32 - bits);
    let noise = |n: usize| (n as u32).wrapping_mul(2_654_435_761).rotate_left(13).wrapping_mul(2_246_822_519) as i32;
    let sample = |n: usize| match kind {
        Sound::Silence => 0,
        Sound::Constant => -top / 3,
        Sound::Tone => ((n as f64 * 0.05).sin() * f64::from(top)) as i32,
        Sound::Noise => noise(n) >> (32 - bits),
        Sound::Shallow => noise(n) >> (32 - bits) & !0x3f,
        Sound::Click => {
            if n == samples / 2 {
                top
            } else {
                0
            }
        }
        Sound::Extremes => {
            if noise(n) < 0 {
                top
            } else {
                -top - 1
            }
        }
    };
    (0..samples).map(sample).collect()
}

proptest! {
    #[test]
    fn every_depth_is_kept_bit_for_bit(
        frames in 0_usize..5_000,
        channels in 1_u16..=8,
        rate in prop::sample::select(vec![1, 8_000, 11_025, 44_100, 65_534, 65_540, 255_000, 655_340]),
        format in prop::sample::select(PCM),
        kind in prop::sample::select(&SOUNDS[..]),
        stream: bool,
        piece in 1_usize..3_000,
    ) {
        let delivery = if stream { Delivery::Stream } else { Delivery::File };
        let mut settings = settings(channels, format, delivery);
        settings.audio.sample_rate = rate;
        let numbers = sound(kind, format.bits().into(), frames * usize::from(channels));
        let bytes = file(&numbers, &settings, piece);
        let (total, found) = decoded(&bytes);
        prop_assert_eq!(total, (!stream && frames > 0).then_some(frames as u64));
        prop_assert!(found == numbers);
    }
}

#[test]
fn every_length_of_the_last_block_can_be_read() {
    for format in PCM {
        for kind in SOUNDS {
            for frames in (1..520).chain([772, 1_028, 1_540, 3_076, 4_100, 4_868]) {
                let settings = settings(1, *format, Delivery::File);
                let numbers = sound(kind, format.bits().into(), frames);
                assert!(
                    decoded(&file(&numbers, &settings, 5_000)).1 == numbers,
                    "{frames} frames of {kind:?}, {format}"
                );
            }
        }
    }
}

#[test]
fn what_two_channels_have_in_common_is_written_once() {
    for format in PCM {
        let bits = u32::from(format.bits());
        let mono = sound(Sound::Noise, bits - 1, 4_096);
        let one = file(&mono, &settings(1, *format, Delivery::File), 4_096).len();
        let offset = sound(Sound::Tone, bits - 4, 4_096);
        for right in [|a: i32, _: i32| a, |a, b| a + b] {
            let both: Vec<i32> = mono.iter().zip(&offset).flat_map(|(&a, &b)| [a, right(a, b)]).collect();
            let bytes = file(&both, &settings(2, *format, Delivery::File), 4_096);
            assert!(decoded(&bytes).1 == both);
            assert!(bytes.len() < one * 5 / 4, "{format}: {} and {one} bytes", bytes.len());
        }
    }
}

#[test]
fn the_loudest_and_the_strangest_samples_are_kept() {
    for (format, top) in [(SampleFormat::S16, 32_767), (SampleFormat::S24, 8_388_607), (SampleFormat::S32, i32::MAX)] {
        let pattern: Vec<i32> = (0..5_000).map(|n| if n % 7 < 3 { top } else { -top - 1 }).collect();
        let bytes = file(&pattern, &settings(2, format, Delivery::File), 777);
        assert!(decoded(&bytes).1 == pattern, "{format}");
        assert_eq!(
            flac_codec::decode::verify_reader(bytes.as_slice()).unwrap(),
            flac_codec::decode::Verified::MD5Match
        );
    }
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 2.0, -2.0];
    let (mut encoder, mut out) = (FlacEncoder::new(&settings(1, SampleFormat::S16, Delivery::Stream)).unwrap(), vec![]);
    encoder.begin(&mut out).unwrap();
    encoder.encode(&odd, &mut out).unwrap();
    encoder.finish(&mut out).unwrap();
    assert_eq!(decoded(&out).1, [0, 32_767, -32_768, 32_767, -32_768]);
}

#[test]
fn every_cut_of_a_file_is_sealed_after_its_last_whole_block() {
    let settings = settings(1, SampleFormat::S16, Delivery::File);
    let (mut encoder, mut out) = (FlacEncoder::new(&settings).unwrap(), Vec::new());
    let numbers = numbers(2_500, 1);
    encoder.begin(&mut out).unwrap();
    let header = out.len();
    encoder.encode(&samples(&numbers, SampleFormat::S16), &mut out).unwrap();
    encoder.set_metadata(Metadata { markers: vec![Marker { frame: 8, text: "m".into() }], ..Metadata::default() });
    encoder.finish(&mut out).unwrap();
    for cut in 0..=out.len() {
        let seal = encoder.seal(cut as u64);
        assert!(seal.length <= cut as u64);
        if cut < header {
            assert_eq!(seal, Seal::default(), "cut at {cut}");
            continue;
        }
        let (total, found) = decoded(&sealed(out.clone(), seal));
        assert!(found == numbers[..found.len()], "cut at {cut}");
        assert_eq!(total.unwrap_or(0), found.len() as u64, "cut at {cut}");
        // Blocks are of 1024 frames at this rate.
        assert!(found.len() % 1024 == 0 || cut == out.len(), "cut at {cut}");
    }
    assert_eq!(decoded(&sealed(out.clone(), encoder.seal(u64::MAX))).1.len(), 2_500);
    assert!(encoder.checkpoint(out.len() as u64).is_empty(), "a growing file promises nothing");
}

#[test]
fn a_flush_of_a_stream_leaves_nothing_but_what_is_no_block() {
    let settings = settings(2, SampleFormat::S24, Delivery::Stream);
    let (mut encoder, mut out) = (FlacEncoder::new(&settings).unwrap(), Vec::new());
    let numbers = numbers(1_000, 2);
    encoder.begin(&mut out).unwrap();
    for piece in samples(&numbers, SampleFormat::S24).chunks(100) {
        encoder.encode(piece, &mut out).unwrap();
        encoder.flush(&mut out).unwrap();
        assert_eq!(encoder.pending_frames(), 0);
    }
    encoder.encode(&[0.0; 30], &mut out).unwrap();
    encoder.flush(&mut out).unwrap();
    assert_eq!(encoder.pending_frames(), 15, "too short for a block that is not the last");
    encoder.finish(&mut out).unwrap();
    assert!(decoded(&out).1 == [numbers, vec![0; 30]].concat());
}

#[test]
fn what_follows_a_full_block_can_always_be_flushed() {
    for delivery in [Delivery::Stream, Delivery::File] {
        let settings = settings(1, SampleFormat::S16, delivery);
        for rest in 0..40 {
            let (mut encoder, mut out) = (FlacEncoder::new(&settings).unwrap(), Vec::new());
            encoder.expect_flushes();
            let numbers = numbers(2 * encoder.block_frames + rest, 1);
            encoder.begin(&mut out).unwrap();
            encoder.encode(&samples(&numbers, SampleFormat::S16), &mut out).unwrap();
            encoder.flush(&mut out).unwrap();
            assert_eq!(encoder.frames_in(out.len() as u64), Some(numbers.len() as u64));
            assert!(decoded(&out).1 == numbers, "{rest}");
            encoder.encode(&[0.5; 1_500], &mut out).unwrap();
            encoder.finish(&mut out).unwrap();
            let seal = encoder.seal(out.len() as u64);
            assert_eq!(decoded(&sealed(out, seal)).1.len(), numbers.len() + 1_500);
        }
    }
}

#[test]
fn a_file_that_is_handed_over_early_promises_no_length() {
    let settings = settings(1, SampleFormat::S16, Delivery::File);
    let (mut encoder, mut out) = (FlacEncoder::new(&settings).unwrap(), Vec::new());
    encoder.begin(&mut out).unwrap();
    encoder.encode(&[0.5; 3_000], &mut out).unwrap();
    assert!(encoder.unseal().is_empty());
    encoder.encode(&[0.25; 3_000], &mut out).unwrap();
    encoder.finish(&mut out).unwrap();
    let seal = encoder.seal(out.len() as u64);
    assert!(seal.patches.is_empty());
    let (total, found) = decoded(&out);
    assert_eq!((total, found.len()), (None, 6_000));
}

#[test]
fn misuse_is_an_error_and_changes_nothing() {
    let mut encoder = FlacEncoder::new(&settings(2, SampleFormat::S16, Delivery::File)).unwrap();
    let mut out = Vec::new();
    assert_eq!(encoder.encode(&[0.0; 3], &mut out).unwrap_err().kind(), ErrorKind::InvalidData);
    encoder.finish(&mut out).unwrap();
    assert_eq!(encoder.encode(&[0.0; 2], &mut out).unwrap_err().kind(), ErrorKind::InvalidState);
    assert_eq!(encoder.finish(&mut out).unwrap_err().kind(), ErrorKind::InvalidState);
    assert!(out.is_empty());
}

#[test]
fn an_end_that_is_long_forgotten_only_leaves_a_torn_block() {
    let settings = settings(1, SampleFormat::S16, Delivery::File);
    let (mut encoder, mut out) = (FlacEncoder::new(&settings).unwrap(), Vec::new());
    encoder.begin(&mut out).unwrap();
    let header = out.len() as u64;
    encoder.ends.clear();
    encoder.ends.push_back(End { bytes: header + 1_000, frames: 9 });
    assert_eq!(encoder.seal(header + 500).length, header + 500);
    assert_eq!(encoder.seal(header + 1_500).length, header + 1_000);
}
