//! What the control sequences of keys and of the mouse mean, once they are complete. Pure.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// `CSI`, parameters, and a final byte.
pub(super) fn event(parameters: &[u8], last: u8) -> Option<Event> {
    if let Some(place) = parameters.strip_prefix(b"<") {
        return mouse(&numbers(place)?, last);
    }
    let numbers = numbers(parameters)?;
    let first = numbers.first().copied().unwrap_or(0);
    let held = held(numbers.get(1).copied().unwrap_or(1));
    match last {
        b'~' => Some(Event::Key(KeyEvent::new(numbered(first)?, held))),
        b'u' => Some(Event::Key(KeyEvent::new(coded(first)?, held))),
        b'M' => match numbers.as_slice() {
            &[button, column, row] => pointed(button.checked_sub(32)?, column, row, false),
            _ => None,
        },
        _ => letter(last, held),
    }
}

/// A key that ends with a letter, after `CSI` or `SS3`.
pub(super) fn letter(last: u8, held: KeyModifiers) -> Option<Event> {
    let code = match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'M' => KeyCode::Enter,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        b'Z' => return Some(Event::Key(KeyEvent::new(KeyCode::BackTab, held | KeyModifiers::SHIFT))),
        _ => return None,
    };
    Some(Event::Key(KeyEvent::new(code, held)))
}

/// The mouse before terminals had more than 223 columns: everything is shifted by 32.
pub(super) fn old_mouse(button: u8, column: u8, row: u8) -> Option<Event> {
    let unshifted = |byte: u8| byte.checked_sub(32).map(u32::from);
    pointed(unshifted(button)?, unshifted(column)?, unshifted(row)?, false)
}

/// Its later form, which reports which button was released.
fn mouse(numbers: &[u32], last: u8) -> Option<Event> {
    match (numbers, last) {
        (&[button, column, row], b'M' | b'm') => pointed(button, column, row, last == b'm'),
        _ => None,
    }
}

fn pointed(button: u32, column: u32, row: u32, let_go: bool) -> Option<Event> {
    let which = match button & 0b11 {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        _ => None,
    };
    let moved = button & 32 != 0;
    let kind = match (button & 0b1100_0000, which) {
        (0, Some(which)) if let_go => MouseEventKind::Up(which),
        (0, Some(which)) if moved => MouseEventKind::Drag(which),
        (0, Some(which)) => MouseEventKind::Down(which),
        (0, None) if moved => MouseEventKind::Moved,
        // The old form does not report which one.
        (0, None) => MouseEventKind::Up(MouseButton::Left),
        (64, Some(MouseButton::Left)) => MouseEventKind::ScrollUp,
        (64, Some(MouseButton::Middle)) => MouseEventKind::ScrollDown,
        (64, Some(MouseButton::Right)) => MouseEventKind::ScrollLeft,
        (64, None) => MouseEventKind::ScrollRight,
        _ => return None,
    };
    let mut modifiers = KeyModifiers::NONE;
    for (bit, held) in [(4, KeyModifiers::SHIFT), (8, KeyModifiers::ALT), (16, KeyModifiers::CONTROL)] {
        modifiers.set(held, button & bit != 0);
    }
    // Counted from 1.
    let place = |number: u32| number.checked_sub(1).and_then(|number| u16::try_from(number).ok());
    Some(Event::Mouse(MouseEvent { kind, column: place(column)?, row: place(row)?, modifiers }))
}

fn numbers(parameters: &[u8]) -> Option<Vec<u32>> {
    let text = std::str::from_utf8(parameters).ok()?;
    if text.is_empty() {
        return Some(Vec::new());
    }
    // What follows a colon is a detail of the same parameter, and an empty parameter counts as 0.
    let number = |field: &str| match field.split(':').next() {
        None | Some("") => Some(0),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        Some(_) => None,
    };
    text.split(';').map(number).collect()
}

/// One more than a sum of 1 for shift, 2 for alt, 4 for control.
fn held(number: u32) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    for (bit, held) in [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)] {
        modifiers.set(held, bits & bit != 0);
    }
    modifiers
}

/// The keys of `CSI number ~`.
fn numbered(number: u32) -> Option<KeyCode> {
    let function = |first: u8, from: u32| u8::try_from(number - from).ok().map(|place| KeyCode::F(first + place));
    match number {
        1 | 7 => Some(KeyCode::Home),
        2 => Some(KeyCode::Insert),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        11..=15 => function(1, 11),
        17..=21 => function(6, 17),
        23..=24 => function(11, 23),
        _ => None,
    }
}

/// The keys of `CSI code u`: those of the character with that code.
fn coded(number: u32) -> Option<KeyCode> {
    match char::from_u32(number)? {
        '\t' => Some(KeyCode::Tab),
        '\r' => Some(KeyCode::Enter),
        '\u{1b}' => Some(KeyCode::Esc),
        '\u{7f}' => Some(KeyCode::Backspace),
        character if character.is_control() => None,
        character => Some(KeyCode::Char(character)),
    }
}
