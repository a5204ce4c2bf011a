//! A folder of recordings: what is in it, what is known about each, keeping order among them, and making whole what was
//! left unfinished.
//!
//! The folder is the truth: nothing is remembered elsewhere except waveforms, which a cache keeps that may be deleted
//! at any time. Stands above encoders, decoders and storage and joins them; prints nothing. Run by any thread but a
//! realtime one.

mod assembly;
pub mod cache;
pub mod clip;
pub mod convert;
pub mod cut;
mod damage;
pub mod draw;
mod excerpt;
mod find;
pub mod folder;
pub mod info;
mod loudness;
pub mod markers;
pub mod name;
pub mod pauses;
mod recover;
pub mod rename;
pub mod retention;
mod sealed;
pub mod splice;
pub mod trash;
mod twins;
pub mod waveform;
mod words;

pub use assembly::{Advance, Watch};
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
pub use name::FindError;
pub use pauses::Pauses;
pub use recover::{Change, Outcome, Recovered, recover, run};
pub use rename::rename;
pub use splice::{Seam, Spliced, splice, undo};
pub use trash::{Trashed, delete, restore};
pub use twins::{Twins, complete_twins};
pub use waveform::Waveform;
pub use words::Words;
