//! Choosing the input.

use super::*;

fn row(id: &str) -> InputRow {
    let (level, chosen) = (InputLevel::Opening, Vec::new());
    InputRow { id: id.into(), label: id.into(), host: "x".into(), is_default: false, level, chosen, digit: None }
}

fn listed() -> Model {
    let mut model = model();
    press(&mut model, [KeyCode::Char('i')]);
    update(&mut model, Msg::Inputs(vec![row("one"), row("two")]));
    model
}

#[test]
fn an_input_is_chosen_from_the_list() {
    let mut model = model();
    assert_eq!(press(&mut model, [KeyCode::Char('i'), KeyCode::Enter]), [Effect::ListInputs, Effect::CloseInputs]);
    assert!(model.dialog.is_none(), "nothing is listed yet");
    let mut model = listed();
    let keys = [KeyCode::Down, KeyCode::Down, KeyCode::Down, KeyCode::Enter];
    assert_eq!(press(&mut model, keys), [Effect::Choose("two".into(), None), Effect::CloseInputs]);
    assert_eq!(model.recorder.device, InputState::Opening);
}

#[test]
fn whoever_chooses_none_leaves_none_open() {
    for code in [KeyCode::Esc, KeyCode::Char('i'), KeyCode::Char('q')] {
        let mut model = listed();
        assert_eq!(press(&mut model, [code]), [Effect::CloseInputs], "{code:?}");
        assert!(model.dialog.is_none() && !model.leaving);
    }
}

#[test]
fn every_input_shows_what_is_heard_from_it() {
    let mut model = listed();
    model.dirty = false;
    let heard = |peaks: &[(&str, f64)]| {
        let inputs = peaks.iter().map(|&(id, peak)| (id.to_owned(), vec![peak, -90.0])).collect();
        Msg::Looked(Look { inputs, ..Look::default() })
    };
    update(&mut model, heard(&[("two", -12.5), ("gone", -1.0)]));
    update(&mut model, Msg::InputFailed("one".into()));
    let Some(Dialog::Inputs { rows: Some(rows), .. }) = &model.dialog else { panic!("{:?}", model.dialog) };
    assert_eq!([&rows[0].level, &rows[1].level], [&InputLevel::Nothing, &InputLevel::Peaks(vec![-12.5, -90.0])]);
    assert!(model.dirty);
    press(&mut model, [KeyCode::Esc]);
    update(&mut model, heard(&[("two", -3.0)]));
    assert!(model.dialog.is_none(), "what comes late changes nothing");
}

#[test]
fn the_cursor_begins_on_the_input_that_is_open() {
    let mut model = model();
    model.recorder.device =
        InputState::Open { name: "two".into(), format: AudioFormat::new(48_000, 1, SampleFormat::S16) };
    press(&mut model, [KeyCode::Char('i')]);
    update(&mut model, Msg::Inputs(vec![row("one"), row("two")]));
    assert_eq!(press(&mut model, [KeyCode::Enter]), [Effect::Choose("two".into(), None), Effect::CloseInputs]);
}

/// What is kept of an input with so many channels after these keys.
fn kept(channels: usize, keys: &str) -> Option<String> {
    let mut model = listed();
    update(&mut model, Msg::Looked(Look { inputs: vec![("one".into(), vec![-20.0; channels])], ..Look::default() }));
    press(&mut model, keys.chars().map(|key| if key == '<' { KeyCode::Down } else { KeyCode::Char(key) }));
    match &press(&mut model, [KeyCode::Up, KeyCode::Enter])[..] {
        [Effect::Choose(id, map), Effect::CloseInputs] if id == "one" => map.as_ref().map(ToString::to_string),
        other => panic!("{other:?}"),
    }
}

#[test]
fn digits_choose_the_channels_that_are_kept_in_that_order() {
    for (channels, keys, map) in [
        (4, "", None),
        (4, "3", Some("3")),
        (4, "31", Some("3,1")),
        (4, "313", Some("1")),
        (4, "33", None),
        (4, "35", Some("3")),
        (4, "310", None),
        (2, "2", Some("2")),
        // There is nothing to choose.
        (1, "1", None),
        (0, "1", None),
        // Each of many has two digits.
        (18, "1", None),
        (18, "12", Some("12")),
        (18, "0312", Some("3,12")),
        (18, "031900", None),
        // Digits for another input do not count for it.
        (4, "3<2", Some("3")),
    ] {
        assert_eq!(kept(channels, keys).as_deref(), map, "{channels} channels, {keys}");
    }
}

#[test]
fn without_an_input_the_meter_is_empty_and_what_clipped_is_kept() {
    let loud = || Msg::Looked(Look { sound: vec![1.0; 4_800], ..Look::default() });
    for gone in [Msg::Missing("it was unplugged".into()), key(KeyCode::Enter)] {
        let mut model = listed();
        update(&mut model, loud());
        let clipped = model.live.meter.clipped;
        assert!(model.live.meter.bar_dbfs > -1.0 && clipped > 0);
        update(&mut model, gone);
        assert_eq!((model.live.meter.bar_dbfs, model.live.meter.hold_dbfs), (f64::NEG_INFINITY, f64::NEG_INFINITY));
        assert!(model.live.sound.is_empty() && model.live.meter.clipped == clipped);
    }
}

#[test]
fn without_an_input_the_keys_of_this_user_are_the_remedy() {
    let mut model = model();
    update(&mut model, Msg::Missing("no input device".into()));
    assert_eq!(said(&model), Some((Weight::Error, "no input device; r tries again, i lists the inputs")));
    model.keymap.rebind(Action::Record, &[keymap::Chord::parse("f5").unwrap()]);
    model.keymap.rebind(Action::Inputs, &[]);
    update(&mut model, Msg::Missing("no input device".into()));
    assert_eq!(said(&model), Some((Weight::Error, "no input device; F5 tries again")));
    model.keymap.rebind(Action::Record, &[]);
    update(&mut model, Msg::Missing("no input device".into()));
    assert_eq!(said(&model), Some((Weight::Error, "no input device")));
}

#[test]
fn the_meter_of_an_input_that_is_gone_is_empty() {
    let mut model = model();
    let sound = || Msg::Looked(Look { sound: vec![0.5; 2_400], ..Look::default() });
    update(&mut model, sound());
    assert!(model.live.meter.bar_dbfs > -7.0);
    update(&mut model, Msg::Missing("the microphone is gone".into()));
    // It was on its way.
    update(&mut model, sound());
    assert_eq!(model.live.meter.bar_dbfs, f64::NEG_INFINITY);
    assert_eq!(model.live.meter.hold_dbfs, f64::NEG_INFINITY);
}
