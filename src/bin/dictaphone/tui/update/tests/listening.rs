//! Playing: speed, volume, the part that is repeated, markers, the mouse in the waveform.

use dictaphone::clips::{Waveform, draw::Scale};

use super::*;

/// The waveform and markers of a clip that has markers there, in milliseconds.
pub(super) fn outline_of(name: &str, markers: &[u64]) -> Outline {
    let path = format!("/r/{name}.wav").into();
    let mark = |&millis: &u64| Mark { at: Duration::from_millis(millis), text: String::new() };
    let markers = markers.iter().map(mark).collect();
    Outline { path, waveform: Waveform::default(), scale: Scale::FULL, frames: None, rate: 48_000, markers }
}

#[test]
fn what_is_played_is_paused_sought_and_hurried() {
    let mut model = with_takes(&["a", "b"]);
    update(&mut model, playing_at("a", 3_000));
    let shift = |code| Msg::Key(KeyEvent::new(code, KeyModifiers::SHIFT));
    for (msg, expected) in [
        (key(KeyCode::Char(' ')), Effect::TogglePlay),
        (key(KeyCode::Left), Effect::Seek(-5)),
        (key(KeyCode::Right), Effect::Seek(5)),
        (shift(KeyCode::Left), Effect::Seek(-30)),
        (shift(KeyCode::Right), Effect::Seek(30)),
        (key(KeyCode::Char('[')), Effect::Speed(0.9)),
        (key(KeyCode::Char(']')), Effect::Speed(1.0)),
        (key(KeyCode::Char(']')), Effect::Speed(1.1)),
        (key(KeyCode::Char('+')), Effect::Volume(1.1)),
        (key(KeyCode::Char('=')), Effect::Volume(1.2)),
        (key(KeyCode::Char('-')), Effect::Volume(1.1)),
    ] {
        assert_eq!(update(&mut model, msg.clone()), [expected], "{msg:?}");
    }
    press(&mut model, [KeyCode::Down]);
    assert_eq!(press(&mut model, [KeyCode::Enter]), [Effect::Play("/r/b.wav".into())], "another one");
    update(&mut model, playing_at("b", 0));
    assert_eq!(
        (model.player.speed, model.player.volume),
        (1.0, 1.1),
        "the speed was that of one clip, the volume stays"
    );
}

#[test]
fn speed_and_volume_have_their_ends() {
    let mut model = with_takes(&["a"]);
    update(&mut model, playing_at("a", 0));
    for (code, last) in [
        (KeyCode::Char(']'), Effect::Speed(3.0)),
        (KeyCode::Char('['), Effect::Speed(0.5)),
        (KeyCode::Char('+'), Effect::Volume(2.0)),
        (KeyCode::Char('-'), Effect::Volume(0.0)),
    ] {
        assert_eq!(press(&mut model, [code; 40]).last(), Some(&last));
    }
}

#[test]
fn a_part_is_repeated_from_a_to_b_and_then_no_more() {
    let millis = Duration::from_millis;
    for (a, b) in [(2_000, 5_000), (5_000, 2_000)] {
        let mut model = with_takes(&["a"]);
        update(&mut model, playing_at("a", a));
        assert_eq!(press(&mut model, [KeyCode::Char('b')]), []);
        assert_eq!(model.player.repeat, Repeat::From(millis(a)));
        update(&mut model, playing_at("a", b));
        let part = (millis(2_000), millis(5_000));
        assert_eq!(press(&mut model, [KeyCode::Char('b')]), [Effect::Repeat(Some(part))]);
        assert_eq!(model.player.repeat, Repeat::Between(part.0, part.1));
        assert_eq!(press(&mut model, [KeyCode::Char('b')]), [Effect::Repeat(None)]);
        assert_eq!(model.player.repeat, Repeat::Off);
    }
    let mut model = with_takes(&["a"]);
    update(&mut model, playing_at("a", 1_000));
    press(&mut model, [KeyCode::Char('b'), KeyCode::Char('b')]);
    assert_eq!(model.player.repeat, Repeat::Off, "a part without length is none");
    press(&mut model, [KeyCode::Char('b')]);
    update(&mut model, playing_at("b", 0));
    assert_eq!(model.player.repeat, Repeat::Off, "another clip");
}

#[test]
fn markers_are_gone_to_in_both_directions() {
    let millis = Duration::from_millis;
    for (at, code, expected) in [
        (0, '.', Some(1_000)),
        (1_000, '.', Some(4_000)),
        (4_000, '.', None),
        (9_000, ',', Some(4_000)),
        (4_000, ',', Some(1_000)),
        (1_000, ',', None),
    ] {
        let mut model = with_takes(&["a"]);
        update(&mut model, Msg::Outlined(outline_of("a", &[1_000, 4_000])));
        update(&mut model, playing_at("a", at));
        let effects = press(&mut model, [KeyCode::Char(code)]);
        assert_eq!(
            effects,
            expected.map(|at| Effect::SeekTo(millis(at))).into_iter().collect::<Vec<_>>(),
            "{at} {code}"
        );
        assert!(model.notices.shown.is_some());
    }
    let mut model = with_takes(&["a", "b"]);
    update(&mut model, Msg::Outlined(outline_of("b", &[1_000])));
    update(&mut model, playing_at("a", 0));
    assert_eq!(press(&mut model, [KeyCode::Char('.')]), [], "those are of another clip");
}

