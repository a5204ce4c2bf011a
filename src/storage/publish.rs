//! Giving a complete file its final name without ever replacing another file unless requested, and making the name
//! durable. Independent of recordings; any thread.
//!
//! There are three ways to take a name only if it is free. Each is atomic against every process that also takes names
//! only when they are free; they differ in what is left after a crash in the middle, and in where they work:
//!
//! 1. `renameat2(RENAME_NOREPLACE)` (Linux), `renameatx_np(RENAME_EXCL)` (macOS): one step. Network folders and many
//!    user-space file systems lack it.
//! 2. A hard link, then removal of the old name. A crash in between leaves both names on one file. Memory cards (FAT,
//!    exFAT) have no hard links.
//! 3. An empty file created under the new name holds it until the rename replaces it. A crash in between leaves the
//!    empty file. A program that opens the name without checking whether it is free, in those microseconds, loses what
//!    it writes; checking before renaming would lose whole files that way, and so is worse.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use super::{
    Existing, place,
    unfinished::{NAMES_MAX, is_at},
};

/// Renames `from` to `target` or, with [`Existing::Number`], to the first free numbered name; returns the name.
///
/// With [`Existing::Replace`] a symbolic link itself is replaced, not what it points to; the new file gets the
/// permissions to read, write and execute of the file that it replaces, as if it had been written into that.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if no name is free, [`io::ErrorKind::IsADirectory`] when a folder would have to be
/// replaced, [`io::ErrorKind::CrossesDevices`] between file systems; else those of the file system. Then `from` has
/// its old name.
pub(super) fn rename(from: &Path, target: &Path, existing: Existing) -> io::Result<PathBuf> {
    match existing {
        Existing::Keep => rename_new(from, target).map(|()| target.to_owned()),
        Existing::Number => first_free(target, |name| rename_new(from, name)),
        Existing::Replace => replace(from, target).map(|()| target.to_owned()),
    }
}

/// Tries `take` on `target` and its numbered names until one was free.
pub(super) fn first_free(target: &Path, take: impl Fn(&Path) -> io::Result<()>) -> io::Result<PathBuf> {
    for n in 1..=NAMES_MAX {
        let name = place::numbered(target, n);
        match take(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            outcome => return outcome.map(|()| name),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn replace(from: &Path, target: &Path) -> io::Result<()> {
    if fs::symlink_metadata(target).is_ok_and(|there| there.is_dir()) {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "a folder has that name"));
    }
    #[cfg(unix)]
    if let Some(there) = fs::symlink_metadata(target).ok().filter(fs::Metadata::is_file) {
        // If they cannot be set, it keeps those of a new file.
        let _ = take_permissions(from, &there);
    }
    fs::rename(from, target)
}

/// Gives `from` the permissions of the file that it replaces, but none of the bits that let a program run as somebody
/// else. A file of another owner may have been put there to be more open than a new one: its permissions can only take
/// some away.
#[cfg(unix)]
fn take_permissions(from: &Path, replaced: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    const READ_WRITE_EXECUTE: u32 = 0o777;
    let own = fs::symlink_metadata(from)?;
    let allowed = if own.uid() == replaced.uid() { READ_WRITE_EXECUTE } else { own.mode() & READ_WRITE_EXECUTE };
    fs::set_permissions(from, fs::Permissions::from_mode(replaced.mode() & allowed))
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::{
        fs::{CWD, RenameFlags, renameat_with},
        io::Errno,
    };
    // EPERM is the answer of old sandboxes to a system call that they do not support; a real one is returned by the
    // next way.
    let lacking = [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP, Errno::PERM];
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(errno) if lacking.contains(&errno) => rename_by_link(from, to),
        outcome => outcome.map_err(io::Error::from),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    rename_by_link(from, to)
}

fn rename_by_link(from: &Path, to: &Path) -> io::Result<()> {
    use io::ErrorKind::{AlreadyExists, InvalidInput, PermissionDenied, TooManyLinks, Unsupported};
    match fs::hard_link(from, to) {
        Ok(()) => {}
        // A network folder may have executed the call twice, or a crash may have come between the steps the last time.
        Err(error) if error.kind() == AlreadyExists && is_same(from, to) => {}
        Err(error) if matches!(error.kind(), PermissionDenied | Unsupported | InvalidInput | TooManyLinks) => {
            return rename_by_placeholder(from, to);
        }
        Err(error) => return Err(error),
    }
    // The file has its name. A second name that cannot be removed does no harm, and an error would be misunderstood.
    let _ = fs::remove_file(from);
    Ok(())
}

fn is_same(one: &Path, other: &Path) -> bool {
    // Where files have no identity to compare, two names are two files.
    cfg!(unix) && !one.is_symlink() && File::open(one).is_ok_and(|file| is_at(&file, other))
}

fn rename_by_placeholder(from: &Path, to: &Path) -> io::Result<()> {
    let placeholder = OpenOptions::new().write(true).create_new(true).open(to)?;
    let is_untouched = || is_at(&placeholder, to) && placeholder.metadata().is_ok_and(|there| there.len() == 0);
    let outcome = if is_untouched() { fs::rename(from, to) } else { Err(io::ErrorKind::AlreadyExists.into()) };
    if outcome.is_err() && is_untouched() {
        let _ = fs::remove_file(to);
    }
    outcome
}

/// The folder of `path`; `.` for a bare name.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Creates `folder` and its missing parents, each so that it survives a power cut.
///
/// # Errors
/// [`io::ErrorKind::NotADirectory`] if a file is in the way; else those of the file system.
pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder_of(folder);
    if above != folder {
        create_folder(above)?;
    }
    match fs::create_dir(folder) {
        // Another process created it first, or a file is in the way.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if folder.is_dir() {
                Ok(())
            } else {
                Err(io::ErrorKind::NotADirectory.into())
            }
        }
        Err(error) => Err(error),
        Ok(()) => sync_folder(above),
    }
}

