//! What the commands on clips have in common: which folder, which clip, how facts are worded, what errors mean.

use std::path::{Path, PathBuf};

use dictaphone::{
    Error,
    clips::{FindError, WaveformCache, folder, name},
    storage::{self, place},
};

use crate::{
    cli::ClipsFolder,
    config::Config,
    exit::Exit,
    message::{Failure, Message},
    plan::{self, Surroundings},
};

/// The clips folder.
///
/// # Errors
/// A usage failure for a user who has none.
pub(crate) fn folder(args: &ClipsFolder, config: Config) -> Result<PathBuf, Failure> {
    plan::clips_folder(args.dir.as_deref(), &Surroundings::look_around(config.record))
}

/// The file that the user means.
///
/// # Errors
/// If there is none, or more than one.
pub(crate) fn find(folder: &Path, word: &Path) -> Result<PathBuf, Failure> {
    name::find(folder, word).map_err(|error| {
        let text = error.to_string();
        match error {
            FindError::NotFound { .. } => failed(text, "`dictaphone list` shows what is there; a path leads elsewhere"),
            FindError::Ambiguous { .. } => Failure::usage(text, "write the path or the whole file name"),
        }
    })
}

/// The same for a command that changes the clip: only what is a clip, and none that is being recorded.
///
/// # Errors
/// Those of [`find`], and if it is something else or still growing.
pub(crate) fn find_to_change(folder: &Path, word: &Path) -> Result<PathBuf, Failure> {
    let path = find(folder, word)?;
    if place::target_of_part(&path).is_some() {
        if storage::is_being_written(&path).unwrap_or(true) {
            return Err(failed(format!("{} is being recorded", path.display()), "stop the recorder first"));
        }
    } else if !folder::is_clip_name(&path) {
        let hint = "clips are sound files whose names do not start with a dot";
        return Err(Failure::usage(format!("{} is no clip", path.display()), hint));
    }
    Ok(path)
}

/// Where waveforms are kept; nowhere for a user without a place for such things.
pub(crate) fn waveforms() -> Option<WaveformCache> {
    dirs::cache_dir().map(|folder| WaveformCache::new(folder.join("dictaphone").join("waveforms")))
}

/// A failure with exit code 1.
pub(crate) fn failed(text: impl Into<String>, hint: &str) -> Failure {
    Failure::new(Message::new(text).hint(hint), Exit::Failed)
}

/// An error about a file, for which the remedies against a missing microphone are none.
pub(crate) fn file_failure(error: &Error) -> Failure {
    Failure::of(error, None)
}

/// What went wrong when standard output did not take the answer.
pub(crate) fn cannot_write(error: std::io::Error) -> Failure {
    Failure::new(Message::new(format!("cannot write the answer: {error}")), Exit::Failed)
}

/// `00:42:10`, cut to the second.
pub(crate) fn length(seconds: f64) -> String {
    // The cast saturates.
    let seconds = seconds as u64;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// `999 B`, `1.5 kB`, `24 MB`: powers of a thousand, two digits at least.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    for unit in UNITS {
        if value < 9.95 {
            return format!("{value:.1} {unit}");
        }
        if value < 999.5 {
            return format!("{value:.0} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.0} ZB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_cut_and_never_wrap() {
        for (seconds, text) in
            [(0.0, "00:00:00"), (59.999, "00:00:59"), (3_661.0, "01:01:01"), (400_000.0, "111:06:40")]
        {
            assert_eq!(length(seconds), text);
        }
    }

    #[test]
    fn sizes_have_a_unit_and_at_least_two_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (9_950, "10 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (24_000_000, "24 MB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
