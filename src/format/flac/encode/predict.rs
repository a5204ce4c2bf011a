//! Prediction of every sample from those before it (RFC 9639, sections 9.2.5 and 9.2.6), and the residual that is left.
//! Pure.
//!
//! Linear prediction is the usual way: a window, autocorrelation, the recursion of Levinson and Durbin, and rounding
//! that carries its error forward. All sums are of `f64`, which holds every integer that occurs: 32 bits × 15 bits × 12
//! orders are 51 bits. Processors without any extension multiply them two at a time.

use std::f64::consts::PI;

/// The highest order. The streamable subset allows no more up to 48 kHz (RFC 9639, section 7).
pub(super) const ORDER_MAX: usize = 12;

/// Blocks that are shorter do not justify the coefficients.
const LINEAR_FRAMES_MIN: usize = 32;

/// Lags that are computed: one for each order, the power, and one more, because an even number is faster.
const LAGS: usize = ORDER_MAX + 2;

/// The largest shift of a prediction.
const SHIFT_MAX: i32 = 15;

/// Bits of a sample that are used to choose among the fixed predictors.
const DIFFERENCE_BITS_MAX: u32 = 24;

/// The coefficients of the fixed predictors.
const FIXED: [[i32; 4]; 5] = [[0, 0, 0, 0], [1, 0, 0, 0], [2, -1, 0, 0], [3, -3, 1, 0], [4, -6, 4, -1]];

/// The samples of one channel in one block.
#[derive(Debug)]
pub(super) struct Signal {
    /// [`ORDER_MAX`] zeros, then the samples.
    padded: Vec<f64>,
    /// The largest of them without its sign.
    peak: u32,
}

impl Signal {
    pub(super) fn new(samples: &[i32]) -> Self {
        let mut padded = vec![0.0; ORDER_MAX];
        padded.extend(samples.iter().map(|&sample| f64::from(sample)));
        let peak = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        Self { padded, peak }
    }

    fn samples(&self) -> &[f64] {
        self.padded.get(ORDER_MAX..).unwrap_or_default()
    }
}

/// Coefficients by which a sample is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Predictor {
    /// How many earlier samples it uses.
    pub(super) order: usize,
    /// The first is that of the latest sample; from `order` on they are zero.
    pub(super) coefficients: [i32; ORDER_MAX],
    /// The sum of the products is shifted right by this many bits.
    pub(super) shift: u32,
    /// Bits of a stored coefficient; the fixed coefficients, which every reader has, are not stored.
    pub(super) precision: Option<u32>,
}

impl Predictor {
    fn fixed(order: usize) -> Self {
        let mut coefficients = [0; ORDER_MAX];
        for (to, &from) in coefficients.iter_mut().zip(FIXED.get(order).into_iter().flatten()) {
            *to = from;
        }
        Self { order, coefficients, shift: 0, precision: None }
    }

