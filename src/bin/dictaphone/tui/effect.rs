//! The only part of the screen that touches the world: devices, files, threads. It does what `update` asks for and says
//! what came of it.
//!
//! Everything that can take long has a thread: opening a device, listing devices, reading the folder, saving. They all
//! answer into one channel, which the main thread reads.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use dictaphone::{
    Error,
    audio::{AudioFormat, apply_gain, db_to_factor, time::duration_of},
    capture::{self, DeviceKind, EndReason, Pace},
    clips::{self, Clip, Listing, Trashed},
    decode,
    media::{Blob, MediaDevices, MediaRecorder, MediaStream, MediaStreamTrack, RecorderEvent, Tap, TrackEvent},
    playback::{Player, Speaker, Status},
    storage::{Existing, space},
};

use super::{
    app::{InputRow, Playing, Take, Weight},
    update::{Counted, Effect, Heard, Msg},
};
use crate::{
    commands::record::open,
    exit::Exit,
    message::{Failure, Message},
    plan::Record,
    status,
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
    Opened(u64, Result<(MediaStream, String), Failure>),
    Track(u64, TrackEvent),
    Recorder(RecorderEvent),
    Saved(Kept),
    Trashed(dictaphone::Result<Trashed>),
}

/// What came of a recording.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    path: Result<PathBuf, Message>,
    time: Duration,
    flaw: Option<String>,
}

struct Input {
    stream: MediaStream,
    tap: Option<Tap>,
}

struct Running {
    recorder: MediaRecorder,
    format: AudioFormat,
    target: PathBuf,
    discarded: bool,
    failure: Option<Error>,
    blob: Option<Blob>,
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
    disk: (Option<Instant>, Option<u64>),
    folder_seen: Option<Option<SystemTime>>,
    looked: Option<Instant>,
    reading: Arc<AtomicBool>,
    /// What was in the folder the last time, so that only what has changed is read again.
    listing: Arc<Mutex<Listing>>,
    /// What can be brought back, the latest last.
    trashed: Vec<Trashed>,
    /// What came of the recordings that ended last, for whoever looks after the screen is gone.
    pub(crate) kept: Vec<Kept>,
}

