//! `convert` from outside: other programs can read its output, and after an error there is no output.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{
    analysis::analyse,
    harness::Test,
    process::require,
    signal::PositionCode,
    terminal::{Terminal, keys},
};
use crate::takes::{in_shell, layout, names, samples};

/// A folder with a take of 105,600 frames, in which every short window is unique.
fn coded() -> Test {
    let test = Test::new();
    PositionCode { lead_in: 4_800, lead_out: 4_800, ..PositionCode::mono() }.write_wav(&test.path("in.wav"), 96_000);
    test
}

fn convert(test: Test, words: &[&str]) -> Test {
    test.again().arg("convert").args(words.iter().copied())
}

/// What `ffprobe` says about a file: codec, rate, channels, length in seconds.
fn probed(test: &Test, file: &str) -> String {
    let entries = "stream=codec_name,sample_rate,channels,duration";
    let words = ["-v", "error", "-show_entries", entries, "-of", "csv=p=0", file];
    let output = test.clone().again().program("ffprobe").args(words).run();
    output.assert_success().stdout().trim().to_owned()
}

/// The root of the mean square, as `sox` measures it.
fn rms(test: &Test, file: &str) -> f64 {
    let output = test.clone().again().program("sox").args([file, "-n", "stat"]).run();
    let text = output.assert_success().stderr();
    let line = text.lines().find(|line| line.starts_with("RMS     amplitude:")).unwrap_or_else(|| panic!("{text}"));
    line.split_whitespace().last().unwrap().parse().unwrap()
}

#[test]
fn what_does_not_change_passes_bit_for_bit() {
    let test = convert(coded(), &["in.wav", "out.wav"]);
    let output = test.run();
    output.assert_success().assert_stdout("out.wav\n").assert_stderr("saved out.wav · 00:00:02.2 · 48 kHz mono s16\n");
    analyse(&samples(output.path("out.wav"))).assert_whole(96_000);
    assert!(samples(output.path("out.wav")) == samples(output.path("in.wav")));
    assert_eq!(names(output.path("")), ["in.wav", "out.wav"]);
    // Deeper, then in both channels, and back.
    for words in
        [&["out.wav", "deep.wav", "-b", "s24", "-c", "2"][..], &["deep.wav", "back.wav", "-b", "s16", "-c", "1"]]
    {
        convert(test.clone(), words).run().assert_success();
    }
    assert!(samples(output.path("back.wav")) == samples(output.path("in.wav")));
}

#[test]
fn every_rate_channel_count_and_depth_is_what_other_programs_read() {
    require(&["ffprobe", "sox"]);
    let tone = "record -q -i tone --fast -r 48000 -c 2 -d 3 in.wav";
    let test = Test::new().args(tone.split(' '));
    test.run().assert_success();
    let level = rms(&test, "in.wav");
    for (rate, channels, depth, codec) in [
        ("8000", "1", "s16", "pcm_s16le"),
        ("16000", "1", "s16", "pcm_s16le"),
        ("22050", "2", "s24", "pcm_s24le"),
        ("44100", "2", "s16", "pcm_s16le"),
        ("44100", "4", "f32", "pcm_f32le"),
        ("48000", "2", "s32", "pcm_s32le"),
        ("96000", "2", "f32", "pcm_f32le"),
        ("192000", "1", "s24", "pcm_s24le"),
    ] {
        let words = ["in.wav", "out.wav", "--force", "-q", "-r", rate, "-c", channels, "-b", depth];
        let output = convert(test.clone(), &words).run();
        output.assert_success().assert_stderr("");
        assert_eq!(probed(&test, "out.wav"), format!("{codec},{rate},{channels},3.000000"), "{words:?}");
        assert_eq!(layout(output.path("out.wav")).2, 3 * rate.parse::<u32>().unwrap(), "{words:?}");
        let change = if channels == "4" { 0.5_f64.sqrt() } else { 1.0 };
        assert!((rms(&test, "out.wav") / (level * change) - 1.0).abs() < 0.01, "{words:?}");
    }
}

