//! Whether another program still writes a file that carries no lock of ours. Any thread.
//!
//! Other recorders do not lock their files, so there is only indirect evidence: on Linux the list of open files of
//! every process of this user, elsewhere how long ago the file last changed.

use std::{fs::Metadata, io, time::SystemTime};

/// A file that changed within this time counts as being written where nothing better is available. Recorders write at
/// least every few seconds; sox at 8 kHz every half a second.
#[cfg(not(target_os = "linux"))]
const UNCHANGED_MIN: std::time::Duration = std::time::Duration::from_secs(10);

/// Whether another process has the file open for writing, as far as can be known at `now`.
///
/// Processes of other users are not included; files that this process itself has open do not count.
///
/// # Errors
/// Those of reading the system's process table.
#[cfg(target_os = "linux")]
pub(crate) fn is_written_by_others(file: &Metadata, _now: SystemTime) -> io::Result<bool> {
    use std::fs;
    let own = std::process::id().to_string();
    for process in fs::read_dir("/proc")? {
        let process = process?;
        let name = process.file_name();
        let is_process = name.as_encoded_bytes().iter().all(u8::is_ascii_digit);
        if !is_process || name.to_str() == Some(own.as_str()) {
            continue;
        }
        // It may have ended meanwhile, or belong to another user.
        let Ok(handles) = fs::read_dir(process.path().join("fd")) else { continue };
        if handles.flatten().any(|handle| is_writer(&handle.path(), file)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether `handle`, a link in the `fd` folder of a process, is `file` open for writing.
#[cfg(target_os = "linux")]
fn is_writer(handle: &std::path::Path, file: &Metadata) -> bool {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    const OWNER_WRITES: u32 = 0o200;
    let is_file = std::fs::metadata(handle).is_ok_and(|open| (open.dev(), open.ino()) == (file.dev(), file.ino()));
    // The permissions of the link itself are the mode in which the file was opened (proc_pid_fd(5)).
    is_file && std::fs::symlink_metadata(handle).is_ok_and(|link| link.permissions().mode() & OWNER_WRITES != 0)
}

/// Whether the file has changed so recently that a process may still be writing it at `now`.
///
/// # Errors
/// If the system does not report the time of the last change.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_written_by_others(file: &Metadata, now: SystemTime) -> io::Result<bool> {
    let modified = file.modified()?;
    // A change in the future is no evidence.
    Ok(now.duration_since(modified).is_ok_and(|age| age < UNCHANGED_MIN))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        fs::File,
        process::{Command, Stdio},
    };

    use super::*;

    #[test]
    fn writers_count_and_readers_do_not() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let is_written = || is_written_by_others(&file.as_file().metadata().unwrap(), SystemTime::now()).unwrap();
        // `sleep` has its handles from the moment that it is spawned.
        let mut sleeper = Command::new("sleep");
        sleeper.arg("60").stdin(File::open(file.path()).unwrap()).stdout(Stdio::null());
        let mut reader = sleeper.spawn().unwrap();
        let while_read = is_written();
        let mut writer = sleeper.stdout(file.reopen().unwrap()).spawn().unwrap();
        let while_written = is_written();
        // The command holds the handle as well, but that is this process.
        for child in [&mut reader, &mut writer] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert_eq!((while_read, while_written, is_written()), (false, true, false));
    }
}
