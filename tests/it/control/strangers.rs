//! Hostile clients, recorders that die or hang, and folders that are not what they should be.

use std::io::{BufRead as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use rustix::process::Signal;

use super::{ask, connect, ctl, home, recording, socket};
use crate::support::harness::Test;
use crate::support::process::require;
use crate::support::wait;
use crate::takes::samples;

#[test]
fn garbage_floods_and_clients_that_vanish_disturb_nothing() {
    let home = home();
    let running = recording(&home, &["-d", "4"]);
    let mut flood = connect(&home, &running);
    // Somebody who never reads, one who says half a line and goes, one whose line has no end.
    let mut deaf = connect(&home, &running);
    deaf.get_mut().write_all(b"{\"do\":\"follow\"}\n").unwrap();
    connect(&home, &running).get_mut().write_all(b"{\"do\":\"sta").unwrap();
    let mut endless = connect(&home, &running);
    (0..100).for_each(|_| endless.get_mut().write_all(&[b'x'; 1 << 20]).unwrap());
    let deep = "[".repeat(4_000);
    for number in 0..10_000 {
        let lines =
            ["hello", "{}", "\u{1}\u{0}\u{2}", "{\"do\":\"fly\"}", "", "{\"do\":\"stop\",\"tail_s\":1e400}", &deep];
        let answer = ask(&mut flood, lines[number % lines.len()]);
        assert_eq!(answer["error"]["name"], "SyntaxError");
    }
    flood.get_mut().write_all(b"\xff\xfe\n").unwrap();
    let mut answer = String::new();
    flood.read_line(&mut answer).unwrap();
    assert!(answer.contains("SyntaxError"), "{answer}");
    assert_eq!(ask(&mut flood, "{\"do\":\"status\"}")["status"]["state"], "recording");
    let output = running.wait();
    output.assert_success();
    let (expected, recorded) = (tone(&home), samples(output.path("take.wav")));
    assert!(recorded == expected, "{} samples of {}", recorded.len(), expected.len());
}

/// Four seconds of the generator, recorded without anybody around.
fn tone(home: &Test) -> Vec<i16> {
    let words = ["record", "-q", "-i", "tone", "--fast", "-d", "4", "alone.wav"];
    let output = home.clone().again().args(words).run();
    output.assert_success();
    samples(output.path("alone.wav"))
}

#[test]
fn connections_that_nobody_uses_keep_nobody_from_stopping_a_recording() {
    let home = home();
    let running = recording(&home, &[]);
    let path = socket(&home, &running);
    let held: Vec<UnixStream> = (0..300)
        .map(|number| {
            let mut stream = UnixStream::connect(&path).unwrap();
            if number % 3 == 0 {
                // Whoever has been turned away meanwhile cannot ask any more.
                let _ = stream.write_all(b"{\"do\":\"follow\"}\n");
            }
            stream
        })
        .collect();
    let stopped = ctl(&home, &["stop"]);
    stopped.assert_success();
    assert!(stopped.stdout().ends_with("take.wav\n"), "{}", stopped.context());
    drop(held);
    running.wait().assert_success();
}

#[test]
fn a_recorder_that_dies_leaves_no_client_waiting() {
    let home = home();
    let mut running = recording(&home, &["--log", "log"]);
    running.wait_for_file(".take.wav.part", 10_000);
    let waiting = home.clone().again().args(["ctl", "stop", "--tail", "10m"]).spawn();
    wait::until("the request", String::new, || {
        std::fs::read_to_string(running.path("log"))
            .is_ok_and(|log| log.contains("Stop { tail_s: 600.0 }"))
            .then_some(())
    });
    running.kill();
    waiting.wait().assert_exit(1).assert_stdout("").assert_stderr_contains("the recorder gave no answer");
    ctl(&home, &["status"]).assert_exit(6);
    // What it had recorded is there.
    let recovered = home.clone().again().args(["recover", "."]).run();
    recovered.assert_success();
    assert!(!samples(recovered.path("take.wav")).is_empty());
}

#[test]
fn a_recorder_that_stands_still_is_not_called_none() {
    let home = home();
    let mut running = recording(&home, &[]);
    running.signal(Signal::STOP);
    ctl(&home, &["toggle", "--", "-i", "tone"]).assert_exit(1).assert_stderr_contains("gives no answer");
    running.signal(Signal::CONT);
    ctl(&home, &["stop"]).assert_success();
    running.wait().assert_success();
}

#[test]
fn whoever_stops_waits_for_a_disk_that_stands_still_and_the_next_recording_begins_after_it() {
    require(&["strace"]);
    let home = home();
    let words = ["record", "-i", "tone", "take.wav"];
    let slow = home.clone().again().args(words);
    let strace = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=1500000"];
    let mut running = slow.behind("strace", strace).spawn();
    running.wait_for_stderr("recording tone");
    let stop = home.clone().again().args(["ctl", "stop"]).spawn();
    wait::until("it is over and not safe", String::new, || {
        ctl(&home, &["status"]).stdout().starts_with("inactive").then_some(())
    });
    assert!(!running.path("take.wav").exists());
    let next = home.clone().again().args(["ctl", "toggle", "--", "-i", "tone"]).spawn();
    let stopped = stop.wait();
    stopped.assert_success();
    assert!(stopped.stdout().ends_with("take.wav\n") && stopped.path("take.wav").exists());
    next.wait().assert_success().assert_stdout("");
    running.wait().assert_success();
    ctl(&home, &["stop"]).assert_success();
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

/// The recording does not depend on control from outside, whatever its folder is; in the background nobody could stop it.
fn assert_no_control(home: &Test, before: &str, said: &str) {
    let program = env!("CARGO_BIN_EXE_dictaphone");
    let script = |words: &str| {
        let script = format!("{before}\n{program} {words}");
        let test = home.clone().again().program("unshare");
        test.args(["--map-root-user", "--mount", "sh", "-c", &script]).run()
    };
    require(&["unshare", "mount"]);
    script("ctl status").assert_exit(1).assert_stderr_contains(said);
    script("ctl start -- -i tone").assert_exit(1).assert_stderr_contains(said);
    let output = script("record -q -i tone -d 0.2 --force take.wav");
    output.assert_success().assert_stderr_contains("`dictaphone ctl` does not find this recorder");
}

#[test]
fn a_folder_that_is_full_read_only_or_of_others_is_told() {
    let home = home();
    let at = |words: &str| format!("mkdir -p \"$XDG_RUNTIME_DIR\" && {words}");
    assert_no_control(&home, &at("mount -t tmpfs -o nr_inodes=1 tmpfs \"$XDG_RUNTIME_DIR\""), "cannot make");
    assert_no_control(&home, &at("mount -t tmpfs -o ro tmpfs \"$XDG_RUNTIME_DIR\""), "cannot make");
    let theirs = "mount -t tmpfs tmpfs \"$XDG_RUNTIME_DIR\"; mkdir -m 755 \"$XDG_RUNTIME_DIR/dictaphone\"";
    assert_no_control(&home, &at(theirs), "not a folder of this user alone");
    let link = "mount -t tmpfs tmpfs \"$XDG_RUNTIME_DIR\"; ln -s /tmp \"$XDG_RUNTIME_DIR/dictaphone\"";
    assert_no_control(&home, &at(link), "not a folder of this user alone");
}

#[test]
fn a_folder_that_is_missing_or_too_deep_for_a_socket_has_another_in_its_place() {
    let home = home();
    let deep = home.path("deep".repeat(30));
    std::fs::create_dir(&deep).unwrap();
    for runtime in [home.path("missing"), deep, Path::new("relative").to_owned()] {
        let home = home.clone().env("XDG_RUNTIME_DIR", &runtime);
        ctl(&home, &["start", "--", "-i", "tone"]).assert_success();
        assert!(ctl(&home, &["status"]).stdout().starts_with("recording"));
        ctl(&home, &["stop"]).assert_success();
    }
}

#[test]
fn a_foreign_socket_is_no_recorder() {
    let home = home();
    ctl(&home, &["status"]).assert_exit(6);
    let listener = UnixListener::bind(home.sandbox().runtime().join("dictaphone/17.sock")).unwrap();
    let babble = std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let text: &[u8] = if number < 2 { b"{\"version\":1}\n" } else { b"220 mail ready\n" };
            // Whoever only looks has gone.
            let _ = stream.unwrap().write_all(text);
            if number == 3 {
                return;
            }
        }
    });
    ctl(&home, &["status"]).assert_exit(6);
    ctl(&home, &["status"]).assert_exit(6);
    babble.join().unwrap();
}