#[test]
fn the_extension_the_flag_and_the_preset_decide_the_format() {
    let test = coded();
    for (words, file, bytes) in [
        (&["in.wav", "a.raw"][..], "a.raw", 2 * 105_600),
        (&["in.wav", "b.PCM", "-c", "2"], "b.PCM", 4 * 105_600),
        (&["in.wav", "c.wav", "-f", "raw", "-r", "16k"], "c.wav", 2 * 35_200),
        (&["in.wav", "d", "-f", "raw", "--preset", "voice"], "d", 2 * 35_200),
        (&["in.wav", "e.raw", "--preset", "cd"], "e.raw", 4 * 97_020),
        (&["in.wav", "f.raw", "--preset", "studio", "-c", "1"], "f.raw", 3 * 105_600),
    ] {
        convert(test.clone(), words).run().assert_success();
        assert_eq!(fs::metadata(test.path(file)).unwrap().len(), bytes, "{words:?}");
    }
    let wav = convert(test, &["in.wav", "g"]).run();
    assert!(samples(wav.assert_success().path("g")) == samples(wav.path("in.wav")));
}

#[test]
fn clips_are_found_by_name_and_facts_are_told_as_json() {
    let test = coded().env("DICTAPHONE_DIR", "clips");
    fs::create_dir(test.path("clips")).unwrap();
    fs::rename(test.path("in.wav"), test.path("clips/in.wav")).unwrap();
    let output = convert(test, &["in", "out.wav", "-r", "44.1k", "--json"]).run();
    let facts: Value = serde_json::from_str(&output.assert_success().stdout()).unwrap();
    let expected = serde_json::json!({
        "name": "out", "path": "out.wav", "format": "wav", "mime_type": "audio/wav;codecs=1", "duration_s": 2.2,
        "frames": 97_020, "sample_rate": 44_100, "channels": 1, "sample_format": "s16",
        "size_bytes": fs::metadata(output.path("out.wav")).unwrap().len(), "clipped": facts["clipped"],
        "lost_frames": 0, "left_out": [],
        "recorded_at": facts["recorded_at"],
    });
    assert_eq!(facts, expected);
    assert!(facts["recorded_at"].is_string() && facts["clipped"].is_u64(), "{facts}");
}

#[test]
fn what_goes_wrong_is_told_with_a_remedy_and_leaves_nothing() {
    let test = coded().file("old.wav", "old").file("bad.wav", "RIFF").file("folder/x", "").file("a.txt", "");
    let before = names(test.path(""));
    for (words, code, error, hint) in [
        (&["in.wav", "old.wav"][..], 2, "old.wav exists", "`--force` replaces it once the new one is complete"),
        (&["in.wav", "in.wav"], 2, "in.wav exists", "`--force` replaces it once the new one is complete"),
        (
            &["in.wav", "in.wav", "--force"],
            2,
            "in.wav would be converted into itself",
            "write another name; the clip itself is never changed",
        ),
        (
            &["in.wav", "./folder/../in.wav", "--force"],
            2,
            "in.wav would be converted into itself",
            "write another name; the clip itself is never changed",
        ),
        (&["in.wav", "folder"], 2, "folder is a folder", "write the name of the new file behind it"),
        (&["in.wav", "new/"], 2, "new/ is a folder", "write the name of the new file behind it"),
        (&["in.wav", "out.mp3"], 2, "unknown file format `mp3` of out.mp3", "the formats are"),
        (&["in.wav", "old.wav/out.wav"], 2, "old.wav is not a folder", "name a folder"),
        (&["in.wav", "/dev/null"], 2, "/dev/null is not an ordinary file", "`-` writes to standard output"),
        (&["x.wav", "out.wav"], 1, "no clip 'x.wav'", "`dictaphone list`"),
        (&["bad.wav", "out.wav"], 1, "bad.wav is", "`ffprobe bad.wav` says what is in it"),
        (&["a.txt", "out.wav"], 1, "a.txt is empty", "another copy may have them"),
        (&["in.wav", "-", "--force"], 2, "--force needs a file", "leave --force out"),
        (&["in.wav", "out.wav", "--json", "--print-path"], 2, "both want standard output", "leave one of them out"),
        (&["in.wav", "out.wav", "-r", "1"], 2, "sample rates go from 1000", "speech needs 16000"),
        (&["in.wav"], 2, "required arguments were not provided: <OUT>", "`dictaphone convert --help`"),
    ] {
        let output = convert(test.clone(), words).run();
        output.assert_exit(code).assert_stdout("").assert_stderr_contains(error).assert_stderr_contains("\nhint: ");
        output.assert_stderr_contains(hint);
        assert_eq!(names(test.path("")), before, "{words:?}");
    }
    let output = convert(test, &["in.wav", "old.wav", "--force"]).run();
    output.assert_success();
    assert_eq!(samples(output.path("old.wav")).len(), 105_600);
}

