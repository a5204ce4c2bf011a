//! Going on with a take: append, overwrite, insert, undo; and what else makes a file of another one.

use super::*;

/// A folder with one clip of so many seconds of a rising number.
fn with_clip(seconds: u32) -> (Test, PathBuf) {
    let test = screen();
    let folder = test.path("takes");
    std::fs::create_dir_all(&folder).unwrap();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(folder.join("old.wav"), spec).unwrap();
    (0..seconds * 48_000).for_each(|n| writer.write_sample((n % 30_000) as i16).unwrap());
    writer.finalize().unwrap();
    (test, folder)
}

fn samples(path: &Path) -> Vec<i16> {
    hound::WavReader::open(path).unwrap().into_samples().map(Result::unwrap).collect()
}

/// Records into the clip and waits until it is in its place.
#[track_caller]
fn dictate(terminal: &mut Terminal, folder: &Path, key: &str) {
    begin(terminal, folder, key, 48_000);
    terminal.send("s");
    terminal.wait_for("the recording is in old");
}

#[test]
fn what_is_appended_is_behind_and_one_key_takes_it_back() {
    let (test, folder) = with_clip(2);
    let before = samples(&folder.join("old.wav"));
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("▸ old");
    terminal.wait_for("48 kHz mono");
    terminal.send("a");
    terminal.wait_for("append to old");
    terminal.send("x");
    terminal.wait_for("to the trash?");
    terminal.send("y");
    terminal.wait_for("is in the trash");
    assert_eq!(names(&folder), ["old.wav"]);
    assert_eq!(samples(&folder.join("old.wav")), before, "what was discarded goes nowhere");

    dictate(&mut terminal, &folder, "a");
    assert_eq!(names(&folder), ["old.wav"]);
    let longer = samples(&folder.join("old.wav"));
    assert!(longer.len() >= before.len() + 24_000 && longer.starts_with(&before));
    terminal.send("u");
    terminal.wait_for("the recording is in the trash");
    assert_eq!(samples(&folder.join("old.wav")), before);
    assert_eq!(names(&folder), ["old.wav"], "what was said is no clip of its own");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn whoever_deletes_a_recording_and_leaves_at_once_finds_it_in_the_trash() {
    let (test, folder) = with_clip(1);
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("▸ old");
    terminal.wait_for("48 kHz mono");
    begin(&mut terminal, &folder, "r", 24_000);
    terminal.send("xyq");
    assert_eq!(terminal.wait(), 0);
    assert_eq!(self::names(&folder), ["old.wav"]);
    let told = terminal.text();
    assert!(told.contains(".wav is in the trash") && !told.contains("saved"), "{told}");
}

#[test]
fn whoever_leaves_while_appending_finds_it_appended() {
    let (test, folder) = with_clip(1);
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("▸ old");
    terminal.wait_for("48 kHz mono");
    begin(&mut terminal, &folder, "a", 48_000);
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
    assert_eq!(self::names(&folder), ["old.wav"]);
    assert!(frames(&folder.join("old.wav")) >= 72_000);
    assert!(terminal.text().contains("old.wav"), "{}", terminal.text());
}

#[test]
fn whoever_leaves_while_appending_to_what_is_gone_hears_that_it_was_not_appended() {
    let (test, folder) = with_clip(1);
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("▸ old");
    terminal.wait_for("48 kHz mono");
    begin(&mut terminal, &folder, "a", 48_000);
    std::fs::remove_file(folder.join("old.wav")).unwrap();
    terminal.send("q");
    assert_eq!(terminal.wait(), 1);
    let saved = names(&folder);
    assert!(saved.len() == 1 && frames(&folder.join(&saved[0])) >= 24_000, "{saved:?}");
    // However the terminal has broken the line.
    let text = terminal.text().replace('\n', "");
    assert!(text.contains("as a take of its own, not appended to old: "), "{text}");
}

/// A bug on demand is in the program only where it is built for tests.
#[test]
#[cfg(debug_assertions)]
fn a_screen_that_fails_while_appending_tells_that_nothing_was_appended() {
    let (test, folder) = with_clip(1);
    let mut terminal = Terminal::run(&test.env("DICTAPHONE_TEST_BUG", "recording"));
    terminal.wait_for("▸ old");
    terminal.wait_for("48 kHz mono");
    terminal.send("a");
    terminal.wait_for("the recording goes on");
    wait_for_growth(&wait_for_part(&folder), 48_000);
    terminal.signal(Signal::INT);
    assert_eq!(terminal.wait(), 1);
    assert_eq!((names(&folder).len(), frames(&folder.join("old.wav"))), (2, 48_000));
    let text = terminal.text().replace('\n', "");
    assert!(text.contains("as a take of its own, not appended to old: "), "{text}");
}

#[test]
#[cfg(target_os = "linux")]
fn recording_goes_over_or_into_a_take_where_it_is_played() {
    let (server, _player) = hand::studio();
    let (_kept, source) = with_clip(30);
    let test = hand::screen_in(&server).args(["--device", "tone"]);
    let folder = test.path("takes");
    std::fs::create_dir_all(&folder).unwrap();
    for key in ["o", "I"] {
        std::fs::copy(source.join("old.wav"), folder.join("old.wav")).unwrap();
        let before = samples(&folder.join("old.wav"));
        let mut terminal = Terminal::run(&test);
        terminal.wait_for("▸ old");
        terminal.wait_for("48 kHz mono");
        terminal.send(key);
        terminal.wait_for("play the clip to the place first");
        terminal.send(" ");
        terminal.wait_for("PLAY");
        terminal.send(" ");
        terminal.wait_for("HOLD");
        dictate(&mut terminal, &folder, key);
        let after = samples(&folder.join("old.wav"));
        let same = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
        assert!(same < before.len(), "{key}: nothing was changed");
        if key == "I" {
            let rest = &before[same..];
            assert!(after.len() > before.len() && after.ends_with(rest), "{key}: what was behind is still there");
        } else {
            let new = after.iter().zip(&before).rposition(|(a, b)| a != b).unwrap() + 1;
            assert!(after.len() == before.len() || new == after.len(), "{key}: only the recording is longer");
        }
        terminal.send("q");
        assert_eq!(terminal.wait(), 0);
    }
}

/// Chooses that format for the clip under the cursor.
fn export(terminal: &mut Terminal, format: &str) {
    terminal.send("e");
    // The last row is the last that is drawn.
    terminal.wait_for(&format!("│   {format}"));
    let line =
        |text: &str| terminal.look(|screen| screen.contents().lines().position(|line| line.contains(text)).unwrap());
    // The formats stand below the title, the first one chosen.
    let rows = line(&format!("│   {format}")) - line("export as") - 1;
    terminal.send(&"j".repeat(rows));
    terminal.send("\r");
}

#[test]
fn a_clip_is_exported_and_an_export_can_be_given_up() {
    let (test, folder) = with_clip(1);
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("▸ old");
    export(&mut terminal, "raw");
    terminal.wait_for("exported old.raw");
    assert_eq!(size(&folder.join("old.raw")), 96_000);

    // Long enough to be given up: two hours of silence, of which the disk keeps nothing.
    let long = std::fs::File::create(folder.join("silence.wav")).unwrap();
    let header = &std::fs::read(folder.join("old.wav")).unwrap()[..44];
    std::io::Write::write_all(&mut &long, header).unwrap();
    let bytes: u32 = 1_400_000_000;
    long.set_len(u64::from(bytes) + 44).unwrap();
    for (at, number) in [(4, bytes + 36), (40, bytes)] {
        std::os::unix::fs::FileExt::write_all_at(&long, &number.to_le_bytes(), at).unwrap();
    }
    drop(long);
    terminal.wait_for("silence");
    terminal.send("g");
    terminal.wait_until("the cursor", |screen| screen.contents().lines().any(|line| line.contains("▸ silence")));
    export(&mut terminal, "opus");
    terminal.wait_for("exporting silence as opus");
    terminal.send(keys::ESCAPE);
    terminal.wait_for("given up");
    assert_eq!(names(&folder), ["old.raw", "old.wav", "silence.wav"]);
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}
