//! Makes unfinished recordings whole: repairs the header, keeps the time of the last change, gives the finished name.
//!
//! The order survives a crash anywhere: the bytes first, then the disk, then the name; whoever runs it again finishes
//! it. Nothing is ever replaced, and nothing deleted but a hidden file without a byte of sound: it would be found again for
//! ever. What has to change is decided in [`repair`]. Run by any
//! thread but a realtime one.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::find::{self, Kind, Unfinished, find};
use crate::{
    audio::{AudioFormat, time},
    error::{Error, Result},
    format::repair::{self, Origin, Repair},
    storage::{self, Existing, FileSpool, Spool, place},
};

/// What was done about a recording, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Its bytes were made right and, if its name was a hidden one, it was given its finished name.
    Repaired,
    /// Its bytes were right; it was given its finished name.
    Renamed,
    /// It is right and has its name: there was nothing to do.
    Nothing,
    /// There is no sound in it. A hidden file that holds nothing else either was removed; any other is left as it is.
    Empty,
}

/// A recording that was looked after.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovered {
    /// Where it was.
    pub from: PathBuf,
    /// Where it is now; in a dry run, where it would be.
    pub to: PathBuf,
    /// What was done, or would be.
    pub change: Change,
    /// Name of the container, such as `wav`.
    pub container: &'static str,
    /// What the sound is like, where the file tells.
    pub format: Option<AudioFormat>,
    /// Frames in it, where the format is known.
    pub frames: Option<u64>,
    /// Bytes of the finished file.
    pub size_bytes: u64,
    /// Bytes that were written into it.
    pub changed_bytes: u64,
    /// Bytes at the end that made no whole frame and were cut off.
    pub cut_bytes: u64,
}

impl Recovered {
    /// The length of the recording, where it is known.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        Some(time::duration_of(self.frames?, self.format?.sample_rate))
    }
}

/// What became of one path.
#[derive(Debug)]
pub enum Outcome {
    /// It was looked after.
    Recovered(Recovered),
    /// It is still being written and was not touched.
    BeingWritten(PathBuf),
    /// It could not be recovered, or not even looked at; it is as it was, or as far as the last whole step.
    Failed(PathBuf, Error),
}

/// Finds the unfinished recordings in `paths` (files and folders) and recovers each; a failure of one does not keep the
/// others from it. With `dry_run` nothing changes, and the outcomes say what would be.
#[must_use]
pub fn run(paths: &[PathBuf], dry_run: bool) -> Vec<Outcome> {
    if !dry_run {
        // What was made of other clips when its maker was killed is no recording: nothing is lost with it.
        paths.iter().filter(|path| path.is_dir()).for_each(|folder| drop(storage::remove_drafts(folder)));
    }
    let found = find(paths);
    let mut promised = BTreeSet::new();
    let recovered = found.unfinished.into_iter().filter_map(|file| {
        let outcome = recover_beside(&file, dry_run, &mut promised);
        match outcome {
            Ok(recovered) => Some(Outcome::Recovered(recovered)),
            Err(error) if error.io_kind() == Some(io::ErrorKind::WouldBlock) => Some(Outcome::BeingWritten(file.path)),
            // Somebody else has recovered it meanwhile.
            Err(error) if find::is_gone(&error, &file.kind) => None,
            Err(error) => Some(Outcome::Failed(file.path, error)),
        }
    });
    let recovered: Vec<_> = recovered.collect();
    let being_written = found.being_written.into_iter().map(Outcome::BeingWritten);
    let failed = found.failed.into_iter().map(|(path, error)| Outcome::Failed(path, error));
    recovered.into_iter().chain(being_written).chain(failed).collect()
}

/// Recovers one recording; with `dry_run` only says what would be done.
///
/// # Errors
/// With [`io::ErrorKind::WouldBlock`] underneath while somebody writes it;
/// [`ErrorKind::NotAllowed`](crate::ErrorKind::NotAllowed) if it belongs to another user;
/// [`ErrorKind::InvalidData`](crate::ErrorKind::InvalidData) and
/// [`ErrorKind::NotSupported`](crate::ErrorKind::NotSupported) if its bytes do not tell what it is; else those of the
/// file system. After an error the file has its old name, unless only the folder could not be synced.
pub fn recover(file: &Unfinished, dry_run: bool) -> Result<Recovered> {
    recover_beside(file, dry_run, &mut BTreeSet::new())
}

