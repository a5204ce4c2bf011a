//! Tags and markers from Vorbis comments (Vorbis I specification, section 5.2), as FLAC and Ogg Opus files have them.
//!
//! Markers are Xiph's *Chapter Extension*: `CHAPTER001=00:01:30.000`, `CHAPTER001NAME=…`; a picture is a field in base64,
//! `METADATA_BLOCK_PICTURE`. Every other field is kept as it is, and so are the second and later ones of one name; what is
//! damaged is left out. Pure; for any thread.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::PICTURE;
use crate::audio::{Marker, Metadata, Tag, time::frames_in};

/// The tags in the block, which may be cut off; times are counted at `sample_rate` Hz.
pub(crate) fn metadata(block: &[u8], sample_rate: u32) -> Metadata {
    let mut metadata = Metadata::default();
    let mut chapters: BTreeMap<u32, Chapter> = BTreeMap::new();
    for field in fields(block) {
        let Some((written, text)) = field.split_once('=') else { continue };
        let name = written.to_ascii_uppercase();
        if let Some((number, part)) = chapter(&name) {
            chapters.entry(number).or_default().take(part, text);
            continue;
        }
        if let Some(picture) = Some(text).filter(|_| name == PICTURE).and_then(|text| BASE64.decode(text.trim()).ok()) {
            metadata.pictures.push(picture);
            continue;
        }
        let known = match name.as_str() {
            "TITLE" => Some(&mut metadata.title),
            "DATE" => Some(&mut metadata.date),
            "ENCODER" => Some(&mut metadata.software),
            "DEVICE" => Some(&mut metadata.device),
            "COMMENT" => Some(&mut metadata.comment),
            _ => None,
        };
        let text = text.trim();
        match known {
            _ if text.is_empty() => {}
            Some(tag) if tag.is_none() => *tag = Some(text.to_owned()),
            _ => metadata.tags.push(Tag { name: written.to_owned(), text: text.to_owned() }),
        }
    }
    metadata.markers = chapters.into_values().filter_map(|chapter| chapter.marker(sample_rate)).collect();
    metadata.markers.sort_by_key(|marker| marker.frame);
    metadata
}

/// The first field of that name, which is in capitals.
pub(crate) fn field(block: &[u8], name: &str) -> Option<String> {
    let named = |field: String| {
        field.split_once('=').filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, text)| text.to_owned())
    };
    fields(block).find_map(named)
}

/// The fields after the name of the vendor, up to the first one that does not fit. Their count is not needed.
fn fields(block: &[u8]) -> impl Iterator<Item = String> {
    let (_vendor, rest) = counted(block).unwrap_or_default();
    let mut left = rest.split_first_chunk::<4>().map_or(0, |(count, _)| u32::from_le_bytes(*count));
    let mut rest = rest.get(4..).unwrap_or_default();
    std::iter::from_fn(move || {
        left = left.checked_sub(1)?;
        let (field, behind) = counted(rest)?;
        rest = behind;
        Some(String::from_utf8_lossy(field).into_owned())
    })
}

/// The bytes whose count stands before them, and the rest.
pub(super) fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*count)).ok()?)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChapterPart {
    Time,
    Name,
}

/// The number of a chapter, and which part of it the field of that name holds.
fn chapter(name: &str) -> Option<(u32, ChapterPart)> {
    let rest = name.strip_prefix("CHAPTER")?;
    let (number, part) =
        rest.strip_suffix("NAME").map_or((rest, ChapterPart::Time), |number| (number, ChapterPart::Name));
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    Some((number.parse().ok().filter(|_| is_number)?, part))
}

#[derive(Default)]
struct Chapter {
    time: Option<Duration>,
    name: Option<String>,
}

impl Chapter {
    fn take(&mut self, part: ChapterPart, text: &str) {
        match part {
            ChapterPart::Time => self.time = self.time.or_else(|| time(text.trim())),
            ChapterPart::Name => {
                self.name.get_or_insert_with(|| text.to_owned());
            }
        }
    }

    fn marker(self, sample_rate: u32) -> Option<Marker> {
        Some(Marker { frame: frames_in(self.time?, sample_rate), text: self.name.unwrap_or_default() })
    }
}

/// `HH:MM:SS` with any fraction of a second.
fn time(text: &str) -> Option<Duration> {
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds =
        seconds.parse::<f64>().ok().filter(|seconds| (0.0..60.0).contains(seconds) && parts.next().is_none())?;
    let whole = u64::from(hours) * 3_600 + u64::from(minutes) * 60;
    Duration::from_secs(whole).checked_add(Duration::try_from_secs_f64(seconds).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(fields: &[&str]) -> Vec<u8> {
        let counted = |text: &str| [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
        let mut out = counted("vendor");
        out.extend((fields.len() as u32).to_le_bytes());
        fields.iter().for_each(|field| out.extend(counted(field)));
        out
    }

    #[test]
    fn tags_are_read_in_any_case_and_the_first_counts() {
        let found = metadata(
            &block(&[
                "title=a=b",
                "TITLE=c",
                "Date=2026",
                "encoder=e",
                "DEVICE= d ",
                "comment=x",
                "Genre=g",
                "no",
                "A=",
            ]),
            8_000,
        );
        let tag = |name: &str, text: &str| Tag { name: name.into(), text: text.into() };
        let some = |text: &str| Some(text.to_owned());
        let expected = Metadata {
            time_reference: None,
            title: some("a=b"),
            date: some("2026"),
            software: some("e"),
            device: some("d"),
            comment: some("x"),
            tags: vec![tag("TITLE", "c"), tag("Genre", "g")],
            ..Metadata::default()
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn chapters_are_markers_by_time() {
        let fields = [
            "CHAPTER002=01:00:00.5",
            "CHAPTER002NAME=two",
            "CHAPTER001=00:00:01.001",
            "CHAPTER3NAME=without a time",
            "CHAPTER4=00:61:00",
            "CHAPTER5=0:0:60",
            "CHAPTER6=-1:0:0",
            "CHAPTER=00:00:00",
            "CHAPTER+7=00:00:00",
        ];
        let marker = |frame, text: &str| Marker { frame, text: text.into() };
        let expected = [marker(8_008, ""), marker(3_600 * 8_000 + 4_000, "two"), marker(3_660 * 8_000, "")];
        assert_eq!(metadata(&block(&fields), 8_000).markers, expected);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>, cut: prop::sample::Index, rate: u32) {
            metadata(&bytes, rate);
            let whole = block(&["TITLE=t", "CHAPTER1=99999999:0:0", "CHAPTER1NAME=n"]);
            let found = metadata(&whole[..cut.index(whole.len() + 1)], rate);
            prop_assert!(found.markers.len() <= 1);
        }
    }
}
