//! Exporting.

use super::*;

fn exporting() -> Model {
    let mut model = with_takes(&["a"]);
    press(&mut model, [KeyCode::Char('e'), KeyCode::Enter]);
    model
}

#[test]
fn a_format_is_chosen_that_the_clip_does_not_have() {
    let mut model = with_takes(&["a"]);
    press(&mut model, [KeyCode::Char('e')]);
    let Some(Dialog::Export { formats, .. }) = &model.dialog else { panic!("{:?}", model.dialog) };
    assert!(!formats.contains(&"wav") && formats.contains(&"raw"), "{formats:?}");
    let first = formats[0];
    assert_eq!(press(&mut model, [KeyCode::Up, KeyCode::Enter]), [Effect::Export("/r/a.wav".into(), first)]);
    for code in [KeyCode::Esc, KeyCode::Char('q')] {
        let mut model = with_takes(&["a"]);
        assert_eq!(press(&mut model, [KeyCode::Char('e'), code]), []);
        assert!(model.dialog.is_none() && model.shelf.job.is_none());
    }
}

#[test]
fn an_export_tells_how_far_it_is_and_can_be_given_up() {
    let mut model = exporting();
    update(&mut model, Msg::Progress(0.5));
    assert_eq!(model.shelf.job.as_ref().and_then(|job| job.done), Some(0.5));
    assert_eq!(press(&mut model, [KeyCode::Char('e')]), [], "one after the other");
    assert_eq!(press(&mut model, [KeyCode::Char('a')]), [], "the same goes for dictation");
    assert_eq!(press(&mut model, [KeyCode::Esc]), [Effect::Cancel]);
    update(&mut model, Msg::Exported(Err(None)));
    assert_eq!(model.shelf.job, None);
    assert_eq!(press(&mut model, [KeyCode::Esc]), []);
}

#[test]
fn the_outcome_is_told() {
    for (outcome, weight, words) in [
        (Ok("/r/a.raw".into()), Weight::Note, "a.raw"),
        (Err(Some("the disk is full".into())), Weight::Error, "the disk is full"),
        (Err(None), Weight::Note, "given up"),
    ] {
        let mut model = exporting();
        update(&mut model, Msg::Exported(outcome));
        let notice = model.notices.shown.as_ref().unwrap();
        assert!(notice.weight == weight && notice.text.contains(words), "{notice:?}");
    }
}

#[test]
fn whoever_leaves_does_not_wait_for_an_export() {
    assert_eq!(press(&mut exporting(), [KeyCode::Char('q')]), [Effect::Cancel]);
}

#[test]
fn a_job_takes_an_old_note_away_and_nothing_that_matters() {
    for (weight, stays) in [(Weight::Note, false), (Weight::Warning, true), (Weight::Error, true)] {
        let mut model = with_takes(&["a"]);
        press(&mut model, [KeyCode::Char('e')]);
        update(&mut model, Msg::Say(weight, "before".into()));
        press(&mut model, [KeyCode::Enter]);
        assert_eq!((model.shelf.job.is_some(), model.notices.shown.is_some()), (true, stays), "{weight:?}");
    }
}
