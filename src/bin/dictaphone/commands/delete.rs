//! `dictaphone delete`: moves clips into the trash, or deletes them for good.

use std::{collections::HashSet, path::PathBuf};

use anyhow::Context as _;
use dictaphone::{ErrorKind, clips as library};
use serde::Serialize;

use crate::{
    cli::{DeleteArgs, config::Config},
    message::{exit::Exit, failed, file_failure},
    report::{Report, json::FilePath},
    shelf,
};

/// A clip that was deleted, in machine output.
#[derive(Debug, Serialize)]
struct Deleted<'a> {
    #[serde(flatten)]
    path: FilePath<'a>,
    permanent: bool,
}

/// Deletes the clips. If one of them cannot be found, none is deleted; if one cannot be deleted, the others are.
///
/// # Errors
/// The first reason why something was not deleted; the others have been reported by then.
pub(crate) fn run(args: &DeleteArgs, config: Config, report: &Report) -> anyhow::Result<Exit> {
    let folder = shelf::folder(&args.folder, config)?;
    let paths = args.clips.iter().map(|word| shelf::find_to_change(&folder, word)).collect::<Result<Vec<_>, _>>()?;
    let mut deleted = Vec::new();
    let mut failures = Vec::new();
    let paths = without_repetition(paths);
    for path in &paths {
        match library::delete(path, args.permanent) {
            Ok(_) => {
                let how = if args.permanent { "deleted" } else { "moved to the trash:" };
                report.note(&format!("{how} {}", path.display()));
                deleted.push(Deleted { path: FilePath(Some(path)), permanent: args.permanent });
            }
            Err(error) if error.kind() == ErrorKind::NotSupported => {
                failures.push(failed(error.to_string(), "`--permanent` deletes it for good"));
            }
            Err(error) => failures.push(file_failure(&error)),
        }
    }
    if args.json {
        report.facts(&deleted).context("cannot write the answer")?;
    }
    let mut failures = failures.into_iter();
    let Some(first) = failures.next() else { return Ok(Exit::Done) };
    failures.for_each(|failure| report.error(&failure.message));
    Err(first.into())
}

/// Each file once, even if it was given under several names.
fn without_repetition(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = HashSet::new();
    let place = |path: &PathBuf| {
        let folder = std::path::absolute(path).ok()?.parent()?.canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    };
    paths.into_iter().filter(|path| seen.insert(place(path).unwrap_or_else(|| path.clone()))).collect()
}
