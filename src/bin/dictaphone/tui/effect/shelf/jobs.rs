//! Files that are made of others: exported clips, and takes with what was dictated in them. One at a time, on a thread
//! that reports its progress and can be cancelled.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use dictaphone::{
    Error, ErrorKind, Result,
    audio::time::{duration_of, frames_in},
    clips::{self, Advance, Conversion, Cut, Seam, Spliced, Trimmed},
    format,
    storage::Existing,
};

use super::{Shelf, change::Change};
use crate::{
    message::Message,
    tui::{
        app::{Dictation, Place},
        effect::{WorldEvent, bug, reason, recording::Kept, worker::Answers},
        update::{Changed, Msg},
    },
};

/// How often it reports its progress.
const REPORT_INTERVAL: Duration = Duration::from_millis(100);

/// The job that runs.
pub(in crate::tui::effect) struct RunningJob {
    /// Set when it is cancelled.
    given_up: Arc<AtomicBool>,
    /// The message when the program is left at once.
    pub(in crate::tui::effect) last_words: Message,
}

impl Shelf {
    pub(in crate::tui::effect) fn export(&mut self, path: PathBuf, name: &'static str) {
        let what = format!("{} was not exported", path.display());
        let mut watch = self.begin_job(last_words(&what));
        let work = move || WorldEvent::Exported(export(&path, name, &mut watch));
        self.answers.spawn_surely("export", work, || WorldEvent::Exported(Err(bug())));
    }

    pub(in crate::tui::effect) fn splice(&mut self, dictation: Dictation, new: PathBuf) {
        let what = format!("the recording is {}, a take of its own", new.display());
        let mut watch = self.begin_job(last_words(&what));
        let (this, that) = (dictation.clone(), new.clone());
        let work = move || {
            let outcome = splice(&dictation, &new, &mut watch);
            WorldEvent::Spliced(dictation, new, outcome)
        };
        self.answers.spawn_surely("splice", work, move || WorldEvent::Spliced(this, that, Err(bug())));
    }

    pub(in crate::tui::effect) fn cut(
        &mut self,
        path: PathBuf,
        (from, to): (Duration, Duration),
        keep: bool,
        soft: bool,
    ) {
        let what = format!("{} was not cut", path.display());
        let mut watch = self.begin_job(last_words(&what));
        let work = move || {
            let trimmed = format::open(&path).map(|decoder| decoder.format().sample_rate).and_then(|rate| {
                let part = frames_in(from, rate)..frames_in(to, rate);
                let cut = if keep { Cut::Keep(part) } else { Cut::Out(part) };
                clips::cut(&path, &cut, soft, &mut watch)
            });
            WorldEvent::Cut(trimmed)
        };
        self.answers.spawn_surely("cut", work, || WorldEvent::Cut(Err(bug())));
    }

    pub(in crate::tui::effect) fn cut_done(&mut self, outcome: Result<Trimmed>) -> Msg {
        self.end_job();
        Msg::Cut(outcome.map_err(|error| unless_given_up(&error)).map(|trimmed| {
            let changed = Changed {
                path: self.listed_path(&trimmed.path),
                at: duration_of(trimmed.seam, trimmed.sample_rate),
                left_over: trimmed.left_over().map(Path::to_owned).into_iter().collect(),
                lost: duration_of(trimmed.lost_frames, trimmed.sample_rate),
            };
            self.changes.push(Change::Cut(trimmed));
            changed
        }))
    }

    pub(in crate::tui::effect) fn cancel(&self) {
        if let Some(job) = &self.job {
            job.given_up.store(true, Ordering::SeqCst);
        }
    }

