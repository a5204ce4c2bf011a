//! The exact bytes of a repaired file.

use std::io::Cursor;

use dictaphone::{
    audio::Metadata,
    format::{self, Origin, WavHeader},
};

use crate::takes::*;

/// The sizes that recorders leave: never patched, `arecord`, `sox`, streams, and nonsense.
const PLACEHOLDERS: [(u32, u32); 10] = [
    (0, 0),
    (8, 0),                     // libsndfile before the first update
    (36, 0),                    // a header for an empty file
    (0x8000_0024, 0x8000_0000), // arecord
    (0x7fff_f024, 0x7fff_f000), // sox
    (0x7fff_ffff, 0x7fff_ffdb),
    (0xffff_ffff, 0xffff_ffff), // ffmpeg
    (0x7fff_f024, 0xffff_ffff),
    (0, 0xffff_ffd0),
    (100_036, 100_000), // longer than what is there
];

/// `take` with its 32-bit sizes replaced.
fn with_sizes(mut take: Vec<u8>, data_at: usize, (riff, data): (u32, u32)) -> Vec<u8> {
    take[4..8].copy_from_slice(&riff.to_le_bytes());
    take[data_at - 4..data_at].copy_from_slice(&data.to_le_bytes());
    take
}

#[test]
fn every_placeholder_in_every_format_becomes_the_true_size() {
    for audio in FORMATS {
        let data_at = usize::try_from(WavHeader::new(audio).unwrap().file_len()).unwrap();
        for sizes in PLACEHOLDERS {
            for broken in 0..audio.frame_bytes() as usize {
                let (mut bytes, _) = unsealed(audio, 11, None);
                bytes.extend(vec![0x55; broken]);
                let bytes = with_sizes(bytes, data_at, sizes);
                for origin in [Origin::Part, Origin::Named] {
                    let fixed = repaired(&bytes, origin);
                    assert_strict(&fixed);
                    assert_eq!(samples(&fixed), ramp(11, audio.channels), "{audio} {sizes:x?} + {broken}");
                    let whole = take(audio, 11, Metadata::default());
                    assert!(fixed == whole, "{audio}: byte for byte what the encoder had made of it");
                }
            }
        }
    }
}

#[test]
fn what_other_recorders_leave_when_they_are_killed_is_repaired() {
    let sound: Vec<u8> = (1..=20).flat_map(|n: u16| n.to_le_bytes()).collect();
    // As arecord 1.2, sox 14.4 and ffmpeg 5.1 wrote them, killed with signal 9.
    let lavf = b"LIST\x1a\0\0\0INFOISFT\x0e\0\0\0Lavf59.27.100\0";
    let junk = [&b"JUNK\x1c\0\0\0"[..], &[0; 28]].concat();
    let ffmpeg_rf64 = [&b"RIFF\xff\xff\xff\xffWAVE"[..], &junk, &foreign(0, lavf, u32::MAX, &sound)[12..]].concat();
    for (who, bytes) in [
        ("arecord", foreign(0x8000_0024, b"", 0x8000_0000, &sound)),
        ("sox", foreign(0x7fff_f024, b"", 0x7fff_f000, &sound)),
        ("ffmpeg", foreign(u32::MAX, lavf, u32::MAX, &sound)),
        ("ffmpeg -rf64 auto", ffmpeg_rf64),
    ] {
        for cut in 0..=3 {
            let bytes = &bytes[..bytes.len() - cut];
            let fixed = repaired(bytes, Origin::Named);
            assert_strict(&fixed);
            let frames = 20 - cut.div_ceil(2);
            let expected: Vec<f32> = (1..=frames).map(|n| n as f32 / 32_768.0).collect();
            assert_eq!(samples(&fixed), expected, "{who} without {cut} bytes");
            assert_eq!(decoder(&fixed).metadata(), decoder(bytes).metadata(), "{who}");
        }
    }
}

#[test]
fn an_rf64_file_without_sizes_gets_them_in_its_ds64() {
    let sound = [1; 20];
    let ds64 = [&b"ds64\x1c\0\0\0"[..], &[0; 28]].concat();
    // ffmpeg -rf64 always, killed.
    let bytes = [&b"RF64\xff\xff\xff\xffWAVE"[..], &ds64, &foreign(0, b"", u32::MAX, &sound)[12..]].concat();
    let fixed = repaired(&bytes, Origin::Named);
    assert_eq!(fixed.len(), bytes.len());
    assert_eq!(&fixed[..16], b"RF64\xff\xff\xff\xffWAVEds64");
    assert_eq!(fixed[20..28], (fixed.len() as u64 - 8).to_le_bytes());
    assert_eq!((&fixed[28..36], &fixed[36..44]), (&20_u64.to_le_bytes()[..], &10_u64.to_le_bytes()[..]));
    assert_eq!(decoder(&fixed).frames(), Some(10));
}

