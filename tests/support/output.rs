//! What a program that has ended left behind, with assertions that show all of it when they fail.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;

use super::sandbox::Sandbox;

/// What the program left.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) line: String,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) sandbox: Arc<Sandbox>,
}

impl Output {
    /// A path in the working folder.
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.sandbox.cwd().join(path)
    }

    /// Standard output as text.
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Fails unless the exit code is 0.
    #[track_caller]
    pub(crate) fn assert_success(&self) -> &Self {
        self.assert_exit(0)
    }

    /// Fails unless the program exited with this code.
    #[track_caller]
    pub(crate) fn assert_exit(&self, code: i32) -> &Self {
        assert!(self.status.code() == Some(code), "expected exit code {code}\n{}", self.context());
        self
    }

    /// Fails unless a signal ended the program.
    #[cfg(unix)]
    #[track_caller]
    pub(crate) fn assert_killed_by(&self, signal: rustix::process::Signal) -> &Self {
        let ended_by = std::os::unix::process::ExitStatusExt::signal(&self.status);
        assert!(ended_by == Some(signal.as_raw()), "expected an end by {signal:?}\n{}", self.context());
        self
    }

    /// Fails unless standard output is exactly `text`.
    #[track_caller]
    pub(crate) fn assert_stdout(&self, text: &str) -> &Self {
        assert!(self.stdout() == text, "expected exactly {text:?} on standard output\n{}", self.context());
        self
    }

    /// Fails unless standard error is exactly `text`.
    #[track_caller]
    pub(crate) fn assert_stderr(&self, text: &str) -> &Self {
        assert!(self.stderr() == text, "expected exactly {text:?} on standard error\n{}", self.context());
        self
    }

    /// Fails unless standard output contains `text`.
    #[track_caller]
    pub(crate) fn assert_stdout_contains(&self, text: &str) -> &Self {
        assert!(self.stdout().contains(text), "expected {text:?} on standard output\n{}", self.context());
        self
    }

    /// Fails unless standard error contains `text`.
    #[track_caller]
    pub(crate) fn assert_stderr_contains(&self, text: &str) -> &Self {
        assert!(self.stderr().contains(text), "expected {text:?} on standard error\n{}", self.context());
        self
    }

    /// All facts about the result, for a test's own assertions.
    pub(crate) fn context(&self) -> String {
        context(&self.line, &self.status.to_string(), &self.stdout, &self.stderr)
    }
}

/// A call and its result, for messages.
pub(crate) fn context(line: &str, status: &str, stdout: &[u8], stderr: &[u8]) -> String {
    // Audio on standard output would hide the rest.
    let shown = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("({} bytes that are not text)", bytes.len()),
    };
    format!("$ {line}\nexit: {status}\n--- stdout\n{}\n--- stderr\n{}", shown(stdout), shown(stderr))
}
