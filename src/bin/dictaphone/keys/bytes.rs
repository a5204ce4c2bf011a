//! What comes from a terminal, byte by byte: which bytes are keys by themselves, and which belong to the sequence that
//! an arrow or a function key sends. Pure.
//!
//! The recorder needs a handful of plain keys. A reader of all events that also watches the window was lost on it: it
//! waited for a key that it had overlooked when the window changed at the same moment, or for the rest of a sequence
//! that it did not know.

/// Escape as a byte.
const ESCAPE: u8 = 0x1b;

/// Where in a sequence the bytes are (ECMA-48, § 5.3 and § 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    Outside,
    /// Behind ESC.
    Introduced,
    /// Behind CSI, `ESC [`: parameters until a final byte.
    Parameters,
    /// Behind SS3, `ESC O`: one more byte.
    Last,
}

/// Tells keys from sequences.
#[derive(Debug, Default)]
pub(super) struct Bytes(Place);

impl Bytes {
    /// The plain ASCII keys among `bytes`, which were read in one go.
    pub(super) fn keys(&mut self, bytes: &[u8]) -> Vec<u8> {
        let keys = bytes.iter().filter_map(|&byte| self.key(byte)).collect();
        // A sequence comes in one piece; what ends behind ESC is the key of that name.
        if self.0 == Place::Introduced {
            self.0 = Place::Outside;
        }
        keys
    }

    fn key(&mut self, byte: u8) -> Option<u8> {
        let (place, key) = match (self.0, byte) {
            (_, ESCAPE) => (Place::Introduced, None),
            // No sequence holds a control character, so Ctrl-C is one wherever it comes.
            (_, 0x00..=0x1f) | (Place::Outside, 0x20..=0x7f) => (Place::Outside, Some(byte)),
            (Place::Introduced, b'[') => (Place::Parameters, None),
            (Place::Introduced, b'O') => (Place::Last, None),
            (Place::Parameters, 0x20..=0x3f) => (Place::Parameters, None),
            // The end of a sequence, a key pressed together with Alt, or a part of a letter outside ASCII.
            _ => (Place::Outside, None),
        };
        self.0 = place;
        key
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(reads: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Bytes::default();
        reads.iter().flat_map(|read| bytes.keys(read)).collect()
    }

    #[test]
    fn only_keys_by_themselves_are_keys() {
        for (reads, expected) in [
            (&[&b" q\r\x03\x1a"[..]][..], &b" q\r\x03\x1a"[..]),
            (&[b"\x1b[A\x1b[1;5Cq"], b"q"),
            (&[b"\x1bOQ\x1b[3~m"], b"m"),
            (&[b"\x1b[99;77qm"], b"m"),
            (&[b"\x1bq"], b""),
            (&[b"\x1b", b"q"], b"q"),
            (&[b"\x1b\x1b[Aq"], b"q"),
            (&[b"\x1b[1;", b"5Cq"], b"q"),
            (&["äßマq".as_bytes()], b"q"),
            (&[b"\x1b[\x03"], b"\x03"),
            (&[b"\x1b[200~", b"\x03"], b"\x03"),
        ] {
            assert_eq!(keys(reads), expected, "{reads:?}");
        }
    }

    proptest! {
        #[test]
        fn ctrl_c_comes_through_whatever_was_pressed_before(noise in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(keys(&[&noise, b"\x03"]).last().copied(), Some(3));
        }
    }
}
