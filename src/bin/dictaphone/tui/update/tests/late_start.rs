//! The start of a recording that is pulled back.

use super::*;

fn counted(model: &mut Model, reach: u64, begins_before: u64) {
    let [reach, begins_before] = [reach, begins_before].map(Duration::from_secs);
    let progress = Counted { time: Duration::from_secs(1), lost: 0, arrived: true, reach, begins_before };
    update(model, Msg::Looked(Look { progress: Some(progress), ..Look::default() }));
}

#[test]
fn the_arrows_move_the_start_as_long_as_it_can_be_moved() {
    let mut model = model();
    update(&mut model, Msg::Started("a.wav".into()));
    counted(&mut model, 0, 0);
    assert_eq!(update(&mut model, key(KeyCode::Left)), [], "nothing is kept");
    counted(&mut model, 12, 0);
    let shift = |code| Msg::Key(KeyEvent::new(code, KeyModifiers::SHIFT));
    for (msg, before) in [
        (key(KeyCode::Left), 5),
        (key(KeyCode::Left), 10),
        (key(KeyCode::Left), 12),
        (key(KeyCode::Right), 7),
        (shift(KeyCode::Left), 12),
        (shift(KeyCode::Right), 0),
        (key(KeyCode::Right), 0),
        (key(KeyCode::Left), 5),
    ] {
        // What was asked for counts, although the recorder is still behind.
        counted(&mut model, 12, 0);
        assert_eq!(update(&mut model, msg), [Effect::BeginEarlier(Duration::from_secs(before))]);
    }
    // In the list they seek.
    model.pane = Pane::Clips;
    assert_eq!(update(&mut model, key(KeyCode::Left)), []);
    model.pane = Pane::Recorder;
    counted(&mut model, 0, 3);
    assert_eq!(model.recorder.begins_before, Duration::from_secs(3), "what it came to in the end");
    assert_eq!(update(&mut model, key(KeyCode::Left)), []);
}
