//! The pages of an Ogg stream (RFC 3533), found by their marker and verified by their checksum. What the packets in
//! them mean is not handled here. Run by the thread that reads.

use std::io;

use crate::{
    audio::checksum::ogg_crc32,
    format::{Input, window::Window},
};

/// The longest page: 27 bytes, 255 lacing values, 255 segments.
const PAGE_BYTES_MAX: usize = 27 + 255 + 255 * 255;

/// Set on a page whose first packet began on an earlier one.
const CONTINUED: u8 = 1;
const FIRST: u8 = 2;
const LAST: u8 = 4;

/// The granule of a page on which no packet ends.
const NO_GRANULE: u64 = u64::MAX;

/// How many false pages, with a wrong checksum, are skipped: a file with more is crafted to be searched for ever.
const DECEPTIONS_MAX: usize = 4096;

/// A whole page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Page {
    /// Where it begins, in bytes.
    pub at: u64,
    /// Its length in bytes.
    pub len: u64,
    /// Its flags, as stored.
    pub flags: u8,
    /// The position of the codec at its end; `None` if no packet ends on it.
    pub granule: Option<u64>,
    /// The number of its stream.
    pub serial: u32,
    /// Its number in the stream.
    pub sequence: u32,
    /// Its checksum.
    pub crc: u32,
    lacing: Vec<u8>,
    body: Vec<u8>,
}

impl Page {
    /// The page at the start of `bytes`, if it is there as a whole and its checksum is right.
    fn parse(bytes: &[u8], at: u64) -> Option<Self> {
        let page = Self::unchecked(bytes, at)?;
        let len = usize::try_from(page.len).ok()?;
        let found = ogg_crc32(ogg_crc32(ogg_crc32(0, bytes.get(..22)?), &[0; 4]), bytes.get(26..len)?);
        (page.crc == found).then_some(page)
    }

    /// The page whose header stands at the start of `bytes`, with as much of its body as is there.
    fn unchecked(bytes: &[u8], at: u64) -> Option<Self> {
        let number = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        // The version is zero.
        if !bytes.starts_with(b"OggS\0") {
            return None;
        }
        let segments = usize::from(*bytes.get(26)?);
        let lacing = bytes.get(27..27 + segments)?;
        let body_at = 27 + segments;
        let len = body_at + lacing.iter().map(|&segment| usize::from(segment)).sum::<usize>();
        let body = bytes.get(body_at..len.min(bytes.len()))?;
        let granule = bytes.get(6..14)?.try_into().ok().map(u64::from_le_bytes)?;
        Some(Self {
            at,
            len: len as u64,
            flags: *bytes.get(5)?,
            granule: Some(granule).filter(|&granule| granule != NO_GRANULE),
            serial: number(14)?,
            sequence: number(18)?,
            crc: number(22)?,
            lacing: lacing.to_vec(),
            body: body.to_vec(),
        })
    }

    /// Where the next one should begin, in bytes.
    #[must_use]
    pub(crate) fn end(&self) -> u64 {
        self.at.saturating_add(self.len)
    }

    /// Whether a stream begins with it.
    #[must_use]
    pub(crate) fn is_first(&self) -> bool {
        self.flags & FIRST != 0
    }

    /// Whether it is marked as the last one of its stream.
    #[must_use]
    pub(crate) fn is_last(&self) -> bool {
        self.flags & LAST != 0
    }

    pub(crate) fn is_continued(&self) -> bool {
        self.flags & CONTINUED != 0
    }

    /// The pieces of packets on it, in order, and whether each of them ends here.
    pub(crate) fn pieces(&self) -> Vec<(&[u8], bool)> {
        let mut pieces = Vec::new();
        let (mut start, mut end) = (0, 0);
        for &segment in &self.lacing {
            end += usize::from(segment);
            if segment < 255 {
                pieces.push((self.body.get(start..end).unwrap_or_default(), true));
                start = end;
            }
        }
        if self.lacing.last() == Some(&255) {
            pieces.push((self.body.get(start..end).unwrap_or_default(), false));
        }
        pieces
    }

    /// The first bytes of its first packet.
    pub(crate) fn start(&self) -> &[u8] {
        &self.body
    }
}

/// The whole page at `at`, if there is one.
///
/// # Errors
/// Those of reading.
pub(crate) fn page_at<I: Input>(window: &mut Window<I>, at: u64) -> io::Result<Option<Page>> {
    // Most pages are short, and few callers read several in a row.
    for want in [8 << 10, PAGE_BYTES_MAX] {
        let bytes = window.at(at, want)?;
        let page = Page::parse(bytes, at);
        if page.is_some() || !bytes.starts_with(b"OggS") {
            return Ok(page);
        }
    }
    Ok(None)
}

