//! Damaged or missing parts of a file are read as silence of their length, shift nothing behind them, and are noted
//! with their place.

use std::ops::ControlFlow;

use dictaphone::{
    clips::{self, Cut},
    format::{self, Damage, Delivery},
};

use crate::{checksum::flac_crc8, takes::*};

const FRAMES: usize = 240_000;

/// A file of five seconds, mono, 48 kHz.
fn whole(name: &str) -> Vec<u8> {
    take(name, &settings(OPUS, Delivery::File), &samples_of(&numbers(FRAMES, 1, 16), 16), tags())
}

/// Where the frames of a FLAC file or the pages of an Ogg file begin, and the file ends.
fn parts(bytes: &[u8]) -> Vec<usize> {
    let begins = |at: &usize| match bytes.starts_with(b"fLaC") {
        true => bytes[*at..].starts_with(&[0xff, 0xf8]) && opened_at(bytes, *at),
        false => bytes[*at..].starts_with(b"OggS\0"),
    };
    (0..bytes.len() - 4).filter(begins).chain([bytes.len()]).collect()
}

/// Whether the head of a FLAC frame with a right checksum stands there.
fn opened_at(bytes: &[u8], at: usize) -> bool {
    (5..16).any(|len| {
        let head = bytes.get(at..at + len).unwrap_or_default();
        bytes.get(at + len) == Some(&flac_crc8(head)) && head.len() > 4 && head[3] & 1 == 0
    })
}

fn read(bytes: &[u8]) -> (Vec<f32>, Damage) {
    let mut decoder = opened(bytes);
    let frames = decoder.frames().unwrap();
    let sound = samples(decoder.as_mut());
    assert_eq!(sound.len() as u64, frames, "as many as were promised");
    (sound, decoder.damage())
}

/// Where no gap is, and a while behind it, the sound is what it was.
fn assert_nothing_moved(name: &str, case: &str, before: &[f32], after: &[f32], damage: &Damage) {
    // Opus goes on from what it heard before.
    let (settles, tolerance) = if name == "opus" { (24_000, 0.15) } else { (0, 0.0) };
    let far = |n: usize| {
        damage.gaps().iter().all(|gap| n + 480 < gap.at as usize || n >= (gap.at + gap.frames) as usize + settles)
    };
    let wrong =
        (0..after.len().min(before.len())).filter(|&n| far(n) && (before[n] - after[n]).abs() > tolerance).count();
    assert!(wrong * 1_000 <= after.len(), "{name}, {case}: {wrong} samples are not what they were");
}

#[test]
fn a_damaged_part_anywhere_is_silence_and_noted() {
    for name in ["flac", "opus"] {
        let bytes = whole(name);
        let (before, none) = read(&bytes);
        assert!(none.is_none(), "{name}: {none:?}");
        let parts = parts(&bytes);
        // The headers of an Ogg file are pages as well.
        let first = if name == "opus" { 2 } else { 0 };
        for part in first..parts.len() - 1 {
            let mut damaged = bytes.clone();
            let middle = (parts[part] + parts[part + 1]) / 2;
            damaged[middle] ^= 0x55;
            let (after, damage) = read(&damaged);
            let case = format!("part {part} of {}", parts.len() - 1);
            assert_eq!(after.len(), before.len(), "{name}, {case}");
            assert!((1..=50_000).contains(&damage.lost_frames()), "{name}, {case}: {damage:?}");
            assert!(damage.sentence(48_000).unwrap().contains(" s ("), "{damage:?}");
            assert_nothing_moved(name, &case, &before, &after, &damage);
            // Read from the middle, what is damaged there is noted as well.
            let mut decoder = opened(&damaged);
            let gap = damage.gaps()[0].at;
            decoder.seek(gap).unwrap();
            let mut rest = Vec::new();
            decoder.read(&mut rest, usize::MAX).unwrap();
            assert_eq!(rest.len() as u64, after.len() as u64 - gap, "{name}, {case}");
            assert!(!decoder.damage().is_none(), "{name}, {case}, from the gap on");
            // From within the gap elsewhere: nothing of its silence is brought along.
            let mut decoder = opened(&damaged);
            let elsewhere = (gap + after.len() as u64 / 2) % after.len() as u64;
            decoder.read(&mut Vec::new(), gap as usize + 1).unwrap();
            decoder.seek(elsewhere).unwrap();
            let mut moved = Vec::new();
            decoder.read(&mut moved, usize::MAX).unwrap();
            assert_eq!(moved.len() as u64, after.len() as u64 - elsewhere, "{name}, {case}, from within the gap");
            if name == "flac" {
                assert!(moved == after[elsewhere as usize..], "{name}, {case}, from within the gap");
            }
        }
    }
}

