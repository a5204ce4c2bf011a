//! Audio through standard output: exact, endless, and without an error message when the reader closes its end.

use std::io::Read as _;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::process::require;
use crate::support::terminal::Terminal;
use crate::takes::{ask, events, in_shell, layout, names, order, record};

/// The built-in tone, straight from the program.
fn tone(seconds: &str) -> Vec<u8> {
    let output = record(&["-q", "-i", "tone", "--fast", "-f", "raw", "-d", seconds, "-"]).run();
    output.assert_success().assert_stderr("");
    output.stdout
}

#[test]
fn raw_is_exactly_the_samples() {
    for (words, bytes) in [
        (&["-d", "0.5"][..], 48_000),
        (&["-d", "0.5", "--fast", "-r", "44.1k", "-c", "2", "-b", "s24"], 22_050 * 2 * 3),
        (&["-d", "2", "--fast", "-c", "3", "-b", "f32"], 96_000 * 3 * 4),
    ] {
        let output = record(&["-i", "tone", "-f", "raw", "-"]).args(words.iter().copied()).run();
        output.assert_success().assert_stderr_contains("to standard output\n");
        assert_eq!(output.stdout.len(), bytes, "{words:?}");
    }
}

#[test]
fn wav_has_a_header_for_a_stream_of_any_length() {
    let output = record(&["-q", "-i", "tone", "--fast", "-d", "1", "-"]).run();
    output.assert_success();
    let (riff, form) = (&output.stdout[..4], &output.stdout[8..16]);
    assert_eq!((riff, form), (&b"RIFF"[..], &b"WAVEfmt "[..]));
    assert_eq!(output.stdout[4..8], [0xff; 4]);
    let data = output.stdout.windows(4).position(|id| id == b"data").unwrap();
    assert_eq!(output.stdout[data + 4..data + 8], [0xff; 4]);
    assert!(output.stdout[data + 8..] == tone("1"), "behind the header is not the tone");
}

#[test]
fn sox_and_ffmpeg_read_the_stream() {
    require(&["sox", "ffmpeg"]);
    for words in ["--fast -d 2", "-d 0.5", "--fast -d 2 -b s24 -c 2", "--fast -d 2 -b f32"] {
        let seconds = if words.contains("0.5") { "0.500000" } else { "2.000000" };
        let line = format!("set -o pipefail; {} record -q -i tone {words} - | sox -t wav - -n stat", program());
        let output = crate::support::harness::Test::new().program("bash").arg("-c").arg(line).run();
        output.assert_success().assert_stderr_contains(&format!("Length (seconds):      {seconds}"));
        let line = format!(
            "set -o pipefail; {} record -q -i tone {words} - | ffmpeg -v error -i - -f s16le -c:a pcm_s16le -ac 1 - | wc -c",
            program()
        );
        let output = crate::support::harness::Test::new().program("bash").arg("-c").arg(line).run();
        let bytes = if words.contains("0.5") { 48_000 } else { 192_000 };
        output.assert_success().assert_stdout(&format!("{bytes}\n")).assert_stderr("");
    }
}

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_dictaphone")
}

#[test]
fn a_reader_that_leaves_ends_the_recording_quietly() {
    for words in ["-i tone", "-i tone --fast", "-i tone --fast -f raw", "-i noise -c 8"] {
        let line = format!("set -o pipefail; {} record -q {words} - | head -c 20000 | wc -c", program());
        let output = crate::support::harness::Test::new().program("bash").arg("-c").arg(line).run();
        output.assert_success().assert_stdout("20000\n").assert_stderr("");
        assert_eq!(names(output.path("")), Vec::<String>::new());
    }
}

#[test]
fn a_reader_that_leaves_a_paused_recording_ends_it_too() {
    let mut running = record(&["-i", "tone", "-f", "raw", "--paused", "-"]).hold_stdout().spawn();
    running.wait_for_stderr("ready to record tone");
    drop(running.stdout.take());
    running.wait().assert_success();
}

