//! Pictures of the screen in every size, mode and set of characters.

mod help;
mod late_start;
mod words;

use std::{f32::consts::TAU, path::PathBuf, time::Duration};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dictaphone::{
    audio::{AudioFormat, SampleFormat},
    clips::{self, Bin, Clip, draw::Scale},
};
use ratatui::{Terminal, backend::TestBackend, style::Color};

use super::*;
use crate::tui::{
    app::{ClipRow, InputLevel, InputRow, Kind, Mark, Outline, Playing, Sketch},
    keymap::{Action, Chord, Keymap},
    theme::Theme,
    update::{Counted, Look, Msg, update},
};

const SIZES: [Size; 3] =
    [Size { columns: 80, rows: 24 }, Size { columns: 40, rows: 10 }, Size { columns: 120, rows: 40 }];

fn take(name: &str, seconds: Option<u64>, format: &str, at: &str) -> ClipRow {
    let clip = Clip {
        name: name.into(),
        path: PathBuf::from(format!("/r/{name}.{format}")),
        format: Some(format.into()),
        mime_type: None,
        duration_s: seconds.map(|seconds| seconds as f64),
        frames: seconds.map(|seconds| seconds * 48_000),
        sample_rate: seconds.map(|_| 48_000),
        channels: seconds.map(|_| 1),
        sample_format: None,
        size_bytes: Some(seconds.unwrap_or(0) * 96_000 + 44),
        recorded_at: at.parse().ok(),
        error: seconds.is_none().then(|| "damaged".into()),
        modified: None,
    };
    ClipRow { clip, kind: Kind::Whole, sketch: Sketch::Unknown }
}

/// A voice that swells, in so many columns.
fn swell(columns: usize) -> Vec<Bin> {
    let high = |column: usize| ((column as f32 / 96.0 * TAU).sin().powi(2) * 30_000.0) as i16;
    (0..columns).map(high).map(|high| Bin { low: -high, high, rms: high.unsigned_abs() / 3 }).collect()
}

fn takes() -> Vec<ClipRow> {
    let mut takes = vec![
        take("interview-anna", Some(2_530), "wav", "2026-11-19T10:02:00+01:00[Europe/Berlin]"),
        take("2026-11-18_09-12-44", Some(31), "wav", "2026-11-18T09:12:44+01:00[Europe/Berlin]"),
        take("Besprechung – Zoë, マイク", Some(90_061), "wav", "2026-11-17T23:59:00+01:00[Europe/Berlin]"),
        take("evil\u{202e}gpj\u{1b}[2J", None, "wav", "2026-11-16T08:00:00+01:00[Europe/Berlin]"),
        take("cut-off", Some(11), "wav", "2026-11-15T08:00:00+01:00[Europe/Berlin]"),
    ];
    for take in takes.iter_mut().take(2) {
        take.sketch = Sketch::Known(swell(96));
    }
    if let Some(last) = takes.last_mut() {
        last.kind = Kind::Unfinished;
    }
    takes
}

fn model(size: Size, unicode: bool) -> Model {
    let mut model = Model::new(
        Theme { unicode, colour: true, light: false },
        size,
        "~/Music/Recordings".into(),
        "wav",
        Keymap::default(),
    );
    let format = AudioFormat::new(48_000, 1, SampleFormat::S16);
    update(&mut model, Msg::Opened { name: "USB Microphone".into(), format, note: None });
    update(&mut model, Msg::Takes(takes()));
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
        let heard = Look {
            now: Duration::from_secs(u64::from(start) / 48_000),
            year: Some(2026),
            sound: (start..start + 4_800).map(sound).collect(),
            playing: None,
            progress,
            disk_left: Some(Duration::from_secs(41 * 3_600 + 12 * 60)),
            inputs: Vec::new(),
        };
        update(model, Msg::Looked(heard));
    }
}

fn recording(size: Size, unicode: bool) -> Model {
    let mut model = model(size, unicode);
    update(&mut model, Msg::Started("2026-11-20_14-05-09.wav".into()));
    let progress = Counted { time: Duration::from_millis(83_450), lost: 0, arrived: true, ..Counted::default() };
    hear(&mut model, 288_000, Some(progress));
    model
}

