//! What is written here, read by our own decoder and by `flac`, `opusdec`, `opusinfo`, `sox` and `ffmpeg`.

use dictaphone::{
    audio::{AudioFormat, Metadata, SampleFormat},
    format::Delivery,
};
use proptest::prelude::*;

use crate::takes::*;

/// Rates that the head of a frame tells in every way that there is, and channels up to eight.
const FLAC: [(u32, u16, SampleFormat); 8] = [
    (48_000, 1, SampleFormat::S16),
    (44_100, 2, SampleFormat::S24),
    (16_000, 1, SampleFormat::S16),
    (11_025, 2, SampleFormat::S16),
    (7_000, 3, SampleFormat::S24),
    (65_534, 8, SampleFormat::S16),
    (352_800, 1, SampleFormat::S24),
    (1_000, 1, SampleFormat::S16),
];

#[test]
fn flac_and_ffmpeg_decode_every_flac_file_bit_for_bit() {
    for (rate, channels, format) in FLAC {
        let bits = format.bits();
        for frames in [0, 1, 15, 4_095, 4_096, 4_097, 20_000] {
            let numbers = numbers(frames, channels, bits);
            let expected = raw(&numbers, bits);
            for delivery in [Delivery::File, Delivery::Stream] {
                let settings = settings(AudioFormat::new(rate, channels, format), delivery);
                let bytes = take("flac", &settings, &samples_of(&numbers, bits), tags());
                assert!(raw(&whole_numbers(&bytes, bits), bits) == expected, "{settings:?}");
                if frames == 0 {
                    // `flac` takes a file of an unknown length without a frame for a damaged one.
                    continue;
                }
                let bench = Bench::new();
                let strict = if delivery == Delivery::File { "--warnings-as-errors" } else { "" };
                bench.put("x.flac", &bytes).run(&format!("flac --silent --test {strict} x.flac"));
                let to_raw = "flac --silent --decode --stdout --force-raw-format --endian=little --sign=signed x.flac";
                assert!(bench.feed(to_raw, b"") == expected, "flac: {frames} of {settings:?}");
                let line = format!("ffmpeg -v error -i - -f s{bits}le -c:a pcm_s{bits}le -");
                assert!(bench.feed(&line, &bytes) == expected, "ffmpeg: {frames} of {settings:?}");
            }
        }
    }
}

/// What our own decoder makes of it, as numbers again.
fn whole_numbers(bytes: &[u8], bits: u16) -> Vec<i32> {
    let scale = (1_u32 << (bits - 1)) as f32;
    all_samples(bytes).iter().map(|sample| (sample * scale) as i32).collect()
}

#[test]
fn a_whole_flac_file_says_how_long_it_is_and_proves_its_samples() {
    let audio = AudioFormat::new(48_000, 2, SampleFormat::S24);
    let bytes = take("flac", &settings(audio, Delivery::File), &samples_of(&numbers(48_000, 2, 24), 24), tags());
    let bench = Bench::new();
    bench.put("x.flac", &bytes);
    assert_eq!(bench.probe("x.flac"), "48000,2,1.000000");
    let known = bench.run("metaflac --show-total-samples --show-bps --show-min-framesize --show-md5sum x.flac");
    let known: Vec<&str> = known.lines().collect();
    assert_eq!(&known[..2], ["48000", "24"]);
    assert!(known[2].parse::<u32>().unwrap() > 14 && known[3] != "0".repeat(32));
    assert_eq!(bench.run("soxi -s x.flac").trim(), "48000");
}

#[test]
fn opusdec_and_ffmpeg_decode_exactly_the_frames_that_went_in() {
    for channels in [1, 2] {
        for frames in [1, 647, 648, 649, 960, 48_000, 100_001] {
            for delivery in [Delivery::File, Delivery::Stream] {
                let settings = settings(AudioFormat { channels, ..OPUS }, delivery);
                let sound = samples_of(&numbers(frames, channels, 16), 16);
                let bytes = take("opus", &settings, &sound, tags());
                let own = all_samples(&bytes);
                assert_eq!(own.len(), sound.len(), "{frames} of {settings:?}");
                let bench = Bench::new();
                let opusdec = bench.feed("opusdec --quiet --force-wav --no-dither - -", &bytes);
                assert_eq!(opusdec.len() - 44, sound.len() * 2, "opusdec: {frames} of {settings:?}");
                let ffmpeg = bench.feed("ffmpeg -v error -i - -f s16le -", &bytes);
                assert_eq!(ffmpeg.len(), sound.len() * 2, "ffmpeg: {frames} of {settings:?}");
                if frames > 10_000 {
                    let likeness_to_source = likeness(&own, &sound);
                    assert!(likeness_to_source > 0.9, "{likeness_to_source}: the sound is where it was");
                    assert!(likeness(&own, &from_16_bits(&opusdec[44..])) > 0.999, "as opusdec hears it");
                }
            }
        }
    }
}

fn from_16_bits(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(2).map(|sample| f32::from(i16::from_le_bytes([sample[0], sample[1]])) / 32_768.0).collect()
}

