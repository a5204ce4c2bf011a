//! An Ogg Opus file with other markers: the page with the comments is replaced, with as much padding as there was (RFC
//! 7845, section 5.2). If they need more pages than before, the pages after them are renumbered.

use super::encode::SAMPLE_RATE;
use crate::{
    audio::Marker,
    error::Result,
    format::{
        Patch,
        comments::markers::with_markers,
        ogg::write::{HEADER_BYTES, Packets, PageHead},
        rewrite::Copy,
    },
};

const MAGIC: &[u8] = b"OpusTags";
/// The longest packet that fits in one page.
const PAGE_BYTES_MAX: usize = 255 * 255 - 1;
/// Room for later markers where there is none.
const PADDING_BYTES: usize = 4 << 10;

/// Writes it; see [`Rewriting`](crate::format::rewrite::Rewriting).
pub(in crate::format) fn rewrite(file: &mut Copy<'_>, markers: &[Marker], _rate: u32) -> Result<Vec<Patch>> {
    let length = file.len()?;
    let identification = Page::read(file, 0)?;
    let (mut at, mut packet, mut pages) = (identification.end, Vec::new(), 0);
    let first = Page::read(file, at)?;
    loop {
        let page = Page::read(file, at)?;
        (at, pages) = (page.end, pages + 1);
        packet.extend(&page.body);
        // Nothing else is on the page on which it ends.
        if page.lacing.last() != Some(&255) {
            break;
        }
    }
    let block = packet.strip_prefix(MAGIC).ok_or_else(|| file.damaged())?;
    let new = with_markers(block, markers, SAMPLE_RATE, PAGE_BYTES_MAX - MAGIC.len()).ok_or_else(|| file.damaged())?;
    let mut new = [MAGIC, &new].concat();
    if new.len() > PAGE_BYTES_MAX {
        return Err(file.damaged());
    }
    let padded = if new.len() <= packet.len() { packet.len() } else { new.len().next_multiple_of(PADDING_BYTES) };
    new.resize(padded.min(PAGE_BYTES_MAX).max(new.len()), 0);
    file.copy(0, identification.end)?;
    let mut packets = Packets::default();
    packets.push(&new);
    file.write(&packets.take_page(PageHead { flags: 0, granule: 0, ..first.head }))?;
    if pages == 1 {
        file.copy(at, length)?;
        return Ok(Vec::new());
    }
    while at < length {
        let page = Page::read(file, at)?;
        at = page.end;
        let sequence = page.head.sequence.wrapping_sub(pages - 1);
        let is_of_it = page.head.serial == first.head.serial;
        let head = PageHead { sequence: if is_of_it { sequence } else { page.head.sequence }, ..page.head };
        file.write(&page.with_head(head))?;
    }
    Ok(Vec::new())
}

/// A page as it is in the file.
struct Page {
    head: PageHead,
    lacing: Vec<u8>,
    body: Vec<u8>,
    /// Where the next one begins.
    end: u64,
}

impl Page {
    fn read(file: &mut Copy<'_>, at: u64) -> Result<Self> {
        let bytes = file.read_exactly(at, HEADER_BYTES)?;
        let four = |place: usize| {
            bytes.get(place..place + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
        };
        let granule = bytes.get(6..14).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
        if !bytes.starts_with(b"OggS\0") {
            return Err(file.damaged());
        }
        let head =
            PageHead { flags: bytes.get(5).copied().unwrap_or(0), granule, serial: four(14), sequence: four(18) };
        let segments = bytes.get(26).copied().unwrap_or(0);
        let lacing = file.read_exactly(at + HEADER_BYTES, segments.into())?;
        let size: u64 = lacing.iter().map(|&segment| u64::from(segment)).sum();
        let body_at = at + HEADER_BYTES + u64::from(segments);
        let body = file.read_exactly(body_at, size)?;
        Ok(Self { head, lacing, body, end: body_at + size })
    }

    fn with_head(self, head: PageHead) -> Vec<u8> {
        Packets::laced(self.lacing, self.body).take_page(head)
    }
}
