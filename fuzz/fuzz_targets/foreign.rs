//! Any bytes as a file of another program (MP3, AAC, ALAC, Vorbis, AIFF, CAF, ADPCM), which a library reads: no panic
//! that leaves the decoder, no hang, and no more memory than there is sound.

#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut bytes = input.to_vec();
    support::sign(&mut bytes);
    let Some(mut decoder) = support::open(&bytes) else { return };
    support::read(decoder.as_mut(), u64::MAX);
});