    /// What is called with every block.
    fn begin_job(&mut self, last_words: Message) -> impl FnMut(Advance) -> ControlFlow<()> + Send + 'static {
        let given_up = Arc::<AtomicBool>::default();
        self.job = Some(RunningJob { given_up: Arc::clone(&given_up), last_words });
        watch(given_up, self.answers.clone())
    }

    pub(in crate::tui::effect) fn exported(&mut self, outcome: Result<PathBuf>) -> Msg {
        self.end_job();
        Msg::Exported(outcome.map_err(|error| unless_given_up(&error)))
    }

    pub(in crate::tui::effect) fn spliced(
        &mut self,
        dictation: &Dictation,
        new: &Path,
        outcome: Result<Spliced>,
        kept: &mut Vec<Kept>,
    ) -> Msg {
        self.end_job();
        // The message at the end is about the take that exists now.
        let flaw = kept.iter().find(|kept| kept.is_at(new)).and_then(|kept| kept.flaw.clone());
        kept.retain(|kept| !kept.is_at(new));
        Msg::Spliced(match outcome {
            Ok(spliced) => {
                let path = self.listed_path(&spliced.path);
                let left_over = spliced.left_over().map(Path::to_owned).collect();
                let at = duration_of(spliced.new_frames.end, spliced.sample_rate);
                let lost = duration_of(spliced.lost_frames, spliced.sample_rate);
                kept.push(Kept::dictated(path.clone(), flaw));
                self.changes.push(Change::Spliced(spliced));
                Ok(Changed { path, at, left_over, lost })
            }
            Err(error) => {
                let why = unless_given_up(&error);
                kept.push(Kept::astray(new.to_owned(), flaw, dictation, why.as_deref()));
                Err(why)
            }
        })
    }

    fn end_job(&mut self) {
        (self.job, self.looked) = (None, None);
    }
}

/// Why it failed; `None` if it was cancelled.
fn unless_given_up(error: &Error) -> Option<String> {
    (error.kind() != ErrorKind::Abort).then(|| reason(error))
}

/// The message when the program is left at once: what is not done.
fn last_words(what: &str) -> Message {
    Message::new(format!("interrupted; {what}")).hint("what is left of it is removed by the next run")
}

fn watch(given_up: Arc<AtomicBool>, answers: Answers) -> impl FnMut(Advance) -> ControlFlow<()> + Send {
    let mut told = Instant::now();
    move |advance| {
        if let (true, Some(total)) = (told.elapsed() >= REPORT_INTERVAL, advance.total.filter(|&total| total > 0)) {
            told = Instant::now();
            answers.say(Msg::Progress(advance.frames as f64 / total as f64));
        }
        if given_up.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn export_target(path: &Path, name: &str) -> Option<PathBuf> {
    format::by_name(name).map(|format| path.with_extension(format.extension()))
}

fn export(path: &Path, name: &str, watch: &mut dyn FnMut(Advance) -> ControlFlow<()>) -> Result<PathBuf> {
    let no_format = || Error::new(ErrorKind::NotSupported, format!("there is no format {name}"));
    let (format, target) = format::by_name(name).zip(export_target(path, name)).ok_or_else(no_format)?;
    let (path, _) = clips::convert(path, &target, &Conversion::new(format), Existing::Number, watch)?;
    Ok(path)
}

fn splice(dictation: &Dictation, new: &Path, watch: &mut dyn FnMut(Advance) -> ControlFlow<()>) -> Result<Spliced> {
    let frame = |at| format::open(&dictation.path).map(|decoder| frames_in(at, decoder.format().sample_rate));
    let seam = match dictation.place {
        Place::End => Seam::End,
        Place::Insert(at) => Seam::Insert(frame(at)?),
        Place::Overwrite(at) => Seam::Overwrite(frame(at)?),
    };
    clips::splice(&dictation.path, new, seam, watch)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_full_disk_is_told_as_one_and_what_was_given_up_not_at_all() {
        let failed = |kind: io::ErrorKind| Error::from_io(kind.into(), "cannot write /r/a.wav");
        assert_eq!(unless_given_up(&failed(io::ErrorKind::StorageFull)).as_deref(), Some("the disk is full"));
        let denied = unless_given_up(&failed(io::ErrorKind::PermissionDenied));
        assert_eq!(denied.as_deref(), Some("cannot write /r/a.wav: permission denied"));
        assert_eq!(unless_given_up(&Error::new(ErrorKind::Abort, "x")), None);
    }

    #[test]
    fn whoever_leaves_at_once_hears_what_is_left_behind() {
        let Message { text, hint } = last_words("/r/a.wav was not exported");
        assert_eq!(text, "interrupted; /r/a.wav was not exported");
        assert_eq!(hint.as_deref(), Some("what is left of it is removed by the next run"));
    }
}
