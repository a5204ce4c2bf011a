//! What the library found besides the sound: tags by the names of Vorbis comments, and pictures. Run by the thread that
//! opens the file.

use std::sync::Arc;

use symphonia::core::{
    formats::FormatReader,
    meta::{MetadataContainer, StandardTag, StandardVisualKey, Tag as Found, Visual},
};

use crate::audio::{Metadata, Tag};

/// Tags and pictures of the file.
pub(super) fn read(reader: &mut dyn FormatReader) -> Metadata {
    let mut tags = Metadata::default();
    let mut metadata = reader.metadata();
    let Some(found) = metadata.skip_to_latest() else { return tags };
    take(&found.media, &mut tags);
    found.per_track.iter().for_each(|track| take(&track.metadata, &mut tags));
    tags
}

fn take(found: &MetadataContainer, tags: &mut Metadata) {
    for tag in &found.tags {
        let field = match &tag.std {
            Some(StandardTag::TrackTitle(text)) => (&mut tags.title, text),
            Some(StandardTag::RecordingDate(text) | StandardTag::ReleaseDate(text)) => (&mut tags.date, text),
            Some(StandardTag::Encoder(text)) => (&mut tags.software, text),
            Some(StandardTag::Comment(text)) => (&mut tags.comment, text),
            _ => {
                tags.tags.extend(other(tag));
                continue;
            }
        };
        field.0.get_or_insert_with(|| field.1.as_str().to_owned());
    }
    tags.pictures.extend(found.visuals.iter().map(picture));
}

/// A tag for which there is no field, by its usual name, else by its name in the file.
fn other(tag: &Found) -> Option<Tag> {
    let text = |text: &Arc<String>| text.as_str().to_owned();
    let (name, text) = match &tag.std {
        Some(StandardTag::Artist(artist)) => ("ARTIST", text(artist)),
        Some(StandardTag::Album(album)) => ("ALBUM", text(album)),
        Some(StandardTag::Genre(genre)) => ("GENRE", text(genre)),
        Some(StandardTag::Copyright(copyright)) => ("COPYRIGHT", text(copyright)),
        Some(StandardTag::Composer(composer)) => ("COMPOSER", text(composer)),
        Some(StandardTag::Lyricist(lyricist)) => ("LYRICIST", text(lyricist)),
        Some(StandardTag::Description(description)) => ("DESCRIPTION", text(description)),
        Some(StandardTag::Language(language)) => ("LANGUAGE", text(language)),
        Some(StandardTag::TrackNumber(number)) => ("TRACKNUMBER", number.to_string()),
        _ => (tag.raw.key.as_str(), tag.raw.value.to_string()),
    };
    let tag = Tag { name: name.to_owned(), text: text.trim().to_owned() };
    (!tag.name.is_empty() && !tag.text.is_empty()).then_some(tag)
}

/// As the picture block of FLAC (RFC 9639, section 8.8), whose kinds are those of ID3.
fn picture(found: &Visual) -> Vec<u8> {
    let kind: u32 = match found.usage {
        Some(StandardVisualKey::FileIcon) => 1,
        Some(StandardVisualKey::OtherIcon) => 2,
        Some(StandardVisualKey::FrontCover) => 3,
        Some(StandardVisualKey::BackCover) => 4,
        _ => 0,
    };
    let counted = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap_or(0).to_be_bytes()[..], bytes].concat();
    let mime = found.media_type.as_deref().unwrap_or("image/");
    [&kind.to_be_bytes()[..], &counted(mime.as_bytes()), &counted(b""), &[0; 16], &counted(&found.data)].concat()
}
