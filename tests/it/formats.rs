//! FLAC and Opus through the program: recorded, listed, played in again, streamed, and refused where they do not fit.

use crate::support::harness::Test;
use crate::takes::{ask, assert_no_leftovers, events, names, record};

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_dictaphone")
}

/// `-d` gives exactly that many frames, whatever the rate of the source.
#[test]
fn other_programs_find_exactly_the_frames_that_were_asked_for() {
    for (name, words, frames) in [
        ("x.flac", "-d 0.5", "24000"),
        ("x.flac", "-d 0.7 -r 44.1k -c 2 -b s24", "30870"),
        ("x.flac", "-d 1.1 --preset voice", "17600"),
        ("x.opus", "-d 0.7 -r 44.1k -c 2", "33600"),
        ("x.ogg", "-d 1.1 --preset voice --bitrate 16", "52800"),
    ] {
        let mut words: Vec<&str> = words.split(' ').collect();
        words.extend(["-q", "-i", "tone", "--fast", name]);
        let output = record(&words).run();
        output.assert_success();
        assert_no_leftovers(&output);
        if name == "x.flac" {
            ask(&output, "flac", &["--silent", "--test", "--warnings-as-errors", name]);
        } else {
            ask(&output, "opusdec", &["--quiet", "--force-wav", "--rate", "48000", name, "y.wav"]);
        }
        let decoded = if name == "x.flac" { name } else { "y.wav" };
        assert_eq!(ask(&output, "soxi", &["-s", decoded]).trim(), frames, "{words:?}");
    }
}

#[test]
fn every_command_knows_the_files() {
    for (name, format, mime_type) in
        [("a.flac", "flac", "audio/flac;codecs=flac"), ("a.opus", "opus", "audio/ogg;codecs=opus")]
    {
        let test = record(&["-q", "-i", "tone", "--fast", "-d", "1.5", name]);
        test.run().assert_success();
        let test = test.again().args(["info", "--json", name]);
        let output = test.run();
        output.assert_success();
        let info: serde_json::Value = serde_json::from_str(&output.stdout()).unwrap();
        assert_eq!((&info["format"], &info["mime_type"]), (&format.into(), &mime_type.into()));
        assert_eq!((&info["frames"], &info["duration_s"]), (&72_000.into(), &1.5.into()));
        assert_eq!((&info["device"], &info["lost_frames"]), (&"tone".into(), &0.into()));
        assert!(info["recorded_at"].is_string() && info.get("error").is_none());
        let test = test.again().args(["list", "--json", "--dir", "."]);
        test.run().assert_success().assert_stdout_contains(&format!("\"format\":\"{format}\""));
        let test = test.again().args(["record", "-q", "--fast", "-i", &format!("file:{name}"), "again.wav"]);
        let again = test.run();
        again.assert_success();
        assert_eq!(ask(&again, "soxi", &["-s", "again.wav"]).trim(), "72000");
        let recovered = test.again().args(["recover", "--json", name]).run();
        recovered.assert_success().assert_stdout_contains(&format!("\"format\":\"{format}\""));
        assert_eq!(names(recovered.path("")), [name, "again.wav"]);
    }
}

#[test]
fn clips_are_converted_into_both_and_back() {
    let test = record(&["-q", "-i", "noise", "--fast", "-d", "1.5", "-c", "2", "-r", "44.1k", "a.wav"]);
    test.run().assert_success();
    let test = test.again().args(["convert", "-q", "a.wav", "a.flac"]);
    test.run().assert_success();
    let test = test.again().args(["convert", "-q", "a.flac", "back.wav"]);
    let output = test.run();
    output.assert_success();
    assert_eq!(crate::takes::samples(output.path("back.wav")), crate::takes::samples(output.path("a.wav")));
    let test = test.again().args(["convert", "-q", "a.flac", "a.opus", "--preset", "voice", "--bitrate", "24"]);
    let output = test.run();
    output.assert_success();
    ask(&output, "opusdec", &["--quiet", "--force-wav", "--rate", "48000", "a.opus", "heard.wav"]);
    assert_eq!(ask(&output, "soxi", &["-s", "heard.wav"]).trim(), "72000");
    assert!(std::fs::metadata(output.path("a.opus")).unwrap().len() < 12_000);
    let output = test.again().args(["convert", "-q", "a.flac", "b.wav", "--bitrate", "24"]).run();
    output.assert_exit(2).assert_stderr_contains("--bitrate is for opus, not for wav");
}

