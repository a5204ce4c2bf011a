//! Making room for new recordings by deleting the oldest of this program's own, for good.
//!
//! Some files are never deleted: clips of another program, files that are unfinished or cannot be read, the newest
//! clip, and those that a person has marked. Marked clips still count. What is deleted is decided first, by a pure
//! function, so that it can be shown before. Run by any thread that may wait for a disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;

use super::{Clip, name};
use crate::{
    audio::Marker,
    error::{Error, Result},
};

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keep {
    /// Clips of this recorded time together.
    Length(Duration),
    /// Clips of this many bytes together.
    Bytes(u64),
}

named! { Keep: Length "length", Bytes "bytes" }

/// What the software tag of this program's own clips begins with.
const OWN_SOFTWARE: &str = "dictaphone ";

/// A clip that this program made.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OwnClip {
    /// Where it is.
    pub path: PathBuf,
    /// Its length.
    pub length: Duration,
    /// The size of its file.
    pub bytes: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// A person has set a marker in it.
    pub is_marked: bool,
}

/// The clips in `folder` that this program made, oldest first. Files that cannot be read are left out.
///
/// # Errors
/// Those of reading the folder.
pub fn own_clips(folder: &Path) -> Result<Vec<OwnClip>> {
    let cannot = |error| Error::from_io(error, format!("cannot read {}", folder.display()));
    let mut clips = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        // A link may lead anywhere, and hidden files are not finished.
        let is_file = fs::symlink_metadata(&path).is_ok_and(|there| there.is_file());
        if is_file && name::is_clip_name(&path) {
            clips.extend(own_clip(&path));
        }
    }
    clips.sort_by(|one, other| (one.recorded_at, &one.path).cmp(&(other.recorded_at, &other.path)));
    Ok(clips)
}

fn own_clip(path: &Path) -> Option<OwnClip> {
    let (clip, decoder) = Clip::open(path).ok()?;
    let decoder = decoder?;
    let tags = decoder.metadata();
    let is_own = tags.software.as_deref().is_some_and(|software| software.starts_with(OWN_SOFTWARE));
    is_own.then(|| OwnClip {
        path: path.to_owned(),
        length: Duration::try_from_secs_f64(clip.duration_s.unwrap_or(0.0)).unwrap_or_default(),
        bytes: clip.size_bytes.unwrap_or(0),
        recorded_at: clip.timestamp(),
        is_marked: !tags.markers.iter().all(Marker::is_cut),
    })
}

/// Which of these clips, oldest first, are deleted so that the rest fits; as few as possible, in order.
#[must_use]
pub fn surplus(clips: &[OwnClip], keep: Keep) -> Vec<&OwnClip> {
    let measure = |clip: &OwnClip| match keep {
        Keep::Length(_) => clip.length.as_nanos(),
        Keep::Bytes(_) => u128::from(clip.bytes),
    };
    let limit = match keep {
        Keep::Length(length) => length.as_nanos(),
        Keep::Bytes(bytes) => u128::from(bytes),
    };
    let mut total: u128 = clips.iter().map(measure).sum();
    let mut surplus = Vec::new();
    let but_newest = clips.split_last().map_or(clips, |(_, older)| older);
    for clip in but_newest.iter().filter(|clip| !clip.is_marked) {
        if total <= limit {
            break;
        }
        total -= measure(clip);
        surplus.push(clip);
    }
    surplus
}

/// Deletes clips of this program in `folder` until the rest fits, oldest first, and returns what is deleted.
///
/// # Errors
/// Those of reading the folder, and the first of deleting; clips that were deleted before the error stay deleted.
pub fn retain(folder: &Path, keep: Keep) -> Result<Vec<OwnClip>> {
    let clips = own_clips(folder)?;
    let surplus: Vec<OwnClip> = surplus(&clips, keep).into_iter().cloned().collect();
    surplus.iter().try_for_each(|clip| remove(&clip.path))?;
    Ok(surplus)
}

