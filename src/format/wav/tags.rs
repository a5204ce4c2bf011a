//! Tags and markers from `LIST`, `cue ` and `id3 ` chunks, and the payloads of `bext` and `iXML`.
//!
//! Text is UTF-8 if it can be, otherwise Latin-1, which older programs wrote. Pure; for any thread.

use std::collections::BTreeMap;

use super::{id3, info};
use crate::audio::{Marker, Metadata};

/// Bytes of one cue point.
const CUE_POINT: usize = 24;

/// The content of the payloads of `LIST` and `cue ` chunks; unknown and damaged parts are left out.
pub(super) fn metadata(chunks: &[([u8; 4], Vec<u8>)]) -> Metadata {
    let mut metadata = Metadata::default();
    let mut points: &[u8] = &[];
    let mut labels = BTreeMap::new();
    for (id, payload) in chunks {
        match (id, payload.split_at_checked(4)) {
            (b"LIST", Some((b"INFO", list))) => read_info(list, &mut metadata),
            (b"LIST", Some((b"adtl", list))) => read_labels(list, &mut labels),
            (b"cue ", Some((_, list))) if points.is_empty() => points = list,
            (b"bext", _) => drop(metadata.broadcast.get_or_insert_with(|| payload.clone())),
            (b"iXML", _) => drop(metadata.ixml.get_or_insert_with(|| payload.clone())),
            _ => {}
        }
    }
    // After the others, because it repeats them.
    chunks.iter().filter(|(id, _)| is_id3(id)).for_each(|(_, payload)| id3::read(payload, &mut metadata));
    // The count before the points is not needed: it follows from the size of the chunk.
    metadata.markers = points.chunks_exact(CUE_POINT).filter_map(|point| marker(point, &mut labels)).collect();
    metadata.markers.sort_by_key(|marker| marker.frame);
    metadata
}

/// Whether a chunk of that name holds an ID3 tag.
pub(super) fn is_id3(id: &[u8; 4]) -> bool {
    id.eq_ignore_ascii_case(b"id3 ")
}

fn read_info(list: &[u8], metadata: &mut Metadata) {
    for (id, payload) in chunks(list) {
        let name = match id {
            b"INAM" => Some("TITLE".to_owned()),
            b"ICRD" => Some("DATE".to_owned()),
            b"ISFT" => Some("ENCODER".to_owned()),
            b"IMED" => Some("DEVICE".to_owned()),
            b"ICMT" => Some("COMMENT".to_owned()),
            _ => info::name_of(id),
        };
        if let Some(name) = name {
            info::take(&name, &text(payload), metadata);
        }
    }
}

fn read_labels(list: &[u8], labels: &mut BTreeMap<u32, String>) {
    for (_, payload) in chunks(list).filter(|(id, _)| *id == b"labl") {
        if let Some((id, label)) = payload.split_first_chunk() {
            labels.entry(u32::from_le_bytes(*id)).or_insert_with(|| text(label));
        }
    }
}

/// The marker of a cue point, with its label if it is the first one of its identifier.
fn marker(point: &[u8], labels: &mut BTreeMap<u32, String>) -> Option<Marker> {
    let number = |at: usize| point.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    let id = number(0)?;
    // dwSampleOffset, which unlike dwPosition does not depend on a play list.
    let frame = u64::from(number(20)?);
    // Moved, not copied: a small file could require millions of copies of one long label.
    Some(Marker { frame, text: labels.remove(&id).unwrap_or_default() })
}

/// The chunks in a list, up to the first one that does not fit.
fn chunks(mut list: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (id, rest) = list.split_first_chunk::<4>()?;
        let (size, rest) = rest.split_first_chunk::<4>()?;
        let size = usize::try_from(u32::from_le_bytes(*size)).ok()?;
        let (payload, rest) = rest.split_at_checked(size)?;
        list = rest.get(size % 2..).unwrap_or_default();
        Some((id, payload))
    })
}

/// The text up to the first zero, without blanks around it.
fn text(bytes: &[u8]) -> String {
    let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    };
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audio::Tag;

    #[test]
    fn tags_of_any_age_are_read() {
        let info = b"INFOINAM\x03\0\0\0a\xe4\0\0IART\x01\0\0\0x\0INAM\x02\0\0\0b\0ICMT\x01\0\0\0\0\0ICRD\x04\0\0\x002026ISFT\xff\0\0\0";
        let found = metadata(&[(*b"LIST", info.to_vec())]);
        let tag = |name: &str, text: &str| Tag { name: name.into(), text: text.into() };
        let expected = Metadata {
            title: Some("aä".into()),
            date: Some("2026".into()),
            tags: vec![tag("ARTIST", "x"), tag("TITLE", "b")],
            ..Metadata::default()
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn markers_are_sorted_and_find_their_labels_before_and_behind() {
        let point =
            |id: u8, frame: u8| [&[id, 0, 0, 0, 99, 0, 0, 0][..], b"data\0\0\0\0\0\0\0\0", &[frame, 0, 0, 0]].concat();
        let cue = [&[9, 0, 0, 0][..], &point(1, 7), &point(5, 3), &point(5, 8), &[1; 10]].concat();
        let labels = b"adtlnote\x05\0\0\0\x01\0\0\0n\0labl\x06\0\0\0\x05\0\0\0L\0".to_vec();
        let marker = |frame, text: &str| Marker { frame, text: text.into() };
        for chunks in [[(*b"cue ", cue.clone()), (*b"LIST", labels.clone())], [(*b"LIST", labels), (*b"cue ", cue)]] {
            assert_eq!(metadata(&chunks).markers, [marker(3, "L"), marker(7, ""), marker(8, "")]);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(payload: Vec<u8>, kind in prop::sample::select(vec![*b"INFO", *b"adtl"])) {
            let list = [&kind[..], &payload].concat();
            let found = metadata(&[(*b"LIST", list), (*b"cue ", payload.clone())]);
            prop_assert!(found.markers.len() <= payload.len() / CUE_POINT);
        }
    }
}