/// The page whose header stands at `at`, whether or not its checksum is right, and as far as it is there: damaged, or
/// cut off.
///
/// # Errors
/// Those of reading.
pub(crate) fn broken_page_at<I: Input>(window: &mut Window<I>, at: u64) -> io::Result<Option<Page>> {
    Ok(Page::unchecked(window.at(at, PAGE_BYTES_MAX)?, at))
}

/// The first whole page that begins from `from` on and before `until`, and for which `wanted` holds.
///
/// # Errors
/// Those of reading.
pub(crate) fn first_page<I: Input>(
    window: &mut Window<I>,
    from: u64,
    until: u64,
    wanted: impl Fn(&Page) -> bool,
) -> io::Result<Option<Page>> {
    let (mut at, mut deceptions) = (from, 0);
    while at < until && deceptions < DECEPTIONS_MAX {
        match page_at(window, at)? {
            Some(page) if wanted(&page) => return Ok(Some(page)),
            Some(page) => at = page.end(),
            None => {
                deceptions += 1;
                match window.find(at.saturating_add(1), until, 4, |bytes| bytes.starts_with(b"OggS"))? {
                    Some(place) => at = place,
                    None => break,
                }
            }
        }
    }
    Ok(None)
}

/// The last whole page that begins from `from` on and before `until`, and for which `wanted` holds.
///
/// # Errors
/// Those of reading.
pub(crate) fn last_page<I: Input>(
    window: &mut Window<I>,
    from: u64,
    until: u64,
    wanted: impl Fn(&Page) -> bool,
) -> io::Result<Option<Page>> {
    let (mut end, mut deceptions) = (until, 0);
    while deceptions < DECEPTIONS_MAX {
        let Some(place) = window.rfind(from, end, 4, |bytes| bytes.starts_with(b"OggS"))? else { break };
        end = place;
        match page_at(window, place)? {
            Some(page) if wanted(&page) => return Ok(Some(page)),
            Some(_) => {}
            None => deceptions += 1,
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use ogg::{PacketWriteEndInfo, PacketWriter};

    use super::*;

    /// Pages of the reference: packets of these sizes, each the end of a page.
    fn stream(sizes: &[usize]) -> Vec<u8> {
        let mut writer = PacketWriter::new(Vec::new());
        for (n, &size) in sizes.iter().enumerate() {
            let packet: Vec<u8> = (0..size).map(|byte| byte as u8).collect();
            let end = if n + 1 == sizes.len() { PacketWriteEndInfo::EndStream } else { PacketWriteEndInfo::EndPage };
            writer.write_packet(packet, 7, end, n as u64).unwrap();
        }
        writer.into_inner()
    }

    #[test]
    fn pages_of_the_reference_are_found_from_both_sides() {
        let bytes = stream(&[19, 0, 254, 255, 256, 70_000, 1]);
        let len = bytes.len() as u64;
        let mut window = Window::new(Cursor::new(bytes));
        let (mut at, mut pages) = (0, Vec::new());
        while let Some(page) = page_at(&mut window, at).unwrap() {
            at = page.end();
            pages.push(page);
        }
        // The long packet spans two pages, on the first of which no packet ends.
        assert_eq!((at, pages.len()), (len, 8));
        let granules: Vec<_> = pages.iter().map(|page| page.granule).collect();
        assert_eq!(granules, [Some(0), Some(1), Some(2), Some(3), Some(4), None, Some(5), Some(6)]);
        assert!(pages[0].is_first() && pages[7].is_last() && pages[6].is_continued() && !pages[5].is_continued());
        let lengths: Vec<Vec<(usize, bool)>> =
            pages.iter().map(|page| page.pieces().iter().map(|(bytes, ends)| (bytes.len(), *ends)).collect()).collect();
        assert_eq!(lengths[3], [(255, true)]);
        assert_eq!((&lengths[5], &lengths[6]), (&vec![(65_025, false)], &vec![(4_975, true)]));
        assert_eq!(first_page(&mut window, 1, len, |_| true).unwrap().as_ref(), pages.get(1));
        assert_eq!(last_page(&mut window, 0, len, |page| page.granule == Some(4)).unwrap().as_ref(), pages.get(4));
        assert_eq!(first_page(&mut window, 0, len, |page| page.serial != 7).unwrap(), None);
        assert_eq!(last_page(&mut window, 0, len, |page| page.serial != 7).unwrap(), None);
    }

    #[test]
    fn a_page_with_one_wrong_or_missing_byte_is_none() {
        let bytes = stream(&[300]);
        for at in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[at] ^= 0x10;
            assert_eq!(page_at(&mut Window::new(Cursor::new(wrong)), 0).unwrap(), None, "byte {at}");
            assert_eq!(page_at(&mut Window::new(Cursor::new(&bytes[..at])), 0).unwrap(), None, "cut at {at}");
        }
    }
}
