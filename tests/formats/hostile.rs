//! Any bytes: no panic, no loop, no more sound than there can be, and never a second repair.

use std::io::Cursor;

use dictaphone::{
    ErrorKind,
    audio::AudioFormat,
    format::{self, Delivery, Origin},
};
use proptest::prelude::*;

use crate::{
    checksum::{flac_crc8, flac_crc16, ogg_crc32},
    takes::*,
};

/// Reads `bytes` to their end and again from the middle, and repairs them.
fn survive(bytes: &[u8]) {
    if let Ok(mut decoder) = format::from_reader(Cursor::new(bytes.to_vec()), "any") {
        let channels = usize::from(decoder.format().channels);
        let claimed = decoder.frames().unwrap();
        // 65,536 frames in 10 bytes of FLAC, 5,760 in one of Opus.
        assert!(claimed <= bytes.len() as u64 * 6_554, "{claimed} frames in {} bytes", bytes.len());
        let (mut frames, mut sound) = (0, Vec::new());
        loop {
            sound.clear();
            let read = match decoder.read(&mut sound, 50_000) {
                // Another rate or width in the middle is refused in words.
                Err(error) if error.kind() == ErrorKind::Undecodable => break,
                read => read.unwrap(),
            };
            assert_eq!(sound.len(), read * channels);
            assert!(sound.iter().all(|sample| sample.is_finite()));
            frames += read as u64;
            if read == 0 {
                break;
            }
        }
        assert!(frames <= claimed);
        decoder.seek(claimed / 2).unwrap();
        if let Err(error) = decoder.read(&mut sound, 10_000) {
            assert_eq!(error.kind(), ErrorKind::Undecodable, "{error}");
        }
        assert!(decoder.metadata().markers.is_sorted_by_key(|marker| marker.frame));
    }
    for origin in [Origin::Part, Origin::Named] {
        let examine = |bytes: &[u8]| format::examine(&mut Cursor::new(bytes), "any", Some("flac"), origin);
        match examine(bytes) {
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::NotSupported | ErrorKind::Undecodable),
                "{error}"
            ),
            Ok(found) => {
                assert!(found.seal.length <= bytes.len() as u64);
                let fixed = sealed(bytes.to_vec(), &found.seal);
                assert!(fixed.is_empty() || examine(&fixed).is_ok_and(|again| again.is_whole()), "repaired twice");
                // Of what is not changed nothing is promised: it may claim more than is there.
                if !bytes.is_empty() && !found.is_whole() && found.obstacle.is_none() {
                    let frames = format::from_reader(Cursor::new(fixed), "fixed").ok().and_then(|file| file.frames());
                    assert_eq!(frames, found.frames, "the decoder sees what was promised");
                }
            }
        }
    }
}

/// A small file of each kind.
fn file(kind: usize) -> Vec<u8> {
    let (name, audio) = [
        ("flac", AudioFormat::new(8_000, 1, dictaphone::SampleFormat::S16)),
        ("flac", AudioFormat::new(48_000, 2, dictaphone::SampleFormat::S24)),
        ("opus", OPUS),
        ("opus", AudioFormat { channels: 2, ..OPUS }),
    ][kind];
    let bits = audio.sample_format.bits();
    take(name, &settings(audio, Delivery::Stream), &samples_of(&numbers(3_000, audio.channels, bits), bits), tags())
}

const KINDS: usize = 4;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_survived(
        bytes: Vec<u8>, start in prop::sample::select(vec![&b"fLaC"[..], b"ID3", b"OggS\0\x02", b"fLaC\0\0\0\x22"]),
    ) {
        survive(&bytes);
        survive(&[start, &bytes].concat());
    }

    #[test]
    fn damaged_files_are_survived(
        kind in 0..KINDS,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        (from, to, len) in (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_usize..400),
    ) {
        let mut bytes = file(kind);
        let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
        let piece = bytes[from..(from + len).min(bytes.len())].to_vec();
        bytes.splice(to..to, piece);
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(cut.index(bytes.len()).max(bytes.len() / 3));
        survive(&bytes);
    }

    /// Checksums keep nobody out who knows them.
    #[test]
    fn damaged_files_with_right_checksums_are_survived(
        kind in 0..KINDS,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let bytes = file(kind);
        let parts = if kind < 2 { frames(&bytes) } else { pages(&bytes) };
        let mut damaged: Vec<Vec<u8>> = parts.iter().map(|part| part.to_vec()).collect();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            let mut start = 0;
            for part in &mut damaged {
                if let Some(byte) = at.checked_sub(start).and_then(|at| part.get_mut(at)) {
                    *byte = value;
                }
                start += part.len();
            }
        }
        for part in &mut damaged {
            if kind < 2 { sign_frame(part) } else { sign_page(part) }
        }
        survive(&damaged.concat());
    }
}

