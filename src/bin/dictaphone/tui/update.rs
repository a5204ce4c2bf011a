//! What happens, and what follows from it: a state and a message become the next state and a list of effects. Pure.

use std::{path::PathBuf, time::Duration};

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use dictaphone::audio::{AudioFormat, LevelMeter};
use tui_input::{Input, InputRequest};

use super::{
    app::{Column, Deck, Device, Dialog, InputRow, Model, Notice, Playing, Take, Weight},
    keymap::Action,
    layout::{self, Size},
};
use crate::{commands::play::stepped, intent::Intent, status};

/// Columns of the waveform a second, and how many are remembered.
const COLUMNS_PER_SECOND: u32 = 20;
const COLUMNS_KEPT: usize = 1_024;
/// Samples that are remembered for the oscilloscope and the spectrum.
pub(crate) const SOUND_KEPT: usize = 4_096;
/// How long a note stays.
const NOTE: Duration = Duration::from_secs(4);

/// What was heard and counted since the last time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Heard {
    /// Time since the screen was opened.
    pub(crate) now: Duration,
    /// Sound after the gain, one sample a frame: that of the channel which is the loudest in it.
    pub(crate) sound: Vec<f32>,
    /// How the recording is getting on.
    pub(crate) progress: Option<Counted>,
    /// What is being played.
    pub(crate) playing: Option<Playing>,
    /// How long the disk lasts.
    pub(crate) disk_left: Option<Duration>,
}

/// The numbers of a running recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Recorded time.
    pub(crate) time: Duration,
    /// Lost frames.
    pub(crate) lost: u64,
    /// The first frame has come.
    pub(crate) arrived: bool,
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Msg {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(String),
    Resize(Size),
    /// From a signal.
    Wish(Intent),
    Heard(Heard),
    /// A device delivers from now on; what a recording of it will be like.
    Opened {
        name: String,
        format: AudioFormat,
    },
    /// There is no device, or it went away, and why.
    Missing(String),
    /// A recording was asked for and goes into a file of that name.
    Started(String),
    Paused,
    Resumed,
    Marked(Duration),
    /// The recording is over and is being saved.
    Ended,
    /// It is a file; what is missing from it, if something is.
    Saved {
        path: PathBuf,
        time: Duration,
        flaw: Option<String>,
    },
    /// There is no file of it, and why; nothing if that was wanted.
    NotSaved(Option<String>),
    /// What is in the folder, newest first.
    Takes {
        takes: Vec<Take>,
        unfinished: usize,
    },
    Renamed {
        from: PathBuf,
        to: PathBuf,
    },
    /// A clip is in the trash; whether it can be brought back.
    Deleted {
        path: PathBuf,
        restorable: bool,
    },
    /// The latest deleted clip is back, or cannot come back, and why.
    Restored(Result<PathBuf, String>),
    Inputs(Vec<InputRow>),
    Say(Weight, String),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Opens the input of that id, or the one that was asked for at first.
    Open(Option<String>),
    Start,
    Pause,
    Resume,
    Mark,
    Stop,
    /// Stops and throws away.
    Discard,
    ListInputs,
    /// Gives a clip another name, without extension.
    Rename(PathBuf, String),
    /// Plays a clip from its start.
    Play(PathBuf),
    /// Pauses what is played, or goes on.
    TogglePlay,
    /// Goes back or on by so many seconds.
    Seek(i32),
    /// Plays at another speed.
    Speed(f64),
    StopPlaying,
    /// Moves a clip to the trash.
    Delete(PathBuf),
    /// Brings the clip back that was deleted last.
    Restore,
}

/// The next state, and what is to be done.
pub(crate) fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let heard = matches!(msg, Msg::Heard(_));
    let effects = apply(model, msg);
    // What is heard tells by itself whether something has changed.
    model.dirty |= !heard;
    scroll_into_view(model);
    effects
}

