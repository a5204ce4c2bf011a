//! Moving around in a long clip: tenths, a time, the ends, pauses, and the part of it that fills the screen. Pure.

use std::time::Duration;

use dictaphone::audio::time::frames_in;
use tui_input::Input;

use super::{Effect, needed, say};
use crate::{
    cli::duration,
    report::status,
    tui::app::{Detail, Dialog, Model, Playing, Stretch, Weight},
};

/// The least that fills the screen.
const ZOOM_MIN: Duration = Duration::from_secs(1);
/// How much is left visible behind the cursor when the picture follows it to the next part, as a part of the whole.
const BEHIND_CURSOR_DIVISOR: u32 = 8;

pub(super) fn tenth(model: &mut Model, tenth: usize) -> Vec<Effect> {
    let Some(length) = length(model) else { return Vec::new() };
    go(model, length.mul_f64(tenth as f64 / 10.0))
}

pub(super) fn to_start(model: &mut Model) -> Vec<Effect> {
    go(model, Duration::ZERO)
}

pub(super) fn to_end(model: &mut Model) -> Vec<Effect> {
    length(model).map_or_else(Vec::new, |length| go(model, length))
}

/// The length of the clip that is played; without one, the reason is reported.
fn length(model: &mut Model) -> Option<Duration> {
    let Playing { length, .. } = needed(model)?;
    if length.is_none() {
        say(model, Weight::Note, "the clip does not tell how long it is".to_owned());
    }
    length
}

/// Goes there. At the end it pauses, since playing on would end it.
fn go(model: &mut Model, place: Duration) -> Vec<Effect> {
    let Some(Playing { length, is_paused, .. }) = needed(model) else { return Vec::new() };
    let pause = (length == Some(place) && !is_paused).then_some(Effect::TogglePlay);
    pause.into_iter().chain([Effect::SeekTo(place)]).collect()
}

// ---- a time that is typed --------------------------------------------------------------------------------------------

pub(super) fn ask(model: &mut Model) {
    if needed(model).is_some() {
        model.dialog = Some(Dialog::GoTo { input: Input::default(), wrong: None });
    }
}

pub(super) fn answer(model: &mut Model, input: Input) -> Vec<Effect> {
    let Some(Playing { at, length, .. }) = needed(model) else { return Vec::new() };
    match place(input.value(), at, length) {
        Ok(None) => Vec::new(),
        Ok(Some(place)) => go(model, place),
        Err(wrong) => {
            model.dialog = Some(Dialog::GoTo { input, wrong: Some(wrong) });
            Vec::new()
        }
    }
}

/// The place that is meant by `1:20:00`, `90`, `+5m`, `-30` or `50%`, with the head at `at`; nothing by an empty text.
fn place(text: &str, at: Duration, length: Option<Duration>) -> Result<Option<Duration>, String> {
    let text = text.trim();
    let is_behind = |place: &Duration| length.is_some_and(|length| *place > length);
    let refuse = |place| {
        let end = length.map_or_else(String::new, |length| format!(", which is at {}", status::clock(length)));
        format!("{} is behind the end{end}", status::clock(place))
    };
    if text.is_empty() {
        return Ok(None);
    }
    let place = match (text.strip_suffix('%'), text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(percent), ..) => {
            let length = length.ok_or_else(|| "the clip does not tell how long it is".to_owned())?;
            let percent: Option<f64> = percent.trim().parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
            length.mul_f64(percent.ok_or_else(|| format!("`{text}` is not between 0% and 100%"))? / 100.0)
        }
        (_, Some(on), _) => at.saturating_add(position(on)?),
        (_, _, Some(back)) => at.saturating_sub(position(back)?),
        _ => position(text)?,
    };
    if is_behind(&place) { Err(refuse(place)) } else { Ok(Some(place)) }
}

fn position(text: &str) -> Result<Duration, String> {
    duration::parse_position(text).map_err(|_| format!("`{text}` is no time; write 1:20:00, +5m, -30 or 50%"))
}

// ---- pauses ----------------------------------------------------------------------------------------------------------

pub(super) fn hop(model: &mut Model, forward: bool) -> Vec<Effect> {
    if needed(model).is_some() { vec![Effect::Hop { forward }] } else { Vec::new() }
}

/// A pause was found, or there is none that way.
pub(super) fn hopped(model: &mut Model, forward: bool, to: Option<Duration>) -> Vec<Effect> {
    match (to, forward) {
        (Some(to), _) => {
            say(model, Weight::Note, format!("pause at {}", status::clock(to)));
            return vec![Effect::SeekTo(to)];
        }
        (None, true) => say(model, Weight::Note, "there is no pause behind this place".to_owned()),
        (None, false) => say(model, Weight::Note, "there is no pause before this place".to_owned()),
    }
    Vec::new()
}

pub(super) fn skip_silence(model: &mut Model) -> Vec<Effect> {
    model.player.skips = !model.player.skips;
    let text = if model.player.skips { "silence is skipped" } else { "silence is played" };
    say(model, Weight::Note, text.to_owned());
    vec![Effect::SkipSilence(model.player.skips)]
}

