//! The formats of recordings: frames to bytes, bytes to frames, and what the bytes of a file that was cut off should be.
//!
//! A format is a folder (header, encoder, decoder and repair side by side) whose `FORMAT` is its row in the `table`;
//! nothing outside the folder and the row names it. Beside them is what formats share: the tags of Vorbis comments, the
//! pages of Ogg, MIME types as text, a part of a file in memory.

pub(crate) mod comments;
mod damage;
mod decoder;
mod encoder;
pub(crate) mod flac;
mod foreign;
pub(crate) mod mime;
pub(crate) mod ogg;
mod open;
pub(crate) mod opus;
#[cfg(test)]
mod plain;
pub(crate) mod raw;
mod read_back;
mod repair;
mod rewrite;
mod row;
pub(crate) mod table;
pub(crate) mod wav;
mod window;

pub use damage::{Damage, Gap};
pub use decoder::{Decoder, Input};
pub use encoder::{Delivery, Encoder, EncoderSettings, Patch, Seal};
pub use foreign::is_guarded;
pub use mime::is_type_supported;
pub use open::{examine, from_reader, mime_type, name_by_extension, open};
pub(crate) use open::{is_known, unknown};
pub use read_back::read_back;
pub use repair::{Origin, Repair};
pub(crate) use row::START_BYTES;
pub use row::{Codec, Format, Keeps};
pub use table::{by_extension, by_mime_type, by_name, default_format, formats};
pub use wav::header::Header as WavHeader;

pub(crate) use crate::audio::Metadata;
