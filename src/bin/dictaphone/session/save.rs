//! What came of a recording: the file gets its name, the user hears the truth, the program its exit code.

use std::path::{Path, PathBuf};

use dictaphone::{
    Error, ErrorKind,
    audio::time::{duration_of, seconds},
    capture::WarningKind,
    media::{Blob, Loss, Progress},
    storage::Existing,
};

use super::{
    open::{self, Opened},
    pipe::Piped,
    run::Outcome,
};
use crate::{
    input::Inputs,
    message::{Failure, Message, exit::Exit, visible},
    plan::{JsonTo, Record, Target},
    report::{
        Report,
        json::{Event, FilePath, What},
        printer::Worth,
        status,
    },
};

/// Places of lost sound that are told one by one.
const PLACES: usize = 5;

/// Saves what is there to be saved and tells what came of it. The keys are the shell's again before anything is told, so
/// that what is typed then is not lost.
///
/// # Errors
/// When nothing usable came of the recording.
pub(crate) fn save(
    plan: &Record,
    report: &Report,
    opened: &Opened,
    inputs: Inputs,
    outcome: Outcome,
) -> Result<Exit, Failure> {
    let end = End { plan, report, opened, progress: &outcome.progress, stopped: outcome.stopped };
    let saved = match (&outcome.piped, &outcome.blob) {
        (Some(piped), _) => {
            drop(inputs);
            end.piped(piped, outcome.failure.as_ref())
        }
        (None, Some(blob)) => end.file(blob, inputs, outcome.failure.as_ref()),
        (None, None) => Err(end.broken_off(outcome.failure.as_ref())),
    };
    let device_rate_hz = outcome.progress.device_rate_hz;
    end.tell(What::Stop { device_rate_hz });
    if let Some(hertz) = device_rate_hz {
        log::info!("the device ran at {hertz:.2} Hz");
    }
    let exit = saved?;
    let lost = report.take_lost_events();
    if let Some(error) = &lost {
        report.error(&Message::new(format!("cannot write the events: {error}")).hint("the recording itself is saved"));
    }
    // A bug is not done with a whole file, nor is whoever waits for events with a lack of them.
    Ok(if outcome.broke_down || (lost.is_some() && exit == Exit::Done) { Exit::Failed } else { exit })
}

fn failed(text: String) -> Failure {
    Failure::new(Message::new(text), Exit::Failed)
}

struct End<'a> {
    plan: &'a Record,
    report: &'a Report,
    opened: &'a Opened,
    progress: &'a Progress,
    stopped: bool,
}

