//! `dictaphone record` into files: where they go, what they are called, how long they are, and what is in them.

use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;

use crate::support::analysis::analyse;
use crate::support::harness::Test;
use crate::support::signal::{PositionCode, coded_sample, locate};
use crate::takes::{
    ask, assert_no_leftovers, events, in_shell, layout, names, order, record, samples, wait_for_event, wait_for_nth,
};

#[test]
fn a_file_is_recorded_and_its_path_printed() {
    let output = record(&["-i", "tone", "--fast", "-d", "1s", "take.wav"]).run();
    output.assert_success().assert_stdout("take.wav\n");
    output.assert_stderr("recording tone · 48 kHz mono s16 to take.wav\nsaved take.wav · 00:00:01.0\n");
    assert_eq!(layout(output.path("take.wav")), (48_000, 1, 48_000));
    assert_eq!(names(output.path("")), ["take.wav"]);
}

#[test]
fn a_recording_has_the_permissions_that_its_user_gives_new_files() {
    for (umask, mode) in [("022", 0o644), ("077", 0o600)] {
        let words = "record -i tone --fast -d 1 new/take.wav";
        let output = in_shell(&format!("mkdir new; umask {umask}"), words).run();
        let found = std::fs::metadata(output.path("new/take.wav")).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{umask}");
    }
}

#[test]
fn a_file_that_is_replaced_leaves_its_permissions_and_its_links_as_they_were() {
    let words = "record -q -i tone --fast -d 1 --force link.wav";
    let output = in_shell(
        "mkdir there; echo old > there/take.wav; chmod 664 there/take.wav; ln -s there/take.wav link.wav",
        words,
    )
    .run();
    output.assert_success();
    assert_eq!(std::fs::read_link(output.path("link.wav")).unwrap(), std::path::Path::new("there/take.wav"));
    assert_eq!(layout(output.path("there/take.wav")).2, 48_000);
    assert_eq!(std::fs::metadata(output.path("there/take.wav")).unwrap().permissions().mode() & 0o777, 0o664);
}

#[test]
fn quiet_says_nothing_and_prints_the_path() {
    let output = record(&["-q", "-i", "tone", "--fast", "-d", "1", "take.wav"]).run();
    output.assert_success().assert_stdout("take.wav\n").assert_stderr("");
}

#[test]
fn only_the_clips_folder_is_made_and_a_disk_that_is_not_there_is_not_replaced_by_another() {
    for (file, folder) in [("a/b/take.wav", "a/b"), ("a/", "a/"), ("a/.", "a/.")] {
        let output = record(&["-i", "tone", "--fast", "-d", "1", file]).run();
        output.assert_exit(2).assert_stderr(&format!(
            "error: the folder {folder} does not exist\nhint: is its disk mounted? `mkdir -p {folder}` makes it\n"
        ));
        assert!(names(output.path("")).is_empty(), "{file}");
    }
    for words in [&["--dir", "a/b", "--name", "x"][..], &["a/b/x.wav"], &["--name", "x", "a/b/"]] {
        let test = record(&["-q", "-i", "tone", "--fast", "-d", "1"]).args(words.iter().copied());
        let clips = test.path("a/b");
        let output = test.env("DICTAPHONE_DIR", clips).run();
        output.assert_success();
        assert_eq!(names(output.path("a/b")), ["x.wav"]);
    }
}

#[test]
fn a_tilde_that_the_shell_has_not_replaced_is_the_home_folder() {
    let tone = ["-q", "-i", "tone", "--fast", "-d", "1", "--name", "x"];
    for (words, variable) in [(&["--dir=~/rec"][..], ""), (&["~/rec/"], "~/rec"), (&[], "~/rec")] {
        let test = record(&tone).args(words.iter().copied()).env("DICTAPHONE_DIR", variable);
        std::fs::create_dir(test.home().join("rec")).unwrap();
        let output = test.run();
        output.assert_success();
        assert_eq!(names(output.sandbox.home().join("rec")), ["x.wav"], "{words:?} {variable}");
        assert!(names(output.path("")).is_empty(), "no folder is called ~");
    }
}

