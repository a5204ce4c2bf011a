//! The list of clips: what is shown of it, where the cursor is, and what becomes of the clips. Pure.

use std::{collections::HashMap, path::PathBuf};

use dictaphone::clips::{Bin, SortKey, Words};
use tui_input::Input;

use super::{Effect, say, stem};
use crate::tui::{
    app::{ClipRow, Dialog, Kind, Model, Sketch, Weight},
    keymap::Action,
    layout,
};

// ---- actions of keys ------------------------------------------------------------------------------------------------

pub(super) fn select(model: &mut Model, to: impl FnOnce(usize, usize) -> usize) {
    let count = model.shelf.takes.shown.len();
    model.shelf.takes.selected = to(model.shelf.takes.selected, count).min(count.saturating_sub(1));
}

pub(super) fn page(model: &Model) -> usize {
    layout::areas(model.size).map_or(1, |areas| usize::from(areas.list.height).max(1))
}

/// The clip that the cursor is on, if it is finished; otherwise reports why nothing can be done with it.
pub(super) fn whole(model: &mut Model) -> Option<PathBuf> {
    let take = model.shelf.takes.current()?;
    if take.kind == Kind::Whole {
        return Some(take.clip.path.clone());
    }
    let key = model.keymap.key_of(Action::Recover, model.theme.unicode);
    let remedy = key.map_or_else(String::new, |key| format!(", {key} makes it whole"));
    let text = format!("{} is unfinished{remedy}", take.clip.name);
    say(model, Weight::Note, text);
    None
}

/// The same if its sound can be read as well.
pub(super) fn readable(model: &mut Model) -> Option<PathBuf> {
    let path = whole(model)?;
    let why = model.shelf.takes.current().and_then(|take| take.clip.error.clone());
    match why {
        Some(why) => {
            say(model, Weight::Warning, why);
            None
        }
        None => Some(path),
    }
}

pub(super) fn rename(model: &mut Model) {
    if let Some(path) = whole(model) {
        let input = Input::new(stem(&path));
        model.dialog = Some(Dialog::Name { path, input, fresh: false, untouched: false, wrong: None });
    }
}

pub(super) fn delete(model: &Model) -> Vec<Effect> {
    let Some(take) = model.shelf.takes.current() else { return Vec::new() };
    let is_played = model.player.playing.as_ref().is_some_and(|playing| playing.path == take.clip.path);
    let stop = is_played.then_some(Effect::StopPlaying);
    stop.into_iter().chain([Effect::Delete(take.clip.path.clone())]).collect()
}

pub(super) fn recover(model: &mut Model) -> Vec<Effect> {
    match model.shelf.takes.current() {
        Some(take) if take.kind == Kind::Unfinished => return vec![Effect::Recover(take.clip.path.clone())],
        Some(_) => say(model, Weight::Note, "this recording is whole".to_owned()),
        None => {}
    }
    Vec::new()
}

pub(super) fn next_order(model: &mut Model) {
    let selected = selected(model);
    model.shelf.takes.order = match model.shelf.takes.order {
        SortKey::Date => SortKey::Name,
        SortKey::Name => SortKey::Length,
        SortKey::Length => SortKey::Size,
        SortKey::Size | SortKey::Format => SortKey::Date,
    };
    arrange(model, selected);
}

pub(super) fn filter(model: &mut Model, text: String) {
    let selected = selected(model);
    model.shelf.takes.filter = text;
    show(model, selected);
}

// ---- results --------------------------------------------------------------------------------------------------------

pub(super) fn take_list(model: &mut Model, mut takes: Vec<ClipRow>) {
    keep_sketches(&mut model.shelf.takes.all, &mut takes);
    let is_there = |path: &PathBuf| takes.iter().any(|take| take.clip.path == *path);
    let wanted = model.shelf.takes.wanted.take_if(|path| is_there(path));
    let first = || takes.iter().find(|take| take.kind == Kind::Whole).map(|take| take.clip.path.clone());
    // The cursor begins on a clip that can be played.
    let selected = wanted.or_else(|| if model.shelf.takes.known { selected(model) } else { first() });
    (model.shelf.takes.all, model.shelf.takes.known, model.shelf.takes.trouble) = (takes, true, None);
    arrange(model, selected);
}

/// The folder cannot be read.
pub(super) fn no_folder(model: &mut Model, why: String) {
    take_list(model, Vec::new());
    model.shelf.takes.trouble = Some(why);
}

/// The small waveform of a clip that has not changed need not be measured again.
fn keep_sketches(before: &mut [ClipRow], now: &mut [ClipRow]) {
    let mut known: HashMap<_, _> = before
        .iter_mut()
        .map(|take| ((&take.clip.path, take.clip.size_bytes, take.clip.modified), &mut take.sketch))
        .collect();
    for take in now {
        if let Some(sketch) = known.get_mut(&(&take.clip.path, take.clip.size_bytes, take.clip.modified)) {
            take.sketch = std::mem::replace(sketch, Sketch::Unknown);
        }
    }
}

/// What was typed stays, to be corrected, unless another dialog is open by now.
pub(super) fn not_renamed(model: &mut Model, path: PathBuf, name: String, why: String) {
    if model.dialog.is_some() {
        return say(model, Weight::Error, why);
    }
    model.dialog =
        Some(Dialog::Name { path, input: Input::new(name), fresh: false, untouched: false, wrong: Some(why) });
}

