//! One sample, from `f32` with full scale at ±1.0 to the format of a loudspeaker. Pure; runs in the realtime callback.
//!
//! Full scale is a power of two in every integer format, the same as for microphones, so that a recorded integer of up
//! to 24 bits is played as the same integer. Samples beyond full scale are limited to it, and NaN is silence.

/// Rounded to the nearest, half away from zero.
fn integer(sample: f32, bits: u32) -> i32 {
    let full = f64::from(1_u32 << (bits - 1));
    // NaN becomes 0.
    (f64::from(sample) * full).round().clamp(-full, full - 1.0) as i32
}

pub(super) fn to_i8(sample: f32) -> i8 {
    integer(sample, 8) as i8
}

pub(super) fn to_u8(sample: f32) -> u8 {
    (integer(sample, 8) as u8) ^ 0x80
}

pub(super) fn to_i16(sample: f32) -> i16 {
    integer(sample, 16) as i16
}

pub(super) fn to_u16(sample: f32) -> u16 {
    (integer(sample, 16) as u16) ^ 0x8000
}

/// 24 bits in 32, extended with the sign.
pub(super) fn to_i24(sample: f32) -> i32 {
    integer(sample, 24)
}

pub(super) fn to_i32(sample: f32) -> i32 {
    integer(sample, 32)
}

pub(super) fn to_u32(sample: f32) -> u32 {
    integer(sample, 32).cast_unsigned() ^ 0x8000_0000
}

/// Unchanged, except for NaN: a server's mixer would spread it over the sound of all programs.
pub(super) fn to_f32(sample: f32) -> f32 {
    if sample.is_finite() { sample } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_integers_are_played_as_they_were() {
        for sample in i16::MIN..=i16::MAX {
            assert_eq!(to_i16(f32::from(sample) / 32_768.0), sample);
        }
        for sample in (-8_388_608..8_388_608).step_by(7) {
            assert_eq!(to_i24(sample as f32 / 8_388_608.0), sample);
        }
    }

    #[test]
    fn full_scale_silence_and_nonsense_have_their_place_in_every_format() {
        for (sample, i8, u8, i16, u16, i24, i32, u32) in [
            (0.0, 0, 128, 0, 32_768, 0, 0, 1 << 31),
            (-1.0, i8::MIN, 0, i16::MIN, 0, -(1 << 23), i32::MIN, 0),
            (1.0, i8::MAX, 255, i16::MAX, u16::MAX, (1 << 23) - 1, i32::MAX, u32::MAX),
            (f32::INFINITY, i8::MAX, 255, i16::MAX, u16::MAX, (1 << 23) - 1, i32::MAX, u32::MAX),
            (f32::NAN, 0, 128, 0, 32_768, 0, 0, 1 << 31),
            (0.5, 64, 192, 16_384, 49_152, 1 << 22, 1 << 30, 3 << 30),
        ] {
            assert_eq!((to_i8(sample), to_u8(sample)), (i8, u8), "{sample}");
            assert_eq!((to_i16(sample), to_u16(sample)), (i16, u16), "{sample}");
            assert_eq!((to_i24(sample), to_i32(sample), to_u32(sample)), (i24, i32, u32), "{sample}");
        }
        assert_eq!([f32::NAN, f32::INFINITY, 1.5].map(to_f32), [0.0, 0.0, 1.5]);
    }
}
