//! Dictation as on a hand-held machine: a new take goes after, into or over an old one, and one step of undo is
//! possible.
//!
//! The new take is recorded as a take of its own. [`splice`] writes both, in the format of the old one, into a file
//! beside the old take and gives it the old take's name only when it is on the disk. At every moment, whatever fails
//! and wherever a crash happens, each take is on the disk in one whole piece:
//!
//! | step | the old take | the new take |
//! |---|---|---|
//! | the result grows in a draft beside it | has its name | has its name |
//! | the old take gets a second name, `NAME-before.EXT` | has both | has its name |
//! | the result takes the name `NAME.EXT`, in one step | `NAME-before.EXT` | has its name, and is in the result |
//! | the new take and `NAME-before.EXT` go to the trash | in the trash | in the trash, and in the result |
//!
//! So a crash leaves takes that are visible in the folder, and at most a draft that the next run removes: nothing has
//! to be repaired. Where there is no trash, both stay in the folder. The old version is kept in the trash and not in a
//! hidden file, because hidden files the size of recordings would accumulate unnoticed, and because it can be found
//! there without this program as well.
//!
//! Samples are as exact as in [`convert`](mod@super::convert): outside the seam a WAV file is the same bit for bit; a take
//! in a lossy format is encoded again as a whole. Run by any thread but a realtime one.

mod plan;

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    time::SystemTime,
};

use self::plan::Plan;
pub use self::plan::Seam;
use super::{
    advance::Watch,
    assembly::{Assembly, Destination, NewClip, cannot_write, discard_unnamed},
    trash::{self, Trashed},
};
use crate::{
    audio::{AudioFormat, output_frames},
    error::{Error, ErrorKind, Result},
    format::{self, Decoder},
    storage::{self, Existing, FileSpool, Spool, place},
};

/// A take with a new one in it, and how to undo that.
#[derive(Debug, Clone)]
pub struct Spliced {
    /// The take.
    pub path: PathBuf,
    /// Frames in it.
    pub frames: u64,
    /// Those of them that are new.
    pub new_frames: Range<u64>,
    /// Frames a second of it, in hertz.
    pub sample_rate: u32,
    /// Samples of the new take that were beyond full scale and are cut to it.
    pub clipped: u64,
    /// Frames that could not be read from the two and are silence in it, counted among the lost ones in its tags.
    pub lost_frames: u64,
    result: Stamp,
    previous: ToUndo,
    new_take: ToUndo,
}

impl Spliced {
    /// The old version and the new take, as far as there was no trash for them and they are in the folder.
    pub fn left_over(&self) -> impl Iterator<Item = &Path> {
        [&self.previous, &self.new_take].into_iter().filter_map(|kept| match kept {
            ToUndo::Trashed(_) => None,
            ToUndo::InFolder(path) => Some(path.as_path()),
        })
    }
}

impl Spliced {
    /// Where the new take was, and is again after [`undo_splice`].
    #[must_use]
    pub fn new_take(&self) -> &Path {
        match &self.new_take {
            ToUndo::Trashed(trashed) => &trashed.path,
            ToUndo::InFolder(path) => path,
        }
    }
}

/// Where a file is that is needed to undo a splice.
#[derive(Debug, Clone)]
pub(super) enum ToUndo {
    Trashed(Trashed),
    InFolder(PathBuf),
}

impl ToUndo {
    pub(super) fn put_away(path: PathBuf) -> Self {
        // Without a trash the file stays: one take too many is better than one too few.
        trash::delete(&path, false).map_or(Self::InFolder(path), Self::Trashed)
    }

    /// Reports early that it cannot be brought back because another file has its name by now.
    pub(super) fn refuse_if_taken(&self) -> Result<()> {
        match self {
            Self::Trashed(trashed) => trash::refuse_if_taken(&trashed.path),
            Self::InFolder(_) => Ok(()),
        }
    }

    pub(super) fn bring_back(&self) -> Result<&Path> {
        match self {
            Self::Trashed(trashed) => trash::restore(trashed).map(|()| trashed.path.as_path()),
            Self::InFolder(path) => Ok(path),
        }
    }
}

