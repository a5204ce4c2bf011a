//! Where the sizes stand in a WAV file, what they claim, and what is really there: for repairing a header.
//!
//! Reads chunk headers only, as tolerantly as the decoder (`chunks`) and with the same rules for sizes. What the header
//! should contain instead is not decided here. Run by any thread but a realtime one.

use std::io::{self, SeekFrom};

use super::{
    chunks::{self, CHUNK_LIMIT, Sizes, chunk_at, payload},
    decode::Fmt,
};
use crate::{
    audio::AudioFormat,
    error::{Error, ErrorKind, Result},
    format::Input,
};

/// The shortest `ds64` chunk that has all its fields: three 64-bit sizes and the length of a table (EBU Tech 3306).
pub(crate) const DS64_BYTES: u32 = 28;

/// Where the first chunk of a RIFF/WAVE file begins, in bytes.
pub(crate) const FIRST_CHUNK: u64 = 12;

/// The sizes of a WAV file and their places. Every offset and size is in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WavLayout {
    /// The sound, as the decoder describes it.
    pub format: AudioFormat,
    /// The speakers that its channels are meant for, as a mask; 0 if it is not stated.
    pub mask: u32,
    /// Bytes of one frame in the file; at least 1.
    pub frame_bytes: u64,
    /// Bytes that the file really has.
    pub len: u64,
    /// Whether the file is RF64 or BW64, whose sizes are in `ds64`.
    pub is_wide: bool,
    /// What follows the RIFF size according to the file, from `ds64` if that has it.
    pub riff_claim: u64,
    /// Offset of the payload of `ds64`, if it is of use: in an RF64 or BW64 file, whole, before the samples.
    pub ds64: Option<u64>,
    /// Payload size of a `JUNK` chunk in place of `ds64`, if it has room for it.
    pub reserve: Option<u32>,
    /// Offset of the frame count in the `fact` chunk before the samples.
    pub fact: Option<u64>,
    /// Whether the format stands after the samples: then their size is known, or it had not been found.
    pub format_is_behind: bool,
    /// Offset of the first sample.
    pub data: u64,
    /// The size of the samples according to the file, from `ds64` if that has it.
    pub data_claim: u64,
    /// Bytes that the decoder reads as samples; a frame at the end may be cut off.
    pub data_read: u64,
}

/// What stands between an offset and the end of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behind {
    /// Nothing.
    Nothing,
    /// Chunks with printable names, the last of which ends with the file.
    Chunks,
    /// Anything else.
    Other,
}

/// The layout of the WAV file that `input` holds; `name` is its name in errors.
///
/// # Errors
/// [`ErrorKind::InvalidData`] if it is no WAV file or one without format or samples; [`ErrorKind::NotSupported`] for
/// sound that cannot be decoded; [`ErrorKind::Unknown`] if reading fails.
pub(crate) fn wav_layout(input: &mut impl Input, name: &str) -> Result<WavLayout> {
    let failed = |error| Error::from_io(error, format!("cannot read {name}"));
    let damaged = |what: &str| Error::new(ErrorKind::InvalidData, format!("{name} {what}"));
    let len = input.seek(SeekFrom::End(0)).map_err(failed)?;
    let start = payload(input, 0, FIRST_CHUNK).map_err(failed)?;
    if !chunks::is_wave(&start) {
        return Err(damaged("is not a WAV file"));
    }
    let is_wide = !start.starts_with(b"RIFF");
    let riff = start.get(4..8).and_then(|size| size.try_into().ok()).map_or(0, u32::from_le_bytes);
    let mut walk = Walk { is_wide, sizes: Sizes { len, riff: riff.into(), data: None }, ..Walk::default() };
    walk.run(input).map_err(failed)?;
    let fmt = Fmt::parse(&walk.fmt.ok_or_else(|| damaged("is damaged: it does not say its format"))?, name)?;
    let (data, data_claim) = walk.data.ok_or_else(|| damaged("is damaged: it has no samples"))?;
    Ok(WavLayout {
        format: fmt.format(),
        mask: fmt.mask,
        frame_bytes: fmt.frame_bytes().into(),
        len,
        is_wide,
        riff_claim: walk.sizes.riff,
        ds64: walk.ds64,
        reserve: walk.reserve,
        fact: walk.fact,
        format_is_behind: walk.format_is_behind,
        data,
        data_claim: walk.sizes.data_claim(data_claim),
        data_read: walk.sizes.data_size(data, data_claim),
    })
}

/// What the walk over the chunks has found so far.
#[derive(Default)]
struct Walk {
    is_wide: bool,
    sizes: Sizes,
    ds64: Option<u64>,
    reserve: Option<u32>,
    fact: Option<u64>,
    fmt: Option<Vec<u8>>,
    format_is_behind: bool,
    data: Option<(u64, u64)>,
}

impl Walk {
    /// Goes on until both format and samples are known; some writers put the format last.
    fn run(&mut self, input: &mut impl Input) -> io::Result<()> {
        let len = self.sizes.len;
        let mut at = FIRST_CHUNK;
        for _ in 0..CHUNK_LIMIT {
            let Some((id, claimed)) = chunk_at(input, at, len)? else { break };
            let start = at + 8;
            let size = self.see(input, &id, start, claimed)?;
            if self.fmt.is_some() && self.data.is_some() {
                break;
            }
            let Some(next) = chunks::next_chunk(input, start, size, len)? else { break };
            at = next;
        }
        Ok(())
    }

