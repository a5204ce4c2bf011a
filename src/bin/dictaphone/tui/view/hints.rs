//! The keys of the moment, for the bottom line: what the user may want now comes first, and what does not fit is left
//! out. Only keys that have a meaning now are shown. Pure.

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use crate::tui::{
    app::{Deck, Dialog, Kind, Model, Playing, Repeat},
    keymap::{Action, Scene},
    update::recording,
};

/// Actions that the user may want, and the word for them.
type Hint = (&'static [Action], &'static str);

const EMPTY: &[Hint] = &[(&[Action::Record], "record"), (&[Action::Inputs], "input"), (&[Action::NextPicture], "view")];
const IDLE: &[Hint] = &[
    (&[Action::Record], "record"),
    (&[Action::Play], "play"),
    (&[Action::Recover], "recover"),
    (&[Action::Rename], "rename"),
    (&[Action::Delete], "delete"),
    (&[Action::Undo], "undo"),
    (&[Action::Inputs], "input"),
    (&[Action::Filter], "filter"),
    (&[Action::Append], "append"),
    (&[Action::Export], "export"),
    (&[Action::Order], "sort"),
    (&[Action::NextPicture], "view"),
];
const RECORDING: &[Hint] = &[
    (&[Action::Back, Action::Forward], "start earlier"),
    (&[Action::TogglePause], "pause"),
    (&[Action::Stop], "stop"),
    (&[Action::Mark], "marker"),
    (&[Action::Discard], "delete"),
    (&[Action::OtherPane], "list"),
    (&[Action::NextPicture], "view"),
];
const PAUSED: &[Hint] = &[
    (&[Action::TogglePause], "resume"),
    (&[Action::Stop], "stop"),
    (&[Action::Mark], "marker"),
    (&[Action::Discard], "delete"),
    (&[Action::OtherPane], "list"),
    (&[Action::NextPicture], "view"),
];
const LIST: &[Hint] = &[
    (&[Action::Play], "play"),
    (&[Action::Stop], "stop"),
    (&[Action::Mark], "marker"),
    (&[Action::OtherPane], "recording"),
    (&[Action::Filter], "filter"),
    (&[Action::Rename], "rename"),
];
const PART: &[Hint] = &[
    (&[Action::CutOut], "cut out A-B"),
    (&[Action::KeepOnly], "keep only A-B"),
    (&[Action::Repeat], "repeat no more"),
    (&[Action::Play], "play"),
    (&[Action::Back, Action::Forward], "seek"),
    (&[Action::Undo], "undo"),
    (&[Action::Closer, Action::Wider], "zoom"),
];
const PLAYING: &[Hint] = &[
    (&[Action::Play], "pause"),
    (&[Action::Back, Action::Forward], "seek"),
    (&[Action::PreviousPause, Action::NextPause], "pauses"),
    (&[Action::GoTo], "go to"),
    (&[Action::Mark], "marker"),
    (&[Action::Repeat], "repeat"),
    (&[Action::Closer, Action::Wider], "zoom"),
    (&[Action::Slower, Action::Faster], "speed"),
    (&[Action::SkipSilence], "skip silence"),
    (&[Action::Record], "record"),
    (&[Action::PreviousMarker, Action::NextMarker], "markers"),
];
const HELD: &[Hint] = &[
    (&[Action::Play], "play"),
    (&[Action::Back, Action::Forward], "seek"),
    (&[Action::Overwrite], "overwrite"),
    (&[Action::Insert], "insert"),
    (&[Action::Append], "append"),
    (&[Action::Undo], "undo"),
    (&[Action::Repeat], "repeat"),
    (&[Action::Mark], "marker"),
    (&[Action::GoTo], "go to"),
    (&[Action::PreviousPause, Action::NextPause], "pauses"),
    (&[Action::Closer, Action::Wider], "zoom"),
    (&[Action::Record], "record"),
];
const LEAVE: Hint = (&[Action::Quit], "quit");

fn of_the_moment(model: &Model) -> &'static [Hint] {
    match (model.recorder.deck, model.scene(), &model.player.playing, model.player.repeat) {
        (Deck::Paused, Scene::Recorder, ..) => PAUSED,
        (_, Scene::Recorder, ..) => RECORDING,
        (_, Scene::Clips, None, _) => LIST,
        (_, _, Some(_), Repeat::Between(..)) => PART,
        (_, _, Some(Playing { is_paused: false, .. }), _) => PLAYING,
        (_, _, Some(_), _) => HELD,
        (_, _, None, _) if model.shelf.takes.all.is_empty() => EMPTY,
        (_, _, None, _) => IDLE,
    }
}

