//! FLAC and Ogg Opus files as a whole: what is written is read by our own decoder and by other people's programs, what
//! those write is read here, and unfinished files become whole.

#[cfg(test)]
#[path = "../support/checksum.rs"]
mod checksum;
#[cfg(test)]
mod damaged;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod kept;
mod library;
#[cfg(test)]
mod repaired;
#[cfg(test)]
mod takes;
#[cfg(test)]
mod written;
