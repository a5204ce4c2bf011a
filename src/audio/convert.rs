//! Samples to bytes and back, for every [`SampleFormat`].
//!
//! Full scale is 2^15, 2^23 and 2^31 in both directions, so that an integer sample that was decoded encodes to the same
//! bytes again. Channels, headers and dither are not handled here. Pure arithmetic, for any thread that may allocate.

use super::format::SampleFormat;

/// Appends `samples` to `out` as little-endian `format`.
///
/// Integers are rounded to the nearest, halves to the even one, and saturate: +1.0 is one step above the largest
/// integer and becomes that integer. NaN becomes silence. [`SampleFormat::F32`] is verbatim (values beyond full scale
/// and infinities too) apart from NaN.
pub fn encode_samples(samples: &[f32], format: SampleFormat, out: &mut Vec<u8>) {
    match format {
        SampleFormat::S16 => encode_with(samples, out, |sample| s16(sample).to_le_bytes()),
        SampleFormat::S24 => encode_with(samples, out, |sample| {
            let [low, middle, high, _] = s24(sample).to_le_bytes();
            [low, middle, high]
        }),
        SampleFormat::S32 => encode_with(samples, out, |sample| s32(sample).to_le_bytes()),
        SampleFormat::F32 => encode_with(samples, out, |sample| number(sample).to_le_bytes()),
    }
}

/// Appends the samples in `bytes`, which are little-endian `format`, to `out`; a partial sample at the end is ignored.
///
/// Integers of up to 24 bits are exact, 32-bit integers are rounded to the nearest `f32`. NaN becomes silence, so that
/// no later arithmetic meets one.
pub fn decode_samples(bytes: &[u8], format: SampleFormat, out: &mut Vec<f32>) {
    match format {
        SampleFormat::S16 => {
            decode_with(bytes, out, |&sample: &[u8; 2]| f32::from(i16::from_le_bytes(sample)) / 32_768.0);
        }
        SampleFormat::S24 => decode_with(bytes, out, |&[low, middle, high]: &[u8; 3]| {
            // In the upper three bytes the sign is where an i32 has it, and full scale is 2^31.
            i32::from_le_bytes([0, low, middle, high]) as f32 / 2_147_483_648.0
        }),
        SampleFormat::S32 => decode_with(bytes, out, |&sample: &[u8; 4]| {
            // Only the conversion rounds; dividing by a power of two is exact.
            i32::from_le_bytes(sample) as f32 / 2_147_483_648.0
        }),
        SampleFormat::F32 => decode_with(bytes, out, |&sample: &[u8; 4]| number(f32::from_le_bytes(sample))),
    }
}

fn encode_with<const N: usize>(samples: &[f32], out: &mut Vec<u8>, encode: impl Fn(f32) -> [u8; N]) {
    let start = out.len();
    // Zeroing first costs a memset, but leaves a loop of known length without a capacity check, which vectorizes.
    out.resize(start + samples.len() * N, 0);
    let (encoded, _) = out.split_at_mut(start).1.as_chunks_mut::<N>();
    for (bytes, &sample) in encoded.iter_mut().zip(samples) {
        *bytes = encode(sample);
    }
}

fn decode_with<const N: usize>(bytes: &[u8], out: &mut Vec<f32>, decode: impl Fn(&[u8; N]) -> f32) {
    let (encoded, _) = bytes.as_chunks::<N>();
    out.extend(encoded.iter().map(decode));
}

fn number(sample: f32) -> f32 {
    if sample.is_nan() { 0.0 } else { sample }
}

// Rounding by adding 1.5 × 2^23 (2^52 for f64): the sum's lowest mantissa bit then weighs one, so that the addition
// itself rounds, and its low bits are the integer in two's complement. Unlike `round`, which is a library call on
// processors without SSE 4.1, this is one vector instruction. Comparisons instead of `clamp` for the same reason.

fn s16(sample: f32) -> i16 {
    const ROUND: f32 = 12_582_912.0;
    let scaled = number(sample) * 32_768.0;
    let above = if scaled > -32_768.0 { scaled } else { -32_768.0 };
    let within = if above < 32_767.0 { above } else { 32_767.0 };
    (within + ROUND).to_bits() as i16
}

fn s24(sample: f32) -> i32 {
    integer(sample, 8_388_608.0)
}

fn s32(sample: f32) -> i32 {
    integer(sample, 2_147_483_648.0)
}

