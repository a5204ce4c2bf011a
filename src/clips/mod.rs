//! A folder of recordings: what is in it, what is known about each, sorting, renaming and deleting them, and repairing
//! what was left unfinished.
//!
//! The folder is the only state: nothing is stored elsewhere except waveforms, in a cache that may be deleted at any
//! time. Stands above encoders, decoders and storage and joins them; prints nothing. Run by any thread but a realtime
//! one.

mod advance;
mod assembly;
pub(crate) mod cache;
pub(crate) mod clip;
pub(crate) mod convert;
pub(crate) mod cut;
mod damage;
pub mod draw;
mod excerpt;
mod find;
pub(crate) mod folder;
pub(crate) mod info;
mod loudness;
pub(crate) mod markers;
pub mod name;
pub(crate) mod pauses;
mod recover;
pub(crate) mod rename;
pub mod retention;
mod sealed;
pub(crate) mod splice;
pub(crate) mod trash;
mod twins;
pub(crate) mod waveform;
mod words;

pub use advance::{Advance, Watch};
pub use cache::WaveformCache;
pub use clip::{Clip, path_fields};
pub use convert::{Conversion, Converted, convert, convert_to_stream};
pub use cut::{Cut, Trimmed, cut, undo_cut};
pub use damage::FileDamage;
pub use excerpt::Excerpt;
pub use find::{Found, Kind, Unfinished, find};
pub use folder::{Listing, PartFile, SortKey};
pub use info::{Info, InfoMarker};
pub use loudness::{Leveled, Loudness, TRUE_PEAK_MAX_DBTP};
pub use markers::set_markers;
pub use pauses::Pauses;
pub use recover::{Change, Outcome, Recovered, recover, run, run_watched};
pub use rename::rename;
pub use splice::{Seam, Spliced, splice, undo_splice};
pub use trash::{Trashed, delete, restore};
pub use twins::{Twins, complete_twins};
pub use waveform::{BINS_MAX, Bin, Outline, Waveform};
pub use words::Words;
