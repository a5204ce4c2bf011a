//! Where a recording goes: the arguments, the folder of clips, and what exists already.

use std::path::{Path, PathBuf};

use dictaphone::storage::{Existing, place::is_refused_by_windows};

use super::{
    PathKind, Surroundings, Target, is_stdout,
    link::{self, Followed},
    shown,
};
use crate::{
    cli::{
        RecordArgs, at_home,
        name::{self, Template},
    },
    message::Failure,
};

/// Bytes of a file's name; no usual file system takes more.
const LONGEST_NAME: usize = 255;

pub(super) fn target(args: &RecordArgs, around: &Surroundings<'_>) -> Result<Target, Failure> {
    let template = || match args.capture.name.as_ref().or(around.defaults.capture.name.as_ref()) {
        Some(template) => Ok(template.clone()),
        None => Template::parse(name::DEFAULT).map_err(|wrong| Failure::usage(wrong.what, "give a `--name`")),
    };
    let Some(file) = &args.file else {
        let folder = usable_clips_folder(args.capture.dir.as_deref(), around)?;
        return Ok(Target::NewIn(folder, template()?));
    };
    if is_stdout(file) {
        return Ok(Target::Stdout);
    }
    if ends_like_a_folder(file) || (around.look)(file) == PathKind::Folder {
        if args.force {
            return Err(Failure::usage(
                format!("--force needs a file, and {} is a folder", shown(file)),
                "a new name in a folder never overwrites anything",
            ));
        }
        refuse_unless_folder(file, around)?;
        refuse_missing(file, around)?;
        return Ok(Target::NewIn(file.clone(), template()?));
    }
    if args.capture.name.is_some() {
        return Err(Failure::usage(
            format!("--name and {} both name the recording", shown(file)),
            "write a folder instead of the file, or leave --name out",
        ));
    }
    let force = args.force || around.defaults.force;
    let (file, existing) = explicit(file, force, around)?;
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        refuse_missing(folder, around)?;
    }
    Ok(Target::File(file, existing))
}

/// The one file that the user has named, and what to do if it exists.
pub(super) fn explicit(file: &Path, force: bool, around: &Surroundings<'_>) -> Result<(PathBuf, Existing), Failure> {
    if cfg!(windows) && is_refused_by_windows(file) {
        return Err(Failure::usage(format!("Windows keeps the name {} for itself", shown(file)), "write another name"));
    }
    match (around.look)(file) {
        PathKind::File if !force => {
            return Err(Failure::usage(
                format!("{} exists", shown(file)),
                "`--force` replaces it once the new one is complete",
            ));
        }
        PathKind::Other => {
            return Err(Failure::usage(
                format!("{} is not an ordinary file", shown(file)),
                "`-` writes to standard output, which the shell can send anywhere",
            ));
        }
        PathKind::File | PathKind::Folder | PathKind::Nothing | PathKind::Blocked => {}
    }
    // "x.wav" has the parent "", which is the current folder. A missing folder is made.
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        refuse_unless_folder(parent, around)?;
    }
    let Some(name) = file.file_name() else {
        return Err(Failure::usage(format!("{} does not name a file", shown(file)), "write a file name"));
    };
    if name.len() > LONGEST_NAME {
        let text = format!("the name of the file is {} bytes long", name.len());
        return Err(Failure::usage(text, format!("a name has at most {LONGEST_NAME} bytes")));
    }
    if !force {
        return Ok((file.to_owned(), Existing::Keep));
    }
    // A link stays, and what it points to is replaced, as by every program that writes into it.
    match link::follow(file) {
        Ok(Followed::To(behind)) if file.is_symlink() => Ok((behind, Existing::Replace)),
        Ok(Followed::To(_)) | Err(_) => Ok((file.to_owned(), Existing::Replace)),
        Ok(Followed::Foreign(link)) => Err(Failure::usage(
            format!("{} is a link that belongs to another user", shown(&link)),
            "write the path that it leads to, if you trust it, or another name",
        )),
    }
}

/// What was meant for a disk that is not mounted must not land on another one: only the clips folder is made.
pub(super) fn refuse_missing(folder: &Path, around: &Surroundings<'_>) -> Result<(), Failure> {
    let place = |path: &Path| std::path::absolute(path).ok().map(|path| path.components().collect::<PathBuf>());
    let is_clips_folder = || clips_folder(None, around).is_ok_and(|clips| place(&clips) == place(folder));
    if (around.look)(folder) != PathKind::Nothing || is_clips_folder() {
        return Ok(());
    }
    let hint = format!("is its disk mounted? `mkdir -p {}` makes it", shown(folder));
    Err(Failure::usage(format!("the folder {} does not exist", shown(folder)), hint))
}

pub(super) fn refuse_unless_folder(folder: &Path, around: &Surroundings<'_>) -> Result<(), Failure> {
    match (around.look)(folder) {
        PathKind::Folder | PathKind::Nothing => Ok(()),
        PathKind::File | PathKind::Other | PathKind::Blocked => {
            Err(Failure::usage(format!("{} is not a folder", shown(folder)), "name a folder, or a file without `/`"))
        }
    }
}

/// `memos/` and `memos/.` are folders, whether they are there or not.
pub(super) fn ends_like_a_folder(file: &Path) -> bool {
    let bytes = file.as_os_str().as_encoded_bytes();
    let bytes = bytes.strip_suffix(b".").filter(|folder| !folder.is_empty()).unwrap_or(bytes);
    bytes.last().is_some_and(|&byte| std::path::is_separator(char::from(byte)))
}

/// [`clips_folder`], unless something that is not a folder stands there.
///
/// # Errors
/// A usage failure if so, and those of [`clips_folder`].
pub(crate) fn usable_clips_folder(dir: Option<&Path>, around: &Surroundings<'_>) -> Result<PathBuf, Failure> {
    let folder = clips_folder(dir, around)?;
    match (around.look)(&folder) {
        PathKind::Folder | PathKind::Nothing => Ok(folder),
        PathKind::File | PathKind::Other | PathKind::Blocked => {
            Err(Failure::usage(format!("{} is not a folder", shown(&folder)), CLIPS_FOLDER))
        }
    }
}

/// What names the clips folder.
pub(crate) const CLIPS_FOLDER: &str = "`--dir`, DICTAPHONE_DIR or the config names the folder of clips";

/// The flag, else the environment, else the config, else `Recordings` in the music folder.
///
/// # Errors
/// A usage failure if the flag is empty, or if there is no folder to begin from.
pub(crate) fn clips_folder(dir: Option<&Path>, around: &Surroundings<'_>) -> Result<PathBuf, Failure> {
    if let Some(dir) = dir {
        if dir.as_os_str().is_empty() {
            return Err(Failure::usage("--dir is empty", "name a folder, `.` is the current one"));
        }
        return Ok(dir.to_owned());
    }
    if let Some(dir) = around.dictaphone_dir.as_ref().filter(|dir| !dir.is_empty()) {
        return Ok(at_home(PathBuf::from(dir), around.home.as_deref()));
    }
    if let Some(dir) = &around.defaults.capture.dir {
        return Ok(dir.clone());
    }
    let music = around.music_folder.clone().or_else(|| around.home.as_ref().map(|home| home.join("Music")));
    music.map(|music| music.join("Recordings")).ok_or_else(|| {
        Failure::usage("this user has no music folder and no home", "say where with `--dir`, DICTAPHONE_DIR or FILE")
    })
}
