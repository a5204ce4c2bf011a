//! What a power cut can leave of the files on a [`MemoryDisk`](super::MemoryDisk): after every step, with what was not
//! synced by then lost, kept or torn in any combination.
//!
//! The model is the one that file systems guarantee (POSIX, `fsync`): everything written to a file before the last sync
//! of that file is there; each write to it since may be there, be missing, or be there in its first half only, in any
//! order; a byte that was never written, but is followed by one that was, is zero. A new name is there once its commit
//! returned; in the middle of a commit the old one may still be. For tests of everything that writes; pure.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Up to this many writes of unknown fate are tried in every combination; of more, those where one differs from all
/// others.
const COMBINED_WRITES: usize = 4;

/// What was done to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DiskChange {
    /// The file was made, empty, under this name.
    Create(PathBuf),
    /// These bytes were written there, after the end or over others.
    Write { at: u64, bytes: Vec<u8> },
    /// It was cut to that length.
    Truncate(u64),
    /// All of it is on the disk.
    Sync,
    /// It has this name, which is taken from any other file.
    Rename(PathBuf),
    /// It has no name.
    Remove,
}

/// One step: which file, by number, and what was done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) file: usize,
    pub(super) change: DiskChange,
}

/// The files that a disk can hold when the power comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PowerCut {
    /// The steps that had been done, from 0.
    pub steps: usize,
    /// What is there, by name.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
}

impl PowerCut {
    /// What the file of that name holds.
    #[must_use]
    pub fn file(&self, path: &Path) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }
}

/// The fate of a write that was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Lost,
    Torn,
}

const FATES: [Fate; 3] = [Fate::Kept, Fate::Lost, Fate::Torn];

/// Everything that can be left, for every number of steps from none to all of them.
pub(super) fn power_cuts(steps: &[Step]) -> impl Iterator<Item = PowerCut> + '_ {
    (0..=steps.len()).flat_map(|count| {
        let done = steps.get(..count).unwrap_or(steps);
        let open = unsettled(done);
        fates(open.len()).into_iter().map(move |fates| {
            let fate_of = |step: usize| {
                let place = open.iter().position(|&other| other == step);
                place.and_then(|place| fates.get(place).copied()).unwrap_or(Fate::Kept)
            };
            PowerCut { steps: count, files: replay(done, fate_of) }
        })
    })
}

/// The steps whose fate is open: writes to a file since its last sync, a removal, and a rename that is the last step of
/// all, as a commit returns only when its folder is safe.
fn unsettled(steps: &[Step]) -> Vec<usize> {
    let is_synced_later = |at: usize, file: usize| {
        steps.iter().skip(at + 1).any(|step| step.file == file && step.change == DiskChange::Sync)
    };
    let is_open = |(at, step): (usize, &Step)| match step.change {
        DiskChange::Write { .. } | DiskChange::Truncate(_) => !is_synced_later(at, step.file),
        DiskChange::Rename(_) => at + 1 == steps.len(),
        DiskChange::Remove => true,
        DiskChange::Create(_) | DiskChange::Sync => false,
    };
    steps.iter().enumerate().filter(|&step| is_open(step)).map(|(at, _)| at).collect()
}

/// The possible fates of `count` writes.
fn fates(count: usize) -> Vec<Vec<Fate>> {
    if count <= COMBINED_WRITES {
        let longer = |all: Vec<Vec<Fate>>, _| {
            all.iter().flat_map(|fates| FATES.map(|fate| [fates.as_slice(), &[fate]].concat())).collect()
        };
        return (0..count).fold(vec![Vec::new()], longer);
    }
    let mut all: Vec<Vec<Fate>> = FATES.iter().map(|&fate| vec![fate; count]).collect();
    for (rest, one) in [(Fate::Kept, Fate::Lost), (Fate::Kept, Fate::Torn), (Fate::Lost, Fate::Kept)] {
        all.extend((0..count).map(|odd| (0..count).map(|at| if at == odd { one } else { rest }).collect()));
    }
    all
}

#[derive(Debug, Default)]
struct File {
    name: Option<PathBuf>,
    bytes: Vec<u8>,
}

