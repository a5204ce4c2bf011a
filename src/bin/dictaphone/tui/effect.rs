//! The only part of the screen that touches the world: devices, files, threads. It does what `update` asks for and says
//! what came of it.
//!
//! Everything that can take long has a thread: opening a device, listing devices, reading the folder, saving. They all
//! answer into one channel, which the main thread reads.

mod change;
mod folder;
mod jobs;
mod levels;
mod listener;
mod listening;
mod markers;
mod recording;
mod sketches;
mod travel;
mod watch;
mod worker;

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::AtomicBool,
        mpsc::{Receiver, Sender},
    },
    time::{Duration, Instant, SystemTime},
};

use dictaphone::{
    Error, ErrorKind,
    audio::{apply_gain, db_to_factor, local_time, time::duration_of},
    clips::{self, Listing, Spliced, Trashed, Trimmed, WaveformCache},
    media::Tap,
    playback::Player,
};

use self::{
    change::Change,
    jobs::RunningJob,
    levels::Levels,
    listener::{Inbox, on_screen},
    markers::{Before, Marking},
    recording::Kept,
    sketches::Wanted,
    travel::{Found, Travel},
    worker::Turn,
};
use super::{
    app::{Dictation, InputRow, Outline},
    update::{Counted, Effect, Heard, Msg},
};
use crate::{
    cli::config::Habits,
    input::command::Command,
    message::{Message, exit::Exit},
    plan::Record,
    session::{Choice, Listener, Session, SessionInput},
    shelf::waveforms,
};

/// Blocks of sound that may wait for the screen.
const TAP_BLOCKS: usize = 256;
/// How often the folder and the free space are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What the main thread hears of.
pub(crate) enum Happening {
    Msg(Msg),
    /// For the session.
    Session(SessionInput),
    Trashed(dictaphone::Result<Trashed>),
    /// A change was taken back, or was not.
    Undone(Change, dictaphone::Result<()>),
    /// The inputs of list number so and so.
    Inputs(u64, Vec<InputRow>),
    /// A clip is open and can be played, or is to wait at that place, or cannot be read; the number of the attempt.
    Playable(u64, PathBuf, Option<Duration>, dictaphone::Result<Player>),
    /// What the clip looks like that is played since the attempt of that number.
    Outlined(u64, Outline),
    /// The next pause from that frame on; the number of the search.
    PauseAhead(u64, u64, Found),
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

/// Everything outside, as far as the screen has to do with it.
pub(crate) struct World {
    plan: Record,
    folder: PathBuf,
    session: Session,
    /// What the session has said.
    inbox: Inbox,
    /// The sound of the input.
    tap: Option<Tap>,
    happenings: Sender<Happening>,
    opened_at: Instant,
    player: Option<(PathBuf, Player)>,
    play_turn: Turn,
    habits: Habits,
    /// That of the next clip as well.
    volume: f32,
    travel: Travel,
    marking: Marking,
    levels: Levels,
    sketches: Arc<Mutex<Wanted>>,
    cache: Option<WaveformCache>,
    disk: (Option<Instant>, Option<u64>),
    folder_seen: Option<Option<SystemTime>>,
    looked: Option<Instant>,
    reading: Arc<AtomicBool>,
    /// What was in the folder the last time, so that only what has changed is read again.
    listing: Arc<Mutex<Listing>>,
    /// What can be brought back, the latest last.
    changes: Vec<Change>,
    job: Option<RunningJob>,
    /// What came of the recordings that ended last, for whoever looks after the screen is gone.
    pub(crate) kept: Vec<Kept>,
}

impl World {
    pub(crate) fn new(plan: Record, folder: PathBuf, habits: Habits, happenings: Sender<Happening>) -> Self {
        let news = happenings.clone();
        watch::watch(folder.clone(), move || news.send(Happening::Folder).is_ok());
        let inputs = happenings.clone();
        let post = Arc::new(move |input| {
            let _ = inputs.send(Happening::Session(input));
        });
        let mut session = Session::with_picture(plan.clone(), post);
        let inbox = Inbox::default();
        session.add_listener(Box::new(inbox.clone()));
        Self {
            session,
            inbox,
            tap: None,
            plan,
            folder,
            happenings,
            opened_at: Instant::now(),
            player: None,
            play_turn: Turn::default(),
            habits,
            volume: 1.0,
            travel: Travel::default(),
            marking: Marking::default(),
            levels: Levels::default(),
            sketches: Arc::default(),
            cache: waveforms(),
            disk: (None, None),
            folder_seen: None,
            looked: None,
            reading: Arc::default(),
            listing: Arc::default(),
            changes: Vec::new(),
            job: None,
            kept: Vec::new(),
        }
    }

