//! Moving around in a long clip.

use dictaphone::clips::{Waveform, draw::Scale};

use super::*;

const HOURS: Duration = Duration::from_secs(3 * 3_600);

fn playing(at: Duration, is_paused: bool) -> Msg {
    let playing = Playing { path: "/r/a.wav".into(), at, length: Some(HOURS), is_paused, peak: 0.0 };
    Msg::Looked(Look { playing: Some(playing), ..Look::default() })
}

/// A clip of three hours whose picture is known.
fn lecture() -> Model {
    let mut model = with_takes(&["a"]);
    update(&mut model, playing(Duration::from_secs(60), false));
    let mut outline = dictaphone::clips::Outline::new(Some(HOURS.as_secs() * 1_000));
    (0..HOURS.as_secs()).for_each(|_| outline.push(&[0.1; 1_000], 1));
    let (waveform, scale, frames) = (outline.finish(), Scale::FULL, Some(HOURS.as_secs() * 1_000));
    let outline = Outline { path: "/r/a.wav".into(), waveform, scale, frames, rate: 1_000, markers: Vec::new() };
    update(&mut model, Msg::Outlined(outline));
    model
}

#[test]
fn a_long_clip_is_travelled_with_single_keys() {
    let to = |seconds| Effect::SeekTo(Duration::from_secs(seconds));
    for (code, expected) in [
        (KeyCode::Char('0'), vec![to(0)]),
        (KeyCode::Char('5'), vec![to(5_400)]),
        (KeyCode::Char('9'), vec![to(9_720)]),
        (KeyCode::Home, vec![to(0)]),
        (KeyCode::End, vec![Effect::TogglePlay, to(10_800)]),
        (KeyCode::Char('<'), vec![Effect::Hop { forward: false }]),
        (KeyCode::Char('>'), vec![Effect::Hop { forward: true }]),
        (KeyCode::Char('K'), vec![Effect::SkipSilence(true)]),
    ] {
        assert_eq!(press(&mut lecture(), [code]), expected, "{code:?}");
    }
    let mut held = lecture();
    update(&mut held, playing(Duration::from_secs(60), true));
    assert_eq!(press(&mut held, [KeyCode::End]), [to(10_800)], "it waits already");
    assert_eq!(update(&mut held, Msg::Hopped { forward: true, to: Some(Duration::from_secs(9)) }), [to(9)]);
    assert_eq!(update(&mut held, Msg::Hopped { forward: true, to: None }), []);
    assert!(said(&held).is_some_and(|(_, text)| text.contains("no pause behind")));
}

#[test]
fn a_key_after_a_seek_applies_to_the_place_that_was_requested() {
    let a = |model: &Model| model.player.repeat;
    let (from, to) = (Duration::from_secs(60), Duration::from_secs(5_400));
    let mut model = lecture();
    press(&mut model, [KeyCode::Char('5')]);
    // The player has not moved yet.
    update(&mut model, playing(from, true));
    press(&mut model, [KeyCode::Char('b')]);
    assert_eq!(a(&model), Repeat::From(to));
    // Once it was there, its reports count, and so they do where it never gets there.
    update(&mut model, playing(to, true));
    update(&mut model, playing(from, true));
    assert_eq!(model.player.playing.as_ref().unwrap().at, from);
    press(&mut model, [KeyCode::Char('5')]);
    let Msg::Looked(look) = playing(from, true) else { unreachable!() };
    let now = model.now + Duration::from_secs(2);
    update(&mut model, Msg::Looked(Look { now, ..look }));
    assert_eq!(model.player.playing.as_ref().unwrap().at, from);
}

#[test]
fn without_a_clip_that_is_played_these_keys_say_so_and_the_ends_are_those_of_the_list() {
    for code in ['0', ':', '<', '>', 'z', 'Z', 'b', '[', ',', 'c'] {
        let mut model = with_takes(&["a"]);
        assert_eq!(press(&mut model, [KeyCode::Char(code)]), [], "{code}");
        let told = said(&model).map(|(_, text)| text);
        assert_eq!(told, Some("no clip is being played; ␣ plays the one under the cursor"), "{code}");
        assert!(model.dialog.is_none());
    }
    let mut model = with_takes(&["a", "b", "c"]);
    press(&mut model, [KeyCode::End]);
    assert_eq!(current(&model), Some("c"));
    press(&mut model, [KeyCode::Home]);
    assert_eq!(current(&model), Some("a"));
}

