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

use super::{Happening, World, one_line};
use crate::{
    commands::record::open,
    exit::Exit,
    message::{Failure, Message},
    status,
    tui::{app::Weight, update::Msg},
};

/// What came of a recording.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    path: Result<PathBuf, Message>,
    /// Length of the recording; not told of a take that it went into.
    time: Option<Duration>,
    flaw: Option<String>,
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
    pub(super) fn dictated(path: PathBuf) -> Self {
        Self { path: Ok(path), time: None, flaw: None }
    }

    /// It could not be saved because of a bug.
    fn unsaved(part: Option<&Path>) -> Self {
        let hint = part.map(|part| format!("what was recorded is kept in {}", part.display()));
        let message = Message { text: "saving failed by a bug".to_owned(), hint };
        Self { path: Err(message), time: None, flaw: None }
    }

    /// Whether it is that file.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        self.path.as_ref().is_ok_and(|kept| kept == path)
    }
}

impl World {
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
        let Kept { path, time, flaw } = kept;
        match path {
            Ok(path) => Msg::Saved { path, time: time.unwrap_or_default(), flaw },
            Err(message) => Msg::NotSaved(Some(one_line(&message))),
        }
    }
}

impl Kept {
    /// What is said about it after the screen is gone, and how the program ends because of it.
    pub(crate) fn last_words(&self) -> (Result<String, Message>, Exit) {
        match (&self.path, &self.flaw) {
            (Err(message), _) => (Err(message.clone()), Exit::Failed),
            (Ok(path), Some(flaw)) => {
                (Err(Message::new(format!("saved {}, but {flaw}", path.display()))), Exit::Incomplete)
            }
            (Ok(path), None) => {
                let time = self.time.map_or_else(String::new, |time| format!(" · {}", status::clock(time)));
                (Ok(format!("saved {}{time}", path.display())), Exit::Done)
            }
        }
    }
}

fn save(blob: &Blob, target: &Path, flaw: Option<String>) -> Kept {
    let path = blob.save_as(target, Existing::Number).map_err(|error| {
        let kept = blob.path().map(|part| format!("what was recorded is kept in {}", part.display()));
        Message { text: error.to_string(), hint: kept }
    });
    Kept { path, time: Some(blob.duration()), flaw }
}
