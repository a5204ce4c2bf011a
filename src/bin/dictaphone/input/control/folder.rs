//! Where the sockets of running recorders are: one folder a user, one socket a recorder.
//!
//! The folder is `dictaphone` in `XDG_RUNTIME_DIR`, else, where there is none or its path is too long for a socket, one
//! of the user's own in the folder for temporary files. It is refused unless it belongs to the user and no other user
//! may enter it: a socket in a folder of other users could be theirs.

use std::{
    env, fs, io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

/// What a socket's name ends with.
const EXTENSION: &str = "sock";
/// Length in bytes of a folder's path below which a socket's address certainly fits: the smallest limit of any system
/// is 104.
const LONGEST_FOLDER: usize = 80;

/// The folder, made if it is not there.
///
/// # Errors
/// When it cannot be made, or is not the user's alone.
pub(crate) fn folder() -> io::Result<PathBuf> {
    let uid = rustix::process::geteuid().as_raw();
    let is_usable = |path: &PathBuf| path.is_absolute() && path.as_os_str().len() <= LONGEST_FOLDER && path.is_dir();
    let folder = match env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(is_usable) {
        Some(runtime) => runtime.join("dictaphone"),
        None => env::temp_dir().join(format!("dictaphone-{uid}")),
    };
    match fs::DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(io::Error::new(error.kind(), format!("cannot make {}: {error}", folder.display())));
        }
        _ => {}
    }
    // Links are not followed: a link made by another user can lead anywhere.
    let found = fs::symlink_metadata(&folder)?;
    let is_private = found.is_dir() && found.uid() == uid && found.mode().trailing_zeros() >= 6;
    match is_private {
        true => Ok(folder),
        false => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} is not a folder of this user alone", folder.display()),
        )),
    }
}

/// The path of the socket of the recorder with that id.
pub(super) fn socket(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("{id}.{EXTENSION}"))
}

/// Whether it can be the id of a recorder: what the user gives must not lead out of the folder.
pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The ids of recorders that may be running, the latest started first. The socket of a recorder that has ended is
/// removed.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn recorders(folder: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != EXTENSION) {
            continue;
        }
        let Some(id) = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned) else { continue };
        let made = fs::symlink_metadata(&path).and_then(|found| found.modified());
        match UnixStream::connect(&path) {
            Ok(_) => found.push((made.ok(), id)),
            // No process listens there any more; a socket gets its name only when one listens.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                let _ = fs::remove_file(&path);
            }
            Err(error) => log::info!("no connection to {}: {error}", path.display()),
        }
    }
    found.sort_by_key(|(made, _)| std::cmp::Reverse(*made));
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn what_nobody_listens_to_is_removed_and_the_rest_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = |id: &str| socket(folder.path(), id);
        drop(UnixListener::bind(path("gone")).unwrap());
        let _listener = UnixListener::bind(path("here")).unwrap();
        fs::write(folder.path().join("notes.txt"), "x").unwrap();
        let found = recorders(folder.path()).unwrap();
        assert_eq!(found, ["here"]);
        assert!(!path("gone").exists() && folder.path().join("notes.txt").exists());
    }

    #[test]
    fn an_id_stays_in_the_folder() {
        for (text, fits) in
            [("4711", true), ("desk-2_a", true), ("", false), ("../x", false), ("a/b", false), ("a.b", false)]
        {
            assert_eq!(is_id(text), fits, "{text}");
        }
    }
}
