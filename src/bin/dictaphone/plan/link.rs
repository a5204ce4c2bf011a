//! Where a file is that the user named by a symbolic link, and whose link that is. Looks at the file system and changes
//! nothing.
//!
//! In a folder for everybody, such as `/tmp`, another user can create a link at that path which leads to a file of this
//! user.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// More links behind one another are a circle (`MAXSYMLINKS` of Linux).
const LINKS_MAX: usize = 40;

/// The result of following a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Followed {
    /// The file is there.
    To(PathBuf),
    /// This link on the way belongs to another user.
    Foreign(PathBuf),
}

/// Where `file` leads, link by link; a path that is not a link leads to itself.
///
/// Links among the folders above count as well, but there the system's own are trusted.
///
/// # Errors
/// Those of the file system, and of a circle of links.
pub(super) fn follow(file: &Path) -> io::Result<Followed> {
    let mut at = std::path::absolute(file)?;
    for _ in 0..LINKS_MAX {
        let foreign_folder = at.ancestors().skip(1).find(|folder| is_foreign(folder, true));
        if let Some(folder) = foreign_folder {
            return Ok(Followed::Foreign(folder.to_owned()));
        }
        if !at.is_symlink() {
            return Ok(Followed::To(at));
        }
        if is_foreign(&at, false) {
            return Ok(Followed::Foreign(at));
        }
        let folder = at.parent().unwrap_or(Path::new("/")).canonicalize()?;
        at = folder.join(fs::read_link(&at)?);
    }
    Err(io::Error::other("too many links"))
}

/// Whether `path` is a link that neither this user nor, where that counts, the system made.
#[cfg(unix)]
fn is_foreign(path: &Path, trusts_system: bool) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(there) = fs::symlink_metadata(path) else { return false };
    let is_ours = there.uid() == rustix::process::geteuid().as_raw();
    there.is_symlink() && !is_ours && !(trusts_system && there.uid() == 0)
}

#[cfg(not(unix))]
fn is_foreign(_path: &Path, _trusts_system: bool) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{lchown, symlink};

    use super::*;

    #[test]
    fn own_links_are_followed_to_their_end_and_circles_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir(root.join("sub")).unwrap();
        fs::write(root.join("sub/file"), "").unwrap();
        symlink("sub/two", root.join("one")).unwrap();
        symlink("file", root.join("sub/two")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        for (name, end) in [("one", "sub/file"), ("sub/two", "sub/file"), ("sub/file", "sub/file"), ("no", "no")] {
            assert_eq!(follow(&root.join(name)).unwrap(), Followed::To(root.join(end)), "{name}");
        }
        follow(&root.join("loop")).unwrap_err();
    }

    #[test]
    fn links_of_others_are_not_followed_wherever_they_are_on_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir(root.join("real")).unwrap();
        fs::write(root.join("real/file"), "").unwrap();
        symlink("real/file", root.join("theirs")).unwrap();
        symlink("theirs", root.join("ours")).unwrap();
        symlink("real", root.join("folder")).unwrap();
        const SOMEBODY: u32 = 12_345;
        // Only the superuser can make a link that belongs to another user.
        for link in ["theirs", "folder"] {
            if lchown(root.join(link), Some(SOMEBODY), None).is_err() {
                return;
            }
        }
        for (name, link) in [("theirs", "theirs"), ("ours", "theirs"), ("folder/file", "folder")] {
            assert_eq!(follow(&root.join(name)).unwrap(), Followed::Foreign(root.join(link)), "{name}");
        }
    }
}