/// Deletes the oldest clips of this program in `folder` that are not marked, but never the newest, until `bytes` were
/// freed; returns what is deleted. For a disk that is nearly full.
///
/// # Errors
/// Those of [`retain`].
pub fn make_room(folder: &Path, bytes: u64) -> Result<Vec<OwnClip>> {
    let clips = own_clips(folder)?;
    let total: u64 = clips.iter().map(|clip| clip.bytes).sum();
    retain(folder, Keep::Bytes(total.saturating_sub(bytes)))
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        // Another process has deleted it first.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome.map_err(|error| Error::from_io(error, format!("cannot delete {}", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{audio::Metadata, clips::clip::tests::wav};

    fn clip(minute: u32, seconds: u64, bytes: u64, is_marked: bool) -> OwnClip {
        OwnClip {
            path: format!("{minute}.wav").into(),
            length: Duration::from_secs(seconds),
            bytes,
            recorded_at: Timestamp::from_second(i64::from(minute) * 60).unwrap(),
            is_marked,
        }
    }

    fn gone(clips: &[OwnClip], keep: Keep) -> Vec<&str> {
        surplus(clips, keep).iter().map(|clip| clip.path.to_str().unwrap()).collect()
    }

    #[test]
    fn the_oldest_go_until_the_rest_fits() {
        let clips = [clip(1, 60, 100, false), clip(2, 60, 100, true), clip(3, 60, 100, false), clip(4, 60, 100, false)];
        for (keep, expected) in [
            (Keep::Bytes(400), vec![]),
            (Keep::Bytes(399), vec!["1.wav"]),
            // The marked one counts but stays.
            (Keep::Bytes(250), vec!["1.wav", "3.wav"]),
            (Keep::Bytes(0), vec!["1.wav", "3.wav"]),
            (Keep::Length(Duration::from_secs(180)), vec!["1.wav"]),
            (Keep::Length(Duration::ZERO), vec!["1.wav", "3.wav"]),
        ] {
            assert_eq!(gone(&clips, keep), expected, "{keep:?}");
        }
        assert!(gone(&[], Keep::Bytes(0)).is_empty());
        assert!(gone(&clips[3..], Keep::Bytes(0)).is_empty());
    }

    proptest! {
        #[test]
        fn as_few_go_as_possible_and_never_the_newest_or_a_marked_one(
            sizes in prop::collection::vec((0_u64..50, any::<bool>()), 0..12), limit in 0_u64..300,
        ) {
            let clips: Vec<OwnClip> =
                sizes.iter().enumerate().map(|(at, &(bytes, marked))| clip(at as u32, 1, bytes, marked)).collect();
            let gone = surplus(&clips, Keep::Bytes(limit));
            let total: u64 = sizes.iter().map(|(bytes, _)| bytes).sum();
            let freed: u64 = gone.iter().map(|clip| clip.bytes).sum();
            prop_assert!(gone.iter().all(|clip| !clip.is_marked && Some(*clip) != clips.last()));
            if let Some(last) = gone.last() {
                // Without the last of them it would not fit.
                prop_assert!(total - freed + last.bytes > limit);
            }
            if total - freed > limit {
                let left: Vec<&OwnClip> = clips.iter().filter(|clip| !gone.contains(clip)).collect();
                prop_assert!(left.iter().all(|clip| clip.is_marked || Some(*clip) == clips.last()));
            }
        }
    }

    fn own(minute: u32, markers: &[&str]) -> Vec<u8> {
        let marker = |text: &&str| Marker { frame: 10, text: (*text).to_owned() };
        let tags = Metadata {
            software: Some("dictaphone 0.1.0".to_owned()),
            date: Some(format!("2026-11-20T14:{minute:02}:00+01:00")),
            markers: markers.iter().map(marker).collect(),
            ..Metadata::default()
        };
        wav(&[0.25; 8_000], 1, tags)
    }

    #[test]
    fn only_what_this_program_made_and_finished_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        write("1.wav", &own(1, &[]));
        write("2.wav", &own(2, &["a remark"]));
        write("3.wav", &own(3, &["cut: 2.5 s"]));
        write("4.wav", &own(4, &[""]));
        write("9.wav", &own(9, &[]));
        write(".5.wav.part", &own(5, &[]));
        write("foreign.wav", &wav(&[0.25; 8_000], 1, Metadata::default()));
        write("broken.wav", b"RIFF");
        write("notes.txt", b"dictaphone ");
        fs::create_dir(folder.path().join("folder.wav")).unwrap();
        let gone = retain(folder.path(), Keep::Length(Duration::ZERO)).unwrap();
        let names: Vec<&str> = gone.iter().map(|clip| clip.path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["1.wav", "3.wav"]);
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(
            left,
            [".5.wav.part", "2.wav", "4.wav", "9.wav", "broken.wav", "folder.wav", "foreign.wav", "notes.txt"]
        );
        assert!(retain(&folder.path().join("missing"), Keep::Bytes(0)).is_err());
    }

    #[test]
    fn room_is_made_by_as_many_bytes_as_are_needed() {
        let folder = tempfile::tempdir().unwrap();
        for minute in 1..6 {
            fs::write(folder.path().join(format!("{minute}.wav")), own(minute, &[])).unwrap();
        }
        assert_eq!(make_room(folder.path(), 20_000).unwrap().len(), 2);
        assert_eq!(make_room(folder.path(), 1 << 40).unwrap().len(), 2);
        assert!(folder.path().join("5.wav").exists());
    }
}
