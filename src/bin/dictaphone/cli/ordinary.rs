//! Opening the ordinary files that a user names. Nothing else is opened, and no opening blocks: a named pipe has no
//! other end for a while or for ever, and opening a device may already have an effect.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::Path,
};

/// Opens the file at `path`, or at the end of the link there, if it is an ordinary file or, with `create` among the
/// options, does not exist yet.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for a pipe, a device, a socket; else those of the file system.
pub(crate) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    if fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        return Err(not_ordinary());
    }
    // A path that has become a pipe since the check does not block either.
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    let there = file.metadata()?;
    if there.is_file() || there.is_dir() { Ok(file) } else { Err(not_ordinary()) }
}

fn not_ordinary() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not an ordinary file")
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;

    #[test]
    fn pipes_devices_and_sockets_are_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let [file, pipe, socket, link] = ["file", "pipe", "socket", "link"].map(|name| folder.path().join(name));
        fs::write(&file, "text").unwrap();
        mknodat(CWD, &pipe, FileType::Fifo, 0o600.into(), 0).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        for path in [&pipe, &socket, &link, Path::new("/dev/null"), Path::new("/dev/tty")] {
            for options in [OpenOptions::new().read(true), OpenOptions::new().append(true).create(true)] {
                assert_eq!(open(path, options).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{}", path.display());
            }
        }
        open(&file, OpenOptions::new().read(true)).unwrap();
        open(&folder.path().join("new"), OpenOptions::new().append(true).create(true)).unwrap();
        assert_eq!(
            open(&folder.path().join("no"), OpenOptions::new().read(true)).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
