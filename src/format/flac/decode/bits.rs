//! Bits of a FLAC frame, the highest of each byte first. Pure.

/// Why there is no frame in some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format::flac) enum Flaw {
    /// It goes on behind the bytes that are there.
    Short,
    /// It is none, or a damaged one.
    Broken,
}

/// Reads bits from the start of `bytes` on.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// Bits that were read.
    at: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn left(&self) -> usize {
        (self.bytes.len() * 8).saturating_sub(self.at)
    }

    /// The next 57 bits at least, in the upper bits; zeros behind the end.
    fn ahead(&self) -> u64 {
        let rest = self.bytes.get(self.at / 8..).unwrap_or_default();
        let word = match rest.first_chunk::<8>() {
            Some(bytes) => u64::from_be_bytes(*bytes),
            None => {
                let mut bytes = [0; 8];
                bytes.iter_mut().zip(rest).for_each(|(byte, &there)| *byte = there);
                u64::from_be_bytes(bytes)
            }
        };
        word << (self.at % 8)
    }

    /// An unsigned number of up to 57 bits.
    pub(super) fn number(&mut self, bits: u32) -> Result<u64, Flaw> {
        if bits == 0 {
            return Ok(0);
        }
        if self.left() < bits as usize {
            return Err(Flaw::Short);
        }
        let number = self.ahead() >> (64 - bits);
        self.at += bits as usize;
        Ok(number)
    }

    /// A number of up to 57 bits in two's complement.
    pub(super) fn signed(&mut self, bits: u32) -> Result<i64, Flaw> {
        let number = self.number(bits)?;
        let unused = 64 - bits;
        // The highest bit of what was read is the sign.
        Ok(if bits == 0 { 0 } else { ((number << unused) as i64) >> unused })
    }

    /// The count of zeros in front of the next one.
    pub(super) fn zeros(&mut self) -> Result<u64, Flaw> {
        let mut count = 0;
        loop {
            let valid = (64 - self.at % 8).min(self.left());
            let zeros = self.ahead().leading_zeros() as usize;
            if zeros < valid {
                self.at += zeros + 1;
                return Ok(count + zeros as u64);
            }
            if valid == 0 {
                return Err(Flaw::Short);
            }
            self.at += valid;
            count += valid as u64;
        }
    }

    /// Bytes that were read, the last of them perhaps in part.
    pub(super) fn bytes_read(&self) -> usize {
        self.at.div_ceil(8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_across_bytes_up_to_the_end() {
        let mut bits = Bits::new(&[0b1010_0000, 0, 0b0000_1111, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80]);
        assert_eq!(bits.number(1), Ok(1));
        assert_eq!(bits.signed(2), Ok(1));
        assert_eq!(bits.zeros(), Ok(17));
        assert_eq!(bits.signed(3), Ok(-1));
        assert_eq!((bits.number(0), bits.bytes_read()), (Ok(0), 3));
        assert_eq!(bits.number(48), Ok((1 << 48) - 1));
        assert_eq!(bits.zeros(), Ok(0));
        assert_eq!(bits.zeros(), Err(Flaw::Short));
        assert_eq!(bits.number(8), Err(Flaw::Short));
    }
}
