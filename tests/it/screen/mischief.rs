//! What a user, a file and a mouse can do wrong: each is reported in a message or does nothing, and the screen goes on.

use super::{hand::*, *};
use crate::support::signal::PositionCode;

const SECOND: u64 = 48_000;

/// The screen on a folder with the clip `old`, which is held at its start.
fn holding(test: &Test, seconds: u64) -> (Terminal, PathBuf) {
    let folder = test.path("takes");
    std::fs::create_dir_all(&folder).unwrap();
    let clip = folder.join("old.wav");
    PositionCode::mono().write_wav(&clip, seconds * SECOND);
    let mut terminal = Terminal::run(test);
    terminal.wait_for("▸ old");
    terminal.send(" ");
    terminal.wait_for("PLAY");
    terminal.send(" ");
    terminal.wait_for("HOLD");
    terminal.send("0");
    terminal.wait_for("HOLD  00:00:00.0");
    (terminal, clip)
}

/// It still does what keys ask for, and leaves as if nothing had happened.
#[track_caller]
fn assert_alive(mut terminal: Terminal) {
    terminal.send("?");
    terminal.wait_for("before recording");
    terminal.send(keys::ESCAPE);
    terminal.wait_for_no("before recording");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0, "{}", terminal.text());
}

#[test]
fn a_clip_that_vanishes_while_it_is_heard_zoomed_or_cut_is_missed_in_words() {
    let (server, _player) = studio();
    // Seen from close by.
    let test = screen_in(&server);
    let (mut terminal, clip) = holding(&test, 60);
    terminal.send("zz");
    terminal.wait_for("zoom");
    std::fs::remove_file(&clip).unwrap();
    terminal.wait_for_no("▸ old");
    terminal.send("z5zZ<>,.");
    terminal.send(":30\r");
    assert_alive(terminal);
    // Heard.
    let (mut terminal, clip) = holding(&test, 60);
    terminal.send(" ");
    terminal.wait_for("PLAY");
    std::fs::remove_file(&clip).unwrap();
    terminal.wait_for("no clips yet");
    terminal.send("mhere\r");
    terminal.send("d");
    terminal.send("o");
    assert_alive(terminal);
    // Cut.
    for key in ["c", "C"] {
        let (mut terminal, clip) = holding(&test, 60);
        terminal.send("b");
        terminal.wait_for("A 00:00:00.0");
        terminal.send("5");
        terminal.wait_for("HOLD  00:00:30");
        terminal.send("b");
        terminal.wait_for("A-B 00:00:00.0-00:00:30");
        std::fs::remove_file(&clip).unwrap();
        terminal.send(key);
        terminal.wait_until("that it is gone", |screen| {
            let text = screen.contents();
            text.contains("is not there") || text.contains("is gone") || text.contains("No such file")
        });
        assert!(!terminal.text().contains("os error"), "{}", terminal.text());
        assert_eq!(names(&test.path("takes")), [""; 0], "nothing is left behind");
        assert_alive(terminal);
    }
}

#[test]
fn beyond_the_end_is_the_end_and_a_cut_of_everything_is_refused() {
    let (server, _player) = studio();
    let test = screen_in(&server);
    let (mut terminal, clip) = holding(&test, 60);
    let whole = std::fs::read(&clip).unwrap();
    for (place, answer) in [
        ("99:00:00", "behind the end, which is at 00:01:00"),
        ("+5h", "behind the end"),
        ("200%", "between 0% and 100%"),
        ("1e99", "is no time"),
        ("18446744073709551615", "is no time"),
        ("x", "is no time"),
        ("٣", "is no time"),
    ] {
        terminal.send(":");
        terminal.wait_for("go to:");
        terminal.send(&format!("{place}\r"));
        terminal.wait_for(answer);
        terminal.send(keys::ESCAPE);
        terminal.wait_for_no("go to:");
        assert!(terminal.text().contains("HOLD  00:00:00.0"), "{place}: {}", terminal.text());
    }
    terminal.send("0b");
    terminal.wait_for("A 00:00:00.0");
    terminal.send("\x1b[F");
    terminal.wait_for_no("HOLD  00:00:00.0");
    terminal.send("b");
    terminal.wait_for("A-B 00:00:00.0");
    terminal.send("c");
    terminal.wait_for("that is the whole clip");
    assert!(std::fs::read(&clip).unwrap() == whole);
    terminal.send("bbb");
    terminal.send("c");
    assert!(std::fs::read(&clip).unwrap() == whole);
    assert_alive(terminal);
}

