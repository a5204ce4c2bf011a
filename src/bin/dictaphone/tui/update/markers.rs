//! Markers with names: set during a recording or while listening, gone to, renamed, deleted. Pure.

use std::path::PathBuf;

use crossterm::event::KeyCode;
use tui_input::Input;

use super::{Effect, needed, say};
use crate::{
    report::status,
    tui::app::{Dialog, Mark, Marked, Model, Playing, Weight},
};

/// The place is that of the key press; the name can be typed later.
pub(super) fn mark(model: &mut Model) -> Vec<Effect> {
    if model.recorder.deck.is_busy() {
        let of = Marked::Recording(model.recorder.markers as usize);
        model.dialog = Some(Dialog::Marker { of, input: Input::default() });
        return vec![Effect::Mark];
    }
    if let Some(Playing { path, at, .. }) = needed(model)
        && is_known(model)
    {
        model.dialog = Some(Dialog::Marker { of: Marked::New(path, at), input: Input::default() });
    }
    Vec::new()
}

/// Whether the markers of the clip that is played are known; otherwise reports that they are not.
fn is_known(model: &mut Model) -> bool {
    let known = model.player.outline_of_playing().is_some();
    if !known {
        say(model, Weight::Note, "the clip is still being read".to_owned());
    }
    known
}

/// What was typed is the name of it.
pub(super) fn named(model: &mut Model, of: Marked, text: &str) -> Vec<Effect> {
    let text = text.trim().to_owned();
    let (path, mut marks) = match of {
        Marked::Recording(_) if text.is_empty() => return Vec::new(),
        Marked::Recording(number) => {
            say(model, Weight::Note, format!("marker {}: {text}", number + 1));
            return vec![Effect::NameMarker(number, text)];
        }
        Marked::New(ref path, _) | Marked::Known(ref path, _) => match marks_of(model, path) {
            Some(marks) => (path.clone(), marks),
            None => {
                say(model, Weight::Warning, "the clip is not played any more, the marker was not set".to_owned());
                return Vec::new();
            }
        },
    };
    match of {
        Marked::New(_, at) => {
            say(model, Weight::Note, told(&Mark { at, text: text.clone() }));
            marks.push(Mark { at, text });
        }
        Marked::Known(_, place) => {
            if let Some(mark) = marks.get_mut(place) {
                mark.text = text;
            }
        }
        Marked::Recording(_) => {}
    }
    set(model, path, marks)
}

/// A marker as it is shown in a message.
pub(super) fn told(mark: &Mark) -> String {
    let name = if mark.text.is_empty() { String::new() } else { format!(": {}", mark.text) };
    format!("marker at {}{name}", status::clock(mark.at))
}

fn marks_of(model: &Model, path: &PathBuf) -> Option<Vec<Mark>> {
    model.player.outline_of_playing().filter(|outline| outline.path == *path).map(|outline| outline.markers.clone())
}

/// They are shown at once; should they not reach the file, that is reported and those that are in it are shown again.
fn set(model: &mut Model, path: PathBuf, mut marks: Vec<Mark>) -> Vec<Effect> {
    marks.sort_by_key(|mark| mark.at);
    if let Some(outline) = &mut model.player.outline {
        outline.markers.clone_from(&marks);
    }
    vec![Effect::SetMarkers(path, marks)]
}

/// They are in the file, or not, and why; and those that are.
pub(super) fn were_set(model: &mut Model, path: &PathBuf, marks: Option<Vec<Mark>>, why: Option<String>) {
    match why {
        Some(why) => say(model, Weight::Error, why),
        None => model.shelf.undoable += 1,
    }
    are_back(model, path, marks);
}

/// The clip has these.
pub(super) fn are_back(model: &mut Model, path: &PathBuf, marks: Option<Vec<Mark>>) {
    if let (Some(marks), Some(outline)) = (marks, &mut model.player.outline)
        && outline.path == *path
    {
        outline.markers = marks;
    }
}

// ---- the list of them ------------------------------------------------------------------------------------------------

pub(super) fn list(model: &mut Model) {
    let Some(Playing { at, .. }) = needed(model) else { return };
    if !is_known(model) {
        return;
    }
    let marks = model.player.outline_of_playing().map(|outline| outline.markers.as_slice()).unwrap_or_default();
    // The one that was passed last.
    let selected = marks.iter().rposition(|mark| mark.at <= at).unwrap_or(0);
    model.dialog = Some(Dialog::Markers { selected });
}

pub(super) fn press(model: &mut Model, selected: usize, code: KeyCode) -> Vec<Effect> {
    let Some((path, mut marks)) =
        model.player.outline_of_playing().map(|outline| (outline.path.clone(), outline.markers.clone()))
    else {
        return Vec::new();
    };
    let last = marks.len().saturating_sub(1);
    let mut selected = selected.min(last);
    let mut effects = Vec::new();
    match code {
        KeyCode::Up | KeyCode::Char('k') => selected = selected.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => selected = (selected + 1).min(last),
        KeyCode::Home | KeyCode::Char('g') => selected = 0,
        KeyCode::End | KeyCode::Char('G') => selected = last,
        KeyCode::Enter => {
            return marks.get(selected).map(|mark| Effect::SeekTo(mark.at)).into_iter().collect();
        }
        KeyCode::Char('n') | KeyCode::F(2) => {
            if let Some(mark) = marks.get(selected) {
                let input = Input::new(mark.text.clone());
                model.dialog = Some(Dialog::Marker { of: Marked::Known(path, selected), input });
                return Vec::new();
            }
        }
        KeyCode::Char('d') | KeyCode::Delete if selected < marks.len() => {
            let gone = marks.remove(selected);
            say(model, Weight::Note, format!("{} is deleted", told(&gone)));
            effects = set(model, path, marks);
            selected = selected.min(last.saturating_sub(1));
        }
        KeyCode::Esc | KeyCode::Char('q' | 'M') => return Vec::new(),
        _ => {}
    }
    model.dialog = Some(Dialog::Markers { selected });
    effects
}
