//! A WAV file with other markers: the chunks `cue ` and `LIST adtl` are removed and written anew at its end.

use super::trailer;
use crate::{
    audio::Marker,
    error::Result,
    format::{Patch, rewrite::Copy},
};

/// Where the chunks begin, and bytes of a chunk's head.
const FIRST_CHUNK: u64 = 12;
const HEAD_BYTES: u64 = 8;
/// The value of a size that is in `ds64`.
const IN_DS64: u32 = u32::MAX;

/// Writes it; see [`Rewriting`](crate::format::rewrite::Rewriting).
pub(in crate::format) fn rewrite(file: &mut Copy<'_>, markers: &[Marker], _rate: u32) -> Result<Vec<Patch>> {
    let length = file.len()?;
    let start = file.read_exactly(0, FIRST_CHUNK)?;
    let is_wide = !start.starts_with(b"RIFF");
    file.write(&start)?;
    let (mut at, mut ds64) = (FIRST_CHUNK, None);
    while at + HEAD_BYTES <= length {
        let head = file.read_exactly(at, (HEAD_BYTES + 4).min(length - at))?;
        let (id, size) = (head.get(..4).unwrap_or_default(), four(&head, 4).unwrap_or(0));
        let bytes = match (id, ds64) {
            (b"data", Some(sizes)) if is_wide && size == IN_DS64 => eight(&file.read_exactly(sizes + 8, 8)?),
            _ => u64::from(size),
        };
        // A pad byte that is missing at the end of the file does not count.
        let end = at.saturating_add(HEAD_BYTES).saturating_add(bytes).saturating_add(bytes % 2);
        let end = if end == length + 1 { length } else { end };
        if end > length {
            return Err(file.damaged());
        }
        if id == b"ds64" {
            ds64 = Some(file.written() + HEAD_BYTES);
        }
        let is_of_markers = id == b"cue " || (id == b"LIST" && head.get(8..12) == Some(b"adtl"));
        if !is_of_markers {
            file.copy(at, end)?;
            if file.written() % 2 == 1 {
                file.write(&[0])?;
            }
        }
        at = end;
    }
    // What is no chunk, such as a mark of another program.
    file.copy(at, length)?;
    if file.written() % 2 == 1 {
        file.write(&[0])?;
    }
    file.write(&trailer::cue(markers)?)?;
    file.write(&trailer::labels(markers)?)?;
    let riff = file.written() - HEAD_BYTES;
    match (ds64.filter(|_| is_wide), u32::try_from(riff)) {
        (Some(at), _) => Ok(vec![Patch { at, bytes: riff.to_le_bytes().to_vec() }]),
        (None, Ok(riff)) if riff < IN_DS64 => Ok(vec![Patch { at: 4, bytes: riff.to_le_bytes().to_vec() }]),
        (None, _) => Err(file.damaged()),
    }
}

fn four(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes)
}

fn eight(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}
