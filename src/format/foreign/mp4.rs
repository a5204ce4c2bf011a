//! The edit list of an MP4 file (ISO/IEC 14496-12, section 8.6.6), which the library does not apply: how much of the
//! first sound track its encoder put before the recording. And what that is coded as, where the library does not report
//! it. Run by the thread that opens the file.

use std::io::{self, Read as _, SeekFrom};

use crate::format::{Input, row::Bytes};

/// Bytes of an index that are read; an hour has about a megabyte.
const INDEX_BYTES_MAX: u64 = 64 << 20;

/// Boxes of the file that are read.
const BOXES_MAX: usize = 1024;

/// What the index of the file states about its first sound track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sound {
    /// Units of the media's time scale before the first sound that is to be played; 0 without an edit list.
    pub(super) priming: u64,
    /// What the sound is coded as (`mp4a`, `alac`, `samr` …), if there is any.
    pub(super) coding: Option<[u8; 4]>,
}

impl Sound {
    /// Whether only the program for which it was sold can read it (ISO/IEC 14496-12, section 8.12, and Apple's own
    /// way).
    pub(super) fn is_protected(self) -> bool {
        matches!(self.coding.as_ref(), Some(b"drms" | b"enca" | b"p608"))
    }
}

/// What the file states about its sound; `None` without an index.
///
/// # Errors
/// Those of reading.
pub(super) fn sound(input: &mut Bytes) -> io::Result<Option<Sound>> {
    let Some(index) = index(input)? else { return Ok(None) };
    let tracks = children(&index).filter(|&(kind, _)| kind == b"trak").map(|(_, track)| track);
    let track = { tracks }.find(|track| {
        let handler = inside(track, b"mdia").and_then(|media| inside(media, b"hdlr"));
        handler.and_then(|handler| handler.get(8..12)) == Some(b"soun")
    });
    let Some(track) = track else { return Ok(Some(Sound::default())) };
    let edits = inside(track, b"edts").and_then(|edits| inside(edits, b"elst"));
    let table = [b"mdia", b"minf", b"stbl", b"stsd"].into_iter().try_fold(track, |payload, kind| inside(payload, kind));
    let entry = table.and_then(|table| table.get(12..16)?.first_chunk().copied());
    Ok(Some(Sound { priming: edits.and_then(first_media_time).unwrap_or(0), coding: entry }))
}

/// What the box `moov` holds.
fn index(input: &mut impl Input) -> io::Result<Option<Vec<u8>>> {
    let len = input.seek(SeekFrom::End(0))?;
    let mut at = 0_u64;
    for _ in 0..BOXES_MAX {
        let mut head = Vec::new();
        input.seek(SeekFrom::Start(at))?;
        input.by_ref().take(16).read_to_end(&mut head)?;
        let (Some(size), Some(kind)) = (number(&head, 0, 4), head.get(4..8)) else { break };
        let (start, size) = match size {
            0 => (8, len.saturating_sub(at)),
            1 => (16, number(&head, 8, 8).unwrap_or(0)),
            size => (8, size),
        };
        if size < start {
            break;
        }
        if kind == b"moov" {
            let mut payload = Vec::new();
            input.seek(SeekFrom::Start(at.saturating_add(start)))?;
            input.by_ref().take((size - start).min(INDEX_BYTES_MAX)).read_to_end(&mut payload)?;
            return Ok(Some(payload));
        }
        at = at.saturating_add(size);
    }
    Ok(None)
}

/// The boxes in the payload of another one.
fn children(payload: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = payload;
    std::iter::from_fn(move || {
        let size = usize::try_from(number(rest, 0, 4)?).ok().filter(|&size| size >= 8)?;
        let (this, behind) = rest.split_at_checked(size)?;
        rest = behind;
        Some((this.get(4..8)?.first_chunk()?, this.get(8..)?))
    })
}

fn inside<'a>(payload: &'a [u8], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    children(payload).find(|(kind, _)| *kind == wanted).map(|(_, payload)| payload)
}

/// Where the first edit that is no pause begins.
fn first_media_time(list: &[u8]) -> Option<u64> {
    let width = if *list.first()? == 1 { 8 } else { 4 };
    let entries = list.get(8..)?.chunks_exact(2 * width + 4);
    let none = if width == 8 { u64::MAX } else { u32::MAX.into() };
    entries.filter_map(|entry| number(entry, width, width)).find(|&time| time != none)
}

/// The big-endian number of `width` bytes at `at`.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    Some(bytes.get(at..at + width)?.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn boxed(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        let size = u32::try_from(payload.len() + 8).unwrap().to_be_bytes();
        [&size[..], kind, payload].concat()
    }

    #[test]
    fn the_first_edit_that_is_no_pause_tells_what_is_in_front() {
        let entry = |time: u32| [100_u32.to_be_bytes(), time.to_be_bytes(), 0x1_0000_u32.to_be_bytes()].concat();
        let list = [&[0; 4][..], &2_u32.to_be_bytes(), &entry(u32::MAX), &entry(1024)].concat();
        let track = |handler: &[u8; 4], edits: &[u8]| {
            let media = boxed(b"mdia", &boxed(b"hdlr", &[&[0; 8][..], handler].concat()));
            boxed(b"trak", &[boxed(b"edts", &boxed(b"elst", edits)), media].concat())
        };
        let file = |tracks: &[u8]| [boxed(b"ftyp", b"M4A "), boxed(b"moov", tracks)].concat();
        let sound = |bytes: Vec<u8>| sound(&mut (Box::new(Cursor::new(bytes)) as Bytes)).unwrap();
        let found = |bytes: Vec<u8>| sound(bytes).map(|sound| sound.priming);
        let two = [track(b"vide", &[0; 16]), track(b"soun", &list)].concat();
        assert_eq!(found(file(&two)), Some(1024));
        assert_eq!(found(file(&track(b"soun", &[]))), Some(0));
        assert_eq!(found(boxed(b"ftyp", b"M4A ")), None);
        assert_eq!(found(vec![0, 0, 0, 1, b'm', b'o', b'o', b'v']), None);
    }
}
