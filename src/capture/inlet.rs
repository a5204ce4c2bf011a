//! The reading end of a microphone that is read by a capture thread of the program's own: frames come out of the ring,
//! everything else that concerns a person out of a bounded channel, and both are watched for what a sound system does
//! not report: sound that it drops, and a device that falls silent.
//!
//! Runs on the reading thread and never waits. How the capture thread gets its frames is not handled here.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    },
    time::{Duration, Instant},
};

use super::{
    CaptureClock, EndReason, Reading, Warning, WarningKind,
    drift::{Finding, LossWatch, other_rate},
    ring::{CallbackSide, ReaderSide, RingClock, ring},
    stall::StallWatch,
    suspension::{Gone, Suspension},
};
use crate::{
    audio::{AudioFormat, time::duration_of},
    error::{Error, ErrorKind},
};

/// Sound that is kept while the reader does not read, in seconds: the disk may stall for that long.
const KEPT_SECONDS: u64 = 10;
/// What the ring holds at least.
const LEAST_SECONDS: u64 = 3;
/// News that wait for the reader. No person unplugs and mutes faster.
const NEWS_MAX: usize = 64;

/// What a capture thread reports besides frames.
#[derive(Debug)]
pub(super) enum News {
    Muted(bool),
    /// The server has suspended the source: nothing is due from it before it delivers again.
    Suspended,
    /// The source is not suspended, or not any more.
    Running,
    Notice(Warning),
    /// Nothing will come any more.
    End(Error),
}

/// One open microphone, seen from its reader.
#[derive(Debug)]
pub(super) struct Inlet {
    reader: ReaderSide,
    clock: Arc<RingClock>,
    news: Receiver<News>,
    format: AudioFormat,
    latency: Duration,
    label: String,
    stall: StallWatch,
    losses: LossWatch,
    suspension: Suspension,
    /// It is what a loudspeaker plays: while that is suspended there is silence, and nothing is lost.
    is_monitor: bool,
    /// Frames of such silence that are still to be read.
    silent: u64,
    /// The notice that follows what was read last.
    notice: Option<String>,
    // News of the end, until the ring is empty; then the end.
    dying: Option<Error>,
    over: bool,
}

impl Inlet {
    /// A reader of a device called `label` whose frames arrive about every `latency`, and the two ends that its capture
    /// thread fills. The ring may hold less than usual by what the device itself buffers while nothing is read.
    pub(super) fn new(
        format: AudioFormat,
        latency: Duration,
        kept_by_device: Duration,
        label: String,
    ) -> (CallbackSide, SyncSender<News>, Self) {
        let seconds = KEPT_SECONDS.saturating_sub(kept_by_device.as_secs()).max(LEAST_SECONDS);
        let (callback, reader, clock) = ring(format, u32::try_from(seconds).unwrap_or(u32::MAX));
        let (sender, news) = sync_channel(NEWS_MAX);
        let inlet = Self {
            reader,
            clock,
            news,
            format,
            latency,
            label,
            stall: StallWatch::new(latency),
            losses: LossWatch::new(format.sample_rate, latency),
            suspension: Suspension::new(format.sample_rate, latency),
            is_monitor: false,
            silent: 0,
            notice: None,
            dying: None,
            over: false,
        };
        (callback, sender, inlet)
    }

    /// Marks the source as what a loudspeaker plays.
    pub(super) fn set_monitor(&mut self) {
        self.is_monitor = true;
    }

    pub(super) fn format(&self) -> AudioFormat {
        self.format
    }

