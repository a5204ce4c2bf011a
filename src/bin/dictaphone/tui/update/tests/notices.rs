//! Messages, and how long they are shown.

use super::*;

#[test]
fn notes_go_by_themselves_and_errors_with_a_key() {
    let at = |millis| Msg::Looked(Look { now: Duration::from_millis(millis), ..Look::default() });
    let mut model = model();
    update(&mut model, Msg::Say(Weight::Note, "x".into()));
    update(&mut model, at(4_001));
    assert_eq!(model.notices.shown, None);
    update(&mut model, Msg::Say(Weight::Error, "bad".into()));
    update(&mut model, Msg::Say(Weight::Note, "x".into()));
    update(&mut model, at(60_000));
    assert_eq!(model.notices.shown.as_ref().map(|notice| notice.text.as_str()), Some("bad"));
    press(&mut model, [KeyCode::Down]);
    assert_eq!(model.notices.shown, None);
}

#[test]
fn an_error_hides_a_warning_until_it_is_gone() {
    let (error, warning, note) = ((Weight::Error, "E"), (Weight::Warning, "W"), (Weight::Note, "N"));
    let (later_error, later_warning) = ((Weight::Error, "E2"), (Weight::Warning, "W2"));
    for (told, shown) in [
        (&[error, warning][..], &[error, warning][..]),
        (&[warning, error], &[error, warning]),
        (&[warning, error, later_warning], &[error, later_warning]),
        (&[warning, later_warning, note], &[later_warning]),
        (&[error, warning, later_error, note], &[later_error, warning]),
        (&[note, warning], &[warning]),
        (&[note, error], &[error]),
    ] {
        let mut model = model();
        for (weight, text) in told {
            update(&mut model, Msg::Say(*weight, (*text).into()));
        }
        for expected in shown {
            assert_eq!(said(&model), Some(*expected), "{told:?}");
            press(&mut model, [KeyCode::Down]);
        }
        assert_eq!(said(&model), None, "{told:?}");
    }
}
