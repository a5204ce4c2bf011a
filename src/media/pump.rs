//! The thread between a device and its recordings: it reads frames, cuts them where commands were given, and hands
//! them on. One pump an open source; it is the only thread that encodes and writes.
//!
//! Where frames come from is handled by the stream, and what becomes of them by the take.

mod notices;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Weak,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    audio::time::duration_of,
    capture::{CaptureStream, EndReason, Pace, Reading, Waker, WarningKind},
    error::{Error, ErrorKind, Result},
    media::{
        command::TrackKey,
        history::History,
        input::InputWatch,
        queue::{Action, CommandQueue, RELEASE_TIMEOUT, RecorderCommand},
        sleep::SleepWatch,
        take::{Sound, Take},
        tap::TapInlet,
        track_state::TrackState,
    },
};

/// Frames handled in one go: what comes in one poll is written in one piece, and stays in the processor's cache.
const MAX_BLOCK_FRAMES: usize = 16_384;

/// The longest and the shortest sleep between two polls of a stream that does not wake its reader.
const SLEEP: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

/// How long to leave a stream unpolled that wakes its reader: only the absence of frames has to be noticed.
const WOKEN_SLEEP_MAX: Duration = Duration::from_millis(400);

/// How long a cut waits, beyond the device's own latency, for frames that were captured but do not arrive.
const CUT_TIMEOUT: Duration = Duration::from_millis(500);

struct Track {
    key: TrackKey,
    enabled: bool,
    shared: Weak<TrackState>,
}

/// The state of the pump thread.
pub(crate) struct Pump {
    stream: Box<dyn CaptureStream>,
    queue: Arc<CommandQueue>,
    channels: usize,
    /// Frames handed on so far: the position of the next one.
    consumed: u64,
    /// Lost frames that were reported and not yet handed on.
    lost: u64,
    /// The first and the last poll at which nothing had arrived, if nothing does.
    idle: Option<(Instant, Instant)>,
    muted: bool,
    listening: bool,
    /// The last second in which the rate of the device was queried, counted in frames.
    second: u64,
    /// Only microphones are watched.
    input: Option<InputWatch>,
    machine: SleepWatch,
    tracks: Vec<Track>,
    takes: Vec<Take>,
    taps: Vec<(TrackKey, TapInlet)>,
    /// What recordings that begin later may begin with.
    history: Option<History>,
    block: Vec<f32>,
}

/// The result of a round of the pump.
enum Round {
    Progress,
    Idle,
    Over(EndReason),
}

impl Pump {
    pub(crate) fn new(stream: Box<dyn CaptureStream>, queue: Arc<CommandQueue>) -> Self {
        let channels = usize::from(stream.format().channels.max(1));
        let listening = stream.pace() == Pace::Live;
        let input = listening.then(|| InputWatch::new(stream.format().sample_rate, channels));
        Self {
            muted: stream.muted(),
            stream,
            queue,
            channels,
            consumed: 0,
            lost: 0,
            idle: None,
            second: 0,
            listening,
            input,
            machine: SleepWatch::default(),
            tracks: Vec::new(),
            takes: Vec::new(),
            taps: Vec::new(),
            history: None,
            block: Vec::new(),
        }
    }

    /// Starts the stream, sends the outcome to `started`, and pumps until there are no tracks any more.
    pub(crate) fn run(mut self, started: &SyncSender<Result<()>>) {
        let waker = Waker::new(thread::current());
        self.queue.set_waker(waker.clone());
        let outcome = self.stream.start(waker);
        let failed = outcome.is_err();
        // If opening timed out the caller does not wait any more; then the queue is closed, and the loop ends at once.
        let _ = started.send(outcome);
        // All state that the pump changes is consistent between two steps, or is not touched again after a panic.
        if !failed && catch_unwind(AssertUnwindSafe(|| self.pump())).is_err() {
            self.break_down();
        } else {
            self.release();
        }
    }

    /// After a panic the state cannot be trusted. The files are left as they are on the disk, where they can be
    /// recovered; then the device is closed, and then the end is reported to all takes and tracks: their owners may
    /// open the device again at once.
    fn break_down(self) {
        let Self { stream, queue, mut takes, tracks, .. } = self;
        queue.close();
        let (closed, is_closed) = sync_channel::<()>(1);
        let released = Arc::clone(&queue);
        // A dead sound server may block it for ever. Without a thread it is closed right here.
        let _ = thread::Builder::new().name("release".to_owned()).spawn(move || {
            drop(stream);
            released.set_released();
            let _ = closed.send(());
        });
        let _ = is_closed.recv_timeout(RELEASE_TIMEOUT);
        let error = Error::new(ErrorKind::Unknown, "the recording broke off because of a bug");
        while let Some(command) = queue.pop() {
            if let Action::Begin(take) = command.action {
                takes.push(*take);
            }
        }
        for take in takes {
            // The cause of the panic may recur, and must not prevent the report to the others.
            let told = catch_unwind(AssertUnwindSafe(|| take.break_off(&error)));
            if told.is_err() {
                log::error!("a recording could not be told of its end");
            }
        }
        let reason = EndReason::DeviceLost(error);
        tracks.iter().filter_map(|track| track.shared.upgrade()).for_each(|track| track.end(&reason));
    }

