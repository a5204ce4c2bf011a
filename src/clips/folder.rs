//! What is in a folder of clips. Reads headers and tags only, so that ten thousand takes open in less than a second.

use std::{
    cmp::Ordering,
    collections::HashMap,
    fs, io,
    num::NonZero,
    path::{Path, PathBuf},
    thread,
    time::SystemTime,
};

use super::{
    Clip, find,
    name::{is_clip_name, natural_order},
};
use crate::{
    error::{Error, Result},
    storage,
};

/// Fewer files than this are read faster without further threads.
const FILES_PER_THREAD: usize = 64;

/// Opening files waits for the disk more than it computes, but dozens of threads gain nothing.
const THREADS_MAX: usize = 8;

/// The hidden file of an unfinished recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartFile {
    /// The hidden file.
    pub path: PathBuf,
    /// The name that it gets when it is finished.
    pub target: PathBuf,
    /// Size of the file.
    pub size_bytes: u64,
    /// When it was last written.
    pub modified: Option<SystemTime>,
    /// A recorder is still writing it; otherwise it was cut off and can be recovered.
    pub is_being_written: bool,
}

/// The clips and the unfinished recordings of one folder.
///
/// ```no_run
/// use dictaphone::clips::{Listing, SortKey};
///
/// let mut listing = Listing::read("Recordings".as_ref())?;
/// listing.sort(SortKey::Date, false);
/// for clip in &listing.clips {
///     println!("{}", clip.name);
/// }
/// # Ok::<(), dictaphone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// The clips, newest first until they are sorted otherwise.
    pub clips: Vec<Clip>,
    /// Unfinished recordings, by path.
    pub unfinished: Vec<PartFile>,
}

/// By what clips are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortKey {
    /// Newest first.
    #[default]
    Date,
    /// As people sort: without case, numbers by value.
    Name,
    /// Longest first, unknown last.
    Length,
    /// Largest first.
    Size,
    /// By the format's name.
    Format,
}

named! { SortKey: Date "date", Name "name", Length "length", Size "size", Format "format" }

impl Listing {
    /// What is in `folder`. Hidden files, folders and everything that is no sound file by its extension is left out; a
    /// link counts as its target, and one without a target is a clip with an error.
    ///
    /// # Errors
    /// Those of reading the folder: [`Error::io_kind`] is [`io::ErrorKind::NotFound`] if there is none, and
    /// [`io::ErrorKind::NotADirectory`] if it is a file.
    pub fn read(folder: &Path) -> Result<Self> {
        Self::default().read_again(folder)
    }

    /// The same, but files of this listing whose path, size and date of change are still the same are not opened again,
    /// if they could be read.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    pub fn read_again(&self, folder: &Path) -> Result<Self> {
        let failed = |error| Error::from_io(error, format!("cannot read {}", folder.display()));
        let mut files = Vec::new();
        let mut unfinished = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if is_clip_name(&path) {
                files.push(path);
            } else if let Some(target) = find::target_of_recording(&path) {
                unfinished.extend(PartFile::read(path, target));
            }
        }
        let known: HashMap<&Path, &Clip> = self.clips.iter().map(|clip| (clip.path.as_path(), clip)).collect();
        let mut listing = Self { clips: read_all(&files, &known), unfinished };
        listing.unfinished.sort_by(|a, b| a.path.cmp(&b.path));
        listing.sort(SortKey::Date, false);
        Ok(listing)
    }

    /// Sorts the clips; equal ones by name, then by path.
    pub fn sort(&mut self, key: SortKey, reversed: bool) {
        self.clips.sort_by(|a, b| key.order(a, b, reversed));
    }
}

impl SortKey {
    /// Which of two clips comes first; equal ones are ordered by name, then by path.
    #[must_use]
    pub fn order(self, a: &Clip, b: &Clip, reversed: bool) -> Ordering {
        let order = self.compare(a, b);
        let order = if reversed { order.reverse() } else { order };
        order.then_with(|| natural_order(&a.name, &b.name)).then_with(|| a.path.cmp(&b.path))
    }

    fn compare(self, a: &Clip, b: &Clip) -> Ordering {
        match self {
            Self::Date => b.timestamp().cmp(&a.timestamp()),
            Self::Name => natural_order(&a.name, &b.name),
            Self::Length => {
                let length = |clip: &Clip| clip.duration_s.unwrap_or(-1.0);
                length(b).total_cmp(&length(a))
            }
            Self::Size => b.size_bytes.cmp(&a.size_bytes),
            Self::Format => a.format.cmp(&b.format),
        }
    }
}

