//! An open PCM.
//!
//! One thread of its own, `alsa-capture`, reads everything that is available, pushes it into the ring as one block, and
//! sleeps in phase with the blocks of the device. What does not fit into the ring stays there. The thread never waits for
//! a descriptor: a plugin's may be ready although there is nothing to read, and whoever waits for it spins. It is an
//! ordinary thread, since the device keeps what was not read yet, and it closes the PCM, which can hang for ever where a
//! sound server is dead; closing is not waited for longer than a limit.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

use alsa::pcm::PCM;
use rustix::io::Errno;

use super::pcm::{Opened, failure, is};
use crate::{
    audio::{
        AudioFormat,
        time::{duration_of, frames_in},
    },
    capture::{
        CaptureClock, CaptureStream, Pace, Reading, Waker, Warning, WarningKind,
        inlet::{Inlet, News},
        layout::Layout,
        nap::PhasedNaps,
        pulse::witness::{Witness, WitnessNotice},
        ring::CallbackSide,
    },
    error::{Error, ErrorKind, Result},
};

/// How long starting may take: a sound server has to answer.
const START_LIMIT: Duration = Duration::from_secs(8);
/// How long closing may block its caller.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// The longest and the shortest sleep between two reads.
const LONGEST_NAP: Duration = Duration::from_millis(250);
const SHORTEST_NAP: Duration = Duration::from_millis(5);
/// The sleep after an error.
const ERROR_PAUSE: Duration = Duration::from_millis(50);
/// The most that is read in one go.
const LONGEST_BLOCK: Duration = Duration::from_millis(300);
/// The most such blocks after one sleep.
const MOST_BLOCKS: usize = 20;
/// Errors in a row, without a frame in between, after which the stream is treated as dead.
const ERRORS_MAX: u32 = 10;

/// The state of the thread.
struct Receiving {
    pcm: PCM,
    callback: CallbackSide,
    news: SyncSender<News>,
    layout: Layout,
    label: String,
    rate: u32,
    nap: Duration,
    block: Vec<u8>,
    frame_bytes: usize,
    /// When the device was last found empty: everything captured before had been read.
    emptied: Instant,
    /// Errors since the last frame.
    in_a_row: u32,
    stopped: Arc<AtomicBool>,
    /// How soon to read again, in milliseconds; used once.
    due: Arc<AtomicU64>,
    /// The witness reports the end: a stream that was closed must not be opened again, perhaps somewhere else.
    watched: Arc<AtomicBool>,
}

/// An open microphone.
pub(super) struct AlsaStream {
    waiting: Option<Receiving>,
    running: Option<Running>,
    inlet: Inlet,
    nap: Duration,
    /// What the server behind the PCM records, if there is one.
    source: Arc<OnceLock<String>>,
}

/// The running thread, and how it is stopped.
struct Running {
    thread: Thread,
    stopped: Arc<AtomicBool>,
    due: Arc<AtomicU64>,
    closed: Receiver<()>,
    /// Reports what a sound server behind the PCM does with the stream.
    witness: Option<Witness>,
}

impl AlsaStream {
    pub(super) fn new(opened: Opened) -> Self {
        let Opened { pcm, choice, layout, buffer, label } = opened;
        let format = choice.format();
        let latency = duration_of(u64::from(choice.frames), choice.rate);
        let (callback, news, inlet) = Inlet::new(format, latency, buffer, label.clone());
        let frame_bytes = layout.bytes().saturating_mul(usize::from(choice.channels)).max(1);
        let block = usize::try_from(frames_in(LONGEST_BLOCK, choice.rate)).unwrap_or(1).max(1);
        // Four reads before the device has to drop something.
        let nap = latency.min(buffer / 4).clamp(SHORTEST_NAP, LONGEST_NAP);
        let receiving = Receiving {
            pcm,
            callback,
            news,
            layout,
            label,
            rate: choice.rate,
            nap,
            block: vec![0; block.saturating_mul(frame_bytes)],
            frame_bytes,
            emptied: Instant::now(),
            in_a_row: 0,
            stopped: Arc::default(),
            due: Arc::new(AtomicU64::new(u64::MAX)),
            watched: Arc::default(),
        };
        Self { waiting: Some(receiving), running: None, inlet, nap, source: Arc::default() }
    }
}

