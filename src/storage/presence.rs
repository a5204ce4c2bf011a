//! Whether a folder is still on the disk that it was on: a stick may be unplugged, a network folder unmounted, and then its
//! name leads to another disk or nowhere. Any thread.

use std::{io, path::Path};

use super::publish::folder_of;

/// The disk that something was on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home(Option<u64>);

impl Home {
    /// The disk on which the file `path` is, or would be made, its missing folders included.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let folder = std::path::absolute(folder_of(path)).unwrap_or_else(|_| folder_of(path).to_owned());
        Self(folder.ancestors().find_map(disk_of))
    }

    /// # Errors
    /// [`io::ErrorKind::NotFound`] if the file `path` would be on another disk now.
    pub fn check(self, path: &Path) -> io::Result<()> {
        if Self::of(path) == self { Ok(()) } else { Err(is_gone()) }
    }
}

pub(super) fn is_gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "its disk is not there any more")
}

#[cfg(unix)]
fn disk_of(folder: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    folder.metadata().ok().map(|found| found.dev())
}

// A separate disk has a letter of its own, and without the disk that is no folder.
#[cfg(not(unix))]
fn disk_of(folder: &Path) -> Option<u64> {
    folder.is_dir().then_some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_was_removed_is_still_on_its_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/x.wav");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let home = Home::of(&path);
        home.check(&path).unwrap();
        std::fs::remove_dir_all(folder.path().join("a")).unwrap();
        home.check(&path).unwrap();
        let elsewhere = Home(home.0.map(|disk| disk + 1));
        assert_eq!(elsewhere.check(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