/// Whether it would have an effect.
fn is_of_use(model: &Model, action: Action) -> bool {
    match action {
        Action::Undo => model.shelf.undoable > 0,
        Action::Back | Action::Forward if model.scene() == Scene::Recorder => recording::can_begin_earlier(model),
        Action::Recover => model.shelf.takes.current().is_some_and(|take| take.kind == Kind::Unfinished),
        _ => model.keymap.active(model.scene()).any(|bound| bound.binding.action == action && !bound.keys.is_empty()),
    }
}

/// The keys of a hint as they are shown, `None` if one of them has none.
fn keys(model: &Model, actions: &[Action]) -> Option<String> {
    let unicode = model.theme.unicode;
    let names: Option<Vec<String>> = actions.iter().map(|&action| model.keymap.key_of(action, unicode)).collect();
    let names = names?;
    let are_short = names.iter().all(|name| name.width() == 1);
    Some(names.join(if are_short { "" } else { " " }))
}

const ARROWS: &str = "↑↓";

/// The keys of a dialog in which something is chosen, those that matter most first.
fn of_dialog(model: &Model) -> Option<&'static [(&'static str, &'static str)]> {
    Some(match model.dialog.as_ref()? {
        Dialog::Help(_) => &[(ARROWS, "scroll"), ("Esc", "close")],
        Dialog::Inputs { .. } => &[("Enter", "take"), ("Esc", "close"), (ARROWS, "choose")],
        Dialog::Markers { .. } => {
            &[("Enter", "go there"), ("Esc", "close"), (ARROWS, "choose"), ("n", "name"), ("d", "delete")]
        }
        Dialog::Export { .. } => &[("Enter", "export"), ("Esc", "close"), (ARROWS, "choose")],
        _ => return None,
    })
}

/// As many as there is room for; help and quit always, and how many keys more the help has.
pub(super) fn line(model: &Model, columns: usize) -> Line<'static> {
    if let Some(keys) = of_dialog(model) {
        let (mut left, mut spans) = (columns, Vec::new());
        for (name, word) in keys {
            let name = if *name == ARROWS && !model.theme.unicode { "j k" } else { name };
            if let Some(rest) = left.checked_sub(name.width() + 1 + word.width()) {
                left = rest.saturating_sub(2);
                spans.extend([Span::styled(name, model.theme.key()), Span::raw(format!(" {word}  "))]);
            }
        }
        return Line::from(spans);
    }
    let known = of_the_moment(model).iter().filter(|(actions, _)| actions.iter().all(|&one| is_of_use(model, one)));
    let known: Vec<(String, &str, usize)> =
        known.filter_map(|&(actions, word)| Some((keys(model, actions)?, word, actions.len()))).collect();
    let width = |key: &str, word: &str| key.width() + 1 + word.width() + 2;
    let quit = keys(model, LEAVE.0).map(|key| (key, LEAVE.1));
    let help = keys(model, &[Action::Help]);
    let all = model.keymap.rows().iter().filter(|bound| !bound.keys.is_empty()).count();
    // As wide as it can become.
    let ends = quit.as_ref().map_or(0, |(key, word)| width(key, word))
        + help.as_ref().map_or(0, |key| width(key, &format!("help +{all}")));
    let mut left = columns.saturating_sub(ends);
    let (mut spans, mut told) = (Vec::new(), 2);
    let mut push = |key: String, word: &str| {
        spans.push(Span::styled(key, model.theme.key()));
        spans.push(Span::raw(format!(" {word}  ")));
    };
    for (key, word, count) in known {
        if let Some(rest) = left.checked_sub(width(&key, word)) {
            left = rest;
            told += count;
            push(key, word);
        }
    }
    if let Some(key) = help {
        push(key, &format!("help +{}", all.saturating_sub(told)));
    }
    if let Some((key, word)) = quit {
        push(key, word);
    }
    Line::from(spans)
}

/// The room that the line takes at least.
pub(super) const COLUMNS_MIN: usize = 22;