impl PartFile {
    /// `None` if it was finished just now.
    fn read(path: PathBuf, target: PathBuf) -> Option<Self> {
        let metadata = fs::symlink_metadata(&path).ok()?;
        let is_being_written = match storage::is_being_written(&path) {
            Ok(answer) => answer,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            // A file that cannot be opened cannot be recovered either.
            Err(_) => true,
        };
        let (size_bytes, modified) = (metadata.len(), metadata.modified().ok());
        Some(Self { path, target, size_bytes, modified, is_being_written })
    }
}

fn read_all(files: &[PathBuf], known: &HashMap<&Path, &Clip>) -> Vec<Clip> {
    let read = |files: &[PathBuf]| files.iter().filter_map(|path| read_one(path, known)).collect::<Vec<_>>();
    let processors = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let threads = processors.min(files.len() / FILES_PER_THREAD).max(1);
    let (mine, theirs) = files.split_at(files.len() / threads);
    let mut clips = Vec::with_capacity(files.len());
    thread::scope(|scope| {
        let share = files.len().div_ceil(threads).max(1);
        let reading: Vec<_> = theirs
            .chunks(share)
            .map(|files| {
                (files, thread::Builder::new().name("clips".to_owned()).spawn_scoped(scope, move || read(files)))
            })
            .collect();
        clips.extend(read(mine));
        for (files, thread) in reading {
            let found = thread.ok().and_then(|thread| thread.join().ok());
            // The share of a thread that the system refused to start is done on this one.
            clips.extend(found.unwrap_or_else(|| read(files)));
        }
    });
    clips
}

