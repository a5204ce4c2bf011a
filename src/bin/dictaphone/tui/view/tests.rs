//! Pictures of the screen in every size, mode and set of characters.

use std::{f32::consts::TAU, path::PathBuf, time::Duration};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dictaphone::audio::{AudioFormat, SampleFormat};
use ratatui::{Terminal, backend::TestBackend, style::Color};

use super::*;
use crate::tui::{
    app::{InputRow, Playing, Take},
    keymap::{Action, Chord, Keymap},
    theme::Theme,
    update::{Counted, Heard, Msg, update},
};

const SIZES: [Size; 3] =
    [Size { columns: 80, rows: 24 }, Size { columns: 40, rows: 10 }, Size { columns: 120, rows: 40 }];

fn take(name: &str, seconds: Option<u64>, format: &str, at: &str) -> Take {
    Take {
        path: PathBuf::from(format!("/r/{name}.{format}")),
        name: name.into(),
        format: format.into(),
        length: seconds.map(Duration::from_secs),
        at: at.parse().ok(),
        error: seconds.is_none().then(|| "damaged".into()),
    }
}

fn takes() -> Vec<Take> {
    vec![
        take("interview-anna", Some(2_530), "wav", "2026-11-19T10:02:00+01:00[Europe/Berlin]"),
        take("2026-11-18_09-12-44", Some(31), "wav", "2026-11-18T09:12:44+01:00[Europe/Berlin]"),
        take("Besprechung – Zoë, マイク", Some(90_061), "wav", "2026-11-17T23:59:00+01:00[Europe/Berlin]"),
        take("evil\u{202e}gpj\u{1b}[2J", None, "wav", "2026-11-16T08:00:00+01:00[Europe/Berlin]"),
    ]
}

fn model(size: Size, unicode: bool) -> Model {
    let mut model =
        Model::new(Theme { unicode, colour: true }, size, "~/Music/Recordings".into(), "wav", Keymap::default());
    let format = AudioFormat::new(48_000, 1, SampleFormat::S16);
    update(&mut model, Msg::Opened { name: "USB Microphone".into(), format });
    update(&mut model, Msg::Takes { takes: takes(), unfinished: 2 });
    hear(&mut model, 0, None);
    model
}

/// Six seconds of a voice that swells, at 440 Hz.
fn hear(model: &mut Model, from: u32, progress: Option<Counted>) {
    let sound = |i: u32| {
        let swell = ((i + 24_000) as f32 / 48_000.0 * TAU / 1.5).sin().abs();
        swell * swell * 0.5 * (i as f32 / 48_000.0 * TAU * 440.0).sin()
    };
    for tenth in 0..60 {
        let start = from + tenth * 4_800;
        let heard = Heard {
            now: Duration::from_secs(u64::from(start) / 48_000),
            sound: (start..start + 4_800).map(sound).collect(),
            playing: None,
            progress,
            disk_left: Some(Duration::from_secs(41 * 3_600 + 12 * 60)),
        };
        update(model, Msg::Heard(heard));
    }
}

fn recording(size: Size, unicode: bool) -> Model {
    let mut model = model(size, unicode);
    update(&mut model, Msg::Started("2026-11-20_14-05-09.wav".into()));
    let progress = Counted { time: Duration::from_millis(83_450), lost: 0, arrived: true };
    hear(&mut model, 288_000, Some(progress));
    model
}

