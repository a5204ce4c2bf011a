//! Everything that is tested from outside: the program, the sound servers it records from, and the test bed itself.

// The exemption for tests covers `#[test]` functions only, not what they call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../support/mod.rs"]
mod support;

mod clips;
mod crash;
mod disk;
#[cfg(target_os = "linux")]
mod fast;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod microphone;
mod testbed;
#[cfg(target_os = "linux")]
mod watch;
