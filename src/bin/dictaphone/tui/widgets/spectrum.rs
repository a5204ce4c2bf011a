//! The level by pitch, from 50 Hz to half the sample rate, in equal steps of pitch. Pure.

use std::f32::consts::TAU;

use dictaphone::clips::draw::Scale;
use ratatui::{buffer::Buffer, layout::Rect};

use super::canvas::Canvas;
use crate::tui::app::{InputState, Model};

/// Samples of a transform, a power of two.
const LENGTH: usize = 2_048;
/// The lowest pitch, in hertz.
const LOWEST_HZ: f32 = 50.0;

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the rows of a screen")]
pub(crate) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut canvas = Canvas::new(area, theme.unicode);
    let InputState::Open { format, .. } = &model.recorder.device else { return };
    let sound: Vec<f32> = model.live.sound.iter().copied().collect();
    let Some(latest) = sound.len().checked_sub(LENGTH).and_then(|from| sound.get(from..)) else { return };
    let magnitudes = magnitudes(latest);
    let (columns, rows) = (canvas.columns(), canvas.rows());
    for x in 0..columns {
        let peak = band(&magnitudes, x, columns, format.sample_rate as f32);
        let reach = (Scale::FULL.height(peak) * rows as f64).round() as usize;
        if reach > 0 {
            canvas.line(x, rows - reach.min(rows), rows - 1);
        }
    }
    canvas.draw(buffer, |_| theme.accent());
}

/// The largest magnitude in the band of a column.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the bins there are")]
fn band(magnitudes: &[f32], column: usize, columns: usize, rate: f32) -> f32 {
    let octaves = (rate / 2.0 / LOWEST_HZ).log2().max(0.0);
    let bin = |edge: usize| {
        let hertz = LOWEST_HZ * (octaves * edge as f32 / columns.max(1) as f32).exp2();
        (hertz / rate * LENGTH as f32).floor().max(1.0) as usize
    };
    let (from, to) = (bin(column), bin(column + 1));
    let bins = magnitudes.get(from..to.max(from + 1).min(magnitudes.len())).unwrap_or_default();
    bins.iter().copied().fold(0.0, f32::max)
}

/// The amplitude of each frequency from 0 to half the rate; 1 for a sine of full scale. The window is that of Hann.
fn magnitudes(samples: &[f32]) -> Vec<f32> {
    let window = |i: usize| 0.5 - 0.5 * (TAU * i as f32 / LENGTH as f32).cos();
    let clean = |sample: f32| if sample.is_finite() { sample } else { 0.0 };
    let mut re: Vec<f32> = samples.iter().enumerate().map(|(i, &s)| clean(s) * window(i)).collect();
    re.resize(LENGTH, 0.0);
    let mut im = vec![0.0; LENGTH];
    transform(&mut re, &mut im);
    // A real tone shares its amplitude with its mirror image, and the window halves it once more.
    re.iter().zip(&im).take(LENGTH / 2).map(|(re, im)| re.hypot(*im) * 4.0 / LENGTH as f32).collect()
}

/// The discrete Fourier transform in place (Cooley and Tukey 1965, radix 2). Both parts have `LENGTH` values.
fn transform(re: &mut [f32], im: &mut [f32]) {
    let bits = LENGTH.trailing_zeros();
    for i in 0..LENGTH {
        let mirrored = i.reverse_bits() >> (usize::BITS - bits);
        if i < mirrored {
            re.swap(i, mirrored);
            im.swap(i, mirrored);
        }
    }
    let mut half = 1;
    while half < LENGTH {
        let step = -TAU / (2 * half) as f32;
        for (re, im) in re.chunks_exact_mut(2 * half).zip(im.chunks_exact_mut(2 * half)) {
            let ((re, re2), (im, im2)) = (re.split_at_mut(half), im.split_at_mut(half));
            for (k, (((re, im), re2), im2)) in re.iter_mut().zip(im).zip(re2).zip(im2).enumerate() {
                let (sin, cos) = (step * k as f32).sin_cos();
                let (a, b) = (*re2 * cos - *im2 * sin, *re2 * sin + *im2 * cos);
                (*re2, *im2) = (*re - a, *im - b);
                (*re, *im) = (*re + a, *im + b);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_of_full_scale_is_one_at_its_frequency_and_nothing_elsewhere() {
        for bin in [5, 100, 1_000] {
            let tone: Vec<f32> =
                (0..LENGTH).map(|i| (TAU * ((bin * i) % LENGTH) as f32 / LENGTH as f32).sin()).collect();
            let magnitudes = magnitudes(&tone);
            for (i, magnitude) in magnitudes.iter().enumerate() {
                let expected = match i.abs_diff(bin) {
                    0 => 1.0,
                    1 => 0.5,
                    _ => 0.0,
                };
                assert!((magnitude - expected).abs() < 1e-3, "{magnitude} at {i} for {bin}");
            }
        }
    }

    #[test]
    fn every_column_has_a_band_within_what_there_is() {
        for rate in [1_000.0, 8_000.0, 48_000.0, 384_000.0] {
            for columns in [1, 38, 236] {
                assert!((0..columns).all(|x| band(&[1.0; LENGTH / 2], x, columns, rate) == 1.0), "{rate} {columns}");
            }
        }
    }
}