#[test]
fn what_can_be_no_file_is_refused_before_anything_is_recorded() {
    let long = format!("{}.wav", "a".repeat(252));
    for (name, text) in [(long.as_str(), "the name of the file is 256 bytes long"), ("new/..", "does not name a file")]
    {
        let output = record(&["-i", "tone", "--fast", "-d", "1", name]).run();
        output.assert_exit(2).assert_stderr_contains(text);
        assert_no_leftovers(&output);
    }
    record(&["-q", "-i", "tone", "--fast", "-d", "1", &long[1..]]).run().assert_success();
}

#[test]
fn what_the_user_called_the_recording_is_its_title() {
    for (words, title) in [(&["my take.flac"][..], "my take"), (&["--name", "x", "./"], "null")] {
        let test = record(&["-q", "-i", "tone", "--fast", "-d", "1"]).args(words.iter().copied());
        let path = test.run().stdout().trim_end().to_owned();
        let info = test.again().args(["info", "--json", &path]).run();
        let info: serde_json::Value = serde_json::from_str(&info.stdout()).unwrap();
        assert_eq!(info["title"].as_str().unwrap_or("null"), title, "{info}");
    }
}

#[test]
fn the_clips_folder_is_the_flag_else_the_environment_else_the_music_folder() {
    let words = ["-q", "-i", "silence", "--fast", "-d", "1", "--name", "x"];
    let user_dirs = "XDG_MUSIC_DIR=\"$HOME/Klänge\"\n";
    let path = |output: &crate::support::output::Output| {
        output.assert_success();
        let path = output.stdout().trim_end().to_owned();
        assert!(std::path::Path::new(&path).is_absolute() || output.path(&path).exists(), "{path}");
        path
    };
    let test = record(&words);
    let home = test.home().display().to_string();
    assert_eq!(path(&test.run()), format!("{home}/Music/Recordings/x.wav"));
    let test = record(&words).file("../home/.config/user-dirs.dirs", user_dirs);
    let home = test.home().display().to_string();
    assert_eq!(path(&test.run()), format!("{home}/Klänge/Recordings/x.wav"));
    let test = test.env("DICTAPHONE_DIR", "from-env");
    assert_eq!(path(&test.run()), "from-env/x.wav");
    assert_eq!(path(&test.arg("--dir").arg("from flag").run()), "from flag/x.wav");
}

#[test]
fn an_empty_variable_is_no_clips_folder() {
    let test = record(&["-q", "-i", "silence", "--fast", "-d", "1", "--name", "x"]).env("DICTAPHONE_DIR", "");
    let home = test.home().display().to_string();
    test.run().assert_success().assert_stdout(&format!("{home}/Music/Recordings/x.wav\n"));
}

#[test]
fn a_new_name_never_overwrites_and_counts_up() {
    let test = record(&["-q", "-i", "silence", "--fast", "-d", "1", "--name", "take", "clips/"]);
    std::fs::create_dir(test.path("clips")).unwrap();
    for name in ["take", "take-2", "take-3"] {
        test.run().assert_success().assert_stdout(&format!("clips/{name}.wav\n")).assert_stderr("");
    }
    let test = record(&["-q", "-i", "silence", "--fast", "-d", "1", "--name", "take {n}", "clips/"]);
    std::fs::create_dir(test.path("clips")).unwrap();
    for name in ["take 1", "take 2"] {
        test.run().assert_success().assert_stdout(&format!("clips/{name}.wav\n")).assert_stderr("");
    }
}

#[test]
fn the_name_is_the_local_time_of_the_first_frame() {
    // Nine hours ahead of UTC.
    let test = record(&["-q", "-i", "tone", "-d", "1.5", "./"]).env("TZ", "JST-9");
    let before = jiff::Timestamp::now();
    let output = test.run();
    let after = jiff::Timestamp::now();
    output.assert_success();
    let name = output.stdout();
    let name = name.trim_end().rsplit('/').next().unwrap();
    let told = jiff::civil::DateTime::strptime("%Y-%m-%d_%H-%M-%S.wav", name).unwrap_or_else(|e| panic!("{name}: {e}"));
    let told = told.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(9))).unwrap().timestamp();
    assert!(told.as_second() >= before.as_second(), "{name} is before {before}");
    assert!(told.as_millisecond() + 1_500 <= after.as_millisecond(), "{name} is not 1.5 s before {after}");
}

