//! From a key to its action. Pure.

use crossterm::event::{KeyEvent, KeyEventKind, KeyModifiers};
use tui_input::Input;

use super::{Effect, cut, dictation, inputs, jobs, list, listening, markers, recording, say, travel};
use crate::tui::{
    app::{Dialog, Model, Place, Weight},
    keymap::{Action, Chord, When},
};

pub(super) fn press(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(action) = model.keymap.action(key, model.scene()) else {
        nothing_here(model, key);
        return Vec::new();
    };
    let far = key.modifiers.contains(KeyModifiers::SHIFT);
    if model.notices.shown.as_ref().is_some_and(|notice| notice.weight != Weight::Note || action == Action::Clear) {
        model.notices.shown = model.notices.hidden.take();
    }
    match (action, model.keymap.place(key, action)) {
        (Action::Tenth, Some(place)) => travel::tenth(model, place),
        _ => act(model, action, if far { SEEK_SECONDS_SHIFT } else { SEEK_SECONDS }),
    }
}

/// Reports why a key does nothing here.
fn nothing_here(model: &mut Model, key: KeyEvent) {
    if key.kind != KeyEventKind::Press {
        return;
    }
    let unicode = model.theme.unicode;
    let key_of = |action| model.keymap.key_of(action, unicode);
    let remedy = |action, what: &str| key_of(action).map_or_else(String::new, |key| format!("; {key} {what}"));
    let text = match model.keymap.when(key) {
        Some(When::Recording) => format!("nothing is being recorded{}", remedy(Action::Record, "records")),
        Some(When::Idle) => format!("a recording is running{}", remedy(Action::Stop, "stops it")),
        Some(When::Clips) => format!("that is a key of the list{}", remedy(Action::OtherPane, "goes there")),
        Some(When::Always) | None => {
            let name = Chord::pressed(key).name(unicode);
            format!("{name} does nothing{}", remedy(Action::Help, "lists the keys"))
        }
    };
    say(model, Weight::Note, text);
}

/// Seconds that the arrows seek, and with shift.
const SEEK_SECONDS: i32 = 5;
const SEEK_SECONDS_SHIFT: i32 = 30;

fn act(model: &mut Model, action: Action, seconds: i32) -> Vec<Effect> {
    let page = list::page(model);
    match action {
        Action::Record => return recording::record(model),
        Action::Append => return dictation::begin(model, |_| Some(Place::End)),
        Action::Overwrite => return dictation::begin(model, |at| at.map(Place::Overwrite)),
        Action::Insert => return dictation::begin(model, |at| at.map(Place::Insert)),
        Action::TogglePause => return recording::toggle(model),
        Action::Stop => return vec![Effect::Stop],
        Action::Mark => return markers::mark(model),
        Action::Markers => markers::list(model),
        Action::Discard => model.dialog = Some(Dialog::Discard),
        Action::OtherPane => model.pane = model.pane.other(),
        Action::NextPicture => model.live.picture = model.live.picture.next(),
        Action::Play => return listening::play(model),
        Action::Back | Action::Forward if recording::can_begin_earlier(model) => {
            return recording::move_start(model, if action == Action::Back { seconds } else { -seconds });
        }
        Action::Back => return listening::seek(model, -seconds),
        Action::Forward => return listening::seek(model, seconds),
        Action::PreviousMarker => return listening::previous_marker(model),
        Action::NextMarker => return listening::next_marker(model),
        Action::Tenth => return travel::tenth(model, 0),
        Action::GoTo => travel::ask(model),
        Action::ToStart if model.player.playing.is_some() => return travel::to_start(model),
        Action::ToEnd if model.player.playing.is_some() => return travel::to_end(model),
        Action::Closer => travel::zoom(model, true),
        Action::Wider => travel::zoom(model, false),
        Action::PreviousPause => return travel::hop(model, false),
        Action::NextPause => return travel::hop(model, true),
        Action::SkipSilence => return travel::skip_silence(model),
        Action::CutOut => return cut::begin(model, false),
        Action::KeepOnly => return cut::begin(model, true),
        Action::Slower => return listening::speed(model, -1.0),
        Action::Faster => return listening::speed(model, 1.0),
        Action::Softer => return listening::volume(model, -1.0),
        Action::Louder => return listening::volume(model, 1.0),
        Action::Repeat => return listening::repeat(model),
        Action::Up => list::select(model, |at, _| at.saturating_sub(1)),
        Action::Down => list::select(model, |at, _| at + 1),
        Action::PageUp => list::select(model, |at, _| at.saturating_sub(page)),
        Action::PageDown => list::select(model, |at, _| at + page),
        Action::Top | Action::ToStart => list::select(model, |_, _| 0),
        Action::Bottom | Action::ToEnd => list::select(model, |_, count| count),
        Action::Order => list::next_order(model),
        Action::Filter => model.dialog = Some(Dialog::Filter(Input::new(model.shelf.takes.filter.clone()))),
        Action::Rename => list::rename(model),
        Action::Delete => return list::delete(model),
        Action::Undo if model.shelf.undoable > 0 => return vec![Effect::Undo],
        Action::Undo => say(model, Weight::Note, "there is nothing to undo".to_owned()),
        Action::Export => jobs::choose(model),
        Action::Recover => return list::recover(model),
        Action::Inputs => return inputs::open(model),
        Action::Help => model.dialog = Some(Dialog::Help(0)),
        Action::Clear if model.shelf.job.is_some() => return vec![Effect::Cancel],
        Action::Clear => list::filter(model, String::new()),
        Action::Quit => return recording::leave(model),
    }
    Vec::new()
}