/// As [`recover`], for one of several: names in `promised` count as taken in a dry run.
fn recover_beside(file: &Unfinished, dry_run: bool, promised: &mut BTreeSet<PathBuf>) -> Result<Recovered> {
    let name = file.path.display().to_string();
    let failed = |error| Error::from_io(error, format!("cannot recover {name}"));
    let mut spool = find::claim(file)?;
    let (origin, target) = match &file.kind {
        Kind::Part { target } => (Origin::Part, Some(target)),
        Kind::Named => (Origin::Named, None),
    };
    let extension = find::extension(target.unwrap_or(&file.path));
    let mut reader = spool.reader().map_err(failed)?;
    let repair = repair::examine(&mut reader, &name, extension, origin)?;
    let mut recovered = summary(file, &repair);
    if recovered.change == Change::Empty && target.is_some() && repair.seal.length >= repair.len && !dry_run {
        spool.discard().map_err(failed)?;
    }
    if recovered.change == Change::Empty || recovered.change == Change::Nothing {
        return Ok(recovered);
    }
    recovered.to = match target {
        Some(target) if dry_run => free_name(target, promised),
        Some(target) => finish(&mut spool, &repair, target).map_err(failed)?,
        None if dry_run => file.path.clone(),
        None => apply(&mut spool, &repair).map(|()| file.path.clone()).map_err(failed)?,
    };
    Ok(recovered)
}

fn summary(file: &Unfinished, repair: &Repair) -> Recovered {
    let change = match (&file.kind, repair.is_empty(), repair.is_whole()) {
        (_, true, _) => Change::Empty,
        (Kind::Named, _, true) => Change::Nothing,
        (Kind::Part { .. }, _, true) => Change::Renamed,
        (_, _, false) => Change::Repaired,
    };
    let is_changed = change == Change::Repaired;
    let written = repair.seal.patches.iter().map(|patch| patch.bytes.len() as u64).sum();
    Recovered {
        from: file.path.clone(),
        to: file.path.clone(),
        change,
        container: repair.container,
        format: repair.format,
        frames: repair.frames,
        size_bytes: if is_changed { repair.seal.length } else { repair.len },
        changed_bytes: if is_changed { written } else { 0 },
        cut_bytes: if is_changed { repair.len.saturating_sub(repair.seal.length) } else { 0 },
    }
}

/// Repairs the bytes and gives the file its name.
fn finish(spool: &mut FileSpool, repair: &Repair, target: &Path) -> io::Result<PathBuf> {
    let modified = spool.metadata()?.modified()?;
    apply(spool, repair)?;
    let path = spool.commit(target, Existing::Number)?;
    // On another file system, or after a failed sync, the commit has made a new file.
    if spool.metadata()?.modified()? != modified {
        spool.set_modified(modified)?;
    }
    Ok(path)
}

/// Makes the bytes right, and the disk know it.
fn apply(spool: &mut FileSpool, repair: &Repair) -> io::Result<()> {
    let modified = spool.metadata()?.modified()?;
    for patch in &repair.seal.patches {
        if patch.at == spool.len() {
            spool.append(&patch.bytes)?;
        } else {
            spool.patch(patch.at, &patch.bytes)?;
            // The header counts bytes that are cut off or appended only afterwards.
            spool.sync()?;
        }
    }
    spool.truncate(repair.seal.length)?;
    // Before the name: a crash in between must not make an old recording look like one of today.
    spool.set_modified(modified)?;
    spool.sync()
}

/// The name that a commit would take now.
fn free_name(target: &Path, promised: &mut BTreeSet<PathBuf>) -> PathBuf {
    let is_free = |name: &PathBuf| fs::symlink_metadata(name).is_err() && !promised.contains(name);
    let name = (1..=u32::MAX).map(|n| place::numbered(target, n)).find(is_free);
    let name = name.unwrap_or_else(|| target.to_owned());
    promised.insert(name.clone());
    name
}
