//! One file for each command.

pub(crate) mod completions;
pub(crate) mod devices;
pub(crate) mod man;
pub(crate) mod play;
pub(crate) mod record;
pub(crate) mod recover;
pub(crate) mod source;
