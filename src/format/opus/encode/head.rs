//! The two packets before the sound of an Ogg Opus file: identification and comments (RFC 7845, section 5). Pure.

use super::SAMPLE_RATE;
use crate::{
    audio::{AudioFormat, Metadata},
    format::{Delivery, comments::write::comments_and_pictures, ogg::write::HEADER_BYTES},
};

/// Bytes of the comment packet in a file, padding included: about fifty markers.
const COMMENT_BYTES: usize = 4 * 1024;

/// Bytes of comments in a stream, which are not padded.
const STREAM_LIMIT: usize = 60_000;

/// Room that is left for markers and losses in a file whose first tags fill the usual one.
const SPARE_BYTES: usize = 2 * 1024;

const IDENTIFICATION_BYTES: u64 = 19;

/// The length of the first page, which has one segment.
pub(super) const fn identification_page_bytes() -> u64 {
    HEADER_BYTES + 1 + IDENTIFICATION_BYTES
}

/// The identification header: version 1, no gain, channel mapping family 0.
pub(super) fn identification(audio: AudioFormat, pre_skip: u16) -> Vec<u8> {
    let mut out = b"OpusHead\x01".to_vec();
    out.push(u8::try_from(audio.channels).unwrap_or(2));
    out.extend(pre_skip.to_le_bytes());
    // For information only: what the sound was before it was encoded.
    out.extend(audio.sample_rate.to_le_bytes());
    out.extend([0, 0, 0]);
    out
}

/// Bytes of the comment packet of a recording with this `metadata` at the start.
pub(super) fn reserve(metadata: &Metadata, delivery: Delivery) -> usize {
    let needed = 8 + comments_and_pictures(metadata, SAMPLE_RATE, usize::MAX).len();
    match delivery {
        Delivery::File if needed + SPARE_BYTES / 4 <= COMMENT_BYTES => COMMENT_BYTES,
        Delivery::File => needed + SPARE_BYTES,
        Delivery::Stream => needed.max(STREAM_LIMIT),
    }
}

/// The comment header of at most `reserve` bytes. In a file it always has that length: what follows the comments, and
/// begins with an even byte, is padding (section 5.2).
pub(super) fn comments_packet(metadata: &Metadata, delivery: Delivery, reserve: usize) -> Vec<u8> {
    let mut out = b"OpusTags".to_vec();
    out.extend(comments_and_pictures(metadata, SAMPLE_RATE, reserve.saturating_sub(8)));
    if delivery == Delivery::File {
        out.resize(reserve, 0);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::SampleFormat;

    #[test]
    fn the_identification_is_that_of_the_rfc() {
        let head = identification(AudioFormat::new(48_000, 2, SampleFormat::S16), 312);
        assert_eq!(head, b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0");
        assert_eq!(head.len() as u64, IDENTIFICATION_BYTES);
    }

    #[test]
    fn the_comments_of_a_file_have_one_length() {
        for title in [String::new(), "ö".repeat(9_000)] {
            let metadata = Metadata { title: Some(title), ..Metadata::default() };
            assert_eq!(comments_packet(&metadata, Delivery::File, COMMENT_BYTES).len(), COMMENT_BYTES);
        }
        let cover = Metadata { pictures: vec![vec![7; 90_000]], ..Metadata::default() };
        assert!(
            reserve(&cover, Delivery::File) > 120_000 && reserve(&Metadata::default(), Delivery::File) == COMMENT_BYTES
        );
        let stream = comments_packet(&Metadata::default(), Delivery::Stream, STREAM_LIMIT);
        assert_eq!(stream.len(), 16 + 11 + env!("CARGO_PKG_VERSION").len());
    }
}
