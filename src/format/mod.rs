//! The formats of recordings: frames to bytes, bytes to frames, and what the bytes of a file that was cut off should be.
//!
//! A format is a folder (header, encoder, decoder and repair side by side) whose `FORMAT` is its row in the [`table`];
//! nothing outside the folder and the row knows it by name. Beside them stands what formats share: the tags of Vorbis
//! comments, the pages of Ogg, MIME types as text, a part of a file in memory.

pub mod comments;
mod damage;
mod decoder;
mod encoder;
pub mod flac;
mod foreign;
pub mod mime;
pub mod ogg;
pub mod opus;
#[cfg(test)]
mod plain;
pub mod raw;
mod read_back;
pub mod repair;
mod rewrite;
pub mod table;
pub mod wav;
mod window;

pub use damage::{Damage, Gap};
pub use decoder::{Decoder, Input, from_reader, mime_type, name_by_extension, open};
pub use encoder::{Delivery, Encoder, EncoderSettings, Patch, Seal};
pub use read_back::read_back;
pub use table::{Codec, Format, Keeps, by_extension, by_mime_type, by_name, default_format, formats};

pub use crate::audio::{Marker, Metadata};