    pub(super) fn latency(&self) -> Duration {
        self.latency
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn device_rate(&self) -> Option<f64> {
        self.losses.device_rate()
    }

    pub(super) fn clock(&self) -> Arc<dyn CaptureClock> {
        Arc::clone(&self.clock) as Arc<dyn CaptureClock>
    }

    /// As [`CaptureStream::read`](super::CaptureStream::read), for a stream that was started.
    pub(super) fn read(&mut self, block: &mut Vec<f32>, max_frames: usize) -> Reading {
        if let Some(reading) = self.take_news() {
            return reading;
        }
        if self.silent > 0 {
            return self.read_silence(block, max_frames);
        }
        if let Some(what) = self.notice.take() {
            return self.remark(WarningKind::Resumed, &what);
        }
        if self.suspension.is_on() && !self.over {
            return self.read_suspended(block, max_frames);
        }
        if !self.over
            && let Some((at, frames)) = self.clock.last_callback()
            && let Some(finding) = self.losses.look(at, frames)
        {
            match finding {
                Finding::Lost(lost) => {
                    self.clock.add_missing(lost);
                    return Reading::Lost(lost);
                }
                Finding::OtherRate(rate) => self.dying = Some(other_rate(&self.label, self.format, rate)),
            }
        }
        let reading = if self.over { Reading::Idle } else { self.reader.read(block, max_frames) };
        if !matches!(reading, Reading::Idle) {
            return reading;
        }
        if self.dying.is_none() {
            self.dying = self.silence();
        }
        match self.dying.clone() {
            Some(error) => self.end(error),
            None => Reading::Idle,
        }
    }

    fn take_news(&mut self) -> Option<Reading> {
        if self.dying.is_some() || self.over {
            return None;
        }
        match self.news.try_recv() {
            Ok(News::Muted(muted)) => return Some(Reading::Muted(muted)),
            Ok(News::Suspended) => self.suspension.begin(self.clock.nanos_now(), self.clock.last_callback()),
            Ok(News::Running) => self.suspension.deny(self.clock.nanos_now()),
            Ok(News::Notice(notice)) => return Some(Reading::Notice(notice)),
            Ok(News::End(error)) => self.dying = Some(error),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => {
                self.dying = Some(Error::new(ErrorKind::NotReadable, format!("{} is closed", self.label)));
            }
        }
        None
    }

    /// As [`read`](Self::read), of a source from which nothing is due. What came before is read first, and what comes
    /// later is read last.
    fn read_suspended(&mut self, block: &mut Vec<f32>, max_frames: usize) -> Reading {
        self.stall.reset();
        let last = self.clock.last_callback();
        let came = last.is_some_and(|(_, frames)| self.suspension.has_ended(frames));
        if !came {
            let reading = self.reader.read(block, max_frames);
            if !matches!(reading, Reading::Idle) {
                return reading;
            }
            if let Some(error) = self.dying.clone() {
                return self.end(error);
            }
        }
        let now = self.clock.nanos_now();
        let missing = match self.suspension.look(now, last) {
            None if came => return self.reader.read(block, max_frames),
            None => return Reading::Idle,
            Some(Gone::Suspended) => {
                return self.remark(WarningKind::Suspended, "was suspended by the sound server and delivers nothing");
            }
            Some(Gone::Missing(frames)) => frames,
            Some(Gone::Over { all: 0, .. }) => {
                return self.remark(WarningKind::Resumed, "is not suspended any more");
            }
            Some(Gone::Over { all, rest }) => {
                let seconds = duration_of(all, self.format.sample_rate).as_secs_f64();
                let what = if self.is_monitor { "where the recording is silent" } else { "which are lost" };
                self.notice = Some(format!("was suspended for {seconds:.1} s, {what}"));
                rest
            }
        };
        self.losses.note_missing(now, missing);
        self.clock.add_missing(missing);
        if self.is_monitor {
            self.silent += missing;
            return Reading::Idle;
        }
        if missing > 0 { Reading::Lost(missing) } else { Reading::Idle }
    }

    /// Silence of a loudspeaker that was suspended.
    fn read_silence(&mut self, block: &mut Vec<f32>, max_frames: usize) -> Reading {
        let frames = usize::try_from(self.silent).unwrap_or(usize::MAX).min(max_frames.max(1));
        self.silent -= frames as u64;
        block.resize(block.len() + frames * usize::from(self.format.channels.max(1)), 0.0);
        Reading::Frames
    }

    fn remark(&self, kind: WarningKind, what: &str) -> Reading {
        Reading::Notice(Warning::new(kind, format!("{} {what}", self.label)))
    }

    fn end(&mut self, error: Error) -> Reading {
        self.over = true;
        Reading::Ended(EndReason::DeviceLost(error))
    }

    /// The error of a device that has delivered nothing for too long.
    fn silence(&mut self) -> Option<Error> {
        let silent = self.stall.look(self.clock.captured(), Instant::now())?;
        let message = format!("{} has delivered nothing for {} s", self.label, silent.as_secs());
        Some(Error::new(ErrorKind::NotReadable, message))
    }
}