fn replay(steps: &[Step], fate_of: impl Fn(usize) -> Fate) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files: BTreeMap<usize, File> = BTreeMap::new();
    for (at, Step { file, change }) in steps.iter().enumerate() {
        let fate = fate_of(at);
        if fate == Fate::Lost {
            continue;
        }
        if let DiskChange::Create(name) | DiskChange::Rename(name) = change {
            files.values_mut().filter(|other| other.name.as_ref() == Some(name)).for_each(|other| other.name = None);
        }
        apply(files.entry(*file).or_default(), change, fate);
    }
    files.into_values().filter_map(|file| Some((file.name?, file.bytes))).collect()
}

fn apply(file: &mut File, change: &DiskChange, fate: Fate) {
    match change {
        DiskChange::Create(name) | DiskChange::Rename(name) => file.name = Some(name.clone()),
        DiskChange::Remove => file.name = None,
        DiskChange::Sync => {}
        DiskChange::Truncate(len) => file.bytes.truncate(usize::try_from(*len).unwrap_or(usize::MAX)),
        DiskChange::Write { at, bytes } => {
            let arrived = if fate == Fate::Torn { bytes.len() / 2 } else { bytes.len() };
            let written = bytes.get(..arrived).unwrap_or(bytes);
            let Ok(start) = usize::try_from(*at) else { return };
            let end = start + written.len();
            if file.bytes.len() < end {
                file.bytes.resize(end, 0);
            }
            if let Some(place) = file.bytes.get_mut(start..end) {
                place.copy_from_slice(written);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{Existing, MemoryDisk, Spool};
    use super::*;

    fn left(disk: &MemoryDisk, path: &str, steps: usize) -> BTreeSet<Option<Vec<u8>>> {
        let cuts = disk.power_cuts().into_iter().filter(|cut| cut.steps == steps);
        cuts.map(|cut| cut.file(Path::new(path)).map(<[u8]>::to_vec)).collect()
    }

    fn expected(left: &[Option<&[u8]>]) -> BTreeSet<Option<Vec<u8>>> {
        left.iter().map(|bytes| bytes.map(<[u8]>::to_vec)).collect()
    }

    #[test]
    fn what_was_synced_is_there_and_all_else_in_any_order() {
        let disk = MemoryDisk::new();
        let mut spool = disk.spool(Path::new("a.wav")).unwrap();
        spool.append(b"head").unwrap();
        spool.sync().unwrap();
        spool.append(b"xy").unwrap();
        spool.patch(0, b"HE").unwrap();
        let part = ".a.wav.part";
        assert_eq!(left(&disk, part, 1), expected(&[Some(b"")]));
        assert_eq!(left(&disk, part, 2), expected(&[Some(b""), Some(b"he"), Some(b"head")]));
        assert_eq!(left(&disk, part, 3), expected(&[Some(b"head")]));
        assert_eq!(left(&disk, part, 4), expected(&[Some(b"head"), Some(b"headx"), Some(b"headxy")]));
        // The patch without what was appended before it, which is the dangerous one.
        assert!(left(&disk, part, 5).contains(&Some(b"HEad".to_vec())));
        assert_eq!(left(&disk, part, 5).len(), 9);
        spool.truncate(3).unwrap();
        assert!(left(&disk, part, 6).contains(&Some(b"HEa".to_vec())));
    }

    #[test]
    fn a_name_is_there_when_its_commit_is_done() {
        let disk = MemoryDisk::new();
        let mut spool = disk.spool(Path::new("a.wav")).unwrap();
        spool.append(b"ab").unwrap();
        spool.commit(Path::new("a.wav"), Existing::Keep).unwrap();
        // Made, written, synced, renamed.
        assert_eq!(left(&disk, "a.wav", 3), expected(&[None]));
        assert_eq!(left(&disk, "a.wav", 4), expected(&[None, Some(b"ab")]));
        disk.put(Path::new("b.wav"), b"other");
        assert_eq!(left(&disk, "a.wav", 5), expected(&[Some(b"ab")]));
    }

    #[test]
    fn a_hole_is_filled_with_zeros() {
        let disk = MemoryDisk::new();
        let mut spool = disk.spool(Path::new("a.wav")).unwrap();
        spool.append(b"one").unwrap();
        spool.append(b"two").unwrap();
        assert!(left(&disk, ".a.wav.part", 3).contains(&Some(b"\0\0\0two".to_vec())));
    }
}