fn apply(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(key) => return press(model, key),
        Msg::Mouse(mouse) => return point(model, mouse),
        Msg::Paste(text) => paste(model, &text),
        Msg::Resize(size) => model.size = size,
        Msg::Wish(intent) => return wish(model, intent),
        Msg::Heard(heard) => hear(model, heard),
        Msg::Opened { name, format } => model.device = Device::Open { name, format },
        Msg::Missing(why) => {
            model.device = Device::Missing;
            model.sound.clear();
            say(model, Weight::Error, why);
        }
        Msg::Started(name) => {
            model.deck = Deck::Waiting;
            (model.recording, model.time, model.lost, model.markers) = (name, Duration::ZERO, 0, 0);
            model.meter.reset();
        }
        Msg::Paused => model.deck = Deck::Paused,
        Msg::Resumed => model.deck = Deck::Recording,
        Msg::Marked(at) => {
            model.markers += 1;
            say(model, Weight::Note, format!("marker {} at {}", model.markers, status::clock(at)));
        }
        Msg::Ended => {
            model.deck = Deck::Saving;
            if matches!(model.dialog, Some(Dialog::Discard)) {
                model.dialog = None;
            }
        }
        Msg::Saved { path, time, flaw } => saved(model, path, time, flaw),
        Msg::NotSaved(why) => {
            (model.deck, model.time) = (Deck::Idle, Duration::ZERO);
            match why {
                Some(why) => say(model, Weight::Error, why),
                None => say(model, Weight::Note, "discarded".to_owned()),
            }
        }
        Msg::Takes { takes, unfinished } => {
            model.takes.unfinished = unfinished;
            take_list(model, takes);
        }
        Msg::Renamed { from, to } => renamed(model, &from, to),
        Msg::Deleted { path, restorable } => deleted(model, &path, restorable),
        Msg::Restored(outcome) => restored(model, outcome),
        Msg::Inputs(rows) => {
            if let Some(Dialog::Inputs { rows: listed, .. }) = &mut model.dialog {
                *listed = Some(rows);
            }
        }
        Msg::Say(weight, text) => say(model, weight, text),
    }
    Vec::new()
}

fn say(model: &mut Model, weight: Weight, text: String) {
    // A note must not hide what went wrong.
    let hides = model.notice.as_ref().is_some_and(|notice| notice.weight == Weight::Error);
    if weight == Weight::Note && hides {
        return;
    }
    model.notice = Some(Notice { weight, text, at: model.now });
}

// ---- sound -----------------------------------------------------------------------------------------------------------

fn hear(model: &mut Model, heard: Heard) {
    model.now = heard.now;
    let was_clipping = model.meter.is_clipping(model.now);
    let before = (model.meter, model.deck, model.time, model.lost, model.disk_left, was_clipping);
    if let Some(counted) = heard.progress {
        (model.time, model.lost) = (counted.time, counted.lost);
        if model.deck == Deck::Waiting && counted.arrived {
            model.deck = Deck::Recording;
        }
    }
    model.dirty |= model.playing != heard.playing;
    model.playing = heard.playing;
    model.disk_left = heard.disk_left;
    if !heard.sound.is_empty() {
        listen(model, &heard.sound);
    }
    let expired = |notice: &Notice| notice.weight == Weight::Note && model.now.saturating_sub(notice.at) > NOTE;
    if model.notice.as_ref().is_some_and(expired) {
        model.notice = None;
        model.dirty = true;
    }
    let is_clipping = model.meter.is_clipping(model.now);
    model.dirty |= !heard.sound.is_empty()
        || before != (model.meter, model.deck, model.time, model.lost, model.disk_left, is_clipping);
}

fn listen(model: &mut Model, sound: &[f32]) {
    let mut meter = LevelMeter::new();
    meter.push(sound);
    model.meter.show(&meter.take(), model.now);

    let rate = match &model.device {
        Device::Open { format, .. } => format.sample_rate,
        _ => 48_000,
    };
    let full = (rate / COLUMNS_PER_SECOND).max(1);
    let kept = model.deck == Deck::Recording;
    for sample in sound {
        let (frames, peak) = &mut model.column;
        *frames += 1;
        *peak = peak.max(sample.abs());
        if *frames >= full {
            model.columns.push_back(Column { peak: *peak, kept });
            (*frames, *peak) = (0, 0.0);
        }
    }
    let excess = model.columns.len().saturating_sub(COLUMNS_KEPT);
    model.columns.drain(..excess);
    model.sound.extend(sound);
    let excess = model.sound.len().saturating_sub(SOUND_KEPT);
    model.sound.drain(..excess);
}