    /// The best of the fixed ones for `samples` of `bits` bits, and about how large its error is in all.
    pub(super) fn best_fixed(samples: &[i32], bits: u32) -> (Self, u64) {
        let excess = bits.saturating_sub(DIFFERENCE_BITS_MAX);
        // The fourth difference has four more bits: the sum of this many fits into 32 bits.
        let piece = 1_usize << (28 - bits.min(DIFFERENCE_BITS_MAX));
        let mut sums = [0_u64; 5];
        for start in (0..samples.len().saturating_sub(4)).step_by(piece) {
            let end = (start + piece + 4).min(samples.len());
            let part = differences(samples.get(start..end).unwrap_or_default(), excess);
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += u64::from(part));
        }
        let best = sums.iter().enumerate().min_by_key(|&(_, sum)| sum);
        let (order, sum) = best.map_or((0, 0), |(order, &sum)| (order, sum));
        (Self::fixed(order), sum << excess)
    }

    /// A linear one made for `signal`, whose samples have `bits` bits, weighted by `window`, with coefficients of
    /// `precision` bits. `None` if it does not help for this sound.
    pub(super) fn linear(signal: &Signal, window: &[f64], bits: u32, precision: u32) -> Option<Self> {
        let samples = signal.samples();
        if samples.len() < LINEAR_FRAMES_MIN {
            return None;
        }
        let seen: Vec<f64> = samples.iter().zip(window).map(|(sample, weight)| sample * weight).collect();
        best(&autocorrelation(&seen), samples.len() as f64, bits, precision)
    }

    /// Its residual, folded (see [`rice`](super::rice)), from the frame `order` on. False if some of it is out of the
    /// range of FLAC's residuals; `out` is invalid then.
    pub(super) fn residual(&self, signal: &Signal, out: &mut Vec<u32>) -> bool {
        let sum: u64 = self.coefficients.iter().map(|coefficient| u64::from(coefficient.unsigned_abs())).sum();
        let farthest = ((u64::from(signal.peak) * sum) >> self.shift) + u64::from(signal.peak) + 1;
        if farthest >= 1 << 31 && !self.stays_within_32_bits(signal) {
            return false;
        }
        out.clear();
        match self.order {
            0..=4 => self.fold::<4>(signal, out),
            5..=8 => self.fold::<8>(signal, out),
            _ => self.fold::<ORDER_MAX>(signal, out),
        }
        out.drain(..self.order.min(out.len()));
        true
    }

    /// Whether neither a prediction nor its residual needs more than 32 bits. A residual must not (RFC 9639, section
    /// 9.2.7.3), and some readers add both in 32 bits.
    fn stays_within_32_bits(&self, signal: &Signal) -> bool {
        const LIMIT: f64 = 2_147_483_648.0;
        let mut both = self.misses::<ORDER_MAX>(signal).zip(signal.samples()).skip(self.order);
        both.all(|(missed, sample)| missed.abs() < LIMIT && (sample - missed).abs() < LIMIT)
    }

    /// The power of the residual of a signal with that autocorrelation.
    fn power_missed(&self, lags: &[f64; LAGS]) -> f64 {
        let scale = 1.0 / f64::from(1_u32.wrapping_shl(self.shift));
        let mut filter = [0.0; ORDER_MAX + 1];
        filter[0] = 1.0;
        for (weight, &coefficient) in filter[1..].iter_mut().zip(&self.coefficients) {
            *weight = -f64::from(coefficient) * scale;
        }
        let products = |lag: usize| filter.iter().zip(&filter[lag..]).map(|(a, b)| a * b).sum::<f64>();
        let others: f64 = (1..=self.order).map(|lag| lags[lag] * products(lag)).sum();
        (lags[0] * products(0) + 2.0 * others).max(lags[0] * 1e-13)
    }

    fn fold<const N: usize>(&self, signal: &Signal, out: &mut Vec<u32>) {
        out.resize(signal.samples().len(), 0);
        for (folded, missed) in out.iter_mut().zip(self.misses::<N>(signal)) {
            // In two's complement at the low end of the number's bits.
            let missed = (missed + INTEGERS).to_bits() as i32;
            *folded = (missed.wrapping_shl(1) ^ missed.wrapping_shr(31)) as u32;
        }
    }

    /// The residual, with the first `N` coefficients, from the first frame on.
    #[inline]
    fn misses<const N: usize>(&self, signal: &Signal) -> impl Iterator<Item = f64> {
        let scale = 1.0 / f64::from(1_u32.wrapping_shl(self.shift));
        let mut weights = [0.0; N];
        for (weight, &coefficient) in weights.iter_mut().rev().zip(&self.coefficients) {
            *weight = -f64::from(coefficient) * scale;
        }
        // Predictions are rounded down, so the residual is rounded up. No multiple of `scale` is halfway.
        let up = 0.5 - 0.5 * scale;
        signal.padded.get(ORDER_MAX - N..).unwrap_or_default().windows(N + 1).map(move |samples| {
            let products = weights.iter().zip(samples).map(|(weight, sample)| weight * sample);
            let exact = products.fold(samples[N] + up, |sum, product| sum + product);
            (exact + INTEGERS) - INTEGERS
        })
    }
}

/// The total error of each fixed predictor for `samples` without their lowest `excess` bits. All in 32 bits, so that
/// the compiler can vectorize it.
fn differences(samples: &[i32], excess: u32) -> [u32; 5] {
    let mut sums = [0_u32; 5];
    for five in samples.windows(5) {
        let [a, b, c, d, e] = [five[0], five[1], five[2], five[3], five[4]].map(|sample| sample >> excess);
        let first = [b.wrapping_sub(a), c.wrapping_sub(b), d.wrapping_sub(c), e.wrapping_sub(d)];
        let second: [i32; 3] = std::array::from_fn(|n| first[n + 1].wrapping_sub(first[n]));
        let third = [second[1].wrapping_sub(second[0]), second[2].wrapping_sub(second[1])];
        let fourth = third[1].wrapping_sub(third[0]);
        for (sum, missed) in sums.iter_mut().zip([e, first[3], second[2], third[1], fourth]) {
            *sum = sum.wrapping_add(missed.unsigned_abs());
        }
    }
    sums
}

