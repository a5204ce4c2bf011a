//! One thin file for each command: words into a plan, a call of `session` or `shelf`, and what is reported of it.

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
