//! The control socket and `dictaphone ctl`: requests from outside, in which state they are made, and their results.
//! `strangers` are hostile clients, recorders that die or hang, and folders that are not what they should be.

mod strangers;

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::support::harness::{Running, Test};
use crate::support::output::Output;
use crate::support::terminal::Terminal;
use crate::support::wait;
use crate::takes::{layout, names};

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
        (0..100).map(|_| home.clone().again().args(["ctl", "toggle", "--", "-i", "tone"]).spawn()).collect();
    let outputs: Vec<Output> = calls.into_iter().map(Running::wait).collect();
    let paths = outputs.iter().filter(|output| !output.assert_success().stdout().is_empty()).count();
    // Every other one has stopped what the one before has started.
    assert_eq!((paths, clips(&home).len()), (50, 50));
    ctl(&home, &["status"]).assert_exit(6);
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
fn several_recorders_are_told_apart_by_their_id() {
    let home = home();
    let running = recording(&home, &[]);
    let mut other = home.clone().again().args(["record", "-i", "tone", "--json", "other.wav"]).spawn();
    other.wait_for_stdout("\"event\":\"start\"");
    ctl(&home, &["stop"]).assert_exit(2).assert_stderr_contains("--id");
    let offered = home.clone().again().env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", "4").env("_CLAP_IFS", "\n");
    let offered = offered.args(["--", "dictaphone", "ctl", "stop", "--id", ""]).run();
    offered.assert_stdout_contains(&running.id().to_string()).assert_stdout_contains(&other.id().to_string());
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

#[test]
fn keep_cancels_an_end_that_was_announced() {
    let home = home();
    let speech = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/speech/two_cities.opus");
    let words = ["convert", "-q", "--from", "4.5", "--to", "6", speech, "speech.wav"];
    home.clone().again().args(words).run().assert_success();
    let pad = ["speech.wav", "source.wav", "pad", "0", "60"];
    home.clone().again().program("sox").args(pad).run().assert_success();
    let words = ["record", "-i", "file:source.wav", "--stop-on-silence", "4s", "--json", "take.wav"];
    let mut running = home.clone().again().args(words).spawn();
    // Half of so short a time before the end.
    running.wait_for_stdout("\"event\":\"countdown\"");
    ctl(&home, &["keep"]).assert_success();
    running.wait_for_stdout("\"left_s\":null");
    assert!(ctl(&home, &["status"]).stdout().starts_with("recording"));
    // Nobody keeps it a second time.
    let output = running.wait();
    output.assert_success();
    let seconds = f64::from(layout(output.path("take.wav")).2) / 48_000.0;
    assert!((6.0..11.0).contains(&seconds), "{seconds}");
}

/// What `ctl` is asked, and how it ends in some state: its exit code and the name of the error.
type Ending = (&'static [&'static str], i32, &'static str);

const WRONG: &str = "InvalidStateError";

fn assert_endings(home: &Test, state: &str, endings: &[Ending]) {
    for &(words, code, error) in endings {
        let output = ctl(home, words);
        output.assert_exit(code).assert_stderr_contains(error);
        let status = ctl(home, &["status"]).stdout();
        assert!(status.starts_with(state), "{words:?} changed the state: {status}");
    }
}

#[test]
fn each_action_in_each_state_does_it_or_names_the_error_of_the_standard() {
    let home = home();
    let running = recording(&home, &[]);
    assert_endings(&home, "recording", &[(&["start"], 1, WRONG), (&["resume"], 0, ""), (&["keep"], 0, "")]);
    ctl(&home, &["pause"]).assert_success();
    assert_endings(
        &home,
        "paused",
        &[(&["start"], 1, WRONG), (&["pause"], 0, ""), (&["keep"], 0, ""), (&["mark", "here"], 0, "")],
    );
    ctl(&home, &["stop"]).assert_success();
    running.wait().assert_success();
    // Only the screen can be there without recording.
    let screen = home.clone().again().args(["--device", "tone"]).env("LC_ALL", "C.UTF-8");
    let mut terminal = Terminal::run(&screen);
    terminal.wait_for("READY");
    const REFUSED: [&[&str]; 6] = [&["pause"], &["resume"], &["stop"], &["keep"], &["mark"], &["next"]];
    assert_endings(&home, "inactive", &REFUSED.map(|words| (words, 1, WRONG)));
    ctl(&home, &["start"]).assert_success();
    terminal.wait_for("REC");
    let status = || ctl(&home, &["status"]).stdout();
    wait::until("it is said how loud it is", status, || status().contains("peak").then_some(()));
    let stopped = ctl(&home, &["stop"]);
    stopped.assert_success();
    assert!(layout(stopped.stdout().trim()).2 > 0);
    assert!(!status().contains("peak"), "nobody hears how loud it was");
    ctl(&home, &["quit"]).assert_success();
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn a_recording_that_is_done_before_it_can_be_asked_was_started() {
    let home = home();
    for number in 0..5 {
        let file = home.path(format!("{number}.wav"));
        let words = ["start", "--", "-i", "tone", "--fast", "-d", "1ms", file.to_str().unwrap()];
        ctl(&home, &words).assert_success();
        wait::until("the file", String::new, || file.exists().then_some(()));
    }
}

#[test]
fn the_path_that_is_printed_is_that_of_the_file_that_was_ended() {
    let home = home();
    let running = recording(&home, &[]);
    let file = |words: &[&str]| {
        let output = ctl(&home, words);
        output.assert_success();
        PathBuf::from(output.stdout().trim()).file_name().unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!(file(&["next"]), "take.wav");
    let path = |status: &Value| status["path"].as_str().map(str::to_owned);
    let status = || serde_json::from_slice(&ctl(&home, &["status", "--json"]).stdout).unwrap();
    assert!(path(&status()).unwrap().ends_with("/take-2.wav"), "{}", status());
    ctl(&home, &["pause"]).assert_success();
    // Nothing comes while it is paused, and the file is safe all the same.
    assert_eq!(file(&["next"]), "take-2.wav");
    ctl(&home, &["next"]).assert_exit(1).assert_stderr_contains("nothing is in this one");
    ctl(&home, &["resume"]).assert_success();
    let both: Value = serde_json::from_slice(&ctl(&home, &["next", "--json"]).stdout).unwrap();
    let (ended, begun) = (path(&both["saved"]).unwrap(), path(&both["status"]).unwrap());
    assert!(ended.ends_with("/take-3.wav") && begun.ends_with("/take-4.wav"), "{both}");
    assert_eq!(file(&["stop"]), "take-4.wav");
    let output = running.wait();
    output.assert_success();
    assert_eq!(names(output.path("")), ["take-2.wav", "take-3.wav", "take-4.wav", "take.wav"]);
}

#[test]
fn a_stop_with_a_tail_records_it() {
    let home = home();
    let mut running = recording(&home, &[]);
    let mut stream = connect(&home, &running);
    let before = ask(&mut stream, "{\"do\":\"status\"}")["status"]["duration_s"].as_f64().unwrap();
    ctl(&home, &["stop", "--tail", "300ms"]).assert_success();
    running.wait_for_stdout("\"event\":\"stop\"");
    let output = running.wait();
    let seconds = f64::from(layout(output.path("take.wav")).2) / 48_000.0;
    assert!(seconds >= before + 0.3, "{seconds} after {before}");
    // One that ends by itself meanwhile is told as what it is.
    let running = recording(&home, &["-d", "0.5", "--force"]);
    let stopped = ctl(&home, &["stop", "--tail", "60s"]);
    stopped.assert_success();
    assert!(stopped.stdout().ends_with("take.wav\n"), "{}", stopped.context());
    running.wait().assert_success();
    ctl(&home, &["stop", "--tail", "2h"]).assert_exit(2).assert_stderr_contains("an hour");
}

#[test]
fn what_a_stream_cannot_do_is_refused_at_once() {
    let home = home();
    let words = ["record", "-i", "tone", "-f", "raw", "-"];
    let mut running = home.clone().again().args(words).spawn();
    running.wait_for_stderr("recording tone");
    ctl(&home, &["next"]).assert_exit(1).assert_stderr_contains("NotSupportedError");
    running.wait_for_stderr("a stream cannot go on in a new file");
    let stopped = ctl(&home, &["stop"]);
    stopped.assert_success().assert_stdout("");
    running.wait().assert_success();
}

#[test]
fn a_recorder_that_waits_for_its_device_can_be_left() {
    let home = home();
    let mut running = home.clone().again().args(["record", "--wait-device", "1h", "take.wav"]).spawn();
    running.wait_for_stderr("waiting for the device");
    ctl(&home, &["stop"]).assert_exit(1).assert_stderr_contains("InvalidStateError");
    ctl(&home, &["quit"]).assert_success();
    running.wait().assert_stderr_contains("nothing was recorded");
}