    /// Records the chunk whose payload begins at `start`; returns the size to use.
    fn see(&mut self, input: &mut impl Input, id: &[u8; 4], start: u64, claimed: u64) -> io::Result<u64> {
        let is_whole = start.checked_add(claimed).is_some_and(|end| end <= self.sizes.len);
        match id {
            b"ds64" if self.is_wide && self.sizes.data.is_none() => {
                self.sizes.widen(&payload(input, start, claimed.min(16))?);
                let is_useful = is_whole && claimed >= DS64_BYTES.into() && self.data.is_none();
                self.ds64 = is_useful.then_some(start);
            }
            // Only the first chunk can become `ds64`, and what follows it has to stay where it is.
            b"JUNK" | b"junk" if start == FIRST_CHUNK + 8 && is_whole && claimed.is_multiple_of(2) => {
                self.reserve = u32::try_from(claimed).ok().filter(|&size| size >= DS64_BYTES);
            }
            b"fact" if self.data.is_none() && is_whole && claimed >= 4 => self.fact = Some(start),
            b"fmt " if self.fmt.is_none() => {
                self.fmt = Some(payload(input, start, claimed.min(chunks::FMT_LIMIT))?);
                self.format_is_behind = self.data.is_some();
            }
            b"data" if self.data.is_none() => {
                self.data = Some((start, claimed));
                return Ok(self.sizes.data_size(start, claimed));
            }
            _ => {}
        }
        Ok(claimed)
    }
}

/// What stands after `size` bytes of payload that begin at `start`, with or without a pad byte.
///
/// # Errors
/// Those of reading.
pub(crate) fn behind(input: &mut impl Input, start: u64, size: u64, len: u64) -> io::Result<Behind> {
    let Some(end) = start.checked_add(size).filter(|&end| end <= len) else { return Ok(Behind::Other) };
    if end == len {
        return Ok(Behind::Nothing);
    }
    let Some(mut at) = chunks::next_chunk(input, start, size, len)? else { return Ok(Behind::Other) };
    if at == len {
        return Ok(Behind::Nothing);
    }
    for _ in 0..CHUNK_LIMIT {
        let Some((id, claimed)) = chunk_at(input, at, len)? else { break };
        if !id.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            break;
        }
        // At most 4 GiB beyond the end of the file: no overflow.
        let end = at + 8 + claimed;
        let is_last = end == len || (claimed % 2 == 1 && end + 1 == len);
        if is_last {
            return Ok(Behind::Chunks);
        }
        let Some(next) = chunks::next_chunk(input, at + 8, claimed, len)? else { break };
        at = next;
    }
    Ok(Behind::Other)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::audio::SampleFormat;

    const FMT: &[u8] = b"fmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0";

    fn layout(parts: &[&[u8]]) -> WavLayout {
        wav_layout(&mut Cursor::new(parts.concat()), "x").unwrap()
    }

    #[test]
    fn the_places_of_all_sizes_are_found() {
        let plain = layout(&[
            b"RIFF\x0a\0\0\0WAVE",
            b"JUNK\x1c\0\0\0",
            &[0; 28],
            FMT,
            b"fact\x04\0\0\0\0\0\0\0",
            b"data\0\0\0\0abcde",
        ]);
        let expected = WavLayout {
            mask: 0,
            format: AudioFormat::new(8_000, 1, SampleFormat::S16),
            frame_bytes: 2,
            len: 97,
            is_wide: false,
            riff_claim: 10,
            ds64: None,
            reserve: Some(28),
            fact: Some(80),
            format_is_behind: false,
            data: 92,
            data_claim: 0,
            data_read: 5,
        };
        assert_eq!(plain, expected);
        let ds64 = [&b"ds64\x1c\0\0\0"[..], &[7, 0, 0, 0, 0, 0, 0, 0, 9], &[0; 19]].concat();
        let wide = layout(&[b"RF64\xff\xff\xff\xffWAVE", &ds64, FMT, b"data\xff\xff\xff\xffabcde"]);
        assert_eq!((wide.is_wide, wide.ds64, wide.reserve), (true, Some(20), None));
        assert_eq!((wide.riff_claim, wide.data_claim, wide.data_read), (7, 9, 5));
    }

    #[test]
    fn a_reserve_that_is_too_small_or_in_another_place_is_none() {
        for front in [&[b"JUNK\x1a\0\0\0", &[0; 26][..], FMT][..], &[FMT, b"JUNK\x1c\0\0\0", &[0; 28]]] {
            let found = layout(&[b"RIFF\0\0\0\0WAVE", &front.concat(), b"data\0\0\0\0"]);
            assert_eq!(found.reserve, None);
        }
    }

    #[test]
    fn only_chunks_that_end_with_the_file_are_chunks() {
        let list: &[u8] = b"LIST\x04\0\0\0INFO";
        for (rest, expected) in [
            (&b""[..], Behind::Nothing),
            (list, Behind::Chunks),
            (&[list, b"id3 \x01\0\0\0a"].concat(), Behind::Chunks),
            (&[list, b"id3 \x01\0\0\0a\0"].concat(), Behind::Chunks),
            (&[list, b"a"].concat(), Behind::Other),
            (b"LIST\x05\0\0\0INFO", Behind::Other),
            (&[0; 32], Behind::Other),
            (b"abcd", Behind::Other),
        ] {
            for data in [&b"12"[..], b"123", b"123\0"] {
                let bytes = [data, rest].concat();
                let size = if data.len() == 2 { 2 } else { 3 };
                let found = behind(&mut Cursor::new(&bytes), 0, size, bytes.len() as u64).unwrap();
                assert_eq!(found, expected, "{rest:?}");
            }
        }
        assert_eq!(behind(&mut Cursor::new(b"12"), 0, 3, 2).unwrap(), Behind::Other);
        assert_eq!(behind(&mut Cursor::new(b"12"), u64::MAX, 3, 2).unwrap(), Behind::Other);
    }
}
