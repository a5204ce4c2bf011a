//! The keys as a table. What is done with a key and what `?` and the bottom line say about it come from the same rows,
//! so that the help cannot lie. Pure.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Record,
    TogglePause,
    Stop,
    Mark,
    Discard,
    NextPicture,
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Filter,
    Play,
    Back,
    Forward,
    Slower,
    Faster,
    Rename,
    Delete,
    Undo,
    Inputs,
    Help,
    Clear,
    Quit,
}

/// When a key means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Nothing is being recorded.
    Idle,
    /// A recording runs or is paused.
    Recording,
    /// Always, unless a text is being typed.
    Always,
}

impl When {
    /// The heading of its keys in the help.
    pub(crate) const fn heading(self) -> &'static str {
        match self {
            Self::Idle => "before recording",
            Self::Recording => "while recording",
            Self::Always => "at any time",
        }
    }
}

/// A row of the table.
pub(crate) struct Binding {
    pub(crate) when: When,
    pub(crate) keys: &'static [KeyCode],
    pub(crate) action: Action,
    /// What it does, for the help.
    pub(crate) help: &'static str,
    /// One word for the bottom line, if it is worth a place there.
    pub(crate) short: Option<&'static str>,
}

const fn row(
    when: When,
    keys: &'static [KeyCode],
    action: Action,
    help: &'static str,
    short: Option<&'static str>,
) -> Binding {
    Binding { when, keys, action, help, short }
}

use KeyCode::{Char, Delete, Down, End, Enter, Esc, F, Home, Left, PageDown, PageUp, Right, Up};

/// Every key of the screen. In text fields every printable key is text instead.
pub(crate) const BINDINGS: &[Binding] = &[
    row(When::Idle, &[Char('r')], Action::Record, "record", Some("record")),
    row(When::Idle, &[Char(' '), Enter], Action::Play, "play the clip, pause", Some("play")),
    row(When::Idle, &[Left], Action::Back, "5 s back, with shift 30 s", None),
    row(When::Idle, &[Right], Action::Forward, "5 s on, with shift 30 s", None),
    row(When::Idle, &[Char('[')], Action::Slower, "play slower, at the same pitch", None),
    row(When::Idle, &[Char(']')], Action::Faster, "play faster, at the same pitch", None),
    row(When::Idle, &[Char('i')], Action::Inputs, "choose the input", Some("input")),
    row(When::Recording, &[Char(' ')], Action::TogglePause, "pause, resume", Some("pause")),
    row(When::Recording, &[Char('s'), Enter], Action::Stop, "stop, save, then ask for a name", Some("stop")),
    row(When::Recording, &[Char('m')], Action::Mark, "set a marker here", Some("marker")),
    row(When::Recording, &[Char('x')], Action::Discard, "discard the recording (asks)", Some("discard")),
    row(When::Always, &[Char('v')], Action::NextPicture, "waveform, oscilloscope, spectrum", Some("view")),
    row(When::Always, &[Up, Char('k')], Action::Up, "the clip above", None),
    row(When::Always, &[Down, Char('j')], Action::Down, "the clip below", None),
    row(When::Always, &[PageUp], Action::PageUp, "a page up", None),
    row(When::Always, &[PageDown], Action::PageDown, "a page down", None),
    row(When::Always, &[Char('g'), Home], Action::Top, "the first clip", None),
    row(When::Always, &[Char('G'), End], Action::Bottom, "the last clip", None),
    row(When::Always, &[Char('n'), F(2)], Action::Rename, "rename the clip", Some("rename")),
    row(When::Always, &[Char('d'), Delete], Action::Delete, "delete the clip, to the trash", Some("delete")),
    row(When::Always, &[Char('u')], Action::Undo, "bring back what was deleted", Some("undo")),
    row(When::Always, &[Char('/')], Action::Filter, "show only clips whose name has a word", Some("filter")),
    row(When::Always, &[Esc], Action::Clear, "take the filter or a message away", None),
    row(When::Always, &[Char('?')], Action::Help, "these keys", Some("help")),
    row(When::Always, &[Char('q')], Action::Quit, "quit; a recording is saved", Some("quit")),
];

/// What that key asks for at the moment. A key that is held down moves the selection and does nothing else.
pub(crate) fn action(key: KeyEvent, recording: bool) -> Option<Action> {
    if key.kind == KeyEventKind::Release || key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
        return None;
    }
    let binding = active(recording).find(|binding| binding.keys.contains(&key.code))?;
    let moves = matches!(
        binding.action,
        Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::Back
            | Action::Forward
            | Action::Slower
            | Action::Faster
    );
    (moves || key.kind == KeyEventKind::Press).then_some(binding.action)
}

/// The rows that mean something at the moment.
pub(crate) fn active(recording: bool) -> impl Iterator<Item = &'static Binding> {
    BINDINGS.iter().filter(move |binding| match binding.when {
        When::Always => true,
        When::Recording => recording,
        When::Idle => !recording,
    })
}

/// How a key is written.
pub(crate) fn name(key: KeyCode, unicode: bool) -> String {
    match (key, unicode) {
        (Char(' '), true) => "␣".to_owned(),
        (Char(' '), false) => "space".to_owned(),
        (Char(c), _) => c.to_string(),
        (Up, true) => "↑".to_owned(),
        (Down, true) => "↓".to_owned(),
        (Left, true) => "←".to_owned(),
        (Right, true) => "→".to_owned(),
        (Esc, _) => "Esc".to_owned(),
        (F(n), _) => format!("F{n}"),
        (PageUp, _) => "PgUp".to_owned(),
        (PageDown, _) => "PgDn".to_owned(),
        (other, _) => format!("{other:?}"),
    }
}

/// How the keys of a row are written.
pub(crate) fn names(binding: &Binding, unicode: bool) -> String {
    binding.keys.iter().map(|&key| name(key, unicode)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_at_once() {
        for recording in [false, true] {
            let keys: Vec<KeyCode> = active(recording).flat_map(|binding| binding.keys).copied().collect();
            for (i, key) in keys.iter().enumerate() {
                assert!(!keys[..i].contains(key), "{key:?} twice while recording is {recording}");
            }
        }
    }

    #[test]
    fn keys_depend_on_whether_something_is_recorded() {
        let press = |code, recording| action(KeyEvent::new(code, KeyModifiers::NONE), recording);
        assert_eq!(press(Char('r'), false), Some(Action::Record));
        assert_eq!(press(Char('r'), true), None);
        assert_eq!(press(Char(' '), true), Some(Action::TogglePause));
        assert_eq!(press(Enter, true), Some(Action::Stop));
        assert_eq!(press(Char('x'), false), None);
        assert_eq!(press(Char('q'), true), Some(Action::Quit));
    }

    #[test]
    fn a_key_that_is_held_down_only_moves() {
        let held = |code| {
            let mut key = KeyEvent::new(code, KeyModifiers::NONE);
            key.kind = KeyEventKind::Repeat;
            action(key, true)
        };
        assert_eq!((held(Down), held(Char(' ')), held(Char('s'))), (Some(Action::Down), None, None));
        assert_eq!(action(KeyEvent::new(Char('s'), KeyModifiers::CONTROL), true), None);
    }
}
