//! Vorbis comments, the tags of FLAC and Ogg: made and read.

pub mod read;
pub mod write;
