//! `dictaphone play`: on a loudspeaker of a private sound server, without one, and with keys.

use crate::support::harness::Test;
use crate::support::pulse::PulseServer;
use crate::support::terminal::{Terminal, keys};
use crate::takes::record;

/// A call in a folder that holds a clip of the tone of that length.
fn with_clip(seconds: &str) -> Test {
    let test = record(&["-q", "-i", "tone", "--fast", "-d", seconds, "take.wav"]);
    test.run().assert_success();
    test.again()
}

/// With a cookie, whatever it says, the loudspeaker is looked for on the sound server itself and not behind ALSA.
fn with_cookie(test: Test) -> Test {
    let cookie = test.home().join(".config/pulse/cookie");
    test.file(cookie, [0; 256])
}

#[test]
fn a_clip_is_played_to_its_end() {
    let server = PulseServer::start();
    for words in [&["take.wav"][..], &["--start", "0.5", "--speed", "2", "take.wav"]] {
        for test in [with_clip("1"), with_cookie(with_clip("1"))] {
            let output = test.arg("play").args(words.iter().copied()).server(&server).run();
            output.assert_success().assert_stdout("").assert_stderr("playing take.wav (00:00:01.0)\n");
        }
    }
}

#[test]
fn without_a_loudspeaker_nothing_is_said_to_be_played() {
    let hint = "hint: `dictaphone devices --all` lists the outputs too\n";
    let output = with_clip("1").args(["play", "take.wav"]).run();
    output.assert_exit(4).assert_stdout("");
    output.assert_stderr(&format!("error: there is no loudspeaker or other output device\n{hint}"));
    let server = PulseServer::start();
    let output = with_clip("1").args(["play", "-d", "nope", "take.wav"]).server(&server).run();
    output.assert_exit(4).assert_stderr(&format!("error: there is no output device 'nope'\n{hint}"));
}

#[test]
fn keys_pause_seek_and_stop() {
    let server = PulseServer::start();
    let mut terminal = Terminal::run(&with_cookie(with_clip("100")).args(["play", "take.wav"]).server(&server));
    terminal.wait_for("PLAY 00:00:01");
    terminal.send(" ");
    terminal.wait_for("PAUSE 00:00:0");
    terminal.send("\x1b[1;2C");
    terminal.wait_for("PAUSE 00:00:3");
    terminal.send(keys::LEFT);
    terminal.wait_for("PAUSE 00:00:2");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0, "{}", terminal.text());
    assert_eq!(terminal.text().trim(), "");
}
