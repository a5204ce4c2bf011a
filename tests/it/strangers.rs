//! Paths that are not ordinary files: pipes, devices, sockets and links of other users are refused at once, and nothing
//! is done to them. And names that are not valid text, which a script can still use.

use std::os::unix::{ffi::OsStrExt, fs::MetadataExt};

use crate::support::harness::Test;
use crate::takes::{in_shell, names, record};

/// In a folder with a pipe, a socket that was left behind, and a clip.
fn beside_a_pipe(words: &str) -> Test {
    let program = env!("CARGO_BIN_EXE_dictaphone");
    let made = format!(
        "mkfifo pipe.wav; python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('socket.wav')\"; \
         {program} record -q -i tone --fast -d 1 clip.wav >/dev/null"
    );
    in_shell(&made, words)
}

#[test]
fn pipes_devices_and_sockets_are_refused_at_once() {
    for place in ["pipe.wav", "socket.wav", "/dev/zero"] {
        for (words, code) in [
            (format!("record -i tone --fast -d 1 {place}"), 2),
            (format!("record -i tone --fast -d 1 -f wav --force {place}"), 2),
            (format!("record -i file:{place} --fast out.wav"), 1),
            (format!("info {place}"), 1),
            (format!("play {place}"), 1),
            (format!("delete {place}"), 1),
            (format!("rename {place} other"), 1),
            (format!("convert {place} out.wav"), 1),
            (format!("convert clip.wav -f wav --force {place}"), 2),
            (format!("recover {place}"), 1),
            (format!("list --log {place}"), 2),
            (format!("list --config {place}"), 2),
        ] {
            // Whoever waits for the other end of a pipe never comes back.
            let output = beside_a_pipe(&words).behind("timeout", ["60"]).run();
            let said = output.stderr();
            output.assert_exit(code);
            assert!(said.starts_with("error: ") && said.contains(place), "{words}: {said}");
            assert!(!said.contains("os error") && !said.contains("dictaphone recover"), "{words}: {said}");
            assert_eq!(names(output.path("")), ["clip.wav", "pipe.wav", "socket.wav"], "{words}");
        }
    }
}

#[test]
fn a_log_is_never_written_behind_sound() {
    let test = record(&["-q", "-i", "tone", "--fast", "-d", "1", "a.wav"]);
    test.run().assert_success();
    let sound = std::fs::read(test.path("a.wav")).unwrap();
    std::fs::copy(test.path("a.wav"), test.path("notes.txt")).unwrap();
    for place in ["a.wav", "notes.txt", "new.flac", ".a.wav.part"] {
        let output = test.clone().again().args(["list", "--log", place]).run();
        output
            .assert_exit(2)
            .assert_stderr_contains(place)
            .assert_stderr_contains("hint: `--log` takes a file of text");
    }
    assert!(["a.wav", "notes.txt"].iter().all(|name| std::fs::read(test.path(name)).unwrap() == sound));
    assert_eq!(names(test.path("")), ["a.wav", "notes.txt"]);
}

#[test]
fn force_follows_no_link_of_another_user_and_keeps_no_setuid_bit() {
    if !rustix::process::geteuid().is_root() {
        // Only the superuser can make a link of somebody else.
        return;
    }
    for words in ["record -i tone --fast -d 1 --force link.wav", "convert clip.wav link.wav --force"] {
        let program = env!("CARGO_BIN_EXE_dictaphone");
        let made = format!(
            "{program} record -q -i tone --fast -d 1 clip.wav >/dev/null; \
             mkdir private; echo precious >private/old.wav; ln -s private/old.wav link.wav; chown -h 12345 link.wav"
        );
        let output = in_shell(&made, words).run();
        output.assert_exit(2).assert_stderr_contains("link.wav is a link that belongs to another user");
        assert_eq!(std::fs::read(output.path("private/old.wav")).unwrap(), b"precious\n");
        assert!(output.path("link.wav").is_symlink());
    }
    for words in ["record -q -i tone --fast -d 1 --force old.wav", "convert -q in.wav old.wav --force"] {
        let program = env!("CARGO_BIN_EXE_dictaphone");
        let made =
            format!("{program} record -q -i tone --fast -d 1 in.wav >/dev/null; touch old.wav; chmod 6755 old.wav");
        let output = in_shell(&made, words).run();
        output.assert_success();
        assert_eq!(std::fs::metadata(output.path("old.wav")).unwrap().mode() & 0o7777, 0o755);
    }
}

#[test]
fn a_name_that_is_no_text_has_its_bytes_in_the_answer() {
    let name = std::ffi::OsStr::from_bytes(b"a\xff.wav");
    let test = Test::new().args(["record", "-q", "--json", "-i", "tone", "--fast", "-d", "1"]).arg(name);
    let bytes = "\"path_bytes\":\"Yf8ud2F2\"";
    let recorded = test.run();
    recorded.assert_success();
    assert_eq!(recorded.stdout().matches(bytes).count(), 2, "{}", recorded.stdout());
    for (command, more) in [("info", None), ("recover", Some("-n")), ("convert", Some("out.wav"))] {
        let mut words = test.clone().again().args([command, "--json"]).arg(name);
        words = match more {
            Some(more) => words.arg(more),
            None => words,
        };
        let output = words.run();
        output.assert_success();
        // The new clip of `convert` has a name of text.
        assert_eq!(output.stdout().contains(bytes), command != "convert", "{}", output.stdout());
    }
    let output = test.clone().again().args(["list", "--json", "--dir", "."]).run();
    assert!(output.stdout().contains("\"path_bytes\":\"Li9h/y53YXY=\""), "{}", output.stdout());
    let output = test.clone().again().args(["delete", "--permanent", "--json"]).arg(name).run();
    assert!(output.stdout().contains(bytes), "{}", output.stdout());
}

#[test]
fn recover_says_when_access_is_denied() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    // As somebody else, in a folder that is not theirs.
    let script = format!(
        "chmod 755 .; cp /dev/null .a.wav.part; chmod 600 .a.wav.part; \
         exec setpriv --reuid=12345 --regid=12345 --clear-groups {} recover --config /dev/null .",
        env!("CARGO_BIN_EXE_dictaphone")
    );
    let output = Test::new().program("bash").args(["-c", &script]).run();
    output.assert_exit(5).assert_stderr_contains("error: cannot recover ./.a.wav.part: ");
}