    fn pump(&mut self) {
        loop {
            self.apply();
            if self.tracks.is_empty() && self.queue.is_closed() {
                return;
            }
            match self.round() {
                Round::Progress => self.idle = None,
                Round::Idle => {
                    let now = Instant::now();
                    self.idle = Some((self.idle.map_or(now, |(first, _)| first), now));
                    self.each_take(Take::settle_start);
                    self.sleep();
                }
                Round::Over(reason) => return self.end(&reason),
            }
        }
    }

    /// Executes every command whose position is reached, or has been waited for too long.
    fn apply(&mut self) {
        let timeout = self.stream.latency().unwrap_or_default() * 2 + CUT_TIMEOUT;
        while let Some((at, posted)) = self.queue.next_cut() {
            // Where nothing is recorded, the end of a track does not wait for frames, which may come in long blocks.
            let reached =
                (at <= self.consumed && self.lost == 0) || (self.takes.is_empty() && self.queue.next_is_end());
            // Time in which the pump did not poll, because disk, encoder or a subscriber held it up, does not count as
            // waiting.
            let waited =
                self.idle.map_or(Duration::ZERO, |(first, last)| last.saturating_duration_since(first.max(posted)));
            if !reached && waited < timeout {
                return;
            }
            if let Some(command) = self.queue.pop() {
                self.execute(command);
            }
        }
    }

    fn execute(&mut self, command: RecorderCommand) {
        match command.action {
            Action::AddTrack { key, enabled, track } => {
                // It was made with the state known then, which a clone may have from a track that lags behind.
                if let Some(track) = track.upgrade() {
                    track.mute(self.muted);
                }
                self.tracks.push(Track { key, enabled, shared: track });
            }
            Action::EnableTrack(key, enabled) => {
                self.tracks.iter_mut().filter(|track| track.key == key).for_each(|track| track.enabled = enabled);
            }
            Action::EndTrack(key) => {
                self.tracks.retain(|track| track.key != key);
                self.taps.retain(|(tapped, _)| *tapped != key);
                self.end_silent_takes();
            }
            Action::AddTap(key, inlet) => {
                // A tap needs frames, also from a source that would wait for its first recording.
                self.listening = true;
                self.taps.push((key, inlet));
            }
            Action::Keep(frames) => {
                self.listening = true;
                let mut history = History::new(frames, self.channels);
                self.history.iter().for_each(|old| history.adopt(old));
                self.history = Some(history).filter(|_| frames > 0);
            }
            Action::Begin(take) => {
                self.listening = true;
                self.input.iter_mut().for_each(InputWatch::begin);
                self.takes.push(*take);
                if let Some(take) = self.takes.last_mut() {
                    take.begin(self.stream.pace(), self.history.as_ref());
                }
                self.end_silent_takes();
            }
            Action::Take(key, order) => self.each_take(|take| {
                if take.key() == key {
                    take.apply(&order);
                }
            }),
        }
    }

    /// Ends the takes of which every track has ended.
    fn end_silent_takes(&mut self) {
        let live: Vec<TrackKey> = self.tracks.iter().map(|track| track.key).collect();
        self.each_take(|take| {
            if !take.tracks().iter().any(|key| live.contains(key)) {
                take.end_of_tracks();
            }
        });
    }

    fn each_take(&mut self, act: impl FnMut(&mut Take)) {
        self.takes.iter_mut().for_each(act);
        self.takes.retain(|take| !take.is_over());
    }

    /// Frames up to the next cut.
    fn room(&self) -> usize {
        let cut = self.queue.next_cut().map_or(u64::MAX, |(at, _)| at.saturating_sub(self.consumed));
        usize::try_from(cut).unwrap_or(MAX_BLOCK_FRAMES).clamp(1, MAX_BLOCK_FRAMES)
    }

    /// Whether the stream is to be read now. A stream that waits for its reader is not read while nothing is recorded.
    fn wants_frames(&self) -> bool {
        self.listening && (self.stream.pace() != Pace::Fast || self.takes.iter().any(Take::is_gathering))
    }

