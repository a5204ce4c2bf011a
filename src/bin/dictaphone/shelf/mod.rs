//! Jobs on the folder of clips.

mod find;
mod unreadable;

pub(crate) use find::{find, find_or_newest, find_to_change, folder, waveforms};
pub(crate) use unreadable::unreadable;
