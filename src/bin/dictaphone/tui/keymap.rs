//! The keys as a table. What a key does and what `?` and the bottom line say about it come from the same rows, so that
//! the help is always right. The config can give an action other keys. Pure.

mod chord;

use clap::ValueEnum;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

pub(crate) use self::chord::Chord;

/// What a key can ask for. The config calls it by its name in kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Action {
    Record,
    Append,
    Overwrite,
    Insert,
    TogglePause,
    Stop,
    Mark,
    Markers,
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
    PreviousMarker,
    NextMarker,
    Tenth,
    GoTo,
    ToStart,
    ToEnd,
    Closer,
    Wider,
    PreviousPause,
    NextPause,
    SkipSilence,
    Slower,
    Faster,
    Softer,
    Louder,
    Repeat,
    CutOut,
    KeepOnly,
    Order,
    Rename,
    Delete,
    Undo,
    Export,
    Recover,
    Inputs,
    OtherPane,
    Help,
    Clear,
    Quit,
}

impl Action {
    /// Its name in the config.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// What the keys apply to at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scene {
    /// Nothing is being recorded.
    Idle,
    /// A recording runs or is paused, and the keys apply to it.
    Recorder,
    /// A recording runs or is paused, and the keys apply to the clips.
    Clips,
}

/// When a key has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Nothing is being recorded.
    Idle,
    /// The keys apply to the clips: nothing is being recorded, or the user has switched to them. Then a key means this,
    /// whatever it would mean for the recording.
    Clips,
    /// A recording runs or is paused.
    Recording,
    /// Always, unless a text is being typed.
    Always,
}

impl When {
    /// All of them, in the order of the help.
    pub(crate) const ALL: [Self; 4] = [Self::Idle, Self::Clips, Self::Recording, Self::Always];

    /// Whether a key cannot have a meaning of both.
    fn overlaps(self, other: Self) -> bool {
        let both = [self, other];
        self == other || both.contains(&Self::Always) || (both.contains(&Self::Idle) && both.contains(&Self::Clips))
    }

    fn includes(self, scene: Scene) -> bool {
        match self {
            Self::Idle => scene == Scene::Idle,
            Self::Clips => scene != Scene::Recorder,
            Self::Recording => scene != Scene::Idle,
            Self::Always => true,
        }
    }

    /// The heading of its keys in the help.
    pub(crate) const fn heading(self) -> &'static str {
        match self {
            Self::Idle => "before recording",
            Self::Clips => "in the list; while recording, after Tab",
            Self::Recording => "while recording",
            Self::Always => "at any time",
        }
    }
}

/// Keys that no config changes, and what they do, for the help.
pub(crate) const FIXED: [(&str, &str); 4] = [
    ("ctrl-c", "save and quit"),
    ("ctrl-z", "suspend, while it goes on recording"),
    ("click", "choose a clip, go to a place in it"),
    ("drag", "over a clip's waveform: repeat that part"),
];

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) when: When,
    /// Its keys, unless the config says otherwise.
    pub(crate) keys: &'static [KeyCode],
    pub(crate) action: Action,
    /// What it does, for the help.
    pub(crate) help: &'static str,
}

const fn row(when: When, keys: &'static [KeyCode], action: Action, help: &'static str) -> Binding {
    Binding { when, keys, action, help }
}

/// The keys of the tenths of a clip, from its start on.
const DIGITS: &[KeyCode] =
    &[Char('0'), Char('1'), Char('2'), Char('3'), Char('4'), Char('5'), Char('6'), Char('7'), Char('8'), Char('9')];

use KeyCode::{Char, Delete, Down, End, Enter, Esc, F, Home, Left, PageDown, PageUp, Right, Tab, Up};

