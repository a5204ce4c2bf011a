//! Packets to the pages of an Ogg stream (RFC 3533): lacing, header, checksum. Packets of sound lie within one page, as
//! those of a voice do; one that fills several is cut by [`pages_of`]. What the packets mean is not handled here. Pure;
//! for any thread.

use crate::audio::checksum::ogg_crc32;

/// Bytes of a page before its lacing values.
pub(crate) const HEADER_BYTES: u64 = 27;

/// Set on a page that begins with the rest of a packet.
const CONTINUED: u8 = 1;
/// Set on the first page of a stream.
pub(crate) const FIRST: u8 = 2;
/// Set on the last page of a stream.
pub(crate) const LAST: u8 = 4;

/// Where the flags of a page are.
const FLAGS_AT: u64 = 5;
/// Where its checksum is, which is followed by the number of lacing values.
const CRC_AT: usize = 22;

/// Segments of a page at most.
const SEGMENTS_MAX: usize = 255;

/// The fields of a page's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageHead {
    /// Marks [`FIRST`] and [`LAST`] pages.
    pub flags: u8,
    /// The position of the codec at the end of the page.
    pub granule: u64,
    /// The number of the stream.
    pub serial: u32,
    /// The number of the page in its stream.
    pub sequence: u32,
}

impl PageHead {
    /// The first 22 bytes of the page, up to the checksum.
    fn bytes(self) -> Vec<u8> {
        let mut out = b"OggS\0".to_vec();
        out.push(self.flags);
        out.extend(self.granule.to_le_bytes());
        out.extend(self.serial.to_le_bytes());
        out.extend(self.sequence.to_le_bytes());
        out
    }
}

/// The granule of a page on which no packet ends.
const NO_GRANULE: u64 = u64::MAX;

/// The pages of one packet, however long it is. The first one has the number in `head`; the flags and the granule there
/// are those of the last.
#[must_use]
pub(crate) fn pages_of(packet: &[u8], head: PageHead) -> Vec<(PageHead, Vec<u8>)> {
    let mut pages = Vec::new();
    let mut rest = packet;
    loop {
        let flags = if pages.is_empty() { 0 } else { CONTINUED };
        let sequence = head.sequence.wrapping_add(u32::try_from(pages.len()).unwrap_or(0));
        let mut page = Packets::default();
        if page.has_room(rest.len()) {
            page.push(rest);
            let head = PageHead { flags: flags | head.flags, sequence, ..head };
            pages.push((head, page.take_page(head)));
            return pages;
        }
        let (begin, behind) = rest.split_at_checked(SEGMENTS_MAX * 255).unwrap_or((rest, &[]));
        page.lacing = vec![u8::MAX; SEGMENTS_MAX];
        page.body = begin.to_vec();
        let head = PageHead { flags, granule: NO_GRANULE, sequence, ..head };
        pages.push((head, page.take_page(head)));
        rest = behind;
    }
}

/// Packets that will become one page.
#[derive(Debug, Default)]
pub(crate) struct Packets {
    lacing: Vec<u8>,
    body: Vec<u8>,
    count: usize,
}

impl Packets {
    /// The content of a page.
    #[must_use]
    pub(crate) fn laced(lacing: Vec<u8>, body: Vec<u8>) -> Self {
        Self { lacing, body, count: 0 }
    }

    /// How many there are.
    #[must_use]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether another packet of `bytes` bytes fits into the page.
    #[must_use]
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.lacing.len() + bytes / 255 < SEGMENTS_MAX
    }

    /// Adds a packet, for which there has to be room.
    pub(crate) fn push(&mut self, packet: &[u8]) {
        let mut segments = packet.chunks_exact(255);
        self.lacing.extend(segments.by_ref().map(|_| u8::MAX));
        // The last one is shorter than 255 bytes, and may be empty.
        self.lacing.push(u8::try_from(segments.remainder().len()).unwrap_or(0));
        self.body.extend_from_slice(packet);
        self.count += 1;
    }

    /// The page; packets that follow begin another one.
    #[must_use]
    pub(crate) fn take_page(&mut self, head: PageHead) -> Vec<u8> {
        let Self { lacing, body, .. } = std::mem::take(self);
        let segments = u8::try_from(lacing.len()).unwrap_or(u8::MAX);
        let mut page = [head.bytes().as_slice(), &[0; 4], &[segments], &lacing, &body].concat();
        let crc = ogg_crc32(0, &page).to_le_bytes();
        if let Some(place) = page.get_mut(CRC_AT..CRC_AT + 4) {
            place.copy_from_slice(&crc);
        }
        page
    }
}