#[test]
fn a_slow_reader_within_the_limit_loses_nothing() {
    let mut running = record(&["-q", "-i", "tone", "-f", "raw", "-c", "4", "-d", "1.5", "-"]).hold_stdout().spawn();
    let mut out = running.stdout.take().unwrap();
    let mut heard = vec![0; 10_000];
    out.read_exact(&mut heard).unwrap();
    // Longer than the pipe itself holds: 64 KiB are 0.17 s.
    std::thread::sleep(Duration::from_millis(700));
    out.read_to_end(&mut heard).unwrap();
    running.wait().assert_success().assert_stderr("");
    let mono = tone("1.5");
    let expected: Vec<u8> = mono.chunks_exact(2).flat_map(|sample| [sample; 4]).flatten().copied().collect();
    assert_eq!(heard.len(), expected.len());
    assert!(heard == expected, "what was heard late is not what was played");
}

#[test]
fn the_first_bytes_come_long_before_the_end() {
    let mut running = record(&["-q", "-i", "tone", "-d", "1h", "-"]).spawn();
    running.wait_for("sound", |running| (running.stdout_so_far().len() > 1_000).then_some(()));
    running.signal(rustix::process::Signal::TERM);
    running.wait().assert_success();
}

#[test]
fn audio_is_not_written_to_a_terminal() {
    let mut terminal = Terminal::run(&record(&["-i", "tone", "-d", "1", "-"]));
    assert_eq!(terminal.wait(), 2);
    let text = terminal.text();
    assert!(text.contains("error: audio is not written to a terminal\nhint: send it to a file or a program"), "{text}");
    assert!(!terminal.raw().windows(4).any(|bytes| bytes == b"RIFF"));
}

#[test]
fn a_closed_standard_output_is_refused_for_audio_only() {
    let output = in_shell("exec >&-", "record -i tone -d 1 --fast -").run();
    output.assert_exit(2);
    output.assert_stderr(
        "error: standard output is closed\nhint: send it to a file or a program: `dictaphone record - | aplay`\n",
    );
    let output = in_shell("exec >&-", "record -q -i tone -d 1 --fast take.wav").run();
    output.assert_success().assert_stderr("");
    assert_eq!(names(output.path("")), ["take.wav"]);
    in_shell("exec >/dev/null", "record -q -i tone -d 1 --fast -").run().assert_success();
}

#[test]
fn a_file_behind_standard_output_gets_its_length() {
    for (format, name) in [("wav", "take.wav"), ("flac", "take.flac"), ("raw", "take.raw")] {
        let words = format!("record -q -i tone -d 2 --fast -c 1 -f {format} -");
        let output = in_shell(&format!("exec >{name}"), &words).run();
        output.assert_success();
        let length = match format {
            "raw" => std::fs::metadata(output.path(name)).unwrap().len().to_string(),
            _ => ask(&output, "soxi", &["-s", name]).trim().to_owned(),
        };
        assert_eq!(length, if format == "raw" { "192000" } else { "96000" }, "{format}");
    }
    // What was there before stays, and so does the header behind it.
    let output = in_shell("echo before >take.wav; exec >>take.wav", "record -q -i tone -d 2 --fast -").run();
    output.assert_success();
    let bytes = std::fs::read(output.path("take.wav")).unwrap();
    assert!(bytes.starts_with(b"before\nRIFF\xff\xff\xff\xff") && bytes.len() == 7 + 44 + 192_000, "{}", bytes.len());
}

#[test]
fn how_much_went_into_the_pipe_is_told_at_the_end() {
    let output = record(&["-i", "tone", "--fast", "-d", "90", "-f", "raw", "-"]).run();
    output.assert_success();
    output.assert_stderr("recording tone · 48 kHz mono s16 to standard output\nwrote 00:01:30.0 to standard output\n");
}

#[test]
fn whoever_reads_events_hears_of_a_standard_output_that_fails() {
    let output = in_shell("exec >/dev/full", "record -i tone -d 1 --fast --json -").run();
    output.assert_exit(1);
    // Every line is an event.
    let events = events(&output.stderr());
    assert_eq!(order(&events), ["start", "dataavailable", "error", "stop"]);
    assert!(events[2]["message"].as_str().unwrap().contains("No space left on device"), "{events:?}");
}

#[test]
fn a_standard_output_that_fails_is_told() {
    let output = in_shell("exec >/dev/full", "record -q -i tone -d 1 --fast -").run();
    output.assert_exit(1);
    output.assert_stderr(
        "error: cannot write to standard output: No space left on device\n\
         hint: a FILE in the place of `-` keeps what was recorded, also on a full disk\n",
    );
    let output = in_shell("exec >/dev/full", "record -q -i tone -d 1 --fast take.wav").run();
    output.assert_exit(1);
    output.assert_stderr(
        "error: cannot print the path: No space left on device\nhint: the recording is saved in take.wav\n",
    );
    assert_eq!(names(output.path("")), ["take.wav"]);
}