    /// From now on it is told what happens to recordings.
    pub(crate) fn add_listener(&mut self, listener: Box<dyn Listener>) {
        self.session.add_listener(listener);
    }

    /// Whether something must not be left behind.
    pub(crate) fn is_busy(&self) -> bool {
        self.session.is_busy() || self.job.is_some() || self.marking.is_running()
    }

    /// Whether sound arrives that the screen shows.
    pub(crate) fn is_live(&self) -> bool {
        self.session.is_live() || self.player.is_some() || self.levels.are_heard()
    }

    /// What is said if the program is left at once, unless that is what was said before: a recording that is being saved
    /// is where it was.
    pub(crate) fn last_words(&self) -> Option<Message> {
        match (self.session.part(), &self.job) {
            (Some(part), _) => Some(crate::input::unfinished(&part)),
            (None, Some(job)) => Some(job.last_words.clone()),
            (None, None) => (!self.is_busy()).then(|| Message::new("interrupted")),
        }
    }

    /// Does it, and returns what is known about it at once.
    pub(crate) fn perform(&mut self, effect: Effect) -> Vec<Msg> {
        match effect {
            Effect::Open => self.session.open(Choice::Last),
            Effect::Choose(id, map) => self.session.open(Choice::This(id, map)),
            Effect::Start => {
                return vec![match self.session.start() {
                    Ok(()) => Msg::Started(self.session.name().unwrap_or_default()),
                    Err(failure) => Msg::NotSaved(Some(on_screen(&failure.message))),
                }];
            }
            Effect::Pause => self.session.apply(Command::Pause),
            Effect::Resume => self.session.apply(Command::Resume),
            Effect::Mark => self.session.apply(Command::Mark(String::new())),
            Effect::BeginEarlier(before) => self.session.begin_earlier(before),
            Effect::Stop => self.session.apply(Command::Stop),
            Effect::NameMarker(number, text) => self.session.name_marker(number, &text),
            Effect::SetMarkers(path, marks) => self.set_markers(path, marks),
            Effect::ListInputs => self.list_inputs(),
            Effect::CloseInputs => self.close_inputs(),
            Effect::Play(path) => self.play(path, None),
            Effect::Hold(path, at) => self.play(path, Some(at)),
            Effect::TogglePlay => self.toggle_play(),
            Effect::Seek(seconds) => self.with_player(|player| {
                let by = Duration::from_secs(seconds.unsigned_abs().into());
                if seconds < 0 { player.seek_back(by) } else { player.seek_forward(by) }
            }),
            Effect::SeekTo(place) => self.seek_to(place),
            Effect::Hop { forward } => self.hop(forward),
            Effect::SkipSilence(skips) => self.set_skips(skips),
            Effect::Detail(path, stretch) => self.look_closer(path, stretch),
            Effect::Volume(factor) => self.set_volume(factor),
            Effect::Repeat(part) => self.repeat(part),
            Effect::Speed(speed) => self.with_player(|player| player.set_speed(speed)),
            Effect::StopPlaying => self.stop_playing(),
            Effect::Delete(path) => self.spawn("trash", move || Some(Happening::Trashed(clips::delete(&path, false)))),
            Effect::Undo => self.undo(),
            Effect::Recover(path) => self.recover(path),
            Effect::Sketch(paths) => self.sketch(paths),
            Effect::Export(path, format) => self.export(path, format),
            Effect::Splice(dictation, new) => self.splice(dictation, new),
            Effect::Cut { path, from, to, keep } => self.cut(path, (from, to), keep),
            Effect::Cancel => self.cancel(),
            Effect::Rename(path, name) => return vec![self.rename(&path, &name)],
        }
        Vec::new()
    }

