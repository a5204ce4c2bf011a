//! Everything that is tested from outside: the program, the sound servers it records from, and the test bed itself.

// The exemption for tests covers `#[test]` functions only, not what they call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../support/mod.rs"]
mod support;

#[cfg(unix)]
mod bad_input;
#[cfg(target_os = "linux")]
mod channels;
mod clips;
#[cfg(unix)]
mod config;
#[cfg(target_os = "linux")]
mod control;
#[cfg(unix)]
mod convert;
mod crash;
#[cfg(target_os = "linux")]
mod devices;
mod disk;
#[cfg(target_os = "linux")]
mod docs;
#[cfg(target_os = "linux")]
mod fast;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(unix)]
mod formats;
#[cfg(unix)]
mod help;
#[cfg(unix)]
mod hooks;
#[cfg(target_os = "linux")]
mod large;
#[cfg(unix)]
mod log;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod microphone;
#[cfg(unix)]
mod others;
#[cfg(unix)]
mod pipes;
#[cfg(all(target_os = "linux", feature = "pipewire"))]
mod pipewire;
#[cfg(target_os = "linux")]
mod play;
#[cfg(unix)]
mod record;
#[cfg(unix)]
mod screen;
#[cfg(target_os = "linux")]
mod signals;
#[cfg(target_os = "linux")]
mod splice;
#[cfg(target_os = "linux")]
mod steps;
#[cfg(target_os = "linux")]
mod strangers;
#[cfg(unix)]
mod takes;
#[cfg(unix)]
mod terminal;
mod testbed;
#[cfg(target_os = "linux")]
mod watch;
