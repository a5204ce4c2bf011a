//! The test bed itself is tested here, without any part of dictaphone: a file played into the virtual microphone
//! reaches the usual recorders bit for bit, nothing outlives its test, and the harness detects what a program does.

#[cfg(unix)]
mod harness;
#[cfg(target_os = "linux")]
mod servers;