#[test]
fn every_duration_is_exact_at_every_rate() {
    let code = PositionCode::new(1, 44_100);
    for rate in [8_000_u32, 16_000, 44_100, 48_000] {
        // Frames of each length by hand: round(T × rate).
        for (length, numerator, denominator) in
            [("0.7", 7, 10), ("250ms", 1, 4), ("00:00:01", 1, 1), ("0.33333", 33_333, 100_000)]
        {
            let frames = (2 * u64::from(rate) * numerator + denominator) / (2 * denominator);
            let rate = rate.to_string();
            let test = record(&["-q", "--fast", "-d", length, "-r", &rate]);
            let file = test.path("in.wav");
            code.write_wav(&file, 2 * 44_100);
            for (device, name) in [("tone", "tone.wav"), ("file:in.wav", "file.wav")] {
                let output = test.clone().args(["-i", device, name]).run();
                output.assert_success();
                assert_eq!(u64::from(layout(output.path(name)).2), frames, "{}", output.context());
            }
        }
    }
}

#[test]
fn a_whole_file_keeps_its_length_through_resampling() {
    let test = record(&["-q", "-i", "file:in.wav", "--fast", "-r", "16000", "out.wav"]);
    let mut wav = hound::WavWriter::create(test.path("in.wav"), spec(1, 44_100, 16)).unwrap();
    (0..44_100).for_each(|n| wav.write_sample((n % 100) as i16).unwrap());
    wav.finalize().unwrap();
    let output = test.run();
    output.assert_success();
    assert_eq!(layout(output.path("out.wav")), (16_000, 1, 16_000));
}

fn spec(channels: u16, sample_rate: u32, bits_per_sample: u16) -> hound::WavSpec {
    let sample_format = if bits_per_sample == 32 { hound::SampleFormat::Float } else { hound::SampleFormat::Int };
    hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format }
}

#[test]
fn a_file_is_recorded_bit_for_bit_to_its_end() {
    let test = record(&["-q", "-i", "file:in.wav", "--fast", "out.wav"]);
    let mut code = PositionCode::new(2, 44_100);
    (code.lead_in, code.lead_out) = (0, 0);
    code.write_wav(&test.path("in.wav"), 60_001);
    let output = test.run();
    output.assert_success();
    assert_eq!(layout(output.path("out.wav")), (44_100, 2, 60_001));
    assert!(samples(output.path("out.wav")) == samples(output.path("in.wav")));

    // Deeper samples than 16 bit, reaching both ends of their range.
    let test = record(&["-q", "-i", "file:in.wav", "--fast", "-b", "s24", "out.wav"]);
    let deep: Vec<i32> = (0..30_000_i64)
        .map(|n| ((n * 7_919 * 65_537) % (1 << 24) - (1 << 23)) as i32)
        .chain([-(1 << 23), (1 << 23) - 1])
        .collect();
    let mut wav = hound::WavWriter::create(test.path("in.wav"), spec(1, 48_000, 24)).unwrap();
    deep.iter().for_each(|&sample| wav.write_sample(sample).unwrap());
    wav.finalize().unwrap();
    let output = test.run();
    output.assert_success();
    let mut wav = hound::WavReader::open(output.path("out.wav")).unwrap();
    assert_eq!(wav.spec().bits_per_sample, 24);
    assert!(wav.samples::<i32>().map(|sample| sample.unwrap()).eq(deep));

    // Floats beyond full scale and far below one step of 24 bit.
    let test = record(&["-q", "-i", "file:in.wav", "--fast", "-b", "f32", "out.wav"]);
    let floats: Vec<f32> =
        (0..30_000).map(|n| ((n as f32) * 0.37).sin() * 1e-9).chain([1.75, -3.5, 0.0, f32::MIN_POSITIVE]).collect();
    let mut wav = hound::WavWriter::create(test.path("in.wav"), spec(1, 96_000, 32)).unwrap();
    floats.iter().for_each(|&sample| wav.write_sample(sample).unwrap());
    wav.finalize().unwrap();
    let output = test.run();
    output.assert_success();
    let mut wav = hound::WavReader::open(output.path("out.wav")).unwrap();
    assert_eq!((wav.spec().sample_rate, wav.spec().sample_format), (96_000, hound::SampleFormat::Float));
    let recorded: Vec<u32> = wav.samples::<f32>().map(|sample| sample.unwrap().to_bits()).collect();
    assert!(recorded.iter().copied().eq(floats.iter().map(|sample| sample.to_bits())));
}

