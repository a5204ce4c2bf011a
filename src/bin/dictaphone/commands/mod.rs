//! One file for each command; what those on clips have in common is in `clips`.

pub(crate) mod clips;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod delete;
pub(crate) mod devices;
pub(crate) mod info;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod play;
pub(crate) mod record;
pub(crate) mod recover;
pub(crate) mod rename;
pub(crate) mod source;
