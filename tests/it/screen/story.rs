//! A day with the screen, as a user spends it: each step is seen on the screen and in the folder.

use super::{hand::*, *};
use crate::support::{server::Server as _, wait};

#[test]
fn a_day_with_the_screen() {
    let (mut server, _player) = studio();
    let test = screen_in(&server).args(["--device", "mic"]);
    let folder = test.path("takes");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("READY");
    terminal.wait_for("48 kHz mono");

    // The microphone is pulled out while it records.
    begin(&mut terminal, &folder, "r", 96_000);
    server.remove_microphone("mic");
    terminal.wait_for("NO INPUT");
    let first = wait_for_names(&folder, |names| names.len() == 1 && names[0].ends_with(".wav"));
    terminal.wait_for("ended");
    assert!(!terminal.text().contains("name:"), "no name is asked for: {}", terminal.text());
    // Both follow what is drawn. Each title ends with a bell of its own.
    wait::until(
        "the title that says so, and one bell",
        || terminal.text(),
        || {
            let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
            let has_rung_once = raw.matches('\u{7}').count() == raw.matches("\u{1b}]0;").count() + 1;
            (has_rung_once && raw.contains("\u{1b}]0;! dictaphone: look here\u{7}")).then_some(())
        },
    );
    assert!(frames(&folder.join(&first[0])) >= 24_000);

    // It comes back by itself, and one key records.
    server.restore_microphone("mic");
    let _player = speak(&server);
    terminal.wait_for("48 kHz mono");
    let part = begin(&mut terminal, &folder, "r", 48_000);
    terminal.send("mbudget\r");
    terminal.wait_for("budget");
    wait_for_growth(&part, 192_000);
    terminal.send("s");
    terminal.wait_for("saved; name:");
    terminal.send("budget talk\r");
    terminal.wait_for("renamed to budget talk");
    let talk = folder.join("budget talk.wav");
    let whole = std::fs::read(&talk).unwrap();
    let length = frames(&talk);

    // It is found by two words, played, enlarged, and cut.
    terminal.send("/TALK budg");
    terminal.wait_for("1 of 2");
    terminal.send("\r ");
    terminal.wait_for("PLAY");
    terminal.send(" ");
    terminal.wait_for("HOLD");
    terminal.send("0z");
    terminal.wait_for("zoom");
    terminal.send("Z.");
    terminal.wait_for("budget");
    terminal.send("0");
    terminal.wait_for("HOLD  00:00:00.0");
    terminal.send("b");
    terminal.wait_for("A 00:00:00.0");
    terminal.send("5");
    terminal.wait_for_no("HOLD  00:00:00.0");
    terminal.send("b");
    terminal.wait_for("A-B 00:00:00.0");
    terminal.send("c");
    terminal.wait_for("is cut");
    assert!(frames(&talk).abs_diff(length - length / 2) <= 1, "{} of {length}", frames(&talk));
    terminal.send("u");
    terminal.wait_for("is back");
    assert!(std::fs::read(&talk).unwrap() == whole, "byte for byte");

    // What was said wrong is said again, and it is played on from there.
    terminal.wait_for("HOLD");
    begin(&mut terminal, &folder, "o", 48_000);
    terminal.send("s");
    terminal.wait_for("the recording is in budget talk");
    terminal.wait_for("HOLD");
    terminal.send(" ");
    terminal.wait_for("PLAY");

    // One take ended early, which the exit code says.
    terminal.send("q");
    assert_eq!(terminal.wait(), 3);
    assert_eq!(names(&folder).len(), 2, "{:?}", names(&folder));
}
