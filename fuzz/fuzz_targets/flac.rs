//! Any bytes after the start of a FLAC file: read whole, and again from the middle.

#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut bytes = [b"fLaC", input].concat();
    support::sign(&mut bytes);
    let Some(mut decoder) = support::open(&bytes) else { return };
    // Blocks of 65,536 frames in 10 bytes, and what is missing of the last one.
    support::read(decoder.as_mut(), (bytes.len() as u64 + 10) * 6_554);
});
