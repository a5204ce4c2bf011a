//! The only part of the screen with side effects: devices, files, threads. It carries out what `update` requests and
//! reports the results.
//!
//! Everything that can take long has a thread: opening a device, listing devices, reading the folder, saving. They all
//! send their answers into one channel, which the main thread reads.

mod hooks;
mod input;
mod levels;
mod listener;
mod playback;
mod recording;
mod shelf;
mod worker;

use std::{
    io,
    path::PathBuf,
    sync::mpsc::{Receiver, Sender},
    time::{Duration, Instant},
};

use dictaphone::{
    Error, ErrorKind,
    audio::{local_time, time::duration_of},
    clips::{Spliced, Trashed, Trimmed},
    playback::Player,
};

pub(crate) use self::hooks::HooksOnScreen;
use self::{
    input::Input,
    listener::on_screen,
    playback::{PauseSpan, Playback},
    recording::Kept,
    shelf::{Before, Change, Shelf},
    worker::Answers,
};
use super::{
    app::{Dictation, InputRow, Outline},
    update::{Counted, Effect, Look, Msg},
};
use crate::{
    cli::config::Habits,
    input::command::Command,
    message::{Message, exit::Exit},
    plan::Record,
    session::{Choice, Listener, SessionInput},
    shelf::waveforms,
};

/// How often the folder and the free space are checked.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What happened outside, for the main thread.
pub(crate) enum WorldEvent {
    Msg(Msg),
    /// For the session.
    Session(SessionInput),
    /// The clip that was to go to the trash, as it was named.
    Trashed(PathBuf, dictaphone::Result<Trashed>),
    /// A change was taken back, or was not.
    Undone(Change, dictaphone::Result<()>),
    /// The inputs of the list with that number.
    Inputs(u64, Vec<InputRow>),
    /// A clip is open and can be played, or is to be paused at that place, or cannot be read; the number of the
    /// attempt.
    Playable(u64, PathBuf, Option<Duration>, dictaphone::Result<Player>),
    /// Waveform and markers of the clip that is played since the attempt of that number.
    Outlined(u64, Outline),
    /// The next pause from that frame on; the number of the search.
    PauseAhead(u64, u64, PauseSpan),
    /// The job is over.
    Exported(dictaphone::Result<PathBuf>),
    /// It is over; what it was to put in its place, and where that is.
    Spliced(Dictation, PathBuf, dictaphone::Result<Spliced>),
    /// A part of a clip was cut, or was not.
    Cut(dictaphone::Result<Trimmed>),
    /// A clip has other markers than these, or not.
    MarkersSet(PathBuf, Before),
    /// The folder has changed.
    Folder,
}

/// Everything outside that the screen uses.
pub(crate) struct World {
    input: Input,
    playback: Playback,
    shelf: Shelf,
    plan: Record,
    /// Whether what is cut is joined without a click.
    crossfade: bool,
    opened_at: Instant,
    /// The outcomes of the recordings that ended last, to be reported when the screen is gone.
    pub(crate) kept: Vec<Kept>,
}

impl World {
    pub(crate) fn new(plan: Record, folder: PathBuf, habits: &Habits, events: Sender<WorldEvent>) -> Self {
        let (answers, cache) = (Answers::new(events), waveforms());
        Self {
            input: Input::new(plan.clone(), answers.clone()),
            playback: Playback::new(habits.back_step, cache.clone(), answers.clone()),
            shelf: Shelf::new(folder, cache, answers),
            plan,
            crossfade: habits.crossfade,
            opened_at: Instant::now(),
            kept: Vec::new(),
        }
    }

    /// From now on the listener receives what happens to recordings.
    pub(crate) fn add_listener(&mut self, listener: Box<dyn Listener>) {
        self.input.session.add_listener(listener);
    }

    /// Whether something is in progress that must not be abandoned.
    pub(crate) fn is_busy(&self) -> bool {
        self.input.session.is_busy() || self.shelf.is_busy()
    }

    /// Whether sound arrives that the screen shows.
    pub(crate) fn is_live(&self) -> bool {
        self.input.is_live() || self.playback.is_open()
    }