#[test]
fn a_pipe_gets_audio_alone() {
    require(&["sox"]);
    let test = coded();
    let raw = convert(test.clone(), &["in.wav", "-", "-f", "raw"]).run();
    raw.assert_success().assert_stderr("");
    let wav = convert(test, &["in.wav", "-", "--json"]).run();
    wav.assert_success().assert_stderr_contains(r#""path":null"#);
    assert_eq!(wav.stdout[4..8], [0xff; 4]);
    assert!(wav.stdout.ends_with(&raw.stdout));
    let pcm: Vec<i16> = raw.stdout.as_chunks().0.iter().map(|&sample| i16::from_le_bytes(sample)).collect();
    assert!(pcm == samples(raw.path("in.wav")));
    let program = env!("CARGO_BIN_EXE_dictaphone");
    let line = format!("set -o pipefail; {program} convert in.wav - -r 16k -b f32 | sox -t wav - -n stat");
    let output = coded().program("bash").arg("-c").arg(line).run();
    output.assert_success().assert_stderr_contains("Length (seconds):      2.200000");
}

#[test]
fn a_standard_output_that_takes_no_audio_is_told() {
    let mut terminal = Terminal::run(&convert(coded(), &["in.wav", "-"]));
    assert_eq!(terminal.wait(), 2);
    assert!(
        terminal.text().contains("error: audio is not written to a terminal\nhint: send it to"),
        "{}",
        terminal.text()
    );
    let program = env!("CARGO_BIN_EXE_dictaphone");
    let made = format!("{program} record -q -i tone --fast -d 5 in.wav >/dev/null");
    let run = |before: &str| in_shell(&format!("{made}\n{before}"), "convert in.wav -").run();
    run("exec >&-").assert_exit(2).assert_stderr_contains("error: standard output is closed\nhint: ");
    let output = run("exec >/dev/full");
    output.assert_exit(1).assert_stderr("error: cannot write standard output: No space left on device\n");
    let line = format!("{made}; set -o pipefail; {program} convert in.wav - | head -c 9000 | wc -c");
    let output = Test::new().program("bash").arg("-c").arg(line).run();
    output.assert_success().assert_stdout("9000\n").assert_stderr("");
}

/// A folder with a take of hours, which takes no room on the disk and long to convert.
fn endless() -> Test {
    let test = Test::new();
    PositionCode::mono().write_wav(&test.path("in.wav"), 0);
    let mut bytes = fs::read(test.path("in.wav")).unwrap();
    let data = bytes.windows(4).position(|id| id == b"data").unwrap();
    bytes.truncate(data + 8);
    bytes[data + 4..].copy_from_slice(&0xffff_ffff_u32.to_le_bytes());
    fs::write(test.path("in.wav"), bytes).unwrap();
    fs::File::options().write(true).open(test.path("in.wav")).unwrap().set_len(4 << 30).unwrap();
    test
}

#[test]
fn a_cancelled_conversion_leaves_nothing() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut running = convert(endless(), &["in.wav", "out.wav", "-r", "44.1k"]).spawn();
        running.wait_for_file(DRAFT, 100_000);
        running.signal(signal);
        let output = running.wait();
        output.assert_exit(130).assert_stdout("");
        output.assert_stderr("error: the conversion was cancelled\nhint: nothing is left of it\n");
        assert_eq!(names(output.path("")), ["in.wav"]);
    }
}

