//! The two packets in front of the sound of an Ogg Opus file: identification and comments (RFC 7845, section 5). Pure.

use super::SAMPLE_RATE;
use crate::{
    audio::{AudioFormat, Metadata},
    format::{Delivery, comments::write::comments, ogg::write::HEADER_BYTES},
};

/// Bytes of the comment packet in a file, padding included: about fifty markers.
const RESERVE: usize = 4 * 1024;

/// Bytes of comments in a stream, which are not padded. They fit into one page.
const STREAM_LIMIT: usize = 60_000;

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

/// The comment header. In a file it has always the same length: what is behind the comments, and begins with an even
/// byte, is padding (section 5.2).
pub(super) fn comments_packet(metadata: &Metadata, delivery: Delivery) -> Vec<u8> {
    let limit = match delivery {
        Delivery::File => RESERVE - 8,
        Delivery::Stream => STREAM_LIMIT,
    };
    let mut out = b"OpusTags".to_vec();
    out.extend(comments(metadata, SAMPLE_RATE, limit));
    if delivery == Delivery::File {
        out.resize(RESERVE, 0);
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
            assert_eq!(comments_packet(&metadata, Delivery::File).len(), RESERVE);
        }
        let stream = comments_packet(&Metadata::default(), Delivery::Stream);
        assert_eq!(stream.len(), 16 + 11 + env!("CARGO_PKG_VERSION").len());
    }
}
