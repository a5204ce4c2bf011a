//! What stands after the samples of a WAV file: tags as `LIST INFO` and `id3 `, markers as `cue ` with `LIST adtl`.
//!
//! Clauses are those of *Multimedia Programming Interface and Data Specifications 1.0*, chapter 2 (`INFO` chunks) and
//! 3 (`cue `, `adtl`). Text is UTF-8, as every program of today writes it, although the specification is older. Pure;
//! for any thread.
//!
//! | tag | chunk | |
//! |---|---|---|
//! | title | `INAM` | |
//! | date | `ICRD` | as given; the specification shows `1553-05-03` |
//! | software | `ISFT` | |
//! | device | `IMED` | "medium": the specification has no field for the device, and this is the nearest |
//! | comment | `ICMT` | |
//! | others | see `info` | the first one of a name |
//!
//! What does not fit there, and text that is not ASCII, whose coding `INFO` does not state, is stored once more in an
//! `id3` chunk.

use super::{id3, info::chunk_of};
use crate::{
    audio::{Marker, Metadata, Tag},
    error::{Error, ErrorKind, Result},
};

/// The longest text of one tag or marker, in bytes; a longer one is cut at the last character that fits.
pub(crate) const TEXT_LIMIT: usize = 65_535;

/// Everything that follows the (padded) samples; empty if there is nothing to store. Its length is always even.
///
/// # Errors
/// [`ErrorKind::InvalidData`] if the markers do not fit in a chunk of 4 GiB.
pub(crate) fn trailer(metadata: &Metadata) -> Result<Vec<u8>> {
    let mut out = info(metadata)?;
    out.extend(cue(&metadata.markers)?);
    out.extend(labels(&metadata.markers)?);
    if !fits_info(metadata) {
        put_chunk(&mut out, b"id3 ", &id3::write(metadata))?;
    }
    Ok(out)
}

/// Whether every reader finds all of the metadata in `LIST INFO`.
fn fits_info(metadata: &Metadata) -> bool {
    let Metadata { title, date, software, device, comment, tags, pictures, .. } = metadata;
    let fields = [title, date, software, device, comment].into_iter().flatten();
    let mut chunks: Vec<_> = tags.iter().map(|tag| chunk_of(&tag.name)).collect();
    let count = chunks.len();
    chunks.sort_unstable();
    chunks.dedup();
    let is_plain =
        fields.chain(tags.iter().map(|tag| &tag.text)).all(|text| text.is_ascii() && text.len() < TEXT_LIMIT);
    pictures.is_empty() && is_plain && chunks.len() == count && !chunks.contains(&None)
}

/// The tags as a `LIST` chunk of type `INFO`; empty without tags.
///
/// # Errors
/// Never within [`TEXT_LIMIT`].
pub(crate) fn info(metadata: &Metadata) -> Result<Vec<u8>> {
    let mut list = Vec::new();
    for (id, text) in [
        (b"INAM", &metadata.title),
        (b"ICRD", &metadata.date),
        (b"ISFT", &metadata.software),
        (b"IMED", &metadata.device),
        (b"ICMT", &metadata.comment),
    ] {
        if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
            put_chunk(&mut list, id, &terminated(text))?;
        }
    }
    let mut written = Vec::new();
    for Tag { name, text } in &metadata.tags {
        let Some(id) = chunk_of(name).filter(|id| !written.contains(id)) else { continue };
        put_chunk(&mut list, &id, &terminated(text))?;
        written.push(id);
    }
    wrapped(b"INFO", &list)
}

/// The places of the markers as a `cue ` chunk; empty without markers.
///
/// A cue point has 32 bits for its frame: a marker after frame 4,294,967,295 (a day at 48 kHz) is left out.
///
/// # Errors
/// [`ErrorKind::InvalidData`] if the markers do not fit in a chunk of 4 GiB.
pub(crate) fn cue(markers: &[Marker]) -> Result<Vec<u8>> {
    let points: Vec<(u32, u32)> = numbered(markers).map(|(id, frame, _)| (id, frame)).collect();
    let Some(&(count, _)) = points.last() else { return Ok(Vec::new()) };
    let mut payload = count.to_le_bytes().to_vec();
    for (id, frame) in points {
        payload.extend_from_slice(&id.to_le_bytes());
        // dwPosition is the place in the play order, which without a `plst` chunk is the frame.
        payload.extend_from_slice(&frame.to_le_bytes());
        payload.extend_from_slice(b"data");
        // dwChunkStart and dwBlockStart are for wave lists and compressed samples.
        payload.extend_from_slice(&[0; 8]);
        payload.extend_from_slice(&frame.to_le_bytes());
    }
    let mut out = Vec::new();
    put_chunk(&mut out, b"cue ", &payload)?;
    Ok(out)
}

/// The texts of the markers as a `LIST` chunk of type `adtl` with one `labl` for each, also for one without a text, as
/// editors expect; empty without markers.
///
/// # Errors
/// [`ErrorKind::InvalidData`] if the texts do not fit in a chunk of 4 GiB.
pub(crate) fn labels(markers: &[Marker]) -> Result<Vec<u8>> {
    let mut list = Vec::new();
    for (id, _, text) in numbered(markers) {
        let mut payload = id.to_le_bytes().to_vec();
        payload.extend(terminated(text));
        put_chunk(&mut list, b"labl", &payload)?;
    }
    wrapped(b"adtl", &list)
}

