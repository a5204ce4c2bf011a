//! The keys that are shown.

use super::*;

#[test]
fn keys_in_the_help_never_touch_what_they_do() {
    let long = ["ctrl-alt-delete", "ctrl-x", "shift-page-down"].map(|key| Chord::parse(key).unwrap());
    for size in SIZES {
        for unicode in [true, false] {
            for chords in [&long[..0], &long[..1], &long] {
                let mut model = model(Size { rows: 120, ..size }, unicode);
                if !chords.is_empty() {
                    model.keymap.rebind(Action::Record, chords);
                }
                press(&mut model, [KeyCode::Char('?')]);
                let text = drawn(&model).backend().to_string();
                let rows: Vec<&str> = text.lines().collect();
                let place = rows.iter().find_map(|row| row.split_once("pause, resume")).unwrap().0.width();
                for help in ["record", "play the clip", "rename the clip", "these keys", "save and quit"] {
                    let beside = |row: &str| row.split_once(&format!("  {help}")).map(|(before, _)| before.width() + 2);
                    assert!(rows.iter().any(|row| beside(row) == Some(place)), "{help}:\n{text}");
                }
                for chord in chords {
                    assert!(text.contains(&chord.name(unicode)), "{chord:?}:\n{text}");
                }
            }
        }
    }
}
