//! Where an unfinished Ogg Opus file should end, and what its last page should contain. Pure: reads, and writes
//! nothing.
//!
//! A file ends after the last whole page on which a packet ends, and that page is marked as the last of its stream
//! (RFC 3533, section 6); its granule stays, so that every packet is played.

use super::decode::OpusLayout;
use crate::{
    error::Result,
    format::{
        Input, Patch, Seal,
        ogg::write::{PageHead, Written},
        repair::{Origin, Repair},
    },
};

/// See [`examine`](crate::format::examine).
pub(super) fn examine(input: &mut dyn Input, name: &str, origin: Origin) -> Result<Repair> {
    let layout = OpusLayout::read(input, name)?;
    let mut repair = Repair {
        container: "opus",
        format: Some(layout.format),
        frames: Some(layout.frames),
        seal: Seal { length: layout.len, patches: Vec::new() },
        len: layout.len,
        obstacle: None,
    };
    if layout.ends_with_another {
        // A film, or a stream of another kind: not a recording that was cut off.
        return Ok(repair);
    }
    let Some(last) = &layout.last else {
        repair.seal.length = layout.audio.min(layout.len);
        return Ok(repair);
    };
    if last.is_last() {
        // What follows the end, such as a tag of another program, is left alone.
        repair.seal.length = if origin == Origin::Named { layout.len } else { last.end() };
        return Ok(repair);
    }
    let head = PageHead {
        flags: last.flags,
        granule: last.granule.unwrap_or_default(),
        serial: last.serial,
        sequence: last.sequence,
    };
    let (at, bytes) = Written { at: last.at, len: last.len, head, crc: last.crc }.as_last();
    repair.seal = Seal { length: last.end(), patches: vec![Patch { at, bytes }] };
    Ok(repair)
}