fn press(model: &mut Model, codes: impl IntoIterator<Item = KeyCode>) {
    for code in codes {
        update(model, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }
}

fn saved() -> Msg {
    Msg::Saved { path: "/r/2026-11-20_14-05-09.wav".into(), time: Duration::from_secs(83), flaw: None }
}

fn drawn(model: &Model) -> Terminal<TestBackend> {
    let mut canvas = Terminal::new(TestBackend::new(model.size.columns, model.size.rows)).unwrap();
    canvas.draw(|frame| view(model, frame)).unwrap();
    canvas
}

/// Every mode, by name.
fn modes(size: Size, unicode: bool) -> Vec<(&'static str, Model)> {
    let with = |mut model: Model, change: &dyn Fn(&mut Model)| {
        change(&mut model);
        model
    };
    let recording = || recording(size, unicode);
    let idle = || model(size, unicode);
    vec![
        ("idle", idle()),
        ("empty", with(idle(), &|model| drop(update(model, Msg::Takes { takes: Vec::new(), unfinished: 0 })))),
        ("recording", recording()),
        ("oscilloscope", with(recording(), &|model| press(model, [KeyCode::Char('v')]))),
        ("spectrum", with(recording(), &|model| press(model, [KeyCode::Char('v'), KeyCode::Char('v')]))),
        ("paused", with(recording(), &|model| drop(update(model, Msg::Paused)))),
        ("discard", with(recording(), &|model| press(model, [KeyCode::Char('x')]))),
        ("name", with(recording(), &|model| drop(update(model, saved())))),
        (
            "trouble",
            with(recording(), &|model| {
                model.meter.clipped = 7;
                model.lost = 4_800;
                model.disk_left = Some(Duration::from_secs(75));
                update(model, Msg::Say(Weight::Error, "the input is gone: it was unplugged; r opens it again".into()));
            }),
        ),
        ("filter", with(idle(), &|model| press(model, [KeyCode::Char('/'), KeyCode::Char('a'), KeyCode::Char('n')]))),
        (
            "playing",
            with(idle(), &|model| {
                let playing = Playing {
                    path: "/r/2026-11-18_09-12-44.wav".into(),
                    at: Duration::from_millis(12_300),
                    length: Some(Duration::from_secs(31)),
                    speed: 1.2,
                    is_paused: false,
                };
                let (now, disk_left) = (model.now, model.disk_left);
                let heard = Heard { now, playing: Some(playing), disk_left, ..Heard::default() };
                update(model, Msg::Heard(heard));
            }),
        ),
        ("help", with(idle(), &|model| press(model, [KeyCode::Char('?')]))),
        (
            "inputs",
            with(idle(), &|model| {
                press(model, [KeyCode::Char('i')]);
                let row = |label: &str, is_default| InputRow {
                    id: label.into(),
                    label: label.into(),
                    host: "PulseAudio".into(),
                    is_default,
                };
                update(model, Msg::Inputs(vec![row("USB Microphone", true), row("Line In", false)]));
            }),
        ),
    ]
}

#[test]
fn the_screen_in_every_mode_and_size() {
    for size in SIZES {
        for unicode in [true, false] {
            for (mode, model) in modes(size, unicode) {
                let characters = if unicode { "unicode" } else { "ascii" };
                let name = format!("{mode}-{}x{}-{characters}", size.columns, size.rows);
                insta::assert_snapshot!(name, drawn(&model).backend());
            }
        }
    }
}

#[test]
fn a_screen_that_is_too_small_says_so_and_shows_what_matters_most() {
    let model = Model { size: Size { columns: 39, rows: 9 }, ..recording(SIZES[0], true) };
    insta::assert_snapshot!("too-small", drawn(&model).backend());
}

#[test]
fn without_colours_there_are_none() {
    for (mode, mut model) in modes(SIZES[0], true) {
        model.theme.colour = false;
        let canvas = drawn(&model);
        for cell in canvas.backend().buffer().content() {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{mode}");
        }
        model.theme.colour = true;
        let coloured = drawn(&model);
        let text = |canvas: &Terminal<TestBackend>| canvas.backend().to_string();
        assert_eq!(text(&canvas), text(&coloured), "nothing is told by colour alone");
    }
}

#[test]
fn the_help_lists_every_key() {
    let mut model = model(SIZES[2], true);
    press(&mut model, [KeyCode::Char('?')]);
    let text = drawn(&model).backend().to_string();
    for bound in model.keymap.rows() {
        assert!(text.contains(bound.binding.help), "{}", bound.binding.help);
        assert!(text.contains(&bound.names(true)), "{:?}", bound.keys);
    }
}

#[test]
fn the_help_and_the_bottom_line_show_the_keys_of_this_user() {
    let mut model = model(SIZES[2], true);
    model.keymap.rebind(Action::Record, &[Chord::parse("ctrl-r").unwrap(), Chord::parse("f5").unwrap()]);
    model.keymap.rebind(Action::Inputs, &[]);
    let text = drawn(&model).backend().to_string();
    assert!(text.contains("ctrl-r record  ␣ play"), "{text}");
    assert!(!text.contains(" input "), "what has no key is not offered: {text}");
    press(&mut model, [KeyCode::Char('?')]);
    let text = drawn(&model).backend().to_string();
    assert!(text.contains("ctrl-r, F5 record"), "{text}");
}

#[test]
fn a_long_name_is_typed_with_the_cursor_in_sight() {
    let mut model = model(SIZES[1], true);
    press(&mut model, [KeyCode::Char('n')]);
    press(&mut model, std::iter::repeat_n(KeyCode::Char('マ'), 60));
    let mut canvas = drawn(&model);
    let cursor = canvas.get_cursor_position().unwrap();
    assert_eq!(cursor.y, 8);
    assert!(cursor.x > 10 && cursor.x < 39, "{cursor:?}");
}
