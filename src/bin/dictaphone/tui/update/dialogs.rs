//! The keys while a dialog receives them: a text is typed, a question answered, a row chosen. Pure.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

use super::{Effect, inputs, jobs, keys, list, markers, stem, travel};
use crate::tui::{
    app::{Dialog, Marked, Model},
    widgets::dialog,
};

pub(super) fn press(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(dialog) = model.dialog.take() else { return Vec::new() };
    match (dialog, key.code) {
        (
            Dialog::Name { .. } | Dialog::GoTo { .. } | Dialog::Discard | Dialog::Export { .. } | Dialog::Help(_),
            KeyCode::Esc,
        ) => {}
        (Dialog::Filter(_), KeyCode::Esc) => list::filter(model, String::new()),
        (Dialog::Filter(_), KeyCode::Enter) => {}
        (Dialog::Filter(mut input), _) => {
            edit(&mut input, key);
            list::filter(model, input.value().to_owned());
            model.dialog = Some(Dialog::Filter(input));
        }
        (Dialog::Name { path, input, .. }, KeyCode::Enter) => {
            let name = input.value().trim();
            return match name.is_empty() || name == stem(&path) {
                true => Vec::new(),
                false => vec![Effect::Rename(path, name.to_owned())],
            };
        }
        (Dialog::Name { path, mut input, fresh, untouched, .. }, _) => {
            let untouched = untouched && !takes_place(&mut input, key);
            edit(&mut input, key);
            model.dialog = Some(Dialog::Name { path, input, fresh, untouched, wrong: None });
        }
        // A place in a recording is marked already.
        (Dialog::Marker { .. }, KeyCode::Esc) => {}
        (Dialog::Marker { of, input }, KeyCode::Enter) => return markers::named(model, of, input.value()),
        // No name begins with a blank, and the place is marked: it is the key that pauses.
        (Dialog::Marker { of: Marked::Recording(_), input }, KeyCode::Char(' ')) if input.value().is_empty() => {
            return keys::press(model, key);
        }
        (Dialog::Marker { of, mut input }, _) => {
            edit(&mut input, key);
            model.dialog = Some(Dialog::Marker { of, input });
        }
        (Dialog::Markers { selected }, code) => return markers::press(model, selected, code),
        (Dialog::GoTo { input, .. }, KeyCode::Enter) => return travel::answer(model, input),
        (Dialog::GoTo { mut input, .. }, _) => {
            edit(&mut input, key);
            model.dialog = Some(Dialog::GoTo { input, wrong: None });
        }
        (Dialog::Discard, KeyCode::Char('y' | 'Y')) if model.recorder.deck.is_busy() => {
            model.recorder.is_unwanted = true;
            return vec![Effect::Stop];
        }
        (Dialog::Discard, KeyCode::Char('n' | 'N')) => {}
        (Dialog::Discard, _) => model.dialog = Some(Dialog::Discard),
        (Dialog::Inputs { rows, selected }, code) => return inputs::press(model, rows, selected, code),
        (Dialog::Export { path, formats, selected }, code) => {
            return choose_format(model, path, formats, selected, code);
        }
        (Dialog::Help(line), code) => help(model, line, code),
    }
    Vec::new()
}

fn choose_format(
    model: &mut Model,
    path: PathBuf,
    formats: Vec<&'static str>,
    selected: usize,
    code: KeyCode,
) -> Vec<Effect> {
    let selected = match code {
        KeyCode::Up | KeyCode::Char('k') => selected.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => (selected + 1).min(formats.len().saturating_sub(1)),
        KeyCode::Enter => {
            return formats.get(selected).map_or_else(Vec::new, |format| jobs::export(model, path, format));
        }
        KeyCode::Char('q') => return Vec::new(),
        _ => selected,
    };
    model.dialog = Some(Dialog::Export { path, formats, selected });
    Vec::new()
}

fn help(model: &mut Model, line: u16, code: KeyCode) {
    let last = dialog::hidden_help(model);
    let line = match code {
        KeyCode::Up | KeyCode::Char('k') => line.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => (line + 1).min(last),
        KeyCode::PageUp => line.saturating_sub(5),
        KeyCode::PageDown | KeyCode::Char(' ') => (line + 5).min(last),
        KeyCode::Home | KeyCode::Char('g') => 0,
        KeyCode::End | KeyCode::Char('G') => last,
        _ => return,
    };
    model.dialog = Some(Dialog::Help(line));
}

/// Whether that key edits a suggestion or replaces it, in which case the suggestion is removed.
fn takes_place(input: &mut Input, key: KeyEvent) -> bool {
    let is_text = match key.code {
        KeyCode::Char(c) => !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) && !c.is_control(),
        KeyCode::Backspace | KeyCode::Delete => true,
        KeyCode::Left | KeyCode::Right | KeyCode::Home | KeyCode::End => return true,
        _ => return matches!(key.code, KeyCode::Char('a' | 'e' | 'h' | 'k' | 'u' | 'w')),
    };
    if is_text {
        input.handle(InputRequest::DeleteLine);
    }
    true
}

/// The keys of a text field, as shells have them.
fn edit(input: &mut Input, key: KeyEvent) {
    if key.modifiers.contains(KeyModifiers::ALT) {
        return;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let request = match (key.code, control) {
        (KeyCode::Char('a'), true) | (KeyCode::Home, _) => InputRequest::GoToStart,
        (KeyCode::Char('e'), true) | (KeyCode::End, _) => InputRequest::GoToEnd,
        (KeyCode::Char('u'), true) => InputRequest::DeleteLine,
        (KeyCode::Char('w'), true) => InputRequest::DeletePrevWord,
        (KeyCode::Char('k'), true) => InputRequest::DeleteTillEnd,
        // Some terminals send the latter for the former.
        (KeyCode::Backspace, _) | (KeyCode::Char('h'), true) => InputRequest::DeletePrevChar,
        (KeyCode::Delete, _) => InputRequest::DeleteNextChar,
        (KeyCode::Left, true) => InputRequest::GoToPrevWord,
        (KeyCode::Right, true) => InputRequest::GoToNextWord,
        (KeyCode::Left, false) => InputRequest::GoToPrevChar,
        (KeyCode::Right, false) => InputRequest::GoToNextChar,
        (KeyCode::Char(c), false) if !c.is_control() => InputRequest::InsertChar(c),
        _ => return,
    };
    input.handle(request);
}

pub(super) fn paste(model: &mut Model, text: &str) {
    let Some(mut dialog) = model.dialog.take() else { return };
    if let Dialog::Name { input, untouched, .. } = &mut dialog
        && std::mem::take(untouched)
    {
        input.handle(InputRequest::DeleteLine);
    }
    if let Dialog::Name { input, .. }
    | Dialog::Filter(input)
    | Dialog::GoTo { input, .. }
    | Dialog::Marker { input, .. } = &mut dialog
    {
        for c in text.chars().filter(|c| !c.is_control()) {
            input.handle(InputRequest::InsertChar(c));
        }
        if let Dialog::Filter(input) = &dialog {
            list::filter(model, input.value().to_owned());
        }
    }
    model.dialog = Some(dialog);
}
