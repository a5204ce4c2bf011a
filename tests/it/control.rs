//! The control socket and `dictaphone ctl`: from outside, on real sound servers, with clients that mean no good.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::support::harness::{Running, Test};
use crate::support::output::Output;
use crate::support::wait;

/// A home in which recorders run, with the generator as its microphone.
fn home() -> Test {
    let test = Test::new();
    let folder = test.home().join("clips");
    std::fs::create_dir(&folder).unwrap();
    test.env("DICTAPHONE_DIR", folder)
}

fn ctl(home: &Test, words: &[&str]) -> Output {
    home.clone().again().arg("ctl").args(words.iter().copied()).run()
}

/// A recorder in the foreground that records the tone.
fn recording(home: &Test, words: &[&str]) -> Running {
    let mut running = home
        .clone()
        .again()
        .args(["record", "-i", "tone", "--json"])
        .args(words.iter().copied())
        .arg("take.wav")
        .spawn();
    running.wait_for_stdout("\"event\":\"start\"");
    running
}

fn socket(home: &Test, running: &Running) -> PathBuf {
    home.sandbox().runtime().join(format!("dictaphone/{}.sock", running.id()))
}

/// Says something on the socket and reads one answer.
fn ask(stream: &mut BufReader<UnixStream>, line: &str) -> Value {
    stream.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_line(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap()
}

fn connect(home: &Test, running: &Running) -> BufReader<UnixStream> {
    let stream = UnixStream::connect(socket(home, running)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    BufReader::new(stream)
}

fn clips(home: &Test) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(home.home().join("clips")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "wav")).collect()
}

#[test]
fn without_a_recorder_every_action_but_start_ends_with_6() {
    let home = home();
    for action in ["pause", "resume", "stop", "keep", "mark", "next", "status", "follow", "quit"] {
        let output = ctl(&home, &[action]);
        output.assert_exit(6).assert_stdout("").assert_stderr_contains("error: no recorder is running");
    }
    ctl(&home, &["--id", "../x", "status"]).assert_exit(2);
    ctl(&home, &["--id", "4711", "status"]).assert_exit(6);
    let bar = ctl(&home, &["status", "--format", "waybar"]);
    bar.assert_exit(6);
    let line: Value = serde_json::from_slice(&bar.stdout).unwrap();
    assert_eq!((&line["class"], &line["text"]), (&"inactive".into(), &"".into()));
}

#[test]
fn a_recorder_is_paused_marked_and_stopped_from_outside() {
    let home = home();
    let mut running = recording(&home, &[]);
    let status: Value = wait::until("the tone is heard", String::new, || {
        let status: Value = serde_json::from_slice(&ctl(&home, &["status", "--json"]).stdout).unwrap();
        let is_heard = status["duration_s"].as_f64()? > 0.2 && status["peak_dbfs"].as_f64()? > -7.0;
        is_heard.then_some(status)
    });
    assert_eq!((&status["state"], &status["pid"]), (&"recording".into(), &running.id().into()));
    assert!(status["path"].as_str().unwrap().ends_with("take.wav"), "{status}");

    ctl(&home, &["pause"]).assert_success();
    ctl(&home, &["pause"]).assert_success();
    running.wait_for_stdout("\"event\":\"pause\"");
    assert!(String::from_utf8(ctl(&home, &["status"]).stdout).unwrap().starts_with("paused 00:00:0"));
    ctl(&home, &["start"]).assert_exit(1).assert_stderr_contains("InvalidStateError");
    ctl(&home, &["resume"]).assert_success();
    ctl(&home, &["mark", "the", "budget"]).assert_success();
    running.wait_for_stdout("\"text\":\"the budget\"");
    let stopped = ctl(&home, &["stop", "--tail", "100ms"]);
    stopped.assert_success();
    assert!(stopped.stdout().ends_with("take.wav\n"), "{}", stopped.context());
    running.wait().assert_success();
    ctl(&home, &["status"]).assert_exit(6);
}

#[test]
fn two_calls_of_toggle_make_a_file_in_the_background() {
    let home = home();
    let words = ["toggle", "--", "-i", "tone"];
    ctl(&home, &words).assert_success().assert_stdout("");
    assert!(ctl(&home, &["status"]).stdout().starts_with("recording"));
    let stopped = ctl(&home, &words);
    stopped.assert_success();
    let path = PathBuf::from(stopped.stdout().trim());
    assert!(hound::WavReader::open(&path).unwrap().duration() > 0, "{}", stopped.context());
    assert_eq!(clips(&home).len(), 1);
}

#[test]
fn what_keeps_a_recorder_from_starting_is_said_with_its_code() {
    let home = home();
    ctl(&home, &["start"]).assert_exit(4).assert_stderr_contains("error: ");
    ctl(&home, &["start", "--", "-i", "tone:0"]).assert_exit(2).assert_stderr_contains("not a frequency");
    ctl(&home, &["start", "--", "--nope"]).assert_exit(2).assert_stderr_contains("--nope");
    ctl(&home, &["status"]).assert_exit(6);
}

