//! ID3v2 tags in a WAV file, for what `LIST INFO` cannot store: any name, several values, pictures, and text with a
//! stated coding, which readers of `INFO` guess.
//!
//! Written as version 2.4 in UTF-8, read as 2.3 and 2.4 (id3.org, *ID3 tag version 2.4.0*). Not by a library: the one
//! there is expands compressed frames of any size that a file claims; those are left out here. Pure; for any thread.

use super::info::{self, NAMES};
use crate::audio::{Metadata, Tag};

const HEAD_BYTES: usize = 10;

/// The language of a comment in [`write`]: undetermined.
const LANGUAGE: &[u8; 3] = b"und";

/// The tag for all metadata except markers and what only WAV files have; empty if there is nothing to store.
pub(super) fn write(metadata: &Metadata) -> Vec<u8> {
    let mut frames = Vec::new();
    let known = [(b"TIT2", &metadata.title), (b"TDRC", &metadata.date), (b"TSSE", &metadata.software)];
    for (id, text) in known {
        if let Some(text) = text {
            put_frame(&mut frames, id, &[b"\x03", text.as_bytes()].concat());
        }
    }
    if let Some(text) = &metadata.device {
        put_frame(&mut frames, b"TXXX", &[b"\x03DEVICE\0", text.as_bytes()].concat());
    }
    if let Some(text) = &metadata.comment {
        put_frame(&mut frames, b"COMM", &[b"\x03", &LANGUAGE[..], b"\0", text.as_bytes()].concat());
    }
    for (name, texts) in grouped(&metadata.tags) {
        let texts = texts.join("\0");
        match frame_of(&name) {
            Some(id) => put_frame(&mut frames, id, &[b"\x03", texts.as_bytes()].concat()),
            None => put_frame(&mut frames, b"TXXX", &[b"\x03", name.as_bytes(), b"\0", texts.as_bytes()].concat()),
        }
    }
    for picture in metadata.pictures.iter().filter_map(|block| Picture::parse(block)) {
        put_frame(&mut frames, b"APIC", &picture.frame());
    }
    let Some(size) = syncsafe(frames.len()).filter(|_| !frames.is_empty()) else { return Vec::new() };
    [b"ID3\x04\0\0", &size[..], &frames].concat()
}

/// Texts by name, in the order in which the names come.
fn grouped(tags: &[Tag]) -> Vec<(String, Vec<&str>)> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for tag in tags {
        match groups.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(&tag.name)) {
            Some((_, texts)) => texts.push(&tag.text),
            None => groups.push((tag.name.clone(), vec![&tag.text])),
        }
    }
    groups
}

fn frame_of(name: &str) -> Option<&'static [u8; 4]> {
    NAMES.iter().find(|row| row.name.eq_ignore_ascii_case(name))?.frame
}

fn put_frame(out: &mut Vec<u8>, id: &[u8; 4], payload: &[u8]) {
    if let Some(size) = syncsafe(payload.len()) {
        out.extend([&id[..], &size, &[0; 2], payload].concat());
    }
}

/// 28 bits, seven a byte.
fn syncsafe(size: usize) -> Option<[u8; 4]> {
    let size = u32::try_from(size).ok().filter(|&size| size < 1 << 28)?;
    Some([21, 14, 7, 0].map(|shift| (size >> shift) as u8 & 0x7f))
}

/// Adds what is in the tag and not in `metadata`.
pub(super) fn read(tag: &[u8], metadata: &mut Metadata) {
    let Some((&[b'I', b'D', b'3', version @ 3..=4, _, flags, a, b, c, d], rest)) =
        tag.split_first_chunk::<HEAD_BYTES>()
    else {
        return;
    };
    let size = number([a, b, c, d], 7);
    let body = rest.get(..size).unwrap_or(rest);
    // In version 2.4 every frame states for itself whether it is unsynchronised.
    let body = if version == 3 && flags & 0x80 != 0 { synchronised(body) } else { body.to_vec() };
    let mut rest = body.as_slice();
    if flags & 0x40 != 0 {
        let Some(&size) = rest.first_chunk::<4>() else { return };
        let skipped = if version == 3 { 4 + number(size, 8) } else { number(size, 7) };
        rest = rest.get(skipped..).unwrap_or_default();
    }
    while let Some((&[i, j, k, l, e, f, g, h, _, flags], behind)) = rest.split_first_chunk::<HEAD_BYTES>() {
        let id = [i, j, k, l];
        let size = number([e, f, g, h], if version == 3 { 8 } else { 7 });
        let Some((payload, behind)) = behind.split_at_checked(size) else { break };
        if !id.iter().all(u8::is_ascii_alphanumeric) {
            break;
        }
        if let Some(payload) = plain(payload, version, flags) {
            take_frame(&id, &payload, metadata);
        }
        rest = behind;
    }
}

