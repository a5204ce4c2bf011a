//! One FLAC frame to samples (RFC 9639, section 9.2). Every sum wraps, because a damaged frame may hold anything; what
//! counts is the checksum at its end. Pure.

use super::{
    bits::{Bits, Flaw},
    head::{Channels, Head},
    info::Info,
};
use crate::audio::checksum::flac_crc16;

/// A decoded frame.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame {
    pub(super) head: Head,
    /// Interleaved, as they were coded.
    pub(super) samples: Vec<i32>,
    /// Frames of sound in it.
    pub(super) frames: u32,
    /// Its length in bytes.
    pub(super) len: usize,
}

/// A sample while a frame is decoded.
trait Sample: Copy + Default {
    /// `wide` as far as it fits: all of it, unless the frame is damaged.
    fn of(wide: i64) -> Self;
    fn wide(self) -> i64;
}

impl Sample for i32 {
    fn of(wide: i64) -> Self {
        wide as Self
    }

    fn wide(self) -> i64 {
        self.into()
    }
}

/// For the side channel of 32-bit stereo, which has 33 bits.
impl Sample for i64 {
    fn of(wide: i64) -> Self {
        wide
    }

    fn wide(self) -> i64 {
        self
    }
}

/// The frame at the start of `bytes`. It describes itself, except for what it leaves to STREAMINFO.
pub(super) fn decoded(bytes: &[u8], info: &Info) -> Result<Frame, Flaw> {
    let head = Head::parse(bytes)?;
    let depth = head.bits.unwrap_or(info.bits);
    let mut bits = Bits::new(bytes.get(head.len..).unwrap_or_default());
    let samples = match (depth, head.channels) {
        (0..32, _) | (_, Channels::Independent(_)) => samples::<i32>(&mut bits, &head, depth)?,
        _ => samples::<i64>(&mut bits, &head, depth)?,
    };
    let end = head.len + bits.bytes_read();
    let &[high, low] = bytes.get(end..end + 2).ok_or(Flaw::Short)? else { return Err(Flaw::Short) };
    if flac_crc16(bytes.get(..end).unwrap_or_default()) != u16::from_be_bytes([high, low]) {
        return Err(Flaw::Broken);
    }
    Ok(Frame { samples, head, frames: head.frames, len: end + 2 })
}

/// The samples of all channels, interleaved.
fn samples<S: Sample>(bits: &mut Bits<'_>, head: &Head, depth: u32) -> Result<Vec<i32>, Flaw> {
    let mut channels = Vec::new();
    for channel in 0..head.channels.count() {
        let depth = depth + u32::from(head.channels.is_side(channel));
        channels.push(subframe::<S>(bits, head.frames as usize, depth)?);
    }
    decorrelate(head.channels, &mut channels);
    Ok(interleaved(&channels))
}

fn subframe<S: Sample>(bits: &mut Bits<'_>, frames: usize, depth: u32) -> Result<Vec<S>, Flaw> {
    // One bit that is always zero, six bits of the kind, and one bit for whether low bits are left out of every sample.
    let kind = bits.number(7)?;
    let wasted = if bits.number(1)? == 1 { bits.zeros()?.saturating_add(1) } else { 0 };
    let wasted = u32::try_from(wasted).ok().filter(|&wasted| wasted < depth).ok_or(Flaw::Broken)?;
    let depth = depth - wasted;
    let mut samples = match kind {
        0 => vec![S::of(bits.signed(depth)?); frames],
        1 => {
            let mut samples = vec![S::default(); frames];
            fill(bits, &mut samples, depth)?;
            samples
        }
        8..=12 => {
            let coefficients = FIXED.get(kind as usize - 8).copied().unwrap_or_default();
            let mut samples = warm_up(bits, frames, coefficients.len(), depth)?;
            predicted(bits, &mut samples, coefficients, 0)?;
            samples
        }
        32..=63 => linear(bits, frames, kind as usize - 31, depth)?,
        _ => return Err(Flaw::Broken),
    };
    if wasted > 0 {
        samples.iter_mut().for_each(|sample| *sample = S::of(sample.wide().wrapping_shl(wasted)));
    }
    Ok(samples)
}

/// The coefficients of the fixed predictors, the one of the latest sample first.
const FIXED: [&[i64]; 5] = [&[], &[1], &[2, -1], &[3, -3, 1], &[4, -6, 4, -1]];

/// Reads numbers that are stored as they are.
fn fill<S: Sample>(bits: &mut Bits<'_>, samples: &mut [S], depth: u32) -> Result<(), Flaw> {
    samples.iter_mut().try_for_each(|sample| bits.signed(depth).map(|number| *sample = S::of(number)))
}

/// Room for the samples, and those before the ones that are predicted.
fn warm_up<S: Sample>(bits: &mut Bits<'_>, frames: usize, order: usize, depth: u32) -> Result<Vec<S>, Flaw> {
    let mut samples = vec![S::default(); frames];
    fill(bits, samples.get_mut(..order).ok_or(Flaw::Broken)?, depth)?;
    Ok(samples)
}

fn linear<S: Sample>(bits: &mut Bits<'_>, frames: usize, order: usize, depth: u32) -> Result<Vec<S>, Flaw> {
    let mut samples = warm_up(bits, frames, order, depth)?;
    let precision = u32::try_from(bits.number(4)?).unwrap_or(15) + 1;
    let shift = u32::try_from(bits.signed(5)?).map_err(|_| Flaw::Broken)?;
    if precision == 16 {
        return Err(Flaw::Broken);
    }
    let mut coefficients = vec![0_i64; order];
    fill(bits, &mut coefficients, precision)?;
    predicted(bits, &mut samples, &coefficients, shift)?;
    Ok(samples)
}

