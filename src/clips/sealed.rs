//! A file as it would be after a repair, which is not carried out: for trying it first.

use std::io::{self, Read, Seek, SeekFrom};

use crate::format::Seal;

/// Reads through the patches of a seal, up to its length.
pub(super) struct Sealed<R> {
    inner: R,
    seal: Seal,
    position: u64,
}

impl<R: Read + Seek> Sealed<R> {
    pub(super) fn new(inner: R, seal: Seal) -> Self {
        Self { inner, seal, position: 0 }
    }
}

impl<R: Read + Seek> Read for Sealed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.seal.length.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let Some(buffer) = buffer.get_mut(..wanted) else { return Ok(0) };
        self.inner.seek(SeekFrom::Start(self.position))?;
        let mut count = self.inner.read(buffer)?;
        for patch in &self.seal.patches {
            for (at, byte) in (patch.at..).zip(&patch.bytes) {
                let place = at.checked_sub(self.position).and_then(|place| usize::try_from(place).ok());
                // A patch may begin where the file ends.
                if let Some((place, there)) = place.and_then(|place| Some((place, buffer.get_mut(place)?)))
                    && place <= count
                {
                    *there = *byte;
                    count = count.max(place + 1);
                }
            }
        }
        self.position += count as u64;
        Ok(count)
    }
}

impl<R: Read + Seek> Seek for Sealed<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.seal.length.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Patch;

    #[test]
    fn patches_are_seen_from_every_place_and_the_end_is_that_of_the_seal() {
        let patch = |at, bytes: &[u8]| Patch { at, bytes: bytes.to_owned() };
        for (length, patches, expected) in [
            (10, vec![patch(2, b"CD"), patch(9, b"J")], &b"abCDefghiJ"[..]),
            (4, vec![patch(3, b"DEF")], b"abcD"),
            (12, vec![patch(10, b"KL")], b"abcdefghijKL"),
        ] {
            for step in 1..=12 {
                let seal = Seal { length, patches: patches.clone() };
                let mut sealed = Sealed::new(io::Cursor::new(b"abcdefghij"), seal);
                let (mut read, mut buffer) = (Vec::<u8>::new(), vec![0; step]);
                while let count @ 1.. = sealed.read(&mut buffer).unwrap() {
                    read.extend(&buffer[..count]);
                }
                assert_eq!(read, expected, "{step}");
                assert_eq!(sealed.seek(SeekFrom::End(0)).unwrap(), length);
            }
        }
    }
}
