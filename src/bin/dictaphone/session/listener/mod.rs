//! The listeners of `record`: what is shown to a person, and what programs read.

mod json;
mod live;

pub(crate) use self::{json::JsonLines, live::LiveLine};