/// Makes new names in `folder` survive a power cut, where the system supports that.
///
/// # Errors
/// Those of the disk.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    // A folder may be writable and yet not readable, and some file systems cannot sync a folder: neither can be
    // changed, and the file itself is safe.
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported) => Ok(()),
        outcome => outcome,
    }
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Barrier};

    use super::*;

    type Way = (&'static str, fn(&Path, &Path) -> io::Result<()>);
    const WAYS: [Way; 3] = [("rename", rename_new), ("link", rename_by_link), ("placeholder", rename_by_placeholder)];

    #[test]
    fn every_way_takes_a_free_name_and_leaves_a_taken_one() {
        for (way, take) in WAYS {
            let folder = tempfile::tempdir().unwrap();
            let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
            fs::write(&from, "new").unwrap();
            fs::write(&to, "old").unwrap();
            assert_eq!(take(&from, &to).unwrap_err().kind(), io::ErrorKind::AlreadyExists, "{way}");
            assert_eq!((fs::read(&from).unwrap(), fs::read(&to).unwrap()), (b"new".to_vec(), b"old".to_vec()), "{way}");
            fs::remove_file(&to).unwrap();
            take(&from, &to).unwrap();
            assert!(!from.exists(), "{way}");
            assert_eq!(fs::read(&to).unwrap(), b"new", "{way}");
            assert_eq!(take(&from, &folder.path().join("x")).unwrap_err().kind(), io::ErrorKind::NotFound, "{way}");
            assert!(!folder.path().join("x").exists(), "{way}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn every_way_sees_links_and_folders_as_taken() {
        for (way, take) in WAYS {
            let folder = tempfile::tempdir().unwrap();
            let [from, link, dir] = ["from", "link", "dir"].map(|name| folder.path().join(name));
            fs::write(&from, "new").unwrap();
            std::os::unix::fs::symlink("nowhere", &link).unwrap();
            fs::create_dir(&dir).unwrap();
            for taken in [&link, &dir] {
                assert_eq!(take(&from, taken).unwrap_err().kind(), io::ErrorKind::AlreadyExists, "{way} {taken:?}");
            }
            assert!(from.exists() && link.is_symlink() && dir.is_dir());
        }
    }

    #[test]
    fn racing_threads_get_distinct_names_by_every_mixture_of_ways() {
        const THREADS: usize = 8;
        for round in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let target = folder.path().join("take.wav");
            let barrier = Barrier::new(THREADS);
            let names: BTreeSet<PathBuf> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..THREADS)
                    .map(|n| {
                        let (target, barrier, from) = (&target, &barrier, folder.path().join(format!("{n}.part")));
                        scope.spawn(move || {
                            fs::write(&from, n.to_string()).unwrap();
                            // The first rounds use one way each, the others mix them.
                            let way = if round < 3 { round } else { (n + round) % 3 };
                            barrier.wait();
                            let name = first_free(target, |name| WAYS[way].1(&from, name)).unwrap();
                            assert_eq!(fs::read_to_string(&name).unwrap(), n.to_string());
                            name
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let expected = (1..=THREADS as u32).map(|n| place::numbered(&target, n)).collect();
            assert_eq!(names, expected, "round {round}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), THREADS);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_was_already_made_is_completed() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        fs::write(&from, "new").unwrap();
        fs::hard_link(&from, &to).unwrap();
        rename_by_link(&from, &to).unwrap();
        assert!(!from.exists());
        assert_eq!(fs::read(&to).unwrap(), b"new");
    }

    #[cfg(unix)]
    #[test]
    fn replacing_replaces_files_and_links_but_no_folders() {
        let folder = tempfile::tempdir().unwrap();
        let [from, file, dir, link] = ["from", "file", "dir", "link"].map(|name| folder.path().join(name));
        fs::write(&file, "old").unwrap();
        fs::create_dir(&dir).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        fs::write(&from, "new").unwrap();
        let error = rename(&from, &dir, Existing::Replace).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        rename(&from, &link, Existing::Replace).unwrap();
        assert!(!link.is_symlink());
        assert_eq!((fs::read(&link).unwrap(), fs::read(&file).unwrap()), (b"new".to_vec(), b"old".to_vec()));
        rename(&link, &file, Existing::Replace).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
    }

    #[cfg(unix)]
    #[test]
    fn permissions_stay_but_no_setuid_bit_and_nothing_that_another_owner_opened_up() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
        for (old, owner, expected) in
            [(0o640, None, 0o640), (0o6755, None, 0o755), (0o1666, None, 0o666), (0o4666, Some(12_345), 0o600)]
        {
            let folder = tempfile::tempdir().unwrap();
            let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
            for (path, mode) in [(&from, 0o600), (&to, old)] {
                fs::write(path, "").unwrap();
                // Only the superuser can change the owner of a file, which also clears the bits.
                if path == &to && chown(path, owner, None).is_err() {
                    return;
                }
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            }
            rename(&from, &to, Existing::Replace).unwrap();
            assert_eq!(fs::metadata(&to).unwrap().mode() & 0o7777, expected, "{old:o}");
        }
    }

    #[test]
    fn folders_are_created_as_deep_as_needed_but_not_through_files() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        create_folder(&deep).unwrap();
        create_folder(&deep).unwrap();
        assert!(deep.is_dir());
        fs::write(deep.join("file"), "").unwrap();
        for blocked in [deep.join("file"), deep.join("file/d/e")] {
            assert_eq!(create_folder(&blocked).unwrap_err().kind(), io::ErrorKind::NotADirectory);
        }
    }

    #[test]
    fn the_folder_of_a_bare_name_is_the_current_one() {
        for (path, folder) in [("take.wav", "."), ("a/take.wav", "a"), ("/take.wav", "/"), ("/", "."), ("", ".")] {
            assert_eq!(folder_of(Path::new(path)), Path::new(folder), "{path:?}");
        }
    }
}
