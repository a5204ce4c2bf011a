//! What goes wrong while the screen is open.

use super::*;

#[test]
fn a_file_that_cannot_grow_ends_the_recording_and_is_kept() {
    let program = env!("CARGO_BIN_EXE_dictaphone");
    let script = format!("ulimit -f 200; exec {program} --device tone --dir takes");
    let test = Test::new().program("bash").args(["-c", &script]).env("LC_ALL", "C.UTF-8");
    let folder = test.path("takes");
    let mut terminal = Terminal::run(&test);
    record(&mut terminal, &folder);
    terminal.wait_for("the recording ended by itself at ");
    let saved = wait_for_names(&folder, |names| names.len() == 1 && names[0].ends_with(".wav"));
    let kept = frames(&folder.join(&saved[0]));
    assert!((50_000..=102_400).contains(&kept), "{kept} frames");
    terminal.send("q");
    assert_eq!(terminal.wait(), 3, "a take that ended early is not forgotten");
}

/// A bug on demand is in the program only where it is built for tests.
#[test]
#[cfg(debug_assertions)]
fn a_bug_in_the_screen_does_not_end_the_recording() {
    let test = screen().env("DICTAPHONE_TEST_BUG", "zzz");
    let folder = test.path("takes");
    let mut terminal = Terminal::run(&test);
    let part = record(&mut terminal, &folder);
    wait_for_growth(&part, 48_000);
    terminal.send("/zzz");
    terminal.wait_for("opened anew");
    terminal.wait_for("REC");
    assert!(terminal.look(vt100::Screen::alternate_screen));
    wait_for_growth(&part, 48_000);
    let whole = size(&part);
    terminal.send("s");
    terminal.wait_for("saved; name:");
    terminal.send("\r");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
    let saved = names(&folder);
    assert!(saved.len() == 1 && size(&folder.join(&saved[0])) >= whole, "{saved:?}");
    assert!(terminal.text().contains("a bug in thread `main`"), "{}", terminal.text());
}

#[test]
#[cfg(debug_assertions)]
fn a_screen_that_fails_again_and_again_leaves_the_recording_running() {
    let test = screen().env("DICTAPHONE_TEST_BUG", "recording");
    let folder = test.path("takes");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("READY");
    terminal.wait_for("tone");
    terminal.send("r");
    terminal.wait_for("the recording goes on");
    assert!(!terminal.look(vt100::Screen::alternate_screen), "the terminal is as it was");
    wait_for_growth(&wait_for_part(&folder), 48_000);
    terminal.signal(Signal::INT);
    assert_eq!(terminal.wait(), 0);
    let saved = self::names(&folder);
    assert!(saved.len() == 1 && frames(&folder.join(&saved[0])) >= 24_000, "{saved:?}");
    assert!(terminal.text().contains("saved "), "{}", terminal.text());
}
