//! `dictaphone record` as a person at a terminal uses it: the live line, the keys, and a terminal that is restored.

use rustix::process::Signal;

use crate::support::harness::Test;
use crate::support::terminal::{Terminal, keys};
use crate::takes::{layout, names, record};

/// A recording of the tone that is under way.
fn recording(words: &[&str]) -> (Test, Terminal) {
    let test = record(&["-i", "tone", "take.wav"]).args(words.iter().copied());
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("REC 00:00:00.");
    (test, terminal)
}

#[track_caller]
fn assert_saved(test: &Test, terminal: &mut Terminal) {
    assert_eq!(terminal.wait(), 0, "{}", terminal.text());
    let text = terminal.text();
    assert!(text.lines().any(|line| line.starts_with("saved take.wav · 00:00:0")), "{text}");
    assert!(text.starts_with("recording take.wav · space pauses · q saves"), "{text}");
    assert!(!text.contains("REC") && !text.contains("SAVE"), "the live line is left:\n{text}");
    assert!(layout(test.path("take.wav")).2 > 0);
    assert_eq!(names(test.path("")), ["take.wav"]);
}

#[test]
fn the_path_of_the_file_cannot_steer_the_terminal() {
    let mut terminal = Terminal::run(&record(&["-i", "tone", "-d", "0.2", "--print-path", "a\u{1b}[35;46mb.wav"]));
    assert_eq!(terminal.wait(), 0);
    assert!(!terminal.raw().windows(8).any(|bytes| bytes == b"\x1b[35;46m"), "{}", terminal.text());
    assert!(terminal.text().lines().any(|line| line == "a\\u{1b}[35;46mb.wav"), "{}", terminal.text());
}

#[test]
fn the_live_line_shows_state_time_level_and_device() {
    let (test, mut terminal) = recording(&[]);
    terminal.wait_for(" -6.0 dBFS");
    terminal.wait_for("lost 0");
    let text = terminal.text();
    let line = text.lines().nth(1).unwrap().to_owned();
    assert!(line.starts_with("● REC 00:00:0") && line.contains("tone"), "{line}");
    assert!(line.contains('█') && line.contains('▏'), "{line}");
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(terminal.look(|screen| screen.cell(0, 0).unwrap().dim()), "the keys are dim");
    let red = terminal.look(|screen| screen.cell(1, 0).unwrap().fgcolor());
    assert_eq!(red, vt100::Color::Idx(1));
    terminal.send("m");
    terminal.wait_for("marker 1 at 00:00:0");
    terminal.send("q");
    assert_saved(&test, &mut terminal);
}

#[test]
fn q_enter_and_ctrl_c_stop_and_save() {
    for key in ["q", "Q", keys::ENTER, keys::CTRL_C] {
        let (test, mut terminal) = recording(&[]);
        terminal.send(key);
        assert_saved(&test, &mut terminal);
    }
}

#[test]
fn signals_stop_and_save_in_a_terminal_too() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (test, mut terminal) = recording(&[]);
        terminal.signal(signal);
        assert_saved(&test, &mut terminal);
    }
}

#[test]
fn a_second_ctrl_c_while_saving_leaves_at_once() {
    // Nobody reads the pipe, so saving cannot end.
    let program = env!("CARGO_BIN_EXE_dictaphone");
    let script = format!("exec {program} record -i tone -c 8 - > >(exec sleep 1000)");
    let mut terminal = Terminal::run(&Test::new().program("bash").args(["-c", &script]));
    terminal.wait_for("REC 00:00:01");
    terminal.send(keys::CTRL_C);
    terminal.wait_for("SAVE");
    // Presses that follow at once are one. The line is drawn ten times a second at most.
    let drawn = |terminal: &Terminal| terminal.raw().iter().filter(|&&byte| byte == b'\r').count();
    let before = drawn(&terminal);
    crate::support::wait::until("redraws", String::new, || (drawn(&terminal) > before + 5).then_some(()));
    terminal.send(keys::CTRL_C);
    assert_eq!(terminal.wait(), 130, "{}", terminal.text());
    assert!(terminal.text().contains("error: interrupted before the recording was saved"), "{}", terminal.text());
}

