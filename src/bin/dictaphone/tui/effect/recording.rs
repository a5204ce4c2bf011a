//! The running recording and the file that becomes of it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use dictaphone::{
    Error,
    audio::{AudioFormat, time::duration_of},
    media::{Blob, MediaRecorder, RecorderEvent},
    storage::Existing,
};

use super::{Happening, World, one_line, reason};
use crate::{
    message::{Failure, Message, exit::Exit},
    report::status,
    session::open,
    tui::{
        app::{Dictation, Place, Weight},
        update::Msg,
    },
};

/// What came of a recording.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    path: Result<PathBuf, Message>,
    /// Length of the recording; not told of a take that it went into.
    time: Option<Duration>,
    pub(super) flaw: Option<String>,
    /// Where it was to go and did not, and why.
    astray: Option<String>,
}

pub(super) struct Running {
    pub(super) recorder: MediaRecorder,
    pub(super) format: AudioFormat,
    target: PathBuf,
    pub(super) discarded: bool,
    pub(super) failure: Option<Error>,
    blob: Option<Blob>,
}

impl Kept {
    /// A take that has what was dictated.
    pub(super) fn dictated(path: PathBuf, flaw: Option<String>) -> Self {
        Self { path: Ok(path), time: None, flaw, astray: None }
    }

    /// A take that was to go into another one, and could not; `why` is nothing if that was given up.
    pub(super) fn astray(path: PathBuf, flaw: Option<String>, dictation: &Dictation, why: Option<&str>) -> Self {
        let name = dictation.path.file_stem().unwrap_or_default().to_string_lossy();
        let what = match dictation.place {
            Place::End => "appended to",
            Place::Insert(_) => "inserted into",
            Place::Overwrite(_) => "recorded over",
        };
        let astray = format!("not {what} {name}: {}", why.unwrap_or("it was given up"));
        Self { path: Ok(path), time: None, flaw, astray: Some(astray) }
    }

    /// It could not be saved because of a bug.
    fn unsaved(part: Option<&Path>) -> Self {
        let hint = part.map(|part| format!("what was recorded is kept in {}", part.display()));
        let message = Message { text: "saving failed by a bug".to_owned(), hint };
        Self { path: Err(message), time: None, flaw: None, astray: None }
    }

    /// Whether it is that file.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        self.path.as_ref().is_ok_and(|kept| kept == path)
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

    pub(super) fn control(&self, call: impl FnOnce(&MediaRecorder) -> dictaphone::Result<()>) -> Vec<Msg> {
        if let Some(running) = &self.running {
            let _ = call(&running.recorder);
        }
        Vec::new()
    }

    pub(super) fn start(&mut self) -> Result<Msg, Failure> {
        let Some(input) = &self.input else {
            return Ok(Msg::NotSaved(Some("there is no input to record from".to_owned())));
        };
        if self.running.is_some() {
            return Ok(Msg::Say(Weight::Error, "a recording is running".to_owned()));
        }
        let (recorder, format, target) = open::recorder(&self.plan, &input.stream)?;
        let target = target.unwrap_or_else(|| self.folder.join("recording"));
        let events = recorder.events();
        recorder.start(None)?;
        self.forward(events, Happening::Recorder);
        let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.running = Some(Running { recorder, format, target, discarded: false, failure: None, blob: None });
        Ok(Msg::Started(name))
    }

    pub(super) fn hear_recorder(&mut self, event: RecorderEvent) -> Option<Msg> {
        let running = self.running.as_mut()?;
        match event {
            RecorderEvent::Pause { .. } => Some(Msg::Paused),
            RecorderEvent::Resume { .. } => Some(Msg::Resumed),
            RecorderEvent::Mark(marker) => Some(Msg::Marked(duration_of(marker.frame, running.format.sample_rate))),
            RecorderEvent::Warning { warning, .. } => Some(Msg::Say(Weight::Warning, warning.to_string())),
            RecorderEvent::LowSpace { left } => {
                let text =
                    format!("the disk is full in {}; the recording is saved when that happens", status::clock(left));
                Some(Msg::Say(Weight::Warning, text))
            }
            RecorderEvent::Error(error) => {
                running.failure.get_or_insert(error);
                None
            }
            RecorderEvent::DataAvailable { data, .. } => {
                running.blob = Some(data);
                None
            }
            RecorderEvent::Stop => self.ended(),
            _ => None,
        }
    }