fn number(bytes: [u8; 4], bits: u32) -> usize {
    bytes.iter().fold(0, |number, &byte| number << bits | usize::from(byte & (0xff >> (8 - bits))))
}

/// Removes the zero after every 0xff.
fn synchronised(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut last = 0;
    for &byte in bytes {
        if !(last == 0xff && byte == 0) {
            out.push(byte);
        }
        last = byte;
    }
    out
}

/// The payload without the fields that its flags add before it; `None` if it is compressed or encrypted.
fn plain(payload: &[u8], version: u8, flags: u8) -> Option<Vec<u8>> {
    let (hidden, group) = if version == 3 { (0xc0, 0x20) } else { (0x0c, 0x40) };
    if flags & hidden != 0 {
        return None;
    }
    let (has_length, is_unsynchronised) = (version == 4 && flags & 1 != 0, version == 4 && flags & 2 != 0);
    let skipped = usize::from(flags & group != 0) + if has_length { 4 } else { 0 };
    let payload = payload.get(skipped..)?;
    Some(if is_unsynchronised { synchronised(payload) } else { payload.to_vec() })
}

fn take_frame(id: &[u8; 4], payload: &[u8], metadata: &mut Metadata) {
    let Some((&coding, text)) = payload.split_first() else { return };
    match id {
        b"APIC" => metadata.pictures.extend(Picture::of_frame(coding, text).map(|picture| picture.block())),
        b"COMM" => {
            if let Some((_, text)) = text.get(3..).and_then(|text| split_zero(coding, text)) {
                info::take("COMMENT", &decoded(coding, text), metadata);
            }
        }
        b"TXXX" => {
            if let Some((name, text)) = split_zero(coding, text) {
                let name = decoded(coding, name);
                decoded(coding, text).split('\0').for_each(|text| info::take(&name, text, metadata));
            }
        }
        [b'T', ..] => {
            let known = match id {
                b"TIT2" => Some("TITLE"),
                b"TDRC" | b"TYER" => Some("DATE"),
                b"TSSE" => Some("ENCODER"),
                _ => NAMES.iter().find(|row| row.frame == Some(id)).map(|row| row.name),
            };
            let own = String::from_utf8_lossy(id);
            let name = known.unwrap_or(&own);
            decoded(coding, text).split('\0').for_each(|text| info::take(name, text, metadata));
        }
        _ => {}
    }
}

/// What stands before the first zero and after it.
fn split_zero(coding: u8, text: &[u8]) -> Option<(&[u8], &[u8])> {
    let width = if matches!(coding, 1 | 2) { 2 } else { 1 };
    let place = text.chunks_exact(width).position(|unit| unit.iter().all(|&byte| byte == 0))? * width;
    Some((text.get(..place)?, text.get(place + width..)?))
}

/// The text, whose end may be marked by zeros.
fn decoded(coding: u8, bytes: &[u8]) -> String {
    let wide = |bytes: &[u8], from: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks().0.iter().map(|&unit| from(unit)).collect();
        String::from_utf16_lossy(&units)
    };
    let text = match (coding, bytes) {
        (0, _) => bytes.iter().map(|&byte| char::from(byte)).collect(),
        (1, [0xff, 0xfe, text @ ..]) => wide(text, u16::from_le_bytes).replace('\u{feff}', ""),
        (1 | 2, [0xfe, 0xff, text @ ..]) => wide(text, u16::from_be_bytes).replace('\u{feff}', ""),
        (1 | 2, _) => wide(bytes, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    text.trim_end_matches('\0').to_owned()
}

/// A picture with the fields that both kinds of tags have.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Picture {
    /// What it shows; the numbers of FLAC are those of ID3.
    kind: u8,
    mime: String,
    description: String,
    data: Vec<u8>,
}

impl Picture {
    /// From a picture block of FLAC (RFC 9639, section 8.8).
    fn parse(block: &[u8]) -> Option<Self> {
        let mut rest = block;
        let kind = long(&mut rest)?;
        let mime = counted(&mut rest)?;
        let description = counted(&mut rest)?;
        // Width, height, depth, colours.
        rest = rest.get(16..)?;
        let data = counted(&mut rest)?.to_vec();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(Self { kind: u8::try_from(kind).unwrap_or(0), mime: text(mime), description: text(description), data })
    }