#[test]
fn other_keys_do_nothing() {
    let (test, mut terminal) = recording(&[]);
    terminal
        .send(&["x", keys::ESCAPE, keys::UP, keys::TAB, "ä", keys::F2, keys::DELETE, "\x1b[99;9y", "\x1b[I"].concat());
    terminal.wait_for("REC 00:00:01");
    terminal.send("q");
    assert_saved(&test, &mut terminal);
}

#[test]
fn space_pauses_and_resumes() {
    let (test, mut terminal) = recording(&[]);
    terminal.send(" ");
    terminal.wait_for("PAUSE 00:00:0");
    let time = |terminal: &Terminal| terminal.text().split("PAUSE ").nth(1).unwrap().get(..10).unwrap().to_owned();
    let paused = time(&terminal);
    let drawn = terminal.raw().len();
    terminal.wait_until("the line is drawn again", |_| true);
    crate::support::wait::until("five redraws", String::new, || (terminal.raw().len() > drawn + 500).then_some(()));
    assert_eq!(time(&terminal), paused, "time stands still while paused");
    terminal.send(" ");
    terminal.wait_for("REC 00:00:0");
    terminal.send("q");
    assert_saved(&test, &mut terminal);
}

#[test]
fn paused_from_the_start_the_meter_is_alive() {
    let test = record(&["-i", "tone", "--paused", "-d", "0.3", "take.wav"]);
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("PAUSE 00:00:00.0");
    terminal.wait_for(" -6.0 dBFS");
    terminal.send(" ");
    assert_saved(&test, &mut terminal);
    assert_eq!(layout(test.path("take.wav")).2, 14_400);
}

#[test]
fn a_list_fits_the_terminal_however_long_a_name_is() {
    let name = format!("{}.wav", "long name ".repeat(20).trim_end());
    let test = Test::new().args(["record", "-q", "-i", "tone", "--fast", "-d", "1", &format!("takes/{name}")]);
    std::fs::create_dir(test.path("takes")).unwrap();
    test.clone().run().assert_success();
    let mut terminal = Terminal::run(&test.clone().again().args(["list", "--dir", "takes"]));
    assert_eq!(terminal.wait(), 0);
    let text = terminal.text();
    let lines: Vec<&str> = text.trim_end().lines().collect();
    assert!(lines.len() == 2 && lines[0].contains("name") && lines[0].contains("recorded"), "{text}");
    assert!(lines[1].starts_with("long name ") && lines[1].contains("00:00:01"), "{text}");
    // A program gets all of it.
    test.again().args(["list", "--dir", "takes"]).run().assert_stdout_contains(name.trim_end_matches(".wav"));
}

#[test]
fn the_line_fits_any_width() {
    for columns in [20_u16, 1, 3, 40] {
        let test = record(&["-i", "tone", "-d", "0.6", "take.wav"]);
        let mut terminal = Terminal::run_sized(&test, columns, 30);
        assert_eq!(terminal.wait(), 0);
        let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
        // Redrawn in place: between the line of the keys and the one about the end, nothing moved to another row.
        let live = raw.split("saved").next().unwrap();
        let asides = usize::from(columns >= 18);
        assert_eq!(live.matches('\n').count(), asides, "at {columns} columns: {live:?}");
        let row = terminal.look(|screen| screen.rows(0, columns).nth(asides).unwrap());
        assert!("saved take.wav".starts_with(row.trim()) || row.starts_with("saved take.wav"), "at {columns}: {row}");
    }
}

