//! A second name for a file, under which its bytes stay when the first name is given to another file. Any thread.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{
    Existing, FileSpool, Spool,
    publish::{first_free, folder_of, sync_folder},
};

/// Gives the file `from` a second name, `wanted` or the first free numbered one, and makes it survive a power cut. Where
/// a file cannot have two names it becomes a copy, with the same time of the last change. Returns the name.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if no name is free; else those of the file system. Then there is no second name.
pub(crate) fn keep_twin(from: &Path, wanted: &Path) -> io::Result<PathBuf> {
    use io::ErrorKind::{CrossesDevices, InvalidInput, PermissionDenied, TooManyLinks, Unsupported};
    match first_free(wanted, |name| fs::hard_link(from, name)) {
        // Memory cards have no hard links, and some systems forbid them for files of other users.
        Err(error)
            if matches!(
                error.kind(),
                PermissionDenied | Unsupported | InvalidInput | TooManyLinks | CrossesDevices
            ) =>
        {
            copy(from, wanted)
        }
        Err(error) => Err(error),
        Ok(name) => match sync_folder(folder_of(&name)) {
            Ok(()) => Ok(name),
            Err(error) => {
                fs::remove_file(&name)?;
                Err(error)
            }
        },
    }
}

fn copy(from: &Path, wanted: &Path) -> io::Result<PathBuf> {
    let mut file = File::open(from)?;
    let mut spool = FileSpool::draft_beside(wanted)?;
    let copied = append_all(&mut file, &mut spool)
        .and_then(|()| file.metadata()?.modified())
        .and_then(|modified| spool.set_modified(modified))
        .and_then(|()| spool.commit(wanted, Existing::Number));
    if copied.is_err() {
        // The first error is the one to report.
        let _ = spool.discard();
    }
    copied
}

fn append_all(from: &mut File, spool: &mut FileSpool) -> io::Result<()> {
    let mut chunk = vec![0; 1 << 20];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => spool.append(chunk.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Way = (&'static str, fn(&Path, &Path) -> io::Result<PathBuf>);
    const WAYS: [Way; 2] = [("link", keep_twin), ("copy", copy)];

    #[test]
    fn a_twin_keeps_the_bytes_and_the_date_when_the_name_goes_to_another_file() {
        for (way, keep) in WAYS {
            let folder = tempfile::tempdir().unwrap();
            let [path, wanted, second] = ["a.wav", "b.wav", "b-2.wav"].map(|name| folder.path().join(name));
            fs::write(&path, "old").unwrap();
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            assert_eq!(keep(&path, &wanted).unwrap(), wanted, "{way}");
            assert_eq!(keep(&path, &wanted).unwrap(), second, "{way}");
            let mut spool = FileSpool::beside(&path).unwrap();
            spool.append(b"new").unwrap();
            spool.commit(&path, Existing::Replace).unwrap();
            for twin in [&wanted, &second] {
                assert_eq!(fs::read(twin).unwrap(), b"old", "{way}");
                assert_eq!(fs::metadata(twin).unwrap().modified().unwrap(), modified, "{way}");
            }
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "{way}");
        }
    }

    #[test]
    fn what_is_not_there_has_no_twin() {
        for (way, keep) in WAYS {
            let folder = tempfile::tempdir().unwrap();
            let error = keep(&folder.path().join("x.wav"), &folder.path().join("y.wav")).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound, "{way}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{way}");
        }
    }
}
