//! From a key to what it asks for. Pure.

use crossterm::event::{KeyEvent, KeyEventKind, KeyModifiers};
use tui_input::Input;

use super::{Effect, dialogs, dictation, inputs, jobs, list, listening, recording, say};
use crate::tui::{
    app::{Dialog, Model, Place, Weight},
    keymap::Action,
};

pub(super) fn press(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release || model.leaving {
        return Vec::new();
    }
    if model.dialog.is_some() {
        return dialogs::press(model, key);
    }
    let Some(action) = model.keymap.action(key, model.scene()) else { return Vec::new() };
    let far = key.modifiers.contains(KeyModifiers::SHIFT);
    if model.notices.shown.as_ref().is_some_and(|notice| notice.weight != Weight::Note || action == Action::Clear) {
        model.notices.shown = model.notices.hidden.take();
    }
    act(model, action, if far { FAR } else { NEAR })
}

/// Seconds that the arrows seek, and with shift.
const NEAR: i32 = 5;
const FAR: i32 = 30;

fn act(model: &mut Model, action: Action, seconds: i32) -> Vec<Effect> {
    let page = list::page(model);
    match action {
        Action::Record => return recording::record(model),
        Action::Append => return dictation::begin(model, |_| Some(Place::End)),
        Action::Overwrite => return dictation::begin(model, |at| at.map(Place::Overwrite)),
        Action::Insert => return dictation::begin(model, |at| at.map(Place::Insert)),
        Action::TogglePause => return recording::toggle(model),
        Action::Stop => return vec![Effect::Stop],
        Action::Mark => return vec![Effect::Mark],
        Action::Discard => model.dialog = Some(Dialog::Discard),
        Action::OtherPane => model.pane = model.pane.other(),
        Action::NextPicture => model.live.picture = model.live.picture.next(),
        Action::Play => return listening::play(model),
        Action::Back => return listening::seek(model, -seconds),
        Action::Forward => return listening::seek(model, seconds),
        Action::PreviousMarker => return listening::previous_marker(model),
        Action::NextMarker => return listening::next_marker(model),
        Action::Slower => return listening::speed(model, -1.0),
        Action::Faster => return listening::speed(model, 1.0),
        Action::Softer => return listening::volume(model, -1.0),
        Action::Louder => return listening::volume(model, 1.0),
        Action::Repeat => return listening::repeat(model),
        Action::Up => list::select(model, |at, _| at.saturating_sub(1)),
        Action::Down => list::select(model, |at, _| at + 1),
        Action::PageUp => list::select(model, |at, _| at.saturating_sub(page)),
        Action::PageDown => list::select(model, |at, _| at + page),
        Action::Top => list::select(model, |_, _| 0),
        Action::Bottom => list::select(model, |_, count| count),
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