    /// The message if the program is left at once, unless it is the same as before: a recording that is being saved is
    /// where it was.
    pub(crate) fn last_words(&self) -> Option<Message> {
        match (self.input.session.part(), self.shelf.last_words()) {
            (Some(part), _) => Some(crate::input::unfinished(&part)),
            (None, Some(words)) => Some(words.clone()),
            (None, None) => (!self.is_busy()).then(|| Message::new("interrupted")),
        }
    }

    /// Carries it out, and returns what is known about it at once.
    pub(crate) fn perform(&mut self, effect: Effect) -> Vec<Msg> {
        match effect {
            Effect::Open => self.input.session.open(Choice::Last),
            Effect::Choose(id, map) => self.input.session.open(Choice::This(id, map)),
            Effect::Start => {
                return vec![match self.input.session.start() {
                    Ok(()) => Msg::Started(self.input.session.name().unwrap_or_default()),
                    Err(failure) => Msg::NotSaved(Some(on_screen(&failure.message))),
                }];
            }
            Effect::Pause => self.input.session.apply(Command::Pause),
            Effect::Resume => self.input.session.apply(Command::Resume),
            Effect::Mark => self.input.session.apply(Command::Mark(String::new())),
            Effect::BeginEarlier(before) => self.input.session.begin_earlier(before),
            Effect::Stop => self.input.session.apply(Command::Stop),
            Effect::NameMarker(number, text) => self.input.session.name_marker(number, &text),
            Effect::SetMarkers(path, marks) => self.shelf.set_markers(path, marks),
            Effect::ListInputs => self.input.list(),
            Effect::CloseInputs => self.input.levels.close(),
            Effect::Play(path) => self.playback.play(path, None),
            Effect::Hold(path, at) => self.playback.play(path, Some(at)),
            Effect::TogglePlay => self.playback.toggle(),
            Effect::Seek(seconds) => self.playback.with_player(|player| {
                let by = Duration::from_secs(seconds.unsigned_abs().into());
                if seconds < 0 { player.seek_back(by) } else { player.seek_forward(by) }
            }),
            Effect::SeekTo(place) => self.playback.seek_to(place),
            Effect::Hop { forward } => self.playback.hop(forward),
            Effect::SkipSilence(skips) => self.playback.set_skips(skips),
            Effect::Detail(path, stretch) => self.playback.look_closer(path, stretch),
            Effect::Volume(factor) => self.playback.set_volume(factor),
            Effect::Repeat(part) => self.playback.repeat(part),
            Effect::Speed(speed) => self.playback.with_player(|player| player.set_speed(speed)),
            Effect::StopPlaying => self.playback.stop(),
            Effect::Delete(path) => self.shelf.delete(path),
            Effect::Undo => self.shelf.undo(),
            Effect::Recover(path) => self.shelf.recover(path),
            Effect::Sketch(paths) => self.shelf.sketch(paths),
            Effect::Export(path, format) => self.shelf.export(path, format),
            Effect::Splice(dictation, new) => self.shelf.splice(dictation, new),
            Effect::Cut { path, from, to, keep } => self.shelf.cut(path, (from, to), keep, self.crossfade),
            Effect::Cancel => self.shelf.cancel(),
            Effect::Rename(path, name) => {
                let renamed = self.shelf.rename(&path, &name);
                if let Msg::Renamed { from, to } = &renamed {
                    self.playback.renamed(from, to);
                }
                return vec![renamed];
            }
        }
        Vec::new()
    }

    /// What is new outside since the last call.
    pub(crate) fn look(&mut self) -> Look {
        self.shelf.watch(self.input.session.part().as_deref());
        self.playback.skip_silence();
        self.input.session.tick();
        self.input.session.look_for_device();
        let rate = self.input.session.format().map_or(1, |format| format.sample_rate);
        let progress = self.input.session.progress().map(|progress| Counted {
            time: duration_of(progress.frames, rate),
            lost: progress.lost_frames,
            arrived: progress.arrived > 0,
            reach: progress.reach,
            begins_before: progress.begins_before,
        });
        Look {
            now: self.opened_at.elapsed(),
            year: Some(local_time::now().year()),
            sound: self.input.sound(self.plan.gain_db),
            progress,
            playing: self.playback.playing(),
            disk_left: self.disk_left(),
            inputs: self.input.levels.peaks(),
        }
    }