/// 3 × 2⁵¹: what is added to this is rounded to an integer, if it is below 2⁵¹.
const INTEGERS: f64 = 6_755_399_441_055_744.0;

/// The weight of each of `frames` frames: a Tukey window whose slopes are half of it.
pub(super) fn window(frames: usize) -> Vec<f64> {
    let slope = frames / 4;
    let weight = |edge: usize| match edge < slope {
        true => 0.5 - 0.5 * (PI * edge as f64 / slope as f64).cos(),
        false => 1.0,
    };
    (0..frames).map(|frame| weight(frame.min(frames - 1 - frame))).collect()
}

/// Bits of the coefficients for blocks of `frames` frames and `depth` bits, as libFLAC chooses them.
pub(super) fn precision(depth: u32, frames: usize) -> u32 {
    match (depth, frames) {
        (..=16, ..=192) => 7,
        (..=16, ..=384) => 8,
        (..=16, ..=576) => 9,
        (..=16, ..=1152) => 10,
        (..=16, ..=2304) => 11,
        (..=16, _) => 12,
        (_, ..=384) => 13,
        (_, ..=1152) => 14,
        _ => 15,
    }
}

/// The sums of the products of all samples with those a lag of frames later.
fn autocorrelation(samples: &[f64]) -> [f64; LAGS] {
    // Two sums each, so that one does not have to wait for the other.
    let (mut even, mut odd) = ([0.0; LAGS], [0.0; LAGS]);
    let mut at = 0;
    for pair in samples.windows(LAGS + 1).step_by(2) {
        let (first, second) = (pair[0], pair[1]);
        for lag in 0..LAGS {
            even[lag] += first * pair[lag];
        }
        for lag in 0..LAGS {
            odd[lag] += second * pair[lag + 1];
        }
        at += 2;
    }
    let mut rest = samples.get(at..).unwrap_or_default();
    while let [first, others @ ..] = rest {
        for (sum, sample) in even.iter_mut().zip(rest) {
            *sum += first * sample;
        }
        rest = others;
    }
    std::array::from_fn(|lag| even[lag] + odd[lag])
}

/// What is added to the power of a signal before predictors are computed: about the error that the rounding of
/// coefficients causes, at -70 and -90 dB, or nothing. Otherwise tones get coefficients that are good only until they
/// are rounded.
const NOISES: [f64; 2] = [1e-7, 0.0];

/// The predictor with the shortest expected block of `frames` frames, by the recursion of Levinson and Durbin, judged
/// by the residual of its rounded coefficients. `None` for silence.
fn best(lags: &[f64; LAGS], frames: f64, sample_bits: u32, precision: u32) -> Option<Predictor> {
    let mut best = None;
    let mut least = f64::INFINITY;
    for noise in NOISES {
        let mut missed = lags[0] * (1.0 + noise);
        let mut coefficients = [0.0; ORDER_MAX];
        for order in 1..=ORDER_MAX {
            let last = order - 1;
            let predicted: f64 = (0..last).map(|n| coefficients[n] * lags[last - n]).sum();
            let reflection = (lags[order] - predicted) / missed;
            // False also for NaN, as after silence.
            let is_stable = reflection.abs() < 1.0;
            if !is_stable {
                break;
            }
            let before = coefficients;
            for n in 0..last {
                coefficients[n] -= reflection * before[last - 1 - n];
            }
            coefficients[last] = reflection;
            missed *= 1.0 - reflection * reflection;
            let Some(found) = quantized(order, &coefficients, precision) else { continue };
            let per_order = f64::from(sample_bits + precision);
            let bits =
                bits_a_sample(found.power_missed(lags) / frames) * (frames - order as f64) + order as f64 * per_order;
            if bits < least {
                (least, best) = (bits, Some(found));
            }
        }
    }
    best
}

/// About how many bits a residual of that power takes with a Laplace distribution, as libFLAC estimates it.
fn bits_a_sample(power: f64) -> f64 {
    (0.5 * (power * 0.5).log2()).max(0.0)
}

