//! Deleting clips: into the desktop's trash, from which they can be restored, or for good.
//!
//! On Linux that is the trash of the freedesktop.org specification 1.0, below the user's data folder or at the top of
//! the file system that the clip is on. It works without a running desktop. Run by any thread.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{
    error::{Error, ErrorKind, Result},
    storage::{self, Existing, FileSpool, Spool},
};

/// A clip that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trashed {
    /// Where it was.
    pub path: PathBuf,
    /// When it was last changed; the trash may lose that.
    modified: Option<SystemTime>,
    place: Whereabouts,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Whereabouts {
    /// Nowhere.
    Gone,
    /// In the trash, at an unknown place.
    Unknown,
    /// In the trash: the file, and the note about it. Other systems do not report it.
    #[cfg_attr(not(all(unix, not(any(target_vendor = "apple", target_os = "android")))), allow(dead_code))]
    Known { file: PathBuf, note: PathBuf },
}

impl Trashed {
    /// Whether [`restore`] can bring it back.
    #[must_use]
    pub fn is_restorable(&self) -> bool {
        matches!(self.place, Whereabouts::Known { .. })
    }
}

/// Deletes the clip at `path`: into the trash or, with `permanent`, for good. A link itself is deleted.
///
/// # Errors
/// [`ErrorKind::NotSupported`] if there is no trash for that file system, and the clip stays where it is; else those of
/// the file system. [`ErrorKind::InvalidData`] for a folder.
pub fn delete(path: &Path, permanent: bool) -> Result<Trashed> {
    let failed = |error| Error::from_io(error, format!("cannot delete {}", path.display()));
    let path = std::path::absolute(path).map_err(failed)?;
    let metadata = fs::symlink_metadata(&path).map_err(failed)?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::InvalidData, format!("{} is a folder, not a clip", path.display())));
    }
    let modified = metadata.modified().ok();
    if permanent {
        fs::remove_file(&path).map_err(failed)?;
        return Ok(Trashed { path, modified, place: Whereabouts::Gone });
    }
    let resolved = resolved(&path).map_err(failed)?;
    refuse_foreign_trash(&resolved)?;
    trash::delete(&resolved).map_err(|error| refused(error, &path))?;
    let place = place_in_trash(&resolved, &metadata);
    Ok(Trashed { path, modified, place })
}

/// The trash's own message is in the fields of its error.
fn refused(error: trash::Error, path: &Path) -> Error {
    let context = format!("cannot move {} to the trash", path.display());
    match error {
        #[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
        trash::Error::FileSystem { source, .. } => match Error::from_io(source, context) {
            error if error.kind() == ErrorKind::NotAllowed => error,
            error => error.of_kind(ErrorKind::NotSupported),
        },
        error => Error::new(ErrorKind::NotSupported, context).with_source(error),
    }
}

/// Restores a deleted clip to where it was, as it was.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] if another file has its name by now, which stays; [`ErrorKind::NotSupported`] if it was
/// deleted for good, or where the trash does not report where it is; else those of the file system, such as
/// [`io::ErrorKind::NotFound`] when the trash was emptied. The clip stays in the trash.
pub fn restore(trashed: &Trashed) -> Result<()> {
    let path = &trashed.path;
    let (file, note) = match &trashed.place {
        Whereabouts::Known { file, note } => (file, note),
        Whereabouts::Gone => return Err(cannot(path, "it was deleted for good")),
        Whereabouts::Unknown => return Err(cannot(path, "only the desktop's trash knows where it is")),
    };
    let moved = match storage::rename(file, path, Existing::Keep) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => copy_back(file, path, trashed.modified),
        outcome => outcome.map(drop),
    };
    moved.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => there_again(path),
        _ => Error::from_io(error, format!("cannot restore {}", path.display())),
    })?;
    // The clip is back. A note without a file does no harm, and every trash removes such notes.
    let _ = fs::remove_file(note);
    Ok(())
}

/// Reports an error if another file has the name by now, before anything is restored.
pub(super) fn refuse_if_taken(path: &Path) -> Result<()> {
    if fs::symlink_metadata(path).is_ok() { Err(there_again(path)) } else { Ok(()) }
}

fn there_again(path: &Path) -> Error {
    Error::new(ErrorKind::AlreadyExists, format!("{} is there again", path.display()))
}

fn cannot(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::NotSupported, format!("cannot restore {}: {why}", path.display()))
}

fn copy_back(file: &Path, path: &Path, modified: Option<SystemTime>) -> io::Result<()> {
    FileSpool::reopen(file)?.commit(path, Existing::Keep)?;
    if let Some(modified) = modified {
        // Only the date by which a clip without a tag is sorted depends on it.
        let _ = fs::File::options().write(true).open(path).and_then(|file| file.set_modified(modified));
    }
    Ok(())
}

