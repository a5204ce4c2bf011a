//! Vorbis comments, the tags of FLAC and Ogg: written and read.

pub(crate) mod markers;
pub(crate) mod read;
pub(crate) mod write;

/// The field of a picture: the picture block of FLAC in base64 (Xiph, *VorbisComment*, "Cover art").
const PICTURE: &str = "METADATA_BLOCK_PICTURE";
