//! One sample, from what a device delivers to `f32` with full scale at ±1.0. Pure; runs in the realtime callback.
//!
//! Full scale is a power of two in every integer format, which makes every integer of up to 24 bits come through
//! unchanged: an encoder that multiplies by the same power yields the same integer again. Wider ones are rounded to the
//! nearest `f32`.

const SCALE_8: f32 = 128.0;
const SCALE_16: f32 = 32_768.0;
const SCALE_32: f32 = 2_147_483_648.0;
const SCALE_64: f32 = 9_223_372_036_854_775_808.0;

pub(super) fn from_i8(sample: i8) -> f32 {
    f32::from(sample) / SCALE_8
}

pub(super) fn from_u8(sample: u8) -> f32 {
    f32::from(sample) / SCALE_8 - 1.0
}

pub(super) fn from_i16(sample: i16) -> f32 {
    f32::from(sample) / SCALE_16
}

pub(super) fn from_u16(sample: u16) -> f32 {
    f32::from(sample) / SCALE_16 - 1.0
}

/// 24 bits in the lower bytes of 32. Some drivers leave garbage in the highest byte, so that it is shifted out.
pub(super) fn from_i24(sample: i32) -> f32 {
    from_i32(sample << 8)
}

/// As [`from_i24`], with the origin at 2²³.
pub(super) fn from_u24(sample: i32) -> f32 {
    from_i32((sample << 8) ^ i32::MIN)
}

pub(super) fn from_i32(sample: i32) -> f32 {
    sample as f32 / SCALE_32
}

pub(super) fn from_u32(sample: u32) -> f32 {
    from_i32(sample.cast_signed() ^ i32::MIN)
}

pub(super) fn from_i64(sample: i64) -> f32 {
    sample as f32 / SCALE_64
}

pub(super) fn from_u64(sample: u64) -> f32 {
    from_i64(sample.cast_signed() ^ i64::MIN)
}

pub(super) fn from_f64(sample: f64) -> f32 {
    sample as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_zero_and_the_lowest_is_minus_one_in_every_format() {
        for (origin, lowest) in [
            (from_i8(0), from_i8(i8::MIN)),
            (from_u8(128), from_u8(0)),
            (from_i16(0), from_i16(i16::MIN)),
            (from_u16(32_768), from_u16(0)),
            (from_i24(0), from_i24(-(1 << 23))),
            (from_u24(1 << 23), from_u24(0)),
            (from_i32(0), from_i32(i32::MIN)),
            (from_u32(1 << 31), from_u32(0)),
            (from_i64(0), from_i64(i64::MIN)),
            (from_u64(1 << 63), from_u64(0)),
            (from_f64(0.0), from_f64(-1.0)),
        ] {
            assert_eq!((origin, lowest), (0.0, -1.0));
        }
    }

    #[test]
    fn the_highest_is_one_step_below_full_scale() {
        for (highest, bits) in [
            (from_i8(i8::MAX), 8),
            (from_u8(u8::MAX), 8),
            (from_i16(i16::MAX), 16),
            (from_u16(u16::MAX), 16),
            (from_i24((1 << 23) - 1), 24),
            (from_u24((1 << 24) - 1), 24),
        ] {
            assert_eq!(highest, 1.0 - 2.0 / (1_u32 << bits) as f32, "{bits} bits");
        }
    }

    #[test]
    fn every_16_bit_sample_comes_back_by_the_same_power_of_two() {
        for sample in i16::MIN..=i16::MAX {
            let back = |value: f32| (value * 32_768.0) as i32;
            assert_eq!(back(from_i16(sample)), i32::from(sample));
            assert_eq!(back(from_i32(i32::from(sample) << 16)), i32::from(sample));
            assert_eq!(back(from_u16((i32::from(sample) + 32_768) as u16)), i32::from(sample));
        }
    }

    #[test]
    fn every_24_bit_sample_comes_back_whatever_the_highest_byte_holds() {
        for sample in (-(1 << 23)..1 << 23).step_by(7) {
            let back = |value: f32| (value * 8_388_608.0) as i32;
            assert_eq!(back(from_i24(sample)), sample);
            assert_eq!(back(from_i24(sample & 0x00FF_FFFF)), sample, "not sign-extended");
            assert_eq!(back(from_i24(sample ^ 0x5A00_0000)), sample, "dirty");
            assert_eq!(back(from_u24(sample + (1 << 23))), sample);
            assert_eq!(back(from_i32(sample << 8)), sample);
        }
    }
}
