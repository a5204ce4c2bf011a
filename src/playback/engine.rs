//! What the thread `player` does: carries out commands, reads ahead, and publishes its position.
//!
//! It sleeps until the next command when there is nothing to play, and closes the device then, because an open line
//! costs power and may block other programs.

mod feed;

use std::{
    collections::VecDeque,
    fmt,
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use super::{
    chain::Chain,
    output::{Line, Output},
    state::{PlayerState, Status},
    timeline::PlayTimeline,
};
use crate::{
    audio::{AudioFormat, time::frames_in},
    error::{Error, Result},
    format::Decoder,
};

/// How often the queue is filled and the position published while playing.
const FILL_INTERVAL: Duration = Duration::from_millis(10);
/// Length of what is read at a time.
const BLOCK: Duration = Duration::from_millis(10);
/// The most blocks that are read in one turn, so that commands are executed even if the output takes frames as fast as
/// they come.
const MOST_BLOCKS: usize = 100;
/// A pause closes the device after this.
const PAUSE_OPEN_MAX: Duration = Duration::from_secs(3);
/// The device is closed this long after the end should have been heard: the latency that it reports is an estimate.
const CLOSE_DELAY: Duration = Duration::from_millis(150);
/// A device that takes nothing for this long is dead. The first frames may take 2 s on a sleeping server.
const STALL_TIMEOUT: Duration = Duration::from_secs(5);
/// The shortest repeat; a shorter one would only read the file over and over.
const SHORTEST_REPEAT: Duration = Duration::from_millis(20);
/// The level is that of this much sound before the frame that is heard.
const LEVEL_WINDOW: Duration = Duration::from_millis(50);
/// Blocks whose level is stored: more than are ever read ahead.
const LEVELS_MAX: usize = 1_024;
const SPEEDS: (f64, f64) = (0.5, 3.0);
const VOLUME_MAX: f32 = 4.0;

/// The commands of the handle.
#[derive(Debug)]
pub(super) enum PlayerCommand {
    Play,
    Pause,
    Toggle,
    Seek(u64),
    SeekForward(Duration),
    SeekBack(Duration),
    Speed(f64),
    Volume(f32),
    Repeat(Option<Range<u64>>),
    Stop,
}

/// An open line with the chain that feeds it.
struct Open {
    line: Line,
    chain: Chain,
    /// When the device last took something, and how much it had taken by then.
    alive: (Instant, u64),
    /// When this was last checked.
    looked: Instant,
}

/// The thread's own state.
pub(super) struct Engine {
    decoder: Box<dyn Decoder>,
    output: Box<dyn Output>,
    shared: Arc<Mutex<PlayerState>>,
    state: PlayerState,
    format: AudioFormat,
    open: Option<Open>,
    timeline: PlayTimeline,
    /// The frame of the recording to be read next.
    next: u64,
    /// Whether the decoder has to be moved there first.
    moved: bool,
    block: Vec<f32>,
    /// The frames of each block that was read, and the largest absolute sample in it.
    levels: VecDeque<(Range<u64>, f32)>,
    /// Frames for the line that did not fit yet, and how many samples of them did.
    pending: Vec<f32>,
    written: usize,
    /// Nothing will be read any more: the end was reached, or this error.
    done: Option<Result<()>>,
    /// When the device may be closed.
    release: Option<Instant>,
}

impl Engine {
    pub(super) fn new(decoder: Box<dyn Decoder>, output: Box<dyn Output>, shared: Arc<Mutex<PlayerState>>) -> Self {
        let format = decoder.format();
        let state = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self {
            decoder,
            output,
            shared,
            state,
            format,
            open: None,
            timeline: PlayTimeline::new(0),
            next: 0,
            moved: false,
            block: Vec::new(),
            levels: VecDeque::new(),
            pending: Vec::new(),
            written: 0,
            done: None,
            release: None,
        }
    }

    /// Runs until a stop command or until the handle is gone.
    pub(super) fn run(mut self, commands: &Receiver<PlayerCommand>) {
        self.serve(commands);
        self.close();
    }

    fn serve(&mut self, commands: &Receiver<PlayerCommand>) {
        loop {
            let command = if self.open.is_some() || self.state.status == Status::Playing {
                commands.recv_timeout(FILL_INTERVAL)
            } else {
                commands.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match command {
                Ok(PlayerCommand::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(command) => {
                    self.update_position();
                    self.apply(command);
                    // Commands that came in quick succession are executed together: ten steps are one seek to the
                    // device.
                    while let Ok(command) = commands.try_recv() {
                        if matches!(command, PlayerCommand::Stop) {
                            return;
                        }
                        self.apply(command);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.publish();
            self.work();
            self.publish();
        }
    }

    fn publish(&self) {
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = self.state.clone();
    }

    fn apply(&mut self, command: PlayerCommand) {
        let position = self.state.position;
        match command {
            PlayerCommand::Play => self.play(),
            PlayerCommand::Pause => self.pause(),
            PlayerCommand::Toggle if self.state.status == Status::Playing => self.pause(),
            PlayerCommand::Toggle => self.play(),
            PlayerCommand::Seek(frame) => self.seek(frame),
            PlayerCommand::SeekForward(by) => {
                self.seek(position.saturating_add(frames_in(by, self.format.sample_rate)))
            }
            PlayerCommand::SeekBack(by) => self.seek(position.saturating_sub(frames_in(by, self.format.sample_rate))),
            PlayerCommand::Speed(speed) if !speed.is_nan() => self.set_speed(speed.clamp(SPEEDS.0, SPEEDS.1)),
            PlayerCommand::Volume(factor) if !factor.is_nan() => self.set_volume(factor.clamp(0.0, VOLUME_MAX)),
            PlayerCommand::Repeat(range) => self.set_repeat(range),
            PlayerCommand::Speed(_) | PlayerCommand::Volume(_) | PlayerCommand::Stop => {}
        }
    }

    fn play(&mut self) {
        if self.state.status == Status::Playing {
            return;
        }
        let at_end = self.state.length.is_some_and(|length| self.state.position >= length);
        if self.state.status == Status::Ended || at_end {
            self.reposition(0);
        } else if self.state.status == Status::Failed {
            self.reposition(self.state.position);
        }
        self.state.status = Status::Playing;
        self.state.error = None;
        self.release = None;
        if let Some(open) = &mut self.open {
            open.alive.0 = Instant::now();
            open.line.feeder().set_playing(true);
        }
    }

    fn pause(&mut self) {
        if self.state.status == Status::Playing {
            self.state.status = Status::Paused;
            self.hold();
        }
    }

    /// Falls silent, and keeps the device open for a while.
    fn hold(&mut self) {
        if let Some(open) = &mut self.open {
            open.line.feeder().set_playing(false);
        }
        self.release = Some(Instant::now() + PAUSE_OPEN_MAX);
    }

    fn seek(&mut self, frame: u64) {
        let frame = self.state.length.map_or(frame, |length| frame.min(length));
        self.reposition(frame);
        if self.state.status != Status::Playing {
            self.state.status = Status::Paused;
            self.state.error = None;
        }
    }

    /// Makes `frame` the next one that is written and heard.
    fn reposition(&mut self, frame: u64) {
        (self.next, self.moved, self.done) = (frame, true, None);
        self.state.position = frame;
        self.pending.clear();
        self.written = 0;
        let line_rate = match &mut self.open {
            Some(open) => {
                open.chain.reset();
                open.line.feeder().flush();
                open.chain.format.sample_rate
            }
            None => self.format.sample_rate,
        };
        self.timeline.restart(frame, self.format.sample_rate, line_rate);
    }

    fn set_speed(&mut self, speed: f64) {
        self.state.speed = speed;
        if let Some(open) = &mut self.open {
            open.chain.stretcher.set_speed(speed);
        }
    }

    fn set_volume(&mut self, factor: f32) {
        self.state.volume = factor;
        if let Some(open) = &mut self.open {
            open.line.feeder().set_volume(factor);
        }
    }

    fn set_repeat(&mut self, range: Option<Range<u64>>) {
        let shortest = frames_in(SHORTEST_REPEAT, self.format.sample_rate).max(1);
        let length = self.state.length.unwrap_or(u64::MAX);
        let range = range.filter(|range| !range.is_empty() && range.start < length);
        let range = range.map(|range| range.start..range.end.max(range.start.saturating_add(shortest)).min(length));
        if range == self.state.repeat {
            return;
        }
        let (position, ahead) = (self.state.position, self.next);
        self.state.repeat = range.clone();
        match range {
            Some(range) if position >= range.end => self.reposition(range.start),
            // What was read ahead goes beyond the new range, or beyond the old one's end.
            Some(range) if ahead > range.end || ahead < position => self.reposition(position),
            None if ahead < position => self.reposition(position),
            _ => {}
        }
    }

    /// One turn while a line is open or should be.
    fn work(&mut self) {
        self.update_position();
        if self.state.status == Status::Playing
            && let Err(error) = self.feed()
        {
            self.fail(error);
        }
        let lost = match &mut self.open {
            Some(open) if self.state.status != Status::Playing => open.line.device().fault().is_some(),
            _ => false,
        };
        let over = self.release.is_some_and(|release| Instant::now() >= release);
        // A device that is lost while nothing plays is opened again when something does.
        if self.state.status != Status::Playing && (over || lost) {
            self.close();
        }
    }

    fn fail(&mut self, error: Error) {
        log::debug!("playing failed: {error}");
        self.state.status = Status::Failed;
        self.state.error = Some(error);
        self.close();
    }

    /// Closes the device; playing continues at the frame that was heard last.
    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.line.close();
        }
        self.release = None;
        if self.state.status != Status::Ended {
            self.reposition(self.state.position);
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("state", &self.state).field("next", &self.next).finish_non_exhaustive()
    }
}
