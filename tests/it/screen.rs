//! The screen, driven by keys in a pseudo-terminal; after each step the files are checked.

mod dictation;
mod faults;
mod folder;
#[cfg(target_os = "linux")]
mod hand;
#[cfg(target_os = "linux")]
mod mischief;
#[cfg(target_os = "linux")]
mod plain;
#[cfg(target_os = "linux")]
mod story;

use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::support::harness::Test;
use crate::support::terminal::{Terminal, keys};
use crate::support::wait;

const CTRL_U: &str = "\x15";

/// The screen on the folder `takes`, with a test tone as its microphone.
fn screen() -> Test {
    Test::new().args(["--device", "tone", "--dir", "takes"]).env("LC_ALL", "C.UTF-8")
}

/// The names in the folder, sorted; unfinished recordings begin with a dot.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

#[track_caller]
fn wait_for_names(folder: &Path, fits: impl Fn(&[String]) -> bool) -> Vec<String> {
    let found = wait::poll(wait::DEADLINE, || Some(names(folder)).filter(|names| fits(names)));
    found.unwrap_or_else(|| panic!("the folder holds {:?}", names(folder)))
}

/// Frames of a finished WAV file, which must be whole.
fn frames(path: &Path) -> u32 {
    hound::WavReader::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).duration()
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Lets the recorder write so much more, however slow the machine is.
#[track_caller]
fn wait_for_growth(part: &Path, bytes: u64) {
    let before = size(part);
    let grown = wait::poll(wait::DEADLINE, || (size(part) >= before + bytes).then_some(()));
    assert!(grown.is_some(), "{} stays at {before} bytes", part.display());
}

/// The unfinished file, once there is one.
#[track_caller]
fn wait_for_part(folder: &Path) -> PathBuf {
    let is_part = |name: &String| name.ends_with(".part");
    let names = wait_for_names(folder, |names| names.iter().any(is_part));
    folder.join(names.iter().find(|name| is_part(name)).unwrap())
}

/// Begins with that key, lets it record so many bytes, and returns the unfinished file.
#[track_caller]
fn begin(terminal: &mut Terminal, folder: &Path, key: &str, bytes: u64) -> PathBuf {
    terminal.send(key);
    terminal.wait_for("REC");
    let part = wait_for_part(folder);
    wait_for_growth(&part, bytes);
    part
}

/// Starts recording and returns the unfinished file.
#[track_caller]
fn record(terminal: &mut Terminal, folder: &Path) -> PathBuf {
    terminal.wait_for("READY");
    terminal.wait_for("tone");
    assert!(terminal.look(vt100::Screen::alternate_screen), "the screen is its own");
    begin(terminal, folder, "r", 0)
}

#[test]
fn a_take_is_recorded_paused_resumed_stopped_named_and_renamed() {
    let test = screen();
    let folder = test.path("takes");
    let mut terminal = Terminal::run(&test);
    let part = record(&mut terminal, &folder);
    wait_for_growth(&part, 48_000);

    terminal.send(" ");
    terminal.wait_for("PAUSE");
    let paused = terminal.text().lines().nth(1).map(str::to_owned);
    terminal.send("v");
    terminal.send("m");
    terminal.wait_for("marker 1");
    assert_eq!(
        paused.and_then(|line| line.split_whitespace().find(|word| word.contains(':')).map(str::to_owned)),
        terminal
            .text()
            .lines()
            .nth(1)
            .and_then(|line| line.split_whitespace().find(|word| word.contains(':')).map(str::to_owned)),
        "no time is recorded while paused"
    );
    terminal.send(" ");
    terminal.wait_for("REC");
    wait_for_growth(&part, 48_000);

    terminal.send("s");
    terminal.wait_for("saved; name:");
    // Safe under its default name before anybody has typed one.
    let saved = wait_for_names(&folder, |names| names.len() == 1 && names[0].ends_with(".wav"));
    let recorded = frames(&folder.join(&saved[0]));
    assert!(recorded >= 48_000, "{recorded} frames");

    terminal.send(CTRL_U);
    terminal.send("Über q/uit");
    terminal.send(keys::ENTER);
    terminal.wait_for("name");
    terminal.wait_for_no("Enter renames");
    assert_eq!(names(&folder), saved, "a name that is none changes nothing");

    terminal.send("n");
    terminal.wait_for("new name:");
    terminal.send(CTRL_U);
    terminal.send("Über q\r");
    terminal.wait_for("renamed to Über q");
    assert_eq!(names(&folder), ["Über q.wav"]);
    assert_eq!(frames(&folder.join("Über q.wav")), recorded);

    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
    assert!(!terminal.look(|screen| screen.alternate_screen()));
}

