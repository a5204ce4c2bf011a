//! From a key to what it asks for. Pure.

use crossterm::event::{KeyEvent, KeyEventKind, KeyModifiers};
use tui_input::Input;

use super::{Effect, dialogs, list, listening, recording, say};
use crate::tui::{
    app::{Dialog, Model, Weight},
    keymap::Action,
};

pub(super) fn press(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release || model.leaving {
        return Vec::new();
    }
    if model.dialog.is_some() {
        return dialogs::press(model, key);
    }
    let Some(action) = model.keymap.action(key, model.deck.is_busy()) else { return Vec::new() };
    let far = key.modifiers.contains(KeyModifiers::SHIFT);
    if model.notice.as_ref().is_some_and(|notice| notice.weight != Weight::Note || action == Action::Clear) {
        model.notice = None;
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
        Action::Play => return listening::play(model),
        Action::Back | Action::Forward if model.playing.is_none() => {}
        Action::Back => return vec![Effect::Seek(-seconds)],
        Action::Forward => return vec![Effect::Seek(seconds)],
        Action::Slower => return listening::speed(model, -1.0),
        Action::Faster => return listening::speed(model, 1.0),
        Action::TogglePause => return recording::toggle(model),
        Action::Stop => return vec![Effect::Stop],
        Action::Mark => return vec![Effect::Mark],
        Action::Discard => model.dialog = Some(Dialog::Discard),
        Action::NextPicture => model.picture = model.picture.next(),
        Action::Up => list::select(model, |at, _| at.saturating_sub(1)),
        Action::Down => list::select(model, |at, _| at + 1),
        Action::PageUp => list::select(model, |at, _| at.saturating_sub(page)),
        Action::PageDown => list::select(model, |at, _| at + page),
        Action::Top => list::select(model, |_, _| 0),
        Action::Bottom => list::select(model, |_, count| count),
        Action::Filter => model.dialog = Some(Dialog::Filter(Input::new(model.takes.filter.clone()))),
        Action::Rename => {
            if let Some(take) = model.takes.current() {
                let (path, input) = (take.path.clone(), Input::new(take.name.clone()));
                model.dialog = Some(Dialog::Name { path, input, fresh: false });
            }
        }
        Action::Delete => return list::delete(model),
        Action::Undo if model.deleted > 0 => return vec![Effect::Restore],
        Action::Undo => say(model, Weight::Note, "nothing was deleted".to_owned()),
        Action::Inputs => {
            model.dialog = Some(Dialog::Inputs { rows: None, selected: 0 });
            return vec![Effect::ListInputs];
        }
        Action::Help => model.dialog = Some(Dialog::Help(0)),
        Action::Clear => list::filter(model, String::new()),
        Action::Quit => return recording::leave(model),
    }
    Vec::new()
}
