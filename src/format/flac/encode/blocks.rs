//! What stands before the frames of a FLAC file: the marker, STREAMINFO, comments, padding (RFC 9639, section 8).
//!
//! A file has room after its comments, because markers and losses are known only at the end. Pure.

use crate::{
    audio::{AudioFormat, Metadata},
    format::{Delivery, comments::write::comments_with, flac::speakers},
};

/// Bytes for comments and padding in a file, their heads included: about a hundred markers.
const COMMENT_BYTES: usize = 8 * 1024;

/// Bytes of comments in a stream, which are not padded.
const STREAM_LIMIT: usize = 1 << 16;

/// Room that is left for markers and losses in a file whose first tags fill the usual one.
const SPARE_BYTES: usize = 4 * 1024;

/// The smallest block of sound that may be followed by another one, in frames (RFC 9639, section 9.1.1).
pub(super) const BLOCK_MIN: u16 = 16;

/// The longest payload of a block.
const BLOCK_MAX: usize = (1 << 24) - 1;

/// Payload of STREAMINFO, in bytes.
const STREAMINFO_BYTES: u8 = 34;

/// Set in the head of the last block.
const LAST: u8 = 0x80;
const PADDING: u8 = 1;
const VORBIS_COMMENT: u8 = 4;
const PICTURE: u8 = 6;

/// Everything that does not change while a file grows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    audio: AudioFormat,
    delivery: Delivery,
    shortest_block: u16,
    block_frames: u16,
    /// Bytes for comments, pictures and padding, heads included.
    reserve: usize,
}

impl Header {
    pub(super) fn new(audio: AudioFormat, delivery: Delivery, block_frames: u16) -> Self {
        let shortest_block = match delivery {
            Delivery::File => block_frames,
            Delivery::Stream => BLOCK_MIN,
        };
        Self { audio, delivery, shortest_block, block_frames, reserve: COMMENT_BYTES }
    }

    /// Allows any block to be shorter than the longest one, not only the last.
    pub(super) fn allow_short_blocks(&mut self) {
        self.shortest_block = BLOCK_MIN;
    }

    /// The same with room for the tags that are known at the start, and for later ones.
    pub(super) fn with_room_for(self, metadata: &Metadata) -> Self {
        let speakers = speakers::written(self.audio.channels, metadata.speakers.as_ref());
        let comments = comments_with(metadata, speakers.as_slice(), self.audio.sample_rate, BLOCK_MAX).len();
        let pictures: usize = pictures(metadata).map(|picture| 4 + picture.len()).sum();
        let needed = 8 + comments + pictures;
        Self {
            reserve: if needed + SPARE_BYTES / 4 <= COMMENT_BYTES { COMMENT_BYTES } else { needed + SPARE_BYTES },
            ..self
        }
    }

    /// The header, with unknown values left open: frames in the file, the shortest and the longest block in bytes, the
    /// sum of all samples.
    pub(super) fn bytes(
        &self,
        metadata: &Metadata,
        frames: Option<u64>,
        block_bytes: Option<(u32, u32)>,
        digest: Option<[u8; 16]>,
    ) -> Vec<u8> {
        let mut out = b"fLaC".to_vec();
        out.extend([0, 0, 0, STREAMINFO_BYTES]);
        out.extend(self.streaminfo(frames, block_bytes, digest));
        let speakers = speakers::written(self.audio.channels, metadata.speakers.as_ref());
        let comments = |limit| comments_with(metadata, speakers.as_slice(), self.audio.sample_rate, limit);
        match self.delivery {
            Delivery::File => {
                let begins = out.len();
                let pictures_bytes: usize = pictures(metadata).map(|picture| 4 + picture.len()).sum();
                let limit = self.reserve.saturating_sub(8 + pictures_bytes).min(BLOCK_MAX);
                put_block(&mut out, VORBIS_COMMENT, &comments(limit));
                pictures(metadata).for_each(|picture| put_block(&mut out, PICTURE, picture));
                let padding = (begins + self.reserve).saturating_sub(out.len());
                put_padding(&mut out, padding);
            }
            Delivery::Stream => {
                let limit = self.reserve.clamp(STREAM_LIMIT, BLOCK_MAX);
                let last = if pictures(metadata).next().is_none() { LAST } else { 0 };
                put_block(&mut out, last | VORBIS_COMMENT, &comments(limit));
                let mut pictures = pictures(metadata).peekable();
                while let Some(picture) = pictures.next() {
                    let last = if pictures.peek().is_none() { LAST } else { 0 };
                    put_block(&mut out, last | PICTURE, picture);
                }
            }
        }
        out
    }