#[test]
fn what_appears_in_the_folder_is_shown_and_nothing_is_renamed_onto_it() {
    let test = screen();
    let folder = test.path("takes");
    let mut terminal = Terminal::run(&test);
    let part = record(&mut terminal, &folder);
    wait_for_growth(&part, 10_000);
    terminal.send("\r");
    terminal.wait_for("saved; name:");
    terminal.send(keys::ESCAPE);
    terminal.wait_for_no("saved; name:");
    let saved = names(&folder);
    std::fs::write(folder.join("broken.wav"), b"RIFF").unwrap();
    terminal.wait_for("broken");
    terminal.wait_for("unreadable");

    terminal.send("/");
    terminal.send("brok");
    terminal.wait_for("1 of 2");
    terminal.send(keys::ESCAPE);
    terminal.wait_for_no("1 of 2");
    let mark = saved[0].trim_end_matches(".wav").to_owned();
    terminal.send("g");
    let first = |screen: &vt100::Screen| screen.contents().lines().any(|line| line.contains("▸ broken"));
    terminal.wait_until("the cursor on the new file", first);
    terminal.send("n");
    terminal.wait_for("new name:");
    terminal.send(CTRL_U);
    terminal.send(&mark);
    terminal.send("\r");
    terminal.wait_for("already");
    terminal.wait_for(&format!(": {mark}"));
    terminal.send(keys::ESCAPE);
    terminal.wait_for_no("already");
    assert_eq!(names(&folder).len(), 2);
    assert!(frames(&folder.join(&saved[0])) > 0);
    // There is no loudspeaker, which is said, and the rest works.
    terminal.send(keys::DOWN);
    terminal.send(" ");
    terminal.wait_for("nothing can be heard");
    terminal.send("g");
    terminal.send("d");
    terminal.wait_for("is in the trash");
    assert_eq!(names(&folder), saved);
    terminal.send("u");
    terminal.wait_for("is back");
    assert_eq!(names(&folder).len(), 2);
    terminal.wait_for("broken");
    std::fs::remove_file(folder.join("broken.wav")).unwrap();
    terminal.wait_for_no("unreadable");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn a_recording_that_is_not_wanted_is_in_the_trash_and_one_key_brings_it_back() {
    let test = screen();
    let folder = test.path("takes");
    let mut terminal = Terminal::run(&test);
    let part = record(&mut terminal, &folder);
    wait_for_growth(&part, 10_000);
    terminal.send("x");
    terminal.wait_for("to the trash?");
    terminal.send("n");
    terminal.wait_for_no("to the trash?");
    wait_for_growth(&part, 10_000);
    terminal.send("x");
    terminal.wait_for("to the trash?");
    terminal.send("y");
    terminal.wait_for("is in the trash");
    wait_for_names(&folder, <[String]>::is_empty);
    terminal.send("u");
    terminal.wait_for("is back");
    let names = wait_for_names(&folder, |names| names.len() == 1);
    assert!(frames(&folder.join(&names[0])) >= 10_000);
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn leaving_by_key_and_by_signal_saves_what_is_recorded() {
    type Leave = fn(&mut Terminal);
    let leave: [(&str, Leave); 5] = [
        ("q", |terminal| terminal.send("q")),
        ("Ctrl-C", |terminal| terminal.send(keys::CTRL_C)),
        ("INT", |terminal| terminal.signal(Signal::INT)),
        ("TERM", |terminal| terminal.signal(Signal::TERM)),
        ("HUP", |terminal| terminal.signal(Signal::HUP)),
    ];
    for (name, leave) in leave {
        let test = screen();
        let folder = test.path("takes");
        let mut terminal = Terminal::run(&test);
        let part = record(&mut terminal, &folder);
        wait_for_growth(&part, 10_000);
        leave(&mut terminal);
        assert_eq!(terminal.wait(), 0, "{name}");
        let saved = names(&folder);
        assert!(saved.len() == 1 && frames(&folder.join(&saved[0])) > 0, "{name} left {saved:?}");
        assert!(!terminal.look(|screen| screen.alternate_screen()), "{name}");
        assert!(terminal.text().contains("saved "), "{name}:\n{}", terminal.text());
    }
}

#[test]
fn a_suspended_screen_gives_the_terminal_back_and_comes_again() {
    // A shell between, since nobody could continue a program that is the leader of its session.
    let program = env!("CARGO_BIN_EXE_dictaphone");
    let script =
        format!("set -m; {program} --device tone --dir takes; echo back in the shell; read line; fg; echo over");
    let test = Test::new().program("bash").args(["-c", &script]).env("LC_ALL", "C.UTF-8");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("READY");
    terminal.send(keys::CTRL_Z);
    terminal.wait_for("back in the shell");
    assert!(!terminal.look(vt100::Screen::alternate_screen));
    terminal.send("\n");
    terminal.wait_for("READY");
    assert!(terminal.look(vt100::Screen::alternate_screen));
    terminal.send("q");
    terminal.wait_for("over");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn it_works_in_any_size_and_says_when_that_is_too_small() {
    let test = screen();
    let mut terminal = Terminal::run_sized(&test, 40, 10);
    terminal.wait_for("READY");
    terminal.resize(39, 9);
    terminal.wait_for("too small");
    terminal.resize(120, 40);
    terminal.wait_for("48 kHz mono");
    terminal.send("?");
    terminal.wait_for("before recording");
    terminal.send(keys::ESCAPE);
    terminal.wait_for_no("before recording");
    terminal.send("i");
    terminal.wait_for("no input was found");
    terminal.send(keys::ESCAPE);
    terminal.wait_for_no("no input was found");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn without_colour_and_utf8_there_is_neither() {
    for (variable, value) in [("NO_COLOR", "1"), ("TERM", "vt100")] {
        let test = screen().env("LC_ALL", "C").env(variable, value);
        let mut terminal = Terminal::run(&test);
        terminal.wait_for("READY");
        terminal.wait_for("#");
        terminal.send("q");
        assert_eq!(terminal.wait(), 0);
        let raw = terminal.raw();
        assert!(raw.is_ascii());
        let text = String::from_utf8(raw).unwrap();
        let colours = text.split("\x1b[").filter_map(|rest| rest.split_once('m')).map(|(codes, _)| codes);
        let colours: Vec<&str> = colours
            .filter(|codes| {
                codes.split(';').any(|code| matches!(code.parse(), Ok(30..=38 | 40..=48 | 90..=97 | 100..=107)))
            })
            .collect();
        assert!(colours.is_empty(), "{variable}={value}: {colours:?}");
    }
}

#[test]
fn without_an_input_the_screen_opens_and_says_so() {
    let test = Test::new().args(["--dir", "takes"]).env("LC_ALL", "C.UTF-8");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("no input device");
    terminal.send("r");
    terminal.wait_for("no input device");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn without_a_terminal_there_is_help_and_no_screen() {
    let output = Test::new().run();
    output.assert_exit(2).assert_stdout("").assert_stderr_contains("Usage: dictaphone");
    let why = "error: the screen needs a terminal\nhint: `dictaphone record` records without one\n\n";
    assert!(output.stderr().starts_with(why), "{}", output.stderr());
    let mut terminal = Terminal::run(&Test::new().env("TERM", "dumb"));
    assert_eq!(terminal.wait(), 2);
    let text = String::from_utf8(terminal.raw()).unwrap();
    assert!(text.starts_with("error: this terminal cannot show a screen") && text.contains("Usage:"), "{text}");
    let output = Test::new().args(["--device", "tone", "devices"]).run();
    output.assert_exit(2).assert_stderr_contains("those of the screen");
}
