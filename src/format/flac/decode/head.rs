//! The head of a FLAC frame (RFC 9639, section 9.1). Pure.

use super::{bits::Flaw, info::Info};
use crate::audio::checksum::flac_crc8;

/// Bytes of the longest head.
pub(in crate::format::flac) const HEAD_BYTES_MAX: usize = 16;

/// How the channels are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channels {
    Independent(u16),
    LeftSide,
    SideRight,
    MidSide,
}

impl Channels {
    pub(super) fn count(self) -> u16 {
        match self {
            Self::Independent(count) => count,
            Self::LeftSide | Self::SideRight | Self::MidSide => 2,
        }
    }

    /// Whether that channel is a difference, which needs one bit more.
    pub(super) fn is_side(self, channel: u16) -> bool {
        matches!((self, channel), (Self::LeftSide | Self::MidSide, 1) | (Self::SideRight, 0))
    }
}

/// The content of the head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format::flac) struct Head {
    /// The number counts samples of one channel, not blocks.
    pub(super) counts_samples: bool,
    pub(super) number: u64,
    /// Frames of sound in it; above zero.
    pub(in crate::format::flac) frames: u32,
    /// In hertz; `None` where it is left to STREAMINFO.
    pub(in crate::format::flac) sample_rate: Option<u32>,
    pub(super) channels: Channels,
    /// Of one sample; `None` where it is left to STREAMINFO.
    pub(super) bits: Option<u32>,
    /// Its own length in bytes.
    pub(super) len: usize,
}

/// Whether these bytes could be the start of a frame.
pub(super) fn is_sync(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xf8 | 0xf9, ..])
}

impl Head {
    /// The head at the start of `bytes`, checksum included.
    pub(in crate::format::flac) fn parse(bytes: &[u8]) -> Result<Self, Flaw> {
        let &[sync, strategy, sizes, layout, first, ..] = bytes else { return Err(Flaw::Short) };
        if !is_sync(&[sync, strategy]) || layout & 1 != 0 {
            return Err(Flaw::Broken);
        }
        let (number, number_bytes) = number(first, bytes.get(5..).unwrap_or_default())?;
        let mut at = 4 + number_bytes;
        let mut tail = |count: usize| {
            let value = bytes.get(at..at + count)?.iter().fold(0, |value, &byte| value << 8 | u32::from(byte));
            at += count;
            Some(value)
        };
        let frames = match sizes >> 4 {
            1 => 192,
            code @ 2..=5 => 576 << (code - 2),
            6 => tail(1).ok_or(Flaw::Short)? + 1,
            7 => tail(2).ok_or(Flaw::Short)? + 1,
            code @ 8..=15 => 256 << (code - 8),
            _ => return Err(Flaw::Broken),
        };
        let sample_rate = match sizes & 0x0f {
            0 => None,
            12 => Some(tail(1).ok_or(Flaw::Short)? * 1_000),
            13 => Some(tail(2).ok_or(Flaw::Short)?),
            14 => Some(tail(2).ok_or(Flaw::Short)? * 10),
            code => Some(*RATES.get(usize::from(code) - 1).ok_or(Flaw::Broken)?),
        };
        let crc = bytes.get(at).ok_or(Flaw::Short)?;
        if flac_crc8(bytes.get(..at).unwrap_or_default()) != *crc {
            return Err(Flaw::Broken);
        }
        Ok(Self {
            counts_samples: strategy & 1 == 1,
            number,
            frames,
            sample_rate,
            channels: channels(layout >> 4)?,
            bits: bits(layout >> 1 & 7)?,
            len: at + 1,
        })
    }

    /// Whether it belongs to a file with that STREAMINFO.
    pub(in crate::format::flac) fn fits(&self, info: &Info) -> bool {
        self.channels.count() == info.channels
            && self.bits.is_none_or(|bits| bits == info.bits)
            && self.sample_rate.is_none_or(|rate| rate == info.sample_rate)
    }

    /// Frames of sound before it.
    pub(super) fn position(&self, info: &Info) -> u64 {
        // All blocks but the last have the same length.
        if self.counts_samples { self.number } else { self.number.saturating_mul(info.block_frames.into()) }
    }
}

/// Section 9.1.2.
const RATES: [u32; 11] = [88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];