    /// How long a recording can still become.
    fn disk_left(&mut self) -> Option<Duration> {
        let available = self.shelf.available_bytes();
        let format = self.input.session.format()?;
        let container = self.plan.container.format();
        let bits_a_second = container.estimated_bits_per_second(format, self.plan.bits_per_second);
        let bytes_a_second = u64::from(bits_a_second.div_ceil(8)).max(1);
        available.map(|bytes| Duration::from_secs(bytes / bytes_a_second))
    }

    /// What an event means for the screen.
    pub(crate) fn on_event(&mut self, event: WorldEvent) -> Option<Msg> {
        match event {
            WorldEvent::Msg(msg) => Some(msg),
            WorldEvent::Session(input) => {
                self.on_session(input);
                None
            }
            WorldEvent::Trashed(path, outcome) => {
                if outcome.is_ok() {
                    self.kept.iter_mut().filter(|kept| kept.is_at(&path)).for_each(Kept::note_in_trash);
                }
                Some(self.shelf.trashed(outcome))
            }
            WorldEvent::Undone(change, outcome) => Some(self.shelf.undone(change, outcome)),
            WorldEvent::Inputs(turn, rows) => self.input.listed(turn, rows),
            WorldEvent::Playable(number, path, at, opened) => self.playback.playable(number, path, at, opened),
            WorldEvent::Outlined(number, outline) => self.playback.outlined(number, outline),
            WorldEvent::PauseAhead(number, from, found) => {
                self.playback.pause_ahead(number, from, found);
                None
            }
            WorldEvent::Exported(outcome) => Some(self.shelf.exported(outcome)),
            WorldEvent::Spliced(dictation, new, outcome) => {
                Some(self.shelf.spliced(&dictation, &new, outcome, &mut self.kept))
            }
            WorldEvent::Cut(outcome) => Some(self.shelf.cut_done(outcome)),
            WorldEvent::MarkersSet(path, outcome) => Some(self.shelf.markers_set(path, outcome)),
            WorldEvent::Folder => {
                self.shelf.folder_changed();
                None
            }
        }
    }

    fn on_session(&mut self, input: SessionInput) {
        if let Some(outcome) = self.input.on_session(input) {
            self.kept.extend(Kept::of(&outcome));
            self.shelf.folder_changed();
        }
    }

    /// What the session has reported since the last call.
    pub(crate) fn take_messages(&self) -> Vec<Msg> {
        self.input.inbox.take()
    }

    /// How the program ends because of the worst outcome of any recording.
    pub(crate) fn worst(&self) -> Option<Exit> {
        self.input.session.worst()
    }

    /// Waits for the next event, and does what is due in any case.
    pub(crate) fn wait(&mut self, events: &Receiver<WorldEvent>) -> Option<WorldEvent> {
        let limit = self.input.session.wait().unwrap_or(LOOK_INTERVAL);
        let event = events.recv_timeout(limit);
        self.input.session.tick();
        event.ok()
    }

    /// Stops and saves what is still being recorded, whatever became of the screen.
    pub(crate) fn finish(&mut self, events: &Receiver<WorldEvent>) {
        self.input.session.apply(Command::Stop);
        self.shelf.cancel();
        while self.is_busy() {
            if let Some(event) = self.wait(events) {
                self.on_event(event);
            }
        }
    }

    /// Closes the device. The last thing that is done, as it may take long.
    pub(crate) fn close(self) {
        self.input.session.close();
    }
}

/// What went wrong, with the recorder's words for a full disk.
fn reason(error: &Error) -> String {
    match error.io_kind() {
        Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => "the disk is full".to_owned(),
        _ => error.to_string(),
    }
}

/// Why there is no answer from a thread.
fn bug() -> Error {
    Error::new(ErrorKind::Unknown, "it failed by a bug")
}
