//! The commands on clips, from outside.

use std::{fs, path::Path};

use serde_json::Value;

#[cfg(unix)]
use crate::support::terminal::{Terminal, keys};
use crate::support::{harness::Test, output::Output};

/// A sandbox whose clips folder has a take of two seconds and another of one second.
fn recorded() -> Test {
    let mut test = Test::new();
    for (name, duration) in [("take.wav", "2"), ("other.wav", "1")] {
        let folder = test.path("clips");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(name);
        test = test.args(["record", "-i", "tone", "--fast", "-d", duration]).arg(file);
        test.run().assert_success();
        test = test.again();
    }
    let folder = test.path("clips");
    test.env("DICTAPHONE_DIR", folder).env("LC_ALL", "C.UTF-8")
}

/// The names in the clips folder, sorted.
fn names(test: &Test) -> Vec<String> {
    let entries = fs::read_dir(test.path("clips")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&output.assert_success().stdout()).unwrap()
}

fn run(test: Test, args: &[&str]) -> (Test, Output) {
    let test = test.again().args(args);
    let output = test.run();
    (test, output)
}

#[test]
fn clips_are_listed_for_people_and_machines() {
    let (test, output) = run(recorded(), &["list", "--sort", "length"]);
    let text = output.assert_success().stdout();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..3], ["take", "00:00:02", "wav"], "{text}");
    assert_eq!(rows[1][..3], ["other", "00:00:01", "wav"], "{text}");
    let (_, output) = run(test, &["list", "--json", "--sort", "name"]);
    let clips = json(&output);
    assert_eq!((&clips[0]["name"], &clips[1]["name"]), (&"other".into(), &"take".into()));
    assert_eq!((&clips[1]["frames"], &clips[1]["sample_rate"]), (&96_000.into(), &48_000.into()));
}

#[test]
fn a_folder_that_does_not_exist_is_empty_unless_it_was_named() {
    let test = Test::new().env("DICTAPHONE_DIR", "nowhere");
    let (test, output) = run(test, &["list"]);
    output.assert_success().assert_stdout("").assert_stderr("no clips in nowhere\n");
    let (test, output) = run(test, &["list", "--json", "-q"]);
    output.assert_success().assert_stdout("[]\n").assert_stderr("");
    let (_, output) = run(test, &["list", "--dir", "nowhere"]);
    output.assert_exit(1).assert_stderr_contains("error: cannot read nowhere");
}

#[test]
fn broken_and_hostile_files_are_listed_with_a_warning() {
    let test = recorded().file("clips/bad\u{1b}[2J.wav", "nonsense").file("clips/.x.wav.part", "RIFF");
    let (_, output) = run(test, &["list", "--sort", "name"]);
    output.assert_success().assert_stdout_contains("bad\\u{1b}[2J").assert_stderr_contains("warning: ");
    output.assert_stderr_contains("1 unfinished");
    assert!(!output.stdout().contains('\u{1b}') && !output.stderr().contains('\u{1b}'), "{}", output.context());
}

#[test]
fn everything_about_a_clip_is_told() {
    let (test, output) = run(recorded(), &["info", "take", "--json"]);
    let info = json(&output);
    assert_eq!(
        (&info["duration_s"], &info["lost_frames"], &info["markers"]),
        (&2.0.into(), &0.into(), &Value::Array(vec![]))
    );
    assert!(info["peak_dbfs"].as_f64().unwrap() < 0.0 && info["loudness_lufs"].as_f64().unwrap() < 0.0, "{info}");
    let (test, output) = run(test, &["info", "take.wav"]);
    output.assert_success().assert_stdout_contains("00:00:02.0 (96000 frames)");
    let text = output.stdout();
    assert!(text.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c)), "{text}");
    let (_, output) = run(test.env("LC_ALL", "C"), &["info", "clips/take.wav"]);
    assert!(output.assert_success().stdout().is_ascii(), "{}", output.context());
}

#[test]
fn a_clip_that_cannot_be_read_is_an_error_and_json_tells_why() {
    let test = recorded().file("clips/bad.wav", "nonsense");
    let (test, output) = run(test, &["info", "bad"]);
    output.assert_exit(1).assert_stdout("").assert_stderr_contains("error: ");
    let (test, output) = run(test, &["info", "bad", "--json"]);
    let info: Value = serde_json::from_str(&output.assert_exit(1).stdout()).unwrap();
    assert!(info["error"].is_string() && info["frames"].is_null(), "{info}");
    let (_, output) = run(test, &["info", "missing"]);
    output.assert_exit(1).assert_stderr_contains("error: no clip 'missing'").assert_stderr_contains("dictaphone list");
}

