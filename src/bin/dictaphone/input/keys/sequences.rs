//! What a terminal sends, byte by byte, as events: the control functions of ECMA-48 (§ 5.3 to § 5.6) that terminals
//! send for keys, the mouse and pasted text as xterm has them (*XTerm Control Sequences*). Pure.
//!
//! A terminal can be made to send anything. So a control character ends whatever was begun, and Ctrl-C is recognised
//! after any garbage; what is begun and not ended within a moment is abandoned by [`Sequences::settle`]; and what is
//! kept meanwhile has a limit.

mod csi;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;

/// The longest sequence that means anything is shorter.
const SEQUENCE_BYTES_MAX: usize = 64;

/// More of what is pasted is dropped.
const LONGEST_PASTE: usize = 1 << 16;

/// What ends a paste.
const PASTE_END: &[u8] = b"\x1b[201~";

/// Where in a sequence the bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Within {
    #[default]
    Outside,
    /// Behind ESC.
    Introduced,
    /// Behind CSI, `ESC [`: parameters until a final byte.
    Parameters,
    /// Behind `ESC [ [`, a function key of the Linux console: one more byte.
    Console,
    /// Behind SS3, `ESC O`: one more byte.
    Single,
    /// Behind OSC and the like, which were introduced by ESC and this byte: a text until ST or BEL. The program never
    /// requests one.
    Text(u8),
    /// In such a text, behind ESC.
    TextEnd,
    /// Behind `CSI M`: the button and the place of the mouse, a byte each.
    Mouse,
    /// In a character of UTF-8 that has so many bytes.
    Character(usize),
    /// In a pasted text.
    Paste,
}

/// Decodes the bytes into events.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    place: Within,
    /// The bytes of what was begun, without its introduction.
    held: Vec<u8>,
    /// The character was introduced by ESC.
    alt: bool,
}

impl Sequences {
    /// Whether something was begun and its end is missing.
    pub(super) fn is_open(&self) -> bool {
        self.place != Within::Outside
    }

    /// Whether that is a pasted text, which may take longer.
    pub(super) fn is_pasting(&self) -> bool {
        self.place == Within::Paste
    }

    /// Takes the next byte.
    pub(super) fn take(&mut self, byte: u8) -> Option<Event> {
        match self.place {
            Within::Paste => return self.paste(byte),
            Within::Mouse => return self.mouse(byte),
            Within::TextEnd if byte == b'\\' => return self.reset(),
            Within::TextEnd => self.place = Within::Introduced,
            Within::Text(_) if byte == ESCAPE => return self.go(Within::TextEnd),
            Within::Text(_) if byte == BELL => return self.reset(),
            _ => {}
        }
        match (self.place, byte) {
            (Within::Introduced, ESCAPE) => Some(key(KeyCode::Esc, KeyModifiers::NONE)),
            (_, ESCAPE) => self.go(Within::Introduced),
            // No sequence contains a control character.
            (place, 0x00..=0x1f) => {
                self.reset();
                control(byte, alt(place == Within::Introduced))
            }
            (Within::Outside, _) => self.begin(byte, false),
            (Within::Introduced, _) => self.introduce(byte),
            (Within::Parameters, b'[') if self.held.is_empty() => self.go(Within::Console),
            (Within::Parameters, 0x20..=0x3f) => self.hold(byte),
            (Within::Parameters, _) => self.end(byte),
            (Within::Console, b'A'..=b'E') => {
                self.reset();
                Some(key(KeyCode::F(byte - b'A' + 1), KeyModifiers::NONE))
            }
            (Within::Single, _) => {
                self.reset();
                csi::letter(byte, KeyModifiers::NONE)
            }
            (Within::Text(_), _) => self.hold(byte),
            (Within::Character(length), 0x80..=0xbf) => self.character(byte, length),
            // The byte does not continue what was begun.
            _ => {
                self.reset();
                self.begin(byte, false)
            }
        }
    }

