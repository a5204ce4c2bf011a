//! Any bytes after the start of a WAV file: read whole, and again from the middle, which must be the same.

#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let bytes = [b"RIFF", input].concat();
    let Some(mut decoder) = support::open(&bytes) else { return };
    // Compressed sound holds several frames in a byte.
    support::read(decoder.as_mut(), bytes.len() as u64 * 1024);
    let (mut samples, mut rest) = (Vec::new(), Vec::new());
    decoder.seek(0).expect("memory can be read");
    let frames = decoder.read(&mut samples, usize::MAX).expect("memory can be read");
    decoder.seek(frames as u64 / 2).expect("memory can be read");
    decoder.read(&mut rest, usize::MAX).expect("memory can be read");
    assert!(samples.ends_with(&rest));
});
