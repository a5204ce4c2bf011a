//! A part of a clip is cut out, or only that part is kept. The old version goes to the trash, and one step of undo is
//! possible.
//!
//! Written as in [`splice`](mod@super::splice): into a file beside the clip that gets its name only when it is on the disk,
//! while the old version keeps a name of its own, so that no crash loses a frame. What is kept is the same bit for bit in
//! WAV and FLAC; a clip in a lossy format is encoded again as a whole. Run by any thread but a realtime one.

use std::{
    io,
    ops::Range,
    path::{Path, PathBuf},
};

use super::{
    advance::Watch,
    assembly::{Assembly, Destination, NewClip, cannot_write, discard_unnamed},
    splice::{OpenClip, Stamp, ToUndo, replace},
};
use crate::{
    audio::{
        Marker, Metadata,
        time::{frames_in, seconds},
    },
    error::{Error, ErrorKind, Result},
    format::{self, Decoder},
    storage::{self, Existing, FileSpool, Spool},
};

/// How long one part fades into the other where two parts meet with `soft`.
const CROSSFADE: std::time::Duration = std::time::Duration::from_millis(5);

/// What is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// These frames are removed, and what is on both sides of them meets.
    Out(Range<u64>),
    /// All but these frames are removed.
    Keep(Range<u64>),
}

named! { Cut: Out "out", Keep "keep" }

impl Cut {
    /// The frames that are left of `frames` frames.
    fn kept(&self, frames: u64) -> Vec<Range<u64>> {
        let at = |frame: u64| frame.min(frames);
        let mut parts = Vec::new();
        match self {
            Self::Out(gone) if gone.is_empty() => parts.push(0..frames),
            Self::Out(gone) => parts.extend([0..at(gone.start), at(gone.end)..frames]),
            Self::Keep(kept) => parts.push(at(kept.start)..at(kept.end)),
        }
        parts.retain(|part| !part.is_empty());
        parts
    }
}

/// A clip of which something was cut, and how to undo that.
#[derive(Debug, Clone)]
pub struct Trimmed {
    /// The clip.
    pub path: PathBuf,
    /// Frames in it.
    pub frames: u64,
    /// Frames that were removed.
    pub gone: u64,
    /// The frame at which something is missing now: where two parts meet, or the start.
    pub seam: u64,
    /// Frames a second, in hertz.
    pub sample_rate: u32,
    /// Frames that could not be read and are silence in it, counted among the lost ones in its tags.
    pub lost_frames: u64,
    result: Stamp,
    previous: ToUndo,
}

impl Trimmed {
    /// The old version, if there was no trash for it and it is in the folder.
    #[must_use]
    pub fn left_over(&self) -> Option<&Path> {
        match &self.previous {
            ToUndo::Trashed(_) => None,
            ToUndo::InFolder(path) => Some(path),
        }
    }
}

