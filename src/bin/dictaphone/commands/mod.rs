//! One thin file for each command: it makes a plan of the arguments, calls `session` or `shelf`, and reports the
//! outcome.

pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod convert;
#[cfg(unix)]
pub(crate) mod ctl;
pub(crate) mod delete;
pub(crate) mod devices;
pub(crate) mod info;
pub(crate) mod levels;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod play;
pub(crate) mod record;
pub(crate) mod recover;
pub(crate) mod rename;
