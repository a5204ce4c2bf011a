//! Files that other programs write, and files that are not sound (tests/files/others): read right, or refused with a
//! message and a remedy that works.

use std::{fs, path::Path};

use crate::support::{harness::Test, output::Output};

/// A sandbox with a copy of one of the files.
fn with(name: &str) -> Test {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/others").join(name);
    Test::new().file(name, fs::read(file).unwrap())
}

fn run(test: &Test, words: &[&str]) -> Output {
    test.clone().again().args(words.iter().copied()).run()
}

/// The files that are read: rate, channels and frames, as ffmpeg counts them.
const READ: [(&str, u32, u16, u64); 22] = [
    ("alac.caf", 8_000, 2, 1_600),
    ("alac.m4a", 8_000, 2, 1_600),
    ("alaw.wav", 16_000, 1, 3_200),
    ("bare.mp3", 16_000, 1, 4_608),
    ("both.mp4", 16_000, 1, 4_096),
    ("f32.wav", 16_000, 1, 3_200),
    ("flac.oga", 8_000, 2, 1_600),
    ("float.aifc", 16_000, 1, 3_200),
    ("ima.wav", 16_000, 1, 4_082),
    ("ms.wav", 16_000, 1, 4_072),
    ("mulaw.wav", 8_000, 2, 1_600),
    ("qt.caf", 16_000, 1, 3_200),
    ("rf64.wav", 16_000, 1, 3_200),
    ("stereo.opus", 48_000, 2, 9_600),
    ("t.aiff", 8_000, 2, 1_600),
    ("t.caf", 8_000, 2, 1_600),
    ("t.flac", 8_000, 2, 1_600),
    ("t.m4a", 16_000, 1, 4_096),
    ("t.mp3", 16_000, 1, 3_200),
    ("t.ogg", 16_000, 1, 3_200),
    ("t.opus", 48_000, 1, 9_600),
    ("ulaw.aifc", 8_000, 2, 1_600),
];

/// What cannot be read, and why.
const REFUSED: [(&str, &str); 23] = [
    ("amr.3gp", "amr.3gp holds AMR sound, which is not read"),
    ("cut.m4a", "cut.m4a is damaged: its index, which is written last, is missing"),
    ("cut.opus", "cut.opus is damaged, and none of its sound can be read"),
    ("drm.m4p", "drm.m4p is protected against copying (DRM): only what it was sold for plays it"),
    ("empty.flac", "empty.flac is empty"),
    ("head.flac", "head.flac is damaged, and none of its sound can be read"),
    ("head.wav", "head.wav is damaged: its format is cut off"),
    ("picture.jpg", "picture.jpg is a JPEG picture, not a sound file"),
    ("picture.png", "picture.png is a PNG picture, not a sound file"),
    ("qt.aifc", "qt.aifc holds IMA ADPCM sound, which is not read"),
    ("samples.raw", "samples.raw holds raw samples, which do not say their rate and format"),
    ("t.ac3", "t.ac3 holds AC-3 sound, which is not read"),
    ("t.au", "t.au holds Sun or NeXT audio sound, which is not read"),
    ("t.spx", "t.spx holds Speex sound, which is not read"),
    ("t.tta", "t.tta holds True Audio sound, which is not read"),
    ("t.w64", "t.w64 holds Sony Wave64 sound, which is not read"),
    ("t.webm", "t.webm holds Matroska or WebM sound, which is not read"),
    ("t.wma", "t.wma holds WMA sound, which is not read"),
    ("t.wv", "t.wv holds WavPack sound, which is not read"),
    ("text.wav", "text.wav is text, not a sound file"),
    ("video.avi", "video.avi holds AVI sound, which is not read"),
    ("video.mkv", "video.mkv holds Matroska or WebM sound, which is not read"),
    ("video.mp4", "video.mp4 has no sound"),
];

#[test]
fn what_others_write_is_read_to_its_end() {
    for (name, rate, channels, frames) in READ {
        let test = with(name);
        let output = run(&test, &["info", name, "--json"]);
        let info: serde_json::Value = serde_json::from_str(&output.assert_success().stdout()).unwrap();
        let found = (&info["sample_rate"], &info["channels"], &info["frames"]);
        assert_eq!(found, (&rate.into(), &channels.into(), &frames.into()), "{name}");
        run(&test, &["convert", "-q", name, "out.wav"]).assert_success().assert_stderr("");
    }
}

#[test]
fn what_cannot_be_read_is_said_by_every_command_and_no_remedy_runs_in_a_circle() {
    for (name, text) in REFUSED {
        let test = with(name);
        let before = fs::read(test.path(name)).unwrap();
        for words in [&["convert", "-q", name, "out.wav"][..], &["info", name], &["play", name], &["recover", name]] {
            let output = run(&test, words);
            let said = output.stderr();
            let is_read = text.contains("none of its sound") && words[0] != "convert";
            if !is_read && words[0] != "recover" {
                output.assert_exit(1).assert_stderr_contains(&format!("error: {text}"));
            }
            assert_eq!(fs::read(test.path(name)).unwrap(), before, "{words:?}");
            assert!(!test.path("out.wav").exists(), "{words:?}");
            if said.contains("loudspeaker") {
                continue;
            }
            let hint = said.lines().find_map(|line| line.strip_prefix("hint: "));
            let has_remedy = hint.is_some() || name == "drm.m4p" || is_read || output.status.success();
            assert!(has_remedy, "{words:?}: {said}");
            if let Some(command) =
                hint.and_then(|hint| hint.strip_prefix('`')?.split_once('`')).map(|(command, _)| command)
            {
                follow(&test, command);
            }
        }
    }
}

/// Does what a remedy says. There is no sound of a protected file to compare with, and no video without sound.
fn follow(test: &Test, command: &str) {
    let words: Vec<&str> = command.split_whitespace().collect();
    let made = match words[..] {
        ["dictaphone", ref words @ ..] => run(test, words),
        ["ffmpeg", ref words @ ..] if !command.contains("video.") && !command.contains("amr.3gp") => {
            test.clone().again().program("ffmpeg").args(["-v", "error", "-y"]).args(words.iter().copied()).run()
        }
        _ => return,
    };
    made.assert_success();
    let file = words.last().unwrap();
    run(test, &["info", file]).assert_success();
}

#[test]
fn what_recover_does_not_know_is_named_with_the_command_that_reads_it() {
    for name in ["alaw.wav", "t.ogg", "t.mp3", "cut.mp3"] {
        let test = with(name);
        let output = run(&test, &["recover", name]);
        output.assert_exit(1).assert_stderr(&format!(
            "error: {name} is not a recording of a kind that can be repaired\n\
             hint: `dictaphone convert {name} {name}.flac` makes a new file of what can be read of it\n"
        ));
        let damaged = if name.starts_with("cut") { 3 } else { 0 };
        run(&test, &["convert", "-q", name, &format!("{name}.flac")]).assert_exit(damaged);
    }
}
