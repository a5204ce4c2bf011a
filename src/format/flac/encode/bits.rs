//! Bits in the order of RFC 9639, the highest first. Pure.

/// Bytes that are filled bit by bit.
#[derive(Debug)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// The bits that were put; only the lowest `held` bits are not in `bytes` yet.
    bits: u64,
    /// Fewer than 32.
    held: u32,
}

impl BitWriter {
    /// A writer that appends to `bytes`.
    pub(super) fn behind(bytes: Vec<u8>) -> Self {
        Self { bytes, bits: 0, held: 0 }
    }

    /// Appends the lowest `count` bits of `value`, at most 32; those above must be zero.
    #[inline]
    pub(super) fn put(&mut self, value: u32, count: u32) {
        self.bits = self.bits.wrapping_shl(count) | u64::from(value);
        self.held = self.held.wrapping_add(count);
        if self.held >= 32 {
            self.held = self.held.wrapping_sub(32);
            self.bytes.extend_from_slice(&(self.bits.wrapping_shr(self.held) as u32).to_be_bytes());
        }
    }

    /// Appends a number in two's complement, in 1 to 33 bits.
    pub(super) fn put_signed(&mut self, value: i32, count: u32) {
        let low = count.min(32);
        if count > low {
            self.put(u32::from(value < 0), 1);
        }
        self.put(value as u32 & u32::MAX.wrapping_shr(32 - low), low);
    }

    /// Appends `count` zeros and a one.
    pub(super) fn put_unary(&mut self, count: u32) {
        (0..count / 32).for_each(|_| self.put(0, 32));
        self.put(1, count % 32 + 1);
    }

    /// Appends folded numbers in the Rice code with a `parameter` below 31: the quotient by 2^`parameter` in unary, then the rest
    /// (RFC 9639, section 9.2.7.1).
    pub(super) fn put_rice(&mut self, folded: &[u32], parameter: u32) {
        let stop = 1_u32.wrapping_shl(parameter);
        let rest = stop.wrapping_sub(1);
        for &number in folded {
            let quotient = number.wrapping_shr(parameter);
            let count = quotient.saturating_add(parameter.wrapping_add(1));
            if count <= 32 {
                self.put(number & rest | stop, count);
            } else {
                self.put_unary(quotient);
                self.put(number & rest, parameter);
            }
        }
    }

    /// All of it, filled up with zeros to a whole byte.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let rest = (self.bits << (32 - self.held)) as u32;
        self.bytes.extend(rest.to_be_bytes().into_iter().take(self.held.div_ceil(8) as usize));
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_follow_each_other_across_bytes() {
        let mut writer = BitWriter::behind(vec![0xaa]);
        writer.put(0b1, 1);
        writer.put(u32::MAX, 32);
        writer.put_signed(-1, 33);
        writer.put_signed(-2, 3);
        writer.put_unary(34);
        assert_eq!(writer.finish(), [0xaa, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0b1111_0000, 0, 0, 0, 1]);
    }

    #[test]
    fn a_rice_code_is_a_quotient_and_a_rest() {
        let mut writer = BitWriter::behind(Vec::new());
        writer.put_rice(&[0, 5, 15], 2);
        // 1 00, 01 01, 0001 11
        assert_eq!(writer.finish(), [0b1000_1010, 0b0011_1000]);
        let mut writer = BitWriter::behind(Vec::new());
        writer.put_rice(&[40], 0);
        assert_eq!(writer.finish(), [0, 0, 0, 0, 0, 0x80]);
    }
}
