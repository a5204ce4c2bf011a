//! Removing unfinished files that a killed program was making from other clips. Any thread.

use std::{fs, io, path::Path};

use super::{
    owner::is_ours,
    place,
    unfinished::{self, remove_if_at},
};

/// Removes the drafts in `folder` whose process is gone, and returns how many. Those of other users, links, and those
/// that are still being written stay; so do those that cannot be removed, because they matter to no caller.
///
/// # Errors
/// Those of reading the folder.
pub(crate) fn remove_drafts(folder: &Path) -> io::Result<usize> {
    let folder = if folder == Path::new("") { Path::new(".") } else { folder };
    let drafts = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).filter(|path| place::is_draft(path));
    Ok(drafts.filter(|draft| remove(draft).is_ok_and(|was_removed| was_removed)).count())
}

fn remove(draft: &Path) -> io::Result<bool> {
    if !is_ours(&fs::symlink_metadata(draft)?) {
        return Ok(false);
    }
    // Fails while a process is writing it.
    let file = unfinished::reopen(draft)?;
    remove_if_at(&file, draft)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::super::{FileSpool, Spool};
    use super::*;

    #[test]
    fn only_drafts_that_nobody_writes_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut growing = FileSpool::draft_beside(&path("new.wav")).unwrap();
        growing.append(b"sound").unwrap();
        drop(FileSpool::draft_beside(&path("old.wav")).unwrap());
        drop(FileSpool::beside(&path("take.wav")).unwrap());
        fs::write(path("clip.wav"), "sound").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("clip.wav", path(".link.wav.dictaphone-draft")).unwrap();
        let before = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(remove_drafts(folder.path()).unwrap(), 1);
        assert!(!path(".old.wav.dictaphone-draft").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before - 1);
        growing.commit(&path("new.wav"), super::super::Existing::Keep).unwrap();
        assert_eq!(fs::read(path("new.wav")).unwrap(), b"sound");
        assert!(remove_drafts(&path("no")).is_err());
    }
}
