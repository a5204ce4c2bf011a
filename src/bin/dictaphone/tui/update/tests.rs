//! Tables of what happens and what follows.

mod cut;
mod dictation;
mod inputs;
mod jobs;
mod late_start;
mod list;
mod listening;
mod notices;
mod travel;

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEventKind};
use dictaphone::{audio::SampleFormat, clips::Clip};
use proptest::prelude::*;

use super::{sound::SOUND_KEPT, *};
use crate::tui::{
    app::{Column, InputLevel, Kind, Picture, Place, Repeat, Sketch},
    keymap::{self, Action, Keymap},
    layout,
    theme::Theme,
};

fn key(code: KeyCode) -> Msg {
    Msg::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn opened() -> Msg {
    let format = AudioFormat::new(48_000, 1, SampleFormat::S16);
    Msg::Opened { name: "USB Microphone".into(), format, note: None }
}

fn model() -> Model {
    let theme = Theme { unicode: true, colour: false, light: false };
    let mut model =
        Model::new(theme, Size { columns: 80, rows: 24 }, "~/Music/Recordings".into(), "wav", Keymap::default());
    update(&mut model, opened());
    model
}

fn take(name: &str) -> ClipRow {
    sized(name, 0)
}

/// A clip of so many bytes, and as many frames of 1 ms.
fn sized(name: &str, size: u64) -> ClipRow {
    let clip = Clip {
        name: name.into(),
        path: format!("/r/{name}.wav").into(),
        format: Some("wav".into()),
        mime_type: None,
        duration_s: Some(size as f64 / 1_000.0),
        frames: Some(size),
        sample_rate: Some(1_000),
        channels: Some(1),
        sample_format: None,
        size_bytes: Some(size),
        recorded_at: None,
        error: None,
        modified: None,
    };
    ClipRow { clip, kind: Kind::Whole, sketch: Sketch::Nothing }
}

fn takes(names: &[&str]) -> Msg {
    Msg::Takes(names.iter().copied().map(take).collect())
}

fn with_takes(names: &[&str]) -> Model {
    let mut model = model();
    update(&mut model, takes(names));
    model
}

fn playing_at(name: &str, millis: u64) -> Msg {
    let path = format!("/r/{name}.wav").into();
    let length = Some(Duration::from_secs(10));
    let playing = Playing { path, at: Duration::from_millis(millis), length, is_paused: true, peak: 0.0 };
    Msg::Looked(Look { playing: Some(playing), ..Look::default() })
}

fn counted(millis: u64, arrived: bool) -> Msg {
    let progress = Some(Counted { time: Duration::from_millis(millis), lost: 0, arrived, ..Counted::default() });
    Msg::Looked(Look { now: Duration::from_millis(millis), progress, ..Look::default() })
}

fn recording() -> Model {
    let mut model = model();
    update(&mut model, Msg::Started("a.wav".into()));
    update(&mut model, counted(100, true));
    model
}

fn saved() -> Msg {
    Msg::Saved { path: "/r/a.wav".into(), time: Duration::from_secs(2), flaw: None, ended: None }
}

fn current(model: &Model) -> Option<&str> {
    model.shelf.takes.current().map(|take| take.clip.name.as_str())
}

/// The message of the moment.
fn said(model: &Model) -> Option<(Weight, &str)> {
    model.notices.shown.as_ref().map(|notice| (notice.weight, notice.text.as_str()))
}

/// A clip that is marked as one that cannot be read.
fn unreadable(name: &str, format: &str, why: &str) -> ClipRow {
    let mut take = take(name);
    take.clip.path = format!("/r/{name}.{format}").into();
    (take.clip.format, take.clip.error, take.clip.duration_s) = (Some(format.into()), Some(why.into()), None);
    take
}

/// A clip that was written anew, with the head at its second second.
fn changed() -> Changed {
    Changed { path: "/r/a.wav".into(), at: Duration::from_secs(2), left_over: Vec::new(), lost: Duration::ZERO }
}

fn undone(said: &str, at: Option<Duration>) -> Msg {
    Msg::Undone(Ok(Undone { path: "/r/a.wav".into(), said: said.into(), at }))
}

fn press(model: &mut Model, codes: impl IntoIterator<Item = KeyCode>) -> Vec<Effect> {
    codes.into_iter().flat_map(|code| update(model, key(code))).collect()
}

#[test]
fn keys_ask_for_what_the_state_allows() {
    let paused = || {
        let mut model = recording();
        update(&mut model, Msg::Paused);
        model
    };
    for (state, mut model, code, expected) in [
        ("idle", model(), KeyCode::Char('r'), vec![Effect::Start]),
        ("idle", model(), KeyCode::Char(' '), vec![]),
        ("idle", with_takes(&["a"]), KeyCode::Char(' '), vec![Effect::Play("/r/a.wav".into())]),
        ("idle", with_takes(&["a"]), KeyCode::Enter, vec![Effect::Play("/r/a.wav".into())]),
        ("idle", with_takes(&["a"]), KeyCode::Left, vec![]),
        ("idle", with_takes(&["a"]), KeyCode::Char(']'), vec![]),
        ("idle", model(), KeyCode::Char('s'), vec![]),
        ("idle", model(), KeyCode::Char('m'), vec![]),
        ("idle", model(), KeyCode::Char('i'), vec![Effect::ListInputs]),
        ("recording", recording(), KeyCode::Char('r'), vec![]),
        ("recording", recording(), KeyCode::Char(' '), vec![Effect::Pause]),
        ("recording", recording(), KeyCode::Char('s'), vec![Effect::Stop]),
        ("recording", recording(), KeyCode::Enter, vec![Effect::Stop]),
        ("recording", recording(), KeyCode::Char('m'), vec![Effect::Mark]),
        ("recording", recording(), KeyCode::Char('i'), vec![]),
        ("paused", paused(), KeyCode::Char(' '), vec![Effect::Resume]),
        ("paused", paused(), KeyCode::Enter, vec![Effect::Stop]),
    ] {
        assert_eq!(update(&mut model, key(code)), expected, "{state} {code:?}");
    }
}

#[test]
fn the_state_follows_the_recorder_and_not_the_key() {
    let mut model = model();
    for (msg, deck) in [
        (key(KeyCode::Char('r')), Deck::Idle),
        (Msg::Started("a.wav".into()), Deck::Waiting),
        (counted(0, false), Deck::Waiting),
        (counted(10, true), Deck::Recording),
        (key(KeyCode::Char(' ')), Deck::Recording),
        (Msg::Paused, Deck::Paused),
        (counted(10, true), Deck::Paused),
        (Msg::Resumed, Deck::Recording),
        (key(KeyCode::Char('s')), Deck::Recording),
        (Msg::Ended, Deck::Saving),
        (saved(), Deck::Idle),
    ] {
        update(&mut model, msg.clone());
        assert_eq!(model.recorder.deck, deck, "after {msg:?}");
    }
}

#[test]
fn after_a_recording_its_name_is_asked_and_escape_keeps_it() {
    let mut model = recording();
    update(&mut model, saved());
    assert!(matches!(&model.dialog, Some(Dialog::Name { input, fresh: true, .. }) if input.value() == "a"));
    let mut kept = model.clone();
    assert_eq!(press(&mut kept, [KeyCode::Esc]), []);
    assert!(kept.dialog.is_none());
    assert_eq!(press(&mut model.clone(), [KeyCode::Enter]), [], "the same name is none");
    let typed = [KeyCode::Char('q'), KeyCode::Char(' '), KeyCode::Char('?'), KeyCode::Enter];
    assert_eq!(
        press(&mut model, typed),
        [Effect::Rename("/r/a.wav".into(), "q ?".into())],
        "every key is text, which takes the place of the suggestion"
    );
}

#[test]
fn a_recording_that_ended_by_itself_says_so_first_and_asks_for_no_name() {
    let mut model = recording();
    update(&mut model, Msg::Missing("the input is gone: it was unplugged".into()));
    update(&mut model, Msg::Ended);
    let ended = Some("the recording ended by itself at 14:05:09, after 00:00:02.0: it was unplugged".to_owned());
    let (path, time) = ("/r/a.wav".into(), Duration::from_secs(2));
    update(&mut model, Msg::Saved { path, time, flaw: Some("it ended early".into()), ended });
    let words = "the recording ended by itself at 14:05:09, after 00:00:02.0: it was unplugged; it is saved as a in \
                 ~/Music/Recordings";
    assert_eq!(said(&model), Some((Weight::Error, words)));
    assert!(model.dialog.is_none() && model.notices.rings);
    update(&mut model, opened());
    assert_eq!(said(&model), Some((Weight::Error, words)), "it stays until a key is pressed");
    assert_eq!(press(&mut model, [KeyCode::Char('r')]), [Effect::Start], "and the key does what it does");
    assert_eq!(said(&model), None);
}

#[test]
fn a_name_that_cannot_be_is_told_and_stays_to_be_made_better() {
    let mut model = with_takes(&["a"]);
    let refused = |why: &str| Msg::NotRenamed { path: "/r/a.wav".into(), name: "b/".into(), why: why.into() };
    update(&mut model, refused("no '/'"));
    let wrong = |model: &Model| match &model.dialog {
        Some(Dialog::Name { input, wrong, .. }) => Some((input.value().to_owned(), wrong.clone())),
        _ => None,
    };
    assert_eq!(wrong(&model), Some(("b/".into(), Some("no '/'".into()))));
    press(&mut model, [KeyCode::Backspace]);
    assert_eq!(wrong(&model), Some(("b".into(), None)));
    update(&mut model, refused("too late"));
    assert_eq!(wrong(&model), Some(("b".into(), None)), "another one is being typed");
    assert_eq!(press(&mut model, [KeyCode::Enter]), [Effect::Rename("/r/a.wav".into(), "b".into())]);
}

#[test]
fn a_name_that_is_being_typed_is_not_interrupted_by_another_saved_take() {
    let mut model = with_takes(&["b"]);
    press(&mut model, [KeyCode::Char('n'), KeyCode::Char('x')]);
    update(&mut model, saved());
    assert!(matches!(&model.dialog, Some(Dialog::Name { input, fresh: false, .. }) if input.value() == "bx"));
}

#[test]
fn a_recording_that_is_not_wanted_goes_to_the_trash_when_that_was_asked() {
    let mut model = recording();
    assert_eq!(press(&mut model, [KeyCode::Char('x'), KeyCode::Char('q'), KeyCode::Char('n')]), []);
    assert!(model.dialog.is_none());
    assert_eq!(press(&mut model, [KeyCode::Char('x'), KeyCode::Char('y')]), [Effect::Stop]);
    update(&mut model, Msg::Ended);
    let path: PathBuf = "/r/a.wav".into();
    assert_eq!(
        update(&mut model, saved()),
        [Effect::Delete(path.clone())],
        "it is saved first, and no name is asked for"
    );
    assert!(model.dialog.is_none());
    update(&mut model, Msg::Deleted { path, restorable: true });
    assert_eq!(said(&model), Some((Weight::Note, "a is in the trash, u undoes that")));
    update(&mut model, Msg::Started("b.wav".into()));
    assert_eq!(update(&mut model, saved()), [], "the next one is kept");
    // The recording ended by itself while it was asked: the answer must not reach the next one.
    let mut model = recording();
    press(&mut model, [KeyCode::Char('x')]);
    update(&mut model, Msg::Ended);
    assert_eq!(press(&mut model, [KeyCode::Char('y')]), []);
}

#[test]
fn leaving_stops_what_is_recorded_and_asks_nothing() {
    for msg in [key(KeyCode::Char('q')), Msg::Command(Command::Stop)] {
        let mut model = recording();
        assert_eq!(update(&mut model, msg.clone()), [Effect::Stop]);
        assert!(model.leaving);
        update(&mut model, Msg::Ended);
        update(&mut model, saved());
        assert!(model.dialog.is_none());
        let mut idle = self::model();
        assert_eq!(update(&mut idle, msg), []);
        assert!(idle.leaving);
    }
    let mut typing = with_takes(&["a"]);
    press(&mut typing, [KeyCode::Char('n')]);
    update(&mut typing, Msg::Command(Command::Stop));
    assert!(typing.leaving, "a signal does not wait for a dialog");
}

#[test]
fn without_an_input_r_looks_for_one() {
    let mut model = model();
    update(&mut model, Msg::Missing("no input device".into()));
    assert_eq!(model.notices.shown.as_ref().map(|notice| notice.weight), Some(Weight::Error));
    assert_eq!(press(&mut model, [KeyCode::Char('r')]), [Effect::Open]);
    assert_eq!(press(&mut model, [KeyCode::Char('r')]), [], "while it is being opened");
    update(&mut model, opened());
    assert_eq!(press(&mut model, [KeyCode::Char('r')]), [Effect::Start]);
}

#[test]
fn only_a_change_is_drawn() {
    let mut model = recording();
    model.dirty = false;
    update(&mut model, counted(100, true));
    assert!(!model.dirty, "nothing was heard and no time recorded");
    update(&mut model, counted(200, true));
    assert!(model.dirty);
}

#[test]
fn silence_is_drawn_until_it_fills_the_picture() {
    let mut model = model();
    let silence = |model: &mut Model, now: u64| {
        model.dirty = false;
        let sound = vec![0.0; 48_000];
        update(model, Msg::Looked(Look { now: Duration::from_secs(now), sound, ..Look::default() }));
        model.dirty
    };
    let drawn: Vec<bool> = (1..=20).map(|now| silence(&mut model, now)).collect();
    assert!(drawn[..7].iter().all(|drawn| *drawn) && drawn[10..].iter().all(|drawn| !drawn), "{drawn:?}");
    update(&mut model, Msg::Looked(Look { sound: vec![0.1; 48], ..Look::default() }));
    assert!(model.dirty && silence(&mut model, 21));
}

#[test]
fn the_waveform_stands_still_while_paused_and_has_the_markers_in_it() {
    let mut model = recording();
    let sound = |from: u64| Look {
        now: Duration::from_secs(from + 1),
        sound: vec![0.5; 48_000],
        progress: Some(Counted { time: Duration::from_secs(from + 1), lost: 0, arrived: true, ..Counted::default() }),
        ..Look::default()
    };
    update(&mut model, Msg::Looked(sound(0)));
    update(&mut model, Msg::Marked(Duration::from_millis(520)));
    let marked: Vec<usize> = (0..20).filter(|&place| model.live.columns[place].is_marked).collect();
    assert_eq!(marked, [10]);
    update(&mut model, Msg::Paused);
    update(&mut model, Msg::Looked(sound(0)));
    assert_eq!(model.live.columns.len(), 20);
    assert!(model.live.meter.bar_dbfs > -7.0, "the level goes on");
    update(&mut model, Msg::Resumed);
    update(&mut model, Msg::Looked(sound(1)));
    assert_eq!(model.live.columns.len(), 40);
}

#[test]
fn sound_moves_the_meter_and_the_waveform() {
    let mut model = recording();
    let sound = vec![0.5; 48_000 / 20 * 3 + 7];
    update(&mut model, Msg::Looked(Look { now: Duration::from_secs(1), sound, ..Look::default() }));
    assert!((model.live.meter.bar_dbfs + 6.02).abs() < 0.01);
    assert_eq!(model.live.columns.len(), 3);
    let heard = |column: &Column| column.peak == 0.5 && (column.loudness - 0.5).abs() < 1e-3 && column.kept;
    assert!(model.live.columns.iter().all(heard));
    assert_eq!((model.live.growing.frames, model.live.sound.len()), (7, SOUND_KEPT));
}

#[test]
fn the_mouse_selects_scrolls_and_changes_the_picture() {
    let mut model = with_takes(&["a", "b", "c"]);
    let areas = layout::areas(model.size).unwrap();
    let mouse = |kind, row| Msg::Mouse(MouseEvent { kind, column: 5, row, modifiers: KeyModifiers::NONE });
    let click = MouseEventKind::Down(MouseButton::Left);
    update(&mut model, mouse(click, areas.list.y + 2));
    assert_eq!(current(&model), Some("c"));
    update(&mut model, mouse(click, areas.list.y + 3));
    assert_eq!(current(&model), Some("c"), "below the last one is nothing");
    update(&mut model, mouse(MouseEventKind::ScrollUp, 0));
    assert_eq!(current(&model), Some("b"));
    update(&mut model, mouse(click, areas.picture.y));
    assert_eq!(model.live.picture, Picture::Oscilloscope);
}

#[test]
fn every_binding_does_something() {
    for binding in keymap::BINDINGS {
        for code in binding.keys {
            let mut model = match binding.when {
                keymap::When::Recording => recording(),
                _ => model(),
            };
            update(&mut model, takes(&["a", "ab", "abc"]));
            press(&mut model, [KeyCode::Char('/'), KeyCode::Char('a'), KeyCode::Enter]);
            let at_the_top = matches!(binding.action, Action::Down | Action::PageDown | Action::Bottom);
            press(&mut model, [if at_the_top { KeyCode::Home } else { KeyCode::End }]);
            update(&mut model, playing_at("abc", 3_000));
            let before = format!("{model:?}");
            let effects = update(&mut model, key(*code));
            assert!(!effects.is_empty() || format!("{model:?}") != before, "{code:?} does nothing");
        }
    }
}

fn any_msg() -> impl Strategy<Value = Msg> {
    let code = prop_oneof![
        any::<char>().prop_map(KeyCode::Char),
        prop::sample::select(" rsmxvkjgGn/i?qyhYaoIbSeRd,.+-[]".chars().collect::<Vec<_>>()).prop_map(KeyCode::Char),
        prop::sample::select(vec![
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Backspace,
            KeyCode::Delete,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::F(2),
            KeyCode::Tab,
        ]),
    ];
    prop_oneof![
        8 => code.prop_map(key),
        1 => (any::<u16>(), any::<u16>()).prop_map(|(columns, rows)| Msg::Resize(Size { columns: columns % 300, rows: rows % 100 })),
        2 => (0_u16..300, 0_u16..100, any::<bool>()).prop_map(|(column, row, drags)| Msg::Mouse(MouseEvent {
            kind: if drags { MouseEventKind::Drag(MouseButton::Left) } else { MouseEventKind::Down(MouseButton::Left) },
            column, row, modifiers: KeyModifiers::NONE
        })),
        2 => (any::<bool>(), 0_u64..20_000).prop_map(|(a, millis)| playing_at(if a { "a" } else { "b" }, millis)),
        1 => Just(Msg::Outlined(listening::outline_of("a", &[1, 500, 9_999]))),
        1 => Just(Msg::Exported(Err(None))),
        1 => (0.0..2.0).prop_map(Msg::Progress),
        1 => Just(Msg::Spliced(Ok(changed()))),
        1 => Just(opened()),
        1 => Just(Msg::Started("a.wav".into())),
        1 => Just(counted(50, true)),
        1 => Just(Msg::Paused),
        1 => Just(Msg::Ended),
        1 => Just(saved()),
        1 => Just(Msg::Missing("gone".into())),
        1 => prop::collection::vec("\\PC{0,20}", 0..40).prop_map(|names| Msg::Takes(names.iter().map(|name| take(name)).collect())),
        1 => prop::collection::vec(any::<f32>(), 0..9_000).prop_map(|sound| Msg::Looked(Look { sound, ..Look::default() })),
        1 => "\\PC{0,40}".prop_map(Msg::Paste),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_happens_can_be_drawn(
        msgs in prop::collection::vec(any_msg(), 0..60),
        unicode: bool,
        columns in 1_u16..130,
        rows in 1_u16..50,
    ) {
        let mut model = model();
        model.theme.unicode = unicode;
        model.size = Size { columns, rows };
        for msg in msgs {
            update(&mut model, msg);
            let Size { columns, rows } = model.size;
            let backend = ratatui::backend::TestBackend::new(columns.max(1), rows.max(1));
            let mut canvas = ratatui::Terminal::new(backend).unwrap();
            canvas.draw(|frame| crate::tui::view::view(&model, frame)).unwrap();
            let takes = &model.shelf.takes;
            prop_assert!(takes.shown.is_empty() || takes.selected < takes.shown.len());
            if !unicode {
                let buffer = canvas.backend().buffer();
                prop_assert!(buffer.content().iter().all(|cell| cell.symbol().is_ascii()));
            }
        }
    }
}