impl CaptureStream for AlsaStream {
    fn format(&self) -> AudioFormat {
        self.inlet.format()
    }

    fn latency(&self) -> Option<Duration> {
        Some(self.inlet.latency())
    }

    fn wakes_reader(&self) -> bool {
        true
    }

    fn source(&self) -> Option<String> {
        self.source.get().cloned()
    }

    fn device_rate(&self) -> Option<f64> {
        self.inlet.device_rate()
    }

    fn pace(&self) -> Pace {
        Pace::Live
    }

    fn clock(&self) -> Arc<dyn CaptureClock> {
        self.inlet.clock()
    }

    fn start(&mut self, waker: Waker) -> Result<()> {
        let Some(receiving) = self.waiting.take() else {
            return Err(Error::new(ErrorKind::InvalidState, format!("{} was started before", self.inlet.label())));
        };
        let cannot = format!("cannot start {}", self.inlet.label());
        let (stopped, due) = (Arc::clone(&receiving.stopped), Arc::clone(&receiving.due));
        let has_card = receiving.pcm.info().is_ok_and(|info| info.get_card() >= 0);
        let reporter = Reporter {
            news: receiving.news.clone(),
            label: receiving.label.clone(),
            stopped: Arc::clone(&stopped),
            watched: Arc::clone(&receiving.watched),
            source: Arc::clone(&self.source),
            waker: waker.clone(),
        };
        let (started, answer) = sync_channel(1);
        let (closing, closed) = sync_channel(1);
        let thread = thread::Builder::new().name("alsa-capture".to_owned()).spawn(move || {
            receiving.run(&started, &waker);
            let _ = closing.send(());
        });
        let thread = thread.map_err(|error| Error::new(ErrorKind::NotReadable, cannot.clone()).with_source(error))?;
        let running = Running { thread: thread.thread().clone(), stopped, due, closed, witness: None };
        let running = self.running.insert(running);
        match answer.recv_timeout(START_LIMIT) {
            Ok(outcome) => outcome.map_err(|error| failure(error, cannot))?,
            Err(_) => return Err(Error::new(ErrorKind::NotReadable, format!("{cannot}: it does not answer"))),
        }
        if !has_card {
            running.witness = Witness::start(move |notice| reporter.report(&notice));
        }
        Ok(())
    }

    fn expect(&mut self, wait: Duration) {
        if let Some(running) = &self.running
            && wait < self.nap
        {
            running.due.store(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX), Ordering::Release);
            running.thread.unpark();
        }
    }

    fn read(&mut self, block: &mut Vec<f32>, max_frames: usize) -> Reading {
        self.inlet.read(block, max_frames)
    }
}

impl Drop for AlsaStream {
    fn drop(&mut self) {
        let Some(Running { thread, stopped, closed, witness, .. }) = self.running.take() else { return };
        drop(witness);
        stopped.store(true, Ordering::Release);
        thread.unpark();
        // An error means that the thread has ended in another way, a panic, which is an end as well.
        if closed.recv_timeout(CLOSE_LIMIT) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            log::warn!(
                "closing {} takes longer than {} s and goes on by itself",
                self.inlet.label(),
                CLOSE_LIMIT.as_secs()
            );
        }
    }
}

/// Passes on what a sound server reports about the stream.
struct Reporter {
    news: SyncSender<News>,
    label: String,
    stopped: Arc<AtomicBool>,
    watched: Arc<AtomicBool>,
    source: Arc<OnceLock<String>>,
    waker: Waker,
}

