//! Giving a clip another name, in its folder and with its extension, never that of another file.
//!
//! A program that has the file open can go on reading it. Run by any thread.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::name;
use crate::{
    error::{Error, ErrorKind, Result},
    storage::{self, Existing},
};

/// Renames the clip at `path` to `new_name` and returns its new path. The folder and the extension stay; an extension
/// in `new_name` is not doubled. A link itself is renamed.
///
/// # Errors
/// [`ErrorKind::InvalidData`] for a name that a clip cannot have, see [`name::check`]; [`ErrorKind::AlreadyExists`] if
/// there is a file of that name; else those of the file system. Then nothing has changed.
pub fn rename(path: &Path, new_name: &str) -> Result<PathBuf> {
    let extension = path.extension().map(|extension| extension.to_string_lossy()).unwrap_or_default();
    let stem = without_extension(new_name, &extension);
    name::check(stem, &extension)?;
    let target = match path.extension() {
        Some(extension) => {
            let mut whole = std::ffi::OsString::from(stem);
            whole.push(".");
            whole.push(extension);
            path.with_file_name(whole)
        }
        None => path.with_file_name(stem),
    };
    fs::symlink_metadata(path).map_err(|error| Error::from_io(error, format!("cannot rename {}", path.display())))?;
    if target == path {
        return Ok(target);
    }
    match storage::rename(path, &target, Existing::Keep) {
        // Where case makes no difference, the clip itself has that name.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_same_file(path, &target) => {
            fs::rename(path, &target).map(|()| target)
        }
        outcome => outcome,
    }
    .map_err(|error| failed(error, path, stem))
}

fn failed(error: io::Error, path: &Path, stem: &str) -> Error {
    if error.kind() == io::ErrorKind::AlreadyExists {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let context = format!("there is already a clip '{stem}' in {}", folder.display());
        return Error::new(ErrorKind::AlreadyExists, context);
    }
    Error::from_io(error, format!("cannot rename {}", path.display()))
}

fn without_extension<'a>(name: &'a str, extension: &str) -> &'a str {
    let Some((stem, typed)) = name.rsplit_once('.') else { return name };
    if !stem.is_empty() && !extension.is_empty() && typed.eq_ignore_ascii_case(extension) { stem } else { name }
}

/// Whether both names are one name of one file: names that differ only in case, and a file that has only one.
#[cfg(unix)]
fn is_same_file(path: &Path, target: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| fs::symlink_metadata(path).ok().map(|file| (file.dev(), file.ino(), file.nlink()));
    match (id(path), id(target)) {
        // With a second link the other name may be a name of its own.
        (Some(one), Some(other)) => one == other && one.2 == 1 && differ_in_case(path, target),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same_file(path: &Path, target: &Path) -> bool {
    differ_in_case(path, target)
}

fn differ_in_case(path: &Path, target: &Path) -> bool {
    path.to_string_lossy().to_lowercase() == target.to_string_lossy().to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.WAV");
        fs::write(&path, "sound").unwrap();
        (folder, path)
    }

    #[test]
    fn the_extension_stays_and_is_not_doubled() {
        for (name, file) in [
            ("b", "b.WAV"),
            ("b.wav", "b.WAV"),
            ("b.flac", "b.flac.WAV"),
            ("v1.2", "v1.2.WAV"),
            ("a", "a.WAV"),
            ("A", "A.WAV"),
            ("録音 1", "録音 1.WAV"),
        ] {
            let (folder, path) = folder();
            assert_eq!(rename(&path, name).unwrap(), folder.path().join(file));
            assert_eq!(fs::read(folder.path().join(file)).unwrap(), b"sound", "{name}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn another_file_is_never_replaced() {
        let (folder, path) = folder();
        let other = folder.path().join("b.WAV");
        fs::write(&other, "other").unwrap();
        let error = rename(&path, "b").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(error.to_string(), format!("there is already a clip 'b' in {}", folder.path().display()));
        let error = failed(io::ErrorKind::AlreadyExists.into(), Path::new("a.wav"), "b");
        assert_eq!(error.to_string(), "there is already a clip 'b' in .");
        assert_eq!((fs::read(&path).unwrap(), fs::read(&other).unwrap()), (b"sound".to_vec(), b"other".to_vec()));
    }

    #[cfg(unix)]
    #[test]
    fn a_second_link_whose_name_differs_in_case_is_kept() {
        let (folder, path) = folder();
        let other = folder.path().join("A.WAV");
        fs::hard_link(&path, &other).unwrap();
        assert_eq!(rename(&path, "A").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert!(path.exists() && other.exists());
    }

    #[test]
    fn refused_names_and_missing_clips_change_nothing() {
        let (folder, path) = folder();
        for name in ["", ".", "..", "../b", "x/y", ".b", "b\n", ".wav", "\u{202e}b"] {
            assert_eq!(rename(&path, name).unwrap_err().kind(), ErrorKind::InvalidData, "{name:?}");
        }
        let missing = rename(&folder.path().join("x.wav"), "b").unwrap_err();
        assert_eq!(missing.io_kind(), Some(io::ErrorKind::NotFound));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(path.exists());
    }

    #[test]
    fn a_reader_reads_on() {
        let (_folder, path) = folder();
        let mut file = fs::File::open(&path).unwrap();
        rename(&path, "b").unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "sound");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_renamed_and_not_what_it_leads_to() {
        let (folder, path) = folder();
        let link = folder.path().join("link.wav");
        std::os::unix::fs::symlink("a.WAV", &link).unwrap();
        assert!(rename(&link, "other").unwrap().is_symlink());
        assert!(path.exists() && !link.is_symlink());
    }
}
