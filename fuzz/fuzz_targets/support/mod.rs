//! What the targets share: correcting checksums, which are no protection because anyone can compute them, and reading
//! as far as the time of one run allows.

#![allow(dead_code, reason = "no target needs all of it")]

#[path = "../../../src/audio/checksum.rs"]
mod checksum;

use std::{io::Cursor, sync::Once};

use dictaphone::format::{self, Decoder, is_guarded};

use checksum::{flac_crc8, flac_crc16, ogg_crc32};

/// Frames that are read from the start and from the middle of a file.
const FRAMES: usize = 200_000;
const FRAMES_BEHIND_A_SEEK: usize = 20_000;

/// A decoder of the bytes, if they are a sound file. A panic that it turns into an error does not count.
pub fn open(bytes: &[u8]) -> Option<Box<dyn Decoder>> {
    static HOOK: Once = Once::new();
    // The hook of the fuzzer ends the process at every panic.
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            if !is_guarded() {
                eprintln!("{info}\n{}", std::backtrace::Backtrace::force_capture());
                std::process::abort();
            }
        }));
    });
    format::from_reader(Cursor::new(bytes.to_vec()), "fuzz").ok()
}

/// Reads from the start on and again from the middle. `frames_max` is the most frames that the bytes can hold.
pub fn read(decoder: &mut dyn Decoder, frames_max: u64) {
    let channels = usize::from(decoder.format().channels);
    assert!(channels > 0 && decoder.format().sample_rate > 0);
    let claimed = decoder.frames().unwrap_or(0);
    assert!(claimed <= frames_max, "more frames than so many bytes can hold");
    let (mut samples, mut frames) = (Vec::new(), 0);
    while frames < FRAMES {
        samples.clear();
        // A file of another program may change its format in the middle, which is reported as an error.
        let Ok(read) = decoder.read(&mut samples, 20_000) else { break };
        assert_eq!(samples.len(), read * channels);
        frames += read;
        if read < 20_000 {
            break;
        }
    }
    assert!(decoder.frames().is_none_or(|claimed| frames as u64 <= claimed));
    if decoder.seek(claimed / 2).is_ok() {
        samples.clear();
        let _ = decoder.read(&mut samples, FRAMES_BEHIND_A_SEEK);
    }
    assert!(decoder.metadata().markers.is_sorted_by_key(|marker| marker.frame));
    let _ = decoder.damage().sentence(decoder.format().sample_rate);
}

/// Corrects the checksums, whatever the format is.
pub fn sign(bytes: &mut [u8]) {
    match bytes {
        [b'f', b'L', b'a', b'C', ..] => sign_flac(bytes),
        [b'O', b'g', b'g', b'S', ..] => sign_ogg(bytes),
        _ => {}
    }
}

/// Corrects the checksum of every frame, which is taken to reach to the next one.
fn sign_flac(bytes: &mut [u8]) {
    let starts: Vec<usize> = (4..bytes.len()).filter(|&at| head_bytes(&bytes[at..]).is_some()).collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([bytes.len()]).collect();
    for (start, end) in starts.into_iter().zip(ends) {
        let frame = &mut bytes[start..end];
        let Some(head) = head_bytes(frame).filter(|head| frame.len() > head + 3) else { continue };
        frame[head] = flac_crc8(&frame[..head]);
        let behind = frame.len() - 2;
        let crc = flac_crc16(&frame[..behind]).to_be_bytes();
        frame[behind..].copy_from_slice(&crc);
    }
}

/// The length of the head of a frame without its checksum (RFC 9639, section 9.1).
fn head_bytes(bytes: &[u8]) -> Option<usize> {
    let &[0xff, 0xf8 | 0xf9, coded, channels, number, ..] = bytes else { return None };
    if channels >> 4 > 10 || channels & 1 != 0 {
        return None;
    }
    let number = (number.leading_ones() as usize).max(1);
    let size = match coded >> 4 {
        6 => 1,
        7 => 2,
        _ => 0,
    };
    let rate = match coded & 15 {
        12 => 1,
        13 | 14 => 2,
        _ => 0,
    };
    Some(4 + number + size + rate)
}

/// Corrects the checksum of every page (RFC 3533, section 6).
fn sign_ogg(bytes: &mut [u8]) {
    let starts: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"OggS\0")).collect();
    for start in starts {
        let Some(&segments) = bytes.get(start + 26) else { continue };
        let lacing = bytes.get(start + 27..start + 27 + usize::from(segments)).unwrap_or_default();
        let body: usize = lacing.iter().map(|&segment| usize::from(segment)).sum();
        let end = start + 27 + usize::from(segments) + body;
        let Some(page) = bytes.get_mut(start..end) else { continue };
        page[22..26].fill(0);
        let crc = ogg_crc32(0, page).to_le_bytes();
        page[22..26].copy_from_slice(&crc);
    }
}
