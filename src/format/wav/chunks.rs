//! Where things are in a RIFF/WAVE file: walks its chunks and decides which of the sizes it claims are true.
//!
//! Reads RIFF, RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088). Sizes are often wrong in practice: a writer that died
//! left 0, one that wrote to a pipe left a huge number, a copy was cut off. What the samples mean is in
//! [`decode`](super::decode), the content of the tags in [`tags`](super::tags). Run by the thread that opens the file.

use std::io::{self, Read, SeekFrom};

use super::tags::is_id3;
use crate::format::Input;

/// Chunks that are read before the rest of the file is ignored; files have about ten.
pub(super) const CHUNK_LIMIT: usize = 4096;

/// Bytes of `fmt ` that mean something, those of WAVEFORMATEXTENSIBLE.
pub(super) const FMT_LIMIT: u64 = 40;

/// Bytes of tags and markers that are read, over all chunks.
const TAGS_LIMIT: u64 = 8 << 20;

/// Data sizes from here on may be placeholders: `0x7ffff000` of sox, `0x7fffffff` minus a header, `0xffffffff`.
const PLACEHOLDERS: u64 = 0x7fff_0000;

const UNKNOWN: u64 = 0xffff_ffff;

/// What was found in a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chunks {
    /// The start of the payload of the first `fmt ` chunk.
    pub(super) fmt: Option<Vec<u8>>,
    /// Where the samples are: offset and length in bytes, inside the file.
    pub(super) data: Option<(u64, u64)>,
    /// Bytes of samples that the file had when its sizes were written, and that are missing now.
    pub(super) cut_off: u64,
    /// Payloads of the chunks of tags and markers in the order in which they stand in the file.
    pub(super) tags: Vec<([u8; 4], Vec<u8>)>,
}

/// Whether a file that starts with these (at least 12) bytes holds RIFF/WAVE chunks.
pub(super) fn is_wave(start: &[u8]) -> bool {
    let id = start.get(..4);
    [&b"RIFF"[..], b"RF64", b"BW64"].iter().any(|known| id == Some(known)) && start.get(8..12) == Some(b"WAVE")
}

/// Finds the chunks of a file of `len` bytes.
///
/// # Errors
/// Those of reading.
pub(super) fn scan(input: &mut impl Input, len: u64) -> io::Result<Chunks> {
    let mut found = Chunks::default();
    let mut sizes = Sizes { len, riff: 0, data: None };
    let mut tags_left = TAGS_LIMIT;
    let Some((id, riff)) = chunk_at(input, 0, len)? else { return Ok(found) };
    sizes.riff = riff;
    let wide = id != *b"RIFF";
    let mut at = 12;
    for _ in 0..CHUNK_LIMIT {
        let Some((id, claimed)) = chunk_at(input, at, len)? else { break };
        let start = at + 8;
        let mut size = claimed;
        match &id {
            b"ds64" if wide && sizes.data.is_none() => sizes.widen(&payload(input, start, size.min(16))?),
            b"fmt " if found.fmt.is_none() => found.fmt = Some(payload(input, start, size.min(FMT_LIMIT))?),
            b"data" if found.data.is_none() => {
                size = sizes.data_size(start, claimed);
                found.data = Some((start, size));
                found.cut_off = sizes.cut_off(start, claimed);
            }
            _ if size <= tags_left && (matches!(&id, b"LIST" | b"cue " | b"bext" | b"iXML") || is_id3(&id)) => {
                tags_left -= size;
                found.tags.push((id, payload(input, start, size)?));
            }
            _ => {}
        }
        let Some(next) = next_chunk(input, start, size, len)? else { break };
        at = next;
    }
    Ok(found)
}

/// The sizes that a file claims for itself.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    /// Bytes that the file really has.
    pub(super) len: u64,
    pub(super) riff: u64,
    /// The data size in `ds64`.
    pub(super) data: Option<u64>,
}

