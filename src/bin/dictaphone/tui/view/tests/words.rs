//! What is shown as text: messages, jobs, the facts of a clip.

use super::*;

#[test]
fn why_a_name_is_refused_is_shown_whole_beside_what_was_typed() {
    let why = "there is already a clip 'interview-anna' in /home/zoe/Music/Recordings";
    for size in SIZES {
        let mut model = model(size, true);
        let path = "/r/2026-11-18_09-12-44.wav".into();
        update(&mut model, Msg::Say(Weight::Error, "another trouble".into()));
        update(&mut model, Msg::NotRenamed { path, name: "interview-anna".into(), why: why.into() });
        let mut canvas = drawn(&model);
        let text = canvas.backend().to_string();
        let said: String = text.lines().flat_map(|row| row.split(['│', '"'])).map(str::trim_end).collect();
        assert!(said.replace(' ', "").contains(&why.replace(' ', "")), "{text}");
        assert!(text.contains("new name: interview-anna"), "{text}");
        assert_eq!(canvas.get_cursor_position().unwrap().y, size.rows - 2);
        press(&mut model, [KeyCode::Backspace]);
        let text = drawn(&model).backend().to_string();
        assert!(text.contains("another trouble") && !text.contains("already"), "{text}");
    }
}

#[test]
fn whoever_leaves_is_not_offered_a_key_that_does_nothing() {
    let mut model = model(SIZES[0], true);
    press(&mut model, [KeyCode::Down, KeyCode::Char('a')]);
    update(&mut model, Msg::Started("new.wav".into()));
    update(&mut model, Msg::Ended);
    update(&mut model, saved());
    assert!(drawn(&model).backend().to_string().contains("Esc gives up"));
    press(&mut model, [KeyCode::Char('q')]);
    let text = drawn(&model).backend().to_string();
    assert!(text.contains("appending to") && !text.contains("gives up"), "{text}");
}

#[test]
fn a_job_is_seen_although_something_was_noted_before() {
    let mut model = model(SIZES[0], true);
    press(&mut model, [KeyCode::Down, KeyCode::Char('+'), KeyCode::Char('e'), KeyCode::Enter]);
    let text = drawn(&model).backend().to_string();
    assert!(text.contains("exporting") && !text.contains("volume"), "{text}");
}

#[test]
fn a_take_of_another_year_has_the_year_in_the_place_of_the_time() {
    let mut model = model(SIZES[0], true);
    let of = |at| vec![take("old", Some(1), "wav", at)];
    for (at, shown) in [
        ("2020-01-01T10:02:00+01:00[Europe/Berlin]", "  01 Jan 2020"),
        ("2026-01-01T10:02:00+01:00[Europe/Berlin]", " 01 Jan 10:02"),
    ] {
        update(&mut model, Msg::Takes(of(at)));
        let text = drawn(&model).backend().to_string();
        assert!(text.contains(shown), "{text}");
    }
}

#[test]
fn a_take_that_does_not_tell_its_length_is_not_called_broken() {
    let mut model = model(SIZES[0], true);
    let mut streamed = take("streamed", None, "flac", "2026-11-16T08:00:00+01:00[Europe/Berlin]");
    streamed.clip.error = None;
    let raw = take("plain", None, "raw", "2026-11-16T08:00:00+01:00[Europe/Berlin]");
    for one in [streamed, raw.clone()] {
        update(&mut model, Msg::Takes(vec![one]));
        let text = drawn(&model).backend().to_string();
        assert!(text.contains("no length") && !text.contains("unreadable"), "{text}");
    }
    let broken = take("broken", None, "wav", "2026-11-16T08:00:00+01:00[Europe/Berlin]");
    update(&mut model, Msg::Takes(vec![broken]));
    assert!(drawn(&model).backend().to_string().contains("unreadable"));
}

#[test]
fn a_long_name_is_typed_with_the_cursor_in_sight() {
    let mut model = model(SIZES[1], true);
    press(&mut model, [KeyCode::Down, KeyCode::Char('n')]);
    press(&mut model, std::iter::repeat_n(KeyCode::Char('マ'), 60));
    let mut canvas = drawn(&model);
    let cursor = canvas.get_cursor_position().unwrap();
    assert_eq!(cursor.y, 8);
    assert!(cursor.x > 10 && cursor.x < 39, "{cursor:?}");
}

#[test]
fn a_letter_of_two_columns_does_not_reach_into_what_lies_over_it() {
    for shift in 0..2 {
        let mut model = model(SIZES[0], true);
        let name = format!("{}{}", "x".repeat(shift), "マ".repeat(30));
        let rows =
            (0..20).map(|n| take(&format!("{name}{n}"), Some(1), "wav", "2026-11-16T08:00:00+01:00[Europe/Berlin]"));
        update(&mut model, Msg::Takes(rows.collect()));
        press(&mut model, [KeyCode::Char('?')]);
        let canvas = drawn(&model);
        let buffer = canvas.backend().buffer();
        let edge = (0..80).find(|&x| buffer.cell((x, 12)).is_some_and(|cell| cell.symbol() == "│") && x > 0).unwrap();
        for y in 10..20 {
            let before = buffer.cell((edge - 1, y)).unwrap().symbol();
            assert_eq!((before.width(), buffer.cell((edge, y)).unwrap().symbol()), (1, "│"), "{shift} {y}");
        }
    }
}
