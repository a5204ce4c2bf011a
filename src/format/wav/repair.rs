//! What the header of an unfinished WAV or RF64 file should contain, from what is really in the file.
//!
//! Three questions: where the samples end (`extent`), whether the sizes already agree, and where the true sizes go
//! (`patches`). A file whose sizes can be true is left as it is. Pure: reads, and writes nothing.

use std::io::{self, Read, SeekFrom};

use super::{
    header::{Header, PLAIN_SIZE_LIMIT},
    layout::{self, Behind, DS64_BYTES, FIRST_CHUNK, WavLayout},
};
use crate::{
    error::{Error, Result},
    format::{
        Input, Patch, Seal,
        repair::{Origin, Repair},
    },
};

/// How far from the end of a file a trailer of tags and markers is searched for, in bytes.
const TRAILER_LIMIT: u64 = 1 << 20;

/// Bytes from the start of the file that are changed at once, so that no crash can separate two sizes in them.
const HEADER_LIMIT: u64 = 4096;

/// Bytes of tags before the samples of a recording of this program, at most.
const FRONT_LIMIT: u64 = 1 << 20;

/// The value of a 32-bit size that is unknown or stored in `ds64`.
const UNKNOWN: u32 = u32::MAX;

/// Where the samples of a file really end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    /// Bytes of samples.
    bytes: u64,
    /// Whether what follows them (the pad byte, tags, markers) belongs to the file.
    keeps_rest: bool,
    /// Whether the sizes in the file are right, or are not to be changed.
    is_right: bool,
}

/// See [`examine`](crate::format::examine).
pub(super) fn examine(mut input: &mut dyn Input, name: &str, origin: Origin) -> Result<Repair> {
    let failed = |error| Error::from_io(error, format!("cannot read {name}"));
    let layout = layout::wav_layout(&mut input, name)?;
    let extent = extent(&mut input, &layout, origin).map_err(failed)?;
    let mut repair = Repair {
        container: "wav",
        format: Some(layout.format),
        frames: Some(extent.bytes / layout.frame_bytes),
        seal: Seal { length: layout.len, patches: Vec::new() },
        len: layout.len,
        obstacle: None,
    };
    if origin == Origin::Named && extent.is_right {
        return Ok(repair);
    }
    let header = read(&mut input, 0, layout.data.min(HEADER_LIMIT)).map_err(failed)?;
    let Seal { length, patches } = seal(&layout, extent, &header);
    repair.seal.length = length;
    for patch in patches {
        if read(&mut input, patch.at, patch.bytes.len() as u64).map_err(failed)? != patch.bytes {
            repair.seal.patches.push(patch);
        }
    }
    Ok(repair)
}

/// Whether the RIFF size extends over the samples and not beyond the file. One byte for a missing pad.
fn riff_size_can_be_true(layout: &WavLayout) -> bool {
    let end = layout.riff_claim.saturating_add(8);
    let samples_end = layout.data.saturating_add(layout.data_claim);
    samples_end <= end && end <= layout.len.saturating_add(1)
}

fn extent(input: &mut &mut dyn Input, layout: &WavLayout, origin: Origin) -> io::Result<Extent> {
    let claim = layout.data_claim;
    if layout.format_is_behind {
        // Whatever else is broken after it: without the format nothing of the file can be read.
        return Ok(Extent { bytes: claim, keeps_rest: true, is_right: riff_size_can_be_true(layout) });
    }
    let behind = layout::behind(input, layout.data, claim, layout.len)?;
    let keeps_rest = match behind {
        Behind::Nothing => false,
        Behind::Chunks => true,
        Behind::Other if is_none_of_ours(input, layout, origin)? => {
            return Ok(Extent { bytes: claim, keeps_rest: true, is_right: true });
        }
        Behind::Other => return open_extent(input, layout, origin),
    };
    // The writer was stopped within a frame, and the sizes were computed from that.
    let broken = if origin == Origin::Part && !keeps_rest { claim % layout.frame_bytes } else { 0 };
    Ok(Extent { bytes: claim - broken, keeps_rest, is_right: riff_size_can_be_true(layout) })
}

/// Whether the file is complete with something unknown after its samples, such as a mark of another program.
fn is_none_of_ours(input: &mut &mut dyn Input, layout: &WavLayout, origin: Origin) -> io::Result<bool> {
    let fits = layout.data_claim <= layout.len.saturating_sub(layout.data);
    // The decoder ignores a placeholder; a size of zero followed by something unknown is one as well.
    let is_placeholder = layout.data_claim == 0 || layout.data_read != layout.data_claim || has_wrapped(layout);
    Ok(origin == Origin::Named && fits && !is_placeholder && !is_our_checkpoint(input, layout)?)
}

