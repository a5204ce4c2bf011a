//! Any bytes behind the start of a FLAC file: read whole, and again from the middle. Checksums are made right,
//! because they keep nobody out who knows them.

#![no_main]

use std::io::Cursor;

use dictaphone::format;
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/support/checksum.rs"]
#[allow(dead_code)]
mod checksum;

use checksum::{flac_crc8, flac_crc16};

fuzz_target!(|input: &[u8]| {
    let mut bytes = [b"fLaC", input].concat();
    sign(&mut bytes);
    let len = bytes.len() as u64;
    let Ok(mut decoder) = format::from_reader(Cursor::new(bytes), "fuzz") else { return };
    let channels = usize::from(decoder.format().channels);
    let claimed = decoder.frames().expect("the length is always known");
    assert!(claimed <= len * 6_554, "more frames than so many bytes can hold");
    let (mut samples, mut frames) = (Vec::new(), 0);
    // As much as the time of one run allows.
    for _ in 0..64 {
        samples.clear();
        let read = decoder.read(&mut samples, 50_000).expect("memory can be read");
        assert_eq!(samples.len(), read * channels);
        assert!(samples.iter().all(|sample| sample.is_finite()));
        frames += read as u64;
    }
    assert!(frames <= claimed);
    decoder.seek(claimed / 2).expect("memory can be read");
    decoder.read(&mut samples, 10_000).expect("memory can be read");
    assert!(decoder.metadata().markers.is_sorted_by_key(|marker| marker.frame));
});

/// Makes the checksums right of every frame with a head of six bytes, which is taken to reach to the next one.
fn sign(bytes: &mut [u8]) {
    let begins = |&at: &usize| matches!(bytes[at..], [0xff, 0xf8 | 0xf9, ..]);
    let starts: Vec<usize> = (0..bytes.len()).filter(begins).collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]).collect::<Vec<usize>>();
    for (start, end) in starts.into_iter().zip(ends) {
        let Some(frame) = bytes.get_mut(start..end).filter(|frame| frame.len() > 8) else { continue };
        frame[5] = flac_crc8(&frame[..5]);
        let behind = frame.len() - 2;
        let crc = flac_crc16(&frame[..behind]).to_be_bytes();
        frame[behind..].copy_from_slice(&crc);
    }
}