#[test]
fn the_line_follows_the_window() {
    let test = record(&["-i", "tone", "take.wav"]);
    let mut terminal = Terminal::run_sized(&test, 100, 24);
    terminal.wait_for("lost 0");
    terminal.resize(24, 10);
    terminal.wait_for_no("dBFS");
    terminal.resize(100, 24);
    terminal.wait_for("dBFS");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn a_key_after_a_change_of_the_window_is_not_lost() {
    let (test, mut terminal) = recording(&[]);
    // Whatever reads keys is awake from the first one on and notices the window, too.
    terminal.send(" ");
    terminal.wait_for("PAUSE");
    for columns in [60, 90, 70] {
        terminal.resize(columns, 24);
        terminal.wait_for("tone");
    }
    terminal.send("q");
    assert_saved(&test, &mut terminal);
}

#[test]
fn without_colour_and_utf8_the_line_is_plain() {
    let test = record(&["-i", "tone", "take.wav"]).env("NO_COLOR", "1").env("LC_ALL", "C");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("* REC 00:00:0");
    terminal.wait_for("#");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let live = raw.split("saved").next().unwrap();
    assert!(live.is_ascii() && !live.contains("\x1b[3") && !live.contains("\x1b[1"), "{live:?}");
}

/// Waits until there is sound in the file: what is stopped before is no recording (exit 1).
fn wait_for_sound(test: &Test) {
    crate::support::wait::until("sound", String::new, || {
        std::fs::metadata(test.path(".take.wav.part")).is_ok_and(|data| data.len() > 10_000).then_some(())
    });
}

#[test]
fn quiet_draws_no_line_and_keys_work_all_the_same() {
    let test = record(&["-q", "-i", "tone", "take.wav"]);
    let mut terminal = Terminal::run(&test);
    wait_for_sound(&test);
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
    assert_eq!(terminal.text().trim(), "");
    assert_eq!(names(test.path("")), ["take.wav"]);
}

#[test]
fn keys_work_although_the_messages_go_elsewhere() {
    let script = format!("exec {} record -i tone take.wav 2>messages", env!("CARGO_BIN_EXE_dictaphone"));
    let test = Test::new().program("sh").args(["-c", &script]);
    let mut terminal = Terminal::run(&test);
    wait_for_sound(&test);
    terminal.send("q");
    assert_eq!(terminal.wait(), 0, "{}", terminal.text());
    assert_eq!(names(test.path("")), ["messages", "take.wav"]);
}

#[test]
fn events_on_a_terminal_are_whole_lines() {
    let mut terminal = Terminal::run(&record(&["-i", "tone", "-d", "0.5", "--json", "take.wav"]));
    assert_eq!(terminal.wait(), 0, "{}", terminal.text());
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let events = raw.lines().filter(|line| line.contains("{\"event\""));
    assert!(events.clone().count() > 3 && events.into_iter().all(|line| line.starts_with('{')), "{raw}");
    assert!(!raw.contains("REC"), "{raw}");
}

#[test]
fn the_path_is_printed_to_a_terminal_only_when_asked_for() {
    for (words, printed) in [(&[][..], false), (&["--print-path"][..], true)] {
        let test = record(&["-i", "tone", "--fast", "-d", "0.2", "take.wav"]).args(words.iter().copied());
        let mut terminal = Terminal::run(&test);
        assert_eq!(terminal.wait(), 0);
        let text = terminal.text();
        assert_eq!(text.lines().any(|line| line.trim() == "take.wav"), printed, "{text}");
    }
}

/// A shell with job control, as a person has it.
fn shell() -> (Test, Terminal) {
    let test = Test::new().program("bash").args(["--norc", "--noediting", "-i"]).env("PS1", "ready> ");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("ready>");
    (test, terminal)
}

/// Waits until the terminal is in the mode of a shell: lines, echo, signals.
fn assert_sane(terminal: &mut Terminal, word: &str) {
    let question = "stty -a | tr ' ' '\\n' | grep -cE '^(-icanon|-echo|-isig|-opost|-icrnl);?$'";
    terminal.send(&format!("echo {word}=$({question})\r"));
    terminal.wait_until("an answer about the mode", |screen| {
        let text = screen.contents();
        text.contains(&format!("{word}=0")) || text.contains(&format!("{word}=1"))
    });
    assert!(terminal.text().contains(&format!("{word}=0")), "{}", terminal.text());
}

#[test]
fn the_terminal_is_sane_after_every_end() {
    let (_test, mut terminal) = shell();
    let program = env!("CARGO_BIN_EXE_dictaphone");
    for (n, end) in ["q", keys::CTRL_C, "\r"].into_iter().enumerate() {
        terminal.send(&format!("{program} record -i tone {n}.wav\r"));
        terminal.wait_for("REC 00:00:00.");
        terminal.send(end);
        terminal.wait_for(&format!("saved {n}.wav"));
        terminal.wait_for_no("REC 00");
        assert_sane(&mut terminal, &format!("mode{n}"));
    }
    terminal.send("exit\r");
    terminal.wait();
}

#[test]
fn ctrl_z_gives_the_shell_a_sane_terminal_and_fg_goes_on() {
    let (test, mut terminal) = shell();
    let program = env!("CARGO_BIN_EXE_dictaphone");
    terminal.send(&format!("{program} record -i tone take.wav\r"));
    terminal.wait_for("REC 00:00:00.");
    terminal.send(keys::CTRL_Z);
    terminal.wait_for("Stopped");
    assert_sane(&mut terminal, "stopped");
    terminal.send("clear; fg\r");
    terminal.wait_for_no("Stopped");
    terminal.wait_for("REC 00:00:0");
    terminal.send("q");
    terminal.wait_for("saved take.wav");
    assert_sane(&mut terminal, "ended");
    terminal.send("exit\r");
    terminal.wait();
    assert_eq!(names(test.path("")), ["take.wav"]);
}

#[test]
fn in_the_background_nothing_is_drawn() {
    let (test, mut terminal) = shell();
    let program = env!("CARGO_BIN_EXE_dictaphone");
    terminal.send(&format!("{program} record -i tone -d 1 take.wav &\r"));
    terminal.wait_for("saved take.wav");
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    assert!(!raw.contains("REC"), "{raw}");
    assert_sane(&mut terminal, "ended");
    terminal.send("exit\r");
    terminal.wait();
    assert_eq!(layout(test.path("take.wav")).2, 48_000);
}

#[test]
fn whatever_is_sent_a_recording_ends_by_itself() {
    let paste = format!("\x1b[200~{}", "x".repeat(10_000));
    let typed = "x".repeat(10_000);
    for sent in [
        &b"\x1b"[..],
        b"\x1b[",
        b"\x1b]",
        b"\x1b[999~",
        b"\x1b]0;a title without an end",
        b"\x1bP1$r",
        b"\xff\xfe\xc3",
        b"\xe3\x83",
        b"\x1b[M#",
        b"\x1b[<0;",
        paste.as_bytes(),
        typed.as_bytes(),
    ] {
        let test = record(&["-i", "tone", "-d", "0.6", "take.wav"]);
        let mut terminal = Terminal::run(&test);
        terminal.wait_for("REC 00:00:00.");
        terminal.send_bytes(sent);
        assert_saved(&test, &mut terminal);
        assert_eq!(layout(test.path("take.wav")).2, 28_800, "{:?}", String::from_utf8_lossy(sent));
    }
}

#[test]
fn ctrl_c_stops_after_a_sequence_without_an_end() {
    for begun in ["\x1b[", "\x1b[1;", "\x1b]0;title", "\x1bP", "\x1b", "\x1bO"] {
        let (test, mut terminal) = recording(&[]);
        terminal.send(&format!("{begun}{}", keys::CTRL_C));
        assert_saved(&test, &mut terminal);
    }
    // A paste may hold a Ctrl-C; what has no end is given up after a while.
    let (test, mut terminal) = recording(&[]);
    terminal.send("\x1b[200~text");
    terminal.wait_for("REC 00:00:02");
    terminal.send(keys::CTRL_C);
    assert_saved(&test, &mut terminal);
}