/// The extent of samples that continue to the end of the file, or to a trailer.
fn open_extent(input: &mut &mut dyn Input, layout: &WavLayout, origin: Origin) -> io::Result<Extent> {
    let there = layout.len.saturating_sub(layout.data);
    // What a checkpoint claimed is sound, so that a trailer can only come after it.
    let from = if layout.data_claim <= there { layout.data_claim } else { 0 };
    let (end, keeps_rest) = find_trailer(input, layout, from, origin)?.unwrap_or((there, false));
    Ok(Extent { bytes: end - end % layout.frame_bytes, keeps_rest, is_right: false })
}

/// Whether the sizes are those of a writer that counted in 32 bits and overflowed.
fn has_wrapped(layout: &WavLayout) -> bool {
    let low = |size: u64| size % (1 << 32);
    let there = layout.len.saturating_sub(layout.data);
    let (riff, data) = (low(layout.len.saturating_sub(8)), low(there));
    !layout.is_wide && there > layout.data_claim && (layout.riff_claim, layout.data_claim) == (riff, data)
}

/// Whether the header is, byte for byte, what this program writes while it records: then the sound continues beyond it.
fn is_our_checkpoint(input: &mut &mut dyn Input, layout: &WavLayout) -> io::Result<bool> {
    let Ok(ours) = Header::new(layout.format) else { return Ok(false) };
    let front = layout.data.checked_sub(ours.file_len()).filter(|&front| front <= FRONT_LIMIT);
    let Some(front) = front else { return Ok(false) };
    // The chunks before the format may have any content.
    let ours = ours.with_mask(layout.mask).with_chunks(read(input, Header::FRONT_AT, front)?);
    if ours.file_len() != layout.data {
        return Ok(false);
    }
    let checkpoint = ours.file(layout.data_claim, layout.data.saturating_add(layout.data_claim));
    Ok(read(input, 0, layout.data)? == checkpoint)
}

/// Finds tags and markers at the end of a file whose sizes do not show where they begin, because the writer died
/// between writing them and writing the sizes. Returns the bytes of samples before them, and whether they are whole.
///
/// Searches for what occurs in sound only by chance: an id, a kind, and chunks that end exactly with the file. In its
/// own recordings this program also recognises a trailer that was cut off; such a trailer is discarded.
fn find_trailer(
    input: &mut &mut dyn Input,
    layout: &WavLayout,
    from: u64,
    origin: Origin,
) -> io::Result<Option<(u64, bool)>> {
    let first = layout.data.saturating_add(from).max(layout.len.saturating_sub(TRAILER_LIMIT));
    let tail = read(input, first, TRAILER_LIMIT)?;
    for (offset, window) in (0_u64..).zip(tail.windows(24)) {
        if !is_trailer_start(window) {
            continue;
        }
        let at = first + offset;
        let bytes = at - layout.data;
        let broken = bytes % layout.frame_bytes;
        let is_padded = broken == 1 && (bytes - 1) % 2 == 1;
        if broken != 0 && !is_padded {
            continue;
        }
        // Size 0 and nothing after it: the first chunk starts at this place.
        if layout::behind(input, at, 0, layout.len)? == Behind::Chunks {
            return Ok(Some((bytes, true)));
        }
        if origin == Origin::Part {
            return Ok(Some((bytes, false)));
        }
    }
    Ok(None)
}

/// Whether a list of tags or a table of markers begins here.
fn is_trailer_start(window: &[u8]) -> bool {
    let is = |at: usize, id: &[u8; 4]| window.get(at..at + 4) == Some(id);
    // The first cue point names the chunk that it points into.
    (is(0, b"LIST") && is(8, b"INFO")) || (is(0, b"cue ") && is(20, b"data"))
}

/// The true length of the file and what makes it valid, whether it is there already or not.
fn seal(layout: &WavLayout, extent: Extent, header: &[u8]) -> Seal {
    let end = layout.data.saturating_add(extent.bytes);
    let needs_pad = !extent.keeps_rest && extent.bytes % 2 == 1;
    let length = if extent.keeps_rest { layout.len } else { end.saturating_add(needs_pad.into()) };
    let sizes = Sizes::new(layout, extent.bytes, length);
    if sizes == Sizes::Unknown {
        // Readers of such a header treat everything up to the end as sound, so that there is nothing to pad or to cut,
        // and nothing to gain where something else follows the samples.
        let patches = if extent.keeps_rest { Vec::new() } else { patches(layout, sizes, header) };
        return Seal { length: layout.len, patches };
    }
    let mut patches = patches(layout, sizes, header);
    if needs_pad {
        // After the header, which already counts it: a file without it is equally valid, and is repaired to the same
        // end.
        patches.push(Patch { at: end, bytes: vec![0] });
    }
    Seal { length, patches }
}