/// Every key of the screen. In text fields every printable key is text instead. Those of the clips come before those of
/// the recording.
pub(crate) const BINDINGS: &[Binding] = &[
    row(When::Idle, &[Char('r')], Action::Record, "record"),
    row(When::Clips, &[Char(' '), Enter], Action::Play, "play the clip, pause"),
    row(When::Idle, &[Char('i')], Action::Inputs, "choose the input, by its live level"),
    row(When::Idle, &[Char('a')], Action::Append, "go on with the clip, behind its end"),
    row(When::Idle, &[Char('o')], Action::Overwrite, "record over the clip from here on"),
    row(When::Idle, &[Char('I')], Action::Insert, "insert into the clip here"),
    row(When::Recording, &[Char(' ')], Action::TogglePause, "pause, resume"),
    row(When::Recording, &[Char('s'), Enter], Action::Stop, "stop, save, then ask for a name"),
    row(When::Recording, &[Char('x')], Action::Discard, "delete the recording, to the trash (asks)"),
    row(When::Recording, &[Tab], Action::OtherPane, "between the recording and the list"),
    row(When::Always, &[Char('v')], Action::NextPicture, "waveform, oscilloscope, spectrum"),
    row(When::Always, &[Left], Action::Back, "5 s back, with shift 30 s"),
    row(When::Always, &[Right], Action::Forward, "5 s on, with shift 30 s"),
    row(When::Always, &[Char(',')], Action::PreviousMarker, "to the marker before"),
    row(When::Always, &[Char('.')], Action::NextMarker, "to the next marker"),
    row(When::Always, DIGITS, Action::Tenth, "to that tenth of the clip"),
    row(When::Always, &[Char(':')], Action::GoTo, "to a time: 1:20:00, +5m, 50%"),
    row(When::Always, &[Home], Action::ToStart, "to the start of the clip or list"),
    row(When::Always, &[End], Action::ToEnd, "to the end of the clip or list"),
    row(When::Always, &[Char('<')], Action::PreviousPause, "to the pause in speech before"),
    row(When::Always, &[Char('>')], Action::NextPause, "to the next pause in speech"),
    row(When::Always, &[Char('K')], Action::SkipSilence, "skip silence, or play all of it"),
    row(When::Always, &[Char('z')], Action::Closer, "zoom in on the waveform"),
    row(When::Always, &[Char('Z')], Action::Wider, "zoom out"),
    row(When::Always, &[Char('[')], Action::Slower, "play slower, at the same pitch"),
    row(When::Always, &[Char(']')], Action::Faster, "play faster, at the same pitch"),
    row(When::Always, &[Char('-')], Action::Softer, "play softer"),
    row(When::Always, &[Char('+'), Char('=')], Action::Louder, "play louder"),
    row(When::Always, &[Char('b')], Action::Repeat, "repeat from A, to B, no more"),
    row(When::Always, &[Char('m')], Action::Mark, "set a marker here, and name it"),
    row(When::Always, &[Char('M')], Action::Markers, "the markers of the clip: go, name, delete"),
    row(When::Always, &[Char('c')], Action::CutOut, "cut out what is between A and B"),
    row(When::Always, &[Char('C')], Action::KeepOnly, "keep only what is between A and B"),
    row(When::Always, &[Up, Char('k')], Action::Up, "the clip above"),
    row(When::Always, &[Down, Char('j')], Action::Down, "the clip below"),
    row(When::Always, &[PageUp], Action::PageUp, "a page up"),
    row(When::Always, &[PageDown], Action::PageDown, "a page down"),
    row(When::Always, &[Char('g')], Action::Top, "the first clip"),
    row(When::Always, &[Char('G')], Action::Bottom, "the last clip"),
    row(When::Always, &[Char('n'), F(2)], Action::Rename, "rename the clip"),
    row(When::Always, &[Char('d'), Delete], Action::Delete, "delete the clip, to the trash"),
    row(When::Always, &[Char('u')], Action::Undo, "undo a delete, a cut, a dictation"),
    row(When::Always, &[Char('e')], Action::Export, "export the clip to another format"),
    row(When::Always, &[Char('R')], Action::Recover, "make an unfinished recording whole"),
    row(When::Always, &[Char('S')], Action::Order, "sort by date, name, length, size"),
    row(When::Always, &[Char('/')], Action::Filter, "show only clips with these words"),
    row(When::Always, &[Esc], Action::Clear, "end the export, the filter, a message"),
    row(When::Always, &[Char('?')], Action::Help, "these keys"),
    row(When::Always, &[Char('q')], Action::Quit, "quit; a recording is saved"),
];

