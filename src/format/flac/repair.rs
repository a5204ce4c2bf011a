//! What the header of an unfinished FLAC file should contain, and where the file should end. Reads, and writes nothing.
//!
//! A file ends after its last frame whose checksum is right. Its length in STREAMINFO is that of what is there; the
//! sizes of frames become unknown with it, which every reader allows (RFC 9639, section 8.2), and so does the sum of
//! all samples, unless it is that of the samples that are there. A file of another program of which something would be
//! lost or counted wrongly is not repaired.

use std::io::SeekFrom;

use super::{
    decode::{FlacDecoder, FlacLayout},
    leftover,
};
use crate::{
    audio::time::seconds,
    error::{Error, Result},
    format::{
        Decoder, Input, Patch, Seal,
        repair::{Origin, Repair},
        window::Window,
    },
};

/// Where the sum of all samples stands in STREAMINFO.
const MD5_AT: usize = 18;

/// Frames that are decoded at once.
const BLOCK_FRAMES: usize = 1 << 14;

/// See [`examine`](crate::format::examine).
pub(super) fn examine(mut input: &mut dyn Input, name: &str, origin: Origin) -> Result<Repair> {
    let layout = FlacLayout::read(input, name)?;
    let mut repair = Repair {
        container: "flac",
        format: Some(layout.format()),
        frames: Some(layout.frames),
        seal: Seal { length: layout.len, patches: Vec::new() },
        len: layout.len,
        obstacle: None,
    };
    let length_is_right = layout.claimed_frames() == layout.frames && layout.frames > 0;
    if length_is_right {
        // What follows a correct file, such as a tag of another program, is left alone.
        repair.seal.length = if origin == Origin::Named { layout.len } else { layout.end };
        return Ok(repair);
    }
    if origin == Origin::Named {
        repair.obstacle = obstacle(input, &layout, name)?;
    }
    if repair.obstacle.is_none() {
        let sum = good_sum(&mut input, &layout, name)?;
        let keeps_tail = origin == Origin::Named && ends_with_tag(&mut input, &layout, name)?;
        let length = if keeps_tail { layout.len } else { layout.end };
        repair.seal = Seal { length, patches: streaminfo(&layout, sum).into_iter().collect() };
    }
    Ok(repair)
}

/// Whether a tag of another program stands after the last frame, which is no broken frame.
fn ends_with_tag(input: &mut &mut dyn Input, layout: &FlacLayout, name: &str) -> Result<bool> {
    let mut window = Window::new(&mut *input);
    let tail = window.at(layout.end, 8).map_err(|error| Error::from_io(error, format!("cannot read {name}")))?;
    Ok([&b"TAG"[..], b"ID3", b"APETAGEX"].iter().any(|tag| tail.starts_with(tag)))
}

/// What would be lost, or stated wrongly, if the file ended where its last regular frame does.
fn obstacle(mut input: &mut dyn Input, layout: &FlacLayout, name: &str) -> Result<Option<String>> {
    let failed = |error| Error::from_io(error, format!("cannot read {name}"));
    let bounds = (layout.first(), layout.end);
    let found = leftover::survey(&mut Window::new(&mut input), layout.info(), bounds).map_err(failed)?;
    if found.other_s > 0.0 {
        return Ok(Some(format!("{:.2} s of sound in it, stored in another way, would be lost", found.other_s)));
    }
    // Damage costs a few frames. If most of them were missing, the numbers mean something else.
    if found.regular < layout.frames / 2 {
        let rate = layout.format().sample_rate;
        let (there, counted) = (seconds(found.regular, rate), seconds(layout.frames, rate));
        return Ok(Some(format!("it holds {there:.2} s of sound and would be told to hold {counted:.2} s")));
    }
    Ok(None)
}

/// The sum in STREAMINFO, if it is that of the sound which is there.
fn good_sum(input: &mut &mut dyn Input, layout: &FlacLayout, name: &str) -> Result<Option<[u8; 16]>> {
    let (_, info) = layout.streaminfo();
    let told = info.get(MD5_AT..).and_then(|sum| <[u8; 16]>::try_from(sum).ok()).filter(|sum| *sum != [0; 16]);
    let bits = layout.info().bits;
    // A float does not hold more bits.
    let Some(told) = told.filter(|_| bits <= 24) else { return Ok(told.filter(|_| layout.end == layout.len)) };
    input.seek(SeekFrom::Start(0)).map_err(|error| Error::from_io(error, format!("cannot read {name}")))?;
    let mut decoder = FlacDecoder::new(&mut *input, name)?;
    let (mut sum, mut samples) = (md5::Context::new(), Vec::new());
    let width = bits.div_ceil(8) as usize;
    while decoder.read(&mut samples, BLOCK_FRAMES)? > 0 {
        for sample in samples.drain(..) {
            let integer = (f64::from(sample) * f64::from(1_u32 << (bits - 1))).round() as i32;
            sum.consume(integer.to_le_bytes().get(..width).unwrap_or_default());
        }
    }
    Ok(Some(told).filter(|told| sum.finalize().0 == *told))
}

/// The patch that makes STREAMINFO state how many frames there are, and that `sum`; none where it already does.
fn streaminfo(layout: &FlacLayout, sum: Option<[u8; 16]>) -> Option<Patch> {
    let (at, old) = layout.streaminfo();
    // 36 bits, where 0 is unknown; the four above belong to the depth of a sample.
    let frames = if layout.frames < 1 << 36 { layout.frames } else { 0 };
    let sum = sum.unwrap_or_default();
    let new: Vec<u8> = old
        .iter()
        .enumerate()
        .map(|(place, &byte)| match place {
            4..=9 => 0,
            13 => byte & 0xf0 | (frames >> 32) as u8,
            14..=17 => (frames >> (8 * (17 - place))) as u8,
            MD5_AT.. => sum.get(place - MD5_AT).copied().unwrap_or(0),
            _ => byte,
        })
        .collect();
    (new != old).then_some(Patch { at, bytes: new })
}
