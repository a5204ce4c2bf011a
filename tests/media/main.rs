//! The rules of the web's recorder, one test each, on a microphone that the test itself plays. Nothing here sleeps or
//! measures time: frames are pushed, commands are given between them, and events are waited for.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod blobs;
mod control;
mod devices;
mod endings;
mod faults;
mod rig;
mod sharing;
mod tracks;