impl World {
    pub(crate) fn new(plan: Record, folder: PathBuf, happenings: Sender<Happening>) -> Self {
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
            disk: (None, None),
            folder_seen: None,
            looked: None,
            reading: Arc::default(),
            listing: Arc::default(),
            trashed: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Whether something must not be left behind.
    pub(crate) fn is_busy(&self) -> bool {
        self.running.is_some() || self.saving > 0
    }

    /// Whether sound arrives that the screen shows.
    pub(crate) fn is_live(&self) -> bool {
        self.input.is_some() || self.running.is_some() || self.player.is_some()
    }

    /// Where the unfinished recording is.
    pub(crate) fn part(&self) -> Option<PathBuf> {
        self.running.as_ref().and_then(|running| running.recorder.progress().path)
    }

    /// Does it, and returns what is known about it at once.
    pub(crate) fn perform(&mut self, effect: Effect) -> Vec<Msg> {
        match effect {
            Effect::Open(id) => self.open(id),
            Effect::Start => return vec![self.start().unwrap_or_else(|failure| error(&failure.message))],
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
            Effect::Play(path) => return self.play(path),
            Effect::TogglePlay => self.with_player(Player::toggle),
            Effect::Seek(seconds) => self.with_player(|player| {
                let by = Duration::from_secs(seconds.unsigned_abs().into());
                if seconds < 0 { player.seek_back(by) } else { player.seek_forward(by) }
            }),
            Effect::Speed(speed) => self.with_player(|player| player.set_speed(speed)),
            Effect::StopPlaying => self.stop_playing(),
            Effect::Delete(path) => self.spawn("trash", move || Some(Happening::Trashed(clips::delete(&path, false)))),
            Effect::Restore => self.restore(),
            Effect::Rename(path, name) => return vec![self.rename(&path, &name)],
        }
        Vec::new()
    }

    fn control(&self, call: impl FnOnce(&MediaRecorder) -> dictaphone::Result<()>) -> Vec<Msg> {
        if let Some(running) = &self.running {
            let _ = call(&running.recorder);
        }
        Vec::new()
    }

    /// A thread whose answer comes through the channel; if there can be none, the answer is an error.
    fn spawn(&self, name: &str, work: impl FnOnce() -> Option<Happening> + Send + 'static) {
        let answers = self.happenings.clone();
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
            if let Some(happening) = work() {
                let _ = answers.send(happening);
            }
        });
        if let Err(reason) = spawned {
            let text = format!("cannot start a thread: {reason}");
            let _ = self.happenings.send(Happening::Msg(Msg::Say(Weight::Error, text)));
        }
    }

    // ---- the input ---------------------------------------------------------------------------------------------------

    fn open(&mut self, id: Option<String>) {
        if id.is_some() {
            self.plan.device = id;
        }
        self.opening += 1;
        let number = self.opening;
        let (devices, plan) = (Arc::clone(&self.devices), self.plan.clone());
        // Closing may take its time when the sound server is dead, so that it is done over there as well.
        let before = self.input.take();
        self.spawn("open", move || {
            drop(before);
            Some(Happening::Opened(number, open::stream(&devices, &plan, LATENCY)))
        });
    }

    fn opened(&mut self, number: u64, outcome: Result<(MediaStream, String), Failure>) -> Option<Msg> {
        if number != self.opening {
            return None;
        }
        let (stream, name) = match outcome {
            Ok(opened) => opened,
            Err(failure) => return Some(Msg::Missing(one_line(&failure.message))),
        };
        let format = open::format(&self.plan, &stream);
        let tracks = stream.tracks();
        for track in &tracks {
            self.forward(track.events(), move |event| Happening::Track(number, event));
        }
        let tap = tracks.first().map(|track| track.tap(TAP_BLOCKS));
        self.input = Some(Input { stream, tap });
        Some(Msg::Opened { name, format })
    }

    fn hear_track(&mut self, number: u64, event: TrackEvent) -> Option<Msg> {
        if number != self.opening {
            return None;
        }
        match event {
            TrackEvent::Ended(reason) => {
                self.input = None;
                let why = match reason {
                    EndReason::DeviceLost(error) => {
                        let text = format!("the input is gone: {error}; r opens it again");
                        if let Some(running) = &mut self.running {
                            running.failure.get_or_insert(error);
                        }
                        text
                    }
                    EndReason::Exhausted => "the input has come to its end; r opens it again".to_owned(),
                };
                Some(Msg::Missing(why))
            }
            TrackEvent::Notice(notice) => Some(Msg::Say(Weight::Warning, notice.to_string())),
            TrackEvent::Mute => Some(Msg::Say(Weight::Warning, "the input is muted".to_owned())),
            TrackEvent::Unmute => Some(Msg::Say(Weight::Note, "the input delivers sound again".to_owned())),
            _ => None,
        }
    }

    /// Brings what comes from one channel into the other until either closes.
    fn forward<T: Send + 'static>(&self, from: Receiver<T>, wrap: impl Fn(T) -> Happening + Send + 'static) {
        let to = self.happenings.clone();
        self.spawn("events", move || {
            let _ = from.into_iter().try_for_each(|item| to.send(wrap(item)).map_err(drop));
            None
        });
    }

    fn list_inputs(&self) {
        let devices = Arc::clone(&self.devices);
        self.spawn("devices", move || {
            Some(Happening::Msg(match devices.enumerate_devices() {
                Ok(found) => Msg::Inputs(found.into_iter().filter_map(input_row).collect()),
                Err(error) => Msg::Say(Weight::Error, error.to_string()),
            }))
        });
    }

    // ---- recording ---------------------------------------------------------------------------------------------------

    fn start(&mut self) -> Result<Msg, Failure> {
        let Some(input) = &self.input else {
            return Ok(Msg::Say(Weight::Error, "there is no input to record from".to_owned()));
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

    fn hear_recorder(&mut self, event: RecorderEvent) -> Option<Msg> {
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
    fn ended(&mut self) -> Option<Msg> {
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
        let answers = self.happenings.clone();
        let saves = move || {
            let _ = answers.send(Happening::Saved(save(&blob, &target, flaw)));
        };
        if let Err(saves) = spawn_or_return("save", saves) {
            saves();
        }
        Some(Msg::Ended)
    }

    fn saved(&mut self, kept: Kept) -> Msg {
        self.saving = self.saving.saturating_sub(1);
        self.kept.push(kept.clone());
        self.looked = None;
        let Kept { path, time, flaw } = kept;
        match path {
            Ok(path) => Msg::Saved { path, time, flaw },
            Err(message) => Msg::NotSaved(Some(one_line(&message))),
        }
    }

    // ---- listening ---------------------------------------------------------------------------------------------------

    fn play(&mut self, path: PathBuf) -> Vec<Msg> {
        self.stop_playing();
        let opened = decode::open(&path).and_then(|decoder| Player::open(decoder, Box::new(Speaker::default())));
        match opened {
            Ok(player) => {
                player.play();
                self.player = Some((path, player));
                Vec::new()
            }
            Err(error) => vec![Msg::Say(Weight::Error, error.to_string())],
        }
    }

    fn with_player(&self, act: impl FnOnce(&Player)) {
        if let Some((_, player)) = &self.player {
            act(player);
        }
    }

    fn stop_playing(&mut self) {
        if let Some((_, player)) = self.player.take() {
            // A dead sound server may hold it up.
            self.spawn("silence", move || {
                player.stop();
                None
            });
        }
    }

    /// What is played at the moment. At its end or after a failure the loudspeaker is given back.
    fn playing(&mut self) -> Option<Playing> {
        let (path, player) = self.player.as_ref()?;
        let state = player.state();
        if matches!(state.status, Status::Playing | Status::Paused) {
            let tenths = state.elapsed().as_millis() / 100;
            return Some(Playing {
                path: path.clone(),
                at: Duration::from_millis(u64::try_from(tenths * 100).unwrap_or(u64::MAX)),
                length: state.duration(),
                speed: state.speed,
                is_paused: state.status == Status::Paused,
            });
        }
        if let (Status::Failed, Some(error)) = (state.status, state.error) {
            let text = format!("nothing can be heard: {error}");
            let _ = self.happenings.send(Happening::Msg(Msg::Say(Weight::Error, text)));
        }
        self.stop_playing();
        None
    }

    // ---- the folder --------------------------------------------------------------------------------------------------

    fn rename(&mut self, path: &Path, name: &str) -> Msg {
        self.looked = None;
        match clips::rename(path, name) {
            Ok(to) => {
                if let Some((played, _)) = self.player.as_mut().filter(|(played, _)| played == path) {
                    played.clone_from(&to);
                }
                Msg::Renamed { from: path.to_owned(), to }
            }
            Err(error) => Msg::Say(Weight::Error, error.to_string()),
        }
    }

    fn trashed(&mut self, outcome: dictaphone::Result<Trashed>) -> Msg {
        self.looked = None;
        match outcome {
            Ok(trashed) => {
                let (path, restorable) = (self.listed(&trashed.path), trashed.is_restorable());
                if restorable {
                    self.trashed.push(trashed);
                }
                Msg::Deleted { path, restorable }
            }
            Err(error) => Msg::Say(Weight::Error, error.to_string()),
        }
    }

    fn restore(&mut self) {
        let Some(trashed) = self.trashed.pop() else { return };
        let path = self.listed(&trashed.path);
        self.looked = None;
        self.spawn("trash", move || {
            let outcome = clips::restore(&trashed).map(|()| path).map_err(|error| error.to_string());
            Some(Happening::Msg(Msg::Restored(outcome)))
        });
    }

    /// A path as the list of the folder has it.
    fn listed(&self, path: &Path) -> PathBuf {
        path.file_name().map_or_else(|| path.to_owned(), |name| self.folder.join(name))
    }

    /// Looks whether something has come, gone or changed, not more often than once a second.
    fn watch(&mut self) {
        let now = Instant::now();
        if self.looked.is_some_and(|at| now.duration_since(at) < LOOK) || self.reading.load(Ordering::SeqCst) {
            return;
        }
        // Asked for by a change of our own, or the folder says that one was made.
        let forced = self.looked.is_none();
        self.looked = Some(now);
        let changed = std::fs::metadata(&self.folder).and_then(|metadata| metadata.modified()).ok();
        if !forced && self.folder_seen == Some(changed) {
            return;
        }
        self.folder_seen = Some(changed);
        let (folder, listing, reading) = (self.folder.clone(), Arc::clone(&self.listing), Arc::clone(&self.reading));
        reading.store(true, Ordering::SeqCst);
        self.spawn("clips", move || {
            let msg = read(&folder, &mut listing.lock().unwrap_or_else(PoisonError::into_inner));
            reading.store(false, Ordering::SeqCst);
            Some(Happening::Msg(msg))
        });
    }

    fn disk_left(&mut self) -> Option<Duration> {
        let now = Instant::now();
        if self.disk.0.is_none_or(|at| now.duration_since(at) >= LOOK) {
            self.disk = (Some(now), space::available_bytes(&self.folder));
        }
        let format = match (&self.running, &self.input) {
            (Some(running), _) => running.format,
            (None, Some(input)) => open::format(&self.plan, &input.stream),
            (None, None) => return None,
        };
        let container = self.plan.container.format();
        let bits_a_second = container.estimated_bits_per_second(format, self.plan.bits_per_second);
        let bytes_a_second = u64::from(bits_a_second.div_ceil(8)).max(1);
        self.disk.1.map(|bytes| Duration::from_secs(bytes / bytes_a_second))
    }

    // ---- time passes -------------------------------------------------------------------------------------------------

    /// What was heard since the last call.
    pub(crate) fn look(&mut self) -> Heard {
        self.watch();
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
        Heard { now: self.opened_at.elapsed(), sound, progress, playing: self.playing(), disk_left: self.disk_left() }
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
        }
    }

    /// Stops and saves what is still being recorded, whatever became of the screen.
    pub(crate) fn finish(&mut self, happenings: &Receiver<Happening>) {
        if let Some(running) = &self.running {
            let _ = running.recorder.stop();
        }
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

impl Kept {
    /// What is said about it after the screen is gone, and how the program ends because of it.
    pub(crate) fn last_words(&self) -> (Result<String, Message>, Exit) {
        match (&self.path, &self.flaw) {
            (Err(message), _) => (Err(message.clone()), Exit::Failed),
            (Ok(path), Some(flaw)) => {
                (Err(Message::new(format!("saved {}, but {flaw}", path.display()))), Exit::Incomplete)
            }
            (Ok(path), None) => (Ok(format!("saved {} · {}", path.display(), status::clock(self.time))), Exit::Done),
        }
    }
}

/// Runs it on a thread, or gives it back if there is none to be had.
fn spawn_or_return<F: FnOnce() + Send + 'static>(name: &str, work: F) -> Result<(), F> {
    let shared = Arc::new(Mutex::new(Some(work)));
    let taken = Arc::clone(&shared);
    let take = |slot: &Mutex<Option<F>>| slot.lock().ok().and_then(|mut slot| slot.take());
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
        if let Some(work) = take(&taken) {
            work();
        }
    });
    match spawned {
        Ok(_) => Ok(()),
        Err(_) => take(&shared).map_or(Ok(()), Err),
    }
}

