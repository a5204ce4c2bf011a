//! A part of a file in memory, for readers that access many places close to each other. Takes memory only for what is
//! there. Run by the thread that reads.

use std::io::{self, Read as _, SeekFrom};

use super::Input;

/// Bytes that are read at once at least.
const BLOCK: usize = 64 << 10;

/// A file and the part of it that was read last.
pub(crate) struct Window<I> {
    input: I,
    start: u64,
    bytes: Vec<u8>,
}

impl<I: Input> Window<I> {
    pub(crate) fn new(input: I) -> Self {
        Self { input, start: 0, bytes: Vec::new() }
    }

    /// The length of the file in bytes.
    ///
    /// # Errors
    /// Those of seeking.
    pub(crate) fn len(&mut self) -> io::Result<u64> {
        self.input.seek(SeekFrom::End(0))
    }

    /// `want` bytes from `at` on; fewer only at the end of the file.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn at(&mut self, at: u64, want: usize) -> io::Result<&[u8]> {
        let offset = at.checked_sub(self.start).and_then(|offset| usize::try_from(offset).ok());
        let held = offset.and_then(|offset| offset.checked_add(want)).is_some_and(|end| end <= self.bytes.len());
        if held {
            let offset = offset.unwrap_or_default();
            return Ok(self.bytes.get(offset..offset + want).unwrap_or_default());
        }
        self.bytes.clear();
        self.start = at;
        self.input.seek(SeekFrom::Start(at))?;
        let size = want.max(BLOCK) as u64;
        if let Err(error) = self.input.by_ref().take(size).read_to_end(&mut self.bytes) {
            // The bytes that were read may not be all that the file has now.
            self.bytes.clear();
            return Err(error);
        }
        Ok(self.bytes.get(..want).unwrap_or(&self.bytes))
    }

    /// The length of the ID3v2 tag with which the file begins, in bytes; 0 without one.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn id3_bytes(&mut self) -> io::Result<u64> {
        Ok(match *self.at(0, 10)? {
            // Seven bits a byte, and a footer if one of the flags is set.
            [b'I', b'D', b'3', _, _, flags, a, b, c, d] => {
                let size = [a, b, c, d].iter().fold(0_u64, |size, &byte| size << 7 | u64::from(byte & 0x7f));
                10 + size + if flags & 0x10 == 0 { 0 } else { 10 }
            }
            _ => 0,
        })
    }

    /// The first place from `from` on, and before `until`, at which `begins` holds for the bytes there (of which it
    /// gets at least `width`, where the file has that many).
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn find(
        &mut self,
        from: u64,
        until: u64,
        width: usize,
        begins: impl Fn(&[u8]) -> bool,
    ) -> io::Result<Option<u64>> {
        let mut at = from;
        while at < until {
            let bytes = self.at(at, BLOCK)?;
            let places = bytes.len().saturating_sub(width - 1);
            let left = usize::try_from(until - at).unwrap_or(usize::MAX);
            let found = (0..places.min(left)).find(|&place| bytes.get(place..).is_some_and(&begins));
            if let Some(place) = found {
                return Ok(Some(at + place as u64));
            }
            if bytes.len() < BLOCK {
                break;
            }
            at += places as u64;
        }
        Ok(None)
    }

    /// The last place before `until`, and not before `from`, at which `begins` holds for the bytes there.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn rfind(
        &mut self,
        from: u64,
        until: u64,
        width: usize,
        begins: impl Fn(&[u8]) -> bool,
    ) -> io::Result<Option<u64>> {
        let mut end = until;
        while end > from {
            let start = end.saturating_sub(BLOCK as u64).max(from);
            let places = usize::try_from(end - start).unwrap_or(BLOCK);
            let bytes = self.at(start, places + width - 1)?;
            let found = (0..places).rev().find(|&place| bytes.get(place..).is_some_and(&begins));
            if let Some(place) = found {
                return Ok(Some(start + place as u64));
            }
            end = start;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn what_stands_anywhere_is_found_from_both_sides() {
        let mut bytes = vec![0; 3 * BLOCK];
        let places = [0, 5, BLOCK - 1, BLOCK, 2 * BLOCK - 2, 3 * BLOCK - 2];
        for place in places {
            bytes[place..place + 2].copy_from_slice(b"ab");
        }
        let len = bytes.len() as u64;
        let mut window = Window::new(Cursor::new(bytes));
        assert_eq!(window.len().unwrap(), len);
        let begins = |bytes: &[u8]| bytes.starts_with(b"ab");
        let (mut at, mut found) = (0, Vec::new());
        while let Some(place) = window.find(at, len, 2, begins).unwrap() {
            found.push(place);
            at = place + 1;
        }
        let (mut end, mut backwards) = (len, Vec::new());
        while let Some(place) = window.rfind(0, end, 2, begins).unwrap() {
            backwards.push(place);
            end = place;
        }
        backwards.reverse();
        // "ab" at the end of a block is overwritten by the "ab" of the next one.
        let expected: Vec<u64> =
            places.iter().filter(|&&place| place != BLOCK - 1).map(|&place| place as u64).collect();
        assert_eq!((&found, &backwards), (&expected, &expected));
        assert_eq!(window.find(6, BLOCK as u64, 2, begins).unwrap(), None);
        assert_eq!(window.rfind(6, BLOCK as u64, 2, begins).unwrap(), None);
        assert_eq!(window.at(len - 3, 10).unwrap(), [0, b'a', b'b']);
        assert_eq!(window.at(len + 5, 10).unwrap(), b"");
    }
}