    fn round(&mut self) -> Round {
        let room = self.room();
        if self.lost > 0 {
            let frames = self.lost.min(room as u64);
            self.lost -= frames;
            self.hand_on_lost(frames);
            return Round::Progress;
        }
        if !self.wants_frames() {
            return Round::Idle;
        }
        self.block.clear();
        match self.stream.read(&mut self.block, room) {
            Reading::Frames => self.hand_on(),
            Reading::Lost(frames) => self.lost = frames,
            Reading::Muted(muted) => {
                self.muted = muted;
                self.queue.set_muted(muted);
                self.each_track(|track| track.mute(muted));
            }
            Reading::Notice(notice) => {
                if notice.kind() == WarningKind::LostUnknown {
                    self.takes.iter().for_each(Take::note_unknown_loss);
                }
                self.each_track(|track| track.notice(&notice));
            }
            Reading::Idle => return Round::Idle,
            Reading::Ended(reason) => return Round::Over(reason),
        }
        Round::Progress
    }

    fn each_track(&self, act: impl Fn(&TrackState)) {
        self.tracks.iter().filter_map(|track| track.shared.upgrade()).for_each(|track| act(&track));
    }

    /// Whether any of these tracks passes sound.
    fn audible(muted: bool, tracks: &[Track], keys: &[TrackKey]) -> bool {
        !muted && tracks.iter().any(|track| track.enabled && keys.contains(&track.key))
    }

    fn hand_on(&mut self) {
        self.notice_sleep();
        self.watch_input();
        self.report_device_rate();
        self.consumed += (self.block.len() / self.channels) as u64;
        let (block, tracks, muted) = (&self.block, &self.tracks, self.muted);
        self.taps.retain(|(key, inlet)| match Self::audible(muted, tracks, &[*key]) {
            true => inlet.offer(block),
            false => inlet.offer(&vec![0.0; block.len()]),
        });
        for take in &mut self.takes {
            let audible = Self::audible(muted, tracks, take.tracks());
            take.gather(if audible { Sound::Samples(block) } else { Sound::Silence(block.len() / self.channels) });
        }
        self.takes.retain(|take| !take.is_over());
        if let Some(history) = &mut self.history {
            match muted || !tracks.iter().any(|track| track.enabled) {
                true => history.push(&vec![0.0; block.len()]),
                false => history.push(block),
            };
        }
    }

    fn hand_on_lost(&mut self, frames: u64) {
        self.consumed += frames;
        let frames = usize::try_from(frames).unwrap_or(MAX_BLOCK_FRAMES);
        self.taps.retain(|(_, inlet)| inlet.offer(&vec![0.0; frames * self.channels]));
        self.each_take(|take| take.gather(Sound::Lost(frames)));
        if let Some(history) = &mut self.history {
            history.count_loss(frames as u64);
            history.push(&vec![0.0; frames * self.channels]);
        }
    }

    /// The time until the next frame is captured that a cut or the end of a recording waits for.
    fn due(&self) -> Option<Duration> {
        let cut = self.queue.next_cut().map(|(at, _)| at.saturating_sub(self.consumed));
        let cut = cut.map(|frames| duration_of(frames, self.stream.format().sample_rate));
        cut.into_iter().chain(self.takes.iter().filter_map(Take::left)).min()
    }

    fn sleep(&mut self) {
        if let Some(due) = self.due() {
            self.stream.expect(due);
        }
        let cut = self.queue.next_cut().is_some();
        let nap = match self.stream.latency() {
            // The clock has to be checked only for a cut whose frames do not come.
            _ if self.stream.wakes_reader() && cut => SLEEP.1,
            Some(_) if self.stream.wakes_reader() => WOKEN_SLEEP_MAX,
            // A command waits for frames: read them as soon as they come.
            Some(_) if cut => SLEEP.0,
            Some(latency) => (latency / 2).clamp(SLEEP.0, SLEEP.1),
            None => return thread::park(),
        };
        let asleep = Instant::now();
        thread::park_timeout(nap);
        log::trace!("pump slept {:?}", asleep.elapsed());
    }

    /// The stream ended by itself: earlier commands are executed first, then every track and every take ends.
    fn end(&mut self, reason: &EndReason) {
        self.queue.close();
        while let Some(command) = self.queue.pop() {
            self.execute(command);
        }
        let tracks = std::mem::take(&mut self.tracks);
        tracks.iter().filter_map(|track| track.shared.upgrade()).for_each(|track| track.end(reason));
        self.end_silent_takes();
    }

    /// Closes the device, after every file is safe.
    fn release(self) {
        let Self { stream, queue, .. } = self;
        drop(stream);
        queue.set_released();
    }
}