/// The correlation of two sounds: 1 for the same, 0 for any two.
fn likeness(one: &[f32], other: &[f32]) -> f32 {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    product(one, other) / (product(one, one) * product(other, other)).sqrt()
}

#[test]
fn other_programs_have_nothing_to_complain_of_in_an_opus_file() {
    let sound = samples_of(&numbers(100_000, 2, 16), 16);
    let bytes = take("opus", &settings(AudioFormat { channels: 2, ..OPUS }, Delivery::File), &sound, tags());
    let bench = Bench::new();
    let info = bench.put("x.opus", &bytes).run("opusinfo x.opus");
    for part in ["Pre-skip: 312", "Playback length: 0m:02.083s", "TITLE=Gespräch mit Anna", "CHAPTER003NAME=später=1"]
    {
        assert!(info.contains(part), "{part} is missing in {info}");
    }
    assert!(!info.to_lowercase().contains("warning"), "{info}");
}

#[test]
fn nothing_recorded_is_a_file_of_no_frames() {
    for (name, audio) in [("flac", AudioFormat::new(48_000, 1, SampleFormat::S16)), ("opus", OPUS)] {
        for delivery in [Delivery::File, Delivery::Stream] {
            let bytes = take(name, &settings(audio, delivery), &[], tags());
            let mut decoder = opened(&bytes);
            assert_eq!((decoder.frames(), samples(decoder.as_mut()).len()), (Some(0), 0), "{name}");
            decoder.seek(7).unwrap();
            assert!(samples(decoder.as_mut()).is_empty());
            // Well-formed to others.
            assert!(Bench::new().feed("ffmpeg -v fatal -i - -f s16le -", &bytes).len() <= 2 * 960);
        }
    }
}

#[test]
fn tags_markers_and_losses_read_back_and_ffprobe_knows_the_chapters() {
    for (name, audio) in [("flac", AudioFormat::new(48_000, 1, SampleFormat::S16)), ("opus", OPUS)] {
        let sound = samples_of(&numbers(48_000, 1, 16), 16);
        let bytes = take(name, &settings(audio, Delivery::File), &sound, tags());
        let decoder = opened(&bytes);
        assert_eq!(decoder.metadata(), &tags(), "{name}");
        assert_eq!(decoder.metadata().lost_frames(), Some(480));
        let bench = Bench::new();
        let chapters = bench.put("x", &bytes).run("ffprobe -v error -show_chapters -of csv x");
        assert_eq!(chapters.lines().count(), 3, "{chapters}");
        assert!(chapters.contains("0.200000") && chapters.contains("später=1"), "{chapters}");
        // Known at the start already, in a stream.
        let settings = settings(audio, Delivery::Stream).metadata(tags());
        assert_eq!(opened(&unsealed(name, &settings, &[]).0).metadata(), &tags(), "{name}");
    }
}

#[test]
fn more_tags_than_there_is_room_for_leave_a_whole_file() {
    for (name, audio) in [("flac", AudioFormat::new(48_000, 1, SampleFormat::S16)), ("opus", OPUS)] {
        let sound = samples_of(&numbers(5_000, 1, 16), 16);
        let mut metadata = tags().comment(Some("ö".repeat(500)));
        metadata.markers = (0..5_000).map(|n| dictaphone::audio::Marker { frame: n, text: "m".into() }).collect();
        let bytes = take(name, &settings(audio, Delivery::File), &sound, metadata.clone());
        let found = opened(&bytes);
        assert_eq!((found.metadata().title.clone(), found.frames()), (metadata.title, Some(5_000)), "{name}");
        let kept = found.metadata().markers.len();
        assert!((20..200).contains(&kept), "{kept} markers in {name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_seek_makes_its_frame_the_next_one(
        frames in 1_usize..60_000, seeks in prop::collection::vec(0.0..1.2_f64, 1..6), stream: bool, opus: bool,
    ) {
        let delivery = if stream { Delivery::Stream } else { Delivery::File };
        let sound = samples_of(&numbers(frames, 1, 16), 16);
        let name = if opus { "opus" } else { "flac" };
        let mut decoder = opened(&take(name, &settings(OPUS, delivery), &sound, Metadata::default()));
        prop_assert_eq!(decoder.frames(), Some(frames as u64));
        let whole = samples(decoder.as_mut());
        prop_assert_eq!(whole.len(), frames);
        for seek in seeks {
            let frame = (frames as f64 * seek) as usize;
            decoder.seek(frame as u64).unwrap();
            let rest = samples(decoder.as_mut());
            let expected = whole.get(frame..).unwrap_or_default();
            prop_assert_eq!(rest.len(), expected.len());
            if opus {
                // A decoder that begins here is not the one that began at the start, but soon nearly so.
                let (far, near) = (rest.get(4_800..).unwrap_or_default(), expected.get(4_800..).unwrap_or_default());
                prop_assert!(far.len() < 4_800 || likeness(far, near) > 0.99);
            } else {
                prop_assert!(rest == expected);
            }
        }
    }
}