#[test]
fn racing_toggles_alternate() {
    let home = home();
    let calls: Vec<Running> =
        (0..20).map(|_| home.clone().again().args(["ctl", "toggle", "--", "-i", "tone"]).spawn()).collect();
    let outputs: Vec<Output> = calls.into_iter().map(Running::wait).collect();
    let paths = outputs.iter().filter(|output| !output.assert_success().stdout().is_empty()).count();
    // Every other one has stopped what the one before has started.
    assert_eq!((paths, clips(&home).len()), (10, 10));
    ctl(&home, &["status"]).assert_exit(6);
}

#[test]
fn garbage_floods_and_clients_that_vanish_disturb_nothing() {
    let home = home();
    let running = recording(&home, &["-d", "4"]);
    let mut flood = connect(&home, &running);
    // Somebody who never reads, one who says half a line and goes, one whose line has no end.
    let mut deaf = connect(&home, &running);
    deaf.get_mut().write_all(b"{\"do\":\"follow\"}\n").unwrap();
    connect(&home, &running).get_mut().write_all(b"{\"do\":\"sta").unwrap();
    connect(&home, &running).get_mut().write_all(&[b'x'; 100_000]).unwrap();
    for number in 0..10_000 {
        let answer = ask(&mut flood, ["hello", "{}", "\u{1}\u{2}", "{\"do\":\"fly\"}"][number % 4]);
        assert_eq!(answer["error"]["name"], "SyntaxError");
    }
    assert_eq!(ask(&mut flood, "{\"do\":\"status\"}")["status"]["state"], "recording");
    let output = running.wait();
    output.assert_success();
    let expected: Vec<i16> = tone(&home);
    let recorded: Vec<i16> =
        hound::WavReader::open(output.path("take.wav")).unwrap().samples().map(Result::unwrap).collect();
    assert!(recorded == expected, "{} samples of {}", recorded.len(), expected.len());
}

/// Four seconds of the generator, recorded without anybody around.
fn tone(home: &Test) -> Vec<i16> {
    let words = ["record", "-q", "-i", "tone", "--fast", "-d", "4", "alone.wav"];
    let output = home.clone().again().args(words).run();
    output.assert_success();
    hound::WavReader::open(output.path("alone.wav")).unwrap().samples().map(Result::unwrap).collect()
}

#[test]
fn a_follower_is_told_every_change() {
    let home = home();
    let mut follow = home.clone().again().args(["ctl", "follow", "--format", "waybar"]).hold_stdout().spawn();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut until = |class: &str| {
        let line = lines.find(|line| line.contains(&format!("\"class\":\"{class}\"")));
        assert!(line.is_some(), "{class} is never told");
    };
    until("inactive");
    ctl(&home, &["start", "--", "-i", "tone"]).assert_success();
    until("recording");
    ctl(&home, &["pause"]).assert_success();
    until("paused");
    ctl(&home, &["stop"]).assert_success();
    until("inactive");
    follow.kill();
}

#[test]
fn a_dead_socket_is_cleaned_and_a_folder_of_others_is_refused() {
    let home = home();
    let folder = home.sandbox().runtime().join("dictaphone");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    drop(UnixListener::bind(folder.join("17.sock")).unwrap());
    ctl(&home, &["status"]).assert_exit(6);
    assert!(!folder.join("17.sock").exists());

    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    ctl(&home, &["status"]).assert_exit(1).assert_stderr_contains("not a folder of this user alone");
    // The recording does not depend on it.
    let words = ["record", "-q", "-i", "tone", "-d", "0.2", "take.wav"];
    home.clone().again().args(words).run().assert_success();
}

#[test]
fn several_recorders_are_told_apart_by_their_id() {
    let home = home();
    let running = recording(&home, &[]);
    let mut other = home.clone().again().args(["record", "-i", "tone", "--json", "other.wav"]).spawn();
    other.wait_for_stdout("\"event\":\"start\"");
    ctl(&home, &["stop"]).assert_exit(2).assert_stderr_contains("--id");
    ctl(&home, &["stop", "--id", &running.id().to_string()]).assert_success();
    running.wait().assert_success();
    ctl(&home, &["stop"]).assert_success();
    other.wait().assert_success();
}

#[test]
fn the_page_about_the_protocol_is_true() {
    let page = include_str!("../../docs/CONTROL.md");
    let said = page.lines().filter_map(|line| line.trim().strip_prefix("→ "));
    let home = home();
    let running = recording(&home, &[]);
    let mut stream = connect(&home, &running);
    let mut requests = 0;
    for line in said {
        let answer = ask(&mut stream, line);
        assert_eq!(answer["version"], 1, "{line}: {answer}");
        assert_eq!(answer["ok"], !line.contains("start"), "{line}: {answer}");
        requests += 1;
    }
    assert_eq!(requests, 4);
    running.wait().assert_success();
    // Every field of a status that there is stands on the page.
    for field in ["id", "pid", "state", "path", "duration_s", "peak_dbfs", "lost_frames", "disk_left_s", "device"] {
        assert!(page.contains(&format!("\"{field}\"")), "{field}");
    }
}