    fn streaminfo(&self, frames: Option<u64>, block_bytes: Option<(u32, u32)>, digest: Option<[u8; 16]>) -> Vec<u8> {
        // The shortest block does not include the last one of the file.
        let mut out = [self.shortest_block.to_be_bytes(), self.block_frames.to_be_bytes()].concat();
        let (least, most) = block_bytes.unwrap_or_default();
        for size in [least, most] {
            // 24 bits, where 0 is unknown.
            let size = if size < 1 << 24 { size } else { 0 };
            out.extend(size.to_be_bytes().get(1..).unwrap_or_default());
        }
        // 36 bits, where 0 is unknown.
        let frames = frames.filter(|&frames| frames < 1 << 36).unwrap_or(0);
        let packed = (u64::from(self.audio.sample_rate) << 44)
            | (u64::from(self.audio.channels.saturating_sub(1)) << 41)
            | (u64::from(self.audio.sample_format.bits() - 1) << 36)
            | frames;
        out.extend(packed.to_be_bytes());
        out.extend(digest.unwrap_or_default());
        out
    }
}

/// Those that fit into a block.
fn pictures(metadata: &Metadata) -> impl Iterator<Item = &[u8]> {
    metadata.pictures.iter().map(Vec::as_slice).filter(|picture| picture.len() <= BLOCK_MAX)
}

/// The last blocks, `bytes` long in all, which are at least 4.
fn put_padding(out: &mut Vec<u8>, bytes: usize) {
    let mut left = bytes;
    while left > 4 + BLOCK_MAX {
        put_block(out, PADDING, &vec![0; BLOCK_MAX - 4]);
        left -= BLOCK_MAX;
    }
    put_block(out, LAST | PADDING, &vec![0; left.saturating_sub(4)]);
}

fn put_block(out: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    out.push(kind);
    out.extend(length.get(1..).unwrap_or_default());
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::SampleFormat;

    #[test]
    fn the_header_of_a_file_has_one_length_and_says_what_is_known() {
        let audio = AudioFormat::new(44_100, 2, SampleFormat::S24);
        let header = Header::new(audio, Delivery::File, 4096);
        let long = Metadata { title: Some("ö".repeat(9_000)), ..Metadata::default() };
        for metadata in [Metadata::default(), long.clone()] {
            assert_eq!(header.bytes(&metadata, None, None, None).len(), 42 + COMMENT_BYTES);
        }
        let cover = Metadata { pictures: vec![vec![7; 50_000]], ..long };
        let roomy = header.with_room_for(&cover);
        let bytes = roomy.bytes(&cover, None, None, None);
        assert!(bytes.len() > 42 + 50_000 + 18_000 && bytes.windows(50_000).any(|part| part == [7; 50_000]));
        // Losses are known at the end.
        let mut later = cover.clone();
        later.note_lost_frames(5);
        assert_eq!(roomy.bytes(&later, Some(3), None, None).len(), bytes.len());
        let bytes = header.bytes(&Metadata::default(), Some(3), Some((1, 2)), Some([7; 16]));
        let packed = [0x0a, 0xc4, 0x43, 0x70, 0, 0, 0, 3];
        let expected = [b"fLaC\0\0\0\x22\x10\0\x10\0\0\0\x01\0\0\x02", &packed[..], &[7; 16]].concat();
        assert_eq!(&bytes[..42], expected);
        assert_eq!(
            (bytes[42], bytes[45]),
            (VORBIS_COMMENT, 8 + concat!("dictaphone ", env!("CARGO_PKG_VERSION")).len() as u8)
        );
    }

    #[test]
    fn what_does_not_fit_is_unknown() {
        let header = Header::new(AudioFormat::new(8_000, 1, SampleFormat::S16), Delivery::Stream, 512);
        let unknown = header.bytes(&Metadata::default(), None, None, None);
        assert_eq!(header.bytes(&Metadata::default(), Some(1 << 36), Some((1 << 24, 1 << 24)), None), unknown);
    }
}
