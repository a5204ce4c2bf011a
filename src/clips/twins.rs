//! A recording and its second copy after a crash: the one that has less is completed from the other. Reads whole files,
//! and replaces one only when it is certain that nothing in it is lost: all its sound is the beginning of the other's.
//! Run by any thread that may wait for disks.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, ErrorKind, Result},
    format,
    storage::{Existing, FileSpool, Spool},
};

/// How a recording and its second copy compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Twins {
    /// Their sound is the same.
    Same,
    /// This one had less, or was not there, and was completed from the other.
    Completed(PathBuf),
    /// Each has something that the other has not; nothing was changed.
    Differ,
}

named! { Twins: Same "same", Completed "completed", Differ "differ" }

/// Frames that are compared at once.
const BLOCK_FRAMES: usize = 16_384;

/// Compares the finished recording `first` with the file of its name in `folder`, and completes the one that has less.
/// With `dry_run` it only reports what would be done.
///
/// # Errors
/// Those of reading and writing either; then both are as they were.
pub fn complete_twins(first: &Path, folder: &Path, dry_run: bool) -> Result<Twins> {
    let name = first.file_name().ok_or_else(|| Error::new(ErrorKind::NotFound, "the path ends in no file name"))?;
    let second = folder.join(name);
    if !second.exists() {
        return copy(first, &second, Existing::Keep, dry_run);
    }
    let (frames, others) = (frames_of(first)?, frames_of(&second)?);
    match (is_beginning(first, &second)?, frames.cmp(&others)) {
        (false, _) => Ok(Twins::Differ),
        (true, std::cmp::Ordering::Equal) => Ok(Twins::Same),
        (true, std::cmp::Ordering::Less) => copy(&second, first, Existing::Replace, dry_run),
        (true, std::cmp::Ordering::Greater) => copy(first, &second, Existing::Replace, dry_run),
    }
}

fn frames_of(path: &Path) -> Result<u64> {
    let mut decoder = format::open(path)?;
    let (mut frames, mut samples) = (0, Vec::new());
    loop {
        samples.clear();
        match decoder.read(&mut samples, BLOCK_FRAMES)? {
            0 => return Ok(frames),
            count => frames += count as u64,
        }
    }
}

/// Whether the sound of the shorter one is the beginning of the longer one.
fn is_beginning(one: &Path, other: &Path) -> Result<bool> {
    let (mut one, mut other) = (format::open(one)?, format::open(other)?);
    if (one.container(), one.format()) != (other.container(), other.format()) {
        return Ok(false);
    }
    let (mut left, mut right) = (Vec::new(), Vec::new());
    loop {
        one.read(&mut left, BLOCK_FRAMES)?;
        other.read(&mut right, BLOCK_FRAMES)?;
        let common = left.len().min(right.len());
        if common == 0 {
            return Ok(true);
        }
        if left.get(..common) != right.get(..common) {
            return Ok(false);
        }
        left.drain(..common);
        right.drain(..common);
    }
}

fn copy(from: &Path, to: &Path, existing: Existing, dry_run: bool) -> Result<Twins> {
    let cannot = |error| Error::from_io(error, format!("cannot complete {}", to.display()));
    if !dry_run {
        let mut spool = FileSpool::beside(to).map_err(cannot)?;
        if let Err(error) = fill(&mut spool, from).and_then(|()| spool.commit(to, existing)) {
            // The first error is the one to report.
            let _ = spool.discard();
            return Err(cannot(error));
        }
    }
    Ok(Twins::Completed(to.to_owned()))
}

fn fill(spool: &mut FileSpool, from: &Path) -> io::Result<()> {
    let mut file = File::open(from)?;
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk)? {
            0 => return spool.set_modified(file.metadata()?.modified()?),
            count => spool.append(chunk.get(..count).unwrap_or_default())?,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{audio::Metadata, clips::clip::tests::wav};

    fn ramp(frames: u16) -> Vec<f32> {
        (0..frames).map(|at| f32::from(at) / 32_768.0).collect()
    }

    #[test]
    fn the_one_that_has_less_is_completed_and_nothing_is_lost() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let [first, second] = [&a, &b].map(|folder| folder.path().join("x.wav"));
        let bytes = |frames: u16| wav(&ramp(frames), 1, Metadata::default());
        let mut other = ramp(400);
        other[7] = 0.5;
        for (one, two, expected, left) in [
            (bytes(1_000), Some(bytes(1_000)), Twins::Same, (1_000, 1_000)),
            (bytes(1_000), Some(bytes(400)), Twins::Completed(second.clone()), (1_000, 1_000)),
            (bytes(400), Some(bytes(1_000)), Twins::Completed(first.clone()), (1_000, 1_000)),
            (bytes(1_000), None, Twins::Completed(second.clone()), (1_000, 1_000)),
            (bytes(1_000), Some(wav(&other, 1, Metadata::default())), Twins::Differ, (1_000, 400)),
        ] {
            let _ = fs::remove_file(&second);
            fs::write(&first, &one).unwrap();
            two.iter().for_each(|two| fs::write(&second, two).unwrap());
            assert_eq!(complete_twins(&first, b.path(), true).unwrap(), expected);
            assert_eq!(second.exists(), two.is_some());
            assert_eq!(complete_twins(&first, b.path(), false).unwrap(), expected);
            assert_eq!((frames_of(&first).unwrap(), frames_of(&second).unwrap()), left);
            assert_eq!(fs::read_dir(b.path()).unwrap().count(), 1);
        }
    }
}