/// The markers that a cue point can hold: its identifier, counted from 1, its frame, its text.
fn numbered(markers: &[Marker]) -> impl Iterator<Item = (u32, u32, &str)> {
    let held = markers.iter().filter_map(|marker| Some((u32::try_from(marker.frame).ok()?, marker.text.as_str())));
    (1..=u32::MAX).zip(held).map(|(id, (frame, text))| (id, frame, text))
}

/// A `LIST` chunk of type `kind` around chunks, or nothing if there are none.
fn wrapped(kind: &[u8; 4], chunks: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    if !chunks.is_empty() {
        put_chunk(&mut out, b"LIST", &[kind, chunks].concat())?;
    }
    Ok(out)
}

/// Appends a chunk and the pad byte after an odd payload, which its size does not count.
fn put_chunk(out: &mut Vec<u8>, id: &[u8; 4], payload: &[u8]) -> Result<()> {
    let size = u32::try_from(payload.len())
        .map_err(|_| Error::new(ErrorKind::InvalidData, "the markers of this recording do not fit in a WAV file"))?;
    out.extend_from_slice(id);
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(payload);
    if size % 2 == 1 {
        out.push(0);
    }
    Ok(())
}

/// `text` as a ZSTR: it ends with a zero, so that it may contain none.
fn terminated(text: &str) -> Vec<u8> {
    let end = (0..=TEXT_LIMIT.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    let mut bytes: Vec<u8> = text.bytes().take(end).map(|byte| if byte == 0 { b' ' } else { byte }).collect();
    bytes.push(0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(frame: u64, text: &str) -> Marker {
        Marker { frame, text: text.into() }
    }

    #[test]
    fn nothing_to_say_writes_nothing() {
        let metadata = Metadata { title: Some(String::new()), ..Metadata::default() };
        assert_eq!(trailer(&metadata).unwrap(), b"");
    }

    #[test]
    fn tags_are_zero_terminated_padded_and_counted() {
        let metadata = Metadata {
            title: Some("Ab".into()),
            time_reference: None,
            date: Some("2026".into()),
            software: Some("d 1".into()),
            device: Some("Mic".into()),
            comment: Some("\0ö".into()),
            ..Metadata::default()
        };
        let expected = b"LIST\x42\0\0\0INFO\
            INAM\x03\0\0\0Ab\0\0ICRD\x05\0\0\x002026\0\0ISFT\x04\0\0\0d 1\0IMED\x04\0\0\0Mic\0ICMT\x04\0\0\0 \xc3\xb6\0";
        assert_eq!(info(&metadata).unwrap(), expected);
        // Text that is not ASCII has a copy with a stated coding.
        let whole = trailer(&metadata).unwrap();
        assert!(whole.starts_with(expected) && whole[expected.len()..].starts_with(b"id3 "));
        assert!(whole.windows(6).any(|part| part == b"und\0\0\xc3".as_slice()));
    }

    #[test]
    fn every_tag_has_a_chunk_or_stands_in_the_id3_tag() {
        let tag = |name: &str, text: &str| Tag { name: name.into(), text: text.into() };
        let with = |tags: &[Tag]| trailer(&Metadata { tags: tags.to_vec(), ..Metadata::default() }).unwrap();
        assert_eq!(with(&[tag("artist", "Anna")]), b"LIST\x12\0\0\0INFOIART\x05\0\0\0Anna\0\0");
        for (tags, has_id3) in [
            (vec![tag("ARTIST", "a"), tag("IXYZ", "b")], false),
            (vec![tag("ARTIST", "a"), tag("ARTIST", "b")], true),
            (vec![tag("OWN", "a")], true),
            (vec![tag("GENRE", "\u{e4}")], true),
        ] {
            assert_eq!(with(&tags).windows(4).any(|id| id == b"id3 "), has_id3, "{tags:?}");
        }
    }

    #[test]
    fn markers_are_cue_points_with_labels() {
        let markers = [marker(258, "A"), marker(u64::from(u32::MAX) + 1, "too far"), marker(3, "")];
        let metadata = Metadata { markers: markers.into(), ..Metadata::default() };
        let expected = b"cue \x34\0\0\0\x02\0\0\0\
            \x01\0\0\0\x02\x01\0\0data\0\0\0\0\0\0\0\0\x02\x01\0\0\
            \x02\0\0\0\x03\0\0\0data\0\0\0\0\0\0\0\0\x03\0\0\0\
            LIST\x20\0\0\0adtllabl\x06\0\0\0\x01\0\0\0A\0labl\x05\0\0\0\x02\0\0\0\0\0";
        assert_eq!(trailer(&metadata).unwrap(), expected);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        for (text, kept) in [("ö".repeat(40_000), 65_534), ("o".repeat(70_000), 65_535), ("o".repeat(65_535), 65_535)]
        {
            let bytes = terminated(&text);
            assert_eq!((bytes.len(), bytes.last()), (kept + 1, Some(&0)));
            assert!(std::str::from_utf8(&bytes).is_ok());
        }
    }
}
