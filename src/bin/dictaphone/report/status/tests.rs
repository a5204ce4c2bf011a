//! The line at many widths, byte for byte and by its limits.

use proptest::prelude::*;

use super::*;

const PLAIN: Style = Style { unicode: true, colour: false };
const ASCII: Style = Style { unicode: false, colour: false };

fn facts() -> StatusFacts<'static> {
    StatusFacts {
        state: ShownState::Recording,
        time: Duration::from_millis(83_450),
        levels: Some(Levels { peak_dbfs: -12.34, hold_dbfs: -5.0 }),
        clipped: 0,
        lost: 0,
        device: "USB Microphone",
        disk_left: None,
    }
}

#[test]
fn the_line_gives_up_what_matters_least_first() {
    let lines: Vec<(usize, String)> =
        [80, 70, 60, 50, 40, 30, 20].map(|width| (width, render(&facts(), width, PLAIN))).into();
    let expected = [
        (80, "● REC 00:01:23.4 ▕███████████████▉░░│░▏ -12.3 dBFS  USB Microphone  lost 0"),
        (70, "● REC 00:01:23.4 ▕███████████████▉░░│░▏ -12.3 dBFS  USB Micro…  lost 0"),
        (60, "● REC 00:01:23.4 ▕███████████▏│░▏ -12.3 dBFS  USB M…  lost 0"),
        (50, "● REC 00:01:23.4 ▕█████████▌░│▏ -12.3 dBFS  USB M…"),
        (40, "● REC 00:01:23.4 ▕████████░│▏ -12.3 dBFS"),
        (30, "● REC 00:01:23.4 ▕████████▊░│▏"),
        (20, "● REC 00:01:23.4"),
    ];
    assert_eq!(lines, expected.map(|(width, line)| (width, line.to_owned())), "{lines:#?}");
}

#[test]
fn without_unicode_the_line_is_ascii() {
    let line = render(&StatusFacts { device: "Mikrofon für マイク", ..facts() }, 80, ASCII);
    assert_eq!(line, "* REC 00:01:23.4 [###############=..|.] -12.3 dBFS  Mikrofon f?r ??????  lost 0");
}

#[test]
fn losses_and_clipping_come_before_the_device() {
    let alarmed = StatusFacts { clipped: 7, lost: 4800, ..facts() };
    let line = render(&alarmed, 44, PLAIN);
    assert!(line.contains("lost 4800  clipped 7") && !line.contains("USB"), "{line}");
}

#[test]
fn silence_is_an_empty_bar_and_minus_infinity() {
    let silent = Levels { peak_dbfs: f32::NEG_INFINITY, hold_dbfs: f32::NEG_INFINITY };
    let line = render(&StatusFacts { levels: Some(silent), device: "x", ..facts() }, 64, PLAIN);
    assert!(line.contains("▕░░░░░░░░░░░░░░░░░░░░▏  -inf dBFS"), "{line}");
}

#[test]
fn full_scale_is_a_full_bar() {
    let loud = Levels { peak_dbfs: 3.0, hold_dbfs: 3.0 };
    let line = render(&StatusFacts { levels: Some(loud), device: "x", ..facts() }, 64, PLAIN);
    assert!(line.contains("▕████████████████████▏   3.0 dBFS"), "{line}");
}

#[test]
fn a_device_cannot_steer_the_terminal() {
    let line = render(&StatusFacts { device: "a\u{1b}[2J\n\u{202e}b", ..facts() }, 200, PLAIN);
    assert!(line.contains("a\\u{1b}[2J\\u{a}\\u{202e}b"), "{line}");
}

#[test]
fn states_and_the_disk_are_told() {
    for (state, word) in [
        (ShownState::Waiting, "○ WAIT "),
        (ShownState::Recording, "● REC "),
        (ShownState::Paused, "‖ PAUSE "),
        (ShownState::Saving, "● SAVE "),
    ] {
        assert!(render(&StatusFacts { state, ..facts() }, 80, PLAIN).starts_with(word));
    }
    for (seconds, word) in
        [(45, "45 s left"), (720, "12 min left"), (148_320, "41 h 12 min left"), (3_600_000, "1000 h left")]
    {
        let disk_left = Some(Duration::from_secs(seconds));
        assert!(render(&StatusFacts { disk_left, ..facts() }, 120, PLAIN).ends_with(word), "{word}");
    }
}

#[test]
fn colours_do_not_change_the_text() {
    let coloured = render(&facts(), 80, Style { unicode: true, colour: true });
    assert!(coloured.contains("\x1b[31m● REC\x1b[0m"), "{coloured:?}");
    assert_eq!(without_colours(&coloured), render(&facts(), 80, PLAIN));
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').unwrap().1)
}

proptest! {
    #[test]
    fn the_line_fits_any_width(
        width in 0_usize..300,
        device in "\\PC{0,40}",
        seconds in 0_u64..10_000_000,
        peak in prop_oneof![any::<f32>(), -70.0_f32..6.0],
        hold in any::<f32>(),
        lost in prop_oneof![Just(0), any::<u64>()],
        clipped in prop_oneof![Just(0), any::<u64>()],
        unicode in any::<bool>(),
        disk in proptest::option::of(any::<u64>()),
    ) {
        let facts = StatusFacts {
            state: ShownState::Paused,
            time: Duration::from_secs(seconds),
            levels: Some(Levels { peak_dbfs: peak, hold_dbfs: hold }),
            clipped,
            lost,
            device: &device,
            disk_left: disk.map(Duration::from_secs),
        };
        let line = render(&facts, width, Style { unicode, colour: false });
        prop_assert!(line.width() <= width, "{} > {}: {:?}", line.width(), width, line);
        prop_assert!(!line.contains(char::is_control));
        prop_assert!(unicode || line.is_ascii());
    }
}
