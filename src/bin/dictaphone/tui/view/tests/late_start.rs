//! What is kept of the time before a recording.

use ratatui::{buffer::Cell, style::Modifier};

use super::*;

fn words(model: &Model) -> String {
    drawn(model).backend().to_string()
}

/// Cells of the live picture that fit, by the colour of what is lowest in each.
fn count(model: &Model, fits: impl Fn(&Cell) -> bool) -> usize {
    let buffer = drawn(model).backend().buffer().clone();
    let area = layout::pictures(layout::areas(model.size).unwrap().picture, model).live.unwrap();
    (area.left()..area.right()).filter(|&x| fits(&buffer[(x, area.y + area.height / 2)])).count()
}

#[test]
fn that_the_input_is_kept_is_shown_and_what_is_taken_of_it_has_the_colour_of_a_recording() {
    let mut model = model(SIZES[0], true);
    assert!(!words(&model).contains("keeps"));
    model.recorder.keeps = Duration::from_secs(30);
    assert!(words(&model).contains("keeps the last 30 s"));
    update(&mut model, Msg::Started("a.wav".into()));
    let go_on = |model: &mut Model, begins_before| {
        let progress = Counted {
            time: Duration::from_secs(1),
            lost: 0,
            arrived: true,
            reach: Duration::from_secs(6),
            begins_before: Duration::from_secs(begins_before),
        };
        update(model, Msg::Looked(Look { progress: Some(progress), sound: vec![0.3; 2_400], ..Look::default() }));
    };
    (0..20).for_each(|_| go_on(&mut model, 0));
    let green = |cell: &Cell| cell.fg == Color::Green;
    let grey = |cell: &Cell| cell.symbol() != " " && cell.modifier.contains(Modifier::DIM);
    let (before, recorded) = (count(&model, grey), count(&model, green));
    assert!(before > 40 && (9..=11).contains(&recorded), "{before} {recorded}");
    model.recorder.begins_before = Duration::from_secs(2);
    go_on(&mut model, 2);
    assert!(words(&model).contains("from 2 s before"), "{}", words(&model));
    let moved = count(&model, green) - recorded;
    assert!((19..=21).contains(&moved), "two seconds of twenty columns, two in a cell: {moved}");
}
