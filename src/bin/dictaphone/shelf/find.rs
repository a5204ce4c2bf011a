//! From what the user calls a clip to its file.

use std::path::{Path, PathBuf};

use dictaphone::{
    clips::{
        Listing, WaveformCache,
        name::{self, FindError, is_clip_name},
    },
    storage::{self, place},
};

use crate::{
    cli::{ClipsFolder, config::Config},
    message::{Failure, failed, visible},
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
/// If there is none, or more than one, or if it is a pipe, a device, a socket, which are never opened.
pub(crate) fn find(folder: &Path, word: &Path) -> Result<PathBuf, Failure> {
    let path = find_anything(folder, word)?;
    // A folder is reported by the code that opens it, and a link to nowhere can still be deleted.
    match std::fs::metadata(&path) {
        Ok(there) if !there.is_file() && !there.is_dir() => {
            let text = format!("{} is not an ordinary file", visible(&path.to_string_lossy()));
            Err(failed(text, "a clip is a file; what comes out of a pipe can be recorded into one"))
        }
        _ => Ok(path),
    }
}

/// The same, or without a word the newest clip of the folder.
///
/// # Errors
/// Those of [`find`], and if there is no clip.
pub(crate) fn find_or_newest(folder: &Path, word: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(word) = word {
        return find(folder, word);
    }
    let listing = Listing::read(folder).unwrap_or_default();
    let newest = listing.clips.into_iter().find(|clip| clip.error.is_none()).map(|clip| clip.path);
    newest.ok_or_else(|| {
        let text = format!("no clips in {}", visible(&folder.to_string_lossy()));
        failed(text, "name a clip, or record one with `dictaphone record`")
    })
}

fn find_anything(folder: &Path, word: &Path) -> Result<PathBuf, Failure> {
    name::find(folder, word).map_err(|error| {
        let text = error.to_string();
        match error {
            FindError::NotFound { .. } => failed(text, "`dictaphone list` shows what is there; a path leads elsewhere"),
            FindError::Ambiguous { .. } => Failure::usage(text, "write the path or the whole file name"),
        }
    })
}

/// The same for a command that changes the clip: only a clip, and not one that is being recorded.
///
/// # Errors
/// Those of [`find`], and if it is something else or still growing.
pub(crate) fn find_to_change(folder: &Path, word: &Path) -> Result<PathBuf, Failure> {
    let path = find(folder, word)?;
    if place::target_of_part(&path).is_some() {
        if storage::is_being_written(&path).unwrap_or(true) {
            return Err(failed(format!("{} is being recorded", path.display()), "stop the recorder first"));
        }
    } else if !is_clip_name(&path) {
        let hint = "clips are sound files whose names do not start with a dot";
        return Err(Failure::usage(format!("{} is no clip", path.display()), hint));
    }
    Ok(path)
}

/// Where waveforms are kept; nowhere for a user without a place for such things.
pub(crate) fn waveforms() -> Option<WaveformCache> {
    dirs::cache_dir().map(|folder| WaveformCache::new(folder.join("dictaphone").join("waveforms")))
}