fn channels(code: u8) -> Result<Channels, Flaw> {
    match code {
        0..=7 => Ok(Channels::Independent(u16::from(code) + 1)),
        8 => Ok(Channels::LeftSide),
        9 => Ok(Channels::SideRight),
        10 => Ok(Channels::MidSide),
        _ => Err(Flaw::Broken),
    }
}

fn bits(code: u8) -> Result<Option<u32>, Flaw> {
    match code {
        0 => Ok(None),
        1 => Ok(Some(8)),
        2 => Ok(Some(12)),
        4 => Ok(Some(16)),
        5 => Ok(Some(20)),
        6 => Ok(Some(24)),
        7 => Ok(Some(32)),
        _ => Err(Flaw::Broken),
    }
}

/// The number that begins with `first`, coded as UTF-8 codes a character but up to 36 bits, and its length in bytes.
fn number(first: u8, rest: &[u8]) -> Result<(u64, usize), Flaw> {
    let ones = first.leading_ones();
    let behind = match ones {
        0 => return Ok((first.into(), 1)),
        2..=7 => ones as usize - 1,
        _ => return Err(Flaw::Broken),
    };
    let lead = u64::from(first & (0x7f_u8 >> ones));
    let bytes = rest.get(..behind).ok_or(Flaw::Short)?;
    let number = bytes.iter().try_fold(lead, |number, &byte| {
        (byte >> 6 == 0b10).then_some(number << 6 | u64::from(byte & 0x3f)).ok_or(Flaw::Broken)
    })?;
    Ok((number, behind + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A head with its checksum.
    fn head(bytes: &[u8]) -> Vec<u8> {
        [bytes, &[flac_crc8(bytes)]].concat()
    }

    #[test]
    fn every_way_to_say_a_size_and_a_rate_is_read() {
        for (bytes, frames, rate) in [
            (&[0xff, 0xf8, 0xca, 0x08, 0][..], 4096, Some(48_000)),
            (&[0xff, 0xf8, 0x10, 0x08, 0], 192, None),
            (&[0xff, 0xf8, 0x59, 0x08, 0], 4608, Some(44_100)),
            (&[0xff, 0xf8, 0x6c, 0x08, 0, 9, 7], 10, Some(7_000)),
            (&[0xff, 0xf8, 0x7d, 0x08, 0, 1, 0, 2, 0], 257, Some(512)),
            (&[0xff, 0xf8, 0xfe, 0x08, 0, 2, 0], 32_768, Some(5_120)),
        ] {
            let found = Head::parse(&head(bytes)).unwrap();
            assert_eq!((found.frames, found.sample_rate, found.len), (frames, rate, bytes.len() + 1));
            for cut in 0..=bytes.len() {
                assert_eq!(Head::parse(&head(bytes)[..cut]), Err(Flaw::Short), "{cut}");
            }
        }
    }

    #[test]
    fn the_position_is_a_count_of_blocks_or_of_samples() {
        let info = Info { block_frames: 100, ..Info::default() };
        for (strategy, coded, position) in [
            (0xf8, &[5][..], 500),
            (0xf9, &[5], 5),
            (0xf9, &[0xc2, 0x80], 128),
            (0xf9, &[0xfe, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf], (1 << 36) - 1),
        ] {
            let bytes = head(&[&[0xff, strategy, 0xca, 0x08], coded].concat());
            assert_eq!(Head::parse(&bytes).unwrap().position(&info), position);
        }
    }

    #[test]
    fn what_is_reserved_or_wrong_is_broken() {
        for bytes in [
            [0xff, 0xfa, 0xca, 0x08, 0],
            [0xff, 0xf8, 0x0a, 0x08, 0],
            [0xff, 0xf8, 0xcf, 0x08, 0],
            [0xff, 0xf8, 0xca, 0x09, 0],
            [0xff, 0xf8, 0xca, 0xb8, 0],
            [0xff, 0xf8, 0xca, 0x06, 0],
            [0xff, 0xf8, 0xca, 0x08, 0x80],
            [0xff, 0xf8, 0xca, 0x08, 0xff],
        ] {
            assert_eq!(Head::parse(&head(&bytes)), Err(Flaw::Broken), "{bytes:02x?}");
        }
        assert_eq!(Head::parse(&[0xff, 0xf8, 0xca, 0x08, 0xc2, 0x00, 0]), Err(Flaw::Broken));
        assert_eq!(Head::parse(&[0xff, 0xf8, 0xca, 0x08, 0, 0]), Err(Flaw::Broken), "a wrong checksum");
    }
}