#[test]
fn events_that_cannot_be_written_are_told_and_the_recording_is_saved() {
    let output = in_shell("exec >/dev/full", "record -q -i tone -d 1 --fast --json take.wav").run();
    output.assert_exit(1).assert_stderr(
        "error: cannot write the events: No space left on device\nhint: the recording itself is saved\n",
    );
    assert_eq!(layout(output.path("take.wav")).2, 48_000);
}

#[test]
fn closed_descriptors_in_any_combination_harm_no_recording() {
    let path = "take.wav\n";
    for (closed, stdout) in [
        ("<&-", path),
        ("2>&-", path),
        ("<&- 2>&-", path),
        (">&-", ""),
        ("<&- >&-", ""),
        (">&- 2>&-", ""),
        ("<&- >&- 2>&-", ""),
    ] {
        let output = in_shell(&format!("exec {closed}"), "record -i tone -d 0.1 --fast take.wav").run();
        output.assert_success().assert_stdout(stdout);
        assert_eq!(layout(output.path("take.wav")).2, 4_800, "{closed}");
    }
}

#[test]
fn a_closed_standard_error_harms_nothing() {
    let output = in_shell("exec 2>&-", "record -i tone -d 1 --fast take.wav").run();
    output.assert_success().assert_stdout("take.wav\n");
    let output = in_shell("exec 2>/dev/full", "record -i tone -d 0.3 --json -f raw -").run();
    output.assert_success();
    assert_eq!(output.stdout.len(), 28_800);
}

#[test]
fn a_stopped_recording_does_not_wait_for_ever_for_a_reader_that_stands_still() {
    let mut running = record(&["-i", "tone", "-c", "8", "-f", "raw", "-"]).hold_stdout().spawn();
    running.wait_for("a full pipe", |running| crate::signals::blocked_in_write(running.id()).then_some(()));
    running.signal(Signal::TERM);
    let output = running.wait();
    output.assert_exit(3).assert_stderr_contains(" were not read from standard output and are lost\n");
    output.assert_stderr_contains("hint: its reader had stood still for half a minute after the stop\n");
}

/// Half a minute may wait for a reader; what does not fit is silence of the same length, counted and told.
#[test]
fn a_reader_that_stops_reading_for_longer_gets_silence_for_what_was_lost() {
    let words = ["-i", "tone", "-r", "8000", "-c", "8", "-b", "f32", "-f", "raw", "-d", "34", "--json", "-"];
    let mut running = record(&words).hold_stdout().spawn();
    let mut out = running.stdout.take().unwrap();
    let frame = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok()?["frame"].as_u64();
    running.wait_for("the 34th second", |running| {
        running.stderr_so_far().lines().filter_map(frame).max().filter(|frame| *frame > 33 * 8_000)
    });
    let mut heard = Vec::new();
    out.read_to_end(&mut heard).unwrap();
    let output = running.wait();
    output.assert_exit(3);

    let events = events(&output.stderr());
    let available = events.iter().find(|event| event["event"] == "dataavailable").unwrap();
    let lost = available["lost_frames"].as_u64().unwrap();
    assert!((8_000..4 * 8_000).contains(&lost), "{lost} frames are lost\n{}", output.context());
    let samples: Vec<f32> = heard.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    assert_eq!(samples.len(), 34 * 8_000 * 8);
    let expected =
        record(&["-q", "-i", "tone", "--fast", "-r", "8000", "-b", "f32", "-f", "raw", "-d", "34", "-"]).run();
    let mut silent = 0;
    for (index, (frame, tone)) in samples.as_chunks::<8>().0.iter().zip(expected.stdout.as_chunks().0).enumerate() {
        let tone = f32::from_le_bytes(*tone);
        assert!(frame.iter().all(|sample| *sample == tone || *sample == 0.0), "frame {index} is {frame:?}, not {tone}");
        silent += u64::from(frame[0] != tone);
    }
    // The tone passes through zero now and then, where silence cannot be told from it.
    assert!(silent <= lost && silent * 10 > lost * 9, "{silent} frames are silent, {lost} were counted");
}
