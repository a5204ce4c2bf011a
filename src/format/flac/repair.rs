//! What the header of an unfinished FLAC file should say, and where the file should end. Pure: reads, and writes nothing.
//!
//! A file ends after its last frame whose checksum is right. Its length in STREAMINFO is that of what is there; the sizes
//! of frames and the sum of all samples become unknown with it, which every reader allows (RFC 9639, section 8.2).

use super::decode::FlacLayout;
use crate::{
    error::Result,
    format::{
        Input, Patch, Seal,
        repair::{Origin, Repair},
    },
};

/// See [`examine`](crate::format::repair::examine).
pub(super) fn examine(input: &mut dyn Input, name: &str, origin: Origin) -> Result<Repair> {
    let layout = FlacLayout::read(input, name)?;
    let length_is_right = layout.claimed_frames() == layout.frames && layout.frames > 0;
    // What stands behind a file that is right, such as a tag of another program, is none of our business.
    let length = if length_is_right && origin == Origin::Named { layout.len } else { layout.end };
    let patches = if length_is_right { Vec::new() } else { streaminfo(&layout).into_iter().collect() };
    Ok(Repair {
        container: "flac",
        format: Some(layout.format()),
        frames: Some(layout.frames),
        seal: Seal { length, patches },
        len: layout.len,
    })
}

/// The patch that makes STREAMINFO say how many frames there are; none where it says so.
fn streaminfo(layout: &FlacLayout) -> Option<Patch> {
    let (at, old) = layout.streaminfo();
    // 36 bits, where 0 is unknown; the four above belong to the depth of a sample.
    let frames = if layout.frames < 1 << 36 { layout.frames } else { 0 };
    let new: Vec<u8> = old
        .iter()
        .enumerate()
        .map(|(place, &byte)| match place {
            4..=9 | 18..=33 => 0,
            13 => byte & 0xf0 | (frames >> 32) as u8,
            14..=17 => (frames >> (8 * (17 - place))) as u8,
            _ => byte,
        })
        .collect();
    (new != old).then_some(Patch { at, bytes: new })
}