#[test]
fn both_stream_into_other_programs() {
    for (words, reader, expected) in [
        ("-f flac --fast -d 2", "ffmpeg -v error -i - -f s16le - | wc -c", "192000\n"),
        ("-f flac -d 0.5", "flac --silent -d --force-raw-format --endian=little --sign=signed - | wc -c", "48000\n"),
        ("-f flac --fast -d 2 -c 2 -b s24", "sox -t flac - -t raw - | wc -c", "576000\n"),
        ("-f opus --fast -d 2", "opusdec --quiet --force-wav - - | tail -c +45 | wc -c", "192000\n"),
        ("-f opus -d 0.5 -c 2", "ffmpeg -v error -i - -f s16le - | wc -c", "96000\n"),
    ] {
        let line = format!("set -o pipefail; {} record -q -i tone {words} - | {reader}", program());
        let output = Test::new().program("bash").arg("-c").arg(line).run();
        output.assert_success().assert_stdout(expected);
    }
}

/// A part of each stream leaves while it is recorded.
#[test]
fn the_first_bytes_of_a_stream_come_while_it_goes_on() {
    for format in ["flac", "opus"] {
        let line = format!("{} record -q -i tone -f {format} - | head -c 10000 | wc -c", program());
        Test::new().program("bash").arg("-c").arg(line).run().assert_success().assert_stdout("10000\n");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_a_remedy_and_leaves_nothing() {
    for (words, message) in [
        ("--bitrate 24 x.wav", "error: --bitrate is for opus, not for wav"),
        ("--bitrate 5 x.opus", "error: 5 kbit/s is too few for opus"),
        ("-b f32 x.flac", "error: flac files have no f32 samples"),
        ("-c 3 x.opus", "error: opus files are mono or stereo, not of 3 channels"),
    ] {
        let output = record(&["-i", "tone", "-d", "1"]).args(words.split(' ')).run();
        output.assert_exit(2).assert_stderr_contains(message).assert_stderr_contains("hint: ");
        assert_eq!(names(output.path("")), Vec::<String>::new());
    }
}

#[test]
fn the_events_of_a_compressed_recording_count_frames_and_bytes() {
    let output = record(&["--json", "-i", "tone", "--fast", "-d", "2", "x.opus"]).run();
    output.assert_success();
    let events = events(&output.stdout());
    let saved = events.iter().find(|event| event["event"] == "dataavailable").unwrap();
    assert_eq!((&saved["frames"], &saved["duration_s"]), (&96_000.into(), &2.0.into()));
    assert_eq!(saved["size_bytes"], std::fs::metadata(output.path("x.opus")).unwrap().len());
}

/// The last block of a FLAC file has any length and is coded in any way; each must be one that other readers take.
#[test]
fn flac_reads_what_is_written_of_every_kind_and_length_of_sound() {
    let mut test = record(&["-q", "-i", "noise", "--fast", "-d", "0.2", "noise.wav"]);
    let output = test.run();
    output.assert_success();
    ask(&output, "sox", &["-D", "noise.wav", "-b", "24", "steps.wav", "vol", "0.00002"]);
    ask(
        &output,
        "sox",
        &["-D", "-n", "-b", "32", "-r", "8000", "tone.wav", "synth", "0.7", "sine", "300", "gain", "-1"],
    );
    for (source, frames) in ["noise", "steps", "tone"].iter().flat_map(|source| {
        [1, 2, 15, 17, 260, 516, 772, 1_028, 1_540, 3_076, 4_100, 4_868].map(|frames| (source, format!("{frames}s")))
    }) {
        ask(&output, "sox", &["-D", &format!("{source}.wav"), "in.wav", "trim", "0", &frames]);
        test = test.again().args(["convert", "-q", "--force", "in.wav", "out.flac"]);
        test.run().assert_success();
        ask(&output, "flac", &["--silent", "--decode", "--warnings-as-errors", "-f", "-o", "back.wav", "out.flac"]);
        ask(&output, "sox", &["in.wav", "in.raw"]);
        ask(&output, "sox", &["back.wav", "back.raw"]);
        let read = |name| std::fs::read(output.path(name)).unwrap();
        assert!(!read("in.raw").is_empty() && read("in.raw") == read("back.raw"), "{frames} of {source}");
    }
}
