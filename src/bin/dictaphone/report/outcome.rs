//! The outcome of a recording, as data, and what follows from it: sentences for people, how the program ends. Pure.
//!
//! One place for both user interfaces: the command line and the screen choose different sentences from here, but agree
//! on what counts as whole.

use std::path::{Path, PathBuf};

use dictaphone::{
    Error, ErrorKind,
    audio::time::{duration_of, seconds},
    capture::WarningKind,
    media::{Loss, Progress},
};

use super::status::clock;
use crate::message::{Failure, Hint, Message, Remedy, exit::Exit, visible};

/// Places of lost sound that are named one by one.
const PLACES_NAMED: usize = 5;

/// An unfinished file.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its disk has gone away.
    pub(crate) is_away: bool,
}

/// What is left of a recording, and where.
#[derive(Debug, Clone)]
pub(crate) enum Kept {
    /// A finished file.
    File {
        /// Where it is, as the user would write it.
        path: PathBuf,
        /// Its size.
        size_bytes: u64,
        /// The name that it was meant to have, if another file had taken it meanwhile.
        meant: Option<PathBuf>,
    },
    /// The disk refused even the header: the unfinished file has the sound up to about its last second.
    Part {
        /// The unfinished file.
        part: Part,
        /// Its size.
        size_bytes: u64,
    },
    /// The file could not get its name.
    Unsaved {
        /// The unfinished file, if anything is left of it.
        part: Option<Part>,
        /// Why.
        error: Error,
    },
    /// It went to standard output.
    Stream {
        /// Bytes that were written.
        size_bytes: u64,
        /// Frames that the reader was too slow for; it received silence in their place.
        lost_frames: u64,
        /// Frames at the end that were still unread when the wait after the user's stop ended.
        unread_frames: u64,
        /// The reader closed its end.
        reader_gone: bool,
        /// Writing failed.
        failure: Option<String>,
    },
    /// The recorder delivered no file; the unfinished file, if it is there.
    BrokenOff(Option<PathBuf>),
    /// There was no sound to be kept.
    Nothing,
}

/// Which of two copies is not whole, and why.
#[derive(Debug, Clone)]
pub(crate) enum CopyFailure {
    /// The second took its place.
    First(String),
    /// The first is what was recorded.
    Second(String),
}

/// The outcome of a recording.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// What is left of it.
    pub(crate) kept: Kept,
    /// Frames of it that were kept.
    pub(crate) frames: u64,
    /// Its numbers when it ended.
    pub(crate) progress: Progress,
    /// Hertz, of the recording.
    pub(crate) sample_rate: u32,
    /// What ended it, if that was not intended.
    pub(crate) failure: Option<Error>,
    /// The user stopped it.
    pub(crate) stopped: bool,
    /// A bug ended its supervision; the recording itself may be whole.
    pub(crate) broke_down: bool,
    /// The device's name, as it is.
    pub(crate) device: String,
    /// The device is a sound file that is played in.
    pub(crate) is_from_file: bool,
    /// Frames of the last file alone that were lost, where others came before it.
    pub(crate) lost_in_file: Option<u64>,
    /// The recording ended with a file that was reported already.
    pub(crate) is_known: bool,
    /// The exit code of a file before the last one, if that was not whole.
    pub(crate) file_exit: Option<Exit>,
    /// Why there are not two whole copies.
    pub(crate) copy_failure: Option<CopyFailure>,
}

impl Part {
    /// Where `sound` is, and how it becomes a whole file.
    fn remedies(&self, sound: &str) -> [Remedy; 3] {
        let path = shown(&self.path);
        let (place, when) = match self.is_away {
            false => (format!("{sound} is kept in {path}"), String::new()),
            true => (format!("{sound} is in {path} when that disk is back"), "then ".to_owned()),
        };
        [
            Remedy::Text(place),
            Remedy::Command(format!("{when}`dictaphone recover {}` completes it", shell_words::quote(&path))),
            Remedy::Key(format!("{when}it can be recovered in the list")),
        ]
    }
}

impl Outcome {
    /// Frames that are silence because they were lost.
    pub(crate) fn lost_frames(&self) -> u64 {
        let of_pipe = if let Kept::Stream { lost_frames, .. } = &self.kept { *lost_frames } else { 0 };
        self.progress.lost_frames + of_pipe
    }

    /// The file in which it is, if it has its name.
    pub(crate) fn path(&self) -> Option<&Path> {
        if let Kept::File { path, .. } = &self.kept { Some(path) } else { None }
    }

    /// There is no result, and none was intended: it was stopped before the first sound.
    pub(crate) fn is_idle(&self) -> bool {
        matches!((&self.kept, self.stopped), (Kept::Nothing, true))
    }