/// A page that was written, as far as it is needed to change its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    /// Where it begins, in bytes.
    pub at: u64,
    /// Its length in bytes.
    pub len: u64,
    /// Its header.
    pub head: PageHead,
    /// Its checksum.
    pub crc: u32,
}

impl Written {
    /// The page `bytes` with that `head`, which begins at `at`.
    #[must_use]
    pub(crate) fn new(at: u64, head: PageHead, bytes: &[u8]) -> Self {
        let crc = bytes.get(CRC_AT..CRC_AT + 4).and_then(|crc| crc.try_into().ok()).map_or(0, u32::from_le_bytes);
        Self { at, len: bytes.len() as u64, head, crc }
    }

    /// Where the next page begins, in bytes.
    #[must_use]
    pub(crate) fn end(&self) -> u64 {
        self.at.saturating_add(self.len)
    }

    /// The place and the bytes, from flags to checksum, that make it the last page of its stream.
    #[must_use]
    pub(crate) fn as_last(&self) -> (u64, Vec<u8>) {
        let head = PageHead { flags: self.head.flags | LAST, ..self.head };
        // The checksum is linear: the checksum of the difference is the difference of the checksums.
        let mut crc = ogg_crc32(0, &[head.flags ^ self.head.flags]);
        let mut behind = self.len.saturating_sub(FLAGS_AT + 1);
        while behind > 0 {
            let zeros = behind.min(ZEROS.len() as u64);
            crc = ogg_crc32(crc, ZEROS.get(..usize::try_from(zeros).unwrap_or(0)).unwrap_or_default());
            behind -= zeros;
        }
        let mut bytes = head.bytes();
        bytes.extend((self.crc ^ crc).to_le_bytes());
        (self.at.saturating_add(FLAGS_AT), bytes.split_off(FLAGS_AT as usize))
    }
}

const ZEROS: [u8; 256] = [0; 256];

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    const HEAD: PageHead = PageHead { flags: FIRST, granule: 960, serial: 7, sequence: 3 };

    proptest! {
        #[test]
        fn a_page_is_read_by_the_reference(sizes in prop::collection::vec(0_usize..1_300, 1..40), last: bool) {
            let packets: Vec<Vec<u8>> = sizes.iter().map(|&size| (0..size).map(|n| n as u8).collect()).collect();
            let mut page = Packets::default();
            packets.iter().for_each(|packet| {
                prop_assume_room(&page, packet);
                page.push(packet);
            });
            let mut bytes = page.take_page(HEAD);
            prop_assert_eq!(page.count(), 0);
            if last {
                let (at, patch) = Written::new(0, HEAD, &bytes).as_last();
                let at = usize::try_from(at).unwrap();
                bytes[at..at + patch.len()].copy_from_slice(&patch);
            }
            // It returns an error for a page with a wrong checksum.
            let mut reader = ogg::PacketReader::new(Cursor::new(bytes));
            for (n, expected) in packets.iter().enumerate() {
                let packet = reader.read_packet_expected().unwrap();
                prop_assert_eq!(&packet.data, expected);
                prop_assert_eq!((packet.absgp_page(), packet.stream_serial()), (960, 7));
                prop_assert_eq!(packet.last_in_stream(), last && n + 1 == packets.len());
            }
        }
    }

    fn prop_assume_room(page: &Packets, packet: &[u8]) {
        assert!(page.has_room(packet.len()), "40 packets of 6 segments fit");
    }

    #[test]
    fn a_page_is_full_when_its_segments_are() {
        let mut page = Packets::default();
        (0..254).for_each(|_| page.push(b""));
        assert!(page.has_room(254) && !page.has_room(255));
        page.push(b"");
        assert!(!page.has_room(0));
    }
}