/// What grows beside `out.wav`.
const DRAFT: &str = ".out.wav.dictaphone-draft";

#[test]
fn a_killed_conversion_leaves_nothing_that_looks_like_a_recording_and_the_next_run_removes_it() {
    for next in [&["recover", "."][..], &["convert", "short.wav", "other.wav", "-q"]] {
        let test = endless();
        let mut running = convert(test.clone(), &["in.wav", "out.wav", "-r", "44.1k"]).spawn();
        running.wait_for_file(DRAFT, 100_000);
        running.signal(Signal::KILL);
        running.wait().assert_killed_by(Signal::KILL);
        PositionCode::mono().write_wav(&test.path("short.wav"), 8_000);
        let listed = test.clone().again().args(["list", "--dir", "."]).run();
        assert!(!listed.stdout().contains("out") && !listed.stderr().contains("unfinished"), "{}", listed.context());
        let output = test.again().args(next.iter().copied()).run();
        output.assert_success();
        let mut expected = vec!["in.wav", "short.wav"];
        expected.extend(next.contains(&"other.wav").then_some("other.wav"));
        expected.sort_unstable();
        assert_eq!(names(output.path("")), expected);
    }
}

#[test]
fn a_terminal_shows_how_far_it_is_and_ctrl_c_cancels() {
    let test = convert(endless(), &["in.wav", "out.wav", "-r", "44.1k"]);
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("  0 % ▕");
    terminal.send(keys::CTRL_C);
    assert_eq!(terminal.wait(), 130);
    let text = terminal.text();
    assert!(text.contains("error: the conversion was cancelled") && !text.contains('▕'), "{text}");
    assert_eq!(names(test.path("")), ["in.wav"]);
}

#[test]
fn a_finished_conversion_leaves_one_line_on_a_terminal() {
    let mut terminal = Terminal::run(&convert(coded(), &["in.wav", "out.wav"]));
    assert_eq!(terminal.wait(), 0);
    assert_eq!(terminal.text().trim(), "saved out.wav · 00:00:02.2 · 48 kHz mono s16");
    let mut terminal = Terminal::run(&convert(coded(), &["in.wav", "out.wav", "-q", "--print-path"]));
    assert_eq!(terminal.wait(), 0);
    assert_eq!(terminal.text().trim(), "out.wav");
}

#[test]
fn a_rate_that_the_format_does_not_have_is_told() {
    let test = Test::new();
    PositionCode::new(1, 655_350).write_wav(&test.path("in.wav"), 6_000);
    let output = convert(test.clone(), &["in.wav", "out.flac"]).run();
    output.assert_success().assert_stderr_contains("flac has no 655350 Hz: resampled to 192000 Hz in out.flac");
    let output = convert(test, &["in.wav", "asked.flac", "-r", "96k"]).run();
    assert!(!output.assert_success().stderr().contains("resampled"), "{}", output.context());
}