    fn block(&self) -> Vec<u8> {
        let counted = |bytes: &[u8]| [&(u32::try_from(bytes.len()).unwrap_or(0)).to_be_bytes()[..], bytes].concat();
        let texts = [counted(self.mime.as_bytes()), counted(self.description.as_bytes())].concat();
        [&u32::from(self.kind).to_be_bytes()[..], &texts, &[0; 16], &counted(&self.data)].concat()
    }

    fn frame(&self) -> Vec<u8> {
        let description = self.description.replace('\0', " ");
        let parts = [b"\x03", self.mime.as_bytes(), &[0, self.kind], description.as_bytes(), &[0], &self.data];
        parts.concat()
    }

    fn of_frame(coding: u8, payload: &[u8]) -> Option<Self> {
        let (mime, rest) = split_zero(0, payload)?;
        let (&kind, rest) = rest.split_first()?;
        let (description, data) = split_zero(coding, rest)?;
        let (mime, description) = (decoded(0, mime), decoded(coding, description));
        Some(Self { kind, mime, description, data: data.to_vec() })
    }
}

fn long(rest: &mut &[u8]) -> Option<u32> {
    let (number, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(u32::from_be_bytes(*number))
}

fn counted<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let count = usize::try_from(long(rest)?).ok()?;
    let (bytes, behind) = rest.split_at_checked(count)?;
    *rest = behind;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag(name: &str, text: &str) -> Tag {
        Tag { name: name.into(), text: text.into() }
    }

    fn cover() -> Vec<u8> {
        Picture { kind: 3, mime: "image/png".into(), description: "Hülle".into(), data: vec![0, 1, 0xff, 0, 2] }.block()
    }

    #[test]
    fn everything_reads_back() {
        let metadata = Metadata {
            title: Some("Übung".into()),
            date: Some("2026-11-20".into()),
            software: Some("d".into()),
            device: Some("Mic".into()),
            comment: Some("c".into()),
            tags: vec![tag("ARTIST", "Anna"), tag("ARTIST", "Bo"), tag("Own", "x=y"), tag("GENRE", "Speech")],
            pictures: vec![cover()],
            ..Metadata::default()
        };
        let written = write(&metadata);
        let mut found = Metadata::default();
        read(&written, &mut found);
        assert_eq!(found, metadata);
        // Existing values are not doubled.
        let pictures = std::mem::take(&mut found.pictures);
        read(&written, &mut found);
        assert_eq!((found.pictures == pictures, found.tags == metadata.tags), (true, true));
        assert!(write(&Metadata::default()).is_empty());
    }

    #[test]
    fn other_versions_and_codings_are_read() {
        let frame = |id: &[u8; 4], flags: u8, payload: &[u8]| {
            [&id[..], &(payload.len() as u32).to_be_bytes(), &[0, flags], payload].concat()
        };
        let frames = [
            frame(b"TPE1", 0, b"\0\xc4nne"),
            frame(b"TALB", 0, b"\x01\xff\xfeA\0\xdc\0\0\0"),
            frame(b"TCON", 0x80, b"\0packed"),
            frame(b"TYER", 0, b"\x002024"),
            frame(b"TXXX", 0, b"\x01\xff\xfen\0\0\0\xff\xfev\0"),
            frame(b"TBPM", 0x20, b"g\x00120"),
        ]
        .concat();
        let size = syncsafe(frames.len()).unwrap();
        let mut found = Metadata::default();
        read(&[b"ID3\x03\0\0", &size[..], &frames].concat(), &mut found);
        let expected = [tag("ARTIST", "Änne"), tag("ALBUM", "AÜ"), tag("n", "v"), tag("TBPM", "120")];
        assert_eq!((found.tags.as_slice(), found.date.as_deref()), (&expected[..], Some("2024")));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>, cut: prop::sample::Index, at: prop::sample::Index, byte: u8) {
            read(&bytes, &mut Metadata::default());
            let metadata = Metadata { tags: vec![tag("A", "b")], pictures: vec![cover()], ..Metadata::default() };
            let mut whole = write(&metadata);
            let at = at.index(whole.len());
            whole[at] = byte;
            read(&whole[..cut.index(whole.len() + 1)], &mut Metadata::default());
        }
    }
}