#[test]
fn in_twenty_columns_and_five_rows_it_says_what_it_needs_and_still_records() {
    let test = screen();
    let folder = test.path("takes");
    let mut terminal = Terminal::run_sized(&test, 20, 5);
    terminal.wait_for("too small");
    terminal.send("r");
    terminal.wait_for("REC");
    let part = wait_for_part(&folder);
    wait_for_growth(&part, 48_000);
    for (columns, rows) in [(1, 1), (2, 60), (300, 1), (20, 5)] {
        terminal.resize(columns, rows);
        wait_for_growth(&part, 9_600);
    }
    terminal.send("s");
    wait_for_names(&folder, |names| names.len() == 1 && names[0].ends_with(".wav"));
    terminal.resize(80, 24);
    terminal.wait_for("saved; name:");
    terminal.send(keys::ESCAPE);
    terminal.wait_for_no("saved; name:");
    assert_alive(terminal);
}

#[test]
fn a_mouse_gone_wild_does_not_disturb_a_recording() {
    let test = screen();
    let folder = test.path("takes");
    let mut terminal = Terminal::run(&test);
    let part = record(&mut terminal, &folder);
    // Buttons that there are and that there are none, places within and beyond, presses, releases and drags; xorshift.
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = move |limit: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % limit
    };
    for _ in 0..20 {
        let events = (0..200).map(|_| {
            let end = if next(2) == 0 { 'M' } else { 'm' };
            let far = if next(10) == 0 { 70_000 } else { 100 };
            format!("\x1b[<{};{};{}{end}", next(70) + 64 * next(2), next(far), next(far))
        });
        let events: String = events.collect();
        terminal.send(&events);
        terminal.send_bytes(b"\x1b[M\xff\xff\xff\x1b[M   \x1b[32;40;6M\x1b[<M\x1b[<1;M");
    }
    wait_for_growth(&part, 96_000);
    terminal.wait_for("REC");
    terminal.send("s");
    terminal.wait_for("saved; name:");
    let saved = wait_for_names(&folder, |names| names.len() == 1 && names[0].ends_with(".wav"));
    assert!(frames(&folder.join(&saved[0])) > 48_000);
    terminal.send(keys::ESCAPE);
    terminal.wait_for_no("saved; name:");
    assert_alive(terminal);
}

#[test]
fn every_field_takes_wide_combining_and_turned_letters_and_a_name_of_255_bytes() {
    let (server, _player) = studio();
    let test = screen_in(&server);
    let (mut terminal, _) = holding(&test, 10);
    let folder = test.path("takes");
    let long = "e\u{301}".repeat(85);
    assert_eq!(long.len(), 255);
    for text in [
        "会議の録音マイク",
        "e\u{301}\u{302}o\u{308}",
        "שלום \u{202e}evil\u{202c} مرحبا",
        "👩‍👩‍👧 🎙️",
        &long,
        &"界".repeat(85),
    ] {
        // A field for a name, one for words, one for a place, and one for a marker.
        for (key, question) in [("n", "new name:"), ("/", "show:"), (":", "go to:"), ("m", "name:")] {
            terminal.send(key);
            terminal.wait_for(question);
            terminal.send(text);
            terminal.send(&format!("{}{}\x1b[H\x1b[F", keys::BACKSPACE, keys::LEFT));
            terminal.send(keys::ESCAPE);
            terminal.wait_for_no(question);
            let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
            assert!(!raw.contains('\u{202e}'), "no letter turns the line around");
            let is_whole = |screen: &vt100::Screen| {
                let text = screen.contents();
                let lines: Vec<&str> = text.lines().collect();
                lines.len() == 24
                    && lines[1..23].iter().all(|line| line.starts_with(['│', '├']) && line.ends_with(['│', '┤']))
            };
            terminal.wait_until("a frame that is whole", is_whole);
        }
    }
    // Too long with its ending, and just short enough.
    terminal.send("n");
    terminal.wait_for("new name:");
    terminal.send(&format!("{CTRL_U}{long}\r"));
    terminal.wait_for("251 are the most");
    assert_eq!(names(&folder), ["old.wav"]);
    terminal.send(&format!("{}\r", keys::BACKSPACE.repeat(4)));
    wait_for_names(&folder, |names| names.len() == 1 && names[0].len() > 240 && names[0].ends_with(".wav"));
    assert_alive(terminal);
}