#[test]
fn presets_set_what_no_flag_sets() {
    for (words, expected) in [
        (&["--preset", "voice"][..], (16_000, 1, 16)),
        (&["--preset", "cd"], (44_100, 2, 16)),
        (&["--preset", "studio"], (48_000, 2, 24)),
        (&["--preset", "studio", "-c", "1", "-b", "s16"], (48_000, 1, 16)),
        (&["--preset", "voice", "-r", "8k"], (8_000, 1, 16)),
    ] {
        let output = record(words).args(["-q", "-i", "tone", "--fast", "-d", "0.1", "x.wav"]).run();
        output.assert_success();
        let spec = hound::WavReader::open(output.path("x.wav")).unwrap().spec();
        assert_eq!((spec.sample_rate, spec.channels, spec.bits_per_sample), expected, "{words:?}");
    }
}

#[test]
fn other_programs_read_every_sample_format() {
    for (format, sox_bits, codec) in
        [("s16", "16", "pcm_s16le"), ("s24", "24", "pcm_s24le"), ("s32", "32", "pcm_s32le"), ("f32", "32", "pcm_f32le")]
    {
        for channels in ["1", "2", "6"] {
            let words = ["-q", "-i", "tone", "--fast", "-d", "0.25", "-b", format, "-c", channels, "x.wav"];
            let output = record(&words).run();
            output.assert_success().assert_stderr("");
            assert_eq!(ask(&output, "soxi", &["-s", "x.wav"]).trim(), "12000", "{format} {channels}");
            assert_eq!(ask(&output, "soxi", &["-b", "x.wav"]).trim(), sox_bits, "{format} {channels}");
            let entries = [
                "-v",
                "error",
                "-of",
                "csv=p=0",
                "-show_entries",
                "stream=codec_name,sample_rate,channels,duration_ts",
                "x.wav",
            ];
            assert_eq!(ask(&output, "ffprobe", &entries).trim(), format!("{codec},48000,{channels},12000"));
            let mut wav = hound::WavReader::open(output.path("x.wav")).unwrap();
            let peak = match format {
                "f32" => wav.samples::<f32>().map(|s| f64::from(s.unwrap().abs())).fold(0.0, f64::max),
                _ => {
                    let full = 2_f64.powi(i32::from(wav.spec().bits_per_sample) - 1);
                    wav.samples::<i32>().map(|s| f64::from(s.unwrap()).abs() / full).fold(0.0, f64::max)
                }
            };
            assert!((peak - 0.5).abs() < 1e-3, "a peak of {peak} in {format}");
        }
    }
}

#[test]
fn raw_is_samples_and_nothing_else() {
    for (format, bytes) in [("s16", 2), ("s24", 3), ("s32", 4), ("f32", 4)] {
        let words = ["-q", "-i", "tone", "--fast", "-d", "0.5", "-c", "2", "-b", format, "x.raw"];
        let output = record(&words).run();
        output.assert_success();
        assert_eq!(std::fs::metadata(output.path("x.raw")).unwrap().len(), 24_000 * 2 * bytes, "{format}");
    }
}

#[test]
fn the_flag_decides_the_format_whatever_the_name_is() {
    let output = record(&["-q", "-i", "tone", "--fast", "-d", "1", "-f", "wav", "x.flac"]).run();
    output.assert_success().assert_stdout("x.flac\n");
    assert_eq!(layout(output.path("x.flac")).2, 48_000);
}

