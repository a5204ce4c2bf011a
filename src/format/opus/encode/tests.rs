use std::io::Cursor;

use ogg::PacketReader;
use proptest::prelude::*;

use super::*;
use crate::audio::{Marker, SampleFormat};

fn settings(channels: u16, delivery: Delivery) -> EncoderSettings {
    let audio = AudioFormat::new(SAMPLE_RATE, channels, SampleFormat::S16);
    EncoderSettings { audio, delivery, bits_per_second: None, metadata: Metadata::default() }
}

fn tone(frames: usize, channels: u16) -> Vec<f32> {
    (0..frames * usize::from(channels)).map(|n| (n as f32 * 0.05).sin() * 0.5).collect()
}

fn sealed(mut bytes: Vec<u8>, seal: Seal) -> Vec<u8> {
    bytes.truncate(usize::try_from(seal.length).unwrap());
    for patch in seal.patches {
        let at = usize::try_from(patch.at).unwrap();
        bytes[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    bytes
}

/// What a reader that refuses wrong checksums finds: the packets of sound, the last granule, whether the end is marked.
struct Found {
    packets: usize,
    granule: u64,
    ends: bool,
}

fn found(bytes: &[u8]) -> Found {
    let mut reader = PacketReader::new(Cursor::new(bytes));
    let head = reader.read_packet_expected().unwrap();
    assert!(head.first_in_stream() && head.data.starts_with(b"OpusHead"));
    let tags = reader.read_packet_expected().unwrap();
    assert!(tags.data.starts_with(b"OpusTags"));
    let mut found = Found { packets: 0, granule: 0, ends: tags.last_in_stream() };
    while let Some(packet) = reader.read_packet().unwrap() {
        assert!(!found.ends, "nothing stands behind the end");
        assert!(packet.absgp_page() >= found.granule, "granules never fall");
        found = Found { packets: found.packets + 1, granule: packet.absgp_page(), ends: packet.last_in_stream() };
    }
    found
}

fn finished(frames: usize, channels: u16, delivery: Delivery, piece: usize) -> (OpusEncoder, Vec<u8>) {
    let (mut encoder, mut out) = (OpusEncoder::new(&settings(channels, delivery)).unwrap(), Vec::new());
    encoder.begin(&mut out).unwrap();
    for piece in tone(frames, channels).chunks(piece * usize::from(channels)) {
        encoder.encode(piece, &mut out).unwrap();
    }
    encoder.finish(&mut out).unwrap();
    (encoder, out)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_last_granule_is_the_pre_skip_and_every_frame(
        frames in 0_usize..9_000,
        channels in 1_u16..=2,
        stream: bool,
        piece in 1_usize..2_000,
    ) {
        let delivery = if stream { Delivery::Stream } else { Delivery::File };
        let (encoder, out) = finished(frames, channels, delivery, piece);
        prop_assert_eq!(encoder.pre_skip, 312);
        let seal = encoder.seal(out.len() as u64);
        prop_assert_eq!(seal.length, out.len() as u64);
        for bytes in [out.clone(), sealed(out, seal)] {
            let found = found(&bytes);
            prop_assert!(found.ends);
            prop_assert_eq!(found.granule, 312 + frames as u64);
            prop_assert_eq!(found.packets, (312 + frames).div_ceil(960));
        }
    }
}

#[test]
fn every_cut_of_a_file_is_sealed_after_its_last_whole_page() {
    let (mut encoder, out) = finished(120_000, 1, Delivery::File, 4_800);
    encoder.set_metadata(Metadata { markers: vec![Marker { frame: 8, text: "m".into() }], ..Metadata::default() });
    let headers = usize::try_from(encoder.header_bytes).unwrap();
    for cut in (0..out.len()).step_by(37).chain(headers - 2..headers + 2).chain(out.len() - 2..=out.len()) {
        let seal = encoder.seal(cut as u64);
        assert!(seal.length <= cut as u64);
        if cut < headers {
            assert_eq!(seal, Seal::default(), "cut at {cut}");
            continue;
        }
        let found = found(&sealed(out.clone(), seal));
        assert!(found.ends, "cut at {cut}");
        assert!(found.packets.is_multiple_of(50) || cut == out.len(), "cut at {cut}: pages of a second");
        assert!(found.granule == found.packets as u64 * 960 || cut == out.len(), "cut at {cut}");
    }
    assert!(encoder.checkpoint(out.len() as u64).is_empty());
}

#[test]
fn a_flush_ends_the_page_and_a_stream_leaves_every_40_ms() {
    let (mut encoder, mut out) = (OpusEncoder::new(&settings(1, Delivery::Stream)).unwrap(), Vec::new());
    encoder.begin(&mut out).unwrap();
    for (frames, packets) in [(960, 0), (959, 0), (1, 2), (960, 2)] {
        encoder.encode(&tone(frames, 1), &mut out).unwrap();
        assert_eq!(found(&out).packets, packets);
    }
    encoder.flush(&mut out).unwrap();
    assert_eq!(found(&out).packets, 3);
    let before = out.len();
    encoder.flush(&mut out).unwrap();
    assert_eq!(out.len(), before, "an empty page is none");
}

#[test]
fn a_bit_rate_beyond_the_limits_becomes_the_nearest() {
    let audio = AudioFormat::new(SAMPLE_RATE, 1, SampleFormat::S16);
    for (asked, used) in [(None, 40_000), (Some(0), 6_000), (Some(24_000), 24_000), (Some(u32::MAX), 510_000)] {
        assert_eq!(bits_per_second(audio, asked), used);
    }
    let loud: Vec<f32> =
        (0..96_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32) - 0.5).collect();
    let size = |bits| {
        let settings = EncoderSettings { bits_per_second: Some(bits), ..settings(2, Delivery::Stream) };
        let (mut encoder, mut out) = (OpusEncoder::new(&settings).unwrap(), Vec::new());
        encoder.begin(&mut out).unwrap();
        encoder.encode(&loud, &mut out).unwrap();
        encoder.finish(&mut out).unwrap();
        assert_eq!(found(&out).granule, 48_312);
        out.len()
    };
    assert!(size(510_000) > 3 * size(64_000) && size(64_000) > 3 * size(8_000));
}

#[test]
fn misuse_and_samples_that_are_no_sound_are_survived() {
    let mut encoder = OpusEncoder::new(&settings(2, Delivery::File)).unwrap();
    let mut out = Vec::new();
    assert_eq!(encoder.encode(&[0.0; 3], &mut out).unwrap_err().kind(), ErrorKind::InvalidData);
    for sample in [f32::NAN, f32::INFINITY, f32::MIN, 1e30] {
        encoder.encode(&[sample; 4_000], &mut out).unwrap();
    }
    encoder.finish(&mut out).unwrap();
    assert_eq!(encoder.encode(&[0.0; 2], &mut out).unwrap_err().kind(), ErrorKind::InvalidState);
    assert_eq!(encoder.finish(&mut out).unwrap_err().kind(), ErrorKind::InvalidState);
}
