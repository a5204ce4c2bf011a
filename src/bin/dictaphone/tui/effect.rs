//! The only part of the screen that touches the world: devices, files, threads. It does what `update` asks for and says
//! what came of it.
//!
//! Everything that can take long has a thread: opening a device, listing devices, reading the folder, saving. They all
//! answer into one channel, which the main thread reads.

mod folder;
mod input;
mod jobs;
mod levels;
mod listening;
mod recording;
mod remembered;
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
    Error,
    audio::{apply_gain, db_to_factor, time::duration_of},
    capture::{self, Pace},
    clips::{self, Listing, Spliced, Trashed, Trimmed, WaveformCache},
    media::{MediaDevices, MediaRecorder, MediaStreamTrack, RecorderEvent, TrackEvent},
    playback::Player,
};
use jiff::Zoned;

use self::{
    folder::Change,
    input::{Input, Opened},
    jobs::RunningJob,
    levels::Levels,
    recording::{Kept, Running},
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
    message::{Failure, Message},
    plan::Record,
    shelf::waveforms,
};

/// How long frames may wait in the device's buffer: short enough for a picture that moves.
const LATENCY: Duration = Duration::from_millis(50);
/// Blocks of sound that may wait for the screen.
const TAP_BLOCKS: usize = 256;
/// How often the folder and the free space are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What the main thread hears of.
pub(crate) enum Happening {
    Msg(Msg),
    /// Opening number so and so ended.
    Opened(u64, Result<Opened, Failure>),
    Track(u64, TrackEvent),
    Recorder(RecorderEvent),
    Saved(Kept),
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
    /// The folder has changed.
    Folder,
}

/// Everything outside, as far as the screen has to do with it.
pub(crate) struct World {
    plan: Record,
    folder: PathBuf,
    devices: Arc<MediaDevices>,
    happenings: Sender<Happening>,
    opened_at: Instant,
    input: Option<Input>,
    /// Number of the latest opening; what earlier ones bring is not wanted any more.
    opening: u64,
    running: Option<Running>,
    saving: usize,
    player: Option<(PathBuf, Player)>,
    play_turn: Turn,
    habits: Habits,
    /// That of the next clip as well.
    volume: f32,
    travel: Travel,
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
        Self {
            devices: Arc::new(MediaDevices::with_backends(capture::backends(Pace::RealTime))),
            plan,
            folder,
            happenings,
            opened_at: Instant::now(),
            input: None,
            opening: 0,
            running: None,
            saving: 0,
            player: None,
            play_turn: Turn::default(),
            habits,
            volume: 1.0,
            travel: Travel::default(),
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

    /// Whether something must not be left behind.
    pub(crate) fn is_busy(&self) -> bool {
        self.running.is_some() || self.saving > 0 || self.job.is_some()
    }

    /// Whether sound arrives that the screen shows.
    pub(crate) fn is_live(&self) -> bool {
        self.input.is_some() || self.running.is_some() || self.player.is_some() || self.levels.are_heard()
    }

    /// Where the unfinished recording is.
    fn part(&self) -> Option<PathBuf> {
        self.running.as_ref().and_then(|running| running.recorder.progress().path)
    }

    /// What is said if the program is left at once, unless that is what was said before: a recording that is being saved
    /// is where it was.
    pub(crate) fn last_words(&self) -> Option<Message> {
        match (self.part(), &self.job) {
            (Some(part), _) => Some(crate::input::unfinished(&part)),
            (None, Some(job)) => Some(job.last_words.clone()),
            (None, None) => (!self.is_busy()).then(|| Message::new("interrupted")),
        }
    }

    /// Does it, and returns what is known about it at once.
    pub(crate) fn perform(&mut self, effect: Effect) -> Vec<Msg> {
        match effect {
            Effect::Open(id) => self.open(id),
            Effect::Start => {
                let started = self.start();
                return vec![started.unwrap_or_else(|failure| Msg::NotSaved(Some(one_line(&failure.message))))];
            }
            // A recorder that has just ended by itself refuses, and its last events are on their way.
            Effect::Pause => return self.control(MediaRecorder::pause),
            Effect::Resume => return self.control(MediaRecorder::resume),
            Effect::Mark => return self.control(|recorder| recorder.mark("")),
            Effect::Stop => return self.control(MediaRecorder::stop),
            Effect::Discard => {
                if let Some(running) = &mut self.running {
                    running.discarded = true;
                }
                return self.control(MediaRecorder::stop);
            }
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
        let mut samples = Vec::new();
        let mut channels = 1;
        if let Some(tap) = self.input.as_ref().and_then(|input| input.tap.as_ref()) {
            tap.read(&mut samples);
            channels = usize::from(tap.format().channels.max(1));
        }
        apply_gain(&mut samples, if self.plan.gain_db == 0.0 { 1.0 } else { db_to_factor(self.plan.gain_db) });
        let sound = match channels {
            1 => samples,
            _ => samples.chunks_exact(channels).map(loudest).collect(),
        };
        let progress = self.running.as_ref().map(|running| {
            let progress = running.recorder.progress();
            Counted {
                time: duration_of(progress.frames, running.format.sample_rate),
                lost: progress.lost_frames,
                arrived: progress.arrived > 0,
            }
        });
        Heard {
            now: self.opened_at.elapsed(),
            year: Some(Zoned::now().year()),
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
            Happening::Opened(number, outcome) => self.opened(number, outcome),
            Happening::Track(number, event) => self.hear_track(number, event),
            Happening::Recorder(event) => self.hear_recorder(event),
            Happening::Saved(kept) => Some(self.saved(kept)),
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
            Happening::Folder => {
                self.folder_changed();
                None
            }
        }
    }

    /// Stops and saves what is still being recorded, whatever became of the screen.
    pub(crate) fn finish(&mut self, happenings: &Receiver<Happening>) {
        if let Some(running) = &self.running {
            let _ = running.recorder.stop();
        }
        self.cancel();
        while self.is_busy() {
            let Ok(happening) = happenings.recv() else { return };
            self.hear(happening);
        }
    }

    /// Closes the device. The last thing that is done, as it may take its time.
    pub(crate) fn close(self) {
        if let Some(input) = self.input {
            input.stream.tracks().iter().for_each(MediaStreamTrack::stop);
        }
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

fn one_line(message: &Message) -> String {
    match &message.hint {
        Some(hint) => format!("{}; {hint}", message.text),
        None => message.text.clone(),
    }
}
