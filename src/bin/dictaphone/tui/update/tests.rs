//! Tables of what happens and what follows.

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEventKind};
use dictaphone::audio::SampleFormat;
use proptest::prelude::*;

use super::{sound::SOUND_KEPT, *};
use crate::tui::{
    app::{Column, Picture},
    keymap::{self, Action, Keymap},
    layout,
    theme::Theme,
};
    theme::Theme,
};

fn key(code: KeyCode) -> Msg {
    Msg::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn opened() -> Msg {
    Msg::Opened { name: "USB Microphone".into(), format: AudioFormat::new(48_000, 1, SampleFormat::S16) }
}

fn model() -> Model {
    let theme = Theme { unicode: true, colour: false };
    let mut model =
        Model::new(theme, Size { columns: 80, rows: 24 }, "~/Music/Recordings".into(), "wav", Keymap::default());
    update(&mut model, opened());
    model
}

fn take(name: &str) -> Take {
    let path = PathBuf::from(format!("/r/{name}.wav"));
    Take { path, name: name.into(), format: "wav".into(), length: None, at: None, error: None }
}

fn with_takes(names: &[&str]) -> Model {
    let mut model = model();
    update(&mut model, Msg::Takes { takes: names.iter().copied().map(take).collect(), unfinished: 0 });
    model
}

fn counted(millis: u64, arrived: bool) -> Msg {
    let progress = Some(Counted { time: Duration::from_millis(millis), lost: 0, arrived });
    Msg::Heard(Heard { now: Duration::from_millis(millis), progress, ..Heard::default() })
}

fn recording() -> Model {
    let mut model = model();
    update(&mut model, Msg::Started("a.wav".into()));
    update(&mut model, counted(100, true));
    model
}

fn saved() -> Msg {
    Msg::Saved { path: "/r/a.wav".into(), time: Duration::from_secs(2), flaw: None }
}

fn current(model: &Model) -> Option<&str> {
    model.takes.current().map(|take| take.name.as_str())
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
        assert_eq!(model.deck, deck, "after {msg:?}");
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
    assert_eq!(press(&mut model, typed), [Effect::Rename("/r/a.wav".into(), "aq ?".into())], "every key is text");
}

#[test]
fn a_name_that_is_being_typed_is_not_interrupted_by_another_saved_take() {
    let mut model = with_takes(&["b"]);
    press(&mut model, [KeyCode::Char('n'), KeyCode::Char('x')]);
    update(&mut model, saved());
    assert!(matches!(&model.dialog, Some(Dialog::Name { input, fresh: false, .. }) if input.value() == "bx"));
}

#[test]
fn discarding_asks_first() {
    let mut model = recording();
    assert_eq!(press(&mut model, [KeyCode::Char('x'), KeyCode::Char('q'), KeyCode::Char('n')]), []);
    assert!(model.dialog.is_none());
    assert_eq!(press(&mut model, [KeyCode::Char('x'), KeyCode::Char('y')]), [Effect::Discard]);
    // The recording ended by itself while it was asked: the answer must not reach the next one.
    let mut model = recording();
    press(&mut model, [KeyCode::Char('x')]);
    update(&mut model, Msg::Ended);
    assert_eq!(press(&mut model, [KeyCode::Char('y')]), []);
}

#[test]
fn leaving_stops_what_is_recorded_and_asks_nothing() {
    for msg in [key(KeyCode::Char('q')), Msg::Wish(Intent::Stop)] {
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
    update(&mut typing, Msg::Wish(Intent::Stop));
    assert!(typing.leaving, "a signal does not wait for a dialog");
}

#[test]
fn without_an_input_r_looks_for_one() {
    let mut model = model();
    update(&mut model, Msg::Missing("no input device".into()));
    assert_eq!(model.notice.as_ref().map(|notice| notice.weight), Some(Weight::Error));
    assert_eq!(press(&mut model, [KeyCode::Char('r')]), [Effect::Open(None)]);
    assert_eq!(press(&mut model, [KeyCode::Char('r')]), [], "while it is being opened");
    update(&mut model, opened());
    assert_eq!(press(&mut model, [KeyCode::Char('r')]), [Effect::Start]);
}

#[test]
fn an_input_is_chosen_from_the_list() {
    let mut model = model();
    press(&mut model, [KeyCode::Char('i'), KeyCode::Enter]);
    assert!(model.dialog.is_none(), "nothing is listed yet");
    press(&mut model, [KeyCode::Char('i')]);
    let row = |id: &str| InputRow { id: id.into(), label: id.into(), host: "x".into(), is_default: false };
    update(&mut model, Msg::Inputs(vec![row("one"), row("two")]));
    let keys = [KeyCode::Down, KeyCode::Down, KeyCode::Down, KeyCode::Enter];
    assert_eq!(press(&mut model, keys), [Effect::Open(Some("two".into()))]);
    assert_eq!(model.device, Device::Opening);
}

#[test]
fn the_selection_moves_within_the_list() {
    let mut model = with_takes(&["a", "b", "c"]);
    for (code, name) in [
        (KeyCode::Up, "a"),
        (KeyCode::Char('j'), "b"),
        (KeyCode::Down, "c"),
        (KeyCode::Down, "c"),
        (KeyCode::Char('k'), "b"),
        (KeyCode::Char('G'), "c"),
        (KeyCode::Char('g'), "a"),
        (KeyCode::PageDown, "c"),
        (KeyCode::PageUp, "a"),
    ] {
        press(&mut model, [code]);
        assert_eq!(current(&model), Some(name), "{code:?}");
    }
}

#[test]
fn the_filter_narrows_while_it_is_typed_and_escape_takes_it_away() {
    let mut model = with_takes(&["Anna", "Bert", "Hannah"]);
    press(&mut model, [KeyCode::Char('G'), KeyCode::Char('/'), KeyCode::Char('A'), KeyCode::Char('n')]);
    assert_eq!((model.takes.shown.as_slice(), current(&model)), (&[0, 2][..], Some("Hannah")));
    press(&mut model, [KeyCode::Enter, KeyCode::Up]);
    assert_eq!(current(&model), Some("Anna"));
    press(&mut model, [KeyCode::Esc]);
    assert_eq!((model.takes.shown.len(), current(&model)), (3, Some("Anna")));
    press(&mut model, [KeyCode::Char('/'), KeyCode::Char('z')]);
    assert_eq!(current(&model), None);
    press(&mut model, [KeyCode::Enter, KeyCode::Char('n'), KeyCode::Down]);
    assert!(model.dialog.is_none(), "nothing to rename");
}

#[test]
fn the_selection_stays_on_its_clip_when_the_folder_changes() {
    let mut model = with_takes(&["b", "c"]);
    press(&mut model, [KeyCode::Down]);
    update(&mut model, Msg::Takes { takes: ["a", "b", "c", "d"].map(take).to_vec(), unfinished: 0 });
    assert_eq!(current(&model), Some("c"));
    update(&mut model, Msg::Takes { takes: ["a"].map(take).to_vec(), unfinished: 0 });
    assert_eq!(current(&model), Some("a"));
    update(&mut model, Msg::Takes { takes: Vec::new(), unfinished: 0 });
    assert_eq!(current(&model), None);
}

#[test]
fn the_cursor_goes_to_what_was_recorded_also_under_its_new_name() {
    let mut model = with_takes(&["b", "c"]);
    press(&mut model, [KeyCode::Down]);
    update(&mut model, saved());
    update(&mut model, Msg::Takes { takes: ["a", "b", "c"].map(take).to_vec(), unfinished: 0 });
    assert_eq!(current(&model), Some("a"));
    update(&mut model, Msg::Renamed { from: "/r/a.wav".into(), to: "/r/z.wav".into() });
    assert_eq!(current(&model), Some("z"));
    update(&mut model, Msg::Renamed { from: "/r/c.wav".into(), to: "/r/d.wav".into() });
    update(&mut model, Msg::Takes { takes: ["b", "d", "z"].map(take).to_vec(), unfinished: 0 });
    assert_eq!(current(&model), Some("z"));
    // Renamed before the folder was read.
    update(&mut model, saved());
    update(&mut model, Msg::Renamed { from: "/r/a.wav".into(), to: "/r/n.wav".into() });
    update(&mut model, Msg::Takes { takes: ["b", "n", "z"].map(take).to_vec(), unfinished: 0 });
    assert_eq!(current(&model), Some("n"));
}

#[test]
fn what_was_deleted_can_be_brought_back() {
    let mut model = with_takes(&["a", "b"]);
    assert_eq!(press(&mut model, [KeyCode::Char('u')]), [], "nothing was deleted");
    assert_eq!(press(&mut model, [KeyCode::Char('d')]), [Effect::Delete("/r/a.wav".into())]);
    assert_eq!(current(&model), Some("a"), "it is there until it is gone");
    update(&mut model, Msg::Deleted { path: "/r/a.wav".into(), restorable: true });
    assert_eq!(current(&model), Some("b"));
    assert_eq!(press(&mut model, [KeyCode::Char('u')]), [Effect::Restore]);
    update(&mut model, Msg::Restored(Ok("/r/a.wav".into())));
    update(&mut model, Msg::Takes { takes: ["a", "b"].map(take).to_vec(), unfinished: 0 });
    assert_eq!(current(&model), Some("a"));
    assert_eq!(press(&mut model, [KeyCode::Char('u')]), []);
    update(&mut model, Msg::Deleted { path: "/r/a.wav".into(), restorable: false });
    assert_eq!(press(&mut model, [KeyCode::Char('u')]), [], "nobody knows where it is");
    update(&mut model, Msg::Takes { takes: Vec::new(), unfinished: 0 });
    assert_eq!(press(&mut model, [KeyCode::Char('d'), KeyCode::Delete]), []);
}

fn playing(name: &str, speed: f64) -> Msg {
    let path = format!("/r/{name}.wav").into();
    let playing = Playing { path, at: Duration::from_secs(3), length: None, speed, is_paused: false };
    Msg::Heard(Heard { playing: Some(playing), ..Heard::default() })
}

#[test]
fn what_is_played_is_paused_sought_and_hurried() {
    let mut model = with_takes(&["a", "b"]);
    update(&mut model, playing("a", 1.2));
    let shift = |code| Msg::Key(KeyEvent::new(code, KeyModifiers::SHIFT));
    for (msg, expected) in [
        (key(KeyCode::Char(' ')), Effect::TogglePlay),
        (key(KeyCode::Left), Effect::Seek(-5)),
        (key(KeyCode::Right), Effect::Seek(5)),
        (shift(KeyCode::Left), Effect::Seek(-30)),
        (shift(KeyCode::Right), Effect::Seek(30)),
        (key(KeyCode::Char('[')), Effect::Speed(1.1)),
        (key(KeyCode::Char(']')), Effect::Speed(1.3)),
    ] {
        assert_eq!(update(&mut model, msg.clone()), [expected], "{msg:?}");
    }
    press(&mut model, [KeyCode::Down]);
    assert_eq!(press(&mut model, [KeyCode::Enter]), [Effect::Play("/r/b.wav".into())], "another one");
}

#[test]
fn nothing_is_played_into_a_recording_or_out_of_the_trash() {
    let mut model = with_takes(&["a"]);
    update(&mut model, playing("a", 1.0));
    assert_eq!(press(&mut model, [KeyCode::Char('r')]), [Effect::StopPlaying, Effect::Start]);
    assert_eq!(press(&mut model, [KeyCode::Char('d')]), [Effect::StopPlaying, Effect::Delete("/r/a.wav".into())]);
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
fn notes_go_by_themselves_and_errors_with_a_key() {
    let at = |millis| Msg::Heard(Heard { now: Duration::from_millis(millis), ..Heard::default() });
    let mut model = model();
    update(&mut model, Msg::Say(Weight::Note, "x".into()));
    update(&mut model, at(4_001));
    assert_eq!(model.notice, None);
    update(&mut model, Msg::Say(Weight::Error, "bad".into()));
    update(&mut model, Msg::Say(Weight::Note, "x".into()));
    update(&mut model, at(60_000));
    assert_eq!(model.notice.as_ref().map(|notice| notice.text.as_str()), Some("bad"));
    press(&mut model, [KeyCode::Down]);
    assert_eq!(model.notice, None);
}

#[test]
fn sound_moves_the_meter_and_the_waveform() {
    let mut model = recording();
    let sound = vec![0.5; 48_000 / 20 * 3 + 7];
    update(&mut model, Msg::Heard(Heard { now: Duration::from_secs(1), sound, ..Heard::default() }));
    assert!((model.meter.bar_dbfs + 6.02).abs() < 0.01);
    assert_eq!(model.columns.len(), 3);
    assert!(model.columns.iter().all(|column| *column == Column { peak: 0.5, kept: true }));
    assert_eq!((model.column.0, model.sound.len()), (7, SOUND_KEPT));
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
    assert_eq!(model.picture, Picture::Oscilloscope);
}

#[test]
fn every_binding_does_something() {
    for binding in keymap::BINDINGS {
        for code in binding.keys {
            let mut model = match binding.when {
                keymap::When::Recording => recording(),
                _ => with_takes(&["a", "b", "c"]),
            };
            press(&mut model, [KeyCode::Char('/'), KeyCode::Char('a'), KeyCode::Enter]);
            update(&mut model, Msg::Takes { takes: ["a", "ab", "abc"].map(take).to_vec(), unfinished: 0 });
            if matches!(binding.action, Action::Down | Action::PageDown | Action::Bottom) {
                press(&mut model, [KeyCode::Home]);
            } else {
                press(&mut model, [KeyCode::End]);
            }
            if binding.when == keymap::When::Idle && !matches!(code, KeyCode::Char('r')) {
                update(&mut model, playing("abc", 1.0));
            }
            let before = format!("{model:?}");
            let effects = update(&mut model, key(*code));
            assert!(!effects.is_empty() || format!("{model:?}") != before, "{code:?} does nothing");
        }
    }
}

fn any_msg() -> impl Strategy<Value = Msg> {
    let code = prop_oneof![
        any::<char>().prop_map(KeyCode::Char),
        prop::sample::select(" rsmxvkjgGn/i?qyhY".chars().collect::<Vec<_>>()).prop_map(KeyCode::Char),
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
        ]),
    ];
    prop_oneof![
        8 => code.prop_map(key),
        1 => (any::<u16>(), any::<u16>()).prop_map(|(columns, rows)| Msg::Resize(Size { columns: columns % 300, rows: rows % 100 })),
        1 => (0_u16..300, 0_u16..100).prop_map(|(column, row)| Msg::Mouse(MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left), column, row, modifiers: KeyModifiers::NONE
        })),
        1 => Just(opened()),
        1 => Just(Msg::Started("a.wav".into())),
        1 => Just(counted(50, true)),
        1 => Just(Msg::Paused),
        1 => Just(Msg::Ended),
        1 => Just(saved()),
        1 => Just(Msg::Missing("gone".into())),
        1 => prop::collection::vec("\\PC{0,20}", 0..40).prop_map(|names| Msg::Takes { takes: names.iter().map(|name| take(name)).collect(), unfinished: 1 }),
        1 => prop::collection::vec(any::<f32>(), 0..9_000).prop_map(|sound| Msg::Heard(Heard { sound, ..Heard::default() })),
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
            let takes = &model.takes;
            prop_assert!(takes.shown.is_empty() || takes.selected < takes.shown.len());
            if !unicode {
                let buffer = canvas.backend().buffer();
                prop_assert!(buffer.content().iter().all(|cell| cell.symbol().is_ascii()));
            }
        }
    }
}
