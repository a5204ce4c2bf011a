//! Which channels are kept: of a file, of a server's source, and the message when sound would go to the wrong channel
//! or nowhere.

use std::path::Path;

use dictaphone::{
    audio::{AudioFormat, SampleFormat},
    format::WavHeader,
};

use crate::{
    support::{harness::Test, process::require, pulse::PulseServer, server::Server as _},
    takes::{events, layout, names, samples},
};

const RATE: u32 = 48_000;

/// A WAV file of 16 bit with a layout, or none, in which `frame` gives every sample.
fn write(path: &Path, channels: u16, mask: u32, frames: u32, frame: impl Fn(u32) -> Vec<i16>) {
    let data: Vec<u8> = (0..frames).flat_map(frame).flat_map(i16::to_le_bytes).collect();
    let header = WavHeader::new(AudioFormat::new(RATE, channels, SampleFormat::S16)).unwrap().with_mask(mask);
    let bytes = data.len() as u64;
    std::fs::write(path, [header.file(bytes, header.file_len() + bytes), data].concat()).unwrap();
}

/// A voice on one of the channels, loud and never zero.
fn voice(at: u32) -> i16 {
    (at.wrapping_mul(7_919) % 20_000) as i16 - 10_000
}

fn numbered(channels: u16, mask: u32) -> Test {
    let test = Test::new();
    write(&test.path("in.wav"), channels, mask, 4_800, |_| {
        (1..=channels as i16).map(|channel| channel * 1_000).collect()
    });
    test
}

/// The first frame of a WAV file.
fn first_frame(path: impl AsRef<Path>) -> Vec<i16> {
    let channels = usize::from(layout(path.as_ref()).1);
    samples(path).into_iter().take(channels).collect()
}

/// The mask of a WAV file whose header is extensible.
fn mask_of(path: impl AsRef<Path>) -> u32 {
    let bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(4).position(|id| id == b"fmt ").unwrap();
    assert_eq!(bytes[at + 8..at + 10], [0xfe, 0xff], "an extensible header");
    u32::from_le_bytes(bytes[at + 28..at + 32].try_into().unwrap())
}

#[test]
fn a_map_keeps_its_channels_in_its_order_from_a_file_and_in_a_conversion() {
    for (map, further, kept) in [
        ("3", "", &[3_000][..]),
        ("3,1", "", &[3_000, 1_000]),
        ("left", "", &[1_000]),
        ("right", "", &[2_000]),
        ("1+4", "", &[2_500]),
        ("2,1+3", "", &[2_000, 2_000]),
        ("4", "-c 2", &[4_000, 4_000]),
        ("1,2", "-c 1", &[1_500]),
    ] {
        let test = numbered(4, 0);
        let words = format!("-b s16 --map {map} {further} out.wav");
        let record = format!("record -i file:in.wav --fast {words}");
        for line in [record, format!("convert in.wav --force {words}")] {
            test.clone().again().args(line.split_whitespace()).run().assert_success();
            assert_eq!(
                (first_frame(test.path("out.wav")), layout(test.path("out.wav")).2),
                (kept.to_vec(), 4_800),
                "{line}"
            );
            std::fs::remove_file(test.path("out.wav")).unwrap();
        }
    }
}

#[test]
fn surround_is_mixed_to_stereo_and_separate_channels_only_by_saying_which() {
    let test = numbered(6, 0x3f);
    let stereo = |left: f64, right: f64| [left, right].map(|sum| (sum / (1.0 + 2_f64.sqrt())).round() as i16).to_vec();
    let side = 0.5_f64.sqrt();
    let expected = stereo(1_000.0 + side * (3_000.0 + 5_000.0), 2_000.0 + side * (3_000.0 + 6_000.0));
    for line in ["record -i file:in.wav --fast -b s16 -c 2 out.wav", "convert in.wav out.wav --force -c 2"] {
        test.clone().again().args(line.split_whitespace()).run().assert_success();
        let near = first_frame(test.path("out.wav")).iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 1);
        assert!(near, "{line}: {:?} instead of {expected:?}", first_frame(test.path("out.wav")));
    }
    for (line, hint) in [
        ("record -i file:in.wav --fast -c 2 out.wav", "`--map`"),
        ("record -i file:in.wav --fast --preset cd out.wav", "`--map`"),
        ("record -i file:in.wav --fast -c 3 out.wav", "`--map`"),
        ("record -i file:in.wav --fast out.opus", "`--map 1,2`"),
        ("convert in.wav out.wav -c 2", "`--map`"),
        ("convert in.wav - -c 2", "`--map`"),
    ] {
        let test = numbered(8, 0);
        let output = test.clone().args(line.split_whitespace()).run();
        output.assert_exit(2);
        assert!(output.stderr().contains(hint) && !output.stderr().contains("mixes to stereo"), "{}", output.context());
        assert_eq!((output.stdout(), names(test.path(""))), (String::new(), vec!["in.wav".to_owned()]), "{line}");
    }
}

#[test]
fn a_channel_that_is_not_there_is_a_usage_error_that_says_how_many_there_are() {
    for (channels, map, part) in [(4, "5", "no channel 5, only 4 channels"), (1, "1,2", "no channel 2, only 1 channel")]
    {
        for line in
            [format!("record -i file:in.wav --fast --map {map} out.wav"), format!("convert in.wav out.wav --map {map}")]
        {
            let test = numbered(channels, 0);
            let output = test.clone().args(line.split_whitespace()).run();
            output.assert_exit(2);
            assert!(output.stderr().contains(part), "{}", output.context());
            assert_eq!(names(test.path("")), ["in.wav"], "{line}");
        }
    }
    // In a config that was made for another device as well.
    let test = numbered(2, 0).file("c.toml", "map = \"3\"\n");
    let output = test.args("record --config c.toml -i file:in.wav --fast x.wav".split_whitespace()).run();
    output.assert_exit(2);
    assert!(output.stderr().contains("no channel 3"), "{}", output.context());
}