#[test]
fn a_clip_is_renamed_in_its_folder_and_replaces_nothing() {
    let (test, output) = run(recorded(), &["rename", "take", "interview"]);
    let renamed = test.path("clips/interview.wav");
    output.assert_success().assert_stdout(&format!("{}\n", renamed.display()));
    assert_eq!(names(&test), ["interview.wav", "other.wav"]);
    let before = fs::read(&renamed).unwrap();
    let (test, output) = run(test, &["rename", "other", "interview"]);
    output.assert_exit(2).assert_stderr_contains("there is already a clip 'interview'");
    assert_eq!(fs::read(&renamed).unwrap(), before);
    for name in ["a/b", "..", "", "a\nb", "\u{202e}x"] {
        let (_, output) = run(recorded(), &["rename", "other", name]);
        output.assert_exit(2).assert_stderr_contains("hint: ");
    }
    let (test, output) = run(test, &["rename", "--json", "other", "o"]);
    assert_eq!(json(&output)["name"], "o");
    assert_eq!(names(&test), ["interview.wav", "o.wav"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_deleted_clip_is_in_the_trash() {
    let (test, output) = run(recorded(), &["delete", "take", "take.wav"]);
    output.assert_success().assert_stderr_contains("trash");
    assert_eq!(names(&test), ["other.wav"]);
    assert!(test.home().join(".local/share/Trash/files/take.wav").is_file());
}

#[test]
fn deleting_for_good_deletes_all_or_nothing_that_is_missing() {
    let (test, output) = run(recorded(), &["delete", "--permanent", "take", "missing"]);
    output.assert_exit(1);
    assert_eq!(names(&test), ["other.wav", "take.wav"]);
    let (test, output) = run(test, &["delete", "--permanent", "--json", "take", "other"]);
    assert_eq!(json(&output).as_array().unwrap().len(), 2);
    assert_eq!(names(&test), Vec::<String>::new());
    assert!(!Path::new(&test.home()).join(".local/share/Trash").exists());
}

#[test]
fn only_clips_are_deleted() {
    let test = recorded().file("clips/notes.txt", "").file("clips/take.flac", "");
    let (test, output) = run(test, &["delete", "--permanent", "notes.txt"]);
    output.assert_exit(2).assert_stderr_contains("is no clip");
    let (test, output) = run(test, &["delete", "--permanent", "take"]);
    output.assert_exit(2).assert_stderr_contains("could be any of");
    assert_eq!(names(&test), ["notes.txt", "other.wav", "take.flac", "take.wav"]);
}

/// A line of JSON may be longer than a pipe, and whoever reads it may take his time.
#[test]
fn facts_reach_a_slow_reader_whole_and_a_full_disk_is_told() {
    let test = Test::new();
    let folder = test.path("clips");
    fs::create_dir(&folder).unwrap();
    for number in 0..400 {
        fs::write(folder.join(format!("take-{number}.wav")), "no sound").unwrap();
    }
    let mut running = test.env("DICTAPHONE_DIR", &folder).args(["list", "--json"]).hold_stdout().spawn();
    let mut out = running.stdout.take().unwrap();
    // Nobody reads on until the pipe is full and the program waits.
    crate::support::wait::until("a full pipe", String::new, || {
        rustix::io::ioctl_fionread(&out).is_ok_and(|bytes| bytes >= 65_536).then_some(())
    });
    assert!(running.is_running());
    let mut text = String::new();
    std::io::Read::read_to_string(&mut out, &mut text).unwrap();
    let output = running.wait();
    output.assert_success();
    assert_eq!(serde_json::from_str::<Vec<Value>>(&text).unwrap().len(), 400);

    for words in ["list --json --dir .", "recover --json .", "devices --json"] {
        let output = crate::takes::in_shell("exec >/dev/full", words).run();
        output.assert_exit(1).assert_stderr_contains("No space left on device");
    }
}

/// A take of ten minutes of silence, which takes no room on the disk, and one of 24 hours.
#[cfg(unix)]
fn long() -> Test {
    let test = Test::new().env("LC_ALL", "C.UTF-8").args(["record", "-q", "-i", "silence", "--fast", "-d", "0.1", "-"]);
    let output = test.run();
    output.assert_success();
    let header = output.stdout.len() as u64 - 9_600;
    for (name, minutes) in [("long.wav", 10), ("endless.wav", 24 * 60)] {
        // As it comes out of a pipe: all that follows is sound.
        fs::write(test.path(name), &output.stdout).unwrap();
        let file = fs::File::options().write(true).open(test.path(name)).unwrap();
        file.set_len(header + minutes * 60 * 96_000).unwrap();
    }
    test.again()
}

#[cfg(unix)]
#[test]
fn a_long_clip_shows_its_facts_at_once_and_how_far_the_reading_is() {
    let mut terminal = Terminal::run(&long().args(["info", "endless.wav"]));
    terminal.wait_until("facts, a rough waveform and how far it is", |screen| {
        let text = screen.contents();
        text.contains("24:00:00.0 (") && text.contains("\u{28c0}") && text.contains(" % \u{2595}")
    });
    assert_eq!(terminal.text().matches("length").count(), 1, "{}", terminal.text());
    terminal.send(keys::CTRL_C);
}

#[cfg(unix)]
#[test]
fn what_was_shown_first_of_a_long_clip_is_replaced_and_nothing_of_it_stays() {
    let test = long().args(["info", "long.wav"]);
    let piped = test.run();
    piped.assert_success().assert_stderr("");
    fs::remove_dir_all(test.home().join(".cache")).unwrap();
    let mut terminal = Terminal::run(&test);
    assert_eq!(terminal.wait(), 0);
    let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(lines(terminal.text().trim_end()), lines(&piped.stdout()));
    assert!(terminal.raw().windows(3).any(|bytes| bytes.ends_with(b"\x1b[J")));
    // Read once, it is known.
    let mut again = Terminal::run(&test);
    assert_eq!(again.wait(), 0);
    assert!(!String::from_utf8_lossy(&again.raw()).contains(" % "), "{}", again.text());
    assert_eq!(again.text(), terminal.text());
}
