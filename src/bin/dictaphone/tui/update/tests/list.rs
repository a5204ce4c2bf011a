//! The list: cursor, filter, order, small waveforms, deleting and recovering.

use dictaphone::clips::SortKey;

use super::*;

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
    assert_eq!((model.shelf.takes.shown.as_slice(), current(&model)), (&[0, 2][..], Some("Hannah")));
    press(&mut model, [KeyCode::Enter, KeyCode::Up]);
    assert_eq!(current(&model), Some("Anna"));
    press(&mut model, [KeyCode::Esc]);
    assert_eq!((model.shelf.takes.shown.len(), current(&model)), (3, Some("Anna")));
    press(&mut model, [KeyCode::Char('/'), KeyCode::Char('z')]);
    assert_eq!(current(&model), None);
    press(&mut model, [KeyCode::Enter, KeyCode::Char('n'), KeyCode::Down]);
    assert!(model.dialog.is_none(), "nothing to rename");
}

#[test]
fn the_selection_stays_on_its_clip_when_the_folder_changes() {
    let mut model = with_takes(&["b", "c"]);
    press(&mut model, [KeyCode::Down]);
    update(&mut model, takes(&["a", "b", "c", "d"]));
    assert_eq!(current(&model), Some("c"));
    update(&mut model, takes(&["a"]));
    assert_eq!(current(&model), Some("a"));
    update(&mut model, takes(&[]));
    assert_eq!(current(&model), None);
}

#[test]
fn the_cursor_goes_to_what_was_recorded_also_under_its_new_name() {
    let mut model = with_takes(&["b", "c"]);
    press(&mut model, [KeyCode::Down]);
    update(&mut model, saved());
    update(&mut model, takes(&["a", "b", "c"]));
    assert_eq!(current(&model), Some("a"));
    update(&mut model, Msg::Renamed { from: "/r/a.wav".into(), to: "/r/z.wav".into() });
    assert_eq!(current(&model), Some("z"));
    update(&mut model, Msg::Renamed { from: "/r/c.wav".into(), to: "/r/d.wav".into() });
    update(&mut model, takes(&["b", "d", "z"]));
    assert_eq!(current(&model), Some("z"));
    // Renamed before the folder was read.
    update(&mut model, saved());
    update(&mut model, Msg::Renamed { from: "/r/a.wav".into(), to: "/r/n.wav".into() });
    update(&mut model, takes(&["b", "n", "z"]));
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
    assert_eq!(press(&mut model, [KeyCode::Char('u')]), [Effect::Undo]);
    update(&mut model, undone("a is back", None));
    update(&mut model, takes(&["a", "b"]));
    assert_eq!(current(&model), Some("a"));
    assert_eq!(press(&mut model, [KeyCode::Char('u')]), []);
    update(&mut model, Msg::Deleted { path: "/r/a.wav".into(), restorable: false });
    assert_eq!(press(&mut model, [KeyCode::Char('u')]), [], "nobody knows where it is");
    update(&mut model, takes(&[]));
    assert_eq!(press(&mut model, [KeyCode::Char('d'), KeyCode::Delete]), []);
}

fn names(model: &Model) -> Vec<&str> {
    let takes = &model.shelf.takes;
    takes.shown.iter().map(|&index| takes.all[index].clip.name.as_str()).collect()
}

fn unfinished(name: &str) -> ClipRow {
    ClipRow { kind: Kind::Unfinished, ..take(name) }
}

#[test]
fn the_order_goes_round_and_the_cursor_stays_on_its_clip() {
    let mut model = model();
    let all = vec![sized("b", 10), sized("take-10", 30), sized("Take-2", 20), unfinished("zz")];
    update(&mut model, Msg::Takes(all));
    press(&mut model, [KeyCode::Char('G')]);
    let chosen = current(&model).map(str::to_owned);
    for (order, expected) in [
        (SortKey::Name, ["zz", "b", "Take-2", "take-10"]),
        (SortKey::Length, ["zz", "take-10", "Take-2", "b"]),
        (SortKey::Size, ["zz", "take-10", "Take-2", "b"]),
        (SortKey::Date, ["zz", "b", "Take-2", "take-10"]),
    ] {
        press(&mut model, [KeyCode::Char('S')]);
        assert_eq!((model.shelf.takes.order, names(&model)), (order, expected.to_vec()));
        assert_eq!(current(&model).map(str::to_owned), chosen);
    }
}