impl End<'_> {
    fn tell(&self, what: What<'_>) {
        let Some(to) = self.plan.json else { return };
        let frame = self.progress.frames;
        let at = seconds(frame, self.opened.format.sample_rate);
        let _ = self.report.event(to, &Event::new(frame, at, what), Worth::Kept);
    }

    /// Says what a person or a program should know. Among events on standard error a line of words would be in the way.
    fn warn(&self, kind: WarningKind, message: &Message) {
        let hint = message.hint.as_deref();
        self.tell(What::Warning { kind: kind.name(), message: &message.text, hint, channel: None });
        if self.plan.json != Some(JsonTo::Stderr) {
            self.report.warning(message);
        }
    }

    /// A failure that nobody has told as an event yet.
    fn failed(&self, failure: Failure) -> Failure {
        self.tell(What::Error { name: failure.name, message: failure.message.text.clone() });
        failure
    }

    /// `1:02:03.4`
    fn clock(&self, frames: u64) -> String {
        status::clock(duration_of(frames, self.opened.format.sample_rate))
    }

    fn file(&self, blob: &Blob, inputs: Inputs, failure: Option<&Error>) -> Result<Exit, Failure> {
        if blob.facts().frames == 0 {
            // An empty file would only look like a recording.
            let _ = blob.discard();
            return Err(self.nothing(failure));
        }
        if !blob.facts().whole {
            return Err(self.torn(blob, failure));
        }
        let (target, existing) = self.target(blob)?;
        // The folder in which the program was started may be gone.
        let place = if std::env::current_dir().is_ok() { target.clone() } else { self.opened.started_in.join(&target) };
        let path = match blob.save_as(&place, existing) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => blob.save_as(&place, Existing::Number),
            saved => saved,
        };
        drop(inputs);
        let path = path.map_err(|error| self.unsaved(blob, &error))?;
        // As the user wrote it, with the number that it may have got.
        let other = path.file_name().filter(|name| target.file_name() != Some(name));
        let path = other.map_or_else(|| target.clone(), |name| target.with_file_name(name));
        self.tell_saved(blob, &path);
        if path != target && matches!(self.plan.target, Target::File(..)) {
            let text = format!("{} appeared meanwhile; it was not touched", target.display());
            self.warn(WarningKind::Renamed, &Message::new(text));
        }
        self.report.note(&format!("saved {} · {}", path.display(), self.clock(blob.facts().frames)));
        let exit = self.judge(blob.facts().lost_frames, failure, &path.display().to_string());
        if self.plan.prints_path {
            self.report.path(&path).map_err(|error| {
                let message = Message::new(format!("cannot print the path: {error}"));
                Failure::new(message.hint(format!("the recording is saved in {}", path.display())), Exit::Failed)
            })?;
        }
        Ok(exit)
    }

    /// Nothing was handed over; the unfinished file may be there.
    fn broken_off(&self, failure: Option<&Error>) -> Failure {
        let cause = failure.map_or_else(|| "the recorder ended without a recording".to_owned(), ToString::to_string);
        let at = self.clock(self.progress.frames);
        let part = self.progress.path.as_ref().filter(|part| part.exists());
        let kept = part.map(|part| format!("what was recorded until {at} is in {}", visible(&part.to_string_lossy())));
        let broken_off = Failure::new(Message { text: cause, hint: kept }, Exit::Failed);
        if failure.is_some() { broken_off } else { self.failed(broken_off) }
    }

    /// Nothing came of it at all.
    fn nothing(&self, failure: Option<&Error>) -> Failure {
        if let Some(error) = failure {
            return error.clone().into();
        }
        let device = visible(&self.opened.device);
        let message = match () {
            () if self.progress.arrived > 0 => {
                Message::new("nothing was recorded").hint("it was stopped before any sound was kept")
            }
            () if self.stopped => Message::new("nothing was recorded")
                .hint(format!("it was stopped before the first sound came from `{device}`")),
            () if self.plan.device.as_deref().is_some_and(|id| id.starts_with("file:")) => {
                Message::new(format!("`{device}` holds no sound")).hint("`dictaphone info` tells what is in a file")
            }
            () => Message::new(format!("`{device}` delivered no sound"))
                .hint("`dictaphone devices` lists what else was found"),
        };
        self.failed(if self.stopped { Failure::stopped(message) } else { Failure::new(message, Exit::Failed) })
    }

    /// Named by the time of its first frame, which only now is known for certain.
    fn target(&self, blob: &Blob) -> Result<(PathBuf, Existing), Failure> {
        let existing = match &self.plan.target {
            Target::File(_, existing) => *existing,
            _ => Existing::Number,
        };
        let at = blob.facts().recorded_at.and_then(|at| jiff::Zoned::try_from(at).ok());
        let named = open::target(self.plan, &at.unwrap_or_else(jiff::Zoned::now))?;
        let target = named.or_else(|| self.opened.target.clone());
        Ok((target.ok_or_else(|| failed("there is no file to save to".to_owned()))?, existing))
    }

    /// The disk refused even the header. A finished name would promise what the file cannot keep; what was recorded is
    /// there, up to about the last second.
    fn torn(&self, blob: &Blob, failure: Option<&Error>) -> Failure {
        let reason = failure.map_or_else(|| "the disk failed".to_owned(), ToString::to_string);
        let message = Message::new(format!("the recording could not be completed: {reason}"));
        let Some(part) = blob.path().filter(|part| part.exists()) else {
            return self.failed(Failure::new(message, Exit::Failed));
        };
        self.tell_saved(blob, &part);
        let length = self.clock(blob.facts().frames);
        let hint = format!("its sound until {length} is kept in {}, `dictaphone recover` completes it", part.display());
        Failure::new(message.hint(hint), Exit::Incomplete)
    }

    fn unsaved(&self, blob: &Blob, error: &Error) -> Failure {
        self.tell(What::error(error));
        let part = blob.path().filter(|part| part.exists());
        let kept = part.map(|part| format!("what was recorded is kept in {}", part.display()));
        Failure::new(Message { text: error.to_string(), hint: kept }, Exit::Failed)
    }

    fn tell_saved(&self, blob: &Blob, path: &Path) {
        self.tell(What::DataAvailable {
            path: FilePath(Some(path)),
            size_bytes: blob.size(),
            duration_s: seconds(blob.facts().frames, self.opened.format.sample_rate),
            frames: blob.facts().frames,
            lost_frames: blob.facts().lost_frames,
        });
    }

    fn piped(&self, piped: &Piped, failure: Option<&Error>) -> Result<Exit, Failure> {
        let silenced = self.progress.lost_frames + piped.lost_frames;
        let lost = silenced + piped.unread_frames;
        let rate = self.opened.format.sample_rate;
        self.tell(What::DataAvailable {
            path: FilePath(None),
            size_bytes: piped.bytes,
            duration_s: seconds(self.progress.frames, rate),
            frames: self.progress.frames,
            lost_frames: lost,
        });
        if let Some(error) = &piped.failure {
            let failure = failed(format!("cannot write to standard output: {error}"));
            return Err(
                self.failed(failure.hint("a FILE in the place of `-` keeps what was recorded, also on a full disk"))
            );
        }
        if self.progress.frames == 0 && !piped.reader_gone {
            return Err(self.nothing(failure));
        }
        // Whoever reads the first lines of something does not want to hear that there was more.
        if !piped.reader_gone && piped.unread_frames == 0 && self.plan.json.is_none() {
            self.report.note(&format!("wrote {} to standard output", self.clock(self.progress.frames)));
        }
        let exit = self.judge(silenced, failure.filter(|_| !piped.reader_gone), "standard output");
        if piped.unread_frames == 0 {
            return Ok(exit);
        }
        let text =
            format!("the last {} were not read from standard output and are lost", self.length(piped.unread_frames));
        self.warn(
            WarningKind::Lost,
            &Message::new(text).hint("its reader had stood still for half a minute after the stop"),
        );
        Ok(Exit::Incomplete)
    }

    /// `0.512 s`
    fn length(&self, frames: u64) -> String {
        format!("{:.3} s", seconds(frames, self.opened.format.sample_rate))
    }

    /// `: 0.512 s at 00:00:03.2, …`, the first few.
    fn places(&self) -> String {
        let losses = &self.progress.losses;
        let place = |loss: &Loss| format!("{} at {}", self.length(loss.frames), self.clock(loss.at_frame));
        let mut places: Vec<String> = losses.iter().take(PLACES).map(place).collect();
        if losses.len() > PLACES {
            places.push(format!("and {} more", losses.len() - PLACES));
        }
        if places.is_empty() { String::new() } else { format!(": {}", places.join(", ")) }
    }

    /// Whole, or what is missing and why.
    fn judge(&self, lost: u64, failure: Option<&Error>, place: &str) -> Exit {
        if let Some(error) = failure {
            let at = self.clock(self.progress.frames);
            let message = Message::new(format!("the recording ended early, at {at}: {error}"));
            self.warn(WarningKind::EndedEarly, &message.hint(format!("what was recorded until then is in {place}")));
        }
        if lost > 0 {
            let text = format!("{lost} frames ({}) were lost and are silence in {place}", self.length(lost));
            let message = Message::new(format!("{text}{}", self.places()));
            let message = match self.plan.target {
                Target::Stdout if self.progress.lost_frames < lost => {
                    message.hint("the machine or the reader of the pipe was too slow")
                }
                _ => message,
            };
            self.warn(WarningKind::Lost, &message);
        }
        if self.progress.clipped > 0 {
            let text = format!("{} samples clipped at full scale in {place}", self.progress.clipped);
            self.warn(WarningKind::Clipping, &Message::new(text));
        }
        if failure.is_some() || lost > 0 { Exit::Incomplete } else { Exit::Done }
    }
}