#[test]
fn gain_changes_the_level_and_clipping_is_counted() {
    // The tone has a peak of half the full scale; 6.0206 dB double it.
    let output = record(&["-q", "-i", "tone", "--fast", "-d", "0.5", "--gain", "-6.0206", "x.wav"]).run();
    output.assert_success().assert_stderr("");
    let peak = samples(output.path("x.wav")).iter().map(|s| s.unsigned_abs()).max().unwrap();
    assert!(peak.abs_diff(8_192) <= 1, "{peak}");

    for (gain, clips) in [("0", false), ("7", true)] {
        let output = record(&["-i", "tone", "-d", "0.7", "--gain", gain, "--json", "x.wav"]).run();
        output.assert_success();
        let levels = events(&output.stdout());
        let clipped = levels.iter().filter_map(|event| event["clipped"].as_u64()).max().unwrap();
        let full = samples(output.path("x.wav")).iter().filter(|s| [i16::MIN, i16::MAX].contains(*s)).count() as u64;
        assert_eq!(clipped > 0, clips, "{}", output.context());
        assert!(clipped <= full, "{clipped} were told, {full} are in the file");
    }
    // A float keeps what is beyond full scale.
    let words = ["-q", "-i", "tone", "--fast", "-d", "0.5", "--gain", "20", "-b", "f32", "y.wav"];
    record(&words).run().assert_success().assert_stderr("");
}

#[test]
fn an_old_file_stays_until_the_new_one_is_complete() {
    let test = record(&["-q", "-i", "tone", "--force", "take.wav"]).file("take.wav", "old");
    let mut running = test.spawn();
    running.wait_for_file(".take.wav.part", 20_000);
    assert_eq!(std::fs::read(running.path("take.wav")).unwrap(), b"old");
    running.signal(Signal::TERM);
    let output = running.wait();
    output.assert_success().assert_stdout("take.wav\n");
    assert!(layout(output.path("take.wav")).2 > 9_000);
    assert_eq!(names(output.path("")), ["take.wav"]);
}

#[test]
fn a_file_that_appears_meanwhile_is_not_touched() {
    let mut running = record(&["-i", "tone", "take.wav"]).spawn();
    running.wait_for_file(".take.wav.part", 10_000);
    std::fs::write(running.path("take.wav"), "another program's").unwrap();
    running.signal(Signal::TERM);
    let output = running.wait();
    output.assert_success().assert_stdout("take-2.wav\n");
    output.assert_stderr_contains("warning: take.wav appeared meanwhile");
    assert_eq!(std::fs::read(output.path("take.wav")).unwrap(), b"another program's");
    assert!(layout(output.path("take-2.wav")).2 > 4_000);
    assert_no_leftovers(&output);
}

#[test]
fn json_tells_what_happens() {
    let output = record(&["-i", "tone", "-d", "1", "-c", "2", "--json", "take.wav"]).run();
    output.assert_success();
    let events = events(&output.stdout());
    assert_eq!(order(&events), ["start", "dataavailable", "stop"]);
    let [start, .., data, stop] = &events[..] else { panic!("{}", output.context()) };
    let size = std::fs::metadata(output.path("take.wav")).unwrap().len();
    let expected = serde_json::json!({"event": "start", "at_s": 0.0, "frame": 0, "device": "tone", "path": "take.wav", "sample_rate": 48_000, "channels": 2});
    assert_eq!(start, &expected);
    let expected = serde_json::json!({"event": "dataavailable", "at_s": 1.0, "frame": 48_000, "path": "take.wav", "size_bytes": size, "duration_s": 1.0, "frames": 48_000, "lost_frames": 0});
    assert_eq!(data, &expected);
    assert_eq!(stop, &serde_json::json!({"event": "stop", "at_s": 1.0, "frame": 48_000, "device_rate_hz": null}));
    let levels: Vec<_> = events.iter().filter(|event| event["event"] == "level").collect();
    assert!(levels.len() >= 2, "{}", output.context());
    for level in &levels {
        assert!((level["peak_dbfs"].as_f64().unwrap() + 6.02).abs() < 0.1, "{level}");
        assert!((level["rms_dbfs"].as_f64().unwrap() + 9.03).abs() < 0.2, "{level}");
        assert_eq!(level["clipped"], 0);
        let (at, frame) = (level["at_s"].as_f64().unwrap(), level["frame"].as_f64().unwrap());
        assert!((at - frame / 48_000.0).abs() < 1e-6, "{level}");
    }
    assert!(levels.is_sorted_by_key(|level| level["frame"].as_u64()));
}

#[test]
fn the_level_of_silence_is_null() {
    let output = record(&["-i", "silence", "-d", "0.5", "--json", "take.wav"]).run();
    let events = events(&output.stdout());
    let level = events.iter().find(|event| event["event"] == "level").unwrap();
    assert!(level["peak_dbfs"].is_null() && level["rms_dbfs"].is_null(), "{level}");
}