    /// The recorder has said everything: what there is becomes a file.
    pub(super) fn ended(&mut self) -> Option<Msg> {
        let Running { recorder, format, target, discarded, failure, blob } = self.running.take()?;
        let lost = recorder.progress().lost_frames;
        let Some(blob) = blob else {
            return Some(Msg::NotSaved(Some("the recorder ended without a recording".into())));
        };
        if discarded || blob.facts().frames == 0 {
            let why = match (discarded, blob.discard(), failure) {
                (true, Err(error), _) => Some(error.to_string()),
                (true, Ok(()), _) => None,
                (false, _, Some(error)) => Some(format!("nothing was recorded: {error}")),
                (false, _, None) => Some("nothing was recorded".to_owned()),
            };
            return Some(Msg::NotSaved(why));
        }
        let flaw = match failure {
            Some(error) => Some(format!("it ended early: {error}")),
            None if lost > 0 => Some(format!(
                "{} of it were lost and are silence",
                status::clock(duration_of(lost, format.sample_rate))
            )),
            None => None,
        };
        // Named by the time of its first frame, which only now is known for certain.
        let at = blob.facts().recorded_at.and_then(|at| jiff::Zoned::try_from(at).ok());
        let named = at.and_then(|at| open::target(&self.plan, &at).ok().flatten());
        let target = named.unwrap_or(target);
        self.saving += 1;
        let part = blob.path();
        let work = move || Happening::Saved(save(&blob, &target, flaw));
        self.spawn_surely("save", work, move || Happening::Saved(Kept::unsaved(part.as_deref())));
        Some(Msg::Ended)
    }

    pub(super) fn saved(&mut self, kept: Kept) -> Msg {
        self.saving = self.saving.saturating_sub(1);
        self.kept.push(kept.clone());
        self.looked = None;
        let Kept { path, time, flaw, astray: _ } = kept;
        match path {
            Ok(path) => Msg::Saved { path, time: time.unwrap_or_default(), flaw },
            Err(message) => Msg::NotSaved(Some(one_line(&message))),
        }
    }
}

impl Kept {
    /// What is said about it after the screen is gone, and how the program ends because of it.
    pub(crate) fn last_words(&self) -> (Result<String, Message>, Exit) {
        match (&self.path, &self.flaw, &self.astray) {
            (Err(message), ..) => (Err(message.clone()), Exit::Failed),
            (Ok(path), Some(flaw), Some(astray)) => {
                let text = format!("saved {}, but {flaw}; it is a take of its own, {astray}", path.display());
                (Err(Message::new(text)), Exit::Incomplete)
            }
            (Ok(path), Some(flaw), None) => {
                (Err(Message::new(format!("saved {}, but {flaw}", path.display()))), Exit::Incomplete)
            }
            // All of it is saved, so that 3 would be wrong; but as with events that got lost, the rest of what was asked
            // for failed.
            (Ok(path), None, Some(astray)) => {
                (Err(Message::new(format!("saved {} as a take of its own, {astray}", path.display()))), Exit::Failed)
            }
            (Ok(path), None, None) => {
                let time = self.time.map_or_else(String::new, |time| format!(" · {}", status::clock(time)));
                (Ok(format!("saved {}{time}", path.display())), Exit::Done)
            }
        }
    }
}

fn save(blob: &Blob, target: &Path, flaw: Option<String>) -> Kept {
    let path = blob.save_as(target, Existing::Number).map_err(|error| {
        let kept = blob.path().map(|part| format!("what was recorded is kept in {}", part.display()));
        Message { text: reason(&error), hint: kept }
    });
    Kept { path, time: Some(blob.duration()), flaw, astray: None }
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
        let at = Duration::from_secs(1);
        for (kept, words, exit) in [
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