#[test]
fn small_waveforms_are_asked_for_where_they_can_be_seen_and_once() {
    let unknown = |name: &str| ClipRow { sketch: Sketch::Unknown, ..sized(name, 7) };
    let mut broken = unknown("a-broken");
    broken.clip.error = Some("damaged".into());
    let all = |count: usize| (0..count).map(|n| unknown(&format!("{n:03}"))).collect::<Vec<_>>();
    let mut model = model();
    let rows = usize::from(layout::areas(model.size).unwrap().list.height);
    let effects = update(&mut model, Msg::Takes([vec![broken, unfinished("u")], all(100)].concat()));
    let asked = |effects: &[Effect]| match effects {
        [Effect::Sketch(paths)] => paths.len(),
        [] => 0,
        other => panic!("{other:?}"),
    };
    assert!(asked(&effects) == rows - 1 || asked(&effects) == rows - 2, "{effects:?}");
    assert_eq!(update(&mut model, key(KeyCode::Char('v'))), [], "nothing else can be seen");
    // What was answered is not requested again, also after the folder was read again.
    let bins = vec![Bin { low: -9, high: 9, rms: 5 }; 24];
    update(&mut model, Msg::Sketched("/r/000.wav".into(), Some(bins.clone())));
    update(&mut model, Msg::Sketched("/r/001.wav".into(), None));
    update(&mut model, Msg::Takes(all(2)));
    let sketches: Vec<&Sketch> = model.shelf.takes.all.iter().map(|take| &take.sketch).collect();
    assert_eq!(sketches, [&Sketch::Known(bins), &Sketch::Nothing]);
    // A clip that has changed is.
    let changed = vec![ClipRow { sketch: Sketch::Unknown, ..sized("000", 8) }];
    assert_eq!(update(&mut model, Msg::Takes(changed)), [Effect::Sketch(vec!["/r/000.wav".into()])]);
}

#[test]
fn what_is_unfinished_can_be_recovered_and_deleted_and_nothing_else() {
    let mut model = model();
    update(&mut model, Msg::Takes(vec![take("a"), unfinished("u")]));
    assert_eq!((model.shelf.takes.unfinished(), names(&model), current(&model)), (1, vec!["u", "a"], Some("a")));
    press(&mut model, [KeyCode::Up]);
    for code in [KeyCode::Char(' '), KeyCode::Char('n'), KeyCode::Char('e'), KeyCode::Char('a')] {
        assert_eq!(press(&mut model, [code]), [], "{code:?}");
        assert!(model.dialog.is_none(), "{code:?}");
        assert!(
            model.notices.shown.as_ref().is_some_and(|notice| notice.text.contains("R makes it whole")),
            "{code:?}"
        );
    }
    assert_eq!(press(&mut model, [KeyCode::Char('d')]), [Effect::Delete("/r/u.wav".into())]);
    assert_eq!(press(&mut model, [KeyCode::Char('R')]), [Effect::Recover("/r/u.wav".into())]);
    update(&mut model, Msg::Recovered(Ok("/r/u-2.wav".into())));
    update(&mut model, takes(&["a", "u-2"]));
    assert_eq!(current(&model), Some("u-2"));
    assert_eq!(press(&mut model, [KeyCode::Char('R')]), [], "this one is whole");
}

#[test]
fn an_unfinished_recording_is_called_as_in_the_list() {
    let mut model = model();
    let path: PathBuf = "/r/.cut off.wav.part".into();
    update(&mut model, Msg::Deleted { path, restorable: true });
    assert_eq!(said(&model), Some((Weight::Note, "cut off is in the trash, u undoes that")));
}

#[test]
fn a_folder_that_cannot_be_read_is_told_and_comes_back() {
    let mut model = with_takes(&["a"]);
    update(&mut model, Msg::NoFolder("cannot read /r: denied".into()));
    assert_eq!((model.shelf.takes.trouble.as_deref(), current(&model)), (Some("cannot read /r: denied"), None));
    update(&mut model, takes(&["a"]));
    assert_eq!((model.shelf.takes.trouble.as_deref(), current(&model)), (None, Some("a")));
}
