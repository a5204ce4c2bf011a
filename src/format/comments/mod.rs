//! Vorbis comments, the tags of FLAC and Ogg: made and read.

pub(crate) mod markers;
pub mod read;
pub mod write;
