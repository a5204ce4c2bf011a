//! The folder as other programs leave it: unfinished, broken, foreign, gone, with names that do harm.

use super::*;

fn clip(path: &Path, frames: u32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    (0..frames).for_each(|n| writer.write_sample((n % 9_000) as i16).unwrap());
    writer.finalize().unwrap();
}

#[test]
fn an_unfinished_recording_is_marked_and_recovered() {
    let test = screen();
    let folder = test.path("takes");
    std::fs::create_dir_all(&folder).unwrap();
    let part = folder.join(".cut off.wav.part");
    clip(&part, 48_000);
    // Its writer had no time to write how long it is.
    let file = std::fs::File::options().write(true).open(&part).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &0_u32.to_le_bytes(), 40).unwrap();
    drop(file);
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("! cut off");
    terminal.wait_for("1 unfinished");
    terminal.send(" ");
    terminal.wait_for("R makes it whole");
    terminal.send("d");
    terminal.wait_for("cut off is in the trash");
    assert!(!terminal.text().contains(".cut off"), "{}", terminal.text());
    terminal.send("u");
    terminal.wait_for("! cut off");
    terminal.send("g");
    terminal.send("R");
    terminal.wait_for("recovered cut off");
    terminal.wait_for_no("unfinished");
    assert_eq!(names(&folder), ["cut off.wav"]);
    assert_eq!(frames(&folder.join("cut off.wav")), 48_000);
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn a_recorder_that_dies_elsewhere_leaves_an_unfinished_recording_in_the_list() {
    let test = screen();
    let folder = test.path("takes");
    std::fs::create_dir_all(&folder).unwrap();
    clip(&folder.join("old.wav"), 48_000);
    let recorder = test.clone().again().args(["record", "--device", "tone", "takes/cut off.wav"]).spawn();
    wait_for_growth(&wait_for_part(&folder), 48_000);
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("▸ old");
    assert!(!terminal.text().contains("cut off"), "{}", terminal.text());
    recorder.kill();
    terminal.wait_for("! cut off");
    terminal.wait_for("1 unfinished");
    terminal.send("gR");
    terminal.wait_for("recovered cut off");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn the_list_follows_whatever_happens_in_the_folder() {
    let test = screen();
    let folder = test.path("takes");
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("no clips yet");
    std::fs::create_dir_all(&folder).unwrap();
    clip(&folder.join("one.wav"), 48_000);
    terminal.wait_for("00:00:01");
    clip(&folder.join("one.wav"), 3 * 48_000);
    terminal.wait_for("00:00:03");
    std::fs::rename(folder.join("one.wav"), folder.join("two.wav")).unwrap();
    terminal.wait_for("two");
    terminal.wait_for_no("▸ one");
    std::fs::write(folder.join("foreign.flac"), "this is no sound").unwrap();
    std::fs::write(folder.join("empty.wav"), "").unwrap();
    std::fs::write(folder.join("notes.txt"), "no clip").unwrap();
    terminal.wait_for("foreign");
    terminal.wait_for("empty");
    assert!(!terminal.text().contains("notes"));
    std::fs::remove_dir_all(&folder).unwrap();
    terminal.wait_for("no clips yet");
    std::fs::write(&folder, "a file in its place").unwrap();
    terminal.wait_for("cannot read");
    std::fs::remove_file(&folder).unwrap();
    std::fs::create_dir_all(&folder).unwrap();
    clip(&folder.join("again.wav"), 48_000);
    terminal.wait_for("again");
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn names_that_would_do_harm_are_shown_as_text() {
    let test = screen();
    let folder = test.path("takes");
    std::fs::create_dir_all(&folder).unwrap();
    let long = format!("{}.wav", "ü".repeat(125));
    for name in ["evil\u{1b}[31mred.wav", "line\nbreak.wav", "right\u{202e}left.wav", "マイク 録音.wav", &long] {
        clip(&folder.join(name), 480);
    }
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("· 5");
    for shown in ["\\u{1b}[31mred", "line\\u{a}break", "\\u{202e}left", "マイク 録音", "üüüüüüüü…"] {
        assert!(terminal.text().contains(shown), "{shown}:\n{}", terminal.text());
    }
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    assert!(!raw.contains("\u{1b}[31mred") && !raw.contains('\u{202e}'));
    // A name of 255 bytes is the longest; one more is refused, and the file keeps its name.
    terminal.send("/");
    terminal.send("マ\r");
    terminal.wait_for("1 of 5");
    terminal.send("n");
    terminal.wait_for("new name:");
    terminal.send(CTRL_U);
    terminal.send(&"x".repeat(252));
    terminal.send("\r");
    terminal.wait_for("251 are the most");
    assert!(folder.join("マイク 録音.wav").exists());
    // What was typed is still there.
    terminal.send("\x08\r");
    terminal.wait_for("renamed to");
    assert!(folder.join(format!("{}.wav", "x".repeat(251))).exists());
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn the_order_changes_with_a_key() {
    let test = screen();
    let folder = test.path("takes");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, seconds) in [("b", 1), ("a", 2), ("take-10", 3), ("take-9", 1)] {
        clip(&folder.join(format!("{name}.wav")), seconds * 48_000);
    }
    let mut terminal = Terminal::run(&test);
    terminal.wait_for("by date");
    terminal.send("S");
    terminal.wait_for("by name");
    let shown = |terminal: &Terminal| -> Vec<String> {
        let text = terminal.text();
        let rows = text.lines().filter(|line| line.contains("wav ") && line.contains("00:00:0"));
        rows.map(|line| line[3..].trim_start_matches(['▸', ' ']).split_whitespace().next().unwrap().to_owned())
            .collect()
    };
    let sorted = wait::poll(wait::DEADLINE, || (shown(&terminal) == ["a", "b", "take-9", "take-10"]).then_some(()));
    assert!(sorted.is_some(), "{:?}", shown(&terminal));
    terminal.send("S");
    terminal.wait_for("by length");
    let sorted = wait::poll(wait::DEADLINE, || (shown(&terminal) == ["take-10", "a", "b", "take-9"]).then_some(()));
    assert!(sorted.is_some(), "{:?}", shown(&terminal));
    terminal.send("q");
    assert_eq!(terminal.wait(), 0);
}