/// `None` for what is no file or disappeared meanwhile.
fn read_one(path: &Path, known: &HashMap<&Path, &Clip>) -> Option<Clip> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return None,
        Ok(metadata) => {
            let modified = metadata.modified().ok();
            // A file that could not be read may be readable by now without another date, as after a change of
            // permissions.
            let same = |clip: &&&Clip| {
                clip.error.is_none() && clip.size_bytes == Some(metadata.len()) && clip.modified == modified
            };
            if let Some(clip) = known.get(path).filter(same).filter(|_| modified.is_some()) {
                return Some((*clip).clone());
            }
        }
        Err(_) => {}
    }
    Clip::read(path).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        clips::{
            self,
            clip::tests::{tags, wav},
        },
        storage::{FileSpool, Spool},
    };

    fn names(listing: &Listing) -> Vec<&str> {
        listing.clips.iter().map(|clip| clip.name.as_str()).collect()
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a-10.wav"), wav(&[0.0; 80], 1, tags("2026-01-03T00:00:00Z"))).unwrap();
        fs::write(at("a-9.WAVE"), wav(&[0.0; 800], 1, tags("2026-01-02T00:00:00Z"))).unwrap();
        fs::write(at("B.wav"), wav(&[0.0; 8], 1, tags("2026-01-02T01:00:00+02:00"))).unwrap();
        fs::write(at("broken.flac"), "nonsense").unwrap();
        fs::write(at("notes.txt"), "no clip").unwrap();
        fs::write(at(".hidden.wav"), wav(&[0.0; 8], 1, tags("2026"))).unwrap();
        fs::create_dir(at("folder.wav")).unwrap();
        folder
    }

    #[test]
    fn only_sound_files_are_listed_newest_first() {
        let folder = folder();
        let listing = Listing::read(folder.path()).unwrap();
        // The broken one has no tag, so that the date of its file is used, which is now.
        assert_eq!(names(&listing), ["broken", "a-10", "a-9", "B"]);
        assert!(listing.clips[0].error.is_some() && listing.clips[1..].iter().all(|clip| clip.error.is_none()));
        assert_eq!(listing.unfinished, []);
    }

    #[test]
    fn clips_are_sorted_by_any_key_in_both_directions() {
        let folder = folder();
        let mut listing = Listing::read(folder.path()).unwrap();
        for (key, expected) in [
            (SortKey::Date, ["broken", "a-10", "a-9", "B"]),
            (SortKey::Name, ["a-9", "a-10", "B", "broken"]),
            (SortKey::Length, ["a-9", "a-10", "B", "broken"]),
            (SortKey::Size, ["a-9", "a-10", "B", "broken"]),
        ] {
            listing.sort(key, false);
            assert_eq!(names(&listing), expected, "{key:?}");
            listing.sort(key, true);
            let mut reversed = expected;
            reversed.reverse();
            assert_eq!(names(&listing), reversed, "{key:?}");
        }
        listing.sort(SortKey::Format, false);
        assert_eq!(listing.clips[3].format.as_deref().unwrap_or("flac").len(), 3);
    }

    #[test]
    fn a_missing_folder_and_a_file_are_told_apart() {
        let folder = folder();
        for (name, kind) in [("x", io::ErrorKind::NotFound), ("B.wav", io::ErrorKind::NotADirectory)] {
            assert_eq!(Listing::read(&folder.path().join(name)).unwrap_err().io_kind(), Some(kind));
        }
    }

    #[test]
    fn unfinished_recordings_tell_whether_they_are_being_written() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("take.wav");
        let mut spool = FileSpool::beside(&target).unwrap();
        spool.append(b"RIFF").unwrap();
        fs::write(folder.path().join(".old.wav.part"), "RIFFxx").unwrap();
        fs::create_dir(folder.path().join(".dir.wav.part")).unwrap();
        fs::write(folder.path().join(".letter.odt.part"), "of another program").unwrap();
        let states = || {
            let found = Listing::read(folder.path()).unwrap();
            assert_eq!(found.clips, []);
            let recoverable = found.unfinished.iter().filter(|part| !part.is_being_written).map(|part| &part.path);
            let searched = clips::find(&[folder.path().to_owned()]).unfinished;
            assert!(recoverable.eq(searched.iter().map(|file| &file.path)), "`recover` finds the same");
            let fact = |u: PartFile| (u.target.file_name().unwrap().to_owned(), u.size_bytes, u.is_being_written);
            found.unfinished.into_iter().map(fact).collect::<Vec<_>>()
        };
        assert_eq!(states(), [("old.wav".into(), 6, false), ("take.wav".into(), 4, true)]);
        // The check did not take the lock away, nor does it prevent the recorder from finishing.
        assert_eq!(FileSpool::reopen(&spool.path().unwrap()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(spool);
        assert_eq!(states(), [("old.wav".into(), 6, false), ("take.wav".into(), 4, false)]);
    }

    #[cfg(unix)]
    #[test]
    fn links_count_as_what_they_lead_to() {
        use std::os::unix::fs::symlink;
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        symlink("B.wav", at("link.wav")).unwrap();
        symlink("nowhere", at("dangling.wav")).unwrap();
        symlink("loop.wav", at("loop.wav")).unwrap();
        symlink("folder.wav", at("to-folder.wav")).unwrap();
        let mut listing = Listing::read(folder.path()).unwrap();
        listing.sort(SortKey::Name, false);
        assert_eq!(names(&listing), ["a-9", "a-10", "B", "broken", "dangling", "link", "loop"]);
        let with_error: Vec<&str> =
            listing.clips.iter().filter(|clip| clip.error.is_some()).map(|clip| clip.name.as_str()).collect();
        assert_eq!(with_error, ["broken", "dangling", "loop"]);
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_unicode_are_listed_with_replacement_characters() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(std::ffi::OsStr::from_bytes(b"a\xff.wav"));
        fs::write(&path, wav(&[0.0; 8], 1, tags("2026"))).unwrap();
        let listing = Listing::read(folder.path()).unwrap();
        assert_eq!((listing.clips[0].path.as_path(), listing.clips[0].name.as_str()), (path.as_path(), "a\u{fffd}"));
        assert!(serde_json::to_string(&listing.clips[0]).unwrap().contains("a\u{fffd}.wav"));
    }

    #[test]
    fn many_files_are_all_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = wav(&[0.0; 8], 1, tags("2026"));
        for n in 0..FILES_PER_THREAD * 5 + 1 {
            fs::write(folder.path().join(format!("{n}.wav")), &bytes).unwrap();
        }
        let mut listing = Listing::read(folder.path()).unwrap();
        listing.sort(SortKey::Name, false);
        let expected: Vec<String> = (0..FILES_PER_THREAD * 5 + 1).map(|n| n.to_string()).collect();
        assert_eq!(names(&listing), expected);
    }

    #[test]
    fn what_could_not_be_read_is_tried_again_although_its_date_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let bytes = wav(&[0.0; 8], 1, tags("2026"));
        let write = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        };
        write(&vec![0; bytes.len()]);
        let before = Listing::read(folder.path()).unwrap();
        assert!(before.clips[0].error.is_some());
        write(&bytes);
        assert_eq!(before.read_again(folder.path()).unwrap().clips[0].error, None);
    }

    #[test]
    fn only_changed_files_are_opened_again() {
        let folder = folder();
        let mut before = Listing::read(folder.path()).unwrap();
        for clip in &mut before.clips {
            clip.sample_rate = Some(1);
        }
        let changed = folder.path().join("B.wav");
        let file = fs::File::options().write(true).open(&changed).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3_600)).unwrap();
        fs::remove_file(folder.path().join("broken.flac")).unwrap();
        let after = before.read_again(folder.path()).unwrap();
        let rates: Vec<_> = after.clips.iter().map(|clip| (clip.name.as_str(), clip.sample_rate)).collect();
        assert_eq!(rates, [("a-10", Some(1)), ("a-9", Some(1)), ("B", Some(8_000))]);
    }
}
