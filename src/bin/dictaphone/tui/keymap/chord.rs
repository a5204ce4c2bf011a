//! A key with what is held down together with it: how it is recognised, shown, and written in the config. Pure.

use crossterm::event::{
    KeyCode::{self, BackTab, Backspace, Char, Delete, Down, End, Enter, Esc, F, Home, Insert, Left, Right, Tab, Up},
    KeyEvent, KeyModifiers,
};

use crate::message::WrongValue;

/// The names in the config of the keys that have no character of their own.
const NAMED: [(&str, KeyCode); 15] = [
    ("space", Char(' ')),
    ("enter", Enter),
    ("esc", Esc),
    ("tab", Tab),
    ("backspace", Backspace),
    ("delete", Delete),
    ("insert", Insert),
    ("left", Left),
    ("right", Right),
    ("up", Up),
    ("down", Down),
    ("home", Home),
    ("end", End),
    ("page-up", KeyCode::PageUp),
    ("page-down", KeyCode::PageDown),
];

const HELD: [(&str, KeyModifiers); 3] =
    [("ctrl", KeyModifiers::CONTROL), ("alt", KeyModifiers::ALT), ("shift", KeyModifiers::SHIFT)];

/// The function keys that keyboards have.
const FUNCTION_KEYS: std::ops::RangeInclusive<u8> = 1..=12;

/// A key, alone or with others held down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chord {
    code: KeyCode,
    held: KeyModifiers,
}

impl Chord {
    /// Stands in the place of a key that was removed; it cannot be pressed.
    pub(crate) const NONE: Self = Self::plain(KeyCode::Null);

    /// The key alone.
    pub(crate) const fn plain(code: KeyCode) -> Self {
        Self { code, held: KeyModifiers::NONE }
    }

    /// What was pressed. Shift is already in a character, and some terminals report it and others do not.
    pub(crate) fn pressed(key: KeyEvent) -> Self {
        let held = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let is_in_code = matches!(key.code, Char(_) | BackTab);
        Self { code: key.code, held: if is_in_code { held - KeyModifiers::SHIFT } else { held } }
    }

    /// The same without shift; `None` if it was not held down, or makes another character.
    pub(crate) fn unshifted(self) -> Option<Self> {
        self.held.contains(KeyModifiers::SHIFT).then_some(Self { held: self.held - KeyModifiers::SHIFT, ..self })
    }

    /// Reads a key as the config has it: a character, a name, and what is held down before it, as in `ctrl-x`.
    ///
    /// # Errors
    /// What is wrong, and what helps.
    pub(crate) fn parse(text: &str) -> Result<Self, WrongValue> {
        let mut rest = text;
        let mut held = KeyModifiers::NONE;
        while let Some((word, after)) = rest.split_once('-').filter(|(_, after)| !after.is_empty()) {
            let Some((_, modifier)) = HELD.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)) else { break };
            held |= *modifier;
            rest = after;
        }
        let code = code(rest).ok_or_else(|| {
            let names: Vec<&str> = NAMED.iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            let hint = format!("a key is a character, f1 to f12, or one of {names}, after ctrl-, alt- or shift-");
            WrongValue::new(format!("`{text}` is no key"), hint)
        })?;
        Self { code, held }.spelt_out(text)
    }

    /// The key as terminals report it.
    fn spelt_out(self, text: &str) -> Result<Self, WrongValue> {
        let Self { code, held } = self;
        if let (Char(letter), true) = (code, held.contains(KeyModifiers::CONTROL)) {
            return match letter.to_ascii_lowercase() {
                'c' | 'z' => Err(WrongValue::new(
                    format!("`{text}` has its meaning already"),
                    "ctrl-c saves and quits, ctrl-z suspends",
                )),
                'i' | 'm' => {
                    Err(WrongValue::new(format!("`{text}` cannot be told from tab or enter"), "take another letter"))
                }
                'a'..='z' | ' ' if !held.contains(KeyModifiers::SHIFT) => {
                    Ok(Self { code: Char(letter.to_ascii_lowercase()), held })
                }
                _ => Err(WrongValue::new(
                    format!("terminals do not tell `{text}`"),
                    "with ctrl- there are the letters, alone",
                )),
            };
        }
        let unshifted = held - KeyModifiers::SHIFT;
        match (code, held.contains(KeyModifiers::SHIFT)) {
            (Char(letter), true) if letter.is_alphabetic() => {
                let mut upper = letter.to_uppercase();
                let upper = upper.next().filter(|_| upper.len() == 0).unwrap_or(letter);
                Ok(Self { code: Char(upper), held: unshifted })
            }
            (Char(_), true) => {
                Err(WrongValue::new(format!("`{text}` depends on the keyboard"), "write the character that it makes"))
            }
            (Tab, true) => Ok(Self { code: BackTab, held: unshifted }),
            _ => Ok(self),
        }
    }

    /// How it is shown.
    pub(crate) fn name(self, unicode: bool) -> String {
        let held: String =
            HELD.iter().filter(|(_, held)| self.held.contains(*held)).map(|(name, _)| format!("{name}-")).collect();
        let key = match (self.code, unicode) {
            (Char(' '), true) => "␣".to_owned(),
            (Char(' '), false) => "space".to_owned(),
            (Char(c), _) => c.to_string(),
            (Up, true) => "↑".to_owned(),
            (Down, true) => "↓".to_owned(),
            (Left, true) => "←".to_owned(),
            (Right, true) => "→".to_owned(),
            (BackTab, _) => "shift-Tab".to_owned(),
            (F(n), _) => format!("F{n}"),
            (KeyCode::PageUp, _) => "PgUp".to_owned(),
            (KeyCode::PageDown, _) => "PgDn".to_owned(),
            (other, _) => format!("{other:?}"),
        };
        held + &key
    }
}