/// `path` as the trash records it: links in its folders resolved, but not the one that it may be itself.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => Ok(folder.canonicalize()?.join(name)),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// Refuses a trash at the top of a file system that another user has created there, or that is a link: the owner of the
/// folder can read what is deleted into it. The specification requires that of `.Trash` only; on a shared disk it
/// applies to `.Trash-UID` as well. Which folder above is the top one does not matter: no other has such a name.
#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
fn refuse_foreign_trash(path: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let user = rustix::process::getuid().as_raw();
    let trashes = path
        .ancestors()
        .skip(1)
        .flat_map(|folder| [folder.join(".Trash").join(user.to_string()), folder.join(format!(".Trash-{user}"))]);
    for trash in trashes {
        let Ok(there) = fs::symlink_metadata(&trash) else { continue };
        let why = match (there.is_dir(), there.uid() == user) {
            (true, true) => continue,
            (true, false) => "belongs to another user",
            (false, _) => "is no folder",
        };
        let context = format!("cannot move {} to the trash: {} {why}", path.display(), trash.display());
        return Err(Error::new(ErrorKind::NotSupported, context));
    }
    Ok(())
}

#[cfg(not(all(unix, not(any(target_vendor = "apple", target_os = "android")))))]
fn refuse_foreign_trash(_path: &Path) -> Result<()> {
    Ok(())
}

#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
fn place_in_trash(original: &Path, deleted: &fs::Metadata) -> Whereabouts {
    use std::os::unix::fs::MetadataExt;
    let Ok(items) = trash::os_limited::list() else { return Whereabouts::Unknown };
    let places = items.into_iter().filter(|item| item.original_path() == original).filter_map(|item| {
        let note = PathBuf::from(item.id);
        let file = note.parent()?.parent()?.join("files").join(note.file_stem()?);
        let there = fs::symlink_metadata(&file).ok()?;
        Some((item.time_deleted, there, Whereabouts::Known { file, note }))
    });
    let mut places: Vec<_> = places.collect();
    // The same file, if it was moved; otherwise the newest copy of the same size.
    let id = |file: &fs::Metadata| (file.dev(), file.ino());
    if let Some(at) = places.iter().position(|(_, there, _)| id(there) == id(deleted)) {
        return places.swap_remove(at).2;
    }
    let copies =
        places.into_iter().filter(|(_, there, _)| there.len() == deleted.len() && there.dev() != deleted.dev());
    copies.max_by_key(|(time, ..)| *time).map_or(Whereabouts::Unknown, |(_, _, place)| place)
}

#[cfg(not(all(unix, not(any(target_vendor = "apple", target_os = "android")))))]
fn place_in_trash(_original: &Path, _deleted: &fs::Metadata) -> Whereabouts {
    Whereabouts::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deleted_for_good_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        fs::write(&path, "sound").unwrap();
        let trashed = delete(&path, true).unwrap();
        assert!(!path.exists() && !trashed.is_restorable());
        assert_eq!(restore(&trashed).unwrap_err().kind(), ErrorKind::NotSupported);
    }

    #[test]
    fn missing_clips_and_folders_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        for permanent in [true, false] {
            let missing = delete(&folder.path().join("x.wav"), permanent).unwrap_err();
            assert_eq!(missing.io_kind(), Some(io::ErrorKind::NotFound));
            assert_eq!(delete(folder.path(), permanent).unwrap_err().kind(), ErrorKind::InvalidData);
        }
        assert!(folder.path().exists());
    }

    #[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
    #[test]
    fn a_trash_that_is_a_link_or_somebody_elses_is_not_used() {
        use std::os::unix::fs::{chown, symlink};
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let trash = root.join(format!(".Trash-{}", rustix::process::getuid().as_raw()));
        let clip = root.join("sub/a.wav");
        refuse_foreign_trash(&clip).unwrap();
        fs::create_dir(root.join("elsewhere")).unwrap();
        symlink("elsewhere", &trash).unwrap();
        assert_eq!(refuse_foreign_trash(&clip).unwrap_err().kind(), ErrorKind::NotSupported);
        fs::remove_file(&trash).unwrap();
        fs::create_dir(&trash).unwrap();
        refuse_foreign_trash(&clip).unwrap();
        // Only the superuser can change the owner of a folder.
        if chown(&trash, Some(12_345), None).is_ok() {
            assert!(refuse_foreign_trash(&clip).unwrap_err().to_string().ends_with("belongs to another user"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_deleted_and_not_what_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["a.wav", "b.wav"].map(|name| folder.path().join(name));
        fs::write(&file, "sound").unwrap();
        std::os::unix::fs::symlink("a.wav", &link).unwrap();
        delete(&link, true).unwrap();
        assert!(file.exists() && !link.is_symlink());
    }
}