impl Reporter {
    fn report(&self, notice: &WitnessNotice) {
        let label = &self.label;
        let end = match notice {
            WitnessNotice::Present => return self.watched.store(true, Ordering::Release),
            WitnessNotice::Source(name) => {
                // It is reported once.
                let _ = self.source.set(name.clone());
                return;
            }
            WitnessNotice::Muted(muted) => {
                let _ = self.news.try_send(News::Muted(*muted));
                return self.waker.wake();
            }
            WitnessNotice::Suspended | WitnessNotice::Running => {
                let suspended = *notice == WitnessNotice::Suspended;
                let _ = self.news.try_send(if suspended { News::Suspended } else { News::Running });
                return self.waker.wake();
            }
            WitnessNotice::Moved => format!("{label} is gone: the sound server moved the recording to another device"),
            WitnessNotice::Closed => format!("{label} is gone: the sound server closed it"),
            WitnessNotice::ServerEnded => format!("{label} is gone: the sound server ended"),
        };
        // First of all: any later sound may be another microphone's.
        self.stopped.store(true, Ordering::Release);
        let _ = self.news.try_send(News::End(Error::new(ErrorKind::NotReadable, end)));
        self.waker.wake();
    }
}

impl Receiving {
    fn run(mut self, started: &SyncSender<alsa::Result<()>>, waker: &Waker) {
        let outcome = self.pcm.start();
        let failed = outcome.is_err();
        // The caller no longer waits if starting took too long; then the thread is stopped already.
        let _ = started.send(outcome);
        self.emptied = Instant::now();
        let (mut heard, mut naps) = (false, PhasedNaps::new(self.emptied));
        while !failed && !self.stopped.load(Ordering::Acquire) {
            let came = match self.empty(waker) {
                Ok(came) => came,
                Err(end) => {
                    let _ = self.news.try_send(News::End(end));
                    waker.wake();
                    break;
                }
            };
            heard |= came > 0;
            thread::park_timeout(match () {
                // The caller waits for the first frames.
                () if !heard => SHORTEST_NAP,
                () if self.in_a_row > 0 => ERROR_PAUSE,
                () => naps.next(Instant::now(), self.nap, duration_of(came, self.rate)).min(self.due()),
            });
        }
    }

    /// How soon the reader needs frames, if it waits for any.
    fn due(&self) -> Duration {
        Duration::from_millis(self.due.swap(u64::MAX, Ordering::AcqRel)).max(SHORTEST_NAP)
    }

    /// Reads everything that is available; returns how many frames that were. The error is the end of the device.
    fn empty(&mut self, waker: &Waker) -> Result<u64> {
        let mut came = 0;
        // Bounded, because ALSA's `null` has no end.
        for _ in 0..MOST_BLOCKS {
            if self.callback.room() < self.block.len() / self.frame_bytes {
                return Ok(came);
            }
            let now = Instant::now();
            let read = self.pcm.io_bytes().readi(&mut self.block);
            match read {
                Ok(0) => return Ok(came),
                Ok(frames) => {
                    came += frames as u64;
                    self.in_a_row = 0;
                    let bytes = frames.saturating_mul(self.frame_bytes);
                    self.layout.push(self.block.get(..bytes).unwrap_or_default(), &mut self.callback);
                    waker.wake();
                    if bytes < self.block.len() {
                        self.emptied = now;
                        return Ok(came);
                    }
                }
                Err(error) if is(error, Errno::AGAIN) => {
                    self.emptied = now;
                    return Ok(came);
                }
                Err(error) if is(error, Errno::INTR) => {}
                Err(error) => {
                    self.recover(error)?;
                    waker.wake();
                    return Ok(came);
                }
            }
        }
        Ok(came)
    }

