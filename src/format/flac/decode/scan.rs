//! Finds the frames of a FLAC file without an index: by their sync code, and by checksums that match in anything else
//! only by chance. Run by the thread that reads.

use std::io;

use super::{
    bits::Flaw,
    frame::{self, Frame},
    head::{self, HEAD_BYTES_MAX, Head},
    info::Info,
};
use crate::format::{Input, window::Window};

/// Bytes with which the decoding of a frame is tried first, and last. No real frame is longer: eight channels of 65,535
/// samples of 32 bits are 2 MiB.
const TRY_BYTES: usize = 16 << 10;
const FRAME_BYTES_MAX: usize = 4 << 20;

/// How many false frames are skipped: a file with more is crafted to be searched for ever.
const DECEPTIONS_MAX: usize = 512;

/// The whole frame at `at`, if there is one.
///
/// # Errors
/// Those of reading.
pub(super) fn frame_at<I: Input>(window: &mut Window<I>, info: &Info, at: u64) -> io::Result<Option<Frame>> {
    let mut want = TRY_BYTES;
    loop {
        let bytes = window.at(at, want)?;
        let may_go_on = bytes.len() == want && want < FRAME_BYTES_MAX;
        match frame::decoded(bytes, info) {
            Ok(frame) => return Ok(Some(frame)),
            Err(Flaw::Short) if may_go_on => want *= 4,
            Err(_) => return Ok(None),
        }
    }
}

/// Whether there is the head of a frame at `at`, whatever follows it.
///
/// # Errors
/// Those of reading.
pub(super) fn has_head<I: Input>(window: &mut Window<I>, at: u64) -> io::Result<bool> {
    Ok(Head::parse(window.at(at, HEAD_BYTES_MAX)?).is_ok())
}

/// The first whole frame that begins from `from` on and before `until`, and where.
///
/// # Errors
/// Those of reading.
pub(super) fn first_frame<I: Input>(
    window: &mut Window<I>,
    info: &Info,
    from: u64,
    until: u64,
) -> io::Result<Option<(u64, Frame)>> {
    let mut at = from;
    for _ in 0..DECEPTIONS_MAX {
        let Some(place) = window.find(at, until, 2, could_begin)? else { break };
        if let Some(frame) = frame_at(window, info, place)? {
            return Ok(Some((place, frame)));
        }
        at = place + 1;
    }
    Ok(None)
}

/// The last whole frame that begins from `from` on and before `until`, and for which `wanted` holds.
///
/// # Errors
/// Those of reading.
pub(super) fn last_frame<I: Input>(
    window: &mut Window<I>,
    info: &Info,
    from: u64,
    until: u64,
    wanted: impl Fn(&Frame) -> bool,
) -> io::Result<Option<(u64, Frame)>> {
    let mut end = until;
    for _ in 0..DECEPTIONS_MAX {
        let Some(place) = window.rfind(from, end, HEAD_BYTES_MAX, could_begin)? else { break };
        if let Some(frame) = frame_at(window, info, place)?.filter(&wanted) {
            return Ok(Some((place, frame)));
        }
        end = place;
    }
    Ok(None)
}

/// Whether there is the head of a frame here, as far as there are bytes.
fn could_begin(bytes: &[u8]) -> bool {
    head::is_sync(bytes) && !matches!(Head::parse(bytes), Err(Flaw::Broken))
}
