//! The listeners of `record`: what is shown to a person, and what programs read.

mod json;
mod live;
#[cfg(unix)]
mod systemd;

#[cfg(unix)]
pub(crate) use self::systemd::Systemd;
pub(crate) use self::{json::JsonLines, live::LiveLine};
