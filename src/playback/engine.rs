//! What the thread `player` does: obeys commands, reads ahead, and says where it is.
//!
//! It sleeps until the next command when there is nothing to play, and gives the device back then, because an open line
//! costs power and may keep others from being heard.

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
    timeline::Timeline,
};
use crate::{
    audio::{AudioFormat, time::frames_in},
    error::{Error, ErrorKind, Result},
    format::Decoder,
};

/// How often the queue is filled and the position told while playing.
const FILL_INTERVAL: Duration = Duration::from_millis(10);
/// Read at a time.
const BLOCK: Duration = Duration::from_millis(10);
/// Read at most in one turn, so that commands are obeyed even if the output takes frames as fast as they come.
const MOST_BLOCKS: usize = 100;
/// A pause gives the device back after this.
const PAUSE_OPEN_MAX: Duration = Duration::from_secs(3);
/// The device is given back so long after it should have been heard to the end: what it says of its latency is an
/// estimate.
const CLOSE_DELAY: Duration = Duration::from_millis(150);
/// A device that takes nothing for so long is dead. The first frames may take 2 s on a sleeping server.
const STALL_TIMEOUT: Duration = Duration::from_secs(5);
/// The shortest repeat; a shorter one would only read the file over and over.
const SHORTEST_REPEAT: Duration = Duration::from_millis(20);
/// The level is that of so much sound before the frame that is heard.
const LEVEL_WINDOW: Duration = Duration::from_millis(50);
/// Blocks whose level is remembered: more than are ever read ahead.
const LEVELS_MAX: usize = 1_024;
const SPEEDS: (f64, f64) = (0.5, 3.0);
const VOLUME_MAX: f32 = 4.0;

/// What the handle asks for.
#[derive(Debug)]
pub(super) enum Command {
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
    /// When this was last looked at.
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
    timeline: Timeline,
    /// The frame of the recording that is read next.
    next: u64,
    /// Whether the decoder has to be moved there first.
    moved: bool,
    block: Vec<f32>,
    /// The frames of each block that was read, and the largest absolute sample in it.
    levels: VecDeque<(Range<u64>, f32)>,
    /// Frames for the line that found no room yet, and how many samples of them did.
    pending: Vec<f32>,
    written: usize,
    /// Nothing will be read any more: the end was reached, or this error.
    done: Option<Result<()>>,
    /// When the device may be given back.
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
            timeline: Timeline::new(0),
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

