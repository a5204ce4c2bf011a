//! Any bytes after the start of an Ogg file: read whole, and again from the middle.

#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut bytes = [b"OggS\0", input].concat();
    support::sign(&mut bytes);
    let Some(mut decoder) = support::open(&bytes) else { return };
    support::read(decoder.as_mut(), bytes.len() as u64 * 6_554);
});
