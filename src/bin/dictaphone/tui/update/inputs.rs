//! Choosing the input. Pure.

use crossterm::event::KeyCode;

use super::{Effect, say};
use crate::tui::{
    app::{Dialog, InputLevel, InputRow, InputState, Model, Weight},
    keymap::Action,
};

/// The list is opened.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    model.dialog = Some(Dialog::Inputs { rows: None, selected: 0 });
    vec![Effect::ListInputs]
}

pub(super) fn press(model: &mut Model, mut rows: Option<Vec<InputRow>>, selected: usize, code: KeyCode) -> Vec<Effect> {
    let last = rows.as_ref().map_or(0, |rows| rows.len().saturating_sub(1));
    let selected = match code {
        KeyCode::Up | KeyCode::Char('k') => selected.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => (selected + 1).min(last),
        KeyCode::Char(digit @ '0'..='9') => {
            let row = rows.as_mut().and_then(|rows| rows.get_mut(selected));
            row.into_iter().for_each(|row| row.type_digit(digit.to_digit(10).unwrap_or(0) as u16));
            selected
        }
        KeyCode::Enter => return chosen(model, rows.and_then(|rows| rows.into_iter().nth(selected))),
        KeyCode::Esc | KeyCode::Char('i' | 'q') => return vec![Effect::CloseInputs],
        _ => selected,
    };
    model.dialog = Some(Dialog::Inputs { rows, selected });
    Vec::new()
}

fn chosen(model: &mut Model, row: Option<InputRow>) -> Vec<Effect> {
    let Some(row) = row else { return vec![Effect::CloseInputs] };
    model.recorder.device = InputState::Opening;
    model.live.fall_silent();
    let map = row.map();
    vec![Effect::Choose(row.id, map), Effect::CloseInputs]
}

/// There is no input, or it went away.
pub(super) fn missing(model: &mut Model, why: &str) {
    model.recorder.device = InputState::Missing;
    model.live.fall_silent();
    let text = format!("{why}{}", remedy(model));
    say(model, Weight::Error, text);
}

/// What can be done without an input, by the keys of this user.
fn remedy(model: &Model) -> String {
    let does = [(Action::Record, "tries again"), (Action::Inputs, "lists the inputs")];
    let keys = does.into_iter().filter_map(|(action, what)| {
        model.keymap.key_of(action, model.theme.unicode).map(|key| format!("{key} {what}"))
    });
    let keys: Vec<String> = keys.collect();
    if keys.is_empty() { String::new() } else { format!("; {}", keys.join(", ")) }
}

fn rows(model: &mut Model) -> Option<&mut Vec<InputRow>> {
    match &mut model.dialog {
        Some(Dialog::Inputs { rows, .. }) => rows.as_mut(),
        _ => None,
    }
}

pub(super) fn listed(model: &mut Model, found: Vec<InputRow>) {
    let open = match &model.recorder.device {
        InputState::Open { name, .. } => found.iter().position(|row| row.label == *name),
        InputState::Opening | InputState::Missing => None,
    };
    if let Some(Dialog::Inputs { rows, selected }) = &mut model.dialog {
        // A user who only looks and presses Enter keeps the input that is open.
        *selected = open.unwrap_or(0);
        *rows = Some(found);
    }
}

/// That input cannot be opened.
pub(super) fn deaf(model: &mut Model, id: &str) {
    if let Some(row) = rows(model).and_then(|rows| rows.iter_mut().find(|row| row.id == id)) {
        row.level = InputLevel::Nothing;
    }
}

/// The levels of the inputs since the last time.
pub(super) fn heard(model: &mut Model, inputs: Vec<(String, Vec<f64>)>) {
    model.dirty |= !inputs.is_empty() && rows(model).is_some();
    for (id, peaks) in inputs {
        if let Some(row) = rows(model).and_then(|rows| rows.iter_mut().find(|row| row.id == id)) {
            row.level = InputLevel::Peaks(peaks);
        }
    }
}
