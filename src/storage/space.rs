//! How much space is left. Queries the operating system, stores nothing; any thread.
//!
//! Quotas that the file system does not report are not included.

use std::path::Path;

/// Bytes that this user may still write to the file system of `path`; `None` where the system does not report it.
///
/// `path` need not exist yet: then its nearest existing folder is used. Blocks that are reserved for the system are not
/// counted.
#[must_use]
pub fn available_bytes(path: &Path) -> Option<u64> {
    let absolute = std::path::absolute(path).ok()?;
    absolute.ancestors().find_map(available_at)?
}

/// The outer `None`: nothing exists to query.
#[cfg(unix)]
fn available_at(path: &Path) -> Option<Option<u64>> {
    use rustix::io::Errno;
    match rustix::io::retry_on_intr(|| rustix::fs::statvfs(path)) {
        // A file system without blocks (proc, some network folders) does not count, which is not the same as full.
        Ok(stat) if stat.f_blocks == 0 => Some(None),
        Ok(stat) => {
            let block = if stat.f_frsize == 0 { stat.f_bsize } else { stat.f_frsize };
            Some(Some(stat.f_bavail.saturating_mul(block)))
        }
        Err(Errno::NOENT | Errno::NOTDIR) => None,
        Err(_) => Some(None),
    }
}

#[cfg(windows)]
fn available_at(path: &Path) -> Option<Option<u64>> {
    path.exists().then(|| fs4::available_space(path).ok())
}

#[cfg(not(any(unix, windows)))]
fn available_at(_path: &Path) -> Option<Option<u64>> {
    Some(None)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_does_not_exist_yet_has_the_room_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let direct = available_bytes(folder.path()).unwrap();
        let ahead = available_bytes(&folder.path().join("not/there/yet.wav")).unwrap();
        assert!(direct > 0);
        // Other programs write to the same disk in between.
        assert!(direct.abs_diff(ahead) < direct / 2 + (1 << 20), "{direct} {ahead}");
        assert!(available_bytes(Path::new("relative/not/there")).is_some());
    }

    #[test]
    fn a_path_under_a_file_has_the_room_of_that_file_system() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(available_bytes(&file.path().join("x.wav")).is_some());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_system_that_does_not_count_is_not_full() {
        assert_eq!(available_bytes(Path::new("/proc/self")), None);
    }
}