/// A FLAC file cut in front of each frame.
fn frames(bytes: &[u8]) -> Vec<&[u8]> {
    let starts = (0..bytes.len()).filter(|&at| {
        let head = bytes.get(at..at + 9).unwrap_or_default();
        head.starts_with(&[0xff, 0xf9]) && (5..9).any(|end| head.get(end) == Some(&flac_crc8(&head[..end])))
    });
    split(bytes, starts.collect())
}

fn pages(bytes: &[u8]) -> Vec<&[u8]> {
    split(bytes, (1..bytes.len()).filter(|&at| bytes[at..].starts_with(b"OggS\0")).collect())
}

fn split(bytes: &[u8], starts: Vec<usize>) -> Vec<&[u8]> {
    let ends = starts.iter().copied().chain([bytes.len()]);
    let starts = [0].into_iter().chain(starts.iter().copied());
    starts.zip(ends).map(|(start, end)| &bytes[start..end]).collect()
}

/// Makes both checksums of a FLAC frame right; the head is taken to be as long as it was.
fn sign_frame(frame: &mut [u8]) {
    if !frame.starts_with(&[0xff]) || frame.len() < 12 {
        return;
    }
    let extra = [0, 0, 0, 0, 0, 0, 1, 2][usize::from(frame[2] >> 4) & 7] * usize::from(frame[2] >> 4 < 8);
    let rate = match frame[2] & 15 {
        12 => 1,
        13 | 14 => 2,
        _ => 0,
    };
    let number = (frame[4].leading_ones() as usize).clamp(1, 7);
    let at = 4 + number + extra + rate;
    if at + 1 < frame.len() {
        frame[at] = flac_crc8(&frame[..at]);
    }
    let end = frame.len() - 2;
    let crc = flac_crc16(&frame[..end]).to_be_bytes();
    frame[end..].copy_from_slice(&crc);
}

/// Makes the checksum of an Ogg page right.
fn sign_page(page: &mut [u8]) {
    if page.len() > 27 {
        page[22..26].fill(0);
        let crc = ogg_crc32(page).to_le_bytes();
        page[22..26].copy_from_slice(&crc);
    }
}

#[test]
fn a_number_of_frames_that_is_only_claimed_costs_no_time() {
    // One frame that says it is the last of sixty billion, and a page that says so.
    for kind in 0..KINDS {
        let bytes = file(kind);
        let mut parts: Vec<Vec<u8>> =
            if kind < 2 { frames(&bytes) } else { pages(&bytes) }.iter().map(|part| part.to_vec()).collect();
        let last = parts.last_mut().unwrap();
        if kind < 2 {
            let number = (last[4].leading_ones() as usize).clamp(1, 7);
            last.splice(4..4 + number, [0xfe, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf]);
            sign_frame(last);
        } else {
            last[6..14].copy_from_slice(&(1_u64 << 60).to_le_bytes());
            sign_page(last);
        }
        survive(&parts.concat());
    }
}

#[test]
fn what_fuzzing_found_is_survived() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/found");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        files += 1;
        if let Ok(mut decoder) = format::from_reader(Cursor::new(bytes.clone()), "found") {
            let mut sound = Vec::new();
            while decoder.read(&mut sound, 50_000).is_ok_and(|read| read > 0) {
                sound.clear();
            }
            let _ = decoder.seek(1_000);
        }
        for origin in [Origin::Part, Origin::Named] {
            let _ = format::examine(&mut Cursor::new(&bytes), "found", None, origin);
        }
    }
    assert!(files > 1);
}

#[cfg(feature = "foreign")]
#[test]
fn a_panic_of_the_library_is_damage_of_the_file() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/found/vorbis-residue.ogg");
    let error = format::open(&file).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(error.to_string().contains("is damaged"), "{error}");
}