    /// Goes on after an error, if that is possible; the loss is found by comparison with the clock.
    fn recover(&mut self, error: alsa::Error) -> Result<()> {
        self.in_a_row += 1;
        if is(error, Errno::NODEV) {
            return Err(Error::new(ErrorKind::NotReadable, format!("{} was unplugged", self.label)));
        }
        if self.in_a_row >= ERRORS_MAX {
            return Err(failure(error, format!("{} is gone", self.label)));
        }
        log::debug!("{}: {error}", self.label);
        let slept = is(error, Errno::STRPIPE);
        if slept {
            // It resumed with the machine; some devices need a moment for it, and some have to be started anew.
            match self.pcm.resume() {
                Ok(()) => return Ok(()),
                Err(error) if is(error, Errno::AGAIN) => return Ok(()),
                Err(_) => {}
            }
        }
        // A sound server's plugin reports a stream that was closed as an overrun.
        let overrun = is(error, Errno::PIPE) && !self.watched.load(Ordering::Acquire);
        // If it does not help, the next read fails again.
        if (slept || overrun) && self.pcm.prepare().and_then(|()| self.pcm.start()).is_ok() {
            self.report_overrun();
        }
        Ok(())
    }

    /// The device was full and stopped. What it held is gone as well, so that everything captured since it was last
    /// found empty is lost.
    fn report_overrun(&mut self) {
        let now = Instant::now();
        let lost = frames_in(now.saturating_duration_since(self.emptied), self.rate);
        self.emptied = now;
        self.callback.lose(lost);
        let message = format!("{} was not read in time, some sound was lost", self.label);
        let _ = self.news.try_send(News::Notice(Warning::new(WarningKind::Lost, message)));
    }
}

#[cfg(test)]
mod tests {
    use std::thread::park_timeout;

    use super::*;
    use crate::capture::{EndReason, OpenRequest};

    /// An open stream of ALSA's own device that delivers zeros without end.
    fn endless() -> AlsaStream {
        let request = OpenRequest { sample_rate: Some(48_000), channels: Some(1), ..OpenRequest::default() };
        AlsaStream::new(Opened::open("null", "nothing".to_owned(), &request).unwrap())
    }

    fn next(stream: &mut AlsaStream, block: &mut Vec<f32>) -> Reading {
        for _ in 0..1_000 {
            match stream.read(block, 1_000) {
                Reading::Idle => park_timeout(Duration::from_millis(10)),
                reading => return reading,
            }
        }
        panic!("nothing came")
    }

    #[test]
    fn a_device_without_end_is_read_and_can_be_closed() {
        let mut stream = endless();
        stream.start(Waker::new(thread::current())).unwrap();
        let mut block = Vec::new();
        assert!(matches!(next(&mut stream, &mut block), Reading::Frames));
        assert!(block.iter().all(|&sample| sample == 0.0));
        assert!(stream.start(Waker::new(thread::current())).is_err(), "started twice");
        let closed = stream.running.take().unwrap();
        closed.stopped.store(true, Ordering::Release);
        closed.thread.unpark();
        // It reports that, or drops its end of the channel.
        let _ = closed.closed.recv();
    }

    #[test]
    fn what_the_sound_server_says_of_the_end_is_the_end_and_nothing_is_read_any_more() {
        for (notice, words) in [
            (WitnessNotice::Moved, "moved the recording to another device"),
            (WitnessNotice::Closed, "the sound server closed it"),
            (WitnessNotice::ServerEnded, "the sound server ended"),
        ] {
            let mut stream = endless();
            let receiving = stream.waiting.take().unwrap();
            let reporter = Reporter {
                news: receiving.news.clone(),
                label: "mic".to_owned(),
                stopped: Arc::clone(&receiving.stopped),
                watched: Arc::clone(&receiving.watched),
                source: Arc::clone(&stream.source),
                waker: Waker::new(thread::current()),
            };
            reporter.report(&WitnessNotice::Present);
            reporter.report(&WitnessNotice::Source("server's mic".to_owned()));
            reporter.report(&WitnessNotice::Muted(true));
            reporter.report(&notice);
            assert_eq!(stream.source().as_deref(), Some("server's mic"));
            assert!(receiving.watched.load(Ordering::Acquire) && receiving.stopped.load(Ordering::Acquire));
            let mut block = Vec::new();
            assert!(matches!(next(&mut stream, &mut block), Reading::Muted(true)));
            let Reading::Ended(EndReason::DeviceLost(error)) = next(&mut stream, &mut block) else { panic!("no end") };
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
