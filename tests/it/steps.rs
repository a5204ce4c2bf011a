//! What happens during a recording: new files, the voice gate, second copies, room for what follows.

use std::{os::unix::net::UnixDatagram, path::Path, time::Duration};

use rustix::process::Signal;

use crate::disk::{FrozenDisk, STALL};
use crate::support::harness::{Running, Test};
use crate::support::output::Output;
use crate::support::pulse::PulseServer;
use crate::support::server::Microphone;
use crate::support::terminal::Terminal;
use crate::takes::{layout, names, record, samples};
use crate::watch::clocks::faketime;

fn wav(name: &str) -> String {
    format!("{}/tests/files/speech/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_split_recording_is_the_source_in_numbered_files() {
    let test = record(&["-q", "-i", "noise", "--fast", "-d", "10s", "whole.wav"]);
    test.run().assert_success();
    let again = test.again().args(["record", "-q", "-i", "noise", "--fast", "-d", "10s", "--split", "1.7s", "x.wav"]);
    let output = again.run();
    output.assert_success().assert_stdout("x-1.wav\nx-2.wav\nx-3.wav\nx-4.wav\nx-5.wav\nx-6.wav\n");
    let whole = samples(output.path("whole.wav"));
    let joined: Vec<_> = (1..=6).flat_map(|number| samples(output.path(format!("x-{number}.wav")))).collect();
    assert!(joined == whole, "{} of {}", joined.len(), whole.len());
    // A second run does not mix its files with those of the first.
    again.run().assert_exit(2).assert_stderr_contains("x-1.wav exists");
}

#[test]
fn usr1_goes_on_in_a_new_file() {
    let mut running = record(&["-i", "tone", "x.wav"]).spawn();
    running.wait_for_stderr("recording tone");
    running.signal(Signal::USR1);
    running.wait_for_stdout("x.wav");
    running.signal(Signal::INT);
    let output = running.wait();
    output.assert_success().assert_stdout("x.wav\nx-2.wav\n");
    assert_eq!(names(output.path("")), ["x-2.wav", "x.wav"]);
}

#[test]
fn force_replaces_the_file_that_was_named_and_no_further_one() {
    let test = record(&["--force", "-i", "tone", "x.wav"]).file("x.wav", "old").file("x-2.wav", "precious");
    let mut running = test.spawn();
    running.wait_for_stderr("recording tone");
    running.signal(Signal::USR1);
    running.wait_for_stdout("x.wav");
    running.signal(Signal::INT);
    let output = running.wait();
    output.assert_success().assert_stderr_contains("x-2.wav appeared meanwhile; it was not touched");
    assert_eq!(std::fs::read_to_string(output.path("x-2.wav")).unwrap(), "precious");
    assert_eq!(names(output.path("")).len(), 3);
    assert!(!samples(output.path("x.wav")).is_empty());
}

#[test]
fn the_key_n_and_usr1_go_on_in_a_new_file_in_a_terminal() {
    let test = record(&["-i", "tone", "x.wav"]);
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("REC");
    terminal.send("n");
    terminal.wait_for("saved x.wav");
    terminal.signal(Signal::USR1);
    terminal.wait_for("saved x-2.wav");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0, "{}", terminal.text());
    assert_eq!(names(test.path("")), ["x-2.wav", "x-3.wav", "x.wav"]);
    let joined: Vec<i16> = ["x.wav", "x-2.wav", "x-3.wav"].iter().flat_map(|name| samples(test.path(name))).collect();
    assert_is_tone(&test, &joined);
}

/// Fails unless these are the first samples of the generator.
fn assert_is_tone(test: &Test, recorded: &[i16]) {
    let words = ["record", "-q", "-i", "tone", "--fast", "-d", "30s", "--force", "alone.wav"];
    test.clone().again().args(words).run().assert_success();
    let alone = samples(test.path("alone.wav"));
    assert!(!recorded.is_empty() && alone.starts_with(recorded), "{} samples", recorded.len());
}