#[test]
fn only_a_known_layout_is_written_into_a_file() {
    for (channels, mask) in [(6_u16, 0x3f_u32), (6, 0), (4, 0), (8, 0x63f), (8, 0)] {
        let test = numbered(channels, mask);
        for (name, words) in [
            ("a.wav", "record -i file:in.wav --fast -b s16 a.wav"),
            ("b.flac", "convert in.wav b.flac"),
            ("c.wav", "convert b.flac c.wav"),
        ] {
            test.clone().again().args(words.split_whitespace()).run().assert_success();
            if name.ends_with("wav") {
                assert_eq!(mask_of(test.path(name)), mask, "{name} of {channels} channels");
            }
        }
        assert!(samples(test.path("c.wav")) == samples(test.path("in.wav")));
    }
}

#[test]
fn what_goes_astray_is_told_within_three_seconds_with_the_channel_and_the_remedy() {
    for (channels, sounding, further, kind, hint) in [
        (4, &[0, 0, 1, 0][..], "-c 1", "weak", "`--map 3`"),
        (8, &[0, 0, 0, 0, 0, 0, 0, 1], "--map 1", "weak", "`--map 8`"),
        (2, &[1, -1], "--preset voice", "phase", "`--map 1`"),
        (2, &[1, -1], "--map 1+2", "phase", "`--map 1`"),
    ] {
        let test = Test::new();
        let frame = |at| sounding.iter().map(|sign| voice(at) * sign).collect();
        write(&test.path("in.wav"), channels, 0, 5 * RATE, frame);
        let line = format!("record -i file:in.wav --fast --json {further} x.wav");
        let output = test.args(line.split_whitespace()).run();
        output.assert_exit(0);
        let all = events(&output.stdout());
        let warnings: Vec<_> = all.iter().filter(|event| event["event"] == "warning").collect();
        let [warning] = warnings[..] else { panic!("{}", output.context()) };
        assert_eq!(warning["kind"], kind, "{warning}");
        assert!(warning["at_s"].as_f64().unwrap() <= 3.0, "{warning}");
        assert!(warning["hint"].as_str().unwrap().contains(hint), "{warning}");
        assert!(output.stderr().contains(&format!("hint: {hint}")), "{}", output.context());
    }
}

#[test]
fn a_stereo_voice_and_a_chosen_channel_are_no_reason_for_a_warning() {
    for (sounding, further) in
        [(&[1, 0][..], "-c 1"), (&[1, 1], "-c 1"), (&[1, -1], ""), (&[1, 0], "--map left"), (&[0, 0], "-c 1")]
    {
        let test = Test::new();
        let frame = |at| sounding.iter().map(|sign| voice(at) * sign).collect();
        write(&test.path("in.wav"), 2, 0, 5 * RATE, frame);
        let line = format!("record -i file:in.wav --fast --json {further} x.wav");
        let output = test.args(line.split_whitespace()).run();
        assert!(!output.stdout().contains("warning"), "{sounding:?} {further}: {}", output.context());
    }
}

#[test]
fn a_source_of_separate_inputs_is_kept_without_a_layout_and_mixed_only_on_demand() {
    let server = PulseServer::start();
    let load = |name: &str, channels: &str, map: &str| {
        let words = [&format!("sink_name={name}"), &format!("channels={channels}"), &format!("channel_map={map}")];
        let words: Vec<&str> = words.into_iter().map(String::as_str).collect();
        assert!(server.core().ask("pactl", &[&["load-module", "module-null-sink"], &words[..]].concat()).is_some());
    };
    load("inputs", "6", "aux0,aux1,aux2,aux3,aux4,aux5");
    load("cinema", "6", "front-left,front-right,rear-left,rear-right,front-center,lfe");
    let record = |device: &str, words: &str| {
        let line = format!("record -i pulseaudio:{device}.monitor -d 0.2 -b s16 {words}");
        Test::new().server(&server).args(line.split_whitespace()).run()
    };
    for (device, mask) in [("inputs", 0), ("cinema", 0x3f)] {
        let output = record(device, "x.wav");
        output.assert_exit(0);
        assert_eq!(mask_of(output.path("x.wav")), mask, "{device}");
    }
    record("cinema", "-c 2 x.wav").assert_exit(0);
    let output = record("inputs", "-c 2 x.wav");
    output.assert_exit(2);
    assert!(output.stderr().contains("--map") && names(output.path("")).is_empty(), "{}", output.context());
    let output = record("inputs", "--map 6,5 x.wav");
    output.assert_exit(0);
    assert_eq!(layout(output.path("x.wav")).1, 2);
}

/// What others write with a layout is mixed by it.
#[test]
fn the_layout_of_a_file_of_others_is_known() {
    require(&["ffmpeg"]);
    for (file, codec) in [("six.ogg", "libvorbis"), ("six.m4a", "alac")] {
        let test = numbered(6, 0x3f);
        let words = ["-v", "error", "-i", "in.wav", "-c:a", codec, file];
        test.clone().again().program("ffmpeg").args(words).run().assert_success();
        for (further, channels, mask) in [("", 6, 0x3f), ("-c 2", 2, 0)] {
            let line = format!("convert {file} --force -b s16 {further} out.wav");
            test.clone().again().args(line.split_whitespace()).run().assert_success();
            assert_eq!(layout(test.path("out.wav")).1, channels, "{file} {further}");
            assert!(mask == 0 || mask_of(test.path("out.wav")) == mask, "{file}");
        }
    }
}
