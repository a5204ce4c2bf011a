//! The outcomes of the recordings that the screen did not report, and of the takes into which they were to go.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use dictaphone::audio::time::duration_of;

use super::World;
use crate::{
    message::{Message, exit::Exit},
    report::{outcome::Outcome, status},
    tui::app::{Dictation, Place},
};

/// The outcome of a recording.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    path: Result<PathBuf, Message>,
    /// Length of the recording; not reported for a take that it went into.
    time: Option<Duration>,
    pub(super) flaw: Option<String>,
    /// Where it was to go and did not, and why.
    astray: Option<String>,
    /// It was moved to the trash.
    in_trash: bool,
    /// How the program ends because of it.
    exit: Exit,
}

impl Kept {
    /// A recording that is a take of its own, or was not kept.
    pub(super) fn of(outcome: &Outcome) -> Option<Self> {
        let path = match (outcome.path(), outcome.failure()) {
            (Some(path), _) => Ok(path.to_owned()),
            (None, Some(failure)) if !outcome.is_idle() => Err(failure.message),
            _ => return None,
        };
        let time = Some(duration_of(outcome.frames, outcome.sample_rate));
        Some(Self { path, time, flaw: outcome.flaws(), astray: None, in_trash: false, exit: outcome.exit() })
    }

    /// A take that has what was dictated.
    pub(super) fn dictated(path: PathBuf, flaw: Option<String>) -> Self {
        let exit = if flaw.is_some() { Exit::Incomplete } else { Exit::Done };
        Self { path: Ok(path), time: None, flaw, astray: None, in_trash: false, exit }
    }

    /// A take that was to go into another one, and could not; `why` is `None` if that was cancelled.
    pub(super) fn astray(path: PathBuf, flaw: Option<String>, dictation: &Dictation, why: Option<&str>) -> Self {
        let name = dictation.path.file_stem().unwrap_or_default().to_string_lossy();
        let what = match dictation.place {
            Place::End => "appended to",
            Place::Insert(_) => "inserted into",
            Place::Overwrite(_) => "recorded over",
        };
        let astray = format!("not {what} {name}: {}", why.unwrap_or("it was given up"));
        // All of it is saved, so that exit code 3 would be wrong; but as with events that got lost, the rest of what
        // was asked for failed.
        let exit = if flaw.is_some() { Exit::Incomplete } else { Exit::Failed };
        Self { path: Ok(path), time: None, flaw, astray: Some(astray), in_trash: false, exit }
    }

    /// Whether it is that file.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        self.path.as_ref().is_ok_and(|kept| kept == path)
    }

    /// Records that it was moved to the trash.
    pub(super) fn note_in_trash(&mut self) {
        self.in_trash = true;
    }

    /// The message about it after the screen is gone, and how the program ends because of it.
    pub(crate) fn last_words(&self) -> (Result<String, Message>, Exit) {
        let words = match (&self.path, &self.flaw, &self.astray) {
            (Err(message), ..) => Err(message.clone()),
            (Ok(path), None, _) if self.in_trash => Ok(format!("{} is in the trash", path.display())),
            (Ok(path), Some(flaw), _) if self.in_trash => {
                Err(Message::new(format!("{} is in the trash; {flaw}", path.display())))
            }
            (Ok(path), Some(flaw), Some(astray)) => {
                let text = format!("saved {}, but {flaw}; it is a take of its own, {astray}", path.display());
                Err(Message::new(text))
            }
            (Ok(path), Some(flaw), None) => Err(Message::new(format!("saved {}, but {flaw}", path.display()))),
            (Ok(path), None, Some(astray)) => {
                Err(Message::new(format!("saved {} as a take of its own, {astray}", path.display())))
            }
            (Ok(path), None, None) => {
                let time = self.time.map_or_else(String::new, |time| format!(" · {}", status::clock(time)));
                Ok(format!("saved {}{time}", path.display()))
            }
        };
        (words, self.exit)
    }
}

impl World {
    /// The take that was recorded last was to go there, and the screen that would have put it there is gone.
    pub(crate) fn strand(&mut self, dictation: &Dictation) {
        if let Some(kept) = self.kept.pop() {
            let why = Some("the screen has failed");
            self.kept.push(match kept.path {
                Ok(path) => Kept::astray(path, kept.flaw, dictation, why),
                Err(_) => kept,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_a_recording_is_told_with_its_exit_code() {
        let flaw = || Some("it ended early: the disk is full".to_owned());
        let to = |place| Dictation { path: "/r/old.wav".into(), place };
        let new = || PathBuf::from("/r/new.wav");
        let astray = |place, flaw, why| Kept::astray(new(), flaw, &to(place), why);
        let trashed = |mut kept: Kept| {
            kept.note_in_trash();
            kept
        };
        let at = Duration::from_secs(1);
        for (kept, words, exit) in [
            (trashed(Kept::dictated(new(), None)), "/r/new.wav is in the trash", Exit::Done),
            (
                trashed(Kept::dictated(new(), flaw())),
                "/r/new.wav is in the trash; it ended early: the disk is full",
                Exit::Incomplete,
            ),
            (Kept::dictated(new(), None), "saved /r/new.wav", Exit::Done),
            (Kept::dictated(new(), flaw()), "saved /r/new.wav, but it ended early: the disk is full", Exit::Incomplete),
            (
                astray(Place::End, None, Some("it is gone")),
                "saved /r/new.wav as a take of its own, not appended to old: it is gone",
                Exit::Failed,
            ),
            (
                astray(Place::Insert(at), None, Some("it is gone")),
                "saved /r/new.wav as a take of its own, not inserted into old: it is gone",
                Exit::Failed,
            ),
            (
                astray(Place::Overwrite(at), None, None),
                "saved /r/new.wav as a take of its own, not recorded over old: it was given up",
                Exit::Failed,
            ),
            (
                astray(Place::End, flaw(), Some("it is gone")),
                "saved /r/new.wav, but it ended early: the disk is full; it is a take of its own, not appended to old: it \
                 is gone",
                Exit::Incomplete,
            ),
        ] {
            let (told, code) = kept.last_words();
            assert_eq!((told.unwrap_or_else(|message| message.text).as_str(), code), (words, exit));
        }
    }
}