#[test]
fn a_damaged_header_page_of_opus_costs_no_sound_and_is_told() {
    let bytes = whole("opus");
    let (before, _) = read(&bytes);
    let parts = parts(&bytes);
    for (page, offset) in [(0, 14), (0, 22), (0, 40), (0, 44), (1, 30), (1, 22)] {
        let mut damaged = bytes.clone();
        damaged[parts[page] + offset] ^= 0x10;
        let (after, damage) = read(&damaged);
        assert_eq!(after.len(), before.len(), "byte {offset} of page {page}");
        assert!(damage.sentence(48_000).unwrap().contains("damaged"), "{damage:?}");
        assert_nothing_moved("opus", "header", &before, &after, &damage);
    }
}

#[test]
fn a_tail_that_is_cut_off_is_noted() {
    for name in ["flac", "opus", "wav"] {
        let bytes = whole(name);
        let (before, _) = read(&bytes);
        for tenths in 3..10 {
            let cut = &bytes[..bytes.len() * tenths / 10 + 7];
            let (after, damage) = read(cut);
            assert!(damage.lost_frames() > 0, "{name}, {tenths} tenths: {damage:?}");
            assert!(after.len() <= before.len() && after.len() > before.len() * (tenths - 2) / 10, "{name}");
            assert_nothing_moved(name, "cut", &before, &after, &damage);
        }
    }
}

#[test]
fn an_opus_file_that_is_cut_off_between_two_pages_is_not_called_whole() {
    let bytes = whole("opus");
    let starts = parts(&bytes);
    for &start in &starts[3..starts.len() - 1] {
        let (_, damage) = read(&bytes[..start]);
        assert!(damage.sentence(48_000).unwrap().contains("cut off"), "{start} of {}: {damage:?}", bytes.len());
    }
}

#[test]
fn a_sum_that_is_not_that_of_the_samples_is_noted_when_all_were_read() {
    let bench = Bench::new();
    bench.put("x.raw", &raw(&numbers(50_000, 1, 16), 16));
    bench.run("flac --silent --force-raw-format --endian=little --sign=signed --channels=1 --bps=16 --sample-rate=48000 x.raw -o x.flac");
    let mut bytes = bench.read("x.flac");
    assert!(read(&bytes).1.is_none());
    bytes[30] ^= 1;
    let (sound, damage) = read(&bytes);
    assert_eq!(sound.len(), 50_000);
    assert!(damage.sentence(48_000).unwrap().contains("MD5"), "{damage:?}");
    // From another place on nobody can know.
    let mut decoder = opened(&bytes);
    decoder.seek(1).unwrap();
    decoder.read(&mut Vec::new(), usize::MAX).unwrap();
    assert!(decoder.damage().is_none());
}

#[test]
fn what_is_cut_out_of_a_damaged_file_still_says_what_was_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("take.flac");
    let mut bytes = whole("flac");
    let parts = parts(&bytes);
    let middle = parts[parts.len() / 2];
    bytes[middle + 40] ^= 0xff;
    std::fs::write(&path, &bytes).unwrap();
    let lost = read(&bytes).1.lost_frames();
    assert!(lost > 0);
    // In front of the damage and behind it.
    for part in [0..1_000, 200_000..201_000] {
        let trimmed = clips::cut(&path, &Cut::Out(part), false, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(trimmed.lost_frames, lost);
        let decoder = format::open(&path).unwrap();
        assert_eq!(decoder.metadata().lost_frames(), Some(lost + 480), "besides those that were noted");
        // Nothing is left in the trash of whoever runs the tests.
        clips::undo_cut(&trimmed).unwrap();
    }
    // What follows a missing end would be in the wrong place.
    std::fs::write(&path, &whole("flac")[..middle]).unwrap();
    let cut = clips::cut(&path, &Cut::Out(0..1_000), false, &mut |_| ControlFlow::Continue(()));
    assert!(cut.unwrap_err().to_string().contains("ends early"));
}
