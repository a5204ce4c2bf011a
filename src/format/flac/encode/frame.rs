//! One block of samples as a FLAC frame (RFC 9639, section 9): its head, its channels, its checksums.

use super::{bits::BitWriter, predict::window, subframe::Subframe};
use crate::audio::{
    AudioFormat,
    checksum::{flac_crc8, flac_crc16},
};

/// What the number in the head of a frame counts (RFC 9639, section 9.1.5). It is the same in every frame of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbering {
    /// Blocks, which all have the same length but the last.
    Blocks,
    /// Samples of one channel before the block, for blocks of any length.
    Frames,
}

/// Two channels, or the arrangements that replace them (RFC 9639, section 9.1.3).
const LEFT_SIDE: u32 = 8;
const SIDE_RIGHT: u32 = 9;
const MID_SIDE: u32 = 10;

/// Turns blocks into frames.
#[derive(Debug)]
pub(super) struct FrameEncoder {
    audio: AudioFormat,
    numbering: Numbering,
    /// For blocks as long as the latest one.
    window: Vec<f64>,
}

impl FrameEncoder {
    /// For sound that `check` allows.
    pub(super) fn new(audio: AudioFormat, numbering: Numbering) -> Self {
        Self { audio, numbering, window: Vec::new() }
    }

    /// `samples`, interleaved, whole frames, at least one and at most 65,535 of them, within the depth of the file.
    pub(super) fn encoded(&mut self, samples: &[i32], number: u64) -> Vec<u8> {
        let channels = usize::from(self.audio.channels.max(1));
        let frames = samples.len() / channels;
        if self.window.len() != frames {
            self.window = window(frames);
        }
        let depth = u32::from(self.audio.sample_format.bits());
        let subframe = |samples, bits| Subframe::of(samples, bits, depth, &self.window);
        let channel = |n: usize| -> Vec<i32> { samples.iter().skip(n).step_by(channels).copied().collect() };
        let (arrangement, subframes) = match channels {
            2 => stereo(channel(0), channel(1), depth, subframe),
            _ => (channels as u32 - 1, (0..channels).map(|n| subframe(channel(n), depth)).collect()),
        };
        let mut out = BitWriter::behind(self.head(frames as u32, arrangement, number));
        subframes.iter().for_each(|subframe| subframe.write(&mut out));
        let mut out = out.finish();
        out.extend(flac_crc16(&out).to_be_bytes());
        out
    }

    /// What stands before the subframes (RFC 9639, section 9.1).
    fn head(&self, frames: u32, arrangement: u32, number: u64) -> Vec<u8> {
        let (size_code, size) = size_code(frames);
        let (rate_code, rate) = rate_code(self.audio.sample_rate);
        let depth_code = match self.audio.sample_format.bits() {
            16 => 4,
            24 => 6,
            _ => 7,
        };
        let strategy = u8::from(self.numbering == Numbering::Frames);
        let mut out =
            vec![0xff, 0xf8 | strategy, size_code << 4 | rate_code, (arrangement as u8) << 4 | depth_code << 1];
        put_number(&mut out, number);
        out.extend(size);
        out.extend(rate);
        out.push(flac_crc8(&out));
        out
    }
}

/// The shorter one of two channels as they are, and one of them (or their mean) beside their difference.
fn stereo(
    left: Vec<i32>,
    right: Vec<i32>,
    depth: u32,
    subframe: impl Fn(Vec<i32>, u32) -> Subframe,
) -> (u32, Vec<Subframe>) {
    // A difference of 32-bit samples may need a 33rd bit; a block in which one does is not worth a difference.
    let side: Option<Vec<i32>> = left.iter().zip(&right).map(|(&left, &right)| left.checked_sub(right)).collect();
    let mid = left.iter().zip(&right).map(|(&left, &right)| (i64::from(left) + i64::from(right)) >> 1);
    let mid: Vec<i32> = mid.map(|mid| mid as i32).collect();
    let (left, right) = (subframe(left, depth), subframe(right, depth));
    let Some(side) = side else { return (1, vec![left, right]) };
    let (mid, side) = (subframe(mid, depth), subframe(side, depth + 1));
    let shortest =
        [(1, &left, &right), (LEFT_SIDE, &left, &side), (SIDE_RIGHT, &side, &right), (MID_SIDE, &mid, &side)]
            .into_iter()
            .min_by_key(|(_, first, second)| first.bits + second.bits);
    match shortest.map(|(arrangement, ..)| arrangement) {
        Some(LEFT_SIDE) => (LEFT_SIDE, vec![left, side]),
        Some(SIDE_RIGHT) => (SIDE_RIGHT, vec![side, right]),
        Some(MID_SIDE) => (MID_SIDE, vec![mid, side]),
        _ => (1, vec![left, right]),
    }
}

/// The code for that many frames, and the bytes for it after the number (RFC 9639, section 9.1.6).
fn size_code(frames: u32) -> (u8, Vec<u8>) {
    let stored = frames.saturating_sub(1);
    match frames {
        192 => (1, Vec::new()),
        576 | 1152 | 2304 | 4608 => ((frames / 576).ilog2() as u8 + 2, Vec::new()),
        256..=32_768 if frames.is_power_of_two() => (frames.ilog2() as u8, Vec::new()),
        ..256 => (6, vec![stored as u8]),
        _ => (7, (stored as u16).to_be_bytes().to_vec()),
    }
}

/// The code for that rate in Hz, and the bytes for it after the number (RFC 9639, section 9.1.7).
fn rate_code(rate: u32) -> (u8, Vec<u8>) {
    const RATES: [u32; 11] = [88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
    let two = |number: u32| (number as u16).to_be_bytes().to_vec();
    match RATES.iter().zip(1..).find(|&(&known, _)| known == rate) {
        Some((_, code)) => (code, Vec::new()),
        None if rate.is_multiple_of(1_000) && rate <= 255_000 => (12, vec![(rate / 1_000) as u8]),
        None if rate <= 65_535 => (13, two(rate)),
        None => (14, two(rate / 10)),
    }
}
/// Up to 36 bits, coded as a character is in UTF-8 (RFC 9639, section 9.1.5).
fn put_number(out: &mut Vec<u8>, number: u64) {
    if number < 0x80 {
        out.push(number as u8);
        return;
    }
    // With n bytes after the first there are 6n bits in them and 6 - n in the first.
    let behind = (1..=6_u32).find(|&behind| number >> (6 * behind + 6 - behind) == 0).unwrap_or(6);
    let lead = 0xff_u8.checked_shl(7 - behind).unwrap_or(0xff);
    let byte = |shift: u32, mask: u8| (number >> shift) as u8 & mask;
    out.push(lead | byte(6 * behind, !lead));
    out.extend((0..behind).rev().map(|n| 0x80 | byte(6 * n, 0x3f)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_coded_like_characters_and_beyond() {
        for number in [0, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x1_0000, 0x10_ffff] {
            let mut out = Vec::new();
            put_number(&mut out, number);
            assert_eq!(out, char::from_u32(number as u32).unwrap().to_string().as_bytes());
        }
        for (number, bytes) in [
            (0x1f_ffff, &[0xf7, 0xbf, 0xbf, 0xbf][..]),
            (0x20_0000, &[0xf8, 0x88, 0x80, 0x80, 0x80]),
            (0x7fff_ffff, &[0xfd, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf]),
            (0x8000_0000, &[0xfe, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80]),
            ((1 << 36) - 1, &[0xfe, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf]),
        ] {
            let mut out = Vec::new();
            put_number(&mut out, number);
            assert_eq!(out, bytes, "{number:#x}");
        }
    }
}