/// An action and the keys that trigger it.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) binding: &'static Binding,
    /// The first is shown where there is room for one only.
    pub(crate) keys: Vec<Chord>,
}

impl Bound {
    /// How its keys are written.
    pub(crate) fn names(&self, unicode: bool) -> String {
        if self.keys.len() == DIGITS.len()
            && self.keys.iter().zip(DIGITS).all(|(key, &code)| *key == Chord::plain(code))
        {
            return "0-9".to_owned();
        }
        let keys = self.keys.iter().filter(|key| **key != Chord::NONE);
        keys.map(|key| key.name(unicode)).collect::<Vec<_>>().join(", ")
    }

    fn each_key(&self) -> impl Iterator<Item = (When, Chord)> {
        self.keys.iter().map(|key| (self.binding.when, *key))
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

/// A key that two actions have at the same time.
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

    /// Takes from every action that is not among `given` the keys that one of these has at the same time: the meaning
    /// that the user gives a key takes precedence over its default.
    pub(crate) fn give_way(&mut self, given: &[Action]) {
        let is_given = |bound: &Bound| given.contains(&bound.binding.action);
        let taken: Vec<(When, Chord)> =
            self.0.iter().filter(|bound| is_given(bound)).flat_map(Bound::each_key).collect();
        for bound in self.0.iter_mut().filter(|bound| !is_given(bound)) {
            let when = bound.binding.when;
            let is_taken = |key: Chord| taken.iter().any(|&(other, chord)| chord == key && other.overlaps(when));
            match bound.binding.action {
                // The others keep their place.
                Action::Tenth => bound.keys.iter_mut().filter(|key| is_taken(**key)).for_each(|key| *key = Chord::NONE),
                _ => bound.keys.retain(|&key| !is_taken(key)),
            }
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

    /// The rows that have a meaning at the moment. Of two that have the same key the first counts.
    pub(crate) fn active(&self, scene: Scene) -> impl Iterator<Item = &Bound> {
        self.0.iter().filter(move |bound| bound.binding.when.includes(scene))
    }

    /// The action of that key at the moment. A key that is held down only triggers actions that move something; shift
    /// with a key that seeks is left to the caller.
    pub(crate) fn action(&self, key: KeyEvent, scene: Scene) -> Option<Action> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        let chord = Chord::pressed(key);
        let find =
            |chord| self.active(scene).find(|bound| bound.keys.contains(&chord)).map(|bound| bound.binding.action);
        let seeks = |action: &Action| matches!(action, Action::Back | Action::Forward);
        let action = find(chord).or_else(|| find(chord.unshifted()?).filter(seeks))?;
        (moves(action) || key.kind == KeyEventKind::Press).then_some(action)
    }

    /// Which of the keys of an action that one is.
    pub(crate) fn place(&self, key: KeyEvent, action: Action) -> Option<usize> {
        let bound = self.0.iter().find(|bound| bound.binding.action == action)?;
        bound.keys.iter().position(|&chord| chord == Chord::pressed(key))
    }

    /// When that key would have a meaning, if it ever has one.
    pub(crate) fn when(&self, key: KeyEvent) -> Option<When> {
        let chord = Chord::pressed(key);
        self.0.iter().find(|bound| bound.keys.contains(&chord)).map(|bound| bound.binding.when)
    }

    /// How the first key of an action is written, if it has one.
    pub(crate) fn key_of(&self, action: Action, unicode: bool) -> Option<String> {
        let bound = self.0.iter().find(|bound| bound.binding.action == action)?;
        bound.keys.first().map(|key| key.name(unicode))
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
            | Action::Closer
            | Action::Wider
            | Action::Slower
            | Action::Faster
            | Action::Softer
            | Action::Louder
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
    fn the_clips_come_before_the_recording() {
        let place = |when| BINDINGS.iter().map(|row| row.when).enumerate().filter(move |(_, row)| *row == when);
        assert!(place(When::Clips).map(|row| row.0).max() < place(When::Recording).map(|row| row.0).min());
    }

    #[test]
    fn keys_depend_on_what_they_are_about() {
        let keymap = Keymap::default();
        let press = |code, scene| keymap.action(KeyEvent::new(code, KeyModifiers::NONE), scene);
        for (code, idle, recorder, clips) in [
            (Char('r'), Some(Action::Record), None, None),
            (Char(' '), Some(Action::Play), Some(Action::TogglePause), Some(Action::Play)),
            (Enter, Some(Action::Play), Some(Action::Stop), Some(Action::Play)),
            (Char('s'), None, Some(Action::Stop), Some(Action::Stop)),
            (Char('x'), None, Some(Action::Discard), Some(Action::Discard)),
            (Tab, None, Some(Action::OtherPane), Some(Action::OtherPane)),
            (Char('q'), Some(Action::Quit), Some(Action::Quit), Some(Action::Quit)),
        ] {
            let found = [Scene::Idle, Scene::Recorder, Scene::Clips].map(|scene| press(code, scene));
            assert_eq!(found, [idle, recorder, clips], "{code:?}");
        }
    }

    #[test]
    fn a_key_that_is_held_down_only_moves() {
        let keymap = Keymap::default();
        let held = |code| {
            let mut key = KeyEvent::new(code, KeyModifiers::NONE);
            key.kind = KeyEventKind::Repeat;
            keymap.action(key, Scene::Recorder)
        };
        assert_eq!((held(Down), held(Char(' ')), held(Char('s'))), (Some(Action::Down), None, None));
    }

    #[test]
    fn what_is_held_down_with_a_key_makes_it_another_key() {
        let mut keymap = Keymap::default();
        let press = |keymap: &Keymap, code, held| keymap.action(KeyEvent::new(code, held), Scene::Idle);
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
    fn a_default_gives_way_to_what_the_user_wants_of_its_key() {
        let mut keymap = Keymap::default();
        let given = [(Action::Rename, "5"), (Action::Order, "c"), (Action::Stop, "r"), (Action::Filter, "q")];
        for (action, key) in given {
            keymap.rebind(action, &[Chord::parse(key).unwrap()]);
        }
        keymap.give_way(&given.map(|(action, _)| action));
        assert_eq!(keymap.clash(), None);
        let press = |code, scene| keymap.action(KeyEvent::new(code, KeyModifiers::NONE), scene);
        assert_eq!(press(Char('5'), Scene::Idle), Some(Action::Rename));
        assert_eq!(press(Char('c'), Scene::Idle), Some(Action::Order));
        assert_eq!(press(Char('q'), Scene::Idle), Some(Action::Filter));
        assert_eq!(press(Char('r'), Scene::Idle), Some(Action::Record), "at another time it means what it did");
        assert_eq!(keymap.place(KeyEvent::new(Char('7'), KeyModifiers::NONE), Action::Tenth), Some(7));
        let row = |action| keymap.rows().iter().find(|bound| bound.binding.action == action).unwrap().names(true);
        assert_eq!(row(Action::Tenth), "0, 1, 2, 3, 4, 6, 7, 8, 9");
        assert_eq!((row(Action::CutOut), row(Action::Quit)), (String::new(), String::new()));
    }

    #[test]
    fn a_key_may_have_two_meanings_at_different_times_only() {
        let with = |action, key: &str| {
            let mut keymap = Keymap::default();
            keymap.rebind(action, &[Chord::parse(key).unwrap()]);
            keymap.clash().map(|clash| clash.actions)
        };
        assert_eq!(with(Action::Stop, "r"), None, "`r` records before recording, and stops while recording");
        assert_eq!(with(Action::Stop, "x"), Some([Action::Stop, Action::Discard]));
        assert_eq!(with(Action::Stop, "q"), Some([Action::Stop, Action::Quit]));
        assert_eq!(with(Action::Quit, "r"), Some([Action::Record, Action::Quit]));
        let mut keymap = Keymap::default();
        keymap.rebind(Action::Stop, &[Chord::plain(Char('x'))]);
        keymap.rebind(Action::Discard, &[]);
        assert_eq!(keymap.clash(), None, "an action may have no key");
    }
}