/// Reads the residual after the first samples, as many as there are `coefficients`, and adds the predictions.
fn predicted<S: Sample>(bits: &mut Bits<'_>, samples: &mut [S], coefficients: &[i64], shift: u32) -> Result<(), Flaw> {
    residual(bits, samples, coefficients.len())?;
    // An order that is known at compile time takes half the time; no usual encoder goes further.
    match coefficients.len() {
        1 => restore::<1, S>(samples, coefficients, shift),
        2 => restore::<2, S>(samples, coefficients, shift),
        3 => restore::<3, S>(samples, coefficients, shift),
        4 => restore::<4, S>(samples, coefficients, shift),
        5 => restore::<5, S>(samples, coefficients, shift),
        6 => restore::<6, S>(samples, coefficients, shift),
        7 => restore::<7, S>(samples, coefficients, shift),
        8 => restore::<8, S>(samples, coefficients, shift),
        9 => restore::<9, S>(samples, coefficients, shift),
        10 => restore::<10, S>(samples, coefficients, shift),
        11 => restore::<11, S>(samples, coefficients, shift),
        12 => restore::<12, S>(samples, coefficients, shift),
        _ => restore_any(samples, coefficients, shift),
    }
    Ok(())
}

fn restore<const ORDER: usize, S: Sample>(samples: &mut [S], coefficients: &[i64], shift: u32) {
    let Some(coefficients) = coefficients.first_chunk::<ORDER>() else { return };
    for at in ORDER..samples.len() {
        let (before, rest) = samples.split_at_mut(at);
        let (Some(before), Some(sample)) = (before.last_chunk::<ORDER>(), rest.first_mut()) else { return };
        // The latest sample comes last, because it is known last.
        let sum = before
            .iter()
            .zip(coefficients.iter().rev())
            .fold(0_i64, |sum, (sample, &factor)| sum.wrapping_add(sample.wide().wrapping_mul(factor)));
        *sample = S::of(sample.wide().wrapping_add(sum >> shift));
    }
}

fn restore_any<S: Sample>(samples: &mut [S], coefficients: &[i64], shift: u32) {
    if coefficients.is_empty() {
        return;
    }
    for at in coefficients.len()..samples.len() {
        let (before, rest) = samples.split_at_mut(at);
        let products =
            before.iter().rev().zip(coefficients).map(|(sample, &factor)| sample.wide().wrapping_mul(factor));
        let sum = products.fold(0_i64, i64::wrapping_add);
        if let Some(sample) = rest.first_mut() {
            *sample = S::of(sample.wide().wrapping_add(sum >> shift));
        }
    }
}

/// Reads the coded residual of all samples but the first `order`.
fn residual<S: Sample>(bits: &mut Bits<'_>, samples: &mut [S], order: usize) -> Result<(), Flaw> {
    let (width, escape) = match bits.number(2)? {
        0 => (4, 15),
        1 => (5, 31),
        _ => return Err(Flaw::Broken),
    };
    let partitions = 1_usize << bits.number(4)?;
    let length = samples.len() / partitions;
    if !samples.len().is_multiple_of(partitions) || length < order {
        return Err(Flaw::Broken);
    }
    for partition in 0..partitions {
        let start = (partition * length).max(order);
        let rest = samples.get_mut(start..(partition + 1) * length).unwrap_or_default();
        let parameter = u32::try_from(bits.number(width)?).unwrap_or(escape);
        if parameter == escape {
            let depth = u32::try_from(bits.number(5)?).unwrap_or(0);
            fill(bits, rest, depth)?;
        } else {
            bits.rice(parameter, rest, |folded| S::of((folded >> 1) as i64 ^ -((folded & 1) as i64)))?;
        }
    }
    Ok(())
}

/// Turns differences back into channels.
fn decorrelate<S: Sample>(layout: Channels, channels: &mut [Vec<S>]) {
    let [first, second] = channels else { return };
    let pairs = first.iter_mut().zip(second);
    match layout {
        Channels::Independent(_) => {}
        Channels::LeftSide => pairs.for_each(|(a, b)| *b = S::of(a.wide().wrapping_sub(b.wide()))),
        Channels::SideRight => pairs.for_each(|(a, b)| *a = S::of(a.wide().wrapping_add(b.wide()))),
        Channels::MidSide => pairs.for_each(|(a, b)| {
            let (mid, side) = (a.wide(), b.wide());
            let double = mid.wrapping_mul(2) | (side & 1);
            (*a, *b) = (S::of(double.wrapping_add(side) >> 1), S::of(double.wrapping_sub(side) >> 1));
        }),
    }
}

fn interleaved<S: Sample>(channels: &[Vec<S>]) -> Vec<i32> {
    let frames = channels.first().map_or(0, Vec::len);
    let mut out = vec![0; frames * channels.len()];
    // The upper bits of what a damaged frame may hold are of no use.
    if let [left, right] = channels {
        let (pairs, _) = out.as_chunks_mut::<2>();
        pairs.iter_mut().zip(left.iter().zip(right)).for_each(|(pair, (left, right))| {
            *pair = [left.wide() as i32, right.wide() as i32];
        });
        return out;
    }
    for (place, channel) in channels.iter().enumerate() {
        let places = out.iter_mut().skip(place).step_by(channels.len());
        places.zip(channel).for_each(|(place, sample)| *place = sample.wide() as i32);
    }
    out
}