/// Puts the sound of the clip `new` into the clip `old`, brought to its rate, channels, depth and format, with its
/// markers. Tags stay those of `old`; markers move with their frames, those of overwritten frames are removed.
///
/// `new` and the old version of `old` go to the trash. `watch` can end it at any block. After an error both clips are
/// as they were, and there is no other file; only if the disk fails at the very end a second name of the old version
/// can be left, and then the message contains it.
///
/// # Errors
/// [`ErrorKind::InvalidData`] if `new` has no sound, is `old` itself, or if one of them ends early or is changed by
/// another program meanwhile; [`ErrorKind::NotSupported`] if the format of `old` cannot be written;
/// [`ErrorKind::Abort`] after `watch` ended it; else those of [`format::open`] and of the file system.
pub fn splice(old: &Path, new: &Path, seam: Seam, watch: Watch<'_>) -> Result<Spliced> {
    // The result must get the name that a link leads to.
    let failed = |error| Error::from_io(error, format!("cannot read {}", old.display()));
    let target = old.canonicalize().map_err(failed)?;
    let takes = OpenClips::open(&target, new)?;
    let _ = target.parent().map(storage::remove_drafts);
    let mut spool = FileSpool::draft_beside(&target)
        .map_err(|error| Error::from_io(error, format!("cannot create a file beside {}", old.display())))?;
    let sample_rate = takes.old.audio().sample_rate;
    let done = takes.into_spool(seam, &mut spool, watch)?;
    let result = Stamp::of(&target).map_err(|error| cannot_write(error, &target.display().to_string()))?;
    Ok(Spliced {
        frames: done.plan.frames(),
        new_frames: done.plan.at..done.plan.at.saturating_add(done.plan.new),
        sample_rate,
        clipped: done.clipped,
        lost_frames: done.lost_frames,
        result,
        previous: ToUndo::put_away(done.previous),
        new_take: ToUndo::put_away(std::path::absolute(new).unwrap_or_else(|_| new.to_owned())),
        path: target,
    })
}

/// Undoes a splice: the old version has its name again, byte for byte, and the new take is a take of its own again.
///
/// The result of the splice is deleted then, if it has not been moved meanwhile; everything in it is in those two.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] if something else has that name by now, or the clip was changed; those of
/// [`restore`](super::restore) if the trash was emptied. Then the spliced clip stays as it is. After `AlreadyExists` so
/// do the other two, and undoing can be tried again.
pub fn undo_splice(spliced: &Spliced) -> Result<()> {
    let path = &spliced.path;
    let existing = match Stamp::of(path) {
        Ok(stamp) if stamp == spliced.result => Existing::Replace,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Existing::Keep,
        _ => {
            let context = format!("{} was changed since, the old version is not put in its place", path.display());
            return Err(Error::new(ErrorKind::AlreadyExists, context));
        }
    };
    // Both or neither, so that it can be tried again when the name is free.
    spliced.previous.refuse_if_taken()?;
    spliced.new_take.refuse_if_taken()?;
    let previous = spliced.previous.bring_back()?;
    // Before the result is deleted: its sound must exist elsewhere.
    spliced.new_take.bring_back().map_err(|error| {
        let context = format!("the new take is gone; the old version is {}", previous.display());
        Error::new(error.kind(), context).with_source(error)
    })?;
    storage::rename(previous, path, existing).map(drop).map_err(|error| {
        let context = format!("cannot give {} its name back; it is {}", path.display(), previous.display());
        Error::from_io(error, context)
    })
}

/// One of the two takes, open.
pub(super) struct OpenClip {
    pub(super) path: PathBuf,
    pub(super) decoder: Box<dyn Decoder>,
    stamp: Stamp,
    pub(super) frames: u64,
}

impl OpenClip {
    pub(super) fn open(path: &Path) -> Result<Self> {
        if place::target_of_part(path).is_some() {
            let context = format!("{} is an unfinished recording", path.display());
            return Err(Error::new(ErrorKind::InvalidData, context));
        }
        let failed = |error| Error::from_io(error, format!("cannot read {}", path.display()));
        let stamp = Stamp::of(path).map_err(failed)?;
        let mut decoder = format::open(path)?;
        let frames = match decoder.frames() {
            Some(frames) => frames,
            None => count_frames(decoder.as_mut())?,
        };
        Ok(Self { path: path.to_owned(), decoder, stamp, frames })
    }

    pub(super) fn audio(&self) -> AudioFormat {
        self.decoder.format()
    }

    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Frames of `stretch`, which was read last, that are silence because they are damaged.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] if it ended before its stated length: what follows would be in the wrong place.
    pub(super) fn silent_in(&self, stretch: &Range<u64>) -> Result<u64> {
        let damage = self.decoder.damage();
        if damage.cut_off() > 0 {
            let lost = damage.sentence(self.audio().sample_rate).unwrap_or_default();
            return Err(Error::new(ErrorKind::InvalidData, format!("{} ends early: {lost}", self.name())));
        }
        Ok(damage.silent_in(stretch))
    }

    /// # Errors
    /// [`ErrorKind::InvalidData`] if another program has changed it.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        match Stamp::of(&self.path) {
            Ok(stamp) if stamp == self.stamp => Ok(()),
            _ => {
                let context = format!("{} was changed while it was read", self.path.display());
                Err(Error::new(ErrorKind::InvalidData, context))
            }
        }
    }
}

fn count_frames(decoder: &mut dyn Decoder) -> Result<u64> {
    let (mut total, mut block) = (0, Vec::new());
    loop {
        block.clear();
        match decoder.read(&mut block, super::waveform::BLOCK_FRAMES)? {
            0 => return Ok(total),
            frames => total += frames as u64,
        }
    }
}