fn press(model: &mut Model, codes: impl IntoIterator<Item = KeyCode>) {
    for code in codes {
        update(model, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }
}

fn saved() -> Msg {
    Msg::Saved { path: "/r/2026-11-20_14-05-09.wav".into(), time: Duration::from_secs(83), flaw: None, ended: None }
}

fn drawn(model: &Model) -> Terminal<TestBackend> {
    let mut canvas = Terminal::new(TestBackend::new(model.size.columns, model.size.rows)).unwrap();
    canvas.draw(|frame| view(model, frame)).unwrap();
    canvas
}

fn playing(millis: u64) -> Playing {
    let length = Some(Duration::from_secs(31));
    Playing {
        path: "/r/2026-11-18_09-12-44.wav".into(),
        at: Duration::from_millis(millis),
        length,
        is_paused: false,
        peak: 0.25,
    }
}

fn play(model: &mut Model) {
    update(model, Msg::Looked(Look { playing: Some(playing(12_300)), ..still(model) }));
}

/// No sound arrives.
fn still(model: &Model) -> Look {
    let progress =
        Counted { time: model.recorder.time, lost: model.recorder.lost, arrived: true, ..Counted::default() };
    Look { now: model.now, disk_left: model.recorder.disk_left, progress: Some(progress), ..Look::default() }
}

fn outline() -> Outline {
    let mut growing = clips::Outline::new(Some(48_000 * 31));
    for bin in swell(620) {
        let wave = |frame: u16| f32::from(bin.high) / 32_768.0 * (f32::from(frame) / 5.0).sin().powi(3);
        growing.push(&(0..2_400).map(wave).collect::<Vec<_>>(), 1);
    }
    let mark = |millis, text: &str| Mark { at: Duration::from_millis(millis), text: text.into() };
    let markers = vec![mark(5_000, "budget"), mark(25_000, "")];
    let waveform = growing.finish();
    let scale = Scale::of(waveform.bins());
    Outline { path: playing(0).path, waveform, scale, frames: Some(48_000 * 31), rate: 48_000, markers }
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
        ("empty", with(idle(), &|model| drop(update(model, Msg::Takes(Vec::new()))))),
        ("recording", recording()),
        ("oscilloscope", with(recording(), &|model| press(model, [KeyCode::Char('v')]))),
        ("spectrum", with(recording(), &|model| press(model, [KeyCode::Char('v'), KeyCode::Char('v')]))),
        ("paused", with(recording(), &|model| drop(update(model, Msg::Paused)))),
        ("discard", with(recording(), &|model| press(model, [KeyCode::Char('x')]))),
        (
            "flawed",
            with(recording(), &|model| {
                let flaw = Some("it ended early: the disk is full".into());
                let ended =
                    Some("the recording ended by itself at 14:06:32, after 00:01:23.0: the disk is full".into());
                let path = "/r/2026-11-20_14-05-09.wav".into();
                update(model, Msg::Saved { path, time: Duration::from_secs(83), flaw, ended });
            }),
        ),
        ("name", with(recording(), &|model| drop(update(model, saved())))),
        (
            "trouble",
            with(recording(), &|model| {
                model.live.meter.clipped = 7;
                model.recorder.lost = 4_800;
                model.recorder.disk_left = Some(Duration::from_secs(75));
                update(model, Msg::Missing("the input is gone: it was unplugged".into()));
            }),
        ),
        ("filter", with(idle(), &|model| press(model, [KeyCode::Char('/'), KeyCode::Char('a'), KeyCode::Char('n')]))),
        ("playing", with(idle(), &play)),
        (
            "repeating",
            with(idle(), &|model| {
                play(model);
                update(model, Msg::Outlined(outline()));
                press(model, ['b', ']', '+', '+'].map(KeyCode::Char));
                let later = playing(21_700);
                update(model, Msg::Looked(Look { playing: Some(later), ..still(model) }));
                press(model, [KeyCode::Char('b'), KeyCode::Esc]);
            }),
        ),
        (
            "markers",
            with(idle(), &|model| {
                play(model);
                update(model, Msg::Outlined(outline()));
                press(model, [KeyCode::Char('M')]);
            }),
        ),
        (
            "marker",
            with(idle(), &|model| {
                play(model);
                update(model, Msg::Outlined(outline()));
                press(model, "mマイク".chars().map(KeyCode::Char));
            }),
        ),
        (
            "zoomed",
            with(idle(), &|model| {
                play(model);
                update(model, Msg::Outlined(outline()));
                press(model, ['z', 'z'].map(KeyCode::Char));
            }),
        ),
        (
            "go-to",
            with(idle(), &|model| {
                play(model);
                press(model, ":9h".chars().map(KeyCode::Char));
                press(model, [KeyCode::Enter]);
            }),
        ),
        ("noted", with(idle(), &|model| press(model, [KeyCode::Char('5')]))),
        (
            "playing-while-recording",
            with(recording(), &|model| {
                play(model);
                update(model, Msg::Outlined(outline()));
                press(model, [KeyCode::Tab]);
            }),
        ),
        (
            "dictating",
            with(idle(), &|model| {
                press(model, [KeyCode::Down]);
                play(model);
                press(model, [KeyCode::Char('o')]);
                update(model, Msg::Started("new.wav".into()));
                let progress =
                    Counted { time: Duration::from_millis(4_200), lost: 0, arrived: true, ..Counted::default() };
                hear(model, 288_000, Some(progress));
            }),
        ),
        (
            "exporting",
            with(idle(), &|model| {
                press(model, [KeyCode::Down, KeyCode::Char('e'), KeyCode::Enter]);
                update(model, Msg::Progress(0.43));
            }),
        ),
        ("by-size", with(idle(), &|model| press(model, ['S', 'S', 'S'].map(KeyCode::Char)))),
        (
            "no-folder",
            with(idle(), &|model| drop(update(model, Msg::NoFolder("cannot read /r: permission denied".into())))),
        ),
        ("gain", with(idle(), &|model| model.recorder.gain_db = 6.0)),
        ("help", with(idle(), &|model| press(model, [KeyCode::Char('?')]))),
        (
            "inputs",
            with(idle(), &|model| {
                press(model, [KeyCode::Char('i')]);
                let row = |label: &str, is_default, level| InputRow {
                    id: label.into(),
                    label: label.into(),
                    host: "PulseAudio".into(),
                    is_default,
                    level,
                    chosen: Vec::new(),
                    digit: None,
                };
                update(
                    model,
                    Msg::Inputs(vec![
                        row("USB Microphone", true, InputLevel::Peaks(vec![-12.3])),
                        row("Line In", false, InputLevel::Opening),
                        row("Webcam", false, InputLevel::Nothing),
                    ]),
                );
            }),
        ),
        (
            "channels",
            with(idle(), &|model| {
                press(model, [KeyCode::Char('i')]);
                let row = |label: &str, level, chosen: &[u16]| InputRow {
                    id: label.into(),
                    label: label.into(),
                    host: "PulseAudio".into(),
                    is_default: false,
                    level,
                    chosen: chosen.to_vec(),
                    digit: None,
                };
                let peaks = vec![-60.0, -48.0, -12.3, -30.0, f64::NEG_INFINITY, -24.0, -3.0, 0.0];
                let interface = row("USB Interface", InputLevel::Peaks(peaks), &[3, 1]);
                let webcam = row("Webcam", InputLevel::Peaks(vec![-20.0]), &[]);
                update(model, Msg::Inputs(vec![interface, webcam]));
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
    let mut model = Model { size: Size { columns: 20, rows: 5 }, ..model };
    model.dialog = Some(Dialog::Discard);
    let text = drawn(&model).backend().to_string();
    assert!(text.contains("\"40x10 needed") && text.contains("\"delete it? y, n"), "{text}");
    let (_, playing) = modes(SIZES[0], true).into_iter().find(|(mode, _)| *mode == "playing").unwrap();
    let at = playing.player.playing.as_ref().unwrap().at;
    let model = Model { size: Size { columns: 20, rows: 5 }, ..playing };
    let text = drawn(&model).backend().to_string();
    assert!(text.contains(&status::clock(at)), "{text}");
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
    let mut model = model(Size { columns: 80, rows: 60 }, true);
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
    assert!(text.contains("ctrl-r, F5  record"), "{text}");
}
