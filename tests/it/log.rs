//! `--log FILE`: what is written there, and that nothing depends on it.

use std::os::unix::fs::PermissionsExt;

use crate::support::harness::Test;
use crate::takes::{layout, names, record};

#[test]
fn what_happens_is_appended_with_time_and_level() {
    let test = record(&["-i", "tone", "--fast", "-d", "1", "--log", "a.log", "--force", "a.wav"]);
    let plain = record(&["-i", "tone", "--fast", "-d", "1", "--force", "a.wav"]).run();
    let logged = test.run();
    logged.assert_success().assert_stdout("a.wav\n").assert_stderr(&plain.stderr());
    test.run().assert_success();
    let text = std::fs::read_to_string(test.path("a.log")).unwrap();
    for line in text.lines() {
        let (time, rest) = line.split_once(' ').unwrap();
        time.parse::<jiff::Timestamp>().unwrap_or_else(|e| panic!("{time}: {e}"));
        assert!(["ERROR", "WARN ", "INFO ", "DEBUG"].iter().any(|level| rest.starts_with(level)), "{line}");
    }
    let count = |word: &str| text.lines().filter(|line| line.contains(word)).count();
    assert_eq!((count(" begins, process "), count("ends with exit code 0"), count("saved a.wav")), (2, 2, 2), "{text}");
    let mode = std::fs::metadata(test.path("a.log")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn failures_are_in_the_log_too() {
    let test = record(&["-i", "nope\x1b[2J", "--log", "a.log", "a.wav"]);
    test.run().assert_exit(4);
    let text = std::fs::read_to_string(test.path("a.log")).unwrap();
    assert!(text.contains(" ERROR dictaphone::report: no device `nope\\u{1b}[2J`\n"), "{text}");
    assert!(text.ends_with("ends with exit code 4\n"), "{text}");
}

#[test]
fn a_log_that_cannot_be_opened_is_a_mistake() {
    for (place, reason) in [("folder", "Is a directory"), ("no/a.log", "No such file or directory")] {
        let test = record(&["-i", "tone", "-d", "1", "--log", place, "a.wav"]).file("folder/x", "");
        let output = test.run();
        output.assert_exit(2).assert_stdout("").assert_stderr(&format!(
            "error: cannot open the log {place}: {reason}\nhint: `--log` takes a file that can be written\n"
        ));
        assert_eq!(names(test.path("")), ["folder"]);
    }
}

#[test]
fn a_log_that_takes_nothing_disturbs_no_recording() {
    // A file that is as long as this process may write one.
    let script = format!(
        "head -c 512000 /dev/zero | tr '\\0' x >log && ulimit -f 500 && trap '' XFSZ && \
         exec {} record -i tone --fast -d 1 --log log a.wav",
        env!("CARGO_BIN_EXE_dictaphone")
    );
    let stuck = Test::new().program("bash").args(["-c", &script]).run();
    stuck.assert_success().assert_stdout("a.wav\n");
    assert_eq!(layout(stuck.path("a.wav")).2, 48_000);
    assert_eq!(std::fs::metadata(stuck.path("log")).unwrap().len(), 512_000);
}
