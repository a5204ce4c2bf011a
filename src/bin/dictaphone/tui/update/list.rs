//! The list of clips: what is shown of it, where the cursor is, and what becomes of the clips. Pure.

use std::path::PathBuf;

use super::{Effect, say, stem};
use crate::tui::{
    app::{Model, Take, Weight},
    layout,
};

pub(super) fn delete(model: &Model) -> Vec<Effect> {
    let Some(take) = model.takes.current() else { return Vec::new() };
    let is_played = model.playing.as_ref().is_some_and(|playing| playing.path == take.path);
    let stop = is_played.then_some(Effect::StopPlaying);
    stop.into_iter().chain([Effect::Delete(take.path.clone())]).collect()
}

pub(super) fn page(model: &Model) -> usize {
    layout::areas(model.size).map_or(1, |areas| usize::from(areas.list.height).max(1))
}

pub(super) fn select(model: &mut Model, to: impl FnOnce(usize, usize) -> usize) {
    let count = model.takes.shown.len();
    model.takes.selected = to(model.takes.selected, count).min(count.saturating_sub(1));
}

pub(super) fn take_list(model: &mut Model, takes: Vec<Take>) {
    let is_there = |path: &PathBuf| takes.iter().any(|take| take.path == *path);
    let wanted = model.takes.wanted.take_if(|path| is_there(path));
    let selected = wanted.or_else(|| model.takes.current().map(|take| take.path.clone()));
    (model.takes.all, model.takes.known) = (takes, true);
    show(model, selected);
}

pub(super) fn filter(model: &mut Model, text: String) {
    let selected = model.takes.current().map(|take| take.path.clone());
    model.takes.filter = text;
    show(model, selected);
}

/// Finds what is shown, and the same clip in it again.
fn show(model: &mut Model, selected: Option<PathBuf>) {
    let takes = &mut model.takes;
    let wanted = takes.filter.to_lowercase();
    let fits = |take: &Take| take.name.to_lowercase().contains(&wanted);
    takes.shown = takes.all.iter().enumerate().filter(|(_, take)| fits(take)).map(|(index, _)| index).collect();
    let again = selected.and_then(|path| {
        takes.shown.iter().position(|&index| takes.all.get(index).is_some_and(|take| take.path == path))
    });
    takes.selected = again.unwrap_or(takes.selected).min(takes.shown.len().saturating_sub(1));
}

pub(super) fn renamed(model: &mut Model, from: &PathBuf, path: PathBuf) {
    let name = stem(&path);
    say(model, Weight::Note, format!("renamed to {name}"));
    if model.takes.wanted.as_ref() == Some(from) {
        model.takes.wanted = Some(path.clone());
    }
    // The list follows when the folder is read again; the cursor must find the clip then.
    if let Some(take) = model.takes.all.iter_mut().find(|take| take.path == *from) {
        (take.path, take.name) = (path, name);
    }
}

pub(super) fn deleted(model: &mut Model, path: &PathBuf, restorable: bool) {
    let name = stem(path);
    match restorable {
        true => {
            model.deleted += 1;
            say(model, Weight::Note, format!("{name} is in the trash, u brings it back"));
        }
        false => say(model, Weight::Note, format!("{name} is in the trash")),
    }
    model.takes.all.retain(|take| take.path != *path);
    show(model, None);
}

pub(super) fn restored(model: &mut Model, outcome: Result<PathBuf, String>) {
    model.deleted = model.deleted.saturating_sub(1);
    match outcome {
        Ok(path) => {
            say(model, Weight::Note, format!("{} is back", stem(&path)));
            model.takes.wanted = Some(path);
        }
        Err(why) => say(model, Weight::Error, why),
    }
}

pub(super) fn scroll_into_view(model: &mut Model) {
    let page = page(model);
    let takes = &mut model.takes;
    let last = takes.shown.len().saturating_sub(page);
    takes.offset = takes.offset.clamp(takes.selected.saturating_sub(page - 1), takes.selected).min(last);
}
