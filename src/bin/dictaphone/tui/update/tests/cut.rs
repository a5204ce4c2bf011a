//! Cutting between A and B.

use super::*;

/// A clip of ten seconds that is played from A to B.
fn between(a: u64, b: u64) -> Model {
    let mut model = with_takes(&["a"]);
    for place in [a, b] {
        update(&mut model, playing_at("a", place));
        press(&mut model, [KeyCode::Char('b')]);
    }
    model
}

#[test]
fn what_is_between_a_and_b_is_cut_out_or_kept() {
    for (code, keep) in [('c', false), ('C', true)] {
        let mut model = between(2_000, 5_000);
        let (from, to) = (Duration::from_secs(2), Duration::from_secs(5));
        let cut = Effect::Cut { path: "/r/a.wav".into(), from, to, keep };
        assert_eq!(press(&mut model, [KeyCode::Char(code)]), [Effect::StopPlaying, cut]);
        assert!(model.shelf.job.is_some());
        assert_eq!(press(&mut model, [KeyCode::Char(code)]), [], "one after the other");
        update(&mut model, Msg::Looked(Look::default()));
        let hold = Effect::Hold("/r/a.wav".into(), Duration::from_secs(2));
        assert_eq!(update(&mut model, Msg::Cut(Ok(changed()))), [hold]);
        assert_eq!(said(&model), Some((Weight::Note, "a is cut, u undoes that")));
        assert_eq!(press(&mut model, [KeyCode::Char('u')]), [Effect::Undo]);
    }
}

#[test]
fn why_nothing_is_cut_is_told() {
    let mut idle = with_takes(&["a"]);
    let mut nothing_set = with_takes(&["a"]);
    update(&mut nothing_set, playing_at("a", 2_000));
    for (model, word) in [
        (&mut idle, "no clip is being played"),
        (&mut nothing_set, "nothing is between A and B; b sets A"),
        (&mut between(0, 10_000), "the whole clip; d deletes"),
    ] {
        assert_eq!(press(model, [KeyCode::Char('c')]), []);
        assert!(said(model).is_some_and(|(_, text)| text.contains(word)), "{word}: {:?}", said(model));
    }
    for (outcome, word) in
        [(Err(Some("the disk is full".to_owned())), "the disk is full"), (Err(None), "nothing was cut")]
    {
        let mut model = between(2_000, 5_000);
        press(&mut model, [KeyCode::Char('c')]);
        assert_eq!(update(&mut model, Msg::Cut(outcome)), []);
        assert!(said(&model).is_some_and(|(_, text)| text.contains(word)));
        assert_eq!((model.shelf.undoable, model.shelf.job), (0, None));
    }
}

#[test]
fn the_head_is_left_where_it_is_in_another_clip() {
    let mut model = between(2_000, 5_000);
    press(&mut model, [KeyCode::Char('c')]);
    update(&mut model, playing_at("b", 0));
    assert_eq!(update(&mut model, Msg::Cut(Ok(changed()))), []);
}
