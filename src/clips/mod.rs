//! A folder of recordings: what is in it, what is known about each, and keeping order among them.
//!
//! The folder is the truth: nothing is remembered elsewhere except waveforms, which a cache keeps that may be deleted
//! at any time. Nothing here records, plays or prints. Run by any thread but a realtime one.

pub mod cache;
pub mod clip;
pub mod draw;
pub mod folder;
pub mod info;
pub mod name;
pub mod rename;
pub mod trash;
pub mod waveform;

pub use cache::WaveformCache;
pub use clip::Clip;
pub use folder::{Listing, SortKey, Unfinished};
pub use info::{Info, InfoMarker};
pub use name::FindError;
pub use rename::rename;
pub use trash::{Trashed, delete, restore};
pub use waveform::Waveform;