// ---- recording -------------------------------------------------------------------------------------------------------

fn wish(model: &mut Model, intent: Intent) -> Vec<Effect> {
    match intent {
        Intent::Stop => leave(model),
        Intent::TogglePause => toggle(model),
        Intent::Mark if model.deck.is_busy() => vec![Effect::Mark],
        _ => Vec::new(),
    }
}

fn toggle(model: &Model) -> Vec<Effect> {
    match model.deck {
        Deck::Paused => vec![Effect::Resume],
        Deck::Recording | Deck::Waiting => vec![Effect::Pause],
        Deck::Idle | Deck::Saving => Vec::new(),
    }
}

fn leave(model: &mut Model) -> Vec<Effect> {
    model.leaving = true;
    model.dialog = None;
    if model.deck.is_busy() { vec![Effect::Stop] } else { Vec::new() }
}

fn saved(model: &mut Model, path: PathBuf, time: Duration, flaw: Option<String>) {
    (model.deck, model.time) = (Deck::Idle, Duration::ZERO);
    model.takes.wanted = Some(path.clone());
    let name = stem(&path);
    match flaw {
        Some(flaw) => say(model, Weight::Warning, format!("saved {name}, but {flaw}")),
        None => say(model, Weight::Note, format!("saved {name}, {}", status::clock(time))),
    }
    // Whoever is typing something else is not interrupted; the take is safe under the name it has.
    if model.dialog.is_none() && !model.leaving {
        model.dialog = Some(Dialog::Name { path, input: Input::new(name), fresh: true });
    }
}