/// Cuts the clip at `path`. Markers move with their frames, those of removed frames are removed. With `soft` the parts
/// that meet fade into each other for 5 ms, at a place within 5 ms of the cut at which both are quietest; the length is
/// the same with and without it.
///
/// `watch` can end it at any block. After an error the clip is as it was, and there is no other file.
///
/// # Errors
/// [`ErrorKind::InvalidData`] if nothing would be left or nothing is to be cut, and for a clip that ends early or is
/// changed by another program meanwhile; [`ErrorKind::NotSupported`] if its format cannot be written;
/// [`ErrorKind::Abort`] after `watch` ended it; else those of [`format::open`] and of the file system.
pub fn cut(path: &Path, cut: &Cut, soft: bool, watch: Watch<'_>) -> Result<Trimmed> {
    let failed = |error| Error::from_io(error, format!("cannot read {}", path.display()));
    let target = path.canonicalize().map_err(failed)?;
    let mut clip = OpenClip::open(&target)?;
    let parts = cut.kept(clip.frames);
    let left: u64 = parts.iter().map(|part| part.end - part.start).sum();
    let refuse = |what: &str| Err(Error::new(ErrorKind::InvalidData, format!("{what} of {}", path.display())));
    if left == 0 {
        return refuse("nothing would be left");
    }
    if left == clip.frames {
        return refuse("nothing would be cut out");
    }
    let parts = Parts::new(parts, clip.decoder.as_mut(), soft)?;
    let mut spool = FileSpool::draft_beside(&target)
        .map_err(|error| Error::from_io(error, format!("cannot create a file beside {}", path.display())))?;
    let outcome = parts.write(&mut clip, &mut spool, watch).and_then(|lost_frames| {
        clip.check_unchanged()?;
        Ok((replace(&target, &mut spool)?, lost_frames))
    });
    let (previous, lost_frames) = outcome.inspect_err(|_| discard_unnamed(&mut spool, &target))?;
    let result = Stamp::of(&target).map_err(|error| cannot_write(error, &target.display().to_string()))?;
    Ok(Trimmed {
        frames: left,
        gone: clip.frames - left,
        seam: parts.seam(),
        sample_rate: clip.audio().sample_rate,
        lost_frames,
        result,
        previous: ToUndo::put_away(previous),
        path: target,
    })
}

/// Undoes a cut: the old version has its name again, byte for byte.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] if the clip was changed since; those of [`restore`](super::restore) if the trash was
/// emptied. Then the clip stays as it is.
pub fn undo_cut(trimmed: &Trimmed) -> Result<()> {
    let path = &trimmed.path;
    let existing = match Stamp::of(path) {
        Ok(stamp) if stamp == trimmed.result => Existing::Replace,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Existing::Keep,
        _ => {
            let context = format!("{} was changed since, the old version is not put in its place", path.display());
            return Err(Error::new(ErrorKind::AlreadyExists, context));
        }
    };
    trimmed.previous.refuse_if_taken()?;
    let previous = trimmed.previous.bring_back()?;
    storage::rename(previous, path, existing).map(drop).map_err(|error| {
        let context = format!("cannot give {} its name back; it is {}", path.display(), previous.display());
        Error::from_io(error, context)
    })
}

/// What is left of a clip.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    parts: Vec<Range<u64>>,
    /// Frames over which the first fades into the second, from the place on where they meet.
    fade: u64,
}

impl Parts {
    fn new(mut parts: Vec<Range<u64>>, decoder: &mut dyn Decoder, soft: bool) -> Result<Self> {
        let mut fade = 0;
        if let ([before, after], true) = (parts.as_mut_slice(), soft) {
            let most = frames_in(CROSSFADE, decoder.format().sample_rate);
            let shift = quietest(before.end, after.start, after.end, most, decoder)?;
            before.end = before.end.saturating_add_signed(shift);
            after.start = after.start.saturating_add_signed(shift);
            fade = most.min(after.start - before.end).min(after.end - after.start);
        }
        Ok(Self { parts, fade })
    }

    /// Where in the result something is missing.
    fn seam(&self) -> u64 {
        match self.parts.as_slice() {
            [before, _] => before.end,
            [only] if only.start == 0 => only.end,
            _ => 0,
        }
    }

    /// Where a frame of the clip is afterwards, if it is still there. The end is removed with the last frame.
    fn place(&self, frame: u64, frames: u64) -> Option<u64> {
        let mut before = 0;
        for part in &self.parts {
            if part.contains(&frame) || (frame >= frames && part.end == frames) {
                return Some(before + frame.min(part.end) - part.start);
            }
            before += part.end - part.start;
        }
        None
    }

    fn metadata(&self, tags: Metadata, frames: u64) -> Metadata {
        let kept = tags
            .markers
            .iter()
            .filter_map(|marker| Some(Marker { frame: self.place(marker.frame, frames)?, text: marker.text.clone() }));
        Metadata { markers: kept.collect(), ..tags }
    }

