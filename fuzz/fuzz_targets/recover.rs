//! Any bytes as an unfinished recording: repaired once, they are read as was promised, and need no second repair.
//!
//! The first byte decides whether the file counts as one of this program.

#![no_main]

mod support;

use std::io::Cursor;

use dictaphone::format::{self, Origin};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let mut bytes = bytes.to_vec();
    support::sign(&mut bytes);
    let origin = if first % 2 == 0 { Origin::Part } else { Origin::Named };
    let examine = |bytes: &[u8]| format::examine(&mut Cursor::new(bytes), "fuzz", Some("wav"), origin);
    let Ok(repair) = examine(&bytes) else { return };
    if repair.obstacle.is_some() || repair.is_empty() {
        // It is left as it is.
        return;
    }
    let mut fixed = bytes.clone();
    for patch in &repair.seal.patches {
        let at = usize::try_from(patch.at).expect("an offset in memory");
        assert!(at <= fixed.len());
        fixed.resize(fixed.len().max(at + patch.bytes.len()), 0);
        fixed[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    assert!(repair.seal.length <= fixed.len() as u64);
    fixed.truncate(repair.seal.length as usize);
    let mut decoder = support::open(&fixed).expect("a repaired file can be read");
    // What is missing after the last whole page is read as silence.
    assert!(decoder.frames() >= repair.frames);
    support::read(decoder.as_mut(), u64::MAX);
    assert!(examine(&fixed).is_ok_and(|again| again.is_whole()));
});