    /// Runs until it is told to stop or the handle is gone.
    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        self.serve(commands);
        self.close();
    }

    fn serve(&mut self, commands: &Receiver<Command>) {
        loop {
            let command = if self.open.is_some() || self.state.status == Status::Playing {
                commands.recv_timeout(FILL_INTERVAL)
            } else {
                commands.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match command {
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(command) => {
                    self.update_position();
                    self.apply(command);
                    // What was typed quickly is obeyed at once: ten steps are one seek to the device.
                    while let Ok(command) = commands.try_recv() {
                        if matches!(command, Command::Stop) {
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

    fn apply(&mut self, command: Command) {
        let position = self.state.position;
        match command {
            Command::Play => self.play(),
            Command::Pause => self.pause(),
            Command::Toggle if self.state.status == Status::Playing => self.pause(),
            Command::Toggle => self.play(),
            Command::Seek(frame) => self.seek(frame),
            Command::SeekForward(by) => self.seek(position.saturating_add(frames_in(by, self.format.sample_rate))),
            Command::SeekBack(by) => self.seek(position.saturating_sub(frames_in(by, self.format.sample_rate))),
            Command::Speed(speed) if !speed.is_nan() => self.set_speed(speed.clamp(SPEEDS.0, SPEEDS.1)),
            Command::Volume(factor) if !factor.is_nan() => self.set_volume(factor.clamp(0.0, VOLUME_MAX)),
            Command::Repeat(range) => self.set_repeat(range),
            Command::Speed(_) | Command::Volume(_) | Command::Stop => {}
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

    /// Silence, and the device is kept for a while.
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

    /// What is written next is that frame, and it is heard next.
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
        // A device that goes while nobody listens is opened again when somebody does.
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

    /// Gives the device back; playing goes on at the frame that was heard last.
    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.line.close();
        }
        self.release = None;
        if self.state.status != Status::Ended {
            self.reposition(self.state.position);
        }
    }

    fn update_position(&mut self) {
        let Some(open) = &mut self.open else { return };
        if self.state.status != Status::Ended {
            let heard = open.line.feeder().heard(Instant::now());
            self.state.position = self.timeline.at(heard);
        }
        self.state.peak = if self.state.status == Status::Playing { self.peak() } else { 0.0 };
    }

    /// The level of what is heard.
    fn peak(&self) -> f32 {
        let (from, to) = (frames_in(LEVEL_WINDOW, self.format.sample_rate), self.state.position);
        let heard = |frames: &Range<u64>| frames.start <= to && frames.end > to.saturating_sub(from);
        let peaks = self.levels.iter().filter(|(frames, _)| heard(frames)).map(|(_, peak)| *peak);
        peaks.fold(0.0, f32::max) * self.state.volume
    }

    /// Opens the line if need be, fills it, and looks whether it still lives and has more to play.
    fn feed(&mut self) -> Result<()> {
        if self.open.is_none() {
            self.open_line()?;
        }
        for _ in 0..MOST_BLOCKS {
            if !self.write_pending() || self.done.is_some() {
                break;
            }
            self.produce();
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        if let Some(error) = open.line.device().fault() {
            return Err(error);
        }
        let now = Instant::now();
        // The process was stopped or the machine was asleep, and so was the device.
        let slept = now.duration_since(std::mem::replace(&mut open.looked, now)) >= STALL_TIMEOUT / 2;
        let feeder = open.line.feeder();
        let (taken, heard, written) = (feeder.taken(), feeder.heard(now), feeder.written());
        if taken != open.alive.1 || taken == written || slept {
            open.alive = (now, taken);
            open.line.device().is_taking();
        } else if now.duration_since(open.alive.0) >= STALL_TIMEOUT {
            let context = format!("the loudspeaker has taken nothing for {} s", STALL_TIMEOUT.as_secs());
            return Err(Error::new(ErrorKind::NotReadable, context));
        }
        if heard >= written
            && self.written >= self.pending.len()
            && let Some(result) = self.done.take()
        {
            self.finish(result)?;
        }
        Ok(())
    }

    fn finish(&mut self, result: Result<()>) -> Result<()> {
        self.state.position = self.next;
        result?;
        self.state.status = Status::Ended;
        self.state.length = Some(self.state.length.map_or(self.next, |length| length.min(self.next)));
        self.done = Some(Ok(()));
        self.hold();
        self.release = Some(Instant::now() + CLOSE_DELAY);
        Ok(())
    }

    fn open_line(&mut self) -> Result<()> {
        let mut line = self.output.open(self.format)?;
        let chain = Chain::new(self.format, line.format(), self.state.speed)?;
        line.feeder().set_volume(self.state.volume);
        line.feeder().set_playing(true);
        let now = Instant::now();
        self.open = Some(Open { line, chain, alive: (now, 0), looked: now });
        self.reposition(self.state.position);
        Ok(())
    }

    /// Whether everything that waited found room.
    fn write_pending(&mut self) -> bool {
        let Some(open) = &mut self.open else { return false };
        let rest = self.pending.get(self.written..).unwrap_or_default();
        let frames = open.line.feeder().write(rest);
        self.written += frames * usize::from(open.chain.format.channels);
        let all = self.written >= self.pending.len();
        if all {
            self.pending.clear();
            self.written = 0;
        }
        all
    }

    /// Reads one block and makes frames for the line of it.
    fn produce(&mut self) {
        if let Err(error) = self.read_block() {
            self.done = Some(Err(error));
        }
        let Some(open) = &mut self.open else { return };
        let from = open.chain.stretcher.position();
        let line = open.line.feeder().written();
        let result = match open.chain.push(&self.block, &mut self.pending) {
            Ok(()) => self.turn(),
            failed => failed,
        };
        if let Err(error) = result {
            self.done = Some(Err(error));
        }
        let Some(open) = &mut self.open else { return };
        let to = open.chain.stretcher.position();
        let frames = self.pending.len() / usize::from(open.chain.format.channels.max(1));
        if self.done.is_none() {
            self.timeline.mark(line, frames, from, to);
            return;
        }
        // The stretcher starts afresh when it is finished, so that its position has to be asked for before.
        let end = open.chain.stretcher.pushed() as f64;
        open.chain.stretcher.finish(&mut self.pending);
        let frames = self.pending.len() / usize::from(open.chain.format.channels.max(1));
        self.timeline.mark(line, frames, from, end.max(from));
        self.timeline.close(self.next);
    }

    /// Reads up to the end of the block, of the repeat or of the recording, whichever comes first.
    fn read_block(&mut self) -> Result<()> {
        self.block.clear();
        if self.moved {
            self.decoder.seek(self.next)?;
            self.moved = false;
        }
        let wanted = frames_in(BLOCK, self.format.sample_rate).max(1);
        let wanted = self.until_turn().map_or(wanted, |left| wanted.min(left));
        let result = self.decoder.read(&mut self.block, usize::try_from(wanted).unwrap_or(usize::MAX));
        let damage = self.decoder.damage();
        if !damage.is_none() {
            self.state.damage = damage.sentence(self.format.sample_rate);
        }
        let got = (self.block.len() / usize::from(self.format.channels.max(1))) as u64;
        let peak = self.block.iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
        self.levels.push_back((self.next..self.next + got, peak));
        self.levels.drain(..self.levels.len().saturating_sub(LEVELS_MAX));
        self.next += got;
        if result.is_ok() && got < wanted {
            self.done = Some(Ok(()));
        }
        result.map(|_| ())
    }

    /// Frames up to the end of the repeat, for those who come from before it.
    fn until_turn(&self) -> Option<u64> {
        self.state.repeat.as_ref().and_then(|range| range.end.checked_sub(self.next)).filter(|&left| left > 0)
    }

    /// Goes back to the start of the repeat if its end was reached; ends the segment if the recording's was.
    fn turn(&mut self) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let (ended, failed) = (matches!(self.done, Some(Ok(()))), matches!(self.done, Some(Err(_))));
        let start = match &self.state.repeat {
            // A file that became shorter still has an end before that of the repeat.
            Some(range)
                if (self.next == range.end && !failed) || (ended && (range.start..range.end).contains(&self.next)) =>
            {
                Some(range.start).filter(|&start| start < self.next)
            }
            _ => None,
        };
        if start.is_some() || self.done.is_some() {
            open.chain.end_segment(&mut self.pending)?;
        }
        if let Some(start) = start {
            self.timeline.jump(self.next, open.chain.stretcher.pushed(), start);
            (self.next, self.moved, self.done) = (start, true, None);
        }
        Ok(())
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("state", &self.state).field("next", &self.next).finish_non_exhaustive()
    }
}
