//! The listeners of a session: what is shown to a person, what programs read and ask, what is run for a file.

#[cfg(unix)]
mod board;
mod hooks;
mod json;
mod live;
#[cfg(unix)]
mod systemd;

#[cfg(unix)]
pub(crate) use self::{board::BoardKeeper, systemd::Systemd};
pub(crate) use self::{
    hooks::{HookReport, Hooks},
    json::JsonLines,
    live::LiveLine,
};