pub(super) fn renamed(model: &mut Model, from: &PathBuf, path: PathBuf) {
    let name = stem(&path);
    say(model, Weight::Note, format!("renamed to {name}"));
    if model.shelf.takes.wanted.as_ref() == Some(from) {
        model.shelf.takes.wanted = Some(path.clone());
    }
    // It goes on playing, and does not begin anew as another clip would.
    if let Some(playing) = model.player.playing.as_mut().filter(|playing| playing.path == *from) {
        playing.path.clone_from(&path);
    }
    if let Some(outline) = model.player.outline.as_mut().filter(|outline| outline.path == *from) {
        outline.path.clone_from(&path);
    }
    if let Some(dictation) = model.recorder.dictation.as_mut().filter(|dictation| dictation.path == *from) {
        dictation.path.clone_from(&path);
    }
    // The list follows when the folder is read again; the cursor must find the clip then.
    if let Some(take) = model.shelf.takes.all.iter_mut().find(|take| take.clip.path == *from) {
        (take.clip.path, take.clip.name) = (path, name);
    }
}

pub(super) fn deleted(model: &mut Model, path: &PathBuf, restorable: bool) {
    let name = stem(path);
    match restorable {
        true => {
            model.shelf.undoable += 1;
            let remedy = undo_hint(model);
            say(model, Weight::Note, format!("{name} is in the trash{remedy}"));
        }
        false => say(model, Weight::Note, format!("{name} is in the trash")),
    }
    model.shelf.takes.all.retain(|take| take.clip.path != *path);
    show(model, None);
}

/// How the last change is taken back.
pub(super) fn undo_hint(model: &Model) -> String {
    let key = model.keymap.key_of(Action::Undo, model.theme.unicode);
    key.map_or_else(String::new, |key| format!(", {key} undoes that"))
}

pub(super) fn recovered(model: &mut Model, outcome: Result<PathBuf, String>) {
    match outcome {
        Ok(path) => {
            say(model, Weight::Note, format!("recovered {}", stem(&path)));
            model.shelf.takes.wanted = Some(path);
        }
        Err(why) => say(model, Weight::Error, why),
    }
}

// ---- small waveforms ------------------------------------------------------------------------------------------------

/// The small waveforms that can be seen and are not known, unless these were requested the last time.
pub(super) fn ask_for_sketches(model: &mut Model) -> Option<Effect> {
    let takes = &model.shelf.takes;
    let rows = takes.shown.iter().skip(takes.offset).take(page(model)).filter_map(|&index| takes.all.get(index));
    let unknown = rows.filter(|take| take.sketch == Sketch::Unknown && can_be_drawn(take));
    let mut unknown: Vec<&ClipRow> = unknown.collect();
    // A long one must not keep the others waiting.
    unknown.sort_by_key(|take| take.clip.frames);
    let wanted: Vec<PathBuf> = unknown.into_iter().map(|take| take.clip.path.clone()).collect();
    if wanted == takes.asked {
        return None;
    }
    model.shelf.takes.asked.clone_from(&wanted);
    Some(Effect::Sketch(wanted))
}

fn can_be_drawn(take: &ClipRow) -> bool {
    take.kind == Kind::Whole && take.clip.error.is_none() && take.clip.frames != Some(0)
}

pub(super) fn sketched(model: &mut Model, path: &PathBuf, bins: Option<Vec<Bin>>) {
    if let Some(take) = model.shelf.takes.all.iter_mut().find(|take| take.clip.path == *path) {
        take.sketch = bins.map_or(Sketch::Nothing, Sketch::Known);
    }
    // An answered request is not pending any more: should the clip change, its waveform is requested again.
    model.shelf.takes.asked.retain(|asked| asked != path);
}

// ---- order, filter, cursor ------------------------------------------------------------------------------------------

fn selected(model: &Model) -> Option<PathBuf> {
    model.shelf.takes.current().map(|take| take.clip.path.clone())
}

/// Sorts, and shows the same clip under the cursor.
fn arrange(model: &mut Model, selected: Option<PathBuf>) {
    let order = model.shelf.takes.order;
    let is_whole = |take: &ClipRow| take.kind == Kind::Whole;
    model
        .shelf
        .takes
        .all
        .sort_by(|a, b| is_whole(a).cmp(&is_whole(b)).then_with(|| order.order(&a.clip, &b.clip, false)));
    show(model, selected);
}

/// Finds what is shown, and the same clip in it again.
fn show(model: &mut Model, selected: Option<PathBuf>) {
    let takes = &mut model.shelf.takes;
    let wanted = Words::new(&takes.filter);
    let fits = |take: &ClipRow| wanted.are_in(&take.clip.name);
    takes.shown = takes.all.iter().enumerate().filter(|(_, take)| fits(take)).map(|(index, _)| index).collect();
    let again = selected.and_then(|path| {
        takes.shown.iter().position(|&index| takes.all.get(index).is_some_and(|take| take.clip.path == path))
    });
    takes.selected = again.unwrap_or(takes.selected).min(takes.shown.len().saturating_sub(1));
}

pub(super) fn scroll_into_view(model: &mut Model) {
    let page = page(model);
    let takes = &mut model.shelf.takes;
    let last = takes.shown.len().saturating_sub(page);
    takes.offset = takes.offset.clamp(takes.selected.saturating_sub(page - 1), takes.selected).min(last);
}
