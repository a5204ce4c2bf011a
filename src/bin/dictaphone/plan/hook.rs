//! A command line of `--on-saved`, split into words as a shell would, and its program found before anything is
//! recorded.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::message::{Failure, visible};

/// A program that is run for every finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hook {
    /// What the user wrote, for messages.
    pub(crate) line: String,
    /// Where the program is.
    pub(crate) program: PathBuf,
    /// Its arguments; `{}` in them stands for the path of the file.
    pub(crate) arguments: Vec<String>,
}

/// The program of that line.
///
/// # Errors
/// A usage failure when the line is empty, a quote is not closed, or there is no such program.
pub(crate) fn parse(line: &str) -> Result<Hook, Failure> {
    let bad = |what: String| Failure::usage(what, "write it as for a shell: `--on-saved 'program --flag {}'`");
    let words = shell_words::split(line).map_err(|_| bad(format!("a quote is not closed in '{}'", visible(line))))?;
    let mut words = words.into_iter();
    let name = words.next().ok_or_else(|| bad("--on-saved names no program".to_owned()))?;
    let program = find(&name).ok_or_else(|| {
        let text = format!("there is no program '{}' to run with --on-saved", visible(&name));
        Failure::usage(text, "write its path, or a name that is found in PATH; it is run without a shell")
    })?;
    Ok(Hook { line: line.to_owned(), program, arguments: words.collect() })
}

/// As the system would find it: a name with a slash is a path, any other is searched in PATH.
fn find(name: &str) -> Option<PathBuf> {
    if name.contains(std::path::MAIN_SEPARATOR) || name.contains('/') {
        let path = std::path::absolute(name).ok()?;
        return is_program(&path).then_some(path);
    }
    let folders = env::var_os("PATH")?;
    let names = [name.to_owned(), format!("{name}{}", env::consts::EXE_SUFFIX)];
    let found = env::split_paths(&folders).flat_map(|folder| names.clone().map(|name| folder.join(name)));
    found.into_iter().find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_as_a_shell_splits_it() {
        let hook = parse("sh -c 'echo \"$1\"' x {} a\\ b").unwrap();
        assert!(hook.program.is_absolute() && hook.program.ends_with("sh"));
        assert_eq!(hook.arguments, ["-c", "echo \"$1\"", "x", "{}", "a b"]);
    }

    #[test]
    fn what_cannot_be_run_is_refused_at_once() {
        for (line, said) in [
            ("", "names no program"),
            ("   ", "names no program"),
            ("sh 'x", "a quote is not closed"),
            ("no-such-program-anywhere {}", "there is no program 'no-such-program-anywhere'"),
            ("/etc/passwd {}", "there is no program '/etc/passwd'"),
        ] {
            assert!(parse(line).unwrap_err().message.text.contains(said), "{line}");
        }
    }
}
