//! Going on with a take.

use super::*;

fn dictating(code: char) -> Model {
    let mut model = with_takes(&["a", "b"]);
    update(&mut model, playing_at("a", 2_500));
    press(&mut model, [KeyCode::Char(code)]);
    update(&mut model, Msg::Started("new.wav".into()));
    model
}

#[test]
fn the_keys_begin_a_recording_that_goes_to_its_place() {
    let at = Duration::from_millis(2_500);
    for (code, place) in [('a', Place::End), ('o', Place::Overwrite(at)), ('I', Place::Insert(at))] {
        let mut model = with_takes(&["a", "b"]);
        update(&mut model, playing_at("a", 2_500));
        assert_eq!(press(&mut model, [KeyCode::Char(code)]), [Effect::StopPlaying, Effect::Start], "{code}");
        let dictation = Dictation { path: "/r/a.wav".into(), place };
        assert_eq!(model.recorder.dictation.as_ref(), Some(&dictation), "{code}");
        update(&mut model, Msg::Started("new.wav".into()));
        update(&mut model, Msg::Ended);
        let new: PathBuf = "/r/new.wav".into();
        let done = Msg::Saved { path: new.clone(), time: Duration::from_secs(2), flaw: None, ended: None };
        assert_eq!(update(&mut model, done), [Effect::Splice(dictation, new)], "{code}");
        assert!(model.dialog.is_none() && model.recorder.dictation.is_none() && model.shelf.job.is_some(), "{code}");
    }
}

#[test]
fn without_a_place_nothing_is_overwritten() {
    for code in ['o', 'I'] {
        let mut model = with_takes(&["a", "b"]);
        assert_eq!(press(&mut model, [KeyCode::Char(code)]), []);
        assert!(model.recorder.dictation.is_none());
        update(&mut model, playing_at("b", 1_000));
        assert_eq!(press(&mut model, [KeyCode::Char(code)]), [], "another clip is played");
    }
    assert_eq!(press(&mut model(), [KeyCode::Char('a')]), [], "there is no clip");
    let mut model = with_takes(&["a"]);
    update(&mut model, Msg::Missing("no input device".into()));
    assert_eq!(press(&mut model, [KeyCode::Char('a')]), [Effect::Open]);
    assert!(model.recorder.dictation.is_none(), "the input is opened first");
}

#[test]
fn what_came_of_it_is_told_and_can_be_undone() {
    let with_job = || {
        let mut model = dictating('a');
        update(&mut model, saved());
        model
    };
    for (outcome, words, undoable) in [
        (Ok(changed()), "u undoes that", 1),
        (Ok(Changed { left_over: vec!["/r/a-before.wav".into()], ..changed() }), "a-before.wav stays", 1),
        (Ok(Changed { lost: Duration::from_millis(85), ..changed() }), "0.085 s of it could not be read", 1),
        (Err(Some("the disk is full".into())), "a take of its own", 0),
        (Err(None), "a take of its own", 0),
    ] {
        let mut model = with_job();
        update(&mut model, Msg::Spliced(outcome));
        let text = &model.notices.shown.as_ref().unwrap().text;
        assert!(text.contains(words), "{text}");
        assert_eq!((model.shelf.undoable, model.shelf.job.clone()), (undoable, None));
    }
    let mut model = with_job();
    let hold = |seconds| vec![Effect::Hold("/r/a.wav".into(), Duration::from_secs(seconds))];
    assert_eq!(update(&mut model, Msg::Spliced(Ok(changed()))), hold(2), "the head stands behind what was said");
    assert_eq!(press(&mut model, [KeyCode::Char('u')]), [Effect::Undo]);
    let back = undone("a is as it was; the recording is in the trash", Some(Duration::from_secs(1)));
    assert_eq!(update(&mut model, back), hold(1));
    assert!(said(&model).is_some_and(|(_, text)| text.contains("is in the trash")));
    assert_eq!(press(&mut model, [KeyCode::Char('u')]), []);
}

#[test]
fn a_recording_that_comes_to_nothing_goes_nowhere() {
    let mut model = dictating('o');
    update(&mut model, Msg::NotSaved(None));
    assert_eq!(model.recorder.dictation, None);
    update(&mut model, Msg::Started("next.wav".into()));
    assert_eq!(update(&mut model, saved()), [], "the next one is a take of its own");
}

#[test]
fn a_recording_that_could_not_begin_leaves_nothing_to_go_on_with() {
    let mut model = with_takes(&["a"]);
    assert_eq!(press(&mut model, [KeyCode::Char('a')]), [Effect::Start]);
    update(&mut model, Msg::NotSaved(Some("the folder cannot be written".into())));
    assert_eq!((model.recorder.dictation.clone(), model.recorder.deck), (None, Deck::Idle));
    assert_eq!(press(&mut model, [KeyCode::Char('r')]), [Effect::Start]);
    update(&mut model, Msg::Started("b.wav".into()));
    update(&mut model, Msg::Ended);
    assert_eq!(update(&mut model, saved()), []);
}

#[test]
fn whoever_leaves_while_dictating_finds_it_in_its_place() {
    let mut model = dictating('a');
    assert_eq!(press(&mut model, [KeyCode::Char('q')]), [Effect::Stop]);
    update(&mut model, Msg::Ended);
    assert!(matches!(update(&mut model, saved()).as_slice(), [Effect::Splice(..)]));
}

#[test]
fn a_dictation_follows_its_clip_that_is_renamed_meanwhile() {
    let mut model = dictating('a');
    update(&mut model, Msg::Renamed { from: "/r/a.wav".into(), to: "/r/b.wav".into() });
    assert_eq!(model.recorder.dictation.unwrap().path, std::path::PathBuf::from("/r/b.wav"));
}

#[test]
fn nothing_is_recorded_for_a_take_that_cannot_be_read() {
    for (code, key) in [('a', "append"), ('o', "overwrite"), ('I', "insert")] {
        let mut model = model();
        update(&mut model, Msg::Takes(vec![unreadable("a", "wav", "/r/a.wav is damaged")]));
        update(&mut model, playing_at("a", 1_000));
        assert_eq!(press(&mut model, [KeyCode::Char(code)]), [], "{key}");
        assert!(model.recorder.dictation.is_none(), "{key}");
        assert_eq!(said(&model), Some((Weight::Warning, "/r/a.wav is damaged")), "{key}");
    }
}
