//! How much a sound stays the same: the likeness of its spectra a short while apart. Pure.

use std::{collections::VecDeque, sync::Arc};

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex32};

/// Samples of a spectrum: 32 ms at 16 kHz, so that the harmonics of a voice stand apart.
const WINDOW: usize = 512;

/// Distance between the spectra that are compared, in frames of 16 ms.
const FRAMES_APART: usize = 4;

/// Comparisons that the median is taken over, half a second.
const COMPARISONS: usize = 32;

/// Above this frequency, in bins, there is little of a voice.
const BINS: std::ops::Range<usize> = 3..128;

/// Compares the spectra of a sound with earlier ones.
pub(super) struct Likeness {
    transform: Arc<dyn RealToComplex<f32>>,
    samples: VecDeque<f32>,
    input: Vec<f32>,
    output: Vec<Complex32>,
    scratch: Vec<Complex32>,
    window: Vec<f32>,
    spectra: VecDeque<Vec<f32>>,
    alike: VecDeque<f32>,
}

impl Likeness {
    pub(super) fn new() -> Self {
        let transform = RealFftPlanner::<f32>::new().plan_fft_forward(WINDOW);
        let hann = |at: usize| 0.5 - 0.5 * (std::f32::consts::TAU * at as f32 / WINDOW as f32).cos();
        Self {
            samples: std::iter::repeat_n(0.0, WINDOW).collect(),
            input: transform.make_input_vec(),
            output: transform.make_output_vec(),
            scratch: transform.make_scratch_vec(),
            transform,
            window: (0..WINDOW).map(hann).collect(),
            spectra: VecDeque::with_capacity(FRAMES_APART + 1),
            alike: VecDeque::with_capacity(COMPARISONS),
        }
    }

    /// Takes the next frame; one that does not count is treated as no likeness. Returns the median likeness over the
    /// last half second, from 0 for nothing in common to 1 for the same; 0 before there is anything to compare.
    pub(super) fn push(&mut self, frame: &[f32], counts: bool) -> f32 {
        self.samples.drain(..frame.len().min(self.samples.len()));
        self.samples.extend(frame);
        let spectrum = self.spectrum();
        let alike = (self.spectra.len() == FRAMES_APART).then(|| self.spectra.pop_front()).flatten();
        let alike = alike.filter(|_| counts).map_or(0.0, |before| cosine(&before, &spectrum));
        self.spectra.push_back(spectrum);
        if self.alike.len() == COMPARISONS {
            self.alike.pop_front();
        }
        self.alike.push_back(alike);
        let mut sorted: Vec<f32> = self.alike.iter().copied().collect();
        sorted.sort_by(f32::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
    }

    /// Amplitudes of the spectrum.
    fn spectrum(&mut self) -> Vec<f32> {
        for ((input, sample), weight) in self.input.iter_mut().zip(&self.samples).zip(&self.window) {
            *input = sample * weight;
        }
        // The buffers were made for this transform, so that it cannot fail.
        let _ = self.transform.process_with_scratch(&mut self.input, &mut self.output, &mut self.scratch);
        self.output.get(BINS).unwrap_or_default().iter().map(|bin| bin.norm()).collect()
    }
}

/// The cosine of the angle between two vectors; 0 if one of them is nothing.
fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let size = (dot(one, one) * dot(other, other)).sqrt();
    if size > 0.0 { dot(one, other) / size } else { 0.0 }
}