    /// What ended it early, unless that was its reader.
    pub(crate) fn early_end(&self) -> Option<&Error> {
        let reader_gone = matches!(self.kept, Kept::Stream { reader_gone: true, .. });
        self.failure.as_ref().filter(|_| !reader_gone)
    }

    /// How the program ends because of it.
    pub(crate) fn exit(&self) -> Exit {
        if let Some(failure) = self.failure() {
            return failure.exit;
        }
        let unread = matches!(self.kept, Kept::Stream { unread_frames: 1.., .. });
        match () {
            // After a bug even a whole file does not count as done.
            () if self.broke_down => Exit::Failed,
            () if self.early_end().is_some() || self.lost_frames() > 0 || unread || self.progress.lost_unknown => {
                Exit::Incomplete
            }
            () if self.copy_failure.is_some() || self.file_exit.is_some() => Exit::Incomplete,
            () => Exit::Done,
        }
    }

    /// Why there is no usable result, or none that is finished.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let failed = |message| Some(Failure::new(message, Exit::Failed));
        match &self.kept {
            Kept::File { .. } => None,
            Kept::Stream { failure: Some(error), .. } => {
                failed(Message::new(format!("cannot write to standard output: {error}")).hint(Remedy::Flag(
                    "a FILE in the place of `-` keeps what was recorded, also on a full disk".to_owned(),
                )))
            }
            Kept::Stream { reader_gone, .. } => (self.frames == 0 && !reader_gone).then(|| self.nothing()),
            Kept::Part { part, .. } => {
                let message = Message::new(format!("the recording could not be completed: {}", self.cause()));
                let sound = format!("its sound until {}", self.clock(self.frames));
                Some(Failure::new(message.hint(part.remedies(&sound)), Exit::Incomplete))
            }
            Kept::Unsaved { part, error } => {
                let hint = part.as_ref().map(|part| match error.kind() {
                    // It has its name, and is not what it should be.
                    ErrorKind::Encoding => Hint::from(format!("what was recorded is kept in {}", shown(&part.path))),
                    _ => part.remedies("what was recorded").into(),
                });
                // Whatever prevented it from being saved, no device was missing and no argument was wrong.
                let exit = if part.is_some() { Exit::Incomplete } else { Exit::Failed };
                Some(Failure { exit, ..Failure::of(error, hint) })
            }
            Kept::BrokenOff(part) => {
                let at = self.clock(self.progress.frames);
                let hint = part.as_deref().map(|part| format!("what was recorded until {at} is in {}", shown(part)));
                failed(Message { text: self.cause(), hint: hint.map(Hint::from) })
            }
            Kept::Nothing => Some(self.nothing()),
        }
    }

    /// The same, of a file that is followed by others and was not saved.
    pub(crate) fn failure_of_file(&self) -> Option<Failure> {
        self.failure().filter(|_| matches!(self.kept, Kept::Unsaved { .. } | Kept::Part { .. }))
    }

    /// The same, unless it or its cause was reported as an event already.
    pub(crate) fn new_failure(&self) -> Option<Failure> {
        let is_known = match self.kept {
            _ if self.is_known => true,
            Kept::Nothing | Kept::BrokenOff(_) | Kept::Stream { failure: None, .. } => self.failure.is_some(),
            _ => false,
        };
        self.failure().filter(|_| !is_known)
    }

    fn cause(&self) -> String {
        let unknown = match self.kept {
            Kept::Part { .. } => "the disk failed",
            _ => "the recorder ended without a recording",
        };
        self.failure.as_ref().map_or_else(|| unknown.to_owned(), ToString::to_string)
    }

    fn nothing(&self) -> Failure {
        if let Some(error) = &self.failure {
            return error.clone().into();
        }
        let device = visible(&self.device);
        let nothing = Message::new("nothing was recorded");
        let message = match () {
            () if !self.progress.cut.is_zero() => {
                nothing.hint("nobody spoke, or nothing was loud enough; `dictaphone levels` finds a threshold")
            }
            () if self.progress.arrived > 0 => nothing.hint("it was stopped before any sound was kept"),
            () if self.stopped => nothing.hint(format!("it was stopped before the first sound came from `{device}`")),
            () if self.is_from_file => {
                let remedy = Remedy::Command("`dictaphone info` tells what is in a file".to_owned());
                Message::new(format!("`{device}` holds no sound")).hint(remedy)
            }
            () => Message::new(format!("`{device}` delivered no sound"))
                .hint(Remedy::Command("`dictaphone devices` lists what else was found".to_owned())),
        };
        if self.stopped { Failure::stopped(message) } else { Failure::new(message, Exit::Failed) }
    }

    /// What a person should know about what was kept, most important first.
    pub(crate) fn warnings(&self) -> Vec<(WarningKind, Message)> {
        let place = match &self.kept {
            Kept::File { path, .. } => shown(path),
            Kept::Stream { .. } => "standard output".to_owned(),
            _ => return Vec::new(),
        };
        let mut warnings = Vec::new();
        if let Kept::File { meant: Some(meant), .. } = &self.kept {
            let text = format!("{} appeared meanwhile; it was not touched", shown(meant));
            warnings.push((WarningKind::Renamed, Message::new(text)));
        }
        if let Some(error) = self.early_end() {
            let at = self.clock(self.progress.frames);
            let message = Message::new(format!("the recording ended early, at {at}: {error}"));
            let hint = format!("what was recorded until then is in {place}");
            warnings.push((WarningKind::EndedEarly, message.hint(hint)));
        }
        warnings.extend(self.losses(&place).map(|message| (WarningKind::Lost, message)));
        if self.progress.lost_unknown && self.lost_frames() == 0 {
            let text = format!("sound was lost and is missing in {place}, amount unknown");
            warnings.push((WarningKind::LostUnknown, Message::new(text)));
        }
        if let Some(failure) = &self.copy_failure {
            let text = match failure {
                CopyFailure::First(why) => format!("the first copy is not whole: {why}"),
                CopyFailure::Second(why) => format!("the second copy is not whole: {why}"),
            };
            warnings.push((WarningKind::Copy, Message::new(text).hint(format!("{place} is"))));
        }
        if self.progress.clipped > 0 {
            let text = format!("{} samples clipped at full scale in {place}", self.progress.clipped);
            warnings.push((WarningKind::Clipping, Message::new(text)));
        }
        if let Kept::Stream { unread_frames: unread @ 1.., .. } = self.kept {
            let text = format!("the last {} were not read from standard output and are lost", self.length(unread));
            let hint = "its reader had stood still for half a minute after the stop";
            warnings.push((WarningKind::Lost, Message::new(text).hint(hint)));
        }
        warnings
    }

    fn losses(&self, place: &str) -> Option<Message> {
        let lost = self.lost_in_file.unwrap_or(self.lost_frames());
        let text = format!("{lost} frames ({}) were lost and are silence in {place}", self.length(lost));
        let message = Message::new(format!("{text}{}", self.places()));
        let in_pipe = matches!(self.kept, Kept::Stream { lost_frames: 1.., .. });
        let message =
            if in_pipe { message.hint("the machine or the reader of the pipe was too slow") } else { message };
        (lost > 0).then_some(message)
    }

    /// The same in a few words, for a line that begins "saved NAME, but".
    pub(crate) fn flaws(&self) -> Option<String> {
        let lost = self.lost_frames();
        let flaws = [
            self.early_end().map(|error| format!("it ended early: {error}")),
            (lost > 0).then(|| format!("{} of it were lost and are silence", self.clock(lost))),
            (self.progress.clipped > 0).then(|| format!("{} samples clipped", self.progress.clipped)),
        ];
        let flaws: Vec<String> = flaws.into_iter().flatten().collect();
        (!flaws.is_empty()).then(|| flaws.join(", "))
    }

    /// The message when it is safe.
    pub(crate) fn note(&self) -> Option<String> {
        if self.is_known {
            return None;
        }
        let length = self.clock(self.frames);
        match &self.kept {
            Kept::File { path, .. } => Some(format!("saved {} · {length}{}", path.display(), self.cut_out())),
            // A user whose reader takes only the first lines of something does not need to know that there was more.
            Kept::Stream { reader_gone: false, unread_frames: 0, failure: None, .. } => {
                Some(format!("wrote {length} to standard output"))
            }
            _ => None,
        }
    }

    /// `, 00:01:02.3 without a voice cut out`
    fn cut_out(&self) -> String {
        match self.progress.cut {
            cut if cut.is_zero() => String::new(),
            cut => format!(", {} without a voice cut out", clock(cut)),
        }
    }

    /// `1:02:03.4`
    fn clock(&self, frames: u64) -> String {
        clock(duration_of(frames, self.sample_rate))
    }

    /// `0.512 s`
    fn length(&self, frames: u64) -> String {
        format!("{:.3} s", seconds(frames, self.sample_rate))
    }

    /// `: 0.512 s at 00:00:03.2, …`, the first few.
    fn places(&self) -> String {
        let losses = &self.progress.losses;
        let place = |loss: &Loss| format!("{} at {}", self.length(loss.frames), self.clock(loss.at_frame));
        let mut places: Vec<String> = losses.iter().take(PLACES_NAMED).map(place).collect();
        if losses.len() > PLACES_NAMED {
            places.push(format!("and {} more", losses.len() - PLACES_NAMED));
        }
        if places.is_empty() { String::new() } else { format!(": {}", places.join(", ")) }
    }
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy())
}