/// The sizes that a header can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sizes {
    /// In 32 bits: what follows the RIFF size, and the samples.
    Plain { riff: u64, data: u64 },
    /// In `ds64`, which begins at `at` and is `bytes` long, not counting its own head.
    Wide { at: u64, bytes: u32, riff: u64, data: u64 },
    /// Too large for 32 bits, and no room for `ds64`: `0xFFFFFFFF`, which players interpret as "up to the end".
    Unknown,
}

impl Sizes {
    fn new(layout: &WavLayout, data: u64, length: u64) -> Self {
        let riff = length.saturating_sub(8);
        match (layout.ds64, layout.reserve) {
            (Some(payload), _) => Self::Wide { at: payload - 8, bytes: 0, riff, data },
            (None, _) if riff <= PLAIN_SIZE_LIMIT => Self::Plain { riff, data },
            (None, Some(bytes)) => Self::Wide { at: FIRST_CHUNK, bytes, riff, data },
            (None, None) => Self::Unknown,
        }
    }
}

/// The bytes that set the sizes in the header to `sizes`.
fn patches(layout: &WavLayout, sizes: Sizes, header: &[u8]) -> Vec<Patch> {
    let low = |size: u64| u32::try_from(size).unwrap_or(UNKNOWN).to_le_bytes().to_vec();
    let (id, riff, data) = match sizes {
        Sizes::Plain { riff, data } => (Some(b"RIFF"), riff, data),
        // RF64 or BW64, as it was.
        Sizes::Wide { .. } if layout.is_wide => (None, u64::MAX, u64::MAX),
        Sizes::Wide { .. } => (Some(b"RF64"), u64::MAX, u64::MAX),
        Sizes::Unknown => (Some(b"RIFF"), u64::MAX, u64::MAX),
    };
    let mut fields = vec![(4, low(riff))];
    fields.extend(id.map(|id| (0, id.to_vec())));
    if let Sizes::Wide { at, bytes, riff, data } = sizes {
        fields.extend(ds64(at, bytes, [riff, data, data / layout.frame_bytes]));
    }
    if let Some(at) = layout.fact {
        let frames = match sizes {
            Sizes::Plain { data, .. } => data / layout.frame_bytes,
            Sizes::Wide { .. } | Sizes::Unknown => u64::MAX,
        };
        fields.push((at, low(frames)));
    }
    fields.push((layout.data.saturating_sub(4), low(data)));
    merged(fields, header)
}

/// The fields of `ds64`. With `reserved` bytes above zero it replaces a `JUNK` chunk of that size, and the bytes that
/// it does not need become a smaller one.
fn ds64(at: u64, reserved: u32, sizes: [u64; 3]) -> Vec<(u64, Vec<u8>)> {
    let sizes = sizes.map(u64::to_le_bytes).concat();
    if reserved == 0 {
        return vec![(at + 8, sizes)];
    }
    let rest = reserved - DS64_BYTES;
    // A rest too small for a chunk of its own stays inside, as bytes after a table of length zero.
    let (bytes, junk) = if rest >= 8 { (DS64_BYTES, Some(rest - 8)) } else { (reserved, None) };
    let mut chunk = [&b"ds64"[..], &bytes.to_le_bytes(), &sizes, &[0; 4]].concat();
    if let Some(junk) = junk {
        chunk.extend([&b"JUNK"[..], &junk.to_le_bytes()].concat());
    }
    vec![(at, chunk)]
}

/// One patch for all changes within `header`, then those after it.
fn merged(fields: Vec<(u64, Vec<u8>)>, header: &[u8]) -> Vec<Patch> {
    let mut changed = header.to_vec();
    let mut behind = Vec::new();
    for (at, bytes) in fields {
        let range = usize::try_from(at).ok().and_then(|at| Some(at..at.checked_add(bytes.len())?));
        match range.and_then(|range| changed.get_mut(range)) {
            Some(place) => place.copy_from_slice(&bytes),
            None => behind.push(Patch { at, bytes }),
        }
    }
    let differs = |(old, new): (&u8, &u8)| old != new;
    let first = header.iter().zip(&changed).position(differs);
    let last = header.iter().zip(&changed).rposition(differs);
    let front = first
        .zip(last)
        .and_then(|(first, last)| Some(Patch { at: first as u64, bytes: changed.get(first..=last)?.to_vec() }));
    front.into_iter().chain(behind).collect()
}

/// Up to `size` bytes from `at` on; fewer at the end of the file.
fn read(input: &mut &mut dyn Input, at: u64, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.seek(SeekFrom::Start(at))?;
    input.take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}
