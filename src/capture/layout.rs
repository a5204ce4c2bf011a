//! How samples lie in the bytes that a device hands over, and their way from there into the ring. Pure; runs in capture
//! threads.

use super::{negotiate::Encoding, ring::CallbackSide, sample};

/// The layout of one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// What the number means. Those of 64 bits are laid out by no device that is read in bytes.
    pub(super) encoding: Encoding,
    /// 24 bits in three bytes instead of four.
    pub(super) packed: bool,
    /// The most significant byte comes first.
    pub(super) big_endian: bool,
}

impl Layout {
    /// Little-endian, and as short as it can be.
    pub(super) const fn little(encoding: Encoding) -> Self {
        Self { encoding, packed: true, big_endian: false }
    }

    /// Bytes of one sample, 1 to 8.
    pub(super) fn bytes(self) -> usize {
        match self.encoding {
            Encoding::I8 | Encoding::U8 => 1,
            Encoding::I16 | Encoding::U16 => 2,
            Encoding::I24 | Encoding::U24 if self.packed => 3,
            Encoding::I24 | Encoding::U24 | Encoding::I32 | Encoding::U32 | Encoding::F32 => 4,
            Encoding::I64 | Encoding::U64 | Encoding::F64 => 8,
        }
    }

    /// Pushes `bytes` into `ring` as one block. What is left after the last whole frame is ignored.
    pub(super) fn push(self, bytes: &[u8], ring: &mut CallbackSide) {
        match self.encoding {
            Encoding::I8 => ring.push_block(bytes, |s| sample::from_i8(s.cast_signed())),
            Encoding::U8 => ring.push_block(bytes, sample::from_u8),
            Encoding::I16 => self.push_as(bytes, ring, |s| sample::from_i16(i16::from_le_bytes(s))),
            Encoding::U16 => self.push_as(bytes, ring, |s| sample::from_u16(u16::from_le_bytes(s))),
            Encoding::I24 if self.packed => self.push_as(bytes, ring, |s| sample::from_i24(unpacked(s))),
            Encoding::U24 if self.packed => self.push_as(bytes, ring, |s| sample::from_u24(unpacked(s))),
            Encoding::I24 => self.push_as(bytes, ring, |s| sample::from_i24(i32::from_le_bytes(s))),
            Encoding::U24 => self.push_as(bytes, ring, |s| sample::from_u24(i32::from_le_bytes(s))),
            Encoding::I32 => self.push_as(bytes, ring, |s| sample::from_i32(i32::from_le_bytes(s))),
            Encoding::U32 => self.push_as(bytes, ring, |s| sample::from_u32(u32::from_le_bytes(s))),
            Encoding::I64 => self.push_as(bytes, ring, |s| sample::from_i64(i64::from_le_bytes(s))),
            Encoding::U64 => self.push_as(bytes, ring, |s| sample::from_u64(u64::from_le_bytes(s))),
            Encoding::F32 => self.push_as(bytes, ring, f32::from_le_bytes),
            Encoding::F64 => self.push_as(bytes, ring, |s| sample::from_f64(f64::from_le_bytes(s))),
        }
    }

    fn push_as<const N: usize>(self, bytes: &[u8], ring: &mut CallbackSide, convert: impl Fn([u8; N]) -> f32) {
        let samples = bytes.as_chunks().0;
        if self.big_endian {
            ring.push_block(samples, |mut sample: [u8; N]| {
                sample.reverse();
                convert(sample)
            });
        } else {
            ring.push_block(samples, convert);
        }
    }
}

fn unpacked([a, b, c]: [u8; 3]) -> i32 {
    i32::from_le_bytes([a, b, c, 0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audio::{AudioFormat, SampleFormat},
        capture::{Reading, ring::ring},
    };

    fn pushed(layout: Layout, bytes: &[u8]) -> Vec<f32> {
        let (mut callback, mut reader, _) = ring(AudioFormat::new(8_000, 1, SampleFormat::F32), 1);
        layout.push(bytes, &mut callback);
        let mut block = Vec::new();
        while matches!(reader.read(&mut block, 100), Reading::Frames) {}
        block
    }

    #[test]
    fn every_layout_reads_a_half_and_minus_one_and_ignores_a_rest() {
        let float = |value: f32| value.to_le_bytes().to_vec();
        let double = |value: f64| value.to_le_bytes().to_vec();
        for (encoding, packed, half, lowest) in [
            (Encoding::I8, true, vec![0x40], vec![0x80]),
            (Encoding::U8, true, vec![0xC0], vec![0]),
            (Encoding::I16, true, vec![0, 0x40], vec![0, 0x80]),
            (Encoding::U16, true, vec![0, 0xC0], vec![0, 0]),
            (Encoding::I24, true, vec![0, 0, 0x40], vec![0, 0, 0x80]),
            (Encoding::U24, true, vec![0, 0, 0xC0], vec![0, 0, 0]),
            (Encoding::I24, false, vec![0, 0, 0x40, 0x99], vec![0, 0, 0x80, 0x99]),
            (Encoding::U24, false, vec![0, 0, 0xC0, 0x99], vec![0, 0, 0, 0x99]),
            (Encoding::I32, true, vec![0, 0, 0, 0x40], vec![0, 0, 0, 0x80]),
            (Encoding::U32, true, vec![0, 0, 0, 0xC0], vec![0, 0, 0, 0]),
            (Encoding::I64, true, vec![0, 0, 0, 0, 0, 0, 0, 0x40], vec![0, 0, 0, 0, 0, 0, 0, 0x80]),
            (Encoding::U64, true, vec![0, 0, 0, 0, 0, 0, 0, 0xC0], vec![0; 8]),
            (Encoding::F32, true, float(0.5), float(-1.0)),
            (Encoding::F64, true, double(0.5), double(-1.0)),
        ] {
            for big_endian in [false, true] {
                let layout = Layout { encoding, packed, big_endian };
                let mut samples = [half.clone(), lowest.clone()];
                samples.iter_mut().for_each(|sample| {
                    assert_eq!(sample.len(), layout.bytes());
                    if big_endian {
                        sample.reverse();
                    }
                });
                let mut bytes = samples.concat();
                bytes.extend(vec![7; layout.bytes() - 1]);
                assert_eq!(pushed(layout, &bytes), [0.5, -1.0], "{layout:?}");
            }
        }
    }
}
