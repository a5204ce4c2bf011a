//! Tags and markers as Vorbis comments, which FLAC and Ogg Opus share.
//!
//! The layout is that of the Vorbis I specification, section 5.2, without its framing bit. Pure; for any thread.
//!
//! | tag | field | |
//! |---|---|---|
//! | title, date, comment | `TITLE`, `DATE`, `COMMENT` | of the specification, section 5.2.3, and its usual extension |
//! | software | `ENCODER` | as `opusenc` and FFmpeg write it |
//! | device | `DEVICE` | the specification has no field for the device, and allows any name |
//! | others | by their own names | |
//! | markers | `CHAPTER001`, `CHAPTER001NAME` … | Xiph's *Chapter Extension* of Ogg Vorbis: `HH:MM:SS.mmm`, to the millisecond |
//! | pictures | `METADATA_BLOCK_PICTURE` | where the container has no place of its own for them |

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::PICTURE;
use crate::audio::{
    Marker, Metadata, Tag,
    time::{duration_of, frames_in},
};

/// Markers beyond this have no number of three digits.
const CHAPTERS_MAX: usize = 999;

/// The comments as a block of at most `limit` bytes, times counted at `sample_rate` Hz. What does not fit is left out:
/// first the pictures, then the markers, beginning with the latest, then the end of a text that is too long.
#[must_use]
pub(crate) fn comments(metadata: &Metadata, sample_rate: u32, limit: usize) -> Vec<u8> {
    block(metadata, &[], &[], sample_rate, limit)
}

/// The same with further fields in front of the others.
pub(crate) fn comments_with(
    metadata: &Metadata,
    further: &[(&str, String)],
    sample_rate: u32,
    limit: usize,
) -> Vec<u8> {
    block(metadata, further, &[], sample_rate, limit)
}

/// As [`comments`], with the pictures among them.
#[must_use]
pub(crate) fn comments_and_pictures(metadata: &Metadata, sample_rate: u32, limit: usize) -> Vec<u8> {
    block(metadata, &[], &metadata.pictures, sample_rate, limit)
}

/// Whether a field can have that name: printable ASCII without `=` (section 5.2.2).
#[must_use]
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| (b' '..=b'}').contains(&byte) && byte != b'=')
}

fn block(
    metadata: &Metadata,
    further: &[(&str, String)],
    pictures: &[Vec<u8>],
    sample_rate: u32,
    limit: usize,
) -> Vec<u8> {
    let vendor = concat!("dictaphone ", env!("CARGO_PKG_VERSION"));
    let mut block = Block { fields: 0, bytes: Vec::new(), limit: limit.saturating_sub(8 + vendor.len()) };
    further.iter().for_each(|(name, text)| block.put_text(name, text));
    for (name, text) in [
        ("TITLE", &metadata.title),
        ("DATE", &metadata.date),
        ("ENCODER", &metadata.software),
        ("DEVICE", &metadata.device),
        ("COMMENT", &metadata.comment),
    ] {
        if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
            block.put_text(name, text);
        }
    }
    for Tag { name, text } in metadata.tags.iter().filter(|tag| is_name(&tag.name)) {
        block.put_text(name, text);
    }
    let mut markers: Vec<&Marker> = metadata.markers.iter().collect();
    markers.sort_by_key(|marker| marker.frame);
    for (number, marker) in (1..=CHAPTERS_MAX).zip(markers) {
        block.put_chapter(number, marker, sample_rate);
    }
    for picture in pictures {
        let field = format!("{PICTURE}={}", BASE64.encode(picture));
        if 4 + field.len() <= block.room() {
            block.put(&field);
        }
    }
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    [&length(vendor.len())[..], vendor.as_bytes(), &block.fields.to_le_bytes(), &block.bytes].concat()
}

/// Fields, as many as fit.
struct Block {
    fields: u32,
    bytes: Vec<u8>,
    limit: usize,
}

impl Block {
    fn room(&self) -> usize {
        self.limit.saturating_sub(self.bytes.len())
    }

    fn put(&mut self, field: &str) {
        let Ok(length) = u32::try_from(field.len()) else { return };
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(field.as_bytes());
        self.fields += 1;
    }