/// `sample` × `full_scale`, which is at most 2^31. In f64, because 2^31 - 1 is not an f32.
fn integer(sample: f32, full_scale: f64) -> i32 {
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let scaled = f64::from(number(sample)) * full_scale;
    let above = if scaled > -full_scale { scaled } else { -full_scale };
    let within = if above < full_scale - 1.0 { above } else { full_scale - 1.0 };
    (within + ROUND).to_bits() as i32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(samples: &[f32], format: SampleFormat) -> Vec<u8> {
        let mut out = Vec::new();
        encode_samples(samples, format, &mut out);
        out
    }

    fn decoded(bytes: &[u8], format: SampleFormat) -> Vec<f32> {
        let mut out = Vec::new();
        decode_samples(bytes, format, &mut out);
        out
    }

    /// The one sample as an integer of any format.
    fn integer_of(sample: f32, format: SampleFormat) -> i64 {
        let bytes = encoded(&[sample], format);
        let sign = if bytes.last().is_some_and(|&byte| byte > 127) { 255 } else { 0 };
        let mut wide = [sign; 8];
        wide[..bytes.len()].copy_from_slice(&bytes);
        i64::from_le_bytes(wide)
    }

    const INTEGERS: [(SampleFormat, i64); 3] =
        [(SampleFormat::S16, 1 << 15), (SampleFormat::S24, 1 << 23), (SampleFormat::S32, 1 << 31)];

    #[test]
    fn every_16_bit_sample_survives_the_round_trip() {
        let bytes: Vec<u8> = (i16::MIN..=i16::MAX).flat_map(i16::to_le_bytes).collect();
        assert_eq!(encoded(&decoded(&bytes, SampleFormat::S16), SampleFormat::S16), bytes);
    }

    #[test]
    fn known_samples_have_known_bytes() {
        for (format, sample, bytes) in [
            (SampleFormat::S16, 0.5, &[0x00, 0x40][..]),
            (SampleFormat::S16, -1.0, &[0x00, 0x80]),
            (SampleFormat::S24, 0.5, &[0x00, 0x00, 0x40]),
            (SampleFormat::S24, -1.0 / 8_388_608.0, &[0xff, 0xff, 0xff]),
            (SampleFormat::S32, -0.5, &[0x00, 0x00, 0x00, 0xc0]),
            (SampleFormat::F32, 1.0, &[0x00, 0x00, 0x80, 0x3f]),
        ] {
            assert_eq!(encoded(&[sample], format), bytes, "{sample} as {format}");
            assert_eq!(decoded(bytes, format), [sample], "{bytes:?} as {format}");
        }
    }

    #[test]
    fn integers_saturate_and_nan_is_silence() {
        for (format, scale) in INTEGERS {
            for sample in [1.0, 1.000_001, 7.0, f32::MAX, f32::INFINITY] {
                assert_eq!(integer_of(sample, format), scale - 1, "{sample} as {format}");
                assert_eq!(integer_of(-sample, format), -scale, "-{sample} as {format}");
            }
            for sample in [f32::NAN, -f32::NAN, 0.0, -0.0, f32::MIN_POSITIVE] {
                assert_eq!(integer_of(sample, format), 0, "{sample} as {format}");
            }
        }
    }

    #[test]
    fn floats_are_verbatim_but_for_nan() {
        let samples = [0.0, -0.0, 1.5, -3.0, f32::INFINITY, f32::MIN_POSITIVE / 2.0, f32::NAN];
        let bits: Vec<u32> =
            decoded(&encoded(&samples, SampleFormat::F32), SampleFormat::F32).iter().map(|s| s.to_bits()).collect();
        let mut expected = samples.map(f32::to_bits);
        expected[6] = 0;
        assert_eq!(bits, expected);
        assert_eq!(decoded(&f32::NAN.to_le_bytes(), SampleFormat::F32), [0.0]);
    }

    #[test]
    fn halves_round_to_the_even_integer() {
        for (format, scale) in &INTEGERS[..2] {
            for (steps, integer) in [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (0.501, 1), (-2.499, -2)] {
                assert_eq!(integer_of(steps / *scale as f32, *format), integer, "{steps} steps of {format}");
            }
        }
    }

    #[test]
    fn a_partial_sample_at_the_end_is_ignored_and_the_output_is_appended_to() {
        for format in SampleFormat::ALL {
            let mut bytes = vec![7];
            encode_samples(&[0.25, -0.25], format, &mut bytes);
            bytes.pop();
            let mut samples = vec![9.0];
            decode_samples(&bytes[1..], format, &mut samples);
            assert_eq!((bytes[0], samples), (7, vec![9.0, 0.25]), "{format}");
        }
    }

    proptest! {
        #[test]
        fn every_24_bit_sample_survives_the_round_trip(values in prop::collection::vec(-(1_i32 << 23)..1 << 23, 1..500)) {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()[..3].to_vec()).collect();
            prop_assert_eq!(encoded(&decoded(&bytes, SampleFormat::S24), SampleFormat::S24), bytes);
        }

        #[test]
        fn a_32_bit_sample_is_kept_to_the_precision_of_a_float(value: i32) {
            let sample = decoded(&value.to_le_bytes(), SampleFormat::S32)[0];
            prop_assert_eq!(sample, (f64::from(value) / 2_147_483_648.0) as f32);
            prop_assert!((integer_of(sample, SampleFormat::S32) - i64::from(value)).abs() <= 64);
        }

        #[test]
        fn integers_are_the_nearest_and_keep_the_order(a in -1.1_f32..1.1, b in -1.1_f32..1.1) {
            for (format, scale) in INTEGERS {
                let exact = (f64::from(a) * scale as f64).clamp(-scale as f64, scale as f64 - 1.0);
                prop_assert!((integer_of(a, format) as f64 - exact).abs() <= 0.5, "{} as {}", a, format);
                prop_assert_eq!(integer_of(a.min(b), format).min(integer_of(a.max(b), format)), integer_of(a.min(b), format));
            }
        }

        #[test]
        fn any_bytes_decode_without_nan(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            for format in SampleFormat::ALL {
                let samples = decoded(&bytes, format);
                prop_assert_eq!(samples.len(), bytes.len() / usize::from(format.bytes()));
                prop_assert!(samples.iter().all(|sample| !sample.is_nan()));
            }
        }
    }
}
