//! A FLAC file with other markers: the block of comments is replaced, and padding compensates its difference in length,
//! as far as there is any (RFC 9639, section 8).

use crate::{
    audio::Marker,
    error::Result,
    format::{Patch, comments::markers::with_markers, rewrite::Copy},
};

const PADDING: u8 = 1;
const COMMENTS: u8 = 4;
/// Set in the kind of the last block before the sound.
const LAST: u8 = 0x80;
/// The longest block.
const BLOCK_MAX: usize = (1 << 24) - 1;
const HEAD_BYTES: u64 = 4;
/// Room for later markers where padding has to be added.
const NEW_PADDING: usize = 4 << 10;
/// An empty block of comments: no vendor, no comment.
const NO_COMMENTS: [u8; 8] = [0; 8];

/// Writes it; see [`Rewriting`](crate::format::rewrite::Rewriting).
pub(in crate::format) fn rewrite(file: &mut Copy<'_>, markers: &[Marker], rate: u32) -> Result<Vec<Patch>> {
    let length = file.len()?;
    // Tags of another kind may stand before it.
    let mut at = start(file)?;
    file.copy(0, at)?;
    let (mut blocks, mut comments, mut padding) = (Vec::new(), None, 0);
    loop {
        let head = file.read_exactly(at, HEAD_BYTES)?;
        let (&kind, size) = head.split_first().ok_or_else(|| file.damaged())?;
        let size = size.iter().fold(0, |size, &byte| size << 8 | u64::from(byte));
        let payload = file.read_exactly(at + HEAD_BYTES, size)?;
        at += HEAD_BYTES + size;
        match kind & !LAST {
            COMMENTS => comments = Some(payload),
            PADDING => padding += HEAD_BYTES as usize + payload.len(),
            kind => blocks.push((kind, payload)),
        }
        if kind & LAST != 0 {
            break;
        }
    }
    let old = comments.unwrap_or_else(|| NO_COMMENTS.to_vec());
    let new = with_markers(&old, markers, rate, BLOCK_MAX).ok_or_else(|| file.damaged())?;
    // The sound stays where it is if there is room.
    let room = (padding + old.len()).checked_sub(new.len() + HEAD_BYTES as usize);
    let padding = room.unwrap_or(NEW_PADDING).min(BLOCK_MAX);
    // The first block has to be STREAMINFO, and stays so.
    let place = 1.min(blocks.len());
    blocks.insert(place, (COMMENTS, new));
    blocks.push((PADDING | LAST, vec![0; padding]));
    for (kind, payload) in blocks {
        let size = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
        file.write(&[&[kind], size.get(1..).unwrap_or_default()].concat())?;
        file.write(&payload)?;
    }
    file.copy(at, length)?;
    Ok(Vec::new())
}

/// Where the blocks begin.
fn start(file: &mut Copy<'_>) -> Result<u64> {
    let mut at = 0;
    loop {
        let head = file.read_exactly(at, 10)?;
        if head.starts_with(b"fLaC") {
            return Ok(at + 4);
        }
        // The size of an ID3 tag has seven bits a byte.
        let size = head.get(6..10).filter(|_| head.starts_with(b"ID3")).ok_or_else(|| file.damaged())?;
        at += 10 + size.iter().fold(0, |size, &byte| size << 7 | u64::from(byte & 0x7f));
    }
}
