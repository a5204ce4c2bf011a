//! One block of samples as a FLAC frame (RFC 9639, section 9). The crate predicts and codes the residual; it numbers
//! every frame 0 here, and the number that belongs there is put in afterwards, with both checksums. Pure.

use flac_codec::encode::{FlacStreamWriter, Options};

use crate::{
    audio::{
        AudioFormat,
        checksum::{flac_crc8, flac_crc16},
    },
    error::{Error, ErrorKind, Result},
};

/// What the number in the head of a frame counts (RFC 9639, section 9.1.5). It is the same in every frame of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbering {
    /// Blocks, which all have the same length but the last.
    Blocks,
    /// Samples of one channel, in front of blocks of any length.
    Frames,
}

/// `samples`, interleaved and within the depth of `audio`, as one frame.
///
/// # Errors
/// [`ErrorKind::Unknown`] if the crate refuses it.
pub(super) fn encoded(audio: AudioFormat, samples: &[i32], number: u64, numbering: Numbering) -> Result<Vec<u8>> {
    let failed = || Error::new(ErrorKind::Unknown, "cannot encode FLAC");
    let channels = u8::try_from(audio.channels).map_err(|_| failed())?;
    let mut frame = Vec::new();
    FlacStreamWriter::new(&mut frame, Options::default())
        .write(audio.sample_rate, channels, audio.sample_format.bits().into(), samples)
        .map_err(|error| failed().with_source(error))?;
    renumbered(&frame, number, numbering).ok_or_else(failed)
}

/// `frame`, whose number is 0, with another number.
fn renumbered(frame: &[u8], number: u64, numbering: Numbering) -> Option<Vec<u8>> {
    let &[sync, strategy, sizes, channels, 0, ref rest @ ..] = frame else { return None };
    let strategy = match numbering {
        Numbering::Blocks => strategy,
        Numbering::Frames => strategy | 1,
    };
    let (tail, rest) = rest.split_at_checked(tail_bytes(sizes))?;
    // Behind the old CRC-8, in front of the old CRC-16.
    let subframes = rest.get(1..rest.len().checked_sub(2)?)?;
    let mut out = vec![sync, strategy, sizes, channels];
    put_number(&mut out, number);
    out.extend_from_slice(tail);
    out.push(flac_crc8(&out));
    out.extend_from_slice(subframes);
    out.extend(flac_crc16(&out).to_be_bytes());
    Some(out)
}

/// Bytes of block size and sample rate behind the number, by the codes for them (RFC 9639, sections 9.1.6 and 9.1.7).
fn tail_bytes(sizes: u8) -> usize {
    let block = match sizes >> 4 {
        6 => 1,
        7 => 2,
        _ => 0,
    };
    let rate = match sizes & 0x0f {
        12 => 1,
        13 | 14 => 2,
        _ => 0,
    };
    block + rate
}

/// Up to 36 bits, coded as UTF-8 codes a character (RFC 9639, section 9.1.5).
fn put_number(out: &mut Vec<u8>, number: u64) {
    if number < 0x80 {
        out.push(number as u8);
        return;
    }
    // With n bytes behind the first there are 6n bits in them and 6 - n in the first.
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