#[test]
fn a_recording_that_was_cut_off_anywhere_keeps_its_whole_frames() {
    for audio in FORMATS {
        for metadata in [None, Some(Metadata::default()), Some(tags())] {
            let (bytes, encoder) = unsealed(audio, 11, metadata.clone());
            let header = usize::try_from(WavHeader::new(audio).unwrap().file_len()).unwrap();
            let frame = audio.frame_bytes() as usize;
            // Checkpoints after none, some and all frames, and any number of bytes behind.
            for checkpoint in [0, 4, 11] {
                let sealed_at = header + checkpoint * frame;
                for cut in sealed_at..=bytes.len() {
                    let mut part = bytes[..cut].to_vec();
                    for patch in encoder.seal(sealed_at as u64).patches {
                        let at = usize::try_from(patch.at).unwrap();
                        part[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
                    }
                    let fixed = repaired(&part, Origin::Part);
                    let frames = ((cut - header) / frame).min(11);
                    let case = format!("{audio}, checkpoint at {checkpoint}, {cut} of {} bytes", bytes.len());
                    let found = decoder(&fixed).frames().unwrap();
                    // A trailer of less than its first 24 bytes cannot be told from sound.
                    let unknown = cut.saturating_sub(header + 11 * frame).min(24) / frame;
                    assert!((frames as u64..=(frames + unknown) as u64).contains(&found), "{case}: {found}");
                    assert!(samples(&fixed).starts_with(&ramp(frames, audio.channels)), "{case}");
                    assert_strict(&fixed);
                    if cut == bytes.len() && metadata.is_some() {
                        assert!(fixed == take(audio, 11, metadata.clone().unwrap()), "{case}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_whole_recording_is_left_byte_for_byte() {
    let id3: &[u8] = b"id3 \x03\0\0\0abc\0";
    let wave = |data: &[u8], behind: &[u8]| {
        let len = u32::try_from(36 + data.len() + behind.len()).unwrap();
        foreign(len, b"", u32::try_from(data.len()).unwrap(), &[data, behind].concat())
    };
    let mut goods: Vec<Vec<u8>> = FORMATS.iter().map(|&audio| take(audio, 11, tags())).collect();
    goods.extend([
        wave(&[1; 6], b""),
        wave(&[1; 6], id3),
        wave(&[1; 5], &[b"\0", id3].concat()),
        wave(&[1; 5], id3), // without the pad byte
        wave(b"", id3),     // no sound, but tags
        wave(&[1; 5], b""), // the pad byte forgotten at the end
    ]);
    // Behind the RIFF chunk: what taggers that know no chunks have left there.
    let outside = |bytes: &[u8], behind: &[u8]| [bytes, behind].concat();
    goods.push(outside(&wave(&[1; 6], b""), &[b"TAG".to_vec(), vec![0; 125]].concat()));
    goods.push(outside(&wave(&[1; 6], b""), &[0; 64]));
    // The last chunk was cut off when the file was copied: the sound is complete.
    goods.push(wave(&[1; 6], b"LIST\xff\0\0\0INFO"));
    for good in goods {
        let repair = examined(&good, Origin::Named);
        assert!(repair.is_whole(), "{repair:?}");
    }
}

#[test]
fn our_own_checkpoint_is_known_by_its_header_even_when_the_file_was_renamed() {
    let (bytes, encoder) = unsealed(MONO, 20, None);
    let mut left = bytes.clone();
    let seal = encoder.seal(80 + 2 * 7);
    left[..80].copy_from_slice(&seal.patches[0].bytes);
    assert_eq!(decoder(&left).frames(), Some(7), "a player sees the last checkpoint");
    assert!(repaired(&left, Origin::Named) == take(MONO, 20, Metadata::default()));
}

#[test]
fn tags_are_kept_when_only_the_sizes_were_missing() {
    for audio in FORMATS {
        let (bytes, _) = unsealed(audio, 11, Some(tags()));
        for origin in [Origin::Part, Origin::Named] {
            let fixed = repaired(&bytes, origin);
            assert_eq!(decoder(&fixed).metadata(), &tags(), "{audio} {origin:?}");
            assert_eq!(samples(&fixed), ramp(11, audio.channels), "{audio} {origin:?}");
        }
    }
}

#[test]
fn a_wrong_riff_size_alone_is_put_right() {
    let good = take(MONO, 11, tags());
    for riff in [0_u32, 8, 40, 5_000, 0x7fff_f024, u32::MAX] {
        let mut bad = good.clone();
        bad[4..8].copy_from_slice(&riff.to_le_bytes());
        assert!(repaired(&bad, Origin::Named) == good, "{riff:#x}");
        assert!(repaired(&bad, Origin::Part) == good, "{riff:#x}");
    }
}

/// The start of a file of `len` bytes that begins with `head` and is zeros otherwise, after its repair.
fn repaired_start(head: &[u8], len: u64, origin: Origin) -> (Vec<u8>, format::Repair) {
    let mut file = Sparse { head: head.to_vec(), len, at: 0 };
    let repair = format::examine(&mut file, "huge", None, origin).unwrap();
    let mut start = head.to_vec();
    for patch in &repair.seal.patches {
        let at = usize::try_from(patch.at).unwrap();
        start[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    (start, repair)
}

#[test]
fn beyond_4_gib_the_reserve_becomes_ds64() {
    let header = WavHeader::new(MONO).unwrap();
    let data: u64 = 5 << 30;
    let len = header.file_len() + data;
    for head in [header.file(0, 80), header.file(1 << 30, 80 + (1 << 30)), header.unsealed_file()] {
        let (start, repair) = repaired_start(&head, len + 1, Origin::Part);
        assert_eq!((repair.frames, repair.seal.length), (Some(data / 2), len));
        assert!(start == header.file(data, len));
    }
}

#[test]
fn a_larger_reserve_leaves_junk_of_the_rest() {
    for size in [28_u32, 30, 34, 36, 92] {
        let junk = [&b"JUNK"[..], &size.to_le_bytes(), &vec![7; size as usize]].concat();
        let head = [&b"RIFF\0\0\0\0WAVE"[..], &junk, &foreign(0, b"", 0, b"")[12..]].concat();
        let len = head.len() as u64 + (5 << 30);
        let (start, repair) = repaired_start(&head, len, Origin::Named);
        assert_eq!(repair.frames, Some((5 << 30) / 2), "{size}");
        assert_eq!((&start[..4], &start[12..16]), (&b"RF64"[..], &b"ds64"[..]), "{size}");
        let decoder = format::from_reader(Sparse { head: start, len, at: 0 }, "huge").unwrap();
        assert_eq!(decoder.frames(), Some((5 << 30) / 2), "{size}");
    }
}

#[test]
fn without_room_for_ds64_a_huge_file_claims_to_reach_its_end() {
    let len = 44 + (5 << 30);
    // Placeholders, and the sizes of a writer that counted in 32 bits.
    for (riff, data) in [(0, 0), (0x7fff_f024, 0x7fff_f000), (0x4000_0024, 0x4000_0000)] {
        let (start, repair) = repaired_start(&foreign(riff, b"", data, b""), len, Origin::Named);
        assert_eq!((repair.frames, repair.seal.length), (Some((5 << 30) / 2), len));
        assert!(start == foreign(u32::MAX, b"", u32::MAX, b""));
        let again = repaired_start(&start, len, Origin::Named).1;
        assert!(again.is_whole());
    }
}

#[test]
fn an_interrupted_repair_is_completed_by_the_next_one() {
    for audio in FORMATS {
        for broken in 0..audio.frame_bytes() as usize {
            let (mut bytes, _) = unsealed(audio, 11, None);
            bytes.extend(vec![0x55; broken]);
            let seal = examined(&bytes, Origin::Part).seal;
            let whole = sealed(bytes.clone(), &seal);
            let mut between = bytes;
            for patch in &seal.patches {
                let at = usize::try_from(patch.at).unwrap();
                between.resize(between.len().max(at + patch.bytes.len()), 0);
                between[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
                assert!(repaired(&between, Origin::Part) == whole, "{audio} + {broken}");
                assert!(samples(&between).starts_with(&ramp(11, audio.channels)), "{audio} + {broken}");
            }
        }
    }
}

#[test]
fn a_header_behind_much_else_is_repaired_as_well() {
    let picture = [&b"LIST\x88\x13\0\0"[..], &vec![b'p'; 5_000]].concat();
    let fixed = repaired(&foreign(0, &picture, 0, &[1; 30]), Origin::Named);
    assert_strict(&fixed);
    assert_eq!(decoder(&fixed).frames(), Some(15));
    assert!(format::examine(&mut Cursor::new(&fixed), "x", None, Origin::Part).unwrap().is_whole());
}