#[test]
fn json_tells_also_what_did_not_even_begin() {
    for (words, name, exit) in
        [(&["-i", "nosuch"][..], "NotFoundError", 4), (&["-i", "tone", "/proc/a.wav"], "UnknownError", 1)]
    {
        let output = record(&["--json"]).args(words.iter().copied()).run();
        output.assert_exit(exit);
        let events = events(&output.stdout());
        assert_eq!((order(&events), &events[0]["name"]), (vec!["error"], &name.into()), "{}", output.context());
        let message = events[0]["message"].as_str().unwrap();
        output.assert_stderr_contains(&format!("error: {message}\n"));
    }
}

#[test]
fn json_goes_to_standard_error_when_the_audio_goes_to_standard_output() {
    let output = record(&["-i", "tone", "-d", "0.3", "-f", "raw", "--json", "-"]).run();
    output.assert_success();
    assert_eq!(output.stdout.len(), 14_400 * 2);
    let events = events(&output.stderr());
    assert_eq!(order(&events), ["start", "dataavailable", "stop"]);
    let data = events.iter().find(|event| event["event"] == "dataavailable").unwrap();
    assert!(data["path"].is_null() && events[0]["path"].is_null());
    assert_eq!((&data["size_bytes"], &data["frames"]), (&28_800.into(), &14_400.into()));
}

/// Writes position-coded audio without silence around it.
fn write_code(path: &std::path::Path, frames: u64) {
    let mut code = PositionCode::mono();
    (code.lead_in, code.lead_out) = (0, 0);
    code.write_wav(path, frames);
}

#[test]
fn usr2_pauses_and_resumes_at_exactly_the_frames_that_are_told() {
    let test = record(&["-i", "file:in.wav", "--json", "take.wav"]);
    write_code(&test.path("in.wav"), 48_000 * 20);
    let mut running = test.spawn();
    let started = |event: &serde_json::Value| event["event"] == "level" && event["frame"].as_u64() > Some(5_000);
    wait_for_event(&mut running, "some sound", started);
    running.signal(Signal::USR2);
    let pause = wait_for_event(&mut running, "a pause", |event| event["event"] == "pause");
    let cut = pause["frame"].as_u64().unwrap();
    let told = events(&String::from_utf8_lossy(&running.stdout_so_far())).len();
    running.wait_for("levels while paused", |running| {
        let events = events(&String::from_utf8_lossy(&running.stdout_so_far()));
        (events.len() >= told + 3).then_some(())
    });
    running.signal(Signal::USR2);
    let resume = wait_for_event(&mut running, "a resume", |event| event["event"] == "resume");
    assert_eq!(resume["frame"].as_u64(), Some(cut), "time stands still while paused");
    let more = |event: &serde_json::Value| event["event"] == "level" && event["frame"].as_u64() > Some(cut + 5_000);
    wait_for_event(&mut running, "more sound", more);
    running.signal(Signal::TERM);
    let output = running.wait();
    output.assert_success();
    let events = events(&output.stdout());
    assert_eq!(order(&events), ["start", "pause", "resume", "dataavailable", "stop"]);

    let recorded = samples(output.path("take.wav"));
    let frames = events.last().unwrap()["frame"].as_u64().unwrap();
    assert_eq!(recorded.len() as u64, frames);
    let (before, after) = recorded.split_at(cut as usize);
    assert!(before.iter().enumerate().all(|(n, s)| *s == coded_sample(0, n as u64)), "before the pause");
    let (_, again) = locate(after).expect("code after the pause");
    assert!(again > cut + 2 * 4_800, "what was played while paused is left out: {cut} to {again}");
    assert!(after.iter().enumerate().all(|(n, s)| *s == coded_sample(0, again + n as u64)), "after the pause");
}

#[test]
fn paused_from_the_start_nothing_is_recorded_before_resume() {
    let test = record(&["-i", "file:in.wav", "-d", "0.5", "--paused", "--json", "take.wav"]);
    write_code(&test.path("in.wav"), 48_000 * 20);
    let mut running = test.spawn();
    wait_for_nth(&mut running, "level", 3);
    running.signal(Signal::USR2);
    let output = running.wait();
    output.assert_success();
    let events = events(&output.stdout());
    assert_eq!(order(&events), ["start", "pause", "resume", "dataavailable", "stop"]);
    for event in events.iter().take_while(|event| event["event"] != "resume") {
        assert_eq!(event["frame"], 0, "{event}");
    }
    let recorded = samples(output.path("take.wav"));
    assert_eq!(recorded.len(), 24_000);
    let report = analyse(&recorded);
    report.assert_contiguous();
    assert!(report.lead_in == 0 && report.first > Some(2 * 4_800), "{report:?}");
}

