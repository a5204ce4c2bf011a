//! The test bed: private sound servers with a virtual microphone, a test signal that shows every lost sample, and
//! harnesses that run the program with pipes or in a terminal.
//!
//! Everything a test starts lives in a folder and in process groups of its own and ends with it, also when the test
//! panics or is killed; so tests run in parallel, need no sound card and leave nothing behind.

// A test bed serves many tests: what one test binary does not use, another does.
#![allow(dead_code)]

pub(crate) mod analysis;
pub(crate) mod harness;
pub(crate) mod output;
pub(crate) mod process;
pub(crate) mod sandbox;
pub(crate) mod signal;
#[cfg(unix)]
pub(crate) mod terminal;
pub(crate) mod wait;

#[cfg(target_os = "linux")]
pub(crate) mod alsa;
#[cfg(target_os = "linux")]
pub(crate) mod pipewire;
#[cfg(target_os = "linux")]
pub(crate) mod pulse;
#[cfg(target_os = "linux")]
pub(crate) mod server;
