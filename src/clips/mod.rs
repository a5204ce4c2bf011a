//! Recordings in their folders: what was left unfinished, and how it is made whole.
//!
//! Stands above encoders, decoders and storage and joins them; prints nothing. Run by any thread but a realtime one.

mod find;
mod recover;
pub mod repair;
mod wav;

pub use find::{Found, Kind, Unfinished, find};
pub use recover::{Change, Outcome, Recovered, recover, run};
