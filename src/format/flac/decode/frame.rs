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

/// The frame at the start of `bytes`. It says itself what it is like, but for what it leaves to STREAMINFO.
pub(super) fn decoded(bytes: &[u8], info: &Info) -> Result<Frame, Flaw> {
    let head = Head::parse(bytes)?;
    let bits_of_sample = head.bits.unwrap_or(info.bits);
    let mut bits = Bits::new(bytes.get(head.len..).unwrap_or_default());
    let mut channels = Vec::new();
    for channel in 0..head.channels.count() {
        let depth = bits_of_sample + u32::from(head.channels.is_side(channel));
        channels.push(subframe(&mut bits, head.frames as usize, depth)?);
    }
    let end = head.len + bits.bytes_read();
    let &[high, low] = bytes.get(end..end + 2).ok_or(Flaw::Short)? else { return Err(Flaw::Short) };
    if flac_crc16(bytes.get(..end).unwrap_or_default()) != u16::from_be_bytes([high, low]) {
        return Err(Flaw::Broken);
    }
    decorrelate(head.channels, &mut channels);
    Ok(Frame { samples: interleaved(&channels), head, frames: head.frames, len: end + 2 })
}

fn subframe(bits: &mut Bits<'_>, frames: usize, depth: u32) -> Result<Vec<i64>, Flaw> {
    // One bit that is always zero, six of the kind, one that says whether low bits are left out of every sample.
    let kind = bits.number(7)?;
    let wasted = if bits.number(1)? == 1 { bits.zeros()?.saturating_add(1) } else { 0 };
    let wasted = u32::try_from(wasted).ok().filter(|&wasted| wasted < depth).ok_or(Flaw::Broken)?;
    let depth = depth - wasted;
    let mut samples = match kind {
        0 => vec![bits.signed(depth)?; frames],
        1 => signed(bits, frames, depth)?,
        8..=12 => {
            let coefficients = FIXED.get(kind as usize - 8).copied().unwrap_or_default();
            let start = warm_up(bits, frames, coefficients.len(), depth)?;
            predicted(bits, frames, start, coefficients, 0)?
        }
        32..=63 => linear(bits, frames, kind as usize - 31, depth)?,
        _ => return Err(Flaw::Broken),
    };
    if wasted > 0 {
        samples.iter_mut().for_each(|sample| *sample = sample.wrapping_shl(wasted));
    }
    Ok(samples)
}

/// The coefficients of the fixed predictors, the one of the latest sample first.
const FIXED: [&[i64]; 5] = [&[], &[1], &[2, -1], &[3, -3, 1], &[4, -6, 4, -1]];

fn signed(bits: &mut Bits<'_>, count: usize, depth: u32) -> Result<Vec<i64>, Flaw> {
    (0..count).map(|_| bits.signed(depth)).collect()
}

/// The samples in front of those that are predicted.
fn warm_up(bits: &mut Bits<'_>, frames: usize, order: usize, depth: u32) -> Result<Vec<i64>, Flaw> {
    if order > frames { Err(Flaw::Broken) } else { signed(bits, order, depth) }
}

fn linear(bits: &mut Bits<'_>, frames: usize, order: usize, depth: u32) -> Result<Vec<i64>, Flaw> {
    let start = warm_up(bits, frames, order, depth)?;
    let precision = u32::try_from(bits.number(4)?).unwrap_or(15) + 1;
    let shift = u32::try_from(bits.signed(5)?).map_err(|_| Flaw::Broken)?;
    if precision == 16 {
        return Err(Flaw::Broken);
    }
    let coefficients = signed(bits, order, precision)?;
    predicted(bits, frames, start, &coefficients, shift)
}

/// Reads the residual behind `samples` and adds what is predicted from those in front of each.
fn predicted(
    bits: &mut Bits<'_>,
    frames: usize,
    mut samples: Vec<i64>,
    coefficients: &[i64],
    shift: u32,
) -> Result<Vec<i64>, Flaw> {
    let order = samples.len();
    residual(bits, frames, &mut samples)?;
    for at in order..samples.len() {
        let (before, rest) = samples.split_at_mut(at);
        let products = before.iter().rev().zip(coefficients).map(|(&sample, &factor)| sample.wrapping_mul(factor));
        let sum = products.fold(0_i64, i64::wrapping_add);
        if let Some(sample) = rest.first_mut() {
            *sample = sample.wrapping_add(sum >> shift);
        }
    }
    Ok(samples)
}

/// Appends the coded residual, so that there are `frames` samples.
fn residual(bits: &mut Bits<'_>, frames: usize, samples: &mut Vec<i64>) -> Result<(), Flaw> {
    let (width, escape) = match bits.number(2)? {
        0 => (4, 15),
        1 => (5, 31),
        _ => return Err(Flaw::Broken),
    };
    let partitions = 1_usize << bits.number(4)?;
    let length = frames / partitions;
    if !frames.is_multiple_of(partitions) || length < samples.len() {
        return Err(Flaw::Broken);
    }
    for end in (1..=partitions).map(|partition| partition * length) {
        let count = end.saturating_sub(samples.len());
        let parameter = u32::try_from(bits.number(width)?).unwrap_or(escape);
        if parameter == escape {
            let depth = u32::try_from(bits.number(5)?).unwrap_or(0);
            for _ in 0..count {
                samples.push(bits.signed(depth)?);
            }
        } else {
            for _ in 0..count {
                let folded = (bits.zeros()? << parameter) | bits.number(parameter)?;
                samples.push((folded >> 1) as i64 ^ -((folded & 1) as i64));
            }
        }
    }
    Ok(())
}

/// Turns differences back into channels.
fn decorrelate(layout: Channels, channels: &mut [Vec<i64>]) {
    let [first, second] = channels else { return };
    for (a, b) in first.iter_mut().zip(second) {
        match layout {
            Channels::Independent(_) => return,
            Channels::LeftSide => *b = a.wrapping_sub(*b),
            Channels::SideRight => *a = a.wrapping_add(*b),
            Channels::MidSide => {
                let double = a.wrapping_mul(2) | (*b & 1);
                (*a, *b) = (double.wrapping_add(*b) >> 1, double.wrapping_sub(*b) >> 1);
            }
        }
    }
}

fn interleaved(channels: &[Vec<i64>]) -> Vec<i32> {
    let frames = channels.first().map_or(0, Vec::len);
    let mut out = vec![0; frames * channels.len()];
    for (place, channel) in channels.iter().enumerate() {
        let places = out.iter_mut().skip(place).step_by(channels.len());
        // The upper bits of what a damaged frame may hold are of no use.
        places.zip(channel).for_each(|(place, &sample)| *place = sample as i32);
    }
    out
}
