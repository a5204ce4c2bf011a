//! Tables of what terminals send.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;

use super::*;

/// What a terminal sends in one go, and then nothing for a while.
fn sent(bytes: &[u8]) -> Vec<Event> {
    let mut sequences = Sequences::default();
    let mut events: Vec<Event> = bytes.iter().filter_map(|&byte| sequences.take(byte)).collect();
    events.extend(sequences.settle());
    assert!(!sequences.is_open() && sequences.held.is_empty(), "{sequences:?}");
    events
}

fn pressed(code: KeyCode) -> Event {
    key(code, KeyModifiers::NONE)
}

fn char(c: char) -> Event {
    pressed(KeyCode::Char(c))
}

const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
const ALT: KeyModifiers = KeyModifiers::ALT;
const CONTROL: KeyModifiers = KeyModifiers::CONTROL;

#[test]
fn keys_are_what_terminals_send_for_them() {
    for (bytes, code, held) in [
        (&b"q"[..], KeyCode::Char('q'), KeyModifiers::NONE),
        ("ß".as_bytes(), KeyCode::Char('ß'), KeyModifiers::NONE),
        ("マ".as_bytes(), KeyCode::Char('マ'), KeyModifiers::NONE),
        ("🎙".as_bytes(), KeyCode::Char('🎙'), KeyModifiers::NONE),
        (b"\r", KeyCode::Enter, KeyModifiers::NONE),
        (b"\n", KeyCode::Enter, KeyModifiers::NONE),
        (b"\t", KeyCode::Tab, KeyModifiers::NONE),
        (b"\x7f", KeyCode::Backspace, KeyModifiers::NONE),
        (b"\x03", KeyCode::Char('c'), CONTROL),
        (b"\0", KeyCode::Char(' '), CONTROL),
        (b"\x1b", KeyCode::Esc, KeyModifiers::NONE),
        (b"\x1bx", KeyCode::Char('x'), ALT),
        ("\x1bß".as_bytes(), KeyCode::Char('ß'), ALT),
        (b"\x1b[", KeyCode::Char('['), ALT),
        (b"\x1bO", KeyCode::Char('O'), ALT),
        (b"\x1b]", KeyCode::Char(']'), ALT),
        (b"\x1b\x12", KeyCode::Char('r'), ALT.union(CONTROL)),
        (b"\x1b[A", KeyCode::Up, KeyModifiers::NONE),
        (b"\x1bOB", KeyCode::Down, KeyModifiers::NONE),
        (b"\x1b[1;2C", KeyCode::Right, SHIFT),
        (b"\x1b[1;5D", KeyCode::Left, CONTROL),
        (b"\x1b[1;8H", KeyCode::Home, SHIFT.union(ALT).union(CONTROL)),
        (b"\x1b[Z", KeyCode::BackTab, SHIFT),
        (b"\x1bOP", KeyCode::F(1), KeyModifiers::NONE),
        (b"\x1b[1;2S", KeyCode::F(4), SHIFT),
        (b"\x1b[[E", KeyCode::F(5), KeyModifiers::NONE),
        (b"\x1b[15~", KeyCode::F(5), KeyModifiers::NONE),
        (b"\x1b[17~", KeyCode::F(6), KeyModifiers::NONE),
        (b"\x1b[21~", KeyCode::F(10), KeyModifiers::NONE),
        (b"\x1b[24;5~", KeyCode::F(12), CONTROL),
        (b"\x1b[3~", KeyCode::Delete, KeyModifiers::NONE),
        (b"\x1b[6;3~", KeyCode::PageDown, ALT),
        (b"\x1b[114;5u", KeyCode::Char('r'), CONTROL),
        (b"\x1b[13;2u", KeyCode::Enter, SHIFT),
    ] {
        assert_eq!(sent(bytes), [key(code, held)], "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn the_mouse_is_told_in_three_ways() {
    let mouse = |kind, modifiers| Event::Mouse(MouseEvent { kind, column: 4, row: 1, modifiers });
    let (left, none) = (MouseButton::Left, KeyModifiers::NONE);
    for (bytes, event) in [
        (&b"\x1b[<0;5;2M"[..], mouse(MouseEventKind::Down(left), none)),
        (b"\x1b[<0;5;2m", mouse(MouseEventKind::Up(left), none)),
        (b"\x1b[<34;5;2M", mouse(MouseEventKind::Drag(MouseButton::Right), none)),
        (b"\x1b[<35;5;2M", mouse(MouseEventKind::Moved, none)),
        (b"\x1b[<80;5;2M", mouse(MouseEventKind::ScrollUp, CONTROL)),
        (b"\x1b[<65;5;2M", mouse(MouseEventKind::ScrollDown, none)),
        (b"\x1b[32;5;2M", mouse(MouseEventKind::Down(left), none)),
        (b"\x1b[M %\"", mouse(MouseEventKind::Down(left), none)),
        (b"\x1b[M#%\"", mouse(MouseEventKind::Up(left), none)),
    ] {
        assert_eq!(sent(bytes), [event], "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn what_means_nothing_hides_nothing_that_follows() {
    for rubbish in [
        &b"\x1b[999~"[..],
        b"\x1b[99;77y",
        b"\x1b[I",
        b"\x1b[?62;22c",
        b"\x1b[1;2;3;4;5;6;7;8;9R",
        b"\x1b[99999999999999999999~",
        b"\x1b[4294967295;4294967295A\x08",
        b"\x1b[<0;0;0M",
        b"\x1b[<1;2M",
        b"\x1b[;;;~",
        b"\x1b[[Z",
        b"\x1bO!",
        b"\x1b]0;title q\x07",
        b"\x1b]11;rgb:0/0/0\x1b\\",
        b"\x1bP1$r q\x1b\\",
        b"\x1b[M\x01\x02\x03",
        b"\xff\xfe",
        b"\xc3",
        b"\xe3\x83",
        b"\xed\xa0\x80",
    ] {
        let events = sent(&[rubbish, b"m"].concat());
        assert_eq!(events.last(), Some(&char('m')), "{:?}", String::from_utf8_lossy(rubbish));
        assert!(!events.contains(&char('q')), "{:?}", String::from_utf8_lossy(rubbish));
    }
    let long = [&b"\x1b["[..], &[b'1'; 10_000], b"~m"].concat();
    assert_eq!(sent(&long), [char('m')]);
}

#[test]
fn what_has_no_end_is_given_up_after_a_while() {
    for begun in [&b"\x1b[1;5"[..], b"\x1b]0;q", b"\x1bP", b"\x1b[M#", b"\xe3\x83", b"\x1b[[", b"\x1b[<0;5"] {
        let mut sequences = Sequences::default();
        assert!(begun.iter().all(|&byte| sequences.take(byte).is_none()));
        assert!(sequences.is_open());
        sequences.settle();
        assert_eq!(sequences.take(b'q'), Some(char('q')), "{:?}", String::from_utf8_lossy(begun));
    }
}

#[test]
fn an_escape_may_be_followed_by_another() {
    assert_eq!(sent(b"\x1b\x1b"), [pressed(KeyCode::Esc), pressed(KeyCode::Esc)]);
    assert_eq!(sent(b"\x1b\x1b[A"), [pressed(KeyCode::Esc), pressed(KeyCode::Up)]);
    assert_eq!(sent(b"\x1b[1;\x1b[A"), [pressed(KeyCode::Up)]);
}

#[test]
fn what_is_pasted_is_text_whatever_it_is() {
    let paste = |text: &[u8]| sent(&[b"\x1b[200~", text, b"\x1b[201~"].concat());
    assert_eq!(paste(b"q\r\x03\x1b[A\x1b[201"), [Event::Paste("q\r\x03\x1b[A\x1b[201".into())]);
    assert_eq!(paste("Zoë\r\n".as_bytes()), [Event::Paste("Zoë\r\n".into())]);
    assert_eq!(paste(b"a\xffb"), [Event::Paste("a\u{fffd}b".into())]);
    let long = paste(&[b'x'; 100_000]);
    let [Event::Paste(long)] = long.as_slice() else { panic!("{long:?}") };
    assert!(long.len() <= LONGEST_PASTE && long.len() > LONGEST_PASTE - 10, "{}", long.len());
    // Without an end, until nothing follows for a while.
    assert_eq!(sent(b"\x1b[200~abc"), [Event::Paste("abc".into())]);
}

proptest! {
    #[test]
    fn ctrl_c_comes_through_whatever_was_sent_before(noise in proptest::collection::vec(any::<u8>(), 0..60)) {
        let mut sequences = Sequences::default();
        for byte in noise {
            sequences.take(byte);
            prop_assert!(sequences.held.len() <= LONGEST_PASTE);
        }
        // Three bytes of an old mouse may be anything, and so may a pasted text.
        if matches!(sequences.place, Within::Mouse | Within::Paste) {
            sequences.settle();
        }
        let event = sequences.take(3);
        let is_interrupt = matches!(event, Some(Event::Key(KeyEvent { code: KeyCode::Char('c'), modifiers, .. }))
            if modifiers.contains(CONTROL));
        prop_assert!(is_interrupt, "{event:?}");
    }

    #[test]
    fn a_sequence_may_come_in_pieces(text in "[a-zß]{0,4}(\x1b\\[[0-9;]{0,6}[A-Z~]|\x1bO[A-S]|\x1b\\[<[0-9]{1,2};[0-9]{1,3};[0-9]{1,3}[Mm]){0,3}", cut in any::<prop::sample::Index>()) {
        let whole = sent(text.as_bytes());
        let mut sequences = Sequences::default();
        let at = cut.index(text.len() + 1);
        let mut events = Vec::new();
        for piece in [&text.as_bytes()[..at], &text.as_bytes()[at..]] {
            events.extend(piece.iter().filter_map(|&byte| sequences.take(byte)));
        }
        events.extend(sequences.settle());
        prop_assert_eq!(events, whole);
    }
}