impl Sizes {
    /// Takes the RIFF and data sizes from the payload of `ds64`.
    pub(super) fn widen(&mut self, payload: &[u8]) {
        let number = |at: usize| payload.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        self.riff = number(0).unwrap_or(self.riff);
        self.data = number(8);
    }

    /// The actual data size, where the header of the data chunk has `claimed`.
    pub(super) fn data_claim(&self, claimed: u64) -> u64 {
        self.data.filter(|_| claimed == UNKNOWN).unwrap_or(claimed)
    }

    /// Bytes of samples in a data chunk whose payload starts at `start` and that claims `claimed` bytes.
    pub(super) fn data_size(&self, start: u64, claimed: u64) -> u64 {
        let there = self.len.saturating_sub(start);
        let wide = self.data.is_some() && claimed == UNKNOWN;
        let claimed = self.data_claim(claimed);
        // A RIFF size that fits the file comes from a writer that had all sizes. One byte for a missing pad.
        let riff_end = self.riff.saturating_add(8);
        let consistent = riff_end.abs_diff(self.len) <= 1;
        let placeholder = claimed == 0 || (!wide && claimed >= PLACEHOLDERS);
        if placeholder && !consistent { there } else { claimed.min(there) }
    }

    /// Bytes of such a chunk that were cut off: all sizes match a file that was longer.
    fn cut_off(&self, start: u64, claimed: u64) -> u64 {
        let wide = self.data.is_some() && claimed == UNKNOWN;
        let claimed = self.data_claim(claimed);
        let end = start.saturating_add(claimed);
        let agree = self.riff.saturating_add(9) >= end && self.riff < UNKNOWN.max(end);
        let placeholder = !wide && claimed >= PLACEHOLDERS;
        if agree && !placeholder { end.saturating_sub(self.len) } else { 0 }
    }
}

/// The id and the claimed size of the chunk at `at`, if there is room for a chunk.
pub(super) fn chunk_at(input: &mut impl Input, at: u64, len: u64) -> io::Result<Option<([u8; 4], u64)>> {
    if at.checked_add(8).is_none_or(|end| end > len) {
        return Ok(None);
    }
    match payload(input, at, 8)?.as_slice() {
        &[a, b, c, d, e, f, g, h] => Ok(Some(([a, b, c, d], u64::from(u32::from_le_bytes([e, f, g, h]))))),
        // The file shrank since its length was taken.
        _ => Ok(None),
    }
}

/// Where the chunk after the one whose payload is `size` bytes from `start` on begins, if it is in the file.
pub(super) fn next_chunk(input: &mut impl Input, start: u64, size: u64, len: u64) -> io::Result<Option<u64>> {
    let Some(end) = start.checked_add(size).filter(|&end| end < len) else { return Ok(None) };
    // Some writers omit the pad byte. It is zero; an id is not.
    let padded = size % 2 == 1 && payload(input, end, 1)?.first().is_none_or(|&byte| byte == 0);
    Ok(Some(end + u64::from(padded)))
}

