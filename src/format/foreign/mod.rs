//! What other programs wrote, read by a library (symphonia): MP3, AAC, ALAC, Vorbis, AIFF, CAF, FLAC in Ogg, and WAV
//! files of compressed sound. Our own readers cover what it does not support: RF64, files that grow, damage that is
//! counted, Opus, FLAC of 32 bits; each states that in its header.
//!
//! `kinds` identifies a file by its first bytes, `source` passes it to the library, `decode` reads it, `holes` finds
//! what is missing in Ogg, `mp4` finds what encoders put before the recording, `guard` turns panics into errors. Run by
//! any thread but a realtime one. Without the feature `foreign` such files are recognised and refused.

#[cfg(feature = "foreign")]
mod decode;
#[cfg_attr(not(feature = "foreign"), allow(dead_code))]
mod guard;
#[cfg(feature = "foreign")]
mod holes;
mod kinds;
#[cfg(feature = "foreign")]
mod mp4;
#[cfg(feature = "foreign")]
mod probe;
#[cfg(feature = "foreign")]
mod read_back;
#[cfg(feature = "foreign")]
mod source;
#[cfg(feature = "foreign")]
mod tags;

use super::{Decoder, row::Bytes};
use crate::error::{Error, Result};

pub use guard::is_guarded;
pub(super) use kinds::{Kind, silent_kind};

/// Reads back what we wrote in formats that the library supports; there is no second reader without it.
#[cfg(feature = "foreign")]
pub(super) const READ_BACK: Option<super::row::Reading> = Some(read_back::read);
#[cfg(not(feature = "foreign"))]
pub(super) const READ_BACK: Option<super::row::Reading> = None;

/// What a file that begins with `start` is, if its kind is listed here.
pub(super) fn kind(start: &[u8]) -> Option<&'static Kind> {
    kinds::KINDS.iter().find(|kind| (kind.begins)(start))
}

/// A decoder of a file of that kind.
///
/// # Errors
/// [`ErrorKind::Undecodable`] if its sound is of a codec that is not read; [`ErrorKind::InvalidData`] if it is damaged.
pub(super) fn open(input: Bytes, kind: &Kind, name: &str) -> Result<Box<dyn Decoder>> {
    if !kind.is_read {
        return Err(undecodable(name, kind.codec));
    }
    read(input, kind, name)
}

#[cfg(feature = "foreign")]
fn read(input: Bytes, kind: &Kind, name: &str) -> Result<Box<dyn Decoder>> {
    let decoder = guard::guarded(name, || decode::ForeignDecoder::new(input, kind, name))?;
    Ok(Box::new(guard::Guarded { decoder, name: name.to_owned() }))
}

#[cfg(not(feature = "foreign"))]
fn read(_: Bytes, kind: &Kind, name: &str) -> Result<Box<dyn Decoder>> {
    Err(undecodable(name, kind.codec))
}

/// The error for sound of that codec.
pub(super) fn undecodable(name: &str, codec: &str) -> Error {
    Error::undecodable(name, format!("{name} holds {codec} sound, which is not read"))
}

/// The name in listings of a file with that extension, given in any case: of those that usually hold sound.
pub(super) fn by_extension(extension: &str) -> Option<&'static str> {
    let known = |(names, _): &&(&[&str], &str)| names.iter().any(|name| name.eq_ignore_ascii_case(extension));
    kinds::EXTENSIONS.iter().find(known).map(|(_, name)| *name)
}

/// The MIME type of what has that name in listings.
pub(super) fn mime_type(name: &str) -> Option<&'static str> {
    kinds::MIME_TYPES.iter().find(|(known, _)| *known == name).map(|(_, mime)| *mime)
}
