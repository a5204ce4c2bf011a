//! Saves what the recorder delivers as a file with its name. Runs on a thread of its own: it waits for the disk.

use std::path::PathBuf;

use dictaphone::{
    Error, ErrorKind,
    audio::local_time,
    media::{Blob, Progress},
    storage::Existing,
};

use super::{pipe::Piped, target};
use crate::{
    plan::{Record, Target},
    report::outcome::{Kept, Part},
};

/// What is needed to save a recording.
pub(super) struct Saving {
    pub(super) plan: Record,
    /// The whole recording, unless it went to standard output.
    pub(super) blob: Option<Blob>,
    /// What went to standard output.
    pub(super) piped: Option<Piped>,
    pub(super) progress: Progress,
    /// Where the file was to go when recording began.
    pub(super) target: Option<PathBuf>,
    /// The folder to which a relative path belongs.
    pub(super) started_in: PathBuf,
    /// Which file of the recording it is, from 1.
    pub(super) number: u32,
    /// The result of the file before it.
    pub(super) before: Option<(Kept, u64)>,
}

impl Saving {
    /// The unfinished file, for the message after a bug.
    pub(super) fn part(&self) -> Option<PathBuf> {
        self.blob.as_ref().map_or_else(|| self.progress.path.clone(), Blob::path)
    }

    /// Saves what there is to save; also returns its length in frames.
    pub(super) fn save(self) -> (Kept, u64) {
        if let Some(piped) = self.piped {
            let Piped { bytes, lost_frames, unread_frames, reader_gone, failure } = piped;
            let failure = failure.map(|error| error.to_string());
            let kept = Kept::Stream { size_bytes: bytes, lost_frames, unread_frames, reader_gone, failure };
            return (kept, self.progress.frames);
        }
        let Some(blob) = &self.blob else {
            // The recording ended with its file before.
            if let Some(before) = self.before {
                return before;
            }
            let part = self.progress.path.filter(|part| part.exists());
            return (Kept::BrokenOff(part), self.progress.frames);
        };
        let frames = blob.facts().frames;
        let kept = match frames {
            0 => {
                // An empty file would only look like a recording.
                let _ = blob.discard();
                Kept::Nothing
            }
            // A finished name would be wrong for a file that is not whole.
            _ if !blob.facts().whole => match left_of(blob) {
                Some(part) => Kept::Part { part, size_bytes: blob.size() },
                None => Kept::BrokenOff(None),
            },
            _ => self.file(blob).unwrap_or_else(|error| unsaved(blob, error)),
        };
        (kept, frames)
    }

    fn file(&self, blob: &Blob) -> Result<Kept, Error> {
        let (target, existing) = self.target(blob)?;
        // The folder in which the program was started may be gone.
        let place = if std::env::current_dir().is_ok() { target.clone() } else { self.started_in.join(&target) };
        let path = match blob.save_as(&place, existing) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => blob.save_as(&place, Existing::Number),
            saved => saved,
        }?;
        if path.parent() != place.parent() {
            // The second copy has taken the place of the first.
            return Ok(Kept::File { path, size_bytes: blob.size(), meant: None });
        }
        // As the user wrote it, with the number that it may have got.
        let other = path.file_name().filter(|name| target.file_name() != Some(name));
        let path = other.map_or_else(|| target.clone(), |name| target.with_file_name(name));
        let meant = (path != target && matches!(self.plan.target, Target::File(..))).then_some(target);
        Ok(Kept::File { path, size_bytes: blob.size(), meant })
    }

    /// Named by the time of its first frame, which is known for certain only now.
    fn target(&self, blob: &Blob) -> Result<(PathBuf, Existing), Error> {
        // What may be replaced is the file that was named, and not one that has the name of a further file.
        let is_named = self.number == 1 || self.plan.steps.numbers_files();
        let existing = match &self.plan.target {
            Target::File(_, existing) if is_named => *existing,
            _ => Existing::Number,
        };
        let at = blob.facts().recorded_at.and_then(local_time::at);
        let named = target::of(&self.plan, self.number, &at.unwrap_or_else(local_time::now)).ok().flatten();
        let target = named.or_else(|| self.target.clone());
        let target = target.ok_or_else(|| Error::new(ErrorKind::Unknown, "there is no file to save to"))?;
        Ok((target, existing))
    }
}

fn unsaved(blob: &Blob, error: Error) -> Kept {
    Kept::Unsaved { part: left_of(blob), error }
}

/// The unfinished file, if it is there, or on a disk that is not.
fn left_of(blob: &Blob) -> Option<Part> {
    let (path, is_away) = (blob.path()?, blob.is_away());
    (is_away || path.exists()).then_some(Part { path, is_away })
}

/// What is left when saving failed by a bug.
pub(super) fn failed_by_a_bug(part: Option<PathBuf>) -> (Kept, u64) {
    let error = Error::new(ErrorKind::Unknown, "saving failed by a bug");
    let part = part.filter(|part| part.exists()).map(|path| Part { path, is_away: false });
    (Kept::Unsaved { part, error }, 0)
}
