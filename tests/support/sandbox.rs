//! A private folder in which the programs of one test live: their home, runtime, temporary and working folder.
//!
//! Its path is short, because a Unix socket's address has 108 bytes. It is deleted on drop; what a killed test program
//! left behind is deleted by the next one that starts.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use tempfile::TempDir;

const PREFIX: &str = "dictaphone-test-";

/// The folder, with `home`, `run`, `tmp` and `cwd` inside.
#[derive(Debug)]
pub(crate) struct Sandbox {
    folder: TempDir,
    /// Locked as long as the owner lives; see [`remove_stale`].
    #[cfg(unix)]
    _owned: std::fs::File,
}

impl Sandbox {
    /// Creates the folder.
    #[track_caller]
    pub(crate) fn new() -> Self {
        static SWEPT: Once = Once::new();
        let root = root();
        #[cfg(unix)]
        SWEPT.call_once(|| remove_stale(&root));
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&root).expect("create a folder for the test");
        for name in ["home", "run", "tmp", "cwd"] {
            create_private(&folder.path().join(name));
        }
        #[cfg(unix)]
        let _owned = own(folder.path());
        Self {
            folder,
            #[cfg(unix)]
            _owned,
        }
    }

    /// The folder itself, for anything else.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `HOME`.
    pub(crate) fn home(&self) -> PathBuf {
        self.path().join("home")
    }

    /// `XDG_RUNTIME_DIR`.
    pub(crate) fn runtime(&self) -> PathBuf {
        self.path().join("run")
    }

    /// The working folder.
    pub(crate) fn cwd(&self) -> PathBuf {
        self.path().join("cwd")
    }

    /// Gives `command` this folder's home, runtime, temporary and working folder and no others.
    pub(crate) fn enclose(&self, command: &mut Command) {
        let home = self.home();
        command.current_dir(self.cwd());
        for name in ["HOME", "USERPROFILE"] {
            command.env(name, &home);
        }
        for (name, folder) in [
            ("XDG_CONFIG_HOME", ".config"),
            ("XDG_CACHE_HOME", ".cache"),
            ("XDG_DATA_HOME", ".local/share"),
            ("XDG_STATE_HOME", ".local/state"),
            ("APPDATA", "appdata"),
            ("LOCALAPPDATA", "localappdata"),
        ] {
            command.env(name, home.join(folder));
        }
        command.env("XDG_RUNTIME_DIR", self.runtime());
        for name in ["TMPDIR", "TEMP", "TMP"] {
            command.env(name, self.path().join("tmp"));
        }
    }
}

/// `/tmp` itself: `TMPDIR` may be long.
fn root() -> PathBuf {
    if cfg!(unix) { PathBuf::from("/tmp") } else { std::env::temp_dir() }
}

fn create_private(folder: &Path) {
    let mut builder = std::fs::DirBuilder::new();
    // A runtime folder must be accessible to its owner only, or the servers refuse it.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).expect("create a private folder");
}

/// Marks `folder` as in use: the lock ends with this process, however that ends.
#[cfg(unix)]
fn own(folder: &Path) -> std::fs::File {
    let path = folder.join(".lock");
    let unlocked = folder.join(".lock.new");
    let file = std::fs::File::create(&unlocked).expect("create a lock file");
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).expect("lock a new file");
    // It gets its name when it is locked, so that no other process can mistake a new folder for an abandoned one.
    std::fs::rename(unlocked, path).expect("name the lock file");
    file
}

/// Deletes the folders whose owner was killed.
#[cfg(unix)]
fn remove_stale(root: &Path) {
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let Ok(lock) = std::fs::File::open(entry.path().join(".lock")) else { continue };
        if rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok() {
            std::fs::remove_dir_all(entry.path()).ok();
        }
    }
}