    /// A text that does not fit is cut between two characters.
    fn put_text(&mut self, name: &str, text: &str) {
        let room = self.room().saturating_sub(4 + name.len() + 1);
        let end = (0..=room.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        if let Some(text) = text.get(..end).filter(|text| !text.is_empty()) {
            self.put(&format!("{name}={text}"));
        }
    }

    /// Time and name, both or neither.
    fn put_chapter(&mut self, number: usize, marker: &Marker, sample_rate: u32) {
        // To the nearest millisecond.
        let millis = frames_in(duration_of(marker.frame, sample_rate), 1_000);
        let (seconds, millis) = (millis / 1_000, millis % 1_000);
        let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let time = format!("CHAPTER{number:03}={hours:02}:{minutes:02}:{seconds:02}.{millis:03}");
        let name = format!("CHAPTER{number:03}NAME={}", marker.text);
        if 8 + time.len() + name.len() <= self.room() {
            self.put(&time);
            self.put(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The fields as text, as a strict reader parses them.
    fn fields(mut block: &[u8]) -> Vec<String> {
        let mut take = || {
            let (length, rest) = block.split_first_chunk::<4>().unwrap();
            block = rest;
            u32::from_le_bytes(*length)
        };
        let vendor = take() as usize;
        block = &block[vendor..];
        let (count, mut rest) = block.split_first_chunk::<4>().unwrap();
        let fields = (0..u32::from_le_bytes(*count)).map(|_| {
            let (length, behind) = rest.split_first_chunk::<4>().unwrap();
            let (field, behind) = behind.split_at(u32::from_le_bytes(*length) as usize);
            rest = behind;
            String::from_utf8(field.to_vec()).unwrap()
        });
        let fields = fields.collect();
        assert!(rest.is_empty());
        fields
    }

    fn metadata() -> Metadata {
        let marker = |frame, text: &str| Marker { frame, text: text.into() };
        Metadata {
            title: Some("Ä".into()),
            time_reference: None,
            date: Some("2026-11-20".into()),
            software: Some("d 1".into()),
            device: Some("Mic".into()),
            comment: Some("c".into()),
            markers: vec![marker(48_000 * 3_723 + 24_023, "b=1"), marker(48_047, "")],
            tags: vec![Tag { name: "Artist".into(), text: "A=B".into() }, Tag { name: "b=d".into(), text: "x".into() }],
            pictures: vec![vec![1, 2, 3]],
            ..Metadata::default()
        }
    }

    #[test]
    fn every_tag_has_its_field_and_markers_are_chapters_by_time() {
        let expected = [
            "TITLE=Ä",
            "DATE=2026-11-20",
            "ENCODER=d 1",
            "DEVICE=Mic",
            "COMMENT=c",
            "Artist=A=B",
            "CHAPTER001=00:00:01.001",
            "CHAPTER001NAME=",
            "CHAPTER002=01:02:03.500",
            "CHAPTER002NAME=b=1",
        ];
        assert_eq!(fields(&comments(&metadata(), 48_000, 4_096)), expected);
        let with_picture = fields(&comments_and_pictures(&metadata(), 48_000, 4_096));
        assert_eq!(with_picture, [&expected[..], &["METADATA_BLOCK_PICTURE=AQID"]].concat());
        assert!(fields(&comments(&Metadata { title: Some(String::new()), ..Metadata::default() }, 1, 99)).is_empty());
    }

    proptest! {
        #[test]
        fn what_does_not_fit_is_left_out_from_the_end(limit in 0_usize..900, title in "[a-zö]{0,200}") {
            let mut metadata = metadata();
            metadata.title = Some(title.clone());
            let block = comments(&metadata, 48_000, limit);
            let all = fields(&comments(&metadata, 48_000, usize::MAX));
            let kept = fields(&block);
            prop_assert!(block.len() <= limit.max(8 + concat!("dictaphone ", env!("CARGO_PKG_VERSION")).len()));
            prop_assert!(kept.iter().all(|field| all.iter().any(|whole| whole.starts_with(field.as_str()))));
            let chapters = |fields: &[String]| fields.iter().filter(|field| field.starts_with("CHAPTER")).count();
            prop_assert_eq!(chapters(&kept) % 2, 0);
            if limit > 700 {
                prop_assert_eq!(kept, all);
            }
        }
    }
}