// ---- zoom ------------------------------------------------------------------------------------------------------------

pub(super) fn zoom(model: &mut Model, closer: bool) {
    let Some(whole) = length(model) else { return };
    let Some((shown, at)) = model.player.shown().zip(model.player.playing.as_ref().map(|playing| playing.at)) else {
        return;
    };
    let width = shown.length();
    if closer && width <= ZOOM_MIN {
        return say(model, Weight::Note, "closer than a second it does not get".to_owned());
    }
    if !closer && model.player.zoom.is_none() {
        return say(model, Weight::Note, "this is the whole clip".to_owned());
    }
    let width = if closer { (width / 2).max(ZOOM_MIN) } else { width.saturating_mul(2) };
    model.player.zoom = (width < whole).then(|| Stretch::around(at, width / 2, width, whole));
    match model.player.zoom {
        Some(_) => say(model, Weight::Note, format!("{} on the screen", status::clock(width))),
        None => say(model, Weight::Note, "the whole clip".to_owned()),
    }
}

/// Moves the picture with the head.
pub(super) fn follow(model: &mut Model) {
    let (Some(zoom), Some(playing)) = (model.player.zoom, &model.player.playing) else { return };
    let Some(whole) = playing.length else { return };
    if !zoom.contains(playing.at) {
        let width = zoom.length();
        model.player.zoom = Some(Stretch::around(playing.at, width / BEHIND_CURSOR_DIVISOR, width, whole));
    }
}

/// The part on the screen and to both sides of it, if what is known of it is too coarse and was not requested.
pub(super) fn ask_for_detail(model: &mut Model) -> Option<Effect> {
    let zoom = model.player.zoom?;
    let (outline, whole) = (model.player.outline_of_playing()?, model.player.playing.as_ref()?.length?);
    let columns = u64::from(model.size.columns).max(1) * 2;
    let frames = |length| frames_in(length, outline.rate);
    let needed = frames(zoom.length()) / columns;
    let is_fine = |frames_per_bin: u64| frames_per_bin > 0 && frames_per_bin <= needed.max(1);
    let path = outline.path.clone();
    let bins = dictaphone::clips::BINS_MAX as u64;
    let is_asked =
        model.player.asked.is_some_and(|asked| asked.covers(zoom) && is_fine(frames(asked.length()).div_ceil(bins)));
    if is_asked || is_fine(outline.waveform.frames_per_bin()) {
        return None;
    }
    let width = zoom.length();
    let stretch = Stretch { from: zoom.from.saturating_sub(width), to: (zoom.to + width).min(whole) };
    model.player.asked = Some(stretch);
    Some(Effect::Detail(path, stretch))
}

pub(super) fn detailed(model: &mut Model, detail: Detail) {
    // A newer request is still pending.
    if model.player.asked == Some(detail.stretch) {
        model.player.detail = Some(detail);
    }
}

/// Another clip, or none.
pub(super) fn forget(model: &mut Model) {
    (model.player.zoom, model.player.detail, model.player.asked) = (None, None, None);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_are_read_as_people_write_them() {
        let secs = Duration::from_secs;
        let (at, length) = (secs(600), Some(secs(6_000)));
        for (text, expected) in [
            ("", Ok(None)),
            ("  ", Ok(None)),
            ("1:20:00", Ok(Some(4_800))),
            ("90", Ok(Some(90))),
            ("1m30s", Ok(Some(90))),
            ("+5m", Ok(Some(900))),
            ("-30", Ok(Some(570))),
            ("-1h", Ok(Some(0))),
            ("50%", Ok(Some(3_000))),
            (" 100 % ", Ok(Some(6_000))),
            ("0", Ok(Some(0))),
            ("1:40:01", Err("behind the end, which is at 01:40:00.0")),
            ("+10h", Err("behind the end")),
            ("101%", Err("between 0% and 100%")),
            ("NaN%", Err("between 0% and 100%")),
            ("soon", Err("is no time")),
            ("٣", Err("is no time")),
            ("1:20:00:00", Err("is no time")),
        ] {
            let found = place(text, at, length);
            match (&found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(*found, expected.map(secs), "{text}"),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{text}: {found}"),
                _ => panic!("{text}: {found:?}"),
            }
        }
        assert!(place("50%", at, None).is_err());
        assert_eq!(place("9h", at, None), Ok(Some(secs(9 * 3_600))));
    }

    proptest! {
        #[test]
        fn any_text_is_a_place_in_the_clip_or_refused(text in "\\PC{0,12}", at in 0_u64..9_000, length in 0_u64..9_000) {
            let length = Duration::from_secs(length);
            if let Ok(Some(place)) = place(&text, Duration::from_secs(at), Some(length)) {
                prop_assert!(place <= length || text.trim_start().starts_with('-'));
            }
        }
    }
}