    /// Returns how many frames of it could not be read.
    fn write(&self, clip: &mut OpenClip, spool: &mut dyn Spool, watch: Watch<'_>) -> Result<u64> {
        let container = clip.decoder.container();
        let format = format::by_name(container)
            .ok_or_else(|| Error::new(ErrorKind::NotSupported, format!("{container} cannot be written")))?;
        let (audio, name) = (clip.audio(), clip.name());
        let metadata = self.metadata(clip.decoder.metadata().clone(), clip.frames);
        let tags = metadata.clone();
        let output =
            NewClip { format, audio, map: None, bits_per_second: None, metadata, level: None, name: name.clone() };
        let total = self.parts.iter().map(|part| part.end - part.start).sum();
        let mut assembly = Assembly::begin(output, Destination::Spool(spool), Some(total))?;
        let mut lost_frames = 0;
        for (number, part) in self.parts.iter().enumerate() {
            let mut part = part.clone();
            if let (1, true, Some(before)) = (number, self.fade > 0, self.parts.first()) {
                let mixed = mixed(before.end, part.start, self.fade, clip.decoder.as_mut())?;
                assembly.append_samples(&mixed)?;
                part.start += self.fade;
            }
            assembly.append(clip.decoder.as_mut(), &name, part.clone(), watch)?;
            lost_frames += clip.silent_in(&part)?;
        }
        assembly.note_lost(tags, lost_frames);
        assembly.finish()?;
        Ok(lost_frames)
    }
}

/// By how many frames both ends are moved to where they are quietest, so that the length stays.
#[allow(clippy::cast_possible_wrap, reason = "some milliseconds")]
fn quietest(end: u64, start: u64, frames: u64, most: u64, decoder: &mut dyn Decoder) -> Result<i64> {
    let back = most.min(end);
    let on = most.min(frames.saturating_sub(start)).min(start.saturating_sub(end));
    let (one, other) = (read(decoder, end - back, back + on)?, read(decoder, start - back, back + on)?);
    let channels = usize::from(decoder.format().channels.max(1));
    let loudness = |frame: &[f32]| frame.iter().map(|sample| sample.abs()).sum::<f32>();
    let both = one.chunks_exact(channels).zip(other.chunks_exact(channels));
    let sums = both.map(|(one, other)| loudness(one) + loudness(other)).enumerate();
    let far = |place: usize| (place as u64).abs_diff(back);
    // Of places that are equally quiet, the nearest.
    let best = sums.min_by(|(a, one), (b, other)| one.total_cmp(other).then(far(*a).cmp(&far(*b))));
    Ok(best.map_or(0, |(place, _)| place as i64 - back as i64))
}

/// What follows `end`, fading into what follows `start`.
fn mixed(end: u64, start: u64, frames: u64, decoder: &mut dyn Decoder) -> Result<Vec<f32>> {
    let (one, other) = (read(decoder, end, frames)?, read(decoder, start, frames)?);
    let channels = usize::from(decoder.format().channels.max(1));
    let part = |sample: usize| ((sample / channels) as f32 + 0.5) / frames.max(1) as f32;
    let mixed = one.iter().zip(&other).enumerate().map(|(place, (one, other))| one + (other - one) * part(place));
    Ok(mixed.collect())
}

/// Exactly `frames` frames from `at` on.
fn read(decoder: &mut dyn Decoder, at: u64, frames: u64) -> Result<Vec<f32>> {
    let channels = usize::from(decoder.format().channels.max(1));
    let wanted = usize::try_from(frames).unwrap_or(usize::MAX);
    let mut samples = Vec::new();
    decoder.seek(at)?;
    while samples.len() / channels < wanted {
        let left = wanted - samples.len() / channels;
        if decoder.read(&mut samples, left)? == 0 {
            let at = at + (samples.len() / channels) as u64;
            let place = seconds(at, decoder.format().sample_rate);
            return Err(Error::new(
                ErrorKind::InvalidData,
                format!("the clip breaks off at {place:.3} s (frame {at})"),
            ));
        }
    }
    Ok(samples)
}

#[cfg(test)]
mod tests;