#[test]
fn a_clip_is_played_while_another_is_recorded() {
    let mut model = with_takes(&["a"]);
    update(&mut model, playing_at("a", 0));
    assert_eq!(press(&mut model, [KeyCode::Char('r')]), [Effect::Start], "what plays goes on");
    let mut model = recording();
    update(&mut model, takes(&["a"]));
    assert_eq!(press(&mut model, [KeyCode::Char(' ')]), [Effect::Pause]);
    assert_eq!(press(&mut model, [KeyCode::Tab, KeyCode::Char(' ')]), [Effect::Play("/r/a.wav".into())]);
    assert_eq!(press(&mut model, [KeyCode::Enter]), [Effect::Play("/r/a.wav".into())]);
    assert_eq!(press(&mut model, [KeyCode::Char('s')]), [Effect::Stop], "which no clip has");
    assert_eq!(press(&mut model, [KeyCode::Tab, KeyCode::Enter]), [Effect::Stop]);
    update(&mut model, Msg::Ended);
    update(&mut model, Msg::Started("b.wav".into()));
    assert_eq!(press(&mut model, [KeyCode::Char(' ')]), [Effect::Pause], "the next recording has the keys");
}

#[test]
fn nothing_is_played_out_of_the_trash() {
    let mut model = with_takes(&["a"]);
    update(&mut model, playing_at("a", 0));
    assert_eq!(press(&mut model, [KeyCode::Char('d')]), [Effect::StopPlaying, Effect::Delete("/r/a.wav".into())]);
}

#[test]
fn a_click_in_the_waveform_goes_there_and_dragging_repeats() {
    let mut model = with_takes(&["a"]);
    let picture = layout::areas(model.size).unwrap().picture;
    let mouse =
        |kind, x: u16| Msg::Mouse(MouseEvent { kind, column: x, row: picture.y, modifiers: KeyModifiers::NONE });
    let (down, drag, up) = (
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Drag(MouseButton::Left),
        MouseEventKind::Up(MouseButton::Left),
    );
    update(&mut model, playing_at("a", 0));
    let (first, last) = (picture.x, picture.x + picture.width - 1);
    assert_eq!(update(&mut model, mouse(down, first)), [Effect::SeekTo(Duration::ZERO)]);
    assert_eq!(
        update(&mut model, mouse(drag, last + 1)),
        [Effect::Repeat(Some((Duration::ZERO, Duration::from_secs(10))))]
    );
    assert_eq!(update(&mut model, mouse(drag, first)), [], "no part");
    update(&mut model, mouse(up, last));
    assert_eq!(update(&mut model, mouse(drag, last)), [], "the button is up");
    assert_eq!(update(&mut model, mouse(down, last)), [Effect::SeekTo(Duration::from_secs(10))]);
    assert_eq!(model.live.picture, Picture::Waveform);
}

#[test]
fn while_something_is_recorded_both_pictures_share_the_place() {
    let mut model = with_takes(&["a"]);
    let area = layout::areas(model.size).unwrap().picture;
    let shares = |model: &Model| {
        let pictures = layout::pictures(area, model);
        (pictures.live.map(|area| area.height), pictures.clip.map(|area| area.height))
    };
    assert_eq!(shares(&model), (Some(5), None));
    update(&mut model, playing_at("a", 0));
    assert_eq!(shares(&model), (None, Some(5)));
    update(&mut model, Msg::Started("b.wav".into()));
    update(&mut model, playing_at("a", 0));
    assert_eq!(shares(&model), (Some(3), Some(2)));
    press(&mut model, [KeyCode::Char('v')]);
    assert_eq!(shares(&model), (Some(5), None), "another picture is only live");
}

#[test]
fn a_clip_that_is_renamed_plays_on_as_it_did() {
    let millis = Duration::from_millis;
    let mut model = with_takes(&["a", "b"]);
    update(&mut model, playing_at("a", 2_000));
    press(&mut model, [']', ']', '+', 'b'].map(KeyCode::Char));
    update(&mut model, playing_at("a", 3_000));
    press(&mut model, [KeyCode::Char('b')]);
    update(&mut model, Msg::Outlined(outline_of("a", &[1, 500])));
    update(&mut model, Msg::Renamed { from: "/r/a.wav".into(), to: "/r/c.wav".into() });
    update(&mut model, playing_at("c", 2_500));
    let part = Repeat::Between(millis(2_000), millis(3_000));
    assert_eq!((model.player.speed, model.player.volume, model.player.repeat), (1.2, 1.1, part));
    assert_eq!(model.player.playing.as_ref().map(|playing| playing.at), Some(millis(2_500)));
    assert!(model.player.outline_of_playing().is_some());
    assert_eq!(press(&mut model, [KeyCode::Char(' ')]), [Effect::TogglePlay], "it is the clip under the cursor");
}

#[test]
fn raw_samples_are_not_played_and_it_is_said_why() {
    let mut model = model();
    let why = "/r/a.raw holds raw samples, which do not say their rate and format";
    update(&mut model, Msg::Takes(vec![unreadable("a", "raw", why)]));
    assert_eq!(press(&mut model, [KeyCode::Enter]), []);
    assert_eq!(said(&model), Some((Weight::Warning, why)));
    // Another one may have been mended, which opening it shows.
    update(&mut model, Msg::Takes(vec![unreadable("a", "wav", "damaged")]));
    assert_eq!(press(&mut model, [KeyCode::Enter]), [Effect::Play("/r/a.wav".into())]);
}