#[test]
fn a_time_that_is_typed_is_gone_to_or_refused() {
    let mut model = lecture();
    let text = |text: &str| text.chars().map(KeyCode::Char).collect::<Vec<_>>();
    press(&mut model, text(":1:20:00"));
    assert_eq!(press(&mut model, [KeyCode::Enter]), [Effect::SeekTo(Duration::from_secs(4_800))]);
    assert!(model.dialog.is_none());
    press(&mut model, text(":9h"));
    assert_eq!(press(&mut model, [KeyCode::Enter]), []);
    let wrong = |model: &Model| matches!(&model.dialog, Some(Dialog::GoTo { wrong: Some(_), .. }));
    assert!(wrong(&model), "what was typed stays");
    press(&mut model, [KeyCode::Backspace]);
    assert!(!wrong(&model));
    assert_eq!(press(&mut model, [KeyCode::Esc]), []);
    press(&mut model, [KeyCode::Char(':')]);
    assert_eq!(press(&mut model, [KeyCode::Enter]), [], "nowhere");
    assert!(model.dialog.is_none());
    // The clip is over while a time is typed.
    press(&mut model, text(":1"));
    update(&mut model, Msg::Looked(Look::default()));
    assert_eq!(press(&mut model, [KeyCode::Enter]), []);
}

#[test]
fn the_picture_is_enlarged_around_the_head_and_follows_it() {
    let mut model = lecture();
    let at = Duration::from_secs(5_400);
    update(&mut model, playing(at, false));
    press(&mut model, [KeyCode::Char('z')]);
    let shown = |model: &Model| model.player.shown().unwrap();
    let half = Stretch { from: Duration::from_secs(2_700), to: Duration::from_secs(8_100) };
    assert_eq!(shown(&model), half);
    let details = press(&mut model, [KeyCode::Char('z'); 40]);
    assert_eq!(shown(&model).length(), Duration::from_secs(1));
    assert!(shown(&model).contains(at));
    assert!(said(&model).is_some_and(|(_, text)| text.contains("closer than a second")));
    let Some(Effect::Detail(_, stretch)) = details.last().cloned() else { panic!("no detail was asked for") };
    assert!(stretch.covers(shown(&model)));
    assert!(details.len() < 14, "and not again and again: {}", details.len());
    let detail = Detail { path: "/r/a.wav".into(), stretch, waveform: Waveform::default() };
    update(&mut model, Msg::Detailed(detail.clone()));
    assert_eq!(model.player.detail, Some(detail));
    update(&mut model, playing(Duration::from_secs(5_403), false));
    assert!(shown(&model).contains(Duration::from_secs(5_403)), "the picture follows");
    update(&mut model, playing(HOURS, false));
    assert_eq!(shown(&model).to, HOURS);
    press(&mut model, [KeyCode::Char('Z'); 40]);
    assert_eq!((model.player.zoom, shown(&model).length()), (None, HOURS));
    // An enlarged part of one clip does not apply to another.
    press(&mut model, [KeyCode::Char('z')]);
    update(&mut model, playing_at("b", 0));
    assert_eq!((model.player.zoom, model.player.detail.clone()), (None, None));
}

#[test]
fn a_key_that_does_nothing_here_says_why() {
    for (mut model, code, words) in [
        (model(), 's', "nothing is being recorded; r records"),
        (model(), 'x', "nothing is being recorded; r records"),
        (recording(), 'r', "a recording is running; s stops it"),
        (model(), '%', "% does nothing; ? lists the keys"),
    ] {
        assert_eq!(press(&mut model, [KeyCode::Char(code)]), [], "{code}");
        assert_eq!(said(&model), Some((Weight::Note, words)), "{code}");
    }
}

#[test]
fn a_filter_has_words_in_any_order_case_and_accent() {
    let mut model = with_takes(&["Budget Zoë", "zoe lunch", "budget"]);
    press(&mut model, "/zoe BUD".chars().map(KeyCode::Char));
    assert_eq!((model.shelf.takes.shown.len(), current(&model)), (1, Some("Budget Zoë")));
}

#[test]
fn typing_replaces_a_suggested_name_and_arrows_edit_it() {
    let name = |keys: &[KeyCode]| {
        let mut model = recording();
        update(&mut model, saved());
        press(&mut model, keys.iter().copied());
        match model.dialog {
            Some(Dialog::Name { input, .. }) => input.value().to_owned(),
            _ => panic!("no name is asked for"),
        }
    };
    for (keys, expected) in [
        (&[KeyCode::Char('x'), KeyCode::Char('y')][..], "xy"),
        (&[KeyCode::Backspace, KeyCode::Char('y')], "y"),
        (&[KeyCode::Left, KeyCode::Char('y')], "ya"),
        (&[KeyCode::End, KeyCode::Char('y')], "ay"),
        (&[], "a"),
    ] {
        assert_eq!(name(keys), expected, "{keys:?}");
    }
    let mut model = recording();
    update(&mut model, saved());
    update(&mut model, Msg::Paste("pasted".into()));
    assert!(matches!(&model.dialog, Some(Dialog::Name { input, .. }) if input.value() == "pasted"));
}
