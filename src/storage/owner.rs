//! Whose a file is: what lies beside a recording under a name of ours may have been put there by somebody else.

use std::fs;

/// Whether this is a file, not a link or a folder, of the user who runs the program; on other systems than Unix only
/// whether it is a file.
#[cfg(unix)]
pub(super) fn is_ours(there: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    there.is_file() && there.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
pub(super) fn is_ours(there: &fs::Metadata) -> bool {
    there.is_file()
}
