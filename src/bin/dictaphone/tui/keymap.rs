//! The keys as a table. What is done with a key and what `?` and the bottom line say about it come from the same rows,
//! so that the help cannot lie. The config can give an action other keys. Pure.

mod chord;

use clap::ValueEnum;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

pub(crate) use self::chord::Chord;

/// What a key can ask for. The config calls it by its name in kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
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

impl Action {
    /// What the config calls it.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
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
    /// Whether both can be at the same time.
    fn overlaps(self, other: Self) -> bool {
        self == other || self == Self::Always || other == Self::Always
    }

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
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) when: When,
    /// Its keys, unless the config says otherwise.
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

/// An action and the keys that ask for it.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) binding: &'static Binding,
    /// The first is shown where there is room for one only.
    pub(crate) keys: Vec<Chord>,
}

impl Bound {
    /// How its keys are written.
    pub(crate) fn names(&self, unicode: bool) -> String {
        self.keys.iter().map(|key| key.name(unicode)).collect::<Vec<_>>().join(", ")
    }
}

/// The keys as they are for this user.
#[derive(Debug, Clone)]
pub(crate) struct Keymap(Vec<Bound>);

impl Default for Keymap {
    fn default() -> Self {
        let bind = |binding: &'static Binding| {
            let keys = binding.keys.iter().map(|&code| Chord::plain(code)).collect();
            Bound { binding, keys }
        };
        Self(BINDINGS.iter().map(bind).collect())
    }
}

/// A key that two actions want at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clash {
    pub(crate) key: Chord,
    pub(crate) actions: [Action; 2],
}

impl Keymap {
    /// Gives an action these keys and no others.
    pub(crate) fn rebind(&mut self, action: Action, keys: &[Chord]) {
        for bound in self.0.iter_mut().filter(|bound| bound.binding.action == action) {
            bound.keys = keys.to_vec();
        }
    }

    /// The first key that has two meanings, if there is one.
    pub(crate) fn clash(&self) -> Option<Clash> {
        let keys = || self.0.iter().flat_map(|bound| bound.keys.iter().map(move |key| (bound.binding, *key)));
        keys().enumerate().find_map(|(place, (first, key))| {
            let second =
                keys().skip(place + 1).find(|(second, other)| *other == key && first.when.overlaps(second.when));
            second.map(|(second, _)| Clash { key, actions: [first.action, second.action] })
        })
    }

    /// Every action, in the order of the help.
    pub(crate) fn rows(&self) -> &[Bound] {
        &self.0
    }

    /// The rows that mean something at the moment.
    pub(crate) fn active(&self, recording: bool) -> impl Iterator<Item = &Bound> {
        let now = if recording { When::Recording } else { When::Idle };
        self.0.iter().filter(move |bound| bound.binding.when.overlaps(now))
    }

    /// What that key asks for at the moment. A key that is held down moves the selection and does nothing else; shift
    /// with a key that seeks is left to whoever asks.
    pub(crate) fn action(&self, key: KeyEvent, recording: bool) -> Option<Action> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        let chord = Chord::pressed(key);
        let find =
            |chord| self.active(recording).find(|bound| bound.keys.contains(&chord)).map(|bound| bound.binding.action);
        let seeks = |action: &Action| matches!(action, Action::Back | Action::Forward);
        let action = find(chord).or_else(|| find(chord.unshifted()?).filter(seeks))?;
        (moves(action) || key.kind == KeyEventKind::Press).then_some(action)
    }
}

fn moves(action: Action) -> bool {
    matches!(
        action,
        Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::Back
            | Action::Forward
            | Action::Slower
            | Action::Faster
    )
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;

    use super::*;

    #[test]
    fn no_key_means_two_things_at_once() {
        assert_eq!(Keymap::default().clash(), None);
    }

    #[test]
    fn every_action_has_one_row() {
        for action in Action::value_variants() {
            assert_eq!(BINDINGS.iter().filter(|binding| binding.action == *action).count(), 1, "{action:?}");
        }
    }

    #[test]
    fn keys_depend_on_whether_something_is_recorded() {
        let keymap = Keymap::default();
        let press = |code, recording| keymap.action(KeyEvent::new(code, KeyModifiers::NONE), recording);
        assert_eq!(press(Char('r'), false), Some(Action::Record));
        assert_eq!(press(Char('r'), true), None);
        assert_eq!(press(Char(' '), true), Some(Action::TogglePause));
        assert_eq!(press(Enter, true), Some(Action::Stop));
        assert_eq!(press(Char('x'), false), None);
        assert_eq!(press(Char('q'), true), Some(Action::Quit));
    }

    #[test]
    fn a_key_that_is_held_down_only_moves() {
        let keymap = Keymap::default();
        let held = |code| {
            let mut key = KeyEvent::new(code, KeyModifiers::NONE);
            key.kind = KeyEventKind::Repeat;
            keymap.action(key, true)
        };
        assert_eq!((held(Down), held(Char(' ')), held(Char('s'))), (Some(Action::Down), None, None));
    }

    #[test]
    fn what_is_held_down_with_a_key_makes_it_another_key() {
        let mut keymap = Keymap::default();
        let press = |keymap: &Keymap, code, held| keymap.action(KeyEvent::new(code, held), false);
        assert_eq!(press(&keymap, Char('r'), KeyModifiers::CONTROL), None);
        assert_eq!(press(&keymap, Char('r'), KeyModifiers::ALT), None);
        assert_eq!(press(&keymap, Char('G'), KeyModifiers::SHIFT), Some(Action::Bottom), "shift is in the letter");
        assert_eq!(press(&keymap, Left, KeyModifiers::SHIFT), Some(Action::Back), "shift seeks further");
        assert_eq!(press(&keymap, Up, KeyModifiers::SHIFT), None);
        keymap.rebind(Action::Record, &[Chord::parse("ctrl-r").unwrap(), Chord::parse("shift-left").unwrap()]);
        assert_eq!(press(&keymap, Char('r'), KeyModifiers::CONTROL), Some(Action::Record));
        assert_eq!(press(&keymap, Char('r'), KeyModifiers::NONE), None);
        assert_eq!(press(&keymap, Left, KeyModifiers::SHIFT), Some(Action::Record));
        assert_eq!(press(&keymap, Left, KeyModifiers::NONE), Some(Action::Back));
    }

    #[test]
    fn a_key_may_have_two_meanings_at_different_times_only() {
        let with = |action, key: &str| {
            let mut keymap = Keymap::default();
            keymap.rebind(action, &[Chord::parse(key).unwrap()]);
            keymap.clash().map(|clash| clash.actions)
        };
        assert_eq!(with(Action::Mark, "r"), None, "`r` records before recording, and marks while recording");
        assert_eq!(with(Action::Mark, "x"), Some([Action::Mark, Action::Discard]));
        assert_eq!(with(Action::Mark, "q"), Some([Action::Mark, Action::Quit]));
        assert_eq!(with(Action::Quit, "r"), Some([Action::Record, Action::Quit]));
        let mut keymap = Keymap::default();
        keymap.rebind(Action::Mark, &[Chord::plain(Char('x'))]);
        keymap.rebind(Action::Discard, &[]);
        assert_eq!(keymap.clash(), None, "an action may have no key");
    }
}
