//! The test bed is itself proved here, with nothing of dictaphone in the way: a file played into the virtual microphone
//! reaches the usual recorders bit for bit, nothing outlives its test, and the harness sees what a program does.

#[cfg(unix)]
mod harness;
#[cfg(target_os = "linux")]
mod servers;
