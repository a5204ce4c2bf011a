//! The names of tags in WAV files: `LIST INFO` chunks and ID3 frames by the names of Vorbis comments, which the program
//! uses. Pure; for any thread.
//!
//! The chunks are those of *Multimedia Programming Interface and Data Specifications 1.0*, chapter 2, and what programs
//! have added since (FFmpeg, `riffinfo`).

use crate::audio::{Metadata, Tag};

/// A tag that has a place of its own.
pub(super) struct Name {
    /// The name in Vorbis comments.
    pub(super) name: &'static str,
    /// The chunk in `LIST INFO`; of two rows with one name the first is written.
    pub(super) chunk: &'static [u8; 4],
    /// The frame of ID3v2.4, if it is not a text with a name.
    pub(super) frame: Option<&'static [u8; 4]>,
}

const fn row(name: &'static str, chunk: &'static [u8; 4], frame: Option<&'static [u8; 4]>) -> Name {
    Name { name, chunk, frame }
}

/// Without those for which [`Metadata`] has a field.
pub(super) const NAMES: &[Name] = &[
    row("ARTIST", b"IART", Some(b"TPE1")),
    row("ALBUM", b"IPRD", Some(b"TALB")),
    row("GENRE", b"IGNR", Some(b"TCON")),
    row("COPYRIGHT", b"ICOP", Some(b"TCOP")),
    row("TRACKNUMBER", b"ITRK", Some(b"TRCK")),
    row("TRACKNUMBER", b"IPRT", Some(b"TRCK")),
    row("DESCRIPTION", b"ISBJ", None),
    row("KEYWORDS", b"IKEY", None),
    row("LANGUAGE", b"ILNG", Some(b"TLAN")),
    row("COMPOSER", b"IMUS", Some(b"TCOM")),
    row("LYRICIST", b"IWRI", Some(b"TEXT")),
    row("PUBLISHER", b"IPUB", Some(b"TPUB")),
    row("ENCODED-BY", b"ITCH", Some(b"TENC")),
    row("ENGINEER", b"IENG", None),
    row("SOURCE", b"ISRC", None),
    row("SOURCEFORM", b"ISRF", None),
    row("LOCATION", b"IARL", None),
    row("RATING", b"IRTD", None),
];

/// The chunk of a tag: that of its name, or the name itself if it has the form of one.
pub(super) fn chunk_of(name: &str) -> Option<[u8; 4]> {
    let known = NAMES.iter().find(|row| row.name.eq_ignore_ascii_case(name)).map(|row| *row.chunk);
    known.or_else(|| <[u8; 4]>::try_from(name.as_bytes()).ok().filter(is_info_id))
}

/// The name of a chunk's tag.
pub(super) fn name_of(chunk: &[u8; 4]) -> Option<String> {
    match NAMES.iter().find(|row| row.chunk == chunk) {
        Some(row) => Some(row.name.to_owned()),
        None => Some(chunk).filter(|chunk| is_info_id(chunk)).map(|chunk| String::from_utf8_lossy(chunk).into_owned()),
    }
}

fn is_info_id(chunk: &[u8; 4]) -> bool {
    chunk.starts_with(b"I") && chunk.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Adds a tag unless it is there: to its field if it has one that is empty, otherwise to the others.
pub(super) fn take(name: &str, text: &str, metadata: &mut Metadata) {
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let field = match name.to_ascii_uppercase().as_str() {
        "TITLE" => Some(&mut metadata.title),
        "DATE" => Some(&mut metadata.date),
        "ENCODER" => Some(&mut metadata.software),
        "DEVICE" => Some(&mut metadata.device),
        "COMMENT" => Some(&mut metadata.comment),
        _ => None,
    };
    match field {
        Some(field @ None) => *field = Some(text.to_owned()),
        Some(Some(there)) if there == text => {}
        _ => {
            let tag = Tag { name: name.to_owned(), text: text.to_owned() };
            let is_there = |other: &Tag| other.name.eq_ignore_ascii_case(&tag.name) && other.text == tag.text;
            if !metadata.tags.iter().any(is_there) {
                metadata.tags.push(tag);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_chunks_lead_to_each_other() {
        for (name, chunk) in [("artist", *b"IART"), ("TRACKNUMBER", *b"ITRK"), ("IXYZ", *b"IXYZ")] {
            assert_eq!(chunk_of(name), Some(chunk));
            assert!(name_of(&chunk).unwrap().eq_ignore_ascii_case(name));
        }
        assert_eq!((chunk_of("Own"), chunk_of("own!"), name_of(b"data")), (None, None, None));
        assert_eq!(name_of(b"IPRT").as_deref(), Some("TRACKNUMBER"));
    }

    #[test]
    fn a_tag_is_taken_once() {
        let mut metadata = Metadata::default();
        for (name, text) in
            [("title", "a"), ("TITLE", "a"), ("TITLE", "b"), ("X", " y "), ("x", "y"), ("X", "z"), ("X", "")]
        {
            take(name, text, &mut metadata);
        }
        let tags: Vec<_> = metadata.tags.iter().map(|tag| (tag.name.as_str(), tag.text.as_str())).collect();
        assert_eq!(
            (metadata.title.as_deref(), tags.as_slice()),
            (Some("a"), &[("TITLE", "b"), ("X", "y"), ("X", "z")][..])
        );
    }
}