fn code(word: &str) -> Option<KeyCode> {
    let mut characters = word.chars();
    if let (Some(c), None) = (characters.next(), characters.next()) {
        return (!c.is_control()).then_some(Char(c));
    }
    let word = word.to_ascii_lowercase();
    if let Some((_, code)) = NAMED.iter().find(|(name, _)| *name == word) {
        return Some(*code);
    }
    let digits = word.strip_prefix('f').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let number = digits.parse().ok()?;
    FUNCTION_KEYS.contains(&number).then_some(F(number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_read_as_terminals_tell_them() {
        for (text, code, held) in [
            ("x", Char('x'), KeyModifiers::NONE),
            ("X", Char('X'), KeyModifiers::NONE),
            ("-", Char('-'), KeyModifiers::NONE),
            ("?", Char('?'), KeyModifiers::NONE),
            ("ä", Char('ä'), KeyModifiers::NONE),
            ("space", Char(' '), KeyModifiers::NONE),
            (" ", Char(' '), KeyModifiers::NONE),
            ("Page-Up", KeyCode::PageUp, KeyModifiers::NONE),
            ("f2", F(2), KeyModifiers::NONE),
            ("F12", F(12), KeyModifiers::NONE),
            ("f", Char('f'), KeyModifiers::NONE),
            ("ctrl-x", Char('x'), KeyModifiers::CONTROL),
            ("Ctrl-X", Char('x'), KeyModifiers::CONTROL),
            ("alt-x", Char('x'), KeyModifiers::ALT),
            ("alt--", Char('-'), KeyModifiers::ALT),
            ("shift-x", Char('X'), KeyModifiers::SHIFT),
            ("shift-ä", Char('Ä'), KeyModifiers::SHIFT),
            ("shift-tab", BackTab, KeyModifiers::SHIFT),
            ("shift-left", Left, KeyModifiers::SHIFT),
            ("ctrl-alt-delete", Delete, KeyModifiers::CONTROL | KeyModifiers::ALT),
            ("shift-f3", F(3), KeyModifiers::SHIFT),
        ] {
            let event = KeyEvent::new(code, held);
            assert_eq!(Chord::parse(text), Ok(Chord::pressed(event)), "{text}");
        }
    }

    #[test]
    fn what_no_terminal_tells_is_refused_with_a_remedy() {
        for (text, word) in [
            ("", "no key"),
            ("xy", "no key"),
            ("f0", "no key"),
            ("f13", "no key"),
            ("f+1", "no key"),
            ("hyper-x", "no key"),
            ("ctrl-", "no key"),
            ("\u{1b}", "no key"),
            ("ctrl-c", "saves and quits"),
            ("ctrl-Z", "suspends"),
            ("ctrl-i", "tab"),
            ("ctrl-m", "enter"),
            ("ctrl-1", "letters"),
            ("ctrl-shift-x", "letters"),
            ("shift-1", "depends on the keyboard"),
        ] {
            let message = Chord::parse(text).unwrap_err().whole();
            assert!(message.contains(word) && message.contains("; "), "{text:?} gave {message:?}");
        }
    }

    #[test]
    fn chords_are_shown_as_they_are_written() {
        for (text, unicode, ascii) in [
            ("x", "x", "x"),
            ("space", "␣", "space"),
            ("ctrl-x", "ctrl-x", "ctrl-x"),
            ("shift-left", "shift-←", "shift-Left"),
            ("shift-tab", "shift-Tab", "shift-Tab"),
            ("f2", "F2", "F2"),
            ("page-up", "PgUp", "PgUp"),
        ] {
            let chord = Chord::parse(text).unwrap();
            assert_eq!((chord.name(true).as_str(), chord.name(false).as_str()), (unicode, ascii), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_key_or_refused(text in "((ctrl|alt|shift)-){0,3}\\PC{0,8}") {
            let _ = Chord::parse(&text);
        }
    }
}