fn stem(path: &std::path::Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

// ---- keys ------------------------------------------------------------------------------------------------------------

fn press(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release || model.leaving {
        return Vec::new();
    }
    if model.dialog.is_some() {
        return press_in_dialog(model, key);
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
    let page = page(model);
    match action {
        Action::Record => return record(model),
        Action::Play => return play(model),
        Action::Back | Action::Forward if model.playing.is_none() => {}
        Action::Back => return vec![Effect::Seek(-seconds)],
        Action::Forward => return vec![Effect::Seek(seconds)],
        Action::Slower => return speed(model, -1.0),
        Action::Faster => return speed(model, 1.0),
        Action::TogglePause => return toggle(model),
        Action::Stop => return vec![Effect::Stop],
        Action::Mark => return vec![Effect::Mark],
        Action::Discard => model.dialog = Some(Dialog::Discard),
        Action::NextPicture => model.picture = model.picture.next(),
        Action::Up => select(model, |at, _| at.saturating_sub(1)),
        Action::Down => select(model, |at, _| at + 1),
        Action::PageUp => select(model, |at, _| at.saturating_sub(page)),
        Action::PageDown => select(model, |at, _| at + page),
        Action::Top => select(model, |_, _| 0),
        Action::Bottom => select(model, |_, count| count),
        Action::Filter => model.dialog = Some(Dialog::Filter(Input::new(model.takes.filter.clone()))),
        Action::Rename => {
            if let Some(take) = model.takes.current() {
                let (path, input) = (take.path.clone(), Input::new(take.name.clone()));
                model.dialog = Some(Dialog::Name { path, input, fresh: false });
            }
        }
        Action::Delete => return delete(model),
        Action::Undo if model.deleted > 0 => return vec![Effect::Restore],
        Action::Undo => say(model, Weight::Note, "nothing was deleted".to_owned()),
        Action::Inputs => {
            model.dialog = Some(Dialog::Inputs { rows: None, selected: 0 });
            return vec![Effect::ListInputs];
        }
        Action::Help => model.dialog = Some(Dialog::Help(0)),
        Action::Clear => filter(model, String::new()),
        Action::Quit => return leave(model),
    }
    Vec::new()
}

fn record(model: &mut Model) -> Vec<Effect> {
    match (model.deck, &model.device) {
        (Deck::Saving, _) => say(model, Weight::Note, "the last recording is still being saved".to_owned()),
        (_, Device::Opening) => say(model, Weight::Note, "the input is still being opened".to_owned()),
        // It may have been plugged in again; otherwise the error says so once more.
        (_, Device::Missing) => {
            model.device = Device::Opening;
            return vec![Effect::Open(None)];
        }
        // What the loudspeaker says would be in the recording.
        (_, Device::Open { .. }) if model.playing.is_some() => return vec![Effect::StopPlaying, Effect::Start],
        (_, Device::Open { .. }) => return vec![Effect::Start],
    }
    Vec::new()
}

fn play(model: &Model) -> Vec<Effect> {
    match (model.takes.current(), &model.playing) {
        (Some(take), Some(playing)) if take.path == playing.path => vec![Effect::TogglePlay],
        (Some(take), _) => vec![Effect::Play(take.path.clone())],
        (None, Some(_)) => vec![Effect::TogglePlay],
        (None, None) => Vec::new(),
    }
}

fn speed(model: &Model, direction: f64) -> Vec<Effect> {
    let speed = model.playing.as_ref().map(|playing| stepped(playing.speed, direction));
    speed.map(Effect::Speed).into_iter().collect()
}

fn delete(model: &Model) -> Vec<Effect> {
    let Some(take) = model.takes.current() else { return Vec::new() };
    let is_played = model.playing.as_ref().is_some_and(|playing| playing.path == take.path);
    let stop = is_played.then_some(Effect::StopPlaying);
    stop.into_iter().chain([Effect::Delete(take.path.clone())]).collect()
}

fn press_in_dialog(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(dialog) = model.dialog.take() else { return Vec::new() };
    match (dialog, key.code) {
        (Dialog::Name { .. } | Dialog::Discard | Dialog::Inputs { .. } | Dialog::Help(_), KeyCode::Esc) => {}
        (Dialog::Filter(_), KeyCode::Esc) => filter(model, String::new()),
        (Dialog::Filter(_), KeyCode::Enter) => {}
        (Dialog::Filter(mut input), _) => {
            edit(&mut input, key);
            filter(model, input.value().to_owned());
            model.dialog = Some(Dialog::Filter(input));
        }
        (Dialog::Name { path, input, .. }, KeyCode::Enter) => {
            let name = input.value().trim();
            return match name.is_empty() || name == stem(&path) {
                true => Vec::new(),
                false => vec![Effect::Rename(path, name.to_owned())],
            };
        }
        (Dialog::Name { path, mut input, fresh }, _) => {
            edit(&mut input, key);
            model.dialog = Some(Dialog::Name { path, input, fresh });
        }
        (Dialog::Discard, KeyCode::Char('y' | 'Y')) if model.deck.is_busy() => return vec![Effect::Discard],
        (Dialog::Discard, KeyCode::Char('n' | 'N')) => {}
        (Dialog::Discard, _) => model.dialog = Some(Dialog::Discard),
        (Dialog::Inputs { rows, selected }, code) => return choose(model, rows, selected, code),
        (Dialog::Help(line), code) => help(model, line, code),
    }
    Vec::new()
}

fn choose(model: &mut Model, rows: Option<Vec<InputRow>>, selected: usize, code: KeyCode) -> Vec<Effect> {
    let last = rows.as_ref().map_or(0, |rows| rows.len().saturating_sub(1));
    let selected = match code {
        KeyCode::Up | KeyCode::Char('k') => selected.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => (selected + 1).min(last),
        KeyCode::Enter => {
            let id = rows.and_then(|rows| rows.into_iter().nth(selected)).map(|row| row.id);
            if id.is_some() {
                model.device = Device::Opening;
                return vec![Effect::Open(id)];
            }
            return Vec::new();
        }
        KeyCode::Char('i' | 'q') => return Vec::new(),
        _ => selected,
    };
    model.dialog = Some(Dialog::Inputs { rows, selected });
    Vec::new()
}

fn help(model: &mut Model, line: u16, code: KeyCode) {
    let last = u16::try_from(model.keymap.rows().len()).unwrap_or(u16::MAX);
    let line = match code {
        KeyCode::Up | KeyCode::Char('k') => line.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => (line + 1).min(last),
        KeyCode::PageUp => line.saturating_sub(5),
        KeyCode::PageDown | KeyCode::Char(' ') => (line + 5).min(last),
        KeyCode::Home | KeyCode::Char('g') => 0,
        _ => return,
    };
    model.dialog = Some(Dialog::Help(line));
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
        (KeyCode::Backspace, _) => InputRequest::DeletePrevChar,
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

fn paste(model: &mut Model, text: &str) {
    let Some(mut dialog) = model.dialog.take() else { return };
    if let Dialog::Name { input, .. } | Dialog::Filter(input) = &mut dialog {
        for c in text.chars().filter(|c| !c.is_control()) {
            input.handle(InputRequest::InsertChar(c));
        }
        if let Dialog::Filter(input) = &dialog {
            filter(model, input.value().to_owned());
        }
    }
    model.dialog = Some(dialog);
}

// ---- the list --------------------------------------------------------------------------------------------------------

fn page(model: &Model) -> usize {
    layout::areas(model.size).map_or(1, |areas| usize::from(areas.list.height).max(1))
}

fn select(model: &mut Model, to: impl FnOnce(usize, usize) -> usize) {
    let count = model.takes.shown.len();
    model.takes.selected = to(model.takes.selected, count).min(count.saturating_sub(1));
}

fn take_list(model: &mut Model, takes: Vec<Take>) {
    let is_there = |path: &PathBuf| takes.iter().any(|take| take.path == *path);
    let wanted = model.takes.wanted.take_if(|path| is_there(path));
    let selected = wanted.or_else(|| model.takes.current().map(|take| take.path.clone()));
    (model.takes.all, model.takes.known) = (takes, true);
    show(model, selected);
}

fn filter(model: &mut Model, text: String) {
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

fn renamed(model: &mut Model, from: &PathBuf, path: PathBuf) {
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

fn deleted(model: &mut Model, path: &PathBuf, restorable: bool) {
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

fn restored(model: &mut Model, outcome: Result<PathBuf, String>) {
    model.deleted = model.deleted.saturating_sub(1);
    match outcome {
        Ok(path) => {
            say(model, Weight::Note, format!("{} is back", stem(&path)));
            model.takes.wanted = Some(path);
        }
        Err(why) => say(model, Weight::Error, why),
    }
}

fn scroll_into_view(model: &mut Model) {
    let page = page(model);
    let takes = &mut model.takes;
    let last = takes.shown.len().saturating_sub(page);
    takes.offset = takes.offset.clamp(takes.selected.saturating_sub(page - 1), takes.selected).min(last);
}

// ---- the mouse -------------------------------------------------------------------------------------------------------

fn point(model: &mut Model, mouse: MouseEvent) -> Vec<Effect> {
    let over = |area: ratatui::layout::Rect| area.contains((mouse.column, mouse.row).into());
    let Some(areas) = layout::areas(model.size) else { return Vec::new() };
    if model.leaving || model.dialog.is_some() {
        return Vec::new();
    }
    match mouse.kind {
        MouseEventKind::ScrollUp => select(model, |at, _| at.saturating_sub(1)),
        MouseEventKind::ScrollDown => select(model, |at, _| at + 1),
        MouseEventKind::Down(MouseButton::Left) if over(areas.list) => {
            let row = model.takes.offset + usize::from(mouse.row - areas.list.y);
            if row < model.takes.shown.len() {
                model.takes.selected = row;
            }
        }
        MouseEventKind::Down(MouseButton::Left) if over(areas.picture) => model.picture = model.picture.next(),
        _ => {}
    }
    Vec::new()
}

#[cfg(test)]
mod tests;
