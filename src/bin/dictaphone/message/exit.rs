//! The exit codes, all in one place.

use std::process::ExitCode;

use dictaphone::{Error, ErrorKind};

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; a recording is saved whole.
    Done,
    /// Failed, nothing usable came out of it.
    Failed,
    /// The arguments on the command line do not make sense, or would overwrite a file.
    Usage,
    /// Saved, but audio was lost or the recording ended early.
    Incomplete,
    /// No such device, or no input device at all.
    NoDevice,
    /// The system denies access.
    Denied,
    /// `ctl`: no recorder is running.
    NotRunning,
    /// A second Ctrl-C while the recording was being saved, or a conversion that was cancelled.
    Interrupted,
}

impl Exit {
    /// Every way to end, in the order of the codes.
    pub(crate) const ALL: [Self; 8] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Incomplete,
        Self::NoDevice,
        Self::Denied,
        Self::NotRunning,
        Self::Interrupted,
    ];

    /// The number that the shell receives.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::NoDevice => 4,
            Self::Denied => 5,
            Self::NotRunning => 6,
            Self::Interrupted => 130,
        }
    }

    /// The standard's name of what was refused with it, as far as the code determines that.
    pub(crate) const fn standard_name(self) -> &'static str {
        match self {
            Self::NoDevice => ErrorKind::NotFound.name(),
            Self::Denied => ErrorKind::NotAllowed.name(),
            Self::NotRunning => ErrorKind::InvalidState.name(),
            Self::Usage => ErrorKind::NotSupported.name(),
            Self::Failed | Self::Done | Self::Incomplete | Self::Interrupted => ErrorKind::Unknown.name(),
        }
    }

    /// What it means, for `--help` and the man page.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done; saved whole, also after Ctrl-C, TERM, HUP or `q`",
            Self::Failed => "failed, nothing usable",
            Self::Usage => "usage: bad flag, file exists, no terminal",
            Self::Incomplete => "saved, but audio was lost or the recording ended early",
            Self::NoDevice => "no such device, no input device, or no loudspeaker",
            Self::Denied => "access denied",
            Self::NotRunning => "ctl: no recorder is running",
            Self::Interrupted => {
                "a second Ctrl-C while saving (what was recorded stays recoverable), or `convert` cancelled"
            }
        }
    }

    /// The table for `--help` and the man page.
    pub(crate) fn table() -> String {
        Self::ALL.iter().map(|exit| format!("  {:>3}  {}\n", exit.code(), exit.meaning())).collect()
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// How the program ends when nothing could be done because of this error.
pub(crate) fn code_of(error: &Error) -> Exit {
    match error.kind() {
        ErrorKind::NotSupported if error.constraint().is_some() => Exit::Usage,
        ErrorKind::NotFound => Exit::NoDevice,
        ErrorKind::NotAllowed => Exit::Denied,
        ErrorKind::AlreadyExists => Exit::Usage,
        ErrorKind::Encoding => Exit::Incomplete,
        _ => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_ascend() {
        assert!(Exit::ALL.map(Exit::code).is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn errors_end_the_program_with_their_code() {
        for (kind, code) in [
            (ErrorKind::NotFound, 4),
            (ErrorKind::NotAllowed, 5),
            (ErrorKind::AlreadyExists, 2),
            (ErrorKind::NotReadable, 1),
            (ErrorKind::Unknown, 1),
            (ErrorKind::Abort, 1),
        ] {
            assert_eq!(code_of(&Error::new(kind, "x")).code(), code, "{kind:?}");
        }
    }
}
