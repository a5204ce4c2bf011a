//! Any bytes as a sound file: read whole, and again from the middle.

#![no_main]

use std::io::Cursor;

use dictaphone::format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut decoder) = format::from_reader(Cursor::new(bytes.to_vec()), "fuzz") else { return };
    let channels = usize::from(decoder.format().channels);
    let mut samples = Vec::new();
    let frames = decoder.read(&mut samples, usize::MAX).expect("memory can be read");
    assert_eq!(samples.len(), frames * channels);
    assert!(samples.len() <= bytes.len(), "more samples than bytes");
    assert!(!samples.iter().any(|sample| sample.is_nan()));
    decoder.seek(frames as u64 / 2).expect("memory can be read");
    let mut rest = Vec::new();
    decoder.read(&mut rest, usize::MAX).expect("memory can be read");
    assert!(samples.ends_with(&rest));
    assert!(decoder.metadata().markers.is_sorted_by_key(|marker| marker.frame));
});
