//! One channel of a block in its shortest form: one value, predicted, or verbatim (RFC 9639, section 9.2). Pure.

use super::{
    bits::BitWriter,
    predict::{Predictor, Signal, precision},
    rice::Partitioning,
};

/// Bits of the head.
const HEAD_BITS: u64 = 8;

/// Bits of precision and shift of a linear predictor.
const LINEAR_BITS: u64 = 9;

/// One channel of a block, ready to be written.
#[derive(Debug)]
pub(super) struct Subframe {
    /// Without the zero bits at their low ends.
    samples: Vec<i32>,
    /// How many of those bits each one had.
    wasted: u32,
    /// Bits of a sample.
    sample_bits: u32,
    form: Form,
    /// About how many bits it takes.
    pub(super) bits: u64,
}

#[derive(Debug)]
enum Form {
    Constant(i32),
    Verbatim,
    Predicted { predictor: Predictor, folded: Vec<u32>, partitioning: Box<Partitioning> },
}

impl Subframe {
    /// The shortest form of `samples` of at most 33 bits, in a file of `depth` bits; `window` is as long as they are.
    pub(super) fn of(mut samples: Vec<i32>, sample_bits: u32, depth: u32, window: &[f64]) -> Self {
        let first = samples.first().copied().unwrap_or(0);
        if samples.iter().all(|&sample| sample == first) {
            let bits = HEAD_BITS + u64::from(sample_bits);
            return Self { samples, wasted: 0, sample_bits, form: Form::Constant(first), bits };
        }
        let wasted = samples.iter().fold(0, |all, sample| all | sample).trailing_zeros();
        if wasted > 0 {
            samples.iter_mut().for_each(|sample| *sample >>= wasted);
        }
        let sample_bits = sample_bits - wasted;
        let bits = samples.len() as u64 * u64::from(sample_bits);
        let mut found = Self { samples, wasted, sample_bits, form: Form::Verbatim, bits };
        found.predict(depth, window);
        found.bits += HEAD_BITS + u64::from(wasted);
        found
    }

    fn predict(&mut self, depth: u32, window: &[f64]) {
        let signal = Signal::new(&self.samples);
        let (fixed, far_off) = Predictor::best_fixed(&self.samples, self.sample_bits);
        let precision = precision(depth, self.samples.len());
        let linear = Predictor::linear(&signal, window, self.sample_bits, precision);
        let linear_sum = linear.and_then(|predictor| self.try_predictor(predictor, &signal));
        // The folded numbers are twice as large. A fixed predictor with a much larger error cannot be shorter.
        if linear_sum.is_none_or(|sum| far_off < sum / 2 + sum / 8) {
            self.try_predictor(fixed, &signal);
        }
    }

    /// Uses `predictor` if the result is shorter. Returns the sum of the residual, if the predictor can be used.
    fn try_predictor(&mut self, predictor: Predictor, signal: &Signal) -> Option<u64> {
        let mut folded = Vec::new();
        if !predictor.residual(signal, &mut folded) {
            return None;
        }
        let partitioning = Partitioning::of(&folded, self.samples.len());
        let stored =
            predictor.precision.map_or(0, |precision| LINEAR_BITS + predictor.order as u64 * u64::from(precision));
        let bits = partitioning.bits + predictor.order as u64 * u64::from(self.sample_bits) + stored;
        let sum = partitioning.sum;
        if bits < self.bits {
            self.bits = bits;
            self.form = Form::Predicted { predictor, folded, partitioning: Box::new(partitioning) };
        }
        Some(sum)
    }

    /// Appends it.
    pub(super) fn write(&self, out: &mut BitWriter) {
        let kind = match &self.form {
            Form::Constant(_) => 0,
            Form::Verbatim => 1,
            Form::Predicted { predictor, .. } if predictor.precision.is_none() => 8 | predictor.order as u32,
            Form::Predicted { predictor, .. } => 31 + predictor.order as u32,
        };
        out.put((kind << 1) | u32::from(self.wasted > 0), 8);
        if self.wasted > 0 {
            out.put_unary(self.wasted - 1);
        }
        match &self.form {
            Form::Constant(sample) => out.put_signed(*sample, self.sample_bits),
            Form::Verbatim => self.put_samples(self.samples.len(), out),
            Form::Predicted { predictor, folded, partitioning } => {
                self.put_samples(predictor.order, out);
                put_coefficients(predictor, out);
                partitioning.write(folded, self.samples.len(), out);
            }
        }
    }

    /// Appends the first `count` samples verbatim.
    fn put_samples(&self, count: usize, out: &mut BitWriter) {
        self.samples.iter().take(count).for_each(|&sample| out.put_signed(sample, self.sample_bits));
    }
}

fn put_coefficients(predictor: &Predictor, out: &mut BitWriter) {
    if let Some(precision) = predictor.precision {
        out.put(precision - 1, 4);
        out.put(predictor.shift, 5);
        for &coefficient in predictor.coefficients.iter().take(predictor.order) {
            out.put_signed(coefficient, precision);
        }
    }
}