#[test]
fn paused_from_the_start_it_does_not_say_that_it_records() {
    let mut running = record(&["-i", "tone", "--paused", "-d", "0.1", "take.wav"]).spawn();
    running.wait_for_stderr("ready to record tone · 48 kHz mono s16 to take.wav; USR2 begins\n");
    running.signal(Signal::USR2);
    running.wait().assert_success();
}

#[test]
fn a_rate_that_the_format_does_not_have_is_told() {
    let words = ["-i", "tone", "--fast", "-d", "1", "-f", "OPUS"];
    let told = record(&[&words[..], &["-r", "44100", "take.opus"]].concat()).run();
    told.assert_success();
    told.assert_stderr_contains("opus is always 48000 Hz, not the 44100 Hz that were asked for\n");
    for fits in [&["-r", "48000", "a.opus"][..], &["--preset", "voice", "a.opus"]] {
        let output = record(&[&words[..], fits].concat()).run();
        assert!(!output.stderr().contains("always"), "{}", output.context());
    }
}

#[test]
fn paused_to_the_end_there_is_nothing_to_save() {
    let mut running = record(&["-i", "tone", "--paused", "--json", "take.wav"]).spawn();
    wait_for_nth(&mut running, "level", 1);
    running.signal(Signal::TERM);
    let output = running.wait();
    output.assert_exit(1).assert_stderr_contains("error: nothing was recorded\nhint: it was stopped before");
    let events = events(&output.stdout());
    assert_eq!(order(&events), ["start", "pause", "error", "stop"]);
    assert_eq!(names(output.path("")), Vec::<String>::new());
}

#[test]
fn a_file_plays_in_at_the_pace_of_real_time() {
    let test = record(&["-q", "-i", "file:in.wav", "take.wav"]);
    write_code(&test.path("in.wav"), 48_000);
    let begun = std::time::Instant::now();
    let output = test.run();
    output.assert_success();
    assert!(begun.elapsed().as_millis() >= 990, "one second took {:?}", begun.elapsed());
    analyse(&samples(output.path("take.wav"))).assert_whole(48_000);
}

#[test]
fn a_wav_recording_tells_its_first_frame_in_front_of_the_sound() {
    let output = record(&["-q", "-i", "tone", "--fast", "-d", "1", "take.wav"]).run();
    let bytes = std::fs::read(output.assert_success().path("take.wav")).unwrap();
    let place = |id: &[u8; 4]| bytes.windows(4).position(|found| found == id).unwrap() + 8;
    assert!(place(b"bext") < place(b"data"));
    let bext = &bytes[place(b"bext")..];
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text(&bext[256..288]).starts_with("dictaphone "));
    let tag = text(&bytes[place(b"ICRD")..][..19]);
    assert_eq!(text(&bext[320..338]), format!("{}{}", &tag[..10], &tag[11..]));
    let seconds = u64::from_le_bytes(bext[338..346].try_into().unwrap()) / 48_000;
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    assert_eq!(clock, tag[11..]);
}

#[test]
fn names_and_dates_are_local_where_the_zone_says_not_when_summer_begins() {
    for zone in ["CET-1CEST", "EST5EDT", "<+03>-3", "XXX-5:30YYY", "CET-1CEST,M3.5.0,M10.5.0/3"] {
        let program = env!("CARGO_BIN_EXE_dictaphone");
        let script = format!(
            "{program} record -q -i tone --fast -d 0.1 --dir . --name n%z && ls n$(date +%z).wav && {program} list --json --dir . && date +%:z"
        );
        let output = Test::new().program("sh").args(["-c", &script]).env("TZ", zone).run();
        output.assert_success();
        let offset = output.stdout().lines().last().unwrap().to_owned();
        assert!(output.stdout().contains(&format!("{offset}\"")), "{zone}: {}", output.context());
    }
}
