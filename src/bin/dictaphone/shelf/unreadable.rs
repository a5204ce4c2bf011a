//! Why a file cannot be read, and what helps: never what would fail in the same way.

use std::path::{Path, PathBuf};

use dictaphone::{
    Error, ErrorKind,
    clips::{self, Change, Outcome},
    format,
};

use crate::message::{Failure, Hint, Message, exit::Exit, quoted};

/// What the sentence of an error ends with, and what helps then.
const BY_CAUSE: [(&str, &str); 3] = [
    ("not a sound file", "name a sound file; `dictaphone list` shows those in the clips folder"),
    ("which is written last, is missing", "`untrunc` may rebuild it, beside a whole file of the same recorder"),
    ("is empty", "no byte of it was ever written, or all of them were lost; another copy may have them"),
];

/// The failure to read the file at `path`.
pub(crate) fn unreadable(path: &Path, error: &Error) -> Failure {
    let is_raw = path.extension().and_then(|e| format::by_extension(e.to_str()?)).is_some_and(|f| f.name == "raw");
    if error.kind() == ErrorKind::InvalidData && is_raw && path.is_file() {
        let name = path.display().to_string();
        let wav = quoted(&format!("{name}.wav"));
        let hint = format!(
            "`ffmpeg -f s16le -ar 48000 -ac 1 -i {} {wav}`, with its own rate and channels, makes a file of it that says them",
            quoted(&name)
        );
        let text = format!("{name} holds raw samples, which do not say their rate and format");
        return Failure::new(Message::new(text).hint(hint), Exit::Failed);
    }
    Failure::of(error, remedy(path, error))
}

fn remedy(path: &Path, error: &Error) -> Option<Hint> {
    if error.kind() != ErrorKind::InvalidData || error.io_kind().is_some() {
        return None;
    }
    let (text, name) = (error.to_string(), quoted(&path.display().to_string()));
    let by_cause = BY_CAUSE.iter().find(|(cause, _)| text.ends_with(cause));
    let hint = match by_cause {
        Some(&(_, hint)) => hint.to_owned(),
        None if !path.is_file() => return None,
        None if is_repairable(path.to_owned()) => format!("`dictaphone recover {name}` makes it whole"),
        None => format!("`ffprobe {name}` says what is in it, if anything can be read of it"),
    };
    Some(hint.into())
}

/// Whether it would be another file afterwards, one with sound.
fn is_repairable(path: PathBuf) -> bool {
    let outcomes = clips::run(&[path], true);
    matches!(outcomes.as_slice(), [Outcome::Recovered(recovered)] if recovered.change == Change::Repaired)
}
