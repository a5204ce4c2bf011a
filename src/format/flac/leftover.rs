//! What a repair of a FLAC file of another program would lose or count wrongly: whole frames that are not of the kind
//! that STREAMINFO describes, or stand after the end. Run by the thread that repairs.

use std::io;

use super::decode::{HEAD_BYTES_MAX, Head, Info};
use crate::{
    audio::{checksum::flac_crc16, time::seconds},
    format::{Input, window::Window},
};

/// No real frame is longer, see the decoder.
const FRAME_BYTES_MAX: u64 = 4 << 20;

/// How many beginnings of other frames may appear by chance inside of one before it counts as none.
const CHANCES_MAX: usize = 4;

/// Frames after which the rest is not read: two days of the shortest usual ones.
const FRAMES_MAX: usize = 1 << 20;

/// What the whole frames of a file hold.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Survey {
    /// Frames of sound in those that STREAMINFO describes, before the end.
    pub(super) regular: u64,
    /// Seconds in all others.
    pub(super) other_s: f64,
}

/// Reads every frame from `first` on; those of the file end at `end`.
///
/// # Errors
/// Those of reading.
pub(super) fn survey<I: Input>(window: &mut Window<I>, info: &Info, (first, end): (u64, u64)) -> io::Result<Survey> {
    let len = window.len()?;
    let mut found = Survey::default();
    let mut at = first;
    for _ in 0..FRAMES_MAX {
        let Some((place, head)) = next_head(window, at, len)? else { break };
        match end_of_frame(window, place, len)? {
            Some(behind) => {
                if place < end && head.fits(info) {
                    found.regular += u64::from(head.frames);
                } else {
                    found.other_s += seconds(head.frames.into(), head.sample_rate.unwrap_or(info.sample_rate).max(1));
                }
                at = behind;
            }
            None => at = place + 1,
        }
    }
    Ok(found)
}

fn next_head<I: Input>(window: &mut Window<I>, from: u64, len: u64) -> io::Result<Option<(u64, Head)>> {
    let mut at = from;
    // Two bytes are enough for a candidate, and occur by chance every 30 kB.
    while let Some(place) = window.find(at, len, 2, |bytes| matches!(bytes, [0xff, 0xf8 | 0xf9, ..]))? {
        if let Ok(head) = Head::parse(window.at(place, HEAD_BYTES_MAX)?) {
            return Ok(Some((place, head)));
        }
        at = place + 1;
    }
    Ok(None)
}

/// Where the frame ends that begins at `place`: before another one or at the end of the file, with a right checksum.
fn end_of_frame<I: Input>(window: &mut Window<I>, place: u64, len: u64) -> io::Result<Option<u64>> {
    let mut from = place + 1;
    for _ in 0..=CHANCES_MAX {
        let end = next_head(window, from, len.min(place + FRAME_BYTES_MAX))?.map_or(len, |(next, _)| next);
        let Some(bytes) = usize::try_from(end - place).ok().filter(|&bytes| bytes as u64 <= FRAME_BYTES_MAX) else {
            break;
        };
        // The checksum over a whole frame that includes its own checksum is zero.
        if flac_crc16(window.at(place, bytes)?) == 0 {
            return Ok(Some(end));
        }
        if end == len {
            break;
        }
        from = end + 1;
    }
    Ok(None)
}
