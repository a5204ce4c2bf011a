//! Any bytes behind the start of an Ogg file: read whole, and again from the middle. Checksums are made right in every page,
//! because they keep nobody out who knows them.

#![no_main]

use std::io::Cursor;

use dictaphone::format;
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/support/checksum.rs"]
#[allow(dead_code)]
mod checksum;

use checksum::ogg_crc32;

fuzz_target!(|input: &[u8]| {
    let mut bytes = [b"OggS\0", input].concat();
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

/// Makes the checksum of every page right.
fn sign(bytes: &mut [u8]) {
    let starts: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"OggS\0")).collect();
    for start in starts {
        let Some(&segments) = bytes.get(start + 26) else { continue };
        let lacing = bytes.get(start + 27..start + 27 + usize::from(segments)).unwrap_or_default();
        let body: usize = lacing.iter().map(|&segment| usize::from(segment)).sum();
        let end = start + 27 + usize::from(segments) + body;
        let Some(page) = bytes.get_mut(start..end) else { continue };
        page[22..26].fill(0);
        let crc = ogg_crc32(page).to_le_bytes();
        page[22..26].copy_from_slice(&crc);
    }
}