fn save(blob: &Blob, target: &Path, flaw: Option<String>) -> Kept {
    let path = blob.save_as(target, Existing::Number).map_err(|error| {
        let kept = blob.path().map(|part| format!("what was recorded is kept in {}", part.display()));
        Message { text: error.to_string(), hint: kept }
    });
    Kept { path, time: blob.duration(), flaw }
}

/// The clips of the folder. One that is not there yet has none.
fn read(folder: &Path, listing: &mut Listing) -> Msg {
    match listing.read_again(folder) {
        Ok(now) => *listing = now,
        Err(error) if error.io_kind() == Some(io::ErrorKind::NotFound) => *listing = Listing::default(),
        Err(error) => return Msg::Say(Weight::Error, error.to_string()),
    }
    let unfinished = listing.unfinished.iter().filter(|part| !part.is_being_written).count();
    Msg::Takes { takes: listing.clips.iter().map(take).collect(), unfinished }
}

fn take(clip: &Clip) -> Take {
    let extension = || clip.path.extension().unwrap_or_default().to_string_lossy().into_owned();
    Take {
        path: clip.path.clone(),
        name: clip.name.clone(),
        format: clip.format.clone().unwrap_or_else(extension),
        length: clip.duration_s.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        at: clip.recorded_at.clone(),
        error: clip.error.clone(),
    }
}

fn loudest(frame: &[f32]) -> f32 {
    frame.iter().copied().fold(0.0, |loudest: f32, sample| if sample.abs() > loudest.abs() { sample } else { loudest })
}

fn input_row(device: capture::DeviceInfo) -> Option<InputRow> {
    (device.kind == DeviceKind::Input).then_some(InputRow {
        id: device.id,
        label: device.label,
        host: device.host,
        is_default: device.is_default,
    })
}

fn one_line(message: &Message) -> String {
    match &message.hint {
        Some(hint) => format!("{}; {hint}", message.text),
        None => message.text.clone(),
    }
}

fn error(message: &Message) -> Msg {
    Msg::Say(Weight::Error, one_line(message))
}