/// The first `order` coefficients as integers, with as large a shift as `precision` allows.
fn quantized(order: usize, coefficients: &[f64; ORDER_MAX], precision: u32) -> Option<Predictor> {
    let largest = coefficients.iter().take(order).fold(0.0_f64, |largest, one| largest.max(one.abs()));
    if !(largest > 0.0 && largest.is_finite()) {
        return None;
    }
    // A negative shift is not allowed (RFC 9639, section 9.2.6).
    let shift = (precision as i32 - 2 - largest.log2().floor() as i32).min(SHIFT_MAX);
    let shift = u32::try_from(shift).ok()?;
    let limit = 1 << (precision - 1);
    let mut integers = [0; ORDER_MAX];
    let mut carried = 0.0;
    for (integer, coefficient) in integers.iter_mut().zip(coefficients).take(order) {
        let exact = coefficient * f64::from(1_u32 << shift) + carried;
        *integer = (exact.round() as i32).clamp(-limit, limit - 1);
        carried = exact - f64::from(*integer);
    }
    Some(Predictor { order, coefficients: integers, shift, precision: Some(precision) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The samples, from the first ones and the residual of the others.
    fn restored(predictor: &Predictor, samples: &[i32], folded: &[u32]) -> Vec<i64> {
        let mut out: Vec<i64> = samples.iter().take(predictor.order).map(|&sample| sample.into()).collect();
        for &number in folded {
            let missed = i64::from(number >> 1) ^ -i64::from(number & 1);
            let products = out.iter().rev().zip(&predictor.coefficients).take(predictor.order);
            let sum: i64 = products.map(|(sample, &coefficient)| sample * i64::from(coefficient)).sum();
            out.push((sum >> predictor.shift) + missed);
        }
        out
    }

    proptest! {
        #[test]
        fn prediction_and_residual_give_the_samples(
            samples in (0_u32..32).prop_flat_map(|spare| {
                prop::collection::vec(any::<i32>().prop_map(move |sample| sample >> spare), 1..200)
            }),
            order in 0_usize..=12,
            coefficients: [i16; 12],
            shift in 0_u32..=15,
        ) {
            let signal = Signal::new(&samples);
            let order = order.min(samples.len());
            let mut predictor = Predictor { order, coefficients: [0; 12], shift, precision: Some(15) };
            for (to, from) in predictor.coefficients.iter_mut().zip(coefficients).take(order) {
                *to = i32::from(from) >> 1;
            }
            let mut folded = Vec::new();
            for predictor in [predictor, Predictor::fixed(order.min(4))] {
                if predictor.residual(&signal, &mut folded) {
                    let expected: Vec<i64> = samples.iter().map(|&sample| sample.into()).collect();
                    prop_assert_eq!(restored(&predictor, &samples, &folded), expected);
                    prop_assert!(folded.iter().all(|&number| number != u32::MAX));
                }
            }
        }
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        let signal = Signal::new(&[i32::MAX, i32::MIN, i32::MAX, i32::MIN, i32::MAX]);
        assert!(!Predictor::fixed(1).residual(&signal, &mut Vec::new()));
        assert!(!Predictor::fixed(0).residual(&Signal::new(&[i32::MIN]), &mut Vec::new()));
        assert!(Predictor::fixed(0).residual(&Signal::new(&[i32::MIN + 1]), &mut Vec::new()));
    }

    #[test]
    fn a_tone_is_predicted_by_two_samples() {
        let samples: Vec<i32> = (0..4096).map(|n| ((f64::from(n) * 0.3).sin() * 30_000.0) as i32).collect();
        let signal = Signal::new(&samples);
        let found = Predictor::linear(&signal, &window(4096), 16, 12).unwrap();
        let mut folded = Vec::new();
        assert!(found.residual(&signal, &mut folded));
        assert!(found.order >= 2 && folded.iter().all(|&missed| missed < 200), "{found:?}");
        assert_eq!(Predictor::linear(&Signal::new(&[0; 64]), &window(64), 16, 12), None);
        assert_eq!(Predictor::linear(&Signal::new(&[1; 31]), &window(31), 16, 12), None);
    }

    #[test]
    fn the_fixed_order_that_fits_is_found() {
        for (order, samples) in [
            (1, (0..99).map(|_| 7).collect::<Vec<i32>>()),
            (2, (0..99).map(|n| 3 * n + 5).collect()),
            (3, (0..99).map(|n| n * n).collect()),
            (4, (0..99).map(|n| n * n * n).collect()),
        ] {
            let (found, off) = Predictor::best_fixed(&samples, 24);
            assert_eq!((found.order, off), (order, 0));
        }
    }
}