struct OpenClips {
    old: OpenClip,
    new: OpenClip,
}

/// A splice that is on the disk.
struct Done {
    plan: Plan,
    clipped: u64,
    lost_frames: u64,
    /// The old version.
    previous: PathBuf,
}

impl OpenClips {
    fn open(old: &Path, new: &Path) -> Result<Self> {
        let takes = Self { old: OpenClip::open(old)?, new: OpenClip::open(new)? };
        let refused = |what| Err(Error::new(ErrorKind::InvalidData, format!("{} {what}", new.display())));
        if takes.old.stamp == takes.new.stamp && new.canonicalize().is_ok_and(|new| new == old) {
            return refused("would go into itself");
        }
        if takes.new.frames == 0 {
            return refused("has no sound in it");
        }
        Ok(takes)
    }

    /// Assembles, and replaces the old take. After an error nothing is left of it.
    fn into_spool(mut self, seam: Seam, spool: &mut dyn Spool, watch: Watch<'_>) -> Result<Done> {
        let outcome = self.assemble(seam, spool, watch).and_then(|(plan, clipped, lost_frames)| {
            self.old.check_unchanged()?;
            self.new.check_unchanged()?;
            let previous = replace(&self.old.path, spool)?;
            Ok(Done { plan, clipped, lost_frames, previous })
        });
        if outcome.is_err() {
            discard_unnamed(spool, &self.old.path);
        }
        outcome
    }

    fn assemble(&mut self, seam: Seam, spool: &mut dyn Spool, watch: Watch<'_>) -> Result<(Plan, u64, u64)> {
        let (audio, from) = (self.old.audio(), self.new.audio());
        let container = self.old.decoder.container();
        let format = format::by_name(container)
            .ok_or_else(|| Error::new(ErrorKind::NotSupported, format!("{container} cannot be written")))?;
        let added = output_frames(self.new.frames, from.sample_rate, audio.sample_rate);
        let plan = Plan::new(seam, self.old.frames, added);
        let tags = self.new.decoder.metadata().clone().at_rate(from.sample_rate, audio.sample_rate);
        let metadata = plan.metadata(self.old.decoder.metadata().clone(), tags);
        let (old_name, new_name) = (self.old.name(), self.new.name());
        let tags = metadata.clone();
        let output =
            NewClip { format, audio, bits_per_second: None, map: None, metadata, level: None, name: old_name.clone() };
        let (before, after) = (0..plan.at, plan.resumes..plan.old);
        let total = self.new.frames.saturating_add(plan.frames().saturating_sub(plan.new));
        let mut assembly = Assembly::begin(output, Destination::Spool(spool), Some(total))?;
        assembly.append(self.old.decoder.as_mut(), &old_name, before.clone(), watch)?;
        let mut lost = self.old.silent_in(&before)?;
        assembly.append(self.new.decoder.as_mut(), &new_name, 0..self.new.frames, watch)?;
        lost += output_frames(self.new.silent_in(&(0..self.new.frames))?, from.sample_rate, audio.sample_rate);
        assembly.append(self.old.decoder.as_mut(), &old_name, after.clone(), watch)?;
        lost += self.old.silent_in(&after)?;
        assembly.note_lost(tags, lost);
        Ok((plan, assembly.finish()?.clipped, lost))
    }
}

/// Gives the name of the old take to the spool, and returns the name that the old take has then.
pub(super) fn replace(old: &Path, spool: &mut dyn Spool) -> Result<PathBuf> {
    let name = old.display().to_string();
    if let (Some(part), Ok(there)) = (spool.path(), fs::metadata(old)) {
        // The result gets the permissions of the old take. Some file systems have no permissions.
        let _ = fs::set_permissions(part, there.permissions());
    }
    let previous = storage::keep_twin(old, &place::marked(old, "-before"))
        .map_err(|error| Error::from_io(error, format!("cannot keep the old version of {name}")))?;
    let Err(error) = spool.commit(old, Existing::Replace) else { return Ok(previous) };
    let undone = if spool.path().as_deref() == Some(old) {
        // It has the name, but whether it will have it after a power cut is unknown.
        storage::rename(&previous, old, Existing::Replace).map(drop)
    } else {
        fs::remove_file(&previous)
    };
    Err(match undone {
        Ok(()) => cannot_write(error, &name),
        Err(_) => cannot_write(error, &format!("{name} (its old version is {})", previous.display())),
    })
}

/// Identifies a file, to check whether it is still the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    /// Device and file, where files have numbers.
    id: Option<(u64, u64)>,
}

impl Stamp {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let there = fs::metadata(path)?;
        Ok(Self { bytes: there.len(), modified: there.modified().ok(), id: file_id(&there) })
    }
}

#[cfg(unix)]
fn file_id(file: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn file_id(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

#[cfg(test)]
mod tests;