#[test]
fn a_wall_clock_that_is_set_loses_no_frame_between_aligned_files() {
    let test = record(&["-i", "tone", "--split", "2s", "--split-align", "-d", "9s", "pieces/"]);
    std::fs::create_dir(test.path("pieces")).unwrap();
    let clock = test.path("clock");
    std::fs::write(&clock, "+0").unwrap();
    let mut running = test
        .clone()
        .env("LD_PRELOAD", faketime())
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_NO_CACHE", "1")
        .env("DONT_FAKE_MONOTONIC", "1")
        .spawn();
    let wait_for_files = |running: &mut Running, count: usize| {
        running.wait_for("files", |running| {
            let lines = running.stdout_so_far().iter().filter(|&&byte| byte == b'\n').count();
            (lines >= count).then_some(())
        });
    };
    wait_for_files(&mut running, 1);
    std::fs::write(&clock, "+3600").unwrap();
    wait_for_files(&mut running, 2);
    std::fs::write(&clock, "-3600").unwrap();
    let output = running.wait();
    output.assert_success();
    let stdout = output.stdout();
    let joined: Vec<i16> = stdout.lines().flat_map(|path| samples(output.path(path))).collect();
    assert_eq!(joined.len(), 9 * 48_000, "{}", output.context());
    assert_is_tone(&test, &joined);
}

#[test]
fn a_recording_stops_below_its_size() {
    let output = record(&["-q", "-i", "noise", "--fast", "--max-size", "1MB", "x.wav"]).run();
    output.assert_success();
    let size = std::fs::metadata(output.path("x.wav")).unwrap().len();
    assert!((980_000..=1_000_000).contains(&size), "{size}");
}

#[test]
fn a_week_of_files_keeps_the_last_two_days() {
    // Of an hour each in the real world, of a minute here.
    let words = ["-q", "-i", "silence", "--fast", "-r", "1000", "-c", "1", "-f", "flac", "-d", "168m"];
    let test = record(&words).args(["--split", "1m", "--split-align", "--keep", "48m", "week/"]);
    std::fs::create_dir(test.path("week")).unwrap();
    let output = test.env("TZ", "Europe/Berlin").run();
    output.assert_success();
    let left = names(output.path("week"));
    assert!((48..=49).contains(&left.len()), "{} {left:?}", left.len());
    assert!(left.iter().all(|name| name.ends_with("-00.flac")), "{left:?}");
    // The first and the last are shorter.
    assert!((168..=169).contains(&output.stdout().lines().count()), "{}", output.context());
}

