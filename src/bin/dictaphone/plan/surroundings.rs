//! What the decisions depend on besides the arguments of the command line: the machine, and the config.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use crate::cli::RecordArgs;

/// What the decisions depend on besides the arguments.
pub(crate) struct Surroundings<'a> {
    /// Standard output is a terminal.
    pub(crate) stdout_is_terminal: bool,
    /// Standard output was closed when the program started.
    pub(crate) stdout_is_closed: bool,
    /// The arguments that apply where the command line gives none.
    pub(crate) defaults: RecordArgs,
    /// The value of `DICTAPHONE_DIR`.
    pub(crate) dictaphone_dir: Option<OsString>,
    /// The user's music folder, as the desktop has it.
    pub(crate) music_folder: Option<PathBuf>,
    /// The user's home.
    pub(crate) home: Option<PathBuf>,
    /// What is found at a path.
    pub(crate) look: &'a dyn Fn(&Path) -> PathKind,
}

impl Surroundings<'static> {
    /// Asks the system.
    pub(crate) fn look_around(defaults: RecordArgs) -> Self {
        Self {
            defaults,
            stdout_is_terminal: io::stdout().is_terminal(),
            stdout_is_closed: stdout_is_closed(),
            dictaphone_dir: env::var_os("DICTAPHONE_DIR"),
            music_folder: dirs::audio_dir(),
            home: dirs::home_dir(),
            look: &PathKind::at,
        }
    }
}

/// What is found at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathKind {
    /// Nothing, or nothing that can be seen.
    Nothing,
    /// An ordinary file.
    File,
    /// A folder, also at the end of a symbolic link.
    Folder,
    /// A device, a pipe, a socket, a link to nowhere.
    Other,
    /// Something that is not a folder stands where one of its folders should be.
    Blocked,
}

impl PathKind {
    /// Looks at the file system.
    pub(crate) fn at(path: &Path) -> Self {
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => Self::File,
            Ok(metadata) if metadata.is_dir() => Self::Folder,
            Ok(_) => Self::Other,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Self::Blocked,
            Err(_) if path.symlink_metadata().is_ok() => Self::Other,
            Err(_) => Self::Nothing,
        }
    }
}

/// Whether standard output was closed when the program started. Rust's runtime opens `/dev/null` in its place, for
/// reading too, which no shell does for `> /dev/null`.
#[cfg(unix)]
fn stdout_is_closed() -> bool {
    use rustix::{fs, stdio};
    let null = fs::stat("/dev/null").map(|null| null.st_rdev);
    let is_null = fs::fstat(stdio::stdout()).is_ok_and(|out| {
        fs::FileType::from_raw_mode(out.st_mode) == fs::FileType::CharacterDevice && Ok(out.st_rdev) == null
    });
    is_null && fs::fcntl_getfl(stdio::stdout()).is_ok_and(|flags| flags & fs::OFlags::RWMODE == fs::OFlags::RDWR)
}

#[cfg(not(unix))]
fn stdout_is_closed() -> bool {
    false
}