    /// What was heard since the last call.
    pub(crate) fn look(&mut self) -> Heard {
        self.watch();
        self.skip_silence();
        self.session.tick();
        self.session.look_for_device();
        let mut samples = Vec::new();
        let mut channels = 1;
        if let Some(tap) = &self.tap {
            tap.read(&mut samples);
            channels = usize::from(tap.format().channels.max(1));
        }
        if let Some(mixer) = self.session.mixer().filter(|mixer| mixer.channels_in() == channels) {
            let heard = std::mem::take(&mut samples);
            mixer.mix(&heard, &mut samples);
            channels = mixer.channels_out().max(1);
        }
        apply_gain(&mut samples, if self.plan.gain_db == 0.0 { 1.0 } else { db_to_factor(self.plan.gain_db) });
        let sound = match channels {
            1 => samples,
            _ => samples.chunks_exact(channels).map(loudest).collect(),
        };
        let rate = self.session.format().map_or(1, |format| format.sample_rate);
        let progress = self.session.progress().map(|progress| Counted {
            time: duration_of(progress.frames, rate),
            lost: progress.lost_frames,
            arrived: progress.arrived > 0,
            reach: progress.reach,
            begins_before: progress.begins_before,
        });
        Heard {
            now: self.opened_at.elapsed(),
            year: Some(local_time::now().year()),
            sound,
            progress,
            playing: self.playing(),
            disk_left: self.disk_left(),
            inputs: self.input_levels(),
        }
    }

    /// What a happening means for the screen.
    pub(crate) fn hear(&mut self, happening: Happening) -> Option<Msg> {
        match happening {
            Happening::Msg(msg) => Some(msg),
            Happening::Session(input) => {
                self.on_session(input);
                None
            }
            Happening::Trashed(outcome) => Some(self.trashed(outcome)),
            Happening::Undone(change, outcome) => Some(self.undone(change, outcome)),
            Happening::Inputs(turn, rows) => self.listed(turn, rows),
            Happening::Playable(number, path, at, opened) => self.playable(number, path, at, opened),
            Happening::Outlined(number, outline) => self.outlined(number, outline),
            Happening::PauseAhead(number, from, found) => {
                self.pause_ahead(number, from, found);
                None
            }
            Happening::Exported(outcome) => Some(self.exported(outcome)),
            Happening::Spliced(dictation, new, outcome) => Some(self.spliced(&dictation, &new, outcome)),
            Happening::Cut(outcome) => Some(self.cut_done(outcome)),
            Happening::MarkersSet(path, outcome) => Some(self.markers_set(path, outcome)),
            Happening::Folder => {
                self.folder_changed();
                None
            }
        }
    }

    fn on_session(&mut self, input: SessionInput) {
        let is_opened = matches!(input, SessionInput::Opened(..));
        self.session.on_input(input);
        if is_opened {
            self.tap = self.session.tap(TAP_BLOCKS);
        }
        if let Some(Ok(outcome)) = self.session.take_result() {
            self.kept.extend(Kept::of(&outcome));
            self.looked = None;
        }
    }

    /// What the session has said since the last call.
    pub(crate) fn take_messages(&self) -> Vec<Msg> {
        self.inbox.take()
    }

    /// How the program ends because of the worst that came of any recording.
    pub(crate) fn worst(&self) -> Option<Exit> {
        self.session.worst()
    }

    /// Takes in what comes next, or whatever is due without it.
    pub(crate) fn wait(&mut self, happenings: &Receiver<Happening>) -> Option<Happening> {
        let limit = self.session.wait().unwrap_or(LOOK_INTERVAL);
        let happening = happenings.recv_timeout(limit);
        self.session.tick();
        happening.ok()
    }

    /// Stops and saves what is still being recorded, whatever became of the screen.
    pub(crate) fn finish(&mut self, happenings: &Receiver<Happening>) {
        self.session.apply(Command::Stop);
        self.cancel();
        while self.is_busy() {
            if let Some(happening) = self.wait(happenings) {
                self.hear(happening);
            }
        }
    }

    /// Closes the device. The last thing that is done, as it may take its time.
    pub(crate) fn close(self) {
        self.session.close();
    }
}

fn loudest(frame: &[f32]) -> f32 {
    frame.iter().copied().fold(0.0, |loudest: f32, sample| if sample.abs() > loudest.abs() { sample } else { loudest })
}

/// What went wrong, in words that tell a full disk as the recorder does.
fn reason(error: &Error) -> String {
    match error.io_kind() {
        Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => "the disk is full".to_owned(),
        _ => error.to_string(),
    }
}

/// Why a thread has no answer.
fn bug() -> Error {
    Error::new(ErrorKind::Unknown, "it failed by a bug")
}
