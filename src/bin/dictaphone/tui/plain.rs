//! The screen as lines, one for each change, for screen readers and logs: no boxes, no pictures, nothing is drawn over.
//! Pure: a state before and after becomes the lines between them.

use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

use super::{
    app::{Deck, Dialog, InputLevel, InputRow, InputState, Job, Marked, Model, Weight},
    theme::Theme,
    view,
};
use crate::report::{quantity, status};

/// A head that is farther than this from where playing on would have brought it was moved.
const JUMP_MIN: Duration = Duration::from_millis(1_500);

/// What was reported so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Announced {
    /// What is reported anew when it changes, each about one thing.
    topics: Vec<String>,
    /// Where the head was, and when.
    head: Option<(Duration, Duration)>,
}

impl Announced {
    /// What has changed since the last time.
    pub(super) fn changes(&mut self, model: &Model) -> Vec<String> {
        let topics = topics(model);
        let before = std::mem::take(&mut self.topics);
        let changed = topics.iter().enumerate().filter(|(place, topic)| before.get(*place) != Some(topic));
        let lines = changed.map(|(_, topic)| topic.clone()).filter(|topic| !topic.is_empty());
        let mut lines: Vec<String> =
            lines.flat_map(|topic| topic.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        lines.extend(self.moved(model));
        let has_ended = |place: usize| {
            before.get(place).is_some_and(|topic| !topic.is_empty()) && topics.get(place).is_some_and(String::is_empty)
        };
        let has_begun =
            |place: usize| topics.get(place).is_some_and(|topic| !topic.is_empty() && before.get(place) != Some(topic));
        if has_ended(PLAYING) {
            lines.push("no clip is played any more".to_owned());
        }
        // What a dialog led to stands for its end. The selected clip may change at the same moment by chance.
        if has_ended(DIALOG) && ![DECK, PLAYING, JOB, NOTICE].into_iter().any(has_begun) {
            lines.push("closed".to_owned());
        }
        self.topics = topics;
        lines
    }

    /// The head was moved.
    fn moved(&mut self, model: &Model) -> Option<String> {
        let head = model.player.playing.as_ref().map(|playing| (playing.at, model.now, playing.is_paused));
        let before = std::mem::replace(&mut self.head, head.map(|(at, now, _)| (at, now)));
        let ((at, now, is_paused), (from, then)) = head.zip(before)?;
        let passed = if is_paused { Duration::ZERO } else { now.saturating_sub(then).mul_f64(model.player.speed) };
        (at.abs_diff(from + passed) > JUMP_MIN).then(|| format!("at {}", clock(at)))
    }
}

/// Places among the topics.
const DECK: usize = 1;
const PLAYING: usize = 2;
const DIALOG: usize = 4;
const JOB: usize = 6;
const NOTICE: usize = 7;

fn topics(model: &Model) -> Vec<String> {
    let text = |text: &str| text_of(model.theme, text);
    vec![
        device(model),
        deck(model),
        playing(model).map(|name| text(&name)).unwrap_or_default(),
        losses(model),
        dialog(model).map(|line| text(&line)).unwrap_or_default(),
        clip(model).map(|line| text(&line)).unwrap_or_default(),
        model.shelf.job.as_ref().map(|Job { what, .. }| text(what)).unwrap_or_default(),
        notice(model).map(|line| text(&line)).unwrap_or_default(),
    ]
}

/// Text from outside, made harmless, with its lines kept.
fn text_of(theme: Theme, lines: &str) -> String {
    lines.lines().map(|line| theme.text(line)).collect::<Vec<_>>().join("\n")
}

fn clock(time: Duration) -> String {
    quantity::length(time.as_secs_f64())
}

fn device(model: &Model) -> String {
    match &model.recorder.device {
        InputState::Opening => "opening the input".to_owned(),
        InputState::Missing => "NO INPUT".to_owned(),
        InputState::Open { .. } => format!("input: {}", view::device(model, usize::MAX)),
    }
}

fn deck(model: &Model) -> String {
    let recorder = &model.recorder;
    match recorder.deck {
        Deck::Idle if recorder.keeps.is_zero() => "ready".to_owned(),
        Deck::Idle => format!("ready, the last {} are kept in memory", quantity::span(recorder.keeps)),
        Deck::Waiting => "waiting for the first sound".to_owned(),
        // Once a minute, to show that it goes on.
        Deck::Recording if recorder.time.as_secs() >= 60 => format!("recorded {} min", recorder.time.as_secs() / 60),
        Deck::Recording => format!("recording {}", text_of(model.theme, &recorder.name)),
        Deck::Paused => format!("recording paused at {}", clock(recorder.time)),
        Deck::Saving => "saving".to_owned(),
    }
}

fn losses(model: &Model) -> String {
    match (model.recorder.lost, model.live.meter.clipped) {
        (0, 0) => String::new(),
        (0, _) => "the recording clips".to_owned(),
        (lost, _) => format!("{lost} frames lost"),
    }
}

fn playing(model: &Model) -> Option<String> {
    let playing = model.player.playing.as_ref()?;
    let name = playing.path.file_stem().unwrap_or_default().to_string_lossy();
    Some(match playing.is_paused {
        true => format!("{name} on hold at {}", clock(playing.at)),
        false => format!("playing {name}"),
    })
}

fn clip(model: &Model) -> Option<String> {
    let takes = &model.shelf.takes;
    if let Some(trouble) = &takes.trouble {
        return Some(trouble.clone());
    }
    let Some(take) = takes.current() else {
        return (takes.known && takes.all.is_empty()).then(|| "no clips yet; r records".to_owned());
    };
    let length = match (take.clip.error.is_some(), take.clip.duration_s) {
        (true, _) => ", unreadable".to_owned(),
        (false, Some(seconds)) => format!(", {}", quantity::length(seconds)),
        (false, None) => String::new(),
    };
    let format = take.clip.format.as_deref().map_or_else(String::new, |format| format!(", {format}"));
    let date = take.clip.recorded_at.as_ref().map_or_else(String::new, |at| at.strftime(", %d %b %H:%M").to_string());
    let place = format!("clip {} of {}", takes.selected + 1, takes.shown.len());
    Some(format!("{place}: {}{length}{format}{date}", take.clip.name))
}

fn notice(model: &Model) -> Option<String> {
    let notice = model.notices.shown.as_ref()?;
    let kind = match notice.weight {
        Weight::Note => "",
        Weight::Warning => "warning: ",
        Weight::Error => "error: ",
    };
    Some(format!("{kind}{}", notice.text))
}

fn dialog(model: &Model) -> Option<String> {
    Some(match model.dialog.as_ref()? {
        Dialog::Name { input, wrong: Some(wrong), .. } => format!("{wrong}\nname: {}", input.value()),
        Dialog::Name { input, fresh: true, untouched: true, .. } => {
            format!("saved; name: {}; type another, Enter or Esc keeps it", input.value())
        }
        Dialog::Name { input, .. } => format!("name: {}", input.value()),
        Dialog::Filter(input) => format!("show: {}", input.value()),
        Dialog::GoTo { input, wrong: Some(wrong) } => format!("{wrong}\ngo to: {}", input.value()),
        Dialog::GoTo { input, .. } => format!("go to: {}", input.value()),
        Dialog::Marker { of: Marked::New(_, at), input } => {
            format!("marker at {}; name: {}", status::clock(*at), input.value())
        }
        Dialog::Marker { input, .. } => format!("marker; name: {}", input.value()),
        Dialog::Markers { selected } => {
            let marks = model.player.outline_of_playing().map(|outline| outline.markers.as_slice()).unwrap_or_default();
            match marks.get(*selected) {
                Some(mark) => {
                    format!("marker {} of {}: {} {}", selected + 1, marks.len(), status::clock(mark.at), mark.text)
                }
                None => "no markers yet".to_owned(),
            }
        }
        Dialog::Discard => format!("delete the recording of {}, to the trash? y, n", clock(model.recorder.time)),
        Dialog::Inputs { rows: None, .. } => "looking for inputs".to_owned(),
        Dialog::Inputs { rows: Some(rows), selected } => match rows.get(*selected) {
            Some(row) => {
                let default = if row.is_default { ", the default" } else { "" };
                let deaf = if row.level == InputLevel::Nothing { ", cannot be opened" } else { "" };
                let (label, host, channels) = (&row.label, &row.host, channels(row));
                format!("input {} of {}: {label}, {host}{default}{deaf}{channels}", selected + 1, rows.len())
            }
            None => "no input was found".to_owned(),
        },
        Dialog::Export { formats, selected, .. } => {
            format!("export as {}; up, down, Enter, Esc", formats.get(*selected).copied().unwrap_or_default())
        }
        Dialog::Help(_) => help(model),
    })
}

/// Which channels of an input are to be kept.
fn channels(row: &InputRow) -> String {
    let count = row.peaks().len();
    match row.map() {
        _ if count < 2 => String::new(),
        Some(map) => format!(", channel {map} of {count}"),
        None => format!(", all {count} channels, digits choose"),
    }
}

/// Every key, a line each.
fn help(model: &Model) -> String {
    let row = |keys: String, what: &str| if keys.width() == 0 { String::new() } else { format!("{keys}: {what}\n") };
    let lines = model.keymap.rows().iter().map(|bound| row(bound.names(false), bound.binding.help));
    let fixed = super::keymap::FIXED.iter().take(2).map(|(keys, what)| row((*keys).to_owned(), what));
    lines.chain(fixed).collect::<String>() + "Esc ends the help"
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use dictaphone::audio::{AudioFormat, SampleFormat};

    use super::*;
    use crate::tui::{
        app::{Playing, Size},
        keymap::Keymap,
        update::{Counted, Look, Msg, update},
    };

    fn model() -> Model {
        let theme = Theme { unicode: true, colour: false, light: false };
        Model::new(theme, Size { columns: 80, rows: 24 }, "~/r".into(), "wav", Keymap::default())
    }

    fn key(model: &mut Model, code: KeyCode) {
        update(model, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    #[test]
    fn every_change_is_a_line_and_nothing_is_told_twice() {
        let (mut model, mut told) = (model(), Announced::default());
        assert_eq!(told.changes(&model), ["opening the input", "ready"]);
        let format = AudioFormat::new(48_000, 1, SampleFormat::S16);
        update(&mut model, Msg::Opened { name: "USB \u{1b}[2J".into(), format, note: None });
        update(&mut model, Msg::Takes(Vec::new()));
        assert_eq!(told.changes(&model), ["input: USB \\u{1b}[2J · 48 kHz mono · wav s16", "no clips yet; r records"]);
        assert_eq!(told.changes(&model), [""; 0]);
        update(&mut model, Msg::Started("a.wav".into()));
        let counted = |seconds| {
            let time = Duration::from_secs(seconds);
            Msg::Looked(Look {
                progress: Some(Counted { time, lost: 0, arrived: true, ..Counted::default() }),
                ..Look::default()
            })
        };
        for (seconds, line) in [(1, Some("recording a.wav")), (2, None), (59, None), (61, Some("recorded 1 min"))] {
            update(&mut model, counted(seconds));
            assert_eq!(told.changes(&model), line.into_iter().collect::<Vec<_>>(), "{seconds}");
        }
        update(&mut model, Msg::Paused);
        assert_eq!(told.changes(&model), ["recording paused at 00:01:01"]);
        key(&mut model, KeyCode::Char('x'));
        assert_eq!(told.changes(&model), ["delete the recording of 00:01:01, to the trash? y, n"]);
        update(&mut model, Msg::Missing("the microphone is gone".into()));
        let lines = told.changes(&model);
        assert!(lines.contains(&"NO INPUT".to_owned()), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("error: the microphone is gone")), "{lines:?}");
    }

    #[test]
    fn a_head_that_is_moved_is_told_and_one_that_plays_on_is_not() {
        let (mut model, mut told) = (model(), Announced::default());
        let mut play = |seconds: u64, now: u64, is_paused| {
            let (at, length) = (Duration::from_secs(seconds), Some(Duration::from_secs(900)));
            let playing = Playing { path: "/r/a.wav".into(), at, length, is_paused, peak: 0.0 };
            let now = Duration::from_secs(now);
            update(&mut model, Msg::Looked(Look { playing: Some(playing), now, ..Look::default() }));
            told.changes(&model)
        };
        assert!(play(0, 0, false).contains(&"playing a".to_owned()));
        assert_eq!(play(1, 1, false), [""; 0]);
        assert_eq!(play(2, 2, false), [""; 0]);
        assert_eq!(play(32, 3, false), ["at 00:00:32"]);
        assert_eq!(play(33, 4, true), ["a on hold at 00:00:33"]);
    }

    #[test]
    fn that_a_clip_has_come_to_its_end_and_a_dialog_is_closed_is_told() {
        let (mut model, mut told) = (model(), Announced::default());
        told.changes(&model);
        key(&mut model, KeyCode::Char('?'));
        told.changes(&model);
        key(&mut model, KeyCode::Esc);
        assert_eq!(told.changes(&model), ["closed"]);
        key(&mut model, KeyCode::Char('?'));
        told.changes(&model);
        key(&mut model, KeyCode::Esc);
        update(&mut model, Msg::Takes(Vec::new()));
        assert_eq!(told.changes(&model), ["no clips yet; r records", "closed"]);
        let length = Some(Duration::from_secs(9));
        let playing = Playing { path: "/r/a.wav".into(), at: Duration::ZERO, length, is_paused: false, peak: 0.0 };
        update(&mut model, Msg::Looked(Look { playing: Some(playing), ..Look::default() }));
        assert_eq!(told.changes(&model), ["playing a"]);
        update(&mut model, Msg::Looked(Look::default()));
        assert_eq!(told.changes(&model), ["no clip is played any more"]);
        assert_eq!(told.changes(&model), [""; 0]);
    }

    #[test]
    fn the_help_has_every_key_and_no_line_has_a_box_or_a_dot_pattern() {
        let (mut model, mut told) = (model(), Announced::default());
        key(&mut model, KeyCode::Char('?'));
        let lines = told.changes(&model);
        for bound in model.keymap.rows() {
            assert!(lines.iter().any(|line| line.ends_with(bound.binding.help)), "{}", bound.binding.help);
        }
        let is_drawn = |c: char| matches!(c, '\u{2500}'..='\u{259f}' | '\u{2800}'..='\u{28ff}');
        assert!(!lines.concat().contains(is_drawn));
    }
}