/// Up to `size` bytes from `at` on; fewer at the end of the file. Takes memory only for what is there.
pub(super) fn payload(input: &mut impl Input, at: u64, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.seek(SeekFrom::Start(at))?;
    input.by_ref().take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A RIFF file of these chunks (id, claimed size, bytes that follow).
    fn file(id: &[u8; 4], riff: u32, chunks: &[(&[u8; 4], u32, &[u8])]) -> Vec<u8> {
        let mut out = [&id[..], &riff.to_le_bytes(), b"WAVE"].concat();
        for (id, size, bytes) in chunks {
            out.extend([&id[..], &size.to_le_bytes(), bytes].concat());
        }
        out
    }

    fn scanned(bytes: &[u8]) -> Chunks {
        scan(&mut Cursor::new(bytes), bytes.len() as u64).unwrap()
    }

    const FMT: (&[u8; 4], u32, &[u8]) = (b"fmt ", 2, b"ab");

    #[test]
    fn data_sizes_are_believed_only_where_they_can_be_true() {
        // The file is 12 + 10 + 8 + 6 = 36 bytes, its data starts at 30 and 6 bytes are there.
        for (riff, claimed, size) in [
            (28, 6, 6),                    // all right
            (26, 4, 4),                    // something after the data
            (28, 7, 6),                    // cut off
            (0, 0, 6),                     // never patched
            (22, 0, 6),                    // a header for an empty file, then samples
            (28, 0, 0),                    // really empty, followed by 6 bytes
            (u32::MAX, u32::MAX, 6),       // a stream
            (0x7fff_f024, 0x7fff_f000, 6), // sox to a pipe
            (0xffff_ffff, 0x7fff_ffff, 6),
            (0, 0xffff_ffd0, 6),
        ] {
            let bytes = file(b"RIFF", riff, &[FMT, (b"data", claimed, b"123456")]);
            assert_eq!(scanned(&bytes).data, Some((30, size)), "riff {riff:#x} data {claimed:#x}");
        }
    }

    #[test]
    fn a_placeholder_of_2_gib_reaches_to_the_end_unless_the_riff_size_agrees() {
        let sizes = |riff| Sizes { len: 5 << 30, riff, data: None };
        assert_eq!(sizes(0x7fff_f024).data_size(44, 0x7fff_f000), (5 << 30) - 44);
        let true_size = Sizes { len: 0x7fff_f000 + 60, riff: 0x7fff_f000 + 52, data: None };
        assert_eq!(true_size.data_size(44, 0x7fff_f000), 0x7fff_f000);
    }

    #[test]
    fn rf64_takes_its_sizes_from_ds64() {
        let wide = |riff: u64, data: u64| [riff.to_le_bytes(), data.to_le_bytes(), [0; 8]].concat();
        for (id, riff, data, size) in [
            (b"RF64", 60, 4, 4),
            (b"BW64", 60, 4, 4),
            (b"RF64", 60, 1 << 40, 6),
            (b"RF64", u64::MAX, u64::MAX, 6),
            (b"RF64", 0, 0, 6),
            (b"RIFF", 0, 4, 6),
        ] {
            let ds64 = wide(riff, data);
            let bytes = file(id, u32::MAX, &[(b"ds64", 24, &ds64), FMT, (b"data", u32::MAX, b"123456")]);
            assert_eq!(scanned(&bytes).data, Some((62, size)), "{id:?} {riff} {data}");
        }
    }

    #[test]
    fn chunks_are_found_behind_padded_and_unpadded_data_and_in_any_order() {
        let list: (&[u8; 4], u32, &[u8]) = (b"LIST", 4, b"INFO");
        for data in [&b"abc\0"[..], b"abc"] {
            let bytes = file(b"RIFF", 999, &[(b"data", 3, data), list, FMT]);
            let found = scanned(&bytes);
            assert_eq!(found.data, Some((20, 3)));
            assert_eq!(found.fmt.as_deref(), Some(&b"ab"[..]));
            assert_eq!(found.tags, [(*b"LIST", b"INFO".to_vec())]);
        }
    }

    #[test]
    fn endless_chunks_end() {
        let mut bytes = file(b"RIFF", 0, &[FMT]);
        bytes.resize(1 << 20, 0);
        assert_eq!(scanned(&bytes).data, None);
    }

    #[test]
    fn a_claimed_size_takes_no_memory() {
        let bytes = file(b"RIFF", 0, &[(b"LIST", TAGS_LIMIT as u32, b"INFO")]);
        assert_eq!(scanned(&bytes).tags, [(*b"LIST", b"INFO".to_vec())]);
        let bytes = file(b"RIFF", 0, &[(b"LIST", u32::MAX, b"INFO")]);
        assert_eq!(scanned(&bytes).tags, []);
    }
}