#[test]
fn what_is_deleted_is_told_with_its_place() {
    let words = ["-q", "-i", "silence", "--fast", "-r", "8000", "-d", "10m", "--split", "1m", "--keep", "3m", "--json"];
    let test = record(&words).arg("memos/");
    std::fs::create_dir(test.path("memos")).unwrap();
    let output = test.run();
    output.assert_success();
    let stdout = output.stdout();
    let deleted: Vec<&str> = stdout.lines().filter(|line| line.contains(r#""event":"deleted""#)).collect();
    assert!(!deleted.is_empty(), "{}", output.context());
    assert!(deleted.iter().all(|line| !line.contains(r#""frame":0,"#)), "{}", output.context());
}

#[test]
fn what_would_be_deleted_is_only_said() {
    let test = record(&["-q", "-i", "tone", "--fast", "-d", "10s", "--split", "1s", "memos/"]);
    std::fs::create_dir(test.path("memos")).unwrap();
    test.run().assert_success();
    let output = test.again().args(["record", "--keep", "3s", "--dry-run", "memos"]).run();
    output.assert_success();
    assert_eq!(output.stdout().lines().count(), 7, "{}", output.context());
    assert_eq!(names(output.path("memos")).len(), 10);
}

#[test]
fn a_second_copy_is_the_same_file() {
    let test = record(&["-q", "-i", "noise", "--fast", "-d", "20s", "--split", "7s", "--also", "there", "x.flac"]);
    std::fs::create_dir(test.path("there")).unwrap();
    let output = test.run();
    output.assert_success();
    assert_eq!(names(output.path("there")), ["x-1.flac", "x-2.flac", "x-3.flac"]);
    for name in names(output.path("there")) {
        let read = |path: &Path| std::fs::read(path).unwrap();
        assert!(read(&output.path(&name)) == read(&output.path("there").join(&name)), "{name}");
    }
}

/// Records the tone with a second copy on a disk, to which something happens after the first second, and stops then.
fn with_a_second_disk(happens: impl FnOnce(&FrozenDisk, &mut Running)) -> Output {
    let test = record(&["-i", "tone", "--also", "disk", "x.wav"]);
    let disk = FrozenDisk::mount(test.path("disk"));
    let mut running = test.spawn();
    running.wait_for_file("disk/.x.wav.part", 90_000);
    happens(&disk, &mut running);
    running.signal(Signal::INT);
    let output = running.wait();
    // Whatever happened there, the first has every frame.
    let first = samples(output.path("x.wav"));
    assert_is_tone(&test, &first);
    if output.status.code() == Some(0) {
        assert!(samples(output.path("disk/x.wav")) == first);
    }
    output
}

#[test]
fn a_second_disk_that_stands_still_for_eight_seconds_has_the_whole_copy_in_the_end() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let stall = |disk: &FrozenDisk, _: &mut Running| {
        disk.freeze();
        let since = std::time::Instant::now();
        crate::support::wait::poll(2 * STALL, || (since.elapsed() >= STALL).then_some(()));
        disk.thaw();
    };
    with_a_second_disk(stall).assert_success();
}

#[test]
fn a_second_disk_that_is_full_is_told_and_recover_completes_the_copy() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let fill = |_: &FrozenDisk, running: &mut Running| {
        let mut ballast = std::fs::File::create(running.path("disk/ballast")).unwrap();
        let chunk = vec![1; 1 << 20];
        while std::io::Write::write_all(&mut ballast, &chunk).is_ok() {}
        running.wait_for_stderr("the second copy has failed, the recording goes on: ");
    };
    let output = with_a_second_disk(fill);
    output.assert_exit(3).assert_stderr_contains("No space left on device");
    std::fs::create_dir(output.path("new")).unwrap();
    let recover = record(&[]).again().arg("recover").arg("--also").arg(output.path("new"));
    let recovered = recover.arg(output.path("x.wav")).run();
    recovered.assert_success().assert_stderr_contains("completed from its other copy");
    assert!(std::fs::read(output.path("new/x.wav")).unwrap() == std::fs::read(output.path("x.wav")).unwrap());
}

#[test]
fn a_second_copy_that_cannot_be_written_harms_nothing_and_is_told() {
    let test = record(&["-i", "noise", "--fast", "-d", "5s", "--also", "full", "x.wav"]);
    std::os::unix::fs::symlink("/proc", test.path("full")).unwrap();
    let output = test.run();
    output.assert_exit(3).assert_stderr_contains("the second copy");
    assert_eq!(layout(output.path("x.wav")), (48_000, 1, 240_000));
}

#[test]
fn only_speech_is_recorded_and_each_utterance_is_whole() {
    let test = Test::new();
    let speech = test.path("speech.wav");
    let silence = "trim 0 4.5 gain -6 pad 5 5";
    let convert = test.clone().args(["convert", "-q"]).arg(wav("two_cities.opus")).arg("all.wav").run();
    convert.assert_success();
    let made = test.clone().again().program("sox").args(["all.wav"]).arg(&speech).args(silence.split(' ')).run();
    made.assert_success();
    let words = ["record", "-i", "file:speech.wav", "--fast", "--vox", "--hang", "1s", "x.wav"];
    let output = test.again().args(words).run();
    output.assert_success().assert_stderr_contains("cut out");
    let (_, _, frames) = layout(output.path("x.wav"));
    let seconds = frames as f64 / 48_000.0;
    // What is spoken, half a second before and one after.
    assert!((4.5..7.0).contains(&seconds), "{seconds}");
}

#[test]
fn a_generator_that_never_opens_the_gate_comes_to_an_end() {
    for (words, said) in [
        (&["-i", "silence", "--vox", "-d", "5s"][..], "nobody spoke, or nothing was loud enough"),
        (&["-i", "tone", "--vox=level", "--threshold", "0", "--max-size", "1MB"], "nothing was loud enough"),
    ] {
        let output = record(words).args(["--fast", "x.wav"]).run();
        output.assert_exit(1).assert_stderr_contains("nothing was recorded").assert_stderr_contains(said);
        assert!(names(output.path("")).is_empty());
    }
    // What opens it has its length.
    let words = ["-i", "tone", "--fast", "--vox=level", "-d", "5s", "x.wav"];
    let output = record(&words).run();
    output.assert_success();
    assert_eq!(layout(output.path("x.wav")), (48_000, 1, 240_000));
}

#[test]
fn music_does_not_hold_a_meeting_open() {
    let test = Test::new();
    let convert = test.clone().args(["convert", "-q", "--from", "4.5", "--to", "6"]);
    convert.arg(wav("two_cities.opus")).arg("speech.wav").run().assert_success();
    let sox = |words: &str| {
        test.clone().again().program("sox").args(words.split_whitespace()).run().assert_success();
    };
    sox("-n -r 48000 -c 3 strings.wav synth 2 pluck C3 pluck E3 pluck G3");
    sox("strings.wav chord.wav remix - gain -6");
    sox("-n -r 48000 -c 1 note.wav synth 2 pluck G3 gain -6");
    sox("chord.wav note.wav bar.wav");
    sox("bar.wav music.wav repeat 29");
    sox("speech.wav -r 48000 -c 1 words.wav gain -n -3");
    sox("words.wav music.wav source.wav");
    let words = ["record", "-i", "file:source.wav", "--fast", "--stop-on-silence", "20s", "--json", "x.wav"];
    let output = test.again().args(words).run();
    output.assert_success();
    let seconds = f64::from(layout(output.path("x.wav")).2) / 48_000.0;
    println!("music ends a meeting {:.1} s after the last word, of 20 s", seconds - 1.5);
    assert!((20.0..60.0).contains(&seconds), "{seconds}");
    assert!(output.stdout().contains("\"event\":\"countdown\""), "{}", output.context());
}

#[test]
fn a_room_in_which_nobody_speaks_is_no_recording() {
    let test = record(&["-q", "-i", "noise", "--fast", "-d", "20s", "room.wav"]);
    test.run().assert_success();
    let words = ["record", "-i", "file:room.wav", "--fast", "--vox=level", "--threshold", "0", "x.wav"];
    let output = test.again().args(words).run();
    output.assert_exit(1).assert_stderr_contains("dictaphone levels");
    assert_eq!(names(output.path("")), ["room.wav"]);
}

#[test]
fn contradictions_and_thresholds_out_of_range_are_usage_errors() {
    for words in [
        &["--split-align"][..],
        &["--split", "1MB", "--split-align"],
        &["--split", "0"],
        &["--split", "10B"],
        &["--threshold", "-40"],
        &["--vox", "--threshold", "5"],
        &["--vox", "--threshold", "-200"],
        &["--hang", "1s"],
        &["--pre-roll", "1h"],
        &["--also", "missing"],
        &["--dry-run"],
        &["--keep", "0"],
        &["--vox=music"],
        &["--keep", "1h", "-f", "raw"],
    ] {
        let output = record(&["-i", "tone", "-d", "1"]).args(words.iter().copied()).arg("x.wav").run();
        output.assert_exit(2);
        let said = output.stderr();
        assert!(said.starts_with("error: ") && said.lines().count() <= 2, "{words:?}: {said}");
        assert!(names(output.path("")).is_empty());
    }
}

#[test]
fn systemd_is_told_that_it_records_and_that_frames_come() {
    let test = record(&["-i", "tone", "x.wav"]);
    let socket = UnixDatagram::bind(test.path("notify")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let path = test.path("notify");
    let mut running = test.env("NOTIFY_SOCKET", path).env("WATCHDOG_USEC", "300000").spawn();
    let next = || {
        let mut message = [0; 4096];
        let length = socket.recv(&mut message).unwrap();
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    assert!(next().starts_with("READY=1\nSTATUS=recording tone to "));
    assert_eq!(next(), "WATCHDOG=1");
    assert_eq!(next(), "WATCHDOG=1");
    running.signal(Signal::TERM);
    while !next().contains("STOPPING=1") {}
    running.wait().assert_success();
}

#[test]
fn a_cue_is_heard_and_not_in_the_recording_of_its_own_loudspeaker() {
    let server = PulseServer::start_with(Microphone { channels: 2, ..Microphone::default() });
    let mut witness = record(&["-q", "--json", "witness.wav"]).server(&server).spawn();
    witness.wait_for_stdout("\"event\":\"start\"");
    let output = record(&["--cue", "-d", "1s", "x.wav"]).server(&server).run();
    output.assert_success();
    assert!(!output.stderr().contains("cue") && !output.stderr().contains("silent"), "{}", output.context());
    witness.signal(Signal::INT);
    let witness = witness.wait();
    let loudest = |path| samples(path).into_iter().map(i16::unsigned_abs).max().unwrap();
    assert!(loudest(witness.path("witness.wav")) > 3_000, "{}", witness.context());
    assert_eq!(loudest(output.path("x.wav")), 0);
}

#[test]
fn levels_tell_a_floor_and_a_threshold() {
    let output = Test::new().args(["levels", "-i", "noise", "-d", "1s", "--json"]).run();
    output.assert_success();
    let facts: serde_json::Value = serde_json::from_str(&output.stdout()).unwrap();
    assert!(facts["floor_dbfs"].is_number() && facts["speech_dbfs"].is_null(), "{facts}");
}

#[test]
fn recover_completes_the_copy_that_has_less() {
    let test = record(&["-q", "-i", "noise", "--fast", "-d", "3s", "--also", "there", "x.wav"]);
    std::fs::create_dir(test.path("there")).unwrap();
    test.run().assert_success();
    let whole = std::fs::read(test.path("x.wav")).unwrap();
    // As after a crash of the second disk: a true prefix, which `recover` makes whole first.
    std::fs::write(test.path("there/.x.wav.part"), &whole[..100_000]).unwrap();
    std::fs::remove_file(test.path("there/x.wav")).unwrap();
    let output = test.again().args(["recover", "--also", "there", "."]).run();
    output.assert_success().assert_stderr_contains("completed from its other copy");
    assert!(std::fs::read(output.path("there/x.wav")).unwrap() == whole);
}

#[test]
fn recover_makes_no_folder_for_second_copies() {
    let mut test = record(&["-q", "-i", "tone", "--fast", "-d", "1s", "x.wav"]);
    test.run().assert_success();
    for also in ["--also=missing", "--also=~/missing"] {
        test = test.again().args(["recover", also, "."]);
        test.run().assert_exit(2).assert_stderr_contains("mount its disk");
        assert_eq!(names(test.path("")), ["x.wav"]);
    }
    let there = test.home().join("there");
    std::fs::create_dir(&there).unwrap();
    test = test.again().args(["recover", "--also=~/there", "."]);
    test.run().assert_success();
    assert_eq!(names(&there), ["x.wav"]);
    test = test.again().args(["record", "-q", "-i", "file:~/there/x.wav", "--fast", "y.wav"]);
    test.run().assert_success();
}
