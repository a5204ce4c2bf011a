//! Bits of a FLAC frame, the highest of each byte first. Pure.

/// Why there is no frame in some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format::flac) enum Flaw {
    /// It goes on beyond the bytes that are there.
    Short,
    /// There is none, or a damaged one.
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

    /// The next 57 bits at least, in the upper bits; zeros beyond the end.
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

    /// The count of zeros before the next one bit.
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

    /// Reads a number for each of `places`: the count of zeros before the next one bit is its upper part, and the `low`
    /// bits after that, at most 31, are the lower.
    pub(super) fn rice<T>(&mut self, low: u32, places: &mut [T], make: impl Fn(u64) -> T) -> Result<(), Flaw> {
        for place in places {
            let rest = self.bytes.get(self.at / 8..).unwrap_or_default();
            let word = rest.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes) << (self.at % 8));
            let zeros = word.leading_zeros();
            let length = zeros + 1 + low;
            // Seven bits of the word may have been read before.
            *place = make(if length <= 57 {
                self.at += length as usize;
                u64::from(zeros) << low | (word << (zeros + 1) >> 1) >> (63 - low)
            } else {
                (self.zeros()? << low) | self.number(low)?
            });
        }
        Ok(())
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

    #[test]
    fn a_rice_code_is_zeros_and_what_follows_them() {
        // At every offset, near the end and far from it, and longer than a word.
        for (zeros, low, padding) in
            [(0, 0, 0), (3, 5, 0), (3, 5, 90), (26, 30, 90), (40, 30, 90), (70, 14, 0), (70, 0, 90)]
        {
            for offset in 0..9 {
                let number = 0x2aaa_aaaa_u64 & ((1 << low) - 1);
                let lower = (0..low).rev().map(|bit| number >> bit & 1 == 1);
                let code = std::iter::repeat_n(true, offset).chain(std::iter::repeat_n(false, zeros)).chain([true]);
                let all: Vec<bool> = code.chain(lower).chain(std::iter::repeat_n(true, padding)).collect();
                let byte = |bits: &[bool]| (0..8).fold(0, |byte, at| byte << 1 | u8::from(bits.get(at) == Some(&true)));
                let bytes: Vec<u8> = all.chunks(8).map(byte).collect();
                let mut bits = Bits::new(&bytes);
                bits.number(offset as u32).unwrap();
                let mut read = [0];
                assert_eq!(bits.rice(low, &mut read, |number| number), Ok(()));
                assert_eq!(read, [(zeros as u64) << low | number], "{zeros} {low} {offset}");
                assert_eq!(bits.at, offset + zeros + 1 + low as usize);
            }
        }
        assert_eq!(Bits::new(&[0, 0]).rice(3, &mut [0], |number| number), Err(Flaw::Short));
        assert_eq!(Bits::new(&[1]).rice(3, &mut [0], |number| number), Err(Flaw::Short));
    }
}
