//! Any bytes: no panic, never less sound than before, and never a second repair.

use std::io::Cursor;

use dictaphone::{
    ErrorKind,
    format::{self, Origin},
};
use proptest::prelude::*;

use crate::takes::*;

/// Bytes of samples that the decoder finds, if it can read the file.
fn sound(bytes: &[u8]) -> Option<u64> {
    format::from_reader(Cursor::new(bytes.to_vec()), "any").ok()?.frames()
}

/// Repairs `bytes`, as far as they can be, and returns the result.
fn survive(bytes: &[u8], origin: Origin) -> Option<Vec<u8>> {
    match format::examine(&mut Cursor::new(bytes), "any", Some("wav"), origin) {
        Err(error) => {
            assert!(
                matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::NotSupported | ErrorKind::Undecodable),
                "{error}"
            );
            None
        }
        Ok(repair) => {
            let fixed = sealed(bytes.to_vec(), &repair.seal);
            // At most a frame is cut off, or a trailer that is not whole; the pad byte may come to it.
            assert!(fixed.len() <= bytes.len() + 1);
            if let (Some(frames), false) = (repair.frames, bytes.is_empty()) {
                assert_eq!(sound(&fixed), Some(frames), "the decoder sees what was promised");
            }
            Some(fixed)
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(
        bytes: Vec<u8>, id in prop::sample::select(vec![*b"RIFF", *b"RF64", *b"BW64", *b"ABCD"]), ours: bool
    ) {
        let origin = if ours { Origin::Part } else { Origin::Named };
        for bytes in [bytes.clone(), [&id[..], &bytes].concat(), [&id[..], b"\xff\xff\xff\xffWAVE", &bytes].concat()] {
            survive(&bytes, origin);
        }
    }

    #[test]
    fn a_damaged_header_costs_no_sound(
        format in 0..FORMATS.len(), frames in 10_usize..40, tagged: bool, rf64: bool, ours: bool, cut in 0_usize..400,
        damage in prop::collection::vec((0_usize..130, any::<u8>()), 0..6),
        sizes in prop::option::of((any::<u32>(), prop::sample::select(vec![0, 7, 60, 1 << 31, u32::MAX])))
    ) {
        let audio = FORMATS[format];
        let header = dictaphone::format::WavHeader::new(audio).unwrap();
        let (mut bytes, encoder) = unsealed(audio, frames, tagged.then(tags));
        let seal = encoder.seal(bytes.len() as u64);
        bytes = sealed(bytes, &seal);
        let data = frames as u64 * u64::from(audio.frame_bytes());
        if rf64 {
            let head = header.file(data, 1 << 40);
            bytes[..head.len()].copy_from_slice(&head);
        }
        let at = usize::try_from(header.file_len()).unwrap();
        if let Some((riff, size)) = sizes {
            bytes[4..8].copy_from_slice(&riff.to_le_bytes());
            bytes[at - 4..at].copy_from_slice(&size.to_le_bytes());
        }
        for (at, value) in damage {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        bytes.truncate(bytes.len() - cut.saturating_sub(200).min(bytes.len()));
        let origin = if ours { Origin::Part } else { Origin::Named };
        let before = sound(&bytes);
        let Some(fixed) = survive(&bytes, origin) else { return Ok(()) };
        let Some(before) = before else { return Ok(()) };
        // What stands behind the samples was sound only to a decoder that believed it to be.
        let frame = u64::from(decoder(&bytes).format().frame_bytes());
        let data_at = bytes[..at].windows(4).rposition(|id| id == b"data").map_or(at, |id| id + 8) as u64;
        let true_end = (header.file_len() + data).saturating_sub(data_at) / frame.max(1);
        let after = sound(&fixed).unwrap();
        prop_assert!(frame > 0 && after >= before.min(true_end), "{} -> {} of {}", before, after, true_end);
        if let Some(fixed_again) = survive(&fixed, origin) {
            prop_assert!(fixed_again == fixed, "a second repair changes the file again");
        }
    }
}