    /// Nothing has followed for a while: what was begun was a key by itself, or garbage.
    pub(super) fn settle(&mut self) -> Option<Event> {
        let (place, held) = (self.place, std::mem::take(&mut self.held));
        self.reset();
        let pressed = |byte: u8| Some(key(KeyCode::Char(char::from(byte)), KeyModifiers::ALT));
        match place {
            Within::Introduced => Some(key(KeyCode::Esc, KeyModifiers::NONE)),
            Within::Parameters if held.is_empty() => pressed(b'['),
            Within::Single => pressed(b'O'),
            Within::Text(introducer) if held.is_empty() => pressed(introducer),
            Within::Paste => Some(Event::Paste(String::from_utf8_lossy(&held).into_owned())),
            _ => None,
        }
    }

    fn reset(&mut self) -> Option<Event> {
        self.go(Within::Outside)
    }

    fn go(&mut self, place: Within) -> Option<Event> {
        self.place = place;
        self.held.clear();
        None
    }

    fn hold(&mut self, byte: u8) -> Option<Event> {
        if self.held.len() < SEQUENCE_BYTES_MAX {
            self.held.push(byte);
        }
        None
    }

    /// A byte that is not a control character, outside of everything.
    fn begin(&mut self, byte: u8, with_alt: bool) -> Option<Event> {
        let length = match byte {
            0x20..=0x7e => return Some(key(KeyCode::Char(char::from(byte)), alt(with_alt))),
            0x7f => return Some(key(KeyCode::Backspace, alt(with_alt))),
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return None,
        };
        self.go(Within::Character(length));
        self.alt = with_alt;
        self.hold(byte)
    }

    fn introduce(&mut self, byte: u8) -> Option<Event> {
        match byte {
            b'[' => self.go(Within::Parameters),
            b'O' => self.go(Within::Single),
            b']' | b'P' | b'X' | b'^' | b'_' => self.go(Within::Text(byte)),
            _ => {
                self.reset();
                self.begin(byte, true)
            }
        }
    }

    fn character(&mut self, byte: u8, length: usize) -> Option<Event> {
        self.hold(byte);
        if self.held.len() < length {
            return None;
        }
        let character = std::str::from_utf8(&self.held).ok().and_then(|text| text.chars().next());
        self.reset();
        character.map(|character| key(KeyCode::Char(character), alt(self.alt)))
    }

    /// The final byte of a control sequence.
    fn end(&mut self, last: u8) -> Option<Event> {
        let held = std::mem::take(&mut self.held);
        match (held.as_slice(), last) {
            (b"200", b'~') => self.go(Within::Paste),
            ([], b'M') => self.go(Within::Mouse),
            // It was truncated.
            _ if held.len() >= SEQUENCE_BYTES_MAX => self.reset(),
            _ => {
                self.reset();
                csi::event(&held, last)
            }
        }
    }

    fn mouse(&mut self, byte: u8) -> Option<Event> {
        self.hold(byte);
        let &[button, column, row] = self.held.as_slice() else { return None };
        self.reset();
        csi::old_mouse(button, column, row)
    }

    fn paste(&mut self, byte: u8) -> Option<Event> {
        self.held.push(byte);
        if let Some(text) = self.held.strip_suffix(PASTE_END) {
            let text = String::from_utf8_lossy(text).into_owned();
            self.reset();
            return Some(Event::Paste(text));
        }
        if self.held.len() > LONGEST_PASTE {
            // The last bytes stay: they may be the beginning of the end mark.
            self.held.remove(self.held.len() - PASTE_END.len());
        }
        None
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

fn alt(is: bool) -> KeyModifiers {
    if is { KeyModifiers::ALT } else { KeyModifiers::NONE }
}

/// A control character other than ESC.
fn control(byte: u8, modifiers: KeyModifiers) -> Option<Event> {
    let held = modifiers | KeyModifiers::CONTROL;
    Some(match byte {
        0 => key(KeyCode::Char(' '), held),
        b'\t' => key(KeyCode::Tab, modifiers),
        b'\r' | b'\n' => key(KeyCode::Enter, modifiers),
        0x01..=0x1a => key(KeyCode::Char(char::from(byte - 1 + b'a')), held),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