#[test]
fn samples_that_clip_are_told() {
    let test = Test::new();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut wav = hound::WavWriter::create(test.path("in.wav"), spec).unwrap();
    [0.5_f32, 1.5, -2.0, 1.0].into_iter().for_each(|sample| wav.write_sample(sample).unwrap());
    wav.finalize().unwrap();
    let output = convert(test.clone(), &["in.wav", "out.wav", "-q"]).run();
    output.assert_success().assert_stderr("");
    let output = convert(test, &["in.wav", "cut.wav", "-q", "-b", "s16"]).run();
    output.assert_success().assert_stderr_contains("warning: 2 samples clipped at full scale in cut.wav\nhint: ");
    assert_eq!(samples(output.path("cut.wav")), [16_384, i16::MAX, i16::MIN, i16::MAX]);
}

/// A conversion over an older file.
#[cfg(target_os = "linux")]
fn over_another() -> Test {
    convert(coded().file("out.wav", "old"), &["in.wav", "out.wav", "--force", "-q", "-r", "16k"])
}

#[cfg(target_os = "linux")]
const FILES: [&str; 3] = ["in.wav", "out.wav", DRAFT];

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fails_at_any_call_leaves_the_older_file() {
    let whole = over_another().run();
    let new = fs::read(whole.assert_success().path("out.wav")).unwrap();
    crate::faults::at_every_call("error=EIO", |fault| {
        let (when, output) = fault.strike(over_another(), &FILES)?;
        let out = fs::read(output.path("out.wav")).unwrap();
        if output.status.success() {
            assert!(out == new, "{when}");
        } else if output.status.code() == Some(3) {
            // It is there, and could not be read back.
            output.assert_stdout("").assert_stderr_contains("error: out.wav is not what was recorded");
            assert!(out == new, "{when}");
        } else {
            output.assert_exit(1).assert_stdout("").assert_stderr_contains("error: ");
            // Once the new file has its name, only the folder can fail, which is opened and synced.
            let of_folder = when.starts_with("openat") || when.starts_with("fsync");
            assert!(out == b"old" || out == new && of_folder, "{when}");
        }
        assert_eq!(names(output.path("")), ["in.wav", "out.wav"], "{when}");
        Some(())
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_crash_at_any_call_leaves_the_older_file_or_the_new_one() {
    let whole = over_another().run();
    let new = fs::read(whole.assert_success().path("out.wav")).unwrap();
    crate::faults::at_every_call("signal=KILL", |fault| {
        let (when, output) = fault.strike(over_another(), &FILES)?;
        output.assert_killed_by(Signal::KILL);
        let out = fs::read(output.path("out.wav")).unwrap();
        assert!(out == b"old" || out == new, "{when}");
        Some(())
    });
}

/// Quiet words with a few loud cracks between them: to be as loud as asked for, the cracks have to be limited.
fn quiet_with_cracks() -> Test {
    let test = Test::new();
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(test.path("in.wav"), spec).unwrap();
    for n in 0..6 * 44_100_u32 {
        let word = if n % 22_050 < 15_000 { 0.01 } else { 0.000_1 };
        let crack = if n % 60_000 < 300 { 0.5 } else { 0.0 };
        let sample = (n as f32 / 20.0).sin() * word + (n as f32 / 1.9).sin() * crack;
        wav.write_sample((sample * 8_388_607.0) as i32).unwrap();
        wav.write_sample((sample * 4_194_303.0) as i32).unwrap();
    }
    wav.finalize().unwrap();
    test
}

#[test]
fn a_quiet_memo_is_made_as_loud_as_asked_for_and_its_peaks_stay_below_the_ceiling() {
    require(&["ffmpeg"]);
    for (out, words) in [("out.wav", &["-b", "s16"][..]), ("out.flac", &["-r", "16k", "-c", "1"]), ("out.opus", &[])] {
        let test = quiet_with_cracks();
        let call = [&["in.wav", out, "--json", "--loudness", "-16"], words].concat();
        let output = convert(test.clone(), &call).run();
        output.assert_success().assert_stderr_contains("loudness before: -").assert_stderr_contains("after: -1");
        let told: Value = serde_json::from_str(&output.stdout()).unwrap();
        let number = |name: &str| told[name].as_f64().unwrap_or_else(|| panic!("{name}: {told}"));
        assert!(number("loudness_before_lufs") < -20.0 && number("gain_db") > 4.0, "{told}");
        assert!((number("loudness_lufs") + 16.0).abs() < 0.3 && number("true_peak_dbtp") <= -1.0, "{told}");
        // As others measure the file.
        let script = format!(
            "ffmpeg -hide_banner -nostats -i {out} -af ebur128=peak=true -f null - 2>&1 | tail -n 20 | \
             grep -E '^ +(I|Peak):' | tr -s ' ' | cut -d' ' -f3"
        );
        let measured = test.again().program("bash").args(["-c", &script]).run();
        let numbers: Vec<f64> = measured.stdout().lines().map(|line| line.parse().unwrap()).collect();
        assert!((numbers[0] + 16.0).abs() <= 0.5 && numbers[1] <= -1.0, "{out}: {numbers:?}");
    }
}

#[test]
fn silence_keeps_its_loudness() {
    let test = Test::new();
    let made = test.clone().args(["record", "-q", "-i", "silence", "--fast", "-d", "1", "in.wav"]);
    made.run().assert_success();
    let output = convert(test, &["in.wav", "out.wav", "--loudness", "-16"]).run();
    output.assert_success().assert_stderr_contains("loudness before: silence · after: silence · gain +0.0 dB");
    assert!(samples(output.path("out.wav")).iter().all(|&sample| sample == 0));
}
#[test]
fn a_damaged_clip_is_converted_to_its_end_and_what_is_missing_is_told_with_its_place() {
    let test = Test::new();
    let words = ["record", "-q", "--fast", "-i", "noise", "-d", "4", "x.flac"];
    test.clone().again().args(words).run().assert_success();
    let mut bytes = fs::read(test.path("x.flac")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(test.path("x.flac"), bytes).unwrap();
    let output = convert(test.clone(), &["--json", "x.flac", "y.wav"]).run();
    output.assert_exit(3).assert_stderr_contains("x.flac is damaged: 0.085 s (4096 frames) at ");
    let facts: Value = serde_json::from_str(&output.stdout()).unwrap();
    assert_eq!((&facts["frames"], &facts["lost_frames"]), (&192_000.into(), &4_096.into()));
    for (words, told) in [
        (&["info", "x.flac"][..], "damage    0.085 s (4096 frames) at "),
        (&["info", "--json", "y.wav"], "\"lost_frames\":4096"),
        (&["list", "--json", "--dir", "."], "\"lost_frames\":4096"),
        (&["recover", "-n", "x.flac"], "is damaged: 0.085 s"),
    ] {
        let stdout = test.clone().again().args(words.iter().copied()).run().assert_success().stdout().to_owned();
        assert!(stdout.contains(told) && !stdout.contains("is whole"), "{words:?}: {stdout}");
    }
}

#[test]
fn a_part_of_a_clip_is_exact_to_the_frame() {
    let whole = samples(coded().path("in.wav"));
    for (words, part) in [
        (&["--from", "0.5", "--to", "1.5"][..], 24_000..72_000),
        (&["--from", "0:01"], 48_000..105_600),
        (&["--to", "250ms"], 0..12_000),
    ] {
        let output = convert(coded(), &[&["in.wav", "out.wav"][..], words].concat()).run();
        output.assert_success();
        assert!(samples(output.path("out.wav")) == whole[part], "{words:?}");
    }
    for (words, told) in [
        (&["--from", "3"][..], "error: --from is behind the end of the clip, which is 2.200 s long\n"),
        (&["--from", "1", "--to", "1"], "error: --to is not behind --from\n"),
    ] {
        let output = convert(coded(), &[&["in.wav", "out.wav"][..], words].concat()).run();
        output.assert_exit(2);
        assert!(output.stderr().starts_with(told), "{}", output.context());
        assert_eq!(names(output.path("")), ["in.wav"]);
    }
}
